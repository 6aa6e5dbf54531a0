//! The collapse detector: tells STABLE, DEGRADED and COLLAPSED apart, and keeps the evidence.
//!
//! ```text
//!            mean saturation high            queue growth, latency growth
//!   STABLE ───────────────────────► DEGRADED ────────────────────────────► COLLAPSED
//!     ▲  ▲                             │  ▲                                  │  ▲
//!     │  └──── low for the hold time ──┘  └────── low for the hold time ─────┘  │
//!     └── (either growth rule goes straight to COLLAPSED, from any state) ──────┘
//! ```
//!
//! It folds what telemetry samples, tick by tick, and nothing else.

use std::collections::VecDeque;

use serde::Serialize;

use crate::profile::{DetectorMethod, InstantRules, Profile, SustainedRules};
use crate::telemetry::{Sample, window_ticks};
use crate::units::{Instant, Span};

/// How the system is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[repr(u8)]
pub enum State {
    /// The queue is short.
    #[default]
    Stable = 0,
    /// The queue is long, and holds.
    Degraded = 1,
    /// The queue outgrew its bounds, or latency ran away.
    Collapsed = 2,
}

impl State {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::Stable, Self::Degraded, Self::Collapsed];

    /// The name as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "STABLE",
            Self::Degraded => "DEGRADED",
            Self::Collapsed => "COLLAPSED",
        }
    }
}

/// What moved the detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Rule {
    /// dQ/dt positive without a break while the queue is nearly full.
    QueueGrowth = 1,
    /// The rolling p95 grew too much within one window.
    LatencyGrowth = 2,
    /// The queue is fuller than a threshold.
    Saturation = 3,
    /// The queue has been short for long enough.
    Recovered = 4,
}

impl Rule {
    /// The name as reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueGrowth => "queue_growth",
            Self::LatencyGrowth => "latency_growth",
            Self::Saturation => "saturation",
            Self::Recovered => "recovered",
        }
    }
}

/// The detector changed its mind, with the values that made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// When.
    pub at: Instant,
    /// From this state …
    pub from: State,
    /// … to this one.
    pub to: State,
    /// By this rule …
    pub rule: Rule,
    /// … which looked back so far …
    pub window: Span,
    /// … and saw these values.
    pub values: Vec<(&'static str, f64)>,
    /// What had held the state that is left.
    pub held: Hold,
}

/// What has held a state since the tick that tripped it: a rule that goes on being true, or
/// hysteresis. A queue pinned full has dQ/dt ≈ 0, so that the rule of growth alone would let go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hold {
    /// Ticks at which the state stayed.
    pub ticks: u64,
    /// Of these, those at which a rule that leads to the state was true.
    pub true_ticks: u64,
    /// Sum of the mean saturations over the rate window at these; none without hysteresis, or for an
    /// unbounded queue.
    pub saturations: Option<f64>,
    /// The longest time for which the mean saturation has stayed below the release threshold.
    pub longest_low: Span,
}

/// The detector.
pub struct Detector {
    method: Method,
    state: State,
    window: Span,
    interval: Span,
    held: Hold,
}

enum Method {
    Sustained(Sustained),
    Instant {
        rules: InstantRules,
        p95_before: Option<(f64, usize)>,
    },
}

struct Sustained {
    rules: SustainedRules,
    hold: Span,
    interval: Span,
    growth_run: u32,
    saturations: Window<f64>,
    /// With how many latencies each is made of.
    p95s: Window<Option<(f64, usize)>>,
    low_since: Option<Instant>,
}

/// The latest values, up to a number.
struct Window<T> {
    most: usize,
    values: VecDeque<T>,
}

impl<T: Copy> Window<T> {
    fn new(most: usize) -> Self {
        Self {
            most,
            values: VecDeque::with_capacity(most),
        }
    }

    /// Adds a value; gives the one that falls out.
    fn push(&mut self, value: T) -> Option<T> {
        let gone = if self.values.len() == self.most {
            self.values.pop_front()
        } else {
            None
        };
        self.values.push_back(value);
        gone
    }
}

impl Detector {
    /// A detector by the profile's rules; none if it is off.
    #[must_use]
    pub fn new(profile: &Profile) -> Option<Self> {
        let section = &profile.detector;
        let ticks = window_ticks(profile);
        let interval = Span::from_seconds(profile.telemetry.interval_seconds);
        let method = match section.method {
            DetectorMethod::Sustained => Method::Sustained(Sustained {
                rules: section.sustained.clone(),
                hold: Span::from_seconds(section.sustained.hold_seconds),
                interval,
                growth_run: 0,
                saturations: Window::new(ticks),
                p95s: Window::new(ticks),
                low_since: None,
            }),
            DetectorMethod::Instant => Method::Instant {
                rules: section.instant.clone(),
                p95_before: None,
            },
        };
        let window = Span::from_nanos(interval.nanos().saturating_mul(ticks as u64));
        section.enabled.then_some(Self {
            method,
            state: State::Stable,
            window,
            interval,
            held: Hold::default(),
        })
    }

    /// The present state.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What has held the present state since it was tripped.
    #[must_use]
    pub fn held(&self) -> Hold {
        self.held
    }

    /// Looks at one sample.
    pub fn look(&mut self, sample: &Sample) -> Option<Transition> {
        let verdict = match &mut self.method {
            Method::Sustained(sustained) => sustained.judge(self.state, sample, &mut self.held),
            Method::Instant { rules, p95_before } => {
                let verdict = judge_instant(rules, *p95_before, sample);
                *p95_before = sample.recent_p95.map(|p95| (p95, sample.recent_samples));
                self.held.true_ticks += u64::from(verdict.0 == self.state);
                Some(verdict)
            }
        };
        let Some((to, rule, values)) = verdict.filter(|(to, ..)| *to != self.state) else {
            self.held.ticks += 1;
            return None;
        };
        let window = match (&self.method, rule) {
            (Method::Sustained(sustained), Rule::Recovered) => sustained.hold,
            (Method::Sustained(_), _) => self.window,
            (Method::Instant { .. }, _) => self.interval,
        };
        let from = std::mem::replace(&mut self.state, to);
        Some(Transition {
            at: sample.at,
            from,
            to,
            rule,
            window,
            values,
            held: std::mem::take(&mut self.held),
        })
    }
}

