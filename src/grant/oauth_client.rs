use kube::ResourceExt;

use super::{GrantKeeper, KeeperError};
use crate::api::GmailServerProfile;
use crate::cluster::credentials::{self, CredentialsError};
use crate::domain::grant::Grant;
use crate::domain::name::ObjectName;
use crate::domain::oauth_client::OAuthClient;
use crate::domain::profile::{BadProfile, ValidProfile};
use crate::google::{Google, OAuthError, Refreshed};
use crate::net::network::NetworkError;

/// A profile's OAuth client, read a moment ago, and the server that knows it.
#[derive(Clone, Debug)]
pub struct ProfileClient {
    /// The client.
    pub client: OAuthClient,
    /// The server.
    pub google: Google,
    /// The profile.
    pub profile: ObjectName,
}

/// Why a profile's OAuth client cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The profile.
    #[error(transparent)]
    Profile(#[from] BadProfile),
    /// The Secret.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Its trust.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

impl ProfileClient {
    /// Renews the access token of `grant`: the one place from which a stored refresh token is sent,
    /// and only to the server that gave it, by the client that it was given to. The Secret is read
    /// live, so its client may already be another than the one that was decided on.
    pub(super) async fn refresh(
        &self,
        grant: &Grant,
    ) -> Result<Result<Refreshed, OAuthError>, KeeperError> {
        if self.client.id != grant.client_id
            || *self.google.token_endpoint() != grant.token_endpoint
        {
            return Err(KeeperError::ForeignGrant {
                client_id: grant.client_id.clone(),
                token_endpoint: grant.token_endpoint.clone(),
            });
        }
        Ok(self
            .google
            .refresh(&self.client, &grant.refresh_token)
            .await)
    }
}

impl GrantKeeper {
    /// Reads the OAuth client of `profile`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn client_of(
        &self,
        profile: &GmailServerProfile,
    ) -> Result<ProfileClient, ClientError> {
        let name = ObjectName::new(profile.namespace().unwrap_or_default(), profile.name_any());
        let valid = ValidProfile::new(&profile.spec, self.network.egress())?;
        let network = self.network.of(&name, valid.ca_bundle.as_ref())?;
        let client = credentials::read(
            &self.client,
            &name.namespace,
            profile.spec.oauth_client.as_ref(),
        )
        .await?;
        Ok(ProfileClient {
            client,
            google: Google::new(valid.endpoints, network.http()),
            profile: name,
        })
    }
}
