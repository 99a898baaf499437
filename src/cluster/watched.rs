//! Objects as a list or a watch shows them, without what nobody here reads.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use kube::core::error_boundary::InvalidObject;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::api::{
    GmailServerProfile, GmailServerProfileSpec, GmailServerProfileStatus, Mailbox, MailboxSpec,
    MailboxStatus,
};

/// The annotations that the operator reads.
const OWN_ANNOTATIONS: &str = "gmail-operator.dev/";

/// An object as the API server shows it, or why it cannot be read: one bad object must not stop the
/// list of all. Of its metadata it has only what is read here: among the rest are the managed
/// fields, which are half of what the API server sends.
#[derive(Clone, Debug)]
pub struct Watched<K>(pub Result<K, InvalidObject>);

/// A kind with a spec and a status.
pub trait Parts: Resource {
    /// The spec.
    type Spec: DeserializeOwned;
    /// The status.
    type Status: DeserializeOwned;

    /// Puts an object together.
    fn of(metadata: ObjectMeta, spec: Self::Spec, status: Option<Self::Status>) -> Self;
}

impl Parts for Mailbox {
    type Spec = MailboxSpec;
    type Status = MailboxStatus;

    fn of(metadata: ObjectMeta, spec: MailboxSpec, status: Option<MailboxStatus>) -> Self {
        Self {
            metadata,
            spec,
            status: status.map(|mut status| {
                // There may be very many of them.
                status.conditions.shrink_to_fit();
                status
            }),
        }
    }
}

impl Parts for GmailServerProfile {
    type Spec = GmailServerProfileSpec;
    type Status = GmailServerProfileStatus;

    fn of(
        metadata: ObjectMeta,
        spec: GmailServerProfileSpec,
        status: Option<GmailServerProfileStatus>,
    ) -> Self {
        Self {
            metadata,
            spec,
            status,
        }
    }
}

#[derive(Deserialize)]
struct Whole<S, T> {
    metadata: Metadata,
    spec: S,
    status: Option<T>,
}

#[derive(Deserialize)]
struct MetadataOnly {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl From<Metadata> for ObjectMeta {
    fn from(metadata: Metadata) -> Self {
        let annotations = metadata.annotations.map(|mut annotations| {
            annotations.retain(|name, _| name.starts_with(OWN_ANNOTATIONS));
            annotations
        });
        Self {
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            generation: metadata.generation,
            creation_timestamp: metadata.creation_timestamp,
            deletion_timestamp: metadata.deletion_timestamp,
            annotations: annotations.filter(|annotations| !annotations.is_empty()),
            ..Self::default()
        }
    }
}

impl<'de, K: Parts> Deserialize<'de> for Watched<K> {
    /// Only from JSON text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The text, since it may have to be read twice.
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let whole = serde_json::from_str::<Whole<K::Spec, K::Status>>(text.get());
        Ok(Self(match whole {
            Ok(whole) => Ok(K::of(whole.metadata.into(), whole.spec, whole.status)),
            Err(error) => {
                let head: MetadataOnly =
                    serde_json::from_str(text.get()).map_err(D::Error::custom)?;
                Err(InvalidObject {
                    error: error.to_string(),
                    metadata: head.metadata.into(),
                })
            }
        }))
    }
}

impl<K: Resource> Resource for Watched<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(kind: &K::DynamicType) -> Cow<'_, str> {
        K::kind(kind)
    }

    fn group(kind: &K::DynamicType) -> Cow<'_, str> {
        K::group(kind)
    }

    fn version(kind: &K::DynamicType) -> Cow<'_, str> {
        K::version(kind)
    }

    fn plural(kind: &K::DynamicType) -> Cow<'_, str> {
        K::plural(kind)
    }

    fn meta(&self) -> &ObjectMeta {
        self.0
            .as_ref()
            .map_or_else(|invalid| &invalid.metadata, K::meta)
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        self.0
            .as_mut()
            .map_or_else(|invalid| &mut invalid.metadata, K::meta_mut)
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt;
    use kube::core::{ObjectList, WatchEvent};
    use serde_json::json;

    use super::*;
    use crate::api::TEST_REQUESTED_ANNOTATION;

    fn text(spec: serde_json::Value) -> serde_json::Value {
        json!({
            "apiVersion": "gmail-operator.dev/v1alpha1",
            "kind": "Mailbox",
            "metadata": {
                "name": "support",
                "namespace": "crm",
                "uid": "u-1",
                "resourceVersion": "7",
                "generation": 3,
                "annotations": { TEST_REQUESTED_ANNOTATION: "now", "other": "much" },
                "managedFields": [{ "manager": "kubectl", "fieldsV1": { "f:spec": {} } }],
            },
            "spec": spec,
            "status": { "conditions": [] },
        })
    }

    #[test]
    fn a_bad_object_keeps_its_name_and_the_others() -> Result<(), serde_json::Error> {
        let list = json!({
            "apiVersion": "gmail-operator.dev/v1alpha1",
            "kind": "MailboxList",
            "metadata": { "resourceVersion": "8" },
            "items": [text(json!({ "emailAddress": 5 })), text(json!({ "emailAddress": "a@example.com" }))],
        });
        let list: ObjectList<Watched<Mailbox>> = serde_json::from_str(&list.to_string())?;
        let [bad, good] = &list.items[..] else {
            panic!("{} items", list.items.len())
        };
        assert!(bad.0.is_err() && bad.name_any() == "support" && bad.uid().is_some());
        let good = good.0.as_ref().ok();
        assert_eq!(
            good.map(|mailbox| mailbox.spec.email_address.as_str()),
            Some("a@example.com")
        );
        Ok(())
    }

    #[test]
    fn a_watch_shows_what_is_read_and_nothing_else() -> Result<(), serde_json::Error> {
        let object = text(json!({ "emailAddress": "a@example.com" }));
        // In the API server's order.
        let line = format!(r#"{{"type":"MODIFIED","object":{object}}}"#);
        let WatchEvent::Modified(seen) =
            serde_json::from_str::<WatchEvent<Watched<Mailbox>>>(&line)?
        else {
            panic!("another event")
        };
        let meta = seen.meta();
        assert_eq!(meta.resource_version.as_deref(), Some("7"));
        assert_eq!(meta.generation, Some(3));
        assert!(meta.managed_fields.is_none());
        let annotations: Vec<_> = seen.annotations().keys().map(String::as_str).collect();
        assert_eq!(annotations, [TEST_REQUESTED_ANNOTATION]);
        Ok(())
    }
}
