//! Points of a plane in classes: the generated sets that one can draw, with as many points and as much noise as wanted.

use super::direction;
use crate::data::{Categories, Column, Table, Values};
use crate::error::{Error, Result};
use crate::random::{Purpose, Random};

/// Makes so many points; noise of 1 is the usual one.
type Make = fn(&Random, u64, f64) -> Vec<Column>;

/// All, with their names.
const MAKERS: [(&str, Make); 7] = [
    ("circles", circles),
    ("xor", xor),
    ("moons", moons),
    ("spiral", spiral),
    ("gaussians", gaussians),
    ("linear", linear),
    ("blobs", blobs),
];

/// The names of the sets that [`plane`] makes.
pub const PLANE: [&str; MAKERS.len()] = {
    let mut names = [""; MAKERS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = MAKERS[at].0;
        at += 1;
    }
    names
};

/// The most points: from here on, random numbers would be used twice.
const MOST_POINTS: u64 = 3000;

/// A table of points of a plane and their classes, drawn from `seed`. `noise` is a factor of the usual one.
///
/// Of the names that [`ALL`](super::ALL) has too, the usual number of points and a noise of 1 make the same table;
/// but `xor` there is the four rows of a truth table, and here its quadrants.
///
/// ```
/// use pullback::data::builtin;
/// let spiral = builtin::plane("spiral", 1000, 1.0, 7)?;
/// assert_eq!(spiral, builtin::load("spiral", 7)?);
/// assert_eq!(builtin::plane("gaussians", 200, 0.5, 7)?.rows(), 200);
/// # Ok::<(), pullback::Error>(())
/// ```
///
/// # Errors
/// If there is no such set, there are no or too many points, or the noise is negative or not finite.
pub fn plane(name: &str, points: usize, noise: f64, seed: u64) -> Result<Table> {
    let Some((_, make)) = MAKERS.iter().find(|(own, _)| *own == name) else {
        return Err(Error::data(format!("there are no points `{name}`")).unknown(name, PLANE));
    };
    if !(2..=MOST_POINTS).contains(&(points as u64)) {
        return Err(Error::configuration(format!("{points} points cannot be made"))
            .help(format!("give from 2 to {MOST_POINTS}")));
    }
    if !(noise >= 0.0 && noise.is_finite()) {
        return Err(
            Error::configuration(format!("the noise is {noise}")).help("give zero or a positive number")
        );
    }
    let columns = make(&Random::new(seed, Purpose::Data, 0), points as u64, noise);
    let target = columns[2].name.clone();
    Table::new(name, columns)?.with_target(&target)
}

