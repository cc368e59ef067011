//! Arrays in, a model out: a [`Classifier`], a [`LabelClassifier`] and a [`Regressor`] run the same job as the command,
//! on numbers that the caller has in memory.
//!
//! ```
//! use pullback::{Classifier, Model};
//!
//! let x: Vec<f32> = (0..300).flat_map(|i| [i as f32, ((i * 7) % 300) as f32]).collect(); // two columns
//! let y: Vec<u32> = x.chunks(2).map(|row| u32::from(row[0] > row[1])).collect();
//! let model = Classifier::new().hidden([16]).epochs(100).fit(&x, 2, &y)?;
//!
//! let again = Model::from_bytes(&model.to_bytes()?)?;
//! assert_eq!(again.predict_classes(&[290.0, 10.0, 10.0, 290.0])?, [1, 0]);
//! let probabilities = again.predict_probabilities(&[290.0, 10.0])?;
//! assert!(probabilities[1] > 0.9);
//! # Ok::<(), pullback::Error>(())
//! ```

use crate::data::{Categories, Column, Features, Scaling, Table, Target, Task, Values};
use crate::error::{Error, Result};
use crate::job::{Hidden, Job, Names, Settings};
use crate::model::{Model, Prediction};
use crate::network::Activation;
use crate::train::{Batch, Machine, Metric, Observer, Silent, most_likely};
use pullback_kernels::Real;

/// The name of the target, or of the first one.
const TARGET: &str = "y";

/// The name of the column of weights.
const WEIGHTS: &str = "weight";

/// Learns classes from rows of numbers.
///
/// It trains on all rows, but from 200 rows on for a tenth of them that tell when to stop; see
/// [`Job`] for what is decided from the data. The same data, settings and seed give the same bits.
#[derive(Debug, Clone, Default)]
pub struct Classifier {
    settings: Settings,
    weights: Option<Vec<f64>>,
    machine: Machine,
}

/// Learns numbers from rows of numbers.
///
/// ```
/// use pullback::Regressor;
/// let x: Vec<f64> = (0..100).map(|i| f64::from(i) / 50.0 - 1.0).collect();
/// let y: Vec<f64> = x.iter().map(|x| 3.0 * x + 1.0).collect();
/// let model = Regressor::new().hidden([]).fit(&x, 1, &y)?;
/// assert!((model.predict_numbers(&[0.5])?[0] - 2.5).abs() < 0.01);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Regressor {
    settings: Settings,
    weights: Option<Vec<f64>>,
    machine: Machine,
}

/// Learns labels, of which a row has any number, from rows of numbers.
///
/// ```
/// use pullback::LabelClassifier;
/// let x: Vec<f32> = (0..100).map(|i| i as f32 / 50.0 - 1.0).collect();
/// let y: Vec<bool> = x.iter().flat_map(|x| [*x > 0.5, *x > -0.5]).collect(); // two labels a row
/// let model = LabelClassifier::new().hidden([]).epochs(300).fit(&x, 1, &y)?;
/// assert_eq!(model.predict_labels(&[0.9, 0.0])?, [true, true, false, true]);
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct LabelClassifier {
    settings: Settings,
    weights: Option<Vec<f64>>,
    machine: Machine,
}

