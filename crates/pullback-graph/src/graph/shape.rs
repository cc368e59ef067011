//! The shape of a node's value, and how shapes broadcast.

use std::fmt;

/// The sizes of an array along each axis, outermost first. A scalar has no axes.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The shape of a single number.
    pub fn scalar() -> Self {
        Self(Vec::new())
    }

    /// The sizes, outermost axis first.
    pub fn sizes(&self) -> &[usize] {
        &self.0
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The number of elements: the product of the sizes, one for a scalar.
    pub fn elements(&self) -> usize {
        self.0.iter().product()
    }

    /// The size along the last axis, one for a scalar.
    pub fn last(&self) -> usize {
        self.0.last().copied().unwrap_or(1)
    }

    /// How many elements apart two neighbors along an axis are in row-major order.
    ///
    /// # Panics
    /// If the axis does not exist.
    pub fn stride(&self, axis: usize) -> usize {
        self.0[axis + 1..].iter().product()
    }

    /// The common shape of two operands of an element-wise operation: axes are matched from the
    /// last one, and a size of one (or a missing axis) repeats.
    pub fn broadcast(&self, other: &Shape) -> Result<Shape, String> {
        let rank = self.rank().max(other.rank());
        let size = |shape: &Shape, axis: usize| {
            (axis + shape.rank()).checked_sub(rank).map_or(1, |own| shape.0[own])
        };
        (0..rank)
            .map(|axis| match (size(self, axis), size(other, axis)) {
                (left, right) if left == right => Ok(left),
                (1, right) => Ok(right),
                (left, 1) => Ok(left),
                (left, right) => Err(format!(
                    "sizes must be equal or one, counted from the last axis, but {left} meets {right}"
                )),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Shape)
    }

    /// This shape without `axes`, or with size one along them where `keep_axes` is true.
    pub(crate) fn reduced(&self, axes: &[usize], keep_axes: bool) -> Result<Shape, String> {
        check_axes(axes, self.rank())?;
        let sizes = self.0.iter().enumerate();
        Ok(Shape(if keep_axes {
            sizes.map(|(axis, &size)| if axes.contains(&axis) { 1 } else { size }).collect()
        } else {
            sizes.filter(|(axis, _)| !axes.contains(axis)).map(|(_, &size)| size).collect()
        }))
    }
}

/// Axes must exist and not repeat.
fn check_axes(axes: &[usize], rank: usize) -> Result<(), String> {
    for (position, axis) in axes.iter().enumerate() {
        if *axis >= rank {
            return Err(format!("axis {axis} does not exist: the operand has {rank} axes, counted from 0"));
        }
        if axes[..position].contains(axis) {
            return Err(format!("axis {axis} is named twice"));
        }
    }
    Ok(())
}

impl<const RANK: usize> From<[usize; RANK]> for Shape {
    fn from(sizes: [usize; RANK]) -> Self {
        Self(sizes.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(sizes: Vec<usize>) -> Self {
        Self(sizes)
    }
}

impl From<&[usize]> for Shape {
    fn from(sizes: &[usize]) -> Self {
        Self(sizes.to_vec())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Where each element of `output` finds its operand in a smaller, broadcast array: walks the
/// output in row-major order and calls `visit(output index, operand index)`.
pub(crate) fn for_each_broadcast(operand: &Shape, output: &Shape, visit: impl FnMut(usize, usize)) {
    let missing = output.rank() - operand.rank();
    let stride = |axis: usize| match axis.checked_sub(missing) {
        Some(axis) if operand.0[axis] != 1 => operand.stride(axis),
        _ => 0,
    };
    for_each_strided(output, stride, visit);
}

/// Walks `output` in row-major order, with the offset that the `stride` of each axis gives a
/// position. Allocates nothing, as it may run in a step.
pub(crate) fn for_each_strided(
    output: &Shape,
    stride: impl Fn(usize) -> usize,
    mut visit: impl FnMut(usize, usize),
) {
    fn walk(
        sizes: &[usize],
        axis: usize,
        offset: usize,
        next: &mut usize,
        stride: &impl Fn(usize) -> usize,
        visit: &mut impl FnMut(usize, usize),
    ) {
        let Some(&size) = sizes.get(axis) else {
            visit(*next, offset);
            *next += 1;
            return;
        };
        let step = stride(axis);
        for position in 0..size {
            walk(sizes, axis + 1, offset + position * step, next, stride, visit);
        }
    }
    walk(&output.0, 0, 0, &mut 0, &stride, &mut visit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_broadcast_from_the_last_axis() {
        let check = |left: &[usize], right: &[usize], expected: Option<&[usize]>| {
            let found = Shape::from(left).broadcast(&Shape::from(right)).ok();
            assert_eq!(found, expected.map(Shape::from), "{left:?} with {right:?}");
        };
        check(&[3, 4], &[4], Some(&[3, 4]));
        check(&[3, 4], &[3, 1], Some(&[3, 4]));
        check(&[3, 1], &[1, 4], Some(&[3, 4]));
        check(&[], &[2, 5], Some(&[2, 5]));
        check(&[0, 4], &[1], Some(&[0, 4]));
        check(&[3, 4], &[3], None);
    }

    #[test]
    fn a_broadcast_walk_repeats_the_operand() {
        let mut seen = Vec::new();
        for_each_broadcast(&[2, 1].into(), &[2, 3].into(), |_, operand| seen.push(operand));
        assert_eq!(seen, [0, 0, 0, 1, 1, 1]);
    }
}
