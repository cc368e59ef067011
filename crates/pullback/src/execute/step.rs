//! One instruction made ready: which kernel computes it, and what does not change from run to run.

use super::stages::{in_place, in_place_then_update};
use crate::graph::ops::{Concatenate, Mean, Sum, View, ViewMut};
use crate::graph::{Op, Shape};
use crate::plan::{Instruction, Place};
use pullback_kernels::{
    Array, Batch, Operand, Real, Start, Workspace, batched_product, convolve, convolve_transposed, dot,
    filter_gradient, log_softmax, map_in_place, max_pool, product_beside, product_with, route_to_max,
    sigmoid_cross_entropy, softmax, softmax_cross_entropy, sum_columns, sum_rows,
};

/// Numbers that are read: where they lie, and how many they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) elements: usize,
}

/// A matrix as it lies in memory, and how it is read.
#[derive(Debug, Clone, Copy)]
struct Matrix {
    rows: usize,
    columns: usize,
    is_transposed: bool,
}

impl Matrix {
    fn of<T: Real>(self, numbers: &[T]) -> Operand<'_, T> {
        let operand = Operand::new(numbers, self.rows, self.columns);
        if self.is_transposed { operand.transposed() } else { operand }
    }
}

/// Matrices of one size after each other, and how they are read.
#[derive(Debug, Clone, Copy)]
struct Matrices {
    sizes: [usize; 3],
    is_transposed: bool,
}

impl Matrices {
    fn new(shape: &Shape, is_transposed: bool) -> Self {
        let (outer, matrix) = shape.sizes().split_at(shape.rank() - 2);
        Self { sizes: [outer.iter().product(), matrix[0], matrix[1]], is_transposed }
    }

    fn of<T: Real>(self, numbers: &[T]) -> Batch<'_, T> {
        let batch = Batch::new(numbers, self.sizes);
        if self.is_transposed { batch.transposed() } else { batch }
    }
}

/// What computes an operation.
#[derive(Debug, Clone, Copy)]
enum Kernel {
    Product([Matrix; 2]),
    BatchedProduct([Matrices; 2]),
    Convolution {
        channels: usize,
    },
    TransposedConvolution {
        channels: usize,
    },
    FilterGradient {
        channels: usize,
    },
    MaxPool {
        channels: usize,
    },
    RouteToMax {
        channels: usize,
    },
    SumOfSquares,
    /// Of each row or column; for their mean, divided by that.
    SumColumns(Option<f64>),
    SumRows(Option<f64>),
    Softmax {
        columns: usize,
    },
    LogSoftmax {
        columns: usize,
    },
    SoftmaxCrossEntropy {
        columns: usize,
    },
    SigmoidCrossEntropy,
    /// The operation's own value, compiled for the instruction set.
    Value,
}

/// An instruction's kernel, operands and result.
#[derive(Debug)]
pub(super) struct Step {
    kernel: Kernel,
    /// The first two; what takes one has it twice.
    operands: [Source; 2],
    row: Option<Source>,
    pub(super) buffer: usize,
    pub(super) elements: usize,
    pub(super) gradient: Option<Gradient>,
}

/// Where a cost's gradient goes, and what it is scaled by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gradient {
    pub(super) buffer: usize,
    factor: f64,
}

/// All numbers that a step can read.
pub(super) struct Numbers<'a, T, P = Array<T>> {
    pub(super) inputs: &'a [Array<T>],
    pub(super) constants: &'a [Array<T>],
    /// The buffers without the one that is written: those before it and those after it.
    pub(super) buffers: [&'a [Array<T>]; 2],
    /// The parameters without the one that is being changed, if one is: in the same way.
    pub(super) parameters: [&'a [P]; 2],
}

impl<'a, T: Real, P: AsRef<[T]>> Numbers<'a, T, P> {
    #[inline(always)]
    pub(super) fn at(&self, Source { place, elements }: Source) -> &'a [T] {
        let numbers: &[T] = match place {
            Place::Buffer(index) => &around(self.buffers, index)[..],
            Place::Parameter(index) => around(self.parameters, index).as_ref(),
            Place::Input(index) => &self.inputs[index],
            Place::Constant(index) => &self.constants[index],
        };
        &numbers[..elements]
    }

    /// Whether it is the parameter that is being changed.
    pub(super) fn is_changing(&self, parameter: usize) -> bool {
        self.parameters[0].len() == parameter
    }
}

