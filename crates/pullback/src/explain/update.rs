//! An optimizer's step on one number, line by line with its numbers.

use super::expression::Expression;
use super::page::latex_name;
use super::written::{Written, equation};
use super::{Block, Trace};
use crate::compact::Map;
use crate::network::{Parameter, Role};
use crate::train::Training;

/// One number of a parameter in one step.
pub(super) struct Stepped<'a> {
    pub(super) training: &'a Training,
    pub(super) parameter: &'a Parameter,
    /// What the number is called.
    pub(super) name: Written,
    /// What its gradient is called, as the optimizer gets it.
    pub(super) gradient_name: Written,
    /// The number of the step, counted from 1.
    pub(super) step: u64,
    pub(super) before: f64,
    pub(super) gradient: f64,
    /// What was kept from the step before, 0 in the first.
    pub(super) kept: Vec<f64>,
    pub(super) after: f64,
}

impl Stepped<'_> {
    /// The lines of the step; none for an optimizer that searches for its step.
    pub(super) fn lines(&self, digits: usize) -> Vec<Block> {
        self.sides(digits).into_iter().map(equation).collect()
    }

    /// The same: the name of each result, its formula over names and over numbers, and its number.
    pub(super) fn sides(&self, digits: usize) -> Vec<[Written; 4]> {
        let sizes = self.parameter.shape.sizes();
        let decays = matches!(self.parameter.role, Role::Weight(_));
        let largest_axis = sizes.iter().copied().max().unwrap_or(1);
        let rate = self.training.learning_rate();
        let formulas = self.training.optimizer.formulas(rate, self.step, decays, largest_axis);
        let Some(formulas) = formulas else { return Vec::new() };
        let mut values: Map<String, f64> =
            formulas.settings.iter().map(|(name, x)| ((*name).to_owned(), *x)).collect();
        values.insert("w".into(), self.before);
        values.insert("g".into(), self.gradient);
        for (at, letter) in formulas.kept.iter().enumerate() {
            values.insert((*letter).to_owned(), self.kept.get(at).copied().unwrap_or(0.0));
        }
        if formulas.is_orthogonal {
            // What the kernel made orthogonal is known by what it did.
            let decay = values.get("decay").copied().unwrap_or(0.0);
            let size = rate * 0.2 * (largest_axis as f64).sqrt();
            values.insert("o".into(), ((1.0 - rate * decay) * self.before - self.after) / size);
        }
        let mut lines = Vec::new();
        for (name, formula) in &formulas.lines {
            let Some((names, numbers, value)) = self.line(formula, &values, digits) else { continue };
            // The last line is the kernel's own number.
            let value = if *name == "w_new" { self.after } else { value };
            lines.push([self.called(name), names, numbers, Written::number(value, digits)]);
            values.insert((*name).to_owned(), value);
        }
        lines
    }

    /// A formula over names, over numbers, and its value.
    fn line(
        &self,
        formula: &str,
        values: &Map<String, f64>,
        digits: usize,
    ) -> Option<(Written, Written, f64)> {
        let used = Expression::names(formula)?;
        let at = used.into_iter().map(|name| Some((name.clone(), *values.get(&name)?)));
        let expression = Expression::parse(formula, at.collect::<Option<Vec<_>>>()?).ok()?;
        let names = expression.written(&|name| self.called(name));
        let numbers = expression
            .written(&|name| Written::number(values.get(name).copied().unwrap_or(f64::NAN), digits));
        let circuit = expression.circuit().ok()?;
        Some((names, numbers, circuit.value(circuit.output)))
    }

    /// A name as a page writes it: `w_new` is the weight's own name with a prime.
    fn called(&self, name: &str) -> Written {
        let (own, is_new) = match name.strip_suffix("_new") {
            Some(own) => (own, true),
            None => (name, false),
        };
        let plain = match own {
            "w" => self.name.clone(),
            "g" => self.gradient_name.clone(),
            "rate" => Written::name("rate", r"\eta"),
            "epsilon" => Written::name("epsilon", r"\epsilon"),
            "m_hat" | "v_hat" | "u_hat" => Written::name(own, format!(r"\hat{{{}}}", &own[..1])),
            _ => match own.strip_prefix("beta") {
                Some(index) => Written::name(own, format!(r"\beta{}", index)),
                None => Written::name(own, latex_name(own)),
            },
        };
        match is_new {
            true => Written::name(format!("{}'", plain.text), format!("{{{}}}'", plain.latex)),
            false => plain,
        }
    }
}

/// By what the gradient is multiplied because its norm is limited: the limit, and the norm.
pub(super) fn clipped(trace: &Trace, training: &Training) -> Option<(f64, f64)> {
    let norm = super::figures::gradient_norm(trace);
    training.clip_norm.filter(|limit| norm > *limit).map(|limit| (limit, norm))
}
