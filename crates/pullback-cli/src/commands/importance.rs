//! `pullback importance`: which columns a model relies on.

use crate::failure::{Failure, Result};
use crate::machine::{ISA_HELP, free_memory, machine};
use crate::source::{Chosen, DataFlags};
use crate::terminal::{entry, padded, print, print_json, shortened, width, wrapped};
use pullback::explain::Catalog;
use pullback::importance::{ColumnImportance, Importance as Found, ImportanceOptions, measure};
use pullback::job::memory;
use pullback::model::Model;
use pullback::report::number::{counted, figure};
use pullback::report::shown;
use pullback::train::Metric;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;
use unicode_width::UnicodeWidthStr;

/// At most so many columns are listed.
const MOST_LINES: usize = 40;
/// The width of the longest bar.
const BAR: usize = 16;

#[derive(Debug, clap::Args)]
#[command(allow_negative_numbers = true, after_help = ISA_HELP)]
pub(crate) struct Importance {
    /// The model file
    model: PathBuf,
    #[command(flatten)]
    source: DataFlags,
    /// How many times each column is put in a random order
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// At most so many rows are measured on, drawn at random
    #[arg(long, default_value_t = 10_000)]
    rows: usize,
    /// The metric that gets worse [default: that of the model]
    #[arg(long)]
    metric: Option<Metric>,
    /// From which the random orders are drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// How many threads may work; the result does not depend on it [default: all]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    threads: usize,
}

impl Importance {
    pub(super) fn run(&self) -> Result<()> {
        let model = Model::<f32>::load(&self.model)?;
        let trained = model.trained()?;
        let options = ImportanceOptions {
            repeats: self.repeats,
            rows: self.rows,
            seed: self.seed,
            metric: self.metric,
        };
        // Before anything is said of the rows.
        options.check(&model)?;
        let english = Catalog::english();
        let Chosen { table, what, is_trained_on } = self.source.chosen(&trained, &english)?;
        self.source.warn_of_training(&trained, is_trained_on, &english);
        if let Some(name) =
            trained.preprocessing.target().names().iter().find(|name| table.get(name).is_none())
        {
            return Err(Failure::new(
                format!("{} has no column \"{name}\" to compare predictions with", table.source()),
                "give rows with their targets",
            ));
        }
        let rows = self.rows.min(table.rows());
        let feature_bytes = trained.preprocessing.feature_bytes::<f64>(rows.min(table.rows_at_a_time()));
        memory::check(model.network(), 256, memory::Work::Prediction { feature_bytes }, free_memory())?;
        memory::check(model.network(), 32, memory::Work::Trace, free_memory())?;
        let found = measure(&model, &table, &options, &machine(self.threads)?)?;
        if self.json {
            return print_json(&json!({
                "version": 1,
                "model": self.model.display().to_string(),
                "data": table.source(),
                "is_trained_on": is_trained_on,
                "importance": found,
            }));
        }
        let mut out = String::new();
        entry(&mut out, "model", &self.model.display().to_string());
        let measured = match found.rows < table.rows() {
            true => format!("{what}; {} of them at random", found.rows),
            false => what,
        };
        entry(&mut out, "data", &measured);
        let Found { metric, value, repeats, .. } = &found;
        let told = format!("{} {} for the rows as they are", metric.item().title, shown(*metric, *value));
        entry(&mut out, "metric", &told);
        columns(&mut out, &found.columns);
        let note = format!(
            "importance: how much worse the {} is when the column's cells are put in a random order, mean and deviation \
             of {}; gradient: how much the prediction changes, linear around each row, when the column varies by its \
             standard deviation",
            metric.item().title,
            counted(*repeats, "time")
        );
        let _ = writeln!(out, "\n{}", wrapped(&note, 0));
        print(&out)
    }
}

fn columns(out: &mut String, columns: &[ColumnImportance]) {
    const NUMBERS: usize = 3 * 12;
    let shown = &columns[..columns.len().min(MOST_LINES)];
    let longest = shown.iter().map(|column| column.name.width()).max().unwrap_or(0).max(6);
    // Names may take what is left; bars come after them.
    let name = longest.min(width().saturating_sub(NUMBERS).clamp(8, 32));
    let bar = width().saturating_sub(name + NUMBERS + 2).min(BAR);
    let most = shown.iter().map(|column| column.importance).fold(0.0, f64::max);
    let _ = writeln!(out, "\n{:name$}{:>12}{:>12}{:>12}", "column", "importance", "deviation", "gradient");
    for column in shown {
        let length = if most > 0.0 { (column.importance / most * bar as f64).round().max(0.0) } else { 0.0 };
        let line = format!(
            "{}{:>12}{:>12}{:>12}  {}",
            padded(&shortened(&column.name, name), name),
            figure(column.importance),
            figure(column.deviation),
            column.gradient.map_or("-".to_owned(), figure),
            "#".repeat(length as usize)
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if columns.len() > shown.len() {
        let _ = writeln!(out, "and {} more, which matter less", columns.len() - shown.len());
    }
}
