//! Weighted sums of each window of an image.

use super::item::{any_image, check_count, makes, strengths, yes};
use super::{Dense, Item, LayerCase};
use crate::choice::Bound;
use crate::graph::ops::{self, Dice};
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Activation, Form, Image, Initializer, Padding};
use pullback_kernels::Windows;
use serde::{Deserialize, Serialize};

/// Weighted sums of each window of an image, with the same weights for all windows: an image again, with
/// a channel for each filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// The number of weighted sums of a window.
    pub filters: usize,
    /// How many rows and columns of pixels a window has.
    pub size: usize,
    /// How many pixels one window begins after its neighbor.
    #[serde(default = "one")]
    pub stride: usize,
    /// Where windows may be.
    #[serde(default = "valid")]
    pub padding: Padding,
    /// Whether a bias is added.
    #[serde(default = "yes")]
    pub has_bias: bool,
    /// Where the weights start; by default what is conventional before the next activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
    /// The strength of L1 on this layer's weights, instead of the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l1: Option<f64>,
    /// The strength of L2 on this layer's weights, instead of the network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2: Option<f64>,
}

fn one() -> usize {
    1
}

fn valid() -> Padding {
    Padding::Valid
}

impl Convolution {
    /// Windows of `size` by `size` pixels inside the image, and all choices left open.
    pub fn new(filters: usize, size: usize) -> Self {
        Self {
            filters,
            size,
            stride: 1,
            padding: Padding::Valid,
            has_bias: true,
            initializer: None,
            l1: None,
            l2: None,
        }
    }

    fn windows(&self, reads: Form) -> Result<(Windows, Image), Refusal> {
        self.padding.windows(reads, self.size, self.stride)
    }
}

impl Item for Convolution {
    const KIND: &'static str = "convolution";

    fn describe(&self) -> String {
        let Self { filters, size, stride, padding, .. } = self;
        let mut text = format!("convolution {filters} of {size}x{size}");
        if *stride != 1 {
            text.push_str(&format!(" every {stride}"));
        }
        if *padding != Padding::Valid {
            text.push_str(&format!(", padding {padding}"));
        }
        if !self.has_bias {
            text.push_str(" without bias");
        }
        text
    }

    fn numbers(&self) -> Vec<(String, Bound, f64)> {
        strengths(self.l1, self.l2)
    }

    fn check(&self) -> Result<(), Refusal> {
        check_count("a convolution", self.filters, "filters")
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        let (windows, _) = self.windows(reads)?;
        makes(Form::Image(Image { height: windows.down(), width: windows.across(), channels: self.filters }))
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        let sizes = [self.filters, self.size * self.size, reads.columns()];
        Dense::declare_sums(to, sizes, self.initializer, [self.l1, self.l2], self.has_bias);
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let (windows, _) = self.windows(reads).expect("forms are checked before lowering");
        let pixels = at.matrix(reads, x);
        at.role(NodeRole::WeightedSum);
        let sum = pixels.builder().apply(ops::Convolution { windows }, &[pixels, at.parameter("weight")]);
        at.with_bias(sum, self.has_bias)
    }

    fn activation(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn needs_image(&self) -> bool {
        true
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let layer = Convolution {
            stride: 1 + dice.below(2),
            padding: if dice.coin() { Padding::Same } else { Padding::Valid },
            has_bias: dice.coin(),
            ..Convolution::new(1 + dice.below(3), 1 + dice.below(2))
        };
        LayerCase::new(layer, any_image(dice, 2))
    }
}
