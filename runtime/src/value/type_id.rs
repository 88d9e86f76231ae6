//! Names of types, chosen by their authors.
//!
//! Law: a type id is `name@version`, the same in every build; nothing here depends on names that
//! a compiler makes up.

use std::fmt;
use std::sync::Arc;

use samsara_proto::Name;

/// Bytes of a type id at most, as on the wire.
pub const TYPE_ID_BYTES: usize = samsara_proto::caps::DEFAULT_PATH_BYTES as usize;

/// The name and version of a type, as `matrix@2`.
///
/// ```
/// use samsara_runtime::value::TypeId;
///
/// const MATRIX: TypeId = TypeId::from_static("acme.matrix@2");
/// assert_eq!(TypeId::new("acme.matrix@2")?, MATRIX);
/// assert!(TypeId::new("acme.matrix").is_err());
/// # Ok::<(), samsara_runtime::value::TypeIdError>(())
/// ```
#[derive(Clone)]
pub struct TypeId(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

/// Why a text is no type id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no type id: {problem}")]
#[non_exhaustive]
pub struct TypeIdError {
    /// The text, cut to a readable length.
    pub text: String,
    /// What is wrong with it.
    pub problem: TypeIdProblem,
}

/// What is wrong with a type id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypeIdProblem {
    /// It is too long.
    #[error("{got} bytes, at most {TYPE_ID_BYTES} are allowed")]
    TooLong {
        /// Its bytes.
        got: usize,
    },
    /// It has no name.
    #[error("wanted a name before the @")]
    NoName,
    /// The name has a character that is not allowed.
    #[error("wanted letters, digits, and any of . _ - : / at byte {at}")]
    Character {
        /// Where it stands.
        at: usize,
    },
    /// There is no `@version`.
    #[error("wanted @ and a version")]
    NoVersion,
    /// The version is not a positive number.
    #[error("wanted a version from 1 to 999999999 without leading zeros")]
    Version,
}

/// The id as it stands in an envelope.
impl From<TypeId> for Name {
    fn from(id: TypeId) -> Self {
        match id.0 {
            Text::Static(text) => Self::from_static(text),
            Text::Shared(text) => (*text).into(),
        }
    }
}

impl TypeId {
    /// The id of this text.
    pub fn new(text: &str) -> Result<Self, TypeIdError> {
        match check(text.as_bytes()) {
            Ok(()) => Ok(Self(Text::Shared(text.into()))),
            Err(problem) => {
                Err(TypeIdError { text: crate::error::cut_detail(text, 64).to_owned(), problem })
            }
        }
    }

    /// The id of a text in the program. Use it in a `const`, where a bad text does not compile.
    ///
    /// # Panics
    /// Outside of a `const`, if the text is no type id.
    pub const fn from_static(text: &'static str) -> Self {
        assert!(check(text.as_bytes()).is_ok(), "a type id is written `name@version`");
        Self(Text::Static(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }

    /// The part before the version.
    pub fn name(&self) -> &str {
        self.as_str().split_once('@').map_or("", |(name, _)| name)
    }

    /// The version.
    pub fn version(&self) -> u32 {
        let version = self.as_str().split_once('@').map(|(_, version)| version.parse());
        version.and_then(Result::ok).unwrap_or(0)
    }
}

const fn check(text: &[u8]) -> Result<(), TypeIdProblem> {
    if text.len() > TYPE_ID_BYTES {
        return Err(TypeIdProblem::TooLong { got: text.len() });
    }
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        match byte {
            b'@' => break,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b':' | b'/' => {}
            _ => return Err(TypeIdProblem::Character { at: text.len() - rest.len() }),
        }
        rest = after;
    }
    if rest.len() == text.len() {
        return Err(TypeIdProblem::NoName);
    }
    let [b'@', version @ ..] = rest else { return Err(TypeIdProblem::NoVersion) };
    if version.len() > 9 || !matches!(version, [b'1'..=b'9', ..]) {
        return Err(TypeIdProblem::Version);
    }
    let mut digits = version;
    while let [digit, after @ ..] = digits {
        if !digit.is_ascii_digit() {
            return Err(TypeIdProblem::Version);
        }
        digits = after;
    }
    Ok(())
}

impl PartialEq for TypeId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for TypeId {}

impl PartialOrd for TypeId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TypeId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::borrow::Borrow<str> for TypeId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_type_id_is_refused_with_its_problem() {
        let long = format!("{}@1", "x".repeat(TYPE_ID_BYTES - 1));
        let cases = [
            ("", TypeIdProblem::NoName),
            ("@1", TypeIdProblem::NoName),
            ("a", TypeIdProblem::NoVersion),
            ("a b@1", TypeIdProblem::Character { at: 1 }),
            ("größe@1", TypeIdProblem::Character { at: 2 }),
            ("a@", TypeIdProblem::Version),
            ("a@0", TypeIdProblem::Version),
            ("a@01", TypeIdProblem::Version),
            ("a@1x", TypeIdProblem::Version),
            ("a@1@2", TypeIdProblem::Version),
            ("a@-1", TypeIdProblem::Version),
            ("a@1234567890", TypeIdProblem::Version),
            (&long, TypeIdProblem::TooLong { got: TYPE_ID_BYTES + 1 }),
        ];
        for (text, problem) in cases {
            assert_eq!(TypeId::new(text).expect_err(text).problem, problem, "{text:?}");
        }
    }

    #[test]
    fn a_type_id_gives_its_name_and_version() {
        let id = TypeId::new("acme/point-2d@17").expect("a type id");
        assert_eq!((id.name(), id.version()), ("acme/point-2d", 17));
        assert!(TypeId::new(&format!("{}@1", "x".repeat(TYPE_ID_BYTES - 2))).is_ok());
    }
}
