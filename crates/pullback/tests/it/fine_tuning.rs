//! Training that begins with a model's weights: what is taken over, bit for bit, and what is refused with its name.

use pullback::Result;
use pullback::data::{Column, Table, Values, builtin};
use pullback::job::{Fitted, Job, Settings};
use pullback::model::{Model, Test};
use pullback::train::{Machine, Silent};

fn settings(told: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in told {
        settings.set(name, value).unwrap();
    }
    settings
}

fn fit(table: &Table, model: Option<&Model<f32>>, told: &[(&str, &str)]) -> Result<Fitted> {
    let mut job = Job::new(settings(told), table.clone());
    if let Some(model) = model {
        job = job.from_model(model.clone(), "old");
    }
    job.decide()?.run(&Machine::with_threads(1), &mut Silent)
}

fn iris() -> Table {
    builtin::load("iris", 0).unwrap()
}

/// So slow that no weight changes: the result is what training began with.
const STILL: [(&str, &str); 2] = [("epochs", "1"), ("learning_rate", "1e-30")];

fn still(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    STILL.iter().chain(more).copied().collect()
}

#[test]
fn training_begins_with_the_weights_inputs_and_held_out_rows_of_the_model() {
    for told in [
        &[("epochs", "3"), ("hidden", "6,5"), ("batch_norm", "true"), ("activation", "tanh")][..],
        &[("epochs", "2"), ("ensemble", "3"), ("validation", "0.2"), ("pieces", "3")],
        &[("epochs", "2"), ("scaling", "robust"), ("l2", "0.01"), ("seed", "5"), ("test", "0.3")],
    ] {
        let old = fit(&iris(), None, told).unwrap().model;
        // Running averages move with whatever is seen.
        let is_normed = told.iter().any(|(name, _)| *name == "batch_norm");
        let new = fit(&iris(), Some(&old), &still(&[("seed", "9")])).unwrap().model;
        assert_eq!(new.member_count(), old.member_count());
        assert_eq!(new.preprocessing().unwrap().features(), old.preprocessing().unwrap().features());
        for index in 0..old.member_count() {
            let (old, new) = (old.member(index).unwrap(), new.member(index).unwrap());
            assert_eq!(new.network(), old.network());
            let is_same = new.parameters() == old.parameters();
            assert!(is_same || is_normed, "network {index} of {told:?}");
            assert_eq!(new.parameters()[0], old.parameters()[0]);
            let (run, before) = (new.run().unwrap(), old.run().unwrap());
            let began = run.began.as_ref().unwrap();
            assert_eq!((began.model.as_str(), &began.hash), ("old", &old.hash()));
            assert_eq!((began.epochs, &began.data), (before.history.kept_epoch.unwrap() + 1, &before.data));
            // Rows that were held out from the model stay so, whatever the seed.
            let test = |run: &pullback::model::Run| run.rows.as_ref().unwrap().test().clone();
            assert!(matches!(test(run), Test::HeldOut(rows) if Test::HeldOut(rows.clone()) == test(before)));
        }
        let again = Model::<f32>::from_bytes(&new.to_bytes().unwrap()).unwrap();
        assert_eq!(again, new);
        // A run that is told the same is the same run.
        let configuration = new.run().unwrap().configuration.clone();
        let told: Settings = serde_json::from_value(configuration).unwrap();
        let job = Job::new(told, iris()).from_model(old.clone(), "old").decide().unwrap();
        let same = job.run(&Machine::with_threads(1), &mut Silent).unwrap().model;
        assert!(same == new);
    }
}

#[test]
fn what_has_no_weights_may_be_given_anew() {
    let old = fit(&iris(), None, &[("epochs", "3"), ("hidden", "6"), ("l2", "0.5")]).unwrap().model;
    let new = fit(&iris(), Some(&old), &still(&[("dropout", "0.5"), ("l2", "0.25")])).unwrap().model;
    assert_eq!(new.network().regularization.l2, 0.25);
    assert_eq!(new.network().layers.len(), old.network().layers.len() + 1);
    assert_eq!(new.parameters(), old.parameters());
}

#[test]
fn a_new_head_is_for_other_classes() {
    let old =
        fit(&iris(), None, &[("epochs", "3"), ("hidden", "6,5"), ("cost", "squared_error")]).unwrap().model;
    // Of two species, another name.
    let table = iris();
    let rows: Vec<usize> = (0..100).collect();
    let mut columns = table.select(&rows).unwrap().columns().to_vec();
    let kinds: Vec<Option<&str>> = rows.iter().map(|&row| Some(["small", "large"][row / 50])).collect();
    let kinds = pullback::data::Categories::from_texts(kinds);
    columns.retain(|column| column.name != "species");
    columns.push(Column::new("kind", Values::Categories(kinds)));
    columns.push(Column::new("height", Values::Numbers(rows.iter().map(|&row| row as f64 * 0.5).collect())));
    let table = Table::new("kinds.csv", columns).unwrap();
    let told = still(&[("target", "kind"), ("new_head", "true")]);
    let new = fit(&table, Some(&old), &told).unwrap().model;
    let last = old.parameters().len() - 2;
    assert_eq!(new.parameters()[..last], old.parameters()[..last]);
    assert_eq!(new.parameters()[last].len(), 5);
    assert_eq!(new.network().cost.to_string(), "sigmoid_cross_entropy");
    assert_eq!(new.preprocessing().unwrap().features(), old.preprocessing().unwrap().features());
    assert!(new.run().unwrap().began.as_ref().unwrap().has_new_head);
    let left_out = new.preprocessing().unwrap().left_out();
    assert_eq!(left_out, [("height".to_owned(), "old does not take it".to_owned())]);
    // The head learns.
    let told = [("target", "kind"), ("new_head", "true"), ("epochs", "60")];
    assert!(fit(&table, Some(&old), &told).unwrap().report.headline() > 0.9);

    let refused = |table: &Table, told: &[(&str, &str)], parts: &[&str]| {
        let error = fit(table, Some(&old), told).unwrap_err();
        let text = format!("{error}; {}", error.help_text().unwrap_or_default());
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in {text}");
        }
    };
    refused(&table, &[("target", "kind")], &["old predicts \"species\", not \"kind\"", "--new-head"]);
    let renamed: Vec<Column> = (table.columns().iter().cloned())
        .map(|mut column| {
            if column.name == "kind" {
                column.name = "species".into();
            }
            column
        })
        .collect();
    let renamed = Table::new("kinds.csv", renamed).unwrap();
    refused(&renamed, &[], &["class \"small\"", "--new-head"]);
}

