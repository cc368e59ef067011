//! What a layer is: everything that the engine, the files and the glass box know about it.

use super::Layer;
use crate::choice::Bound;
use crate::graph::Var;
use crate::graph::ops::Dice;
use crate::network::declare::Declaration;
use crate::network::form::MOST_NUMBERS;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Activation, Form};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A kind of layer with its settings.
pub trait Item: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Into<Layer> {
    /// How files spell it: the name of its variant in [`Layer`], in snake case.
    const KIND: &'static str;

    /// A short description with the settings that matter: `dense 128`.
    fn describe(&self) -> String;

    /// The settings that are real numbers: what they are in messages, what they must be, what they are.
    fn numbers(&self) -> Vec<(String, Bound, f64)> {
        Vec::new()
    }

    /// Checks the other settings.
    ///
    /// # Errors
    /// With the setting that is out of range, and its range.
    fn check(&self) -> Result<(), Refusal> {
        Ok(())
    }

    /// What an example is after the layer. The settings were checked.
    ///
    /// # Errors
    /// If the layer cannot read such examples.
    fn form(&self, reads: Form) -> Result<Form, Refusal>;

    /// Names the layer's parameters, with shapes and where they start.
    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        let _ = (reads, to);
    }

    /// Appends the layer's part of the graph. What it reads, `x`, holds the numbers of a batch in any shape; see
    /// `Lowering::matrix`.
    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b>;

    /// What a layer of weights before it takes as the activation that follows, for the default of its
    /// initializer; nothing if what comes after this layer says it.
    fn activation(&self) -> Option<Activation> {
        None
    }

    /// The layers inside, of a block.
    fn layers(&self) -> &[Layer] {
        &[]
    }

    /// Whether it works on images alone.
    fn needs_image(&self) -> bool {
        self.layers().iter().any(Layer::needs_image)
    }

    /// A random instance with what it reads, on which it is tested.
    fn case(dice: &mut Dice) -> LayerCase;
}

/// A layer with what it reads in a test.
#[derive(Debug, Clone)]
pub struct LayerCase {
    /// The layer.
    pub layer: Layer,
    /// What it reads.
    pub reads: Form,
}

impl LayerCase {
    /// A case.
    pub fn new(layer: impl Into<Layer>, reads: Form) -> Self {
        Self { layer: layer.into(), reads }
    }
}

/// A number of units, filters or columns, which `what` calls: `a dense layer of 0 units`.
pub(super) fn check_count(what: &str, count: usize, of: &str) -> Result<(), Refusal> {
    match count {
        0 => Err(Refusal::setting(format!("{what} of 0 {of}"), "give at least 1")),
        1..=MOST_NUMBERS => Ok(()),
        _ => Err(Refusal::setting(format!("{what} of {count} {of}"), format!("give at most {MOST_NUMBERS}"))),
    }
}

/// What is added to a variance.
pub(super) fn epsilon(epsilon: f64) -> (String, Bound, f64) {
    ("the epsilon of the normalization".into(), Bound::Positive, epsilon)
}

/// The strengths of regularization that are a layer's own.
pub(super) fn strengths(l1: Option<f64>, l2: Option<f64>) -> Vec<(String, Bound, f64)> {
    let strength = |(name, value): (&str, Option<f64>)| Some((name.to_owned(), Bound::AtLeastZero, value?));
    [("l1", l1), ("l2", l2)].into_iter().filter_map(strength).collect()
}

/// Anything but codes.
pub(super) fn not_codes(reads: Form) -> Result<Form, Refusal> {
    match reads {
        Form::Index(_) => {
            Err(Refusal::form(format!("reads {reads}, not numbers"), "put an embedding before it"))
        }
        form => Ok(form),
    }
}

/// What a layer makes, if its numbers can be counted.
pub(super) fn makes(form: Form) -> Result<Form, Refusal> {
    form.checked("makes")
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn hundred_thousandth() -> f64 {
    1e-5
}

/// A row, an image or a sequence, small.
pub(super) fn any_numbers(dice: &mut Dice) -> Form {
    match dice.below(3) {
        0 => Form::Row(1 + dice.size()),
        1 => any_image(dice, 2),
        _ => any_sequence(dice),
    }
}

/// A small image with at least that many rows and columns of pixels.
pub(super) fn any_image(dice: &mut Dice, least: usize) -> Form {
    Form::Image(crate::network::Image {
        height: least + dice.below(3),
        width: least + dice.below(3),
        channels: 1 + dice.below(3),
    })
}

/// A short sequence.
pub(super) fn any_sequence(dice: &mut Dice) -> Form {
    Form::Sequence(crate::network::Sequence { length: 1 + dice.size(), width: 1 + dice.size() })
}
