//! Theory: closed forms of queueing systems in the steady state, and the fluid model.
//!
//! Rates λ and μ are per second (μ of one server), times in seconds. `ρ = λ / (c·μ)`.

use std::fmt;

mod chain;
mod comparison;
mod prediction;
mod witness;

pub use chain::Chain;
pub use comparison::{Comparison, LEAST_RUNS, Outcome, Row, Table, compare};
pub use prediction::{NotModelled, assumptions, predicted_queue};
pub use witness::{Measured, Witnessed};

use crate::profile::{Profile, Requests, Service, ServiceDistribution};
use crate::random::{balanced_probability, pareto_moment};

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

/// Second moment of the wait in M/G/1, in seconds²: `E[W²] = 2·E[W]² + λ·E[S³] / (3·(1 − ρ))`, first
/// in, first out.
///
/// `service` holds `E[S]`, `E[S²]` and `E[S³]`, in seconds, seconds² and seconds³.
///
/// Source: Takács's recurrence; Kleinrock, *Queueing Systems*, vol. 1 (1975), §5.7.
///
/// # Errors
///
/// [`Unstable`] unless `λ·E[S]` < 1.
pub fn mg1_wait_second_moment(arrivals: f64, service: [f64; 3]) -> Result<f64, Unstable> {
    let [mean, second, third] = service;
    let steady = mg1(arrivals, mean, second - mean * mean)?;
    let wait = steady.wait_seconds;
    Ok(2.0 * wait * wait + arrivals * third / (3.0 * (1.0 - steady.utilization)))
}

/// The moment `E[Sⁿ]` of the service time without pressure and faults, in secondsⁿ, for n =
/// `order`: over the classes in the mix and the random factor, which is independent of the class.
#[must_use]
pub fn service_moment(profile: &Profile, order: u32) -> f64 {
    let Requests { light, heavy } = &profile.requests;
    let service = &profile.workers.service;
    let of_class = |share: f64, weight: f64| {
        share
            * power(
                service.base_seconds + service.per_weight_seconds * weight,
                order,
            )
    };
    let classes = of_class(light.share, light.weight) + of_class(heavy.share, heavy.weight);
    classes / (light.share + heavy.share) * factor_moment(service, order)
}

/// The squared coefficient of variation c² of the random factor of a service time: its variance,
/// since its mean is 1.
#[must_use]
pub fn factor_scv(service: &Service) -> f64 {
    factor_moment(service, 2) - 1.0
}

/// The moment `E[Xⁿ]` of the random factor X of a service time, for n = `order`; `E[X]` is 1.
///
/// | distribution | `E[Xⁿ]` |
/// | --- | --- |
/// | deterministic | 1 |
/// | uniform, spread s | `((1+s)ⁿ⁺¹ − (1−s)ⁿ⁺¹) / (2·s·(n+1))` |
/// | exponential | n! |
/// | Erlang, shape k | `k·(k+1)·…·(k+n−1) / kⁿ` |
/// | hyperexponential, probabilities p and 1−p | `n!·(p/(2p)ⁿ + (1−p)/(2(1−p))ⁿ)` |
/// | lognormal | `(1+c²)^(n(n−1)/2)` |
/// | bounded Pareto on `[L, r·L]` | `Lⁿ·α·(rⁿ⁻ᵅ − 1) / ((n−α)·(1 − r⁻ᵅ))`, `Lⁿ·n·ln r / (1 − r⁻ⁿ)` for n = α |
/// | empirical | the mean of the n-th powers of the numbers over their mean |
///
/// Sources: Johnson, Kotz, Balakrishnan, *Continuous Univariate Distributions*, vol. 1 (1994), ch. 14
/// (lognormal), 17 (gamma, of which Erlang is a case) and 19 (exponential); Whitt, *Approximating a
/// point process by a renewal process, I*, Operations Research 30 (1982), 125–147 (balanced means);
/// Crovella, Harchol-Balter, Murta, *Task assignment in a distributed system* (1998; bounded Pareto).
#[must_use]
pub fn factor_moment(service: &Service, order: u32) -> f64 {
    let factorial = || (1..=order).map(f64::from).product::<f64>();
    match service.distribution {
        ServiceDistribution::Deterministic => 1.0,
        ServiceDistribution::Uniform => {
            // E[(1 + s·U)ⁿ] with U uniform on [−1, 1], whose odd moments are 0; s may be 0.
            let (mut choose, mut moment) = (1.0, 0.0);
            for j in 0..=order {
                if j % 2 == 0 {
                    moment += choose * power(service.spread_ratio, j) / f64::from(j + 1);
                }
                choose *= f64::from(order - j) / f64::from(j + 1);
            }
            moment
        }
        ServiceDistribution::Exponential => factorial(),
        ServiceDistribution::Erlang => {
            let shape = f64::from(service.erlang_shape);
            (0..order).map(|i| 1.0 + f64::from(i) / shape).product()
        }
        ServiceDistribution::Hyperexponential => {
            let first = balanced_probability(service.scv);
            let phase = |probability: f64| probability * power(0.5 / probability, order);
            factorial() * (phase(first) + phase(1.0 - first))
        }
        ServiceDistribution::Lognormal => {
            power(1.0 + service.scv, order * order.saturating_sub(1) / 2)
        }
        ServiceDistribution::BoundedPareto => {
            let over_lower =
                |order| pareto_moment(service.pareto_alpha, service.pareto_ratio, order);
            over_lower(order) / power(over_lower(1), order)
        }
        ServiceDistribution::Empirical => {
            let numbers = &service.empirical_ratios;
            let count = numbers.len() as f64;
            let mean = numbers.iter().sum::<f64>() / count;
            numbers.iter().map(|x| power(x / mean, order)).sum::<f64>() / count
        }
    }
}