#[test]
fn what_does_not_fit_is_named() {
    let told = [("epochs", "2"), ("hidden", "6,5"), ("scaling", "robust")];
    let old = fit(&iris(), None, &told).unwrap().model;
    let refused = |table: &Table, told: &[(&str, &str)], parts: &[&str]| {
        let error = fit(table, Some(&old), told).unwrap_err();
        let text = format!("{error}; {}", error.help_text().unwrap_or_default());
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in {text}");
        }
    };
    refused(
        &iris(),
        &[("hidden", "6,4")],
        &["dense 6, relu, dense 4, relu, dense 3", "not dense 6, relu, dense 5"],
    );
    refused(&iris(), &[("activation", "tanh")], &["tanh", "relu"]);
    refused(&iris(), &[("batch_norm", "true")], &["batch norm"]);
    refused(&iris(), &[("scaling", "min_max")], &["`--scaling` is min_max", "robust"]);
    refused(&iris(), &[("max_levels", "7")], &["`--max-levels` is 7"]);
    refused(&iris(), &[("ensemble", "2")], &["`--ensemble` is 2, but old has 1"]);
    refused(&iris(), &[("ignore", "petal_width")], &["\"petal_width\" is to be left out, but old takes it"]);
    refused(&iris(), &[("task", "regression")], &["`--task` is regression"]);
    refused(&iris(), &[("cost", "sigmoid_cross_entropy"), ("hidden", "6")], &["dense 6, relu, dense 3"]);
    let columns = iris().columns().iter().filter(|column| column.name != "petal_width").cloned().collect();
    let narrow = Table::new("narrow.csv", columns).unwrap();
    refused(&narrow, &[], &["narrow.csv lacks column \"petal_width\", which old takes"]);
    // The same is no contradiction.
    fit(&iris(), Some(&old), &[("epochs", "1"), ("hidden", "6,5"), ("scaling", "robust")]).unwrap();
}

#[test]
fn a_cost_may_change_but_not_whether_the_output_is_a_logarithm() {
    let numbers = |cost| [("target", "petal_width"), ("epochs", "2"), ("cost", cost)];
    let with = |model: &Model<f32>, cost| fit(&iris(), Some(model), &still(&[("cost", cost)]));
    let counts = fit(&iris(), None, &numbers("poisson")).unwrap().model;
    assert!(with(&counts, "tweedie").is_ok());
    let message = with(&counts, "huber").unwrap_err().one_line();
    assert!(message.contains("`--cost` is huber:1, but old has poisson"), "{message}");
    let plain = fit(&iris(), None, &numbers("squared_error")).unwrap().model;
    assert!(with(&plain, "quantile:0.9").is_ok());
    let message = with(&plain, "poisson").unwrap_err().one_line();
    assert!(message.contains("`--cost` is poisson, but old has squared_error"), "{message}");
}

#[test]
fn rows_that_the_model_learned_from_are_not_tested_on() {
    let number =
        |name: &str, of: &dyn Fn(usize) -> f64| Column::new(name, Values::Numbers((0..60).map(of).collect()));
    let columns = vec![
        number("x", &|row| (row as f64 * 0.7549).fract()),
        number("y", &|row| 3.0 * (row as f64 * 0.7549).fract() + (row as f64 * 0.5698).fract()),
        number("g", &|row| (row % 7) as f64),
        number("t", &|row| row as f64),
    ];
    let table = Table::new("rows", columns).unwrap().with_target("y").unwrap();
    let base = [("target", "y"), ("ignore", "g,t"), ("epochs", "2"), ("ensemble", "1")];
    let told = |more: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> {
        base.iter().chain(more).copied().collect()
    };
    let old = fit(&table, None, &base).unwrap().model;
    for more in [[("group", "g")], [("time_order", "t")], [("test", "0.3")]] {
        let refused = fit(&table, Some(&old), &told(&more)).unwrap_err().to_string();
        assert!(refused.contains("old was trained on some of the rows"), "{more:?}: {refused}");
    }
    // The same rule holds out the same rows.
    for more in [[("group", "g")], [("time_order", "t")], [("test", "0.3")]] {
        let old = fit(&table, None, &told(&more)).unwrap().model;
        let new = fit(&table, Some(&old), &told(&more)).unwrap().model;
        let test = |model: &Model<f32>| model.run().unwrap().rows.as_ref().unwrap().test().clone();
        assert_eq!(test(&new), test(&old), "{more:?}");
    }
}
