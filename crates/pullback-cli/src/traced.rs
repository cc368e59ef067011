//! What is looked at with all its numbers: rows of a model's data, or a worked example's file.

use crate::failure::{Failure, Result};
use crate::files::read_text;
use crate::language;
use crate::machine::free_memory;
use crate::source::{Chosen, DataFlags, load_network};
use pullback::Error;
use pullback::compact::Map;
use pullback::explain::{
    Address, Addresses, Catalog, Expression, Notation, Subject, Symbol, Trace, WorkedExample, check_size,
    trace_rows,
};
use pullback::job::memory;
use pullback::network::Mode;
use std::path::Path;

/// A forward and a backward pass, and what its numbers are called.
pub(crate) struct Traced {
    pub(crate) trace: Trace,
    pub(crate) notation: Notation,
    pub(crate) names: Map<Symbol, String>,
    /// The names that a file gives, also where a notation has its own symbols.
    own_names: Map<Symbol, String>,
    /// The data, for people and for programs.
    pub(crate) what: String,
    pub(crate) source: String,
    /// The messages: those of the language that is asked for, or that a file asks for.
    pub(crate) catalog: Catalog,
    /// How many numbers of each parameter are checked in little time.
    pub(crate) samples: usize,
}

impl Traced {
    /// The pass of a model over the first rows of its data, or of a worked example: a file that ends in `.toml` or
    /// `.json`.
    pub(crate) fn read(
        path: &Path,
        data: &DataFlags,
        member: Option<usize>,
        rows: Option<usize>,
        is_training: bool,
        notation: Option<&str>,
        lang: Option<&str>,
    ) -> Result<Self> {
        let notation = notation
            .map(|name| {
                Notation::from_name(name)
                    .ok_or_else(|| Error::unknown_name("notation", name, Notation::NAMES))
            })
            .transpose()?;
        if is_worked(path) {
            return Self::worked(path, data, member, is_training, notation, lang);
        }
        let catalog = language::catalog(lang, None)?;
        let model = load_network(path, member, &catalog)?;
        let Chosen { table, what, .. } = data.chosen(&model.trained()?, &catalog)?;
        let (usual, samples) = check_size(model.network())?;
        let rows = rows.unwrap_or(usual).min(table.rows());
        let mode = if is_training { Mode::Training } else { Mode::Evaluation };
        memory::check(model.network(), rows, memory::Work::Trace, free_memory())?;
        let trace = trace_rows(&model, &table, 0..rows, mode)?;
        Ok(Self {
            trace,
            notation: notation.unwrap_or_default(),
            names: Map::new(),
            own_names: Map::new(),
            what,
            source: table.source().to_owned(),
            catalog,
            samples,
        })
    }

    fn worked(
        path: &Path,
        data: &DataFlags,
        member: Option<usize>,
        is_training: bool,
        notation: Option<Notation>,
        lang: Option<&str>,
    ) -> Result<Self> {
        if data.is_given() || member.is_some() {
            return Err(Failure::usage(
                format!("{} is a worked example, which has its own numbers", path.display()),
                "leave out the data and `--member`",
            ));
        }
        let name = path.display().to_string();
        let worked = WorkedExample::parse(&read_text(path)?, &name)?;
        let Subject::Network(mut example) = worked.subject else {
            return Err(Failure::usage(
                format!("{name} has a formula, which has no weights"),
                "explain it: `pullback explain --file`",
            ));
        };
        if is_training {
            example.mode = Mode::Training;
        }
        let trace = example.trace()?;
        let (_, samples) = check_size(&example.network)?;
        let own = notation.unwrap_or(worked.notation);
        let names = match notation.is_none_or(|notation| notation == worked.notation) {
            true => example.names.symbols(&trace, own),
            // A notation that is asked for has its own symbols.
            false => Map::new(),
        };
        let own_names = example.names.symbols(&trace, own);
        Ok(Self {
            trace,
            notation: own,
            names,
            own_names,
            what: name.clone(),
            source: name,
            catalog: language::catalog(lang, worked.language.as_deref())?,
            samples,
        })
    }

    pub(crate) fn addresses(&self) -> Addresses<'_> {
        let addresses = Addresses::new(&self.trace, &self.names, self.notation);
        addresses.with_names_of_file(&self.own_names, self.notation)
    }

    /// What an address names.
    pub(crate) fn find(&self, text: Option<&str>) -> Result<Option<Address>> {
        Ok(text.map(|text| self.addresses().find(text)).transpose()?)
    }
}

/// Whether a file is a worked example by its name.
pub(crate) fn is_worked(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "toml" || end == "json")
}

/// A formula with the numbers of its variables, `x=-2`; `file` is where it was read from.
pub(crate) fn expression_of(text: &str, file: Option<&str>, numbers: &[String]) -> Result<Expression> {
    let number = |text: &String| {
        let (name, number) = text.split_once('=')?;
        Some((name.trim().to_owned(), number.trim().parse().ok().filter(|x: &f64| x.is_finite())?))
    };
    let mut at = Vec::new();
    for text in numbers {
        at.push(number(text).ok_or_else(|| {
            Failure::usage(format!("--at: `{text}` gives no number to a variable"), "write `--at x=-2,y=5`")
        })?);
    }
    let expression = Expression::parse(text, at).map_err(|error| match (file, error.place().cloned()) {
        (Some(file), Some(mut place)) => {
            place.source = Some(file.to_owned());
            error.at(place)
        }
        _ => error,
    })?;
    Ok(expression)
}
