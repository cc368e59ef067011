//! From a network to the graph of its forward pass and cost, for one batch size.

use super::layers::Layer;
use super::path::Path;
use super::{Form, Network};
use crate::compact::Map;
use crate::error::Result;
use crate::graph::ops::Concatenate;
use crate::graph::{Builder, Graph, NodeId, NodeRole, Origin, Shape, Var};
use crate::random::{Purpose, Random};
use pullback_kernels::MaskAddress;

/// Whether the graph is for a training step or for prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Dropout drops, batch norm uses the batch.
    Training,
    /// Dropout does nothing, batch norm uses its running averages.
    Evaluation,
}

/// A dropout mask: an input of the graph, filled anew for each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mask {
    /// The input's place among the graph's inputs.
    pub input: usize,
    /// The number of the layer that it belongs to or is inside of; absent for an input's own layers.
    pub layer: Option<usize>,
    /// The probability of zero; the other entries are `1 / (1 - rate)`.
    pub rate: f64,
}

impl Mask {
    /// Where the numbers of a step's mask stand: each epoch has a key of its own, so that neither many steps nor many
    /// masks come round to another's.
    pub(crate) fn address(seed: u64, epoch: usize, step: usize, number: usize) -> MaskAddress {
        let key = Random::new(seed, Purpose::Dropout, epoch as u32).bits(0);
        MaskAddress { key: [key as u32, (key >> 32) as u32], step: step as u32, number: number as u32 }
    }
}

/// What is given of each example: an input of the graph, `[batch, numbers]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Its name: `features`, or that of one of several inputs.
    pub name: String,
    /// What an example is in it.
    pub form: Form,
    /// Its place among the graph's inputs.
    pub place: usize,
}

/// A network as a graph. Its inputs are, in order: what is given of examples (`features`, or the named inputs),
/// targets `[batch, outputs]`, the weights of the examples `[batch, 1]` where they have some, dropout masks. Its
/// parameters are the network's, in order.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// Every operation of forward pass and cost.
    pub graph: Graph,
    /// What is given of examples, in order.
    pub inputs: Vec<Given>,
    /// The place of the targets among the graph's inputs.
    pub targets: usize,
    /// The place of the examples' weights among the graph's inputs, where they have some.
    pub weights: Option<usize>,
    /// The parameters' nodes, in the order of [`Network::parameters`].
    pub parameters: Vec<NodeId>,
    /// The last layer's result, `[batch, outputs]`.
    pub output: NodeId,
    /// What the network predicts, `[batch, outputs]`: probabilities or numbers.
    pub prediction: NodeId,
    /// The costs that are averaged, each with its example's weight: one for each row, `[batch]`, or for each output
    /// of each row, `[batch, outputs]`.
    pub costs: NodeId,
    /// The mean cost of the batch's examples, `sum(w c) / sum(w)` where they have weights, without regularization.
    pub data_cost: NodeId,
    /// What is minimized: the data cost and the regularization.
    pub cost: NodeId,
    /// The dropout masks.
    pub masks: Vec<Mask>,
    /// New values of parameters that are not trained: the place of the parameter, and the node.
    pub statistics: Vec<(usize, NodeId)>,
}

impl Lowered {
    /// The columns of one of several inputs, out of rows that hold them side by side in their order.
    ///
    /// # Panics
    /// If `features` are not whole rows, or `input` is not among the inputs.
    pub fn columns<T: Copy>(&self, features: &[T], input: usize) -> Vec<T> {
        let width = |input: &Given| input.form.elements();
        let (all, first): (usize, usize) =
            (self.inputs.iter().map(width).sum(), self.inputs[..input].iter().map(width).sum());
        let own = width(&self.inputs[input]);
        features.chunks_exact(all).flat_map(|row| &row[first..first + own]).copied().collect()
    }
}

impl Network {
    /// Whether the features are weighted and summed before anything else.
    pub(crate) fn begins_dense(&self) -> bool {
        self.named.is_empty() && matches!(self.layers.first(), Some(Layer::Dense(_)))
    }

