//! A run in the forms of other tools, made by running it once more: equal profiles give equal runs.

use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::event::Event;
use agent_chaos_core::records::Record;
use agent_chaos_core::units::Instant;
use agent_chaos_core::{Limit, Profile, Run, wire};
use agent_chaos_export::{Otlp, Perfetto, prometheus};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::error;
use crate::work::{POLLS, Work};

/// When virtual time begins in what is exported, in nanoseconds since 1970: 2026-01-01, so that equal runs
/// give equal files.
const START: u64 = 1_767_225_600_000_000_000;

/// One export of one run.
#[wasm_bindgen]
pub struct Export {
    profile: Profile,
    kind: Kind,
    experiment: String,
    work: Work,
}

#[derive(Clone, Copy)]
enum Kind {
    Otlp,
    Trace,
    Prometheus,
}

/// What is made of the records as they come.
enum Maker {
    Otlp(Box<Otlp>),
    Trace(Box<Perfetto>),
    Nothing,
}

impl Maker {
    fn see(&mut self, record: &Record) {
        match self {
            Self::Otlp(otlp) => otlp.see(record),
            Self::Trace(trace) => trace.see(record),
            Self::Nothing => {}
        }
    }

    fn take(&mut self) -> String {
        match self {
            Self::Otlp(otlp) => {
                let mut text = String::new();
                for message in otlp.take() {
                    text.push_str(&message.to_json());
                    text.push('\n');
                }
                text
            }
            Self::Trace(trace) => trace.take(),
            Self::Nothing => String::new(),
        }
    }
}

#[wasm_bindgen]
impl Export {
    /// An export of the run of this profile: `"otlp"` (OpenTelemetry's traces, metrics and logs, as lines of JSON),
    /// `"trace"` (a trace for Perfetto) or `"prometheus"` (the report as text, with the name of the
    /// experiment). Nothing has been run.
    ///
    /// # Errors
    ///
    /// A `ProfileError` that names the field; a `RangeError` for another kind.
    #[wasm_bindgen(constructor)]
    pub fn new(
        profile: &str,
        #[wasm_bindgen(unchecked_param_type = "\"otlp\" | \"trace\" | \"prometheus\"")] kind: &str,
        experiment: String,
    ) -> Result<Export, JsValue> {
        let kind = match kind {
            "otlp" => Kind::Otlp,
            "trace" => Kind::Trace,
            "prometheus" => Kind::Prometheus,
            other => {
                let text = format!("kind: found \"{other}\", accepted: otlp, trace, prometheus");
                return Err(js_sys::RangeError::new(&text).into());
            }
        };
        Ok(Self {
            profile: wire::parse(profile).map_err(|refused| error::profile(&refused))?,
            kind,
            experiment,
            work: Work::default(),
        })
    }

    /// Runs it to the end, in slices between which the event loop has its turn. Calls `on_text` with pieces of the
    /// file in order, and `on_progress` with how much is done, from 0 to 1, some ten times a second.
    ///
    /// Resolves with `"finished"` or `"paused"`, after which it begins anew; rejects if a callback throws, or
    /// with a `BusyError` if it is under way already.
    #[wasm_bindgen(unchecked_return_type = "Promise<\"finished\" | \"paused\">")]
    pub fn play(
        &self,
        #[wasm_bindgen(unchecked_param_type = "(text: string) => void")] on_text: Function,
        #[wasm_bindgen(unchecked_param_type = "(progress: number) => void")] on_progress: Function,
    ) -> Promise {
        const SLICE: Limit = Limit {
            until: Instant::NEVER,
            polls: POLLS,
        };
        let (profile, kind) = (self.profile.clone(), self.kind);
        let experiment = self.experiment.clone();
        let busy = "this export is under way already";
        self.work.begin(busy, async move |mut turns| {
            let maker = Rc::new(RefCell::new(match kind {
                Kind::Otlp => Maker::Otlp(Box::new(Otlp::new(&profile, START))),
                Kind::Trace => Maker::Trace(Box::default()),
                Kind::Prometheus => Maker::Nothing,
            }));
            let sees = Rc::clone(&maker);
            let observer = move |event: &Event<'_>| sees.borrow_mut().see(&Record::of(event));
            let run = RefCell::new(Run::observed(&profile, Some(Box::new(observer))));
            let thrown = RefCell::new(None);
            let pass_on = |text: &str| {
                if !text.is_empty()
                    && let Err(error) = on_text.call1(&JsValue::NULL, &text.into())
                {
                    thrown.borrow_mut().get_or_insert(error);
                }
            };
            let mut little = || {
                let ended = run.borrow_mut().advance(SLICE);
                pass_on(&maker.borrow_mut().take());
                (ended || thrown.borrow().is_some()).then_some("finished")
            };
            let progress = || run.borrow().progress();
            let ended = turns
                .take(&mut little, &progress, Some(&on_progress))
                .await?;
            if let Some(error) = thrown.borrow_mut().take() {
                return Err(error);
            }
            if ended.is_none() {
                return Ok("paused");
            }
            let run = run.borrow();
            let report = run.report();
            run.with_series(|series| match &mut *maker.borrow_mut() {
                Maker::Otlp(otlp) => otlp.finish(&report, series, run.now()),
                Maker::Trace(trace) => trace.finish(series, run.now()),
                Maker::Nothing => {}
            });
            pass_on(&maker.borrow_mut().take());
            if matches!(kind, Kind::Prometheus) {
                pass_on(&prometheus(&report, &experiment));
            }
            match thrown.take() {
                Some(error) => Err(error),
                None => Ok("finished"),
            }
        })
    }

    /// Has `play` stop after the present slice.
    pub fn pause(&self) {
        self.work.stop();
    }
}
