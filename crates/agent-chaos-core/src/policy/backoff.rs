//! Back-off: how long a client waits before it tries again, and how the waits are spread.
//!
//! ```text
//! attempt ─✗─► wait ─► attempt ─✗─► wait ─► attempt ─✗─► wait ─► …          n = 0, 1, 2, …
//!              x = b               x = 2b               x = 4b … cap        exponential
//!              x = b               x = b                x = b               fixed
//!
//! jitter   none           x                              mean x
//!          full           U(0, x)                        mean x/2
//!          equal          x/2 + U(0, x/2)                mean ¾x
//!          decorrelated   min(cap, U(b, 3·last wait))    means 2b, 3.5b, 5.75b, … while uncapped
//! ```
//!
//! With x = min(cap, b·2ⁿ), n being 0 for the first retry; in seconds, kept in whole nanoseconds.
//! Growth relieves a server that is overloaded for long; jitter keeps clients that failed together
//! from coming back together. Decorrelated jitter goes by the last wait in place of n: for the
//! first retry that counts as b, and whether growth is fixed or exponential makes no difference.
//!
//! Source: Marc Brooker, *Exponential Backoff and Jitter*, AWS Architecture Blog (2015), and the
//! simulator published with it, whose n is 1 for the first retry, so that its waits are those of
//! twice the base.

use crate::profile::{BackoffGrowth, Jitter, Retry};
use crate::random::{Draws, Purpose, Randomness};
use crate::units::Span;

/// How long clients wait before they try again.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    growth: BackoffGrowth,
    jitter: Jitter,
    base: u64,
    cap: u64,
}

impl Backoff {
    /// Waits by these rules.
    #[must_use]
    pub fn new(rules: &Retry) -> Self {
        Self {
            growth: rules.backoff,
            jitter: rules.jitter,
            base: Span::from_seconds(rules.base_seconds).nanos(),
            cap: Span::from_seconds(rules.cap_seconds).nanos(),
        }
    }

    /// How long to wait before the `retry`-th retry, counted from 1.
    ///
    /// `previous` is the wait before the last retry (only decorrelated jitter looks at it, and not
    /// before the first retry). `draws` belong to the attempt that failed: were they the same for
    /// every attempt of a request, its waits would all be the same share of x. Without jitter, and
    /// for a wait of no time, nothing is drawn.
    #[must_use]
    pub fn wait(&self, retry: u32, previous: Span, randomness: &Randomness, draws: Draws) -> Span {
        let steps = retry.saturating_sub(1);
        let longest = match self.growth {
            BackoffGrowth::None => 0,
            BackoffGrowth::Fixed => self.base.min(self.cap),
            BackoffGrowth::Exponential => doubled(self.base, steps).min(self.cap),
        };
        if longest == 0 {
            return Span::ZERO;
        }
        let within = |from: u64, to: u64| {
            let drawn = randomness.uniform(draws, Purpose::RetryBackoff);
            from.saturating_add((drawn * to.saturating_sub(from) as f64) as u64)
        };
        let nanos = match self.jitter {
            Jitter::None => longest,
            Jitter::Full => within(0, longest),
            Jitter::Equal => within(longest / 2, longest),
            Jitter::Decorrelated => {
                let last = if steps == 0 {
                    self.base
                } else {
                    previous.nanos().max(self.base)
                };
                within(self.base, last.saturating_mul(3)).min(self.cap)
            }
        };
        Span::from_nanos(nanos)
    }
}

