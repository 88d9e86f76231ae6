//! Words that do not belong into the tree.
//!
//! Law: each row says where it holds and why. Words that would be found in this very file are put
//! together from halves.

use super::crates::is_product;
use super::source::{Source, line_of, word_offsets};
use super::tree::{Tree, Violation};

/// Where a word is looked for.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    /// Any text file, comments included.
    Text,
    /// Rust code, tests included.
    Code,
    /// Code that products ship.
    Product,
    /// Code that `runtime` and its mailbox ship.
    Engine,
}

struct Banned {
    word: &'static str,
    within: Within,
    why: &'static str,
    /// The one file that may.
    but: &'static str,
}

const fn banned(word: &'static str, within: Within, why: &'static str) -> Banned {
    Banned { word, within, why, but: "" }
}

const BANNED: &[Banned] = &[
    banned(concat!("TO", "DO"), Within::Text, "do it or write it down elsewhere"),
    banned(concat!("FIX", "ME"), Within::Text, "fix it"),
    banned(concat!("XX", "X"), Within::Text, "say what is meant"),
    banned(concat!("HA", "CK"), Within::Text, "say why it must be so"),
    banned(concat!("/wo", "rk/"), Within::Text, "a path of one machine"),
    banned(concat!("/tm", "p/"), Within::Text, "a path of one machine"),
    banned(concat!("/ro", "ot/"), Within::Text, "a path of one machine"),
    banned(concat!("/ho", "me/"), Within::Text, "a path of one machine"),
    banned(
        concat!("replace", "-with"),
        Within::Text,
        "where crates come from is the builder's choice",
    ),
    banned(concat!("sparse", "+"), Within::Text, "where crates come from is the builder's choice"),
    banned("todo!", Within::Code, "a stub"),
    banned("unimplemented!", Within::Code, "a stub"),
    Banned {
        word: "unsafe",
        within: Within::Code,
        why: "only the counting allocator may",
        but: "tests/src/counting.rs",
    },
    banned(".unwrap()", Within::Product, "say with `expect` why it holds, or return the error"),
    banned("fn get_", Within::Product, "a getter is named by what it gives"),
    banned("fs::", Within::Engine, "files belong to the host"),
    banned("net::", Within::Engine, "sockets belong to the transport"),
    banned("env::", Within::Engine, "settings are one validated `NodeConfig`"),
    banned("process::", Within::Engine, "processes belong to the host"),
    banned("io::", Within::Engine, "what enters is in a batch, what leaves is a step"),
    banned("mpsc", Within::Engine, "the mailbox is the one way in"),
    banned("HashMap", Within::Engine, "its order differs between runs: `BTreeMap`, or a `Vec`"),
    banned("HashSet", Within::Engine, "its order differs between runs: `BTreeSet`, or a `Vec`"),
];

/// The hosts that a link may lead to. Anything else is a slip of somebody's machine.
const HOSTS: &[&str] = &[
    "api.github.com",
    "crates.io",
    "doc.rust-lang.org",
    "docs.rs",
    "example.com",
    "github.com",
    "onnx.ai",
    "rustsec.org",
    "spdx.org",
    "www.apache.org",
    "www.rfc-editor.org",
];

fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.texts() {
        find(&mut found, path, text, Within::Text);
        find_hosts(&mut found, path, text);
    }
    for (path, text) in tree.rust() {
        let source = Source::new(text);
        find(&mut found, path, &source.code, Within::Code);
        if is_product(path) {
            find(&mut found, path, &source.product, Within::Product);
            find_allows(&mut found, path, &source.product);
        }
        if path.starts_with("runtime/") && is_product(path) {
            find(&mut found, path, &source.product, Within::Engine);
        }
    }
    found
}

fn find(found: &mut Vec<Violation>, path: &str, text: &str, within: Within) {
    for row in BANNED.iter().filter(|row| row.within == within && row.but != path) {
        for offset in occurrences(text, row.word) {
            let what = format!("`{}`: {}", row.word.trim(), row.why);
            found.push(Violation::new(path, line_of(text, offset), what));
        }
    }
}

