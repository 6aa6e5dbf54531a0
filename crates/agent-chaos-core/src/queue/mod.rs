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
//!
//! Where the profile has rules beyond that (admission, another discipline, active queue management,
//! workers that come and go), the hall decides; the plain path knows nothing of them.

mod hall;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::Stream;

use crate::event::{Crew, Emit, Event, Fact, Resource};
use crate::profile::{Profile, QueueSection, WhenFull};
use crate::random::{Chance, Purpose, Randomness};
use crate::reply::Replies;
use crate::request::{Class, FailureMode, Register, Request, Ticket};
use crate::runtime::{Bell, Runtime};
use crate::units::{Instant, Ratio, Span};
use hall::{Hall, Hands as Post};

/// Why a request was not queued; it comes back.
#[derive(Debug)]
pub enum OfferError {
    /// The buffer had no room.
    Full(Ticket),
    /// The gate dropped it early.
    Throttled(Ticket),
    /// Nobody could have served it.
    Starved(Ticket),
    /// It was dropped in silence: its sender is told nothing.
    Dropped(Ticket),
}

impl OfferError {
    /// The failure mode of the request.
    #[must_use]
    pub const fn mode(&self) -> FailureMode {
        match self {
            Self::Full(_) | Self::Dropped(_) => FailureMode::QueueOverflow,
            Self::Throttled(_) => FailureMode::CongestionFailure,
            Self::Starved(_) => FailureMode::WorkerStarvation,
        }
    }

    /// The request that comes back.
    #[must_use]
    pub const fn ticket(&self) -> Ticket {
        match self {
            Self::Full(ticket)
            | Self::Throttled(ticket)
            | Self::Starved(ticket)
            | Self::Dropped(ticket) => *ticket,
        }
    }
}

/// A rule of one's own: whether a request is let in.
pub type Admit = Box<dyn FnMut(&Offer) -> bool>;

