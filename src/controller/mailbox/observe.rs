use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use super::Answered;
use super::assign::assign;
use super::binding::Seeker;
use super::conversation::OnItsWay;
use super::sign_out::sign_out_request;
use super::turn::Turn;
use crate::api::{Mailbox, MailboxStatus, Reason, SIGN_OUT_REQUESTED_ANNOTATION};
use crate::cluster::ClusterError;
use crate::cluster::grant_secret;
use crate::cluster::grants::{StoredGrant, stored};
use crate::controller::context::{AnyProfile, Context, object_name};
use crate::controller::places::Limit;
use crate::domain::grant::{Grant, MessageLimit};
use crate::domain::mailbox::{GrantView, Place, ProfileView, TestView, Times, ValidSpec, World};
use crate::domain::name::ObjectName;
use crate::domain::test_request::requested;
use crate::settings::Pace;

/// A world, with the objects that a step may need.
pub struct Observed {
    pub world: World,
    pub name: ObjectName,
    /// The generation of the spec that the world is of.
    pub generation: Option<i64>,
    pub purpose: Option<String>,
    pub profile: Option<Arc<AnyProfile>>,
    pub grant: Option<StoredGrant>,
    /// Its annotation that asks for a sign-out, as it stands.
    pub sign_out: Option<String>,
    /// Of what the visit sends.
    pub message: OnItsWay,
    /// In a test of all Mailboxes of the profile.
    pub round: Turn,
}

/// Reads all that a decision about `mailbox` rests on.
pub async fn observe(context: &Context, mailbox: &Mailbox) -> Result<Observed, ClusterError> {
    let name = object_name(mailbox);
    let uid = mailbox.uid().unwrap_or_default();
    let spec = ValidSpec::try_from(&mailbox.spec);
    let memory = context.mailbox_memory.get(&uid).unwrap_or_default();
    let (grant_view, grant) = grant(context, &name, &uid, spec.as_ref().ok()).await?;
    let (profile_view, profile) = match &spec {
        Ok(spec) => assign(context, mailbox, &name, spec, grant.as_ref()),
        Err(_) => (ProfileView::not_served(Reason::NotChecked, None), None),
    };
    let status = mailbox.status.as_ref();
    let (now, times) = (Timestamp::now(), times(&context.pace));
    let test = test_view(memory.test, status, spec.as_ref().ok()).set_back(now, &grant_view);
    let answered = memory.answered.unwrap_or_else(|| answered_by(status));
    let round = Turn::in_round(context, profile.as_deref(), &name);
    let asked_of_all = round.asked(&answered);
    let place = place(context, &name, &profile_view, grant.as_ref(), &test);
    let seeker = Seeker {
        context,
        name: &name,
        uid: &uid,
        spec: spec.as_ref().ok(),
        status,
        grant: grant.as_ref(),
    };
    let binding = seeker.observe(memory.binding, &times, now).await?;
    let world = World {
        now,
        sign_in_page: context.front_door.sign_in_page(&name, &uid),
        uid,
        spec,
        test_request: requested(mailbox.annotations()),
        answered_request: answered.own,
        profile_test_request: asked_of_all,
        answered_profile_request: answered.of_profile,
        sign_out_request: sign_out_request(context, mailbox).await,
        profile: profile_view,
        grant: grant_view,
        place,
        test,
        renewal: memory.renewal,
        hold: memory.hold,
        waits: false,
        reminder: memory.reminder,
        binding,
        times,
    };
    Ok(Observed {
        world,
        name,
        generation: mailbox.metadata.generation,
        purpose: mailbox.spec.purpose.clone(),
        profile,
        grant,
        sign_out: sign_out_annotation(mailbox),
        message: OnItsWay::default(),
        round,
    })
}

/// What stands in the annotation of `mailbox` that asks for a sign-out.
pub fn sign_out_annotation(mailbox: &Mailbox) -> Option<String> {
    let annotations = mailbox.annotations();
    annotations.get(SIGN_OUT_REQUESTED_ANNOTATION).cloned()
}

/// The test as this process remembers it, else as `status` shows it.
fn test_view(
    remembered: Option<TestView>,
    status: Option<&MailboxStatus>,
    spec: Option<&ValidSpec>,
) -> TestView {
    let shown = || status.map_or_else(TestView::untested, TestView::from);
    let mut test = remembered.unwrap_or_else(shown);
    if let Some(spec) = spec {
        test.mark_unused(spec);
    }
    test
}

