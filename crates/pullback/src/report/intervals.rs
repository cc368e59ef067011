//! How sure figures are: for each an interval that, made of many samples of rows as these are, holds the figure of all
//! such rows in about 95 of 100 samples.
//!
//! For a share of rows it is Wilson's score interval (1927), which is right for few rows and for shares of 0 and 1. For
//! other figures rows are drawn with replacement, each time as many as there are, and the interval leaves out 2.5 % of
//! what is found at either end (the percentile bootstrap; Efron, 1979). Where rows belong to groups, whole groups are
//! drawn. Of many rows a random part is drawn from, and the interval made narrower by the root of the part (the m out of
//! n bootstrap; Bickel, Goetze and van Zwet, 1997), so that the work is bounded. The draws are those of one seed: the
//! same predictions have the same intervals.

use super::Figures;
use crate::random::{Purpose, Random};
use crate::train::{For, IntervalBy, Metric, Scored, Truth, most_likely};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::ops::Range;

/// The part of samples whose interval holds the figure of all rows.
const LEVEL: f64 = 0.95;
/// The quantile of the normal distribution at `(1 + LEVEL) / 2`.
const DEVIATIONS: f64 = 1.959_963_984_540_054;
/// The most times that rows are drawn.
const MOST_RESAMPLES: usize = 1000;
/// The most rows that are drawn from.
const MOST_ROWS: usize = 5000;
/// The most rows that are drawn in all.
const MOST_DRAWS: usize = 2_000_000;
/// Of fewer rows or groups, draws are too much alike.
const FEWEST_UNITS: usize = 10;
/// What the values of one figure, summed in several orders, differ by at most.
const ROUNDING: f64 = 1e-12;
/// The most predicted numbers that are copied for a part of the rows.
const MOST_NUMBERS: usize = 1 << 24;

/// The intervals of metrics; as JSON, a map by name of two numbers each, beside the `level`.
///
/// ```
/// use pullback::report::Classification;
/// use pullback::train::Metric;
///
/// let (no, yes) = (vec![0; 10], vec![1; 10]);
/// let names = ["no".to_owned(), "yes".to_owned()];
/// let mut probabilities = vec![0.1; 20];
/// probabilities[10..18].fill(0.9); // 18 of 20 are right
/// let report = Classification::new(&probabilities, 1, &[no, yes].concat(), &names)?;
/// let [low, high] = report.intervals.get(Metric::Accuracy).unwrap();
/// assert!((low - 0.6990).abs() < 1e-4 && (high - 0.9721).abs() < 1e-4);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Intervals(Vec<(Metric, [f64; 2])>);

impl Intervals {
    /// The intervals of some figures; `groups` says which rows belong together. Metrics without one are left out, and
    /// those that no draw changes.
    pub(super) fn new(scored: &Scored<'_>, figures: &Figures, groups: Option<&[u32]>) -> Self {
        let mut intervals = Vec::new();
        // Labels of a row are right or wrong together: only a share of rows is one.
        let is_share = |metric: Metric| {
            let is_of_rows = !scored.has_labels() || metric.item().targets == For::Labels;
            metric.item().interval == IntervalBy::Share && groups.is_none() && is_of_rows
        };
        for (metric, share) in figures.iter().filter(|(metric, _)| is_share(*metric)) {
            intervals.push((metric, wilson(share, effective_rows(scored))));
        }
        let drawn: Vec<(Metric, f64)> = figures
            .iter()
            .filter(|(metric, _)| metric.item().interval != IntervalBy::None && !is_share(*metric))
            .collect();
        intervals.extend(resampled(scored, &drawn, &Units::of(scored.rows(), groups)));
        intervals.sort_by_key(|(metric, _)| Metric::ALL.iter().position(|own| own == metric));
        Self(intervals)
    }

    /// The lower and the upper end of a metric's interval, if it has one.
    pub fn get(&self, metric: Metric) -> Option<[f64; 2]> {
        self.0.iter().find(|(own, _)| *own == metric).map(|(_, ends)| *ends)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Intervals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len() + 1))?;
        map.serialize_entry("level", &LEVEL)?;
        for (metric, ends) in &self.0 {
            map.serialize_entry(metric.name(), ends)?;
        }
        map.end()
    }
}

/// Wilson's score interval of a share of `n` rows.
fn wilson(share: f64, n: f64) -> [f64; 2] {
    let square = DEVIATIONS * DEVIATIONS;
    let center = share + square / (2.0 * n);
    let reach = DEVIATIONS * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    let ends = [center - reach, center + reach].map(|end| (end / (1.0 + square / n)).clamp(0.0, 1.0));
    // Rounding must not keep a share out of its interval.
    [ends[0].min(share), ends[1].max(share)]
}

/// How many rows that count alike are as good as rows with these weights (Kish, 1965).
fn effective_rows(scored: &Scored<'_>) -> f64 {
    let weights = (0..scored.rows()).map(|row| scored.weight(row));
    let (sum, squares) = weights.fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    sum * sum / squares
}

/// What is drawn whole: each row, or the rows of each group.
enum Units {
    Rows(usize),
    Groups(Vec<Vec<usize>>),
}

impl Units {
    fn of(rows: usize, groups: Option<&[u32]>) -> Self {
        let Some(groups) = groups else { return Self::Rows(rows) };
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by_key(|&row| (groups[row], row));
        let units = order.chunk_by(|&one, &other| groups[one] == groups[other]);
        Self::Groups(units.map(<[usize]>::to_vec).collect())
    }

    fn count(&self) -> usize {
        match self {
            Self::Rows(rows) => *rows,
            Self::Groups(groups) => groups.len(),
        }
    }

