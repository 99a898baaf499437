//! Sign-ins that are known to end: the warning, the reminder, what publishing changes, and what counts
//! for alerts. Earlier sign-ins are written as grants, so that nobody waits for days.

use std::time::Duration;

use anyhow::{Context, Result};
use gmail_operator::api::{Mailbox, SignInStatus};
use gmail_operator::cluster::grant_secret;
use gmail_operator::domain::grant::{EndCause, Grant, KnownEnd};
use gmail_operator::domain::schedule::{earlier, later};
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::api::{ListParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::lab::mail_script::{Act, At, MailScript, fault};
use crate::lab::operator::{PATIENCE, Ports, Site, condition_of};
use crate::lab::person::Person;
use crate::lab::tokens::Tokens;
use crate::lab::until;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn screen(profile: &mut Value, screen: Value) {
    let consent = &mut profile["spec"]["oauthClient"]["consentScreen"];
    *consent = screen;
    consent["appName"] = "Acme CRM".into();
}

fn in_testing(profile: &mut Value) {
    screen(
        profile,
        json!({ "userType": "External", "publishingStatus": "Testing" }),
    );
}

fn published(profile: &mut Value) {
    screen(
        profile,
        json!({ "userType": "External", "publishingStatus": "InProduction" }),
    );
}

/// A site whose app is in Testing.
async fn testing(name: &str) -> Result<Site> {
    let mut site = Site::new(name).await?;
    site.start().await?;
    site.profile(site.ports(), in_testing).await?;
    site.until_profile("google", "Ready", "ProfileReadyInTesting")
        .await?;
    Ok(site)
}

/// A Mailbox whose owner signed in `age` ago while the app was in Testing.
async fn signed_in(
    site: &Site,
    name: &str,
    email: &str,
    age: Duration,
    change: impl FnOnce(&mut Value, &mut Grant),
) -> Result<Timestamp> {
    let mut mailbox = site.mailbox_manifest(name, email);
    // Every message that comes is then a reminder.
    mailbox["spec"]["testMessage"] = "None".into();
    let mut grant = Tokens::of(site, email)
        .await?
        .grant(site, name, "", "google")?;
    grant.signed_in_at = earlier(grant.signed_in_at, age);
    let end = later(grant.signed_in_at, 7 * DAY);
    grant.ends = Some(KnownEnd {
        at: end,
        cause: EndCause::Testing,
    });
    change(&mut mailbox, &mut grant);
    site.apply(&mailbox).await?;
    grant.mailbox_uid = site.mailboxes().get(name).await?.uid().context("no uid")?;
    let secret = grant_secret::secret(&grant, &site.namespace, None);
    site.own_secrets()
        .create(&PostParams::default(), &secret)
        .await?;
    Ok(end)
}

fn sign_in_of(mailbox: &Mailbox) -> SignInStatus {
    let status = mailbox.status.as_ref();
    status
        .and_then(|status| status.sign_in.clone())
        .unwrap_or_default()
}

fn message_of(mailbox: &Mailbox, condition: &str) -> String {
    let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.into_iter().find(|c| c.type_ == condition);
    found.map(|c| c.message.clone()).unwrap_or_default()
}

async fn is_noted(site: &Site, name: &str) -> Result<bool> {
    let data = site.grant(name).await?.data.unwrap_or_default();
    Ok(data.contains_key("reminded-for"))
}

/// A test on demand, from its beginning to its end: by then a reminder would have been tried again.
async fn tested_once_more(site: &Site, name: &str, value: &str) -> Result<Mailbox> {
    site.kubectl(&[
        "annotate",
        "--overwrite",
        "mailbox",
        name,
        &format!("gmail-operator.dev/test-requested-at={value}"),
    ])
    .await?;
    site.until_mailbox(name, "a test", |mailbox| {
        let status = mailbox.status.clone().unwrap_or_default();
        status.last_handled_test_request.as_deref() == Some(value)
            && status.test.is_some_and(|test| test.finished_at.is_some())
    })
    .await
}

/// Started again, it looks at everything and changes nothing.
async fn restart_writes_nothing(site: &mut Site, ready: i32) -> Result<()> {
    until("the counts", PATIENCE, async || {
        let profile = site.profiles().get("google").await?;
        let counts = profile.status.and_then(|status| status.mailboxes);
        Ok(counts.is_some_and(|counts| counts.ready == ready))
    })
    .await?;
    site.kill()?;
    let before = site.writes()?.len();
    site.start().await?;
    for kind in ["Mailbox", "GmailServerProfile", "Grant"] {
        let looked = format!("reconciles_total{{kind=\"{kind}\",result=\"Ok\"}}");
        until(&looked, PATIENCE, async || {
            Ok(site.metrics().await?.contains(&looked))
        })
        .await?;
    }
    until("the metrics of the profile", PATIENCE, async || {
        Ok(site.metrics().await?.contains("sign_ins_ending_soon{"))
    })
    .await?;
    let new = site.writes()?.split_off(before);
    assert!(new.is_empty(), "a restart wrote {new:?}");
    Ok(())
}

/// By itself at its moment: the conditions, one Warning, the metrics. Then a restart changes nothing.
#[tokio::test]
async fn a_warning_a_day_before_the_end() -> Result<()> {
    let mut site = testing("ends-soon").await?;
    let email = "ends-soon@example.com";
    let age = 6 * DAY - Duration::from_secs(8);
    let end = signed_in(&site, "box", email, age, |_, _| ()).await?;
    let mut early = None;
    let mailbox = site
        .until_mailbox("box", "the warning", |mailbox| {
            let warns = condition_of(mailbox, "Ready").1 == "SignInEndsSoon";
            if warns && Timestamp::now() < earlier(end, DAY) {
                early = Some(Timestamp::now());
            }
            warns
        })
        .await?;
    assert_eq!(early, None, "warned too early");
    for condition in ["Ready", "SignedIn"] {
        assert_eq!(
            condition_of(&mailbox, condition),
            ("True".into(), "SignInEndsSoon".into())
        );
        let message = message_of(&mailbox, condition);
        let page = sign_in_of(&mailbox).url.unwrap_or_default();
        for part in [end.to_string().as_str(), &page, "Mailbox user", "7 days"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
    assert_eq!(
        sign_in_of(&mailbox).expires_at.map(|time| time.0),
        Some(end)
    );
    assert!(
        site.kubectl(&["get", "mailbox", "box"])
            .await?
            .contains("SignInEndsSoon")
    );
    let labels = format!("{{namespace=\"{}\",profile=\"google\"}}", site.tenant);
    let earliest = format!(
        "gmail_operator_sign_in_earliest_end_timestamp_seconds{labels} {}\n",
        end.as_second()
    );
    let soon = format!("gmail_operator_sign_ins_ending_soon{labels} 1\n");
    until("the metrics", PATIENCE, async || {
        let metrics = site.metrics().await?;
        Ok(metrics.contains(&earliest) && metrics.contains(&soon))
    })
    .await?;
    // It was late for the reminder, which came all the same.
    until("the reminder", PATIENCE, async || {
        Ok(site.lab.mail.messages_in(email, "INBOX")?.len() == 1)
    })
    .await?;
    until("the note", PATIENCE, async || is_noted(&site, "box").await).await?;
    restart_writes_nothing(&mut site, 1).await?;
    let events: Api<Event> = Api::namespaced(site.client.clone(), &site.tenant);
    let events = events.list(&ListParams::default()).await?.items;
    let warnings: Vec<_> = events
        .iter()
        .filter(|event| event.reason.as_deref() == Some("SignInEndsSoon"))
        .map(|event| (event.type_.as_deref(), event.series.is_some()))
        .collect();
    assert_eq!(warnings, [(Some("Warning"), false)]);
    assert_eq!(site.lab.mail.messages_in(email, "INBOX")?.len(), 1);

    site.kubectl(&["delete", "gmailserverprofile", "google"])
        .await?;
    until("the metrics to go", PATIENCE, async || {
        Ok(!site.metrics().await?.contains(&labels))
    })
    .await
}

/// Two days before; not where none is wanted, while suspended, for a short life, or a second time.
#[tokio::test]
async fn a_reminder_two_days_before_the_end() -> Result<()> {
    let mut site = testing("reminded").await?;
    let age = 5 * DAY + HOUR;
    let email = |name: &str| format!("remind-{name}@example.com");
    signed_in(&site, "unwanted", &email("unwanted"), age, |mailbox, _| {
        mailbox["spec"]["reminders"] = "None".into()
    })
    .await?;
    signed_in(&site, "short", &email("short"), DAY, |_, grant| {
        grant.ends = Some(KnownEnd {
            at: later(grant.signed_in_at, 2 * DAY),
            cause: EndCause::TimeLimit,
        })
    })
    .await?;
    signed_in(&site, "done", &email("done"), age, |_, grant| {
        grant.reminded_for = grant.ends.map(|end| end.at)
    })
    .await?;
    signed_in(&site, "far", &email("far"), 4 * DAY, |_, _| ()).await?;
    signed_in(&site, "still", &email("still"), age, |mailbox, _| {
        mailbox["spec"]["suspend"] = true.into()
    })
    .await?;
    site.until_reason("still", "Ready", "Suspended").await?;
    for name in ["unwanted", "done", "far"] {
        site.until_reason(name, "Ready", "Enabled").await?;
    }
    site.until_reason("short", "Ready", "SignInEndsSoon")
        .await?;
    let end = signed_in(&site, "box", &email("box"), age, |_, _| ()).await?;
    until("the reminder", PATIENCE, async || {
        Ok(!site
            .lab
            .mail
            .messages_in(&email("box"), "INBOX")?
            .is_empty())
    })
    .await?;
    let mailbox = site.until_reason("box", "Ready", "Enabled").await?;
    let inbox = site.lab.mail.messages_in(&email("box"), "INBOX")?;
    let letter = plain(&inbox[0]);
    let page = sign_in_of(&mailbox).url.context("no page")?;
    for part in [
        page.as_str(),
        "Subject: Access to remind-box@example.com ends on ",
        &end.strftime("%-d %B %Y at %H:%M UTC").to_string(),
        "Auto-Submitted: auto-generated",
        "Message-ID: <reminder.",
        "Acme CRM",
        "Customer mail into the CRM",
        "Platform team, it@example.com",
        &format!("the Mailbox box in the namespace {}", site.tenant),
        "ignore this message",
    ] {
        assert!(letter.contains(part), "{part} in {letter}");
    }
    for secret in site.lab.google.issued().await? {
        assert!(!letter.contains(&secret), "a secret is in it");
    }
    until("the note", PATIENCE, async || is_noted(&site, "box").await).await?;
    tested_once_more(&site, "box", "1").await?;
    restart_writes_nothing(&mut site, 5).await?;
    assert_eq!(site.lab.mail.messages_in(&email("box"), "INBOX")?, inbox);
    for name in ["unwanted", "short", "done", "far", "still"] {
        let others = site.lab.mail.messages_in(&email(name), "INBOX")?;
        assert!(others.is_empty(), "{name}: {others:?}");
        assert_eq!(is_noted(&site, name).await?, name == "done", "{name}");
    }
    // What was only suspended is made up for.
    site.kubectl(&[
        "patch",
        "mailbox",
        "still",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":false}}"#,
    ])
    .await?;
    until("the reminder of the suspended one", PATIENCE, async || {
        Ok(site.lab.mail.messages_in(&email("still"), "INBOX")?.len() == 1)
    })
    .await
}

/// Without the soft line breaks of quoted-printable (RFC 2045 section 6.7).
fn plain(message: &str) -> String {
    message
        .replace("\r\n", "\n")
        .replace("=\n", "")
        .replace("=3D", "=")
}

const NOT_NOW: Act =
    Act::Say("451 4.3.0 Mail server temporarily rejected message. SESSION - gsmtp");
const REFUSED: Act = Act::Say("550 5.7.1 The message is refused. SESSION - gsmtp");

/// A site in Testing whose server for sending is scripted, with a Mailbox that is to be reminded.
async fn reminding(name: &str, act: Act) -> Result<(Site, Sending)> {
    let mut site = Site::new(name).await?;
    let email = format!("{name}@example.com");
    let server = MailScript::start(site.lab).await?;
    server.post.set_fault(&email, fault(At::Message, act));
    site.allow(server.smtp.port);
    site.start().await?;
    let ports = Ports {
        smtp: server.smtp.port,
        ..site.ports()
    };
    site.profile(ports, |profile| {
        in_testing(profile);
        // An answer that is held must not be given up before the operator is killed.
        profile["spec"]["processing"]["connectionTimeout"] = "60s".into();
    })
    .await?;
    signed_in(&site, "box", &email, 5 * DAY + HOUR, |_, _| ()).await?;
    Ok((site, Sending { server, email }))
}

/// The account that sends, at its server.
struct Sending {
    server: MailScript,
    email: String,
}

impl Sending {
    /// Every message that came in completely, whatever became of it.
    fn messages(&self) -> Vec<String> {
        self.server.post.sent(&self.email)
    }

    /// It is taken over from now on.
    fn mend(&self) {
        self.server.post.clear_fault(&self.email);
    }
}

#[tokio::test]
async fn a_crash_in_the_middle_sends_no_second_reminder() -> Result<()> {
    let (mut site, smtp) = reminding("remind-crash", Act::Silence).await?;
    until("the message", PATIENCE, async || {
        Ok(smtp.messages().len() == 1)
    })
    .await?;
    site.kill()?;
    assert!(is_noted(&site, "box").await?, "noted before it was sent");
    smtp.mend();
    site.start().await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    tested_once_more(&site, "box", "1").await?;
    assert_eq!(smtp.messages().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_reminder_whose_answer_is_lost_is_not_sent_again() -> Result<()> {
    let (site, smtp) = reminding("remind-lost", Act::Close).await?;
    until("the message", PATIENCE, async || {
        Ok(smtp.messages().len() == 1)
    })
    .await?;
    let mailbox = tested_once_more(&site, "box", "1").await?;
    assert_eq!(condition_of(&mailbox, "Ready").1, "Enabled");
    assert!(is_noted(&site, "box").await?);
    assert_eq!(smtp.messages().len(), 1);
    assert!(site.log()?.contains("may have arrived"));
    Ok(())
}

#[tokio::test]
async fn a_reminder_that_is_put_off_is_sent_again_with_the_same_id() -> Result<()> {
    let (site, smtp) = reminding("remind-later", NOT_NOW).await?;
    until("three tries", PATIENCE, async || {
        Ok(smtp.messages().len() >= 3)
    })
    .await?;
    let mailbox = site.until_reason("box", "Ready", "Enabled").await?;
    assert_eq!(condition_of(&mailbox, "OutgoingReady").0, "True");
    smtp.mend();
    until("the note to stay", PATIENCE, async || {
        Ok(site.log()?.contains("reminded the owner"))
    })
    .await?;
    assert!(is_noted(&site, "box").await?);
    let count = smtp.messages().len();
    tested_once_more(&site, "box", "1").await?;
    let messages = smtp.messages();
    assert_eq!(messages.len(), count);
    let ids: std::collections::BTreeSet<_> = messages
        .iter()
        .flat_map(|message| message.lines())
        .filter(|line| line.starts_with("Message-ID:"))
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    Ok(())
}

#[tokio::test]
async fn a_reminder_that_is_refused_is_given_up_and_turns_nothing_off() -> Result<()> {
    let (mut site, smtp) = reminding("remind-refused", REFUSED).await?;
    until("the refusal", PATIENCE, async || {
        Ok(site.log()?.contains("the server refused the reminder"))
    })
    .await?;
    let mailbox = tested_once_more(&site, "box", "1").await?;
    assert_eq!(condition_of(&mailbox, "Ready").1, "Enabled");
    restart_writes_nothing(&mut site, 1).await?;
    assert_eq!(smtp.messages().len(), 1);
    Ok(())
}

/// What the admin does in Google's console changes the words, and one more sign-in cures.
#[tokio::test]
async fn publishing_asks_for_one_more_sign_in() -> Result<()> {
    let site = testing("published").await?;
    let email = "published@example.com";
    site.mailbox("box", email, |_| ()).await?;
    let mailbox = site.connect("box", email).await?;
    let end = sign_in_of(&mailbox).expires_at.context("no end")?.0;
    let left = end.duration_since(Timestamp::now());
    assert!(
        left > jiff::SignedDuration::from_hours(7 * 24 - 1) && left.as_hours() < 7 * 24,
        "{end}"
    );
    // Another is near its end already, and one has met it.
    let near = signed_in(&site, "near", "near@example.com", 6 * DAY + HOUR, |_, _| ()).await?;
    site.until_reason("near", "Ready", "SignInEndsSoon").await?;
    signed_in(
        &site,
        "over",
        "over@example.com",
        7 * DAY,
        |mailbox, grant| {
            mailbox["spec"]["suspend"] = true.into();
            grant.access.expires_at = Timestamp::now();
        },
    )
    .await?;
    site.lab.google.revoke("over@example.com").await?;
    let suspend = |suspend: bool| json!({ "spec": { "suspend": suspend } }).to_string();
    site.kubectl(&[
        "patch",
        "mailbox",
        "over",
        "--type=merge",
        "-p",
        &suspend(false),
    ])
    .await?;
    let over = site
        .until_reason("over", "Ready", "ConsentExpiredTesting")
        .await?;
    let message = message_of(&over, "Ready");
    for part in ["another 7 days", "Platform admin: Publish the app"] {
        assert!(message.contains(part), "{part} in {message}");
    }

    site.profile(site.ports(), published).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    let once_more = site.until_reason("box", "Ready", "SignInOnceMore").await?;
    for condition in ["Ready", "SignedIn"] {
        assert_eq!(condition_of(&once_more, condition).0, "True");
        let message = message_of(&once_more, condition);
        for part in [end.to_string().as_str(), "once more", "it lasts"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
    let soon = site
        .until_mailbox("near", "other words", |mailbox| {
            message_of(mailbox, "Ready").contains("a new one lasts")
        })
        .await?;
    assert_eq!(condition_of(&soon, "Ready").1, "SignInEndsSoon");
    assert!(message_of(&soon, "Ready").contains(&near.to_string()));
    site.until_mailbox("over", "other words", |mailbox| {
        message_of(mailbox, "Ready").contains("Mailbox user: Sign in once more and it lasts")
    })
    .await?;
    site.connect("over", "over@example.com").await?;
    let cured = site.connect("box", email).await?;
    assert_eq!(
        (
            condition_of(&cured, "SignedIn").1.as_str(),
            sign_in_of(&cured).expires_at
        ),
        ("SignedIn", None)
    );
    Ok(())
}

/// Only a warning, and only to the one whom it concerns: Google's console decides.
#[tokio::test]
async fn who_is_no_test_user_is_told_before_the_sign_in() -> Result<()> {
    let mut site = Site::new("testers").await?;
    site.start().await?;
    let list = |users: Value| {
        move |profile: &mut Value| {
            in_testing(profile);
            profile["spec"]["oauthClient"]["consentScreen"]["testUsers"] = users;
        }
    };
    site.profile(site.ports(), list(json!(["Listed@example.com"])))
        .await?;
    site.mailbox("listed", "listed@example.com", |_| ()).await?;
    site.mailbox("other", "other@example.com", |_| ()).await?;
    let other = site
        .until_mailbox("other", "the warning", |mailbox| {
            message_of(mailbox, "Ready").contains("Audience, Test users")
        })
        .await?;
    assert_eq!(condition_of(&other, "Ready").1, "SignInRequired");
    assert!(
        !serde_json::to_string(&other)?
            .to_lowercase()
            .contains("listed")
    );
    let listed = site
        .until_reason("listed", "Ready", "SignInRequired")
        .await?;
    assert!(!message_of(&listed, "Ready").contains("refuse"));
    site.profile(
        site.ports(),
        list(json!(["listed@example.com", "other@example.com"])),
    )
    .await?;
    site.until_mailbox("other", "no warning", |mailbox| {
        !message_of(mailbox, "Ready").contains("refuse")
    })
    .await?;

    site.profile(site.ports(), |profile| {
        screen(profile, json!({ "userType": "Internal" }))
    })
    .await?;
    site.mailbox("private", "ann@gmail.com", |_| ()).await?;
    site.until_mailbox("private", "the warning", |mailbox| {
        message_of(mailbox, "Ready").contains("Internal to an organisation")
    })
    .await?;
    Ok(())
}

/// Decided at the sign-in, and not moved by a later one.
#[tokio::test]
async fn where_reading_starts_is_kept_from_the_first_sign_in() -> Result<()> {
    let mut site = Site::new("start-from").await?;
    site.start().await?;
    let profile = |from: Option<&str>| {
        let from = from.map(str::to_owned);
        move |profile: &mut Value| {
            if let Some(from) = from {
                profile["spec"]["processing"]["processEmailsFrom"] = from.into();
            }
        }
    };
    let mailbox = |from: &'static str| {
        move |mailbox: &mut Value| mailbox["spec"]["processEmailsFrom"] = from.into()
    };
    let start_of = async |name: &str| -> Result<Timestamp> {
        let data = site.grant(name).await?.data.context("no data")?;
        Ok(std::str::from_utf8(&data["start-from"].0)?.parse()?)
    };
    site.profile(site.ports(), profile(None)).await?;
    site.mailbox("none", "from-none@example.com", |_| ())
        .await?;
    site.connect("none", "from-none@example.com").await?;
    let created = site.mailboxes().get("none").await?.metadata;
    let created = created.creation_timestamp.context("no time")?.0;
    assert_eq!(start_of("none").await?, created);

    site.profile(site.ports(), profile(Some("2026-03-01T00:00:00Z")))
        .await?;
    for (name, from, start) in [
        ("earlier", "2025-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("later", "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"),
    ] {
        let email = format!("from-{name}@example.com");
        site.mailbox(name, &email, mailbox(from)).await?;
        site.connect(name, &email).await?;
        assert_eq!(start_of(name).await?, start.parse()?, "{name}");
    }
    let email = "from-later@example.com";
    let before = site.grant("later").await?.data;
    site.mailbox("later", email, mailbox("2026-09-01T00:00:00Z"))
        .await?;
    let again = site
        .sign_in("later", &Person::new(site.lab, email)?)
        .await?;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_ne!(site.grant("later").await?.data, before, "a new grant");
    assert_eq!(start_of("later").await?, "2026-05-01T00:00:00Z".parse()?);
    Ok(())
}
