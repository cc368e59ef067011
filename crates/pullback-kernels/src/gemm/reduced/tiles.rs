//! Blocks of a product by tile registers. The loop is written once over a trait of their operations, which are
//! instructions of AMX (`amx`) or emulated in plain Rust (`emulated`).
//!
//! A block is up to 32 by 32 numbers of the output: two by two tiles of sums in registers 0 to 3, with two
//! tiles of the left operand in 4 and 5 and two of the right one in 6 and 7. So each tile that is loaded is
//! multiplied twice, and where numbers are split into parts, four times and more.

use super::pack::{SIDE, WORDS};

/// One block's work: `c = (start or 0) + a @ b`.
///
/// # Safety
/// Whoever computes it may read `tiles` times `parts` times two tiles at `a`, and at `b`, whose second ones
/// may hold anything if the block has at most 16 rows, or columns; `rows` by `columns` numbers at `start`,
/// and write them at `c`, which overlaps neither `a` nor `b`.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// At least 1, at most 32.
    pub(super) rows: usize,
    /// At least 1, at most 32.
    pub(super) columns: usize,
    /// The depth in tiles.
    pub(super) tiles: usize,
    /// The depth in pairs of steps; the rest of the last tile is zero.
    pub(super) pairs: usize,
    /// The parts into which numbers are split: 1 or 3.
    pub(super) parts: usize,
    pub(super) a: *const u32,
    pub(super) b: *const u32,
    /// What the next block reads as `a`, if it is to be prefetched; any address is valid.
    pub(super) next_a: Option<*const u32>,
    /// What a later block reads as `b`, to be prefetched; any address is valid.
    pub(super) later_b: *const u32,
    /// The cache lines of it to prefetch.
    pub(super) later_lines: usize,
    pub(super) c: *mut f32,
    pub(super) c_row: usize,
    /// What a later block writes as `c`, with the same stride of rows, if it is to be prefetched; any address is valid.
    pub(super) later_c: Option<*const f32>,
    /// What sums start from, if not zero: `c` itself, or one row for all rows (a stride of 0).
    pub(super) start: Option<*const f32>,
    pub(super) start_row: usize,
}

impl Block {
    /// The left tile of one depth, part, and half of the rows.
    #[inline(always)]
    pub(super) fn a_tile(&self, at: usize, part: usize, half: usize) -> *const u32 {
        self.a.wrapping_add(((at * self.parts + part) * 2 + half) * WORDS)
    }

    /// The right tile of one depth, part, and half of the columns.
    #[inline(always)]
    pub(super) fn b_tile(&self, at: usize, part: usize, half: usize) -> *const u32 {
        self.b.wrapping_add(((at * self.parts + part) * 2 + half) * WORDS)
    }
}

/// The pairs of parts of left and right that are multiplied, in order: the largest product comes last, and each pair
/// differs from the one before in one part, whose tiles are loaded.
pub(super) const fn order(parts: usize) -> &'static [(usize, usize)] {
    if parts == 1 { &[(0, 0)] } else { &[(2, 0), (1, 0), (1, 1), (0, 1), (0, 2), (0, 0)] }
}

/// The sizes of the tile registers: the operand of `ldtilecfg`.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct TileConfiguration {
    pub(super) palette: u8,
    pub(super) start_row: u8,
    pub(super) reserved: [u8; 14],
    /// The bytes of a row of each register.
    pub(super) row_bytes: [u16; 16],
    pub(super) rows: [u8; 16],
}

