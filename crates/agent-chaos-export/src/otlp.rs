//! OpenTelemetry: traces, metrics and logs as messages of OTLP.
//!
//! ```text
//! request LIGHT            one trace for each request, CLIENT
//! ├─ attempt               each send, CLIENT; a retry is linked to the send before it
//! │  ├─ network, queue …   what it waited for, INTERNAL
//! │  └─ service            by a worker, SERVER; faults are its events
//! ```
//!
//! Where there are no client policies a request is sent once, and its stretches hang on it directly.
//! What is about the whole system (the detector, the throttle, the breaker, workers, interventions,
//! faults) is a log record too. Names are those of the semantic conventions where there is one
//! (`service.name`, `error.type`, `http.request.resend_count`, `messaging.destination.name`), else
//! begin with `agent_chaos.`; durations are in seconds. Virtual time begins at a moment that the
//! caller names.

use agent_chaos_core::Profile;
use agent_chaos_core::Report;
use agent_chaos_core::records::life::{Attempt, Life, Phase};
use agent_chaos_core::records::{Kind, Record, Word};
use agent_chaos_core::telemetry::Series;
use agent_chaos_core::units::Instant;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use crate::lives::Lives;

/// Spans of so many make up a message.
const BATCH: usize = 1024;

/// Bounds of the histogram of durations, in seconds: those the semantic conventions advise, and some
/// below, since a service takes milliseconds here.
const BOUNDS: [f64; 17] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    30.0,
];

/// Columns of the series as gauges: name, unit, and what they say.
const GAUGES: [(&str, &str, &str, &str); 19] = [
    (
        "queue",
        "agent_chaos.queue.length",
        "{request}",
        "Requests waiting in the queue",
    ),
    (
        "saturation",
        "agent_chaos.queue.saturation",
        "1",
        "Requests waiting, of the waiting places",
    ),
    (
        "oldest",
        "agent_chaos.queue.oldest",
        "s",
        "Time since the oldest waiting request was created",
    ),
    (
        "derivative",
        "agent_chaos.queue.growth",
        "{request}/s",
        "Change of the queue's length over the window",
    ),
    (
        "busy",
        "agent_chaos.worker.busy",
        "{worker}",
        "Workers at work",
    ),
    (
        "workers",
        "agent_chaos.worker.able",
        "{worker}",
        "Workers that can work",
    ),
    (
        "offered",
        "agent_chaos.request.offered",
        "{request}/s",
        "Requests that the gate sees, over the window",
    ),
    (
        "accepted",
        "agent_chaos.request.accepted",
        "{request}/s",
        "Requests that the queue takes in, over the window",
    ),
    (
        "throughput",
        "agent_chaos.request.throughput",
        "{request}/s",
        "Services that end, over the window",
    ),
    (
        "goodput",
        "agent_chaos.request.goodput",
        "{request}/s",
        "Requests that end well, over the window",
    ),
    (
        "retries",
        "agent_chaos.attempt.retries",
        "{attempt}/s",
        "Sends after a failure, over the window",
    ),
    (
        "timeouts",
        "agent_chaos.attempt.timeouts",
        "{attempt}/s",
        "Sends that were given up, over the window",
    ),
    (
        "error_ratio",
        "agent_chaos.request.error_ratio",
        "1",
        "Failed of those that ended, over the window",
    ),
    (
        "latency_mean",
        "agent_chaos.request.latency.mean",
        "s",
        "Rolling mean latency",
    ),
    (
        "latency_p50",
        "agent_chaos.request.latency.p50",
        "s",
        "Rolling median latency",
    ),
    (
        "latency_p95",
        "agent_chaos.request.latency.p95",
        "s",
        "Rolling 95th percentile of latency",
    ),
    (
        "latency_p99",
        "agent_chaos.request.latency.p99",
        "s",
        "Rolling 99th percentile of latency",
    ),
    (
        "throttle_delay",
        "agent_chaos.throttle.delay",
        "s",
        "Mean delay by which the throttle holds agents back",
    ),
    (
        "state",
        "agent_chaos.detector.state",
        "1",
        "State of the detector: 0 STABLE, 1 DEGRADED, 2 COLLAPSED",
    ),
];

