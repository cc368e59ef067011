//! `pullback train`: from data to a saved model and a report.

use super::rows::{TestRows, rows};
use super::source::load;
use super::{print, print_json};
use crate::failure::{Failure, Result};
use crate::progress::{Progress, count};
use crate::settings::Settings;
use pullback::data::{Dataset, Preprocessing, Table};
use pullback::model::{Card, Fingerprint, Model};
use pullback::report::{Report, Series, curve, text};
use pullback::train::{History, Stop, train};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;

/// The width of the report.
const WIDTH: usize = 78;
#[derive(Debug, clap::Args)]
pub(crate) struct Train {
    #[command(flatten)]
    settings: Settings,
    /// A TOML file with the same settings; flags go before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the settings as a TOML file, and train nothing
    #[arg(long)]
    print_config: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Show no progress and no report
    #[arg(long, short)]
    quiet: bool,
}

/// The JSON report of a training run.
#[derive(Serialize)]
struct Document<'a> {
    /// The version of this document's layout.
    version: u32,
    model: String,
    data: &'a Fingerprint,
    task: &'a str,
    reason: &'a str,
    training_rows: usize,
    validation_rows: usize,
    test_rows: usize,
    is_tested_on_training_rows: bool,
    layers: Vec<String>,
    parameters: usize,
    training: &'a pullback::train::Training,
    history: &'a History,
    seconds: f64,
    samples_per_second: f64,
    test: &'a Report,
}

impl Train {
    pub(super) fn run(&self) -> Result<()> {
        let settings = match &self.config {
            Some(path) => self.settings.over_file(path)?,
            None => self.settings.clone(),
        };
        if self.print_config {
            let text = toml::to_string(&settings).map_err(|error| {
                Failure::new(format!("the settings make no TOML: {error}"), "report this")
            })?;
            return print(&text);
        }
        let data_options = settings.data_options()?;
        let parts = load(settings.data(), settings.seed(), &settings.read_options()?)?;
        let table = &parts.train;
        for name in data_options.target.iter().chain(&data_options.ignore).chain(data_options.types.keys()) {
            table.column(name).map_err(|error| Failure::from(error).into_usage())?;
        }
        if settings.target.is_empty() && table.target().is_none() {
            let columns: Vec<&str> = table.names().collect();
            return Err(Failure::usage(
                format!("{} does not say which column to predict", settings.data()),
                format!("name it with `--target COLUMN`; its columns are {}", columns.join(", ")),
            ));
        }
        let rows = rows(&settings, &parts)?;
        let preprocessing = Preprocessing::fit(table, &rows.training, &data_options)?;
        let dataset: Dataset<f32> = preprocessing.apply(table)?;
        let network =
            settings.network(dataset.inputs(), rows.training.len(), &preprocessing.target.target)?;
        let training = settings.training(dataset.inputs(), rows.training.len(), rows.validation.len())?;

        let mut progress = Progress::new(training.epochs, rows.training.len(), self.quiet || self.json);
        if !self.quiet && !self.json {
            for (name, why) in &preprocessing.left_out {
                eprintln!("warning: column \"{name}\" is left out: {why}");
            }
        }
        let trained = train(&network, &training, &dataset, &rows.training, &rows.validation, &mut progress)?;
        let seconds = progress.finish().as_secs_f64();
        if let Stop::Diverged { epoch, step } = trained.history.stop {
            let rate = training.learning_rate();
            return Err(Failure::new(
                format!(
                    "the cost stopped being a finite number in epoch {}, step {}; no model is saved",
                    epoch + 1,
                    step + 1
                ),
                format!(
                    "try a lower learning rate than {rate}, for example `--learning-rate {}`, or `--clip-norm 1`",
                    rate / 10.0
                ),
            ));
        }

        let configuration = serde_json::to_value(Settings { threads: None, out: None, ..settings.clone() })
            .map_err(|error| {
            Failure::new(format!("the settings make no JSON: {error}"), "report this")
        })?;
        let model = Model {
            parameters: trained.parameters,
            card: Card {
                network,
                preprocessing,
                // The number of threads changes nothing, so it is no part of a model.
                training: pullback::train::Training { threads: 0, ..training.clone() },
                history: trained.history,
                data: Fingerprint::of(table, rows.training.len()),
                configuration,
            },
        };
        let tested = match &rows.test {
            TestRows::HeldOut(rows) => &table.select(rows)?,
            TestRows::Training => &table.select(&rows.training)?,
            TestRows::Apart(table) => table,
        };
        let report = measure(&model, tested, training.thread_count())?;
        let out = settings.out.clone().unwrap_or_else(|| PathBuf::from("model.safetensors"));
        model.save(&out)?;

        let card = &model.card;
        let document = Document {
            version: 1,
            model: out.display().to_string(),
            data: &card.data,
            task: match card.preprocessing.target.target.task() {
                pullback::data::Task::Binary => "binary",
                pullback::data::Task::Classes => "classes",
                pullback::data::Task::Regression => "regression",
            },
            reason: &card.preprocessing.target.reason,
            training_rows: rows.training.len(),
            validation_rows: rows.validation.len(),
            test_rows: tested.rows(),
            is_tested_on_training_rows: matches!(rows.test, TestRows::Training),
            layers: card.network.layers.iter().map(pullback::network::Layer::describe).collect(),
            parameters: card.network.parameter_count()?,
            training: &training,
            history: &card.history,
            seconds,
            samples_per_second: (card.history.epochs.len() * rows.training.len()) as f64 / seconds.max(1e-9),
            test: &report,
        };
        match (self.json, self.quiet) {
            (true, _) => print_json(&document),
            (false, true) => Ok(()),
            (false, false) => print(&self.render(&document, card, settings.data())),
        }
    }