/// Eight registers of 16 rows of 64 bytes: of 16 by 16 words.
pub(super) const CONFIGURATION: TileConfiguration = TileConfiguration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// The operations of the tile registers of one thread.
///
/// # Safety
/// The processor must have the implementor's instructions whenever a method is called, and other than by
/// `start`, the registers must be configured. Strides are in bytes.
pub(super) unsafe trait Tiles {
    /// Configures the registers.
    unsafe fn start(&mut self, configuration: &TileConfiguration);
    /// Fills a register with zero.
    unsafe fn zero<const TILE: usize>(&mut self);
    /// Reads a register's rows, each 64 bytes; the pointer must be valid for them.
    unsafe fn load<const TILE: usize>(&mut self, from: *const u8, stride: usize);
    /// Writes a register's rows, each 64 bytes; the pointer must be valid for them.
    unsafe fn store<const TILE: usize>(&self, to: *mut u8, stride: usize);
    /// Prefetches a tile into the first-level cache; any address is valid.
    fn prefetch_tile(&self, from: *const u32);
    /// Prefetches a cache line into the second-level cache; any address is valid.
    fn prefetch_line(&self, from: *const u32);
    /// Prefetches a cache line into the first-level cache, to be written; any address is valid.
    fn prefetch_to_write(&self, to: *const f32);
    /// Adds to the f32 sums of one register the product of the pairs of bf16 of two others.
    unsafe fn add_products<const SUMS: usize, const LEFT: usize, const RIGHT: usize>(&mut self);
    /// Releases the registers.
    unsafe fn end(&mut self);
}

/// Computes a block by tile registers that are configured by [`CONFIGURATION`].
///
/// # Safety
/// As [`Block`] says, and as of [`Tiles`].
pub(super) unsafe fn block<T: Tiles>(tiles: &mut T, job: &Block) {
    debug_assert!((1..=2 * SIDE).contains(&job.rows) && (1..=2 * SIDE).contains(&job.columns));
    // SAFETY: the caller's promise.
    unsafe {
        match (job.rows > SIDE, job.columns > SIDE, job.parts) {
            (false, false, 1) => sized_block::<T, 1, 1, 1>(tiles, job),
            (false, true, 1) => sized_block::<T, 1, 2, 1>(tiles, job),
            (true, false, 1) => sized_block::<T, 2, 1, 1>(tiles, job),
            (true, true, 1) => sized_block::<T, 2, 2, 1>(tiles, job),
            (false, false, _) => sized_block::<T, 1, 1, 3>(tiles, job),
            (false, true, _) => sized_block::<T, 1, 2, 3>(tiles, job),
            (true, false, _) => sized_block::<T, 2, 1, 3>(tiles, job),
            (true, true, _) => sized_block::<T, 2, 2, 3>(tiles, job),
        }
    }
}

const LINE: usize = 64;

/// # Safety
/// As [`block`]; the block has `ROWS` by `COLUMNS` tiles, in `PARTS` parts.
#[inline(always)]
unsafe fn sized_block<T: Tiles, const ROWS: usize, const COLUMNS: usize, const PARTS: usize>(
    tiles: &mut T,
    job: &Block,
) {
    // A copy that the assembly cannot change, so that it stays in registers.
    let job = &{ Block { parts: PARTS, ..*job } };
    // SAFETY: each tile is one of the block's; those that reach beyond the output are read and written
    // through a buffer.
    unsafe {
        start_sums::<T, 0>(tiles, job, 0, 0);
        if COLUMNS == 2 {
            start_sums::<T, 1>(tiles, job, 0, 1);
        }
        if ROWS == 2 {
            start_sums::<T, 2>(tiles, job, 1, 0);
        }
        if ROWS == 2 && COLUMNS == 2 {
            start_sums::<T, 3>(tiles, job, 1, 1);
        }
        let later_lines = job.later_lines.div_ceil(job.tiles);
        let later_rows = job.later_c.map_or(0, |_| (ROWS * SIDE).div_ceil(job.tiles));
        for at in 0..job.tiles {
            if let Some(c) = job.later_c {
                for row in at * later_rows..((at + 1) * later_rows).min(ROWS * SIDE) {
                    let to = c.wrapping_add(row * job.c_row);
                    tiles.prefetch_to_write(to);
                    if COLUMNS == 2 {
                        tiles.prefetch_to_write(to.wrapping_add(SIDE));
                    }
                }
            }
            for line in 0..later_lines {
                tiles.prefetch_line(job.later_b.wrapping_add((at * later_lines + line) * SIDE));
            }
            let mut loaded = (usize::MAX, usize::MAX);
            for &(a_part, b_part) in order(PARTS) {
                let (a_is_new, b_is_new) = (loaded.0 != a_part, loaded.1 != b_part);
                loaded = (a_part, b_part);
                // The tiles of the next depth, or block.
                let next_a = job.next_a.filter(|_| a_is_new).map(|next| {
                    if at + 1 < job.tiles {
                        job.a_tile(at + 1, a_part, 0)
                    } else {
                        next.wrapping_add(a_part * 2 * WORDS)
                    }
                });
                // Loads and products alternate, so that products rarely wait for loads.
                if a_is_new {
                    tiles.load::<4>(job.a_tile(at, a_part, 0).cast(), LINE);
                }
                if b_is_new {
                    tiles.load::<6>(job.b_tile(at, b_part, 0).cast(), LINE);
                }
                if let Some(next) = next_a {
                    tiles.prefetch_tile(next);
                }
                tiles.add_products::<0, 4, 6>();
                if COLUMNS == 2 {
                    if b_is_new {
                        tiles.load::<7>(job.b_tile(at, b_part, 1).cast(), LINE);
                    }
                    tiles.add_products::<1, 4, 7>();
                }
                if ROWS == 2 {
                    if a_is_new {
                        tiles.load::<5>(job.a_tile(at, a_part, 1).cast(), LINE);
                    }
                    if let Some(next) = next_a {
                        tiles.prefetch_tile(next.wrapping_add(WORDS));
                    }
                    tiles.add_products::<2, 5, 6>();
                }
                if ROWS == 2 && COLUMNS == 2 {
                    tiles.add_products::<3, 5, 7>();
                }
            }
        }
        finish_sums::<T, 0>(tiles, job, 0, 0);
        if COLUMNS == 2 {
            finish_sums::<T, 1>(tiles, job, 0, 1);
        }
        if ROWS == 2 {
            finish_sums::<T, 2>(tiles, job, 1, 0);
        }
        if ROWS == 2 && COLUMNS == 2 {
            finish_sums::<T, 3>(tiles, job, 1, 1);
        }
    }
}

