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
use crate::request::{FailureMode, Request};
use crate::runtime::Runtime;
use crate::units::Ratio;

/// Why a request was not queued; the request itself comes back.
#[derive(Debug)]
pub enum OfferError {
    /// The buffer had no room.
    Full(Request),
    /// The gate dropped it early.
    Throttled(Request),
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
}

/// A request in the hands of a worker.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// The request.
    pub request: Request,
    /// The square of the saturation by what was left waiting when it was taken.
    pub pressure: Ratio,
}

/// The queue.
pub struct Queue<R: Runtime, E: Emit> {
    runtime: R,
    events: Rc<E>,
    randomness: Randomness,
    capacity: Option<u32>,
    when_full: WhenFull,
    early_drop: Chance,
    senders: Cell<u64>,
    line: RefCell<Line<R>>,
}

struct Line<R: Runtime> {
    buffer: VecDeque<Request>,
    entrance: VecDeque<Request>,
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
        rules: &QueueSection,
        workers: u32,
        senders: u64,
    ) -> Self {
        let early_drop = rules
            .early_drop
            .as_ref()
            .map_or(Chance::default(), |rules| Chance {
                base: rules.base_probability,
                per_pressure: rules.probability_per_pressure,
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
            capacity: rules.capacity,
            when_full: rules.when_full,
            early_drop,
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
        self.line
            .borrow()
            .buffer
            .front()
            .map(|request| request.created)
    }

    /// Offers a request. `Ok` means that an answer will come.
    ///
    /// # Errors
    ///
    /// [`OfferError`] with the request, if the queue is full and rejects, or the gate drops it.
    pub fn offer(&self, request: Request) -> Result<(), OfferError> {
        let mut line = self.line.borrow_mut();
        if let Some(worker) = line.idle.pop_front() {
            self.emit(Fact::Admitted {
                request: &request,
                waiting: 0,
            });
            self.emit(Fact::Started {
                request: &request,
                worker,
                waiting: 0,
            });
            let taken = Taken {
                request,
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
                self.emit(Fact::Blocked(&request));
                line.entrance.push_back(request);
                return Ok(());
            }
            self.emit(Fact::Throttled {
                request: &request,
                mode: FailureMode::QueueOverflow,
            });
            return Err(OfferError::Full(request));
        }
        if waiting > 0
            && self.early_drop.happens(
                &self.randomness,
                request.draws,
                Purpose::EarlyDrop,
                self.pressure(waiting),
            )
        {
            self.emit(Fact::Throttled {
                request: &request,
                mode: FailureMode::CongestionFailure,
            });
            return Err(OfferError::Throttled(request));
        }
        line.buffer.push_back(request);
        self.emit(Fact::Admitted {
            request: &request,
            waiting: waiting + 1,
        });
        Ok(())
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
            if let Some(request) = line.buffer.pop_front() {
                let waiting = line.waiting();
                let taken = Taken {
                    request,
                    pressure: self.pressure(waiting),
                };
                self.emit(Fact::Started {
                    request: &request,
                    worker,
                    waiting,
                });
                if let Some(blocked) = line.entrance.pop_front() {
                    line.buffer.push_back(blocked);
                    self.emit(Fact::Admitted {
                        request: &blocked,
                        waiting: waiting + 1,
                    });
                }
                return Poll::Ready(Some(taken));
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

    /// The square of the saturation with this many waiting; none for an unbounded queue.
    fn pressure(&self, waiting: u32) -> Ratio {
        match self.capacity {
            Some(capacity) => Ratio::of(u64::from(waiting), u64::from(capacity)).squared(),
            None => Ratio::default(),
        }
    }

    fn emit(&self, fact: Fact<'_>) {
        self.events.emit(Event {
            at: self.runtime.now(),
            fact,
        });
    }
}

impl<R: Runtime> Line<R> {
    /// Requests in the buffer; bounded by a capacity or by what memory can hold.
    fn waiting(&self) -> u32 {
        self.buffer.len() as u32
    }
}
