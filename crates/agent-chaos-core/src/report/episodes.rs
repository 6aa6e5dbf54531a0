//! Episodes: how long the detector held each state but STABLE, what tripped it, and what held it.
//!
//! ```text
//! STABLE ──► DEGRADED ──► COLLAPSED ──► DEGRADED ──► STABLE
//!            └ episode ┘  └─ episode ─┘  └ episode ┘
//! ```
//!
//! A time spent in one state is one episode. Its number is bounded in the report: the first ones are
//! kept, and besides them those that the verdict is about.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::verdict;
use crate::detector::{Hold, State, Transition};
use crate::profile::{DetectorMethod, Profile};
use crate::report::recovery::Trigger;
use crate::units::{Instant, Span};

/// At most so many of the first episodes are kept; the rest is counted.
const MOST_EPISODES: usize = 100;

/// A time in one state, DEGRADED or COLLAPSED.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Episode {
    /// The state.
    pub state: State,
    /// When it began, in seconds.
    pub from_seconds: f64,
    /// When it ended; none if it lasted to the end.
    pub to_seconds: Option<f64>,
    /// When it began: `warm-up`, `counted`, or, where there is one, in the `trigger`.
    pub phase: &'static str,
    /// Whether it was over before the counted time began.
    pub start_up: bool,
    /// Whether the verdict is about this one.
    pub decisive: bool,
    /// The rule that led to it.
    pub tripped_by: &'static str,
    /// The state before.
    pub from_state: State,
    /// How far the rule looked back, in seconds.
    pub window_seconds: f64,
    /// What the rule saw.
    pub values: Map<String, Value>,
    /// What kept it: the `rule` that went on being true; `hysteresis`, since the queue was not below the
    /// release threshold for the hold time; the `hold_time` alone; none if nothing had to.
    pub held_by: Option<&'static str>,
    /// For which share of its time a rule that leads to the state was true.
    pub rule_share: Option<f64>,
    /// The mean saturation in that time; none without hysteresis, or for an unbounded queue.
    pub mean_saturation: Option<f64>,
    /// For how long at most it was below the release threshold without a break; none as before.
    pub longest_low_seconds: Option<f64>,
    /// What the rule saw, in words.
    pub why: String,
    /// Why the state was held, in words.
    pub held_because: Option<String>,
}

/// Folds transitions and ticks into episodes.
#[derive(Default)]
pub struct Episodes {
    first: Vec<Spell>,
    dropped: u64,
    /// The first of each state that reaches into the counted time, where it has ended.
    counted: [Option<Spell>; 3],
    /// How many of each state reach into the counted time.
    numbers: [u64; 3],
    current: Option<Spell>,
    /// When the present state began.
    since: Instant,
}

/// An episode as it goes on.
#[derive(Clone)]
struct Spell {
    tripped: Transition,
    until: Option<Instant>,
    held: Hold,
    counted_ticks: u64,
}

/// What the verdict wants to know of all episodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// How many of each state reach into the counted time.
    pub numbers: [u64; 3],
    /// When the last state began.
    pub last_since: Instant,
}

impl Episodes {
    /// Takes note of the state from a tick on, whether the tick is counted, and of a transition.
    pub fn tick(&mut self, at: Instant, is_counted: bool, transition: Option<&Transition>) {
        if let Some(transition) = transition {
            self.since = at;
            self.close(at, transition.held);
            self.current = (transition.to > State::Stable).then(|| Spell {
                tripped: transition.clone(),
                until: None,
                held: Hold::default(),
                counted_ticks: 0,
            });
        }
        if let Some(current) = self.current.as_mut().filter(|_| is_counted) {
            if current.counted_ticks == 0 {
                self.numbers[current.tripped.to as usize] += 1;
            }
            current.counted_ticks += 1;
        }
    }

    fn close(&mut self, at: Instant, held: Hold) {
        let Some(mut spell) = self.current.take() else {
            return;
        };
        spell.until = Some(at);
        spell.held = held;
        let first = &mut self.counted[spell.tripped.to as usize];
        if spell.counted_ticks > 0 && first.is_none() {
            *first = Some(spell.clone());
        }
        if self.first.len() < MOST_EPISODES {
            self.first.push(spell);
        } else {
            self.dropped += 1;
        }
    }

