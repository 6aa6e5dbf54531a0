//! `run --otlp`, `--otlp-endpoint`, `--trace` and `--prometheus`: what other tools get.

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;
use support::{run, run_json};

const SHORT: [&str; 6] = [
    "run",
    "exp-002",
    "--set",
    "run.duration_seconds=30",
    "--set",
    "run.warmup_seconds=5",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut parameters = SHORT.to_vec();
    parameters.extend(more);
    parameters
}

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("exports");
    std::fs::create_dir_all(&folder).expect("a folder for the files of tests");
    folder.join(name)
}

/// What a collector got: where to, of which type, and what.
type Got = (String, String, Vec<u8>);

/// A collector on loopback that answers every request with this status, and hands over what it got.
fn collector(status: &'static str) -> (String, mpsc::Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let sender = sender.clone();
            thread::spawn(move || serve(stream, status, &sender));
        }
    });
    (address, receiver)
}

fn serve(stream: TcpStream, status: &str, got: &mpsc::Sender<Got>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let path = first.split(' ').nth(1).expect("a request line").to_owned();
        let (mut length, mut kind, mut is_packed) = (0, String::new(), false);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header");
            let Some((name, value)) = line.trim().split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().expect("a length"),
                "content-encoding" => is_packed = value.trim() == "gzip",
                "content-type" => kind = value.trim().to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        if is_packed {
            let mut unpacked = Vec::new();
            let mut packed = flate2::read::GzDecoder::new(body.as_slice());
            packed.read_to_end(&mut unpacked).expect("a packed body");
            body = unpacked;
        }
        let _ = got.send((path, kind, body));
        // An empty message is a success without anything to say.
        let said = if status.starts_with('2') { "" } else { "busy" };
        let length = said.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{said}");
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn a_collector_gets_what_the_file_has() {
    let path = file("run.jsonl");
    let (address, got) = collector("200 OK");
    let parameters = with(&[
        "--json",
        "--otlp",
        path.to_str().unwrap(),
        "--otlp-endpoint",
        &address,
    ]);
    let report = run_json(&parameters);
    let written = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = written.lines().collect();
    let got: Vec<_> = got.try_iter().collect();
    assert_eq!(got.len(), lines.len());
    let (mut roots, mut metrics, mut logs) = (0, 0, 0);
    for ((path, kind, body), line) in got.iter().zip(lines) {
        assert_eq!(kind, "application/x-protobuf");
        match path.as_str() {
            "/v1/traces" => {
                let sent = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
                let spans = &sent.resource_spans[0].scope_spans[0].spans;
                roots += spans
                    .iter()
                    .filter(|span| span.parent_span_id.is_empty())
                    .count() as u64;
                assert_eq!(
                    serde_json::from_str::<ExportTraceServiceRequest>(line).unwrap(),
                    sent
                );
            }
            "/v1/metrics" => {
                let sent = ExportMetricsServiceRequest::decode(body.as_slice()).unwrap();
                assert_eq!(
                    serde_json::from_str::<ExportMetricsServiceRequest>(line).unwrap(),
                    sent
                );
                metrics += 1;
            }
            "/v1/logs" => {
                let sent = ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
                assert_eq!(
                    serde_json::from_str::<ExportLogsServiceRequest>(line).unwrap(),
                    sent
                );
                logs += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(roots >= report["requests"]["created"].as_u64().unwrap());
    assert_eq!((metrics, logs > 0), (1, true));
}

#[test]
fn a_run_that_is_exported_is_the_same_run() {
    let (trace, prom) = (file("same.json"), file("same.prom"));
    let plain = run_json(&with(&["--json"]));
    let exported = run_json(&with(&[
        "--json",
        "--trace",
        trace.to_str().unwrap(),
        "--prometheus",
        prom.to_str().unwrap(),
    ]));
    assert_eq!(exported["digest"], plain["digest"]);
    let trace: Value = serde_json::from_slice(&std::fs::read(&trace).unwrap()).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 5_000);
    let text = std::fs::read_to_string(&prom).unwrap();
    let digest = plain["digest"].as_str().unwrap();
    assert!(text.contains(&format!("digest=\"{digest}\"")), "{text}");
    assert!(text.contains("experiment=\"exp-002\""), "{text}");
    // On standard output it stands alone.
    let said = run(&with(&["--prometheus", "-", "--assert", "seed == 1"]));
    assert_eq!((said.code, said.out), (0, text));
}

#[test]
fn a_dead_collector_is_named_and_the_report_is_there() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let said = run(&with(&["--json", "--otlp-endpoint", &address]));
    assert_eq!(said.code, 2, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).expect("the whole report");
    assert_eq!(report["complete"], true);
    let error: Value = serde_json::from_str(&said.err).expect("an error as JSON");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(&address) && message.contains("cannot be reached"),
        "{message}"
    );
}

#[test]
fn a_collector_that_refuses_is_quoted_and_asked_no_more() {
    let (address, got) = collector("503 Service Unavailable");
    let said = run(&with(&[
        "--otlp-endpoint",
        &address,
        "--assert",
        "seed == 1",
    ]));
    assert_eq!(said.code, 2);
    assert!(said.err.contains(&format!("{address}/v1/")), "{}", said.err);
    assert!(
        said.err.contains("503 Service Unavailable busy"),
        "{}",
        said.err
    );
    assert!(said.out.contains("Digest"), "{}", said.out);
    assert_eq!(got.try_iter().count(), 1);
}

#[test]
fn virtual_time_begins_when_it_is_told_to() {
    let path = file("start.jsonl");
    let parameters = with(&[
        "--json",
        "--otlp",
        path.to_str().unwrap(),
        "--start",
        "2026-11-01T09:00:00Z",
    ]);
    run_json(&parameters);
    let written = std::fs::read_to_string(&path).unwrap();
    let start = 1_793_523_600_000_000_000_u64;
    let mut earliest = u64::MAX;
    for line in written.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        for span in value["resourceSpans"][0]["scopeSpans"][0]["spans"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let at = span["startTimeUnixNano"].as_str().unwrap().parse().unwrap();
            earliest = earliest.min(at);
        }
    }
    assert!(
        (start..start + 1_000_000_000).contains(&earliest),
        "{earliest}"
    );
}

