//! What every peer shares: the job it is given, the draws it makes and the line it prints.

use std::time::Duration;

use rand::SeedableRng;
use rand_distr::{Distribution, Exp1};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Service times have this mean, in seconds.
pub const SERVICE_SECONDS: f64 = 0.001;

/// One of the queues that are timed.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// As it is called on the command line.
    pub name: &'static str,
    /// Mean time between arrivals, in seconds, or of an agent's thinking if there are agents.
    pub gap_seconds: f64,
    /// How many serve.
    pub workers: usize,
    /// Waiting places, beside those at the workers.
    pub places: usize,
    /// How many think and then send; without any, arrivals are a Poisson process.
    pub agents: usize,
}

const WORKLOADS: [Workload; 4] = [
    Workload {
        name: "mm1",
        gap_seconds: 1.0 / 900.0,
        workers: 1,
        places: usize::MAX,
        agents: 0,
    },
    Workload {
        name: "mm4-80",
        gap_seconds: 1.0 / 4660.0,
        workers: 4,
        places: 80,
        agents: 0,
    },
    Workload {
        name: "agents-1000",
        gap_seconds: 1_000.0 / 4660.0,
        workers: 4,
        places: 80,
        agents: 1_000,
    },
    Workload {
        name: "agents-100000",
        gap_seconds: 100_000.0 / 4660.0,
        workers: 4,
        places: 80,
        agents: 100_000,
    },
];

/// What a peer is asked to do: `<workload> <requests> <seed>`.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// The queue.
    pub workload: Workload,
    /// After this many requests nobody sends any more.
    pub requests: u64,
    /// For the random numbers.
    pub seed: u64,
}

impl Job {
    /// Reads the command line.
    ///
    /// # Panics
    ///
    /// If it is not `<workload> <requests> <seed>`.
    #[must_use]
    pub fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [name, requests, seed] = arguments.as_slice() else {
            panic!("usage: <workload> <requests> <seed>");
        };
        Self {
            workload: WORKLOADS
                .into_iter()
                .find(|workload| workload.name == name)
                .expect("a known workload"),
            requests: requests.parse().expect("a number of requests"),
            seed: seed.parse().expect("a seed"),
        }
    }

    /// Prints what came out on this engine, named as its package, as one line of JSON.
    pub fn report(&self, engine: &str, tally: &Tally, took: Duration) {
        println!(
            "{{\"engine\": \"{engine}\", \"version\": \"{}\", \"workload\": \"{}\", \"requests\": {}, \
             \"completed\": {}, \"refused\": {}, \"mean_sojourn_seconds\": {}, \"seconds\": {}}}",
            locked_version(engine),
            self.workload.name,
            tally.created,
            tally.completed,
            tally.refused,
            tally.sojourn_seconds / tally.completed as f64,
            took.as_secs_f64(),
        );
    }
}

/// The version of a package in the lock file.
fn locked_version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"\nversion = \"");
    let (_, after) = include_str!("../Cargo.lock")
        .split_once(&name)
        .expect("a locked package");
    after.split('"').next().expect("a version")
}

/// What is counted, and nothing more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Requests sent.
    pub created: u64,
    /// Requests refused by the full queue.
    pub refused: u64,
    /// Requests served.
    pub completed: u64,
    /// Times from creation to completion, added up.
    pub sojourn_seconds: f64,
}

impl Tally {
    /// Counts a request that was served.
    pub fn complete(&mut self, sojourn_seconds: f64) {
        self.completed += 1;
        self.sojourn_seconds += sojourn_seconds;
    }

    /// Whether this many requests have been sent and each was refused or served.
    #[must_use]
    pub fn settled(&self, requests: u64) -> bool {
        self.refused + self.completed == requests
    }
}

/// Exponential draws: xoshiro256++ and a ziggurat, as in our own engine.
#[derive(Debug)]
pub struct Draws(Xoshiro256PlusPlus);

impl Draws {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A draw with this mean.
    #[inline]
    pub fn exponential(&mut self, mean: f64) -> f64 {
        let unit: f64 = Exp1.sample(&mut self.0);
        unit * mean
    }
}

impl Default for Draws {
    fn default() -> Self {
        Self::new(0)
    }
}
