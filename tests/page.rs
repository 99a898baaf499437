//! The sign-in page in the hands of a mailbox's owner.

use anyhow::{Result, ensure};
use gmail_operator::api::{Mailbox, TestRequestedBy};
use serde_json::json;

use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::person::{Page, Person};
use crate::lab::until;

async fn site() -> Result<Site> {
    let mut site = Site::new("page").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    Ok(site)
}

/// Loads a page again until it says `words`.
async fn until_page(person: &Person, url: &str, words: &str) -> Result<Page> {
    let mut last = person.open(url).await?;
    until(
        &format!("the page to say {words:?}"),
        PATIENCE,
        async || {
            last = person.open(url).await?;
            Ok(last.words()?.contains(words))
        },
    )
    .await
    .map_err(|error| error.context(last.text.clone()))?;
    Ok(last)
}

fn requested_by(mailbox: &Mailbox) -> Option<TestRequestedBy> {
    Some(mailbox.status.as_ref()?.test.as_ref()?.requested_by)
}

#[tokio::test]
async fn the_owner_follows_the_test_to_its_end_and_asks_for_another() -> Result<()> {
    let site = site().await?;
    site.mailbox("ann", "ann.page@example.com", |_| ()).await?;
    let url = site.sign_in_url("ann").await?;
    let owner = Person::new(site.lab, "ann.page@example.com")?;
    let page = owner.sign_in(&url).await?;
    assert_eq!(page.url.as_str(), url, "the clean page");
    assert!(page.words()?.contains("is connected"), "{}", page.text);
    let done = until_page(&owner, &url, "Everything works").await?;
    for step in [
        "Permission from Google: works",
        "Receiving mail: works",
        "Sending mail: works",
        "itself: works",
    ] {
        assert!(done.words()?.contains(step), "{step} in {}", done.words()?);
    }
    assert!(
        !done.text.contains("<script"),
        "a page that stays as it is needs none"
    );

    let asked = owner.press(&done, "Test again").await?;
    assert_eq!(
        (asked.status, asked.location.as_ref().map(|l| l.as_str())),
        (303, Some(url.as_str()))
    );
    let page = owner.follow(asked).await?;
    assert!(
        page.words()?.contains("The test begins in a moment"),
        "{}",
        page.text
    );
    site.until_mailbox("ann", "a test by the page", |mailbox| {
        requested_by(mailbox) == Some(TestRequestedBy::Page)
    })
    .await?;
    let done = until_page(&owner, &url, "Everything works").await?;
    let page = owner
        .follow(owner.press(&done, "Test again").await?)
        .await?;
    assert!(
        page.words()?.contains("less than a minute ago"),
        "{}",
        page.text
    );
    let page = owner.open(&url).await?;
    assert!(
        !page.words()?.contains("less than a minute ago"),
        "told once"
    );
    Ok(())
}

/// What fails is told with its cure, to the owner alone.
#[tokio::test]
async fn a_failing_direction_has_its_cure_on_the_page() -> Result<()> {
    let mut site = Site::new("page").await?;
    let closed = crate::lab::ports::free_port()?;
    site.allow(closed);
    site.pace("tries", 2.0);
    site.start().await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["servers"]["smtp"]["port"] = closed.into();
    })
    .await?;
    site.mailbox("bea", "bea.page@example.com", |_| ()).await?;
    let url = site.sign_in_url("bea").await?;
    let owner = Person::new(site.lab, "bea.page@example.com")?;
    owner.sign_in(&url).await?;
    let page = until_page(&owner, &url, "Something does not work yet").await?;
    for part in [
        "Receiving mail: works",
        "Sending mail: does not work",
        "refused the connection",
        "ConnectionRefused",
        "Platform team",
    ] {
        assert!(page.words()?.contains(part), "{part} in {}", page.words()?);
    }
    let stranger = Person::new(site.lab, "bea.page@example.com")?
        .open(&url)
        .await?;
    assert!(
        !stranger.text.contains("ConnectionRefused"),
        "{}",
        stranger.text
    );
    assert_eq!(
        stranger.buttons()?,
        ["Prove it is you", "Sign in with Google"]
    );
    Ok(())
}

#[tokio::test]
async fn who_proves_it_is_let_in_and_nobody_else() -> Result<()> {
    let site = site().await?;
    site.mailbox("cleo", "cleo.page@example.com", |_| ())
        .await?;
    site.connect("cleo", "cleo.page@example.com").await?;
    let url = site.sign_in_url("cleo").await?;
    let before = site.grant("cleo").await?.metadata.resource_version;

    let mallory = Person::new(site.lab, "mallory.page@example.com")?;
    let page = mallory
        .press(&mallory.open(&url).await?, "Prove it is you")
        .await?;
    let page = mallory.follow(mallory.consent(page).await?).await?;
    assert!(
        page.words()?
            .contains("You signed in as mallory.page@example.com"),
        "{}",
        page.text
    );
    assert_eq!(page.buttons()?, ["Prove it is you", "Sign in with Google"]);
    let forced = mallory.post(&format!("{url}/sign-out"), &url).await?;
    assert!(
        mallory
            .follow(forced)
            .await?
            .words()?
            .contains("Prove first")
    );

    let owner = Person::new(site.lab, "cleo.page@example.com")?;
    let page = owner
        .press(&owner.open(&url).await?, "Prove it is you")
        .await?;
    let page = owner.follow(owner.consent(page).await?).await?;
    assert!(
        page.buttons()?.contains(&"Test again".to_owned()),
        "{}",
        page.text
    );
    assert_eq!(
        site.grant("cleo").await?.metadata.resource_version,
        before,
        "a proof changes nothing"
    );
    let attempt = site
        .mailboxes()
        .get("cleo")
        .await?
        .status
        .and_then(|s| s.sign_in?.last_attempt);
    assert_eq!(attempt, None, "a proof is no sign-in");
    Ok(())
}

