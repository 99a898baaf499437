//! An address that is an alias: its account signs in, and a message to the alias proves that it is one.

use anyhow::{Result, ensure};

use crate::lab::operator::{Site, condition_of};
use crate::lab::person::Person;

async fn site(name: &str, alias: &str, account: &str) -> Result<Site> {
    let mut site = Site::new(name).await?;
    site.pace("arrival", 3.0);
    site.pace("tries", 2.0);
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", alias, |mailbox| {
        mailbox["spec"]["googleAccount"] = account.into();
    })
    .await?;
    Ok(site)
}

#[tokio::test]
async fn an_alias_is_proved_by_the_message_that_arrives() -> Result<()> {
    let (alias, account) = ("team.alias@example.com", "owner.alias@example.com");
    let site = site("alias", alias, account).await?;
    site.lab.mail.alias(alias, account)?;
    let page = site.sign_in("box", &Person::new(site.lab, alias)?).await?;
    ensure!(
        page.words()?.contains("Reason: WrongAccount"),
        "an alias cannot sign in: {}",
        page.text
    );
    let mailbox = site.connect("box", account).await?;
    let signed_in = mailbox.status.and_then(|status| status.sign_in?.account);
    ensure!(signed_in.as_deref() == Some(account));
    let inbox = site.lab.mail.messages_in(account, "INBOX")?;
    ensure!(inbox.len() == 1 && inbox[0].contains(alias), "{inbox:?}");
    Ok(())
}

/// Its mail goes to somebody else: then this account may send as the alias for all we know, but what is sent
/// to it is not to be read here.
#[tokio::test]
async fn an_address_that_is_no_alias_is_not_enabled() -> Result<()> {
    let account = "owner.noalias@example.com";
    let site = site("alias", "team.noalias@example.com", account).await?;
    site.sign_in("box", &Person::new(site.lab, account)?)
        .await?;
    let mailbox = site
        .until_reason("box", "OutgoingReady", "MessageNotArrived")
        .await?;
    ensure!(condition_of(&mailbox, "Ready").0 == "False");
    Ok(())
}
