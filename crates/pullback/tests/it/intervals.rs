//! Intervals hold what they say: against statsmodels, and the true figure in about 95 of 100 samples.

use pullback::random::{Purpose, Random};
use pullback::report::{Classification, Measure, Regression};
use pullback::train::Metric;

/// How often of so many samples an interval of 95 % may hold the truth: three standard deviations about it.
const SAMPLES: usize = 400;
const COVERED: std::ops::RangeInclusive<f64> = 0.917..=0.983;

fn names() -> Vec<String> {
    ["no", "yes"].map(String::from).to_vec()
}

/// Rows of class "yes", some of them predicted so.
fn right_of(right: usize, rows: usize) -> Classification {
    let probabilities: Vec<f64> = (0..rows).map(|row| if row < right { 0.9 } else { 0.1 }).collect();
    Classification::new(&probabilities, 1, &vec![1; rows], &names()).unwrap()
}

#[test]
fn an_interval_of_accuracy_is_that_of_statsmodels() {
    // statsmodels 0.14: proportion_confint(right, rows, method="wilson")
    for (right, rows, ends) in [
        (18, 20, [0.698_966_354_771_512_7, 0.972_133_518_786_231_8]),
        (0, 30, [0.0, 0.113_513_393_173_968_9]),
        (30, 30, [0.886_486_606_826_031_1, 1.0]),
        (354, 359, [0.967_815_908_716_709, 0.994_036_689_755_137_3]),
        (1, 2, [0.094_531_205_734_230_68, 0.905_468_794_265_769_3]),
    ] {
        let found = right_of(right, rows).intervals.get(Metric::Accuracy).unwrap();
        for (found, right) in found.iter().zip(ends) {
            assert!((found - right).abs() < 1e-12, "{right} of {rows}: {found}");
        }
    }
    let weights = vec![3.0; 20];
    let measure = Measure { weights: Some(("w", &weights)), ..Measure::default() };
    let probabilities: Vec<f64> = (0..20).map(|row| if row < 18 { 0.9 } else { 0.1 }).collect();
    let weighted = Classification::measured(&probabilities, 1, &[1; 20], &names(), &measure).unwrap();
    // Rows that count alike are as many as they are, however much they count.
    let [low, high] = weighted.intervals.get(Metric::Accuracy).unwrap();
    assert!((low - 0.698_966_354_771_512_7).abs() < 1e-12 && (high - 0.972_133_518_786_231_8).abs() < 1e-12);
}

#[test]
fn an_interval_of_accuracy_holds_the_true_share_in_95_of_100_samples() {
    for (share, rows) in [(0.5, 40), (0.9, 60), (0.97, 200)] {
        let held = (0..SAMPLES).filter(|&sample| {
            let random = Random::new(3, Purpose::Sample, sample as u32);
            let right = (0..rows).filter(|&row| random.uniform(row) < share).count();
            let [low, high] = right_of(right, rows as usize).intervals.get(Metric::Accuracy).unwrap();
            (low..=high).contains(&share)
        });
        let covered = held.count() as f64 / SAMPLES as f64;
        assert!(COVERED.contains(&covered), "{share} of {rows}: {covered}");
    }
}

#[test]
fn drawn_intervals_hold_the_true_figure_in_95_of_100_samples() {
    const ROWS: usize = 120;
    // The errors are of the standard normal distribution: the mean of their sizes is sqrt(2 / pi), the root of their
    // mean square 1.
    let truths = [(Metric::Mae, (2.0 / std::f64::consts::PI).sqrt()), (Metric::Rmse, 1.0)];
    let mut held = [0; 2];
    for sample in 0..SAMPLES {
        let random = Random::new(5, Purpose::Sample, sample as u32);
        let targets: Vec<f64> = (0..ROWS).map(|row| random.normal(row as u64)).collect();
        let report = Regression::new(&[0.0; ROWS], &targets, &["y".to_owned()]).unwrap();
        for ((metric, truth), held) in truths.iter().zip(&mut held) {
            let [low, high] = report.targets[0].intervals.get(*metric).unwrap();
            *held += usize::from((low..=high).contains(truth));
        }
    }
    for ((metric, _), held) in truths.iter().zip(held) {
        let covered = held as f64 / SAMPLES as f64;
        // The bootstrap's intervals of so few rows are a little short.
        assert!((0.90..=0.983).contains(&covered), "{metric}: {covered}");
    }
}