/// One of those before and after an item that is missing.
#[inline(always)]
fn around<A>([before, after]: [&[A]; 2], index: usize) -> &A {
    before.get(index).unwrap_or_else(|| &after[index - before.len() - 1])
}

impl Step {
    pub(super) fn new(instruction: &Instruction) -> Self {
        let source = |(place, shape): &(Place, Shape)| Source { place: *place, elements: shape.elements() };
        let first = source(&instruction.inputs[0]);
        Self {
            kernel: Kernel::of(instruction),
            operands: [first, instruction.inputs.get(1).map_or(first, source)],
            row: instruction.row.map(|(place, elements)| Source { place, elements }),
            buffer: instruction.buffer,
            elements: instruction.shape.elements(),
            gradient: (instruction.gradient)
                .map(|(buffer, factor)| Gradient { buffer, factor: factor.value() }),
        }
    }

    /// Computes the instruction that the step was made of.
    pub(super) fn run<T: Real>(
        &self,
        instruction: &Instruction,
        numbers: &Numbers<'_, T, impl AsRef<[T]> + Sync>,
        output: &mut [T],
        gradient: &mut [T],
        workspace: &mut Workspace,
    ) {
        let isa = workspace.isa();
        let stages = &instruction.stages[..];
        let x = numbers.at(self.operands[0]);
        let other = || numbers.at(self.operands[1]);
        let epilogue = |first: usize, piece: &mut [T]| in_place(stages, first, piece, numbers, isa);
        match (self.kernel, &instruction.op) {
            (Kernel::Product([left, right]), _) => {
                let (left, right) = (left.of(x), right.of(other()));
                let start = self.row.map_or(Start::Zero, |row| Start::Row(numbers.at(row)));
                if stages.is_empty() {
                    product_with(left, right, output, start, |_, _| (), workspace);
                } else {
                    product_with(left, right, output, start, epilogue, workspace);
                }
                return;
            }
            (Kernel::BatchedProduct([left, right]), _) => {
                batched_product(left.of(x), right.of(other()), output, epilogue, workspace);
                return;
            }
            (Kernel::Convolution { channels }, Op::Convolution(op)) => {
                let start = self.row.map(|row| numbers.at(row));
                convolve(&op.windows, channels, x, other(), start, output, epilogue, workspace);
                return;
            }
            (Kernel::TransposedConvolution { channels }, Op::TransposedConvolution(op)) => {
                convolve_transposed(&op.windows, channels, x, other(), output, workspace);
            }
            (Kernel::FilterGradient { channels }, Op::FilterGradient(op)) => {
                filter_gradient(&op.windows, channels, x, other(), output, workspace);
            }
            (Kernel::MaxPool { channels }, Op::MaxPool(op)) => {
                max_pool(&op.windows, channels, x, output, workspace);
            }
            (Kernel::RouteToMax { channels }, Op::RouteToMax(op)) => {
                route_to_max(&op.windows, channels, x, other(), output, workspace);
            }
            (Kernel::SumOfSquares, _) => output[0] = dot(isa, x, x),
            (Kernel::SumColumns(count), _) => {
                sum_columns(isa, x, output);
                divide(count, output, workspace);
            }
            (Kernel::SumRows(count), _) => {
                sum_rows(isa, x, output);
                divide(count, output, workspace);
            }
            (Kernel::Softmax { columns }, _) => softmax(isa, x, columns, output),
            (Kernel::LogSoftmax { columns }, _) => log_softmax(isa, x, columns, output),
            (Kernel::SoftmaxCrossEntropy { columns }, _) => {
                let gradient = self.gradient.map(|to| (&mut gradient[..x.len()], T::from_f64(to.factor)));
                softmax_cross_entropy(isa, x, other(), columns, output, gradient);
            }
            (Kernel::SigmoidCrossEntropy, _) => {
                let gradient = self.gradient.map(|to| (&mut gradient[..x.len()], T::from_f64(to.factor)));
                sigmoid_cross_entropy(isa, x, other(), output, gradient);
            }
            (_, op) => {
                let nothing = View { shape: &instruction.shape, data: &[] };
                let mut views = [nothing; Concatenate::MAX_OPERANDS];
                for (view, (place, shape)) in views.iter_mut().zip(&instruction.inputs) {
                    let data = numbers.at(Source { place: *place, elements: shape.elements() });
                    *view = View { shape, data };
                }
                let views = &views[..instruction.inputs.len()];
                let output = ViewMut { shape: &instruction.shape, data: &mut *output };
                // Whatever is element by element becomes fast by that.
                isa.run(
                    #[inline(always)]
                    || op.value(views, output),
                );
            }
        }
        in_place(stages, 0, output, numbers, isa);
    }

