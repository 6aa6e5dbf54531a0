//! Clients: what stands between a request and its sends.
//!
//! ```text
//!              ┌──────────── retry after a back-off (budget) ◄───────────┐
//! request ──► breaker? ─► throttle? ─► send ─► connection ─► network ─► server
//!              │              │          │                                 │
//!              └── refused ───┘          ├─ timeout ─► nobody waits        ▼
//!                    │                   └─ hedge: a copy beside it     answer
//!                    ▼                                                     │
//!                 settled: good, failed, or given up ◄── network ◄─────────┘
//! ```
//!
//! A request is a *call* here; each send of it is an *attempt*, an entry of its own in the register.
//! The server may still work on an attempt that its client has given up: then the answer is thrown
//! away. Agents and generators create calls; the clerk does everything that comes later: answers
//! from the server, timeouts, retries, copies, messages on their way.
//!
//! All clients share one breaker, one budget, one throttle and one pool of connections, as the
//! parts of one process do.

use std::cell::RefCell;
use std::rc::Rc;

use crate::agenda::Agenda;
use crate::event::{Emit, Event, Fact, Leg, Sending, Step};
use crate::network::{Connections, TO_SERVER, Wire};
use crate::policy::backoff::Backoff;
use crate::policy::breaker::{BreakerState, CircuitBreaker, Permit, Transition};
use crate::policy::budget::Budget;
use crate::policy::rejection::Rejection;
use crate::profile::{Client, Profile};
use crate::queue::{OfferError, Queue};
use crate::random::{Purpose, Randomness};
use crate::reply::{Letter, Mail};
use crate::request::{Answers, FailureMode, Register, Request, Ticket, Work};
use crate::runtime::{Alarm, Runtime};
use crate::units::{Instant, Span};

/// Attempts of one call that may be under way at a time.
const MOST_PENDING: usize = 4;

/// All clients of a run.
pub struct Clients<R: Runtime, E: Emit> {
    runtime: R,
    events: Rc<E>,
    randomness: Randomness,
    register: Rc<Register>,
    answers: Rc<Answers<R>>,
    queue: Rc<Queue<R, E>>,
    mail: Rc<Mail<R>>,
    work: Rc<Work>,
    desk: RefCell<Desk>,
}

/// What clients share with each other and with the clerk.
struct Desk {
    rules: Rules,
    retry: Option<Backoff>,
    budget: Option<Budget>,
    breaker: Option<CircuitBreaker>,
    rejection: Option<Rejection>,
    wire: Option<Wire>,
    connections: Option<Connections<Attempted>>,
    agenda: Agenda<Due>,
    calls: Vec<Call>,
    attempts: Vec<Attempt>,
    /// Attempts sent so far, for their names.
    sent: u64,
    /// Agents and generators that may still create calls.
    loads: u64,
    open_calls: u32,
    /// Calls whose last send was a retry.
    open_retries: u32,
    /// Attempts on their way to the server.
    in_transit: u64,
    /// Attempts in the register.
    alive: u64,
    closed: bool,
}

#[derive(Clone, Copy)]
struct Rules {
    timeout: Option<Span>,
    deadline: Option<Span>,
    withdraws: bool,
    max_attempts: u32,
    hedge: Option<(Span, u32)>,
}

impl Rules {
    fn new(rules: &Client) -> Self {
        Self {
            timeout: rules.timeout_seconds.map(Span::from_seconds),
            deadline: rules.deadline_seconds.map(Span::from_seconds),
            withdraws: rules.withdraws,
            max_attempts: rules.retry.as_ref().map_or(1, |retry| retry.max_attempts),
            hedge: rules.hedge.as_ref().map(|hedge| {
                let after = Span::from_seconds(hedge.after_seconds);
                (after, hedge.max_copies)
            }),
        }
    }
}

/// An attempt by its place and its name: a place is used again, a name never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attempted {
    ticket: Ticket,
    id: u64,
}

/// A call by its place and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Called {
    ticket: Ticket,
    number: u64,
}

