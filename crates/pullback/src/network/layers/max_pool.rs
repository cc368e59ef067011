//! The largest number of each window of an image.

use super::item::{any_image, makes};
use super::{Item, LayerCase};
use crate::graph::ops::{self, Dice};
use crate::graph::{NodeRole, Var};
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Form, Image, Padding};
use pullback_kernels::Windows;
use serde::{Deserialize, Serialize};

/// The largest number of each window of an image, channel by channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool {
    /// How many rows and columns of pixels a window has.
    pub size: usize,
    /// How many pixels one window begins after its neighbor; by default as many as it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
}

impl MaxPool {
    fn windows(&self, reads: Form) -> Result<(Windows, Image), Refusal> {
        Padding::Valid.windows(reads, self.size, self.stride.unwrap_or(self.size))
    }
}

impl Item for MaxPool {
    const KIND: &'static str = "max_pool";

    fn describe(&self) -> String {
        let size = self.size;
        match self.stride {
            Some(stride) if stride != size => format!("max pool {size}x{size} every {stride}"),
            _ => format!("max pool {size}x{size}"),
        }
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        let (windows, image) = self.windows(reads)?;
        makes(Form::Image(Image { height: windows.down(), width: windows.across(), ..image }))
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let (windows, _) = self.windows(reads).expect("forms are checked before lowering");
        let pixels = at.matrix(reads, x);
        at.role(NodeRole::WindowMaximum);
        pixels.builder().apply(ops::MaxPool { windows }, &[pixels])
    }

    fn needs_image(&self) -> bool {
        true
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let layer = MaxPool { size: 1 + dice.below(2), stride: dice.coin().then_some(1) };
        LayerCase::new(layer, any_image(dice, 2))
    }
}
