//! The adaptive client throttle: a client rejects its own requests when the server mostly would.
//!
//! ```text
//!   request ──► probability(now), the caller draws ──► rejected here, at no cost to the server
//!      │                                  └──────────► sent ──► accepted by the server?
//!      └──► on_request (either way)                                  └──► on_accept
//! ```
//!
//! Over a trailing window of `window_seconds`, kept in 120 slices (so that it is 119 to 120 of them
//! long), the client counts what it was asked for, rejected here or not, and what the server
//! accepted. It rejects with probability
//!
//! ```text
//!   p = max(0, (requests − K · accepts) / (requests + 1))
//! ```
//!
//! So nothing is rejected while at least one in K requests is accepted. Beyond that the client sends
//! K times what the server accepts: at K = 2 the server has to refuse as many requests as it
//! accepts, however many are asked for. The larger K, the sooner a recovery is noticed and the more the
//! server has to refuse. If nothing is accepted, p nears 1 but does not reach it.
//!
//! After a total failure that lasted longer than the window, nothing that was accepted is remembered,
//! and of n requests within the window about one gets through. From there what is sent grows by
//! e^(x·t/window) with x = K (1 − e⁻ˣ), while all of it is accepted: at K = 2, x is 1.59, and with
//! two minutes that is 2.2-fold a minute. The more requests a client has, the longer it is away.
//!
//! Accepted is what the server took on, even if it failed afterwards; a refusal for overload is not.
//!
//! Source: Beyer et al. (ed.), *Site Reliability Engineering* (2016), chapter 21, *Client-side throttling*,
//! with K = 2 and two minutes.

use super::window::Window;
use crate::profile::ClientThrottle;
use crate::units::{Instant, Span};

/// Slices of the window.
const SLICES: u32 = 120;

/// How likely a client is to reject its own requests.
#[derive(Clone, Debug)]
pub struct Rejection {
    multiplier: f64,
    requests: Window,
    accepts: Window,
}

impl Rejection {
    /// A client that has been asked for nothing.
    #[must_use]
    pub fn new(rules: &ClientThrottle) -> Self {
        let window = Window::new(Span::from_seconds(rules.window_seconds), SLICES);
        Self {
            multiplier: rules.multiplier,
            requests: window.clone(),
            accepts: window,
        }
    }

    /// The probability with which to reject a request that comes now, between 0 and 1. The caller
    /// draws; with a probability of 0 there is nothing to draw.
    pub fn probability(&mut self, now: Instant) -> f64 {
        let requests = self.requests.sum(now) as f64;
        let accepts = self.accepts.sum(now) as f64;
        ((requests - self.multiplier * accepts) / (requests + 1.0)).clamp(0.0, 1.0)
    }

    /// A request has come, rejected here or not. To be said after its probability was asked for.
    pub fn on_request(&mut self, now: Instant) {
        self.requests.add(now, 1);
    }

