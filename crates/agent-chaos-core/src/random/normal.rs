//! The standard normal distribution, by its quantile function.
//!
//! One uniform number gives one normal number, the larger the larger, so that variants of an
//! experiment that share their draws stay as close together as they can.
//!
//! Source: Wichura, *Algorithm AS 241: the percentage points of the normal distribution*, Applied
//! Statistics 37 (1988), 477–484, routine PPND16: relative error about 1 in 10¹⁶.

use rand::Rng;

/// Numerators and denominators of the three rational functions, the constant term first.
const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const SIDE: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        0.000_774_545_014_278_341_4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        0.000_547_593_808_499_534_5,
        1.050_750_071_644_416_9e-9,
    ],
];
const TAIL: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        0.000_786_869_131_145_613_3,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_7e-15,
    ],
];

/// A number from the standard normal distribution; its size is below 8.3.
pub(super) fn sample(random: &mut impl Rng) -> f64 {
    // The middles of 2⁵² equal parts of [0, 1]: never 0 or 1, and as many below ½ as above.
    quantile(((random.next_u64() >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64))
}

/// Below which number a standard normal number lies with this probability, between 0 and 1.
fn quantile(probability: f64) -> f64 {
    let from_centre = probability - 0.5;
    if from_centre.abs() <= 0.425 {
        return from_centre * ratio(&CENTRE, 0.180_625 - from_centre * from_centre);
    }
    let outside = probability.min(1.0 - probability);
    let depth = (-libm::log(outside)).sqrt();
    let size = if depth <= 5.0 {
        ratio(&SIDE, depth - 1.6)
    } else {
        ratio(&TAIL, depth - 5.0)
    };
    size.copysign(from_centre)
}

/// A rational function, by Horner's rule.
fn ratio([above, below]: &[[f64; 8]; 2], x: f64) -> f64 {
    let at = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * x + term);
    at(above) / at(below)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::{SAMPLES, check, follows, moments};
    use super::super::{Purpose, Randomness, SourceKind};
    use super::*;

    /// The standard normal distribution function.
    pub fn below(x: f64) -> f64 {
        0.5 * libm::erfc(-x / 2.0_f64.sqrt())
    }

    #[test]
    fn the_quantile_function_undoes_the_distribution_function() {
        // Down to 10⁻¹⁶, across both seams. Near the far end erfc multiplies an error of x by x².
        for step in -160..=160 {
            let x = f64::from(step) * 0.05;
            let probability = below(x);
            if probability < 0.999 {
                let back = quantile(probability);
                assert!((back - x).abs() < 1e-13 * (1.0 + x.abs()), "{x}: {back}");
            }
        }
        assert_eq!(quantile(0.5), 0.0);
        assert!((quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
    }

    #[test]
    fn normal_draws_have_the_moments_of_the_normal_distribution() {
        let randomness = Randomness::new(1);
        let got = moments(|draws| randomness.normal(draws, Purpose::Service));
        check(got, 0.0, 1.0, 3.0);
    }

    #[test]
    fn normal_draws_follow_the_whole_distribution_not_only_its_moments() {
        let randomness = Randomness::new(2);
        let source = randomness.source(SourceKind::Agent, 0);
        let drawn = (0..SAMPLES).map(|n| randomness.normal(source.request(n), Purpose::Service));
        follows(drawn.collect(), below);
    }

    #[test]
    fn the_outermost_numbers_are_finite() {
        struct Always(u64);
        impl rand::TryRng for Always {
            type Error = std::convert::Infallible;
            fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
                Ok(self.0 as u32)
            }
            fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
                Ok(self.0)
            }
            fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
                bytes.fill(self.0 as u8);
                Ok(())
            }
        }
        let (least, most) = (sample(&mut Always(0)), sample(&mut Always(u64::MAX)));
        assert!(-8.3 < least && least < -8.2, "{least}");
        assert_eq!(least, -most);
    }
}
