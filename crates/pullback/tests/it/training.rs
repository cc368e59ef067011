//! Whole training runs: they learn, they repeat bit for bit, they stop when they should.

use pullback::data::{
    Bytes, Column, DataOptions, Dataset, Features, Preprocessing, Table, Targets, Task, Values,
};
use pullback::execute::{Isa, Machine};
use pullback::network::{Activation, Cost, Layer, Network, Role};
use pullback::random::{Purpose, Random};
use pullback::train::{
    Batch, Cause, EarlyStopping, Epoch, Flow, GradientMethod, Observer, Optimizer, Precision, Schedule,
    Shape, Silent, Stop, Training, evaluate, most_likely, train,
};

/// One thread, which is enough for small networks.
fn one() -> Machine {
    Machine::with_threads(1)
}

fn dataset(values: Vec<f32>, width: usize, targets: Targets<f32>) -> Dataset<f32> {
    Dataset::new(Features::dense(values, width).unwrap(), targets).unwrap()
}

fn xor() -> Dataset<f32> {
    dataset(vec![0., 0., 0., 1., 1., 0., 1., 1.], 2, Targets::binary(vec![0, 1, 1, 0]).unwrap())
}

/// Points around one center a class.
fn blobs(rows: usize, width: usize, classes: usize) -> Dataset<f32> {
    let random = Random::new(7, Purpose::Sample, 0);
    let ids: Vec<u32> = (0..rows).map(|row| (row % classes) as u32).collect();
    let values = (0..rows * width)
        .map(|at| {
            let center = random.normal(1_000_000 + (ids[at / width] as u64) * 1000 + (at % width) as u64);
            (2.0 * center + random.normal(at as u64)) as f32
        })
        .collect();
    dataset(values, width, Targets::classes(ids, classes).unwrap())
}

fn all(data: &Dataset<f32>) -> Vec<usize> {
    (0..data.rows()).collect()
}

fn accuracy(network: &Network, parameters: &[Vec<f32>], data: &Dataset<f32>) -> f64 {
    let predictions = evaluate(network, parameters, data, &all(data), &one()).unwrap().predictions;
    let classes = data.targets().ids().unwrap();
    let right = (predictions.chunks_exact(data.outputs()).zip(classes))
        .filter(|(prediction, class)| most_likely(prediction) == **class as usize)
        .count();
    right as f64 / data.rows() as f64
}

#[test]
fn xor_is_learned_by_four_sigmoid_units() {
    let data = xor();
    let network = Network::dense(2, &[4], 1, Activation::Sigmoid, Cost::SigmoidCrossEntropy);
    for seed in 0..5 {
        let optimizer = Optimizer::Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8 };
        let training =
            Training { epochs: 1500, learning_rate: Some(0.05), optimizer, seed, ..Training::default() };
        let trained = train(&network, &training, &data, &all(&data), &[], &one(), &mut Silent).unwrap();
        assert_eq!(accuracy(&network, &trained.parameters, &data), 1.0, "seed {seed}");
    }
}

#[test]
fn every_optimizer_and_schedule_lowers_the_cost() {
    let data = blobs(120, 4, 3);
    let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let check = |what: String, training: Training| {
        let trained = train(&network, &training, &data, &all(&data), &[], &one(), &mut Silent).unwrap();
        let (first, last) = (trained.history.epochs[0].cost, trained.history.epochs.last().unwrap().cost);
        assert!(last < 0.5 * first, "{what}: {first} to {last}");
        assert!(accuracy(&network, &trained.parameters, &data) > 0.9, "{what}");
    };
    for name in Optimizer::NAMES {
        let optimizer = Optimizer::from_name(name).unwrap();
        assert_eq!(optimizer.name(), *name);
        let usual = if *name == "adagrad" { 0.1 } else { optimizer.conventional_rate() };
        let learning_rate = Some(usual.max(0.02));
        let batch = if optimizer.is_searching() { Batch::Full } else { Batch::default() };
        check((*name).to_string(), Training { optimizer, batch, learning_rate, ..Training::default() });
    }
    for name in Shape::NAMES {
        let shape = Shape::from_name(name).unwrap();
        let schedule = Schedule { warmup_epochs: 1.0, shape };
        check((*name).to_string(), Training { schedule, learning_rate: Some(0.03), ..Training::default() });
    }
}

