//! One GmailServerProfile: observe, decide, act, report.

mod endings;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use tracing::Instrument;

mod client;
mod counts;
mod round;

use self::client::{advised, check_client, credentials, redirect_known, server};
use self::counts::{Counted, count, failed_together};
use super::context::{AnyProfile, Context, object_name};
use super::guard::guarded;
use crate::api::{GmailServerProfile, NamespacesFrom, ProfileCondition};
use crate::cluster::ClusterError;
use crate::cluster::status::{CONTROLLER, apply};
use crate::cluster::watched::Watched;
use crate::domain::mailbox::Retry;
use crate::domain::profile::{
    Checked, ProfileWorld, RequestKey, Times, Trouble, ValidProfile, Verdicts, decide, ending,
    fold, judge, report,
};
use crate::domain::schedule::until;
use crate::domain::test_request::requested;
use crate::telemetry::metrics::{Kind, KindLabels, ReconcileLabels, ReconcileResult};
use crate::telemetry::spans::{act, step};

/// What this process remembers of a profile.
#[derive(Clone, Debug, Default)]
pub struct ProfileMemory {
    checked: Option<Checked>,
    trouble: Option<Trouble>,
    retry: Retry,
    counted: Option<Counted>,
    /// The newest test of all mailboxes that they were woken for.
    woken_for: Option<RequestKey>,
}

pub use endings::labels_of;
pub use round::request_for;

/// Looks at one profile.
pub async fn reconcile(
    object: Arc<AnyProfile>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let step = one_step(&object, &context);
    guarded(&context, Kind::GmailServerProfile, object.as_ref(), step).await
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
    let counted = count(context, profile, Timestamp::now());
    let observed = observe(context, profile, counted).instrument(step("observe"));
    let world = observed.await?;
    let plan = step("decide").in_scope(|| decide(&world));
    let acts = plan.step.is_some() && context.may_act();
    let world = match acts {
        true => {
            let checked = check_client(context, profile).instrument(act("CheckClient"));
            let outcome = checked.await?;
            fold(world, outcome)
        }
        false => world,
    };
    let reported = write(context, profile, &world).instrument(step("report"));
    reported.await?;
    let before = context.profile_memory.get(&world.uid).unwrap_or_default();
    let mut memory = ProfileMemory {
        checked: world.checked.clone(),
        trouble: world.trouble.clone(),
        retry: world.retry,
        counted: Some(counted),
        woken_for: before.woken_for,
    };
    round::begin(context, profile, &mut memory);
    context.profile_memory.put(&world.uid, memory);
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
    counted: Counted,
) -> Result<ProfileWorld, ClusterError> {
    let name = object_name(profile);
    let uid = profile.uid().unwrap_or_default();
    let memory = context.profile_memory.get(&uid).unwrap_or_default();
    let spec = ValidProfile::new(&profile.spec, context.network.egress());
    let server = spec.as_ref().map(server).unwrap_or_default();
    let credentials = credentials(context, profile, &server).await?;
    let known = redirect_known(context, profile, &credentials);
    endings::tell(context, &name);
    let offers = profile.spec.allowed_namespaces.from != NamespacesFrom::Same;
    let pace = &context.pace;
    Ok(ProfileWorld {
        now: Timestamp::now(),
        uid,
        spec,
        suspended: profile.spec.suspend,
        not_shared: context.not_shared(&name.namespace).filter(|_| offers),
        advice: advised(context, profile),
        credentials,
        server,
        checked: memory.checked,
        trouble: memory.trouble,
        redirect_proved: known.proved,
        mismatch_before: known.mismatch,
        retry: memory.retry,
        public_url: context.front_door.url().clone(),
        counts: counted.counts,
        places: counted.places,
        test_request: requested(profile.annotations()),
        tally: counted.tally,
        failed_together: failed_together(profile),
        times: Times {
            recheck: pace.recheck_client.into(),
            recheck_refused: pace.recheck_refused_client.into(),
            look: pace.look_at_secret.into(),
            backoff_first: pace.backoff_first.into(),
            backoff_longest: pace.backoff_longest.into(),
        },
    })
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
        tell(context, profile, &judge(world, old)).await;
        // Without its status a profile has forgotten what was told.
        let over = old.and_then(|old| ending(old.test.as_ref(), status.test.as_ref()));
        if let Some(over) = over {
            context.events.transition(profile, None, &over).await;
        }
    }
    Ok(())
}

/// Tells what has changed since the status of `profile`: Ready in any case, the conditions that only
/// inform where there is something to inform of.
async fn tell(context: &Context, profile: &GmailServerProfile, verdicts: &Verdicts) {
    let before = |condition: ProfileCondition| {
        let conditions = profile.status.as_ref().map(|status| &status.conditions);
        let mut conditions = conditions.into_iter().flatten();
        let found = conditions.find(|c| c.type_ == condition.name());
        found.map(|c| c.reason.as_str())
    };
    let ready = before(ProfileCondition::Ready);
    let events = &context.events;
    events.transition(profile, ready, &verdicts.ready).await;
    for (condition, verdict) in [
        (
            ProfileCondition::CapacityAvailable,
            &verdicts.capacity_available,
        ),
        (
            ProfileCondition::MailboxesHealthy,
            &verdicts.mailboxes_healthy,
        ),
    ] {
        let before = before(condition);
        let fine = verdict.holds() && !verdict.reason.is_warning();
        if before.is_some() || !fine {
            events.transition(profile, before, verdict).await;
        }
    }
}

impl Context {
    /// Google refused the client where nobody expected it: its check is due at once. Whom a test of
    /// all mailboxes has woken stays known, else each refusal would wake all of them again.
    pub fn recheck_client(&self, profile: &GmailServerProfile) {
        let uid = profile.uid().unwrap_or_default();
        let before = self.profile_memory.get(&uid).unwrap_or_default();
        let memory = ProfileMemory {
            woken_for: before.woken_for,
            ..ProfileMemory::default()
        };
        self.profile_memory.put(&uid, memory);
        self.wake.profile(&object_name(profile));
    }
}