type Verdict = (State, Rule, Vec<(&'static str, f64)>);

impl Sustained {
    fn judge(&mut self, state: State, sample: &Sample, held: &mut Hold) -> Option<Verdict> {
        let rules = &self.rules;
        self.growth_run = if sample.derivative > 0.0 {
            self.growth_run + 1
        } else {
            0
        };
        // For an unbounded queue saturation and its rules do not apply.
        let saturation = sample.saturation.unwrap_or(0.0);
        self.saturations.push(saturation);
        let p95 = sample.latency_p95.map(|p95| (p95, sample.latency_samples));
        let p95_before = self.p95s.push(p95).flatten();
        let mean =
            self.saturations.values.iter().sum::<f64>() / self.saturations.values.len() as f64;

        let release = match state {
            State::Stable => None,
            State::Degraded => Some(rules.degraded_release_saturation),
            State::Collapsed => Some(rules.collapsed_release_saturation),
        };
        let low = release.is_some_and(|release| mean < release);
        self.low_since = if low {
            self.low_since.or(Some(sample.at))
        } else {
            None
        };

        let grows = self.growth_run >= rules.growth_ticks
            && sample
                .saturation
                .is_some_and(|s| s >= rules.collapsed_saturation);
        let grown = p95
            .zip(p95_before)
            .filter(|((now, _), (before, _))| *now >= rules.latency_growth_ratio * before);
        let is_long = sample.saturation.is_some() && mean >= rules.degraded_saturation;
        let verdict = if grows {
            let ticks = f64::from(self.growth_run);
            (
                State::Collapsed,
                Rule::QueueGrowth,
                vec![
                    ("derivative", sample.derivative),
                    ("growth_seconds", ticks * self.interval.seconds()),
                    ("growth_ticks", ticks),
                    ("saturation", saturation),
                ],
            )
        } else if let Some(((now, samples), (before, samples_before))) = grown {
            (
                State::Collapsed,
                Rule::LatencyGrowth,
                vec![
                    ("p95_before_seconds", before),
                    ("p95_seconds", now),
                    ("samples", samples as f64),
                    ("samples_before", samples_before as f64),
                ],
            )
        } else if state == State::Stable && is_long {
            (
                State::Degraded,
                Rule::Saturation,
                vec![
                    ("mean_saturation", mean),
                    ("threshold", rules.degraded_saturation),
                ],
            )
        } else if self
            .low_since
            .is_some_and(|since| sample.at - since >= self.hold)
        {
            self.low_since = None;
            let to = if state == State::Collapsed {
                State::Degraded
            } else {
                State::Stable
            };
            (
                to,
                Rule::Recovered,
                vec![
                    ("mean_saturation", mean),
                    ("threshold", release.unwrap_or(0.0)),
                ],
            )
        } else {
            let low = self.low_since.map_or(Span::ZERO, |since| sample.at - since);
            let is_true = state == State::Degraded && is_long;
            held.note(is_true, sample.saturation.map(|_| mean), low);
            return None;
        };
        if verdict.0 == state {
            let low = self.low_since.map_or(Span::ZERO, |since| sample.at - since);
            held.note(true, sample.saturation.map(|_| mean), low);
        }
        Some(verdict)
    }
}

impl Hold {
    /// Takes note of a tick at which the state stays, though a rule that leads to it may be true no
    /// longer; of the mean saturation, and for how long that has been low.
    fn note(&mut self, is_true: bool, mean: Option<f64>, low: Span) {
        self.true_ticks += u64::from(is_true);
        if let Some(mean) = mean {
            self.saturations = Some(self.saturations.unwrap_or(0.0) + mean);
        }
        self.longest_low = self.longest_low.max(low);
    }
}

/// Thresholds at each tick, without hysteresis, as the published package has them.
fn judge_instant(
    rules: &InstantRules,
    p95_before: Option<(f64, usize)>,
    sample: &Sample,
) -> Verdict {
    let saturation = sample.saturation.unwrap_or(0.0);
    if let Some(((before, samples_before), now)) = p95_before.zip(sample.recent_p95)
        && before > 0.0
        && now > rules.latency_growth_ratio * before
    {
        return (
            State::Collapsed,
            Rule::LatencyGrowth,
            vec![
                ("p95_before_seconds", before),
                ("p95_seconds", now),
                ("samples", sample.recent_samples as f64),
                ("samples_before", samples_before as f64),
            ],
        );
    }
    if saturation >= rules.collapsed_saturation {
        return (
            State::Collapsed,
            Rule::Saturation,
            vec![
                ("saturation", saturation),
                ("threshold", rules.collapsed_saturation),
            ],
        );
    }
    if sample.derivative_tick > rules.growth_per_second && saturation > rules.growth_saturation {
        return (
            State::Collapsed,
            Rule::QueueGrowth,
            vec![
                ("derivative", sample.derivative_tick),
                ("saturation", saturation),
            ],
        );
    }
    if saturation >= rules.degraded_saturation {
        return (
            State::Degraded,
            Rule::Saturation,
            vec![
                ("saturation", saturation),
                ("threshold", rules.degraded_saturation),
            ],
        );
    }
    (
        State::Stable,
        Rule::Recovered,
        vec![("saturation", saturation)],
    )
}
