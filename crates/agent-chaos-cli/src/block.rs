//! A block of a text that stands for an experiment, and the HTML that takes its place.
//!
//! ```text
//! exp-002                        a preset, or the token of a link
//! set: workers.count=6           and what an embed may be told, a line each
//! charts: queue
//! ```
//!
//! The plugins for other documentation tools (`web/hosts`) read the same blocks; `tests/hosts/blocks.json` holds
//! what all of them must make of them.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What an embed is told, by attributes or in its address.
const NAMES: [&str; 15] = [
    "preset",
    "set",
    "seed",
    "link",
    "view",
    "charts",
    "lock",
    "free",
    "ask",
    "seeds",
    "vs",
    "theme",
    "heading",
    "verdict",
    "playground",
];

/// What is said to this side alone.
const OWN: [&str; 2] = ["as", "height"];

const SANDBOX: &str = "allow-scripts allow-popups allow-popups-to-escape-sandbox";

/// Letters, digits and what no address treats as special.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// An experiment in somebody's text.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    given: Vec<(String, String)>,
    frame: bool,
    height: Option<u32>,
}

impl Block {
    /// Reads a block.
    ///
    /// # Errors
    ///
    /// The line, what was found there, and what is accepted.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut block = Self {
            given: Vec::new(),
            frame: false,
            height: None,
        };
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            block
                .line(line)
                .map_err(|problem| format!("line {}: {problem}", index + 1))?;
        }
        if block.given.is_empty() {
            return Err(
                "found nothing, accepted: a preset, or lines of the form name: value".into(),
            );
        }
        Ok(block)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let named = line.split_once(':').filter(|(name, _)| {
            !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_lowercase())
        });
        let (name, value) = match named {
            Some((name, value)) => (name, value.trim()),
            None if line.contains(char::is_whitespace) => {
                return Err(format!("found \"{line}\", accepted: name: value"));
            }
            None if line.starts_with("v1") => ("link", line),
            None => ("preset", line),
        };
        match name {
            "as" => match value {
                "frame" => self.frame = true,
                "element" => self.frame = false,
                _ => return Err(format!("as: found \"{value}\", accepted: element, frame")),
            },
            "height" => {
                let height = value
                    .parse()
                    .ok()
                    .filter(|pixels| (100..=5000).contains(pixels));
                let refusal = || format!("height: found \"{value}\", accepted: 100 to 5000 pixels");
                self.height = Some(height.ok_or_else(refusal)?);
            }
            name if !NAMES.contains(&name) => {
                let accepted = [&NAMES[..], &OWN[..]].concat().join(", ");
                return Err(format!("found \"{name}\", accepted: {accepted}"));
            }
            name if name != "vs" && self.value(name).is_some() => {
                return Err(format!("{name}: found it twice, accepted: it once"));
            }
            name => self.given.push((name.to_owned(), value.to_owned())),
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&str> {
        let found = self.given.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The token of a link to the experiment.
    pub fn token(&self) -> String {
        if let Some(link) = self.value("link") {
            return link.to_owned();
        }
        let mut token = format!("v1.{}", self.value("preset").unwrap_or("exp-002"));
        let set = self.value("set").unwrap_or_default();
        for change in set
            .split('~')
            .map(str::trim)
            .filter(|change| !change.is_empty())
        {
            let (path, value) = change.split_once('=').unwrap_or((change, ""));
            let _ = write!(token, "~{path}={}", encoded(value));
        }
        if let Some(seed) = self.value("seed") {
            let _ = write!(token, "~seed={}", encoded(seed));
        }
        token
    }

    /// The HTML in its place, on one line; `site` is the address of the playground.
    pub fn html(&self, site: &str) -> String {
        let inside = if self.frame {
            self.frame_html(site)
        } else {
            self.element_html(site)
        };
        format!("<div class=\"agent-chaos\">{inside}</div>")
    }

    fn element_html(&self, site: &str) -> String {
        let mut html = String::from("<agent-chaos");
        for name in NAMES {
            let values: Vec<&str> = self
                .given
                .iter()
                .filter(|(given, _)| given == name)
                .map(|(_, value)| value.as_str())
                .collect();
            if !values.is_empty() {
                let _ = write!(html, " {name}=\"{}\"", escaped(&values.join("|")));
            }
        }
        let address = escaped(&format!("{site}#{}", self.token()));
        let _ = write!(
            html,
            "><a href=\"{address}\">Run this experiment in the playground</a></agent-chaos>"
        );
        html
    }

    fn frame_html(&self, site: &str) -> String {
        let mut query = String::new();
        for name in NAMES.into_iter().filter(|name| *name != "link") {
            for (_, value) in self.given.iter().filter(|(given, _)| given == name) {
                let sign = if query.is_empty() { '?' } else { '&' };
                let _ = write!(query, "{sign}{name}={}", encoded(value));
            }
        }
        let link = self.value("link").map(|link| format!("#{link}"));
        let address = format!("{site}embed.html{query}{}", link.unwrap_or_default());
        let title = self.value("heading").or(self.value("preset"));
        let title = title.map_or_else(
            || "An experiment".to_owned(),
            |title| format!("Experiment: {title}"),
        );
        let size = self.height.map_or_else(
            || "aspect-ratio:16/10;min-height:24rem".to_owned(),
            |height| format!("height:{height}px"),
        );
        format!(
            "<iframe src=\"{}\" title=\"{}\" sandbox=\"{SANDBOX}\" loading=\"lazy\" style=\"width:100%;{size};border:0\"></iframe>",
            escaped(&address),
            escaped(&title)
        )
    }

    /// Whether it needs the element's script.
    pub fn needs_script(&self) -> bool {
        !self.frame
    }
}

/// The script that a page with elements needs.
pub fn script(site: &str) -> String {
    format!(
        "<script type=\"module\" src=\"{}agent-chaos.js\"></script>",
        escaped(site)
    )
}

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, PLAIN).to_string()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Block, script};

    #[test]
    fn blocks_become_what_all_plugins_make_of_them() {
        let cases: Value =
            serde_json::from_str(include_str!("../../../tests/hosts/blocks.json")).unwrap();
        let site = cases["site"].as_str().unwrap();
        assert_eq!(script(site), cases["script"].as_str().unwrap());
        for case in cases["blocks"].as_array().unwrap() {
            let text = case["block"].as_str().unwrap();
            let read = Block::read(text);
            if let Some(error) = case["error"].as_str() {
                assert_eq!(read.unwrap_err(), error, "{text}");
            } else {
                let block = read.unwrap();
                assert_eq!(block.html(site), case["html"].as_str().unwrap(), "{text}");
                assert_eq!(block.needs_script(), !text.contains("as: frame"));
            }
        }
    }
}
