use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;

use crate::api::{Mailbox, TEST_REQUESTED_ANNOTATION};
use crate::cluster::ClusterError;
use crate::cluster::grant_secret;
use crate::cluster::grants::{StoredGrant, stored};
use crate::controller::context::{AnyProfile, Context, object_name};
use crate::domain::mailbox::{GrantView, ProfileView, TestView, Times, ValidSpec, World};
use crate::domain::name::ObjectName;
use crate::domain::profile::{Choice, Offer, Seeker, choose, view};

/// A world, with the objects that a step may need.
pub struct Observed {
    pub world: World,
    pub name: ObjectName,
    pub purpose: Option<String>,
    pub profile: Option<Arc<AnyProfile>>,
    pub grant: Option<StoredGrant>,
}

/// Reads all that a decision about `mailbox` rests on.
pub async fn observe(context: &Context, mailbox: &Mailbox) -> Result<Observed, ClusterError> {
    let name = object_name(mailbox);
    let uid = mailbox.uid().unwrap_or_default();
    let spec = ValidSpec::try_from(&mailbox.spec);
    let memory = context.mailbox_memory.get(&uid).unwrap_or_default();
    let (profile_view, profile) = match &spec {
        Ok(spec) => profile(context, mailbox, &name, spec),
        Err(_) => (ProfileView::NotAvailable, None),
    };
    let (grant_view, grant) = grant(context, &name, &uid, spec.as_ref().ok()).await?;
    let mut test = memory.test.unwrap_or_else(|| {
        mailbox
            .status
            .as_ref()
            .map_or_else(TestView::untested, TestView::from)
    });
    if let Ok(spec) = &spec {
        test.mark_unused(spec);
    }
    let pace = &context.pace;
    let world = World {
        now: Timestamp::now(),
        sign_in_url: context
            .public_url
            .as_ref()
            .map(|url| url.sign_in_page(&name.namespace, &name.name, &uid)),
        uid,
        spec,
        test_request: mailbox
            .annotations()
            .get(TEST_REQUESTED_ANNOTATION)
            .cloned(),
        answered_request: mailbox
            .status
            .as_ref()
            .and_then(|status| status.last_handled_test_request.clone()),
        profile: profile_view,
        grant: grant_view,
        test,
        renewal: memory.renewal,
        reminder: memory.reminder,
        times: Times {
            retest: pace.retest.into(),
            retest_failed: pace.retest_failed.into(),
            backoff_first: pace.backoff_first.into(),
            backoff_longest: pace.backoff_longest.into(),
            tries: pace.tries,
            proof_age: pace.proof_age.into(),
            warn_before_end: pace.warn_before_end.into(),
            remind_before_end: pace.remind_before_end.into(),
        },
    };
    Ok(Observed {
        world,
        name,
        purpose: mailbox.spec.purpose.clone(),
        profile,
        grant,
    })
}

fn profile(
    context: &Context,
    mailbox: &Mailbox,
    name: &ObjectName,
    spec: &ValidSpec,
) -> (ProfileView, Option<Arc<AnyProfile>>) {
    let no_labels = BTreeMap::new();
    let namespace = context.namespace(&name.namespace);
    let current = mailbox
        .status
        .as_ref()
        .and_then(|status| status.profile.as_ref());
    let current = current.map(|profile| ObjectName::new(&profile.namespace, &profile.name));
    let seeker = Seeker {
        namespace: &name.namespace,
        labels: namespace
            .as_ref()
            .and_then(|namespace| namespace.metadata.labels.as_ref())
            .unwrap_or(&no_labels),
        address: &spec.address,
        account: &spec.account,
        profile_ref: spec.profile_ref.as_ref(),
        current: current.as_ref(),
    };
    let profiles = context.profiles.store().state();
    let names: Vec<ObjectName> = profiles
        .iter()
        .map(|profile| object_name(profile.as_ref()))
        .collect();
    let offers = profiles.iter().zip(&names).filter_map(|(profile, name)| {
        let profile = profile
            .0
            .as_ref()
            .ok()
            .filter(|profile| profile.metadata.deletion_timestamp.is_none())?;
        Some(Offer {
            name,
            spec: &profile.spec,
            may_share: context.may_share(&name.namespace),
        })
    });
    let chosen = match choose(&seeker, offers) {
        Choice::NoDefault => return (ProfileView::NoDefault, None),
        Choice::NotAvailable => return (ProfileView::NotAvailable, None),
        Choice::Use(chosen) => chosen,
    };
    let found = context
        .profiles
        .get(&ObjectRef::new(&chosen.name).within(&chosen.namespace));
    let seen = match found.as_deref().map(|profile| &profile.0) {
        Some(Ok(profile)) => view(profile, &chosen, &name.namespace, context.network.egress()),
        _ => ProfileView::NotAvailable,
    };
    (seen, found)
}

async fn grant(
    context: &Context,
    name: &ObjectName,
    uid: &str,
    spec: Option<&ValidSpec>,
) -> Result<(GrantView, Option<StoredGrant>), ClusterError> {
    let reference = ObjectRef::new(&grant_secret::name(uid)).within(&context.namespace);
    if let Some(secret) = context.grants.get(&reference) {
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
            (GrantView::Adoptable { from }, Some(found))
        }
        _ => (GrantView::Absent, None),
    })
}
