//! bf16: the upper half of an f32, with its range and 8 significant bits.

/// The nearest bf16, ties to the one with an even last bit; NaN stays one.
#[inline(always)]
pub(crate) fn rounded(x: f32) -> u16 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    // A NaN must not be rounded up to another number: it is made quiet instead.
    (if x.is_nan() { bits >> 16 | 0x40 } else { nearest }) as u16
}

/// As f32, exactly.
#[inline(always)]
pub(crate) fn widened(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

/// The nearest number of bf16, as f32.
#[inline(always)]
pub(crate) fn to_bf16(x: f32) -> f32 {
    widened(rounded(x))
}

/// Returns the nearest bf16 and leaves the rest of the number in `x`, which is exact.
///
/// For a number too large for bf16, it is the largest bf16; for infinity and NaN, the rest is zero.
#[inline(always)]
pub(crate) fn take_part(x: &mut f32) -> u16 {
    let mut part = rounded(flushed(*x));
    if widened(part).is_infinite() && x.is_finite() {
        part -= 1;
    }
    *x = if x.is_finite() { *x - widened(part) } else { 0.0 };
    part
}

/// The number, or zero of its sign if it is below 2^-126.
#[inline(always)]
pub(crate) fn flushed(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0_f32.copysign(x) } else { x }
}
