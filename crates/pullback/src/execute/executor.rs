//! Walks a plan's instructions. A run allocates nothing, locks nothing and looks nothing up.

use crate::graph::ops::{Concatenate, Mean, Other, Pattern, Sum, View, ViewMut};
use crate::graph::{Op, Shape};
use crate::plan::{Action, Gradient, Instruction, Place, Plan, Slope, Stage};
use pullback_kernels::{
    Array, Isa, Operand, Precision, Real, Start, Workspace, convolve, convolve_transposed, filter_gradient,
    log_softmax, map_in_place, max_pool, product_with, route_to_max, softmax, softmax_cross_entropy,
    sum_columns, sum_rows,
};

/// About how many numbers a thread copies from rows in memory in a nanosecond.
const COPIED_PER_NANOSECOND: usize = 4;

/// A plan with its buffers.
#[derive(Debug)]
pub struct Executor<T> {
    plan: Plan,
    inputs: Vec<Array<T>>,
    constants: Vec<Array<T>>,
    buffers: Vec<Array<T>>,
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
            inputs: plan.inputs.iter().map(|input| Array::zeros(input.shape.elements())).collect(),
            constants: (plan.constants.iter())
                .map(|&(value, elements)| {
                    let mut constant = Array::zeros(elements);
                    constant.fill(T::from_f64(value));
                    constant
                })
                .collect(),
            buffers: plan.buffers.iter().map(|&elements| Array::zeros(elements)).collect(),
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
        let workspace = Workspace::new(isa, self.threads).with_precision(self.workspace.precision());
        Self { isa, workspace, ..self }
    }

    /// The same with products of f32 matrices computed in that precision.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { workspace: self.workspace.with_precision(precision), ..self }
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

    /// Runs the plan with the parameters in the graph's order until all outputs are known.
    ///
    /// # Panics
    /// If `parameters` are not as many or as large as the plan says.
    pub fn run<P: AsRef<[T]> + Sync>(&mut self, parameters: &[P]) {
        self.check(parameters);
        self.run_instructions(parameters, 0..self.plan.outputs_after);
    }

    /// After a [`run`](Self::run), finds the gradients that the plan hands out. As soon as one is ready,
    /// `update` is called with its position, the gradient, and the parameter that it may change: the gradient
    /// is still near then, and its memory serves the next.
    ///
    /// # Panics
    /// If `parameters` are not as many or as large as the plan says.
    pub fn run_gradients<P: AsRef<[T]> + AsMut<[T]> + Sync>(
        &mut self,
        parameters: &mut [P],
        mut update: impl FnMut(usize, &[T], &mut [T], &mut Workspace),
    ) {
        self.check(parameters);
        let mut done = self.plan.outputs_after;
        for at in 0..self.plan.gradients.len() {
            let Gradient { position, after, parameter, place, elements } = self.plan.gradients[at];
            self.run_instructions(parameters, done..after);
            done = after;
            let numbers = Numbers::<T> {
                inputs: &self.inputs,
                constants: &self.constants,
                buffers: &self.buffers,
                parameters: &[],
            };
            let gradient = &numbers.at(place)[..elements];
            update(position, gradient, parameters[parameter].as_mut(), &mut self.workspace);
        }
    }

    /// Fills an input row by row: `write` is called with ranges of rows and their piece of the input, on
    /// several threads if the input is large.
    ///
    /// # Panics
    /// If the graph has fewer inputs, or the input does not have that many rows.
    pub fn fill_rows(
        &mut self,
        position: usize,
        rows: usize,
        write: impl Fn(std::ops::Range<usize>, &mut [T]) + Sync,
    ) {
        let input = &mut self.inputs[position][..];
        let (elements, columns) = (input.len(), input.len() / rows.max(1));
        self.workspace.share_rows(
            rows,
            elements / COPIED_PER_NANOSECOND,
            [input],
            [columns],
            |rows, [piece]| {
                write(rows, piece);
            },
        );
    }

    fn check(&self, parameters: &[impl AsRef<[T]>]) {
        assert_eq!(parameters.len(), self.plan.parameters.len(), "number of parameters");
        for (numbers, named) in parameters.iter().zip(&self.plan.parameters) {
            assert_eq!(numbers.as_ref().len(), named.shape.elements(), "size of parameter `{}`", named.name);
        }
    }

    fn run_instructions(&mut self, parameters: &[impl AsRef<[T]> + Sync], range: std::ops::Range<usize>) {
        for instruction in &self.plan.instructions[range] {
            // The results' buffers are none of the operands', so they can be taken out meanwhile.
            let mut result = std::mem::take(&mut self.buffers[instruction.buffer]);
            let mut gradient =
                instruction.gradient.map(|buffer| (buffer, std::mem::take(&mut self.buffers[buffer])));
            let numbers = Numbers {
                inputs: &self.inputs,
                constants: &self.constants,
                buffers: &self.buffers,
                parameters,
            };
            let output =
                ViewMut { shape: &instruction.shape, data: &mut result[..instruction.shape.elements()] };
            let slopes = gradient.as_mut().map(|(_, gradient)| &mut gradient[..]);
            execute(instruction, numbers, output, slopes, self.isa, &mut self.workspace);
            self.buffers[instruction.buffer] = result;
            if let Some((buffer, gradient)) = gradient {
                self.buffers[buffer] = gradient;
            }
        }
    }

    /// A requested output's numbers after a run.
    ///
    /// # Panics
    /// If the output is a parameter itself, which the caller has, or does not exist.
    pub fn output(&self, position: usize) -> &[T] {
        let (place, elements) = self.outputs[position];
        let numbers = Numbers::<T> {
            inputs: &self.inputs,
            constants: &self.constants,
            buffers: &self.buffers,
            parameters: &[],
        };
        &numbers.at(place)[..elements]
    }
}