/// Everything that draws random numbers or depends on the batch, in one network.
fn busy_network() -> Network {
    let mut network = Network::dense(9, &[130, 70], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
    network.layers.insert(1, Layer::batch_norm());
    network.layers.insert(3, Layer::dropout(0.3));
    network.regularization.l2 = 1e-3;
    network
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let data = blobs(1103, 9, 3);
    let (rows, validation) = (all(&data)[..1003].to_vec(), all(&data)[1003..].to_vec());
    let run = |seed, threads, clip_norm| {
        let training = Training { epochs: 2, batch: Batch::Of(400), clip_norm, seed, ..Training::default() };
        let machine = Machine::with_threads(threads);
        train(&busy_network(), &training, &data, &rows, &validation, &machine, &mut Silent).unwrap()
    };
    for clip_norm in [None, Some(0.5)] {
        let one = run(5, 1, clip_norm);
        for threads in [1, 2, 3, 7] {
            let other = run(5, threads, clip_norm);
            assert_eq!(one.parameters, other.parameters, "{threads} threads, clipped to {clip_norm:?}");
            assert_eq!(one.history, other.history, "{threads} threads, clipped to {clip_norm:?}");
        }
        assert_ne!(one.parameters, run(6, 1, clip_norm).parameters);
    }
}

/// Pictures that are mostly background, and the same numbers in full.
fn pictures(background: u8) -> [Dataset<f64>; 2] {
    let random = Random::new(3, Purpose::Sample, 0);
    let (rows, width) = (300_usize, 144_usize);
    let ids: Vec<u32> = (0..rows).map(|row| (row % 3) as u32).collect();
    let pixel = |at: usize| {
        let is_drawn = random.uniform(at as u64) < if at % 3 == at / width % 3 { 0.6 } else { 0.2 };
        if is_drawn { random.below(1_000_000 + at as u64, 256) as u8 } else { background }
    };
    let bytes = Bytes::new((0..rows * width).map(pixel).collect(), vec![12, 12], 255).unwrap();
    let classes = Values::Numbers(ids.iter().map(|id| f64::from(*id)).collect());
    let columns = vec![Column::new("image", Values::Bytes(bytes)), Column::new("class", classes)];
    let table = Table::new("pictures", columns).unwrap();
    let options =
        DataOptions { target: vec!["class".into()], task: Some(Task::Classes), ..DataOptions::default() };
    let all: Vec<usize> = (0..rows).collect();
    let preprocessing = Preprocessing::fit(&table, &all, &options).unwrap();
    let pictures: Dataset<f64> = preprocessing.apply(&table).unwrap();
    let features = Features::dense(pictures.features().to_dense().unwrap(), width).unwrap();
    let full = Dataset::new(features, pictures.targets().clone()).unwrap();
    [pictures, full]
}

#[test]
fn a_background_that_is_left_out_changes_no_more_than_the_rounding() {
    for background in [0, 255] {
        let [pictures, full] = pictures(background);
        let train_on = |isa, data: &Dataset<f64>, threads, batch| {
            let network = Network::dense(144, &[64], 3, Activation::Relu, Cost::SoftmaxCrossEntropy);
            let training = Training { epochs: 3, batch, ..Training::default() };
            let rows: Vec<usize> = (0..data.rows()).collect();
            let machine = Machine { isa, ..Machine::with_threads(threads) };
            train(&network, &training, data, &rows, &[], &machine, &mut Silent).unwrap()
        };
        for batch in [Batch::Of(64), Batch::Full] {
            let one = train_on(Isa::best(), &pictures, 1, batch);
            let other = train_on(Isa::best(), &full, 1, batch);
            assert_ne!(one.parameters, other.parameters, "the background is left out");
            for (one, other) in one.parameters.iter().flatten().zip(other.parameters.iter().flatten()) {
                assert!((one - other).abs() < 1e-9, "{one} and {other}");
            }
            for isa in Isa::available() {
                assert_eq!(train_on(isa, &pictures, 3, batch).parameters, one.parameters, "{}", isa.name());
            }
        }
    }
}

#[test]
fn trainers_at_the_same_time_do_not_touch_each_other() {
    let data = blobs(1103, 9, 3);
    let (network, rows) = (busy_network(), all(&data));
    let run = &|seed| {
        let training = Training { epochs: 3, batch: Batch::Of(400), seed, ..Training::default() };
        train(&network, &training, &data, &rows, &[], &Machine::with_threads(2), &mut Silent)
            .unwrap()
            .parameters
    };
    let alone: Vec<_> = (0..2).map(run).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let trainers: Vec<_> = (0..2).map(|seed| scope.spawn(move || run(seed))).collect();
        trainers.into_iter().map(|trainer| trainer.join().unwrap()).collect()
    });
    assert_eq!(alone, together);
}

