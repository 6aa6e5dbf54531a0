//! Load shapes: the rate of a generator over time, and the moments of its arrivals.
//!
//! ```text
//! unit step (exponential, or 1) ──► position in Λ ──► Λ⁻¹ ──► moment of the next arrival
//! ```
//!
//! `Λ(t) = ∫₀ᵗ λ` is how many arrivals are expected up to t. Steps of a unit-rate process along Λ,
//! mapped back by Λ⁻¹, give a process of rate λ(t): exponential steps the Poisson process, equal
//! ones an even one. The steps do not depend on the rate, so that two runs whose rates differ share
//! their draws.
//!
//! The rate is a row of straight pieces, whose Λ is a square of time and is inverted in closed
//! form, or a sine, whose Λ is inverted by Newton's method within a bracket. What repeats is worked
//! out within one cycle; a position counts whole cycles and what is left, so that no error grows
//! with time.
//!
//! Beside `random.rs` this file is, within a run, the only user of `libm` (for the sine).
//!
//! Sources: Çinlar, *Introduction to Stochastic Processes* (1975), §4.7, for the change of time;
//! Fischer and Meier-Hellstern, *The Markov-modulated Poisson process (MMPP) cookbook* (1993), for
//! the two-level process.

use std::f64::consts::TAU;

use crate::profile::{Arrivals, Bursty, Diurnal, Ramp, Replay, Spike};
use crate::random::{Purpose, Randomness, Source};
use crate::units::{Instant, Span};

/// A rate known beforehand, over all time.
#[derive(Clone, Debug)]
pub struct Shape {
    course: Course,
    cycle: Option<Cycle>,
}

/// What repeats for ever.
#[derive(Clone, Copy, Debug)]
struct Cycle {
    seconds: f64,
    /// Arrivals expected in one cycle.
    expected: f64,
}

#[derive(Clone, Debug)]
enum Course {
    Pieces(Box<[Piece]>),
    Wave(Wave),
}

impl Shape {
    /// The shape of these rules. That of a bursty rate is its mean: the rate itself is known only
    /// as it is drawn.
    #[must_use]
    pub fn of(rules: &Arrivals) -> Self {
        let rate = rules.rate_per_second;
        match rules {
            Arrivals { ramp: Some(r), .. } => Self::ramp(rate, r),
            Arrivals { spike: Some(r), .. } => Self::spike(rate, r),
            Arrivals {
                diurnal: Some(r), ..
            } => Self::diurnal(rate, r),
            Arrivals {
                replay: Some(r), ..
            } => Self::replay(r),
            Arrivals {
                bursty: Some(r), ..
            } => Self::constant(rate * r.mean_factor()),
            _ => Self::constant(rate),
        }
    }

    fn constant(rate: f64) -> Self {
        Pieces::default().then(f64::INFINITY, rate, rate).for_ever()
    }

    fn ramp(rate: f64, rules: &Ramp) -> Self {
        let mut pieces = Pieces::default();
        let mut from = rate;
        for stage in &rules.stages {
            let to = stage.target_per_second;
            pieces = pieces.then(stage.duration_seconds, from, to);
            from = to;
        }
        pieces.then(f64::INFINITY, from, from).for_ever()
    }

    fn spike(rate: f64, rules: &Spike) -> Self {
        let top = rate * rules.factor;
        Pieces::default()
            .then(rules.at_seconds, rate, rate)
            .then(rules.rise_seconds, rate, top)
            .then(rules.hold_seconds, top, top)
            .then(rules.fall_seconds, top, rate)
            .then(f64::INFINITY, rate, rate)
            .for_ever()
    }

    fn replay(rules: &Replay) -> Self {
        let mut pieces = Pieces::default();
        for (index, &rate) in rules.rates_per_second.iter().enumerate() {
            pieces = pieces.then(rules.interval_seconds, rate, rate);
            // Not by adding up, so that errors do not either.
            pieces.end = (index + 1) as f64 * rules.interval_seconds;
        }
        if rules.repeat {
            pieces.again()
        } else {
            pieces.then(f64::INFINITY, 0.0, 0.0).for_ever()
        }
    }

