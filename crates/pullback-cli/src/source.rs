//! Where rows come from: a built-in data set, a file or a folder; and what a model says of them.

use crate::failure::{Failure, Result};
use crate::machine::{free_memory, machine};
use crate::terminal::{note_in, say, typed, warn_in};
use pullback::Error;
use pullback::data::{Column, ColumnType, Encoding, Preprocessing, Table, TimePart, Values, builtin};
use pullback::error::nearest_name;
use pullback::explain::Catalog;
use pullback::job::{Names, Settings, Tables, memory};
use pullback::model::{Model, Partition, Prediction, Test, Trained};
use pullback::report::number::counted;
use pullback_data::{Delimiter, ImageSize, Note, NoteKind, Parts, ReadOptions, read, read_from};
use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// At most so many missing columns are named.
const MOST_NAMES: usize = 5;

/// The name of standard input, where a file is asked for.
const STANDARD_INPUT: &str = "-";

/// What was read.
pub(crate) struct Loaded {
    pub(crate) tables: Tables,
    /// What the reader decided.
    pub(crate) notes: Vec<Note>,
}

impl From<Parts> for Loaded {
    fn from(parts: Parts) -> Self {
        Self { tables: Tables { train: parts.train, test: parts.test, validation: None }, notes: parts.notes }
    }
}

impl Loaded {
    /// The rows that a source sets apart to test on, or all; what the reader warns of is told.
    fn into_tested(self, catalog: &Catalog) -> Table {
        tell(&self.notes, true, catalog);
        self.tables.test.unwrap_or(self.tables.train)
    }
}

/// Says what the reader decided; only what may have lost data, if `is_quiet`.
pub(crate) fn tell(notes: &[Note], is_quiet: bool, catalog: &Catalog) {
    for note in notes {
        if note.kind.is_warning() {
            warn_in(catalog, note);
        } else if !is_quiet {
            note_in(catalog, note);
        }
    }
}

/// Reads rows to train on: those without a target are left out, and counted.
pub(crate) fn load_to_train(settings: &Settings, options: &ReadOptions) -> Result<Loaded> {
    let mut loaded = load(settings.data(), settings.seed(), options)?;
    let table = &loaded.tables.train;
    let target = settings.target.joined(|name| table.get(name).is_some());
    let targets: Vec<&str> = match (&target.0[..], table.target()) {
        ([], Some(target)) => vec![target],
        (targets, _) => targets.iter().map(String::as_str).collect(),
    };
    if targets.iter().any(|name| table.get(name).is_none()) {
        return Ok(loaded); // Whoever uses the target says so.
    }
    if let Some((known, note)) = with_targets(table, targets)? {
        loaded.notes.push(note);
        loaded.tables.train = known;
    }
    Ok(loaded)
}

/// The rows of a table that have all targets, and what is said of the others; absent if there are no others.
fn with_targets<'a>(
    table: &Table,
    targets: impl IntoIterator<Item = &'a str>,
) -> Result<Option<(Table, Note)>> {
    Ok(table.without_missing(targets)?.map(|(known, count)| {
        let words = format!("{} without a target left out", counted(count, "row"));
        (known, Note { kind: NoteKind::BadRows, count, place: Some(table.source().to_owned()), words })
    }))
}

/// Reads what `data` names. A file goes before a built-in set of the same name.
pub(crate) fn load(data: &str, seed: u64, options: &ReadOptions) -> Result<Loaded> {
    load_given(data, None, seed, options)
}

