//! The operator dies in each step and is started again: nothing is lost, repeated or re-tested, and
//! there is no second message.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use gmail_operator::api::{Mailbox, TestStep};

use crate::lab::operator::{PATIENCE, Ports, Site, condition_of};
use crate::lab::person::Person;
use crate::lab::until;
use crate::lab::wire::Wire;

struct Story {
    site: Site,
    imap: Wire,
    smtp: Wire,
    email: String,
}

impl Story {
    async fn new(name: &str) -> Result<Story> {
        let mut site = Site::new("crash").await?;
        let (imap, smtp) = (
            Wire::to(site.lab.mail.imap_port)?,
            Wire::to(site.lab.mail.smtps_port)?,
        );
        site.allow(imap.port());
        site.allow(smtp.port());
        site.start().await?;
        let ports = Ports {
            imap: imap.port(),
            smtp: smtp.port(),
            ..site.ports()
        };
        // A server that hangs must not be given up before the operator is killed.
        site.profile(ports, |profile| {
            profile["spec"]["processing"]["connectionTimeout"] = "60s".into()
        })
        .await?;
        let email = format!("{name}@example.com");
        site.mailbox("box", &email, |_| ()).await?;
        Ok(Story {
            site,
            imap,
            smtp,
            email,
        })
    }

    async fn sign_in(&self) -> Result<()> {
        let page = self
            .site
            .sign_in("box", &Person::new(self.site.lab, &self.email)?)
            .await?;
        assert_eq!(page.status, 200, "{}", page.text);
        Ok(())
    }

    async fn in_step(&self, step: TestStep) -> Result<Mailbox> {
        self.site
            .until_mailbox("box", &format!("{step:?}"), |mailbox| {
                test_of(mailbox).is_some_and(|test| test.step == step)
            })
            .await
    }

    /// Starts again, and checks that the same test went on to its end, with one receipt in the inbox.
    async fn goes_on(mut self, before: &Mailbox) -> Result<()> {
        self.imap.restore()?;
        self.smtp.restore()?;
        self.site.start().await?;
        let after = self.site.until_reason("box", "Ready", "Enabled").await?;
        let (before, after) = (
            test_of(before).context("no test before")?,
            test_of(&after).context("no test after")?,
        );
        assert_eq!(
            (before.id, before.started_at),
            (after.id, after.started_at),
            "it was tested again"
        );
        let inbox = self.site.lab.mail.messages_in(&self.email, "INBOX")?;
        assert_eq!(inbox.len(), 1, "receipts: {inbox:?}");
        let exchanges = self
            .site
            .token_requests()
            .await?
            .iter()
            .filter(|(grant, account)| grant == "authorization_code" && account.is_some())
            .count();
        assert_eq!(exchanges, 1, "signed in again");
        self.rests().await
    }

    /// Started once more, it does nothing at all.
    async fn rests(&mut self) -> Result<()> {
        until("the counts", PATIENCE, async || {
            let profile = self.site.profiles().get("google").await?;
            Ok(profile
                .status
                .and_then(|status| status.mailboxes)
                .is_some_and(|counts| counts.ready == 1))
        })
        .await?;
        self.site.kill()?;
        let (writes, requests) = (self.site.writes()?.len(), self.account_requests().await?);
        let connections = (self.imap.connections(), self.smtp.connections());
        self.site.start().await?;
        let looked = async || {
            Ok(self
                .site
                .metrics()
                .await?
                .contains("reconciles_total{kind=\"Mailbox\",result=\"Ok\"}"))
        };
        until("the Mailbox to be looked at", PATIENCE, looked).await?;
        until("the profile's client to be checked", PATIENCE, async || {
            Ok(self
                .site
                .metrics()
                .await?
                .contains("kind=\"GmailServerProfile\",result=\"Ok\""))
        })
        .await?;
        assert_eq!(
            self.account_requests().await?,
            requests,
            "a token was renewed though it is fresh"
        );
        assert_eq!(
            (self.imap.connections(), self.smtp.connections()),
            connections,
            "it was tested again"
        );
        let new: Vec<_> = self.site.writes()?.split_off(writes);
        assert!(new.is_empty(), "a restart wrote {new:?}");
        Ok(())
    }

