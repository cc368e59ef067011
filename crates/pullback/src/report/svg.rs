//! The one writer of SVG drawings: elements, with attributes and text escaped.

use std::borrow::Cow;
use std::fmt::{Display, Write};

/// A drawing under construction.
///
/// ```
/// let mut drawing = pullback::report::svg::Svg::new(80, 20, 12);
/// drawing.element("rect", &[("width", &80), ("height", &20), ("fill", &"#fff")]);
/// drawing.text(&[("x", &4), ("y", &14)], "a < b");
/// assert!(drawing.finish().contains(">a &lt; b</text>"));
/// ```
#[derive(Debug)]
pub struct Svg {
    out: String,
}

/// Attributes of an element, by name.
pub type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

impl Svg {
    /// An empty drawing of that size, with the page's font in `font_size` pixels.
    pub fn new(width: impl Display, height: impl Display, font_size: usize) -> Self {
        Self::named(width, height, font_size, "drawing")
    }

    /// The same with a class, by which a style sheet finds it among other drawings of a page.
    pub fn named(width: impl Display, height: impl Display, font_size: usize, class: &str) -> Self {
        let mut svg = Self { out: String::new() };
        svg.tag(
            "svg",
            &[
                ("class", &class),
                ("role", &"img"),
                ("xmlns", &"http://www.w3.org/2000/svg"),
                ("viewBox", &format_args!("0 0 {width} {height}")),
                ("width", &width),
                ("height", &height),
                ("font-family", &"system-ui,sans-serif"),
                ("font-size", &font_size),
            ],
        );
        svg.out.push_str(">\n");
        svg
    }

    /// Adds an element without content.
    pub fn element(&mut self, name: &str, attributes: Attributes<'_>) {
        self.tag(name, attributes);
        self.out.push_str("/>\n");
    }

    /// Adds a line of text.
    pub fn text(&mut self, attributes: Attributes<'_>, text: &str) {
        self.tag("text", attributes);
        let _ = writeln!(self.out, ">{}</text>", escaped(text));
    }

    /// A part of a drawing, without a root.
    pub fn part() -> Self {
        Self { out: String::new() }
    }

    /// The finished part.
    pub fn finish_part(self) -> String {
        self.out
    }

    /// Adds a part that was made before.
    pub fn add(&mut self, part: &str) {
        self.out.push_str(part);
    }

    /// Adds an element with what `content` puts into it.
    pub fn element_with(&mut self, name: &str, attributes: Attributes<'_>, content: impl FnOnce(&mut Self)) {
        self.tag(name, attributes);
        self.out.push('>');
        content(self);
        let _ = writeln!(self.out, "</{name}>");
    }

    /// Adds an element that has nothing but text.
    pub fn labeled(&mut self, name: &str, attributes: Attributes<'_>, text: &str) {
        self.tag(name, attributes);
        let _ = write!(self.out, ">{}</{name}>", escaped(text));
    }

    /// The finished drawing.
    pub fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }

    fn tag(&mut self, name: &str, attributes: Attributes<'_>) {
        let _ = write!(self.out, "<{name}");
        for (key, value) in attributes {
            let value = value.to_string();
            let _ = write!(self.out, " {key}=\"{}\"", escaped(&value).replace('"', "&quot;"));
        }
    }
}

/// What a file of XML must not hold, however it is written: control characters but tabs and line ends.
fn is_no_xml(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\t' | '\n' | '\r') || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

/// A text as the content of an element of SVG or HTML.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) && !text.contains(is_no_xml) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Cow::Owned(text.replace(is_no_xml, "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_holds_ends_no_element() {
        let mut svg = Svg::new(10, 10, 12);
        svg.element("rect", &[("id", &"a\"/><script>&")]);
        svg.text(&[], "</text><script>");
        svg.text(&[], "a\u{1b}[2Jb");
        let drawing = svg.finish();
        assert!(drawing.contains("<rect id=\"a&quot;/&gt;&lt;script&gt;&amp;\"/>"), "{drawing}");
        assert!(drawing.contains("<text>&lt;/text&gt;&lt;script&gt;</text>"), "{drawing}");
        assert!(drawing.contains("<text>a\u{fffd}[2Jb</text>"), "{drawing}");
    }
}
