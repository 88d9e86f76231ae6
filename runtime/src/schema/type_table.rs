//! The native types that a program knows.
//!
//! Law: one id names one type; two under one id are an error where they are registered, not where
//! they are mistaken for each other.

use std::collections::BTreeMap;

use crate::value::{Kind, NativeCodec, NativeType, TypeId};

/// Native types by their ids.
#[derive(Clone, Debug, Default)]
pub struct TypeTable {
    by_id: BTreeMap<TypeId, &'static NativeType>,
}

/// Why a type cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Another type bears this id.
    #[error("type id {id} already names another type")]
    DuplicateTypeId {
        /// The id.
        id: TypeId,
    },
    /// The id belongs to a built-in kind of value.
    #[error("type id {id} names a built-in kind")]
    Reserved {
        /// The id.
        id: TypeId,
    },
}

impl TypeTable {
    /// Makes a type known. To register the same type again changes nothing.
    pub fn register<T: NativeCodec>(&mut self) -> Result<(), RegisterError> {
        let new = NativeType::of::<T>();
        let id = new.id().clone();
        // A version of our own that does not exist yet is ours too.
        if Kind::ALL.iter().any(|kind| kind.name() == id.name()) {
            return Err(RegisterError::Reserved { id });
        }
        match self.by_id.get(&id) {
            Some(known) if !known.is_same(new) => Err(RegisterError::DuplicateTypeId { id }),
            _ => {
                self.by_id.insert(id, new);
                Ok(())
            }
        }
    }

    /// The type of this id.
    pub fn find(&self, id: &str) -> Option<&'static NativeType> {
        self.by_id.get(id).copied()
    }

    /// All types, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &'static NativeType> {
        self.by_id.values().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! empty_native {
        ($name:ident, $id:literal) => {
            struct $name;

            impl NativeCodec for $name {
                const TYPE_ID: TypeId = TypeId::from_static($id);

                fn encode(&self, _: &mut Vec<u8>) {}

                fn decode(_: &[u8]) -> Result<Self, String> {
                    Ok(Self)
                }

                fn byte_size(&self) -> u64 {
                    0
                }
            }
        };
    }

    empty_native!(First, "shape@1");
    empty_native!(Second, "shape@1");
    empty_native!(Newer, "shape@2");
    empty_native!(Impostor, "tensor@9");

    #[test]
    fn two_types_under_one_id_are_refused_and_one_type_twice_is_not() {
        let mut types = TypeTable::default();
        assert_eq!(types.register::<First>(), Ok(()));
        assert_eq!(types.register::<First>(), Ok(()));
        assert_eq!(types.register::<Newer>(), Ok(()));
        let id = TypeId::from_static("shape@1");
        assert_eq!(types.register::<Second>(), Err(RegisterError::DuplicateTypeId { id }));
        assert!(types.find("shape@1").expect("registered").is_same(NativeType::of::<First>()));
        assert_eq!(types.iter().count(), 2);
    }

    #[test]
    fn built_in_names_are_refused() {
        let id = TypeId::from_static("tensor@9");
        let refused = TypeTable::default().register::<Impostor>();
        assert_eq!(refused, Err(RegisterError::Reserved { id }));
    }
}
