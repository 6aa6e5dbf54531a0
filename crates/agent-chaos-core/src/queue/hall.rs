//! The waiting room with rules: who is let in, who is served next, who is taken out unserved, and
//! which workers are there to serve.
//!
//! ```text
//! offer ─► token bucket ─► concurrency limit ─► idle worker? ─► full? ─► early drop ─► lane
//!              │                 │                                │           │          │
//!              └─────── refused ─┴────────────────────────────────┴───────────┘          │
//!                                                                                        ▼
//!          removed (expired, CoDel, time limit, withdrawn) ◄── pick by discipline ──► worker
//! ```
//!
//! A lane holds the requests of one priority and class. A request that leaves from its middle leaves
//! its entry behind, which is recognized as stale by its serial number and passed over.

use std::collections::VecDeque;

use crate::event::{Crew, Removal};
use crate::policy::bucket::Bucket;
use crate::policy::codel::Codel;
use crate::policy::limit::Limit;
use crate::policy::queue_timeout::QueueTimeout;
use crate::profile::{Bulkheads, Discipline, Profile, QueueSection};
use crate::request::{Class, Ticket};
use crate::runtime::Runtime;
use crate::units::Instant;

use super::{Admit, Offer, Taken};

/// Priorities, from 0, which goes first.
pub const LEVELS: usize = 8;
const CLASSES: usize = 2;

/// Fewer stale entries than this are left where they are.
const STALE_ENOUGH: usize = 64;

/// Serial number of a request that is nowhere.
const NOWHERE: u64 = 0;

/// The waiting room, its rules and its workers' posts.
pub struct Hall<R: Runtime> {
    lanes: Vec<Lane>,
    waiting: u32,
    entrance: Lane,
    places: Vec<Place>,
    serials: u64,
    turns: Turns,
    pub posts: Vec<Post<R>>,
    /// Workers without work, the longest idle first.
    idle: VecDeque<u32>,
    has_bulkheads: bool,
    pub serving: u32,
    /// Whether all workers pause.
    pub stalled: bool,
    /// The workers there are, as last told.
    pub crew: Crew,
    pub bucket: Option<Bucket>,
    pub limit: Option<Limit>,
    pub codel: Option<Codel>,
    pub time_limit: Option<QueueTimeout>,
    pub rules: Rules,
    /// A rule of whoever uses this as a library.
    pub own: Option<Admit>,
    /// Requests that the concurrency limit turned away.
    pub over_limit: u64,
    /// Requests that found no token.
    pub without_token: u64,
    started_at: u128,
    ended_at: u128,
}

/// What of the profile the hall goes by; a timeline may change it.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    discipline: Discipline,
    lifo_above: u32,
    drops_expired: bool,
}

impl Rules {
    fn new(rules: &QueueSection) -> Self {
        Self {
            discipline: rules.discipline,
            lifo_above: rules.lifo_above,
            drops_expired: rules.drops_expired,
        }
    }
}

/// Where a worker stands when it does not serve.
pub struct Post<R: Runtime> {
    pub hands: Hands<R>,
    /// Which classes it serves.
    serves: [bool; CLASSES],
    /// On duty.
    pub on: bool,
    /// Off duty as soon as what it serves is done.
    pub leaving: bool,
    /// Crashed, and not restarted.
    pub down: bool,
}

pub enum Hands<R: Runtime> {
    /// Serves, or is about to ask for work.
    Busy,
    /// Waits for work.
    Idle(R::Parked),
    /// Waits to be on duty again.
    Away(R::Parked),
    /// Has been given work that it has not looked at.
    Handed(Taken),
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    serial: u64,
    since: Instant,
    /// It may wait until then, by the limit that held when it came.
    waits_until: Instant,
    /// Requests in the server when it was let in, itself included.
    inflight: u32,
    lane: u8,
}

/// The place of a request that waits at the entrance.
const AT_ENTRANCE: u8 = u8::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    serial: u64,
    ticket: Ticket,
}

#[derive(Default)]
struct Lane {
    entries: VecDeque<Entry>,
    stale: usize,
}

impl Lane {
    fn live(&self) -> usize {
        self.entries.len() - self.stale
    }

    /// The oldest live entry, or the newest.
    fn end(&mut self, newest: bool, places: &[Place]) -> Option<Entry> {
        loop {
            let entry = *if newest {
                self.entries.back()
            } else {
                self.entries.front()
            }?;
            if places[entry.ticket.index()].serial == entry.serial {
                return Some(entry);
            }
            self.stale -= 1;
            self.take(newest);
        }
    }

