//! A reader of formulas as pages write them, in text and in TeX, and their value with its error: what the rounding of the
//! shown digits allows. It knows nothing of how they were made.
#![allow(clippy::disallowed_methods, reason = "what judges the library's functions does not use them")]

/// A number that is known within bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    low: f64,
    high: f64,
}

impl Range {
    fn new(low: f64, high: f64) -> Self {
        Self { low: low.min(high), high: low.max(high) }
    }

    fn of(all: &[f64]) -> Self {
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { low, high }
    }

    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(f(self.low), f(self.high))
    }

    /// Whether the two may be one number, within the rounding of `f64`.
    pub(crate) fn meets(self, other: Self) -> bool {
        let size = self.low.abs().max(self.high.abs()).max(other.low.abs()).max(other.high.abs());
        let slack = 1e-12 * size;
        self.low <= other.high + slack && other.low <= self.high + slack
    }
}

/// The value of a formula: a number, a matrix by rows, or nothing, where it has names without numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(Range),
    Matrix(Vec<Vec<Range>>),
    Symbolic,
}

/// A formula.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Number(Range),
    Name(String),
    /// A sign, a function or an operation, and what it is applied to.
    Applied(&'static str, Vec<Node>),
    Matrix(Vec<Vec<Node>>),
}

/// A text that was read piece by piece.
struct Reader<'a> {
    rest: &'a str,
    digits: i32,
    is_tex: bool,
}

/// The functions that pages use, in text and in TeX.
pub(crate) const FUNCTIONS: [&str; 18] = [
    "sigmoid",
    "tanh",
    "exp",
    "log",
    "ln",
    "sqrt",
    "abs",
    "relu",
    "erf",
    "sign",
    "max",
    "min",
    "softplus",
    "softmax",
    "sum",
    "gelu",
    "silu",
    "leaky_relu",
];

/// Reads the sides of an equation; `digits` is how many significant ones are shown.
pub(crate) fn sides(text: &str, digits: usize) -> Result<Vec<Node>, String> {
    read(text, digits, false)
}

/// The same in TeX.
pub(crate) fn tex_sides(text: &str, digits: usize) -> Result<Vec<Node>, String> {
    braces(text)?;
    read(text, digits, true)
}

fn read(text: &str, digits: usize, is_tex: bool) -> Result<Vec<Node>, String> {
    let mut reader = Reader { rest: text, digits: digits as i32, is_tex };
    let mut sides = vec![reader.cases()?];
    loop {
        reader.space();
        if reader.rest.is_empty() {
            return Ok(sides);
        }
        if !["+=", "*=", "/=", "="].into_iter().any(|sign| reader.take(sign)) {
            return Err(format!("`{}` is left of `{text}`", reader.rest));
        }
        sides.push(reader.cases()?);
    }
}

/// Braces must be closed in their order, and what is raised must not be raised again.
fn braces(text: &str) -> Result<(), String> {
    let mut open = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '{' if !text[..at].ends_with('\\') => open.push(at),
            '}' if !text[..at].ends_with('\\') && open.pop().is_none() => {
                return Err(format!("a }} closes nothing in {text}"));
            }
            _ => {}
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("a {{ is not closed in {text}")) }
}

