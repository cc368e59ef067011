//! A formula in text and LaTeX, over names or numbers.

use super::{Expression, FUNCTIONS, Operation, Term};
use crate::explain::written::{Binds, Written};

impl Operation {
    /// The operation over operands that are written already.
    pub(in crate::explain) fn written(self, operands: &[Written]) -> Written {
        let [left, right] =
            [0, 1].map(|at| operands.get(at).cloned().unwrap_or_else(|| Written::name("", "")));
        // A sign beside another sign needs parentheses.
        let unsigned = |own: Written| if own.text.starts_with('-') { own.enclosed() } else { own };
        match self {
            Operation::Add => Written::sum([left, unsigned(right)]),
            Operation::Subtract => {
                let right = unsigned(right).at_least(Binds::Product);
                Written {
                    text: format!("{} - {}", left.text, right.text),
                    latex: format!("{} - {}", left.latex, right.latex),
                    binds: Binds::Sum,
                }
            }
            Operation::Multiply => Written::product([left, right]),
            Operation::Divide => left.quotient(right),
            Operation::Power => {
                let base =
                    if left.latex.contains('^') { left.enclosed() } else { left.at_least(Binds::Whole) };
                let exponent = right.clone().at_least(Binds::Whole);
                Written {
                    text: format!("{}^{}", base.text, exponent.text),
                    latex: format!("{}^{{{}}}", base.latex, right.latex),
                    binds: Binds::Product,
                }
            }
            Operation::Negative => {
                let own = unsigned(left).at_least(Binds::Product);
                Written {
                    text: format!("-{}", own.text),
                    latex: format!("-{}", own.latex),
                    binds: Binds::Sum,
                }
            }
            Operation::Function(at) => {
                let all =
                    |form: fn(&Written) -> &str| operands.iter().map(form).collect::<Vec<_>>().join(", ");
                let (name, inside) = (FUNCTIONS[at].name, all(|own| &own.latex));
                let latex = match name {
                    "exp" => format!("e^{{{inside}}}"),
                    "sqrt" => format!(r"\sqrt{{{inside}}}"),
                    "abs" => format!(r"\lvert {inside} \rvert"),
                    "sigmoid" => format!(r"\sigma\left({inside}\right)"),
                    "log" => format!(r"\ln\left({inside}\right)"),
                    "tanh" | "max" | "min" => format!(r"\{name}\left({inside}\right)"),
                    _ => format!(r"\operatorname{{{}}}\left({inside}\right)", name.replace('_', r"\_")),
                };
                Written { text: format!("{name}({})", all(|own| &own.text)), latex, binds: Binds::Whole }
            }
        }
    }
}

impl Term {
    fn written(&self, name: &dyn Fn(&str) -> Written, number: &dyn Fn(f64) -> Written) -> Written {
        match self {
            Term::Number(x) => number(*x),
            Term::Name(own) => name(own),
            Term::Gate(operation, operands) => {
                let operands: Vec<Written> =
                    operands.iter().map(|operand| operand.written(name, number)).collect();
                operation.written(&operands)
            }
        }
    }
}

impl Expression {
    /// Its last line's formula, over what `name` makes of its names.
    pub(in crate::explain) fn written(&self, name: &dyn Fn(&str) -> Written) -> Written {
        let number = |x: f64| Written::number(x, 17);
        match self.lines.last() {
            Some(line) => line.term.written(name, &number),
            None => Written::name("", ""),
        }
    }
}
