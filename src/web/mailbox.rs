//! Finds what a link names, and whether its owner may sign in now.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::link::Link;
use super::stopped::Stopped;
use super::{Web, nothing_there};
use crate::api::{
    GmailServerProfile, Mailbox, MailboxCondition, NamespacesFrom, ProfileCondition, Reason,
    SHARES_PROFILES_LABEL,
};
use crate::cluster::{ClusterError, call};
use crate::domain::mailbox::{ProfileView, ValidSpec};
use crate::domain::name::ObjectName;
use crate::domain::profile::{Choice, Offer, Outsider, Room, Seeker, ValidProfile, choose, view};
use crate::domain::reach::labels_of_unread;

/// A Mailbox whose name and uid are those of the link.
pub(super) struct Found {
    /// The link.
    pub link: Link,
    /// The Mailbox.
    pub mailbox: Mailbox,
    /// The profile, where one serves it. It may not be Ready.
    pub profile: Option<GmailServerProfile>,
    /// Whether its owner may sign in; else why not.
    pub service: Result<Service, Reason>,
}

/// What a sign-in needs of a Mailbox and its profile.
pub(super) struct Service {
    /// The Mailbox's spec.
    pub spec: ValidSpec,
    /// The profile's.
    pub profile: ValidProfile,
    /// The OAuth client that the controller saw.
    pub client_id: String,
}

impl Found {
    /// Why Google will refuse the account, as far as the profile tells.
    pub fn outsider(&self) -> Option<Outsider> {
        let service = self.service.as_ref().ok()?;
        service.profile.audience.refuses(&service.spec.account)
    }
}

impl Web {
    /// What `link` names. A wrong uid, a wrong name and nothing at all are the same.
    pub(super) async fn find(&self, link: &Link) -> Result<Found, Stopped> {
        let ObjectName { namespace, name } = &link.mailbox;
        // Another installation looks after it: its grant would be nobody's here.
        if !self.settings.reach.looks_after(namespace) {
            return Err(Stopped::NotFound);
        }
        let mailboxes: Api<Mailbox> = Api::namespaced(self.client.clone(), namespace);
        let mailbox = get(&mailboxes, "Mailbox", name).await?;
        let mailbox = mailbox
            .filter(|found| found.uid().as_deref() == Some(&link.uid))
            // Somebody's finalizer may hold what is deleted already.
            .filter(|found| found.metadata.deletion_timestamp.is_none())
            .ok_or(Stopped::NotFound)?;
        let mut found = Found {
            link: link.clone(),
            mailbox,
            profile: None,
            service: Err(Reason::InvalidSpec),
        };
        if let Ok(spec) = ValidSpec::try_from(&found.mailbox.spec) {
            found.profile = self.profile_of(&found.mailbox, &spec, namespace).await?;
            found.service = self.service(&found.mailbox, found.profile.as_ref(), spec, namespace);
        }
        Ok(found)
    }

    fn service(
        &self,
        mailbox: &Mailbox,
        profile: Option<&GmailServerProfile>,
        spec: ValidSpec,
        namespace: &str,
    ) -> Result<Service, Reason> {
        if spec.suspended {
            return Err(Reason::Suspended);
        }
        let profile = profile.ok_or(Reason::ProfileNotAvailable)?;
        if lacks_place(mailbox, profile) {
            return Err(Reason::CapacityReached);
        }
        let egress = self.network.egress();
        match view(profile, &name_of(profile), namespace, egress) {
            ProfileView::Ready(facts) => Ok(Service {
                spec,
                profile: ValidProfile::new(&profile.spec, egress)
                    .map_err(|_| Reason::ProfileNotReady)?,
                client_id: facts.client_id,
            }),
            ProfileView::NotReady { reason, .. } => Err(reason),
            ProfileView::NotServed { reason, .. } => Err(reason),
        }
    }

