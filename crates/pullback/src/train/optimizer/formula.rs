//! The formulas of a step, for people: what the glass box writes out with numbers. A test holds them against the kernels.

use super::Optimizer;
use pullback_kernels::Real;

/// How a step changes one number of a parameter, line by line, in the form that `explain --expression` reads.
///
/// `w` is the number, `g` its gradient as the optimizer gets it; a letter with `_new` is what it is after the step. What
/// is kept from step to step has the letters of `kept`.
#[derive(Debug, Clone, PartialEq)]
pub struct StepFormulas {
    /// The name of each line's result, and its formula over names.
    pub lines: Vec<(&'static str, String)>,
    /// The numbers of the names that are settings.
    pub settings: Vec<(&'static str, f64)>,
    /// The letters of what is kept, in the order of [`NextStep::states`](super::NextStep).
    pub kept: &'static [&'static str],
    /// Whether `o`, an element of the matrix that the velocity becomes when it is made orthogonal, is a name in them.
    pub is_orthogonal: bool,
}

const MEAN: &str = "beta_1 * m + (1 - beta_1) * g";
const MEAN_SQUARE: &str = "beta_2 * v + (1 - beta_2) * g^2";

impl Optimizer {
    /// The formulas of a step with a learning rate, its number (counted from 1), whether the parameter decays (it is a
    /// matrix of weights), and the larger of its rows and columns. Absent for an optimizer that searches for its step.
    pub fn formulas(&self, rate: f64, step: u64, decays: bool, largest_axis: usize) -> Option<StepFormulas> {
        let t = step;
        let one_minus = |beta: &str| format!("(1 - {beta}^{t})");
        let kept_share = |decay: f64| decays && decay != 0.0;
        let w = |decay: f64| if kept_share(decay) { "(1 - rate * decay) * w" } else { "w" };
        let all = |kept, lines: Vec<(&'static str, String)>, settings: Vec<(&'static str, f64)>| {
            let settings = [("rate", rate)].into_iter().chain(settings).collect();
            Some(StepFormulas { lines, settings, kept, is_orthogonal: false })
        };
        let adam = |beta_1, beta_2, epsilon, decay: f64| {
            let mut settings = vec![("beta_1", beta_1), ("beta_2", beta_2), ("epsilon", epsilon)];
            settings.extend(kept_share(decay).then_some(("decay", decay)));
            all(
                &["m", "v"],
                vec![
                    ("m_new", MEAN.into()),
                    ("v_new", MEAN_SQUARE.into()),
                    ("m_hat", format!("m_new / {}", one_minus("beta_1"))),
                    ("v_hat", format!("v_new / {}", one_minus("beta_2"))),
                    ("w_new", format!("{} - rate * m_hat / (sqrt(v_hat) + epsilon)", w(decay))),
                ],
                settings,
            )
        };
        match *self {
            Self::Sgd => all(&[], vec![("w_new", "w - rate * g".into())], vec![]),
            Self::Momentum { momentum } => all(
                &["v"],
                vec![("v_new", "momentum * v + g".into()), ("w_new", "w - rate * v_new".into())],
                vec![("momentum", momentum)],
            ),
            Self::Nesterov { momentum } => all(
                &["v"],
                vec![
                    ("v_new", "momentum * v + g".into()),
                    ("w_new", "w - rate * (g + momentum * v_new)".into()),
                ],
                vec![("momentum", momentum)],
            ),
            Self::Adam { beta_1, beta_2, epsilon } => adam(beta_1, beta_2, epsilon, 0.0),
            Self::AdamW { beta_1, beta_2, epsilon, weight_decay } => {
                adam(beta_1, beta_2, epsilon, weight_decay)
            }
            Self::RmsProp { decay, epsilon } => all(
                &["s"],
                vec![
                    ("s_new", "beta * s + (1 - beta) * g^2".into()),
                    ("w_new", "w - rate * g / (sqrt(s_new) + epsilon)".into()),
                ],
                vec![("beta", decay), ("epsilon", epsilon)],
            ),
            Self::AdaGrad { epsilon } => all(
                &["s"],
                vec![("s_new", "s + g^2".into()), ("w_new", "w - rate * g / (sqrt(s_new) + epsilon)".into())],
                vec![("epsilon", epsilon)],
            ),
            Self::Adamax { beta_1, beta_2, epsilon } => all(
                &["m", "u"],
                vec![
                    ("m_new", MEAN.into()),
                    ("u_new", "max(beta_2 * u, abs(g) + epsilon)".into()),
                    ("w_new", format!("w - rate / {} * m_new / u_new", one_minus("beta_1"))),
                ],
                vec![("beta_1", beta_1), ("beta_2", beta_2), ("epsilon", epsilon)],
            ),
            Self::Nadam { beta_1, beta_2, epsilon, momentum_decay } => {
                let momentum = |t: u64| beta_1 * (1.0 - 0.5 * Real::powf(0.96, t as f64 * momentum_decay));
                let product: f64 = (1..=t).map(momentum).product();
                all(
                    &["m", "v"],
                    vec![
                        ("m_new", MEAN.into()),
                        ("v_new", MEAN_SQUARE.into()),
                        ("v_hat", format!("v_new / {}", one_minus("beta_2"))),
                        ("m_hat", "(1 - mu) / (1 - p) * g + mu_next / (1 - p * mu_next) * m_new".into()),
                        ("w_new", "w - rate * m_hat / (sqrt(v_hat) + epsilon)".into()),
                    ],
                    vec![
                        ("beta_1", beta_1),
                        ("beta_2", beta_2),
                        ("epsilon", epsilon),
                        ("mu", momentum(t)),
                        ("mu_next", momentum(t + 1)),
                        ("p", product),
                    ],
                )
            }
            Self::AmsGrad { beta_1, beta_2, epsilon } => all(
                &["m", "v", "u"],
                vec![
                    ("m_new", MEAN.into()),
                    ("v_new", MEAN_SQUARE.into()),
                    ("u_new", "max(u, v_new)".into()),
                    ("m_hat", format!("m_new / {}", one_minus("beta_1"))),
                    ("u_hat", format!("u_new / {}", one_minus("beta_2"))),
                    ("w_new", "w - rate * m_hat / (sqrt(u_hat) + epsilon)".into()),
                ],
                vec![("beta_1", beta_1), ("beta_2", beta_2), ("epsilon", epsilon)],
            ),
            Self::Lion { beta_1, beta_2, weight_decay } => {
                let mut settings = vec![("beta_1", beta_1), ("beta_2", beta_2)];
                settings.extend(kept_share(weight_decay).then_some(("decay", weight_decay)));
                all(
                    &["m"],
                    vec![
                        ("c", MEAN.into()),
                        ("m_new", "beta_2 * m + (1 - beta_2) * g".into()),
                        ("w_new", format!("{} - rate * sign(c)", w(weight_decay))),
                    ],
                    settings,
                )
            }
            Self::Muon { .. } if !decays => adam(0.9, 0.999, 1e-8, 0.0),
            Self::Muon { momentum, weight_decay } => {
                let mut settings = vec![("momentum", momentum)];
                settings.extend(kept_share(weight_decay).then_some(("decay", weight_decay)));
                let lines = vec![
                    ("v_new", "momentum * v + (1 - momentum) * g".into()),
                    ("u", "momentum * v_new + (1 - momentum) * g".into()),
                    ("w_new", format!("{} - rate * 0.2 * sqrt({largest_axis}) * o", w(weight_decay))),
                ];
                let formulas = all(&["v"], lines, settings)?;
                Some(StepFormulas { is_orthogonal: true, ..formulas })
            }
            Self::Lbfgs { .. } => None,
        }
    }
}
