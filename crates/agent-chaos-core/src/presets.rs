//! The presets: profiles worth starting from. Each is a file that holds what differs from the
//! defaults; the defaults are `exp-001`.

use crate::profile::Profile;
use crate::wire;

/// A named experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name that links and the command line use.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// One sentence on what it shows.
    pub summary: &'static str,
    text: &'static str,
}

macro_rules! presets {
    ($($name:literal, $title:literal, $summary:literal;)*) => {
        /// All presets, in the order of display.
        pub const PRESETS: &[Preset] = &[
            $(Preset {
                name: $name,
                title: $title,
                summary: $summary,
                text: include_str!(concat!("../presets/", $name, ".json")),
            }),*
        ];
    };
}

presets! {
    "exp-001", "EXP-001 Control",
        "80 agents, 12 workers, 200 places: enough of everything, nothing ever waits for long.";
    "exp-002", "EXP-002 Congestion",
        "400 agents, 4 workers, 80 places: the queue fills, the throttle holds it, and it stays degraded.";
    "exp-003", "EXP-003 Saturation",
        "1000 agents, 2 workers, 50 places: far too much load; the system collapses and stays down.";
    "published-001", "Published 001",
        "What the published package's own code does with 80 agents: one burst, one request each.";
    "published-002", "Published 002",
        "What the published package's own code does with 400 agents and 4 workers.";
    "published-003", "Published 003",
        "What the published package's own code does with 1000 agents and 2 workers.";
    "mm1", "M/M/1",
        "Poisson arrivals at 900/s, one exponential worker of 1000/s, an unbounded queue: the textbook case.";
    "mm4-80", "M/M/4/80",
        "Poisson arrivals at 4660/s, four exponential workers of 1000/s each, 80 waiting places: overload that rejects.";
}

impl Preset {
    /// The preset's profile.
    ///
    /// # Panics
    ///
    /// Never: the files are part of this crate, and a test reads each.
    #[must_use]
    pub fn profile(&self) -> Profile {
        wire::parse(self.text).expect("a preset is a valid profile")
    }
}

/// The preset of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_valid_profile_with_a_name_of_its_own() {
        for (index, preset) in PRESETS.iter().enumerate() {
            let profile = preset.profile();
            assert!(
                PRESETS[..index]
                    .iter()
                    .all(|other| other.name != preset.name && other.profile() != profile)
            );
        }
    }

    #[test]
    fn the_defaults_are_the_control_experiment() {
        assert_eq!(find("exp-001").unwrap().profile(), Profile::default());
    }

    #[test]
    fn the_recorded_presets_differ_in_agents_workers_and_capacity_alone() {
        for name in ["exp-002", "exp-003"] {
            let changes = wire::changes(&Profile::default(), &find(name).unwrap().profile());
            let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
            assert_eq!(
                paths,
                ["agents.count", "queue.capacity", "workers.count"],
                "{name}"
            );
        }
    }
}
