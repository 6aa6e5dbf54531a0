//! One kind of run, some times over: for a profiler.

use std::hint::black_box;

use agent_chaos_bench::workloads;
use agent_chaos_core::{Run, run_unobserved};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let profile = match arguments[1].as_str() {
        "open" => workloads::open_loop(1_000_000),
        "exp-002" => workloads::congestion(),
        agents => workloads::agents(agents.parse().expect("a number of agents"), 1_000_000),
    };
    let times = arguments.get(3).map_or(1, |n| n.parse().expect("a number"));
    for _ in 0..times {
        if arguments.get(2).is_some_and(|mode| mode == "alone") {
            black_box(run_unobserved(&profile));
        } else {
            black_box(Run::new(&profile).finish());
        }
    }
}
