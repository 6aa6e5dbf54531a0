//! Randomness: every draw is named by its source, its ordinal and its purpose.
//!
//! ```text
//! seed ─► source (an agent, a generator) ─► ordinal (its n-th request) ─► purpose ─► the draw
//! ```
//!
//! There is no shared stream to advance. A draw is a pure function of its name, so that it comes
//! out the same whichever worker asks for it and in whatever order, and two variants of one
//! experiment share their draws (common random numbers). Each step of the path is one application
//! of the SplitMix64 output function, a bijection that passes BigCrush when driven by a counter.
//!
//! Within a run, this file and `shape.rs` are the only users of `libm`: the standard library's transcendental
//! functions differ in the last bits between targets, `libm`'s do not.
//!
//! Sources: Steele, Lea, Flood, *Fast splittable pseudorandom number generators* (OOPSLA 2014) for
//! the generator; Marsaglia, Tsang, *The ziggurat method for generating random variables* (2000)
//! for the exponential distribution; those of the others stand where they are.

use std::convert::Infallible;
use std::rc::Rc;

use rand::{Rng, RngExt, TryRng};

use crate::units::Ratio;

mod factor;
mod normal;

pub use factor::Factor;
pub(crate) use factor::{balanced_probability, pareto_moment};

/// 2⁶⁴ divided by the golden ratio, made odd: the increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output function of SplitMix64 (variant 13 of Stafford's mixers).
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What a draw decides. The numbers are part of every digest: never reuse or reorder them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// When an agent wakes for the first time.
    FirstWake = 1,
    /// How long an agent thinks after an answer.
    Think = 2,
    /// How much the back-off after a failure is stretched or shortened.
    Backoff = 3,
    /// Which class a request has.
    Class = 4,
    /// How long the throttle makes an agent wait.
    ThrottleDelay = 5,
    /// Whether the gate drops a request early.
    EarlyDrop = 6,
    /// The service time.
    Service = 7,
    /// Whether the fault injector adds a spike.
    Spike = 8,
    /// Whether the fault injector fails the request.
    Error = 9,
    /// The time to the next arrival of an open-loop generator.
    Interarrival = 10,
    /// How long a generator stays in a burst, or between two.
    Sojourn = 11,
    /// How long a client waits before a retry.
    RetryBackoff = 20,
    /// How long a message takes from client to server, and back.
    RequestLatency = 30,
    #[allow(missing_docs)]
    AnswerLatency = 31,
    /// Whether the network loses the request, or its answer.
    RequestLoss = 32,
    #[allow(missing_docs)]
    AnswerLoss = 33,
    /// Whether the connection is reset.
    Reset = 34,
    /// The same five between a worker and the dependency.
    DownstreamRequestLatency = 35,
    #[allow(missing_docs)]
    DownstreamAnswerLatency = 36,
    #[allow(missing_docs)]
    DownstreamRequestLoss = 37,
    #[allow(missing_docs)]
    DownstreamAnswerLoss = 38,
    #[allow(missing_docs)]
    DownstreamReset = 39,
    /// How long the dependency takes.
    DownstreamService = 40,
    /// Whether the dependency answers with an error.
    DownstreamError = 41,
    /// When all workers pause next.
    StallGap = 42,
    /// When workers crash next.
    CrashGap = 43,
    /// Whether a client's own throttle holds a request back.
    ClientThrottle = 44,
}

/// Kinds of sources, so that agent 0 and generator 0 do not share draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum SourceKind {
    /// A closed-loop agent.
    Agent = 1,
    /// An open-loop generator.
    Generator = 2,
    /// What goes wrong by itself.
    Fault = 3,
    /// A further agent of an intervention.
    ExtraAgent = 4,
}

/// All randomness of one run.
#[derive(Clone, Debug)]
pub struct Randomness {
    key: u64,
    ziggurat: Rc<Ziggurat>,
}

impl Randomness {
    /// The randomness that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self {
            key: mix(u64::from(seed).wrapping_add(GOLDEN)),
            ziggurat: Rc::new(Ziggurat::new()),
        }
    }

    /// The draws of one source.
    #[must_use]
    pub fn source(&self, kind: SourceKind, index: u32) -> Source {
        let name = (kind as u64) << 32 | u64::from(index);
        Source(mix(self.key ^ mix(name.wrapping_mul(GOLDEN))))
    }

    /// A number from the uniform distribution on [0, 1), with 53 random bits.
    #[inline]
    #[must_use]
    pub fn uniform(&self, draws: Draws, purpose: Purpose) -> f64 {
        draws.stream(purpose).random()
    }

    /// A number from the Lomax distribution (Pareto from 0 on) with tail index 1.5 and mean 1.
    #[must_use]
    pub fn lomax(&self, draws: Draws, purpose: Purpose) -> f64 {
        // (1 − u)^(−1/1.5) − 1 has mean 1/(1.5 − 1) = 2.
        let root = libm::cbrt(1.0 - self.uniform(draws, purpose));
        (1.0 / (root * root) - 1.0) / 2.0
    }

    /// A number from the exponential distribution with mean 1.
    #[inline]
    #[must_use]
    pub fn exponential(&self, draws: Draws, purpose: Purpose) -> f64 {
        self.ziggurat.sample(&mut draws.stream(purpose))
    }

    /// A number from the normal distribution with mean 0 and standard deviation 1.
    #[must_use]
    pub fn normal(&self, draws: Draws, purpose: Purpose) -> f64 {
        normal::sample(&mut draws.stream(purpose))
    }
}

