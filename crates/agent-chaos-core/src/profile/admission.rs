//! Admission: what the server lets in at all.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConcurrencyLimit, Conflicts, TokenBucket};

/// What the server lets in, before the queue is looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Admission {
    /// Lets in so many requests per second, and a burst beyond.
    #[cfg_attr(feature = "schema", schemars(title = "Token bucket", extend("x-template" = TokenBucket::default())))]
    pub token_bucket: Option<TokenBucket>,
    /// Lets in so many requests at a time, waiting and served together.
    #[cfg_attr(feature = "schema", schemars(title = "Concurrency limit", extend("x-template" = ConcurrencyLimit::default())))]
    pub limit: Option<ConcurrencyLimit>,
}

impl Admission {
    pub(super) fn conflicts(&self, conflicts: &mut Conflicts) {
        if let Some(limit) = &self.limit {
            limit.conflicts("/admission/limit", conflicts);
        }
    }
}
