//! The product of two matrices, each possibly read as its transpose.
//!
//! The output is cut into tiles that fit the registers (`tile`). Around them stand the usual loops over
//! blocks of columns, of k and of rows (Goto, van de Geijn, 2008), so that what a tile reads is near;
//! operands are repacked into panels only where that is faster than reading them in place.
//! Whatever the blocks, each output number is one chain of fused multiply-adds in ascending k:
//! between two blocks of k the chain rests in the output. So the bits do not depend on the instruction
//! set, the number of threads, or how many rows are computed at a time.
//!
//! Of an operand that is full of zeros, only the other numbers are multiplied (`sparse`); in reduced precision,
//! matrices are multiplied through bf16 (`reduced`).

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
mod batched;
#[cfg(target_arch = "x86_64")]
mod dots;
mod emulated;
mod pack;
mod packed;
mod reduced;
mod sparse;
mod tiles;

pub use batched::{Batch, batched_product};
pub use packed::{PackedOperand, product_packed};

use crate::array::{Line, resize};
use crate::tile::{Kernel, Pack, Tile};
use crate::workspace::{Exclusive, Panels, Work};
use crate::{Isa, Real, Workspace};
use core::ops::Range;

/// So many steps of k at a time: fewer would read and write the output more often, more would not stay near.
const DEPTH: usize = 512;
/// So many columns at a time: with `DEPTH`, what the second or third level of cache holds.
const COLUMNS: usize = 2048;
/// So many tiles' rows at a time: with `DEPTH`, a small part of a second-level cache.
const TILES: usize = 8;
/// With so many times fewer steps than rows, writing the output is most of a product.
const FEW_STEPS: usize = 8;
/// At most so many parts for each thread.
const TURNS: usize = 4;
/// With so many rows or columns in a part, repacking the other operand for it takes about a twentieth of the time; of
/// so many rows that are walked through without their zeros, much less.
const LEAST_IN_TURN: usize = 512;
const LEAST_ROWS_IN_TURN: usize = 256;
/// Rows this many bytes apart share no page and compete for the same lines of a first-level cache.
const PAGE: usize = 4096;
/// About how many multiply-adds a thread does in a nanosecond.
const PER_NANOSECOND: usize = 50;

/// A matrix in row-major order, read as it is or as its transpose.
#[derive(Debug, Clone, Copy)]
pub struct Operand<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T: Real> Operand<'a, T> {
    /// A `[rows, columns]` matrix stored row by row.
    ///
    /// # Panics
    /// If `data` does not hold exactly `rows * columns` numbers.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(columns), "operand size");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same numbers read as the transpose, without moving them.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// What the chains of multiply-adds begin with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start<'a, T> {
    /// Zero: the output becomes the product.
    Zero,
    /// What the output holds: the product is added to it.
    Output,
    /// One number for each column, as a bias: adding it so costs nothing.
    Row(&'a [T]),
}

/// Writes `left @ right` to `output`, a row-major `[left rows, right columns]` matrix.
///
/// `threads` bounds how many threads work on it; the result has the same bits for any number.
///
/// # Panics
/// If the inner sizes differ or `output` has the wrong size.
pub fn product<T: Real>(left: Operand<'_, T>, right: Operand<'_, T>, output: &mut [T], threads: usize) {
    let mut workspace = Workspace::new(Isa::best(), threads);
    product_with(left, right, output, Start::Zero, |_, _| (), &mut workspace);
}

