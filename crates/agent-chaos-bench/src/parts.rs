//! The benchmarks of single parts, by Criterion.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde_json::Value;

use crate::stats::Summary;

/// Runs them. `top` is the top of the repository.
///
/// # Errors
///
/// Why they did not run to the end.
pub fn run(top: &Path) -> Result<(), String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(cargo)
        .args([
            "bench",
            "--package",
            "agent-chaos-bench",
            "--bench",
            "parts",
        ])
        .current_dir(top)
        .stdout(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("ended with {status}")),
        Err(error) => Err(error.to_string()),
    }
}

/// What they have left in Criterion's folder since then, in the order in which they ran: name, and
/// the time of one element.
pub fn results(folder: &Path, since: SystemTime) -> Vec<(String, Summary)> {
    let mut found = Vec::new();
    search(folder, since, &mut found);
    found.sort_by_key(|one| one.0);
    found
        .into_iter()
        .map(|(_, name, nanos)| (name, nanos))
        .collect()
}

fn search(folder: &Path, since: SystemTime, all: &mut Vec<(SystemTime, String, Summary)>) {
    let read = |name: &str| -> Option<(SystemTime, Value)> {
        let file = folder.join("new").join(name);
        let written = file.metadata().ok()?.modified().ok()?;
        let text = (written >= since).then(|| std::fs::read_to_string(file).ok())??;
        Some((written, serde_json::from_str(&text).ok()?))
    };
    if let Some(((_, about), (written, found))) = read("benchmark.json").zip(read("estimates.json"))
    {
        let elements = about["throughput"]["Elements"].as_f64().unwrap_or(1.0);
        let nanos = |value: &Value| value.as_f64().map(|nanos| nanos / elements);
        let bounds = &found["median"]["confidence_interval"];
        let summary = || {
            Some(Summary {
                median: nanos(&found["median"]["point_estimate"])?,
                min: nanos(&bounds["lower_bound"])?,
                max: nanos(&bounds["upper_bound"])?,
                count: 30,
            })
        };
        let name = about["full_id"].as_str().unwrap_or_default().to_owned();
        all.extend(summary().map(|summary| (written, name, summary)));
        return;
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            search(&entry.path(), since, all);
        }
    }
}
