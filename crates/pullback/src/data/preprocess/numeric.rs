//! A column of numbers as one input, and if that is asked for, as more that are linear between its quantiles.

use super::cells::numbers_of;
use super::identifier::identifies;
use super::normal::Quantiles;
use crate::data::{DataOptions, Imputation, Scaling, Table, Values};
use crate::error::{Error, Place, Result};
use serde::{Deserialize, Serialize};

/// A first input `z = (x - center) / spread`, or `z / sqrt(1 + (z / clip)^2)` where it is clipped smoothly, or the
/// normal number of the same rank where there are quantiles; one for each piece between edges; and one that tells
/// whether the number is missing. The two latter where they are asked for. All figures are finite, spread and clip are positive, and edges ascend.
///
/// The input of a piece between edges `a` and `b` is the part of it that lies below the number,
/// `(x - a) / (b - a)` between 0 and 1; the first piece goes on below to -1, the last one above to 2 (Gorishniy et al.,
/// "On Embeddings for Numerical Features in Tabular Deep Learning", 2022, piecewise linear encoding).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Figures", into = "Figures")]
pub struct Numeric {
    figures: Figures,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Figures {
    center: f64,
    spread: f64,
    fill: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clip: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quantiles: Option<Quantiles>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edges: Vec<f64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tells_missing: bool,
}

/// A number of so many standard deviations is so far from the others that [`Scaling::Adaptive`] clips it.
const FAR: f64 = 5.0;
/// How far from the center a number comes under [`Scaling::Robust`], in quartile ranges: RealMLP's choice (Holzmueller
/// et al., "Better by Default", 2024).
const ROBUST_CLIP: f64 = 3.0;

impl TryFrom<Figures> for Numeric {
    type Error = Error;
    fn try_from(figures: Figures) -> Result<Self> {
        let Figures { center, spread, fill, clip, quantiles, edges, tells_missing } = figures;
        let mut numeric = Numeric::new(center, spread, fill)?.with_edges(edges)?;
        if let Some(clip) = clip {
            numeric = numeric.with_clip(clip)?;
        }
        if quantiles.is_some() && (clip.is_some() || [center, spread] != [0.0, 1.0]) {
            return Err(Error::data("a number is scaled by its rank, and otherwise too")
                .help("give quantiles, or center, spread and clip"));
        }
        numeric.figures = Figures { quantiles, tells_missing, ..numeric.figures };
        Ok(numeric)
    }
}

impl From<Numeric> for Figures {
    fn from(numeric: Numeric) -> Self {
        numeric.figures
    }
}

impl Numeric {
    /// The encoding of these figures.
    ///
    /// # Errors
    /// If one is not finite, or the spread is not positive.
    pub fn new(center: f64, spread: f64, fill: f64) -> Result<Self> {
        if !(center.is_finite() && spread.is_finite() && spread > 0.0 && fill.is_finite()) {
            return Err(Error::data(format!(
                "numbers cannot be scaled by a center of {center} and a spread of {spread}, with {fill} for \
                 missing ones"
            ))
            .help("give finite figures and a positive spread"));
        }
        let (clip, quantiles, edges) = (None, None, Vec::new());
        Ok(Self { figures: Figures { center, spread, fill, clip, quantiles, edges, tells_missing: false } })
    }

    /// The same, whose first input approaches -clip and clip.
    ///
    /// # Errors
    /// If the clip is not a positive number.
    pub fn with_clip(mut self, clip: f64) -> Result<Self> {
        if !(clip.is_finite() && clip > 0.0) {
            return Err(Error::data(format!("numbers cannot be clipped to {clip}"))
                .help("give a finite and positive figure"));
        }
        self.figures.clip = Some(clip);
        Ok(self)
    }

    /// The same with an input for each piece between edges; none for no edges.
    ///
    /// # Errors
    /// If there are one or two edges, which make no pieces or one, too many, or they do not ascend.
    pub fn with_edges(mut self, edges: Vec<f64>) -> Result<Self> {
        let ascend = edges.windows(2).all(|pair| pair[0] < pair[1] && (pair[1] - pair[0]).is_finite());
        let count = edges.is_empty() || (3..=MOST_PIECES + 1).contains(&edges.len());
        if !(ascend && count && edges.iter().all(|edge| edge.is_finite())) {
            return Err(Error::data(
                "the edges of a number's pieces do not ascend, or are too few or too many",
            )
            .help(format!("give 3 to {} finite edges that ascend", MOST_PIECES + 1)));
        }
        self.figures.edges = edges;
        Ok(self)
    }

