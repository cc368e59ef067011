//! What an operation is: everything that the engine, the checks and the glass box know about it.
//!
//! [`Operation`] is the whole contract. Two families state less, and the rest follows:
//! [`Elementwise`] operations of one operand give one derivative, [`Pairwise`] operations of two
//! broadcast operands give two. Only forward formulas are written by hand; the formula of a
//! derivative is printed from the nodes that the rule made.

use crate::graph::shape::for_each_broadcast;
use crate::graph::{Builder, Shape, Var};
use crate::random::{Purpose, Random};
use pullback_kernels::Real;
use std::fmt::Debug;
use std::hash::Hash;

/// An operation on arrays.
pub trait Operation: Clone + Debug + Eq + Hash {
    /// Its name in messages, files and flags.
    const NAME: &'static str;

    /// What it computes, for people.
    fn formula(&self) -> Formula;

    /// The shape of the result.
    ///
    /// # Errors
    /// The rule that the operands' shapes break.
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String>;

    /// Computes the result: the reference that every faster kernel is tested against.
    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>);

    /// The derivative of the cost with respect to operand `input`, given `y_bar`, the derivative
    /// of the cost with respect to the result. Absent where it is zero everywhere.
    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>>;

    /// The tangent of the result, given the tangents of the operands (absent: zero). Absent where
    /// it is zero everywhere.
    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>>;

    /// What it costs, in multiply-adds: one for each multiplication with its addition in a product
    /// or a sum, one for each element that a formula is applied to, none for moving data.
    fn multiply_adds(&self, inputs: &[&Shape], output: &Shape) -> u64;

    /// What is added up for each element of the result, in the order in which [`value`](Self::value) adds it:
    /// `visit(element of the result, addend)`. Returns the factor of the finished sums, 1 for most. Absent where the
    /// elements of the result are no such sums.
    fn sums(&self, inputs: &[&Shape], output: &Shape, visit: &mut dyn FnMut(usize, Addend)) -> Option<f64> {
        let _ = (inputs, output, visit);
        None
    }

    /// A random instance on random operands, on which the rules are tested.
    fn case(dice: &mut Dice) -> Case<Self>;

    /// Whether each element of the result depends on one element of each operand.
    const IS_ELEMENTWISE: bool = false;
    /// Whether it can be applied in place, as what is done element by element can.
    const IS_IN_PLACE: bool = Self::IS_ELEMENTWISE;

    /// Replaces numbers of the operand at `position`, which has the result's shape, by the result;
    /// `other` says what the other operand is, if there is one.
    ///
    /// # Panics
    /// If the operation is not one that can be applied in place.
    fn in_place<T: Real>(&self, values: &mut [T], position: usize, other: Other<'_, T>) {
        let _ = (values, position, other);
        unreachable!("{} is not applied in place", Self::NAME)
    }
}

/// What is added to a sum from zero, by the places of elements in their operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addend {
    /// An element of the only operand.
    Element(usize),
    /// The product of an element of the first operand and one of the second, added with one rounding.
    Product(usize, usize),
}

/// The other operand of an operation in place.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a, T> {
    /// How it repeats in the result.
    pub pattern: Pattern,
    /// All its elements.
    pub data: &'a [T],
    /// The index in the result at which the replaced numbers begin.
    pub first: usize,
}

impl<T: Real> Other<'_, T> {
    /// Replaces each of `values` by `f(value, number of this operand)`.
    #[inline(always)]
    pub fn apply(self, values: &mut [T], f: impl Fn(T, T) -> T) {
        let width = match self.pattern {
            Pattern::Whole => {
                let numbers = &self.data[self.first..][..values.len()];
                for (value, &number) in values.iter_mut().zip(numbers) {
                    *value = f(*value, number);
                }
                return;
            }
            Pattern::Single => {
                let number = self.data[0];
                for value in values {
                    *value = f(*value, number);
                }
                return;
            }
            Pattern::Row(width) | Pattern::Column(width) => width,
            Pattern::Other => unreachable!("an operand in place repeats by rows or columns"),
        };
        // The values may begin and end in the middle of a row.
        let mut values = values;
        let (mut row, mut column) = (self.first / width, self.first % width);
        while !values.is_empty() {
            let (part, rest) = values.split_at_mut(values.len().min(width - column));
            if let Pattern::Row(_) = self.pattern {
                for (value, &number) in part.iter_mut().zip(&self.data[column..]) {
                    *value = f(*value, number);
                }
            } else {
                let number = self.data[row];
                for value in part {
                    *value = f(*value, number);
                }
            }
            (values, row, column) = (rest, row + 1, 0);
        }
    }
}

