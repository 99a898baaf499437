//! Attacks on people through the sign-in page (threats T1 to T3): none of them gets a grant, or spoils one.

use anyhow::{Context, Result, ensure};
use scraper::{Html, Selector};
use serde_json::json;
use url::Url;

use crate::lab::cookies::change;
use crate::lab::operator::{Site, condition_of};
use crate::lab::person::{Page, Person};

async fn site() -> Result<Site> {
    let mut site = Site::new("attacks").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    Ok(site)
}

async fn mailbox(site: &Site, name: &str) -> Result<(String, String)> {
    let email = format!("{name}.attacks@example.com");
    site.mailbox(name, &email, |_| ()).await?;
    Ok((site.sign_in_url(name).await?, email))
}

async fn callback(person: &Person, link: &str) -> Result<Url> {
    person
        .until_callback(link)
        .await?
        .location
        .context("no callback")
}

fn parameter(url: &Url, name: &str) -> Result<String> {
    let found = url.query_pairs().find(|(key, _)| key == name);
    Ok(found.context("no such parameter")?.1.into_owned())
}

/// Login CSRF: the attacker has the victim's browser open the end of the attacker's sign-in.
#[tokio::test]
async fn the_end_of_anothers_sign_in_is_not_taken() -> Result<()> {
    let site = site().await?;
    let (link, email) = mailbox(&site, "csrf").await?;
    let attacker = Person::new(site.lab, &email)?;
    let theirs = callback(&attacker, &link).await?;
    let victim = Person::new(site.lab, &email)?;
    ensure!(victim.open(theirs.as_str()).await?.status == 400);
    // Also while the victim has a sign-in of their own open, and with its `state`.
    let own = callback(&victim, &link).await?;
    ensure!(victim.open(theirs.as_str()).await?.status == 400);
    let mixed = own.as_str().replace(
        &format!("code={}", encoded(&parameter(&own, "code")?)),
        &format!("code={}", encoded(&parameter(&theirs, "code")?)),
    );
    ensure!(mixed != own.as_str());
    let page = victim.follow(victim.open(&mixed).await?).await?;
    ensure!(
        page.words()?.contains("You were not signed in"),
        "{}",
        page.text
    );
    ensure!(site.grant("csrf").await.is_err());
    Ok(())
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The answer to one Mailbox's sign-in is not taken for another's, whoever owns both.
#[tokio::test]
async fn an_answer_is_for_one_mailbox() -> Result<()> {
    let site = site().await?;
    let (one, email) = mailbox(&site, "one").await?;
    site.mailbox("two", &email, |_| ()).await?;
    let two = site.sign_in_url("two").await?;
    let person = Person::new(site.lab, &email)?;
    let back = callback(&person, &one).await?;
    let uid = two.rsplit('/').next().context("no uid")?.to_owned();
    // Even a browser that could write into its cookie: the seal is the operator's, so this is the most it can do.
    change(&site, &person, "signin", |flow| flow["uid"] = json!(uid)).await?;
    ensure!(
        person.open(back.as_str()).await?.status == 404,
        "name and uid do not fit"
    );
    ensure!(site.grant("one").await.is_err() && site.grant("two").await.is_err());
    Ok(())
}

/// Session fixation: a session is only ever made by a sign-in here, for one Mailbox, and ends with its account.
#[tokio::test]
async fn a_session_cannot_be_given_to_somebody() -> Result<()> {
    let site = site().await?;
    let ((ours, email), (theirs, other)) = (
        mailbox(&site, "ours").await?,
        mailbox(&site, "theirs").await?,
    );
    let attacker = Person::new(site.lab, &other)?;
    attacker.sign_in(&theirs).await?;
    site.connect("ours", &email).await?;
    let base = Url::parse(&site.public_url)?;
    let (name, value) = attacker
        .cookies(&base)?
        .into_iter()
        .find(|(name, _)| name.contains("session"))
        .context("no session")?;
    // The attacker's own session under any name does not open our page.
    let owner_cookie = {
        let owner = Person::new(site.lab, &email)?;
        owner.sign_in(&ours).await?;
        owner
            .cookies(&base)?
            .into_iter()
            .find(|(name, _)| name.contains("session"))
            .context("no session")?
            .0
    };
    let stranger = Person::new(site.lab, &other)?;
    for cookie in [name, owner_cookie] {
        stranger.set_cookie(&base, &cookie, &value);
        let page = stranger.open(&ours).await?;
        ensure!(
            page.buttons()? == ["Prove it is you", "Sign in with Google"],
            "{}",
            page.text
        );
    }
    let page = stranger
        .follow(stranger.post(&format!("{ours}/sign-out"), &ours).await?)
        .await?;
    ensure!(page.words()?.contains("Prove first"), "{}", page.text);
    ensure!(condition_of(&site.mailboxes().get("ours").await?, "Ready").0 == "True");
    Ok(())
}

/// Buttons work from our own pages alone, and lead to Google or back to them and nowhere else.
#[tokio::test]
async fn no_form_of_another_site_works_and_nothing_leads_elsewhere() -> Result<()> {
    let site = site().await?;
    let (link, email) = mailbox(&site, "forms").await?;
    let person = Person::new(site.lab, &email)?;
    person.sign_in(&link).await?;
    for act in ["", "/prove", "/test", "/sign-out", "/move", "/stay"] {
        let page = person
            .post(&format!("{link}{act}"), "https://evil.example/")
            .await?;
        ensure!(
            (page.status, page.location.is_none()) == (403, true),
            "{act}"
        );
    }
    let google = Url::parse(&site.lab.google.authorization_url())?;
    for (path, query) in [
        (
            "",
            "?next=https://evil.example&redirect_uri=https://evil.example",
        ),
        ("/prove", "?continue=//evil.example"),
    ] {
        let page = person.post(&format!("{link}{path}{query}"), &link).await?;
        let location = page.location.context("no redirect")?;
        ensure!(location.origin() == google.origin(), "{location}");
        ensure!(
            parameter(&location, "redirect_uri")? == format!("{}/oauth2/callback", site.public_url)
        );
    }
    for path in [
        "//evil.example",
        "/\\evil.example",
        "/signin//evil.example/x/y",
        "/oauth2/callback/https://evil.example",
        "/signin/a/b/c/%2f%2fevil.example",
    ] {
        let page = person.open(&format!("{}{path}", site.public_url)).await?;
        ensure!(
            (page.status, page.location.is_none()) == (404, true),
            "{path}"
        );
    }
    Ok(())
}

/// Whatever others write into their objects stays text.
#[tokio::test]
async fn nobodys_words_become_html_or_headers() -> Result<()> {
    let site = site().await?;
    let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><form action=https://evil.example>{{7*7}}";
    site.profile(site.ports(), |profile| {
        profile["spec"]["contact"] = hostile.into();
        profile["spec"]["oauthClient"]["consentScreen"]["appName"] = "<b>&lt;</b>".into();
    })
    .await?;
    let email = "html.attacks@example.com";
    site.mailbox("html", email, |mailbox| {
        mailbox["spec"]["purpose"] = hostile.into()
    })
    .await?;
    let link = site.sign_in_url("html").await?;
    let owner = Person::new(site.lab, email)?;
    let mut pages = vec![owner.open(&link).await?, owner.sign_in(&link).await?];
    pages.push(
        owner
            .clone()
            .picking("<i>@evil.example")
            .sign_in(&link)
            .await?,
    );
    pages.push(
        Person::new(site.lab, "\"><svg/onload=1>@evil.example")?
            .sign_in(&link)
            .await?,
    );
    for page in &pages {
        let html = Html::parse_document(&page.text);
        for wrong in [
            "img",
            "svg",
            "i",
            "b",
            "[onerror]",
            "[onload]",
            "form[action*=evil]",
            "script[src]",
        ] {
            let selector = Selector::parse(wrong).map_err(|error| anyhow::anyhow!("{error}"))?;
            ensure!(
                html.select(&selector).next().is_none(),
                "{wrong} in {}",
                page.text
            );
        }
        ensure!(!page.text.contains("alert(1)</script>"), "{}", page.text);
    }
    Ok(())
}

/// Whoever has the link can cancel a sign-in as often as they like: a mailbox that works goes on working, and
/// there is one write a minute at most.
#[tokio::test]
async fn who_holds_a_link_cannot_harm_a_mailbox_that_works() -> Result<()> {
    let site = site().await?;
    let (link, email) = mailbox(&site, "works").await?;
    site.connect("works", &email).await?;
    let before = site.grant("works").await?.metadata.resource_version;
    let writes = || -> Result<usize> {
        let writes = site.writes()?;
        Ok(writes
            .iter()
            .filter(|write| write.resource == "mailboxes")
            .count())
    };
    let earlier = writes()?;
    for attempt in 0..3 {
        let page = Person::new(site.lab, &email)?
            .declines()
            .sign_in(&link)
            .await?;
        ensure!(
            page.words()?.contains("ConsentDeclined"),
            "{attempt}: {}",
            page.text
        );
    }
    let stranger = Person::new(site.lab, "mallory.attacks@example.com")?
        .sign_in(&link)
        .await?;
    ensure!(stranger.words()?.contains("WrongAccount"));
    let mailbox = site.mailboxes().get("works").await?;
    ensure!(condition_of(&mailbox, "Ready").0 == "True");
    ensure!(site.grant("works").await?.metadata.resource_version == before);
    ensure!(writes()? == earlier + 1, "one refusal a minute is written");
    Ok(())
}

/// What is there and what is not cannot be told apart.
#[tokio::test]
async fn a_wrong_link_tells_nothing() -> Result<()> {
    let site = site().await?;
    let (link, email) = mailbox(&site, "hidden").await?;
    let person = Person::new(site.lab, &email)?;
    let uid = link.rsplit('/').next().context("no uid")?.to_owned();
    let shape = |page: Page| {
        (
            page.status,
            page.text,
            page.headers
                .iter()
                .filter(|(name, _)| *name != "date")
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        value.to_str().unwrap_or_default().to_owned(),
                    )
                })
                .collect::<Vec<_>>(),
        )
    };
    let other = "11111111-2222-3333-4444-555555555555";
    let wrong = [
        link.replace(&uid, other),
        link.replace("/hidden/", "/nobody/"),
        link.replace(&format!("/{}/", site.tenant), "/elsewhere/"),
        link.replace(&format!("/{}/hidden/", site.tenant), "/kube-system/hidden/"),
        link.replace(&uid, "x"),
    ];
    let expected = shape(person.open(&wrong[0]).await?);
    for url in &wrong {
        ensure!(shape(person.open(url).await?) == expected, "GET {url}");
        for act in ["", "/prove", "/test", "/sign-out", "/move"] {
            ensure!(
                shape(person.post(&format!("{url}{act}"), url).await?) == expected,
                "POST {url}{act}"
            );
        }
    }
    Ok(())
}