#[tokio::test]
async fn signing_out_ends_the_access() -> Result<()> {
    let site = site().await?;
    site.mailbox("dora", "dora.page@example.com", |_| ())
        .await?;
    let url = site.sign_in_url("dora").await?;
    let owner = Person::new(site.lab, "dora.page@example.com")?;
    owner.sign_in(&url).await?;
    site.until_reason("dora", "Ready", "Enabled").await?;
    let page = owner.press(&owner.open(&url).await?, "Sign out").await?;
    let page = owner.follow(page).await?;
    assert!(
        page.words()?.contains("You have signed out"),
        "{}",
        page.text
    );
    assert_eq!(page.buttons()?, ["Sign in with Google"]);
    site.until_reason("dora", "SignedIn", "SignInRequired")
        .await?;
    // And in again, with a new receipt.
    owner.sign_in(&url).await?;
    site.until_reason("dora", "Ready", "Enabled")
        .await
        .map(drop)
}

/// One account, one Mailbox: the second asks, and changes nothing until its owner has said yes.
#[tokio::test]
async fn an_account_that_serves_another_mailbox_moves_only_when_its_owner_says_so() -> Result<()> {
    let site = site().await?;
    let email = "emil.page@example.com";
    site.mailbox("here", email, |_| ()).await?;
    site.mailbox("there", email, |_| ()).await?;
    site.connect("here", email).await?;
    let url = site.sign_in_url("there").await?;
    let owner = Person::new(site.lab, email)?;

    let page = owner.sign_in(&url).await?;
    assert_eq!(page.buttons()?, ["Move it here", "Cancel"], "{}", page.text);
    assert!(
        !page.text.contains("/here/"),
        "which Mailbox it is stays unsaid"
    );
    let stranger = Person::new(site.lab, email)?.open(&url).await?;
    assert_eq!(
        stranger.buttons()?,
        ["Sign in with Google"],
        "{}",
        stranger.text
    );
    let page = owner.follow(owner.press(&page, "Cancel").await?).await?;
    assert!(
        page.words()?.contains("Nothing was changed"),
        "{}",
        page.text
    );
    assert!(site.grant("there").await.is_err(), "the unused grant goes");

    let page = owner.sign_in(&url).await?;
    let there = site.mailboxes().get("there").await?;
    assert_eq!(
        condition_of(&there, "SignedIn"),
        ("False".into(), "SignInRequired".into())
    );
    assert_eq!(
        condition_of(&site.mailboxes().get("here").await?, "Ready").0,
        "True"
    );
    let page = owner
        .follow(owner.press(&page, "Move it here").await?)
        .await?;
    assert!(
        page.words()?.contains("serves this Mailbox now"),
        "{}",
        page.text
    );
    site.until_reason("there", "Ready", "Enabled").await?;
    site.until_reason("here", "SignedIn", "MovedElsewhere")
        .await?;

    // And back again, from the first one's page.
    let here = site.sign_in_url("here").await?;
    let page = owner.sign_in(&here).await?;
    owner.press(&page, "Move it here").await?;
    site.until_reason("here", "Ready", "Enabled").await?;
    site.until_reason("there", "SignedIn", "MovedElsewhere")
        .await
        .map(drop)
}

/// Both tabs of one browser sign in: neither disturbs the other.
#[tokio::test]
async fn two_tabs_at_once_both_come_to_their_end() -> Result<()> {
    let site = site().await?;
    site.mailbox("fay", "fay.page@example.com", |_| ()).await?;
    let url = site.sign_in_url("fay").await?;
    let owner = Person::new(site.lab, "fay.page@example.com")?;
    let (one, two) = (
        owner.until_callback(&url).await?,
        owner.until_callback(&url).await?,
    );
    for tab in [one, two] {
        let page = owner.follow(tab).await?;
        ensure!(page.words()?.contains("is connected"), "{}", page.text);
    }
    site.until_reason("fay", "Ready", "Enabled").await.map(drop)
}

/// What Google would not tell us is told before the person goes there.
#[tokio::test]
async fn who_is_no_test_user_is_told_before() -> Result<()> {
    let site = site().await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["oauthClient"]["consentScreen"] = json!({
            "appName": "Acme CRM", "userType": "External", "publishingStatus": "Testing",
            "testUsers": ["somebody@example.com"],
        });
    })
    .await?;
    site.mailbox("gil", "gil.page@example.com", |_| ()).await?;
    let url = site.sign_in_url("gil").await?;
    let page = Person::new(site.lab, "gil.page@example.com")?
        .open(&url)
        .await?;
    for part in [
        "Google will refuse this account",
        "not among its test users",
        "org_internal",
        "Platform team",
    ] {
        assert!(page.words()?.contains(part), "{part} in {}", page.words()?);
    }
    Ok(())
}
