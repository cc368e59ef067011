//! `pullback explain`: one forward and backward pass with every number, of a model or a worked example.

use crate::drawing;
use crate::failure::{Failure, Result};
use crate::files::{Files, Output, read_text};
use crate::language;
use crate::machine::{free_memory, machine};
use crate::source::{Chosen, DataFlags, network_of};
use crate::terminal::{WIDTH, print, print_colored, print_json, width};
use crate::traced::expression_of;
use pullback::Error;
use pullback::compact::Map;
use pullback::data::{Table, Target};
use pullback::explain::examples::{self, Claim, Example};
use pullback::explain::{
    Address, Addresses, Catalog, Circuit, Document, Drawings, Expected, Expression, Focus, Level,
    MeanOptions, Notation, Options, SECTIONS, Steps, Subject, Symbol, Trace, Vote, WorkedExample, describe,
    describe_circuit, describe_claims, describe_mean, diagram, json, named_inputs, picture, worked_rows,
};
use pullback::job::memory;
use pullback::model::Model;
use pullback::network::Mode;
use pullback::report::number::counted;
use pullback::train::Training;
use std::io::IsTerminal;
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For the terminal
    Text,
    /// For programs: the same numbers with all their digits
    Json,
    /// With formulas in LaTeX
    Markdown,
    /// A page of its own, with a drawing
    Html,
    /// A drawing: units, weights, gradients; of a formula, its gates
    Svg,
    /// A drawing that moves by itself, step by step, with subtitles, also in a file beside it
    Animation,
    /// The graph of all operations, drawn
    Graph,
    /// The same, for Graphviz
    Dot,
    /// Every step of an update: formula, numbers, a sentence
    Steps,
    /// The same for programs
    StepsJson,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The model file
    model: Option<PathBuf>,
    #[command(flatten)]
    source: DataFlags,
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
    /// One layer: a dense layer by its number, counted from 1, a convolution as c1; or `all`. By default all layers, of
    /// a network with more than 6 a line each
    #[arg(long, value_name = "LAYER", conflicts_with_all = ["unit", "weight"])]
    layer: Option<String>,
    /// One unit: its name, or LAYER.UNIT, dense layers counted from 1, units from 0
    #[arg(long, value_name = "UNIT", conflicts_with = "weight")]
    unit: Option<String>,
    /// One number that is trained: its name, its symbol in the notation, its place in a model file
    /// (`layers.1.scale[3]`), or LAYER.TO.FROM; or all of `layers.1.scale`
    #[arg(long, value_name = "WEIGHT")]
    weight: Option<String>,
    /// How many steps of training are followed
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    steps: u64,
    /// Explain a worked example of your own: a TOML or JSON file with a network or an expression and its numbers
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "examples", "example"])]
    file: Option<PathBuf>,
    /// Explain a formula: "(x + y) * z"
    #[arg(long, value_name = "FORMULA", allow_hyphen_values = true,
        conflicts_with_all = ["model", "examples", "example", "file"])]
    expression: Option<String>,
    /// Explain the formula of a file, whose lines are like `c = a + b`; the last one is the output
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "examples", "example", "file", "expression"])]
    expression_file: Option<PathBuf>,
    /// The numbers of the formula's variables: x=-2,y=5
    #[arg(long, value_name = "NAME=NUMBER,...", value_delimiter = ',', allow_hyphen_values = true)]
    at: Vec<String>,
    /// Explain a well-known worked example instead: mazur, wikidocs, ng, circuit, micrograd, xor
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "examples"])]
    example: Option<String>,
    /// Write what is explained as a file for `--file`, which anybody can change
    #[arg(long, value_name = "FILE", conflicts_with = "examples")]
    save: Option<PathBuf>,
    /// List all worked examples with their published numbers and ours
    #[arg(long, conflicts_with = "model")]
    examples: bool,
    /// One section of the page: layers, forward, cost, backward, gradients, update, work, ensemble, expected
    #[arg(long, value_name = "SECTION")]
    section: Option<String>,
    /// With `--format svg`: the step of the animation to draw, counted from 1 [default: the end of all]
    #[arg(long, value_name = "NUMBER")]
    step: Option<usize>,
    /// How closely `--format steps` looks: pass, layer, example, unit, term [default: the closest that fits on a page]
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// The form of the page
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where the page goes; by default to standard output
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The language: en, ko [default: by the locale]
    #[arg(long)]
    lang: Option<String>,
    /// Whose symbols: plain, ng, nielsen, mazur, matrix [default: the file's, or plain]
    #[arg(long)]
    notation: Option<String>,
    /// The significant digits of numbers, 1 to 17
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: u8,
    /// Layers with more units than this are shown by their largest
    #[arg(long, value_name = "UNITS", default_value_t = 10)]
    most_units: usize,
}

