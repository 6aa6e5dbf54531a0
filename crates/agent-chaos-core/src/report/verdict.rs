//! The verdict: what a run comes to, in sentences for people.
//!
//! A sentence first: what, when, by which rule and values, and whether it recovered. Then what held
//! it, shares of time, episodes of the start-up, what does not apply or is undefined, what the errors
//! were made of, and recovery by comparison with the twin.

use super::episodes::Episode;
use super::{ErrorPart, Report};
use crate::detector::{Rule, State, Transition};
use crate::profile::Profile;
use crate::request::FailureMode;

/// A run of which more than this failed is not called stable without saying so.
const REMARKABLE_ERRORS: f64 = 0.01;
/// So many causes of errors are named; the report lists all.
const MOST_CAUSES: usize = 3;

/// What a transition was, as a sentence.
pub fn sentence(transition: &Transition, is_unbounded: bool) -> String {
    let change = if transition.to > transition.from {
        "tripped to"
    } else {
        "stepped down to"
    };
    format!(
        "At {:.2} s {change} {}: {}.",
        transition.at.seconds(),
        transition.to.name(),
        why(transition, is_unbounded)
    )
}

/// What a rule saw.
pub fn why(transition: &Transition, is_unbounded: bool) -> String {
    let value = |name: &str| {
        transition
            .values
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(0.0, |&(_, value)| value)
    };
    let percent = |name: &str| percent(value(name));
    let window = transition.window.seconds();
    match transition.rule {
        Rule::QueueGrowth if value("growth_ticks") > 0.0 => format!(
            "the queue grew for {} s while {} full (dQ/dt positive for {} ticks in a row, {:+.1}/s over {window} s)",
            short(value("growth_seconds")),
            percent("saturation"),
            value("growth_ticks"),
            value("derivative"),
        ),
        Rule::QueueGrowth => format!(
            "the queue grew by {:.1}/s within {window} s while {} full",
            value("derivative"),
            percent("saturation"),
        ),
        Rule::LatencyGrowth => format!(
            "the rolling p95 grew from {:.3} s (n = {}) to {:.3} s (n = {}) within {window} s",
            value("p95_before_seconds"),
            value("samples_before"),
            value("p95_seconds"),
            value("samples"),
        ),
        Rule::Saturation if value("mean_saturation") > 0.0 => format!(
            "the queue was {} full on average over {window} s (threshold {})",
            percent("mean_saturation"),
            percent("threshold"),
        ),
        Rule::Saturation => format!(
            "the queue was {} full (threshold {})",
            percent("saturation"),
            percent("threshold")
        ),
        Rule::Recovered if is_unbounded && value("threshold") > 0.0 => {
            format!("the hold time of {window} s was over (the queue is unbounded: no saturation)")
        }
        Rule::Recovered if is_unbounded => {
            "latency no longer grew (the queue is unbounded: no saturation)".to_owned()
        }
        Rule::Recovered if value("threshold") > 0.0 => format!(
            "the queue had stayed below {} full on average for {window} s",
            percent("threshold"),
        ),
        Rule::Recovered => format!("the queue was only {} full", percent("saturation")),
    }
}

/// Why a state was held, to stand after "held because"; none if nothing had to hold it.
pub fn held(profile: &Profile, episode: &Episode) -> Option<String> {
    let rules = &profile.detector.sustained;
    let release = percent(match episode.state {
        State::Collapsed => rules.collapsed_release_saturation,
        _ => rules.degraded_release_saturation,
    });
    let hold = rules.hold_seconds;
    Some(match episode.held_by? {
        "rule" => "a rule that leads to it went on being true".to_owned(),
        "hold_time" => format!("it is left no sooner than after the hold time of {hold} s"),
        _ => {
            let mean = episode.mean_saturation.map_or(String::new(), |mean| {
                format!(", {} full in the mean,", percent(mean))
            });
            // One that has ended was left once it had been low for long enough.
            let (until, most) = match (episode.to_seconds, episode.longest_low_seconds) {
                (Some(to), _) => (format!(" before {to:.2} s"), String::new()),
                (None, Some(0.0)) => (String::new(), " (nor at all)".to_owned()),
                (None, longest) => {
                    let longest = short(longest.unwrap_or(0.0));
                    (String::new(), format!(" ({longest} s at the longest)"))
                }
            };
            let share = match episode.rule_share.unwrap_or(0.0) {
                0.0 => "no rule that leads to it was true any more".to_owned(),
                share => format!(
                    "a rule that leads to it was true for {}{} of that time",
                    if share < 0.5 { "only " } else { "" },
                    percent(share)
                ),
            };
            format!(
                "the queue{mean} did not stay below {release} full on average for {hold} s{until}{most}; {share}"
            )
        }
    })
}