    /// The same without inputs for pieces.
    pub(super) fn without_pieces(mut self) -> Self {
        self.figures.edges.clear();
        self
    }

    /// Decides by the numbers that stand in the given rows; the inner error says why the column should be left out.
    pub(super) fn fit(
        (table, name, values): (&Table, &str, &Values),
        rows: &[usize],
        options: &DataOptions,
        is_declared: bool,
    ) -> Result<std::result::Result<Self, String>> {
        let numbers = numbers_of(table, name, values)?;
        let is_first = table.columns().first().is_some_and(|first| first.name == *name);
        // Of a table without names, the first column's says nothing.
        let is_named = table.names().enumerate().any(|(at, name)| *name != format!("c{}", at + 1));
        let said = if is_named { name } else { "" };
        if !is_declared && let Some(why) = identifies(said, &numbers, is_first) {
            return Ok(Err(format!("{why}; `--type '{name}=numeric'` keeps it")));
        }
        let mut present: Vec<f64> =
            rows.iter().map(|&row| numbers[row]).filter(|number| !number.is_nan()).collect();
        if present.is_empty() {
            return Ok(Err("no row that is trained on has a value".into()));
        }
        let count = present.len() as f64;
        let mean = sum(present.iter().copied()) / count;
        let (low, high) = (present.iter())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &number| {
                (low.min(number), high.max(number))
            });
        let deviation =
            || (sum(present.iter().map(|number| (number - mean) * (number - mean))) / count).sqrt();
        let scaling = match options.scaling {
            Scaling::Adaptive if (high - mean).max(mean - low) > FAR * deviation() => Scaling::Robust,
            Scaling::Adaptive => Scaling::Standardize,
            scaling => scaling,
        };
        let (center, spread) = match scaling {
            Scaling::None => (0.0, 1.0),
            Scaling::Quantile if low < high => (0.0, 1.0),
            // Exactly, where rounding of the mean would leave a constant column some spread.
            _ if low == high => (low, 1.0),
            Scaling::MinMax => (low, high - low),
            Scaling::Standardize | Scaling::Adaptive | Scaling::Quantile => (mean, deviation()),
            Scaling::Robust => {
                let range = quantile(&mut present, 0.75) - quantile(&mut present, 0.25);
                (median(&mut present), if range > 0.0 { range } else { (high - low) / 2.0 })
            }
        };
        // Last, as both move the numbers.
        let fill = match options.imputation {
            Imputation::Mean => mean,
            Imputation::Median => median(&mut present),
            Imputation::MostFrequent => most_frequent(&mut present),
        };
        let tells_missing = options.missing_indicators && present.len() < rows.len();
        let scaled = Numeric::new(center, spread, fill).and_then(|mut numeric| {
            numeric.figures.tells_missing = tells_missing;
            match scaling {
                Scaling::Robust => numeric.with_clip(ROBUST_CLIP),
                Scaling::Quantile if low < high => {
                    numeric.figures.quantiles = Some(Quantiles::of(&mut present)?);
                    Ok(numeric)
                }
                _ => Ok(numeric),
            }
        });
        scaled.map(Ok).map_err(|_| {
            Error::data("the numbers are too far apart to be scaled")
                .at(Place::source(table.source()).column(name))
                .help("leave the column out, or take the logarithm")
        })
    }

    /// What becomes 0: the mean, the smallest value, or 0.
    pub fn center(&self) -> f64 {
        self.figures.center
    }

    /// What becomes 1 above the center: the standard deviation, the range, or 1. A column without spread has 1 here,
    /// so that it becomes 0.
    pub fn spread(&self) -> f64 {
        self.figures.spread
    }

    /// What stands in for a missing cell, before scaling.
    pub fn fill(&self) -> f64 {
        self.figures.fill
    }

    /// How far the first input goes in both directions, if it is clipped.
    pub fn clip(&self) -> Option<f64> {
        self.figures.clip
    }

    /// How many quantiles tell a number's rank, which becomes a normal number; [`None`] where numbers are scaled.
    pub fn quantiles(&self) -> Option<usize> {
        self.figures.quantiles.as_ref().map(Quantiles::count)
    }

    /// Whether an input tells that the number is missing.
    pub fn tells_missing(&self) -> bool {
        self.figures.tells_missing
    }

    /// Where the pieces begin and end; empty if the number is one input.
    pub fn edges(&self) -> &[f64] {
        &self.figures.edges
    }

    /// The number of inputs.
    pub fn width(&self) -> usize {
        1 + self.pieces() + usize::from(self.figures.tells_missing)
    }