impl Explain {
    pub(super) fn run(&self) -> Result<()> {
        let catalog = language::catalog(self.lang.as_deref(), None)?;
        let given = [&self.model, &self.file, &self.expression_file];
        let mut files =
            Files::reading(given.into_iter().flatten().map(PathBuf::as_path).chain(self.source.paths()));
        let out = files.output(self.out.as_deref(), "--out")?;
        if let (Some(step), true) = (self.step, self.format != Format::Svg) {
            return Err(Failure::usage(
                format!("`--step {step}` is for `--format svg`"),
                "add `--format svg`, or leave out `--step`",
            ));
        }
        if self.format == Format::Animation {
            drawing::subtitles(&mut files, self.out.as_deref())?;
        }
        let save = self.save.as_deref().map(|path| files.output(Some(path), "--save")).transpose()?;
        if let Some(name) = &self.section
            && SECTIONS.iter().all(|(own, _)| own != name)
        {
            return Err(Error::unknown_name("section", name, SECTIONS.map(|(name, _)| name)).into());
        }
        let is_whole = matches!(
            self.format,
            Format::Json | Format::Dot | Format::Graph | Format::Steps | Format::StepsJson
        );
        if let (Some(name), true) = (&self.section, is_whole) {
            return Err(Failure::usage(
                format!("`--section {name}` is a part of a page, and this form has no pages"),
                "leave out `--section`, or take `--format text`, `markdown` or `html`",
            ));
        }
        if self.model.is_none()
            && !self.examples
            && let Some(flag) = self.flag_of_a_model()
        {
            return Err(Failure::usage(
                format!("`{flag}` is for a model and its data, and none is given"),
                "leave it out, or name a model file",
            ));
        }
        if let (Some(first), None, None) = (self.at.first(), &self.expression, &self.expression_file) {
            return Err(Failure::usage(
                format!("`--at {first}` gives a number to a variable, but there is no formula"),
                "add `--expression` or `--expression-file`; of a file, change its key `at`",
            ));
        }
        if self.examples {
            return self.conformance(&catalog, &out);
        }
        if let Some(name) = &self.example {
            let Example { name, worked, claims } = Self::find(name)?;
            let title = catalog.say("title_example", &[("name", &name)]);
            return self.worked(&worked, &claims, &title, &catalog, (&out, save));
        }
        if let Some((text, name)) = self.own_file()? {
            let worked = WorkedExample::parse(&text, &name)?;
            let catalog = language::catalog(self.lang.as_deref(), worked.language.as_deref())?;
            let title = if worked.title.is_empty() {
                catalog.say("title_example", &[("name", &name)])
            } else {
                worked.title.clone()
            };
            let claims = worked.claims()?;
            return self.worked(&worked, &claims, &title, &catalog, (&out, save));
        }
        if let Some(expression) = self.own_expression()? {
            let title = catalog.get("title_expression").to_owned();
            let worked = WorkedExample {
                title: String::new(),
                source: String::new(),
                notation: Notation::default(),
                language: None,
                subject: Subject::Expression(expression),
                expect: Vec::new(),
            };
            return self.worked(&worked, &[], &title, &catalog, (&out, save));
        }
        let Some(path) = &self.model else {
            return Err(Failure::usage(
                "there is nothing to explain",
                "give a model, `pullback explain model.safetensors --row 3`, or `--example mazur`",
            ));
        };
        let whole = Model::<f64>::load(path)?;
        let model = network_of(&whole, path, self.member, &catalog)?;
        let Chosen { table, .. } = self.source.chosen(&model.trained()?, &catalog)?;
        let trained = model.trained()?;
        let target = trained.preprocessing.target();
        let outputs = target.output_names();
        let worked = self.worked_rows(&model, &table, outputs.clone())?;
        let trace = worked.trace()?.expect("a model is a network");
        let mut options = self.options(&trace, &worked)?;
        options.outputs = outputs;
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
        if let Some(save) = save {
            let saved = WorkedExample { title: title.clone(), ..worked.clone() };
            let note = "# The inputs and targets are the numbers that the network gets, after the model's preprocessing.";
            save.write(format!("{note}\n{}", saved.to_toml()).as_bytes())?;
        }
        let mut page = describe(&trace, &title, &options, &catalog);
        if whole.member_count() > 1 {
            page.blocks.extend(self.mean_of(&whole, &table, &options, &catalog)?.blocks);
        }
        self.show(
            &page,
            Shown::Network(&trace, &worked, &options.training, options.focus),
            &title,
            &catalog,
            &out,
        )
    }