impl<'a> Reader<'a> {
    fn space(&mut self) {
        loop {
            let before = self.rest.len();
            self.rest = self.rest.trim_start();
            if self.is_tex {
                for blank in [r"\,", r"\ ", r"\;", r"\left", r"\right"] {
                    // `\left(` is `(`; `\leftarrow` would be another command.
                    if let Some(rest) = self.rest.strip_prefix(blank)
                        && !rest.starts_with(|c: char| c.is_alphabetic() && blank.len() > 2)
                    {
                        self.rest = rest;
                    }
                }
            }
            if self.rest.len() == before {
                return;
            }
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("`{sign}` is missing before `{}`", self.rest)) }
    }

    /// `a if b > c, else d`.
    fn cases(&mut self) -> Result<Node, String> {
        let then = self.sum()?;
        if !self.take("if ") {
            return Ok(then);
        }
        let left = self.sum()?;
        let sign = ["<=", ">=", "<", ">", "="].into_iter().find(|sign| self.take(sign));
        let sign = sign.ok_or_else(|| format!("no comparison before `{}`", self.rest))?;
        let right = self.sum()?;
        self.expect(",")?;
        self.expect("else ")?;
        let other = self.cases()?;
        Ok(Node::Applied(sign, vec![then, left, right, other]))
    }

    fn sum(&mut self) -> Result<Node, String> {
        let mut left =
            if self.take("-") { Node::Applied("negative", vec![self.product()?]) } else { self.product()? };
        loop {
            self.space();
            let is_step = self.rest.starts_with("+=");
            if !is_step && self.take("+") {
                left = Node::Applied("+", vec![left, self.product()?]);
            } else if self.take("-") {
                left = Node::Applied("-", vec![left, self.product()?]);
            } else {
                return Ok(left);
            }
        }
    }

    fn product(&mut self) -> Result<Node, String> {
        let mut left = self.power()?;
        loop {
            self.space();
            let is_step = self.rest.starts_with("*=") || self.rest.starts_with("/=");
            let is_times =
                !is_step && (self.take("*") || self.is_tex && (self.take(r"\cdot") || self.take(r"\odot")));
            if is_times || self.take("@") {
                left = Node::Applied("*", vec![left, self.power()?]);
            } else if !is_step && self.take("/") {
                left = Node::Applied("/", vec![left, self.power()?]);
            } else if self.is_tex && self.begins_factor() {
                left = Node::Applied("*", vec![left, self.power()?]);
            } else {
                return Ok(left);
            }
        }
    }

    /// In TeX, factors stand beside each other.
    fn begins_factor(&self) -> bool {
        const ENDS: [&str; 9] = [r"\end", r"\\", r"\rvert", r"\le", r"\ge", r"\text", r"\quad", "&", r"\to"];
        if ENDS.iter().any(|end| self.rest.starts_with(end)) {
            return false;
        }
        self.rest.starts_with(['(', '\\', '{']) || self.rest.starts_with(|c: char| c.is_alphanumeric())
    }

    fn power(&mut self) -> Result<Node, String> {
        let mut base = self.atom()?;
        let mut is_raised = false;
        loop {
            // A prime after a name: the number after a step.
            if self.rest.starts_with('\'') {
                self.rest = &self.rest[1..];
                base = match base {
                    Node::Name(name) => Node::Name(format!("{name}'")),
                    other => Node::Applied("prime", vec![other]),
                };
                continue;
            }
            if self.is_tex && self.rest.starts_with('_') {
                self.rest = &self.rest[1..];
                let index = self.group()?;
                base = Node::Name(format!("{}_{index}", name_of(&base)));
                continue;
            }
            if !self.rest.starts_with('^') {
                return Ok(base);
            }
            if is_raised {
                return Err(format!("raised twice before `{}`", self.rest));
            }
            is_raised = true;
            self.rest = &self.rest[1..];
            if !self.is_tex {
                let exponent =
                    if self.take("-") { Node::Applied("negative", vec![self.atom()?]) } else { self.atom()? };
                base = Node::Applied("^", vec![base, exponent]);
                continue;
            }
            let raw = self.group()?;
            let is_index = raw.starts_with('(') || raw.starts_with('[');
            base = match (is_index, &base) {
                // The number of a layer or of an example.
                (true, Node::Name(name)) => Node::Name(format!("{name}^{raw}")),
                _ => {
                    let exponent = one(&raw, self.digits, true)?;
                    Node::Applied("^", vec![base, exponent])
                }
            };
        }
    }

    /// What stands between braces in TeX, or a single character.
    fn group(&mut self) -> Result<String, String> {
        let Some(inner) = self.rest.strip_prefix('{') else {
            let one = self.rest.chars().next().ok_or("an index is missing")?;
            self.rest = &self.rest[one.len_utf8()..];
            return Ok(one.to_string());
        };
        let mut depth = 1;
        for (at, c) in inner.char_indices() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 {
                self.rest = &inner[at + 1..];
                return Ok(inner[..at].to_owned());
            }
        }
        Err(format!("a group is not closed: {inner}"))
    }

    fn atom(&mut self) -> Result<Node, String> {
        self.space();
        if self.take("(") {
            let inside = self.cases()?;
            self.expect(")")?;
            return Ok(inside);
        }
        if self.take("|") {
            let inside = self.sum()?;
            self.expect("|")?;
            return Ok(Node::Applied("abs", vec![inside]));
        }
        if self.rest.starts_with('[') {
            return self.matrix();
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.number();
        }
        if self.is_tex {
            return self.tex_atom();
        }
        let end = end_of_name(self.rest);
        if end == 0 {
            return Err(format!("a value is missing before `{}`", self.rest));
        }
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if let (Some(function), true) =
            (FUNCTIONS.into_iter().find(|own| *own == name), rest.starts_with('('))
        {
            self.rest = &rest[1..];
            let mut operands = vec![self.cases()?];
            while self.take(",") {
                operands.push(self.cases()?);
            }
            self.expect(")")?;
            return Ok(Node::Applied(function, operands));
        }
        if rest.starts_with('(') && !name.contains('[') {
            // A function of whole arrays, such as `max_pool(x, 2x2 of 4x4 pixels)`: words that have no value here.
            let mut depth = 0;
            let end = rest.char_indices().find(|(_, c)| {
                depth += i32::from(*c == '(') - i32::from(*c == ')');
                depth == 0
            });
            self.rest = &rest[end.ok_or_else(|| format!("no `)` in {rest}"))?.0 + 1..];
        }
        match name {
            "inf" => Ok(Node::Number(Range::new(f64::INFINITY, f64::INFINITY))),
            _ => Ok(Node::Name(name.to_owned())),
        }
    }

    fn matrix(&mut self) -> Result<Node, String> {
        self.expect("[")?;
        let mut rows = Vec::new();
        loop {
            self.space();
            if self.rest.starts_with('[') {
                self.expect("[")?;
                let mut row = vec![self.cases()?];
                while self.take(",") {
                    row.push(self.cases()?);
                }
                self.expect("]")?;
                rows.push(row);
            } else {
                let left = self.cases()?;
                // In TeX, a condition in brackets is 1 or 0.
                let sign =
                    ["<=", ">=", "<", ">", "="].into_iter().find(|sign| self.is_tex && self.take(sign));
                if let Some(sign) = sign {
                    let right = self.cases()?;
                    self.expect("]")?;
                    let exact = |x: f64| Node::Number(Range::new(x, x));
                    return Ok(Node::Applied(sign, vec![exact(1.0), left, right, exact(0.0)]));
                }
                rows.push(vec![left]);
            }
            if !self.take(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Node::Matrix(rows))
    }

    fn tex_atom(&mut self) -> Result<Node, String> {
        if self.rest.starts_with('{') {
            let inside = self.group()?;
            return one(&inside, self.digits, true);
        }
        let Some(command) = self.rest.strip_prefix('\\') else {
            let letter = self.rest.chars().next().filter(|c| c.is_alphabetic());
            let letter = letter.ok_or_else(|| format!("a value is missing before `{}`", self.rest))?;
            self.rest = &self.rest[letter.len_utf8()..];
            if letter == 'e' && self.rest.starts_with('^') {
                self.rest = &self.rest[1..];
                let raw = self.group()?;
                return Ok(Node::Applied("exp", vec![one(&raw, self.digits, true)?]));
            }
            return Ok(Node::Name(letter.to_string()));
        };
        let end = command.find(|c: char| !c.is_alphabetic()).unwrap_or(command.len());
        let (name, rest) = command.split_at(end);
        self.rest = rest;
        match name {
            "frac" | "tfrac" => {
                // `\tfrac12` has a digit for each.
                let (over, under) = (self.group()?, self.group()?);
                if over.starts_with(r"\partial") {
                    return Ok(Node::Name(format!("d{over}/d{under}")));
                }
                let [over, under] = [one(&over, self.digits, true)?, one(&under, self.digits, true)?];
                Ok(Node::Applied("/", vec![over, under]))
            }
            "sqrt" => {
                let inside = self.group()?;
                Ok(Node::Applied("sqrt", vec![one(&inside, self.digits, true)?]))
            }
            "lvert" => {
                let inside = self.sum()?;
                self.expect(r"\rvert")?;
                Ok(Node::Applied("abs", vec![inside]))
            }
            "begin" => self.environment(),
            "operatorname" => {
                let name = self.group()?.replace(r"\_", "_").replace(r"\ ", "_");
                if self.rest.starts_with('_') {
                    self.rest = &self.rest[1..];
                    let _ = self.group()?;
                }
                match FUNCTIONS.into_iter().find(|own| *own == name) {
                    Some(function) => self.function(function),
                    None => self.function("other"),
                }
            }
            "ln" => self.function("log"),
            "tanh" => self.function("tanh"),
            "max" => self.function("max"),
            "min" => self.function("min"),
            "sigma" => self.function("sigmoid"),
            "sum" => {
                let _ = self.power()?;
                Ok(Node::Name("sum".into()))
            }
            "mathrm" | "text" | "hat" | "mathbf" => Ok(Node::Name(format!("{name} {}", self.group()?))),
            "infty" => Ok(Node::Number(Range::new(f64::INFINITY, f64::INFINITY))),
            "delta" | "Theta" | "partial" | "beta" | "eta" | "epsilon" | "mu" | "gamma" | "Delta"
            | "lambda" => Ok(Node::Name(name.to_owned())),
            _ => Err(format!("TeX has no command \\{name} here: {rest}")),
        }
    }

    fn function(&mut self, name: &'static str) -> Result<Node, String> {
        self.space();
        if self.take("(") {
            let mut operands = vec![self.cases()?];
            while self.take(",") {
                operands.push(self.cases()?);
            }
            self.expect(")")?;
            return Ok(Node::Applied(name, operands));
        }
        Ok(Node::Applied(name, vec![self.power()?]))
    }

    fn environment(&mut self) -> Result<Node, String> {
        let kind = self.group()?;
        let end = format!(r"\end{{{kind}}}");
        let (inside, rest) = self.rest.split_once(&end).ok_or_else(|| format!("no {end}"))?;
        self.rest = rest;
        let rows: Vec<Vec<&str>> =
            inside.split(r"\\").map(|row| row.split('&').map(str::trim).collect()).collect();
        if kind == "bmatrix" {
            let rows: Result<Vec<Vec<Node>>, String> = rows
                .into_iter()
                .map(|row| row.into_iter().map(|cell| one(cell, self.digits, true)).collect())
                .collect();
            return Ok(Node::Matrix(rows?));
        }
        let [first, last] = &rows[..] else { return Err(format!("cases of {} rows", rows.len())) };
        let (then, other) = (one(first[0], self.digits, true)?, one(last[0], self.digits, true)?);
        let condition = first[1].replace(r"\le ", "<= ").replace(r"\ge ", ">= ");
        let sign = ["<=", ">=", "<", ">"].into_iter().find(|sign| condition.contains(sign));
        let sign = sign.ok_or_else(|| format!("no comparison in {condition}"))?;
        let (left, right) = condition.split_once(sign).ok_or("no comparison")?;
        let (left, right) = (one(left, self.digits, true)?, one(right, self.digits, true)?);
        Ok(Node::Applied(sign, vec![then, left, right, other]))
    }

    fn number(&mut self) -> Result<Node, String> {
        let text = self.rest;
        let digits =
            |from: usize| text[from..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |at| from + at);
        let mut end = digits(0);
        if text[end..].starts_with('.') && text[end + 1..].starts_with(|c: char| c.is_ascii_digit()) {
            end = digits(end + 1);
        }
        if text[end..].starts_with('e') {
            let sign = usize::from(text[end + 1..].starts_with(['-', '+']));
            let after = digits(end + 1 + sign);
            end = if after > end + 1 + sign { after } else { end };
        }
        let number: f64 = text[..end].parse().map_err(|_| format!("`{}` is no number", &text[..end]))?;
        let mut shown = &text[..end];
        self.rest = &text[end..];
        // In TeX a power of ten stands behind.
        let mut scale = 1.0;
        if self.is_tex
            && let Some(rest) = self.rest.strip_prefix(r" \cdot 10^{")
            && let Some((exponent, rest)) = rest.split_once('}')
        {
            scale = format!("1e{exponent}").parse().map_err(|_| "a power of ten")?;
            self.rest = rest;
        }
        if let Some((mantissa, _)) = shown.split_once('e') {
            shown = mantissa;
        }
        // A remark behind it: `0.0123 (3 more)`.
        self.remark();
        let number = number * scale;
        let count = shown.chars().filter(char::is_ascii_digit).collect::<String>();
        let significant = count.trim_start_matches('0').len() as i32;
        if number == 0.0 || significant < self.digits.min(6) && !is_rounded(shown) {
            return Ok(Node::Number(Range::new(number, number)));
        }
        let exponent = number.abs().log10().floor() as i32;
        let half = 0.5 * 10f64.powi(exponent - self.digits + 1);
        Ok(Node::Number(Range::new(number - half, number + half)))
    }

    fn remark(&mut self) {
        if self.is_tex {
            if let Some(rest) = self.rest.strip_prefix(r"\ \text{(")
                && let Some((_, rest)) = rest.split_once(")}")
            {
                self.rest = rest;
            }
            return;
        }
        let Some(rest) = self.rest.strip_prefix(" (") else { return };
        let Some((inside, after)) = rest.split_once(')') else { return };
        let letters = inside.chars().filter(|c| c.is_alphabetic()).count();
        if letters > 1 && !inside.contains(['+', '*', '/', '=', '[']) {
            self.rest = after;
        }
    }
}

