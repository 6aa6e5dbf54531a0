//! What goes out holds together: as a tree of spans, as tracks of workers, as Prometheus text.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use agent_chaos_core::event::Event;
use agent_chaos_core::records::Record;
use agent_chaos_core::telemetry::Series;
use agent_chaos_core::units::Instant;
use agent_chaos_core::{Limit, Profile, Report, Run, presets};
use agent_chaos_export::{Message, Otlp, Perfetto, prometheus};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value as Point};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::Value;

const START: u64 = 1_767_225_600_000_000_000;

/// The presets that have everything between them: plain ones, retries, hedges, a lossy network, a pool,
/// queue rules, crashes, pauses and a dependency.
const PRESETS: [&str; 9] = [
    "exp-002",
    "mm4-80",
    "retry-storm",
    "hedging",
    "flaky-network",
    "pool-exhaustion",
    "codel",
    "worker-crash",
    "game-day",
];

fn short(name: &str) -> Profile {
    let mut profile = presets::find(name).unwrap().profile();
    profile.run.max_requests = profile.run.max_requests.map(|most| most.min(3_000));
    profile.run.duration_seconds = profile.run.duration_seconds.min(45.0);
    profile.run.warmup_seconds = profile.run.warmup_seconds.min(5.0);
    profile.timeline.retain(|entry| entry.end_seconds() < 44.0);
    profile
}

/// Runs it, has something see every record, and then the end.
fn watched<T: 'static>(
    profile: &Profile,
    made: T,
    see: impl Fn(&mut T, &Record) + 'static,
    end: impl Fn(&mut T, &Report, &Series, Instant),
) -> (T, Report) {
    let made = Rc::new(RefCell::new(made));
    let sees = Rc::clone(&made);
    let observer =
        Box::new(move |event: &Event<'_>| see(&mut sees.borrow_mut(), &Record::of(event)));
    let mut run = Run::observed(profile, Some(observer)).alone();
    while !run.advance(Limit::NONE) {}
    let report = run.report();
    run.with_series(|series| end(&mut made.borrow_mut(), &report, series, run.now()));
    drop(run);
    let made = Rc::try_unwrap(made).ok().expect("the run is gone");
    (made.into_inner(), report)
}

fn messages(profile: &Profile) -> (Vec<Message>, Report) {
    let otlp = Otlp::new(profile, START);
    let (mut otlp, report) = watched(profile, otlp, Otlp::see, Otlp::finish);
    (otlp.take(), report)
}

fn spans(messages: &[Message]) -> Vec<Span> {
    let traces = messages.iter().filter_map(|message| match message {
        Message::Traces(traces) => Some(traces),
        _ => None,
    });
    let scopes = traces
        .flat_map(|traces| &traces.resource_spans)
        .flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| scope.spans.clone()).collect()
}

#[test]
fn spans_are_one_tree_for_each_request() {
    for name in PRESETS {
        let profile = short(name);
        let (messages, report) = messages(&profile);
        let spans = spans(&messages);
        let mut by_id: BTreeMap<(&[u8], &[u8]), &Span> = BTreeMap::new();
        for span in &spans {
            assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8), "{name}");
            assert!(span.span_id.iter().any(|&byte| byte != 0), "{name}");
            assert!(span.start_time_unix_nano >= START, "{name}");
            assert!(
                span.end_time_unix_nano >= span.start_time_unix_nano,
                "{name}"
            );
            let is_new = by_id
                .insert((&span.trace_id, &span.span_id), span)
                .is_none();
            assert!(is_new, "{name}: an identity twice");
        }
        let roots: Vec<_> = spans
            .iter()
            .filter(|span| span.parent_span_id.is_empty())
            .collect();
        let traces: BTreeSet<_> = roots.iter().map(|root| &root.trace_id).collect();
        assert_eq!(traces.len(), roots.len(), "{name}: one root for each trace");
        assert!(roots.len() as u64 >= report.requests.created, "{name}");
        let (mut services, mut links) = (0, 0);
        for span in spans.iter().filter(|span| !span.parent_span_id.is_empty()) {
            let parent = by_id.get(&(span.trace_id.as_slice(), span.parent_span_id.as_slice()));
            let parent = parent.unwrap_or_else(|| panic!("{name}: {span:?} has no parent"));
            assert!(
                span.start_time_unix_nano >= parent.start_time_unix_nano,
                "{name}"
            );
            for link in &span.links {
                let before = by_id[&(link.trace_id.as_slice(), link.span_id.as_slice())];
                assert_eq!(
                    (before.name.as_str(), span.name.as_str()),
                    ("attempt", "attempt")
                );
                links += 1;
            }
            services += u64::from(span.name == "service");
        }
        assert!(services > 0, "{name}");
        let retries = report.clients.as_ref().map_or(0, |clients| clients.retries);
        assert!(
            retries == 0 || links >= retries,
            "{name}: {links} links, {retries} retries"
        );
        let failed = roots.iter().filter(|root| root.status.is_some()).count() as u64;
        let counted = report.requests.failed + report.requests.abandoned;
        assert!(failed >= counted, "{name}: {failed} of {counted}");
    }
}

