//! Training of the networks of a job: one with all threads, or those of an ensemble side by side, a thread each, so
//! that none waits for another.

use super::checkpoints::{self, Checkpoints};
use super::{Member, Rows};
use crate::data::Dataset;
use crate::error::Result;
use crate::train::{Epoch, Flow, Machine, MemberReport, Observer, StepReport, Trained, Trainer};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// After so long without the end of an epoch the observer is asked whether the run goes on.
const PAUSE: Duration = Duration::from_millis(50);

/// How many of so many networks are trained at a time.
pub(super) fn side_by_side(networks: usize, machine: &Machine) -> usize {
    machine.thread_count().min(networks)
}

/// Networks that are trained together, and whose rows those of each index are.
pub(super) struct Group<'a> {
    pub(super) members: &'a [Member],
    pub(super) rows: &'a Rows,
}

/// The networks that were trained, by their index: all, unless the observer ended the run. The result does not depend
/// on the number of threads.
pub(super) fn train_all(
    group: &Group<'_>,
    (dataset, watched): (&Dataset<f32>, Option<&Dataset<f32>>),
    machine: &Machine,
    observer: &mut dyn Observer,
    checkpoints: &Checkpoints<'_>,
) -> Result<Vec<(usize, Trained<f32>)>> {
    let count = group.members.len();
    let every: Vec<usize> = (0..watched.map_or(0, Dataset::rows)).collect();
    let one = |(dataset, watched): (&Dataset<f32>, Option<&Dataset<f32>>),
               index: usize,
               machine: &Machine,
               observer: &mut dyn Observer| {
        let (Member { network, training, start }, (rows, validation)) =
            (&group.members[index], group.rows.of_member(index));
        let watch = match watched {
            None => (dataset, validation),
            Some(watched) => (watched, &every[..]),
        };
        let trainer = Trainer::watched_by(network, training, (dataset, rows), watch, machine)?;
        let trainer = match (checkpoints.states.get(index).and_then(Option::as_ref), start) {
            (Some(state), _) => trainer.resumed(state.clone())?,
            (None, Some(start)) => trainer.starting_with(start)?,
            (None, None) => trainer,
        };
        match checkpoints.keeper {
            None => trainer.run(observer),
            Some(keeper) => checkpoints::train(trainer, (index, keeper), observer),
        }
    };
    if count == 1 {
        return Ok(vec![(0, one((dataset, watched), 0, machine, observer)?)]);
    }
    let threads = side_by_side(count, machine);
    let shared = (dataset.read_by(threads), watched.and_then(|watched| watched.read_by(threads)));
    let data = (shared.0.as_ref().unwrap_or(dataset), shared.1.as_ref().or(watched));
    let (next, is_stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let alone = Machine { threads: 1, ..*machine };
    let (sender, events) = channel();
    let mut results: Vec<(usize, Result<Trained<f32>>)> = Vec::new();
    std::thread::scope(|scope| {
        let work = |events: Sender<MemberReport>| {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count || is_stopped.load(Ordering::Relaxed) {
                    return done;
                }
                let mut relay = Relay { index, count, events: &events, is_stopped: &is_stopped };
                let trained = one(data, index, &alone, &mut relay);
                if trained.is_err() {
                    is_stopped.store(true, Ordering::Relaxed);
                }
                done.push((index, trained));
            }
        };
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let events = sender.clone();
                scope.spawn(move || work(events))
            })
            .collect();
        drop(sender);
        loop {
            let flow = match events.recv_timeout(PAUSE) {
                Ok(report) => observer.member(&report),
                Err(RecvTimeoutError::Timeout) => observer.wait(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if flow == Flow::Stop {
                is_stopped.store(true, Ordering::Relaxed);
            }
        }
        for worker in workers {
            match worker.join() {
                Ok(done) => results.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    results.sort_by_key(|(index, _)| *index);
    let results = results.into_iter().map(|(index, trained)| Ok((index, trained?)));
    results.collect()
}

/// Tells of one network's epochs, and stops it when the run is ended.
struct Relay<'a> {
    index: usize,
    count: usize,
    events: &'a Sender<MemberReport>,
    is_stopped: &'a AtomicBool,
}

impl Relay<'_> {
    fn flow(&self) -> Flow {
        if self.is_stopped.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue }
    }
}

impl Observer for Relay<'_> {
    fn step(&mut self, _report: &StepReport) -> Flow {
        self.flow()
    }

    fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
        let report = MemberReport { member: self.index, members: self.count, epoch: *epoch.report };
        // Nobody listens any more only if the run panics.
        let _ = self.events.send(report);
        self.flow()
    }
}
