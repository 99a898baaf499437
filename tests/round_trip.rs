//! The test's message, what it costs, and what ends or holds a test.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gmail_operator::api::{DirectionState, Mailbox, Reason, TestRequestedBy};
use serde_json::json;

use crate::lab::operator::{PATIENCE, Ports, Site, condition_of};
use crate::lab::person::Person;
use crate::lab::until;
use crate::lab::wire::Wire;

/// How soon a change must end what it makes needless.
const SOON: Duration = Duration::from_secs(2);

async fn sign_in(site: &Site, name: &str, email: &str) -> Result<()> {
    let page = site.sign_in(name, &Person::new(site.lab, email)?).await?;
    ensure!(page.status == 200, "{}", page.text);
    Ok(())
}

async fn ask(site: &Site, value: &str) -> Result<Mailbox> {
    let request = format!("gmail-operator.dev/test-requested-at={value}");
    site.kubectl(&["annotate", "--overwrite", "mailbox", "box", &request])
        .await?;
    site.until_mailbox("box", "the test to end", |mailbox| {
        let status = mailbox.status.clone().unwrap_or_default();
        status.last_handled_test_request.as_deref() == Some(value)
            && status.test.is_some_and(|test| test.finished_at.is_some())
    })
    .await
}

async fn suspend(site: &Site, suspended: bool) -> Result<()> {
    let patch = json!({ "spec": { "suspend": suspended } }).to_string();
    site.kubectl(&["patch", "mailbox", "box", "--type=merge", "-p", &patch])
        .await
        .map(drop)
}

/// The headers of a message, each on one line.
fn headers(message: &str) -> String {
    let head = message.replace("\r\n", "\n");
    let head = head.split("\n\n").next().unwrap_or_default();
    head.replace("\n ", " ")
}

/// A server that says nothing has a minute for its answer; nobody waits for that, and the connection's
/// place is the next one's.
#[tokio::test]
async fn a_change_ends_a_running_step() -> Result<()> {
    let mut site = Site::new("cancel").await?;
    let imap = Wire::to(site.lab.mail.imap_port)?;
    site.allow(imap.port());
    site.start().await?;
    let ports = Ports {
        imap: imap.port(),
        ..site.ports()
    };
    site.profile(ports, |profile| {
        profile["spec"]["processing"] =
            json!({ "connectionTimeout": "60s", "maxConcurrentConnections": 1 });
    })
    .await?;
    let email = "cancel@example.com";
    site.mailbox("box", email, |_| ()).await?;
    imap.hang()?;
    sign_in(&site, "box", email).await?;
    let hangs = |seen: u64| {
        let imap = &imap;
        async move {
            until("a connection", PATIENCE, async || {
                Ok(imap.connections() > seen)
            })
            .await
        }
    };
    hangs(0).await?;
    let changed = Instant::now();
    suspend(&site, true).await?;
    site.until_reason("box", "Ready", "Suspended").await?;
    ensure!(changed.elapsed() < SOON, "{:?}", changed.elapsed());

    // It goes on where it was, and a sign-out ends it, too.
    let seen = imap.connections();
    suspend(&site, false).await?;
    hangs(seen).await?;
    let changed = Instant::now();
    let request = format!(
        "gmail-operator.dev/sign-out-requested-at={}",
        jiff::Timestamp::now() + Duration::from_secs(1)
    );
    site.kubectl(&["annotate", "mailbox", "box", &request])
        .await?;
    site.until_reason("box", "Ready", "SignInRequired").await?;
    ensure!(changed.elapsed() < SOON + SOON, "{:?}", changed.elapsed());

    imap.restore()?;
    site.mailbox("other", "cancel-other@example.com", |_| ())
        .await?;
    let freed = Instant::now();
    site.connect("other", "cancel-other@example.com").await?;
    ensure!(
        freed.elapsed() < Duration::from_secs(30),
        "the place was kept"
    );
    Ok(())
}