/// What all estimators can be told.
macro_rules! builders {
    ($type:ident) => {
        impl $type {
            /// An estimator with nothing said: all is decided from the data.
            pub fn new() -> Self {
                Self::default()
            }

            /// The units of each hidden layer; none for a linear model.
            #[must_use]
            pub fn hidden(mut self, units: impl IntoIterator<Item = usize>) -> Self {
                self.settings.hidden = Some(Hidden(units.into_iter().collect()));
                self
            }

            /// The activation of hidden layers.
            #[must_use]
            pub fn activation(mut self, activation: Activation) -> Self {
                self.settings.activation = Some(activation);
                self
            }

            /// How many times all examples are seen.
            #[must_use]
            pub fn epochs(mut self, epochs: usize) -> Self {
                self.settings.epochs = Some(epochs);
                self
            }

            /// How many examples make a step.
            #[must_use]
            pub fn batch(mut self, batch: Batch) -> Self {
                self.settings.batch = Some(batch);
                self
            }

            /// The factor of each step.
            #[must_use]
            pub fn learning_rate(mut self, rate: f64) -> Self {
                self.settings.learning_rate = Some(rate);
                self
            }

            /// The strength of L2 regularization.
            #[must_use]
            pub fn l2(mut self, strength: f64) -> Self {
                self.settings.l2 = Some(strength);
                self
            }

            /// The dropout rate after each hidden layer.
            #[must_use]
            pub fn dropout(mut self, rate: f64) -> Self {
                self.settings.dropout = Some(rate);
                self
            }

            /// How columns are scaled.
            #[must_use]
            pub fn scaling(mut self, scaling: Scaling) -> Self {
                self.settings.scaling = Some(scaling);
                self
            }

            /// The fraction of the rows that are held out to tell when to stop.
            #[must_use]
            pub fn validation(mut self, fraction: f64) -> Self {
                self.settings.validation = Some(fraction);
                self
            }

            /// Stops when the watched metric has not improved for that many epochs; 0 for never.
            #[must_use]
            pub fn early_stopping(mut self, epochs: usize) -> Self {
                self.settings.early_stopping = Some(epochs);
                self
            }

            /// The metric of the rows held out that tells how good an epoch was; by default the cost.
            #[must_use]
            pub fn metric(mut self, metric: Metric) -> Self {
                self.settings.metric = Some(metric);
                self
            }

            /// How many networks are trained, whose predictions are averaged; by default one.
            #[must_use]
            pub fn ensemble(mut self, networks: usize) -> Self {
                self.settings.ensemble = Some(networks);
                self
            }

            /// How many times each row counts, in the order of the rows: in the cost and in what is watched.
            #[must_use]
            pub fn weights(mut self, weights: impl IntoIterator<Item = f64>) -> Self {
                self.weights = Some(weights.into_iter().collect());
                self
            }

            /// The seed of all random numbers.
            #[must_use]
            pub fn seed(mut self, seed: u64) -> Self {
                self.settings.seed = Some(seed);
                self
            }

            /// What it runs on; this changes no bit of the model.
            #[must_use]
            pub fn machine(mut self, machine: Machine) -> Self {
                self.machine = machine;
                self
            }

            /// Any other setting of [`Settings::LIST`], by its name.
            ///
            /// # Errors
            /// If there is no such setting, or the text is none of its values.
            pub fn set(mut self, name: &str, text: &str) -> Result<Self> {
                self.settings.set(name, text)?;
                Ok(self)
            }
        }
    };
}

builders!(Classifier);
builders!(Regressor);
builders!(LabelClassifier);

impl Classifier {
    /// How much each class counts in the cost, instead of alike: the class and its weight; those that are not named
    /// count once.
    ///
    /// ```
    /// use pullback::Classifier;
    /// let x: Vec<f32> = (0..100).map(|i| i as f32).collect();
    /// let y: Vec<u32> = x.iter().map(|x| u32::from(*x > 94.0)).collect(); // five of a hundred
    /// let model = Classifier::new().epochs(20).class_weights([(1, 19.0)]).fit(&x, 1, &y)?;
    /// assert_eq!(model.predict_classes(&[99.0])?, [1]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    #[must_use]
    pub fn class_weights(mut self, weights: impl IntoIterator<Item = (u32, f64)>) -> Self {
        let text = |(class, weight): (u32, f64)| format!("{class}={weight}");
        self.settings.class_weights = Names(weights.into_iter().map(text).collect());
        self
    }