#[test]
fn reduced_precision_trains_as_well_with_the_same_bits_on_any_number_of_threads() {
    let data = pullback::data::builtin::load("digits", 0).unwrap();
    let rows: Vec<usize> = (0..data.rows()).collect();
    let data =
        Preprocessing::fit(&data, &rows, &DataOptions::default()).unwrap().apply::<f32>(&data).unwrap();
    let (rows, held_out) = rows.split_at(1400);
    let network = Network::dense(64, &[48], 10, Activation::Relu, Cost::SoftmaxCrossEntropy);
    let run = |isa: Isa, precision, seed, threads| {
        let training = Training { epochs: 8, precision, seed, ..Training::default() };
        let machine = Machine { isa, ..Machine::with_threads(threads) };
        train(&network, &training, &data, rows, &[], &machine, &mut Silent).unwrap().parameters
    };
    for seed in 0..3 {
        let cost =
            |parameters: &[Vec<f32>]| evaluate(&network, parameters, &data, held_out, &one()).unwrap().cost;
        let full = run(Isa::best(), Precision::F32, seed, 1);
        for isa in [Isa::best(), Isa::portable(), Isa::amx_emulated()] {
            for precision in [Precision::Bf16, Precision::Bf16x3] {
                let reduced = run(isa, precision, seed, 1);
                let what = format!("{} on {}, seed {seed}", precision.name(), isa.name());
                assert_eq!(reduced, run(isa, precision, seed, 3), "{what}: threads");
                let is_computed_in_f32 = precision.of_products().engine(isa) == "f32";
                assert_eq!(reduced == full, is_computed_in_f32, "{what}: the weights of f32");
                // Seeds differ by a tenth of the cost; rounding must be lost in that.
                let (reduced, full) = (cost(&reduced), cost(&full));
                assert!((reduced - full).abs() < 0.02 * full, "{what}: cost {reduced} for {full}");
            }
        }
    }
}

#[test]
fn reduced_precision_is_refused_where_it_has_no_use() {
    let network = Network::dense(2, &[4], 1, Activation::Sigmoid, Cost::SigmoidCrossEntropy);
    let features = Features::dense(vec![0.0, 1.0_f64], 2).unwrap();
    let data = Dataset::new(features, Targets::binary(vec![1]).unwrap()).unwrap();
    let training = Training { precision: Precision::Bf16, ..Training::default() };
    let error = train(&network, &training, &data, &[0], &[], &one(), &mut Silent).unwrap_err().one_line();
    assert!(error.contains("bf16") && error.contains("f64"), "{error}");
    let training = Training { gradient: GradientMethod::Differences, ..training };
    let error = training.check::<f64>().unwrap_err().one_line();
    assert!(error.contains("bf16") && error.contains("back propagation"), "{error}");
}

#[test]
fn gradients_that_are_kept_and_that_are_handed_out_train_the_same() {
    let data = blobs(130, 9, 3);
    for name in Optimizer::NAMES.iter().filter(|name| **name != "lbfgs") {
        let run = |clip_norm| {
            let optimizer = Optimizer::from_name(name).unwrap();
            let training = Training { epochs: 2, optimizer, clip_norm, ..Training::default() };
            train(&busy_network(), &training, &data, &all(&data), &[], &one(), &mut Silent)
                .unwrap()
                .parameters
        };
        // To clip, the whole gradient has to be there before the first weight changes.
        assert_eq!(run(None), run(Some(1e9)), "{name}");
    }
}