/// The buffer of a tile of sums that reaches beyond the output.
#[repr(align(64))]
struct Edge([[f32; SIDE]; SIDE]);

/// The rows and columns of one of the block's tiles, at most 16 each.
fn size(job: &Block, row: usize, column: usize) -> (usize, usize) {
    ((job.rows - row * SIDE).min(SIDE), (job.columns - column * SIDE).min(SIDE))
}

/// # Safety
/// As [`block`]; (row, column) is a tile of the block.
#[inline(always)]
unsafe fn start_sums<T: Tiles, const TILE: usize>(tiles: &mut T, job: &Block, row: usize, column: usize) {
    let (rows, columns) = size(job, row, column);
    // SAFETY: of the start, only the rows and columns that the tile has are read.
    unsafe {
        let Some(start) = job.start else { return tiles.zero::<TILE>() };
        let start = start.add(row * SIDE * job.start_row + column * SIDE);
        if (rows, columns) == (SIDE, SIDE) {
            return tiles.load::<TILE>(start.cast(), job.start_row * size_of::<f32>());
        }
        let mut edge = Edge([[0.0; SIDE]; SIDE]);
        for (i, to) in edge.0.iter_mut().enumerate().take(rows) {
            let from = core::slice::from_raw_parts(start.add(i * job.start_row), columns);
            to[..columns].copy_from_slice(from);
        }
        tiles.load::<TILE>(edge.0.as_ptr().cast(), LINE);
    }
}

/// # Safety
/// As [`start_sums`].
#[inline(always)]
unsafe fn finish_sums<T: Tiles, const TILE: usize>(tiles: &T, job: &Block, row: usize, column: usize) {
    let (rows, columns) = size(job, row, column);
    // SAFETY: of the output, only the rows and columns that the tile has are written.
    unsafe {
        let c = job.c.add(row * SIDE * job.c_row + column * SIDE);
        if (rows, columns) == (SIDE, SIDE) {
            return tiles.store::<TILE>(c.cast(), job.c_row * size_of::<f32>());
        }
        let mut edge = Edge([[0.0; SIDE]; SIDE]);
        tiles.store::<TILE>(edge.0.as_mut_ptr().cast(), LINE);
        for (i, from) in edge.0.iter().enumerate().take(rows) {
            core::slice::from_raw_parts_mut(c.add(i * job.c_row), columns).copy_from_slice(&from[..columns]);
        }
    }
}