/// A message for a collector.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// Spans.
    Traces(ExportTraceServiceRequest),
    /// Gauges, sums and a histogram.
    Metrics(ExportMetricsServiceRequest),
    /// Log records.
    Logs(ExportLogsServiceRequest),
}

impl Message {
    /// Where a collector takes it, behind its address: OTLP over HTTP.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match self {
            Self::Traces(_) => "/v1/traces",
            Self::Metrics(_) => "/v1/metrics",
            Self::Logs(_) => "/v1/logs",
        }
    }

    /// As protobuf, for a collector.
    #[must_use]
    pub fn to_protobuf(&self) -> Vec<u8> {
        match self {
            Self::Traces(message) => message.encode_to_vec(),
            Self::Metrics(message) => message.encode_to_vec(),
            Self::Logs(message) => message.encode_to_vec(),
        }
    }

    /// As one line of JSON, as a collector's file exporter writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = match self {
            Self::Traces(message) => serde_json::to_string(message),
            Self::Metrics(message) => serde_json::to_string(message),
            Self::Logs(message) => serde_json::to_string(message),
        };
        text.expect("numbers, texts and lists can be written")
    }
}

/// Makes messages of a run as it goes.
pub struct Otlp {
    lives: Lives,
    seed: u32,
    start_unix_nanos: u64,
    resource: Resource,
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
    ready: Vec<Message>,
    warmup: Instant,
    horizon: Instant,
    durations: Durations,
}

/// Durations of the counted requests that ended well.
#[derive(Default)]
struct Durations {
    buckets: [u64; BOUNDS.len() + 1],
    sum: f64,
    least: f64,
    most: f64,
}

impl Durations {
    fn add(&mut self, seconds: f64) {
        let is_first = self.count() == 0;
        self.least = if is_first {
            seconds
        } else {
            self.least.min(seconds)
        };
        self.most = self.most.max(seconds);
        self.sum += seconds;
        // A bound belongs to the bucket below it.
        self.buckets[BOUNDS.partition_point(|&bound| bound < seconds)] += 1;
    }

    fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn whole(key: &str, value: u64) -> KeyValue {
    attribute(
        key,
        Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)),
    )
}

