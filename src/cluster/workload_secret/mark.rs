//! What makes a Secret a Mailbox's own.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;
use kube::api::ObjectMeta;

use crate::api::{GROUP, Mailbox};
use crate::domain::name::ObjectName;
use crate::domain::workload_secret::{Contents, SecretView, TOKEN_KEYS, Whose};

/// The type that the Service Binding specification gives a Secret with `type: gmail`; the admission
/// policy lets the operator write only its own types.
pub const WORKLOAD_TYPE: &str = "servicebinding.io/gmail";
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "gmail-operator");
/// Says what is in the Secret, without any of it.
const CONTENT: &str = "gmail-operator.dev/content";

/// The mark of one Mailbox on a Secret called `name`: our label, and this very Mailbox as its
/// controller.
pub struct Mark<'a> {
    pub mailbox: &'a ObjectName,
    pub uid: &'a str,
    pub name: &'a str,
}

impl Mark<'_> {
    /// How the Secret with this metadata looks to the Mailbox.
    pub fn view(&self, found: Option<&ObjectMeta>) -> SecretView {
        match found {
            None => SecretView::Absent,
            Some(metadata) if self.owns(metadata) => SecretView::Ours {
                content: (metadata.annotations.as_ref())
                    .and_then(|annotations| annotations.get(CONTENT).cloned())
                    .unwrap_or_default(),
            },
            Some(metadata) => SecretView::NotOurs(self.whose(metadata)),
        }
    }

    /// Whether the Secret with this metadata is the Mailbox's.
    pub fn owns(&self, metadata: &ObjectMeta) -> bool {
        is_managed(metadata) && controller_of(metadata).is_some_and(|owner| owner.uid == self.uid)
    }

    /// Whether a Secret is the Mailbox's, by its type too.
    pub fn is_on(&self, secret: &Secret) -> bool {
        self.owns(&secret.metadata) && secret.type_.as_deref() == Some(WORKLOAD_TYPE)
    }

    /// In words that may be shown: an ownerReference may name anything.
    fn whose(&self, metadata: &ObjectMeta) -> Whose {
        match controller_of(metadata).map(|owner| owner.name.as_str()) {
            Some(name) if name == self.mailbox.name && is_managed(metadata) => Whose::Predecessor,
            Some(name) if is_a_name(name) => Whose::Mailbox(name.to_owned()),
            _ => Whose::Unknown,
        }
    }

    /// The Secret with `contents`, over the metadata of the one that is there.
    pub fn secret(&self, metadata: ObjectMeta, contents: &Contents) -> Secret {
        let settings = contents.settings.iter();
        let settings = settings.map(|(key, value)| (*key, value.as_str()));
        let token = TOKEN_KEYS.into_iter().zip(contents.token_values());
        let data: BTreeMap<_, _> = settings
            .chain(token)
            .map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())))
            .collect();
        let secret = Secret {
            metadata,
            data: Some(data),
            ..Secret::default()
        };
        self.put_on(secret, &contents.fingerprint)
    }

    /// With the mark, and with what it says of its content.
    pub fn put_on(&self, mut secret: Secret, content: &str) -> Secret {
        let metadata = &mut secret.metadata;
        metadata.name = Some(self.name.to_owned());
        metadata.namespace = Some(self.mailbox.namespace.clone());
        metadata.managed_fields = None;
        let owner = self.owner();
        let owners = metadata.owner_references.get_or_insert_default();
        owners.retain(|other| other.uid != owner.uid);
        owners.push(owner);
        let (label, value) = MANAGED_BY;
        let labels = metadata.labels.get_or_insert_default();
        labels.insert(label.to_owned(), value.to_owned());
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(CONTENT.to_owned(), content.to_owned());
        secret.type_ = Some(WORKLOAD_TYPE.to_owned());
        secret
    }

    /// Kubernetes removes the Secret with its Mailbox. It blocks no deletion: that would need a right
    /// to the Mailbox's finalizers.
    fn owner(&self) -> OwnerReference {
        OwnerReference {
            api_version: Mailbox::api_version(&()).into_owned(),
            kind: Mailbox::kind(&()).into_owned(),
            name: self.mailbox.name.clone(),
            uid: self.uid.to_owned(),
            controller: Some(true),
            block_owner_deletion: None,
        }
    }
}

