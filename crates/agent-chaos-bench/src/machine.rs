//! What was measured, on which machine and when.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Name and value, in the order in which they are told.
#[derive(Clone, Debug, Default)]
pub struct Facts(pub Vec<(&'static str, String)>);

impl Facts {
    /// Of this machine, as far as it tells. `top` is the top of the repository.
    #[must_use]
    pub fn gather(top: &Path, rounds: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let mut facts = vec![
            ("date", date()),
            ("cores", cores.to_string()),
            (
                "processor",
                processor().unwrap_or_else(|| "unknown".to_owned()),
            ),
            (
                "system",
                format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            ),
            (
                "rustc",
                said(Command::new("rustc").arg("--version"))
                    .unwrap_or_else(|| "unknown".to_owned()),
            ),
        ];
        if let Some(load) = load() {
            facts.push(("load at the start", load));
        }
        let mut describe = Command::new("git");
        describe
            .args(["describe", "--always", "--dirty"])
            .current_dir(top);
        if let Some(commit) = said(&mut describe) {
            facts.push(("commit", commit));
        }
        facts.push(("rounds", rounds.to_string()));
        Self(facts)
    }

    /// As an object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.0
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

fn said(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

fn processor() -> Option<String> {
    if let Ok(text) = std::fs::read_to_string("/proc/cpuinfo") {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        return Some(line.split_once(':')?.1.trim().to_owned());
    }
    said(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]))
        .or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok())
}

fn load() -> Option<String> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next().map(str::to_owned)
}

fn date() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    utc(now.as_secs())
}

/// Seconds since 1970 as date and time in UTC.
fn utc(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    let mut days = seconds / 86_400;
    let mut year = 1970;
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!(
        "{year}-{:02}-{:02} {hours:02}:{minutes:02} UTC",
        month + 1,
        days + 1
    )
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(utc(0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(utc(1_798_761_599), "2026-12-31 23:59 UTC");
    }
}
