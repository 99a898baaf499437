//! What people made: profiles, Mailboxes, the Events about them and the Secrets that they name.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Event, Secret};
use kube::Api;
use kube::api::{ListParams, PartialObjectMeta};
use serde_json::{Value, json};

use super::document::Document;
use super::reader::{Kind, Reader};
use crate::api::{GmailServerProfile, Mailbox};
use crate::domain::name::ObjectName;

/// At most so many profiles of other namespaces are read, one by one.
const ELSEWHERE: usize = 50;
/// At most so many Secrets are asked for, one by one.
const SECRETS: usize = 300;

/// Everything of `namespace`, or of all of them.
pub async fn documents(reader: &mut Reader, namespace: Option<&str>) -> Vec<Document> {
    let all = ListParams::default;
    let mailboxes = Kind::of::<Mailbox>("Mailboxes");
    let mailboxes = reader.list(&mailboxes, namespace, all()).await;
    let kind = Kind::of::<GmailServerProfile>("GmailServerProfiles");
    let mut profiles = reader.list(&kind, namespace, all()).await;
    let mut elsewhere = elsewhere(&mailboxes, &profiles);
    if elsewhere.len() > ELSEWHERE {
        reader.note(format!(
            "profiles of other namespaces that Mailboxes use: only the first {ELSEWHERE} of {} were read",
            elsewhere.len()
        ));
        elsewhere.truncate(ELSEWHERE);
    }
    for name in &elsewhere {
        let profile = reader.get(&kind, Some(&name.namespace), &name.name).await;
        profiles.extend(profile);
    }
    let events = events(reader, namespace, &elsewhere).await;
    let secrets = named_secrets(&mailboxes, &profiles);
    let secrets = secrets_of(reader, &secrets).await;
    let objects = profiles.into_iter().chain(mailboxes).chain(events);
    let mut documents: Vec<Document> = objects.map(Document::object).collect();
    documents.push(Document::new(
        "Secrets that they name: whether they are there. Their contents were not asked for",
        json!({ "secrets": secrets }),
    ));
    documents
}

/// The profiles that Mailboxes use and that are not among `seen`.
fn elsewhere(mailboxes: &[Value], seen: &[Value]) -> Vec<ObjectName> {
    let seen: BTreeSet<ObjectName> = seen.iter().filter_map(name_of).collect();
    let used = mailboxes.iter().filter_map(|mailbox| {
        let profile = mailbox.pointer("/status/profile")?;
        let part = |name| profile.get(name).and_then(Value::as_str);
        Some(ObjectName::new(part("namespace")?, part("name")?))
    });
    let used: BTreeSet<ObjectName> = used.collect();
    used.difference(&seen).cloned().collect()
}

fn name_of(object: &Value) -> Option<ObjectName> {
    let part = |path| object.pointer(path).and_then(Value::as_str);
    Some(ObjectName::new(
        part("/metadata/namespace")?,
        part("/metadata/name")?,
    ))
}

/// About the objects of the namespace, and about profiles of other ones.
async fn events(
    reader: &mut Reader,
    namespace: Option<&str>,
    profiles: &[ObjectName],
) -> Vec<Value> {
    let kind = Kind::of::<Event>("Events");
    let mut all = Vec::new();
    for about in ["Mailbox", "GmailServerProfile"] {
        let params = ListParams::default().fields(&format!("involvedObject.kind={about}"));
        all.extend(reader.list(&kind, namespace, params).await);
    }
    for ObjectName { namespace, name } in profiles {
        let about = format!("involvedObject.kind=GmailServerProfile,involvedObject.name={name}");
        let params = ListParams::default().fields(&about);
        all.extend(reader.list(&kind, Some(namespace), params).await);
    }
    all
}

/// Those with the OAuth clients of `profiles`, and those for the workloads of `mailboxes`.
fn named_secrets(mailboxes: &[Value], profiles: &[Value]) -> BTreeSet<ObjectName> {
    const PATHS: [&str; 4] = [
        "/spec/oauthClient/credentialsSecretRef/name",
        "/spec/oauthClient/clientSecretRef/name",
        "/spec/accessTokenSecret/name",
        "/status/binding/name",
    ];
    let objects = mailboxes.iter().chain(profiles);
    let named = objects.filter_map(|object| {
        let namespace = name_of(object)?.namespace;
        let names = PATHS
            .iter()
            .filter_map(|path| object.pointer(path)?.as_str());
        let names: Vec<_> = names
            .map(|name| ObjectName::new(&namespace, name))
            .collect();
        Some(names)
    });
    named.flatten().collect()
}

async fn secrets_of(reader: &mut Reader, names: &BTreeSet<ObjectName>) -> Vec<Value> {
    if names.len() > SECRETS {
        reader.note(format!(
            "Secrets that profiles and Mailboxes name: only the first {SECRETS} of {} were asked for",
            names.len()
        ));
    }
    let mut all = Vec::new();
    let mut closed = BTreeSet::new();
    for name in names.iter().take(SECRETS) {
        // Whoever may not read one there may read none: once is enough to say so.
        if closed.contains(&name.namespace) {
            continue;
        }
        let api: Api<Secret> = Api::namespaced(reader.client.clone(), &name.namespace);
        let doing = format!("asking whether the Secret {name} is there");
        match reader.read(doing, api.get_metadata_opt(&name.name)).await {
            Some(Some(found)) => all.push(without_contents(&found)),
            Some(None) => {
                all.push(json!({ "namespace": name.namespace, "name": name.name, "found": false }))
            }
            None => {
                closed.insert(&name.namespace);
            }
        }
    }
    all
}

/// What may be told of a Secret. Its annotations may have its contents in them: `kubectl apply` puts
/// them there.
pub fn without_contents(secret: &PartialObjectMeta<Secret>) -> Value {
    let metadata = &secret.metadata;
    json!({
        "namespace": metadata.namespace,
        "name": metadata.name,
        "found": true,
        "createdAt": metadata.creation_timestamp,
        "deletedAt": metadata.deletion_timestamp,
        "resourceVersion": metadata.resource_version,
        "labels": metadata.labels,
        "ownerReferences": metadata.owner_references,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_objects_name_is_looked_for_where_it_is() {
        let profile = json!({
            "metadata": { "namespace": "mail", "name": "google" },
            "spec": { "oauthClient": { "credentialsSecretRef": { "name": "client", "key": "k" } } },
        });
        let mailbox = json!({
            "metadata": { "namespace": "crm", "name": "support" },
            "spec": { "accessTokenSecret": { "name": "support-gmail" } },
            "status": { "profile": { "namespace": "mail", "name": "google" } },
        });
        let mailboxes = [mailbox];
        let google = ObjectName::new("mail", "google");
        assert_eq!(elsewhere(&mailboxes, &[]), [google]);
        let profiles = [profile];
        assert_eq!(elsewhere(&mailboxes, &profiles), []);
        let secrets = named_secrets(&mailboxes, &profiles);
        let expected = [
            ObjectName::new("crm", "support-gmail"),
            ObjectName::new("mail", "client"),
        ];
        assert_eq!(secrets, expected.into());
    }
}
