//! Numbers, texts, and things in a row or beside each other.
//!
//! Law: a map or set is written in its own order and read only in it, so that there is one way to
//! write each.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use samsara_proto::Name;

use super::{Loader, Saved, Saver, Unreadable};

macro_rules! scalars {
    ($($type:ty),*) => {
        $(impl Saved for $type {
            #[inline]
            fn save(&self, out: &mut Saver) {
                out.fixed(&self.to_le_bytes());
            }

            fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
                from.scalar(stringify!($type))
            }
        })*
    };
}

scalars!(u8, u16, u32, u64, i32, i64);

impl Saved for bool {
    fn save(&self, out: &mut Saver) {
        u8::from(*self).save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        from.scalar("bool")
    }
}

impl Saved for usize {
    fn save(&self, out: &mut Saver) {
        (*self as u64).save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Self::try_from(u64::load(from)?).map_err(|error| Unreadable::invalid("usize", error))
    }
}

impl<const N: usize> Saved for [u8; N] {
    fn save(&self, out: &mut Saver) {
        out.fixed(self);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let mut all = [0; N];
        for byte in &mut all {
            *byte = u8::load(from)?;
        }
        Ok(all)
    }
}

impl Saved for Bytes {
    fn save(&self, out: &mut Saver) {
        out.raw(self);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        from.raw("bytes")
    }
}

impl Saved for String {
    fn save(&self, out: &mut Saver) {
        out.raw(self.as_bytes());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let bytes = from.raw("text")?;
        Self::from_utf8(bytes.into()).map_err(|error| Unreadable::invalid("text", error))
    }
}

impl Saved for Name {
    fn save(&self, out: &mut Saver) {
        out.raw(self.as_bytes());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        // A slice would keep all that was read with it.
        Ok(String::load(from)?.into())
    }
}

impl Saved for Arc<str> {
    fn save(&self, out: &mut Saver) {
        out.raw(self.as_bytes());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(String::load(from)?.into())
    }
}

impl<T: Saved> Saved for Option<T> {
    fn save(&self, out: &mut Saver) {
        self.is_some().save(out);
        if let Some(thing) = self {
            thing.save(out);
        }
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        bool::load(from)?.then(|| T::load(from)).transpose()
    }
}

impl<T: Saved> Saved for Box<T> {
    fn save(&self, out: &mut Saver) {
        (**self).save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::new(T::load(from)?))
    }
}

impl<T: Saved> Saved for Vec<T> {
    fn save(&self, out: &mut Saver) {
        out.row(self.iter());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        from.row("row", usize::MAX)
    }
}

impl<T: Saved> Saved for VecDeque<T> {
    fn save(&self, out: &mut Saver) {
        out.row(self.iter());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Vec::load(from)?.into())
    }
}

impl<K: Saved + Ord, V: Saved> Saved for BTreeMap<K, V> {
    fn save(&self, out: &mut Saver) {
        (self.len() as u64).save(out);
        for (key, value) in self {
            key.save(out);
            value.save(out);
        }
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let length = from.length("map")?;
        let mut map = Self::new();
        for _ in 0..length {
            let (key, value) = (K::load(from)?, V::load(from)?);
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(Unreadable::invalid("map", "its keys do not rise"));
            }
            map.insert(key, value);
        }
        Ok(map)
    }
}

impl<K: Saved + Ord, V: Saved> Saved for Arc<BTreeMap<K, V>> {
    fn save(&self, out: &mut Saver) {
        (**self).save(out);
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        Ok(Self::new(BTreeMap::load(from)?))
    }
}

impl<T: Saved + Ord> Saved for BTreeSet<T> {
    fn save(&self, out: &mut Saver) {
        out.row(self.iter());
    }

    fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
        let things: Vec<T> = from.row("set", usize::MAX)?;
        if !things.is_sorted_by(|left, right| left < right) {
            return Err(Unreadable::invalid("set", "its members do not rise"));
        }
        Ok(things.into_iter().collect())
    }
}

macro_rules! tuples {
    ($(($($name:ident $at:tt),+))+) => {
        $(impl<$($name: Saved),+> Saved for ($($name,)+) {
            fn save(&self, out: &mut Saver) {
                $(self.$at.save(out);)+
            }

            fn load(from: &mut Loader<'_>) -> Result<Self, Unreadable> {
                Ok(($($name::load(from)?,)+))
            }
        })+
    };
}

tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
}