/// All numbers that an instruction can read.
struct Numbers<'a, T, P = Array<T>> {
    inputs: &'a [Array<T>],
    constants: &'a [Array<T>],
    buffers: &'a [Array<T>],
    parameters: &'a [P],
}

impl<T, P> Clone for Numbers<'_, T, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, P> Copy for Numbers<'_, T, P> {}

impl<'a, T: Real, P: AsRef<[T]>> Numbers<'a, T, P> {
    fn at(self, place: Place) -> &'a [T] {
        match place {
            Place::Buffer(index) => &self.buffers[index],
            Place::Parameter(index) => self.parameters[index].as_ref(),
            Place::Input(index) => &self.inputs[index],
            Place::Constant(index) => &self.constants[index],
        }
    }
}

fn execute<T: Real>(
    instruction: &Instruction,
    numbers: Numbers<'_, T, impl AsRef<[T]> + Sync>,
    output: ViewMut<'_, T>,
    gradient: Option<&mut [T]>,
    isa: Isa,
    workspace: &mut Workspace,
) {
    if let Op::MatrixProduct(op) = &instruction.op {
        let operand = |at: usize, is_transposed| {
            let (place, shape) = &instruction.inputs[at];
            matrix(View { shape, data: &numbers.at(*place)[..shape.elements()] }, is_transposed)
        };
        let (left, right) = (operand(0, op.transpose_left), operand(1, op.transpose_right));
        let start = match instruction.row {
            Some((place, elements)) => Start::Row(&numbers.at(place)[..elements]),
            None => Start::Zero,
        };
        let stages = &instruction.stages[..];
        if stages.is_empty() {
            product_with(left, right, output.data, start, |_, _| (), workspace);
        } else {
            let epilogue = |first: usize, piece: &mut [T]| in_place(stages, first, piece, numbers, isa);
            product_with(left, right, output.data, start, epilogue, workspace);
        }
        return;
    }
    if let (Op::Convolution(op), false) = (&instruction.op, output.data.is_empty()) {
        let operand = |at: usize| {
            let (place, shape) = &instruction.inputs[at];
            &numbers.at(*place)[..shape.elements()]
        };
        let start = instruction.row.map(|(place, elements)| &numbers.at(place)[..elements]);
        let stages = &instruction.stages[..];
        let epilogue = |first: usize, piece: &mut [T]| in_place(stages, first, piece, numbers, isa);
        let channels = instruction.inputs[0].1.last();
        convolve(&op.windows, channels, operand(0), operand(1), start, output.data, epilogue, workspace);
        return;
    }
    let ViewMut { shape, data } = output;
    compute(instruction, numbers, ViewMut { shape, data: &mut *data }, gradient, workspace);
    in_place(&instruction.stages, 0, data, numbers, isa);
}

