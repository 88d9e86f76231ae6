//! The tree under judgement: every file's text by its path from the root.
//!
//! Law: paths use `/` and files come in one order, so a law says the same on every machine.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories that hold nothing anyone wrote. Those that start with a dot are skipped too, but for
/// the ones in [`DOTTED`].
const SKIPPED: &[&str] = &["target", "artifacts"];
const DOTTED: &[&str] = &[".ci", ".github", ".cargo"];

/// All files of a workspace. A file that is not text is known by name only.
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, String>,
}

/// A place where a law does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Violation {
    pub(crate) fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl Tree {
    /// The workspace that this test belongs to.
    pub(crate) fn of_this_workspace() -> Self {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().expect("the package lies inside the workspace");
        let mut files = BTreeMap::new();
        read_into(&mut files, root, "");
        assert!(files.contains_key("Cargo.toml"), "{} is no workspace", root.display());
        Self { files }
    }

    /// A tree of nothing but these files, to plant faults in.
    pub(crate) fn planted(files: &[(&str, &str)]) -> Self {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Self { files: files.iter().map(own).collect() }
    }

    /// Every Rust file that a person wrote, with its text.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs") && !path.contains("/generated/"))
    }

    /// Every file with its text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }
}

fn read_into(files: &mut BTreeMap<String, String>, directory: &Path, prefix: &str) {
    let entries = fs::read_dir(directory).expect("a directory of the tree can be listed");
    for entry in entries {
        let entry = entry.expect("a directory entry can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if entry.path().is_dir() {
            let hidden = name.starts_with('.') && !DOTTED.contains(&name.as_str());
            if !hidden && !SKIPPED.contains(&name.as_str()) {
                read_into(files, &entry.path(), &path);
            }
        } else {
            // A file may vanish between listing and reading (an editor's swap file).
            let Ok(bytes) = fs::read(entry.path()) else {
                continue;
            };
            files.insert(path, String::from_utf8(bytes).unwrap_or_default());
        }
    }
}

/// Fails with every violation when there is one.
pub(crate) fn assert_none(law: &str, mut violations: Vec<Violation>) {
    violations.sort();
    let list: String = violations.iter().map(|violation| format!("\n  {violation}")).collect();
    assert!(violations.is_empty(), "{law}; {} violations:{list}", violations.len());
}

/// Asserts that a planted fault is seen at exactly this place, and nothing else is.
pub(crate) fn assert_seen(violations: &[Violation], file: &str, line: usize, what: &str) {
    let [only] = violations else { panic!("one violation was planted, got {violations:?}") };
    assert_eq!((only.file.as_str(), only.line), (file, line), "{only}");
    assert!(only.what.contains(what), "{only} does not say {what:?}");
}
