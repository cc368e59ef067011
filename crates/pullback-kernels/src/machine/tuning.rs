//! The constants that were chosen by measuring: unit, reason, and the command that shows what a change does.
//!
//! Unless it is said, a constant changes times and no bit of a result. Constants that fix an order of additions stand
//! with their kernels. Commands: `bench NAME` is `cargo bench --manifest-path bench/Cargo.toml -p
//! pullback-kernel-benches -- NAME`; `compare WORK` is `bench/compare --peers "" --work WORK`.

// Memory.

/// Bytes of a small page. Rows a multiple of it apart share no page and compete for the
/// same lines of a first-level cache.
pub(crate) const PAGE: usize = 4096;
/// Bytes of a huge page.
#[cfg(target_os = "linux")]
pub(crate) const HUGE_PAGE: usize = 2 << 20;
/// Bytes from which an allocation is put into huge pages: two of them, so that it holds at least one whole one.
/// `bench "1024 x 2048"`.
#[cfg(target_os = "linux")]
pub(crate) const LEAST_HUGE_BYTES: usize = 2 * HUGE_PAGE;
/// Cache lines from which an array lies in huge pages that it shares with other arrays. `compare mnist128`.
#[cfg(target_os = "linux")]
pub(crate) const LEAST_SHARED_LINES: usize = 1024;
/// Bytes that are allocated for arrays to share. `compare mnist128`.
#[cfg(target_os = "linux")]
pub(crate) const LEAST_CHUNK_BYTES: usize = 2 * HUGE_PAGE;
/// Cache lines between two arrays that share pages. Else numbers of the same index would be a multiple of 4096 bytes
/// apart in arrays of one size, and the processor would take a read of one for a read of what was just written to the
/// other (4K aliasing). `compare mnist128`.
#[cfg(target_os = "linux")]
pub(crate) const ARRAY_GAP: usize = 5;

// Threads.

/// Nanoseconds of work from which another thread pays. `bench "2 threads"`.
pub(crate) const WORTH_A_THREAD: usize = 5_000;
/// Rows: parts for threads begin at multiples of it, so that two threads rarely write to one cache line.
/// `bench "2 threads"`.
pub(crate) const ROWS_UNIT: usize = 16;
/// Reads of its slot before a thread parks: some 200 microseconds. With 30, a worker fell asleep between the products
/// of a step of 784-128-10, and two threads were slower than one. `compare mnist32`.
#[cfg(not(loom))]
pub(crate) const SPINS: usize = 10_000;
/// Enough for the model to have threads that spin and threads that park.
#[cfg(loom)]
pub(crate) const SPINS: usize = 1;

/// The fastest thread's speed over the slowest one's, up to which speeds count as equal: parts that stay the same find
/// their numbers in the cache of their core. `compare mnist128`.
pub(crate) const EQUAL_SPEEDS: f32 = 1.15;
/// The weight of the last measured speed in the moving average: a thread that the system interrupts seems slow.
/// `compare mnist128`.
pub(crate) const SPEED_WEIGHT: f32 = 0.125;
/// One run in this many is timed: to read the clock, and times that other threads have written, takes about a
/// microsecond. `compare mnist32`.
pub(crate) const TIMED_EVERY: u32 = 4;
/// The largest factor between a measured speed and the average before it; larger ones are cut.
pub(crate) const MOST_SPEED_CHANGE: f32 = 2.0;
/// The least speed of a thread, as a share of the mean: so that it goes on having work, and being measured.
pub(crate) const LEAST_SPEED: f32 = 0.125;

// What a thread does in a nanosecond, about: it decides how many threads a kernel uses.

/// Multiply-adds of a product of f32. `bench "x @ W"`.
pub(crate) const PRODUCT_PER_NANOSECOND: usize = 50;
/// Multiply-adds of a batch of small products, and of a convolution. `bench "x @ W, 16 x 16 x 4"`, `compare lenet`.
pub(crate) const SMALL_PRODUCT_PER_NANOSECOND: usize = 25;
/// Multiply-adds of bf16 tiles. `cargo run --release -p pullback-kernels --example precision_speed`.
pub(crate) const TILES_PER_NANOSECOND: usize = 80;
/// Numbers converted to bf16. `cargo run --release -p pullback-kernels --example precision_speed`.
pub(crate) const CONVERTED_PER_NANOSECOND: usize = 8;
/// Multiply-adds of a product with a matrix whose entries are listed, each at its own place in memory. `bench/wide`.
pub(crate) const ENTRIES_PER_NANOSECOND: usize = 1;
/// Numbers that are copied, compared or added. `bench "rows of"`.
pub(crate) const MOVED_PER_NANOSECOND: usize = 4;
/// Elements of a dropout mask. `bench mask`.
pub(crate) const MASK_PER_NANOSECOND: usize = 2;

// Products of matrices.

