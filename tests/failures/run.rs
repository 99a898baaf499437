//! Plays all rows at once, and tells of all that went wrong.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use gmail_operator::api::{
    Actor, Again, DirectionState, DirectionStatus, Mailbox, MailboxCondition, Reason,
};
use gmail_operator::domain::endpoints::MAIL_SCOPE;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;

use super::stage::{FIRST_PAUSE, LONGEST_BACKOFF, LONGEST_PAUSE, RETEST_FAILED, Stage};
use super::{Broken, Cure, Row, Way};
use crate::lab::operator::condition_of;

/// What a busy machine adds to any wait, in seconds.
const SLACK: f64 = 18.0;

/// The shortest wait for somebody to act: spread by up to a tenth, from an end of which status keeps whole seconds.
const SLOWLY: f64 = 0.9 * RETEST_FAILED - 1.0;

/// What comes so late was tried too seldom, and not by a busy machine.
const _: () = assert!(LONGEST_BACKOFF + SLACK < SLOWLY && LONGEST_PAUSE + SLACK < SLOWLY);

/// How long the last Event may take to be there.
const LAST_EVENT: Duration = Duration::from_secs(10);

/// What must not be told to anybody: tokens, and the ids of sessions, by their first letters.
const SECRETS: [&str; 9] = [
    "ya29.",
    "1//0",
    "a640c23a62f3amb",
    "29daeaab9e6sm",
    "n6mb44",
    "dXNlcj1",
    "GOCSPX",
    // Of Gmail's sign-in links.
    "AKgn",
    "ZGVmZ2",
];

