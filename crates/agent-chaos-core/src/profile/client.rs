//! The client's policies, and the network between client and server.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Breaker, ClientThrottle, Conflicts, Retry, RetryBudget};

/// What a client does for each request: how long it waits, and what it does when it fails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// How long the client waits for the answer to one send; the server goes on with what nobody waits for any more.
    #[cfg_attr(feature = "schema", schemars(title = "Timeout", range(min = 0.000_1, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log", "x-null-title" = "waits for ever")))]
    pub timeout_seconds: Option<f64>,
    /// After this long the client gives the request up, whatever is under way; the request carries the moment with it.
    #[cfg_attr(feature = "schema", schemars(title = "Deadline", range(min = 0.000_1, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log", "x-null-title" = "none")))]
    pub deadline_seconds: Option<f64>,
    /// Whether a send that the client no longer waits for is taken out of the server's queue.
    #[cfg_attr(feature = "schema", schemars(title = "Withdraws what it gave up"))]
    pub withdraws: bool,
    /// Sends a failed request again.
    #[cfg_attr(feature = "schema", schemars(title = "Retries", extend("x-template" = Retry::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Bounds the retries of all clients together.
    #[cfg_attr(feature = "schema", schemars(title = "Retry budget", extend("x-template" = RetryBudget::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<RetryBudget>,
    /// Sends nothing for a while after too many failures; all clients share it.
    #[cfg_attr(feature = "schema", schemars(title = "Circuit breaker", extend("x-template" = Breaker::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
    /// Holds requests back at random when the server accepts too few of them.
    #[cfg_attr(feature = "schema", schemars(title = "Adaptive throttle", extend("x-template" = ClientThrottle::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<ClientThrottle>,
    /// Sends a second copy when the answer to the first takes long; the first good answer counts.
    #[cfg_attr(feature = "schema", schemars(title = "Hedging", extend("x-template" = Hedge::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge: Option<Hedge>,
}

/// A further copy of a request that has not been answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Hedge {
    /// How long the client waits before it sends a copy; the usual choice is the 95th percentile of the latency.
    #[cfg_attr(feature = "schema", schemars(title = "Sent after", range(min = 0.000_1, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log")))]
    pub after_seconds: f64,
    /// How many copies it sends at most, one after the other.
    #[cfg_attr(
        feature = "schema",
        schemars(title = "Copies", range(min = 1, max = 3))
    )]
    pub max_copies: u32,
}

impl Default for Hedge {
    fn default() -> Self {
        Self {
            after_seconds: 0.1,
            max_copies: 1,
        }
    }
}

impl Client {
    pub(super) fn conflicts(&self, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.budget.is_some() && self.retry.is_none(),
            "/client/budget",
            "a section in braces",
            "null, or retries for it to bound in client.retry",
        );
        if let Some(breaker) = &self.breaker {
            breaker.conflicts("/client/breaker", conflicts);
        }
    }

    /// How many sends a request may have, copies included.
    #[must_use]
    pub fn most_attempts(&self) -> u32 {
        let retries = self.retry.as_ref().map_or(1, |retry| retry.max_attempts);
        retries + self.hedge.as_ref().map_or(0, |hedge| hedge.max_copies)
    }
}

/// The network between clients and server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// How long a message takes, one way, without jitter.
    #[cfg_attr(feature = "schema", schemars(title = "Latency, one way", range(min = 0.0, max = 1_000.0), extend("x-unit" = "s")))]
    pub latency_seconds: f64,
    /// How the time of a message varies.
    #[cfg_attr(feature = "schema", schemars(title = "Jitter", extend("x-enum-titles" = ["none", "uniform", "normal", "Pareto"])))]
    pub jitter: LatencyJitter,
    /// Uniform: the latency plus or minus up to this. Normal: this is the standard deviation. Pareto: the mean of what is added, with tail index 1.5.
    #[cfg_attr(feature = "schema", schemars(title = "Jitter, size", range(min = 0.0, max = 1_000.0), extend("x-unit" = "s")))]
    pub jitter_seconds: f64,
    /// Probability that a message is lost; whoever waits for it learns of it by a timeout.
    #[cfg_attr(feature = "schema", schemars(title = "Loss", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub loss_ratio: f64,
    /// Probability that a connection is reset instead of taking the request to the server; the client learns of it after one way.
    #[cfg_attr(feature = "schema", schemars(title = "Reset", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub reset_ratio: f64,
    /// When nothing has come over a connection for this long, the send has failed.
    #[cfg_attr(feature = "schema", schemars(title = "Socket timeout", range(min = 0.000_1, max = 100_000.0), extend("x-unit" = "s", "x-scale" = "log", "x-null-title" = "none")))]
    pub socket_timeout_seconds: Option<f64>,
    /// All clients share this many connections; each send holds one until its answer.
    #[cfg_attr(feature = "schema", schemars(title = "Connection pool", extend("x-template" = ConnectionPool::default(), "default" = serde_json::Value::Null)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<ConnectionPool>,
}