/// A formula in plain text and in LaTeX; `{0}`, `{1}`, ... stand for the operands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    text: String,
    latex: String,
}

impl Formula {
    /// A formula from its two forms.
    pub fn new(text: impl Into<String>, latex: impl Into<String>) -> Self {
        Self { text: text.into(), latex: latex.into() }
    }

    /// The templates of plain text and LaTeX.
    pub fn templates(&self) -> [&str; 2] {
        [&self.text, &self.latex]
    }

    /// The plain text over the given operands.
    pub fn text(&self, operands: &[String]) -> String {
        fill(&self.text, operands)
    }

    /// The LaTeX source over the given operands.
    pub fn latex(&self, operands: &[String]) -> String {
        fill(&self.latex, operands)
    }
}

/// Puts operands in their places; `{...}` in a template stands for all of them, with commas. Each place is filled once,
/// whatever the operands hold.
fn fill(template: &str, operands: &[String]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let place = after.split_once('}').and_then(|(place, after)| {
            let operand = if place == "..." { Some(operands.join(", ")) } else { None };
            let position = || place.parse::<usize>().ok();
            Some((operand.or_else(|| operands.get(position()?).cloned())?, after))
        });
        match place {
            Some((operand, after)) => {
                text.push_str(&operand);
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}

/// An operand's numbers, in row-major order.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T> {
    /// The operand's shape.
    pub shape: &'a Shape,
    /// Its elements.
    pub data: &'a [T],
}

/// Where a result goes, in row-major order.
#[derive(Debug)]
pub struct ViewMut<'a, T> {
    /// The result's shape.
    pub shape: &'a Shape,
    /// Its elements, to be overwritten.
    pub data: &'a mut [T],
}

/// An operation's place in a graph: its operands and its result, for derivative rules.
#[derive(Debug, Clone)]
pub struct Site<'b> {
    /// The operands.
    pub inputs: Vec<Var<'b>>,
    /// The result.
    pub output: Var<'b>,
}

impl<'b> Site<'b> {
    /// The first operand.
    pub fn x(&self) -> Var<'b> {
        self.inputs[0]
    }

    /// The result.
    pub fn y(&self) -> Var<'b> {
        self.output
    }

    /// The builder that the rule's nodes go to.
    pub fn builder(&self) -> &'b Builder {
        self.output.builder()
    }
}

/// An operation with operands on which its rules are tested.
#[derive(Debug, Clone)]
pub struct Case<O> {
    /// The operation, with its attributes.
    pub op: O,
    /// The shape of each operand.
    pub shapes: Vec<Shape>,
    /// The interval that operands are drawn from.
    pub range: (f64, f64),
    /// Values near which the derivative jumps; operands keep away from them.
    pub kinks: Vec<f64>,
}

impl<O> Case<O> {
    /// A case whose operands are drawn from -2 to 2.
    pub fn new(op: O, shapes: Vec<Shape>) -> Self {
        Self { op, shapes, range: (-2.0, 2.0), kinks: Vec::new() }
    }

    /// The same, with operands drawn from `low` to `high`.
    pub fn range(self, low: f64, high: f64) -> Self {
        Self { range: (low, high), ..self }
    }

    /// The same, with operands that keep away from `kink`.
    pub fn kink(self, kink: f64) -> Self {
        Self { kinks: vec![kink], ..self }
    }

    /// The same case for another wrapping of the operation.
    pub fn map<P>(self, wrap: impl FnOnce(O) -> P) -> Case<P> {
        Case { op: wrap(self.op), shapes: self.shapes, range: self.range, kinks: self.kinks }
    }
}

/// Draws the random choices of test cases, one after another.
#[derive(Debug, Clone)]
pub struct Dice {
    random: Random,
    index: u64,
    /// What [`Dice::size`] draws from.
    sizes: &'static [usize],
}

