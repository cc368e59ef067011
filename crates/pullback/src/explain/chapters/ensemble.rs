//! The last step of an ensemble's prediction: the mean of what its networks predict.

use crate::compact::sort_by;
use crate::explain::written::{Written, equation};
use crate::explain::{Block, Catalog, Document};
use crate::report::number::significant;

/// What one network of an ensemble predicts for a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    /// How many times it counts in the mean.
    pub times: usize,
    /// Its probabilities, or its numbers in the target's own units.
    pub numbers: Vec<f64>,
}

/// Which network a page shows, and how what it says of the mean is written.
#[derive(Debug, Clone, Copy)]
pub struct MeanOptions<'a> {
    /// The network that the page shows, counted from 0.
    pub shown: usize,
    /// The names of the outputs.
    pub outputs: &'a [String],
    /// The temperature by which probabilities were calibrated, if by any but 1.
    pub temperature: Option<f64>,
    /// Of more outputs than these, those with the largest mean are shown.
    pub most_outputs: usize,
    /// The significant digits of numbers.
    pub digits: usize,
}

/// The part of a page that leads from the networks of an ensemble to what it predicts: the numbers of all, their sum, and
/// the mean, in which each counts as often as its candidate was taken. Nothing of no networks.
pub fn describe_mean(votes: &[Vote], options: &MeanOptions<'_>, catalog: &Catalog) -> Document {
    let &MeanOptions { shown, outputs, temperature, most_outputs, digits } = options;
    let number = |x: f64| significant(x, digits);
    let count: usize = votes.iter().map(|vote| vote.times).sum();
    let width = votes.iter().map(|vote| vote.numbers.len()).min().unwrap_or(0);
    let sum = |at: usize| votes.iter().map(|vote| vote.times as f64 * vote.numbers[at]).sum::<f64>();
    let mean = |at: usize| sum(at) / count as f64;
    let mut largest: Vec<usize> = (0..width).collect();
    sort_by(&mut largest, |a, b| mean(*b).abs().total_cmp(&mean(*a).abs()));
    largest.truncate(most_outputs.max(1));
    largest.sort_unstable();
    let name = |at: usize| outputs.get(at).cloned().unwrap_or_else(|| at.to_string());

    let values: [(&str, &dyn std::fmt::Display); 2] = [("count", &votes.len()), ("shown", &(shown + 1))];
    let mut blocks = vec![Block::Heading(2, catalog.get("ensemble_mean").to_owned())];
    blocks.push(Block::Text(catalog.say("ensemble_mean_text", &values)));
    if let Some(temperature) = temperature {
        blocks
            .push(Block::Text(catalog.say("ensemble_calibrated", &[("temperature", &number(temperature))])));
    }
    let has_times = votes.iter().any(|vote| vote.times > 1);
    let mut columns = vec![catalog.get("ensemble_network").to_owned()];
    columns.extend(has_times.then(|| catalog.get("ensemble_times").to_owned()));
    columns.extend(largest.iter().map(|&at| name(at)));
    let rows = votes.iter().enumerate().map(|(place, vote)| {
        let mut row = vec![(place + 1).to_string()];
        row.extend(has_times.then(|| vote.times.to_string()));
        row.extend(largest.iter().map(|&at| number(vote.numbers[at])));
        row
    });
    blocks.push(Block::Table { columns, rows: rows.collect() });
    if width > largest.len() {
        let values: [(&str, &dyn std::fmt::Display); 2] = [("shown", &largest.len()), ("units", &width)];
        blocks.push(Block::Text(catalog.say("left_out", &values)));
    }
    for at in largest {
        if width > 1 {
            blocks.push(Block::Text(catalog.say("ensemble_output", &[("output", &name(at))])));
        }
        let written = |x: f64| Written::number(x, digits);
        let terms = votes.iter().map(|vote| match vote.times {
            1 => written(vote.numbers[at]),
            times => Written::product([written(times as f64), written(vote.numbers[at])]),
        });
        let over = |top: Written| top.quotient(written(count as f64));
        blocks.push(equation([
            Written::name("mean", r"\mathrm{mean}"),
            over(Written::sum(terms).enclosed()),
            over(written(sum(at))),
            written(mean(at)),
        ]));
    }
    Document::new(catalog.language, blocks)
}
