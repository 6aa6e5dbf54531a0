//! One run of a preset, with what a picture needs of it.

use agent_chaos_core::detector::State;
use agent_chaos_core::presets::{self, Preset};
use agent_chaos_core::{Limit, Report, Run};
use anyhow::{Context, Result};

/// Some time of the run.
pub struct Row {
    /// When it ended, in seconds.
    pub time: f64,
    /// The fewest requests that waited.
    pub least: f64,
    /// The most requests that waited.
    pub most: f64,
    /// The detector's state; none without a detector.
    pub state: Option<State>,
}

/// A run that has finished.
pub struct Finished {
    /// What it came to.
    pub report: Report,
    /// The queue and the state over time.
    pub rows: Vec<Row>,
    /// How many can wait.
    pub capacity: Option<u32>,
    /// Times that have a name: from, to, and the name.
    pub spans: Vec<(f64, f64, &'static str)>,
    /// The token of a link to it, which can tell whether it reproduces.
    pub token: String,
}

impl Finished {
    /// Runs the preset of this name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn of(name: &str) -> Result<Self> {
        let preset = presets::find(name).with_context(|| format!("no preset is called {name}"))?;
        Self::new(preset)
    }

    /// Runs a preset to its end.
    ///
    /// # Errors
    ///
    /// If the engine no longer records what is drawn here.
    pub fn new(preset: &Preset) -> Result<Self> {
        let profile = preset.profile();
        let mut run = Run::new(&profile);
        while !run.advance(Limit::NONE) {}
        let report = run.report();
        let rows = run.with_series(|series| {
            let column = |name: &str| {
                let values = series.column(name).map(<[f64]>::to_vec);
                values.with_context(|| format!("the engine has no series {name}"))
            };
            let states = column("state")?;
            let (least, most) = (column("queue_min")?, column("queue_max")?);
            let rows = column("time")?
                .into_iter()
                .enumerate()
                .map(|(index, time)| Row {
                    time,
                    least: least[index],
                    most: most[index],
                    state: state(states[index]),
                });
            anyhow::Ok(rows.collect::<Vec<_>>())
        })?;
        let mut spans = Vec::new();
        match &report.recovery {
            Some(recovery) => {
                let [from, to] = recovery.trigger_seconds;
                spans.push((from, to, "trigger"));
            }
            None if report.counted_seconds.from > 0.0 => {
                spans.push((0.0, report.counted_seconds.from, "start-up, not counted"));
            }
            None => {}
        }
        let token = agent_chaos_link::encode(&profile, Some(preset.name), Some(&report.digest));
        Ok(Self {
            report,
            rows,
            capacity: profile.queue.capacity,
            spans,
            token,
        })
    }

    /// The share of the counted time in a state.
    pub fn share(&self, state: State) -> f64 {
        let share = &self.report.state_share;
        match state {
            State::Stable => share.stable,
            State::Degraded => share.degraded,
            State::Collapsed => share.collapsed,
        }
    }

    /// What came of it, in a sentence or two: of a trigger, whether it was survived.
    pub fn verdict(&self) -> &str {
        let recovery = self.report.recovery.as_ref();
        recovery.map_or(&self.report.headline, |recovery| &recovery.text)
    }
}

/// The state as the page has it: a run that is too short to tell has only been in some.
pub fn state_words(report: &Report) -> String {
    match (report.state, report.worst_state) {
        (Some(state), _) => state.name().to_owned(),
        (None, Some(worst)) => format!("worst: {}", worst.name()),
        (None, None) => "NO DETECTOR".to_owned(),
    }
}

fn state(value: f64) -> Option<State> {
    [State::Stable, State::Degraded, State::Collapsed]
        .into_iter()
        .find(|state| f64::from(*state as u8) == value)
}