/// A request at the gate, as a rule of one's own sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// When.
    pub at: Instant,
    /// Light or heavy.
    pub class: Class,
    /// Requests that wait in the queue.
    pub waiting: u32,
    /// Requests that workers serve.
    pub serving: u32,
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
    replies: Rc<Replies<R>>,
    capacity: Cell<Option<u32>>,
    when_full: WhenFull,
    early_drop: Cell<Chance>,
    /// The pressure by the number waiting, for queues that are not too long, as long as the capacity
    /// is what it was at the start.
    pressures: Vec<Ratio>,
    usual_capacity: Option<u32>,
    senders: Cell<u64>,
    line: RefCell<Line<R>>,
    /// Where the profile has rules beyond those of the line.
    hall: Option<Box<RefCell<Hall<R>>>>,
    /// Rung when the last sender has left.
    closing: RefCell<Vec<Rc<Bell<R>>>>,
    /// Workers by the rules of the hall that have not gone home.
    staff: Cell<u32>,
    /// Rung when the last of them has.
    deserting: RefCell<Vec<Rc<Bell<R>>>>,
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
    /// An empty queue for the workers of this profile, which closes when the last of `senders` has
    /// left.
    #[must_use]
    pub fn new(
        (runtime, events, randomness): (R, Rc<E>, Randomness),
        (register, replies): (Rc<Register>, Rc<Replies<R>>),
        profile: &Profile,
        senders: u64,
    ) -> Self {
        let workers = profile.workers.count;
        let rules = &profile.queue;
        let line = Line {
            buffer: VecDeque::new(),
            entrance: VecDeque::new(),
            idle: VecDeque::with_capacity(workers as usize),
            hands: (0..workers).map(|_| Hands::Busy).collect(),
        };
        let hall = profile
            .has_rules()
            .then(|| Box::new(RefCell::new(Hall::new(profile))));
        Self {
            runtime,
            events,
            randomness,
            register,
            replies,
            capacity: Cell::new(rules.capacity),
            when_full: rules.when_full,
            early_drop: Cell::new(early_drop(rules)),
            pressures: pressures(rules.capacity),
            usual_capacity: rules.capacity,
            senders: Cell::new(senders),
            line: RefCell::new(line),
            hall,
            closing: RefCell::default(),
            staff: Cell::new(profile.most_workers()),
            deserting: RefCell::default(),
        }
    }

    /// Asks this rule before all others, where there are rules at all.
    pub fn admit_by(&self, own: Admit) {
        if let Some(hall) = &self.hall {
            hall.borrow_mut().own = Some(own);
        }
    }

    /// Goes by the numbers of this profile from now on.
    pub fn follow(&self, profile: &Profile) {
        self.capacity.set(profile.queue.capacity);
        self.early_drop.set(early_drop(&profile.queue));
        if let Some(hall) = &self.hall {
            let (hall, now) = (&mut *hall.borrow_mut(), self.runtime.now());
            hall.follow(profile, now);
            self.let_in(hall, now);
        }
    }

    /// Requests waiting in the buffer.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        match &self.hall {
            Some(hall) => hall.borrow().waiting(),
            None => self.line.borrow().waiting(),
        }
    }

    /// Requests whose sender waits at the entrance.
    #[must_use]
    pub fn blocked(&self) -> usize {
        match &self.hall {
            Some(hall) => hall.borrow().blocked(),
            None => self.line.borrow().entrance.len(),
        }
    }

    /// When the oldest request in the buffer was created.
    #[must_use]
    pub fn oldest(&self) -> Option<Instant> {
        let oldest = match &self.hall {
            Some(hall) => hall.borrow_mut().oldest()?,
            None => *self.line.borrow().buffer.front()?,
        };
        Some(self.register.with(oldest, |request| request.created))
    }

    /// Offers a request. `Ok` means that an answer will come.
    ///
    /// # Errors
    ///
    /// [`OfferError`] with the request, if the queue is full and rejects, or the gate drops it.
    #[inline(always)]
    pub fn offer(&self, ticket: Ticket) -> Result<(), OfferError> {
        if let Some(hall) = &self.hall {
            return self.offer_by_rules(&mut hall.borrow_mut(), ticket);
        }
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
        if self.is_full(waiting) {
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

    /// As [`offer`](Self::offer), by the rules of the hall.
    #[inline(never)]
    fn offer_by_rules(&self, hall: &mut Hall<R>, ticket: Ticket) -> Result<(), OfferError> {
        let now = self.runtime.now();
        let (level, class) = self
            .register
            .with(ticket, |request| (request.level, request.class));
        hall.note_empty(now);
        if hall.is_refused(class, now) || hall.turns_away(now) {
            return self.refuse(hall.crew, OfferError::Throttled(ticket));
        }
        if let Some(worker) = hall.idle_for(class) {
            self.hand_over(hall, ticket, worker, now);
            return Ok(());
        }
        let waiting = hall.waiting();
        if self.is_full(waiting) {
            let error = match self.when_full {
                WhenFull::Wait => {
                    hall.block(ticket, now);
                    self.emit_rarely(ticket, |request| Fact::Blocked(request));
                    return Ok(());
                }
                WhenFull::Reject => OfferError::Full(ticket),
                WhenFull::Drop => OfferError::Dropped(ticket),
            };
            return self.refuse(hall.crew, error);
        }
        if waiting > 0 && self.drops_early(ticket, waiting) {
            return self.refuse(hall.crew, OfferError::Throttled(ticket));
        }
        let waiting = hall.push(ticket, level, class, now);
        self.emit_rarely(ticket, |request| Fact::Admitted { request, waiting });
        Ok(())
    }

    /// Gives a request to an idle worker without its ever waiting in a lane.
    fn hand_over(&self, hall: &mut Hall<R>, ticket: Ticket, worker: u32, now: Instant) {
        hall.note(ticket, now);
        hall.note_empty(now);
        hall.begin(now);
        let waiting = hall.waiting();
        self.emit_rarely(ticket, |request| Fact::Admitted { request, waiting });
        self.emit_rarely(ticket, |request| Fact::Started {
            request,
            worker,
            waiting,
        });
        let taken = Taken {
            ticket,
            pressure: self.pressure(waiting),
        };
        let hands = &mut hall.posts[worker as usize].hands;
        if let Post::Idle(parked) = std::mem::replace(hands, Post::Handed(taken)) {
            self.runtime.unpark(parked);
        }
    }

    /// Turns a request away; while nobody can work, that is why.
    fn refuse(&self, crew: Crew, error: OfferError) -> Result<(), OfferError> {
        let error = match error {
            OfferError::Full(ticket) | OfferError::Throttled(ticket) if crew.is_starved() => {
                OfferError::Starved(ticket)
            }
            other => other,
        };
        let mode = error.mode();
        self.emit_rarely(error.ticket(), |request| Fact::Throttled { request, mode });
        Err(error)
    }

    /// Takes work for `worker` by the rules of the hall.
    #[inline(never)]
    fn take_by_rules(
        &self,
        hall: &mut Hall<R>,
        worker: u32,
        context: &mut Context<'_>,
    ) -> Poll<Option<Taken>> {
        match &mut hall.posts[worker as usize].hands {
            Post::Handed(taken) => {
                let taken = *taken;
                hall.posts[worker as usize].hands = Post::Busy;
                return Poll::Ready(Some(taken));
            }
            Post::Idle(parked) | Post::Away(parked) => {
                *parked = self.runtime.park(context);
                return Poll::Pending;
            }
            Post::Busy => {}
        }
        let now = self.runtime.now();
        if std::mem::take(&mut hall.posts[worker as usize].leaving) {
            hall.posts[worker as usize].on = false;
            self.note_crew(hall);
        }
        while hall.is_available(worker) {
            let Some(ticket) = hall.pick(worker) else {
                break;
            };
            let waiting = hall.waiting();
            hall.note_empty(now);
            let (deadline, awaited) = self.register.with(ticket, |request| {
                (request.deadline, request.sender.waiting_agent().is_some())
            });
            if let Some(why) = hall.condemns(ticket, deadline, now) {
                let outcome = why.mode();
                self.emit_rarely(ticket, |request| Fact::Removed {
                    request,
                    why,
                    outcome,
                    waiting,
                });
                let resized = hall.note_dropped(ticket, now);
                self.note_limit(resized);
                self.replies
                    .reply(&self.runtime, ticket, awaited, outcome, Span::ZERO);
                self.let_in(hall, now);
                self.send_home(hall);
                continue;
            }
            hall.begin(now);
            self.emit_rarely(ticket, |request| Fact::Started {
                request,
                worker,
                waiting,
            });
            self.let_in(hall, now);
            self.send_home(hall);
            let pressure = self.pressure(waiting);
            return Poll::Ready(Some(Taken { ticket, pressure }));
        }
        if self.is_drained(hall) {
            return Poll::Ready(None);
        }
        hall.rest(worker, self.runtime.park(context));
        Poll::Pending
    }

    /// Places in the queue have become free: whoever has waited longest for one gets it.
    fn let_in(&self, hall: &mut Hall<R>, now: Instant) {
        while !self.is_full(hall.waiting()) {
            let Some(ticket) = hall.unblock() else { return };
            let (level, class) = self
                .register
                .with(ticket, |request| (request.level, request.class));
            if let Some(worker) = hall.idle_for(class) {
                self.hand_over(hall, ticket, worker, now);
            } else {
                let waiting = hall.push(ticket, level, class, now);
                self.emit_rarely(ticket, |request| Fact::Admitted { request, waiting });
            }
        }
    }

    /// Whether no more work will come. Until then nobody goes home: whoever is off duty, down or
    /// reserved for another class may yet be needed.
    fn is_drained(&self, hall: &Hall<R>) -> bool {
        self.is_closed() && hall.waiting() == 0 && hall.blocked() == 0
    }

    /// Sends every worker without work home, if no more will come.
    fn send_home(&self, hall: &mut Hall<R>) {
        if self.is_drained(hall) {
            for parked in hall.recall(true) {
                self.runtime.unpark(parked);
            }
        }
    }

    /// A service has ended, or was cut short by a crash.
    pub fn ended(&self, ticket: Ticket) {
        if let Some(hall) = &self.hall {
            let resized = hall.borrow_mut().end(ticket, self.runtime.now());
            self.note_limit(resized);
        }
    }

    fn note_limit(&self, resized: Option<u32>) {
        if let Some(to) = resized {
            let resource = Resource::ConcurrencyLimit;
            self.events.emit_rarely(Event {
                at: self.runtime.now(),
                fact: Fact::Resized { resource, to },
            });
        }
    }

    /// Takes a request out that its client does not want any more, if it still waits.
    pub fn withdraw(&self, ticket: Ticket) -> bool {
        let Some(hall) = &self.hall else { return false };
        let hall = &mut hall.borrow_mut();
        let Some(why) = hall.withdraw(ticket) else {
            return false;
        };
        let (now, waiting) = (self.runtime.now(), hall.waiting());
        let outcome = why.mode();
        self.emit_rarely(ticket, |request| Fact::Removed {
            request,
            why,
            outcome,
            waiting,
        });
        hall.note_empty(now);
        self.let_in(hall, now);
        self.send_home(hall);
        true
    }

    /// Whether a request waits at the entrance.
    #[must_use]
    pub fn is_blocked(&self, ticket: Ticket) -> bool {
        self.hall
            .as_ref()
            .is_some_and(|hall| hall.borrow().is_blocked(ticket))
    }

    /// Requests that admission lets in at a time, if it limits them.
    #[must_use]
    pub fn limit(&self) -> Option<u32> {
        let hall = self.hall.as_ref()?.borrow();
        hall.limit.as_ref().map(|limit| limit.limit())
    }

    /// Waiting places at present; none if they are unbounded.
    #[must_use]
    pub fn capacity(&self) -> Option<u32> {
        self.capacity.get()
    }

    /// What admission shows at present; none in a plain queue.
    #[must_use]
    pub fn admission(&self) -> Option<Admitting> {
        let hall = self.hall.as_ref()?.borrow();
        let now = self.runtime.now();
        Some(Admitting {
            limit: hall.limit.as_ref().map(|limit| limit.limit()),
            inside: hall.serving + hall.waiting(),
            // A copy fills up, so that looking changes nothing.
            tokens: hall.bucket.clone().map(|mut bucket| bucket.tokens(now)),
            over_limit: hall.over_limit,
            without_token: hall.without_token,
        })
    }

    /// The workers there are.
    #[must_use]
    pub fn crew(&self) -> Crew {
        self.hall
            .as_ref()
            .map_or(Crew::default(), |hall| hall.borrow().crew)
    }

    /// Worker-time spent serving so far, in worker-nanoseconds.
    #[must_use]
    pub fn busy_nanos(&self) -> u128 {
        let now = self.runtime.now();
        self.hall
            .as_ref()
            .map_or(0, |hall| hall.borrow().busy_nanos(now))
    }

    /// Changes who can work: `change` says how. Whoever was given work that it had not begun comes
    /// back if it is down now.
    pub fn change_crew(&self, change: &mut dyn FnMut(&mut Posts<'_>)) -> Vec<(u32, Ticket)> {
        let Some(hall) = &self.hall else {
            return Vec::new();
        };
        let hall = &mut *hall.borrow_mut();
        let mut handed = Vec::new();
        {
            let mut posts = Posts {
                duty: hall
                    .posts
                    .iter()
                    .map(|post| Duty {
                        on: post.on && !post.leaving,
                        down: post.down,
                    })
                    .collect(),
                stalled: &mut hall.stalled,
            };
            change(&mut posts);
            let duty = posts.duty;
            for (worker, (post, duty)) in hall.posts.iter_mut().zip(duty).enumerate() {
                let serves = matches!(post.hands, Post::Busy | Post::Handed(_));
                // Whoever serves is off duty when that is done, unless it crashes before.
                post.leaving = post.on && !duty.on && serves && !duty.down;
                (post.on, post.down) = (duty.on || post.leaving, duty.down);
                if post.down
                    && let Post::Handed(taken) = post.hands
                {
                    post.hands = Post::Busy;
                    handed.push((worker as u32, taken.ticket));
                }
            }
        }
        hall.dismiss();
        self.note_crew(hall);
        for parked in hall.recall(false) {
            self.runtime.unpark(parked);
        }
        handed
    }

    /// Counts the workers anew, and tells if that changed anything.
    fn note_crew(&self, hall: &mut Hall<R>) {
        let on = hall.posts.iter().filter(|post| post.on).count() as u32;
        let down = hall.posts.iter().filter(|post| post.on && post.down);
        let crew = Crew {
            on,
            down: down.count() as u32,
            stalled: hall.stalled,
        };
        if hall.crew != crew {
            hall.crew = crew;
            self.events.emit_rarely(Event {
                at: self.runtime.now(),
                fact: Fact::Workers(crew),
            });
        }
    }

    #[inline]
    fn drops_early(&self, ticket: Ticket, waiting: u32) -> bool {
        let early_drop = self.early_drop.get();
        if !early_drop.is_possible() {
            return false;
        }
        let draws = self.register.with(ticket, |request| request.draws);
        let pressure = self.pressure(waiting);
        early_drop.happens(&self.randomness, draws, Purpose::EarlyDrop, pressure)
    }

    #[inline]
    fn is_full(&self, waiting: u32) -> bool {
        self.capacity
            .get()
            .is_some_and(|capacity| waiting >= capacity)
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

    /// As [`requests`](Self::requests), by the rules of the hall.
    ///
    /// # Panics
    ///
    /// If the profile has no such rules.
    pub fn requests_by_rules(&self, worker: u32) -> impl Stream<Item = Taken> + Unpin + '_ {
        let hall = self.hall.as_ref().expect("the profile has rules");
        futures::stream::poll_fn(move |context| {
            self.take_by_rules(&mut hall.borrow_mut(), worker, context)
        })
    }

    /// One sender will offer nothing more. After the last one has left, idle workers go home.
    pub fn sender_left(&self) {
        self.senders.set(self.senders.get() - 1);
        if self.senders.get() > 0 {
            return;
        }
        for bell in self.closing.borrow_mut().drain(..) {
            bell.ring(&self.runtime);
        }
        if let Some(hall) = &self.hall {
            self.send_home(&mut hall.borrow_mut());
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

    /// Rings this bell when the last sender has left.
    pub fn ring_at_closing(&self, bell: Rc<Bell<R>>) {
        if self.is_closed() {
            bell.ring(&self.runtime);
        } else {
            self.closing.borrow_mut().push(bell);
        }
    }

    /// Rings this bell when the last worker has gone home.
    pub fn ring_at_desertion(&self, bell: Rc<Bell<R>>) {
        self.deserting.borrow_mut().push(bell);
    }

    /// A worker by the rules of the hall goes home.
    pub fn worker_left(&self) {
        self.staff.set(self.staff.get() - 1);
        if self.is_deserted() {
            for bell in self.deserting.borrow_mut().drain(..) {
                bell.ring(&self.runtime);
            }
        }
    }

    /// Whether the last worker has gone home: nothing that is done to workers matters any more.
    #[must_use]
    pub fn is_deserted(&self) -> bool {
        self.staff.get() == 0
    }

    /// Whether every sender has left.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.senders.get() == 0
    }

    /// The pressure with this many waiting; none for an unbounded queue.
    #[inline]
    fn pressure(&self, waiting: u32) -> Ratio {
        let capacity = self.capacity.get();
        match (self.pressures.get(waiting as usize), capacity) {
            (Some(&known), _) if capacity == self.usual_capacity => known,
            (_, Some(capacity)) => pressure(waiting, capacity),
            (_, None) => Ratio::default(),
        }
    }

    /// As [`emit`](Self::emit), where there is little to emit: the stages' own code stays short.
    fn emit_rarely(&self, ticket: Ticket, fact: impl for<'a> FnOnce(&'a Request) -> Fact<'a>) {
        let at = self.runtime.now();
        self.register.with(ticket, |request| {
            self.events.emit_rarely(Event {
                at,
                fact: fact(request),
            });
        });
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

fn pressures(capacity: Option<u32>) -> Vec<Ratio> {
    match capacity {
        Some(capacity @ ..=MOST_PRESSURES) => (0..=capacity)
            .map(|waiting| pressure(waiting, capacity))
            .collect(),
        _ => Vec::new(),
    }
}

fn early_drop(rules: &QueueSection) -> Chance {
    rules
        .early_drop
        .as_ref()
        .map_or(Chance::default(), |rules| {
            Chance::new(rules.base_probability, rules.probability_per_pressure)
        })
}

/// What admission shows at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admitting {
    /// Requests that are let in at a time, waiting and served together.
    pub limit: Option<u32>,
    /// Requests inside, waiting and served together.
    pub inside: u32,
    /// Whole tokens in the bucket.
    pub tokens: Option<u32>,
    /// Requests that the limit has turned away.
    pub over_limit: u64,
    /// Requests that found no token.
    pub without_token: u64,
}

/// Who can work, for whoever changes it.
pub struct Posts<'a> {
    /// By worker.
    pub duty: Vec<Duty>,
    /// Whether all of them pause.
    pub stalled: &'a mut bool,
}

/// Whether a worker can work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duty {
    /// On duty.
    pub on: bool,
    /// Crashed, and not restarted.
    pub down: bool,
}

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
