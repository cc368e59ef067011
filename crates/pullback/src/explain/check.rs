//! Are a network's gradients right? Every parameter's, against central differences and forward mode.
//!
//! Everything runs in `f64` on the graph that the trainer runs. Differences are taken with five points (error of order
//! h^4) at several steps. Each has an error that is known: the rounding of the cost over the step, which is measured, and
//! how much the slope changes with the step. A gradient is wrong if it is further off than that and the tolerance; where
//! that is all that differences can say, forward mode judges, which is exact but for its own rounding.
//!
//! Where the cost may have kinks, the graph is asked whether one lies within a step (a ReLU's operand that changes its
//! sign, another largest number in a pooling's window): if no difference passes, only steps that cross none count, and a
//! weight whose smallest step crosses one is reported as at a kink.

use super::{Address, Trace};
use crate::compact::sort_by;
use crate::differentiate::differences::{FIVE_POINT_STEP, beside, five_point};
use crate::differentiate::forward;
use crate::error::Result;
use crate::execute::{Executor, Machine, reference, reference_with};
use crate::graph::{Builder, Graph, Kind, NodeId, Op, ops};
use crate::network::{Mode, Network};
use crate::plan::Plan;
use crate::random::{Purpose, Random};

/// The settings of a check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckOptions {
    /// The largest number of elements that are checked of each parameter: a random sample of more.
    pub samples: usize,
    /// The largest relative error against differences that passes.
    pub differences: f64,
    /// The largest relative error against forward mode that passes.
    pub forward: f64,
    /// The seed of the sample.
    pub seed: u64,
    /// What alone is checked, if not everything.
    pub only: Option<Address>,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { samples: 100, differences: 1e-6, forward: 1e-10, seed: 0, only: None }
    }
}

/// The result for one parameter. Errors are relative to the larger of the two numbers, but at least to 1e-4 of the largest
/// of the parameter's whole gradient, and to so much that what rounding explains is no larger than the tolerance.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ParameterCheck {
    /// The parameter's name.
    pub name: String,
    /// How many numbers were checked.
    pub checked: usize,
    /// How many it has.
    pub all: usize,
    /// The largest error against differences, kinks left out.
    pub differences: f64,
    /// The median error against differences.
    pub median: f64,
    /// The largest error against forward mode.
    pub forward: f64,
    /// The number with the largest error: `layers.2.weight[1,0]`.
    pub worst: String,
    /// The parameter's place, and the element of that number in row-major order.
    #[serde(skip)]
    pub worst_at: (usize, usize),
    /// How many numbers are at a kink of the cost: forward mode alone judges them.
    pub kinks: usize,
    /// How many gradients are so small beside the rounding of the cost that differences do not show all digits that
    /// the tolerance asks for: forward mode does.
    pub hidden: usize,
    /// Whether both errors are within what passes.
    pub passes: bool,
}

/// Rows and samples of which a check is made, from the most on.
const SIZES: [(usize, usize); 6] = [(32, 100), (32, 30), (16, 20), (8, 10), (4, 10), (2, 5)];
/// Passes for a number that is checked: four for each step, one that carries tangents, and those that look for kinks.
const PASSES: f64 = 35.0;
/// The multiply-adds of a check that nobody has to wait for: some seconds.
const WORK: f64 = 4e10;

/// How many rows make the batch of a check, and how many numbers of each parameter are checked, so that it takes a few
/// seconds: 32 and 100, and less of networks that compute much, such as those of images.
///
/// ```
/// use pullback::explain::check_size;
/// use pullback::network::{Activation, Cost, Network};
/// let network = |units| Network::dense(784, &[units, units], 10, Activation::Relu, Cost::SoftmaxCrossEntropy);
/// assert_eq!(check_size(&network(16))?, (32, 100));
/// assert!(check_size(&network(4096))?.1 < 100);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// If the network contradicts itself.
pub fn check_size(network: &Network) -> Result<(usize, usize)> {
    let lowered = network.lower(1, Mode::Evaluation)?;
    let pass = lowered.graph.multiply_adds(&[lowered.cost]) as f64;
    let lengths: Vec<usize> =
        network.parameters()?.iter().filter(|p| p.role.is_trained()).map(|p| p.shape.elements()).collect();
    let work = |(rows, samples): (usize, usize)| {
        let numbers: usize = lengths.iter().map(|length| samples.min(*length)).sum();
        PASSES * pass * rows as f64 * numbers as f64
    };
    Ok(SIZES.into_iter().find(|size| work(*size) <= WORK).unwrap_or(SIZES[SIZES.len() - 1]))
}

