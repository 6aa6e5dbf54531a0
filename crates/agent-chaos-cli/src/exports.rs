//! A run in the forms of other tools: `--otlp`, `--otlp-endpoint`, `--trace`, `--prometheus`.
//!
//! ```text
//! events ─► records ─► Otlp ──► lines of a file, and messages to a collector
//!                  └─► Perfetto ─► a file
//! report ────────────► Prometheus text ─► a file, or standard output
//! ```
//!
//! The run comes first: a file that cannot be written ends it, a collector that cannot be reached does
//! not. What was wrong there is said once the report has been printed.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use agent_chaos_core::records::Record;
use agent_chaos_core::{Profile, Report, Run};
use agent_chaos_export::{Message, Otlp, Perfetto, prometheus};

use crate::arguments::RunOptions;
use crate::failure::{Failure, Stop};

/// When virtual time begins, if nobody says otherwise: so that equal runs give equal files.
pub const START: &str = "2026-01-01T00:00:00Z";

/// A collector that does not answer for so long is taken for dead.
const PATIENCE: Duration = Duration::from_secs(10);

/// A file, and what it is called in messages.
struct Target {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Target {
    fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path);
        let file = file.map_err(|error| Failure::file(path, "cannot be written", &error))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 16, file),
        })
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| Failure::file(&self.path, "cannot be written", &error))
    }

    fn close(mut self) -> Result<(), Failure> {
        let flushed = self.file.flush();
        flushed.map_err(|error| Failure::file(&self.path, "cannot be written", &error))
    }
}

/// A collector that takes OTLP over HTTP.
struct Collector {
    address: String,
    agent: ureq::Agent,
    /// What went wrong first; nothing more is sent then.
    failure: Option<Failure>,
}

impl Collector {
    fn new(address: &str) -> Result<Self, Failure> {
        let accepted = "http://HOST:PORT, where a collector takes OTLP over HTTP, such as http://localhost:4318";
        let refused = || Failure::new("", format!("--otlp-endpoint {address}"), accepted);
        let uri: ureq::http::Uri = address.parse().map_err(|_| refused())?;
        if uri.scheme_str() != Some("http")
            || uri.host().is_none_or(str::is_empty)
            || uri.query().is_some()
        {
            return Err(refused());
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            // What is on this machine or beside it is no business of a proxy.
            .proxy(None)
            .build();
        Ok(Self {
            address: address.trim_end_matches('/').to_owned(),
            agent: config.into(),
            failure: None,
        })
    }

    fn send(&mut self, message: &Message) {
        if self.failure.is_some() {
            return;
        }
        let address = format!("{}{}", self.address, message.path());
        let sent = self
            .agent
            .post(&address)
            .header("Content-Type", "application/x-protobuf")
            .send(message.to_protobuf().as_slice());
        let said = match sent {
            Ok(answer) if answer.status().is_success() => return,
            Ok(mut answer) => {
                let status = answer.status();
                let body = answer.body_mut().with_config().limit(2000).read_to_string();
                let body = body.unwrap_or_default();
                let body: String = body.chars().filter(|c| !c.is_control()).take(200).collect();
                format!("the collector at {address} answered {status} {body}")
            }
            Err(error) => format!("the collector at {address} cannot be reached: {error}"),
        };
        let accepted = "a collector that takes OTLP over HTTP; the run itself is complete";
        self.failure = Some(Failure::said("", said.trim(), accepted));
    }
}

/// What is made of the records as they come.
struct Makers {
    otlp: Option<Otlp>,
    trace: Option<Perfetto>,
}

/// Everything that a run is exported to.
pub struct Exports {
    makers: Rc<RefCell<Makers>>,
    is_watching: bool,
    lines: Option<Target>,
    collector: Option<Collector>,
    trace: Option<Target>,
    prometheus: Option<Target>,
    /// Whether the report is printed as Prometheus text in place of words.
    pub prometheus_only: bool,
}

impl Exports {
    /// By the options. Every file is made and every address is read before anything runs.
    pub fn new(options: &RunOptions, profile: &Profile) -> Result<Self, Failure> {
        let start = start(options.start.as_deref().unwrap_or(START))?;
        let file = |path: &Option<PathBuf>| path.as_deref().map(Target::create).transpose();
        let prometheus_only = options.prometheus.as_deref() == Some(Path::new("-"));
        if prometheus_only && options.json {
            let accepted = "a file, or no --json: standard output takes one of them";
            return Err(Failure::new("", "--prometheus - beside --json", accepted));
        }
        let endpoint = options.otlp_endpoint.as_deref().map(Collector::new);
        let collector = endpoint.transpose()?;
        let lines = file(&options.otlp)?;
        let trace = file(&options.trace)?;
        let has_otlp = lines.is_some() || collector.is_some();
        let makers = Makers {
            otlp: has_otlp.then(|| Otlp::new(profile, start)),
            trace: trace.is_some().then(Perfetto::new),
        };
        Ok(Self {
            is_watching: has_otlp || trace.is_some(),
            makers: Rc::new(RefCell::new(makers)),
            lines,
            collector,
            trace,
            prometheus: if prometheus_only {
                None
            } else {
                file(&options.prometheus)?
            },
            prometheus_only,
        })
    }

