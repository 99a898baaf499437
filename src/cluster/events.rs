//! Events.

use kube::runtime::events::{Event, EventType};
use kube::{Client, Resource};

use super::recorder::Recorder;
use crate::api::Reason;
use crate::domain::verdict::{Truth, Verdict};

/// The condition that each kind has.
const READY: &str = "Ready";

/// Tells transitions as Kubernetes Events.
pub struct Events {
    recorder: Recorder,
}

impl Events {
    /// Events of this process, which is called `instance`.
    pub fn new(client: Client, instance: String) -> Self {
        Self {
            recorder: Recorder::new(client, instance),
        }
    }

    /// Tells that `object` is now as `ready` says, if it was not before. That an Event could not be
    /// written never holds anything up.
    pub async fn transition<K>(&self, object: &K, before: Option<&str>, ready: &Verdict)
    where
        K: Resource<DynamicType = ()>,
    {
        if before != Some(ready.reason.name()) {
            self.tell(object, READY, ready).await;
        }
    }

    /// Tells that the condition `condition` of `object` is now as `verdict` says.
    pub async fn tell<K>(&self, object: &K, condition: &str, verdict: &Verdict)
    where
        K: Resource<DynamicType = ()>,
    {
        let waits = matches!(
            verdict.reason,
            Reason::SignInRequired
                | Reason::Testing
                | Reason::NotTested
                | Reason::NotChecked
                | Reason::Suspended
        );
        // It still holds, and somebody must act before it does not.
        let name = format!(
            "{}/{}",
            object.meta().namespace.as_deref().unwrap_or_default(),
            object.meta().name.as_deref().unwrap_or_default()
        );
        tracing::info!(kind = %K::kind(&()), name, condition, is = ?verdict.truth, reason = %verdict.reason, "a change");
        let event = Event {
            type_: match verdict.truth {
                Truth::True if !verdict.reason.is_warning() => EventType::Normal,
                _ if waits => EventType::Normal,
                _ => EventType::Warning,
            },
            reason: verdict.reason.name().to_owned(),
            note: Some(note(&verdict.message)),
            action: action(condition),
            secondary: None,
        };
        let published = self.recorder.publish(&event, object.object_ref(&())).await;
        // A namespace that is being deleted takes no new Events: nobody is to be told of it.
        if let Err(error) = published
            && !error.is_refused_by_namespace()
        {
            tracing::warn!(%error, "an Event could not be written");
        }
    }
}

/// What was done when it was seen, as an Event names it: it keeps those of the two directions apart.
fn action(condition: &str) -> String {
    match condition {
        READY => "Reconcile".to_owned(),
        direction => format!("Test{}", direction.trim_end_matches(READY)),
    }
}

/// An Event's note has at most 1024 bytes.
fn note(message: &str) -> String {
    let mut note = message.to_owned();
    if note.len() > 1000 {
        let end = (0..=1000)
            .rev()
            .find(|at| note.is_char_boundary(*at))
            .unwrap_or(0);
        note.truncate(end);
    }
    note
}
