//! `pullback check`: are gradients right? A model's by differences and forward mode, or another library's beside ours.

use crate::failure::{Failure, Result};
use crate::progress::Counting;
use crate::source::DataFlags;
use crate::terminal::{entry, print, print_json, shortened, width};
use crate::traced::Traced;
use pullback::Error;
use pullback::explain::{
    Address, Addresses, Beside, Block, Catalog, CheckOptions, Document, Layout, ParameterCheck,
};
use pullback::explain::{against, check_watched};
use pullback::model::read_tensors;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The model file, or a worked example's (.toml, .json)
    model: PathBuf,
    #[command(flatten)]
    source: DataFlags,
    /// Which network of an ensemble, counted from 1
    #[arg(long, value_name = "NUMBER")]
    member: Option<usize>,
    /// As in training: batch norm with the statistics of the batch, and the dropout masks of the first step
    #[arg(long)]
    training: bool,
    /// Instead of differences: the gradients of another library, as tensors of a safetensors file that are called as
    /// PyTorch or Flax call the parameters
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Only this number, or all of a parameter: as `explain --weight`
    #[arg(long, value_name = "WEIGHT")]
    weight: Option<String>,
    /// How many rows make the batch, the first ones [default: 32, fewer where they would take long]
    #[arg(long)]
    rows: Option<usize>,
    /// At most so many numbers of each weight or bias array are checked [default: 100, fewer where they would take long]
    #[arg(long, value_name = "COUNT")]
    samples: Option<usize>,
    /// The largest relative error that passes [default: 1e-6; against another library what its precision explains, 1e-4
    /// for F32 and 1e-8 for F64]
    #[arg(long, value_name = "ERROR")]
    tolerance: Option<f64>,
    /// From which the sample is drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Whose symbols: plain, ng, nielsen, mazur, matrix [default: the file's, or plain]
    #[arg(long)]
    notation: Option<String>,
    /// The language: en, ko [default: by the locale]
    #[arg(long)]
    lang: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Finer than that no difference in `f64` can be.
const FINEST: f64 = 1e-12;
/// The largest relative error against differences that passes.
const TOLERANCE: f64 = 1e-6;

impl Check {
    pub(super) fn run(&self) -> Result<()> {
        if self.rows == Some(0) || self.samples == Some(0) {
            return Err(Failure::usage("nothing would be checked", "give at least 1 row and 1 sample"));
        }
        if let Some(tolerance) = self.tolerance.filter(|tolerance| !(FINEST..1.0).contains(tolerance)) {
            return Err(Failure::usage(
                format!("no gradient can be compared within {tolerance:e}"),
                format!(
                    "give a tolerance from {FINEST:e}, which is as fine as differences in f64 can be, to below 1"
                ),
            ));
        }
        let notation = self.notation.as_deref();
        let traced = Traced::read(
            &self.model,
            &self.source,
            self.member,
            self.rows,
            self.training,
            notation,
            self.lang.as_deref(),
        )?;
        let catalog = &traced.catalog;
        if !traced.trace.cost().is_finite() {
            return Err(Failure::new(
                "the cost of these examples is no finite number, so there is no gradient to check",
                "give smaller inputs, targets or weights; `pullback explain` shows where the first such number arises",
            ));
        }
        let only = traced.find(self.weight.as_deref())?;
        match &self.against {
            Some(file) => self.against(file, &traced, only, catalog),
            None => self.by_differences(&traced, only, catalog),
        }
    }

    /// The entries at the head of the report.
    fn head(&self, traced: &Traced, catalog: &Catalog) -> String {
        let mut out = String::new();
        let rows = traced.trace.rows();
        let key = if self.training { "check.batch_in_training" } else { "check.batch" };
        entry(&mut out, catalog.get("check.model"), &self.model.display().to_string());
        let batch = catalog.say(key, &[("data", &traced.what), ("rows", &rows)]);
        entry(&mut out, catalog.get("check.data"), &batch);
        out.push('\n');
        out
    }

