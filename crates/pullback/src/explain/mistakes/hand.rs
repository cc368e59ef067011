//! The backward pass of a dense network, written out by hand, so that one thing in it can be changed.

use super::{Answers, Asked, Mistake, Values, Wrong, shown};
use crate::compact::Map;
use crate::error::{Error, Result};
use crate::explain::worked::NetworkExample;
use crate::explain::{Dense, FactorKind, Notation, Symbol, Trace};
use crate::graph::NodeRole;
use crate::network::{Cost, Layer, Network};

pub(super) fn answers(example: &NetworkExample, notation: Notation, asked: &Asked) -> Result<Answers> {
    let trace = example.trace()?;
    let hand = Hand::new(&trace);
    let names = example.names.symbols(&trace, notation);
    let of = Of { example, trace: &trace, hand, names, notation };
    of.check(asked)?;
    let right = of.right(asked)?;
    let wrong = of.wrong(asked)?;
    Ok(Answers::new(of.name(asked), right, wrong))
}

/// What a backward pass is made of, for each example.
#[derive(Clone)]
struct Hand<'a> {
    trace: &'a Trace,
    /// What arrives at the last layer's activations: `[row][unit]`.
    head: Vec<Vec<f64>>,
    /// The slopes of the activations: `[row][layer][unit]`.
    slopes: Vec<Vec<Vec<f64>>>,
    /// The weights that deltas are passed back over, `[units, inputs]`, by layer.
    weights: Vec<Vec<f64>>,
    /// What each layer's deltas are multiplied with for its gradients: `[row][layer][input]`.
    inputs: Vec<Vec<Vec<f64>>>,
    /// A path that is left out: from a unit of a layer to one of the next.
    missing: Option<(usize, usize, usize)>,
    /// A unit of a layer at which only its first, or only its last path arrives.
    alone: Option<(usize, usize, bool)>,
}

/// The numbers of a pass: deltas, and what arrives before the slopes, `[row][layer][unit]`.
struct Back {
    arriving: Vec<Vec<Vec<f64>>>,
    deltas: Vec<Vec<Vec<f64>>>,
}

/// Paths are lost in layers of at most so many units, and at most so many layers behind the one that is asked about:
/// nobody works a larger network out by hand.
const MOST_UNITS: usize = 16;
const MOST_BEHIND: usize = 3;
/// Takes a mistake: its kind, the key of its explanation, the pass in which it is made, the one example that is taken
/// where it is one, and the values of the explanation.
type Add<'a> = dyn FnMut(Mistake, &'static str, &Hand<'_>, Option<usize>, Values) + 'a;

/// What products by hand and by the graph may differ in: they add up in another order.
const ROUNDING: f64 = 1e-9;

impl<'a> Hand<'a> {
    fn new(trace: &'a Trace) -> Option<Self> {
        let dense = trace.dense();
        let last = dense.last()?;
        let rows = 0..trace.rows();
        let head = rows.clone().map(|row| (0..last.units).map(|unit| head(trace, last, row, unit)).collect());
        let slopes = rows.clone().map(|row| {
            dense
                .iter()
                .map(|own| (0..own.units).map(|unit| slope(trace, own, row, unit)).collect())
                .collect()
        });
        let inputs = rows.map(|row| {
            let of = |own: &Dense| (0..own.inputs).map(|input| trace.at(own.input, row, input)).collect();
            dense.iter().map(of).collect()
        });
        let hand = Self {
            trace,
            head: head.collect(),
            slopes: slopes.collect(),
            weights: dense.iter().map(|own| trace.parameter(own.weight).to_vec()).collect(),
            inputs: inputs.collect(),
            missing: None,
            alone: None,
        };
        // The graph has the last word: what is not a product of these factors is not asked about.
        let back = hand.back();
        for (row, deltas) in back.deltas.iter().enumerate() {
            for (own, deltas) in dense.iter().zip(deltas) {
                let largest = deltas.iter().fold(f64::MIN_POSITIVE, |most, delta| delta.abs().max(most));
                let is_same = |(unit, delta): (usize, &f64)| {
                    (delta - trace.at(own.delta, row, unit)).abs() <= ROUNDING * largest
                };
                if !deltas.iter().enumerate().all(is_same) {
                    return None;
                }
            }
        }
        Some(hand)
    }

