//! What tells one run from another, so that a state is resumed only by the run that it was saved of.

use super::Trainer;
use crate::data::{Ahead, Dataset, Features};
use crate::error::{Error, Result};
use crate::train::Training;
use crate::train::state::{Fingerprint, Hash, State, names};
use pullback_kernels::Real;

impl<T: Real> Trainer<'_, T> {
    /// The same run from a state on.
    pub(crate) fn resumed(mut self, state: State<T>) -> Result<Self> {
        if let Some(what) = state.fingerprint.difference(self.fingerprint()) {
            return Err(of_another(what));
        }
        self.check_kept(&state)?;
        let (at, steps) = (&state.position, self.steps_per_epoch());
        let examples = at.step.saturating_mul(self.batch).min(self.rows.len());
        let is_possible = at.step <= steps
            && at.examples == examples
            && (at.weight >= 0.0 && at.weight.is_finite() && (at.weight > 0.0) == (at.step > 0))
            && at.epoch.checked_mul(steps).and_then(|done| done.checked_add(at.step)) == Some(at.steps)
            && [at.best_epoch, at.kept_epoch].into_iter().flatten().all(|epoch| epoch < at.epoch)
            && at.plateau.is_possible()
            && (state.has_best() || !self.needs_best(&state));
        if !is_possible {
            return Err(of_another("numbers"));
        }
        self.state = state;
        self.reached = None;
        Ok(self)
    }

    /// Refuses a state whose parameters, or what an optimizer keeps of them, are not this run's.
    pub(super) fn check_kept(&self, state: &State<T>) -> Result<()> {
        if state.names != names(&self.specification) {
            return Err(of_another("parameters"));
        }
        let lengths =
            |state: &State<T>| state.residents.iter().map(|numbers| numbers.len()).collect::<Vec<_>>();
        let averaged = |state: &State<T>| state.average.iter().map(|a| a.len()).collect::<Vec<_>>();
        let weights: usize = self.state.parameters().map(<[T]>::len).sum();
        let mut pairs = state.pairs.0.iter();
        if lengths(state) != lengths(&self.state)
            || averaged(state) != averaged(&self.state)
            || !(state.pairs.0.is_empty() || self.training.optimizer.is_searching())
            || pairs.any(|pair| pair.step.len() != weights || !pair.is_possible())
        {
            return Err(of_another("optimizer's numbers"));
        }
        Ok(())
    }

    /// What tells the run from others: a hash of the network, of the settings and of the rows.
    pub(super) fn fingerprint(&self) -> &Fingerprint {
        self.fingerprint.get_or_init(|| self.find_fingerprint())
    }

    /// The same hash with all numbers of some rows of the data that `blocks` are of.
    fn hash_rows(&self, mut hash: Hash, data: &Dataset<T>, blocks: &[&Features<T>], rows: &[usize]) -> Hash {
        // Of inputs that are mostly zero, only the entries are read.
        let longest = blocks.iter().map(|block| block.entries().unwrap_or(block.width())).max().unwrap_or(0);
        let (mut columns, mut numbers) = (vec![0_u32; longest], vec![T::ZERO; longest.max(data.outputs())]);
        let mut ahead = Ahead::of(blocks, 1);
        for (at, row) in rows.iter().enumerate() {
            hash = hash.with(*row as u64);
            let loaded = match &mut ahead {
                None => None,
                Some(ahead) => match ahead.rows(blocks, rows, at..at + 1) {
                    Ok((loaded, places)) => Some((loaded, places[0])),
                    // What cannot be read is of no run.
                    Err(_) => continue,
                },
            };
            for (block, own) in blocks.iter().enumerate() {
                let (features, place) =
                    loaded.map_or((*own, *row), |(loaded, place)| (&loaded[block], place));
                let given = features.entries().unwrap_or(features.width());
                if features.entries().is_some() {
                    features.write_entries(&[place], &mut columns[..given], &mut numbers[..given]);
                    hash = columns[..given].iter().fold(hash, |hash, column| hash.with(u64::from(*column)));
                } else {
                    features.write(self.machine.isa, &[place], &mut numbers[..given]);
                }
                hash = with_numbers(hash, &numbers[..given]);
            }
            let outputs = &mut numbers[..data.outputs()];
            data.targets().write(&[*row], outputs);
            hash = with_numbers(hash, outputs);
            if let Some(weights) = data.weights() {
                hash = hash.with(weights[*row].to_f64().to_bits());
            }
        }
        hash
    }

    fn find_fingerprint(&self) -> Fingerprint {
        let settings = Training {
            // A longer run of the same settings begins with the same steps.
            epochs: if self.training.schedule.shape.depends_on_epochs() { self.training.epochs } else { 0 },
            ..self.training.clone()
        };
        let json = |text: serde_json::Result<String>| Hash::of_text(&text.unwrap_or_default()).digits();
        let lengths = Hash::new().with(self.rows.len() as u64).with(self.validation.len() as u64);
        let data = self.hash_rows(lengths, self.data, &self.blocks, &self.rows);
        let data = self.hash_rows(data, self.watched, &self.watched_blocks, self.validation);
        Fingerprint {
            network: json(serde_json::to_string(self.network)),
            training: json(serde_json::to_string(&settings)),
            data: data.digits(),
        }
    }
}

fn of_another(what: &str) -> Error {
    Error::training(format!("the state is of another run: its {what} are not those of this one"))
        .help("resume with the network, settings and rows of the run that it was saved of")
}

fn with_numbers<T: Real>(hash: Hash, numbers: &[T]) -> Hash {
    numbers.iter().fold(hash, |hash, number| hash.with(number.to_f64().to_bits()))
}
