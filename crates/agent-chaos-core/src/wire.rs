//! The written form: JSON in, JSON out, and the JSON Schema between.
//!
//! ```text
//! text ─► syntax ─► schema (types, bounds, unknown fields) ─► rules across fields ─► Profile
//!           │              │                                        │
//!           └──────────────┴──── ProfileError: field, found, accepted ◄
//! ```
//!
//! This is the only file that knows how a profile is written. Every error names its field by a
//! JSON pointer (RFC 6901) and says what would be accepted.

use std::fmt;
use std::sync::OnceLock;

use serde::Serialize;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};
use xxhash_rust::xxh3::Xxh3Default;

use crate::profile::{PROFILE_VERSION, Part, Profile, SetField};

mod node;

pub use node::Node;

/// The JSON Schema of a profile (draft 2020-12), as text.
pub static SCHEMA: &str = include_str!("../profile.schema.json");

/// The same without what only people read: what a profile is checked against.
pub static CHECKED: &str = include_str!(concat!(env!("OUT_DIR"), "/profile.schema.json"));

/// Longer texts are refused unread.
pub const MAX_TEXT_BYTES: usize = 1_000_000;

/// What a message quotes of a value, at the most.
const MAX_QUOTE_CHARS: usize = 40;

/// A list of more problems than this helps nobody.
const MAX_PROBLEMS: usize = 50;

/// One thing wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// JSON pointer to the field; empty for the text as a whole.
    pub field: String,
    /// What stands there.
    pub found: String,
    /// What would be accepted.
    pub accepted: String,
    /// The sentence for people.
    pub message: String,
}

impl Problem {
    fn new(field: &str, found: impl Into<String>, accepted: impl Into<String>) -> Self {
        let (found, accepted) = (found.into(), accepted.into());
        let place = if field.is_empty() {
            "the profile"
        } else {
            field
        };
        let message = format!("{place}: found {found}, accepted: {accepted}");
        Self {
            field: field.to_owned(),
            found,
            accepted,
            message,
        }
    }
}

/// A profile was refused; nothing of it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    problems: Vec<Problem>,
}

impl ProfileError {
    fn one(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }

    /// One thing that was refused.
    pub(crate) fn refused(
        field: &str,
        found: impl Into<String>,
        accepted: impl Into<String>,
    ) -> Self {
        Self::one(Problem::new(field, found, accepted))
    }

    /// The same, and where each of it was found.
    pub(crate) fn found_in(self, place: &str) -> Self {
        let each = self.problems.into_iter().map(|problem| {
            let found = format!("{} ({place})", problem.found);
            Problem::new(&problem.field, found, problem.accepted)
        });
        Self {
            problems: each.collect(),
        }
    }

    /// The first problem in the order of the text.
    #[must_use]
    pub fn first(&self) -> &Problem {
        &self.problems[0]
    }

    /// Every problem found, at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first().message)?;
        match self.problems.len() - 1 {
            0 => Ok(()),
            1 => f.write_str(" (and 1 more problem)"),
            more => write!(f, " (and {more} more problems)"),
        }
    }
}

impl std::error::Error for ProfileError {}

/// Reads a profile.
///
/// # Errors
///
/// [`ProfileError`] if the text is no JSON, or a field is unknown, has the wrong type or lies
/// outside its bounds, or fields contradict each other.
pub fn parse(text: &str) -> Result<Profile, ProfileError> {
    from_value(parse_value(text)?)
}

/// Reads JSON without looking at what it says.
///
/// # Errors
///
/// [`ProfileError`] if the text is too long or no JSON, or names a field twice.
pub fn parse_value(text: &str) -> Result<Value, ProfileError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(ProfileError::one(Problem::new(
            "",
            format!("{} bytes of text", text.len()),
            format!("at most {MAX_TEXT_BYTES} bytes"),
        )));
    }
    json(text, true).map_err(|error| {
        let at = byte_offset(text, error.line(), error.column());
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what);
        let what = what.replace("EOF while parsing", "the text ends within");
        let (line, column) = (error.line(), error.column());
        let place = format!("a mistake at line {line} column {column} ({what})");
        ProfileError::one(Problem::new(&pointer_at(text, at), place, "valid JSON"))
    })
}

/// Reads JSON whatever it says, even if it names a field twice, of which the last counts. None if it
/// is no JSON.
#[must_use]
pub fn any_value(text: &str) -> Option<Value> {
    json(text, false).ok()
}

/// The one reader of JSON: each call of a generic one with another type is a copy of it.
fn json(text: &str, once_each: bool) -> serde_json::Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Reader { once_each }.deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

/// Reads a profile from JSON that has been parsed already.
///
/// # Errors
///
/// As [`parse`], syntax apart.
pub fn from_value(mut value: Value) -> Result<Profile, ProfileError> {
    if let Some(problem) = newer_version(&value) {
        return Err(ProfileError::one(problem));
    }
    let mut problems = Vec::new();
    check(schema(), &mut value, &mut String::new(), &mut problems);
    if !problems.is_empty() {
        return Err(ProfileError { problems });
    }
    // What the schema accepts can be read; the field is unknown here, should that ever fail.
    let profile = read(&value).ok_or_else(|| {
        ProfileError::one(Problem::new(
            "",
            "something that cannot be read",
            "a profile as the schema describes it",
        ))
    })?;
    let mut conflicts: Vec<_> = profile
        .conflicts()
        .into_iter()
        .map(|conflict| Problem::new(&conflict.field, conflict.found, conflict.accepted))
        .collect();
    if conflicts.is_empty() {
        conflicts = check_settings(&profile);
    }
    conflicts.truncate(MAX_PROBLEMS);
    if conflicts.is_empty() {
        Ok(profile)
    } else {
        Err(ProfileError {
            problems: conflicts,
        })
    }
}

