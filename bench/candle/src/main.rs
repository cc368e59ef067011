//! candle as a contestant: `candle-contestant WORKLOAD_JSON THREADS`; see `peers/contestant.py` for what it
//! reads and prints. Batches are tensors, made in advance. Momentum and L2, which candle's SGD has not, are
//! written out as its SGD is.

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::loss::{binary_cross_entropy_with_logit, cross_entropy};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW, SGD};
use candle_nn::{Linear, Module, ops};
use contestant::Workload;
use std::error::Error;
use std::time::Instant;

/// Takes a step along the gradients.
type Step = Box<dyn FnMut(&GradStore) -> Result<()>>;

fn step(work: &Workload, parameters: Vec<Var>) -> Result<Step> {
    let (rate, l2) = (work.learning_rate(), work.l2);
    Ok(match work.optimizer.as_str() {
        "sgd" if l2 == 0.0 => {
            let mut sgd = SGD::new(parameters, rate)?;
            Box::new(move |gradients| sgd.step(gradients))
        }
        "sgd" => Box::new(move |gradients| {
            for parameter in &parameters {
                if let Some(gradient) = gradients.get(parameter) {
                    let kept = (parameter.as_tensor() * (1.0 - rate * l2))?;
                    parameter.set(&(kept - (gradient * rate)?)?)?;
                }
            }
            Ok(())
        }),
        "momentum" => {
            let mut velocities =
                parameters.iter().map(|parameter| parameter.zeros_like()).collect::<Result<Vec<_>>>()?;
            Box::new(move |gradients| {
                for (parameter, velocity) in parameters.iter().zip(&mut velocities) {
                    if let Some(gradient) = gradients.get(parameter) {
                        *velocity = ((&*velocity * 0.9)? + gradient)?;
                        parameter.set(&parameter.sub(&(&*velocity * rate)?)?)?;
                    }
                }
                Ok(())
            })
        }
        _ => {
            let mut adam = AdamW::new(
                parameters,
                ParamsAdamW { lr: rate, weight_decay: 0.0, ..ParamsAdamW::default() },
            )?;
            Box::new(move |gradients| adam.step(gradients))
        }
    })
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let (work, _threads) = Workload::from_arguments()?;
    work.refuse_others_than_dense()?;
    let device = Device::Cpu;
    let activation: fn(&Tensor) -> Result<Tensor> = match work.activation.as_str() {
        "sigmoid" => ops::sigmoid,
        "tanh" => Tensor::tanh,
        _ => Tensor::relu,
    };
    let (mut layers, mut parameters) = (Vec::new(), Vec::new());
    for units in work.sizes().windows(2) {
        let bound = (6.0 / (units[0] + units[1]) as f64).sqrt();
        let weight = Var::rand_f64(-bound, bound, (units[1], units[0]), DType::F32, &device)?;
        let bias = Var::zeros(units[1], DType::F32, &device)?;
        layers.push(Linear::new(weight.as_tensor().clone(), Some(bias.as_tensor().clone())));
        parameters.extend([weight, bias]);
    }
    let (output, hidden) = layers.split_last().ok_or("the network has no layer")?;
    let mut step = step(&work, parameters)?;

    let is_softmax = work.cost == "softmax_cross_entropy";
    let (features, classes, targets) = (work.features(), work.classes(), work.targets());
    let mut batches = Vec::new();
    for (batch, features) in features.chunks(work.batch * work.inputs).enumerate() {
        let rows = batch * work.batch..(batch + 1) * work.batch;
        let targets = if is_softmax {
            Tensor::from_slice(&classes[rows], work.batch, &device)?
        } else {
            let cells = rows.start * work.outputs..rows.end * work.outputs;
            Tensor::from_slice(&targets[cells], (work.batch, work.outputs), &device)?
        };
        batches.push((Tensor::from_slice(features, (work.batch, work.inputs), &device)?, targets));
    }
    let cost = |z: &Tensor, targets: &Tensor| match is_softmax {
        true => cross_entropy(z, targets),
        // The mean over the batch of the sum over the outputs.
        false => binary_cross_entropy_with_logit(z, targets)? * work.outputs as f64,
    };

    contestant::serve(&work, |epochs| -> std::result::Result<(f64, f64), Box<dyn Error>> {
        let start = Instant::now();
        let mut last = None;
        for _ in 0..epochs {
            for (x, targets) in &batches {
                let mut x = x.clone();
                for layer in hidden {
                    x = activation(&layer.forward(&x)?)?;
                }
                let value = cost(&output.forward(&x)?, targets)?;
                step(&value.backward()?)?;
                last = Some(value);
            }
        }
        let cost = last.ok_or("no epoch was asked for")?.to_scalar::<f32>()?;
        Ok((start.elapsed().as_secs_f64(), f64::from(cost)))
    })
}
