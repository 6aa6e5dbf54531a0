//! What programs read: robots, search engines, browsers that install the page, and language models.

use std::fmt::Write;

use agent_chaos_core::presets::PRESETS;
use agent_chaos_core::{ENGINE_REVISION, ENGINE_VERSION};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::base::Base;
use crate::colours::colour;
use crate::pages::{self, SITE};

/// One sentence on what this is; the page has the same.
pub const DESCRIPTION: &str = "See why a queue collapses: a seeded, exactly reproducible simulation of congestion and fault propagation, in your browser.";

/// `robots.txt`
pub fn robots(base: Option<&Base>) -> String {
    let map = base.map(|base| format!("Sitemap: {}\n", base.address("sitemap.xml")));
    format!("User-agent: *\nAllow: /\n{}", map.unwrap_or_default())
}

/// `sitemap.xml`
pub fn sitemap(base: &Base) -> String {
    let mut map = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let paths = ["".to_owned(), "presets/".to_owned()].into_iter();
    for path in paths.chain(PRESETS.iter().map(pages::preset_path)) {
        let _ = writeln!(
            map,
            "  <url><loc>{}</loc></url>",
            crate::words::escaped(&base.address(&path))
        );
    }
    map.push_str("</urlset>\n");
    map
}

/// `manifest.webmanifest`
pub fn manifest() -> String {
    let icon = |size: u32, purpose: &str| {
        let name = if purpose == "maskable" {
            "maskable"
        } else {
            "icon"
        };
        json!({ "src": format!("icons/{name}-{size}.png"), "sizes": format!("{size}x{size}"), "type": "image/png", "purpose": purpose })
    };
    let manifest = json!({
        "name": SITE,
        "short_name": "Agent Chaos",
        "description": DESCRIPTION,
        "lang": "en",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": colour("page"),
        "theme_color": colour("accent"),
        "categories": ["education", "developer"],
        "icons": [
            { "src": "icons/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any" },
            icon(192, "any"),
            icon(512, "any"),
            icon(192, "maskable"),
            icon(512, "maskable"),
        ],
    });
    format!("{manifest:#}\n")
}

/// A guide, as it is kept in a file.
pub struct Guide {
    /// The part of its file's name that is its address.
    pub name: String,
    /// What is in the file.
    pub content: Value,
}

/// What the command line says of itself: the arguments, and the answer.
pub struct Help {
    /// What was asked.
    pub asked: String,
    /// What it said.
    pub said: String,
}

/// `llms.txt`: all of it as one plain text.
///
/// # Errors
///
/// If a guide or the schema is not what it should be.
pub fn llms(
    base: Option<&Base>,
    schema: &Value,
    guides: &[Guide],
    help: &[Help],
) -> Result<String> {
    let at = |path: &str| base.map_or_else(|| format!("./{path}"), |base| base.address(path));
    let mut out = format!(
        "# {SITE}\n\n> {DESCRIPTION}\n\n\
         Agents send requests to a bounded queue, workers serve it, faults strike, and a detector says whether the system stays STABLE, is DEGRADED or has COLLAPSED, with the evidence. \
         Everything runs in the browser or on the command line from one Rust core; equal profiles give equal results, bit for bit. Engine {ENGINE_VERSION}, revision {ENGINE_REVISION}.\n\n\
         - [Playground]({}): edit, run, chart, share\n- [All experiments]({}): what a run of each came to\n- [JSON Schema of a profile]({}): every field with its bounds\n\n",
        at(""),
        at("presets/"),
        at("profile.schema.json"),
    );
    out.push_str("## Presets\n\nAn experiment is a JSON profile; a preset is one with a name.\n");
    for group in PRESETS.chunk_by(|one, next| one.group == next.group) {
        let _ = write!(out, "\n### {}\n\n", group[0].group);
        for preset in group {
            let _ = writeln!(
                out,
                "- [{}]({}), `{}`: {}",
                preset.title,
                at(&pages::preset_path(preset)),
                preset.name,
                preset.summary
            );
        }
    }
    out.push_str(
        "\n## Links\n\n\
         A link is the playground's address, `#`, and one token:\n\n\
         ```\nv1.<preset>~<path>=<value>~…~h=<12 hex digits>\n```\n\n\
         - `<preset>` is the name of a preset; each `<path>=<value>` changes one field of it: a dotted path, and a JSON value or plain text, percent-encoded but for letters, digits and `-._`; `null` switches a section off. `seed` is a field like any other.\n\
         - `h` comes last and may be left out: 4 digits of the profile's hash and 8 of the run's digest, by which opening the link tells whether the result reproduces.\n\
         - A token of more than 1,200 characters is `v1z.<packed profile>~h=…` instead.\n\n",
    );
    let _ = write!(
        out,
        "For example `{}#v1.exp-002~workers.count=6~seed=7`. `agent-chaos link` writes links, `agent-chaos open` reads them.\n\n",
        at("")
    );
    out.push_str("## Fields of a profile\n\nEvery field has a default; `{\"version\": 1}` alone is the preset `exp-001`. After each path: its type or choices, its bounds and unit, and its default.\n\n");
    fields(&mut out, "", schema)?;
    out.push_str("\n## Command line\n");
    for Help { asked, said } in help {
        let _ = write!(out, "\n### {asked}\n\n```\n{}\n```\n", said.trim_end());
    }
    out.push_str("\n## Guides\n");
    for guide in guides {
        told(&mut out, guide, &at("")).with_context(|| format!("the guide {}", guide.name))?;
    }
    Ok(out)
}

