//! One instruction made ready: which kernel computes it, with all that does not change from run to run.

use super::Rules;
use super::given::Given;
use super::stages::{in_place, in_place_then_update};
use crate::graph::ops::{Concatenate, Mean, Sum, View, ViewMut};
use crate::graph::{Op, Shape};
use crate::plan::{self, Action, Change, Instruction, Place, Update};
use pullback_kernels::{
    Array, Batch, Entries, Operand, PackedOperand, Real, Start, Windows, Workspace, batched_product,
    convolve, convolve_transposed, dot, entries_gradient, entries_product, filter_gradient, gather_rows,
    log_softmax, map, map_in_place, max_pool, product_beside, product_packed, product_with, route_to_max,
    scatter_add_rows, sigmoid_cross_entropy, softmax, softmax_cross_entropy, sum_columns, sum_rows,
};
use std::ops::Range;
use std::sync::Arc;

/// About how many numbers of a parameter or its states a thread changes in a nanosecond.
const UPDATED_PER_NANOSECOND: usize = 8;

/// Fewer numbers than this are updated faster on one thread.
const WORTH_SHARING: usize = 4096;

/// Numbers that are read: where they lie, and how many they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) elements: usize,
}

/// A matrix as it lies in memory, and how it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix {
    rows: usize,
    columns: usize,
    pub(super) is_transposed: bool,
}