/// The same, of a text that was read from standard input before.
fn load_given(data: &str, given: Option<&[u8]>, seed: u64, options: &ReadOptions) -> Result<Loaded> {
    if let Some(given) = given {
        return Ok(read_from("standard input", given, options)?.into());
    }
    if data == STANDARD_INPUT {
        let input = Awaited::new("standard input", std::io::stdin().lock());
        return Ok(read_from("standard input", input, options)?.into());
    }
    let path = Path::new(data);
    if is_stream(path) {
        let waiting = Waiting::for_rows(data);
        let file = std::fs::File::open(path).map_err(|error| Error::io(path, error))?;
        return Ok(read_from(data, Awaited { source: file, waiting: Some(waiting) }, options)?.into());
    }
    if !path.exists()
        && let Some(set) = builtin::find(data)
    {
        return Ok(Parts::from(set.load(seed)?).into());
    }
    let looks_like_a_name = !data.contains(['/', '\\', '.']);
    if !path.exists() && looks_like_a_name {
        let error = Error::configuration(format!("there is no file and no built-in data set `{data}`"))
            .unknown(data, builtin::ALL.iter().map(|set| set.name));
        return Err(match error.nearest() {
            Some(_) => error.into(),
            None => error.help("give a path, or a name that `pullback datasets` lists").into(),
        });
    }
    let parts = read(path, options).map_err(|error| match error {
        // A column that was declared and is not there.
        error if !error.known().is_empty() => Failure::from(error).into_usage(),
        error => Failure::from(error),
    })?;
    Ok(parts.into())
}

/// Whether a path leads to what gives bytes as they come: a pipe or a terminal.
fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Who waits longer for the first row is told so.
const PATIENCE: Duration = Duration::from_secs(3);

/// Says after some time that rows are waited for; until it is dropped.
struct Waiting {
    _ends: Sender<()>,
}

impl Waiting {
    fn for_rows(name: &str) -> Self {
        let (ends, ended) = channel::<()>();
        let line = format!("waiting for rows from {name}, which has given none yet");
        // Where the system gives no thread, it is waited for in silence.
        let _ = std::thread::Builder::new().spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                say(line);
            }
        });
        Self { _ends: ends }
    }
}

/// A source that is waited for aloud until it has given its first bytes.
struct Awaited<S> {
    source: S,
    waiting: Option<Waiting>,
}

impl<S> Awaited<S> {
    fn new(name: &str, source: S) -> Self {
        Self { source, waiting: Some(Waiting::for_rows(name)) }
    }
}

impl<S: Read> Read for Awaited<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.source.read(buffer);
        self.waiting = None;
        read
    }
}

/// The content of a file, its columns, and the numbers that are trained on: a file should be no larger than this part
/// of the memory that is free.
const PARTS: u64 = 3;

/// How files are read.
pub(crate) fn read_options(settings: &Settings) -> Result<ReadOptions> {
    let delimiter = |text: &str| {
        Delimiter::parse(text).ok_or_else(|| {
            Failure::usage(
                format!("`{text}` is no delimiter"),
                "give one character, or the same twice, for example `--delimiter ';'` or `'::'`, or `tab`",
            )
        })
    };
    let delimiter = settings.delimiter.as_deref().map(delimiter).transpose()?;
    Ok(ReadOptions {
        delimiter,
        has_header: settings.header,
        types: settings.column_types()?,
        targets: settings.targets.clone(),
        expected: settings.target.candidates(),
        missing: settings.missing.0.clone(),
        encoding: settings.encoding.clone(),
        image_size: settings.image_size.as_deref().map(image_size).transpose()?,
        skips_bad_rows: settings.skip_bad_rows == Some(true),
        limit_bytes: free_memory().map_or(ReadOptions::default().limit_bytes, |bytes| bytes / PARTS),
        memory_bytes: free_memory().unwrap_or(u64::MAX),
        spool: Some(temporary_folder(settings.data())),
        ..ReadOptions::default()
    })
}

/// Where temporary files for what memory does not hold go: the folder that the environment names, else beside the data,
/// where there was room for as much before; `/tmp` is memory on many systems.
pub(crate) fn temporary_folder(data: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("TMPDIR").filter(|folder| !folder.is_empty()) {
        return folder.into();
    }
    let path = Path::new(data);
    match path.parent().filter(|_| path.is_file()) {
        Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) => folder.to_owned(),
        None => std::env::temp_dir(),
    }
}

