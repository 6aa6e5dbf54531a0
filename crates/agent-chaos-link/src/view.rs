//! How a link has its experiment shown: which parts and charts, what is locked, what is asked, and what it
//! is compared with.
//!
//! ```text
//! ~view.show=verdict,charts~view.lock=all~view.free=workers.count~view.ask=How%20many%3F~view.vs=workers.count=6,seed=8
//! ```
//!
//! A sweep is `view.sweep=agents.count=100..800:100;workers.count=1..8;seeds=1..10`.
//!
//! Pairs of a key and a value, in order. Lists are separated by commas; the changes of a variant are separated
//! by `~` outside of a token and by commas within, their own values percent-encoded in both.

use std::borrow::Cow;

use agent_chaos_core::wire;
use percent_encoding::{percent_decode_str, utf8_percent_encode};

use crate::{LinkError, PLAIN, shortened};

/// A question, and an answer, is no longer than this many characters.
pub const MAX_QUESTION: usize = 500;

/// Any other value is no longer than this many bytes.
pub const MAX_VIEW_VALUE: usize = 1_000;

/// No more variants than these fit beside the experiment itself.
pub const MAX_VARIANTS: usize = 3;

/// What each key accepts, in the order in which a token has them.
const KEYS: &[(&str, Kind)] = &[
    ("show", Kind::Words),
    ("charts", Kind::Words),
    ("lock", Kind::Words),
    ("free", Kind::Words),
    ("ask", Kind::Text),
    ("seeds", Kind::Own),
    ("by", Kind::Text),
    ("answer", Kind::Text),
    ("vs", Kind::Changes),
    ("sweep", Kind::Sweep),
];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Words,
    Text,
    Own,
    Changes,
    Sweep,
}

/// How an experiment is to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View(Vec<(String, String)>);

impl View {
    /// A view of these pairs, the keys without `view.`.
    ///
    /// # Errors
    ///
    /// [`LinkError::View`] for a key that is not known or given twice, and for a value that is not accepted.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, LinkError> {
        let mut view = Self::default();
        for (key, value) in pairs {
            view.add(key, value)?;
        }
        Ok(view)
    }

    /// The pairs, in order.
    #[must_use]
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The variants to compare with, each its changes.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(|(key, _)| key == "vs")
            .map(|(_, changes)| changes.as_str())
    }

    /// Takes up a field of a token, its `view.` taken off.
    pub(crate) fn read(&mut self, field: &str) -> Result<(), LinkError> {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        if key == "vs" {
            return self.add(key, &value.replace(',', "~"));
        }
        let value = percent_decode_str(value).decode_utf8().map_err(|_| {
            LinkError::View(format!("the value of {} is not UTF-8", shortened(key)))
        })?;
        self.add(key, &value)
    }

    /// Writes its fields into a token.
    pub(crate) fn write(&self, token: &mut String) {
        for (key, value) in &self.0 {
            token.push_str("~view.");
            token.push_str(key);
            token.push('=');
            match kind_of(key) {
                Some(Kind::Changes) => token.push_str(&value.replace('~', ",")),
                Some(Kind::Text) => token.extend(utf8_percent_encode(value, PLAIN)),
                // Nothing of it needs encoding.
                _ => token.push_str(value),
            }
        }
    }

    fn add(&mut self, key: &str, value: &str) -> Result<(), LinkError> {
        let Some(kind) = kind_of(key) else {
            let known: Vec<_> = KEYS.iter().map(|(key, _)| *key).collect();
            let key = shortened(key);
            return Err(refused(&key, "no part of a view", &known.join(", ")));
        };
        let count = self.0.iter().filter(|(other, _)| other == key).count();
        let most = if kind == Kind::Changes {
            MAX_VARIANTS
        } else {
            1
        };
        if count >= most {
            return Err(refused(key, "one more", &format!("at most {most}")));
        }
        let (length, longest, unit) = if kind == Kind::Text {
            (value.encode_utf16().count(), MAX_QUESTION, "characters")
        } else {
            (value.len(), MAX_VIEW_VALUE, "bytes")
        };
        if length > longest {
            let found = format!("{length} {unit}");
            return Err(refused(key, &found, &format!("at most {longest}")));
        }
        let value = match kind {
            // What is shown, also in a terminal, must not command it.
            Kind::Text if value.contains(|c: char| c.is_control() && c != '\n') => {
                return Err(refused(key, "control characters", "text without them"));
            }
            Kind::Text => Cow::Borrowed(value),
            Kind::Own if value == "own" => Cow::Borrowed(value),
            Kind::Own => return Err(refused(key, &quoted(value), "own")),
            Kind::Words => {
                let odd = value.split(',').find(|word| !is_word(word));
                if let Some(odd) = odd {
                    let accepted = "words of a to z, digits, _ and ., separated by commas";
                    return Err(refused(key, &quoted(odd), accepted));
                }
                Cow::Borrowed(value)
            }
            Kind::Changes => Cow::Owned(tidy(value)?),
            Kind::Sweep if value.bytes().all(is_of_a_sweep) => Cow::Borrowed(value),
            Kind::Sweep => {
                let accepted = "path=values;…;seeds=A..B";
                return Err(refused(key, &quoted(value), accepted));
            }
        };
        self.0.push((key.to_owned(), value.into_owned()));
        Ok(())
    }
}

fn kind_of(key: &str) -> Option<Kind> {
    KEYS.iter()
        .find(|(known, _)| *known == key)
        .map(|(_, kind)| *kind)
}

fn refused(key: &str, found: &str, accepted: &str) -> LinkError {
    LinkError::View(format!("{key}: found {found}, accepted: {accepted}"))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}

/// What fields, ranges and lists of values are written with.
fn is_of_a_sweep(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.,:;=+-".contains(&byte)
}

/// The name of a part, a chart or a field.
fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.'))
}

/// Changes with their values encoded as a token has them, so that nothing in them is taken for a mark.
fn tidy(changes: &str) -> Result<String, LinkError> {
    let mut tidied = String::new();
    for change in changes.split('~') {
        let change = change.split_once('=').filter(|(path, _)| is_word(path));
        let Some((path, value)) = change else {
            return Err(refused(
                "vs",
                &quoted(changes),
                "<path>=<value>, more of them after commas",
            ));
        };
        let value = percent_decode_str(value)
            .decode_utf8()
            .map_err(|_| refused("vs", "a value that is not UTF-8", "<path>=<value>"))?;
        if !tidied.is_empty() {
            tidied.push('~');
        }
        tidied.push_str(path);
        tidied.push('=');
        tidied.extend(utf8_percent_encode(&value, PLAIN));
    }
    Ok(tidied)
}

/// The seed of whoever has a seed of their own: the lower 32 bits of the xxh3 of their name in UTF-8, with A
/// to Z as a to z, without the spaces around it and with one for each stretch of them within.
#[must_use]
pub fn seed_of(name: &str) -> u32 {
    let words: Vec<_> = name.split_whitespace().collect();
    wire::hash_of(words.join(" ").to_ascii_lowercase().as_bytes()) as u32
}