    /// The server has accepted a request.
    pub fn on_accept(&mut self, now: Instant) {
        self.accepts.add(now, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Randomness, SourceKind};
    use proptest::prelude::*;

    fn default() -> Rejection {
        Rejection::new(&ClientThrottle::default())
    }

    /// `rate` requests per second to a server that accepts so many in each second; how many were sent
    /// in each.
    fn sent(multiplier: f64, rate: u64, seconds: u64, capacity: impl Fn(u64) -> u64) -> Vec<u64> {
        let randomness = Randomness::new(3);
        let draws = randomness.source(SourceKind::Generator, 0);
        let mut client = Rejection::new(&ClientThrottle {
            multiplier,
            ..ClientThrottle::default()
        });
        let mut sent = vec![0; seconds as usize];
        let mut accepted = 0;
        for n in 0..rate * seconds {
            let (second, within) = (n / rate, n % rate);
            let now = Instant::from_nanos(n * (1_000_000_000 / rate));
            if within == 0 {
                accepted = 0;
            }
            let p = client.probability(now);
            client.on_request(now);
            // Any purpose will do, since this test has but one.
            if randomness.uniform(draws.request(n), Purpose::EarlyDrop) >= p {
                sent[second as usize] += 1;
                // Capacity comes evenly over the second.
                if accepted * rate < (within + 1) * capacity(second) {
                    accepted += 1;
                    client.on_accept(now);
                }
            }
        }
        sent
    }

    fn mean(sent: &[u64]) -> f64 {
        sent.iter().sum::<u64>() as f64 / sent.len() as f64
    }

    #[test]
    fn a_healthy_server_is_sent_everything() {
        assert!(sent(2.0, 100, 60, |_| 100).iter().all(|&sent| sent == 100));
        // Half of the requests refused is as far as K = 2 goes without a rejection here: p = 0 in the mean.
        assert!(mean(&sent(2.0, 100, 300, |_| 52)[1..]) > 99.5);
    }

    #[test]
    fn if_everything_is_refused_nearly_everything_is_rejected() {
        let mut client = default();
        for n in 0..1000_u32 {
            let p = client.probability(Instant::ZERO);
            assert_eq!(p, f64::from(n) / f64::from(n + 1));
            client.on_request(Instant::ZERO);
        }
    }

    #[test]
    fn an_overloaded_server_is_sent_k_times_what_it_accepts() {
        // Seed 3. In 180 s about 3600 · K are sent; five standard errors of a count are below 4 %.
        for (multiplier, of_capacity) in [(2.0, 40.0), (1.5, 30.0), (4.0, 80.0)] {
            for rate in [200, 500] {
                let settled = mean(&sent(multiplier, rate, 420, |_| 20)[240..]);
                let error = settled / of_capacity - 1.0;
                assert!(error.abs() < 0.06, "K {multiplier}, {rate}/s: {settled}/s");
            }
        }
    }

    #[test]
    fn after_a_fault_shorter_than_the_window_the_client_is_back_within_two() {
        let faulty = |from, to| {
            let capacity = move |second| if (from..to).contains(&second) { 0 } else { 100 };
            sent(2.0, 100, 500, capacity)
        };
        // Thirty seconds of refusals are less than half of the window: nothing is rejected.
        assert!(mean(&faulty(150, 180)[..]) > 99.9);
        let sent = faulty(150, 240);
        assert!(mean(&sent[230..240]) < 60.0, "{}", mean(&sent[230..240]));
        assert!(mean(&sent[480..]) > 99.9, "{}", mean(&sent[480..]));
    }

    #[test]
    fn after_a_fault_longer_than_the_window_the_client_comes_back_exponentially() {
        let capacity = |second| if (150..290).contains(&second) { 0 } else { 100 };
        let sent = sent(2.0, 100, 3000, capacity);
        assert!(mean(&sent[270..290]) < 1.0, "one of n + 1 is sent");
        assert!(mean(&sent[350..410]) < 10.0, "a window later, still");
        assert!(mean(&sent[2900..]) > 99.9);
        // By e^(60/75) = 2.2 a minute; seed 3, growth between 5 and 50 a second.
        let minutes: Vec<_> = sent[290..].chunks(60).map(mean).collect();
        let growing = minutes
            .windows(2)
            .filter(|pair| pair[0] > 5.0 && pair[1] < 50.0);
        let factors: Vec<_> = growing.map(|pair| pair[1] / pair[0]).collect();
        assert!(!factors.is_empty());
        assert!(
            factors.iter().all(|factor| (1.8..2.7).contains(factor)),
            "{factors:?}"
        );
    }

    proptest! {
        #[test]
        fn it_is_a_probability_whatever_happens(
            (multiplier, window) in (1.0..=100.0_f64, 0.001..=1e5_f64),
            calls in prop::collection::vec((any::<u64>(), 0..40_u32, 0..3_u8), 0..200),
        ) {
            let mut client = Rejection::new(&ClientThrottle { multiplier, window_seconds: window });
            for (now, shift, call) in calls {
                let now = Instant::from_nanos(now >> shift);
                match call {
                    0 => client.on_request(now),
                    1 => client.on_accept(now),
                    _ => {}
                }
                let p = client.probability(now);
                prop_assert!((0.0..1.0).contains(&p), "{p}");
            }
        }
    }
}
