//! What is shown while a network trains: a bar on a terminal, else a few plain lines. All of it goes to
//! standard error, so that standard output is the report alone.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pullback::train::{EpochReport, Flow, Observer, StepReport};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

/// About so many lines are printed where there is no terminal.
const LINES: usize = 10;

/// Shows a training run.
pub(crate) struct Progress {
    epochs: usize,
    bar: Option<ProgressBar>,
    is_quiet: bool,
    start: Instant,
    epoch_start: Instant,
    cost: f64,
    validation: String,
    shown: Instant,
}

impl Progress {
    pub(crate) fn new(epochs: usize, examples: usize, is_quiet: bool) -> Self {
        let bar = (!is_quiet && stderr().is_terminal()).then(|| {
            let bar =
                ProgressBar::with_draw_target(Some((epochs * examples) as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:20} {msg} {per_sec:>8}/s, {eta} left");
            if let Ok(style) = style {
                let per_sec = |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                    let _ = out.write_str(&count(state.per_sec()));
                };
                bar.set_style(style.with_key("per_sec", per_sec));
            }
            bar
        });
        let now = Instant::now();
        Self {
            epochs,
            bar,
            is_quiet,
            start: now,
            epoch_start: now,
            cost: f64::NAN,
            validation: String::new(),
            shown: now,
        }
    }

    /// Takes the bar away; tells how long training took.
    pub(crate) fn finish(&self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.start.elapsed()
    }
}

/// A number of samples: `950`, `12.3k`, `4.56M`.
pub(crate) fn count(number: f64) -> String {
    match number {
        number if number >= 1e6 => format!("{:.2}M", number / 1e6),
        number if number >= 1e3 => format!("{:.1}k", number / 1e3),
        number => format!("{number:.0}"),
    }
}

impl Observer for Progress {
    fn step(&mut self, report: &StepReport) -> Flow {
        if let Some(bar) = &self.bar
            && self.shown.elapsed() > Duration::from_millis(50)
        {
            self.shown = Instant::now();
            bar.set_position((report.epoch * report.examples_per_epoch + report.examples) as u64);
            let cost = if self.cost.is_nan() { report.cost } else { self.cost };
            bar.set_message(format!(
                "epoch {}/{} cost {cost:.4}{}",
                report.epoch + 1,
                self.epochs,
                self.validation
            ));
        }
        Flow::Continue
    }

    fn epoch(&mut self, report: &EpochReport) -> Flow {
        self.cost = report.cost;
        self.validation = match (report.validation_accuracy, report.validation_cost) {
            (Some(accuracy), _) => format!(" val {:.2} %", 100.0 * accuracy),
            (None, Some(cost)) => format!(" val {cost:.4}"),
            (None, None) => String::new(),
        };
        let done = report.epoch + 1;
        let is_due = done == 1 || done == self.epochs || done.is_multiple_of(self.epochs.div_ceil(LINES));
        if self.bar.is_none() && !self.is_quiet && is_due {
            let left = self.start.elapsed().as_secs_f64() / done as f64 * (self.epochs - done) as f64;
            eprintln!(
                "epoch {done}/{}: cost {:.4}{}, {left:.0} s left",
                self.epochs, report.cost, self.validation
            );
        }
        self.epoch_start = Instant::now();
        Flow::Continue
    }
}
