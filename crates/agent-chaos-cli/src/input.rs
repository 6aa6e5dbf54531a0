//! From a word on the command line to an experiment.
//!
//! ```text
//! word ─► "-"? ─► preset? ─► file? ─► link? ─► refused, with the presets as a hint
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use agent_chaos_core::Profile;
use agent_chaos_core::presets::{self, PRESETS, Preset};
use agent_chaos_core::sweep::{Axis, MOST_CELLS, Plan};
use agent_chaos_core::wire::{self, MAX_TEXT_BYTES};
use agent_chaos_link::{Opened, View};
use serde_json::{Value, json};

use crate::arguments::Settings;
use crate::failure::Failure;

/// What is to be run.
pub struct Experiment {
    /// What it is called.
    pub name: String,
    /// The preset it was made from, if it was.
    pub preset: Option<&'static Preset>,
    /// All of it.
    pub profile: Profile,
}

impl Experiment {
    /// Reads a preset, a file, a link, or standard input.
    pub fn read(word: &str) -> Result<Self, Failure> {
        if word == "-" {
            let name = "standard input";
            let text = text_of(io::stdin().lock(), name)?;
            return Self::of_text(name, &text).map_err(|failure| failure.within(name));
        }
        if let Some(preset) = presets::find(word) {
            return Ok(Self {
                name: preset.name.to_owned(),
                preset: Some(preset),
                profile: preset.profile(),
            });
        }
        let path = Path::new(word);
        if path.exists() {
            let file =
                File::open(path).map_err(|error| Failure::file(path, "cannot be read", &error))?;
            let text = text_of(file, word)?;
            return Self::of_text(word, &text).map_err(|failure| failure.within(word));
        }
        if is_like_a_link(word) {
            return Ok(Self::of_link("link", agent_chaos_link::decode(word)?));
        }
        let shown: String = word.chars().take(60).collect();
        Err(Failure::new(
            "",
            format!("\"{shown}\", which is neither a preset nor a file nor a link"),
            format!("a preset ({}), a file, a link, or -", preset_names()),
        ))
    }

    /// The text of a file: a profile, or a link somebody saved.
    fn of_text(name: &str, text: &str) -> Result<Self, Failure> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if is_like_a_link(text.trim()) {
            return Ok(Self::of_link(name, agent_chaos_link::decode(text)?));
        }
        Ok(Self {
            name: name.to_owned(),
            preset: None,
            profile: wire::parse(text)?,
        })
    }

    fn of_link(name: &str, opened: Opened) -> Self {
        Self {
            name: opened
                .preset
                .map_or_else(|| name.to_owned(), |preset| preset.name.to_owned()),
            preset: opened.preset,
            profile: opened.profile,
        }
    }

    /// With what the command line changes. Fields are checked together, so their order is free.
    pub fn with(mut self, settings: &Settings) -> Result<Self, Failure> {
        let mut whole = wire::to_value(&self.profile);
        for setting in &settings.set {
            let Some((path, text)) = setting.split_once('=') else {
                let found = format!("--set {setting}");
                return Err(Failure::new(
                    "",
                    found,
                    "--set path=value, such as workers.count=6",
                ));
            };
            let value = wire::parse_value(text).unwrap_or_else(|_| Value::String(text.to_owned()));
            wire::set_value(&mut whole, path.trim(), value)?;
        }
        match settings.seed.as_deref() {
            None => {}
            Some("new") => whole["seed"] = json!(new_seed()?),
            Some(text) if text.starts_with("name:") => {
                whole["seed"] = json!(agent_chaos_link::seed_of(&text["name:".len()..]));
            }
            Some(text) => whole["seed"] = json!(seed(text)?),
        }
        self.profile = wire::from_value(whole)?;
        Ok(self)
    }

    /// The preset that this is, its seed apart.
    pub fn unmodified_preset(&self) -> Option<&'static Preset> {
        PRESETS.iter().find(|preset| {
            let mut profile = preset.profile();
            profile.seed = self.profile.seed;
            profile == self.profile
        })
    }
}

/// Reads a link, from standard input if it is `-`.
pub fn open_link(word: &str) -> Result<Opened, Failure> {
    if word == "-" {
        let text = text_of(io::stdin().lock(), "standard input")?;
        return Ok(agent_chaos_link::decode(&text)?);
    }
    Ok(agent_chaos_link::decode(word)?)
}

/// What `--view` says, all of it.
pub fn view(options: &[String]) -> Result<View, Failure> {
    let mut pairs = Vec::new();
    for option in options {
        let pair = option.split_once('=').ok_or_else(|| {
            let found = format!("--view {option}");
            Failure::new("", found, "--view key=value, such as show=verdict,charts")
        })?;
        pairs.push(pair);
    }
    // Within one word, commas are the easier marks, as in a token.
    let changes: Vec<_> = pairs
        .iter()
        .map(|(_, value)| value.replace(',', "~"))
        .collect();
    let pairs = pairs
        .iter()
        .zip(&changes)
        .map(|((key, value), changes)| match *key {
            "vs" => (*key, changes.as_str()),
            _ => (*key, *value),
        });
    Ok(View::of(pairs)?)
}

