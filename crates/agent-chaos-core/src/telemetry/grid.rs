//! A log-linear grid over latencies: `2^BITS` cells for each doubling, so that a cell is at most
//! `2^-BITS` of its values wide. Every `u64` has a cell; values below `2^BITS` have one each.

/// How many cells there are.
#[must_use]
pub const fn cells<const BITS: u32>() -> usize {
    (64 - BITS as usize + 1) << BITS
}

/// The cell of a value. Monotone.
#[inline]
#[must_use]
pub const fn cell_of<const BITS: u32>(value: u64) -> usize {
    let shift = 63 - (value | 1 << BITS).leading_zeros() - BITS;
    ((shift as usize) << BITS) + (value >> shift) as usize
}

/// The middle of the values of a cell.
#[must_use]
pub fn middle_of<const BITS: u32>(cell: usize) -> f64 {
    // The inverse of `cell_of`: the first doubling has cells one wide, as have all values below.
    let shift = (cell >> BITS).saturating_sub(1);
    let least = ((cell - (shift << BITS)) as u64) << shift;
    let width = (1_u64 << shift) as f64;
    least as f64 + (width - 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_monotone_and_cover_every_number() {
        let mut before = 0;
        for bits in 0..64 {
            for step in 0..1000_u64 {
                let value = (1_u64 << bits).saturating_add((1_u64 << bits) / 1000 * step);
                let cell = cell_of::<12>(value);
                assert!(cell >= before || step == 0);
                before = cell;
            }
        }
        assert_eq!(cell_of::<12>(u64::MAX) + 1, cells::<12>());
        assert_eq!(cell_of::<11>(0), 0);
    }

    #[test]
    fn the_middle_of_a_cell_is_near_all_its_values() {
        for bits in 0..64 {
            for step in 0..100_u64 {
                let value = (1_u64 << bits).saturating_add((1_u64 << bits) / 100 * step);
                let middle = middle_of::<11>(cell_of::<11>(value));
                assert!(
                    (middle / value as f64 - 1.0).abs() <= 0.5 / 2048.0,
                    "{value}"
                );
            }
        }
    }
}
