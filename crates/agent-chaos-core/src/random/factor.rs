//! Random factors of mean 1: how many times the mean time this time takes.
//!
//! The parameters are worked out once; a draw takes what it needs from the one stream of its name.
//! [`crate::theory::factor_moment`] knows the moments, `crates/MODEL.md` the equations.

use std::rc::Rc;

use rand::RngExt;

use super::{Draws, Purpose, Randomness, exprel};

/// A distribution of mean 1 on the positive numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum Factor {
    /// The mean of so many exponential numbers.
    Erlang {
        /// How many: the shape k.
        shape: u32,
    },
    /// One of two exponential numbers, either by chance.
    Hyperexponential {
        /// The probability of the first.
        first: f64,
        /// The means of both; each times its probability is ½.
        means: [f64; 2],
    },
    /// The exponential function of a normal number.
    Lognormal {
        /// The standard deviation σ of the normal number; its mean is −σ²/2.
        sigma: f64,
    },
    /// A power law between two bounds.
    BoundedPareto {
        /// The lower bound.
        lower: f64,
        /// −1/α, for the tail index α.
        exponent: f64,
        /// (lower bound / upper bound)^α.
        floor: f64,
    },
    /// One of these numbers, each with equal chance.
    Empirical(Rc<[f64]>),
}

impl Factor {
    /// Erlang-k: coefficient of variation 1/√k.
    #[must_use]
    pub fn erlang(shape: u32) -> Self {
        Self::Erlang { shape }
    }

    /// The hyperexponential distribution of two phases with balanced means, by its squared
    /// coefficient of variation, 1 or more.
    ///
    /// Source: Whitt, *Approximating a point process by a renewal process, I: two basic methods*,
    /// Operations Research 30 (1982), 125–147: "balanced means".
    #[must_use]
    pub fn hyperexponential(scv: f64) -> Self {
        let first = balanced_probability(scv);
        Self::Hyperexponential {
            first,
            means: [0.5 / first, 0.5 / (1.0 - first)],
        }
    }

    /// The lognormal distribution, by its squared coefficient of variation.
    #[must_use]
    pub fn lognormal(scv: f64) -> Self {
        Self::Lognormal {
            sigma: libm::log1p(scv).sqrt(),
        }
    }

    /// The bounded Pareto distribution, by its tail index and its upper over its lower bound.
    #[must_use]
    pub fn bounded_pareto(alpha: f64, ratio: f64) -> Self {
        Self::BoundedPareto {
            lower: 1.0 / pareto_moment(alpha, ratio, 1),
            exponent: -1.0 / alpha,
            floor: libm::pow(ratio, -alpha),
        }
    }

    /// These numbers, over their mean.
    #[must_use]
    pub fn empirical(numbers: &[f64]) -> Self {
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        Self::Empirical(numbers.iter().map(|number| number / mean).collect())
    }

    /// A number from this distribution.
    #[must_use]
    pub fn draw(&self, randomness: &Randomness, draws: Draws, purpose: Purpose) -> f64 {
        let mut stream = draws.stream(purpose);
        match self {
            Self::Erlang { shape } => {
                let sum: f64 = (0..*shape)
                    .map(|_| randomness.ziggurat.sample(&mut stream))
                    .sum();
                sum / f64::from(*shape)
            }
            Self::Hyperexponential { first, means } => {
                let phase = usize::from(stream.random::<f64>() >= *first);
                means[phase] * randomness.ziggurat.sample(&mut stream)
            }
            Self::Lognormal { sigma } => {
                let normal = super::normal::sample(&mut stream);
                libm::exp(sigma * normal - 0.5 * sigma * sigma)
            }
            Self::BoundedPareto {
                lower,
                exponent,
                floor,
            } => {
                // The probability of a larger number, from the floor (the upper bound) to 1.
                let above = floor + (1.0 - floor) * stream.random::<f64>();
                lower * libm::pow(above, *exponent)
            }
            Self::Empirical(numbers) => {
                // u < 1, and u · n stays below n when rounded: n is far below 2⁵³.
                let index = stream.random::<f64>() * numbers.len() as f64;
                numbers[index as usize]
            }
        }
    }
}

/// The probability of the phase with the smaller mean, when both contribute half of the mean.
pub(crate) fn balanced_probability(scv: f64) -> f64 {
    0.5 * (1.0 + ((scv - 1.0) / (scv + 1.0)).sqrt())
}

