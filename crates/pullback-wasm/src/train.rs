//! Training of a small network on points of a plane: runs that go on in slices, and of which any step can be gone back to.
//!
//! A run holds the state that its trainer was last in, and goes on by resuming it, so a slice is a function of values.
//! Some states are kept; the state at any step is the one before it in the list, walked on to that step, which gives the
//! same bits. The learning rate may be changed while a run goes on: the changes are a list too.

use crate::lab::Answer;
use pullback::compact::Map;
use pullback::data::{Dataset, Features, Split, Targets, Values, builtin, split};
use pullback::error::{Error, Result};
use pullback::explain::four_ways::{self, Counts};
use pullback::explain::{
    Finding, Kept, LayerFigures, NetworkExample, Notation, Subject, Trace, WorkedExample,
};
use pullback::explain::{diagnose, layer_figures};
use pullback::network::{Activation, Cost, Mode, Network};
use pullback::random::{Purpose, Random};
use pullback::train::{
    Batch, GradientMethod, Machine, Optimizer, State, Trainer, Training, evaluate, predict,
};
use pullback_glass::{Fields, catalog, no_question, text};
use serde_json::{Value, json};
use std::str::FromStr;

/// A question about training.
pub(crate) enum TrainAsk {
    /// Begins a run.
    Open(Box<Open>),
    /// Forgets it.
    Close { id: u32 },
    /// What one gradient costs by each way, in multiply-adds: of a network with so many hidden layers of so many units.
    Counts { depth: usize, width: usize },
}

/// Data, network and settings of a run.
pub(crate) struct Open {
    data: Data,
    hidden: Vec<usize>,
    activation: String,
    optimizer: String,
    learning_rate: f64,
    l2: f64,
    /// The examples of a step; 0 for all.
    batch: usize,
    seed: u64,
    /// The share of the points that are held out.
    test: f64,
    /// How gradients are found: `back`, `forward` or `differences`.
    method: Option<String>,
    /// Of each axis at least from minus this to this is drawn.
    shown: Option<f64>,
}

/// Where the points come from.
enum Data {
    Generated { set: String, points: usize, noise: f64, seed: u64 },
    Given(Vec<(f64, f64, String)>),
}

/// A question about a run that is open.
pub(crate) enum About {
    /// Goes so many steps on.
    Run { steps: usize },
    /// Goes to a step, back or forward; 0 is the start.
    Go { step: usize },
    /// Changes the learning rate from here on. What came after is forgotten.
    Rate { rate: f64 },
    /// Costs, accuracy, and the numbers of each layer.
    Look {},
    /// What is predicted over the plane: `[size, size]`, row after row from the top, the class's number plus its
    /// probability beyond an even one.
    Surface { size: usize },
    /// What each hidden unit gives over the plane: `[units, size, size]`.
    Units { size: usize },
    /// What hinders learning, and the step from which on.
    Findings { language: Option<String> },
    /// The next update as an example, of so many rows of its batch at most.
    Update { title: String, most: usize },
}

impl TrainAsk {
    /// The question that an op is, if it is one of these.
    pub(crate) fn read(op: &str, fields: &mut Fields) -> Result<Option<Self>> {
        Ok(Some(match op {
            "train_open" => Self::Open(Box::new(Open::read(fields)?)),
            "train_close" => Self::Close { id: fields.id("id")? },
            "train_counts" => Self::Counts { depth: fields.count("depth")?, width: fields.count("width")? },
            _ => return Ok(None),
        }))
    }
}

impl Open {
    fn read(fields: &mut Fields) -> Result<Self> {
        let own = Self {
            data: Data::read(fields)?,
            hidden: fields.counts("hidden")?,
            activation: fields.text("activation")?,
            optimizer: fields.text("optimizer")?,
            learning_rate: fields.number("learning_rate")?,
            l2: fields.optional_number("l2")?.unwrap_or(0.0),
            batch: fields.count("batch")?,
            seed: fields.seed("seed")?,
            test: fields.optional_number("test")?.unwrap_or(0.0),
            method: fields.optional_text("method")?,
            shown: fields.optional_number("shown")?,
        };
        fields.end()?;
        Ok(own)
    }
}