    /// The graph of forward pass and cost for batches of `batch` examples.
    ///
    /// # Errors
    /// If the description contradicts itself, or its last layer does not fit the cost.
    pub fn lower(&self, batch: usize, mode: Mode) -> Result<Lowered> {
        self.lower_less(batch, mode, 0.0, false)
    }

    /// The graph for prediction, where what becomes probabilities is divided by a temperature before.
    ///
    /// # Errors
    /// As [`Network::lower`].
    pub(crate) fn lower_calibrated(&self, batch: usize, temperature: f64) -> Result<Lowered> {
        self.lower_by(batch, Mode::Evaluation, (0.0, temperature), false)
    }

    /// The same for examples that have weights: the cost is `sum(w c) / sum(w)` of the batch.
    ///
    /// # Errors
    /// As [`Network::lower`].
    pub fn lower_weighted(&self, batch: usize, mode: Mode) -> Result<Lowered> {
        self.lower_less(batch, mode, 0.0, true)
    }

    /// Either of them for features from which a number c, the `background`, was subtracted. Where many features are
    /// that number, as in pictures, they become zeros, which products leave out. A dense first layer adds the
    /// number's contribution to its weighted sums, once for each unit: x W^T = (x - c) W^T + c W^T 1. Before other
    /// layers it is added to the features themselves (never to codes).
    ///
    /// # Errors
    /// As [`Network::lower`].
    pub fn lower_less(
        &self,
        batch: usize,
        mode: Mode,
        background: f64,
        is_weighted: bool,
    ) -> Result<Lowered> {
        self.lower_by(batch, mode, (background, 1.0), is_weighted)
    }

    fn lower_by(
        &self,
        batch: usize,
        mode: Mode,
        (background, temperature): (f64, f64),
        is_weighted: bool,
    ) -> Result<Lowered> {
        let parameters = self.parameters()?;
        let outputs = self.outputs();
        let builder = Builder::new();
        let given: Vec<Given> = match &self.named[..] {
            [] => vec![Given { name: "features".into(), form: self.form()?, place: 0 }],
            named => (named.iter().enumerate())
                .map(|(place, input)| Given { name: input.name.clone(), form: input.form, place })
                .collect(),
        };
        let features: Vec<Var<'_>> =
            given.iter().map(|input| builder.input(&input.name, [batch, input.form.elements()])).collect();
        let place_of_targets = given.len();
        let targets = builder.input("targets", [batch, outputs]);
        let weights = is_weighted.then(|| builder.input("weights", [batch, 1]));
        let vars: Vec<Var<'_>> = parameters
            .iter()
            .map(|parameter| {
                builder.set_origin(Origin { layer: parameter.layer, ..Origin::default() });
                builder.parameter(&parameter.name, parameter.shape.clone())
            })
            .collect();

        let begins_dense = self.begins_dense();
        let mut lowering = Lowering {
            builder: &builder,
            places: parameters.iter().enumerate().map(|(at, parameter)| (&parameter.name[..], at)).collect(),
            vars: &vars,
            path: Path::network(),
            batch,
            mode,
            background: if begins_dense { background } else { 0.0 },
            inputs: place_of_targets + 1 + usize::from(is_weighted),
            masks: vec![],
            statistics: vec![],
        };
        let whole = |input: &Given, value: Var<'_>| {
            background == 0.0 || begins_dense || matches!(input.form, Form::Index(_)) || value.id().is_none()
        };
        let mut made = Vec::new();
        for (at, (input, &features)) in given.iter().zip(&features).enumerate() {
            let value = if whole(input, features) { features } else { features + background };
            let named = self.named.get(at);
            lowering.path = Path::input(&input.name);
            made.push(match named {
                Some(named) => lowering.layers(&named.layers, input.form, value),
                None => (value, input.form),
            });
        }
        lowering.path = Path::network();
        let (value, form) = lowering.join(&made);
        let (value, _) = lowering.layers(&self.layers, form, value);
        // Where an image is what is predicted, all its numbers.
        let value = value.reshape([batch, outputs]);
        let Lowering { masks, statistics, .. } = lowering;

