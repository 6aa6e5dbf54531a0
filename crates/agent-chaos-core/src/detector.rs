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
}

/// The detector.
pub struct Detector {
    method: Method,
    state: State,
    window: Span,
    interval: Span,
}

enum Method {
    Sustained(Sustained),
    Instant {
        rules: InstantRules,
        p95_before: Option<f64>,
    },
}

struct Sustained {
    rules: SustainedRules,
    hold: Span,
    growth_run: u32,
    saturations: Window<f64>,
    p95s: Window<Option<f64>>,
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
        })
    }

    /// The present state.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Looks at one sample.
    pub fn look(&mut self, sample: &Sample) -> Option<Transition> {
        let verdict = match &mut self.method {
            Method::Sustained(sustained) => sustained.judge(self.state, sample),
            Method::Instant { rules, p95_before } => {
                let verdict = judge_instant(rules, *p95_before, sample);
                *p95_before = sample.recent_p95;
                Some(verdict)
            }
        };
        let (to, rule, values) = verdict?;
        if to == self.state {
            return None;
        }
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
        })
    }
}

type Verdict = (State, Rule, Vec<(&'static str, f64)>);

impl Sustained {
    fn judge(&mut self, state: State, sample: &Sample) -> Option<Verdict> {
        let rules = &self.rules;
        self.growth_run = if sample.derivative > 0.0 {
            self.growth_run + 1
        } else {
            0
        };
        // For an unbounded queue saturation and its rules do not apply.
        let saturation = sample.saturation.unwrap_or(0.0);
        self.saturations.push(saturation);
        let p95_before = self.p95s.push(sample.latency_p95).flatten();
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

        let grown = sample
            .latency_p95
            .zip(p95_before)
            .filter(|(now, before)| *now >= rules.latency_growth_ratio * before);
        let verdict = if self.growth_run >= rules.growth_ticks
            && sample
                .saturation
                .is_some_and(|s| s >= rules.collapsed_saturation)
        {
            let ticks = f64::from(self.growth_run);
            (
                State::Collapsed,
                Rule::QueueGrowth,
                vec![
                    ("derivative", sample.derivative),
                    ("growth_ticks", ticks),
                    ("saturation", saturation),
                ],
            )
        } else if let Some((now, before)) = grown {
            let samples = sample.latency_samples as f64;
            (
                State::Collapsed,
                Rule::LatencyGrowth,
                vec![
                    ("p95_before_seconds", before),
                    ("p95_seconds", now),
                    ("samples", samples),
                ],
            )
        } else if state == State::Stable
            && sample.saturation.is_some()
            && mean >= rules.degraded_saturation
        {
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
            return None;
        };
        Some(verdict)
    }
}

/// Thresholds at each tick, without hysteresis, as the published package has them.
fn judge_instant(rules: &InstantRules, p95_before: Option<f64>, sample: &Sample) -> Verdict {
    let saturation = sample.saturation.unwrap_or(0.0);
    if let Some((before, now)) = p95_before.zip(sample.recent_p95)
        && before > 0.0
        && now > rules.latency_growth_ratio * before
    {
        return (
            State::Collapsed,
            Rule::LatencyGrowth,
            vec![("p95_before_seconds", before), ("p95_seconds", now)],
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