    /// Requests about an account: the check of the client has none.
    async fn account_requests(&self) -> Result<usize> {
        Ok(self
            .site
            .token_requests()
            .await?
            .iter()
            .filter(|(_, account)| account.is_some())
            .count())
    }
}

fn test_of(mailbox: &Mailbox) -> Option<gmail_operator::api::TestStatus> {
    mailbox.status.as_ref()?.test.clone()
}

#[tokio::test]
async fn in_the_incoming_step() -> Result<()> {
    let mut story = Story::new("crash-incoming").await?;
    story.imap.hang()?;
    story.sign_in().await?;
    let before = story.in_step(TestStep::Incoming).await?;
    until("a connection", PATIENCE, async || {
        Ok(story.imap.connections() > 0)
    })
    .await?;
    story.site.kill()?;
    story.goes_on(&before).await
}

#[tokio::test]
async fn in_the_outgoing_step() -> Result<()> {
    let mut story = Story::new("crash-outgoing").await?;
    story.smtp.hang()?;
    story.sign_in().await?;
    let before = story.in_step(TestStep::Outgoing).await?;
    until("a connection", PATIENCE, async || {
        Ok(story.smtp.connections() > 0)
    })
    .await?;
    story.site.kill()?;
    story.goes_on(&before).await
}

/// The message is on its way, and arrives while nobody is there to see it.
#[tokio::test]
async fn in_the_round_trip_after_the_message_was_sent() -> Result<()> {
    let mut story = Story::new("slow-crash-sent").await?;
    story.sign_in().await?;
    let before = story.in_step(TestStep::RoundTrip).await?;
    until("the message to be noted", PATIENCE, async || {
        Ok(story
            .site
            .grant("box")
            .await?
            .data
            .unwrap_or_default()
            .contains_key("message-sent-by"))
    })
    .await?;
    // The relay holds it for three seconds; the note is written just before it is sent.
    until("the message to be with the relay", PATIENCE, async || {
        Ok(story.site.lab.mail.relayed(&story.email)? > 0)
    })
    .await?;
    story.site.kill()?;
    story.goes_on(&before).await
}

/// Killed with the round trip written but nothing sent: the message is sent by the next life.
#[tokio::test]
async fn in_the_round_trip_before_the_message_was_sent() -> Result<()> {
    let mut story = Story::new("crash-unsent").await?;
    story.smtp.hang()?;
    story.sign_in().await?;
    story.in_step(TestStep::Outgoing).await?;
    until("a connection", PATIENCE, async || {
        Ok(story.smtp.connections() > 0)
    })
    .await?;
    let login = story.smtp.connections();
    story.smtp.hang_new()?;
    let before = story.in_step(TestStep::RoundTrip).await?;
    until("the connection for the message", PATIENCE, async || {
        Ok(story.smtp.connections() > login)
    })
    .await?;
    story.site.kill()?;
    let data = story.site.grant("box").await?.data.unwrap_or_default();
    assert!(!data.contains_key("message-sent-by"));
    story.goes_on(&before).await
}

/// Killed after each of its writes, whatever it was about to do then: no test sends a second message.
#[tokio::test]
async fn after_each_write() -> Result<()> {
    let mut story = Story::new("crash-writes").await?;
    story.site.pace("arrival", 1.0);
    story.site.pace("tries", 2.0);
    story.sign_in().await?;
    for _ in 0..15 {
        let (site, before) = (&story.site, story.site.writes()?.len());
        let mut ready = false;
        until("another write, or the end", PATIENCE, async || {
            let mailbox = site.mailboxes().get("box").await?;
            ready = condition_of(&mailbox, "Ready") == ("True".into(), "Enabled".into());
            Ok(ready || site.writes()?.len() > before)
        })
        .await?;
        if ready {
            break;
        }
        story.site.kill()?;
        story.site.start_again().await?;
    }
    story.site.until_reason("box", "Ready", "Enabled").await?;
    // Killed between the note and the message, a test looks for it in vain, and the next test sends its own.
    let mail = &story.site.lab.mail;
    let mut messages = mail.messages_in(&story.email, "INBOX")?;
    messages.extend(mail.messages_in(&story.email, "Trash")?);
    let ids: Vec<_> = messages.iter().filter_map(|m| message_id(m)).collect();
    assert!(!ids.is_empty() && ids.len() == mail.relayed(&story.email)?);
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    Ok(())
}