/// The size of images as it is written: `32`, or `48x64`.
fn image_size(text: &str) -> Result<ImageSize> {
    let mut sides =
        text.split(['x', '×']).map(|side| side.trim().parse().ok().filter(|side| (1..=4096).contains(side)));
    match (sides.next().flatten(), sides.next(), sides.next()) {
        (Some(side), None, _) => Ok(ImageSize { height: side, width: side, channels: None }),
        (Some(height), Some(Some(width)), None) => Ok(ImageSize { height, width, channels: None }),
        _ => Err(Failure::usage(
            format!("`{text}` is no size of images"),
            "give the pixels of a side, from 1 to 4096: `--image-size 32`, or height and width: `--image-size 48x64`",
        )),
    }
}

/// The size of images of that shape, `[height, width]` or `[height, width, channels]`.
fn size_of(shape: &[usize]) -> Option<ImageSize> {
    match *shape {
        [height, width] => Some(ImageSize { height, width, channels: Some(1) }),
        [height, width, channels] => Some(ImageSize { height, width, channels: Some(channels) }),
        _ => None,
    }
}

/// The settings that a model was trained with; absent for a model that does not say.
///
/// Nobody is to write where a model says: it says so nowhere.
pub(crate) fn settings_of(model: &Trained<'_>) -> Result<Option<Settings>> {
    if model.configuration.is_null() {
        return Ok(None);
    }
    let settings = Settings::of_model(model.configuration)?;
    if settings.out.is_some() || settings.out_of_fold.is_some() || settings.checkpoint.is_some() {
        return Err(Failure::new(
            "the settings in the model cannot be read (they name a file to write)",
            "update pullback, or train the model again",
        ));
    }
    Ok(Some(settings))
}

/// Loads a network to look into: of an ensemble, one of its networks, counted from 1.
pub(crate) fn load_network(path: &Path, member: Option<usize>, catalog: &Catalog) -> Result<Model<f64>> {
    network_of(&Model::<f64>::load(path)?, path, member, catalog)
}

/// The network to look into of a model that was loaded from a path.
pub(crate) fn network_of(
    model: &Model<f64>,
    path: &Path,
    member: Option<usize>,
    catalog: &Catalog,
) -> Result<Model<f64>> {
    let count = model.member_count();
    if member.is_none() && count > 1 {
        let values: [(&str, &dyn std::fmt::Display); 2] = [("model", &path.display()), ("count", &count)];
        warn_in(catalog, catalog.say("source.first_network", &values));
    }
    let place = member.unwrap_or(1);
    place.checked_sub(1).and_then(|index| model.member(index)).ok_or_else(|| {
        Failure::usage(
            format!("{} has no network {place}", path.display()),
            format!("choose from 1 to {count}"),
        )
    })
}

