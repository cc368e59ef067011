//! The plan of a step for one batch size.

use super::gradient::OneByOne;
use super::optimizer::lbfgs::Reached;
use super::{Machine, Training};
use crate::differentiate::reverse;
use crate::error::{Error, Result};
use crate::execute::{Backend, Executor, StepRules};
use crate::graph::{Builder, Graph, NodeId};
use crate::network::{Lowered, Mask, Mode, Network, Parameter, Role};
use crate::plan::{Change, Plan, Target, Update};
use pullback_kernels::{Array, Real};

/// Forward pass, backward pass and the change of the weights for one batch size.
pub(super) struct Stepper<T> {
    pub(super) executor: Executor<T>,
    /// What finds the gradients instead of the executor, if they are not back-propagated.
    one_by_one: Option<OneByOne<T>>,
    /// The places of the trained parameters, in the order of their gradients.
    pub(super) trained: Vec<usize>,
    masks: Vec<Mask>,
}

/// The graph of a step, and what it changes.
struct StepGraph {
    lowered: Lowered,
    graph: Graph,
    /// The cost, and behind it the gradients, where something else makes a step of them.
    outputs: Vec<NodeId>,
    targets: Vec<Target>,
    /// The places of the trained parameters, in the order of their gradients.
    trained: Vec<usize>,
}

impl StepGraph {
    fn new(
        network: &Network,
        training: &Training,
        (batch, is_weighted): (usize, bool),
        background: f64,
    ) -> Result<Self> {
        let lowered = network.lower_less(batch, Mode::Training, background, is_weighted)?;
        let specification = network.parameters()?;
        let trained: Vec<usize> =
            (0..specification.len()).filter(|&place| specification[place].role.is_trained()).collect();
        let wrt: Vec<NodeId> = trained.iter().map(|&place| lowered.parameters[place]).collect();
        let (graph, gradients) = if training.gradient.is_back() {
            let gradients = reverse(&lowered.graph, lowered.cost, &wrt)?;
            (gradients.graph, gradients.nodes)
        } else {
            // They are found elsewhere, and given like data.
            let builder = Builder::extend(lowered.graph.clone());
            let inputs = trained.iter().map(|&place| gradient_input(&builder, &specification[place]));
            let gradients = inputs.collect();
            (builder.finish()?, gradients)
        };
        let update = |place: usize| update(training, &specification[place]);
        let mut outputs = vec![lowered.cost];
        let mut updates = Vec::new();
        if training.keeps_gradients() {
            outputs.extend(gradients);
        } else {
            updates.extend(trained.iter().zip(gradients).map(|(&place, node)| (place, node, update(place))));
        }
        let stores = lowered.statistics.iter().map(|&(place, node)| (place, node, Change::Store));
        let targets = (updates.into_iter().chain(stores))
            .map(|(place, node, change)| Target { parameter: lowered.parameters[place], node, change })
            .collect();
        Ok(Self { graph, outputs, targets, trained, lowered })
    }

    fn plan(&self, training: &Training) -> Plan {
        Plan::with_changes(&self.graph, &self.outputs, &self.targets, training.clip_norm)
    }
}

/// A gradient that is given. Inputs of one name would be one input.
fn gradient_input(builder: &Builder, parameter: &Parameter) -> NodeId {
    let input = builder.input(&format!("gradient.{}", parameter.name), parameter.shape.clone());
    input.id().expect("an input has no shape error")
}

/// How the optimizer changes a parameter.
fn update(training: &Training, parameter: &Parameter) -> Change {
    let is_weight = matches!(parameter.role, Role::Weight(_));
    Change::Update(Update {
        rule: usize::from(is_weight),
        states: training.optimizer.states(),
        is_piecewise: training.optimizer.is_piecewise() || !is_weight || parameter.shape.rank() != 2,
    })
}

impl<T: Real> Stepper<T> {
    /// For so many examples, which have weights or not.
    pub(super) fn new(
        machine: &Machine,
        network: &Network,
        training: &Training,
        batch: (usize, bool),
        background: f64,
        listed: &[Option<usize>],
    ) -> Result<Self> {
        let machine = &Machine { precision: training.precision.of_products(), ..*machine };
        let step = StepGraph::new(network, training, batch, background)?;
        let executor = Executor::with_listed(step.plan(training), machine, listed);
        let StepGraph { lowered, trained, .. } = step;
        let wrt: Vec<NodeId> = trained.iter().map(|&place| lowered.parameters[place]).collect();
        let one_by_one = OneByOne::new(training.gradient, &lowered, &wrt, machine);
        Ok(Self { executor, one_by_one, trained, masks: lowered.masks })
    }

