//! `pullback explain`: one forward and backward pass with every number, of a model or a worked example.

use crate::failure::{Failure, Result};
use crate::files::{Files, Output};
use crate::machine::free_memory;
use crate::source::{Chosen, chosen, load_network};
use crate::terminal::{WIDTH, print, print_colored, print_json, width};
use pullback::Error;
use pullback::data::{Table, Target};
use pullback::explain::examples::{self, Example, Subject};
use pullback::explain::{
    Catalog, Document, Focus, LANGUAGES, Notation, Options, Trace, describe, describe_circuit,
    describe_claims, diagram, json, named_inputs, trace_rows,
};
use pullback::job::memory;
use pullback::model::Model;
use pullback::network::Mode;
use pullback::report::number::counted;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For the terminal
    Text,
    /// For programs: the same numbers with all their digits
    Json,
    /// With formulas in LaTeX
    Markdown,
    /// A page of its own, with a drawing of the graph
    Html,
    /// The graph, for Graphviz
    Dot,
    /// The graph, drawn
    Svg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The model file
    model: Option<PathBuf>,
    /// A built-in data set, a CSV file, or a folder or file of IDX images, with targets. By default the
    /// rows of built-in data that were held out from training
    data: Option<String>,
    /// Of the data that the model was trained on, take the rows that were held out
    #[arg(long, requires = "data")]
    held_out: bool,
    /// A NumPy array with the targets, where the data are an array of inputs
    #[arg(long, value_name = "FILE", requires = "data")]
    targets: Option<PathBuf>,
    /// The row to explain, counted from 1
    #[arg(long, default_value_t = 1)]
    row: usize,
    /// Which network of an ensemble, counted from 1
    #[arg(long, value_name = "NUMBER")]
    member: Option<usize>,
    /// How many rows, as one batch
    #[arg(long, default_value_t = 1)]
    rows: usize,
    /// As in training: with dropout masks, and batch norm by the batch's own mean and variance
    #[arg(long)]
    training: bool,
    /// One unit: LAYER.UNIT, dense layers counted from 1, units from 0
    #[arg(long, value_name = "LAYER.UNIT", conflicts_with = "weight")]
    unit: Option<String>,
    /// One weight: LAYER.TO.FROM
    #[arg(long, value_name = "LAYER.TO.FROM")]
    weight: Option<String>,
    /// Explain a well-known worked example instead: mazur, ng, circuit, micrograd, xor
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "examples"])]
    example: Option<String>,
    /// List all worked examples with their published numbers and ours
    #[arg(long, conflicts_with = "model")]
    examples: bool,
    /// The form of the page
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where the page goes; by default to standard output
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The language: en, ko [default: by the locale]
    #[arg(long)]
    lang: Option<String>,
    /// Whose symbols: plain, ng, nielsen, mazur, matrix
    #[arg(long, default_value = "plain")]
    notation: String,
    /// The significant digits of numbers, 1 to 17
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: u8,
    /// Layers with more units than this are shown by their largest
    #[arg(long, value_name = "UNITS", default_value_t = 10)]
    most_units: usize,
}

