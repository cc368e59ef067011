//! The model file: a safetensors file with the parameters under readable names, and one JSON document
//! in its metadata, under the key `pullback`.
//!
//! The same model makes the same bytes. A file is believed only as far as it can be checked: what it says is read
//! into types that cannot be wrong, and nothing in it names a file to open.

use super::Card;
use super::Model;
use super::document::{Cards, OwnedCards, Unambiguous};
use super::tensors::{KEY, dtype, refuse_doubled, to_le_bytes};
use crate::data::Target;
use crate::error::{Error, Place, Result};
use crate::files;
use crate::network::Parameter;
use pullback_kernels::Real;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// The version of the file's layout. A reader refuses a later one.
///
/// Since 2, a file says which rows were held out, and only what is known of a model; since 3, it may hold several
/// networks whose predictions are averaged; since 4, a temperature of its probabilities; since 5, labels, and how many
/// times a network counts. All earlier ones can be read,
/// and a model is written in the first that has all that it is.
pub const FORMAT: u32 = 5;
const FORMAT_OF_TEMPERATURES: u32 = 4;
const FORMAT_OF_ENSEMBLES: u32 = 3;
const FORMAT_OF_ONE: u32 = 2;

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    /// The version of the library that wrote it.
    version: &'a str,
    #[serde(flatten)]
    cards: Cards<'a>,
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
    /// If the description is too long for a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let target = self.card.preprocessing.as_ref().map(|preprocessing| preprocessing.target().target());
        let format = match (self.card.temperature, self.others.is_empty()) {
            _ if matches!(target, Some(Target::Labels { .. })) || self.votes() > self.member_count() => {
                FORMAT
            }
            (Some(_), _) => FORMAT_OF_TEMPERATURES,
            (None, false) => FORMAT_OF_ENSEMBLES,
            (None, true) => FORMAT_OF_ONE,
        };
        let document = write_cards(format, self.cards())?;
        let mut tensors = Vec::new();
        for (member, Self { parameters, card, .. }) in self.members().enumerate() {
            for (parameter, numbers) in card.network.parameters()?.into_iter().zip(parameters) {
                tensors.push((tensor_name(member, &parameter.name), parameter, to_le_bytes(numbers)));
            }
        }
        let views = tensors
            .iter()
            .map(|(name, parameter, bytes)| {
                let view = TensorView::new(dtype::<T>(), parameter.shape.sizes().to_vec(), bytes).map_err(
                    |error| Error::model(format!("`{name}` cannot be written: {error}")).caused_by(error),
                )?;
                Ok((name.clone(), view))
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
        files::write(path, &self.to_bytes()?).map_err(|error| Error::unwritable(path, error))
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

    /// Reads a model from the bytes of a file. Numbers of another precision are rounded to this one.
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
        refuse_doubled(bytes)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let document =
            header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).ok_or_else(|| {
                Error::model(
                    "a safetensors file that another program wrote: it says nothing of layers and columns",
                )
                .help("give a model that `pullback train` saved")
            })?;
        let cards = read_cards(document)?;
        let contradicts = |error: Error| {
            Error::model(format!("the description in the file contradicts itself ({error}): it is damaged"))
                .help("get it again")
                .caused_by(error)
        };
        // Sizes and memory before any of it is asked for.
        let mut specifications = Vec::new();
        for card in &cards {
            card.check().and_then(|()| card.network.check_in::<T>()).map_err(contradicts)?;
            specifications.push(card.network.parameters().map_err(contradicts)?);
        }
        let names: Vec<Vec<String>> = specifications
            .iter()
            .enumerate()
            .map(|(member, parameters)| {
                parameters.iter().map(|parameter| tensor_name(member, &parameter.name)).collect()
            })
            .collect();
        let known: BTreeSet<&str> = names.iter().flatten().map(String::as_str).collect();
        if tensors.len() > known.len()
            && let Some(name) = tensors.names().into_iter().filter(|name| !known.contains(name)).min()
        {
            return Err(Error::model(format!(
                "the file holds `{name}`, which is no parameter of the network"
            ))
            .help("get it again: it is damaged"));
        }
        let mut members = Vec::new();
        for ((card, specification), names) in cards.into_iter().zip(&specifications).zip(&names) {
            let parameters = (specification.iter().zip(names))
                .map(|(parameter, name)| numbers(&tensors, name, parameter))
                .collect::<Result<Vec<_>>>()?;
            members.push(Self { parameters, card, others: Vec::new() });
        }
        Self::ensemble(members).map_err(contradicts)
    }
}

/// Reads the JSON document. It is not of a type of numbers, so that it is compiled once.
fn read_cards(document: &str) -> Result<Vec<Card>> {
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
    let _: Unambiguous = serde_json::from_str(document).map_err(unreadable)?;
    let mut document: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(document).map_err(unreadable)?;
    document.remove("format");
    document.remove("version");
    let OwnedCards(cards) = serde_json::from_value(document.into()).map_err(unreadable)?;
    Ok(cards)
}

fn write_cards(format: u32, cards: Cards<'_>) -> Result<String> {
    serde_json::to_string(&Document { format, version: env!("CARGO_PKG_VERSION"), cards }).map_err(|error| {
        Error::model(format!("the model cannot be written as JSON: {error}")).caused_by(error)
    })
}

/// Under which name a parameter of one of a model's networks stands in the file: the first one's under its own.
fn tensor_name(member: usize, name: &str) -> String {
    if member == 0 { name.to_owned() } else { format!("members.{member}.{name}") }
}

/// One parameter's numbers.
fn numbers<T: Real>(tensors: &SafeTensors<'_>, name: &str, parameter: &Parameter) -> Result<Vec<T>> {
    let damaged = |what: String| Error::model(what).help("get the file again");
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
