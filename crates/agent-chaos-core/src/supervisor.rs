//! The supervisor: pauses workers, stops them in the middle, restarts them, and has more or fewer of
//! them on duty.
//!
//! ```text
//!            ┌─ stall ──► every worker pauses; work goes on where it was at the end
//! worker ────┼─ crash ──► what it serves is lost; it is down until its restart
//!            └─ scale ──► on duty or not; what it serves is finished first
//! ```

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::event::{Emit, Event, Fact};
use crate::queue::Queue;
use crate::reply::Replies;
use crate::request::{FailureMode, Register, Ticket};
use crate::runtime::{Alarm, Bell, Runtime};
use crate::units::{Instant, Span};

/// Looks after the workers of a run.
pub struct Supervisor<R: Runtime, E: Emit> {
    runtime: R,
    events: Rc<E>,
    register: Rc<Register>,
    replies: Rc<Replies<R>>,
    queue: Rc<Queue<R, E>>,
    /// What each worker is at; nothing if it is idle, or was stopped.
    desks: RefCell<Vec<Option<Serving>>>,
    bells: Vec<Bell<R>>,
    /// How many stalls there are at present; workers go on when all have ended.
    stalls: Cell<u32>,
    stalled_since: Cell<Instant>,
    /// Time that ended stalls took.
    paused: Cell<Span>,
}

/// What a worker is at.
#[derive(Clone, Copy)]
struct Serving {
    ticket: Ticket,
    started: Instant,
    /// Time that stalls had taken by then.
    paused: Span,
}

impl<R: Runtime, E: Emit> Supervisor<R, E> {
    /// Looks after `workers` workers; with 0, after none.
    #[must_use]
    pub fn new(
        runtime: R,
        events: Rc<E>,
        register: Rc<Register>,
        replies: Rc<Replies<R>>,
        queue: Rc<Queue<R, E>>,
        workers: u32,
    ) -> Self {
        Self {
            runtime,
            events,
            register,
            replies,
            queue,
            desks: RefCell::new(vec![None; workers as usize]),
            bells: (0..workers).map(|_| Bell::default()).collect(),
            stalls: Cell::new(0),
            stalled_since: Cell::new(Instant::ZERO),
            paused: Cell::new(Span::ZERO),
        }
    }

    /// A worker begins to serve.
    pub fn begin(&self, worker: u32, ticket: Ticket) {
        self.desks.borrow_mut()[worker as usize] = Some(Serving {
            ticket,
            started: self.runtime.now(),
            paused: self.paused(),
        });
    }

    /// A worker has served: how long it paused meanwhile.
    pub fn finish(&self, worker: u32) -> Span {
        let serving = self.desks.borrow_mut()[worker as usize].take();
        serving.map_or(Span::ZERO, |serving| self.paused_since(serving.paused))
    }

    /// Whether a worker still serves what it began.
    fn serves(&self, worker: u32) -> bool {
        self.desks.borrow()[worker as usize].is_some()
    }

    fn paused_since(&self, before: Span) -> Span {
        Span::from_nanos(self.paused().nanos() - before.nanos())
    }

    /// Time during which all workers paused, so far.
    fn paused(&self) -> Span {
        let current = if self.stalls.get() > 0 {
            self.runtime.now() - self.stalled_since.get()
        } else {
            Span::ZERO
        };
        Span::from_nanos(self.paused.get().nanos() + current.nanos())
    }

    /// Works for so long, pauses aside. Whether the worker got to the end.
    pub async fn work(&self, worker: u32, span: Span, alarm: &mut Alarm<'_, R>) -> bool {
        let (from, paused) = (self.runtime.now(), self.paused());
        loop {
            if !self.serves(worker) {
                return false;
            }
            let now = self.runtime.now();
            let pauses = self.paused_since(paused).nanos();
            let left = (span.nanos().saturating_add(pauses)).saturating_sub((now - from).nanos());
            let is_stalled = self.stalls.get() > 0;
            if left == 0 && !is_stalled {
                return true;
            }
            let until = (!is_stalled).then(|| now + Span::from_nanos(left));
            alarm.wait(&self.bells[worker as usize], until).await;
        }
    }