impl Dice {
    /// Dice that always fall the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self::with_sizes(seed, &[1, 2, 3, 4, 5])
    }

    /// The same with other sizes of axes than 1 to 5: those at which a kernel with vectors changes its way.
    ///
    /// # Panics
    /// Without a size, when one is drawn.
    pub fn with_sizes(seed: u64, sizes: &'static [usize]) -> Self {
        Self { random: Random::new(seed, Purpose::Sample, 0), index: 0, sizes }
    }

    /// A whole number in `0..bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.index += 1;
        self.random.below(self.index, bound)
    }

    /// A number in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        self.index += 1;
        low + (high - low) * self.random.uniform(self.index)
    }

    /// True or false.
    pub fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// The size of an axis, from 1 to 5 unless the dice have other sizes.
    pub fn size(&mut self) -> usize {
        self.sizes[self.below(self.sizes.len())]
    }

    /// A shape with `rank` axes.
    pub fn shape(&mut self, rank: usize) -> Shape {
        (0..rank).map(|_| self.size()).collect::<Vec<_>>().into()
    }

    /// Up to three axes.
    pub fn any_shape(&mut self) -> Shape {
        let rank = self.below(4);
        self.shape(rank)
    }

    /// A shape with at least one axis, and some of its axes.
    pub fn shape_and_axes(&mut self) -> (Shape, Vec<usize>) {
        let rank = 1 + self.below(3);
        let shape = self.shape(rank);
        let axes = (0..rank).filter(|_| self.coin()).collect();
        (shape, axes)
    }

    /// Two shapes that broadcast with each other.
    pub fn broadcast_pair(&mut self) -> Vec<Shape> {
        let full = self.any_shape();
        let mut thinned = || -> Shape {
            let missing = self.below(full.rank() + 1) * self.below(2);
            let sizes = full.sizes()[missing..].iter();
            sizes.map(|&size| if self.below(3) == 0 { 1 } else { size }).collect::<Vec<_>>().into()
        };
        vec![thinned(), thinned()]
    }
}

/// An operation on each element of one operand, on its own.
pub trait Elementwise: Clone + Debug + Eq + Hash {
    /// Its name in messages, files and flags.
    const NAME: &'static str;

    /// What it computes, for people.
    fn formula(&self) -> Formula;

    /// The result for one element.
    fn value<T: Real>(&self, x: T) -> T;

    /// The derivative of the result with respect to the operand; absent where it is zero everywhere.
    fn derivative<'b>(&self, at: &Site<'b>) -> Option<Var<'b>>;

    /// A random instance on random operands, on which the rules are tested.
    fn case(dice: &mut Dice) -> Case<Self>;
}

impl<E: Elementwise> Operation for E {
    const NAME: &'static str = E::NAME;

    fn formula(&self) -> Formula {
        Elementwise::formula(self)
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs {
            [x] => Ok((*x).clone()),
            _ => Err("it takes one operand".into()),
        }
    }

    #[inline(always)]
    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        for (y, &x) in output.data.iter_mut().zip(inputs[0].data) {
            *y = Elementwise::value(self, x);
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, _input: usize) -> Option<Var<'b>> {
        Some(y_bar * self.derivative(at)?)
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(x_dot[0]? * self.derivative(at)?)
    }

    fn multiply_adds(&self, _inputs: &[&Shape], output: &Shape) -> u64 {
        output.elements() as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        <E as Elementwise>::case(dice)
    }

    const IS_ELEMENTWISE: bool = true;

    #[inline(always)]
    fn in_place<T: Real>(&self, values: &mut [T], _position: usize, _other: Other<'_, T>) {
        for value in values {
            *value = Elementwise::value(self, *value);
        }
    }
}

/// An operation on each pair of elements of two operands that broadcast with each other.
pub trait Pairwise: Clone + Debug + Eq + Hash {
    /// Its name in messages, files and flags.
    const NAME: &'static str;
    /// Whether it can be applied in place. A cost is of few numbers beside those of the network, so that most are not
    /// worth the code of all the ways in which another operand may repeat.
    const IS_IN_PLACE: bool = true;

    /// What it computes, for people.
    fn formula(&self) -> Formula;

    /// The result for one pair.
    fn value<T: Real>(&self, left: T, right: T) -> T;

    /// The derivative of the result with respect to operand `input`; absent where it is zero
    /// everywhere.
    fn derivative<'b>(&self, at: &Site<'b>, input: usize) -> Option<Var<'b>>;

    /// A random instance on random operands, on which the rules are tested.
    fn case(dice: &mut Dice) -> Case<Self>;
}

/// The shape rule of [`Pairwise`] operations.
pub(super) fn pairwise_shape(inputs: &[&Shape]) -> Result<Shape, String> {
    match inputs {
        [left, right] => left.broadcast(right),
        _ => Err("it takes two operands".into()),
    }
}

