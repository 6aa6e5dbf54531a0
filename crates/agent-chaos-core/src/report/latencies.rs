//! Latencies of a whole run: exact quantiles while there are few enough, a histogram beyond.

use crate::units::Span;

/// Up to so many latencies are kept one by one.
const MOST_EXACT: usize = 2_000_000;

/// Cells per doubling of the histogram: the middle of a cell is within 0.025 % of all in it.
const CELL_BITS: u32 = 11;

/// Latencies of counted requests.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    exact: Vec<u64>,
    histogram: Vec<u64>,
    count: u64,
    sum_nanos: u128,
}

impl Latencies {
    /// Adds one.
    #[inline]
    pub fn add(&mut self, latency: Span) {
        self.count += 1;
        self.sum_nanos += u128::from(latency.nanos());
        if !self.histogram.is_empty() {
            self.histogram[cell_of(latency.nanos())] += 1;
            return;
        }
        self.exact.push(latency.nanos());
        if self.exact.len() > MOST_EXACT {
            self.histogram = vec![0; cell_of(u64::MAX) + 1];
            for nanos in std::mem::take(&mut self.exact) {
                self.histogram[cell_of(nanos)] += 1;
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether quantiles are exact (type 7), or within 0.1 % by the histogram.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.histogram.is_empty()
    }

    /// Their mean in seconds; none of none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_nanos as f64 / self.count as f64 / 1e9)
    }

    /// Quantiles in seconds, in the order of the shares asked for, which must ascend.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> Option<[f64; N]> {
        if self.count == 0 {
            return None;
        }
        let mut rest = self.exact.clone();
        Some(shares.map(|share| {
            let place = (self.count - 1) as f64 * share;
            let below = place.floor();
            let (low, high) = if self.is_exact() {
                pair_exact(&mut rest, below as usize)
            } else {
                (
                    self.ranked(below as u64),
                    self.ranked((below as u64 + 1).min(self.count - 1)),
                )
            };
            (low + (high - low) * (place - below)) / 1e9
        }))
    }

    /// The middle of the cell that holds the latency with this many smaller ones.
    fn ranked(&self, rank: u64) -> f64 {
        let mut left = rank;
        for (cell, &count) in self.histogram.iter().enumerate() {
            if left < count {
                return middle_of(cell);
            }
            left -= count;
        }
        middle_of(self.histogram.len() - 1)
    }
}

/// The values of this rank and the next, in place.
fn pair_exact(values: &mut [u64], rank: usize) -> (f64, f64) {
    let (_, &mut low, above) = values.select_nth_unstable(rank);
    let high = above.iter().min().copied().unwrap_or(low);
    (low as f64, high as f64)
}

fn cell_of(nanos: u64) -> usize {
    let cells = 1_u64 << CELL_BITS;
    if nanos < cells {
        return nanos as usize;
    }
    let doubling = 63 - nanos.leading_zeros();
    let within = (nanos >> (doubling - CELL_BITS)) & (cells - 1);
    (u64::from(doubling - CELL_BITS + 1) * cells + within) as usize
}

fn middle_of(cell: usize) -> f64 {
    let cells = 1_usize << CELL_BITS;
    if cell < cells {
        return cell as f64;
    }
    let doubling = (cell / cells - 1) as u32;
    let width = (1_u64 << doubling) as f64;
    (cells + cell % cells) as f64 * width + (width - 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::quantile_sorted;

    #[test]
    fn exact_quantiles_are_type_7() {
        let mut latencies = Latencies::default();
        let nanos = [50_u64, 10, 40, 20, 30, 30, 70, 5];
        nanos
            .iter()
            .for_each(|&n| latencies.add(Span::from_nanos(n)));
        let mut sorted = nanos.map(|n| n as f64 / 1e9);
        sorted.sort_by(f64::total_cmp);
        let shares = [0.0, 0.3, 0.5, 0.95, 1.0];
        for (got, share) in latencies.quantiles(shares).unwrap().into_iter().zip(shares) {
            assert!((got - quantile_sorted(&sorted, share).unwrap()).abs() < 1e-18);
        }
    }

    #[test]
    fn beyond_the_exact_number_quantiles_are_within_a_thousandth() {
        let mut latencies = Latencies::default();
        let count = 3_000_000_u64;
        // A permutation of 1..=count, times 997 ns.
        for i in 0..count {
            latencies.add(Span::from_nanos((i * 1_000_003 % count + 1) * 997));
        }
        assert!(!latencies.is_exact());
        for (got, share) in latencies
            .quantiles([0.5, 0.95, 0.99])
            .unwrap()
            .into_iter()
            .zip([0.5, 0.95, 0.99])
        {
            let expected = (1.0 + (count - 1) as f64 * share) * 997e-9;
            assert!((got / expected - 1.0).abs() < 0.001, "{got} {expected}");
        }
    }

    #[test]
    fn no_latencies_have_no_quantiles() {
        assert_eq!(Latencies::default().quantiles([0.5]), None);
        assert_eq!(Latencies::default().mean(), None);
    }
}
