//! What a package says of itself.
//!
//! Law: a published package can be found, licensed and built by a stranger; lints are one list.

use super::crates::{CRATES, Crate, Role};
use super::manifest::{Entry, entries, value};
use super::tree::{Tree, Violation};

const LICENCES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];
const SAID: &[&str] = &["description", "license", "rust-version"];
/// The package that holds the counting allocator, and how it differs.
const EXCEPTION: (&str, &str, &str) = ("samsara-tests", "unsafe_code", "\"deny\"");

fn violations(tree: &Tree) -> Vec<Violation> {
    let root = entries(tree.text("Cargo.toml").unwrap_or_default());
    let missing = LICENCES.iter().filter(|licence| !tree.has(licence));
    let mut found: Vec<Violation> =
        missing.map(|licence| Violation::new(licence, 1, "is missing")).collect();
    for row in CRATES {
        let Some(text) = tree.text(&row.manifest()) else {
            continue;
        };
        let own = entries(text);
        found.extend(unsaid(row, &own));
        found.extend(lints(row, &own, &root));
    }
    found
}

fn unsaid(row: &Crate, own: &[Entry]) -> Vec<Violation> {
    let unpublished = value(own, "package", "publish") == Some("false");
    if unpublished != (row.role == Role::Tool) {
        let what = "`publish = false` belongs to tools, and to all of them";
        return vec![Violation::new(&row.manifest(), 1, what)];
    }
    let is_said = |key: &&str| {
        let inherited = value(own, "package", &format!("{key}.workspace")) == Some("true");
        inherited || value(own, "package", key).is_some_and(|said| !said.is_empty())
    };
    let unsaid = SAID.iter().filter(|_| !unpublished).filter(|key| !is_said(key));
    unsaid.map(|key| Violation::new(&row.manifest(), 1, format!("says no `{key}`"))).collect()
}

fn lints(row: &Crate, own: &[Entry], root: &[Entry]) -> Vec<Violation> {
    let manifest = row.manifest();
    if row.name != EXCEPTION.0 {
        let inherits = value(own, "lints", "workspace") == Some("true");
        let what = "does not inherit the workspace's lints";
        return if inherits { Vec::new() } else { vec![Violation::new(&manifest, 1, what)] };
    }
    let mut wanted = lint_list(root, "workspace.lints.");
    for (name, level) in &mut wanted {
        if name.ends_with(EXCEPTION.1) {
            EXCEPTION.2.clone_into(level);
        }
    }
    let differ = lint_list(own, "lints.") != wanted;
    let what = format!("its lints differ from the workspace's in more than `{}`", EXCEPTION.1);
    if differ { vec![Violation::new(&manifest, 1, what)] } else { Vec::new() }
}

fn lint_list(entries: &[Entry], prefix: &str) -> Vec<(String, String)> {
    let mut list: Vec<_> = entries
        .iter()
        .filter_map(|entry| {
            let tool = entry.section.strip_prefix(prefix)?;
            Some((format!("{tool}::{}", entry.key), entry.value.clone()))
        })
        .collect();
    list.sort();
    list
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    const ROOT: &str = "[package]\nname = \"samsara\"\ndescription = \"d\"\nlicense = \"MIT\"\n\
                        rust-version.workspace = true\n[lints]\nworkspace = true\n\
                        [workspace.lints.rust]\nunsafe_code = \"forbid\"\nmissing_docs = \"warn\"\n";

    #[test]
    fn every_package_says_what_it_must() {
        assert_none("a package is incomplete", violations(&Tree::of_this_workspace()));
    }

    fn planted(path: &str, text: &str) -> Vec<Violation> {
        let licences = [("LICENSE-MIT", ""), ("LICENSE-APACHE", "")];
        violations(&Tree::planted(&[licences[0], licences[1], ("Cargo.toml", ROOT), (path, text)]))
    }

    #[test]
    fn a_missing_licence_is_seen() {
        let tree = Tree::planted(&[("Cargo.toml", ROOT), ("LICENSE-MIT", "")]);
        assert_seen(&violations(&tree), "LICENSE-APACHE", 1, "missing");
    }

    #[test]
    fn what_a_published_package_leaves_out_is_seen() {
        let text = ROOT.replace("description = \"d\"\n", "");
        assert_seen(&planted("proto/Cargo.toml", &text), "proto/Cargo.toml", 1, "`description`");
    }

    #[test]
    fn a_published_tool_is_seen() {
        assert_seen(&planted("fuzz/Cargo.toml", ROOT), "fuzz/Cargo.toml", 1, "publish = false");
    }

    #[test]
    fn lints_of_its_own_are_seen() {
        let text = ROOT.replace("[lints]\nworkspace = true\n", "");
        assert_seen(&planted("sim/Cargo.toml", &text), "sim/Cargo.toml", 1, "inherit");
    }

    #[test]
    fn the_copy_of_the_lints_differs_in_one_only() {
        let copy =
            "[package]\npublish = false\n[lints.rust]\nunsafe_code = \"deny\"\nmissing_docs = ";
        assert_eq!(planted("tests/Cargo.toml", &format!("{copy}\"warn\"\n")), []);
        let seen = planted("tests/Cargo.toml", &format!("{copy}\"allow\"\n"));
        assert_seen(&seen, "tests/Cargo.toml", 1, "differ");
    }
}
