//! Statistics over runs: means with their intervals, shares with theirs.
//!
//! A run is one draw of everything that chance decides; what differs between seeds is measured by
//! running several. Within a run nothing is independent of anything, so that the unit here is always
//! the run, never the request. Intervals are two-sided, at 95 %.

use serde::Serialize;

/// The 97.5 % quantile of the standard normal distribution.
const Z_975: f64 = 1.959_963_984_540_054;

/// The 99.75 % quantile of the standard normal distribution.
const Z_9975: f64 = 2.807_033_768_343_811;

/// Student's t at 97.5 %, for 1 to 10 degrees of freedom.
///
/// Source: Abramowitz & Stegun, *Handbook of Mathematical Functions* (1964), table 26.10.
const T_975: [f64; 10] = [
    12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004,
    2.262_157, 2.228_139,
];

/// Mean and variance of values that come one by one.
///
/// Source: Welford, *Note on a method for calculating corrected sums of squares and products*,
/// Technometrics 4 (1962).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    runs: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Of no value.
    pub const NONE: Self = Self {
        runs: 0,
        mean: 0.0,
        squares: 0.0,
    };

    /// Takes in one more value.
    pub fn add(&mut self, value: f64) {
        self.runs += 1;
        let before = value - self.mean;
        self.mean += before / self.runs as f64;
        self.squares += before * (value - self.mean);
    }

    /// Standard error of the mean, `s / √n`; none for a single value.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        let freedom = self.runs.checked_sub(1).filter(|&freedom| freedom > 0)?;
        let variance = self.squares / freedom as f64;
        Some((variance / self.runs as f64).sqrt())
    }

    /// How many values there were.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Their mean; none without any.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.runs > 0).then_some(self.mean)
    }

    /// Half the width of the 95 % confidence interval of the mean, `t · s / √n`; none for a single
    /// value, which says nothing of how others would be.
    #[must_use]
    pub fn half_width(&self) -> Option<f64> {
        let error = self.standard_error()?;
        Some(student_t_975(self.runs - 1) * error)
    }
}

/// A mean over runs, with the half-width of its 95 % confidence interval and the extremes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval; none for a single run.
    pub ci95: Option<f64>,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// Runs in which it is defined.
    pub runs: u64,
}

/// A share of runs, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Proportion {
    /// So many of the runs.
    pub count: u64,
    /// All runs.
    pub runs: u64,
    /// Their share; 0 without runs.
    pub share: f64,
    /// Where the interval begins.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

impl Proportion {
    /// So many of so many runs.
    #[must_use]
    pub fn of(count: u64, runs: u64) -> Self {
        let [low, high] = wilson(count, runs);
        let share = if runs == 0 {
            0.0
        } else {
            count as f64 / runs as f64
        };
        Self {
            count,
            runs,
            share,
            low,
            high,
        }
    }
}

/// The 97.5 % quantile of Student's t, for at least one degree of freedom.
///
/// From a table for small samples; beyond, Fisher's expansion around the normal quantile, which is
/// good to five digits there. Source: Abramowitz & Stegun, §26.7.5.
#[must_use]
pub fn student_t_975(freedom: u64) -> f64 {
    if let Some(&t) = (freedom as usize)
        .checked_sub(1)
        .and_then(|index| T_975.get(index))
    {
        return t;
    }
    student_t(Z_975, freedom)
}

/// The quantile of Student's t where the normal quantile is `z`, by Fisher's expansion.
fn student_t(z: f64, freedom: u64) -> f64 {
    let n = freedom as f64;
    let x = z * z;
    // Each is a polynomial in z², times z.
    let first = (x + 1.0) / 4.0;
    let second = ((5.0 * x + 16.0) * x + 3.0) / 96.0;
    let third = (((3.0 * x + 19.0) * x + 17.0) * x - 15.0) / 384.0;
    let fourth = ((((79.0 * x + 776.0) * x + 1482.0) * x - 1920.0) * x - 945.0) / 92160.0;
    z * (1.0 + (first + (second + (third + fourth / n) / n) / n) / n)
}

