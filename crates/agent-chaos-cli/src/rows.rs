//! The rows of a sweep as files: one list of columns, three forms.
//!
//! ```text
//! Row ─┬─► NDJSON   one object a line, no header: parts one after the other are the whole
//!      ├─► CSV      the header in the first part only: the same holds
//!      └─► Parquet  columns with their units; written in one piece
//! ```

use std::path::Path;

use agent_chaos_core::sweep::{Axis, Column, FIGURES, Kind, Row, columns};
use agent_chaos_core::wire::Node;
use serde_json::{Map, Value};

use crate::failure::Failure;

pub mod parquet;

/// The form of a file, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `.ndjson`
    Ndjson,
    /// `.csv`
    Csv,
    /// `.parquet`
    Parquet,
}

impl Form {
    /// The form that a path's ending stands for.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("ndjson") => Ok(Self::Ndjson),
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(Failure::new(
                "",
                format!("a file named {}", path.display()),
                "a name that ends in .ndjson, .csv or .parquet",
            )),
        }
    }
}

/// The columns of a sweep's rows.
#[derive(Clone)]
pub struct Layout {
    axes: Vec<Axis>,
}

impl Layout {
    /// Of a sweep over these fields.
    pub fn of(axes: &[Axis]) -> Self {
        Self {
            axes: axes.to_vec(),
        }
    }

    /// The columns that have these names, if they are those of a sweep.
    fn of_names(names: &[&str]) -> Option<Self> {
        let fields = names.len().checked_sub(columns(&[]).len())?;
        // Which sweep, how many cells, which of them; then the fields.
        let paths = names.get(3..3 + fields)?;
        let axes = paths.iter().map(|path| Axis::of_values(path, &[1.0]).ok());
        let axes: Vec<Axis> = axes.collect::<Option<_>>()?;
        let known = columns(&axes);
        let fits = known.iter().map(|column| column.name).eq(names.to_vec());
        fits.then_some(Self { axes })
    }

    /// In the order of every row.
    pub fn columns(&self) -> Vec<Column<'_>> {
        columns(&self.axes)
    }

    /// The header of a CSV file, with the end of its line.
    pub fn header(&self) -> String {
        let columns = self.columns();
        csv_line(columns.iter().map(|column| column.name.to_owned()))
    }

    /// A row as a line of text, with its end.
    pub fn line(&self, form: Form, row: &Row) -> String {
        let columns = self.columns();
        let values = row.values.iter().cloned().map(Value::from);
        if form == Form::Csv {
            return csv_line(values.map(|value| match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                other => other.to_string(),
            }));
        }
        let names = columns.iter().map(|column| column.name.to_owned());
        let mut line = Value::Object(names.zip(values).collect()).to_string();
        line.push('\n');
        line
    }

    /// Reads a line of text without its end; none unless it is exactly as [`Layout::line`] writes it.
    pub fn read(&self, form: Form, line: &str) -> Option<Row> {
        let columns = self.columns();
        let values: Option<Vec<Node>> = if form == Form::Csv {
            let cells = csv_cells(line)?;
            let cells = (cells.len() == columns.len()).then_some(cells)?;
            let pairs = columns.iter().zip(cells);
            pairs.map(|(column, cell)| of_text(column, &cell)).collect()
        } else {
            let fields: Map<String, Value> = serde_json::from_str(line).ok()?;
            let same = fields.len() == columns.len();
            let pairs = columns.iter().zip(fields).filter(|_| same);
            pairs
                .map(|(column, (name, value))| {
                    of_json(column, value).filter(|_| *column.name == name)
                })
                .collect()
        };
        let values = values?;
        let Some(&Node::Whole(cell)) = values.get(2) else {
            return None;
        };
        let row = Row { cell, values };
        (self.line(form, &row).trim_end() == line).then_some(row)
    }
}

/// The columns of a file that begins with this line.
pub fn layout_of_line(form: Form, line: &str) -> Option<Layout> {
    if form == Form::Csv {
        let cells = csv_cells(line)?;
        return Layout::of_names(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    Layout::of_names(&fields.keys().map(String::as_str).collect::<Vec<_>>())
}

/// Which sweep a row belongs to, and how many cells that has.
pub fn sweep_of(row: &Row) -> (String, u64) {
    match (&row.values[0], &row.values[1]) {
        (Node::Text(plan), Node::Whole(cells)) => (plan.to_string(), *cells),
        _ => (String::new(), 0),
    }
}

fn of_json(column: &Column<'_>, value: Value) -> Option<Node> {
    match (column.kind, value) {
        (_, Value::Null) => Some(Node::Null),
        (Kind::Whole, Value::Number(number)) => number.as_u64().map(Node::Whole),
        (Kind::Real, Value::Number(number)) => number.as_f64().map(Node::Real),
        (Kind::Flag, Value::Bool(answer)) => Some(Node::Bool(answer)),
        (Kind::Text, Value::String(text)) => Some(Node::Text(text.into())),
        _ => None,
    }
}

fn of_text(column: &Column<'_>, cell: &str) -> Option<Node> {
    match column.kind {
        _ if cell.is_empty() => Some(Node::Null),
        Kind::Text => Some(Node::Text(cell.to_owned().into())),
        _ => of_json(column, serde_json::from_str(cell).ok()?),
    }
}

fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Into memory there is nothing to fail.
    let _ = writer.write_record(cells.map(String::into_bytes));
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn csv_cells(line: &str) -> Option<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(str::to_owned).collect())
}

/// The columns, their units and what they are, for the help.
pub fn described() -> String {
    let width = FIGURES.iter().map(|column| column.name.len()).max();
    let width = width.unwrap_or(0);
    let lines = FIGURES.iter().map(|column| {
        let Column {
            name, unit, about, ..
        } = column;
        format!("  {name:<width$}  {unit:<9}  {about}\n")
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(layout: &Layout) -> Row {
        let columns = layout.columns();
        let values =
            columns
                .iter()
                .enumerate()
                .map(|(index, column)| match (column.name, column.kind) {
                    ("cell", _) => Node::Whole(7),
                    ("recovery.recovered" | "latency_seconds.p99", _) => Node::Null,
                    (_, Kind::Whole) => Node::Whole(index as u64),
                    (_, Kind::Real) => Node::Real(index as f64 / 7.0),
                    (_, Kind::Text) => Node::Text("abc".into()),
                    (_, Kind::Flag) => Node::Bool(true),
                });
        Row {
            cell: 7,
            values: values.collect(),
        }
    }

    #[test]
    fn lines_are_read_as_they_were_written() {
        let axes = ["agents.count", "agents.think_seconds"];
        let axes = axes.map(|path| Axis::of_values(path, &[1.0]).unwrap());
        let layout = Layout::of(&axes);
        let row = row(&layout);
        for form in [Form::Ndjson, Form::Csv] {
            let line = layout.line(form, &row);
            let first = if form == Form::Csv {
                layout.header()
            } else {
                line.clone()
            };
            let found = layout_of_line(form, first.trim_end()).unwrap();
            assert_eq!(found.read(form, line.trim_end()), Some(row.clone()));
            let cut = &line[..line.len() - 3];
            assert_eq!(found.read(form, cut), None);
            assert_eq!(found.read(form, &line.replace("abc", " abc")), None);
        }
        for other in [
            "",
            "{}",
            "{\"plan\": \"a\"}",
            "cell,plan,seed",
            "\"",
            "a\"b,c",
        ] {
            assert!(layout_of_line(Form::Ndjson, other).is_none(), "{other}");
            assert!(layout_of_line(Form::Csv, other).is_none(), "{other}");
        }
    }
}
