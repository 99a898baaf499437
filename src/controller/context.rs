use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::Store;
use tokio::sync::{Semaphore, watch};

use super::backoff::Backoff;
use super::census::Census;
use super::mailbox::MailboxMemory;
use super::places::Places;
use super::profile::ProfileMemory;
use super::rounds::Rounds;
use super::wake::Wake;
use crate::api::{GmailServerProfile, Mailbox, SHARES_PROFILES_LABEL};
use crate::cluster::events::Events;
use crate::cluster::latest::Latest;
use crate::cluster::lease::Standing;
use crate::cluster::watched::Watched;
use crate::domain::console::FrontDoor;
use crate::domain::name::ObjectName;
use crate::domain::profile::NotShared;
use crate::domain::reach::Reach;
use crate::grant::GrantKeeper;
use crate::net::network::Network;
use crate::probe::{Prober, Slots};
use crate::settings::Pace;
use crate::telemetry::metrics::Metrics;

/// A Mailbox, or why it cannot be read: one bad object must not stop the list of all.
pub type AnyMailbox = Watched<Mailbox>;
/// A profile, or why it cannot be read.
pub type AnyProfile = Watched<GmailServerProfile>;
/// A Namespace's name and labels.
pub type NamespaceMeta = PartialObjectMeta<Namespace>;

/// What the controllers share.
pub struct Context {
    pub client: Client,
    pub namespace: String,
    /// The namespaces that are looked after.
    pub reach: Reach,
    pub front_door: FrontDoor,
    /// How this cluster is called, if it has been told.
    pub cluster_name: Option<String>,
    pub pace: Pace,
    pub mailboxes: Latest<AnyMailbox>,
    pub profiles: Latest<AnyProfile>,
    pub grants: Latest<Secret>,
    pub namespaces: Store<NamespaceMeta>,
    pub keeper: GrantKeeper,
    pub network: Arc<Network>,
    pub prober: Prober,
    pub slots: Slots,
    /// Mailboxes that are worked on at once, without those that wait for a server.
    pub desks: Semaphore,
    pub events: Events,
    pub metrics: Metrics,
    pub backoff: Backoff,
    pub wake: Wake,
    pub census: Census,
    pub places: Places,
    pub rounds: Rounds,
    pub standing: watch::Receiver<Standing>,
    /// Whether every store has its first contents: before that nothing can be decided.
    pub filled: watch::Receiver<bool>,
    pub mailbox_memory: Memories<MailboxMemory>,
    pub profile_memory: Memories<ProfileMemory>,
    /// The uid of the Mailbox that left a grant, by the Mailbox's name.
    pub orphans: Memories<String>,
    /// The uids of Mailboxes that this process has seen with their grant.
    pub seen_alive: Memories<()>,
    /// How often it was tried to revoke a grant, by the uid of its Mailbox.
    pub revocations: Memories<u32>,
    /// A digest of what stands in the annotation of a Mailbox instead of the time of a sign-out, by
    /// its uid.
    pub unreadable_sign_outs: Memories<String>,
}

impl Context {
    /// Whether this process may act: it holds the Lease at this moment.
    pub fn may_act(&self) -> bool {
        self.standing.borrow().leads()
    }

    /// Whether every store has its first contents. Before that there is nobody to wake: every object
    /// is looked at anyway.
    pub fn is_filled(&self) -> bool {
        *self.filled.borrow()
    }

    /// Whether profiles in `namespace` may serve Mailboxes of other namespaces.
    pub fn may_share(&self, namespace: &str) -> bool {
        namespace == self.namespace
            || self.namespace(namespace).is_some_and(|found| {
                found
                    .metadata
                    .labels
                    .as_ref()
                    .and_then(|labels| labels.get(SHARES_PROFILES_LABEL))
                    .is_some_and(|value| value == "true")
            })
    }

    /// Why profiles in `namespace` serve no Mailboxes of other namespaces, if they do not.
    pub fn not_shared(&self, namespace: &str) -> Option<NotShared> {
        if self.may_share(namespace) {
            return None;
        }
        Some(match self.reach.reads_namespaces() {
            true => NotShared::NotLabelled,
            false => NotShared::Unread {
                own: self.namespace.clone(),
            },
        })
    }

    /// A Namespace by name.
    pub fn namespace(&self, name: &str) -> Option<Arc<NamespaceMeta>> {
        self.namespaces
            .get(&kube::runtime::reflector::ObjectRef::new(name))
    }
}

/// What this process remembers of objects, by a name of theirs. Nothing in it is needed after a
/// restart.
pub struct Memories<T>(Mutex<HashMap<String, T>>);

impl<T> Default for Memories<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Memories<T> {
    /// What is remembered.
    pub fn get(&self, name: &str) -> Option<T> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// Remembers.
    pub fn put(&self, name: &str, memory: T) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), memory);
    }

    /// Forgets.
    pub fn forget(&self, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }
}

/// The name of a Kubernetes object.
pub fn object_name(object: &impl kube::ResourceExt) -> ObjectName {
    ObjectName::new(object.namespace().unwrap_or_default(), object.name_any())
}
