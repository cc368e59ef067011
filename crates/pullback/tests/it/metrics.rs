//! Reports against numbers of scikit-learn 1.9: `precision_recall_fscore_support`, `confusion_matrix`,
//! `roc_auc_score`, `log_loss`, `mean_squared_error`, `mean_absolute_error`, `r2_score`.

use pullback::data::{DataOptions, Preprocessing, builtin};
use pullback::network::{Activation, Cost, Network};
use pullback::report::{Classification, Regression};
use pullback::train::{
    EarlyStopping, Epoch, Flow, Machine, Metric, Schedule, Shape, Silent, Stop, Training, most_likely, train,
};

const CLOSE: f64 = 1e-12;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|class| class.to_string()).collect()
}

#[test]
fn three_classes() {
    let truth = [0, 0, 0, 1, 1, 2, 2, 2, 2, 1];
    let predicted = [0, 0, 1, 1, 1, 2, 2, 0, 2, 2];
    let probabilities: Vec<f64> = predicted
        .iter()
        .flat_map(|&class| (0..3).map(move |at| if at == class { 0.8 } else { 0.1 }))
        .collect();
    let report = Classification::new(&probabilities, 3, &truth, &names(3)).unwrap();
    assert!((report.figures.get(Metric::Accuracy).unwrap() - 0.7).abs() < CLOSE);
    assert!((report.figures.get(Metric::MacroF1).unwrap() - 0.694_444_444_444_444_3).abs() < CLOSE);
    assert_eq!(report.confusion, [[2, 1, 0], [0, 2, 1], [1, 0, 3]]);
    let thirds = [(2.0 / 3.0, 2.0 / 3.0, 3), (2.0 / 3.0, 2.0 / 3.0, 3), (0.75, 0.75, 4)];
    for (class, (precision, recall, rows)) in report.classes.iter().zip(thirds) {
        assert!((class.precision - precision).abs() < CLOSE && (class.recall - recall).abs() < CLOSE);
        assert_eq!(class.rows, rows);
    }
}

#[test]
fn two_classes_with_equal_probabilities() {
    let report =
        Classification::new(&[0.1, 0.4, 0.35, 0.8, 0.4, 0.4], 1, &[0, 0, 1, 1, 0, 1], &names(2)).unwrap();
    assert!((report.figures.get(Metric::RocAuc).unwrap() - 2.0 / 3.0).abs() < CLOSE);
    assert!((report.figures.get(Metric::LogLoss).unwrap() - 0.552_711_361_812_808_4).abs() < CLOSE);
}

