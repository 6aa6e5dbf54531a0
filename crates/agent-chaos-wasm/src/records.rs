//! Records of the event stream, the slowest requests and the life of any one, for the page.

use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::records::life::{Attempt, Life, Part, Phase};
use agent_chaos_core::records::{
    Filter, KINDS, MOST_RECORDS, Name, Record, Records, Replay, Selection, Slowest, WORDS, Word,
};
use agent_chaos_core::units::{Instant, Span};
use js_sys::{
    Array, Float64Array, Function, JsString, Object, Promise, RangeError, Reflect, TypeError,
    Uint8Array,
};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::frame::plain;
use crate::run::Run;
use crate::work::{POLLS, Work};

/// Whole numbers up to here are exact in JS.
const MOST_EXACT: f64 = 9_007_199_254_740_991.0;

/// How many records a run keeps by these options.
pub fn kept(options: Option<JsValue>) -> Result<usize, JsValue> {
    let Some(options) = options else { return Ok(0) };
    let most = optional(&options, "records", MOST_RECORDS as f64)?;
    Ok(most.unwrap_or(0) as usize)
}

/// A whole number from 0 to `most`.
fn whole(value: &JsValue, name: &str, most: f64) -> Result<u64, JsValue> {
    let number = value
        .as_f64()
        .filter(|number| number.fract() == 0.0 && (0.0..=most).contains(number));
    number.map(|number| number as u64).ok_or_else(|| {
        let found = value
            .dyn_ref::<JsString>()
            .map(|text| format!("{:?}", String::from(text)))
            .or_else(|| value.as_f64().map(|number| number.to_string()))
            .unwrap_or_else(|| "something else".to_owned());
        let message = format!("{name}: found {found}, accepted: a whole number from 0 to {most}");
        RangeError::new(&message).into()
    })
}

/// As [`whole`], if there is anything.
fn optional(filter: &JsValue, name: &str, most: f64) -> Result<Option<u64>, JsValue> {
    let value = Reflect::get(filter, &name.into())?;
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    whole(&value, name, most).map(Some)
}

/// What is given under this name, as `read` reads it; none if nothing is.
fn given<T>(
    filter: &JsValue,
    name: &str,
    accepted: &str,
    read: impl FnOnce(JsValue) -> Option<T>,
) -> Result<Option<T>, JsValue> {
    let value = Reflect::get(filter, &name.into())?;
    if value.is_undefined() {
        return Ok(None);
    }
    let refused = || TypeError::new(&format!("{name}: accepted: {accepted}")).into();
    read(value).map(Some).ok_or_else(refused)
}

fn filter(wanted: &JsValue) -> Result<Filter, JsValue> {
    let kinds = given(wanted, "kinds", "a list of whole numbers", |value| {
        value.dyn_into::<Array>().ok()
    })?;
    let mut set = 0;
    for kind in kinds.iter().flat_map(Array::iter) {
        set |= 1 << whole(&kind, "kinds", (KINDS.len() - 1) as f64)?;
    }
    let failures = given(wanted, "failures", "true or false", |value| value.as_bool())?;
    let text = given(wanted, "text", "text", |value| value.as_string())?;
    let agent = optional(wanted, "agent", f64::from(u32::MAX))?;
    Ok(Filter {
        kinds: set,
        request: optional(wanted, "request", MOST_EXACT)?,
        agent: agent.map(|agent| agent as u32),
        failures: failures.unwrap_or_default(),
        text: text.unwrap_or_default(),
    })
}

#[derive(Serialize)]
struct NameView {
    name: &'static str,
    words: &'static str,
}

#[derive(Serialize)]
struct PhaseView {
    name: &'static str,
    words: &'static str,
    part: &'static str,
}

#[derive(Serialize)]
struct NamesView {
    kinds: Vec<NameView>,
    words: Vec<NameView>,
    phases: Vec<PhaseView>,
}