    fn back(&self) -> Back {
        let dense = self.trace.dense();
        let mut back = Back { arriving: Vec::new(), deltas: Vec::new() };
        for row in 0..self.trace.rows() {
            let mut arriving: Vec<Vec<f64>> = vec![Vec::new(); dense.len()];
            let mut deltas: Vec<Vec<f64>> = vec![Vec::new(); dense.len()];
            for layer in (0..dense.len()).rev() {
                let own = match deltas.get(layer + 1) {
                    None => self.head[row].clone(),
                    Some(next) => (0..dense[layer].units)
                        .map(|unit| self.arriving(layer, unit, next).iter().map(|(_, part)| part).sum())
                        .collect(),
                };
                let slopes = &self.slopes[row][layer];
                deltas[layer] = own.iter().zip(slopes).map(|(arrives, slope)| arrives * slope).collect();
                arriving[layer] = own;
            }
            back.arriving.push(arriving);
            back.deltas.push(deltas);
        }
        back
    }

    /// What comes to a unit, by the unit of the next layer that it comes from.
    fn arriving(&self, layer: usize, unit: usize, next: &[f64]) -> Vec<(usize, f64)> {
        let width = self.trace.dense()[layer + 1].inputs;
        let weights = &self.weights[layer + 1];
        let last = next.len() - 1;
        let counts = |from: usize| {
            self.missing != Some((layer, unit, from))
                && match self.alone {
                    Some((own, alone, is_first)) if (own, alone) == (layer, unit) => {
                        from == if is_first { 0 } else { last }
                    }
                    _ => true,
                }
        };
        let all = next.iter().enumerate().filter(|(from, _)| counts(*from));
        all.map(|(from, delta)| (from, delta * weights[from * width + unit])).collect()
    }

    /// The number that is asked for, by a pass; the part of one example of a gradient, or the sum over all.
    fn number(&self, asked: &Asked, rest: f64, row: Option<usize>) -> f64 {
        let back = self.back();
        match *asked {
            Asked::Arriving(layer, unit) => back.arriving[0][layer - 1][unit],
            Asked::Delta(layer, unit) => back.deltas[0][layer - 1][unit],
            Asked::Passed(layer, unit, input) => {
                let width = self.trace.dense()[layer - 1].inputs;
                back.deltas[0][layer - 1][unit] * self.weights[layer - 1][unit * width + input]
            }
            Asked::Gradient(layer, unit, input) => {
                let rows = row.map_or(0..self.trace.rows(), |row| row..row + 1);
                let part =
                    |row: usize| back.deltas[row][layer - 1][unit] * self.inputs[row][layer - 1][input];
                rows.map(part).sum::<f64>() + rest
            }
            _ => f64::NAN,
        }
    }
}

/// What arrives at a unit of the last layer: from the cost, the share of the mean included.
fn head(trace: &Trace, last: &Dense, row: usize, unit: usize) -> f64 {
    if last.links.is_empty() {
        return trace.at(last.delta, row, unit);
    }
    let factors = trace.factors(last, unit, row);
    let own = factors.iter().filter(|own| own.kind != FactorKind::Slope);
    own.map(|own| own.value).product()
}

/// The slope of a unit's activation; 1 without one.
fn slope(trace: &Trace, own: &Dense, row: usize, unit: usize) -> f64 {
    let slopes = own.links.iter().filter(|link| trace.kind(link) == FactorKind::Slope);
    slopes.map(|link| trace.at(link.slope, row, unit)).product()
}

/// A question about an example.
struct Of<'a> {
    example: &'a NetworkExample,
    trace: &'a Trace,
    /// Absent where the layers do more than a backward pass by hand.
    hand: Option<Hand<'a>>,
    names: Map<Symbol, String>,
    notation: Notation,
}