/// The first sentence.
pub fn headline(report: &Report) -> String {
    if let Some(note) = &report.state_note {
        let worst = report.worst_state.filter(|worst| *worst > State::Stable);
        let first = report
            .episodes
            .iter()
            .find(|episode| Some(episode.state) == worst);
        let seen = match (report.worst_state, first) {
            (None, _) => String::new(),
            (Some(_), Some(first)) => format!(
                "; it was {} from {:.2} s on, since {}",
                first.state.name(),
                first.from_seconds,
                first.why
            ),
            (Some(worst), None) => format!("; it was {} throughout", worst.name()),
        };
        return format!("No verdict: {note}{seen}.");
    }
    let Some(episode) = report.episodes.iter().find(|episode| episode.decisive) else {
        return format!("Stable: {}.", calm(report));
    };
    let number = report.overview.numbers[episode.state as usize];
    let time = match number {
        0 | 1 => String::new(),
        _ if episode.to_seconds.is_none() => format!(" for the {} time", ordinal(number)),
        _ => format!(" {number} times, first"),
    };
    // Where most of the time was better than the worst of it, that first.
    let share = &report.state_share;
    let mostly = match report.state.filter(|state| *state < episode.state) {
        Some(State::Stable) => format!(
            "Mostly stable, for {} of the counted time, but ",
            percent(share.stable)
        ),
        Some(_) => format!(
            "Degraded or worse for {} of the counted time, and ",
            percent(share.degraded + share.collapsed)
        ),
        None => String::new(),
    };
    let word = match (episode.state, mostly.is_empty()) {
        (State::Collapsed, true) => "Collapsed",
        (State::Collapsed, false) => "collapsed",
        (_, true) => "Degraded",
        (_, false) => "degraded",
    };
    let when = match episode.phase {
        "trigger" => ", during the trigger",
        "warm-up" => ", during start-up",
        _ => "",
    };
    let down = if episode.from_state > episode.state {
        format!("it stepped down from {}, since ", episode.from_state.name())
    } else {
        String::new()
    };
    format!(
        "{mostly}{word}{time} at {:.2} s{when}: {down}{}; {}.",
        episode.from_seconds,
        episode.why,
        ending(report, episode)
    )
}

/// What a run was like in which no rule tripped while it was counted.
fn calm(report: &Report) -> String {
    let failed = report.error_rate.filter(|rate| *rate > REMARKABLE_ERRORS);
    let failed = failed.map(|rate| format!("{:.2} % of the requests failed", 100.0 * rate));
    let lost = report
        .recovery
        .as_ref()
        .filter(|recovery| recovery.recovered == Some(false))
        .map(|_| "it did not recover from its trigger".to_owned());
    let but: Vec<String> = failed.into_iter().chain(lost).collect();
    let but = if but.is_empty() {
        String::new()
    } else {
        format!(", though {}", but.join(" and "))
    };
    format!("no rule tripped in the counted time{but}")
}

/// How the episode that the verdict is about ended, and the run with it.
fn ending(report: &Report, episode: &Episode) -> String {
    let until = report.counted_seconds.to;
    let since = report.overview.last_since.seconds();
    let last = report.final_state.unwrap_or_default();
    let recovery = report.recovery.as_ref();
    if episode.to_seconds.is_some() {
        let is_worse = recovery.is_some_and(|recovery| recovery.recovered == Some(false));
        return match (last, report.complete) {
            (last, false) => format!("it has been {} since {since:.2} s", last.name()),
            (State::Stable, true) if is_worse => format!(
                "it was STABLE from {since:.2} s to the end, though not as healthy as its twin"
            ),
            (State::Stable, true) => {
                format!("it recovered, and was STABLE from {since:.2} s to the end")
            }
            (last, true) => format!("it was {} from {since:.2} s to the end", last.name()),
        };
    }
    if !report.complete {
        return format!("it has not recovered by {until:.2} s");
    }
    match (
        recovery.and_then(|r| r.metastable),
        recovery.and_then(|r| r.recovered),
    ) {
        (Some(true), _) => "it did not recover: it is metastable".to_owned(),
        // As healthy as the twin, which is in that state as well.
        (_, Some(true)) => "it was in that state to the end".to_owned(),
        _ if episode.state == State::Degraded => "it did not become STABLE again".to_owned(),
        _ => "it did not recover".to_owned(),
    }
}

