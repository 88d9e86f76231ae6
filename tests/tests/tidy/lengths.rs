//! How long a file and a function may be.
//!
//! Law: what is longer stands in a list with its exact length, and that number may only shrink.

use super::crates::is_product;
use super::source::{Source, after_closing, line_of, name_at, word_offsets};
use super::tree::{Tree, Violation};

/// Lines of a file, where it is a sign to look again.
const FILE_LINES_MAX: usize = 400;
/// Lines of a function that hold code.
const FUNCTION_LINES_MAX: usize = 60;

/// Longer files and functions (`path::name`), each with its length today.
const LONGER: &[(&str, usize)] = &[];

fn violations(tree: &Tree, longer: &[(&str, usize)]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for (path, text) in tree.rust().filter(|(path, _)| is_product(path)) {
        let length = text.lines().count();
        seen.push(path.to_owned());
        let fault = judge(path, length, FILE_LINES_MAX, longer);
        found.extend(fault.map(|what| Violation::new(path, length, what)));
        for function in functions(text) {
            let name = format!("{path}::{}", function.name);
            let fault = judge(&name, function.lines, FUNCTION_LINES_MAX, longer);
            found.extend(fault.map(|what| Violation::new(path, function.line, what)));
            seen.push(name);
        }
    }
    let gone = longer.iter().filter(|(name, _)| !seen.iter().any(|known| known == name));
    found.extend(gone.map(|(name, _)| Violation::new(name, 1, "is gone: strike it from the list")));
    found
}

fn judge(name: &str, lines: usize, max: usize, longer: &[(&str, usize)]) -> Option<String> {
    let listed = longer.iter().find(|(known, _)| *known == name).map(|(_, lines)| *lines);
    match listed {
        None if lines > max => Some(format!("{name}: {lines} lines, {max} are allowed")),
        None => None,
        Some(listed) if lines > listed => {
            Some(format!("{name}: grew from {listed} to {lines} lines"))
        }
        Some(_) if lines <= max => Some(format!("{name}: short enough, strike it from the list")),
        Some(listed) if lines < listed => {
            Some(format!("{name}: shrank to {lines} lines, write that into the list"))
        }
        Some(_) => None,
    }
}

struct Function<'a> {
    name: &'a str,
    line: usize,
    lines: usize,
}

/// The functions of a file, by the lines of their bodies that hold code.
fn functions(text: &str) -> Vec<Function<'_>> {
    let code = Source::new(text).code;
    let mut found = Vec::new();
    for start in word_offsets(&code, "fn ") {
        let Some(open) = body(&code, start) else {
            continue;
        };
        let inside = &code[open..after_closing(&code, open)];
        let lines = inside.lines().filter(|line| !line.trim().is_empty()).count();
        let name = name_at(text, start + "fn ".len());
        found.push(Function { name, line: line_of(&code, start), lines });
    }
    found
}

/// Where the body of the function at `start` opens; declarations and `fn` types have none.
fn body(code: &str, start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        match code.as_bytes().get(at)? {
            b'(' | b'[' => at = after_closing(code, at),
            b'{' => return Some(at),
            b';' | b',' | b')' | b'}' => return None,
            _ => at += 1,
        }
    }
}

mod tests {
    use super::super::tree::{assert_none, assert_seen};
    use super::*;

    const FILE: &str = "proto/src/a.rs";

    #[test]
    fn files_and_functions_of_products_are_short() {
        let tree = Tree::of_this_workspace();
        assert_none("too long, or the list is out of date", violations(&tree, LONGER));
    }

    fn planted(text: &str, longer: &[(&str, usize)]) -> Vec<Violation> {
        violations(&Tree::planted(&[(FILE, text)]), longer)
    }

    #[test]
    fn one_line_too_many_is_seen() {
        assert_eq!(planted(&"//\n".repeat(400), &[]), []);
        assert_seen(&planted(&"//\n".repeat(401), &[]), FILE, 401, "401 lines, 400 are allowed");
    }

    #[test]
    fn a_listed_length_may_only_shrink() {
        let text = "//\n".repeat(450);
        assert_eq!(planted(&text, &[(FILE, 450)]), []);
        assert_seen(&planted(&text, &[(FILE, 449)]), FILE, 450, "grew from 449");
        assert_seen(&planted(&text, &[(FILE, 451)]), FILE, 450, "shrank to 450");
        assert_seen(&planted("//\n", &[(FILE, 451)]), FILE, 1, "strike it");
        assert_seen(
            &planted("", &[("proto/src/b.rs", 401), (FILE, 0)][..1]),
            "proto/src/b.rs",
            1,
            "gone",
        );
    }

    #[test]
    fn a_long_function_is_seen_by_its_code() {
        let function = |lines: usize| {
            format!("\nfn f(a: [u8; 2]) -> u8 {{\n{}}}\n", "    a();\n\n".repeat(lines))
        };
        assert_eq!(planted(&function(58), &[]), []);
        assert_seen(&planted(&function(59), &[]), FILE, 2, "a.rs::f: 61 lines");
    }
}
