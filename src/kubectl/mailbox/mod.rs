//! The mailbox half: a mail with the link, what is not right, and an end.

pub mod link;
pub mod sign_out;
pub mod status;
pub mod test;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Api, Client};

use super::access::AccessFlags;
use super::conditions::find;
use super::error::CommandError;
use super::profile;
use crate::api::{GmailServerProfile, Mailbox, MailboxCondition};
use crate::cluster::{ClusterError, call};
use crate::domain::name::ObjectName;

/// The Mailbox.
///
/// # Errors
/// It is not there, or cannot be read.
async fn read(client: &Client, name: &ObjectName) -> Result<Mailbox, CommandError> {
    let api: Api<Mailbox> = Api::namespaced(client.clone(), &name.namespace);
    match call(
        || format!("reading the Mailbox {name}"),
        api.get(&name.name),
    )
    .await
    {
        Ok(mailbox) => Ok(mailbox),
        Err(error) if error.names_missing_object() => Err(CommandError::Failed(format!(
            "there is no Mailbox {} in the namespace {}: `kubectl get mailboxes --all-namespaces` lists what there is",
            name.name, name.namespace
        ))),
        Err(error) => Err(error.into()),
    }
}

/// The profile that the Mailbox uses, if it is there and whoever runs this may read it: an app team
/// need not see a profile of another namespace.
///
/// # Errors
/// The API server has another trouble.
async fn profile_of(
    client: &Client,
    mailbox: &Mailbox,
) -> Result<Option<GmailServerProfile>, ClusterError> {
    let in_use = mailbox.status.as_ref().and_then(|s| s.profile.as_ref());
    let Some(in_use) = in_use else {
        return Ok(None);
    };
    let name = ObjectName::new(&in_use.namespace, &in_use.name);
    match profile::read(client, &name).await {
        Err(error) if error.is_forbidden() => Ok(None),
        read => read,
    }
}

/// One condition of a Mailbox.
fn condition(mailbox: &Mailbox, which: MailboxCondition) -> Option<&Condition> {
    find(&mailbox.status.as_ref()?.conditions, which.name())
}

/// Whether a condition is True.
fn holds(mailbox: &Mailbox, which: MailboxCondition) -> bool {
    condition(mailbox, which).is_some_and(|condition| condition.status == "True")
}

/// The command again, for the same cluster: `kubectl gmail WHAT NAME --namespace …`.
fn command(what: &str, name: &ObjectName, access: &AccessFlags) -> String {
    format!(
        "kubectl gmail {what} {}{}",
        name.name,
        access.again(&name.namespace)
    )
}