/// The sentences after the first, recovery aside.
pub fn details(profile: &Profile, report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(shares(report));
    said.extend(held_because(report));
    said.extend(start_up(report));
    if profile.queue.capacity.is_none() && report.worst_state.is_some() {
        said.push(
            "The queue is unbounded: saturation, and the rules made of it, are not applicable."
                .to_owned(),
        );
    }
    said.extend(undefined(profile, report));
    said.push(errors(report));
    said
}

fn shares(report: &Report) -> Option<String> {
    report.state?;
    report.episodes.iter().find(|episode| episode.decisive)?;
    let share = &report.state_share;
    let parts: Vec<String> = [
        (State::Collapsed, share.collapsed),
        (State::Degraded, share.degraded),
        (State::Stable, share.stable),
    ]
    .into_iter()
    .filter(|&(_, share)| share > 0.0)
    .map(|(state, share)| {
        let times = match report.overview.numbers[state as usize] {
            0 | 1 => String::new(),
            more => format!(" ({more} times)"),
        };
        format!("{} for {}{times}", state.name(), percent(share))
    })
    .collect();
    Some(format!("It was {} of the counted time.", all(&parts)))
}

fn held_because(report: &Report) -> Option<String> {
    let episode = report.episodes.iter().find(|episode| episode.decisive)?;
    let because = episode.held_because.as_ref()?;
    let at = episode.from_seconds;
    let tripped = if episode.from_state > episode.state {
        format!("Entered at {at:.2} s from {}", episode.from_state.name())
    } else {
        let rule = episode.tripped_by.replace('_', " ");
        format!("Tripped by {rule} at {at:.2} s")
    };
    Some(format!("{tripped}; held because {because}."))
}

/// The worst that was over before the counted time began.
fn start_up(report: &Report) -> Option<String> {
    let early = || report.episodes.iter().filter(|episode| episode.start_up);
    let worst = early().map(|episode| episode.state).max()?;
    let mut of_worst = early().filter(|episode| episode.state == worst);
    let first = of_worst.next()?;
    let times = match of_worst.count() {
        0 => String::new(),
        1 => " twice, first".to_owned(),
        more => format!(" {} times, first", more + 1),
    };
    Some(format!(
        "During start-up, which is not counted, it was {}{times} from {:.2} s to {:.2} s: {}.",
        worst.name(),
        first.from_seconds,
        first.to_seconds?,
        first.why
    ))
}

/// Where there was nothing to measure latency by.
fn undefined(profile: &Profile, report: &Report) -> Option<String> {
    let stalled = report.latency_undefined.stalled_seconds;
    let window = profile.telemetry.latency_window_seconds;
    if stalled > 0.0 {
        return Some(format!(
            "For {} s of the counted time nothing had been answered for {window} s, though requests waited or were served: the rolling p95 is undefined there, and no latency rule can trip.",
            short(stalled)
        ));
    }
    (report.latency_seconds.is_none() && report.requests.created > 0)
        .then(|| "No request was answered well, so that there is no latency.".to_owned())
}

fn errors(report: &Report) -> String {
    let created = report.requests.created;
    if created == 0 {
        return "No request was created in the counted time.".to_owned();
    }
    let rate = 100.0 * report.error_rate.unwrap_or(0.0);
    let points = |part: &ErrorPart| 100.0 * part.share_of_created;
    let told: Vec<String> = match &*report.errors {
        [] => return format!("None of {created} requests failed."),
        [only] => vec![format!("all by {} ({})", only.cause, only.mode)],
        parts => parts
            .iter()
            .take(MOST_CAUSES)
            .map(|part| {
                format!(
                    "{:.2} points by {} ({})",
                    points(part),
                    part.cause,
                    part.mode
                )
            })
            .collect(),
    };
    let rest: f64 = report.errors.iter().skip(MOST_CAUSES).map(points).sum();
    let rest = if report.errors.len() > MOST_CAUSES {
        format!(", {rest:.2} points by others")
    } else {
        String::new()
    };
    format!(
        "{rate:.2} % of {created} requests failed: {}{rest}.",
        told.join(", ")
    )
}

