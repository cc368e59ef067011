//! Gradients without back propagation: one weight after another.
//!
//! What back propagation finds in one backward pass takes these one run (forward mode) or two (central
//! differences) for each weight. They are here so that the claim can be tried.

use super::GradientMethod;
use crate::differentiate::differences::{beside, central, central_step};
use crate::differentiate::forward;
use crate::execute::{Executor, Machine};
use crate::graph::NodeId;
use crate::network::Lowered;
use crate::plan::Plan;
use pullback_kernels::{Array, Real};

/// A gradient that is found weight by weight.
#[derive(Debug)]
pub struct OneByOne<T> {
    is_forward: bool,
    executor: Executor<T>,
    /// The number of inputs of the network's own graph; directions follow.
    inputs: usize,
    /// The parameters, one number of which is moved at a time.
    parameters: Vec<Array<T>>,
    /// The gradient, a parameter after the other, as they are trained.
    numbers: Vec<Vec<T>>,
}

impl<T: Real> OneByOne<T> {
    /// Prepares the gradient of a network's cost with respect to the parameters `wrt`. Absent for back propagation,
    /// which needs none of this.
    pub fn new(method: GradientMethod, lowered: &Lowered, wrt: &[NodeId], machine: &Machine) -> Option<Self> {
        let (graph, output) = match method {
            GradientMethod::Back => return None,
            GradientMethod::Differences => (lowered.graph.clone(), lowered.cost),
            GradientMethod::Forward => {
                let tangents = forward(&lowered.graph, &[lowered.cost], wrt);
                (tangents.graph, tangents.nodes[0])
            }
        };
        let own = Plan::new(&lowered.graph, &[lowered.cost]);
        Some(Self {
            is_forward: method == GradientMethod::Forward,
            executor: Executor::new(Plan::new(&graph, &[output]), machine),
            inputs: own.inputs.len(),
            parameters: Vec::new(),
            numbers: wrt.iter().map(|&id| vec![T::ZERO; lowered.graph.shape(id).elements()]).collect(),
        })
    }

    /// Takes the numbers of an input of the network's graph, by its place among them.
    pub fn set_input(&mut self, input: usize, numbers: &[T]) {
        self.executor.input_mut(input).copy_from_slice(numbers);
    }

    /// Takes the parameters, in the order of the network.
    pub fn set_parameters<'p>(&mut self, parameters: impl ExactSizeIterator<Item = &'p [T]>) {
        self.parameters.resize(parameters.len(), Array::default());
        for (own, given) in self.parameters.iter_mut().zip(parameters) {
            if own.len() == given.len() {
                own.copy_from_slice(given);
            } else {
                *own = Array::from(given);
            }
        }
    }

    /// One number of the gradient: `element` of the parameter that is at `position` among those in `wrt`, and at
    /// `place` among all.
    pub fn number(&mut self, position: usize, place: usize, element: usize) -> T {
        let Self { executor, parameters, inputs, .. } = self;
        if self.is_forward {
            let direction = *inputs + position;
            executor.input_mut(direction)[element] = T::ONE;
            executor.run(parameters);
            executor.input_mut(direction)[element] = T::ZERO;
            return executor.output(0)[0];
        }
        let cost = |parameters: &[Array<T>]| {
            executor.run(parameters);
            executor.output(0)[0].to_f64()
        };
        T::from_f64(beside(parameters, (place, element), cost, |w, f| central(w, central_step(w), f)))
    }

    /// Finds the whole gradient with the inputs of `given`, and writes it to the inputs that follow there. `trained`
    /// are the places of the trained parameters.
    pub(super) fn fill<'p>(
        &mut self,
        given: &mut Executor<T>,
        parameters: impl ExactSizeIterator<Item = &'p Array<T>>,
        trained: &[usize],
    ) {
        for input in 0..self.inputs {
            self.set_input(input, &given.input(input));
        }
        self.set_parameters(parameters.map(|numbers| &numbers[..]));
        for (position, &place) in trained.iter().enumerate() {
            for element in 0..self.numbers[position].len() {
                self.numbers[position][element] = self.number(position, place, element);
            }
            given.input_mut(self.inputs + position).copy_from_slice(&self.numbers[position]);
        }
    }
}
