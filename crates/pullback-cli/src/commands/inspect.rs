//! `pullback inspect`: what a model is and how it was trained.

use crate::config_file::to_toml;
use crate::failure::{Failure, Result};
use crate::source::settings_of;
use crate::terminal::{
    began_with, entry, figure, padded, percent, print, print_json, print_raw, setting, shortened, steps,
    width, wrapped,
};
use pullback::data::{Encoding, Feature, Target, TimePart};
use pullback::explain::Catalog;
use pullback::model::{Began, Model, Trained};
use pullback::network::{Regularization, Role};
use pullback::report::number::{counted, significant};
use pullback::train::{Schedule, Stop, Training};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;

/// At most so many columns and layers are listed one by one.
const MOST_LINES: usize = 20;
/// At most so many categories or classes are listed.
const MOST_NAMES: usize = 20;
/// The width of the names of columns.
const NAME: usize = 24;

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// The model file
    model: PathBuf,
    /// Print everything but the weights as JSON
    #[arg(long, conflicts_with = "print_config")]
    json: bool,
    /// Print the settings that train this model again, as a TOML file for `train --config`
    #[arg(long)]
    print_config: bool,
}

impl Inspect {
    pub(super) fn run(&self) -> Result<()> {
        let model = Model::<f32>::load(&self.model)?;
        if let Ok(trained) = model.trained() {
            settings_of(&trained)?;
        }
        if self.print_config {
            let settings = settings_of(&model.trained()?)?.ok_or_else(|| {
                Failure::new(
                    format!("{} does not say with which settings it was trained", self.model.display()),
                    "give a model that `pullback train` saved",
                )
            })?;
            return print_raw(to_toml(&settings)?.as_bytes());
        }
        if self.json {
            return print_json(&model.description());
        }
        let mut out = String::new();
        let card = &model.trained()?;
        data(&mut out, card);
        if model.member_count() > 1 {
            let count = model.member_count();
            entry(
                &mut out,
                "ensemble",
                &format!("{count} networks, whose predictions are averaged; the first:"),
            );
        }
        layers(&mut out, &model)?;
        columns(&mut out, card);
        if let Some(temperature) = model.temperature() {
            let told = format!("probabilities by temperature {}", significant(temperature.get(), 4));
            out.push('\n');
            entry(&mut out, "calibrate", &told);
        }
        training(&mut out, card, model.run().and_then(|run| run.began.as_ref()));
        print(&out)
    }
}

fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(MOST_NAMES).map(|name| shortened(name, NAME)).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn data(out: &mut String, card: &Trained<'_>) {
    let data = card.data;
    entry(
        out,
        "data",
        &format!("{}: {}, {} of them trained on", data.source, counted(data.rows, "row"), data.trained_rows),
    );
    let target = card.preprocessing.target();
    let what = match target.target() {
        Target::Regression { .. } => "numbers".to_owned(),
        Target::Labels { words } => {
            let mut words: Vec<String> = words.iter().map(|[no, yes]| format!("{no} or {yes}")).collect();
            words.dedup();
            format!("{}, {}", counted(target.names().len(), "label"), listed(&words))
        }
        _ => listed(&card.preprocessing.spelled_classes().unwrap_or_default()),
    };
    entry(out, "target", &format!("{}: {what} ({})", listed(target.names()), target.reason()));
}

