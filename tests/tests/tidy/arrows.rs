//! Who may depend on whom, read from the manifests.
//!
//! Law: an arrow that the table of crates does not draw does not exist, tests included.

use super::crates::{CRATES, Crate, Role};
use super::manifest::{Dependency, Kind, dependencies, entries, strings, value};
use super::tree::{Tree, Violation};

fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = unknown_members(tree);
    for row in CRATES {
        let manifest = row.manifest();
        let Some(text) = tree.text(&manifest) else {
            continue;
        };
        for dependency in dependencies(text) {
            if let Some(what) = fault(row, &dependency) {
                found.push(Violation::new(&manifest, dependency.line, what));
            }
        }
    }
    found
}

fn fault(row: &Crate, dependency: &Dependency) -> Option<String> {
    let (name, to) = (row.name, dependency.name.as_str());
    let shipped = dependency.kind != Kind::Dev;
    let known = CRATES.iter().find(|other| other.name == to);
    if !dependency.from_workspace {
        return Some(format!("`{to}` does not take its version from [workspace.dependencies]"));
    }
    if row.role == Role::Tool {
        return None;
    }
    if dependency.kind == Kind::Build {
        return Some(format!(
            "{name} has a build script's dependency, `{to}`: generate and check in"
        ));
    }
    if let Some(other) = known {
        let may = row.imports.contains(&to)
            || (!shipped && (row.in_tests.contains(&to) || other.name == name));
        return (!may).then(|| format!("{name} may not import {to}"));
    }
    if shipped && row.never.contains(&to) {
        return Some(format!("`{to}` would break the law of {name}"));
    }
    // Whoever builds the mailbox for loom builds exactly what ships.
    let alone = name == "samsara-ingress";
    let is_loom = to == "loom" && dependency.only_under == "cfg(loom)";
    (alone && shipped && !is_loom).then(|| format!("{name} has no dependencies, `{to}` is one"))
}

/// Members that the table does not know, and rows that name no member once their directory exists.
fn unknown_members(tree: &Tree) -> Vec<Violation> {
    let root = entries(tree.text("Cargo.toml").unwrap_or_default());
    let members = root.iter().find(|entry| entry.section == "workspace" && entry.key == "members");
    let Some(members) = members else {
        return vec![Violation::new("Cargo.toml", 1, "the workspace lists no members")];
    };
    let mut found = Vec::new();
    let listed = strings(&members.value);
    for directory in &listed {
        let manifest = format!("{directory}/Cargo.toml");
        let inside = entries(tree.text(&manifest).unwrap_or_default());
        let name = value(&inside, "package", "name").unwrap_or("");
        if !CRATES.iter().any(|row| row.directory == *directory && row.name == name) {
            let what = format!("`{name}` in {directory}/ is not in the table of crates");
            found.push(Violation::new(&manifest, 1, what));
        }
    }
    let is_there = |row: &&Crate| !row.directory.is_empty() && tree.has(&row.manifest());
    for row in CRATES.iter().filter(is_there) {
        if !listed.contains(&row.directory) {
            let what = format!("{}/ has a manifest and is no member", row.directory);
            found.push(Violation::new("Cargo.toml", members.line, what));
        }
    }
    found
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    #[test]
    fn crates_import_only_along_the_arrows() {
        assert_none("an arrow is missing in the table", violations(&Tree::of_this_workspace()));
    }

    fn planted(directory: &str, name: &str, manifest: &str) -> Vec<Violation> {
        let root = format!("[workspace]\nmembers = [\"{directory}\"]\n");
        let manifest = format!("[package]\nname = \"{name}\"\n{manifest}");
        let path = format!("{directory}/Cargo.toml");
        violations(&Tree::planted(&[("Cargo.toml", &root), (&path, &manifest)]))
    }

    #[test]
    fn runtime_and_transport_never_meet() {
        let there = "[dependencies]\nsamsara-transport.workspace = true\n";
        let back = "[dev-dependencies]\nsamsara-runtime.workspace = true\n";
        let seen = planted("runtime", "samsara-runtime", there);
        assert_seen(&seen, "runtime/Cargo.toml", 4, "may not import samsara-transport");
        let seen = planted("transport", "samsara-transport", back);
        assert_seen(&seen, "transport/Cargo.toml", 4, "may not import samsara-runtime");
    }

    #[test]
    fn tokio_in_the_engine_is_seen() {
        let seen = planted("sim", "samsara-sim", "[dependencies]\ntokio = { workspace = true }\n");
        assert_seen(&seen, "sim/Cargo.toml", 4, "tokio");
    }

    #[test]
    fn the_mailbox_may_have_loom_under_its_cfg_and_nothing_else() {
        let name = "samsara-ingress";
        let loom = "[target.'cfg(loom)'.dependencies]\nloom.workspace = true\n";
        assert_eq!(planted("runtime/ingress", name, loom), []);
        let plain = "[dependencies]\nloom.workspace = true\n";
        let seen = planted("runtime/ingress", name, plain);
        assert_seen(&seen, "runtime/ingress/Cargo.toml", 4, "has no dependencies");
    }

    #[test]
    fn a_version_of_its_own_is_seen() {
        let seen = planted("proto", "samsara-proto", "[dependencies]\nbytes = \"1\"\n");
        assert_seen(&seen, "proto/Cargo.toml", 4, "[workspace.dependencies]");
    }

    #[test]
    fn a_build_script_is_seen() {
        let build = "[build-dependencies]\nprost-build.workspace = true\n";
        let seen = planted("proto", "samsara-proto", build);
        assert_seen(&seen, "proto/Cargo.toml", 4, "check in");
    }

    #[test]
    fn a_crate_outside_the_table_is_seen() {
        let seen = planted("helpers", "samsara-helpers", "");
        assert_seen(&seen, "helpers/Cargo.toml", 1, "not in the table");
    }

    #[test]
    fn a_crate_outside_the_workspace_is_seen() {
        let root = "[workspace]\nmembers = []\n";
        let tree = Tree::planted(&[("Cargo.toml", root), ("sim/Cargo.toml", "")]);
        assert_seen(&violations(&tree), "Cargo.toml", 2, "no member");
    }
}