fn real(key: &str, value: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// `SplitMix64`: numbers that look like chance, and are the same in every run.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Otlp {
    /// For a run of this profile, whose virtual time begins at this moment: nanoseconds since 1970.
    #[must_use]
    pub fn new(profile: &Profile, start_unix_nanos: u64) -> Self {
        let resource = Resource {
            attributes: vec![
                text("service.name", "agent-chaos"),
                text("service.version", agent_chaos_core::ENGINE_VERSION),
                text("service.instance.id", format!("seed-{}", profile.seed)),
                whole("agent_chaos.seed", profile.seed.into()),
                whole("agent_chaos.workers", profile.workers.count.into()),
            ],
            ..Resource::default()
        };
        Self {
            lives: Lives::new(profile),
            seed: profile.seed,
            start_unix_nanos,
            resource,
            spans: Vec::new(),
            logs: Vec::new(),
            ready: Vec::new(),
            warmup: Instant::from_seconds(profile.run.warmup_seconds),
            horizon: Instant::from_seconds(profile.run.duration_seconds),
            durations: Durations::default(),
        }
    }

    /// Takes in the next record of the run.
    pub fn see(&mut self, record: &Record) {
        if let Some(log) = self.log(record) {
            self.logs.push(log);
            if self.logs.len() >= BATCH {
                self.send_logs();
            }
        }
        if let Some(life) = self.lives.see(record) {
            self.trace(&life);
        }
    }

    /// The run has ended, at this moment of its time.
    pub fn finish(&mut self, report: &Report, series: &Series, now: Instant) {
        for life in self.lives.rest(now) {
            self.trace(&life);
        }
        self.send_spans();
        self.send_logs();
        let metrics = self.metrics(report, series, now);
        self.ready.push(metrics);
    }

    /// What is ready to be sent or written, in order; it is handed over once.
    pub fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.ready)
    }

    fn unix(&self, at: Instant) -> u64 {
        self.start_unix_nanos.saturating_add(at.nanos())
    }

    fn scope() -> InstrumentationScope {
        InstrumentationScope {
            name: "agent-chaos".to_owned(),
            version: agent_chaos_core::ENGINE_VERSION.to_owned(),
            ..InstrumentationScope::default()
        }
    }

    fn send_spans(&mut self) {
        if self.spans.is_empty() {
            return;
        }
        let scope_spans = vec![ScopeSpans {
            scope: Some(Self::scope()),
            spans: std::mem::take(&mut self.spans),
            ..ScopeSpans::default()
        }];
        let resource_spans = vec![ResourceSpans {
            resource: Some(self.resource.clone()),
            scope_spans,
            ..ResourceSpans::default()
        }];
        self.ready.push(Message::Traces(ExportTraceServiceRequest {
            resource_spans,
        }));
    }

    fn send_logs(&mut self) {
        if self.logs.is_empty() {
            return;
        }
        let scope_logs = vec![ScopeLogs {
            scope: Some(Self::scope()),
            log_records: std::mem::take(&mut self.logs),
            ..ScopeLogs::default()
        }];
        let resource_logs = vec![ResourceLogs {
            resource: Some(self.resource.clone()),
            scope_logs,
            ..ResourceLogs::default()
        }];
        self.ready
            .push(Message::Logs(ExportLogsServiceRequest { resource_logs }));
    }

    /// The identity of a request's trace: never zero, and another one for every seed.
    fn trace_id(&self, request: u64) -> Vec<u8> {
        let high = mixed(u64::from(self.seed) | 1 << 40);
        let low = mixed(high ^ request);
        [(high | 1).to_be_bytes(), low.to_be_bytes()].concat()
    }

    /// The identity of the span of this place in its trace.
    fn span_id(&self, request: u64, place: u64) -> Vec<u8> {
        let id = mixed(mixed(u64::from(self.seed)) ^ mixed(request) ^ place.rotate_left(32));
        (id | 1).to_be_bytes().to_vec()
    }

    /// The spans of a request.
    fn trace(&mut self, life: &Life) {
        let request = life.request;
        let is_counted = self.warmup <= life.created && life.created < self.horizon;
        let good = agent_chaos_core::request::FailureMode::NominalOperation.name();
        if life.ended.is_some() && is_counted && life.outcome.name().name == good {
            self.durations.add(life.took.seconds());
        }
        let class = life.class.name().name;
        let mut attributes = vec![
            whole("agent_chaos.request.number", request),
            text("agent_chaos.request.class", class),
        ];
        attributes.extend(
            life.agent
                .map(|agent| whole("agent_chaos.agent", agent.into())),
        );
        attributes.extend(
            life.sends
                .map(|sends| whole("agent_chaos.request.sends", sends.into())),
        );
        let end = life.created + life.took;
        let mut place = 0;
        let root = self.span(
            request,
            &mut place,
            (format!("request {class}"), SpanKind::Client),
            (life.created, end),
        );
        let root_id = root.span_id.clone();
        let mut root = Span { attributes, ..root };
        close(&mut root, life.ended.is_some(), life.outcome);
        self.spans.push(root);
        let mut before: Option<(u8, Vec<u8>)> = None;
        for attempt in &life.attempts {
            let parent = if life.sends.is_some() {
                let span = self.attempt(life, attempt, &mut place, &root_id, before.as_ref());
                let id = span.span_id.clone();
                before = Some((attempt.number, id.clone()));
                self.spans.push(span);
                id
            } else {
                root_id.clone()
            };
            self.stretches(life, attempt, &mut place, &parent);
        }
        if self.spans.len() >= BATCH {
            self.send_spans();
        }
    }

    fn span(
        &self,
        request: u64,
        place: &mut u64,
        (name, kind): (String, SpanKind),
        (from, to): (Instant, Instant),
    ) -> Span {
        let span_id = self.span_id(request, *place);
        *place += 1;
        Span {
            trace_id: self.trace_id(request),
            span_id,
            name,
            kind: kind as i32,
            start_time_unix_nano: self.unix(from),
            end_time_unix_nano: self.unix(to.max(from)),
            ..Span::default()
        }
    }

    /// One send of a request.
    fn attempt(
        &self,
        life: &Life,
        attempt: &Attempt,
        place: &mut u64,
        root: &[u8],
        before: Option<&(u8, Vec<u8>)>,
    ) -> Span {
        let last = attempt.segments.iter().filter(|segment| !segment.in_vain);
        let last = last.map(|segment| segment.to).max();
        let end = attempt.ended.or(last).unwrap_or(attempt.from);
        let sending = attempt.sending.name().name;
        let name = ("attempt".to_owned(), SpanKind::Client);
        let mut span = self.span(life.request, place, name, (attempt.from, end));
        span.parent_span_id = root.to_vec();
        span.attributes = vec![whole("http.request.resend_count", attempt.number.into())];
        if !sending.is_empty() {
            span.attributes
                .push(text("agent_chaos.attempt.sending", sending));
        }
        if let Some((number, id)) = before {
            span.links.push(Link {
                trace_id: span.trace_id.clone(),
                span_id: id.clone(),
                attributes: vec![whole("http.request.resend_count", u64::from(*number))],
                ..Link::default()
            });
        }
        close(&mut span, attempt.ended.is_some(), attempt.outcome);
        span
    }

    /// What a send was at, stretch by stretch.
    fn stretches(&mut self, life: &Life, attempt: &Attempt, place: &mut u64, parent: &[u8]) {
        for segment in &attempt.segments {
            let kind = match segment.phase {
                Phase::Service => SpanKind::Server,
                _ => SpanKind::Internal,
            };
            let name = segment.phase.name().to_owned();
            let mut span = self.span(
                life.request,
                place,
                (name, kind),
                (segment.from, segment.to),
            );
            span.parent_span_id = parent.to_vec();
            if segment.in_vain {
                span.attributes
                    .push(attribute("agent_chaos.in_vain", Value::BoolValue(true)));
            }
            match segment.phase {
                Phase::Queue | Phase::Entrance => {
                    span.attributes
                        .push(text("messaging.destination.name", "queue"));
                }
                Phase::Service => {
                    let worker = attempt
                        .worker
                        .map(|worker| whole("agent_chaos.worker", worker.into()));
                    span.attributes.extend(worker);
                    span.events = self.faults(life, attempt.number);
                }
                _ => {}
            }
            self.spans.push(span);
        }
    }

    /// What went wrong in the service of a send.
    fn faults(&self, life: &Life, number: u8) -> Vec<Event> {
        let faults = life
            .steps
            .iter()
            .filter(|step| step.kind() == Kind::Fault && step.attempt() == number);
        let events = faults.map(|step| {
            let mut attributes = vec![text("agent_chaos.fault", step.word().name().name)];
            attributes.extend(
                step.span()
                    .map(|span| real("agent_chaos.fault.duration", span.seconds())),
            );
            Event {
                time_unix_nano: self.unix(step.at),
                name: "agent_chaos.fault".to_owned(),
                attributes,
                ..Event::default()
            }
        });
        events.collect()
    }

    /// The log record of what is about the whole system, and of faults.
    fn log(&self, record: &Record) -> Option<LogRecord> {
        let kind = record.kind();
        let worst = record.word().name().name;
        let (severity, word) = match kind {
            Kind::Transition if worst == "COLLAPSED" => (17, "ERROR"),
            Kind::Transition if worst == "DEGRADED" => (13, "WARN"),
            Kind::Fault | Kind::Breaker | Kind::InterventionStarted => (13, "WARN"),
            Kind::Transition | Kind::Adapted | Kind::Workers | Kind::InterventionEnded => {
                (9, "INFO")
            }
            _ => return None,
        };
        let name = kind.name().name;
        let mut log = LogRecord {
            time_unix_nano: self.unix(record.at),
            observed_time_unix_nano: self.unix(record.at),
            severity_number: severity,
            severity_text: word.to_owned(),
            body: Some(AnyValue {
                value: Some(Value::StringValue(format!(
                    "{}: {}",
                    kind.name().words,
                    record.what()
                ))),
            }),
            event_name: format!("agent_chaos.{}", name.to_ascii_lowercase()),
            ..LogRecord::default()
        };
        if !worst.is_empty() {
            log.attributes.push(text("agent_chaos.what", worst));
        }
        if let Some(span) = record.span() {
            log.attributes
                .push(real("agent_chaos.duration", span.seconds()));
        }
        if let Some(request) = record.request() {
            log.attributes
                .push(whole("agent_chaos.request.number", request));
            log.trace_id = self.trace_id(request);
        }
        Some(log)
    }

    /// The series as gauges, and the report as sums and a histogram.
    fn metrics(&self, report: &Report, series: &Series, now: Instant) -> Message {
        let times = series.column("time").unwrap_or_default();
        let mut metrics = Vec::new();
        for (column, name, unit, description) in GAUGES {
            let values = series.column(column).unwrap_or_default();
            let points: Vec<_> = times
                .iter()
                .zip(values)
                // What is undefined at a moment has no point then.
                .filter(|(_, value)| value.is_finite())
                .map(|(&time, &value)| NumberDataPoint {
                    time_unix_nano: self.unix(Instant::from_seconds(time)),
                    value: Some(number_data_point::Value::AsDouble(value)),
                    ..NumberDataPoint::default()
                })
                .collect();
            if !points.is_empty() {
                let data = metric::Data::Gauge(Gauge {
                    data_points: points,
                });
                metrics.push(measure(name, unit, description, data));
            }
        }
        let start = self.unix(self.warmup.min(now));
        let end = self.unix(now);
        let point = |attributes, value: u64| NumberDataPoint {
            attributes,
            start_time_unix_nano: start,
            time_unix_nano: end,
            value: Some(number_data_point::Value::AsInt(
                i64::try_from(value).unwrap_or(i64::MAX),
            )),
            ..NumberDataPoint::default()
        };
        let sum = |points| {
            metric::Data::Sum(Sum {
                data_points: points,
                aggregation_temporality: AggregationTemporality::Cumulative as i32,
                is_monotonic: true,
            })
        };
        let requests = report.requests;
        let outcomes = [
            ("completed", requests.completed),
            ("failed", requests.failed),
            ("abandoned", requests.abandoned),
            ("in_flight", requests.in_flight),
        ];
        let points = outcomes
            .map(|(outcome, count)| point(vec![text("agent_chaos.outcome", outcome)], count));
        metrics.push(measure(
            "agent_chaos.requests",
            "{request}",
            "Counted requests, by what became of them",
            sum(points.to_vec()),
        ));
        let failures = report
            .errors
            .iter()
            .map(|part| point(vec![text("error.type", part.mode)], part.requests));
        metrics.push(measure(
            "agent_chaos.request.failures",
            "{request}",
            "Counted requests that failed, by what they failed by",
            sum(failures.collect()),
        ));
        metrics.push(measure(
            "agent_chaos.attempts",
            "{attempt}",
            "Sends of the counted requests",
            sum(vec![point(Vec::new(), report.attempts)]),
        ));
        let durations = &self.durations;
        let count = durations.count();
        metrics.push(measure(
            "agent_chaos.request.duration",
            "s",
            "Time from the creation of a counted request to its good answer",
            metric::Data::Histogram(Histogram {
                data_points: vec![HistogramDataPoint {
                    start_time_unix_nano: start,
                    time_unix_nano: end,
                    count,
                    sum: Some(durations.sum),
                    bucket_counts: durations.buckets.to_vec(),
                    explicit_bounds: BOUNDS.to_vec(),
                    min: (count > 0).then_some(durations.least),
                    max: (count > 0).then_some(durations.most),
                    ..HistogramDataPoint::default()
                }],
                aggregation_temporality: AggregationTemporality::Cumulative as i32,
            }),
        ));
        let scope_metrics = vec![ScopeMetrics {
            scope: Some(Self::scope()),
            metrics,
            ..ScopeMetrics::default()
        }];
        Message::Metrics(ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics,
                ..ResourceMetrics::default()
            }],
        })
    }
}

fn measure(name: &str, unit: &str, description: &str, data: metric::Data) -> Metric {
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        description: description.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

/// How a span ended: by its status and its `error.type`, or not before the end of the run.
fn close(span: &mut Span, has_ended: bool, outcome: Word) {
    if !has_ended {
        let still = attribute("agent_chaos.under_way", Value::BoolValue(true));
        span.attributes.push(still);
    } else if outcome.is_bad() {
        let name = outcome.name();
        span.attributes.push(text("error.type", name.name));
        span.status = Some(Status {
            code: StatusCode::Error as i32,
            message: name.words.to_owned(),
        });
    }
}
