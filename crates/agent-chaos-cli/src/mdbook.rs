//! `agent-chaos mdbook`: a preprocessor for mdBook, which puts an experiment where a chapter has a block of it.
//!
//! mdBook writes its context and the book as JSON to standard input, and reads the book back from standard output.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};
use serde_json::Value;

use crate::block::{Block, script};
use crate::failure::{Failure, Stop};

/// The name of the blocks, and of the section in `book.toml`.
const NAME: &str = "agent-chaos";

/// Whether a renderer gets the experiments: exit status 0 for those of HTML.
pub fn supports(renderer: &str) -> ExitCode {
    ExitCode::from(u8::from(renderer != "html"))
}

/// Reads a book, and writes it with its experiments.
///
/// # Errors
///
/// If what comes in is no book, the site is not told, or a block is refused: the chapter is named.
pub fn preprocess(out: &mut impl Write) -> Result<(), Stop> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| {
        Failure::said(
            "",
            format!("no text on standard input: {error}"),
            "what mdBook writes",
        )
    })?;
    let given: Result<(Value, Value), _> = serde_json::from_str(&text);
    let (context, mut book) = given.map_err(|error| {
        Failure::said("", format!("found no book on standard input ({error})"), "what mdBook writes: name `agent-chaos mdbook` as the command of a preprocessor in book.toml")
    })?;
    let site = context["config"]["preprocessor"][NAME]["site"]
        .as_str()
        .unwrap_or_default();
    let site = site_of(site)?;
    chapters(&mut book, &site)?;
    writeln!(out, "{book}")?;
    Ok(())
}

/// The address of the playground, with a slash at its end.
fn site_of(site: &str) -> Result<String, Failure> {
    let folder = site
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/');
    if folder.is_empty() || site.contains(char::is_whitespace) {
        return Err(Failure::said(
            "/preprocessor/agent-chaos/site",
            format!(
                "book.toml: preprocessor.agent-chaos.site: found \"{site}\", accepted: the address of the playground"
            ),
            "the address of the playground, such as \"https://example.org/playground/\"",
        ));
    }
    Ok(format!("{folder}/"))
}

/// Every chapter, wherever this version of mdBook keeps it.
fn chapters(value: &mut Value, site: &str) -> Result<(), Failure> {
    match value {
        Value::Array(several) => several.iter_mut().try_for_each(|one| chapters(one, site)),
        Value::Object(fields) => {
            if let Some(chapter) = fields.get_mut("Chapter") {
                let name = chapter["name"].as_str().unwrap_or_default().to_owned();
                if let Some(content) = chapter["content"].as_str() {
                    let content = with_experiments(content, site).map_err(|problem| {
                        Failure::said(
                            "",
                            format!("chapter \"{name}\": {problem}"),
                            "see embedding.md",
                        )
                    })?;
                    chapter["content"] = Value::String(content);
                }
            }
            fields.values_mut().try_for_each(|one| chapters(one, site))
        }
        _ => Ok(()),
    }
}

/// A chapter with its experiments in the place of their blocks.
fn with_experiments(text: &str, site: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let (mut done, mut needs_script) = (0, false);
    let mut inside: Option<(std::ops::Range<usize>, String)> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language)))
                if language.split([',', ' ']).next() == Some(NAME) =>
            {
                inside = Some((range, String::new()));
            }
            Event::Text(line) => {
                if let Some((_, block)) = &mut inside {
                    block.push_str(&line);
                }
            }
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => {
                let Some((range, block)) = inside.take() else {
                    continue;
                };
                let line = 1 + text[..range.start].matches('\n').count();
                let at = |problem| format!("the block of line {line}: {problem}");
                let block = Block::read(&block).map_err(at)?;
                let known = agent_chaos_link::decode(&block.token());
                known.map_err(|error| at(error.to_string()))?;
                out.push_str(&text[done..range.start]);
                out.push_str(&block.html(site));
                needs_script |= block.needs_script();
                // The end of a block takes the end of its last line with it, or not.
                done = range.end;
                if text[range].ends_with('\n') {
                    out.push('\n');
                }
            }
            _ => {}
        }
    }
    out.push_str(&text[done..]);
    if needs_script {
        out.push_str("\n\n");
        out.push_str(&script(site));
        out.push('\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{chapters, site_of, with_experiments};

    const SITE: &str = "https://example.org/p/";

    #[test]
    fn blocks_become_experiments_and_all_else_stays() {
        let text = "# One\n\n```rust\nlet x = 1;\n```\n\n```agent-chaos\nexp-002\nset: workers.count=6\n```\n\nAfter.\n";
        let html = with_experiments(text, SITE).unwrap();
        assert!(html.starts_with("# One\n\n```rust\nlet x = 1;\n```\n\n<div class=\"agent-chaos\"><agent-chaos preset=\"exp-002\" set=\"workers.count=6\">"), "{html}");
        assert!(html.contains("</div>\n\nAfter.\n"), "{html}");
        assert_eq!(html.matches("<script").count(), 1);
        for plain in [
            "no blocks\n",
            "````\n```agent-chaos\nexp-002\n```\n````\n",
            "    ```agent-chaos\n    exp-002\n    ```\n",
        ] {
            assert_eq!(with_experiments(plain, SITE).unwrap(), plain);
        }
    }

    #[test]
    fn a_block_in_a_list_stays_in_it() {
        let text = "- one\n\n  ```agent-chaos\n  mm1\n  as: frame\n  ```\n\n- two\n";
        let html = with_experiments(text, SITE).unwrap();
        assert!(
            html.starts_with("- one\n\n  <div class=\"agent-chaos\"><iframe "),
            "{html}"
        );
        assert!(html.ends_with("</div>\n\n- two\n"), "{html}");
    }

    #[test]
    fn what_no_embed_could_show_is_refused_with_its_chapter_and_line() {
        for (block, words) in [
            ("exp-999", "exp-999"),
            ("exp-002\nset: workers.cuont=6", "workers"),
            ("exp-002\nset: workers.count=-1", "workers"),
            ("exp-002\ncolour: red", "found \"colour\""),
        ] {
            let mut book = serde_json::json!({ "items": [{ "Chapter": { "name": "Deep", "content": format!("x\n\n```agent-chaos\n{block}\n```\n"), "sub_items": [] } }] });
            let said = format!("{:?}", chapters(&mut book, SITE).unwrap_err());
            assert!(
                said.contains("chapter \\\"Deep\\\"")
                    && said.contains("line 3")
                    && said.contains(words.replace('"', "\\\"").as_str()),
                "{said}"
            );
        }
    }

    #[test]
    fn sub_chapters_have_experiments_too() {
        for key in ["items", "sections"] {
            let inner = serde_json::json!({ "Chapter": { "name": "b", "content": "```agent-chaos\nmm1\n```", "sub_items": [] } });
            let mut book = serde_json::json!({ key: [{ "Chapter": { "name": "a", "content": "", "sub_items": [inner] } }, "Separator"] });
            chapters(&mut book, SITE).unwrap();
            assert!(
                book[key][0]["Chapter"]["sub_items"][0]["Chapter"]["content"]
                    .as_str()
                    .unwrap()
                    .contains("<agent-chaos preset=\"mm1\">")
            );
        }
    }

    #[test]
    fn the_site_has_to_be_told() {
        assert_eq!(site_of("https://example.org/p").unwrap(), SITE);
        assert_eq!(site_of("https://example.org/p/#x").unwrap(), SITE);
        assert!(site_of("").is_err());
    }
}
