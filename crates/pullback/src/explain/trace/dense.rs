//! Dense layers in a trace: weighted sums, deltas, and the factors between them.

use super::Trace;
use crate::graph::{Kind, NodeId, NodeRole, Op};
use crate::network::{Layer, layers};

/// Where a dense layer's numbers stand in the graph.
#[derive(Debug, Clone)]
pub struct Dense {
    /// Its place among the network's layers.
    pub layer: usize,
    /// The number of its inputs.
    pub inputs: usize,
    /// The number of its units.
    pub units: usize,
    /// What it reads, `[rows, inputs]`.
    pub input: NodeId,
    /// The weighted sums z, bias included, `[rows, units]`.
    pub sum: NodeId,
    /// The derivative of the cost with respect to z, `[rows, units]`.
    pub delta: NodeId,
    /// The operations that z goes through, unit by unit, before the next dense layer or into the cost.
    pub links: Vec<Link>,
    /// The place of the weights `[units, inputs]` among the parameters.
    pub weight: usize,
    /// The place of the biases `[units]` among the parameters.
    pub bias: Option<usize>,
}

/// An operation that works unit by unit, with its local derivative: `x_bar = y_bar * dy/dx`.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// The operation's result.
    pub node: NodeId,
    /// The derivative of the cost with respect to the result; absent if it is 1.
    pub upstream: Option<NodeId>,
    /// The local derivative.
    pub slope: NodeId,
    /// Whether the result is the network's cost, so that nothing of a later layer is upstream.
    pub is_cost: bool,
}

/// What a factor of a delta is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorKind {
    /// The derivative of an example's cost with respect to what the cost reads.
    Cost,
    /// The share of an example in the mean.
    Mean,
    /// The derivative of the cost with respect to what the next layer reads.
    Arriving,
    /// The slope of an activation.
    Slope,
    /// What dropout multiplies a unit with: zero, or 1 / (1 - rate).
    Mask,
    /// What batch norm multiplies a unit with, by its running averages: 1 / deviation, or its scale.
    Normalization,
}

/// A factor of a delta.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// What it is.
    pub kind: FactorKind,
    /// Its number.
    pub value: f64,
}

impl Trace {
    /// The factors of one unit's delta for one example, from the cost on. Their product is the delta;
    /// times an input of the unit, it is that example's part of the weight's gradient.
    pub fn factors(&self, dense: &Dense, unit: usize, row: usize) -> Vec<Factor> {
        let Some(last) = dense.links.last() else {
            return vec![Factor { kind: FactorKind::Arriving, value: self.at(dense.delta, row, unit) }];
        };
        let kind = if last.is_cost { FactorKind::Mean } else { FactorKind::Arriving };
        let upstream = last.upstream.map(|id| Factor { kind, value: self.at(id, row, unit) });
        let mut factors: Vec<Factor> = upstream.into_iter().collect();
        factors.extend(
            dense
                .links
                .iter()
                .rev()
                .map(|link| Factor { kind: self.kind(link), value: self.at(link.slope, row, unit) }),
        );
        factors
    }

    /// What the slope of a link is.
    pub fn kind(&self, link: &Link) -> FactorKind {
        match self.lowered.graph.node(link.node).origin.role {
            NodeRole::Cost => FactorKind::Cost,
            NodeRole::Dropout => FactorKind::Mask,
            NodeRole::Normalized | NodeRole::ScaledAndShifted => FactorKind::Normalization,
            _ => FactorKind::Slope,
        }
    }

    pub(super) fn find_dense(&self, layer: usize) -> Option<Dense> {
        let Layer::Dense(layers::Dense { units, .. }) = self.network.layers[layer] else { return None };
        let forward = &self.lowered.graph;
        let own = |id: &NodeId| {
            let origin = &forward.node(*id).origin;
            origin.layer == Some(layer) && origin.role == NodeRole::WeightedSum
        };
        let product = forward
            .ids()
            .filter(own)
            .find(|&id| matches!(forward.node(id).op(), Some(Op::MatrixProduct(_))))?;
        let sum = forward.ids().rfind(own)?;
        let input = forward.node(product).inputs()[0];
        Some(Dense {
            layer,
            inputs: forward.shape(input).sizes()[1],
            units,
            input,
            sum,
            delta: self.adjoint(sum)?,
            links: self.links(sum),
            weight: self.weight_of(layer)?,
            bias: self.bias_of(layer),
        })
    }

    /// Follows a node through operations that work unit by unit.
    fn links(&self, from: NodeId) -> Vec<Link> {
        let forward = &self.lowered.graph;
        let needed = forward.ancestors(&[self.lowered.cost]);
        let mut links = Vec::new();
        let mut at = from;
        loop {
            let mut readers =
                forward.ids().filter(|&id| needed[id.index()] && forward.node(id).inputs().contains(&at));
            let (Some(node), None) = (readers.next(), readers.next()) else { return links };
            let Some(adjoint) = self.adjoint(at) else { return links };
            if self.adjoint(node) == Some(adjoint) {
                at = node; // A number was added, or taken away: the slope is 1.
                continue;
            }
            if self.graph().node(adjoint).origin.pulls_back != Some(node) {
                return links;
            }
            let is_cost = forward.node(node).origin.role == NodeRole::Cost;
            match &self.graph().node(adjoint).kind {
                // A rule of an operation that works unit by unit is one multiplication,
                Kind::Operation(Op::Multiply(_), factors) => {
                    links.push(Link { node, upstream: Some(factors[0]), slope: factors[1], is_cost });
                }
                // or none: one example is its own mean.
                _ if is_cost => links.push(Link { node, upstream: None, slope: adjoint, is_cost }),
                _ => return links,
            }
            if is_cost {
                return links;
            }
            at = node;
        }
    }
}
