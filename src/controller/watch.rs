use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use futures::{Stream, StreamExt, TryStreamExt, future};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_api};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use crate::api::TEST_REQUESTED_ANNOTATION;

use super::context::AnyMailbox;

/// Watches one kind, without what nobody reads; objects that `keep` refuses are as if they were not
/// there.
pub fn objects<K>(
    api: Api<K>,
    config: watcher::Config,
    keep: impl Fn(&K) -> bool + Send + Sync + 'static,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    watch_api(api, config)
        .default_backoff()
        .modify(|object| {
            object.managed_fields_mut().clear();
            object
                .annotations_mut()
                .remove("kubectl.kubernetes.io/last-applied-configuration");
        })
        .try_filter(move |event| {
            future::ready(match event {
                Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => {
                    keep(object)
                }
                Event::Init | Event::InitDone => true,
            })
        })
}

/// Calls `seen` with each object that a watch shows; the flag says that it is gone.
pub fn told<K>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send,
    seen: impl Fn(&K, bool) + Send + 'static,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send {
    events.inspect(move |event| match event {
        Ok(Event::Apply(object) | Event::InitApply(object)) => seen(object, false),
        Ok(Event::Delete(object)) => seen(object, true),
        Ok(Event::Init | Event::InitDone) => {}
        Err(error) => tracing::warn!(%error, "a watch broke off; it is started again"),
    })
}

/// Changes when a Mailbox has to be looked at: its spec, a deletion, a request for a test, or a lost
/// status. Our own writes of the status do not wake it.
pub fn mailbox_matters(mailbox: &AnyMailbox) -> Option<u64> {
    let mut hash = DefaultHasher::new();
    let meta = mailbox.meta();
    (
        &meta.uid,
        meta.generation,
        meta.deletion_timestamp.is_some(),
    )
        .hash(&mut hash);
    mailbox
        .annotations()
        .get(TEST_REQUESTED_ANNOTATION)
        .hash(&mut hash);
    let has_status = mailbox.0.as_ref().is_ok_and(|mailbox| {
        mailbox
            .status
            .as_ref()
            .is_some_and(|status| !status.conditions.is_empty())
    });
    has_status.hash(&mut hash);
    Some(hash.finish())
}

/// Whether an object is in one of `namespaces`; all are where none is named.
pub fn within<K: Resource>(
    namespaces: &Arc<Vec<String>>,
) -> impl Fn(&K) -> bool + Send + Sync + 'static {
    let namespaces = namespaces.clone();
    move |object| {
        namespaces.is_empty()
            || object
                .meta()
                .namespace
                .as_ref()
                .is_some_and(|namespace| namespaces.contains(namespace))
    }
}
