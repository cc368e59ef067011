//! How the learning rate changes during training.

use crate::choice::{Bound, choices};
use crate::error::Result;
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};

/// How the learning rate changes: a warm-up, then a shape.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// For how many epochs the rate rises in a straight line from zero; need not be whole.
    pub warmup_epochs: f64,
    /// What it does afterwards.
    pub shape: Shape,
}

/// Where a step is in the run.
#[derive(Debug, Clone, Copy)]
struct At {
    /// Whole epochs before it.
    epoch: usize,
    /// From 0 at the first step after the warm-up to 1 at the last one.
    progress: f64,
}

/// Makes the list of schedules: for each item its documentation, variant, settings and name as in `choices!`, what its
/// rate depends on (`epochs`: those before the step; `run`: what part of the whole run is done; `watched`: what was
/// seen of the epochs), and the factor of the learning rate at a step, or the factor and patience of cuts.
macro_rules! schedules {
    (default $default:literal, $(
        $(#[doc = $doc:literal])*
        $variant:ident
        $({ $(
            $(#[doc = $field_doc:literal])*
            $field:ident: $field_type:ty = $field_default:literal, $field_bound:expr;
        )* })?
        = $name:literal $(| $alias:literal)*, by $by:ident, |$at:pat_param| $value:expr;
    )*) => {
        choices! {
            /// The course of the learning rate after the warm-up.
            #[non_exhaustive]
            "schedule" Shape as table, default $default {
                $(
                    $(#[doc = $doc])*
                    $variant $({ $( $(#[doc = $field_doc])* $field: $field_type = $field_default, $field_bound; )* })?
                    = $name $(| $alias)*
                ),*
            }
        }

        impl Shape {
            /// Whether the rate at a step depends on how many epochs there are in all.
            pub(super) fn depends_on_epochs(self) -> bool {
                match self {
                    $(Shape::$variant { .. } => stringify!($by) == "run"),*
                }
            }

            /// The factor of the learning rate at a step, and the cuts that what is watched may make.
            #[allow(unused_variables, reason = "not every schedule has settings that matter to its factor")]
            fn factor_and_cuts(self, at: At) -> (f64, Option<Cuts>) {
                match self {
                    $(Shape::$variant $({ $($field),* })? => {
                        let $at = at;
                        schedules!(@$by $value)
                    })*
                }
            }
        }
    };
    (@watched $value:expr) => { (1.0, Some($value)) };
    (@$by:ident $value:expr) => { ($value, None) };
}

schedules! {
    default "constant",

    /// It stays.
    Constant = "constant" | "none", by epochs, |_| 1.0;

    /// It is multiplied by `factor` every `epochs` epochs.
    Step {
        /// How many epochs apart.
        epochs: usize = 10, Bound::Count;
        /// By how much.
        factor: f64 = 0.1, Bound::Factor;
    } = "step", by epochs, |at| Real::powf(factor, (at.epoch / epochs) as f64);

    /// It is multiplied by `factor` every epoch.
    Exponential {
        /// By how much.
        factor: f64 = 0.95, Bound::Factor;
    } = "exponential" | "exp", by epochs, |at| Real::powf(factor, at.epoch as f64);

    /// It falls along half a cosine to `final_fraction` of itself at the last step (Loshchilov,
    /// Hutter, 2017).
    Cosine {
        /// What is left at the end.
        final_fraction: f64 = 0.0, Bound::UpToOne;
    } = "cosine" | "cosine_annealing" | "cosineannealing", by run, |at| final_fraction + (1.0 - final_fraction) * fall(at.progress);

    /// It rises along half a cosine from a 25th over the first `rising` part of all steps, then
    /// falls to nearly nothing (Smith, Topin, 2018).
    OneCycle {
        /// Which part of all steps rises.
        rising: f64 = 0.3, Bound::Inside;
    } = "one_cycle" | "onecycle", by run, |at| one_cycle(rising, at.progress);

    /// It is multiplied by `factor` when the watched metric (without validation examples, the
    /// training cost) has not improved for `patience` epochs.
    Plateau {
        /// By how much.
        factor: f64 = 0.1, Bound::Factor;
        /// How many epochs are waited for.
        patience: usize = 5, Bound::Count;
    } = "plateau" | "reduce_on_plateau", by watched, |_| Cuts { factor, patience };
}

/// By how much the rate is cut, and after how many epochs without improvement.
#[derive(Debug, Clone, Copy)]
struct Cuts {
    factor: f64,
    patience: usize,
}

fn one_cycle(rising: f64, progress: f64) -> f64 {
    const START: f64 = 1.0 / 25.0;
    const END: f64 = 1e-4 / 25.0;
    if progress < rising {
        return START + (1.0 - START) * (1.0 - fall(progress / rising));
    }
    END + (1.0 - END) * fall((progress - rising) / (1.0 - rising))
}

impl Schedule {
    pub(super) fn check(&self) -> Result<()> {
        Bound::AtLeastZero.check::<f64>("the number of epochs of the warm-up", self.warmup_epochs)?;
        self.shape.check::<f64>()
    }

    /// The factor of the learning rate at a step, counted from 0. (What a plateau takes off comes
    /// from [`Plateau`].)
    pub(super) fn factor(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        // The usual case first: the steps of a tiny network would notice the rest.
        if matches!(self.shape, Shape::Constant) && self.warmup_epochs == 0.0 {
            return 1.0;
        }
        let epoch = step as f64 / steps_per_epoch as f64;
        if epoch < self.warmup_epochs {
            return (step + 1) as f64 / (self.warmup_epochs * steps_per_epoch as f64).max(1.0);
        }
        // From 0 after the warm-up to 1 at the last step; a single step is the first one.
        let first = (self.warmup_epochs * steps_per_epoch as f64).ceil();
        let last = (epochs * steps_per_epoch) as f64 - 1.0;
        let progress = if last > first { ((step as f64 - first) / (last - first)).min(1.0) } else { 0.0 };
        self.shape.factor_and_cuts(At { epoch: epoch as usize, progress }).0
    }
}

/// Half a cosine, from 1 at 0 to 0 at 1.
fn fall(progress: f64) -> f64 {
    0.5 * (1.0 + crate::random::cosine_of_turns(progress / 2.0))
}

/// What a plateau schedule has seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plateau {
    #[serde(with = "super::exact")]
    best: f64,
    waited: usize,
    factor: f64,
}

impl Plateau {
    pub(super) fn new() -> Self {
        Self { best: f64::INFINITY, waited: 0, factor: 1.0 }
    }

    /// Takes note of an epoch's cost, or of another number to be minimized.
    pub(super) fn epoch(&mut self, shape: Shape, cost: f64) {
        let (_, Some(Cuts { factor, patience })) = shape.factor_and_cuts(At { epoch: 0, progress: 0.0 })
        else {
            return;
        };
        if cost < self.best {
            (self.best, self.waited) = (cost, 0);
        } else {
            self.waited += 1;
            if self.waited >= patience {
                (self.factor, self.waited) = (self.factor * factor, 0);
            }
        }
    }

    /// Whether a schedule can have come here: the factor only falls.
    pub(super) fn is_possible(&self) -> bool {
        (0.0..=1.0).contains(&self.factor)
    }

    /// The factor of the learning rate.
    pub(super) fn factor(&self) -> f64 {
        self.factor
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "compared within a tolerance")]
mod tests {
    use super::*;

    /// The factors of all steps.
    fn factors(shape: Shape, warmup_epochs: f64, steps_per_epoch: usize, epochs: usize) -> Vec<f64> {
        let schedule = Schedule { warmup_epochs, shape };
        (0..steps_per_epoch * epochs).map(|step| schedule.factor(step, steps_per_epoch, epochs)).collect()
    }

    fn assert_near(found: &[f64], wanted: &[f64]) {
        assert_eq!(found.len(), wanted.len());
        for (step, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            assert!((found - wanted).abs() < 1e-14, "step {step}: {found}, not {wanted}");
        }
    }

    /// From the epoch and the progress of a step to its factor.
    type Formula = fn(f64, f64) -> f64;

    /// Each schedule of the list and its formula.
    fn formulas() -> Vec<(Shape, Formula)> {
        use std::f64::consts::PI;
        vec![
            (Shape::Constant, |_, _| 1.0),
            (Shape::Step { epochs: 2, factor: 0.1 }, |epoch, _| 0.1_f64.powf((epoch / 2.0).floor())),
            (Shape::Exponential { factor: 0.5 }, |epoch, _| 0.5_f64.powf(epoch)),
            (Shape::Cosine { final_fraction: 0.2 }, |_, at| 0.2 + 0.8 * (1.0 + (PI * at).cos()) / 2.0),
            // From a 25th up to 1 at the given part of the steps, and down to a 10,000th of where it began.
            (Shape::OneCycle { rising: 0.3 }, |_, at| match at {
                _ if at < 0.3 => 0.04 + 0.96 * (1.0 - (PI * at / 0.3).cos()) / 2.0,
                _ => 4e-6 + (1.0 - 4e-6) * (1.0 + (PI * (at - 0.3) / 0.7).cos()) / 2.0,
            }),
            // What it cuts is no matter of steps.
            (Shape::Plateau { factor: 0.5, patience: 2 }, |_, _| 1.0),
        ]
    }

    #[test]
    fn every_schedule_follows_its_formula_at_every_step() {
        let names: Vec<&str> = formulas().iter().map(|(shape, _)| shape.name()).collect();
        assert_eq!(names, Shape::NAMES, "each schedule has a formula here");
        for (shape, formula) in formulas() {
            for (steps_per_epoch, epochs) in [(1, 1), (1, 11), (2, 5), (3, 2), (7, 9)] {
                let steps = steps_per_epoch * epochs;
                let wanted: Vec<f64> = (0..steps)
                    .map(|step| {
                        formula((step / steps_per_epoch) as f64, step as f64 / (steps - 1).max(1) as f64)
                    })
                    .collect();
                assert_near(&factors(shape, 0.0, steps_per_epoch, epochs), &wanted);
            }
        }
        // The last step is exactly the end.
        assert_eq!(factors(Shape::Cosine { final_fraction: 0.2 }, 0.0, 3, 2)[5], 0.2);
        let one_cycle = factors(Shape::OneCycle { rising: 0.3 }, 0.0, 1, 11);
        assert_near(&[one_cycle[0], one_cycle[3], one_cycle[10]], &[0.04, 1.0, 4e-6]);
    }

    #[test]
    fn a_warm_up_rises_in_a_straight_line_and_then_leaves_the_shape_alone() {
        assert_near(&factors(Shape::Constant, 1.5, 2, 3), &[1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0, 1.0, 1.0]);
        // The shape begins behind it, but counts epochs from the start.
        let cosine = Shape::Cosine { final_fraction: 0.0 };
        assert_near(&factors(cosine, 1.0, 2, 2), &[0.5, 1.0, 1.0, 0.0]);
        let step = Shape::Step { epochs: 1, factor: 0.1 };
        assert_near(&factors(step, 1.0, 2, 2), &[0.5, 1.0, 0.1, 0.1]);
        // Less than one step.
        assert_near(&factors(Shape::Constant, 0.1, 2, 1), &[1.0, 1.0]);
    }

    #[test]
    fn a_plateau_waits_as_long_again_after_each_cut() {
        let shape = Shape::Plateau { factor: 0.5, patience: 2 };
        let mut plateau = Plateau::new();
        let after: Vec<f64> = [3.0, 3.0, 2.9, 2.9, 2.9, 2.9, 3.5, 2.9, 2.8, 2.8, 2.8]
            .into_iter()
            .map(|cost| {
                plateau.epoch(shape, cost);
                plateau.factor()
            })
            .collect();
        assert_eq!(after, [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125]);
        let mut other = Plateau::new();
        (0..9).for_each(|_| other.epoch(Shape::Constant, 1.0));
        assert_eq!(other.factor(), 1.0);
    }
}
