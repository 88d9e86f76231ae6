//! Element types, by their ONNX numbers.
//!
//! Law: every type here has elements of a whole number of bytes and one meaning of each.

use std::fmt;

use super::TensorError;

macro_rules! dtypes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $size:literal, $text:literal;)*) => {
        /// The type of a tensor's elements. Its number is the one that ONNX gives it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Dtype {
            $($(#[$doc])* $name = $number,)*
        }

        impl Dtype {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The type of this ONNX number.
            pub fn from_onnx(number: i32) -> Result<Self, TensorError> {
                match number {
                    $($number => Ok(Self::$name),)*
                    _ => Err(TensorError::UnsupportedDtype { number }),
                }
            }

            /// Bytes of one element.
            pub const fn size(self) -> usize {
                match self {
                    $(Self::$name => $size,)*
                }
            }

            /// Its short name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

dtypes! {
    /// 32-bit float.
    F32 = 1, 4, "f32";
    /// Unsigned byte.
    U8 = 2, 1, "u8";
    /// Signed byte.
    I8 = 3, 1, "i8";
    /// Unsigned 16-bit integer.
    U16 = 4, 2, "u16";
    /// Signed 16-bit integer.
    I16 = 5, 2, "i16";
    /// Signed 32-bit integer.
    I32 = 6, 4, "i32";
    /// Signed 64-bit integer.
    I64 = 7, 8, "i64";
    /// One byte, 0 for false; nobody checks that true is 1.
    Bool = 9, 1, "bool";
    /// 16-bit float with 5 bits of exponent.
    F16 = 10, 2, "f16";
    /// 64-bit float.
    F64 = 11, 8, "f64";
    /// Unsigned 32-bit integer.
    U32 = 12, 4, "u32";
    /// Unsigned 64-bit integer.
    U64 = 13, 8, "u64";
    /// Two 32-bit floats: real, imaginary.
    Complex64 = 14, 8, "complex64";
    /// Two 64-bit floats: real, imaginary.
    Complex128 = 15, 16, "complex128";
    /// 16-bit float with 8 bits of exponent.
    Bf16 = 16, 2, "bf16";
}

impl Dtype {
    /// Its ONNX number.
    pub const fn onnx(self) -> i32 {
        self as i32
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Rust number that a tensor's elements can be seen as.
pub trait Element: bytemuck::Pod + sealed::Sealed {
    /// The element type it is.
    const DTYPE: Dtype;
}

mod sealed {
    /// Keeps elements to the types whose bytes ONNX fixes.
    pub trait Sealed {}
}

macro_rules! elements {
    ($($rust:ty => $dtype:ident),*) => {
        $(
            impl sealed::Sealed for $rust {}
            impl Element for $rust {
                const DTYPE: Dtype = Dtype::$dtype;
            }
        )*
    };
}

elements!(
    f32 => F32, f64 => F64,
    u8 => U8, u16 => U16, u32 => U32, u64 => U64,
    i8 => I8, i16 => I16, i32 => I32, i64 => I64
);