/// The reference loop of [`Pairwise`] operations.
///
/// Most operands of a network are whole, a row, a column or a single number; those are walked row by
/// row, which a compiler turns into vector instructions. The rest is walked element by element.
#[inline(always)]
pub(super) fn pairwise_value<P: Pairwise, T: Real>(op: &P, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
    let [left, right] = [inputs[0], inputs[1]];
    let ViewMut { shape, data } = output;
    let patterns = [Pattern::of(left.shape, shape), Pattern::of(right.shape, shape)];
    let Some(width) = Pattern::common_width(patterns, data.len()) else {
        for_each_broadcast(left.shape, shape, |at, from| data[at] = left.data[from]);
        for_each_broadcast(right.shape, shape, |at, from| data[at] = op.value(data[at], right.data[from]));
        return;
    };
    for (row, y) in data.chunks_exact_mut(width).enumerate() {
        match (patterns[0].row(left.data, row, width), patterns[1].row(right.data, row, width)) {
            (Row::Numbers(left), Row::Numbers(right)) => {
                for ((y, &a), &b) in y.iter_mut().zip(left).zip(right) {
                    *y = op.value(a, b);
                }
            }
            (Row::Numbers(left), Row::Repeated(b)) => {
                for (y, &a) in y.iter_mut().zip(left) {
                    *y = op.value(a, b);
                }
            }
            (Row::Repeated(a), Row::Numbers(right)) => {
                for (y, &b) in y.iter_mut().zip(right) {
                    *y = op.value(a, b);
                }
            }
            (Row::Repeated(a), Row::Repeated(b)) => y.fill(op.value(a, b)),
        }
    }
}

/// How an operand repeats in a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// It does not: it has the result's shape.
    Whole,
    /// One number for all elements.
    Single,
    /// So many numbers, the same for each row of that width.
    Row(usize),
    /// One number for each row of that width.
    Column(usize),
    /// In another way.
    Other,
}

/// An operand's part in one row of the result.
enum Row<'a, T> {
    Numbers(&'a [T]),
    Repeated(T),
}

impl Pattern {
    /// How an operand of one shape repeats in a result of another, which it broadcasts to.
    pub fn of(operand: &Shape, output: &Shape) -> Self {
        let (own, all) = (operand.elements(), output.elements());
        // The axes that the operand lacks have size one.
        let missing = output.rank() - operand.rank();
        let size = |axis: usize| if axis < missing { 1 } else { operand.sizes()[axis - missing] };
        let is_whole = |axis: usize| size(axis) == output.sizes()[axis];
        let is_one = |axis: usize| size(axis) == 1;
        let rank = output.rank();
        if own == all {
            Pattern::Whole
        } else if own == 1 {
            Pattern::Single
        } else if (0..=rank).any(|cut| (0..cut).all(is_one) && (cut..rank).all(is_whole)) {
            Pattern::Row(own)
        } else if (0..=rank).any(|cut| (0..cut).all(is_whole) && (cut..rank).all(is_one)) {
            Pattern::Column(all / own)
        } else {
            Pattern::Other
        }
    }

    /// The width of the rows in which both operands are simple.
    fn common_width(patterns: [Pattern; 2], elements: usize) -> Option<usize> {
        let mut common = None;
        for pattern in patterns {
            match pattern {
                Pattern::Whole | Pattern::Single => {}
                Pattern::Row(width) | Pattern::Column(width) if common.is_none_or(|known| known == width) => {
                    common = Some(width);
                }
                Pattern::Row(_) | Pattern::Column(_) | Pattern::Other => return None,
            }
        }
        Some(common.unwrap_or(elements).max(1))
    }

    #[inline(always)]
    fn row<T: Copy>(self, data: &[T], row: usize, width: usize) -> Row<'_, T> {
        match self {
            Pattern::Whole => Row::Numbers(&data[row * width..][..width]),
            Pattern::Row(_) => Row::Numbers(data),
            Pattern::Single => Row::Repeated(data[0]),
            Pattern::Column(_) | Pattern::Other => Row::Repeated(data[row]),
        }
    }
}

/// The reverse rule of [`Pairwise`] operations.
pub(super) fn pairwise_pullback<'b, P: Pairwise>(
    op: &P,
    at: &Site<'b>,
    y_bar: Var<'b>,
    input: usize,
) -> Option<Var<'b>> {
    let x_bar = y_bar * op.derivative(at, input)?;
    Some(x_bar.sum_to(&at.inputs[input].shape()))
}

/// The forward rule of [`Pairwise`] operations.
pub(super) fn pairwise_pushforward<'b, P: Pairwise>(
    op: &P,
    at: &Site<'b>,
    x_dot: &[Option<Var<'b>>],
) -> Option<Var<'b>> {
    (0..2)
        .filter_map(|input| Some(x_dot[input]? * op.derivative(at, input)?))
        .reduce(|left, right| left + right)
        .map(|tangent| tangent.broadcast(at.y().shape()))
}
