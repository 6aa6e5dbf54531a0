//! Which fields the sections of a profile have, in the order in which they are written.
//!
//! Serde derives the same from the types; but for each type it writes functions of its own, four times as
//! much code as the whole engine has in its hot paths, and a page loads it all. Here a section only shows
//! its fields, one after the other, and two functions read and write all sections. The tests hold the two
//! ways against each other; a field that is missing below does not compile.

use serde_json::Value;

#[allow(clippy::wildcard_imports)] // All of them are listed below.
use super::*;
use crate::wire::Node;

/// Something that stands in a profile: a number, a choice, a list, a section.
pub(crate) trait Part {
    /// As it is written.
    fn write(&mut self) -> Node;
    /// Takes what is given over what is the default. Whether it was fitting, as whatever the schema
    /// accepts is.
    fn read(&mut self, given: &Value) -> bool;
}

/// Looks at a field: its name, whether it is written only where it differs from the default (fields that
/// came after the first profiles were shared: the hash in old links would be another), and itself.
type Look<'a> = &'a mut dyn FnMut(&'static str, bool, &mut dyn Part);

/// A section of a profile.
trait Section {
    /// Shows the fields in order.
    fn show(&mut self, look: Look<'_>);
}

impl<T: Section + Default> Part for T {
    fn write(&mut self) -> Node {
        write(self, &mut T::default())
    }
    fn read(&mut self, given: &Value) -> bool {
        read(self, given)
    }
}

#[inline(never)]
fn write(section: &mut dyn Section, usual: &mut dyn Section) -> Node {
    let mut defaults = Vec::new();
    usual.show(&mut |_, only_unusual, part| {
        if only_unusual {
            defaults.push(part.write());
        }
    });
    let mut defaults = defaults.into_iter();
    let mut fields = Vec::new();
    section.show(&mut |name, only_unusual, part| {
        let node = part.write();
        if !only_unusual || defaults.next().as_ref() != Some(&node) {
            fields.push((name.into(), node));
        }
    });
    Node::Fields(fields)
}

#[inline(never)]
fn read(section: &mut dyn Section, given: &Value) -> bool {
    let Some(given) = given.as_object() else {
        return false;
    };
    let (mut known, mut fits) = (0, true);
    section.show(&mut |name, _, part| {
        if let Some(given) = given.get(name) {
            known += 1;
            fits &= part.read(given);
        }
    });
    fits && known == given.len()
}

impl<T: Part + Default> Part for Option<T> {
    fn write(&mut self) -> Node {
        match self {
            Some(part) => part.write(),
            None => Node::Null,
        }
    }
    fn read(&mut self, given: &Value) -> bool {
        *self = (!given.is_null()).then(T::default);
        read_within(self.as_mut().map(|part| part as _), given)
    }
}

#[inline(never)]
fn read_within(part: Option<&mut dyn Part>, given: &Value) -> bool {
    part.is_none_or(|part| part.read(given))
}

/// Which of the names is given.
#[inline(never)]
fn choice(names: &[&str], given: &Value) -> Option<usize> {
    let given = given.as_str()?;
    names.iter().position(|&name| name == given)
}

impl<T: Part + Default> Part for Vec<T> {
    fn write(&mut self) -> Node {
        Node::List(self.iter_mut().map(Part::write).collect())
    }
    fn read(&mut self, given: &Value) -> bool {
        let Some(items) = given.as_array() else {
            return false;
        };
        self.clear();
        self.resize_with(items.len(), T::default);
        let mut parts = self.iter_mut().zip(items);
        parts.all(|(part, item)| read_within(Some(part), item))
    }
}

impl Part for String {
    fn write(&mut self) -> Node {
        Node::Text(self.clone().into())
    }
    fn read(&mut self, given: &Value) -> bool {
        let text = given.as_str();
        text.map(|text| text.clone_into(self)).is_some()
    }
}

impl Part for bool {
    fn write(&mut self) -> Node {
        Node::Bool(*self)
    }
    fn read(&mut self, given: &Value) -> bool {
        given.as_bool().map(|given| *self = given).is_some()
    }
}

impl Part for f64 {
    fn write(&mut self) -> Node {
        Node::Real(*self)
    }
    fn read(&mut self, given: &Value) -> bool {
        given.as_f64().map(|given| *self = given).is_some()
    }
}

macro_rules! whole {
    ($($kind:ty)*) => {
        $(impl Part for $kind {
            fn write(&mut self) -> Node {
                Node::Whole((*self).into())
            }
            fn read(&mut self, given: &Value) -> bool {
                let given = given.as_u64().and_then(|given| given.try_into().ok());
                given.map(|given| *self = given).is_some()
            }
        })*
    };
}

whole! { u8 u32 }

macro_rules! only_unusual {
    () => {
        false
    };
    (unusual) => {
        true
    };
}

macro_rules! sections {
    ($($kind:ident { $($field:ident $($unusual:ident)?),* })*) => {
        $(impl Section for $kind {
            #[allow(unused_variables)] // Where there are no fields.
            fn show(&mut self, look: Look<'_>) {
                let Self { $($field),* } = self;
                $(look(stringify!($field), only_unusual!($($unusual)?), $field);)*
            }
        })*
    };
}

macro_rules! choices {
    ($($kind:ident { $($choice:ident $name:literal),* })*) => {
        $(impl Part for $kind {
            fn write(&mut self) -> Node {
                Node::Text(match self { $(Self::$choice => $name),* }.into())
            }
            fn read(&mut self, given: &Value) -> bool {
                const ALL: &[$kind] = &[$($kind::$choice),*];
                let chosen = choice(&[$($name),*], given).and_then(|place| ALL.get(place));
                chosen.map(|&chosen| *self = chosen).is_some()
            }
        })*
    };
}

// Fields marked `unusual` are written only where they differ from the default.
sections! {
    Profile {
        version, seed, run, agents, arrivals, extra_arrivals unusual, requests, client unusual,
        network unusual, admission unusual, queue, workers, faults, downstream unusual,
        timeline unusual, telemetry, detector, throttle
    }
    RunSection {
        duration_seconds, warmup_seconds, max_requests, until, drain unusual, drain_seconds unusual
    }
    Agents {
        count, first_wake_min_seconds, first_wake_max_seconds, think_seconds, requests_each, backoff
    }
    Backoff { base_seconds, factor, max_steps, jitter_ratio }
    Requests { light, heavy }
    LightClass { share, weight, priority unusual }
    HeavyClass { share, weight, priority unusual }
    Arrivals {
        rate_per_second, process, ramp unusual, spike unusual, diurnal unusual, bursty unusual,
        replay unusual, mix unusual, priority unusual
    }
    Ramp { stages }
    Stage { duration_seconds, target_per_second }
    Spike { at_seconds, rise_seconds, hold_seconds, fall_seconds, factor }
    Diurnal { period_seconds, amplitude_ratio, phase_seconds }
    Bursty { high_factor, low_factor, high_mean_seconds, low_mean_seconds }
    Replay { interval_seconds, rates_per_second, repeat }
    Mix { light_share, heavy_share }
    Client {
        timeout_seconds, deadline_seconds, withdraws, retry unusual, budget unusual,
        breaker unusual, throttle unusual, hedge unusual
    }
    Hedge { after_seconds, max_copies }
    Network {
        latency_seconds, jitter, jitter_seconds, loss_ratio, reset_ratio, socket_timeout_seconds,
        pool unusual
    }
    ConnectionPool { size, wait_seconds }
    Downstream { service_seconds, distribution, error_ratio, network }
    Retry { max_attempts, backoff, base_seconds, cap_seconds, jitter }
    RetryBudget {
        kind, ratio, min_per_second, window_seconds, active_ratio, min_active, max_tokens,
        token_ratio
    }
    Breaker { failure_ratio, window_requests, min_requests, open_seconds, half_open_probes }
    TokenBucket { rate_per_second, burst }
    ConcurrencyLimit {
        kind, initial, min, max, backoff_ratio, timeout_seconds, alpha, beta, probe_multiplier,
        smoothing, queue_size, tolerance, long_window
    }
    Codel { target_seconds, interval_seconds }
    QueueTimeout { interval_seconds, target_seconds }
    ClientThrottle { multiplier, window_seconds }
    Autoscaler {
        metric, target, tolerance, every_seconds, scale_down_window_seconds, lag_seconds,
        cooldown_seconds, step, min, max
    }
    Admission { token_bucket, limit }
    QueueSection {
        capacity, when_full, early_drop, discipline unusual, lifo_above unusual, weights unusual,
        drops_expired unusual, codel unusual, timeout unusual
    }
    EarlyDrop { base_probability, probability_per_pressure }
    Workers { count, service, bulkheads unusual, autoscaler unusual }
    Bulkheads { light, heavy }
    Service {
        distribution, base_seconds, per_weight_seconds, spread_ratio, erlang_shape unusual,
        scv unusual, pareto_alpha unusual, pareto_ratio unusual, empirical_ratios unusual,
        slowdown_per_pressure
    }
    Faults { spike, error, stalls unusual, crashes unusual }
    StallFault { every_seconds, seconds }
    CrashFault { every_seconds, workers, restart_seconds }
    SpikeFault { base_probability, probability_per_pressure, seconds }
    ErrorFault { base_probability, probability_per_pressure, shows }
    Intervention {
        at_seconds, for_seconds, traffic unusual, crash unusual, stall unusual,
        slow_workers unusual, slow_downstream unusual, loss unusual, pool unusual, set unusual
    }
    Traffic { arrivals_factor, extra_agents }
    WorkerCrash { workers }
    Stall {}
    Slowdown { factor }
    Loss { ratio }
    PoolShrink { of, size }
    SetField { path, value }
    TelemetrySection {
        interval_seconds, window_seconds, latency_window_seconds, latency_min_samples, latency_of
    }
    DetectorSection { enabled, method, sustained, instant }
    SustainedRules {
        collapsed_saturation, growth_ticks, latency_growth_ratio, degraded_saturation,
        collapsed_release_saturation, degraded_release_saturation, hold_seconds
    }
    InstantRules {
        recent_events, latency_growth_ratio, collapsed_saturation, growth_per_second,
        growth_saturation, degraded_saturation
    }
    ThrottleSection { enabled, distribution, degraded_seconds, collapsed_seconds }
}

choices! {
    Drain { Stop "stop", Continue "continue" }
    RunUntil { Duration "duration", Idle "idle" }
    ArrivalProcess { Poisson "poisson", Even "even" }
    LatencyJitter { None "none", Uniform "uniform", Normal "normal", Pareto "pareto" }
    DownstreamDistribution { Deterministic "deterministic", Exponential "exponential" }
    BackoffGrowth { None "none", Fixed "fixed", Exponential "exponential" }
    Jitter { None "none", Full "full", Equal "equal", Decorrelated "decorrelated" }
    RetryBudgetKind { Windowed "windowed", Active "active", Tokens "tokens" }
    LimitKind { Fixed "fixed", Aimd "aimd", Vegas "vegas", Gradient2 "gradient2" }
    ScalingMetric { Utilization "utilization", Queue "queue" }
    Discipline {
        Fifo "fifo", Lifo "lifo", AdaptiveLifo "adaptive_lifo", Priority "priority",
        Weighted "weighted"
    }
    WhenFull { Reject "reject", Wait "wait", Drop "drop" }
    ServiceDistribution {
        Deterministic "deterministic", Uniform "uniform", Exponential "exponential",
        Erlang "erlang", Hyperexponential "hyperexponential", Lognormal "lognormal",
        BoundedPareto "bounded_pareto", Empirical "empirical"
    }
    ErrorShows { AfterService "after_service", BeforeWork "before_work" }
    PoolOf { Network "network", Downstream "downstream" }
    LatencyOf { Succeeded "succeeded", Completed "completed" }
    DetectorMethod { Sustained "sustained", Instant "instant" }
    DelayDistribution { Fixed "fixed", Exponential "exponential" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::presets::PRESETS;
    use crate::wire;

    /// Both ways to read, which must agree; and both ways to write what was read.
    #[track_caller]
    fn check(given: &Value) {
        let mut profile = Profile::default();
        let mine = Part::read(&mut profile, given).then_some(profile);
        let derived: Option<Profile> = serde_json::from_value(given.clone()).ok();
        assert_eq!(mine, derived, "{given}");
        if let Some(mut profile) = mine {
            let written = Value::from(Part::write(&mut profile));
            let derived = serde_json::to_value(&profile).unwrap();
            assert_eq!(written.to_string(), derived.to_string());
        }
    }

    /// Every place in the schema: how deep fields lie in sections and lists, and what is there.
    fn places(node: &Value, within: &[&str], found: &mut Vec<(Vec<String>, Value)>) {
        let path = within.iter().map(|&name| name.to_owned()).collect();
        found.push((path, node.clone()));
        for (name, inner) in node["properties"].as_object().into_iter().flatten() {
            places(inner, &[within, &[name]].concat(), found);
        }
        if node["items"].is_object() {
            places(&node["items"], &[within, &["0"]].concat(), found);
        }
    }

    /// A profile that holds nothing but this at its place.
    fn alone(path: &[String], value: Value) -> Value {
        path.iter().rev().fold(value, |inner, name| match &**name {
            "0" => json!([inner]),
            name => json!({ name: inner }),
        })
    }

    #[test]
    fn fields_are_read_and_written_as_serde_derives_it() {
        check(&json!({}));
        for preset in PRESETS {
            let whole = wire::to_value(&preset.profile());
            check(&whole);
            // Each section that is there, off and empty.
            for name in whole.as_object().unwrap().keys() {
                for other in [json!(null), json!({}), json!("x")] {
                    let mut whole = whole.clone();
                    whole[name] = other;
                    check(&whole);
                }
            }
        }
        let mut found = Vec::new();
        places(wire::schema(), &[], &mut found);
        assert!(found.len() > 250, "{}", found.len());
        for (path, node) in &found {
            let mut values = vec![
                json!(null),
                json!(true),
                json!(false),
                json!(0),
                json!(3),
                json!(300),
                json!(-1),
                json!(2.5),
                json!(5_000_000_000_u64),
                json!("x"),
                json!([]),
                json!([1, 2.5]),
                json!(["x"]),
                json!([{}, {}]),
                json!({}),
                json!({"no_such_field": 1}),
            ];
            values.extend(
                ["default", "minimum", "maximum", "x-template"].map(|key| node[key].clone()),
            );
            values.extend(node["enum"].as_array().into_iter().flatten().cloned());
            // Serde's own way takes a list of its fields for a section; the schema does not.
            let is_list = node["items"].is_object();
            for value in values
                .into_iter()
                .filter(|value| is_list || !value.is_array())
            {
                check(&alone(path, value));
            }
        }
    }
}
