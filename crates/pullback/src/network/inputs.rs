//! Several inputs side by side: numbers, codes, an image.

use super::form::MOST_NUMBERS;
use super::layers::{Layer, check_all, form_after};
use super::path::{Path, Refusal};
use super::{Form, Image, Index, Sequence};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A named input with its own layers. What they make of it is joined, as one row of numbers, to what is made of
/// the others, and goes into the network's layers; of a single input it goes there as it is.
///
/// In a file: `{ name = "codes", index = { count = 3, levels = 1000 }, layers = [...] }`, with one of `row`, `image`,
/// `sequence` and `index`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "InputFile", into = "InputFile")]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What an example is in it.
    pub form: Form,
    /// Its own layers, which may be none.
    pub layers: Vec<Layer>,
}

/// How many inputs a network may have.
const MOST_INPUTS: usize = 1000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputFile {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequence: Option<Sequence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<Index>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Layer>,
}

impl TryFrom<InputFile> for Input {
    type Error = String;

    fn try_from(file: InputFile) -> std::result::Result<Self, String> {
        let InputFile { name, row, image, sequence, index, layers } = file;
        let forms = [
            row.map(Form::Row),
            image.map(Form::Image),
            sequence.map(Form::Sequence),
            index.map(Form::Index),
        ];
        let mut given = forms.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(form), None) => Ok(Self { name, form, layers }),
            _ => Err(format!("input `{name}` needs one of row, image, sequence and index")),
        }
    }
}

impl From<Input> for InputFile {
    fn from(Input { name, form, layers }: Input) -> Self {
        let mut file = Self { name, row: None, image: None, sequence: None, index: None, layers };
        match form {
            Form::Row(width) => file.row = Some(width),
            Form::Image(image) => file.image = Some(image),
            Form::Sequence(sequence) => file.sequence = Some(sequence),
            Form::Index(index) => file.index = Some(index),
        }
        file
    }
}

impl Input {
    /// An input without layers of its own.
    pub fn new(name: impl Into<String>, form: Form) -> Self {
        Self { name: name.into(), form, layers: Vec::new() }
    }

    /// The same, with layers of its own.
    #[must_use]
    pub fn with_layers(self, layers: impl Into<Vec<Layer>>) -> Self {
        Self { layers: layers.into(), ..self }
    }

    /// What its layers make of it.
    pub(super) fn makes(&self) -> Result<Form> {
        let reads = self.form.checked("is");
        let reads = reads.map_err(|refusal| refusal.without_place(&format!("input `{}`", self.name)))?;
        let refused = |refusal: Refusal| refusal.error(Path::input(&self.name));
        check_all(&self.layers).map_err(refused)?;
        form_after(&self.layers, reads).map_err(refused)
    }
}

/// Checks names, and says what the network's layers read.
pub(super) fn joined(inputs: &[Input]) -> Result<Form> {
    let wrong = |what: String, help: &str| Err(Error::configuration(what).help(help));
    if inputs.len() > MOST_INPUTS {
        return wrong(format!("{} inputs", inputs.len()), "join some of them to rows");
    }
    for (at, input) in inputs.iter().enumerate() {
        let name = &input.name;
        if name.is_empty()
            || name == "targets"
            || name.contains(|letter: char| letter == '.' || letter.is_control())
        {
            return wrong(
                format!("input {at} cannot be named `{}`", name.escape_debug()),
                "give a name without dots; `targets` is taken",
            );
        }
        if inputs[..at].iter().any(|other| other.name == *name) {
            return wrong(format!("two inputs are named `{name}`"), "give each a name of its own");
        }
    }
    if let [input] = inputs {
        return input.makes();
    }
    let mut width = 0_usize;
    for input in inputs {
        let made = input.makes()?;
        if let Form::Index(_) = made {
            return wrong(
                format!("input `{}` gives {made}, not numbers", input.name),
                "give it an embedding among its layers",
            );
        }
        width = width.saturating_add(made.elements());
    }
    match width {
        1..=MOST_NUMBERS => Ok(Form::Row(width)),
        _ => wrong(format!("the inputs make {width} numbers together"), "make some of them smaller"),
    }
}
