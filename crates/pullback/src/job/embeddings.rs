//! Which categories are given a trained row of numbers for each level, and how many numbers.
//!
//! It is no default: on the three tables on which it was tried, with categories of 28 to 3,566 levels, models with it were
//! not better.

use super::configuration;
use crate::data::{Encoding, Preprocessing};
use crate::error::{Error, Result};
use crate::network::layers::{EmbeddedLevels, LevelEmbedding};
use pullback_kernels::Real;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Categories of so few levels keep an input for each: a row of numbers would hardly be shorter.
const MOST_LEVELS_AS_INPUTS: usize = 9;
/// The rows are no longer than that.
const MOST_NUMBERS: usize = 50;
/// More numbers than that cannot be meant.
const MOST_GIVEN: usize = 10_000;

/// How many numbers each level of a wide category becomes: `none`, `auto` or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embeddings {
    /// An input for each level.
    None,
    /// By the number of levels: `1.6 levels^0.56`, at most 50 (fastai's rule).
    Auto,
    /// So many.
    Of(usize),
}

impl Embeddings {
    /// The numbers for a category of so many levels, if it is embedded: rows must be shorter than the levels are many.
    fn width(self, levels: usize) -> Option<usize> {
        let width = match self {
            Self::None => return None,
            Self::Auto => ((1.6 * Real::powf(levels as f64, 0.56)).round() as usize).min(MOST_NUMBERS),
            Self::Of(width) => width,
        };
        (levels > width.max(MOST_LEVELS_AS_INPUTS)).then_some(width)
    }

    /// The first layer for data that are so preprocessed; absent if no category has many levels.
    pub(super) fn layer(self, preprocessing: &Preprocessing) -> Option<LevelEmbedding> {
        let mut categories = Vec::new();
        let mut first = 0;
        for feature in preprocessing.features() {
            let levels = feature.width();
            if let (Encoding::Categorical(_), Some(width)) = (&feature.encoding, self.width(levels)) {
                categories.push(EmbeddedLevels { first, levels, width });
            }
            first += levels;
        }
        (!categories.is_empty()).then(|| LevelEmbedding::new(categories))
    }
}

impl FromStr for Embeddings {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Self::None),
            "auto" => Ok(Self::Auto),
            _ => match text.trim().parse() {
                Ok(0) => Ok(Self::None),
                Ok(width @ 1..=MOST_GIVEN) => Ok(Self::Of(width)),
                _ => Err(configuration(
                    format!("`{text}` does not say how many numbers a level becomes"),
                    format!(
                        "write a number of at most {MOST_GIVEN}, for example `--embeddings 8`, or `auto` or `none`"
                    ),
                )),
            },
        }
    }
}

impl fmt::Display for Embeddings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Auto => f.write_str("auto"),
            Self::Of(width) => width.fmt(f),
        }
    }
}

impl Serialize for Embeddings {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Embeddings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number, \"auto\" or \"none\"")]
        enum Form {
            Text(String),
            Width(usize),
        }
        let text = match Form::deserialize(from)? {
            Form::Text(text) => text,
            Form::Width(width) => width.to_string(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_long_as_the_rule_says_and_shorter_than_levels_are_many() {
        for (levels, width) in
            [(9, None), (10, Some(6)), (100, Some(21)), (1000, Some(50)), (100_000, Some(50))]
        {
            assert_eq!(Embeddings::Auto.width(levels), width, "{levels} levels");
        }
        for (levels, width) in [(9, None), (16, None), (17, Some(16)), (1000, Some(16))] {
            assert_eq!(Embeddings::Of(16).width(levels), width, "{levels} levels");
        }
        assert_eq!(Embeddings::None.width(1000), None);
    }

    #[test]
    fn what_is_written_is_read_again() -> Result<()> {
        for text in ["none", "auto", "8"] {
            assert_eq!(text.parse::<Embeddings>()?.to_string(), text);
        }
        for text in ["", "-1", "many", "1e9", "100000"] {
            assert!(text.parse::<Embeddings>().is_err(), "{text}");
        }
        Ok(())
    }
}
