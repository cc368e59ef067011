//! A formula as people write it, `(x + y) * z`, or lines like `c = a + b`, as a graph of gates.
//!
//! Each operation of the formula is a gate: what arrives at it backwards, times its local derivative, is what it passes
//! on to an operand. A value that is used several times gets a sum.

use crate::differentiate::reverse;
use crate::error::{Error, Place, Result};
use crate::execute::reference;
use crate::graph::ops::{self, Op};
use crate::graph::{Builder, Graph, Kind, NodeId, Var};
use std::collections::BTreeMap;

/// A formula, and the numbers of its variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: String,
    at: Vec<(String, f64)>,
    lines: Vec<Line>,
}

/// A line of a formula: the last one is the output.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    name: Option<String>,
    term: Term,
}

#[derive(Debug, Clone, PartialEq)]
enum Term {
    Number(f64),
    Name(String),
    Gate(Operation, Vec<Term>),
}

/// What a gate does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Negative,
    /// A function of the list.
    Function(usize),
}

/// A function that formulas have: name, other name, number of operands, and how it is built.
struct Function {
    name: &'static str,
    also: &'static str,
    operands: usize,
    build: for<'b> fn(&[Var<'b>]) -> Var<'b>,
}

fn apply<'b>(x: &[Var<'b>], op: impl Into<Op>) -> Var<'b> {
    x[0].builder().apply(op, &x[..1])
}

/// The larger of two numbers. Where they are equal, each gets half of the derivative.
fn larger<'b>(x: &[Var<'b>]) -> Var<'b> {
    let numbers: Vec<Var<'b>> = x.iter().map(|x| x.reshape([1])).collect();
    let both = x[0].builder().apply(ops::Concatenate { axis: 0 }, &numbers);
    both.builder().apply(ops::Max { axes: vec![0], keep_axes: false }, &[both])
}

const FUNCTIONS: &[Function] = &[
    Function { name: "exp", also: "", operands: 1, build: |x| x[0].exp() },
    Function { name: "log", also: "ln", operands: 1, build: |x| x[0].log() },
    Function { name: "sqrt", also: "", operands: 1, build: |x| x[0].power(0.5) },
    Function { name: "abs", also: "", operands: 1, build: |x| x[0].abs() },
    Function { name: "erf", also: "", operands: 1, build: |x| apply(x, ops::Erf) },
    Function { name: "sigmoid", also: "logistic", operands: 1, build: |x| x[0].sigmoid() },
    Function { name: "tanh", also: "", operands: 1, build: |x| x[0].tanh() },
    Function { name: "relu", also: "", operands: 1, build: |x| apply(x, ops::Relu) },
    Function {
        name: "leaky_relu",
        also: "lrelu",
        operands: 1,
        build: |x| apply(x, ops::LeakyRelu { slope: 0.01.into() }),
    },
    Function { name: "elu", also: "", operands: 1, build: |x| apply(x, ops::Elu { alpha: 1.0.into() }) },
    Function { name: "gelu", also: "", operands: 1, build: |x| apply(x, ops::Gelu) },
    Function { name: "silu", also: "swish", operands: 1, build: |x| apply(x, ops::Silu) },
    Function { name: "softplus", also: "", operands: 1, build: |x| apply(x, ops::Softplus) },
    Function { name: "max", also: "", operands: 2, build: larger },
    Function { name: "min", also: "", operands: 2, build: |x| -larger(&[-x[0], -x[1]]) },
];

