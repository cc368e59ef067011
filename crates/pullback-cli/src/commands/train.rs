//! `pullback train`: from data to a saved model and a report.

use super::evaluate::compare;
use super::explain::trace_of;
use super::rows::{Rows, TestRows};
use super::source::load;
use super::{ISA_HELP, check_writable, machine, print, print_json, write};
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::settings::Settings;
use crate::terminal::{WIDTH, count, entry, say, setting, time, typed};
use pullback::data::{Dataset, Preprocessing, Table};
use pullback::explain::{Catalog, diagnose};
use pullback::model::{Card, Fingerprint, Model};
use pullback::network::{Layer, Network};
use pullback::report::{Report, Series, curve, text};
use pullback::train::{Batch, GradientMethod, History, Stop, Training, train};
use pullback_data::ReadOptions;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(
    allow_negative_numbers = true,
    after_help = ISA_HELP
)]
pub(crate) struct Train {
    #[command(flatten)]
    settings: Settings,
    /// A TOML file with the same settings; flags go before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the settings of the run as a TOML file, and train nothing
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
    left_out: &'a [(String, String)],
    training_rows: usize,
    validation_rows: usize,
    test_rows: usize,
    is_tested_on_training_rows: bool,
    layers: Vec<String>,
    parameters: usize,
    training: &'a Training,
    /// What computed products of another precision than f32.
    #[serde(skip_serializing_if = "Option::is_none")]
    products: Option<&'a str>,
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
        let machine = machine(settings.threads.unwrap_or(0))?;
        let data_options = settings.data_options()?;
        let read_options = ReadOptions { threads: machine.thread_count(), ..settings.read_options()? };
        let parts = load(settings.data(), settings.seed(), &read_options)?;
        let table = &parts.train;
        if settings.target.is_empty() && table.target().is_none() {
            return Err(no_target(table));
        }
        for name in data_options.target.iter().chain(&data_options.ignore).chain(data_options.types.keys()) {
            table.column(name).map_err(|error| Failure::from(error).into_usage())?;
        }
        let rows = Rows::choose(&settings, &parts)?;
        let preprocessing = Preprocessing::fit(table, &rows.training, &data_options)?;
        let inputs = preprocessing.inputs();
        let network = settings.network(&preprocessing, rows.training.len())?;
        let training = settings.training(inputs, rows.training.len(), rows.validation.len())?;
        training.check::<f32>()?;
        let settings = settings.decided(&network, &training, rows.test_fraction, rows.validation_fraction);
        if self.print_config {
            return print(&settings.to_toml()?);
        }
        check_memory(&network, &training, rows.training.len())?;
        let out = settings.out.clone().unwrap_or_else(|| PathBuf::from("model.safetensors"));
        check_writable(&out, &[Path::new(settings.data())])?;
        let dataset: Dataset<f32> = preprocessing.apply(table)?;
        let tested = rows.tested(table)?;
        if let TestRows::Apart(table) = &rows.test {
            // What is wrong with them is better known before training.
            preprocessing.apply::<f32>(table)?;
        }

        if !self.quiet {
            for (name, why) in &preprocessing.left_out {
                say(format_args!("warning: column \"{name}\" is left out: {why}"));
            }
        }
        let mut progress = Progress::new(training.epochs, rows.training.len(), self.quiet || self.json);
        let trained =
            train(&network, &training, &dataset, &rows.training, &rows.validation, &machine, &mut progress)?;
        let seconds = progress.finish().as_secs_f64();
        refuse_diverged(&trained.history, &training)?;

        let model = Model {
            parameters: trained.parameters,
            card: Card {
                network,
                preprocessing,
                training: training.clone(),
                history: trained.history,
                data: Fingerprint::of(table, rows.training.len()),
                configuration: Settings { threads: None, out: None, ..settings.clone() }.to_json()?,
            },
        };
        let prediction = model.predict(&tested, &machine)?;
        if !prediction.numbers.iter().all(|number| number.is_finite()) {
            // The last step, whose weights no cost was computed with.
            return Err(diverged("after the last epoch", None, &training));
        }
        let report = compare(&model, &prediction, &tested)?;
        if !self.quiet && !self.json {
            warn_of_findings(&model, table, &rows.training)?;
        }
        write(&out, &model.to_bytes()?)?;

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
            left_out: &card.preprocessing.left_out,
            training_rows: rows.training.len(),
            validation_rows: rows.validation.len(),
            test_rows: tested.rows(),
            is_tested_on_training_rows: rows.is_tested_on_training_rows(),
            layers: card.network.layers.iter().map(Layer::describe).collect(),
            parameters: card.network.parameter_count()?,
            training: &training,
            products: (!training.precision.is_full())
                .then(|| training.precision.of_products().engine(machine.isa)),
            history: &card.history,
            seconds,
            samples_per_second: (card.history.epochs.len() * rows.training.len()) as f64 / seconds.max(1e-9),
            test: &report,
        };
        match (self.json, self.quiet) {
            (true, _) => print_json(&document),
            (false, true) => Ok(()),
            (false, false) => print(&render(&document, card, settings.data())),
        }
    }
}

fn no_target(table: &Table) -> Failure {
    let names: Vec<&str> = table.names().collect();
    let shown = names[..names.len().min(10)].join(", ");
    let more = if names.len() > 10 { format!(" and {} more", names.len() - 10) } else { String::new() };
    Failure::usage(
        format!("{} does not say which column to predict", table.source()),
        format!(
            "name it, for example `--target {}`; the columns are {shown}{more}",
            typed(names.last().unwrap_or(&"COLUMN"))
        ),
    )
}

