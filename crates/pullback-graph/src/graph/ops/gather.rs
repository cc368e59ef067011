//! Rows of a table by their codes, and the reverse: rows added up by their codes.
//!
//! Codes are numbers like all others; the whole part of a code is the number of a row, so that both operations are
//! functions of real numbers, whose derivative by a code is zero.
//!
//! A code that names no row (below zero, beyond the table, NaN) is an error where data enters a graph: training,
//! evaluation, prediction and explanation check their codes by `Index::check`. Inside a graph it has a value: the row
//! that is gathered is NaN, and what is scattered is added nowhere. The reference and the kernels hold to that alike.

use super::{Case, Dice, Formula, Operation, Site, View, ViewMut};
use crate::graph::{Shape, Var};
use pullback_kernels::Real;

/// The row that a code names.
fn row_of<T: Real>(code: T, rows: usize) -> Option<usize> {
    let code = code.to_f64();
    (code >= 0.0 && code < rows as f64).then_some(code as usize)
}

/// For each code of `[count]`, that row of the table `[rows, width]`: `[count, width]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GatherRows;

impl Operation for GatherRows {
    const NAME: &'static str = "gather rows";

    fn formula(&self) -> Formula {
        Formula::new("rows {1} of {0}", r"{0}_{{1}, :}")
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [table, codes] = inputs else {
            return Err("it takes two operands".into());
        };
        match (table.sizes(), codes.sizes()) {
            ([_, width], [count]) => Ok([*count, *width].into()),
            _ => Err("it takes a table with two axes and codes with one".into()),
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let [table, codes] = [inputs[0], inputs[1]];
        let [rows, width] = table.shape.sizes()[..] else { return };
        for (&code, y) in codes.data.iter().zip(output.data.chunks_exact_mut(width.max(1))) {
            match row_of(code, rows) {
                Some(row) => y.copy_from_slice(&table.data[row * width..][..width]),
                None => y.fill(T::from_f64(f64::NAN)),
            }
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        let rows = at.x().shape().sizes()[0];
        (input == 0).then(|| at.builder().apply(ScatterAddRows { rows }, &[y_bar, at.inputs[1]]))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(GatherRows, &[x_dot[0]?, at.inputs[1]]))
    }

    fn multiply_adds(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (rows, width, count) = (dice.size(), dice.size(), dice.size());
        let case = Case::new(GatherRows, vec![[rows, width].into(), [count].into()]);
        case.range(0.0, rows as f64)
    }
}

/// The reverse of [`GatherRows`]: adds each row of `[count, width]` to the row of the result, `[rows, width]`, that its
/// code in `[count]` names, in the order of the rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScatterAddRows {
    /// The number of rows of the result.
    pub rows: usize,
}

impl Operation for ScatterAddRows {
    const NAME: &'static str = "scatter-add rows";

    fn formula(&self) -> Formula {
        let rows = self.rows;
        Formula::new(
            format!("{{0}} added to rows {{1}} of {rows}"),
            format!(r"\sum_b e^{{({rows})}}_{{{{1}}_b}} {{0}}_b"),
        )
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [x, codes] = inputs else {
            return Err("it takes two operands".into());
        };
        match (x.sizes(), codes.sizes()) {
            ([count, width], [codes]) if count == codes => Ok([self.rows, *width].into()),
            _ => Err("it takes rows with two axes and a code for each, with one axis".into()),
        }
    }

    fn value<T: Real>(&self, inputs: &[View<'_, T>], output: ViewMut<'_, T>) {
        let [x, codes] = [inputs[0], inputs[1]];
        let width = x.shape.last();
        output.data.fill(T::ZERO);
        for (&code, x) in codes.data.iter().zip(x.data.chunks_exact(width.max(1))) {
            let Some(row) = row_of(code, self.rows) else { continue };
            for (y, &x) in output.data[row * width..][..width].iter_mut().zip(x) {
                *y += x;
            }
        }
    }

    fn pullback<'b>(&self, at: &Site<'b>, y_bar: Var<'b>, input: usize) -> Option<Var<'b>> {
        (input == 0).then(|| at.builder().apply(GatherRows, &[y_bar, at.inputs[1]]))
    }

    fn pushforward<'b>(&self, at: &Site<'b>, x_dot: &[Option<Var<'b>>]) -> Option<Var<'b>> {
        Some(at.builder().apply(self.clone(), &[x_dot[0]?, at.inputs[1]]))
    }

    fn multiply_adds(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        inputs[0].elements() as u64
    }

    fn case(dice: &mut Dice) -> Case<Self> {
        let (rows, width, count) = (dice.size(), dice.size(), dice.size());
        let case = Case::new(ScatterAddRows { rows }, vec![[count, width].into(), [count].into()]);
        case.range(0.0, rows as f64)
    }
}
