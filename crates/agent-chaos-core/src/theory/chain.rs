//! Birth–death chains: one count that goes up and down by one at rates of its own in each state.
//!
//! ```text
//!      birth(0)    birth(1)             birth(last−1)
//!   0 ────────► 1 ────────► 2 …  last−1 ────────────► last
//!     ◄────────   ◄────────             ◄────────────
//!      death(1)    death(2)              death(last)
//! ```
//!
//! Beside the steady state there is what a system that starts empty lacks of it: a mean over a run
//! without warm-up is too low by that over the length of the run.
//!
//! Source: Karlin and Taylor, *A First Course in Stochastic Processes* (1975), ch. 4; the lack is the
//! solution of Poisson's equation, as in Whitt, *Asymptotic formulas for Markov processes with
//! applications to simulation*, Operations Research 40 (1992).

/// A chain with the states 0, 1, … `last`.
pub struct Chain {
    births: Vec<f64>,
    deaths: Vec<f64>,
    shares: Vec<f64>,
    likeliest: usize,
}

impl Chain {
    /// By its rates: `birth(n)` leads from n to n + 1, `death(n)` from n to n − 1. All of them are
    /// above 0, up to `birth(last)` and `death(0)`, which are not asked for.
    #[must_use]
    pub fn new(last: u32, birth: impl Fn(f64) -> f64, death: impl Fn(f64) -> f64) -> Self {
        let states = last as usize + 1;
        // What leads up from n, and what leads back from n + 1.
        let births: Vec<f64> = (0..last).map(|n| birth(f64::from(n))).collect();
        let deaths: Vec<f64> = (1..=last).map(|n| death(f64::from(n))).collect();
        let rising = births.iter().zip(&deaths).position(|(up, down)| up <= down);
        let likeliest = rising.unwrap_or(states - 1);
        // Relative to the likeliest state, so that nothing overflows.
        let mut shares = vec![1.0; states];
        for n in likeliest + 1..states {
            shares[n] = shares[n - 1] * births[n - 1] / deaths[n - 1];
        }
        for n in (0..likeliest).rev() {
            shares[n] = shares[n + 1] * deaths[n] / births[n];
        }
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        Self {
            births,
            deaths,
            shares,
            likeliest,
        }
    }

    /// The mean of `of` in the steady state.
    #[must_use]
    pub fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        let states = self.shares.iter().enumerate();
        states.map(|(n, share)| share * of(n as f64)).sum()
    }

    /// `∫ (E[f] − E[f(X(t)) | X(0) = 0]) dt` over all time: what a chain that starts in 0 lacks of
    /// the steady state.
    ///
    /// With `A(m) = Σ_{k≤m} π(k)·(E[f] − f(k)) / π(m)` it is `Σ A(m)·P(X > m) / birth(m)`.
    #[must_use]
    pub fn lack(&self, of: impl Fn(f64) -> f64) -> f64 {
        let mean = self.mean(&of);
        let last = self.births.len();
        let mut sums = vec![0.0; last];
        // Each side from its unlikely end, so that rounding fades instead of growing.
        let mut sum = 0.0;
        for (m, place) in sums.iter_mut().enumerate().take(self.likeliest) {
            if m > 0 {
                sum *= self.deaths[m - 1] / self.births[m - 1];
            }
            sum += mean - of(m as f64);
            *place = sum;
        }
        sum = 0.0;
        for m in (self.likeliest..last).rev() {
            sum = (sum + of((m + 1) as f64) - mean) * self.births[m] / self.deaths[m];
            sums[m] = sum;
        }
        let mut above = 0.0;
        let mut lack = 0.0;
        for m in (0..last).rev() {
            above += self.shares[m + 1];
            lack += sums[m] * above / self.births[m];
        }
        lack
    }
}

#[cfg(test)]
mod tests {
    use super::super::{mmc, mmck};
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!(
            (got / expected - 1.0).abs() < 1e-9,
            "{got}, expected {expected}"
        );
    }

    #[test]
    fn it_is_the_queue_of_many_servers() {
        for (arrivals, servers, places) in [(3.0, 4, 10), (4.66, 4, 80), (400.0, 4, 3000)] {
            let c = f64::from(servers);
            let chain = Chain::new(servers + places, |_| arrivals, |n| n.min(c));
            let steady = mmck(arrivals, 1.0, servers, places);
            close(chain.mean(|n| (n - c).max(0.0)), steady.queue);
            close(chain.mean(|n| n.min(c)) / c, steady.utilization);
            let last = f64::from(servers + places);
            close(
                chain.mean(|n| f64::from(u8::from(n == last))),
                steady.blocking,
            );
        }
        let long = Chain::new(4000, |_| 3.2, |n| n.min(4.0));
        close(
            long.mean(|n| (n - 4.0).max(0.0)),
            mmc(3.2, 1.0, 4).unwrap().queue,
        );
    }

    /// Two states: `P(t) = p·(1 − e^−(a+b)t)`, of which the integral of what lacks is p/(a+b).
    #[test]
    fn two_states_settle_by_an_exponential() {
        let (a, b) = (2.0, 3.0);
        let chain = Chain::new(1, |_| a, |_| b);
        close(chain.lack(|n| n), a / (a + b) / (a + b));
    }

    /// The virtual wait of M/M/1 from empty, by the transform of its emptiness: with E[S²] = 2,
    /// E[S³] = 6 it is `λ/(1−ρ)² + λ²/(1−ρ)³`.
    #[test]
    fn an_empty_start_is_what_the_busy_period_says() {
        for load in [0.3, 0.8, 0.95] {
            let chain = Chain::new(3000, |_| load, |_| 1.0);
            let (rest, all) = (1.0 - load, chain.lack(|n| n));
            let expected = load / (rest * rest) + load * load / (rest * rest * rest);
            assert!(
                (all / expected - 1.0).abs() < 1e-9,
                "{load}: {all}, {expected}"
            );
        }
    }

    /// Stepping through time must come to the same, for a queue in overload that has to fill first.
    #[test]
    fn what_lacks_is_what_stepping_through_time_finds() {
        let (arrivals, last) = (6.0, 30);
        let chain = Chain::new(last, |_| arrivals, |n| n.min(4.0));
        let mean = chain.mean(|n| n);
        let mut shares = vec![0.0; last as usize + 1];
        shares[0] = 1.0;
        let (step, mut found) = (1e-3, 0.0);
        for _ in 0..200_000 {
            let now: f64 = shares.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            let before = shares.clone();
            for n in 0..=last as usize {
                let death = |n: usize| (n as f64).min(4.0);
                let up = if n < last as usize { arrivals } else { 0.0 };
                let mut change = -(up + death(n)) * before[n];
                if n > 0 {
                    change += arrivals * before[n - 1];
                }
                if n < last as usize {
                    change += death(n + 1) * before[n + 1];
                }
                shares[n] += step * change;
            }
            let after: f64 = shares.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
            // The trapezoidal rule.
            found += step * (mean - 0.5 * (now + after));
        }
        let lack = chain.lack(|n| n);
        assert!((lack / found - 1.0).abs() < 1e-3, "{lack}, {found}");
    }
}
