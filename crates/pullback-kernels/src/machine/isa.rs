//! The choice of instruction set, made once at run time.
//!
//! A kernel is written once, as a plain loop in a closure that is always inlined; [`Isa::run`] holds it
//! in a function compiled for each instruction set, where the compiler vectorizes it. As no kernel
//! reorders a sum and each `mul_add` rounds once, every set gives the same bits. Only products of reduced
//! [`Precision`](crate::Precision) differ: some sets here differ in nothing but the instructions for them.

#[cfg(target_arch = "x86_64")]
use super::amx;

/// An instruction set that this processor has.
///
/// Only the constructors here make one, and they ask the processor: holding an `Isa` proves that its
/// instructions can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(pub(crate) Set);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Set {
    /// AVX-512 with products of bf16 numbers, and tiles of them.
    #[cfg(target_arch = "x86_64")]
    Amx,
    /// AVX-512 with products of bf16 numbers.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
    /// The portable set, with the tiles of AMX emulated.
    AmxEmulated,
}

/// Every instruction set of this architecture, the fastest first, without the emulation.
const SETS: &[Set] = &[
    #[cfg(target_arch = "x86_64")]
    Set::Amx,
    #[cfg(target_arch = "x86_64")]
    Set::Avx512Bf16,
    #[cfg(target_arch = "x86_64")]
    Set::Avx512,
    #[cfg(target_arch = "x86_64")]
    Set::Avx2,
    #[cfg(target_arch = "aarch64")]
    Set::Neon,
    Set::Portable,
];

impl Set {
    fn is_available(self) -> bool {
        match self {
            // Asked last, because it needs a system call.
            #[cfg(target_arch = "x86_64")]
            Set::Amx => Set::Avx512Bf16.is_available() && amx::is_available(),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16 => Set::Avx512.is_available() && is_x86_feature_detected!("avx512bf16"),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => {
                Set::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("bmi1")
            }
            // Part of every 64-bit ARM processor that Rust compiles for with a standard library.
            #[cfg(target_arch = "aarch64")]
            Set::Neon => true,
            Set::Portable | Set::AmxEmulated => true,
        }
    }
}

impl Isa {
    /// The fastest instruction set of this processor.
    pub fn best() -> Self {
        Self::available().next().expect("the portable set is always available")
    }

    /// The instruction sets of this processor, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        SETS.iter().copied().filter(|set| set.is_available()).map(Self)
    }

    /// The instruction set called `name`, if this processor has it or it is the emulation.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::available().chain([Self::amx_emulated()]).find(|isa| isa.name() == name)
    }

    /// The instruction set without any assumption about the processor.
    pub fn portable() -> Self {
        Self(Set::Portable)
    }

    /// The portable set, with the tiles of AMX emulated for products of reduced precision: slow, but with the bits of
    /// a processor that has AMX.
    pub fn amx_emulated() -> Self {
        Self(Set::AmxEmulated)
    }

    /// `amx`, `avx512_bf16`, `avx512`, `avx2`, `neon`, `portable` or `amx_emulated`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Amx => "amx",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512Bf16 => "avx512_bf16",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Set::Neon => "neon",
            Set::Portable => "portable",
            Set::AmxEmulated => "amx_emulated",
        }
    }

    /// Runs `work` compiled for this instruction set.
    ///
    /// Only what is inlined into `work` is: mark it, and what it calls, `#[inline(always)]`.
    #[inline(always)]
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        match self.0 {
            // SAFETY: an `Isa` is made only by a constructor that found these features.
            #[cfg(target_arch = "x86_64")]
            Set::Amx | Set::Avx512Bf16 | Set::Avx512 => unsafe { run_avx512(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { run_avx2(work) },
            // Its instructions are in the baseline.
            #[cfg(target_arch = "aarch64")]
            Set::Neon => run_baseline(work),
            Set::Portable | Set::AmxEmulated => run_baseline(work),
        }
    }
}

/// A function of its own, as the others are: inlined, its loops would slow down the calls of the others.
#[inline(never)]
fn run_baseline<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// # Safety
/// The processor must have the features named.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
fn run_avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// # Safety
/// The processor must have the features named.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}
