//! The Mailboxes and profiles that whoever asks may see.

use std::collections::BTreeSet;

use kube::{Api, Client, Resource, ResourceExt};

use crate::api::{GmailServerProfile, Mailbox};
use crate::cluster::ClusterError;
use crate::domain::name::ObjectName;
use crate::kubectl::list::list;
use crate::kubectl::profile;

/// At most so many profiles of other namespaces are looked at, one by one.
const ELSEWHERE: usize = 50;

/// What can be seen.
pub struct Seen {
    /// All Mailboxes of the namespace, or of all.
    pub mailboxes: Vec<Mailbox>,
    /// The profiles there, and those that the Mailboxes use, as far as they may be read.
    pub profiles: Vec<GmailServerProfile>,
}

/// Looks at `namespace`, or at all of them.
///
/// # Errors
/// The Mailboxes cannot be listed.
pub async fn look(client: &Client, namespace: Option<&str>) -> Result<Seen, ClusterError> {
    let mailboxes = list(
        api::<Mailbox>(client, namespace),
        "Mailboxes",
        namespace,
        None,
    )
    .await?;
    let listed = list(
        api::<GmailServerProfile>(client, namespace),
        "GmailServerProfiles",
        namespace,
        None,
    )
    .await;
    let mut profiles = match listed {
        Err(error) if error.is_forbidden() => Vec::new(),
        listed => listed?,
    };
    let seen: BTreeSet<ObjectName> = profiles.iter().map(name_of).collect();
    let used: BTreeSet<ObjectName> = mailboxes
        .iter()
        .filter_map(|mailbox| mailbox.status.as_ref()?.profile.as_ref())
        .map(|profile| ObjectName::new(&profile.namespace, &profile.name))
        .collect();
    for name in used.difference(&seen).take(ELSEWHERE) {
        match profile::read(client, name).await {
            Err(error) if error.is_forbidden() => {}
            read => profiles.extend(read?),
        }
    }
    Ok(Seen {
        mailboxes,
        profiles,
    })
}

/// The name of a profile.
pub fn name_of(object: &impl ResourceExt) -> ObjectName {
    ObjectName::new(object.namespace().unwrap_or_default(), object.name_any())
}

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}
