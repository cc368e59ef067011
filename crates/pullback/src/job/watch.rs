//! Looking at a run while it trains: the figures of each layer after an epoch, and what stands in the way.

use super::findings::is_large;
use super::{Decided, Finding};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::explain::{self, LayerFigures, NetworkExample, diagnose, layer_figures};
use crate::network::{Mode, Network};
use crate::train::{
    Batch, CandidateReport, Epoch, Flow, MemberReport, Observer, Optimizer, StepReport, Training,
};

/// This many training rows are looked at.
const WATCHED_ROWS: usize = 64;
/// Larger networks are not looked at unasked: it takes a pass in `f64`.
const MOST_UNASKED: usize = 1 << 17;

/// What can stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The deltas of the first layer are ten thousand times smaller than those of the last.
    Vanishing,
    /// They are ten thousand times larger.
    Exploding,
    /// Half of a layer's units pass nothing back, or hardly anything.
    Dead,
    /// A number is not finite.
    Nan,
}

impl Trouble {
    /// The names, in the order of the list.
    pub const NAMES: &[&str] = &["vanishing", "exploding", "dead", "nan"];

    const ALL: [Trouble; 4] = [Trouble::Vanishing, Trouble::Exploding, Trouble::Dead, Trouble::Nan];

    /// The trouble of that name.
    ///
    /// # Errors
    /// If there is none, with the nearest name.
    pub fn from_name(name: &str) -> Result<Self> {
        let place = Self::NAMES.iter().position(|own| *own == name);
        place
            .map(|at| Self::ALL[at])
            .ok_or_else(|| Error::unknown_name("trouble", name, Self::NAMES.iter().copied()))
    }

    fn of(finding: &explain::Finding) -> Option<Self> {
        Some(match finding.key {
            "vanishing" => Self::Vanishing,
            "exploding" => Self::Exploding,
            "dead" | "inactive" | "saturated" => Self::Dead,
            "not_finite" => Self::Nan,
            _ => return None,
        })
    }
}

/// The figures of a run's layers after an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochFigures {
    /// The epoch, counted from 0.
    pub epoch: usize,
    /// A line a layer, from the inputs on.
    pub layers: Vec<LayerFigures>,
}

/// Who is told of what is found after an epoch, counted from 0.
type Tell<'a> = Box<dyn FnMut(usize, &Finding) + 'a>;

/// An observer that looks at the layers of a run of one network, tells what it finds when it first appears, and stops the
/// run where that is asked for. What happens is passed on to another observer.
///
/// ```
/// use pullback::data::builtin;
/// use pullback::job::{Job, Settings, Trouble, Watch};
/// use pullback::train::{Silent, Stop};
///
/// let mut settings = Settings::default();
/// for (name, value) in [("fast", "true"), ("hidden", "8,8,8,8,8,8,8,8"), ("activation", "sigmoid"), ("epochs", "5")] {
///     settings.set(name, value)?;
/// }
/// let job = Job::new(settings, builtin::load("iris", 0)?).decide()?;
/// let mut told = Vec::new();
/// let mut silent = Silent;
/// let mut watch = Watch::new(&job, &mut silent, &[Trouble::Vanishing], true, |epoch, found| told.push((epoch, found.clone())))?;
/// let fitted = job.run(&Default::default(), &mut watch)?;
/// assert!(watch.stopped().is_some());
/// assert_eq!(watch.figures()[0].layers.len(), 9);
/// assert_eq!(fitted.model.run().unwrap().history.stop, Stop::Observer);
/// # Ok::<(), pullback::Error>(())
/// ```
pub struct Watch<'a> {
    inner: &'a mut dyn Observer,
    tell: Tell<'a>,
    stop_on: Vec<Trouble>,
    is_recorded: bool,
    /// What is looked at; absent where nothing is.
    example: Option<NetworkExample>,
    told: Vec<(&'static str, usize)>,
    figures: Vec<EpochFigures>,
    stopped: Option<(usize, Finding)>,
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("stop_on", &self.stop_on).field("stopped", &self.stopped).finish()
    }
}