/// What is due at a moment.
#[derive(Clone, Copy, Debug)]
enum Due {
    /// The client waits no longer for this attempt.
    Timeout(Attempted, TimeoutOf),
    /// The client waits no longer for a connection.
    NoConnection(Attempted),
    /// The client gives the whole call up.
    Deadline(Called),
    /// The client sends again.
    Resend(Called),
    /// The client sends a copy, unless it has sent the call anew since: so many times, copies aside.
    Hedge(Called, u8),
    /// A message reaches the server.
    Arrival(Attempted),
    /// The client learns that its connection was reset.
    Reset(Attempted),
    /// An answer reaches the client.
    Answer(Attempted, FailureMode),
    /// A connection has become free for this attempt.
    Connected(Attempted),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeoutOf {
    Client,
    Socket,
}

#[derive(Clone, Copy, Default)]
struct Call {
    /// None of an open call.
    number: Option<u64>,
    sent: u8,
    copies: u8,
    retrying: bool,
    pending: [Option<Ticket>; MOST_PENDING],
    last_wait: Span,
    /// How the last attempt to end ended, and whether the client gave it up.
    last: Option<(FailureMode, bool)>,
    deadline: Instant,
}

impl Call {
    fn is_pending(&self) -> bool {
        self.pending.iter().any(Option::is_some)
    }
}

/// Where an attempt is, as far as its client does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whereabouts {
    /// Waits for a connection.
    Connecting,
    /// On its way to the server.
    Outbound,
    /// With the server.
    Server,
    /// Nowhere any more, or its answer is on its way back.
    Done,
}

struct Attempt {
    id: u64,
    call: Ticket,
    /// Somebody waits for it.
    pending: bool,
    whereabouts: Whereabouts,
    /// Holds a connection.
    connected: bool,
    permit: Option<Permit>,
    served: Span,
}

impl<R: Runtime, E: Emit> Clients<R, E> {
    /// Clients by this profile, for so many agents and generators.
    #[must_use]
    pub fn new(
        (runtime, events, randomness): (R, Rc<E>, Randomness),
        (register, answers, mail): (Rc<Register>, Rc<Answers<R>>, Rc<Mail<R>>),
        queue: Rc<Queue<R, E>>,
        work: Rc<Work>,
        profile: &Profile,
        loads: u64,
    ) -> Self {
        let rules = profile.client.clone().unwrap_or_default();
        let network = profile.network.as_ref();
        let desk = Desk {
            rules: Rules::new(&rules),
            retry: rules.retry.as_ref().map(Backoff::new),
            budget: rules.budget.as_ref().map(Budget::new),
            breaker: rules.breaker.as_ref().map(CircuitBreaker::new),
            rejection: rules.throttle.as_ref().map(Rejection::new),
            wire: network.map(|rules| Wire::new(rules, TO_SERVER)),
            connections: network
                .and_then(|rules| rules.pool.as_ref())
                .map(Connections::new),
            agenda: Agenda::default(),
            calls: Vec::new(),
            attempts: Vec::new(),
            sent: 0,
            loads,
            open_calls: 0,
            open_retries: 0,
            in_transit: 0,
            alive: 0,
            closed: false,
        };
        Self {
            runtime,
            events,
            randomness,
            register,
            answers,
            queue,
            mail,
            work,
            desk: RefCell::new(desk),
        }
    }

    /// Goes by the numbers of this profile from now on.
    pub fn follow(&self, profile: &Profile) {
        let desk = &mut *self.desk.borrow_mut();
        if let Some(rules) = &profile.client {
            desk.rules = Rules::new(rules);
            desk.retry = rules.retry.as_ref().map(Backoff::new);
        }
        if let Some(rules) = &profile.network {
            if let Some(wire) = &desk.wire {
                wire.follow(rules);
            }
            if let (Some(connections), Some(rules)) = (&mut desk.connections, &rules.pool) {
                let granted = connections.follow(rules);
                self.grant(desk, granted);
            }
        }
        self.remind(desk);
    }

    /// The pool has so many connections from now on.
    pub fn resize_pool(&self, size: u32) {
        let desk = &mut *self.desk.borrow_mut();
        if let Some(connections) = &mut desk.connections {
            let granted = connections.resize(size);
            self.grant(desk, granted);
        }
        self.remind(desk);
    }

