//! The token bucket: lets in a rate, and a burst above it.
//!
//! ```text
//!   rate per second ──► ╲       ╱
//!                        ╲ burst ╱   full at the start, never above the burst
//!                         ╲─┬──╱
//!      a request ──────────►│ takes one token, or is refused
//! ```
//!
//! On every interval of t seconds at most `burst + rate · t` requests are let in, exactly: the level
//! is a whole number of 10⁻¹⁵ tokens, which is what a rate in millionths of a token per second
//! gives in one nanosecond. Rates are rounded to that.
//!
//! Source: Turner, *New directions in communications (or which way to the information age?)* (1986);
//! as a limit on an arrival curve, Cruz, *A calculus for network delay*, part I (1991).

use crate::profile::TokenBucket;
use crate::units::Instant;

/// One token, in the units of the level.
const TOKEN: u128 = 1_000_000_000_000_000;

/// A bucket of tokens that fills with time.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Units per nanosecond, which are millionths of a token per second.
    rate: u64,
    most: u128,
    level: u128,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(rules: &TokenBucket) -> Self {
        let most = u128::from(rules.burst) * TOKEN;
        Self {
            rate: millionths(rules.rate_per_second),
            most,
            level: most,
            at: Instant::ZERO,
        }
    }

    /// Takes a token, if there is one.
    pub fn try_take(&mut self, now: Instant) -> bool {
        self.fill(now);
        let one = self.level >= TOKEN;
        if one {
            self.level -= TOKEN;
        }
        one
    }

    /// Whole tokens in the bucket.
    pub fn tokens(&mut self, now: Instant) -> u32 {
        self.fill(now);
        (self.level / TOKEN) as u32
    }

    /// Fills at another rate from now on; what is in the bucket stays.
    pub fn set_rate(&mut self, now: Instant, rate_per_second: f64) {
        self.fill(now);
        self.rate = millionths(rate_per_second);
    }

    fn fill(&mut self, now: Instant) {
        let nanos = now.since(self.at).nanos();
        // A product of two 64-bit numbers fits, and what does not fit on top is above any burst.
        let gain = u128::from(nanos) * u128::from(self.rate);
        self.level = self.level.saturating_add(gain).min(self.most);
        self.at = self.at.max(now);
    }
}

/// Millionths per second, rounded; a senseless rate is none.
fn millionths(rate_per_second: f64) -> u64 {
    (rate_per_second * 1e6 + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bucket(rate_per_second: f64, burst: u32) -> Bucket {
        Bucket::new(&TokenBucket {
            rate_per_second,
            burst,
        })
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn it_lets_in_the_burst_at_once_and_then_the_rate() {
        let mut bucket = bucket(100.0, 10);
        let mut admitted = Vec::new();
        // A request every 100 µs for 10 s: a hundred times the rate.
        for n in 0..100_000_u64 {
            if bucket.try_take(at(n * 100_000)) {
                admitted.push(n);
            }
        }
        assert_eq!(admitted.len(), 10 + 999, "the last token comes at 10 s");
        assert_eq!(admitted[..11], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
        assert!(
            admitted[10..]
                .windows(2)
                .all(|pair| pair[1] - pair[0] == 100)
        );
    }

    #[test]
    fn a_load_below_the_rate_is_let_in_whole() {
        let mut bucket = bucket(100.0, 1);
        assert!((0..1000).all(|n| bucket.try_take(at(n * 10_000_000))));
    }

    #[test]
    fn a_third_of_a_token_per_second_is_a_token_in_three_seconds() {
        let mut bucket = bucket(1.0 / 3.0, 1);
        assert!(bucket.try_take(Instant::ZERO));
        // Rounded to 0.333333 tokens per second, so that the token is whole 3 µs late.
        assert!(!bucket.try_take(at(3_000_000_000)));
        assert!(bucket.try_take(at(3_000_003_001)));
    }

    #[test]
    fn what_is_in_the_bucket_outlives_a_change_of_rate() {
        let mut bucket = bucket(1.0, 10);
        for _ in 0..10 {
            assert!(bucket.try_take(Instant::ZERO));
        }
        bucket.set_rate(at(3_000_000_000), 1000.0);
        assert_eq!(bucket.tokens(at(3_000_000_000)), 3);
        assert_eq!(bucket.tokens(at(3_002_000_000)), 5);
        bucket.set_rate(at(3_002_000_000), 0.0);
        assert_eq!(bucket.tokens(at(9_000_000_000)), 5);
    }

    proptest! {
        #[test]
        fn on_every_interval_no_more_than_the_burst_and_the_rate_are_let_in(
            rate in 0.001..=1e6_f64, burst in 1..=1_000_000_u32, few in any::<bool>(),
            gaps in prop::collection::vec(0..=2_000_000_000_u64, 1..150), shrink in 0..9_u32,
        ) {
            let burst = if few { burst % 10 + 1 } else { burst };
            let mut bucket = bucket(rate, burst);
            let (mut now, mut admitted) = (0, Vec::new());
            for gap in gaps {
                now += gap / 10_u64.pow(shrink);
                if bucket.try_take(at(now)) {
                    admitted.push(now);
                }
            }
            for (i, from) in admitted.iter().enumerate() {
                for (j, to) in admitted.iter().enumerate().skip(i) {
                    let most = u128::from(burst) * TOKEN
                        + u128::from(millionths(rate)) * u128::from(to - from);
                    prop_assert!((j - i + 1) as u128 * TOKEN <= most, "{from} to {to}");
                }
            }
        }

        #[test]
        fn no_bucket_panics_on_any_number(
            rate: f64, burst: u32, calls in prop::collection::vec((any::<u64>(), any::<f64>()), 0..50),
        ) {
            let mut bucket = bucket(rate, burst);
            for (now, rate) in calls {
                bucket.try_take(at(now));
                bucket.set_rate(at(now), rate);
                prop_assert!(bucket.tokens(at(now)) <= burst);
            }
        }
    }
}