    /// Draws the dropout masks of a step.
    pub(super) fn fill_masks(&mut self, seed: u64, epoch: usize, step: usize) {
        for (number, mask) in self.masks.iter().enumerate() {
            self.executor.draw_mask(mask.input, Mask::address(seed, epoch, step, number), mask.rate);
        }
    }

    /// Finds the gradients, if they are not back-propagated.
    pub(super) fn fill_gradients(&mut self, residents: &[Array<T>]) {
        let parameters = residents.iter().step_by(self.executor.plan().residents_per_parameter);
        if let Some(one_by_one) = &mut self.one_by_one {
            one_by_one.fill(&mut self.executor, parameters, &self.trained);
        }
    }

    /// Refuses a network whose cost is another one at each step: a search compares the costs of several points.
    ///
    /// # Errors
    /// If it draws masks, or keeps statistics of the steps.
    pub(super) fn check_search(&self, name: &str) -> Result<()> {
        let why = if !self.masks.is_empty() {
            "dropout draws another cost at each step"
        } else if self.executor.plan().outputs_after < self.executor.plan().instructions.len() {
            "batch norm keeps averages over many steps, and it takes few"
        } else {
            return Ok(());
        };
        Err(Error::configuration(format!("{name} compares costs of several steps, but {why}"))
            .help("leave that layer out, or take another optimizer"))
    }

    /// After a run that was asked for gradients, the gradients: those of the trained parameters, in their order.
    pub(super) fn gradients(&self) -> impl Iterator<Item = &[T]> {
        (1..=self.trained.len()).map(|output| self.executor.output(output))
    }

    /// Gives the parameters the numbers of a point.
    pub(super) fn place(point: &[f64], residents: &mut [Array<T>]) {
        let mut rest = point;
        for resident in residents.iter_mut() {
            let (own, others) = rest.split_at(resident.len());
            resident.iter_mut().zip(own).for_each(|(number, own)| *number = T::from_f64(*own));
            rest = others;
        }
    }

    /// The cost and the gradient of the rows that were filled in, at a point: all numbers of all parameters.
    pub(super) fn reach(&mut self, point: &[f64], residents: &mut [Array<T>]) -> Reached {
        Self::place(point, residents);
        self.executor.run(residents);
        let gradient = self.gradients().flatten().map(|number| number.to_f64()).collect();
        Reached { cost: self.executor.output(0)[0].to_f64(), gradient }
    }
}

/// Sums the gradients of several batches, each as it counts among their rows, and makes one step of them.
pub(super) struct Accumulator<T> {
    /// Takes gradients as inputs, and changes the parameters.
    executor: Executor<T>,
    /// The weights of the rows so far, and the sum of their costs times their weights.
    weight: f64,
    cost: f64,
}

impl<T: Real> Accumulator<T> {
    pub(super) fn new(machine: &Machine, network: &Network, training: &Training) -> Result<Self> {
        let builder = Builder::new();
        let mut targets = Vec::new();
        for specification in network.parameters()? {
            let parameter = builder.parameter(&specification.name, specification.shape.clone()).id();
            let parameter = parameter.expect("a parameter has no shape error");
            if specification.role.is_trained() {
                let node = gradient_input(&builder, &specification);
                targets.push(Target { parameter, node, change: update(training, &specification) });
            }
        }
        let plan = Plan::with_changes(&builder.finish()?, &[], &targets, training.clip_norm);
        Ok(Self { executor: Executor::new(plan, machine), weight: 0.0, cost: 0.0 })
    }

    pub(super) fn plan(&self) -> &Plan {
        self.executor.plan()
    }

