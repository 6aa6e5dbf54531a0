//! The documentation tools that experiments are put into: installed into target/hosts, each in its version.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::steps::{cargo, command, exists, npm_ci, root, run, step, target};

const MDBOOK: &str = "0.5.4";
/// Sphinx needs it.
const LEAST_PYTHON: (u32, u32) = (3, 11);

/// Installs what is not there yet, or another version; gives the folder.
pub fn install() -> Result<PathBuf> {
    let folder = target().join("hosts");
    fs::create_dir_all(&folder)?;
    mdbook(&folder)?;
    python_packages(&folder)?;
    docusaurus(&folder)?;
    Ok(folder)
}

/// The Python that has the packages.
pub fn python(folder: &Path) -> PathBuf {
    let place = if cfg!(windows) {
        "python/Scripts"
    } else {
        "python/bin"
    };
    folder
        .join(place)
        .join(format!("python{}", std::env::consts::EXE_SUFFIX))
}

/// Does something once for each content of a stamp.
fn once(stamp: &Path, content: &str, what: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if fs::read_to_string(stamp).is_ok_and(|found| found == content) {
        return Ok(());
    }
    step(what, || {
        work()?;
        Ok(fs::write(stamp, content)?)
    })
}

fn mdbook(folder: &Path) -> Result<()> {
    let what = format!("installing mdBook {MDBOOK}");
    once(&folder.join("mdbook.stamp"), MDBOOK, &what, || {
        let mut install = cargo(&["install", "mdbook", "--version", MDBOOK, "--locked"]);
        install.args([
            "--quiet",
            "--force",
            "--no-default-features",
            "--features",
            "search",
        ]);
        install.arg("--root").arg(folder);
        install.env("CARGO_TARGET_DIR", folder.join("build"));
        run(install)?;
        // What it was made of is larger than all else.
        Ok(fs::remove_dir_all(folder.join("build"))?)
    })
}

fn python_packages(folder: &Path) -> Result<()> {
    let tests = root().join("tests/hosts");
    let list = fs::read_to_string(tests.join("requirements.txt"))?;
    let what = "installing MkDocs and Sphinx";
    once(&folder.join("python.stamp"), &list, what, || {
        let place = folder.join("python");
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        environment(&place)?;
        pip(folder, |install| {
            install
                .arg("--requirement")
                .arg(tests.join("requirements.txt"));
        })
    })?;
    // The plugin itself is installed every time, as somebody would who has it in a folder.
    let copy = folder.join("plugin");
    fs::create_dir_all(&copy)?;
    for name in ["agent_chaos_embed.py", "pyproject.toml"] {
        fs::copy(root().join("web/hosts/python").join(name), copy.join(name))?;
    }
    pip(folder, |install| {
        install
            .args(["--no-build-isolation", "--no-deps", "--force-reinstall"])
            .arg(&copy);
    })
}

fn pip(folder: &Path, more: impl FnOnce(&mut std::process::Command)) -> Result<()> {
    let mut install = command(
        &python(folder).to_string_lossy(),
        &[
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ],
    );
    more(&mut install);
    run(install)
}

/// A Python environment of its own; Debian has what makes one in a package apart.
fn environment(place: &Path) -> Result<()> {
    let name = ["python3", "python"].into_iter().find(|name| exists(name));
    let name = name.context("Python is missing: install Python 3.11 or newer")?;
    let (major, minor) = LEAST_PYTHON;
    let asked = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    if !command(name, &["-c", &asked]).status()?.success() {
        bail!("{name} is too old: install Python {major}.{minor} or newer");
    }
    let make = || {
        let mut make = command(name, &["-m", "venv"]);
        make.arg(place);
        run(make)
    };
    if make().is_ok() {
        return Ok(());
    }
    if !exists("apt-get") {
        bail!("{name} cannot make an environment: install its module venv");
    }
    run(command("apt-get", &["update", "-qq"]))?;
    let mut install = command("apt-get", &["install", "-y", "-qq", "python3-venv"]);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run(install)?;
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    make()
}

fn docusaurus(folder: &Path) -> Result<()> {
    let (from, to) = (
        root().join("tests/hosts/docusaurus"),
        folder.join("docusaurus"),
    );
    let lock = fs::read_to_string(from.join("package-lock.json"))?;
    let what = "installing Docusaurus from its lock file";
    once(&folder.join("docusaurus.stamp"), &lock, what, || {
        fs::create_dir_all(&to)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(from.join(name), to.join(name))?;
        }
        run(npm_ci(&to))
    })
}
