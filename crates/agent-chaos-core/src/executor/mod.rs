//! Virtual time: a deterministic, single-threaded executor for the stages of a run.
//!
//! ```text
//!            ┌───────────── wake ─────────────┐
//!            ▼                                │
//!  ready (first woken, first polled) ──► task ┤
//!            ▲                                │
//!            └── timers (time, order set) ◄── sleep
//! ```
//!
//! The order in which things happen is a contract; `crates/ARCHITECTURE.md` numbers its clauses:
//! ready tasks are polled in the order they were woken; when none is ready, the clock jumps to the
//! next timer; timers due at one instant fire in the order they were set.
//!
//! Tasks of one kind lie side by side ([`Crowd`]); the stages' own futures find their task through
//! the executor, not through the waker, so that nothing is cloned or counted on the way. A real
//! waker is passed all the same: any foreign future or combinator works inside a task.
//!
//! All `unsafe` code of the project is in this folder: pinning tasks where they lie and reading
//! ahead (`crew.rs`), the lent waker (`waker.rs`), and the cell around ready tasks and timers (here).

mod crew;
mod timers;
mod waker;

use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures::task::AtomicWaker;

use crate::runtime::Runtime;
use crate::units::Instant;
pub use crew::{Crews, Crowd, Four, Spawned};
use timers::{Due, Timers};
use waker::Lent;

/// Names a task: its crew in the upper bits, its place there in the others.
type TaskId = u32;

const PLACE_BITS: u32 = 28;
const PLACE_MASK: TaskId = (1 << PLACE_BITS) - 1;

/// The number of the crew of tasks that were spawned one by one.
const MIXED: usize = 0xe;

/// The crew that stands for "not a task: a waker kept aside".
const FOREIGN: TaskId = 0xf << PLACE_BITS;

/// Why [`Executor::advance`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// Every task has finished.
    Finished,
    /// Nothing is due before the moment given, which the clock now shows.
    Until,
    /// The budget of polls is used up.
    Budget,
    /// Every task waits for something outside this executor.
    Waiting,
}

/// Runs tasks in virtual time: those spawned one by one or in crews, or the crews that it is made
/// with.
pub struct Executor<C = Spawned> {
    core: Rc<Core>,
    crews: C,
    live: usize,
}

/// What the executor and the futures it polls share.
struct Core {
    now: Cell<Instant>,
    /// The clock may be moved in place to any moment before this one: no task is ready, no timer is
    /// due before, and the present call may go so far.
    quiet: Cell<u64>,
    /// Polls left to the present call; moving the clock in place counts as one.
    budget: Cell<u64>,
    current: Cell<TaskId>,
    waker: Lent,
    ready: Inner<VecDeque<TaskId>>,
    timers: Inner<Timers>,
    foreign: RefCell<Foreign>,
    inbox: Arc<Inbox>,
}

/// A value that only short pieces of code in this file reach, one at a time.
#[derive(Default)]
struct Inner<T>(UnsafeCell<T>);

impl<T> Inner<T> {
    /// Uses the value. `with` may not call anything that could come back here: every use is a
    /// single operation on plain data, written out in this file; the one call out, to
    /// [`Crews::fetch`], only reads memory, which the trait being sealed makes sure of.
    #[inline]
    #[allow(unsafe_code)]
    fn with<R>(&self, with: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: an `UnsafeCell` is not `Sync`, so that only this thread is here; and no `with` in
        // this file polls a task, wakes a waker or uses an `Inner` again, so that this reference is
        // the only one while it lives.
        with(unsafe { &mut *self.0.get() })
    }
}

/// Wakes that came through a `Waker`, from wherever.
#[derive(Default)]
struct Inbox {
    filled: AtomicBool,
    woken: Mutex<Vec<TaskId>>,
    outer: AtomicWaker,
}

impl Inbox {
    fn wake(&self, task: TaskId) {
        let mut woken = self
            .woken
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        woken.push(task);
        self.filled.store(true, Ordering::Release);
        drop(woken);
        self.outer.wake();
    }
}

/// Wakers of combinators inside tasks, kept while they sleep or are parked.
#[derive(Default)]
struct Foreign {
    wakers: Vec<Option<Waker>>,
    free: Vec<u32>,
}

