//! What is said of a run whose cost did not stay finite: where that arose, and advice about what is to blame.

use super::Decided;
use crate::data::{Scaling, Values};
use crate::error::Error;
use crate::train::{Blame, Cause, History, Stop};

/// What becomes of a network that has learned nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// There is no other: no model is saved.
    All,
    /// The model is made of the others.
    One,
}

/// Why a run ended before its time, if it did so by itself.
///
/// # Errors
/// If the column that is to blame cannot be read.
pub(super) fn trouble(history: &History, lost: Lost, job: &Decided) -> Result<Option<Error>, Error> {
    let nothing = match lost {
        Lost::All => "no model is saved",
        Lost::One => "that network is left out",
    };
    Ok(match (history.stop, history.kept_epoch) {
        (Stop::Diverged { epoch, step }, kept) => {
            let place = format!("in epoch {}, step {}", epoch + 1, step + 1);
            let end = match (kept, job.members.len()) {
                (Some(kept), 1) => format!("the model is that of epoch {}", kept + 1),
                (Some(kept), _) => format!("that network is that of epoch {}", kept + 1),
                (None, _) => nothing.to_owned(),
            };
            Some(error(&place, history.blame.as_ref(), &end, job)?)
        }
        // One that is left out because the run was ended is no trouble.
        (Stop::Observer, None) if lost == Lost::One => None,
        (_, None) if !job.training().metric.is_cost() => {
            let metric = job.training().metric;
            let what = format!("{metric} has no value on the validation rows in any epoch; {nothing}");
            Some(
                Error::training(what).help("watch another metric, or hold out more rows with `--validation`"),
            )
        }
        (_, None) => Some(error("of the validation rows", None, nothing, job)?),
        _ => None,
    })
}

/// The flag of a setting that makes any run grow without bound, if there is one.
fn grows_by(job: &Decided) -> Option<&'static str> {
    let training = job.training();
    let decay = super::setting_of(&training.optimizer, "weight_decay")?;
    // A step takes more than the whole weight away.
    (decay * training.learning_rate() > 1.0).then_some("--weight-decay")
}

/// What is said of a model whose predictions are too large for a number.
pub(super) fn of_tested(job: &Decided) -> Result<Error, Error> {
    error("of the tested rows", None, "the model is that of the last epoch", job)
}

fn error(place: &str, blame: Option<&Blame>, end: &str, job: &Decided) -> Result<Error, Error> {
    let arises = blame.map_or(String::new(), |blame| format!(", which first arises in {}", blame.node));
    let error = Error::training(format!("the cost {place} is not a finite number{arises}; {end}"));
    let target = job.preprocessing.target().names();
    Ok(error.help(match blame.map(|blame| blame.cause) {
        Some(Cause::Features) => {
            let features: Vec<&str> =
                job.preprocessing.features().iter().map(|feature| feature.name.as_str()).collect();
            let what = largest(job, &features)?;
            match job.settings.scaling {
                Some(Scaling::None) => format!("{what}, and is not scaled: leave out `--scaling none`"),
                _ => format!("{what}: correct it, or leave the column out with `--ignore`"),
            }
        }
        Some(Cause::Targets) => {
            let names: Vec<&str> = target.iter().map(String::as_str).collect();
            format!("{}: give the target in a larger unit", largest(job, &names)?)
        }
        Some(Cause::Regularization) => "make the regularization weaker: lower `--l1` and `--l2`".to_owned(),
        Some(Cause::Steps) | None if grows_by(job).is_some() => {
            let flag = grows_by(job).unwrap_or_default();
            format!("give a smaller number with `{flag}`, or leave it out")
        }
        Some(Cause::Steps) | None => {
            let rate = job.training().learning_rate();
            let tenth = format!("{:.1e}", rate / 10.0).parse().unwrap_or(rate);
            let lower = f64::min(tenth, job.training().optimizer.conventional_rate());
            format!(
                "try a lower learning rate than {}, for example `--learning-rate {}`, or `--clip-norm 1`",
                shown(rate),
                shown(lower)
            )
        }
    }))
}

/// Which of the columns has the number of the largest magnitude, among the training rows.
fn largest(job: &Decided, names: &[&str]) -> Result<String, Error> {
    let mut most = (0.0, names.first().copied().unwrap_or_default());
    for column in names.iter().filter_map(|name| job.table.get(name)) {
        let values = column.values()?;
        let Values::Numbers(numbers) = &*values else { continue };
        for &row in &job.rows.training {
            if numbers[row].abs() > most.0 {
                most = (numbers[row].abs(), &column.name);
            }
        }
    }
    Ok(format!("column \"{}\" has numbers as large as {}", most.1, shown(most.0)))
}

/// A number in few characters: `0.001`, `1e30`.
fn shown(number: f64) -> String {
    let (plain, exponential) = (number.to_string(), format!("{number:e}"));
    if plain.len() <= exponential.len().max(8) { plain } else { exponential }
}
