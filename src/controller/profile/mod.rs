//! One GmailServerProfile: observe, decide, act, report.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use url::Url;

use super::context::{AnyProfile, Context, object_name};
use super::guard::guarded;
use crate::api::{GmailServerProfile, MailboxCondition, NamespacesFrom, ProfileCondition, Reason};
use crate::cluster::ClusterError;
use crate::cluster::credentials::{self, CredentialsError};
use crate::cluster::status::{CONTROLLER, apply};
use crate::cluster::watched::Watched;
use crate::domain::mailbox::Retry;
use crate::domain::name::ObjectName;
use crate::domain::profile::{
    Checked, Counts, Credentials, Outcome, ProfileWorld, Times, ValidProfile, decide, fold, report,
    verdicts,
};
use crate::domain::schedule::until;
use crate::google::OAuthError;
use crate::telemetry::metrics::{Kind, KindLabels, ReconcileLabels, ReconcileResult};

/// What this process remembers of a profile.
#[derive(Clone, Debug, Default)]
pub struct ProfileMemory {
    checked: Option<Checked>,
    retry: Retry,
}

/// Looks at one profile.
pub async fn reconcile(
    object: Arc<AnyProfile>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let uid = object.uid().unwrap_or_default();
    guarded(
        &context,
        Kind::GmailServerProfile,
        &uid,
        one_step(&object, &context),
    )
    .await
}

async fn one_step(object: &AnyProfile, context: &Context) -> Result<Action, ClusterError> {
    let Some(latest) = context.profiles.get(&ObjectRef::from_obj(object)) else {
        return Ok(Action::await_change());
    };
    let profile = match &latest.0 {
        Ok(profile) if profile.metadata.deletion_timestamp.is_none() => profile,
        Ok(_) => return Ok(Action::await_change()),
        Err(invalid) => {
            let name = object_name(latest.as_ref());
            tracing::warn!(profile = %name, error = %invalid.error, "this profile cannot be read and is left alone until it is corrected");
            let labels = ReconcileLabels {
                kind: Kind::GmailServerProfile,
                result: ReconcileResult::Invalid,
            };
            context.metrics.reconciles.get_or_create(&labels).inc();
            return Ok(Action::await_change());
        }
    };
    let world = observe(context, profile).await?;
    let plan = decide(&world);
    let acts = plan.step.is_some() && context.may_act();
    let world = match acts {
        true => {
            let outcome = check_client(context, profile).await?;
            fold(world, outcome)
        }
        false => world,
    };
    write(context, profile, &world).await?;
    context.profile_memory.put(
        &world.uid,
        ProfileMemory {
            checked: world.checked.clone(),
            retry: world.retry,
        },
    );
    let wait = match (acts, plan.step) {
        (true, _) => Duration::ZERO,
        (false, Some(_)) => context.pace.backoff_first.into(),
        (false, None) => until(plan.wake, world.now),
    };
    Ok(Action::requeue(wait))
}

async fn observe(
    context: &Context,
    profile: &GmailServerProfile,
) -> Result<ProfileWorld, ClusterError> {
    let name = object_name(profile);
    let uid = profile.uid().unwrap_or_default();
    let memory = context.profile_memory.get(&uid).unwrap_or_default();
    let credentials = match credentials::read(
        &context.client,
        &name.namespace,
        profile.spec.oauth_client.as_ref(),
    )
    .await
    {
        Ok(client) => Credentials::Client {
            fingerprint: client.fingerprint(),
            id: client.id,
            redirect_uris: client.redirect_uris,
        },
        Err(CredentialsError::NotNamed) => Credentials::NotNamed,
        Err(CredentialsError::Missing(detail)) => Credentials::Missing(detail),
        Err(CredentialsError::Bad(detail)) => Credentials::Bad(detail),
        Err(CredentialsError::Cluster(error)) => return Err(error),
    };
    let offers = profile.spec.allowed_namespaces.from != NamespacesFrom::Same;
    let pace = &context.pace;
    Ok(ProfileWorld {
        now: Timestamp::now(),
        uid,
        spec: ValidProfile::new(&profile.spec, context.network.egress()),
        suspended: profile.spec.suspend,
        sharing_refused: offers && !context.may_share(&name.namespace),
        credentials,
        checked: memory.checked,
        retry: memory.retry,
        public_url: context.public_url.clone(),
        counts: count(context, &name),
        times: Times {
            recheck: pace.recheck_client.into(),
            recheck_refused: pace.recheck_refused_client.into(),
            look: pace.look_at_secret.into(),
            backoff_first: pace.backoff_first.into(),
            backoff_longest: pace.backoff_longest.into(),
        },
    })
}

