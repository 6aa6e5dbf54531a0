//! Takes out of the JSON Schema what only people read, so that what becomes part of the library is what a
//! profile is checked against: a page would load the rest before it shows anything.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

/// What a check does not look at. That other fields are refused goes without saying.
const FOR_PEOPLE: &[&str] = &[
    "$schema",
    "additionalProperties",
    "description",
    "title",
    "x-enum-titles",
    "x-scale",
    "x-when",
];

fn main() {
    let folder = env::var_os("OUT_DIR").expect("cargo names the folder");
    let name = "profile.schema.json";
    println!("cargo::rerun-if-changed={name}");
    let text = fs::read_to_string(name).expect("the schema stands beside this file");
    let mut schema = serde_json::from_str(&text).expect("the schema is JSON");
    strip(&mut schema);
    fs::write(Path::new(&folder).join(name), schema.to_string()).expect("the folder is there");
}

fn strip(node: &mut Value) {
    let Value::Object(fields) = node else { return };
    fields.retain(|name, _| !FOR_PEOPLE.contains(&name.as_str()));
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(strip);
    }
    if let Some(items) = fields.get_mut("items") {
        strip(items);
    }
}