/// Writes `left @ right`, from `start` on, to `output`, and applies `epilogue` to it while it is in cache.
///
/// In a large product, the zeros of an operand that is full of them are left out, so that zero times infinity
/// is zero there.
///
/// `epilogue(first, numbers)` is called once for each finished piece of the output, whole rows or a part
/// of one, which begins at the index `first`: an activation there costs no pass over memory. It runs
/// compiled for the instruction set of the workspace if it is inlined; several threads may call it at once.
///
/// ```
/// use pullback_kernels::{Isa, Operand, Real, Start, Workspace, product_with};
/// let (x, w, bias) = ([1.0_f32, 2.0], [3.0, -4.0, 5.0, 6.0], [0.5, -20.0]);
/// let mut a = [0.0; 2];
/// let relu = |_first: usize, z: &mut [f32]| z.iter_mut().for_each(|z| *z = z.max(0.0));
/// let (x, w) = (Operand::new(&x, 1, 2), Operand::new(&w, 2, 2));
/// product_with(x, w, &mut a, Start::Row(&bias), relu, &mut Workspace::new(Isa::best(), 1));
/// assert_eq!(a, [13.5, 0.0]);
/// ```
///
/// # Panics
/// If the inner sizes differ, or `output` or the row to start from has the wrong size.
pub fn product_with<T: Real>(
    left: Operand<'_, T>,
    right: Operand<'_, T>,
    output: &mut [T],
    start: Start<'_, T>,
    epilogue: impl Fn(usize, &mut [T]) + Sync,
    workspace: &mut Workspace,
) {
    product_in(Pieces::Blocks, left, right, output, start, epilogue, workspace);
}

/// Which pieces of the output are finished together, and which dimension is cut for threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pieces {
    /// What is near: a block, as soon as it is finished.
    Blocks,
    /// Whole rows, if there are enough of them: what lies beside them is then read and written in long runs, and by
    /// the same thread in each step of a training.
    Rows,
}

fn product_in<T: Real>(
    pieces: Pieces,
    left: Operand<'_, T>,
    right: Operand<'_, T>,
    output: &mut [T],
    start: Start<'_, T>,
    epilogue: impl Fn(usize, &mut [T]) + Sync,
    workspace: &mut Workspace,
) {
    let whole = Part::whole(pieces, left, right, output, start);
    if output.is_empty() {
        return;
    }
    if let Some(engine) = reduced::Engine::of(&whole, workspace) {
        return reduced::product(engine, whole, &epilogue, workspace);
    }
    let sparse = sparse::side(workspace.isa(), left, right, whole.start.is_none());
    multiply(&whole, sparse, &epilogue, workspace);
}

/// Writes `left @ right` to `output`, and changes other arrays of its size while it is in cache: weights by their
/// gradient.
///
/// `epilogue(first, numbers, others)` is called as that of [`product_with`], with the same piece of each other
/// array; of an empty one, nothing.
///
/// ```
/// use pullback_kernels::{Isa, Operand, Workspace, product_beside};
/// let (delta, x, mut w) = ([1.0_f32, -2.0], [3.0, 4.0], [0.5; 4]);
/// let (delta, x) = (Operand::new(&delta, 2, 1), Operand::new(&x, 1, 2));
/// let mut gradient = [0.0; 4];
/// let step = |_first: usize, g: &mut [f32], [w]: [&mut [f32]; 1]| {
///     w.iter_mut().zip(g).for_each(|(w, g)| *w -= 0.5 * *g);
/// };
/// product_beside(delta, x, &mut gradient, [&mut w], step, &mut Workspace::new(Isa::best(), 1));
/// assert_eq!((gradient, w), ([3.0, 4.0, -6.0, -8.0], [-1.0, -1.5, 3.5, 4.5]));
/// ```
///
/// # Panics
/// If the inner sizes differ, or `output` or one of `others` has the wrong size.
pub fn product_beside<T: Real, const N: usize>(
    left: Operand<'_, T>,
    right: Operand<'_, T>,
    output: &mut [T],
    others: [&mut [T]; N],
    epilogue: impl Fn(usize, &mut [T], [&mut [T]; N]) + Sync,
    workspace: &mut Workspace,
) {
    let size = output.len();
    for other in &others {
        assert!(other.is_empty() || other.len() == size, "size of an array beside a product");
    }
    let others = others.map(|other| (Exclusive::new(other), other.is_empty()));
    let epilogue = |first: usize, piece: &mut [T]| {
        let pieces = core::array::from_fn(|n| {
            let (other, is_empty) = &others[n];
            if *is_empty {
                return &mut [][..];
            }
            // SAFETY: the piece is one of the output's, so that it lies inside the other array too, whose size
            // was checked; no two pieces that are borrowed at a time have a number in common.
            unsafe { core::slice::from_raw_parts_mut(other.at(first), piece.len()) }
        });
        epilogue(first, piece, pieces);
    };
    product_in(Pieces::Rows, left, right, output, Start::Zero, epilogue, workspace);
}

