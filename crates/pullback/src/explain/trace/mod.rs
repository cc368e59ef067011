//! Every number of one forward and backward pass, found in the graph that the trainer runs.
//!
//! Nothing is computed here but the graph itself, in `f64`, node by node. A [`Trace`] knows where in the
//! graph each layer's weighted sums, activations, deltas and gradients stand, and reads them off.

mod dense;
mod images;
mod weighted;

pub use dense::{Dense, Factor, FactorKind, Link};
pub use images::{Filters, Imaging};
pub use weighted::{Activated, LayerName, Weighted};

use crate::differentiate::{Gradients, reverse};
use crate::error::{Error, Result};
use crate::execute::reference;
use crate::graph::{Graph, Kind, NodeId, NodeRole, Op};
use crate::network::{Form, Lowered, Mask, Mode, Network, Parameter, Role};
use pullback_kernels::{Isa, Workspace, dropout_mask};

/// A forward and a backward pass with all their numbers.
#[derive(Debug)]
pub struct Trace {
    network: Network,
    parameters: Vec<Parameter>,
    lowered: Lowered,
    gradients: Gradients,
    values: Vec<Vec<f64>>,
    rows: usize,
    weights: Option<Vec<f64>>,
    mode: Mode,
    seed: u64,
    dense: Vec<Dense>,
    images: Vec<Imaging>,
}

/// A part of a weight's gradient: from the data, or from regularization.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The role of what it was pulled back through: a weighted sum, regularization.
    pub role: NodeRole,
    /// Its number.
    pub value: f64,
}

impl Trace {
    /// Runs a network forwards and backwards on `rows` examples: features `[rows, inputs]` and targets
    /// `[rows, outputs]`. Dropout drops nothing, batch norm takes its running averages.
    ///
    /// # Errors
    /// As [`Trace::with_mode`].
    pub fn new(
        network: &Network,
        parameters: &[Vec<f64>],
        features: &[f64],
        targets: &[f64],
        rows: usize,
    ) -> Result<Self> {
        Self::with_mode(network, parameters, features, targets, rows, Mode::Evaluation, 0)
    }

    /// The same in a given mode. In training, dropout masks are those of the first step of a run with
    /// that seed, and batch norm takes the batch's own mean and variance.
    ///
    /// # Errors
    /// If the network contradicts itself, or the numbers do not fit it.
    pub fn with_mode(
        network: &Network,
        parameters: &[Vec<f64>],
        features: &[f64],
        targets: &[f64],
        rows: usize,
        mode: Mode,
        seed: u64,
    ) -> Result<Self> {
        Self::weighted(network, parameters, (features, targets, None), rows, mode, seed)
    }

