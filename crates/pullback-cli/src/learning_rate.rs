//! `pullback train --find-learning-rate`: a test of learning rates, and what is printed of it.

use crate::failure::Result;
use crate::terminal::{figure, print, print_json, setting, width, wrapped};
use pullback::explain::Catalog;
use pullback::job::Decided;
use pullback::train::{Machine, RatePoint, RateRange, RateTest};
use serde::Serialize;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

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
pub(crate) fn run(job: &Decided, machine: &Machine, has_json: bool, catalog: &Catalog) -> Result<()> {
    let test = job.test_rates(machine, &RateRange::default())?;
    let optimizer = job.training().optimizer.name();
    let learning_rate = test.steepest.map(rounded);
    match has_json {
        true => print_json(&Document { version: 1, optimizer, learning_rate, test: &test }),
        false => print(&render(&test, optimizer, learning_rate, catalog)),
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

fn render(test: &RateTest, optimizer: &str, learning_rate: Option<f64>, catalog: &Catalog) -> String {
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
    let widest = width().saturating_sub(BESIDE).clamp(1, WIDEST);
    let heading = |key| {
        let word = catalog.get(key);
        format!("{:1$}{word}", "", 9_usize.saturating_sub(word.width()))
    };
    let mut out = format!("{}  {}\n", heading("rates.rate"), heading("rates.cost"));
    for at in (0..points.len()).filter(is_shown) {
        let RatePoint { rate, smoothed, .. } = points[at];
        let part = if high > low { (smoothed - low) / (high - low) } else { 0.0 };
        let bar = match part {
            ..=1.0 => "#".repeat((part * widest as f64).round() as usize),
            _ => "#".repeat(widest) + ">",
        };
        let word = match at {
            _ if Some(at) == steepest => catalog.get("rates.steepest"),
            _ if at == lowest && test.steepest.is_some() => catalog.get("rates.lowest"),
            _ => "",
        };
        let word = if word.is_empty() { String::new() } else { format!(" {word}") };
        let line = format!("{:>9}  {:>9}  {bar}{word}", format!("{rate:.1e}"), figure(smoothed));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let mut text = catalog.say("rates.steps", &[("count", &points.len()), ("optimizer", &optimizer)]);
    if test.has_diverged {
        let last = points.last().map_or(0.0, |point| point.rate);
        text += &catalog.say("rates.diverged", &[("rate", &format!("{last:.1e}"))]);
    }
    let advice = match (learning_rate, test.tenth_of_lowest) {
        (Some(rate), Some(tenth)) => {
            catalog.say("rates.advice", &[("rate", &setting(rate)), ("tenth", &setting(rounded(tenth)))])
        }
        _ => catalog.get("rates.no_advice").to_owned(),
    };
    let _ = writeln!(out, "\n{}\n\n{}", wrapped(&text, 0), wrapped(&advice, 0));
    out
}