/// Two numbers a row and the class of the row.
fn points(class: &str, rows: impl Iterator<Item = (f64, f64, &'static str)>) -> Vec<Column> {
    let rows: Vec<_> = rows.collect();
    vec![
        Column::new("x", Values::Numbers(rows.iter().map(|row| row.0).collect())),
        Column::new("y", Values::Numbers(rows.iter().map(|row| row.1).collect())),
        Column::new(class, Values::Categories(Categories::from_texts(rows.iter().map(|row| Some(row.2))))),
    ]
}

pub(super) fn circles(random: &Random, count: u64, noise: f64) -> Vec<Column> {
    let rows = (0..count).map(|row| {
        let (radius, class) = if row % 2 == 0 { (1.0, "outer") } else { (0.5, "inner") };
        let (x, y) = direction(random.uniform(3 * row));
        let noise = |at: u64| noise * 0.08 * random.normal(10_000 + 2 * row + at);
        (radius * x + noise(0), radius * y + noise(1), class)
    });
    points("ring", rows)
}

/// Points of a square; those of two opposite quadrants are of one class.
fn xor(random: &Random, count: u64, noise: f64) -> Vec<Column> {
    let rows = (0..count).map(|row| {
        let side = |at: u64| {
            let place = 2.0 * random.uniform(2 * row + at) - 1.0;
            place + 0.08 * place.signum()
        };
        let (x, y) = (side(0), side(1));
        let class = if (x > 0.0) == (y > 0.0) { "same" } else { "other" };
        let noise = |at: u64| noise * 0.08 * random.normal(10_000 + 2 * row + at);
        (x + noise(0), y + noise(1), class)
    });
    points("signs", rows)
}

pub(super) fn moons(random: &Random, count: u64, noise: f64) -> Vec<Column> {
    let rows = (0..count).map(|row| {
        let (x, y) = direction(random.uniform(3 * row) / 2.0);
        let noise = |at: u64| noise * 0.1 * random.normal(10_000 + 2 * row + at);
        let (x, y, class) = if row % 2 == 0 { (x, y, "upper") } else { (1.0 - x, 0.5 - y, "lower") };
        (x + noise(0), y + noise(1), class)
    });
    points("moon", rows)
}

pub(super) fn spiral(random: &Random, count: u64, noise: f64) -> Vec<Column> {
    let last = ((count / 2) as f64 - 1.0).max(1.0);
    let rows = (0..count).map(|row| {
        let along = (row / 2) as f64 / last;
        let (start, class) = if row % 2 == 0 { (0.0, "first") } else { (0.5, "second") };
        let (x, y) = direction(start + 1.75 * along);
        let noise = |at: u64| noise * 0.015 * random.normal(2 * row + at);
        let radius = 0.1 + 0.9 * along;
        (radius * x + noise(0), radius * y + noise(1), class)
    });
    points("arm", rows)
}

/// Two clouds side by side.
fn gaussians(random: &Random, count: u64, noise: f64) -> Vec<Column> {
    let rows = (0..count).map(|row| {
        let (center, class) = if row % 2 == 0 { (1.0, "right") } else { (-1.0, "left") };
        let noise = |at: u64| noise * 0.5 * random.normal(2 * row + at);
        (center + noise(0), center + noise(1), class)
    });
    points("cloud", rows)
}

/// Points of a square on either side of a line.
fn linear(random: &Random, count: u64, noise: f64) -> Vec<Column> {
    let rows = (0..count).map(|row| {
        let place = |at: u64| 2.0 * random.uniform(2 * row + at) - 1.0;
        let (x, y) = (place(0), place(1));
        let class = if x + 0.5 * y > 0.0 { "right" } else { "left" };
        let noise = |at: u64| noise * 0.05 * random.normal(10_000 + 2 * row + at);
        (x + noise(0), y + noise(1), class)
    });
    points("side", rows)
}

pub(super) fn blobs(random: &Random, count: u64, noise: f64) -> Vec<Column> {
    const CENTERS: [(f64, f64, &str); 4] = [
        (-2.0, -2.0, "southwest"),
        (2.0, -2.0, "southeast"),
        (-2.0, 2.0, "northwest"),
        (2.0, 2.0, "northeast"),
    ];
    let rows = (0..count).map(|row| {
        let (x, y, class) = CENTERS[(row % 4) as usize];
        let noise = |at: u64| noise * 0.7 * random.normal(2 * row + at);
        (x + noise(0), y + noise(1), class)
    });
    points("blob", rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::builtin;

    #[test]
    fn sets_of_one_name_are_one_set() {
        for set in builtin::ALL.iter().filter(|set| PLANE.contains(&set.name) && set.name != "xor") {
            assert_eq!(plane(set.name, set.rows, 1.0, 3).unwrap(), set.load(3).unwrap(), "{}", set.name);
        }
    }

    #[test]
    fn every_set_has_its_points_in_classes() {
        for name in PLANE {
            let table = plane(name, 201, 0.0, 1).unwrap();
            assert_eq!((table.rows(), table.columns().len()), (201, 3), "{name}");
            assert_ne!(plane(name, 201, 1.0, 1).unwrap(), table, "{name}");
        }
        assert_eq!(
            plane("spirals", 9, 1.0, 0).unwrap_err().one_line(),
            "there are no points `spirals`; did you mean `spiral`?"
        );
        assert!(plane("spiral", 1, 1.0, 0).is_err() && plane("spiral", 4000, 1.0, 0).is_err());
        assert!(plane("spiral", 10, f64::NAN, 0).is_err());
    }
}
