//! How fast the simulation is: the yardstick and the work that is timed.

pub mod bare;
pub mod workloads;
