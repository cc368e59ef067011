//! What hinders learning: units that pass nothing back, and deltas that vanish or explode on their way.

use super::figures::{FLAT, norm, norm_of};
use super::{Catalog, LayerName, Trace, Weighted};
use crate::graph::Op;
use crate::report::number::significant;

/// Something that slows training down or breaks it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The key of its message.
    pub key: &'static str,
    /// The dense layer, counted from 1; 0 where it is of none.
    pub layer: usize,
    /// The unit, counted from 0.
    pub unit: usize,
    /// The number of such units.
    pub count: usize,
    /// The number to blame.
    pub value: f64,
    /// The operation to blame, where there is one.
    pub operation: String,
    /// Of deltas that vanish or explode: where most of it happens, and what to try.
    pub blame: Option<Blame>,
}

/// Where deltas shrink or grow most from one layer to the one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Blame {
    /// The layer at whose deltas the way ends.
    pub first: LayerName,
    /// The layer that has the factor.
    pub layer: LayerName,
    /// The factor.
    pub factor: BlamedFactor,
    /// The mean slope, the norm of the weights, or the share of delta that is passed on.
    pub value: f64,
    /// By what that layer multiplies the norm of what arrives.
    pub passes: f64,
    /// The key of the message that says what to try.
    pub remedy: &'static str,
}

/// What the delta of a layer owes its size to, beside the deltas of the next layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlamedFactor {
    /// The slope of the layer's activation.
    Slope,
    /// The weights of the next layer, by which its deltas are multiplied.
    Weights,
    /// What else stands between the two: a norm, a pooling, dropout.
    Between,
}

impl BlamedFactor {
    /// Its name in JSON and in the keys of messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slope => "slope",
            Self::Weights => "weights",
            Self::Between => "between",
        }
    }
}

impl LayerName {
    /// The layer in the language of a catalog.
    pub fn text(&self, catalog: &Catalog) -> String {
        match self {
            Self::Dense(number) => catalog.say("layer_name", &[("layer", number)]),
            Self::Convolution(number) => catalog.say("convolution_name", &[("layer", number)]),
            Self::Place(place) => catalog.say("place_name", &[("layer", place)]),
        }
    }
}

impl Finding {
    /// A number that is not finite, where an operation made it.
    pub fn not_finite(operation: String) -> Self {
        Self { key: "not_finite", layer: 0, unit: 0, count: 1, value: f64::NAN, operation, blame: None }
    }

    /// The finding in the language of a catalog.
    pub fn text(&self, catalog: &Catalog) -> String {
        let value = significant(self.value, 3);
        let first = self.blame.as_ref().map(|blame| blame.first.text(catalog)).unwrap_or_default();
        let text = catalog.say(
            self.key,
            &[
                ("layer", &self.layer),
                ("unit", &self.unit),
                ("count", &self.count),
                ("value", &value),
                ("operation", &self.operation),
                ("first", &first),
            ],
        );
        let Some(blame) = &self.blame else { return text };
        // A layer that passes only zeros on is the cause also where others lose what comes back first.
        let is_dead = blame.factor == BlamedFactor::Slope && blame.value == 0.0 && self.key == "vanishing";
        let told_by = if is_dead { "dead" } else { blame.factor.name() };
        let told = catalog.say(
            &format!("{}.{told_by}", self.key),
            &[
                ("layer", &blame.layer.text(catalog)),
                ("operation", &self.operation),
                ("value", &significant(blame.value, 3)),
                ("passes", &significant(blame.passes, 3)),
            ],
        );
        format!("{text} {told} {}", catalog.get(blame.remedy))
    }
}

/// Layers whose deltas differ by this factor, the first from the last, do not learn at one rate.
const APART: f64 = 1e4;
/// ReLU units that pass less than this back, in the mean, need a slope below 0; with more it is for the weights to
/// make up for it.
const MOSTLY_DEAD: f64 = 0.25;

/// What hinders learning from these examples.
pub fn diagnose(trace: &Trace) -> Vec<Finding> {
    let graph = trace.graph();
    if let Some(id) = graph.ids().find(|&id| trace.value(id).iter().any(|x| !x.is_finite())) {
        return vec![Finding::not_finite(graph.describe(id))];
    }
    let mut findings = flat_units(trace);
    findings.extend(far_apart(trace));
    findings
}

/// Units with hardly any slope for all examples.
fn flat_units(trace: &Trace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (position, dense) in trace.dense().iter().enumerate() {
        for link in dense.links.iter().filter(|link| !link.is_cost) {
            let Some(op) = trace.lowered().graph.node(link.node).op() else { continue };
            let slope = |unit: usize| {
                (0..trace.rows()).map(|row| trace.at(link.slope, row, unit).abs()).fold(0.0, f64::max)
            };
            let flat: Vec<(usize, f64)> =
                (0..dense.units).map(|unit| (unit, slope(unit))).filter(|(_, slope)| *slope < FLAT).collect();
            let Some(&(unit, value)) = flat.iter().min_by(|left, right| left.1.total_cmp(&right.1)) else {
                continue;
            };
            let key = match op {
                Op::Relu(_) if trace.rows() > 1 => "dead",
                Op::Relu(_) => "inactive",
                _ => "saturated",
            };
            let operation = op.name().to_owned();
            let (layer, count) = (position + 1, flat.len());
            findings.push(Finding { key, layer, unit, count, value, operation, blame: None });
        }
    }
    findings
}