impl Data {
    fn read(fields: &mut Fields) -> Result<Self> {
        let point = |value: Value| match value {
            Value::Array(own) => match <[Value; 3]>::try_from(own) {
                Ok([x, y, class]) => Some((x.as_f64()?, y.as_f64()?, text(class)?)),
                Err(_) => None,
            },
            _ => None,
        };
        let missing = || no_question("missing field `data`");
        let mut own = fields.within("data")?.ok_or_else(missing)?;
        if let Some(mut own) = own.within("generated")? {
            return Ok(Self::Generated {
                set: own.text("set")?,
                points: own.count("points")?,
                noise: own.number("noise")?,
                seed: own.seed("seed")?,
            });
        }
        let points: Option<Vec<_>> = own.list("given")?.into_iter().map(point).collect();
        points.map(Self::Given).ok_or_else(|| no_question("a point is two numbers and a class"))
    }
}

impl About {
    /// The question that an op is, if it is one of these.
    pub(crate) fn read(op: &str, fields: &mut Fields) -> Result<Option<Self>> {
        Ok(Some(match op {
            "train_run" => Self::Run { steps: fields.count("steps")? },
            "train_go" => Self::Go { step: fields.count("step")? },
            "train_rate" => Self::Rate { rate: fields.number("rate")? },
            "train_look" => Self::Look {},
            "train_surface" => Self::Surface { size: fields.count("size")? },
            "train_units" => Self::Units { size: fields.count("size")? },
            "train_findings" => Self::Findings { language: fields.optional_text("language")? },
            "train_update" => Self::Update { title: fields.text("title")?, most: fields.count("most")? },
            _ => return Ok(None),
        }))
    }
}

/// The most classes: as many as can be told apart in the picture.
const MOST_CLASSES: usize = 6;
/// The examples of which deltas and gradients are shown and findings are looked for.
const WATCHED: usize = 64;
/// How many states are kept at most.
const MOST_KEPT: usize = 64;
/// The numbers that all kept states may have together.
const KEPT_NUMBERS: usize = 8 << 20;
/// The key of the finding that a number is not finite.
const NOT_FINITE: &str = "not_finite";
/// Deltas are counted by decades, from 1e-10 on; smaller ones are in the first.
const DECADES: std::ops::RangeInclusive<i32> = -10..=2;

/// Points, the class of each, and the classes' names.
type Classified = (Vec<[f64; 2]>, Vec<u32>, Vec<String>);

/// All runs that are open.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    last: u32,
    open: Map<u32, Run>,
}

impl Runs {
    /// Answers a question; absent if its op is none of these.
    pub(crate) fn answer(&mut self, op: &str, fields: &mut Fields) -> Result<Option<Answer>> {
        if let Some(ask) = TrainAsk::read(op, fields)? {
            return self.train(ask).map(Some);
        }
        let Some(about) = About::read(op, fields)? else { return Ok(None) };
        let id = fields.id("id")?;
        let unknown = || Error::configuration(format!("no run is open as {id}"));
        self.open.get_mut(&id).ok_or_else(unknown)?.answer(&about).map(Some)
    }

    fn train(&mut self, ask: TrainAsk) -> Result<Answer> {
        match ask {
            TrainAsk::Open(open) => {
                let run = Run::open(&open)?;
                self.last += 1;
                let answer = run.opened(self.last)?;
                self.open.insert(self.last, run);
                Ok(answer)
            }
            TrainAsk::Close { id } => {
                self.open.remove(&id);
                Ok((Value::Null, Vec::new()))
            }
            TrainAsk::Counts { depth, width } => {
                let network =
                    Network::dense(2, &vec![width; depth], 1, Activation::Tanh, Cost::SigmoidCrossEntropy);
                let counts = counts(&network, 1)?;
                Ok((serde_json::to_value(counts).map_err(unwritten)?, Vec::new()))
            }
        }
    }
}

/// A run of training, where it is, and what is kept of its way.
#[derive(Debug)]
struct Run {
    /// As they were given.
    points: Vec<[f64; 2]>,
    class_names: Vec<String>,
    /// By what each input is moved and divided before the network sees it.
    scales: [(f64, f64); 2],
    /// What is drawn of each axis.
    range: [(f64, f64); 2],
    network: Network,
    training: Training,
    data: Dataset<f32>,
    rows: Vec<usize>,
    held_out: Vec<usize>,
    state: State<f32>,
    /// The steps from which on there was another learning rate.
    rates: Vec<(usize, f64)>,
    /// States on the way, from the start on, a multiple of `every` steps apart.
    kept: Vec<State<f32>>,
    every: usize,
    /// The farthest step that was reached.
    farthest: usize,
    /// The step whose cost is not a finite number.
    diverged: Option<Diverged>,
    found: Vec<Found>,
    /// Up to which step findings were looked for.
    looked: usize,
}