/// What is wrong with the fields that a timeline sets: each is tried on the profile by itself.
fn check_settings(profile: &Profile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let plain = Profile {
        timeline: Vec::new(),
        ..profile.clone()
    };
    for (index, entry) in profile.timeline.iter().enumerate() {
        let Some(set) = &entry.set else { continue };
        let pointer = format!("/timeline/{index}/set");
        let mut value = to_value(&plain);
        let is_number = set
            .path
            .split('.')
            .try_fold(&value, |place, name| match place {
                Value::Array(items) => items.get(name.parse::<usize>().ok()?),
                place => place.get(name),
            })
            .is_some_and(Value::is_number)
            || unwritten_number(&set.path);
        if !is_number || !SetField::may_be_set(&set.path) {
            let accepted = format!(
                "a numeric field of this profile that may change in a run: {}",
                SetField::settable()
            );
            let pointer = format!("{pointer}/path");
            problems.push(Problem::new(&pointer, shorten(&set.path), accepted));
            continue;
        }
        let outcome = set_value(&mut value, &set.path, set.json()).and_then(|()| from_value(value));
        if let Err(error) = outcome {
            let Problem {
                found, accepted, ..
            } = error.first().clone();
            problems.push(Problem::new(&format!("{pointer}/value"), found, accepted));
        }
    }
    problems
}

/// The numeric fields of this profile that its timeline may set, as dotted paths in the order of the
/// fields.
#[must_use]
pub fn settable(profile: &Profile) -> Vec<String> {
    fn collect(value: &Value, path: &mut String, found: &mut Vec<String>) {
        let entries: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(name, v)| (name.clone(), v)).collect(),
            Value::Array(items) => (0..).map(|n: u32| n.to_string()).zip(items).collect(),
            Value::Number(_) if SetField::may_be_set(path) => return found.push(path.clone()),
            _ => return,
        };
        let before = path.len();
        for (name, inner) in entries {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&name);
            collect(inner, path, found);
            path.truncate(before);
        }
    }
    let mut found = Vec::new();
    collect(&to_value(profile), &mut String::new(), &mut found);
    found
}

/// Whether a path leads to a number that is not written because it is the default.
fn unwritten_number(path: &str) -> bool {
    let mut node = schema();
    for name in path.split('.') {
        node = node
            .get("items")
            .or_else(|| node.get("properties")?.get(name))
            .unwrap_or(&Value::Null);
    }
    let types = types_of(node);
    !types.contains(&"null") && (types.contains(&"number") || types.contains(&"integer"))
}

/// Reads a profile that has been checked before, with other numbers in it.
pub(crate) fn reread(mut value: Value) -> Option<Profile> {
    check(schema(), &mut value, &mut String::new(), &mut Vec::new());
    read(&value)
}

fn read(value: &Value) -> Option<Profile> {
    let mut profile = Profile::default();
    profile.read(value).then_some(profile)
}

/// The canonical value: every field, in the order of the types.
#[must_use]
pub fn to_value(profile: &Profile) -> Value {
    profile.clone().write().into()
}

/// The canonical text, on one line.
#[must_use]
pub fn to_text(profile: &Profile) -> String {
    to_value(profile).to_string()
}

/// The canonical text for people, indented by two spaces.
#[must_use]
pub fn to_pretty(profile: &Profile) -> String {
    format!("{:#}", to_value(profile))
}

/// A hash of everything that decides the result: 64-bit xxh3 of the canonical text.
#[must_use]
pub fn hash(profile: &Profile) -> u64 {
    hash_of(to_text(profile).as_bytes())
}

/// 64-bit xxh3 of these bytes, by the same code as a run's digest.
#[must_use]
pub fn hash_of(bytes: &[u8]) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(bytes);
    hash.digest()
}

/// The profile with `path` (dotted) set to `value`; the section is switched on if it was off.
///
/// # Errors
///
/// [`ProfileError`] if there is no such path or the value is not accepted there.
pub fn set(profile: &Profile, path: &str, value: Value) -> Result<Profile, ProfileError> {
    let mut whole = to_value(profile);
    set_value(&mut whole, path, value)?;
    from_value(whole)
}

/// Sets `path` (dotted) within a canonical value without checking what is set.
///
/// # Errors
///
/// [`ProfileError`] if there is no such path.
pub fn set_value(whole: &mut Value, path: &str, value: Value) -> Result<(), ProfileError> {
    let mut place = whole;
    let mut node = schema();
    let mut pointer = String::new();
    for name in path.split('.') {
        pointer.push('/');
        pointer.push_str(&escape(name));
        (place, node) = enter(place, node, name).map_err(|(found, accepted)| {
            ProfileError::one(Problem::new(&pointer, found, accepted))
        })?;
    }
    *place = value;
    Ok(())
}

/// One step of a path: into a field of a section, which is switched on if it was off, or into an
/// entry of a list, which may be a new one at its end. Else what was found, and what is accepted.
fn enter<'a>(
    place: &'a mut Value,
    node: &'static Value,
    name: &str,
) -> Result<(&'a mut Value, &'static Value), (String, String)> {
    if let Some(inner) = node.get("items") {
        if place.is_null() {
            *place = json!([]);
        }
        let Value::Array(items) = place else {
            return Err(("a path into a plain value".into(), "a list".into()));
        };
        let index = name.parse::<usize>().ok().filter(|&i| i <= items.len());
        let Some(index) = index else {
            let accepted = format!("the number of an entry from 0 to {}", items.len());
            return Err((shorten(name), accepted));
        };
        if index == items.len() {
            items.push(Value::Null);
        }
        return Ok((&mut items[index], inner));
    }
    let properties = node.get("properties").and_then(Value::as_object);
    let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
        return Err(("an unknown field".into(), "a path that ends before".into()));
    };
    let Some(inner) = properties.get(name) else {
        return Err(("an unknown field".into(), names_of(properties)));
    };
    if place.is_null() {
        *place = template(node);
    }
    let Value::Object(fields) = place else {
        return Err(("a path into a plain value".into(), "a section".into()));
    };
    let inner_place = fields
        .entry(name.to_owned())
        .or_insert_with(|| absent(inner));
    Ok((inner_place, inner))
}

