//! Reports compare by what was asked for: the metric, the cost, the weights of classes; and what a network is compared
//! with is made for the same.

use pullback::data::{Categories, Column, Table, Values};
use pullback::explain::Catalog;
use pullback::job::{Fitted, Job, Settings};
use pullback::network::Cost;
use pullback::random::{Purpose, Random};
use pullback::report::{Baseline, BaselineKind, Classification, Measure, Regression, Report, text};
use pullback::train::{Machine, Metric, Silent};

const CLOSE: f64 = 1e-12;

fn run(table: &Table, settings: &[(&str, &str)]) -> Fitted {
    let mut all = Settings::default();
    for (name, text) in settings {
        all.set(name, text).unwrap();
    }
    Job::new(all, table.clone()).decide().unwrap().compared().run(&Machine::default(), &mut Silent).unwrap()
}

/// Amounts that grow and spread with x, counts of them, and a class that one in ten rows has, mostly where x is large.
fn table() -> Table {
    const ROWS: usize = 600;
    let random = Random::new(4, Purpose::Sample, 0);
    let x: Vec<f64> = (0..ROWS).map(|row| (row as f64 * 0.7549).fract()).collect();
    let amount = |(row, x): (usize, &f64)| 1.0 + x * 4.0 * random.uniform(row as u64);
    let amounts: Vec<f64> = x.iter().enumerate().map(amount).collect();
    let classes = x.iter().enumerate().map(|(row, x)| {
        let is_rare = random.uniform((ROWS + row) as u64) < 0.3 * x * x;
        Some(if is_rare { "yes" } else { "no" })
    });
    let classes = Categories::from_texts(classes.collect::<Vec<_>>());
    let numbers = |name: &str, numbers: &[f64]| Column::new(name, Values::Numbers(numbers.to_vec()));
    let counts: Vec<f64> = amounts.iter().map(|amount| amount.floor() - 1.0).collect();
    let columns = vec![
        numbers("x", &x),
        numbers("amount", &amounts),
        numbers("count", &counts),
        Column::new("class", Values::Categories(classes)),
    ];
    Table::new("amounts.csv", columns).unwrap()
}

fn baselines(report: &Report) -> &[Baseline] {
    match report {
        Report::Classification(report) => &report.baselines,
        Report::Regression(report) => &report.targets[0].baselines,
        Report::Labels(report) => &report.baselines,
    }
}

#[test]
fn more_batches_a_step_than_an_epoch_has_are_remarked() {
    let own = [("target", "class"), ("fast", "true"), ("epochs", "2"), ("ignore", "amount,count")];
    let found = |accumulate: &str| {
        let fitted = run(&table(), &[&own[..], &[("accumulate", accumulate)]].concat());
        let catalog = pullback::explain::Catalog::english();
        fitted.findings.iter().map(|finding| finding.text(&catalog)).collect::<Vec<_>>().join("; ")
    };
    // 432 rows make 14 batches of 32.
    assert!(found("1000").contains("one step of each epoch, which has only 14 batches"), "{}", found("1000"));
    assert!(!found("14").contains("accumulate"), "{}", found("14"));
}

#[test]
fn dead_layers_are_told_in_one_line() {
    let units = ["16"; 8].join(",");
    // Steps of length 10 leave units that no example moves.
    let steps = [("optimizer", "sgd"), ("learning_rate", "10"), ("clip_norm", "1"), ("epochs", "5")];
    let table = pullback::data::builtin::load("breast_cancer", 0).unwrap();
    let found = run(&table, &[&steps[..], &[("hidden", &units[..])]].concat()).findings;
    let dead = found.iter().filter(|finding| match finding {
        pullback::job::Finding::Layers { worst, others } => {
            assert!(!others.is_empty() && others.iter().all(|other| other.key == worst.key));
            worst.key == "dead"
        }
        pullback::job::Finding::Pass(finding) => finding.key == "dead",
        _ => false,
    });
    assert_eq!(dead.count(), 1, "{found:?}");
}