    fn diurnal(rate: f64, rules: &Diurnal) -> Self {
        let wave = Wave::new(rate, rules);
        Self {
            cycle: Some(Cycle {
                seconds: wave.period,
                expected: rate * wave.period,
            }),
            course: Course::Wave(wave),
        }
    }

    /// λ(t), in arrivals per second. At a jump, the rate after it.
    #[must_use]
    pub fn rate(&self, seconds: f64) -> f64 {
        let within = self.cycle.map_or(seconds, |cycle| cycle.split(seconds).1);
        match &self.course {
            Course::Pieces(pieces) => piece_at(pieces, within).rate(within),
            Course::Wave(wave) => wave.rate(within),
        }
    }

    /// Λ(t): the arrivals expected from the start up to a moment.
    #[must_use]
    pub fn expected(&self, seconds: f64) -> f64 {
        let (before, within) = self.cycle.map_or((0.0, seconds), |cycle| {
            let (cycles, within) = cycle.split(seconds);
            (cycles * cycle.expected, within)
        });
        before
            + match &self.course {
                Course::Pieces(pieces) => piece_at(pieces, within).expected(within),
                Course::Wave(wave) => wave.expected(within),
            }
    }

    /// Λ⁻¹: the first moment, in seconds, up to which so many arrivals are expected; none if it
    /// never comes to so many.
    #[must_use]
    pub fn when(&self, expected: f64) -> Option<f64> {
        self.at(self.step(Position::default(), expected)?)
    }

    /// The highest rate there ever is.
    #[must_use]
    pub fn peak(&self) -> f64 {
        match &self.course {
            Course::Pieces(pieces) => pieces.iter().map(Piece::peak).fold(0.0, f64::max),
            Course::Wave(wave) => wave.rate * (1.0 + wave.amplitude),
        }
    }

    /// The position so many expected arrivals further on.
    #[inline]
    fn step(&self, mut position: Position, expected: f64) -> Option<Position> {
        position.within += expected;
        if let Some(cycle) = &self.cycle
            && position.within > cycle.expected
        {
            if cycle.expected <= 0.0 {
                return None;
            }
            // What is reached just at the end of a cycle is reached within it.
            let cycles = (position.within / cycle.expected).ceil() - 1.0;
            position.cycles += cycles;
            position.within = (position.within - cycles * cycle.expected).min(cycle.expected);
        }
        Some(position)
    }

    /// The position of a moment.
    fn position(&self, seconds: f64) -> Position {
        let (cycles, within) = self
            .cycle
            .map_or((0.0, seconds), |cycle| cycle.split(seconds));
        let within = match &self.course {
            Course::Pieces(pieces) => piece_at(pieces, within).expected(within),
            Course::Wave(wave) => wave.expected(within),
        };
        Position { cycles, within }
    }

    /// The moment of a position, in seconds; none if it is never reached.
    #[inline]
    fn at(&self, position: Position) -> Option<f64> {
        let within = match &self.course {
            Course::Pieces(pieces) => piece_reaching(pieces, position.within)?,
            Course::Wave(wave) => wave.when(position.within),
        };
        Some(match &self.cycle {
            Some(cycle) => position.cycles * cycle.seconds + within,
            None => within,
        })
    }
}

/// A point on the axis of expected arrivals: whole cycles, and arrivals expected since.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    cycles: f64,
    within: f64,
}

impl Cycle {
    /// How many whole cycles there have been, and the time since.
    fn split(self, seconds: f64) -> (f64, f64) {
        let cycles = (seconds / self.seconds).floor();
        (
            cycles,
            (seconds - cycles * self.seconds).clamp(0.0, self.seconds),
        )
    }
}

