//! The linear model that a network is compared with: the same columns, an input each number, without a hidden layer,
//! trained by the same engine, by the same cost and weights, in a fraction of the time.

use super::measure::Aim;
use super::{Decided, weights};
use crate::data::{Dataset, Table};
use crate::error::Result;
use crate::model::{Model, Prediction};
use crate::network::{Activation, Network, Regularization};
use crate::report::Report;
use crate::train::{Batch, Machine, Schedule, Shape, Silent, Training, train};

/// The steps of its training, if they make more than one epoch.
const STEPS: usize = 1000;
/// The examples of a step.
const BATCH: usize = 256;
/// The learning rate for standardized inputs, from which it falls along a cosine.
const RATE: f64 = 0.05;

/// What a linear model predicts for the tested rows, and how good that is; absent if the network is one itself, or the inputs are no numbers
/// that can be weighted.
pub(super) fn linear(
    job: &Decided,
    dataset: &Dataset<f32>,
    model: &Model<f32>,
    tested: &Table,
    machine: &Machine,
) -> Result<Option<(Prediction, Report)>> {
    let Decided { preprocessing, rows, table, .. } = job;
    let network = job.network();
    // Linear in the pieces of a number, it would be no straight line.
    let plain = preprocessing.without_pieces();
    let own;
    let dataset = match plain.inputs() == preprocessing.inputs() {
        true => dataset,
        false => {
            let plain = plain.apply(table)?;
            own = match job.class_weights() {
                Some(classes) => weights::times_classes(plain, classes)?,
                None => plain,
            };
            &own
        }
    };
    let target = preprocessing.target().target();
    let is_linear = network.layers.len() == 1;
    if is_linear || !network.named.is_empty() {
        return Ok(None);
    }
    let rows = &rows.training;
    let linear = Network {
        // As in scikit-learn's LogisticRegression with C = 1: half the squared weights beside the sum of the costs.
        regularization: Regularization { l2: 1.0 / rows.len() as f64, ..Regularization::default() },
        ..Network::dense(plain.inputs(), &[], target.outputs(), Activation::Identity, network.cost)
    };
    let steps = rows.len().div_ceil(BATCH);
    let training = Training {
        epochs: STEPS.div_ceil(steps),
        batch: Batch::Of(BATCH),
        learning_rate: Some(RATE),
        schedule: Schedule { shape: Shape::from_name("cosine")?, ..Schedule::default() },
        seed: job.training().seed,
        ..Training::default()
    };
    let trained = train(&linear, &training, dataset, rows, &[], machine, &mut Silent)?;
    if !trained.parameters.iter().flatten().all(|number| number.is_finite()) {
        return Ok(None);
    }
    let linear = Model::new(linear, trained.parameters)?.with_preprocessing(plain)?;
    let prediction = linear.predict(tested, machine)?;
    let aim = Aim::of(&model.trained()?).without_intervals();
    let report = aim.report(preprocessing, &prediction, tested)?;
    Ok(Some((prediction, report)))
}
