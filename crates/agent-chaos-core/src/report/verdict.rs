//! The verdict: what a run comes to, in sentences for people.

use super::Report;
use crate::detector::{Rule, State, Transition};

/// What a transition was, as a sentence.
pub fn sentence(transition: &Transition) -> String {
    let value = |name: &str| {
        transition
            .values
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(0.0, |&(_, value)| value)
    };
    let percent = |name: &str| format!("{:.0} %", 100.0 * value(name));
    let window = transition.window.seconds();
    let why = match transition.rule {
        Rule::QueueGrowth if value("growth_ticks") > 0.0 => format!(
            "dQ/dt had been positive for {} ticks in a row ({:+.1} requests/s over {window} s) with the queue {} full",
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
    };
    let change = if transition.to > transition.from {
        "tripped to"
    } else {
        "stepped down to"
    };
    format!(
        "At {:.2} s {change} {}: {why}.",
        transition.at.seconds(),
        transition.to.name()
    )
}

/// The whole run in a few sentences.
pub fn verdict(report: &Report) -> String {
    let mut said = vec![headline(report)];
    said.extend(start_up(report));
    said.extend(why(report));
    said.push(outcome(report));
    said.join(" ")
}

fn headline(report: &Report) -> String {
    if let Some(note) = &report.state_note {
        let worst = report.worst_state.map_or(String::new(), |worst| {
            format!(" The worst state seen was {}.", worst.name())
        });
        return format!("No verdict: {note}.{worst}");
    }
    let share = &report.state_share;
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    match report.state {
        Some(State::Stable) => format!(
            "Stable: {} of the counted time was STABLE.",
            percent(share.stable)
        ),
        Some(State::Degraded) => format!(
            "Degraded: the queue held, but long, for {} of the counted time.",
            percent(share.degraded + share.collapsed),
        ),
        Some(State::Collapsed) => {
            let end = if report.final_state == Some(State::Collapsed) {
                "it did not recover"
            } else {
                "it had left that state at the end"
            };
            format!(
                "Collapsed for {} of the counted time; {end}.",
                percent(share.collapsed)
            )
        }
        None => "No verdict.".to_owned(),
    }
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

/// What tripped the state at hand, and what held it.
fn why(report: &Report) -> Option<String> {
    let state = report
        .state
        .or(report.worst_state)
        .filter(|state| *state > State::Stable)?;
    let tripped = report.evidence.iter().rfind(|e| e.to == state)?;
    let mut said = tripped.text.clone();
    if report.state.is_some() && report.final_state == Some(state) && tripped.phase == "warm-up" {
        said.push_str(" It has been held there by hysteresis: the queue never stayed below the release threshold for the hold time.");
    }
    Some(said)
}

fn outcome(report: &Report) -> String {
    let requests = &report.requests;
    if requests.created == 0 {
        return "No request was created in the counted time.".to_owned();
    }
    let rate = 100.0 * report.error_rate.unwrap_or(0.0);
    let modes = report
        .failures
        .iter()
        .filter_map(|(name, count)| Some((name, count.as_u64()?)))
        .filter(|&(_, count)| count > 0);
    let most = modes.min_by_key(|&(_, count)| std::cmp::Reverse(count));
    let unsuccessful = requests.failed + requests.abandoned;
    let mostly = most.map_or(String::new(), |(name, count)| {
        format!(", mostly {name} ({count} of {unsuccessful})")
    });
    format!(
        "{rate:.2} % of {} requests failed{mostly}.",
        requests.created
    )
}