fn count(context: &Context, name: &ObjectName) -> Counts {
    let mut counts = Counts::default();
    for mailbox in context.mailboxes.store().state() {
        let Some(status) = mailbox
            .0
            .as_ref()
            .ok()
            .and_then(|mailbox| mailbox.status.as_ref())
        else {
            continue;
        };
        if !status
            .profile
            .as_ref()
            .is_some_and(|profile| profile.name == name.name && profile.namespace == name.namespace)
        {
            continue;
        }
        let holds = |condition: MailboxCondition| {
            status
                .conditions
                .iter()
                .any(|c| c.type_ == condition.name() && c.status == "True")
        };
        let failing = |condition: MailboxCondition| {
            status.conditions.iter().any(|c| {
                c.type_ == condition.name()
                    && c.status == "False"
                    && c.reason != Reason::NotUsed.name()
            })
        };
        counts.assigned += 1;
        counts.ready += i32::from(holds(MailboxCondition::Ready));
        if holds(MailboxCondition::SignedIn) {
            counts.signed_in += 1;
            counts.failing += i32::from(
                failing(MailboxCondition::IncomingReady)
                    || failing(MailboxCondition::OutgoingReady),
            );
        }
    }
    counts
}

async fn check_client(
    context: &Context,
    profile: &GmailServerProfile,
) -> Result<Outcome, ClusterError> {
    let name = object_name(profile);
    let client = match context.keeper.client_of(profile).await {
        Ok(client) => client,
        Err(error) => {
            tracing::warn!(profile = %name, %error, "the OAuth client could not be read for its check; it is tried again");
            return Ok(Outcome::Unavailable);
        }
    };
    // Google looks at the client before the redirect URI, so any will do.
    let redirect_uri = context
        .public_url
        .as_ref()
        .map(|url| url.redirect_uri())
        .or_else(|| Url::parse("http://localhost/oauth2/callback").ok());
    let Some(redirect_uri) = redirect_uri else {
        return Ok(Outcome::Unavailable);
    };
    Ok(
        match client
            .google
            .check_client(&client.client, &redirect_uri)
            .await
        {
            Ok(()) => Outcome::Accepted,
            Err(OAuthError::Refused(refusal)) => Outcome::Refused(
                refusal.of_client().unwrap_or(Reason::ClientRefused),
                refusal.words(),
            ),
            Err(error) => {
                tracing::warn!(profile = %name, %error, "the OAuth client could not be checked; it is tried again");
                Outcome::Unavailable
            }
        },
    )
}

async fn write(
    context: &Context,
    profile: &GmailServerProfile,
    world: &ProfileWorld,
) -> Result<(), ClusterError> {
    let old = profile.status.as_ref();
    let status = report(world, old, profile.metadata.generation);
    if old != Some(&status) {
        let written = apply(&context.client, profile, &status, CONTROLLER).await?;
        context
            .metrics
            .status_writes
            .get_or_create(&KindLabels {
                kind: Kind::GmailServerProfile,
            })
            .inc();
        context.profiles.wrote(Watched(Ok(written)));
        let before = old
            .and_then(|old| {
                old.conditions
                    .iter()
                    .find(|c| c.type_ == ProfileCondition::Ready.name())
            })
            .map(|c| c.reason.as_str());
        context
            .events
            .transition(profile, before, &verdicts(world, None).ready)
            .await;
    }
    Ok(())
}

impl Context {
    /// Google refused the client where nobody expected it: its check is due at once.
    pub fn recheck_client(&self, profile: &GmailServerProfile) {
        self.profile_memory
            .forget(&profile.uid().unwrap_or_default());
        self.wake.profile(&object_name(profile));
    }
}