    /// Divides weighted sums by a temperature fitted to the rows held out, so that probabilities are as sure as those rows
    /// say. There have to be some: from 200 rows on, in an [ensemble](Self::ensemble) from 20, or by
    /// [`validation`](Self::validation).
    ///
    /// ```
    /// use pullback::Classifier;
    /// let x: Vec<f32> = (0..90).map(|i| i as f32).collect();
    /// let y: Vec<u32> = (0..90).map(|i| u32::from(i % 7 > 2) * u32::from(i > 30)).collect(); // of much noise
    /// let model = Classifier::new().epochs(20).ensemble(4).calibrated().fit(&x, 1, &y)?;
    /// assert!(model.temperature().is_some());
    /// # Ok::<(), pullback::Error>(())
    /// ```
    #[must_use]
    pub fn calibrated(mut self) -> Self {
        self.settings.calibrate = Some(true);
        self
    }

    /// Lets classes count alike in all, however rare they are.
    #[must_use]
    pub fn balanced(mut self) -> Self {
        self.settings.class_weights = Names(vec!["balanced".to_owned()]);
        self
    }

    /// Learns from rows of `width` numbers in `x`, `[rows, width]`, and the class of each row.
    ///
    /// # Errors
    /// If lengths do not fit, a number is not finite (with its row and column, counted from 0), there are fewer than
    /// two classes, or settings contradict each other.
    pub fn fit<T: Real>(&self, x: &[T], width: usize, y: &[u32]) -> Result<Model<f32>> {
        self.fit_watched(x, width, y, &mut Silent)
    }

    /// The same, watched by an observer that may stop it.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_watched<T: Real>(
        &self,
        x: &[T],
        width: usize,
        y: &[u32],
        observer: &mut dyn Observer,
    ) -> Result<Model<f32>> {
        let mut columns = columns(x, width)?;
        let rows = x.len() / width;
        if y.len() != rows {
            return Err(Error::data(format!("{} classes for {rows} rows of {width} numbers", y.len()))
                .help("give one class a row"));
        }
        let classes = Categories::from_texts(y.iter().map(|class| Some(class.to_string())));
        columns.push(Column::new(TARGET, Values::Categories(classes)));
        columns.extend(weights_column(self.weights.as_deref(), rows)?);
        run(&self.settings, &self.machine, columns, vec![TARGET.into()], observer)
    }
}

impl Regressor {
    /// Learns from rows of `width` numbers in `x`, `[rows, width]`, and the numbers to predict, `[rows, outputs]`.
    ///
    /// # Errors
    /// If lengths do not fit, a number is not finite (with its row and column, counted from 0), or settings
    /// contradict each other.
    pub fn fit<T: Real>(&self, x: &[T], width: usize, y: &[T]) -> Result<Model<f32>> {
        self.fit_watched(x, width, y, &mut Silent)
    }

    /// The same, watched by an observer that may stop it.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_watched<T: Real>(
        &self,
        x: &[T],
        width: usize,
        y: &[T],
        observer: &mut dyn Observer,
    ) -> Result<Model<f32>> {
        let mut columns = columns(x, width)?;
        let rows = x.len() / width;
        let outputs = each_row(y.len(), rows, width, "targets")?;
        refuse_infinite("y", y, outputs)?;
        let name = |output: usize| if outputs == 1 { TARGET.to_owned() } else { format!("{TARGET}{output}") };
        let names: Vec<String> = (0..outputs).map(name).collect();
        columns.extend(names.iter().enumerate().map(|(output, name)| column(name, y, output, outputs)));
        columns.extend(weights_column(self.weights.as_deref(), rows)?);
        let settings = Settings { task: Some(Task::Regression), ..self.settings.clone() };
        run(&settings, &self.machine, columns, names, observer)
    }
}

impl LabelClassifier {
    /// Divides weighted sums by a temperature fitted to the rows held out, as [`Classifier::calibrated`].
    #[must_use]
    pub fn calibrated(mut self) -> Self {
        self.settings.calibrate = Some(true);
        self
    }

