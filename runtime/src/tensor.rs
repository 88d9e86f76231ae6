//! Dense numbers of one type and one shape.
//!
//! Law: a tensor's bytes are exactly as many as its shape asks for, checked before any memory is
//! asked for; a clone is a count; and nobody sees another owner's writes.
//!
//! ```
//! use samsara_runtime::tensor::Tensor;
//!
//! let mut weights = Tensor::from_slice(&[2, 2], &[1.0_f32, 2.0, 3.0, 4.0])?;
//! let before = weights.clone();
//! weights.write()?.as_slice::<f32>()?.fill(0.5);
//! assert_eq!(weights.as_slice::<f32>()?, [0.5; 4]);
//! assert_eq!(before.as_slice::<f32>()?, [1.0, 2.0, 3.0, 4.0]);
//! # Ok::<(), samsara_runtime::tensor::TensorError>(())
//! ```

mod dtype;

use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use bytes::{Buf as _, Bytes, BytesMut};

use crate::reserve::{AllocFailReason, Reserve};

pub use self::dtype::{Dtype, Element};

// Elements are little-endian on the wire and are cast in place.
#[cfg(target_endian = "big")]
compile_error!("tensors are little-endian bytes, and this machine is not");

/// Dimensions that a tensor has at most: real models stay below ten.
pub const MAX_RANK: usize = 32;

/// Where our own tensors begin: a cache line, and the widest vector register.
pub const ALIGNMENT: usize = 64;

/// One element of any type, which is zero.
static ZERO: u128 = 0;

/// Dense little-endian numbers of one type and one shape, shared by count.
#[derive(Clone, PartialEq, Eq)]
pub struct Tensor {
    inner: Arc<Inner>,
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    dtype: Dtype,
    shape: Vec<u64>,
    data: Bytes,
}

/// Why there is no such tensor, or no such view of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The ONNX number names no type that is kept as plain bytes.
    #[error("element type {number} is not supported")]
    UnsupportedDtype {
        /// The number that was there.
        number: i32,
    },
    /// There are too many dimensions.
    #[error("{rank} dimensions, at most {cap} are supported")]
    RankTooLarge {
        /// Dimensions that were there.
        rank: usize,
        /// Dimensions allowed.
        cap: usize,
    },
    /// The shape asks for more bytes than an address can span.
    #[error("{dtype} of shape {shape:?} is more than an address can span")]
    Overflow {
        /// The element type.
        dtype: Dtype,
        /// The shape.
        shape: Vec<u64>,
    },
    /// The bytes are not as many as the shape asks for.
    #[error("{dtype} of shape {shape:?} is {wanted} bytes, got {got}")]
    WrongLength {
        /// The element type.
        dtype: Dtype,
        /// The shape.
        shape: Vec<u64>,
        /// Bytes that the shape asks for.
        wanted: u64,
        /// Bytes that were there.
        got: u64,
    },
    /// The elements are of another type.
    #[error("wanted elements of {wanted}, the tensor holds {got}")]
    WrongElement {
        /// The type that was asked for.
        wanted: Dtype,
        /// The type of the elements.
        got: Dtype,
    },
    /// The bytes begin where no such number may; [`Tensor::aligned`] helps.
    #[error("the bytes of this {dtype} tensor are not aligned")]
    Misaligned {
        /// The element type.
        dtype: Dtype,
    },
    /// There was no memory.
    #[error("no memory for a tensor")]
    AllocationFailed(#[from] AllocFailReason),
}

impl Tensor {
    /// A tensor over these bytes, without a copy.
    pub fn from_bytes(dtype: Dtype, shape: &[u64], data: Bytes) -> Result<Self, TensorError> {
        let (wanted, got) = (byte_len(dtype, shape)?, data.len());
        if wanted != got {
            let (wanted, got) = (wanted as u64, got as u64);
            return Err(TensorError::WrongLength { dtype, shape: shape.to_vec(), wanted, got });
        }
        Ok(Self { inner: Arc::new(Inner { dtype, shape: shape.to_vec(), data }) })
    }

    /// A tensor that holds a copy of these numbers.
    pub fn from_slice<T: Element>(shape: &[u64], elements: &[T]) -> Result<Self, TensorError> {
        let content: &[u8] = bytemuck::cast_slice(elements);
        let wanted = byte_len(T::DTYPE, shape)?;
        if wanted != content.len() {
            return Err(TensorError::WrongLength {
                dtype: T::DTYPE,
                shape: shape.to_vec(),
                wanted: wanted as u64,
                got: content.len() as u64,
            });
        }
        Self::from_bytes(T::DTYPE, shape, aligned_copy(content)?)
    }

    /// A tensor without dimensions: one number.
    pub fn scalar<T: Element>(element: T) -> Result<Self, TensorError> {
        Self::from_slice(&[], &[element])
    }

    /// A tensor of zeros.
    pub fn zeros(dtype: Dtype, shape: &[u64]) -> Result<Self, TensorError> {
        let len = byte_len(dtype, shape)?;
        Self::from_bytes(dtype, shape, aligned(len, |memory| memory.resize(memory.len() + len, 0))?)
    }

    /// The type of the elements.
    pub fn dtype(&self) -> Dtype {
        self.inner.dtype
    }