/// Computes a product whose operands' and output's sizes were checked, leaving out the zeros of one side.
fn multiply<T: Real>(
    whole: &Part<T>,
    sparse: Option<sparse::Side>,
    epilogue: &(impl Fn(usize, &mut [T]) + Sync),
    workspace: &mut Workspace,
) {
    let isa = workspace.isa();
    let kernel = T::kernel(isa);
    let multiply_adds = (whole.rows * whole.columns).saturating_mul(whole.depth);
    let parts = workspace.parts(multiply_adds / PER_NANOSECOND);
    if parts == 1 && whole.is_panel(kernel) && sparse.is_none() {
        // SAFETY: as below.
        return unsafe { whole.compute_panel(kernel, isa, epilogue, workspace.own_panels()) };
    }
    let Cut { by_rows, turns } = whole.cut(parts, sparse, kernel);
    let compute = |range: Range<usize>, panels: &mut Panels| {
        let part = match by_rows {
            true => whole.at(range.start, 0, range.len(), whole.columns),
            false => whole.at(0, range.start, whole.rows, range.len()),
        };
        // SAFETY: the sizes were checked; the caller of `product_with` has borrowed the output mutably, so it
        // overlaps neither operand, and the parts share no number of it; `isa` is one that this processor has.
        unsafe {
            match sparse {
                Some(side) => part.compute_sparse(side, kernel, isa, epilogue, panels),
                None if part.turning_pays(kernel) => part.compute_turned(kernel, isa, epilogue, panels),
                None => part.compute(kernel, isa, epilogue, panels),
            }
        }
    };
    // However many rows there are, tiles share them evenly.
    let (size, unit) = if by_rows { (whole.rows, 1) } else { (whole.columns, 2 * kernel.width) };
    match turns {
        None => workspace.share(Work::Vectors, parts, size, unit, compute),
        Some(turns) => workspace.share_in_turn(turns, size, unit, compute),
    }
}

/// Computes a whole product on one thread, zeros included.
///
/// # Safety
/// As [`Part::compute`].
unsafe fn multiply_dense<T: Real>(
    whole: Part<T>,
    kernel: &Kernel<T>,
    isa: Isa,
    epilogue: &impl Fn(usize, &mut [T]),
    panels: &mut Panels,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if whole.is_panel(kernel) {
            whole.compute_panel(kernel, isa, epilogue, panels);
        } else if whole.turning_pays(kernel) {
            whole.compute_turned(kernel, isa, epilogue, panels);
        } else {
            whole.compute(kernel, isa, epilogue, panels);
        }
    }
}

/// How an output is cut: by rows, or by columns in whole tiles.
#[derive(Debug, Clone, Copy)]
struct Cut {
    by_rows: bool,
    /// If into more parts than threads: into how many.
    turns: Option<usize>,
}

/// A rectangle of the output with what it is computed from.
#[derive(Clone, Copy)]
struct Part<T> {
    pieces: Pieces,
    first_row: usize,
    first_column: usize,
    rows: usize,
    columns: usize,
    depth: usize,
    a: *const T,
    a_row: usize,
    a_step: usize,
    b: *const T,
    b_step: usize,
    b_column: usize,
    /// Whether `b` points to panels: then its strides are from step to step in a panel, and from one panel to the
    /// next for each of its columns.
    is_packed: bool,
    c: *mut T,
    c_row: usize,
    /// What the chains start from, if not zero.
    start: Option<*const T>,
    start_row: usize,
    /// What the largest part has that may be cut from the same output. Memory is made for so many, so that a thread whose
    /// part grows needs no more.
    most_rows: usize,
    most_columns: usize,
}

// SAFETY: the pointers come from shared slices of `Sync` numbers and, for `c`, from disjoint parts of
// a slice that the caller of `product_with` has borrowed mutably.
unsafe impl<T: Real> Sync for Part<T> {}

