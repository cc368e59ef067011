//! From a network to the graph of its forward pass and cost, for one batch size.

use super::{Form, Layer, Network, Parameter};
use crate::error::Result;
use crate::graph::{Builder, Graph, NodeId, NodeRole, Origin, Var, ops};
use crate::random::{Purpose, Random};
use pullback_kernels::Real;

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
    /// The layer that it belongs to.
    pub layer: usize,
    /// The probability of zero; the other entries are `1 / (1 - rate)`.
    pub rate: f64,
}

impl Mask {
    /// Draws the mask of a step. An entry's address is (epoch, step, `number` of the mask, element).
    pub(crate) fn draw<T: Real>(&self, seed: u64, epoch: usize, step: usize, number: usize, out: &mut [T]) {
        let random = Random::new(seed, Purpose::Dropout, epoch as u32);
        let first = (step as u64) << 40 | (number as u64) << 32;
        let kept = T::from_f64(1.0 / (1.0 - self.rate));
        for (index, entry) in (first..).zip(out) {
            *entry = if random.uniform(index) < self.rate { T::ZERO } else { kept };
        }
    }
}

/// A network as a graph. Its inputs are, in order: features `[batch, inputs]`, targets
/// `[batch, outputs]`, dropout masks. Its parameters are the network's, in order.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// Every operation of forward pass and cost.
    pub graph: Graph,
    /// The parameters' nodes, in the order of [`Network::parameters`].
    pub parameters: Vec<NodeId>,
    /// The last layer's result, `[batch, outputs]`.
    pub output: NodeId,
    /// What the network predicts, `[batch, outputs]`: probabilities or numbers.
    pub prediction: NodeId,
    /// The mean cost of the batch's examples, without regularization.
    pub data_cost: NodeId,
    /// What is minimized: the data cost and the regularization.
    pub cost: NodeId,
    /// The dropout masks.
    pub masks: Vec<Mask>,
    /// New values of parameters that are not trained: the place of the parameter, and the node.
    pub statistics: Vec<(usize, NodeId)>,
}

/// The place of the features among the graph's inputs.
pub(crate) const FEATURES: usize = 0;
/// The place of the targets among the graph's inputs.
pub(crate) const TARGETS: usize = 1;

impl Network {
    /// Whether the features are weighted and summed before anything else.
    pub(crate) fn begins_dense(&self) -> bool {
        matches!(self.layers.first(), Some(Layer::Dense { .. }))
    }

    /// The graph of forward pass and cost for batches of `batch` examples.
    ///
    /// # Errors
    /// If the description contradicts itself, or its last layer does not fit the cost.
    pub fn lower(&self, batch: usize, mode: Mode) -> Result<Lowered> {
        self.lower_less(batch, mode, 0.0)
    }

