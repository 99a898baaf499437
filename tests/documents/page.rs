//! A page as a reader sees it: its blocks, its links, what it writes in backticks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// One file of the documents.
pub struct Page {
    /// Its path from the repository's root.
    pub name: String,
    text: String,
}

/// A fenced block.
pub struct Block {
    /// Empty where none is named.
    pub language: String,
    pub text: String,
    /// Of its first line, from 1.
    pub line: usize,
}

impl Page {
    /// README.md, SECURITY.md and all of docs.
    pub fn all() -> Result<Vec<Page>> {
        let mut names = vec!["README.md".to_owned(), "SECURITY.md".to_owned()];
        for entry in fs::read_dir(root().join("docs"))? {
            let name = entry?.file_name();
            names.push(format!("docs/{}", name.to_string_lossy()));
        }
        names.retain(|name| name.ends_with(".md"));
        names.iter().map(|name| Page::read(name)).collect()
    }

    pub fn read(name: &str) -> Result<Page> {
        let text = fs::read_to_string(root().join(name)).with_context(|| name.to_owned())?;
        Ok(Page {
            name: name.to_owned(),
            text,
        })
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    open = Some(Block {
                        language: language.to_string(),
                        text: String::new(),
                        line: self.line(range.start) + 1,
                    });
                }
                Event::Text(text) => {
                    if let Some(block) = &mut open {
                        block.text += &text;
                    }
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
                _ => {}
            }
        }
        blocks
    }

    /// What stands in backticks within the text, with its line.
    pub fn words_in_backticks(&self) -> Vec<(usize, String)> {
        let codes = self.events().filter_map(|(event, range)| match event {
            Event::Code(code) => Some((self.line(range.start), code.to_string())),
            _ => None,
        });
        codes.collect()
    }

    /// Where links and pictures lead, with the line.
    pub fn links(&self) -> Vec<(usize, String)> {
        let mut links = Vec::new();
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    links.push((self.line(range.start), dest_url.to_string()));
                }
                Event::InlineHtml(html) | Event::Html(html) => {
                    let sources = html.split("src=\"").skip(1);
                    let sources = sources.filter_map(|rest| rest.split('"').next());
                    links.extend(sources.map(|to| (self.line(range.start), to.to_owned())));
                }
                _ => {}
            }
        }
        links
    }

    /// The parts that a link can name: its headings, as GitHub spells them.
    pub fn parts(&self) -> BTreeSet<String> {
        let mut parts = BTreeSet::new();
        let mut heading: Option<String> = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        *heading += &text;
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    parts.extend(heading.take().map(|words| part(&words)));
                }
                _ => {}
            }
        }
        parts
    }

    /// Where a relative link of this page leads.
    pub fn leads_to(&self, relative: &str) -> PathBuf {
        let here = root().join(&self.name);
        here.parent().unwrap_or(root()).join(relative)
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, std::ops::Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }

    fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }
}

fn part(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars()
        .filter(|c| c.is_alphanumeric() || ['-', '_'].contains(c))
        .collect()
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
