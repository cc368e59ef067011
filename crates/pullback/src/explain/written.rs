//! A formula as it is written: in plain text and in LaTeX, with parentheses where a reader needs them.
//!
//! The formulas of operations are templates ([`Formula`](crate::graph::ops::Formula)); here their places are filled with
//! names, numbers and other formulas. A number is followed by others only where the text stays true: a sign gets
//! parentheses, a sum in a product too.

use super::Block;
use crate::decimal;
use crate::graph::Op;
use crate::report::number::significant;

/// How firmly the parts of a formula hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binds {
    /// A case distinction.
    Cases,
    /// A sum, or what begins with a sign.
    Sum,
    /// A product, a quotient, a power.
    Product,
    /// A name, a number without a sign, a function of something.
    Whole,
}

/// A formula in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) latex: String,
    pub(super) binds: Binds,
}

impl Written {
    /// A name in both forms.
    pub(super) fn name(text: impl Into<String>, latex: impl Into<String>) -> Self {
        Self { text: text.into(), latex: latex.into(), binds: Binds::Whole }
    }

    /// A number in so many significant digits.
    pub(super) fn number(x: f64, digits: usize) -> Self {
        let text = significant(x, digits);
        let latex = latex_number(&text);
        let binds = match (text.starts_with('-'), text.contains('e')) {
            (true, _) => Binds::Sum,
            (false, true) => Binds::Product,
            (false, false) => Binds::Whole,
        };
        Self { text, latex, binds }
    }

    /// `left + right - other`; `0` without terms.
    pub(super) fn sum(terms: impl IntoIterator<Item = Written>) -> Self {
        let mut terms = terms.into_iter();
        let Some(first) = terms.next() else { return Self::name("0", "0") };
        terms.fold(first, |sum, term| {
            let joined = |left: &str, right: &str| match right.strip_prefix('-') {
                Some(rest) => format!("{left} - {rest}"),
                None => format!("{left} + {right}"),
            };
            Self {
                text: joined(&sum.text, &term.text),
                latex: joined(&sum.latex, &term.latex),
                binds: Binds::Sum,
            }
        })
    }

    /// `left * right * other`; `1` without factors.
    pub(super) fn product(factors: impl IntoIterator<Item = Written>) -> Self {
        let mut factors = factors.into_iter();
        let Some(first) = factors.next() else { return Self::name("1", "1") };
        factors.fold(first, |product, factor| {
            let left = if product.binds == Binds::Sum && !product.is_signed_number() {
                product.enclosed()
            } else {
                product
            };
            let right = factor.at_least(Binds::Product);
            Self {
                text: format!("{} * {}", left.text, right.text),
                latex: format!(r"{} \cdot {}", left.latex, right.latex),
                binds: Binds::Product,
            }
        })
    }

    /// `left / right`.
    pub(super) fn quotient(self, divisor: Written) -> Self {
        let over = if self.is_signed_number() { self.clone() } else { self.clone().at_least(Binds::Product) };
        let under = divisor.clone().at_least(Binds::Whole);
        Self {
            text: format!("{} / {}", over.text, under.text),
            latex: format!(r"\frac{{{}}}{{{}}}", self.latex, divisor.latex),
            binds: Binds::Product,
        }
    }

    /// A remark behind a number of a sum: `0.0123 (3 more)`.
    pub(super) fn noted(self, note: &str) -> Self {
        let plain = note.trim_matches(['(', ')']);
        Self {
            text: format!("{} ({plain})", self.text),
            latex: format!(r"{}\ \text{{({plain})}}", self.latex),
            binds: self.binds,
        }
    }

    /// The derivative of one by another: `dC/dw`.
    pub(super) fn ratio(top: &Written, below: &Written) -> Self {
        Self {
            text: format!("d{}/d{}", top.text, below.text),
            latex: format!(r"\frac{{\partial {}}}{{\partial {}}}", top.latex, below.latex),
            binds: Binds::Whole,
        }
    }

    /// An operation on single numbers over its operands.
    pub(super) fn applied(op: &Op, operands: &[Written]) -> Self {
        let formula = op.formula();
        let [text, latex] = formula.templates();
        // Elements are single numbers, so that a product of elements is a product.
        let latex = latex.replace(r"\odot", r"\cdot");
        if text == "{0}" {
            return operands.first().cloned().unwrap_or_else(|| Self::name("", ""));
        }
        let is_sum = matches!(op, Op::Add(_) | Op::Subtract(_));
        let is_product = matches!(op, Op::Multiply(_));
        let is_difference = matches!(op, Op::Subtract(_));
        let needs = |before: &str, after: &str, place: usize| match place {
            _ if is_enclosed(before, after) => Binds::Cases,
            0 if is_sum => Binds::Sum,
            1 if is_difference => Binds::Product,
            1 if is_sum => Binds::Sum,
            _ if is_product || is_addend(before, after) => Binds::Product,
            _ => Binds::Whole,
        };
        let with_text = fill(text, operands, |own, before, after, place| {
            let own = if place == 1 && is_sum && own.text.starts_with('-') { own.enclosed() } else { own };
            own.at_least(needs(before, after, place)).text
        });
        let with_latex = fill(&latex, operands, |own, before, after, place| {
            let own = if place == 1 && is_sum && own.latex.starts_with('-') { own.enclosed() } else { own };
            // TeX refuses a second index above.
            let is_raised = after.starts_with('^') && own.latex.contains('^');
            if is_raised { own.enclosed() } else { own.at_least(needs(before, after, place)) }.latex
        });
        Self { text: with_text, latex: with_latex, binds: binds(text) }
    }

