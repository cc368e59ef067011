//! The list of data sets that come with the library: real ones, embedded, and generated ones.

mod plane;

pub use plane::{PLANE, plane};

use super::{Categories, Column, Table, Values};
use crate::error::{Error, Result};
use crate::random::{Purpose, Random, cosine_of_turns};
use flate2::read::GzDecoder;
use std::io::Read;

/// A data set that comes with the library.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in one line.
    pub description: &'static str,
    /// The column that it is known to predict.
    pub target: &'static str,
    /// What is predicted: `classes`, `binary` or `regression`.
    pub task: &'static str,
    /// The number of rows.
    pub rows: usize,
    /// The number of columns, the target left aside.
    pub features: usize,
    /// Where it comes from.
    pub source: &'static str,
    /// Under which licence.
    pub license: &'static str,
    content: Content,
}

#[derive(Debug, Clone, Copy)]
enum Content {
    /// A CSV file with a header, compressed by gzip.
    Embedded(&'static [u8]),
    /// Made from random numbers.
    Generated(fn(&Random) -> Vec<Column>),
}

const UCI: &str = "CC BY 4.0";
const OURS: &str = "MIT OR Apache-2.0";

/// All data sets that come with the library.
pub const ALL: &[Builtin] = &[
    Builtin {
        name: "digits",
        description: "handwritten digits, images of 8x8 pixels",
        target: "digit",
        task: "classes",
        rows: 1797,
        features: 64,
        source: "UCI, Alpaydin and Kaynak, 1998",
        license: UCI,
        content: Content::Embedded(include_bytes!("digits.csv.gz")),
    },
    Builtin {
        name: "iris",
        description: "three species of iris by the size of their petals and sepals",
        target: "species",
        task: "classes",
        rows: 150,
        features: 4,
        source: "UCI, Fisher, 1936",
        license: UCI,
        content: Content::Embedded(include_bytes!("iris.csv.gz")),
    },
    Builtin {
        name: "wine",
        description: "three cultivars of wine by chemical analysis",
        target: "cultivar",
        task: "classes",
        rows: 178,
        features: 13,
        source: "UCI, Aeberhard and Forina, 1992",
        license: UCI,
        content: Content::Embedded(include_bytes!("wine.csv.gz")),
    },
    Builtin {
        name: "breast_cancer",
        description: "benign and malignant tumors by the shape of cell nuclei",
        target: "diagnosis",
        task: "binary",
        rows: 569,
        features: 30,
        source: "UCI, Wolberg and others, 1993",
        license: UCI,
        content: Content::Embedded(include_bytes!("breast_cancer.csv.gz")),
    },
    Builtin {
        name: "xor",
        description: "exclusive or: the four rows that one layer cannot learn",
        target: "xor",
        task: "binary",
        rows: 4,
        features: 2,
        source: "generated",
        license: OURS,
        content: Content::Generated(xor),
    },
    Builtin {
        name: "circles",
        description: "a ring of points around another",
        target: "ring",
        task: "binary",
        rows: 500,
        features: 2,
        source: "generated",
        license: OURS,
        content: Content::Generated(|random| plane::circles(random, 500, 1.0)),
    },
    Builtin {
        name: "moons",
        description: "two half circles that reach into each other",
        target: "moon",
        task: "binary",
        rows: 500,
        features: 2,
        source: "generated",
        license: OURS,
        content: Content::Generated(|random| plane::moons(random, 500, 1.0)),
    },
    Builtin {
        name: "spiral",
        description: "two spirals around each other, one and three quarter turns",
        target: "arm",
        task: "binary",
        rows: 1000,
        features: 2,
        source: "generated",
        license: OURS,
        content: Content::Generated(|random| plane::spiral(random, 1000, 1.0)),
    },
    Builtin {
        name: "blobs",
        description: "four clouds of points",
        target: "blob",
        task: "classes",
        rows: 400,
        features: 2,
        source: "generated",
        license: OURS,
        content: Content::Generated(|random| plane::blobs(random, 400, 1.0)),
    },
    Builtin {
        name: "friedman",
        description: "a smooth function of five of ten numbers, with noise",
        target: "y",
        task: "regression",
        rows: 1000,
        features: 10,
        source: "generated (Friedman, 1991, equation 61)",
        license: OURS,
        content: Content::Generated(friedman),
    },
];

/// The data set of that name, if there is one.
pub fn find(name: &str) -> Option<&'static Builtin> {
    ALL.iter().find(|set| set.name == name)
}

