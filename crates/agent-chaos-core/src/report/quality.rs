//! How well the detector does: its alarms against what the comparison with the twin says.
//!
//! ```text
//! unhealthy   ······▓▓▓▓▓▓▓▓▓······▓▓▓▓········
//! alarm       ········▒▒▒▒▒▒▒▒▒···········▒▒▒··
//!             lag ─►◄─             missed  false
//! ```
//!
//! An alarm is any state but STABLE; alarms less than the window of the comparison apart are one. An
//! unhealthy time begins where the run is unhealthy for one window without a break, and ends where it is
//! healthy for one: two runs whose requests come at other moments differ a little all the time, by
//! chance. An unhealthy time that no alarm touches is a miss; an alarm that touches none is false.

use serde::Serialize;

use crate::units::{Instant, Span};

/// The detector against the comparison with the twin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectorQuality {
    /// From when on they are compared, in seconds: from the end of the warm-up or the beginning of the
    /// trigger, whichever comes first.
    pub from_seconds: f64,
    /// Until when.
    pub to_seconds: f64,
    /// How often the run was unhealthy.
    pub unhealthy: u64,
    /// How many of these times no alarm fell into.
    pub misses: u64,
    /// How often the detector alarmed.
    pub alarms: u64,
    /// How many of these alarms fell into no unhealthy time.
    pub false_alarms: u64,
    /// From the beginning of an unhealthy time to that of its alarm, in the mean; negative where the
    /// alarm came first, none without any.
    pub lag_seconds: Option<f64>,
    /// The longest of these.
    pub longest_lag_seconds: Option<f64>,
    /// For how long the run was unhealthy.
    pub unhealthy_seconds: f64,
    /// Of that, without an alarm.
    pub missed_seconds: f64,
    /// For how long there was an alarm though the run was healthy.
    pub false_alarm_seconds: f64,
    /// All of it as a sentence or two.
    pub text: String,
}

/// A moment by both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Instant,
    /// Whether the run is as healthy as its twin.
    pub is_healthy: bool,
    /// Whether the detector says anything but STABLE.
    pub alarms: bool,
}

/// The same moments, with changes of health only where they last.
fn steady(looks: &[Look], least: Span) -> Vec<Look> {
    let mut steady = looks.to_vec();
    let (mut is_healthy, mut other_since) = (true, None);
    for (index, look) in looks.iter().enumerate() {
        steady[index].is_healthy = is_healthy;
        if look.is_healthy == is_healthy {
            other_since = None;
            continue;
        }
        let since: usize = *other_since.get_or_insert(index);
        if look.at - looks[since].at >= least {
            is_healthy = look.is_healthy;
            other_since = None;
            for look in &mut steady[since..=index] {
                look.is_healthy = is_healthy;
            }
        }
    }
    steady
}

/// A time from its first moment to its last.
type Time = (Instant, Instant);

/// Times in which something holds; those no more than `apart` from each other are one.
fn times(looks: &[Look], apart: Span, holds: impl Fn(&Look) -> bool) -> Vec<Time> {
    let mut times: Vec<Time> = Vec::new();
    for look in looks.iter().filter(|look| holds(look)) {
        match times.last_mut() {
            Some((_, to)) if look.at - *to <= apart => *to = look.at,
            _ => times.push((look.at, look.at)),
        }
    }
    times
}

fn touch(a: &Time, b: &Time) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

