//! Reports against numbers of scikit-learn 1.9: `precision_recall_fscore_support`, `confusion_matrix`,
//! `roc_auc_score`, `log_loss`, `mean_squared_error`, `mean_absolute_error`, `r2_score`.

use pullback::report::{Classification, Regression};
use pullback::train::Metric;

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
    let report = Classification::new(&probabilities, 3, &truth, &names(3));
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
    let report = Classification::new(&[0.1, 0.4, 0.35, 0.8, 0.4, 0.4], 1, &[0, 0, 1, 1, 0, 1], &names(2));
    assert!((report.figures.get(Metric::RocAuc).unwrap() - 2.0 / 3.0).abs() < CLOSE);
    assert!((report.figures.get(Metric::LogLoss).unwrap() - 0.552_711_361_812_808_4).abs() < CLOSE);
}

#[test]
fn a_class_that_is_never_predicted_has_zero_precision() {
    let report = Classification::new(&[0.9, 0.1, 0.8, 0.2], 2, &[0, 1], &names(2));
    assert_eq!(
        (report.classes[1].precision, report.classes[1].recall, report.classes[1].f1),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn numbers() {
    let report = Regression::new(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0], &names(1));
    let figure = |report: &Regression, metric| report.targets[0].figures.get(metric).unwrap();
    assert!((figure(&report, Metric::Rmse) - 0.612_372_435_695_794_5).abs() < CLOSE);
    assert!((figure(&report, Metric::Mae) - 0.5).abs() < CLOSE);
    assert!((figure(&report, Metric::R2) - 0.948_608_137_044_967_9).abs() < CLOSE);
    let constant = Regression::new(&[1.0, 1.0], &[1.0, 1.0], &names(1));
    assert_eq!(figure(&constant, Metric::R2), 1.0);
    let missed = Regression::new(&[1.0, 1.5], &[1.0, 1.0], &names(1));
    assert_eq!(figure(&missed, Metric::R2), 0.0);
}
