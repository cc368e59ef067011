//! A column that is an input, or several: its name and its encoding, one of a list.
//!
//! To add an encoding: one file with a type that cannot be wrong, one variant here, and the arms that the compiler
//! asks for.

use super::cells::{is_categorical, numbers_of};
use super::{Categorical, Numeric, Pixels, Time, Warning};
use crate::data::{Column, ColumnType, DataOptions, Part, Table, Values};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A column that is an input, or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The column's name.
    pub name: String,
    /// How its values become numbers.
    pub encoding: Encoding,
}

/// How the values of a column become numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Encoding {
    /// An input, scaled, and one for each piece between quantiles if there are any.
    Numeric(Numeric),
    /// One input a category.
    Categorical(Categorical),
    /// Some inputs for each part of a date.
    Time(Time),
    /// One input a byte, all scaled alike.
    Bytes(Pixels),
}

impl Feature {
    /// How a column would be encoded if all rows were trained on; the inner error says why it would be left out.
    ///
    /// # Errors
    /// If the column cannot be what the options declare.
    pub fn of(
        table: &Table,
        column: &Column,
        options: &DataOptions,
    ) -> Result<std::result::Result<Self, String>> {
        let rows: Vec<usize> = (0..table.rows()).collect();
        Self::fit(table, column, &rows, options, options.types.get(&column.name).copied())
    }

    /// Decides how to encode a column; the inner error says why it should be left out.
    pub(super) fn fit(
        table: &Table,
        column: &Column,
        rows: &[usize],
        options: &DataOptions,
        declared: Option<ColumnType>,
    ) -> Result<std::result::Result<Self, String>> {
        let (name, values) = (&column.name, column.values()?);
        let encoding = match &*values {
            Values::Bytes(bytes) if declared.is_none() => {
                Ok(Encoding::Bytes(Pixels::fit(bytes, rows, options.scaling)?))
            }
            Values::Times(times) => Time::fit(times, rows)?.map(Encoding::Time),
            values if is_categorical(values, declared) => {
                Categorical::fit((name, values), rows, options, declared.is_some())?
                    .map(Encoding::Categorical)
            }
            values => {
                Numeric::fit((table, name, values), rows, options, declared.is_some())?.map(Encoding::Numeric)
            }
        };
        Ok(encoding.map(|encoding| Self { name: name.clone(), encoding }))
    }

    /// The number of inputs.
    pub fn width(&self) -> usize {
        match &self.encoding {
            Encoding::Numeric(numeric) => numeric.width(),
            Encoding::Categorical(categorical) => categorical.categories().len(),
            Encoding::Time(time) => time.width(),
            Encoding::Bytes(pixels) => pixels.width(),
        }
    }

    /// What the inputs are made of, in their order.
    pub(super) fn parts(&self) -> Vec<Part> {
        match &self.encoding {
            Encoding::Numeric(numeric) => vec![Part::Number; numeric.width()],
            Encoding::Categorical(categorical) => vec![Part::Levels(categorical.categories().len() as u32)],
            Encoding::Time(time) => time.parts().iter().map(|part| part.part()).collect(),
            Encoding::Bytes(pixels) => vec![Part::Number; pixels.width()],
        }
    }

    /// The names of the inputs.
    pub fn input_names(&self) -> Vec<String> {
        let name = &self.name;
        match &self.encoding {
            Encoding::Numeric(numeric) => numeric.input_names(name),
            Encoding::Categorical(categorical) => {
                categorical.categories().iter().map(|category| format!("{name}={category}")).collect()
            }
            Encoding::Time(time) => time.input_names(name),
            Encoding::Bytes(pixels) => (0..pixels.width()).map(|at| format!("{name}[{at}]")).collect(),
        }
    }

    /// Calls `write(row, input, number)` for what is not zero (for numbers: all) of each row.
    pub(super) fn write(
        &self,
        table: &Table,
        write: &mut impl FnMut(usize, usize, f64),
    ) -> Result<Option<Warning>> {
        let values = &*table.column(&self.name)?.values()?;
        match &self.encoding {
            Encoding::Numeric(numeric) => {
                for (row, &number) in numbers_of(table, &self.name, values)?.iter().enumerate() {
                    numeric.write(number, &mut |at, value| write(row, at, value));
                }
                Ok(None)
            }
            Encoding::Categorical(categorical) => Ok(categorical.write(&self.name, values, write)),
            Encoding::Time(time) => {
                time.write((table, &self.name, values), write)?;
                Ok(None)
            }
            Encoding::Bytes(pixels) => {
                pixels.write(pixels.of(table, &self.name, values)?, write);
                Ok(None)
            }
        }
    }
}
