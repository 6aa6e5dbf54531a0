//! Work on the page's own thread: in slices, between which the event loop has its turn.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::error;
use crate::host::Host;

/// How long a slice may take before the host gets its turn.
pub const SLICE_MS: f64 = 6.0;
/// Polls between two looks at the clock.
pub const POLLS: u64 = 512;
/// How often work says how far it has come.
const PROGRESS_MS: f64 = 100.0;

/// One piece of work at a time, that can be asked to stop. Whoever drops this asks it too.
#[derive(Default)]
pub struct Work(Rc<Flags>);

#[derive(Default)]
struct Flags {
    under_way: Cell<bool>,
    stop: Cell<bool>,
}

impl Work {
    pub fn is_under_way(&self) -> bool {
        self.0.under_way.get()
    }

    /// Has the work stop after the present slice.
    pub fn stop(&self) {
        self.0.stop.set(true);
    }

    /// A promise of what this work comes to; one that is rejected with a `BusyError`, in these words,
    /// if other work is under way.
    pub fn begin<F>(&self, busy: &str, work: impl FnOnce(Turns) -> F + 'static) -> Promise
    where
        F: Future<Output = Result<&'static str, JsValue>> + 'static,
    {
        let flags = Rc::clone(&self.0);
        if flags.under_way.replace(true) {
            return Promise::reject(&error::named("BusyError", busy));
        }
        flags.stop.set(false);
        let turns = Host::new().map(|host| Turns {
            host,
            flags: Rc::clone(&flags),
        });
        match turns {
            Ok(turns) => flags.promise(Box::pin(work(turns))),
            Err(error) => {
                flags.under_way.set(false);
                Promise::reject(&error)
            }
        }
    }
}

impl Flags {
    /// Boxed work, since every kind of future that becomes a promise by itself brings the same 4 kB.
    fn promise(
        self: Rc<Self>,
        work: Pin<Box<dyn Future<Output = Result<&'static str, JsValue>>>>,
    ) -> Promise {
        future_to_promise(async move {
            let ended = work.await;
            self.under_way.set(false);
            ended.map(JsValue::from)
        })
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a piece of work has of its host.
pub struct Turns {
    pub host: Host,
    flags: Rc<Flags>,
}

impl Turns {
    /// Whether the work was asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.flags.stop.get()
    }

    /// Does `little` by little, in slices, until that says what it has come to; None if the work was
    /// stopped before. Tells whoever wants to know some ten times a second how much is done, from 0 to 1.
    pub async fn take(
        &mut self,
        little: &mut dyn FnMut() -> Option<&'static str>,
        progress: &dyn Fn() -> f64,
        on_progress: Option<&Function>,
    ) -> Result<Option<&'static str>, JsValue> {
        let mut told = self.host.now_ms();
        loop {
            let started = self.host.now_ms();
            while self.host.now_ms() - started < SLICE_MS {
                if let Some(ended) = little() {
                    return Ok(Some(ended));
                }
            }
            if let Some(on_progress) = on_progress
                && self.host.now_ms() - told >= PROGRESS_MS
            {
                told = self.host.now_ms();
                on_progress.call1(&JsValue::NULL, &progress().into())?;
            }
            self.host.give_way().await?;
            if self.is_stopped() {
                return Ok(None);
            }
        }
    }
}
