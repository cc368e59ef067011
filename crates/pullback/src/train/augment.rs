//! Changes of images that keep what they show: while it trains, a network sees each image a little otherwise in each
//! epoch.
//!
//! What is drawn has an address, (seed, epoch, row), so that no order of rows and no number of threads changes it.

use crate::error::{Error, Result};
use crate::network::Image;
use crate::random::{Purpose, Random};
use pullback_kernels::Real;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How far images are shifted where only `shift` is said.
const USUAL_SHIFT: usize = 2;

/// What is changed in the images of a step, as text: `none`, or `shift:2`, `flip`, or both with a comma.
///
/// ```
/// use pullback::train::Augmentation;
/// let augmentation: Augmentation = "shift:3,flip".parse()?;
/// assert_eq!(augmentation, Augmentation { shift: 3, flip: true });
/// assert_eq!(augmentation.to_string(), "shift:3,flip");
/// # Ok::<(), pullback::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Augmentation {
    /// By how many pixels an image is shifted at most, along each axis. What comes in at a border is like the border.
    pub shift: usize,
    /// Whether left and right are exchanged in half of the images.
    pub flip: bool,
}

impl Augmentation {
    /// Whether nothing is changed.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What it does, in words.
    pub fn describe(&self) -> String {
        let shift = match self.shift {
            0 => None,
            1 => Some("shifted by up to 1 pixel".to_owned()),
            pixels => Some(format!("shifted by up to {pixels} pixels")),
        };
        let flip = self.flip.then(|| "half of them flipped, left for right".to_owned());
        match shift.into_iter().chain(flip).collect::<Vec<_>>() {
            parts if parts.is_empty() => "not at all".to_owned(),
            parts => parts.join(", "),
        }
    }

    /// # Errors
    /// If inputs are no images, or so small that a shift could leave nothing of them.
    pub(super) fn check(&self, image: Option<Image>) -> Result<()> {
        if self.is_none() {
            return Ok(());
        }
        let Some(Image { height, width, .. }) = image else {
            return Err(Error::configuration("only images can be augmented, and the inputs are none").help(
                "leave augmentation out; or say what shape an example has: `image = { height = 8, width = 8 }` in \
                 the [network] table",
            ));
        };
        if self.shift >= height.min(width) {
            return Err(Error::configuration(format!(
                "a shift by {} pixels leaves nothing of an image of {height}x{width}",
                self.shift
            ))
            .help("take a smaller shift, for example 2"));
        }
        Ok(())
    }

    /// Changes the images of some rows, `[rows, height * width * channels]`, as they are seen in an epoch. `scratch`
    /// holds one of them.
    pub(super) fn apply<T: Real>(
        &self,
        image: Image,
        (seed, epoch): (u64, usize),
        rows: &[usize],
        numbers: &mut [T],
        scratch: &mut Vec<T>,
    ) {
        let random = Random::new(seed, Purpose::Augmentation, epoch as u32);
        let Image { height, width, channels } = image;
        let size = height * width * channels;
        for (&row, image) in rows.iter().zip(numbers.chunks_exact_mut(size)) {
            let draw = |number: u64| random.uniform(NUMBERS_PER_ROW * row as u64 + number);
            let shift =
                |number: u64| (draw(number) * (2 * self.shift + 1) as f64) as isize - self.shift as isize;
            let (down, right) = (shift(0), shift(1));
            let is_flipped = self.flip && draw(2) < 0.5;
            if (down, right, is_flipped) == (0, 0, false) {
                continue;
            }
            scratch.clear();
            scratch.extend_from_slice(image);
            let from = |to: usize, shift: isize, extent: usize| {
                (to as isize - shift).clamp(0, extent as isize - 1) as usize
            };
            for (i, line) in image.chunks_exact_mut(width * channels).enumerate() {
                let own = &scratch[from(i, down, height) * width * channels..][..width * channels];
                for (j, pixel) in line.chunks_exact_mut(channels).enumerate() {
                    let j = from(j, right, width);
                    let j = if is_flipped { width - 1 - j } else { j };
                    pixel.copy_from_slice(&own[j * channels..][..channels]);
                }
            }
        }
    }
}

/// The numbers that are drawn for a row: two shifts, and whether it is flipped.
const NUMBERS_PER_ROW: u64 = 4;

