//! What a test notices that succeeds: the direction is enabled, and somebody is told.

use anyhow::{Context, Result, ensure};
use gmail_operator::api::{Again, Mailbox, Reason};

use super::stage::Stage;
use super::{Broken, Row, Way, account};
use crate::lab::mail_script::{Act, At, Delivery, Folder};
use crate::lab::operator::condition_of;

const SPAM: Row = Row::new(
    "noticed-spam",
    Way::Message,
    Broken::Delivery(Delivery::Spam),
    Reason::ArrivedInSpam,
    Again::OnChange,
);

/// The messages are sent, and nobody can look for them.
const UNSEEN: Row = account(
    "noticed-unseen",
    Way::Message,
    At::Command("EXAMINE"),
    Act::Say("TAG NO [NONEXISTENT] Unknown Mailbox: INBOX (Failure)"),
    (Reason::RoundTripUnproved, Again::OnChange),
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_good_test_notices_is_told() -> Result<()> {
    let rows = [SPAM, UNSEEN];
    let stage = Stage::set(&rows).await?;
    for (n, row) in rows.iter().enumerate() {
        let made = stage.enter(n, row).await?;
        let noticed = until_told(&stage, row, row.reason).await?;
        let outgoing = noticed.status.clone().and_then(|status| status.outgoing);
        let outgoing = outgoing.context("no outgoing")?;
        ensure!(outgoing.enabled && outgoing.remark == Some(row.reason));
        let ready = condition_of(&noticed, "Ready");
        // That nobody can look is nobody's to put right, as long as nobody wants to read.
        let told = match row.reason {
            Reason::ArrivedInSpam => row.reason,
            _ => Reason::Enabled,
        };
        ensure!(
            ready == ("True".to_owned(), told.name().to_owned()),
            "{ready:?}"
        );
        stage.mend(n, row, &made).await?;
        let request = "gmail-operator.dev/test-requested-at=mended";
        let asked = ["annotate", "mailbox", row.name, request];
        stage.site.kubectl(&asked).await?;
        until_told(&stage, row, Reason::Enabled).await?;
    }
    // The receipt stays where it is; the message of the test that was asked for is put away.
    let post = &stage.script.post;
    let ours = |row: &Row, folder| post.folder(&row.email(), folder).len() - 1;
    ensure!([ours(&SPAM, Folder::Spam), ours(&SPAM, Folder::Inbox)] == [1, 0]);
    ensure!([ours(&UNSEEN, Folder::Inbox), ours(&UNSEEN, Folder::Trash)] == [1, 1]);
    ensure!(ours(&SPAM, Folder::Trash) == 1);
    Ok(())
}

async fn until_told(stage: &Stage, row: &Row, reason: Reason) -> Result<Mailbox> {
    let wanted = ("True".to_owned(), reason.name().to_owned());
    stage
        .board
        .until(row.name, reason.name(), |mailbox| {
            condition_of(mailbox, "OutgoingReady") == wanted
        })
        .await
}
