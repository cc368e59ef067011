//! Pullback as a contestant: `pullback-contestant WORKLOAD_JSON THREADS`; see `peers/contestant.py` for
//! what it reads and prints. It trains by the library's own `train`: the shuffling and gathering of
//! batches, which the other contestants are spared, is in its time; initializing, in a first epoch, is not.

use contestant::Workload;
use pullback::data::{Dataset, Features, Targets};
use pullback::network::{Activation, Cost, Image, Layer, Network};
use pullback::train::{Batch, Epoch, Flow, Machine, Observer, Optimizer, Training, train};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let (work, threads) = Workload::from_arguments()?;
    let activation: Activation = work.activation.parse()?;
    let cost: Cost = work.cost.parse()?;
    let mut network = Network::dense(work.inputs, &work.hidden, work.outputs, activation, cost);
    if let Some(image) = &work.image {
        // Each convolution is followed by its activation and a pooling.
        network.image = Some(serde_json::from_value::<Image>(image.clone())?);
        let front = work.convolutions.iter().flat_map(|layer| {
            [
                Layer::convolution(layer.filters, layer.size),
                Layer::function(activation),
                Layer::max_pool(layer.pool),
            ]
        });
        network.layers.splice(0..0, front.collect::<Vec<_>>());
    }
    network.regularization.l2 = work.l2;

    let rows = work.rows();
    let ids = work.classes();
    let targets = match work.outputs {
        1 => Targets::binary(ids)?,
        classes => Targets::classes(ids, classes)?,
    };
    let data = Dataset::new(Features::dense(work.features(), work.inputs)?, targets)?;
    let order: Vec<usize> = (0..rows).collect();
    let mut training = Training {
        batch: Batch::Of(work.batch),
        optimizer: Optimizer::from_name(&work.optimizer)?,
        ..Training::default()
    };
    if let Some(precision) = &work.precision {
        training.precision = serde_json::from_value(serde_json::Value::String(precision.clone()))?;
    }
    // The seconds of so many epochs after a first one, and the last cost.
    contestant::serve(&work, |epochs| -> pullback::Result<(f64, f64)> {
        let training = Training { epochs: epochs + 1, ..training.clone() };
        let mut clock = Clock { first_end: None };
        let trained =
            train(&network, &training, &data, &order, &[], &Machine::with_threads(threads), &mut clock)?;
        let seconds = clock.first_end.map_or(f64::NAN, |end| end.elapsed().as_secs_f64());
        Ok((seconds, trained.history.epochs.last().map_or(f64::NAN, |epoch| epoch.cost)))
    })
}

/// Notes when the first epoch ended.
struct Clock {
    first_end: Option<Instant>,
}

impl Observer for Clock {
    fn epoch(&mut self, _epoch: &mut Epoch<'_>) -> Flow {
        self.first_end.get_or_insert_with(Instant::now);
        Flow::Continue
    }
}
