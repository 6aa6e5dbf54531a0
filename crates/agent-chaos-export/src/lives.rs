//! Gathers the records of each request until its life is over.

use std::collections::BTreeMap;

use agent_chaos_core::Profile;
use agent_chaos_core::records::{Kind, Life, Record};
use agent_chaos_core::units::Instant;

/// The requests under way.
pub struct Lives {
    profile: Profile,
    open: BTreeMap<u64, Open>,
}

#[derive(Default)]
struct Open {
    records: Vec<Record>,
    /// It has ended for its client; the server may still be at it.
    has_ended: bool,
}

impl Lives {
    pub fn new(profile: &Profile) -> Self {
        Self {
            profile: profile.clone(),
            open: BTreeMap::new(),
        }
    }

    /// Takes in a record. The life of its request, if that is over with it.
    pub fn see(&mut self, record: &Record) -> Option<Life> {
        let number = record.request()?;
        let settles = self.profile.has_clients();
        let open = self.open.entry(number).or_default();
        open.records.push(*record);
        open.has_ended |= match record.kind() {
            Kind::Settled => true,
            Kind::Throttled | Kind::Completed | Kind::Removed | Kind::Lost => !settles,
            _ => false,
        };
        if !open.has_ended {
            return None;
        }
        let life = Life::new(&open.records, &self.profile, record.at)?;
        if !life.is_over {
            return None;
        }
        self.open.remove(&number);
        Some(life)
    }

    /// The lives of all that are left, as of the end of the run.
    pub fn rest(&mut self, now: Instant) -> Vec<Life> {
        let open = std::mem::take(&mut self.open);
        let lives = open
            .into_values()
            .filter_map(|open| Life::new(&open.records, &self.profile, now));
        lives.collect()
    }
}
