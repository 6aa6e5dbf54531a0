//! What keeps the page for offline use: the worker, with the list of all files that it keeps.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use agent_chaos_core::ENGINE_VERSION;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};

/// The page, whose head says which build it is.
const PAGE: &str = "index.html";
/// The worker's file: at the top, since it sees to what lies beside and below it.
const WORKER: &str = "sw.js";

/// The page for addresses that lead nowhere is not asked for without a network.
const APART: [&str; 1] = ["404.html"];

/// The first hex digits of the hash of something.
pub fn short_hash(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    hash[..4].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Gives the site's files a build, writes it into the page's head, and writes the worker that keeps them.
pub fn seal(site: &Path, worker: &Path) -> Result<String> {
    let mut kept = kept(site)?;
    let listed: String = kept.iter().fold(String::new(), |mut list, (path, hash)| {
        let _ = writeln!(list, "{hash} {path}");
        list
    });
    let template = fs::read_to_string(worker).with_context(|| format!("{}", worker.display()))?;
    let build = short_hash(format!("{ENGINE_VERSION}\n{listed}{template}").as_bytes());

    let path = site.join(PAGE);
    let page = fs::read_to_string(&path)?;
    let mark = format!("    <meta name=\"build\" content=\"{build}\" />\n  </head>");
    if !page.contains("  </head>") {
        bail!("{PAGE} has no end of its head");
    }
    let page = page.replacen("  </head>", &mark, 1);
    fs::write(&path, &page)?;
    kept.insert(PAGE.to_owned(), hash(page.as_bytes()));

    let release = json!({ "version": ENGINE_VERSION, "build": build, "files": kept });
    fs::write(
        site.join(WORKER),
        format!("const release = {release};\n\n{template}"),
    )?;
    Ok(build)
}

/// What the page may ever load, with the hash of each.
fn kept(site: &Path) -> Result<BTreeMap<String, String>> {
    let mut kept = BTreeMap::new();
    let mut add = |path: PathBuf| {
        let content = fs::read(&path)?;
        let name = path
            .strip_prefix(site)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        kept.insert(name, hash(&content));
        anyhow::Ok(())
    };
    for entry in fs::read_dir(site)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let kind = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_file()
            && ["html", "webmanifest"].contains(&kind.as_str())
            && !APART.contains(&name.as_str())
        {
            add(path)?;
        }
    }
    for entry in fs::read_dir(site.join("assets")).context("the built page has no assets")? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // The pages of presets are there while there is a network; offline their links lead to the page.
        if path.is_file() && !name.starts_with("pages-") {
            add(path)?;
        }
    }
    add(site.join("icons/icon.svg"))?;
    if !kept.contains_key(PAGE) {
        bail!("the site has no {PAGE}");
    }
    Ok(kept)
}

/// A hash as browsers check it.
fn hash(content: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{hash, seal, short_hash};

    #[test]
    fn a_build_is_named_by_what_it_holds() {
        let folder = std::env::temp_dir().join(format!("agent-chaos-site-{}", std::process::id()));
        let worker = folder.join("worker.js");
        let sealed = |script: &str| {
            let site = folder.join("site");
            let _ = fs::remove_dir_all(&site);
            for inside in ["assets", "icons"] {
                fs::create_dir_all(site.join(inside)).unwrap();
            }
            fs::write(&worker, "run(release);").unwrap();
            fs::write(site.join("index.html"), "<head>\n  </head>").unwrap();
            fs::write(site.join("404.html"), "none").unwrap();
            fs::write(site.join("assets/main-1.js"), script).unwrap();
            fs::write(site.join("assets/pages-1.css"), "").unwrap();
            fs::write(site.join("icons/icon.svg"), "<svg/>").unwrap();
            let build = seal(&site, &worker).unwrap();
            let page = fs::read_to_string(site.join("index.html")).unwrap();
            (build, page, fs::read_to_string(site.join("sw.js")).unwrap())
        };
        let (build, page, script) = sealed("1");
        assert_eq!(sealed("1").0, build);
        assert_ne!(sealed("2").0, build);
        assert!(page.contains(&format!("<meta name=\"build\" content=\"{build}\" />")));
        assert!(script.ends_with("run(release);"));
        let list = script.lines().next().unwrap();
        for kept in ["assets/main-1.js", "icons/icon.svg", &hash(page.as_bytes())] {
            assert!(list.contains(kept), "{kept} in {list}");
        }
        for left in ["404.html", "pages-1.css", "sw.js"] {
            assert!(!list.contains(left), "{left} in {list}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn hashes_are_those_that_browsers_check() {
        assert_eq!(
            hash(b""),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
        assert_eq!(short_hash(b""), "e3b0c442");
    }
}
