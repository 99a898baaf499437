//! Until the operator has decided.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use kube::{Api, Client};
use tokio::time::{Instant, sleep_until};

use super::store::Stored;
use crate::api::{Actor, GmailServerProfile, ProfileCondition};
use crate::domain::name::ObjectName;
use crate::kubectl::conditions::reason;
use crate::kubectl::error::CommandError;
use crate::kubectl::output::Progress;
use crate::kubectl::profile::condition;
use crate::kubectl::watch::for_good;

/// The operator looks at a profile's Secret within a minute; then it needs Google's answer.
const LOOKS_AT_SECRET: Duration = Duration::from_secs(75);

/// What is waited for.
#[derive(Clone, Debug)]
pub struct Asked {
    generation: i64,
    stale: Option<Vec<Condition>>,
}

/// How the waiting ended.
#[derive(Debug)]
pub enum Outcome {
    /// Ready.
    Accepted(Box<GmailServerProfile>),
    /// Not, and somebody has to act.
    Refused(Box<GmailServerProfile>),
    /// The time is over.
    Undecided {
        /// As it was last seen.
        profile: Option<Box<GmailServerProfile>>,
        /// What was waited for.
        last: String,
    },
    /// It was deleted.
    Gone,
}

/// What a status says of the question.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Verdict {
    Accepted,
    Refused,
    /// For this.
    Waiting(String),
}

impl Asked {
    /// About what was stored.
    pub fn of(stored: &Stored) -> Self {
        Self {
            generation: stored.generation,
            stale: stored.stale.clone(),
        }
    }

    /// How long to wait where nobody said how long.
    pub fn usual_patience(&self, usual: Duration) -> Duration {
        match self.stale {
            Some(_) => usual.max(LOOKS_AT_SECRET + usual / 2),
            None => usual,
        }
    }

    fn judge(&self, profile: &GmailServerProfile) -> Verdict {
        let status = profile.status.as_ref();
        let observed = status.and_then(|status| status.observed_generation);
        if observed.is_none_or(|observed| observed < self.generation) {
            return Verdict::Waiting("the operator to look at it".to_owned());
        }
        let conditions = status.map(|status| status.conditions.as_slice());
        if self
            .stale
            .as_deref()
            .is_some_and(|stale| conditions == Some(stale))
        {
            return Verdict::Waiting(
                "the operator to look at the changed Secret, which it does within a minute"
                    .to_owned(),
            );
        }
        let Some(ready) = condition(status, ProfileCondition::Ready) else {
            return Verdict::Waiting("the operator to look at it".to_owned());
        };
        match ready.status.as_str() {
            "True" => Verdict::Accepted,
            // Nobody has to act, so it goes on by itself.
            _ if reason(ready).is_some_and(|reason| reason.who() == Actor::Nobody) => {
                Verdict::Waiting(format!(
                    "Google's answer ({}: {})",
                    ready.reason, ready.message
                ))
            }
            "False" => Verdict::Refused,
            _ => Verdict::Waiting(format!("{}: {}", ready.reason, ready.message)),
        }
    }
}

/// Waits for it, and says for what.
///
/// # Errors
/// The profile may not be watched.
pub async fn until_decided(
    client: &Client,
    name: &ObjectName,
    mut asked: Asked,
    timeout: Duration,
    progress: &Progress,
) -> Result<Outcome, CommandError> {
    let api: Api<GmailServerProfile> = Api::namespaced(client.clone(), &name.namespace);
    let mut events = pin!(watch_object(api, &name.name).default_backoff());
    let now = Instant::now();
    let (deadline, looked) = (now + timeout, now + LOOKS_AT_SECRET);
    let mut latest = None;
    let mut last = "the operator to look at it".to_owned();
    loop {
        progress.waiting(&format!("Waiting for {last}"));
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(Some(profile))) => latest = Some(Box::new(profile)),
                Some(Ok(None)) => return Ok(Outcome::Gone),
                Some(Err(error)) => match for_good(error, "GmailServerProfile", name) {
                    Some(error) => return Err(error.into()),
                    None => "the API server, which cannot be reached".clone_into(&mut last),
                },
                None => return Ok(Outcome::Undecided { profile: latest, last }),
            },
            // By now it has looked at the Secret: what it says is about the new one.
            () = sleep_until(looked), if asked.stale.is_some() => asked.stale = None,
            () = sleep_until(deadline) => return Ok(Outcome::Undecided { profile: latest, last }),
        }
        match latest.as_deref().map(|profile| asked.judge(profile)) {
            Some(Verdict::Accepted) => {
                return Ok(latest.map_or(Outcome::Gone, Outcome::Accepted));
            }
            Some(Verdict::Refused) => return Ok(latest.map_or(Outcome::Gone, Outcome::Refused)),
            Some(Verdict::Waiting(what)) => last = what,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn profile(observed: i64, status: &str, reason: &str) -> GmailServerProfile {
        serde_json::from_value(json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "GmailServerProfile",
            "metadata": { "name": "google", "generation": 2 }, "spec": {},
            "status": { "observedGeneration": observed, "conditions": [
                { "type": "Ready", "status": status, "reason": reason, "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z" },
            ] },
        }))
        .unwrap_or_else(|error| panic!("{error}"))
    }

    fn judged(profile: &GmailServerProfile, stale: Option<&GmailServerProfile>) -> &'static str {
        let asked = Asked {
            generation: 2,
            stale: stale.and_then(|stale| Some(stale.status.clone()?.conditions)),
        };
        match asked.judge(profile) {
            Verdict::Accepted => "accepted",
            Verdict::Refused => "refused",
            Verdict::Waiting(_) => "waiting",
        }
    }

    #[test]
    fn only_what_is_said_of_the_current_spec_counts() {
        for (observed, status, reason, verdict) in [
            (1, "True", "ProfileReady", "waiting"),
            (1, "False", "ClientSecretRejected", "waiting"),
            (2, "True", "ProfileReady", "accepted"),
            (2, "False", "ClientSecretRejected", "refused"),
            (2, "False", "SharingNotPermitted", "refused"),
            (2, "False", "NotChecked", "waiting"),
            (2, "False", "GoogleUnavailable", "waiting"),
            (2, "False", "AReasonOfTheFuture", "refused"),
            (2, "Unknown", "AReasonOfTheFuture", "waiting"),
        ] {
            let profile = profile(observed, status, reason);
            assert_eq!(
                judged(&profile, None),
                verdict,
                "{observed} {status} {reason}"
            );
        }
        let mut new = profile(2, "True", "ProfileReady");
        new.status = None;
        assert_eq!(judged(&new, None), "waiting");
    }

    #[test]
    fn what_was_said_of_the_old_secret_does_not_count() {
        let refused = profile(2, "False", "ClientSecretRejected");
        let ready = profile(2, "True", "ProfileReady");
        assert_eq!(judged(&refused, Some(&refused)), "waiting");
        assert_eq!(judged(&ready, Some(&refused)), "accepted");
        assert_eq!(judged(&refused, Some(&ready)), "refused");
        let asked = Asked {
            generation: 2,
            stale: Some(Vec::new()),
        };
        assert!(asked.usual_patience(Duration::from_secs(60)) > LOOKS_AT_SECRET);
    }

    /// The status types are those of the API, so that a condition that is renamed breaks this.
    #[test]
    fn a_status_without_conditions_is_waited_for() {
        let mut value: Value = json!(profile(2, "True", "ProfileReady"));
        value["status"]["conditions"] = json!([]);
        let profile: GmailServerProfile =
            serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(judged(&profile, None), "waiting");
    }
}