/// What a section is when it is switched on.
fn template(node: &Value) -> Value {
    node.get("x-template").cloned().unwrap_or_else(|| json!({}))
}

/// What a field is that is not written.
fn absent(node: &Value) -> Value {
    node.get("default").cloned().unwrap_or(Value::Null)
}

/// One field in which a profile differs from another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Dotted path.
    pub path: String,
    /// The value in the other profile.
    pub from: Value,
    /// The value in this profile.
    pub to: Value,
}

/// The fields in which `profile` differs from `base`, in canonical order.
///
/// Setting each in turn on `base` gives `profile`.
#[must_use]
pub fn changes(base: &Profile, profile: &Profile) -> Vec<Change> {
    let mut found = Vec::new();
    collect_changes(
        &to_value(base),
        &to_value(profile),
        schema(),
        &mut String::new(),
        &mut found,
    );
    found
}

fn collect_changes(
    from: &Value,
    to: &Value,
    node: &Value,
    path: &mut String,
    found: &mut Vec<Change>,
) {
    let change = |path: &str| Change {
        path: path.to_owned(),
        from: from.clone(),
        to: to.clone(),
    };
    match (from, to) {
        (_, Value::Object(new)) => {
            // A section that was off is switched on by its template, so only what differs counts.
            let switched_on = from.is_null();
            let template = template(node);
            let old = if switched_on { &template } else { from };
            let before = found.len();
            let properties = node["properties"].as_object();
            for (name, inner) in properties.into_iter().flatten() {
                // A field that is not written is as if it were absent.
                let [old, new] = [old.get(name), new.get(name)]
                    .map(|value| value.cloned().unwrap_or_else(|| absent(inner)));
                within(path, name, |path| {
                    collect_changes(&old, &new, inner, path, found);
                });
            }
            if switched_on && found.len() == before {
                // All as in the template: one field, set to what it is, switches the section on.
                found.push(change(path));
            }
        }
        (Value::Array(old), Value::Array(new))
            if old.len() <= new.len() && new.iter().all(Value::is_object) =>
        {
            for (index, new) in new.iter().enumerate() {
                let old = old.get(index).unwrap_or(&Value::Null);
                within(path, &index.to_string(), |path| {
                    collect_changes(old, new, &node["items"], path, found);
                });
            }
        }
        _ => {
            if from != to {
                found.push(change(path));
            }
        }
    }
}

/// Goes one step down a dotted path and back.
fn within(path: &mut String, name: &str, visit: impl FnOnce(&mut String)) {
    let length = path.len();
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
    visit(path);
    path.truncate(length);
}

/// The schema that a profile is checked against, parsed.
#[must_use]
pub fn schema() -> &'static Value {
    static PARSED: OnceLock<Value> = OnceLock::new();
    PARSED.get_or_init(|| any_value(CHECKED).expect("the schema shipped with the crate is JSON"))
}

/// The schema as it follows from the types, for comparison with the file shipped.
#[cfg(feature = "schema")]
#[must_use]
pub fn generate_schema() -> String {
    let generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    let mut schema = generator.into_root_schema_for::<Profile>().to_value();
    tidy(&mut schema);
    format!("{schema:#}\n")
}

/// Drops what Rust's types say and JSON does not need (integer formats), and writes enumerations
/// of constants as a plain `enum`.
#[cfg(feature = "schema")]
fn tidy(node: &mut Value) {
    let Value::Object(fields) = node else { return };
    fields.remove("format");
    if let Some(options) = fields.remove("oneOf") {
        let names: Vec<Value> = options
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|o| o.get("const").cloned())
            .collect();
        fields.insert("type".into(), json!("string"));
        fields.insert("enum".into(), Value::Array(names));
    }
    if let Some(text) = fields.get("description").and_then(Value::as_str) {
        let text = text.replace('\n', " ");
        fields.insert("description".into(), json!(text));
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        for (_, inner) in properties.iter_mut() {
            tidy(inner);
        }
    }
    if let Some(items) = fields.get_mut("items") {
        tidy(items);
    }
}

fn newer_version(value: &Value) -> Option<Problem> {
    let version = value.get("version")?.as_f64()?;
    (version > f64::from(PROFILE_VERSION)).then(|| {
        Problem::new(
            "/version",
            format!("{version}, which a newer version of this software wrote"),
            format!("{PROFILE_VERSION}"),
        )
    })
}

