//! What single parts of the engine cost, and short runs of it all.

use std::hint::black_box;
use std::time::Duration;

use agent_chaos_bench::workloads;
use agent_chaos_core::event::{Digest, Event, Fact};
use agent_chaos_core::executor::Executor;
use agent_chaos_core::random::{Purpose, Randomness, SourceKind};
use agent_chaos_core::runtime::Runtime;
use agent_chaos_core::telemetry::RollingLatency;
use agent_chaos_core::units::{Instant, Span};
use agent_chaos_core::{Profile, Run};
use criterion::{BenchmarkId, Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(30)
        .configure_from_args();
    whole_runs(&mut criterion);
    one_event_of_the_executor(&mut criterion);
    one_exponential_draw(&mut criterion);
    the_rolling_window(&mut criterion);
    the_digest_of_a_record(&mut criterion);
    criterion.final_summary();
}

/// Some 50,000 requests each; the time is that of one request.
fn whole_runs(criterion: &mut Criterion) {
    const REQUESTS: u32 = 50_000;
    let mut group = criterion.benchmark_group("run");
    let mut run = |name: &str, profile: &Profile, requests| {
        group.throughput(Throughput::Elements(requests));
        group.bench_function(name, |bencher| bencher.iter(|| Run::new(profile).finish()));
    };
    let requests = u64::from(REQUESTS);
    run("open loop", &workloads::open_loop(REQUESTS), requests);
    run(
        "1,000 agents",
        &workloads::agents(1_000, REQUESTS),
        requests,
    );
    let congestion = workloads::congestion();
    let created = Run::new(&congestion).finish().requests.created;
    run("exp-002", &congestion, created);
}

/// The next timer fires, its task is polled, and sets another timer.
fn one_event_of_the_executor(criterion: &mut Criterion) {
    const EVENTS: u64 = 1_000;
    let mut group = criterion.benchmark_group("event of the executor");
    group.throughput(Throughput::Elements(EVENTS));
    for sleepers in [5_u32, 64, 1_000, 100_000] {
        let mut executor = Executor::new();
        let time = executor.virtual_time();
        executor.spawn_crew(sleepers, |index| {
            let time = time.clone();
            let mut random = u64::from(index) + 1;
            async move {
                loop {
                    // Marsaglia's xorshift (2003): cheap and even, up to a second.
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let gap = Span::from_nanos(random % 1_000_000_000);
                    time.sleep_until(time.now() + gap).await;
                }
            }
        });
        // Every task has been polled often enough to be anywhere in its sleep.
        executor.advance(Instant::NEVER, 5 * u64::from(sleepers));
        let name = BenchmarkId::new("sleeping tasks", sleepers);
        group.bench_function(name, |bencher| {
            bencher.iter(|| executor.advance(Instant::NEVER, black_box(EVENTS)));
        });
    }
}

fn one_exponential_draw(criterion: &mut Criterion) {
    let randomness = Randomness::new(1);
    let source = randomness.source(SourceKind::Generator, 0);
    let mut ordinal = 0;
    criterion.bench_function("exponential draw", |bencher| {
        bencher.iter(|| {
            ordinal += 1;
            randomness.exponential(source.request(ordinal), Purpose::Service)
        });
    });
}

/// One tick and the latencies since the last one; the time is that of one latency.
fn the_rolling_window(criterion: &mut Criterion) {
    const PER_TICK: u64 = 466;
    const GAP_NANOS: u64 = 214_592;
    let mut group = criterion.benchmark_group("rolling window");
    group.throughput(Throughput::Elements(PER_TICK));
    let randomness = Randomness::new(1);
    let source = randomness.source(SourceKind::Generator, 0);
    let latencies: Vec<Span> = (0..65_536)
        .map(|ordinal| randomness.exponential(source.request(ordinal), Purpose::Service))
        .map(|factor| Span::from_seconds(0.02 * factor))
        .collect();
    for seconds in [1_u32, 100] {
        let mut window = RollingLatency::new(Span::from_seconds(f64::from(seconds)));
        let mut now = 0;
        let mut next = latencies.iter().cycle();
        let mut tick = || {
            for &latency in next.by_ref().take(PER_TICK as usize) {
                now += GAP_NANOS;
                window.add(Instant::from_nanos(now), latency);
            }
            window.settle(Instant::from_nanos(now));
            window.quantiles([0.5, 0.95, 0.99])
        };
        // Until the window is full: from then on as much is forgotten as is added.
        for _ in 0..=u64::from(seconds) * 1_000_000_000 / (GAP_NANOS * PER_TICK) {
            tick();
        }
        group.bench_function(BenchmarkId::new("seconds", seconds), |bencher| {
            bencher.iter(&mut tick);
        });
    }
}

/// One of the longest records, 24 bytes.
fn the_digest_of_a_record(criterion: &mut Criterion) {
    let mut digest = Digest::default();
    let mut nanos = 0;
    criterion.bench_function("digest of a record", |bencher| {
        bencher.iter(|| {
            nanos += 1;
            digest.fold(&Event {
                at: Instant::from_nanos(nanos),
                fact: Fact::Adapted {
                    delay: black_box(Span::ZERO),
                },
            });
        });
    });
    black_box(digest.value());
}
