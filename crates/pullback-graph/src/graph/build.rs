//! Builds graphs from expressions, so that layers and derivative rules read like formulas.
//!
//! A [`Var`] is a node under construction; `a * b + 1.0` appends nodes. A shape mistake does not
//! interrupt the expression: the builder keeps the first one, later operations on its result are
//! skipped, and [`Builder::finish`] returns it.

use super::ops::{self, Op};
use super::{Graph, Kind, NodeId, Origin, Shape};
use crate::error::ShapeError;
use std::cell::RefCell;
use std::fmt;

/// A graph under construction.
#[derive(Debug, Default)]
pub struct Builder {
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    graph: Graph,
    error: Option<ShapeError>,
    origin: Origin,
}

/// A node of a graph under construction.
#[derive(Clone, Copy)]
pub struct Var<'b> {
    builder: &'b Builder,
    /// Absent for the result of an operation whose operands did not fit.
    id: Option<NodeId>,
}

impl fmt::Debug for Var<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "{id:?}"),
            None => f.write_str("%?"),
        }
    }
}

impl Builder {
    /// Starts an empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Continues a graph; its nodes keep their ids.
    pub fn extend(graph: Graph) -> Self {
        Self { state: RefCell::new(State { graph, ..State::default() }) }
    }

    /// Says where the nodes come from that are made from now on.
    pub fn set_origin(&self, origin: Origin) {
        self.state.borrow_mut().origin = origin;
    }

    /// An array that is given anew at each run.
    pub fn input(&self, name: &str, shape: impl Into<Shape>) -> Var<'_> {
        self.leaf(Kind::Input(name.to_string()), shape.into())
    }

    /// An array that is kept between runs.
    pub fn parameter(&self, name: &str, shape: impl Into<Shape>) -> Var<'_> {
        self.leaf(Kind::Parameter(name.to_string()), shape.into())
    }

    /// A number, as a scalar node.
    pub fn constant(&self, value: f64) -> Var<'_> {
        self.filled(value, Shape::scalar())
    }

    /// A number repeated to a shape.
    pub fn filled(&self, value: f64, shape: impl Into<Shape>) -> Var<'_> {
        self.leaf(Kind::Constant(value.into()), shape.into())
    }

    /// The node of that id as an operand.
    pub fn var(&self, id: NodeId) -> Var<'_> {
        Var { builder: self, id: Some(id) }
    }

    /// The result of an operation.
    pub fn apply<'b>(&'b self, op: impl Into<Op>, inputs: &[Var<'b>]) -> Var<'b> {
        self.apply_op(op.into(), inputs)
    }

    fn apply_op<'b>(&'b self, op: Op, inputs: &[Var<'b>]) -> Var<'b> {
        let mut state = self.state.borrow_mut();
        let Some(ids) = inputs.iter().map(|var| var.id).collect::<Option<Vec<_>>>() else {
            return Var { builder: self, id: None };
        };
        let origin = state.origin.clone();
        match state.graph.push(op, &ids, origin) {
            Ok(id) => Var { builder: self, id: Some(id) },
            Err(error) => {
                state.error.get_or_insert(error);
                Var { builder: self, id: None }
            }
        }
    }

    /// The graph that a function builds, and the nodes that it returns.
    ///
    /// ```
    /// use pullback_graph::graph::Builder;
    /// let (graph, [w, cost]) = Builder::graph(|b| {
    ///     let w = b.parameter("w", [3]);
    ///     [w, (w * w).sum_all()]
    /// })?;
    /// assert_eq!(graph.shape(w).sizes(), [3]);
    /// assert_eq!(graph.shape(cost).rank(), 0);
    /// # Ok::<(), pullback_graph::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first shape mistake that was made.
    pub fn graph<const N: usize>(
        build: impl for<'b> FnOnce(&'b Self) -> [Var<'b>; N],
    ) -> Result<(Graph, [NodeId; N]), ShapeError> {
        let builder = Self::new();
        let ids = build(&builder).map(Var::id);
        let graph = builder.finish()?;
        Ok((graph, ids.map(|id| id.expect("a graph without a mistake has all its nodes"))))
    }

    /// The finished graph.
    ///
    /// # Errors
    /// The first shape mistake that was made.
    pub fn finish(self) -> Result<Graph, ShapeError> {
        let state = self.state.into_inner();
        match state.error {
            Some(error) => Err(error),
            None => Ok(state.graph),
        }
    }

    fn leaf(&self, kind: Kind, shape: Shape) -> Var<'_> {
        let mut state = self.state.borrow_mut();
        let origin = state.origin.clone();
        let id = state.graph.push_leaf(kind, shape, origin);
        Var { builder: self, id: Some(id) }
    }
}

impl<'b> Var<'b> {
    /// The node's id; absent if a shape mistake was made on the way to it.
    pub fn id(self) -> Option<NodeId> {
        self.id
    }