/// Checks the gradients of a trace. `gradients` are those to check, by parameter: the trace's own, or
/// another's.
///
/// # Errors
/// If the network contradicts itself.
pub fn check(trace: &Trace, gradients: &[Vec<f64>], options: &CheckOptions) -> Result<Vec<ParameterCheck>> {
    check_watched(trace, gradients, options, &mut |_, _| {})
}

/// The same, which tells after each number how many are checked, and of how many.
///
/// # Errors
/// As [`check`].
pub fn check_watched(
    trace: &Trace,
    gradients: &[Vec<f64>],
    options: &CheckOptions,
    told: &mut dyn FnMut(usize, usize),
) -> Result<Vec<ParameterCheck>> {
    let network: &Network = trace.network();
    let lowered = trace.lowered();
    let tangents = forward(&lowered.graph, &[lowered.cost], &lowered.parameters);
    let mut cost = Runner::new(trace, &lowered.graph, &[lowered.cost]);
    let mut tangent = Runner::new(trace, &tangents.graph, &tangents.nodes);
    let mut parameters: Vec<Vec<f64>> =
        (0..trace.parameters().len()).map(|place| trace.parameter(place).to_vec()).collect();
    let mut branches = Branches::new(trace, &parameters, |graph, sides| Runner::new(trace, graph, sides))?;
    let noise = Noise::measure(trace);
    let mut checks = Vec::new();
    let specification = network.parameters()?;
    let chosen = |place: usize| match options.only {
        Some(Address::Parameter(only) | Address::Element(only, _)) if only != place => Vec::new(),
        Some(Address::Element(_, element)) => vec![element],
        _ => sample(gradients[place].len(), options, place),
    };
    let trained = specification.iter().enumerate().filter(|(_, p)| p.role.is_trained());
    let all = trained.map(|(place, _)| chosen(place).len()).sum();
    let mut done = 0;
    for (place, parameter) in specification.iter().enumerate().filter(|(_, p)| p.role.is_trained()) {
        let elements = chosen(place);
        if options.only.is_some() && elements.is_empty() {
            continue;
        }
        let gradient = &gradients[place];
        let largest = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        let mut checked = ParameterCheck {
            name: parameter.name.clone(),
            checked: 0,
            all: gradient.len(),
            differences: 0.0,
            median: 0.0,
            forward: 0.0,
            worst: String::new(),
            worst_at: (place, 0),
            kinks: 0,
            hidden: 0,
            passes: true,
        };
        let mut errors = Vec::new();
        let mut worst = -1.0;
        for element in elements {
            let own = gradient[element];
            let size = |other: f64| own.abs().max(other.abs()).max(1e-4 * largest).max(f64::MIN_POSITIVE);
            // What rounding explains passes: it is no larger than the tolerance.
            let relative = |other: f64, rounding: f64, tolerance: f64| {
                (own - other).abs() / size(other).max(rounding / tolerance)
            };
            tangent.executor.input_mut(tangent.given + place)[element] = 1.0;
            tangent.executor.run(&parameters);
            let by_forward =
                relative(tangent.executor.output(0)[0], noise.of_gradient(place, element), options.forward);
            tangent.executor.input_mut(tangent.given + place)[element] = 0.0;

            let slopes = Slopes::take(&mut cost, &mut parameters, (place, element), noise.cost);
            let is_kink = branches.crossed(&mut parameters, (place, element), STEPS - 1);
            let mut slope = slopes.best(if is_kink { 0 } else { STEPS });
            let mut by_differences = relative(slope.value, slope.error, options.differences);
            if by_differences.is_nan() || by_differences > options.differences {
                // No difference tells a slope across a kink.
                let crossed = |number: &usize| branches.crossed(&mut parameters, (place, element), *number);
                let fair = STEPS - (0..STEPS).rev().find(crossed).map_or(0, |number| number + 1);
                slope = slopes.best(fair);
                by_differences = relative(slope.value, slope.error, options.differences);
            }
            checked.checked += 1;
            done += 1;
            told(done, all);
            let error = if slope.error.is_infinite() {
                checked.kinks += 1;
                by_forward
            } else {
                checked.hidden += usize::from(slope.error > options.differences * size(slope.value));
                checked.differences = largest_of(checked.differences, by_differences);
                errors.push(by_differences);
                largest_of(by_differences, by_forward)
            };
            checked.forward = largest_of(checked.forward, by_forward);
            if error.is_nan() || error > worst {
                worst = if error.is_nan() { f64::INFINITY } else { error };
                checked.worst = format!("{}{}", parameter.name, index(element, parameter.shape.sizes()));
                checked.worst_at = (place, element);
            }
        }
        sort_by(&mut errors, f64::total_cmp);
        checked.median = errors.get(errors.len() / 2).copied().unwrap_or(0.0);
        checked.passes = checked.differences <= options.differences && checked.forward <= options.forward;
        checks.push(checked);
    }
    Ok(checks)
}