impl<T: Real> Part<T> {
    /// All of a product.
    ///
    /// # Panics
    /// If the sizes do not fit.
    fn whole(
        pieces: Pieces,
        left: Operand<'_, T>,
        right: Operand<'_, T>,
        output: &mut [T],
        start: Start<'_, T>,
    ) -> Self {
        assert_eq!(left.columns, right.rows, "inner sizes of a product");
        assert_eq!(Some(output.len()), left.rows.checked_mul(right.columns), "output size of a product");
        let columns = right.columns;
        let c = output.as_mut_ptr();
        let (start, start_row) = match start {
            Start::Zero => (None, 0),
            Start::Output => (Some(c.cast_const()), columns),
            Start::Row(row) => {
                assert_eq!(row.len(), columns, "size of the row that a product starts from");
                (Some(row.as_ptr()), 0)
            }
        };
        Self {
            pieces,
            first_row: 0,
            first_column: 0,
            rows: left.rows,
            columns,
            depth: left.columns,
            a: left.data.as_ptr(),
            a_row: left.row_stride,
            a_step: left.column_stride,
            b: right.data.as_ptr(),
            b_step: right.row_stride,
            // The stride of a single column is never used.
            b_column: if columns == 1 { 1 } else { right.column_stride },
            is_packed: false,
            c,
            c_row: columns,
            start,
            start_row,
            most_rows: left.rows,
            most_columns: columns,
        }
    }

    /// Whether it is a single block of one panel's columns.
    fn is_panel(&self, kernel: &Kernel<T>) -> bool {
        self.columns <= 2 * kernel.width && self.depth <= DEPTH && self.rows <= TILES * kernel.rows
    }

    /// The rectangle of `rows` by `columns` numbers from (row, column) on.
    fn at(&self, row: usize, column: usize, rows: usize, columns: usize) -> Self {
        Self {
            first_row: self.first_row + row,
            first_column: self.first_column + column,
            rows,
            columns,
            a: self.a.wrapping_add(row * self.a_row),
            b: self.b.wrapping_add(column * self.b_column),
            c: self.c.wrapping_add(row * self.c_row + column),
            start: self.start.map(|start| start.wrapping_add(row * self.start_row + column)),
            ..*self
        }
    }