/// `nanos · 2^steps`, or for ever.
fn doubled(nanos: u64, steps: u32) -> u64 {
    let factor = 1_u64.checked_shl(steps).unwrap_or(u64::MAX);
    nanos.saturating_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SourceKind;
    use proptest::prelude::*;

    const BASE: f64 = 0.1;

    fn rules(backoff: BackoffGrowth, jitter: Jitter) -> Retry {
        Retry {
            backoff,
            jitter,
            ..Retry::default()
        }
    }

    /// The waits of many clients before their `retry`-th retry, in seconds.
    fn waits(rules: &Retry, retry: u32) -> Vec<f64> {
        let (randomness, backoff) = (Randomness::new(7), Backoff::new(rules));
        let client = |index| {
            let source = randomness.source(SourceKind::Agent, index);
            let mut wait = Span::ZERO;
            for n in 1..=retry {
                wait = backoff.wait(n, wait, &randomness, source.request(n.into()));
            }
            wait.seconds()
        };
        (0..50_000).map(client).collect()
    }

    /// Seed 7, 50,000 clients; five standard errors of the mean, estimated from the sample.
    #[track_caller]
    fn mean_is(rules: &Retry, retry: u32, expected: f64) {
        let waits = waits(rules, retry);
        let n = waits.len() as f64;
        let mean = waits.iter().sum::<f64>() / n;
        let variance = waits.iter().map(|w| (w - mean) * (w - mean)).sum::<f64>() / n;
        let tolerance = 5.0 * (variance / n).sqrt() + 1e-9;
        assert!(
            (mean - expected).abs() < tolerance,
            "{rules:?}, retry {retry}: {mean} ± {tolerance}, expected {expected}"
        );
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        use BackoffGrowth::{Exponential, Fixed, None};
        for retry in 1..=7 {
            let doubled = BASE * f64::from(1_u32 << (retry - 1));
            mean_is(&rules(Exponential, Jitter::None), retry, doubled);
            mean_is(&rules(Fixed, Jitter::None), retry, BASE);
            mean_is(&rules(None, Jitter::None), retry, 0.0);
        }
        // 0.1 s · 2⁸ is above 20 s.
        mean_is(&rules(Exponential, Jitter::None), 9, 20.0);
        mean_is(&rules(Exponential, Jitter::None), 50, 20.0);
    }

    #[test]
    fn jitter_has_the_means_of_its_definition() {
        use BackoffGrowth::{Exponential, Fixed};
        for retry in 1..=4 {
            let x = BASE * f64::from(1_u32 << (retry - 1));
            mean_is(&rules(Exponential, Jitter::Full), retry, x / 2.0);
            mean_is(&rules(Exponential, Jitter::Equal), retry, 0.75 * x);
            mean_is(&rules(Fixed, Jitter::Full), retry, BASE / 2.0);
            mean_is(&rules(Fixed, Jitter::Equal), retry, 0.75 * BASE);
        }
        mean_is(&rules(Exponential, Jitter::Full), 12, 10.0);
    }

    #[test]
    fn decorrelated_waits_grow_with_the_last_wait_whatever_the_growth() {
        for growth in [BackoffGrowth::Fixed, BackoffGrowth::Exponential] {
            let rules = Retry {
                cap_seconds: 1e5,
                ..rules(growth, Jitter::Decorrelated)
            };
            for (retry, mean) in [(1, 2.0), (2, 3.5), (3, 5.75)] {
                mean_is(&rules, retry, mean * BASE);
            }
        }
    }

    #[test]
    fn jittered_waits_stay_within_their_bounds() {
        let bounds = [
            (Jitter::Full, 0.0, 0.4),
            (Jitter::Equal, 0.2, 0.4),
            (Jitter::Decorrelated, 0.1, 2.7),
        ];
        for (jitter, least, most) in bounds {
            let waits = waits(&rules(BackoffGrowth::Exponential, jitter), 3);
            assert!(
                waits.iter().all(|w| (least..=most).contains(w)),
                "{jitter:?}"
            );
            let (low, high) = waits.iter().fold((f64::MAX, 0.0_f64), |(low, high), &w| {
                (low.min(w), high.max(w))
            });
            assert!(low < least + 0.01 * most, "{jitter:?} starts at {low}");
            assert!(high > 0.9 * most, "{jitter:?} ends at {high}");
        }
    }

    #[test]
    fn jitter_spreads_what_failed_together() {
        let together = waits(&rules(BackoffGrowth::Exponential, Jitter::None), 3);
        assert!(together.windows(2).all(|pair| pair[0] == pair[1]));
        let mut apart = waits(&rules(BackoffGrowth::Exponential, Jitter::Full), 3);
        apart.sort_by(f64::total_cmp);
        apart.dedup();
        assert!(apart.len() > 49_000);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_longer_than_the_cap(
            (growth, jitter) in (0..3_usize, 0..4_usize),
            (base, cap) in (0.001..=1e5_f64, 0.001..=1e5_f64),
            retry: u32, previous: u64, ordinal: u64,
        ) {
            use BackoffGrowth::{Exponential, Fixed};
            let rules = Retry {
                max_attempts: 50,
                backoff: [BackoffGrowth::None, Fixed, Exponential][growth],
                base_seconds: base,
                cap_seconds: cap,
                jitter: [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated][jitter],
            };
            let randomness = Randomness::new(1);
            let draws = randomness.source(SourceKind::Agent, 0).request(ordinal);
            let previous = Span::from_nanos(previous);
            let wait = Backoff::new(&rules).wait(retry, previous, &randomness, draws);
            prop_assert!(wait <= Span::from_seconds(cap));
            let again = Backoff::new(&rules).wait(retry, previous, &randomness, draws);
            prop_assert_eq!(wait, again);
        }
    }
}
