//! Walks a plan's instructions. A run allocates no memory, takes no lock and looks up no name.

use super::Machine;
use super::compiled::compiled;
use super::given::Given;
use super::step::{Held, Numbers, Residents, Source, Step};
use super::{Packed, Rules};
use crate::plan::{Instruction, Place, Plan};
use pullback_kernels::{Array, Isa, Precision, Real, Workspace, dot};
use std::borrow::Cow;
use std::ops::Range;

/// A plan with its buffers.
#[derive(Debug)]
pub struct Executor<T> {
    plan: Plan,
    /// The plan's instructions, made ready.
    steps: Vec<Step<T>>,
    inputs: Vec<Given<T>>,
    constants: Vec<Array<T>>,
    buffers: Vec<Array<T>>,
    outputs: Vec<Source>,
    /// How many elements each resident has.
    sizes: Vec<usize>,
    /// The norm of the last step's whole gradient, if it is clipped.
    norm: f64,
    /// Scratch memory of rules that update whole matrices.
    scratch: Vec<T>,
    /// The threads, and the memory in which products pack their operands.
    workspace: Workspace,
}

impl<T: Real> Executor<T> {
    /// Makes the buffers of a plan. In full precision, the results have the same bits on any machine.
    pub fn new(plan: Plan, machine: &Machine) -> Self {
        Self::with_listed(plan, machine, &[])
    }

    /// The same for inputs of which only some entries of each row are given, the others being zero: for each input, how
    /// many entries a row has. Where the plan does more with such an input than multiply it by weights, or products are
    /// of reduced precision, it is taken as it is all the same: [`Executor::listed_mut`] says so.
    pub fn with_listed(plan: Plan, machine: &Machine, listed: &[Option<usize>]) -> Self {
        let source = |place: Place, elements: usize| Source { place, elements };
        let inputs: Vec<Given<T>> = (plan.inputs.iter().enumerate())
            .map(|(position, input)| match listed.get(position).copied().flatten() {
                Some(entries) if machine.precision == Precision::F32 && plan.only_multiplies(position) => {
                    Given::listed(&input.shape, entries)
                }
                _ => Given::Numbers(Array::zeros(input.shape.elements())),
            })
            .collect();
        let is_listed = |position: usize| matches!(inputs[position], Given::Listed { .. });
        Self {
            steps: plan.instructions.iter().map(|instruction| Step::new(instruction, is_listed)).collect(),
            inputs,
            constants: (plan.constants.iter())
                .map(|&(value, elements)| {
                    let mut constant = Array::zeros(elements);
                    constant.fill(T::from_f64(value));
                    constant
                })
                .collect(),
            buffers: plan.buffers.iter().map(|&elements| Array::zeros(elements)).collect(),
            outputs: (plan.outputs.iter()).map(|(place, shape)| source(*place, shape.elements())).collect(),
            sizes: plan.residents.iter().map(|resident| resident.shape.elements()).collect(),
            norm: 0.0,
            scratch: Vec::new(),
            plan,
            workspace: Workspace::new(machine.isa, machine.thread_count()).with_precision(machine.precision),
        }
    }

    /// The same, multiplying by residents that were packed before, of which there must be all: what [`run`](Self::run)
    /// is given instead of them is not read. The residents cannot be changed any more.
    ///
    /// # Panics
    /// If the plan changes residents.
    pub fn with_packed(mut self, packed: &Packed<T>) -> Self {
        assert_eq!(self.plan.outputs_after, self.steps.len(), "packed residents do not change");
        self.steps.iter_mut().for_each(|step| packed.give(step));
        self
    }

    /// Exchanges what the kernels work with, threads among it, so that several executors that never run at the same
    /// time need it once.
    pub fn exchange_workspace(&mut self, other: &mut Workspace) {
        std::mem::swap(&mut self.workspace, other);
    }

    /// The plan that is run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// An input's numbers, to be filled before a run. Inputs stand in the graph's order.
    ///
    /// # Panics
    /// If the graph has fewer inputs, or the input's entries are listed.
    pub fn input_mut(&mut self, position: usize) -> &mut [T] {
        self.inputs[position].numbers_mut()
    }

    /// The columns and the numbers of an input's entries, `[rows, entries]`, to be filled before a run; absent for an
    /// input whose numbers are all given. The columns of a row ascend.
    ///
    /// # Panics
    /// If the graph has fewer inputs.
    pub fn listed_mut(&mut self, position: usize) -> Option<(&mut [u32], &mut [T])> {
        match &mut self.inputs[position] {
            Given::Numbers(_) => None,
            Given::Listed { columns, numbers, .. } => Some((columns, numbers)),
        }
    }