/// Refuses a network for which there is no memory: running out of it would end the process.
fn check_memory(network: &Network, training: &Training, rows: usize) -> Result<()> {
    /// A weight, its gradient, the best one, what the optimizer keeps of it, and its initial value in f64.
    const NUMBERS_PER_WEIGHT: f64 = 7.0;
    /// What the forward pass computes, and about as much on the way back.
    const PASSES: f64 = 2.0;
    let batch = match training.batch {
        Batch::Of(examples) => examples.min(rows),
        Batch::Full => rows,
    };
    let memory = network.memory(batch)?;
    let (weights, activations) = (memory.parameters as f64, memory.activations as f64);
    let bytes = size_of::<f32>() as f64 * (NUMBERS_PER_WEIGHT * weights + PASSES * activations);
    if Vec::<u8>::new().try_reserve_exact(bytes as usize).is_ok() {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "a network of {} parameters in batches of {batch} needs {} GB of memory, which there is not",
            count(weights),
            count((bytes / 1e9).ceil())
        ),
        "give it fewer units with `--hidden`, or make batches smaller with `--batch`",
    ))
}

/// Refuses a run without a result.
fn refuse_diverged(history: &History, training: &Training) -> Result<()> {
    match (history.stop, history.kept_epoch) {
        (Stop::Diverged { epoch, step }, _) => {
            let place = format!("in epoch {}, step {}", epoch + 1, step + 1);
            Err(diverged(&place, history.blame.as_ref().map(|blame| &blame.node[..]), training))
        }
        (_, None) => Err(diverged("of the validation rows", None, training)),
        _ => Ok(()),
    }
}

fn diverged(place: &str, blame: Option<&str>, training: &Training) -> Failure {
    let rate = training.learning_rate();
    let tenth = format!("{:.1e}", rate / 10.0).parse().unwrap_or(rate);
    let lower = f64::min(tenth, training.optimizer.conventional_rate());
    Failure::new(
        match blame {
            Some(node) => format!(
                "the cost {place} is not a finite number, which first arises in {node}; no model is saved"
            ),
            None => format!("the cost {place} is not a finite number; no model is saved"),
        },
        format!(
            "try a lower learning rate than {}, for example `--learning-rate {}`, or `--clip-norm 1`",
            setting(rate),
            setting(lower)
        ),
    )
}

fn render(document: &Document<'_>, card: &Card, data: &str) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| entry(&mut out, name, &value);
    line("data", format!("{}: {} rows, {} inputs", card.data.source, card.data.rows, card.network.inputs));
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
    let layers = match document.layers.len() {
        0..=12 => document.layers.join(", "),
        many => format!("{many} layers"),
    };
    line("network", format!("{} inputs, {layers}; {} parameters", card.network.inputs, document.parameters));
    let training = document.training;
    line(
        "training",
        format!(
            "{}, learning rate {}, batch {}, seed {}",
            training.optimizer.name(),
            setting(training.learning_rate()),
            training.batch,
            training.seed
        ),
    );
    line("cost", card.network.cost.to_string());
    match training.gradient {
        GradientMethod::Back => {}
        GradientMethod::Forward => line("gradient", "by forward mode, one sweep a weight".into()),
        GradientMethod::Differences => line("gradient", "by differences, two runs a weight".into()),
    }
    if let Some(engine) = document.products {
        let engine = match engine {
            "f32" => "computed in f32, which is as exact, and faster without AMX".to_owned(),
            engine => format!("by {engine}; sums and weights in f32"),
        };
        line("products", format!("{}, {engine}", training.precision.name()));
    }
    let epochs = document.history.epochs.len();
    let why = match (document.history.stop, document.history.kept_epoch) {
        (Stop::NoImprovement, Some(kept)) => format!(", stopped early: epoch {} was best", kept + 1),
        (_, Some(kept)) if kept + 1 < epochs => format!(", epoch {} was best", kept + 1),
        _ => String::new(),
    };
    line(
        "time",
        format!(
            "{epochs} {} in {}, {} samples/s{why}",
            if epochs == 1 { "epoch" } else { "epochs" },
            time(Duration::from_secs_f64(document.seconds)),
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
    let model = typed(&document.model);
    let _ = writeln!(out, "\nsaved {}; next:", document.model);
    let _ = writeln!(out, "  pullback inspect {model}");
    let _ = writeln!(out, "  pullback predict {model} {} --out predictions.csv", typed(data));
    out
}

/// So many rows tell which units never pass anything back.
const DIAGNOSED_ROWS: usize = 64;
/// Larger networks are not looked at unasked.
const MOST_DIAGNOSED: usize = 1 << 20;

/// Says what stood in the way of training, where it is more than a few units: `explain` shows the rest.
fn warn_of_findings(model: &Model<f32>, table: &Table, training_rows: &[usize]) -> Result<()> {
    if model.card.network.parameter_count()? > MOST_DIAGNOSED {
        return Ok(());
    }
    let rows = &training_rows[..training_rows.len().min(DIAGNOSED_ROWS)];
    let wide = |numbers: &Vec<f32>| numbers.iter().map(|&x| f64::from(x)).collect();
    let model = Model { parameters: model.parameters.iter().map(wide).collect(), card: model.card.clone() };
    let trace = trace_of(&model, &table.select(rows)?, 0, rows.len())?;
    let catalog = Catalog::english();
    for finding in diagnose(&trace) {
        let is_local = matches!(finding.key, "dead" | "inactive" | "saturated");
        let units = trace.dense().get(finding.layer.saturating_sub(1)).map_or(0, |dense| dense.units);
        if !is_local || finding.count * 2 >= units {
            say(format_args!("warning: {}", finding.text(&catalog)));
        }
    }
    Ok(())
}
