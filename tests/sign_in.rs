//! What a mailbox's owner meets on the way in.

use anyhow::{Context, Result};
use gmail_operator::api::{Mailbox, Reason};

use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::person::{Page, Person};
use crate::lab::until;

async fn site() -> Result<Site> {
    let mut site = Site::new("sign-in").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    Ok(site)
}

fn last_attempt(mailbox: &Mailbox) -> Option<Reason> {
    Some(
        mailbox
            .status
            .as_ref()?
            .sign_in
            .as_ref()?
            .last_attempt
            .as_ref()?
            .reason,
    )
}

/// The clean page, without the callback's query in the browser's history, which says why.
fn assert_refused(page: &Page, reason: Reason) -> Result<()> {
    let words = page.words()?;
    assert_eq!(page.status, 200, "{words}");
    assert!(page.url.path().starts_with("/signin/") && page.url.query().is_none());
    for part in [
        "You were not signed in",
        "What to do",
        "Nothing was stored",
        reason.name(),
    ] {
        assert!(words.contains(part), "{part} is missing in {words}");
    }
    Ok(())
}

/// Signs somebody in who is refused; the page and the status say why, and nothing is stored.
async fn refused(
    name: &str,
    person: impl FnOnce(Person) -> Person,
    reason: Reason,
) -> Result<Page> {
    let site = site().await?;
    let email = format!("{name}@example.com");
    site.mailbox(name, &email, |_| ()).await?;
    let page = site
        .sign_in(name, &person(Person::new(site.lab, &email)?))
        .await?;
    assert_refused(&page, reason)?;
    let mailbox = site
        .until_mailbox(name, "the refusal in status", |mailbox| {
            last_attempt(mailbox).is_some()
        })
        .await?;
    assert_eq!(last_attempt(&mailbox), Some(reason));
    assert_eq!(
        condition_of(&mailbox, "SignedIn"),
        ("False".into(), "SignInRequired".into())
    );
    assert!(site.grant(name).await.is_err(), "a grant was stored");
    Ok(page)
}

#[tokio::test]
async fn another_account_is_refused() -> Result<()> {
    let page = refused(
        "ann",
        |person| person.picking("mallory@example.com"),
        Reason::WrongAccount,
    )
    .await?;
    assert!(
        page.text.contains("mallory@example.com"),
        "the person is told which account signed in"
    );
    Ok(())
}

#[tokio::test]
async fn without_the_mail_scope_nothing_is_stored() -> Result<()> {
    refused("bob", Person::unticks_mail, Reason::MailScopeNotGranted)
        .await
        .map(drop)
}

#[tokio::test]
async fn declining_is_told() -> Result<()> {
    refused("carol", Person::declines, Reason::ConsentDeclined)
        .await
        .map(drop)
}

#[tokio::test]
async fn an_unverified_address_is_refused() -> Result<()> {
    refused("unverified-dave", |person| person, Reason::EmailNotVerified)
        .await
        .map(drop)
}

#[tokio::test]
async fn a_refused_attempt_leaves_a_working_grant_alone() -> Result<()> {
    let site = site().await?;
    site.mailbox("erin", "erin@example.com", |_| ()).await?;
    site.connect("erin", "erin@example.com").await?;
    let before = site.grant("erin").await?.metadata.resource_version;
    let page = site
        .sign_in("erin", &Person::new(site.lab, "mallory@example.com")?)
        .await?;
    assert_refused(&page, Reason::WrongAccount)?;
    let mailbox = site
        .until_mailbox("erin", "the refusal in status", |mailbox| {
            last_attempt(mailbox) == Some(Reason::WrongAccount)
        })
        .await?;
    assert_eq!(condition_of(&mailbox, "Ready").0, "True");
    assert_eq!(site.grant("erin").await?.metadata.resource_version, before);
    Ok(())
}

