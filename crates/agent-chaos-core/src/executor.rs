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
//! The stages' own futures find their task through the executor, not through the waker, so that
//! nothing is cloned or counted on the way. A real waker is passed all the same: any foreign
//! future or combinator works inside a task.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures::task::AtomicWaker;

use crate::runtime::Runtime;
use crate::units::Instant;

type TaskId = u32;

/// Stands in the timers for "not a task: a waker kept aside".
const FOREIGN: TaskId = TaskId::MAX;

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

/// Runs tasks in virtual time.
pub struct Executor {
    core: Rc<Core>,
    tasks: Vec<Option<Task>>,
    live: usize,
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
}

/// What the executor and the futures it polls share.
struct Core {
    now: Cell<Instant>,
    current: Cell<TaskId>,
    /// The data pointer of the current task's waker, to tell it from a combinator's own.
    current_waker: Cell<*const ()>,
    ready: RefCell<VecDeque<TaskId>>,
    timers: RefCell<Timers>,
    inbox: Arc<Inbox>,
}

/// Wakes that came through a `Waker`, from wherever.
#[derive(Default)]
struct Inbox {
    filled: AtomicBool,
    woken: Mutex<Vec<TaskId>>,
    outer: AtomicWaker,
}

struct TaskWaker {
    task: TaskId,
    inbox: Arc<Inbox>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut woken = self
            .inbox
            .woken
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        woken.push(self.task);
        self.inbox.filled.store(true, Ordering::Release);
        drop(woken);
        self.inbox.outer.wake();
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor {
    /// An executor whose clock shows zero.
    #[must_use]
    pub fn new() -> Self {
        let core = Core {
            now: Cell::new(Instant::ZERO),
            current: Cell::new(FOREIGN),
            current_waker: Cell::new(std::ptr::null()),
            ready: RefCell::default(),
            timers: RefCell::default(),
            inbox: Arc::default(),
        };
        Self {
            core: Rc::new(core),
            tasks: Vec::new(),
            live: 0,
        }
    }

    /// The handle that stages use as their [`Runtime`].
    #[must_use]
    pub fn virtual_time(&self) -> VirtualTime {
        VirtualTime(Rc::clone(&self.core))
    }

    /// Adds a task; it is polled for the first time after those that are ready already.
    ///
    /// # Panics
    ///
    /// With more than 2³² − 1 tasks.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        let id = TaskId::try_from(self.tasks.len())
            .ok()
            .filter(|&id| id != FOREIGN);
        let id = id.expect("fewer tasks than a task number can count");
        let waker = Waker::from(Arc::new(TaskWaker {
            task: id,
            inbox: Arc::clone(&self.core.inbox),
        }));
        self.tasks.push(Some(Task {
            future: Box::pin(future),
            waker,
        }));
        self.live += 1;
        self.core.ready.borrow_mut().push_back(id);
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
    pub fn advance(&mut self, until: Instant, mut budget: u64) -> Paused {
        loop {
            if self.live == 0 {
                return Paused::Finished;
            }
            if budget == 0 {
                return Paused::Budget;
            }
            if self.core.inbox.filled.load(Ordering::Acquire) {
                self.empty_inbox();
            }
            // The guards are dropped before the poll, which borrows the same cells.
            let ready = self.core.ready.borrow_mut().pop_front();
            if let Some(task) = ready {
                budget -= 1;
                self.poll(task);
                continue;
            }
            let due = self.core.timers.borrow_mut().pop_until(until);
            match due {
                Some((at, order, task)) => {
                    self.core.now.set(at);
                    budget -= 1;
                    if task == FOREIGN {
                        self.fire_foreign(order);
                    } else {
                        self.poll(task);
                    }
                }
                None if self.core.timers.borrow().is_empty() => return Paused::Waiting,
                None => {
                    self.core.now.set(until.max(self.core.now.get()));
                    return Paused::Until;
                }
            }
        }
    }

    /// Has `waker` woken when a wake comes from outside.
    pub fn wake_outer(&self, waker: &Waker) {
        self.core.inbox.outer.register(waker);
    }

    fn poll(&mut self, id: TaskId) {
        let slot = &mut self.tasks[id as usize];
        // A task may have been woken twice, or finished since.
        let Some(task) = slot else { return };
        self.core.current.set(id);
        self.core.current_waker.set(task.waker.data());
        let mut context = Context::from_waker(&task.waker);
        if task.future.as_mut().poll(&mut context).is_ready() {
            *slot = None;
            self.live -= 1;
        }
    }

    fn empty_inbox(&self) {
        let inbox = &self.core.inbox;
        let mut woken = inbox
            .woken
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        inbox.filled.store(false, Ordering::Release);
        self.core.ready.borrow_mut().extend(woken.drain(..));
    }

    fn fire_foreign(&self, order: u64) {
        let waker = self.core.timers.borrow_mut().foreign.remove(&order);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Timers by (time, order set).
#[derive(Default)]
struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u64, TaskId)>>,
    set: u64,
    foreign: BTreeMap<u64, Waker>,
}

impl Timers {
    fn set(&mut self, at: Instant, task: TaskId) -> u64 {
        self.set += 1;
        self.heap.push(Reverse((at, self.set, task)));
        self.set
    }

    fn pop_until(&mut self, until: Instant) -> Option<(Instant, u64, TaskId)> {
        let Reverse((at, ..)) = *self.heap.peek()?;
        if at > until {
            return None;
        }
        self.heap.pop().map(|Reverse(due)| due)
    }

    fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

/// The executor's clock and timers, as stages see them.
#[derive(Clone)]
pub struct VirtualTime(Rc<Core>);

impl VirtualTime {
    /// Whether the task's own waker is used, or that of a combinator within the task.
    fn is_own(&self, context: &Context<'_>) -> bool {
        std::ptr::eq(context.waker().data(), self.0.current_waker.get())
    }
}

/// A parked task: by number if its own waker was used, else by that waker.
pub enum Parked {
    /// The task of this number.
    Task(u32),
    /// Whatever this waker wakes.
    Foreign(Waker),
}

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
            time: self,
            at,
            set: false,
        }
    }

    #[inline]
    fn park(&self, context: &mut Context<'_>) -> Parked {
        if self.is_own(context) {
            Parked::Task(self.0.current.get())
        } else {
            Parked::Foreign(context.waker().clone())
        }
    }

    #[inline]
    fn unpark(&self, parked: Parked) {
        match parked {
            Parked::Task(id) => self.0.ready.borrow_mut().push_back(id),
            Parked::Foreign(waker) => waker.wake(),
        }
    }
}

/// Sleeps in virtual time.
pub struct Sleep<'a> {
    time: &'a VirtualTime,
    at: Instant,
    set: bool,
}

impl Future for Sleep<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let core = &self.time.0;
        if core.now.get() >= self.at {
            return Poll::Ready(());
        }
        if !self.set {
            let mut timers = core.timers.borrow_mut();
            if self.time.is_own(context) {
                timers.set(self.at, core.current.get());
            } else {
                let order = timers.set(self.at, FOREIGN);
                timers.foreign.insert(order, context.waker().clone());
            }
            drop(timers);
            self.set = true;
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
}
