//! A line of LaTeX, as pages write it, as MathML, which browsers draw by themselves.

use crate::explain::Block;
use crate::report::svg::escaped;

impl Block {
    /// A formula as an element of MathML; absent of other blocks, and of a formula that is not known here.
    pub fn mathml(&self) -> Option<String> {
        match self {
            Self::Formula { latex, .. } => mathml(latex),
            _ => None,
        }
    }
}

/// The formula as an element; absent where it has a command that is not known here, so that a page shows its text.
pub(super) fn mathml(latex: &str) -> Option<String> {
    let mut reader = Reader { rest: latex };
    let row = reader.row(None)?;
    Some(format!("<math display=\"block\"><mrow>{row}</mrow></math>"))
}

/// Commands that are one sign or one name: as an operator, or as an identifier.
const SIGNS: &[(&str, &str)] = &[
    ("cdot", "<mo>⋅</mo>"),
    ("times", "<mo>×</mo>"),
    ("odot", "<mo>⊙</mo>"),
    ("le", "<mo>≤</mo>"),
    ("lvert", "<mo>|</mo>"),
    ("rvert", "<mo>|</mo>"),
    ("sum", "<mo>∑</mo>"),
    ("partial", "<mo>∂</mo>"),
    ("top", "<mo>⊤</mo>"),
    ("max", "<mi>max</mi>"),
    ("ln", "<mi>ln</mi>"),
    ("log", "<mi>log</mi>"),
    ("exp", "<mi>exp</mi>"),
    ("tanh", "<mi>tanh</mi>"),
    ("sigma", "<mi>σ</mi>"),
    ("delta", "<mi>δ</mi>"),
    ("Theta", "<mi>Θ</mi>"),
    ("lambda", "<mi>λ</mi>"),
    ("eta", "<mi>η</mi>"),
    ("pi", "<mi>π</mi>"),
    ("quad", "<mspace width=\"1em\"/>"),
];

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Everything up to a bracket that closes, or to the end.
    fn row(&mut self, until: Option<char>) -> Option<String> {
        let mut row = String::new();
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.chars().next() {
                None => return until.is_none().then_some(row),
                Some(end) if Some(end) == until => {
                    self.rest = &self.rest[end.len_utf8()..];
                    return Some(row);
                }
                Some('}') => return None,
                Some(_) => row.push_str(&self.with_scripts()?),
            }
        }
    }

    /// An atom with what stands above and below it.
    fn with_scripts(&mut self) -> Option<String> {
        let base = self.atom()?;
        let (mut below, mut above) = (None, None);
        loop {
            if let Some(rest) = self.rest.strip_prefix('_') {
                self.rest = rest;
                below = Some(self.argument()?);
            } else if let Some(rest) = self.rest.strip_prefix('^') {
                self.rest = rest;
                above = Some(self.argument()?);
            } else {
                break;
            }
        }
        Some(match (below, above) {
            (Some(below), Some(above)) => format!("<msubsup>{base}{below}{above}</msubsup>"),
            (Some(below), None) => format!("<msub>{base}{below}</msub>"),
            (None, Some(above)) => format!("<msup>{base}{above}</msup>"),
            (None, None) => base,
        })
    }

    /// What a command or a script is applied to: a group, or one digit or letter, as in `\tfrac12`.
    fn argument(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        match self.rest.chars().next()? {
            digit if digit.is_ascii_digit() => Some(self.take(1, "mn")),
            letter if letter.is_alphabetic() => Some(self.take(letter.len_utf8(), "mi")),
            _ => self.atom(),
        }
    }

    fn atom(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        match first {
            '{' => {
                self.rest = &self.rest[1..];
                Some(format!("<mrow>{}</mrow>", self.row(Some('}'))?))
            }
            '\\' => self.command(),
            '0'..='9' => {
                let is_digit = |c: char| c.is_ascii_digit() || c == '.';
                let mut end = self.rest.find(|c| !is_digit(c)).unwrap_or(self.rest.len());
                // An exponent: 1.5e-7.
                let exponent = self.rest[end..].strip_prefix('e');
                let digits = exponent.map(|rest| rest.strip_prefix('-').unwrap_or(rest));
                if let Some(digits) = digits.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
                    let own = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
                    end = self.rest.len() - digits.len() + own;
                }
                Some(self.take(end, "mn"))
            }
            // A word is a name; letters alone are symbols.
            letter if letter.is_alphabetic() => {
                let end = self.rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(self.rest.len());
                Some(self.take(end, "mi"))
            }
            '&' | '$' | '%' | '#' | '~' => None,
            sign => Some(self.take(sign.len_utf8(), "mo")),
        }
    }

    fn take(&mut self, end: usize, element: &str) -> String {
        let (own, rest) = self.rest.split_at(end);
        self.rest = rest;
        let own = if own == "-" { "−" } else { own };
        format!("<{element}>{}</{element}>", escaped(own))
    }

    fn command(&mut self) -> Option<String> {
        let after = &self.rest[1..];
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        if end == 0 {
            // An escaped sign, or a space.
            let sign = after.chars().next()?;
            self.rest = &after[sign.len_utf8()..];
            return Some(match sign {
                ',' | ';' | ' ' | '!' | ':' => "<mspace width=\"0.2em\"/>".to_owned(),
                sign => format!("<mo>{}</mo>", escaped(&sign.to_string())),
            });
        }
        let (name, rest) = after.split_at(end);
        self.rest = rest;
        match name {
            "frac" | "tfrac" | "dfrac" => {
                let (above, below) = (self.argument()?, self.argument()?);
                Some(format!("<mfrac>{above}{below}</mfrac>"))
            }
            "sqrt" => Some(format!("<msqrt>{}</msqrt>", self.argument()?)),
            "mathrm" | "operatorname" | "text" => {
                let (own, rest) = self.rest.strip_prefix('{')?.split_once('}')?;
                self.rest = rest;
                Some(format!("<mi mathvariant=\"normal\">{}</mi>", escaped(&own.replace(r"\_", "_"))))
            }
            "left" | "right" => self.atom(),
            name => SIGNS.iter().find(|(own, _)| *own == name).map(|(_, sign)| (*sign).to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_factors_is_fractions() {
        let math = mathml(r"\frac{\partial C}{\partial w^{(2)}_{0,1}} = 0.75 \cdot -1.5e-7").unwrap();
        assert!(math.contains("<mfrac><mrow><mo>∂</mo><mi>C</mi></mrow><mrow><mo>∂</mo><msubsup><mi>w</mi>"));
        assert!(math.ends_with("<mn>0.75</mn><mo>⋅</mo><mo>−</mo><mn>1.5e-7</mn></mrow></math>"), "{math}");
    }

    #[test]
    fn arguments_without_braces_are_one_digit_or_letter() {
        let math = mathml(r"\tfrac12 x^23").unwrap();
        let wanted = "<mfrac><mn>1</mn><mn>2</mn></mfrac><msup><mi>x</mi><mn>2</mn></msup><mn>3</mn>";
        assert!(math.contains(wanted), "{math}");
    }

    #[test]
    fn what_is_not_known_is_left_to_the_text() {
        assert_eq!(mathml(r"\begin{cases} a & b \end{cases}"), None);
        assert_eq!(mathml(r"\frac{1}{2"), None);
        assert_eq!(mathml("a } b"), None);
        assert!(mathml(r"a < b").unwrap().contains("&lt;"));
    }
}