    /// Takes a new call in hand; its agent gets an answer, whatever becomes of it.
    pub fn call(&self, ticket: Ticket) {
        let desk = &mut *self.desk.borrow_mut();
        let now = self.runtime.now();
        let number = self.register.with(ticket, |request| request.number);
        let index = ticket.index();
        if desk.calls.len() <= index {
            desk.calls.resize(index + 1, Call::default());
        }
        let deadline = desk.rules.deadline.map(|span| now + span);
        desk.calls[index] = Call {
            number: Some(number),
            deadline: deadline.unwrap_or(Instant::NEVER),
            ..Call::default()
        };
        desk.open_calls += 1;
        if let Some(budget) = &mut desk.budget {
            budget.on_request(now);
        }
        let called = Called { ticket, number };
        if let Some(at) = deadline {
            desk.agenda.enter(at, Due::Deadline(called));
        }
        self.send(desk, called, Sending::First);
        self.remind(desk);
    }

    /// An agent or generator will create no more calls.
    pub fn load_left(&self) {
        let desk = &mut *self.desk.borrow_mut();
        desk.loads -= 1;
        if desk.loads == 0 {
            self.mail.bell.ring(&self.runtime);
        }
    }

    /// Connections in use, and sends that wait for one; none without a pool.
    #[must_use]
    pub fn connections(&self) -> Option<(u32, usize)> {
        let desk = self.desk.borrow();
        let connections = desk.connections.as_ref()?;
        Some((connections.in_use(), connections.waiting()))
    }

    /// The state of the breaker, if there is one.
    #[must_use]
    pub fn breaker(&self) -> Option<BreakerState> {
        self.desk
            .borrow()
            .breaker
            .as_ref()
            .map(CircuitBreaker::state)
    }

    /// Calls that have not been settled.
    #[must_use]
    pub fn open_calls(&self) -> u32 {
        self.desk.borrow().open_calls
    }

    /// Connections there may be at present; none without a pool.
    #[must_use]
    pub fn pool_size(&self) -> Option<u32> {
        let desk = self.desk.borrow();
        desk.connections.as_ref().map(Connections::size)
    }

    /// Sends on their way to the server.
    #[must_use]
    pub fn in_transit(&self) -> u64 {
        self.desk.borrow().in_transit
    }

    /// Has the clerk look up from its wait if something is due before that ends.
    fn remind(&self, desk: &Desk) {
        if let Some(next) = desk.agenda.next() {
            self.mail.bell.ring_for(&self.runtime, next);
        }
    }

    fn emit(&self, ticket: Ticket, step: Step) {
        let at = self.runtime.now();
        self.register.with(ticket, |request| {
            self.events.emit_rarely(Event {
                at,
                fact: Fact::Attempt { request, step },
            });
        });
    }

    fn emit_breaker(&self, change: Option<Transition>) {
        if let Some((from, to)) = change {
            self.events.emit_rarely(Event {
                at: self.runtime.now(),
                fact: Fact::Breaker { from, to },
            });
        }
    }