/// The 99.75 % quantile of Student's t, for at least nine degrees of freedom, to three digits.
///
/// A two-sided interval of 99.5 % is what a comparison of ten values at once needs to be right in 19 of
/// 20 cases, as one at 95 % is (Bonferroni).
#[must_use]
pub fn student_t_9975(freedom: u64) -> f64 {
    student_t(Z_9975, freedom.max(9))
}

/// The 95 % interval of a share, which unlike the mean ± t makes sense near 0 and 1 as well: none of
/// ten does not mean never. Everything is possible without runs.
///
/// Source: Wilson, *Probable inference, the law of succession, and statistical inference*, Journal
/// of the American Statistical Association 22 (1927).
#[must_use]
pub fn wilson(count: u64, runs: u64) -> [f64; 2] {
    if runs == 0 {
        return [0.0, 1.0];
    }
    let n = runs as f64;
    let share = count as f64 / n;
    let x = Z_975 * Z_975;
    let middle = share + x / (2.0 * n);
    let half = Z_975 * (share * (1.0 - share) / n + x / (4.0 * n * n)).sqrt();
    let whole = 1.0 + x / n;
    // None and all are their own bounds, whatever rounding says.
    let low = if count == 0 {
        0.0
    } else {
        (middle - half) / whole
    };
    let high = if count >= runs {
        1.0
    } else {
        (middle + half) / whole
    };
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|&value| moments.add(value));
        moments
    }

    #[test]
    fn student_t_is_as_tabulated() {
        let table = [
            (1, 12.7062),
            (2, 4.3027),
            (9, 2.2622),
            (10, 2.2281),
            (11, 2.2010),
            (20, 2.0860),
            (30, 2.0423),
            (60, 2.0003),
            (99, 1.9842),
            (120, 1.9799),
            (1_000_000, 1.9600),
        ];
        for (freedom, expected) in table {
            let got = student_t_975(freedom);
            assert!((got - expected).abs() < 1e-4, "{freedom}: {got}");
        }
    }

    /// Values by integration of the density (Simpson, 200,000 steps).
    #[test]
    fn the_wide_interval_is_as_tabulated() {
        for (freedom, expected) in [(9, 3.6897), (19, 3.1737), (29, 3.0380), (199, 2.8387)] {
            let got = student_t_9975(freedom);
            assert!((got - expected).abs() < 2e-3, "{freedom}: {got}");
        }
    }

    #[test]
    fn one_run_has_no_interval_and_two_have_a_wide_one() {
        assert_eq!(moments(&[]).mean(), None);
        let one = moments(&[1.0]);
        assert_eq!((one.mean(), one.half_width()), (Some(1.0), None));
        // s = √2, n = 2: t · s / √n = t.
        let two = moments(&[1.0, 3.0]);
        assert_eq!(two.mean(), Some(2.0));
        assert!((two.half_width().unwrap() - 12.706_205).abs() < 1e-9);
    }

    /// Student's own example: hours of sleep gained by ten patients with each of two drugs. The
    /// differences have mean 1.58 and standard deviation 1.23. Source: Student, *The probable error
    /// of a mean*, Biometrika 6 (1908).
    #[test]
    fn paired_differences_are_those_of_students_sleepers() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let differences: Vec<_> = first.iter().zip(second).map(|(a, b)| b - a).collect();
        let all = moments(&differences);
        assert!((all.mean().unwrap() - 1.58).abs() < 1e-12);
        // The interval is 0.700 to 2.460 in today's textbooks.
        assert!((all.half_width().unwrap() - 0.880).abs() < 5e-4);
    }

    /// Values from Newcombe, *Two-sided confidence intervals for the single proportion*, Statistics
    /// in Medicine 17 (1998), table I, method 3.
    #[test]
    fn wilsons_interval_is_as_tabulated() {
        let table = [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
            (100, 100, 0.9630, 1.0),
            (7, 10, 0.3968, 0.8922),
        ];
        for (count, runs, low, high) in table {
            let [from, to] = wilson(count, runs);
            assert!((from - low).abs() < 1e-4, "{count} of {runs}: from {from}");
            assert!((to - high).abs() < 1e-4, "{count} of {runs}: to {to}");
        }
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }
}
