//! The seam between the pipeline and whoever polls it.
//!
//! A stage asks its runtime for three things: what time it is, to sleep until a moment, and to be
//! put aside until another stage has something for it. The default runtime is the core's own
//! virtual time ([`crate::executor`]); any other clock and timer can stand behind the same trait.

use std::future::Future;
use std::task::Context;

use crate::units::Instant;

/// What a stage needs from whoever polls it.
pub trait Runtime: Clone + 'static {
    /// Resolves at or after the moment asked for.
    type Sleep<'a>: Future<Output = ()>
    where
        Self: 'a;

    /// Stands for a task that has been put aside.
    type Parked: 'static;

    /// The present moment.
    fn now(&self) -> Instant;

    /// Sleeps until `at`; a moment that has passed does not sleep at all.
    fn sleep_until(&self, at: Instant) -> Self::Sleep<'_>;

    /// As [`sleep_until`](Self::sleep_until), for a future that is awaited at once, in straight-line
    /// code: its task does nothing else meanwhile. A runtime in virtual time may then move its
    /// clock in place when nothing else is due before. Not for `select!` and `join!`.
    fn rest_until(&self, at: Instant) -> Self::Sleep<'_> {
        self.sleep_until(at)
    }

    /// Notes the task that is being polled, so that [`unpark`](Self::unpark) can wake it.
    ///
    /// A runtime without a cheaper way keeps a clone of the waker.
    fn park(&self, context: &mut Context<'_>) -> Self::Parked;

    /// Wakes a task noted by [`park`](Self::park). Tasks run in the order they were woken.
    fn unpark(&self, parked: Self::Parked);
}
