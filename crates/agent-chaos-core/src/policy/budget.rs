//! Retry budgets: how many retries a client may afford, over all of its requests.
//!
//! ```text
//! request ──────► on_request ──┐
//! answer ───────► on_outcome ──┼─► balance ─► try_retry? ──► yes: wait and send again
//! (at any time)   active calls ┘                      └────► no:  the request has failed
//! ```
//!
//! A limit on the attempts of one request bounds amplification at that many times the load, and
//! that is what a total failure then costs. A budget bounds the retries of all requests together:
//!
//! | kind | a retry is allowed while | source |
//! | --- | --- | --- |
//! | windowed | retries ≤ ratio · requests + min per second · window, within the window | Finagle |
//! | active | retries under way < max(min active, ratio · requests under way) | Envoy |
//! | tokens | tokens > half of the most; a failure takes 1, a success gives the token ratio | gRPC |
//!
//! *Windowed.* Every request deposits `ratio` of a retry, every retry withdraws one; both are
//! forgotten after the window, which is kept in ten slices (so that it is 9 to 10 tenths long). On
//! top there is a reserve of `min_per_second · window_seconds` per window. As a withdrawal outlives
//! the deposits it was made from, the balance may fall below zero for a while; no retry is allowed
//! then. Counted in millionths of a retry, exactly; Finagle rounds the price of a retry to
//! thousandths of a request.
//!
//! *Active.* Nothing is remembered: the caller says what is under way, retries included. Envoy
//! counts a retry from the moment it is decided, its back-off included, and counts requests that
//! wait for a connection. Within one instant the ratio is rounded down to a whole retry.
//!
//! *Tokens.* The bucket begins full. Every attempt counts, retries too: in equilibrium the share of
//! failures is `token_ratio / (1 + token_ratio)`, and with more failures than that the retries
//! stop. Counted in thousandths of a token, as gRPC does.
//!
//! Sources: Finagle, `RetryBudget` (with `TokenBucket.newLeakyBucket` and `WindowedAdder` of
//! twitter/util); Envoy, `CircuitBreakers.Thresholds.RetryBudget`; gRPC proposal A6, *Throttling
//! retry attempts and hedged RPCs*.

use super::window::Window;
use crate::profile::{RetryBudget, RetryBudgetKind};
use crate::units::{Instant, Span};

/// Slices of the window, as in Finagle.
const SLICES: u32 = 10;

/// What one retry costs, in the windowed kind's units.
const RETRY: i64 = 1_000_000;

/// One token, in the units of the tokens' kind.
const TOKEN: u64 = 1_000;

/// How many retries a client may afford.
#[derive(Clone, Debug)]
pub struct Budget(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Windowed {
        balance: Window,
        deposit: i64,
        reserve: i64,
    },
    Active {
        millionths: u64,
        least: u32,
    },
    Tokens {
        tokens: u64,
        most: u64,
        success: u64,
    },
}

impl Budget {
    /// A budget of which nothing has been spent.
    #[must_use]
    pub fn new(rules: &RetryBudget) -> Self {
        Self(match rules.kind {
            RetryBudgetKind::Windowed => {
                let reserve = rules.min_per_second * rules.window_seconds;
                Kind::Windowed {
                    balance: Window::new(Span::from_seconds(rules.window_seconds), SLICES),
                    deposit: (rules.ratio * RETRY as f64 + 0.5) as i64,
                    reserve: (reserve * RETRY as f64 + 0.5) as i64,
                }
            }
            RetryBudgetKind::Active => Kind::Active {
                millionths: (rules.active_ratio * 1e6 + 0.5) as u64,
                least: rules.min_active,
            },
            RetryBudgetKind::Tokens => {
                let most = u64::from(rules.max_tokens) * TOKEN;
                Kind::Tokens {
                    tokens: most,
                    most,
                    success: (rules.token_ratio * TOKEN as f64 + 0.5) as u64,
                }
            }
        })
    }

    /// A request is sent for the first time. Retries do not count.
    pub fn on_request(&mut self, now: Instant) {
        if let Kind::Windowed {
            balance, deposit, ..
        } = &mut self.0
        {
            balance.add(now, *deposit);
        }
    }

    /// An attempt, the first or a retry, has succeeded or failed. A failure is to be told before
    /// its retry is asked for.
    pub fn on_outcome(&mut self, _now: Instant, success: bool) {
        if let Kind::Tokens {
            tokens,
            most,
            success: gain,
        } = &mut self.0
        {
            *tokens = if success {
                (*tokens + *gain).min(*most)
            } else {
                tokens.saturating_sub(TOKEN)
            };
        }
    }

