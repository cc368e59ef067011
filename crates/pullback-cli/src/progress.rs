//! What is shown while a network trains: a bar on a terminal, else a plain line now and then. All of it goes to
//! standard error, so that standard output is the report alone.

use crate::interrupt::Interrupt;
use crate::terminal::{count, figure, percent, say, time, time_in};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pullback::explain::Catalog;
use pullback::train::{CandidateReport, Epoch, EpochReport, Flow, MemberReport, Observer, StepReport};
use std::fmt::Display;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// Where there is no terminal, the first line comes after this time, and each next one after twice as long...
const FIRST_LINE: Duration = Duration::from_secs(1);
/// ...but at least this often.
const NEXT_LINE: Duration = Duration::from_secs(60);
/// How often the bar changes.
const REDRAW: Duration = Duration::from_millis(100);

/// Shows a training run.
pub(crate) struct Progress {
    epochs: usize,
    examples_per_epoch: usize,
    bar: Option<ProgressBar>,
    is_quiet: bool,
    interrupt: Interrupt,
    start: Instant,
    shown: Instant,
    /// How long after the last line the next one comes.
    pause: Duration,
    /// The end of the last epoch.
    end: Instant,
    /// The last epoch's figures.
    figures: Option<String>,
    /// The epochs that each network of an ensemble has done.
    members: Vec<usize>,
    /// The examples that were seen before this run, by all networks.
    seen_before: usize,
    catalog: Catalog,
}

impl Progress {
    /// Shows a run until it ends or is interrupted; of one that goes on, the networks have done some epochs before.
    pub(crate) fn new(
        epochs: usize,
        examples_per_epoch: usize,
        is_quiet: bool,
        interrupt: Interrupt,
        epochs_before: Vec<usize>,
        catalog: &Catalog,
    ) -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
        let bar = (!is_quiet && stderr().is_terminal() && !is_dumb).then(|| {
            let total = epochs.saturating_mul(examples_per_epoch) as u64;
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{wide_bar} {msg}").expect("the template is a constant"),
            );
            bar
        });
        let now = Instant::now();
        Self {
            epochs,
            examples_per_epoch,
            bar,
            is_quiet,
            interrupt,
            start: now,
            shown: now,
            pause: FIRST_LINE,
            end: now,
            figures: None,
            seen_before: epochs_before.iter().sum::<usize>() * examples_per_epoch,
            members: epochs_before,
            catalog: catalog.clone(),
        }
    }

    /// Whether the run goes on.
    fn flow(&self) -> Flow {
        if self.interrupt.code().is_some() { Flow::Stop } else { Flow::Continue }
    }

    /// Takes the bar away; tells how long training took, to the end of the last epoch.
    pub(crate) fn finish(&self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.end - self.start
    }

    /// Whether a plain line is to be shown now, where there is no bar.
    fn is_line_due(&mut self) -> bool {
        let is_due = self.bar.is_none() && !self.is_quiet && self.shown.elapsed() >= self.pause;
        if is_due {
            self.shown = Instant::now();
            self.pause = (2 * self.pause).min(NEXT_LINE);
        }
        is_due
    }

    /// Samples a second, and the time that is left, after so many.
    fn pace(&self, done: f64) -> (String, String) {
        let seconds = self.start.elapsed().as_secs_f64();
        let before = self.seen_before as f64;
        let total = self.epochs as f64 * self.examples_per_epoch as f64 - before;
        let done = done - before;
        let left = Duration::try_from_secs_f64(seconds * (total - done) / done).unwrap_or(Duration::MAX);
        // Below a second there is nothing to tell.
        let left = if left < Duration::from_secs(1) { 0.0 } else { left.as_secs_f64() };
        let left = time_in(left, &self.catalog);
        (count(done / seconds.max(1e-9)), left)
    }
}

/// Tells now and then how much of something is done, in lines: the first after a second, each next one after twice as
/// long.
pub(crate) struct Counting {
    what: &'static str,
    is_quiet: bool,
    start: Instant,
    shown: Instant,
    pause: Duration,
}

impl Counting {
    pub(crate) fn new(what: &'static str, is_quiet: bool) -> Self {
        let now = Instant::now();
        Self { what, is_quiet, start: now, shown: now, pause: FIRST_LINE }
    }