/// What hinders learning, and from which step on.
#[derive(Debug)]
struct Found {
    finding: Finding,
    step: usize,
}

/// A step that has no finite cost, and in what.
#[derive(Debug)]
struct Diverged {
    step: usize,
    operation: String,
}

impl Run {
    fn open(open: &Open) -> Result<Self> {
        let (points, classes, class_names) = open.data.points()?;
        let count = points.len();
        let all: Vec<usize> = (0..count).collect();
        let outer = Random::new(open.seed, Purpose::Split, 0);
        let Split { kept: rows, held_out } = split(&all, Some(&classes), open.test, &outer)?;
        let scales = [0, 1].map(|axis| scale(rows.iter().map(|&row| points[row][axis])));
        let range = [0, 1].map(|axis| {
            let (least, most) = range(points.iter().map(|point| point[axis]));
            open.shown.map_or((least, most), |shown| (least.min(-shown), most.max(shown)))
        });
        let inputs = points.iter().flat_map(|point| scaled(*point, &scales)).collect();
        let is_binary = class_names.len() <= 2;
        let (targets, outputs, cost) = match is_binary {
            true => (Targets::binary(classes)?, 1, Cost::SigmoidCrossEntropy),
            false => {
                let count = class_names.len();
                (Targets::classes(classes, count)?, count, Cost::SoftmaxCrossEntropy)
            }
        };
        let data = Dataset::new(Features::dense(inputs, 2)?, targets)?;
        let mut network =
            Network::dense(2, &open.hidden, outputs, Activation::from_str(&open.activation)?, cost);
        network.regularization.l2 = open.l2;
        let optimizer = Optimizer::from_str(&open.optimizer)?;
        if optimizer.is_searching() {
            return Err(Error::configuration(format!("{} is not for steps one by one", optimizer.name()))
                .help("take another optimizer"));
        }
        let training = Training {
            // Who looks at a run ends it.
            epochs: u32::MAX as usize,
            batch: if open.batch == 0 { Batch::Full } else { Batch::Of(open.batch) },
            optimizer,
            learning_rate: Some(open.learning_rate),
            gradient: open.method.as_deref().map_or(Ok(GradientMethod::Back), GradientMethod::from_str)?,
            seed: open.seed,
            ..Training::default()
        };
        let state = Trainer::new(&network, &training, &data, &rows, &[], &machine())?.state();
        Ok(Self {
            rates: vec![(0, open.learning_rate)],
            kept: vec![state.clone()],
            every: 1,
            farthest: 0,
            diverged: None,
            found: Vec::new(),
            looked: 0,
            points,
            class_names,
            scales,
            range,
            network,
            training,
            data,
            rows,
            held_out,
            state,
        })
    }

    /// What is told of a run before its first step, with its points: `[points, 4]`, two numbers, the class, and
    /// whether it is held out.
    fn opened(&self, id: u32) -> Result<Answer> {
        let ids = self.data.targets().ids().expect("the targets are classes");
        let points = self.points.iter().zip(ids).enumerate().flat_map(|(row, (point, class))| {
            let is_held_out = self.held_out.binary_search(&row).is_ok();
            [point[0] as f32, point[1] as f32, *class as f32, f32::from(u8::from(is_held_out))]
        });
        let batch = match self.training.batch {
            Batch::Of(examples) => examples.min(self.rows.len()),
            Batch::Full => self.rows.len(),
        };
        let counts = counts(&self.network, batch)?;
        let json = json!({
            "id": id,
            "classes": self.class_names,
            "range": self.range,
            "rows": self.rows.len(),
            "held_out": self.held_out.len(),
            "batch": batch,
            "weights": self.network.parameter_count()?,
            "steps_per_epoch": self.rows.len().div_ceil(batch),
            "multiply_adds": match self.training.gradient {
                GradientMethod::Back => counts.back,
                // The cost is found beside the gradient.
                GradientMethod::Forward => counts.pass + counts.forward,
                GradientMethod::Differences => counts.pass + counts.differences,
            },
        });
        Ok((json, points.collect()))
    }

