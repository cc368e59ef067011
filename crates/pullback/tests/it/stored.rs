//! Tables that memory does not hold: all is to the bit as if it did.

use pullback::data::{
    Categories, Column, DataOptions, Dataset, Preprocessing, Store, StoredValues, Table, Times, Values,
};
use pullback::execute::Machine;
use pullback::importance::{self, ImportanceOptions};
use pullback::job::{Fitted, Job, Settings, TestRows, measure};
use pullback::model::Fingerprint;
use pullback::network::{Activation, Cost, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{Flow, Silent, Trainer, Training, evaluate};
use pullback::{Error, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A store in memory that allows little for rows read ahead, has room for so many bytes, and fails from some read on.
#[derive(Debug)]
struct Shelf {
    bytes: Mutex<Vec<u8>>,
    room: usize,
    reads: AtomicUsize,
    most_reads: usize,
    buffer_bytes: usize,
}

impl Shelf {
    fn new() -> Self {
        let (room, most_reads) = (usize::MAX, usize::MAX);
        // Some hundred rows: many blocks and stretches.
        Self { bytes: Mutex::default(), room, reads: AtomicUsize::new(0), most_reads, buffer_bytes: 40_000 }
    }
}

impl Store for Shelf {
    fn append(&self, bytes: &[u8]) -> Result<u64, Error> {
        let mut all = self.bytes.lock().unwrap();
        if all.len() + bytes.len() > self.room {
            return Err(Error::new(ErrorKind::Io, "the shelf is full"));
        }
        all.extend_from_slice(bytes);
        Ok((all.len() - bytes.len()) as u64)
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), Error> {
        if self.reads.fetch_add(1, Ordering::Relaxed) >= self.most_reads {
            return Err(Error::new(ErrorKind::Io, "the shelf broke"));
        }
        bytes.copy_from_slice(&self.bytes.lock().unwrap()[at as usize..][..bytes.len()]);
        Ok(())
    }

    fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }
}

/// Rows of numbers, categories and times, some of them missing, with a class and a number to predict.
fn table(rows: usize) -> Table {
    let random = Random::new(5, Purpose::Sample, 0);
    let bits = |row: usize, column: u64| random.bits(row as u64 * 16 + column);
    let is_missing = |row: usize, column: u64| bits(row, column + 8) % 17 == 0;
    let number = |row: usize, column: u64| match is_missing(row, column) {
        true => f64::NAN,
        false => random.normal(row as u64 * 16 + column) * 3.0 + 1.0,
    };
    let text = |row: usize, column: u64, levels: u64| {
        (!is_missing(row, column)).then(|| format!("level {}", bits(row, column) % levels))
    };
    let class = |row: usize| Some(["yes", "no", "maybe"][(bits(row, 3) % 5 % 3) as usize]);
    let all = |of: &dyn Fn(usize) -> f64| (0..rows).map(of).collect::<Vec<f64>>();
    let seconds = all(&|row| if row % 50 == 7 { f64::NAN } else { row as f64 * 40_000.0 });
    let columns = vec![
        Column::new("a", Values::Numbers(all(&|row| number(row, 0)))),
        Column::new("few", Values::Categories(Categories::from_texts((0..rows).map(|row| text(row, 1, 4))))),
        Column::new(
            "many",
            Values::Categories(Categories::from_texts((0..rows).map(|row| text(row, 2, 60)))),
        ),
        Column::new("when", Values::Times(Times { seconds, is_day_first: None })),
        Column::new("b", Values::Numbers(all(&|row| (bits(row, 4) % 9) as f64))),
        Column::new("class", Values::Categories(Categories::from_texts((0..rows).map(class)))),
        Column::new("y", Values::Numbers(all(&|row| random.normal(row as u64) + row as f64 * 1e-3))),
    ];
    Table::new("table", columns).unwrap()
}

/// The same table with its columns in a store, in the way of a reader: piece after piece of all columns.
fn put(table: &Table, store: &Arc<dyn Store>) -> Result<Table, Error> {
    let columns = table.columns().iter().map(|column| {
        let stored = StoredValues::put(&*column.values()?, store)?;
        Ok(Column::stored(&*column.name, stored.expect("no bytes")).with_reason(&*column.reason))
    });
    Table::new(table.source(), columns.collect::<Result<_, Error>>()?)
}

fn stored(table: &Table) -> Table {
    put(table, &(Arc::new(Shelf::new()) as Arc<dyn Store>)).unwrap()
}

fn settings(given: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in given {
        settings.set(name, value).unwrap();
    }
    settings
}

fn run(table: Table, given: &[(&str, &str)]) -> Result<Fitted, Error> {
    Job::new(settings(given), table).decide()?.compared().run(&Machine::with_threads(2), &mut Silent)
}

#[test]
fn a_job_on_a_stored_table_makes_the_same_bytes() {
    let table = table(1500);
    let cases: &[&[(&str, &str)]] = &[
        &[("target", "class"), ("epochs", "3")],
        &[("target", "y"), ("epochs", "3"), ("ignore", "class"), ("scaling", "adaptive")],
        &[("target", "y"), ("epochs", "12"), ("early_stopping", "2"), ("imputation", "median")],
        &[("target", "class"), ("epochs", "2"), ("ensemble", "3"), ("imputation", "most_frequent")],
        &[("target", "class"), ("epochs", "2"), ("batch", "full"), ("shuffle", "false")],
        &[("target", "y,a"), ("epochs", "2"), ("ignore", "many"), ("batch", "7"), ("validation", "0.4")],
        &[("target", "class"), ("epochs", "2"), ("max_levels", "20"), ("hidden", "5,4"), ("test", "0.5")],
    ];
    for settings in cases {
        // A target that is missing is left out before a job is made.
        let whole = |table: Table| match settings[0].1 {
            "y,a" => table.without_missing(["a"]).unwrap().unwrap().0,
            _ => table,
        };
        let (in_memory, in_store) = (whole(table.clone()), whole(stored(&table)));
        assert!(in_store.store().is_some());
        let memory = run(in_memory, settings).unwrap();
        let store = run(in_store, settings).unwrap();
        assert_eq!(memory.model.to_bytes().unwrap(), store.model.to_bytes().unwrap(), "{settings:?}");
        assert_eq!(
            (&memory.report, &memory.out_of_fold),
            (&store.report, &store.out_of_fold),
            "{settings:?}"
        );
        assert_eq!(memory.findings, store.findings, "{settings:?}");
        assert!(store.tested.store().is_some(), "rows that are many stay in the store");
    }
}

#[test]
fn a_job_whose_numbers_alone_are_stored_makes_the_same_bytes() {
    let settings = settings(&[("target", "class"), ("epochs", "2")]);
    let decided = Job::new(settings, table(600)).decide().unwrap();
    let memory = decided.run(&Machine::default(), &mut Silent).unwrap();
    let store: Arc<Shelf> = Arc::new(Shelf::new());
    let held = decided.with_store(store.clone());
    assert_eq!(
        held.run(&Machine::default(), &mut Silent).unwrap().model.to_bytes().unwrap(),
        memory.model.to_bytes().unwrap()
    );
    assert!(store.bytes.lock().unwrap().len() as f64 >= held.feature_bytes());
}

#[test]
fn what_is_asked_of_a_stored_table_has_the_same_answers() {
    let (memory, store) = (table(1200), stored(&table(1200)));
    assert_eq!(Fingerprint::of(&memory, 9).unwrap(), Fingerprint::of(&store, 9).unwrap());
    assert!(Fingerprint::of(&memory, 9).unwrap().is_of(&store).unwrap());
    let decide = |table: &Table| Job::new(settings(&[("target", "class")]), table.clone()).decide().unwrap();
    let (one, other) = (decide(&memory), decide(&store));
    assert_eq!((one.preprocessing(), one.rows()), (other.preprocessing(), other.rows()));
    assert_eq!(one.concerns().unwrap(), other.concerns().unwrap());
    // Rows in any order, and twice.
    let rows: Vec<usize> = (0..900).map(|at| at * 7919 % 1200).chain([3, 3, 0]).collect();
    let (few, many) = (&rows[..20], &rows[..]);
    assert!(store.select(few).unwrap().store().is_none() && store.select(many).unwrap().store().is_some());
    for rows in [few, many] {
        let values = |table: &Table| {
            let table = table.select(rows).unwrap();
            // A missing number is not equal to itself.
            table.columns().iter().map(|column| format!("{:?}", column.values().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(values(&memory), values(&store));
    }
}

#[test]
fn warnings_and_errors_count_rows_of_the_whole_table() {
    let known = table(700);
    let rows: Vec<usize> = (0..700).collect();
    let options = DataOptions { target: vec!["y".into()], ..DataOptions::default() };
    let preprocessing = Preprocessing::fit(&known, &rows, &options).unwrap();
    let changed = |column: &str, change: &dyn Fn(&mut Values)| {
        let columns = known.columns().iter().map(|own| {
            let mut values = own.values().unwrap().into_owned();
            if own.name == column {
                change(&mut values);
            }
            Column::new(&*own.name, values)
        });
        Table::new("changed", columns.collect()).unwrap()
    };
    let new = changed("few", &|values| {
        let Values::Categories(texts) = &values else { panic!("texts") };
        let text = |row: usize| if row % 300 == 299 { Some("never seen") } else { texts.text(row) };
        *values = Values::Categories(Categories::from_texts((0..700).map(text)));
    });
    let warnings = |table: &Table| preprocessing.apply::<f32>(table).unwrap().warnings().to_vec();
    assert_eq!((warnings(&new)[0].row, warnings(&new)[0].rows), (299, 2));
    assert_eq!(warnings(&new), warnings(&stored(&new)));
    let far = changed("a", &|values| {
        let Values::Numbers(numbers) = values else { panic!("numbers") };
        numbers[650] = 1e300;
    });
    let refused = |table: &Table| preprocessing.apply::<f32>(table).unwrap_err().to_string();
    assert!(refused(&far).contains("row 651"), "{}", refused(&far));
    assert_eq!(refused(&far), refused(&stored(&far)));
}

fn data(table: &Table) -> (Dataset<f32>, Network) {
    let rows: Vec<usize> = (0..table.rows()).collect();
    let options = DataOptions { target: vec!["class".into()], ..DataOptions::default() };
    let preprocessing = Preprocessing::fit(table, &rows, &options).unwrap();
    let data = preprocessing.apply(table).unwrap();
    let network = Network::dense(data.width(), &[6], 3, Activation::Tanh, Cost::SoftmaxCrossEntropy);
    (data, network)
}

#[test]
fn states_evaluations_and_predictions_are_the_same() {
    let (memory, network) = data(&table(800));
    let (store, _) = data(&stored(&table(800)));
    let rows: Vec<usize> = (0..800).filter(|row| row % 5 > 0).collect();
    let others: Vec<usize> = (0..800).filter(|row| row % 5 == 0).collect();
    let (training, machine) = (Training { epochs: 3, ..Training::default() }, Machine::with_threads(2));
    let state = |data: &Dataset<f32>| {
        let mut trainer = Trainer::new(&network, &training, data, &rows, &others, &machine).unwrap();
        assert_eq!(trainer.epoch(&mut Silent), Flow::Continue);
        trainer.step().unwrap();
        trainer.state().to_bytes().unwrap()
    };
    assert_eq!(state(&memory), state(&store));
    let parameters = network.initialize::<f32>(1).unwrap();
    let found = |data: &Dataset<f32>| {
        let evaluation = evaluate(&network, &parameters, data, &others, &machine).unwrap();
        let predicted = pullback::train::predict(&network, &parameters, data.features(), &machine).unwrap();
        (evaluation.cost, evaluation.predictions, predicted)
    };
    assert_eq!(found(&memory), found(&store));
    assert_eq!(memory.features().to_dense().unwrap(), store.features().to_dense().unwrap());
    assert_eq!(
        memory.features().select(&[5, 2, 700]).unwrap(),
        store.features().select(&[5, 2, 700]).unwrap()
    );
}

#[test]
fn a_store_that_is_full_or_breaks_ends_in_an_error() {
    let all = table(500);
    let settings = [("target", "class"), ("epochs", "2")];
    let shelf = |room: usize, most_reads: usize| Arc::new(Shelf { room, most_reads, ..Shelf::new() });
    let whole = shelf(usize::MAX, usize::MAX);
    run(put(&all, &(whole.clone() as Arc<dyn Store>)).unwrap(), &settings).unwrap();
    let (bytes, reads) = (whole.bytes.lock().unwrap().len(), whole.reads.load(Ordering::Relaxed));
    assert!(reads > 100, "{reads}");
    for room in [0, bytes / 3, bytes - 1] {
        let store: Arc<dyn Store> = shelf(room, usize::MAX);
        let error = put(&all, &store).and_then(|table| run(table, &settings)).unwrap_err();
        assert_eq!((error.kind(), error.what()), (ErrorKind::Io, "the shelf is full"));
    }
    for most_reads in (0..reads).step_by(reads / 40) {
        let store: Arc<dyn Store> = shelf(usize::MAX, most_reads);
        let error = put(&all, &store).and_then(|table| run(table, &settings)).unwrap_err();
        assert_eq!(
            (error.kind(), error.what()),
            (ErrorKind::Io, "the shelf broke"),
            "after {most_reads} reads"
        );
    }
}

#[test]
fn rows_to_test_on_may_be_a_stored_table_of_their_own() {
    let tables =
        |test: Table| pullback::job::Tables { test: Some(test), ..pullback::job::Tables::from(table(400)) };
    let settings = settings(&[("target", "y"), ("epochs", "2")]);
    let fitted = [table(900), stored(&table(900))].map(|test| {
        let decided = Job::new(settings.clone(), tables(test)).decide().unwrap();
        assert!(matches!(decided.rows().test, TestRows::Apart(_)));
        decided.run(&Machine::default(), &mut Silent).unwrap()
    });
    assert_eq!(fitted[0].report, fitted[1].report);
    assert_eq!(fitted[0].model.to_bytes().unwrap(), fitted[1].model.to_bytes().unwrap());
    let prediction = fitted[1].model.predict(&fitted[1].tested, &Machine::default()).unwrap();
    assert_eq!(measure(&fitted[1].model, &prediction, &fitted[1].tested).unwrap(), {
        let prediction = fitted[0].model.predict(&fitted[0].tested, &Machine::default()).unwrap();
        measure(&fitted[0].model, &prediction, &fitted[0].tested).unwrap()
    });
}

#[test]
fn importance_of_columns_in_a_store_is_the_same() {
    let options = ImportanceOptions { rows: 300, repeats: 2, ..ImportanceOptions::default() };
    let found = [table(900), stored(&table(900))].map(|table| {
        let model = run(table.clone(), &[("target", "y"), ("epochs", "2")]).unwrap().model;
        importance::measure(&model, &table, &options, &Machine::default()).unwrap()
    });
    assert_eq!(found[0], found[1]);
    assert_eq!(found[0].rows, 300);
}
