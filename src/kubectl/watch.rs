//! Waiting for an object to become as wanted.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watch_object};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until};

use super::error::CommandError;
use super::output::Progress;
use crate::cluster::ClusterError;
use crate::domain::name::ObjectName;

/// What an object says of a question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict<T> {
    /// The answer.
    Decided(T),
    /// Not yet; this is waited for.
    Waiting(String),
}

/// How a wait ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ended<T> {
    /// With an answer.
    Decided(T),
    /// The object was deleted.
    Gone,
    /// The time is over; this was waited for last.
    Undecided(String),
}

/// Watches the `kind` named `name` until `judge` decides, for at most `timeout`, and says on
/// `progress` what is waited for.
///
/// # Errors
/// The API server refuses the watch. That it cannot be reached is waited out.
pub async fn until_decided<K, T>(
    api: Api<K>,
    kind: &str,
    name: &ObjectName,
    timeout: Duration,
    progress: &Progress,
    mut judge: impl FnMut(&K) -> Verdict<T>,
) -> Result<Ended<T>, CommandError>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut events = pin!(watch_object(api, &name.name).default_backoff());
    let deadline = Instant::now() + timeout;
    let mut last = "the API server".to_owned();
    loop {
        progress.waiting(&format!("Waiting for {last}"));
        let object = tokio::select! {
            event = events.next() => match event {
                Some(Ok(Some(object))) => object,
                Some(Ok(None)) => return Ok(Ended::Gone),
                Some(Err(error)) => match for_good(error, kind, name) {
                    Some(error) => return Err(error.into()),
                    None => {
                        "the API server, which cannot be reached".clone_into(&mut last);
                        continue;
                    }
                },
                None => return Ok(Ended::Undecided(last)),
            },
            () = sleep_until(deadline) => return Ok(Ended::Undecided(last)),
        };
        match judge(&object) {
            Verdict::Decided(answer) => return Ok(Ended::Decided(answer)),
            Verdict::Waiting(what) => last = what,
        }
    }
}

/// An error that stays however often it is tried.
pub fn for_good(error: watcher::Error, kind: &str, name: &ObjectName) -> Option<ClusterError> {
    let source = match error {
        watcher::Error::InitialListFailed(source)
        | watcher::Error::WatchStartFailed(source)
        | watcher::Error::WatchFailed(source) => source,
        watcher::Error::WatchError(status) => kube::Error::Api(status),
        _ => return None,
    };
    let stays =
        matches!(&source, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404));
    stays.then(|| ClusterError::Api {
        doing: format!("watching the {kind} {name}"),
        source: Box::new(source),
    })
}
