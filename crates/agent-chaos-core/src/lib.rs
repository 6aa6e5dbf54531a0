//! Congestion and collapse in an asynchronous, queue-based, single-host system: a seeded, exactly
//! reproducible simulation.
//!
//! ```text
//!  agents ──► bounded async queue ──► worker pool ──► fault injector ──► event stream ──► telemetry
//!    ▲              ▲                                                                         │
//!    └──── throttle ┴──────────────────── collapse detector ◄─────────────────────────────────┘
//!                                               └──► report
//! ```
//!
//! An experiment is a [`Profile`], read from JSON by [`wire`]; a [`Run`] of it is an ordinary
//! future that can also be driven in slices. Equal profiles give equal results, bit for bit, on
//! every machine and in every browser. The modules stand in the order of a request's path.

pub mod agenda;
pub mod arrival;
pub mod client;
pub mod detector;
pub mod downstream;
pub mod edge;
pub mod event;
pub mod executor;
pub mod fault;
pub mod network;
pub mod policy;
pub mod presets;
pub mod profile;
pub mod queue;
pub mod random;
pub mod records;
pub mod replication;
pub mod reply;
pub mod report;
pub mod request;
mod run;
pub mod runtime;
pub mod shape;
pub mod statistics;
pub mod supervisor;
pub mod sweep;
pub mod telemetry;
pub mod theory;
pub mod throttle;
pub mod timeline;
pub mod units;
pub mod wire;
pub mod worker;

pub use profile::Profile;
pub use report::Report;
pub use run::{
    Builder, Held, Limit, Mechanisms, Observer, Picture, Run, Unobserved, drive, run_unobserved,
};

/// Version of this crate.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Goes up whenever digests change on purpose.
pub const ENGINE_REVISION: u32 = 1;
