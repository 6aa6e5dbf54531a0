//! Theory beside the run in the browser's event loop: one run after the other, in slices.

use std::cell::RefCell;
use std::rc::Rc;

use agent_chaos_core::theory::Comparison;
use agent_chaos_core::units::Instant;
use agent_chaos_core::{Limit, wire};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::error;
use crate::frame::plain;
use crate::work::{POLLS, Work};

/// One experiment under several seeds, to be held against theory.
#[wasm_bindgen]
pub struct TheoryComparison {
    comparison: Rc<RefCell<Comparison>>,
    work: Work,
}

#[wasm_bindgen]
impl TheoryComparison {
    /// This profile under `count` seeds from `first_seed` on, whatever its own seed is. Nothing has
    /// been run yet.
    ///
    /// # Errors
    ///
    /// A `ProfileError` that names the field; a `RangeError` unless the count is a whole number from
    /// 10 to 200 and all seeds are seeds.
    #[wasm_bindgen(constructor)]
    pub fn new(profile: &str, first_seed: f64, count: f64) -> Result<TheoryComparison, JsValue> {
        let profile = wire::parse(profile).map_err(|error| error::profile(&error))?;
        let comparison = Comparison::new(&profile, first_seed, count)
            .map_err(|refused| js_sys::RangeError::new(&refused.to_string()))?;
        Ok(Self {
            comparison: Rc::new(RefCell::new(comparison)),
            work: Work::default(),
        })
    }

    /// How much of everything is done, from 0 to 1.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn progress(&self) -> f64 {
        self.comparison.borrow().progress()
    }

    /// How many seeds have been run to the end.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn done(&self) -> u32 {
        self.comparison.borrow().done()
    }

    /// Whether everything has been run.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn finished(&self) -> bool {
        self.comparison.borrow().is_finished()
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
        let all = Rc::clone(&self.comparison);
        let busy = "this comparison is under way already";
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

    /// The table over the seeds that have been run to the end; null before there are ten.
    ///
    /// # Errors
    ///
    /// Never: it is plain data.
    #[wasm_bindgen(unchecked_return_type = "TheoryTable | null")]
    pub fn table(&self) -> Result<JsValue, JsValue> {
        match self.comparison.borrow().table() {
            Some(table) => plain(&table),
            None => Ok(JsValue::NULL),
        }
    }
}
