//! What the controllers watch: each kind goes through the wake-ups into its store, and on to its
//! controller where it is news.

use std::fmt::Debug;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{NamespaceResourceScope, PartialObjectMetaExt};
use kube::runtime::reflector::{Store, store, store::Writer};
use kube::runtime::watcher::Event;
use kube::runtime::{Predicate, PredicateConfig, WatchStreamExt, predicates, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;

use super::context::{AnyMailbox, AnyProfile, Context, NamespaceMeta};
use super::merge::merged;
use super::news::{mailbox_news, profile_test_request};
use super::wake::{on_grant, on_mailbox, on_namespace, on_profile};
use super::watch::{objects, reflected, told};
use crate::cluster::grant_secret::UID_LABEL;
use crate::domain::reach::labels_of_unread;

/// What is watched, as it was last seen.
#[derive(Clone)]
pub struct Readers {
    pub mailboxes: Store<AnyMailbox>,
    pub profiles: Store<AnyProfile>,
    pub grants: Store<Secret>,
    pub namespaces: Store<NamespaceMeta>,
}

/// The other ends.
pub struct Writers {
    pub mailboxes: Writer<AnyMailbox>,
    pub profiles: Writer<AnyProfile>,
    pub grants: Writer<Secret>,
    pub namespaces: Writer<NamespaceMeta>,
}

/// Empty stores.
pub fn stores() -> (Readers, Writers) {
    let (mailboxes, mailbox_writer) = store();
    let (profiles, profile_writer) = store();
    let (grants, grant_writer) = store();
    let (namespaces, namespace_writer) = store();
    let readers = Readers {
        mailboxes,
        profiles,
        grants,
        namespaces,
    };
    let writers = Writers {
        mailboxes: mailbox_writer,
        profiles: profile_writer,
        grants: grant_writer,
        namespaces: namespace_writer,
    };
    (readers, writers)
}

impl Readers {
    /// Waits until each has its first contents. One whose watch has ended ends the controllers by
    /// itself.
    pub async fn filled(&self) {
        let _ = futures::join!(
            self.mailboxes.wait_until_ready(),
            self.profiles.wait_until_ready(),
            self.grants.wait_until_ready(),
            self.namespaces.wait_until_ready(),
        );
    }
}

/// From where the objects come.
pub struct Watches {
    pub client: Client,
    pub context: Arc<Context>,
    pub readers: Readers,
}

impl Watches {
    /// Mailboxes that have to be looked at.
    pub fn mailboxes(
        &self,
        writer: Writer<AnyMailbox>,
    ) -> impl Stream<Item = Result<AnyMailbox, watcher::Error>> + Send + use<> {
        let seen = self.looked_after(&self.readers.mailboxes);
        let (on, before) = (self.context.clone(), self.readers.mailboxes.clone());
        let told = told(seen, before, move |m, gone| on_mailbox(&on, m, gone));
        let on = self.context.clone();
        let reflected = reflected(told.reflect(writer), move |m| on.mailboxes.saw(m));
        mailbox_news(reflected).applied_objects()
    }

    /// Profiles that have to be looked at.
    pub fn profiles(
        &self,
        writer: Writer<AnyProfile>,
    ) -> impl Stream<Item = Result<AnyProfile, watcher::Error>> + Send + use<> {
        let seen = self.looked_after(&self.readers.profiles);
        let (on, before) = (self.context.clone(), self.readers.profiles.clone());
        let told = told(seen, before, move |p, gone| on_profile(&on, p, gone));
        let on = self.context.clone();
        let reflected = reflected(told.reflect(writer), move |p| on.profiles.saw(p));
        reflected.applied_objects().predicate_filter(
            predicates::generation.combine(profile_test_request),
            PredicateConfig::default(),
        )
    }

    /// The Secrets with grants, which are in the operator's own namespace.
    pub fn grants(
        &self,
        writer: Writer<Secret>,
    ) -> impl Stream<Item = Result<Secret, watcher::Error>> + Send + use<> {
        let own = Api::<Secret>::namespaced(self.client.clone(), &self.context.namespace);
        let seen = objects(own, watcher::Config::default().labels(UID_LABEL));
        let (on, before) = (self.context.clone(), self.readers.grants.clone());
        let told = told(seen, before, move |s, gone| on_grant(&on, s, gone));
        let on = self.context.clone();
        reflected(told.reflect(writer), move |s| on.grants.saw(s)).applied_objects()
    }

    /// Follows the Namespaces, which have no controller, until their watch ends.
    pub async fn follow_namespaces(&self, writer: Writer<NamespaceMeta>) {
        let seen = match self.context.reach.reads_namespaces() {
            true => {
                let all = Api::<NamespaceMeta>::all(self.client.clone());
                objects(all, watcher::Config::default()).boxed()
            }
            false => self.unread_namespaces(),
        };
        let (on, before) = (self.context.clone(), self.readers.namespaces.clone());
        let told = told(seen, before, move |n, gone| on_namespace(&on, n, gone));
        let mut events = Box::pin(told.reflect(writer));
        while events.next().await.is_some() {}
    }

    /// The objects of one kind in the namespaces that are looked after: one watch where these are all,
    /// else one for each, which needs no rights elsewhere.
    fn looked_after<K>(
        &self,
        store: &Store<K>,
    ) -> BoxStream<'static, Result<Event<K>, watcher::Error>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + DeserializeOwned
            + Debug
            + Send
            + Sync
            + 'static,
    {
        match self.context.reach.named() {
            None => {
                let all = Api::<K>::all(self.client.clone());
                objects(all, watcher::Config::default()).boxed()
            }
            Some(names) => merged(names, store.clone(), |namespace| {
                let there = Api::<K>::namespaced(self.client.clone(), namespace);
                objects(there, watcher::Config::default())
            }),
        }
    }

    /// What is known of Namespaces that cannot be read. It never changes.
    fn unread_namespaces(
        &self,
    ) -> BoxStream<'static, Result<Event<NamespaceMeta>, watcher::Error>> {
        let names = self.context.reach.named().into_iter().flatten();
        let known = names.map(|name| {
            let metadata = ObjectMeta {
                name: Some(name.clone()),
                labels: Some(labels_of_unread(name)),
                ..ObjectMeta::default()
            };
            Ok(Event::InitApply(metadata.into_response_partial()))
        });
        let mut events = vec![Ok(Event::Init)];
        events.extend(known);
        events.push(Ok(Event::InitDone));
        stream::iter(events).chain(stream::pending()).boxed()
    }
}
