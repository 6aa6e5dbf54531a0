//! The bounded queue, and the gate in front of it.
//!
//! ```text
//!                  ┌─ full, `reject` ─► Full(request)
//! offer ──► gate ──┼─ early drop ─────► Throttled(request)
//!                  ├─ full, `wait` ───► entrance ─┐      (backpressure: the sender waits)
//!                  └──────────────────► buffer ◄──┘ ──► take, first in, first out
//! ```
//!
//! An idle worker takes a request at once, without it ever waiting in the buffer. A sender that
//! waited at the entrance is let in as soon as there is a place, without a second early drop: being
//! made to wait takes the place of being shed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use futures::Stream;

use crate::event::{Emit, Event, Fact};
use crate::profile::{QueueSection, WhenFull};
use crate::random::{Chance, Purpose, Randomness};
use crate::request::{FailureMode, Register, Request, Ticket};
use crate::runtime::Runtime;
use crate::units::Ratio;

/// Why a request was not queued; it comes back.
#[derive(Debug)]
pub enum OfferError {
    /// The buffer had no room.
    Full(Ticket),
    /// The gate dropped it early.
    Throttled(Ticket),
}

impl OfferError {
    /// The failure mode that the sender sees.
    #[must_use]
    pub const fn mode(&self) -> FailureMode {
        match self {
            Self::Full(_) => FailureMode::QueueOverflow,
            Self::Throttled(_) => FailureMode::CongestionFailure,
        }
    }

    /// The request that comes back.
    #[must_use]
    pub const fn ticket(&self) -> Ticket {
        match self {
            Self::Full(ticket) | Self::Throttled(ticket) => *ticket,
        }
    }
}

/// A request in the hands of a worker.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// The request.
    pub ticket: Ticket,
    /// The square of the saturation by what was left waiting when it was taken.
    pub pressure: Ratio,
}

/// The queue.
pub struct Queue<R: Runtime, E: Emit> {
    runtime: R,
    events: Rc<E>,
    randomness: Randomness,
    register: Rc<Register>,
    capacity: Option<u32>,
    when_full: WhenFull,
    early_drop: Chance,
    /// The pressure by the number waiting, for queues that are not too long.
    pressures: Vec<Ratio>,
    senders: Cell<u64>,
    line: RefCell<Line<R>>,
}

struct Line<R: Runtime> {
    buffer: VecDeque<Ticket>,
    entrance: VecDeque<Ticket>,
    /// Workers without work, the longest idle first.
    idle: VecDeque<u32>,
    hands: Vec<Hands<R>>,
}

enum Hands<R: Runtime> {
    Busy,
    Idle(R::Parked),
    Handed(Taken),
}

impl<R: Runtime, E: Emit> Queue<R, E> {
    /// An empty queue for `workers` workers, which closes when the last of `senders` has left.
    #[must_use]
    pub fn new(
        (runtime, events, randomness): (R, Rc<E>, Randomness),
        register: Rc<Register>,
        rules: &QueueSection,
        workers: u32,
        senders: u64,
    ) -> Self {
        let early_drop = rules
            .early_drop
            .as_ref()
            .map_or(Chance::default(), |rules| {
                Chance::new(rules.base_probability, rules.probability_per_pressure)
            });
        let line = Line {
            buffer: VecDeque::new(),
            entrance: VecDeque::new(),
            idle: VecDeque::with_capacity(workers as usize),
            hands: (0..workers).map(|_| Hands::Busy).collect(),
        };
        Self {
            runtime,
            events,
            randomness,
            register,
            capacity: rules.capacity,
            when_full: rules.when_full,
            early_drop,
            pressures: match rules.capacity {
                Some(capacity @ ..=MOST_PRESSURES) => (0..=capacity)
                    .map(|waiting| pressure(waiting, capacity))
                    .collect(),
                _ => Vec::new(),
            },
            senders: Cell::new(senders),
            line: RefCell::new(line),
        }
    }

