//! Burn as a contestant, with its backend Flex: `burn-contestant WORKLOAD_JSON THREADS`; see
//! `peers/contestant.py` for what it reads and prints. Batches are tensors, made in advance.

use burn::module::{Initializer, Module};
use burn::nn::{Linear, LinearConfig};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::{log_sigmoid, log_softmax, relu, sigmoid, tanh};
use burn::tensor::{Device, Int, Tensor, TensorData};
use contestant::Workload;
use std::error::Error;
use std::time::Instant;

#[derive(Module, Debug)]
struct Dense {
    layers: Vec<Linear>,
}

impl Dense {
    /// The weighted sums of the last layer.
    fn forward(&self, x: Tensor<2>, activation: fn(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
        let last = self.layers.len() - 1;
        let hidden = self.layers[..last].iter().fold(x, |x, layer| activation(layer.forward(x)));
        self.layers[last].forward(hidden)
    }
}

/// What the cost compares the outputs with.
#[derive(Clone)]
enum Targets {
    /// The class of each row, `[batch, 1]`.
    Classes(Tensor<2, Int>),
    /// 1 - target of each output.
    Complements(Tensor<2>),
}

/// Mean over the batch of the cost, as Burn's own losses compute it.
fn cost(z: Tensor<2>, targets: Targets) -> Tensor<1> {
    let [batch, _] = z.dims();
    match targets {
        Targets::Classes(classes) => log_softmax(z, 1).gather(1, classes).mean().neg(),
        Targets::Complements(complements) => {
            (complements * z.clone() - log_sigmoid(z)).sum().div_scalar(batch as f32)
        }
    }
}

fn optimizer(work: &Workload) -> Result<ModuleOptimizer, Box<dyn Error>> {
    let decay = (work.l2 > 0.0).then(|| WeightDecayConfig::new(work.l2 as f32));
    let momentum = MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: false };
    match work.optimizer.as_str() {
        "sgd" => Ok(SgdConfig::new().with_weight_decay(decay).init()),
        "momentum" => Ok(SgdConfig::new().with_momentum(Some(momentum)).init()),
        "adam" => Ok(AdamConfig::new().with_epsilon(1e-8).init()),
        other => Err(format!("optimizer '{other}' is unknown").into()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (work, _threads) = Workload::from_arguments()?;
    work.refuse_others_than_dense()?;
    let plain = Device::flex();
    let device = plain.clone().autodiff();
    device.seed(0);
    let activation = match work.activation.as_str() {
        "sigmoid" => sigmoid::<2>,
        "tanh" => tanh::<2>,
        _ => relu::<2>,
    };
    let dense = |units: &[usize]| {
        let mut layer = LinearConfig::new(units[0], units[1])
            .with_initializer(Initializer::XavierUniform { gain: 1.0 })
            .init(&device);
        layer.bias = layer.bias.map(|bias| bias.map(|values| values.zeros_like().require_grad()));
        layer
    };
    let mut network = Dense { layers: work.sizes().windows(2).map(dense).collect() };
    let mut optimizer = optimizer(&work)?;

    let (features, classes, targets) = (work.features(), work.classes(), work.targets());
    let batches: Vec<(Tensor<2>, Targets)> = (0..work.batches)
        .map(|batch| {
            let rows = batch * work.batch..(batch + 1) * work.batch;
            let cells = |width: usize| rows.start * width..rows.end * width;
            let features = TensorData::new(features[cells(work.inputs)].to_vec(), [work.batch, work.inputs]);
            let targets = if work.cost == "softmax_cross_entropy" {
                let classes: Vec<i64> = classes[rows.clone()].iter().map(|&class| i64::from(class)).collect();
                Targets::Classes(Tensor::from_data(TensorData::new(classes, [work.batch, 1]), &device))
            } else {
                let complements: Vec<f32> =
                    targets[cells(work.outputs)].iter().map(|target| 1.0 - target).collect();
                Targets::Complements(Tensor::from_data(
                    TensorData::new(complements, [work.batch, work.outputs]),
                    &device,
                ))
            };
            (Tensor::from_data(features, &device), targets)
        })
        .collect();

    contestant::serve(&work, |epochs| -> Result<(f64, f64), Box<dyn Error>> {
        let start = Instant::now();
        let mut last = None;
        for _ in 0..epochs {
            for (x, targets) in &batches {
                let value = cost(network.forward(x.clone(), activation), targets.clone());
                let gradients = GradientsParams::from_grads(value.backward(), &network);
                network = optimizer.step(work.learning_rate(), network.clone(), gradients);
                last = Some(value);
            }
        }
        let cost = last.ok_or("no epoch was asked for")?.into_scalar::<f32>();
        Ok((start.elapsed().as_secs_f64(), f64::from(cost)))
    })
}
