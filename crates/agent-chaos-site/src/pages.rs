//! The pages beside the playground: one for each preset, their list, and the one for wrong addresses.
//!
//! They need no script, so that a chat, a search engine or a reader without JavaScript has all of it.

use std::fmt::Write;

use agent_chaos_core::presets::{PRESETS, Preset};

use crate::base::Base;
use crate::run::{Finished, state_words};
use crate::words::{bound, escaped};

/// The name of the site.
pub const SITE: &str = "Agent Chaos Playground";

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'none'";

/// What stands in the head of a page for chats, social networks and search engines.
pub struct About<'a> {
    /// The title of the page.
    pub title: &'a str,
    /// A sentence about it.
    pub description: &'a str,
    /// Where it is, from the top of the site; none for a page that is at no place of its own.
    pub path: Option<&'a str>,
    /// The top of the site, from the page.
    pub top: &'a str,
    /// The picture, from the top of the site.
    pub image: &'a str,
    /// What is on the picture.
    pub image_words: &'a str,
}

impl About<'_> {
    /// The tags. Whole addresses are only there if it is known where the site will be.
    pub fn tags(&self, base: Option<&Base>) -> String {
        let mut tags = String::new();
        let mut tag = |kind: &str, name: &str, content: &str| {
            let _ = writeln!(
                tags,
                "    <meta {kind}=\"{name}\" content=\"{}\" />",
                escaped(content)
            );
        };
        let image = base.map_or_else(
            || format!("{}{}", self.top, self.image),
            |base| base.address(self.image),
        );
        tag("property", "og:type", "website");
        tag("property", "og:site_name", SITE);
        tag("property", "og:title", self.title);
        tag("property", "og:description", self.description);
        let whole = base.zip(self.path).map(|(base, path)| base.address(path));
        if let Some(address) = &whole {
            tag("property", "og:url", address);
        }
        tag("property", "og:image", &image);
        tag("property", "og:image:type", "image/png");
        tag("property", "og:image:width", "1200");
        tag("property", "og:image:height", "630");
        tag("property", "og:image:alt", self.image_words);
        tag("name", "twitter:card", "summary_large_image");
        tag("name", "twitter:title", self.title);
        tag("name", "twitter:description", self.description);
        tag("name", "twitter:image", &image);
        tag("name", "twitter:image:alt", self.image_words);
        if let Some(address) = &whole {
            let _ = writeln!(
                tags,
                "    <link rel=\"canonical\" href=\"{}\" />",
                escaped(address)
            );
        }
        tags
    }
}

fn page(about: &About, base: Option<&Base>, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n  <head>\n    <meta charset=\"utf-8\" />\n    \
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\" />\n    \
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n    \
         <title>{}</title>\n    <meta name=\"description\" content=\"{}\" />\n{}    \
         <link rel=\"icon\" href=\"{top}icons/icon.svg\" />\n    \
         <link rel=\"manifest\" href=\"{top}manifest.webmanifest\" />\n    \
         <link rel=\"stylesheet\" href=\"{top}{style}\" />\n  </head>\n  <body>\n{body}  </body>\n</html>\n",
        escaped(about.title),
        escaped(about.description),
        about.tags(base),
        top = about.top,
    )
}

/// The address of a preset's page, from the top of the site.
pub fn preset_path(preset: &Preset) -> String {
    format!("presets/{}/", preset.name)
}

/// What is on the preview image of a run, in words.
pub fn image_words(run: &Finished) -> String {
    // The whole verdict is on the page itself.
    let verdict: String = run.verdict().split_inclusive(". ").take(2).collect();
    format!(
        "{}. {} The chart has the requests waiting over time: {} at most.",
        state_words(&run.report),
        verdict.trim_end(),
        run.report.queue.max
    )
}

/// The page of a preset, with what its run came to.
pub fn preset(preset: &Preset, run: &Finished, base: Option<&Base>, style: &str) -> String {
    let path = preset_path(preset);
    let words = image_words(run);
    let image = format!("{path}preview.png");
    let about = About {
        title: &format!("{} · {SITE}", preset.title),
        description: preset.summary,
        path: Some(&path),
        top: "../../",
        image: &image,
        image_words: &words,
    };
    let report = &run.report;
    let mut facts: Vec<(&str, String)> = Vec::new();
    facts.push(("State", state_words(report)));
    facts.push(("Requests", thousands(report.requests.created)));
    if let Some(rate) = report.error_rate {
        facts.push(("Error rate", format!("{:.2} %", 100.0 * rate)));
    }
    if let Some(latency) = &report.latency_seconds {
        facts.push(("Latency, mean", format!("{:.3} s", latency.mean)));
        facts.push(("Latency, 95th percentile", format!("{:.3} s", latency.p95)));
    }
    facts.push(("Goodput", format!("{:.1}/s", report.goodput_per_second)));
    facts.push(("Seed", report.seed.to_string()));
    facts.push(("Digest of the run", report.digest.clone()));
    let facts = facts.iter().fold(String::new(), |mut list, (term, value)| {
        let _ = write!(
            list,
            "<div><dt>{term}</dt><dd>{}</dd></div>",
            escaped(&bound(value))
        );
        list
    });
    let others: String = PRESETS
        .iter()
        .filter(|other| other.group == preset.group && other.name != preset.name)
        .fold(String::new(), |mut list, other| {
            let _ = writeln!(
                list,
                "        <li><a href=\"../{}/\">{}</a>: {}</li>",
                other.name,
                escaped(other.title),
                escaped(other.summary)
            );
            list
        });
    let body = format!(
        "    <nav aria-label=\"Site\"><a href=\"../../\">{SITE}</a> <span aria-hidden=\"true\">·</span> <a href=\"../\">All experiments</a></nav>\n    \
         <main>\n      <h1>{title}</h1>\n      <p>{summary}</p>\n      <p>{verdict}</p>\n      \
         <p><a class=\"open\" href=\"../../#{token}\">Run it in the playground</a></p>\n      \
         <img src=\"preview.png\" width=\"1200\" height=\"630\" alt=\"{alt}\" />\n      \
         <h2>What this run came to</h2>\n      <dl>{facts}</dl>\n      \
         <p class=\"soft\">Computed by engine {version}, revision {revision}; the same profile gives the same result, bit for bit, in your browser and on the command line: <code>agent-chaos run {name}</code></p>\n      \
         <h2>{group}</h2>\n      <ul>\n{others}      </ul>\n    </main>\n",
        title = escaped(preset.title),
        summary = escaped(preset.summary),
        verdict = escaped(&bound(run.verdict())),
        token = escaped(&run.token),
        alt = escaped(&words),
        version = agent_chaos_core::ENGINE_VERSION,
        revision = agent_chaos_core::ENGINE_REVISION,
        name = preset.name,
        group = escaped(&format!("More of “{}”", preset.group)),
    );
    page(&about, base, style, &body)
}

