//! Runs the command line, as a shell would.
#![allow(dead_code)]

use std::process::Command;

use serde_json::Value;

/// What it said, and how it ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs it to its end.
pub fn run(parameters: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_agent-chaos"))
        .args(parameters)
        .output()
        .expect("the command line starts");
    let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
    Said {
        code: output.status.code().expect("it ends by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The one JSON value it prints, where all goes well.
#[track_caller]
pub fn run_json(parameters: &[&str]) -> Value {
    let said = run(parameters);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).expect("one JSON value")
}
