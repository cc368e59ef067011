//! Gradients without back propagation: one weight after another.
//!
//! What back propagation finds in one backward pass takes these one run (forward mode) or two (central
//! differences) for each weight. They are here so that the claim can be tried.

use super::GradientMethod;
use crate::differentiate::forward;
use crate::execute::{Executor, Machine};
use crate::graph::NodeId;
use crate::network::Lowered;
use crate::plan::Plan;
use pullback_kernels::{Array, Real};

/// A gradient that is found weight by weight.
pub(super) struct OneByOne<T> {
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
    /// Absent for back propagation, which needs none of this.
    pub(super) fn new(
        method: GradientMethod,
        lowered: &Lowered,
        wrt: &[NodeId],
        machine: &Machine,
    ) -> Option<Self> {
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

    /// Finds the gradient with the inputs of `given`, and writes it to the inputs that follow there. `trained` are the
    /// places of the trained parameters.
    pub(super) fn fill<'p>(
        &mut self,
        given: &mut Executor<T>,
        parameters: impl ExactSizeIterator<Item = &'p Array<T>>,
        trained: &[usize],
    ) {
        for input in 0..self.inputs {
            self.executor.input_mut(input).copy_from_slice(given.input_mut(input));
        }
        self.parameters.resize(parameters.len(), Array::default());
        for (own, given) in self.parameters.iter_mut().zip(parameters) {
            own.clone_from(given);
        }
        // Where rounding (epsilon / step) and truncation (step^2) of a central difference balance.
        let step = Real::powf(T::EPSILON.to_f64(), 1.0 / 3.0);
        for (position, &place) in trained.iter().enumerate() {
            for element in 0..self.numbers[position].len() {
                self.numbers[position][element] = if self.is_forward {
                    self.executor.input_mut(self.inputs + position)[element] = T::ONE;
                    self.executor.run(&self.parameters);
                    self.executor.input_mut(self.inputs + position)[element] = T::ZERO;
                    self.executor.output(0)[0]
                } else {
                    let middle = self.parameters[place][element];
                    let mut cost_at = |weight: T| {
                        self.parameters[place][element] = weight;
                        self.executor.run(&self.parameters);
                        self.executor.output(0)[0].to_f64()
                    };
                    let size = step * Real::max(middle.to_f64().abs(), 1.0);
                    // As they are after rounding: their distance is what is divided by.
                    let (below, above) =
                        (T::from_f64(middle.to_f64() - size), T::from_f64(middle.to_f64() + size));
                    let difference = cost_at(above) - cost_at(below);
                    self.parameters[place][element] = middle;
                    T::from_f64(difference / (above.to_f64() - below.to_f64()))
                };
            }
            given.input_mut(self.inputs + position).copy_from_slice(&self.numbers[position]);
        }
    }
}