/// A stretch of time in which the rate goes in a straight line.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: f64,
    end: f64,
    /// The rate at its start, and by how much it grows per second.
    rate: f64,
    slope: f64,
    /// Arrivals expected before its start.
    before: f64,
}

impl Piece {
    fn rate(&self, seconds: f64) -> f64 {
        (self.rate + self.slope * (seconds - self.start)).max(0.0)
    }

    fn expected(&self, seconds: f64) -> f64 {
        let since = seconds - self.start;
        self.before + since * (self.rate + 0.5 * self.slope * since)
    }

    /// When the rest `u` beyond `before` has arrived: `u = rate·t + slope·t²/2`, solved so that
    /// nothing cancels.
    #[inline]
    fn when(&self, expected: f64) -> f64 {
        let rest = expected - self.before;
        let root = (self.rate * self.rate + 2.0 * self.slope * rest)
            .max(0.0)
            .sqrt();
        (self.start + 2.0 * rest / (self.rate + root)).min(self.end)
    }

    fn peak(&self) -> f64 {
        if self.slope > 0.0 {
            self.rate(self.end)
        } else {
            self.rate
        }
    }
}

/// The piece that holds a moment.
fn piece_at(pieces: &[Piece], seconds: f64) -> &Piece {
    let after = pieces.partition_point(|piece| piece.start <= seconds);
    &pieces[after.saturating_sub(1)]
}

/// The first moment up to which so many arrivals are expected.
#[inline]
fn piece_reaching(pieces: &[Piece], expected: f64) -> Option<f64> {
    if expected <= 0.0 {
        return Some(0.0);
    }
    // The last piece before which there are fewer: one in which nothing arrives is passed over,
    // since the next begins with as many.
    let after = pieces.partition_point(|piece| piece.before < expected);
    let piece = &pieces[after.saturating_sub(1)];
    (piece.rate > 0.0 || piece.slope > 0.0).then(|| piece.when(expected))
}

/// Pieces put together one by one.
#[derive(Default)]
struct Pieces {
    pieces: Vec<Piece>,
    end: f64,
    expected: f64,
}

impl Pieces {
    /// Goes on for a while from one rate to another. No time at all is a jump.
    fn then(mut self, seconds: f64, from: f64, to: f64) -> Self {
        if seconds > 0.0 {
            let piece = Piece {
                start: self.end,
                end: self.end + seconds,
                rate: from,
                slope: (to - from) / seconds,
                before: self.expected,
            };
            self.end = piece.end;
            if seconds.is_finite() {
                self.expected += 0.5 * (from + to) * seconds;
            }
            self.pieces.push(piece);
        }
        self
    }

    /// The last of them lasts for ever.
    fn for_ever(self) -> Shape {
        Shape {
            course: Course::Pieces(self.pieces.into()),
            cycle: None,
        }
    }

    /// They begin anew at their end.
    fn again(self) -> Shape {
        Shape {
            course: Course::Pieces(self.pieces.into()),
            cycle: Some(Cycle {
                seconds: self.end,
                expected: self.expected,
            }),
        }
    }
}

/// `λ(t) = rate · (1 + amplitude · sin(2π · (t − phase) / period))`.
#[derive(Clone, Debug)]
struct Wave {
    rate: f64,
    amplitude: f64,
    period: f64,
    /// In turns, from 0 to 1.
    phase: f64,
    /// The cosine of the phase.
    start: f64,
}

impl Wave {
    fn new(rate: f64, rules: &Diurnal) -> Self {
        let turns = rules.phase_seconds / rules.period_seconds;
        let phase = turns - turns.floor();
        Self {
            rate,
            amplitude: rules.amplitude_ratio,
            period: rules.period_seconds,
            phase,
            start: libm::cos(TAU * phase),
        }
    }

    fn rate(&self, seconds: f64) -> f64 {
        self.rate * self.share(seconds / self.period).1
    }

