//! What the tile registers of AMX do, in plain Rust, after the pseudo-code of Intel's Software Developer's
//! Manual, volume 2: on any processor it gives the bits of AMX, and tests of `tiles` use it.

use super::pack::SIDE;
use super::tiles::{TileConfiguration, Tiles};
use crate::Isa;
use crate::number::bf16::flushed;

/// Eight tile registers in memory.
#[derive(Debug)]
pub(super) struct Emulated {
    configuration: Option<TileConfiguration>,
    registers: [[[u32; SIDE]; SIDE]; 8],
    isa: Isa,
}

impl Emulated {
    /// Registers that are not configured yet.
    pub(super) fn new() -> Self {
        Self { configuration: None, registers: [[[0; SIDE]; SIDE]; 8], isa: Isa::best() }
    }

    /// The rows of a register, and the words of each.
    fn size(&self, tile: usize) -> (usize, usize) {
        let configuration = self.configuration.as_ref().expect("#UD: tiles are not configured");
        let (rows, bytes) = (configuration.rows[tile], configuration.row_bytes[tile]);
        assert!(rows > 0 && bytes > 0, "#UD: tile {tile} has no size");
        (usize::from(rows), usize::from(bytes) / size_of::<u32>())
    }
}

// SAFETY: needs no instructions; reads and writes the rows that the trait names.
unsafe impl Tiles for Emulated {
    unsafe fn start(&mut self, configuration: &TileConfiguration) {
        let TileConfiguration { palette, start_row, reserved, row_bytes, rows } = configuration;
        // What LDTILECFG raises #GP for.
        assert_eq!((*palette, *start_row), (1, 0), "#GP: no such palette, or a start row");
        assert!(reserved.iter().all(|byte| *byte == 0), "#GP: reserved bytes");
        for (tile, (&rows, &bytes)) in rows.iter().zip(row_bytes).enumerate() {
            let limits = if tile < 8 { (16, 64) } else { (0, 0) };
            assert!(
                rows <= limits.0 && bytes <= limits.1,
                "#GP: tile {tile} of {rows} rows of {bytes} bytes"
            );
            assert_eq!(rows == 0, bytes == 0, "#GP: tile {tile} has rows or bytes only");
        }
        self.configuration = Some(*configuration);
        self.registers = [[[0; SIDE]; SIDE]; 8];
    }

    unsafe fn zero<const TILE: usize>(&mut self) {
        self.size(TILE);
        self.registers[TILE] = [[0; SIDE]; SIDE];
    }

    unsafe fn load<const TILE: usize>(&mut self, from: *const u8, stride: usize) {
        let (rows, words) = self.size(TILE);
        self.registers[TILE] = [[0; SIDE]; SIDE];
        for (i, row) in self.registers[TILE].iter_mut().enumerate().take(rows) {
            for (j, word) in row.iter_mut().enumerate().take(words) {
                // SAFETY: a row of the tile.
                *word = unsafe { from.add(i * stride).cast::<u32>().add(j).read_unaligned() };
            }
        }
    }

    unsafe fn store<const TILE: usize>(&self, to: *mut u8, stride: usize) {
        let (rows, words) = self.size(TILE);
        for (i, row) in self.registers[TILE].iter().enumerate().take(rows) {
            for (j, word) in row.iter().enumerate().take(words) {
                // SAFETY: a row of the tile.
                unsafe { to.add(i * stride).cast::<u32>().add(j).write_unaligned(*word) };
            }
        }
    }

    fn prefetch_tile(&self, _from: *const u32) {}
    fn prefetch_line(&self, _from: *const u32) {}
    fn prefetch_to_write(&self, _to: *const f32) {}

    /// TDPBF16PS: for each number of the output, the even steps and the odd ones make a chain of fused
    /// multiply-adds each, from zero; their sum is added to the number. Rounded to nearest even each time,
    /// numbers below 2^-126 count as zero before and after.
    unsafe fn add_products<const SUMS: usize, const LEFT: usize, const RIGHT: usize>(&mut self) {
        let (sums, left, right) = (self.size(SUMS), self.size(LEFT), self.size(RIGHT));
        // What TDPBF16PS raises #UD for.
        assert!(SUMS != LEFT && LEFT != RIGHT && RIGHT != SUMS, "#UD: a tile is used twice");
        assert!(
            sums.0 == left.0 && sums.1 == right.1 && left.1 == right.0,
            "#UD: sizes do not fit: {sums:?} += {left:?} @ {right:?}"
        );
        let (a, b) = (self.registers[LEFT], self.registers[RIGHT]);
        let c = &mut self.registers[SUMS];
        self.isa.run(
            #[inline(always)]
            || {
                for (c, a) in c.iter_mut().zip(&a).take(sums.0) {
                    let mut chains = [[0.0_f32; SIDE]; 2];
                    for (a, b) in a.iter().zip(&b).take(right.0) {
                        let left = [low(*a), high(*a)].map(flushed);
                        for (chain, b) in chains[0].iter_mut().zip(b) {
                            *chain = flushed(left[0].mul_add(flushed(low(*b)), *chain));
                        }
                        for (chain, b) in chains[1].iter_mut().zip(b) {
                            *chain = flushed(left[1].mul_add(flushed(high(*b)), *chain));
                        }
                    }
                    for (n, c) in c.iter_mut().enumerate().take(sums.1) {
                        let sum = flushed(chains[0][n] + chains[1][n]);
                        *c = flushed(flushed(f32::from_bits(*c)) + sum).to_bits();
                    }
                }
            },
        );
    }

    unsafe fn end(&mut self) {
        self.configuration = None;
    }
}

/// The bf16 in the lower half of a word, as f32.
#[inline(always)]
fn low(word: u32) -> f32 {
    f32::from_bits(word << 16)
}

/// The bf16 in the upper half of a word, as f32.
#[inline(always)]
fn high(word: u32) -> f32 {
    f32::from_bits(word & 0xffff_0000)
}
