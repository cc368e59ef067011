//! In which precision f32 matrices are multiplied.

use crate::Isa;
use crate::dispatch::Set;

/// How the product of two f32 matrices is computed. Operands, output and sums are f32 in all of them.
///
/// Let m = sum of |a| |b| over the depth k of an output number, its start included, and u = 2^-24, half the
/// distance from 1 to the next f32. Then the error of the number is at most, if nothing overflows,
///
/// | precision | error | multiply-adds of bf16 |
/// |---|---|---|
/// | [`F32`](Self::F32) | k u m | |
/// | [`Bf16`](Self::Bf16) | (2^-7 + 2^-16) m + s m | 1 |
/// | [`Bf16x3`](Self::Bf16x3) | 2^-23 m + 6 s m | 6 |
///
/// where s = (k + 1) u, or (18 + k / 32) u in tiles of AMX; beside it, AMX and AVX-512-BF16 take numbers and
/// sums below 2^-126 for zero, which costs at most 2^-125 (|a| + |b| + 1) for each of the k terms.
/// A test holds all of it against f64.
///
/// The bits of the two latter depend on the instruction set: one set each of bits for AMX and its emulation,
/// for AVX-512-BF16, and for all others. They do not depend on the number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// f32: the same bits on every instruction set.
    #[default]
    F32,
    /// Operands are rounded to bf16: f32's range with 8 significant bits.
    ///
    /// Tiles of AMX or AVX-512-BF16 multiply them; elsewhere they are widened again, which gains no time.
    Bf16,
    /// Each number is written as the exact sum of three of bf16, and all pairs but the three smallest are
    /// multiplied: as exact as f32, and faster in tiles of AMX. Without AMX, it is f32 itself, which is faster.
    Bf16x3,
}

impl Precision {
    /// What computes such products on an instruction set, in a word: its name where it has instructions for
    /// them, `conversion` to f32 where not, `f32` where that is better.
    pub fn engine(self, isa: Isa) -> &'static str {
        match (self, isa.0) {
            #[cfg(target_arch = "x86_64")]
            (Self::Bf16 | Self::Bf16x3, Set::Amx) => isa.name(),
            (Self::Bf16 | Self::Bf16x3, Set::AmxEmulated) => isa.name(),
            #[cfg(target_arch = "x86_64")]
            (Self::Bf16, Set::Avx512Bf16) => isa.name(),
            (Self::Bf16, _) => "conversion",
            (Self::F32 | Self::Bf16x3, _) => "f32",
        }
    }
}
