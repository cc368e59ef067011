//! More time for a better model: candidates beside what is decided from the data, each with settings of its own, and
//! of all a choice whose predictions are averaged.
//!
//! A candidate is as many networks as the job would train; the first one is exactly those. The others draw units and
//! layers, learning rate, weight decay and dropout, each around what is decided, at the address of the seed and
//! the candidate's number. What is said in the settings is not drawn, nor are units and layers where weights are given;
//! nor is what makes numbers of columns, because the networks of a model share it.
//!
//! The choice is that of Caruana, Niculescu-Mizil, Crew, Ksikes ("Ensemble selection from libraries of models", 2004):
//! again and again the candidate is taken, also a second time, whose predictions make the mean of those taken best, on
//! the rows that each network watched and was not trained on. The candidate that is best alone is taken first.

use super::measure::Aim;
use super::members::{self, Group};
use super::settings::{Hidden, Settings};
use super::{Checkpoints, Decided, Member, configuration, seed_of};
use crate::data::{Dataset, Preprocessing, Table};
use crate::error::Result;
use crate::model::{Model, Prediction};
use crate::network::{Layer, Network};
use crate::random::{Purpose, Random};
use crate::train::{CandidateReport, Flow, Machine, Metric, Observer, Stop, Trained, Training};
use pullback_kernels::Real;
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// What a candidate draws: network and training.
pub(super) type Drawn = (Network, Training);

/// More candidates than anyone waits for.
pub(super) const MOST_CANDIDATES: usize = 10_000;
/// How many times a candidate is taken: more weights than these would be finer than what the rows can tell.
const ROUNDS: usize = 10;
/// By which factor a learning rate differs at most, and a decay.
const RATES: f64 = 3.0;
const DECAYS: f64 = 10.0;
/// The factors of the units, the numbers of hidden layers, and the dropout rates.
const UNITS: [f64; 3] = [0.5, 1.0, 2.0];
const LAYERS: [usize; 3] = [1, 2, 3];
const DROPOUT: [f64; 4] = [0.0, 0.0, 0.1, 0.25];

/// What a candidate draws of its settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    random: Random,
}

impl Draw {
    pub(super) fn new(seed: u64, candidate: usize) -> Self {
        Self { random: Random::new(seed, Purpose::Trial, candidate as u32) }
    }

    /// Hidden layers around the decided ones.
    pub(super) fn hidden(&self, decided: &[usize]) -> Vec<usize> {
        let units = decided.first().copied().unwrap_or(0);
        let units = (units as f64 * UNITS[self.random.below(0, UNITS.len())]).round().max(1.0) as usize;
        vec![units; LAYERS[self.random.below(1, LAYERS.len())]]
    }

    /// A learning rate around the decided one.
    pub(super) fn rate(&self, decided: f64) -> f64 {
        self.around(2, decided, RATES)
    }

    /// A weight decay around the decided one.
    pub(super) fn decay(&self, decided: f64) -> f64 {
        self.around(3, decided, DECAYS)
    }

    /// A dropout rate, if there is one.
    pub(super) fn dropout(&self) -> Option<f64> {
        Some(DROPOUT[self.random.below(4, DROPOUT.len())]).filter(|rate| *rate > 0.0)
    }

    /// In three digits, which people can type.
    fn around(&self, address: u64, decided: f64, factor: f64) -> f64 {
        let drawn = decided * Real::powf(factor, 2.0 * self.random.uniform(address) - 1.0);
        format!("{drawn:.2e}").parse().unwrap_or(drawn)
    }
}

impl Settings {
    /// How many candidates are trained at most.
    ///
    /// # Errors
    /// If none or too many are asked for, or time is given too.
    pub(super) fn candidate_count(&self) -> Result<usize> {
        match (self.candidates, self.time) {
            (Some(_), Some(_)) => Err(configuration(
                "`--candidates` and `--time` both say how many candidates are trained",
                "leave out one of them",
            )),
            (None, None) => Ok(1),
            (None, Some(_)) => Ok(MOST_CANDIDATES),
            (Some(count @ 1..=MOST_CANDIDATES), None) => Ok(count),
            (Some(count), None) => Err(configuration(
                format!("{count} candidates cannot be trained"),
                format!("give at least 1 and at most {MOST_CANDIDATES}"),
            )),
        }
    }