    /// Waits for the end of a pause, if there is one. Whether the worker still serves.
    pub async fn resume(&self, worker: u32, alarm: &mut Alarm<'_, R>) -> bool {
        self.work(worker, Span::ZERO, alarm).await
    }

    /// Waits until a moment, or until something else has rung, pauses or not. Whether the worker
    /// still serves.
    pub async fn wait(
        &self,
        worker: u32,
        until: Option<Instant>,
        alarm: &mut Alarm<'_, R>,
    ) -> bool {
        if self.serves(worker) {
            alarm.wait(&self.bells[worker as usize], until).await;
        }
        self.serves(worker)
    }

    /// Has a worker look up from its wait.
    pub fn ring(&self, worker: u32) {
        self.bells[worker as usize].ring(&self.runtime);
    }

    /// All workers pause, until as many stalls have ended as began.
    pub fn stall(&self) {
        self.stalls.set(self.stalls.get() + 1);
        if self.stalls.get() == 1 {
            self.stalled_since.set(self.runtime.now());
            self.queue.change_crew(&mut |posts| *posts.stalled = true);
        }
    }

    /// A stall has ended.
    pub fn unstall(&self) {
        self.stalls.set(self.stalls.get() - 1);
        if self.stalls.get() > 0 {
            return;
        }
        let pause = self.runtime.now() - self.stalled_since.get();
        let before = self.paused.get().nanos();
        self.paused.set(Span::from_nanos(before + pause.nanos()));
        self.queue.change_crew(&mut |posts| *posts.stalled = false);
        for (worker, desk) in self.desks.borrow().iter().enumerate() {
            if desk.is_some() {
                self.bells[worker].ring(&self.runtime);
            }
        }
    }

    /// So many workers on duty crash, those of the lowest numbers that are up. Which.
    pub fn crash(&self, count: u32) -> Vec<u32> {
        let mut crashed = Vec::new();
        let handed = self.queue.change_crew(&mut |posts| {
            let up = posts.duty.iter_mut().enumerate();
            for (worker, duty) in up
                .filter(|(_, duty)| duty.on && !duty.down)
                .take(count as usize)
            {
                duty.down = true;
                crashed.push(worker as u32);
            }
        });
        let now = self.runtime.now();
        for (worker, ticket) in handed {
            self.lose(worker, ticket, now, Span::ZERO);
        }
        for &worker in &crashed {
            let serving = self.desks.borrow_mut()[worker as usize].take();
            if let Some(serving) = serving {
                let paused = self.paused_since(serving.paused);
                self.lose(worker, serving.ticket, serving.started, paused);
                self.ring(worker);
            }
        }
        crashed
    }

    /// What a worker served is lost.
    fn lose(&self, worker: u32, ticket: Ticket, started: Instant, paused: Span) {
        let at = self.runtime.now();
        let outcome = if self.queue.crew().is_starved() {
            FailureMode::WorkerStarvation
        } else {
            FailureMode::FaultPropagationSpike
        };
        let awaited = self.register.with(ticket, |request| {
            self.events.emit_rarely(Event {
                at,
                fact: Fact::Lost {
                    request,
                    worker,
                    started,
                    outcome,
                },
            });
            request.sender.waiting_agent().is_some()
        });
        self.queue.ended(ticket);
        let served = Span::from_nanos((at - started).nanos() - paused.nanos());
        self.replies
            .reply(&self.runtime, ticket, awaited, outcome, served);
    }

    /// These workers are up again.
    pub fn restart(&self, workers: &[u32]) {
        self.queue.change_crew(&mut |posts| {
            for &worker in workers {
                posts.duty[worker as usize].down = false;
            }
        });
    }

    /// Has so many workers on duty, those of the lowest numbers.
    pub fn scale(&self, to: u32) {
        self.queue.change_crew(&mut |posts| {
            for (worker, duty) in posts.duty.iter_mut().enumerate() {
                duty.on = (worker as u32) < to;
            }
        });
    }
}
