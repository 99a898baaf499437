use std::collections::HashSet;

use futures::{Stream, StreamExt, TryStreamExt};
use kube::runtime::reflector::Store;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_api};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use crate::cluster::with_causes;

/// Objects of one page of the first list. A page is in memory several times while it is read.
const PAGE: u32 = 100;

/// Watches one kind, without what nobody reads.
pub fn objects<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + use<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    watch_api(api, config.page_size(PAGE))
        .default_backoff()
        .modify(|object| {
            object.managed_fields_mut().clear();
            object
                .annotations_mut()
                .remove("kubectl.kubernetes.io/last-applied-configuration");
        })
}

/// Calls `seen` with each object that a watch shows; the flag says that it is gone. After a watch
/// has broken off there is a list in place of deletions: who is not in it any more is gone, as
/// `store` has it, which must not have been told yet.
pub fn told<K>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send,
    store: Store<K>,
    seen: impl Fn(&K, bool) + Send + 'static,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    let mut listed = HashSet::new();
    events.inspect(move |event| match event {
        Ok(Event::Apply(object)) => seen(object, false),
        Ok(Event::Delete(object)) => seen(object, true),
        Ok(Event::Init) => listed.clear(),
        Ok(Event::InitApply(object)) => {
            listed.insert(object.uid());
            seen(object, false);
        }
        Ok(Event::InitDone) => {
            let listed = std::mem::take(&mut listed);
            let before = store.state().into_iter();
            before
                .filter(|object| !listed.contains(&object.uid()))
                .for_each(|object| seen(object.as_ref(), true));
        }
        Err(error) => {
            tracing::warn!(error = %with_causes(error), "a watch broke off; it is started again");
        }
    })
}

/// Calls `seen` with each object that is in its store by now.
pub fn reflected<K>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send,
    seen: impl Fn(&K) + Send + 'static,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send {
    events.inspect_ok(move |event| {
        if let Event::Apply(object) = event {
            seen(object);
        }
    })
}