impl Matrix {
    pub(super) fn of<T: Real>(self, numbers: &[T]) -> Operand<'_, T> {
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
#[derive(Debug)]
enum Kernel<T> {
    Product([Matrix; 2]),
    /// With a right operand that does not change.
    PackedProduct(Matrix, Arc<PackedOperand<T>>),
    /// The product of an input whose entries are listed, or of some of its columns, with transposed weights.
    ProductOfEntries(Option<Range<usize>>),
    /// The gradient of those weights, and the change that it makes to them, if it does.
    GradientByEntries(Option<Update>, Option<Range<usize>>),
    /// Some columns of such an input, as numbers.
    SliceOfEntries(Range<usize>),
    BatchedProduct([Matrices; 2]),
    Convolution(Windows, usize),
    /// A product that computes a gradient and updates its parameter block by block.
    ProductThatUpdates([Matrix; 2], Update),
    Norm(f64),
    Store,
    Update(Update),
    TransposedConvolution(Windows, usize),
    FilterGradient(Windows, usize),
    MaxPool(Windows, usize),
    RouteToMax(Windows, usize),
    GatherRows {
        columns: usize,
    },
    ScatterAddRows {
        columns: usize,
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
pub(super) struct Step<T> {
    kernel: Kernel<T>,
    /// The first two; what takes one has it twice.
    operands: [Source; 2],
    /// The row that the sums of a product start from.
    row: Option<Source>,
    /// The buffer of the result, if it is one.
    pub(super) buffer: Option<usize>,
    pub(super) elements: usize,
    /// The buffer of a second result: a cost's gradient, or a clipped one.
    pub(super) second: Option<usize>,
    /// What a cost's gradient is scaled by.
    factor: f64,
    /// The parameter that is changed: its place, and how many residents are written from there on.
    pub(super) changed: Option<(usize, usize)>,
}

/// Parameters, in whatever their owner keeps them: kernels that were compiled for each kind of owner would be most of
/// the program.
pub(super) trait Residents<T>: Sync {
    /// The numbers of one.
    fn numbers(&self, index: usize) -> &[T];
}

impl<T, P: AsRef<[T]> + Sync> Residents<T> for &[P] {
    fn numbers(&self, index: usize) -> &[T] {
        self[index].as_ref()
    }
}

/// All numbers that a step can read.
pub(super) struct Numbers<'a, T> {
    pub(super) held: &'a Held<'a, T>,
    /// The buffers without the one that is written: those before it and those after it.
    pub(super) buffers: [&'a [Array<T>]; 2],
}

/// What is not written by the steps that read it: many steps have it in common.
pub(super) struct Held<'a, T> {
    pub(super) inputs: &'a [Given<T>],
    pub(super) constants: &'a [Array<T>],
    /// The residents before those that are being changed, or all, and those behind them.
    pub(super) residents: [&'a dyn Residents<T>; 2],
    /// Which are being changed.
    pub(super) changing: Range<usize>,
}

impl<'a, T: Real> Held<'a, T> {
    /// The numbers of a place; `buffers` are those before and after one that is missing.
    #[inline(always)]
    pub(super) fn at(&self, buffers: [&'a [Array<T>]; 2], Source { place, elements }: Source) -> &'a [T] {
        let numbers: &[T] = match place {
            Place::Buffer(index) => &around(buffers, index)[..],
            Place::Resident(index) if index < self.changing.start => self.residents[0].numbers(index),
            Place::Resident(index) => self.residents[1].numbers(index - self.changing.end),
            Place::Input(index) => self.inputs[index].numbers(),
            Place::Constant(index) => &self.constants[index],
        };
        &numbers[..elements]
    }
}

impl<'a, T: Real> Numbers<'a, T> {
    #[inline(always)]
    pub(super) fn at(&self, source: Source) -> &'a [T] {
        self.held.at(self.buffers, source)
    }

    /// The entries of an input, or those in some of its columns.
    fn entries(&self, source: Source, within: &Option<Range<usize>>) -> Entries<'a, T> {
        let Place::Input(index) = source.place else { unreachable!("only inputs have entries") };
        let entries = self.held.inputs[index].entries();
        match within {
            Some(columns) => entries.within(columns.clone()),
            None => entries,
        }
    }

    /// Whether it is the parameter that is being changed.
    pub(super) fn is_changing(&self, resident: usize) -> bool {
        self.held.changing.start == resident
    }
}

/// One of those before and after one that is missing.
#[inline(always)]
fn around<A>([before, after]: [&[A]; 2], index: usize) -> &A {
    before.get(index).unwrap_or_else(|| &after[index - before.len() - 1])
}

impl<T: Real> Step<T> {
    /// An instruction made ready; `is_listed` says of which inputs the entries are listed.
    pub(super) fn new(instruction: &Instruction, is_listed: impl Fn(usize) -> bool) -> Self {
        let source = |(place, shape): &(Place, Shape)| Source { place: *place, elements: shape.elements() };
        let first = source(&instruction.reads[0]);
        let mut buffers = instruction.writes.iter().filter_map(|(place, _)| match place {
            Place::Buffer(buffer) => Some(*buffer),
            _ => None,
        });
        let mut residents = instruction.writes.iter().filter_map(|(place, _)| match place {
            Place::Resident(resident) => Some(*resident),
            _ => None,
        });
        let is_change = matches!(instruction.kernel, plan::Kernel::Change(_));
        let buffer = if is_change { None } else { buffers.next() };
        Self {
            kernel: Kernel::of(instruction, is_listed),
            operands: [first, instruction.reads.get(1).map_or(first, source)],
            row: match instruction.kernel {
                plan::Kernel::FromRow(_) => instruction.reads.last().map(source),
                _ => None,
            },
            buffer,
            elements: instruction.writes[0].1.elements(),
            second: buffers.next(),
            factor: match &instruction.kernel {
                plan::Kernel::WithGradient(_, factor) => factor.value(),
                _ => 1.0,
            },
            changed: residents.next().map(|first| (first, 1 + residents.count())),
        }
    }

    /// Computes the instruction that the step was made of.
    pub(super) fn run(
        &self,
        instruction: &Instruction,
        numbers: &Numbers<'_, T>,
        output: &mut [T],
        second: &mut [T],
        workspace: &mut Workspace,
    ) {
        let isa = workspace.isa();
        let stages = &instruction.epilogue[..];
        match &self.kernel {
            Kernel::Product([left, right]) => {
                let left = left.of(numbers.at(self.operands[0]));
                let right = right.of(numbers.at(self.operands[1]));
                let start = self.row.map_or(Start::Zero, |row| Start::Row(numbers.at(row)));
                if stages.is_empty() {
                    product_with(left, right, output, start, |_, _| (), workspace);
                } else {
                    let epilogue =
                        |first: usize, piece: &mut [T]| in_place(stages, first, piece, numbers, isa);
                    product_with(left, right, output, start, epilogue, workspace);
                }
                return;
            }
            Kernel::SumOfSquares => {
                let x = numbers.at(self.operands[0]);
                output[0] = dot(isa, x, x);
            }
            &Kernel::SumColumns(count) => {
                sum_columns(isa, numbers.at(self.operands[0]), output);
                divide(count, output, workspace);
            }
            &Kernel::SumRows(count) => {
                sum_rows(isa, numbers.at(self.operands[0]), output);
                divide(count, output, workspace);
            }
            &Kernel::SoftmaxCrossEntropy { columns } => {
                let x = numbers.at(self.operands[0]);
                let gradient = self.second.map(|_| (&mut second[..x.len()], T::from_f64(self.factor)));
                softmax_cross_entropy(isa, x, numbers.at(self.operands[1]), columns, output, gradient);
            }
            Kernel::SigmoidCrossEntropy => {
                let x = numbers.at(self.operands[0]);
                let gradient = self.second.map(|_| (&mut second[..x.len()], T::from_f64(self.factor)));
                sigmoid_cross_entropy(isa, x, numbers.at(self.operands[1]), output, gradient);
            }
            _ => return self.run_larger(instruction, numbers, output, workspace),
        }
        if !stages.is_empty() {
            in_place(stages, 0, output, numbers, isa);
        }
    }

    /// The kernels beside whose work a call more is nothing. What they need on the stack would cost those of a small
    /// network a tenth of their time.
    #[inline(never)]
    fn run_larger(
        &self,
        instruction: &Instruction,
        numbers: &Numbers<'_, T>,
        output: &mut [T],
        workspace: &mut Workspace,
    ) {
        let isa = workspace.isa();
        let stages = &instruction.epilogue[..];
        let epilogue = |first: usize, piece: &mut [T]| in_place(stages, first, piece, numbers, isa);
        let (x, other) = (|| numbers.at(self.operands[0]), || numbers.at(self.operands[1]));
        let row = || self.row.map(|row| numbers.at(row));
        match &self.kernel {
            Kernel::PackedProduct(left, right) => {
                let start = row().map_or(Start::Zero, Start::Row);
                return product_packed(left.of(x()), right, output, start, epilogue, workspace);
            }
            Kernel::ProductOfEntries(within) => {
                let start = row().map_or(Start::Zero, Start::Row);
                let entries = numbers.entries(self.operands[0], within);
                return entries_product(entries, other(), output, start, epilogue, workspace);
            }
            Kernel::SliceOfEntries(within) => {
                output.fill(T::ZERO);
                numbers.entries(self.operands[0], &Some(within.clone())).write(output);
            }
            Kernel::GradientByEntries(_, within) => {
                let (entries, nothing) =
                    (numbers.entries(self.operands[1], within), [(); 4].map(|()| &mut [][..]));
                let epilogue = |first: usize, piece: &mut [T], _: [&mut [T]; 4]| epilogue(first, piece);
                return entries_gradient(x(), entries, output, nothing, epilogue, workspace);
            }
            Kernel::BatchedProduct([left, right]) => {
                return batched_product(left.of(x()), right.of(other()), output, epilogue, workspace);
            }
            &Kernel::Convolution(windows, channels) => {
                return convolve(&windows, channels, x(), other(), row(), output, epilogue, workspace);
            }
            &Kernel::TransposedConvolution(windows, channels) => {
                convolve_transposed(&windows, channels, x(), other(), output, workspace);
            }
            &Kernel::FilterGradient(windows, channels) => {
                filter_gradient(&windows, channels, x(), other(), output, workspace);
            }
            &Kernel::MaxPool(windows, channels) => max_pool(&windows, channels, x(), output, workspace),
            &Kernel::RouteToMax(windows, channels) => {
                route_to_max(&windows, channels, x(), other(), output, workspace);
            }
            &Kernel::GatherRows { columns } => gather_rows(x(), columns, other(), output, workspace),
            &Kernel::ScatterAddRows { columns } => scatter_add_rows(x(), columns, other(), output, workspace),
            &Kernel::Softmax { columns } => softmax(isa, x(), columns, output),
            &Kernel::LogSoftmax { columns } => log_softmax(isa, x(), columns, output),
            _ => {
                let op = op_of(instruction).expect("what computes no operation has a kernel");
                let shape = &instruction.writes[0].1;
                let nothing = View { shape, data: &[] };
                let mut views = [nothing; Concatenate::MAX_OPERANDS];
                for (view, (place, shape)) in views.iter_mut().zip(&instruction.reads) {
                    let data = numbers.at(Source { place: *place, elements: shape.elements() });
                    *view = View { shape, data };
                }
                let views = &views[..instruction.reads.len()];
                let output = ViewMut { shape, data: &mut *output };
                op.value_on(isa, views, output);
            }
        }
        in_place(stages, 0, output, numbers, isa);
    }

    /// Changes a parameter; `arrays` are the parameter and its states. `gradient` is the buffer of a gradient that
    /// is computed or clipped here; `numbers` has all else that the change reads.
    pub(super) fn change(
        &self,
        instruction: &Instruction,
        numbers: &Numbers<'_, T>,
        gradient: &mut [T],
        arrays: [&mut [T]; 4],
        rules: &dyn Rules<T>,
        (scratch, workspace): (&mut Vec<T>, &mut Workspace),
    ) {
        let isa = workspace.isa();
        match self.kernel {
            Kernel::ProductThatUpdates(matrices, update) => {
                let operand = |at: usize| matrices[at].of(numbers.at(self.operands[at]));
                let (_, stages) = instruction.epilogue.split_last().expect("an update comes last");
                let change =
                    |gradient: &[T], pieces: [&mut [T]; 4]| rules.piece(update.rule, gradient, pieces);
                product_beside(
                    operand(0),
                    operand(1),
                    gradient,
                    arrays,
                    |first, piece, others| {
                        in_place_then_update(stages, first, piece, others, numbers, change, isa);
                    },
                    workspace,
                );
            }
            Kernel::GradientByEntries(Some(update), ref within) => {
                let (_, stages) = instruction.epilogue.split_last().expect("an update comes last");
                let change =
                    |gradient: &[T], pieces: [&mut [T]; 4]| rules.piece(update.rule, gradient, pieces);
                entries_gradient(
                    numbers.at(self.operands[0]),
                    numbers.entries(self.operands[1], within),
                    gradient,
                    arrays,
                    |first, piece, others| {
                        in_place_then_update(stages, first, piece, others, numbers, change, isa);
                    },
                    workspace,
                );
            }
            Kernel::Update(update) => {
                let mut found = numbers.at(self.operands[0]);
                let factor = if self.second.is_some() { numbers.at(self.operands[1])[0] } else { T::ONE };
                if factor != T::ONE {
                    let clipped = &mut gradient[..found.len()];
                    map(
                        isa,
                        found,
                        clipped,
                        #[inline(always)]
                        |g| g * factor,
                    );
                    found = clipped;
                }
                if !update.is_piecewise {
                    rules.whole(update.rule, &instruction.reads[0].1, found, arrays, scratch, workspace);
                    return;
                }
                if found.len() < WORTH_SHARING {
                    rules.piece(update.rule, found, arrays);
                    return;
                }
                let columns = arrays.each_ref().map(|array| usize::from(!array.is_empty()));
                let nanoseconds = found.len() * columns.iter().sum::<usize>() / UPDATED_PER_NANOSECOND;
                workspace.share_rows(found.len(), nanoseconds, arrays, columns, |range, pieces| {
                    rules.piece(update.rule, &found[range], pieces);
                });
            }
            _ => {
                let [parameter, ..] = arrays;
                parameter.copy_from_slice(numbers.at(self.operands[0]));
            }
        }
    }

    /// The product whose right operand is a resident, if that is what the step computes: the resident, and how it is
    /// read.
    pub(super) fn right_resident(&self) -> Option<(usize, Matrix)> {
        match (&self.kernel, self.operands[1].place) {
            (Kernel::Product([_, right]), Place::Resident(resident)) => Some((resident, *right)),
            _ => None,
        }
    }

    /// Multiplies by a right operand that was packed before.
    pub(super) fn take_packed(&mut self, packed: Arc<PackedOperand<T>>) {
        if let Kernel::Product([left, _]) = self.kernel {
            self.kernel = Kernel::PackedProduct(left, packed);
        }
    }

    /// The rule and the gradient's buffer, if the step is an update that is too small to be shared and changes its
    /// gradient in no way: what it costs to prepare it would be as much as the update.
    #[inline]
    pub(super) fn small_update(&self) -> Option<(usize, usize)> {
        match (&self.kernel, self.operands[0].place) {
            (Kernel::Update(update), Place::Buffer(gradient))
                if update.is_piecewise
                    && self.second.is_none()
                    && self.operands[0].elements < WORTH_SHARING =>
            {
                Some((update.rule, gradient))
            }
            _ => None,
        }
    }

    /// The limit of the whole gradient's norm, if that is what the step finds.
    pub(super) fn limit(&self) -> Option<f64> {
        match self.kernel {
            Kernel::Norm(limit) => Some(limit),
            _ => None,
        }
    }
}

/// The operation that an instruction computes.
fn op_of(instruction: &Instruction) -> Option<&Op> {
    match &instruction.kernel {
        plan::Kernel::Value(op) | plan::Kernel::FromRow(op) | plan::Kernel::WithGradient(op, _) => Some(op),
        _ => None,
    }
}

impl<T> Kernel<T> {
    fn of(instruction: &Instruction, is_listed: impl Fn(usize) -> bool) -> Self {
        let Instruction { reads: inputs, writes, epilogue, .. } = instruction;
        let (x, shape) = (&inputs[0].1, &writes[0].1);
        let op = match &instruction.kernel {
            plan::Kernel::SumOfSquares => return Kernel::SumOfSquares,
            plan::Kernel::Norm(limit) => return Kernel::Norm(limit.value()),
            plan::Kernel::Change(Change::Store) => return Kernel::Store,
            plan::Kernel::Change(Change::Update(update)) => return Kernel::Update(*update),
            plan::Kernel::Value(op) | plan::Kernel::FromRow(op) | plan::Kernel::WithGradient(op, _) => op,
        };
        let matrix = |at: usize, is_transposed| {
            let [rows, columns] = inputs[at].1.sizes()[..] else { panic!("a product is of matrices") };
            Matrix { rows, columns, is_transposed }
        };
        let channels = x.last();
        let listed = |at: usize| matches!(inputs[at].0, Place::Input(input) if is_listed(input));
        match op {
            Op::ColumnsProduct(op) if listed(0) => {
                Kernel::ProductOfEntries(Some(op.start..op.start + inputs[1].1.last()))
            }
            Op::ColumnsGradient(op) if listed(1) => Kernel::GradientByEntries(None, Some(op.start..op.end)),
            Op::Slice(op) if listed(0) => Kernel::SliceOfEntries(op.start..op.end),
            Op::MatrixProduct(op) => {
                let update = match epilogue.last().map(|stage| &stage.action) {
                    Some(Action::Update(update)) => Some(*update),
                    _ => None,
                };
                if listed(0) {
                    return Kernel::ProductOfEntries(None);
                }
                if listed(1) {
                    return Kernel::GradientByEntries(update, None);
                }
                let matrices = [matrix(0, op.transpose_left), matrix(1, op.transpose_right)];
                match update {
                    Some(update) => Kernel::ProductThatUpdates(matrices, update),
                    None => Kernel::Product(matrices),
                }
            }
            Op::Convolution(op) if shape.elements() > 0 => Kernel::Convolution(op.windows, channels),
            _ if x.elements() == 0 => Kernel::Value,
            Op::BatchedProduct(op) if shape.elements() > 0 => Kernel::BatchedProduct([
                Matrices::new(x, op.transpose_left),
                Matrices::new(&inputs[1].1, op.transpose_right),
            ]),
            Op::TransposedConvolution(op) => Kernel::TransposedConvolution(op.windows, shape.last()),
            Op::FilterGradient(op) => Kernel::FilterGradient(op.windows, channels),
            Op::MaxPool(op) => Kernel::MaxPool(op.windows, channels),
            Op::RouteToMax(op) => Kernel::RouteToMax(op.windows, channels),
            Op::GatherRows(_) => Kernel::GatherRows { columns: x.last() },
            Op::ScatterAddRows(_) => Kernel::ScatterAddRows { columns: x.last() },
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