impl<'a> Watch<'a> {
    /// Watches a job's run. `stop_on` ends it, `is_recorded` keeps the figures of each epoch, `tell` is told of what
    /// stands in the way, once of each, with the epoch counted from 0. Without either, it looks after 1, 2, 4, 8, ...
    /// epochs, and at no large network.
    ///
    /// # Errors
    /// If several networks are trained side by side, whose numbers no observer sees, and something is asked for.
    pub fn new(
        job: &Decided,
        inner: &'a mut dyn Observer,
        stop_on: &[Trouble],
        is_recorded: bool,
        tell: impl FnMut(usize, &Finding) + 'a,
    ) -> Result<Self> {
        let is_asked = is_recorded || !stop_on.is_empty();
        let members = job.members().len();
        if is_asked && (members > 1 || job.settings().candidates.is_some() || job.settings().time.is_some()) {
            return Err(Error::configuration(format!(
                "layers are watched in the training of one network, and {members} are trained"
            ))
            .help("train one, as with `--fast` or `--ensemble 1`"));
        }
        let is_small = job.network().parameter_count()? <= MOST_UNASKED;
        let example = if is_asked || members == 1 && is_small { Some(example(job)?) } else { None };
        Ok(Self {
            inner,
            tell: Box::new(tell),
            stop_on: stop_on.to_vec(),
            is_recorded,
            example,
            told: Vec::new(),
            figures: Vec::new(),
            stopped: None,
        })
    }

    /// The figures of each epoch, where they are recorded.
    pub fn figures(&self) -> &[EpochFigures] {
        &self.figures
    }

    /// Why the run was stopped, and after which epoch, counted from 0.
    pub fn stopped(&self) -> Option<&(usize, Finding)> {
        self.stopped.as_ref()
    }

    /// Looks at the numbers that an epoch has come to.
    fn look(&mut self, epoch: &Epoch<'_>) -> Result<Flow> {
        let number = epoch.report.epoch;
        let is_asked = self.is_recorded || !self.stop_on.is_empty();
        let is_due = is_asked || (number + 1).is_power_of_two();
        let Some(example) = self.example.as_mut().filter(|_| is_due) else { return Ok(Flow::Continue) };
        example.parameters = epoch.parameters();
        let trace = example.trace()?;
        if self.is_recorded {
            let layers = layer_figures(&trace, &example.training);
            self.figures.push(EpochFigures { epoch: number, layers });
        }
        let mut flow = Flow::Continue;
        for found in diagnose(&trace).into_iter().filter(|found| is_large(found, &trace)) {
            let key = (found.key, found.layer);
            let trouble = Trouble::of(&found);
            let found = Finding::Pass(found);
            if !self.told.contains(&key) {
                self.told.push(key);
                (self.tell)(number, &found);
            }
            if trouble.is_some_and(|trouble| self.stop_on.contains(&trouble)) && self.stopped.is_none() {
                self.stopped = Some((number, found));
                flow = Flow::Stop;
            }
        }
        Ok(flow)
    }
}

impl Observer for Watch<'_> {
    fn step(&mut self, report: &StepReport) -> Flow {
        self.inner.step(report)
    }

    fn epoch(&mut self, epoch: &mut Epoch<'_>) -> Flow {
        let flow = self.inner.epoch(epoch);
        // What cannot be looked at is told by the run itself.
        match self.look(epoch) {
            Ok(Flow::Stop) => Flow::Stop,
            _ => flow,
        }
    }

    fn member(&mut self, report: &MemberReport) -> Flow {
        self.inner.member(report)
    }

    fn wait(&mut self) -> Flow {
        self.inner.wait()
    }

    fn candidate(&mut self, report: &CandidateReport) -> Flow {
        self.inner.candidate(report)
    }
}

/// The first training rows and the network as an example.
fn example(job: &Decided) -> Result<NetworkExample> {
    let (rows, _) = job.rows().of_member(0);
    let rows = &rows[..rows.len().min(WATCHED_ROWS)];
    let dataset: Dataset<f64> = job.preprocessing().apply(&job.table().select(rows)?)?;
    let network: &Network = job.network();
    let own = job.training();
    Ok(NetworkExample {
        network: network.clone(),
        parameters: Vec::new(),
        inputs: dataset.features().to_dense()?.to_vec(),
        targets: dataset.targets().to_dense().to_vec(),
        weights: dataset.weights().map(<[f64]>::to_vec),
        rows: rows.len(),
        training: Training {
            // One that searches for its step has no step to show.
            optimizer: if own.optimizer.is_searching() { Optimizer::Sgd } else { own.optimizer },
            learning_rate: own.learning_rate,
            clip_norm: own.clip_norm,
            batch: Batch::Full,
            ..Training::default()
        },
        mode: Mode::Evaluation,
        kept: explain::Kept::default(),
        fixed: Vec::new(),
        names: explain::Names::default(),
    })
}
