//! JSON as text: the one reader and the one writer.
//!
//! What is read, what is refused and with which words, and every byte that is written is as in
//! `serde_json`, which the tests compare with. A reader that knows nothing but [`Value`] and numbers
//! without tables is a twentieth of its size, and the page loads it.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::decimal;

/// Lists and objects within each other, at the most.
const DEEPEST: usize = 127;

/// Why a text is no JSON.
pub(super) struct Syntax {
    pub what: Cow<'static, str>,
    /// How many bytes were read when it was noticed.
    pub at: usize,
}

/// Reads any JSON. A name that stands twice in one object is refused (which of the two was meant
/// nobody can know), unless the last one `wins`.
pub(super) fn read(text: &str, last_wins: bool) -> Result<Value, Syntax> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        last_wins,
    };
    let value = reader.value()?;
    match reader.after_space() {
        None => Ok(value),
        Some(_) => reader.fail_next("trailing characters"),
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    last_wins: bool,
}

impl Reader<'_> {
    /// The byte just read is wrong.
    fn fail<T>(&self, what: impl Into<Cow<'static, str>>) -> Result<T, Syntax> {
        Err(Syntax {
            what: what.into(),
            at: self.at,
        })
    }

    /// The next byte is wrong.
    #[cold]
    fn fail_next<T>(&self, what: &'static str) -> Result<T, Syntax> {
        Err(Syntax {
            what: what.into(),
            at: self.bytes.len().min(self.at + 1),
        })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    /// Reads the next byte if it is this one.
    fn eat(&mut self, byte: u8) -> bool {
        let is_it = self.peek() == Some(byte);
        self.at += usize::from(is_it);
        is_it
    }

    /// The next byte that is no white space, unread.
    #[inline(never)]
    fn after_space(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self) -> Result<Value, Syntax> {
        match self.after_space() {
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'[' | b'{') if self.depth == DEEPEST => {
                self.fail_next("recursion limit exceeded")
            }
            Some(b'[') => self.nested(Self::list),
            Some(b'{') => self.nested(Self::object),
            Some(_) => self.fail_next("expected value"),
            None => self.fail_next("EOF while parsing a value"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Syntax> {
        for expected in word.bytes() {
            match self.next() {
                None => return self.fail("EOF while parsing a value"),
                Some(next) if next != expected => return self.fail("expected ident"),
                Some(_) => {}
            }
        }
        Ok(value)
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Value, Syntax>) -> Result<Value, Syntax> {
        self.at += 1;
        self.depth += 1;
        let value = inner(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Value, Syntax> {
        let mut items = Vec::new();
        loop {
            match self.after_space() {
                None => return self.fail_next("EOF while parsing a list"),
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(items));
                }
                Some(_) if items.is_empty() => {}
                Some(b',') => {
                    self.at += 1;
                    match self.after_space() {
                        Some(b']') => return self.fail_next("trailing comma"),
                        Some(_) => {}
                        None => return self.fail_next("EOF while parsing a value"),
                    }
                }
                Some(_) => return self.fail_next("expected `,` or `]`"),
            }
            items.push(self.value()?);
        }
    }

    fn object(&mut self) -> Result<Value, Syntax> {
        let mut fields = Map::new();
        loop {
            match self.after_space() {
                None => return self.fail_next("EOF while parsing an object"),
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(fields));
                }
                Some(b'"') if fields.is_empty() => {}
                Some(_) if fields.is_empty() => return self.fail_next("key must be a string"),
                Some(b',') => {
                    self.at += 1;
                    match self.after_space() {
                        Some(b'"') => {}
                        Some(b'}') => return self.fail_next("trailing comma"),
                        Some(_) => return self.fail_next("key must be a string"),
                        None => return self.fail_next("EOF while parsing a value"),
                    }
                }
                Some(_) => return self.fail_next("expected `,` or `}`"),
            }
            let name = self.string()?;
            let next = self.after_space();
            if !self.last_wins && fields.contains_key(&name) {
                self.eat(b'}');
                let name = super::shorten(&name);
                return self.fail(format!("the field {name:?} stands twice"));
            }
            match next {
                Some(b':') => self.at += 1,
                Some(_) => return self.fail_next("expected `:`"),
                None => return self.fail_next("EOF while parsing an object"),
            }
            let value = self.value()?;
            fields.insert(name, value);
        }
    }

    fn string(&mut self) -> Result<String, Syntax> {
        self.at += 1;
        let mut content = String::new();
        let mut start = self.at;
        loop {
            let stop = self.next();
            // What stops is ASCII, so that no character is cut.
            let before = self.at - usize::from(stop.is_some());
            match stop {
                None => return self.fail("EOF while parsing a string"),
                Some(b'"') => {
                    content.push_str(&self.text[start..before]);
                    return Ok(content);
                }
                Some(b'\\') => {
                    content.push_str(&self.text[start..before]);
                    content.push(self.escape()?);
                    start = self.at;
                }
                Some(..0x20) => {
                    return self
                        .fail("control character (\\u0000-\\u001F) found while parsing a string");
                }
                Some(_) => {}
            }
        }
    }

    fn escape(&mut self) -> Result<char, Syntax> {
        Ok(match self.next() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.escaped_code(),
            Some(_) => return self.fail("invalid escape"),
            None => return self.fail("EOF while parsing a string"),
        })
    }

    /// The digits after `\u`, and the second half where there must be one.
    fn escaped_code(&mut self) -> Result<char, Syntax> {
        let first = self.hex()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if first < 0xdc00 {
            for expected in *b"\\u" {
                match self.next() {
                    None => return self.fail("EOF while parsing a string"),
                    Some(next) if next != expected => {
                        return self.fail("unexpected end of hex escape");
                    }
                    Some(_) => {}
                }
            }
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.fail("lone leading surrogate in hex escape")
    }

    fn hex(&mut self) -> Result<u32, Syntax> {
        if self.bytes.len() - self.at < 4 {
            self.at = self.bytes.len();
            return self.fail("EOF while parsing a string");
        }
        let mut code = 0;
        let digits = &self.bytes[self.at..self.at + 4];
        self.at += 4;
        for digit in digits {
            match char::from(*digit).to_digit(16) {
                Some(digit) => code = code << 4 | digit,
                None => return self.fail("invalid escape"),
            }
        }
        Ok(code)
    }

    /// Reads digits and adds them to those there are; how many they were.
    fn digits(&mut self, digits: &mut Vec<u8>) -> usize {
        let before = digits.len();
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            digits.push(digit);
            self.at += 1;
        }
        digits.len() - before
    }

    fn number(&mut self) -> Result<Value, Syntax> {
        let is_negative = self.eat(b'-');
        let mut digits = Vec::new();
        match self.next() {
            Some(first @ b'0'..=b'9') => digits.push(first),
            Some(_) => return self.fail("invalid number"),
            None => return self.fail("EOF while parsing a value"),
        }
        if digits == b"0" {
            if let Some(b'0'..=b'9') = self.peek() {
                return self.fail_next("invalid number");
            }
        } else {
            self.digits(&mut digits);
        }
        let mut point = digits.len() as i64;
        let is_whole = !matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        if self.eat(b'.') && self.digits(&mut digits) == 0 {
            return self.fail_next(match self.peek() {
                Some(_) => "invalid number",
                None => "EOF while parsing a value",
            });
        }
        if let Some(b'e' | b'E') = self.peek() {
            let is_zero = digits.iter().all(|&digit| digit == b'0');
            point = point.saturating_add(self.exponent(is_zero)?);
        }
        if is_whole && let Some(whole) = whole(&digits) {
            if !is_negative {
                return Ok(whole.into());
            }
            let negative = (whole as i64).wrapping_neg();
            if negative < 0 {
                return Ok(negative.into());
            }
        }
        let number = decimal::nearest(&digits, point);
        match Number::from_f64(if is_negative { -number } else { number }) {
            Some(number) => Ok(Value::Number(number)),
            None => self.fail("number out of range"),
        }
    }

    fn exponent(&mut self, is_zero: bool) -> Result<i64, Syntax> {
        self.at += 1;
        let is_negative = self.eat(b'-');
        if !is_negative {
            self.eat(b'+');
        }
        let mut exponent = match self.next() {
            Some(digit @ b'0'..=b'9') => i64::from(digit - b'0'),
            Some(_) => return self.fail("invalid number"),
            None => return self.fail("EOF while parsing a value"),
        };
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            self.at += 1;
            exponent = exponent * 10 + i64::from(digit - b'0');
            if exponent > i64::from(i32::MAX) {
                if !is_zero && !is_negative {
                    return self.fail("number out of range");
                }
                self.digits(&mut Vec::new());
                return Ok(i64::MIN);
            }
        }
        Ok(if is_negative { -exponent } else { exponent })
    }
}

