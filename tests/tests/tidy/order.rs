//! Who may drive the host cycle.
//!
//! Law: acts are reported to a cycle in one place of the products, so that there is one order of
//! taking, keeping, acknowledging, applying and releasing.

use super::crates::is_product;
use super::source::{Source, line_of};
use super::tree::{Tree, Violation};

/// Where acts are done.
const DRIVER: &str = "runtime/src/hosting/act.rs";
/// Reports of acts that bear a name of their own.
const REPORTS: &[&str] = &[".took(", ".acked()", ".applied(", ".released()"];

fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| is_product(path) && *path != DRIVER) {
        let code = Source::new(text).product;
        for report in REPORTS {
            found.extend(code.match_indices(report).map(|(offset, _)| {
                let what = format!("`{report}…`: only {DRIVER} does the acts of a cycle");
                Violation::new(path, line_of(&code, offset), what)
            }));
        }
    }
    found
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    #[test]
    fn one_file_drives_the_host_cycle() {
        assert_none("a second order of acts", violations(&Tree::of_this_workspace()));
    }

    #[test]
    fn a_second_driver_is_seen() {
        let planted = |path| Tree::planted(&[(path, "fn f() {\n    cycle.acked()?;\n}\n")]);
        let seen = violations(&planted("sim/src/hosted.rs"));
        assert_seen(&seen, "sim/src/hosted.rs", 2, "only runtime/src/hosting/act.rs");
        assert_eq!(violations(&planted(DRIVER)), []);
    }
}