#[test]
fn a_class_that_is_never_predicted_has_zero_precision() {
    let report = Classification::new(&[0.9, 0.1, 0.8, 0.2], 2, &[0, 1], &names(2)).unwrap();
    assert_eq!(
        (report.classes[1].precision, report.classes[1].recall, report.classes[1].f1),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn numbers() {
    let report = Regression::new(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0], &names(1)).unwrap();
    let figure = |report: &Regression, metric| report.targets[0].figures.get(metric).unwrap();
    assert!((figure(&report, Metric::Rmse) - 0.612_372_435_695_794_5).abs() < CLOSE);
    assert!((figure(&report, Metric::Mae) - 0.5).abs() < CLOSE);
    assert!((figure(&report, Metric::R2) - 0.948_608_137_044_967_9).abs() < CLOSE);
    let constant = Regression::new(&[1.0, 1.0], &[1.0, 1.0], &names(1)).unwrap();
    assert_eq!(figure(&constant, Metric::R2), 1.0);
    let missed = Regression::new(&[1.0, 1.5], &[1.0, 1.0], &names(1)).unwrap();
    assert_eq!(figure(&missed, Metric::R2), 0.0);
}

#[test]
fn early_stopping_watches_any_metric_and_goes_back_to_its_best_epoch() {
    let table = builtin::load("iris", 0).unwrap();
    let (rows, held_out): (Vec<_>, Vec<_>) = (0..table.rows()).partition(|row| row % 5 > 0);
    let data = Preprocessing::fit(&table, &rows, &DataOptions::default()).unwrap();
    let data = data.apply::<f32>(&table).unwrap();
    let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let run = |metric| {
        let early_stopping = Some(EarlyStopping { patience: 3, ..EarlyStopping::default() });
        let training = Training { epochs: 200, metric, early_stopping, ..Training::default() };
        train(&network, &training, &data, &rows, &held_out, &Machine::default(), &mut Silent)
    };
    // Another epoch is the best by the cost.
    assert_ne!(
        run(Metric::Cost).unwrap().history.kept_epoch,
        run(Metric::Accuracy).unwrap().history.kept_epoch
    );
    let f1 = run(Metric::MacroF1).unwrap().history;
    let values: Vec<f64> = f1.epochs.iter().map(|epoch| epoch.watched.unwrap()).collect();
    let best = values.iter().copied().fold(0.0, f64::max);
    assert_eq!(f1.kept_epoch, values.iter().position(|value| *value == best));
    let history = run(Metric::Accuracy).unwrap().history;
    let best = history.epochs.iter().map(|epoch| epoch.validation_accuracy.unwrap()).fold(0.0, f64::max);
    let first = history.epochs.iter().position(|epoch| epoch.validation_accuracy == Some(best));
    assert_eq!((history.kept_epoch, history.stop), (first, Stop::NoImprovement));
    assert_eq!(history.epochs.len(), first.unwrap() + 4);
    let message = run(Metric::R2).unwrap_err().one_line();
    assert!(message.contains("r2") && message.contains("accuracy"), "{message}");
}

/// Cuts the learning rate when the watched metric stops improving, not the cost.
#[test]
fn a_plateau_watches_the_metric_and_an_observer_sees_targets_and_values() {
    let table = builtin::load("iris", 0).unwrap();
    let (rows, held_out): (Vec<_>, Vec<_>) = (0..table.rows()).partition(|row| row % 5 > 0);
    let data = Preprocessing::fit(&table, &rows, &DataOptions::default()).unwrap();
    let data = data.apply::<f32>(&table).unwrap();
    let network = Network::dense(4, &[8], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    let shape = Shape::Plateau { factor: 0.5, patience: 2 };
    let schedule = Schedule { shape, ..Schedule::default() };
    let training = Training { epochs: 30, metric: Metric::Accuracy, schedule, ..Training::default() };
    let ids = data.targets().ids().unwrap();
    let classes: Vec<f64> = held_out.iter().map(|&row| f64::from(ids[row])).collect();
    let mut seen = 0;
    let mut own = |epoch: &mut Epoch<'_>| {
        let (targets, predictions) = (epoch.targets(), epoch.predictions());
        assert_eq!(targets, classes);
        let right =
            predictions.chunks(3).zip(&targets).filter(|(row, class)| most_likely(row) == **class as usize);
        let accuracy = right.count() as f64 / targets.len() as f64;
        assert_eq!((epoch.value(Metric::Accuracy), epoch.report.watched), (Some(accuracy), Some(accuracy)));
        assert_eq!((epoch.value(Metric::R2), epoch.metric), (None, Metric::Accuracy));
        seen += 1;
        Flow::Continue
    };
    let machine = Machine::default();
    let history = train(&network, &training, &data, &rows, &held_out, &machine, &mut own).unwrap().history;
    assert_eq!(seen, 30);
    let (mut best, mut waited, mut rate) = (0.0, 0, training.learning_rate());
    for report in &history.epochs {
        assert_eq!(report.learning_rate, rate, "epoch {}", report.epoch);
        let accuracy = report.watched.unwrap();
        waited = if accuracy > best { 0 } else { waited + 1 };
        best = f64::max(best, accuracy);
        if waited == 2 {
            (waited, rate) = (0, rate * 0.5);
        }
    }
    assert!(rate < training.learning_rate());
    let without =
        train(&network, &training, &data, &rows, &[], &machine, &mut Silent).unwrap_err().one_line();
    assert!(without.contains("accuracy is measured on the validation rows"), "{without}");
}

#[test]
fn settings_name_a_metric_only_if_it_is_not_the_cost() {
    let text = |metric| serde_json::to_string(&Training { metric, ..Training::default() }).unwrap();
    assert!(!text(Metric::Cost).contains("metric"), "{}", text(Metric::Cost));
    for &metric in Metric::ALL {
        let read: Training = serde_json::from_str(&text(metric)).unwrap();
        assert_eq!(read.metric, metric);
    }
    let wrong = serde_json::from_str::<Training>(r#"{"metric": "acuracy"}"#).unwrap_err().to_string();
    assert!(wrong.contains("did you mean `accuracy`?"), "{wrong}");
}
