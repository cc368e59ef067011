//! A right operand that is packed once and multiplied many times: the weights of a model that predicts.

use super::api::{Operand, Start, multiply, shared};
use super::block::{Part, Pieces};
use super::kernel::Kernel;
use super::pack::Pack;
use super::sparse;
use crate::{Array, Isa, Real, Workspace};

/// A matrix packed into panels, in the order in which the micro-kernel of one instruction set reads it.
///
/// A product of few rows spends most of its time on packing its right operand; with this one it does not.
#[derive(Debug)]
pub struct PackedOperand<T> {
    panels: Array<T>,
    isa: Isa,
    rows: usize,
    columns: usize,
}

impl<T: Real> PackedOperand<T> {
    /// Packs a right operand for products on `isa`.
    pub fn new(right: Operand<'_, T>, isa: Isa) -> Self {
        let kernel = Kernel::<T>::of(isa);
        let (rows, columns, wide) = (right.rows, right.columns, 2 * kernel.width);
        let size = columns.checked_next_multiple_of(wide).and_then(|columns| columns.checked_mul(rows));
        let mut panels = Array::zeros(size.expect("a packed operand fits the address space"));
        for j in (0..columns).step_by(wide) {
            let pack = Pack {
                from: right.data.as_ptr().wrapping_add(j * right.column_stride),
                lane_stride: right.column_stride,
                step_stride: right.row_stride,
                lanes: wide.min(columns - j),
                depth: rows,
                width: wide,
                to: panels[j * rows..].as_mut_ptr(),
            };
            // SAFETY: the lanes and steps are the operand's, whose size was checked when it was made; the panel
            // has `rows * wide` numbers; `isa` is one that this processor has.
            unsafe { (kernel.pack)(&pack) };
        }
        Self { panels, isa, rows, columns }
    }

    /// The rows of the matrix: the inner size of its products.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns of the matrix.
    pub fn columns(&self) -> usize {
        self.columns
    }
}

/// Writes `left @ right`, from `start` on, to `output`, and applies `epilogue` to it while it is in cache: as
/// [`product_with`](crate::product_with) in full precision, with the same bits, but of `right` no zeros are left out.
///
/// ```
/// use pullback_kernels::{Isa, Operand, PackedOperand, Start, Workspace, product_packed};
/// let (isa, w, bias) = (Isa::best(), [3.0_f32, -4.0, 5.0, 6.0], [0.5, -20.0]);
/// let w = PackedOperand::new(Operand::new(&w, 2, 2), isa);
/// let (x, mut z) = ([1.0, 2.0], [0.0; 2]);
/// let x = Operand::new(&x, 1, 2);
/// product_packed(x, &w, &mut z, Start::Row(&bias), |_, _| (), &mut Workspace::new(isa, 1));
/// assert_eq!(z, [13.5, -12.0]);
/// ```
///
/// # Panics
/// If the inner sizes differ, `output` or the row to start from has the wrong size, or the workspace has another
/// instruction set than `right`.
pub fn product_packed<T: Real>(
    left: Operand<'_, T>,
    right: &PackedOperand<T>,
    output: &mut [T],
    start: Start<'_, T>,
    epilogue: impl Fn(usize, &mut [T]) + Sync,
    workspace: &mut Workspace,
) {
    let epilogue = shared(&epilogue);
    assert_eq!(workspace.isa(), right.isa, "instruction set of a packed operand");
    let [rows, columns] = [right.rows, right.columns];
    // The strides are those of the panels: `at` moves by whole panels, as parts are cut there.
    let operand = Operand { data: &right.panels[..], rows, columns, row_stride: columns, column_stride: 1 };
    let part = Part::whole(Pieces::Blocks, left, operand, output, start);
    if part.rows == 0 || part.columns == 0 {
        return;
    }
    let wide = 2 * Kernel::<T>::of(right.isa).width;
    let part = Part { b_step: wide, b_column: rows, is_packed: true, ..part };
    let sparse = sparse::left_pays(right.isa, left, columns).then_some(sparse::Side::Left);
    multiply(&part, sparse, &epilogue, workspace);
}
