//! Who is woken by what: every watched object may matter to objects of another kind.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::context::{AnyMailbox, AnyProfile, Context, NamespaceMeta, object_name};
use super::profile::labels_of;
use crate::api::ProfileCondition;
use crate::cluster::grant_secret;
use crate::domain::name::ObjectName;

/// Wakes objects of each kind. The channels have no bound of their own: they are emptied at once
/// into the controllers' queues, where an object is at most once.
pub struct Wake {
    mailboxes: UnboundedSender<ObjectRef<AnyMailbox>>,
    profiles: UnboundedSender<ObjectRef<AnyProfile>>,
    grants: UnboundedSender<ObjectRef<Secret>>,
    counted: Mutex<HashSet<ObjectName>>,
    seen: Mutex<HashMap<String, u64>>,
}

/// The other ends.
pub struct Woken {
    /// Mailboxes.
    pub mailboxes: UnboundedReceiver<ObjectRef<AnyMailbox>>,
    /// Profiles.
    pub profiles: UnboundedReceiver<ObjectRef<AnyProfile>>,
    /// Grants.
    pub grants: UnboundedReceiver<ObjectRef<Secret>>,
}

impl Wake {
    /// With its other ends.
    pub fn new() -> (Self, Woken) {
        let (mailboxes, mailboxes_woken) = unbounded_channel();
        let (profiles, profiles_woken) = unbounded_channel();
        let (grants, grants_woken) = unbounded_channel();
        let woken = Woken {
            mailboxes: mailboxes_woken,
            profiles: profiles_woken,
            grants: grants_woken,
        };
        (
            Self {
                mailboxes,
                profiles,
                grants,
                counted: Mutex::default(),
                seen: Mutex::default(),
            },
            woken,
        )
    }

    /// One Mailbox. At shutdown nobody listens any more.
    pub fn mailbox(&self, name: &ObjectName) {
        let _ = self
            .mailboxes
            .send(ObjectRef::new(&name.name).within(&name.namespace));
    }

    /// One profile.
    pub fn profile(&self, name: &ObjectName) {
        let _ = self
            .profiles
            .send(ObjectRef::new(&name.name).within(&name.namespace));
    }

    /// The grant of the Mailbox `uid`, in the operator's `namespace`.
    pub fn grant(&self, uid: &str, namespace: &str) {
        let _ = self
            .grants
            .send(ObjectRef::new(&grant_secret::name(uid)).within(namespace));
    }

    /// The counts of a profile have changed; it is woken with the next [`Wake::flush_counts`].
    pub fn count(&self, profile: ObjectName) {
        self.counted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(profile);
    }

    /// Wakes the profiles whose counts have changed.
    pub fn flush_counts(&self) {
        let changed =
            std::mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        changed.iter().for_each(|profile| self.profile(profile));
    }

    /// Whether `now` differs from what was seen under `name` before.
    fn is_news(&self, name: String, now: u64) -> bool {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, now)
            != Some(now)
    }
}

/// A Mailbox was seen, or is gone.
pub fn on_mailbox(context: &Context, mailbox: &AnyMailbox, gone: bool) {
    let uid = mailbox.uid().unwrap_or_default();
    if gone {
        context.mailboxes.forget(&ObjectRef::from_obj(mailbox));
        context.mailbox_memory.forget(&uid);
        context.backoff.forget(&uid);
        context.wake.grant(&uid, &context.namespace);
    }
    if let Ok(mailbox) = &mailbox.0
        && let Some(profile) = mailbox
            .status
            .as_ref()
            .and_then(|status| status.profile.as_ref())
    {
        context
            .wake
            .count(ObjectName::new(&profile.namespace, &profile.name));
    }
}

/// A grant was written, or is gone: its Mailbox looks again.
pub fn on_grant(context: &Context, secret: &Secret, gone: bool) {
    if gone {
        context.grants.forget(&ObjectRef::from_obj(secret));
    }
    if let Some((mailbox, _)) = grant_secret::mailbox(secret) {
        context.wake.mailbox(&mailbox);
    }
}

/// A profile was seen, or is gone. Its Mailboxes look again only if what matters to them changed.
pub fn on_profile(context: &Context, profile: &AnyProfile, gone: bool) {
    let name = object_name(profile);
    let mut matters = DefaultHasher::new();
    gone.hash(&mut matters);
    if let Ok(profile) = &profile.0 {
        profile.metadata.generation.hash(&mut matters);
        if let Some(status) = &profile.status {
            status
                .oauth_client
                .as_ref()
                .and_then(|client| client.client_id.as_ref())
                .hash(&mut matters);
            let credentials = status
                .conditions
                .iter()
                .find(|c| c.type_ == ProfileCondition::CredentialsAccepted.name());
            credentials
                .map(|condition| (&condition.status, &condition.reason))
                .hash(&mut matters);
        }
    }
    if gone {
        context.profiles.forget(&ObjectRef::from_obj(profile));
        context
            .profile_memory
            .forget(&profile.uid().unwrap_or_default());
        context.network.forget(&name);
        context.prober.forget(&name);
        context.metrics.forget_profile(&labels_of(&name));
    }
    if context
        .wake
        .is_news(format!("profile {name}"), matters.finish())
    {
        wake_mailboxes(context, |mailbox| match mailbox_profile(mailbox) {
            Some(named) => named == name,
            None => true,
        });
    }
}

/// A Namespace was seen, or is gone. Its labels decide which profiles are shared with it and by it.
pub fn on_namespace(context: &Context, namespace: &NamespaceMeta) {
    let name = namespace.name_any();
    let mut labels = DefaultHasher::new();
    namespace.metadata.labels.hash(&mut labels);
    if context
        .wake
        .is_news(format!("namespace {name}"), labels.finish())
    {
        for profile in context
            .profiles
            .store()
            .state()
            .iter()
            .filter(|profile| profile.namespace().as_deref() == Some(&name))
        {
            context.wake.profile(&object_name(profile.as_ref()));
        }
        wake_mailboxes(context, |mailbox| {
            mailbox.namespace().as_deref() == Some(&name)
                || mailbox_profile(mailbox).is_none_or(|profile| profile.namespace == name)
        });
    }
}

fn wake_mailboxes(context: &Context, which: impl Fn(&AnyMailbox) -> bool) {
    for mailbox in context
        .mailboxes
        .store()
        .state()
        .iter()
        .filter(|mailbox| which(mailbox))
    {
        context.wake.mailbox(&object_name(mailbox.as_ref()));
    }
}

/// The profile that a Mailbox names.
fn mailbox_profile(mailbox: &AnyMailbox) -> Option<ObjectName> {
    let spec = &mailbox.0.as_ref().ok()?.spec;
    let named = spec.profile_ref.as_ref()?;
    let namespace = named.namespace.as_ref().map_or_else(
        || mailbox.namespace().unwrap_or_default(),
        |namespace| namespace.0.clone(),
    );
    Some(ObjectName::new(namespace, &named.name.0))
}