/// How the time of a message varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LatencyJitter {
    #[allow(missing_docs)]
    None,
    #[allow(missing_docs)]
    Uniform,
    #[allow(missing_docs)]
    Normal,
    #[allow(missing_docs)]
    Pareto,
}

/// A pool of connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionPool {
    /// How many connections there are.
    #[cfg_attr(feature = "schema", schemars(title = "Connections", range(min = 1, max = 1_000_000), extend("x-unit" = "{connection}", "x-scale" = "log")))]
    pub size: u32,
    /// How long a send waits for a free connection before it fails; 0 does not wait at all.
    #[cfg_attr(feature = "schema", schemars(title = "Wait limit", range(min = 0.0, max = 100_000.0), extend("x-unit" = "s", "x-null-title" = "no limit")))]
    pub wait_seconds: Option<f64>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            latency_seconds: 0.001,
            jitter: LatencyJitter::None,
            jitter_seconds: 0.0,
            loss_ratio: 0.0,
            reset_ratio: 0.0,
            socket_timeout_seconds: Some(30.0),
            pool: None,
        }
    }
}

impl Default for ConnectionPool {
    fn default() -> Self {
        Self {
            size: 100,
            wait_seconds: Some(1.0),
        }
    }
}

impl Network {
    pub(super) fn conflicts(&self, at: &str, somebody_times_out: bool, conflicts: &mut Conflicts) {
        conflicts.refuse(
            self.loss_ratio > 0.0 && self.socket_timeout_seconds.is_none() && !somebody_times_out,
            format_args!("{at}/loss_ratio"),
            self.loss_ratio,
            "0, or a socket timeout, a client timeout or a deadline: else a lost message is waited for for ever",
        );
        conflicts.refuse(
            self.jitter == LatencyJitter::Uniform && self.jitter_seconds > self.latency_seconds,
            format_args!("{at}/jitter_seconds"),
            self.jitter_seconds,
            format_args!("at most latency_seconds, {} s", self.latency_seconds),
        );
    }
}

/// Something that a worker calls while it serves, and waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Downstream {
    /// Mean time the dependency takes to answer, the network aside.
    #[cfg_attr(feature = "schema", schemars(title = "Service time, mean", range(min = 0.0, max = 1_000.0), extend("x-unit" = "s")))]
    pub service_seconds: f64,
    /// Whether that time is always the mean or drawn from the exponential distribution.
    #[cfg_attr(feature = "schema", schemars(title = "Distribution", extend("x-enum-titles" = ["deterministic", "exponential"])))]
    pub distribution: DownstreamDistribution,
    /// Probability that the dependency answers with an error, which fails the request.
    #[cfg_attr(feature = "schema", schemars(title = "Errors", range(min = 0.0, max = 1.0), extend("x-unit" = "ratio")))]
    pub error_ratio: f64,
    /// The network between a worker and the dependency.
    #[cfg_attr(feature = "schema", schemars(title = "Network"))]
    pub network: Network,
}

/// How the time of the dependency varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DownstreamDistribution {
    #[allow(missing_docs)]
    Deterministic,
    #[allow(missing_docs)]
    Exponential,
}

impl Default for Downstream {
    fn default() -> Self {
        Self {
            service_seconds: 0.01,
            distribution: DownstreamDistribution::Exponential,
            error_ratio: 0.0,
            network: Network::default(),
        }
    }
}

impl Downstream {
    pub(super) fn conflicts(&self, conflicts: &mut Conflicts) {
        self.network
            .conflicts("/downstream/network", false, conflicts);
    }
}