    /// Refuses candidates where nothing tells one from another, or where they would be other networks.
    pub(super) fn check_candidates(&self, has_none: bool) -> Result<()> {
        let refused = [
            (
                has_none,
                "--validation",
                "they are chosen by the rows that each network watches, and there are none",
            ),
            (
                self.checkpoint.is_some(),
                "--checkpoint",
                "a folder of checkpoints is of the networks of one candidate; interrupted, the run saves the best of \
                 those that are done",
            ),
        ];
        match refused.iter().find(|(is_refused, ..)| *is_refused) {
            Some((_, flag, why)) if self.candidates.is_some() || self.time.is_some() => Err(configuration(
                format!("candidates cannot be trained: {why}"),
                format!("leave out `{flag}`, or `--time` and `--candidates`"),
            )),
            _ => Ok(()),
        }
    }

    /// The network and the training of a further candidate: what is not said is drawn around what was decided.
    pub(super) fn drawn(
        &self,
        number: usize,
        is_fast: bool,
        preprocessing: &Preprocessing,
        (rows, validation): (usize, usize),
        (network, training): (&Network, &Training),
    ) -> Result<(Network, Training)> {
        let (draw, mut own) = (Draw::new(self.seed(), number), self.clone());
        let units: Vec<usize> = network.layers.iter().filter_map(Layer::units).collect();
        let hidden = units.split_last().map_or(&[][..], |(_outputs, hidden)| hidden);
        if self.network.is_none() && !hidden.is_empty() && self.filters(preprocessing)?.is_empty() {
            own.hidden = self.hidden.clone().or_else(|| Some(Hidden(draw.hidden(hidden))));
            own.dropout = self.dropout.or_else(|| draw.dropout());
        }
        if training.optimizer.is_searching() {
            own.dropout = self.dropout;
        } else {
            own.learning_rate = self.learning_rate.or_else(|| Some(draw.rate(training.learning_rate())));
        }
        let decay = training.optimizer.get("weight_decay").filter(|decay| *decay > 0.0);
        own.weight_decay = self.weight_decay.or_else(|| decay.map(|decay| draw.decay(decay)));
        let training = own.training(is_fast, preprocessing, rows, validation)?;
        training.check::<f32>()?;
        Ok((own.network(is_fast, preprocessing, rows)?, training))
    }
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Its layers.
    pub layers: Vec<String>,
    /// The learning rate that its networks begin with.
    pub learning_rate: f64,
    /// The weight decay, if the optimizer has one.
    pub weight_decay: Option<f64>,
    /// The epochs of each of its networks.
    pub epochs: Vec<usize>,
    /// How good its predictions are alone, by the metric, on the rows that its networks watched; absent where they have
    /// none.
    pub value: Option<f64>,
    /// How often it was taken.
    pub taken: usize,
}

/// The candidates of a job, in their order, and how good those taken are together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidates {
    /// The metric of the choice.
    pub metric: &'static str,
    /// Its value for the mean of the predictions of those that were taken.
    pub value: f64,
    /// All of them.
    pub candidates: Vec<Candidate>,
}

/// A network that was trained.
pub(super) struct Found {
    pub(super) member: Member,
    /// Which of the job's rows are its own.
    pub(super) place: usize,
    pub(super) trained: Trained<f32>,
    /// How many times it counts.
    pub(super) times: NonZeroU32,
}

/// A candidate's networks, and what they predict for rows that they were not trained on.
struct Done {
    found: Vec<Found>,
    /// For each row that one of them watched, the mean of what they predict.
    numbers: Option<Vec<f64>>,
    value: f64,
}

