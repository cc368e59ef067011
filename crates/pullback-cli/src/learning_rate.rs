//! `pullback train --find-learning-rate`: a test of learning rates, and what is printed of it.

use crate::failure::Result;
use crate::terminal::{figure, print, print_json, setting, width, wrapped};
use pullback::job::Decided;
use pullback::train::{Machine, RatePoint, RateRange, RateTest};
use serde::Serialize;
use std::fmt::Write;

/// The JSON report of a test.
#[derive(Serialize)]
struct Document<'a> {
    /// The version of this document's layout.
    version: u32,
    optimizer: &'a str,
    /// The rate to train with, if the cost falls at any.
    learning_rate: Option<f64>,
    #[serde(flatten)]
    test: &'a RateTest,
}

/// Tests rates for a job, and prints what they do.
pub(crate) fn run(job: &Decided, machine: &Machine, has_json: bool) -> Result<()> {
    let test = job.test_rates(machine, &RateRange::default())?;
    let optimizer = job.training().optimizer.name();
    let learning_rate = test.steepest.map(rounded);
    match has_json {
        true => print_json(&Document { version: 1, optimizer, learning_rate, test: &test }),
        false => print(&render(&test, optimizer, learning_rate, width())),
    }
}

/// A rate in two digits: its place is not known more exactly.
fn rounded(rate: f64) -> f64 {
    format!("{rate:.1e}").parse().unwrap_or(rate)
}

/// About so many steps are shown.
const SHOWN: usize = 20;
/// The widest bar.
const WIDEST: usize = 40;
/// What stands beside a bar: the numbers before it and the words after it.
const BESIDE: usize = 44;

fn render(test: &RateTest, optimizer: &str, learning_rate: Option<f64>, width: usize) -> String {
    let points = &test.points;
    let place = |rate: Option<f64>| rate.and_then(|rate| points.iter().position(|point| point.rate == rate));
    let smallest = |of: fn(&RatePoint) -> f64| {
        (0..points.len()).fold(0, |best, at| if of(&points[at]) < of(&points[best]) { at } else { best })
    };
    let (steepest, lowest) = (place(test.steepest), smallest(|point| point.smoothed));
    let is_shown = |at: &usize| {
        at.is_multiple_of(points.len().div_ceil(SHOWN))
            || Some(*at) == steepest
            || *at == lowest
            || at + 1 == points.len()
    };
    let low = points[lowest].smoothed;
    // What rises behind the lowest cost would press all before it flat.
    let high = points[..=lowest].iter().map(|point| point.smoothed).fold(low, f64::max);
    let widest = width.saturating_sub(BESIDE).clamp(1, WIDEST);
    let mut out = format!("{:>9}  {:>9}\n", "rate", "cost");
    for at in (0..points.len()).filter(is_shown) {
        let RatePoint { rate, smoothed, .. } = points[at];
        let part = if high > low { (smoothed - low) / (high - low) } else { 0.0 };
        let bar = match part {
            ..=1.0 => "#".repeat((part * widest as f64).round() as usize),
            _ => "#".repeat(widest) + ">",
        };
        let word = match at {
            _ if Some(at) == steepest => " falls most steeply",
            _ if at == lowest && test.steepest.is_some() => " lowest",
            _ => "",
        };
        let line = format!("{:>9}  {:>9}  {bar}{word}", format!("{rate:.1e}"), figure(smoothed));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let mut text = format!(
        "{} steps of {optimizer}, each with a larger rate; the cost is a mean over the steps around",
        points.len()
    );
    if test.has_diverged {
        let last = points.last().map_or(0.0, |point| point.rate);
        let _ = write!(text, "; rates above {last:.1e} were not tried: the cost had risen too far");
    }
    let advice = match (learning_rate, test.tenth_of_lowest) {
        (Some(rate), Some(tenth)) => format!(
            "give `--learning-rate {}`; a tenth of the rate of the lowest cost is {}",
            setting(rate),
            setting(rounded(tenth))
        ),
        _ => "the cost falls at none of these rates: look at the data and the network".to_owned(),
    };
    let _ = writeln!(out, "\n{}\n\n{}", wrapped(&text, 0), wrapped(&advice, 0));
    out
}