#[test]
fn what_cannot_be_written_or_read_is_refused_first() {
    for (more, words) in [
        (&["--otlp", "/nowhere/at/all"][..], "/nowhere/at/all"),
        (&["--trace", "/nowhere/at/all"], "/nowhere/at/all"),
        (
            &["--otlp-endpoint", "https://localhost:4318"],
            "http://HOST:PORT",
        ),
        (&["--otlp-endpoint", "localhost:4318"], "http://HOST:PORT"),
        (&["--otlp", "/dev/null", "--start", "noon"], "RFC 3339"),
        (
            &["--prometheus", "-", "--json"],
            "--prometheus - beside --json",
        ),
        (&["--otlp", "x", "--seeds", "1..3"], "cannot be used with"),
    ] {
        let said = run(&with(more));
        assert_eq!(
            (said.code, said.out.as_str()),
            (2, ""),
            "{more:?}: {}",
            said.err
        );
        assert!(said.err.contains(words), "{more:?}: {}", said.err);
    }
}

/// The identity and the name of every span.
fn spans(traces: &ExportTraceServiceRequest, found: &mut BTreeSet<(Vec<u8>, Vec<u8>, String)>) {
    let scopes = traces
        .resource_spans
        .iter()
        .flat_map(|resource| &resource.scope_spans);
    for span in scopes.flat_map(|scope| &scope.spans) {
        found.insert((
            span.trace_id.clone(),
            span.span_id.clone(),
            span.name.clone(),
        ));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
    listener.local_addr().expect("it is bound").port()
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A collector as it is used: it takes what is sent, and passes it on to where this test listens.
#[test]
#[ignore = "needs a collector: cargo xtask test --hosts"]
fn a_real_collector_passes_on_what_it_received() {
    let program = std::env::var("ROTEL").expect("ROTEL names the collector's program");
    let (behind, got) = collector("200 OK");
    let (http, grpc) = (free_port(), free_port());
    let rotel = Command::new(program)
        .arg("start")
        .args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")])
        .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
        .args(["--exporter", "otlp", "--otlp-exporter-endpoint", &behind])
        .args(["--otlp-exporter-protocol", "http"])
        .stdout(Stdio::null())
        .spawn()
        .expect("the collector starts");
    let _running = Running(rotel);
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", http)).is_err() {
        assert!(Instant::now() < deadline, "the collector does not listen");
        thread::sleep(Duration::from_millis(50));
    }
    let path = file("collector.jsonl");
    let address = format!("http://127.0.0.1:{http}");
    let sent = [
        "--json",
        "--otlp",
        path.to_str().unwrap(),
        "--otlp-endpoint",
        &address,
    ];
    run_json(&with(&sent));
    let mut expected = BTreeSet::new();
    for line in std::fs::read_to_string(&path).unwrap().lines() {
        if line.starts_with("{\"resourceSpans\"") {
            spans(&serde_json::from_str(line).unwrap(), &mut expected);
        }
    }
    assert!(expected.len() > 1_000);
    let (mut received, mut metrics, mut logs) = (BTreeSet::new(), BTreeSet::new(), 0);
    while received.len() < expected.len() || metrics.is_empty() || logs == 0 {
        let left = deadline.saturating_duration_since(Instant::now());
        let (path, _, body) = got.recv_timeout(left).unwrap_or_else(|_| {
            panic!(
                "{} of {} spans, {} metrics, {logs} logs",
                received.len(),
                expected.len(),
                metrics.len()
            )
        });
        match path.as_str() {
            "/v1/traces" => spans(
                &ExportTraceServiceRequest::decode(body.as_slice()).unwrap(),
                &mut received,
            ),
            "/v1/metrics" => {
                let sent = ExportMetricsServiceRequest::decode(body.as_slice()).unwrap();
                for metric in &sent.resource_metrics[0].scope_metrics[0].metrics {
                    metrics.insert(metric.name.clone());
                }
            }
            _ => {
                let sent = ExportLogsServiceRequest::decode(body.as_slice()).unwrap();
                logs += sent.resource_logs[0].scope_logs[0].log_records.len();
            }
        }
    }
    assert_eq!(received, expected);
    assert!(metrics.contains("agent_chaos.queue.length"), "{metrics:?}");
    assert!(
        metrics.contains("agent_chaos.request.duration"),
        "{metrics:?}"
    );
}
