//! Links to experiments: one token after `#`, short, readable, editable by hand, and able to tell
//! whether what it promises still comes out.
//!
//! ```text
//! v1.exp-002~workers.count=6~seed=7~h=1a2b3c4d5e6f
//! │  │       │               │      └ 4 digits of the profile's hash, 8 of the run's digest
//! │  │       └ what differs from the preset, as dotted path and JSON value
//! │  └ the preset
//! └ the version of this form
//! ```
//!
//! Longer than [`MAX_READABLE`], it is `v1z.<packed>~h=…` instead, with the profile's canonical text packed
//! ([`packing`]). An `h` that is missing or cut is no error: nothing can be verified then, that is all.
//! Before `h` may stand how the experiment is to be shown ([`View`]), as `view.show=verdict,charts` and the
//! like; `h` does not cover it.

pub mod packing;
mod view;

use std::convert::Infallible;
use std::fmt;

use agent_chaos_core::presets::{self, PRESETS, Preset};
use agent_chaos_core::wire::{self, Change, ProfileError};
use agent_chaos_core::{ENGINE_REVISION, Profile};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

pub use view::{MAX_QUESTION, MAX_VARIANTS, MAX_VIEW_VALUE, View, seed_of};

/// A readable token is no longer than this; beyond, the profile is compressed.
pub const MAX_READABLE: usize = 1_200;

/// A longer text is no link.
pub const MAX_TEXT: usize = 200_000;

/// Letters, digits and what neither chat, mail nor the address bar touches.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// What a link promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// First 4 hex digits of the hash of the profile it was made for.
    pub profile_hash: String,
    /// First 8 hex digits of the digest of its run.
    pub digest: String,
    /// Revision of the engine that ran it.
    pub revision: u32,
}

/// A link that was read.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The preset it builds on; none for a compressed profile.
    pub preset: Option<&'static Preset>,
    /// The experiment.
    pub profile: Profile,
    /// What it promises, if it does.
    pub expected: Option<Expected>,
    /// Whether the profile is still the one it was made for; none if it does not say.
    pub profile_matches: Option<bool>,
    /// What differs from the preset, or from the defaults.
    pub changes: Vec<Change>,
    /// How it is to be shown.
    pub view: View,
}

/// What the run of a link showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The same experiment gave the same result.
    Reproduced,
    /// The experiment was edited since the link was made.
    Edited,
    /// The same experiment gave a different result.
    Different,
    /// The link does not say what to expect.
    NotVerified,
}

impl Outcome {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced ✓",
            Self::Edited => "edited since it was shared",
            Self::Different => "same experiment, different result",
            Self::NotVerified => "not verified",
        }
    }
}

impl Opened {
    /// Compares what the link promises with the digest of a run.
    #[must_use]
    pub fn outcome(&self, digest: &str) -> Outcome {
        match (&self.expected, self.profile_matches) {
            (Some(_), Some(false)) => Outcome::Edited,
            (Some(expected), Some(true)) if digest.starts_with(&expected.digest) => {
                Outcome::Reproduced
            }
            (Some(_), Some(true)) => Outcome::Different,
            _ => Outcome::NotVerified,
        }
    }
}

/// A link that cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// There is no token in the text.
    Empty,
    /// The token is not of a form that ever was; says what is wrong.
    Malformed(String),
    /// A newer version of this software made it.
    Newer(String),
    /// It builds on a preset that does not exist.
    UnknownPreset(String),
    /// What it says of how it is to be shown is refused; says what is wrong.
    View(String),
    /// Its profile is refused.
    Profile(ProfileError),
}

impl LinkError {
    /// The kind, as the page and the command line write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Malformed(_) => "malformed",
            Self::Newer(_) => "newer",
            Self::UnknownPreset(_) => "unknown_preset",
            Self::View(_) => "view",
            Self::Profile(_) => "profile",
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("the link holds no experiment, accepted: a token such as v1.exp-002")
            }
            Self::Malformed(why) => write!(f, "the link cannot be read: {why}"),
            Self::Newer(version) => write!(
                f,
                "the link is of form {version}, which a newer version of this software made, accepted: v1; update and open it again"
            ),
            Self::UnknownPreset(name) => {
                let known: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
                write!(
                    f,
                    "the link builds on \"{name}\", which is no preset, accepted: {}",
                    known.join(", ")
                )
            }
            Self::View(why) => write!(f, "the link's view is refused: {why}"),
            Self::Profile(error) => write!(f, "the link's experiment is refused: {error}"),
        }
    }
}

