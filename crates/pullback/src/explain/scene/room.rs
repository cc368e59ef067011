//! The room that texts take: about how wide they are, and where nothing stands yet.

use super::{Anchor, Figure, Size};
use crate::report::names;

/// The width of a column of text as a share of its height: digits take less in most fonts, those of wide bold ones more.
const COLUMN: f64 = 0.62;
/// How far a text reaches above and below its baseline, as a share of its height.
const ABOVE: f64 = 0.78;
const BELOW: f64 = 0.22;

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    /// That of a text.
    pub(super) fn of_text([x, y]: [f64; 2], anchor: Anchor, size: f64, text: &str) -> Self {
        let width = width(text, size);
        let left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        Self { left, top: y - size * ABOVE, right: left + width, bottom: y + size * BELOW }
    }

    /// That of a figure with a text; absent for a line and for what moves.
    pub(super) fn of(figure: &Figure, text: &str) -> Option<Self> {
        match *figure {
            Figure::Circle { x, y, r } => Some(Self { left: x - r, top: y - r, right: x + r, bottom: y + r }),
            Figure::Box { x, y, width, height } | Figure::Pixels { x, y, width, height, .. } => {
                Some(Self { left: x, top: y, right: x + width, bottom: y + height })
            }
            Figure::Text { x, y, anchor, size } => Some(Self::of_text([x, y], anchor, size, text)),
            Figure::Line { .. } | Figure::Way { .. } => None,
        }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    pub(super) fn is_inside(&self, size: Size) -> bool {
        self.left >= 0.0 && self.top >= 0.0 && self.right <= size.width && self.bottom <= size.height
    }
}

/// About how wide a text is.
pub(super) fn width(text: &str, size: f64) -> f64 {
    names::columns_drawn(text) as f64 * size * COLUMN
}

/// A text that is no wider than `room`: its beginning and "…" if it is longer.
pub(super) fn shortened(text: &str, size: f64, room: f64) -> String {
    names::shortened(text, columns(size, room), MARK, names::columns_drawn)
}

/// Texts that are no wider than `room`, and differ where the given ones do.
pub(super) fn shortened_apart(texts: &[&str], size: f64, room: f64) -> Vec<String> {
    names::shortened_apart(texts, columns(size, room), MARK, names::columns_drawn)
}

/// What stands for the rest of a text.
const MARK: char = '…';

/// How many columns of a text there is room for.
fn columns(size: f64, room: f64) -> usize {
    (room / (size * COLUMN)) as usize
}

/// The largest size of a text, of at most `most`, that is no wider than `room`; not less than `least`.
pub(super) fn fitting(text: &str, most: f64, least: f64, room: f64) -> f64 {
    (room / width(text, 1.0).max(COLUMN)).clamp(least.min(most), most)
}