/// The parts of the page, the charts, and what can be locked beside fields, as the page names them.
const PARTS: [&str; 12] = [
    "controls", "verdict", "picture", "break", "charts", "compare", "sweep", "theory", "events",
    "report", "share", "editor",
];
const CHARTS: [&str; 13] = [
    "state",
    "rates",
    "derivative",
    "queue",
    "latency",
    "amplification",
    "phase",
    "clients",
    "connections",
    "limit",
    "removed",
    "workers",
    "downstream",
];
const LOCKS: [&str; 4] = ["all", "run", "break", "preset"];

/// Refuses names that the page would leave out: whoever makes a link is told, not whoever opens it.
pub fn check_view(view: &View, profile: &Profile) -> Result<(), Failure> {
    for (key, value) in view.pairs() {
        let (known, or_field): (&[&str], bool) = match key.as_str() {
            "show" => (&PARTS, false),
            "charts" => (&CHARTS, false),
            "lock" => (&LOCKS, true),
            "free" => (&[], true),
            "sweep" => {
                check_sweep(value, profile)?;
                continue;
            }
            _ => continue,
        };
        let is_known = |word: &&str| known.contains(word) || or_field && is_field(word);
        if let Some(odd) = value.split(',').find(|word| !is_known(word)) {
            let mut accepted = known.join(", ");
            if or_field {
                let or = if accepted.is_empty() { "" } else { ", or " };
                accepted += or;
                accepted += "a field or a section of a profile by its path";
            }
            return Err(Failure::new("", format!("--view {key}={odd}"), accepted));
        }
    }
    Ok(())
}

/// Whether a profile has such a field or section.
fn is_field(path: &str) -> bool {
    let found = path.split('.').try_fold(wire::schema(), |node, name| {
        let inside = node.get("properties").and_then(|all| all.get(name));
        inside.or_else(|| name.parse::<usize>().ok().and(node.get("items")))
    });
    found.is_some()
}

/// `path=values;…;seeds=A..B`
fn check_sweep(text: &str, profile: &Profile) -> Result<(), Failure> {
    let mut fields: Vec<_> = text.split(';').collect();
    let seeds = fields.pop().and_then(|last| last.strip_prefix("seeds="));
    let Some(seeds) = seeds.filter(|_| (1..=2).contains(&fields.len())) else {
        let accepted = "one or two fields and the seeds: path=values;path=values;seeds=A..B";
        return Err(Failure::new("", format!("--view sweep={text}"), accepted));
    };
    let axes: Result<Vec<_>, _> = fields.into_iter().map(Axis::parse).collect();
    Plan::new(profile, axes?, seed_range(seeds)?, MOST_CELLS)?;
    Ok(())
}

/// The presets in one line.
pub fn preset_names() -> String {
    let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
    names.join(", ")
}

/// `A..B`, both included.
pub fn seed_range(text: &str) -> Result<RangeInclusive<u32>, Failure> {
    let accepted = "A..B with 0 <= A <= B <= 4294967295, such as 1..100";
    let refused = || Failure::new("/seed", format!("--seeds {text}"), accepted);
    let (first, last) = text.split_once("..").ok_or_else(refused)?;
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| refused());
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(refused());
    }
    Ok(first..=last)
}

fn seed(text: &str) -> Result<u32, Failure> {
    text.trim().parse().map_err(|_| {
        let found = format!("--seed {text}");
        Failure::new(
            "/seed",
            found,
            "an integer from 0 to 4294967295, new, or name:TEXT",
        )
    })
}

fn new_seed() -> Result<u32, Failure> {
    getrandom::u32().map_err(|error| {
        Failure::said(
            "/seed",
            format!("no random seed is to be had: {error}"),
            "a number",
        )
    })
}

/// All of a text, unless it is longer than any profile.
fn text_of(source: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    source
        .take(MAX_TEXT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::file(Path::new(name), "cannot be read", &error))?;
    if bytes.len() > MAX_TEXT_BYTES {
        let found = format!("more than {MAX_TEXT_BYTES} bytes");
        let accepted = format!("a profile of at most {MAX_TEXT_BYTES} bytes");
        return Err(Failure::new("", found, accepted).within(name));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let found = format!("bytes that are not UTF-8, from byte {at} on");
        Failure::new("", found, "a profile as UTF-8 text (JSON)").within(name)
    })
}

fn is_like_a_link(text: &str) -> bool {
    let version = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    text.starts_with('#')
        || (text.contains("://") && !text.starts_with(['{', '[', '"']))
        || version.is_some_and(|(number, _)| number.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_seeds_has_both_ends() {
        assert_eq!(seed_range("1..100").unwrap(), 1..=100);
        assert_eq!(seed_range("7..7").unwrap().count(), 1);
        for bad in ["", "1", "2..1", "-1..3", "1..4294967296", "a..b", "1..=2"] {
            assert!(seed_range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn links_are_told_from_profiles() {
        for link in [
            "#",
            "#v1.exp-001",
            "v1.exp-001",
            "v9.x",
            "https://example.org/",
        ] {
            assert!(is_like_a_link(link), "{link}");
        }
        for other in ["exp-04", "{\"a\": \"http://x\"}", "version.json", "", "-"] {
            assert!(!is_like_a_link(other), "{other}");
        }
    }
}