    /// The same for features that are given less a number, `background`: where many of them are that number, as in
    /// pictures, zeros are left, which products leave out. What the number contributes is added to the weighted sums
    /// of a dense first layer, once for each unit, x W^T = (x - c) W^T + c W^T 1; before other layers it is added to
    /// the features themselves.
    ///
    /// # Errors
    /// As [`Network::lower`].
    pub fn lower_less(&self, batch: usize, mode: Mode, background: f64) -> Result<Lowered> {
        let parameters = self.parameters()?;
        let builder = Builder::new();
        let features = builder.input("features", [batch, self.inputs]);
        let targets = builder.input("targets", [batch, self.outputs()]);
        let vars: Vec<Var<'_>> = parameters
            .iter()
            .map(|parameter| {
                builder.set_origin(Origin { layer: Some(parameter.layer), ..Origin::default() });
                builder.parameter(&parameter.name, parameter.shape.clone())
            })
            .collect();

        let mut lowering = Lowering {
            builder: &builder,
            parameters: &parameters,
            vars: &vars,
            batch,
            mode,
            background,
            masks: vec![],
            statistics: vec![],
        };
        let mut value = features;
        if background != 0.0 && !self.begins_dense() {
            value = value + background;
        }
        for (index, (layer, form)) in self.layers.iter().zip(self.forms()?).enumerate() {
            value = lowering.layer(index, layer, form, value)?;
        }
        // Where an image is what is predicted, all its numbers.
        value = value.reshape([batch, self.outputs()]);
        let Lowering { masks, statistics, .. } = lowering;

        let role = |role| builder.set_origin(Origin { role, ..Origin::default() });
        role(NodeRole::Prediction);
        let prediction = self.cost.prediction(value);
        role(NodeRole::Cost);
        let data_cost = self.cost.lower(value, targets);
        role(NodeRole::Regularization);
        let divisor = if self.regularization.divide_by_batch { batch as f64 } else { 1.0 };
        let mut cost = data_cost;
        for (parameter, var) in parameters.iter().zip(&vars) {
            if parameter.l2 > 0.0 {
                cost = cost + (*var * *var).sum_all().scale(parameter.l2 / (2.0 * divisor));
            }
            if parameter.l1 > 0.0 {
                cost = cost + var.abs().sum_all().scale(parameter.l1 / divisor);
            }
        }

        let ids = (|| {
            let parameters = vars.iter().map(|var| var.id()).collect::<Option<Vec<_>>>()?;
            let statistics =
                statistics.iter().map(|(at, var)| Some((*at, var.id()?))).collect::<Option<Vec<_>>>()?;
            Some((parameters, statistics, value.id()?, prediction.id()?, data_cost.id()?, cost.id()?))
        })();
        let graph = builder.finish()?;
        let (parameters, statistics, output, prediction, data_cost, cost) =
            ids.expect("a graph without shape errors has all its nodes");
        Ok(Lowered { graph, parameters, output, prediction, data_cost, cost, masks, statistics })
    }
}

/// The state of a walk over the layers.
struct Lowering<'a, 'b> {
    builder: &'b Builder,
    parameters: &'a [Parameter],
    vars: &'a [Var<'b>],
    batch: usize,
    mode: Mode,
    /// What the features are given less.
    background: f64,
    masks: Vec<Mask>,
    statistics: Vec<(usize, Var<'b>)>,
}

