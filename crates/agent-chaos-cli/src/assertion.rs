//! `--assert`: what has to hold of a run, or of a set of runs.
//!
//! ```text
//! assertion  = quantity operator value
//! quantity   = path | "mean(" path ")" | "share(" path operator value ")"
//! path       = a field of `run --json`, with dots: latency_seconds.p95, failures.QUEUE_OVERFLOW
//! operator   = "<" | "<=" | ">" | ">=" | "==" | "!="
//! value      = number | true | false | word | "text in quotes"
//! ```
//!
//! A path alone is asserted of each run; `mean` and `share` are of all runs together. A field without a
//! value, such as the time of a recovery that did not happen, is undefined: no assertion of it holds.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use agent_chaos_core::detector::State;
use agent_chaos_core::request::FailureMode;
use agent_chaos_core::{Profile, Run, presets, wire};
use serde_json::{Map, Value, json};

use crate::failure::{Failure, Stop};

/// At most so many runs in which an assertion did not hold are named; the rest is counted.
const MOST_NAMED: usize = 5;

/// How a quantity is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Different,
}

impl Operator {
    /// The longer ones first, so that none is taken for the beginning of another.
    const ALL: [(&str, Self); 6] = [
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("==", Self::Equal),
        ("!=", Self::Different),
        ("<", Self::Less),
        (">", Self::More),
    ];

    fn sign(self) -> &'static str {
        let known = Self::ALL.iter().find(|(_, operator)| *operator == self);
        known.map_or("", |(sign, _)| sign)
    }

    fn of_numbers(self, one: f64, other: f64) -> bool {
        match self {
            Self::Less => one < other,
            Self::AtMost => one <= other,
            Self::More => one > other,
            Self::AtLeast => one >= other,
            Self::Equal => one == other,
            Self::Different => one != other,
        }
    }
}

/// What a quantity is compared with.
#[derive(Clone, Debug, PartialEq)]
enum Constant {
    Number(f64),
    Truth(bool),
    Text(String),
}

/// A field compared with a value.
#[derive(Clone, Debug, PartialEq)]
struct Comparison {
    path: String,
    operator: Operator,
    constant: Constant,
}

/// What has to hold.
#[derive(Clone, Debug, PartialEq)]
enum Expression {
    /// Of each run.
    Each(Comparison),
    /// Of the mean over all runs.
    Mean(Comparison),
    /// Of the share of the runs in which the first holds.
    Share(Comparison, Operator, f64),
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::Text(text) if is_word(text) => f.write_str(text),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.path,
            self.operator.sign(),
            self.constant
        )
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Each(comparison) => write!(f, "{comparison}"),
            Self::Mean(Comparison {
                path,
                operator,
                constant,
            }) => write!(f, "mean({path}) {} {constant}", operator.sign()),
            Self::Share(comparison, operator, share) => {
                write!(f, "share({comparison}) {} {share}", operator.sign())
            }
        }
    }
}

/// Whether this text needs no quotes: it is neither empty nor a number, and has only what words have.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_of_word)
        && !matches!(text, "true" | "false")
        && text.parse::<f64>().is_err()
}

fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_of_path(c: char) -> bool {
    is_of_word(c) || c == '.'
}