/// Reads the rows that a model is to predict for: of a source with a part to test on, that part; with a file of targets
/// where the data have none. Columns are taken for what they were in training, whatever they look like; those to be
/// kept beside predictions are given too, as they are written: there each row counts.
pub(crate) fn load_as_in_training(
    model: &Trained<'_>,
    data: &str,
    targets: Option<&Path>,
    kept: Option<&Names>,
    catalog: &Catalog,
) -> Result<(Table, Vec<Column>)> {
    let settings = read_settings(model, data, targets)?;
    let keeps_rows = kept.is_some();
    let no_names = Names::default();
    let kept = kept.unwrap_or(&no_names);
    let mut options = ReadOptions { types: Default::default(), keeps_rows, ..read_options(&settings)? };
    let preprocessing = model.preprocessing;
    let names = preprocessing.features().iter().map(|feature| &feature.name);
    options.expected = names.chain(preprocessing.target().names()).cloned().collect();
    // Cells are read as what they mean, and those to be kept as their texts too.
    let as_texts: BTreeMap<String, ColumnType> =
        kept.candidates().into_iter().map(|name| (name, ColumnType::Categorical)).collect();
    options.known = as_texts.clone();
    as_in_model(&mut options, preprocessing);
    let is_read_twice = as_texts.iter().any(|(name, kind)| options.known.get(name) != Some(kind));
    let given = match is_read_twice && data == STANDARD_INPUT {
        true => Some(standard_input(options.limit_bytes)?),
        false => None,
    };
    let table = load_given(data, given.as_deref(), settings.seed(), &options)?.into_tested(catalog);
    refuse_missing_columns(model, &table)?;
    let kept = kept.joined(|name| table.get(name).is_some()).0;
    let columns = |table: &Table| -> Result<Vec<Column>> {
        kept.iter().map(|name| Ok(table.column(name)?.clone())).collect()
    };
    let kept = match is_read_twice {
        true => {
            options.known = as_texts;
            let Loaded { tables, .. } = load_given(data, given.as_deref(), settings.seed(), &options)?;
            columns(&tables.test.unwrap_or(tables.train))?
        }
        false => columns(&table)?,
    };
    Ok((table, kept))
}

/// Says of columns what they are in a model, whatever they look like.
pub(crate) fn as_in_model(options: &mut ReadOptions, preprocessing: &Preprocessing) {
    options.units = preprocessing.units().clone();
    options.decimal_commas = preprocessing.decimal_commas().clone();
    options.year_first = preprocessing.year_first().clone();
    for feature in preprocessing.features() {
        let kind = match &feature.encoding {
            Encoding::Numeric(_) => ColumnType::Numeric,
            Encoding::Categorical(_) => ColumnType::Categorical,
            Encoding::Time(time) => {
                let trend = time.parts().iter().find_map(|part| match part {
                    TimePart::Trend { center, spread } => {
                        Some([center - 3.0 * spread, center + 3.0 * spread])
                    }
                    _ => None,
                });
                options.dates.extend(trend.map(|dates| (feature.name.clone(), dates)));
                if let Some(is_day_first) = time.is_day_first() {
                    options.day_first.insert(feature.name.clone(), is_day_first);
                }
                ColumnType::Time
            }
            Encoding::Bytes(pixels) => {
                options.image_size = size_of(pixels.shape());
                continue;
            }
            _ => continue,
        };
        options.known.insert(feature.name.clone(), kind);
    }
}

/// All that stands in standard input.
fn standard_input(limit_bytes: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| {
        Failure::new(format!("standard input cannot be read: {error}"), "check what writes to it")
    })?;
    Ok(bytes)
}

/// The settings that a model was trained with, for reading these data. Of the files that they name none is opened.
fn read_settings(model: &Trained<'_>, data: &str, targets: Option<&Path>) -> Result<Settings> {
    Ok(Settings {
        data: Some(data.to_owned()),
        test_data: None,
        targets: targets.map(Path::to_owned),
        ..settings_of(model)?.unwrap_or_default()
    })
}

/// Refuses a table without a column that the model takes.
fn refuse_missing_columns(model: &Trained<'_>, table: &Table) -> Result<()> {
    let taken = || model.preprocessing.features().iter().map(|feature| feature.name.as_str());
    let missing: Vec<&str> = taken().filter(|name| table.get(name).is_none()).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    let shown: Vec<String> = missing.iter().take(MOST_NAMES).map(|name| format!("\"{name}\"")).collect();
    let more = missing.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let taken: HashSet<&str> = taken().collect();
    let others = table.names().filter(|name| !taken.contains(name));
    Err(Failure::new(
        format!("{} lacks what the model takes: {}{more}", table.source(), shown.join(", ")),
        match nearest_name(first, others) {
            Some(near) => format!("if \"{near}\" is \"{first}\", rename it"),
            None => {
                "give all columns that the model was trained on; `pullback inspect` lists them".to_owned()
            }
        },
    ))
}

