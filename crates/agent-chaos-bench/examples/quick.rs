//! Times everything in turn with the yardstick: medians and ratios of pairs.

use std::hint::black_box;
use std::time::Instant;

use agent_chaos_bench::{bare, workloads};
use agent_chaos_core::{Run, run_unobserved};

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(7, |n| n.parse().unwrap());
    let only = std::env::args().nth(2);
    let n = 1_000_000;
    let all = [
        ("mm4-80", workloads::open_loop(n), f64::from(n)),
        ("1,000 agents", workloads::agents(1000, n), f64::from(n)),
        (
            "100,000 agents",
            workloads::agents(100_000, n),
            f64::from(n),
        ),
        ("exp-002 (ms)", workloads::congestion(), 1e6),
    ];
    for (name, profile, per) in all {
        if only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        let mut pairs = Vec::new();
        for _ in 0..rounds {
            let t = Instant::now();
            black_box(bare::run(1, 1_000_000, 4660.0, 1000.0, 80));
            let bare = t.elapsed().as_secs_f64();
            let t = Instant::now();
            black_box(Run::new(&profile).finish());
            let full = t.elapsed().as_secs_f64();
            let t = Instant::now();
            black_box(run_unobserved(&profile));
            let alone = t.elapsed().as_secs_f64();
            pairs.push((
                full / bare,
                bare * 1e3,
                full * 1e9 / per,
                alone * 1e9 / per,
                alone / bare,
            ));
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, bare, full, alone, alone_ratio) = pairs[rounds / 2];
        let least = |of: fn(&(f64, f64, f64, f64, f64)) -> f64| {
            pairs.iter().map(of).fold(f64::MAX, f64::min)
        };
        let (b, f, a) = (least(|p| p.1), least(|p| p.2), least(|p| p.3));
        let per_bare = if per == 1e6 && name.contains("exp") {
            1.0
        } else {
            b
        };
        println!(
            "  least: bare {b:6.1}  full {f:8.1} {:6.2}  alone {a:8.1} {:6.2}",
            f / per_bare,
            a / per_bare
        );
        println!(
            "{name:16} bare {bare:6.1} ns  full {full:8.1}  ratio {ratio:6.2}   alone {alone:8.1} ratio {alone_ratio:6.2}"
        );
    }
}