    /// Sends a call, if the clients' own policies let it be sent.
    fn send(&self, desk: &mut Desk, called: Called, sending: Sending) {
        let now = self.runtime.now();
        let whole = self.register.with(called.ticket, |request| *request);
        let call = &mut desk.calls[called.ticket.index()];
        let attempt = call.sent;
        let draws = whole.draws.attempt(attempt);
        let deadline = call.deadline;
        let mut refused = false;
        if let Some(rejection) = &mut desk.rejection {
            let probability = rejection.probability(now);
            rejection.on_request(now);
            refused = probability > 0.0
                && self.randomness.uniform(draws, Purpose::ClientThrottle) < probability;
        }
        let mut permit = None;
        if !refused && let Some(breaker) = &mut desk.breaker {
            let (allowed, change) = breaker.allow(now);
            self.emit_breaker(change);
            refused = allowed.is_none();
            permit = allowed;
        }
        let request = Request {
            created: now,
            deadline,
            attempt,
            work_ratio: if attempt == 0 {
                whole.work_ratio
            } else {
                self.work.draw_again(&self.randomness, draws)
            },
            draws,
            ..whole
        };
        let ticket = self.register.enter(request, |_| {});
        if refused {
            self.emit(ticket, Step::ShortCircuited);
            self.register.leave(ticket);
            let call = &mut desk.calls[called.ticket.index()];
            if !call.is_pending() {
                self.give_up(desk, called, (FailureMode::CircuitOpen, false));
            }
            return;
        }
        call.sent += 1;
        call.copies += u8::from(sending == Sending::Hedge);
        let place = call.pending.iter_mut().find(|place| place.is_none());
        *place.expect("copies end before the places do") = Some(ticket);
        let id = desk.sent;
        desk.sent += 1;
        desk.alive += 1;
        let entry = Attempt {
            id,
            call: called.ticket,
            pending: true,
            whereabouts: Whereabouts::Connecting,
            connected: false,
            permit,
            served: Span::ZERO,
        };
        let index = ticket.index();
        if index >= desk.attempts.len() {
            desk.attempts.resize_with(index + 1, Attempt::vacant);
        }
        desk.attempts[index] = entry;
        self.emit(ticket, Step::Sent(sending));
        let attempted = Attempted { ticket, id };
        let socket = desk.wire.as_ref().and_then(Wire::socket_timeout);
        let timeouts = [
            (desk.rules.timeout, TimeoutOf::Client),
            (socket, TimeoutOf::Socket),
        ];
        let first = timeouts
            .iter()
            .filter_map(|&(span, of)| span.map(|span| (span, of)))
            .min_by_key(|&(span, _)| span);
        if let Some((span, of)) = first {
            desk.agenda.enter(now + span, Due::Timeout(attempted, of));
        }
        self.plan_copy(desk, called, now);
        self.connect(desk, attempted);
    }

    /// Plans a copy of a call that has just been sent, if it may have one more.
    fn plan_copy(&self, desk: &mut Desk, called: Called, now: Instant) {
        let call = &desk.calls[called.ticket.index()];
        if let Some((after, most)) = desk.rules.hedge
            && u32::from(call.copies) < most
        {
            let due = Due::Hedge(called, call.sent - call.copies);
            desk.agenda.enter(now + after, due);
        }
    }

    /// Takes a connection for an attempt, or has it wait for one.
    fn connect(&self, desk: &mut Desk, attempted: Attempted) {
        let now = self.runtime.now();
        let Some(connections) = &mut desk.connections else {
            return self.transmit(desk, attempted);
        };
        if connections.try_take() {
            desk.attempts[attempted.ticket.index()].connected = true;
            return self.transmit(desk, attempted);
        }
        match connections.wait(attempted, now) {
            Some(Instant::NEVER) => {}
            Some(until) => desk.agenda.enter(until, Due::NoConnection(attempted)),
            None => self.fail(desk, attempted, FailureMode::PoolExhausted),
        }
    }

    /// Gives connections to attempts that have waited for one; the clerk sends them on, so that one
    /// that fails at once does not call on the next from within.
    fn grant(&self, desk: &mut Desk, granted: impl IntoIterator<Item = Attempted>) {
        let now = self.runtime.now();
        for attempted in granted {
            desk.attempts[attempted.ticket.index()].connected = true;
            desk.agenda.enter(now, Due::Connected(attempted));
        }
    }

    /// Puts an attempt on its way.
    fn transmit(&self, desk: &mut Desk, attempted: Attempted) {
        let ticket = attempted.ticket;
        let Some(wire) = &desk.wire else {
            return self.arrive(desk, attempted);
        };
        let (leg, draws) = (
            wire.legs().request,
            self.register.with(ticket, |request| request.draws),
        );
        let at = self.runtime.now() + wire.latency(leg, &self.randomness, draws);
        let attempt = &mut desk.attempts[ticket.index()];
        if wire.resets(&self.randomness, draws) {
            attempt.whereabouts = Whereabouts::Done;
            desk.agenda.enter(at, Due::Reset(attempted));
        } else if wire.loses(leg, &self.randomness, draws) {
            attempt.whereabouts = Whereabouts::Done;
            self.emit(ticket, Step::Dropped(Leg::Request));
        } else {
            attempt.whereabouts = Whereabouts::Outbound;
            desk.in_transit += 1;
            desk.agenda.enter(at, Due::Arrival(attempted));
        }
    }

