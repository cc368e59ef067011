//! Cross-validation: which rows are in which fold, that no fold is known to the model that predicts it, and that the
//! figures are those of the predictions.

use pullback::Result;
use pullback::data::{Categories, Column, Table, Values, builtin};
use pullback::job::{CrossValidated, CrossValidation, Job, Settings};
use pullback::report::Report;
use pullback::train::{Machine, Metric, Silent};
use std::collections::BTreeSet;

fn job(table: &Table, settings: &[(&str, &str)]) -> Job {
    let mut all = Settings::default();
    for (name, text) in settings {
        all.set(name, text).unwrap();
    }
    Job::new(all, table.clone())
}

fn run(table: &Table, settings: &[(&str, &str)]) -> Result<CrossValidated> {
    job(table, settings).cross_validate(&Machine::default(), &mut Silent)
}

fn numbers(name: &str, numbers: impl IntoIterator<Item = f64>) -> Column {
    Column::new(name, Values::Numbers(numbers.into_iter().collect()))
}

/// Rows with classes 0, 1, 2 in turns, twelve groups of neighboring rows, and weights.
fn table(rows: usize) -> Table {
    let part = |row: usize, factor: f64| (row as f64 * factor).fract();
    let class = |row: usize| ["a", "b", "c"][row % 3];
    let texts: Vec<Option<&str>> = (0..rows).map(|row| Some(class(row))).collect();
    let columns = vec![
        numbers("x", (0..rows).map(|row| part(row, 0.7549) + (row % 3) as f64 * 0.4)),
        numbers("z", (0..rows).map(|row| part(row, 0.5698))),
        numbers("g", (0..rows).map(|row| (row * 12 / rows) as f64)),
        numbers("w", (0..rows).map(|row| (row % 4) as f64)),
        numbers("y", (0..rows).map(|row| 3.0 * part(row, 0.7549) - part(row, 0.5698))),
        Column::new("class", Values::Categories(Categories::from_texts(texts))),
    ];
    Table::new("test", columns).unwrap()
}

const SHORT: [(&str, &str); 2] = [("epochs", "3"), ("cv", "4")];

/// No fold has rows that its job is trained on or watched by; all rows but `outside` are in one.
fn check_folds(folds: &CrossValidation, outside: &[usize]) {
    let mut all: Vec<usize> = folds.folds().concat();
    all.extend_from_slice(outside);
    all.sort_unstable();
    assert_eq!(all, (0..folds.table().rows()).collect::<Vec<_>>());
    for (fold, own) in folds.folds().iter().enumerate() {
        let job = folds.decide(fold).unwrap();
        let own: BTreeSet<usize> = own.iter().copied().collect();
        for member in 0..job.members().len() {
            let (training, validation) = job.rows().of_member(member);
            assert!(training.iter().chain(validation).all(|row| !own.contains(row)));
            let seen: BTreeSet<usize> = training.iter().chain(validation).copied().collect();
            assert_eq!(seen.len() + own.len(), folds.table().rows());
        }
        assert_eq!(job.rows().tested(folds.table()).unwrap().rows(), own.len());
    }
}

#[test]
fn all_rows_together_are_beside_the_linear_models_of_their_folds() {
    let table = builtin::load("iris", 0).unwrap();
    let mut settings = Settings::default();
    for (name, value) in
        [("fast", "true"), ("epochs", "3"), ("cv", "3"), ("candidates", "2"), ("validation", "0.2")]
    {
        settings.set(name, value).unwrap();
    }
    let mut folds = Job::new(settings, table.clone()).cross_validation().unwrap();
    let mut numbers = vec![Vec::new(); 150];
    for fold in 0..3 {
        let fitted = folds.decide(fold).unwrap().compared().run(&Machine::default(), &mut Silent).unwrap();
        let linear = fitted.linear.as_ref().unwrap();
        for (row, own) in folds.folds()[fold].iter().zip(linear.numbers.chunks_exact(3)) {
            numbers[*row] = own.to_vec();
        }
        folds.add(fold, fitted).unwrap();
    }
    let found = folds.finish().unwrap();
    assert_eq!(found.candidates.len(), 3);
    assert!(found.candidates.iter().all(|fold| fold.candidates.len() == 2));
    let Report::Classification(report) = &found.report.out_of_fold else { panic!("iris has classes") };
    let right = numbers.iter().enumerate().filter(|(row, p)| pullback::train::most_likely(p) == row / 50);
    let accuracy = report.baselines[1].figures.get(Metric::Accuracy).unwrap();
    assert!((accuracy - right.count() as f64 / 150.0).abs() < 1e-12, "{accuracy}");
}

