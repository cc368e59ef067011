//! Every layer with a weighted sum, dense or convolution, wherever it stands: also in a block, or as an input's own.

use super::Trace;
use crate::graph::{Kind, NodeId, NodeRole, Op};
use std::fmt;

/// What a layer with weights is called on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerName {
    /// A dense layer, counted from 1.
    Dense(usize),
    /// A convolution, counted from 1.
    Convolution(usize),
    /// A layer of a block or of an input, by its place: `3.1`, `image.0`.
    Place(String),
}

/// As `--layer` takes it: `3`, `c1`.
impl fmt::Display for LayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense(number) => write!(f, "{number}"),
            Self::Convolution(number) => write!(f, "c{number}"),
            Self::Place(place) => f.write_str(place),
        }
    }
}

/// Where the numbers of a layer with weights stand in the graph.
#[derive(Debug, Clone)]
pub struct Weighted {
    /// What it is called.
    pub name: LayerName,
    /// What its weights are multiplied with.
    pub reads: NodeId,
    /// The weighted sums z, bias included: a column for each unit or filter.
    pub sum: NodeId,
    /// The derivative of the cost with respect to z.
    pub delta: NodeId,
    /// The activation that z goes through, if any.
    pub activation: Option<Activated>,
    /// The place of the weights among the parameters.
    pub weight: usize,
    /// The place in [`Trace::weighted_layers`] of the next layer on the way to the cost.
    pub next: Option<usize>,
}

/// Where the numbers of an activation stand in the graph.
#[derive(Debug, Clone, Copy)]
pub struct Activated {
    /// The activations a.
    pub result: NodeId,
    /// The derivative of the cost with respect to a.
    pub arriving: NodeId,
    /// The derivative of a with respect to what the activation reads; absent where it is not unit by unit.
    pub slope: Option<NodeId>,
}

impl Trace {
    /// The layers with weighted sums, from the inputs on.
    pub fn weighted_layers(&self) -> Vec<Weighted> {
        let forward = &self.lowered.graph;
        let needed = forward.ancestors(&[self.lowered.cost]);
        let ids = || forward.ids().filter(|id| needed[id.index()]);
        let products = ids().filter(|&id| {
            let is_product = matches!(forward.node(id).op(), Some(Op::MatrixProduct(_) | Op::Convolution(_)));
            is_product && forward.node(id).origin.role == NodeRole::WeightedSum
        });
        let mut layers: Vec<Weighted> = products.filter_map(|product| self.weighted_at(product)).collect();
        // What a layer's weighted sums are computed from.
        let before: Vec<Vec<bool>> = layers.iter().map(|own| forward.ancestors(&[own.reads])).collect();
        for at in 0..layers.len() {
            layers[at].next = (at + 1..layers.len()).find(|&later| before[later][layers[at].sum.index()]);
            let end = layers[at].next.map(|next| layers[next].reads);
            layers[at].activation = self.activation_after(layers[at].sum, end);
        }
        layers
    }

    fn weighted_at(&self, product: NodeId) -> Option<Weighted> {
        let forward = &self.lowered.graph;
        let place = forward.node(product).origin.place()?;
        let is_own = |id: NodeId| forward.node(id).origin.place().as_ref() == Some(&place);
        let is_sum = |id: NodeId| is_own(id) && forward.node(id).origin.role == NodeRole::WeightedSum;
        let sum = forward.ids().rfind(|&id| is_sum(id))?;
        let [reads, weights] = forward.node(product).inputs()[..] else { return None };
        let weight = self.lowered.parameters.iter().position(|&parameter| parameter == weights)?;
        let dense = self.dense.iter().position(|dense| dense.layer.to_string() == place);
        let mut convolutions = self.images.iter().filter(|images| images.filters.is_some());
        let convolution = convolutions.position(|images| images.layer.to_string() == place);
        let name = match (dense, convolution) {
            (Some(at), _) => LayerName::Dense(at + 1),
            (_, Some(at)) => LayerName::Convolution(at + 1),
            _ => LayerName::Place(place),
        };
        Some(Weighted { name, reads, sum, delta: self.adjoint(sum)?, activation: None, weight, next: None })
    }

    /// The first activation that is computed from a weighted sum, number by number, on the way to `end`.
    fn activation_after(&self, sum: NodeId, end: Option<NodeId>) -> Option<Activated> {
        let forward = &self.lowered.graph;
        let is_on_way = forward.ancestors(&[end.unwrap_or(self.lowered.cost)]);
        let result = forward.ids().find(|&id| {
            let node = forward.node(id);
            id > sum
                && is_on_way[id.index()]
                && node.origin.role == NodeRole::Activation
                && node.shape == *forward.shape(sum)
                && forward.ancestors(&[id])[sum.index()]
        })?;
        let arriving = self.adjoint(result)?;
        let slope = self.graph().ids().find_map(|id| {
            let node = self.graph().node(id);
            match &node.kind {
                Kind::Operation(Op::Multiply(_), factors)
                    if node.origin.pulls_back == Some(result) && factors[0] == arriving =>
                {
                    Some(factors[1])
                }
                _ => None,
            }
        });
        Some(Activated { result, arriving, slope })
    }
}