/// Short numbers are shown in full; zeros at the end say that a number was rounded.
fn is_rounded(shown: &str) -> bool {
    shown.contains('.') && shown.ends_with('0')
}

fn one(text: &str, digits: i32, is_tex: bool) -> Result<Node, String> {
    let mut reader = Reader { rest: text, digits, is_tex };
    let node = reader.cases()?;
    reader.space();
    if reader.rest.is_empty() { Ok(node) } else { Err(format!("`{}` is left of `{text}`", reader.rest)) }
}

fn name_of(node: &Node) -> String {
    match node {
        Node::Name(name) => name.clone(),
        other => format!("{other:?}"),
    }
}

/// Where a name ends: `dC/dw[2][1,0]^(3)`, `layers.1.scale[3]`, `Theta(1)[2,0]`, `w^2_24`.
fn end_of_name(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    if !text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '%') {
        return 0;
    }
    while at < bytes.len() {
        let rest = &text[at..];
        let next = rest.chars().next().expect("not at the end");
        if next.is_alphanumeric() || matches!(next, '_' | '.' | '%') {
            at += next.len_utf8();
        } else if let Some(inside) =
            closed(rest, '[', ']', |c| c.is_ascii_alphanumeric() || matches!(c, ',' | '.'))
        {
            at += inside;
        } else if next == '^' && rest[1..].starts_with('(') {
            // The number of an example.
            match closed(&rest[1..], '(', ')', |c| c.is_ascii_digit()) {
                Some(inside) => at += 1 + inside,
                None => return at,
            }
        } else if next == '^' && is_nielsen(rest) {
            at += 1;
        } else if next == '(' && is_ng(&text[..at], rest) {
            at += closed(rest, '(', ')', |c| c.is_ascii_digit() || c == 'c').expect("looked at before");
        } else if next == '/' && rest[1..].starts_with('d') && text.starts_with('d') && at <= 3 {
            // dC/dw is one name.
            at += 1;
        } else if next == '/' && rest[1..].starts_with('d') && text.starts_with('d') {
            at += 1;
        } else {
            break;
        }
    }
    at
}

