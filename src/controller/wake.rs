//! Who is woken by what: every watched object may matter to objects of another kind.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::context::{AnyMailbox, AnyProfile, Context, NamespaceMeta, object_name};
use super::places::Change;
use super::profile::labels_of;
use crate::api::{GmailServerProfile, ProfileCondition};
use crate::cluster::grant_secret;
use crate::cluster::grants::stored;
use crate::domain::name::ObjectName;
use crate::domain::profile::{max_connections, project_of};

/// Wakes objects of each kind. The channels have no bound of their own: they are emptied at once
/// into the controllers' queues, where an object is at most once.
pub struct Wake {
    mailboxes: UnboundedSender<ObjectRef<AnyMailbox>>,
    profiles: UnboundedSender<ObjectRef<AnyProfile>>,
    grants: UnboundedSender<ObjectRef<Secret>>,
    gap: Duration,
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
    /// With its other ends. `gap` is the time between two Mailboxes that one change wakes.
    pub fn new(gap: Duration) -> (Self, Woken) {
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
                gap,
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

    /// Wakes Mailboxes from elsewhere.
    pub fn mailbox_caller(&self) -> impl Fn(&ObjectName) + Send + Sync + 'static {
        let mailboxes = self.mailboxes.clone();
        move |name| {
            let _ = mailboxes.send(ObjectRef::new(&name.name).within(&name.namespace));
        }
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

    /// Many Mailboxes, one after the other: what one change does to all of them is spread out.
    pub fn mailboxes(&self, names: Vec<ObjectName>) {
        let (mailboxes, gap) = (self.mailboxes.clone(), self.gap);
        tokio::spawn(async move {
            for name in names {
                let _ = mailboxes.send(ObjectRef::new(&name.name).within(&name.namespace));
                tokio::time::sleep(gap).await;
            }
        });
    }

    /// Mailboxes that have been let in to a test of all of their profile's: no more than have places.
    pub fn let_in(&self, names: &[ObjectName]) {
        names.iter().for_each(|name| self.mailbox(name));
    }

    /// The counts of profiles have changed; they are woken with the next [`Wake::flush_counts`].
    pub fn count(&self, profiles: impl IntoIterator<Item = ObjectName>) {
        self.counted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(profiles);
    }

    /// Wakes the profiles whose counts have changed.
    pub fn flush_counts(&self) {
        let changed =
            std::mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        changed.iter().for_each(|profile| self.profile(profile));
    }

    /// Whether `now` differs from what was seen under `name` before; what is gone always does.
    fn is_news(&self, name: String, now: u64, gone: bool) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if gone {
            seen.remove(&name);
            return true;
        }
        seen.insert(name, now) != Some(now)
    }
}

/// A Mailbox was seen, or is gone.
pub fn on_mailbox(context: &Context, mailbox: &AnyMailbox, gone: bool) {
    let uid = mailbox.uid().unwrap_or_default();
    if gone {
        context.mailboxes.forget(&ObjectRef::from_obj(mailbox));
        context.mailbox_memory.forget(&uid);
        context.unreadable_sign_outs.forget(&uid);
        context.slots.forget(&object_name(mailbox));
        context.backoff.forget(&uid);
        context.wake.grant(&uid, &context.namespace);
        context.wake.count(context.census.gone(&uid));
        context.places.leave(&object_name(mailbox));
        let next = context.rounds.gone(&object_name(mailbox));
        context.wake.let_in(&next);
    } else if let Ok(seen) = &mailbox.0
        && !context.mailboxes.is_outdated(mailbox)
    {
        context.wake.count(context.census.seen(seen));
    }
}

/// A grant was written, or is gone: its Mailbox looks again, and so do those that wait for the place
/// that it may have given back.
pub fn on_grant(context: &Context, secret: &Secret, gone: bool) {
    let mailbox = grant_secret::mailbox(secret);
    if gone {
        context.grants.forget(&ObjectRef::from_obj(secret));
    }
    let change = match (&mailbox, stored(secret)) {
        (Some((_, uid)), _) if gone => context.places.give_back(uid),
        (_, Ok(found)) => context.places.seen(&found.grant),
        _ => None,
    };
    places_changed(context, change);
    if let Some((mailbox, _)) = mailbox
        && context.is_filled()
    {
        context.wake.mailbox(&mailbox);
    }
}

/// Places were taken or given back: the profiles of the project tell it with their next counts, and
/// Mailboxes that wait for one that was given back try again.
pub fn places_changed(context: &Context, change: Option<Change>) {
    let Some(change) = change else { return };
    let profiles = context.profiles.store().state();
    let of_project = profiles.iter().filter(|profile| {
        let profile = profile.0.as_ref().ok();
        profile.and_then(project_of).as_ref() == Some(change.project())
    });
    context
        .wake
        .count(of_project.map(|profile| object_name(profile.as_ref())));
    if let Change::GivenBack(project) = &change {
        context.wake.mailboxes(context.places.waiting_for(project));
    }
}