    /// What the networks of an ensemble predict for the first of the rows, and the mean of that.
    fn mean_of(
        &self,
        model: &Model<f64>,
        table: &Table,
        options: &Options,
        catalog: &Catalog,
    ) -> Result<Document> {
        let (row, machine) = (table.select(&[self.row - 1])?, machine(1)?);
        let votes: Vec<Vote> = (0..model.member_count())
            .filter_map(|at| model.member(at))
            .map(|own| Ok(Vote { times: own.times(), numbers: own.predict(&row, &machine)?.numbers }))
            .collect::<Result<_>>()?;
        let mean = MeanOptions {
            shown: self.member.unwrap_or(1) - 1,
            outputs: &options.outputs,
            temperature: options.temperature.filter(|temperature| *temperature != 1.0),
            most_outputs: options.most_units,
            digits: options.digits,
        };
        Ok(describe_mean(&votes, &mean, catalog))
    }

    /// The text of the file that is explained, and what it is called.
    fn own_file(&self) -> Result<Option<(String, String)>> {
        let Some(path) = &self.file else { return Ok(None) };
        Ok(Some((read_text(path)?, path.display().to_string())))
    }

    /// A flag that says which rows of a model's data are meant, or how they are taken.
    fn flag_of_a_model(&self) -> Option<&'static str> {
        let flags = [
            ("--row", self.row != 1),
            ("--rows", self.rows != 1),
            ("--member", self.member.is_some()),
            ("--training", self.training),
        ];
        flags.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }

    /// The formula that is explained, with its numbers.
    fn own_expression(&self) -> Result<Option<Expression>> {
        let (text, file) = match (&self.expression, &self.expression_file) {
            (Some(text), _) => (text.clone(), None),
            (None, Some(path)) => (read_text(path)?, Some(path.display().to_string())),
            (None, None) => return Ok(None),
        };
        Ok(Some(expression_of(&text, file.as_deref(), &self.at)?))
    }

    /// The page of a worked example, with its expected numbers; fails if one of them differs.
    fn worked(
        &self,
        worked: &WorkedExample,
        claims: &[Claim],
        title: &str,
        catalog: &Catalog,
        (out, save): (&Output, Option<Output>),
    ) -> Result<()> {
        let trace = worked.trace()?;
        let circuit = worked.circuit()?;
        let options =
            trace.as_ref().map(|trace| self.options(trace, worked)).transpose()?.unwrap_or_default();
        let (mut page, shown) = match (&trace, &circuit) {
            (Some(trace), _) => {
                let shown = Shown::Network(trace, worked, &options.training, options.focus);
                (describe(trace, title, &options, catalog), shown)
            }
            (None, Some(circuit)) => {
                if self.layer.is_some() || self.unit.is_some() || self.weight.is_some() {
                    return Err(Failure::usage(
                        "a formula has no layers, units and weights",
                        "leave out `--layer`, `--unit` and `--weight`",
                    ));
                }
                (
                    describe_circuit(circuit, title, usize::from(self.digits), catalog),
                    Shown::Circuit(circuit, worked),
                )
            }
            (None, None) => unreachable!("an example is of a network or of a formula"),
        };
        if !claims.is_empty() {
            page.blocks.extend(describe_claims(&[("", &worked.source, claims)], catalog).blocks);
        }
        if let Some(save) = save {
            save.write(worked.to_toml().as_bytes())?;
        }
        self.show(&page, shown, title, catalog, out)?;
        let wrong: Vec<&Claim> = claims.iter().filter(|c| !c.agrees() && c.erratum.is_none()).collect();
        let Some(first) = wrong.first() else { return Ok(()) };
        let more = if wrong.len() > 1 { format!(", and {} more", wrong.len() - 1) } else { String::new() };
        let expected = match &first.expected {
            Expected::Digits(digits) => digits.clone(),
            Expected::Below(bound) => format!("less than {bound}"),
            Expected::AtLeast(bound) => format!("at least {bound}"),
        };
        Err(Failure::new(
            format!("{} is {}, where {expected} is expected{more}", first.quantity, first.computed),
            "correct the number, or say as its `erratum` why it is wrong",
        ))
    }

    fn worked_rows(&self, model: &Model<f64>, table: &Table, outputs: Vec<String>) -> Result<WorkedExample> {
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
        Ok(worked_rows(model, table, first..end, mode, outputs)?)
    }

    fn options(&self, trace: &Trace, worked: &WorkedExample) -> Result<Options> {
        let notation = self.own_notation()?.unwrap_or(worked.notation);
        let mut options = Options {
            notation,
            digits: usize::from(self.digits),
            most_units: self.most_units.max(1),
            steps: self.steps,
            ..Options::default()
        };
        if let Subject::Network(network) = &worked.subject {
            // A notation that is asked for has its own symbols; a model's inputs have a column of their own.
            let is_own = self.notation.is_none() || notation == worked.notation;
            if is_own && self.model.is_none() {
                options.names = network.names.symbols(trace, notation);
            }
            options.outputs.clone_from(&network.names.outputs);
            options.training = network.training.clone();
            options.fixed.clone_from(&network.fixed);
            options.kept.clone_from(&network.kept);
        }
        let own = match &worked.subject {
            Subject::Network(network) if self.model.is_none() => network.names.symbols(trace, notation),
            _ => Map::new(),
        };
        options.focus = self.focus(trace, &options, &own)?;
        Ok(options)
    }

    fn focus(&self, trace: &Trace, options: &Options, own: &Map<Symbol, String>) -> Result<Focus> {
        if let Some(text) = &self.layer {
            return layer_focus(text, trace);
        }
        if let Some(text) = &self.weight {
            let addresses = Addresses::new(trace, &options.names, options.notation);
            return Ok(match addresses.with_names_of_file(own, options.notation).find(text)? {
                Address::Parameter(place) => Focus::Parameter(place),
                Address::Element(place, element) => Focus::Element(place, element),
            });
        }
        match &self.unit {
            Some(text) => self.unit_focus(text, trace, options).or_else(|failure| {
                let named = Options { names: own.clone(), ..options.clone() };
                self.unit_focus(text, trace, &named).map_err(|_| failure)
            }),
            None => Ok(Focus::All),
        }
    }

    /// A unit by its name, by its symbol in the notation of the page, or as LAYER.UNIT.
    fn unit_focus(&self, text: &str, trace: &Trace, options: &Options) -> Result<Focus> {
        let mut known = Vec::new();
        let named = |symbol: Symbol| {
            options.names.get(&symbol).cloned().unwrap_or_else(|| options.notation.text(symbol))
        };
        for (position, dense) in trace.dense().iter().enumerate() {
            let layer = position + 1;
            for unit in 0..dense.units {
                let symbols = [Symbol::Sum(layer, unit), Symbol::Activation(layer, unit)].map(named);
                let bare = symbols[0].split_once('_').map_or("", |(_, name)| name);
                if symbols.iter().any(|own| own == text) || bare == text {
                    return Ok(Focus::Unit(layer, unit));
                }
                known.push(if bare.is_empty() { symbols[1].clone() } else { bare.to_owned() });
            }
        }
        if !text.chars().all(|c| c.is_ascii_digit() || c == '.') {
            let error = Error::unknown_name("unit", text, known);
            let help = error.help_text().unwrap_or_default().to_owned();
            let join = if help.ends_with('?') { " or" } else { "; or" };
            return Err(error.help(format!("{help}{join} write LAYER.UNIT, as 2.0")).into());
        }
        let numbers: Option<Vec<usize>> = text.split('.').map(|part| part.parse().ok()).collect();
        let Some(&[layer, unit]) = numbers.as_deref() else {
            return Err(Failure::usage(
                format!("`{text}` names no unit of the network"),
                "write LAYER.UNIT, for example `--unit 2.0`",
            ));
        };
        let layers = trace.dense().len();
        let Some(dense) = layer.checked_sub(1).and_then(|at| trace.dense().get(at)) else {
            return Err(Failure::usage(
                format!("there is no dense layer {layer}"),
                format!("the network has {layers}, counted from 1"),
            ));
        };
        if unit >= dense.units {
            return Err(Failure::usage(
                format!("layer {layer} has no unit {unit}"),
                format!("it has {}, counted from 0", dense.units),
            ));
        }
        Ok(Focus::Unit(layer, unit))
    }

    fn find(name: &str) -> Result<Example> {
        match examples::find(name) {
            Some(example) => Ok(example?),
            None => Err(Error::unknown_name("example", name, examples::NAMES).into()),
        }
    }

    fn conformance(&self, catalog: &Catalog, out: &Output) -> Result<()> {
        let all = examples::NAMES.iter().map(|name| Self::find(name)).collect::<Result<Vec<_>>>()?;
        let claims: Vec<(&str, &str, &[Claim])> =
            all.iter().map(|example| (example.name, "", &example.claims[..])).collect();
        let mut page = describe_claims(&claims, catalog);
        page.blocks[0] = pullback::explain::Block::Heading(1, catalog.get("examples_title").to_owned());
        match self.format {
            Format::Json
            | Format::Dot
            | Format::Svg
            | Format::Graph
            | Format::Animation
            | Format::Steps
            | Format::StepsJson => Err(Failure::usage(
                "the list of examples has no such form",
                "take `--format text`, `markdown` or `html`",
            )),
            _ => self.show(&page, Shown::Nothing, "", catalog, out),
        }
    }

    /// The steps of what is shown.
    fn show_steps(&self, shown: Shown<'_>, title: &str, catalog: &Catalog, out: &Output) -> Result<()> {
        let (Shown::Network(_, worked, ..) | Shown::Circuit(_, worked)) = shown else {
            return Err(Failure::usage(
                "the list of examples has no steps",
                "name one, as `--example mazur`",
            ));
        };
        let steps = Steps::of(worked)?;
        let level = match &self.level {
            Some(name) => {
                Level::from_name(name).ok_or_else(|| Error::unknown_name("level", name, Level::NAMES))?
            }
            None => steps.fitting_level(MOST_STEPS),
        };
        if self.format == Format::StepsJson {
            let document = steps.json(level, catalog)?;
            return match out.path() {
                None => print_json(&document),
                Some(_) => out.write(document.to_string().as_bytes()),
            };
        }
        let page = steps.document(title, level, catalog)?;
        match out.path() {
            None => print(&page.text(width(), false)),
            Some(_) => out.write(page.text(WIDTH, false).as_bytes()),
        }
    }

    fn show(
        &self,
        page: &Document,
        shown: Shown<'_>,
        title: &str,
        catalog: &Catalog,
        out: &Output,
    ) -> Result<()> {
        if matches!(self.format, Format::Steps | Format::StepsJson) {
            return self.show_steps(shown, title, catalog, out);
        }
        if self.level.is_some() {
            return Err(Failure::usage(
                "`--level` says how closely steps are shown, and the page shows none",
                "add `--format steps` or `--format steps-json`",
            ));
        }
        let trace = if let Shown::Network(trace, ..) = shown { Some(trace) } else { None };
        let section = match &self.section {
            None => None,
            Some(name) => Some(page.section(name, catalog).ok_or_else(|| {
                let has = SECTIONS.iter().filter(|(name, _)| page.section(name, catalog).is_some());
                let has: Vec<&str> = has.map(|(name, _)| *name).collect();
                Failure::usage(
                    format!("this page has no section {name}"),
                    if has.is_empty() {
                        "leave out `--section`".into()
                    } else if has.contains(&"layers") {
                        format!("it has {}; with `--layer all`, it has those of every page", has.join(", "))
                    } else {
                        format!("it has {}", has.join(", "))
                    },
                )
            })?),
        };
        let page = section.as_ref().unwrap_or(page);
        if matches!(self.format, Format::Svg | Format::Animation) {
            return self.draw(shown, catalog, out);
        }
        let graph = trace.filter(|_| section.is_none() && self.format != Format::Text);
        let graph = graph.and_then(|trace| diagram::svg(trace, catalog));
        if matches!(self.format, Format::Dot | Format::Graph) && trace.is_none() {
            return Err(Failure::usage(
                "a formula has no such form",
                "take `--format svg`, `animation`, `text`, `markdown`, `html` or `json`",
            ));
        }
        let document = match (self.format, shown) {
            (Format::Json, Shown::Network(trace, worked, training, focus)) => {
                Some(json::document(trace, title, (training, focus), Some(worked)))
            }
            (Format::Json, Shown::Circuit(circuit, worked)) => Some(json::circuit(circuit, title, worked)),
            _ => None,
        };
        let text = match (self.format, trace, document) {
            (_, _, Some(document)) if out.path().is_none() => return print_json(&document),
            (_, _, Some(document)) => document.to_string(),
            (Format::Dot, Some(trace), _) => diagram::dot(trace),
            (Format::Graph, Some(_), _) => graph.ok_or_else(|| {
                Failure::new(
                    format!("the graph has more than {} nodes, too many to be read", diagram::MOST_NODES),
                    "take `--format dot` and Graphviz, or a network of fewer layers",
                )
            })?,
            (Format::Markdown, _, _) => page.markdown(),
            (Format::Html, _, _) => {
                let picture = if section.is_none() { self.picture_of(shown, catalog)? } else { None };
                let drawings = Drawings { picture, graph };
                page.html(&drawings)
            }
            (_, _, _) if out.path().is_none() => {
                let (is_seen, width) = (std::io::stdout().is_terminal(), width());
                let plain = page.text(width, false);
                return match is_seen && std::env::var_os("NO_COLOR").is_none() {
                    true => print_colored(&plain, || page.text(width, true)),
                    false => print(&plain),
                };
            }
            (_, _, _) => page.text(WIDTH, false),
        };
        out.write(text.as_bytes())
    }
}

