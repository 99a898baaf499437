//! The main job: apply, sign in, Ready.

use anyhow::Result;

use crate::lab::operator::{Site, condition_of};

#[tokio::test]
async fn apply_sign_in_ready() -> Result<()> {
    let mut site = Site::new("connect").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    site.mailbox("support", "connect-support@example.com", |_| ())
        .await?;
    site.mailbox("sales", "connect-sales@example.com", |_| ())
        .await?;
    let waiting = site
        .until_reason("support", "Ready", "SignInRequired")
        .await?;
    assert_eq!(condition_of(&waiting, "Accepted").0, "True");
    site.connect("support", "connect-support@example.com")
        .await?;
    site.connect("sales", "connect-sales@example.com").await?;
    site.kubectl(&[
        "wait",
        "--for=condition=Ready",
        "mailbox",
        "--all",
        "--timeout=60s",
    ])
    .await?;
    let inbox = site
        .lab
        .mail
        .messages_in("connect-support@example.com", "INBOX")?;
    assert_eq!(inbox.len(), 1, "{inbox:?}");
    println!(
        "{}",
        site.kubectl(&["get", "mailboxes", "-o", "wide"]).await?
    );
    Ok(())
}
