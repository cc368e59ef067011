//! What settings come to in a model file: with what was decided, and without what changes nothing of a model.

use super::images;
use super::settings::{Hidden, NetworkTable, Settings};
use crate::data::DataOptions;
use crate::error::{Error, Result};
use crate::network::{Activation, Layer, Network};
use crate::train::Training;

impl Settings {
    /// These settings with nothing left to be decided from the data: what a model is stored with, so that
    /// a run told so is the same run. `test` and `validation` are the fractions held out.
    pub(super) fn decided(
        &self,
        network: &Network,
        training: &Training,
        [test, validation]: [Option<f64>; 2],
        (options, pieces, members): (&DataOptions, usize, usize),
        filters: Vec<usize>,
    ) -> Self {
        let hidden = match &self.network {
            Some(_) => None,
            None => {
                let units: Vec<usize> = network.layers.iter().filter_map(Layer::units).collect();
                units.split_last().map(|(_outputs, hidden)| Hidden(hidden.to_vec()))
            }
        };
        let has_hidden = hidden.as_ref().is_some_and(|units| !units.0.is_empty());
        // What candidates draw stays open, or they would not draw it again.
        let is_chosen = self.candidates.is_some() || self.time.is_some();
        Self {
            data: Some(self.data().to_owned()),
            scaling: Some(options.scaling),
            imputation: Some(options.imputation),
            pieces: Some(pieces).filter(|&pieces| pieces > 0 || members > 1),
            ensemble: Some(members).filter(|&members| members > 1),
            test,
            validation,
            hidden: if is_chosen { self.hidden.clone() } else { hidden },
            dropout: match filters.is_empty() {
                _ if is_chosen => self.dropout,
                true => self.dropout,
                false => self.dropout.or(Some(images::DROPOUT)),
            },
            activation: (has_hidden || !filters.is_empty())
                .then(|| self.activation.unwrap_or(Activation::Relu)),
            cost: Some(network.cost),
            network: self
                .network
                .as_ref()
                .map(|table| NetworkTable { image: network.image, ..table.clone() }),
            epochs: Some(training.epochs),
            batch: Some(training.batch),
            optimizer: Some(training.optimizer.name().to_owned()),
            weight_decay: match members {
                _ if is_chosen => self.weight_decay,
                1 if filters.is_empty() => self.weight_decay,
                _ => training.optimizer.get("weight_decay"),
            },
            learning_rate: match training.optimizer.is_searching() {
                true => None,
                false => self.learning_rate.or((!is_chosen).then_some(training.learning_rate())),
            },
            schedule: Some(training.schedule.shape.name().to_owned()),
            early_stopping: Some(training.early_stopping.map_or(0, |stopping| stopping.patience)),
            shuffle: Some(training.shuffle),
            augment: self.augment.or(Some(training.augment).filter(|augment| !augment.is_none())),
            seed: Some(training.seed),
            convolutions: self.convolutions.clone().or((!filters.is_empty()).then_some(Hidden(filters))),
            ..self.clone()
        }
    }

    /// The settings in the form in which a model file stores them: without what changes nothing of a model.
    pub(super) fn to_json(&self) -> Result<serde_json::Value> {
        let stored = Self {
            threads: None,
            time: None,
            checkpoint: None,
            checkpoint_every: None,
            checkpoint_keep: None,
            cv: None,
            out_of_fold: None,
            out: None,
            ..self.clone()
        };
        serde_json::to_value(stored).map_err(|error| {
            Error::configuration(format!("the settings make no JSON: {error}")).caused_by(error)
        })
    }
}
