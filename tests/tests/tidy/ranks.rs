//! Who may import whom inside `runtime`.
//!
//! Law: a module imports only from those before it in the table, so the engine has no cycle and a
//! reader can start at the top.

use super::source::{Source, after_closing, is_name, line_of, name_at, word_offsets};
use super::tree::{Tree, Violation};

const ROOT: &str = "runtime/src/";

/// The modules of `runtime`, rank by rank; inside a rank from left to right.
const RANKS: &[&[&str]] = &[
    // Words and laws.
    &["planted", "id", "time", "rng", "ingress", "reserve", "error", "config"],
    // What flows.
    &["tensor", "value", "schema"],
    // Interned peers.
    &["peer"],
    // State to bytes.
    &["codec"],
    // One primitive a file, and recording.
    &["role", "framework", "module", "graph", "onnx_form", "bus"],
    // What ops are made of.
    &["event", "completion", "job", "step", "services", "context", "component", "syscall"],
    // Compiling, and walking what was compiled.
    &["plan", "program", "compiler", "exec"],
    &["delivery", "snapshot"],
    &["node"],
    &["storage", "supervision", "recovery"],
    &["hosting"],
];

fn violations(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        let Some(inside) = path.strip_prefix(ROOT) else {
            continue;
        };
        let module = inside.split(['/', '.']).next().unwrap_or("");
        if inside == "lib.rs" {
            continue;
        }
        let Some(place) = place(module) else {
            found.push(Violation::new(path, 1, format!("`{module}` is not in the table of ranks")));
            continue;
        };
        let code = Source::new(text).product;
        for (offset, import) in imports(&code) {
            if let Some(what) = fault(module, place, &import) {
                found.push(Violation::new(path, line_of(&code, offset), what));
            }
        }
        for offset in escapes(&code, inside) {
            let what = "`super` reaches the crate's root, which hides the rank: write `crate::…`";
            found.push(Violation::new(path, line_of(&code, offset), what));
        }
    }
    found
}

fn fault(module: &str, place: usize, import: &str) -> Option<String> {
    match self::place(import) {
        _ if import == module => None,
        None => Some(format!("`crate::{import}` names no module of the table of ranks")),
        Some(other) if other > place => {
            Some(format!("`{module}` may not import `{import}` above it"))
        }
        Some(_) => None,
    }
}

fn place(module: &str) -> Option<usize> {
    RANKS.iter().flat_map(|rank| rank.iter()).position(|name| *name == module)
}

/// The modules that a file names after `crate::`, and the mailbox's crate under its name here.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for start in word_offsets(code, "crate::") {
        let first = start + "crate::".len();
        if code[first..].starts_with('{') {
            let group = first + 1..after_closing(code, first).saturating_sub(1);
            found.extend(heads(code, group));
        } else {
            found.push((first, name_at(code, first).to_owned()));
        }
    }
    let mailbox = word_offsets(code, "samsara_ingress");
    found.extend(mailbox.into_iter().map(|offset| (offset, "ingress".to_owned())));
    found
}

/// The first name of each member of a `use` group.
fn heads(code: &str, group: std::ops::Range<usize>) -> Vec<(usize, String)> {
    let (mut found, mut depth, mut at_head) = (Vec::new(), 0_usize, true);
    for offset in group {
        match code.as_bytes()[offset] {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => at_head = true,
            byte if at_head && is_name(byte) => {
                found.push((offset, name_at(code, offset).to_owned()));
                at_head = false;
            }
            _ => {}
        }
    }
    found
}

/// Chains of `super::` as long as the file is deep: they end at the crate's root.
fn escapes(code: &str, inside: &str) -> Vec<usize> {
    let depth = inside.matches('/').count() + 1;
    let chain = "super::".repeat(depth);
    word_offsets(code, &chain).into_iter().filter(|at| !in_inline_module(code, *at)).collect()
}

fn in_inline_module(code: &str, offset: usize) -> bool {
    word_offsets(code, "mod").into_iter().filter(|at| *at < offset).any(|at| {
        let open = code[at..].find(['{', ';']).map(|step| at + step);
        open.is_some_and(|open| code[open..].starts_with('{') && after_closing(code, open) > offset)
    })
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    #[test]
    fn runtime_modules_import_only_from_lower_ranks() {
        assert_none("a module imports upwards", violations(&Tree::of_this_workspace()));
    }

    fn planted(path: &str, text: &str) -> Vec<Violation> {
        violations(&Tree::planted(&[(path, text)]))
    }

    #[test]
    fn an_import_upwards_is_seen() {
        let seen = planted("runtime/src/id.rs", "//! Ids.\n\nuse crate::time::Nanos;\n");
        assert_seen(&seen, "runtime/src/id.rs", 3, "`id` may not import `time`");
        assert_eq!(planted("runtime/src/time.rs", "use crate::id::OpId;\n"), []);
    }

    #[test]
    fn an_import_upwards_is_seen_in_a_group_and_in_a_path() {
        let group = "use crate::{id::{OpId, SlotId}, node::Node};\n";
        let seen = planted("runtime/src/exec/pool.rs", group);
        assert_seen(&seen, "runtime/src/exec/pool.rs", 1, "`exec` may not import `node`");
        let path = "fn f() {\n    crate::node::run();\n}\n";
        let seen = planted("runtime/src/exec.rs", path);
        assert_seen(&seen, "runtime/src/exec.rs", 2, "`exec` may not import `node`");
    }

    #[test]
    fn the_mailbox_has_the_rank_of_its_module() {
        let seen = planted("runtime/src/id.rs", "use samsara_ingress::Refusal;\n");
        assert_seen(&seen, "runtime/src/id.rs", 1, "`id` may not import `ingress`");
    }

    #[test]
    fn a_name_at_the_root_is_seen() {
        let seen = planted("runtime/src/value.rs", "use crate::Tensor;\n");
        assert_seen(&seen, "runtime/src/value.rs", 1, "names no module");
        let seen = planted("runtime/src/value.rs", "use super::tensor::Tensor;\n");
        assert_seen(&seen, "runtime/src/value.rs", 1, "`super` reaches");
        assert_eq!(planted("runtime/src/value/codec.rs", "use super::Value;\n"), []);
    }

    #[test]
    fn comments_and_tests_import_what_they_like() {
        let text = "//! See `crate::node::Node`.\n#[cfg(test)]\nmod tests {\n    use crate::node::Node;\n}\n";
        assert_eq!(planted("runtime/src/id.rs", text), []);
    }

    #[test]
    fn a_module_outside_the_table_is_seen() {
        let seen = planted("runtime/src/misc/a.rs", "");
        assert_seen(&seen, "runtime/src/misc/a.rs", 1, "`misc` is not in the table");
    }
}