    /// The builder that this node belongs to.
    pub fn builder(self) -> &'b Builder {
        self.builder
    }

    /// The node's shape; a scalar's if a shape mistake was made on the way to it.
    pub fn shape(self) -> Shape {
        match self.id {
            Some(id) => self.builder.state.borrow().graph.shape(id).clone(),
            None => Shape::scalar(),
        }
    }

    /// The number that this node repeats, if it is a constant.
    fn as_constant(self) -> Option<f64> {
        match self.builder.state.borrow().graph.node(self.id?).kind {
            Kind::Constant(value) => Some(value.value()),
            _ => None,
        }
    }

    fn unary(self, op: impl Into<Op>) -> Var<'b> {
        self.builder.apply(op, &[self])
    }

    fn binary(self, op: impl Into<Op>, other: Var<'b>) -> Var<'b> {
        self.builder.apply(op, &[self, other])
    }

    /// `self` times a number. By one it is `self`; a constant stays a constant.
    pub fn scale(self, factor: f64) -> Var<'b> {
        match self.as_constant() {
            _ if factor == 1.0 => self,
            Some(value) => self.builder.filled(value * factor, self.shape()),
            None => self.unary(ops::Scale(factor.into())),
        }
    }

    /// `self` to the power of a number.
    pub fn power(self, exponent: f64) -> Var<'b> {
        if exponent == 1.0 { self } else { self.unary(ops::Power(exponent.into())) }
    }

    /// The exponential function of each element.
    pub fn exp(self) -> Var<'b> {
        self.unary(ops::Exp)
    }

    /// The natural logarithm of each element.
    pub fn log(self) -> Var<'b> {
        self.unary(ops::Log)
    }

    /// The absolute value of each element.
    pub fn abs(self) -> Var<'b> {
        self.unary(ops::Abs)
    }

    /// -1, 0 or 1: the sign of each element.
    pub fn sign(self) -> Var<'b> {
        self.unary(ops::Sign)
    }

    /// One where an element is positive, else zero.
    pub fn step(self) -> Var<'b> {
        self.unary(ops::Step)
    }

    /// The error function of each element.
    pub fn erf(self) -> Var<'b> {
        self.unary(ops::Erf)
    }

    /// The logistic function of each element.
    pub fn sigmoid(self) -> Var<'b> {
        self.unary(ops::Sigmoid)
    }

    /// The hyperbolic tangent of each element.
    pub fn tanh(self) -> Var<'b> {
        self.unary(ops::Tanh)
    }

    /// Each element, or zero where it is negative.
    pub fn relu(self) -> Var<'b> {
        self.unary(ops::Relu)
    }

    /// `log(1 + exp(x))` of each element.
    pub fn softplus(self) -> Var<'b> {
        self.unary(ops::Softplus)
    }

    /// One where the elements of both operands are equal, else zero.
    pub fn equal(self, other: Var<'b>) -> Var<'b> {
        self.binary(ops::Equal, other)
    }

    /// The matrix product of `[m, k]` and `[k, n]`.
    pub fn product(self, other: Var<'b>) -> Var<'b> {
        self.product_transposed(false, other, false)
    }

    /// The matrix product in which either operand may be read as its transpose.
    pub fn product_transposed(self, transpose_left: bool, other: Var<'b>, transpose_right: bool) -> Var<'b> {
        self.binary(ops::MatrixProduct { transpose_left, transpose_right }, other)
    }

    /// The products of matrices in pairs, `[..., m, k]` and `[..., k, n]`, in which those of either operand may be
    /// read as their transposes.
    pub fn batched_product(self, transpose_left: bool, other: Var<'b>, transpose_right: bool) -> Var<'b> {
        self.binary(ops::BatchedProduct { transpose_left, transpose_right }, other)
    }

    /// The sum over `axes`, which disappear.
    pub fn sum(self, axes: &[usize]) -> Var<'b> {
        self.unary(ops::Sum { axes: axes.to_vec(), keep_axes: false })
    }

    /// The sum over `axes`, which keep size one.
    pub fn sum_keeping(self, axes: &[usize]) -> Var<'b> {
        self.unary(ops::Sum { axes: axes.to_vec(), keep_axes: true })
    }

    /// The sum of all elements, a scalar.
    pub fn sum_all(self) -> Var<'b> {
        let axes: Vec<usize> = (0..self.shape().rank()).collect();
        self.sum(&axes)
    }

    /// The mean over `axes`, which disappear.
    pub fn mean(self, axes: &[usize]) -> Var<'b> {
        self.unary(ops::Mean { axes: axes.to_vec(), keep_axes: false })
    }

    /// The mean over `axes`, which keep size one.
    pub fn mean_keeping(self, axes: &[usize]) -> Var<'b> {
        self.unary(ops::Mean { axes: axes.to_vec(), keep_axes: true })
    }

    /// The largest element over `axes`, which disappear.
    pub fn max(self, axes: &[usize]) -> Var<'b> {
        self.unary(ops::Max { axes: axes.to_vec(), keep_axes: false })
    }

    /// The sum over the last axis, which keeps size one.
    pub(crate) fn sum_last(self) -> Var<'b> {
        self.sum_keeping(&[self.shape().rank().saturating_sub(1)])
    }

    /// The same elements in another shape. To its own shape it is `self`.
    pub fn reshape(self, shape: impl Into<Shape>) -> Var<'b> {
        let shape = shape.into();
        match self.as_constant() {
            _ if self.shape() == shape => self,
            Some(value) if self.shape().elements() == shape.elements() => self.builder.filled(value, shape),
            _ => self.unary(ops::Reshape { shape }),
        }
    }

    /// The elements repeated to a larger shape. To its own shape it is `self`.
    pub fn broadcast(self, shape: impl Into<Shape>) -> Var<'b> {
        let shape = shape.into();
        match self.as_constant() {
            _ if self.shape() == shape => self,
            Some(value) if self.shape().broadcast(&shape).as_ref() == Ok(&shape) => {
                self.builder.filled(value, shape)
            }
            _ => self.unary(ops::Broadcast { shape }),
        }
    }

    /// The reverse of a broadcast: sums over what was repeated.
    pub(crate) fn sum_to(self, shape: &Shape) -> Var<'b> {
        let own = self.shape();
        let missing = own.rank().saturating_sub(shape.rank());
        let axes: Vec<usize> = (0..own.rank())
            .filter(|&axis| match axis.checked_sub(missing) {
                None => true,
                Some(small) => shape.sizes()[small] == 1 && own.sizes()[axis] != 1,
            })
            .collect();
        if axes.is_empty() { self } else { self.sum(&axes).reshape(shape.clone()) }
    }

    /// The axes in another order: axis `i` of the result is axis `axes[i]` of `self`.
    pub fn transpose(self, axes: &[usize]) -> Var<'b> {
        self.unary(ops::Transpose { axes: axes.to_vec() })
    }

    /// The elements at `start..end` along an axis.
    pub fn slice(self, axis: usize, start: usize, end: usize) -> Var<'b> {
        self.unary(ops::Slice { axis, start, end })
    }

    /// Zeros added before and after along an axis.
    pub fn pad(self, axis: usize, before: usize, after: usize) -> Var<'b> {
        self.unary(ops::Pad { axis, before, after })
    }

    /// `exp(x)` over the last axis, divided by its sum.
    pub fn softmax(self) -> Var<'b> {
        self.unary(ops::Softmax)
    }

    /// The logarithm of [`Var::softmax`], computed without overflow.
    pub fn log_softmax(self) -> Var<'b> {
        self.unary(ops::LogSoftmax)
    }
}