/// What brings a failure mode about with this profile, to stand after "by".
///
/// A mode that several mechanisms share names all of them that the profile has.
pub fn cause(mode: FailureMode, profile: &Profile) -> String {
    let admission = profile.admission.as_ref();
    let client = profile.client.as_ref();
    let of = |ways: &[(bool, &str)], otherwise: &str| {
        let there: Vec<&str> = ways.iter().filter(|way| way.0).map(|way| way.1).collect();
        if there.is_empty() {
            otherwise.to_owned()
        } else {
            there.join(" or ")
        }
    };
    match mode {
        FailureMode::NominalOperation => String::new(),
        FailureMode::CongestionFailure => of(
            &[
                (profile.queue.early_drop.is_some(), "early drop at the gate"),
                (
                    admission.is_some_and(|rules| rules.token_bucket.is_some()),
                    "the token bucket",
                ),
                (
                    admission.is_some_and(|rules| rules.limit.is_some()),
                    "the concurrency limit",
                ),
                (profile.queue.codel.is_some(), "CoDel"),
                (
                    profile.queue.timeout.is_some(),
                    "the time limit of the queue",
                ),
            ],
            "the gate",
        ),
        FailureMode::WorkerStarvation => "nobody being able to work".to_owned(),
        FailureMode::QueueOverflow => "the full queue".to_owned(),
        FailureMode::LatencyCascade => "clients that waited no longer".to_owned(),
        FailureMode::FaultPropagationSpike => of(
            &[
                (profile.faults.error.is_some(), "errors in service"),
                (
                    profile.faults.crashes.is_some()
                        || profile.timeline.iter().any(|entry| entry.crash.is_some()),
                    "crashes",
                ),
            ],
            "failures in service",
        ),
        FailureMode::CircuitOpen => of(
            &[
                (
                    client.is_some_and(|client| client.breaker.is_some()),
                    "the clients’ circuit breaker",
                ),
                (
                    client.is_some_and(|client| client.throttle.is_some()),
                    "the clients’ own throttle",
                ),
            ],
            "clients that did not send",
        ),
        FailureMode::NetworkFailure => "the network".to_owned(),
        FailureMode::PoolExhausted => "no connection becoming free".to_owned(),
    }
}

