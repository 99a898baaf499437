//! Test & Enable: what works is enabled, what does not is told apart.

use anyhow::Result;
use gmail_operator::api::{DirectionState, TestRequestedBy};
use serde_json::json;

use crate::lab::operator::{PATIENCE, Ports, Site, condition_of};
use crate::lab::person::Person;
use crate::lab::until;
use crate::lab::wire::Wire;

async fn signed_in(site: &Site, name: &str) -> Result<()> {
    let email = format!("{name}@example.com");
    site.mailbox("box", &email, |_| ()).await?;
    let page = site.sign_in("box", &Person::new(site.lab, &email)?).await?;
    assert_eq!(page.status, 200, "{}", page.text);
    Ok(())
}

/// Each direction is told apart and enabled by itself.
#[tokio::test]
async fn a_refused_connection_and_what_still_works() -> Result<()> {
    let mut site = Site::new("refused-port").await?;
    let wire = Wire::to(1)?;
    wire.cut()?;
    site.allow(wire.port());
    site.start().await?;
    let ports = Ports {
        imap: wire.port(),
        ..site.ports()
    };
    site.profile(ports, |_| ()).await?;
    signed_in(&site, "refused-port").await?;
    let mailbox = site
        .until_mailbox("box", "one direction of two", |mailbox| {
            condition_of(mailbox, "IncomingReady").1 == "ConnectionRefused"
                && condition_of(mailbox, "OutgoingReady").0 == "True"
        })
        .await?;
    assert_eq!(
        condition_of(&mailbox, "Ready"),
        ("False".into(), "ConnectionRefused".into())
    );
    let status = mailbox.status.unwrap();
    let enabled = [status.incoming, status.outgoing].map(|direction| direction.unwrap().enabled);
    assert_eq!(enabled, [false, true]);
    Ok(())
}

#[tokio::test]
async fn the_mail_server_is_away_and_comes_back() -> Result<()> {
    let mut site = Site::new("away").await?;
    site.pace("tries", 3.0);
    let imap = Wire::to(site.lab.mail.imap_port)?;
    let smtp = Wire::to(site.lab.mail.smtps_port)?;
    let ports = Ports {
        imap: imap.port(),
        smtp: smtp.port(),
        ..site.ports()
    };
    site.allow(imap.port());
    site.allow(smtp.port());
    site.start().await?;
    site.profile(ports, |_| ()).await?;
    signed_in(&site, "away").await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    imap.cut()?;
    smtp.cut()?;
    site.kubectl(&[
        "annotate",
        "mailbox",
        "box",
        "gmail-operator.dev/test-requested-at=1",
    ])
    .await?;
    let down = site
        .until_reason("box", "Ready", "ConnectionRefused")
        .await?;
    assert_eq!(condition_of(&down, "SignedIn").0, "True");
    assert!(
        down.status
            .clone()
            .unwrap()
            .incoming
            .unwrap()
            .tested_at
            .is_some()
    );
    imap.restore()?;
    smtp.restore()?;
    let up = site.until_reason("box", "Ready", "Enabled").await?;
    let incoming = up.status.unwrap().incoming.unwrap();
    assert_eq!(
        incoming.last_error.map(|error| error.reason.name()),
        Some("ConnectionRefused"),
        "the last error stays beside the success"
    );
    let exchanges = site
        .token_requests()
        .await?
        .iter()
        .filter(|(grant, account)| grant == "authorization_code" && account.is_some())
        .count();
    assert_eq!(exchanges, 1, "nobody signed in again");
    Ok(())
}

/// One test for one value of the annotation; its message goes to Trash, the receipt stays.
#[tokio::test]
async fn a_test_on_demand() -> Result<()> {
    let mut site = Site::new("demand").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    signed_in(&site, "demand").await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    for value in ["first", "second"] {
        site.kubectl(&[
            "annotate",
            "--overwrite",
            "mailbox",
            "box",
            &format!("gmail-operator.dev/test-requested-at={value}"),
        ])
        .await?;
        let mailbox = site
            .until_mailbox("box", "the test to end", |mailbox| {
                let status = mailbox.status.clone().unwrap_or_default();
                status.last_handled_test_request.as_deref() == Some(value)
                    && status.test.is_some_and(|test| test.finished_at.is_some())
            })
            .await?;
        let test = mailbox.status.clone().unwrap().test.unwrap();
        assert_eq!(
            (
                test.requested_by,
                condition_of(&mailbox, "Ready").0.as_str()
            ),
            (TestRequestedBy::Annotation, "True")
        );
    }
    let (inbox, trash) = (
        site.lab.mail.messages_in("demand@example.com", "INBOX")?,
        site.lab.mail.messages_in("demand@example.com", "Trash")?,
    );
    assert_eq!((inbox.len(), trash.len()), (1, 2));
    assert!(
        inbox[0].contains("is now connected")
            && inbox[0].contains("Auto-Submitted: auto-generated")
            && inbox[0].contains("Acme CRM"),
        "{}",
        inbox[0]
    );
    Ok(())
}

#[tokio::test]
async fn no_message_where_none_is_wanted_and_directions_that_are_not_used() -> Result<()> {
    let mut site = Site::new("quiet").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("quiet", "quiet@example.com", |mailbox| {
        mailbox["spec"]["testMessage"] = "None".into()
    })
    .await?;
    site.mailbox("reader", "reader@example.com", |mailbox| {
        mailbox["spec"]["outgoing"] = json!({ "method": "None" })
    })
    .await?;
    site.connect("quiet", "quiet@example.com").await?;
    let reader = site.connect("reader", "reader@example.com").await?;
    let outgoing = reader.status.clone().unwrap().outgoing.unwrap();
    assert_eq!(
        (
            outgoing.state,
            outgoing.enabled,
            condition_of(&reader, "OutgoingReady").1.as_str()
        ),
        (DirectionState::NotUsed, false, "NotUsed")
    );
    assert!(
        site.lab
            .mail
            .messages_in("quiet@example.com", "INBOX")?
            .is_empty()
    );
    assert!(
        site.lab
            .mail
            .messages_in("reader@example.com", "INBOX")?
            .is_empty()
    );
    Ok(())
}

#[tokio::test]
async fn suspended_means_that_nothing_is_sent() -> Result<()> {
    let mut site = Site::new("suspended").await?;
    let wire = Wire::to(site.lab.mail.imap_port)?;
    site.allow(wire.port());
    site.start().await?;
    site.profile(
        Ports {
            imap: wire.port(),
            ..site.ports()
        },
        |_| (),
    )
    .await?;
    signed_in(&site, "suspended").await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    site.kubectl(&[
        "patch",
        "mailbox",
        "box",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":true}}"#,
    ])
    .await?;
    site.until_reason("box", "Ready", "Suspended").await?;
    let before = wire.connections();
    site.kubectl(&[
        "annotate",
        "mailbox",
        "box",
        "gmail-operator.dev/test-requested-at=1",
    ])
    .await?;
    site.kubectl(&[
        "patch",
        "mailbox",
        "box",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":false}}"#,
    ])
    .await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    until("the test that was asked for", PATIENCE, async || {
        Ok(wire.connections() > before)
    })
    .await
}
