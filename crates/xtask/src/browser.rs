//! Finding browsers to test with, or installing them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::steps::{command, exists, run, step};

/// A browser and where it is found.
struct Browser {
    name: &'static str,
    /// Names its program in the environment.
    variable: &'static str,
    programs: &'static [&'static str],
    places: &'static [&'static str],
    debian_package: &'static str,
}

const CHROMIUM: Browser = Browser {
    name: "Chromium",
    variable: "CHROME",
    programs: &[
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "chrome",
    ],
    places: &[
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    ],
    debian_package: "chromium",
};

const FIREFOX: Browser = Browser {
    name: "Firefox",
    variable: "FIREFOX",
    programs: &["firefox-esr", "firefox"],
    places: &[
        "/Applications/Firefox.app/Contents/MacOS/firefox",
        "C:\\Program Files\\Mozilla Firefox\\firefox.exe",
    ],
    debian_package: "firefox-esr",
};

/// The path of a Chromium: `$CHROME`, else one on the machine, else Debian's, installed now.
pub fn chromium() -> Result<PathBuf> {
    CHROMIUM.path()
}

/// The path of a Firefox: `$FIREFOX`, else one on the machine, else Debian's, installed now.
pub fn firefox() -> Result<PathBuf> {
    FIREFOX.path()
}

impl Browser {
    fn path(&self) -> Result<PathBuf> {
        if let Some(chosen) = std::env::var_os(self.variable) {
            return Ok(chosen.into());
        }
        if let Some(found) = self.find() {
            return Ok(found);
        }
        let Self {
            name,
            variable,
            debian_package,
            ..
        } = self;
        if exists("apt-get") && is_root() {
            step(
                &format!("installing {name} for the browser tests (Debian package)"),
                || {
                    run(command("apt-get", &["update", "-qq"]))?;
                    let mut install = command("apt-get", &["install", "-y", "-qq", debian_package]);
                    install.env("DEBIAN_FRONTEND", "noninteractive");
                    run(install)
                },
            )?;
            if let Some(found) = self.find() {
                return Ok(found);
            }
        }
        bail!("no {name} found: install it, or name one in the environment variable {variable}")
    }

    fn find(&self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path)
            .flat_map(|folder| self.programs.iter().map(move |name| folder.join(name)));
        let known = self
            .places
            .iter()
            .map(|place| Path::new(place).to_path_buf());
        on_path.chain(known).find(|candidate| candidate.is_file())
    }
}

fn is_root() -> bool {
    let id = command("id", &["-u"]).output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0"))
}
