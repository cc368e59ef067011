//! Several columns of yes and no: one network, an output a label.

use pullback::data::{Categories, Column, Table, Target, Values};
use pullback::importance::{ImportanceOptions, measure as importance};
use pullback::job::{Fitted, Job, Settings, TestRows, measure};
use pullback::model::Model;
use pullback::random::{Purpose, Random};
use pullback::report::{Labels, Report};
use pullback::train::{Machine, Metric, Silent};
use pullback::{LabelClassifier, Real, Result};

const ROWS: usize = 260;

fn random() -> Random {
    Random::new(5, Purpose::Sample, 0)
}

fn number(row: usize, column: usize) -> f64 {
    random().normal((row * 4 + column) as u64)
}

/// Whether a row has a label: the first two are told by x0 and x1 but for noise, the third is rare.
fn is(row: usize, label: usize) -> bool {
    match label {
        0 => number(row, 0) + 0.3 * number(row, 3) > 0.0,
        1 => number(row, 0) * number(row, 1) > 0.2,
        _ => number(row, 1) > 1.5,
    }
}

/// Labels as numbers, as texts and as words in capitals, beside a number to predict.
fn table() -> Table {
    let numbers = |name: &str, of: &dyn Fn(usize) -> f64| {
        Column::new(name, Values::Numbers((0..ROWS).map(of).collect()))
    };
    let words = |name: &str, label: usize, words: [&'static str; 2]| {
        let word = move |row: usize| Some(words[usize::from(is(row, label))]);
        Column::new(name, Values::Categories(Categories::from_texts((0..ROWS).map(word))))
    };
    let columns = vec![
        numbers("x0", &|row| number(row, 0)),
        numbers("x1", &|row| number(row, 1)),
        numbers("a", &|row| f64::from(u8::from(is(row, 0)))),
        words("b", 1, ["no", "yes"]),
        words("c", 2, ["FALSE", "TRUE"]),
        numbers("amount", &|row| 2.0 * number(row, 0)),
        numbers("weight", &|row| 0.5 + (row % 3) as f64),
    ];
    Table::new("labels.csv", columns).unwrap()
}

fn job(settings: &[(&str, &str)]) -> Job {
    let mut all = Settings::default();
    let usual = [("target", "a,b,c"), ("ignore", "amount,weight"), ("epochs", "20"), ("hidden", "8")];
    for (name, text) in usual.iter().chain(settings) {
        all.set(name, *text).unwrap();
    }
    Job::new(all, table())
}

fn run(settings: &[(&str, &str)]) -> Fitted {
    job(settings).decide().unwrap().run(&Machine::with_threads(2), &mut Silent).unwrap()
}

fn labels(report: &Report) -> &Labels {
    match report {
        Report::Labels(report) => report,
        other => panic!("no report of labels: {other:?}"),
    }
}