impl Explain {
    /// The picture or the animation of what is explained.
    fn draw(&self, shown: Shown<'_>, catalog: &Catalog, out: &Output) -> Result<()> {
        if let Some(section) = &self.section {
            return Err(Failure::usage(
                format!("a drawing has no section {section}"),
                "leave out `--section`, or take `--format text`, `markdown` or `html`",
            ));
        }
        let (Shown::Network(_, worked, ..) | Shown::Circuit(_, worked)) = shown else { return Ok(()) };
        let steps = drawing::steps(worked, self.own_notation()?)?;
        if self.format == Format::Svg {
            return drawing::write_picture(&steps, self.step, catalog, out);
        }
        let subtitles = drawing::subtitles(&mut Files::default(), out.path())?;
        drawing::write_animation(&steps, catalog, (out, subtitles.as_ref()))
    }

    /// The drawing of a page: of a formula with too many gates, and of a list, there is none.
    fn picture_of(&self, shown: Shown<'_>, catalog: &Catalog) -> Result<Option<String>> {
        let (Shown::Network(_, worked, ..) | Shown::Circuit(_, worked)) = shown else { return Ok(None) };
        let notation = self.own_notation()?;
        Ok(drawing::steps(worked, notation).ok().and_then(|steps| picture(&steps, None, catalog).ok()))
    }

