//! The verdict: what a run comes to, in sentences for people.

use super::Report;
use crate::detector::{Rule, State, Transition};

/// What a transition was, as a sentence.
pub fn sentence(transition: &Transition) -> String {
    let change = if transition.to > transition.from {
        "tripped to"
    } else {
        "stepped down to"
    };
    format!(
        "At {:.2} s {change} {}: {}.",
        transition.at.seconds(),
        transition.to.name(),
        reason(transition)
    )
}

/// Why a transition was, as a clause.
pub fn reason(transition: &Transition) -> String {
    let value = |name: &str| {
        transition
            .values
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(0.0, |&(_, value)| value)
    };
    let percent = |name: &str| format!("{:.0} %", 100.0 * value(name));
    let window = transition.window.seconds();
    match transition.rule {
        Rule::QueueGrowth if value("growth_ticks") > 0.0 => format!(
            "the queue grew for {} ticks in a row ({:+.1} requests/s over {window} s) while {} full",
            value("growth_ticks"),
            value("derivative"),
            percent("saturation"),
        ),
        Rule::QueueGrowth => format!(
            "the queue grew by {:.1} requests/s within {window} s while {} full",
            value("derivative"),
            percent("saturation"),
        ),
        Rule::LatencyGrowth => {
            let samples = match value("samples") {
                0.0 => String::new(),
                n => format!(", n = {n}"),
            };
            format!(
                "the rolling p95 grew from {:.3} s to {:.3} s within {window} s{samples}",
                value("p95_before_seconds"),
                value("p95_seconds"),
            )
        }
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
        Rule::Recovered if value("threshold") > 0.0 => format!(
            "the queue had stayed below {} full on average for {window} s",
            percent("threshold"),
        ),
        Rule::Recovered => format!("the queue was only {} full", percent("saturation")),
    }
}

/// The whole run in a few sentences: what it came to, when and by which rule, and whether it came
/// back; then what a resolved state does not show; then what became of the requests.
pub fn verdict(report: &Report) -> String {
    let mut said = vec![headline(report)];
    said.extend(held(report));
    said.extend(start_up(report));
    said.extend(not_applicable(report));
    said.push(outcome(report));
    said.join(" ")
}

fn headline(report: &Report) -> String {
    if let Some(note) = &report.state_note {
        let worst = report.worst_state.map_or(String::new(), |worst| {
            let trip = trip(report, worst).map_or(String::new(), |trip| {
                format!(", at {:.2} s: {}", trip.at_seconds, trip.reason)
            });
            format!(" The worst state seen was {}{trip}.", worst.name())
        });
        return format!("No verdict: {note}.{worst}");
    }
    let share = &report.state_share;
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let (word, state, time) = match report.state {
        Some(State::Stable) => {
            return format!(
                "Stable: {} of the counted time was STABLE.",
                percent(share.stable)
            );
        }
        Some(State::Degraded) => (
            "Degraded",
            State::Degraded,
            share.degraded + share.collapsed,
        ),
        Some(State::Collapsed) => ("Collapsed", State::Collapsed, share.collapsed),
        None => return "No verdict.".to_owned(),
    };
    let (when, why) = trip(report, state).map_or_else(Default::default, |trip| {
        let phase = if trip.phase == "warm-up" {
            ", during start-up"
        } else {
            ""
        };
        (
            format!(" at {:.2} s{phase}", trip.at_seconds),
            format!("{}; ", trip.reason),
        )
    });
    let end = match report.final_state {
        Some(State::Stable) => "it was STABLE again at the end",
        Some(last) if last < state => "it had come down to DEGRADED at the end",
        _ => "it did not recover",
    };
    format!(
        "{word}{when}: {why}{end}. It was {} for {} of the counted time.",
        if state == State::Degraded {
            "DEGRADED or worse"
        } else {
            "COLLAPSED"
        },
        percent(time)
    )
}