/// `Theta(1)[...]`, `z(2)[...]`: the layer stands between parentheses, and an index behind it.
fn is_ng(before: &str, rest: &str) -> bool {
    let name = before.rsplit('/').next().unwrap_or(before).trim_start_matches('d');
    let is_letter = ["Theta", "z", "a", "delta", "elta"].contains(&name);
    is_letter
        && closed(rest, '(', ')', |c| c.is_ascii_digit()).is_some_and(|end| rest[end..].starts_with('['))
}

/// `w^2_24`, `delta^3_1`.
fn is_nielsen(rest: &str) -> bool {
    let digits = rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    digits > 0 && rest[1 + digits..].starts_with('_')
}

/// How long a text between two brackets is, the brackets included.
fn closed(text: &str, open: char, close: char, is_inside: impl Fn(char) -> bool) -> Option<usize> {
    let inside = text.strip_prefix(open)?;
    let end = inside.find(close)?;
    (end > 0 && inside[..end].chars().all(is_inside)).then_some(end + 2)
}

/// The value of a formula.
pub(crate) fn value(node: &Node) -> Value {
    match node {
        Node::Number(range) => Value::Number(*range),
        Node::Name(_) => Value::Symbolic,
        Node::Matrix(rows) => {
            let number = |cell: &Node| match value(cell) {
                Value::Number(range) => Some(range),
                _ => None,
            };
            let rows: Option<Vec<Vec<Range>>> =
                rows.iter().map(|row| row.iter().map(number).collect()).collect();
            rows.map_or(Value::Symbolic, Value::Matrix)
        }
        Node::Applied(name, operands) => {
            let values: Vec<Value> = operands.iter().map(value).collect();
            if values.contains(&Value::Symbolic) {
                return Value::Symbolic;
            }
            applied(name, &values)
        }
    }
}