#[test]
fn folds_are_of_equal_size_with_the_classes_in_proportion() {
    for settings in
        [&[("target", "class"), ("cv", "5")][..], &[("target", "class"), ("cv", "5"), ("fast", "true")]]
    {
        let table = table(301);
        let folds = job(&table, settings).cross_validation().unwrap();
        check_folds(&folds, &[]);
        for fold in folds.folds() {
            for class in 0..3 {
                let count = fold.iter().filter(|&&row| row % 3 == class).count();
                assert!((19..=21).contains(&count), "{count}");
            }
        }
        let again = job(&table, settings).cross_validation().unwrap();
        assert_eq!(folds.folds(), again.folds());
        let other = job(&table, &[settings, &[("seed", "1")]].concat()).cross_validation().unwrap();
        assert_ne!(folds.folds(), other.folds());
    }
    // Without a number, five.
    let table = table(50);
    let folds = job(&table, &[("target", "y")]).cross_validation().unwrap();
    assert_eq!(folds.folds().iter().map(Vec::len).collect::<Vec<_>>(), [10; 5]);
    check_folds(&folds, &[]);
}

#[test]
fn groups_stay_together() {
    let table = table(120);
    let folds = job(&table, &[("target", "class"), ("group", "g"), ("cv", "4")]).cross_validation().unwrap();
    check_folds(&folds, &[]);
    for fold in folds.folds() {
        let groups: BTreeSet<usize> = fold.iter().map(|row| row / 10).collect();
        assert_eq!((fold.len(), groups.len()), (30, 3));
    }
}

#[test]
fn the_only_row_of_a_class_is_in_no_fold() {
    let mut columns = table(60).columns().to_vec();
    let texts =
        (0..60).map(|row| Some(if row == 17 { "rare" } else { ["a", "b"][row % 2] })).collect::<Vec<_>>();
    columns[5] = Column::new(columns[5].name.clone(), Values::Categories(Categories::from_texts(texts)));
    let table = Table::new("test", columns).unwrap();
    let settings = [("target", "class"), ("epochs", "2"), ("cv", "3")];
    let found = run(&table, &settings).unwrap();
    assert!(found.fold_of.iter().enumerate().all(|(row, fold)| fold.is_none() == (row == 17)));
    assert_eq!((found.report.out_of_fold.rows(), found.prediction.outputs), (59, 3));
    let folds = job(&table, &settings).cross_validation().unwrap();
    assert!(folds.folds().iter().flatten().all(|&row| row != 17));
}

/// A class's name for each row of a prediction is compared with the table, and figures with those found by hand.
#[test]
fn the_figures_are_those_of_each_row_by_the_models_of_other_folds() {
    let table = table(120);
    for settings in
        [&SHORT[..], &[SHORT[0], SHORT[1], ("ensemble", "2")], &[SHORT[0], SHORT[1], ("weights", "w")]]
    {
        let is_weighted = settings.iter().any(|(name, _)| *name == "weights");
        let weight = |row: usize| if is_weighted { (row % 4) as f64 } else { 1.0 };
        for target in ["class", "y"] {
            let settings = [settings, &[("target", target)]].concat();
            let found = run(&table, &settings).unwrap();
            let outputs = found.prediction.outputs;
            let (mut numbers, mut means) = (vec![f64::NAN; 120 * outputs], Vec::new());
            let folds = job(&table, &settings).cross_validation().unwrap();
            for (fold, rows) in folds.folds().iter().enumerate() {
                let fitted = folds.decide(fold).unwrap().run(&Machine::default(), &mut Silent).unwrap();
                let own = fitted.model.predict(&table, &Machine::default()).unwrap();
                for &row in rows {
                    assert_eq!(found.fold_of[row], Some(fold));
                    let place = row * outputs..(row + 1) * outputs;
                    numbers[place.clone()].copy_from_slice(&own.numbers[place]);
                }
                assert_eq!(found.report.folds[fold], fitted.report);
                means.push(fitted.report.headline());
            }
            assert_eq!(found.prediction.numbers, numbers);
            let spread = &found.report.summary[0];
            assert_eq!(spread.name, target);
            let total: f64 = (0..120).map(weight).sum();
            let (metric, value) = match &found.report.out_of_fold {
                Report::Labels(_) => panic!("no table here has labels"),
                Report::Classification(report) => {
                    let classes = found.prediction.classes.as_ref().unwrap();
                    let right = |row: &usize| classes[*row] == row % 3;
                    let right: f64 = (0..120).filter(right).map(weight).sum();
                    let value = report.figures.get(Metric::Accuracy).unwrap();
                    assert!((value - right / total).abs() < 1e-12);
                    (Metric::Accuracy, value)
                }
                Report::Regression(report) => {
                    let values = table.column("y").unwrap().values().unwrap();
                    let Values::Numbers(y) = &*values else { panic!() };
                    let square = |row: usize| weight(row) * (numbers[row] - y[row]).powi(2);
                    let expected = ((0..120).map(square).sum::<f64>() / total).sqrt();
                    let value = report.targets[0].figures.get(Metric::Rmse).unwrap();
                    // Targets are kept in f32.
                    assert!((value / expected - 1.0).abs() < 1e-5, "{value} {expected}");
                    (Metric::R2, value)
                }
            };
            let mean = means.iter().sum::<f64>() / 4.0;
            assert!((spread.mean.get(metric).unwrap() - mean).abs() < 1e-12, "{value}");
            let deviation = means.iter().map(|own| (own - mean).powi(2)).sum::<f64>() / 3.0;
            assert!((spread.deviation.get(metric).unwrap() - deviation.sqrt()).abs() < 1e-12);
        }
    }
}