/// What began the longest trouble: the first trip to this state in the counted time or, where the
/// state came out of the start-up, the last one before.
fn trip(report: &Report, state: State) -> Option<&super::Evidence> {
    let trips = || {
        report
            .evidence
            .iter()
            .filter(move |e| e.to >= state && e.from < state)
    };
    let last_early = trips().rfind(|e| e.phase == "warm-up");
    let left = last_early.is_some_and(|trip| {
        report
            .evidence
            .iter()
            .any(|e| e.phase == "warm-up" && e.at_seconds > trip.at_seconds && e.to < state)
    });
    last_early
        .filter(|_| !left)
        .or_else(|| trips().find(|e| e.phase != "warm-up"))
        .or(last_early)
}

/// Trips before the counted time that a resolved state does not show.
fn start_up(report: &Report) -> Option<String> {
    let state = report.state?;
    let early = report
        .evidence
        .iter()
        .find(|e| e.phase == "warm-up" && e.to > state)?;
    Some(format!(
        "During start-up it was {} from {:.2} s on, for a while.",
        early.to.name(),
        early.at_seconds
    ))
}

/// What holds a state whose rule no longer fires.
fn held(report: &Report) -> Option<String> {
    let state = report.state.filter(|state| *state > State::Stable)?;
    let trip = trip(report, state)?;
    let stayed = report.final_state >= Some(state)
        && !report
            .evidence
            .iter()
            .any(|e| e.at_seconds > trip.at_seconds && e.to < state);
    stayed.then(|| {
        "It was held there by hysteresis: since then the queue never stayed below the release threshold for the hold time, though a full queue has dQ/dt near 0.".to_owned()
    })
}

/// Rules that cannot fire, so that their silence says nothing.
fn not_applicable(report: &Report) -> Option<String> {
    let unbounded = report.profile["queue"]["capacity"].is_null() && report.worst_state.is_some();
    unbounded
        .then(|| "The queue is unbounded: saturation and its rules are not applicable.".to_owned())
}

fn outcome(report: &Report) -> String {
    let requests = &report.requests;
    if requests.created == 0 {
        return "No request was created in the counted time.".to_owned();
    }
    let rate = 100.0 * report.error_rate.unwrap_or(0.0);
    let mut modes: Vec<_> = report
        .failures
        .iter()
        .filter_map(|(name, count)| Some((name, count.as_u64()?)))
        .filter(|&(_, count)| count > 0)
        .collect();
    modes.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let named: Vec<_> = modes
        .iter()
        .take(MOST_MODES)
        .map(|(name, count)| {
            let share = 100.0 * *count as f64 / requests.created as f64;
            let plain = plain(name).map_or(String::new(), |words| format!(", {words}"));
            format!("{share:.2} points {name}{plain}")
        })
        .collect();
    let made_of = match (named.len(), modes.len() > named.len()) {
        (0, _) => String::new(),
        (_, true) => format!(": {}, and others", named.join("; ")),
        (_, false) => format!(": {}", named.join("; ")),
    };
    format!(
        "{rate:.2} % of {} requests failed{made_of}.",
        requests.created
    )
}

/// So many failure modes are named, the most frequent first.
const MOST_MODES: usize = 3;

/// What a failure mode means.
fn plain(mode: &str) -> Option<&'static str> {
    Some(match mode {
        "CONGESTION_FAILURE" => "dropped by admission before the queue was full, or after a wait",
        "WORKER_STARVATION" => "nobody could work",
        "QUEUE_OVERFLOW" => "turned away by the full queue",
        "LATENCY_CASCADE" => "their clients waited no longer",
        "FAULT_PROPAGATION_SPIKE" => "a fault in service",
        "CIRCUIT_OPEN" => "not sent by their clients",
        "NETWORK_FAILURE" => "reset, or no answer in time",
        "POOL_EXHAUSTED" => "no connection became free",
        _ => return None,
    })
}