    fn take(&mut self, newest: bool) {
        if newest {
            self.entries.pop_back();
        } else {
            self.entries.pop_front();
        }
    }

    /// An entry somewhere within has become stale.
    fn spoil(&mut self, places: &[Place]) {
        self.stale += 1;
        if self.stale > STALE_ENOUGH && 2 * self.stale > self.entries.len() {
            self.entries
                .retain(|entry| places[entry.ticket.index()].serial == entry.serial);
            self.stale = 0;
        }
    }
}

/// Turns in proportion to weights (stride scheduling).
///
/// Source: Waldspurger, Weihl, *Stride Scheduling: Deterministic Proportional-Share Resource
/// Management* (MIT/LCS/TM-528, 1995).
struct Turns {
    strides: [f64; LEVELS],
    passes: [f64; LEVELS],
    /// The pass of the last turn: a level that was empty joins here and claims nothing for the time
    /// it was away.
    now: f64,
}

impl Turns {
    fn new(weights: &[f64]) -> Self {
        Self {
            strides: std::array::from_fn(|level| 1.0 / weights.get(level).copied().unwrap_or(1.0)),
            passes: [0.0; LEVELS],
            now: 0.0,
        }
    }

    fn join(&mut self, level: usize) {
        self.passes[level] = self.passes[level].max(self.now);
    }

    fn take(&mut self, level: usize) {
        self.now = self.passes[level];
        self.passes[level] += self.strides[level];
    }
}

impl<R: Runtime> Hall<R> {
    pub fn new(profile: &Profile) -> Self {
        let count = profile.workers.count;
        let reserved = profile.workers.bulkheads.clone();
        let Bulkheads { light, heavy } = reserved.unwrap_or(Bulkheads { light: 0, heavy: 0 });
        let posts = (0..profile.most_workers()).map(|worker| Post {
            hands: Hands::Busy,
            serves: [worker < light || worker >= light + heavy, worker >= light],
            on: worker < count,
            leaving: false,
            down: false,
        });
        let admission = profile.admission.as_ref();
        Self {
            lanes: (0..LEVELS * CLASSES).map(|_| Lane::default()).collect(),
            waiting: 0,
            entrance: Lane::default(),
            places: Vec::new(),
            serials: NOWHERE,
            turns: Turns::new(&profile.queue.weights),
            posts: posts.collect(),
            idle: VecDeque::new(),
            has_bulkheads: light + heavy > 0,
            serving: 0,
            stalled: false,
            crew: Crew {
                on: count,
                ..Crew::default()
            },
            bucket: admission
                .and_then(|rules| rules.token_bucket.as_ref())
                .map(Bucket::new),
            limit: admission
                .and_then(|rules| rules.limit.as_ref())
                .map(Limit::new),
            codel: profile.queue.codel.as_ref().map(Codel::new),
            time_limit: profile.queue.timeout.as_ref().map(QueueTimeout::new),
            rules: Rules::new(&profile.queue),
            own: None,
            over_limit: 0,
            without_token: 0,
            started_at: 0,
            ended_at: 0,
        }
    }

    /// Goes by other numbers from now on.
    pub fn follow(&mut self, profile: &Profile, now: Instant) {
        self.rules = Rules::new(&profile.queue);
        self.turns.strides = Turns::new(&profile.queue.weights).strides;
        let admission = profile.admission.as_ref();
        let rules = admission.and_then(|rules| rules.token_bucket.as_ref());
        if let (Some(bucket), Some(rules)) = (&mut self.bucket, rules) {
            bucket.set_rate(now, rules.rate_per_second);
        }
    }

    /// Whether a request waits at the entrance.
    pub fn is_blocked(&self, ticket: Ticket) -> bool {
        self.places
            .get(ticket.index())
            .is_some_and(|place| place.serial != NOWHERE && place.lane == AT_ENTRANCE)
    }

    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    pub fn blocked(&self) -> usize {
        self.entrance.live()
    }

    /// The request that has waited longest.
    pub fn oldest(&mut self) -> Option<Ticket> {
        let places = &self.places;
        self.lanes
            .iter_mut()
            .filter_map(|lane| lane.end(false, places))
            .min_by_key(|entry| entry.serial)
            .map(|entry| entry.ticket)
    }

    /// When a request was let in.
    pub fn since(&self, ticket: Ticket) -> Instant {
        self.places
            .get(ticket.index())
            .map_or(Instant::ZERO, |place| place.since)
    }