fn applied(name: &str, values: &[Value]) -> Value {
    if let [Value::Matrix(left), Value::Matrix(right)] = values {
        return matrices(name, left, right);
    }
    let numbers: Option<Vec<Range>> = values
        .iter()
        .map(|value| if let Value::Number(range) = value { Some(*range) } else { None })
        .collect();
    let Some(x) = numbers else { return Value::Symbolic };
    let ends = |f: fn(f64, f64) -> f64| {
        let (a, b) = (x[0], x[1]);
        Range::of(&[f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)])
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    Value::Number(match name {
        "negative" => Range::new(-x[0].low, -x[0].high),
        "+" => Range::new(x[0].low + x[1].low, x[0].high + x[1].high),
        "-" => Range::new(x[0].low - x[1].high, x[0].high - x[1].low),
        "*" => ends(|a, b| a * b),
        "/" => {
            if x[1].low <= 0.0 && x[1].high >= 0.0 {
                return Value::Number(Range::new(f64::NEG_INFINITY, f64::INFINITY));
            }
            ends(|a, b| a / b)
        }
        "^" => {
            let whole = x[1].low == x[1].high && x[1].low.fract() == 0.0;
            let mut all = ends(if whole { |a, b| a.powi(b as i32) } else { f64::powf });
            if whole && x[1].low as i64 % 2 == 0 && x[0].low <= 0.0 && x[0].high >= 0.0 {
                all.low = all.low.min(0.0);
            }
            all
        }
        "abs" => {
            let both = Range::new(x[0].low.abs(), x[0].high.abs());
            if x[0].low < 0.0 && x[0].high > 0.0 { Range::new(0.0, both.high) } else { both }
        }
        "exp" => x[0].map(f64::exp),
        "log" | "ln" => x[0].map(|x| x.max(0.0).ln()),
        "sqrt" => x[0].map(|x| x.max(0.0).sqrt()),
        "sigmoid" => x[0].map(sigmoid),
        "tanh" => x[0].map(f64::tanh),
        "relu" => x[0].map(|x| x.max(0.0)),
        "softplus" => x[0].map(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        "sign" => x[0].map(|x| if x == 0.0 { 0.0 } else { x.signum() }),
        "erf" => x[0].map(erf),
        "max" => Range::new(
            x.iter().map(|x| x.low).fold(f64::NEG_INFINITY, f64::max),
            x.iter().map(|x| x.high).fold(f64::NEG_INFINITY, f64::max),
        ),
        "min" => Range::new(
            x.iter().map(|x| x.low).fold(f64::INFINITY, f64::min),
            x.iter().map(|x| x.high).fold(f64::INFINITY, f64::min),
        ),
        "<" | ">" | "<=" | ">=" | "=" => {
            let [then, left, right, other] = x[..] else { return Value::Symbolic };
            let holds = match name {
                "<" => (left.high < right.low, left.low >= right.high),
                "<=" => (left.high <= right.low, left.low > right.high),
                ">" => (left.low > right.high, left.high <= right.low),
                ">=" => (left.low >= right.high, left.high < right.low),
                _ => (
                    left.low == right.low && left.high == right.high && left.low == left.high,
                    !left.meets(right),
                ),
            };
            match holds {
                (true, _) => then,
                (_, true) => other,
                // The digits do not tell.
                _ => Range::of(&[then.low, then.high, other.low, other.high]),
            }
        }
        _ => return Value::Symbolic,
    })
}

fn matrices(name: &str, left: &[Vec<Range>], right: &[Vec<Range>]) -> Value {
    let number = |value: Value| if let Value::Number(range) = value { range } else { panic!("of numbers") };
    let two = |name: &str, a: Range, b: Range| number(applied(name, &[Value::Number(a), Value::Number(b)]));
    let made: Vec<Vec<Range>> = match name {
        "+" | "-" => left
            .iter()
            .zip(right)
            .map(|(left, right)| left.iter().zip(right).map(|(a, b)| two(name, *a, *b)).collect())
            .collect(),
        "*" => left
            .iter()
            .map(|row| {
                (0..right[0].len())
                    .map(|column| {
                        let terms = row.iter().zip(right).map(|(a, b)| two("*", *a, b[column]));
                        terms.reduce(|a, b| two("+", a, b)).expect("a matrix has columns")
                    })
                    .collect()
            })
            .collect(),
        _ => return Value::Symbolic,
    };
    Value::Matrix(made)
}

/// The error function by its series and, far out, its continued fraction.
fn erf(x: f64) -> f64 {
    if x.abs() > 5.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

/// A formula with numbers for the names that are known, within the rounding of `f64` of sums of some terms.
pub(crate) fn with_numbers(node: &Node, known: &dyn Fn(&str) -> Option<f64>) -> Node {
    match node {
        Node::Number(range) => Node::Number(*range),
        Node::Name(name) => match known(name) {
            Some(x) => {
                let slack = 1e-10 * x.abs() + 1e-14;
                Node::Number(Range::new(x - slack, x + slack))
            }
            None => node.clone(),
        },
        Node::Applied(what, all) => {
            Node::Applied(what, all.iter().map(|own| with_numbers(own, known)).collect())
        }
        Node::Matrix(rows) => Node::Matrix(
            rows.iter().map(|row| row.iter().map(|own| with_numbers(own, known)).collect()).collect(),
        ),
    }
}

/// Whether two values can be the same; nothing is said of those with names.
pub(crate) fn meet(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(left.meets(*right)),
        (Value::Matrix(left), Value::Matrix(right)) => {
            let same = left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| {
                    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.meets(*b))
                });
            Some(same)
        }
        (Value::Matrix(_), Value::Number(_)) | (Value::Number(_), Value::Matrix(_)) => Some(false),
        _ => None,
    }
}