    /// All numbers of an input.
    ///
    /// # Panics
    /// If the graph has fewer inputs.
    pub fn input(&self, position: usize) -> Cow<'_, [T]> {
        self.inputs[position].to_numbers()
    }

    /// Runs the plan with its residents until all outputs are known.
    ///
    /// # Panics
    /// If `residents` are not as many or as large as the plan says.
    pub fn run<P: AsRef<[T]> + Sync>(&mut self, residents: &[P]) {
        assert_eq!(residents.len(), self.sizes.len(), "number of residents");
        for (position, (numbers, size)) in residents.iter().zip(&self.sizes).enumerate() {
            let length = numbers.as_ref().len();
            assert_eq!(length, *size, "size of `{}`", self.plan.residents[position].name);
        }
        (compiled().run)(self, &residents, 0..self.plan.outputs_after);
    }

    /// After a [`run`](Self::run), changes the residents as the plan says: by `rules`, on several threads where that
    /// pays.
    ///
    /// # Panics
    /// If `residents` are not as many or as large as the plan says.
    pub fn change<P: AsRef<[T]> + AsMut<[T]> + Sync>(&mut self, residents: &mut [P], rules: &dyn Rules<T>) {
        assert_eq!(residents.len(), self.sizes.len(), "number of residents");
        for at in self.plan.outputs_after..self.steps.len() {
            let Some((first, count)) = self.steps[at].changed else {
                (compiled().run)(self, &&*residents, at..at + 1);
                continue;
            };
            let Self { plan, steps, inputs, constants, buffers, workspace, scratch, .. } = self;
            let step = &steps[at];
            // The buffers and residents that are written are none of those that are read, so they can be taken out.
            let (before, rest) = residents.split_at_mut(first);
            let (changing, behind) = rest.split_at_mut(count);
            let (before, behind) = (&*before, &*behind);
            let arrays: [&mut [T]; 4] = match changing {
                [own] => [own.as_mut(), &mut [], &mut [], &mut []],
                [own, first] => [own.as_mut(), first.as_mut(), &mut [], &mut []],
                [own, first, second] => [own.as_mut(), first.as_mut(), second.as_mut(), &mut []],
                [own, first, second, third] => {
                    [own.as_mut(), first.as_mut(), second.as_mut(), third.as_mut()]
                }
                _ => unreachable!("a change is of one parameter and what is kept for it"),
            };
            if let Some((rule, gradient)) = step.small_update() {
                rules.piece(rule, &buffers[gradient][..step.elements], arrays);
                continue;
            }
            let residents: [&dyn Residents<T>; 2] = [&before, &behind];
            let instruction = &plan.instructions[at];
            let held = &Held { inputs, constants, residents, changing: first..first + count };
            match step.buffer.or(step.second) {
                None => {
                    let numbers = Numbers { held, buffers: [buffers, &[]] };
                    let with = (scratch, workspace);
                    (compiled().change)(step, instruction, &numbers, &mut [], arrays, rules, with);
                }
                Some(buffer) => {
                    let (buffers, gradient) = without(buffers, buffer);
                    let gradient = &mut gradient[..step.elements];
                    let numbers = Numbers { held, buffers };
                    let with = (scratch, workspace);
                    (compiled().change)(step, instruction, &numbers, gradient, arrays, rules, with);
                }
            }
        }
    }

    /// The norm of the whole gradient, not clipped yet, after a [`change`](Self::change) by a plan that clips; else 0.
    pub fn gradient_norm(&self) -> f64 {
        self.norm
    }

    /// An input, and what kernels work with.
    ///
    /// # Panics
    /// If the graph has fewer inputs, or the input's entries are listed.
    #[inline]
    pub(super) fn input_and_workspace(&mut self, position: usize) -> (&mut [T], &mut Workspace) {
        (self.inputs[position].numbers_mut(), &mut self.workspace)
    }

    /// Runs steps that change no resident.
    pub(super) fn run_steps(&mut self, residents: &dyn Residents<T>, range: Range<usize>) {
        let Self { plan, steps, inputs, constants, buffers, workspace, norm, .. } = self;
        let held = &Held { inputs, constants, residents: [residents; 2], changing: usize::MAX..usize::MAX };
        for (step, instruction) in steps[range.clone()].iter().zip(&plan.instructions[range]) {
            let Some(buffer) = step.buffer else { continue };
            // The results' buffers are none of the operands', so they can be taken out meanwhile.
            let Some(to) = step.second else {
                let (others, result) = without(buffers, buffer);
                let numbers = &Numbers { held, buffers: others };
                if let Some(limit) = step.limit() {
                    *norm = norm_of(instruction, numbers, workspace.isa());
                    result[0] = if *norm > limit { T::from_f64(limit / *norm) } else { T::ONE };
                } else {
                    step.run(instruction, numbers, &mut result[..step.elements], &mut [], workspace);
                }
                continue;
            };
            let mut second = std::mem::take(&mut buffers[to]);
            let (others, result) = without(buffers, buffer);
            let numbers = &Numbers { held, buffers: others };
            step.run(instruction, numbers, &mut result[..step.elements], &mut second, workspace);
            buffers[to] = second;
        }
    }

    /// A requested output's numbers after a run.
    ///
    /// # Panics
    /// If the output is a parameter itself, which the caller has, or does not exist.
    pub fn output(&self, position: usize) -> &[T] {
        read(&self.inputs, &self.constants, &self.buffers, self.outputs[position])
    }
}

/// The norm of all gradients that an instruction reads.
#[inline(never)]
fn norm_of<T: Real>(instruction: &Instruction, numbers: &Numbers<'_, T>, isa: Isa) -> f64 {
    let squares = (instruction.reads.iter()).map(|(place, shape)| {
        let gradient = numbers.at(Source { place: *place, elements: shape.elements() });
        dot(isa, gradient, gradient).to_f64()
    });
    squares.sum::<f64>().sqrt()
}

/// The buffers without one: those before it, those after it, and that one.
fn without<T>(buffers: &mut [Array<T>], at: usize) -> ([&[Array<T>]; 2], &mut Array<T>) {
    let (before, rest) = buffers.split_at_mut(at);
    let (one, after) = rest.split_first_mut().expect("a plan has all buffers");
    ([before, after], one)
}

/// Numbers that are no parameter's.
fn read<'a, T: Real>(
    inputs: &'a [Given<T>],
    constants: &'a [Array<T>],
    buffers: &'a [Array<T>],
    source: Source,
) -> &'a [T] {
    let none: &'static &'static [&'static [T]] = &(&[] as _);
    let residents: [&dyn Residents<T>; 2] = [none, none];
    Held { inputs, constants, residents, changing: 0..0 }.at([buffers, &[]], source)
}