    fn answer(&mut self, about: &About) -> Result<Answer> {
        match about {
            About::Run { steps } => {
                self.run(self.state.steps().saturating_add(*steps))?;
                Ok((self.place(), Vec::new()))
            }
            About::Go { step } => {
                self.state = self.state_at(*step)?;
                Ok((self.place(), Vec::new()))
            }
            About::Rate { rate } => {
                // What a run refuses at its start, it refuses here.
                Training { learning_rate: Some(*rate), ..self.training.clone() }.check::<f32>()?;
                let now = self.state.steps();
                self.rates.retain(|(step, _)| *step < now);
                self.rates.push((now, *rate));
                self.kept.retain(|state| state.steps() <= now);
                self.found.retain(|found| found.step <= now);
                self.looked = self.looked.min(now);
                self.farthest = now;
                self.diverged = self.diverged.take().filter(|own| own.step < now);
                Ok((self.place(), Vec::new()))
            }
            About::Look {} => Ok((self.look()?, Vec::new())),
            About::Surface { size } => Ok((json!({ "range": self.range }), self.surface(*size)?)),
            About::Units { size } => {
                let (layers, numbers) = self.units(*size)?;
                Ok((json!({ "layers": layers }), numbers))
            }
            About::Findings { language } => {
                self.find()?;
                let catalog = catalog(language.as_deref())?;
                let findings = self.found.iter().map(|Found { finding, step }| {
                    let text = finding.text(&catalog);
                    json!({ "key": finding.key, "layer": finding.layer, "step": step, "text": text })
                });
                Ok((json!({ "findings": findings.collect::<Vec<_>>() }), Vec::new()))
            }
            About::Update { title, most } => Ok((self.update(title, *most)?, Vec::new())),
        }
    }

    /// Where the run is.
    fn place(&self) -> Value {
        json!({
            "step": self.state.steps(),
            "epoch": self.state.epoch(),
            "farthest": self.farthest,
            "rate": self.rate_at(self.state.steps()),
            "diverged": self.diverged.as_ref().map(|own| own.step),
        })
    }

    fn rate_at(&self, step: usize) -> f64 {
        self.rates.iter().rfind(|(from, _)| *from <= step).map_or(self.training.learning_rate(), |own| own.1)
    }