impl std::error::Error for LinkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Profile(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ProfileError> for LinkError {
    fn from(error: ProfileError) -> Self {
        Self::Profile(error)
    }
}

/// The token of a link to this experiment.
///
/// Without a preset, or with an unknown one, the one with the fewest changes is taken. With the
/// digest of a run (16 hex digits) the link can verify itself.
#[must_use]
pub fn encode(profile: &Profile, preset: Option<&str>, digest: Option<&str>) -> String {
    encode_viewed(profile, preset, digest, &View::default())
}

/// As [`encode`], with how the experiment is to be shown.
#[must_use]
pub fn encode_viewed(
    profile: &Profile,
    preset: Option<&str>,
    digest: Option<&str>,
    view: &View,
) -> String {
    let pack = |text: &str| Ok::<_, Infallible>(packing::pack(text));
    let Ok(token) = encode_with(profile, preset, digest, view, &pack);
    token
}

/// As [`encode_viewed`], with something else that packs: not everybody has [`packing`] at hand.
///
/// # Errors
///
/// What it fails with.
pub fn encode_with<E>(
    profile: &Profile,
    preset: Option<&str>,
    digest: Option<&str>,
    view: &View,
    pack: &dyn Fn(&str) -> Result<String, E>,
) -> Result<String, E> {
    let check = digest.and_then(|digest| digest.get(..8)).map(|digest| {
        format!(
            "{}~h={}{digest}",
            made_by(ENGINE_REVISION),
            short_hash(profile)
        )
    });
    let check = check.unwrap_or_default();
    let chosen = preset.and_then(presets::find);
    let candidates = PRESETS
        .iter()
        .filter(|candidate| chosen.is_none_or(|chosen| chosen == *candidate));
    let readable = candidates
        .map(|preset| readable(preset, profile))
        .min_by_key(String::len)
        .unwrap_or_default();
    let mut token = if readable.len() + check.len() <= MAX_READABLE {
        readable
    } else {
        format!("v1z.{}", pack(&wire::to_text(profile))?)
    };
    view.write(&mut token);
    // Mail and chat cut other characters off the end of an address.
    if check.is_empty() && !token.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        token.push_str("~h=0");
    }
    Ok(unmistakable(token + &check))
}

/// The field for the revision of the engine, which links of the first one do not have.
fn made_by(revision: u32) -> String {
    if revision > 1 {
        format!("~e={revision}")
    } else {
        String::new()
    }
}

/// A token that looks as if somebody had encoded it once more is encoded once more, so that what undoes
/// that gives it back.
fn unmistakable(token: String) -> String {
    if encoded_again(&token) {
        token.replace('%', "%25")
    } else {
        token
    }
}

/// Whether every percent sign of a text is itself encoded.
fn encoded_again(token: &str) -> bool {
    token.contains('%')
        && token
            .match_indices('%')
            .all(|(at, _)| token[at..].starts_with("%25"))
}

fn readable(preset: &Preset, profile: &Profile) -> String {
    let mut changes = wire::changes(&preset.profile(), profile);
    // The seed is what people look for: last of the changes.
    if let Some(place) = changes.iter().position(|change| change.path == "seed") {
        let seed = changes.remove(place);
        changes.push(seed);
    }
    let mut token = format!("v1.{}", preset.name);
    for Change { path, to, .. } in changes {
        let value = match &to {
            Value::String(text) if wire::any_value(text).is_none() => text.clone(),
            other => other.to_string(),
        };
        token.push('~');
        token.push_str(&path);
        token.push('=');
        token.extend(utf8_percent_encode(&value, PLAIN));
    }
    token
}

/// The compressed form of a token, without a check.
#[must_use]
pub fn compressed(profile: &Profile) -> String {
    format!("v1z.{}", packing::pack(&wire::to_text(profile)))
}

/// Reads a link: a token, or a whole address with one, also as mail and chat mangle it.
///
/// # Errors
///
/// [`LinkError`] says what is wrong; never for a check that is missing or cut.
pub fn decode(text: &str) -> Result<Opened, LinkError> {
    decode_with(text, &|packed| {
        packing::unpack(packed).map_err(str::to_owned)
    })
}