    /// What the transpose of the rectangle is computed from; where it goes and starts from stays as it is.
    fn with_operands_turned(&self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            a: self.b,
            a_row: self.b_column,
            a_step: self.b_step,
            b: self.a,
            b_step: self.a_step,
            b_column: self.a_row,
            most_rows: self.most_columns,
            most_columns: self.most_rows,
            ..*self
        }
    }

    /// How to cut it for so many threads.
    ///
    /// All threads then read all of one operand. Of operands of equal size, `right` is cut, which may be weights that
    /// the same thread updates: lines of cache that another has read are slow to write. But where there are few steps,
    /// cutting rows of the output in two is slower than that.
    ///
    /// What is repacked is repacked for each part. Where that costs little, there are more parts than threads, for
    /// these to take in turn.
    fn cut(&self, threads: usize, sparse: Option<sparse::Side>, kernel: &Kernel<T>) -> Cut {
        let is_longer = self.rows > self.columns;
        let mut by_rows = match self.pieces {
            Pieces::Blocks => is_longer || self.rows >= FEW_STEPS * self.depth,
            Pieces::Rows => is_longer || self.rows >= threads * kernel.rows,
        };
        let turns = |size: usize, least: usize| (size / least).min(TURNS * threads);
        let mut parts = turns(if by_rows { self.rows } else { self.columns }, LEAST_IN_TURN);
        if sparse == Some(sparse::Side::Left) && turns(self.rows, LEAST_ROWS_IN_TURN) >= 2 * threads {
            (by_rows, parts) = (true, turns(self.rows, LEAST_ROWS_IN_TURN));
        }
        Cut { by_rows, turns: Some(parts).filter(|parts| threads > 1 && *parts >= 2 * threads) }
    }

    /// Computes the rectangle.
    ///
    /// # Safety
    /// `a`, `b` and `c` must be valid for all numbers of the rectangle, `c` exclusively so, and the processor
    /// must have the kernel's instruction set.
    unsafe fn compute(
        self,
        kernel: &Kernel<T>,
        isa: Isa,
        epilogue: &impl Fn(usize, &mut [T]),
        panels: &mut Panels,
    ) {
        let wide = 2 * kernel.width;
        let packs_right = !self.is_packed && (self.b_column != 1 || self.packing_right_pays(kernel));
        let packs_left = self.packing_left_pays(kernel);
        let shares = Shares::new(self.rows, kernel.rows);
        for column in (0..self.columns).step_by(COLUMNS) {
            let columns = COLUMNS.min(self.columns - column);
            // Also for a depth of zero, whose product is zero.
            for step in (0..self.depth.max(1)).step_by(DEPTH) {
                let depth = DEPTH.min(self.depth - step);
                let is_last = step + depth == self.depth;
                let mut block = self.at(0, column, self.rows, columns);
                block.depth = depth;
                if step > 0 {
                    (block.start, block.start_row) = (Some(block.c.cast_const()), block.c_row);
                }
                block.a = self.a.wrapping_add(step * self.a_step);
                block.b = block.b.wrapping_add(step * self.b_step);
                if packs_right {
                    // SAFETY: the block is inside the rectangle.
                    block.b = unsafe { block.pack_right(kernel, &mut panels.right) };
                }
                for first in (0..shares.count).step_by(TILES) {
                    let last = shares.count.min(first + TILES);
                    let first_row = shares.start(first);
                    let mut rows = block.at(first_row, 0, shares.start(last) - first_row, columns);
                    if packs_left {
                        // SAFETY: the rows are inside the rectangle.
                        rows.a = unsafe { rows.pack_left(kernel, first..last, shares, &mut panels.left) };
                    }
                    let mut j = 0;
                    while j < columns {
                        let tile_columns = wide.min(columns - j);
                        let tiles = &kernel.tiles[usize::from(tile_columns > kernel.width)];
                        let (b, b_step) = if packs_right {
                            (rows.b.wrapping_add(j * depth), wide)
                        } else if self.is_packed {
                            (rows.b.wrapping_add(j * rows.b_column), wide)
                        } else {
                            (rows.b.wrapping_add(j), rows.b_step)
                        };
                        for t in first..last {
                            let (skipped, tile_rows) = (shares.start(t) - first_row, shares.size(t));
                            let (a, a_row, a_step) = if packs_left {
                                (rows.a.wrapping_add(skipped * depth), 1, tile_rows)
                            } else {
                                (rows.a.wrapping_add(skipped * rows.a_row), rows.a_row, rows.a_step)
                            };
                            let tile = Tile {
                                depth,
                                a,
                                a_row,
                                a_step,
                                b,
                                b_step,
                                c: rows.c.wrapping_add(skipped * rows.c_row + j),
                                c_row: rows.c_row,
                                columns: tile_columns,
                                start: (rows.start)
                                    .map(|start| start.wrapping_add(skipped * rows.start_row + j)),
                                start_row: rows.start_row,
                            };
                            // SAFETY: the tile is inside the rectangle; packed panels hold `depth` steps
                            // of its rows or of a wide tile's columns.
                            unsafe { tiles[tile_rows - 1](&tile) };
                        }
                        j += wide;
                    }
                    if is_last {
                        // SAFETY: the rows are inside the rectangle, which `c` may write.
                        unsafe { rows.finish(isa, epilogue) };
                    }
                }
            }
        }
    }

    /// Computes the rectangle as its transpose, which is turned when it is finished.
    ///
    /// # Safety
    /// As [`Part::compute`]; the chains must start from zero or from a row.
    unsafe fn compute_turned(
        self,
        kernel: &Kernel<T>,
        isa: Isa,
        epilogue: &impl Fn(usize, &mut [T]),
        panels: &mut Panels,
    ) {
        let mut memory = core::mem::take(&mut panels.sums);
        let sums = room::<T>(&mut memory, self.most_rows * self.most_columns);
        if let Some(start) = self.start {
            for column in 0..self.columns {
                // SAFETY: a row of the transpose, and the number that all of it starts from.
                unsafe {
                    let sums = core::slice::from_raw_parts_mut(sums.add(column * self.rows), self.rows);
                    sums.fill(*start.add(column));
                }
            }
        }
        let turned = Self {
            c: sums,
            c_row: self.rows,
            start: self.start.map(|_| sums.cast_const()),
            start_row: self.rows,
            ..self.with_operands_turned()
        };
        // SAFETY: the caller's promise; `room` made room for the transpose. `turn` copies all of it to its place.
        unsafe {
            turned.compute(kernel, isa, &|_, _| (), panels);
            let turn = Pack {
                from: sums,
                lane_stride: self.rows,
                step_stride: 1,
                lanes: self.columns,
                depth: self.rows,
                width: self.c_row,
                to: self.c,
            };
            (kernel.pack)(&turn);
            self.finish(isa, epilogue);
        }
        panels.sums = memory;
    }

    /// Computes a rectangle of one panel's columns that is a single block: without the loops over blocks, whose
    /// bookkeeping takes longer than the arithmetic of a small product.
    ///
    /// # Safety
    /// As [`Part::compute`].
    unsafe fn compute_panel(
        &self,
        kernel: &Kernel<T>,
        isa: Isa,
        epilogue: &impl Fn(usize, &mut [T]),
        panels: &mut Panels,
    ) {
        let (b, b_step) = if self.b_column != 1 && !self.is_packed {
            // SAFETY: the caller's promise.
            (unsafe { self.pack_right(kernel, &mut panels.right) }, 2 * kernel.width)
        } else {
            (self.b, self.b_step)
        };
        let shares = Shares::new(self.rows, kernel.rows);
        let tiles = &kernel.tiles[usize::from(self.columns > kernel.width)];
        for t in 0..shares.count {
            let row = shares.start(t);
            let tile = Tile {
                depth: self.depth,
                a: self.a.wrapping_add(row * self.a_row),
                a_row: self.a_row,
                a_step: self.a_step,
                b,
                b_step,
                c: self.c.wrapping_add(row * self.c_row),
                c_row: self.c_row,
                columns: self.columns,
                start: self.start.map(|start| start.wrapping_add(row * self.start_row)),
                start_row: self.start_row,
            };
            // SAFETY: the tile is inside the rectangle; a packed panel holds `depth` steps of its columns.
            unsafe { tiles[shares.size(t) - 1](&tile) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.finish(isa, epilogue) };
    }

    /// Calls `epilogue` for each piece of the rectangle.
    ///
    /// # Safety
    /// `c` must be valid for the rectangle, exclusively so.
    unsafe fn finish(&self, isa: Isa, epilogue: &impl Fn(usize, &mut [T])) {
        isa.run(
            #[inline(always)]
            || {
                // Whole rows of the output follow each other.
                let is_whole = self.columns == self.c_row;
                let (pieces, length) =
                    if is_whole { (1, self.rows * self.columns) } else { (self.rows, self.columns) };
                for i in 0..pieces {
                    // SAFETY: a piece of the rectangle.
                    let c = unsafe { core::slice::from_raw_parts_mut(self.c.add(i * self.c_row), length) };
                    epilogue((self.first_row + i) * self.c_row + self.first_column, c);
                }
            },
        );
    }

    /// Whether the transpose is faster: where `right`, which would have to be repacked with its steps across, is
    /// larger than `left`, which is then repacked instead, and the output together, which is then turned; and the rows,
    /// as columns, fill vectors.
    fn turning_pays(&self, kernel: &Kernel<T>) -> bool {
        let is_across = !self.is_packed && self.b_step == 1 && self.b_column != 1 && self.a_step == 1;
        let starts_alike = self.start.is_none() || self.start_row == 0;
        is_across
            && starts_alike
            && self.rows.is_multiple_of(kernel.width)
            && self.depth * self.columns.saturating_sub(self.rows) > self.rows * self.columns
    }

    /// Whether repacking `right` is faster than reading its rows in place: where many rows use it and each
    /// of its rows is on a page of its own.
    fn packing_right_pays(&self, kernel: &Kernel<T>) -> bool {
        self.rows > 4 * kernel.rows && self.b_step * size_of::<T>() >= PAGE
    }

    /// Whether repacking `left` is faster than reading it in place: where many columns use it, or some and
    /// each of its rows is on a page of its own.
    fn packing_left_pays(&self, kernel: &Kernel<T>) -> bool {
        let strays = self.a_row.max(self.a_step) * size_of::<T>() >= PAGE;
        self.columns >= if strays { 8 * kernel.width } else { 32 * kernel.width }
    }

    /// Repacks `right` into panels of two vectors' columns, k by k; returns where they begin.
    ///
    /// # Safety
    /// As [`Part::compute`].
    unsafe fn pack_right(&self, kernel: &Kernel<T>, memory: &mut Vec<Line>) -> *const T {
        let wide = 2 * kernel.width;
        let most = self.most_columns.min(COLUMNS).next_multiple_of(wide);
        let panels = room::<T>(memory, most * self.depth);
        for j in (0..self.columns).step_by(wide) {
            let pack = Pack {
                from: self.b.wrapping_add(j * self.b_column),
                lane_stride: self.b_column,
                step_stride: self.b_step,
                lanes: wide.min(self.columns - j),
                depth: self.depth,
                width: wide,
                to: panels.wrapping_add(j * self.depth),
            };
            // SAFETY: the columns are inside the rectangle, and `room` made room for every panel.
            unsafe { (kernel.pack)(&pack) };
        }
        panels
    }

    /// Repacks the rows of `left` of some tiles into panels, k by k; returns where they begin.
    ///
    /// # Safety
    /// As [`Part::compute`]; `shares` says which rows of the whole each tile has.
    unsafe fn pack_left(
        &self,
        kernel: &Kernel<T>,
        tiles: Range<usize>,
        shares: Shares,
        memory: &mut Vec<Line>,
    ) -> *const T {
        let panels = room::<T>(memory, self.most_rows.min(TILES * kernel.rows) * self.depth);
        let first = shares.start(tiles.start);
        for t in tiles {
            let (skipped, rows) = (shares.start(t) - first, shares.size(t));
            let pack = Pack {
                from: self.a.wrapping_add(skipped * self.a_row),
                lane_stride: self.a_row,
                step_stride: self.a_step,
                lanes: rows,
                depth: self.depth,
                width: rows,
                to: panels.wrapping_add(skipped * self.depth),
            };
            // SAFETY: the rows are inside the rectangle, and `room` made room for every panel.
            unsafe { (kernel.pack)(&pack) };
        }
        panels
    }
}

/// Rows shared out evenly among tiles: one tile of few rows would waste most of its loads.
#[derive(Debug, Clone, Copy)]
struct Shares {
    count: usize,
    /// The rows of each tile, of which the first ones have one more.
    each: usize,
    with_one_more: usize,
}

impl Shares {
    /// As few shares of `rows` as there are with at most so many in each.
    fn new(rows: usize, most: usize) -> Self {
        // Small products would notice the divisions.
        if rows <= most {
            return Self { count: usize::from(rows > 0), each: rows, with_one_more: 0 };
        }
        let count = rows.div_ceil(most);
        Self { count, each: rows / count, with_one_more: rows % count }
    }

    /// The first row of a tile.
    fn start(self, tile: usize) -> usize {
        tile * self.each + tile.min(self.with_one_more)
    }

    fn size(self, tile: usize) -> usize {
        self.each + usize::from(tile < self.with_one_more)
    }
}

/// Makes `memory` hold at least `count` numbers and returns where they begin.
fn room<T>(memory: &mut Vec<Line>, count: usize) -> *mut T {
    let lines = (count * size_of::<T>()).div_ceil(size_of::<Line>());
    if memory.len() < lines {
        resize(memory, lines);
    }
    memory.as_mut_ptr().cast()
}
