//! Frames: what was recorded since the page last looked, as columns and a picture of the moment.

use agent_chaos_core::policy::breaker::BreakerState;
use agent_chaos_core::report::Evidence;
use agent_chaos_core::telemetry::{COLUMNS, Sample, Seen};
use agent_chaos_core::wire::Node;
use agent_chaos_core::{Picture, Run};
use js_sys::{Float64Array, Object, Reflect};
use serde::Serialize;
use wasm_bindgen::JsValue;

/// Any plain data as plain JS objects, arrays, numbers and strings.
pub fn plain(value: &(impl Serialize + ?Sized)) -> Result<JsValue, JsValue> {
    objects(&Node::of(value))
}

/// The one writer of JS objects: one that is generic would be there once for each type.
#[inline(never)]
pub fn objects(node: &Node) -> Result<JsValue, JsValue> {
    Ok(node.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
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
    succeeded: u64,
    failed: u64,
    clients: Option<ClientsView>,
    network: Option<NetworkView>,
    admission: Option<AdmissionView>,
    removed: RemovedView,
    crew: Option<CrewView>,
    downstream: Option<DownstreamView>,
    interventions: Vec<u32>,
}

#[derive(Serialize)]
struct ClientsView {
    open: u64,
    pending: u64,
    retries: u64,
    retries_per_second: f64,
    timeouts_per_second: f64,
    hedges: u64,
    refused: u64,
    breaker: Option<&'static str>,
}

#[derive(Serialize)]
struct NetworkView {
    in_transit: u64,
    lost: u64,
    pool: Option<PoolView>,
}

#[derive(Serialize)]
struct PoolView {
    in_use: u32,
    size: u32,
    waiting: u32,
}

#[derive(Serialize)]
struct AdmissionView {
    limit: Option<u32>,
    inside: u32,
    tokens: Option<u32>,
    over_limit: u64,
    without_token: u64,
}

#[derive(Serialize)]
struct RemovedView {
    requests: u64,
    per_second: f64,
}

#[derive(Serialize)]
struct CrewView {
    able: u32,
    down: u32,
    stalled: bool,
    wanted: Option<u32>,
}

#[derive(Serialize)]
struct DownstreamView {
    pool: Option<PoolView>,
}

impl Watcher {
    /// Everything new of this run.
    pub fn frame(&mut self, run: &Run) -> Result<JsValue, JsValue> {
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
                .map(|t| Evidence::new(t, run.profile()))
                .collect(),
        })?;
        Reflect::set(&moment, &"columns".into(), &columns)?;
        Ok(moment)
    }
}

fn view(run: &Run, picture: &Picture) -> PictureView {
    let profile = run.profile();
    let counts = picture.counts;
    let mechanisms = &picture.mechanisms;
    let settle = profile.has_clients();
    let (ended, succeeded) = (counts.ended(settle), counts.ended_well(settle));
    let from_agents = if profile.generators().next().is_none() {
        (counts.created - ended) as u32
    } else {
        0
    };
    let last = picture.last.as_ref();
    let rate = |of: fn(&Sample) -> f64| last.map_or(0.0, of);
    PictureView {
        queue: counts.waiting(),
        capacity: picture.capacity,
        waiting_senders: picture.blocked,
        busy: counts.busy(),
        workers: picture.workers,
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
        saturation: picture
            .capacity
            .map(|capacity| f64::from(counts.waiting()) / f64::from(capacity)),
        state: picture.state.map(|state| state.name()),
        throttle_delay_seconds: picture.throttle_delay.seconds(),
        faults: counts.faults,
        refused: counts.refused,
        completed: counts.completed,
        succeeded,
        failed: ended - succeeded,
        clients: profile.client.as_ref().map(|_| ClientsView {
            open: counts.created - ended,
            pending: counts.clients.pending(),
            retries: counts.clients.retries,
            retries_per_second: rate(|s| s.retries.per_second()),
            timeouts_per_second: rate(|s| s.timeouts.per_second()),
            hedges: counts.clients.hedges,
            refused: counts.clients.refused,
            breaker: mechanisms.gauges.breaker.map(BreakerState::name),
        }),
        network: profile.network.as_ref().map(|_| NetworkView {
            in_transit: mechanisms.in_transit,
            lost: counts.clients.dropped,
            pool: pool(mechanisms.gauges.connections, mechanisms.connections),
        }),
        admission: profile
            .admission
            .as_ref()
            .and(mechanisms.admission)
            .map(|seen| AdmissionView {
                limit: seen.limit,
                inside: seen.inside,
                tokens: seen.tokens,
                over_limit: seen.over_limit,
                without_token: seen.without_token,
            }),
        removed: RemovedView {
            requests: counts.removed,
            per_second: rate(|s| s.removed.per_second()),
        },
        crew: mechanisms.gauges.crew.map(|crew| CrewView {
            able: crew.able(),
            down: crew.down,
            stalled: crew.stalled,
            wanted: picture.wanted_workers,
        }),
        downstream: profile.downstream.as_ref().map(|_| DownstreamView {
            pool: pool(
                mechanisms.gauges.downstream_connections,
                mechanisms.downstream_connections,
            ),
        }),
        interventions: picture.interventions.clone(),
    }
}

fn pool(connections: Option<(u32, u32)>, size: Option<u32>) -> Option<PoolView> {
    let ((in_use, waiting), size) = connections.zip(size)?;
    Some(PoolView {
        in_use,
        size,
        waiting,
    })
}