/// A probability that may grow with pressure (the square of the queue's saturation).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance {
    base: f64,
    per_pressure: f64,
    possible: bool,
}

impl Chance {
    /// The probability at no pressure, and what full pressure adds.
    #[must_use]
    pub fn new(base: f64, per_pressure: f64) -> Self {
        let possible = base > 0.0 || per_pressure > 0.0;
        Self {
            base,
            per_pressure,
            possible,
        }
    }

    /// Whether it can happen at all.
    #[inline]
    #[must_use]
    pub fn is_possible(self) -> bool {
        self.possible
    }

    /// Whether it happens this time. A probability of 0 or 1 draws nothing.
    #[inline]
    #[must_use]
    pub fn happens(
        self,
        randomness: &Randomness,
        draws: Draws,
        purpose: Purpose,
        pressure: Ratio,
    ) -> bool {
        if !self.possible {
            return false;
        }
        let probability = self.base + self.per_pressure * pressure.value();
        if probability <= 0.0 {
            return false;
        }
        probability >= 1.0 || randomness.uniform(draws, purpose) < probability
    }
}

/// The draws of one agent or generator.
#[derive(Clone, Copy, Debug)]
pub struct Source(u64);

impl Source {
    /// The draws that belong to its `ordinal`-th request.
    #[inline]
    #[must_use]
    pub fn request(self, ordinal: u64) -> Draws {
        Draws(mix(self.0.wrapping_add(ordinal.wrapping_mul(GOLDEN))))
    }
}

/// The draws of one request: everything about it that is left to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws(u64);

impl Draws {
    /// The draws that belong to the `attempt`-th send of the same request; those of the first send
    /// are the request's own.
    #[inline]
    #[must_use]
    pub fn attempt(self, attempt: u8) -> Self {
        if attempt == 0 {
            return self;
        }
        Self(mix(self.0 ^ mix(u64::from(attempt).wrapping_mul(GOLDEN))))
    }

    /// The generator behind one purpose, for whatever takes an [`rand::Rng`].
    #[inline]
    #[must_use]
    pub fn stream(self, purpose: Purpose) -> Stream {
        // Purposes are far apart in the counter, so that their streams cannot meet.
        Stream(self.0 ^ (purpose as u64).wrapping_mul(0xd134_2543_de82_ef95))
    }
}

/// A short SplitMix64 stream; value-stable for ever.
#[derive(Clone, Debug)]
pub struct Stream(u64);

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(GOLDEN);
        Ok(mix(self.0))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// `(eˣ − 1) / x`, and its limit 1 where x is 0.
fn exprel(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { libm::expm1(x) / x }
}

/// Tables of the ziggurat for the exponential density, 256 layers of equal area.
#[derive(Debug)]
struct Ziggurat {
    /// Right edges of the layers, the widest first; edge 0 stands for the base with its tail.
    edges: [f64; 257],
    /// The density at each edge.
    density: [f64; 257],
}

impl Ziggurat {
    /// Where the tail begins, and the area of a layer (Marsaglia and Tsang, table for 256 layers).
    const TAIL: f64 = 7.697_117_470_131_05;
    const AREA: f64 = 0.003_949_659_822_581_557;

    fn new() -> Self {
        let mut edges = [0.0; 257];
        edges[0] = Self::AREA / libm::exp(-Self::TAIL);
        edges[1] = Self::TAIL;
        for layer in 2..256 {
            let below = edges[layer - 1];
            edges[layer] = -libm::log(Self::AREA / below + libm::exp(-below));
        }
        let density = edges.map(|edge| libm::exp(-edge));
        Self { edges, density }
    }

