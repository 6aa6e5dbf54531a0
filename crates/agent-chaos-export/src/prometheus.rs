//! The final report in the text form of Prometheus.
//!
//! Names end in their base unit, counts of events in `_total`, and every metric has its help and type.
//!
//! Source: *Exposition formats* and *Metric and label naming* in the Prometheus documentation.

use std::fmt::Write;

use agent_chaos_core::Report;

/// Metrics one after the other.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{open}{label}=\"{}\"", escaped(value));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {}", number(value));
    }

    fn gauge(&mut self, name: &str, help: &str, value: Option<f64>) {
        // What is undefined is absent.
        if let Some(value) = value {
            self.head(name, "gauge", help);
            self.sample(name, &[], value);
        }
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        format!("{value}")
    }
}

/// A report as the text that Prometheus scrapes. `experiment` is a label of `agent_chaos_run_info`.
#[must_use]
pub fn prometheus(report: &Report, experiment: &str) -> String {
    let mut text = Text(String::new());
    let name = "agent_chaos_run_info";
    text.head(
        name,
        "gauge",
        "The run: its experiment, seed, digest, state and engine.",
    );
    let state = report.state.map_or("unresolved", |state| state.name());
    let worst = report
        .worst_state
        .map_or("unresolved", |state| state.name());
    let (seed, revision) = (report.seed.to_string(), report.engine.revision.to_string());
    let labels = [
        ("experiment", experiment),
        ("seed", seed.as_str()),
        ("digest", report.digest.as_str()),
        ("state", state),
        ("worst_state", worst),
        ("engine_version", report.engine.version),
        ("engine_revision", revision.as_str()),
    ];
    text.sample(name, &labels, 1.0);

    let requests = report.requests;
    let name = "agent_chaos_requests_total";
    text.head(name, "counter", "Counted requests, by what became of them.");
    for (outcome, count) in [
        ("completed", requests.completed),
        ("failed", requests.failed),
        ("abandoned", requests.abandoned),
        ("in_flight", requests.in_flight),
    ] {
        text.sample(name, &[("outcome", outcome)], count as f64);
    }
    let name = "agent_chaos_request_failures_total";
    text.head(
        name,
        "counter",
        "Counted requests that failed, by what they failed by.",
    );
    for (mode, count) in &report.failures {
        text.sample(name, &[("mode", mode)], count.as_f64().unwrap_or(0.0));
    }
    let name = "agent_chaos_attempts_total";
    text.head(name, "counter", "Sends of the counted requests.");
    text.sample(name, &[], report.attempts as f64);

    let name = "agent_chaos_request_duration_seconds";
    text.head(
        name,
        "summary",
        "Time from the creation of a counted request to its good answer.",
    );
    if let Some(latency) = report.latency_seconds {
        for (quantile, value) in [
            ("0.5", latency.p50),
            ("0.95", latency.p95),
            ("0.99", latency.p99),
        ] {
            text.sample(name, &[("quantile", quantile)], value);
        }
    }
    // Where failed services count as well, the report does not say how many they are.
    if report.profile["telemetry"]["latency_of"] == "succeeded" {
        let answered = requests.completed as f64;
        let mean = report.latency_seconds.map_or(0.0, |latency| latency.mean);
        text.sample(&format!("{name}_sum"), &[], mean * answered);
        text.sample(&format!("{name}_count"), &[], answered);
    }

    text.gauge(
        "agent_chaos_request_error_ratio",
        "Failed and abandoned of the counted requests.",
        report.error_rate,
    );
    text.gauge(
        "agent_chaos_throughput_requests_per_second",
        "Services that ended in the counted time, per second.",
        Some(report.throughput_per_second),
    );
    text.gauge(
        "agent_chaos_goodput_requests_per_second",
        "Good answers in the counted time, per second.",
        Some(report.goodput_per_second),
    );
    text.gauge(
        "agent_chaos_queue_length_mean",
        "Requests waiting, in the mean over the counted time.",
        Some(report.queue.mean),
    );
    text.gauge(
        "agent_chaos_queue_length_max",
        "The most requests waiting at any moment of the counted time.",
        Some(report.queue.max.into()),
    );
    text.gauge(
        "agent_chaos_worker_utilization_ratio",
        "Busy worker-seconds of those there were in the counted time.",
        Some(report.utilization),
    );
    let name = "agent_chaos_state_time_ratio";
    text.head(
        name,
        "gauge",
        "Share of the counted time in each state of the detector.",
    );
    let share = report.state_share;
    for (state, share) in [
        ("STABLE", share.stable),
        ("DEGRADED", share.degraded),
        ("COLLAPSED", share.collapsed),
    ] {
        text.sample(name, &[("state", state)], share);
    }
    text.gauge(
        "agent_chaos_recovery_seconds",
        "Time from the end of the trigger to the recovery; absent without one.",
        report
            .recovery
            .as_ref()
            .and_then(|recovery| recovery.seconds_after_trigger),
    );
    text.gauge(
        "agent_chaos_counted_seconds",
        "Length of the counted time.",
        Some(report.counted_seconds.to - report.counted_seconds.from),
    );
    text.0
}