/// `xⁿ` by multiplication, the same on every machine.
fn power(x: f64, exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |product, _| product * x)
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

/// Index of dispersion for counts of a Poisson process whose rate jumps between two levels λ₁ and
/// λ₂ (MMPP of two states), over long windows: `Var N(t) / E N(t)` as t → ∞. It is 1 for a Poisson
/// process.
///
/// `rates` are λ₁ and λ₂, `leaving` are r₁ and r₂: the mean stay at level i lasts 1/rᵢ seconds.
///
/// `IDC(∞) = 1 + 2·r₁·r₂·(λ₁ − λ₂)² / ((r₁ + r₂)²·(λ₁·r₂ + λ₂·r₁))`; over windows of t it is less by
/// `(IDC(∞) − 1)·(1 − e^−(r₁+r₂)t) / ((r₁ + r₂)·t)`.
///
/// Source: Fischer and Meier-Hellstern, *The Markov-modulated Poisson process (MMPP) cookbook*,
/// Performance Evaluation 18 (1993).
#[must_use]
pub fn mmpp2_dispersion(rates: [f64; 2], leaving: [f64; 2]) -> f64 {
    let ([fast, slow], [r1, r2]) = (rates, leaving);
    let (apart, sum) = (fast - slow, r1 + r2);
    1.0 + 2.0 * r1 * r2 * apart * apart / (sum * sum * (fast * r2 + slow * r1))
}

/// One class of requests that come as a Poisson process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassLoad {
    /// λ, in requests per second.
    pub arrivals: f64,
    /// `E[S]`, in seconds.
    pub service_seconds: f64,
    /// `E[S²]`, in seconds².
    pub second_moment: f64,
}