/// Trains the networks of a job: those of one candidate, or of as many as are asked for until the observer ends it,
/// and then those that are taken, as often as they are.
pub(super) fn train(
    job: &Decided,
    data: (&Dataset<f32>, Option<&Dataset<f32>>),
    machine: &Machine,
    observer: &mut dyn Observer,
    checkpoints: &Checkpoints<'_>,
) -> Result<(Vec<Found>, Option<Candidates>)> {
    let all = 1 + job.drawn.len();
    let train = |candidate: usize, observer: &mut dyn Observer| -> Result<Vec<Found>> {
        let own: Vec<Member>;
        let members = match candidate.checked_sub(1).map(|at| &job.drawn[at]) {
            None => &job.members,
            Some((network, training)) => {
                let first = candidate * job.members.len();
                let each = job.members.iter().enumerate().map(|(member, decided)| {
                    let training =
                        Training { seed: seed_of(training.seed, first + member), ..training.clone() };
                    match &decided.start {
                        // Whose weights are given keeps its network.
                        Some(_) => Member { training, ..decided.clone() },
                        None => Member { network: network.clone(), training, start: None },
                    }
                });
                own = each.collect();
                &own
            }
        };
        let group = Group { members, rows: &job.rows };
        let results = members::train_all(&group, data, machine, observer, checkpoints)?;
        let found = results.into_iter().map(|(place, trained)| Found {
            member: members[place].clone(),
            place,
            trained,
            times: NonZeroU32::MIN,
        });
        Ok(found.collect())
    };
    if all == 1 {
        return Ok((train(0, observer)?, None));
    }
    let metric = match job.training().metric {
        Metric::Cost if job.preprocessing.target().target().has_probabilities() => Metric::LogLoss,
        // Without a unit, for several numbers to predict.
        Metric::Cost => Metric::R2,
        metric => metric,
    };
    let mut done: Vec<Done> = Vec::new();
    let scores = Scores::new(job, metric, machine)?;
    // Another one is begun if the longest so far would still be over in time.
    let time = job.settings().time.map(|time| Duration::from_secs(time.seconds));
    let (begin, mut longest) = (Instant::now(), Duration::ZERO);
    for candidate in 0..all {
        let began = Instant::now();
        let found = train(candidate, observer)?;
        let is_whole = found.len() == job.members.len()
            && found.iter().all(|one| one.trained.history.stop != Stop::Observer);
        if !is_whole && candidate > 0 {
            // What was ended would not be the same again.
            break;
        }
        // Where not all networks were begun, some rows were watched by none.
        let numbers = match found.len() == job.members.len() {
            true => scores.out_of_fold(&found)?,
            false => None,
        };
        let value = numbers.as_ref().map_or(Ok(f64::INFINITY), |numbers| scores.of(numbers))?;
        done.push(Done { found, numbers, value });
        longest = longest.max(began.elapsed());
        let is_over = time.is_some_and(|time| begin.elapsed() + longest > time);
        let report = CandidateReport { candidate, candidates: all };
        if observer.candidate(&report) == Flow::Stop || !is_whole || is_over {
            break;
        }
    }
    let (taken, value) = choose(&scores, &done)?;
    let told = |value: f64| if value.is_finite() { Some(metric.to_minimize(value)) } else { None };
    let candidates = done.iter().zip(&taken).map(|(one, &taken)| {
        let Member { network, training, .. } = &one.found[0].member;
        Candidate {
            layers: network.layers.iter().map(Layer::describe).collect(),
            learning_rate: training.learning_rate(),
            weight_decay: training.optimizer.get("weight_decay"),
            epochs: one.found.iter().map(|one| one.trained.history.epoch_count).collect(),
            value: told(one.value),
            taken,
        }
    });
    let report = Candidates {
        metric: metric.name(),
        value: metric.to_minimize(value),
        candidates: candidates.collect(),
    };
    let mut found = Vec::new();
    for (one, taken) in done.into_iter().zip(taken) {
        if let Some(times) = NonZeroU32::new(taken as u32) {
            found.extend(one.found.into_iter().map(|network| Found { times, ..network }));
        }
    }
    Ok((found, Some(report)))
}

