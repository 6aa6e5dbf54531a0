//! Finding a Chromium to test with, or installing one.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::steps::{command, exists, run, step};

const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];
const PLACES: [&str; 3] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/// The path of a Chromium: `$CHROME`, else one on the machine, else Debian's, installed now.
pub fn chromium() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROME") {
        return Ok(chosen.into());
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    if exists("apt-get") && is_root() {
        step(
            "installing Chromium for the browser tests (Debian package)",
            || {
                run(command("apt-get", &["update", "-qq"]))?;
                let mut install = command("apt-get", &["install", "-y", "-qq", "chromium"]);
                install.env("DEBIAN_FRONTEND", "noninteractive");
                run(install)
            },
        )?;
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    bail!(
        "no Chromium found: install Chromium or Chrome, or name one in the environment variable CHROME"
    )
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path =
        std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let known = PLACES.iter().map(|place| Path::new(place).to_path_buf());
    on_path.chain(known).find(|candidate| candidate.is_file())
}

fn is_root() -> bool {
    let id = command("id", &["-u"]).output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0"))
}