    fn by_differences(&self, traced: &Traced, only: Option<Address>, catalog: &Catalog) -> Result<()> {
        let trace = &traced.trace;
        let gradients: Vec<Vec<f64>> =
            (0..trace.parameters().len()).map(|place| trace.gradient(place).to_vec()).collect();
        let tolerance = self.tolerance.unwrap_or(TOLERANCE);
        let options = CheckOptions {
            samples: self.samples.unwrap_or(traced.samples),
            differences: tolerance,
            seed: self.seed,
            only,
            ..CheckOptions::default()
        };
        let mut counting = Counting::new("numbers are checked", self.json);
        let mut checks = check_watched(trace, &gradients, &options, &mut |done, all| counting.at(done, all))?;
        let addresses = traced.addresses();
        for found in &mut checks {
            found.worst = addresses.of(found.worst_at.0, found.worst_at.1);
        }
        let wrong: Vec<&ParameterCheck> = checks.iter().filter(|found| !found.passes).collect();
        if self.json {
            print_json(&json!({
                "version": 1,
                "model": self.model.display().to_string(),
                "data": traced.source,
                "rows": trace.rows(),
                "training": self.training,
                "tolerance": tolerance,
                "passes": wrong.is_empty(),
                "parameters": checks,
            }))?;
        } else {
            let mut out = self.head(traced, catalog);
            out.push_str(&by_differences(&checks, catalog));
            let mut say = |key: &str| {
                out.push_str(&sentence(catalog.get(key)));
            };
            say("check.how");
            let sum = |count: fn(&ParameterCheck) -> usize| checks.iter().map(count).sum::<usize>();
            if sum(|found| found.hidden) > 0 {
                say("check.hidden_text");
            }
            if sum(|found| found.kinks) > 0 {
                say("check.kinks_text");
            }
            if wrong.is_empty() {
                let right = catalog.say("check.right", &[("tolerance", &format_args!("{tolerance:e}"))]);
                out.push_str(&sentence(&right));
            }
            print(&out)?;
        }
        match wrong.first() {
            None => Ok(()),
            Some(found) => Err(Failure::new(
                catalog.say("check.wrong", &[("weight", &found.worst)]),
                catalog.say(
                    "check.wrong_by",
                    &[
                        ("differences", &format_args!("{:.1e}", found.differences)),
                        ("forward", &format_args!("{:.1e}", found.forward)),
                    ],
                ),
            )),
        }
    }

    fn against(&self, file: &Path, traced: &Traced, only: Option<Address>, catalog: &Catalog) -> Result<()> {
        let bytes = std::fs::read(file).map_err(|error| Error::io(file, error))?;
        let of_file = |error: Error| {
            Failure::new(
                format!("{}: {}", file.display(), error.what()),
                error.help_text().unwrap_or("store gradients as tensors, one a parameter").to_owned(),
            )
        };
        let tensors = read_tensors(&bytes).map_err(of_file)?;
        let mut all = against(&traced.trace, &tensors, self.tolerance).map_err(of_file)?;
        if let Some(Address::Parameter(place) | Address::Element(place, _)) = only {
            all.retain(|beside| beside.place == place);
        }
        let addresses = traced.addresses();
        let wrong = all.iter().filter(|beside| beside.first.is_some()).count();
        let missing = all.iter().filter(|beside| beside.theirs.is_none()).count();
        if self.json {
            let of = |beside: &Beside| {
                let element = |found: (usize, f64, f64)| {
                    let (at, ours, theirs) = found;
                    json!({ "weight": addresses.of(beside.place, at), "ours": ours, "theirs": theirs })
                };
                json!({
                    "name": beside.name,
                    "theirs": beside.theirs,
                    "layout": beside.layout,
                    "error": Some(beside.error).filter(|error| error.is_finite()),
                    "differing": beside.differing,
                    "worst": beside.theirs.as_ref().map(|_| element(beside.worst)),
                    "first": beside.first.map(element),
                })
            };
            print_json(&json!({
                "version": 1,
                "model": self.model.display().to_string(),
                "against": file.display().to_string(),
                "rows": traced.trace.rows(),
                "passes": wrong == 0 && missing == 0,
                "parameters": all.iter().map(of).collect::<Vec<_>>(),
            }))?;
        } else {
            let mut out = self.head(traced, catalog);
            out.push_str(&beside_table(&all, &addresses, catalog));
            out.push_str(&sentence(catalog.get("check.against_text")));
            if wrong == 0 && missing == 0 {
                out.push_str(&sentence(catalog.get("check.agree")));
            }
            print(&out)?;
        }
        let first = all.iter().find_map(|beside| Some((beside, beside.first?)));
        if let Some((beside, (at, ours, theirs))) = first {
            return Err(Failure::new(
                catalog.say(
                    "check.deviates",
                    &[("weight", &addresses.of(beside.place, at)), ("ours", &ours), ("theirs", &theirs)],
                ),
                catalog.get("check.deviates_help").to_owned(),
            ));
        }
        match all.iter().find(|beside| beside.theirs.is_none()) {
            None => Ok(()),
            Some(beside) => Err(Failure::new(
                catalog.say("check.missing", &[("file", &file.display()), ("name", &beside.name)]),
                catalog.get("check.missing_help").to_owned(),
            )),
        }
    }
}