/// `E[(X/L)ⁿ]` of a bounded Pareto number X above its lower bound L: `α·∫₁ʳ xⁿ⁻ᵅ⁻¹ dx / (1 − r⁻ᵅ)`,
/// written so that nothing special happens where n = α.
pub(crate) fn pareto_moment(alpha: f64, ratio: f64, order: u32) -> f64 {
    let range = libm::log(ratio);
    exprel((f64::from(order) - alpha) * range) / exprel(-alpha * range)
}

#[cfg(test)]
mod tests {
    use super::super::normal::tests::below;
    use super::super::tests::{SAMPLES, check, follows, moments};
    use super::super::{Source, SourceKind};
    use super::*;

    const PURPOSE: Purpose = Purpose::Service;

    /// Mean, variance and fourth central moment against those that belong to raw moments 2 to 4.
    #[track_caller]
    fn draws_have_moments(factor: &Factor, [second, third, fourth]: [f64; 3]) {
        let randomness = Randomness::new(1);
        let got = moments(|draws| factor.draw(&randomness, draws, PURPOSE));
        let fourth_central = fourth - 4.0 * third + 6.0 * second - 3.0;
        check(got, 1.0, second - 1.0, fourth_central);
    }

    fn drawn(factor: &Factor, seed: u32) -> Vec<f64> {
        let randomness = Randomness::new(seed);
        let source: Source = randomness.source(SourceKind::Agent, 0);
        (0..SAMPLES)
            .map(|n| factor.draw(&randomness, source.request(n), PURPOSE))
            .collect()
    }

    #[test]
    fn erlang_draws_have_the_moments_of_the_erlang_distribution() {
        // E[Xⁿ] = k·(k+1)·…·(k+n−1) / kⁿ.
        draws_have_moments(&Factor::erlang(1), [2.0, 6.0, 24.0]);
        draws_have_moments(&Factor::erlang(4), [1.25, 1.875, 3.281_25]);
        draws_have_moments(&Factor::erlang(100), [1.01, 1.030_2, 1.061_106]);
    }

