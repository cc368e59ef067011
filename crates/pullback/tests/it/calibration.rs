//! Calibrated probabilities: as sure as the validation rows say, wherever a model predicts, and never another class.

use pullback::Real;
use pullback::data::{Categories, Column, Table, Values};
use pullback::job::{Fitted, Job, Settings, measure};
use pullback::model::{Model, Temperature};
use pullback::network::{Activation, Cost, Network};
use pullback::random::{Purpose, Random};
use pullback::report::Report;
use pullback::train::{Machine, Metric, Silent};
use safetensors::SafeTensors;

fn decided(table: &Table, settings: &[(&str, &str)]) -> pullback::Result<pullback::job::Decided> {
    let mut all = Settings::default();
    for (name, text) in settings {
        all.set(name, text).unwrap();
    }
    Job::new(all, table.clone()).decide()
}

fn run(table: &Table, settings: &[(&str, &str)]) -> Fitted {
    decided(table, settings).unwrap().run(&Machine::default(), &mut Silent).unwrap()
}

/// Rows of noise, and one of so many classes, which x tells only a little of: who learns them by heart is too sure.
fn table(classes: usize) -> Table {
    const ROWS: usize = 400;
    let random = Random::new(8, Purpose::Sample, 0);
    let number = |row: usize, column: usize| random.normal((row * 8 + column) as u64);
    let mut columns: Vec<Column> = (0..5)
        .map(|column| {
            let numbers = (0..ROWS).map(|row| number(row, column)).collect();
            Column::new(format!("x{column}"), Values::Numbers(numbers))
        })
        .collect();
    let class = |row: usize| {
        let sum = number(row, 0) + 1.5 * number(row, 6);
        let at = if sum > 0.5 { classes - 1 } else { usize::from(sum > -0.5) % classes };
        Some(format!("c{at}"))
    };
    columns.push(Column::new("class", Values::Categories(Categories::from_texts((0..ROWS).map(class)))));
    Table::new("noise.csv", columns).unwrap()
}

/// Settings with which a network learns by heart.
const BY_HEART: [(&str, &str); 6] = [
    ("target", "class"),
    ("hidden", "32"),
    ("epochs", "150"),
    ("early_stopping", "0"),
    ("validation", "0.25"),
    ("learning_rate", "0.01"),
];

#[test]
fn the_log_loss_of_validation_rows_falls_and_no_class_changes() {
    for (classes, cost) in
        [(3, "softmax_cross_entropy"), (2, "sigmoid_cross_entropy"), (3, "sigmoid_cross_entropy")]
    {
        let table = table(classes);
        let settings = [&BY_HEART[..], &[("cost", cost)]].concat();
        let plain = run(&table, &settings);
        let calibrated = run(&table, &[&settings[..], &[("calibrate", "true")]].concat());
        let calibration = calibrated.calibration.unwrap();
        let temperature = calibrated.model.temperature().unwrap();
        assert_eq!(temperature, calibration.temperature);
        assert!(temperature.get() > 1.2, "{cost}: {calibration:?}");
        assert!(calibration.log_loss < 0.95 * calibration.log_loss_before, "{cost}: {calibration:?}");
        assert_eq!(plain.calibration, None);
        // The weights are those of the other run, and so are the classes.
        assert_eq!(plain.model.parameters(), calibrated.model.parameters());
        assert_eq!(plain.prediction.classes, calibrated.prediction.classes);
        // What was told is what the model predicts for these rows.
        let watched = calibrated.model.run().unwrap().rows.as_ref().unwrap().validation();
        assert_eq!(calibration.rows, watched.len());
        let watched = table.select(watched).unwrap();
        let loss = |model: &Model<f32>| {
            let prediction = model.predict(&watched, &Machine::default()).unwrap();
            let Report::Classification(report) = measure(model, &prediction, &watched).unwrap() else {
                panic!("classes")
            };
            report.figures.get(Metric::LogLoss).unwrap()
        };
        if classes == 2 || cost.starts_with("softmax") {
            assert!((loss(&calibrated.model) - calibration.log_loss).abs() < 1e-4, "{cost}");
            // Another temperature is worse on either side.
            for factor in [0.9, 1.1] {
                let other = Temperature::new(temperature.get() * factor).unwrap();
                let other = calibrated.model.clone().with_temperature(Some(other)).unwrap();
                assert!(loss(&other) > loss(&calibrated.model), "{cost}, {factor}");
            }
        }
        let none = calibrated.model.clone().with_temperature(None).unwrap();
        let of = |model: &Model<f32>| model.predict(&watched, &Machine::default()).unwrap();
        assert_eq!(of(&none), of(&plain.model));
    }
}

