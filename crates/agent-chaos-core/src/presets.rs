//! The presets: profiles worth starting from. Each is a file that holds what differs from the
//! defaults; the defaults are `exp-001`.

use crate::profile::Profile;
use crate::wire;

/// A named experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What it belongs to, for people.
    pub group: &'static str,
    /// The name that links and the command line use.
    pub name: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// One sentence on what it shows.
    pub summary: &'static str,
    text: &'static str,
}

macro_rules! presets {
    ($($group:literal { $($name:literal, $title:literal, $summary:literal;)* })*) => {
        /// All presets, in the order of display.
        pub static PRESETS: &[Preset] = &[
            $($(Preset {
                group: $group,
                name: $name,
                title: $title,
                summary: $summary,
                text: include_str!(concat!("../presets/", $name, ".json")),
            }),*),*
        ];
    };
}

presets! {
    "Recorded experiments" {
        "exp-001", "EXP-001 Control",
            "80 agents, 12 workers, 200 places: enough of everything, nothing ever waits for long.";
        "exp-002", "EXP-002 Congestion",
            "400 agents, 4 workers, 80 places: the queue fills, the throttle holds it, and it stays degraded.";
        "exp-003", "EXP-003 Saturation",
            "1000 agents, 2 workers, 50 places: far too much load; the system collapses and stays down.";
    }
    "The published package" {
        "published-001", "Published 001",
            "What the published package's own code does with 80 agents: one burst, one request each.";
        "published-002", "Published 002",
            "What the published package's own code does with 400 agents and 4 workers.";
        "published-003", "Published 003",
            "What the published package's own code does with 1000 agents and 2 workers.";
    }
    "Queueing theory" {
        "mm1", "M/M/1",
            "Poisson arrivals at 900/s, one exponential worker of 1000/s, an unbounded queue: the textbook case.";
        "mm4-80", "M/M/4/80",
            "Poisson arrivals at 4660/s, four exponential workers of 1000/s each, 80 waiting places: overload that rejects.";
        "mg1-heavy-tail", "M/G/1, heavy tail",
            "Poisson arrivals at 700/s, one worker of 1000/s with bounded Pareto service times: a few long ones make all others wait five times as long as exponential ones would.";
    }
    "Load" {
        "flash-crowd", "Flash crowd",
            "200/s become 800/s for ten seconds: the queue collapses, and recovers soon after the crowd; without early drop it stays down.";
        "ramp-to-collapse", "Ramp to collapse",
            "The rate climbs from half of what four workers can serve to one and a half times as much: where does it tip over?";
        "diurnal-day", "Diurnal day",
            "A day in two minutes: the queue collapses before noon, and comes back in the evening, at a lower rate than that at which it fell.";
        "bursty-mmpp", "Bursty arrivals (MMPP)",
            "200/s in the mean, but in bursts of 600/s: as steady arrivals the same load would never wait for long.";
        "replay", "Replay of recorded rates",
            "The arrival rates of a day, hour by hour, as somebody might have recorded them; put your own in their place.";
        "two-tenants", "Two tenants",
            "150 light requests a second share the workers with another tenant, whose heavy ones become ten times as many for half a minute.";
    }
    "Metastable failures and their cures" {
        "retry-storm", "Retry storm",
            "Half the load that one worker can serve, timeouts of 1 s and three attempts: ten seconds of rush leave it working for nobody, for good.";
        "retry-storm-budget", "Retry storm, cured by a budget",
            "The same storm, with retries bounded to a fifth of the requests and ten a second: it is over a few seconds after the rush.";
        "retry-storm-lifo", "Retry storm, cured by LIFO",
            "The same storm, with the newest request served first: what is served is still waited for, and the storm never lasts.";
        "retry-storm-jitter", "Retry storm, not cured by jitter",
            "The same storm with exponential back-off and full jitter: attempts come later and spread out, but as many of them, and nothing recovers.";
        "retry-storm-breaker", "Retry storm, cured by a circuit breaker",
            "The same storm with a breaker that opens for 5 s: it refuses many during the rush, and the queue has drained when it lets them back.";
        "retry-storm-shedding", "Retry storm, cured by shedding",
            "The same storm with CoDel: the server drops what has waited too long and tells its client, so that what it serves is in time.";
        "metastable", "Metastable collapse",
            "240 impatient agents run well until 400 more come for 15 s: they leave, and the queue stays full, because its fullness slows the workers down.";
        "metastable-backoff", "Metastable collapse, prevented",
            "The same agents and the same rush, with the patient back-off of the recorded experiments: the queue empties as soon as the rush is over.";
    }
    "Clients and network" {
        "hedging", "Hedging",
            "Three in a hundred services take 0.2 s longer; a copy sent after 20 ms takes them out of the 99th percentile for 3 % more load.";
        "deadline", "Deadlines",
            "For half a minute twice as much comes, and clients wait for 0.2 s: since the queue throws away what nobody waits for any more, half of all requests fail, not four in five.";
        "client-throttle", "Adaptive client throttle",
            "For half a minute twice as much comes: clients that see refusals send less by themselves, and spare the gate most of the rest.";
        "flaky-network", "Flaky network",
            "A network that delays, loses and resets, and half a minute in which it loses a fifth of the messages: retries hide most failures and pay in time.";
        "pool-exhaustion", "Connection pool exhaustion",
            "Ten connections to the server, and half a minute of a slower network: clients wait for connections and fail while the workers are idle.";
    }
    "Queue and admission" {
        "lifo-overload", "LIFO under overload",
            "450/s where 333 can be served, and clients that wait for 0.2 s: the newest first, and every service is in time; in order, none would be.";
        "adaptive-lifo", "Adaptive LIFO",
            "The same overload with a queue that goes by turns while it is short and newest first while it is long: as good under stress, and fair at rest.";
        "priority", "Strict priority",
            "Light requests go before heavy ones: they wait a quarter as long as in order, and the heavy ones twice as long.";
        "weighted", "Weighted priorities",
            "Twice as much as can be served, of two kinds that share three to one: the light one gets its three quarters, the heavy one is not starved.";
        "codel", "CoDel",
            "Thirty seconds of overload without a bound on the queue: CoDel drops at its head, ever faster, until the queue has become short.";
        "queue-timeout", "Queue timeout",
            "The same rush with a queue that lets requests wait for 5 ms only while it has not been empty for a while.";
        "token-bucket", "Token bucket",
            "For thirty seconds twice as much comes: a bucket of 270/s lets in what the workers can do, and the queue stays short.";
        "concurrency-limit", "Concurrency limit (AIMD)",
            "For thirty seconds twice as much comes: a limit that is cut when answers are late, and grows while they are not, refuses the rest.";
        "gradient-limit", "Concurrency limit (Gradient2)",
            "The same rush with a limit that compares latency now with latency over a long time: it needs no timeout to know that the queue has become long.";
    }
    "Workers and dependency" {
        "one-pool", "One pool",
            "The same flood without bulkheads: the heavy requests take all eight workers, and the light ones fail with them.";
        "bulkheads", "Bulkheads",
            "A flood of heavy requests has five of the eight workers and no more: the light ones do not notice it.";
        "autoscaler", "Autoscaler",
            "Three times the load for forty seconds: workers are added, six seconds too late, again and again, and stay on for a while after it.";
        "gc-stalls", "Garbage collection",
            "All workers pause for half a second now and then: the median does not show it, the 99th percentile is nothing but that.";
        "worker-crash", "Worker crash",
            "One worker of four is down for fifteen seconds and the rest cannot do without it; later all four, for two.";
        "slow-downstream", "Slow dependency",
            "The dependency takes four times as long for forty seconds: its eight connections run out, and half of the requests fail for want of one, before an empty queue.";
        "game-day", "Game day",
            "One trouble after another: a crowd, a slow dependency, crashes, a pause, a lossy network and a mistake in scaling down.";
    }
}

impl Preset {
    /// The preset's profile.
    ///
    /// # Panics
    ///
    /// Never: the files are part of this crate, and a test reads each.
    #[must_use]
    pub fn profile(&self) -> Profile {
        wire::parse(self.text).expect("a preset is a valid profile")
    }
}

/// The preset of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_valid_profile_with_a_name_of_its_own() {
        for (index, preset) in PRESETS.iter().enumerate() {
            let profile = preset.profile();
            assert!(
                PRESETS[..index]
                    .iter()
                    .all(|other| other.name != preset.name && other.profile() != profile)
            );
        }
    }

    #[test]
    fn the_defaults_are_the_control_experiment() {
        assert_eq!(find("exp-001").unwrap().profile(), Profile::default());
    }

    #[test]
    fn the_recorded_presets_differ_in_agents_workers_and_capacity_alone() {
        for name in ["exp-002", "exp-003"] {
            let changes = wire::changes(&Profile::default(), &find(name).unwrap().profile());
            let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
            assert_eq!(
                paths,
                ["agents.count", "queue.capacity", "workers.count"],
                "{name}"
            );
        }
    }
}