/// What the numbers in records and lives stand for.
///
/// # Errors
///
/// Never: names are plain data.
#[wasm_bindgen(unchecked_return_type = "RecordNames")]
pub fn record_names() -> Result<JsValue, JsValue> {
    let names = |list: &[Name]| {
        let view = |&Name { name, words }| NameView { name, words };
        list.iter().map(view).collect()
    };
    plain(&NamesView {
        kinds: names(&KINDS),
        words: names(&WORDS),
        phases: Phase::ALL
            .iter()
            .map(|phase| PhaseView {
                name: phase.name(),
                words: phase.words(),
                part: phase.part().name(),
            })
            .collect(),
    })
}

#[derive(Serialize)]
struct WindowView {
    total: usize,
    from: usize,
    before: usize,
    written: u64,
    kept: u64,
    created: u64,
    kinds: Vec<usize>,
}

#[derive(Serialize)]
struct LifeView {
    request: u64,
    agent: Option<u32>,
    class: &'static str,
    created_seconds: f64,
    ended_seconds: Option<f64>,
    outcome: Option<&'static str>,
    took_seconds: f64,
    sends: Option<u32>,
    over: bool,
    words: String,
    split: Vec<f64>,
    parts: PartsView,
    attempts: Vec<AttemptView>,
}

#[derive(Serialize)]
struct PartsView {
    waiting: f64,
    network: f64,
    service: f64,
}

#[derive(Serialize)]
struct AttemptView {
    number: u8,
    sending: Option<&'static str>,
    from_seconds: f64,
    ended_seconds: Option<f64>,
    outcome: Option<&'static str>,
    words: String,
    worker: Option<u32>,
    paused_seconds: f64,
    spiked_seconds: f64,
    segments: Vec<SegmentView>,
}

#[derive(Serialize)]
struct SegmentView {
    phase: u8,
    from: f64,
    to: f64,
    in_vain: bool,
}

#[derive(Serialize)]
struct SlowView {
    request: u64,
    took_seconds: f64,
    outcome: Option<&'static str>,
    sends: Option<u32>,
    split: Option<Vec<f64>>,
    parts: Option<PartsView>,
}

fn said(word: Word) -> Option<&'static str> {
    (word != Word::NONE).then(|| word.name().name)
}

fn split(life: &Life) -> Vec<f64> {
    life.split.iter().map(|span| span.seconds()).collect()
}

fn parts(life: &Life) -> PartsView {
    PartsView {
        waiting: life.part(Part::Waiting).seconds(),
        network: life.part(Part::Network).seconds(),
        service: life.part(Part::Service).seconds(),
    }
}

fn attempt_view(attempt: &Attempt) -> AttemptView {
    AttemptView {
        number: attempt.number,
        sending: said(attempt.sending),
        from_seconds: attempt.from.seconds(),
        ended_seconds: attempt.ended.map(Instant::seconds),
        outcome: said(attempt.outcome),
        words: attempt.words(),
        worker: attempt.worker,
        paused_seconds: attempt.paused.seconds(),
        spiked_seconds: attempt.spiked.seconds(),
        segments: attempt
            .segments
            .iter()
            .map(|segment| SegmentView {
                phase: segment.phase as u8,
                from: segment.from.seconds(),
                to: segment.to.seconds(),
                in_vain: segment.in_vain,
            })
            .collect(),
    }
}

fn life_view(life: Option<Life>) -> Result<JsValue, JsValue> {
    let Some(life) = life else {
        return Ok(JsValue::NULL);
    };
    let view = plain(&LifeView {
        request: life.request,
        agent: life.agent,
        class: life.class.name().name,
        created_seconds: life.created.seconds(),
        ended_seconds: life.ended.map(Instant::seconds),
        outcome: said(life.outcome),
        took_seconds: life.took.seconds(),
        sends: life.sends,
        over: life.is_over,
        split: split(&life),
        parts: parts(&life),
        attempts: life.attempts.iter().map(attempt_view).collect(),
        words: life.words,
    })?;
    // Where its steps stand in the event stream is not known of those that a search has found.
    let steps: Vec<_> = life.steps.iter().map(|step| (f64::NAN, *step)).collect();
    Reflect::set(&view, &"steps".into(), &columns(&steps)?)?;
    Ok(view)
}