    fn expected(&self, seconds: f64) -> f64 {
        self.rate * self.period * self.share(seconds / self.period).0
    }

    /// The share of a period's arrivals that is expected in the first `turns` of it,
    /// `F(x) = x + a/2π · (cos 2πφ − cos 2π(x − φ))`, and its derivative.
    fn share(&self, turns: f64) -> (f64, f64) {
        let (sine, cosine) = libm::sincos(TAU * (turns - self.phase));
        let share = turns + self.amplitude / TAU * (self.start - cosine);
        (share, 1.0 + self.amplitude * sine)
    }

    /// The way back, by Newton's method. A step that would leave the bracket halves it instead.
    fn when(&self, expected: f64) -> f64 {
        let share = expected / (self.rate * self.period);
        // F(x) − x lies between these two, so that x lies between `share` less the one and less the other.
        let swing = self.amplitude / TAU;
        let mut low = (share - swing * (self.start + 1.0)).max(0.0);
        let mut high = (share - swing * (self.start - 1.0)).min(1.0);
        let mut turns = share;
        for _ in 0..MOST_STEPS {
            let (here, growth) = self.share(turns);
            let over = here - share;
            if over > 0.0 {
                high = high.min(turns);
            } else {
                low = low.max(turns);
            }
            let newton = turns - over / growth;
            let next = if newton >= low && newton <= high {
                newton
            } else {
                0.5 * (low + high)
            };
            let moved = (next - turns).abs();
            turns = next;
            // A step of Newton's leaves an error of at most π·moved²/growth.
            if moved <= (NEAR * growth).max(f64::EPSILON) {
                break;
            }
        }
        turns * self.period
    }
}

/// Halving alone would need 53.
const MOST_STEPS: u32 = 64;

/// The square of this is nothing beside 1.
const NEAR: f64 = 1e-9;

/// A generator on its way: every step brings it to its next arrival.
///
/// It is a position along Λ, not a schedule: a copy of it is a bookmark, from which the same step
/// can be taken anew at another rate.
#[derive(Clone, Debug)]
pub enum Pace {
    /// The rate never changes: the position is the last arrival itself.
    Constant {
        /// In arrivals per second.
        rate: f64,
    },
    /// The rate is known beforehand.
    Shaped(Box<Shaped>),
    /// The rate jumps by chance.
    Bursty(Box<Bursts>),
}

/// A position on a shape.
#[derive(Clone, Debug)]
pub struct Shaped {
    shape: Shape,
    position: Position,
}

impl Pace {
    /// A generator by these rules, before its first arrival. Arrivals from `end` on do not count.
    #[must_use]
    pub fn new(rules: &Arrivals, randomness: &Randomness, source: Source, end: Instant) -> Self {
        match rules {
            Arrivals {
                bursty: Some(bursty),
                ..
            } => {
                let rate = rules.rate_per_second;
                let bursts = Bursts::new(rate, bursty, (randomness.clone(), source), end);
                Self::Bursty(Box::new(bursts))
            }
            Arrivals {
                ramp: None,
                spike: None,
                diurnal: None,
                replay: None,
                ..
            } => Self::Constant {
                rate: rules.rate_per_second,
            },
            _ => Self::Shaped(Box::new(Shaped {
                shape: Shape::of(rules),
                position: Position::default(),
            })),
        }
    }

    /// Goes a step along Λ, in expected arrivals, from the `last` arrival: the moment there. If it
    /// never comes, that is [`Instant::NEVER`].
    #[inline(always)]
    pub fn step(&mut self, last: Instant, expected: f64) -> Instant {
        match self {
            Self::Constant { rate } => last + Span::from_seconds(expected / *rate),
            Self::Shaped(shaped) => shaped.step(expected),
            Self::Bursty(bursts) => bursts.step(expected),
        }
    }
}