#[test]
fn classes_are_judged_by_the_metric_or_weights_that_were_asked_for() {
    // Nine rows in ten are "no", and no probability of "yes" is above one half: the accuracy is that of "always no".
    let ids: Vec<u32> = (0..50).map(|row| u32::from(row % 10 == 0)).collect();
    let probabilities: Vec<f64> = ids.iter().map(|&id| if id == 1 { 0.45 } else { 0.05 }).collect();
    let names = ["no", "yes"].map(String::from);
    let report = |metric, weighs_classes| {
        let measure = Measure { metric, weighs_classes, ..Measure::default() };
        let report = Classification::measured(&probabilities, 1, &ids, &names, &measure).unwrap();
        let constant = report.baselines[0].figures.clone();
        (report.judged_by, constant, Report::Classification(report).remarks())
    };
    let (judge, constant, remarks) = report(Metric::Cost, false);
    assert_eq!((judge, remarks.len()), (Metric::Accuracy, 1));
    assert!(remarks[0].contains("no better than always \"no\" (90.00 %)"), "{remarks:?}");
    assert!((constant.get(Metric::LogLoss).unwrap() - 0.325_082_973_391_448_2).abs() < CLOSE);
    // A constant puts no row before another, and is right about one class of two.
    assert_eq!(
        (constant.get(Metric::RocAuc), constant.get(Metric::BalancedAccuracy)),
        (Some(0.5), Some(0.5))
    );
    assert_eq!(report(Metric::RocAuc, false).2, [""; 0]);
    assert_eq!(report(Metric::LogLoss, true).2, [""; 0]);
    let (judge, _, remarks) = report(Metric::Cost, true);
    assert_eq!(judge, Metric::BalancedAccuracy);
    assert_eq!(remarks, ["the network is no better than always \"no\" (balanced accuracy 50.00 %)"]);
}

#[test]
fn constants_and_scores_are_those_of_the_cost() {
    let targets = [1.0, 2.0, 3.0, 10.0, 4.0];
    let names = ["y".to_owned()];
    let of = |cost| {
        let measure = Measure { cost: Some(cost), ..Measure::default() };
        let report = Regression::measured(&[2.0, 2.0, 3.5, 8.0, 4.0], &targets, &names, &measure).unwrap();
        (report.judged_by, report.targets[0].baselines[0].words.clone())
    };
    let words = |text: &str| text.to_owned();
    assert_eq!(of(Cost::SquaredError), (Metric::Rmse, words("always the mean, 4")));
    assert_eq!(of(Cost::AbsoluteError), (Metric::Mae, words("always the median, 3")));
    assert_eq!(of(Cost::Huber(1.0)), (Metric::Mae, words("always the median, 3")));
    assert_eq!(of(Cost::Quantile(0.9)), (Metric::Pinball, words("always the 0.9 quantile, 10")));
    assert_eq!(of(Cost::Gamma), (Metric::Deviance, words("always the mean, 4")));
}

#[test]
fn a_linear_model_is_trained_by_the_cost_that_was_asked_for() {
    let table = table();
    let common = [("fast", "true"), ("epochs", "40")];
    for (cost, target, metric, words) in [
        ("quantile:0.9", "amount", Metric::Pinball, "quantile regression"),
        ("poisson", "count", Metric::Deviance, "Poisson regression"),
        ("gamma", "amount", Metric::Deviance, "gamma regression"),
        ("tweedie", "count", Metric::Deviance, "Tweedie regression"),
    ] {
        let ignore = if target == "count" { "amount,class" } else { "count,class" };
        let settings = [("target", target), ("cost", cost), ("ignore", ignore), ("task", "regression")];
        let fitted = run(&table, &[&settings[..], &common].concat());
        let [constant, linear] = baselines(&fitted.report) else { panic!("{:?}", fitted.report) };
        assert_eq!((linear.kind, linear.words.as_str()), (BaselineKind::Linear, words));
        let (constant, linear) = (constant.figures.get(metric).unwrap(), linear.figures.get(metric).unwrap());
        assert!(linear < 0.9 * constant, "{cost}: {linear} for {constant}");
        let Report::Regression(report) = &fitted.report else { panic!("{cost}") };
        assert_eq!(report.judged_by, metric);
        let d2 = report.targets[0].figures.get(Metric::D2).unwrap();
        let own = report.targets[0].figures.get(metric).unwrap();
        assert!((d2 - (1.0 - own / constant)).abs() < CLOSE, "{cost}");
    }
    // Nine in ten stay below the predictions of the linear model too: it is no linear model of the mean.
    let settings = [("target", "amount"), ("cost", "quantile:0.9"), ("ignore", "count,class")];
    let mean = [("target", "amount"), ("ignore", "count,class")];
    let [quantile, mean] = [&settings[..], &mean].map(|settings| run(&table, &[settings, &common].concat()));
    let mae = |fitted: &Fitted| baselines(&fitted.report)[1].figures.get(Metric::Mae).unwrap();
    assert!(mae(&quantile) > 1.2 * mae(&mean), "{} {}", mae(&quantile), mae(&mean));
}

