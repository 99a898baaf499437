//! A reader follows the documents: every `sh` block of these pages, in this order, as it stands there.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::desk::{Desk, FORWARDED};
use super::release::Release;
use super::{LIMIT, terminal};
use crate::documents::page::Page;
use crate::lab::person::Person;
use crate::lab::until;

/// From nothing to nothing.
const PAGES: [&str; 5] = [
    "docs/install.md",
    "docs/connect.md",
    "docs/troubleshooting.md",
    "docs/monitoring.md",
    "docs/upgrade.md",
];
/// For one block, in seconds.
const PATIENCE: u64 = 150;
/// Who owns the mailbox of the documents.
const OWNER: &str = "support@example.com";

pub async fn are_followed(release: &Release) -> Result<()> {
    let desk = Desk::set(release).await?;
    let mut number = 0;
    for name in PAGES {
        let page = Page::read(name)?;
        desk.at(name)?;
        for block in page.blocks().into_iter().filter(|b| b.language == "sh") {
            number += 1;
            let log = desk.folder.join(format!("{number}.log"));
            let work = follow(release, &desk, &block.text, &log);
            let what = format!("{name}:{} {}", block.line, first_command(&block.text));
            terminal::step(&what, work).await?;
        }
    }
    Ok(())
}

/// Without the remark after it.
fn first_command(block: &str) -> &str {
    let first = block.lines().next().unwrap_or_default();
    first.split(" #").next().unwrap_or_default().trim_end()
}

/// Every page with commands for a shell is in the story.
pub fn are_all_there() -> Result<()> {
    for page in Page::all()? {
        let has_commands = page.blocks().iter().any(|block| block.language == "sh");
        let name = page.name.as_str();
        ensure!(
            has_commands == PAGES.contains(&name),
            "{name} is missing, or has no commands"
        );
    }
    Ok(())
}

/// A block to its end, by somebody who opens the link that it prints, in a cluster whose DNS knows its Services.
async fn follow(release: &Release, desk: &Desk, block: &str, log: &Path) -> Result<()> {
    let output = fs::File::create(log)?;
    let mut shell = desk.shell(release, block, PATIENCE);
    shell.stdin(Stdio::null()).stdout(output.try_clone()?);
    let mut shell = shell.stderr(output).spawn()?;
    let beside = async {
        tokio::try_join!(
            an_owner_signs_in(release, log),
            services_have_names(release)
        )
    };
    let status = tokio::select! {
        ended = shell.wait() => ended?,
        failed = beside => { failed.context(said(log))?; shell.wait().await? }
    };
    ensure!(status.success(), "{status}\n{}", said(log));
    Ok(())
}

/// As soon as a link stands in the output.
async fn an_owner_signs_in(release: &Release, log: &Path) -> Result<()> {
    let mut link = None;
    until("a link or the end", LIMIT, async || {
        let said = said(log);
        let is_whole = |line: &&str| line.starts_with(FORWARDED) && line.ends_with('\n');
        link = said
            .split_inclusive('\n')
            .find(is_whole)
            .map(|line| line.trim().to_owned());
        Ok(link.is_some())
    })
    .await?;
    let link = link.context("no link")?;
    let page = Person::new(&release.lab, OWNER)?.sign_in(&link).await?;
    ensure!(page.status == 200, "{} {}", page.status, page.words()?);
    Ok(())
}

/// What a cluster's DNS does; the lab's node has none that would.
async fn services_have_names(release: &Release) -> Result<()> {
    until("the end", LIMIT, async || {
        // There may be no Pod yet that a headless Service would lead to.
        drop(release.announce_services().await);
        Ok(false)
    })
    .await
}

fn said(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}