    /// Adds what a stepper has found for rows of a weight: `sum(W g) / sum(W)` stays the gradient of all rows so far.
    pub(super) fn add(&mut self, stepper: &Stepper<T>, weight: f64) {
        let cost = stepper.executor.output(0)[0].to_f64();
        self.cost += cost * weight;
        self.weight += weight;
        // The sum times weights is made a mean at the end: rounding is that of as many additions.
        let weight = T::from_f64(weight);
        for (input, gradient) in stepper.gradients().enumerate() {
            let sums = self.executor.input_mut(input);
            sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += weight * *g);
        }
    }

    /// Makes a step of what was added; gives the cost of all rows, and the gradient's norm if it is clipped.
    pub(super) fn change(&mut self, residents: &mut [Array<T>], rules: &StepRules<T>) -> (f64, f64) {
        let share = T::from_f64(1.0 / self.weight);
        let gradients = self.executor.plan().inputs.len();
        for input in 0..gradients {
            self.executor.input_mut(input).iter_mut().for_each(|sum| *sum *= share);
        }
        self.executor.run(residents);
        self.executor.change(residents, rules.as_rules());
        (0..gradients).for_each(|input| self.executor.input_mut(input).fill(T::ZERO));
        let cost = self.cost / self.weight;
        (self.weight, self.cost) = (0.0, 0.0);
        (cost, self.executor.gradient_norm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pullback_kernels::{Isa, Workspace, dropout_mask};
    use std::collections::HashSet;

    #[test]
    fn no_two_masks_are_the_same() {
        let mut seen = HashSet::new();
        let places = [0, 1, 2, 255, 256, 257, 65_536, 1 << 24];
        for seed in [0, 1, 1 << 32] {
            for epoch in [0, 1, 300] {
                for step in places {
                    for number in places {
                        let mut mask = [0.0_f32; 256];
                        let address = Mask::address(seed, epoch, step, number);
                        dropout_mask(address, 0.5, &mut mask, &mut Workspace::new(Isa::portable(), 1));
                        let what = (seed, epoch, step, number);
                        assert!(seen.insert(mask.map(f32::to_bits)), "{what:?} is the mask of another step");
                    }
                }
            }
        }
    }

    /// Whole steps on the executor and on the reference, with rows, masks, and the rules of each optimizer.
    #[test]
    fn a_step_of_each_optimizer_agrees_with_the_reference() {
        use crate::data::{Bytes, Features};
        use crate::execute::Reference;
        use crate::execute::StepRules;
        use crate::network::{Activation, Cost, Layer};
        use crate::train::Optimizer;
        use crate::train::evaluate::fill;

        let mut network = Network::dense(100, &[96, 9], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
        // Not behind a bias, whose gradient is nothing but rounding then.
        network.layers.insert(0, Layer::batch_norm());
        network.layers.insert(2, Layer::dropout(0.4));
        let rows = [3, 0, 5, 5, 8, 1, 2];
        let bytes = (0..900).map(|i| (i * 37 % 251) as u8).collect();
        let bytes = Bytes::new(bytes, vec![100], u8::MAX).expect("whole rows");
        let features = Features::<f64>::bytes(bytes, 120.0, 60.0).expect("a legal scale");
        network.regularization.l2 = 0.01;
        for name in Optimizer::NAMES.iter().filter(|name| **name != "lbfgs") {
            for (clip_norm, is_weighted) in [(None, false), (Some(0.05), false), (None, true)] {
                let optimizer = name.parse().expect("a name of the list");
                let training = Training { optimizer, clip_norm, ..Training::default() };
                let step_graph = StepGraph::new(&network, &training, (rows.len(), is_weighted), 0.0)
                    .expect("a legal network");
                let plan = step_graph.plan(&training);
                let numbers = |count: usize, seed: usize| {
                    (0..count)
                        .map(|i| ((i * i + 3 * i + seed) % 17) as f64 * 0.02 - 0.13)
                        .collect::<Vec<f64>>()
                };
                let initial = network.initialize::<f64>(3).expect("a legal network");
                let mut start: Vec<Array<f64>> =
                    plan.residents.iter().map(|named| Array::zeros(named.shape.elements())).collect();
                let parameters = start.iter_mut().step_by(plan.residents_per_parameter);
                parameters.zip(&initial).for_each(|(own, numbers)| own.copy_from_slice(numbers));
                let inputs: Vec<usize> = plan.inputs.iter().map(|input| input.shape.elements()).collect();
                let run = |backend: &mut dyn Backend<f64>| {
                    let mut residents = start.clone();
                    for (input, elements) in inputs.iter().enumerate() {
                        backend.upload(input, &numbers(*elements, 5 + input));
                    }
                    for step in 1..4 {
                        fill(backend, Isa::best(), &[&features], &rows);
                        for (number, mask) in step_graph.lowered.masks.iter().enumerate() {
                            backend.draw_mask(
                                mask.input,
                                Mask::address(3, 0, step as usize, number),
                                mask.rate,
                            );
                        }
                        let rules = training.optimizer.rules(0.01, step).expect("one that does not search");
                        backend.run(&mut residents, &StepRules { isa: Isa::portable(), rules });
                    }
                    residents
                };
                let StepGraph { graph, outputs, targets, .. } = &step_graph;
                let right = run(&mut Reference::new(graph, outputs, targets, training.clip_norm));
                let found = run(&mut Executor::new(plan.clone(), &Machine::with_threads(2)));
                let pairs = found.iter().flat_map(|x| &x[..]).zip(right.iter().flat_map(|x| &x[..]));
                for (found, right) in pairs {
                    let error = (found - right).abs() / right.abs().max(1.0);
                    assert!(error < 1e-9, "{name}: {found} for {right}");
                }
            }
        }
    }
}