/// The larger error; NaN is the largest.
fn largest_of(one: f64, other: f64) -> f64 {
    if one.is_nan() || other.is_nan() { f64::NAN } else { one.max(other) }
}

/// Runs a graph of the trace's network on the trace's examples, with other parameters.
pub(super) trait Run {
    /// The outputs, one after the other.
    fn outputs(&mut self, parameters: &[Vec<f64>]) -> Vec<f64>;
}

/// By a plan, for whoever runs it often.
struct Runner {
    executor: Executor<f64>,
    outputs: usize,
    /// How many inputs are given: what the graph has beyond them is its own.
    given: usize,
}

impl Runner {
    fn new(trace: &Trace, graph: &Graph, outputs: &[NodeId]) -> Self {
        let mut executor = Executor::<f64>::new(Plan::new(graph, outputs), &Machine::with_threads(1));
        let lowered = &trace.lowered().graph;
        let inputs = lowered.ids().filter(|&id| matches!(lowered.node(id).kind, Kind::Input(_)));
        let mut given = 0;
        for (position, id) in inputs.enumerate() {
            executor.input_mut(position).copy_from_slice(trace.value(id));
            given = position + 1;
        }
        Self { executor, outputs: outputs.len(), given }
    }
}

impl Run for Runner {
    fn outputs(&mut self, parameters: &[Vec<f64>]) -> Vec<f64> {
        self.executor.run(parameters);
        (0..self.outputs).flat_map(|output| self.executor.output(output).to_vec()).collect()
    }
}

/// Node by node, for whoever runs it a few times: the page, which then needs no plan.
pub(super) struct Plain {
    graph: Graph,
    outputs: Vec<NodeId>,
    given: Vec<Vec<f64>>,
    parameters: Vec<NodeId>,
}

impl Run for Plain {
    fn outputs(&mut self, parameters: &[Vec<f64>]) -> Vec<f64> {
        for (id, numbers) in self.parameters.iter().zip(parameters) {
            self.given[id.index()].clone_from(numbers);
        }
        let values = reference(&self.graph, &self.given);
        self.outputs.iter().flat_map(|id| values[id.index()].iter().copied()).collect()
    }
}

/// Differences are taken at so many steps, each a tenth of the one before: the large ones round less, the small ones
/// bend less and cross fewer kinks.
const STEPS: usize = 7;

fn step(x: f64, number: usize) -> f64 {
    FIVE_POINT_STEP * x.abs().max(1.0) * 0.1_f64.powi(number as i32)
}

/// The slopes by differences at all steps, from the largest to the smallest.
struct Slopes {
    values: [f64; STEPS],
    /// What the rounding of the cost does to each at most.
    rounding: [f64; STEPS],
}

/// A slope, and how far it may be from the true one.
struct Slope {
    value: f64,
    error: f64,
}