    fn render(&self, document: &Document<'_>, card: &Card, data: &str) -> String {
        let mut out = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(out, "{name:9} {value}");
        };
        line(
            "data",
            format!("{}: {} rows, {} inputs", card.data.source, card.data.rows, card.network.inputs),
        );
        let target = &card.preprocessing.target;
        let shown = match target.target.classes() {
            Some(classes) => format!("{} classes", classes.len()),
            None => "numbers".to_owned(),
        };
        line("target", format!("{}: {shown} ({})", target.names.join(", "), document.reason));
        let validation = match document.validation_rows {
            0 => String::new(),
            rows => format!(", {rows} for validation"),
        };
        let test = match document.is_tested_on_training_rows {
            true => "tested on the same rows".to_owned(),
            false => format!("{} to test on", document.test_rows),
        };
        line("rows", format!("{} to train on{validation}, {test}", document.training_rows));
        let layers = format!("{} inputs, {}", card.network.inputs, document.layers.join(", "));
        let layers = match document.layers.len() {
            0..=12 => layers,
            many => format!("{} inputs, {many} layers", card.network.inputs),
        };
        line("network", format!("{layers}; {} parameters", document.parameters));
        let training = document.training;
        line(
            "training",
            format!(
                "{}, learning rate {}, batch {}, seed {}",
                training.optimizer.name(),
                training.learning_rate(),
                training.batch,
                training.seed
            ),
        );
        line("cost", card.network.cost.to_string());
        let epochs = document.history.epochs.len();
        let why = match (document.history.stop, document.history.kept_epoch) {
            (Stop::NoImprovement, Some(kept)) => format!(", stopped early: epoch {} was best", kept + 1),
            (_, Some(kept)) if kept + 1 < epochs => format!(", epoch {} was best", kept + 1),
            _ => String::new(),
        };
        line(
            "time",
            format!(
                "{epochs} epochs in {:.2} s, {} samples/s{why}",
                document.seconds,
                count(document.samples_per_second)
            ),
        );
        let history = &document.history.epochs;
        let costs: Vec<f64> = history.iter().map(|epoch| epoch.cost).collect();
        let validation: Vec<f64> = history.iter().filter_map(|epoch| epoch.validation_cost).collect();
        let mut series = vec![Series { name: "cost in training", values: &costs, mark: '*' }];
        if !validation.is_empty() {
            series.push(Series { name: "cost in validation", values: &validation, mark: 'o' });
        }
        let drawing = curve(&series, WIDTH, 13);
        if !drawing.is_empty() {
            let _ = write!(out, "\n{drawing}");
        }
        let where_from = if document.is_tested_on_training_rows { "training" } else { "test" };
        let _ = write!(out, "\n{where_from} {}", text::render(document.test));
        let _ = writeln!(out, "\nsaved {}; next:", document.model);
        let _ = writeln!(out, "  pullback inspect {}", document.model);
        let _ = writeln!(out, "  pullback predict {} {data} --out predictions.csv", document.model);
        out
    }
}

/// How good a model is on the rows of a table.
pub(super) fn measure(model: &Model<f32>, table: &Table, threads: usize) -> Result<Report> {
    let target = &model.card.preprocessing.target;
    let targets = target.apply::<f32>(table)?;
    let prediction = model.predict(table, threads)?;
    Ok(Report::new(&prediction, &targets, &target.target, &target.names))
}
