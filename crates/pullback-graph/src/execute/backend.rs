//! What a step runs on: the trait, and its plainest implementation.

use super::{Executor, Rules, reference};
use crate::graph::{Graph, Kind, NodeId};
use crate::plan::{Change, Target};
use pullback_kernels::{Array, Isa, MaskAddress, Real, Workspace, dropout_mask};
use std::ops::Range;

/// Runs whole steps: the inputs of a batch, outputs from inputs and residents, then the changes of the residents.
///
/// Residents are the parameters of a graph in its order, each followed by its optimizer states, as
/// [`Plan::residents`](crate::plan::Plan::residents) lists them.
pub trait Backend<T: Real> {
    /// Fills an input; inputs stand in the graph's order.
    ///
    /// # Panics
    /// If there is no such input or its size is another.
    fn upload(&mut self, input: usize, numbers: &[T]);

    /// Fills an input with rows of a batch, one after the other: `write` is called with ranges of rows and their piece
    /// of the input, which it writes; several threads may call it at once.
    ///
    /// # Panics
    /// If there is no such input, or it does not have that many rows.
    fn gather(&mut self, input: usize, rows: usize, write: &(dyn Fn(Range<usize>, &mut [T]) + Sync));

    /// The columns and the numbers of an input's entries, to be filled instead of all its numbers; absent where those
    /// are wanted.
    fn listed_mut(&mut self, _input: usize) -> Option<(&mut [u32], &mut [T])> {
        None
    }

    /// Fills an input with a dropout mask: the numbers at an address, the same on every backend.
    ///
    /// # Panics
    /// If there is no such input, or the rate is not in [0, 1).
    fn draw_mask(&mut self, input: usize, address: MaskAddress, rate: f64);

    /// Runs a step with the rules of the optimizer.
    fn run(&mut self, residents: &mut [Array<T>], rules: &dyn Rules<T>);

    /// The numbers of an output after a step, as they were before the residents changed.
    ///
    /// # Panics
    /// If there is no such output.
    fn download(&self, output: usize) -> Vec<T>;
}

impl<T: Real> Backend<T> for Executor<T> {
    fn upload(&mut self, input: usize, numbers: &[T]) {
        self.input_mut(input).copy_from_slice(numbers);
    }

    #[inline]
    fn gather(&mut self, input: usize, rows: usize, write: &(dyn Fn(Range<usize>, &mut [T]) + Sync)) {
        let (numbers, workspace) = self.input_and_workspace(input);
        let (elements, columns) = (numbers.len(), numbers.len() / rows.max(1));
        let nanoseconds = elements / COPIED_PER_NANOSECOND;
        workspace.share_rows(rows, nanoseconds, [numbers], [columns], |rows, [piece]| write(rows, piece));
    }

    fn listed_mut(&mut self, input: usize) -> Option<(&mut [u32], &mut [T])> {
        Executor::listed_mut(self, input)
    }

    #[inline]
    fn draw_mask(&mut self, input: usize, address: MaskAddress, rate: f64) {
        let (numbers, workspace) = self.input_and_workspace(input);
        dropout_mask(address, rate, numbers, workspace);
    }

    fn run(&mut self, residents: &mut [Array<T>], rules: &dyn Rules<T>) {
        Executor::run(self, residents);
        self.change(residents, rules);
    }

    fn download(&self, output: usize) -> Vec<T> {
        self.output(output).to_vec()
    }
}

/// About how many numbers a thread copies from rows in memory in a nanosecond.
const COPIED_PER_NANOSECOND: usize = 2;

/// Runs a graph with the operations' own values, and then its changes one after the other: what every other backend is
/// tested against.
#[derive(Debug)]
pub struct Reference<T> {
    graph: Graph,
    outputs: Vec<NodeId>,
    targets: Vec<Target>,
    clip_norm: Option<f64>,
    per_parameter: usize,
    inputs: Vec<Vec<T>>,
    values: Vec<Vec<T>>,
}