    /// Learns from rows of `width` numbers in `x`, `[rows, width]`, and whether each row has each label,
    /// `[rows, labels]`.
    ///
    /// # Errors
    /// If lengths do not fit, a number is not finite (with its row and column, counted from 0), a label is given to
    /// all rows or to none, or settings contradict each other.
    pub fn fit<T: Real>(&self, x: &[T], width: usize, y: &[bool]) -> Result<Model<f32>> {
        self.fit_watched(x, width, y, &mut Silent)
    }

    /// The same, watched by an observer that may stop it.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_watched<T: Real>(
        &self,
        x: &[T],
        width: usize,
        y: &[bool],
        observer: &mut dyn Observer,
    ) -> Result<Model<f32>> {
        let mut columns = columns(x, width)?;
        let rows = x.len() / width;
        let labels = each_row(y.len(), rows, width, "labels")?;
        let names: Vec<String> = (0..labels).map(|label| format!("{TARGET}{label}")).collect();
        let numbers: Vec<f64> = y.iter().map(|yes| f64::from(u8::from(*yes))).collect();
        columns.extend(names.iter().enumerate().map(|(label, name)| column(name, &numbers, label, labels)));
        columns.extend(weights_column(self.weights.as_deref(), rows)?);
        let settings = Settings { task: Some(Task::Labels), ..self.settings.clone() };
        run(&settings, &self.machine, columns, names, observer)
    }
}

/// How many of so many targets each row has.
fn each_row(count: usize, rows: usize, width: usize, what: &str) -> Result<usize> {
    if count == 0 || !count.is_multiple_of(rows) {
        return Err(Error::data(format!("{count} {what} for {rows} rows of {width} numbers"))
            .help("give as many for each row"));
    }
    Ok(count / rows)
}

fn run(
    settings: &Settings,
    machine: &Machine,
    columns: Vec<Column>,
    target: Vec<String>,
    observer: &mut dyn Observer,
) -> Result<Model<f32>> {
    // Who tests, tests on rows of his own.
    // An array has no row numbers or names in it: all its columns are inputs.
    let has_weights = columns.iter().any(|column| column.name == WEIGHTS);
    let inputs = columns.iter().filter(|column| !target.contains(&column.name) && column.name != WEIGHTS);
    let types = inputs.map(|column| format!("{}=numeric", column.name)).collect();
    let settings = Settings {
        data: Some("arrays".into()),
        // Who has arrays knows how to ask for more.
        ensemble: settings.ensemble.or(Some(1)),
        target: Names(target),
        r#type: Names(types),
        test: Some(0.0),
        weights: has_weights.then(|| WEIGHTS.to_owned()),
        ..settings.clone()
    };
    let job = Job::new(settings, Table::new("arrays", columns)?).decide()?;
    job.check_memory(machine, None)?;
    let fitted = job.run(machine, observer)?;
    match fitted.trouble {
        Some(trouble) => Err(trouble),
        None => Ok(fitted.model),
    }
}

/// The column of the weights of so many rows, if there are any.
fn weights_column(weights: Option<&[f64]>, rows: usize) -> Result<Option<Column>> {
    match weights {
        Some(weights) if weights.len() != rows => {
            Err(Error::data(format!("{} weights for {rows} rows", weights.len()))
                .help("give one for each row"))
        }
        weights => Ok(weights.map(|weights| Column::new(WEIGHTS, Values::Numbers(weights.to_vec())))),
    }
}

/// The columns of an array `[rows, width]`.
fn columns<T: Real>(x: &[T], width: usize) -> Result<Vec<Column>> {
    if width == 0 || x.is_empty() || !x.len().is_multiple_of(width) {
        return Err(Error::data(format!("x has {} numbers, which are no rows of {width}", x.len()))
            .help("give a multiple of the width, and at least one row"));
    }
    refuse_infinite("x", x, width)?;
    Ok((0..width).map(|at| column(&format!("x{at}"), x, at, width)).collect())
}

