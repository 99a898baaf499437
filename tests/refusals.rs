//! Every way in which a sign-in can go wrong: each has its page, its reason, and leaves nothing behind.

use anyhow::{Context, Result, ensure};
use gmail_operator::api::Reason;
use serde_json::{Value, json};
use url::Url;

use crate::lab::cookies::change;
use crate::lab::operator::{Site, condition_of};
use crate::lab::person::{Page, Person};
use crate::lab::wire::Wire;

async fn site() -> Result<Site> {
    let mut site = Site::new("refusals").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    Ok(site)
}

/// A sign-in that has come back from Google and is not yet opened.
struct Back {
    person: Person,
    link: String,
    callback: Url,
}

async fn back(site: &Site, name: &str) -> Result<Back> {
    let email = format!("{name}.refusals@example.com");
    site.mailbox(name, &email, |_| ()).await?;
    let (person, link) = (
        Person::new(site.lab, &email)?,
        site.sign_in_url(name).await?,
    );
    let callback = person.until_callback(&link).await?.location;
    Ok(Back {
        person,
        link,
        callback: callback.context("no callback")?,
    })
}

/// The callback with another value for one parameter.
fn with(url: &Url, name: &str, value: &str) -> Url {
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    for pair in &mut pairs {
        if pair.0 == name {
            value.clone_into(&mut pair.1);
        }
    }
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs);
    changed
}

impl Back {
    async fn open(&self, callback: &Url) -> Result<Page> {
        let page = self.person.open(callback.as_str()).await?;
        self.person.follow(page).await
    }

    /// The callback ends on the clean page, which tells `reason`; so does status, and nothing is stored.
    async fn ends(&self, site: &Site, callback: &Url, reason: Reason) -> Result<Page> {
        let page = self.open(callback).await?;
        let words = page.words()?;
        ensure!(
            page.url.as_str() == self.link,
            "{} instead of {}: {words}",
            page.url,
            self.link
        );
        ensure!(
            words.contains(&format!("Reason: {reason}")),
            "{reason} is not in {words}"
        );
        let name = self.link.rsplit('/').nth(1).context("no name")?;
        let mailbox = site
            .until_mailbox(name, "the refusal in status", |mailbox| {
                let sign_in = mailbox.status.as_ref().and_then(|s| s.sign_in.as_ref());
                sign_in.is_some_and(|sign_in| sign_in.last_attempt.is_some())
            })
            .await?;
        let attempt = mailbox
            .status
            .as_ref()
            .and_then(|s| s.sign_in.as_ref()?.last_attempt.clone());
        ensure!(attempt.map(|attempt| attempt.reason) == Some(reason));
        ensure!(condition_of(&mailbox, "SignedIn").1 == "SignInRequired");
        ensure!(site.grant(name).await.is_err(), "a grant was stored");
        Ok(page)
    }
}