/// A sentence in lines of the width of the terminal, in which Korean letters are two columns wide.
fn sentence(text: &str) -> String {
    Document { language: "en", blocks: vec![Block::Text(text.to_owned())] }.text(width(), false)
}

/// A table in the width of the terminal.
fn table(columns: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let page = Document { language: "en", blocks: vec![Block::Table { columns, rows }] };
    format!("{}\n", page.text(width(), false))
}

/// The longest name of a parameter that a table has room for.
fn longest_name(others: usize) -> usize {
    width().saturating_sub(others).clamp(10, 30)
}

fn by_differences(checks: &[ParameterCheck], catalog: &Catalog) -> String {
    let name = |key: &str| catalog.get(key).to_owned();
    let has = |count: fn(&ParameterCheck) -> usize| checks.iter().any(|found| count(found) > 0);
    let (has_hidden, has_kinks) = (has(|found| found.hidden), has(|found| found.kinks));
    let mut columns: Vec<String> =
        ["check.gradient_of", "check.checked", "check.differences", "check.forward"].map(name).to_vec();
    columns.extend(has_hidden.then(|| name("check.hidden")));
    columns.extend(has_kinks.then(|| name("check.kinks")));
    columns.push(name("check.worst"));
    let longest = longest_name(44 + 8 * (usize::from(has_hidden) + usize::from(has_kinks)));
    let rows = checks.iter().map(|found| {
        let mut row = vec![
            shortened(&found.name, longest),
            format!("{}/{}", found.checked, found.all),
            format!("{:.1e}", found.differences),
            format!("{:.1e}", found.forward),
        ];
        row.extend(has_hidden.then(|| found.hidden.to_string()));
        row.extend(has_kinks.then(|| found.kinks.to_string()));
        row.push(found.worst.clone());
        row
    });
    table(columns, rows.collect())
}

fn beside_table(all: &[Beside], addresses: &Addresses<'_>, catalog: &Catalog) -> String {
    let name = |key: &str| catalog.get(key).to_owned();
    let columns = ["check.gradient_of", "check.theirs", "check.error", "check.differing", "check.worst"];
    let longest = longest_name(46) / 2 + 4;
    let rows = all.iter().map(|beside| {
        let theirs = match (&beside.theirs, beside.layout) {
            (None, _) => {
                return vec![
                    shortened(&beside.name, longest),
                    "-".into(),
                    "-".into(),
                    "-".into(),
                    String::new(),
                ];
            }
            (Some(theirs), Layout::Jax) => format!("{} (JAX)", shortened(theirs, longest)),
            (Some(theirs), _) => shortened(theirs, longest),
        };
        vec![
            shortened(&beside.name, longest),
            theirs,
            format!("{:.1e}", beside.error),
            beside.differing.to_string(),
            addresses.of(beside.place, beside.worst.0),
        ]
    });
    table(columns.map(name).to_vec(), rows.collect())
}