#[test]
fn networks_of_an_ensemble_have_one_temperature_and_their_mean_is_no_worse_than_they_are() {
    let table = table(3);
    let settings = [&BY_HEART[..], &[("ensemble", "4"), ("calibrate", "true")]].concat();
    let fitted = run(&table, &settings);
    let calibration = fitted.calibration.unwrap();
    assert!(calibration.temperature.get() > 1.2, "{calibration:?}");
    let members = (0..4).map(|index| fitted.model.member(index).unwrap().temperature());
    assert!(members.into_iter().all(|own| own == Some(calibration.temperature)));
    // Each row was watched by one network: their log loss out of fold is the one that was fitted.
    let Some(Report::Classification(out_of_fold)) = fitted.out_of_fold else { panic!("classes") };
    let out_of_fold = out_of_fold.figures.get(Metric::LogLoss).unwrap();
    assert!((out_of_fold - calibration.log_loss).abs() < 1e-4, "{out_of_fold} {calibration:?}");
    let Report::Classification(report) = &fitted.report else { panic!("classes") };
    let together = report.figures.get(Metric::LogLoss).unwrap();
    let each = (0..4).map(|index| {
        let own = fitted.model.member(index).unwrap();
        let prediction = own.predict(&fitted.tested, &Machine::default()).unwrap();
        match measure(&own, &prediction, &fitted.tested).unwrap() {
            Report::Classification(report) => report.figures.get(Metric::LogLoss).unwrap(),
            _ => panic!("classes"),
        }
    });
    assert!(together <= each.sum::<f64>() / 4.0, "{together}");
}

#[test]
fn a_temperature_divides_the_weighted_sums_wherever_a_model_predicts() {
    let network = Network::dense(3, &[5], 4, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let parameters = network.initialize::<f32>(2).unwrap();
    let plain = Model::new(network, parameters).unwrap();
    let model = plain.clone().with_temperature(Some(Temperature::new(2.5).unwrap())).unwrap();
    let machine = Machine::with_threads(1);
    let row = [0.3, -2.0, 1.5];
    let (sharp, soft) = (
        plain.predictor(&machine).unwrap().row(&row).unwrap(),
        model.predictor(&machine).unwrap().row(&row).unwrap(),
    );
    let raised: Vec<f64> = sharp.iter().map(|&p| Real::exp(Real::ln(f64::from(p)) / 2.5)).collect();
    let all: f64 = raised.iter().sum();
    for (raised, soft) in raised.iter().zip(&soft) {
        assert!((raised / all - f64::from(*soft)).abs() < 1e-6);
    }
    let features = pullback::data::Features::dense(row.to_vec(), 3).unwrap();
    let predicted = model.predict_features(&features, &machine).unwrap();
    assert_eq!(predicted.numbers, soft.iter().map(|&p| f64::from(p)).collect::<Vec<_>>());
    // A file keeps it, in a format that earlier versions refuse; without it, the file is what it was.
    let bytes = model.to_bytes().unwrap();
    assert_eq!(Model::<f32>::from_bytes(&bytes).unwrap(), model);
    let format = |bytes: &[u8]| {
        let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
        let document: serde_json::Value =
            serde_json::from_str(&header.metadata().as_ref().unwrap()["pullback"]).unwrap();
        document["format"].as_u64().unwrap()
    };
    assert_eq!((format(&bytes), format(&plain.to_bytes().unwrap())), (4, 2));
    assert_eq!(model.cast::<f64>().unwrap().temperature(), model.temperature());
}

#[test]
fn what_has_no_probabilities_or_no_rows_to_say_so_is_not_calibrated() {
    let refused = |settings: &[(&str, &str)], parts: &[&str]| {
        let error = decided(&table(2), settings).unwrap_err().one_line();
        for part in parts {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    };
    let regression = [("target", "x0"), ("ignore", "class"), ("calibrate", "true")];
    refused(&regression, &["squared_error predicts numbers"]);
    let none = [("target", "class"), ("validation", "0"), ("calibrate", "true"), ("fast", "true")];
    refused(&none, &["none are held out", "--validation 0.2"]);
    for wrong in [0.0, -1.0, 0.01, 21.0, f64::NAN, f64::INFINITY] {
        assert!(Temperature::new(wrong).is_err(), "{wrong}");
    }
    let network = Network::dense(1, &[], 1, Activation::Identity, Cost::SquaredError);
    let model = Model::new(network, vec![vec![1.0_f32], vec![0.0]]).unwrap();
    assert!(model.with_temperature(Some(Temperature::ONE)).is_err());
}