#[tokio::test]
async fn links_that_do_not_fit_are_all_the_same_page() -> Result<()> {
    let site = site().await?;
    site.mailbox("frank", "frank@example.com", |_| ()).await?;
    let url = site.sign_in_url("frank").await?;
    let person = Person::new(site.lab, "frank@example.com")?;
    assert_eq!(person.open(&url).await?.status, 200);
    let uid = url.rsplit('/').next().context("no uid")?.to_owned();
    let wrong_uid = url.replace(&uid, "11111111-2222-3333-4444-555555555555");
    let wrong_name = url.replace("/frank/", "/nobody/");
    let wrong_namespace = url.replace(&format!("/{}/", site.tenant), "/elsewhere/");
    let first = person.open(&wrong_uid).await?;
    for other in [wrong_name, wrong_namespace] {
        let page = person.open(&other).await?;
        assert_eq!((page.status, &page.text), (404, &first.text), "{other}");
    }
    Ok(())
}

/// The page comes up, but the Mailbox stays as it is until somebody has consented, wherever the link
/// was opened and however often.
#[tokio::test]
async fn the_page_names_who_asks_and_needs_a_click() -> Result<()> {
    let site = site().await?;
    site.mailbox("grace", "grace@example.com", |mailbox| {
        mailbox["spec"]["purpose"] = "<b>Customer mail</b>".into();
    })
    .await?;
    let url = site.sign_in_url("grace").await?;
    let before = site.token_requests().await?.len();
    let page = Person::new(site.lab, "grace@example.com")?
        .open(&url)
        .await?;
    for word in [
        "lab",
        &site.tenant,
        "grace",
        "grace@example.com",
        "Acme CRM",
        "Platform team, it@example.com",
        "&lt;b&gt;Customer mail&lt;/b&gt;",
    ] {
        assert!(
            page.text.contains(word),
            "{word} is missing in {}",
            page.text
        );
    }
    assert!(!page.text.contains("<b>Customer"));
    for (header, value) in [
        ("cache-control", "no-store"),
        ("x-robots-tag", "noindex"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert!(page.headers[header].to_str()?.contains(value), "{header}");
    }
    assert!(
        page.headers["content-security-policy"]
            .to_str()?
            .contains("frame-ancestors 'none'")
    );
    assert_eq!(site.token_requests().await?.len(), before);
    Ok(())
}

#[tokio::test]
async fn a_second_use_of_the_callback_and_a_foreign_browser_are_refused() -> Result<()> {
    let site = site().await?;
    site.mailbox("heidi", "heidi@example.com", |_| ()).await?;
    let owner = Person::new(site.lab, "heidi@example.com")?;
    let back = owner
        .until_callback(&site.sign_in_url("heidi").await?)
        .await?;
    let callback = back.location.clone().unwrap_or(back.url.clone());
    let stranger = Person::new(site.lab, "heidi@example.com")?;
    let page = stranger.open(callback.as_str()).await?;
    assert_eq!(page.status, 400, "{}", page.text);
    assert!(
        site.grant("heidi").await.is_err(),
        "another browser's answer was taken"
    );
    let page = owner.follow(back).await?;
    assert_eq!(page.status, 200, "{}", page.text);
    site.until_reason("heidi", "Ready", "Enabled").await?;
    assert_eq!(owner.open(callback.as_str()).await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn google_away_at_the_callback_loses_nothing() -> Result<()> {
    let site = site().await?;
    site.mailbox("ivan", "ivan@example.com", |_| ()).await?;
    let url = site.sign_in_url("ivan").await?;
    site.lab
        .google
        .set_fault(&site.client_id, 503, serde_json::json!("down"))
        .await?;
    let person = Person::new(site.lab, "ivan@example.com")?;
    let page = person.sign_in(&url).await?;
    assert_eq!(page.status, 502, "{}", page.text);
    assert!(site.grant("ivan").await.is_err());
    site.lab.google.clear_fault(&site.client_id).await?;
    let page = person.open(page.url.as_str()).await?;
    let page = person.follow(page).await?;
    assert_eq!(page.status, 200, "{}", page.text);
    until("the grant", PATIENCE, async || {
        Ok(site.grant("ivan").await.is_ok())
    })
    .await
}
