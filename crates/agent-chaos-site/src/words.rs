//! Text as HTML, SVG and XML have it, and text in lines of a width.

use ttf_parser::Face;

/// Text that stands in markup or in an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no other control characters.
            letter if letter < ' ' && !matches!(letter, '\n' | '\t') => {}
            letter => out.push(letter),
        }
    }
    out
}

/// Text in which no number parts from its unit at the end of a line.
pub fn bound(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(' ') {
        let (before, after) = rest.split_at(at);
        let after = &after[1..];
        let unit = ["s", "ms", "%"].iter().any(|unit| {
            let following = after.strip_prefix(unit).map(|tail| tail.chars().next());
            following.is_some_and(|next| next.is_none_or(|next| !next.is_alphanumeric()))
        });
        let number = before.ends_with(|last: char| last.is_ascii_digit());
        let joined = (number && unit) || before.ends_with('=') || after.starts_with("= ");
        out.push_str(before);
        out.push(if joined { '\u{a0}' } else { ' ' });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A typeface, by which text is measured.
pub struct Typeface(Face<'static>);

impl Typeface {
    /// The typeface of this font file.
    ///
    /// # Panics
    ///
    /// If it is none: it is part of the program.
    pub fn new(font: &'static [u8]) -> Self {
        Self(Face::parse(font, 0).expect("the font is part of the program"))
    }

    /// The width of a line of text at this size.
    pub fn width(&self, text: &str, size: f64) -> f64 {
        let advance = |letter| {
            let glyph = self.0.glyph_index(letter).unwrap_or_default();
            f64::from(self.0.glyph_hor_advance(glyph).unwrap_or(0))
        };
        let units: f64 = text.chars().map(advance).sum();
        units * size / f64::from(self.0.units_per_em())
    }

    /// The text in at most so many lines of this width; what does not fit ends in an ellipsis.
    pub fn lines(&self, text: &str, size: f64, width: f64, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = vec![String::new()];
        for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
            let last = lines.last_mut().expect("there is a line from the start");
            let longer = if last.is_empty() {
                word.to_owned()
            } else {
                format!("{last} {word}")
            };
            if self.width(&longer, size) <= width || last.is_empty() {
                *last = longer;
            } else if lines.len() < most {
                lines.push(word.to_owned());
            } else {
                return self.cut(lines, size, width);
            }
        }
        lines
    }

    fn cut(&self, mut lines: Vec<String>, size: f64, width: f64) -> Vec<String> {
        let last = lines.last_mut().expect("what is cut has a line");
        while self.width(&format!("{last} …"), size) > width {
            match last.rfind(' ') {
                Some(at) => last.truncate(at),
                None => break,
            }
        }
        let end = last.trim_end_matches([',', ';', ':', ' ']).len();
        last.truncate(end);
        last.push_str(" …");
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::{Typeface, bound, escaped};

    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(
            escaped("<a href=\"x\">'&'</a>\u{1}"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"
        );
    }

    #[test]
    fn numbers_keep_their_units() {
        assert_eq!(
            bound("At 2.15 s it had 44 % (n = 3), 5 sheep"),
            "At 2.15\u{a0}s it had 44\u{a0}% (n\u{a0}=\u{a0}3), 5 sheep"
        );
    }

    #[test]
    fn lines_fit_and_the_last_one_says_that_there_is_more() {
        let face = Typeface::new(dejavu::sans::regular());
        let text = "one two three four five six seven eight nine ten";
        let lines = face.lines(text, 20.0, 150.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| face.width(line, 20.0) <= 150.0));
        assert!(lines[1].ends_with(" …"), "{lines:?}");
        assert_eq!(face.lines(text, 20.0, 1e4, 2), [text]);
    }
}