impl DetectorQuality {
    /// Of moments at equal distances, in order; none of fewer than two.
    #[must_use]
    pub fn of(looks: &[Look], window: Span) -> Option<Self> {
        let looks = &*steady(looks, window);
        let [first, second, .., last] = looks else {
            return None;
        };
        let step = second.at - first.at;
        let seconds =
            |holds: fn(&&Look) -> bool| looks.iter().filter(holds).count() as f64 * step.seconds();
        let unhealthy = times(looks, step, |look| !look.is_healthy);
        let alarms = times(looks, window, |look| look.alarms);
        let lags: Vec<f64> = unhealthy
            .iter()
            .filter_map(|time| {
                let alarm = alarms.iter().find(|alarm| touch(alarm, time))?;
                Some(alarm.0.seconds() - time.0.seconds())
            })
            .collect();
        let false_alarms = alarms
            .iter()
            .filter(|alarm| !unhealthy.iter().any(|time| touch(alarm, time)))
            .count();
        let mut quality = Self {
            from_seconds: first.at.seconds(),
            to_seconds: last.at.seconds(),
            unhealthy: unhealthy.len() as u64,
            misses: (unhealthy.len() - lags.len()) as u64,
            alarms: alarms.len() as u64,
            false_alarms: false_alarms as u64,
            lag_seconds: (!lags.is_empty()).then(|| lags.iter().sum::<f64>() / lags.len() as f64),
            longest_lag_seconds: lags.iter().copied().reduce(f64::max),
            unhealthy_seconds: seconds(|look| !look.is_healthy),
            missed_seconds: seconds(|look| !look.is_healthy && !look.alarms),
            false_alarm_seconds: seconds(|look| look.is_healthy && look.alarms),
            text: String::new(),
        };
        quality.text = quality.tell();
        Some(quality)
    }

