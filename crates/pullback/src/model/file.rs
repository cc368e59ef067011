//! The model file: a safetensors file with the parameters under readable names, and one JSON document
//! in its metadata, under the key `pullback`.
//!
//! The same model makes the same bytes. A file is written beside its final place and renamed, so that
//! a crash or a full disk leaves the old file or the new one, never half of one.

use super::{Card, Model};
use crate::error::{Error, Place, Result};
use crate::network::Parameter;
use pullback_kernels::Real;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The version of the file's layout. A reader refuses a later one.
pub const FORMAT: u32 = 1;

/// The key of the JSON document.
const KEY: &str = "pullback";

/// The JSON document.
#[derive(Serialize, Deserialize)]
struct Document {
    format: u32,
    /// The version of the library that wrote it.
    version: String,
    #[serde(flatten)]
    card: Card,
}

/// What every version of the document has.
#[derive(Deserialize)]
struct Head {
    format: u32,
    version: String,
}

impl<T: Real> Model<T> {
    /// The model as the bytes of a file.
    ///
    /// # Errors
    /// If the network's description contradicts itself.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let document = Document {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            card: self.card.clone(),
        };
        let document = serde_json::to_string(&document).map_err(|error| {
            Error::model(format!("the model cannot be written as JSON: {error}")).caused_by(error)
        })?;
        let specification = self.card.network.parameters()?;
        let bytes: Vec<Vec<u8>> = self.parameters.iter().map(|numbers| to_le_bytes(numbers)).collect();
        let views = (specification.iter().zip(&bytes))
            .map(|(parameter, bytes)| {
                let view = TensorView::new(dtype::<T>(), parameter.shape.sizes().to_vec(), bytes).map_err(
                    |error| {
                        Error::model(format!("`{}` cannot be written: {error}", parameter.name))
                            .caused_by(error)
                    },
                )?;
                Ok((parameter.name.clone(), view))
            })
            .collect::<Result<Vec<_>>>()?;
        serialize(views, Some(HashMap::from([(KEY.to_owned(), document)])))
            .map_err(|error| Error::model(format!("the model cannot be written: {error}")).caused_by(error))
    }

    /// Writes the model to a file, whole or not at all.
    ///
    /// # Errors
    /// If the system refuses; an old file is then untouched.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomically(path, &self.to_bytes()?).map_err(|error| Error::unwritable(path, error))
    }

    /// Reads a model from a file. Numbers of another precision are rounded to this one.
    ///
    /// # Errors
    /// If there is no such file, or it is damaged, or no model of ours, or a later version wrote it.
    pub fn load(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::model("this is a directory")
                .at(Place::file(path))
                .help("give the model file itself"));
        }
        let bytes = fs::read(path).map_err(|error| Error::io(path, error))?;
        Self::from_bytes(&bytes).map_err(|error| error.at(Place::file(path)))
    }

    /// Reads a model from the bytes of a file.
    ///
    /// # Errors
    /// If they are damaged, or no model of ours, or a later version wrote them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Err(
                Error::model("the file is empty").help("train the model again, or get the file again")
            );
        }
        let damaged = |error: safetensors::SafeTensorError| {
            Error::model(format!(
                "this is no whole safetensors file ({error}): it is damaged, cut off, or no model"
            ))
            .help("get it again")
            .caused_by(error)
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let document =
            header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).ok_or_else(|| {
                Error::model(
                    "a safetensors file that another program wrote: it says nothing of layers and columns",
                )
                .help("give a model that `pullback train` saved")
            })?;
        let unreadable = |error: serde_json::Error| {
            Error::model(format!("the description in the file cannot be read ({error}): it is damaged"))
                .help("get it again")
                .caused_by(error)
        };
        let head: Head = serde_json::from_str(document).map_err(unreadable)?;
        if head.format > FORMAT {
            return Err(Error::model(format!(
                "written by pullback {} in format {}, but this is pullback {}, which reads formats up to {FORMAT}",
                head.version,
                head.format,
                env!("CARGO_PKG_VERSION")
            ))
            .help("update pullback"));
        }
        let Document { card, .. } = serde_json::from_str(document).map_err(unreadable)?;
        let specification = card.network.parameters().map_err(|error| {
            Error::model(format!("the description in the file contradicts itself ({error}): it is damaged"))
                .help("get it again")
                .caused_by(error)
        })?;
        let preprocessing = &card.preprocessing;
        let target = &preprocessing.target;
        let named = target.target.classes().map_or(target.target.outputs(), |_classes| 1);
        if preprocessing.inputs() != card.network.inputs
            || target.target.outputs() != card.network.outputs()
            || target.names.len() != named
        {
            return Err(Error::model("the network in the file does not fit its columns: it is damaged")
                .help("get it again"));
        }
        let parameters =
            specification.iter().map(|parameter| numbers(&tensors, parameter)).collect::<Result<Vec<_>>>()?;
        Ok(Self { parameters, card })
    }
}

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

/// One parameter's numbers.
fn numbers<T: Real>(tensors: &SafeTensors<'_>, parameter: &Parameter) -> Result<Vec<T>> {
    let damaged = |what: String| Error::model(what).help("get the file again");
    let name = &parameter.name;
    let tensor =
        tensors.tensor(name).map_err(|_| damaged(format!("the file lacks `{name}`: it is damaged")))?;
    if tensor.shape() != parameter.shape.sizes() {
        return Err(damaged(format!(
            "`{name}` has shape {:?}, but the network needs {}: the file is damaged",
            tensor.shape(),
            parameter.shape
        )));
    }
    let data = tensor.data();
    let numbers: Vec<T> = match tensor.dtype() {
        Dtype::F32 => {
            let numbers = data.as_chunks::<4>().0.iter();
            numbers.map(|bytes| T::from_f64(f64::from(f32::from_le_bytes(*bytes)))).collect()
        }
        Dtype::F64 => {
            data.as_chunks::<8>().0.iter().map(|bytes| T::from_f64(f64::from_le_bytes(*bytes))).collect()
        }
        other => {
            return Err(Error::model(format!("`{name}` holds {other:?} numbers"))
                .help("only F32 and F64 can be read"));
        }
    };
    if numbers.iter().any(|number| !number.is_finite()) {
        return Err(damaged(format!(
            "`{name}` holds a number that is not finite: the file is damaged, or training diverged"
        )));
    }
    Ok(numbers)
}

fn dtype<T: Real>() -> Dtype {
    if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

fn to_le_bytes<T: Real>(numbers: &[T]) -> Vec<u8> {
    match dtype::<T>() {
        Dtype::F32 => numbers.iter().flat_map(|number| (number.to_f64() as f32).to_le_bytes()).collect(),
        _ => numbers.iter().flat_map(|number| number.to_f64().to_le_bytes()).collect(),
    }
}

/// Writes a file whole or not at all: under a temporary name beside it, synced, then renamed. What is
/// no regular file (a pipe, a terminal) is written to directly.
///
/// # Errors
/// What the system says; nothing is left behind.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; give a file name"));
        }
        Ok(found) if !found.is_file() => {
            return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
        }
        _ => {}
    }
    let temporary = temporary_name(path)?;
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // What went wrong first is what the caller should hear of.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // The new name, too, should outlive a crash; a system that cannot sync a folder has renamed all the same.
    if let Ok(folder) = File::open(folder_of(path)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it has no file name"))?
        .to_string_lossy();
    Ok(folder_of(path).join(format!(".{name}.{}.tmp", std::process::id())))
}
