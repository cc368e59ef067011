//! `pullback gradients`: every derivative of the cost, as tensors in a safetensors file.

use crate::failure::{Failure, Result};
use crate::files::Files;
use crate::machine::free_memory;
use crate::source::{Chosen, DataFlags, load_network};
use crate::terminal::{figure, print, print_json};
use pullback::explain::{Trace, trace_rows};
use pullback::job::memory;
use pullback::model::{Tensor, write_tensors};
use pullback::network::Mode;
use serde_json::json;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Precision {
    F32,
    F64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Gradients {
    /// The model file
    model: PathBuf,
    #[command(flatten)]
    source: DataFlags,
    /// Where the tensors go
    #[arg(long, short, value_name = "FILE", default_value = "gradients.safetensors")]
    out: PathBuf,
    /// How the numbers are stored; they are computed in f64
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    precision: Precision,
    /// One gradient an example, with a leading axis of rows, instead of that of the mean cost
    #[arg(long)]
    per_example: bool,
    /// Which network of an ensemble, counted from 1
    #[arg(long, value_name = "NUMBER")]
    member: Option<usize>,
    /// How many rows, the first ones [default: all]
    #[arg(long)]
    rows: Option<usize>,
    /// Print the norms as JSON
    #[arg(long)]
    json: bool,
}

/// Rows are run this many at a time.
const BATCH: usize = 256;

impl Gradients {
    pub(super) fn run(&self) -> Result<()> {
        let model = load_network(&self.model, self.member)?;
        let files = Files::reading([&*self.model].into_iter().chain(self.source.paths()));
        let out = files.output(Some(&self.out), "--out")?;
        let Chosen { table, .. } = self.source.chosen(&model.trained()?)?;
        let rows = self.rows.unwrap_or(table.rows()).min(table.rows());
        if rows == 0 {
            return Err(Failure::usage("there are no rows to take gradients of", "give at least one"));
        }
        let specification = model.network().parameters()?;
        let trained: Vec<usize> =
            (0..specification.len()).filter(|&place| specification[place].role.is_trained()).collect();
        let mut costs = Vec::new();
        let mut sums: Vec<Vec<f64>> = trained.iter().map(|_| Vec::new()).collect();
        let step = if self.per_example { 1 } else { BATCH.min(rows) };
        memory::check(model.network(), step, memory::Work::Trace, free_memory())?;
        for first in (0..rows).step_by(step) {
            let count = step.min(rows - first);
            let trace: Trace = trace_rows(&model, &table, first..first + count, Mode::Evaluation)?;
            if self.per_example {
                costs.push(trace.cost());
            } else {
                // The mean of all is the mean of batches, each by its share of the rows.
                let share = count as f64 / rows as f64;
                costs.resize(1, 0.0);
                costs[0] += share * trace.cost();
            }
            for (sum, &place) in sums.iter_mut().zip(&trained) {
                let gradient = trace.gradient(place);
                if self.per_example {
                    sum.extend_from_slice(gradient);
                } else {
                    sum.resize(gradient.len(), 0.0);
                    let share = count as f64 / rows as f64;
                    sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += share * g);
                }
            }
        }
        let shape = |sizes: &[usize]| -> Vec<usize> {
            let leading = if self.per_example { vec![rows] } else { Vec::new() };
            leading.into_iter().chain(sizes.iter().copied()).collect()
        };
        let mut tensors: Vec<Tensor<'_>> = (trained.iter().zip(&sums))
            .map(|(&place, numbers)| Tensor {
                name: specification[place].name.clone(),
                shape: shape(specification[place].shape.sizes()),
                numbers,
            })
            .collect();
        tensors.push(Tensor { name: "cost".into(), shape: vec![costs.len()], numbers: &costs });
        let about = json!({
            "version": 1, "what": "gradients", "model": self.model.display().to_string(),
            "data": table.source(), "rows": rows, "per_example": self.per_example,
        });
        let bytes = write_tensors(&tensors, self.precision == Precision::F64, &about)?;
        out.write(&bytes)?;
        let norm = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
        let largest = |numbers: &[f64]| numbers.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        if self.json {
            let norms: serde_json::Map<String, serde_json::Value> = (tensors.iter())
                .map(|tensor| {
                    (tensor.name.clone(), json!({"shape": tensor.shape, "norm": norm(tensor.numbers)}))
                })
                .collect();
            return print_json(
                &json!({ "file": self.out.display().to_string(), "about": about, "tensors": norms }),
            );
        }
        let mut out =
            format!("{:24} {:>18} {:>10} {:>10}\n", "gradient of the cost by", "shape", "norm", "largest");
        for tensor in tensors.iter().filter(|tensor| tensor.name != "cost") {
            let _ = writeln!(
                out,
                "{:24} {:>18} {:>10} {:>10}",
                tensor.name,
                format!("{:?}", tensor.shape),
                figure(norm(tensor.numbers)),
                figure(largest(tensor.numbers))
            );
        }
        let _ = writeln!(out, "\nsaved {}, of {rows} rows of {}", self.out.display(), table.source());
        print(&out)
    }
}
