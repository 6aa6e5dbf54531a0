//! Runs the yardstick once, for whoever times something in turn with it.

use std::hint::black_box;
use std::time::Instant;

use agent_chaos_bench::bare;

fn main() {
    const REQUESTS: u64 = 1_000_000;
    let started = Instant::now();
    black_box(bare::run(1, black_box(REQUESTS), 4660.0, 1000.0, 80));
    let nanos = started.elapsed().as_secs_f64() * 1e9 / REQUESTS as f64;
    println!("{}", serde_json::json!({ "nanos_per_request": nanos }));
}
