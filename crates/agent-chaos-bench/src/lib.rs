//! How fast the simulation is: the yardstick, the work that is timed, and the command that times it.
//!
//! ```text
//!                       ┌─► native:  this program as a child, runs in its own process
//!  cargo xtask bench ─► rounds ─► process: the command line, from start to end
//!                       └─► browser: a page in headless Chromium, through browser/driver.mjs
//! ```
//!
//! Every measurement of a round stands between two runs of the bare loop ([`bare`]) and is divided
//! by their mean, so that a machine that is slower for a while slows both.

pub mod bare;
pub mod browser;
pub mod child;
pub mod machine;
pub mod native;
mod parts;
pub mod peers;
pub mod plot;
pub mod process;
pub mod report;
pub mod rounds;
pub mod scaling;
pub mod stats;
mod tasks;
pub mod workloads;
