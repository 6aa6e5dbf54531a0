//! A run in the browser's event loop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use agent_chaos_core::detector::State;
use agent_chaos_core::records::{Filter, Selection};
use agent_chaos_core::units::{Instant, Span};
use agent_chaos_core::{Limit, Run as CoreRun, wire};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::error;
use crate::frame::{Watcher, plain};
use crate::records;
use crate::work::{POLLS, SLICE_MS, Turns, Work};

/// Frames are no closer together than this.
const FRAME_MS: f64 = 15.0;
/// After a longer gap (a hidden tab, a sleeping device) a paced run goes on where it stood.
const LONGEST_GAP_MS: f64 = 250.0;
/// Polls of one step at the most, so that even a step through a flood of events answers soon; the
/// next step of the same kind goes on from there.
const STEP_POLLS: u64 = 50_000;

/// Why a second piece of work on a run does not begin.
const BUSY: &str = "this run is playing already";

/// One run of an experiment.
#[wasm_bindgen]
pub struct Run {
    pub(crate) shared: Rc<Shared>,
    work: Work,
}

pub(crate) struct Shared {
    pub(crate) run: RefCell<CoreRun>,
    /// The list of records that was asked for last.
    pub(crate) selection: RefCell<Selection>,
    watcher: RefCell<Watcher>,
    speed: Cell<f64>,
}

#[wasm_bindgen]
impl Run {
    /// A run of this profile that has not begun. Its latest records are kept, if the options say how
    /// many.
    ///
    /// # Errors
    ///
    /// A `ProfileError` that names the field; a `RangeError` for options that are out of bounds.
    #[wasm_bindgen(constructor)]
    pub fn with(
        profile: &str,
        #[wasm_bindgen(unchecked_optional_param_type = "RunOptions")] options: Option<JsValue>,
    ) -> Result<Run, JsValue> {
        let profile = wire::parse(profile).map_err(|error| error::profile(&error))?;
        let run = match records::kept(options)? {
            0 => CoreRun::new(&profile),
            most => CoreRun::recorded(&profile, None, most),
        };
        let shared = Shared {
            run: RefCell::new(run),
            selection: RefCell::new(Selection::new(Filter::default())),
            watcher: RefCell::default(),
            speed: Cell::new(f64::INFINITY),
        };
        Ok(Self {
            shared: Rc::new(shared),
            work: Work::default(),
        })
    }