impl Explain {
    pub(super) fn run(&self) -> Result<()> {
        let catalog = self.catalog()?;
        let data = self.data.as_deref().map(Path::new);
        let read = self.model.as_deref().into_iter().chain(data).chain(self.targets.as_deref());
        let files = Files::reading(read);
        let out = files.output(self.out.as_deref(), "--out")?;
        if self.examples {
            return self.conformance(&catalog, &out);
        }
        if let Some(name) = &self.example {
            return self.example(name, &catalog, &out);
        }
        let Some(path) = &self.model else {
            return Err(Failure::usage(
                "there is nothing to explain",
                "give a model, `pullback explain model.safetensors --row 3`, or `--example mazur`",
            ));
        };
        let model = load_network(path, self.member)?;
        let Chosen { table, .. } =
            chosen(&model.trained()?, self.data.as_deref(), self.targets.as_deref(), self.held_out)?;
        let trace = self.trace(&model, &table)?;
        let mut options = self.options(&trace)?;
        let trained = model.trained()?;
        let target = trained.preprocessing.target();
        options.outputs = match target.target().classes() {
            Some(classes) if target.target().outputs() > 1 => classes.to_vec(),
            Some(classes) => vec![classes.last().cloned().unwrap_or_default()],
            None => target.names().to_vec(),
        };
        options.inputs = named_inputs(trained.preprocessing, &table, self.row - 1)?;
        if let Target::Regression { scales } = target.target() {
            options.scales = scales.clone();
        }
        options.training = trained.training.clone();
        options.temperature = model.temperature().map(|temperature| temperature.get());
        let title = if self.rows == 1 {
            catalog.say("title_row", &[("row", &self.row), ("data", &table.source())])
        } else {
            let last = self.row + self.rows - 1;
            catalog.say(
                "title_rows",
                &[("rows", &self.rows), ("row", &self.row), ("last", &last), ("data", &table.source())],
            )
        };
        let page = describe(&trace, &title, &options, &catalog);
        self.show(&page, Some(&trace), &title, &catalog, &out)
    }

    fn catalog(&self) -> Result<Catalog> {
        let known = || LANGUAGES.iter().map(|(code, _)| *code).collect::<Vec<_>>().join(", ");
        match &self.lang {
            Some(code) => Catalog::find(code).ok_or_else(|| {
                Failure::usage(format!("there are no messages in `{code}`"), format!("known are {}", known()))
            }),
            None => {
                let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                    .iter()
                    .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
                Ok(locale.and_then(|locale| Catalog::find(&locale)).unwrap_or_else(Catalog::english))
            }
        }
    }

    fn trace(&self, model: &Model<f64>, table: &Table) -> Result<Trace> {
        let (first, rows) = (self.row.saturating_sub(1), table.rows());
        let end = first.saturating_add(self.rows);
        if self.row == 0 || self.rows == 0 || end > rows {
            return Err(Failure::usage(
                format!("{} has {}, counted from 1", table.source(), counted(rows, "row")),
                format!("choose from 1 to {rows} with `--row`, and at least 1 with `--rows`"),
            ));
        }
        let mode = if self.training { Mode::Training } else { Mode::Evaluation };
        memory::check(model.network(), self.rows, memory::Work::Trace, free_memory())?;
        Ok(trace_rows(model, table, first..end, mode)?)
    }

    fn options(&self, trace: &Trace) -> Result<Options> {
        let notation = Notation::from_name(&self.notation)
            .ok_or_else(|| Error::unknown_name("notation", &self.notation, Notation::NAMES))?;
        Ok(Options {
            focus: self.focus(trace)?,
            notation,
            digits: usize::from(self.digits),
            most_units: self.most_units.max(1),
            ..Options::default()
        })
    }

    fn focus(&self, trace: &Trace) -> Result<Focus> {
        let (text, count, form) = match (&self.unit, &self.weight) {
            (Some(text), _) => (text, 2, "LAYER.UNIT, for example `--unit 2.0`"),
            (None, Some(text)) => (text, 3, "LAYER.TO.FROM, for example `--weight 2.1.0`"),
            (None, None) => return Ok(Focus::All),
        };
        let numbers: Option<Vec<usize>> = text.split('.').map(|part| part.parse().ok()).collect();
        let numbers = numbers.filter(|numbers| numbers.len() == count).ok_or_else(|| {
            Failure::usage(format!("`{text}` names no place in the network"), format!("write {form}"))
        })?;
        let layers = trace.dense().len();
        let Some(dense) = numbers[0].checked_sub(1).and_then(|at| trace.dense().get(at)) else {
            return Err(Failure::usage(
                format!("there is no dense layer {}", numbers[0]),
                format!("the network has {layers}, counted from 1"),
            ));
        };
        let within = |number: usize, size: usize, what: &str| {
            if number < size {
                Ok(number)
            } else {
                Err(Failure::usage(
                    format!("layer {} has no {what} {number}", numbers[0]),
                    format!("it has {size}, counted from 0"),
                ))
            }
        };
        let unit = within(numbers[1], dense.units, "unit")?;
        Ok(match numbers.get(2) {
            Some(&input) => Focus::Weight(numbers[0], unit, within(input, dense.inputs, "input")?),
            None => Focus::Unit(numbers[0], unit),
        })
    }

