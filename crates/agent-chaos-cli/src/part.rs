//! A file of rows that is there already, whole or in part.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use agent_chaos_core::sweep::{Plan, Row};

use crate::failure::Failure;
use crate::rows::{self, Form, Layout};

/// A line longer than this is none of ours.
const MOST_LINE_BYTES: u64 = 1 << 16;

/// A file that rows are appended to, one whole line after the other.
pub struct Part {
    file: File,
    path: PathBuf,
    form: Form,
    layout: Layout,
    /// How much of it are whole lines; none where there is nothing to go back to, as in a pipe.
    length: Option<u64>,
}

/// What stood in a file that is gone on with.
pub struct Found {
    /// The rows, in order, from the first cell on.
    pub rows: Vec<Row>,
    /// Whether something after the last whole line was cut off.
    pub cut: bool,
}

impl Part {
    /// Opens the file for the rows of these cells of a plan, and reads what is there of them.
    ///
    /// Nothing is overwritten: a file that holds anything else is refused. What follows the last whole line
    /// is cut off if it is the beginning of a row of this sweep.
    pub fn open(
        path: &Path,
        form: Form,
        plan: &Plan,
        cells: &Range<u64>,
        has_header: bool,
    ) -> Result<(Self, Found), Failure> {
        let layout = Layout::of(plan.axes());
        let refuse = |error: std::io::Error| Failure::file(path, "cannot be written", &error);
        let mut options = OpenOptions::new();
        options.write(true).create(true);
        // A pipe or a device has nothing to go on with.
        let is_plain = std::fs::metadata(path).is_ok_and(|known| known.is_file())
            || std::fs::symlink_metadata(path).is_err();
        let file = options.read(is_plain).open(path).map_err(refuse)?;
        let mut part = Self {
            file,
            path: path.to_owned(),
            form,
            layout,
            length: is_plain.then_some(0),
        };
        let mut found = Found {
            rows: Vec::new(),
            cut: false,
        };
        if is_plain {
            // Where files cannot be locked, as on some network drives, nobody is kept out.
            if let Err(TryLockError::WouldBlock) = part.file.try_lock() {
                let said = format!("{} is being written by another process", path.display());
                return Err(Failure::said("", said, "one process for each file"));
            }
            found = part.read(plan, cells, has_header)?;
            let length = part.length.unwrap_or(0);
            part.file.set_len(length).map_err(refuse)?;
            part.file.seek(SeekFrom::Start(length)).map_err(refuse)?;
        }
        if part.length.is_none_or(|length| length == 0) && has_header && form == Form::Csv {
            let header = part.layout.header();
            part.append(&header)?;
        }
        Ok((part, found))
    }

    fn read(
        &mut self,
        plan: &Plan,
        cells: &Range<u64>,
        has_header: bool,
    ) -> Result<Found, Failure> {
        let header = (self.form == Form::Csv && has_header).then(|| self.layout.header());
        let mut reader = BufReader::new(&self.file);
        let mut found = Found {
            rows: Vec::new(),
            cut: false,
        };
        let (mut length, mut number) = (0, 0);
        loop {
            let (line, is_whole) = read_line(&self.path, &mut reader)?;
            if line.is_empty() {
                break;
            }
            number += 1;
            let refuse = |what: &str| {
                Err(Failure::new(
                    "",
                    format!("{}, in whose line {number} is {what}", self.path.display()),
                    "a file that is not there yet, or one with the first rows of this sweep",
                ))
            };
            let is_header = number == 1 && header.is_some();
            if !is_whole {
                // Only what this sweep would have written may be cut off.
                let begins = match (&header, self.form) {
                    (Some(header), _) if is_header => header.clone(),
                    (_, Form::Csv) => format!("{},", plan.id()),
                    _ => format!("{{\"plan\":\"{}\"", plan.id()),
                };
                if !begins.starts_with(&line) && !line.starts_with(&begins) {
                    return refuse("something else");
                }
                found.cut = true;
                break;
            }
            let text = line.trim_end_matches('\n');
            if is_header {
                if header.as_deref() != Some(&*line) {
                    return refuse("another header");
                }
            } else {
                let Some(row) = self.layout.read(self.form, text) else {
                    let other = rows::layout_of_line(self.form, text);
                    return refuse(match other {
                        Some(_) => "a row of another sweep",
                        None => "no row of a sweep",
                    });
                };
                if rows::sweep_of(&row) != (plan.id().to_owned(), plan.cells()) {
                    return refuse("a row of another sweep");
                }
                let due = cells.start + found.rows.len() as u64;
                if row.cell != due || !cells.contains(&due) {
                    return refuse(&format!(
                        "cell {} where cell {due} is due, as in another shard",
                        row.cell
                    ));
                }
                found.rows.push(row);
            }
            length += line.len() as u64;
        }
        self.length = Some(length);
        Ok(found)
    }