/// A word that ends like the start of a longer name is looked for as that start. `get_mut` is what
/// the twin of `get` is called everywhere.
fn occurrences(text: &str, word: &str) -> Vec<usize> {
    if !word.ends_with('_') {
        return word_offsets(text, word);
    }
    let starts = text.match_indices(word).map(|(offset, _)| offset);
    starts.filter(|offset| !word_offsets(text, "fn get_mut").contains(offset)).collect()
}

/// `allow` forgets, `expect` notices when its reason is gone. Code that is generated and included
/// cannot promise that each lint still fires.
fn find_allows(found: &mut Vec<Violation>, path: &str, product: &str) {
    for opening in ["#[allow(", "#![allow("] {
        for (offset, _) in product.match_indices(opening) {
            let includes = product[offset..].lines().take(8).any(|line| line.contains("include!("));
            if !includes {
                let what = format!("`{opening}…`: use `expect` with a reason");
                found.push(Violation::new(path, line_of(product, offset), what));
            }
        }
    }
}

fn find_hosts(found: &mut Vec<Violation>, path: &str, text: &str) {
    for (offset, separator) in text.match_indices("://") {
        let scheme = text[..offset].rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next();
        if !matches!(scheme, Some("http" | "https")) {
            continue;
        }
        let rest = &text[offset + separator.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !".-_@:[]".contains(c));
        let host = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ':', ']']);
        if !host.is_empty() && !HOSTS.contains(&host) {
            let what = format!("`{host}` is not among the hosts that links may lead to");
            found.push(Violation::new(path, line_of(text, offset), what));
        }
    }
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    #[test]
    fn no_banned_word_is_in_the_tree() {
        assert_none("a word does not belong", violations(&Tree::of_this_workspace()));
    }

    fn planted(path: &str, text: &str) -> Vec<Violation> {
        violations(&Tree::planted(&[(path, text)]))
    }

    #[test]
    fn every_banned_word_is_seen_where_it_is_planted() {
        for row in BANNED {
            let text = match row.within {
                Within::Text => format!("\n// so {} there\n", row.word),
                _ => format!("\n{}\n", row.word),
            };
            let seen = planted("runtime/src/a.rs", &text);
            assert_seen(&seen, "runtime/src/a.rs", 2, row.why);
        }
    }

    #[test]
    fn words_of_code_are_free_in_comments_strings_and_tests() {
        let text = "// .unwrap() unsafe HashMap\nconst A: &str = \"todo!\";\n\
                    #[cfg(test)]\nmod tests {\n    fn get_a() { a.unwrap() }\n}\n";
        assert_eq!(planted("runtime/src/a.rs", text), []);
        assert_eq!(planted("proto/src/a.rs", "use std::collections::HashMap;\n"), []);
        assert_eq!(planted("proto/src/a.rs", "pub fn get_mut(&mut self) {}\n"), []);
        assert_eq!(planted("tests/src/counting.rs", "unsafe fn a() {}\n"), []);
    }

    #[test]
    fn an_allow_is_seen_unless_generated_code_is_included() {
        let allow = "\n#[allow(missing_docs)]\nmod a {";
        let seen = planted("proto/src/a.rs", &format!("{allow}}}\n"));
        assert_seen(&seen, "proto/src/a.rs", 2, "use `expect`");
        let included = format!("{allow}\n    include!(\"generated/a.rs\");\n}}\n");
        assert_eq!(planted("proto/src/a.rs", &included), []);
    }

    #[test]
    fn a_link_to_an_unknown_host_is_seen() {
        let link = |host: &str| format!("see\n<https://{host}/index>\n");
        assert_eq!(planted("README.md", &link("docs.rs")), []);
        // Put together, because the law reads this file too.
        let host = ["packages", "inside", "example"].join(".");
        assert_seen(&planted("README.md", &link(&host)), "README.md", 2, &host);
    }
}