#[tokio::test]
async fn answers_that_do_not_fit() -> Result<()> {
    let site = site().await?;

    let policy = back(&site, "policy").await?;
    let mut refused = policy.callback.clone();
    let state = refused
        .query_pairs()
        .find(|(name, _)| name == "state")
        .context("no state")?
        .1
        .into_owned();
    refused
        .query_pairs_mut()
        .clear()
        .append_pair("error", "admin_policy_enforced")
        .append_pair("state", &state);
    policy
        .ends(&site, &refused, Reason::BlockedByWorkspacePolicy)
        .await?;

    let other = back(&site, "issuer").await?;
    let callback = with(&other.callback, "iss", "https://evil.example");
    other
        .ends(&site, &callback, Reason::AnswerOfAnotherServer)
        .await?;

    let late = back(&site, "late").await?;
    change(&site, &late.person, "signin", |flow| {
        flow["expires_at"] = (flow["expires_at"].as_i64().unwrap_or_default() - 601_000).into();
    })
    .await?;
    late.ends(&site, &late.callback, Reason::SignInTimedOut)
        .await?;

    let nonce = back(&site, "nonce").await?;
    change(&site, &nonce.person, "signin", |flow| {
        flow["nonce"] = "another".into()
    })
    .await?;
    let page = nonce
        .ends(&site, &nonce.callback, Reason::IdentityNotProved)
        .await?;
    ensure!(
        page.words()?.contains("the ID token is of another sign-in"),
        "{}",
        page.text
    );

    let pkce = back(&site, "pkce").await?;
    change(&site, &pkce.person, "signin", |flow| {
        flow["verifier"] = "x".repeat(43).into()
    })
    .await?;
    pkce.ends(&site, &pkce.callback, Reason::ConsentExchangeFailed)
        .await?;

    // Whoever kept the cookie of a sign-in that is over brings its code again.
    let replayed = back(&site, "replayed").await?;
    let base = Url::parse(&site.public_url)?;
    let cookies = replayed.person.cookies(&base)?;
    ensure!(
        replayed
            .open(&replayed.callback)
            .await?
            .words()?
            .contains("is connected")
    );
    let stored = site.grant("replayed").await?.data.context("no data")?;
    for (name, value) in cookies {
        replayed.person.set_cookie(&base, &name, &value);
    }
    let page = replayed.open(&replayed.callback).await?;
    ensure!(
        page.words()?.contains("Reason: ConsentCodeRejected"),
        "{}",
        page.text
    );
    let after = site.grant("replayed").await?.data.context("no data")?;
    ensure!(after["refresh-token"] == stored["refresh-token"]);
    Ok(())
}

/// What the token endpoint gives is not what a grant needs.
#[tokio::test]
async fn tokens_that_do_not_do() -> Result<()> {
    let site = site().await?;
    let email = "online.refusals@example.com";
    site.mailbox("online", email, |_| ()).await?;
    let link = site.sign_in_url("online").await?;
    let person = Person::new(site.lab, email)?;
    let google = person
        .press(&person.open(&link).await?, "Sign in with Google")
        .await?;
    let url = google.location.clone().context("no redirect")?;
    // Google gives no refresh token then.
    let online = person
        .open(with(&url, "access_type", "online").as_str())
        .await?;
    let callback = person
        .consent(online)
        .await?
        .location
        .context("no callback")?;
    Back {
        person,
        link,
        callback: callback.clone(),
    }
    .ends(&site, &callback, Reason::NoRefreshToken)
    .await?;

    let tokens = |id_token: Value| {
        json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 3599, "refresh_token": "r",
                "scope": "openid https://mail.google.com/", "id_token": id_token })
    };
    // {"alg":"RS256"} and {"sub":"1"}, with a signature of nobody's.
    let forged = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
    for (name, id_token) in [
        ("none", Value::Null),
        ("junk", json!("x.y.z")),
        ("forged", json!(forged)),
    ] {
        let back = back(&site, name).await?;
        site.lab
            .google
            .set_fault(&site.client_id, 200, tokens(id_token))
            .await?;
        let ended = back
            .ends(&site, &back.callback, Reason::IdentityNotProved)
            .await;
        site.lab.google.clear_fault(&site.client_id).await?;
        let page = ended?;
        ensure!(!page.text.contains(forged), "the token is on the page");
    }
    Ok(())
}

