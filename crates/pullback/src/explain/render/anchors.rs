//! Where the numbers and symbols of a page stand, so that each other place that has them can lead there.

use crate::compact::Map;
use crate::explain::{Block, Document};
use crate::report::svg::escaped;

/// A number of fewer digits stands for nothing in particular.
const LEAST_DIGITS: usize = 4;
/// Pages with more cells have anchors and no links: looking for each number among so many takes long.
const MOST_CELLS: usize = 20_000;

/// The block, the row and the column of a cell.
pub(super) type Cell = (usize, usize, usize);

/// The anchors of a page.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    /// The row that each symbol names, the first one.
    symbols: Map<String, (usize, usize)>,
    /// The first cell of each number, in the order of the page.
    numbers: Vec<(f64, Cell)>,
}

impl Anchors {
    pub(super) fn of(page: &Document) -> Self {
        let mut anchors = Self::default();
        let tables = || {
            page.blocks.iter().enumerate().filter_map(|(at, block)| match block {
                Block::Table { rows, .. } => Some((at, rows)),
                _ => None,
            })
        };
        if tables().flat_map(|(_, rows)| rows).map(Vec::len).sum::<usize>() > MOST_CELLS {
            return anchors;
        }
        for (at, rows) in tables() {
            for (number, row) in rows.iter().enumerate() {
                if let Some(name) = row.first().filter(|name| is_symbol(name)) {
                    anchors.symbols.or_insert(name.clone(), (at, number));
                }
                for (column, cell) in row.iter().enumerate().skip(1) {
                    let Some(value) = cell.parse::<f64>().ok().filter(|_| digits(cell) >= LEAST_DIGITS)
                    else {
                        continue;
                    };
                    if anchors.numbers.iter().all(|(own, _)| *own != value) {
                        anchors.numbers.push((value, (at, number, column)));
                    }
                }
            }
        }
        anchors
    }

    /// The anchor of a row.
    pub(super) fn row(&self, block: usize, row: usize) -> String {
        format!("t{block}-{row}")
    }

    /// A text in which symbols and numbers lead to their places; what stands there itself does not lead to itself.
    pub(super) fn linked(&self, text: &str, own: Option<Cell>) -> String {
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = token(rest);
            let (word, after) = rest.split_at(end);
            match self.place(word, own) {
                Some(anchor) => out.push_str(&format!("<a href=\"#{anchor}\">{}</a>", escaped(word))),
                None => out.push_str(&escaped(word)),
            }
            rest = after;
        }
        out
    }

    fn place(&self, word: &str, own: Option<Cell>) -> Option<String> {
        if let Some(&(block, row)) = self.symbols.get(word) {
            let is_own = own.is_some_and(|(at, number, _)| (at, number) == (block, row));
            return (!is_own).then(|| self.row(block, row));
        }
        if digits(word) < LEAST_DIGITS {
            return None;
        }
        let number: f64 = word.parse().ok()?;
        // A cell may show more digits than the text.
        let shown = |value: f64| value == number || (value - number).abs() <= half_of_last(word);
        let is_before = |cell: &Cell| own.is_none_or(|own| *cell < own);
        let &(_, (block, row, column)) =
            self.numbers.iter().find(|(value, cell)| shown(*value) && is_before(cell))?;
        Some(format!("{}-{column}", self.row(block, row)))
    }
}

/// Whether the first cell of a row is a symbol: it has an index, as `w[1][0,0]`, `delta_h1`, `w5`.
fn is_symbol(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_[](),^'/".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.contains(|c: char| c.is_ascii_digit() || c == '_' || c == '[')
        && name.chars().all(is_plain)
}

/// The end of the word, the number or the sign that a text begins with.
fn token(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_[]^.".contains(c);
    let mut depth = 0_usize;
    let mut end = 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let is_inside = depth > 0 && (c == ',' || is_part(c));
        let is_exponent = c == '-' && before == 'e' && text.starts_with(|c: char| c.is_ascii_digit());
        let is_sign = at == 0 && c == '-' && text[1..].starts_with(|c: char| c.is_ascii_digit());
        // A derivative is one name: dE/dw5.
        let is_slash = c == '/' && text.starts_with('d') && text[at + 1..].starts_with('d');
        if !(is_part(c) || is_inside || is_exponent || is_sign || is_slash) {
            break;
        }
        depth = match c {
            '[' => depth + 1,
            ']' => depth.saturating_sub(1),
            _ => depth,
        };
        before = c;
        end = at + c.len_utf8();
    }
    // A full stop ends a sentence.
    while end > 0 && text[..end].ends_with('.') {
        end -= 1;
    }
    end.max(text.chars().next().map_or(0, char::len_utf8))
}

/// The significant digits of a number as it is written.
fn digits(text: &str) -> usize {
    let mantissa = text.split('e').next().unwrap_or_default();
    mantissa.chars().filter(char::is_ascii_digit).skip_while(|c| *c == '0').count()
}

/// Half of a unit in the last place of a number as it is written.
fn half_of_last(text: &str) -> f64 {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, after)| after.len()) as i32;
    let unit = format!("1e{}", exponent.parse::<i32>().unwrap_or(0) - decimals);
    0.5 * unit.parse::<f64>().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_leads_to_where_it_stands() {
        let table = |rows: &[&[&str]]| Block::Table {
            columns: vec!["a".into(), "b".into(), "c".into()],
            rows: rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect(),
        };
        let blocks = vec![
            table(&[&["a[1][0]", "0.593270", "w"], &["dE/dw5", "0.0821670", ""]]),
            table(&[&["z[2][0]", "0.593270", "0.5933*0.4 - 0.08217 of a[1][0], dE/dw5."]]),
        ];
        let anchors = Anchors::of(&Document { language: "en", blocks });
        let cell = "0.5933*0.4 - 0.08217 of a[1][0], dE/dw5.";
        assert_eq!(
            anchors.linked(cell, Some((1, 0, 2))),
            "<a href=\"#t0-0-1\">0.5933</a>*0.4 - <a href=\"#t0-1-1\">0.08217</a> of \
             <a href=\"#t0-0\">a[1][0]</a>, <a href=\"#t0-1\">dE/dw5</a>."
        );
        assert_eq!(
            anchors.linked("0.593270", Some((0, 0, 1))),
            "0.593270",
            "the first is where it comes from"
        );
        assert_eq!(anchors.linked("0.593270", Some((1, 0, 1))), "<a href=\"#t0-0-1\">0.593270</a>");
        assert_eq!(anchors.linked("a < b & 3.", None), "a &lt; b &amp; 3.");
    }
}