impl Slopes {
    fn take(cost: &mut Runner, parameters: &mut [Vec<f64>], place: (usize, usize), noise: f64) -> Self {
        let x = parameters[place.0][place.1];
        let cost_of = |parameters: &[Vec<f64>]| {
            cost.executor.run(parameters);
            cost.executor.output(0)[0]
        };
        let values = beside(parameters, place, cost_of, |x, f| {
            std::array::from_fn(|number| five_point(x, step(x, number), f))
        });
        // The weights of the five points are 18 twelfths in all.
        let rounding = std::array::from_fn(|number| 1.5 * noise / step(x, number));
        Self { values, rounding }
    }

    /// The best of the `count` smallest steps: that bends and rounds least. How much it bends shows in the next step;
    /// the last one has none, so it tells nothing alone, and the error is infinite.
    fn best(&self, count: usize) -> Slope {
        let slope = |at: usize| {
            let bend = (self.values[at] - self.values[at + 1]).abs();
            Slope { value: self.values[at], error: bend + self.rounding[at] }
        };
        let all = (STEPS - count..STEPS - 1).map(slope);
        let none = Slope { value: f64::NAN, error: f64::INFINITY };
        all.fold(none, |best, other| if other.error < best.error { other } else { best })
    }
}

/// How much rounding changes the cost and the gradients: measured, as what changes if each number that an operation
/// rounds is changed by a unit in its last place, at random (Vignes, "A stochastic arithmetic for reliable scientific
/// computation", 1993).
struct Noise {
    cost: f64,
    gradients: Vec<Vec<f64>>,
}

/// So many changed passes are tried.
const TRIALS: u32 = 4;
/// The largest change that was seen is taken so many times.
const SAFETY: f64 = 16.0;
/// What is so near to the cost in the graph (the costs of examples, the network's outputs) is what the operations of the
/// cost subtract from each other, unseen.
const NEAR_THE_COST: usize = 3;

impl Noise {
    fn measure(trace: &Trace) -> Self {
        let graph = trace.graph();
        let given: Vec<Vec<f64>> = graph.ids().map(|id| trace.value(id).to_vec()).collect();
        let places = 0..trace.parameters().len();
        let mut cost = rounding_of_cost(trace);
        let mut gradients: Vec<Vec<f64>> =
            places.clone().map(|place| vec![0.0; trace.gradient(place).len()]).collect();
        for trial in 0..TRIALS {
            let changed = reference_with(graph, &given, |id, numbers| {
                if graph.node(id).op().is_some_and(rounds) {
                    let random = Random::new(id.index() as u64, Purpose::Sample, trial);
                    for (at, number) in numbers.iter_mut().enumerate() {
                        *number *= 1.0 + (2.0 * random.uniform(at as u64) - 1.0) * f64::EPSILON;
                    }
                }
            });
            let of = |id: NodeId| &changed[id.index()];
            cost = cost.max((of(trace.lowered().cost)[0] - trace.cost()).abs());
            for place in places.clone() {
                let pairs = of(trace.gradient_node(place)).iter().zip(trace.gradient(place));
                for (spread, (new, old)) in gradients[place].iter_mut().zip(pairs) {
                    *spread = spread.max((new - old).abs());
                }
            }
        }
        for numbers in &mut gradients {
            // What did not change in a few trials may in another one.
            let least = 0.01 * numbers.iter().copied().fold(0.0, f64::max);
            numbers.iter_mut().for_each(|number| *number = SAFETY * number.max(least));
        }
        Self { cost, gradients }
    }

    fn of_gradient(&self, place: usize, element: usize) -> f64 {
        self.gradients[place][element]
    }
}

/// Whether an operation rounds: the others move numbers, choose one, or tell a side.
fn rounds(op: &Op) -> bool {
    !matches!(
        op,
        Op::Reshape(_)
            | Op::Broadcast(_)
            | Op::Transpose(_)
            | Op::Slice(_)
            | Op::Pad(_)
            | Op::Concatenate(_)
            | Op::LowerTriangle(_)
            | Op::GatherRows(_)
            | Op::MaxPool(_)
            | Op::PickAtMax(_)
            | Op::Max(_)
            | Op::Step(_)
            | Op::Sign(_)
            | Op::Equal(_)
            | Op::Abs(_)
            | Op::Identity(_)
            | Op::Relu(_)
    )
}

/// How much rounding changes the cost at least, seen from the numbers that its operations add and subtract.
pub(super) fn rounding_of_cost(trace: &Trace) -> f64 {
    4.0 * f64::EPSILON * largest_near(trace, trace.lowered().cost, NEAR_THE_COST)
}

