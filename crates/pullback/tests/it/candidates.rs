//! Candidates beside the usual networks, and the choice among them.

use pullback::data::builtin;
use pullback::job::{Candidates, Fitted, Job, Settings};
use pullback::model::Model;
use pullback::train::{CandidateReport, Flow, Machine, MemberReport, Metric, Observer, Silent};
use std::num::NonZeroU32;

fn settings(given: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    // Soon, and with networks that differ.
    for (name, value) in [("ensemble", "3"), ("epochs", "6")].iter().chain(given) {
        settings.set(name, value).unwrap();
    }
    settings
}

fn run(data: &str, given: &[(&str, &str)], threads: usize, observer: &mut dyn Observer) -> Fitted {
    let job = Job::new(settings(given), builtin::load(data, 0).unwrap()).decide().unwrap();
    job.run(&Machine::with_threads(threads), observer).unwrap()
}

/// Ends a choice after so many candidates, as a clock would.
struct Clock(usize);

impl Observer for Clock {
    fn candidate(&mut self, report: &CandidateReport) -> Flow {
        if report.candidate + 1 == self.0 { Flow::Stop } else { Flow::Continue }
    }
}

fn bytes(model: &Model<f32>) -> Vec<u8> {
    model.to_bytes().unwrap()
}

#[test]
fn what_a_clock_ended_is_repeated_by_the_number_of_candidates() {
    for data in ["iris", "friedman"] {
        let ended = run(data, &[("time", "1h")], 2, &mut Clock(4));
        let found = ended.candidates.as_ref().unwrap();
        assert_eq!(found.candidates.len(), 4);
        for threads in [1, 3] {
            let again = run(data, &[("candidates", "4")], threads, &mut Silent);
            assert_eq!(again.candidates.as_ref(), Some(found), "{data}");
            assert!(bytes(&again.model) == bytes(&ended.model), "{data}, {threads} threads");
        }
        // The model says how to repeat it.
        let configuration = &ended.model.run().unwrap().configuration;
        assert_eq!((&configuration["candidates"], configuration.get("time")), (&4.into(), None));
        let told: Settings = serde_json::from_value(configuration.clone()).unwrap();
        let again = Job::new(told, builtin::load(data, 0).unwrap()).decide().unwrap();
        let again = again.run(&Machine::with_threads(2), &mut Silent).unwrap();
        assert!(bytes(&again.model) == bytes(&ended.model), "{data}: as the model says");
    }
}

/// Ends a run after the first epoch.
struct Impatient;

impl Observer for Impatient {
    fn member(&mut self, _report: &MemberReport) -> Flow {
        Flow::Stop
    }
}

#[test]
fn a_first_candidate_that_is_ended_early_is_the_model() {
    for (data, threads) in [("iris", 1), ("iris", 2), ("friedman", 1)] {
        let ended = run(
            data,
            &[("time", "1h"), ("epochs", "100000"), ("early_stopping", "0")],
            threads,
            &mut Impatient,
        );
        assert!((1..3).contains(&ended.model.member_count()), "{data}: not all networks are begun");
        assert_eq!(ended.candidates.unwrap().candidates[0].value, None);
    }
}

#[test]
fn time_ends_the_choice_whoever_asks_for_it() {
    // There are 10,000 candidates, which would take minutes.
    let ended = run("iris", &[("time", "1s")], 2, &mut Silent);
    let found = ended.candidates.unwrap().candidates.len();
    assert!((1..5000).contains(&found), "{found}");
}

#[test]
fn the_first_candidate_is_what_is_trained_without_them() {
    let plain = run("friedman", &[], 2, &mut Silent);
    let one = run("friedman", &[("candidates", "4")], 2, &mut Clock(1));
    assert_eq!(one.candidates.unwrap().candidates[0].taken, 1);
    for member in 0..3 {
        let [plain, one] =
            [&plain.model, &one.model].map(|model| model.member(member).unwrap().parameters().to_vec());
        assert_eq!(plain, one);
    }
}

#[test]
fn more_candidates_begin_with_the_same_ones_and_are_no_worse_where_they_are_chosen() {
    let found = |count: &str| run("friedman", &[("candidates", count)], 2, &mut Silent).candidates.unwrap();
    let (two, five) = (found("2"), found("5"));
    let plain = |found: &Candidates| {
        found
            .candidates
            .iter()
            .map(|one| (one.layers.clone(), one.learning_rate, one.value))
            .collect::<Vec<_>>()
    };
    assert_eq!(plain(&two)[..], plain(&five)[..2]);
    assert!(five.value >= two.value, "{} after {}", five.value, two.value);
    for one in &five.candidates {
        // Alone, none is better than those that are taken together.
        assert!(one.value.is_none_or(|value| value <= five.value), "{five:?}");
    }
    assert!(plain(&five).windows(2).all(|pair| pair[0] != pair[1]), "they differ: {five:?}");
}