    /// An attempt reaches the server.
    fn arrive(&self, desk: &mut Desk, attempted: Attempted) {
        let ticket = attempted.ticket;
        self.emit(ticket, Step::Arrived);
        desk.attempts[ticket.index()].whereabouts = Whereabouts::Server;
        match self.queue.offer(ticket) {
            Ok(()) => {}
            Err(OfferError::Dropped(_)) => {
                desk.attempts[ticket.index()].whereabouts = Whereabouts::Done;
                self.forget_if_over(desk, attempted);
            }
            Err(refused) => self.back(desk, attempted, refused.mode()),
        }
    }

    /// The server is done with an attempt.
    fn back(&self, desk: &mut Desk, attempted: Attempted, outcome: FailureMode) {
        let ticket = attempted.ticket;
        let attempt = &mut desk.attempts[ticket.index()];
        attempt.whereabouts = Whereabouts::Done;
        if !attempt.pending {
            return self.forget_if_over(desk, attempted);
        }
        let Some(wire) = &desk.wire else {
            return self.answered(desk, attempted, outcome);
        };
        let (leg, draws) = (
            wire.legs().answer,
            self.register.with(ticket, |request| request.draws),
        );
        if wire.loses(leg, &self.randomness, draws) {
            self.emit(ticket, Step::Dropped(Leg::Answer));
            return;
        }
        let at = self.runtime.now() + wire.latency(leg, &self.randomness, draws);
        desk.agenda.enter(at, Due::Answer(attempted, outcome));
    }

    /// An answer reaches the client.
    fn answered(&self, desk: &mut Desk, attempted: Attempted, outcome: FailureMode) {
        self.emit(attempted.ticket, Step::Answered(outcome));
        self.conclude(desk, attempted, outcome, false);
    }

    /// An attempt has failed without an answer from the server.
    fn fail(&self, desk: &mut Desk, attempted: Attempted, mode: FailureMode) {
        self.answered(desk, attempted, mode);
    }

    /// The client knows how an attempt ended.
    fn conclude(
        &self,
        desk: &mut Desk,
        attempted: Attempted,
        outcome: FailureMode,
        given_up: bool,
    ) {
        let now = self.runtime.now();
        let good = outcome.is_good();
        let permit = desk.attempts[attempted.ticket.index()].permit.take();
        if let (Some(breaker), Some(permit)) = (&mut desk.breaker, permit) {
            let change = breaker.record(now, permit, good);
            self.emit_breaker(change);
        }
        if let Some(budget) = &mut desk.budget {
            budget.on_outcome(now, good);
        }
        if good && let Some(rejection) = &mut desk.rejection {
            rejection.on_accept(now);
        }
        let served = desk.attempts[attempted.ticket.index()].served;
        let called = self.let_go(desk, attempted);
        if good {
            self.settle(desk, called, (outcome, false), served);
        } else {
            desk.calls[called.ticket.index()].last = Some((outcome, given_up));
            self.failed(desk, called);
        }
    }

    /// Nobody waits for an attempt any more. Its call.
    fn let_go(&self, desk: &mut Desk, attempted: Attempted) -> Called {
        let ticket = attempted.ticket;
        let attempt = &mut desk.attempts[ticket.index()];
        attempt.pending = false;
        let call_ticket = attempt.call;
        let call = &mut desk.calls[call_ticket.index()];
        for place in &mut call.pending {
            if *place == Some(ticket) {
                *place = None;
            }
        }
        let number = call.number.expect("a pending attempt has an open call");
        if let (Some(breaker), Some(permit)) = (&mut desk.breaker, attempt.permit.take()) {
            breaker.release(permit);
        }
        let connected = std::mem::replace(&mut attempt.connected, false);
        if attempt.whereabouts == Whereabouts::Connecting {
            attempt.whereabouts = Whereabouts::Done;
            if let Some(connections) = &mut desk.connections {
                connections.give_up(attempted);
            }
        }
        // A sender that has gone does not wait at the entrance either.
        if attempt.whereabouts == Whereabouts::Server
            && (desk.rules.withdraws || self.queue.is_blocked(ticket))
            && self.queue.withdraw(ticket)
        {
            desk.attempts[ticket.index()].whereabouts = Whereabouts::Done;
        }
        self.forget_if_over(desk, attempted);
        if connected && let Some(connections) = &mut desk.connections {
            let granted = connections.give_back();
            self.grant(desk, granted);
            self.remind(desk);
        }
        Called {
            ticket: call_ticket,
            number,
        }
    }

