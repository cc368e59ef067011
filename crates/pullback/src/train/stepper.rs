//! The plan of a step for one batch size.

use super::gradient::OneByOne;
use super::{Machine, Training};
use crate::differentiate::reverse;
use crate::error::Result;
use crate::execute::{Backend, Executor};
use crate::graph::{Builder, Graph, NodeId};
use crate::network::{Lowered, Mask, Mode, Network, Role};
use crate::plan::{Change, Plan, Target, Update};
use pullback_kernels::{Array, Real};

/// Forward pass, backward pass and the change of the weights for one batch size.
pub(super) struct Stepper<T> {
    pub(super) executor: Executor<T>,
    /// What finds the gradients instead of the executor, if they are not back-propagated.
    one_by_one: Option<OneByOne<T>>,
    /// The places of the trained parameters, in the order of their gradients.
    trained: Vec<usize>,
    masks: Vec<Mask>,
}

/// The graph of a step, and what it changes.
struct StepGraph {
    lowered: Lowered,
    graph: Graph,
    cost: NodeId,
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
            let shapes = wrt.iter().map(|id| lowered.graph.shape(*id).clone());
            let inputs = shapes.map(|shape| builder.input("gradient", shape).id());
            let gradients = inputs.map(|id| id.expect("an input has no shape error")).collect();
            (builder.finish()?, gradients)
        };
        let update = |place: usize| {
            let is_matrix = matches!(specification[place].role, Role::Weight(_))
                && specification[place].shape.rank() == 2;
            Change::Update(Update {
                rule: usize::from(matches!(specification[place].role, Role::Weight(_))),
                states: training.optimizer.states(),
                is_piecewise: training.optimizer.is_piecewise() || !is_matrix,
            })
        };
        let updates = (trained.iter().zip(gradients)).map(|(&place, node)| (place, node, update(place)));
        let stores = lowered.statistics.iter().map(|&(place, node)| (place, node, Change::Store));
        let targets = (updates.chain(stores))
            .map(|(place, node, change)| Target { parameter: lowered.parameters[place], node, change })
            .collect();
        Ok(Self { graph, cost: lowered.cost, targets, trained, lowered })
    }

    fn plan(&self, training: &Training) -> Plan {
        Plan::with_changes(&self.graph, &[self.cost], &self.targets, training.clip_norm)
    }
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
        use crate::network::{Activation, Cost, Layer};
        use crate::train::Optimizer;
        use crate::train::evaluate::fill;
        use crate::train::optimizer::StepRules;

        let mut network = Network::dense(100, &[96, 9], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
        // Not behind a bias, whose gradient is nothing but rounding then.
        network.layers.insert(0, Layer::batch_norm());
        network.layers.insert(2, Layer::dropout(0.4));
        let rows = [3, 0, 5, 5, 8, 1, 2];
        let bytes = (0..900).map(|i| (i * 37 % 251) as u8).collect();
        let bytes = Bytes::new(bytes, vec![100], u8::MAX).expect("whole rows");
        let features = Features::<f64>::bytes(bytes, 120.0, 60.0).expect("a legal scale");
        network.regularization.l2 = 0.01;
        for name in Optimizer::NAMES {
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
                        let rules = training.optimizer.rules(0.01, step);
                        backend.run(&mut residents, &StepRules { isa: Isa::portable(), rules });
                    }
                    residents
                };
                let StepGraph { graph, cost, targets, .. } = &step_graph;
                let right = run(&mut Reference::new(graph, &[*cost], targets, training.clip_norm));
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