/// Checks `value` against a schema node, and writes whole numbers as integers where those are due.
fn check(node: &Value, value: &mut Value, pointer: &mut String, problems: &mut Vec<Problem>) {
    if problems.len() >= MAX_PROBLEMS {
        return;
    }
    if value.is_null() && node.get("x-null").is_some() {
        *value = json!({ "enabled": false });
    }
    let types = types_of(node);
    if types.contains(&"integer")
        && let Some(number) = value.as_f64()
        && (0.0..=9.0e15).contains(&number)
        && number as u64 as f64 == number
    {
        *value = Value::Number(Number::from(number as u64));
    }
    let fits = match &*value {
        Value::Null => types.contains(&"null"),
        Value::Bool(_) => types.contains(&"boolean"),
        Value::String(_) => types.contains(&"string"),
        Value::Array(_) => types.contains(&"array"),
        Value::Object(_) => types.contains(&"object"),
        Value::Number(number) => {
            types.contains(&"number") || (types.contains(&"integer") && number.is_u64())
        }
    };
    if !fits {
        problems.push(Problem::new(pointer, quote(value), accepted(node)));
        return;
    }
    match value {
        Value::Object(fields) => check_fields(node, fields, pointer, problems),
        Value::Array(items) => check_items(node, items, pointer, problems),
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            let low = node
                .get("minimum")
                .and_then(Value::as_f64)
                .unwrap_or(f64::NEG_INFINITY);
            let high = node
                .get("maximum")
                .and_then(Value::as_f64)
                .unwrap_or(f64::INFINITY);
            if !(low..=high).contains(&number) {
                problems.push(Problem::new(pointer, quote(value), accepted(node)));
            }
        }
        Value::String(text) => {
            let known = node.get("enum").and_then(Value::as_array);
            if known.is_some_and(|known| !known.iter().any(|k| k == text.as_str())) {
                problems.push(Problem::new(pointer, quote(value), accepted(node)));
            }
        }
        _ => {}
    }
}

fn check_fields(
    node: &Value,
    fields: &mut Map<String, Value>,
    pointer: &mut String,
    problems: &mut Vec<Problem>,
) {
    let empty = Map::new();
    let known = node
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    for (name, value) in fields.iter_mut() {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&escape(name));
        match known.get(name) {
            Some(inner) => check(inner, value, pointer, problems),
            None if problems.len() < MAX_PROBLEMS => {
                problems.push(Problem::new(pointer, "an unknown field", names_of(known)));
            }
            None => {}
        }
        pointer.truncate(length);
    }
}

fn check_items(
    node: &Value,
    items: &mut [Value],
    pointer: &mut String,
    problems: &mut Vec<Problem>,
) {
    let bound = |name: &str| node.get(name).and_then(Value::as_u64);
    let count = items.len() as u64;
    if count < bound("minItems").unwrap_or(0) || count > bound("maxItems").unwrap_or(u64::MAX) {
        let found = format!("a list of {count}");
        problems.push(Problem::new(pointer, found, accepted(node)));
        return;
    }
    for (index, item) in items.iter_mut().enumerate() {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&index.to_string());
        check(&node["items"], item, pointer, problems);
        pointer.truncate(length);
    }
}

pub(crate) fn types_of(node: &Value) -> Vec<&str> {
    match node.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a schema node accepts, in words.
fn accepted(node: &Value) -> String {
    let number = |name: &str| node.get(name).and_then(Value::as_f64);
    let unit = node
        .get("x-unit")
        .and_then(Value::as_str)
        .filter(|unit| unit.len() <= 3)
        .map_or(String::new(), |unit| format!(" {unit}"));
    let mut kinds = Vec::new();
    for kind in types_of(node) {
        kinds.push(match kind {
            "integer" | "number" => {
                let noun = if kind == "integer" {
                    "a whole number"
                } else {
                    "a number"
                };
                match (number("minimum"), number("maximum")) {
                    (Some(low), Some(high)) if low == high => format!("{low}"),
                    (Some(low), Some(high)) => format!("{noun} from {low} to {high}{unit}"),
                    (Some(low), None) => format!("{noun} from {low}{unit}"),
                    (None, Some(high)) => format!("{noun} up to {high}{unit}"),
                    (None, None) => noun.to_owned(),
                }
            }
            "string" => match node.get("enum").and_then(Value::as_array) {
                Some(known) => known
                    .iter()
                    .map(Value::to_string)
                    .collect::<Vec<_>>()
                    .join(" or "),
                None => "text".to_owned(),
            },
            "boolean" => "true or false".to_owned(),
            "null" => match node.get("x-null-title").and_then(Value::as_str) {
                Some(title) => format!("null ({title})"),
                None => "null (off)".to_owned(),
            },
            "object" => "a section in braces".to_owned(),
            "array" => {
                let bound = |name: &str| node.get(name).and_then(Value::as_u64);
                match (bound("minItems").unwrap_or(0), bound("maxItems")) {
                    (least, Some(most)) => format!("a list of {least} to {most} entries"),
                    (0, None) => "a list".to_owned(),
                    (least, None) => format!("a list of at least {least} entries"),
                }
            }
            other => other.to_owned(),
        });
    }
    if node.get("x-null").is_some() {
        kinds.push("null (off)".to_owned());
    }
    kinds.join(", or ")
}

pub(crate) fn names_of(known: &Map<String, Value>) -> String {
    known.keys().cloned().collect::<Vec<_>>().join(", ")
}

fn quote(value: &Value) -> String {
    match value {
        Value::Object(_) => "a section in braces".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => shorten(&other.to_string()),
    }
}

pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= MAX_QUOTE_CHARS {
        return text.to_owned();
    }
    text.chars()
        .take(MAX_QUOTE_CHARS - 1)
        .chain(['…'])
        .collect()
}

/// A name as a JSON pointer writes it, shortened if somebody made it absurdly long.
pub(crate) fn escape(name: &str) -> String {
    shorten(name).replace('~', "~0").replace('/', "~1")
}

fn byte_offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    (start + column).min(text.len())
}