/// A request's stretches lie within it, one after the other, and make up all of it.
#[test]
fn a_plain_request_is_its_wait_and_its_service() {
    let (messages, _) = messages(&short("mm4-80"));
    let spans = spans(&messages);
    let mut parts: BTreeMap<&[u8], u64> = BTreeMap::new();
    for span in spans.iter().filter(|span| !span.parent_span_id.is_empty()) {
        assert!(
            ["queue", "service"].contains(&span.name.as_str()),
            "{}",
            span.name
        );
        *parts.entry(&span.trace_id).or_default() +=
            span.end_time_unix_nano - span.start_time_unix_nano;
    }
    let roots = spans.iter().filter(|span| span.parent_span_id.is_empty());
    let mut seen = 0;
    for root in roots {
        let whole = root.end_time_unix_nano - root.start_time_unix_nano;
        assert_eq!(
            parts.get(root.trace_id.as_slice()).copied().unwrap_or(0),
            whole
        );
        seen += u64::from(whole > 0);
    }
    assert!(seen > 2_000, "{seen}");
}

#[test]
fn both_written_forms_are_read_back() {
    let (all, _) = messages(&short("game-day"));
    let mut kinds = BTreeSet::new();
    for message in &all {
        let (json, bytes) = (message.to_json(), message.to_protobuf());
        assert!(!json.contains('\n'), "one line");
        match message {
            Message::Traces(was) => {
                assert_eq!(
                    &serde_json::from_str::<ExportTraceServiceRequest>(&json).unwrap(),
                    was
                );
                assert_eq!(
                    &ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap(),
                    was
                );
                assert!(json.starts_with("{\"resourceSpans\":"));
                // By the specification: identities in hex, whole numbers of 64 bits as text.
                let value: Value = serde_json::from_str(&json).unwrap();
                let span = &value["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
                let id = span["traceId"].as_str().unwrap();
                assert!(
                    id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()),
                    "{id}"
                );
                assert!(span["startTimeUnixNano"].is_string(), "{span}");
                assert!(span["kind"].is_i64(), "{span}");
            }
            Message::Metrics(was) => {
                assert_eq!(
                    &serde_json::from_str::<ExportMetricsServiceRequest>(&json).unwrap(),
                    was
                );
                assert_eq!(
                    &ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap(),
                    was
                );
            }
            Message::Logs(was) => {
                assert_eq!(
                    &serde_json::from_str::<ExportLogsServiceRequest>(&json).unwrap(),
                    was
                );
                assert_eq!(
                    &ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap(),
                    was
                );
            }
            _ => panic!("another kind"),
        }
        kinds.insert(message.path());
    }
    assert_eq!(kinds.len(), 3);
}

#[test]
fn equal_runs_give_equal_bytes_and_other_seeds_other_identities() {
    let mut profile = short("retry-storm");
    let bytes = |profile: &Profile| -> Vec<Vec<u8>> {
        messages(profile)
            .0
            .iter()
            .map(Message::to_protobuf)
            .collect()
    };
    assert_eq!(bytes(&profile), bytes(&profile));
    let ids = |profile: &Profile| -> BTreeSet<Vec<u8>> {
        spans(&messages(profile).0)
            .into_iter()
            .map(|span| span.trace_id)
            .collect()
    };
    let one = ids(&profile);
    profile.seed = 2;
    assert!(one.is_disjoint(&ids(&profile)));
}

#[test]
fn metrics_are_those_of_the_series_and_the_report() {
    let profile = short("exp-002");
    let (messages, report) = messages(&profile);
    let Some(Message::Metrics(metrics)) = messages.last() else {
        panic!("metrics come last");
    };
    let all = &metrics.resource_metrics[0].scope_metrics[0].metrics;
    let find = |name: &str| {
        let metric = all.iter().find(|metric| metric.name == name);
        metric
            .unwrap_or_else(|| panic!("{name}"))
            .data
            .clone()
            .unwrap()
    };
    let mut run = Run::new(&profile);
    while !run.advance(Limit::NONE) {}
    let Data::Gauge(queue) = find("agent_chaos.queue.length") else {
        panic!("a gauge");
    };
    run.with_series(|series| {
        let (times, lengths) = (
            series.column("time").unwrap(),
            series.column("queue").unwrap(),
        );
        assert_eq!(queue.data_points.len(), times.len());
        for (point, (time, length)) in queue.data_points.iter().zip(times.iter().zip(lengths)) {
            assert_eq!(point.time_unix_nano, START + (time * 1e9).round() as u64);
            assert_eq!(point.value, Some(Point::AsDouble(*length)));
        }
    });
    let Data::Sum(requests) = find("agent_chaos.requests") else {
        panic!("a sum");
    };
    let counts: Vec<_> = requests
        .data_points
        .iter()
        .map(|point| point.value.unwrap())
        .collect();
    let expected = [
        report.requests.completed,
        report.requests.failed,
        report.requests.abandoned,
        report.requests.in_flight,
    ];
    assert_eq!(counts, expected.map(|count| Point::AsInt(count as i64)));
    let Data::Histogram(duration) = find("agent_chaos.request.duration") else {
        panic!("a histogram");
    };
    let point = &duration.data_points[0];
    assert_eq!(point.count, report.requests.completed);
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    let mean = point.sum.unwrap() / point.count as f64;
    assert!((mean / report.latency_seconds.unwrap().mean - 1.0).abs() < 1e-9);
}

