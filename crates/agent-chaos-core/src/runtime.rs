//! The seam between the pipeline and whoever polls it.
//!
//! A stage asks its runtime for three things: what time it is, to sleep until a moment, and to be
//! put aside until another stage has something for it. The default runtime is the core's own
//! virtual time ([`crate::executor`]); any other clock and timer can stand behind the same trait.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

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

/// Wakes the one stage that waits beside it.
///
/// A ring that nobody waits for is kept: the next wait ends at once.
pub struct Bell<R: Runtime> {
    rung: Cell<bool>,
    waits_until: Cell<Instant>,
    parked: RefCell<Option<R::Parked>>,
}

impl<R: Runtime> Default for Bell<R> {
    fn default() -> Self {
        Self {
            rung: Cell::new(false),
            waits_until: Cell::new(Instant::ZERO),
            parked: RefCell::new(None),
        }
    }
}

impl<R: Runtime> Bell<R> {
    /// Ends the wait.
    pub fn ring(&self, runtime: &R) {
        self.rung.set(true);
        if let Some(parked) = self.parked.borrow_mut().take() {
            runtime.unpark(parked);
        }
    }

    /// Ends the wait if it would last beyond `at`.
    pub fn ring_for(&self, runtime: &R, at: Instant) {
        if at < self.waits_until.get() {
            self.ring(runtime);
        }
    }
}

/// A timer that outlives the waits it ends, so that a wait cut short sets no further timer.
pub struct Alarm<'a, R: Runtime> {
    runtime: &'a R,
    set: Option<(Instant, Pin<Box<R::Sleep<'a>>>)>,
}

impl<'a, R: Runtime> Alarm<'a, R> {
    /// An alarm that is not set.
    #[must_use]
    pub fn new(runtime: &'a R) -> Self {
        Self { runtime, set: None }
    }

    /// Waits until the bell rings, or until a moment: whichever comes first.
    pub async fn wait(&mut self, bell: &Bell<R>, until: Option<Instant>) {
        bell.waits_until.set(until.unwrap_or(Instant::NEVER));
        poll_fn(|context| {
            let now = self.runtime.now();
            if bell.rung.replace(false) || until.is_some_and(|until| now >= until) {
                bell.parked.replace(None);
                return Poll::Ready(());
            }
            if let Some(until) = until {
                self.poll(until, now, context);
            }
            bell.parked.replace(Some(self.runtime.park(context)));
            Poll::Pending
        })
        .await;
    }

    /// Sees to it that this task is polled at `until`, or before.
    fn poll(&mut self, until: Instant, now: Instant, context: &mut Context<'_>) {
        if self
            .set
            .as_ref()
            .is_none_or(|&(at, _)| at <= now || at > until)
        {
            self.set = Some((until, Box::pin(self.runtime.sleep_until(until))));
        }
        if let Some((_, sleep)) = &mut self.set
            && sleep.as_mut().poll(context).is_ready()
        {
            self.set = None;
        }
    }
}