impl<'a> Of<'a> {
    fn hand(&self) -> Result<&Hand<'a>> {
        self.hand.as_ref().ok_or_else(|| {
            Error::configuration("a layer does more than a dense one and its activation")
                .help("questions are about networks of dense layers")
        })
    }

    fn text(&self, symbol: Symbol) -> String {
        self.names.get(&symbol).cloned().unwrap_or_else(|| self.notation.text(symbol))
    }

    fn name(&self, asked: &Asked) -> String {
        let cost = self.notation.cost();
        match *asked {
            Asked::Sum(l, j) => self.text(Symbol::Sum(l, j)),
            Asked::Activation(l, j) => self.text(Symbol::Activation(l, j)),
            Asked::Cost => cost.to_owned(),
            Asked::Passed(l, j, i) => {
                let [delta, weight] =
                    [Symbol::Delta(l, j), Symbol::Weight(l, j, i)].map(|own| self.text(own));
                format!("{delta} * {weight}")
            }
            Asked::Arriving(l, j) => format!("d{cost}/d{}", self.text(Symbol::Activation(l, j))),
            Asked::Delta(l, j) => self.text(Symbol::Delta(l, j)),
            Asked::Gradient(l, j, i) => format!("d{cost}/d{}", self.text(Symbol::Weight(l, j, i))),
            Asked::NewWeight(l, j, i) | Asked::Paths(l, j, i) => self.text(Symbol::Weight(l, j, i)),
            Asked::Norm(l) => format!("|delta[{l}]|"),
            Asked::Tries | Asked::Derivative(_) => String::new(),
        }
    }

    /// Refuses what the network does not have.
    fn check(&self, asked: &Asked) -> Result<()> {
        let dense = self.trace.dense();
        let (layer, unit, input) = match *asked {
            Asked::Cost | Asked::Tries | Asked::Derivative(_) => return Ok(()),
            Asked::Norm(l) => (l, 0, 0),
            Asked::Sum(l, j) | Asked::Activation(l, j) | Asked::Delta(l, j) | Asked::Arriving(l, j) => {
                (l, j, 0)
            }
            Asked::Passed(l, j, i)
            | Asked::Gradient(l, j, i)
            | Asked::NewWeight(l, j, i)
            | Asked::Paths(l, j, i) => (l, j, i),
        };
        let own = layer.checked_sub(1).and_then(|at| dense.get(at));
        match own.is_some_and(|own| unit < own.units && input < own.inputs) {
            true => Ok(()),
            false => Err(Error::configuration(format!("the network has no {asked}"))
                .help(format!("it has {} layers, counted from 1; units are counted from 0", dense.len()))),
        }
    }

    fn right(&self, asked: &Asked) -> Result<f64> {
        let (trace, dense) = (self.trace, self.trace.dense());
        Ok(match *asked {
            Asked::Sum(l, j) => trace.at(dense[l - 1].sum, 0, j),
            Asked::Activation(l, j) => self.activation(0, l - 1, j),
            Asked::Cost => trace.cost(),
            Asked::Delta(l, j) => trace.at(dense[l - 1].delta, 0, j),
            Asked::Gradient(l, j, i) => {
                let own = &dense[l - 1];
                trace.gradient(own.weight)[j * own.inputs + i]
            }
            Asked::NewWeight(l, j, i) => {
                let own = &dense[l - 1];
                self.stepped()?[own.weight][j * own.inputs + i]
            }
            Asked::Norm(l) => {
                let deltas = trace.value(dense[l - 1].delta);
                deltas.iter().map(|delta| delta * delta).sum::<f64>().sqrt()
            }
            Asked::Tries => {
                let trained = trace.parameters().iter().filter(|own| own.role.is_trained());
                trained.map(|own| own.shape.elements()).sum::<usize>() as f64
            }
            Asked::Paths(l, ..) => dense[l..].iter().map(|own| own.units as f64).product(),
            _ => self.hand()?.number(asked, 0.0, None),
        })
    }

    /// The parameters after a step.
    fn stepped(&self) -> Result<Vec<Vec<f64>>> {
        let mut after = self.example.clone();
        after.advance(&mut self.example.kept.clone())?;
        Ok(after.parameters)
    }

    /// What a layer gives: its activation, else its sum.
    fn activation(&self, row: usize, layer: usize, unit: usize) -> f64 {
        let own = &self.trace.dense()[layer];
        let link = own.links.iter().rfind(|link| self.trace.kind(link) == FactorKind::Slope);
        self.trace.at(link.map_or(own.sum, |link| link.node), row, unit)
    }

    fn wrong(&self, asked: &Asked) -> Result<Vec<Wrong>> {
        match *asked {
            Asked::Sum(l, j) => Ok(self.of_unit(l, j, self.activation(0, l - 1, j))),
            Asked::Activation(l, j) => {
                Ok(self.of_unit(l, j, self.trace.at(self.trace.dense()[l - 1].sum, 0, j)))
            }
            Asked::Cost => Ok(self.of_mean(self.trace.cost(), self.trace.data_cost())),
            Asked::NewWeight(l, j, i) => self.of_step(l, j, i),
            Asked::Passed(l, ..) | Asked::Arriving(l, _) | Asked::Delta(l, _) | Asked::Gradient(l, ..) => {
                self.of_pass(asked, l - 1)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The activation for the weighted sum, and the other way round.
    fn of_unit(&self, layer: usize, unit: usize, number: f64) -> Vec<Wrong> {
        let own = &self.trace.dense()[layer - 1];
        let (z, a) = (self.trace.at(own.sum, 0, unit), self.activation(0, layer - 1, unit));
        let [sum, activation] =
            [Symbol::Sum(layer, unit), Symbol::Activation(layer, unit)].map(|own| self.text(own));
        let values = vec![("sum", sum), ("activation", activation), ("z", shown(z)), ("a", shown(a))];
        let key = if number == a { "mistake.activation_for_sum" } else { "mistake.sum_for_activation" };
        vec![Wrong { mistake: Mistake::Place, number, key, values }]
    }

    /// The sum over the examples, for the mean; `data` is the part of the number that comes from them.
    fn of_mean(&self, number: f64, data: f64) -> Vec<Wrong> {
        let rows = self.trace.rows();
        if rows == 1 {
            return Vec::new();
        }
        let number = number + data * (rows as f64 - 1.0);
        let values = vec![("count", rows.to_string())];
        vec![Wrong { mistake: Mistake::Mean, number, key: "mistake.mean", values }]
    }

    /// Wrong steps: each wrong gradient leads to one.
    fn of_step(&self, layer: usize, unit: usize, input: usize) -> Result<Vec<Wrong>> {
        let asked = Asked::Gradient(layer, unit, input);
        let training = &self.example.training;
        let is_plain =
            matches!(training.optimizer, crate::train::Optimizer::Sgd) && training.clip_norm.is_none();
        if !is_plain {
            return Ok(Vec::new());
        }
        let own = &self.trace.dense()[layer - 1];
        let old = self.trace.parameter(own.weight)[unit * own.inputs + input];
        let rate = training.learning_rate();
        let mut wrong = self.wrong(&asked)?;
        wrong.iter_mut().for_each(|own| own.number = old - rate * own.number);
        let gradient = self.right(&asked)?;
        let values = vec![("rate", shown(rate)), ("old", shown(old)), ("gradient", shown(gradient))];
        wrong.push(Wrong {
            mistake: Mistake::Sign,
            number: old + rate * gradient,
            key: "mistake.uphill",
            values,
        });
        Ok(wrong)
    }

    /// Wrong numbers of a backward pass. `layer` is counted from 0.
    fn of_pass(&self, asked: &Asked, layer: usize) -> Result<Vec<Wrong>> {
        let (trace, dense) = (self.trace, self.trace.dense());
        let (rest, right_way) = (self.rest(asked), self.hand()?);
        let mut wrong = Vec::new();
        let mut add = |mistake, key, hand: &Hand<'_>, row, values: Values| {
            wrong.push(Wrong { mistake, number: hand.number(asked, rest, row), key, values });
        };
        let right = right_way.back();
        // What arrives at a unit has not been multiplied by the unit's own slope yet.
        let first_slope = if matches!(asked, Asked::Arriving(..)) { layer + 1 } else { layer };
        let of_unit = |layer: usize, unit: usize| {
            vec![
                ("unit", self.text(Symbol::Activation(layer + 1, unit))),
                ("sum", self.text(Symbol::Sum(layer + 1, unit))),
                ("z", shown(trace.at(dense[layer].sum, 0, unit))),
                ("a", shown(self.activation(0, layer, unit))),
                ("slope", shown(right_way.slopes[0][layer][unit])),
                ("arrives", shown(right.arriving[0][layer][unit])),
            ]
        };
        let unit_of = |own: usize| match *asked {
            Asked::Passed(_, j, _)
            | Asked::Arriving(_, j)
            | Asked::Delta(_, j)
            | Asked::Gradient(_, j, _)
                if own == layer =>
            {
                j
            }
            _ => 0,
        };
        for of in first_slope..dense.len() {
            let mut hand = right_way.clone();
            hand.slopes.iter_mut().for_each(|slopes| slopes[of].fill(1.0));
            add(Mistake::Slope, "mistake.slope", &hand, None, of_unit(of, unit_of(of)));
            for (is_of_sum, key) in [(false, "mistake.slope_at_a"), (true, "mistake.slope_of_z")] {
                let mut hand = right_way.clone();
                if self.misplace(&mut hand, of, is_of_sum)? {
                    add(Mistake::Place, key, &hand, None, of_unit(of, unit_of(of)));
                }
            }
        }
        // Several slopes at once.
        for from in first_slope..dense.len().saturating_sub(1) {
            let mut hand = right_way.clone();
            hand.slopes.iter_mut().for_each(|slopes| slopes[from..].iter_mut().for_each(|own| own.fill(1.0)));
            add(Mistake::Slope, "mistake.slope", &hand, None, of_unit(from, unit_of(from)));
        }
        self.paths(asked, layer, (right_way, &right), &mut add);
        if layer + 1 < dense.len() {
            let stepped = self.stepped()?;
            let mut hand = right_way.clone();
            for (own, weights) in dense.iter().zip(&mut hand.weights) {
                weights.clone_from(&stepped[own.weight]);
            }
            let next = &dense[layer + 1];
            let element = unit_of(layer);
            let values = vec![
                ("weight", self.text(Symbol::Weight(layer + 2, 0, element))),
                ("old", shown(trace.parameter(next.weight)[element])),
                ("new", shown(stepped[next.weight][element])),
            ];
            add(Mistake::NewWeight, "mistake.new_weight", &hand, None, values);
        }
        if let (Asked::Gradient(_, _, input), Some(before)) = (asked, layer.checked_sub(1)) {
            let mut hand = right_way.clone();
            for (row, inputs) in hand.inputs.iter_mut().enumerate() {
                inputs[layer] =
                    (0..dense[before].units).map(|unit| trace.at(dense[before].sum, row, unit)).collect();
            }
            if dense[before].units == dense[layer].inputs {
                add(Mistake::Place, "mistake.z_for_input", &hand, None, of_unit(before, *input));
            }
        }
        let rows = trace.rows();
        if rows > 1 {
            let values = || vec![("count", rows.to_string())];
            if matches!(asked, Asked::Gradient(..)) {
                add(Mistake::Accumulated, "mistake.last_example", right_way, Some(rows - 1), values());
            }
            let mut hand = right_way.clone();
            hand.head.iter_mut().flatten().for_each(|head| *head *= rows as f64);
            add(Mistake::Mean, "mistake.mean", &hand, None, values());
        }
        let mut hand = right_way.clone();
        hand.head.iter_mut().flatten().for_each(|head| *head = -*head);
        let (key, values) = self.sign(layer, unit_of(layer));
        add(Mistake::Sign, key, &hand, None, values);
        Ok(wrong)
    }

    /// Paths that are missing, or that are taken before the others have come.
    fn paths(&self, asked: &Asked, layer: usize, (hand, right): (&Hand<'_>, &Back), add: &mut Add<'_>) {
        let dense = self.trace.dense();
        let own_unit = match *asked {
            Asked::Passed(_, j, _)
            | Asked::Arriving(_, j)
            | Asked::Delta(_, j)
            | Asked::Gradient(_, j, _) => j,
            _ => return,
        };
        // A path can be lost at the unit itself, and at each unit behind it.
        for of in layer..dense.len().saturating_sub(1).min(layer + MOST_BEHIND) {
            let units = if of == layer { own_unit..own_unit + 1 } else { 0..dense[of].units };
            if dense[of + 1].units.max(units.len()) > MOST_UNITS {
                continue;
            }
            for unit in units {
                let parts = hand.arriving(of, unit, &right.deltas[0][of + 1]);
                if parts.len() < 2 {
                    continue;
                }
                let whole: f64 = parts.iter().map(|(_, part)| part).sum();
                let values = |from: usize, part: f64| {
                    vec![
                        ("unit", self.text(Symbol::Activation(of + 1, unit))),
                        ("from", self.text(Symbol::Activation(of + 2, from))),
                        ("part", shown(part)),
                        ("count", parts.len().to_string()),
                    ]
                };
                for &(from, part) in &parts {
                    let changed = Hand { missing: Some((of, unit, from)), ..hand.clone() };
                    // Behind the unit that is asked about, a part that has not come yet is one passed on too early.
                    let (mistake, key) = match of == layer {
                        true => (Mistake::Path, "mistake.path"),
                        false => (Mistake::Order, "mistake.order"),
                    };
                    let values = if of == layer { values(from, part) } else { values(from, whole - part) };
                    add(mistake, key, &changed, None, values);
                }
                let [(first, first_part), .., (last, last_part)] = parts[..] else { continue };
                let changed = Hand { alone: Some((of, unit, true)), ..hand.clone() };
                add(Mistake::Order, "mistake.order", &changed, None, values(first, first_part));
                if of == layer {
                    let changed = Hand { alone: Some((of, unit, false)), ..hand.clone() };
                    add(Mistake::Accumulated, "mistake.last_path", &changed, None, values(last, last_part));
                }
            }
        }
    }

    /// What regularization adds to a gradient.
    fn rest(&self, asked: &Asked) -> f64 {
        let Asked::Gradient(layer, unit, input) = *asked else { return 0.0 };
        let own = &self.trace.dense()[layer - 1];
        let parts = self.trace.parts(own.weight, unit * own.inputs + input);
        parts.iter().filter(|part| part.role != NodeRole::WeightedSum).map(|part| part.value).sum()
    }

    /// Puts in the slope at a for that at z, or the slope's formula of a with z in it. Returns whether there is one.
    fn misplace(&self, hand: &mut Hand<'_>, layer: usize, is_of_sum: bool) -> Result<bool> {
        let dense = self.trace.dense();
        let own = &dense[layer];
        let end = dense.get(layer + 1).map_or(self.trace.network().layers.len(), |next| next.layer);
        let functions: Vec<Layer> = self.trace.network().layers[own.layer + 1..end].to_vec();
        let [Layer::Activation(only)] = &functions[..] else { return Ok(false) };
        for row in 0..self.trace.rows() {
            for unit in 0..own.units {
                let (z, a) = (self.trace.at(own.sum, row, unit), self.activation(row, layer, unit));
                hand.slopes[row][layer][unit] = match (is_of_sum, only.function.name()) {
                    (false, _) => slope_at(&functions, a)?,
                    (true, "sigmoid") => z * (1.0 - z),
                    (true, "tanh") => 1.0 - z * z,
                    (true, _) => return Ok(false),
                };
            }
        }
        Ok(true)
    }

    /// Why the sign is wrong: by the numbers of the output that is asked about, else of the first.
    fn sign(&self, layer: usize, unit: usize) -> (&'static str, Values) {
        let last = self.trace.dense().len() - 1;
        let output = if layer == last { unit } else { 0 };
        let targets = self.trace.lowered().graph.find("targets").map(|id| self.trace.value(id));
        let (network, outputs) = (self.trace.network(), self.trace.network().outputs());
        let target = targets.filter(|all| all.len() == self.trace.rows() * outputs).map(|all| all[output]);
        let values = vec![
            ("unit", self.text(Symbol::Activation(last + 1, output))),
            ("a", shown(self.trace.at(self.trace.lowered().prediction, 0, output))),
            ("t", shown(target.unwrap_or(f64::NAN))),
        ];
        let is_difference = matches!(
            network.cost,
            Cost::SquaredError | Cost::SigmoidCrossEntropy | Cost::SoftmaxCrossEntropy
        );
        (if is_difference && target.is_some() { "mistake.sign" } else { "mistake.sign_of_cost" }, values)
    }
}

/// The slope of an activation at a point: that of a unit with weight 1.
fn slope_at(functions: &[Layer], x: f64) -> Result<f64> {
    let mut network = Network::dense(1, &[], 1, crate::network::Activation::Identity, Cost::SquaredError);
    if let Some(Layer::Dense(only)) = network.layers.first_mut() {
        only.has_bias = false;
    }
    network.layers.truncate(1);
    network.layers.extend_from_slice(functions);
    let trace = Trace::new(&network, &[vec![1.0]], &[x], &[0.0], 1)?;
    Ok(trace.dense().first().map_or(f64::NAN, |own| slope(&trace, own, 0, 0)))
}