/// The receipt counts; then the logins alone are tested.
#[tokio::test]
async fn a_mailbox_gets_so_many_messages() -> Result<()> {
    let mut site = Site::new("used-up").await?;
    site.pace("messages-at-most", 2.0);
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let email = "used-up@example.com";
    site.mailbox("box", email, |_| ()).await?;
    site.connect("box", email).await?;
    let second = ask(&site, "second").await?;
    ensure!(condition_of(&second, "OutgoingReady") == ("True".into(), "Enabled".into()));
    let third = ask(&site, "third").await?;
    ensure!(
        condition_of(&third, "OutgoingReady") == ("True".into(), "MessagesUsedUp".into()),
        "{:?}",
        condition_of(&third, "OutgoingReady")
    );
    ensure!(condition_of(&third, "Ready") == ("True".into(), "Enabled".into()));
    let outgoing = third.status.and_then(|status| status.outgoing);
    ensure!(outgoing.context("no outgoing")?.remark == Some(Reason::MessagesUsedUp));
    let mail = &site.lab.mail;
    ensure!(mail.messages_in(email, "INBOX")?.len() == 1);
    ensure!(mail.messages_in(email, "Trash")?.len() == 1);
    let data = site.grant("box").await?.data.unwrap_or_default();
    let sent = data.get("messages-sent-at").context("no times")?;
    ensure!(String::from_utf8(sent.0.clone())?.split(' ').count() == 2);
    Ok(())
}

/// Two requests within the time that is between two tests are answered by one test, at its end.
#[tokio::test]
async fn a_second_request_waits() -> Result<()> {
    let gap = Duration::from_secs(4);
    let mut site = Site::new("waits").await?;
    site.pace("between-requested-tests", gap.as_secs_f64());
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "waits@example.com", |_| ()).await?;
    site.connect("box", "waits@example.com").await?;
    let first = test_of(&ask(&site, "first").await?)?;
    let request = "gmail-operator.dev/test-requested-at=lost";
    site.kubectl(&["annotate", "--overwrite", "mailbox", "box", request])
        .await?;
    let second = test_of(&ask(&site, "second").await?)?;
    let apart = second.started_at.0.duration_since(first.started_at.0);
    ensure!(apart.as_secs() >= gap.as_secs() as i64, "{apart:?}");
    ensure!(second.requested_by == TestRequestedBy::Annotation);
    ensure!(
        site.lab
            .mail
            .messages_in("waits@example.com", "Trash")?
            .len()
            == 2
    );
    Ok(())
}

fn test_of(mailbox: &Mailbox) -> Result<gmail_operator::api::TestStatus> {
    let status = mailbox.status.as_ref().context("no status")?;
    status.test.clone().context("no test")
}

/// Its messages are looked for over IMAP all the same.
#[tokio::test]
async fn a_pop3_mailbox() -> Result<()> {
    let mut site = Site::new("pop").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "pop@example.com", |mailbox| {
        mailbox["spec"]["incoming"] = json!({ "protocol": "POP3" });
    })
    .await?;
    let mailbox = site.connect("box", "pop@example.com").await?;
    for condition in ["IncomingReady", "OutgoingReady"] {
        ensure!(condition_of(&mailbox, condition) == ("True".into(), "Enabled".into()));
    }
    ensure!(site.lab.mail.messages_in("pop@example.com", "INBOX")?.len() == 1);
    let metrics = site.metrics().await?;
    for step in ["Pop3", "Smtp", "RoundTrip"] {
        let series = format!("test_step_duration_seconds_count{{step=\"{step}\"}} 1");
        ensure!(metrics.contains(&series), "no {series} in {metrics}");
    }
    Ok(())
}

/// Where IMAP is closed for good, what the server took is all the proof there is; where it is away, it
/// is waited for a while.
#[tokio::test]
async fn a_round_trip_that_nobody_can_see() -> Result<()> {
    let mut site = Site::new("unseen").await?;
    let imap = Wire::to(site.lab.mail.imap_port)?;
    site.allow(imap.port());
    site.start().await?;
    let ports = Ports {
        imap: imap.port(),
        ..site.ports()
    };
    site.profile(ports, |_| ()).await?;
    imap.cut()?;
    site.mailbox("box", "unseen@example.com", |mailbox| {
        mailbox["spec"]["incoming"] = json!({ "protocol": "POP3" });
    })
    .await?;
    let mailbox = site.connect("box", "unseen@example.com").await?;
    ensure!(condition_of(&mailbox, "OutgoingReady") == ("True".into(), "RoundTripUnproved".into()));
    until("the receipt", PATIENCE, async || {
        Ok(site
            .lab
            .mail
            .messages_in("unseen@example.com", "INBOX")?
            .len()
            == 1)
    })
    .await
}