    /// Goes on from a state up to a step, and calls `before` before each. Also returns the step that had no finite cost,
    /// if the way ended there.
    fn walk(
        &self,
        state: State<f32>,
        until: usize,
        mut before: impl FnMut(usize, &Trainer<'_, f32>),
    ) -> Result<(State<f32>, Option<Diverged>)> {
        let mut step = state.steps();
        if step >= until {
            return Ok((state, None));
        }
        let Self { network, training, data, rows, .. } = self;
        let mut trainer = Trainer::resume(network, training, data, rows, &[], &machine(), state)?;
        while step < until {
            before(step, &trainer);
            trainer.set_learning_rate(Some(self.rate_at(step)));
            if trainer.step().is_none() {
                let state = trainer.state();
                let blame = trainer.finish().history.blame;
                let operation = blame.map_or_else(String::new, |blame| blame.node);
                return Ok((state, Some(Diverged { step, operation })));
            }
            step += 1;
        }
        Ok((trainer.state(), None))
    }

    /// Goes on to a step, and keeps some of the states on the way.
    fn run(&mut self, until: usize) -> Result<()> {
        if self.diverged.as_ref().is_some_and(|own| own.step == self.state.steps()) {
            return Ok(());
        }
        let (mut kept, mut every) = (std::mem::take(&mut self.kept), self.every);
        let numbers: usize = self.state.parameters().map(<[f32]>::len).sum();
        let way = self.walk(self.state.clone(), until, |step, trainer| {
            if step % every != 0 || kept.last().is_some_and(|state| state.steps() >= step) {
                return;
            }
            kept.push(trainer.state());
            // A state has the parameters, the best, what the optimizer keeps, and a report of each epoch.
            let one = 4 * numbers + 20 * kept.last().map_or(0, State::epoch);
            if kept.len() > MOST_KEPT.min((KEPT_NUMBERS / one).max(8)) {
                every *= 2;
                kept.retain(|state| state.steps() % every == 0);
            }
        });
        (self.kept, self.every) = (kept, every);
        let (state, diverged) = way?;
        self.state = state;
        self.diverged = diverged.or(self.diverged.take());
        self.farthest = self.farthest.max(self.state.steps());
        Ok(())
    }

    /// The state at a step that was reached.
    fn state_at(&self, step: usize) -> Result<State<f32>> {
        if step > self.farthest {
            return Err(Error::configuration(format!("step {step} was not reached"))
                .help(format!("give at most {}", self.farthest)));
        }
        let before = self.kept.iter().rfind(|state| state.steps() <= step).expect("the start is kept");
        Ok(self.walk(before.clone(), step, |_, _| {})?.0)
    }

    fn parameters(&self) -> Vec<Vec<f32>> {
        self.state.parameters().map(<[f32]>::to_vec).collect()
    }

    /// All numbers of forward and backward pass, in f64, on some rows.
    fn trace(&self, state: &State<f32>, rows: &[usize]) -> Result<Trace> {
        let wide = |numbers: &[f32]| numbers.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let parameters: Vec<Vec<f64>> = state.parameters().map(wide).collect();
        let inputs = self.data.features().select(rows)?;
        let targets = self.data.targets().select(rows)?;
        Trace::new(&self.network, &parameters, &wide(&inputs), &wide(&targets), rows.len())
    }

    /// The rows whose deltas are shown.
    fn watched(&self) -> &[usize] {
        &self.rows[..self.rows.len().min(WATCHED)]
    }

    fn look(&self) -> Result<Value> {
        let parameters = self.parameters();
        let measured = |rows: &[usize]| -> Result<Value> {
            if rows.is_empty() {
                return Ok(Value::Null);
            }
            let found = evaluate(&self.network, &parameters, &self.data, rows, &machine())?;
            let right = self.right(&found.predictions, rows);
            Ok(json!({ "cost": found.cost, "accuracy": right as f64 / rows.len() as f64 }))
        };
        let trace = self.trace(&self.state, self.watched())?;
        let figures = layer_figures(&trace, &self.training);
        let layers: Vec<Value> =
            trace.dense().iter().zip(&figures).map(|(dense, own)| layer(&trace, dense, own)).collect();
        let mut json = self.place();
        json["train"] = measured(&self.rows)?;
        json["test"] = measured(&self.held_out)?;
        json["watched"] = self.watched().len().into();
        json["layers"] = layers.into();
        Ok(json)
    }

    /// How many predictions name the right class.
    fn right(&self, predictions: &[f32], rows: &[usize]) -> usize {
        let ids = self.data.targets().ids().expect("the targets are classes");
        let outputs = self.network.outputs();
        predictions.chunks(outputs).zip(rows).filter(|(own, row)| named(own) == ids[**row] as usize).count()
    }

    /// The points of a grid over what is drawn, as the network reads them.
    fn grid(&self, size: usize) -> Result<Features<f32>> {
        if !(2..=400).contains(&size) {
            return Err(Error::configuration(format!("a grid of {size} by {size} cannot be drawn"))
                .help("give from 2 to 400"));
        }
        let at = |axis: usize, place: usize| {
            let (from, to) = self.range[axis];
            from + (to - from) * (place as f64 + 0.5) / size as f64
        };
        let points = (0..size * size).flat_map(|place| {
            let point = [at(0, place % size), at(1, size - 1 - place / size)];
            scaled(point, &self.scales)
        });
        Features::dense(points.collect(), 2)
    }

    fn surface(&self, size: usize) -> Result<Vec<f32>> {
        let predictions = predict(&self.network, &self.parameters(), &self.grid(size)?, &machine())?;
        let outputs = self.network.outputs();
        if outputs == 1 {
            return Ok(predictions);
        }
        // The class, and how sure it is: from 0, where all are alike, to below 1.
        let even = 1.0 / outputs as f32;
        let sure = |own: &[f32]| {
            let class = named(own);
            class as f32 + ((own[class] - even) / (1.0 - even)).clamp(0.0, 0.999)
        };
        Ok(predictions.chunks(outputs).map(sure).collect())
    }

    /// The units of each hidden layer, and what they give over the plane.
    fn units(&self, size: usize) -> Result<(Vec<usize>, Vec<f32>)> {
        let (grid, parameters) = (self.grid(size)?, self.parameters());
        let hidden = self.network.layers.len() / 2;
        let (mut layers, mut numbers) = (Vec::new(), Vec::new());
        for layer in 1..=hidden {
            // A dense layer and its activation are two layers, and have two parameters.
            let part = Network {
                layers: self.network.layers[..2 * layer].to_vec(),
                cost: Cost::SquaredError,
                ..self.network.clone()
            };
            let given = predict(&part, &parameters[..2 * layer], &grid, &machine())?;
            let units = part.outputs();
            layers.push(units);
            for unit in 0..units {
                numbers.extend(given.iter().skip(unit).step_by(units));
            }
        }
        Ok((layers, numbers))
    }

    /// Looks for what hinders learning, up to where the run is. The step from which on there is a finding is found by
    /// halving: there it is, and one step before it was not.
    fn find(&mut self) -> Result<()> {
        let now = self.state.steps();
        let is_known = |run: &Self| run.found.iter().any(|found| found.finding.key == NOT_FINITE);
        if let Some(Diverged { step, operation }) = &self.diverged
            && !is_known(self)
        {
            // The trainer met it, in f32 and in a batch that is not looked at here.
            let finding = Finding::not_finite(operation.clone());
            self.found.push(Found { finding, step: *step });
        }
        if now < self.looked || (now == self.looked && now > 0) {
            return Ok(());
        }
        let rows = self.watched().to_vec();
        let findings = diagnose(&self.trace(&self.state, &rows)?);
        for finding in findings {
            let is_same = |own: &Finding| own.key == finding.key && own.layer == finding.layer;
            if self.found.iter().any(|found| is_same(&found.finding)) {
                continue;
            }
            let (mut low, mut high) = (self.looked, now);
            let mut before = self.state_at(low)?;
            let mut first = finding.clone();
            if let Some(own) = diagnose(&self.trace(&before, &rows)?).into_iter().find(&is_same) {
                (high, first) = (low, own);
            }
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                let state = self.walk(before.clone(), middle, |_, _| {})?.0;
                match diagnose(&self.trace(&state, &rows)?).into_iter().find(&is_same) {
                    Some(own) => (high, first) = (middle, own),
                    None => (low, before) = (middle, state),
                }
            }
            self.found.push(Found { finding: first, step: high });
        }
        self.looked = now;
        Ok(())
    }