/// Block size in k (KC), in steps: with a smaller one, the output is read and written more often; with a larger one, a
/// panel of each operand does not stay in the first-level cache. `bench "1024 x 2048"`.
pub(crate) const KC: usize = 512;
/// Block size in columns (NC): with `KC`, the packed right operand fills the second- or third-level cache.
/// `bench "1024 x 2048"`.
pub(crate) const NC: usize = 2048;
/// Block size in rows (MC), in tiles: with `KC`, the packed left operand fills a small part of the second-level cache.
/// `bench "1024 x 2048"`.
pub(crate) const MC_TILES: usize = 8;
/// Rows over depth from which writing the output is most of a product. `bench "x^T @ delta"`.
pub(crate) const SHALLOW: usize = 8;
/// Parts for each thread, at most, that threads take in turn. `bench "2 threads"`.
pub(crate) const MOST_TURNS: usize = 4;
/// Rows or columns of a part that a thread takes in turn, at least: to pack the other operand for it then takes about
/// a twentieth of the time. `bench "2 threads, 1024 x 2048"`.
pub(crate) const LEAST_IN_TURN: usize = 512;
/// The same for rows whose zeros are left out, where packing takes much less. `bench zeros`.
pub(crate) const LEAST_SPARSE_ROWS_IN_TURN: usize = 256;
/// Steps by which a row of the right operand is prefetched before it is read. `bench "x @ W, 256 x 512"`.
pub(crate) const PREFETCH_STEPS: usize = 16;
/// Depth from which prefetching pays. `bench "x @ W, 128 x 10 x 128"`.
pub(crate) const LEAST_PREFETCH_DEPTH: usize = 128;

// Products that leave out zeros. All: `bench zeros`. They decide whether zero times infinity is zero or NaN.

/// Multiply-adds from which it takes next to no time to sample an operand.
pub(crate) const LEAST_SAMPLED_PRODUCT: usize = 1 << 18;
/// Columns: fewer waste lanes, or the work on each row.
pub(crate) const LEAST_SPARSE_COLUMNS: usize = 64;
/// Rows: fewer do not pay for packing the other operand.
pub(crate) const LEAST_SPARSE_ROWS: usize = 24;
/// Steps: fewer do not pay for the work on each row.
pub(crate) const LEAST_SPARSE_DEPTH: usize = 16;
/// Rows of an operand that are sampled, spread over all of it.
pub(crate) const SAMPLED_ROWS: usize = 32;
/// The largest share of nonzero numbers with which leaving out the zeros pays.
pub(crate) const MOST_NONZERO: f64 = 0.7;
/// The largest nonzero share of the right operand, over that of the left one, with which the right one's zeros are left
/// out: the output has to be transposed then.
pub(crate) const MOST_NONZERO_OF_RIGHT: f64 = 0.8;
/// Block size in rows: with the width of a panel, the sums stay in the second-level cache.
pub(crate) const SPARSE_MC: usize = 512;
/// Vectors of a row of sums, which stay in registers.
pub(crate) const SPARSE_VECTORS: usize = 8;
/// Block size in k, in steps, as many as a word has bits: with the vectors, a panel stays in the first-level cache.
pub(crate) const SPARSE_KC: usize = 64;

// Products of reduced precision. All: `cargo run --release -p pullback-kernels --example precision_speed`.

/// Rows, columns or steps below which a product is computed in f32: below the side of a tile,
/// converting takes longer than it gains. It decides bits.
pub(crate) const LEAST_REDUCED: usize = 16;
/// Tiles of depth of a piece of a panel: 16 KiB, or 24 in three parts, which is half of the first-level cache, as
/// another hardware thread of the core may use the other half.
pub(crate) const fn most_tiles_of_piece(parts: usize) -> usize {
    if parts == 1 { 8 } else { 4 }
}
/// Bytes of a group of panels of the left operand, which is read again and again: about half of the second-level
/// cache.
pub(crate) const GROUP_BYTES: usize = 1 << 20;
/// Bytes of a group up to which most of it stays in the first-level cache, so that it is not prefetched.
pub(crate) const LEAST_PREFETCH_BYTES: usize = 40 << 10;
/// Panels of a group.
pub(crate) const FEWEST_PANELS: usize = 4;
/// Panels of a group.
pub(crate) const MOST_PANELS: usize = 16;
/// Panels of the left operand in a part that a thread takes in turn: enough to use a piece of the right operand that
/// is in cache.
pub(crate) const LEAST_PANELS_IN_TURN: usize = 8;
/// Panels of the right operand that are multiplied before the epilogue.
pub(crate) const EPILOGUE_PANELS: usize = 8;
/// Rows and steps that are converted before they are multiplied, to bound the memory for them.
pub(crate) const CONVERTED_BLOCK: usize = 4096;
/// Parts of each operand that threads convert.
pub(crate) const CONVERTED_PARTS: usize = 256;

// Images.

/// Bytes of the patches of some windows that stay in the first-level cache beside the operand that they are multiplied
/// with. `compare lenet`.
pub(crate) const PATCH_BYTES: usize = 20_000;

// Rows.

/// Bytes of rows that are prefetched before a row is gathered, but `PREFETCH_ROWS` at least and at most.
/// `bench "rows of"`.
pub(crate) const PREFETCH_BYTES: usize = 2048;
/// The fewest and the most rows that are prefetched. `bench "rows of"`.
pub(crate) const PREFETCH_ROWS: (usize, usize) = (2, 16);
/// Bytes of a matrix from which its rows are prefetched. Smaller ones stay in a cache, where prefetching costs up to 17
/// %; beyond, bytes are gathered in about half of the time, f32 hardly faster, because bandwidth limits it. `bench
/// "rows of"`.
pub(crate) const LEAST_PREFETCHED_MATRIX: usize = 16 << 20;
/// Numbers of a block of softmax, unless one row has more: they stay in the first-level cache. `bench softmax`.
pub(crate) const SOFTMAX_NUMBERS: usize = 4096;
/// Rows of a block of softmax, at most: their maxima and sums are on the stack. `bench softmax`.
pub(crate) const SOFTMAX_ROWS: usize = 64;
/// Columns up to which softmax cross-entropy uses a smaller buffer: to clear the large one would take longer than the
/// rest for a few classes. `bench softmax`.
pub(crate) const FEW_CLASSES: usize = 4;