    /// How many there were.
    #[must_use]
    pub fn overview(&self) -> Overview {
        Overview {
            numbers: self.numbers,
            last_since: self.since,
        }
    }

    /// The episodes in order, and how many others there were; `held` is what has held the last one.
    ///
    /// The verdict is about the worst state in the counted time: about the last episode, if that is in
    /// this state and lasts, or else about the first.
    #[must_use]
    pub fn tell(&self, profile: &Profile, held: Hold) -> (Vec<Episode>, u64) {
        let worst = State::ALL
            .into_iter()
            .rfind(|&state| state > State::Stable && self.numbers[state as usize] > 0);
        let current = self.current.clone().map(|spell| Spell { held, ..spell });
        let of_worst = |spell: &&Spell| Some(spell.tripped.to) == worst;
        let decisive = current
            .as_ref()
            .filter(of_worst)
            .or_else(|| self.counted[worst? as usize].as_ref());
        // The first ones are in the order in which they were.
        let mut spells: Vec<&Spell> = self.first.iter().collect();
        let mut dropped = self.dropped;
        let known = |spells: &[&Spell], spell: &Spell| {
            let same = |known: &&Spell| known.tripped.at == spell.tripped.at;
            spells.iter().any(same)
        };
        for spell in decisive.into_iter().chain(&current) {
            if !known(&spells, spell) {
                // What is still under way has never been dropped.
                dropped -= u64::from(spell.until.is_some());
                let place = spells.partition_point(|known| known.tripped.at < spell.tripped.at);
                spells.insert(place, spell);
            }
        }
        let told = spells.into_iter().map(|spell| {
            let mut episode = spell.tell(profile);
            episode.decisive = decisive.is_some_and(|one| one.tripped.at == spell.tripped.at);
            episode
        });
        (told.collect(), dropped)
    }
}

impl Spell {
    fn tell(&self, profile: &Profile) -> Episode {
        let Transition {
            at, from, to, rule, ..
        } = self.tripped;
        let Hold {
            ticks,
            true_ticks,
            saturations,
            longest_low,
        } = self.held;
        let warmup = Instant::from_seconds(profile.run.warmup_seconds);
        let in_trigger = Trigger::of(profile).is_some_and(|trigger| trigger.contains(at));
        let has_hysteresis = profile.detector.method == DetectorMethod::Sustained;
        // It is low since the first tick after the trip, if it is so all the time.
        let interval = Span::from_seconds(profile.telemetry.interval_seconds).nanos();
        let always_low = longest_low.nanos() + interval >= interval.saturating_mul(ticks);
        let rule_share = (ticks > 0).then(|| true_ticks as f64 / ticks as f64);
        let held_by = match rule_share {
            None => None,
            Some(1.0) => Some("rule"),
            Some(_) if !has_hysteresis => Some("rule"),
            Some(_) if profile.queue.capacity.is_none() => Some("hold_time"),
            Some(_) if always_low => Some("hold_time"),
            Some(_) => Some("hysteresis"),
        };
        let mut episode = Episode {
            state: to,
            from_seconds: at.seconds(),
            to_seconds: self.until.map(Instant::seconds),
            phase: if in_trigger {
                "trigger"
            } else if at <= warmup {
                "warm-up"
            } else {
                "counted"
            },
            start_up: self.until.is_some() && self.counted_ticks == 0 && at <= warmup,
            decisive: false,
            tripped_by: rule.name(),
            from_state: from,
            window_seconds: self.tripped.window.seconds(),
            values: self
                .tripped
                .values
                .iter()
                .map(|&(name, value)| (name.to_owned(), json!(value)))
                .collect(),
            held_by,
            rule_share,
            mean_saturation: saturations.map(|sum| sum / ticks as f64),
            longest_low_seconds: saturations.map(|_| longest_low.seconds()),
            why: verdict::why(&self.tripped, profile.queue.capacity.is_none()),
            held_because: None,
        };
        episode.held_because = verdict::held(profile, &episode);
        episode
    }
}
