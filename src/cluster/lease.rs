//! Leader election on a `coordination.k8s.io/v1` Lease. kube has none.
//!
//! Writes are guarded by the resource version. Whether another holder is alive is judged by our own
//! clock since we last saw its record change, never by comparing its times with ours.

mod standing;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{ClusterError, call};
pub use standing::{Standing, Term};

/// The Lease's name.
const NAME: &str = "gmail-operator";

/// How long a Lease is held without a sign of life, and how often that is given.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTimes {
    /// After this without a change, another may take it.
    pub duration: Duration,
    /// After this without a renewal of ours, we no longer act. Shorter than `duration`.
    pub deadline: Duration,
    /// Between two renewals, or two looks at somebody else's.
    pub retry: Duration,
}

/// What to do about the Lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Judgement {
    Create,
    Take,
    Renew,
    Wait,
}

/// What was seen of the record, and when it last changed by our clock.
struct Seen {
    holder: Option<String>,
    version: Option<String>,
    changed: Instant,
}

fn judge(seen: Option<&Seen>, me: &str, now: Instant, duration: Duration) -> Judgement {
    match seen {
        None => Judgement::Create,
        Some(seen) => match seen.holder.as_deref() {
            Some(holder) if holder == me => Judgement::Renew,
            None | Some("") => Judgement::Take,
            Some(_) if now.duration_since(seen.changed) > duration => Judgement::Take,
            Some(_) => Judgement::Wait,
        },
    }
}

/// Takes part in the election until `stop`, then gives the Lease back. `tells` how this process stands.
///
/// # Errors
/// [`LeaseLost`] when the Lease was held and could not be kept: the process must end, since another
/// may be leading already.
pub async fn run(
    client: Client,
    namespace: &str,
    me: &str,
    times: LeaseTimes,
    tells: watch::Sender<Standing>,
    stop: CancellationToken,
) -> Result<(), LeaseLost> {
    let api: Api<Lease> = Api::namespaced(client, namespace);
    let mut seen: Option<Seen> = None;
    let mut renewed: Option<Instant> = None;
    loop {
        let (started, started_at) = (Instant::now(), Timestamp::now());
        let left = renewed.map(|renewed| {
            times
                .deadline
                .saturating_sub(started.duration_since(renewed))
        });
        let round = one_round(&api, namespace, me, times.duration, &mut seen);
        let result =
            tokio::time::timeout(left.unwrap_or(times.deadline).min(times.deadline), round).await;
        match result {
            Ok(Ok(true)) => {
                renewed = Some(started);
                let term = Term::new(started, started_at, times.deadline);
                tells.send_replace(Standing::Leads(term));
            }
            Ok(Ok(false)) if renewed.is_some() => return Err(LeaseLost),
            Ok(Ok(false)) => {
                tells.send_replace(Standing::Waits);
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the Lease could not be read or written; trying again")
            }
            Err(_) => {
                tracing::warn!("the Lease could not be read or written in time; trying again")
            }
        }
        if renewed.is_some_and(|renewed| renewed.elapsed() >= times.deadline) {
            return Err(LeaseLost);
        }
        tokio::select! {
            () = tokio::time::sleep(times.retry) => {}
            () = stop.cancelled() => break,
        }
    }
    if renewed.is_some() {
        release(&api, me).await;
    }
    Ok(())
}

/// The Lease was lost.
#[derive(Debug, thiserror::Error)]
#[error("the Lease was lost: another replica may be leading")]
pub struct LeaseLost;

/// Looks, judges, writes; true where we hold the Lease then.
async fn one_round(
    api: &Api<Lease>,
    namespace: &str,
    me: &str,
    duration: Duration,
    seen: &mut Option<Seen>,
) -> Result<bool, ClusterError> {
    let lease = call(|| "reading the Lease".to_owned(), api.get_opt(NAME)).await?;
    look(seen, lease.as_ref());
    let judgement = judge(seen.as_ref(), me, Instant::now(), duration);
    let written = match (judgement, lease) {
        (Judgement::Wait, _) => return Ok(false),
        (Judgement::Create, _) | (_, None) => {
            let metadata = ObjectMeta {
                name: Some(NAME.to_owned()),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            };
            let lease = Lease {
                metadata,
                spec: Some(record(None, me, duration, true)),
            };
            call(
                || "creating the Lease".to_owned(),
                api.create(&PostParams::default(), &lease),
            )
            .await
        }
        (judgement, Some(mut lease)) => {
            lease.spec = Some(record(
                lease.spec.take(),
                me,
                duration,
                judgement == Judgement::Take,
            ));
            call(
                || "writing the Lease".to_owned(),
                api.replace(NAME, &PostParams::default(), &lease),
            )
            .await
        }
    };
    match written {
        Ok(lease) => {
            look(seen, Some(&lease));
            Ok(true)
        }
        Err(error) if error.is_conflict() => Ok(false),
        Err(error) => Err(error),
    }
}

fn look(seen: &mut Option<Seen>, lease: Option<&Lease>) {
    let Some(lease) = lease else {
        *seen = None;
        return;
    };
    let version = lease.metadata.resource_version.clone();
    if seen.as_ref().is_none_or(|seen| seen.version != version) {
        let holder = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.holder_identity.clone());
        *seen = Some(Seen {
            holder,
            version,
            changed: Instant::now(),
        });
    }
}

fn record(old: Option<LeaseSpec>, me: &str, duration: Duration, takes: bool) -> LeaseSpec {
    let now = MicroTime(Timestamp::now());
    let old = old.unwrap_or_default();
    LeaseSpec {
        holder_identity: Some(me.to_owned()),
        lease_duration_seconds: i32::try_from(duration.as_secs().max(1)).ok(),
        acquire_time: if takes {
            Some(now.clone())
        } else {
            old.acquire_time
        },
        renew_time: Some(now),
        lease_transitions: Some(
            old.lease_transitions
                .unwrap_or(0)
                .saturating_add(i32::from(takes)),
        ),
        ..LeaseSpec::default()
    }
}

/// So that the next replica need not wait.
async fn release(api: &Api<Lease>, me: &str) {
    let Ok(Some(mut lease)) = call(|| "reading the Lease".to_owned(), api.get_opt(NAME)).await
    else {
        return;
    };
    let ours = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.holder_identity.as_deref())
        == Some(me);
    if let (true, Some(spec)) = (ours, lease.spec.as_mut()) {
        spec.holder_identity = None;
        if let Err(error) = call(
            || "giving the Lease back".to_owned(),
            api.replace(NAME, &PostParams::default(), &lease),
        )
        .await
        {
            tracing::warn!(%error, "the Lease could not be given back; the next replica waits until it runs out");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_record_that_stands_still_is_taken_from_another() {
        let start = Instant::now();
        let duration = Duration::from_secs(15);
        let seen = |holder: Option<&str>| Seen {
            holder: holder.map(str::to_owned),
            version: Some("1".into()),
            changed: start,
        };
        for (record, after, judgement) in [
            (None, 0, Judgement::Create),
            (Some(seen(Some("me"))), 100, Judgement::Renew),
            (Some(seen(Some("other"))), 15, Judgement::Wait),
            (Some(seen(Some("other"))), 16, Judgement::Take),
            (Some(seen(None)), 0, Judgement::Take),
            (Some(seen(Some(""))), 0, Judgement::Take),
        ] {
            assert_eq!(
                judge(
                    record.as_ref(),
                    "me",
                    start + Duration::from_secs(after),
                    duration
                ),
                judgement
            );
        }
    }
}