    /// The rows that are drawn from, at most about `most`, and where among them each unit's stand.
    fn part(&self, most: usize, random: &Random) -> (Vec<usize>, Vec<Range<usize>>) {
        match self {
            Self::Rows(rows) => {
                let rows = random.some_of(*rows, most);
                let places = (0..rows.len()).map(|at| at..at + 1).collect();
                (rows, places)
            }
            Self::Groups(groups) => {
                let mut order: Vec<&Vec<usize>> = groups.iter().collect();
                if groups.iter().map(Vec::len).sum::<usize>() > most {
                    random.shuffle(&mut order);
                }
                let (mut rows, mut places) = (Vec::new(), Vec::new());
                for group in order {
                    if rows.len() + group.len() > most && places.len() >= FEWEST_UNITS {
                        break;
                    }
                    places.push(rows.len()..rows.len() + group.len());
                    rows.extend(group);
                }
                (rows, places)
            }
        }
    }
}

/// The percentile bootstrap.
fn resampled(scored: &Scored<'_>, figures: &[(Metric, f64)], units: &Units) -> Vec<(Metric, [f64; 2])> {
    if units.count() < FEWEST_UNITS || figures.is_empty() {
        return Vec::new();
    }
    let random = |epoch| Random::new(0, Purpose::Resample, epoch);
    let most_rows = MOST_ROWS.min(MOST_NUMBERS / scored.outputs.max(1)).max(FEWEST_UNITS);
    let (rows, places) = units.part(most_rows, &random(0));
    let part = Sampled::of(scored, &rows);
    let own: Vec<f64> = match &part.weights {
        Some(weights) => weights.clone(),
        None => vec![1.0; rows.len()],
    };
    let resamples = (MOST_DRAWS / rows.len()).clamp(MOST_RESAMPLES / 10, MOST_RESAMPLES);
    let mut found: Vec<Vec<f64>> = vec![Vec::with_capacity(resamples); figures.len()];
    let mut weights = vec![0.0; rows.len()];
    for resample in 1..=resamples as u32 {
        weights.fill(0.0);
        let random = random(resample);
        for draw in 0..places.len() {
            let place = places[random.below(draw as u64, places.len())].clone();
            for (weight, own) in weights[place.clone()].iter_mut().zip(&own[place]) {
                *weight += own;
            }
        }
        let drawn = part.scored(scored, &weights);
        for ((metric, _), values) in figures.iter().zip(&mut found) {
            values.extend(metric.value(&drawn).filter(|value| value.is_finite()));
        }
    }
    let whole = part.scored(scored, &own);
    let narrower = (places.len() as f64 / units.count() as f64).sqrt();
    let interval = |(&(metric, figure), mut values): (&(Metric, f64), Vec<f64>)| {
        // Where most draws have none, such as those without a row of a class, the others mislead.
        if values.len() * 2 < resamples {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let of_part = if places.len() == units.count() { figure } else { metric.value(&whole)? };
        let end = |at: f64| figure + (quantile(&values, at) - of_part) * narrower;
        let ends = [end((1.0 - LEVEL) / 2.0), end((1.0 + LEVEL) / 2.0)];
        (ends[1] - ends[0] > ROUNDING * figure.abs()).then_some((metric, ends))
    };
    figures.iter().zip(found).filter_map(interval).collect()
}

/// The rows that are drawn from.
struct Sampled {
    predictions: Vec<f64>,
    ids: Vec<u32>,
    numbers: Vec<f64>,
    yes: Vec<bool>,
    weights: Option<Vec<f64>>,
    decided: Vec<u32>,
}

impl Sampled {
    fn of(scored: &Scored<'_>, rows: &[usize]) -> Self {
        let outputs = scored.outputs;
        fn of_rows<T: Copy>(all: &[T], rows: &[usize], outputs: usize) -> Vec<T> {
            rows.iter().flat_map(|&row| &all[row * outputs..][..outputs]).copied().collect()
        }
        let predictions = of_rows(scored.predictions, rows, outputs);
        let (mut ids, mut numbers, mut yes) = (Vec::new(), Vec::new(), Vec::new());
        match scored.truth {
            Truth::Classes { ids: all, .. } => ids = of_rows(all, rows, 1),
            Truth::Numbers(all) => numbers = of_rows(all, rows, outputs),
            Truth::Labels(all) => yes = of_rows(all, rows, outputs),
        }
        let decided = match scored.truth {
            Truth::Classes { .. } => {
                predictions.chunks_exact(outputs).map(|row| most_likely(row) as u32).collect()
            }
            Truth::Numbers(_) | Truth::Labels(_) => Vec::new(),
        };
        let weights = scored.weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
        Self { predictions, ids, numbers, yes, weights, decided }
    }

    /// The same rows, each as often as a weight says.
    fn scored<'a>(&'a self, whole: &Scored<'a>, weights: &'a [f64]) -> Scored<'a> {
        let (truth, decided) = match whole.truth {
            Truth::Classes { count, .. } => {
                (Truth::Classes { ids: &self.ids, count }, Some(&self.decided[..]))
            }
            Truth::Numbers(_) => (Truth::Numbers(&self.numbers), None),
            Truth::Labels(_) => (Truth::Labels(&self.yes), None),
        };
        let trained_by = whole.trained_by;
        Scored {
            weights: Some(weights),
            trained_by,
            decided,
            ..Scored::new(&self.predictions, whole.outputs, truth)
        }
    }
}

/// The quantile of ascending numbers, linear between two of them.
fn quantile(ascending: &[f64], at: f64) -> f64 {
    let place = at * (ascending.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(ascending.len() - 1);
    ascending[low] + (ascending[high] - ascending[low]) * part
}