    /// The present moment, in seconds of virtual time.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn now_seconds(&self) -> f64 {
        self.shared.run.borrow().now().seconds()
    }

    /// When the last request may be created, in seconds of virtual time.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn horizon_seconds(&self) -> f64 {
        self.shared.run.borrow().horizon().seconds()
    }

    /// How much of the run is done, from 0 to 1.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.shared.run.borrow().progress()
    }

    /// Whether everything has been done.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn finished(&self) -> bool {
        self.shared.run.borrow().is_finished()
    }

    /// The digest of everything that has happened so far: 16 hex digits.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn digest(&self) -> String {
        self.shared.run.borrow().digest()
    }

    /// Seconds of virtual time per second; `Infinity` is as fast as possible.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.shared.speed.get()
    }

    /// Changes the speed, also of a run that is playing. What is no speed is passed over.
    #[wasm_bindgen(setter)]
    pub fn set_speed(&self, speed: f64) {
        if speed > 0.0 {
            self.shared.speed.set(speed);
        }
    }

    /// Plays on this thread, in slices between which the event loop has its turn. Calls `on_frame`
    /// with what is new, at most some sixty times a second and once at the end.
    ///
    /// `stop` names where to stop before the end: a moment in seconds of virtual time, the next
    /// `"collapse"` (the detector's state becomes COLLAPSED) or the next `"recovery"` (it becomes
    /// STABLE again), both at the tick that shows it.
    ///
    /// Resolves with `"finished"`, `"paused"` or `"reached"`; rejects if `on_frame` throws, with a
    /// `BusyError` if the run is under way already, or with a `RangeError` for another place to stop.
    #[wasm_bindgen(unchecked_return_type = "Promise<\"finished\" | \"paused\" | \"reached\">")]
    pub fn play(
        &self,
        #[wasm_bindgen(unchecked_param_type = "(frame: Frame) => void")] on_frame: Function,
        #[wasm_bindgen(
            unchecked_optional_param_type = "number | \"collapse\" | \"recovery\" | null"
        )]
        stop: JsValue,
    ) -> Promise {
        let shared = Rc::clone(&self.shared);
        let stop = match Stop::read(&stop) {
            Ok(stop) => stop,
            Err(error) => return Promise::reject(&error),
        };
        let play = async move |turns| shared.play(turns, &on_frame, stop).await;
        self.work.begin(BUSY, play)
    }

    /// Goes on to a moment of virtual time as fast as possible, in slices as [`play`](Self::play)
    /// does, without frames. Calls `on_progress` with how much of the way is done, from 0 to 1, some
    /// ten times a second.
    ///
    /// Resolves and rejects as [`play`](Self::play) does.
    #[wasm_bindgen(unchecked_return_type = "Promise<\"finished\" | \"paused\" | \"reached\">")]
    pub fn seek(
        &self,
        seconds: f64,
        #[wasm_bindgen(unchecked_param_type = "(progress: number) => void")] on_progress: Function,
    ) -> Promise {
        let shared = Rc::clone(&self.shared);
        let stop = match Stop::moment(seconds) {
            Ok(at) => at,
            Err(error) => return Promise::reject(&error),
        };
        let seek = async move |turns| shared.seek(turns, stop, &on_progress).await;
        self.work.begin(BUSY, seek)
    }

    /// Has `play` or `seek` stop after the present slice.
    pub fn pause(&self) {
        self.work.stop();
    }

    /// Goes on by one event, one tick or one second; gives what is new.
    ///
    /// # Errors
    ///
    /// A `RangeError` for another word.
    #[wasm_bindgen(unchecked_return_type = "Frame")]
    pub fn step(
        &self,
        #[wasm_bindgen(unchecked_param_type = "\"event\" | \"tick\" | \"second\"")] what: &str,
    ) -> Result<JsValue, JsValue> {
        {
            let mut run = self.shared.run.borrow_mut();
            let interval = Span::from_seconds(run.profile().telemetry.interval_seconds);
            match what {
                "event" => {
                    run.advance_one_event();
                }
                "tick" => {
                    let until = next(&run, interval);
                    run.advance(Limit {
                        until,
                        polls: STEP_POLLS,
                    });
                }
                "second" => {
                    let until = next(&run, Span::from_seconds(1.0));
                    run.advance(Limit {
                        until,
                        polls: STEP_POLLS,
                    });
                }
                other => {
                    return Err(js_sys::RangeError::new(&format!(
                        "step: found \"{other}\", accepted: event, tick, second"
                    ))
                    .into());
                }
            }
        }
        self.frame()
    }

    /// Goes on to the end without giving way: for workers, for node, and for measuring. On a page's
    /// own thread nothing else happens meanwhile; there, [`play`](Self::play) is the way.
    ///
    /// # Errors
    ///
    /// A `BusyError` while the run is playing.
    pub fn finish(&self) -> Result<(), JsValue> {
        if self.work.is_under_way() {
            return Err(error::named("BusyError", "this run is playing").into());
        }
        while !self.shared.run.borrow_mut().advance(Limit::NONE) {}
        Ok(())
    }

    /// What was recorded since the last frame.
    ///
    /// # Errors
    ///
    /// Never: a frame is plain data.
    #[wasm_bindgen(unchecked_return_type = "Frame")]
    pub fn frame(&self) -> Result<JsValue, JsValue> {
        self.shared.frame()
    }

    /// The report as of now, as a plain object.
    ///
    /// # Errors
    ///
    /// Never: a report is plain data.
    #[wasm_bindgen(unchecked_return_type = "Report")]
    pub fn report(&self) -> Result<JsValue, JsValue> {
        plain(&self.shared.run.borrow().report())
    }

    /// The report as canonical JSON text, equal to the native one byte for byte.
    #[must_use]
    pub fn report_json(&self) -> String {
        self.shared.run.borrow().report().to_json().to_string()
    }
}

impl Run {
    /// As [`with`](Self::with), without options.
    ///
    /// # Errors
    ///
    /// A `ProfileError` that names the field.
    pub fn new(profile: &str) -> Result<Run, JsValue> {
        Self::with(profile, None)
    }
}

/// Where a run that plays stops before its end.
#[derive(Clone, Copy)]
enum Stop {
    End,
    At(Instant),
    State(State),
}

impl Stop {
    fn read(value: &JsValue) -> Result<Self, JsValue> {
        if value.is_undefined() || value.is_null() {
            return Ok(Self::End);
        }
        match (value.as_f64(), value.as_string().as_deref()) {
            (Some(seconds), _) => Self::moment(seconds).map(Self::At),
            (_, Some("collapse")) => Ok(Self::State(State::Collapsed)),
            (_, Some("recovery")) => Ok(Self::State(State::Stable)),
            _ => Err(js_sys::RangeError::new(
                "stop: accepted: a moment in seconds, \"collapse\", \"recovery\"",
            )
            .into()),
        }
    }

    fn moment(seconds: f64) -> Result<Instant, JsValue> {
        if seconds.is_finite() && seconds >= 0.0 {
            Ok(Instant::from_seconds(seconds))
        } else {
            Err(js_sys::RangeError::new(&format!(
                "moment: found {seconds}, accepted: seconds from 0 on"
            ))
            .into())
        }
    }