    fn tell(&self) -> String {
        let times = |number: u64| match number {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            more => format!("{more} times"),
        };
        let told = if self.unhealthy == 0 {
            "By comparison with its twin the run was never unhealthy".to_owned()
        } else {
            let told = self.unhealthy - self.misses;
            let lag = match self.lag_seconds {
                None => String::new(),
                Some(lag) => {
                    let mean = if told > 1 { " in the mean" } else { "" };
                    if lag.abs() < 0.005 {
                        format!(", as it began{mean}")
                    } else {
                        let when = if lag < 0.0 { "before" } else { "after" };
                        format!(", {:.2} s {when} it began{mean}", lag.abs())
                    }
                }
            };
            format!(
                "By comparison with its twin the run was unhealthy {}, for {:.1} s in all; the detector told {told} of {}{lag}, and missed {}",
                times(self.unhealthy),
                self.unhealthy_seconds,
                self.unhealthy,
                self.misses
            )
        };
        let falsely = match self.false_alarms {
            0 => "never falsely".to_owned(),
            falsely if falsely == self.alarms => "always falsely".to_owned(),
            falsely => format!("of these {} falsely", times(falsely)),
        };
        let too_long = if self.false_alarm_seconds > 0.0 {
            format!(
                "; for {:.1} s the alarm was on though the run was healthy",
                self.false_alarm_seconds
            )
        } else {
            String::new()
        };
        let alarms = match self.alarms {
            0 => "It did not alarm.".to_owned(),
            alarms => format!("It alarmed {}, {falsely}{too_long}.", times(alarms)),
        };
        format!("{told}. {alarms}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One character is a second: `h` healthy, `u` unhealthy; `.` no alarm, `!` alarm.
    fn of(health: &str, alarm: &str) -> DetectorQuality {
        let looks: Vec<Look> = (0..)
            .zip(health.chars().zip(alarm.chars()))
            .map(|(second, (health, alarm))| Look {
                at: Instant::from_nanos(second * 1_000_000_000),
                is_healthy: health == 'h',
                alarms: alarm == '!',
            })
            .collect();
        assert_eq!(health.len(), alarm.len(), "two rows of one length");
        DetectorQuality::of(&looks, Span::from_seconds(3.0)).expect("enough moments")
    }

    /// Unhealthy, misses, alarms, false alarms, lags, and seconds unhealthy, missed, alarmed falsely.
    #[track_caller]
    fn check(
        health: &str,
        alarm: &str,
        counts: [u64; 4],
        lags: [Option<f64>; 2],
        seconds: [f64; 3],
    ) {
        let of = of(health, alarm);
        let told = [of.unhealthy, of.misses, of.alarms, of.false_alarms];
        assert_eq!(told, counts, "{health} {alarm}: {}", of.text);
        assert_eq!(
            [of.lag_seconds, of.longest_lag_seconds],
            lags,
            "{health} {alarm}"
        );
        let told = [
            of.unhealthy_seconds,
            of.missed_seconds,
            of.false_alarm_seconds,
        ];
        assert_eq!(told, seconds, "{health} {alarm}");
    }

    #[test]
    fn quality_of_constructed_sequences() {
        // Nothing at all.
        check(
            "hhhhhh",
            "......",
            [0, 0, 0, 0],
            [None, None],
            [0.0, 0.0, 0.0],
        );
        // Two seconds late, and on for two seconds too long.
        check(
            "hhuuuuuhhhh",
            "....!!!!!..",
            [1, 0, 1, 0],
            [Some(2.0), Some(2.0)],
            [5.0, 2.0, 2.0],
        );
        // A second early.
        check(
            "hhhuuuuhhhh",
            "..!!!!!....",
            [1, 0, 1, 0],
            [Some(-1.0), Some(-1.0)],
            [4.0, 0.0, 1.0],
        );
        // Missed, and a false alarm after it.
        check(
            "huuuuhhhhhhhh",
            "........!!...",
            [1, 1, 1, 1],
            [None, None],
            [4.0, 4.0, 2.0],
        );
        // Two seconds unhealthy, from the first moment to the last, are chance: the alarm is false.
        check(
            "huuuhhhhhh",
            "..!!!.....",
            [0, 0, 1, 1],
            [None, None],
            [0.0, 0.0, 3.0],
        );
        // Twice unhealthy, five seconds apart: told after 0 s and 3 s.
        check(
            "huuuuhhhhuuuuu",
            ".!!!!.......!!",
            [2, 0, 2, 0],
            [Some(1.5), Some(3.0)],
            [9.0, 3.0, 0.0],
        );
        // Three seconds healthy, from the first moment to the last, end it; two do not.
        check(
            "huuuuhhhuuuuhhhh",
            "!!!!!!!!!!!!!!!!",
            [1, 0, 1, 0],
            [Some(-1.0), Some(-1.0)],
            [11.0, 0.0, 5.0],
        );
        // Alarms three seconds apart are one, four seconds apart are two.
        check(
            "hhhhhhhhhhhh",
            "!..!...!....",
            [0, 0, 2, 2],
            [None, None],
            [0.0, 0.0, 3.0],
        );
        // One alarm through two unhealthy times tells both: 1 s before the first, 9 s before the second.
        check(
            "huuuuhhhhuuuu",
            "!!!!!!!!!!!!!",
            [2, 0, 1, 0],
            [Some(-5.0), Some(-1.0)],
            [8.0, 0.0, 5.0],
        );
        // Unhealthy to the end, and never told.
        check(
            "hhuuuuuu",
            "........",
            [1, 1, 0, 0],
            [None, None],
            [6.0, 6.0, 0.0],
        );
    }

    #[test]
    fn quality_in_words() {
        for (health, alarm, text) in [
            (
                "hhhhhh",
                "......",
                "By comparison with its twin the run was never unhealthy. It did not alarm.",
            ),
            (
                "hhuuuuuhhhh",
                "....!!!!!..",
                "By comparison with its twin the run was unhealthy once, for 5.0 s in all; the detector told 1 of 1, 2.00 s after it began, and missed 0. It alarmed once, never falsely; for 2.0 s the alarm was on though the run was healthy.",
            ),
            (
                "huuuuhhhhuuuu",
                "!!!!!!!!!!!!!",
                "By comparison with its twin the run was unhealthy twice, for 8.0 s in all; the detector told 2 of 2, 5.00 s before it began in the mean, and missed 0. It alarmed once, never falsely; for 5.0 s the alarm was on though the run was healthy.",
            ),
            (
                "huuuuhhhhhhhhhhhh",
                ".!!!!...!!....!!.",
                "By comparison with its twin the run was unhealthy once, for 4.0 s in all; the detector told 1 of 1, as it began, and missed 0. It alarmed 3 times, of these twice falsely; for 4.0 s the alarm was on though the run was healthy.",
            ),
        ] {
            assert_eq!(of(health, alarm).text, text);
        }
    }

    #[test]
    fn too_few_moments_tell_nothing() {
        assert_eq!(DetectorQuality::of(&[], Span::from_seconds(3.0)), None);
    }
}