/// As [`decode`], with something else that unpacks, and says what is wrong where it cannot.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_with(
    text: &str,
    unpack: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Opened, LinkError> {
    if text.len() > MAX_TEXT {
        return Err(LinkError::Malformed(format!(
            "{} bytes of text, accepted: at most {MAX_TEXT}",
            text.len()
        )));
    }
    let token = token_in(text)?;
    let (version, rest) = token.split_once('.').unwrap_or((&token, ""));
    match version {
        "v1" => open_readable(rest),
        "v1z" => open_compressed(rest, unpack),
        newer if is_version(newer) => Err(LinkError::Newer(newer.to_owned())),
        _ => Err(LinkError::Malformed(format!(
            "found \"{}\", accepted: a token that begins with v1.",
            shortened(&token)
        ))),
    }
}

fn is_version(text: &str) -> bool {
    let digits = text
        .strip_prefix('v')
        .map(|rest| rest.trim_end_matches(|c: char| c.is_ascii_lowercase()));
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.len() < 6 && digits.chars().all(|c| c.is_ascii_digit())
    })
}

/// The token within an address or a piece of text, with what was done to it undone.
fn token_in(text: &str) -> Result<String, LinkError> {
    // Lines get wrapped, and quotation marks of lines or spaces put in.
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '>' && *c != '<')
        .collect();
    let text = text.replace("&amp;", "&");
    let start = start_of_token(&text);
    let token = start.map(|at| &text[at..]).unwrap_or_else(|| {
        // Nothing that looks like a token: what stands in its place is what the error shows.
        let start = ["#", "%23", "?"]
            .iter()
            .filter_map(|mark| text.find(mark).map(|at| at + mark.len()))
            .min();
        match start {
            Some(at) => &text[at..],
            // An address without any token holds no experiment.
            None if text.contains("://") => "",
            None => &text,
        }
    });
    // A query may go on after it.
    let token = token.split(['&', '#', '?']).next().unwrap_or_default();
    let mut token = token.trim_matches(|c: char| !c.is_alphanumeric());
    // Address bars encode the quotation marks around it.
    let before = &text[..start.unwrap_or_default()];
    if ends_in_code(before) && !MARKS.iter().any(|mark| before.ends_with(mark)) {
        while ends_in_code(token) {
            token = &token[..token.len() - 3];
        }
    }
    if token.is_empty() {
        return Err(LinkError::Empty);
    }
    Ok(without_encoding(token))
}

/// What may stand before a token: the mark of a fragment or a query, which may name it (`?x=v1.…`), also
/// encoded, and encoded twice.
const MARKS: &[&str] = &[
    "#", "?", "=", "&", "%23", "%3F", "%3f", "%3D", "%3d", "%26", "%2523", "%253F", "%253f",
    "%253D", "%253d",
];

/// Whether a text ends in a percent sign and two digits.
fn ends_in_code(text: &str) -> bool {
    match text.as_bytes() {
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    }
}

/// So many quotation marks, brackets and the like may stand between a mark and its token.
const MOST_BEFORE: usize = 16;

/// A version, such as `v1z`, is no longer.
const LONGEST_VERSION: usize = 8;

/// Where a token begins in a text: at its start, else after the first mark that has one behind it.
fn start_of_token(text: &str) -> Option<usize> {
    // A look at what is near, so that a text of nothing but marks costs no more than its length.
    let begins = |at: usize| {
        let mut start = at;
        for _ in 0..MOST_BEFORE {
            let first = text[start..].chars().next()?;
            if first.is_alphanumeric() {
                break;
            }
            let code = text.get(start..start + 3).is_some_and(ends_in_code);
            start += if code { 3 } else { first.len_utf8() };
        }
        let token = &text[start..];
        let dot = token
            .bytes()
            .take(LONGEST_VERSION + 1)
            .position(|b| b == b'.')?;
        token.get(..dot).is_some_and(is_version).then_some(start)
    };
    if let Some(start) = begins(0) {
        return Some(start);
    }
    text.char_indices()
        .filter(|(_, c)| matches!(c, '#' | '?' | '=' | '&' | '%'))
        .find_map(|(at, _)| {
            let mark = MARKS.iter().find(|mark| text[at..].starts_with(**mark))?;
            begins(at + mark.len())
        })
}

/// Some programs encode the marks of the token itself, or its percent signs once more. A token with fields
/// has both marks plain.
fn without_encoding(token: &str) -> String {
    let mut token = token.to_owned();
    for _ in 0..2 {
        if token.contains('%') && !(token.contains('~') && token.contains('=')) {
            let plain = percent_decode_str(&token).decode_utf8();
            let Ok(plain) = plain.map(Into::into) else {
                break;
            };
            token = plain;
        }
    }
    if encoded_again(&token) {
        token = token.replace("%25", "%");
    }
    token
}

