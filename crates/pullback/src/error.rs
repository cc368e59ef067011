//! What can go wrong, one variant for each thing that a caller can act on.
//!
//! A message says what was wrong, where, and what to do.

use std::fmt;

/// The result of an operation of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in this library.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Operands of an operation do not fit each other.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// A table or data set cannot be used as asked.
    #[error("{0}")]
    Data(String),
    /// A network, or the configuration of a training run, contradicts itself.
    #[error("{0}")]
    Configuration(String),
    /// A model file cannot be read or written.
    #[error("{0}")]
    ModelFile(String),
    /// Training had to stop: a cost that is not finite, for example.
    #[error("{0}")]
    Training(String),
}

/// Shapes that do not fit an operation, with the operands and where they came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeError {
    /// The operation's name.
    pub operation: String,
    /// What the operation needs.
    pub rule: String,
    /// Each operand: its shape, and the name or formula of the node that it came from.
    pub operands: Vec<(Vec<usize>, String)>,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not fit its operands: {}", self.operation, self.rule)?;
        for (position, (shape, source)) in self.operands.iter().enumerate() {
            let join = if position == 0 { "; given " } else { " and " };
            write!(f, "{join}{shape:?}")?;
            if !source.is_empty() {
                write!(f, " from {source}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ShapeError {}

/// The name in `known` that is nearest to `given`, if one is near enough to be what was meant.
///
/// Near is a Damerau-Levenshtein distance (one insertion, deletion, replacement or swap of
/// neighbors counts one) of at most a third of the longer name, letter case left aside.
pub fn nearest_name<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given: Vec<char> = given.to_lowercase().chars().collect();
    known
        .into_iter()
        .map(|name| {
            let letters: Vec<char> = name.to_lowercase().chars().collect();
            (edit_distance(&given, &letters), letters.len().max(given.len()), name)
        })
        .filter(|(distance, length, _)| *distance <= (length / 3).max(1))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., name)| name)
}

fn edit_distance(left: &[char], right: &[char]) -> usize {
    let width = right.len() + 1;
    let mut table = vec![0; (left.len() + 1) * width];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = table[(i - 1) * width + j - 1] + usize::from(left[i - 1] != right[j - 1]);
                let mut best = replaced.min(table[(i - 1) * width + j] + 1).min(table[i * width + j - 1] + 1);
                if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                    best = best.min(table[(i - 2) * width + j - 2] + 1);
                }
                best
            };
        }
    }
    table[left.len() * width + right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        let names = ["species", "sepal_length", "petal_width"];
        assert_eq!(nearest_name("specise", names), Some("species"));
        assert_eq!(nearest_name("Species", names), Some("species"));
        assert_eq!(nearest_name("color", names), None);
    }

    #[test]
    fn a_shape_error_names_both_operands_and_their_sources() {
        let error = ShapeError {
            operation: "matrix product".into(),
            rule: "columns of the left must equal rows of the right".into(),
            operands: vec![(vec![3, 4], "input x".into()), (vec![5, 2], "parameter W".into())],
        };
        assert_eq!(
            error.to_string(),
            "matrix product does not fit its operands: columns of the left must equal rows of the right; \
             given [3, 4] from input x and [5, 2] from parameter W"
        );
    }
}