/// Whoever signed in gets the receipt from the first test that can send it.
#[tokio::test]
async fn the_receipt_comes_when_sending_works() -> Result<()> {
    let mut site = Site::new("receipt").await?;
    site.pace("tries", 2.0);
    let smtp = Wire::to(site.lab.mail.smtps_port)?;
    site.allow(smtp.port());
    site.start().await?;
    let ports = Ports {
        smtp: smtp.port(),
        ..site.ports()
    };
    site.profile(ports, |_| ()).await?;
    let email = "receipt@example.com";
    site.mailbox("box", email, |_| ()).await?;
    smtp.cut()?;
    sign_in(&site, "box", email).await?;
    let off = site
        .until_mailbox("box", "sending to be turned off", |mailbox| {
            let status = mailbox.status.clone().unwrap_or_default();
            status.outgoing.is_some_and(|outgoing| {
                outgoing.state == DirectionState::Failure && outgoing.tested_at.is_some()
            })
        })
        .await?;
    ensure!(condition_of(&off, "OutgoingReady").1 == "ConnectionRefused");
    let message = off.status.as_ref().and_then(|status| {
        let conditions = status.conditions.iter();
        let outgoing = conditions.into_iter().find(|c| c.type_ == "OutgoingReady");
        outgoing.map(|outgoing| outgoing.message.clone())
    });
    ensure!(message.is_some_and(|said| said.contains("The next try comes in seconds to minutes.")));
    ensure!(site.lab.mail.messages_in(email, "INBOX")?.is_empty());
    smtp.restore()?;
    site.until_reason("box", "Ready", "Enabled").await?;
    let inbox = site.lab.mail.messages_in(email, "INBOX")?;
    ensure!(inbox.len() == 1, "{inbox:?}");
    let subject = format!(
        "Subject: {email} is now connected ({}/box in lab)",
        site.tenant
    );
    ensure!(headers(&inbox[0]).contains(&subject), "{}", inbox[0]);
    let events = site.kubectl(&["get", "events"]).await?;
    ensure!(events.contains("ConnectionRefused"), "{events}");
    Ok(())
}

/// Google cannot say whether the token or the mail server is wrong: nothing is turned off for that.
#[tokio::test]
async fn a_refused_login_is_held_while_google_is_down() -> Result<()> {
    let mut site = Site::new("held").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let email = "held@example.com";
    site.mailbox("box", email, |_| ()).await?;
    site.connect("box", email).await?;
    let google = &site.lab.google;
    google
        .set_fault(&site.client_id, 503, json!("busy"))
        .await?;
    // The mail server learns of it at once.
    google.revoke(email).await?;
    let request = "gmail-operator.dev/test-requested-at=now";
    site.kubectl(&["annotate", "mailbox", "box", request])
        .await?;
    let held = site
        .until_mailbox("box", "the test to be held", |mailbox| {
            let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
            let mut incoming = conditions
                .into_iter()
                .filter(|c| c.type_ == "IncomingReady");
            incoming.any(|c| c.message.contains("is held: Google is not answering"))
        })
        .await?;
    ensure!(condition_of(&held, "SignedIn").0 == "True");
    ensure!(condition_of(&held, "IncomingReady").0 == "True");
    let incoming = held
        .status
        .as_ref()
        .and_then(|status| status.incoming.clone());
    let incoming = incoming.context("no incoming")?;
    ensure!(
        incoming.state != DirectionState::Failure && incoming.last_error.is_none(),
        "{incoming:?}"
    );
    google.clear_fault(&site.client_id).await?;
    site.until_reason("box", "SignedIn", "ConsentExpired")
        .await?;
    Ok(())
}