/// Records as columns, one typed array each.
fn columns(rows: &[(f64, Record)]) -> Result<JsValue, JsValue> {
    let object = Object::new();
    let set = |name: &str, column: &JsValue| Reflect::set(&object, &name.into(), column);
    let floats = |name: &str, of: &dyn Fn(&(f64, Record)) -> f64| {
        let values: Vec<_> = rows.iter().map(of).collect();
        set(name, &Float64Array::from(&values[..]))
    };
    let bytes = |name: &str, of: &dyn Fn(&Record) -> u8| {
        let values: Vec<_> = rows.iter().map(|(_, record)| of(record)).collect();
        set(name, &Uint8Array::from(&values[..]))
    };
    let or_nan = |number: Option<u32>| number.map_or(f64::NAN, f64::from);
    floats("sequence", &|(sequence, _)| *sequence)?;
    floats("at", &|(_, record)| record.at.seconds())?;
    bytes("kind", &|record| record.kind() as u8)?;
    bytes("word", &|record| record.word().number())?;
    floats("request", &|(_, record)| {
        record.request().map_or(f64::NAN, |number| number as f64)
    })?;
    floats("agent", &|(_, record)| or_nan(record.agent()))?;
    bytes("attempt", &|record| record.attempt())?;
    floats("worker", &|(_, record)| or_nan(record.worker()))?;
    floats("waiting", &|(_, record)| or_nan(record.waiting()))?;
    floats("seconds", &|(_, record)| {
        record.span().map_or(f64::NAN, Span::seconds)
    })?;
    bytes("failure", &|record| u8::from(record.is_failure()))?;
    let what: Array = rows
        .iter()
        .map(|(_, record)| JsValue::from(record.what()))
        .collect();
    set("what", &what)?;
    Ok(object.into())
}

/// Rows of a list, with what the page has to know of the list.
fn window(
    records: &Records,
    selection: &Selection,
    (from, to): (f64, f64),
    place: Option<f64>,
    created: u64,
) -> Result<JsValue, JsValue> {
    let total = selection.len();
    // A cast saturates, and makes 0 of NaN: whatever is asked for, nothing is out of bounds.
    let from = if from < 0.0 {
        total.saturating_sub(-from as usize)
    } else {
        (from as usize).min(total)
    };
    let rows: Vec<_> = selection
        .rows(from, to as usize)
        .map(|sequence| (sequence as f64, records.at(sequence)))
        .collect();
    let occurred = records.occurred();
    let view = plain(&WindowView {
        total,
        from,
        before: place.map_or(0, |place| selection.before(place as u64)),
        written: records.written(),
        kept: records.written() - records.oldest(),
        created,
        kinds: (0..KINDS.len())
            .filter(|kind| occurred >> kind & 1 == 1)
            .collect(),
    })?;
    Reflect::set(&view, &"columns".into(), &columns(&rows)?)?;
    Ok(view)
}