fn refused<T>(found: Result<T>, parts: &[&str]) {
    let error = found.err().expect("it is refused");
    let error = format!("{error}; {}", error.help_text().unwrap_or_default());
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn columns_of_yes_and_no_are_labels_and_their_figures_are_those_of_the_predictions() {
    let decided = job(&[("ensemble", "1")]).decide().unwrap();
    let fitted = decided.compared().run(&Machine::with_threads(2), &mut Silent).unwrap();
    let target = fitted.model.preprocessing().unwrap().target();
    let words = |no: &str, yes: &str| [no.to_owned(), yes.to_owned()];
    let expected = vec![words("0", "1"), words("no", "yes"), words("FALSE", "TRUE")];
    assert_eq!(*target.target(), Target::Labels { words: expected });
    assert_eq!(fitted.model.network().cost.name(), "sigmoid_cross_entropy");
    assert_eq!(fitted.model.network().outputs(), 3);
    // The figures, counted here.
    let yes = target.apply::<f32>(&fitted.tested).unwrap();
    let yes = yes.yes().unwrap();
    let p = &fitted.prediction.numbers;
    let rows = fitted.tested.rows();
    let right = (0..rows * 3).filter(|&at| (p[at] > 0.5) == yes[at]).count();
    let whole = (0..rows).filter(|row| (0..3).all(|at| (p[row * 3 + at] > 0.5) == yes[row * 3 + at])).count();
    let loss = |at: usize| -Real::ln(if yes[at] { p[at] } else { 1.0 - p[at] });
    let report = labels(&fitted.report);
    let near = |metric: Metric, right: f64| {
        let found = report.figures.get(metric).unwrap();
        assert!((found - right).abs() < 1e-12, "{metric}: {found} for {right}");
    };
    near(Metric::Accuracy, right as f64 / (rows * 3) as f64);
    near(Metric::HammingLoss, 1.0 - right as f64 / (rows * 3) as f64);
    near(Metric::SubsetAccuracy, whole as f64 / rows as f64);
    near(Metric::LogLoss, (0..rows * 3).map(loss).sum::<f64>() / (rows * 3) as f64);
    let both = |at: usize| p[at] > 0.5 && yes[at];
    let positives = (0..rows * 3).filter(|&at| yes[at]).count() + p.iter().filter(|p| **p > 0.5).count();
    near(Metric::MicroF1, 2.0 * (0..rows * 3).filter(|&at| both(at)).count() as f64 / positives as f64);
    assert!(report.figures.get(Metric::Accuracy).unwrap() > 0.8, "{:?}", report.figures);
    assert_eq!(report.labels.iter().map(|label| &label.name[..]).collect::<Vec<_>>(), ["a", "b", "c"]);
    // Without a network, and with a linear one.
    let of = |at: usize| report.baselines[at].figures.get(Metric::LogLoss).unwrap();
    assert_eq!((report.baselines.len(), &report.baselines[1].words[..]), (2, "logistic regression"));
    assert!(of(1) < of(0), "{} and {}", of(1), of(0));
}

#[test]
fn figures_of_labels_agree_with_scikit_learn() {
    // tests/oracle/metrics.py: labels
    let p = [0.9, 0.2, 0.6, 0.4, 0.7, 0.1, 0.8, 0.6, 0.3, 0.3, 0.45, 0.2, 0.7, 0.9, 0.4];
    let yes = [1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0].map(|yes| yes == 1);
    let names = ["a", "b", "c"].map(str::to_owned);
    let weights = [1.0, 0.5, 2.0, 0.25, 3.0];
    let weighted = pullback::report::Measure { weights: Some(("w", &weights)), ..Default::default() };
    let reports =
        [Labels::new(&p, &yes, &names).unwrap(), Labels::measured(&p, &yes, &names, &weighted).unwrap()];
    for (metric, right) in [
        (Metric::SubsetAccuracy, [0.2, 0.444_444_444_444_444_4]),
        (Metric::HammingLoss, [0.333_333_333_333_333_3, 0.283_950_617_283_950_6]),
        (Metric::MicroF1, [0.666_666_666_666_666_6, 0.767_676_767_676_767_6]),
        (Metric::MacroPrecision, [0.555_555_555_555_555_5, 0.545_454_545_454_545_4]),
        (Metric::MacroRecall, [0.472_222_222_222_222_15, 0.618_803_418_803_418_8]),
        (Metric::MacroF1, [0.507_936_507_936_507_9, 0.572_252_252_252_252_3]),
        (Metric::RocAuc, [0.777_777_777_777_777_7, 0.704_483_430_799_220_4]),
        (Metric::Accuracy, [0.666_666_666_666_666_6, 0.716_049_382_716_049_3]),
        (Metric::BalancedAccuracy, [0.611_111_111_111_111, 0.663_202_878_992_352_8]),
        (Metric::LogLoss, [0.487_847_690_177_631_24, 0.488_095_647_781_011_17]),
        (Metric::Brier, [0.1635, 0.163_364_197_530_864_2]),
    ] {
        for (report, right) in reports.iter().zip(right) {
            let found = report.figures.get(metric).unwrap();
            assert!((found - right).abs() < 1e-12, "{metric}: {found} for {right}");
        }
    }
    for (report, right) in reports
        .iter()
        .zip([[0.857_142_857_142_857_1, 0.666_666_666_666_666_6, 0.0], [0.96, 0.756_756_756_756_756_8, 0.0]])
    {
        for (label, right) in report.labels.iter().zip(right) {
            assert!((label.f1 - right).abs() < 1e-12, "{}: {}", label.name, label.f1);
        }
    }
    assert_eq!(reports[0].labels.iter().map(|label| label.rows).collect::<Vec<_>>(), [4, 3, 1]);
    refused(Labels::new(&p, &yes, &names[..2]), &["15 labels are not whole rows of 2"]);
    refused(Labels::new(&p[..12], &yes, &names), &["12 predictions are not 3 for each of 5 rows"]);
}

#[test]
fn all_that_is_for_classes_is_for_labels_too() {
    // An ensemble, weights of rows, a metric, calibration; and the model file.
    let settings = [
        ("ensemble", "2"),
        ("ignore", "amount"),
        ("weights", "weight"),
        ("metric", "macro_f1"),
        ("calibrate", "true"),
        ("validation", "0.3"),
    ];
    let fitted = run(&settings);
    assert_eq!(labels(&fitted.report).weighted_by.as_deref(), Some("weight"));
    let calibration = fitted.calibration.unwrap();
    assert!(calibration.log_loss <= calibration.log_loss_before);
    assert!(fitted.out_of_fold.is_some());
    let again = Model::<f32>::from_bytes(&fitted.model.to_bytes().unwrap()).unwrap();
    let predicted = again.predict(&fitted.tested, &Machine::default()).unwrap();
    assert_eq!(predicted.numbers, fitted.prediction.numbers);
    assert_eq!(predicted.classes, None);
    assert_eq!(measure(&again, &predicted, &fitted.tested).unwrap(), fitted.report);
    let options = ImportanceOptions::default();
    let found = importance(&again, &fitted.tested, &options, &Machine::default()).unwrap();
    assert_eq!(found.metric, Metric::MacroF1);
    assert!(found.columns.iter().all(|column| column.gradient.unwrap() > 0.0));
    // Candidates are compared by log loss, folds have each row once.
    let candidates = run(&[("candidates", "2"), ("ensemble", "1")]).candidates.unwrap();
    assert_eq!((candidates.metric, candidates.candidates.len()), ("log_loss", 2));
    let folds = job(&[("ensemble", "1"), ("cv", "4")]);
    let folds = folds.cross_validate(&Machine::default(), &mut Silent).unwrap();
    assert_eq!(folds.report.out_of_fold.rows(), ROWS);
}

#[test]
fn labels_in_the_words_of_another_file_are_the_same() {
    let model = run(&[("ensemble", "1")]).model;
    let target = model.preprocessing().unwrap().target();
    let column = |name: &str, cells: [&str; 2]| {
        Column::new(name, Values::Categories(Categories::from_texts(cells.map(Some))))
    };
    let table =
        |a, b, c| Table::new("other.csv", vec![column("a", a), column("b", b), column("c", c)]).unwrap();
    let other = table(["1.0", "0.0"], ["Yes", "No"], ["0", "1"]);
    assert_eq!(target.apply::<f32>(&other).unwrap().yes().unwrap(), [true, true, false, false, false, true]);
    let wrong = table(["1", "0"], ["yes", "maybe"], ["0", "1"]);
    refused(target.apply::<f32>(&wrong), &["\"maybe\" is neither \"no\" nor \"yes\"", "row 2", "\"b\""]);
}

#[test]
fn what_is_neither_labels_nor_numbers_is_refused_with_what_to_do() {
    refused(
        job(&[("target", "a,amount")]).decide(),
        &["\"a\" is yes or no, but \"amount\" is not", "--task regression"],
    );
    refused(job(&[("target", "b,amount")]).decide(), &["\"b\" is yes or no", "each by itself"]);
    refused(job(&[("task", "classes")]).decide(), &["only as labels or numbers"]);
    refused(job(&[("class_weights", "balanced")]).decide(), &["--class-weights", "focal"]);
    refused(job(&[("cost", "softmax_cross_entropy")]).decide(), &["is not for labels"]);
    let numbers = job(&[("target", "a,amount"), ("task", "regression")]).decide().unwrap();
    assert!(matches!(numbers.preprocessing().target().target(), Target::Regression { .. }));
    let focal = job(&[("cost", "focal")]).decide().unwrap();
    assert_eq!(focal.network().cost.name(), "focal");
}

#[test]
fn a_set_of_labels_is_on_both_sides_of_a_split() {
    let decided = job(&[("ensemble", "1")]).decide().unwrap();
    let target = decided.preprocessing().target();
    let yes = target.apply::<f32>(&table()).unwrap();
    let share = |rows: &[usize], label: usize| {
        rows.iter().filter(|&&row| yes.yes().unwrap()[row * 3 + label]).count() as f64 / rows.len() as f64
    };
    let TestRows::HeldOut(tested) = &decided.rows().test else { panic!("rows are held out") };
    for label in 0..3 {
        let (trained, tested) = (share(&decided.rows().training, label), share(tested, label));
        assert!((trained - tested).abs() < 0.03, "label {label}: {trained} and {tested}");
    }
}

#[test]
fn arrays_of_labels_are_learned_and_predicted() {
    let x: Vec<f64> = (0..ROWS).flat_map(|row| [number(row, 0), number(row, 1)]).collect();
    let y: Vec<bool> = (0..ROWS).flat_map(|row| [is(row, 0), is(row, 1)]).collect();
    let model = LabelClassifier::new().hidden([16]).epochs(60).seed(3).fit(&x, 2, &y).unwrap();
    let found = model.predict_labels(&x).unwrap();
    let right = found.iter().zip(&y).filter(|(found, right)| found == right).count();
    assert!(right as f64 > 0.9 * y.len() as f64, "{right} of {}", y.len());
    let probabilities = model.predict_probabilities(&x).unwrap();
    assert!(probabilities.iter().zip(&found).all(|(p, found)| (*p > 0.5) == *found));
    refused(model.predict_classes(&x), &["no classes"]);
    refused(LabelClassifier::new().fit(&x, 2, &y[1..]), &["519 labels for 260 rows"]);
    let all = vec![true; ROWS];
    refused(LabelClassifier::new().fit(&x, 2, &all), &["nothing to learn"]);
    let classes = pullback::Classifier::new().epochs(1).fit(&x, 2, &[0, 1].repeat(ROWS / 2)).unwrap();
    refused(classes.predict_labels(&x), &["no labels"]);
}
