//! Products of f32 matrices through bf16: operands are converted once, then multiplied in tiles, or as f32 if the
//! processor has no instructions for bf16.
//!
//! For tiles, the threads pack both operands into panels of 32 lanes, which all of them read. A block of 32 by 32
//! numbers reads a panel of each operand. A piece of a panel of the right operand, 256 steps deep, stays in the
//! first-level cache while a group of panels of the left one, from the second level, is multiplied with it; between two
//! pieces, the sums of the group are stored in a buffer. The same pieces of all panels are contiguous in memory: whole
//! panels would be a power of two apart where the depth is one, and the pieces of a group would compete for a few sets
//! of a cache. With four tiles of sums, each tile that is loaded is multiplied twice: AMX can load one and multiply one
//! in the same 16 cycles.
//!
//! The order of a sum depends on the depth alone, so threads change no bit.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod dots;
mod emulated;
mod pack;
mod tiles;

#[cfg(target_arch = "x86_64")]
use self::pack::pack_avx512_bf16;
use self::pack::{PackFunction, PackTile, SIDE, STEPS, WORDS, pack};
use self::tiles::{Block, CONFIGURATION, Tiles, block, order};
use super::api::multiply;
use super::block::{Part, Pieces};
use crate::machine::memory::room;
use crate::machine::tuning::{
    CONVERTED_BLOCK, CONVERTED_PARTS, CONVERTED_PER_NANOSECOND, EPILOGUE_PANELS, FEWEST_PANELS, GROUP_BYTES,
    LEAST_PANELS_IN_TURN, LEAST_PREFETCH_BYTES, LEAST_REDUCED, MOST_PANELS, MOST_TURNS, TILES_PER_NANOSECOND,
    most_tiles_of_piece,
};
use crate::machine::{Panels, Set, Work};
use crate::number::bf16::to_bf16;
use crate::{Isa, Precision, Real, Workspace};
use core::any::TypeId;
use core::ops::Range;

/// The rows or columns of a panel: two tiles.
const LANES: usize = 2 * SIDE;

/// What is done to finished pieces of the output. One product is compiled for all of them: its blocks are large, and the
/// code of tiles is too.
type Epilogue<'a, T> = &'a (dyn Fn(usize, &mut [T]) + Sync);

/// How a product of reduced precision is computed.
#[derive(Clone, Copy)]
pub(super) enum Engine {
    /// By rounding the operands and multiplying them as f32.
    Rounding,
    /// By tiles of bf16.
    Tiles(TileEngine),
}

/// What computes blocks of tiles.
#[derive(Clone, Copy)]
pub(super) struct TileEngine {
    isa: Isa,
    pack: PackFunction,
    /// The parts into which numbers are split.
    parts: usize,
}

impl Engine {
    /// The engine for a product; none if it is computed in f32: of other numbers, in full precision, or of fewer than
    /// 16 rows, columns or steps.
    pub(super) fn of<T: Real>(product: &Part<T>, workspace: &Workspace) -> Option<Self> {
        let (isa, precision) = (workspace.isa(), workspace.precision());
        if !Precision::HAS_REDUCED
            || TypeId::of::<T>() != TypeId::of::<f32>()
            || product.rows.min(product.columns).min(product.depth) < LEAST_REDUCED
        {
            return None;
        }
        let parts = match precision {
            Precision::F32 => return None,
            Precision::Bf16 => 1,
            Precision::Bf16x3 => 3,
        };
        let pack: PackFunction = match (isa.0, precision) {
            #[cfg(target_arch = "x86_64")]
            (Set::Amx, _) | (Set::Avx512Bf16, Precision::Bf16) => pack_avx512_bf16,
            (Set::AmxEmulated, _) => pack,
            (_, Precision::Bf16) => return Some(Self::Rounding),
            _ => return None,
        };
        Some(Self::Tiles(TileEngine { isa, pack, parts }))
    }
}

impl TileEngine {
    /// The tiles of depth of each piece except the last one, of an operand that is `tiles` deep: as even as can be.
    fn tiles_of_piece(self, tiles: usize) -> usize {
        tiles.div_ceil(tiles.div_ceil(most_tiles_of_piece(self.parts)))
    }

    /// The words of a panel's tiles of one depth: two of each part.
    fn tile_words(self) -> usize {
        self.parts * 2 * WORDS
    }

    /// Calls `work` with a function that computes a block, to be used on this thread.
    fn run(self, work: impl FnOnce(&mut dyn FnMut(&Block))) {
        match self.isa.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Amx => run_tiles(&mut amx::Amx, work),
            // SAFETY: the set has AVX-512-BF16; `sweep` makes blocks as they must be.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16 => work(&mut |job| unsafe { dots::block_avx512_bf16(job) }),
            _ => run_tiles(&mut emulated::Emulated::new(), work),
        }
    }
}