    /// Whether a retry may be sent; if so, it is paid for.
    ///
    /// `active_requests` are all attempts under way of whatever shares this budget, retries
    /// included; `active_retries` those of them that are retries, from the moment this said yes.
    pub fn try_retry(&mut self, now: Instant, active_requests: u32, active_retries: u32) -> bool {
        match &mut self.0 {
            Kind::Windowed {
                balance, reserve, ..
            } => {
                let affordable = balance.sum(now).saturating_add(*reserve) >= RETRY;
                if affordable {
                    balance.add(now, -RETRY);
                }
                affordable
            }
            Kind::Active { millionths, least } => {
                let share = u64::from(active_requests).saturating_mul(*millionths) / 1_000_000;
                u64::from(active_retries) < share.max((*least).into())
            }
            Kind::Tokens { tokens, most, .. } => *tokens * 2 > *most,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(kind: RetryBudgetKind) -> RetryBudget {
        RetryBudget {
            kind,
            ..RetryBudget::default()
        }
    }

    /// Retries granted per second in each second, when every attempt fails and asks for another:
    /// `rate` requests per second, evenly spaced, up to `asks` retries each.
    fn total_failure(rules: &RetryBudget, rate: u64, asks: u32, seconds: u64) -> Vec<u32> {
        let mut budget = Budget::new(rules);
        let mut granted = vec![0; seconds as usize];
        for n in 0..rate * seconds {
            let now = Instant::from_nanos(n * (1_000_000_000 / rate));
            budget.on_request(now);
            budget.on_outcome(now, false);
            for _ in 0..asks {
                if !budget.try_retry(now, 1, 0) {
                    break;
                }
                granted[(n / rate) as usize] += 1;
                budget.on_outcome(now, false);
            }
        }
        granted
    }

    #[test]
    fn a_total_failure_costs_a_fifth_of_the_requests_and_ten_retries_a_second() {
        let granted = total_failure(&of(RetryBudgetKind::Windowed), 1000, 2, 100);
        // The reserve of 100 is spent at once, again whenever it comes back: 10 a second on average.
        let settled: u32 = granted[20..].iter().sum();
        assert_eq!(settled, 80 * (200 + 10));
        // Until then a burst: at most the reserve and what the first window deposited.
        assert!(granted[..10].iter().sum::<u32>() <= 100 + 2000);
        assert_eq!(granted[0], 100 + 200);
    }

    #[test]
    fn a_quiet_client_may_retry_everything_up_to_the_reserve() {
        let granted = total_failure(&of(RetryBudgetKind::Windowed), 8, 1, 60);
        assert!(granted.iter().all(|&retries| retries == 8));
        let none = RetryBudget {
            min_per_second: 0.0,
            ..of(RetryBudgetKind::Windowed)
        };
        let granted = total_failure(&none, 10, 1, 60);
        assert_eq!(granted[10..].iter().sum::<u32>(), 50 * 2);
    }

    #[test]
    fn a_deposit_is_gone_after_the_window() {
        let rules = RetryBudget {
            min_per_second: 0.0,
            ratio: 1.0,
            ..of(RetryBudgetKind::Windowed)
        };
        for (seconds, affordable) in [(0.0, true), (9.9, true), (10.0, false)] {
            let mut budget = Budget::new(&rules);
            budget.on_request(Instant::ZERO);
            let later = Instant::from_seconds(seconds);
            assert_eq!(budget.try_retry(later, 1, 0), affordable, "{seconds} s");
        }
    }

    #[test]
    fn retries_under_way_are_a_fifth_of_the_requests_under_way_and_never_fewer_than_three() {
        let mut budget = Budget::new(&of(RetryBudgetKind::Active));
        for (requests, limit) in [
            (0, 3),
            (15, 3),
            (19, 3),
            (20, 4),
            (100, 20),
            (u32::MAX, 858_993_459),
        ] {
            assert!(
                budget.try_retry(Instant::ZERO, requests, limit - 1),
                "{requests}"
            );
            assert!(
                !budget.try_retry(Instant::ZERO, requests, limit),
                "{requests}"
            );
        }
    }

    #[test]
    fn a_total_failure_stops_the_retries_of_tokens() {
        let granted = total_failure(&of(RetryBudgetKind::Tokens), 100, 9, 20);
        // Ten tokens: the fifth failure leaves half, which is not enough.
        assert_eq!(granted.iter().sum::<u32>(), 4);
    }

    #[test]
    fn tokens_allow_retries_while_failures_stay_below_a_share_of_one_in_eleven() {
        let share_of_retries = |failures: u32, of: u32| {
            let mut budget = Budget::new(&self::of(RetryBudgetKind::Tokens));
            let mut granted = 0;
            for n in 0..100 * of {
                // Evenly mixed; retries are left out, so that the share is that of the requests.
                let failed = n * failures / of != (n + 1) * failures / of;
                budget.on_outcome(Instant::ZERO, !failed);
                granted += u32::from(failed && budget.try_retry(Instant::ZERO, 1, 0));
            }
            f64::from(granted) / f64::from(100 * failures)
        };
        // In balance at ratio / (1 + ratio) = 1/11.
        assert_eq!(share_of_retries(1, 12), 1.0);
        assert!(share_of_retries(1, 10) < 0.9);
        assert!(share_of_retries(1, 5) < 0.2);
    }

    #[test]
    fn a_recovery_gives_tokens_back() {
        let mut budget = Budget::new(&of(RetryBudgetKind::Tokens));
        for _ in 0..50 {
            budget.on_outcome(Instant::ZERO, false);
        }
        // From nothing to above half of ten takes 51 successes at a tenth each.
        for successes in 1..=51 {
            budget.on_outcome(Instant::ZERO, true);
            let allowed = budget.try_retry(Instant::ZERO, 1, 0);
            assert_eq!(allowed, successes == 51, "after {successes}");
        }
    }

    proptest! {
        /// Over any ten slices, retries are paid for by the deposits among them and the reserve.
        #[test]
        fn every_retry_is_paid_for_within_its_window(
            ratio in 0.0..=10.0_f64, min_per_second in 0.0..=20.0_f64, window in 1_u32..=60,
            calls in prop::collection::vec((0_u64..4_000_000_000, 0..4_u32, 0..8_u32), 1..200),
        ) {
            let rules = RetryBudget {
                ratio, min_per_second, window_seconds: window.into(),
                ..of(RetryBudgetKind::Windowed)
            };
            let mut budget = Budget::new(&rules);
            let slice = u64::from(window) * 100_000_000;
            let (mut now, mut deposits, mut retries) = (0, Vec::new(), Vec::new());
            for (gap, requests, asks) in calls {
                now += gap;
                let at = Instant::from_nanos(now);
                for _ in 0..requests {
                    budget.on_request(at);
                    deposits.push(now / slice);
                }
                for _ in 0..asks {
                    if budget.try_retry(at, 0, 0) {
                        retries.push(now / slice);
                    }
                }
                let within = |all: &[u64]| {
                    all.iter().filter(|&&one| one + 10 > now / slice).count() as f64
                };
                if retries.last() == Some(&(now / slice)) {
                    let paid = ratio * within(&deposits) + min_per_second * f64::from(window);
                    prop_assert!(within(&retries) <= paid + 1e-3, "{} > {}", within(&retries), paid);
                }
            }
            // Over the whole run: the ratio, the rate, and a burst of one reserve.
            let (slices, n) = ((now / slice + 1) as f64, retries.len() as f64);
            let reserve = min_per_second * f64::from(window);
            prop_assert!(n <= ratio * deposits.len() as f64 + reserve * (slices / 10.0).ceil() + 1e-3);
        }

        #[test]
        fn no_budget_panics_on_anything_in_range(
            kind in 0..3_usize,
            (ratio, active_ratio, token_ratio) in (0.0..=10.0_f64, 0.0..=10.0_f64, 0.0..=100.0_f64),
            (min_per_second, window) in (0.0..=1e6_f64, 0.001..=1e5_f64),
            (min_active, max_tokens) in (0..=1_000_000_u32, 1..=1000_u32),
            calls in prop::collection::vec((any::<u64>(), any::<u32>(), any::<u32>(), 0..4), 0..50),
        ) {
            use RetryBudgetKind::{Active, Tokens, Windowed};
            let mut budget = Budget::new(&RetryBudget {
                kind: [Windowed, Active, Tokens][kind],
                ratio, active_ratio, token_ratio, min_per_second,
                window_seconds: window, min_active, max_tokens,
            });
            for (now, requests, retries, call) in calls {
                let now = Instant::from_nanos(now);
                match call {
                    0 => budget.on_request(now),
                    1 | 2 => budget.on_outcome(now, call == 1),
                    _ => { let _ = budget.try_retry(now, requests, retries); }
                }
            }
        }
    }
}
