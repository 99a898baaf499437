//! The OAuth client of a profile: what is observed of it, and its check.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use crate::api::{GmailServerProfile, Reason};
use crate::cluster::ClusterError;
use crate::cluster::credentials::{self, CredentialsError};
use crate::cluster::grant_secret::proves_redirect;
use crate::controller::context::{Context, object_name};
use crate::domain::ca_bundle::CaBundle;
use crate::domain::profile::{
    Advice, Credentials, Known, Offer, Outcome, Room, ValidProfile, advice, known_before,
};
use crate::domain::schedule::digest;
use crate::google::{ClientAnswer, OAuthError, Trouble};
use crate::grant::ClientError;

/// Changes with the server that is asked about the client and with what it is trusted by.
pub(super) fn server(spec: &ValidProfile) -> String {
    let trust = spec.ca_bundle.as_ref().map_or("", CaBundle::pem);
    digest(&[spec.endpoints.token.as_str(), trust])
}

/// What the Secret holds, to be asked about at `server`.
pub(super) async fn credentials(
    context: &Context,
    profile: &GmailServerProfile,
    server: &str,
) -> Result<Credentials, ClusterError> {
    let client = profile.spec.oauth_client.as_ref();
    let namespace = profile.namespace().unwrap_or_default();
    match credentials::read(&context.client, &namespace, client).await {
        Ok(client) => Ok(Credentials::Client {
            fingerprint: digest(&[&client.fingerprint(), server]),
            id: client.id,
            redirect_uris: client.redirect_uris,
        }),
        Err(CredentialsError::NotNamed) => Ok(Credentials::NotNamed),
        Err(CredentialsError::Unusable { reason, detail }) => {
            Ok(Credentials::Unusable(reason, detail))
        }
        Err(CredentialsError::Cluster(error)) => Err(error),
    }
}

/// What is known of the redirect URI with this client: from status, or from a grant.
pub(super) fn redirect_known(
    context: &Context,
    profile: &GmailServerProfile,
    credentials: &Credentials,
) -> Known {
    let old = profile.status.as_ref();
    let id = match credentials {
        Credentials::Client { id, .. } => Some(id.as_str()),
        // It still is what the grants belong to.
        _ => old.and_then(|old| old.oauth_client.as_ref()?.client_id.as_deref()),
    };
    let Some(id) = id else {
        return Known::default();
    };
    let redirect_uri = context.front_door.url().redirect_uri();
    let mut known = known_before(old, id, redirect_uri.as_str());
    known.proved = known.proved || is_redirect_proved(context, id, redirect_uri.as_str());
    known
}

/// Whether a sign-in with the client came back to `redirect_uri`.
fn is_redirect_proved(context: &Context, client_id: &str, redirect_uri: &str) -> bool {
    let proves = |secret: &Secret| proves_redirect(secret, client_id, redirect_uri);
    let grants = context.grants.store().state();
    grants.iter().any(|secret| proves(secret))
}

/// What is right and may still not be meant.
pub(super) fn advised(context: &Context, profile: &GmailServerProfile) -> Vec<Advice> {
    advice(&profile.spec, namespaces_not_served(context, profile))
}

/// The namespaces with Mailboxes that name the profile and that it does not serve.
fn namespaces_not_served(context: &Context, profile: &GmailServerProfile) -> Vec<String> {
    let name = object_name(profile);
    let offer = Offer {
        name: &name,
        spec: &profile.spec,
        may_share: context.may_share(&name.namespace),
        room: Room::default(),
    };
    let mut waiting = BTreeSet::new();
    for mailbox in context.mailboxes.store().state() {
        let Ok(mailbox) = &mailbox.0 else { continue };
        let named = mailbox.spec.profile_ref.as_ref();
        let namespace = mailbox.namespace().unwrap_or_default();
        let names_it = named.is_some_and(|named| {
            named.name.0 == name.name
                && named
                    .namespace
                    .as_ref()
                    .map_or(namespace.as_str(), |namespace| &namespace.0)
                    == name.namespace
        });
        if names_it && !waiting.contains(&namespace) {
            let labels = context
                .namespace(&namespace)
                .and_then(|found| found.metadata.labels.clone())
                .unwrap_or_default();
            if !offer.serves_namespace(&namespace, &labels) {
                waiting.insert(namespace);
            }
        }
    }
    waiting.into_iter().collect()
}

/// Asks the OAuth server about the client.
pub(super) async fn check_client(
    context: &Context,
    profile: &GmailServerProfile,
) -> Result<Outcome, ClusterError> {
    let name = object_name(profile);
    let client = match context.keeper.client_of(profile).await {
        Ok(client) => client,
        Err(ClientError::Credentials(CredentialsError::Cluster(error))) => return Err(error),
        // It was good a moment ago; the next look says what it is now.
        Err(error) => {
            tracing::warn!(profile = %name, %error, "the OAuth client could not be read for its check; it is tried again");
            return Ok(Outcome::Unavailable(
                Reason::GoogleUnavailable,
                error.to_string(),
            ));
        }
    };
    let redirect_uri = context.front_door.url().redirect_uri();
    Ok(match client.check(&redirect_uri).await {
        Ok(ClientAnswer::Good) => Outcome::Accepted,
        Ok(ClientAnswer::RedirectMismatch) => Outcome::RedirectMismatch,
        Err(OAuthError::Refused(refusal)) => {
            let read_from = profile.spec.oauth_client.as_ref().map(|client| {
                let place = credentials::place(&name.namespace, client);
                format!("; the client is read from {place}")
            });
            let words = refusal.words();
            Outcome::Refused(
                refusal.of_check(),
                format!("{words}{}", read_from.unwrap_or_default()),
            )
        }
        Err(error) => {
            tracing::warn!(profile = %name, %error, "the OAuth client could not be checked; it is tried again");
            Outcome::Unavailable(reason_of(&error), error.to_string())
        }
    })
}

/// Why nothing is known.
fn reason_of(error: &OAuthError) -> Reason {
    match error {
        OAuthError::NotAllowed(_) => Reason::EndpointNotAllowed,
        OAuthError::Unavailable { kind, .. } => match kind {
            Trouble::Down | Trouble::Busy => Reason::GoogleUnavailable,
            Trouble::NotTrusted => Reason::TlsVerificationFailed,
            Trouble::ProxyDown => Reason::ProxyUnavailable,
            Trouble::ProxyRefused => Reason::ProxyRefused,
            Trouble::NotOAuth => Reason::NotATokenEndpoint,
        },
        OAuthError::Refused(refusal) => refusal.of_check(),
    }
}
