//! All Mailboxes as they are now, by one watch: a hundred rows that ask would take the API server's time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use futures::StreamExt;
use gmail_operator::api::Mailbox;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::lab::operator::PATIENCE;

/// Watches until it is dropped.
pub struct Board {
    seen: Arc<Mutex<HashMap<String, Mailbox>>>,
    changes: watch::Receiver<()>,
    task: JoinHandle<()>,
}

impl Board {
    /// Of these Mailboxes.
    pub fn of(mailboxes: Api<Mailbox>) -> Board {
        let seen = Arc::<Mutex<HashMap<_, _>>>::default();
        let (told, changes) = watch::channel(());
        let known = seen.clone();
        let task = tokio::spawn(async move {
            let events = watcher(mailboxes, watcher::Config::default()).applied_objects();
            let mut events = std::pin::pin!(events.default_backoff());
            while let Some(event) = events.next().await {
                if let Ok(mailbox) = event {
                    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                    known.insert(mailbox.name_any(), mailbox);
                    told.send_replace(());
                }
            }
        });
        Board {
            seen,
            changes,
            task,
        }
    }

    /// Waits until a Mailbox is as `wanted`; says how it is otherwise.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&Mailbox) -> bool,
    ) -> Result<Mailbox> {
        let mut changes = self.changes.clone();
        let waiting = async {
            loop {
                changes.mark_unchanged();
                if let Some(mailbox) = self.get(name).filter(&wanted) {
                    return mailbox;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(mailbox) => Ok(mailbox),
            Err(_) => {
                let last = self.get(name);
                bail!(
                    "no {what}: it is {}",
                    last.map_or_else(String::new, in_short)
                )
            }
        }
    }

    fn get(&self, name: &str) -> Option<Mailbox> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(name).cloned()
    }
}

/// The reasons of its conditions, and its errors with the server's words.
fn in_short(mailbox: Mailbox) -> String {
    let status = mailbox.status.unwrap_or_default();
    let conditions = status.conditions.iter();
    let reasons: Vec<_> = conditions
        .map(|c| format!("{} {}", c.type_, c.reason))
        .collect();
    let errors = [status.incoming, status.outgoing].map(|direction| direction?.last_error);
    format!("{}; {errors:?}", reasons.join(", "))
}

impl Drop for Board {
    fn drop(&mut self) {
        self.task.abort();
    }
}