/// Calls `work` with a function that computes a block by tile registers, which are configured for that time.
fn run_tiles<T: Tiles>(tiles: &mut T, work: impl FnOnce(&mut dyn FnMut(&Block))) {
    /// Releases the registers, also if `work` panics.
    struct Configured<'a, T: Tiles>(&'a mut T);
    impl<T: Tiles> Drop for Configured<'_, T> {
        fn drop(&mut self) {
            // SAFETY: they are configured.
            unsafe { self.0.end() }
        }
    }
    // SAFETY: an engine is of an instruction set that this processor has.
    unsafe { tiles.start(&CONFIGURATION) };
    let configured = Configured(tiles);
    // SAFETY: the registers are configured for `block`; `sweep` makes blocks as they must be.
    work(&mut |job| unsafe { block(&mut *configured.0, job) });
}

/// Computes a product whose operands' and output's sizes were checked.
pub(super) fn product<T: Real>(
    engine: Engine,
    whole: Part<T>,
    epilogue: Epilogue<'_, T>,
    workspace: &mut Workspace,
) {
    match engine {
        Engine::Rounding => product_of_rounded(whole, epilogue, workspace),
        Engine::Tiles(engine) => product_of_tiles(engine, whole, epilogue, workspace),
    }
}

/// Rounds both operands, in the order in which they are stored, and multiplies them as f32.
fn product_of_rounded<T: Real>(whole: Part<T>, epilogue: Epilogue<'_, T>, workspace: &mut Workspace) {
    let sizes = [whole.rows * whole.depth, whole.depth * whole.columns];
    let mut memory = core::mem::take(&mut workspace.converted);
    let a = room::<f32>(&mut memory, sizes[0] + sizes[1]);
    let b = a.wrapping_add(sizes[0]);
    for (from, to, size) in [(whole.a, a, sizes[0]), (whole.b, b, sizes[1])] {
        // SAFETY: `T` is f32, of which an `Operand` has that many, and for which `room` made room.
        let (from, to) = unsafe {
            (core::slice::from_raw_parts(from.cast::<f32>(), size), core::slice::from_raw_parts_mut(to, size))
        };
        let isa = workspace.isa();
        workspace.share_rows(size, size / CONVERTED_PER_NANOSECOND, [to], [1], |range, [to]| {
            isa.run(
                #[inline(always)]
                || to.iter_mut().zip(&from[range]).for_each(|(to, from)| *to = to_bf16(*from)),
            );
        });
    }
    multiply(
        &Part { a: a.cast_const().cast(), b: b.cast_const().cast(), ..whole },
        None,
        &epilogue,
        workspace,
    );
    workspace.converted = memory;
}

