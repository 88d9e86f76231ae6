//! Links of the prose.
//!
//! Law: a link to a file leads to a file of the tree.

use super::tree::{Tree, Violation};

fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        let mut fenced = false;
        for (index, line) in text.lines().enumerate() {
            fenced ^= line.trim_start().starts_with("```");
            if fenced {
                continue;
            }
            let broken = targets(line).filter(|target| !resolves(tree, path, target));
            found.extend(broken.map(|target| {
                Violation::new(path, index + 1, format!("`{target}` leads to no file"))
            }));
        }
    }
    found
}

/// What the line's links lead to inside the tree, without the place in the file.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let after = line.split("](").skip(1);
    let whole = after.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let local = whole.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    local
        .map(|target| target.split(['#', ' ']).next().unwrap_or(""))
        .filter(|path| !path.is_empty())
}

fn resolves(tree: &Tree, from: &str, target: &str) -> bool {
    let Some(path) = joined(from, target) else {
        return false;
    };
    let inside = format!("{path}/");
    tree.has(&path) || path.is_empty() || tree.files.keys().any(|file| file.starts_with(&inside))
}

/// `target` as seen from the file `from`; nothing when it leaves the tree.
pub(crate) fn joined(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    #[test]
    fn every_link_leads_somewhere() {
        assert_none("a link leads nowhere", violations(&Tree::of_this_workspace()));
    }

    #[test]
    fn a_link_to_no_file_is_seen() {
        let text = "[a](../src/a.rs#L1) [b](..) [c](https://docs.rs) [d](#here)\n\n[gone](gone.md \"t\")\n";
        let tree = Tree::planted(&[("docs/map.md", text), ("src/a.rs", "")]);
        assert_seen(&violations(&tree), "docs/map.md", 3, "gone.md");
    }

    #[test]
    fn a_link_out_of_the_tree_is_seen() {
        let tree = Tree::planted(&[("map.md", "[up](../a.md)\n")]);
        assert_seen(&violations(&tree), "map.md", 1, "../a.md");
    }
}
