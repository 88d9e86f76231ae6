//! How a group of settings is declared: once, with its numbers, and walked by name ever after.
//!
//! Law: a setting that exists is in the walk. Validation, listing and tests all use the walk, so
//! that none of them can forget one.

use crate::time::Nanos;

/// Visits one setting: its path, its place, and the numbers allowed there.
pub(super) type Visitor<'a> = dyn FnMut(Path, &mut dyn Number, Allowed) + 'a;

/// Where a setting stands: its group, empty at the top, and its name.
#[derive(Clone, Copy)]
pub(super) struct Path {
    pub(super) group: &'static str,
    pub(super) name: &'static str,
}

/// The numbers allowed for one setting, both ends included.
#[derive(Clone, Copy)]
pub(super) struct Allowed {
    pub(super) low: u64,
    pub(super) high: u64,
}

/// A number of any width, seen as 64 bits.
pub(super) trait Number {
    fn number(&self) -> u64;
    /// Lets a test spoil any setting through the same walk as validation.
    #[cfg(test)]
    fn set(&mut self, number: u64);
}

impl Number for u64 {
    fn number(&self) -> u64 {
        *self
    }

    #[cfg(test)]
    fn set(&mut self, number: u64) {
        *self = number;
    }
}

impl Number for u32 {
    fn number(&self) -> u64 {
        u64::from(*self)
    }

    #[cfg(test)]
    fn set(&mut self, number: u64) {
        *self = Self::try_from(number).unwrap_or(Self::MAX);
    }
}

impl Number for Nanos {
    fn number(&self) -> u64 {
        self.get()
    }

    #[cfg(test)]
    fn set(&mut self, number: u64) {
        *self = Self::new(number);
    }
}

/// A group of settings.
pub(super) trait Settings {
    /// Visits every setting of the group, in the order of declaration.
    fn walk(&mut self, group: &'static str, visit: &mut Visitor<'_>);
}

/// Declares a group: each setting with its type, its two constants and, where it is narrower than
/// "not zero", its range. Fields after `with` are groups of their own.
macro_rules! settings {
    (@allowed) => {
        $crate::config::settings::Allowed { low: 1, high: u64::MAX }
    };
    (@allowed $low:literal, $high:literal) => {
        $crate::config::settings::Allowed { low: $low, high: $high }
    };
    (
        $(#[$doc:meta])*
        $group:ident {
            $(
                $(#[$field_doc:meta])*
                $field:ident: $kind:ident $(in $low:literal..=$high:literal)?,
                $default:ident = $default_value:expr, $edge:ident = $edge_value:expr;
            )*
        }
        $(with { $( $(#[$inner_doc:meta])* $inner:ident: $inner_kind:ty; )* })?
    ) => {
        $(
            #[doc = concat!("Default of [`", stringify!($group), "::", stringify!($field), "`].")]
            pub const $default: $kind = $default_value;
            #[doc = concat!("[`", stringify!($group), "::", stringify!($field), "`] on small devices.")]
            pub const $edge: $kind = $edge_value;
        )*

        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $group {
            $( $(#[$field_doc])* pub $field: $kind, )*
            $($( $(#[$inner_doc])* pub $inner: $inner_kind, )*)?
        }

        impl $group {
            /// The preset for small devices.
            pub fn edge() -> Self {
                Self {
                    $( $field: $edge, )*
                    $($( $inner: <$inner_kind>::edge(), )*)?
                }
            }
        }

        impl Default for $group {
            fn default() -> Self {
                Self {
                    $( $field: $default, )*
                    $($( $inner: <$inner_kind>::default(), )*)?
                }
            }
        }

        impl $crate::config::settings::Settings for $group {
            fn walk(
                &mut self,
                group: &'static str,
                visit: &mut $crate::config::settings::Visitor<'_>,
            ) {
                use $crate::config::settings::Path;
                $(
                    let allowed = settings!(@allowed $($low, $high)?);
                    visit(Path { group, name: stringify!($field) }, &mut self.$field, allowed);
                )*
                $($( $crate::config::settings::Settings::walk(&mut self.$inner, stringify!($inner), visit); )*)?
            }
        }
    };
}

pub(super) use settings;
