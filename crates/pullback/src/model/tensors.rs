//! Arrays as the bytes of a safetensors file, which any reader of that format opens.

use super::document::Unambiguous;
use crate::error::{Error, Result};
use pullback_kernels::Real;
use safetensors::serialize;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::HashMap;

/// The key of the JSON document in the metadata.
pub(super) const KEY: &str = "pullback";

/// An array with a name, to be written.
#[derive(Debug, Clone)]
pub struct Tensor<'a> {
    /// Its name in the file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, in row-major order.
    pub numbers: &'a [f64],
}

/// Arrays as the bytes of a safetensors file, in f64 or rounded to f32; `about` stands in its metadata
/// under the key `pullback`.
///
/// # Errors
/// If an array has more or fewer numbers than its shape says.
pub fn write_tensors(tensors: &[Tensor<'_>], is_wide: bool, about: &serde_json::Value) -> Result<Vec<u8>> {
    let wrong = |error: safetensors::SafeTensorError| {
        Error::model(format!("the tensors cannot be written: {error}")).caused_by(error)
    };
    let bytes: Vec<Vec<u8>> = (tensors.iter())
        .map(|tensor| {
            if is_wide {
                to_le_bytes(tensor.numbers)
            } else {
                to_le_bytes(&tensor.numbers.iter().map(|&x| x as f32).collect::<Vec<f32>>())
            }
        })
        .collect();
    let kind = if is_wide { Dtype::F64 } else { Dtype::F32 };
    let views = (tensors.iter().zip(&bytes))
        .map(|(tensor, bytes)| {
            let view = TensorView::new(kind, tensor.shape.clone(), bytes).map_err(wrong)?;
            Ok((tensor.name.clone(), view))
        })
        .collect::<Result<Vec<_>>>()?;
    serialize(views, Some(HashMap::from([(KEY.to_owned(), about.to_string())]))).map_err(wrong)
}

pub(super) fn dtype<T: Real>() -> Dtype {
    if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

pub(super) fn to_le_bytes<T: Real>(numbers: &[T]) -> Vec<u8> {
    match dtype::<T>() {
        Dtype::F32 => numbers.iter().flat_map(|number| (number.to_f64() as f32).to_le_bytes()).collect(),
        _ => numbers.iter().flat_map(|number| number.to_f64().to_le_bytes()).collect(),
    }
}

/// Refuses a safetensors file that names something twice: readers differ in which of the two they take.
pub(super) fn refuse_doubled(bytes: &[u8]) -> Result<()> {
    let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    let header = usize::try_from(length).ok().and_then(|length| bytes.get(8..)?.get(..length));
    let Some(header) = header else { return Ok(()) }; // Whoever reads it says so.
    match serde_json::from_slice::<Unambiguous>(header) {
        Err(error) if error.is_data() => Err(Error::model(format!(
            "the list of tensors in the file is ambiguous ({error}): it is damaged, or was tampered with"
        ))
        .help("get it again")
        .caused_by(error)),
        _ => Ok(()),
    }
}

/// An array of a safetensors file that another program wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadTensor {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, in row-major order.
    pub numbers: Vec<f64>,
    /// Whether they have the 53 bits of f64, and not those of f32 or less.
    pub is_wide: bool,
}

/// The arrays of floating point numbers of a safetensors file, in the order of their names, in which `2` stands before
/// `10`.
///
/// # Errors
/// If the bytes are no such file, or hold no floating point numbers.
pub fn read_tensors(bytes: &[u8]) -> Result<Vec<ReadTensor>> {
    let damaged = |error: safetensors::SafeTensorError| {
        Error::model(format!("it is no whole safetensors file: {error}")).caused_by(error)
    };
    refuse_doubled(bytes)?;
    let tensors = safetensors::SafeTensors::deserialize(bytes).map_err(damaged)?;
    let mut all = Vec::new();
    for (name, view) in tensors.tensors() {
        let data = view.data();
        let numbers: Option<Vec<f64>> = match view.dtype() {
            Dtype::F64 => Some(pieces(data, f64::from_le_bytes)),
            Dtype::F32 => Some(pieces(data, |four| f64::from(f32::from_le_bytes(four)))),
            Dtype::BF16 => {
                Some(pieces(data, |two| f64::from(f32::from_bits(u32::from(u16::from_le_bytes(two)) << 16))))
            }
            _ => None,
        };
        if let Some(numbers) = numbers {
            let is_wide = view.dtype() == Dtype::F64;
            all.push(ReadTensor { name, shape: view.shape().to_vec(), numbers, is_wide });
        }
    }
    if all.is_empty() {
        return Err(Error::model("it holds no floating point numbers").help("store gradients as F32 or F64"));
    }
    all.sort_by_key(|tensor| natural(&tensor.name));
    Ok(all)
}

/// The numbers of some bytes, of so many each.
fn pieces<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    data.chunks_exact(N).map(|piece| number(piece.try_into().expect("chunks are of that size"))).collect()
}

/// A name in pieces of text and numbers, so that 2 stands before 10.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[text..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| text + at);
        parts.push((rest[..text].to_owned(), rest[text..digits].parse().unwrap_or(u64::MAX)));
        rest = &rest[digits..];
    }
    parts
}