/// How often each candidate is taken, and the value of them together, to be minimized.
fn choose(scores: &Scores<'_>, done: &[Done]) -> Result<(Vec<usize>, f64)> {
    let mut taken = vec![0; done.len()];
    let first = (0..done.len()).fold(0, |best, at| if done[at].value < done[best].value { at } else { best });
    taken[first] = 1;
    let Some(mut sum) = done[first].numbers.clone() else { return Ok((taken, f64::INFINITY)) };
    let mut value = done[first].value;
    for round in 2..=ROUNDS {
        let mut best: Option<(usize, f64, Vec<f64>)> = None;
        for (at, one) in done.iter().enumerate() {
            let Some(numbers) = &one.numbers else { continue };
            let with: Vec<f64> = sum.iter().zip(numbers).map(|(sum, own)| sum + own).collect();
            let mean: Vec<f64> = with.iter().map(|sum| sum / round as f64).collect();
            let value = scores.of(&mean)?;
            if best.as_ref().is_none_or(|(_, least, _)| value < *least) {
                best = Some((at, value, with));
            }
        }
        // One more that makes it worse is not taken, nor is any after it.
        let Some((at, least, with)) = best.filter(|(_, least, _)| *least < value) else { break };
        taken[at] += 1;
        (value, sum) = (least, with);
    }
    // Twice all is all once.
    let shared = taken.iter().copied().fold(0, divisor);
    taken.iter_mut().for_each(|taken| *taken /= shared.max(1));
    Ok((taken, value))
}

/// The greatest common divisor.
fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// Measures candidates on the rows that their networks watched.
struct Scores<'a> {
    job: &'a Decided,
    metric: Metric,
    machine: &'a Machine,
    /// The rows that some network watched: of each candidate the same.
    table: Table,
}

impl<'a> Scores<'a> {
    fn new(job: &'a Decided, metric: Metric, machine: &'a Machine) -> Result<Self> {
        let all = (0..job.members.len()).flat_map(|member| job.rows.of_member(member).1);
        let mut rows: Vec<usize> = all.copied().collect();
        rows.sort_unstable();
        rows.dedup();
        Ok(Self { job, metric, machine, table: job.table.select(&rows)? })
    }

    /// What a candidate's networks predict for these rows, in their order; absent where one has learned nothing.
    fn out_of_fold(&self, found: &[Found]) -> Result<Option<Vec<f64>>> {
        let job = self.job;
        let mut sums: BTreeMap<usize, (Vec<f64>, f64)> = BTreeMap::new();
        for Found { member, place, trained, .. } in found {
            if trained.history.kept_epoch.is_none() {
                return Ok(None);
            }
            let model = Model::new(member.network.clone(), trained.parameters.clone())?;
            let model = model.with_preprocessing(job.preprocessing.clone())?;
            let watched = job.rows.of_member(*place).1;
            let Prediction { numbers, outputs, .. } =
                model.predict(&job.table.select(watched)?, self.machine)?;
            for (&row, own) in watched.iter().zip(numbers.chunks_exact(outputs)) {
                let (sum, count) = sums.entry(row).or_insert_with(|| (vec![0.0; own.len()], 0.0));
                sum.iter_mut().zip(own).for_each(|(sum, number)| *sum += number);
                *count += 1.0;
            }
        }
        let numbers = sums.values().flat_map(|(sum, count)| sum.iter().map(move |sum| sum / count)).collect();
        Ok(Some(numbers))
    }

    /// The value of the metric for predictions of these rows, to be minimized.
    fn of(&self, numbers: &[f64]) -> Result<f64> {
        let preprocessing: &Preprocessing = &self.job.preprocessing;
        let has_classes = preprocessing.target().target().classes().is_some();
        let outputs = numbers.len() / self.table.rows().max(1);
        let prediction = Prediction::new(numbers.to_vec(), outputs, has_classes, Vec::new());
        let aim = Aim::told(self.job.network().cost, self.metric);
        let report = aim.report(preprocessing, &prediction, &self.table)?;
        let value = report.get(self.metric).map(|value| self.metric.to_minimize(value));
        Ok(value.filter(|value| value.is_finite()).unwrap_or(f64::INFINITY))
    }
}