fn answered_by(status: Option<&MailboxStatus>) -> Answered {
    Answered {
        own: status.and_then(|status| status.last_handled_test_request.clone()),
        of_profile: status.and_then(|status| status.last_handled_profile_test_request.clone()),
    }
}

fn times(pace: &Pace) -> Times {
    Times {
        retest: pace.retest.into(),
        retest_failed: pace.retest_failed.into(),
        backoff_first: pace.backoff_first.into(),
        backoff_longest: pace.backoff_longest.into(),
        pause_first: pace.pause_first.into(),
        pause_longest: pace.pause_longest.into(),
        pop3_gap: pace.pop3_gap.into(),
        between_requested_tests: pace.between_requested_tests.into(),
        messages: MessageLimit {
            at_most: pace.messages_at_most,
            within: pace.messages_within.into(),
        },
        tries: pace.tries,
        proof_age: pace.proof_age.into(),
        warn_before_end: pace.warn_before_end.into(),
        warn_before_idle_end: pace.warn_before_idle_end.into(),
        remind_before_end: pace.remind_before_end.into(),
        look_at_foreign_secret: pace.look_at_foreign_secret.into(),
        look_at_own_secret: pace.look_at_own_secret.into(),
    }
}

/// The Secret with the grant of the Mailbox `uid`, as it was last seen or written.
fn grant_of(context: &Context, uid: &str) -> Option<Arc<Secret>> {
    let reference = ObjectRef::new(&grant_secret::name(uid)).within(&context.namespace);
    context.grants.get(&reference)
}

/// The grant of the Mailbox `uid`, where there is one that can be read.
pub fn stored_grant(context: &Context, uid: &str) -> Option<StoredGrant> {
    grant_of(context, uid).and_then(|secret| stored(&secret).ok())
}

impl Observed {
    /// Takes note of what a step has written into the grant: the next one must not use an older one.
    pub fn look_at_grant(&mut self, context: &Context) {
        if let (GrantView::Held(_), Some(found)) =
            (&self.world.grant, stored_grant(context, &self.world.uid))
        {
            self.world.grant = GrantView::from(&found.grant);
            self.grant = Some(found);
        }
    }
}

async fn grant(
    context: &Context,
    name: &ObjectName,
    uid: &str,
    spec: Option<&ValidSpec>,
) -> Result<(GrantView, Option<StoredGrant>), ClusterError> {
    if let Some(secret) = grant_of(context, uid) {
        return Ok(match stored(&secret) {
            Ok(found) => (GrantView::from(&found.grant), Some(found)),
            Err(error) => {
                tracing::warn!(mailbox = %name, %error, "the stored grant cannot be read");
                (GrantView::Unreadable, None)
            }
        });
    }
    let Some(from) = context
        .orphans
        .get(&name.to_string())
        .filter(|from| from != uid)
    else {
        return Ok((GrantView::Absent, None));
    };
    Ok(match (context.keeper.stored().get(&from).await?, spec) {
        (Some(Ok(found)), Some(spec))
            if found.grant.ended.is_none()
                && found.grant.mailbox == *name
                && found.grant.email_address.is_same_account(&spec.address)
                && found.grant.account.email.is_same_account(&spec.account) =>
        {
            let view = GrantView::Adoptable {
                from,
                client_id: found.grant.client_id.clone(),
                token_endpoint: found.grant.token_endpoint.clone(),
            };
            (view, Some(found))
        }
        _ => (GrantView::Absent, None),
    })
}

/// The place of the account that signed in. One that was in service before there was a limit keeps
/// on: Google counts it already.
fn place(
    context: &Context,
    name: &ObjectName,
    profile: &ProfileView,
    grant: Option<&StoredGrant>,
    test: &TestView,
) -> Place {
    let (Some(capacity), Some(stored)) = (profile.capacity(), grant) else {
        return Place::Held;
    };
    let grant = &stored.grant;
    if grant.place_taken_at.is_some() {
        return Place::Held;
    }
    let limit = limit(capacity, grant, test);
    match context.places.is_free(grant, limit, name) {
        true => Place::Free,
        false => Place::Full,
    }
}

/// How many places there are for `grant`, which was tested as `test` says.
pub fn limit(capacity: usize, grant: &Grant, test: &TestView) -> Limit {
    let served = test
        .newest
        .as_ref()
        .is_some_and(|test| test.started_at >= grant.signed_in_at);
    match served {
        true => Limit::Excepted,
        false => Limit::At(capacity),
    }
}