/// The JSON pointer of the value that is being written at `offset`, for errors of syntax.
fn pointer_at(text: &str, offset: usize) -> String {
    enum Inside {
        Object {
            name: Option<String>,
            in_value: bool,
        },
        Array {
            index: usize,
        },
    }
    let mut open: Vec<Inside> = Vec::new();
    let mut characters = text.char_indices().take_while(|(at, _)| *at < offset);
    while let Some((_, character)) = characters.next() {
        match character {
            '"' => {
                let mut content = String::new();
                while let Some((_, c)) = characters.next() {
                    match c {
                        '\\' => content.extend(characters.next().map(|(_, c)| c)),
                        '"' => break,
                        c => content.push(c),
                    }
                }
                if let Some(Inside::Object {
                    name,
                    in_value: false,
                }) = open.last_mut()
                {
                    *name = Some(content);
                }
            }
            '{' => open.push(Inside::Object {
                name: None,
                in_value: false,
            }),
            '[' => open.push(Inside::Array { index: 0 }),
            '}' | ']' => {
                open.pop();
            }
            ':' => {
                if let Some(Inside::Object { in_value, .. }) = open.last_mut() {
                    *in_value = true;
                }
            }
            ',' => match open.last_mut() {
                Some(Inside::Object { name, in_value }) => {
                    *name = None;
                    *in_value = false;
                }
                Some(Inside::Array { index }) => *index += 1,
                None => {}
            },
            _ => {}
        }
    }
    let mut pointer = String::new();
    for level in open.iter().take(20) {
        match level {
            Inside::Object {
                name: Some(name), ..
            } => {
                pointer.push('/');
                pointer.push_str(&escape(name));
            }
            Inside::Object { name: None, .. } => break,
            Inside::Array { index } => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
        }
    }
    pointer
}