    /// Writes one more row.
    pub fn push(&mut self, row: &Row) -> Result<(), Failure> {
        let line = self.layout.line(self.form, row);
        self.append(&line)
    }

    /// In one piece: what reads the file, or goes on with it, finds whole lines.
    fn append(&mut self, line: &str) -> Result<(), Failure> {
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            if let Some(length) = self.length {
                // Part of the line may be there. If that cannot be undone either, whoever goes on does it.
                let _ = self.file.set_len(length);
            }
            return Err(Failure::file(&self.path, "cannot be written", &error));
        }
        if let Some(length) = &mut self.length {
            *length += line.len() as u64;
        }
        Ok(())
    }
}

/// A line with its end, and whether it has one; empty at the end of the file.
fn read_line(path: &Path, reader: &mut impl BufRead) -> Result<(String, bool), Failure> {
    let mut line = Vec::new();
    let read = reader.take(MOST_LINE_BYTES).read_until(b'\n', &mut line);
    read.map_err(|error| Failure::file(path, "cannot be read", &error))?;
    let is_whole = line.ends_with(b"\n");
    let text = String::from_utf8(line).ok();
    let text = text.filter(|text| is_whole || (text.len() as u64) < MOST_LINE_BYTES);
    text.map(|text| (text, is_whole)).ok_or_else(|| {
        Failure::new(
            "",
            format!("{}, which is no text of rows", path.display()),
            "NDJSON or CSV rows of a sweep",
        )
    })
}

/// The rows of a finished part.
pub struct Whole {
    /// Where they are from.
    pub path: PathBuf,
    /// In order.
    pub rows: Vec<Row>,
    /// Their columns; none without a row.
    pub layout: Option<Layout>,
}

/// Reads a part, NDJSON or CSV. `known` is the layout of the parts before, which a CSV part without a
/// header shares.
pub fn read_whole(path: &Path, known: Option<&Layout>) -> Result<Whole, Failure> {
    let form = Form::of(path)?;
    if form == Form::Parquet {
        return Err(Failure::new(
            "",
            format!("{}, a Parquet file, as a part", path.display()),
            "NDJSON or CSV parts; the whole may be Parquet",
        ));
    }
    let file = File::open(path).map_err(|error| Failure::file(path, "cannot be read", &error))?;
    let mut reader = BufReader::new(file);
    let mut whole = Whole {
        path: path.to_owned(),
        rows: Vec::new(),
        layout: None,
    };
    let mut number = 0;
    loop {
        let (line, is_whole) = read_line(path, &mut reader)?;
        if line.is_empty() {
            return Ok(whole);
        }
        number += 1;
        let refuse = |what: &str| {
            Err(Failure::new(
                "",
                format!("{}, in whose line {number} {what}", path.display()),
                "parts as `sweep --shard` writes them",
            ))
        };
        if !is_whole {
            return refuse("the file breaks off: run that shard again, it goes on from there");
        }
        let text = line.trim_end_matches('\n');
        if number == 1 {
            let own = rows::layout_of_line(form, text);
            let is_header = own.is_some() && form == Form::Csv;
            whole.layout = own.or_else(|| known.cloned());
            if is_header {
                continue;
            }
        }
        let row = whole.layout.as_ref().and_then(|it| it.read(form, text));
        match row {
            Some(row) => whole.rows.push(row),
            None => return refuse("is no row of a sweep"),
        }
    }
}
