//! `pullback lab`: the page in the browser, with an example of one's own or a row of a model.

use crate::failure::{Failure, Result};
use crate::files::read_text;
use crate::language;
use crate::machine::free_memory;
use crate::page::{self, Server};
use crate::source::{Chosen, DataFlags, load_network};
use crate::terminal::{print, say};
use crate::traced::expression_of;
use pullback::Error;
use pullback::explain::{Catalog, Notation, Subject, WorkedExample, examples, worked_rows};
use pullback::job::memory;
use pullback::network::Mode;
use pullback::report::number::counted;
use std::path::{Path, PathBuf};

/// The page keeps all numbers of what it opens in the browser's memory.
const MOST_WEIGHTS: usize = 500_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Lab {
    /// The model file to look into
    model: Option<PathBuf>,
    #[command(flatten)]
    source: DataFlags,
    /// The row that is shown, counted from 1
    #[arg(long, default_value_t = 1)]
    row: usize,
    /// Which network of an ensemble, counted from 1
    #[arg(long, value_name = "NUMBER")]
    member: Option<usize>,
    /// The weight that is chosen first, as LAYER.TO.FROM: 2.1.0
    #[arg(long, value_name = "WEIGHT")]
    weight: Option<String>,
    /// A worked example of your own: a TOML or JSON file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "example"])]
    file: Option<PathBuf>,
    /// A formula: "(x + y) * z"
    #[arg(long, value_name = "FORMULA", allow_hyphen_values = true, conflicts_with_all = ["model", "example", "file"])]
    expression: Option<String>,
    /// The numbers of the formula's variables: x=-2,y=5
    #[arg(
        long,
        value_name = "NAME=NUMBER,...",
        value_delimiter = ',',
        allow_hyphen_values = true,
        requires = "expression"
    )]
    at: Vec<String>,
    /// A well-known worked example: mazur, wikidocs, ng, circuit, micrograd, xor
    #[arg(long, value_name = "NAME", conflicts_with = "model")]
    example: Option<String>,
    /// The language: en, ko [default: by the locale]
    #[arg(long)]
    lang: Option<String>,
    /// The port on this machine; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Only say where the page is, and open no browser
    #[arg(long)]
    no_open: bool,
    /// Write the page into a new folder, from which any web server shows it, instead of showing it
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["port", "no_open"])]
    out: Option<PathBuf>,
}

impl Lab {
    pub(super) fn run(&self) -> Result<()> {
        let catalog = language::catalog(self.lang.as_deref(), None)?;
        let language = catalog.language;
        let given = self.given(&catalog)?;
        let mut hash = vec![format!("lang={language}")];
        if let Some(name) = &self.example {
            if !examples::NAMES.contains(&name.as_str()) {
                return Err(Error::unknown_name("example", name, examples::NAMES).into());
            }
            hash.push(format!("example={name}"));
        }
        if let Some(given) = &given {
            hash.push(format!("open={}", Server::GIVEN));
            let view = if matches!(given.subject, Subject::Expression(_)) { "formula" } else { "step" };
            hash.push(format!("view={view}"));
        }
        if let Some(weight) = &self.weight {
            if weight.split('.').count() != 3 || weight.split('.').any(|part| part.parse::<usize>().is_err())
            {
                return Err(Failure::usage(
                    format!("--weight: `{weight}` names no weight"),
                    "write LAYER.TO.FROM, layers counted from 1, units from 0: 2.1.0",
                ));
            }
            hash.push(format!("weight={weight}"));
        }
        let given = given.map(|given| given.to_json().to_string());
        if let Some(folder) = &self.out {
            return write(folder, given.as_deref(), &hash.join("&"));
        }
        let server = Server::bind(self.port, given);
        let server = server.map_err(|error| {
            Failure::new(
                format!("port {} cannot be taken: {error}", self.port),
                "leave out `--port`, or take another",
            )
        })?;
        let address = format!("{}#{}", server.address().map_err(unserved)?, hash.join("&"));
        print(&format!("The page is at {address}\nCtrl-C ends it.\n"))?;
        if !self.no_open && open::that_detached(&address).is_err() {
            say(format_args!("note: no browser could be opened; open the address yourself"));
        }
        server.serve().map_err(unserved)
    }

    /// What the page opens, if it is not a built-in example.
    fn given(&self, catalog: &Catalog) -> Result<Option<WorkedExample>> {
        if let Some(path) = &self.file {
            return Ok(Some(WorkedExample::parse(&read_text(path)?, &path.display().to_string())?));
        }
        if let Some(text) = &self.expression {
            return Ok(Some(WorkedExample {
                title: String::new(),
                source: String::new(),
                notation: Notation::default(),
                language: None,
                subject: Subject::Expression(expression_of(text, None, &self.at)?),
                expect: Vec::new(),
            }));
        }
        let Some(path) = &self.model else { return Ok(None) };
        let model = load_network(path, self.member, catalog)?;
        let count: usize = model.parameters().iter().map(|own| own.len()).sum();
        if count > MOST_WEIGHTS {
            return Err(Failure::new(
                format!("the model has {}, more than a page can show", counted(count, "weight")),
                "see them with `pullback explain`",
            ));
        }
        let Chosen { table, .. } = self.source.chosen(&model.trained()?, catalog)?;
        let rows = table.rows();
        let Some(row) = self.row.checked_sub(1).filter(|row| *row < rows) else {
            return Err(Failure::usage(
                format!("{} has {}, counted from 1", table.source(), counted(rows, "row")),
                format!("choose from 1 to {rows} with `--row`"),
            ));
        };
        memory::check(model.network(), 1, memory::Work::Trace, free_memory())?;
        let names = model.trained()?.preprocessing.target().output_names();
        let worked = worked_rows(&model, &table, row..row + 1, Mode::Evaluation, names)?;
        Ok(Some(WorkedExample { title: format!("{}, row {}", table.source(), self.row), ..worked }))
    }
}

/// Writes the page into a folder that holds nothing else.
fn write(folder: &Path, given: Option<&str>, hash: &str) -> Result<()> {
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::usage(
            format!("--out: {} is not empty", folder.display()),
            "name a folder that is not there yet: the page is a folder of its own",
        ));
    }
    page::write(folder, given).map_err(|error| {
        Failure::new(format!("{} cannot be written: {error}", folder.display()), "take another folder")
    })?;
    print(&format!(
        "The page is in {}: put it on any web server and open index.html#{hash}\n",
        folder.display()
    ))
}

fn unserved(error: std::io::Error) -> Failure {
    Failure::new(format!("the page cannot be served: {error}"), "try again")
}
