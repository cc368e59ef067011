//! Convolutions and poolings in a trace.

use super::Trace;
use crate::graph::{NodeId, Op};
use crate::network::{Form, Image, Layer};
use pullback_kernels::Windows;

/// Where the numbers of a layer that makes images stand in the graph: a convolution or a max pooling.
#[derive(Debug, Clone)]
pub struct Imaging {
    /// Its place among the network's layers.
    pub layer: usize,
    /// The image that it reads.
    pub reads: Image,
    /// The image that it makes: a channel for each filter, or as many as it reads.
    pub makes: Image,
    /// What it reads, `[rows * height * width, channels]`.
    pub input: NodeId,
    /// What it makes, `[rows * height * width, channels]`: the weighted sums z of a convolution.
    pub result: NodeId,
    /// The derivative of the cost with respect to that.
    pub delta: NodeId,
    /// Absent for a pooling.
    pub filters: Option<Filters>,
}

/// Where the numbers of a convolution's filters stand.
#[derive(Debug, Clone)]
pub struct Filters {
    /// The operation.
    pub convolution: NodeId,
    /// The windows that slide over the image.
    pub windows: Windows,
    /// The place of the weights `[filters, size * size * channels]` among the parameters.
    pub weight: usize,
    /// The place of the biases `[filters]` among the parameters.
    pub bias: Option<usize>,
}

impl Trace {
    pub(super) fn find_imaging(&self, layer: usize, forms: &[Form]) -> Option<Imaging> {
        let (Form::Image(reads), Form::Image(makes)) = (forms[layer], forms[layer + 1]) else { return None };
        let forward = &self.lowered.graph;
        let own: Vec<NodeId> =
            forward.ids().filter(|&id| forward.node(id).origin.layer == Some(layer)).collect();
        let find = |is_kind: fn(&Op) -> bool| {
            own.iter().copied().find(|&id| forward.node(id).op().is_some_and(is_kind))
        };
        let (reader, result, filters) = match self.network.layers[layer] {
            Layer::Convolution(_) => {
                let convolution = find(|op| matches!(op, Op::Convolution(_)))?;
                let Some(Op::Convolution(op)) = forward.node(convolution).op() else { return None };
                let filters = Filters {
                    convolution,
                    windows: op.windows,
                    weight: self.weight_of(layer)?,
                    bias: self.bias_of(layer),
                };
                (convolution, *own.last()?, Some(filters))
            }
            Layer::MaxPool(_) => {
                let pool = find(|op| matches!(op, Op::MaxPool(_)))?;
                (pool, pool, None)
            }
            _ => return None,
        };
        let input = forward.node(reader).inputs()[0];
        Some(Imaging { layer, reads, makes, input, result, delta: self.adjoint(result)?, filters })
    }
}
