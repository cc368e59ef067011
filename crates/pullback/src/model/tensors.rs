//! Arrays as the bytes of a safetensors file, which any reader of that format opens.

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
