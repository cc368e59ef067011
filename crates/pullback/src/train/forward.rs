//! A network with parameters that do not change, ready to run forwards for any number of rows from any thread.
//!
//! Weights are packed once, plans are made for a few numbers of rows and kept, each with its buffers. What is predicted
//! for a row does not depend on the other rows of the plan, so a plan may have more rows than are wanted. (In a reduced
//! precision, it depends on their number: products of few rows are in f32.)

use super::Machine;
use super::evaluate::{check_inputs, check_numbers};
use crate::data::{Ahead, Features};
use crate::error::{Error, Result};
use crate::execute::{Backend, Executor, Packed};
use crate::network::Network;
use crate::plan::Plan;
use pullback_kernels::{Real, Workspace};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The most rows of a plan. Plans are for powers of two up to it.
const MOST_ROWS: usize = 1 << (PLANS - 1);
/// How much memory the numbers of a plan may take, if it is of more than one row.
const MOST_BYTES: u64 = 256 << 20;
/// How many plans there are at most.
const PLANS: usize = 9;
/// Rows up to which a forward pass takes as long as to read the weights, so that it costs little to have more than are
/// wanted.
const READ_BOUND_ROWS: usize = 16;

/// A forward pass of a network and its parameters. Threads may call it at the same time: each call takes plans and
/// buffers of its own, which later calls use again.
#[derive(Debug)]
pub(crate) struct Forward<'a, T> {
    network: &'a Network,
    parameters: &'a [Vec<T>],
    /// By what weighted sums are divided before they become probabilities.
    temperature: f64,
    machine: Machine,
    outputs: usize,
    /// The most rows of a plan: a power of two.
    most_rows: usize,
    packed: Packed<T>,
    /// What no call uses just now.
    idle: Mutex<Vec<Runner<T>>>,
}

/// What one call runs on.
#[derive(Debug)]
struct Runner<T> {
    /// Place n has the plan of 2^n rows, once it was needed.
    executors: [Option<Executor<T>>; PLANS],
    workspace: Workspace,
    /// Rows of features that are read at once.
    rows: Vec<usize>,
}

impl<'a, T: Real> Forward<'a, T> {
    /// Packs the parameters and makes the plan of one row.
    ///
    /// # Errors
    /// If the network contradicts itself, or the parameters are not its own.
    pub(crate) fn new(
        network: &'a Network,
        parameters: &'a [Vec<T>],
        temperature: f64,
        machine: &Machine,
    ) -> Result<Self> {
        network.check_parameters(parameters)?;
        let plan = plan(network, 1, temperature)?;
        let packed = Packed::new(&plan, parameters, machine);
        let (machine, outputs, idle) = (*machine, network.outputs(), Mutex::new(Vec::new()));
        let bytes = network.memory(1)?.activations.max(1).saturating_mul(size_of::<T>() as u64);
        let most_rows = 1 << (MOST_BYTES / bytes).clamp(1, MOST_ROWS as u64).ilog2();
        let forward = Self { network, parameters, temperature, machine, outputs, most_rows, packed, idle };
        let mut runner = forward.runner();
        runner.executors[0] = Some(forward.executor(plan));
        forward.give_back(runner);
        Ok(forward)
    }

    /// How many numbers the network predicts for a row.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// What the network predicts for rows of numbers, side by side; writes `[rows, outputs]`. It allocates nothing, but
    /// the first time for a number of rows.
    ///
    /// # Errors
    /// If the numbers are no whole rows of the network's inputs, there are several inputs, or `outputs` is of another
    /// size.
    pub(crate) fn numbers(&self, numbers: &[T], outputs: &mut [T]) -> Result<()> {
        let width = check_numbers(self.network, numbers)?;
        let (rows, wanted) = (numbers.len() / width, numbers.len() / width * self.outputs);
        if outputs.len() != wanted {
            return Err(Error::data(format!(
                "{rows} rows of predictions are {wanted} numbers, but there is room for {}",
                outputs.len()
            )));
        }
        self.run(rows, outputs, |executor, _, rows, _| {
            let numbers = &numbers[rows.start * width..rows.end * width];
            executor.input_mut(0)[..numbers.len()].copy_from_slice(numbers);
        })
    }