impl<'b> Lowering<'_, 'b> {
    /// The place of a layer's parameter.
    fn place(&self, layer: usize, name: &str) -> Option<usize> {
        let name = format!("layers.{layer}.{name}");
        self.parameters.iter().position(|parameter| parameter.name == name)
    }

    fn parameter(&self, layer: usize, name: &str) -> Var<'b> {
        self.vars[self.place(layer, name).expect("a layer's parameters are on the list")]
    }

    fn role(&self, layer: usize, role: NodeRole) {
        self.builder.set_origin(Origin { layer: Some(layer), role, ..Origin::default() });
    }

    /// The numbers of each example in a row.
    fn rows(&self, index: usize, form: Form, value: Var<'b>) -> Var<'b> {
        self.role(index, NodeRole::Row);
        value.reshape([self.batch, form.elements()])
    }

    /// The channels of each pixel in a row; of what is no image, the numbers of each example.
    fn pixels(&self, index: usize, form: Form, value: Var<'b>) -> Var<'b> {
        self.role(index, NodeRole::Pixels);
        value.reshape(form.matrix(self.batch))
    }

    fn with_bias(&self, index: usize, sum: Var<'b>, has_bias: bool) -> Var<'b> {
        if has_bias { sum + self.parameter(index, "bias") } else { sum }
    }

    fn layer(&mut self, index: usize, layer: &Layer, form: Form, value: Var<'b>) -> Result<Var<'b>> {
        let windows = layer.windows(index, form)?.map(|(windows, _)| windows);
        Ok(match layer {
            Layer::Dense { has_bias, .. } => {
                let rows = self.rows(index, form, value);
                self.role(index, NodeRole::WeightedSum);
                let weight = self.parameter(index, "weight");
                let sum = rows.product_transposed(false, weight, true);
                if index > 0 || self.background == 0.0 {
                    return Ok(self.with_bias(index, sum, *has_bias));
                }
                let of_background = weight.sum(&[1]).scale(self.background);
                sum + self.with_bias(index, of_background, *has_bias)
            }
            Layer::Convolution { has_bias, .. } => {
                let pixels = self.pixels(index, form, value);
                self.role(index, NodeRole::WeightedSum);
                let convolution = ops::Convolution { windows: windows.expect("a convolution has windows") };
                let sum = self.builder.apply(convolution, &[pixels, self.parameter(index, "weight")]);
                self.with_bias(index, sum, *has_bias)
            }
            Layer::MaxPool { .. } => {
                let pixels = self.pixels(index, form, value);
                self.role(index, NodeRole::WindowMaximum);
                let windows = windows.expect("a pooling has windows");
                self.builder.apply(ops::MaxPool { windows }, &[pixels])
            }
            Layer::Activation { function } => {
                self.role(index, NodeRole::Activation);
                function.lower(value)
            }
            Layer::Dropout { rate } if self.mode == Mode::Training && *rate > 0.0 => {
                self.role(index, NodeRole::Dropout);
                let mask = self.builder.input(&format!("layers.{index}.mask"), value.shape());
                // Features and targets are the inputs before.
                let input = TARGETS + 1 + self.masks.len();
                self.masks.push(Mask { input, layer: index, rate: *rate });
                value * mask
            }
            Layer::Dropout { .. } => value,
            Layer::BatchNorm { momentum, epsilon } => {
                let value = self.pixels(index, form, value);
                let (mean, variance) = match self.mode {
                    Mode::Training => self.batch_statistics(index, value, *momentum),
                    Mode::Evaluation => {
                        (self.parameter(index, "running_mean"), self.parameter(index, "running_variance"))
                    }
                };
                self.normalize(index, value, mean, variance, *epsilon)
            }
            Layer::LayerNorm { epsilon } => {
                let value = self.rows(index, form, value);
                self.role(index, NodeRole::Mean);
                let mean = value.mean_keeping(&[1]);
                self.role(index, NodeRole::Variance);
                let centered = value - mean;
                let variance = (centered * centered).mean_keeping(&[1]);
                self.normalize(index, value, mean, variance, *epsilon)
            }
        })
    }

    /// Mean and variance of the batch; they also move the running ones. As is usual, the running
    /// variance takes the unbiased estimate, the step itself the biased one.
    fn batch_statistics(&mut self, index: usize, value: Var<'b>, momentum: f64) -> (Var<'b>, Var<'b>) {
        let batch = value.shape().sizes()[0] as f64;
        self.role(index, NodeRole::Mean);
        let mean = value.mean(&[0]);
        self.role(index, NodeRole::Variance);
        let centered = value - mean;
        let variance = (centered * centered).mean(&[0]);
        let unbiased = variance.scale(if batch > 1.0 { batch / (batch - 1.0) } else { 1.0 });
        for (name, role, new) in [
            ("running_mean", NodeRole::RunningMean, mean),
            ("running_variance", NodeRole::RunningVariance, unbiased),
        ] {
            self.role(index, role);
            let place = self.place(index, name).expect("batch norm has running averages");
            let moved = self.vars[place].scale(1.0 - momentum) + new.scale(momentum);
            self.statistics.push((place, moved));
        }
        (mean, variance)
    }

    fn normalize(
        &self,
        index: usize,
        value: Var<'b>,
        mean: Var<'b>,
        variance: Var<'b>,
        epsilon: f64,
    ) -> Var<'b> {
        self.role(index, NodeRole::Normalized);
        let normalized = (value - mean) * (variance + epsilon).power(-0.5);
        self.role(index, NodeRole::ScaledAndShifted);
        normalized * self.parameter(index, "scale") + self.parameter(index, "shift")
    }
}