/// Deltas that vanish or explode between the last layer and one that no other leads to.
fn far_apart(trace: &Trace) -> Option<Finding> {
    let layers = trace.weighted_layers();
    let last = norm_of(trace, layers.last()?.delta);
    let is_first = |at: &usize| layers.iter().all(|layer| layer.next != Some(*at));
    let ratios = (0..layers.len() - 1).filter(is_first);
    let ratios = ratios.map(|at| (at, norm_of(trace, layers[at].delta) / last));
    let apart = |ratio: f64| ratio.max(1.0 / ratio);
    let (first, ratio) =
        ratios.filter(|(_, ratio)| !ratio.is_nan()).max_by(|a, b| apart(a.1).total_cmp(&apart(b.1)))?;
    let key = match ratio {
        _ if ratio < 1.0 / APART => "vanishing",
        _ if ratio > APART => "exploding",
        _ => return None,
    };
    let way = std::iter::successors(Some(first), |&at| layers[at].next);
    let steps = way.filter_map(|at| Some(Step::new(trace, &layers[at], &layers[layers[at].next?])));
    let steps: Vec<Step<'_>> = steps.collect();
    let sign = if key == "vanishing" { 1.0 } else { -1.0 };
    // Where nothing arrives, nothing is lost.
    let worst = steps.iter().filter(|step| step.whole.is_finite());
    let worst = worst.min_by(|a, b| (sign * a.whole).total_cmp(&(sign * b.whole)))?;
    // Layers behind a dead one may be dead because they read nothing but zeros.
    let dead = steps.iter().find(|step| worst.slope == 0.0 && step.mean_slope(trace) == Some(0.0));
    let step = dead.unwrap_or(worst);
    let (layer, units) = match &layers[first].name {
        LayerName::Dense(number) => (*number, trace.dense()[number - 1].units),
        _ => (0, trace.graph().shape(layers[first].sum).sizes().last().copied().unwrap_or(1)),
    };
    let operation = step.operation.to_owned();
    let blame = Some(step.blame(trace, sign, layers[first].name.clone()));
    Some(Finding { key, layer, unit: 0, count: units, value: ratio, operation, blame })
}

/// From the deltas of one layer to those of the layer before it: `whole = weights * between * slope`, ratios of norms.
struct Step<'a> {
    layer: &'a Weighted,
    next: &'a Weighted,
    operation: &'static str,
    whole: f64,
    weights: f64,
    between: f64,
    slope: f64,
}

impl<'a> Step<'a> {
    fn new(trace: &Trace, layer: &'a Weighted, next: &'a Weighted) -> Self {
        let size = |id| norm_of(trace, id);
        let forward = &trace.lowered().graph;
        let (delta, arrived) = (size(layer.delta), size(next.delta));
        // An activation's derivative goes to what it reads.
        let slope = layer.activation.filter(|own| own.slope.is_some()).and_then(|own| {
            let read = trace.adjoint(forward.node(own.result).inputs()[0])?;
            Some(size(read) / size(own.arriving))
        });
        let operation =
            layer.activation.and_then(|own| forward.node(own.result).op()).map_or("", |op| op.name());
        let whole = delta / arrived;
        let weights = trace.adjoint(next.reads).map_or(f64::NAN, |reads| size(reads) / arrived);
        let slope = slope.unwrap_or(1.0);
        Self { layer, next, operation, whole, weights, slope, between: whole / (weights * slope) }
    }

    /// The mean size of the slope of the layer's activation.
    fn mean_slope(&self, trace: &Trace) -> Option<f64> {
        let slopes = trace.value(self.layer.activation?.slope?);
        Some(slopes.iter().map(|x| x.abs()).sum::<f64>() / slopes.len() as f64)
    }

    fn blame(&self, trace: &Trace, sign: f64, first: LayerName) -> Blame {
        let slope = self.mean_slope(trace);
        let factors = [
            (BlamedFactor::Slope, if slope == Some(0.0) { 0.0 } else { self.slope }),
            (BlamedFactor::Weights, self.weights),
            (BlamedFactor::Between, self.between),
        ];
        let (factor, passes) = (factors.into_iter().filter(|(_, passes)| !passes.is_nan()))
            .min_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)))
            .expect("a slope is 1 where there is none");
        let (layer, value) = match factor {
            BlamedFactor::Slope => (&self.layer.name, slope.unwrap_or(1.0)),
            BlamedFactor::Weights => (&self.next.name, norm(trace.parameter(self.next.weight))),
            BlamedFactor::Between => (&self.layer.name, passes),
        };
        let remedy = match (factor, self.operation) {
            _ if sign < 0.0 => "remedy.clip",
            (BlamedFactor::Slope, "relu") if value < MOSTLY_DEAD => "remedy.leaky_relu",
            (BlamedFactor::Slope, "relu" | "leaky_relu") => "remedy.larger_weights",
            (BlamedFactor::Slope, _) => "remedy.relu",
            (BlamedFactor::Weights, _) => "remedy.larger_weights",
            (BlamedFactor::Between, _) => "remedy.residual",
        };
        Blame { first, layer: layer.clone(), factor, value, passes, remedy }
    }
}
