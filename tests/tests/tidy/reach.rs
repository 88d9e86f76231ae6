//! What is reached: from a crate's roots by modules, from tests by name.
//!
//! Law: a file that nothing reaches is dead and goes.

use std::collections::BTreeSet;

use super::crates::CRATES;
use super::links::joined;
use super::manifest::entries;
use super::source::{Source, name_at, word_offsets};
use super::tree::{Tree, Violation};

/// Directories whose every file is a crate root.
const ROOTS: &[&str] = &["src/bin/", "tests/", "benches/", "examples/"];

fn violations(tree: &Tree) -> Vec<Violation> {
    let reached = reached(tree);
    let rust = tree.texts().map(|(path, _)| path).filter(|path| path.ends_with(".rs"));
    let dead = rust.filter(|path| !reached.contains(*path));
    let mut found: Vec<Violation> =
        dead.map(|path| Violation::new(path, 1, "no crate root reaches this file")).collect();
    found.extend(unnamed_vectors(tree));
    found
}

fn reached(tree: &Tree) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut left: Vec<(String, bool)> = roots(tree).into_iter().map(|path| (path, true)).collect();
    while let Some((path, is_root)) = left.pop() {
        let Some(text) = tree.text(&path) else {
            continue;
        };
        if reached.insert(path.clone()) {
            let source = Source::new(text);
            let modules = modules(tree, &path, is_root, &source);
            left.extend(modules.into_iter().map(|path| (path, false)));
            left.extend(included(&path, &source).map(|path| (path, false)));
        }
    }
    reached
}

/// The crate roots: those that cargo finds by itself and those that a manifest names.
fn roots(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for row in CRATES {
        let Some(manifest) = tree.text(&row.manifest()) else {
            continue;
        };
        found.extend(["src/lib.rs", "src/main.rs", "build.rs"].map(|root| row.path(root)));
        let named = entries(manifest).into_iter().filter(|entry| entry.key == "path");
        let dependency = |section: &str| section.contains("dependencies");
        let named = named.filter(|entry| !dependency(&entry.section));
        found.extend(named.map(|entry| row.path(entry.value.trim_matches('"'))));
        // The facade's `tests/` and `examples/` are packages of their own.
        let own = ROOTS.iter().filter(|_| !row.directory.is_empty()).map(|root| row.path(root));
        for prefix in own {
            let direct = |path: &&String| {
                path.strip_prefix(&prefix)
                    .is_some_and(|rest| rest.ends_with(".rs") && !rest.contains('/'))
            };
            found.extend(tree.files.keys().filter(direct).cloned());
        }
    }
    found
}

/// The files that `mod name;` names, with the inline modules around it taken into account.
fn modules(tree: &Tree, path: &str, is_root: bool, source: &Source) -> Vec<String> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.trim_end_matches(".rs");
    let base =
        if is_root || stem == "mod" { directory.to_owned() } else { slashed(directory, stem) };
    let code = &source.code;
    let mut found = Vec::new();
    let mut inline: Vec<(&str, usize)> = Vec::new();
    for at in word_offsets(code, "mod ") {
        inline.retain(|(_, end)| *end > at);
        let name = name_at(code, at + "mod ".len());
        let after = at + "mod ".len() + name.len();
        match code[after..].trim_start().bytes().next() {
            Some(b'{') => {
                let open = after + code[after..].find('{').expect("it is the next letter");
                inline.push((name, super::source::after_closing(code, open)));
            }
            Some(b';') => {
                let nested =
                    inline.iter().fold(base.clone(), |base, (name, _)| slashed(&base, name));
                let named = path_attribute(source, at).and_then(|named| joined(path, named));
                let plain = slashed(&nested, &format!("{name}.rs"));
                let old = slashed(&nested, &format!("{name}/mod.rs"));
                found.push(named.unwrap_or(if tree.has(&plain) { plain } else { old }));
            }
            _ => {}
        }
    }
    found
}

