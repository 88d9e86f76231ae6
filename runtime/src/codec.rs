//! State to bytes and back: what snapshots and journals are made of.
//!
//! Law: total and canonical. Equal state gives equal bytes on every machine; bytes that were not
//! written here are refused, never guessed at, and no length among them reserves memory that the
//! bytes behind it do not cover. The files here alone know the crate underneath.

mod body;
mod plain;
mod shared;

pub(crate) use self::body::{read_body, read_state, write_body};

use std::sync::Arc;

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bytes::Bytes;

use crate::{config::ValueConfig, schema::TypeTable};

/// Plain data that is written down as what it is.
pub(crate) trait Saved: Sized {
    /// Writes it down.
    fn save(&self, out: &mut Saver);

    /// Reads it.
    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable>;
}

/// What has limits of its own, which are not written down: it is made first, and then filled.
pub(crate) trait Kept {
    /// Writes its content down.
    fn save(&self, out: &mut Saver);

    /// Takes over the content that another one of its kind has written, within its own limits.
    fn fill(&mut self, from: &mut Loader<'_>) -> Result<(), Unreadable>;
}

/// Why bytes are no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// They end too early.
    #[error("the bytes end within {what}")]
    Truncated {
        /// What was being read.
        what: &'static str,
    },
    /// They go on after the end.
    #[error("{extra} bytes follow the end")]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// They say something that is never written.
    #[error("{what}: {reason}")]
    Invalid {
        /// What was being read.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Unreadable {
    pub(crate) fn invalid(what: &'static str, reason: impl ToString) -> Self {
        Self::Invalid { what, reason: reason.to_string() }
    }
}

/// Fixed widths, little-endian; nothing larger than this is one number or one text.
type Format = Configuration<LittleEndian, Fixint, Limit<SCALAR_BYTES>>;
const SCALAR_BYTES: usize = 16;
const FORMAT: Format = bincode::config::legacy().with_limit::<SCALAR_BYTES>();

/// Bytes that are being written.
#[derive(Debug, Default)]
pub(crate) struct Saver {
    bytes: Vec<u8>,
}

impl Saver {
    /// Bytes of a known length.
    #[inline]
    fn fixed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A length and as many bytes.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        (bytes.len() as u64).save(self);
        self.bytes.extend_from_slice(bytes);
    }

    /// Things in a row.
    pub(crate) fn row<'t, T: Saved + 't>(&mut self, things: impl ExactSizeIterator<Item = &'t T>) {
        (things.len() as u64).save(self);
        things.for_each(|thing| thing.save(self));
    }

    /// What is written behind so many bytes that are to be set when it is there, about as long as
    /// this.
    pub(crate) fn behind(head: usize, length: usize) -> Self {
        let mut bytes = Vec::with_capacity(head.saturating_add(length));
        bytes.resize(head, 0);
        Self { bytes }
    }

    /// Bytes that are written.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// They.
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes
    }

    /// Begins anew in the same place.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(crate) fn into_vec(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }
}

/// What reading values takes: the native types there are, and how large a value may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Types {
    pub(crate) natives: Arc<TypeTable>,
    pub(crate) limits: ValueConfig,
}

