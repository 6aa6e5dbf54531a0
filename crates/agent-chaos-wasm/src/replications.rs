//! Replications in the browser's event loop: one run after the other, in the slices of a single one.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::detector::State;
use agent_chaos_core::replication::{Figures, Replications as CoreReplications};
use agent_chaos_core::units::Instant;
use agent_chaos_core::wire::Node;
use agent_chaos_core::{Limit, wire};
use js_sys::{Float64Array, Function, Object, Promise, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::error;
use crate::frame::plain;
use crate::work::{POLLS, Work};

/// One experiment under several seeds, with a baseline or without.
#[wasm_bindgen]
pub struct Replications {
    replications: Rc<RefCell<CoreReplications>>,
    work: Work,
}

#[derive(Serialize)]
struct Replicated<'a> {
    seeds: [u32; 2],
    runs: Vec<Counted<'a>>,
    summary: Node,
    states: Node,
    baseline: Option<Node>,
    paired: Option<Node>,
}

#[derive(Serialize)]
struct Counted<'a> {
    seed: u32,
    digest: &'a str,
    state: Option<State>,
    worst_state: Option<State>,
}

fn estimates(figures: &Figures) -> Node {
    let all = figures.iter();
    sorted(all.map(|figure| (figure.path.as_str(), Node::of(&figure.estimate()))))
}

/// Fields in the order of their names.
fn sorted<'a>(entries: impl Iterator<Item = (&'a str, Node)>) -> Node {
    let mut fields: Vec<(Cow<'static, str>, Node)> = Vec::new();
    for (name, node) in entries {
        let place = fields.partition_point(|(known, _)| **known < *name);
        fields.insert(place, (name.to_owned().into(), node));
    }
    Node::Fields(fields)
}

#[wasm_bindgen]
impl Replications {
    /// This profile under `count` seeds from `first_seed` on, whatever its own seed is; with a
    /// baseline, that one under the same seeds. Nothing has been run yet.
    ///
    /// # Errors
    ///
    /// A `ProfileError` that names the field; a `RangeError` unless the count is a whole number from
    /// 2 to 200 and all seeds are seeds.
    #[wasm_bindgen(constructor)]
    pub fn new(
        profile: &str,
        first_seed: f64,
        count: f64,
        baseline: Option<String>,
    ) -> Result<Replications, JsValue> {
        let parse = |text: &str| wire::parse(text).map_err(|error| error::profile(&error));
        let profile = parse(profile)?;
        let baseline = baseline.as_deref().map(parse).transpose()?;
        let replications = CoreReplications::new(&profile, first_seed, count, baseline.as_ref())
            .map_err(|refused| js_sys::RangeError::new(&refused.to_string()))?;
        Ok(Self {
            replications: Rc::new(RefCell::new(replications)),
            work: Work::default(),
        })
    }

    /// How much of everything is done, from 0 to 1.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.replications.borrow().progress()
    }

    /// How many seeds have been run to the end.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn done(&self) -> u32 {
        self.replications.borrow().done().len() as u32
    }

    /// Whether everything has been run.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn finished(&self) -> bool {
        self.replications.borrow().is_finished()
    }

    /// Runs on from where it stands, in slices between which the event loop has its turn. Calls
    /// `on_progress` with how much of everything is done, from 0 to 1, some ten times a second.
    ///
    /// Resolves with `"finished"` or `"paused"`; rejects if `on_progress` throws, or with a
    /// `BusyError` if it is under way already.
    #[wasm_bindgen(unchecked_return_type = "Promise<\"finished\" | \"paused\">")]
    pub fn play(
        &self,
        #[wasm_bindgen(unchecked_param_type = "(progress: number) => void")] on_progress: Function,
    ) -> Promise {
        const SLICE: Limit = Limit {
            until: Instant::NEVER,
            polls: POLLS,
        };
        let all = Rc::clone(&self.replications);
        let busy = "these replications are under way already";
        self.work.begin(busy, async move |mut turns| {
            let mut little = || all.borrow_mut().advance(SLICE).then_some("finished");
            let progress = || all.borrow().progress();
            let ended = turns.take(&mut little, &progress, Some(&on_progress));
            Ok(ended.await?.unwrap_or("paused"))
        })
    }

    /// Has `play` stop after the present slice. The run under way can be gone on with.
    pub fn pause(&self) {
        self.work.stop();
    }

    /// What the seeds that have been run to the end come to; null before the first has.
    ///
    /// # Errors
    ///
    /// Never: it is plain data.
    #[wasm_bindgen(unchecked_return_type = "Replicated | null")]
    pub fn result(&self) -> Result<JsValue, JsValue> {
        let replications = self.replications.borrow();
        let (Some(first), Some(last)) = (replications.done().first(), replications.done().last())
        else {
            return Ok(JsValue::NULL);
        };
        let runs = replications.done().iter().map(|one| Counted {
            seed: one.seed,
            digest: &one.digest,
            state: one.state,
            worst_state: one.worst_state,
        });
        let summary = replications.summary();
        let against = replications.against_baseline();
        let result = plain(&Replicated {
            seeds: [first.seed, last.seed],
            runs: runs.collect(),
            summary: estimates(summary.figures()),
            states: sorted(
                summary
                    .shares()
                    .map(|(name, share)| (name, Node::of(&share))),
            ),
            baseline: against.map(|(baseline, _)| estimates(baseline.figures())),
            paired: against.map(|(_, paired)| estimates(paired)),
        })?;
        // Setting a property of a fresh, extensible object cannot fail.
        let set = |object: &JsValue, name: &str, value: &JsValue| {
            let _ = Reflect::set(object, &name.into(), value);
        };
        let columns = Object::new();
        for (name, ends) in replications.band().columns() {
            let column = Object::new();
            for (end, values) in ["mean", "low", "high"].into_iter().zip(&ends) {
                set(&column, end, &Float64Array::from(values.as_slice()));
            }
            set(&columns, name, &column);
        }
        let band = Object::new();
        let time = Float64Array::from(replications.band().time());
        set(&band, "time", &time);
        set(&band, "columns", &columns);
        set(&result, "band", &band);
        Ok(result)
    }
}