    /// The profile that the Mailbox names or was given, if it serves this Mailbox now. The status
    /// only says where to look: that it may be used is found out again each time.
    async fn profile_of(
        &self,
        mailbox: &Mailbox,
        spec: &ValidSpec,
        namespace: &str,
    ) -> Result<Option<GmailServerProfile>, ClusterError> {
        let in_use = mailbox.status.as_ref().and_then(|s| s.profile.as_ref());
        let in_use = in_use.map(|p| ObjectName::new(&p.namespace, &p.name));
        let named = spec.profile_ref.as_ref().map(|named| {
            let home = named.namespace.as_ref().map_or(namespace, |n| &n.0);
            ObjectName::new(home, &named.name.0)
        });
        let Some(name) = named.or_else(|| in_use.clone()) else {
            return Ok(None);
        };
        let profiles: Api<GmailServerProfile> =
            Api::namespaced(self.client.clone(), &name.namespace);
        let Some(profile) = get(&profiles, "GmailServerProfile", &name.name).await? else {
            return Ok(None);
        };
        // Labels matter to a profile of another namespace alone.
        let elsewhere = name.namespace != namespace;
        let selects = profile.spec.allowed_namespaces.from == NamespacesFrom::Selector;
        let labels = match elsewhere && selects {
            true => self.labels(namespace).await?,
            false => BTreeMap::new(),
        };
        let offer = Offer {
            name: &name,
            spec: &profile.spec,
            may_share: elsewhere && self.may_share(&name.namespace).await?,
            // The leader gives the places.
            room: Room::default(),
        };
        let seeker = Seeker {
            namespace,
            labels: &labels,
            address: &spec.address,
            account: &spec.account,
            profile_ref: spec.profile_ref.as_ref(),
            current: in_use.as_ref(),
            signed_in: in_use.as_ref().filter(|_| has_signed_in(mailbox)),
        };
        let serves = matches!(choose(&seeker, std::iter::once(offer)), Choice::Use(_));
        Ok(serves.then_some(profile))
    }

    async fn may_share(&self, namespace: &str) -> Result<bool, ClusterError> {
        Ok(namespace == self.settings.namespace
            || self
                .labels(namespace)
                .await?
                .get(SHARES_PROFILES_LABEL)
                .is_some_and(|value| value == "true"))
    }

    async fn labels(&self, namespace: &str) -> Result<BTreeMap<String, String>, ClusterError> {
        if !self.settings.reach.reads_namespaces() {
            return Ok(labels_of_unread(namespace));
        }
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let found = get(&namespaces, "Namespace", namespace).await?;
        Ok(found
            .and_then(|found| found.metadata.labels)
            .unwrap_or_default())
    }
}

/// Whether the owner of `mailbox` has signed in once, as the controller says.
fn has_signed_in(mailbox: &Mailbox) -> bool {
    let status = mailbox.status.as_ref();
    status.is_some_and(|status| {
        let sign_in = status.sign_in.as_ref();
        sign_in.is_some_and(|sign_in| sign_in.account.is_some())
    })
}

/// Whether a sign-in would find no place: to Google it would take one all the same. The leader
/// decides; this spares people a consent that is in vain.
fn lacks_place(mailbox: &Mailbox, profile: &GmailServerProfile) -> bool {
    let full = |conditions: Option<&Vec<Condition>>, type_: &str| {
        conditions.into_iter().flatten().any(|c| {
            c.type_ == type_ && c.status == "False" && c.reason == Reason::CapacityReached.name()
        })
    };
    let of_mailbox = mailbox.status.as_ref().map(|status| &status.conditions);
    let of_profile = profile.status.as_ref().map(|status| &status.conditions);
    full(of_mailbox, MailboxCondition::SignedIn.name())
        || (!has_signed_in(mailbox) && full(of_profile, ProfileCondition::CapacityAvailable.name()))
}

fn name_of(profile: &GmailServerProfile) -> ObjectName {
    ObjectName::new(profile.namespace().unwrap_or_default(), profile.name_any())
}

async fn get<K>(api: &Api<K>, kind: &str, name: &str) -> Result<Option<K>, ClusterError>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    match call(|| format!("reading the {kind} {name}"), api.get(name)).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if nothing_there(&error) => {
            tracing::debug!(%error, "nothing to be seen");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
