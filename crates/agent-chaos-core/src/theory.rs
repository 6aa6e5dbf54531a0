//! Theory: closed forms of queueing systems in the steady state, and the fluid model.
//!
//! Rates λ and μ are per second (μ of one server), times in seconds. `ρ = λ / (c·μ)`.

use std::fmt;

/// The system has no steady state: arrivals outpace service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unstable {
    /// Utilization asked for, 1 or more.
    pub utilization: f64,
}

impl fmt::Display for Unstable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no steady state at a utilization of {}, accepted: below 1",
            self.utilization
        )
    }
}

impl std::error::Error for Unstable {}

/// Steady-state means of a system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// Share of server time in use.
    pub utilization: f64,
    /// Share of arrivals refused.
    pub blocking: f64,
    /// Mean time from arrival to the start of service, of those served, in seconds.
    pub wait_seconds: f64,
    /// Mean time from arrival to completion, of those served, in seconds.
    pub sojourn_seconds: f64,
    /// Mean number waiting.
    pub queue: f64,
}

/// M/M/1: `W = 1 / (μ − λ)`.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.2.
///
/// # Errors
///
/// [`Unstable`] unless λ < μ.
pub fn mm1(arrivals: f64, service: f64) -> Result<Steady, Unstable> {
    mmc(arrivals, service, 1)
}

/// M/M/c, by Erlang C: `Wq = C(c, λ/μ) / (c·μ − λ)`.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.5.
///
/// # Errors
///
/// [`Unstable`] unless λ < c·μ.
pub fn mmc(arrivals: f64, service: f64, servers: u32) -> Result<Steady, Unstable> {
    let capacity = f64::from(servers) * service;
    let utilization = arrivals / capacity;
    if utilization >= 1.0 {
        return Err(Unstable { utilization });
    }
    let wait = erlang_c(arrivals / service, servers)? / (capacity - arrivals);
    Ok(Steady {
        utilization,
        blocking: 0.0,
        wait_seconds: wait,
        sojourn_seconds: wait + 1.0 / service,
        queue: arrivals * wait,
    })
}

/// M/M/c with `places` waiting places; an arrival that finds all taken is lost. Always has a steady
/// state.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §3.6, as a birth–death process.
#[must_use]
pub fn mmck(arrivals: f64, service: f64, servers: u32, places: u32) -> Steady {
    // Probabilities relative to the likeliest so far, so that nothing overflows.
    let last = servers + places;
    let (mut weight, mut total, mut waiting, mut busy) = (1.0, 1.0, 0.0, 0.0);
    for n in 1..=last {
        weight *= arrivals / (service * f64::from(n.min(servers)));
        total += weight;
        waiting += weight * f64::from(n.saturating_sub(servers));
        busy += weight * f64::from(n.min(servers));
        if total > 1e200 {
            let scale = 1.0 / total;
            weight *= scale;
            waiting *= scale;
            busy *= scale;
            total = 1.0;
        }
    }
    let blocking = weight / total;
    let served = arrivals * (1.0 - blocking);
    let queue = waiting / total;
    let wait = queue / served;
    Steady {
        utilization: busy / total / f64::from(servers),
        blocking,
        wait_seconds: wait,
        sojourn_seconds: wait + 1.0 / service,
        queue,
    }
}

/// M/G/1 by Pollaczek and Khinchine: `Wq = λ·E[S²] / (2·(1 − ρ))`.
///
/// `service_seconds` and `service_variance` are the mean and variance of the service time.
///
/// Source: Kleinrock, *Queueing Systems*, vol. 1 (1975), §5.6.
///
/// # Errors
///
/// [`Unstable`] unless `λ·E[S]` < 1.
pub fn mg1(arrivals: f64, service_seconds: f64, service_variance: f64) -> Result<Steady, Unstable> {
    let utilization = arrivals * service_seconds;
    if utilization >= 1.0 {
        return Err(Unstable { utilization });
    }
    let second_moment = service_variance + service_seconds * service_seconds;
    let wait = arrivals * second_moment / (2.0 * (1.0 - utilization));
    Ok(Steady {
        utilization,
        blocking: 0.0,
        wait_seconds: wait,
        sojourn_seconds: wait + service_seconds,
        queue: arrivals * wait,
    })
}

