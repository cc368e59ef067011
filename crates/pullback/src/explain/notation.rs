//! The same symbols as different teachers write them.

use super::Trace;
use crate::compact::Map;

/// Whose symbols are used. Layers are counted from 1, units from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notation {
    /// Indices in brackets: `w[2][1,0]`.
    #[default]
    Plain,
    /// A. Ng's course: Theta with the layer it leads from, a with the inputs as layer 1.
    Ng,
    /// M. Nielsen's book: w^l_jk, z^l_j, a^l_j.
    Nielsen,
    /// M. Mazur's example: net and out.
    Mazur,
    /// Matrices and their elements: `W2[1,0]`.
    Matrix,
}

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symbol {
    /// The weight to a unit from another.
    Weight(usize, usize, usize),
    /// The bias of a unit.
    Bias(usize, usize),
    /// The weighted sum of a unit.
    Sum(usize, usize),
    /// The activation of a unit; of layer 0, an input.
    Activation(usize, usize),
    /// The derivative of the cost with respect to a weighted sum.
    Delta(usize, usize),
    /// The target of an output.
    Target(usize),
}

impl Notation {
    /// The names, in the order of the list.
    pub const NAMES: &[&str] = &["plain", "ng", "nielsen", "mazur", "matrix"];

    const ALL: [Notation; 5] =
        [Notation::Plain, Notation::Ng, Notation::Nielsen, Notation::Mazur, Notation::Matrix];