    /// Strikes out an attempt that is nowhere and that nobody waits for.
    fn forget_if_over(&self, desk: &mut Desk, attempted: Attempted) {
        let attempt = &mut desk.attempts[attempted.ticket.index()];
        let over = !attempt.pending && attempt.whereabouts == Whereabouts::Done;
        if over && attempt.id == attempted.id {
            attempt.id = NOBODY;
            desk.alive -= 1;
            self.register.leave(attempted.ticket);
        }
    }

    /// An attempt of this call has failed: sends it again, or gives it up.
    fn failed(&self, desk: &mut Desk, called: Called) {
        let now = self.runtime.now();
        let index = called.ticket.index();
        let call = &desk.calls[index];
        if call.is_pending() {
            return;
        }
        let last = call.last.unwrap_or((FailureMode::LatencyCascade, true));
        let retries = u32::from(call.sent).saturating_sub(u32::from(call.copies));
        let again = desk.retry.filter(|_| retries < desk.rules.max_attempts);
        let Some(backoff) = again else {
            return self.give_up(desk, called, last);
        };
        let draws = self.register.with(called.ticket, |request| request.draws);
        let failed = call.sent.saturating_sub(1);
        let wait = backoff.wait(
            retries,
            call.last_wait,
            &self.randomness,
            draws.attempt(failed),
        );
        // The attempt that has just failed is no longer under way, whether it was a retry or not.
        let over = u32::from(desk.calls[index].retrying);
        let (active, retrying) = (desk.open_calls, desk.open_retries - over);
        let within = now + wait < call.deadline;
        let allowed = within
            && desk
                .budget
                .as_mut()
                .is_none_or(|budget| budget.try_retry(now, active, retrying));
        if !allowed {
            return self.give_up(desk, called, last);
        }
        let call = &mut desk.calls[index];
        call.last_wait = wait;
        if !call.retrying {
            call.retrying = true;
            desk.open_retries += 1;
        }
        if wait.is_zero() {
            self.send(desk, called, Sending::Retry);
        } else {
            desk.agenda.enter(now + wait, Due::Resend(called));
        }
    }

    /// A call is over without a good answer.
    fn give_up(&self, desk: &mut Desk, called: Called, how: (FailureMode, bool)) {
        self.settle(desk, called, how, Span::ZERO);
    }

    /// A call is over; what is still under way for it is of no use any more.
    fn settle(
        &self,
        desk: &mut Desk,
        called: Called,
        (outcome, given_up): (FailureMode, bool),
        useful: Span,
    ) {
        let index = called.ticket.index();
        for place in 0..MOST_PENDING {
            if let Some(ticket) = desk.calls[index].pending[place] {
                let id = desk.attempts[ticket.index()].id;
                self.emit(ticket, Step::Cancelled);
                self.let_go(desk, Attempted { ticket, id });
            }
        }
        let call = std::mem::take(&mut desk.calls[index]);
        desk.open_calls -= 1;
        desk.open_retries -= u32::from(call.retrying);
        let (at, attempts) = (self.runtime.now(), u32::from(call.sent));
        let awaited = self.register.with(called.ticket, |request| {
            self.events.emit_rarely(Event {
                at,
                fact: Fact::Settled {
                    request,
                    outcome,
                    given_up,
                    attempts,
                    useful,
                },
            });
            request.sender.waiting_agent().is_some()
        });
        if awaited {
            self.answers.deliver(&self.runtime, called.ticket, outcome);
        } else {
            self.register.leave(called.ticket);
        }
        if desk.loads == 0 && desk.open_calls == 0 {
            self.mail.bell.ring(&self.runtime);
        }
    }

