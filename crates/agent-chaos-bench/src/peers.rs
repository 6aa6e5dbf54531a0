//! Other engines, as `cargo xtask bench --peers` has measured them.

use std::path::Path;

use serde_json::Value;

use crate::child::number;

/// Another engine at one of the workloads.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// The engine.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it did.
    pub workload: String,
    /// Its time per request, in nanoseconds.
    pub nanos_per_request: f64,
    /// The bare loop's at that time, in nanoseconds.
    pub yardstick_nanos_per_request: f64,
}

/// What is in the file: a list of results, or the reason why there is none.
///
/// # Errors
///
/// The reason, or what is wrong with the file.
pub fn read(file: &Path) -> Result<Vec<Peer>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if let Some(reason) = value["reason"].as_str() {
        return Err(reason.to_owned());
    }
    let peers = value["peers"].as_array().ok_or("no list of peers")?;
    let peer = |peer: &Value| {
        let text = |name: &str| peer[name].as_str().unwrap_or_default().to_owned();
        Ok(Peer {
            name: text("name"),
            version: text("version"),
            workload: text("workload"),
            nanos_per_request: number(peer, "nanos_per_request").map_err(|e| e.to_string())?,
            yardstick_nanos_per_request: number(peer, "yardstick_nanos_per_request")
                .map_err(|e| e.to_string())?,
        })
    };
    peers.iter().map(peer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Vec<Peer>, String> {
        let name = format!(
            "agent-chaos-peers-{}-{}.json",
            std::process::id(),
            text.len()
        );
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, text).expect("a folder to write to");
        let peers = read(&file);
        std::fs::remove_file(&file).expect("the file just written");
        peers
    }

    #[test]
    fn results_and_reasons_are_read() {
        let one = r#"{"peers": [{"name": "a", "version": "1", "workload": "mm1",
            "nanos_per_request": 90.0, "yardstick_nanos_per_request": 30.0}]}"#;
        let peers = check(one).expect("a list of one");
        assert_eq!(peers[0].workload, "mm1");
        assert_eq!(
            check(r#"{"reason": "no network"}"#),
            Err("no network".to_owned())
        );
        assert!(check("[]").is_err());
    }
}