        let role = |role| builder.set_origin(Origin { role, ..Origin::default() });
        role(NodeRole::Prediction);
        // A product with 1 would be one operation more.
        let tempered = if temperature == 1.0 { value } else { value.scale(1.0 / temperature) };
        let prediction = self.cost.prediction(tempered);
        role(NodeRole::Cost);
        let costs = self.cost.lower(value, targets);
        let data_cost = match weights {
            None => costs.sum_all().scale(1.0 / batch as f64),
            Some(weights) => {
                // One number a row where there is one cost a row.
                let each = if self.cost.is_one_a_row() { weights.reshape([batch]) } else { weights };
                role(NodeRole::WeightedCost);
                let weighted = costs * each;
                role(NodeRole::Cost);
                // In this order weights of 1 give the bits of the mean.
                weighted.sum_all() * weights.sum_all().power(-1.0)
            }
        };
        role(NodeRole::Regularization);
        // A row of weight 2 counts as two examples, so with weights the divisor is their sum, which the graph finds.
        let counted = weights.filter(|_| self.regularization.divide_by_batch);
        let divisor =
            if self.regularization.divide_by_batch && counted.is_none() { batch as f64 } else { 1.0 };
        let mut cost = data_cost;
        let penalties = parameters.iter().zip(&vars).flat_map(|(parameter, var)| {
            let l2 =
                (parameter.l2 > 0.0).then(|| (*var * *var).sum_all().scale(parameter.l2 / (2.0 * divisor)));
            let l1 = (parameter.l1 > 0.0).then(|| var.abs().sum_all().scale(parameter.l1 / divisor));
            [l2, l1].into_iter().flatten()
        });
        for penalty in penalties {
            cost = cost
                + match counted {
                    None => penalty,
                    Some(weights) => penalty * weights.sum_all().power(-1.0),
                };
        }

        let ids = (|| {
            let parameters = vars.iter().map(|var| var.id()).collect::<Option<Vec<_>>>()?;
            let statistics =
                statistics.iter().map(|(at, var)| Some((*at, var.id()?))).collect::<Option<Vec<_>>>()?;
            Some((
                parameters,
                statistics,
                value.id()?,
                prediction.id()?,
                costs.id()?,
                data_cost.id()?,
                cost.id()?,
            ))
        })();
        let graph = builder.finish()?;
        let (parameters, statistics, output, prediction, costs, data_cost, cost) =
            ids.expect("a graph without shape errors has all its nodes");
        Ok(Lowered {
            graph,
            inputs: given,
            targets: place_of_targets,
            weights: is_weighted.then_some(place_of_targets + 1),
            parameters,
            output,
            prediction,
            costs,
            data_cost,
            cost,
            masks,
            statistics,
        })
    }
}

/// The walk over the layers that makes the graph, and where it stands.
#[derive(Debug)]
pub struct Lowering<'a, 'b> {
    builder: &'b Builder,
    /// Where the parameter of each name stands among `vars`.
    places: Map<&'a str, usize>,
    vars: &'a [Var<'b>],
    path: Path,
    batch: usize,
    mode: Mode,
    /// The background that was subtracted from the features of a dense first layer.
    background: f64,
    /// How many inputs the graph has.
    inputs: usize,
    masks: Vec<Mask>,
    statistics: Vec<(usize, Var<'b>)>,
}

