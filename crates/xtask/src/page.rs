//! The engine as WebAssembly, and the page around it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::steps::{cargo, command, exists, in_web, npm_bin, npm_ci, root, run, step, target};

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Installs the WebAssembly target if it is missing.
pub fn wasm_target() -> Result<()> {
    if !exists("rustup") {
        // Some systems bring the target with their own Rust; cargo will say so if not.
        return Ok(());
    }
    let installed = command("rustup", &["target", "list", "--installed"]).output()?;
    if String::from_utf8_lossy(&installed.stdout)
        .lines()
        .any(|line| line.trim() == WASM_TARGET)
    {
        return Ok(());
    }
    step("installing the WebAssembly target", || {
        run(command("rustup", &["target", "add", WASM_TARGET]))
    })
}

/// Installs the page's packages from the lock file if they are missing or another version.
pub fn npm_packages() -> Result<()> {
    if !exists("npm") {
        bail!("npm is missing: install Node.js 20 or newer (it brings npm)");
    }
    let lock = fs::read(root().join("web/package-lock.json")).context("web/package-lock.json")?;
    let stamp = root().join("web/node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    step("installing the page's packages from the lock file", || {
        run(npm_ci(&root().join("web")))?;
        Ok(fs::write(&stamp, &lock)?)
    })
}

/// Compiles the engine, with and without what studies an experiment, and what packs long links, and writes
/// their JavaScript sides: for the page into web/pkg.
pub fn engine() -> Result<()> {
    let folder = root().join("web/pkg");
    module("agent-chaos-wasm", &["lab"], &folder, "agent_chaos_lab")?;
    module(
        "agent-chaos-wasm",
        &["export"],
        &folder,
        "agent_chaos_export",
    )?;
    module("agent-chaos-wasm", &[], &folder, "agent_chaos_wasm")?;
    module(
        "agent-chaos-wasm-pack",
        &[],
        &folder,
        "agent_chaos_wasm_pack",
    )
}

/// Compiles a crate with these features to WebAssembly and writes its JavaScript side into this folder, under
/// this name.
pub fn module(name: &str, features: &[&str], folder: &Path, out: &str) -> Result<()> {
    wasm_target()?;
    step(&format!("compiling {out} to WebAssembly"), || {
        let mut build = cargo(&[
            "build",
            "--quiet",
            "--release",
            "--package",
            name,
            "--target",
            WASM_TARGET,
        ]);
        if !features.is_empty() {
            build.args(["--features", &features.join(",")]);
        }
        run(build)
    })?;
    let place = folder.strip_prefix(root()).unwrap_or(folder);
    step(
        &format!("writing its JavaScript side into {}", place.display()),
        || {
            let input = target()
                .join(WASM_TARGET)
                .join("release")
                .join(name.replace('-', "_"))
                .with_extension("wasm");
            let mut bindgen = Bindgen::new();
            bindgen
                .input_path(input)
                .out_name(out)
                .typescript(true)
                .web(true)?
                .omit_default_module_path(false)
                .reset_state_function(true)
                .remove_name_section(true)
                .remove_producers_section(true);
            bindgen.generate(folder)
        },
    )
}

/// Builds engine and page.
pub fn build() -> Result<()> {
    npm_packages()?;
    engine()?;
    types()?;
    step("building the page into web/dist", || {
        run(npm_bin("vite", &["build", "--logLevel", "warn"]))
    })
}

/// Checks the page's types.
pub fn types() -> Result<()> {
    step("checking the page's types", || {
        run(npm_bin("tsc", &["--project", "tsconfig.json"]))?;
        run(npm_bin("tsc", &["--project", "worker/tsconfig.json"]))
    })
}

/// Builds, then serves until it is stopped.
pub fn serve(port: u16) -> Result<()> {
    build()?;
    let port = free_port(port)?;
    eprintln!("\nAgent Chaos Playground is at http://127.0.0.1:{port}/  (Ctrl-C stops it)\n");
    run(npm_bin(
        "vite",
        &[
            "preview",
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--strictPort",
            "--logLevel",
            "warn",
        ],
    ))
}

/// The first free port from this one on.
fn free_port(from: u16) -> Result<u16> {
    (from..from.saturating_add(50))
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .with_context(|| format!("no free port from {from} on; name another with --port"))
}

/// The static site in dist/, for the address that it will have if that is known.
pub fn dist(base: Option<&str>) -> Result<()> {
    build()?;
    site(base, &root().join("dist"))
}

/// Builds the command line, and what makes the site.
pub fn programs() -> Result<()> {
    step("building the command line, and what makes the site", || {
        run(cargo(&[
            "build",
            "--quiet",
            "--release",
            "--package",
            "agent-chaos-cli",
            "--package",
            "agent-chaos-site",
        ]))
    })
}

/// A program that was built for release.
pub fn program(name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    target().join("release").join(file)
}

/// The static site around the built page, in this folder.
pub fn site(base: Option<&str>, to: &Path) -> Result<()> {
    programs()?;
    let place = to.strip_prefix(root()).unwrap_or(to).display().to_string();
    step(&format!("making the site in {place}"), || {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        copy(&root().join("web/dist"), to)?;
        let mut make = command(&program("agent-chaos-site").to_string_lossy(), &[]);
        make.arg("--site").arg(to);
        make.arg("--web").arg(root().join("web"));
        make.arg("--cli").arg(program("agent-chaos"));
        if let Some(base) = base {
            make.args(["--base", base]);
        }
        run(make)
    })?;
    step("compressing its files", || {
        let mut compress = in_web("node", &["build/compress.mjs"]);
        compress.arg(to);
        run(compress)
    })
}

/// The npm package in dist/npm, and beside it what `npm pack` makes of it.
pub fn package() -> Result<()> {
    npm_packages()?;
    engine()?;
    types()?;
    let folder = root().join("dist/npm");
    step("writing the npm package into dist/npm", || {
        let mut write = in_web("node", &["build/package.js"]);
        write.arg(&folder);
        run(write)?;
        let mut pack = command("npm", &["pack", "--loglevel=error", "--pack-destination"]);
        pack.arg(root().join("dist")).current_dir(&folder);
        run(pack)
    })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
