//! Which rows of the data a run trained on, watched and tested on: recorded as row numbers, so that nothing chooses
//! them again, and other rows can never be taken for them.

use super::Fingerprint;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What each row of the data was for in a run. What is neither for validation nor for the test was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Partition {
    rows: usize,
    validation: Vec<usize>,
    test: Test,
}

/// What a run was tested on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// Rows of the same data, ascending, that were held out.
    HeldOut(Vec<usize>),
    /// The rows that it was trained on: there were too few to hold some out.
    Training,
    /// Other data.
    Apart(Fingerprint),
}

/// As a model file has it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    count: usize,
    validation: String,
    test: TestDocument,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum TestDocument {
    HeldOut { rows: String },
    Training,
    Apart { data: Fingerprint },
}

impl TryFrom<Document> for Partition {
    type Error = Error;
    fn try_from(Document { count, validation, test }: Document) -> Result<Self> {
        let test = match test {
            TestDocument::HeldOut { rows } => Test::HeldOut(decoded(&rows, count)?),
            TestDocument::Training => Test::Training,
            TestDocument::Apart { data } => Test::Apart(data),
        };
        Self::new(count, decoded(&validation, count)?, test)
    }
}

impl From<Partition> for Document {
    fn from(Partition { rows, validation, test }: Partition) -> Self {
        let test = match test {
            Test::HeldOut(rows) => TestDocument::HeldOut { rows: encoded(&rows) },
            Test::Training => TestDocument::Training,
            Test::Apart(data) => TestDocument::Apart { data },
        };
        Self { count: rows, validation: encoded(&validation), test }
    }
}

impl Partition {
    /// What each of so many rows was for.
    ///
    /// # Errors
    /// If row numbers do not ascend or are out of range, a row is for both validation and test, or none is left to
    /// train on.
    pub fn new(rows: usize, validation: Vec<usize>, test: Test) -> Result<Self> {
        let wrong = |what: &str| Err(Error::data(format!("the rows of a run do not fit each other: {what}")));
        let held_out = match &test {
            Test::HeldOut(held_out) => &held_out[..],
            Test::Training | Test::Apart(_) => &[],
        };
        for set in [&validation[..], held_out] {
            if set.windows(2).any(|pair| pair[0] >= pair[1]) || set.last().is_some_and(|&last| last >= rows) {
                return wrong(&format!("row numbers must ascend and be below {rows}"));
            }
        }
        let watched: BTreeSet<usize> = validation.iter().copied().collect();
        if held_out.iter().any(|row| watched.contains(row)) {
            return wrong("a row is for validation and for the test");
        }
        if validation.len() + held_out.len() >= rows {
            return wrong("none is left to train on");
        }
        Ok(Self { rows, validation, test })
    }

    /// The number of rows of the data.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The rows that training was watched by, ascending.
    pub fn validation(&self) -> &[usize] {
        &self.validation
    }

    /// What was tested on.
    pub fn test(&self) -> &Test {
        &self.test
    }

    /// How many rows were trained on.
    pub fn trained_rows(&self) -> usize {
        let held_out = if let Test::HeldOut(rows) = &self.test { rows.len() } else { 0 };
        self.rows - self.validation.len() - held_out
    }

    /// The rows that were trained on, ascending.
    pub fn training(&self) -> Vec<usize> {
        let held_out = if let Test::HeldOut(rows) = &self.test { &rows[..] } else { &[] };
        let (mut validation, mut held_out) = (self.validation.iter().peekable(), held_out.iter().peekable());
        (0..self.rows)
            .filter(|row| validation.next_if_eq(&row).is_none() && held_out.next_if_eq(&row).is_none())
            .collect()
    }
}

/// The digits of row numbers: five bits each, and a sixth that says that more follow.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const MORE: usize = 32;

