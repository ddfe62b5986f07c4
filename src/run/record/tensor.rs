//! Tensors as bytes: axes, sizes, cells in row-major order. A large one is kept outside the record, as an object named
//! by its hash.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{Digest, Reader, Value, WireError, Writer};
use crate::tensor::mask::Mask;
use crate::tensor::{Axis, Tensor};

use super::RecordError;

/// A value whose bytes are more than this is an object (durability spec, section 3).
pub const LARGEST_INLINE: usize = 32 << 10;

/// Where the bytes of large values go when records are written.
pub trait Keep {
    /// Takes the bytes of an object; it must be there before the record that names it is.
    fn keep(&mut self, bytes: Vec<u8>) -> Digest;
}

/// Where the bytes of large values come from when records are read.
pub trait Fetch {
    /// The bytes of an object, checked against its name.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    fn fetch(&mut self, digest: &Digest) -> Result<Vec<u8>, String>;
}

/// Writes bytes that `body` puts down, in place or, when they are many, as an object.
pub(super) fn write_part(out: &mut Writer, keep: &mut dyn Keep, body: impl FnOnce(&mut Writer)) {
    let start = out.bytes.len();
    out.byte(0);
    body(out);
    if out.bytes.len() - start > LARGEST_INLINE {
        let object = out.bytes.split_off(start + 1);
        out.bytes[start] = 1;
        out.number(object.len() as u64);
        let digest = keep.keep(object);
        out.digest(&digest);
    }
}

/// The object a part names instead of being there itself.
pub(super) fn read_object(reader: &mut Reader<'_>) -> Result<Option<(Digest, u64)>, WireError> {
    if reader.truth()? {
        let size = reader.number()?;
        return Ok(Some((reader.digest()?, size)));
    }
    Ok(None)
}

pub(super) fn write_tensor(out: &mut Writer, tensor: &Tensor) {
    out.number(tensor.rank() as u64);
    for (axis, size) in tensor.axes().iter().zip(tensor.shape()) {
        out.text(axis.as_str());
        out.number(*size as u64);
    }
    tensor.cells().for_each(|cell| out.value(cell));
}

pub(super) fn write_mask(out: &mut Writer, mask: &Mask) {
    out.byte(u8::from(mask.met));
    out.optional(mask.filter_axis.as_ref().map(Axis::as_str));
    write_tensor(out, &mask.tensor);
}

/// Axis names, each made once however many tensors have it.
#[derive(Debug, Default)]
pub(super) struct Axes(FxHashMap<Box<str>, Axis>);

impl Axes {
    /// So many names are remembered.
    const MOST: usize = 1024;

    fn get(&mut self, name: &str) -> Axis {
        if let Some(axis) = self.0.get(name) {
            return axis.clone();
        }
        let axis = Axis::from(name);
        if self.0.len() < Self::MOST {
            self.0.insert(name.into(), axis.clone());
        }
        axis
    }

    pub(super) fn tensor(&mut self, reader: &mut Reader<'_>) -> Result<Tensor, RecordError> {
        let rank = reader.count()?;
        let mut axes: smallvec::SmallVec<[Axis; 4]> = smallvec::SmallVec::with_capacity(rank.min(16));
        let mut shape: smallvec::SmallVec<[usize; 4]> = smallvec::SmallVec::with_capacity(rank.min(16));
        let mut len = 1_usize;
        for _ in 0..rank {
            axes.push(self.get(reader.text()?));
            let size =
                usize::try_from(reader.number()?).map_err(|_| WireError::Bad("an axis is too long"))?;
            len = len.checked_mul(size).ok_or(WireError::Bad("a tensor is too large"))?;
            shape.push(size);
        }
        if len > reader.rest().len() {
            return Err(WireError::Short.into());
        }
        let cells: Result<Vec<Value>, WireError> = (0..len).map(|_| reader.value()).collect();
        Tensor::from_cells(&axes, &shape, cells?).map_err(|error| RecordError::Tensor(error.to_string()))
    }

    pub(super) fn mask(&mut self, reader: &mut Reader<'_>) -> Result<Arc<Mask>, RecordError> {
        let met = reader.truth()?;
        let filter_axis = reader.optional()?.map(|name| self.get(name));
        Ok(Arc::new(Mask { tensor: self.tensor(reader)?, met, filter_axis }))
    }
}