/// Rows to measure a model on.
pub(crate) struct Chosen {
    pub(crate) table: Table,
    /// What they are, for people.
    pub(crate) what: String,
    /// Whether the model was trained on some of them or all.
    pub(crate) is_trained_on: bool,
}

/// The rows that a model is looked at with, as flags.
#[derive(Debug, clap::Args)]
pub(crate) struct DataFlags {
    /// A built-in data set, a table, an array, or a file or folder of images, with targets; of a folder with a test
    /// part that part. By default the rows of built-in data that were held out from training
    data: Option<String>,
    /// Of the data that the model was trained on, take the rows that were held out
    #[arg(long, requires = "data")]
    held_out: bool,
    /// A NumPy array with the targets, where the data are an array of inputs
    #[arg(long, value_name = "FILE", requires = "data")]
    targets: Option<PathBuf>,
}

impl DataFlags {
    pub(crate) fn is_given(&self) -> bool {
        self.data.is_some()
    }

    /// Warns if all rows were taken of the data that the model was trained on.
    pub(crate) fn warn_of_training(&self, model: &Trained<'_>, is_trained_on: bool, catalog: &Catalog) {
        if is_trained_on && self.is_given() && !self.held_out {
            let data = &model.data;
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("trained", &data.trained_rows), ("rows", &data.rows)];
            warn_in(catalog, catalog.say("source.trained_on", &values));
        }
    }

    /// The files that are read, if they are files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.data.as_deref().map(Path::new).into_iter().chain(self.targets.as_deref())
    }

    /// The rows of the data, or of them those that were held out from training; without data, those of built-in data
    /// that were.
    pub(crate) fn chosen(&self, model: &Trained<'_>, catalog: &Catalog) -> Result<Chosen> {
        let targets = self.targets.as_deref();
        match self.data.as_deref() {
            Some(data) if self.held_out => held_out_of(model, data, targets, catalog),
            Some(data) => all_of(model, data, targets, catalog),
            None => held_out(model, catalog),
        }
    }
}

/// All rows of `data` that have their targets, with a file of targets where they have none.
fn all_of(model: &Trained<'_>, data: &str, targets: Option<&Path>, catalog: &Catalog) -> Result<Chosen> {
    let (mut table, _) = load_as_in_training(model, data, targets, None, catalog)?;
    let names = model.preprocessing.target().names();
    // Whoever uses a target says that its column is not there.
    if names.iter().all(|name| table.get(name).is_some())
        && let Some((known, note)) = with_targets(&table, names.iter().map(String::as_str))?
    {
        warn_in(catalog, note);
        table = known;
    }
    let what = catalog.say("source.rows", &[("source", &table.source()), ("rows", &table.rows())]);
    let is_trained_on = model.data.is_of(&table)?;
    Ok(Chosen { table, what, is_trained_on })
}

/// Of the data that a model was trained on, the rows that were held out.
fn held_out_of(model: &Trained<'_>, data: &str, targets: Option<&Path>, catalog: &Catalog) -> Result<Chosen> {
    let settings = read_settings(model, data, targets)?;
    let table = load_to_train(&settings, &read_options(&settings)?)?.tables.train;
    if !model.data.is_of(&table)? {
        return Err(Failure::new(
            format!("{data} is not what the model was trained on, or has changed since"),
            "leave out `--held-out` to take all of its rows",
        ));
    }
    tested(&table, recorded(model)?, catalog)
}

/// Which rows were for what, as the model file says.
fn recorded<'a>(model: &Trained<'a>) -> Result<&'a Partition> {
    let rows = model.rows.ok_or_else(|| {
        Failure::new(
            "the model does not say which rows were held out from it: an early version wrote it",
            "give rows to evaluate on that are not of its data",
        )
    })?;
    match rows.test() {
        Test::Apart(apart) => Err(Failure::new(
            format!("the model was tested on {}, and a model opens no file", apart.source),
            format!("give it as DATA: {}", typed(&apart.source)),
        )),
        _ => Ok(rows),
    }
}