/// Ascending row numbers as text: how many rows are left out before each, in base 32, lowest digit first, as in the
/// mappings of JavaScript's source maps (base 64 VLQ). A row held out of five takes little more than one character.
fn encoded(rows: &[usize]) -> String {
    let mut text = String::with_capacity(rows.len());
    let mut next = 0;
    for &row in rows {
        let mut gap = row - next;
        next = row + 1;
        while gap >= MORE {
            text.push(DIGITS[gap % MORE + MORE].into());
            gap /= MORE;
        }
        text.push(DIGITS[gap].into());
    }
    text
}

/// The row numbers of a text, which are below `count`.
fn decoded(text: &str, count: usize) -> Result<Vec<usize>> {
    let wrong = |what: String| Error::data(format!("the row numbers cannot be read: {what}"));
    let mut rows = Vec::new();
    let (mut next, mut gap, mut place) = (0_usize, 0_usize, 1_usize);
    for digit in text.bytes() {
        let value = DIGITS
            .iter()
            .position(|&own| own == digit)
            .ok_or_else(|| wrong(format!("'{}' is no digit", char::from(digit).escape_default())))?;
        let part = (value % MORE).checked_mul(place).and_then(|part| gap.checked_add(part));
        // A last digit of 0 says nothing: each number is written in one way.
        let part = part.filter(|_| place == 1 || value != 0);
        let too_large = || wrong(format!("one is not below {count}"));
        gap = part.ok_or_else(too_large)?;
        if value >= MORE {
            place = place.checked_mul(MORE).ok_or_else(too_large)?;
            continue;
        }
        let row = next.checked_add(gap).filter(|&row| row < count).ok_or_else(too_large)?;
        rows.push(row);
        (next, gap, place) = (row + 1, 0, 1);
    }
    if place != 1 {
        return Err(wrong("the last one is cut off".into()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn row_numbers_survive_as_text_and_are_short() {
        let random = Random::new(1, Purpose::Split, 0);
        for (count, share) in
            [(1, 0.0), (5, 1.0), (150, 0.2), (1_000_000, 0.2), (1_000_000, 0.002), (100_000, 1.0)]
        {
            let rows: Vec<usize> = (0..count).filter(|&row| random.uniform(row as u64) < share).collect();
            let text = encoded(&rows);
            assert_eq!(decoded(&text, count).unwrap(), rows);
            // Counted: 1.0008 characters a row for a fifth, 2.07 expected for one of 500.
            assert!(text.len() <= (rows.len() as f64 * if share < 0.1 { 2.12 } else { 1.01 }) as usize + 1);
        }
        let far = [31, 32, 33, 66, 1100, usize::MAX - 1];
        assert_eq!(decoded(&encoded(&far), usize::MAX).unwrap(), far);
    }

    #[test]
    fn wrong_row_numbers_are_refused() {
        for (text, count) in
            [("?", 9), ("g", 9), ("gA", 9), ("AA", 1), ("J", 9), ("////////////////H", usize::MAX), ("é", 9)]
        {
            assert!(decoded(text, count).is_err(), "{text}");
        }
        let check = |rows: usize, validation: &[usize], test: &[usize]| {
            Partition::new(rows, validation.to_vec(), Test::HeldOut(test.to_vec())).is_err()
        };
        assert!(check(0, &[], &[]) && check(2, &[0], &[1]) && check(3, &[1], &[1]));
        assert!(check(3, &[3], &[]) && check(4, &[2, 1], &[]) && check(4, &[], &[1, 1]));
        let partition = Partition::new(6, vec![1, 4], Test::HeldOut(vec![0, 5])).unwrap();
        assert_eq!((partition.training(), partition.trained_rows()), (vec![2, 3], 2));
        let text = serde_json::to_string(&partition).unwrap();
        assert_eq!(text, r#"{"count":6,"validation":"BC","test":{"kind":"held_out","rows":"AE"}}"#);
        assert_eq!(serde_json::from_str::<Partition>(&text).unwrap(), partition);
    }
}