impl Operation {
    fn build<'b>(self, x: &[Var<'b>], exponent: Option<f64>) -> Var<'b> {
        match (self, exponent) {
            (Operation::Add, _) => x[0] + x[1],
            (Operation::Subtract, _) => x[0] - x[1],
            (Operation::Multiply, _) => x[0] * x[1],
            (Operation::Divide, _) => x[0] / x[1],
            // Also to the power of 1, so that the gate is there.
            (Operation::Power, Some(exponent)) => apply(x, ops::Power(exponent.into())),
            (Operation::Power, None) => (x[1] * x[0].log()).exp(),
            (Operation::Negative, _) => apply(x, ops::Scale((-1.0).into())),
            (Operation::Function(at), _) => (FUNCTIONS[at].build)(x),
        }
    }

    fn text(self, operands: &[String]) -> String {
        let [left, right] = [0, 1].map(|at| operands.get(at).cloned().unwrap_or_default());
        match self {
            Operation::Add => format!("{left} + {right}"),
            Operation::Subtract => format!("{left} - {right}"),
            Operation::Multiply => format!("{left} * {right}"),
            Operation::Divide => format!("{left} / {right}"),
            Operation::Power => format!("{left} ^ {right}"),
            Operation::Negative => format!("-{left}"),
            Operation::Function(at) => format!("{}({})", FUNCTIONS[at].name, operands.join(", ")),
        }
    }
}

/// A gate with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The name that its line gives it, or its formula in parentheses.
    pub name: String,
    /// What it computes, over the names of its operands: `x + y`.
    pub formula: String,
    /// The same over their numbers: `-2 + 5`.
    pub numbers: Vec<f64>,
    /// Its result.
    pub node: NodeId,
    /// What it reads.
    pub operands: Vec<Operand>,
    operation: Operation,
}

/// What a gate reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand {
    /// Its name: of a variable, of a line, or the number.
    pub name: String,
    /// Its node.
    pub node: NodeId,
    /// The derivative of the gate's result with respect to it; absent for a number.
    pub local: Option<f64>,
    /// What arrives at the gate, times the local derivative; absent where nothing arrives.
    pub passed: Option<f64>,
}

/// A formula as a graph, forwards and backwards.
#[derive(Debug, Clone)]
pub struct Circuit {
    /// The graph of the formula, followed by the backward pass.
    pub graph: Graph,
    /// How many nodes the formula has: the first of the graph.
    pub forward: usize,
    /// The node of the result.
    pub output: NodeId,
    /// What the result is called.
    pub output_name: String,
    /// The variables, in the order of their numbers.
    pub variables: Vec<(String, NodeId)>,
    /// The gates, in order.
    pub gates: Vec<Gate>,
    /// The numbers of all nodes.
    pub values: Vec<f64>,
    /// The node of the derivative of the result with respect to each node of the formula, where there is one.
    pub adjoints: Vec<Option<NodeId>>,
}

/// The deepest formula: one in which parentheses stand in each other so often.
const DEEPEST: usize = 200;
/// The longest formula, in characters.
const LONGEST: usize = 20_000;
/// So many sums and products of two stand in a line at most, each in a row of the page.
const MOST_CHAINED: usize = 300;
/// The most lines.
const MOST_LINES: usize = 1000;

