//! Whether AMX, with its registers of tiles, can be used.

use core::arch::asm;

/// Whether this process may use tiles of bf16: the processor has them, the system saves them, and permits it.
pub(crate) fn is_available() -> bool {
    static ANSWER: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ANSWER.get_or_init(|| processor_has_tiles() && system_saves_tiles() && system_permits_tiles())
}

/// Intel, Software Developer's Manual, volume 2A, CPUID: leaf 7 has a bit for tiles and one for bf16 in
/// them, leaf 0x1d says how large palette 1 is.
fn processor_has_tiles() -> bool {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    if __cpuid(0).eax < 0x1d {
        return false;
    }
    let (has_bf16, has_tiles) = (1 << 22, 1 << 24);
    if __cpuid_count(7, 0).edx & (has_bf16 | has_tiles) != has_bf16 | has_tiles {
        return false;
    }
    if __cpuid_count(0x1d, 0).eax < 1 {
        return false;
    }
    let palette = __cpuid_count(0x1d, 1);
    let (row_bytes, registers, rows) = (palette.ebx & 0xffff, palette.ebx >> 16, palette.ecx & 0xffff);
    row_bytes >= 64 && registers >= 8 && rows >= 16
}

/// Bits 17 and 18 of XCR0: the system saves the layout and the contents of tiles with a thread.
fn system_saves_tiles() -> bool {
    use core::arch::x86_64::{__cpuid, _xgetbv};
    const SAVES_TILES: u64 = 3 << 17;
    #[target_feature(enable = "xsave")]
    fn saved() -> u64 {
        // SAFETY: the system has enabled XGETBV, or the caller would not be here.
        unsafe { _xgetbv(0) }
    }
    let has_xgetbv = __cpuid(1).ecx & (1 << 27) != 0;
    // SAFETY: the processor has the instruction and the system has enabled it.
    has_xgetbv && unsafe { saved() } & SAVES_TILES == SAVES_TILES
}

/// Asks Linux to let the threads of this process use tiles (Documentation/arch/x86/xstate.rst): without
/// that, their first use ends the process.
#[cfg(target_os = "linux")]
fn system_permits_tiles() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const TILE_DATA: u64 = 18;
    let outcome: i64;
    // SAFETY: the system call changes what threads of this process may do, and no memory.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => outcome,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILE_DATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        );
    }
    outcome == 0
}

/// Not tried on other systems.
#[cfg(not(target_os = "linux"))]
fn system_permits_tiles() -> bool {
    false
}