fn column<T: Real>(name: &str, numbers: &[T], at: usize, width: usize) -> Column {
    let numbers = numbers.iter().skip(at).step_by(width).map(|number| number.to_f64()).collect();
    Column::new(name, Values::Numbers(numbers))
}

fn refuse_infinite<T: Real>(what: &str, numbers: &[T], width: usize) -> Result<()> {
    match numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::data(format!(
            "{what}, row {}, column {}: {} is not a finite number",
            at / width,
            at % width,
            numbers[at].to_f64()
        ))
        .help("correct it, or leave the row out")),
    }
}

impl Model<f32> {
    /// The class of each row of an array `[rows, width]`, as [`Classifier::fit`] was given them.
    ///
    /// # Errors
    /// If the array is no rows of the model's width, a number is not finite, or the model was made otherwise and
    /// predicts no such classes.
    pub fn predict_classes<T: Real>(&self, x: &[T]) -> Result<Vec<u32>> {
        let names = self.class_names().unwrap_or_default();
        let classes: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let predicted = self.predict_array(x)?.classes;
        match predicted {
            Some(predicted) if classes.len() == names.len() => {
                Ok(predicted.into_iter().map(|class| classes[class]).collect())
            }
            _ => Err(Error::model("the model predicts no classes that are whole numbers")
                .help("predict for a table, or numbers")),
        }
    }

    /// Whether each row of an array `[rows, width]` is more likely to have each label than not, `[rows, labels]`, as
    /// [`LabelClassifier::fit`] was given them.
    ///
    /// # Errors
    /// If the array is no rows of the model's width, a number is not finite, or the model predicts no labels.
    pub fn predict_labels<T: Real>(&self, x: &[T]) -> Result<Vec<bool>> {
        match self.preprocessing().map(|preprocessing| preprocessing.target().target()) {
            Some(Target::Labels { .. }) => {
                Ok(self.predict_array(x)?.numbers.iter().map(|&p| most_likely(&[p]) == 1).collect())
            }
            _ => Err(Error::model("the model predicts no labels").help("predict classes, or numbers")),
        }
    }

    /// The probability of each class for each row, `[rows, classes]`, the classes in ascending order; or that of each
    /// label, `[rows, labels]`.
    ///
    /// # Errors
    /// As [`predict_classes`](Self::predict_classes).
    pub fn predict_probabilities<T: Real>(&self, x: &[T]) -> Result<Vec<f64>> {
        let target = self.preprocessing().map(|preprocessing| preprocessing.target().target());
        if !target.is_some_and(Target::has_probabilities) {
            return Err(Error::model("the model predicts numbers, which have no probabilities"));
        }
        let has_classes = self.class_names().is_some();
        let Prediction { numbers, outputs, .. } = self.predict_array(x)?;
        Ok(match outputs {
            1 if has_classes => numbers.iter().flat_map(|second| [1.0 - second, *second]).collect(),
            _ => numbers,
        })
    }

    /// What the network puts out for each row, `[rows, outputs]`: the numbers of a regression.
    ///
    /// # Errors
    /// As [`predict_classes`](Self::predict_classes).
    pub fn predict_numbers<T: Real>(&self, x: &[T]) -> Result<Vec<f64>> {
        Ok(self.predict_array(x)?.numbers)
    }

    fn class_names(&self) -> Option<&[String]> {
        self.preprocessing()?.target().target().classes()
    }

    fn predict_array<T: Real>(&self, x: &[T]) -> Result<Prediction> {
        let Some(preprocessing) = self.preprocessing() else {
            let width = self.network().inputs;
            columns(x, width)?;
            let x: Vec<f32> = x.iter().map(|number| number.to_f64() as f32).collect();
            return self.predict_features(&Features::dense(x, width)?, &Machine::default());
        };
        let width = preprocessing.features().len() + preprocessing.left_out().len();
        self.predict(&Table::new("x", columns(x, width)?)?, &Machine::default())
    }
}
