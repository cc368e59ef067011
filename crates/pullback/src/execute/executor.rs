//! Walks a plan's instructions. A run allocates nothing, locks nothing and looks nothing up.

use super::Machine;
use super::step::{Numbers, Source, Step};
use crate::plan::{Gradient, Place, Plan};
use pullback_kernels::{Array, Real, Workspace};

/// About how many numbers a thread copies from rows in memory in a nanosecond.
const COPIED_PER_NANOSECOND: usize = 2;

/// About how many numbers of a parameter or its states a thread changes in a nanosecond.
const UPDATED_PER_NANOSECOND: usize = 8;

/// Fewer numbers than this are changed faster than shared out.
const WORTH_SHARING: usize = 4096;

/// A plan with its buffers.
#[derive(Debug)]
pub struct Executor<T> {
    plan: Plan,
    /// The plan's instructions, made ready.
    steps: Vec<Step>,
    inputs: Vec<Array<T>>,
    constants: Vec<Array<T>>,
    buffers: Vec<Array<T>>,
    outputs: Vec<Source>,
    /// How many elements each parameter has.
    sizes: Vec<usize>,
    /// What products repack operands in, and their threads.
    workspace: Workspace,
}

impl<T: Real> Executor<T> {
    /// Makes the buffers of a plan. In full precision, the results have the same bits on any machine.
    pub fn new(plan: Plan, machine: &Machine) -> Self {
        let source = |place: Place, elements: usize| Source { place, elements };
        Self {
            steps: plan.instructions.iter().map(Step::new).collect(),
            inputs: plan.inputs.iter().map(|input| Array::zeros(input.shape.elements())).collect(),
            constants: (plan.constants.iter())
                .map(|&(value, elements)| {
                    let mut constant = Array::zeros(elements);
                    constant.fill(T::from_f64(value));
                    constant
                })
                .collect(),
            buffers: plan.buffers.iter().map(|&elements| Array::zeros(elements)).collect(),
            outputs: (plan.outputs.iter()).map(|(place, shape)| source(*place, shape.elements())).collect(),
            sizes: plan.parameters.iter().map(|parameter| parameter.shape.elements()).collect(),
            plan,
            workspace: Workspace::new(machine.isa, machine.thread_count()).with_precision(machine.precision),
        }
    }

    /// The plan that is run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the plan is run with, for products beside it.
    pub fn workspace_mut(&mut self) -> &mut Workspace {
        &mut self.workspace
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
        self.run_steps(parameters, 0..self.plan.outputs_after);
    }

    /// After a [`run`](Self::run), finds the gradients that the plan hands out, and lets `update` change each
    /// parameter as soon as its gradient is known, piece by piece, while that is near: the gradient's memory then
    /// serves the next.
    ///
    /// `states` holds for each parameter what is kept from step to step: up to three arrays of its size, and empty
    /// ones. `update(parameter, gradient, [numbers, state, state, state])` is called for each piece with the parameter's
    /// place, a piece of its gradient, and the same piece of it and of its states; on several threads, where that
    /// pays. What it does to a number must not depend on where the pieces are cut.
    ///
    /// # Panics
    /// If `parameters` or `states` are not as many or as large as the plan says.
    pub fn run_gradients<P: AsRef<[T]> + AsMut<[T]> + Sync>(
        &mut self,
        parameters: &mut [P],
        states: &mut [[P; 3]],
        update: impl Fn(usize, &[T], [&mut [T]; 4]) + Sync,
    ) {
        self.check(parameters);
        assert_eq!(states.len(), parameters.len(), "number of parameters' states");
        let mut done = self.plan.outputs_after;
        for at in 0..self.plan.gradients.len() {
            let Gradient { after, parameter, place, elements, is_updated_inside, .. } =
                self.plan.gradients[at];
            self.run_steps(parameters, done..after - usize::from(is_updated_inside));
            done = after;
            let (before, rest) = parameters.split_at_mut(parameter);
            let (changing, behind) = rest.split_first_mut().expect("a plan has all parameters");
            let [first, second, third] = &mut states[parameter];
            let arrays = [changing.as_mut(), first.as_mut(), second.as_mut(), third.as_mut()];
            let update = |gradient: &[T], pieces: [&mut [T]; 4]| update(parameter, gradient, pieces);
            let Self { plan, steps, inputs, constants, buffers, workspace, .. } = self;
            if is_updated_inside {
                let step = &steps[after - 1];
                let (others, gradient) = without(buffers, step.buffer);
                let numbers =
                    Numbers { inputs, constants, buffers: others, parameters: [&*before, &*behind] };
                let (instruction, gradient) = (&plan.instructions[after - 1], &mut gradient[..step.elements]);
                step.run_and_update(instruction, &numbers, gradient, arrays, update, workspace);
            } else {
                let gradient = read(inputs, constants, buffers, Source { place, elements });
                if elements < WORTH_SHARING {
                    update(gradient, arrays);
                    continue;
                }
                let columns = arrays.each_ref().map(|array| usize::from(!array.is_empty()));
                let nanoseconds = elements * columns.iter().sum::<usize>() / UPDATED_PER_NANOSECOND;
                workspace.share_rows(elements, nanoseconds, arrays, columns, |range, pieces| {
                    update(&gradient[range], pieces);
                });
            }
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
        assert_eq!(parameters.len(), self.sizes.len(), "number of parameters");
        for (position, (numbers, size)) in parameters.iter().zip(&self.sizes).enumerate() {
            let length = numbers.as_ref().len();
            assert_eq!(length, *size, "size of parameter `{}`", self.plan.parameters[position].name);
        }
    }

    fn run_steps(&mut self, parameters: &[impl AsRef<[T]> + Sync], range: std::ops::Range<usize>) {
        let Self { plan, steps, inputs, constants, buffers, workspace, .. } = self;
        for (step, instruction) in steps[range.clone()].iter().zip(&plan.instructions[range]) {
            // The results' buffers are none of the operands', so they can be taken out meanwhile.
            let mut gradient = step.gradient.map(|to| std::mem::take(&mut buffers[to.buffer]));
            let (others, result) = without(buffers, step.buffer);
            let numbers = Numbers { inputs, constants, buffers: others, parameters: [parameters, &[]] };
            let slopes = gradient.as_deref_mut().unwrap_or_default();
            step.run(instruction, &numbers, &mut result[..step.elements], slopes, workspace);
            if let (Some(to), Some(gradient)) = (step.gradient, gradient) {
                buffers[to.buffer] = gradient;
            }
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

/// The buffers without one: those before it, those after it, and that one.
fn without<T>(buffers: &mut [Array<T>], at: usize) -> ([&[Array<T>]; 2], &mut Array<T>) {
    let (before, rest) = buffers.split_at_mut(at);
    let (one, after) = rest.split_first_mut().expect("a plan has all buffers");
    ([before, after], one)
}

/// Numbers that are no parameter's.
fn read<'a, T: Real>(
    inputs: &'a [Array<T>],
    constants: &'a [Array<T>],
    buffers: &'a [Array<T>],
    source: Source,
) -> &'a [T] {
    Numbers::<T> { inputs, constants, buffers: [buffers, &[]], parameters: [&[], &[]] }.at(source)
}
