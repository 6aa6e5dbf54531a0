//! Latencies of a whole run: exact quantiles while there are few enough, a histogram beyond.

use crate::telemetry::grid;
use crate::units::Span;

/// Up to so many latencies are kept one by one.
const MOST_EXACT: usize = 2_000_000;

/// Cells per doubling of the histogram: the middle of a cell is within 0.025 % of all in it.
const CELL_BITS: u32 = 11;

/// With fewer latencies than this quantiles are looked for without taking a sample first.
const FEW: usize = 16_384;
/// Latencies in such a sample.
const SAMPLE: usize = 2048;

/// Latencies of counted requests.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    exact: Vec<u64>,
    /// Empty while the latencies are exact.
    histogram: Vec<u64>,
    /// How many the histogram has, and their sum.
    count: u64,
    sum_nanos: u128,
}

impl Latencies {
    /// Adds one.
    #[inline]
    pub fn add(&mut self, latency: Span) {
        if self.is_exact() && self.exact.len() < MOST_EXACT {
            self.exact.push(latency.nanos());
        } else {
            self.add_to_histogram(latency.nanos());
        }
    }

    fn add_to_histogram(&mut self, nanos: u64) {
        if self.histogram.is_empty() {
            self.histogram = vec![0; grid::cells::<CELL_BITS>()];
            for nanos in std::mem::take(&mut self.exact) {
                self.add_to_histogram(nanos);
            }
        }
        self.histogram[grid::cell_of::<CELL_BITS>(nanos)] += 1;
        self.count += 1;
        self.sum_nanos += u128::from(nanos);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count + self.exact.len() as u64
    }

    /// Whether quantiles are exact (type 7), or within 0.1 % by the histogram.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.histogram.is_empty()
    }

    /// Their mean in seconds; none of none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let exact: u128 = self.exact.iter().map(|&nanos| u128::from(nanos)).sum();
        let sum = (self.sum_nanos + exact) as f64;
        (self.count() > 0).then(|| sum / self.count() as f64 / 1e9)
    }

    /// Quantiles in seconds, in the order of the shares asked for, which must ascend.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> Option<[f64; N]> {
        let last = self.count().checked_sub(1)?;
        let places = shares.map(|share| last as f64 * share);
        let ranks = places.map(|place| place.floor() as u64);
        let pairs = if self.is_exact() {
            pairs_exact(&self.exact, ranks)
        } else {
            ranks.map(|rank| (self.ranked(rank), self.ranked((rank + 1).min(last))))
        };
        Some(std::array::from_fn(|i| {
            let (low, high) = pairs[i];
            (low + (high - low) * (places[i] - ranks[i] as f64)) / 1e9
        }))
    }

    /// The middle of the cell that holds the latency with this many smaller ones.
    fn ranked(&self, rank: u64) -> f64 {
        let mut left = rank;
        for (cell, &count) in self.histogram.iter().enumerate() {
            if left < count {
                return grid::middle_of::<CELL_BITS>(cell);
            }
            left -= count;
        }
        grid::middle_of::<CELL_BITS>(self.histogram.len() - 1)
    }
}

/// The values of these ranks and of the next ones (the last stands for its next), in any order of
/// `values`.
///
/// A sorted sample tells between which two values each rank must lie, by four standard deviations;
/// one pass then counts what is below and gathers what is between. Where the sample misleads, all
/// values are gone through.
fn pairs_exact<const N: usize>(values: &[u64], ranks: [u64; N]) -> [(f64, f64); N] {
    if values.len() < FEW {
        let mut all = values.to_vec();
        return ranks.map(|rank| pair(&mut all, rank as usize));
    }
    let mut sample: Vec<u64> = (0..SAMPLE)
        .map(|i| values[i * values.len() / SAMPLE])
        .collect();
    sample.sort_unstable();
    let bounds = ranks.map(|rank| {
        let share = rank as f64 / values.len() as f64;
        let middle = share * SAMPLE as f64;
        let margin = 4.0 * (middle * (1.0 - share)).sqrt() + 4.0;
        let (low, high) = ((middle - margin).floor(), (middle + margin).ceil() as usize);
        let low = if low < 0.0 { 0 } else { sample[low as usize] };
        (low, sample.get(high).copied().unwrap_or(u64::MAX))
    });
    let mut below = [0_usize; N];
    let mut between = ranks.map(|_| Gathered::new(values.len() / 4));
    for &value in values {
        for i in 0..N {
            let (low, high) = bounds[i];
            below[i] += usize::from(value < low);
            between[i].push_if(low <= value && value <= high, value);
        }
    }
    let mut between = between.map(Gathered::close);
    std::array::from_fn(|i| {
        let rank = ranks[i] as usize;
        let next = (rank + 1).min(values.len() - 1);
        if below[i] <= rank && next < below[i] + between[i].len() {
            pair(&mut between[i], rank - below[i])
        } else {
            pair(&mut values.to_vec(), rank)
        }
    })
}

/// Gathers values without a branch that depends on them; gives none if there are more than room.
struct Gathered {
    values: Vec<u64>,
    len: usize,
}

impl Gathered {
    fn new(room: usize) -> Self {
        let values = vec![0; room + 1];
        Self { values, len: 0 }
    }

    #[inline(always)]
    fn push_if(&mut self, wanted: bool, value: u64) {
        let last = self.values.len() - 1;
        self.values[self.len.min(last)] = value;
        self.len += usize::from(wanted);
    }

    fn close(mut self) -> Vec<u64> {
        let room = self.values.len() - 1;
        self.values
            .truncate(if self.len > room { 0 } else { self.len });
        self.values
    }
}

/// The values of this rank and the next, in place.
fn pair(values: &mut [u64], rank: usize) -> (f64, f64) {
    let (_, &mut low, above) = values.select_nth_unstable(rank);
    let high = above.iter().min().copied().unwrap_or(low);
    (low as f64, high as f64)
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
    fn many_exact_quantiles_are_those_of_the_sorted_latencies() {
        let count = 100_000_u64;
        // In an order that a sample at even distances sees well, one that it sees badly, and ties.
        let orders: [fn(u64) -> u64; 4] = [
            |i| i * 1_000_003 % 100_000,
            |i| if i % 48 == 0 { i } else { 7 * i + 1_000_000 },
            |i| i,
            |i| i % 10,
        ];
        for order in orders {
            let mut latencies = Latencies::default();
            (0..count).for_each(|i| latencies.add(Span::from_nanos(order(i))));
            let mut sorted: Vec<f64> = (0..count).map(|i| order(i) as f64 / 1e9).collect();
            sorted.sort_by(f64::total_cmp);
            let shares = [0.0, 0.001, 0.5, 0.95, 0.99, 1.0];
            for (got, share) in latencies.quantiles(shares).unwrap().into_iter().zip(shares) {
                let expected = quantile_sorted(&sorted, share).unwrap();
                assert!(
                    (got - expected).abs() <= 1e-12 * expected,
                    "{share}: {got} {expected}"
                );
            }
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
