use crate::api::{GmailServerProfile, ProfileCondition, Reason};
use crate::domain::ca_bundle::CaBundle;
use crate::domain::egress::EgressPolicy;
use crate::domain::mailbox::{ProfileFacts, ProfileView};
use crate::domain::name::ObjectName;
use crate::domain::schedule::digest;

use super::spec::ValidProfile;

/// How `profile`, which was chosen for a Mailbox in `namespace`, looks from there. A Mailbox of
/// another namespace learns that it is not Ready, not why.
pub fn view(
    profile: &GmailServerProfile,
    name: &ObjectName,
    namespace: &str,
    egress: &EgressPolicy,
) -> ProfileView {
    let not_ready = |reason, detail: String| ProfileView::NotReady {
        name: name.clone(),
        reason,
        detail: if name.namespace == namespace {
            detail
        } else {
            String::new()
        },
    };
    if profile.spec.suspend {
        return not_ready(Reason::ProfileSuspended, String::new());
    }
    let valid = match ValidProfile::new(&profile.spec, egress) {
        Ok(valid) => valid,
        Err(bad) => return not_ready(Reason::ProfileNotReady, bad.to_string()),
    };
    let status = profile.status.as_ref();
    let credentials = status.and_then(|status| {
        status
            .conditions
            .iter()
            .find(|c| c.type_ == ProfileCondition::CredentialsAccepted.name())
    });
    match (
        credentials,
        status.and_then(|status| status.oauth_client.as_ref()?.client_id.clone()),
    ) {
        (Some(condition), Some(client_id)) if condition.status == "True" => {
            ProfileView::Ready(Box::new(ProfileFacts {
                name: name.clone(),
                client_id,
                token_endpoint: Box::new(valid.endpoints.token),
                servers: valid.servers,
                audience: valid.audience,
                capacity: valid.capacity,
                max_connections: valid.max_connections,
                trust: digest(&[valid.ca_bundle.as_ref().map_or("", CaBundle::pem)]),
            }))
        }
        (Some(condition), _) if condition.reason != Reason::NotChecked.name() => {
            not_ready(Reason::ProfileNotReady, condition.message.clone())
        }
        _ => not_ready(Reason::NotChecked, String::new()),
    }
}
