//! Walks a plan's instructions. A run allocates nothing, locks nothing and looks nothing up.

use super::step::{Numbers, Source, Step};
use crate::plan::{Gradient, Place, Plan};
use pullback_kernels::{Array, Isa, Precision, Real, Workspace};

/// About how many numbers a thread copies from rows in memory in a nanosecond.
const COPIED_PER_NANOSECOND: usize = 4;

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
    threads: usize,
    /// What products repack operands in, and their threads.
    workspace: Workspace,
}

impl<T: Real> Executor<T> {
    /// Makes the buffers of a plan. `threads` bounds how many threads a run uses; the results have
    /// the same bits for any number.
    pub fn new(plan: Plan, threads: usize) -> Self {
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
            threads,
            workspace: Workspace::new(Isa::best(), threads),
        }
    }

    /// The same on a given instruction set instead of the machine's best; the results have the same
    /// bits.
    pub fn with_isa(self, isa: Isa) -> Self {
        let workspace = Workspace::new(isa, self.threads).with_precision(self.workspace.precision());
        Self { workspace, ..self }
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
        self.run_steps(parameters, 0..self.plan.outputs_after);
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
            self.run_steps(parameters, done..after);
            done = after;
            let gradient = read(&self.inputs, &self.constants, &self.buffers, Source { place, elements });
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
            let (before, rest) = buffers.split_at_mut(step.buffer);
            let (result, after) = rest.split_first_mut().expect("a plan has all buffers");
            let numbers = Numbers { inputs, constants, buffers: [before, after], parameters };
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

/// Numbers that are no parameter's.
fn read<'a, T: Real>(
    inputs: &'a [Array<T>],
    constants: &'a [Array<T>],
    buffers: &'a [Array<T>],
    source: Source,
) -> &'a [T] {
    Numbers::<T> { inputs, constants, buffers: [buffers, &[]], parameters: &[] }.at(source)
}