#[test]
fn the_choice_is_measured_as_the_model_that_it_makes() {
    let Fitted { model, out_of_fold, candidates, .. } =
        run("friedman", &[("candidates", "5")], 2, &mut Silent);
    let found = candidates.unwrap();
    let taken = || found.candidates.iter().map(|one| one.taken).filter(|taken| *taken > 0);
    // Each is stored once, however often it counts.
    assert_eq!((model.member_count(), model.votes()), (3 * taken().count(), 3 * taken().sum::<usize>()));
    let times: Vec<usize> = (0..model.member_count()).map(|at| model.member(at).unwrap().times()).collect();
    assert_eq!(times, taken().flat_map(|taken| [taken; 3]).collect::<Vec<_>>());
    let share = out_of_fold.unwrap().get(Metric::R2).unwrap();
    assert!((share - found.value).abs() < 1e-9, "{share}, not {}", found.value);
}

#[test]
fn a_network_that_counts_twice_is_one_that_stands_there_twice() {
    let Fitted { model, tested, .. } = run("iris", &[("ensemble", "2")], 1, &mut Silent);
    let [one, other] = [0, 1].map(|at| model.member(at).unwrap());
    let twice = one.clone().with_times(NonZeroU32::new(2).unwrap());
    let counted = Model::ensemble(vec![twice, other.clone()]).unwrap();
    let repeated = Model::ensemble(vec![one.clone(), one, other]).unwrap();
    let machine = Machine::with_threads(1);
    let [by_count, by_copy] = [&counted, &repeated].map(|model| model.predict(&tested, &machine).unwrap());
    for (by_count, by_copy) in by_count.numbers.iter().zip(&by_copy.numbers) {
        assert!((by_count - by_copy).abs() < 1e-15, "{by_count} and {by_copy}");
    }
    let again = Model::<f32>::from_bytes(&bytes(&counted)).unwrap();
    assert_eq!((again.votes(), again.member_count()), (3, 2));
    assert_eq!(again.predict(&tested, &machine).unwrap(), by_count);
    assert!(bytes(&again) == bytes(&counted));
}

#[test]
fn candidates_begin_with_the_weights_of_a_model() {
    let table = || builtin::load("iris", 0).unwrap();
    let Fitted { model, .. } = run("iris", &[], 2, &mut Silent);
    let mut own = Settings::default();
    for (name, value) in [("epochs", "2"), ("candidates", "3")] {
        own.set(name, value).unwrap();
    }
    let job = Job::new(own, table()).from_model(model.clone(), "before").decide().unwrap();
    let tuned = job.run(&Machine::with_threads(2), &mut Silent).unwrap();
    let found = tuned.candidates.unwrap().candidates;
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|one| one.layers == found[0].layers));
    assert_ne!(found[0].learning_rate, found[1].learning_rate);
    for run in tuned.model.runs() {
        assert_eq!(run.began.as_ref().unwrap().model, "before");
        // After two epochs of what was learned before, as good as that was.
        assert!(run.history.epochs[0].cost < 1.0, "{:?}", run.history.epochs[0]);
    }
}

#[test]
fn what_is_said_is_not_drawn() {
    let given = [("candidates", "6"), ("hidden", "7"), ("learning_rate", "0.02"), ("dropout", "0.1")];
    let found = run("friedman", &given, 2, &mut Silent).candidates.unwrap();
    for one in &found.candidates {
        assert_eq!((one.learning_rate, &one.layers), (0.02, &found.candidates[0].layers));
    }
    let decays: Vec<_> = found.candidates.iter().map(|one| one.weight_decay).collect();
    assert_ne!(decays[0], decays[1]);
}

#[test]
fn candidates_that_nothing_tells_apart_are_refused() {
    let refused = |given: &[(&str, &str)], what: &str| {
        let error = Job::new(settings(given), builtin::load("iris", 0).unwrap()).decide().unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    };
    refused(&[("candidates", "0")], "0 candidates");
    refused(&[("candidates", "3"), ("time", "5m")], "both say how many");
    for text in ["5", "1x", "0s", "3steps"] {
        let error = Settings::default().set("time", text).unwrap_err().one_line();
        assert!(error.contains(&format!("`{text}` is no time")) && error.contains("`5m`"), "{error}");
    }
    let error = serde_json::from_str::<Settings>(r#"{"time": 300}"#).unwrap_err().to_string();
    assert!(error.contains("`300` is no time"), "{error}");
    refused(
        &[("candidates", "3"), ("checkpoint", "run")],
        "a folder of checkpoints is of the networks of one",
    );
    assert!("0s".parse::<pullback::job::Interval>().unwrap_err().to_string().contains("`0s` is nothing"));
    refused(&[("candidates", "3"), ("validation", "0")], "there are none");
    let folds = Job::new(settings(&[("time", "1m"), ("cv", "3")]), builtin::load("iris", 0).unwrap());
    assert!(folds.cross_validation().unwrap_err().to_string().contains("clock"));
}
