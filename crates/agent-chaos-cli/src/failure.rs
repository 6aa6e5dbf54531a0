//! What can go wrong: bad input, which names its field, and a reader that went away.

use std::io::{self, Write};
use std::path::Path;

use agent_chaos_core::wire::{Problem, ProfileError};
use agent_chaos_link::LinkError;
use serde_json::json;

/// More problems than this are counted, not listed.
const MOST_LISTED: usize = 10;

/// Input that was refused.
#[derive(Debug)]
pub struct Failure {
    /// At least one.
    problems: Vec<Problem>,
}

impl Failure {
    /// `field` is a JSON pointer, empty if it is about no field.
    pub fn new(field: &str, found: impl Into<String>, accepted: impl Into<String>) -> Self {
        let (found, accepted) = (found.into(), accepted.into());
        let place = if field.is_empty() {
            String::new()
        } else {
            format!("{field}: ")
        };
        let message = format!("{place}found {found}, accepted: {accepted}");
        Self::of(field, found, accepted, message)
    }

    /// With a sentence of its own, which is also what was found.
    pub fn said(field: &str, message: impl Into<String>, accepted: impl Into<String>) -> Self {
        let message = message.into();
        Self::of(field, message.clone(), accepted.into(), message)
    }

    /// A file that cannot be used.
    pub fn file(path: &Path, what: &str, error: &io::Error) -> Self {
        let path = path.display();
        Self::of(
            "",
            format!("{path}: {error}"),
            "a file that can be used".to_owned(),
            format!("{path} {what}: {error}"),
        )
    }

    fn of(field: &str, found: String, accepted: String, message: String) -> Self {
        let field = field.to_owned();
        Self {
            problems: vec![Problem {
                field,
                found,
                accepted,
                message,
            }],
        }
    }

    /// The same about the input `name`.
    pub fn within(mut self, name: &str) -> Self {
        for problem in &mut self.problems {
            problem.message = format!("{name}: {}", problem.message);
        }
        self
    }

    /// Says it on standard error.
    pub fn print(&self, as_json: bool) {
        let mut said = String::new();
        if as_json {
            let Problem {
                field,
                found,
                accepted,
                message,
            } = &self.problems[0];
            let error =
                json!({ "field": field, "found": found, "accepted": accepted, "message": message });
            said = json!({ "error": error }).to_string();
            said.push('\n');
        } else {
            for problem in self.problems.iter().take(MOST_LISTED) {
                said.push_str(&format!("error: {}\n", problem.message));
            }
            if self.problems.len() > MOST_LISTED {
                let more = self.problems.len() - MOST_LISTED;
                said.push_str(&format!("… and {more} more problems\n"));
            }
        }
        // Nobody may be listening; there is nobody else to tell.
        let _ = io::stderr().write_all(said.as_bytes());
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        Self {
            problems: error.problems().to_vec(),
        }
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        let message = error.to_string();
        match error {
            LinkError::Profile(error) => Self::from(error).within("the link"),
            LinkError::Empty => Self::of(
                "",
                "no experiment".into(),
                "a token such as v1.exp-002".into(),
                message,
            ),
            LinkError::View(why) => Self::of(
                "",
                why,
                "a view such as show=verdict,charts".into(),
                message,
            ),
            LinkError::Malformed(why) => Self::of("", why, "a link of form v1".into(), message),
            LinkError::Newer(version) => Self::of("", version, "v1".into(), message),
            LinkError::UnknownPreset(name) => {
                Self::of("", name, crate::input::preset_names(), message)
            }
        }
    }
}

/// Why a command ended before its time.
#[derive(Debug)]
pub enum Stop {
    /// Something was wrong with what it was given.
    Failed(Failure),
    /// Nobody reads standard output any more.
    PipeClosed,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Of standard output: nothing else is written with a bare `?`.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::PipeClosed
        } else {
            Self::Failed(Failure::file(
                Path::new("standard output"),
                "cannot be written",
                &error,
            ))
        }
    }
}