/// So many numbers go through all stages at a time: they stay in the nearest cache.
const PIECE: usize = 1024;

/// Applies stages to a piece of a result that begins at the index `first`.
fn in_place<T: Real>(
    stages: &[Stage],
    first: usize,
    values: &mut [T],
    numbers: Numbers<'_, T, impl AsRef<[T]> + Sync>,
    isa: Isa,
) {
    if stages.is_empty() {
        return;
    }
    for (i, values) in values.chunks_mut(PIECE).enumerate() {
        for Stage { action, position, other } in stages {
            let other = match *other {
                Some((place, elements, pattern)) => {
                    Other { pattern, data: &numbers.at(place)[..elements], first: first + i * PIECE }
                }
                None => Other { pattern: Pattern::Single, data: &[], first: 0 },
            };
            isa.run(
                #[inline(always)]
                || match action {
                    Action::Apply(op) => op.in_place(values, *position, other),
                    Action::TimesSlope(slope) => times_slope(*slope, values, other),
                },
            );
        }
    }
}

/// The product with an activation's slope, from its results y: rounded as the separate operations are.
#[inline(always)]
fn times_slope<T: Real>(slope: Slope, values: &mut [T], y: Other<'_, T>) {
    match slope {
        Slope::Tanh => y.apply(
            values,
            #[inline(always)]
            |y_bar, y| y_bar * (T::ONE - y * y),
        ),
        Slope::Sigmoid => y.apply(
            values,
            #[inline(always)]
            |y_bar, y| y_bar * (y * (T::ONE - y)),
        ),
        Slope::Relu => y.apply(
            values,
            #[inline(always)]
            |y_bar, y| y_bar * if y > T::ZERO { T::ONE } else { T::ZERO },
        ),
    }
}

/// Computes the operation itself.
fn compute<T: Real>(
    instruction: &Instruction,
    numbers: Numbers<'_, T, impl AsRef<[T]> + Sync>,
    output: ViewMut<'_, T>,
    gradient: Option<&mut [T]>,
    workspace: &mut Workspace,
) {
    let isa = workspace.isa();
    let nothing = View { shape: &instruction.shape, data: &[] };
    let mut views = [nothing; Concatenate::MAX_OPERANDS];
    for (view, (place, shape)) in views.iter_mut().zip(&instruction.inputs) {
        *view = View { shape, data: &numbers.at(*place)[..shape.elements()] };
    }
    let views = &views[..instruction.inputs.len()];
    let (x, op) = (views[0], &instruction.op);
    match op {
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
        Op::SoftmaxCrossEntropy(_) => {
            let gradient = gradient.map(|gradient| &mut gradient[..x.data.len()]);
            softmax_cross_entropy(isa, x.data, views[1].data, x.shape.last(), output.data, gradient);
        }
        Op::Softmax(_) => softmax(isa, x.data, x.shape.last(), output.data),
        Op::LogSoftmax(_) => log_softmax(isa, x.data, x.shape.last(), output.data),
        Op::TransposedConvolution(op) => {
            let channels = output.shape.last();
            convolve_transposed(&op.windows, channels, x.data, views[1].data, output.data, workspace);
        }
        Op::FilterGradient(op) => {
            filter_gradient(&op.windows, x.shape.last(), x.data, views[1].data, output.data, workspace);
        }
        Op::MaxPool(op) => max_pool(&op.windows, x.shape.last(), x.data, output.data, workspace),
        Op::RouteToMax(op) => {
            route_to_max(&op.windows, x.shape.last(), x.data, views[1].data, output.data, workspace);
        }
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
