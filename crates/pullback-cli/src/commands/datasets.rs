//! `pullback datasets`: what comes with the program.

use crate::failure::{Failure, Result};
use crate::files::Files;
use crate::terminal::{print, print_json, wrapped};
use pullback::data::{Column, Table, Values, builtin};
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Datasets {
    /// A data set to write as CSV
    name: Option<String>,
    /// Where it goes; by default to standard output
    #[arg(long, short, value_name = "FILE", requires = "name")]
    out: Option<PathBuf>,
    /// From which random numbers a generated one is made
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the list as JSON
    #[arg(long, conflicts_with = "name")]
    json: bool,
}

impl Datasets {
    pub(super) fn run(&self) -> Result<()> {
        if let Some(name) = &self.name {
            let out = Files::default().output(self.out.as_deref(), "--out")?;
            let table = builtin::load(name, self.seed).map_err(|error| Failure::from(error).into_usage())?;
            return out.write(&csv(&table)?);
        }
        if self.json {
            let sets = builtin::ALL.iter().map(|set| {
                json!({
                    "name": set.name, "description": set.description, "target": set.target, "task": set.task,
                    "rows": set.rows, "features": set.features, "source": set.source, "license": set.license,
                })
            });
            return print_json(&sets.collect::<Vec<_>>());
        }
        let mut out = format!("{:14} {:>5} {:>8}  {:11} target\n", "name", "rows", "features", "task");
        for set in builtin::ALL {
            let _ = writeln!(
                out,
                "{:14} {:>5} {:>8}  {:11} {}",
                set.name, set.rows, set.features, set.task, set.target
            );
            let _ = writeln!(out, "    {}", wrapped(set.description, 4));
            let _ = writeln!(out, "    {}", wrapped(&format!("{}; {}", set.source, set.license), 4));
        }
        out.push_str("\n`pullback train NAME` trains on one, `pullback datasets NAME` writes it as CSV\n");
        print(&out)
    }
}

fn csv(table: &Table) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let bug = |error: csv::Error| Failure::new(format!("the table makes no CSV: {error}"), "report this");
    writer.write_record(table.names()).map_err(bug)?;
    let columns = table.columns().iter().map(Column::values).collect::<pullback::Result<Vec<_>>>()?;
    for row in 0..table.rows() {
        let cells = columns.iter().map(|values| match &**values {
            Values::Numbers(numbers) => numbers[row].to_string(),
            Values::Categories(categories) => categories.text(row).unwrap_or_default().to_owned(),
            Values::Bytes(bytes) => format!("{:?}", bytes.row(row)),
            Values::Times(times) => times.seconds[row].to_string(),
        });
        writer.write_record(cells).map_err(bug)?;
    }
    writer
        .into_inner()
        .map_err(|error| Failure::new(format!("the table makes no CSV: {error}"), "report this"))
}