#[test]
fn weight_decay_takes_from_weights_alone() {
    let data = blobs(40, 9, 3);
    let mut network = Network::dense(9, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    network.layers.insert(1, Layer::layer_norm());
    let roles: Vec<_> = network.parameters().unwrap().iter().map(|parameter| parameter.role).collect();
    for name in Optimizer::NAMES {
        let mut optimizer = Optimizer::from_name(name).unwrap();
        if optimizer.get("weight_decay").is_none() {
            continue;
        }
        // One step: scales, which begin at one, would show a decay.
        let mut step = |weight_decay: f64| {
            optimizer.set("weight_decay", weight_decay).unwrap();
            let training = Training { epochs: 1, batch: Batch::Full, optimizer, ..Training::default() };
            train(&network, &training, &data, &all(&data), &[], &one(), &mut Silent).unwrap().parameters
        };
        let (without, with) = (step(0.0), step(10.0));
        for (place, role) in roles.iter().enumerate() {
            let is_weight = matches!(role, Role::Weight(_));
            assert_eq!(without[place] != with[place], is_weight, "{name}, {role:?}");
        }
    }
}

#[test]
fn gelu_is_within_its_bound() {
    use pullback::graph::ops::{Elementwise, Gelu};
    let exact = |x: f64| 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
    let mut worst = (0.0_f64, 0.0_f64);
    for bits in (0..=u32::MAX).step_by(9973) {
        let x = f32::from_bits(bits);
        if !x.is_finite() {
            continue;
        }
        let (got, want) = (f64::from(Gelu.value(x)), exact(f64::from(x)));
        let error = (got - want).abs();
        if x >= 0.0 {
            let unit = f64::from((want as f32).next_up()) - f64::from(want as f32);
            worst.0 = worst.0.max(error / unit.max(f64::from(f32::from_bits(1))));
        } else {
            worst.1 = worst.1.max(error / f64::from(f32::EPSILON * -x).max(f64::from(f32::from_bits(1))));
        }
    }
    assert!(worst.0 <= 2.0 && worst.1 <= 1.0, "{worst:?} of what is allowed");
}

#[test]
fn the_last_partial_batch_is_trained_on_too() {
    // One step sees 8 examples, the next the remaining 2: leaving those out changes the weights.
    let data = blobs(10, 2, 2);
    let network = Network::dense(2, &[3], 2, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    struct Steps(Vec<usize>);
    impl Observer for Steps {
        fn step(&mut self, report: &pullback::train::StepReport) -> Flow {
            self.0.push(report.examples);
            Flow::Continue
        }
    }
    let training = Training { epochs: 1, batch: Batch::Of(8), shuffle: false, ..Training::default() };
    let mut steps = Steps(Vec::new());
    let whole = train(&network, &training, &data, &all(&data), &[], &one(), &mut steps).unwrap();
    assert_eq!(steps.0, [8, 10]);
    let without = train(&network, &training, &data, &all(&data)[..8], &[], &one(), &mut Silent).unwrap();
    assert_ne!(whole.parameters, without.parameters);
}

#[test]
fn early_stopping_keeps_the_best_weights() {
    // Random classes cannot be learned: the validation cost soon rises.
    let random = Random::new(3, Purpose::Sample, 0);
    let values = (0..200 * 5).map(|at| random.normal(at) as f32).collect();
    let ids: Vec<u32> = (0..200).map(|at| random.below(10_000 + at, 2) as u32).collect();
    let data = dataset(values, 5, Targets::binary(ids).unwrap());
    let network = Network::dense(5, &[32], 1, Activation::Relu, Cost::SigmoidCrossEntropy);
    let early_stopping = Some(EarlyStopping { patience: 5, ..EarlyStopping::default() });
    let training = Training { epochs: 500, learning_rate: Some(0.01), early_stopping, ..Training::default() };
    let (rows, validation): (Vec<usize>, Vec<usize>) = (0..200).partition(|row| row % 4 != 0);
    let trained = train(&network, &training, &data, &rows, &validation, &one(), &mut Silent).unwrap();
    let history = trained.history;
    assert_eq!(history.stop, Stop::NoImprovement);
    let costs: Vec<f64> = history.epochs.iter().map(|epoch| epoch.validation_cost.unwrap()).collect();
    let best = costs.iter().copied().fold(f64::INFINITY, f64::min);
    let kept = history.kept_epoch.unwrap();
    assert_eq!(costs[kept], best);
    assert_eq!(history.epochs.len(), kept + 1 + 5);
    assert_eq!(evaluate(&network, &trained.parameters, &data, &validation, &one()).unwrap().cost, best);
}

#[test]
fn a_cost_that_stops_being_finite_stops_training_and_keeps_finite_weights() {
    let data = dataset(vec![1e20, -1e20, 3e19, 1e19], 1, Targets::values(vec![1e20, 2., 3., 4.], 1).unwrap());
    let network = Network::dense(1, &[], 1, Activation::Identity, Cost::SquaredError);
    let training = Training {
        epochs: 50,
        optimizer: Optimizer::Sgd,
        learning_rate: Some(1.0),
        batch: Batch::Full,
        ..Training::default()
    };
    let trained = train(&network, &training, &data, &all(&data), &[], &one(), &mut Silent).unwrap();
    assert!(matches!(trained.history.stop, Stop::Diverged { step: 0, .. }), "{:?}", trained.history.stop);
    let blame = trained.history.blame.unwrap();
    assert!(blame.node.contains("cost") && blame.role == "cost", "{blame:?}");
    assert_eq!((blame.cause, blame.largest_feature), (Cause::Targets, f64::from(1e20_f32)));
    assert!(trained.parameters.iter().flatten().all(|weight| weight.is_finite()));
}

#[test]
fn an_observer_can_stop_a_run() {
    struct After(usize);
    impl Observer for After {
        fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
            if epoch.report.epoch + 1 == self.0 { Flow::Stop } else { Flow::Continue }
        }
    }
    let data = xor();
    let network = Network::dense(2, &[4], 1, Activation::Tanh, Cost::SigmoidCrossEntropy);
    let training = Training { ..Training::default() };
    let trained = train(&network, &training, &data, &all(&data), &[], &one(), &mut After(3)).unwrap();
    assert_eq!((trained.history.epochs.len(), trained.history.stop), (3, Stop::Observer));
}

#[test]
fn clipping_bounds_the_step() {
    let data = blobs(64, 4, 3);
    let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let start = network.initialize::<f32>(0).unwrap();
    let moved = |clip_norm| {
        let training = Training {
            epochs: 1,
            batch: Batch::Full,
            optimizer: Optimizer::Sgd,
            learning_rate: Some(1.0),
            clip_norm,
            ..Training::default()
        };
        let trained = train(&network, &training, &data, &all(&data), &[], &one(), &mut Silent).unwrap();
        let squares =
            trained.parameters.iter().flatten().zip(start.iter().flatten()).map(|(x, y)| (x - y) * (x - y));
        f64::from(squares.sum::<f32>()).sqrt()
    };
    assert!(moved(None) > 0.2);
    assert!((moved(Some(0.1)) - 0.1).abs() < 1e-4);
}

#[test]
fn a_hundred_hidden_layers_train() {
    let data = blobs(256, 8, 4);
    let network = Network::dense(8, &[64; 100], 4, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let training = Training {
        epochs: 30,
        optimizer: Optimizer::Momentum { momentum: 0.9 },
        learning_rate: Some(0.003),
        clip_norm: Some(1.0),
        ..Training::default()
    };
    let trained = train(&network, &training, &data, &all(&data), &[], &one(), &mut Silent).unwrap();
    let reached = accuracy(&network, &trained.parameters, &data);
    assert!(reached > 0.9, "accuracy {reached}");
}

#[test]
fn contradictions_are_refused_with_a_reason() {
    let data = blobs(12, 4, 3);
    let check = |network: &Network, training: Training, expected: &str| {
        let error =
            train(network, &training, &data, &all(&data), &[], &one(), &mut Silent).unwrap_err().one_line();
        assert!(error.contains(expected), "`{error}` does not say `{expected}`");
    };
    let good = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let training = Training::default;
    check(&Network { inputs: 5, ..good.clone() }, training(), "takes 5 features, but the data has 4");
    check(&Network { layers: vec![], ..good.clone() }, training(), "has 4 outputs, but the targets need 3");
    check(
        &Network { layers: vec![Layer::dense(2)], ..good.clone() },
        training(),
        "give the last dense layer 3 units",
    );
    check(&good, Training { learning_rate: Some(-1.0), ..training() }, "learning rate is -1");
    check(&good, Training { batch: Batch::Of(0), ..training() }, "batch of 0");
    check(
        &good,
        Training { early_stopping: Some(EarlyStopping::default()), ..training() },
        "no rows are held out",
    );
    let dropout = Network { layers: vec![Layer::dropout(1.0), Layer::dense(3)], ..good };
    check(&dropout, training(), "layer 0: the dropout rate is 1");
}

#[test]
fn every_setting_of_an_optimizer_is_a_setting_of_a_job() {
    use pullback::job::Settings;
    use pullback::train::Optimizer;
    for optimizer in Optimizer::CHOICES {
        for field in optimizer.fields {
            let is_listed = Settings::LIST.iter().any(|setting| setting.name == field.name);
            assert!(is_listed, "{} has no setting for {}", optimizer.name, field.name);
        }
    }
}
