//! A formula as a graph of gates.
//!
//! Each operation of the formula is a gate: what arrives at it backwards, times its local derivative, is what it passes
//! on to an operand. A value that is used several times gets a sum.

use super::{Expression, FUNCTIONS, Operation, Term, apply};
use crate::compact::Map;
use crate::decimal;
use crate::differentiate::reverse;
use crate::error::{Error, Result};
use crate::execute::reference;
use crate::explain::page::latex_name;
use crate::explain::written::Written;
use crate::graph::ops;
use crate::graph::{Builder, Graph, Kind, NodeId, Var};

/// A gate with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The name that its line gives it; without one, g1, g2, ... A name that is given again is told apart: `s_2`.
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
    /// What the formula's names mean at its end.
    bindings: Map<String, NodeId>,
    /// The variables, in the order of their numbers.
    pub variables: Vec<(String, NodeId)>,
    /// The gates, in order.
    pub gates: Vec<Gate>,
    /// The numbers of all nodes.
    pub values: Vec<Vec<f64>>,
    /// The node of the derivative of the result with respect to each node of the formula, where there is one.
    pub adjoints: Vec<Option<NodeId>>,
}

impl Expression {
    /// The graph with all its numbers.
    ///
    /// # Errors
    /// Never for a formula that was read.
    pub fn circuit(&self) -> Result<Circuit> {
        let builder = Builder::new();
        let mut names: Map<&str, (Var<'_>, String)> = Map::new();
        let mut variables = Vec::new();
        let wanted = self.variables();
        for (name, _) in self.at.iter().filter(|(name, _)| wanted.contains(name)) {
            let var = builder.input(name, []);
            variables.push((name.clone(), var));
            names.insert(name, (var, name.clone()));
        }
        let lines = self.lines.iter().filter_map(|line| line.name.clone());
        let taken = wanted.iter().cloned().chain(lines).map(|name| (name, ())).collect();
        let mut made =
            Made { builder: &builder, gates: Vec::new(), taken, unnamed: 0, constants: Map::new() };
        let mut output = None;
        let last = self.lines.len() - 1;
        for (at, line) in self.lines.iter().enumerate() {
            // A result without a name is f, unless that is another's.
            let own = match &line.name {
                Some(name) if names.contains_key(name.as_str()) => Some(made.told_apart(name)),
                Some(name) => Some(name.clone()),
                None if at == last && !names.contains_key("f") => Some("f".to_owned()),
                None => None,
            };
            let (mut var, mut name) = made.term(&line.term, &names, own.clone());
            if at == last && matches!(line.term, Term::Number(_)) {
                // The result is a gate also where it is only a number.
                var = apply(&[var], ops::Identity);
                name = own.unwrap_or(name);
            }
            if let Some(own) = &line.name {
                match made.constant(&line.term) {
                    Some(number) => made.constants.insert(own.clone(), number),
                    None => made.constants.remove(own),
                };
                names.insert(own, (var, name.clone()));
            }
            output = Some((var, name));
        }
        let (output, output_name) = output.expect("a formula has a line");
        let bindings: Vec<(String, Var<'_>)> =
            names.iter().map(|(name, (var, _))| ((*name).to_owned(), *var)).collect();
        let id = |var: Var<'_>| var.id().expect("operations on single numbers fit");
        let output = id(output);
        let variables: Vec<(String, NodeId)> =
            variables.into_iter().map(|(name, var)| (name, id(var))).collect();
        let bindings = bindings.into_iter().map(|(name, var)| (name, id(var))).collect();
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
        let values = reference(&backward.graph, &given);
        let adjoints = backward.adjoints;
        let gates = gates.into_iter().map(|(built, node, operands)| {
            let numbers: Vec<f64> = operands.iter().map(|node| values[node.index()][0]).collect();
            let local = local(built.operation, built.exponent, &numbers)?;
            let arrives = adjoints[node.index()].map(|bar| values[bar.index()][0]);
            let base = numbers.first().copied().unwrap_or(1.0);
            let is_variable = built.operation == Operation::Power && built.exponent.is_none();
            if is_variable && base <= 0.0 {
                let formula = written(built.operation, &built.operands).text;
                return Err(Error::configuration(format!(
                    "`{formula}`: {base} to the power of a variable has no derivative with respect to it"
                ))
                .help("write the exponent as a number, as in `x^2`, or make the base positive"));
            }
            let operands = operands.iter().zip(&built.operands).zip(local).enumerate();
            let operands = operands.map(|(at, ((&node, name), local))| {
                // An exponent that is a number has no derivative, however it is written.
                let is_exponent = at == 1 && built.exponent.is_some();
                let is_number = matches!(graph.node(node).kind, Kind::Constant(_)) || is_exponent;
                let local = Some(local).filter(|_| !is_number);
                let passed = arrives.zip(local).map(|(arrives, local)| arrives * local);
                Operand { name: name.clone(), node, local, passed }
            });
            Ok(Gate {
                formula: written(built.operation, &built.operands).text,
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
            bindings,
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

/// An operation over names.
fn written(operation: Operation, operands: &[String]) -> Written {
    let operands: Vec<Written> = operands.iter().map(|name| named(name)).collect();
    operation.written(&operands)
}

/// A name, or a number that stands where one could.
fn named(name: &str) -> Written {
    match decimal::number(name) {
        Some(number) if name.starts_with(['-', '.']) || name.starts_with(|c: char| c.is_ascii_digit()) => {
            Written::number(number, 17)
        }
        _ => Written::name(name, latex_name(name)),
    }
}

struct Made<'b> {
    builder: &'b Builder,
    gates: Vec<(Built, Var<'b>, Vec<Var<'b>>)>,
    /// The names that the formula has.
    taken: Map<String, ()>,
    /// The number of gates without a name.
    unnamed: usize,
    /// The names of lines that are numbers.
    constants: Map<String, f64>,
}

impl<'b> Made<'b> {
    /// Builds a term; returns its node and name: the given one, or one of its own.
    fn term(
        &mut self,
        term: &Term,
        names: &Map<&str, (Var<'b>, String)>,
        own: Option<String>,
    ) -> (Var<'b>, String) {
        match term {
            Term::Number(number) => (self.builder.constant(*number), number.to_string()),
            Term::Name(name) => names[name.as_str()].clone(),
            Term::Gate(operation, operands) => {
                let (vars, operand_names): (Vec<_>, Vec<_>) =
                    operands.iter().map(|operand| self.term(operand, names, None)).unzip();
                let exponent = match (operation, &operands[..]) {
                    (Operation::Power, [_, exponent]) => self.constant(exponent),
                    _ => None,
                };
                let var = operation.build(&vars, exponent);
                let name = own.unwrap_or_else(|| self.next_name());
                let built =
                    Built { name: name.clone(), operation: *operation, exponent, operands: operand_names };
                self.gates.push((built, var, vars));
                (var, name)
            }
        }
    }

    /// The number that a term is, where no variable is in it.
    fn constant(&self, term: &Term) -> Option<f64> {
        match term {
            Term::Number(number) => Some(*number),
            Term::Name(name) => self.constants.get(name).copied(),
            Term::Gate(operation, operands) => {
                let numbers: Option<Vec<f64>> = operands.iter().map(|own| self.constant(own)).collect();
                let numbers = numbers?;
                let exponent = (*operation == Operation::Power).then(|| numbers[1]);
                let builder = Builder::new();
                let vars: Vec<Var<'_>> =
                    (0..numbers.len()).map(|at| builder.input(&format!("x{at}"), [])).collect();
                let output = operation.build(&vars, exponent).id()?;
                let given: Vec<Vec<f64>> = numbers.iter().map(|number| vec![*number]).collect();
                Some(reference(&builder.finish().ok()?, &given)[output.index()][0])
            }
        }
    }

    /// The next name of the list g1, g2, ... that the formula does not have.
    fn next_name(&mut self) -> String {
        loop {
            self.unnamed += 1;
            let name = format!("g{}", self.unnamed);
            if self.taken.insert(name.clone(), ()).is_none() {
                return name;
            }
        }
    }

    /// A name for what is called as something before: `s_2`.
    fn told_apart(&mut self, name: &str) -> String {
        let free = (2..).map(|number| format!("{name}_{number}")).find(|own| !self.taken.contains_key(own));
        let free = free.expect("there are more numbers than names");
        self.taken.insert(free.clone(), ());
        free
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
    pub fn with_numbers(&self, digits: usize) -> String {
        let numbers: Vec<Written> = self.numbers.iter().map(|&x| Written::number(x, digits)).collect();
        self.operation.written(&numbers).text
    }
}

impl Circuit {
    /// The derivative of the result with respect to a node; 0 where it does not depend on it.
    pub fn derivative(&self, node: NodeId) -> f64 {
        self.adjoints[node.index()].map_or(0.0, |bar| self.values[bar.index()][0])
    }

    /// The number of a node.
    pub fn value(&self, node: NodeId) -> f64 {
        self.values[node.index()][0]
    }

    /// The derivatives of the result with respect to the variables that one gets who does not wait: each gate passes on
    /// what has arrived first, and what arrives later stays where it is. They are wrong where a value that is computed is
    /// used several times, which is why gates pass on in the reverse order of computation.
    ///
    /// ```
    /// use pullback::explain::Expression;
    ///
    /// // b is used twice, and a half of what must arrive at a is lost.
    /// let circuit = Expression::parse("b = a * a; f = b + b", vec![("a".into(), 3.0)])?.circuit()?;
    /// assert_eq!(circuit.derivative(circuit.variables[0].1), 12.0);
    /// assert_eq!(circuit.without_waiting(), [6.0]);
    /// # Ok::<(), pullback::Error>(())
    /// ```
    pub fn without_waiting(&self) -> Vec<f64> {
        let mut arrived = vec![0.0; self.forward];
        let mut has_passed = vec![false; self.forward];
        let mut waiting = vec![(self.output, 1.0)];
        while let Some((node, amount)) = waiting.pop() {
            arrived[node.index()] += amount;
            if std::mem::replace(&mut has_passed[node.index()], true) {
                continue;
            }
            let gate = self.gates.iter().find(|gate| gate.node == node);
            for operand in gate.iter().flat_map(|gate| &gate.operands).rev() {
                if let Some(local) = operand.local {
                    waiting.push((operand.node, arrived[node.index()] * local));
                }
            }
        }
        self.variables.iter().map(|(_, node)| arrived[node.index()]).collect()
    }

    /// The gate in which the first number arises that is not finite: its value, else what it passes on.
    pub fn first_not_finite(&self) -> Option<&Gate> {
        let forwards = self.gates.iter().find(|gate| !self.value(gate.node).is_finite());
        let passes = |gate: &&Gate| gate.operands.iter().any(|o| o.passed.is_some_and(|x| !x.is_finite()));
        forwards.or_else(|| self.gates.iter().rev().find(passes))
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
        // A name that is given several times means the last.
        let bindings = self.bindings.iter().map(|(name, node)| (name.clone(), *node));
        let gates = self.gates.iter().rev().map(|gate| (gate.name.clone(), gate.node));
        let named: Vec<(String, NodeId)> =
            bindings.chain(self.variables.iter().cloned()).chain(gates).collect();
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