    fn put(&mut self, ticket: Ticket, now: Instant, lane: u8) -> Entry {
        self.serials += 1;
        let index = ticket.index();
        if self.places.len() <= index {
            self.places.resize(index + 1, Place::default());
        }
        let limit = self.time_limit.as_ref();
        self.places[index] = Place {
            serial: self.serials,
            since: now,
            waits_until: limit.map_or(Instant::NEVER, |limit| now + limit.limit(now)),
            inflight: self.serving + self.waiting + 1,
            lane,
        };
        Entry {
            serial: self.serials,
            ticket,
        }
    }

    /// Lets a request in that does not wait.
    pub fn note(&mut self, ticket: Ticket, now: Instant) {
        self.put(ticket, now, 0);
        self.places[ticket.index()].serial = NOWHERE;
    }

    /// Lets a request wait; how many wait then.
    pub fn push(&mut self, ticket: Ticket, level: u8, class: Class, now: Instant) -> u32 {
        let level = usize::from(level).min(LEVELS - 1);
        let lane = level * CLASSES + class as usize;
        if self.lanes[level * CLASSES].live() + self.lanes[level * CLASSES + 1].live() == 0 {
            self.turns.join(level);
        }
        let entry = self.put(ticket, now, lane as u8);
        self.lanes[lane].entries.push_back(entry);
        self.waiting += 1;
        self.waiting
    }

    /// Has the sender wait at the entrance.
    pub fn block(&mut self, ticket: Ticket, now: Instant) {
        let entry = self.put(ticket, now, AT_ENTRANCE);
        self.entrance.entries.push_back(entry);
    }

    /// The sender that has waited longest at the entrance.
    pub fn unblock(&mut self) -> Option<Ticket> {
        let entry = self.entrance.end(false, &self.places)?;
        self.entrance.take(false);
        self.places[entry.ticket.index()].serial = NOWHERE;
        Some(entry.ticket)
    }

    /// Takes a request out whose client does not want it any more, if it waits; from where.
    pub fn withdraw(&mut self, ticket: Ticket) -> Option<Removal> {
        let place = self.places.get_mut(ticket.index())?;
        if place.serial == NOWHERE {
            return None;
        }
        place.serial = NOWHERE;
        if place.lane == AT_ENTRANCE {
            self.entrance.spoil(&self.places);
            return Some(Removal::LeftEntrance);
        }
        let lane = usize::from(place.lane);
        self.lanes[lane].spoil(&self.places);
        self.waiting -= 1;
        Some(Removal::Cancelled)
    }

