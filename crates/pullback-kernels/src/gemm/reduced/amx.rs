//! The tile registers of AMX, by assembly: stable Rust has no intrinsics for them.
//!
//! The registers and their configuration belong to a thread. The compiler never uses them, and does not know that one
//! statement below writes what the next one reads; but statements that may touch memory keep their order.

use super::pack::SIDE;
use super::tiles::{TileConfiguration, Tiles};
use core::arch::asm;
use core::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};

/// Proof that this thread may use tile registers.
#[derive(Debug)]
pub(super) struct Amx;

// SAFETY: each method is one instruction, on the registers and memory that the trait names.
unsafe impl Tiles for Amx {
    #[inline(always)]
    unsafe fn start(&mut self, configuration: &TileConfiguration) {
        // SAFETY: the trait's contract; the operand is 64 bytes.
        unsafe { asm!("ldtilecfg [{}]", in(reg) configuration, options(nostack, preserves_flags)) }
    }
    #[inline(always)]
    unsafe fn zero<const TILE: usize>(&mut self) {
        // SAFETY: the trait's contract.
        unsafe { asm!("tilezero tmm{}", const TILE, options(nostack, preserves_flags)) }
    }
    #[inline(always)]
    unsafe fn load<const TILE: usize>(&mut self, from: *const u8, stride: usize) {
        // SAFETY: the trait's contract.
        unsafe {
            asm!(
                "tileloadd tmm{tile}, [{from} + {stride}*1]",
                tile = const TILE, from = in(reg) from, stride = in(reg) stride,
                options(nostack, preserves_flags)
            );
        }
    }
    #[inline(always)]
    unsafe fn store<const TILE: usize>(&self, to: *mut u8, stride: usize) {
        // SAFETY: the trait's contract.
        unsafe {
            asm!(
                "tilestored [{to} + {stride}*1], tmm{tile}",
                tile = const TILE, to = in(reg) to, stride = in(reg) stride,
                options(nostack, preserves_flags)
            );
        }
    }
    #[inline(always)]
    fn prefetch_tile(&self, from: *const u32) {
        for line in 0..SIDE {
            // SAFETY: a prefetch does not read: any address is valid.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(line * SIDE).cast()) };
        }
    }
    #[inline(always)]
    fn prefetch_line(&self, from: *const u32) {
        // SAFETY: as above.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.cast()) };
    }
    #[inline(always)]
    fn prefetch_to_write(&self, to: *const f32) {
        // SAFETY: a prefetch does not write: any address is valid.
        unsafe { asm!("prefetchw [{}]", in(reg) to, options(nostack, preserves_flags)) };
    }
    #[inline(always)]
    unsafe fn add_products<const SUMS: usize, const LEFT: usize, const RIGHT: usize>(&mut self) {
        // SAFETY: the trait's contract.
        unsafe {
            asm!(
                "tdpbf16ps tmm{}, tmm{}, tmm{}",
                const SUMS, const LEFT, const RIGHT,
                options(nostack, preserves_flags)
            );
        }
    }
    #[inline(always)]
    unsafe fn end(&mut self) {
        // SAFETY: the trait's contract.
        unsafe { asm!("tilerelease", options(nostack, preserves_flags)) }
    }
}