#[wasm_bindgen]
impl Run {
    /// Rows of the filtered list of the records that are kept, from the `from`-th up to but not
    /// including the `to`-th; what lies beyond the list is left out. A negative `from` counts from
    /// the list's end. `place` is a place in the event stream, to find it in the list. Null if this
    /// run keeps none.
    ///
    /// # Errors
    ///
    /// A `RangeError` or `TypeError` for a filter that is none.
    #[wasm_bindgen(unchecked_return_type = "RecordWindow | null")]
    pub fn records(
        &self,
        #[wasm_bindgen(unchecked_param_type = "RecordFilter")] wanted: JsValue,
        from: f64,
        to: f64,
        place: Option<f64>,
    ) -> Result<JsValue, JsValue> {
        let wanted = filter(&wanted)?;
        let run = self.shared.run.borrow();
        let mut selection = self.shared.selection.borrow_mut();
        if *selection.filter() != wanted {
            *selection = Selection::new(wanted);
        }
        let window = run.with_records(|records| {
            selection.follow(records);
            window(records, &selection, (from, to), place, run.counts().created)
        });
        window.unwrap_or(Ok(JsValue::NULL))
    }
    /// The life of a request, if all of it is on hand; null if it is not, or has not begun.
    ///
    /// # Errors
    ///
    /// A `RangeError` for what is no number of a request.
    #[wasm_bindgen(unchecked_return_type = "Life | null")]
    pub fn life(&self, request: f64) -> Result<JsValue, JsValue> {
        let number = whole(&request.into(), "request", MOST_EXACT)?;
        let run = self.shared.run.borrow();
        let life = run.with_records(|records| records.life(number, run.profile(), run.now()));
        life_view(life.flatten())
    }

    /// The ten slowest requests that have ended, the slowest first; none if this run keeps no
    /// records.
    ///
    /// # Errors
    ///
    /// Never: what is slow is plain data.
    #[wasm_bindgen(unchecked_return_type = "Slow[]")]
    pub fn slowest(&self) -> Result<JsValue, JsValue> {
        let run = self.shared.run.borrow();
        let slowest = run.with_records(|records| records.slowest(run.profile(), run.now()));
        let view = |slow: &Slowest| SlowView {
            request: slow.request,
            took_seconds: slow.took.seconds(),
            outcome: said(slow.outcome),
            sends: slow.sends,
            split: slow.life.as_ref().map(split),
            parts: slow.life.as_ref().map(parts),
        };
        let views: Vec<_> = slowest.unwrap_or_default().iter().map(view).collect();
        plain(&views)
    }

    /// A search for a request whose life is not on hand: the same run once more, up to where this
    /// one stands now.
    ///
    /// # Errors
    ///
    /// A `RangeError` for what is no number of a request.
    pub fn search(&self, request: f64) -> Result<Search, JsValue> {
        let number = whole(&request.into(), "request", MOST_EXACT)?;
        let run = self.shared.run.borrow();
        let events = run.counts().events();
        let replay = Replay::new(run.profile(), number, events, run.now());
        Ok(Search {
            replay: Rc::new(RefCell::new(replay)),
            work: Work::default(),
        })
    }
}

/// A search for the life of a request.
#[wasm_bindgen]
pub struct Search {
    replay: Rc<RefCell<Replay>>,
    work: Work,
}

#[wasm_bindgen]
impl Search {
    /// Searches on this thread, in slices between which the event loop has its turn, and tells how
    /// much of the way is done, from 0 to 1. Once stopped, it goes on from there when called again.
    ///
    /// Resolves with `"finished"` or `"stopped"`; rejects if `on_progress` throws, or with a
    /// `BusyError` if it is under way already.
    #[wasm_bindgen(unchecked_return_type = "Promise<\"finished\" | \"stopped\">")]
    pub fn find(
        &self,
        #[wasm_bindgen(unchecked_param_type = "(progress: number) => void")] on_progress: Function,
    ) -> Promise {
        let replay = Rc::clone(&self.replay);
        let busy = "this search is under way already";
        self.work.begin(busy, async move |mut turns| {
            let mut little = || replay.borrow_mut().advance(POLLS).then_some("finished");
            let progress = || replay.borrow().progress();
            let ended = turns.take(&mut little, &progress, Some(&on_progress));
            Ok(ended.await?.unwrap_or("stopped"))
        })
    }

    /// Has `find` stop after the present slice.
    pub fn stop(&self) {
        self.work.stop();
    }

    /// The life of the request, as far as it has been found; null if it has not.
    ///
    /// # Errors
    ///
    /// Never: a life is plain data.
    #[wasm_bindgen(unchecked_return_type = "Life | null")]
    pub fn life(&self) -> Result<JsValue, JsValue> {
        life_view(self.replay.borrow().life())
    }
}
