//! The loops over blocks around the micro-kernel: how an output is cut for threads and caches, what is packed, and when
//! the epilogue is called.

use super::api::{Operand, Start};
use super::kernel::Kernel;
use super::microkernel::Tile;
use super::pack::Pack;
use super::sparse;
use crate::machine::Panels;
use crate::machine::memory::room;
use crate::machine::tuning::{
    KC, LEAST_IN_TURN, LEAST_SPARSE_ROWS_IN_TURN, MC_TILES, MOST_TURNS, NC, PAGE, SHALLOW,
};
use crate::{Isa, Real};

/// Of which pieces of the output the epilogue is called, and which dimension is cut for threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pieces {
    /// A block, as soon as it is finished, while it is in cache.
    Blocks,
    /// Whole rows, if there are enough of them: arrays beside them are then read and written in long runs, by the same
    /// thread in each training step.
    Rows,
}

/// How an output is cut: by rows, or by columns in whole tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) by_rows: bool,
    /// The number of parts, if there are more than threads.
    pub(super) turns: Option<usize>,
}

/// A rectangle of the output with what it is computed from.
#[derive(Clone, Copy)]
pub(super) struct Part<T> {
    pub(super) pieces: Pieces,
    pub(super) first_row: usize,
    pub(super) first_column: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) depth: usize,
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_step: usize,
    pub(super) b: *const T,
    pub(super) b_step: usize,
    pub(super) b_column: usize,
    /// Whether `b` points to panels: then its strides are from step to step in a panel, and from one panel to the
    /// next for each of its columns.
    pub(super) is_packed: bool,
    pub(super) c: *mut T,
    pub(super) c_row: usize,
    /// What the chains start from, if not zero.
    pub(super) start: Option<*const T>,
    pub(super) start_row: usize,
    /// The rows of the largest part that may be cut from the same output. Memory is allocated for it, so that a thread
    /// whose part grows later allocates nothing.
    pub(super) most_rows: usize,
    /// The columns of that part.
    pub(super) most_columns: usize,
}

// SAFETY: the pointers come from shared slices of `Sync` numbers and, for `c`, from disjoint parts of
// a slice that the caller of `product_with` has borrowed mutably.
unsafe impl<T: Real> Sync for Part<T> {}

