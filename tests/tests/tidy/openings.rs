//! How a file begins and what it is called.
//!
//! Law: a file says what it is in its first line, and no file is named after a drawer.

use super::tree::{Tree, Violation};

/// Names that say where a thing was put, never what it is.
const DRAWERS: &[&str] =
    &["common", "helper", "helpers", "manager", "misc", "mod", "types", "util", "utils"];

fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        if !text.starts_with("//! ") {
            found.push(Violation::new(path, 1, "does not open with `//!` and a sentence"));
        }
        let drawer = path.trim_end_matches(".rs").split('/').find(|part| DRAWERS.contains(part));
        if let Some(drawer) = drawer {
            found.push(Violation::new(path, 1, format!("`{drawer}` is no name for a concept")));
        }
    }
    found
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    #[test]
    fn every_file_says_what_it_is() {
        assert_none("a file hides what it is", violations(&Tree::of_this_workspace()));
    }

    #[test]
    fn a_file_without_an_opening_is_seen() {
        let tree = Tree::planted(&[("proto/src/a.rs", "// An apple.\n"), ("b.rs", "//! A bee.\n")]);
        assert_seen(&violations(&tree), "proto/src/a.rs", 1, "does not open");
    }

    #[test]
    fn a_drawer_is_seen() {
        for path in ["src/utils.rs", "src/common/a.rs", "src/a/mod.rs"] {
            assert_seen(&violations(&Tree::planted(&[(path, "//! A.\n")])), path, 1, "no name");
        }
        assert_eq!(violations(&Tree::planted(&[("src/commons.rs", "//! A.\n")])), []);
    }
}
