//! What the documents say is there: blocks, links, paths, flags, values. Their commands are run on a real node, by
//! `tests/node/pages.rs`.

#[path = "documents/page.rs"]
pub mod page;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::lab::operator::operator_binary;
use page::{Block, Page, root};

/// All that a look has found, so that one run shows everything.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless(&mut self, is_right: bool, page: &Page, line: usize, what: &str) {
        if !is_right {
            self.0.push(format!("{}:{line}: {what}", page.name));
        }
    }

    fn none(self) -> Result<()> {
        ensure!(self.0.is_empty(), "\n{}", self.0.join("\n"));
        Ok(())
    }
}

#[test]
fn every_block_is_of_a_known_kind() -> Result<()> {
    let makefile = read("Makefile")?;
    let mut wrong = Wrong::default();
    for page in Page::all()? {
        for Block {
            language,
            text,
            line,
        } in page.blocks()
        {
            match language.as_str() {
                // Run by the story on a node.
                "sh" => {}
                // A part of an object. A whole one stands in a command that applies it, so that an API server sees it.
                "yaml" => {
                    let part = serde_saphyr::from_str::<Value>(&text);
                    let is_part = part.is_ok_and(|part| part["apiVersion"].is_null());
                    wrong.unless(is_part, &page, line, "no YAML, or a whole object");
                }
                // What a program prints.
                "" if text.starts_with("$ ") => {}
                "" => {
                    for command in text.lines().map(without_remark) {
                        let is_known = is_command(command, &makefile);
                        wrong.unless(is_known, &page, line, command);
                    }
                }
                other => wrong.unless(false, &page, line, &format!("a block of {other}")),
            }
        }
    }
    wrong.none()
}

fn without_remark(line: &str) -> &str {
    line.split(" #").next().unwrap_or(line).trim()
}

/// One of those that build and test this repository.
fn is_command(command: &str, makefile: &str) -> bool {
    let words: Vec<_> = command.split_whitespace().collect();
    match words[..] {
        ["make", target, ..] => is_target(target, makefile),
        ["cargo", "build", "--bins"] => true,
        ["cargo", "test", "--test", "users", name] => is_test(name),
        _ => false,
    }
}

fn is_target(target: &str, makefile: &str) -> bool {
    makefile.contains(&format!("\n{target}:"))
}

fn is_test(name: &str) -> bool {
    let (modules, function) = name.rsplit_once("::").unwrap_or_default();
    let file = root().join("tests").join(modules.replace("::", "/"));
    let source = fs::read_to_string(file.with_extension("rs"));
    source.is_ok_and(|source| source.contains(&format!("fn {function}()")))
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let mut wrong = Wrong::default();
    for page in Page::all()? {
        for (line, link) in page.links() {
            if link.contains("://") {
                continue;
            }
            let (file, part) = link.split_once('#').unwrap_or((&link, ""));
            let is_there = file.is_empty() || page.leads_to(file).exists();
            wrong.unless(is_there, &page, line, &link);
            if is_there && !part.is_empty() {
                let name = match file {
                    "" => page.name.clone(),
                    file => page.leads_to(file).display().to_string(),
                };
                let has_it = Page::read(&name)?.parts().contains(part);
                wrong.unless(has_it, &page, line, &link);
            }
        }
    }
    wrong.none()
}

#[test]
fn every_path_and_target_is_there() -> Result<()> {
    let makefile = read("Makefile")?;
    let mut wrong = Wrong::default();
    for page in Page::all()? {
        for (line, code) in page.words_in_backticks() {
            let parts = ["deploy/", "charts/", "src/", "tests/", "docs/"];
            if parts.iter().any(|folder| code.starts_with(folder)) {
                wrong.unless(root().join(&code).exists(), &page, line, &code);
            }
            if let Some(target) = code.strip_prefix("make ") {
                let target = target.split(' ').next().unwrap_or_default();
                wrong.unless(is_target(target, &makefile), &page, line, &code);
            }
        }
    }
    wrong.none()
}

#[test]
fn every_flag_is_one() -> Result<()> {
    let known = flags()?;
    let mut wrong = Wrong::default();
    for page in Page::all()? {
        for (line, code) in page.words_in_backticks() {
            // Those of other programs stand in lines of theirs.
            if !code.starts_with("--") && !code.starts_with("kubectl gmail ") {
                continue;
            }
            for word in code
                .split_whitespace()
                .filter(|word| word.starts_with("--"))
            {
                let flag = word.split('=').next().unwrap_or(word);
                let is_helms = flag == "--set";
                wrong.unless(is_helms || known.contains(flag), &page, line, &code);
            }
        }
    }
    wrong.none()
}

const PLUGIN: [&[&str]; 9] = [
    &["setup"],
    &["profile", "create"],
    &["profile", "show"],
    &["link"],
    &["status"],
    &["test"],
    &["sign-out"],
    &["report"],
    &["completion"],
];

/// Those of `gmail-operator run`, and of every command of the plugin.
fn flags() -> Result<BTreeSet<String>> {
    let operator = operator_binary()?;
    let plugin = operator.with_file_name("kubectl-gmail");
    let mut help = help(Command::new(&operator).arg("run"))?;
    for command in PLUGIN {
        help += &self::help(Command::new(&plugin).args(command))?;
    }
    let words = help.split(|c: char| c.is_whitespace() || [',', '[', ']', '=', '`'].contains(&c));
    let flags = words.filter(|word| word.starts_with("--"));
    Ok(flags.map(str::to_owned).collect())
}

fn help(command: &mut Command) -> Result<String> {
    let output = command.arg("--help").output()?;
    ensure!(output.status.success(), "{command:?} has no help");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn every_command_of_the_plugin_is_one() -> Result<()> {
    let mut wrong = Wrong::default();
    for page in Page::all()? {
        for (line, code) in page.words_in_backticks() {
            let Some(rest) = code.strip_prefix("kubectl gmail ") else {
                continue;
            };
            let words: Vec<_> = rest.split_whitespace().collect();
            let is_one = PLUGIN.iter().any(|command| words.starts_with(command));
            wrong.unless(is_one, &page, line, &code);
        }
    }
    wrong.none()
}

#[test]
fn every_value_of_the_chart_is_one() -> Result<()> {
    let values: Value = serde_saphyr::from_str(&read("charts/gmail-operator/values.yaml")?)?;
    let groups = values.as_object().context("no values")?;
    let mut wrong = Wrong::default();
    for page in Page::all()? {
        for (line, code) in page.words_in_backticks() {
            let name = code.split([':', '=', ' ']).next().unwrap_or_default();
            let Some((group, _)) = name.split_once('.') else {
                continue;
            };
            // What is said of the chart begins with the name of one of its groups.
            if groups.get(group).is_some_and(Value::is_object) {
                let pointer = format!("/{}", name.replace('.', "/"));
                wrong.unless(values.pointer(&pointer).is_some(), &page, line, &code);
            }
        }
    }
    wrong.none()
}

fn read(name: &str) -> Result<String> {
    fs::read_to_string(root().join(name)).with_context(|| name.to_owned())
}