fn message_id(message: &str) -> Option<&str> {
    message
        .lines()
        .find_map(|line| line.strip_prefix("Message-ID: "))
}

/// Between the consent and the grant: nothing is half stored, and the owner can sign in again.
#[tokio::test]
async fn in_the_callback() -> Result<()> {
    let mut story = Story::new("crash-callback").await?;
    let url = story.site.sign_in_url("box").await?;
    story
        .site
        .lab
        .google
        .set_delay(&story.site.client_id, Duration::from_secs(30))
        .await?;
    let person = Person::new(story.site.lab, &story.email)?;
    let before = story.site.token_requests().await?.len();
    let signing_in = tokio::spawn(async move { person.sign_in(&url).await });
    until("the exchange", PATIENCE, async || {
        story.site.pending_token_requests(before).await
    })
    .await?;
    story.site.kill()?;
    assert!(signing_in.await?.is_err());
    assert!(story.site.grant("box").await.is_err());
    story
        .site
        .lab
        .google
        .clear_fault(&story.site.client_id)
        .await?;
    story.site.start().await?;
    story.site.connect("box", &story.email).await?;
    assert_eq!(
        story
            .site
            .lab
            .mail
            .messages_in(&story.email, "INBOX")?
            .len(),
        1
    );
    Ok(())
}

/// Killed while a renewal waits for Google's answer.
#[tokio::test]
async fn in_a_renewal() -> Result<()> {
    let mut story = Story::new("crash-renewal").await?;
    story
        .site
        .lab
        .google
        .set_access_token_life(&story.site.client_id, Duration::from_secs(8))
        .await?;
    story.sign_in().await?;
    story.site.until_reason("box", "Ready", "Enabled").await?;
    story
        .site
        .lab
        .google
        .set_delay(&story.site.client_id, Duration::from_secs(30))
        .await?;
    let before = story.site.token_requests().await?.len();
    until("the renewal", PATIENCE, async || {
        story.site.pending_token_requests(before).await
    })
    .await?;
    story.site.kill()?;
    story
        .site
        .lab
        .google
        .clear_fault(&story.site.client_id)
        .await?;
    let dead = story.site.grant("box").await?;
    story.site.start().await?;
    until("the renewal", PATIENCE, async || {
        Ok(story.site.grant("box").await?.data != dead.data)
    })
    .await?;
    let mailbox = story.site.mailboxes().get("box").await?;
    assert_eq!(condition_of(&mailbox, "Ready").0, "True");
    Ok(())
}

#[tokio::test]
async fn at_rest() -> Result<()> {
    let mut story = Story::new("crash-rest").await?;
    story.sign_in().await?;
    story.site.until_reason("box", "Ready", "Enabled").await?;
    story.rests().await
}

/// SIGTERM: what is going on comes to its end, and the Lease is given back.
#[tokio::test]
async fn orderly() -> Result<()> {
    let mut story = Story::new("crash-orderly").await?;
    story.sign_in().await?;
    story.site.until_reason("box", "Ready", "Enabled").await?;
    assert!(story.site.stop()?.success());
    let holder = story
        .site
        .lab
        .control_plane
        .kubectl([
            "get",
            "lease",
            "gmail-operator",
            "-n",
            &story.site.namespace,
            "-o",
            "jsonpath={.spec.holderIdentity}",
        ])
        .await?;
    assert_eq!(holder, "");
    Ok(())
}

/// Two replicas: one leads, and when it dies the other goes on.
#[tokio::test]
async fn with_another_replica() -> Result<()> {
    let mut story = Story::new("crash-replica").await?;
    story.site.pace("lease-duration", 3.0);
    story.site.pace("lease-deadline", 2.0);
    story.sign_in().await?;
    story.site.until_reason("box", "Ready", "Enabled").await?;
    let second = story.site.second_replica()?;
    story.site.kill()?;
    let grown = story
        .site
        .mailbox_manifest("later", "crash-later@example.com");
    story.site.apply(&grown).await?;
    story
        .site
        .until_reason("later", "Ready", "SignInRequired")
        .await?;
    drop(second);
    Ok(())
}