impl<'b> Lowering<'_, 'b> {
    /// The number of examples.
    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// Whether the graph is for training.
    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// Appends layers, one after the other; says what an example is after them.
    pub(super) fn layers(&mut self, layers: &[Layer], reads: Form, x: Var<'b>) -> (Var<'b>, Form) {
        let (mut value, mut form) = (x, reads);
        self.path.enter();
        for (number, layer) in layers.iter().enumerate() {
            self.path.set(number);
            value = layer.lower(self, form, value);
            form = layer.form(form).expect("forms are checked before lowering");
        }
        self.path.leave();
        (value, form)
    }

    /// All numbers of several inputs in one row; one input as it is.
    fn join(&self, made: &[(Var<'b>, Form)]) -> (Var<'b>, Form) {
        if let [only] = made {
            return *only;
        }
        let role = Origin { role: NodeRole::Joined, ..Origin::default() };
        self.builder.set_origin(role);
        let width = made.iter().map(|(_, form)| form.elements()).sum();
        let rows = made.iter().map(|(value, form)| value.reshape([self.batch, form.elements()]));
        (self.concatenated(rows.collect()), Form::Row(width))
    }

    /// Rows of numbers side by side, of which there is at least one.
    pub(super) fn concatenated(&self, mut parts: Vec<Var<'b>>) -> Var<'b> {
        while parts.len() > 1 {
            let groups = parts.chunks(Concatenate::MAX_OPERANDS);
            parts = groups
                .map(|group| match group {
                    [one] => *one,
                    more => self.builder.apply(Concatenate { axis: 1 }, more),
                })
                .collect();
        }
        parts[0]
    }

    /// The present layer's parameter of that name.
    pub(super) fn parameter(&self, name: &str) -> Var<'b> {
        self.vars[self.place(name)]
    }

    fn place(&self, name: &str) -> usize {
        let name = self.path.name(name);
        *self.places.get(&name[..]).expect("a layer lowers with the parameters that it declares")
    }

    /// Says what the nodes are that are made from now on.
    pub(super) fn role(&self, role: NodeRole) {
        self.builder.set_origin(Origin {
            layer: self.path.layer(),
            path: self.path.beyond_layer(),
            role,
            ..Origin::default()
        });
    }

    /// The numbers of each example in a row, `[batch, numbers]`.
    pub(super) fn rows(&self, form: Form, value: Var<'b>) -> Var<'b> {
        self.role(NodeRole::Row);
        value.reshape([self.batch, form.elements()])
    }

    /// A row for each pixel or position; of a row, for each example.
    pub(super) fn matrix(&self, form: Form, value: Var<'b>) -> Var<'b> {
        self.role(if matches!(form, Form::Sequence(_)) { NodeRole::Positions } else { NodeRole::Pixels });
        value.reshape(form.matrix(self.batch))
    }

    /// The sum with the present layer's bias.
    pub(super) fn with_bias(&self, sum: Var<'b>, has_bias: bool) -> Var<'b> {
        if has_bias { sum + self.parameter("bias") } else { sum }
    }

    /// The background of the features, handed out once: to the dense layer that reads them.
    pub(super) fn take_background(&mut self) -> f64 {
        std::mem::take(&mut self.background)
    }

    /// A mask of dropout, drawn anew for each step.
    pub(super) fn mask(&mut self, rate: f64, shape: Shape) -> Var<'b> {
        let mask = self.builder.input(&self.path.name("mask"), shape);
        self.masks.push(Mask { input: self.inputs, layer: self.path.layer(), rate });
        self.inputs += 1;
        mask
    }

    /// The new value of a parameter that is not trained.
    pub(super) fn statistic(&mut self, name: &str, new: Var<'b>) {
        self.statistics.push((self.place(name), new));
    }

    /// Centered, scaled to a variance of one, then scaled and shifted by the present layer's parameters.
    pub(super) fn normalize(
        &self,
        value: Var<'b>,
        mean: Var<'b>,
        variance: Var<'b>,
        epsilon: f64,
    ) -> Var<'b> {
        self.role(NodeRole::Normalized);
        let normalized = (value - mean) * (variance + epsilon).power(-0.5);
        self.role(NodeRole::ScaledAndShifted);
        normalized * self.parameter("scale") + self.parameter("shift")
    }
}