fn is_managed(metadata: &ObjectMeta) -> bool {
    let (label, value) = MANAGED_BY;
    let labels = metadata.labels.as_ref();
    let found = labels.and_then(|labels| labels.get(label));
    found.is_some_and(|found| found == value)
}

/// The Mailbox that an object names as its controller.
fn controller_of(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    let owners = metadata.owner_references.iter().flatten();
    owners.into_iter().find(|owner| {
        let group = owner.api_version.split('/').next();
        owner.controller == Some(true) && owner.kind == Mailbox::kind(&()) && group == Some(GROUP)
    })
}

/// A Mailbox's name has at most 63 characters.
fn is_a_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    (1..=63).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "u-1";

    fn with_mark<T>(then: impl FnOnce(&Mark<'_>) -> T) -> T {
        let mailbox = ObjectName::new("crm", "support");
        then(&Mark {
            mailbox: &mailbox,
            uid: OURS,
            name: "token",
        })
    }

    /// Marked, then changed.
    fn view(change: impl FnOnce(&mut ObjectMeta, &mut OwnerReference)) -> SecretView {
        with_mark(|mark| {
            let mut metadata = mark.put_on(Secret::default(), "c").metadata;
            let mut owner = mark.owner();
            change(&mut metadata, &mut owner);
            metadata.owner_references = Some(vec![owner]);
            mark.view(Some(&metadata))
        })
    }

    #[test]
    fn only_the_whole_mark_makes_it_ours() {
        let content = "c".to_owned();
        assert_eq!(view(|_, _| ()), SecretView::Ours { content });
        let unknown = SecretView::NotOurs(Whose::Unknown);
        assert_eq!(view(|_, owner| owner.controller = None), unknown);
        assert_eq!(view(|_, owner| owner.kind = "ConfigMap".into()), unknown);
        let another_group = |_: &mut ObjectMeta, owner: &mut OwnerReference| {
            owner.api_version = "gmail-operator.dev.evil.example/v1".into();
        };
        assert_eq!(view(another_group), unknown);
        let unmarked = view(|metadata, _| metadata.labels = None);
        assert_eq!(
            unmarked,
            SecretView::NotOurs(Whose::Mailbox("support".into()))
        );
        assert_eq!(
            view(|_, owner| owner.uid = "u-0".into()),
            SecretView::NotOurs(Whose::Predecessor)
        );
        with_mark(|mark| {
            assert_eq!(mark.view(None), SecretView::Absent);
            let secret = mark.put_on(Secret::default(), "c");
            assert!(mark.is_on(&secret));
            let of_another_type = Secret {
                type_: Some("Opaque".into()),
                ..secret
            };
            assert!(!mark.is_on(&of_another_type));
        });
    }

    #[test]
    fn another_owner_is_named_where_that_is_a_name() {
        let named = |name: &str| {
            view(|_, owner| {
                owner.uid = "u-2".into();
                owner.name = name.to_owned();
            })
        };
        let sales = SecretView::NotOurs(Whose::Mailbox("sales".into()));
        assert_eq!(named("sales"), sales);
        for strange in ["", "a b", "x\n", "<b>", &"x".repeat(64)] {
            assert_eq!(named(strange), SecretView::NotOurs(Whose::Unknown));
        }
    }

    #[test]
    fn what_others_have_put_on_it_stays() {
        with_mark(|mark| {
            let mut secret = Secret::default();
            let labels = secret.metadata.labels.get_or_insert_default();
            labels.insert("team".into(), "crm".into());
            let twice = mark.put_on(mark.put_on(secret, "a"), "b");
            let labels = twice.metadata.labels.clone().unwrap_or_default();
            assert_eq!(labels.get("team").map(String::as_str), Some("crm"));
            let owners = twice.metadata.owner_references.clone();
            assert_eq!(owners.map(|owners| owners.len()), Some(1));
            let content = "b".to_owned();
            assert_eq!(
                mark.view(Some(&twice.metadata)),
                SecretView::Ours { content }
            );
        });
    }
}