/// Mean waits of M/G/1 with non-preemptive priorities, in seconds, of each class, the most urgent
/// first: `W_k = W₀ / ((1 − σ_{k−1})·(1 − σ_k))` with `W₀ = Σ λ·E[S²]/2` and `σ_k = ρ_1 + … + ρ_k`.
///
/// Source: Cobham, *Priority assignment in waiting line problems*, Operations Research 2 (1954).
///
/// # Errors
///
/// [`Unstable`] unless the classes together offer less work than one worker does.
pub fn cobham(classes: &[ClassLoad]) -> Result<Vec<f64>, Unstable> {
    let load = |class: &ClassLoad| class.arrivals * class.service_seconds;
    let utilization = classes.iter().map(load).sum();
    if utilization >= 1.0 {
        return Err(Unstable { utilization });
    }
    let residual: f64 = classes
        .iter()
        .map(|class| 0.5 * class.arrivals * class.second_moment)
        .sum();
    let mut above = 0.0;
    let waits = classes.iter().map(|class| {
        let before = above;
        above += load(class);
        residual / ((1.0 - before) * (1.0 - above))
    });
    Ok(waits.collect())
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

    fn service(distribution: ServiceDistribution) -> Service {
        Service {
            distribution,
            ..Service::default()
        }
    }

    #[test]
    fn moments_of_the_factors_are_those_of_their_distributions() {
        use ServiceDistribution as D;
        let uniform = Service {
            spread_ratio: 0.5,
            ..service(D::Uniform)
        };
        let pareto = |pareto_alpha, pareto_ratio| Service {
            pareto_alpha,
            pareto_ratio,
            ..service(D::BoundedPareto)
        };
        // Those of bounded Pareto by numerical integration of the density (Simpson, 200,000 steps).
        let cases = [
            (service(D::Deterministic), [1.0, 1.0, 1.0]),
            (uniform, [13.0 / 12.0, 1.25, 1.5125]),
            (service(D::Exponential), [2.0, 6.0, 24.0]),
            (service(D::Erlang), [1.25, 1.875, 3.281_25]),
            (service(D::Hyperexponential), [5.0, 60.0, 1050.0]),
            (service(D::Lognormal), [5.0, 125.0, 15_625.0]),
            (
                pareto(1.5, 1e3),
                [
                    10.884_799_792_761_82,
                    1_289.618_741_836_157,
                    266_346.351_379_307_7,
                ],
            ),
            (
                pareto(1.0, 1e3),
                [
                    20.914_962_469_920_85,
                    1_513.873_951_107_906,
                    145_957.842_736_323_6,
                ],
            ),
            (
                pareto(2.0, 100.0),
                [
                    2.349_101_963_559_581,
                    25.502_500_000_000_01,
                    650.377_506_250_000_6,
                ],
            ),
            (
                pareto(0.1, 1e9),
                [
                    29.600_309_424_282_3,
                    1_211.878_813_372_884,
                    56_311.866_536_100_08,
                ],
            ),
            (
                service(D::Empirical),
                [1.218_75, 1.726_562_5, 2.689_453_125],
            ),
        ];
        for (service, moments) in cases {
            close(factor_moment(&service, 0), 1.0, 1e-12);
            close(factor_moment(&service, 1), 1.0, 1e-12);
            for (order, moment) in (2..).zip(moments) {
                close(factor_moment(&service, order), moment, 1e-11);
            }
            assert_eq!(factor_scv(&service), factor_moment(&service, 2) - 1.0);
        }
    }

    #[test]
    fn the_mix_of_classes_varies_too() {
        // Two in three take 11 ms, one in three 14 ms, each times an exponential factor.
        let mut profile = Profile::default();
        profile.workers.service.distribution = ServiceDistribution::Exponential;
        close(service_moment(&profile, 1), 0.012, 1e-12);
        close(
            service_moment(&profile, 1),
            profile.mean_service_seconds(),
            1e-12,
        );
        let second = 2.0 * (2.0 * 0.011 * 0.011 + 0.014 * 0.014) / 3.0;
        close(service_moment(&profile, 2), second, 1e-12);
    }

    #[test]
    fn the_wait_of_mm1_has_the_second_moment_of_its_exponential_tail() {
        // P(W > t) = ρ·exp(−(μ − λ)·t), so E[W²] = 2·ρ / (μ − λ)².
        let got = mg1_wait_second_moment(0.8, [1.0, 2.0, 6.0]).unwrap();
        close(got, 2.0 * 0.8 / 0.04, 1e-12);
        assert_eq!(
            mg1_wait_second_moment(3.0, [0.5, 0.5, 0.75]).unwrap_err(),
            Unstable { utilization: 1.5 }
        );
    }

    #[test]
    fn equal_levels_are_a_poisson_process_and_longer_bursts_disperse_more() {
        assert_eq!(mmpp2_dispersion([5.0, 5.0], [1.0, 2.0]), 1.0);
        // On and off, half of the time each: 1 + λ/(2r).
        close(mmpp2_dispersion([8.0, 0.0], [2.0, 2.0]), 3.0, 1e-12);
        close(mmpp2_dispersion([8.0, 0.0], [1.0, 1.0]), 5.0, 1e-12);
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