impl<'b> std::ops::Add for Var<'b> {
    type Output = Var<'b>;
    fn add(self, other: Var<'b>) -> Var<'b> {
        self.binary(ops::Add, other)
    }
}

impl<'b> std::ops::Sub for Var<'b> {
    type Output = Var<'b>;
    fn sub(self, other: Var<'b>) -> Var<'b> {
        self.binary(ops::Subtract, other)
    }
}

impl<'b> std::ops::Mul for Var<'b> {
    type Output = Var<'b>;
    /// A scalar constant becomes a scale (and a factor of one disappears), so that gradients stay
    /// as short as one would write them.
    fn mul(self, other: Var<'b>) -> Var<'b> {
        let scalar_of = |var: Var<'b>, shape: &Shape| {
            (var.shape().broadcast(shape).as_ref() == Ok(shape)).then(|| var.as_constant()).flatten()
        };
        if let Some(factor) = scalar_of(other, &self.shape()) {
            self.scale(factor)
        } else if let Some(factor) = scalar_of(self, &other.shape()) {
            other.scale(factor)
        } else {
            self.binary(ops::Multiply, other)
        }
    }
}

impl<'b> std::ops::Div for Var<'b> {
    type Output = Var<'b>;
    fn div(self, other: Var<'b>) -> Var<'b> {
        self.binary(ops::Divide, other)
    }
}

impl<'b> std::ops::Neg for Var<'b> {
    type Output = Var<'b>;
    fn neg(self) -> Var<'b> {
        self.scale(-1.0)
    }
}

macro_rules! with_number {
    ($($operator:ident $method:ident),*) => {$(
        impl<'b> std::ops::$operator<f64> for Var<'b> {
            type Output = Var<'b>;
            fn $method(self, number: f64) -> Var<'b> {
                std::ops::$operator::$method(self, self.builder.constant(number))
            }
        }
        impl<'b> std::ops::$operator<Var<'b>> for f64 {
            type Output = Var<'b>;
            fn $method(self, var: Var<'b>) -> Var<'b> {
                std::ops::$operator::$method(var.builder.constant(self), var)
            }
        }
    )*};
}

with_number!(Add add, Sub sub, Mul mul, Div div);