fn layers(out: &mut String, model: &Model<f32>) -> Result<()> {
    let network = model.network();
    let specification = network.parameters()?;
    // The columns of numbers, and their spaces, take the rest.
    let what = width().saturating_sub(55).clamp(8, NAME);
    let _ = writeln!(
        out,
        "\nlayer  {:what$}  {:>14}  {:>10}  {:>10}",
        "what", "weights", "parameters", "largest"
    );
    let image = network.image.map_or(String::new(), |image| format!(", images of {image}"));
    let _ = writeln!(out, "{:5}  {}{image}", "", counted(network.inputs, "input"));
    for (index, layer) in network.layers.iter().enumerate().take(MOST_LINES) {
        let weights =
            specification.iter().find(|p| p.layer == Some(index) && matches!(p.role, Role::Weight(_)));
        let shape = weights.map_or(String::new(), |weights| {
            let sizes: Vec<String> = weights.shape.sizes().iter().map(usize::to_string).collect();
            sizes.join(" x ")
        });
        let numbers: Vec<f32> = specification
            .iter()
            .zip(model.parameters())
            .filter(|(parameter, _)| parameter.layer == Some(index) && parameter.role.is_trained())
            .flat_map(|(_, numbers)| numbers)
            .copied()
            .collect();
        let figures = if numbers.is_empty() {
            String::new()
        } else {
            let largest = numbers.iter().fold(0.0f32, |most, number| most.max(number.abs()));
            format!("  {shape:>14}  {:>10}  {:>10}", numbers.len(), figure(largest.into()))
        };
        let line = format!("{index:>5}  {:what$}{figures}", shortened(&layer.describe(), what));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if network.layers.len() > MOST_LINES {
        let _ = writeln!(out, "{:5}  and {} more", "", network.layers.len() - MOST_LINES);
    }
    let _ = writeln!(out, "{:5}  {:what$}  {:>14}  {:>10}", "", "in all", "", network.parameter_count()?);
    Ok(())
}

fn columns(out: &mut String, card: &Trained<'_>) {
    let _ = writeln!(out, "\n{:NAME$}  becomes", "column");
    let features = card.preprocessing.features();
    for Feature { name, encoding } in features.iter().take(MOST_LINES) {
        let how = match encoding {
            Encoding::Numeric(numeric) => {
                let scaled = scaled("x", numeric.center(), numeric.spread());
                let clip = numeric.clip().map(|clip| format!(", clipped smoothly to {}", figure(clip)));
                let scaled = match numeric.quantiles() {
                    Some(quantiles) => format!("normal by its rank among {quantiles} quantiles"),
                    None => scaled,
                };
                let pieces = match numeric.pieces() {
                    0 => String::new(),
                    pieces => format!("; {pieces} pieces between quantiles"),
                };
                let clip = clip.unwrap_or_default();
                let missing = if numeric.tells_missing() { ", and an input that tells so" } else { "" };
                format!("{scaled}{clip}{pieces}; missing: {}{missing}", figure(numeric.fill()))
            }
            Encoding::Categorical(categorical) => {
                let categories = categorical.categories();
                let missing = match categorical.missing() {
                    Some(at) => format!("; missing: {}", shortened(&categories[at], NAME)),
                    None => String::new(),
                };
                format!("one of {}: {}{missing}", categories.len(), listed(categories))
            }
            Encoding::Time(time) => {
                let part = |part: &TimePart| match part {
                    TimePart::Trend { .. } => "trend",
                    TimePart::Year { .. } => "year",
                    TimePart::Month => "12 months",
                    TimePart::Weekday => "7 days of the week",
                    TimePart::Hour => "24 hours",
                };
                time.parts().iter().map(part).collect::<Vec<_>>().join(", ")
            }
            Encoding::Bytes(pixels) => {
                let sides: Vec<String> = pixels.shape().iter().map(usize::to_string).collect();
                format!("{} bytes, each {}", sides.join(" x "), scaled("x", pixels.center(), pixels.spread()))
            }
            _ => String::new(),
        };
        let _ = writeln!(out, "{}  {}", padded(&shortened(name, NAME), NAME), wrapped(&how, NAME + 2));
    }
    if features.len() > MOST_LINES {
        let _ = writeln!(out, "and {} more", features.len() - MOST_LINES);
    }
    for (name, why) in card.preprocessing.left_out() {
        let why = format!("left out: {why}");
        let _ = writeln!(out, "{}  {}", padded(&shortened(name, NAME), NAME), wrapped(&why, NAME + 2));
    }
}

/// `(x - 5.8393) / 0.8045`
fn scaled(x: &str, center: f64, spread: f64) -> String {
    let centered = match center {
        0.0 => x.to_owned(),
        _ if center < 0.0 => format!("({x} + {})", figure(-center)),
        _ => format!("({x} - {})", figure(center)),
    };
    if spread == 1.0 { centered } else { format!("{centered} / {}", figure(spread)) }
}

fn training(out: &mut String, card: &Trained<'_>, began: Option<&Began>) {
    let Training { epochs, optimizer, schedule, clip_norm, early_stopping, shuffle, seed, .. } =
        card.training;
    out.push('\n');
    let Regularization { l1, l2, divide_by_batch } = card.network.regularization;
    let mut cost = card.network.cost.to_string();
    for (name, strength) in [("l1", l1), ("l2", l2)] {
        if strength > 0.0 {
            let _ = write!(cost, ", {name} {}", setting(strength));
        }
    }
    if divide_by_batch && l1 + l2 > 0.0 {
        cost.push_str(" divided by the batch's examples");
    }
    entry(out, "cost", &cost);
    if let Some(column) = card.preprocessing.weights() {
        entry(out, "weights", &format!("of rows by \"{column}\"; costs and figures are weighted"));
    }
    if let Some(classes) = card.configuration.get("class_weights") {
        let texts: Vec<&str> =
            classes.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
        entry(out, "classes", &format!("weighted in the cost: {}", texts.join(", ")));
    }
    let Schedule { warmup_epochs, shape } = schedule;
    let mut course = format!(", schedule {}", told(shape));
    if *warmup_epochs > 0.0 {
        let _ = write!(course, " after {} epochs of warm-up", setting(*warmup_epochs));
    }
    if let Some(norm) = clip_norm {
        let _ = write!(course, ", gradient clipped to {}", setting(*norm));
    }
    if !card.training.precision.is_full() {
        let _ = write!(course, ", products in {}", card.training.precision.name());
    }
    let order = if *shuffle { "" } else { ", not shuffled" };
    let how = format!(
        "{}{}{order}, seed {seed}",
        told(optimizer),
        steps(card.training, &course, &Catalog::english())
    );
    entry(out, "training", &how);
    if let Some(began) = began {
        entry(out, "from", &began_with(began, &Catalog::english()));
    }
    let mut until = format!("at most {epochs} epochs");
    if let Some(stopping) = early_stopping {
        let metric = card.training.metric;
        let _ = write!(until, "; fewer if validation {metric} has not improved for {}", stopping.patience);
    }
    entry(out, "until", &until);
    let history = card.history;
    let end = match history.stop {
        Stop::Finished => "all epochs done",
        Stop::NoImprovement => "validation did not improve",
        Stop::Converged => "the search for a lower cost was over",
        Stop::Observer => "stopped from outside",
        Stop::Diverged { .. } => "the cost was no finite number",
    };
    entry(out, "ended", &format!("after {} epochs: {end}", history.epoch_count));
    if let Some((kept, epoch)) = history.kept_epoch.zip(history.kept()) {
        let mut figures = format!("epoch {}: cost {}", kept + 1, figure(epoch.cost));
        if let Some(cost) = epoch.validation_cost {
            let _ = write!(figures, ", validation cost {}", figure(cost));
        }
        if let Some(accuracy) = epoch.validation_accuracy {
            let _ = write!(figures, ", accuracy {}", percent(accuracy));
        }
        if let Some(value) = epoch.watched {
            let _ = write!(figures, ", {} {}", card.training.metric, figure(value));
        }
        entry(out, "kept", &figures);
    }
}

/// A choice with its settings: `adam (beta_1 0.9, beta_2 0.999, epsilon 1e-8)`.
fn told(choice: &impl Serialize) -> String {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(choice) else { return String::new() };
    let name = fields.get("kind").and_then(serde_json::Value::as_str).unwrap_or_default();
    let settings: Vec<String> = fields
        .iter()
        .filter_map(|(key, value)| Some(format!("{key} {}", setting(value.as_f64()?))))
        .collect();
    if settings.is_empty() { name.to_owned() } else { format!("{name} ({})", settings.join(", ")) }
}
