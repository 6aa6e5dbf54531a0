//! Hysteresis: a field up and down again, in the slices of a single run.

use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::edge::Question;
use agent_chaos_core::edge::hysteresis::{Climb, Staircase, Step, Way};
use agent_chaos_core::sweep::Axis;
use agent_chaos_core::wire;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::error;
use crate::frame::objects;
use crate::sweep::seeds;
use crate::work::{POLLS, Work};

/// Values of a field, each held for a while: upward from a fresh start, and downward from the highest, under
/// several seeds.
#[wasm_bindgen]
pub struct Stairs {
    climbs: Rc<RefCell<Climbs>>,
    work: Work,
}

struct Climbs {
    stairs: Staircase,
    /// By seed, upward and downward; those that have ended.
    done: Vec<Vec<Step>>,
    under_way: Option<Climb>,
}

impl Climbs {
    fn all(&self) -> usize {
        2 * self.stairs.seeds().count()
    }

    /// Goes on a little; whether everything has been run.
    fn advance(&mut self) -> bool {
        let number = self.done.len();
        if number == self.all() {
            return true;
        }
        let mut climb = self.under_way.take().unwrap_or_else(|| {
            let way = if number.is_multiple_of(2) {
                Way::Up
            } else {
                Way::Down
            };
            let seed = self.stairs.seeds().start() + (number / 2) as u32;
            let climb = self.stairs.climb(way, seed);
            climb.expect("a staircase has checked both of its profiles")
        });
        if climb.advance(POLLS) {
            self.done.push(climb.into_steps());
        } else {
            self.under_way = Some(climb);
        }
        self.done.len() == self.all()
    }

    fn progress(&self) -> f64 {
        let part = self.under_way.as_ref().map_or(0.0, Climb::progress);
        (self.done.len() as f64 + part) / self.all() as f64
    }
}

#[wasm_bindgen]
impl Stairs {
    /// A field as `path=values`, each value held for `hold_seconds` of virtual time, under `count` seeds from
    /// `first_seed` on. Nothing has been run.
    ///
    /// # Errors
    ///
    /// A `ProfileError` that names the field; a `RangeError` unless all seeds are seeds.
    #[wasm_bindgen(constructor)]
    pub fn new(
        profile: &str,
        field: &str,
        hold_seconds: f64,
        first_seed: f64,
        count: f64,
    ) -> Result<Stairs, JsValue> {
        let refused = |refused| error::profile(&refused);
        let profile = wire::parse(profile).map_err(refused)?;
        let axis = Axis::parse(field).map_err(refused)?;
        let seeds = seeds(first_seed, count)?;
        let stairs = Staircase::new(&profile, axis, hold_seconds, seeds).map_err(refused)?;
        Ok(Self {
            climbs: Rc::new(RefCell::new(Climbs {
                stairs,
                done: Vec::new(),
                under_way: None,
            })),
            work: Work::default(),
        })
    }

    /// What all runs cost together: their estimated events.
    ///
    /// # Errors
    ///
    /// Never: the profiles have been checked.
    pub fn events(&self) -> Result<f64, JsValue> {
        let climbs = self.climbs.borrow();
        let seed = *climbs.stairs.seeds().start();
        let mut events = 0.0;
        for way in [Way::Up, Way::Down] {
            let profile = climbs.stairs.profile(way, seed);
            events += profile
                .map_err(|refused| error::profile(&refused))?
                .estimate()
                .events;
        }
        Ok(events * climbs.stairs.seeds().count() as f64)
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
        let all = Rc::clone(&self.climbs);
        self.work.begin(
            "these steps are under way already",
            async move |mut turns| {
                let mut little = || all.borrow_mut().advance().then_some("finished");
                let progress = || all.borrow().progress();
                let ended = turns.take(&mut little, &progress, Some(&on_progress));
                Ok(ended.await?.unwrap_or("paused"))
            },
        )
    }

    /// Has `play` stop after the present slice. The run under way can be gone on with.
    pub fn pause(&self) {
        self.work.stop();
    }

    /// What the seeds that have been run both ways come to; null before the second one has. The question is
    /// `"worst-collapsed"` or `"worst-degraded"`.
    ///
    /// # Errors
    ///
    /// A `RangeError` for another question.
    #[wasm_bindgen(unchecked_return_type = "Hysteresis | null")]
    pub fn result(&self, question: &str) -> Result<JsValue, JsValue> {
        let Some(asked @ Question::WorstState(_)) = Question::find(question) else {
            let text = format!(
                "question: found \"{question}\", accepted: worst-collapsed, worst-degraded"
            );
            return Err(js_sys::RangeError::new(&text).into());
        };
        let climbs = self.climbs.borrow();
        let pairs = climbs.done.chunks_exact(2);
        let pairs: Vec<[Vec<Step>; 2]> = pairs
            .map(|pair| [pair[0].clone(), pair[1].clone()])
            .collect();
        if pairs.len() < 2 {
            return Ok(JsValue::NULL);
        }
        objects(&climbs.stairs.outcome(&pairs, asked).node())
    }
}