    #[test]
    fn hyperexponential_draws_have_the_moments_of_the_hyperexponential_distribution() {
        draws_have_moments(&Factor::hyperexponential(1.0), [2.0, 6.0, 24.0]);
        // With m₁, m₂ = 1/(1 ± √0.6): E[Xⁿ] = n!/2 · (m₁ⁿ⁻¹ + m₂ⁿ⁻¹).
        let (one, two) = (1.0 / (1.0 + 0.6_f64.sqrt()), 1.0 / (1.0 - 0.6_f64.sqrt()));
        let moment =
            |factorial: f64, power: fn(f64) -> f64| factorial / 2.0 * (power(one) + power(two));
        draws_have_moments(
            &Factor::hyperexponential(4.0),
            [
                moment(2.0, |m| m),
                moment(6.0, |m| m * m),
                moment(24.0, |m| m * m * m),
            ],
        );
        assert!((moment(2.0, |m| m) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn lognormal_draws_have_the_moments_of_the_lognormal_distribution() {
        // E[Xⁿ] = (1 + c²)^(n(n−1)/2).
        draws_have_moments(
            &Factor::lognormal(0.01),
            [1.01, 1.030_301, 1.061_520_150_601],
        );
        draws_have_moments(&Factor::lognormal(0.5), [1.5, 3.375, 11.390_625]);
    }

    #[test]
    fn lognormal_draws_follow_the_whole_distribution_not_only_its_moments() {
        let sigma = libm::log(5.0).sqrt();
        follows(drawn(&Factor::lognormal(4.0), 2), |x| {
            below(libm::log(x) / sigma + sigma / 2.0)
        });
    }

    #[test]
    fn bounded_pareto_draws_have_the_moments_of_the_bounded_pareto_distribution() {
        // L and H = r·L, then αLᵅ/(1 − r⁻ᵅ) · (Hⁿ⁻ᵅ − Lⁿ⁻ᵅ)/(n − α).
        for (alpha, ratio) in [(1.5, 20.0), (2.5, 100.0), (0.7, 10.0)] {
            let share = 1.0 - libm::pow(ratio, -alpha);
            let over_lower =
                |n: f64| alpha / share * (libm::pow(ratio, n - alpha) - 1.0) / (n - alpha);
            let lower = 1.0 / over_lower(1.0);
            let raw = [2.0, 3.0, 4.0].map(|n| over_lower(n) * libm::pow(lower, n));
            draws_have_moments(&Factor::bounded_pareto(alpha, ratio), raw);
        }
    }

    #[test]
    fn bounded_pareto_draws_follow_the_whole_distribution_not_only_its_moments() {
        // F(x) = (1 − (L/x)ᵅ) / (1 − r⁻ᵅ); a mean of 1 has L = (α−1)/α · (1 − r⁻ᵅ)/(1 − r¹⁻ᵅ).
        let (share, weight) = (1.0 - libm::pow(1e3, -1.5), 1.0 - libm::pow(1e3, -0.5));
        for (alpha, ratio, lower) in [
            (1.5, 1e3, share / weight / 3.0),
            (1.0, 1e9, (1.0 - 1e-9) / libm::log(1e9)),
        ] {
            let numbers = drawn(&Factor::bounded_pareto(alpha, ratio), 2);
            let tolerance = 1.0 + 1e-12;
            assert!(
                numbers
                    .iter()
                    .all(|&x| lower / tolerance < x && x < lower * ratio * tolerance)
            );
            follows(numbers, |x| {
                (1.0 - libm::pow(lower / x, alpha)) / (1.0 - libm::pow(ratio, -alpha))
            });
        }
    }

    #[test]
    fn a_tail_index_of_one_is_no_special_case() {
        let at = |alpha| pareto_moment(alpha, 1000.0, 1);
        assert!((at(1.0) - libm::log(1000.0) / 0.999).abs() < 1e-13);
        assert!((at(1.0 + 1e-9) / at(1.0) - 1.0).abs() < 1e-8);
        assert!((at(1.0 - 1e-9) / at(1.0) - 1.0).abs() < 1e-8);
    }

    #[test]
    fn the_bounds_of_every_parameter_give_positive_finite_numbers() {
        let randomness = Randomness::new(3);
        let source = randomness.source(SourceKind::Agent, 0);
        let mut factors = vec![Factor::erlang(1000), Factor::empirical(&[1e-9, 1e12])];
        for scv in [1e-6, 1.0, 1000.0] {
            factors.push(Factor::lognormal(scv));
        }
        for scv in [1.0, 1000.0] {
            factors.push(Factor::hyperexponential(scv));
        }
        for alpha in [0.1, 1.0, 10.0] {
            for ratio in [1.001, 1000.0, 1e9] {
                factors.push(Factor::bounded_pareto(alpha, ratio));
            }
        }
        for factor in &factors {
            for ordinal in 0..1000 {
                let x = factor.draw(&randomness, source.request(ordinal), PURPOSE);
                assert!(x > 0.0 && x < 1e10, "{factor:?}: {x}");
            }
        }
    }

    /// Links promise digests, so that what is drawn must never change: here to the last bit.
    #[test]
    fn draws_are_the_same_for_ever() {
        let randomness = Randomness::new(1);
        let draws = randomness.source(SourceKind::Agent, 0).request(0);
        let factors = [
            Factor::erlang(4),
            Factor::hyperexponential(4.0),
            Factor::lognormal(4.0),
            Factor::bounded_pareto(1.5, 1000.0),
            Factor::empirical(&[1.0, 2.0, 6.0]),
        ];
        let drawn = factors.map(|factor| factor.draw(&randomness, draws, PURPOSE).to_bits());
        assert_eq!(
            drawn,
            [
                0x3fe3_a8b7_8c7c_c31c,
                0x3fbe_1212_4bbe_c18b,
                0x3fd8_6b5c_651e_a20f,
                0x3fe2_c040_cbfb_2ef1,
                0x3fe5_5555_5555_5555,
            ]
        );
        let normal = randomness.normal(draws, PURPOSE).to_bits();
        assert_eq!(normal, 0xbfc0_055c_8d7e_b58c);
    }

    #[test]
    fn empirical_draws_take_each_number_equally_often() {
        let factor = Factor::empirical(&[2.0, 3.0, 4.0, 7.0]);
        let values = [0.5, 0.75, 1.0, 1.75];
        let numbers = drawn(&factor, 1);
        for value in values {
            let count = numbers.iter().filter(|&&x| x == value).count() as f64;
            // Five standard errors of a binomial count with p = ¼.
            let n = SAMPLES as f64;
            assert!(
                (count - n / 4.0).abs() < 5.0 * (n * 3.0 / 16.0).sqrt(),
                "{value}: {count}"
            );
        }
    }
}