impl Expression {
    /// Reads a formula, or lines of them; `#` begins a remark.
    ///
    /// # Errors
    /// With the line, and what is wrong there; for an unknown function or variable, with the nearest known.
    pub fn parse(text: &str, at: Vec<(String, f64)>) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::configuration(format!("the formula has {} characters", text.len()))
                .help(format!("write at most {LONGEST}")));
        }
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let code = line.split('#').next().unwrap_or_default();
            for part in code.split(';').filter(|part| !part.trim().is_empty()) {
                let placed = |error: Error| {
                    let place = Place { line: Some(number as u64 + 1), ..Place::source("the expression") };
                    if text.contains('\n') { error.at(place) } else { error }
                };
                lines.push(line_of(part).map_err(placed)?);
            }
        }
        if lines.len() > MOST_LINES {
            return Err(Error::configuration(format!("the formula has {} lines", lines.len()))
                .help(format!("write at most {MOST_LINES}")));
        }
        if let Some(own) = (1..at.len()).find(|&own| at[..own].iter().any(|(name, _)| *name == at[own].0)) {
            return Err(Error::configuration(format!("`{}` has two numbers", at[own].0)).help("give it one"));
        }
        if lines.is_empty() {
            return Err(Error::configuration("there is no formula").help("write one, such as `(x + y) * z`"));
        }
        let expression = Self { text: text.to_owned(), at, lines };
        expression.check()?;
        Ok(expression)
    }

    /// The formula as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The numbers of its variables.
    pub fn at(&self) -> &[(String, f64)] {
        &self.at
    }

    /// The variables that the formula needs, in the order in which it names them.
    pub fn variables(&self) -> Vec<String> {
        fn walk(term: &Term, defined: &[&str], found: &mut Vec<String>) {
            match term {
                Term::Name(name) if !defined.contains(&name.as_str()) && !found.contains(name) => {
                    found.push(name.clone());
                }
                Term::Gate(_, operands) => operands.iter().for_each(|term| walk(term, defined, found)),
                Term::Name(_) | Term::Number(_) => {}
            }
        }
        let (mut defined, mut found) = (Vec::new(), Vec::new());
        for line in &self.lines {
            walk(&line.term, &defined, &mut found);
            defined.extend(line.name.as_deref());
        }
        found
    }

    /// Each variable has a number, and each number a variable.
    fn check(&self) -> Result<()> {
        let variables = self.variables();
        let given = || self.at.iter().map(|(name, _)| name.as_str());
        if let Some(missing) = variables.iter().find(|name| given().all(|own| own != name.as_str())) {
            let error = Error::configuration(format!("`{missing}` has no number"));
            let near = crate::error::nearest_name(
                missing,
                given().filter(|own| !variables.iter().any(|v| v == own)),
            );
            return Err(match near {
                Some(near) => error.help(format!("did you mean `{near}`, which has one?")),
                None => error.help(format!("give one, as `{missing}=2`, or name an earlier line so")),
            });
        }
        match given().find(|name| variables.iter().all(|own| own != name)) {
            Some(unused) => Err(Error::configuration(format!(
                "`{unused}` has a number, but the formula has no such variable"
            ))
            .unknown(unused, &variables)),
            None => Ok(()),
        }
    }

    /// The graph with all its numbers.
    ///
    /// # Errors
    /// Never for a formula that was read.
    pub fn circuit(&self) -> Result<Circuit> {
        let builder = Builder::new();
        let mut names: BTreeMap<&str, (Var<'_>, String)> = BTreeMap::new();
        let mut variables = Vec::new();
        let wanted = self.variables();
        for (name, _) in self.at.iter().filter(|(name, _)| wanted.contains(name)) {
            let var = builder.input(name, []);
            variables.push((name.clone(), var));
            names.insert(name, (var, name.clone()));
        }
        let mut made = Made { builder: &builder, gates: Vec::new() };
        let mut output = None;
        for line in &self.lines {
            let (mut var, mut name) = made.term(&line.term, &names);
            if let Some(own) = &line.name {
                // A line that only names a number or a value is a gate that passes everything on.
                if !matches!(line.term, Term::Gate(..)) && matches!(line.term, Term::Number(_)) {
                    var = apply(&[var], ops::Identity);
                }
                made.rename(var, own);
                name.clone_from(own);
                names.insert(own, (var, own.clone()));
            }
            output = Some((var, name, line.name.is_some()));
        }
        let (output, mut output_name, is_named) = output.expect("a formula has a line");
        // A result without a name is f, unless that is another's.
        if !is_named
            && matches!(self.lines.last().map(|line| &line.term), Some(Term::Gate(..)))
            && !names.contains_key("f")
        {
            output_name = "f".into();
            made.rename(output, "f");
        }
        let id = |var: Var<'_>| var.id().expect("operations on single numbers fit");
        let output = id(output);
        let variables: Vec<(String, NodeId)> =
            variables.into_iter().map(|(name, var)| (name, id(var))).collect();
        let gates = made.gates;
        let gates: Vec<(Built, NodeId, Vec<NodeId>)> = (gates.into_iter())
            .map(|gate| (gate.0, id(gate.1), gate.2.into_iter().map(id).collect()))
            .collect();
        let graph = builder.finish()?;
        let forward = graph.nodes().len();
        let inputs: Vec<NodeId> = variables.iter().map(|(_, node)| *node).collect();
        let backward = reverse(&graph, output, &inputs)?;
        let mut given = vec![Vec::new(); forward];
        for (name, node) in &variables {
            let number = self.at.iter().find(|(own, _)| own == name).map_or(f64::NAN, |(_, number)| *number);
            given[node.index()] = vec![number];
        }
        let values: Vec<f64> =
            reference(&backward.graph, &given).into_iter().map(|numbers| numbers[0]).collect();
        let adjoints = backward.adjoints;
        let gates = gates.into_iter().map(|(built, node, operands)| {
            let numbers: Vec<f64> = operands.iter().map(|node| values[node.index()]).collect();
            let local = local(built.operation, built.exponent, &numbers)?;
            let arrives = adjoints[node.index()].map(|bar| values[bar.index()]);
            let operands = operands.iter().zip(&built.operands).zip(local).map(|((&node, name), local)| {
                let is_number = matches!(graph.node(node).kind, Kind::Constant(_));
                let local = Some(local).filter(|_| !is_number);
                let passed = arrives.zip(local).map(|(arrives, local)| arrives * local);
                Operand { name: name.clone(), node, local, passed }
            });
            Ok(Gate {
                formula: built.operation.text(&built.operands),
                name: built.name,
                numbers,
                node,
                operands: operands.collect(),
                operation: built.operation,
            })
        });
        let gates = gates.collect::<Result<Vec<Gate>>>()?;
        Ok(Circuit {
            graph: backward.graph,
            forward,
            output,
            output_name,
            variables,
            gates,
            values,
            adjoints,
        })
    }
}