    /// What the network predicts for named blocks of inputs, `[rows, outputs]`.
    ///
    /// # Errors
    /// If the blocks are not those that the network takes, or not of the same number of rows.
    pub(crate) fn features(&self, given: &[(&str, &Features<T>)]) -> Result<Vec<T>> {
        let blocks = check_inputs(self.network, given)?;
        let rows = blocks[0].rows();
        if let Some(other) = blocks.iter().find(|block| block.rows() != rows) {
            return Err(Error::data(format!(
                "one block of inputs has {rows} rows, another one {}",
                other.rows()
            ))
            .help("give all for the same rows"));
        }
        let mut outputs = vec![T::ZERO; rows * self.outputs];
        let Some(mut ahead) = Ahead::of(&blocks, 1) else {
            self.blocks(&blocks, &mut outputs)?;
            return Ok(outputs);
        };
        let order: Vec<usize> = (0..rows).collect();
        // As many at a time as a plan has rows, so that the same plans run as for rows in memory.
        for first in (0..rows).step_by(MOST_ROWS) {
            let end = (first + MOST_ROWS).min(rows);
            let (loaded, places) = ahead.rows(&blocks, &order, first..end)?;
            let now: Vec<Features<T>> =
                loaded.iter().map(|features| features.load(places)).collect::<Result<_>>()?;
            self.blocks(
                &now.iter().collect::<Vec<_>>(),
                &mut outputs[first * self.outputs..end * self.outputs],
            )?;
        }
        Ok(outputs)
    }

    /// What the network predicts for blocks of inputs in memory; writes `[rows, outputs]`.
    fn blocks(&self, blocks: &[&Features<T>], outputs: &mut [T]) -> Result<()> {
        let isa = self.machine.isa;
        self.run(blocks[0].rows(), outputs, |executor, size, range, rows| {
            rows.clear();
            rows.extend(range);
            for (place, features) in blocks.iter().enumerate() {
                executor.gather(place, size, &|of_plan, piece| {
                    // The plan's other rows keep what they have.
                    let rows = &rows[of_plan.start.min(rows.len())..of_plan.end.min(rows.len())];
                    features.write(isa, rows, &mut piece[..rows.len() * features.width()]);
                });
            }
        })
    }

    /// Runs plans one after the other until all rows are done. `fill` is called with a plan, its number of rows and a
    /// range of the rows, which it writes to the first rows of the plan's inputs; it may use the list.
    fn run(
        &self,
        rows: usize,
        outputs: &mut [T],
        fill: impl Fn(&mut Executor<T>, usize, Range<usize>, &mut Vec<usize>),
    ) -> Result<()> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut runner = idle.unwrap_or_else(|| self.runner());
        let width = self.outputs;
        let mut done = 0;
        while done < rows {
            let size = plan_rows(rows - done, self.most_rows);
            let now = size.min(rows - done);
            let Runner { executors, workspace, rows: list } = &mut runner;
            let executor = match &mut executors[size.trailing_zeros() as usize] {
                Some(executor) => executor,
                place => place.insert(self.executor(plan(self.network, size, self.temperature)?)),
            };
            executor.exchange_workspace(workspace);
            fill(executor, size, done..done + now, list);
            executor.run(self.parameters);
            outputs[done * width..][..now * width].copy_from_slice(&executor.output(0)[..now * width]);
            executor.exchange_workspace(workspace);
            done += now;
        }
        self.give_back(runner);
        Ok(())
    }

    fn executor(&self, plan: Plan) -> Executor<T> {
        // It is only run with the runner's workspace, which has the threads.
        Executor::new(plan, &Machine { threads: 1, ..self.machine }).with_packed(&self.packed)
    }

    fn runner(&self) -> Runner<T> {
        let Machine { isa, precision, .. } = self.machine;
        Runner {
            executors: [const { None }; PLANS],
            workspace: Workspace::new(isa, self.machine.thread_count()).with_precision(precision),
            rows: Vec::with_capacity(MOST_ROWS),
        }
    }

    fn give_back(&self, runner: Runner<T>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(runner);
    }
}

fn plan(network: &Network, rows: usize, temperature: f64) -> Result<Plan> {
    let lowered = network.lower_calibrated(rows, temperature)?;
    Ok(Plan::new(&lowered.graph, &[lowered.prediction]))
}

/// How many rows the next plan has if so many are left: more than those, if few rows of the plan are wasted so, or if
/// they cost little.
fn plan_rows(left: usize, most: usize) -> usize {
    if left >= most {
        return most;
    }
    let above = left.next_power_of_two();
    if above <= READ_BOUND_ROWS.min(most) || 4 * left > 3 * above { above } else { above / 2 }
}
