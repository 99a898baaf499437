//! The sign-in pages in a real browser.

use anyhow::{Context, Result, ensure};
use gmail_operator::api::Mailbox;
use kube::ResourceExt;
use serde_json::json;

use crate::lab::Lab;
use crate::lab::browser::{Browser, Person, Scripts};
use crate::lab::operator::Site;

mod states;

async fn site() -> Result<Site> {
    let mut site = Site::new("crm").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    Ok(site)
}

/// The page of a Mailbox also where status has no link.
fn page_of(site: &Site, mailbox: &Mailbox) -> Result<String> {
    let uid = mailbox.uid().context("no uid")?;
    let (tenant, name) = (&site.tenant, mailbox.name_any());
    Ok(format!("{}/signin/{tenant}/{name}/{uid}", site.public_url))
}

/// The browser has nothing to complain of, and has asked nobody but us and Google.
async fn assert_at_peace(browser: &Browser, site: &Site) -> Result<()> {
    let google = site.lab.google.issuer();
    let mut complaints = browser.complaints().await?;
    // The stand-in has no icon.
    complaints.retain(|text| !text.starts_with(&format!("{google}/favicon.ico")));
    ensure!(complaints.is_empty(), "{complaints:?}");
    for url in browser.asked().await? {
        let known = [&site.public_url, &google].contains(&&url.origin().ascii_serialization());
        ensure!(known, "{url} was asked for");
    }
    Ok(())
}

/// Somebody signs in and looks on as the test runs; the browser is left on its end.
async fn connect(browser: &Browser, site: &Site, name: &str, email: &str) -> Result<()> {
    site.mailbox(name, email, |_| ()).await?;
    browser.open(&site.sign_in_url(name).await?).await?;
    browser.sign_in(&Person::new(email)).await
}

#[tokio::test]
async fn the_owner_watches_the_test_live() -> Result<()> {
    let site = site().await?;
    let browser = Browser::start(site.lab, Scripts::On).await?;
    // Its message takes three seconds.
    connect(&browser, &site, "ann", "slow-ann@example.com").await?;
    browser.until_text("The mailbox is being tested").await?;
    browser.script("window.mark = 'the same page'").await?;
    browser.until_text("Everything works").await?;
    browser.until_text("Test again").await?;
    let mark = browser.script("return window.mark").await?;
    ensure!(mark == "the same page", "the page was loaded again");
    ensure!(browser.url().await?.query().is_none());
    browser.press("Test again").await?;
    browser.until_text("The test begins in a moment").await?;
    browser.until_text("Everything works").await?;
    assert_at_peace(&browser, &site).await?;
    browser.close().await
}

#[tokio::test]
async fn without_scripts_the_page_follows_the_test_as_well() -> Result<()> {
    let site = site().await?;
    let browser = Browser::start(site.lab, Scripts::Off).await?;
    connect(&browser, &site, "bob", "slow-bob@example.com").await?;
    browser.until_text("The mailbox is being tested").await?;
    browser.until_text("Everything works").await?;
    browser.until_text("Test again").await?;
    assert_at_peace(&browser, &site).await?;
    browser.close().await
}

/// Else nothing would be known of the pages that pass.
#[tokio::test]
async fn the_audit_finds_what_is_bad() -> Result<()> {
    let browser = Browser::start(Lab::shared().await, Scripts::On).await?;
    let good = "<main><h1>Hello</h1><button>Go</button></main>";
    for (body, found) in [
        (good.to_owned(), None),
        (
            good.replace("<h1>", "<h1 style='color:%23ccc'>"),
            Some("color-contrast"),
        ),
        (
            good.replace("<h1>", "<h1 style='width:900px'>"),
            Some("too wide"),
        ),
        (
            good.replace(">Go", " style='width:20px;height:20px;padding:0'>I"),
            Some("too small"),
        ),
        (
            good.replace(">Go", " style='outline:0'>Go"),
            Some("no focus to see"),
        ),
        (good.replace(">Go", " tabindex=-1>Go"), Some("bad: []")),
        (
            good.replace("Go", "<img src='data:,'>"),
            Some("button-name"),
        ),
    ] {
        let head = "<meta name=viewport content='width=device-width'><style>button{padding:1em}:focus{outline:3px solid}</style>";
        let page = format!("data:text/html,<html lang=en><title>Hello</title>{head}{body}");
        browser.open(&page).await?;
        let audit = browser.assert_good_for_everybody("bad").await;
        let said = audit.err().map(|error| error.to_string());
        let as_found = said
            .as_deref()
            .is_none_or(|said| found.is_some_and(|f| said.contains(f)));
        ensure!(
            said.is_some() == found.is_some() && as_found,
            "{body}: {said:?}"
        );
    }
    browser.close().await
}

#[tokio::test]
async fn no_other_page_can_frame_it() -> Result<()> {
    let site = site().await?;
    site.mailbox("carol", "carol@example.com", |_| ()).await?;
    let url = site.sign_in_url("carol").await?;
    let browser = Browser::start(site.lab, Scripts::On).await?;
    let theirs = site.lab.google.jwks_url();
    // The first shows that what may be framed is seen.
    for (framed, is_seen) in [(&theirs, true), (&url, false)] {
        browser.open(&theirs).await?;
        let text = browser.text_in_frame(framed).await?;
        let seen = text.contains("keys") || text.contains("carol");
        ensure!(seen == is_seen, "{framed}: {text}");
    }
    browser.close().await
}

#[tokio::test]
async fn two_tabs_back_and_reload_do_no_harm() -> Result<()> {
    let site = site().await?;
    site.mailbox("dave", "dave@example.com", |_| ()).await?;
    let url = site.sign_in_url("dave").await?;
    let browser = Browser::start(site.lab, Scripts::On).await?;
    let dave = Person::new("dave@example.com");

    browser.open(&url).await?;
    browser.sign_in(&dave.declines()).await?;
    browser.until_text("You were not signed in").await?;
    let exchanges = site.token_requests().await?.len();
    browser.back().await?;
    ensure!(site.token_requests().await?.len() == exchanges);
    ensure!(site.grant("dave").await.is_err());

    browser.open(&url).await?;
    browser.press("Sign in with Google").await?;
    let [first, _] = browser.new_tab().await?;
    browser.open(&url).await?;
    browser.sign_in(&dave).await?;
    browser.until_text("Everything works").await?;
    browser.go_to(&first).await?;
    browser.answer_google(&dave).await?;
    browser.until_text("Everything works").await?;
    let before = site.grant("dave").await?.metadata.resource_version;
    browser.reload().await?;
    browser.until_text("Everything works").await?;
    ensure!(site.grant("dave").await?.metadata.resource_version == before);
    assert_at_peace(&browser, &site).await?;
    browser.close().await
}
