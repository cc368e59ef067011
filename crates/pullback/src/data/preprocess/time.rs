//! A column of dates as some inputs for each of their parts.

use crate::data::time::{Parts, parts};
use crate::data::{Part, Table, Times, Values};
use crate::error::{Error, Place, Result};
use serde::{Deserialize, Serialize};
use std::mem::discriminant;

/// Some inputs for each part of a date that differs between the rows; 0 in all for a missing cell. There is at least
/// one part, all are different, their figures are finite, and spreads positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Dates", into = "Dates")]
pub struct Time {
    dates: Dates,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dates {
    parts: Vec<TimePart>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_day_first: Option<bool>,
}

impl TryFrom<Dates> for Time {
    type Error = Error;
    fn try_from(Dates { parts, is_day_first }: Dates) -> Result<Self> {
        Time::new(parts, is_day_first)
    }
}

impl From<Time> for Dates {
    fn from(time: Time) -> Self {
        time.dates
    }
}

impl Time {
    /// The encoding of these parts; `is_day_first` says whether the day stands before the month in dates of numbers,
    /// if there are such.
    ///
    /// # Errors
    /// If there is no part, one is there twice, a figure is not finite, or a spread is not positive.
    pub fn new(parts: Vec<TimePart>, is_day_first: Option<bool>) -> Result<Self> {
        if parts.is_empty() {
            return Err(Error::data("there are no parts of the date").help("give at least one"));
        }
        for (at, part) in parts.iter().enumerate() {
            if parts[..at].iter().any(|other| discriminant(other) == discriminant(part)) {
                return Err(Error::data(format!("the part {} of the date is listed twice", part.name()))
                    .help("leave out one"));
            }
            if let TimePart::Trend { center, spread } | TimePart::Year { center, spread } = part
                && !(center.is_finite() && spread.is_finite() && *spread > 0.0)
            {
                return Err(Error::data(format!(
                    "dates cannot be scaled by a center of {center} and a spread of {spread}"
                ))
                .help("give a finite center and a positive spread"));
            }
        }
        Ok(Self { dates: Dates { parts, is_day_first } })
    }

    /// Decides by the dates that stand in the given rows; the inner error says why the column should be left out.
    pub(super) fn fit(times: &Times, rows: &[usize]) -> Result<std::result::Result<Self, String>> {
        let present: Vec<f64> =
            rows.iter().map(|&row| times.seconds[row]).filter(|seconds| !seconds.is_nan()).collect();
        match TimePart::fit(&present) {
            parts if parts.is_empty() => Ok(Err("all rows that are trained on have the same date".into())),
            parts => Time::new(parts, times.is_day_first).map(Ok),
        }
    }

    /// The parts, in the order of the inputs.
    pub fn parts(&self) -> &[TimePart] {
        &self.dates.parts
    }

    /// Whether the day stood before the month in the dates that it was fitted to, if they told it.
    pub fn is_day_first(&self) -> Option<bool> {
        self.dates.is_day_first
    }

    /// The number of inputs.
    pub(super) fn width(&self) -> usize {
        self.parts().iter().map(|part| part.width()).sum()
    }

    /// The names of the inputs of a column.
    pub(super) fn input_names(&self, column: &str) -> Vec<String> {
        self.parts().iter().flat_map(|part| part.names(column)).collect()
    }

    /// Calls `write(row, input, number)` for what is not zero of each row.
    pub(super) fn write(
        &self,
        (table, name, values): (&Table, &str, &Values),
        write: &mut impl FnMut(usize, usize, f64),
    ) -> Result<()> {
        let Values::Times(times) = values else {
            return Err(Error::data("no dates, as the model was trained on")
                .at(Place::source(table.source()).column(name))
                .help("give dates, written as in the data that it was trained on"));
        };
        for (row, &seconds) in times.seconds.iter().enumerate().filter(|(_, seconds)| !seconds.is_nan()) {
            let mut first = 0;
            for part in self.parts() {
                let (at, value) = part.value(seconds);
                write(row, first + at, value);
                first += part.width();
            }
        }
        Ok(())
    }
}

/// What a network is given of a date.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case", deny_unknown_fields)]
pub enum TimePart {
    /// One input: `(seconds since 1970 - center) / spread`, so that what grows or falls can be learnt.
    Trend {
        /// The mean.
        center: f64,
        /// The standard deviation.
        spread: f64,
    },
    /// One input: `(year - center) / spread`.
    Year {
        /// The mean.
        center: f64,
        /// The standard deviation.
        spread: f64,
    },
    /// Twelve inputs: 1 for the month, 0 for the others.
    Month,
    /// Seven inputs, from Monday on.
    Weekday,
    /// Twenty-four inputs: 1 for the hour of the day.
    Hour,
}

impl TimePart {
    /// The parts that differ between some times.
    fn fit(present: &[f64]) -> Vec<Self> {
        let parts: Vec<Parts> = present.iter().map(|&seconds| parts(seconds)).collect();
        let differs = |of: fn(&Parts) -> i64| parts.windows(2).any(|pair| of(&pair[0]) != of(&pair[1]));
        let figures = |numbers: Vec<f64>| {
            let count = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / count;
            let squares = numbers.iter().map(|number| (number - mean) * (number - mean));
            (mean, (squares.sum::<f64>() / count).sqrt())
        };
        let mut found = Vec::new();
        if present.windows(2).any(|pair| pair[0] != pair[1]) {
            let (center, spread) = figures(present.to_vec());
            found.push(Self::Trend { center, spread });
        }
        if differs(|parts| parts.year) {
            let (center, spread) = figures(parts.iter().map(|parts| parts.year as f64).collect());
            found.push(Self::Year { center, spread });
        }
        let others = [
            (differs(|parts| parts.month as i64), Self::Month),
            (differs(|parts| parts.weekday as i64), Self::Weekday),
            (differs(|parts| parts.hour as i64), Self::Hour),
        ];
        found.extend(others.into_iter().filter(|(differs, _)| *differs).map(|(_, part)| part));
        found
    }

    /// Its name, for people.
    fn name(self) -> &'static str {
        match self {
            Self::Trend { .. } => "trend",
            Self::Year { .. } => "year",
            Self::Month => "month",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Trend { .. } | Self::Year { .. } => 1,
            Self::Month => 12,
            Self::Weekday => 7,
            Self::Hour => 24,
        }
    }

    /// What its inputs are made of.
    pub(super) fn part(self) -> Part {
        match self {
            Self::Trend { .. } | Self::Year { .. } => Part::Number,
            Self::Month | Self::Weekday | Self::Hour => Part::Levels(self.width() as u32),
        }
    }

    fn names(self, column: &str) -> Vec<String> {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        match self {
            Self::Trend { .. } => vec![format!("{column}: trend")],
            Self::Year { .. } => vec![format!("{column}: year")],
            Self::Month => (1..=12).map(|month| format!("{column}: month={month}")).collect(),
            Self::Weekday => DAYS.iter().map(|day| format!("{column}: weekday={day}")).collect(),
            Self::Hour => (0..24).map(|hour| format!("{column}: hour={hour}")).collect(),
        }
    }

    /// Which of its inputs is not zero, and what it is.
    fn value(self, seconds: f64) -> (usize, f64) {
        let parts = parts(seconds);
        match self {
            Self::Trend { center, spread } => (0, (seconds - center) / spread),
            Self::Year { center, spread } => (0, (parts.year as f64 - center) / spread),
            Self::Month => (parts.month, 1.0),
            Self::Weekday => (parts.weekday, 1.0),
            Self::Hour => (parts.hour, 1.0),
        }
    }
}