/// What is known of a gate before its graph is run.
struct Built {
    name: String,
    operation: Operation,
    exponent: Option<f64>,
    operands: Vec<String>,
}

struct Made<'b> {
    builder: &'b Builder,
    gates: Vec<(Built, Var<'b>, Vec<Var<'b>>)>,
}

impl<'b> Made<'b> {
    /// Builds a term; returns its node and name.
    fn term(&mut self, term: &Term, names: &BTreeMap<&str, (Var<'b>, String)>) -> (Var<'b>, String) {
        match term {
            Term::Number(number) => (self.builder.constant(*number), number.to_string()),
            Term::Name(name) => names[name.as_str()].clone(),
            Term::Gate(operation, operands) => {
                let (vars, operand_names): (Vec<_>, Vec<_>) =
                    operands.iter().map(|operand| self.term(operand, names)).unzip();
                let exponent = match (operation, &operands[..]) {
                    (Operation::Power, [_, Term::Number(exponent)]) => Some(*exponent),
                    _ => None,
                };
                let var = operation.build(&vars, exponent);
                let name = match operation {
                    Operation::Function(_) => operation.text(&operand_names),
                    _ => format!("({})", operation.text(&operand_names)),
                };
                let built =
                    Built { name: name.clone(), operation: *operation, exponent, operands: operand_names };
                self.gates.push((built, var, vars));
                (var, name)
            }
        }
    }

    fn rename(&mut self, var: Var<'_>, name: &str) {
        if let Some((built, last, _)) = self.gates.last_mut()
            && last.id() == var.id()
        {
            name.clone_into(&mut built.name);
        }
    }
}

/// The local derivatives of a gate at some numbers, by the rules of its operations.
fn local(operation: Operation, exponent: Option<f64>, numbers: &[f64]) -> Result<Vec<f64>> {
    let builder = Builder::new();
    let vars: Vec<Var<'_>> = (0..numbers.len()).map(|at| builder.input(&format!("x{at}"), [])).collect();
    let output = operation.build(&vars, exponent).id().expect("operations on single numbers fit");
    let inputs: Vec<NodeId> = vars.iter().filter_map(|var| var.id()).collect();
    let backward = reverse(&builder.finish()?, output, &inputs)?;
    let values = reference(&backward.graph, &numbers.iter().map(|number| vec![*number]).collect::<Vec<_>>());
    Ok(backward.nodes.iter().map(|node| values[node.index()][0]).collect())
}

impl Gate {
    /// What it does in as few letters as possible: `+`, `×`, `tanh`.
    pub fn sign(&self) -> String {
        match self.operation {
            Operation::Add => "+",
            Operation::Subtract | Operation::Negative => "−",
            Operation::Multiply => "×",
            Operation::Divide => "÷",
            Operation::Power => "^",
            Operation::Function(at) if FUNCTIONS[at].name == "sigmoid" => "σ",
            Operation::Function(at) => FUNCTIONS[at].name,
        }
        .to_owned()
    }

