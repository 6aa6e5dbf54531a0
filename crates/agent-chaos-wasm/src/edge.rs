//! The edge of collapse along one field, found step by step: each step is a small sweep, which the page
//! runs as any other.

use std::cell::RefCell;

use agent_chaos_core::edge::{Question, Search};
use agent_chaos_core::wire;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::error;
use crate::frame::{objects, plain};
use crate::sweep::{Sweep, columns, seeds};

/// A search for the value of a field at which half of the runs tip over.
#[wasm_bindgen]
pub struct Edge {
    search: RefCell<Search>,
}

#[derive(Serialize)]
struct Asked {
    name: &'static str,
    words: &'static str,
}

/// What can be asked of a run, the usual question first.
///
/// # Errors
///
/// Never: it is plain data.
#[wasm_bindgen(unchecked_return_type = "EdgeQuestion[]")]
pub fn edge_questions() -> Result<JsValue, JsValue> {
    let all = Question::ALL.map(|(name, question)| Asked {
        name,
        words: question.words(),
    });
    plain(&all)
}

#[wasm_bindgen]
impl Edge {
    /// A search along a numeric field of this profile from `low` to `high`, each value under `count` seeds
    /// from `first_seed` on, by one of the [`edge_questions`].
    ///
    /// # Errors
    ///
    /// A `ProfileError` that names the field; a `RangeError` for another question or for seeds that are none.
    #[wasm_bindgen(constructor)]
    pub fn new(
        profile: &str,
        path: &str,
        low: f64,
        high: f64,
        first_seed: f64,
        count: f64,
        question: &str,
    ) -> Result<Edge, JsValue> {
        let refused = |refused| error::profile(&refused);
        let Some(asked) = Question::find(question) else {
            let names = Question::ALL.map(|(name, _)| name).join(", ");
            let text = format!("question: found \"{question}\", accepted: {names}");
            return Err(js_sys::RangeError::new(&text).into());
        };
        let profile = wire::parse(profile).map_err(refused)?;
        let seeds = seeds(first_seed, count)?;
        let search = Search::new(&profile, path, [low, high], seeds, asked).map_err(refused)?;
        Ok(Self {
            search: RefCell::new(search),
        })
    }

    /// The field and its values of the sweep that is to be run now, under the seeds of the search; null when
    /// everything has been tried.
    #[must_use]
    pub fn wanted(&self) -> Option<String> {
        let search = self.search.borrow();
        let axis = &search.plan()?.axes()[0];
        let values: Vec<_> = axis.values().iter().map(f64::to_string).collect();
        Some(format!("{}={}", axis.path(), values.join(",")))
    }

    /// How many runs are still to come, at the most.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn runs_left(&self) -> f64 {
        self.search.borrow().runs_left() as f64
    }

    /// Takes in a finished sweep of what is [`wanted`](Self::wanted).
    ///
    /// # Errors
    ///
    /// A `RangeError` if it is another sweep or is not finished; a `ProfileError` if a run has no answer.
    pub fn tell(&self, sweep: &Sweep) -> Result<(), JsValue> {
        let mut search = self.search.borrow_mut();
        let is_wanted = search.plan().is_some_and(|plan| plan.id() == sweep.id());
        let rows = sweep.rows();
        if !is_wanted || rows.len() as f64 != sweep.done() || !sweep.is_finished() {
            return Err(js_sys::RangeError::new("the sweep is not the one that is wanted").into());
        }
        search
            .tell(&rows)
            .map_err(|refused| error::profile(&refused))
    }

    /// The share of runs that tip at each value that has been tried, in ascending order, with Wilson's 95 %
    /// interval.
    ///
    /// # Errors
    ///
    /// Never: it is plain data.
    #[wasm_bindgen(unchecked_return_type = "EdgeTried")]
    pub fn tried(&self) -> Result<JsValue, JsValue> {
        let search = self.search.borrow();
        let all = search.tried();
        let column = |of: &dyn Fn(&agent_chaos_core::edge::Tried) -> f64| -> Vec<f64> {
            all.iter().map(of).collect()
        };
        columns(&[
            ("value", column(&|one| one.value)),
            ("share", column(&|one| one.share().share)),
            ("low", column(&|one| one.share().low)),
            ("high", column(&|one| one.share().high)),
            ("runs", column(&|one| one.answers.len() as f64)),
        ])
    }

    /// What was found; null until everything has been tried.
    ///
    /// # Errors
    ///
    /// Never: it is plain data.
    #[wasm_bindgen(unchecked_return_type = "EdgeFound | null")]
    pub fn found(&self) -> Result<JsValue, JsValue> {
        let edge = self.search.borrow().edge();
        edge.map_or(Ok(JsValue::NULL), |edge| objects(&edge.node()))
    }
}