/// The whole number of these digits, if 64 bits hold it.
fn whole(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |whole, digit| {
        whole.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// Writes a value, on one line or indented by two spaces a level.
pub(super) fn write(value: &Value, level: Option<usize>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, level, out);
                write(item, level.map(|level| level + 1), out);
            }
            close(items.is_empty(), level, out);
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                separate(index, level, out);
                write_string(name, out);
                out.push_str(if level.is_some() { ": " } else { ":" });
                write(value, level.map(|level| level + 1), out);
            }
            close(fields.is_empty(), level, out);
            out.push('}');
        }
    }
}

fn separate(index: usize, level: Option<usize>, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
    line(level.map(|level| level + 1), out);
}

fn close(is_empty: bool, level: Option<usize>, out: &mut String) {
    if !is_empty {
        line(level, out);
    }
}

fn line(level: Option<usize>, out: &mut String) {
    if let Some(level) = level {
        out.push('\n');
        out.extend((0..level).map(|_| "  "));
    }
}

fn write_number(number: &Number, out: &mut String) {
    if let Some(whole) = number.as_u64() {
        out.push_str(&whole.to_string());
    } else if let Some(negative) = number.as_i64() {
        out.push_str(&negative.to_string());
    } else {
        decimal::write(number.as_f64().unwrap_or(0.0), out);
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' => {
                out.push_str("\\u00");
                for shift in [4, 0] {
                    let digit = u32::from(character) >> shift & 15;
                    out.extend(char::from_digit(digit, 16));
                }
            }
            character => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize as _;

    use super::*;

    /// What `serde_json` makes of it: the value, or what is wrong and how many bytes were read.
    fn peer(text: &str) -> Result<Value, (String, usize)> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Value::deserialize(&mut reader).and_then(|v| reader.end().map(|()| v));
        value.map_err(|error| {
            let what = error.to_string();
            let what = what
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned();
            let lines = text.split_inclusive('\n').take(error.line() - 1);
            (what, lines.map(str::len).sum::<usize>() + error.column())
        })
    }

    #[track_caller]
    fn check(text: &str) {
        let mine = read(text, true).map_err(|Syntax { what, at }| (what.into_owned(), at));
        assert_eq!(mine, peer(text), "{text}");
        // With names that stand once only, there is no difference between the two ways to read.
        if let Err(strict) =
            read(text, false).map_err(|Syntax { what, at }| (what.into_owned(), at))
            && !strict.0.ends_with("stands twice")
        {
            assert_eq!(Err(strict), mine, "{text}");
        }
    }

    #[track_caller]
    fn check_written(value: &Value) {
        let (mut line, mut pretty) = (String::new(), String::new());
        write(value, None, &mut line);
        write(value, Some(0), &mut pretty);
        assert_eq!(line, value.to_string());
        assert_eq!(pretty, format!("{value:#}"));
    }

    #[test]
    fn what_is_wrong_is_said_as_serde_json_says_it() {
        for text in [
            "",
            " ",
            "nul",
            "nule",
            "t",
            "tru",
            "truth",
            "fals",
            "-",
            "-a",
            "01",
            "1.",
            "1.a",
            "1e",
            "1e+",
            "1e-a",
            "1e999",
            "-1e999",
            "1e99999999999",
            "0e99999999999",
            "1e-99999999999",
            "-0",
            "-0.0",
            "00",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "-18446744073709551615",
            "1.0E+2",
            "1E2",
            ".5",
            "+1",
            "[",
            "[1",
            "[1,",
            "[1,]",
            "[,]",
            "[1 2]",
            "[]",
            "[]]",
            "{",
            "{\"",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{1:2}",
            "{}",
            "{\"a\":1,2:3}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "{,}",
            "{\"a\":}",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12",
            "\"\\u12g4\"",
            "\"\\u00e4\\n\\/\\b\\f\\r\\t\\\"\\\\\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ud83d\\n\"",
            "\"\\ud83d\\",
            "\"\\ud83dx",
            "\"\\ud83d\\ud83d\"",
            "\"\\ude00\"",
            "\"\\ud83d\\u0041\"",
            "\"tab\there\"",
            "\"line\nhere\"",
            "\"\u{7f}\u{e4}\u{1f600}\"",
            "nullnull",
            "1 2",
            "[1,\n 2,\n x]",
            "{\n  \"a\": 1,\n  \"b\": [true, fal]\n}",
            "{\"a\":1,\"a\":2}",
            "\u{feff}1",
            "\"\\u\u{e4}",
        ] {
            check(text);
        }
        for depth in [100, 127, 128, 129, 5_000] {
            check(&"[".repeat(depth));
            check(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
            check(&"{\"a\":".repeat(depth));
        }
    }

    /// The one thing that is refused here and not there.
    #[test]
    fn a_name_that_stands_twice_is_refused_where_it_stands() {
        for (text, at) in [("{\"a\":1, \"a\" :2}", 12), ("[{\"a\":1,\"a\"}]", 12)] {
            let Err(Syntax { what, at: found }) = read(text, false) else {
                panic!("{text} was read");
            };
            assert_eq!((&*what, found), ("the field \"a\" stands twice", at));
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
            "[\\x00-\\x20\"\\\\/\\x7f]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let names = "[a-c\"\\n]{0,2}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((names, inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_value_is_written_as_serde_json_does_and_read_back(value in any_value()) {
            check_written(&value);
            check(&value.to_string());
            check(&format!("{value:#}"));
        }

        #[test]
        fn any_damage_is_told_as_serde_json_tells_it(
            value in any_value(),
            place: prop::sample::Index,
            by in prop_oneof![Just(String::new()), "[\\[\\]{},:\"\\\\0-9eE.+ntfu \\n-]{1,3}", ".{1,2}"],
            cuts in 0_usize..3,
        ) {
            let mut text: Vec<char> = value.to_string().chars().collect();
            let at = place.index(text.len());
            text.splice(at..text.len().min(at + cuts), by.chars());
            check(&text.into_iter().collect::<String>());
        }

        #[test]
        fn any_text_is_read_as_serde_json_reads_it(text in "[\\[\\]{},:\"\\\\0-9eE.+trufalsn \\n-]{0,24}") {
            check(&text);
        }
    }
}