impl<T: Real> Reference<T> {
    /// A step that finds outputs and changes parameters; see
    /// [`Plan::with_changes`](crate::plan::Plan::with_changes).
    pub fn new(graph: &Graph, outputs: &[NodeId], targets: &[Target], clip_norm: Option<f64>) -> Self {
        let states = |target: &Target| match target.change {
            Change::Store => 0,
            Change::Update(update) => update.states,
        };
        Self {
            inputs: (graph.nodes().iter())
                .filter(|node| matches!(node.kind, Kind::Input(_)))
                .map(|node| vec![T::ZERO; node.shape.elements()])
                .collect(),
            graph: graph.clone(),
            outputs: outputs.to_vec(),
            per_parameter: 1 + targets.iter().map(states).max().unwrap_or(0),
            targets: targets.to_vec(),
            clip_norm,
            values: Vec::new(),
        }
    }
}

impl<T: Real> Backend<T> for Reference<T> {
    fn upload(&mut self, input: usize, numbers: &[T]) {
        self.inputs[input].copy_from_slice(numbers);
    }

    fn gather(&mut self, input: usize, rows: usize, write: &(dyn Fn(Range<usize>, &mut [T]) + Sync)) {
        write(0..rows, &mut self.inputs[input]);
    }

    fn draw_mask(&mut self, input: usize, address: MaskAddress, rate: f64) {
        dropout_mask(address, rate, &mut self.inputs[input], &mut Workspace::new(Isa::portable(), 1));
    }

    fn run(&mut self, residents: &mut [Array<T>], rules: &dyn Rules<T>) {
        let (mut inputs, mut parameters) = (self.inputs.iter(), residents.iter().step_by(self.per_parameter));
        let given: Vec<Vec<T>> = (self.graph.nodes().iter())
            .map(|node| match node.kind {
                Kind::Input(_) => inputs.next().cloned().unwrap_or_default(),
                Kind::Parameter(_) => parameters.next().map(|numbers| numbers.to_vec()).unwrap_or_default(),
                _ => Vec::new(),
            })
            .collect();
        self.values = reference(&self.graph, &given);

        let is_update = |target: &&Target| matches!(target.change, Change::Update(_));
        let gradients =
            self.targets.iter().filter(is_update).flat_map(|target| &self.values[target.node.index()]);
        let norm = gradients.map(|g| g.to_f64() * g.to_f64()).sum::<f64>().sqrt();
        let factor = self.clip_norm.filter(|limit| norm > *limit).map_or(1.0, |limit| limit / norm);
        let is_parameter = |id: &NodeId| matches!(self.graph.node(*id).kind, Kind::Parameter(_));
        let places: Vec<NodeId> = self.graph.ids().filter(is_parameter).collect();
        for target in &self.targets {
            let place = places.iter().position(|id| *id == target.parameter).expect("a parameter is changed");
            let own = &mut residents[place * self.per_parameter..][..self.per_parameter];
            let numbers = &self.values[target.node.index()];
            match target.change {
                Change::Store => own[0].copy_from_slice(numbers),
                Change::Update(update) => {
                    let gradient: Vec<T> = numbers.iter().map(|g| *g * T::from_f64(factor)).collect();
                    let mut own = own.iter_mut();
                    let arrays =
                        std::array::from_fn(|_| own.next().map_or(&mut [][..], |array| &mut array[..]));
                    let shape = self.graph.shape(target.node);
                    let mut workspace = Workspace::new(Isa::portable(), 1);
                    match update.is_piecewise {
                        true => rules.piece(update.rule, &gradient, arrays),
                        false => rules.whole(
                            update.rule,
                            shape,
                            &gradient,
                            arrays,
                            &mut Vec::new(),
                            &mut workspace,
                        ),
                    }
                }
            }
        }
    }

    fn download(&self, output: usize) -> Vec<T> {
        self.values[self.outputs[output].index()].clone()
    }
}