    /// How far a run may go at once without passing the place.
    fn bound(self, run: &CoreRun) -> Instant {
        match self {
            Self::End => Instant::NEVER,
            Self::At(at) => at,
            // The detector changes its mind at ticks.
            Self::State(_) => next(
                run,
                Span::from_seconds(run.profile().telemetry.interval_seconds),
            ),
        }
    }

    /// Whether the run stands at the place; `seen` transitions were there before it set out.
    fn is_reached(self, run: &CoreRun, seen: usize) -> bool {
        match self {
            Self::End => false,
            Self::At(at) => run.now() >= at,
            Self::State(state) => run
                .transitions_from(seen)
                .last()
                .is_some_and(|transition| transition.to == state),
        }
    }
}

/// Does what is left to do at the present moment, so that a place is the same however it was reached.
fn complete(run: &mut CoreRun) -> bool {
    run.advance(Limit {
        until: run.now(),
        polls: u64::MAX,
    })
}

/// The next multiple of this span.
fn next(run: &CoreRun, span: Span) -> Instant {
    Instant::from_nanos((run.now().nanos() / span.nanos() + 1).saturating_mul(span.nanos()))
}

impl Shared {
    fn frame(&self) -> Result<JsValue, JsValue> {
        self.watcher.borrow_mut().frame(&self.run.borrow())
    }

    async fn play(
        &self,
        mut turns: Turns,
        on_frame: &Function,
        stop: Stop,
    ) -> Result<&'static str, JsValue> {
        let mut pace = Pace::new(turns.host.now_ms(), self);
        let mut last_frame = f64::NEG_INFINITY;
        let seen = self.run.borrow().transitions_from(0).len();
        loop {
            let started = turns.host.now_ms();
            let until = pace.until(started, self);
            let mut finished = false;
            let mut there = false;
            let mut reached = false;
            while !finished && !there && !reached && turns.host.now_ms() - started < SLICE_MS {
                let mut run = self.run.borrow_mut();
                let bound = stop.bound(&run).min(until);
                finished = run.advance(Limit {
                    until: bound,
                    polls: POLLS,
                });
                reached = run.now() >= until;
                if run.now() >= bound && stop.is_reached(&run, seen) {
                    there = true;
                    finished = complete(&mut run);
                }
            }
            let stopped = turns.is_stopped();
            if finished || there || stopped || turns.host.now_ms() - last_frame >= FRAME_MS {
                last_frame = turns.host.now_ms();
                on_frame.call1(&JsValue::NULL, &self.frame()?)?;
            }
            if finished {
                return Ok("finished");
            }
            if there {
                return Ok("reached");
            }
            if stopped || turns.is_stopped() {
                return Ok("paused");
            }
            if reached {
                turns.host.next_picture().await?;
            } else {
                turns.host.give_way().await?;
            }
            if turns.is_stopped() {
                on_frame.call1(&JsValue::NULL, &self.frame()?)?;
                return Ok("paused");
            }
        }
    }

    async fn seek(
        &self,
        mut turns: Turns,
        until: Instant,
        on_progress: &Function,
    ) -> Result<&'static str, JsValue> {
        let from = self.run.borrow().now().seconds();
        let way = until.seconds() - from;
        let slice = Limit {
            until,
            polls: POLLS,
        };
        let mut little = || {
            let mut run = self.run.borrow_mut();
            if run.advance(slice) || run.now() >= until && complete(&mut run) {
                return Some("finished");
            }
            (run.now() >= until).then_some("reached")
        };
        let progress = || (self.run.borrow().now().seconds() - from) / way;
        let ended = turns
            .take(&mut little, &progress, Some(on_progress))
            .await?;
        Ok(ended.unwrap_or("paused"))
    }
}

/// How virtual time follows the clock on the wall.
struct Pace {
    speed: f64,
    wall_ms: f64,
    from: Instant,
    seen_ms: f64,
}

impl Pace {
    fn new(now_ms: f64, shared: &Shared) -> Self {
        Self {
            speed: shared.speed.get(),
            wall_ms: now_ms,
            from: shared.run.borrow().now(),
            seen_ms: now_ms,
        }
    }

    /// How far the run may go by now.
    fn until(&mut self, now_ms: f64, shared: &Shared) -> Instant {
        let gap = now_ms - self.seen_ms;
        if shared.speed.get() != self.speed || gap > LONGEST_GAP_MS {
            *self = Self::new(now_ms, shared);
        }
        self.seen_ms = now_ms;
        if self.speed.is_infinite() {
            return Instant::NEVER;
        }
        self.from + Span::from_seconds((now_ms - self.wall_ms) / 1000.0 * self.speed)
    }
}