impl FromStr for Augmentation {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let mut found = Self::default();
        if text.trim() == "none" {
            return Ok(found);
        }
        for part in text.split(',').map(str::trim) {
            match part.split_once(':') {
                None if part == "flip" => found.flip = true,
                None if part == "shift" => found.shift = USUAL_SHIFT,
                Some(("shift", pixels)) => {
                    found.shift = pixels.trim().parse().map_err(|_| {
                        Error::configuration(format!("`{pixels}` is not a number of pixels"))
                            .help("write a whole number, for example `shift:2`")
                    })?;
                }
                _ => return Err(Error::unknown_name("augmentation", part, ["shift", "flip", "none"])),
            }
        }
        Ok(found)
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { shift: 0, flip: false } => f.write_str("none"),
            Self { shift: 0, flip: true } => f.write_str("flip"),
            Self { shift, flip: false } => write!(f, "shift:{shift}"),
            Self { shift, flip: true } => write!(f, "shift:{shift},flip"),
        }
    }
}

impl From<Augmentation> for String {
    fn from(augmentation: Augmentation) -> Self {
        augmentation.to_string()
    }
}

impl TryFrom<String> for Augmentation {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: Error| error.one_line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Image = Image { height: 3, width: 4, channels: 2 };

    fn augmented(augmentation: Augmentation, place: (u64, usize), rows: &[usize]) -> Vec<f64> {
        let one: Vec<f64> = (0..24).map(f64::from).collect();
        let mut numbers = one.repeat(rows.len());
        augmentation.apply(IMAGE, place, rows, &mut numbers, &mut Vec::new());
        numbers
    }

    /// The first channel of an image, whose second is larger by one.
    fn pixels(image: &[f64]) -> Vec<i32> {
        assert!(image.chunks_exact(2).all(|pixel| pixel[1] == pixel[0] + 1.0), "channels stay together");
        image.iter().step_by(2).map(|number| *number as i32 / 2).collect()
    }

    #[test]
    fn images_are_shifted_and_flipped_as_wholes() {
        // Of the pixels 0 to 11 in three rows of four.
        let expected = |down: isize, right: isize, is_flipped: bool| -> Vec<i32> {
            let mut all = Vec::new();
            for i in 0..3_isize {
                for j in 0..4_isize {
                    let (i, j) = ((i - down).clamp(0, 2), (j - right).clamp(0, 3));
                    all.push((i * 4 + if is_flipped { 3 - j } else { j }) as i32);
                }
            }
            all
        };
        let all: Vec<Vec<i32>> = [-1, 0, 1]
            .into_iter()
            .flat_map(|down| [-1, 0, 1].map(|right| (down, right)))
            .flat_map(|(down, right)| [false, true].map(|flip| expected(down, right, flip)))
            .collect();
        let rows: Vec<usize> = (0..2000).collect();
        let numbers = augmented(Augmentation { shift: 1, flip: true }, (7, 3), &rows);
        let mut counts = vec![0; all.len()];
        for image in numbers.chunks_exact(24) {
            let found = pixels(image);
            counts[all.iter().position(|own| *own == found).expect("one of the 18 that there are")] += 1;
        }
        // 2000 / 18 = 111, whose deviation is 10.
        assert!(counts.iter().all(|count| (71..=151).contains(count)), "{counts:?}");
    }

    #[test]
    fn what_a_row_becomes_depends_on_seed_epoch_and_row_alone() {
        let augmentation = Augmentation { shift: 2, flip: true };
        let rows: Vec<usize> = (0..50).collect();
        let all = augmented(augmentation, (1, 2), &rows);
        for row in rows {
            assert_eq!(augmented(augmentation, (1, 2), &[row]), all[row * 24..][..24]);
        }
        let others: Vec<usize> = (0..50).collect();
        assert_ne!(augmented(augmentation, (2, 2), &others), all);
        assert_ne!(augmented(augmentation, (1, 3), &others), all);
    }

    #[test]
    fn texts_are_read_and_refused() {
        for text in ["none", "flip", "shift:1", "shift:3,flip"] {
            assert_eq!(text.parse::<Augmentation>().unwrap().to_string(), text);
        }
        assert_eq!("flip, shift".parse::<Augmentation>().unwrap(), Augmentation { shift: 2, flip: true });
        for (text, error) in
            [("flop", "there is no augmentation `flop`"), ("shift:x", "`x` is not a number of pixels")]
        {
            let found = text.parse::<Augmentation>().unwrap_err().to_string();
            assert!(found.contains(error), "{found}");
        }
    }
}