#[test]
fn formulas_are_read_and_their_value_found() {
    let number = |text: &str| match value(&sides(text, 6).unwrap()[0]) {
        Value::Number(range) => range,
        other => panic!("{text}: {other:?}"),
    };
    for (text, wanted) in [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("-2^2", -4.0),
        ("(-2)^2", 4.0),
        ("|1 - 3| * 2", 4.0),
        ("max(0, -3) + exp(0)", 1.0),
        ("1 if 2 > 3, else 5", 5.0),
        ("(1 + 2) / 3", 1.0),
        ("0.5 (3 more) + 1", 1.5),
        ("4^-0.5", 0.5),
    ] {
        let found = number(text);
        assert!(
            found.low <= wanted && wanted <= found.high && found.high - found.low < 1e-5,
            "{text}: {found:?}"
        );
    }
    for (tex, wanted) in [
        (r"\frac{1}{2} \left(3 + 1\right)", 2.0),
        (r"1.5 \cdot 10^{-3} \cdot 2", 0.003),
        (r"\lvert 1 - 3 \rvert", 2.0),
        (r"\tfrac12 (3 - 1)^2", 2.0),
        (r"\begin{cases} 2 & 3 > 0 \\ 0.5 \, 3 & \text{else} \end{cases}", 2.0),
        (r"e^{0} + \ln(1) + \operatorname{erf}\left(0\right)", 1.0),
    ] {
        match value(&tex_sides(tex, 6).unwrap()[0]) {
            Value::Number(found) => {
                assert!(found.low <= wanted + 1e-9 && wanted - 1e-9 <= found.high, "{tex}: {found:?}")
            }
            other => panic!("{tex}: {other:?}"),
        }
    }
    let product = sides("[[1, 2], [3, 4]] * [5, 6] + [1, 1] = [18, 40]", 6).unwrap();
    assert_eq!(meet(&value(&product[0]), &value(&product[1])), Some(true));
    let names =
        sides("dE/dw5 = delta_o1 * out_h1^(2) = w^2_24 * Theta(1)[2,0] - layers.1.scale[3]", 6).unwrap();
    assert!(names.iter().all(|side| value(side) == Value::Symbolic), "{names:?}");
    // What TeX refuses.
    for wrong in [r"a^{(1)}^2", r"\frac{1}{2", r"\tfract{2}", r"a + ", r"\left(1"] {
        assert!(tex_sides(wrong, 6).is_err(), "{wrong}");
    }
    for wrong in ["1 +", "2 3", "(1", "a = = b"] {
        assert!(sides(wrong, 6).is_err(), "{wrong}");
    }
}