    #[inline]
    fn sample(&self, random: &mut impl Rng) -> f64 {
        loop {
            let bits = random.next_u64();
            let layer = (bits & 0xff) as usize;
            let x = (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64) * self.edges[layer];
            if x < self.edges[layer + 1] {
                return x;
            }
            if layer == 0 {
                // 1 − u lies in (0, 1], so that the logarithm is finite.
                return Self::TAIL - libm::log(1.0 - random.random::<f64>());
            }
            let (lower, upper) = (self.density[layer], self.density[layer + 1]);
            if lower + (upper - lower) * random.random::<f64>() < libm::exp(-x) {
                return x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub const SAMPLES: u64 = 200_000;

    pub fn moments(draw: impl Fn(Draws) -> f64) -> (f64, f64) {
        let source = Randomness::new(7).source(SourceKind::Agent, 3);
        let (mut sum, mut squares) = (0.0, 0.0);
        for ordinal in 0..SAMPLES {
            let x = draw(source.request(ordinal));
            sum += x;
            squares += x * x;
        }
        let mean = sum / SAMPLES as f64;
        (mean, squares / SAMPLES as f64 - mean * mean)
    }

    /// Five standard errors of the mean and of the variance, from the known fourth moments.
    #[track_caller]
    pub fn check(got: (f64, f64), mean: f64, variance: f64, fourth_central: f64) {
        let n = SAMPLES as f64;
        assert!(
            (got.0 - mean).abs() < 5.0 * (variance / n).sqrt(),
            "mean {got:?}"
        );
        let spread = ((fourth_central - variance * variance) / n).sqrt();
        assert!((got.1 - variance).abs() < 5.0 * spread, "variance {got:?}");
    }

    /// Kolmogorov–Smirnov: D·√n stays below 1.95 with probability 0.999.
    #[track_caller]
    pub fn follows(mut drawn: Vec<f64>, cdf: impl Fn(f64) -> f64) {
        drawn.sort_by(f64::total_cmp);
        let n = drawn.len() as f64;
        let worst = drawn
            .iter()
            .enumerate()
            .map(|(i, &x)| {
                let cdf = cdf(x);
                (cdf - i as f64 / n)
                    .abs()
                    .max((cdf - (i + 1) as f64 / n).abs())
            })
            .fold(0.0, f64::max);
        assert!(worst * n.sqrt() < 1.95, "D·√n = {}", worst * n.sqrt());
    }

    #[test]
    fn uniform_draws_have_the_moments_of_the_uniform_distribution() {
        let randomness = Randomness::new(1);
        let got = moments(|draws| randomness.uniform(draws, Purpose::Class));
        check(got, 0.5, 1.0 / 12.0, 1.0 / 80.0);
    }

    #[test]
    fn exponential_draws_have_the_moments_of_the_exponential_distribution() {
        let randomness = Randomness::new(1);
        let got = moments(|draws| randomness.exponential(draws, Purpose::Service));
        check(got, 1.0, 1.0, 9.0);
    }

    #[test]
    fn exponential_draws_follow_the_whole_distribution_not_only_its_moments() {
        let randomness = Randomness::new(2);
        let source = randomness.source(SourceKind::Agent, 0);
        let drawn = (0..SAMPLES).map(|n| randomness.exponential(source.request(n), Purpose::Think));
        follows(drawn.collect(), |x| 1.0 - libm::exp(-x));
    }

    #[test]
    fn a_draw_depends_on_its_name_alone() {
        let (one, two) = (Randomness::new(9), Randomness::new(9));
        let draws = |r: &Randomness| r.source(SourceKind::Agent, 5).request(11);
        let first = one.exponential(draws(&one), Purpose::Service);
        let _ = two.uniform(draws(&two), Purpose::Error);
        assert_eq!(
            first.to_bits(),
            two.exponential(draws(&two), Purpose::Service).to_bits()
        );
    }

    #[test]
    fn different_names_draw_differently() {
        let r = Randomness::new(9);
        let mut seen = std::collections::BTreeSet::new();
        for index in 0..50 {
            for kind in [SourceKind::Agent, SourceKind::Generator] {
                for ordinal in 0..50 {
                    let draws = r.source(kind, index).request(ordinal);
                    for purpose in [Purpose::Think, Purpose::Service, Purpose::Interarrival] {
                        seen.insert(r.uniform(draws, purpose).to_bits());
                    }
                }
            }
        }
        assert_eq!(seen.len(), 50 * 2 * 50 * 3);
    }

    #[test]
    fn neighbouring_names_are_not_correlated() {
        // Lag-one correlation over ordinals, agents and purposes; five standard errors of 1/√n.
        let r = Randomness::new(4);
        let at = |agent: u32, ordinal: u64, purpose| {
            r.uniform(r.source(SourceKind::Agent, agent).request(ordinal), purpose) - 0.5
        };
        let n = 100_000_u32;
        let correlation = |pair: &dyn Fn(u32) -> (f64, f64)| {
            12.0 * (0..n).map(pair).map(|(a, b)| a * b).sum::<f64>() / f64::from(n)
        };
        let bound = 5.0 / f64::from(n).sqrt();
        let along_ordinals = correlation(&|i| {
            (
                at(0, i.into(), Purpose::Think),
                at(0, u64::from(i) + 1, Purpose::Think),
            )
        });
        let along_agents =
            correlation(&|i| (at(i, 0, Purpose::Think), at(i + 1, 0, Purpose::Think)));
        let along_purposes = correlation(&|i| (at(i, 0, Purpose::Spike), at(i, 0, Purpose::Error)));
        for value in [along_ordinals, along_agents, along_purposes] {
            assert!(value.abs() < bound, "{value} against {bound}");
        }
    }
}