    /// Requests waiting in the buffer.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.line.borrow().waiting()
    }

    /// Requests whose sender waits at the entrance.
    #[must_use]
    pub fn blocked(&self) -> usize {
        self.line.borrow().entrance.len()
    }

    /// When the oldest request in the buffer was created.
    #[must_use]
    pub fn oldest(&self) -> Option<crate::units::Instant> {
        let line = self.line.borrow();
        let oldest = *line.buffer.front()?;
        Some(self.register.with(oldest, |request| request.created))
    }

    /// Offers a request. `Ok` means that an answer will come.
    ///
    /// # Errors
    ///
    /// [`OfferError`] with the request, if the queue is full and rejects, or the gate drops it.
    #[inline(always)]
    pub fn offer(&self, ticket: Ticket) -> Result<(), OfferError> {
        let mut line = self.line.borrow_mut();
        if let Some(worker) = line.idle.pop_front() {
            self.emit(ticket, |request| Fact::Admitted {
                request,
                waiting: 0,
            });
            self.emit(ticket, |request| Fact::Started {
                request,
                worker,
                waiting: 0,
            });
            let taken = Taken {
                ticket,
                pressure: Ratio::default(),
            };
            let hands = std::mem::replace(&mut line.hands[worker as usize], Hands::Handed(taken));
            if let Hands::Idle(parked) = hands {
                self.runtime.unpark(parked);
            }
            return Ok(());
        }
        let waiting = line.waiting();
        if self.capacity.is_some_and(|capacity| waiting >= capacity) {
            if self.when_full == WhenFull::Wait {
                self.emit_rarely(ticket, |request| Fact::Blocked(request));
                line.entrance.push_back(ticket);
                return Ok(());
            }
            let mode = FailureMode::QueueOverflow;
            self.emit(ticket, |request| Fact::Throttled { request, mode });
            return Err(OfferError::Full(ticket));
        }
        if waiting > 0 && self.drops_early(ticket, waiting) {
            let mode = FailureMode::CongestionFailure;
            self.emit_rarely(ticket, |request| Fact::Throttled { request, mode });
            return Err(OfferError::Throttled(ticket));
        }
        line.buffer.push_back(ticket);
        let waiting = waiting + 1;
        self.emit(ticket, |request| Fact::Admitted { request, waiting });
        Ok(())
    }

    #[inline]
    fn drops_early(&self, ticket: Ticket, waiting: u32) -> bool {
        if !self.early_drop.is_possible() {
            return false;
        }
        let draws = self.register.with(ticket, |request| request.draws);
        let pressure = self.pressure(waiting);
        self.early_drop
            .happens(&self.randomness, draws, Purpose::EarlyDrop, pressure)
    }

    /// The requests that `worker` takes, until the queue has closed and is empty.
    pub fn requests(&self, worker: u32) -> impl Stream<Item = Taken> + Unpin + '_ {
        futures::stream::poll_fn(move |context| {
            let mut line = self.line.borrow_mut();
            let hands = &mut line.hands[worker as usize];
            match hands {
                Hands::Handed(taken) => {
                    let taken = *taken;
                    *hands = Hands::Busy;
                    return Poll::Ready(Some(taken));
                }
                Hands::Idle(parked) => {
                    if self.senders.get() == 0 {
                        return Poll::Ready(None);
                    }
                    *parked = self.runtime.park(context);
                    return Poll::Pending;
                }
                Hands::Busy => {}
            }
            if let Some(ticket) = line.buffer.pop_front() {
                let waiting = line.waiting();
                self.emit(ticket, |request| Fact::Started {
                    request,
                    worker,
                    waiting,
                });
                if let Some(blocked) = line.entrance.pop_front() {
                    line.buffer.push_back(blocked);
                    let waiting = waiting + 1;
                    self.emit_rarely(blocked, |request| Fact::Admitted { request, waiting });
                }
                let pressure = self.pressure(waiting);
                return Poll::Ready(Some(Taken { ticket, pressure }));
            }
            if self.senders.get() == 0 {
                return Poll::Ready(None);
            }
            line.hands[worker as usize] = Hands::Idle(self.runtime.park(context));
            line.idle.push_back(worker);
            Poll::Pending
        })
    }

    /// One sender will offer nothing more. After the last one has left, idle workers go home.
    pub fn sender_left(&self) {
        self.senders.set(self.senders.get() - 1);
        if self.senders.get() > 0 {
            return;
        }
        let mut line = self.line.borrow_mut();
        while let Some(worker) = line.idle.pop_front() {
            let hands = std::mem::replace(&mut line.hands[worker as usize], Hands::Busy);
            if let Hands::Idle(parked) = hands {
                self.runtime.unpark(parked);
            }
        }
    }

    /// Whether every sender has left.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.senders.get() == 0
    }

    /// The pressure with this many waiting; none for an unbounded queue.
    #[inline]
    fn pressure(&self, waiting: u32) -> Ratio {
        match (self.pressures.get(waiting as usize), self.capacity) {
            (Some(&known), _) => known,
            (None, Some(capacity)) => pressure(waiting, capacity),
            (None, None) => Ratio::default(),
        }
    }

    /// As [`emit`](Self::emit), where there is little to emit: the stages' own code stays short.
    #[cold]
    #[inline(never)]
    fn emit_rarely(&self, ticket: Ticket, fact: impl for<'a> FnOnce(&'a Request) -> Fact<'a>) {
        self.emit(ticket, fact);
    }

    #[inline(always)]
    fn emit(&self, ticket: Ticket, fact: impl for<'a> FnOnce(&'a Request) -> Fact<'a>) {
        let at = self.runtime.now();
        self.register.with(ticket, |request| {
            self.events.emit(Event {
                at,
                fact: fact(request),
            });
        });
    }
}

/// The pressures of queues up to this capacity are worked out beforehand.
const MOST_PRESSURES: u32 = 4096;

/// The square of the saturation.
fn pressure(waiting: u32, capacity: u32) -> Ratio {
    Ratio::of(u64::from(waiting), u64::from(capacity)).squared()
}

impl<R: Runtime> Line<R> {
    /// Requests in the buffer; bounded by a capacity or by what memory can hold.
    fn waiting(&self) -> u32 {
        self.buffer.len() as u32
    }
}