/// The list of all presets.
pub fn list(base: Option<&Base>, style: &str, image: &str, image_words: &str) -> String {
    let about = About {
        title: &format!("All experiments · {SITE}"),
        description: "Every experiment of the playground, each with what a run of it came to.",
        path: Some("presets/"),
        top: "../",
        image,
        image_words,
    };
    let mut body = format!(
        "    <nav aria-label=\"Site\"><a href=\"../\">{SITE}</a></nav>\n    <main>\n      <h1>All experiments</h1>\n      <p>{}</p>\n",
        about.description
    );
    for group in PRESETS.chunk_by(|one, next| one.group == next.group) {
        let _ = writeln!(
            body,
            "      <h2>{}</h2>\n      <ul>",
            escaped(group[0].group)
        );
        for preset in group {
            let _ = writeln!(
                body,
                "        <li><a href=\"{}/\">{}</a>: {}</li>",
                preset.name,
                escaped(preset.title),
                escaped(preset.summary)
            );
        }
        body.push_str("      </ul>\n");
    }
    body.push_str("    </main>\n");
    page(&about, base, style, &body)
}

/// The page for addresses that lead nowhere. It is shown at any depth, so that its links are whole
/// paths if it is known where the site will be; else they are right for a wrong name at the site's top.
pub fn not_found(base: Option<&Base>, style: &str, image: &str, image_words: &str) -> String {
    let top = base.map_or("./", Base::path);
    let about = About {
        title: &format!("Not found · {SITE}"),
        description: "There is no such page.",
        path: None,
        top,
        image,
        image_words,
    };
    let body = format!(
        "    <main>\n      <h1>There is no such page</h1>\n      \
         <p>The address leads nowhere: it may have been cut, or it belongs to another version of the site. A link to an experiment has everything behind its <code>#</code>.</p>\n      \
         <p><a class=\"open\" href=\"{top}\">Open the playground</a></p>\n      \
         <p><a href=\"{top}presets/\">All experiments</a></p>\n    </main>\n"
    );
    page(&about, base, style, &body).replacen(
        "    <title>",
        "    <meta name=\"robots\" content=\"noindex\" />\n    <title>",
        1,
    )
}

/// A whole number with thin spaces between thousands.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use agent_chaos_core::presets;

    use super::{not_found, preset, thousands};
    use crate::base::Base;
    use crate::run::Finished;

    #[test]
    fn the_page_of_a_preset_says_what_came_of_it_and_leads_to_a_link_that_reproduces() {
        let shown = presets::find("metastable").unwrap();
        let run = Finished::new(shown).unwrap();
        let base = Base::new("https://example.org/chaos").unwrap();
        let page = preset(shown, &run, Some(&base), "assets/pages.css");
        let token = page
            .split("href=\"../../#")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let opened = agent_chaos_link::decode(token).unwrap();
        assert_eq!(
            opened.outcome(&run.report.digest),
            agent_chaos_link::Outcome::Reproduced
        );
        assert_eq!(opened.preset.unwrap().name, "metastable");
        assert!(page.contains("property=\"og:image\" content=\"https://example.org/chaos/presets/metastable/preview.png\""));
        assert!(
            page.contains(
                "rel=\"canonical\" href=\"https://example.org/chaos/presets/metastable/\""
            )
        );
        assert!(page.contains(">COLLAPSED<"));
        assert!(!preset(shown, &run, None, "assets/pages.css").contains("canonical"));
    }

    #[test]
    fn the_way_back_is_the_path_of_the_site() {
        let base = Base::new("https://example.org/a/b/").unwrap();
        assert!(not_found(Some(&base), "assets/x.css", "p.png", "").contains("href=\"/a/b/\""));
        assert!(not_found(None, "assets/x.css", "p.png", "").contains("href=\"./\""));
    }

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