    /// The formula over the numbers of its operands: `-2 + 5`.
    pub fn with_numbers(&self, number: impl Fn(f64) -> String) -> String {
        let numbers: Vec<String> = (self.numbers.iter().enumerate())
            .map(|(at, &x)| match self.operation {
                // A sign beside another sign needs parentheses; as does a base.
                Operation::Function(_) => number(x),
                Operation::Power if at == 0 && x < 0.0 => format!("({})", number(x)),
                _ if x < 0.0 && (at > 0 || self.operation == Operation::Negative) => {
                    format!("({})", number(x))
                }
                _ => number(x),
            })
            .collect();
        self.operation.text(&numbers)
    }
}

impl Circuit {
    /// The derivative of the result with respect to a node; 0 where it does not depend on it.
    pub fn derivative(&self, node: NodeId) -> f64 {
        self.adjoints[node.index()].map_or(0.0, |bar| self.values[bar.index()])
    }

    /// The number of a node.
    pub fn value(&self, node: NodeId) -> f64 {
        self.values[node.index()]
    }

    /// What each gate passes on to a node, with the gate: one item for each use.
    pub fn passed_to(&self, node: NodeId) -> Vec<(&Gate, f64)> {
        let of = |gate: &'_ Gate| {
            gate.operands
                .iter()
                .filter(|operand| operand.node == node)
                .filter_map(|o| o.passed)
                .collect::<Vec<_>>()
        };
        self.gates.iter().flat_map(|gate| of(gate).into_iter().map(move |passed| (gate, passed))).collect()
    }

    /// All numbers under their names: those of variables and lines, the result as `f`, and its derivatives as `df/dx`.
    pub fn quantities(&self) -> Vec<(String, f64)> {
        let mut all = Vec::new();
        let gates = self.gates.iter().rev().map(|gate| (gate.name.clone(), gate.node));
        let named: Vec<(String, NodeId)> = self.variables.iter().cloned().chain(gates).collect();
        for (name, node) in named {
            all.push((format!("df/d{name}"), self.derivative(node)));
            if self.output_name != "f" {
                all.push((format!("d{}/d{name}", self.output_name), self.derivative(node)));
            }
            all.push((name, self.value(node)));
        }
        all.push(("f".to_owned(), self.value(self.output)));
        all
    }
}

/// A line: `name = formula`, or a formula.
fn line_of(text: &str) -> Result<Line> {
    let (name, formula) = match text.split_once('=') {
        Some((name, formula)) => (Some(name.trim()), formula),
        None => (None, text),
    };
    if let Some(name) = name {
        let is_name = name.chars().next().is_some_and(is_start) && name.chars().all(is_inside);
        if !is_name {
            return Err(Error::configuration(format!("`{name}` is no name"))
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

fn is_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn is_inside(c: char) -> bool {
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
            return Err(Error::unknown_name("function", name, FUNCTIONS.iter().map(|own| own.name)));
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
        match rest[..end].parse() {
            Ok(number) if f64::is_finite(number) => Ok(Term::Number(number)),
            _ => Err(self.wrong(format!("`{}` is no finite number", &rest[..end])).help("write a number")),
        }
    }
}