/// What the sign-in is for has changed while its owner was at Google.
#[tokio::test]
async fn the_ground_moves_meanwhile() -> Result<()> {
    let site = site().await?;
    let (gone, withdrawn, changed) = (
        back(&site, "gone").await?,
        back(&site, "withdrawn").await?,
        back(&site, "changed").await?,
    );
    site.kubectl(&["delete", "mailbox", "gone"]).await?;
    let page = gone.open(&gone.callback).await?;
    ensure!(
        (page.status, page.words()?.contains("nothing here")) == (404, true),
        "{}",
        page.text
    );

    site.profile(site.ports(), |profile| {
        profile["spec"]["suspend"] = true.into()
    })
    .await?;
    withdrawn
        .ends(&site, &withdrawn.callback, Reason::ProfileSuspended)
        .await?;

    let file = json!({ "web": { "client_id": format!("{}-new.apps.googleusercontent.com", 123_456), "client_secret": "GOCSPX-x" }});
    site.profile(site.ports(), |_| ()).await?;
    site.apply(&json!({ "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "google-oauth-client", "namespace": site.tenant },
        "stringData": { "client_secret.json": file.to_string() } }))
        .await?;
    site.until_profile("google", "Ready", "ClientIdNotFound")
        .await?;
    changed
        .ends(&site, &changed.callback, Reason::ProfileNotReady)
        .await?;
    Ok(())
}

/// Answers that no sign-in of this browser waits for: each has its own words, and changes nothing.
#[tokio::test]
async fn answers_that_nobody_waits_for() -> Result<()> {
    let site = site().await?;
    let base = Url::parse(&format!("{}/oauth2/callback", site.public_url))?;
    let open = async |person: &Person, query: &str| {
        let page = person.open(&format!("{base}?{query}")).await?;
        ensure!(page.status == 400, "{}: {}", page.status, page.text);
        page.words()
    };
    let nobody = Person::new(site.lab, "x@example.com")?;
    ensure!(
        open(&nobody, "hello=world")
            .await?
            .contains("not an answer of Google's")
    );
    ensure!(
        open(&nobody, "state=s&code=c&code=d")
            .await?
            .contains("not an answer of Google's")
    );
    ensure!(
        open(&nobody, "state=s&code=c")
            .await?
            .contains("no sign-in open")
    );

    let one = back(&site, "one").await?;
    ensure!(
        open(&one.person, "state=s&code=c")
            .await?
            .contains("did not begin")
    );
    let state = one
        .callback
        .query_pairs()
        .find(|(name, _)| name == "state")
        .context("no state")?
        .1
        .into_owned();
    let cookies = one.person.cookies(&base)?;
    let (name, value) = cookies
        .iter()
        .find(|(name, _)| name.contains("signin"))
        .context("no cookie")?;
    let spoilt = format!("A{}", value.get(1..).unwrap_or_default());
    let spoilt = if spoilt == *value {
        format!("B{}", value.get(1..).unwrap_or_default())
    } else {
        spoilt
    };
    one.person.set_cookie(&base, name, &spoilt);
    ensure!(
        open(&one.person, &format!("state={state}&code=c"))
            .await?
            .contains("cannot be read any more")
    );
    one.person.set_cookie(&base, name, value);
    ensure!(
        one.open(&one.callback)
            .await?
            .words()?
            .contains("is connected"),
        "nothing was spoilt by all that"
    );
    ensure!(
        open(&one.person, one.callback.query().unwrap_or_default())
            .await?
            .contains("no sign-in open"),
        "it is over"
    );
    Ok(())
}

/// The API server is away when the person comes back: nothing is half stored, and loading the page again
/// is enough.
#[tokio::test]
async fn the_api_server_is_away_at_the_callback() -> Result<()> {
    let mut site = Site::new("refusals").await?;
    let wire = Wire::to(site.lab.control_plane.port()?)?;
    site.api_through(&wire)?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let away = back(&site, "away").await?;
    wire.cut()?;
    let page = away.open(&away.callback).await?;
    ensure!(
        (page.status, page.words()?.contains("Try again in a moment")) == (503, true),
        "{}",
        page.text
    );
    ensure!(site.grant("away").await.is_err());
    wire.restore()?;
    crate::lab::until(
        "the page to work again",
        crate::lab::operator::PATIENCE,
        async || {
            Ok(away
                .open(&away.callback)
                .await?
                .words()?
                .contains("is connected"))
        },
    )
    .await?;
    site.until_reason("away", "Ready", "Enabled")
        .await
        .map(drop)
}