    fn is_signed_number(&self) -> bool {
        self.text.starts_with('-') && decimal::number(&self.text).is_some()
    }

    /// The same between parentheses.
    pub(super) fn enclosed(&self) -> Self {
        Self {
            text: format!("({})", self.text),
            latex: format!(r"\left({}\right)", self.latex),
            binds: Binds::Whole,
        }
    }

    /// The same, between parentheses if it does not hold together so firmly.
    pub(super) fn at_least(self, binds: Binds) -> Self {
        if self.binds < binds { self.enclosed() } else { self }
    }
}

/// A line of several formulas that are equal: `a = b = c`. Neighbors that are written alike stand once.
pub(super) fn equation(sides: impl IntoIterator<Item = Written>) -> Block {
    let mut kept: Vec<Written> = Vec::new();
    for side in sides {
        if kept.last().is_none_or(|last| last.text != side.text) {
            kept.push(side.at_least(Binds::Sum));
        }
    }
    let join = |form: fn(&Written) -> &str| kept.iter().map(form).collect::<Vec<_>>().join(" = ");
    Block::Formula { text: join(|side| &side.text), latex: join(|side| &side.latex) }
}

/// `1.5e-8` as `1.5 \cdot 10^{-8}`.
pub(super) fn latex_number(text: &str) -> String {
    match (text.split_once('e'), text) {
        (Some((mantissa, exponent)), _) if exponent.parse::<i32>().is_ok() => {
            format!(r"{mantissa} \cdot 10^{{{exponent}}}")
        }
        (_, "inf") => r"\infty".to_owned(),
        (_, "-inf") => r"-\infty".to_owned(),
        (_, "NaN") => r"\mathrm{NaN}".to_owned(),
        _ => text.to_owned(),
    }
}

/// How firmly what a template makes holds together.
fn binds(template: &str) -> Binds {
    let mut depth = 0;
    let mut outer = String::new();
    for c in template.chars() {
        depth += i32::from(c == '(');
        if depth == 0 {
            outer.push(c);
        }
        depth -= i32::from(c == ')');
    }
    let has = |parts: &[&str]| parts.iter().any(|part| outer.contains(part));
    match () {
        () if has(&[" if ", " where "]) => Binds::Cases,
        () if has(&[" + ", " - "]) || outer.starts_with('-') => Binds::Sum,
        () if has(&[" * ", " / ", "^"]) => Binds::Product,
        () => Binds::Whole,
    }
}

/// Whether brackets stand around a place.
fn is_enclosed(before: &str, after: &str) -> bool {
    let begins = before.trim_end().ends_with(['(', '{', '|', ',']) && !before.trim_end().ends_with(r"\,");
    let opens = before.trim_end().is_empty() || begins;
    let closes = after.trim_start().is_empty() || after.trim_start().starts_with([')', '}', '|', ',']);
    let is_absolute = before.trim_end().ends_with(r"\lvert") && after.trim_start().starts_with(r"\rvert");
    // A place that is all of the template is not enclosed where the whole is not.
    (opens && closes && !(before.is_empty() && after.is_empty())) || is_absolute
}

/// Whether a place stands alone between signs of a sum, or at an end.
fn is_addend(before: &str, after: &str) -> bool {
    let begins = before.trim_end().is_empty() || before.ends_with("+ ");
    let ends = after.trim_start().is_empty() || after.starts_with(" +") || after.starts_with(" -");
    begins && ends
}

/// Fills the places of a template: `made(operand, text before, text after, place)`.
fn fill(template: &str, operands: &[Written], made: impl Fn(Written, &str, &str, usize) -> String) -> String {
    let mut text = String::new();
    let mut at = 0;
    while let Some(open) = template[at..].find('{').map(|found| at + found) {
        text.push_str(&template[at..open]);
        let place = template[open + 1..].split_once('}').and_then(|(name, _)| {
            let place: usize = name.parse().ok()?;
            Some((place, operands.get(place)?.clone(), open + name.len() + 2))
        });
        match place {
            Some((place, operand, end)) => {
                text.push_str(&made(operand, &template[..open], &template[end..], place));
                at = end;
            }
            None => {
                text.push('{');
                at = open + 1;
            }
        }
    }
    text + &template[at..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::ops;

    fn name(text: &str) -> Written {
        Written::name(text, text)
    }

    #[test]
    fn parentheses_stand_where_they_are_needed() {
        let number = |x: f64| Written::number(x, 6);
        assert_eq!(Written::sum([number(1.0), number(-2.0)]).text, "1 - 2");
        assert_eq!(Written::product([number(-1.0), number(-2.0)]).text, "-1 * (-2)");
        let sum = Written::sum([name("a"), name("b")]);
        assert_eq!(Written::product([name("c"), sum.clone()]).text, "c * (a + b)");
        assert_eq!(Written::product([sum.clone(), name("c")]).latex, r"\left(a + b\right) \cdot c");
        assert_eq!(name("a").quotient(sum).text, "a / (a + b)");
        let op = |op: Op, operands: &[Written]| Written::applied(&op, operands).text;
        assert_eq!(op(ops::Subtract.into(), &[number(1.0), number(-2.0)]), "1 - (-2)");
        let difference = Written::applied(&ops::Subtract.into(), &[number(1.0), name("a")]);
        assert_eq!(op(ops::Multiply.into(), &[name("a"), difference.clone()]), "a * (1 - a)");
        assert_eq!(op(ops::Exp.into(), &[difference]), "exp(1 - a)");
        assert_eq!(op(ops::Power((2.0).into()).into(), &[number(-3.0)]), "(-3)^2");
        assert_eq!(number(1.25e-9).latex, r"1.25000 \cdot 10^{-9}");
    }
}
