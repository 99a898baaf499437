use super::conditions::verdicts;
use super::decide::{Credentials, ProfileWorld};
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
    let (id, before) = match &world.credentials {
        Credentials::Client { id, .. } => (Some(id.clone()), said_before(old, id)),
        // While the Secret is away the client that it named still is what the grants belong to.
        _ => (
            old.and_then(|old| old.oauth_client.as_ref()?.client_id.clone()),
            None,
        ),
    };
    let verdicts = verdicts(world, before);
    let no_conditions = Vec::new();
    let capacity = world.places.capacity;
    let capacity = capacity.and_then(|capacity| i32::try_from(capacity).ok());
    let counts = world.counts;
    GmailServerProfileStatus {
        observed_generation: generation,
        oauth_client: Some(OAuthClientStatus {
            project_number: id.as_deref().and_then(project_number).map(str::to_owned),
            client_id: id,
            redirect_uris: world
                .public_url
                .iter()
                .map(|url| url.redirect_uri().to_string())
                .collect(),
            java_script_origin: world.public_url.as_ref().map(|url| url.origin()),
            authorized_domain: world
                .public_url
                .as_ref()
                .and_then(|url| url.authorized_domain()),
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
        conditions: conditions(
            verdicts.all(),
            old.map_or(&no_conditions, |old| &old.conditions),
            generation,
            world.now,
        ),
    }
}

/// That Google accepts the client `id`, as it was said before this process started.
fn said_before(old: Option<&GmailServerProfileStatus>, id: &str) -> Option<Verdict> {
    let old = old?;
    if old.oauth_client.as_ref()?.client_id.as_deref() != Some(id) {
        return None;
    }
    let condition = old
        .conditions
        .iter()
        .find(|c| c.type_ == ProfileCondition::CredentialsAccepted.name())?;
    let truth = match condition.status.as_str() {
        "True" => Truth::True,
        "False" => Truth::False,
        _ => return None,
    };
    let reason: Reason = condition.reason.parse().ok()?;
    Some(Verdict {
        truth,
        reason,
        message: condition.message.clone(),
    })
}