impl Foreign {
    fn keep(&mut self, waker: Waker) -> TaskId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.wakers.push(None);
            self.wakers.len() as u32 - 1
        });
        self.wakers[place as usize] = Some(waker);
        FOREIGN | place
    }

    fn take(&mut self, id: TaskId) -> Option<Waker> {
        let place = id & PLACE_MASK;
        let waker = self.wakers[place as usize].take();
        if waker.is_some() {
            self.free.push(place);
        }
        waker
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor {
    /// An executor whose clock shows zero, without tasks.
    #[must_use]
    pub fn new() -> Self {
        Self::with_crews(VirtualTime::new(), Spawned::default())
    }

    /// Adds a task; it is polled for the first time after those that are ready already.
    ///
    /// # Panics
    ///
    /// With more than 2²⁸ tasks.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        let place = self.crews.mixed.add(Box::pin(future));
        self.start(MIXED, place..place + 1);
    }

    /// Adds `count` tasks of one kind, as [`spawn`](Self::spawn) would one after the other; they
    /// lie side by side in memory.
    ///
    /// # Panics
    ///
    /// With more than 2²⁸ tasks, or more than 14 calls.
    pub fn spawn_crew<F>(&mut self, count: u32, future: impl FnMut(u32) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let crew = self.crews.crews.len();
        self.crews.crews.push(Box::new(Crowd::new(count, future)));
        self.start(crew, 0..count as usize);
    }
}

impl<C: Crews> Executor<C> {
    /// An executor of these crews on this clock, which shows zero and belongs to no other. The crews
    /// start one after the other.
    #[must_use]
    pub fn with_crews(time: VirtualTime, crews: C) -> Self {
        let mut executor = Self {
            core: time.0,
            live: 0,
            crews,
        };
        for (crew, size) in executor.crews.sizes().into_iter().enumerate() {
            executor.start(crew, 0..size);
        }
        executor
    }

    /// The handle that stages use as their [`Runtime`].
    #[must_use]
    pub fn virtual_time(&self) -> VirtualTime {
        VirtualTime(Rc::clone(&self.core))
    }

    fn start(&mut self, crew: usize, places: std::ops::Range<usize>) {
        assert!(crew <= MIXED, "at most 14 crews");
        assert!(places.end <= 1 << PLACE_BITS, "at most 2²⁸ tasks of a crew");
        self.live += places.len();
        let names = places.map(|place| (crew as TaskId) << PLACE_BITS | place as TaskId);
        self.core.ready.with(|ready| ready.extend(names));
    }

    /// The present moment of virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.core.now.get()
    }

    /// Whether every task has finished.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.live == 0
    }

    /// Runs what is due up to and including `until`, with at most `budget` polls.
    ///
    /// When it returns [`Paused::Until`], the clock shows `until`.
    pub fn advance(&mut self, until: Instant, budget: u64) -> Paused {
        let core = &*self.core;
        let crews = &mut self.crews;
        let mut context = Context::from_waker(core.waker.waker());
        core.budget.set(budget);
        if self.live == 0 {
            return Paused::Finished;
        }
        loop {
            let left = core.budget.get();
            if left == 0 {
                return Paused::Budget;
            }
            if core.inbox.filled.load(Ordering::Acquire) {
                core.empty_inbox();
            }
            let task = match core.ready.with(VecDeque::pop_front) {
                Some(task) => {
                    core.quiet.set(0);
                    task
                }
                None => {
                    let soon = |task| {
                        if task < FOREIGN {
                            crews.fetch(crew_of(task), task & PLACE_MASK);
                        }
                    };
                    let (due, none_before) = core.timers.with(|timers| {
                        (timers.pop_until(until.nanos(), soon), timers.none_before())
                    });
                    let Some(Due { at, what }) = due else {
                        if core.timers.with(|timers| timers.is_empty()) {
                            return Paused::Waiting;
                        }
                        core.now.set(until.max(core.now.get()));
                        return Paused::Until;
                    };
                    core.now.set(Instant::from_nanos(at));
                    core.quiet
                        .set(none_before.min(until.nanos().saturating_add(1)));
                    what
                }
            };
            core.budget.set(left - 1);
            if task >= FOREIGN {
                core.wake_foreign(task);
                continue;
            }
            core.current.set(task);
            core.waker.lend_to(task);
            let finished = crews.poll(crew_of(task), task & PLACE_MASK, &mut context);
            if finished {
                self.live -= 1;
                if self.live == 0 {
                    return Paused::Finished;
                }
            }
        }
    }

    /// Has `waker` woken when a wake comes from outside.
    pub fn wake_outer(&self, waker: &Waker) {
        self.core.inbox.outer.register(waker);
    }
}

/// The number of a task's crew.
#[inline(always)]
fn crew_of(task: TaskId) -> usize {
    (task >> PLACE_BITS) as usize
}

