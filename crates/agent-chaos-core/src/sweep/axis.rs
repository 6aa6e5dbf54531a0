//! A field that varies, and the values it takes.

use serde_json::Value;

use super::{Column, Kind, MOST_CELLS};
use crate::wire::{self, Node, ProfileError};

/// How the values of a field may be given, for messages.
const FORMS: &str =
    "A..B, A..B:STEP, A..B:logN (N values, evenly spaced on a logarithmic scale), or A,B,C";

/// A field that varies, and the values it takes, in the order in which they were given.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    path: String,
    pointer: String,
    title: &'static str,
    unit: &'static str,
    is_whole: bool,
    values: Vec<f64>,
}

impl Axis {
    /// Reads `path=values`; see [`Axis::new`].
    ///
    /// # Errors
    ///
    /// [`ProfileError`] without an equals sign, and as [`Axis::new`].
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let Some((path, values)) = text.split_once('=') else {
            return Err(ProfileError::refused(
                "",
                wire::shorten(text),
                format!("path=values such as agents.count=100..1000:100, where values are {FORMS}"),
            ));
        };
        Self::new(path.trim(), values)
    }

    /// A numeric field of a profile, by its dotted path, and its values:
    ///
    /// - `A..B:STEP`, from A to B, both included; the last step is shorter where that does not come out even;
    /// - `A..B`, the same with steps of 1;
    /// - `A..B:logN`, N values of which each is the same number of times the one before, to six digits;
    ///   whole numbers are rounded, and what is the same then stands once;
    /// - `A,B,C`, a list, or a single value.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] if there is no such field, if it holds no number, or if the values are none: a
    /// range that is reversed or has no step, more than [`MOST_CELLS`] of them, one of them twice.
    pub fn new(path: &str, values: &str) -> Result<Self, ProfileError> {
        let mut axis = Self::of_field(path)?;
        axis.values = axis.read(values.trim())?;
        axis.refuse_doubles(values)?;
        Ok(axis)
    }

    /// A numeric field of a profile and these values.
    ///
    /// # Errors
    ///
    /// As [`Axis::new`].
    pub fn of_values(path: &str, values: &[f64]) -> Result<Self, ProfileError> {
        let mut axis = Self::of_field(path)?;
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return Err(axis.refused(&format!("{values:?}"), "at least one value, all finite"));
        }
        values.clone_into(&mut axis.values);
        axis.refuse_doubles(&format!("{values:?}"))?;
        Ok(axis)
    }

    /// The field without values.
    fn of_field(path: &str) -> Result<Self, ProfileError> {
        let mut node = wire::schema();
        let mut pointer = String::new();
        for name in path.split('.') {
            pointer.push('/');
            pointer.push_str(&wire::escape(name));
            let inner = if let Some(items) = node.get("items") {
                name.parse::<usize>()
                    .map(|_| items)
                    .map_err(|_| "the number of an entry, from 0".to_owned())
            } else if let Some(known) = node.get("properties").and_then(Value::as_object) {
                known.get(name).ok_or_else(|| wire::names_of(known))
            } else {
                Err("a path that ends before".to_owned())
            };
            node = inner.map_err(|accepted| {
                ProfileError::refused(&pointer, "an unknown field", accepted)
            })?;
        }
        let types = wire::types_of(node);
        let is_whole = types.contains(&"integer");
        if !is_whole && !types.contains(&"number") {
            let (found, accepted) = what_else(node, path);
            return Err(ProfileError::refused(&pointer, found, accepted));
        }
        if path == "seed" {
            return Err(ProfileError::refused(
                "/seed",
                "the seed as a field to vary",
                "another field; each point is run under all seeds of the sweep",
            ));
        }
        let text = |name: &str| node.get(name).and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            pointer,
            title: text("title"),
            unit: text("x-unit"),
            is_whole,
            values: Vec::new(),
        })
    }

    fn refused(&self, found: &str, accepted: impl Into<String>) -> ProfileError {
        ProfileError::refused(&self.pointer, wire::shorten(found), accepted)
    }

    fn read(&self, text: &str) -> Result<Vec<f64>, ProfileError> {
        let number = |word: &str| -> Result<f64, ProfileError> {
            let number = word.trim().parse::<f64>().ok();
            number.filter(|number| number.is_finite()).ok_or_else(|| {
                let word = word.trim();
                let found = if word.is_empty() { "nothing" } else { word };
                let (found, text) = (wire::shorten(found), wire::shorten(text));
                let accepted = format!("a number there; values are {FORMS}");
                self.refused(&format!("{found} in {text}"), accepted)
            })
        };
        let Some((first, rest)) = text.split_once("..") else {
            return text.split(',').map(number).collect();
        };
        let (last, step) = rest.split_once(':').unwrap_or((rest, "1"));
        let (from, to) = (number(first)?, number(last)?);
        if from > to {
            let accepted = format!("a range that goes up, such as {last}..{first}");
            return Err(self.refused(text, accepted));
        }
        if let Some(count) = step.trim().strip_prefix("log") {
            return self.logarithmic(text, [from, to], count);
        }
        let size = number(step)?;
        if size <= 0.0 {
            return Err(self.refused(text, "a step above 0"));
        }
        let too_many = |count: f64| {
            let accepted =
                format!("at most {MOST_CELLS} values: a greater step or a shorter range");
            self.refused(&format!("{text}: {count} values"), accepted)
        };
        // In decimals, as they were written, so that 0.1 three times is 0.3.
        let scale = [first, last, step].into_iter().map(scale_of);
        let scale = scale.fold(1.0, f64::max);
        let scaled = [from, to, size].map(|number| (number * scale).round());
        let is_exact = scaled.iter().all(|number| number.abs() < 9.0e15);
        let ([from, to, size], scale) = if is_exact {
            (scaled, scale)
        } else {
            ([from, to, size], 1.0)
        };
        let steps = ((to - from) / size).floor();
        if steps >= MOST_CELLS as f64 {
            return Err(too_many(steps + 1.0));
        }
        let mut values: Vec<f64> = (0..=steps as u64)
            .map(|index| (from + index as f64 * size) / scale)
            .collect();
        let end = to / scale;
        if values.last().is_some_and(|&last| last < end) {
            values.push(end);
        }
        Ok(values)
    }

    fn logarithmic(
        &self,
        text: &str,
        [from, to]: [f64; 2],
        count: &str,
    ) -> Result<Vec<f64>, ProfileError> {
        let count = count.trim().parse::<u64>().ok();
        let Some(count) = count.filter(|count| (2..=MOST_CELLS).contains(count)) else {
            return Err(self.refused(text, format!("logN with N from 2 to {MOST_CELLS}")));
        };
        if from <= 0.0 {
            let accepted = "a range above 0: there is no logarithm of what is not";
            return Err(self.refused(text, accepted));
        }
        let (low, high) = (libm::log(from), libm::log(to));
        let mut values: Vec<f64> = (0..count)
            .map(|index| match index {
                0 => from,
                index if index + 1 == count => to,
                index => {
                    let along = index as f64 / (count - 1) as f64;
                    let value = libm::exp(low + along * (high - low));
                    if self.is_whole {
                        value.round()
                    } else {
                        to_six_digits(value)
                    }
                }
            })
            .collect();
        values.dedup();
        Ok(values)
    }

    /// Of two equal values one was meant to be another.
    fn refuse_doubles(&self, text: &str) -> Result<(), ProfileError> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        // Two zeros of different signs are one value.
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                let found = format!("{} twice in {text}", pair[0]);
                Err(self.refused(&found, "each value once"))
            }
            None => Ok(()),
        }
    }

    /// The dotted path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What the field is called.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// Its unit; empty if it has none.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        self.unit
    }

    /// Whether it holds whole numbers only.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The values, at least one.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// A value as a profile writes it.
    pub(crate) fn json(&self, value: f64) -> Value {
        self.node(value).into()
    }

    /// A value as rows write it.
    pub(super) fn node(&self, value: f64) -> Node {
        if self.is_whole && value >= 0.0 && value.fract() == 0.0 {
            Node::Whole(value as u64)
        } else {
            Node::Real(value)
        }
    }

    pub(super) fn column(&self) -> Column<'_> {
        Column {
            name: &self.path,
            unit: self.unit,
            kind: if self.is_whole {
                Kind::Whole
            } else {
                Kind::Real
            },
            about: self.title,
        }
    }
}