    /// The rows of the step that follows a state.
    fn next_rows(&self, state: State<f32>) -> Result<Vec<usize>> {
        let Self { network, training, data, rows, .. } = self;
        let trainer = Trainer::resume(network, training, data, rows, &[], &machine(), state)?;
        let next = trainer.next_rows();
        // Of a run that has ended there is none; any rows show its numbers.
        Ok(if next.is_empty() { self.watched().to_vec() } else { next })
    }

    /// What the optimizer keeps from the steps before.
    fn kept(&self) -> Kept {
        let wide = |state: &[f32]| state.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let of = |place: usize| self.state.optimizer(place).map(wide).collect::<Vec<_>>();
        let states: Vec<_> = (0..self.state.parameters().len()).map(of).collect();
        // Plain descent keeps nothing, and each of its steps is like the first.
        match states.iter().all(Vec::is_empty) {
            true => Kept::default(),
            false => Kept::of_run(self.state.steps() as u64, states),
        }
    }

    /// The next update as an example that can be opened: its weights, what the optimizer keeps, and rows of its batch.
    fn update(&self, title: &str, most: usize) -> Result<Value> {
        let batch = self.next_rows(self.state.clone())?;
        let rows = &batch[..batch.len().min(most.max(1))];
        let trace = self.trace(&self.state, rows)?;
        let wide = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect::<Vec<f64>>();
        let example = NetworkExample {
            network: self.network.clone(),
            parameters: (0..trace.parameters().len()).map(|place| trace.parameter(place).to_vec()).collect(),
            inputs: wide(self.data.features().select(rows)?),
            targets: wide(self.data.targets().select(rows)?),
            weights: None,
            rows: rows.len(),
            training: Training {
                optimizer: self.training.optimizer,
                learning_rate: Some(self.rate_at(self.state.steps())),
                seed: self.training.seed,
                ..Training::default()
            },
            mode: Mode::Evaluation,
            kept: self.kept(),
            fixed: Vec::new(),
            names: Default::default(),
        };
        let worked = WorkedExample {
            title: title.to_owned(),
            source: String::new(),
            notation: Notation::default(),
            language: None,
            subject: Subject::Network(Box::new(example)),
            expect: Vec::new(),
        };
        Ok(json!({ "state": worked.to_json(), "rows": rows.len(), "batch": batch.len() }))
    }
}

