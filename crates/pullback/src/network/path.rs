//! Where a layer stands in a network, and what its parameters are called.

use crate::error::{Error, Place};
use std::fmt::{self, Write};

/// A layer's place: its number among the network's layers, or those of an input, then its number in each block
/// around it, from the outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The input whose own layers these are; absent for the network's.
    input: Option<String>,
    numbers: Vec<usize>,
}

impl Path {
    /// The path of the network's layers themselves.
    pub(super) fn network() -> Self {
        Self { input: None, numbers: Vec::new() }
    }

    /// The path of an input's own layers.
    pub(super) fn input(name: &str) -> Self {
        Self { input: Some(name.to_owned()), numbers: Vec::new() }
    }

    /// Goes to the first of the layers inside, before its number is set.
    pub(super) fn enter(&mut self) {
        self.numbers.push(0);
    }

    /// Goes to the layer of that number beside the present one.
    pub(super) fn set(&mut self, number: usize) {
        *self.numbers.last_mut().expect("a path is entered before it is set") = number;
    }

    /// Goes back to the layer around.
    pub(super) fn leave(&mut self) {
        self.numbers.pop();
    }

    /// The number among the network's layers; absent in an input's own layers.
    pub(super) fn layer(&self) -> Option<usize> {
        self.input.is_none().then(|| self.numbers.first().copied()).flatten()
    }

    /// What [`Origin::path`](crate::graph::Origin::path) says: nothing if the layer's number says it all.
    pub(super) fn beyond_layer(&self) -> String {
        if self.input.is_none() && self.numbers.len() == 1 { String::new() } else { self.to_string() }
    }

    /// The name of a parameter or mask: `layers.0.weight`, `layers.3.1.weight`, `inputs.image.0.weight`.
    pub(super) fn name(&self, of: &str) -> String {
        let mut name = String::from(if self.input.is_some() { "inputs." } else { "layers." });
        let _ = write!(name, "{self}.{of}");
        name
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(input) = &self.input {
            f.write_str(input)?;
            separator = ".";
        }
        for number in &self.numbers {
            write!(f, "{separator}{number}")?;
            separator = ".";
        }
        Ok(())
    }
}

/// Why a layer is refused, and where it stands below the layer that was asked.
#[derive(Debug)]
pub struct Refusal {
    /// The numbers of the layers around it and its own, from the inside.
    numbers: Vec<usize>,
    /// Whether what it reads is to blame, so that the message begins with the layer.
    is_form: bool,
    what: String,
    help: String,
}

impl Refusal {
    /// A layer's settings are wrong: `a dense layer of 0 units`.
    pub(super) fn setting(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { numbers: Vec::new(), is_form: false, what: what.into(), help: help.into() }
    }

    /// A layer cannot read what it would: after its description, `needs an image, but reads a row of 4 numbers`.
    pub(super) fn form(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { is_form: true, ..Self::setting(what, help) }
    }

    /// The same, of the layer with that number; `describe` names the innermost one.
    pub(super) fn within(mut self, number: usize, describe: impl FnOnce() -> String) -> Self {
        if self.is_form && self.numbers.is_empty() {
            self.what = format!("{} {}", describe(), self.what);
        }
        self.numbers.push(number);
        self
    }

    /// The error, for layers at that path.
    pub(super) fn error(self, mut path: Path) -> Error {
        path.numbers.extend(self.numbers.into_iter().rev());
        Error::configuration(self.what).help(self.help).at(Place::layer(path))
    }

    /// The error of what is no layer; `whose` begins the message.
    pub(super) fn without_place(self, whose: &str) -> Error {
        Error::configuration(format!("{whose} {}", self.what)).help(self.help)
    }
}