/// M/D/1: M/G/1 with a constant service time.
///
/// # Errors
///
/// [`Unstable`] unless λ·S < 1.
pub fn md1(arrivals: f64, service_seconds: f64) -> Result<Steady, Unstable> {
    mg1(arrivals, service_seconds, 0.0)
}

/// Erlang B: the share lost by `servers` servers without waiting places under `offered` Erlangs.
///
/// Source: Erlang (1917); the stable recurrence `B(0) = 1, B(n) = a·B(n−1) / (n + a·B(n−1))`.
#[must_use]
pub fn erlang_b(offered: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |lost, n| {
        offered * lost / (f64::from(n) + offered * lost)
    })
}

/// Erlang C: the share that has to wait for one of `servers` servers under `offered` Erlangs.
///
/// Source: Erlang (1917); from Erlang B as `B / (1 − ρ·(1 − B))`.
///
/// # Errors
///
/// [`Unstable`] unless there are fewer Erlangs than servers.
pub fn erlang_c(offered: f64, servers: u32) -> Result<f64, Unstable> {
    let utilization = offered / f64::from(servers);
    if utilization >= 1.0 {
        return Err(Unstable { utilization });
    }
    let lost = erlang_b(offered, servers);
    Ok(lost / (1.0 - utilization * (1.0 - lost)))
}

/// The fluid model dQ/dt = λ(t) − μ(t), in steps: the queue's length at each end of a step of
/// `step_seconds` with these mean rates, starting from `start`, never below 0 or above `capacity`.
#[must_use]
pub fn fluid(
    start: f64,
    rates: &[(f64, f64)],
    step_seconds: f64,
    capacity: Option<f64>,
) -> Vec<f64> {
    let most = capacity.unwrap_or(f64::INFINITY);
    let step = |queue: &mut f64, &(arrivals, service): &(f64, f64)| {
        *queue = (*queue + (arrivals - service) * step_seconds).clamp(0.0, most);
        Some(*queue)
    };
    rates.iter().scan(start, step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64, relative: f64) {
        assert!(
            (got / expected - 1.0).abs() < relative,
            "{got}, expected {expected}"
        );
    }

    #[test]
    fn mm1_at_nine_tenths_holds_ten_service_times() {
        close(mm1(900.0, 1000.0).unwrap().sojourn_seconds, 0.01, 1e-12);
        assert_eq!(mm1(3.0, 2.0).unwrap_err().utilization, 1.5);
    }

    #[test]
    fn mm4_80_blocks_and_waits_as_tabulated() {
        let steady = mmck(4.0 * 1.165, 1.0, 4, 80);
        close(steady.blocking, 0.14163, 1e-4);
        close(steady.sojourn_seconds, 19.485, 1e-4);
        close(steady.wait_seconds, 18.485, 1e-4);
    }

    #[test]
    fn many_places_never_overflow_and_approach_the_unbounded_queue() {
        let bounded = mmck(3.5, 1.0, 4, 100_000);
        close(
            bounded.wait_seconds,
            mmc(3.5, 1.0, 4).unwrap().wait_seconds,
            1e-9,
        );
        close(mmck(400.0, 1.0, 4, 100_000).blocking, 0.99, 1e-6);
    }

    #[test]
    fn no_places_are_erlang_b() {
        close(mmck(5.0, 1.0, 6, 0).blocking, erlang_b(5.0, 6), 1e-12);
    }

    #[test]
    fn constant_service_waits_half_as_long_as_exponential() {
        let exponential = mg1(0.8, 1.0, 1.0).unwrap().wait_seconds;
        close(exponential, mm1(0.8, 1.0).unwrap().wait_seconds, 1e-12);
        close(
            md1(0.8, 1.0).unwrap().wait_seconds,
            exponential / 2.0,
            1e-12,
        );
    }

    #[test]
    fn the_fluid_queue_stays_within_its_bounds() {
        let lengths = fluid(
            0.0,
            &[(10.0, 4.0), (0.0, 4.0), (100.0, 0.0)],
            1.0,
            Some(50.0),
        );
        assert_eq!(lengths, [6.0, 2.0, 50.0]);
    }
}