    /// So many of all are done.
    pub(crate) fn at(&mut self, done: usize, all: usize) {
        if self.is_quiet || done == all || self.shown.elapsed() < self.pause {
            return;
        }
        self.shown = Instant::now();
        self.pause = (2 * self.pause).min(NEXT_LINE);
        let left = self.start.elapsed().as_secs_f64() * (all - done) as f64 / done as f64;
        say(format_args!("{done} of {all} {}, about {} left", self.what, time(left)));
    }
}

impl Observer for Progress {
    fn step(&mut self, report: &StepReport) -> Flow {
        if let Some(bar) = &self.bar
            && self.shown.elapsed() > REDRAW
        {
            self.shown = Instant::now();
            let done = report.epoch * report.examples_per_epoch + report.examples;
            let (pace, left) = self.pace(done as f64);
            let step =
                || self.catalog.say("progress.cost", &[("cost", &figure(report.cost)), ("validation", &"")]);
            let figures = self.figures.clone().unwrap_or_else(step);
            bar.set_message(self.catalog.say(
                "progress.bar",
                &[
                    ("epoch", &(report.epoch + 1)),
                    ("epochs", &self.epochs),
                    ("figures", &figures),
                    ("pace", &pace),
                    ("left", &left),
                ],
            ));
            bar.set_position(done as u64);
        }
        self.flow()
    }

    fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
        let report = epoch.report;
        self.end = Instant::now();
        let metric = epoch.metric;
        let validation = match report.watched {
            Some(value) => {
                let metric = self.catalog.told(metric.name());
                self.catalog.say("progress.watched", &[("metric", &metric), ("value", &figure(value))])
            }
            None => validation(report, &self.catalog),
        };
        let values: [(&str, &dyn Display); 2] = [("cost", &figure(report.cost)), ("validation", &validation)];
        let figures = self.catalog.say("progress.cost", &values);
        let done = report.epoch + 1;
        if self.is_line_due() {
            let (pace, left) = self.pace((done * self.examples_per_epoch) as f64);
            say(self.catalog.say(
                "progress.epoch",
                &[
                    ("epoch", &done),
                    ("epochs", &self.epochs),
                    ("figures", &figures),
                    ("pace", &pace),
                    ("left", &left),
                ],
            ));
        }
        self.figures = Some(figures);
        Flow::Continue
    }

    fn member(&mut self, report: &MemberReport) -> Flow {
        self.end = Instant::now();
        let MemberReport { member, members, epoch } = report;
        if self.members.len() != *members {
            self.members = vec![0; *members];
        }
        self.members[*member] = epoch.epoch + 1;
        let done: usize = self.members.iter().sum();
        let begun = self.members.iter().filter(|epochs| **epochs > 0).count();
        let examples = done * self.examples_per_epoch;
        let seen = examples - self.seen_before.min(examples);
        if self.is_line_due() {
            let pace = count(seen as f64 / self.start.elapsed().as_secs_f64().max(1e-9));
            say(self.catalog.say(
                "progress.member",
                &[
                    ("begun", &begun),
                    ("members", members),
                    ("epoch", &(epoch.epoch + 1)),
                    ("epochs", &self.epochs),
                    ("pace", &pace),
                ],
            ));
        }
        if let Some(bar) = &self.bar
            && self.shown.elapsed() > REDRAW
        {
            self.shown = Instant::now();
            let pace = count(seen as f64 / self.start.elapsed().as_secs_f64().max(1e-9));
            bar.set_message(self.catalog.say(
                "progress.member_bar",
                &[("begun", &begun), ("members", members), ("epoch", &(epoch.epoch + 1)), ("pace", &pace)],
            ));
            bar.set_position((examples / members) as u64);
        }
        self.flow()
    }

    fn candidate(&mut self, report: &CandidateReport) -> Flow {
        self.end = Instant::now();
        self.members.clear();
        if self.is_line_due() {
            let time = time_in((self.end - self.start).as_secs_f64(), &self.catalog);
            let values: [(&str, &dyn Display); 2] = [("candidate", &(report.candidate + 1)), ("time", &time)];
            say(self.catalog.say("progress.candidate", &values));
        }
        self.flow()
    }

    fn wait(&mut self) -> Flow {
        self.flow()
    }
}

/// The accuracy of the validation rows, or their cost where there is none.
fn validation(report: &EpochReport, catalog: &Catalog) -> String {
    let told = |value: String| catalog.say("progress.validation", &[("value", &value)]);
    match (report.validation_accuracy, report.validation_cost) {
        (Some(accuracy), _) => told(percent(accuracy)),
        (None, Some(cost)) => told(figure(cost)),
        (None, None) => String::new(),
    }
}
