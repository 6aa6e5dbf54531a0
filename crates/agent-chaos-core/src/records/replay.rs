//! Finding a request whose records are not on hand: the same run once more, keeping only what is
//! about that request.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Life, MOST_OF_ONE, Record};
use crate::event::Event;
use crate::profile::Profile;
use crate::run::{Limit, Run};
use crate::units::Instant;

/// A run that is repeated up to a record, for the sake of one request.
pub struct Replay {
    run: Run,
    kept: Rc<RefCell<Kept>>,
    until: u64,
    now: Instant,
}

struct Kept {
    number: u64,
    until: u64,
    seen: u64,
    records: Vec<Record>,
}

impl Replay {
    /// Looks for a request among the first `until` records of a run of this profile, which was at
    /// `now` by then.
    #[must_use]
    pub fn new(profile: &Profile, number: u64, until: u64, now: Instant) -> Self {
        let kept = Rc::new(RefCell::new(Kept {
            number,
            until,
            seen: 0,
            records: Vec::new(),
        }));
        let watcher = Rc::clone(&kept);
        let observer = Box::new(move |event: &Event<'_>| {
            let kept = &mut *watcher.borrow_mut();
            kept.seen += 1;
            if kept.seen > kept.until {
                return;
            }
            let record = Record::of(event);
            if record.request == kept.number && kept.records.len() < MOST_OF_ONE {
                kept.records.push(record);
            }
        });
        Self {
            run: Run::observed(profile, Some(observer)).alone(),
            kept,
            until,
            now,
        }
    }

    /// Goes on with so many polls. Whether all there is to know of the request has been found.
    pub fn advance(&mut self, polls: u64) -> bool {
        let before = self.kept.borrow().records.len();
        let finished = self.run.advance(Limit {
            polls,
            ..Limit::NONE
        });
        let kept = self.kept.borrow();
        let is_new = kept.records.len() > before;
        finished || kept.seen >= self.until || (is_new && self.is_over(&kept.records))
    }

    /// Whether nothing can come any more.
    fn is_over(&self, records: &[Record]) -> bool {
        Life::new(records, self.run.profile(), self.now).is_some_and(|life| life.is_over)
    }

    /// How much of the way is done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        let seen = self.kept.borrow().seen.min(self.until);
        seen as f64 / self.until.max(1) as f64
    }

    /// The life of the request, as far as it has been found.
    #[must_use]
    pub fn life(&self) -> Option<Life> {
        Life::new(&self.kept.borrow().records, self.run.profile(), self.now)
    }
}