impl Core {
    /// Whether the task's own waker is used, or that of a combinator within the task.
    #[inline]
    fn is_own(&self, context: &Context<'_>) -> bool {
        std::ptr::eq(context.waker().data(), self.waker.data())
    }

    /// Moves the clock to `at` if nothing else can happen up to then.
    #[inline(always)]
    fn move_clock(&self, at: Instant) -> bool {
        let budget = self.budget.get();
        let free = at.nanos() < self.quiet.get()
            && budget > 0
            && !self.inbox.filled.load(Ordering::Acquire);
        if free {
            self.budget.set(budget - 1);
            self.now.set(at);
        }
        free
    }

    #[inline]
    fn make_ready(&self, task: TaskId) {
        self.quiet.set(0);
        self.ready.with(|ready| ready.push_back(task));
    }

    /// Has whatever is polled now polled again at `at`.
    #[inline(always)]
    fn set_timer(&self, at: Instant, context: &Context<'_>) {
        let (at, what) = (at.nanos(), self.polled(context));
        self.quiet.set(self.quiet.get().min(at));
        self.timers.with(|timers| timers.set(Due { at, what }));
    }

    #[cold]
    fn empty_inbox(&self) {
        let mut woken = self
            .inbox
            .woken
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        self.inbox.filled.store(false, Ordering::Release);
        self.ready.with(|ready| ready.extend(woken.drain(..)));
    }

    #[cold]
    fn wake_foreign(&self, id: TaskId) {
        let waker = self.foreign.borrow_mut().take(id);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A name for whatever is polled now: the task, or the waker of a combinator within it.
    #[inline(always)]
    fn polled(&self, context: &Context<'_>) -> TaskId {
        if self.is_own(context) {
            self.current.get()
        } else {
            let waker = context.waker().clone();
            self.foreign.borrow_mut().keep(waker)
        }
    }
}

/// The executor's clock and timers, as stages see them.
#[derive(Clone)]
pub struct VirtualTime(Rc<Core>);

impl Default for VirtualTime {
    fn default() -> Self {
        Self::new()
    }
}

impl VirtualTime {
    /// A clock that shows zero, for an executor to be made with.
    #[must_use]
    pub fn new() -> Self {
        let inbox = Arc::<Inbox>::default();
        Self(Rc::new(Core {
            now: Cell::new(Instant::ZERO),
            quiet: Cell::new(0),
            budget: Cell::new(0),
            current: Cell::new(FOREIGN),
            waker: Lent::new(Arc::clone(&inbox)),
            ready: Inner::default(),
            timers: Inner::default(),
            foreign: RefCell::default(),
            inbox,
        }))
    }
}

/// Stands for a task that has been put aside, or for a combinator's waker.
#[derive(Debug)]
pub struct Parked(TaskId);

impl Runtime for VirtualTime {
    type Sleep<'a> = Sleep<'a>;
    type Parked = Parked;

    #[inline]
    fn now(&self) -> Instant {
        self.0.now.get()
    }

    #[inline]
    fn sleep_until(&self, at: Instant) -> Sleep<'_> {
        Sleep {
            core: &self.0,
            at,
            step: Step::Polled,
        }
    }

    #[inline]
    fn rest_until(&self, at: Instant) -> Sleep<'_> {
        Sleep {
            core: &self.0,
            at,
            step: Step::Alone,
        }
    }

    #[inline]
    fn park(&self, context: &mut Context<'_>) -> Parked {
        Parked(self.0.polled(context))
    }

    #[inline]
    fn unpark(&self, Parked(id): Parked) {
        if id >= FOREIGN {
            self.0.wake_foreign(id);
        } else {
            self.0.make_ready(id);
        }
    }
}

/// Sleeps in virtual time.
pub struct Sleep<'a> {
    core: &'a Core,
    at: Instant,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Awaited in straight-line code: nothing else of its task can want to run meanwhile.
    Alone,
    /// Polled by whatever its task makes of it.
    Polled,
    /// Its timer has been set.
    Set,
}

