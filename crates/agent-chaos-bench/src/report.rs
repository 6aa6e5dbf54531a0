//! What was measured, as a table on the terminal, as Markdown and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::machine::Facts;
use crate::peers::Peer;
use crate::scaling::Series;
use crate::stats::Summary;

/// In what a row is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Time per request over that of the bare loop.
    Ratio,
    /// Milliseconds.
    Milliseconds,
    /// Nanoseconds.
    Nanoseconds,
    /// 1,000,000 bytes.
    Megabytes,
    /// 1,000 bytes.
    Kilobytes,
    /// Hundredths.
    Percent,
}

impl Unit {
    /// How it is written behind a number.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Ratio => "×",
            Self::Milliseconds => "ms",
            Self::Nanoseconds => "ns",
            Self::Megabytes => "MB",
            Self::Kilobytes => "kB",
            Self::Percent => "%",
        }
    }
}

/// One thing that was measured, or the reason why not.
#[derive(Clone, Debug)]
pub struct Row {
    /// The heading it stands under.
    pub part: &'static str,
    /// What it is.
    pub name: String,
    /// In what.
    pub unit: Unit,
    /// What it should be at the most.
    pub target: Option<f64>,
    /// What came out, or why nothing did.
    pub result: Result<Summary, String>,
    /// What else there is to say.
    pub note: String,
}

impl Row {
    fn verdict(&self) -> &'static str {
        match (self.target, &self.result) {
            (Some(target), Ok(summary)) if summary.median <= target => "met",
            (Some(_), Ok(_)) => "not met",
            _ => "",
        }
    }

    /// Name, median, range, target, verdict, note.
    fn cells(&self) -> [String; 6] {
        let unit = self.unit.symbol();
        let target = self
            .target
            .map_or_else(String::new, |target| format!("{} {unit}", short(target)));
        let (median, range, note) = match &self.result {
            Ok(summary) => {
                let range = format!("{} … {}", short(summary.min), short(summary.max));
                (
                    format!("{} {unit}", short(summary.median)),
                    if summary.count > 1 {
                        range
                    } else {
                        String::new()
                    },
                    self.note.clone(),
                )
            }
            Err(reason) => ("–".to_owned(), String::new(), reason.clone()),
        };
        [
            self.name.clone(),
            median,
            range,
            target,
            self.verdict().to_owned(),
            note,
        ]
    }

    fn to_json(&self) -> Value {
        let mut row = json!({
            "part": self.part, "name": self.name, "unit": self.unit.symbol(), "note": self.note,
        });
        if let Some(target) = self.target {
            row["target"] = json!(target);
        }
        match &self.result {
            Ok(summary) => {
                row["median"] = json!(summary.median);
                row["min"] = json!(summary.min);
                row["max"] = json!(summary.max);
                row["count"] = json!(summary.count);
            }
            Err(reason) => row["reason"] = json!(reason),
        }
        if !self.verdict().is_empty() {
            row["met"] = json!(self.verdict() == "met");
        }
        row
    }
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// About the machine.
    pub facts: Facts,
    /// The table.
    pub rows: Vec<Row>,
    /// What a request costs as one number grows.
    pub scaling: Vec<Series>,
    /// Other engines, or why there are none; nothing if nobody asked.
    pub peers: Option<Result<Vec<Peer>, String>>,
    /// Every single measurement.
    pub samples: Value,
}

const HEADS: [&str; 6] = ["", "median", "range", "target", "", ""];

impl Report {
    /// As a table for a terminal.
    #[must_use]
    pub fn terminal(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.facts.0 {
            let _ = writeln!(text, "{name}: {value}");
        }
        let tables = self.tables();
        let widths: Vec<usize> = (0..HEADS.len() - 1)
            .map(|column| {
                let rows = tables.iter().flat_map(|(_, rows)| rows);
                let cells = rows.map(|cells| cells[column].chars().count());
                cells.max().unwrap_or(0).max(HEADS[column].chars().count())
            })
            .collect();
        let line = |cells: &[String]| {
            let mut line = String::from("  ");
            for (column, cell) in cells.iter().enumerate() {
                let pad = widths
                    .get(column)
                    .map_or(0, |width| width - cell.chars().count());
                // Numbers stand to the right, words to the left.
                let (before, after) = if (1..=3).contains(&column) {
                    (pad, 0)
                } else {
                    (0, pad)
                };
                let _ = write!(line, "{}{cell}{}  ", " ".repeat(before), " ".repeat(after));
            }
            line.trim_end().to_owned() + "\n"
        };
        for (index, (part, rows)) in tables.iter().enumerate() {
            let _ = writeln!(text, "\n{part}");
            if index == 0 {
                text += &line(&HEADS.map(str::to_owned));
            }
            rows.iter().for_each(|cells| text += &line(cells));
        }
        text
    }