#[test]
fn what_the_detector_does_is_logged() {
    let (messages, report) = messages(&short("exp-002"));
    let logs = messages.iter().filter_map(|message| match message {
        Message::Logs(logs) => Some(&logs.resource_logs[0].scope_logs[0].log_records),
        _ => None,
    });
    let transitions: Vec<_> = logs
        .flatten()
        .filter(|log| log.event_name == "agent_chaos.detector_transition")
        .collect();
    assert_eq!(transitions.len(), report.evidence.len());
    for (log, told) in transitions.iter().zip(&report.evidence) {
        assert_eq!(
            log.time_unix_nano,
            START + (told.at_seconds * 1e9).round() as u64
        );
        assert_eq!(log.severity_text == "ERROR", told.to.name() == "COLLAPSED");
    }
}

#[test]
fn a_trace_has_one_service_at_a_time_on_each_track() {
    for name in PRESETS {
        let profile = short(name);
        let (mut trace, report) = watched(
            &profile,
            Perfetto::new(),
            Perfetto::see,
            |trace, _, series, now| {
                trace.finish(series, now);
            },
        );
        let text = trace.take();
        let whole: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let events = whole["traceEvents"].as_array().unwrap();
        let of = |phase: &'static str| events.iter().filter(move |event| event["ph"] == phase);
        let mut tracks: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
        for event in of("X") {
            let (from, lasts) = (
                event["ts"].as_f64().unwrap(),
                event["dur"].as_f64().unwrap(),
            );
            tracks
                .entry(event["tid"].as_u64().unwrap())
                .or_default()
                .push((from, from + lasts));
        }
        for (track, services) in &mut tracks {
            services.sort_by(|one, other| one.0.total_cmp(&other.0));
            // Microseconds as floats: within a hundredth of a nanosecond of each other.
            let apart = services
                .windows(2)
                .all(|pair| pair[0].1 <= pair[1].0 + 1e-5);
            assert!(apart, "{name}: two at once on track {track}");
            let is_named = of("M").any(|event| {
                event["tid"].as_u64() == Some(*track) && event["name"] == "thread_name"
            });
            assert!(is_named, "{name}: track {track} has no name");
        }
        assert!(
            of("C").any(|event| event["name"] == "queue length"),
            "{name}"
        );
        let moments = of("i")
            .filter(|event| event["cat"] == "DETECTOR_TRANSITION")
            .count();
        assert_eq!(
            moments as u64,
            report.evidence.len() as u64 + report.evidence_dropped,
            "{name}"
        );
    }
}

/// Reads the text form: each sample by its name and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut typed = BTreeSet::new();
    let mut helped = BTreeSet::new();
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            assert!(helped.insert(rest.split(' ').next().unwrap()), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert!(typed.insert(rest.split(' ').next().unwrap()), "{line}");
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = sample.split('{').next().unwrap();
            let base = name.trim_end_matches("_sum").trim_end_matches("_count");
            assert!(typed.contains(base) && helped.contains(base), "{line}");
            assert!(
                name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{line}"
            );
            assert!(
                found
                    .insert(sample.to_owned(), value.parse().unwrap())
                    .is_none(),
                "{line}"
            );
        }
    }
    found
}

#[test]
fn the_text_for_prometheus_has_the_report() {
    let report = Run::new(&short("exp-002")).finish();
    let text = prometheus(&report, "exp-002");
    assert!(text.ends_with('\n'));
    let found = samples(&text);
    let latency = report.latency_seconds.unwrap();
    for (sample, value) in [
        (
            r#"agent_chaos_requests_total{outcome="failed"}"#,
            report.requests.failed as f64,
        ),
        (
            r#"agent_chaos_request_duration_seconds{quantile="0.95"}"#,
            latency.p95,
        ),
        (
            "agent_chaos_request_duration_seconds_count",
            report.requests.completed as f64,
        ),
        (
            "agent_chaos_request_error_ratio",
            report.error_rate.unwrap(),
        ),
        (
            r#"agent_chaos_state_time_ratio{state="DEGRADED"}"#,
            report.state_share.degraded,
        ),
        ("agent_chaos_queue_length_mean", report.queue.mean),
    ] {
        assert_eq!(found.get(sample), Some(&value), "{sample}");
    }
    // It has no trigger, and so no recovery: the metric is absent, not zero.
    assert!(!text.contains("agent_chaos_recovery_seconds"));
    let odd = prometheus(&report, "a \"quoted\" \\ name\nin two lines");
    assert!(
        odd.contains(r#"experiment="a \"quoted\" \\ name\nin two lines""#),
        "{odd}"
    );
}
