//! `pullback inspect`: what a model is and how it was trained.

use super::{print, print_json};
use crate::failure::Result;
use pullback::data::{Encoding, Target};
use pullback::model::Model;
use pullback::network::Layer;
use std::fmt::Write;
use std::path::PathBuf;

/// At most so many columns and layers are listed one by one.
const MOST_LINES: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// The model file
    model: PathBuf,
    /// Print everything but the weights as JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(&self) -> Result<()> {
        let model = Model::<f32>::load(&self.model)?;
        if self.json {
            return print_json(&model.card);
        }
        print(&render(&model)?)
    }
}

fn render(model: &Model<f32>) -> Result<String> {
    let card = &model.card;
    let mut out = String::new();
    let data = &card.data;
    let _ = writeln!(out, "trained on {} of {} rows of {}", data.trained_rows, data.rows, data.source);
    let target = &card.preprocessing.target;
    let what = match &target.target {
        Target::Regression { .. } => "numbers".to_owned(),
        classes => classes.classes().unwrap_or_default().join(", "),
    };
    let _ = writeln!(out, "predicts   {}: {what}", target.names.join(", "));

    let _ = writeln!(out, "\nlayer  what                      parameters   largest weight");
    let specification = card.network.parameters()?;
    let layers: Vec<(usize, &Layer)> = card.network.layers.iter().enumerate().collect();
    for (index, layer) in layers.iter().take(MOST_LINES) {
        let own =
            specification.iter().zip(&model.parameters).filter(|(parameter, _)| parameter.layer == *index);
        let numbers: Vec<f32> = own
            .filter(|(parameter, _)| parameter.role.is_trained())
            .flat_map(|(_, numbers)| numbers)
            .copied()
            .collect();
        let figures = if numbers.is_empty() {
            String::new()
        } else {
            let largest = numbers.iter().fold(0.0f32, |most, number| most.max(number.abs()));
            format!("{:>10} {largest:>16.4}", numbers.len())
        };
        let _ = writeln!(out, "{index:>5}  {:24}  {figures}", layer.describe());
    }
    if layers.len() > MOST_LINES {
        let _ = writeln!(out, "       and {} more", layers.len() - MOST_LINES);
    }
    let _ = writeln!(out, "       {:24}  {:>10}", "in all", card.network.parameter_count()?);
    let _ = writeln!(out, "cost   {}", card.network.cost);

    let _ = writeln!(out, "\ncolumn                    becomes");
    let features = &card.preprocessing.features;
    for feature in features.iter().take(MOST_LINES) {
        let how = match &feature.encoding {
            Encoding::Numeric { center, spread, fill } => {
                format!("(x - {center:.4}) / {spread:.4}; missing: {fill:.4}")
            }
            Encoding::Categorical { categories, .. } => format!("one of {} categories", categories.len()),
            Encoding::Bytes { shape, center, spread } => {
                format!("(byte - {center:.4}) / {spread:.4}, shape {shape:?}")
            }
        };
        let name: String = feature.name.chars().take(24).collect();
        let _ = writeln!(out, "{name:24}  {how}");
    }
    if features.len() > MOST_LINES {
        let _ = writeln!(out, "and {} more", features.len() - MOST_LINES);
    }
    for (name, why) in &card.preprocessing.left_out {
        let _ = writeln!(out, "{name:24}  left out: {why}");
    }

    let training = &card.training;
    let _ = writeln!(
        out,
        "\ntraining   {}, learning rate {}, batch {}, at most {} epochs, seed {}",
        training.optimizer.name(),
        training.learning_rate(),
        training.batch,
        training.epochs,
        training.seed
    );
    if let Some(kept) = card.history.kept_epoch {
        let epoch = &card.history.epochs[kept];
        let validation = match (epoch.validation_cost, epoch.validation_accuracy) {
            (Some(cost), Some(accuracy)) => {
                format!(", validation cost {cost:.4}, accuracy {:.2} %", 100.0 * accuracy)
            }
            (Some(cost), None) => format!(", validation cost {cost:.4}"),
            _ => String::new(),
        };
        let _ = writeln!(out, "kept       epoch {}: cost {:.4}{validation}", kept + 1, epoch.cost);
    }
    Ok(out)
}