    /// As a document.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::from("# Speed\n\n");
        for (name, value) in &self.facts.0 {
            let _ = writeln!(text, "- {name}: {value}");
        }
        text += METHOD;
        for (part, rows) in self.tables() {
            let _ = writeln!(
                text,
                "\n## {part}\n\n| what | median | range | target | verdict | remarks |\n| --- | ---: | ---: | ---: | --- | --- |"
            );
            for cells in rows {
                let _ = writeln!(
                    text,
                    "| {} |",
                    cells.map(|cell| cell.replace('|', "\\|")).join(" | ")
                );
            }
        }
        if !self.scaling.is_empty() {
            text += "\n![Time per request over that of the bare loop against agents, workers, capacity and latency window](scaling.svg)\n";
        }
        text
    }

    /// As data.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "machine": self.facts.to_json(),
            "rows": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
            "scaling": self.scaling.iter().map(Series::to_json).collect::<Vec<_>>(),
            "peers": match &self.peers {
                None => Value::Null,
                Some(Err(reason)) => json!({ "reason": reason }),
                Some(Ok(peers)) => peers.iter().map(|peer| json!({
                    "name": peer.name, "version": peer.version, "workload": peer.workload,
                    "nanos_per_request": peer.nanos_per_request,
                    "yardstick_nanos_per_request": peer.yardstick_nanos_per_request,
                })).collect(),
            },
            "samples": self.samples,
        })
    }

    /// Headings with their rows, in the order in which they first appear.
    fn tables(&self) -> Vec<(String, Vec<[String; 6]>)> {
        let mut tables: Vec<(String, Vec<[String; 6]>)> = Vec::new();
        for row in &self.rows {
            match tables.iter_mut().find(|(part, _)| part == row.part) {
                Some((_, rows)) => rows.push(row.cells()),
                None => tables.push((row.part.to_owned(), vec![row.cells()])),
            }
        }
        for series in &self.scaling {
            let title = format!("Time per request against {}: {}", series.name, series.about);
            tables.push((title, series.cells()));
        }
        match &self.peers {
            None => {}
            Some(Err(reason)) => {
                let cells = ["all", "–", "", "", "", reason.as_str()].map(str::to_owned);
                tables.push(("Other engines".to_owned(), vec![cells]));
            }
            Some(Ok(peers)) => {
                let cells = |peer: &Peer| {
                    [
                        format!("{} {}, {}", peer.name, peer.version, peer.workload),
                        format!(
                            "{} ×",
                            short(peer.nanos_per_request / peer.yardstick_nanos_per_request)
                        ),
                        String::new(),
                        String::new(),
                        String::new(),
                        format!("{} ns per request", short(peer.nanos_per_request)),
                    ]
                };
                tables.push((
                    "Other engines".to_owned(),
                    peers.iter().map(cells).collect(),
                ));
            }
        }
        tables
    }
}

const METHOD: &str = "
`×` is the time per request over that of the bare loop (`agent-chaos-bench/src/bare.rs`): an M/M/4
queue with 80 waiting places that keeps nothing but counts, native, 1,000,000 requests. Every
measurement stands between two runs of the bare loop and is divided by their mean; everything is
measured once per round, in turn. Targets are for the median.
";

/// A number with some three digits.
#[must_use]
pub fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(result: Result<Summary, String>) -> Row {
        Row {
            part: "Native",
            name: "open loop".to_owned(),
            unit: Unit::Ratio,
            target: Some(3.0),
            result,
            note: String::new(),
        }
    }

    #[test]
    fn a_target_is_met_by_the_median() {
        let of = |values: &[f64]| row(Summary::of(values.iter().copied()).ok_or_else(String::new));
        assert_eq!(of(&[2.0, 3.0, 9.0]).verdict(), "met");
        assert_eq!(of(&[2.0, 3.1, 9.0]).verdict(), "not met");
        assert_eq!(of(&[]).verdict(), "");
    }

    #[test]
    fn what_could_not_run_is_told_with_the_reason() {
        let report = Report {
            rows: vec![
                row(Err("no Chromium".to_owned())),
                row(Ok(Summary::one(2.5))),
            ],
            ..Report::default()
        };
        assert!(report.terminal().contains("no Chromium"));
        assert!(report.markdown().contains("| open loop | 2.50 × |"));
        let json = report.to_json();
        assert_eq!(json["rows"][0]["reason"], "no Chromium");
        assert_eq!(json["rows"][1]["met"], true);
    }

    #[test]
    fn numbers_are_written_with_three_digits() {
        assert_eq!(
            [1234.6, 12.34, 1.234, 0.0123].map(short),
            ["1235", "12.3", "1.23", "0.0123"]
        );
    }
}
