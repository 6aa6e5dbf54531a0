//! Parts of a sweep become one file.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use agent_chaos_core::sweep::Row;

use crate::arguments::MergeOptions;
use crate::failure::{Failure, Stop};
use crate::part::{self, Whole};
use crate::rows::{self, Form, Layout, parquet};

/// `merge`: checks that the parts belong together and are complete, and writes the whole.
pub fn merge(options: &MergeOptions, out: &mut impl Write) -> Result<(), Stop> {
    let form = Form::of(&options.out)?;
    for part in &options.parts {
        let same = [part, &options.out].map(|path| fs::canonicalize(path).ok());
        if same[0].is_some() && same[0] == same[1] {
            let found = format!("--out {}, which is one of the parts", options.out.display());
            return Err(Failure::new("", found, "another file").into());
        }
    }
    let (layout, rows) = read(&options.parts)?;
    write(&options.out, form, &layout, &rows)?;
    let parts = options.parts.len();
    let (sweep, _) = rows::sweep_of(&rows[0]);
    writeln!(
        out,
        "{}: {} rows of sweep {sweep}, from {parts} {}",
        options.out.display(),
        rows.len(),
        if parts == 1 { "part" } else { "parts" }
    )?;
    Ok(())
}

/// All rows of the parts, which may come in any order.
fn read(paths: &[PathBuf]) -> Result<(Layout, Vec<Row>), Failure> {
    // A CSV part without a header is read by that of another.
    let headed = paths.iter().find_map(|path| {
        let whole = part::read_whole(path, None).ok()?;
        whole.layout
    });
    let mut wholes: Vec<Whole> = Vec::new();
    for path in paths {
        wholes.push(part::read_whole(path, headed.as_ref())?);
    }
    wholes.retain(|whole| !whole.rows.is_empty());
    wholes.sort_by_key(|whole| whole.rows[0].cell);
    let Some(first) = wholes.first() else {
        return Err(Failure::new("", "no row in any part", "parts with rows"));
    };
    let sweep = rows::sweep_of(&first.rows[0]);
    let accepted = "parts of one sweep, each cell in exactly one of them";
    let mut due = 0;
    for (index, whole) in wholes.iter().enumerate() {
        let name = whole.path.display();
        for row in &whole.rows {
            let own = rows::sweep_of(row);
            if own != sweep {
                let first = wholes[0].path.display();
                let found = format!(
                    "{name} of sweep {}, and {first} of sweep {}",
                    own.0, sweep.0
                );
                return Err(Failure::new("", found, accepted));
            }
            if row.cell < due {
                let before = wholes[index.saturating_sub(1)].path.display();
                let found = format!("cell {} in {name} and in {before}", row.cell);
                return Err(Failure::new("", found, accepted));
            }
            if row.cell > due {
                return Err(missing(due, row.cell, sweep.1));
            }
            due += 1;
        }
    }
    if due < sweep.1 {
        return Err(missing(due, sweep.1, sweep.1));
    }
    let mut wholes = wholes.into_iter();
    let (mut layout, mut rows) = (headed, Vec::new());
    for whole in &mut wholes {
        layout = layout.or(whole.layout);
        rows.extend(whole.rows);
    }
    let layout = layout.ok_or_else(|| Failure::new("", "no columns in any part", accepted))?;
    Ok((layout, rows))
}

fn missing(from: u64, to: u64, cells: u64) -> Failure {
    let which = if to - from == 1 {
        format!("without cell {from}")
    } else {
        format!("without the cells {from} to {}", to - 1)
    };
    Failure::new(
        "",
        format!("parts {which}, of {cells}"),
        "all parts, each of them finished: run the shards that are missing again",
    )
}

/// Writes a whole sweep, at once: the file is there when it is finished, or not at all.
pub fn write(path: &Path, form: Form, layout: &Layout, rows: &[Row]) -> Result<(), Failure> {
    // A device or a pipe is written to as it is.
    let is_plain = fs::metadata(path).map_or(true, |known| known.is_file());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    let target = if is_plain {
        path.with_file_name(name)
    } else {
        path.to_owned()
    };
    let refuse = |error: std::io::Error| Failure::file(path, "cannot be written", &error);
    let written = if form == Form::Parquet {
        parquet::write(&target, layout, rows)
    } else {
        write_lines(&target, form, layout, rows).map_err(refuse)
    };
    if is_plain {
        let done = written.and_then(|()| fs::rename(&target, path).map_err(refuse));
        if done.is_err() {
            let _ = fs::remove_file(&target);
        }
        return done;
    }
    written
}

fn write_lines(path: &Path, form: Form, layout: &Layout, rows: &[Row]) -> std::io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    if form == Form::Csv {
        file.write_all(layout.header().as_bytes())?;
    }
    for row in rows {
        file.write_all(layout.line(form, row).as_bytes())?;
    }
    file.flush()
}