/// The fields of a token, with its check and what it says of its view taken out.
fn fields(rest: &str) -> Result<(Vec<&str>, Option<Expected>, View), LinkError> {
    let mut fields: Vec<_> = rest.split('~').collect();
    if fields
        .last()
        .is_some_and(|last| *last == "h" || last.is_empty())
    {
        fields.pop();
    }
    let mut check = None;
    let mut revision = 1;
    let mut view = View::default();
    let mut others = Vec::with_capacity(fields.len());
    for field in fields {
        // It comes last, but whoever edits a link by hand adds to its end.
        if let Some(found) = field.strip_prefix("h=") {
            check = Some(found);
        } else if let Some(found) = field.strip_prefix("e=") {
            revision = found.parse().map_err(|_| {
                LinkError::Malformed(format!(
                    "found \"e={}\", accepted: the revision of an engine, a whole number",
                    shortened(found)
                ))
            })?;
        } else if let Some(field) = field.strip_prefix("view.") {
            view.read(field)?;
        } else {
            others.push(field);
        }
    }
    let expected = check
        .filter(|check| check.len() == 12 && check.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::to_ascii_lowercase)
        .map(|check| Expected {
            profile_hash: check[..4].to_owned(),
            digest: check[4..].to_owned(),
            revision,
        });
    Ok((others, expected, view))
}

/// Makes the changes of a token: each a path, `=` and a value, percent-encoded.
fn change<'a>(whole: &mut Value, changes: impl Iterator<Item = &'a str>) -> Result<(), LinkError> {
    for field in changes {
        let Some((path, text)) = field.split_once('=') else {
            return Err(LinkError::Malformed(format!(
                "found \"{}\", accepted: <path>=<value>",
                shortened(field)
            )));
        };
        let text = percent_decode_str(text).decode_utf8().map_err(|_| {
            LinkError::Malformed(format!("the value of {} is not UTF-8", shortened(path)))
        })?;
        let new = wire::any_value(&text).unwrap_or_else(|| Value::String(text.into_owned()));
        wire::set_value(whole, path, new)?;
    }
    Ok(())
}

/// As much of a text as an error shows, which may come out on a terminal.
fn shortened(text: &str) -> String {
    let harmless = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(40).map(harmless).collect()
}

/// A variant of an experiment: with changes as a token writes them, such as
/// `workers.count=6~queue.capacity=40`.
///
/// # Errors
///
/// [`LinkError`] says what is wrong.
pub fn vary(profile: &Profile, changes: &str) -> Result<Profile, LinkError> {
    let mut whole = wire::to_value(profile);
    change(&mut whole, changes.split('~'))?;
    Ok(wire::from_value(whole)?)
}

fn open_readable(rest: &str) -> Result<Opened, LinkError> {
    let (fields, expected, view) = fields(rest)?;
    let name = fields.first().copied().unwrap_or_default();
    let preset = presets::find(name).ok_or_else(|| LinkError::UnknownPreset(shortened(name)))?;
    let mut value = wire::to_value(&preset.profile());
    change(&mut value, fields[1..].iter().copied())?;
    opened(Some(preset), wire::from_value(value)?, expected, view)
}

fn open_compressed(
    rest: &str,
    unpack: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Opened, LinkError> {
    let (fields, expected, view) = fields(rest)?;
    let packed = fields.first().copied().unwrap_or_default();
    if let Some(other) = fields.get(1) {
        return Err(LinkError::Malformed(format!(
            "found \"{}\" after its compressed part, accepted: view.show, view.ask and the like, and h",
            shortened(other)
        )));
    }
    let text = unpack(packed).map_err(LinkError::Malformed)?;
    opened(None, wire::parse(&text)?, expected, view)
}

fn opened(
    preset: Option<&'static Preset>,
    profile: Profile,
    expected: Option<Expected>,
    view: View,
) -> Result<Opened, LinkError> {
    for changes in view.variants() {
        vary(&profile, changes)?;
    }
    let base = preset.map_or_else(Profile::default, Preset::profile);
    let profile_matches = expected
        .as_ref()
        .map(|expected| expected.profile_hash == short_hash(&profile));
    Ok(Opened {
        preset,
        expected,
        profile_matches,
        changes: wire::changes(&base, &profile),
        profile,
        view,
    })
}

/// 4 hex digits of a profile's hash.
fn short_hash(profile: &Profile) -> String {
    format!("{:04x}", wire::hash(profile) >> 48)
}