    /// Does what is due.
    fn handle(&self, desk: &mut Desk, due: Due) {
        match due {
            Due::Timeout(attempted, of) => {
                if desk.is_pending(attempted) {
                    let mode = match of {
                        _ if self.queue.crew().is_starved() => FailureMode::WorkerStarvation,
                        TimeoutOf::Client => FailureMode::LatencyCascade,
                        TimeoutOf::Socket => FailureMode::NetworkFailure,
                    };
                    self.emit(attempted.ticket, Step::TimedOut(mode));
                    self.conclude(desk, attempted, mode, true);
                }
            }
            Due::NoConnection(attempted) => {
                let waits = desk.is_pending(attempted)
                    && desk.attempts[attempted.ticket.index()].whereabouts
                        == Whereabouts::Connecting;
                if waits {
                    self.fail(desk, attempted, FailureMode::PoolExhausted);
                }
            }
            Due::Deadline(called) => {
                if desk.is_open(called) {
                    self.give_up(desk, called, (FailureMode::LatencyCascade, true));
                }
            }
            Due::Resend(called) => {
                if desk.is_open(called) {
                    self.send(desk, called, Sending::Retry);
                }
            }
            Due::Connected(attempted) => {
                if desk.is_pending(attempted) {
                    self.transmit(desk, attempted);
                }
            }
            Due::Hedge(called, tries) => {
                let call = &desk.calls[called.ticket.index()];
                let copies = desk.rules.hedge.map_or(0, |(_, most)| most);
                let wants = call.is_pending()
                    && u32::from(call.copies) < copies
                    && call.sent - call.copies == tries;
                if desk.is_open(called) && wants {
                    self.send(desk, called, Sending::Hedge);
                }
            }
            Due::Arrival(attempted) => {
                desk.in_transit -= 1;
                self.arrive(desk, attempted);
            }
            Due::Reset(attempted) => {
                if desk.is_pending(attempted) {
                    self.fail(desk, attempted, FailureMode::NetworkFailure);
                }
            }
            Due::Answer(attempted, outcome) => {
                if desk.is_pending(attempted) {
                    self.answered(desk, attempted, outcome);
                }
            }
        }
    }

    /// A letter from the server.
    fn receive(&self, desk: &mut Desk, letter: Letter) {
        let attempt = &mut desk.attempts[letter.ticket.index()];
        attempt.served = letter.served;
        let attempted = Attempted {
            ticket: letter.ticket,
            id: attempt.id,
        };
        self.back(desk, attempted, letter.outcome);
    }

    /// Closes the queue once nothing more can be sent. Whether everything is over.
    fn is_over(&self, desk: &mut Desk) -> bool {
        if desk.loads > 0 || desk.open_calls > 0 || desk.in_transit > 0 {
            return false;
        }
        if !desk.closed {
            desk.closed = true;
            self.queue.sender_left();
        }
        desk.alive == 0
    }
}

/// The name of no attempt.
const NOBODY: u64 = u64::MAX;

impl Attempt {
    fn vacant() -> Self {
        Self {
            id: NOBODY,
            call: Ticket::NONE,
            pending: false,
            whereabouts: Whereabouts::Done,
            connected: false,
            permit: None,
            served: Span::ZERO,
        }
    }
}

impl Desk {
    fn is_pending(&self, attempted: Attempted) -> bool {
        let attempt = &self.attempts[attempted.ticket.index()];
        attempt.id == attempted.id && attempt.pending
    }

    fn is_open(&self, called: Called) -> bool {
        self.calls[called.ticket.index()].number == Some(called.number)
    }
}

/// The clerk of all clients: answers, timeouts, retries, messages on their way.
pub async fn clerk<R: Runtime, E: Emit>(clients: Rc<Clients<R, E>>) {
    let mut alarm = Alarm::new(&clients.runtime);
    loop {
        let next = {
            let desk = &mut *clients.desk.borrow_mut();
            while let Some(letter) = clients.mail.take() {
                clients.receive(desk, letter);
            }
            let now = clients.runtime.now();
            while let Some(due) = desk.agenda.take_due(now) {
                clients.handle(desk, due);
            }
            if clients.is_over(desk) {
                return;
            }
            desk.agenda.next()
        };
        alarm.wait(&clients.mail.bell, next).await;
    }
}