#[test]
fn a_linear_model_counts_classes_as_the_network_does() {
    let table = table();
    let common = [
        ("target", "class"),
        ("ignore", "amount,count"),
        ("epochs", "5"),
        ("ensemble", "2"),
        ("test", "0.5"),
    ];
    let plain = run(&table, &common);
    let weighted = run(&table, &[&common[..], &[("class_weights", "balanced")]].concat());
    let balanced =
        |fitted: &Fitted| baselines(&fitted.report)[1].figures.get(Metric::BalancedAccuracy).unwrap();
    // Unweighted, hardly a row is worth a "yes". The ensemble has pieces of numbers, which a linear model has not.
    assert!(
        balanced(&plain) < 0.55 && balanced(&weighted) > 0.6,
        "{} {}",
        balanced(&plain),
        balanced(&weighted)
    );
    let Report::Classification(report) = &weighted.report else { panic!("classes") };
    assert_eq!(report.judged_by, Metric::BalancedAccuracy);
}

#[test]
fn scores_of_costs_can_be_watched() {
    let table = table();
    let settings = [("target", "amount"), ("ignore", "count,class"), ("fast", "true"), ("epochs", "3")];
    for (cost, metric) in [("quantile:0.9", "pinball"), ("gamma", "deviance"), ("absolute_error", "d2")] {
        let fitted = run(&table, &[&settings[..], &[("cost", cost), ("metric", metric)]].concat());
        let history = &fitted.model.run().unwrap().history;
        assert!(history.epochs.iter().all(|epoch| epoch.watched.is_some()), "{cost}");
    }
    let mut all = Settings::default();
    for (name, text) in [&settings[..], &[("metric", "pinball")]].concat() {
        all.set(name, text).unwrap();
    }
    let error = Job::new(all, table).decide().unwrap().run(&Machine::default(), &mut Silent).unwrap_err();
    let error = error.one_line();
    assert!(error.contains("cannot watch pinball, which is not for the cost squared_error"), "{error}");
    assert!(error.contains("rmse") && !error.contains("accuracy"), "{error}");
}

/// Classes whose names begin or end alike have a line each that is no other's.
#[test]
fn long_names_of_classes_are_told_apart() {
    let names =
        ["a_customer_who_stays_for_long", "a_customer_who_leaves_soon", "a_customer_who_leaves_later"];
    let names = names.map(str::to_owned);
    let report = Classification::new(&[0.8, 0.1, 0.1, 0.2, 0.6, 0.2], 3, &[0, 2], &names).unwrap();
    for width in [50, 60, 80] {
        let shown = text::render(&Report::Classification(report.clone()), width, &Catalog::english());
        let first = |line: &str| line.split_whitespace().next().unwrap().to_owned();
        let mut named: Vec<String> =
            shown.lines().filter(|line| line.starts_with("  a_c")).take(3).map(first).collect();
        named.sort();
        named.dedup();
        assert_eq!(named.len(), 3, "{shown}");
    }
}