impl Pace {
    /// Goes on from one moment to a later one, between which no arrival is: how many are expected
    /// there.
    pub fn advance(&mut self, from: Instant, to: Instant) -> f64 {
        match self {
            Self::Constant { rate } => *rate * (to - from).seconds(),
            Self::Shaped(shaped) => {
                let (from, to) = (from.seconds(), to.seconds());
                let expected = shaped.shape.expected(to) - shaped.shape.expected(from);
                shaped.position = shaped.shape.position(to);
                expected
            }
            Self::Bursty(bursts) => bursts.advance(to.seconds()),
        }
    }
}

impl Shaped {
    #[inline(never)]
    fn step(&mut self, expected: f64) -> Instant {
        let position = self.shape.step(self.position, expected);
        let Some(seconds) = position.and_then(|position| {
            self.position = position;
            self.shape.at(position)
        }) else {
            return Instant::NEVER;
        };
        Instant::from_seconds(seconds)
    }
}

/// A rate that jumps between two levels, for exponential times (an MMPP of two states).
///
/// Which level it begins at is drawn with ordinal 0, the length of the n-th stay with ordinal n.
/// It begins in its steady state, so that its mean rate is the same at all times.
#[derive(Clone, Debug)]
pub struct Bursts {
    randomness: Randomness,
    source: Source,
    end: f64,
    levels: [Level; 2],
    /// The present stay: at which of the two, its number from 1 on, its start and length in seconds.
    level: usize,
    ordinal: u64,
    start: f64,
    seconds: f64,
    /// Arrivals expected since its start.
    within: f64,
}

/// How high the rate is, and for how long in the mean.
#[derive(Clone, Copy, Debug)]
struct Level {
    rate: f64,
    mean_seconds: f64,
}

impl Bursts {
    fn new(
        rate: f64,
        rules: &Bursty,
        (randomness, source): (Randomness, Source),
        end: Instant,
    ) -> Self {
        let level = |factor, mean_seconds| Level {
            rate: rate * factor,
            mean_seconds,
        };
        let (high, low) = (rules.high_mean_seconds, rules.low_mean_seconds);
        let drawn = randomness.uniform(source.request(0), Purpose::Sojourn);
        let begins_high = drawn * (high + low) < high;
        let mut bursts = Self {
            randomness,
            source,
            end: end.seconds(),
            levels: [level(rules.high_factor, high), level(rules.low_factor, low)],
            // The first jump leads to where it begins.
            level: usize::from(begins_high),
            ordinal: 0,
            start: 0.0,
            seconds: 0.0,
            within: 0.0,
        };
        bursts.jump();
        bursts
    }

    /// To the other level, for a time that is drawn.
    fn jump(&mut self) {
        self.start += self.seconds;
        self.level = 1 - self.level;
        self.ordinal += 1;
        let draws = self.source.request(self.ordinal);
        let drawn = self.randomness.exponential(draws, Purpose::Sojourn);
        self.seconds = self.levels[self.level].mean_seconds * drawn;
    }

    /// Goes on to a moment: how many arrivals are expected up to there.
    fn advance(&mut self, to: f64) -> f64 {
        let mut expected = 0.0;
        while self.start + self.seconds < to && self.start + self.seconds < self.end {
            expected += self.levels[self.level].rate * self.seconds - self.within;
            self.within = 0.0;
            self.jump();
        }
        let within = self.levels[self.level].rate * (to - self.start);
        expected += within - self.within;
        self.within = within;
        expected
    }