/// The numbers of a layer with weights.
fn layer(trace: &Trace, dense: &pullback::explain::Dense, figures: &LayerFigures) -> Value {
    let deltas = trace.value(dense.delta);
    let mut counts = vec![0_u32; DECADES.count()];
    let mut zeros = 0;
    for delta in deltas {
        let size = delta.abs();
        if size == 0.0 {
            zeros += 1;
        } else if size.is_finite() {
            let decade = (size.log10().floor() as i32).clamp(*DECADES.start(), *DECADES.end());
            counts[(decade - DECADES.start()) as usize] += 1;
        }
    }
    json!({
        "units": dense.units,
        "inputs": dense.inputs,
        "weights": trace.parameter(dense.weight),
        "gradients": trace.gradient(dense.weight),
        "biases": dense.bias.map(|place| trace.parameter(place)),
        "delta": figures.delta,
        "slope": figures.slope,
        "flat": figures.flat,
        "deltas": { "first": DECADES.start(), "counts": counts, "zeros": zeros },
    })
}

impl Data {
    fn points(&self) -> Result<Classified> {
        let (points, names): (Vec<[f64; 2]>, Vec<String>) = match self {
            Data::Generated { set, points, noise, seed } => {
                let table = builtin::plane(set, *points, *noise, *seed)?;
                let [x, y, class] = table.columns() else {
                    unreachable!("points have two numbers and a class")
                };
                let (x, y, class) = (x.values()?, y.values()?, class.values()?);
                let (Values::Numbers(x), Values::Numbers(y), Values::Categories(class)) = (&*x, &*y, &*class)
                else {
                    unreachable!("points have two numbers and a class")
                };
                let names = (0..x.len()).map(|row| class.text(row).unwrap_or_default().to_owned());
                (x.iter().zip(y).map(|(x, y)| [*x, *y]).collect(), names.collect())
            }
            Data::Given(points) => points.iter().map(|(x, y, class)| ([*x, *y], class.clone())).unzip(),
        };
        if let Some(row) = points.iter().position(|point| point.iter().any(|x| !x.is_finite())) {
            return Err(Error::data(format!("point {} has a number that is not finite", row + 1)));
        }
        // In the order in which they first appear.
        let mut classes: Vec<String> = Vec::new();
        let ids = names.iter().map(|name| {
            let known = classes.iter().position(|own| own == name);
            known.unwrap_or_else(|| {
                classes.push(name.clone());
                classes.len() - 1
            }) as u32
        });
        let ids: Vec<u32> = ids.collect();
        if classes.len() > MOST_CLASSES {
            return Err(Error::data(format!("there are {} classes", classes.len())).help(format!(
                "the picture tells {MOST_CLASSES} apart; take a column with as many at most"
            )));
        }
        if points.is_empty() {
            return Err(Error::data("there are no points").help("give at least one"));
        }
        Ok((points, ids, classes))
    }
}

/// What a gradient of a batch costs by each way.
fn counts(network: &Network, rows: usize) -> Result<Counts> {
    let zeros: Vec<Vec<f64>> =
        network.parameters()?.iter().map(|parameter| vec![0.0; parameter.shape.elements()]).collect();
    let (inputs, outputs) = (vec![0.0; rows * network.inputs], vec![0.0; rows * network.outputs()]);
    Ok(four_ways::count(&Trace::new(network, &zeros, &inputs, &outputs, rows)?))
}

/// The class that a prediction names.
fn named(prediction: &[f32]) -> usize {
    match prediction {
        [probability] => usize::from(*probability >= 0.5),
        all => (0..all.len()).max_by(|a, b| all[*a].total_cmp(&all[*b])).unwrap_or(0),
    }
}

/// Mean and standard deviation, the latter 1 where all are alike.
fn scale(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = numbers.clone().count() as f64;
    let mean = numbers.clone().sum::<f64>() / count;
    let spread = (numbers.map(|x| (x - mean) * (x - mean)).sum::<f64>() / count).sqrt();
    (mean, if spread > 0.0 { spread } else { 1.0 })
}

fn scaled(point: [f64; 2], scales: &[(f64, f64); 2]) -> [f32; 2] {
    [0, 1].map(|axis| ((point[axis] - scales[axis].0) / scales[axis].1) as f32)
}

/// From the least to the largest number, with a margin on both sides.
fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = numbers
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (f64::min(least, x), f64::max(most, x)));
    let margin = if most > least { 0.12 * (most - least) } else { 1.0 };
    (least - margin, most + margin)
}

fn machine() -> Machine {
    Machine::with_threads(1)
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::configuration("a number cannot be written").caused_by(error)
}