/// The fields below a place of the schema, a line each.
fn fields(out: &mut String, path: &str, node: &Value) -> Result<()> {
    let properties = node["properties"]
        .as_object()
        .context("a schema with properties")?;
    for (name, field) in properties {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let mut facts = vec![kind(field)];
        for (key, words) in [
            ("minimum", "from"),
            ("exclusiveMinimum", "above"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        ] {
            if let Some(value) = field.get(key) {
                facts.push(format!("{words} {value}"));
            }
        }
        if let Some(unit) = field["x-unit"].as_str() {
            facts.push(format!("in {unit}"));
        }
        let inside = field.get("properties").is_some();
        if !inside && let Some(default) = field.get("default") {
            facts.push(format!("default {default}"));
        }
        let description = field["description"].as_str().unwrap_or_default();
        let _ = writeln!(out, "- `{path}` ({}): {description}", facts.join(", "));
        if inside {
            fields(out, &path, field)?;
        } else if let Some(items) = field
            .get("items")
            .filter(|items| items.get("properties").is_some())
        {
            fields(out, &format!("{path}[]"), items)?;
        }
    }
    Ok(())
}

fn kind(field: &Value) -> String {
    if let Some(choices) = field["enum"].as_array() {
        return choices
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join(" or ");
    }
    match &field["type"] {
        Value::String(one) => one.clone(),
        Value::Array(several) => several
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "any".to_owned(),
    }
}

/// A guide as plain text.
fn told(out: &mut String, guide: &Guide, top: &str) -> Result<()> {
    let Guide { name, content } = guide;
    let text = |value: &Value| {
        value
            .as_str()
            .map(str::to_owned)
            .context("a text is missing")
    };
    let paragraphs = |value: &Value| match value {
        Value::Array(several) => several
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join("\n\n"),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let _ = write!(
        out,
        "\n### {}\n\n{} {top}#guide={name}\n",
        text(&content["title"])?,
        text(&content["summary"])?
    );
    for (index, step) in content["steps"]
        .as_array()
        .context("it has no steps")?
        .iter()
        .enumerate()
    {
        let _ = write!(
            out,
            "\n{}. {}. {}\n",
            index + 1,
            text(&step["title"])?,
            paragraphs(&step["text"])
        );
        let preset = step["preset"]
            .as_str()
            .or(content["preset"].as_str())
            .unwrap_or_default();
        let changes = step
            .get("set")
            .map(|set| format!(" with {set}"))
            .unwrap_or_default();
        let _ = writeln!(out, "   Experiment: `{preset}`{changes}");
        if let Some(question) = step.get("question") {
            let _ = writeln!(out, "   Question: {}", text(&question["text"])?);
            for option in question["options"]
                .as_array()
                .context("a question without options")?
            {
                let sign = if option["right"] == true {
                    "right"
                } else {
                    "wrong"
                };
                let _ = writeln!(
                    out,
                    "   - {} ({sign}) {}",
                    text(&option["text"])?,
                    paragraphs(&option["feedback"])
                );
            }
        }
        if let Some(explanation) = step.get("explanation") {
            let _ = writeln!(out, "   Why: {}", paragraphs(explanation));
        }
        if let Some(next) = step.get("try") {
            let _ = writeln!(
                out,
                "   Try: {} {}",
                paragraphs(&next["text"]),
                paragraphs(&next["expect"])
            );
        }
    }
    Ok(())
}
