//! The Secret for workloads: looked at, written, withdrawn, removed.

use jiff::Timestamp;

use super::keep::remember;
use super::observe::Observed;
use crate::api::MailboxStatus;
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;
use crate::cluster::workload_secret::WorkloadSecret;
use crate::controller::context::Context;
use crate::domain::mailbox::{Binding, Outcome, Step, Times, ValidSpec, connection, look_due};
use crate::domain::name::ObjectName;
use crate::domain::workload_secret::SecretView;
use crate::grant::KeeperError;
use crate::mail::{MailAccount, Xoauth2};

/// A Mailbox of which the Secret for workloads is looked at.
pub struct Seeker<'a> {
    pub context: &'a Context,
    pub name: &'a ObjectName,
    pub uid: &'a str,
    pub spec: Option<&'a ValidSpec>,
    pub status: Option<&'a MailboxStatus>,
    pub grant: Option<&'a StoredGrant>,
}

impl Seeker<'_> {
    /// What is known of the Secret, after a look at it where one is due: at the first sight of the
    /// Mailbox, and then now and then.
    pub async fn observe(
        &self,
        remembered: Option<Binding>,
        times: &Times,
        now: Timestamp,
    ) -> Result<Binding, ClusterError> {
        let Some(spec) = self.spec else {
            return Ok(remembered.unwrap_or_default());
        };
        let wanted = spec.access_token_secret.clone();
        let known = remembered.filter(|known| known.name == wanted);
        let mut binding = match (known, &wanted) {
            (Some(known), _) => known,
            (None, None) => Binding::default(),
            (None, Some(_)) => self.look(Binding::default(), wanted, now).await?,
        };
        if look_due(&binding, times, self.uid).is_some_and(|due| due <= now) {
            let name = binding.name.clone();
            binding = self.look(binding, name, now).await?;
        }
        binding.former = self.former(binding.name.as_deref());
        Ok(binding)
    }

    async fn look(
        &self,
        known: Binding,
        name: Option<String>,
        now: Timestamp,
    ) -> Result<Binding, ClusterError> {
        let Some(named) = &name else {
            return Ok(known);
        };
        let client = &self.context.client;
        let secret = WorkloadSecret::new(client, self.name, self.uid, named);
        match secret.look().await {
            Ok(view) => Ok(Binding {
                name,
                secret: view,
                looked_at: now,
                // That it can be seen says nothing of a change that was refused.
                refused: known.refused.filter(|_| known.retry.failed > 0),
                ..known
            }),
            Err(error) if error.is_refused() => Ok(Binding {
                name,
                looked_at: now,
                refused: Some(error.to_string()),
                ..known
            }),
            Err(error) => Err(error),
        }
    }

    /// A Secret that was for workloads under another name: the grant knows it, and so does status
    /// where there is no grant any more.
    fn former(&self, name: Option<&str>) -> Option<String> {
        let grant = self.grant.map(|stored| &stored.grant);
        let noted = grant
            .filter(|grant| grant.mailbox_uid == self.uid)
            .and_then(|grant| grant.workload_secret.as_ref());
        let shown = self.status.and_then(|status| status.binding.as_ref());
        [noted, shown.map(|binding| &binding.name.0)]
            .into_iter()
            .flatten()
            .find(|other| name != Some(other.as_str()))
            .cloned()
    }
}

/// Does one step. That the API server says no is an outcome.
pub async fn act(
    context: &Context,
    observed: &Observed,
    step: &Step,
) -> Result<Outcome, ClusterError> {
    let done = match step {
        Step::PublishToken => publish(context, observed).await,
        Step::WithdrawToken => withdraw(context, observed).await,
        Step::RemoveSecret(name) => remove(context, observed, name).await,
        _ => Ok(Outcome::Unavailable),
    };
    match done {
        // A namespace that is going takes its Secrets along.
        Err(error) if error.is_refused_by_namespace() => Ok(Outcome::Unavailable),
        Err(error) if error.is_refused() => {
            tracing::warn!(mailbox = %observed.name, %error, "the Secret for workloads could not be changed; it is tried again");
            Ok(Outcome::SecretRefused(error.to_string()))
        }
        other => other,
    }
}

async fn publish(context: &Context, observed: &Observed) -> Result<Outcome, ClusterError> {
    let world = &observed.world;
    let (Some(name), Some(stored), Some((held, profile, spec))) =
        (&world.binding.name, &observed.grant, world.usable_grant())
    else {
        return Ok(Outcome::Unavailable);
    };
    // Before it is there, so that it is found again whatever happens. A former one is forgotten only
    // when it has gone.
    if world.binding.former.is_none() && !note(context, stored, Some(name)).await? {
        return Ok(Outcome::Unavailable);
    }
    let access = &stored.grant.access;
    let login = Xoauth2::new(MailAccount {
        user: held.account.as_str(),
        token: &access.token,
    });
    let contents = connection(&held.account, profile, spec).contents(access, &login);
    let secret = WorkloadSecret::new(&context.client, &observed.name, &world.uid, name);
    let view = secret.publish(&contents).await?;
    tracing::debug!(mailbox = %observed.name, secret = name, ?view, "the Secret for workloads");
    Ok(Outcome::Secret(view))
}

async fn withdraw(context: &Context, observed: &Observed) -> Result<Outcome, ClusterError> {
    let Some(name) = &observed.world.binding.name else {
        return Ok(Outcome::Unavailable);
    };
    let uid = &observed.world.uid;
    let secret = WorkloadSecret::new(&context.client, &observed.name, uid, name);
    let view = secret.withdraw().await?;
    tracing::info!(mailbox = %observed.name, secret = name, "took the access token out of the Secret for workloads");
    Ok(Outcome::Secret(view))
}

async fn remove(
    context: &Context,
    observed: &Observed,
    name: &str,
) -> Result<Outcome, ClusterError> {
    let world = &observed.world;
    let secret = WorkloadSecret::new(&context.client, &observed.name, &world.uid, name);
    secret.remove().await?;
    tracing::info!(mailbox = %observed.name, secret = name, "removed the Secret for workloads that the spec does not name any more");
    let is_there = matches!(world.binding.secret, SecretView::Ours { .. });
    let now = world.binding.name.as_ref().filter(|_| is_there);
    let noted = match &observed.grant {
        Some(stored) if stored.grant.mailbox_uid == world.uid => note(context, stored, now).await?,
        _ => true,
    };
    Ok(match noted {
        true => Outcome::SecretRemoved,
        false => Outcome::Unavailable,
    })
}

/// Notes in the grant which Secret there is; whether it is noted.
async fn note(
    context: &Context,
    stored: &StoredGrant,
    name: Option<&String>,
) -> Result<bool, ClusterError> {
    if stored.grant.workload_secret.as_ref() == name {
        return Ok(true);
    }
    let written = context
        .keeper
        .update(stored.clone(), |grant| {
            grant.workload_secret = name.cloned();
        })
        .await;
    match written {
        Ok(Some(written)) => {
            remember(context, written);
            Ok(true)
        }
        Err(KeeperError::Cluster(error)) => Err(error),
        Ok(None) | Err(_) => Ok(false),
    }
}
