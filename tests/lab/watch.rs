//! Waiting for objects to become as a test wants them. They are watched: to ask again and again would be most of the
//! API server's work.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use kube::api::Resource;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// A kind of objects that can be watched and shown.
pub trait Kind:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize + Send + 'static
{
}

impl<K> Kind for K where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize + Send + 'static
{
}

/// Waits until the object `name` is as `wanted`, and returns it; an error says how it is otherwise.
pub async fn until_object<K: Kind>(
    api: Api<K>,
    name: &str,
    what: &str,
    limit: Duration,
    mut wanted: impl FnMut(&K) -> bool,
) -> Result<K> {
    let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut states = pin!(watcher(api, only).default_backoff().applied_objects());
    let mut last = None;
    let watched = timeout(limit, async {
        while let Some(object) = states.try_next().await? {
            let done = wanted(&object);
            last = Some(object);
            if done {
                return Ok(());
            }
        }
        bail!("the watch of {name} has ended")
    });
    match (watched.await, last) {
        (Ok(Ok(())), Some(object)) => Ok(object),
        (Ok(Err(error)), _) => Err(error),
        (_, Some(mut object)) => {
            // Who wrote which field would be most of the text.
            object.meta_mut().managed_fields = None;
            bail!(
                "waited {limit:?} in vain for {what}: {name} is {}",
                serde_json::to_string(&object)?
            )
        }
        (_, None) => bail!("waited {limit:?} in vain for {what}: there is no {name}"),
    }
}

/// Waits until so many objects are as `wanted`.
pub async fn until_objects<K: Kind>(
    api: Api<K>,
    count: usize,
    what: &str,
    limit: Duration,
    wanted: impl Fn(&K) -> bool,
) -> Result<()> {
    let all = watcher::Config::default();
    let mut states = pin!(watcher(api, all).default_backoff().applied_objects());
    let mut those = BTreeSet::new();
    let watched = timeout(limit, async {
        while those.len() < count {
            let object = states.try_next().await?.context("the watch has ended")?;
            match wanted(&object) {
                true => those.insert(object.name_any()),
                false => those.remove(&object.name_any()),
            };
        }
        Ok(())
    })
    .await;
    watched.unwrap_or_else(|_| {
        bail!(
            "waited {limit:?} in vain for {count} of {what}: there are {}",
            those.len()
        )
    })
}
