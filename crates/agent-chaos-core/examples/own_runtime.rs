//! A run on other executors: as an ordinary future, and on another clock.
//!
//! A [`Run`] is a future that any executor can poll; its time is virtual, and the digest is the same
//! under all of them. [`drive`] runs the same stages on a clock and timers of one's own, here tokio's;
//! with tokio's time paused, that too takes no longer than it has to.
//!
//! ```text
//! cargo run --release -p agent-chaos-core --example own_runtime
//! ```

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use agent_chaos_core::runtime::Runtime;
use agent_chaos_core::units::Instant;
use agent_chaos_core::{Run, drive, wire};

/// The clock and the timers of tokio.
#[derive(Clone)]
struct Tokio {
    start: tokio::time::Instant,
}

impl Runtime for Tokio {
    type Sleep<'a> = Pin<Box<dyn Future<Output = ()>>>;
    type Parked = Waker;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.start.elapsed().as_nanos() as u64)
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep<'_> {
        let at = self.start + Duration::from_nanos(at.nanos());
        Box::pin(tokio::time::sleep_until(at))
    }

    fn park(&self, context: &mut Context<'_>) -> Waker {
        context.waker().clone()
    }

    fn unpark(&self, parked: Waker) {
        parked.wake();
    }
}

/// Runs it.
pub fn main() -> Result<(), wire::ProfileError> {
    let profile = wire::parse(
        r#"{"run": {"duration_seconds": 30, "warmup_seconds": 10},
            "agents": {"count": 60, "think_seconds": 0.8},
            "workers": {"count": 4, "service": {"base_seconds": 0.03, "per_weight_seconds": 0.01}}}"#,
    )?;
    let own = Run::new(&profile).finish();
    let pool = futures::executor::block_on(Run::new(&profile));
    assert_eq!(pool.digest, own.digest);

    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime of one thread");
    let on_tokio = tokio.block_on(async {
        let start = tokio::time::Instant::now();
        drive(&profile, Tokio { start }).await
    });
    let [one, other] = [&own, &on_tokio].map(|report| report.throughput_per_second);
    println!("{one:.1} requests a second in virtual time, {other:.1} on tokio's clock");
    // Its timers are coarser, by up to a millisecond, so that the digest is another one.
    assert!((one / other - 1.0).abs() < 0.03);
    Ok(())
}
