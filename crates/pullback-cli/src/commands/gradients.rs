//! `pullback gradients`: every derivative of the cost, as tensors in a safetensors file.

use crate::failure::{Failure, Result};
use crate::files::{Files, read_text};
use crate::machine::free_memory;
use crate::source::{Chosen, DataFlags, load_network};
use crate::terminal::{figure, print, print_json, shortened, width, wrapped};
use crate::traced::is_worked;
use pullback::Error;
use pullback::compact::Map;
use pullback::data::Table;
use pullback::explain::{
    Address, Addresses, Block, Catalog, Document, NetworkExample, Notation, Subject, Symbol, Trace,
    WorkedExample, trace_rows,
};
use pullback::graph::Shape;
use pullback::job::memory;
use pullback::model::{Model, Tensor, write_tensors};
use pullback::network::{Mode, Network};
use pullback::report::number::counted;
use serde_json::json;
use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Precision {
    F32,
    F64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Gradients {
    /// The model file, or a worked example's (.toml, .json)
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
    /// Only this number, or all of a parameter: as `explain --weight`
    #[arg(long, value_name = "WEIGHT")]
    weight: Option<String>,
    /// Whose symbols: plain, ng, nielsen, mazur, matrix [default: the file's, or plain]
    #[arg(long)]
    notation: Option<String>,
    /// How many rows, the first ones [default: all]
    #[arg(long)]
    rows: Option<usize>,
    /// Print the norms as JSON
    #[arg(long)]
    json: bool,
}

/// Rows are run this many at a time.
const BATCH: usize = 256;

/// What gradients are taken of: rows of a model's data, or the examples of a file, some at a time.
struct Batches {
    given: Given,
    rows: usize,
    source: String,
    notation: Notation,
    names: Map<Symbol, String>,
    /// The names that a file gives, also where a notation has its own symbols.
    own_names: Map<Symbol, String>,
}

enum Given {
    Rows(Box<Model<f64>>, Table),
    Examples(Box<NetworkExample>),
}

impl Batches {
    /// The pass over some rows, as one batch.
    fn trace(&self, rows: Range<usize>) -> Result<Trace> {
        match &self.given {
            Given::Rows(model, table) => Ok(trace_rows(model, table, rows, Mode::Evaluation)?),
            Given::Examples(example) => {
                let (inputs, outputs) = (example.network.inputs, example.network.outputs());
                let mut own = example.clone();
                own.inputs = example.inputs[rows.start * inputs..rows.end * inputs].to_vec();
                own.targets = example.targets[rows.start * outputs..rows.end * outputs].to_vec();
                own.weights = example.weights.as_ref().map(|weights| weights[rows.clone()].to_vec());
                own.rows = rows.len();
                Ok(own.trace()?)
            }
        }
    }

    fn network(&self) -> &Network {
        match &self.given {
            Given::Rows(model, _) => model.network(),
            Given::Examples(example) => &example.network,
        }
    }
}

impl Gradients {
    fn batches(&self) -> Result<Batches> {
        let notation = match &self.notation {
            None => None,
            Some(name) => Some(
                Notation::from_name(name)
                    .ok_or_else(|| Error::unknown_name("notation", name, Notation::NAMES))?,
            ),
        };
        if is_worked(&self.model) {
            let (example, worked) = read_worked(&self.model)?;
            let trace = example.trace()?;
            let own = notation.unwrap_or(worked);
            let own_names = example.names.symbols(&trace, own);
            let names = if own == worked { own_names.clone() } else { Map::new() };
            return Ok(Batches {
                rows: example.rows,
                source: self.model.display().to_string(),
                given: Given::Examples(example),
                notation: own,
                names,
                own_names,
            });
        }
        let model = load_network(&self.model, self.member, &Catalog::english())?;
        let Chosen { table, .. } = self.source.chosen(&model.trained()?, &Catalog::english())?;
        Ok(Batches {
            rows: table.rows(),
            source: table.source().to_owned(),
            given: Given::Rows(Box::new(model), table),
            notation: notation.unwrap_or_default(),
            names: Map::new(),
            own_names: Map::new(),
        })
    }

    pub(super) fn run(&self) -> Result<()> {
        let mut files = Files::reading([&*self.model].into_iter().chain(self.source.paths()));
        let out = files.output(Some(&self.out), "--out")?;
        let batches = self.batches()?;
        let rows = self.rows.unwrap_or(batches.rows).min(batches.rows);
        if rows == 0 {
            return Err(Failure::usage("there are no rows to take gradients of", "give at least one"));
        }
        let specification = batches.network().parameters()?;
        // A file's examples may be one batch that cannot be parted, as under batch norm.
        let step = match (&batches.given, self.per_example) {
            (_, true) => 1,
            (Given::Examples(_), false) => rows,
            (Given::Rows(..), false) => BATCH.min(rows),
        };
        memory::check(batches.network(), step, memory::Work::Trace, free_memory())?;
        let first = batches.trace(0..step)?;
        let addresses = Addresses::new(&first, &batches.names, batches.notation)
            .with_names_of_file(&batches.own_names, batches.notation);
        let only = self.weight.as_deref().map(|text| addresses.find(text)).transpose()?;
        let is_wanted = |place: usize| match only {
            Some(Address::Parameter(own) | Address::Element(own, _)) => own == place,
            None => true,
        };
        let trained: Vec<usize> = (0..specification.len())
            .filter(|&place| specification[place].role.is_trained() && is_wanted(place))
            .collect();
        let mut costs = Vec::new();
        let mut sums: Vec<Vec<f64>> = trained.iter().map(|_| Vec::new()).collect();
        for first in (0..rows).step_by(step) {
            let count = step.min(rows - first);
            let trace = batches.trace(first..first + count)?;
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
            "data": batches.source, "rows": rows, "per_example": self.per_example,
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
        let row = |(&place, tensor): (&usize, &Tensor<'_>)| {
            let numbers = tensor.numbers;
            let at = (0..numbers.len())
                .max_by(|a, b| numbers[*a].abs().total_cmp(&numbers[*b].abs()))
                .map_or_else(String::new, |at| {
                    addresses.of(place, at % specification[place].shape.elements())
                });
            let shape = Shape::from(&tensor.shape[..]).to_string();
            let name = shortened(&tensor.name, width().saturating_sub(52).clamp(10, 30));
            vec![name, shape, figure(norm(numbers)), figure(largest(numbers)), at]
        };
        let columns = ["gradient by", "shape", "norm", "largest", "of"].map(str::to_owned).to_vec();
        let rows_of_table = trained.iter().zip(&tensors).map(row).collect();
        let page = Document { language: "en", blocks: vec![Block::Table { columns, rows: rows_of_table }] };
        let mut out = page.text(width(), false);
        if let (Some(Address::Element(place, element)), false) = (only, self.per_example) {
            let gradient = sums[0][element];
            let _ = writeln!(out, "\nthe gradient of {} is {gradient}", addresses.of(place, element));
        }
        let saved =
            format!("saved {}, of {} of {}", self.out.display(), counted(rows, "row"), batches.source);
        let _ = writeln!(out, "\n{}", wrapped(&saved, 0));
        print(&out)
    }
}

/// The network of a worked example's file, and its notation.
fn read_worked(path: &Path) -> Result<(Box<NetworkExample>, Notation)> {
    let worked = WorkedExample::parse(&read_text(path)?, &path.display().to_string())?;
    match worked.subject {
        Subject::Network(example) => Ok((example, worked.notation)),
        Subject::Expression(_) => Err(Failure::usage(
            format!("{} has a formula, which has no weights", path.display()),
            "explain it: `pullback explain --file`",
        )),
    }
}