/// Reads an assertion from the front.
struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn refuse(&self, accepted: &str) -> Failure {
        let at = self.whole.len() - self.rest.trim_start().len();
        let found = match self.rest.trim_start().chars().next() {
            Some(_) => format!("--assert '{}': \"{}\"", self.whole, &self.whole[at..]),
            None => format!("--assert '{}', which ends there", self.whole),
        };
        Failure::new("", found, accepted)
    }

    fn take(&mut self, text: &str) -> bool {
        let left = self.rest.trim_start().strip_prefix(text);
        self.rest = left.unwrap_or(self.rest);
        left.is_some()
    }

    fn expect(&mut self, text: &str) -> Result<(), Failure> {
        if self.take(text) {
            return Ok(());
        }
        Err(self.refuse(text))
    }

    fn run_of(&mut self, is_part: fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.rest = &rest[end..];
        &rest[..end]
    }

    fn path(&mut self) -> Result<String, Failure> {
        let before = self.rest;
        let path = self.run_of(is_of_path);
        if path.split('.').any(str::is_empty) {
            self.rest = before;
            return Err(self.refuse("a field of run --json, such as latency_seconds.p95"));
        }
        Ok(path.to_owned())
    }

    fn operator(&mut self) -> Result<Operator, Failure> {
        let found = Operator::ALL.iter().find(|(sign, _)| self.take(sign));
        let Some(&(_, operator)) = found else {
            return Err(self.refuse("one of < <= > >= == !="));
        };
        Ok(operator)
    }

    fn constant(&mut self) -> Result<Constant, Failure> {
        let accepted =
            "a number, true, false, a word such as COLLAPSED, or a text in double quotes";
        let before = self.rest;
        if self.take("\"") {
            let Some((text, rest)) = self.rest.split_once('"') else {
                self.rest = before;
                return Err(self.refuse("a text that ends in a double quote"));
            };
            self.rest = rest;
            return Ok(Constant::Text(text.to_owned()));
        }
        let text = self.run_of(|c| is_of_path(c) || c == '+');
        // Names that are numbers to Rust, such as `inf`, are words here.
        let is_numeric = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        match text.parse::<f64>() {
            Ok(number) if is_numeric && number.is_finite() => Ok(Constant::Number(number)),
            _ if text == "true" || text == "false" => Ok(Constant::Truth(text == "true")),
            _ if text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.chars().all(is_of_word) =>
            {
                Ok(Constant::Text(text.to_owned()))
            }
            _ => {
                self.rest = before;
                Err(self.refuse(accepted))
            }
        }
    }

    fn comparison(&mut self) -> Result<Comparison, Failure> {
        let path = self.path()?;
        let operator = self.operator()?;
        let before = self.rest;
        let constant = self.constant()?;
        let is_ordered = !matches!(operator, Operator::Equal | Operator::Different);
        if is_ordered && !matches!(constant, Constant::Number(_)) {
            self.rest = before;
            return Err(self.refuse(&format!("a number after {}", operator.sign())));
        }
        Ok(Comparison {
            path,
            operator,
            constant,
        })
    }

    fn number(&mut self) -> Result<f64, Failure> {
        let before = self.rest;
        match self.constant()? {
            Constant::Number(number) => Ok(number),
            _ => {
                self.rest = before;
                Err(self.refuse("a number"))
            }
        }
    }

    fn expression(&mut self) -> Result<Expression, Failure> {
        let expression = if self.take("mean(") {
            let path = self.path()?;
            self.expect(")")?;
            let operator = self.operator()?;
            let constant = Constant::Number(self.number()?);
            Expression::Mean(Comparison {
                path,
                operator,
                constant,
            })
        } else if self.take("share(") {
            let comparison = self.comparison()?;
            self.expect(")")?;
            let operator = self.operator()?;
            Expression::Share(comparison, operator, self.number()?)
        } else {
            Expression::Each(self.comparison()?)
        };
        if !self.rest.trim().is_empty() {
            return Err(self.refuse("nothing more: one --assert for each assertion"));
        }
        Ok(expression)
    }
}

impl Expression {
    fn parse(text: &str) -> Result<Self, Failure> {
        let mut reader = Reader {
            whole: text,
            rest: text,
        };
        reader.expression()
    }

    fn comparison(&self) -> &Comparison {
        match self {
            Self::Each(comparison) | Self::Mean(comparison) | Self::Share(comparison, ..) => {
                comparison
            }
        }
    }
}

impl Comparison {
    /// Whether it holds of a value; none if they are of different kinds.
    fn holds(&self, value: &Value) -> Option<bool> {
        let is_equal = match (&self.constant, value) {
            (Constant::Number(number), Value::Number(found)) => {
                return Some(self.operator.of_numbers(found.as_f64()?, *number));
            }
            (Constant::Truth(truth), Value::Bool(found)) => truth == found,
            (Constant::Text(text), Value::String(found)) => text == found,
            _ => return None,
        };
        Some(is_equal == (self.operator == Operator::Equal))
    }

    /// The value of its field in a report: null if that is undefined.
    fn value<'a>(&self, report: &'a Value) -> &'a Value {
        match step(report, &self.path) {
            Found::Value(value) => value,
            Found::Nothing | Found::Unknown(_) => &Value::Null,
        }
    }
}

enum Found<'a> {
    Value(&'a Value),
    /// Null, here or on the way.
    Nothing,
    /// There is no field of this name in that object.
    Unknown(&'a Map<String, Value>),
}

/// Follows a path.
fn step<'a>(report: &'a Value, path: &str) -> Found<'a> {
    let mut value = report;
    for name in path.split('.') {
        value = match value {
            Value::Object(fields) => match fields.get(name) {
                Some(inner) => inner,
                None => return Found::Unknown(fields),
            },
            // A list may be shorter in this run than in others.
            Value::Array(items) => match name.parse().ok().and_then(|n: usize| items.get(n)) {
                Some(inner) => inner,
                None => return Found::Nothing,
            },
            _ => return Found::Nothing,
        };
    }
    match value {
        Value::Null => Found::Nothing,
        value => Found::Value(value),
    }
}

