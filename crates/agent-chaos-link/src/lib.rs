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

pub mod packing;

use std::convert::Infallible;
use std::fmt;

use agent_chaos_core::Profile;
use agent_chaos_core::presets::{self, PRESETS, Preset};
use agent_chaos_core::wire::{self, Change, ProfileError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

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
    let pack = |text: &str| Ok::<_, Infallible>(packing::pack(text));
    let Ok(token) = encode_with(profile, preset, digest, &pack);
    token
}

/// As [`encode`], with something else that packs: not everybody has [`packing`] at hand.
///
/// # Errors
///
/// What it fails with.
pub fn encode_with<E>(
    profile: &Profile,
    preset: Option<&str>,
    digest: Option<&str>,
    pack: &dyn Fn(&str) -> Result<String, E>,
) -> Result<String, E> {
    let check = digest
        .and_then(|digest| digest.get(..8))
        .map(|digest| format!("~h={}{digest}", short_hash(profile)));
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
    // Mail and chat cut other characters off the end of an address.
    if check.is_empty() && !token.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        token.push_str("~h=0");
    }
    Ok(token + &check)
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
        _ => {
            let shown: String = token.chars().take(40).collect();
            Err(LinkError::Malformed(format!(
                "found \"{shown}\", accepted: a token that begins with v1."
            )))
        }
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
    let start = ["#", "%23", "?"]
        .iter()
        .filter_map(|mark| text.find(mark).map(|at| at + mark.len()))
        .min();
    let after = match start {
        Some(at) => &text[at..],
        // An address without any token holds no experiment.
        None if text.contains("://") => "",
        None => &text,
    };
    // A query may name the token (`?x=v1.…`), and may go on after it.
    let mut parts = after
        .split(['&', '#', '?'])
        .flat_map(|part| part.split("%23"));
    let named = parts.find_map(|part| {
        let candidate = part
            .rsplit_once("=v")
            .filter(|(name, _)| name.chars().all(char::is_alphanumeric))
            .map_or(part, |(name, _)| &part[name.len() + 1..]);
        candidate
            .split_once('.')
            .is_some_and(|(version, _)| is_version(version))
            .then_some(candidate)
    });
    let token = named.unwrap_or(after);
    let token = token.trim_matches(|c: char| !c.is_alphanumeric());
    if token.is_empty() {
        return Err(LinkError::Empty);
    }
    // Some programs encode the marks of the token itself.
    let token = token
        .replace("%7E", "~")
        .replace("%7e", "~")
        .replace("%3D", "=")
        .replace("%3d", "=");
    Ok(token)
}

/// The fields of a token, with its check taken off.
fn fields(rest: &str) -> (Vec<&str>, Option<Expected>) {
    let mut fields: Vec<_> = rest.split('~').collect();
    let check = fields
        .last()
        .and_then(|last| last.strip_prefix("h="))
        .map(str::to_owned);
    if check.is_some()
        || fields
            .last()
            .is_some_and(|last| *last == "h" || last.is_empty())
    {
        fields.pop();
    }
    let whole = check
        .filter(|check| check.len() == 12 && check.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(|check| check.to_ascii_lowercase());
    let expected = whole.map(|check| Expected {
        profile_hash: check[..4].to_owned(),
        digest: check[4..].to_owned(),
    });
    (fields, expected)
}

fn open_readable(rest: &str) -> Result<Opened, LinkError> {
    let (fields, expected) = fields(rest);
    let name = fields.first().copied().unwrap_or_default();
    let preset = presets::find(name)
        .ok_or_else(|| LinkError::UnknownPreset(name.chars().take(40).collect()))?;
    let base = preset.profile();
    let mut value = wire::to_value(&base);
    for field in &fields[1..] {
        let Some((path, text)) = field.split_once('=') else {
            let shown: String = field.chars().take(40).collect();
            return Err(LinkError::Malformed(format!(
                "found \"{shown}\", accepted: <path>=<value>"
            )));
        };
        let text = percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| LinkError::Malformed(format!("the value of {path} is not UTF-8")))?;
        let new = wire::any_value(&text).unwrap_or_else(|| Value::String(text.into_owned()));
        wire::set_value(&mut value, path, new)?;
    }
    opened(Some(preset), wire::from_value(value)?, expected)
}

fn open_compressed(
    rest: &str,
    unpack: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Opened, LinkError> {
    let (fields, expected) = fields(rest);
    let packed = fields.first().copied().unwrap_or_default();
    let text = unpack(packed).map_err(LinkError::Malformed)?;
    opened(None, wire::parse(&text)?, expected)
}

fn opened(
    preset: Option<&'static Preset>,
    profile: Profile,
    expected: Option<Expected>,
) -> Result<Opened, LinkError> {
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
    })
}

/// 4 hex digits of a profile's hash.
fn short_hash(profile: &Profile) -> String {
    format!("{:04x}", wire::hash(profile) >> 48)
}
