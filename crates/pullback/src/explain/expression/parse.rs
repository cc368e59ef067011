//! Reading a formula, by descent.

use super::{FUNCTIONS, Function, Line, Operation, Term};
use crate::decimal;
use crate::error::{Error, Result};

/// The deepest formula: one in which parentheses stand in each other so often.
const DEEPEST: usize = 200;
/// So many sums and products of two stand in a line at most, each in a row of the page.
const MOST_CHAINED: usize = 300;

/// A line: `name = formula`, or a formula.
pub(super) fn line_of(text: &str) -> Result<Line> {
    let (name, formula) = match text.split_once('=') {
        Some((name, formula)) => (Some(name.trim()), formula),
        None => (None, text),
    };
    if let Some(name) = name {
        if name.is_empty() {
            return Err(Error::configuration("nothing stands before `=`")
                .help("write a name before it, or the formula alone"));
        }
        if formula.trim().is_empty() {
            return Err(Error::configuration("nothing stands after `=`").help("write a formula after it"));
        }
        let is_name = name.chars().next().is_some_and(is_start) && name.chars().all(is_inside);
        if !is_name {
            return Err(Error::configuration(format!("`{name}` is not a name"))
                .help("begin it with a letter, and go on with letters, digits and `_`"));
        }
    }
    let mut parser = Parser { text: formula, at: 0, depth: 0, chained: 0 };
    let term = parser.sum()?;
    match parser.peek() {
        None => Ok(Line { name: name.map(str::to_owned), term }),
        Some(')') => Err(parser.wrong("a `)` closes nothing").help("leave it out, or open it before")),
        Some(c) if is_start(c) || c.is_ascii_digit() || c == '(' => Err(parser
            .wrong(format!("there is nothing between two values before `{}`", parser.rest()))
            .help("write `*` for a product")),
        Some('=') => {
            Err(parser.wrong("there are two `=` in a line").help("write one name and one formula a line"))
        }
        Some(c) => Err(parser
            .wrong(format!("`{c}` means nothing here"))
            .help("known are + - * / ^ ( ) and functions")),
    }
}

pub(super) fn is_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(super) fn is_inside(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A parser of one formula, by descent.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    chained: usize,
}

impl<'a> Parser<'a> {
    fn wrong(&self, what: impl Into<String>) -> Error {
        Error::configuration(format!("`{}`: {}", self.text.trim(), what.into()))
    }

    fn rest(&self) -> &'a str {
        self.text[self.at..].trim()
    }

    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed.chars().next()
    }

    fn take(&mut self, signs: &[char]) -> Option<char> {
        let next = self.peek().filter(|c| signs.contains(c))?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Error::configuration(format!("a formula is more than {DEEPEST} levels deep"))
                .help("give its parts names, a line each"));
        }
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// A gate whose first operand may be such a gate too, and so on.
    fn deeper_left(
        &mut self,
        operation: Operation,
        left: Term,
        right: impl FnOnce(&mut Self) -> Result<Term>,
    ) -> Result<Term> {
        self.chained += 1;
        if self.chained > MOST_CHAINED {
            return Err(Error::configuration(format!(
                "a formula adds or multiplies more than {MOST_CHAINED} times in a line"
            ))
            .help("explain a shorter one: each gate has a row of its own on the page"));
        }
        Ok(Term::Gate(operation, vec![left, right(self)?]))
    }

    fn sum(&mut self) -> Result<Term> {
        let mut left = self.product()?;
        while let Some(sign) = self.take(&['+', '-', '\u{2212}']) {
            let operation = if sign == '+' { Operation::Add } else { Operation::Subtract };
            left = self.deeper_left(operation, left, Self::product)?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Term> {
        let mut left = self.signed()?;
        while let Some(sign) = self.take(&['*', '/', '\u{b7}', '\u{d7}', '\u{f7}']) {
            let operation =
                if matches!(sign, '/' | '\u{f7}') { Operation::Divide } else { Operation::Multiply };
            left = self.deeper_left(operation, left, Self::signed)?;
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Term> {
        self.deeper(|parser| match parser.take(&['-', '+', '\u{2212}']) {
            Some('+') => parser.signed(),
            Some(_) => Ok(match parser.signed()? {
                Term::Number(number) => Term::Number(-number),
                term => Term::Gate(Operation::Negative, vec![term]),
            }),
            None => parser.power(),
        })
    }

    fn power(&mut self) -> Result<Term> {
        let base = self.atom()?;
        let is_power = self.take(&['^']).is_some() || {
            let is_double = self.peek() == Some('*') && self.text[self.at..].starts_with("**");
            self.at += if is_double { 2 } else { 0 };
            is_double
        };
        if !is_power {
            return Ok(base);
        }
        let exponent = self.signed()?;
        Ok(Term::Gate(Operation::Power, vec![base, exponent]))
    }

    fn atom(&mut self) -> Result<Term> {
        let Some(next) = self.peek() else {
            return Err(self
                .wrong("the formula ends where a value is expected")
                .help("write what is missing"));
        };
        if self.take(&['(']).is_some() {
            let inside = self.deeper(Self::sum)?;
            return self.closed(inside);
        }
        let rest = &self.text[self.at..];
        if next.is_ascii_digit() || next == '.' {
            return self.number(rest);
        }
        if !is_start(next) {
            return Err(self
                .wrong(format!("`{next}` stands where a value is expected"))
                .help("write a number, a name, or a formula in parentheses"));
        }
        let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
        let name = &rest[..end];
        self.at += end;
        if self.take(&['(']).is_none() {
            return Ok(Term::Name(name.to_owned()));
        }
        let Some(function) = FUNCTIONS.iter().position(|own| own.name == name || own.also == name) else {
            let known: Vec<&str> = FUNCTIONS.iter().map(|own| own.name).collect();
            let error = Error::unknown_name("function", name, &known);
            let near = error.help_text().filter(|help| help.ends_with('?')).map(|help| format!("{help} "));
            return Err(error.help(format!("{}known are {}", near.unwrap_or_default(), known.join(", "))));
        };
        let mut operands = vec![self.deeper(Self::sum)?];
        while self.take(&[',']).is_some() {
            operands.push(self.deeper(Self::sum)?);
        }
        let Function { name, operands: wanted, .. } = FUNCTIONS[function];
        if operands.len() != wanted {
            let what = format!("{name} has {} in parentheses, not {wanted}", operands.len());
            return Err(self.wrong(what).help(if wanted == 1 {
                format!("write `{name}(x)`")
            } else {
                format!("write `{name}(x, y)`")
            }));
        }
        self.closed(Term::Gate(Operation::Function(function), operands))
    }

    fn closed(&mut self, term: Term) -> Result<Term> {
        match self.take(&[')']) {
            Some(_) => Ok(term),
            None => Err(self.wrong("a `(` is not closed").help("write the `)` that is missing")),
        }
    }

    /// The number at the beginning of a text: `2`, `0.5`, `1e-3`.
    fn number(&mut self, rest: &str) -> Result<Term> {
        let digits =
            |from: usize| rest[from..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| from + at);
        let mut end = digits(0);
        if rest[end..].starts_with('.') {
            end = digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['-', '+']));
            let after = digits(end + 1 + sign);
            end = if after > end + 1 + sign { after } else { end };
        }
        self.at += end;
        match decimal::number(&rest[..end]) {
            Some(number) => Ok(Term::Number(number)),
            None => Err(self.wrong(format!("`{}` is no finite number", &rest[..end])).help("write a number")),
        }
    }
}