/// Fails with every row that does.
pub async fn all(rows: &[Row]) -> Result<()> {
    let start = Instant::now();
    let stage = Stage::set(rows).await?;
    let played = Instant::now();
    let ran = join_all(rows.iter().enumerate().map(|(n, row)| run(&stage, n, row))).await;
    println!(
        "{} rows in {:.1} s, {:.1} s with the servers' start",
        rows.len(),
        played.elapsed().as_secs_f64(),
        start.elapsed().as_secs_f64()
    );
    let mut wrong: Vec<String> = rows
        .iter()
        .zip(&ran)
        .filter_map(|(row, ran)| Some(format!("{}: {:#}", row.name, ran.as_ref().err()?)))
        .collect();
    let well = rows.iter().zip(&ran).filter(|(_, ran)| ran.is_ok());
    let well: Vec<_> = well.map(|(row, _)| row).collect();
    wrong.extend(told_wrongly(&stage, &well).await?);
    ensure!(
        wrong.is_empty(),
        "{} of {} rows:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
    Ok(())
}

/// What is not told once. An Event comes after the status that it is about.
async fn told_wrongly(stage: &Stage, rows: &[&Row]) -> Result<Vec<String>> {
    let api: Api<Event> = Api::namespaced(stage.site.client.clone(), &stage.site.tenant);
    let deadline = Instant::now() + LAST_EVENT;
    loop {
        let events = api.list(&ListParams::default()).await?.items;
        let wrong = rows.iter().filter_map(|row| {
            let error = is_told_once(row, &events).err()?;
            Some(format!("{}: {error:#}", row.name))
        });
        let wrong: Vec<_> = wrong.collect();
        if wrong.is_empty() || Instant::now() > deadline {
            return Ok(wrong);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn run(stage: &Stage, n: usize, row: &Row) -> Result<()> {
    let made = stage.enter(n, row).await?;
    let name = row.reason.name();
    let failed = stage
        .board
        .until(row.name, name, |mailbox| {
            condition_of(mailbox, row.condition()).1 == name
                && condition_of(mailbox, "Ready").1 == name
        })
        .await?;
    is_told(row, &failed)?;
    let tries = stage.tries(n, row);
    stage.mend(n, row, &made).await?;
    let mended = Instant::now();
    let well = stage
        .board
        .until(row.name, "recovery", |mailbox| {
            condition_of(mailbox, "Ready").1 == "Enabled"
        })
        .await?;
    let took = mended.elapsed().as_secs_f64();
    let promised = promised(row);
    ensure!(
        took < promised + SLACK,
        "it took {took:.1} s instead of {promised}"
    );
    is_not_hurried(row, &tries, &stage.tries(n, row))?;
    if row.has_direction() {
        let error = row
            .direction(&well)?
            .last_error
            .context("the error is gone")?;
        ensure!(error.reason == row.reason, "{} is left", error.reason);
    }
    Ok(())
}

/// The longest wait before the next try, in seconds.
fn promised(row: &Row) -> f64 {
    match (row.cure, row.again) {
        (Cure::Profile | Cure::SignIn, _) | (_, Again::OnChange) => 0.0,
        (_, Again::Soon) => LONGEST_BACKOFF,
        (_, Again::AfterPause) => LONGEST_PAUSE,
        (_, Again::Slowly) => RETEST_FAILED,
    }
}

/// A server that wants fewer tries, and a person who has to act first, are given their time.
fn is_not_hurried(row: &Row, before: &[Instant], all: &[Instant]) -> Result<()> {
    let least = match (row.cure, row.again) {
        (Cure::Elsewhere, Again::AfterPause) => 0.75 * FIRST_PAUSE,
        (Cure::Elsewhere, Again::Slowly) => SLOWLY,
        _ => return Ok(()),
    };
    if !Stage::sees_tries(row) {
        return Ok(());
    }
    let last = before.last().context("the server saw no try")?;
    let next = all.get(before.len()).context("the server saw no new try")?;
    // The login that failed took its time, too.
    let gap = (*next - *last) + Duration::from_millis(100);
    ensure!(gap.as_secs_f64() >= least, "tried again after {gap:?}");
    Ok(())
}

/// Everything that a person needs, and nothing that nobody may see.
fn is_told(row: &Row, mailbox: &Mailbox) -> Result<()> {
    let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
    let condition = conditions
        .into_iter()
        .find(|c| c.type_ == row.condition())
        .context("no condition")?;
    let message = &condition.message;
    let cure = row.reason.cure();
    // What is known of this very mailbox may be better than the general cure.
    let has_cure = message.contains(cure) || row.reason == Reason::ConsentExpiredTesting;
    ensure!(has_cure, "no cure in {message}");
    let who = match row.reason {
        // Their app is Internal now.
        Reason::ConsentExpiredTesting => Actor::MailboxUser,
        reason => reason.who(),
    };
    ensure!(
        who == Actor::Nobody || message.contains(who.title()),
        "{} is not named in {message}",
        who.title()
    );
    let status = serde_json::to_string(&mailbox.status)?;
    for secret in SECRETS {
        ensure!(!status.contains(secret), "{secret} is in {status}");
    }
    if !row.has_direction() {
        return Ok(());
    }
    // A scope is no address that anybody opens.
    let told = message.replace(MAIL_SCOPE, "");
    ensure!(!told.contains("://"), "a URL is in {message}");
    let direction = row.direction(mailbox)?;
    ensure!(
        (direction.state, direction.enabled) == (DirectionState::Failure, false),
        "{:?}, enabled: {}",
        direction.state,
        direction.enabled
    );
    let error = direction.last_error.context("no error")?;
    ensure!(error.reason == row.reason, "the error is {}", error.reason);
    let reply = error.server_reply;
    let wanted = match (row.says, &reply) {
        (None, None) | (Some(""), _) => true,
        (Some(words), Some(reply)) => reply.contains(words),
        _ => false,
    };
    ensure!(
        wanted,
        "the server's words are {reply:?} instead of {:?}",
        row.says
    );
    let place = match row.broken {
        Broken::Host(host) => host,
        Broken::Server(crate::lab::mail_script::Entry::Dropped, ..) => "127.0.0.1:",
        Broken::Delivery(_) => "",
        _ => "localhost:",
    };
    ensure!(message.contains(place), "it is not said where: {message}");
    Ok(())
}

/// One Event for each transition of Ready, into the failure and out of it, and at most one of each direction.
fn is_told_once(row: &Row, events: &[Event]) -> Result<()> {
    for reason in [row.reason.name(), Reason::Enabled.name()] {
        let told = events.iter().filter(|event| {
            let of = event.regarding.as_ref().and_then(|of| of.name.as_deref());
            of == Some(row.name) && event.reason.as_deref() == Some(reason)
        });
        let mut actions = BTreeSet::new();
        for event in told {
            let action = event.action.as_deref().unwrap_or_default();
            let first = actions.insert(action) && event.series.is_none();
            ensure!(first, "the Event {reason} of {action} is told again");
        }
        ensure!(actions.contains("Reconcile"), "no Event {reason} of Ready");
    }
    Ok(())
}

impl Row {
    fn condition(&self) -> &'static str {
        match self.way {
            Way::Token if self.reason == Reason::GoogleUnavailable => {
                MailboxCondition::IncomingReady.name()
            }
            Way::Token => MailboxCondition::SignedIn.name(),
            Way::Imap | Way::Pop3 => MailboxCondition::IncomingReady.name(),
            Way::Smtp | Way::Submission | Way::Message => MailboxCondition::OutgoingReady.name(),
        }
    }

    fn has_direction(&self) -> bool {
        self.way != Way::Token && self.reason != Reason::EndpointNotAllowed
    }

    fn direction(&self, mailbox: &Mailbox) -> Result<DirectionStatus> {
        let status = mailbox.status.clone().context("no status")?;
        let direction = match self.way {
            Way::Imap | Way::Pop3 | Way::Token => status.incoming,
            Way::Smtp | Way::Submission | Way::Message => status.outgoing,
        };
        direction.context("no direction")
    }
}