/// The largest number of a node and of those that it is made of, so many steps back.
fn largest_near(trace: &Trace, id: NodeId, steps: usize) -> f64 {
    let own = trace.value(id).iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    match steps {
        0 => own,
        _ => (trace.graph().node(id).inputs().iter())
            .fold(own, |most, &input| most.max(largest_near(trace, input, steps - 1))),
    }
}

/// Which side of its kinks the network is on: of a ReLU, an absolute value, a largest number.
pub(super) struct Branches<R> {
    /// Absent where the network has no kink.
    run: Option<R>,
    /// The sides with the parameters as they are.
    middle: Vec<f64>,
}

impl Branches<Plain> {
    /// For a few questions.
    ///
    /// # Errors
    /// If the graph contradicts itself.
    pub(super) fn plain(trace: &Trace, parameters: &[Vec<f64>]) -> Result<Self> {
        Self::new(trace, parameters, |graph, sides| Plain {
            graph: graph.clone(),
            outputs: sides.to_vec(),
            given: trace.values()[..trace.lowered().graph.nodes().len()].to_vec(),
            parameters: trace.lowered().parameters.clone(),
        })
    }
}

impl<R: Run> Branches<R> {
    /// The derivative of an operation with a kink has a node that tells the side, so the backward pass has them all but
    /// those of max pooling, which finds the largest pixels itself.
    fn new(trace: &Trace, parameters: &[Vec<f64>], run: impl Fn(&Graph, &[NodeId]) -> R) -> Result<Self> {
        let graph = trace.graph();
        let builder = Builder::extend(graph.clone());
        let mut sides = Vec::new();
        for id in graph.ids() {
            match graph.node(id).op() {
                Some(Op::Step(_) | Op::Sign(_) | Op::Equal(_)) => sides.push(id),
                Some(Op::MaxPool(ops::MaxPool { windows })) => {
                    let pixels = builder.var(graph.node(id).inputs()[0]);
                    let largest = builder.var(id);
                    let ones = builder.apply(ops::Equal, &[largest, largest]);
                    sides.extend(builder.apply(ops::RouteToMax { windows: *windows }, &[pixels, ones]).id());
                }
                _ => {}
            }
        }
        let graph = builder.finish()?;
        let run = (!sides.is_empty()).then(|| run(&graph, &sides));
        let mut branches = Self { run, middle: Vec::new() };
        branches.middle = branches.sides(parameters);
        Ok(branches)
    }

    fn sides(&mut self, parameters: &[Vec<f64>]) -> Vec<f64> {
        self.run.as_mut().map(|run| run.outputs(parameters)).unwrap_or_default()
    }

    /// Whether the points of a step are on another side of a kink than the middle.
    fn crossed(&mut self, parameters: &mut [Vec<f64>], place: (usize, usize), number: usize) -> bool {
        let x = parameters[place.0][place.1];
        self.crossed_within(parameters, place, 2.0 * step(x, number))
    }

    /// Whether a number that is so much smaller or larger is on another side of a kink.
    pub(super) fn crossed_within(
        &mut self,
        parameters: &mut [Vec<f64>],
        place: (usize, usize),
        reach: f64,
    ) -> bool {
        if self.run.is_none() {
            return false;
        }
        let x = parameters[place.0][place.1];
        let is_crossed = [x - reach, x + reach].into_iter().any(|moved| {
            parameters[place.0][place.1] = moved;
            self.sides(parameters) != self.middle
        });
        parameters[place.0][place.1] = x;
        is_crossed
    }
}

/// Which numbers of a parameter are checked, ascending.
fn sample(count: usize, options: &CheckOptions, place: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..count).collect();
    if count > options.samples {
        Random::new(options.seed, Purpose::Sample, place as u32).shuffle(&mut all);
        all.truncate(options.samples);
        all.sort_unstable();
    }
    all
}

/// An element's place: `[1,0]`.
fn index(element: usize, sizes: &[usize]) -> String {
    match sizes {
        [_, columns] => format!("[{},{}]", element / columns, element % columns),
        _ => format!("[{element}]"),
    }
}
