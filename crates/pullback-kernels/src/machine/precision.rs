//! In which precision f32 matrices are multiplied.

use super::{Isa, Set};

/// How the product of two f32 matrices is computed. Operands, output and sums are f32 in all of them.
///
/// Let m be the sum of |a| |b| over the k terms of an output number, and u = 2^-24, half the distance from 1 to
/// the next f32. Then, if nothing overflows, the number errs at most by
///
/// | precision | in tiles of AMX | elsewhere |
/// |---|---|---|
/// | [`F32`](Self::F32) | k u m | k u m |
/// | [`Bf16`](Self::Bf16) | (2^-7 + 2^-16) m + (18 + k / 32) u m | (2^-7 + 2^-16) m + (k + 1) u m |
/// | [`Bf16x3`](Self::Bf16x3) | 2^-23 m + (24 + k / 5) u m | k u m |
///
/// In addition, AMX and AVX-512-BF16 replace numbers and sums below 2^-126 by zero, which adds an error of at most
/// 2^-123 (|a| + |b| + 1) for each term. A test checks all bounds against f64.
///
/// The bits of `Bf16` and `Bf16x3` depend on the instruction set: AMX and its emulation have one result,
/// AVX-512-BF16 has one, and all others have one. They do not depend on the number of threads. Products of
/// fewer than 16 rows, columns or terms, where conversion takes longer than it gains, are those of `F32`.
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
    /// multiplied: as exact as f32, and faster in tiles of AMX. Without AMX, it is computed in f32, which is faster.
    ///
    /// Parts up to 2^-126 are lost, and an infinity may become NaN.
    Bf16x3,
}

impl Precision {
    /// Whether the target computes in less than full precision. In WebAssembly nothing would be faster for it, and each
    /// byte of the program is sent: there, all is computed in f32.
    pub(crate) const HAS_REDUCED: bool = !cfg!(target_family = "wasm");

    /// What computes such products on an instruction set: its name if it has instructions for them, else
    /// `conversion` (to f32), or `f32` where that is better.
    pub fn engine(self, isa: Isa) -> &'static str {
        match (self, isa.0) {
            _ if !Self::HAS_REDUCED => "f32",
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