    /// The notation that is asked for.
    fn own_notation(&self) -> Result<Option<Notation>> {
        let Some(name) = &self.notation else { return Ok(None) };
        let known = Notation::from_name(name);
        Ok(Some(known.ok_or_else(|| Error::unknown_name("notation", name, Notation::NAMES))?))
    }
}

/// So many steps are a page of 200 lines and less.
const MOST_STEPS: usize = 60;

/// What a page is of.
#[derive(Clone, Copy)]
enum Shown<'a> {
    Network(&'a Trace, &'a WorkedExample, &'a Training, Focus),
    Circuit(&'a Circuit, &'a WorkedExample),
    /// The list of examples.
    Nothing,
}

/// The layer that is asked for.
fn layer_focus(text: &str, trace: &Trace) -> Result<Focus> {
    if text == "all" {
        return Ok(Focus::EveryLayer);
    }
    let convolutions = trace.images().iter().filter(|images| images.filters.is_some()).count();
    let (digits, count, what) = match text.strip_prefix('c') {
        Some(digits) => (digits, convolutions, "convolution"),
        None => (text, trace.dense().len(), "dense layer"),
    };
    let Ok(number) = digits.parse::<usize>() else {
        return Err(Failure::usage(
            format!("`{text}` names no layer"),
            "write the number of a dense layer, as `--layer 2`, or of a convolution, as `--layer c1`; or `all`",
        ));
    };
    if !(1..=count).contains(&number) {
        return Err(Failure::usage(
            format!("there is no {what} {number}"),
            format!("the network has {}, counted from 1", counted(count, what)),
        ));
    }
    Ok(if what == "convolution" { Focus::Convolution(number) } else { Focus::Layer(number) })
}
