//! Makes the static site around the built page.
//!
//! ```text
//! web/dist (the page) ─┬─► the page, with what chats and search engines read
//! every preset ─► run ─┼─► presets/NAME/: a page and a preview image
//! schema, guides, help ┼─► llms.txt, profile.schema.json
//!                      └─► manifest, icons, robots, sitemap, 404, and the worker that keeps all for offline use
//! ```
//!
//! The same sources give the same files, byte for byte. It must not know how the page works.

mod base;
mod colours;
mod offline;
mod pages;
mod picture;
mod run;
mod texts;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent_chaos_core::presets::PRESETS;
use anyhow::{Context, Result, bail};
use clap::Parser;

use base::Base;
use pages::About;
use picture::{Painter, Words};
use run::Finished;
use texts::{Guide, Help};

/// Makes the static site around the built page.
#[derive(Parser)]
struct Arguments {
    /// The site, with the built page in it already
    #[arg(long)]
    site: PathBuf,
    /// The folder web/ of the sources
    #[arg(long)]
    web: PathBuf,
    /// The command line, to be asked for its help
    #[arg(long)]
    cli: PathBuf,
    /// The address where the site will be
    #[arg(long)]
    base: Option<String>,
}

/// The run on the preview image of the playground itself.
const SHOWN: &str = "retry-storm";

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let base = arguments.base.as_deref().map(Base::new).transpose()?;
    let site = Site {
        folder: arguments.site,
        base,
    };
    site.make(&arguments.web, &arguments.cli)
}

struct Site {
    folder: PathBuf,
    base: Option<Base>,
}

impl Site {
    fn make(&self, web: &Path, cli: &Path) -> Result<()> {
        let base = self.base.as_ref();
        let painter = Painter::new();
        let css = format!("{}\n{}", colours::TOKENS, include_str!("pages.css"));
        let style = format!("assets/pages-{}.css", offline::short_hash(css.as_bytes()));
        self.write(&style, css.as_bytes())?;

        let shown = Finished::of(SHOWN)?;
        let image = "preview.png";
        let words = Words {
            title: "See why a queue collapses",
            text: "Agents send requests to a bounded queue, workers serve it, faults strike. Run an experiment in your browser and see whether the system stays stable, degrades or collapses, and why.",
            chart: "Retry storm: requests waiting",
        };
        self.write(image, &painter.preview(&shown, &words)?)?;
        let image_words = format!(
            "The experiment “Retry storm”. {}",
            pages::image_words(&shown)
        );

        for preset in PRESETS {
            let run = Finished::new(preset)?;
            let path = pages::preset_path(preset);
            let words = Words {
                title: preset.title,
                text: run.verdict(),
                chart: "Requests waiting",
            };
            self.write(
                &format!("{path}preview.png"),
                &painter.preview(&run, &words)?,
            )?;
            let page = pages::preset(preset, &run, base, &style);
            self.write(&format!("{path}index.html"), page.as_bytes())?;
        }
        self.write(
            "presets/index.html",
            pages::list(base, &style, image, &image_words).as_bytes(),
        )?;
        self.write(
            "404.html",
            pages::not_found(base, &style, image, &image_words).as_bytes(),
        )?;

        self.write("icons/icon.svg", picture::icon(false).as_bytes())?;
        for (name, maskable, size) in [
            ("icon-192", false, 192),
            ("icon-512", false, 512),
            ("maskable-192", true, 192),
            ("maskable-512", true, 512),
            ("touch-180", true, 180),
        ] {
            let png = painter.png(&picture::icon(maskable), (size, size))?;
            self.write(&format!("icons/{name}.png"), &png)?;
        }
        self.write("manifest.webmanifest", texts::manifest().as_bytes())?;
        self.write("robots.txt", texts::robots(base).as_bytes())?;
        if let Some(base) = base {
            self.write("sitemap.xml", texts::sitemap(base).as_bytes())?;
        }
        let schema = agent_chaos_core::wire::SCHEMA;
        self.write("profile.schema.json", schema.as_bytes())?;
        let llms = texts::llms(
            base,
            &serde_json::from_str(schema)?,
            &guides(web)?,
            &help(cli)?,
        )?;
        self.write("llms.txt", llms.as_bytes())?;
        self.finish_page(web, image, &image_words)
    }

    /// The page itself: its head is completed, and what keeps it for offline use is written.
    fn finish_page(&self, web: &Path, image: &str, image_words: &str) -> Result<()> {
        let path = self.folder.join("index.html");
        let page = fs::read_to_string(&path).context("the built page has no index.html")?;
        let about = About {
            title: pages::SITE,
            description: texts::DESCRIPTION,
            path: Some(""),
            top: "./",
            image,
            image_words,
        };
        for needed in [about.title, about.description] {
            if !page.contains(needed) {
                bail!("index.html does not say {needed:?} any more");
            }
        }
        let tags = format!(
            "{}    <link rel=\"apple-touch-icon\" href=\"./icons/touch-180.png\" />\n    <link rel=\"manifest\" href=\"./manifest.webmanifest\" />\n",
            about.tags(self.base.as_ref())
        );
        let page = page.replacen("  </head>", &format!("{tags}  </head>"), 1);
        fs::write(&path, &page)?;
        let build = offline::seal(&self.folder, &web.join("worker/offline.js"))?;
        eprintln!("  build {build}, {} experiments", PRESETS.len());
        Ok(())
    }

    fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let path = self.folder.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The guides, in the order of the numbers in their names.
fn guides(web: &Path) -> Result<Vec<Guide>> {
    let mut files: Vec<PathBuf> = fs::read_dir(web.join("guides"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    let guide = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let (_, name) = stem
            .split_once('-')
            .context("a guide's name has a number first")?;
        let content = serde_json::from_str(&fs::read_to_string(path)?)?;
        anyhow::Ok(Guide {
            name: name.to_owned(),
            content,
        })
    };
    files
        .iter()
        .map(|path| guide(path).with_context(|| format!("{}", path.display())))
        .collect()
}

/// What the command line says of itself, and of each of its commands.
fn help(cli: &Path) -> Result<Vec<Help>> {
    let ask = |arguments: &[&str]| {
        let answer = Command::new(cli)
            .args(arguments)
            .output()
            .with_context(|| format!("cannot start {}", cli.display()))?;
        if !answer.status.success() {
            bail!("the command line does not answer {arguments:?}");
        }
        let said = String::from_utf8(answer.stdout)?;
        Ok(Help {
            asked: format!("agent-chaos {}", arguments.join(" ")),
            said,
        })
    };
    let whole = ask(&["--help"])?;
    let listed = whole
        .said
        .split("Commands:\n")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .unwrap_or_default();
    let commands: Vec<String> = listed
        .lines()
        // A description that goes on stands further to the right.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    if commands.is_empty() {
        bail!("the command line lists no commands");
    }
    let mut all = vec![whole];
    for command in &commands {
        all.push(ask(&[command, "--help"])?);
    }
    Ok(all)
}