    /// The same of examples with weights, if there are any: features, targets and weights.
    ///
    /// # Errors
    /// As [`Trace::with_mode`].
    pub fn weighted(
        network: &Network,
        parameters: &[Vec<f64>],
        (features, targets, weights): (&[f64], &[f64], Option<&[f64]>),
        rows: usize,
        mode: Mode,
        seed: u64,
    ) -> Result<Self> {
        let specification = network.parameters()?;
        let fits = features.len() == rows * network.inputs
            && targets.len() == rows * network.outputs()
            && weights.is_none_or(|weights| weights.len() == rows)
            && parameters.len() == specification.len()
            && parameters.iter().zip(&specification).all(|(own, p)| own.len() == p.shape.elements());
        if !fits || rows == 0 {
            return Err(Error::configuration("features, targets and parameters do not fit the network")
                .help("give at least one whole row"));
        }
        let lowered = network.lower_less(rows, mode, 0.0, weights.is_some())?;
        let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters)?;
        let mut given = vec![Vec::new(); gradients.graph.nodes().len()];
        let inputs =
            gradients.graph.ids().filter(|&id| matches!(gradients.graph.node(id).kind, Kind::Input(_)));
        let inputs: Vec<NodeId> = inputs.collect();
        for (at, input) in lowered.inputs.iter().enumerate() {
            let numbers = lowered.columns(features, at);
            if let Form::Index(index) = input.form {
                index.check(&numbers)?;
            }
            given[inputs[input.place].index()] = numbers;
        }
        given[inputs[lowered.targets].index()] = targets.to_vec();
        if let (Some(place), Some(weights)) = (lowered.weights, weights) {
            given[inputs[place].index()] = weights.to_vec();
        }
        for (number, mask) in lowered.masks.iter().enumerate() {
            let id = inputs[mask.input];
            let mut numbers = vec![0.0; gradients.graph.shape(id).elements()];
            let (address, mut workspace) =
                (Mask::address(seed, 0, 0, number), Workspace::new(Isa::best(), 1));
            dropout_mask(address, mask.rate, &mut numbers, &mut workspace);
            given[id.index()] = numbers;
        }
        for (id, numbers) in lowered.parameters.iter().zip(parameters) {
            given[id.index()].clone_from(numbers);
        }
        let values = reference(&gradients.graph, &given);
        let mut trace = Self {
            network: network.clone(),
            parameters: specification,
            lowered,
            gradients,
            values,
            rows,
            weights: weights.map(<[f64]>::to_vec),
            mode,
            seed,
            dense: Vec::new(),
            images: Vec::new(),
        };
        let forms = network.forms()?;
        trace.images =
            (0..network.layers.len()).filter_map(|layer| trace.find_imaging(layer, &forms)).collect();
        trace.dense = (0..network.layers.len()).filter_map(|layer| trace.find_dense(layer)).collect();
        Ok(trace)
    }

    /// How often each example counts, where they do not count alike.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// Whether dropout dropped, and batch norm took the batch's own figures.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The seed of its dropout masks.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The numbers of all nodes, by place.
    pub(in crate::explain) fn values(&self) -> &[Vec<f64>] {
        &self.values
    }

    /// The cost if one number of a parameter were another: a forward pass alone.
    pub fn cost_with(&self, place: usize, element: usize, number: f64) -> f64 {
        let mut given: Vec<Vec<f64>> = self.values[..self.lowered.graph.nodes().len()].to_vec();
        given[self.lowered.parameters[place].index()][element] = number;
        reference(&self.lowered.graph, &given)[self.lowered.cost.index()][0]
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The graph of forward and backward pass.
    pub fn graph(&self) -> &Graph {
        &self.gradients.graph
    }

    /// The network as a graph: the first nodes of [`Trace::graph`].
    pub fn lowered(&self) -> &Lowered {
        &self.lowered
    }

    /// The number of examples.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The dense layers, from the inputs on.
    pub fn dense(&self) -> &[Dense] {
        &self.dense
    }

    /// The convolutions and poolings, from the inputs on.
    pub fn images(&self) -> &[Imaging] {
        &self.images
    }

    /// The parameters, in the order of the network.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// A node's numbers.
    pub fn value(&self, id: NodeId) -> &[f64] {
        &self.values[id.index()]
    }

    /// The numbers of the node at a place of the graph.
    pub(in crate::explain) fn value_at(&self, index: usize) -> &[f64] {
        &self.values[index]
    }

    /// A parameter's numbers.
    pub fn parameter(&self, place: usize) -> &[f64] {
        self.value(self.lowered.parameters[place])
    }

    /// The gradient of the cost with respect to a parameter.
    pub fn gradient(&self, place: usize) -> &[f64] {
        self.value(self.gradients.nodes[place])
    }

    /// The derivative of the cost with respect to a node, where the backward pass reaches it.
    pub fn adjoint(&self, id: NodeId) -> Option<NodeId> {
        self.gradients.adjoints.get(id.index()).copied().flatten()
    }

    /// The cost with regularization.
    pub fn cost(&self) -> f64 {
        self.value(self.lowered.cost)[0]
    }

    /// The mean cost of the examples.
    pub fn data_cost(&self) -> f64 {
        self.value(self.lowered.data_cost)[0]
    }

    /// A node's number at a row and unit; rows and units that a node does not have repeat.
    pub fn at(&self, id: NodeId, row: usize, unit: usize) -> f64 {
        let numbers = self.value(id);
        let sizes = self.graph().shape(id).sizes();
        let (rows, units) = match sizes {
            [] => (1, 1),
            [units] => (1, *units),
            [rows, rest @ ..] => (*rows, rest.iter().product()),
        };
        numbers[if rows == 1 { 0 } else { row } * units + if units == 1 { 0 } else { unit }]
    }

    /// The node of a parameter's gradient.
    pub fn gradient_node(&self, place: usize) -> NodeId {
        self.gradients.nodes[place]
    }

    /// The terms of a weight's gradient.
    pub fn parts(&self, place: usize, element: usize) -> Vec<Part> {
        let mut parts = Vec::new();
        self.collect_parts(self.gradients.nodes[place], element, &mut parts);
        parts
    }

    fn collect_parts(&self, id: NodeId, element: usize, parts: &mut Vec<Part>) {
        let node = self.graph().node(id);
        if let Kind::Operation(Op::Add(_), operands) = &node.kind
            && operands.iter().all(|operand| self.graph().shape(*operand) == &node.shape)
        {
            for &operand in operands {
                self.collect_parts(operand, element, parts);
            }
            return;
        }
        let through = node.origin.pulls_back.map(|forward| self.graph().node(forward).origin.role);
        let numbers = self.value(id);
        let value = numbers[if numbers.len() == 1 { 0 } else { element }];
        parts.push(Part { role: through.unwrap_or_default(), value });
    }

    /// The nodes that belong to no dense layer, convolution or pooling, nor to what follows a weighted sum unit by
    /// unit, by the place of their layer (`3`, `3.1`, `image.0`): what only a reading of the graph can show.
    pub fn others(&self) -> Vec<(String, Vec<NodeId>)> {
        let forward = &self.lowered.graph;
        let needed = forward.ancestors(&[self.lowered.cost]);
        let links = || self.dense.iter().flat_map(|dense| &dense.links);
        // A layer whose last node is a link, or has the derivative of one because it adds a number, is described.
        let is_described = |place: &str, last: NodeId| {
            self.dense.iter().any(|dense| dense.layer.to_string() == place)
                || self.images.iter().any(|images| images.layer.to_string() == place)
                || links().any(|link| {
                    link.node == last
                        || self.adjoint(last).is_some() && self.adjoint(link.node) == self.adjoint(last)
                })
        };
        let mut others: Vec<(String, Vec<NodeId>)> = Vec::new();
        for id in forward.ids().filter(|id| needed[id.index()] && forward.node(*id).op().is_some()) {
            let Some(place) = forward.node(id).origin.place() else { continue };
            match others.iter_mut().find(|(own, _)| *own == place) {
                Some((_, nodes)) => nodes.push(id),
                None => others.push((place, vec![id])),
            }
        }
        // An identity has its own sentence.
        let is_identity = |id: &NodeId| matches!(forward.node(*id).op(), Some(Op::Identity(_)));
        others.retain(|(_, nodes)| !nodes.iter().all(is_identity));
        others.retain(|(place, nodes)| !nodes.last().is_some_and(|&last| is_described(place, last)));
        others
    }

    fn weight_of(&self, layer: usize) -> Option<usize> {
        self.parameters.iter().position(|p| p.layer == Some(layer) && matches!(p.role, Role::Weight(_)))
    }

    fn bias_of(&self, layer: usize) -> Option<usize> {
        self.parameters.iter().position(|p| p.layer == Some(layer) && p.role == Role::Bias)
    }
}
