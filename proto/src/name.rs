//! Text that names something: a port, a type.
//!
//! Law: it is UTF-8, and a clone shares it. What a peer's frame says is a slice of that frame, and
//! what a program says is never copied again.
//!
//! ```
//! use samsara_proto::Name;
//!
//! let port = Name::from("greeter/name");
//! assert_eq!(port, "greeter/name");
//! assert_eq!(port.split_once('/'), Some(("greeter", "name")));
//! assert!(Name::from_utf8(vec![0xff].into()).is_err());
//! ```

use std::{fmt, ops::Deref, str::Utf8Error};

use bytes::Bytes;

/// A shared text: its clones are the same bytes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Bytes);

impl Name {
    /// The name that a program has in its own text.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// The name that these bytes are, which it goes on sharing.
    pub fn from_utf8(bytes: Bytes) -> Result<Self, Utf8Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Always UTF-8: without `unsafe` it is looked at once more.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Its bytes, which compare as the texts do.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same bytes, shared.
    pub fn to_bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, text: &str) -> bool {
        self.0 == text.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, text: &&str) -> bool {
        self == *text
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