    /// The length of each dimension.
    pub fn shape(&self) -> &[u64] {
        &self.inner.shape
    }

    /// How many elements there are.
    pub fn element_count(&self) -> usize {
        self.inner.data.len() / self.inner.dtype.size()
    }

    /// The elements as shared bytes; to send them is not to copy them.
    pub fn bytes(&self) -> &Bytes {
        &self.inner.data
    }

    /// The elements as numbers, in place.
    pub fn as_slice<T: Element>(&self) -> Result<&[T], TensorError> {
        of_dtype::<T>(self.inner.dtype)?;
        if self.inner.data.is_empty() {
            return Ok(&[]);
        }
        bytemuck::try_cast_slice(&self.inner.data)
            .map_err(|_| TensorError::Misaligned { dtype: self.inner.dtype })
    }

    /// This tensor where its numbers can be read in place: itself, or a copy if a peer's frame or
    /// a host's buffer began it at an odd place.
    pub fn aligned(&self) -> Result<Self, TensorError> {
        let Inner { dtype, shape, data } = &*self.inner;
        // The parts of a complex number are read one by one.
        if data.as_ptr().align_offset(dtype.size().min(8)) == 0 {
            return Ok(self.clone());
        }
        Self::from_bytes(*dtype, shape, aligned_copy(data)?)
    }

    /// The elements for writing: in place for a sole owner, in a copy of its own otherwise.
    pub fn write(&mut self) -> Result<TensorMut<'_>, TensorError> {
        let inner = Arc::make_mut(&mut self.inner);
        let unshared = mem::take(&mut inner.data).try_into_mut();
        let unshared = unshared.or_else(|shared| {
            let copy = aligned_copy(&shared);
            inner.data = shared;
            // Nobody else can hold the fresh copy, so this conversion does not fail.
            copy.map(|copy| copy.try_into_mut().unwrap_or_else(|copy| BytesMut::from(&*copy)))
        });
        let elements = unshared?;
        // Should the guard be forgotten, what stays behind is a tensor too: the number zero.
        let zero = bytemuck::bytes_of(&ZERO).get(..inner.dtype.size()).unwrap_or_default();
        inner.data = Bytes::from_static(zero);
        Ok(TensorMut { shape: mem::take(&mut inner.shape), elements, inner })
    }
}

/// The elements of a tensor while its one owner writes them.
pub struct TensorMut<'a> {
    inner: &'a mut Inner,
    shape: Vec<u64>,
    elements: BytesMut,
}

impl TensorMut<'_> {
    /// The elements as numbers, in place.
    pub fn as_slice<T: Element>(&mut self) -> Result<&mut [T], TensorError> {
        of_dtype::<T>(self.inner.dtype)?;
        if self.elements.is_empty() {
            return Ok(&mut []);
        }
        bytemuck::try_cast_slice_mut(&mut self.elements)
            .map_err(|_| TensorError::Misaligned { dtype: self.inner.dtype })
    }
}

impl Deref for TensorMut<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.elements
    }
}

impl DerefMut for TensorMut<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.elements
    }
}

impl Drop for TensorMut<'_> {
    fn drop(&mut self) {
        self.inner.data = mem::take(&mut self.elements).freeze();
        self.inner.shape = mem::take(&mut self.shape);
    }
}

impl fmt::Debug for TensorMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "writing {}{:?}", self.inner.dtype, self.shape)
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.inner.dtype, self.inner.shape)
    }
}

/// Bytes of this many elements, or why there can be no such tensor.
pub fn byte_len(dtype: Dtype, shape: &[u64]) -> Result<usize, TensorError> {
    if shape.len() > MAX_RANK {
        return Err(TensorError::RankTooLarge { rank: shape.len(), cap: MAX_RANK });
    }
    // Zero dimensions are left out, so that no kernel that multiplies the others can overflow.
    let spanned = shape.iter().filter(|&&dim| dim > 0);
    let bytes = spanned.copied().try_fold(dtype.size() as u64, u64::checked_mul);
    match bytes.map(isize::try_from) {
        Some(Ok(_)) if shape.contains(&0) => Ok(0),
        Some(Ok(len)) => Ok(len.unsigned_abs()),
        _ => Err(TensorError::Overflow { dtype, shape: shape.to_vec() }),
    }
}

fn of_dtype<T: Element>(got: Dtype) -> Result<(), TensorError> {
    if T::DTYPE == got { Ok(()) } else { Err(TensorError::WrongElement { wanted: T::DTYPE, got }) }
}

fn aligned_copy(content: &[u8]) -> Result<Bytes, AllocFailReason> {
    aligned(content.len(), |memory| memory.extend_from_slice(content))
}

/// Aligned memory of `len` bytes, which `fill` appends to the padding in front.
fn aligned(len: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Result<Bytes, AllocFailReason> {
    let padding_max = ALIGNMENT - 1;
    let mut memory = Reserve::new().vec::<u8>(len.saturating_add(padding_max))?;
    // Where memory lies decides only how much of it is skipped, which nobody can see.
    let padding = memory.as_ptr().align_offset(ALIGNMENT).min(padding_max);
    memory.resize(padding, 0);
    fill(&mut memory);
    let mut data = Bytes::from(memory);
    data.advance(padding);
    Ok(data)
}

#[cfg(test)]
mod tests;
