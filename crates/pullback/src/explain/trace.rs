//! Every number of one forward and backward pass, found in the graph that the trainer runs.
//!
//! Nothing is computed here but the graph itself, in `f64`, node by node. A [`Trace`] knows where in the
//! graph each layer's weighted sums, activations, deltas and gradients stand, and reads them off.

use crate::differentiate::{Gradients, reverse};
use crate::error::{Error, Result};
use crate::execute::reference;
use crate::graph::{Graph, Kind, NodeId, NodeRole, Op};
use crate::network::{Form, Image, Layer, Lowered, Mask, Mode, Network, Parameter, Role};
use pullback_kernels::{Isa, Windows, Workspace, dropout_mask};

/// A forward and a backward pass with all their numbers.
#[derive(Debug)]
pub struct Trace {
    network: Network,
    parameters: Vec<Parameter>,
    lowered: Lowered,
    gradients: Gradients,
    values: Vec<Vec<f64>>,
    rows: usize,
    dense: Vec<Dense>,
    images: Vec<Imaging>,
}

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
        let specification = network.parameters()?;
        let fits = features.len() == rows * network.inputs
            && targets.len() == rows * network.outputs()
            && parameters.len() == specification.len()
            && parameters.iter().zip(&specification).all(|(own, p)| own.len() == p.shape.elements());
        if !fits || rows == 0 {
            return Err(Error::configuration("features, targets and parameters do not fit the network")
                .help("give at least one whole row"));
        }
        let lowered = network.lower(rows, mode)?;
        let gradients = reverse(&lowered.graph, lowered.cost, &lowered.parameters)?;
        let mut given = vec![Vec::new(); gradients.graph.nodes().len()];
        let inputs =
            gradients.graph.ids().filter(|&id| matches!(gradients.graph.node(id).kind, Kind::Input(_)));
        let inputs: Vec<NodeId> = inputs.collect();
        for (at, input) in lowered.inputs.iter().enumerate() {
            given[inputs[input.place].index()] = lowered.columns(features, at);
        }
        given[inputs[lowered.targets].index()] = targets.to_vec();
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
            dense: Vec::new(),
            images: Vec::new(),
        };
        let forms = network.forms()?;
        trace.images =
            (0..network.layers.len()).filter_map(|layer| trace.find_imaging(layer, &forms)).collect();
        trace.dense = (0..network.layers.len()).filter_map(|layer| trace.find_dense(layer)).collect();
        Ok(trace)
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

    /// A parameter's numbers.
    pub fn parameter(&self, place: usize) -> &[f64] {
        self.value(self.lowered.parameters[place])
    }

    /// The gradient of the cost with respect to a parameter.
    pub fn gradient(&self, place: usize) -> &[f64] {
        self.value(self.gradients.nodes[place])
    }

    /// The derivative of the cost with respect to a node, where the backward pass came past.
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

    /// The parts that a weight's gradient is the sum of.
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

    fn find_dense(&self, layer: usize) -> Option<Dense> {
        let Layer::Dense(crate::network::layers::Dense { units, .. }) = self.network.layers[layer] else {
            return None;
        };
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

    fn weight_of(&self, layer: usize) -> Option<usize> {
        self.parameters.iter().position(|p| p.layer == Some(layer) && matches!(p.role, Role::Weight(_)))
    }

    fn bias_of(&self, layer: usize) -> Option<usize> {
        self.parameters.iter().position(|p| p.layer == Some(layer) && p.role == Role::Bias)
    }

    fn find_imaging(&self, layer: usize, forms: &[Form]) -> Option<Imaging> {
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
