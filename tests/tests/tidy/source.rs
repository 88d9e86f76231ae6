//! Rust text seen through: without comments, without strings, without tests.
//!
//! Law: a view has the length and the line breaks of the text it was made from, so that an offset in
//! it is an offset in the file.

use std::ops::Range;

/// The views of one file's text.
pub(crate) struct Source {
    /// Comments blanked.
    pub(crate) uncommented: String,
    /// Comments, strings and characters blanked.
    pub(crate) code: String,
    /// As `code`, with every item under `#[cfg(test)]` blanked too: what ships.
    pub(crate) product: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Piece {
    Code,
    Comment,
    Quoted,
}

impl Source {
    pub(crate) fn new(text: &str) -> Self {
        let pieces = pieces(text);
        let mut uncommented = text.as_bytes().to_vec();
        let mut code = uncommented.clone();
        for (piece, range) in pieces {
            match piece {
                Piece::Code => {}
                Piece::Comment => {
                    blank(&mut uncommented, range.clone());
                    blank(&mut code, range);
                }
                Piece::Quoted => blank(&mut code, range),
            }
        }
        let mut product = code.clone();
        for range in test_items(&into_text(code.clone())) {
            blank(&mut product, range);
        }
        Self {
            uncommented: into_text(uncommented),
            code: into_text(code),
            product: into_text(product),
        }
    }
}

/// The line, counted from one, that an offset falls on.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The offsets at which `word` stands alone: no letter, digit or `_` on either side.
pub(crate) fn word_offsets(text: &str, word: &str) -> Vec<usize> {
    let is_open = |byte: Option<&u8>| !byte.is_some_and(|byte| is_name(*byte));
    let bytes = text.as_bytes();
    let stands_alone = |at: &usize| {
        let before = at.checked_sub(1).and_then(|index| bytes.get(index));
        let (first, last) = (word.as_bytes().first(), word.as_bytes().last());
        (is_open(before) || is_open(first))
            && (is_open(bytes.get(at + word.len())) || is_open(last))
    };
    text.match_indices(word).map(|(at, _)| at).filter(stands_alone).collect()
}

/// The name that starts at `offset`, empty when none does.
pub(crate) fn name_at(text: &str, offset: usize) -> &str {
    let rest = text.get(offset..).unwrap_or("");
    let end = rest.bytes().position(|byte| !is_name(byte)).unwrap_or(rest.len());
    &rest[..end]
}

/// The offset just after the bracket that closes the one at `open`.
pub(crate) fn after_closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("whole pieces were blanked, so characters stayed whole")
}

fn blank(bytes: &mut [u8], range: Range<usize>) {
    for byte in bytes[range].iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

fn pieces(text: &str) -> Vec<(Piece, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (piece, end) = piece_at(text, at);
        if piece != Piece::Code {
            found.push((piece, at..end));
        }
        at = end;
    }
    found
}

/// The piece that starts at `at`, and where it ends. Quotes go with what they quote.
fn piece_at(text: &str, at: usize) -> (Piece, usize) {
    let rest = &text.as_bytes()[at..];
    let before = text.as_bytes()[..at].last().copied().unwrap_or(b' ');
    match rest {
        [b'/', b'/', ..] => (Piece::Comment, at + until(rest, b"\n")),
        [b'/', b'*', ..] => (Piece::Comment, at + block_comment(rest)),
        [b'"', ..] => (Piece::Quoted, at + string(rest)),
        [b'\'', ..] => (Piece::Quoted, at + character(&text[at..])),
        [b'r', b'"' | b'#', ..] if !is_name(before) || before == b'b' || before == b'c' => {
            (Piece::Quoted, at + raw_string(rest))
        }
        [first, ..] => (Piece::Code, at + 1 + usize::from(*first >= 0x80) * continuation(rest)),
        [] => (Piece::Code, at + 1),
    }
}

fn continuation(rest: &[u8]) -> usize {
    rest.iter().skip(1).take_while(|byte| **byte & 0xc0 == 0x80).count()
}

fn until(rest: &[u8], end: &[u8]) -> usize {
    rest.windows(end.len()).position(|window| window == end).unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A lifetime is no character: it is the quote alone.
fn character(rest: &str) -> usize {
    let mut inside = rest.chars().skip(1);
    match (inside.next(), inside.next()) {
        (Some('\\'), _) => {
            let end = rest.bytes().skip(3).position(|byte| byte == b'\'');
            end.map_or(rest.len(), |end| end + 4)
        }
        (Some(one), Some('\'')) => one.len_utf8() + 2,
        _ => 1,
    }
}

/// A raw name (`r#type`) is no string: it is the letter alone.
fn raw_string(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 1;
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    let body = 2 + hashes;
    (body + until(&rest[body..], &end) + end.len()).min(rest.len())
}

/// Every item that only tests see, from its attribute to its end.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (start, opening) in code.match_indices("#[cfg(") {
        let inside = found.last().is_some_and(|range: &Range<usize>| range.contains(&start));
        let after = after_closing(code, start + 1);
        let condition = &code[start + opening.len()..after.max(start + opening.len())];
        let only_tests = !word_offsets(condition, "test").is_empty() && !condition.contains("not(");
        if only_tests && !inside {
            found.push(start..item_end(code, after));
        }
    }
    found
}

/// The end of the item that follows an attribute: its block, or its semicolon, whichever is first.
fn item_end(code: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = code.as_bytes().get(at) {
        match byte {
            b'{' => return after_closing(code, at),
            b'(' | b'[' => at = after_closing(code, at),
            b';' => return at + 1,
            _ => at += 1,
        }
    }
    code.len()
}

mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let text = "a(\"// b\"); // c\n/* d /* e */ f */ r#\"g \" h\"# '\\'' 'i' &'j str é b\"k\"";
        let source = Source::new(text);
        let words: Vec<&str> = source.code.split_whitespace().collect();
        assert_eq!(words, ["a(", ");", "&", "j", "str", "é", "b"]);
        assert!(source.uncommented.contains("// b") && !source.uncommented.contains("// c"));
        assert_eq!(source.code.len(), text.len());
    }

    #[test]
    fn an_item_of_tests_is_no_product_and_what_follows_is() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { { } }\n}\n#[cfg(not(test))]\nfn c() {}\n\
                    #[cfg(all(test, loom))]\nuse d::[e];\nfn f() {}";
        let product = Source::new(text).product;
        let names: Vec<&str> = ["a", "b", "c", "d", "f"]
            .into_iter()
            .filter(|n| product.contains(&format!("{n}(")))
            .collect();
        assert_eq!(names, ["a", "c", "f"]);
        assert!(!product.contains("use d"));
    }

    #[test]
    fn a_word_stands_alone() {
        assert_eq!(word_offsets("ab a_b a b.a", "a"), [7, 11]);
        assert_eq!(word_offsets("x.a() xa()", ".a("), [1]);
    }
}
