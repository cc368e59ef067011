//! Walks a plan's instructions. A run allocates nothing, locks nothing and looks nothing up.

use crate::graph::ops::{Concatenate, Mean, Sum, View, ViewMut};
use crate::graph::{Op, Shape};
use crate::plan::{Instruction, Place, Plan};
use pullback_kernels::{
    Isa, Operand, Real, Start, Workspace, log_softmax, map_in_place, product_with, softmax, sum_columns,
    sum_rows,
};

/// A plan with its buffers.
#[derive(Debug)]
pub struct Executor<T> {
    plan: Plan,
    inputs: Vec<Vec<T>>,
    constants: Vec<Vec<T>>,
    buffers: Vec<Vec<T>>,
    outputs: Vec<(Place, usize)>,
    isa: Isa,
    threads: usize,
    /// What products repack operands in, and their threads.
    workspace: Workspace,
}

impl<T: Real> Executor<T> {
    /// Makes the buffers of a plan. `threads` bounds how many threads a run uses; the results have
    /// the same bits for any number.
    pub fn new(plan: Plan, threads: usize) -> Self {
        Self {
            inputs: plan.inputs.iter().map(|input| vec![T::ZERO; input.shape.elements()]).collect(),
            constants: (plan.constants.iter())
                .map(|&(value, elements)| vec![T::from_f64(value); elements])
                .collect(),
            buffers: plan.buffers.iter().map(|&elements| vec![T::ZERO; elements]).collect(),
            outputs: plan.outputs.iter().map(|(place, shape)| (*place, shape.elements())).collect(),
            plan,
            isa: Isa::best(),
            threads,
            workspace: Workspace::new(Isa::best(), threads),
        }
    }

    /// The same on a given instruction set instead of the machine's best; the results have the same
    /// bits.
    pub fn with_isa(self, isa: Isa) -> Self {
        Self { isa, workspace: Workspace::new(isa, self.threads), ..self }
    }

    /// The plan that is run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// An input's numbers, to be filled before a run. Inputs stand in the graph's order.
    ///
    /// # Panics
    /// If the graph has fewer inputs.
    pub fn input_mut(&mut self, position: usize) -> &mut [T] {
        &mut self.inputs[position]
    }

    /// Runs the plan with the parameters in the graph's order.
    ///
    /// # Panics
    /// If `parameters` are not as many or as large as the plan says.
    pub fn run(&mut self, parameters: &[Vec<T>]) {
        assert_eq!(parameters.len(), self.plan.parameters.len(), "number of parameters");
        for (numbers, named) in parameters.iter().zip(&self.plan.parameters) {
            assert_eq!(numbers.len(), named.shape.elements(), "size of parameter `{}`", named.name);
        }
        for instruction in &self.plan.instructions {
            // The result's buffer is none of the operands', so it can be taken out meanwhile.
            let mut result = std::mem::take(&mut self.buffers[instruction.buffer]);
            let numbers = Numbers {
                inputs: &self.inputs,
                constants: &self.constants,
                buffers: &self.buffers,
                parameters,
            };
            let output =
                ViewMut { shape: &instruction.shape, data: &mut result[..instruction.shape.elements()] };
            execute(instruction, numbers, output, self.isa, &mut self.workspace);
            self.buffers[instruction.buffer] = result;
        }
    }

    /// A requested output's numbers after a run.
    ///
    /// # Panics
    /// If the output is a parameter itself, which the caller has, or does not exist.
    pub fn output(&self, position: usize) -> &[T] {
        let (place, elements) = self.outputs[position];
        let numbers = Numbers {
            inputs: &self.inputs,
            constants: &self.constants,
            buffers: &self.buffers,
            parameters: &[],
        };
        &numbers.at(place)[..elements]
    }
}

/// All numbers that an instruction can read.
#[derive(Clone, Copy)]
struct Numbers<'a, T> {
    inputs: &'a [Vec<T>],
    constants: &'a [Vec<T>],
    buffers: &'a [Vec<T>],
    parameters: &'a [Vec<T>],
}

impl<'a, T> Numbers<'a, T> {
    fn at(self, place: Place) -> &'a [T] {
        match place {
            Place::Buffer(index) => &self.buffers[index],
            Place::Parameter(index) => &self.parameters[index],
            Place::Input(index) => &self.inputs[index],
            Place::Constant(index) => &self.constants[index],
        }
    }
}

fn execute<T: Real>(
    instruction: &Instruction,
    numbers: Numbers<'_, T>,
    output: ViewMut<'_, T>,
    isa: Isa,
    workspace: &mut Workspace,
) {
    let nothing = View { shape: &instruction.shape, data: &[] };
    let mut views = [nothing; Concatenate::MAX_OPERANDS];
    for (view, (place, shape)) in views.iter_mut().zip(&instruction.inputs) {
        *view = View { shape, data: &numbers.at(*place)[..shape.elements()] };
    }
    let views = &views[..instruction.inputs.len()];
    let (x, op) = (views[0], &instruction.op);
    match op {
        Op::MatrixProduct(op) => {
            let (left, right) = (matrix(x, op.transpose_left), matrix(views[1], op.transpose_right));
            product_with(left, right, output.data, Start::Zero, |_, _, _| (), workspace);
        }
        _ if x.data.is_empty() => op.value(views, output),
        Op::Sum(Sum { axes, .. }) if is_trailing(axes, x.shape) => sum_columns(isa, x.data, output.data),
        Op::Sum(Sum { axes, .. }) if is_leading(axes) => sum_rows(isa, x.data, output.data),
        Op::Mean(Mean { axes, .. }) if is_trailing(axes, x.shape) || is_leading(axes) => {
            let factor = T::ONE / T::from_f64((x.data.len() / output.data.len()) as f64);
            if is_trailing(axes, x.shape) {
                sum_columns(isa, x.data, output.data);
            } else {
                sum_rows(isa, x.data, output.data);
            }
            map_in_place(
                isa,
                output.data,
                #[inline(always)]
                |sum| sum * factor,
            );
        }
        Op::Softmax(_) => softmax(isa, x.data, x.shape.last(), output.data),
        Op::LogSoftmax(_) => log_softmax(isa, x.data, x.shape.last(), output.data),
        // Whatever is element by element becomes fast by being compiled for the instruction set.
        op => isa.run(
            #[inline(always)]
            || op.value(views, output),
        ),
    }
}

/// Whether `axes` are the first ones: 0, 1, ... in any order, at least one.
fn is_leading(axes: &[usize]) -> bool {
    !axes.is_empty() && axes.iter().all(|&axis| axis < axes.len())
}

/// Whether `axes` are the last ones, at least one.
fn is_trailing(axes: &[usize], shape: &Shape) -> bool {
    !axes.is_empty() && axes.iter().all(|&axis| axis + axes.len() >= shape.rank())
}

fn matrix<'a, T: Real>(view: View<'a, T>, transposed: bool) -> Operand<'a, T> {
    let operand = Operand::new(view.data, view.shape.sizes()[0], view.shape.sizes()[1]);
    if transposed { operand.transposed() } else { operand }
}