/// Converts both operands to tiles, and multiplies those.
fn product_of_tiles<T: Real>(
    engine: TileEngine,
    whole: Part<T>,
    epilogue: Epilogue<'_, T>,
    workspace: &mut Workspace,
) {
    debug_assert!(whole.depth > 0, "a product without steps has no panels");
    let (right_panels, columns) = (whole.columns.div_ceil(LANES), whole.columns);
    let mut memory = core::mem::take(&mut workspace.converted);
    for step in (0..whole.depth).step_by(CONVERTED_BLOCK) {
        let mut chunk = whole;
        chunk.depth = CONVERTED_BLOCK.min(whole.depth - step);
        chunk.a = whole.a.wrapping_add(step * whole.a_step);
        chunk.b = whole.b.wrapping_add(step * whole.b_step);
        if step > 0 {
            (chunk.start, chunk.start_row) = (Some(whole.c.cast_const()), whole.c_row);
        }
        let is_last = step + chunk.depth == whole.depth;
        let panel = chunk.depth.div_ceil(STEPS) * engine.tile_words();
        for row in (0..whole.rows).step_by(CONVERTED_BLOCK) {
            let rows = chunk.at(row, 0, CONVERTED_BLOCK.min(whole.rows - row), columns);
            let left_panels = rows.rows.div_ceil(LANES);
            let memory = room::<u32>(&mut memory, (right_panels + left_panels) * panel);
            let left = memory.wrapping_add(right_panels * panel);
            let shared = Shared {
                left: Packed { words: left, panels: left_panels },
                right: Packed { words: memory, panels: right_panels },
            };
            // The first rows convert the right operand for all.
            let right_lanes = if row == 0 { columns } else { 0 };
            let numbers = (rows.rows + right_lanes) * rows.depth;
            let parts = workspace.parts(numbers / CONVERTED_PER_NANOSECOND);
            workspace.share(Work::Rows, parts, CONVERTED_PARTS, 1, |range, _| {
                // A part of both operands, so that each thread multiplies much of what it has converted.
                for (is_left, count) in [(false, right_lanes.div_ceil(LANES)), (true, left_panels)] {
                    let border = |share: usize| (count * share + CONVERTED_PARTS / 2) / CONVERTED_PARTS;
                    let panels = border(range.start)..border(range.end);
                    // SAFETY: the operands' sizes were checked, `room` made room for all panels, each of which is
                    // packed once; the engine is of an instruction set of this processor.
                    unsafe { rows.pack_panels(engine, is_left, panels, shared) };
                }
            });
            let multiply_adds = (rows.rows * columns).saturating_mul(rows.depth) * order(engine.parts).len();
            let threads = workspace.parts(multiply_adds / TILES_PER_NANOSECOND);
            let by_rows = left_panels >= threads;
            let sweep = |range: Range<usize>, own: &mut Panels| {
                let swept = if by_rows { (range, 0..right_panels) } else { (0..left_panels, range) };
                let sums = room(&mut own.sums, MOST_PANELS * LANES * LANES);
                engine.run(|multiply| {
                    // SAFETY: the panels are packed; the parts share no number of the output, nor sums.
                    unsafe { rows.sweep(engine, swept, shared, sums, is_last, epilogue, multiply) };
                });
            };
            let turns = (left_panels / LEAST_PANELS_IN_TURN).min(MOST_TURNS * threads);
            if threads > 1 && turns >= 2 * threads {
                workspace.share_in_turn(turns, left_panels, 1, sweep);
            } else {
                workspace.share(
                    Work::Tiles,
                    threads,
                    if by_rows { left_panels } else { right_panels },
                    1,
                    sweep,
                );
            }
        }
    }
    workspace.converted = memory;
}

/// The converted operands.
#[derive(Clone, Copy)]
struct Shared {
    left: Packed,
    right: Packed,
}

/// A converted operand: the first pieces of all panels, then the second ones, and so on. A piece has, for each tile of
/// its depth, two tiles of each part.
#[derive(Clone, Copy)]
struct Packed {
    words: *mut u32,
    panels: usize,
}

impl Packed {
    /// A panel's tiles of one depth, of `tiles` that the operand is deep.
    fn tile(self, engine: TileEngine, panel: usize, tile: usize, tiles: usize) -> *mut u32 {
        let step = engine.tiles_of_piece(tiles);
        let (first, inside) = (tile - tile % step, tile % step);
        let depth = step.min(tiles - first);
        self.words.wrapping_add((first * self.panels + panel * depth + inside) * engine.tile_words())
    }
}

// SAFETY: threads write disjoint panels, and read them only after all are written.
unsafe impl Sync for Shared {}

impl<T: Real> Part<T> {
    /// Packs panels of the left or right operand. A panel of at most 16 lanes has no second tiles.
    ///
    /// # Safety
    /// `T` must be f32, `a` and `b` valid for the rectangle, `shared` for its panels, these exclusively so,
    /// and the processor must have the engine's instruction set.
    unsafe fn pack_panels(&self, engine: TileEngine, is_left: bool, panels: Range<usize>, shared: Shared) {
        let (from, lane_stride, step_stride, lanes, packed) = if is_left {
            (self.a, self.a_row, self.a_step, self.rows, shared.left)
        } else {
            (self.b, self.b_column, self.b_step, self.columns, shared.right)
        };
        let tiles = self.depth.div_ceil(STEPS);
        let pack = |panel: usize, tile: usize| {
            let (first, step) = (panel * LANES, tile * STEPS);
            let to = packed.tile(engine, panel, tile, tiles);
            for half in 0..(lanes - first).min(LANES).div_ceil(SIDE) {
                let lane = first + half * SIDE;
                let job = PackTile {
                    from: from.wrapping_add(lane * lane_stride + step * step_stride).cast(),
                    lane_stride,
                    step_stride,
                    lanes: (lanes - lane).min(SIDE),
                    steps: (self.depth - step).min(STEPS),
                    is_left,
                    parts: engine.parts,
                    part_words: 2 * WORDS,
                    to: to.wrapping_add(half * WORDS),
                };
                // SAFETY: the lanes and steps are inside the operand, the tiles inside the panel.
                unsafe { (engine.pack)(&job) };
            }
        };
        // In the order in which the numbers are stored.
        if lane_stride == 1 {
            (0..tiles).for_each(|tile| panels.clone().for_each(|panel| pack(panel, tile)));
        } else {
            panels.for_each(|panel| (0..tiles).for_each(|tile| pack(panel, tile)));
        }
    }

