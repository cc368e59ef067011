//! A curve drawn with characters.

use super::number::figure;
use crate::catalog::Catalog;
use pullback_kernels::Real;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// One line of a drawing: a number for each step along the horizontal axis.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// What it is.
    pub name: &'a str,
    /// The numbers; those that are not finite are left out.
    pub values: &'a [f64],
    /// The character that draws it, if not by dots.
    pub mark: char,
}

/// The widths of the numbers beside the vertical axis.
const LABEL: usize = 10;
/// From which ratio of the largest to the smallest number the scale is logarithmic.
const LOGARITHMIC_FROM: f64 = 20.0;

/// Draws series over epochs 1, 2, ..., `width` by `height` characters, the axes included; the last
/// line says which mark is which. Where marks meet, the later series is seen. Positive numbers of which
/// the largest is twenty times the smallest are drawn on a logarithmic scale.
///
/// Returns nothing if there is nothing to draw.
pub fn curve(series: &[Series<'_>], width: usize, height: usize, catalog: &Catalog) -> String {
    let finite = || series.iter().flat_map(|one| one.values).copied().filter(|value| value.is_finite());
    let (low, high) =
        finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let steps = series.iter().map(|one| one.values.len()).max().unwrap_or(0);
    if steps < 2 || low > high {
        return String::new();
    }
    let columns = width.saturating_sub(LABEL + 2).max(2);
    let rows = height.saturating_sub(3).max(2);
    let is_logarithmic = low > 0.0 && high / low >= LOGARITHMIC_FROM;
    let scale = |x: f64| if is_logarithmic { Real::ln(x) } else { x };
    let unscale = |x: f64| if is_logarithmic { Real::exp(x) } else { x };
    let (low, high) = (scale(low), scale(high));
    let span = if high > low { high - low } else { 1.0 };
    let mut cells = vec![vec![' '; columns]; rows];
    for one in series {
        for (column, row) in (0..columns).filter_map(|column| {
            // The mean of the steps that fall into the column, or the step that it falls into.
            let from = column * steps / columns;
            let to = ((column + 1) * steps / columns).max(from + 1);
            let values: Vec<f64> = one
                .values
                .get(from..to.min(one.values.len()))?
                .iter()
                .copied()
                .filter(|x| x.is_finite())
                .map(scale)
                .collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (!values.is_empty())
                .then(|| (column, ((high - mean) / span * (rows - 1) as f64).round() as usize))
        }) {
            cells[row.min(rows - 1)][column] = one.mark;
        }
    }
    let mut text = String::new();
    for (row, cells) in cells.iter().enumerate() {
        let value = high - span * row as f64 / (rows - 1) as f64;
        let label = if row == 0 || row == rows - 1 || row == rows / 2 {
            figure(unscale(value))
        } else {
            String::new()
        };
        let line: String = cells.iter().collect();
        let _ = writeln!(text, "{label:>LABEL$} |{}", line.trim_end());
    }
    let _ = writeln!(text, "{:>LABEL$} +{}", "", "-".repeat(columns));
    let last = catalog.say("report.curve_epoch", &[("epoch", &steps)]);
    let gap = (columns - 1).saturating_sub(last.width());
    let _ = writeln!(text, "{:>LABEL$}  1{:gap$}{last}", "", "");
    let legend: Vec<String> = series.iter().map(|one| format!("{} {}", one.mark, one.name)).collect();
    let how = match is_logarithmic {
        true => format!("   {}", catalog.get("report.curve_logarithmic")),
        false => String::new(),
    };
    let line = legend.join("   ") + &how;
    if LABEL + 2 + line.width() <= width {
        let _ = writeln!(text, "{:>LABEL$}  {line}", "");
        return text;
    }
    // What is too long for a line has a line each.
    for (at, one) in legend.iter().enumerate() {
        let how = if at + 1 == legend.len() { how.as_str() } else { "" };
        let _ = writeln!(text, "{:>LABEL$}  {one}{how}", "");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_cost_falls() {
        let series = [Series { name: "training", values: &[4.0, 2.0, 1.0, 0.0], mark: '*' }];
        let expected = "
    4.0000 |*
           |
    2.0000 |  *
           |    *
         0 |      *
           +--------
            1epoch 4
            * training
";
        let found = curve(&series, 24, 8, &Catalog::english());
        let squeezed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        let lines = squeezed(&found);
        assert_eq!(lines.len(), squeezed(expected.trim_matches('\n')).len(), "{found}");
        assert!(lines[0].starts_with("    4.0000 |*"), "{found}");
        assert!(lines[4].ends_with('*') && lines[4].starts_with("         0 |"), "{found}");
        assert!(lines.iter().all(|line| line.chars().count() <= 24), "{found}");
    }

    #[test]
    fn a_cost_that_falls_by_powers_of_ten_falls_in_a_straight_line() {
        let found = curve(
            &[Series { name: "cost", values: &[1.0, 0.1, 0.01, 0.001], mark: '*' }],
            16,
            7,
            &Catalog::english(),
        );
        let expected = "
    1.0000 |*
           | *
    0.0100 |  *
    0.0010 |   *
           +----
            1epoch 4
            * cost   (logarithmic)
";
        assert_eq!(found, expected.trim_start_matches('\n'));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(curve(&[], 40, 10, &Catalog::english()), "");
        assert_eq!(
            curve(
                &[Series { name: "x", values: &[f64::NAN, f64::NAN], mark: '*' }],
                40,
                10,
                &Catalog::english()
            ),
            ""
        );
    }
}