    #[inline(never)]
    fn step(&mut self, expected: f64) -> Instant {
        self.within += expected;
        loop {
            let rate = self.levels[self.level].rate;
            let all = rate * self.seconds;
            if self.within <= all && rate > 0.0 {
                return Instant::from_seconds(self.start + self.within / rate);
            }
            self.within -= all;
            if self.start + self.seconds >= self.end {
                return Instant::NEVER;
            }
            self.jump();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::Stage;
    use crate::random::SourceKind;

    fn with(rate: f64, set: impl FnOnce(&mut Arrivals)) -> Arrivals {
        let mut rules = Arrivals {
            rate_per_second: rate,
            ..Arrivals::default()
        };
        set(&mut rules);
        rules
    }

    /// Rules of every shape whose rate is known beforehand. Rates of 0 are likely.
    fn rules() -> impl Strategy<Value = Arrivals> {
        let rate = || prop_oneof![Just(0.0), 0.0..1e4];
        let base = || 0.001..1e4;
        let seconds = || prop_oneof![Just(0.0), 0.0..300.0];
        let stage = (seconds(), rate()).prop_map(|(duration_seconds, target_per_second)| Stage {
            duration_seconds,
            target_per_second,
        });
        let ramp = (base(), prop::collection::vec(stage, 1..8))
            .prop_map(|(rate, stages)| with(rate, |rules| rules.ramp = Some(Ramp { stages })));
        let spike = (base(), seconds(), [seconds(), seconds(), seconds()], rate()).prop_map(
            |(rate, at_seconds, [rise_seconds, hold_seconds, fall_seconds], factor)| {
                with(rate, |rules| {
                    rules.spike = Some(Spike {
                        at_seconds,
                        rise_seconds,
                        hold_seconds,
                        fall_seconds,
                        factor: factor / 100.0,
                    });
                })
            },
        );
        let amplitude = prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0];
        let diurnal = (base(), 0.01..1e4, amplitude, 0.0..1e5).prop_map(
            |(rate, period_seconds, amplitude_ratio, phase_seconds)| {
                with(rate, |rules| {
                    rules.diurnal = Some(Diurnal {
                        period_seconds,
                        amplitude_ratio,
                        phase_seconds,
                    });
                })
            },
        );
        let rates = prop::collection::vec(rate(), 1..40);
        let replay = (0.001..100.0, rates, any::<bool>()).prop_map(
            |(interval_seconds, rates_per_second, repeat)| {
                with(1.0, |rules| {
                    rules.replay = Some(Replay {
                        interval_seconds,
                        rates_per_second,
                        repeat,
                    });
                })
            },
        );
        let constant = base().prop_map(|rate| with(rate, |_| ()));
        prop_oneof![constant, ramp, spike, diurnal, replay]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn the_way_back_leads_to_where_so_many_are_expected(rules in rules(), seconds in 0.0..2000.0) {
            let shape = Shape::of(&rules);
            let expected = shape.expected(seconds);
            // A few units in the last place of the largest number involved.
            let within = 1e-12 * expected.max(1.0) + 1e-12 * shape.peak() * seconds.max(1.0);
            let back = shape.when(expected);
            prop_assert!(back.is_some() || expected <= within, "{back:?}");
            let back = back.unwrap_or(0.0);
            prop_assert!((shape.expected(back) - expected).abs() <= within, "{back} {within}");
            // A little less has been reached by then, and a little more has not.
            let little = 1e-12 * seconds + 1e-12;
            if expected > within {
                let less = shape.when(expected - within).expect("less than what was reached");
                prop_assert!(less <= seconds + little, "{less}");
            }
            if let Some(more) = shape.when(expected + within) {
                prop_assert!(more >= seconds - little, "{more}");
            }
        }

        #[test]
        fn steps_lead_where_their_sum_leads(rules in rules(), steps in prop::collection::vec(0.001..20.0, 1..60)) {
            let shape = Shape::of(&rules);
            let (mut position, mut sum) = (Position::default(), 0.0);
            for step in steps {
                sum += step;
                let Some(next) = shape.step(position, step) else {
                    prop_assert_eq!(shape.when(sum), None);
                    break;
                };
                position = next;
                let (at, whole) = (shape.at(position), shape.when(sum));
                prop_assert_eq!(at.is_some(), whole.is_some());
                let (Some(at), Some(whole)) = (at, whole) else { break };
                let within = 1e-11 * (sum + shape.peak() * at.min(1e9));
                prop_assert!((shape.expected(at) - shape.expected(whole)).abs() <= within, "{at} {whole}");
            }
        }
    }

    #[test]
    fn a_moment_reached_just_at_a_jump_or_an_end_is_the_one_before_it() {
        let replay = |rates: &[f64], repeat| {
            Shape::of(&with(1.0, |rules| {
                rules.replay = Some(Replay {
                    interval_seconds: 2.0,
                    rates_per_second: rates.into(),
                    repeat,
                });
            }))
        };
        let ends = replay(&[5.0, 0.0, 5.0], false);
        let moments = [10.0, 11.0, 20.0, 20.5].map(|expected| ends.when(expected));
        assert_eq!(moments, [Some(2.0), Some(4.2), Some(6.0), None]);
        let again = replay(&[5.0, 0.0], true);
        let moments = [10.0, 11.0, 20.0, 1e6].map(|expected| again.when(expected));
        assert_eq!(moments, [Some(2.0), Some(4.2), Some(6.0), Some(399_998.0)]);
        assert_eq!(replay(&[0.0], true).when(1.0), None);
        assert_eq!(replay(&[0.0], false).when(1.0), None);
    }

    #[test]
    fn a_day_that_falls_silent_is_no_obstacle() {
        let rules = with(10.0, |rules| {
            rules.diurnal = Some(Diurnal {
                period_seconds: 100.0,
                amplitude_ratio: 1.0,
                phase_seconds: 0.0,
            });
        });
        let shape = Shape::of(&rules);
        // λ = 0 at three quarters of the period, where 750 + 1000/2π are expected.
        let silent = 750.0 + 1000.0 / TAU;
        assert!((shape.when(silent).unwrap() - 75.0).abs() < 1e-2);
        assert!((shape.expected(75.0) - silent).abs() < 1e-9);
        assert!((shape.when(1e6).unwrap() - 1e5).abs() < 1e-6);
    }

    /// Steps of 1 along Λ, on a path of levels that is drawn here once more.
    #[test]
    fn bursts_are_mapped_back_on_the_path_that_is_drawn() {
        let bursty = Bursty {
            high_factor: 3.0,
            low_factor: 0.0,
            high_mean_seconds: 0.5,
            low_mean_seconds: 1.5,
        };
        let rules = with(40.0, |rules| rules.bursty = Some(bursty));
        let mut begins = [0; 2];
        for seed in 0..100 {
            let randomness = Randomness::new(seed);
            let source = randomness.source(SourceKind::Generator, 2);
            let end = Instant::from_seconds(200.0);
            let mut pace = Pace::new(&rules, &randomness, source, end);
            let drawn = randomness.uniform(source.request(0), Purpose::Sojourn);
            let mut high = drawn < 0.25;
            begins[usize::from(high)] += 1;
            let mut pieces = Pieces::default();
            for ordinal in 1.. {
                let draws = source.request(ordinal);
                let drawn = randomness.exponential(draws, Purpose::Sojourn);
                let (rate, mean) = if high { (120.0, 0.5) } else { (0.0, 1.5) };
                pieces = pieces.then(mean * drawn, rate, rate);
                high = !high;
                if pieces.end >= 200.0 {
                    break;
                }
            }
            let path = pieces.for_ever();
            for expected in 1_u32.. {
                let at = pace.step(Instant::ZERO, 1.0);
                let on_path = path.when(f64::from(expected));
                if on_path.is_none_or(|at| at >= 200.0) {
                    assert!(at >= end, "{at}");
                    break;
                }
                let on_path = on_path.unwrap();
                assert!((at.seconds() - on_path).abs() < 2e-9, "{at} {on_path}");
            }
        }
        // A quarter begins high: five standard errors.
        assert!((begins[1] as f64 - 25.0).abs() < 5.0 * 4.33, "{begins:?}");
    }
}
