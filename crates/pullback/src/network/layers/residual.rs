//! Layers whose result is added to what they read.

use super::item::{any_image, not_codes};
use super::{Convolution, Dense, Item, Layer, LayerCase, check_all, form_after};
use crate::graph::ops::{self, Dice};
use crate::graph::{NodeRole, Var};
use crate::network::declare::Declaration;
use crate::network::lower::Lowering;
use crate::network::path::Refusal;
use crate::network::{Activation, Form, Image, Initializer, Padding};
use pullback_kernels::Windows;
use serde::{Deserialize, Serialize};

/// Layers whose result is added to what they read (He, Zhang, Ren, Sun, 2015): `x + f(x)`. Where the result has
/// other columns or channels, or is a smaller image, x is projected by trained weights without bias: `W x + f(x)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// The layers inside.
    pub layers: Vec<Layer>,
}

/// How many blocks may stand inside each other.
const MOST_DEPTH: usize = 16;

/// What is done to `x` before the sum.
enum Shortcut {
    /// Nothing.
    Identity,
    /// A weighted sum of each row of the matrix.
    Product,
    /// A convolution of windows of one pixel, some pixels apart.
    Strided(Windows),
}

impl Residual {
    fn depth(layers: &[Layer], left: usize) -> bool {
        left > 0
            && layers.iter().all(|layer| layer.layers().is_empty() || Self::depth(layer.layers(), left - 1))
    }

    fn shortcut(&self, reads: Form, makes: Form) -> Result<Shortcut, Refusal> {
        match (reads, makes) {
            _ if reads == makes => Ok(Shortcut::Identity),
            (Form::Row(_), Form::Row(_)) => Ok(Shortcut::Product),
            (Form::Sequence(a), Form::Sequence(b)) if a.length == b.length => Ok(Shortcut::Product),
            (Form::Image(a), Form::Image(b)) if [a.height, a.width] == [b.height, b.width] => {
                Ok(Shortcut::Product)
            }
            (Form::Image(Image { height, width, .. }), Form::Image(small)) => {
                let stride = height.div_ceil(small.height.max(1));
                Windows::inside(height, width, 1, stride)
                    .filter(|windows| [windows.down(), windows.across()] == [small.height, small.width])
                    .map(Shortcut::Strided)
                    .ok_or_else(|| self.unfit(reads, makes))
            }
            _ => Err(self.unfit(reads, makes)),
        }
    }

    fn unfit(&self, reads: Form, makes: Form) -> Refusal {
        Refusal::form(
            format!("reads {reads}, but its layers make {makes}, which cannot be added"),
            "let them keep the places, or take every second, third, ... pixel",
        )
    }
}

impl Item for Residual {
    const KIND: &'static str = "residual";

    fn describe(&self) -> String {
        let layers: Vec<String> = self.layers.iter().map(Layer::describe).collect();
        format!("residual [{}]", layers.join(", "))
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.layers.is_empty() {
            return Err(Refusal::setting("a residual block of 0 layers", "give at least 1"));
        }
        if !Self::depth(&self.layers, MOST_DEPTH) {
            return Err(Refusal::setting(
                format!("a residual block of more than {MOST_DEPTH} blocks inside each other"),
                "put some after each other",
            ));
        }
        check_all(&self.layers)
    }

    fn form(&self, reads: Form) -> Result<Form, Refusal> {
        let makes = form_after(&self.layers, not_codes(reads)?)?;
        self.shortcut(reads, makes).map(|_| makes)
    }

    fn declare(&self, reads: Form, to: &mut Declaration<'_>) {
        let makes = to.layers(&self.layers, reads);
        if !matches!(self.shortcut(reads, makes), Ok(Shortcut::Identity)) {
            let (inputs, sums) = (reads.columns(), makes.columns());
            to.weight("projection", Some(Initializer::XavierUniform), [sums, inputs], [inputs, sums]);
        }
    }

    fn lower<'b>(&self, at: &mut Lowering<'_, 'b>, reads: Form, x: Var<'b>) -> Var<'b> {
        let x = at.matrix(reads, x);
        let (y, makes) = at.layers(&self.layers, reads, x);
        let y = at.matrix(makes, y);
        at.role(NodeRole::Shortcut);
        let shortcut = match self.shortcut(reads, makes).expect("forms are checked before lowering") {
            Shortcut::Identity => x,
            Shortcut::Product => x.product_transposed(false, at.parameter("projection"), true),
            Shortcut::Strided(windows) => {
                x.builder().apply(ops::Convolution { windows }, &[x, at.parameter("projection")])
            }
        };
        at.role(NodeRole::ResidualSum);
        shortcut + y
    }

    fn activation(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn layers(&self) -> &[Layer] {
        &self.layers
    }

    fn case(dice: &mut Dice) -> LayerCase {
        let tanh = Layer::function(Activation::Tanh);
        if dice.coin() {
            let units = dice.size();
            let inside = vec![Layer::dense(3), tanh, Residual { layers: vec![Layer::dense(3)] }.into()];
            let last = Layer::from(Dense::new(units));
            LayerCase::new(
                Residual { layers: [inside, vec![last]].concat() },
                Form::Row(units + dice.below(2)),
            )
        } else {
            let (reads, stride) = (any_image(dice, 2), 1 + dice.below(2));
            let filters = reads.columns() + dice.below(2);
            let convolution = Convolution { stride, padding: Padding::Same, ..Convolution::new(filters, 3) };
            LayerCase::new(Residual { layers: vec![tanh, convolution.into()] }, reads)
        }
    }
}
