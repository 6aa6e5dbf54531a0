//! Units: a number from outside becomes one of these at the door, and nobody checks it again.
//!
//! Virtual time is a whole number of nanoseconds, so that adding and comparing are exact on every
//! machine. Seconds as `f64` appear only where a person or a formula wants them.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

const NANOS_PER_SECOND: f64 = 1e9;
/// 2⁶³, beyond what a signed number holds.
const LONGEST_NANOS: f64 = 9_223_372_036_854_775_808.0;

/// A moment of virtual time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A length of virtual time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Instant {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `nanos` nanoseconds after the start.
    #[inline]
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment `seconds` after the start, rounded to a nanosecond.
    #[inline]
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        Self(Span::from_seconds(seconds).0)
    }

    /// Nanoseconds since the start.
    #[inline]
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start.
    #[inline]
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// Time since `earlier`; zero if `earlier` is later.
    #[inline]
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `nanos` nanoseconds.
    #[inline]
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `seconds`, rounded to a nanosecond; a negative or undefined number is no time at all, one of
    /// 292 years or more is for ever.
    #[inline]
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        let nanos = seconds * NANOS_PER_SECOND + 0.5;
        if nanos >= LONGEST_NANOS {
            return Self(u64::MAX);
        }
        // A cast saturates and turns NaN into zero, so that no input can panic. To a signed number
        // it is the processor's own.
        Self((nanos as i64).max(0) as u64)
    }

    /// Nanoseconds.
    #[inline]
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Seconds.
    #[inline]
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// Whether this is no time at all.
    #[inline]
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add<Span> for Instant {
    type Output = Self;
    #[inline]
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    #[inline]
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub for Instant {
    type Output = Span;
    #[inline]
    fn sub(self, earlier: Self) -> Span {
        self.since(earlier)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9} s", self.seconds())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9} s", self.seconds())
    }
}

/// Events per second of virtual time; never negative, never NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// `count` events within `span`; zero if the span is empty.
    #[inline]
    #[must_use]
    pub fn of(count: u64, span: Span) -> Self {
        if span.is_zero() {
            return Self(0.0);
        }
        Self(count as f64 / span.seconds())
    }

    /// Events per second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        self.0
    }
}

/// A share between 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// `value`, cut to between 0 and 1; an undefined number is 0.
    #[inline]
    #[must_use]
    pub fn clamped(value: f64) -> Self {
        Self(if value > 0.0 { value.min(1.0) } else { 0.0 })
    }

    /// `part / whole`, or 0 of an empty whole.
    #[inline]
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Self(0.0);
        }
        Self::clamped(part as f64 / whole as f64)
    }

    /// The share as a number.
    #[inline]
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// The square, which the model calls pressure when the share is a queue's saturation.
    #[inline]
    #[must_use]
    pub fn squared(self) -> Self {
        Self(self.0 * self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_to_the_nearest_nanosecond() {
        assert_eq!(Span::from_seconds(0.05).nanos(), 50_000_000);
        assert_eq!(Span::from_seconds(1e-9 * 1.6).nanos(), 2);
    }

    #[test]
    fn a_senseless_number_of_seconds_is_no_time() {
        assert_eq!(Span::from_seconds(-1.0), Span::ZERO);
        assert_eq!(Span::from_seconds(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_seconds(f64::INFINITY).nanos(), u64::MAX);
    }

    #[test]
    fn a_ratio_stays_between_zero_and_one() {
        assert_eq!(Ratio::clamped(1.05).value(), 1.0);
        assert_eq!(Ratio::clamped(-0.1).value(), 0.0);
        assert_eq!(Ratio::clamped(f64::NAN).value(), 0.0);
        assert_eq!(Ratio::of(3, 4).squared().value(), 0.5625);
    }
}