/// The data set of that name; a generated one is drawn from `seed`.
///
/// # Errors
/// If there is none; the message offers the nearest name.
pub fn load(name: &str, seed: u64) -> Result<Table> {
    match find(name) {
        Some(set) => set.load(seed),
        None => Err(Error::data(format!("there is no built-in data set `{name}`"))
            .unknown(name, ALL.iter().map(|set| set.name))),
    }
}

impl Builtin {
    /// Whether each seed gives other rows.
    pub fn is_generated(&self) -> bool {
        matches!(self.content, Content::Generated(_))
    }

    /// The table; a generated one is drawn from `seed`.
    ///
    /// # Errors
    /// None in a build whose embedded files are whole; a test loads them all.
    pub fn load(&self, seed: u64) -> Result<Table> {
        let columns = match self.content {
            Content::Embedded(compressed) => columns(compressed)?,
            Content::Generated(make) => make(&Random::new(seed, Purpose::Data, 0)),
        };
        Table::new(self.name, columns)?.with_target(self.target)
    }
}

/// The columns of an embedded file: no quotes, no missing cells; texts where a cell is no number.
fn columns(compressed: &[u8]) -> Result<Vec<Column>> {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).map_err(|error| {
        Error::data(format!("an embedded data set cannot be read: {error}")).caused_by(error)
    })?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let column = |at: usize| rows.iter().map(move |row| row[at]);
    Ok((names.iter().enumerate())
        .map(|(at, name)| {
            let numbers: Option<Vec<f64>> = column(at).map(|cell| cell.parse().ok()).collect();
            let values = match numbers {
                Some(numbers) => Values::Numbers(numbers),
                None => Values::Categories(Categories::from_texts(column(at).map(Some))),
            };
            Column::new(*name, values)
        })
        .collect())
}

/// Cosine and sine of an angle in turns.
fn direction(turns: f64) -> (f64, f64) {
    let fraction = |turns: f64| turns - turns.floor();
    (cosine_of_turns(fraction(turns)), cosine_of_turns(fraction(turns - 0.25)))
}

fn xor(_random: &Random) -> Vec<Column> {
    let numbers = |values: [f64; 4]| Values::Numbers(values.to_vec());
    vec![
        Column::new("a", numbers([0.0, 0.0, 1.0, 1.0])),
        Column::new("b", numbers([0.0, 1.0, 0.0, 1.0])),
        Column::new("xor", numbers([0.0, 1.0, 1.0, 0.0])),
    ]
}

/// `10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5 + noise`; x6 to x10 say nothing.
fn friedman(random: &Random) -> Vec<Column> {
    let x = |column: u64, row: u64| random.uniform(10 * row + column);
    let y = |row: u64| {
        let (_, sine) = direction(x(0, row) * x(1, row) / 2.0);
        let bent = x(2, row) - 0.5;
        10.0 * sine + 20.0 * bent * bent + 10.0 * x(3, row) + 5.0 * x(4, row) + random.normal(1_000_000 + row)
    };
    let rows = 0..1000u64;
    let mut columns: Vec<Column> = (0..10)
        .map(|column| {
            let numbers = rows.clone().map(|row| x(column, row)).collect();
            Column::new(format!("x{}", column + 1), Values::Numbers(numbers))
        })
        .collect();
    columns.push(Column::new("y", Values::Numbers(rows.map(y).collect())));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_is_what_its_entry_says() {
        for set in ALL {
            let table = set.load(0).unwrap();
            assert_eq!(table.rows(), set.rows, "{}", set.name);
            assert_eq!(table.columns().len(), set.features + 1, "{}", set.name);
            let options = crate::data::DataOptions::default();
            let rows: Vec<usize> = (0..table.rows()).collect();
            let preprocessing = crate::data::Preprocessing::fit(&table, &rows, &options).unwrap();
            let task = format!("{:?}", preprocessing.target().target().task()).to_lowercase();
            assert_eq!(task, set.task, "{}", set.name);
            assert_eq!(
                set.is_generated() && set.name != "xor",
                set.load(1).unwrap() != table,
                "{}",
                set.name
            );
        }
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest() {
        let error = load("digit", 0).unwrap_err().one_line();
        assert_eq!(error, "there is no built-in data set `digit`; did you mean `digits`?");
    }
}