#[test]
fn the_predictions_do_not_depend_on_threads() {
    let settings = [("target", "class"), ("epochs", "3"), ("ensemble", "3"), ("cv", "3")];
    let with = |threads| {
        let machine = Machine { threads, ..Machine::default() };
        job(&table(90), &settings).cross_validate(&machine, &mut Silent).unwrap()
    };
    assert_eq!(with(1).prediction, with(2).prediction);
}

#[test]
fn what_contradicts_folds_is_refused_before_training() {
    let table = table(40);
    let wrong = |settings: &[(&str, &str)], what: &str| {
        let settings = [&[("target", "y")], settings].concat();
        let error = job(&table, &settings).cross_validation().unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    wrong(&[("cv", "0")], "at least 2 folds, not 0");
    wrong(&[("cv", "1")], "at least 2 folds, not 1");
    wrong(&[("cv", "41")], "it fills 40");
    wrong(&[("cv", "18446744073709551615")], "it fills 40");
    wrong(&[("cv", "13"), ("group", "g")], "it fills 12");
    wrong(&[("test", "0.2")], "`--test` is given beside `--cv`");
    wrong(&[("test_data", "a.csv")], "`--test-data` is given beside `--cv`");
    wrong(&[("checkpoint", "run")], "`--checkpoint` is given beside `--cv`");
    wrong(&[("out", "m")], "`--out` is given beside `--cv`");
    wrong(&[("time_order", "x")], "predicted from what comes later");
    wrong(&[("group", "none")], "none");
    // Groups of one class each, in as many folds.
    let settings = [("target", "class"), ("group", "class"), ("cv", "3")];
    let error = job(&table, &settings).cross_validation().unwrap_err().to_string();
    assert!(error.contains("no other fold has the class"), "{error}");
    let model = |settings: &[(&str, &str)]| {
        job(&table, settings).decide().unwrap().run(&Machine::default(), &mut Silent).unwrap().model
    };
    for test in ["0", "0.2"] {
        let model = model(&[("target", "y"), ("epochs", "1"), ("test", test)]);
        let error = job(&table, &[]).from_model(model, "old").cross_validation().unwrap_err().to_string();
        assert!(error.contains("old was trained on rows of test"), "{error}");
    }
    let other = model(&[("target", "y"), ("epochs", "1"), ("ignore", "g,w,class")]);
    let rows: Vec<usize> = (0..30).collect();
    let tuned = job(&table.select(&rows).unwrap(), &SHORT).from_model(other, "old");
    assert_eq!(tuned.cross_validate(&Machine::default(), &mut Silent).unwrap().report.folds.len(), 4);
}

#[test]
fn rows_that_a_source_sets_apart_are_left_alone() {
    let iris = builtin::load("iris", 0).unwrap();
    let rows: Vec<usize> = (0..150).filter(|row| row % 3 == 0).collect();
    let tables =
        pullback::job::Tables { train: iris.select(&rows).unwrap(), test: Some(iris), validation: None };
    let mut settings = Settings::default();
    settings.set("epochs", "2").unwrap();
    let found = Job::new(settings, tables).cross_validate(&Machine::default(), &mut Silent).unwrap();
    assert_eq!((found.report.out_of_fold.rows(), found.report.folds.len()), (50, 5));
}