/// A report with every section that only some runs have.
fn reference() -> Value {
    let mut profile = presets::find("retry-storm")
        .expect("it is a preset")
        .profile();
    profile.run.duration_seconds = 12.0;
    profile.run.warmup_seconds = 1.0;
    profile.timeline[0].at_seconds = 2.0;
    profile.timeline[0].for_seconds = Some(1.0);
    let mut report = Run::new(&profile).finish().to_json();
    for mode in FailureMode::ALL {
        report["failures"][mode.name()] = json!(0);
    }
    report["engine"]["wall_seconds"] = json!(0.0);
    report
}

/// Every field below a value that is neither an object nor a list, with its path.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    let Value::Object(fields) = value else {
        return found.push(path.to_owned());
    };
    for (name, inner) in fields {
        let dot = if path.is_empty() { "" } else { "." };
        leaves(inner, &format!("{path}{dot}{name}"), found);
    }
}

/// One assertion, and what has come of it so far.
struct Asserted {
    expression: Expression,
    runs: u64,
    /// Runs of which it does not hold, or in which it is undefined.
    failures: Vec<(u64, Value)>,
    /// Runs in which the field is undefined.
    undefined: u64,
    sum: f64,
    held: u64,
    last: Value,
}

/// What has to hold of the runs to come.
pub struct Assertions {
    all: Vec<Asserted>,
}

impl Assertions {
    /// Reads them, for runs of this profile.
    ///
    /// # Errors
    ///
    /// If one of them is none, or is about a field that no report has.
    pub fn parse(texts: &[String], profile: &Profile) -> Result<Self, Failure> {
        let expressions: Result<Vec<_>, _> =
            texts.iter().map(|text| Expression::parse(text)).collect();
        let expressions = expressions?;
        if !expressions.is_empty() {
            let mut known = reference();
            known["profile"] = wire::to_value(profile);
            for expression in &expressions {
                check_path(&expression.comparison().path, &known)?;
                check_state(expression.comparison())?;
            }
        }
        let all = expressions.into_iter().map(|expression| Asserted {
            expression,
            runs: 0,
            failures: Vec::new(),
            undefined: 0,
            sum: 0.0,
            held: 0,
            last: Value::Null,
        });
        Ok(Self { all: all.collect() })
    }

    /// Takes in the report of one more run.
    ///
    /// # Errors
    ///
    /// If a value is of another kind than what it is compared with.
    pub fn see(&mut self, report: &Value) -> Result<(), Failure> {
        for one in &mut self.all {
            one.see(report)?;
        }
        Ok(())
    }

    /// What came of each.
    fn judge(&self) -> Vec<Judgement> {
        self.all.iter().map(Asserted::judge).collect()
    }

    /// For programs; none where nothing was asserted.
    pub fn to_json(&self) -> Option<Value> {
        let judged = self.judge();
        (!judged.is_empty()).then(|| judged.iter().map(Judgement::to_json).collect())
    }

    /// Adds it to a report.
    pub fn tell(&self, report: &mut Value) {
        if let Some(judged) = self.to_json() {
            report["assertions"] = judged;
        }
    }

    /// For people, below a report.
    pub fn show(&self, out: &mut impl Write) -> io::Result<()> {
        let mut label = "Assertions";
        for judgement in self.judge() {
            let word = if judgement.holds { "holds" } else { "FAILS" };
            let (assertion, values) = (&judgement.assertion, judgement.values());
            writeln!(out, "{label:<13}{word}  {assertion}   ({values})")?;
            label = "";
        }
        Ok(())
    }

    /// The exit status, those that do not hold having been named on standard error.
    pub fn end(&self, json: bool, out: &mut impl Write) -> Result<ExitCode, Stop> {
        let judged = self.judge();
        let failed: Vec<_> = judged.iter().filter(|one| !one.holds).collect();
        if failed.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        // The report first, whatever the two streams lead to.
        out.flush()?;
        let named: Vec<_> = failed
            .iter()
            .map(|one| format!("{} ({})", one.assertion, one.values()))
            .collect();
        let (count, all) = (failed.len(), judged.len());
        let said = format!("{count} of {all} assertions failed: {}", named.join("; "));
        Failure::said("", said, "assertions that hold").print(json);
        Ok(ExitCode::from(1))
    }
}

