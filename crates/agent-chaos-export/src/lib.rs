//! What a run came to, in the forms of other tools.
//!
//! ```text
//!            ┌─► otlp        traces, metrics, logs ─► JSON lines, or protobuf for a collector
//! records ───┤
//! series  ───┼─► perfetto    a track for each worker, counters ─► trace event JSON
//! report  ───┤
//!            └─► prometheus  the report ─► text
//! ```
//!
//! Nothing is simulated here, and nothing is opened, sent or read from a clock: records, series and
//! the report go in as data, messages and text come out. Equal runs give equal bytes.
//!
//! ```
//! use std::cell::RefCell;
//! use std::rc::Rc;
//!
//! use agent_chaos_core::event::Event;
//! use agent_chaos_core::records::Record;
//! use agent_chaos_core::{Limit, Run, presets};
//! use agent_chaos_export::Otlp;
//!
//! let mut profile = presets::find("exp-001").expect("it is a preset").profile();
//! profile.run.duration_seconds = 3.0;
//! profile.run.warmup_seconds = 1.0;
//! let otlp = Rc::new(RefCell::new(Otlp::new(&profile, 0)));
//! let sees = Rc::clone(&otlp);
//! let observer = Box::new(move |event: &Event<'_>| sees.borrow_mut().see(&Record::of(event)));
//! let mut run = Run::observed(&profile, Some(observer));
//! while !run.advance(Limit::NONE) {}
//! let report = run.report();
//! run.with_series(|series| otlp.borrow_mut().finish(&report, series, run.now()));
//! let messages = otlp.borrow_mut().take();
//! assert!(messages.iter().any(|message| message.path() == "/v1/metrics"));
//! ```

mod lives;
mod otlp;
mod perfetto;
mod prometheus;

pub use otlp::{Message, Otlp};
pub use perfetto::Perfetto;
pub use prometheus::prometheus;
