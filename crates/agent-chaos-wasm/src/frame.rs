//! Frames: what was recorded since the page last looked, as columns and a picture of the moment.

use agent_chaos_core::report::Evidence;
use agent_chaos_core::telemetry::{COLUMNS, Seen};
use agent_chaos_core::units::Instant;
use agent_chaos_core::{Picture, Run};
use js_sys::{Float64Array, Object, Reflect};
use serde::Serialize;
use wasm_bindgen::JsValue;

/// Any plain data as plain JS objects, arrays, numbers and strings.
pub fn plain(value: &impl Serialize) -> Result<JsValue, JsValue> {
    Ok(value.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}

/// What the page has seen of a run.
#[derive(Default)]
pub struct Watcher {
    series: Seen,
    transitions: usize,
}

#[derive(Serialize)]
struct Moment {
    reset: bool,
    replace_last: bool,
    now_seconds: f64,
    progress: f64,
    finished: bool,
    events: u64,
    picture: PictureView,
    transitions: Vec<Evidence>,
}

#[derive(Serialize)]
struct PictureView {
    queue: u32,
    capacity: Option<u32>,
    waiting_senders: u32,
    busy: u32,
    workers: u32,
    agents: u32,
    thinking: u32,
    delayed: u32,
    offered: f64,
    accepted: f64,
    taken: f64,
    goodput: f64,
    derivative: f64,
    saturation: Option<f64>,
    state: Option<&'static str>,
    throttle_delay_seconds: f64,
    faults: u64,
    refused: u64,
    completed: u64,
    failed: u64,
}

impl Watcher {
    /// Everything new of this run.
    pub fn frame(&mut self, run: &Run) -> Result<JsValue, JsValue> {
        let warmup = Instant::from_seconds(run.profile().run.warmup_seconds);
        let transitions = run.transitions_from(self.transitions);
        self.transitions += transitions.len();
        let (columns, reset, replace_last) = run.with_series(|series| {
            let news = series.news(&mut self.series);
            let columns = Object::new();
            for (name, values) in COLUMNS.iter().zip(&news.columns) {
                // Setting a property of a fresh, extensible object cannot fail.
                let _ = Reflect::set(&columns, &(*name).into(), &Float64Array::from(*values));
            }
            (columns, news.reset, news.replace_last)
        });
        let moment = plain(&Moment {
            reset,
            replace_last,
            now_seconds: run.now().seconds(),
            progress: run.progress(),
            finished: run.is_finished(),
            events: run.counts().events(),
            picture: view(run, &run.picture()),
            transitions: transitions
                .iter()
                .map(|t| Evidence::new(t, warmup))
                .collect(),
        })?;
        Reflect::set(&moment, &"columns".into(), &columns)?;
        Ok(moment)
    }
}

fn view(run: &Run, picture: &Picture) -> PictureView {
    let profile = run.profile();
    let counts = picture.counts;
    let ended = counts.refused + counts.completed;
    let under_way = counts.created - ended;
    let from_agents = if profile.arrivals.is_none() {
        under_way as u32
    } else {
        0
    };
    let last = picture.last.as_ref();
    let rate = |of: fn(&agent_chaos_core::telemetry::Sample) -> f64| last.map_or(0.0, of);
    PictureView {
        queue: counts.waiting(),
        capacity: profile.queue.capacity,
        waiting_senders: picture.blocked,
        busy: counts.busy(),
        workers: profile.workers.count,
        agents: picture.agents,
        thinking: picture
            .agents
            .saturating_sub(picture.delayed)
            .saturating_sub(from_agents),
        delayed: picture.delayed,
        offered: rate(|s| s.offered.per_second()),
        accepted: rate(|s| s.accepted.per_second()),
        taken: rate(|s| s.taken.per_second()),
        goodput: rate(|s| s.goodput.per_second()),
        derivative: rate(|s| s.derivative),
        saturation: profile
            .queue
            .capacity
            .map(|capacity| f64::from(counts.waiting()) / f64::from(capacity)),
        state: picture.state.map(|state| state.name()),
        throttle_delay_seconds: picture.throttle_delay.seconds(),
        faults: counts.faults,
        refused: counts.refused,
        completed: counts.completed,
        failed: ended - counts.succeeded,
    }
}