fn slashed(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// What `#[path = "…"]` says on the line before a `mod`.
fn path_attribute(source: &Source, at: usize) -> Option<&str> {
    let before = source.uncommented[..at].rsplit([';', '}']).next()?;
    let (_, rest) = before.split_once("#[path")?;
    rest.split('"').nth(1)
}

fn included<'a>(path: &'a str, source: &'a Source) -> impl Iterator<Item = String> + 'a {
    let calls = word_offsets(&source.code, "include!");
    calls.into_iter().filter_map(move |at| {
        let named = source.uncommented[at..].split('"').nth(1)?;
        joined(path, named)
    })
}

/// Golden vectors and fuzz corpora that no Rust file names.
fn unnamed_vectors(tree: &Tree) -> Vec<Violation> {
    // The laws plant names of their own, which must not save a vector that nothing uses.
    let sources: Vec<String> = tree
        .rust()
        .filter(|(path, _)| !path.starts_with("tests/tests/tidy/"))
        .map(|(_, text)| Source::new(text).uncommented)
        .collect();
    let is_named = |name: &str| {
        let whole = [format!("\"{name}\""), format!("/{name}\"")];
        let says = |text: &String| whole.iter().any(|quoted| text.contains(quoted.as_str()));
        sources.iter().any(says)
    };
    let mut found = Vec::new();
    let mut corpora = BTreeSet::new();
    for path in tree.files.keys() {
        if let Some(golden) = path.strip_prefix("tests/golden/") {
            let name = golden.trim_end_matches(".hex");
            if !is_named(name) && !is_named(golden) {
                found.push(Violation::new(path, 1, "no test names this vector"));
            }
        }
        let corpus = path.strip_prefix("fuzz/corpus/").and_then(|rest| rest.split_once('/'));
        if let Some((target, _)) = corpus
            && corpora.insert(target)
            && !is_named(target)
        {
            let what = format!("no target is named \"{target}\"");
            found.push(Violation::new(path, 1, what));
        }
    }
    found
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    #[test]
    fn every_file_is_reached() {
        assert_none("something is dead", violations(&Tree::of_this_workspace()));
    }

    /// A small crate in which everything is reached, each file in another way.
    const WHOLE: &[(&str, &str)] = &[
        ("fuzz/Cargo.toml", "[[bin]]\nname = \"t\"\npath = \"odd/t.rs\"\n"),
        ("fuzz/odd/t.rs", ""),
        ("fuzz/src/lib.rs", "pub mod a;\nmod inside { mod deep; }\n#[path = \"other.rs\"]\nmod b;"),
        ("fuzz/src/a.rs", "include!(\"generated/g.rs\");\nconst N: &str = \"envelope\";"),
        ("fuzz/src/a/c.rs", ""),
        ("fuzz/src/generated/g.rs", ""),
        ("fuzz/src/inside/deep.rs", "// mod dead;"),
        ("fuzz/src/other.rs", ""),
        ("fuzz/tests/pure.rs", "mod pure { mod one; }\n"),
        ("fuzz/tests/pure/one.rs", "const V: &str = \"minimal.hex\";"),
        ("fuzz/corpus/envelope/a.bin", ""),
        ("tests/golden/minimal.hex", ""),
    ];

    fn planted(path: &str, text: &str) -> Vec<Violation> {
        let mut tree = Tree::planted(WHOLE);
        tree.files.insert("fuzz/src/a.rs".to_owned(), format!("{}\nmod c;", WHOLE[3].1));
        tree.files.insert(path.to_owned(), text.to_owned());
        violations(&tree)
    }

    #[test]
    fn every_way_to_reach_a_file_is_known() {
        assert_eq!(planted("README.md", ""), []);
    }

    #[test]
    fn a_module_that_only_a_comment_names_is_seen() {
        let seen = planted("fuzz/src/inside/deep/dead.rs", "");
        assert_seen(&seen, "fuzz/src/inside/deep/dead.rs", 1, "no crate root");
    }

    #[test]
    fn a_test_beside_its_binary_is_seen_when_not_declared() {
        let seen = planted("fuzz/tests/pure/two.rs", "");
        assert_seen(&seen, "fuzz/tests/pure/two.rs", 1, "no crate root");
    }

    #[test]
    fn a_name_in_the_laws_themselves_saves_no_vector() {
        let mut tree = Tree::planted(&[("tests/golden/lost.hex", "")]);
        let law = "const N: &str = \"lost.hex\";".to_owned();
        tree.files.insert("tests/tests/tidy/reach.rs".to_owned(), law);
        assert_seen(&unnamed_vectors(&tree), "tests/golden/lost.hex", 1, "no test names");
    }

    #[test]
    fn a_vector_and_a_corpus_without_a_test_are_seen() {
        let seen = planted("tests/golden/lost.hex", "");
        assert_seen(&seen, "tests/golden/lost.hex", 1, "no test names");
        let seen = planted("fuzz/corpus/address/a.bin", "");
        assert_seen(&seen, "fuzz/corpus/address/a.bin", 1, "\"address\"");
    }
}