impl<T: Real> Part<T> {
    /// All of a product.
    ///
    /// # Panics
    /// If the sizes do not fit.
    #[inline]
    pub(super) fn whole(
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
    #[inline]
    pub(super) fn is_panel(&self, kernel: &Kernel<T>) -> bool {
        self.columns <= 2 * kernel.width && self.depth <= KC && self.rows <= MC_TILES * kernel.rows
    }

    /// The rectangle of `rows` by `columns` numbers from (row, column) on.
    pub(super) fn at(&self, row: usize, column: usize, rows: usize, columns: usize) -> Self {
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

    /// The transpose of the rectangle, of exchanged operands; the output and what chains start from stay as they are.
    pub(super) fn transposed(&self) -> Self {
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

    /// How to cut it for `threads` threads.
    ///
    /// All threads read all of the operand that is not cut. Of operands of equal size, `right` is cut: it may be
    /// weights that the same thread updates, and a cache line that another thread has read is slow to write. But with a
    /// small depth, to cut the rows of the output would be slower than that.
    ///
    /// Each part packs its operands. Where that costs little, there are more parts than threads, which take them in
    /// turn.
    #[inline]
    pub(super) fn cut(&self, threads: usize, sparse: Option<sparse::Side>, kernel: &Kernel<T>) -> Cut {
        let is_longer = self.rows > self.columns;
        let mut by_rows = match self.pieces {
            Pieces::Blocks => is_longer || self.rows >= SHALLOW * self.depth,
            Pieces::Rows => is_longer || self.rows >= threads * kernel.rows,
        };
        let turns = |size: usize, least: usize| (size / least).min(MOST_TURNS * threads);
        let mut parts = turns(if by_rows { self.rows } else { self.columns }, LEAST_IN_TURN);
        if sparse == Some(sparse::Side::Left) && turns(self.rows, LEAST_SPARSE_ROWS_IN_TURN) >= 2 * threads {
            (by_rows, parts) = (true, turns(self.rows, LEAST_SPARSE_ROWS_IN_TURN));
        }
        Cut { by_rows, turns: Some(parts).filter(|parts| threads > 1 && *parts >= 2 * threads) }
    }

    /// Computes the rectangle.
    ///
    /// # Safety
    /// `a`, `b` and `c` must be valid for all numbers of the rectangle, `c` exclusively so, and the processor
    /// must have the kernel's instruction set.
    #[inline]
    pub(super) unsafe fn compute(
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
        for column in (0..self.columns).step_by(NC) {
            let columns = NC.min(self.columns - column);
            // A depth of zero has one block too, whose product is zero.
            for step in (0..self.depth.max(1)).step_by(KC) {
                let depth = KC.min(self.depth - step);
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
                for first in (0..shares.count).step_by(MC_TILES) {
                    let last = shares.count.min(first + MC_TILES);
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

    /// Computes the transpose of the rectangle, then transposes it into the output.
    ///
    /// # Safety
    /// As [`Part::compute`]; the chains must start from zero or from a row.
    pub(super) unsafe fn compute_transposed(
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
                // SAFETY: a row of the transpose, and the number that all of the row starts from.
                unsafe {
                    let sums = core::slice::from_raw_parts_mut(sums.add(column * self.rows), self.rows);
                    sums.fill(*start.add(column));
                }
            }
        }
        let transposed = Self {
            c: sums,
            c_row: self.rows,
            start: self.start.map(|_| sums.cast_const()),
            start_row: self.rows,
            ..self.transposed()
        };
        // SAFETY: the caller's promise; `room` made room for the transpose. `transposition` copies all of it to its
        // place.
        unsafe {
            transposed.compute(kernel, isa, &|_, _| (), panels);
            let transposition = Pack {
                from: sums,
                lane_stride: self.rows,
                step_stride: 1,
                lanes: self.columns,
                depth: self.rows,
                width: self.c_row,
                to: self.c,
            };
            (kernel.pack)(&transposition);
            self.finish(isa, epilogue);
        }
        panels.sums = memory;
    }

    /// Computes a rectangle that is a single block of one panel's columns, without the loops over blocks: they would
    /// take longer than the arithmetic of a small product.
    ///
    /// # Safety
    /// As [`Part::compute`].
    #[inline]
    pub(super) unsafe fn compute_panel(
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
    #[inline]
    pub(super) unsafe fn finish(&self, isa: Isa, epilogue: &impl Fn(usize, &mut [T])) {
        isa.run(
            #[inline(always)]
            || {
                // Whole rows of the output are contiguous.
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

    /// Whether the transpose is faster: `right` is stored transposed, so that packing it moves single numbers, and it
    /// is larger than `left`, which is packed instead, and the output, which is transposed, together; and the rows, as
    /// columns of the transpose, fill vectors.
    pub(super) fn transposing_pays(&self, kernel: &Kernel<T>) -> bool {
        let is_stored_transposed =
            !self.is_packed && self.b_step == 1 && self.b_column != 1 && self.a_step == 1;
        let starts_alike = self.start.is_none() || self.start_row == 0;
        !cfg!(target_family = "wasm")
            && is_stored_transposed
            && starts_alike
            && self.rows.is_multiple_of(kernel.width)
            && self.depth * self.columns.saturating_sub(self.rows) > self.rows * self.columns
    }

    /// Whether packing `right` is faster than reading its rows in place: many rows of `left` use it, and each of its
    /// rows is on another page.
    fn packing_right_pays(&self, kernel: &Kernel<T>) -> bool {
        self.rows > 4 * kernel.rows && self.b_step * size_of::<T>() >= PAGE
    }

    /// Whether packing `left` is faster than reading it in place: many columns of `right` use it, or some, and each of
    /// its rows is on another page.
    fn packing_left_pays(&self, kernel: &Kernel<T>) -> bool {
        let is_sparse_in_pages = self.a_row.max(self.a_step) * size_of::<T>() >= PAGE;
        self.columns >= if is_sparse_in_pages { 8 * kernel.width } else { 32 * kernel.width }
    }
}

/// Rows divided evenly among tiles: one tile of few rows would waste most of its loads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    pub(super) count: usize,
    /// The rows of each tile, of which the first ones have one more.
    each: usize,
    with_one_more: usize,
}

impl Shares {
    /// As few tiles as `rows` rows fill, with at most `most` rows in each.
    pub(super) fn new(rows: usize, most: usize) -> Self {
        // The divisions would slow small products down.
        if rows <= most {
            return Self { count: usize::from(rows > 0), each: rows, with_one_more: 0 };
        }
        let count = rows.div_ceil(most);
        Self { count, each: rows / count, with_one_more: rows % count }
    }

    /// The first row of a tile.
    pub(super) fn start(self, tile: usize) -> usize {
        tile * self.each + tile.min(self.with_one_more)
    }

    pub(super) fn size(self, tile: usize) -> usize {
        self.each + usize::from(tile < self.with_one_more)
    }
}
