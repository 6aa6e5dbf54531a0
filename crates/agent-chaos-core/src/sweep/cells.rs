//! The cells of a plan, run one after the other in slices.

use super::{Plan, Row};
use crate::profile::Profile;
use crate::wire::ProfileError;
use crate::{Limit, Run};

/// Runs the cells of a plan in order, a little at a time, as a host that must stay responsive does. A cell
/// counts when it has been run to its end.
pub struct Cells {
    plan: Plan,
    next: u64,
    run: Option<Run>,
    /// The point whose profile this is.
    point: Option<(u64, Profile)>,
}

impl Cells {
    /// All cells of this plan, of which none has been run.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        Self {
            plan,
            next: 0,
            run: None,
            point: None,
        }
    }

    /// What is run.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Goes on up to the limit, within one cell at the most: its row, if it has ended.
    ///
    /// # Errors
    ///
    /// As [`Plan::profile`]; the cell is passed over.
    pub fn advance(&mut self, limit: Limit) -> Result<Option<Row>, ProfileError> {
        if self.is_finished() {
            return Ok(None);
        }
        let run = match &mut self.run {
            Some(run) => run,
            none => {
                let point = self.plan.point_of(self.next);
                if self.point.as_ref().is_none_or(|(known, _)| *known != point) {
                    match self.plan.profile(point) {
                        Ok(profile) => self.point = Some((point, profile)),
                        Err(error) => {
                            self.next += 1;
                            return Err(error);
                        }
                    }
                }
                let (_, profile) = self
                    .point
                    .as_mut()
                    .expect("the profile of the present point");
                profile.seed = self.plan.seed_of(self.next);
                none.insert(Run::new(profile))
            }
        };
        if !run.advance(limit) {
            return Ok(None);
        }
        let row = self.plan.row(self.next, &run.report());
        self.run = None;
        self.next += 1;
        Ok(Some(row))
    }

    /// How many cells have been run.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.next
    }

    /// Whether all have been run.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.next == self.plan.cells()
    }

    /// How much of everything is done, from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        let part = self.run.as_ref().map_or(0.0, Run::progress);
        (self.next as f64 + part) / self.plan.cells() as f64
    }
}