impl Future for Sleep<'_> {
    type Output = ();

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let core = self.core;
        if core.now.get() >= self.at {
            return Poll::Ready(());
        }
        match self.step {
            Step::Alone if core.is_own(context) && core.move_clock(self.at) => {
                return Poll::Ready(());
            }
            Step::Alone | Step::Polled => {
                core.set_timer(self.at, context);
                self.step = Step::Set;
            }
            Step::Set => {}
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use futures::stream::FuturesUnordered;

    type Log = Rc<RefCell<Vec<(u64, &'static str)>>>;

    fn sleeper(
        time: &VirtualTime,
        log: &Log,
        name: &'static str,
        at: &[u64],
    ) -> impl Future<Output = ()> + use<> {
        let (time, log, at) = (time.clone(), Rc::clone(log), at.to_vec());
        async move {
            for moment in at {
                time.sleep_until(Instant::from_nanos(moment)).await;
                log.borrow_mut().push((time.now().nanos(), name));
            }
        }
    }

    #[test]
    fn timers_due_together_fire_in_the_order_they_were_set() {
        let (mut executor, log) = (Executor::new(), Log::default());
        let time = executor.virtual_time();
        executor.spawn(sleeper(&time, &log, "a", &[5, 9]));
        executor.spawn(sleeper(&time, &log, "b", &[5, 9]));
        executor.spawn(sleeper(&time, &log, "c", &[3, 9]));
        assert_eq!(executor.advance(Instant::NEVER, u64::MAX), Paused::Finished);
        let expected = [(3, "c"), (5, "a"), (5, "b"), (9, "c"), (9, "a"), (9, "b")];
        assert_eq!(*log.borrow(), expected);
    }

    #[test]
    fn a_run_in_slices_is_the_run_at_once() {
        let whole = |slice: Option<u64>, budget| {
            let (mut executor, log) = (Executor::new(), Log::default());
            let time = executor.virtual_time();
            executor.spawn(sleeper(&time, &log, "a", &[1, 4, 4, 8]));
            executor.spawn(sleeper(&time, &log, "b", &[2, 4, 7]));
            let mut until = 0;
            loop {
                until += slice.unwrap_or(u64::MAX);
                if executor.advance(Instant::from_nanos(until), budget) == Paused::Finished {
                    return Rc::try_unwrap(log).ok();
                }
            }
        };
        let once = whole(None, u64::MAX);
        assert_eq!(whole(Some(1), u64::MAX), once);
        assert_eq!(whole(Some(3), 1), once);
    }

    #[test]
    fn the_clock_stops_where_it_was_told_to() {
        let (mut executor, log) = (Executor::new(), Log::default());
        let time = executor.virtual_time();
        executor.spawn(sleeper(&time, &log, "a", &[10]));
        assert_eq!(executor.advance(Instant::from_nanos(9), 100), Paused::Until);
        assert_eq!(executor.now().nanos(), 9);
        assert_eq!(
            executor.advance(Instant::from_nanos(10), 100),
            Paused::Finished
        );
    }

    #[test]
    fn combinators_with_wakers_of_their_own_work_inside_a_task() {
        let (mut executor, log) = (Executor::new(), Log::default());
        let time = executor.virtual_time();
        let inside = (
            sleeper(&time, &log, "a", &[2, 6]),
            sleeper(&time, &log, "b", &[4, 5]),
        );
        executor.spawn(async move {
            let mut both: FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>> =
                FuturesUnordered::new();
            both.push(Box::pin(inside.0));
            both.push(Box::pin(inside.1));
            while both.next().await.is_some() {}
        });
        assert_eq!(executor.advance(Instant::NEVER, u64::MAX), Paused::Finished);
        assert_eq!(*log.borrow(), [(2, "a"), (4, "b"), (5, "b"), (6, "a")]);
    }

    #[test]
    fn a_wake_from_outside_reaches_its_task() {
        let (sender, receiver) = futures::channel::oneshot::channel::<u8>();
        let got = Rc::new(Cell::new(0));
        let mut executor = Executor::new();
        let seen = Rc::clone(&got);
        executor.spawn(async move { seen.set(receiver.await.unwrap_or(0)) });
        assert_eq!(executor.advance(Instant::NEVER, 10), Paused::Waiting);
        sender.send(7).unwrap();
        assert_eq!(executor.advance(Instant::NEVER, 10), Paused::Finished);
        assert_eq!(got.get(), 7);
    }

    #[test]
    fn a_budget_of_polls_is_kept() {
        let (mut executor, log) = (Executor::new(), Log::default());
        let time = executor.virtual_time();
        executor.spawn(sleeper(&time, &log, "a", &[1, 2, 3, 4, 5]));
        assert_eq!(executor.advance(Instant::NEVER, 3), Paused::Budget);
        assert_eq!(executor.now().nanos(), 2);
    }

    /// Tasks that sleep for these gaps, one after the other, and log each wake.
    fn log_of(gaps: &[Vec<u64>], alone: bool, slice: u64, budget: u64) -> Vec<(u64, usize)> {
        let mut executor = Executor::new();
        let (time, log) = (executor.virtual_time(), Rc::new(RefCell::new(Vec::new())));
        executor.spawn_crew(gaps.len() as u32, |index| {
            let (time, log) = (time.clone(), Rc::clone(&log));
            let gaps = gaps[index as usize].clone();
            async move {
                for gap in gaps {
                    let at = Instant::from_nanos(time.now().nanos() + gap);
                    if alone {
                        time.rest_until(at).await;
                    } else {
                        time.sleep_until(at).await;
                    }
                    log.borrow_mut().push((time.now().nanos(), index as usize));
                }
            }
        });
        let mut until = 0_u64;
        loop {
            until = until.saturating_add(slice);
            if executor.advance(Instant::from_nanos(until), budget) == Paused::Finished {
                return log.take();
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 256 }))]
        #[test]
        fn moving_the_clock_in_place_keeps_the_order_of_events(
            gaps in proptest::collection::vec(proptest::collection::vec(0_u64..20, 0..12), 0..12),
            slice in 1_u64..40,
            budget in 1_u64..9,
        ) {
            let expected = log_of(&gaps, false, u64::MAX, u64::MAX);
            proptest::prop_assert_eq!(&log_of(&gaps, true, u64::MAX, u64::MAX), &expected);
            proptest::prop_assert_eq!(&log_of(&gaps, true, slice, budget), &expected);
        }
    }

    #[test]
    fn the_clock_is_not_moved_in_place_under_a_combinator() {
        let (mut executor, log) = (Executor::new(), Log::default());
        let time = executor.virtual_time();
        let rester = |name, at| {
            let (time, log) = (time.clone(), Rc::clone(&log));
            async move {
                time.rest_until(Instant::from_nanos(at)).await;
                log.borrow_mut().push((time.now().nanos(), name));
            }
        };
        let inside = [rester("late", 6), rester("early", 2)];
        executor.spawn(async move {
            let mut both: FuturesUnordered<_> = inside.into_iter().collect();
            while both.next().await.is_some() {}
        });
        assert_eq!(executor.advance(Instant::NEVER, u64::MAX), Paused::Finished);
        assert_eq!(*log.borrow(), [(2, "early"), (6, "late")]);
    }

    #[test]
    fn a_kept_waker_wakes_its_own_task_whoever_is_polled_by_then() {
        let (mut executor, log) = (Executor::new(), Rc::new(RefCell::new(Vec::new())));
        let kept = Rc::new(RefCell::new(Vec::new()));
        executor.spawn_crew(3, |index| {
            let (kept, log) = (Rc::clone(&kept), Rc::clone(&log));
            let mut polls = 0;
            std::future::poll_fn(move |context| {
                polls += 1;
                log.borrow_mut().push(index);
                kept.borrow_mut().push(context.waker().clone());
                if polls == 2 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
        });
        assert_eq!(executor.advance(Instant::NEVER, u64::MAX), Paused::Waiting);
        let wakers: Vec<Waker> = kept.take();
        let others: Vec<_> = [&wakers[2], &wakers[0]].into_iter().cloned().collect();
        std::thread::spawn(move || others.iter().for_each(Waker::wake_by_ref))
            .join()
            .unwrap();
        assert_eq!(executor.advance(Instant::NEVER, u64::MAX), Paused::Waiting);
        assert_eq!(*log.borrow(), [0, 1, 2, 2, 0]);
        // Tasks that have finished are passed over, also after the executor has gone on.
        wakers[2].wake_by_ref();
        wakers[1].wake_by_ref();
        assert_eq!(executor.advance(Instant::NEVER, u64::MAX), Paused::Finished);
        assert_eq!(*log.borrow(), [0, 1, 2, 2, 0, 1]);
        drop(executor);
        wakers[1].wake_by_ref();
    }

    #[test]
    fn what_tasks_hold_is_dropped_with_the_executor() {
        let held = Rc::new(());
        let mut executor = Executor::new();
        let time = executor.virtual_time();
        executor.spawn_crew(5, |index| {
            let (held, time) = (Rc::clone(&held), time.clone());
            async move {
                time.rest_until(Instant::from_nanos(u64::from(index))).await;
                drop(held);
            }
        });
        executor.advance(Instant::from_nanos(2), u64::MAX);
        assert_eq!(Rc::strong_count(&held), 3);
        drop(executor);
        assert_eq!(Rc::strong_count(&held), 1);
    }
}
