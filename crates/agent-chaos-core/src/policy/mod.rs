//! Policies: what clients do about failures, whom a server lets in, and what it drops while it waits.
//!
//! ```text
//! client                                           server
//! ──────                                           ──────
//! sends ──► breaker, rejection (worth asking?)     arrives ──► bucket, limit (may it come in?)
//! failed ─► budget (may it try again?)                           └─► queue_timeout (for how long?)
//!             └─► backoff (after how long?)        is taken ─► codel (still worth serving?)
//!                                                  every 15 s ─► autoscaler (how many workers?)
//! ```
//!
//! A file belongs here if it decides something from what it is told and from the time alone. Each
//! is a plain state machine, driven by calls that carry `now`: no task, no shared cell, no event,
//! no clock of its own. It can be tested without a simulation and costs nothing where it is
//! absent. Somebody else asks it at the right moments and says what came of it; each file says
//! which moments those are.
//!
//! A policy never draws on its own either: one that is left to chance is given the draws of the
//! attempt it decides about, or gives back a probability. `now` must not go backwards; nothing panics
//! where it does, nor on any number within the ranges of the profile. What a policy keeps is bounded
//! by its parameters, not by the length of the run.
//!
//! The parameters are sections of the profile (`profile/policies.rs`), with the defaults of the
//! sources they are from.

pub mod autoscaler;
pub mod backoff;
pub mod breaker;
pub mod bucket;
pub mod budget;
pub mod codel;
pub mod limit;
pub mod queue_timeout;
pub mod rejection;
mod window;
