//! Sweeps, their parts and edges from the command line: what is in the files, and what trouble leaves of them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};

/// A folder of its own for each test, empty.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sweep-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn command(parameters: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agent-chaos"));
    command
        .args(parameters)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn done(parameters: &[&str]) -> String {
    let output = command(parameters).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{parameters:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Ends with status 2, and says each of these words.
#[track_caller]
fn refused(parameters: &[&str], words: &[&str]) {
    check_refused(&command(parameters).output().unwrap(), words);
}

#[track_caller]
fn check_refused(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

const SHORT: [&str; 4] = [
    "--set",
    "run.duration_seconds=14",
    "--set",
    "run.warmup_seconds=2",
];

/// Twelve cells of a few milliseconds each.
fn sweep<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["sweep", "exp-002"];
    words.extend(SHORT);
    words.extend(["--vary", "agents.count=50..150:50"]);
    words.extend(["--vary", "workers.count=4,2", "--seeds", "3..4"]);
    words.extend(["--out", out]);
    words.extend(more);
    words
}

#[test]
fn a_row_says_which_cell_and_what_its_run_came_to() {
    let folder = Folder::new("rows");
    let out = folder.file("rows.ndjson");
    let said = done(&sweep(&out, &[]));
    assert!(said.contains("12 rows"), "{said}");
    let text = String::from_utf8(folder.read("rows.ndjson")).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let order: Vec<_> = rows
        .iter()
        .map(|row| [&row["agents.count"], &row["workers.count"], &row["seed"]])
        .collect();
    // The first field is the slowest, seeds are the fastest.
    let mut expected = Vec::new();
    for agents in [50, 100, 150] {
        for workers in [4, 2] {
            for seed in [3, 4] {
                expected.push([json!(agents), json!(workers), json!(seed)]);
            }
        }
    }
    let expected: Vec<_> = expected.iter().map(|[a, b, c]| [a, b, c]).collect();
    assert_eq!(order, expected);
    assert!(
        rows.iter()
            .enumerate()
            .all(|(i, row)| row["cell"] == i && row["cells"] == 12)
    );
    let mut words = vec!["run", "exp-002", "--json", "--seed", "4"];
    words.extend(SHORT);
    words.extend(["--set", "agents.count=150", "--set", "workers.count=2"]);
    let report: Value = serde_json::from_str(&done(&words)).unwrap();
    let row = rows[11].as_object().unwrap();
    let mut compared = 0;
    for (name, value) in row {
        if let Some(known) = report.pointer(&format!("/{}", name.replace('.', "/"))) {
            assert_eq!(value, known, "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 18, "{compared}");
    // No wall time, nothing else that differs from one machine to another.
    assert!(!text.contains("wall"));
}

#[test]
fn jobs_and_parts_change_no_byte() {
    let folder = Folder::new("parts");
    for ending in ["ndjson", "csv"] {
        let whole = folder.file(&format!("whole.{ending}"));
        done(&sweep(&whole, &["--jobs", "1"]));
        let whole = folder.read(&format!("whole.{ending}"));
        assert_eq!(
            whole.iter().filter(|&&byte| byte == b'\n').count(),
            if ending == "csv" { 13 } else { 12 }
        );
        let threads = format!("threads.{ending}");
        done(&sweep(&folder.file(&threads), &["--jobs", "5"]));
        assert_eq!(folder.read(&threads), whole);
        let mut all = Vec::new();
        let mut parts = Vec::new();
        for part in 1..=5 {
            let name = format!("{part}.{ending}");
            let path = folder.file(&name);
            done(&sweep(&path, &["--shard", &format!("{part}/5")]));
            all.extend(folder.read(&name));
            // In another order than that of the cells.
            parts.insert(0, path);
        }
        assert_eq!(all, whole);
        let merged = folder.file(&format!("merged.{ending}"));
        let mut words = vec!["merge", "--out", &merged];
        words.extend(parts.iter().map(String::as_str));
        done(&words);
        assert_eq!(folder.read(&format!("merged.{ending}")), whole);
    }
    // From one form into the other.
    let (from, to) = (folder.file("whole.csv"), folder.file("other.ndjson"));
    done(&["merge", &from, "--out", &to]);
    assert_eq!(folder.read("other.ndjson"), folder.read("whole.ndjson"));
}

#[test]
fn parquet_has_the_same_rows_with_types_and_units() {
    let folder = Folder::new("parquet");
    let (rows, direct, merged) = (
        folder.file("rows.ndjson"),
        folder.file("direct.parquet"),
        folder.file("merged.parquet"),
    );
    done(&sweep(&rows, &[]));
    done(&sweep(&direct, &[]));
    done(&["merge", &rows, "--out", &merged]);
    assert_eq!(folder.read("direct.parquet"), folder.read("merged.parquet"));
    // Nothing is left beside it.
    let mut names: Vec<_> = fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["direct.parquet", "merged.parquet", "rows.ndjson"]);

    let reader = SerializedFileReader::new(fs::File::open(&direct).unwrap()).unwrap();
    let text = String::from_utf8(folder.read("rows.ndjson")).unwrap();
    let mut lines = text.lines();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let expected: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        let found = row.get_column_iter().map(|(name, field)| {
            let value = match field {
                Field::Null => Value::Null,
                Field::Bool(answer) => json!(answer),
                Field::Long(number) => json!(number),
                Field::Double(number) => json!(number),
                Field::Str(text) => json!(text),
                other => panic!("{name}: {other:?}"),
            };
            (name.clone(), value)
        });
        assert_eq!(Value::Object(found.collect()), expected);
    }
    assert_eq!(lines.next(), None);
    let metadata = reader
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .unwrap();
    let about = metadata
        .iter()
        .find(|it| it.key == "agent_chaos.columns")
        .unwrap();
    let about: Value = serde_json::from_str(about.value.as_deref().unwrap()).unwrap();
    let unit = |name| {
        let columns = about.as_array().unwrap();
        let column = columns.iter().find(|column| column["name"] == name);
        column.unwrap()["unit"].as_str().unwrap().to_owned()
    };
    assert_eq!(unit("latency_seconds.p95"), "s");
    assert_eq!(unit("agents.count"), "{agent}");
}

#[test]
fn what_is_there_is_gone_on_with_and_what_breaks_off_is_run_again() {
    let folder = Folder::new("resume");
    for ending in ["ndjson", "csv"] {
        let name = format!("rows.{ending}");
        let path = folder.file(&name);
        done(&sweep(&path, &[]));
        let whole = folder.read(&name);
        let ends = whole.iter().enumerate().filter(|&(_, &byte)| byte == b'\n');
        let end = ends.map(|(at, _)| at + 1).nth(4).unwrap();
        for kept in [
            0,
            7,
            40,
            end,
            end + 1,
            end + 60,
            whole.len() - 1,
            whole.len(),
        ] {
            fs::write(&path, &whole[..kept]).unwrap();
            let said = done(&sweep(&path, &[]));
            assert_eq!(folder.read(&name), whole, "{ending}, {kept} bytes");
            assert!(said.contains("12 rows"), "{said}");
        }
        // Rows that are there are taken as they are, not run again: one that says otherwise stays.
        let text = String::from_utf8(whole).unwrap();
        let quote = if ending == "csv" { "," } else { "\"" };
        let [from, to] = ["DEGRADED", "COLLAPSED"].map(|it| format!("{quote}{it}{quote}"));
        let other = text.replacen(&from, &to, 1);
        assert_ne!(text, other);
        fs::write(&path, &other).unwrap();
        done(&sweep(&path, &[]));
        assert_eq!(folder.read(&name), other.as_bytes());
    }
}

#[test]
fn a_file_that_holds_anything_else_is_left_alone() {
    let folder = Folder::new("foreign");
    let path = folder.file("rows.ndjson");
    let mine = "{\"plan\": \"something of mine\"}\n";
    for (text, word) in [
        (mine, "no row of a sweep"),
        ("no end", "something else"),
        ("\u{0}\u{1}\u{2}\n", "no row of a sweep"),
    ] {
        fs::write(&path, text).unwrap();
        refused(&sweep(&path, &[]), &["rows.ndjson", "line 1", word]);
        assert_eq!(folder.read("rows.ndjson"), text.as_bytes());
    }
    fs::write(&path, b"\xff\xfe\n").unwrap();
    refused(&sweep(&path, &[]), &["rows.ndjson"]);

    // Another sweep, and another part of the same one.
    fs::remove_file(&path).unwrap();
    done(&sweep(&path, &["--shard", "2/3"]));
    let part = folder.read("rows.ndjson");
    refused(&sweep(&path, &[]), &["cell 4 where cell 0 is due"]);
    let more = ["--shard", "2/3", "--set", "queue.capacity=70"];
    refused(&sweep(&path, &more), &["another sweep"]);
    assert_eq!(folder.read("rows.ndjson"), part);
    let csv = folder.file("rows.csv");
    fs::write(&csv, "a,b,c\n1,2,3\n").unwrap();
    refused(&sweep(&csv, &[]), &["rows.csv", "another header"]);
    let parquet = folder.file("rows.parquet");
    fs::write(&parquet, "mine").unwrap();
    refused(&sweep(&parquet, &[]), &["rows.parquet", "there already"]);
    assert_eq!(folder.read("rows.parquet"), b"mine");
}

#[test]
fn parts_that_do_not_belong_together_are_not_merged() {
    let folder = Folder::new("merge");
    let part = |name: &str, more: &[&str]| {
        let path = folder.file(name);
        done(&sweep(&path, more));
        path
    };
    let one = part("1.ndjson", &["--shard", "1/3"]);
    let two = part("2.ndjson", &["--shard", "2/3"]);
    let three = part("3.ndjson", &["--shard", "3/3"]);
    let wide = part("wide.ndjson", &["--shard", "1/2"]);
    let other = part(
        "other.ndjson",
        &["--shard", "3/3", "--set", "queue.capacity=70"],
    );
    let out = folder.file("out.ndjson");
    let merge = |parts: &[&str], words: &[&str]| {
        let parameters = [&["merge"], parts, &["--out", &out]].concat();
        refused(&parameters, words);
        assert!(!Path::new(&out).exists());
    };
    merge(&[&one, &three], &["cells 4 to 7, of 12"]);
    merge(&[&one, &two], &["cells 8 to 11, of 12"]);
    merge(&[&one, &two, &other], &["other.ndjson", "sweep"]);
    merge(
        &[&wide, &two, &three],
        &["cell 4", "wide.ndjson", "2.ndjson"],
    );
    merge(
        &[&one, &two, &three, "absent.csv"],
        &["absent.csv", "cannot be read"],
    );
    merge(&[&one, &two, "3.parquet"], &["3.parquet"]);
    let text = folder.read("3.ndjson");
    fs::write(folder.0.join("cut.ndjson"), &text[..text.len() - 9]).unwrap();
    let cut = folder.file("cut.ndjson");
    merge(&[&one, &two, &cut], &["cut.ndjson", "line 4", "breaks off"]);
    fs::write(folder.0.join("odd.ndjson"), "[1]\n").unwrap();
    let odd = folder.file("odd.ndjson");
    merge(&[&one, &odd], &["odd.ndjson", "line 1", "no row"]);
    fs::write(folder.0.join("none.ndjson"), "").unwrap();
    let none = folder.file("none.ndjson");
    merge(&[&none], &["no row in any part"]);
    refused(
        &["merge", &one, &two, &three, "--out", &one],
        &["one of the parts"],
    );
    done(&["merge", &one, &none, &two, &three, "--out", &out]);
}

#[test]
fn what_cannot_be_swept_is_refused_before_anything_is_written() {
    let folder = Folder::new("refused");
    let out = folder.file("rows.ndjson");
    let check = |vary: &str, more: &[&str], words: &[&str]| {
        let mut parameters = vec!["sweep", "exp-002", "--vary", vary, "--out", &out];
        parameters.extend(more);
        refused(&parameters, words);
        assert!(!Path::new(&out).exists());
    };
    let seeds = ["--seeds", "1..2"];
    check(
        "agents.count=9..1",
        &seeds,
        &["/agents/count", "9..1", "1..9"],
    );
    check(
        "agents.count=1..9:0",
        &seeds,
        &["/agents/count", "step above 0"],
    );
    check("agents.count=", &seeds, &["/agents/count", "nothing"]);
    check("agents.count=1..1e8", &seeds, &["at most 1000000"]);
    check(
        "agents.count=1..600000",
        &seeds,
        &["1200000 runs", "at most 1000000"],
    );
    check(
        "agents.cuont=1..2",
        &seeds,
        &["/agents/cuont", "unknown", "count"],
    );
    check(
        "agents=1..2",
        &seeds,
        &["/agents", "a section", "agents.count"],
    );
    check(
        "queue.discipline=1..2",
        &seeds,
        &["/queue/discipline", "choice"],
    );
    check(
        "workers.count=0..2",
        &seeds,
        &["/workers/count", "cell 0", "workers.count = 0"],
    );
    check("agents.count", &seeds, &["path=values"]);
    check("agents.count=1..2", &["--seeds", "2..1"], &["--seeds 2..1"]);
    check(
        "agents.count=1..2",
        &["--seeds", "1..2", "--jobs", "0"],
        &["--jobs 0", "from 1"],
    );
    check(
        "agents.count=1..2",
        &["--seeds", "1..2", "--shard", "3/2"],
        &["--shard 3/2", "1 <= I <= N"],
    );
    check(
        "agents.count=1..2",
        &["--seeds", "1..2", "--until", "x"],
        &["--until x", "worst-collapsed"],
    );
    check(
        "agents.count=1..2",
        &["--seeds", "1..2", "--vary", "agents.count=3"],
        &["/agents/count", "twice"],
    );
    let big = [
        "--seeds",
        "1..2",
        "--set",
        "run.duration_seconds=1e5",
        "--set",
        "queue.capacity=null",
        "--set",
        "arrivals.rate_per_second=1e5",
    ];
    check("workers.count=1..2", &big, &["GB"]);
    let words = [
        "sweep",
        "exp-002",
        "--vary",
        "agents.count=1..2",
        "--seeds",
        "1..2",
        "--out",
    ];
    refused(
        &[&words[..], &["rows.txt"]].concat(),
        &["rows.txt", ".parquet"],
    );
    refused(
        &[&words[..], &["/nowhere/rows.csv"]].concat(),
        &["/nowhere/rows.csv", "cannot be written"],
    );
    let shard = folder.file("rows.parquet");
    refused(
        &[&words[..], &[&shard, "--shard", "1/2"]].concat(),
        &["merge"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let folder = Folder::new("full");
    for name in ["rows.ndjson", "rows.csv"] {
        let path = folder.file(name);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let words = [name, "cannot be written", "No space left"];
        refused(&sweep(&path, &[]), &words);
        let part = folder.file("part.ndjson");
        done(&sweep(&part, &[]));
        refused(&["merge", &part, "--out", &path], &words);
    }
    let path = folder.file("whole.parquet");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let part = folder.file("part.ndjson");
    refused(
        &["merge", &part, "--out", &path],
        &["whole.parquet", "No space left"],
    );
}

/// A sweep of many cells that has written some rows, and not all.
#[cfg(unix)]
fn under_way(folder: &Folder, name: &str) -> (Child, Vec<String>) {
    let path = folder.file(name);
    let words = ["sweep", "exp-002", "--set", "run.duration_seconds=600"];
    let words = words
        .into_iter()
        .chain(["--vary", "agents.count=300..500", "--seeds", "1..5"]);
    let words = words.chain(["--jobs", "2", "--out", &path]);
    let words: Vec<String> = words.map(str::to_owned).collect();
    let parameters: Vec<_> = words.iter().map(String::as_str).collect();
    let mut child = command(&parameters).spawn().unwrap();
    let started = Instant::now();
    let rows =
        || fs::read(&path).is_ok_and(|text| text.iter().filter(|&&it| it == b'\n').count() > 5);
    while !rows() {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "no rows in two minutes"
        );
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    (child, words)
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(status.success());
}

/// What is left is whole rows, and the beginning of the sweep.
#[cfg(unix)]
fn check_rows(text: &[u8]) -> usize {
    assert!(text.ends_with(b"\n"));
    let text = std::str::from_utf8(text).unwrap();
    for (cell, line) in text.lines().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["cell"], cell);
    }
    text.lines().count()
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_keeps_its_rows_and_goes_on() {
    let folder = Folder::new("interrupted");
    for name in ["-INT", "-TERM"] {
        let (child, words) = under_way(&folder, "rows.ndjson");
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        check_refused(
            &output,
            &["interrupted", "rows.ndjson", "of 1005 rows", "goes on"],
        );
        let before = folder.read("rows.ndjson");
        let count = check_rows(&before);
        assert!((6..1005).contains(&count), "{count}");
        // The next goes on from there, until it is interrupted too.
        let parameters: Vec<_> = words.iter().map(String::as_str).collect();
        let child = command(&parameters).spawn().unwrap();
        let started = Instant::now();
        while folder.read("rows.ndjson").len() <= before.len() {
            assert!(started.elapsed() < Duration::from_secs(120));
            std::thread::sleep(Duration::from_millis(5));
        }
        signal(&child, "-INT");
        child.wait_with_output().unwrap();
        let after = folder.read("rows.ndjson");
        assert!(after.starts_with(&before) && check_rows(&after) > count);
        fs::remove_file(folder.0.join("rows.ndjson")).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_killed_sweep_goes_on_and_two_never_write_one_file() {
    let folder = Folder::new("killed");
    let (mut child, words) = under_way(&folder, "rows.ndjson");
    let parameters: Vec<_> = words.iter().map(String::as_str).collect();
    refused(&parameters, &["rows.ndjson", "another process"]);
    child.kill().unwrap();
    child.wait().unwrap();
    let before = folder.read("rows.ndjson");
    // Half a row, as a crash of the machine can leave it.
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(folder.0.join("rows.ndjson"))
        .unwrap();
    let row = before.split(|&byte| byte == b'\n').next().unwrap();
    file.write_all(&row[..row.len() / 2]).unwrap();
    let child = command(&parameters).spawn().unwrap();
    let started = Instant::now();
    while folder.read("rows.ndjson").len() <= before.len() + row.len() {
        assert!(started.elapsed() < Duration::from_secs(120));
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "-INT");
    child.wait_with_output().unwrap();
    let after = folder.read("rows.ndjson");
    assert!(after.starts_with(&before));
    check_rows(&after);
}

#[test]
fn a_summary_has_means_shares_and_the_edge() {
    let folder = Folder::new("summary");
    let out = folder.file("rows.ndjson");
    let mut words = vec!["sweep", "exp-002", "--json", "--out", &out];
    words.extend(SHORT);
    words.extend(["--vary", "agents.count=20,400,900", "--seeds", "1..6"]);
    let summary: Value = serde_json::from_str(&done(&words)).unwrap();
    let text = String::from_utf8(folder.read("rows.ndjson")).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (index, point) in summary["points"].as_array().unwrap().iter().enumerate() {
        let own = &rows[index * 6..][..6];
        let values: Vec<f64> = own
            .iter()
            .map(|row| row["queue.mean"].as_f64().unwrap())
            .collect();
        let mean = values.iter().sum::<f64>() / 6.0;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        // Student's t at 97.5 % with five degrees of freedom.
        let half = 2.570_582 * (squares / 5.0 / 6.0).sqrt();
        let told = &point["figures"]["queue.mean"];
        assert!((told["mean"].as_f64().unwrap() - mean).abs() < 1e-9 * (1.0 + mean));
        assert!((told["ci95"].as_f64().unwrap() - half).abs() < 1e-6 * (1.0 + half));
        let collapsed = own
            .iter()
            .filter(|row| row["worst_state"] == "COLLAPSED")
            .count();
        assert_eq!(point["worst_states"]["COLLAPSED"]["count"], collapsed);
        assert_eq!(point["values"]["agents.count"], [20, 400, 900][index]);
    }
    // One value of three can be mixed, which is too few for a curve.
    let shares = [0, 1, 2].map(|point| {
        let own = &rows[6 * point..][..6];
        let collapsed = own.iter().filter(|row| row["worst_state"] == "COLLAPSED");
        collapsed.count()
    });
    assert_eq!([shares[0], shares[2]], [0, 6]);
    let edge = &summary["boundaries"][0]["edge"];
    assert_eq!(
        (&edge["kind"], &edge["above"]),
        (&json!("between"), &json!(true))
    );
    let to = if shares[1] == 6 { 400.0 } else { 900.0 };
    assert_eq!((&edge["from"], &edge["to"]), (&json!(20.0), &json!(to)));
}

#[test]
fn an_edge_is_found_and_told_both_ways() {
    let mut words = vec![
        "edge",
        "exp-002",
        "--vary",
        "agents.count=20..900",
        "--seeds",
        "1..6",
    ];
    let usual: Value =
        serde_json::from_str(&done(&[&words[..], &SHORT, &["--json"]].concat())).unwrap();
    assert_eq!(usual["question"], "state-collapsed");
    words.extend(["--until", "worst-collapsed"]);
    words.extend(SHORT);
    let said = done(&words);
    assert!(said.contains("A run collapses above"), "{said}");
    words.push("--json");
    let edge: Value = serde_json::from_str(&done(&words)).unwrap();
    let tried = edge["tried"].as_array().unwrap();
    assert_eq!(edge["runs"], 6 * tried.len());
    assert_eq!(tried[0]["share"]["count"], 0);
    assert_eq!(tried.last().unwrap()["share"]["count"], 6);
    let sentence = edge["sentence"].as_str().unwrap();
    assert!(sentence.contains("agents.count"), "{sentence}");

    refused(
        &[
            "edge",
            "exp-002",
            "--vary",
            "agents.count=1..9:2",
            "--seeds",
            "1..9",
        ],
        &["without a step"],
    );
    refused(
        &[
            "edge",
            "exp-002",
            "--vary",
            "agents.count=9..1",
            "--seeds",
            "1..9",
        ],
        &["/agents/count", "9..1"],
    );
    refused(
        &[
            "edge",
            "exp-002",
            "--vary",
            "agents.count=1..9",
            "--seeds",
            "1..4",
        ],
        &["/seed", "at least 5"],
    );
    refused(
        &[
            "edge",
            "exp-002",
            "--vary",
            "agents=1..9",
            "--seeds",
            "1..9",
        ],
        &["/agents", "agents.count"],
    );
    let words = [
        "edge",
        "exp-002",
        "--vary",
        "agents.count=1..9",
        "--seeds",
        "1..9",
        "--until",
    ];
    refused(
        &[&words[..], &["not-recovered"]].concat(),
        &["no answer", "timeline"],
    );
}

#[test]
fn both_branches_of_a_field_are_told() {
    let mut words = vec!["hysteresis", "mm1", "--hold", "20", "--seeds", "1..3"];
    words.extend(["--vary", "arrivals.rate_per_second=20,80", "--json"]);
    let told: Value = serde_json::from_str(&done(&words)).unwrap();
    let levels = told["levels"].as_array().unwrap();
    for (level, rate) in levels.iter().zip([20.0, 80.0]) {
        assert_eq!(level["value"], rate);
        for way in ["up", "down"] {
            // Ten seconds under three seeds: √(30 · 80) = 49 of 2400; ± 15 % is three times that.
            let goodput = level["goodput_per_second"][way]["mean"].as_f64().unwrap();
            assert!(
                (goodput / rate - 1.0).abs() < 0.15,
                "{way}: {goodput} of {rate}"
            );
        }
    }
    words.pop();
    words.extend(["--jobs", "2"]);
    assert!(done(&words).contains("There is no hysteresis"));
    let words = [
        "hysteresis",
        "exp-002",
        "--hold",
        "20",
        "--seeds",
        "1..2",
        "--vary",
    ];
    refused(
        &[&words[..], &["queue.discipline=1"]].concat(),
        &["/queue/discipline"],
    );
    refused(
        &[&words[..], &["telemetry.window_seconds=1..2"]].concat(),
        &["agents.count", "may not"],
    );
    let words = [
        "hysteresis",
        "exp-002",
        "--vary",
        "workers.count=1..3",
        "--seeds",
        "1..2",
        "--hold",
    ];
    refused(&[&words[..], &["x"]].concat(), &["--hold x"]);
    refused(&[&words[..], &["0"]].concat(), &["20 ticks"]);
}

#[test]
fn completions_are_there_for_every_shell() {
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef agent-chaos"),
        ("fish", "complete -c agent-chaos"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let script = done(&["completions", shell]);
        assert!(script.contains(word) && script.contains("sweep"), "{shell}");
    }
    refused(&["completions", "tcsh"], &["tcsh", "bash"]);
    for name in ["sweep", "merge", "edge", "hysteresis"] {
        assert!(done(&[name, "--help"]).contains("Examples:"), "{name}");
    }
}
