use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::conditions::{Verdicts, verdicts};
use super::decide::{Credentials, ProfileWorld};
use super::round::{Service, follow};
use crate::api::{
    GmailServerProfileStatus, MailboxCounts, OAuthClientStatus, ProfileCondition, Reason,
};
use crate::domain::oauth_client::project_number;
use crate::domain::verdict::{Truth, Verdict, conditions};

/// The status that `world` asks for; equal to `old` where there is nothing new to say.
pub fn report(
    world: &ProfileWorld,
    old: Option<&GmailServerProfileStatus>,
    generation: Option<i64>,
) -> GmailServerProfileStatus {
    let id = match &world.credentials {
        Credentials::Client { id, .. } => Some(id.clone()),
        // While the Secret is away the client that it named still is what the grants belong to.
        _ => old.and_then(|old| old.oauth_client.as_ref()?.client_id.clone()),
    };
    let verdicts = judge(world, old);
    let no_conditions = Vec::new();
    let capacity = world.places.capacity;
    let capacity = capacity.and_then(|capacity| i32::try_from(capacity).ok());
    let counts = world.counts;
    GmailServerProfileStatus {
        observed_generation: generation,
        oauth_client: Some(OAuthClientStatus {
            project_number: id.as_deref().and_then(project_number).map(str::to_owned),
            client_id: id,
            redirect_uris: vec![world.public_url.redirect_uri().to_string()],
            java_script_origin: Some(world.public_url.origin()),
            authorized_domain: world.public_url.authorized_domain(),
        }),
        mailboxes: Some(MailboxCounts {
            assigned: counts.assigned,
            signed_in: counts.signed_in,
            ready: counts.ready,
            capacity,
            summary: match capacity {
                Some(capacity) => format!("{}/{capacity}", counts.signed_in),
                None => counts.signed_in.to_string(),
            },
        }),
        test: follow(
            world.test_request.as_deref(),
            old.and_then(|old| old.test.as_ref()),
            world.tally,
            service(world, &verdicts),
            world.now,
        ),
        conditions: conditions(
            verdicts.all(),
            old.map_or(&no_conditions, |old| &old.conditions),
            generation,
            world.now,
        ),
    }
}

/// Where it may not serve other namespaces, it still serves its own.
fn service(world: &ProfileWorld, verdicts: &Verdicts) -> Service {
    match (&world.spec, verdicts.credentials_accepted.truth) {
        _ if world.suspended => Service::Stopped,
        (Ok(_), Truth::True) => Service::Given,
        (Ok(_), Truth::Unknown) => Service::NotYet,
        (Err(_), _) | (_, Truth::False) => Service::Stopped,
    }
}

/// What is to be said of `world`, where `old` was said before.
pub fn judge(world: &ProfileWorld, old: Option<&GmailServerProfileStatus>) -> Verdicts {
    let before = match &world.credentials {
        Credentials::Client { id, .. } => said_before(old, id),
        _ => None,
    };
    verdicts(world, before)
}

/// What Google says of the client `id`, as it was known before.
fn said_before(old: Option<&GmailServerProfileStatus>, id: &str) -> Option<Verdict> {
    let old = old?;
    if old.oauth_client.as_ref()?.client_id.as_deref() != Some(id) {
        return None;
    }
    let condition = find(old, ProfileCondition::CredentialsAccepted)?;
    let truth = match condition.status.as_str() {
        "True" => Truth::True,
        "False" => Truth::False,
        _ => return None,
    };
    let reason: Reason = condition.reason.parse().ok()?;
    (!is_of_secret(reason)).then(|| Verdict {
        truth,
        reason,
        message: condition.message.clone(),
    })
}

/// Whether a reason of `CredentialsAccepted` was found in the cluster, without asking Google.
fn is_of_secret(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ClientSecretMissing
            | Reason::SecretNotReadable
            | Reason::ClientSecretInvalid
            | Reason::ClientIdInvalid
            | Reason::ClientTypeWrong
            | Reason::ClientOfAnotherServer
    )
}

fn find(status: &GmailServerProfileStatus, condition: ProfileCondition) -> Option<&Condition> {
    status
        .conditions
        .iter()
        .find(|c| c.type_ == condition.name())
}

/// What a status says of the redirect URI.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Known {
    /// A sign-in came back to it.
    pub proved: bool,
    /// Google said that it is not registered.
    pub mismatch: bool,
}

/// What `old` says of `redirect_uri` and the client `id`; nothing where it speaks of others. What
/// was proved once stays so, though the Mailbox that proved it be deleted.
pub fn known_before(old: Option<&GmailServerProfileStatus>, id: &str, redirect_uri: &str) -> Known {
    let said = old.and_then(|old| {
        let client = old.oauth_client.as_ref()?;
        let same = client.client_id.as_deref() == Some(id)
            && client.redirect_uris.iter().any(|uri| uri == redirect_uri);
        find(old, ProfileCondition::RedirectRegistered).filter(|_| same)
    });
    let is = |reason: Reason| said.is_some_and(|said| said.reason == reason.name());
    Known {
        proved: is(Reason::SignedIn),
        mismatch: is(Reason::RedirectMismatch),
    }
}