/// The rows of built-in data that were held out when the model was trained. A model opens no file.
fn held_out(model: &Trained<'_>, catalog: &Catalog) -> Result<Chosen> {
    let source = &model.data.source;
    let Some(set) = builtin::find(source) else {
        return Err(Failure::new(
            format!("the model was trained on {source}, and a model opens no file"),
            format!("give it as DATA: `{} --held-out` takes the rows held out", typed(source)),
        ));
    };
    let seed = settings_of(model)?.map_or(model.training.seed, |settings| settings.seed());
    let table = set.load(seed)?;
    if !model.data.is_of(&table)? {
        return Err(Failure::new(
            format!("{source} has changed since the model was trained on it"),
            "give the rows to evaluate on: a file, or a built-in set",
        ));
    }
    tested(&table, recorded(model)?, catalog)
}

/// The rows of a table that a model was tested on.
fn tested(table: &Table, rows: &Partition, catalog: &Catalog) -> Result<Chosen> {
    let (chosen, key, is_trained_on) = match rows.test() {
        Test::HeldOut(rows) => (rows.clone(), "source.held_out", false),
        Test::Training | Test::Apart(_) => (rows.training(), "source.same", true),
    };
    let table = table.select(&chosen)?;
    let what = catalog.say(key, &[("source", &table.source()), ("rows", &table.rows())]);
    Ok(Chosen { table, what, is_trained_on })
}

/// Reads a file to test on: of a source with a part for that, this part. Columns are what they are in the rows to
/// train on.
pub(crate) fn read_test(
    path: &Path,
    settings: &Settings,
    training: &Table,
    catalog: &Catalog,
) -> Result<Table> {
    // A column without any value is left out, whatever it is here.
    let is_empty = |column: &Column| match column.values().as_deref() {
        Ok(Values::Numbers(numbers)) => numbers.iter().all(|number| number.is_nan()),
        _ => false,
    };
    let is_known = |column: &Column| training.store().is_some() || !is_empty(column);
    let kind = |column: &Column| Some((column.name.clone(), column.kind().filter(|_| is_known(column))?));
    let known = training.columns().iter().filter_map(kind).collect();
    let commas = |column: &Column| Some((column.name.clone(), column.has_decimal_commas?));
    let decimal_commas = training.columns().iter().filter_map(commas).collect();
    let years = training.columns().iter().filter(|column| column.has_years_first);
    let year_first = years.map(|column| column.name.clone()).collect();
    let image_size = training.columns().iter().find_map(|column| size_of(column.bytes()?.shape()));
    let options = read_options(settings)?;
    let image_size = image_size.or(options.image_size);
    Ok(Loaded::from(read(path, &ReadOptions { known, decimal_commas, year_first, image_size, ..options })?)
        .into_tested(catalog))
}

/// What a model predicts for a table; what it could not represent is told.
pub(crate) fn predict(
    model: &Model<f32>,
    table: &Table,
    threads: usize,
    catalog: &Catalog,
) -> Result<Prediction> {
    let machine = machine(threads)?;
    let feature_bytes = model.trained()?.preprocessing.feature_bytes::<f32>(table.rows_at_a_time());
    let work = memory::Work::Prediction { feature_bytes };
    memory::check(model.network(), table.rows().min(256), work, free_memory())?;
    let prediction = model.predict(table, &machine)?;
    for warning in &prediction.warnings {
        warn_in(catalog, warning);
    }
    match prediction.numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(prediction),
        Some(at) => Err(Failure::new(
            format!(
                "{}, row {}: the prediction is not a finite number",
                table.source(),
                at / prediction.outputs + 1
            ),
            "look for a number in the row that is far from all that the model was trained on",
        )),
    }
}