    fn find(name: &str) -> Result<Example> {
        match examples::find(name) {
            Some(example) => Ok(example?),
            None => Err(Error::unknown_name("example", name, examples::NAMES).into()),
        }
    }

    fn example(&self, name: &str, catalog: &Catalog, out: &Output) -> Result<()> {
        let example = Self::find(name)?;
        let title = catalog.say("title_example", &[("name", &name)]);
        let claims = describe_claims(&[&example], catalog);
        let (mut page, trace) = match &example.subject {
            Subject::Circuit { graph, values, derivatives } => {
                (describe_circuit(graph, values, derivatives, &title, catalog), None)
            }
            Subject::Network(trace) => {
                let options = Options { training: example.training.clone(), ..self.options(trace)? };
                (describe(trace, &title, &options, catalog), Some(&**trace))
            }
        };
        if trace.is_none() && matches!(self.format, Format::Json | Format::Dot | Format::Svg) {
            return Err(Failure::usage(
                format!("the example {name} is no network, so it has no such form"),
                "take `--format text`, `markdown` or `html`",
            ));
        }
        page.blocks.extend(claims.blocks);
        self.show(&page, trace, &title, catalog, out)
    }

    fn conformance(&self, catalog: &Catalog, out: &Output) -> Result<()> {
        let all = examples::NAMES.iter().map(|name| Self::find(name)).collect::<Result<Vec<_>>>()?;
        let mut page = describe_claims(&all.iter().collect::<Vec<_>>(), catalog);
        page.blocks[0] = pullback::explain::Block::Heading(1, catalog.get("examples_title").to_owned());
        match self.format {
            Format::Json | Format::Dot | Format::Svg => Err(Failure::usage(
                "the list of examples has no such form",
                "take `--format text`, `markdown` or `html`",
            )),
            _ => self.show(&page, None, "", catalog, out),
        }
    }

    fn show(
        &self,
        page: &Document,
        trace: Option<&Trace>,
        title: &str,
        catalog: &Catalog,
        out: &Output,
    ) -> Result<()> {
        let drawing = trace.and_then(|trace| diagram::svg(trace, catalog));
        let text = match (self.format, trace) {
            (Format::Json, Some(trace)) if out.path().is_none() => {
                return print_json(&json::document(trace, title));
            }
            (Format::Json, Some(trace)) => json::document(trace, title).to_string(),
            (Format::Dot, Some(trace)) => diagram::dot(trace),
            (Format::Svg, Some(_)) => drawing.ok_or_else(|| {
                Failure::new(
                    format!("the graph has more than {} nodes, too many to be read", diagram::MOST_NODES),
                    "take `--format dot` and Graphviz, or a network of fewer layers",
                )
            })?,
            (Format::Markdown, _) => page.markdown(),
            (Format::Html, _) => page.html(drawing.as_deref()),
            (_, _) if out.path().is_none() => {
                let (is_seen, width) = (std::io::stdout().is_terminal(), width());
                let plain = page.text(width, false);
                return match is_seen && std::env::var_os("NO_COLOR").is_none() {
                    true => print_colored(&plain, || page.text(width, true)),
                    false => print(&plain),
                };
            }
            (_, _) => page.text(WIDTH, false),
        };
        out.write(text.as_bytes())
    }
}