    /// Multiplies some panels of the left operand by some of the right one.
    ///
    /// # Safety
    /// `T` must be f32, the panels packed, `c` valid for the rectangle, for those panels exclusively so, `sums` for
    /// `MOST_PANELS` blocks, and `multiply` must be of an instruction set that the processor has.
    #[expect(clippy::too_many_arguments, reason = "one call, where each is at hand")]
    unsafe fn sweep(
        &self,
        engine: TileEngine,
        (rows, columns): (Range<usize>, Range<usize>),
        shared: Shared,
        sums: *mut f32,
        is_last: bool,
        epilogue: Epilogue<'_, T>,
        multiply: &mut dyn FnMut(&Block),
    ) {
        let tiles = self.depth.div_ceil(STEPS);
        let (step, tile_words) = (engine.tiles_of_piece(tiles), engine.tile_words());
        let bytes = tiles * tile_words * size_of::<u32>();
        // A right operand that stays in cache may be read more often.
        let is_right_in_cache = columns.len() * bytes <= GROUP_BYTES;
        let panels = if is_right_in_cache {
            FEWEST_PANELS
        } else {
            (GROUP_BYTES / bytes).clamp(FEWEST_PANELS, MOST_PANELS)
        };
        let finished = if self.pieces == Pieces::Rows { columns.len() } else { EPILOGUE_PANELS };
        for first in rows.clone().step_by(panels) {
            let group = first..rows.end.min(first + panels);
            let is_prefetched = group.len() * bytes > LEAST_PREFETCH_BYTES;
            for right in columns.clone() {
                for tile in (0..tiles).step_by(step) {
                    let depth = step.min(tiles - tile);
                    let is_last_step = tile + depth == tiles;
                    let b = shared.right.tile(engine, right, tile, tiles);
                    // The piece that is read next is prefetched.
                    let next_b = if is_last_step {
                        shared.right.tile(engine, right + 1, 0, tiles)
                    } else {
                        shared.right.tile(engine, right, tile + depth, tiles)
                    };
                    let piece = (depth * tile_words).div_ceil(group.len());
                    for (i, left) in group.clone().enumerate() {
                        let (row, column) = (left * LANES, right * LANES);
                        let left_tiles =
                            |left: usize| shared.left.tile(engine, left, tile, tiles).cast_const();
                        let c = self.c.wrapping_add(row * self.c_row + column).cast::<f32>();
                        let sums_of_block = sums.wrapping_add(i * LANES * LANES);
                        let (start, start_row) = match self.start {
                            _ if tile > 0 => (Some(sums_of_block.cast_const()), LANES),
                            Some(start) => {
                                let start = start.wrapping_add(row * self.start_row + column);
                                (Some(start.cast()), self.start_row)
                            }
                            None => (None, 0),
                        };
                        let next_c = if left + 1 < group.end {
                            Some((left + 1, right))
                        } else {
                            Some((group.start, right + 1)).filter(|_| right + 1 < columns.end)
                        };
                        let next_c = next_c.map(|(left, right)| {
                            self.c.wrapping_add(left * LANES * self.c_row + right * LANES).cast_const().cast()
                        });
                        let (c, c_row) = if is_last_step { (c, self.c_row) } else { (sums_of_block, LANES) };
                        multiply(&Block {
                            rows: LANES.min(self.rows - row),
                            columns: LANES.min(self.columns - column),
                            tiles: depth,
                            pairs: (self.depth - tile * STEPS).div_ceil(2).min(depth * SIDE),
                            parts: engine.parts,
                            a: left_tiles(left),
                            b,
                            next_a: is_prefetched.then(|| {
                                left_tiles(if left + 1 < group.end { left + 1 } else { group.start })
                            }),
                            later_b: next_b.wrapping_add(i * piece),
                            later_lines: if is_prefetched { piece.div_ceil(SIDE) } else { 0 },
                            c,
                            c_row,
                            later_c: next_c.filter(|_| is_last_step),
                            start,
                            start_row,
                        });
                    }
                }
                let done = right + 1 - columns.start;
                if is_last && (done % finished == 0 || right + 1 == columns.end) {
                    let columns_done = (done - 1) / finished * finished + columns.start;
                    let (row, column) = (group.start * LANES, columns_done * LANES);
                    let block = self.at(
                        row,
                        column,
                        self.rows.min(group.end * LANES) - row,
                        self.columns.min((right + 1) * LANES) - column,
                    );
                    // SAFETY: the rectangle is inside the part, and nobody writes it now.
                    unsafe { block.finish(engine.isa, &epilogue) };
                }
            }
        }
    }
}