    /// The notation of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|own| *own == name).map(|at| Self::ALL[at])
    }

    /// Its name in the list.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().position(|own| *own == self).map_or("", |at| Self::NAMES[at])
    }

    /// The letter of the cost.
    pub fn cost(self) -> &'static str {
        match self {
            Notation::Mazur => "E",
            Notation::Ng => "J",
            Notation::Plain | Notation::Nielsen | Notation::Matrix => "C",
        }
    }

    /// The letter of a weight.
    pub fn weight(self) -> &'static str {
        match self {
            Notation::Ng => "Theta",
            Notation::Matrix => "W",
            Notation::Plain | Notation::Nielsen | Notation::Mazur => "w",
        }
    }

    /// The letter of a target.
    pub fn target(self) -> &'static str {
        match self {
            Notation::Ng | Notation::Nielsen => "y",
            Notation::Matrix => "T",
            Notation::Plain | Notation::Mazur => "t",
        }
    }

    /// Whether deltas are those of single examples, before the mean is taken over m of them.
    pub fn delta_is_of_example(self) -> bool {
        self == Notation::Ng
    }

    /// The letters for the weighted sum and the activation of a unit that has a name: `net_h1`, `out_h1`.
    pub fn of_named_unit(self) -> [&'static str; 2] {
        match self {
            Notation::Mazur => ["net", "out"],
            Notation::Matrix => ["Z", "A"],
            Notation::Plain | Notation::Ng | Notation::Nielsen => ["z", "a"],
        }
    }

    /// The names that a notation gives to a network's numbers one after another, where it does: as in Mazur's example
    /// w1, w2, ... through all layers, h1, h2, ... for hidden units and o1, o2, ... for outputs.
    pub(super) fn names(self, trace: &Trace) -> Map<Symbol, String> {
        let mut names = Map::new();
        if self != Notation::Mazur {
            return names;
        }
        let last = trace.dense().len();
        let (mut weights, mut hidden) = (0, 0);
        for (position, dense) in trace.dense().iter().enumerate() {
            let layer = position + 1;
            if position == 0 {
                for input in 0..dense.inputs {
                    names.insert(Symbol::Activation(0, input), format!("i{}", input + 1));
                }
            }
            for unit in 0..dense.units {
                let name = if layer == last { format!("o{}", unit + 1) } else { format!("h{}", hidden + 1) };
                hidden += usize::from(layer < last);
                names.insert(Symbol::Sum(layer, unit), format!("net_{name}"));
                names.insert(Symbol::Activation(layer, unit), format!("out_{name}"));
                names.insert(Symbol::Delta(layer, unit), format!("delta_{name}"));
                names.insert(Symbol::Bias(layer, unit), format!("b_{name}"));
                for input in 0..dense.inputs {
                    weights += 1;
                    names.insert(Symbol::Weight(layer, unit, input), format!("w{weights}"));
                }
            }
        }
        for output in 0..trace.network().outputs() {
            names.insert(Symbol::Target(output), format!("t_o{}", output + 1));
        }
        names
    }

    /// A symbol in plain text.
    pub fn text(self, symbol: Symbol) -> String {
        use Symbol::{Activation, Bias, Delta, Sum, Target, Weight};
        match (self, symbol) {
            (Notation::Ng | Notation::Nielsen, Target(i)) => format!("y[{}]", i + 1),
            (_, Target(i)) => format!("{}[{i}]", self.target()),
            (Notation::Plain, Activation(0, i)) | (Notation::Nielsen, Activation(0, i)) => format!("x[{i}]"),
            (Notation::Mazur, Activation(0, i)) => format!("i[{i}]"),
            (Notation::Matrix, Activation(0, i)) => format!("X[{i}]"),
            (Notation::Plain, Weight(l, j, k)) => format!("w[{l}][{j},{k}]"),
            (Notation::Plain, Bias(l, j)) => format!("b[{l}][{j}]"),
            (Notation::Plain, Sum(l, j)) => format!("z[{l}][{j}]"),
            (Notation::Plain, Activation(l, j)) => format!("a[{l}][{j}]"),
            (Notation::Plain, Delta(l, j)) => format!("delta[{l}][{j}]"),
            // Layer 1 is the inputs; unit 0 of a layer is the bias unit.
            (Notation::Ng, Weight(l, j, k)) => format!("Theta({l})[{},{}]", j + 1, k + 1),
            (Notation::Ng, Bias(l, j)) => format!("Theta({l})[{},0]", j + 1),
            (Notation::Ng, Sum(l, j)) => format!("z({})[{}]", l + 1, j + 1),
            (Notation::Ng, Activation(l, j)) => format!("a({})[{}]", l + 1, j + 1),
            (Notation::Ng, Delta(l, j)) => format!("delta({})[{}]", l + 1, j + 1),
            // The inputs are layer 1 in the book, too.
            (Notation::Nielsen, Weight(l, j, k)) => format!("w^{}_{}{}", l + 1, j + 1, sub(k + 1, j + 1)),
            (Notation::Nielsen, Bias(l, j)) => format!("b^{}_{}", l + 1, j + 1),
            (Notation::Nielsen, Sum(l, j)) => format!("z^{}_{}", l + 1, j + 1),
            (Notation::Nielsen, Activation(l, j)) => format!("a^{}_{}", l + 1, j + 1),
            (Notation::Nielsen, Delta(l, j)) => format!("delta^{}_{}", l + 1, j + 1),
            (Notation::Mazur, Weight(l, j, k)) => format!("w{l}[{j},{k}]"),
            (Notation::Mazur, Bias(l, j)) => format!("b{l}[{j}]"),
            (Notation::Mazur, Sum(l, j)) => format!("net{l}[{j}]"),
            (Notation::Mazur, Activation(l, j)) => format!("out{l}[{j}]"),
            (Notation::Mazur, Delta(l, j)) => format!("delta{l}[{j}]"),
            (Notation::Matrix, Weight(l, j, k)) => format!("W{l}[{j},{k}]"),
            (Notation::Matrix, Bias(l, j)) => format!("b{l}[{j}]"),
            (Notation::Matrix, Sum(l, j)) => format!("Z{l}[{j}]"),
            (Notation::Matrix, Activation(l, j)) => format!("A{l}[{j}]"),
            (Notation::Matrix, Delta(l, j)) => format!("D{l}[{j}]"),
        }
    }

    /// A symbol in LaTeX.
    pub fn latex(self, symbol: Symbol) -> String {
        use Symbol::{Activation, Bias, Delta, Sum, Target, Weight};
        let (shift, one) = match self {
            Notation::Ng | Notation::Nielsen => (1, 1),
            _ => (0, 0),
        };
        let unit = |letter: &str, l: usize, j: usize| format!("{letter}^{{({})}}_{{{}}}", l + shift, j + one);
        match (self, symbol) {
            (Notation::Ng, Weight(l, j, k)) => format!(r"\Theta^{{({l})}}_{{{},{}}}", j + 1, k + 1),
            (Notation::Ng, Bias(l, j)) => format!(r"\Theta^{{({l})}}_{{{},0}}", j + 1),
            (Notation::Plain, Activation(0, i)) => format!("x_{{{i}}}"),
            (Notation::Mazur, Activation(0, i)) => format!("i_{{{i}}}"),
            (Notation::Matrix, Activation(0, i)) => format!("X_{{{i}}}"),
            (Notation::Mazur, Sum(l, j)) => unit(r"\mathrm{net}", l, j),
            (Notation::Mazur, Activation(l, j)) => unit(r"\mathrm{out}", l, j),
            (Notation::Matrix, Weight(l, j, k)) => format!("W^{{({l})}}_{{{j},{k}}}"),
            (Notation::Matrix, Sum(l, j)) => unit("Z", l, j),
            (Notation::Matrix, Activation(l, j)) => unit("A", l, j),
            (_, Target(i)) => format!("{}_{{{}}}", self.target(), i + one),
            (_, Weight(l, j, k)) => format!("w^{{({})}}_{{{},{}}}", l + shift, j + one, k + one),
            (_, Bias(l, j)) => unit("b", l, j),
            (_, Sum(l, j)) => unit("z", l, j),
            (_, Activation(l, j)) => unit("a", l, j),
            (_, Delta(l, j)) => unit(r"\delta", l, j),
        }
    }
}

/// The second index of a weight; a comma keeps indices of two digits apart.
fn sub(second: usize, first: usize) -> String {
    if second > 9 || first > 9 { format!(",{second}") } else { second.to_string() }
}