    /// Whoever is to see each record; none if nobody asks for any.
    pub fn watcher(&self) -> Option<impl FnMut(&Record) + 'static> {
        let makers = Rc::clone(&self.makers);
        let watch = move |record: &Record| {
            let Makers { otlp, trace } = &mut *makers.borrow_mut();
            if let Some(otlp) = otlp {
                otlp.see(record);
            }
            if let Some(trace) = trace {
                trace.see(record);
            }
        };
        self.is_watching.then_some(watch)
    }

    /// Writes and sends what is ready.
    pub fn pass_on(&mut self) -> Result<(), Failure> {
        let Makers { otlp, trace } = &mut *self.makers.borrow_mut();
        for message in otlp.iter_mut().flat_map(Otlp::take) {
            if let Some(lines) = &mut self.lines {
                lines.write(&message.to_json())?;
                lines.write("\n")?;
            }
            if let Some(collector) = &mut self.collector {
                collector.send(&message);
            }
        }
        if let (Some(trace), Some(target)) = (trace, &mut self.trace) {
            target.write(&trace.take())?;
        }
        Ok(())
    }

    /// The run has ended.
    pub fn finish(&mut self, run: &Run, report: &Report, experiment: &str) -> Result<(), Failure> {
        {
            let Makers { otlp, trace } = &mut *self.makers.borrow_mut();
            run.with_series(|series| {
                if let Some(otlp) = otlp {
                    otlp.finish(report, series, run.now());
                }
                if let Some(trace) = trace {
                    trace.finish(series, run.now());
                }
            });
        }
        self.pass_on()?;
        if let Some(target) = &mut self.prometheus {
            target.write(&prometheus(report, experiment))?;
        }
        let files = [self.lines.take(), self.trace.take(), self.prometheus.take()];
        files.into_iter().flatten().try_for_each(Target::close)
    }

    /// What the collector did not take, once everything else has been said.
    pub fn end(self) -> Result<(), Stop> {
        match self.collector.and_then(|collector| collector.failure) {
            None => Ok(()),
            Some(failure) => Err(failure.into()),
        }
    }
}

/// A moment as nanoseconds since 1970.
fn start(text: &str) -> Result<u64, Failure> {
    let accepted = "a moment in UTC from 1970 to 2500 by RFC 3339, such as 2026-01-01T00:00:00Z";
    let refused = || Failure::new("", format!("--start {text}"), accepted);
    let moment = humantime::parse_rfc3339(text).map_err(|_| refused())?;
    let since = moment
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| refused())?;
    // A run lasts for at most some years, and must end within what 64 bits hold.
    let nanos = u64::try_from(since.as_nanos()).map_err(|_| refused())?;
    if nanos > 16_725_225_600_000_000_000 {
        return Err(refused());
    }
    Ok(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_begins_at_a_moment_in_utc() {
        assert_eq!(start("1970-01-01T00:00:01Z").unwrap(), 1_000_000_000);
        assert_eq!(start(START).unwrap(), 1_767_225_600_000_000_000);
        for bad in [
            "",
            "yesterday",
            "2026-01-01",
            "1969-12-31T23:59:59Z",
            "2600-01-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
        ] {
            assert!(start(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_plain_http() {
        assert!(Collector::new("http://localhost:4318").is_ok());
        assert!(Collector::new("http://[::1]:4318/base/").is_ok());
        for bad in [
            "localhost:4318",
            "https://localhost:4318",
            "http://",
            "http://h?x=1",
            "ftp://h",
            "",
        ] {
            assert!(Collector::new(bad).is_err(), "{bad}");
        }
    }
}
