//! Takes the white space out of the JSON that becomes part of the library: the files in the repository
//! are for people, and a page would load their indentation.

use std::path::Path;
use std::{env, fs};

fn main() {
    let folder = env::var_os("OUT_DIR").expect("cargo names the folder");
    let name = "profile.schema.json";
    println!("cargo::rerun-if-changed={name}");
    let text = fs::read_to_string(name).expect("the schema stands beside this file");
    fs::write(Path::new(&folder).join(name), compact(&text)).expect("the folder is there");
}

/// JSON without white space between its parts.
fn compact(text: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    let keep = |&character: &char| {
        if is_escaped {
            is_escaped = false;
        } else if character == '"' {
            is_text = !is_text;
        } else if character == '\\' {
            is_escaped = true;
        }
        is_text || !character.is_ascii_whitespace()
    };
    text.chars().filter(keep).collect()
}