/// Reads any JSON into a [`Value`]. It can refuse a name that stands twice in one object: which of the
/// two was meant nobody can know.
#[derive(Clone, Copy)]
struct Reader {
    /// Whether a name that stands twice is an error.
    once_each: bool,
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;
    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if self.once_each && fields.contains_key(&name) {
                return Err(de::Error::custom(format!(
                    "the field {:?} stands twice",
                    shorten(&name)
                )));
            }
            let value = entries.next_value_seed(self)?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, field: &str, found: &str, accepted: &str) {
        let error = parse(text).expect_err(text);
        let problem = error.first();
        assert_eq!(problem.field, field, "{error}");
        assert!(problem.found.contains(found), "{error}");
        assert!(problem.accepted.contains(accepted), "{error}");
    }

    #[test]
    fn a_version_alone_is_the_control_experiment() {
        assert_eq!(parse(r#"{"version": 1}"#).unwrap(), Profile::default());
    }

    #[test]
    fn an_unknown_field_is_named_with_those_that_exist() {
        refused(
            r#"{"queue": {"capacty": 3}}"#,
            "/queue/capacty",
            "unknown",
            "capacity",
        );
        refused(
            r#"{"a/b~c": 3}"#,
            "/a~1b~0c",
            "unknown",
            "version, seed, run",
        );
    }

    #[test]
    fn wrong_types_and_bounds_say_what_is_accepted() {
        refused(
            r#"{"agents": {"count": "many"}}"#,
            "/agents/count",
            "\"many\"",
            "a whole number from 1 to 1000000",
        );
        refused(
            r#"{"agents": {"count": 1.5}}"#,
            "/agents/count",
            "1.5",
            "whole number",
        );
        refused(
            r#"{"agents": {"count": -4}}"#,
            "/agents/count",
            "-4",
            "from 1",
        );
        refused(
            r#"{"agents": {"count": 1e300}}"#,
            "/agents/count",
            "1e+300",
            "to 1000000",
        );
        refused(r#"{"agents": []}"#, "/agents", "a list", "null (off)");
        refused(
            r#"{"queue": {"when_full": "panic"}}"#,
            "/queue/when_full",
            "\"panic\"",
            r#""reject" or "wait""#,
        );
        refused(
            r#"{"queue": {"capacity": 0}}"#,
            "/queue/capacity",
            "0",
            "null (unbounded)",
        );
        refused(
            r#"{"detector": {"enabled": 1}}"#,
            "/detector/enabled",
            "1",
            "true or false",
        );
        refused(r#"{"queue": null}"#, "/queue", "null", "a section");
        refused("3", "", "3", "a section");
    }

    #[test]
    fn broken_json_names_the_field_it_breaks_in() {
        refused(
            r#"{"agents": {"count": NaN}}"#,
            "/agents/count",
            "line 1 column 22",
            "valid JSON",
        );
        refused(
            "{\"run\": {\n  \"duration_seconds\": 1e999\n}}",
            "/run/duration_seconds",
            "out of range",
            "valid JSON",
        );
        refused(
            r#"{"agents": {"count": 3"#,
            "/agents/count",
            "the text ends within an object",
            "valid JSON",
        );
        refused("", "", "the text ends within a value", "valid JSON");
        refused(r#"{"version": 1} x"#, "", "trailing", "valid JSON");
        refused(r#"{"seed": 1, "seed": 2}"#, "/seed", "twice", "valid JSON");
    }

    #[test]
    fn deep_and_long_texts_are_refused() {
        assert!(parse(&"[".repeat(100_000)).is_err());
        refused(&" ".repeat(10_000_000), "", "10000000 bytes", "at most");
        let long = format!(r#"{{"{}": 1}}"#, "x".repeat(100_000));
        assert!(parse(&long).unwrap_err().to_string().len() < 500);
    }

    #[test]
    fn a_newer_version_is_refused_with_words() {
        refused(
            r#"{"version": 2, "galaxy": true}"#,
            "/version",
            "newer",
            "1",
        );
    }

    #[test]
    fn fields_that_contradict_each_other_are_refused() {
        refused(
            r#"{"run": {"duration_seconds": 10}}"#,
            "/run/warmup_seconds",
            "60",
            "less than the duration, 10 s",
        );
        refused(r#"{"agents": null}"#, "/agents", "null", "arrivals");
        refused(
            r#"{"run": {"until": "idle"}}"#,
            "/run/until",
            "idle",
            "requests_each",
        );
        refused(
            r#"{"telemetry": {"interval_seconds": 0.001, "window_seconds": 200}}"#,
            "/telemetry/window_seconds",
            "200",
            "at most 100000 intervals",
        );
        refused(
            r#"{"run": {"duration_seconds": 10000000}}"#,
            "/telemetry/interval_seconds",
            "0.05",
            "at least 0.5 s",
        );
    }

    #[test]
    fn service_times_that_cannot_be_are_refused() {
        let service = |fields: &str| format!(r#"{{"workers": {{"service": {{{fields}}}}}}}"#);
        for (fields, field, found, accepted) in [
            (
                r#""distribution": "hyperexponential", "scv": 0.5"#,
                "scv",
                "0.5",
                "at least 1",
            ),
            (
                r#""distribution": "lognormal", "scv": 0"#,
                "scv",
                "0",
                "from 0.000001",
            ),
            (
                r#""erlang_shape": 0"#,
                "erlang_shape",
                "0",
                "from 1 to 1000",
            ),
            (r#""erlang_shape": 2.5"#, "erlang_shape", "2.5", "whole"),
            (
                r#""pareto_alpha": 0"#,
                "pareto_alpha",
                "0",
                "from 0.1 to 10",
            ),
            (r#""pareto_ratio": 1"#, "pareto_ratio", "1", "from 1.001"),
            (
                r#""empirical_ratios": []"#,
                "empirical_ratios",
                "a list of 0",
                "a list of 1 to 1000 entries",
            ),
            (
                r#""empirical_ratios": [1, 0]"#,
                "empirical_ratios/1",
                "0",
                "a number from",
            ),
            (
                r#""distribution": "pareto""#,
                "distribution",
                "pareto",
                "bounded_pareto",
            ),
        ] {
            let pointer = format!("/workers/service/{field}");
            refused(&service(fields), &pointer, found, accepted);
        }
        parse(&service(r#""distribution": "lognormal", "scv": 0.5"#)).unwrap();
        parse(&service(r#""scv": 0.5"#)).unwrap();
    }

    /// Fields that came after the first profiles were shared are not written as long as they have
    /// their defaults: the hash in old links would be another.
    #[test]
    fn a_later_field_is_written_only_when_it_differs() {
        let text = to_text(&Profile::default());
        for field in [
            "erlang_shape",
            "scv",
            "pareto_alpha",
            "pareto_ratio",
            "empirical_ratios",
        ] {
            assert!(!text.contains(field), "{field}");
        }
        let other = r#"{"workers": {"service": {"distribution": "empirical", "empirical_ratios": [3, 1.5], "erlang_shape": 9}}}"#;
        let profile = parse(other).unwrap();
        assert_eq!(parse(&to_text(&profile)).unwrap(), profile);
        let paths: Vec<_> = changes(&Profile::default(), &profile)
            .into_iter()
            .map(|change| change.path)
            .collect();
        let names = ["distribution", "erlang_shape", "empirical_ratios"];
        assert_eq!(paths, names.map(|name| format!("workers.service.{name}")));
    }

    /// What is not written is read as the schema's default, and the page shows it.
    #[test]
    fn the_schema_names_the_default_of_every_field() {
        fn walk(node: &Value, path: &mut String, base: &Value, is_on: bool) {
            for (name, inner) in node["properties"].as_object().into_iter().flatten() {
                within(path, name, |path| {
                    let default = inner.get("default");
                    if inner.get("properties").is_some() {
                        let is_on = is_on && !types_of(inner).contains(&"null");
                        return walk(inner, path, base, is_on);
                    }
                    let off = Value::Null;
                    let leaves_out = types_of(inner).contains(&"null");
                    let default = default.or(leaves_out.then_some(&off)).expect(path);
                    if !is_on {
                        return;
                    }
                    let mut value = base.clone();
                    set_value(&mut value, path, default.clone()).unwrap();
                    assert_eq!(
                        to_value(&from_value(value).expect(path)),
                        *base,
                        "{path} = {default}"
                    );
                });
            }
        }
        let base = to_value(&Profile::default());
        walk(schema(), &mut String::new(), &base, true);
    }

    #[test]
    fn mechanisms_that_cannot_work_together_are_refused_where_they_stand() {
        for (text, field, found, accepted) in [
            (
                r#"{"workers": {"count": 4, "bulkheads": {"light": 3, "heavy": 2}}}"#,
                "/workers/bulkheads",
                "5 reserved",
                "at most 4",
            ),
            (
                r#"{"workers": {"count": 4, "bulkheads": {"light": 4, "heavy": 0}}}"#,
                "/workers/bulkheads",
                "reserved for one class",
                "either class",
            ),
            (
                r#"{"workers": {"count": 4, "autoscaler": {"min": 5, "max": 9}}}"#,
                "/workers/count",
                "4",
                "from 5 to 9",
            ),
            (
                r#"{"client": {"budget": {}}}"#,
                "/client/budget",
                "section",
                "client.retry",
            ),
            (
                r#"{"client": {"breaker": {"window_requests": 10, "min_requests": 20}}}"#,
                "/client/breaker/min_requests",
                "20",
                "10",
            ),
            (
                r#"{"network": {"loss_ratio": 0.1, "socket_timeout_seconds": null}}"#,
                "/network/loss_ratio",
                "0.1",
                "socket timeout",
            ),
            (
                r#"{"network": {"latency_seconds": 0.01, "jitter": "uniform", "jitter_seconds": 0.02}}"#,
                "/network/jitter_seconds",
                "0.02",
                "at most latency_seconds",
            ),
            (
                r#"{"queue": {"when_full": "drop"}}"#,
                "/queue/when_full",
                "drop",
                "timeout",
            ),
            (
                r#"{"run": {"drain": "continue", "max_requests": 5}}"#,
                "/run/drain",
                "continue",
                "stop",
            ),
            (
                r#"{"timeline": [{"at_seconds": 5}]}"#,
                "/timeline/0",
                "no kind",
                "exactly one of traffic",
            ),
            (
                r#"{"timeline": [{"traffic": {}, "stall": {}, "for_seconds": 1}]}"#,
                "/timeline/0",
                "traffic and stall",
                "exactly one",
            ),
            (
                r#"{"timeline": [{"at_seconds": 120, "traffic": {}}]}"#,
                "/timeline/0/at_seconds",
                "120",
                "less than the duration",
            ),
            (
                r#"{"timeline": [{"crash": {}}]}"#,
                "/timeline/0/for_seconds",
                "null",
                "how long",
            ),
            (
                r#"{"timeline": [{"traffic": {}}, {"slow_downstream": {}}]}"#,
                "/timeline/1/slow_downstream",
                "section",
                "downstream",
            ),
            (
                r#"{"timeline": [{"pool": {"of": "network"}}]}"#,
                "/timeline/0/pool/of",
                "network",
                "connection pool",
            ),
            (
                r#"{"timeline": [{"set": {"path": "run.duration_seconds", "value": 5}}]}"#,
                "/timeline/0/set/path",
                "run.duration_seconds",
                "workers.count",
            ),
            (
                r#"{"timeline": [{"set": {"path": "client.timeout_seconds", "value": 5}}]}"#,
                "/timeline/0/set/path",
                "client.timeout_seconds",
                "of this profile",
            ),
            (
                r#"{"timeline": [{"set": {"path": "queue.capacity", "value": 0}}]}"#,
                "/timeline/0/set/value",
                "0",
                "from 1",
            ),
        ] {
            refused(text, field, found, accepted);
        }
    }

    #[test]
    fn rates_that_make_no_sense_are_refused_where_they_stand() {
        refused(
            r#"{"arrivals": {"spike": {}, "diurnal": {}}}"#,
            "/arrivals/diurnal",
            "second shape",
            "null beside spike",
        );
        refused(
            r#"{"extra_arrivals": [{}, {"ramp": {}, "replay": {}}]}"#,
            "/extra_arrivals/1/replay",
            "second shape",
            "null beside ramp",
        );
        refused(
            r#"{"arrivals": {"bursty": {"high_factor": 0, "low_factor": 0}}}"#,
            "/arrivals/bursty/high_factor",
            "0",
            "low_factor above 0",
        );
        refused(
            r#"{"run": {"duration_seconds": 4000}, "arrivals": {"bursty": {"high_mean_seconds": 0.001, "low_mean_seconds": 0.002}}}"#,
            "/arrivals/bursty/high_mean_seconds",
            "0.001",
            "at least 0.004 s together",
        );
        refused(
            r#"{"extra_arrivals": [{"mix": {"light_share": 0, "heavy_share": 0}}]}"#,
            "/extra_arrivals/0/mix/light_share",
            "0",
            "a share above 0",
        );
        refused(
            r#"{"arrivals": {"rate_per_second": 600000}, "extra_arrivals": [{"rate_per_second": 1}, {"rate_per_second": 1000, "spike": {"factor": 500}}]}"#,
            "/extra_arrivals/1/rate_per_second",
            "1000",
            "never exceed 1000000/s",
        );
        refused(
            r#"{"arrivals": {"rate_per_second": 600000, "bursty": {}}}"#,
            "/arrivals/rate_per_second",
            "600000",
            "1800000/s at its peak",
        );
        refused(
            r#"{"agents": null, "extra_arrivals": [{"replay": {"rates_per_second": [0, 0]}}]}"#,
            "/extra_arrivals/0",
            "a rate of 0",
            "above 0 at some time",
        );
        refused(
            r#"{"agents": null, "arrivals": {"replay": {"interval_seconds": 120, "rates_per_second": [0, 1000]}}}"#,
            "/arrivals",
            "a rate of 0",
            "above 0 at some time",
        );
        refused(
            r#"{"arrivals": {"ramp": {"stages": []}}}"#,
            "/arrivals/ramp/stages",
            "a list of 0",
            "1 to 100",
        );
        refused(
            r#"{"arrivals": {"replay": {"rates_per_second": [1, -1]}}}"#,
            "/arrivals/replay/rates_per_second/1",
            "-1",
            "from 0",
        );
        assert!(parse(r#"{"agents": null, "extra_arrivals": [{}]}"#).is_ok());
    }

    #[test]
    fn what_is_as_always_is_not_written() {
        let with = parse(r#"{"arrivals": {}, "extra_arrivals": [], "requests": {"light": {"priority": 0}, "heavy": {"priority": 3}}}"#).unwrap();
        let value = to_value(&with);
        let names = |section: &Value| -> Vec<String> {
            section.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(names(&value["arrivals"]), ["rate_per_second", "process"]);
        assert_eq!(names(&value["requests"]["light"]), ["share", "weight"]);
        assert_eq!(value["requests"]["heavy"]["priority"], 3);
        assert_eq!(value.get("extra_arrivals"), None);
    }

    #[test]
    fn a_path_leads_into_a_list_and_to_a_field_that_is_not_written() {
        let profile = set(
            &Profile::default(),
            "extra_arrivals.0.rate_per_second",
            json!(7),
        )
        .unwrap();
        let profile = set(
            &profile,
            "extra_arrivals.0.ramp.stages.1.target_per_second",
            json!(3),
        )
        .unwrap();
        let profile = set(&profile, "requests.heavy.priority", json!(2)).unwrap();
        assert_eq!(profile.extra_arrivals[0].rate_per_second, 7.0);
        let stages = &profile.extra_arrivals[0].ramp.as_ref().unwrap().stages;
        assert_eq!((stages.len(), stages[1].target_per_second), (2, 3.0));
        let back = set(&profile, "extra_arrivals", json!([])).unwrap();
        let back = set(&back, "requests.heavy.priority", json!(0)).unwrap();
        assert_eq!(hash(&back), hash(&Profile::default()));
        let error = set(&profile, "extra_arrivals.2.rate_per_second", json!(1)).unwrap_err();
        assert_eq!(error.first().field, "/extra_arrivals/2");
    }

    #[test]
    fn every_problem_is_listed() {
        let error = parse(r#"{"seed": -1, "workers": {"count": 0, "x": 1}}"#).unwrap_err();
        let fields: Vec<_> = error.problems().iter().map(|p| p.field.as_str()).collect();
        assert_eq!(fields, ["/seed", "/workers/count", "/workers/x"]);
    }

    #[test]
    fn null_switches_a_section_off() {
        let profile = parse(r#"{"detector": null, "throttle": null, "queue": {"early_drop": null}, "faults": {"error": null}}"#).unwrap();
        assert!(!profile.detector.enabled && !profile.throttle.enabled);
        assert!(profile.queue.early_drop.is_none() && profile.faults.error.is_none());
        assert_eq!(
            parse(r#"{"queue": {"capacity": null}}"#)
                .unwrap()
                .queue
                .capacity,
            None
        );
    }

    #[test]
    fn the_canonical_text_reads_back_as_itself() {
        let profile = parse(r#"{"seed": 7, "arrivals": {}, "workers": {"count": 3.0}}"#).unwrap();
        assert_eq!(parse(&to_text(&profile)).unwrap(), profile);
        assert_eq!(parse(&to_pretty(&profile)).unwrap(), profile);
        assert_eq!(hash(&profile), hash(&parse(&to_pretty(&profile)).unwrap()));
    }

    #[test]
    fn setting_a_path_switches_its_section_on() {
        let profile = set(&Profile::default(), "arrivals.rate_per_second", json!(900)).unwrap();
        assert_eq!(profile.arrivals.unwrap().rate_per_second, 900.0);
        let error = set(&Profile::default(), "workers.cuont", json!(1)).unwrap_err();
        assert_eq!(error.first().field, "/workers/cuont");
        let error = set(&Profile::default(), "workers.count.x", json!(1)).unwrap_err();
        assert_eq!(error.first().field, "/workers/count/x");
    }

    #[test]
    fn changes_lead_from_one_profile_to_the_other() {
        let edits = r#"{"seed": 9, "agents": {"backoff": null}, "arrivals": {"rate_per_second": 5}, "queue": {"capacity": null}, "detector": null}"#;
        let load = r#"{"arrivals": {"spike": {"factor": 2}}, "extra_arrivals": [{}, {"mix": {}, "ramp": {"stages": [{}, {"target_per_second": 0}]}}], "requests": {"light": {"priority": 4}}}"#;
        let other = r#"{"arrivals": {"replay": {"rates_per_second": [1, 2]}}, "extra_arrivals": [{"ramp": {"stages": [{}]}, "priority": 0}]}"#;
        let all = [
            edits,
            r#"{"arrivals": {}}"#,
            r#"{"version": 1}"#,
            load,
            other,
        ];
        for (from, text) in all.iter().flat_map(|from| all.map(|text| (from, text))) {
            let (base, target) = (parse(from).unwrap(), parse(text).unwrap());
            let mut value = to_value(&base);
            for change in changes(&base, &target) {
                set_value(&mut value, &change.path, change.to).unwrap();
            }
            assert_eq!(from_value(value).unwrap(), target, "{from} {text}");
        }
    }

    #[test]
    fn a_profile_is_checked_against_the_schema_without_its_words() {
        fn compare(whole: &Value, checked: &Value, path: &str) {
            let [whole, checked] = [whole, checked].map(|node| node.as_object().unwrap());
            for (name, said) in whole {
                match name.as_str() {
                    "properties" => {
                        let fields = said.as_object().unwrap();
                        assert_eq!(fields.len(), checked[name].as_object().unwrap().len());
                        for (field, inner) in fields {
                            compare(inner, &checked[name][field], &format!("{path}/{field}"));
                        }
                    }
                    "items" => compare(said, &checked[name], &format!("{path}/0")),
                    "$schema"
                    | "additionalProperties"
                    | "description"
                    | "title"
                    | "x-enum-titles"
                    | "x-scale"
                    | "x-when" => assert_eq!(checked.get(name), None, "{path}"),
                    _ => assert_eq!(checked.get(name), Some(said), "{path}"),
                }
            }
            assert!(checked.keys().all(|name| whole.contains_key(name)));
        }
        compare(&parse_value(SCHEMA).unwrap(), schema(), "");
    }

    #[cfg(feature = "schema")]
    #[test]
    fn the_schema_shipped_is_the_one_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/profile.schema.json");
        let now = generate_schema();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let shipped = std::fs::read_to_string(path).unwrap();
        assert!(
            shipped == now,
            "profile.schema.json is out of date: `cargo xtask bless` writes it"
        );
    }
}
