//! Names as they are shown: in one line, and in the room that there is.

use std::borrow::Cow;

/// How many columns a text takes: `UnicodeWidthStr::width` in a terminal, [`columns_drawn`] in a drawing.
pub type Columns = fn(&str) -> usize;

/// About how many columns a text takes in a drawing: a letter of East Asia two, a mark above another letter none.
/// It is an estimate, as the fonts of drawings differ. The exact tables of `unicode-width` would add 4 kB to the page.
pub fn columns_drawn(text: &str) -> usize {
    let of = |letter| match letter {
        '\u{300}'..='\u{36f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' => 2,
        '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'.. => 2,
        _ => 1,
    };
    text.chars().map(of).sum()
}

/// Whether a terminal would obey a character instead of showing it: control characters, and those that change the
/// direction or the line of what follows.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text with some of its characters as `\u{1b}`.
pub fn escaped(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_unsafe(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Shows line ends and the like of names that stand in a text.
pub(crate) fn put_in_a_line(text: &mut String) {
    if let Cow::Owned(shown) = escaped(text, is_unsafe) {
        *text = shown;
    }
}

/// The beginning of a text that is wider than `width` columns, and a mark.
pub fn shortened(text: &str, width: usize, mark: char, columns: Columns) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut start = beginning(text.chars(), width.saturating_sub(1), columns);
    start.push(mark);
    start
}

/// Names of at most `width` columns that differ where the given ones do: what is too wide is shown by its beginning; where
/// others begin likewise, by beginning and end; and where they end likewise too, by beginning and number.
pub fn shortened_apart(names: &[&str], width: usize, mark: char, columns: Columns) -> Vec<String> {
    let forms = |at: usize| {
        let (name, number) = (names[at], (at + 1).to_string());
        let room = width.saturating_sub(1);
        let end: String = beginning(name.chars().rev(), room / 2, columns).chars().rev().collect();
        [
            shortened(name, width, mark, columns),
            format!("{}{mark}{end}", beginning(name.chars(), room - room / 2, columns)),
            format!("{}{mark}{number}", beginning(name.chars(), room.saturating_sub(number.len()), columns)),
        ]
    };
    let mut shown: Vec<String> = names.iter().map(|name| shortened(name, width, mark, columns)).collect();
    for form in [1, 2] {
        let is_taken = |at: usize| (0..names.len()).any(|b| names[b] != names[at] && shown[b] == shown[at]);
        let again: Vec<usize> =
            (0..names.len()).filter(|&at| columns(names[at]) > width && is_taken(at)).collect();
        for at in again {
            shown[at] = forms(at)[form].clone();
        }
    }
    shown
}

/// As many letters as `width` columns hold.
fn beginning(letters: impl Iterator<Item = char>, width: usize, columns: Columns) -> String {
    let mut used = 0;
    let fits = |letter: &char| {
        used += columns(letter.encode_utf8(&mut [0; 4]));
        used <= width
    };
    letters.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn names_that_differ_are_shown_differently() {
        let shown = |names: &[&str], width| shortened_apart(names, width, '~', UnicodeWidthStr::width);
        assert_eq!(shown(&["short", "a longer name"], 8), ["short", "a longe~"]);
        assert_eq!(shown(&["price_of_one", "price_of_two"], 8), ["pric~one", "pric~two"]);
        assert_eq!(shown(&["prices_1_each", "prices_2_each"], 8), ["prices~1", "prices~2"]);
        // The same name twice is the same.
        assert_eq!(shown(&["price_of_one", "price_of_one"], 8), ["price_o~", "price_o~"]);
        assert_eq!(shown(&["첫째 물건의 가격", "둘째 물건의 가격"], 8), ["첫째 물~", "둘째 물~"]);
        assert_eq!(shown(&["물건 하나의 가격", "물건 하나의 무게"], 9), ["물건~가격", "물건~무게"]);
    }

    #[test]
    fn drawings_count_columns_as_terminals_do_for_all_that_the_messages_say() {
        for text in [
            include_str!("../messages/en.json"),
            include_str!("../messages/ko.json"),
            "θδσ∂η·×→▲★日本語가나다",
        ] {
            for letter in text.chars().filter(|letter| !letter.is_control()) {
                let letter = letter.to_string();
                assert_eq!(columns_drawn(&letter), letter.width(), "{letter}");
            }
        }
        assert_eq!(columns_drawn("e\u{301}😀"), 3);
    }
}