/// A profile was seen, or is gone. Its Mailboxes look again only if what matters to them changed, and
/// so do those that have no profile.
pub fn on_profile(context: &Context, profile: &AnyProfile, gone: bool) {
    let name = object_name(profile);
    if gone {
        context.profiles.forget(&ObjectRef::from_obj(profile));
        context
            .profile_memory
            .forget(&profile.uid().unwrap_or_default());
        context.network.forget(&name);
        context.metrics.forget_profile(&labels_of(&name));
        context.rounds.forget(&name);
    }
    let known = profile.0.as_ref().ok().filter(|_| !gone);
    if let Some(profile) = known {
        let places = max_connections(&profile.spec);
        context.slots.resize(&name, places);
        context.wake.let_in(&context.rounds.resize(&name, places));
    }
    let matters = known.map_or(0, matters_to_mailboxes);
    let news = context
        .wake
        .is_news(format!("profile {name}"), matters, gone);
    if news && context.is_filled() {
        context.wake.mailboxes(concerned(context, &name));
    }
}

/// What of a profile decides about its Mailboxes. A new field of the spec does until it is known not
/// to.
fn matters_to_mailboxes(profile: &GmailServerProfile) -> u64 {
    let mut spec = profile.spec.clone();
    spec.contact = None;
    spec.processing.process_emails_from = None;
    spec.processing.min_polling_interval.clear();
    spec.processing.max_concurrent_connections = 0;
    let status = profile.status.as_ref();
    let client = status.and_then(|status| status.oauth_client.as_ref()?.client_id.as_ref());
    let credentials = status.and_then(|status| {
        let accepted = ProfileCondition::CredentialsAccepted.name();
        status.conditions.iter().find(|c| c.type_ == accepted)
    });
    let mut hash = DefaultHasher::new();
    format!("{spec:?}").hash(&mut hash);
    profile
        .metadata
        .deletion_timestamp
        .is_some()
        .hash(&mut hash);
    client.hash(&mut hash);
    credentials
        .map(|condition| (&condition.status, &condition.reason))
        .hash(&mut hash);
    hash.finish()
}

/// A Namespace was seen, or is gone. Its labels decide which profiles are shared with it and by it.
pub fn on_namespace(context: &Context, namespace: &NamespaceMeta, gone: bool) {
    let name = namespace.name_any();
    let mut labels = DefaultHasher::new();
    namespace.metadata.labels.hash(&mut labels);
    let news = context
        .wake
        .is_news(format!("namespace {name}"), labels.finish(), gone);
    if !news || !context.is_filled() {
        return;
    }
    let mut mailboxes: Vec<ObjectName> = Vec::new();
    for profile in context.profiles.store().state() {
        let profile = object_name(profile.as_ref());
        if profile.namespace == name {
            context.wake.profile(&profile);
            mailboxes.extend(concerned(context, &profile));
        }
    }
    let its_own = context.mailboxes.store().state().into_iter();
    mailboxes.extend(
        its_own
            .filter(|mailbox| mailbox.namespace().as_deref() == Some(&name))
            .map(|mailbox| object_name(mailbox.as_ref())),
    );
    context.wake.mailboxes(mailboxes);
}

/// The Mailboxes that use `profile`, and those that no profile serves and that it may serve now: they
/// name it, or none.
fn concerned(context: &Context, profile: &ObjectName) -> Vec<ObjectName> {
    let all = context.mailboxes.store().state().into_iter();
    all.filter(|mailbox| {
        let used = context
            .census
            .profile_of(&mailbox.uid().unwrap_or_default());
        match used {
            Some(used) => *used == *profile,
            None => named_profile(mailbox).is_none_or(|named| named == *profile),
        }
    })
    .map(|mailbox| object_name(mailbox.as_ref()))
    .collect()
}

/// The Mailboxes that use `profile`.
pub fn users(context: &Context, profile: &ObjectName) -> Vec<ObjectName> {
    let all = context.mailboxes.store().state().into_iter();
    all.filter(|mailbox| {
        let used = context
            .census
            .profile_of(&mailbox.uid().unwrap_or_default());
        used.is_some_and(|used| *used == *profile)
    })
    .map(|mailbox| object_name(mailbox.as_ref()))
    .collect()
}

/// The profile that a Mailbox names.
fn named_profile(mailbox: &AnyMailbox) -> Option<ObjectName> {
    let spec = &mailbox.0.as_ref().ok()?.spec;
    let named = spec.profile_ref.as_ref()?;
    let namespace = named.namespace.as_ref().map_or_else(
        || mailbox.namespace().unwrap_or_default(),
        |namespace| namespace.0.clone(),
    );
    Some(ObjectName::new(namespace, &named.name.0))
}