/// Bytes that are being read.
#[derive(Debug)]
pub(crate) struct Loader<'a> {
    bytes: &'a Bytes,
    at: usize,
    types: &'a Types,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(bytes: &'a Bytes, types: &'a Types) -> Self {
        Self { bytes, at: 0, types }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn scalar<T: bincode::Decode<()>>(&mut self, what: &'static str) -> Result<T, Unreadable> {
        match bincode::decode_from_slice(self.rest(), FORMAT) {
            Ok((scalar, read)) => {
                self.at += read;
                Ok(scalar)
            }
            Err(bincode::error::DecodeError::UnexpectedEnd { .. }) => {
                Err(Unreadable::Truncated { what })
            }
            Err(other) => Err(Unreadable::invalid(what, other)),
        }
    }

    /// A length that the bytes behind it can cover, each thing being at least one byte.
    pub(crate) fn length(&mut self, what: &'static str) -> Result<usize, Unreadable> {
        let length = u64::load(self)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.rest().len() { Err(Unreadable::Truncated { what }) } else { Ok(length) }
    }

    /// What [`Saver::raw`] wrote, sliced out of what is read.
    pub(crate) fn raw(&mut self, what: &'static str) -> Result<Bytes, Unreadable> {
        let length = self.length(what)?;
        let start = self.at;
        self.at = start.saturating_add(length);
        Ok(self.bytes.slice(start..self.at))
    }

    /// What [`Saver::row`] wrote, at most `cap` of them.
    pub(crate) fn row<T: Saved>(
        &mut self,
        what: &'static str,
        cap: usize,
    ) -> Result<Vec<T>, Unreadable> {
        let length = self.length(what)?;
        if length > cap {
            return Err(Unreadable::invalid(what, format!("{length} of them, the cap is {cap}")));
        }
        (0..length).map(|_| T::load(self)).collect()
    }

    /// The end of what is read.
    pub(crate) fn end(self) -> Result<(), Unreadable> {
        match self.rest().len() {
            0 => Ok(()),
            extra => Err(Unreadable::Trailing { extra }),
        }
    }
}

/// The bytes of one thing.
pub(crate) fn to_bytes(thing: &impl Saved) -> Bytes {
    let mut out = Saver::default();
    thing.save(&mut out);
    out.into_bytes()
}

/// The thing of these bytes, all of them.
pub(crate) fn from_bytes<T: Saved>(bytes: &Bytes, types: &Types) -> Result<T, Unreadable> {
    let mut from = Loader::new(bytes, types);
    let thing = T::load(&mut from)?;
    from.end()?;
    Ok(thing)
}

/// Writes and reads a struct field by field.
macro_rules! saved {
    ($($name:ident $(<$($generic:ident),+>)? { $($field:tt),* $(,)? })+) => {
        $(impl $(<$($generic: $crate::codec::Saved),+>)? $crate::codec::Saved
            for $name $(<$($generic),+>)?
        {
            fn save(&self, out: &mut $crate::codec::Saver) {
                $($crate::codec::Saved::save(&self.$field, out);)*
            }

            fn load(
                from: &mut $crate::codec::Loader<'_>,
            ) -> Result<Self, $crate::codec::Unreadable> {
                Ok(Self { $($field: $crate::codec::Saved::load(from)?),* })
            }
        })+
    };
}

/// Writes and reads an enum: the tag of its variant, then what the variant holds.
macro_rules! saved_enum {
    ($name:ident: $what:literal { $(
        $tag:literal = $variant:ident $(($($item:ident),*))? $({$($field:ident),*})?
    ),+ $(,)? }) => {
        impl $crate::codec::Saved for $name {
            fn save(&self, out: &mut $crate::codec::Saver) {
                match self {
                    $(Self::$variant $(($($item),*))? $({$($field),*})? => {
                        $crate::codec::Saved::save(&($tag as u8), out);
                        $($($crate::codec::Saved::save($item, out);)*)?
                        $($($crate::codec::Saved::save($field, out);)*)?
                    })+
                }
            }

            fn load(
                from: &mut $crate::codec::Loader<'_>,
            ) -> Result<Self, $crate::codec::Unreadable> {
                Ok(match <u8 as $crate::codec::Saved>::load(from)? {
                    $($tag => Self::$variant
                        $(($({
                            let $item = $crate::codec::Saved::load(from)?;
                            $item
                        }),*))?
                        $({$($field: $crate::codec::Saved::load(from)?),*})?,)+
                    tag => {
                        let reason = format!("no variant {tag}");
                        return Err($crate::codec::Unreadable::invalid($what, reason));
                    }
                })
            }
        }
    };
}

pub(crate) use {saved, saved_enum};

#[cfg(test)]
mod tests;