/// Refuses a field that no report has.
fn check_path(path: &str, known: &Value) -> Result<(), Failure> {
    let Found::Unknown(siblings) = step(known, path) else {
        return Ok(());
    };
    let mut all = Vec::new();
    leaves(known, "", &mut all);
    all.retain(|known| !known.starts_with("profile."));
    let likeness = |known: &String| (strsim::jaro_winkler(known, path) * 1e6) as u64;
    let nearest = all.iter().max_by_key(|known| likeness(known));
    let hint = nearest.map_or(String::new(), |nearest| format!("; perhaps {nearest}"));
    let names: Vec<_> = siblings.keys().map(String::as_str).collect();
    Err(Failure::new(
        "",
        format!("--assert about {path}, which is no field of a report"),
        format!(
            "a field of run --json; there it has {}{hint}",
            names.join(", ")
        ),
    ))
}

/// A misspelt state is another state than any that a run can be in, and would hold for ever.
fn check_state(comparison: &Comparison) -> Result<(), Failure> {
    let name = comparison.path.rsplit('.').next().unwrap_or_default();
    let (true, Constant::Text(found)) = (
        matches!(name, "state" | "worst_state" | "final_state"),
        &comparison.constant,
    ) else {
        return Ok(());
    };
    if State::ALL.iter().any(|state| state.name() == found) {
        return Ok(());
    }
    let names = State::ALL.map(State::name).join(", ");
    let found = format!(
        "--assert {} against {found}, which is no state",
        comparison.path
    );
    Err(Failure::new("", found, names))
}

impl Asserted {
    fn see(&mut self, report: &Value) -> Result<(), Failure> {
        let comparison = self.expression.comparison();
        let zero = json!(0);
        let mut value = comparison.value(report);
        // A report names the failures that there were, and the usual ones.
        if value.is_null() && comparison.path.starts_with("failures.") {
            value = &zero;
        }
        self.runs += 1;
        self.last = value.clone();
        if value.is_null() {
            self.undefined += 1;
        }
        let seed = report["seed"].as_u64().unwrap_or(0);
        let refuse = |accepted: &str| {
            let found = format!("{} is {value} in the run with seed {seed}", comparison.path);
            Failure::new(
                "",
                found,
                format!("{accepted} in --assert '{}'", self.expression),
            )
        };
        if let Expression::Mean(_) = self.expression {
            match value {
                Value::Null => self.failures.push((seed, Value::Null)),
                value => {
                    self.sum += value
                        .as_f64()
                        .ok_or_else(|| refuse("a field that is a number"))?;
                }
            }
            return Ok(());
        }
        let holds = match value {
            Value::Null => false,
            value => comparison.holds(value).ok_or_else(|| {
                refuse("a value of the same kind (number, text, or true and false)")
            })?,
        };
        self.held += u64::from(holds);
        if !holds {
            self.failures.push((seed, value.clone()));
        }
        Ok(())
    }

    fn judge(&self) -> Judgement {
        let runs = self.runs as f64;
        let (holds, value, failures) = match &self.expression {
            Expression::Each(_) => {
                let value = if self.runs == 1 {
                    self.last.clone()
                } else {
                    Value::Null
                };
                (self.failures.is_empty(), value, self.failures.clone())
            }
            Expression::Mean(comparison) => {
                if self.undefined > 0 {
                    (false, Value::Null, self.failures.clone())
                } else {
                    let mean = json!(self.sum / runs);
                    (comparison.holds(&mean) == Some(true), mean, Vec::new())
                }
            }
            Expression::Share(_, operator, bound) => {
                let share = self.held as f64 / runs;
                (operator.of_numbers(share, *bound), json!(share), Vec::new())
            }
        };
        Judgement {
            assertion: self.expression.to_string(),
            holds,
            runs: self.runs,
            value,
            failures,
        }
    }
}

/// What came of an assertion.
struct Judgement {
    /// The assertion, written in the usual way.
    assertion: String,
    /// Whether it holds.
    holds: bool,
    /// Over so many runs.
    runs: u64,
    /// What was compared: null if it is undefined, or one value for each run.
    value: Value,
    /// The runs of which it does not hold, each with its value.
    failures: Vec<(u64, Value)>,
}