/// What a field is that holds no number, and where there is one.
fn what_else(node: &Value, path: &str) -> (String, String) {
    let Some(properties) = node.get("properties").and_then(Value::as_object) else {
        let found = if node.get("items").is_some() {
            "a list"
        } else if wire::types_of(node).contains(&"boolean") {
            "a switch, which is on or off"
        } else if node.get("enum").is_some() {
            "a choice between names"
        } else {
            "a text"
        };
        return (found.into(), "a field that holds a number".into());
    };
    let numeric = properties.iter().filter(|(_, inner)| {
        let types = wire::types_of(inner);
        types.contains(&"integer") || types.contains(&"number")
    });
    let numeric: Vec<_> = numeric.map(|(name, _)| format!("{path}.{name}")).collect();
    let accepted = if numeric.is_empty() {
        format!(
            "a field within it that holds a number; it has {}",
            wire::names_of(properties)
        )
    } else {
        format!("a field within it: {}", numeric.join(", "))
    };
    ("a section".into(), accepted)
}

/// The power of ten that makes a whole number of a decimal; 1 if it is written in another way.
fn scale_of(word: &str) -> f64 {
    let word = word.trim();
    let decimals = match word.split_once('.') {
        Some((_, decimals)) if decimals.bytes().all(|digit| digit.is_ascii_digit()) => {
            decimals.len()
        }
        _ => 0,
    };
    (0..decimals.min(15)).fold(1.0, |scale, _| scale * 10.0)
}

/// What six digits say of a number above 0.
fn to_six_digits(value: f64) -> f64 {
    // Writing is the only exact way to decimals.
    format!("{value:.5e}").parse().unwrap_or(value)
}