    /// Takes the next request for this worker by the discipline.
    pub fn pick(&mut self, worker: u32) -> Option<Ticket> {
        let serves = self.posts[worker as usize].serves;
        let newest = match self.rules.discipline {
            Discipline::Lifo => true,
            Discipline::AdaptiveLifo => self.waiting > self.rules.lifo_above,
            Discipline::Fifo | Discipline::Priority | Discipline::Weighted => false,
        };
        let places = &self.places;
        let mut best: Option<(usize, Entry)> = None;
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if !serves[index % CLASSES] {
                continue;
            }
            let Some(entry) = lane.end(newest, places) else {
                continue;
            };
            let (level, passes) = (index / CLASSES, &self.turns.passes);
            let better = best.is_none_or(|(other, than)| {
                let other = other / CLASSES;
                let earlier = (entry.serial < than.serial) != newest;
                match self.rules.discipline {
                    Discipline::Priority => level == other && earlier,
                    Discipline::Weighted if level != other => passes[level] < passes[other],
                    _ => earlier,
                }
            });
            if better {
                best = Some((index, entry));
            }
        }
        let (index, entry) = best?;
        self.lanes[index].take(newest);
        self.places[entry.ticket.index()].serial = NOWHERE;
        self.waiting -= 1;
        if self.rules.discipline == Discipline::Weighted {
            self.turns.take(index / CLASSES);
        }
        Some(entry.ticket)
    }

    /// Why a request that has been picked is not served, if it is not.
    pub fn condemns(&mut self, ticket: Ticket, deadline: Instant, now: Instant) -> Option<Removal> {
        let sojourn = now - self.since(ticket);
        if self.rules.drops_expired && now > deadline {
            return Some(Removal::Expired);
        }
        if now > self.places[ticket.index()].waits_until {
            return Some(Removal::TimedOut);
        }
        let waiting = self.waiting;
        let codel = self.codel.as_mut()?;
        codel
            .on_dequeue(now, sojourn, waiting)
            .then_some(Removal::Codel)
    }

    /// The queue may have become empty.
    pub fn note_empty(&mut self, now: Instant) {
        if self.waiting == 0
            && let Some(limit) = &mut self.time_limit
        {
            limit.on_empty(now);
        }
    }

    /// An idle worker for this class: one that serves nothing else before one that does.
    pub fn idle_for(&mut self, class: Class) -> Option<u32> {
        if !self.has_bulkheads {
            return self.idle.pop_front();
        }
        let class = class as usize;
        let best = self
            .idle
            .iter()
            .enumerate()
            .filter(|&(_, &worker)| self.posts[worker as usize].serves[class])
            .min_by_key(|&(place, &worker)| (self.posts[worker as usize].serves[1 - class], place));
        let (place, _) = best?;
        self.idle.remove(place)
    }

    /// Whether this worker may serve now.
    pub fn is_available(&self, worker: u32) -> bool {
        let post = &self.posts[worker as usize];
        post.on && !post.down && !self.stalled
    }

    /// A worker waits, for work or to be on duty again.
    pub fn rest(&mut self, worker: u32, parked: R::Parked) {
        let hands = if self.is_available(worker) {
            self.idle.push_back(worker);
            Hands::Idle(parked)
        } else {
            Hands::Away(parked)
        };
        self.posts[worker as usize].hands = hands;
    }

    /// Has idle workers that may not serve any more wait elsewhere.
    pub fn dismiss(&mut self) {
        let (stalled, posts) = (self.stalled, &mut self.posts);
        self.idle.retain(|&worker| {
            let post = &mut posts[worker as usize];
            let stays = post.on && !post.down && !stalled;
            if !stays && let Hands::Idle(_) = post.hands {
                let Hands::Idle(parked) = std::mem::replace(&mut post.hands, Hands::Busy) else {
                    unreachable!("just looked at");
                };
                post.hands = Hands::Away(parked);
            }
            stays
        });
    }

    /// Everybody who waits to be on duty and is, or everybody at all; each asks for work next.
    pub fn recall(&mut self, everybody: bool) -> Vec<R::Parked> {
        let mut woken = Vec::new();
        if everybody {
            self.idle.clear();
        }
        for worker in 0..self.posts.len() as u32 {
            let available = self.is_available(worker);
            let post = &mut self.posts[worker as usize];
            let wakes = match post.hands {
                Hands::Idle(_) => everybody,
                Hands::Away(_) => everybody || available,
                Hands::Busy | Hands::Handed(_) => false,
            };
            if wakes
                && let Hands::Idle(parked) | Hands::Away(parked) =
                    std::mem::replace(&mut post.hands, Hands::Busy)
            {
                woken.push(parked);
            }
        }
        woken
    }

    /// A service starts.
    pub fn begin(&mut self, now: Instant) {
        self.serving += 1;
        self.started_at += u128::from(now.nanos());
    }

    /// A service ends, well or not. The new concurrency limit, if it is another one now.
    pub fn end(&mut self, ticket: Ticket, now: Instant) -> Option<u32> {
        self.serving -= 1;
        self.ended_at += u128::from(now.nanos());
        self.sample(ticket, now, false)
    }

    /// A request was taken out unserved. The new concurrency limit, if it is another one now.
    pub fn note_dropped(&mut self, ticket: Ticket, now: Instant) -> Option<u32> {
        self.sample(ticket, now, true)
    }

    fn sample(&mut self, ticket: Ticket, now: Instant, dropped: bool) -> Option<u32> {
        let limit = self.limit.as_mut()?;
        let place = self.places[ticket.index()];
        limit.on_sample(now, now - place.since, place.inflight, dropped)
    }

    /// Worker-time spent serving so far, in worker-nanoseconds.
    pub fn busy_nanos(&self, now: Instant) -> u128 {
        self.ended_at + u128::from(self.serving) * u128::from(now.nanos()) - self.started_at
    }

    /// Whether the rule of whoever uses this as a library turns a request away.
    pub fn is_refused(&mut self, class: Class, at: Instant) -> bool {
        let (waiting, serving) = (self.waiting, self.serving);
        let offer = Offer {
            at,
            class,
            waiting,
            serving,
        };
        self.own.as_mut().is_some_and(|admits| !admits(&offer))
    }

    /// Whether admission turns a request away.
    pub fn turns_away(&mut self, now: Instant) -> bool {
        // Whoever waits at the entrance has passed the limit already.
        let inside = self.serving + self.waiting + self.blocked() as u32;
        let full = self
            .limit
            .as_ref()
            .is_some_and(|limit| inside >= limit.limit());
        // A request that the limit turns away takes no token.
        if full {
            self.over_limit += 1;
            return true;
        }
        let refuses = self
            .bucket
            .as_mut()
            .is_some_and(|bucket| !bucket.try_take(now));
        self.without_token += u64::from(refuses);
        refuses
    }
}