fn said(value: &Value) -> String {
    match value {
        Value::Null => "undefined".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

impl Judgement {
    /// The values it was judged by.
    fn values(&self) -> String {
        if self.runs == 1 || !self.value.is_null() {
            return said(&self.value);
        }
        if self.failures.is_empty() {
            return format!("in all {} runs", self.runs);
        }
        let named = self.failures.iter().take(MOST_NAMED);
        let named: Vec<_> = named
            .map(|(seed, value)| format!("seed {seed}: {}", said(value)))
            .collect();
        let more = self.failures.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        let (count, runs) = (self.failures.len(), self.runs);
        format!("not in {count} of {runs} runs ({}{more})", named.join(", "))
    }

    /// For programs.
    fn to_json(&self) -> Value {
        let mut told =
            json!({ "assertion": self.assertion, "holds": self.holds, "value": self.value });
        if self.runs > 1 {
            let failures = self.failures.iter();
            told["failures"] = failures
                .map(|(seed, value)| json!({ "seed": seed, "value": value }))
                .collect();
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(text: &str, reports: &[Value]) -> (bool, String) {
        let mut assertions = Assertions::parse(&[text.to_owned()], &Profile::default())
            .unwrap_or_else(|_| panic!("{text} is an assertion"));
        for report in reports {
            assertions
                .see(report)
                .unwrap_or_else(|_| panic!("{text} has a value"));
        }
        let judgement = assertions.judge().remove(0);
        (judgement.holds, judgement.values())
    }

    fn report(seed: u64, state: &str, p95: Value) -> Value {
        json!({ "seed": seed, "state": state, "latency_seconds": { "p95": p95 }, "failures": {} })
    }

    #[test]
    fn each_operator_is_itself() {
        let one = [report(1, "STABLE", json!(0.25))];
        for (operator, expected) in [
            ("<", [true, false, false]),
            ("<=", [true, true, false]),
            (">", [false, false, true]),
            (">=", [false, true, true]),
            ("==", [false, true, false]),
            ("!=", [true, false, true]),
        ] {
            for (bound, expected) in ["0.3", "0.25", "2e-1"].into_iter().zip(expected) {
                let text = format!("latency_seconds.p95{operator}{bound}");
                assert_eq!(judged(&text, &one), (expected, "0.25".to_owned()), "{text}");
            }
        }
        assert!(judged("state == STABLE", &one).0);
        assert!(judged("state != COLLAPSED", &one).0);
        // What no state is called would differ for ever.
        let none = [r#"state != "no such""#.to_owned()];
        assert!(Assertions::parse(&none, &Profile::default()).is_err());
        assert!(!judged("state != STABLE", &one).0);
        // A failure mode that a report does not name has not come about.
        assert!(judged("failures.CIRCUIT_OPEN == 0", &one).0);
    }

    #[test]
    fn what_is_undefined_does_not_hold_either_way() {
        let one = [report(1, "STABLE", Value::Null)];
        for text in [
            "latency_seconds.p95 < 1",
            "latency_seconds.p95 >= 1",
            "latency_seconds.p95 != 1",
            "recovery.seconds_after_trigger < 10",
            "mean(latency_seconds.p95) < 1",
            "evidence.7.rule == none",
        ] {
            assert_eq!(
                judged(text, &one),
                (false, "undefined".to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn sets_have_means_and_shares_and_name_who_fails() {
        let states = ["STABLE", "COLLAPSED", "STABLE", "STABLE"];
        let reports: Vec<_> = (1..)
            .zip(states)
            .map(|(seed, state)| report(seed, state, json!(0.1 * seed as f64)))
            .collect();
        assert!(judged("mean(latency_seconds.p95) == 0.25", &reports).0);
        assert_eq!(
            judged("share(state == COLLAPSED) <= 0.2", &reports),
            (false, "0.25".to_owned())
        );
        assert!(judged("share(latency_seconds.p95 >= 0.3) == 0.5", &reports).0);
        let (holds, values) = judged("state == STABLE", &reports);
        assert!(!holds);
        assert_eq!(values, "not in 1 of 4 runs (seed 2: COLLAPSED)");
        assert_eq!(
            judged("seed < 9", &reports),
            (true, "in all 4 runs".to_owned())
        );
    }

    #[test]
    fn what_is_no_assertion_is_refused() {
        for text in [
            "",
            "state",
            "state ==",
            "state = STABLE",
            "== STABLE",
            "state == STABLE and more",
            "state < COLLAPSED",
            "latency_seconds..p95 < 1",
            "mean(state) == STABLE",
            "mean(latency_seconds.p95 < 1",
            "share(state == STABLE) > most",
            "share(state) > 0.5",
            "attempts < 1e999",
            "state == \"STABLE",
            "error_rate < 0,1",
        ] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn unknown_fields_are_refused_with_the_nearest_one() {
        let parse = |text: &str| Assertions::parse(&[text.to_owned()], &Profile::default());
        for (text, hint) in [
            ("latency_seconds.p59 < 1", "perhaps latency_seconds.p95"),
            ("latency < 1", "perhaps latency_"),
            ("recovery.seconds < 10", "seconds_after_trigger"),
            ("profile.workers.cout == 1", "count"),
        ] {
            let refused = parse(text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(format!("{refused:?}").contains(hint), "{text}: {refused:?}");
        }
        for text in [
            "profile.workers.count == 12",
            "recovery.recovered == true",
            "clients.amplification < 2",
            "engine.wall_seconds < 1",
            "errors.0.requests == 0",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        for text in [
            "state < 1",
            "latency_seconds.p95 == STABLE",
            "mean(state) < 1",
        ] {
            let mut assertions =
                Assertions::parse(&[text.to_owned()], &Profile::default()).unwrap();
            assert!(
                assertions.see(&report(1, "STABLE", json!(1.0))).is_err(),
                "{text}"
            );
        }
    }

    fn constants() -> impl Strategy<Value = Constant> {
        prop_oneof![
            (-1e12..1e12_f64).prop_map(Constant::Number),
            any::<bool>().prop_map(Constant::Truth),
            "[^\"]{0,12}".prop_map(Constant::Text),
        ]
    }

    fn operators() -> impl Strategy<Value = Operator> {
        prop::sample::select(Operator::ALL.map(|(_, operator)| operator).to_vec())
    }

    fn comparisons() -> impl Strategy<Value = Comparison> {
        let path = "[a-zA-Z0-9_-]{1,8}(\\.[a-zA-Z0-9_-]{1,8}){0,3}";
        (path, operators(), constants()).prop_map(|(path, operator, constant)| Comparison {
            path,
            operator: match constant {
                Constant::Number(_) => operator,
                _ => Operator::Equal,
            },
            constant,
        })
    }

    fn expressions() -> impl Strategy<Value = Expression> {
        prop_oneof![
            comparisons().prop_map(Expression::Each),
            (comparisons(), -1e6..1e6_f64).prop_map(|(comparison, number)| {
                Expression::Mean(Comparison {
                    constant: Constant::Number(number),
                    ..comparison
                })
            }),
            (comparisons(), operators(), 0.0..1.0_f64).prop_map(|(comparison, operator, share)| {
                Expression::Share(comparison, operator, share)
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(expression in expressions()) {
            let written = expression.to_string();
            let read = Expression::parse(&written);
            prop_assert!(read.is_ok(), "{}", written);
            prop_assert_eq!(read.unwrap(), expression);
        }

        #[test]
        fn spaces_change_nothing(expression in expressions(), gap in " {0,3}") {
            let Expression::Each(comparison) = &expression else { return Ok(()) };
            let Comparison { path, operator, constant } = comparison;
            let written = format!("{gap}{path}{gap}{}{gap}{constant}{gap}", operator.sign());
            let read = Expression::parse(&written);
            prop_assert!(read.is_ok(), "{}", written);
            prop_assert_eq!(read.unwrap(), expression);
        }

        #[test]
        fn no_text_is_the_end_of_it(text in "\\PC{0,40}") {
            let _ = Expression::parse(&text);
        }

        #[test]
        fn nearly_an_assertion_is_no_panic(text in "(mean\\(|share\\(|[a-z.]{0,5}|[<>=!]{1,2}|[0-9.e+-]{1,6}|[A-Z\"é)]| ){0,8}") {
            let _ = Expression::parse(&text);
        }

        #[test]
        fn the_opposite_holds_otherwise(value in -10.0..10.0_f64, bound in -10.0..10.0_f64) {
            let holds = |operator: &str| {
                let comparison = match Expression::parse(&format!("x {operator} {bound}")) {
                    Ok(Expression::Each(comparison)) => comparison,
                    _ => panic!("{operator} {bound}"),
                };
                comparison.holds(&json!(value)).unwrap()
            };
            prop_assert_ne!(holds("<"), holds(">="));
            prop_assert_ne!(holds(">"), holds("<="));
            prop_assert_ne!(holds("=="), holds("!="));
        }
    }
}