/// A share for people: whole percent, but no share that there is becomes none.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if (percent > 0.0 && percent < 0.95) || (percent > 99.05 && percent < 100.0) {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// A number with at most two decimals, and no zeros at its end.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `a, b and c`.
fn all(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn ordinal(number: u64) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::super::{Mark, Tally};
    use super::*;
    use crate::detector::{Detector, Hold};
    use crate::telemetry::{Counts, Telemetry};
    use crate::units::{Instant, Span};
    use crate::wire;

    /// A tick a second, rules that look back one tick, and ten seconds of warm-up.
    const RULES: &str = r#"{
        "run": {"duration_seconds": 260, "warmup_seconds": 10},
        "telemetry": {"interval_seconds": 1, "window_seconds": 1, "latency_window_seconds": 10},
        "queue": {"capacity": 100},
        "detector": {"sustained": {"growth_ticks": 2, "hold_seconds": 3}}
    }"#;

    /// From this tick on: how full the queue is, and the rolling p95 with its number of samples.
    type From = (u64, f64, Option<(f64, usize)>);

    fn with(changes: &[(&str, serde_json::Value)]) -> Profile {
        let profile = wire::parse(RULES).expect("a good profile");
        changes.iter().fold(profile, |profile, (path, value)| {
            wire::set(&profile, path, value.clone()).expect("a good change")
        })
    }

    /// What the report of such a run is, up to tick `to`.
    fn report(
        profile: &Profile,
        script: &[From],
        to: u64,
        failed: &[(FailureMode, u64)],
    ) -> Report {
        let mut tally = Tally::new(profile);
        let mut detector = Detector::new(profile);
        let mut before = 0.0;
        for tick in 1..=to {
            let at = Instant::from_nanos(tick * 1_000_000_000);
            let mut sample = Telemetry::new(profile).sample(at, None);
            let found = script.iter().rfind(|(from, ..)| *from <= tick);
            let &(_, full, p95) = found.expect("from tick 1 on");
            sample.queue = (full * 100.0) as u32;
            sample.saturation = profile.queue.capacity.map(|_| full);
            sample.derivative = (full - before) * 100.0;
            sample.derivative_tick = sample.derivative;
            sample.latency_p95 = p95.map(|(p95, _)| p95);
            sample.latency_samples = p95.map_or(0, |(_, samples)| samples);
            sample.recent_p95 = sample.latency_p95;
            sample.recent_samples = sample.latency_samples;
            before = full;
            let transition = detector
                .as_mut()
                .and_then(|detector| detector.look(&sample));
            let state = detector.as_ref().map(Detector::state);
            tally.tick(&sample, state, transition.as_ref());
        }
        tally.marks[0] = Some(Mark {
            at: tally.warmup,
            counts: Counts::default(),
            queue_max: 0,
        });
        if script.iter().any(|(.., p95)| p95.is_some()) {
            tally.latencies.add(Span::from_seconds(0.1));
        }
        let mut counts = Counts::default();
        counts.created = 100;
        for &(mode, number) in failed {
            tally.failures[mode as usize] = number;
            tally.requests.failed += number;
        }
        let hold = detector.as_ref().map_or(Hold::default(), Detector::held);
        let now = Instant::from_nanos(to * 1_000_000_000);
        let complete = now.seconds() >= profile.run.duration_seconds;
        tally.report(profile, String::new(), (now, complete), &counts, hold)
    }

    /// The verdict, sentence by sentence; what is said of errors is left out.
    #[track_caller]
    fn check_until(changes: &[(&str, serde_json::Value)], script: &[From], to: u64, said: &[&str]) {
        let report = report(&with(changes), script, to, &[]);
        let end = " None of 100 requests failed.";
        let verdict = report.verdict.strip_suffix(end).expect("ends with errors");
        assert_eq!(verdict, said.join(" "));
        assert_eq!(report.headline, said[0]);
    }

    #[track_caller]
    fn check(changes: &[(&str, serde_json::Value)], script: &[From], said: &[&str]) {
        let to = with(changes).run.duration_seconds as u64;
        check_until(changes, script, to, said);
    }

    const CALM: Option<(f64, usize)> = Some((0.1, 50));
    const GROWS: &str = "the queue grew for 2 s while 90 % full (dQ/dt positive for 2 ticks in a row, +45.0/s over 1 s)";
    const UNBOUNDED: &str =
        "The queue is unbounded: saturation, and the rules made of it, are not applicable.";

    #[test]
    fn nothing_happens() {
        check(
            &[],
            &[(1, 0.05, CALM)],
            &["Stable: no rule tripped in the counted time."],
        );
    }

    #[test]
    fn a_queue_pinned_full_is_held_by_hysteresis() {
        // Counted are ticks 11 to 260: 9 STABLE, 1 DEGRADED, 240 COLLAPSED.
        check(
            &[],
            &[(1, 0.0, CALM), (20, 0.45, CALM), (21, 0.9, CALM)],
            &[
                &format!("Collapsed at 21.00 s: {GROWS}; it did not recover."),
                "It was COLLAPSED for 96 %, DEGRADED for 0.4 % and STABLE for 4 % of the counted time.",
                "Tripped by queue growth at 21.00 s; held because the queue, 90 % full in the mean, did not stay below 50 % full on average for 3 s (nor at all); no rule that leads to it was true any more.",
            ],
        );
    }

    #[test]
    fn it_comes_back() {
        // Low from 61 s on: down at 64 s, low in that state from 65 s on, and down again at 68 s. It was
        // 90 % full at 39 of the 42 ticks for which it was held.
        check(
            &[],
            &[
                (1, 0.0, CALM),
                (20, 0.45, CALM),
                (21, 0.9, CALM),
                (61, 0.0, CALM),
            ],
            &[
                &format!(
                    "Mostly stable, for 81 % of the counted time, but collapsed at 21.00 s: {GROWS}; it recovered, and was STABLE from 68.00 s to the end."
                ),
                "It was COLLAPSED for 17 %, DEGRADED for 2 % (2 times) and STABLE for 81 % of the counted time.",
                "Tripped by queue growth at 21.00 s; held because the queue, 84 % full in the mean, did not stay below 50 % full on average for 3 s before 64.00 s; no rule that leads to it was true any more.",
            ],
        );
    }

    #[test]
    fn it_comes_down_half_way() {
        check(
            &[],
            &[
                (1, 0.0, CALM),
                (20, 0.45, CALM),
                (21, 0.9, CALM),
                (61, 0.3, CALM),
            ],
            &[
                &format!(
                    "Degraded or worse for 96 % of the counted time, and collapsed at 21.00 s: {GROWS}; it was DEGRADED from 64.00 s to the end."
                ),
                "It was COLLAPSED for 17 %, DEGRADED for 79 % (2 times) and STABLE for 4 % of the counted time.",
                "Tripped by queue growth at 21.00 s; held because the queue, 86 % full in the mean, did not stay below 50 % full on average for 3 s before 64.00 s; no rule that leads to it was true any more.",
            ],
        );
    }

    #[test]
    fn start_up_is_labelled() {
        // All over at 10 s, when the counted time begins.
        check(
            &[],
            &[(1, 0.45, CALM), (2, 0.9, CALM), (3, 0.0, CALM)],
            &[
                "Stable: no rule tripped in the counted time.",
                &format!(
                    "During start-up, which is not counted, it was COLLAPSED from 2.00 s to 6.00 s: {GROWS}."
                ),
            ],
        );
        check(
            &[],
            &[(1, 0.45, CALM), (2, 0.9, CALM)],
            &[
                &format!("Collapsed at 2.00 s, during start-up: {GROWS}; it did not recover."),
                "It was COLLAPSED for 100 % of the counted time.",
                "Tripped by queue growth at 2.00 s; held because the queue, 90 % full in the mean, did not stay below 50 % full on average for 3 s (nor at all); no rule that leads to it was true any more.",
                "During start-up, which is not counted, it was DEGRADED from 1.00 s to 2.00 s: the queue was 45 % full on average over 1 s (threshold 25 %).",
            ],
        );
        check(
            &[],
            &[(1, 0.45, CALM), (2, 0.9, CALM), (3, 0.3, CALM)],
            &[
                "Degraded at 6.00 s, during start-up: it stepped down from COLLAPSED, since the queue had stayed below 50 % full on average for 3 s; it did not become STABLE again.",
                "It was DEGRADED for 100 % of the counted time.",
                "Entered at 6.00 s from COLLAPSED; held because a rule that leads to it went on being true.",
                &format!(
                    "During start-up, which is not counted, it was COLLAPSED from 2.00 s to 6.00 s: {GROWS}."
                ),
            ],
        );
    }

    #[test]
    fn a_long_queue_that_holds_is_degraded() {
        check(
            &[],
            &[(1, 0.0, CALM), (61, 0.3, CALM)],
            &[
                "Degraded at 61.00 s: the queue was 30 % full on average over 1 s (threshold 25 %); it did not become STABLE again.",
                "It was DEGRADED for 80 % and STABLE for 20 % of the counted time.",
                "Tripped by saturation at 61.00 s; held because a rule that leads to it went on being true.",
            ],
        );
        // 30 % full at 50 of 199 ticks, and 20 % at the others: that is 22.5 % in the mean.
        check(
            &[],
            &[(1, 0.0, CALM), (61, 0.3, CALM), (112, 0.2, CALM)],
            &[
                "Degraded at 61.00 s: the queue was 30 % full on average over 1 s (threshold 25 %); it did not become STABLE again.",
                "It was DEGRADED for 80 % and STABLE for 20 % of the counted time.",
                "Tripped by saturation at 61.00 s; held because the queue, 23 % full in the mean, did not stay below 10 % full on average for 3 s (nor at all); a rule that leads to it was true for only 25 % of that time.",
            ],
        );
    }

    const LATER: Option<(f64, usize)> = Some((0.25, 40));
    const SLOWER: &str =
        "the rolling p95 grew from 0.100 s (n = 30) to 0.250 s (n = 40) within 1 s";

    #[test]
    fn quantiles_come_with_their_numbers_of_samples() {
        check(
            &[],
            &[(1, 0.0, Some((0.1, 30))), (21, 0.0, LATER)],
            &[
                &format!(
                    "Mostly stable, for 97 % of the counted time, but collapsed at 21.00 s: {SLOWER}; it recovered, and was STABLE from 29.00 s to the end."
                ),
                "It was COLLAPSED for 2 %, DEGRADED for 2 % and STABLE for 97 % of the counted time.",
                "Tripped by latency growth at 21.00 s; held because it is left no sooner than after the hold time of 3 s.",
            ],
        );
        // By the instant method for one tick, in which it grows, and not for longer.
        check(
            &[("detector.method", "instant".into())],
            &[(1, 0.0, Some((0.1, 30))), (21, 0.0, LATER)],
            &[
                &format!(
                    "Mostly stable, for 99.6 % of the counted time, but collapsed at 21.00 s: {SLOWER}; it recovered, and was STABLE from 22.00 s to the end."
                ),
                "It was COLLAPSED for 0.4 % and STABLE for 99.6 % of the counted time.",
            ],
        );
    }

    #[test]
    fn saturation_does_not_apply_to_an_unbounded_queue() {
        let unbounded = [("queue.capacity", serde_json::Value::Null)];
        let grows = [(1, 0.0, Some((0.1, 30))), (21, 900.0, LATER)];
        check(
            &unbounded,
            &grows,
            &[
                &format!(
                    "Mostly stable, for 97 % of the counted time, but collapsed at 21.00 s: {SLOWER}; it recovered, and was STABLE from 29.00 s to the end."
                ),
                "It was COLLAPSED for 2 %, DEGRADED for 2 % and STABLE for 97 % of the counted time.",
                "Tripped by latency growth at 21.00 s; held because it is left no sooner than after the hold time of 3 s.",
                UNBOUNDED,
            ],
        );
        let told = report(&with(&unbounded), &grows, 260, &[]);
        assert_eq!(told.episodes[0].mean_saturation, None);
        assert_eq!(
            told.evidence[1].text,
            "At 25.00 s stepped down to DEGRADED: the hold time of 3 s was over (the queue is unbounded: no saturation)."
        );
    }

    #[test]
    fn a_stall_leaves_latency_undefined() {
        check(
            &[],
            &[(1, 0.05, CALM), (101, 0.05, None), (131, 0.05, CALM)],
            &[
                "Stable: no rule tripped in the counted time.",
                "For 30 s of the counted time nothing had been answered for 10 s, though requests waited or were served: the rolling p95 is undefined there, and no latency rule can trip.",
            ],
        );
        // Nobody waits: that is no stall.
        let report = report(&with(&[]), &[(1, 0.0, None)], 260, &[]);
        let undefined = report.latency_undefined;
        assert_eq!([undefined.seconds, undefined.stalled_seconds], [250.0, 0.0]);
        assert!(
            report
                .verdict
                .contains("No request was answered well, so that there is no latency.")
        );
    }

    #[test]
    fn several_times() {
        let twice = [
            (1, 0.0, CALM),
            (20, 0.45, CALM),
            (21, 0.9, CALM),
            (61, 0.0, CALM),
            (100, 0.45, CALM),
            (101, 0.9, CALM),
        ];
        check(
            &[],
            &twice,
            &[
                &format!("Collapsed for the 2nd time at 101.00 s: {GROWS}; it did not recover."),
                "It was COLLAPSED for 81 % (2 times), DEGRADED for 2 % (3 times) and STABLE for 16 % of the counted time.",
                "Tripped by queue growth at 101.00 s; held because the queue, 90 % full in the mean, did not stay below 50 % full on average for 3 s (nor at all); no rule that leads to it was true any more.",
            ],
        );
        let mut recovered = twice.to_vec();
        recovered.push((141, 0.0, CALM));
        let report = report(&with(&[]), &recovered, 260, &[]);
        assert_eq!(
            report.headline,
            format!(
                "Mostly stable, for 62 % of the counted time, but collapsed 2 times, first at 21.00 s: {GROWS}; it recovered, and was STABLE from 148.00 s to the end."
            )
        );
        let states: Vec<_> = report
            .episodes
            .iter()
            .map(|e| (e.state.name(), e.from_seconds, e.to_seconds, e.decisive))
            .collect();
        assert_eq!(
            states,
            [
                ("DEGRADED", 20.0, Some(21.0), false),
                ("COLLAPSED", 21.0, Some(64.0), true),
                ("DEGRADED", 64.0, Some(68.0), false),
                ("DEGRADED", 100.0, Some(101.0), false),
                ("COLLAPSED", 101.0, Some(144.0), false),
                ("DEGRADED", 144.0, Some(148.0), false),
            ]
        );
    }

    #[test]
    fn too_short_or_too_early_or_off() {
        let collapses = [(1, 0.0, CALM), (20, 0.45, CALM), (21, 0.9, CALM)];
        let short = [("run.duration_seconds", 100.into())];
        let told = report(&with(&short), &collapses, 100, &[]);
        assert_eq!(
            told.headline,
            format!(
                "No verdict: too short: 90 ticks counted, 200 needed; it was COLLAPSED from 21.00 s on, since {GROWS}."
            )
        );
        assert_eq!(told.state, None);
        let told = report(&with(&short), &[(1, 0.0, CALM)], 100, &[]);
        assert_eq!(
            told.headline,
            "No verdict: too short: 90 ticks counted, 200 needed; it was STABLE throughout."
        );
        let told = report(&with(&[]), &collapses, 230, &[]);
        assert_eq!(
            told.headline,
            format!("Collapsed at 21.00 s: {GROWS}; it has not recovered by 230.00 s.")
        );
        let mut left = collapses.to_vec();
        left.push((61, 0.0, CALM));
        let told = report(&with(&[]), &left, 230, &[]);
        assert_eq!(
            told.headline,
            format!(
                "Mostly stable, for 78 % of the counted time, but collapsed at 21.00 s: {GROWS}; it has been STABLE since 68.00 s."
            )
        );
        let off = [("detector.enabled", false.into())];
        check(&off, &collapses, &["No verdict: the detector is off."]);
    }

    #[test]
    fn errors_are_made_of_their_causes() {
        use FailureMode::{
            CongestionFailure, FaultPropagationSpike, LatencyCascade, QueueOverflow,
        };
        let told = |changes: &[(&str, serde_json::Value)], failed: &[(FailureMode, u64)]| {
            let report = report(&with(changes), &[(1, 0.0, CALM)], 260, failed);
            let (first, rest) = report.verdict.split_once(". ").expect("two sentences");
            (first.to_owned(), rest.to_owned())
        };
        let (first, errors) = told(
            &[],
            &[
                (FaultPropagationSpike, 5),
                (CongestionFailure, 30),
                (QueueOverflow, 1),
            ],
        );
        assert_eq!(
            first,
            "Stable: no rule tripped in the counted time, though 36.00 % of the requests failed"
        );
        assert_eq!(
            errors,
            "36.00 % of 100 requests failed: 30.00 points by early drop at the gate (CONGESTION_FAILURE), 5.00 points by errors in service (FAULT_PROPAGATION_SPIKE), 1.00 points by the full queue (QUEUE_OVERFLOW)."
        );
        let gates = [
            ("queue.early_drop", serde_json::Value::Null),
            (
                "admission",
                serde_json::json!({"token_bucket": {}, "limit": {}}),
            ),
        ];
        let (_, errors) = told(&gates, &[(CongestionFailure, 1)]);
        assert_eq!(
            errors,
            "1.00 % of 100 requests failed: all by the token bucket or the concurrency limit (CONGESTION_FAILURE)."
        );
        let (_, errors) = told(
            &[],
            &[
                (FaultPropagationSpike, 5),
                (CongestionFailure, 30),
                (QueueOverflow, 2),
                (LatencyCascade, 1),
            ],
        );
        assert!(
            errors.ends_with(
                "2.00 points by the full queue (QUEUE_OVERFLOW), 1.00 points by others."
            ),
            "{errors}"
        );
    }

    #[test]
    fn the_number_of_episodes_is_bounded() {
        let profile = with(&[
            ("detector.method", "instant".into()),
            ("run.duration_seconds", 1_000.into()),
        ]);
        // DEGRADED every other tick, and COLLAPSED once, long after the last episode that is kept.
        let mut script: Vec<From> = (1..=1_000)
            .map(|tick| (tick, if tick % 2 == 1 { 0.45 } else { 0.0 }, None))
            .collect();
        script[900].1 = 0.9;
        let report = report(&profile, &script, 1_000, &[]);
        assert_eq!(report.episodes.len(), 101);
        assert_eq!(report.episodes_dropped, 500 - 101);
        let decisive: Vec<_> = report.episodes.iter().filter(|e| e.decisive).collect();
        assert_eq!(decisive.len(), 1);
        assert_eq!(
            (decisive[0].state, decisive[0].from_seconds),
            (State::Collapsed, 901.0)
        );
    }

    #[test]
    fn numbers_for_people() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.004, "0.4 %"),
            (0.5, "50 %"),
            (0.996, "99.6 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), text);
        }
        for (number, text) in [
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (11, "11th"),
            (21, "21st"),
            (112, "112th"),
        ] {
            assert_eq!(ordinal(number), text);
        }
        assert_eq!(short(Span::from_seconds(0.55).seconds()), "0.55");
        assert_eq!(short(120.0), "120");
    }
}