fn width(report: &Regression, metric: Metric) -> f64 {
    let [low, high] = report.targets[0].intervals.get(metric).unwrap();
    high - low
}

#[test]
fn many_rows_have_the_interval_that_theory_gives() {
    // The standard deviation of the size of a standard normal number is sqrt(1 - 2 / pi).
    let deviation = (1.0 - 2.0 / std::f64::consts::PI).sqrt();
    for rows in [4000, 40_000] {
        let random = Random::new(1, Purpose::Sample, 0);
        let targets: Vec<f64> = (0..rows).map(|row| random.normal(row)).collect();
        let report = Regression::new(&vec![0.0; targets.len()], &targets, &["y".to_owned()]).unwrap();
        let theory = 2.0 * 1.96 * deviation / (rows as f64).sqrt();
        let ratio = width(&report, Metric::Mae) / theory;
        assert!((0.85..1.15).contains(&ratio), "{rows} rows: {ratio}");
        let [low, high] = report.targets[0].intervals.get(Metric::Mae).unwrap();
        assert!((low..high).contains(&report.targets[0].figures.get(Metric::Mae).unwrap()));
    }
}

#[test]
fn rows_that_are_alike_in_groups_tell_less() {
    // Each of 60 errors stands five times.
    let random = Random::new(2, Purpose::Sample, 0);
    let targets: Vec<f64> = (0..300).map(|row| random.normal(row / 5)).collect();
    let groups: Vec<u32> = (0..300).map(|row| row / 5).collect();
    let report = |groups| {
        let measure = Measure { groups, ..Measure::default() };
        Regression::measured(&[0.0; 300], &targets, &["y".to_owned()], &measure).unwrap()
    };
    let (alone, grouped) = (report(None), report(Some(&groups)));
    let ratio = width(&grouped, Metric::Mae) / width(&alone, Metric::Mae);
    // The root of five.
    assert!((1.8..2.7).contains(&ratio), "{ratio}");
    let measure = Measure { groups: Some(&groups[1..]), ..Measure::default() };
    let error =
        Regression::measured(&[0.0; 300], &targets, &["y".to_owned()], &measure).unwrap_err().to_string();
    assert!(error.contains("299 groups for 300 rows"), "{error}");
    // Two groups are too few to draw from, and say nothing of others.
    let two: Vec<u32> = (0..300).map(|row| row % 2).collect();
    assert!(report(Some(&two)).targets[0].intervals.is_empty());
}

#[test]
fn the_same_predictions_have_the_same_intervals_and_no_figure_is_surer_than_it_can_be() {
    assert_eq!(right_of(40, 50), right_of(40, 50));
    // All probabilities are right and alike: no draw changes the log loss, which tells nothing of other rows.
    let report = right_of(50, 50);
    assert_eq!(report.intervals.get(Metric::LogLoss), None);
    assert!(report.intervals.get(Metric::Accuracy).unwrap()[0] < 0.95);
    // An area needs rows of both classes in most draws.
    let mut ids = vec![0; 40];
    ids[7] = 1;
    let probabilities: Vec<f64> = (0..40).map(|row| f64::from(row * 7 % 40) / 40.0).collect();
    let report = Classification::new(&probabilities, 1, &ids, &names()).unwrap();
    assert!(report.figures.get(Metric::RocAuc).is_some());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["intervals"]["level"], 0.95);
    assert_eq!(json["intervals"]["accuracy"].as_array().unwrap().len(), 2);
}
