//! Ensembles: what they predict, which rows their networks see, and that nothing of it depends on threads.

use pullback::data::{Bytes, Categories, Column, Table, Values, builtin};
use pullback::job::{Decided, Job, Settings};
use pullback::model::{Model, Test};
use pullback::report::Report;
use pullback::train::{Flow, Machine, MemberReport, Metric, Observer, Silent};
use std::collections::BTreeSet;

fn decided(table: &Table, settings: &[(&str, &str)]) -> Decided {
    let mut all = Settings::default();
    for (name, text) in settings {
        all.set(name, text).unwrap();
    }
    Job::new(all, table.clone()).decide().unwrap()
}

const SHORT: [(&str, &str); 3] = [("epochs", "3"), ("ensemble", "3"), ("validation", "0.1")];

#[test]
fn an_ensemble_predicts_the_mean_of_its_networks_and_survives_a_file() {
    for (set, settings) in [("iris", &SHORT[..]), ("friedman", &SHORT[..])] {
        let table = builtin::load(set, 0).unwrap();
        let fitted = decided(&table, settings).run(&Machine::default(), &mut Silent).unwrap();
        let model = &fitted.model;
        assert_eq!(model.member_count(), 3);
        assert!(model.member(3).is_none());
        let all = model.predict(&table, &Machine::default()).unwrap();
        let mut mean = vec![0.0; all.numbers.len()];
        let mut different = BTreeSet::new();
        for index in 0..3 {
            let one = model.member(index).unwrap();
            assert_eq!(one.member_count(), 1);
            let own = one.predict(&table, &Machine::default()).unwrap();
            different.insert(own.numbers[0].to_bits());
            mean.iter_mut().zip(&own.numbers).for_each(|(sum, number)| *sum += number / 3.0);
        }
        assert_eq!(different.len(), 3, "each network has learned something else");
        for (mean, number) in mean.iter().zip(&all.numbers) {
            assert!((mean - number).abs() <= 1e-12 * mean.abs().max(1.0), "{set}: {mean} {number}");
        }
        let bytes = model.to_bytes().unwrap();
        let again = Model::<f32>::from_bytes(&bytes).unwrap();
        assert_eq!(&again, model);
        assert_eq!(again.to_bytes().unwrap(), bytes);
        // One of its networks is a file that earlier versions read.
        let one = String::from_utf8_lossy(&again.member(1).unwrap().to_bytes().unwrap()).into_owned();
        assert!(one.contains(r#"\"format\":2"#) && !one.contains("members"), "{}", &one[..200]);
    }
}

#[test]
fn networks_watch_rows_of_their_own_and_learn_from_all_together() {
    let table = builtin::load("friedman", 0).unwrap();
    let decided = decided(&table, &[("epochs", "2"), ("ensemble", "8")]);
    assert_eq!(decided.members().len(), 8);
    let fitted = decided.run(&Machine::default(), &mut Silent).unwrap();
    let mut watched = BTreeSet::new();
    let mut trained = BTreeSet::new();
    let mut seeds = BTreeSet::new();
    for run in fitted.model.runs() {
        let rows = run.rows.as_ref().unwrap();
        let Test::HeldOut(test) = rows.test() else { panic!("held out") };
        assert!(rows.validation().iter().all(|row| watched.insert(*row)), "no row is watched by two");
        assert!(rows.training().iter().all(|row| !test.contains(row)));
        trained.extend(rows.training());
        seeds.insert(run.training.seed);
        let part = rows.validation().len() as f64 / (rows.validation().len() + rows.trained_rows()) as f64;
        assert!((part - 0.1).abs() < 0.01, "{part}");
    }
    assert_eq!(seeds.len(), 8);
    assert_eq!(trained, decided.rows().training.iter().copied().collect());
}

#[test]
fn the_estimate_from_watched_rows_is_that_of_their_predictions() {
    let table = builtin::load("iris", 0).unwrap();
    let fitted = decided(&table, &SHORT).run(&Machine::default(), &mut Silent).unwrap();
    let Some(Report::Classification(report)) = &fitted.out_of_fold else { panic!("classes") };
    let (mut right, mut count) = (0, 0);
    let species = match &*table.column("species").unwrap().values().unwrap() {
        Values::Categories(texts) => texts.clone(),
        _ => panic!("texts"),
    };
    for (index, run) in fitted.model.runs().enumerate() {
        let rows = run.rows.as_ref().unwrap().validation();
        let model = fitted.model.member(index).unwrap();
        let classes = model.preprocessing().unwrap().target().target().classes().unwrap().to_vec();
        let predicted = model.predict(&table.select(rows).unwrap(), &Machine::default()).unwrap();
        for (&row, class) in rows.iter().zip(predicted.classes.unwrap()) {
            right += usize::from(species.text(row) == Some(&classes[class]));
            count += 1;
        }
    }
    assert_eq!(report.rows, count);
    assert_eq!(report.figures.get(Metric::Accuracy), Some(right as f64 / count as f64));
}

#[test]
fn an_ensemble_has_the_same_bits_on_any_number_of_threads() {
    let table = builtin::load("wine", 0).unwrap();
    let decided = decided(&table, &SHORT);
    let bytes = |threads| {
        let machine = Machine::with_threads(threads);
        decided.run(&machine, &mut Silent).unwrap().model.to_bytes().unwrap()
    };
    let one = bytes(1);
    for threads in [2, 3, 5] {
        assert!(bytes(threads) == one, "{threads} threads");
    }
}

#[test]
fn settings_that_are_decided_train_the_same_model_again() {
    for set in ["friedman", "iris", "digits", "xor"] {
        let table = builtin::load(set, 0).unwrap();
        let first = decided(&table, &[("epochs", "2"), ("ensemble", "2")]);
        let again = Job::new(first.settings().clone(), table.clone()).decide().unwrap();
        assert_eq!(again.settings(), first.settings());
        let bytes =
            |job: &Decided| job.run(&Machine::default(), &mut Silent).unwrap().model.to_bytes().unwrap();
        assert!(bytes(&first) == bytes(&again), "{set}");
    }
}

#[test]
fn a_table_is_learned_by_an_ensemble_unless_one_network_is_meant() {
    let iris = builtin::load("iris", 0).unwrap();
    let count = |table: &Table, settings: &[(&str, &str)]| decided(table, settings).members().len();
    for also in [("seed", "3"), ("test", "0.3"), ("validation", "0.2"), ("cost", "squared_error")] {
        assert_eq!(count(&iris, &[also]), 8, "{also:?} describes no network");
    }
    assert_eq!(count(&iris, &[("ensemble", "5"), ("hidden", "9")]), 5);
    for one in [("fast", "true"), ("ensemble", "1"), ("hidden", "9"), ("epochs", "5"), ("optimizer", "sgd")] {
        assert_eq!(count(&iris, &[one]), 1, "{one:?}");
    }
    // Four rows, and images.
    assert_eq!(count(&builtin::load("xor", 0).unwrap(), &[]), 1);
    let pixels = Bytes::new(vec![7; 40], vec![2, 2], 255).unwrap();
    let columns = vec![
        Column::new("pixels", Values::Bytes(pixels)),
        Column::new("y", Values::Numbers((0..10).map(|row| f64::from(row) / 3.0).collect())),
    ];
    let images = Table::new("images", columns).unwrap().with_target("y").unwrap();
    assert_eq!(count(&images, &[]), 1);
    // The more rows, the less another network adds.
    for (rows, networks) in [(49_999, 8), (50_000, 4), (200_000, 2), (1_000_000, 1)] {
        let numbers =
            |factor: f64| Values::Numbers((0..rows).map(|row| (row as f64 * factor).fract()).collect());
        let columns = vec![Column::new("x", numbers(0.7)), Column::new("y", numbers(0.3))];
        let table = Table::new("rows", columns).unwrap().with_target("y").unwrap();
        assert_eq!(count(&table, &[]), networks, "{rows} rows");
    }
    let mut both = Settings::default();
    both.set("fast", "true").unwrap();
    both.set("ensemble", "3").unwrap();
    assert!(Job::new(both, iris.clone()).decide().is_err());
    for (name, text) in [("ensemble", "0"), ("ensemble", "1001"), ("pieces", "1"), ("pieces", "257")] {
        let mut settings = Settings::default();
        settings.set(name, text).unwrap();
        assert!(Job::new(settings, iris.clone()).decide().is_err(), "{name} {text}");
    }
}

/// Ends a run after so many epochs of all networks.
struct Impatient(usize);

impl Observer for Impatient {
    fn member(&mut self, report: &MemberReport) -> Flow {
        assert!(report.member < report.members && report.members == 3);
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Flow::Stop } else { Flow::Continue }
    }
}

#[test]
fn a_run_that_is_ended_keeps_the_networks_that_have_learned() {
    let table = builtin::load("iris", 0).unwrap();
    let settings = [("epochs", "1000000"), ("ensemble", "3")];
    let fitted = decided(&table, &settings).run(&Machine::with_threads(1), &mut Impatient(2)).unwrap();
    assert_eq!(fitted.model.member_count(), 1, "one thread has begun one network");
    assert!(fitted.model.runs().all(|run| run.history.epoch_count < 1_000_000));
}

/// Ends a run as soon as it is asked between the epochs.
struct Interrupted(usize);

impl Observer for Interrupted {
    fn wait(&mut self) -> Flow {
        self.0 += 1;
        Flow::Stop
    }
}

#[test]
fn a_run_can_be_ended_within_an_epoch() {
    let table = builtin::load("digits", 0).unwrap();
    // A step takes milliseconds, an epoch seconds: long enough to be asked in it.
    let settings = [("ensemble", "2"), ("hidden", "1000,1000"), ("batch", "1"), ("epochs", "1000000")];
    let mut observer = Interrupted(0);
    let fitted = decided(&table, &settings).run(&Machine::with_threads(2), &mut observer).unwrap();
    assert!(observer.0 > 0 && fitted.model.runs().all(|run| run.history.epoch_count < 2));
}

#[test]
fn small_tables_are_watched_too() {
    let iris = builtin::load("iris", 0).unwrap();
    let rows = |given: &[(&str, &str)]| {
        let decided = decided(&iris, given);
        let parts = (0..decided.members().len()).map(|member| {
            let (training, validation) = decided.rows().of_member(member);
            (training.len(), validation.len())
        });
        parts.collect::<Vec<_>>()
    };
    assert_eq!(rows(&[]), vec![(108, 12); 8]);
    // 24 rows are enough, 18 are not; one network learns all, unless a metric must be measured.
    assert!(rows(&[("test", "0.84")]).iter().all(|(_, watched)| (2..=3).contains(watched)));
    assert!(rows(&[("test", "0.88")]).iter().all(|(_, watched)| *watched == 0));
    assert_eq!(rows(&[("fast", "true")]), [(120, 0)]);
    assert_eq!(rows(&[("fast", "true"), ("metric", "accuracy")]), [(108, 12)]);
}

#[test]
fn parts_above_a_half_are_of_the_size_that_was_asked_for() {
    let table = builtin::load("friedman", 0).unwrap();
    for (fraction, text) in [(0.3, "0.3"), (0.5, "0.5"), (0.6, "0.6"), (0.9, "0.9")] {
        let decided = decided(&table, &[("epochs", "1"), ("ensemble", "3"), ("validation", text)]);
        let all = decided.rows().training.len() as f64;
        for member in 0..3 {
            let (training, validation) = decided.rows().of_member(member);
            assert!((validation.len() as f64 / all - fraction).abs() < 0.05, "{text}: {}", validation.len());
            let rows: BTreeSet<usize> = training.iter().chain(validation).copied().collect();
            assert_eq!(rows.len(), decided.rows().training.len());
        }
        let fitted = decided.run(&Machine::default(), &mut Silent).unwrap();
        assert!(fitted.out_of_fold.is_some());
    }
}

#[test]
fn networks_side_by_side_need_memory_each() {
    let table = builtin::load("digits", 0).unwrap();
    let settings = [("hidden", "2000,2000"), ("ensemble", "4")];
    let decided = decided(&table, &settings);
    let least = |threads| {
        let machine = Machine::with_threads(threads);
        let fits = |bytes: u64| decided.check_memory(&machine, Some(bytes)).is_ok();
        (0..40).map(|step| 1_u64 << step).find(|bytes| fits(*bytes)).unwrap()
    };
    // 4 million weights of 4 bytes, 7 times each while a network is trained.
    assert_eq!((least(1), least(4), least(8)), (1 << 28, 1 << 29, 1 << 29));
    let error = decided.check_memory(&Machine::with_threads(2), Some(1 << 20)).unwrap_err().to_string();
    assert!(error.starts_with("2 networks side by side in batches of"), "{error}");
}

/// Two classes by the sign of `x`; the rows of the second one are few.
fn unequal(rows: usize, every: usize) -> Table {
    let numbers: Vec<f64> = (0..rows).map(|row| if row % every == 0 { 1.0 } else { -1.0 }).collect();
    let classes =
        Categories::from_texts(numbers.iter().map(|number| Some(if *number > 0.0 { "b" } else { "a" })));
    let columns =
        vec![Column::new("x", Values::Numbers(numbers)), Column::new("y", Values::Categories(classes))];
    Table::new("unequal.csv", columns).unwrap().with_target("y").unwrap()
}

#[test]
fn a_network_whose_metric_has_no_value_is_left_out() {
    // Three rows of the second class, and ten parts to watch: seven have no curve.
    let table = unequal(60, 20);
    let settings =
        [("epochs", "3"), ("ensemble", "10"), ("validation", "0.1"), ("metric", "roc_auc"), ("test", "0")];
    let fitted = decided(&table, &settings).run(&Machine::default(), &mut Silent).unwrap();
    assert_eq!(fitted.model.member_count(), 3);
    let trouble = fitted.trouble.unwrap().to_string();
    assert!(trouble.contains("no value on the validation rows"), "{trouble}");
    assert!(trouble.contains("that network is left out"), "{trouble}");
    // What each watched is that network's own, though others before it are gone.
    for run in fitted.model.runs() {
        let rows = run.rows.as_ref().unwrap();
        assert!(rows.validation().iter().any(|row| row % 20 == 0));
    }
    let settings =
        [("epochs", "3"), ("ensemble", "2"), ("metric", "roc_auc"), ("test", "0"), ("validation", "0.1")];
    let error = decided(&unequal(60, 60), &settings).run(&Machine::default(), &mut Silent).unwrap_err();
    assert!(error.to_string().contains("no model is saved"), "{error}");
}