    /// The number of inputs for pieces.
    pub fn pieces(&self) -> usize {
        // Two edges make a piece; no edges, none.
        self.figures.edges.len().saturating_sub(1)
    }

    /// The names of the inputs: the column's, and what each piece is between.
    pub(super) fn input_names(&self, name: &str) -> Vec<String> {
        let pieces = self.edges().windows(2).map(|edges| format!("{name} from {} to {}", edges[0], edges[1]));
        let missing = self.figures.tells_missing.then(|| format!("{name} is missing"));
        std::iter::once(name.to_owned()).chain(pieces).chain(missing).collect()
    }

    /// The same with pieces between quantiles of the numbers that stand in the given rows, as many as differ.
    pub(super) fn with_pieces(
        self,
        (table, name, values): (&Table, &str, &Values),
        rows: &[usize],
        pieces: usize,
    ) -> Result<Self> {
        let numbers = numbers_of(table, name, values)?;
        let filled = |row: &usize| if numbers[*row].is_nan() { self.fill() } else { numbers[*row] };
        let stride = rows.len().div_ceil(MOST_ROWS_OF_QUANTILES);
        let mut present: Vec<f64> = rows.iter().step_by(stride).map(filled).collect();
        let mut edges: Vec<f64> =
            (0..=pieces).map(|at| quantile(&mut present, at as f64 / pieces as f64)).collect();
        edges.dedup();
        match edges.len() {
            0..=2 => Ok(self),
            // Numbers so far apart that their differences are none have no pieces.
            _ => Ok(self.clone().with_edges(edges).unwrap_or(self)),
        }
    }

    /// Calls `write(input, number)` for each input of a number; NaN is a missing one.
    pub(super) fn write(&self, number: f64, write: &mut impl FnMut(usize, f64)) {
        let Figures { center, spread, fill, clip, quantiles, edges, tells_missing } = &self.figures;
        if *tells_missing {
            write(1 + self.pieces(), f64::from(u8::from(number.is_nan())));
        }
        let number = if number.is_nan() { *fill } else { number };
        let scaled = (number - center) / spread;
        write(
            0,
            match clip {
                _ if let Some(quantiles) = quantiles => quantiles.normal(number),
                // Beyond that the root rounds to the part itself.
                Some(clip) if (scaled / clip).abs() > 1e9 => clip.copysign(scaled),
                Some(clip) => scaled / (1.0 + (scaled / clip) * (scaled / clip)).sqrt(),
                None => scaled,
            },
        );
        let last = edges.len().saturating_sub(2);
        for (at, edges) in edges.windows(2).enumerate() {
            let part = (number - edges[0]) / (edges[1] - edges[0]);
            let (low, high) = (if at == 0 { -1.0 } else { 0.0 }, if at == last { 2.0 } else { 1.0 });
            write(1 + at, part.clamp(low, high));
        }
    }
}

/// So many rows, evenly spread, tell where quantiles are.
const MOST_ROWS_OF_QUANTILES: usize = 100_000;
/// The most inputs that a number becomes beside its first.
pub const MOST_PIECES: usize = 256;

/// The number below which a part of them lies, linear between neighbors, as NumPy's default. It moves the numbers.
fn quantile(numbers: &mut [f64], part: f64) -> f64 {
    let place = part * (numbers.len() - 1) as f64;
    let (_, low, above) = numbers.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    if place.fract() == 0.0 { *low } else { *low + (high - *low) * place.fract() }
}

/// So many numbers are added one after the other, then the sums of such blocks: rounding errors grow with the block
/// and the number of blocks, not with the number of rows.
const BLOCK: usize = 1024;

/// The sum of numbers in their order, by blocks.
fn sum(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut whole, mut block, mut left) = (0.0, 0.0, BLOCK);
    for number in numbers {
        block += number;
        left -= 1;
        if left == 0 {
            whole += block;
            (block, left) = (0.0, BLOCK);
        }
    }
    whole + block
}

/// The middle of numbers: of an even count, half way between the middle two. It moves them.
fn median(numbers: &mut [f64]) -> f64 {
    let middle = numbers.len() / 2;
    let is_even = numbers.len().is_multiple_of(2);
    let (below, high, _) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
    match is_even {
        true => {
            let low = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            low + (*high - low) / 2.0
        }
        false => *high,
    }
}

/// The most frequent of numbers; of equally frequent ones the smallest. It sorts them.
fn most_frequent(numbers: &mut [f64]) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let runs = numbers.chunk_by(|left, right| left == right);
    let longest = runs.rev().max_by_key(|run| run.len()).expect("called with at least one number");
    longest[0]
}