    /// Computes a gradient that is a product, piece by piece, and lets `update` change its parameter with what is
    /// kept for it while the piece is near.
    pub(super) fn run_and_update<T: Real>(
        &self,
        instruction: &Instruction,
        numbers: &Numbers<'_, T, impl AsRef<[T]> + Sync>,
        gradient: &mut [T],
        parameter_and_states: [&mut [T]; 4],
        update: impl Fn(&[T], [&mut [T]; 4]) + Sync,
        workspace: &mut Workspace,
    ) {
        let Kernel::Product(matrices) = self.kernel else {
            unreachable!("a plan lets products alone update parameters")
        };
        let operand = |at: usize| matrices[at].of(numbers.at(self.operands[at]));
        let isa = workspace.isa();
        product_beside(
            operand(0),
            operand(1),
            gradient,
            parameter_and_states,
            |first, piece, others| {
                in_place_then_update(&instruction.stages, first, piece, others, numbers, &update, isa);
            },
            workspace,
        );
    }
}

impl Kernel {
    fn of(instruction: &Instruction) -> Self {
        let Instruction { op, inputs, shape, .. } = instruction;
        let x = &inputs[0].1;
        let matrix = |at: usize, is_transposed| {
            let [rows, columns] = inputs[at].1.sizes()[..] else { panic!("a product is of matrices") };
            Matrix { rows, columns, is_transposed }
        };
        let channels = x.last();
        match op {
            Op::MatrixProduct(op) => {
                Kernel::Product([matrix(0, op.transpose_left), matrix(1, op.transpose_right)])
            }
            Op::Convolution(_) if shape.elements() > 0 => Kernel::Convolution { channels },
            _ if x.elements() == 0 => Kernel::Value,
            Op::BatchedProduct(op) if shape.elements() > 0 => Kernel::BatchedProduct([
                Matrices::new(x, op.transpose_left),
                Matrices::new(&inputs[1].1, op.transpose_right),
            ]),
            Op::TransposedConvolution(_) => Kernel::TransposedConvolution { channels: shape.last() },
            Op::FilterGradient(_) => Kernel::FilterGradient { channels },
            Op::MaxPool(_) => Kernel::MaxPool { channels },
            Op::RouteToMax(_) => Kernel::RouteToMax { channels },
            Op::Sum(_) if instruction.of_squares => Kernel::SumOfSquares,
            Op::Sum(Sum { axes, .. }) if is_trailing(axes, x) => Kernel::SumColumns(None),
            Op::Sum(Sum { axes, .. }) if is_leading(axes) => Kernel::SumRows(None),
            Op::Mean(Mean { axes, .. }) if is_trailing(axes, x) || is_leading(axes) => {
                let factor = Some((x.elements() / shape.elements()) as f64);
                if is_trailing(axes, x) { Kernel::SumColumns(factor) } else { Kernel::SumRows(factor) }
            }
            Op::Softmax(_) => Kernel::Softmax { columns: x.last() },
            Op::LogSoftmax(_) => Kernel::LogSoftmax { columns: x.last() },
            Op::SoftmaxCrossEntropy(_) => Kernel::SoftmaxCrossEntropy { columns: x.last() },
            Op::SigmoidCrossEntropy(_) if *x == inputs[1].1 => Kernel::SigmoidCrossEntropy,
            _ => Kernel::Value,
        }
    }
}

/// Divides sums by how many numbers are in each, for a mean.
fn divide<T: Real>(count: Option<f64>, sums: &mut [T], workspace: &Workspace) {
    if let Some(count) = count {
        let factor = T::ONE / T::from_f64(count);
        map_in_place(
            workspace.isa(),
            sums,
            #[inline(always)]
            |sum| sum * factor,
        );
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
