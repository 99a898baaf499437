//! Writes Events. kube's own recorder keeps every Event whole for six minutes and walks over all of
//! them for each new one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::{Event as StoredEvent, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Client};
use serde_json::json;

use super::{ClusterError, call};

/// What happens again within this is counted up instead of told anew. As in client-go, where a
/// series ends after 6 minutes (`finishTime` of k8s.io/client-go/tools/events).
const SERIES: Duration = Duration::from_secs(6 * 60);
/// How many Events are remembered at most: what is forgotten is told anew.
const REMEMBERED: usize = 1000;
const CONTROLLER: &str = "gmail-operator";

/// Writes Events, and counts up those that happen again.
pub struct Recorder {
    client: Client,
    instance: String,
    recent: Mutex<Recent>,
}

/// The object's uid, the action and the reason.
type Key = (String, String, String);

#[derive(Default)]
struct Recent {
    told: HashMap<Key, Told>,
    order: VecDeque<Key>,
}

#[derive(Clone)]
struct Told {
    event: String,
    times: i32,
    at: Instant,
}

impl Recorder {
    /// In the name of `instance`.
    pub fn new(client: Client, instance: String) -> Self {
        Self {
            client,
            instance,
            recent: Mutex::default(),
        }
    }

    /// Tells `event` of `object`.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn publish(
        &self,
        event: &Event,
        object: ObjectReference,
    ) -> Result<(), ClusterError> {
        let doing = || "writing an Event".to_owned();
        let namespace = object.namespace.clone().unwrap_or_default();
        let api: Api<StoredEvent> = Api::namespaced(self.client.clone(), &namespace);
        let key = (
            object.uid.clone().unwrap_or_default(),
            event.action.clone(),
            event.reason.clone(),
        );
        let before = self.recent().get(&key);
        if let Some(before) = before {
            let times = before.times.saturating_add(1);
            let series = EventSeries {
                count: times,
                last_observed_time: MicroTime(Timestamp::now()),
            };
            let patch = Patch::Merge(json!({ "series": series }));
            let params = PatchParams::default();
            match call(doing, api.patch(&before.event, &params, &patch)).await {
                // The API server forgets Events after a while.
                Err(error) if error.is_gone() => {}
                counted => {
                    self.recent().put(key, before.event, times);
                    return counted.map(drop);
                }
            }
        }
        let new = self.stored(event, object);
        let name = new.metadata.name.clone().unwrap_or_default();
        call(doing, api.create(&PostParams::default(), &new)).await?;
        self.recent().put(key, name, 1);
        Ok(())
    }

    fn stored(&self, event: &Event, object: ObjectReference) -> StoredEvent {
        let now = Timestamp::now();
        let about = object.name.as_deref().unwrap_or_default();
        StoredEvent {
            metadata: ObjectMeta {
                name: Some(format!("{about}.{:x}", now.as_nanosecond())),
                namespace: object.namespace.clone(),
                ..ObjectMeta::default()
            },
            action: Some(event.action.clone()),
            reason: Some(event.reason.clone()),
            note: event.note.clone(),
            type_: Some(
                match event.type_ {
                    EventType::Normal => "Normal",
                    EventType::Warning => "Warning",
                }
                .to_owned(),
            ),
            event_time: Some(MicroTime(now)),
            regarding: Some(object),
            related: event.secondary.clone(),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..StoredEvent::default()
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn get(&self, key: &Key) -> Option<Told> {
        let told = self.told.get(key)?;
        (told.at.elapsed() < SERIES).then(|| told.clone())
    }

    fn put(&mut self, key: Key, event: String, times: i32) {
        let told = Told {
            event,
            times,
            at: Instant::now(),
        };
        if self.told.insert(key.clone(), told).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.told.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut recent = Recent::default();
        let key = |n: usize| (n.to_string(), "Reconcile".to_owned(), "Enabled".to_owned());
        for n in 0..REMEMBERED + 10 {
            recent.put(key(n), format!("event-{n}"), 1);
            recent.put(key(n), format!("event-{n}"), 2);
        }
        assert_eq!(recent.told.len(), REMEMBERED);
        assert_eq!(recent.order.len(), REMEMBERED);
        assert!(recent.get(&key(9)).is_none());
        assert_eq!(recent.get(&key(10)).map(|told| told.times), Some(2));
    }
}
