use kube::ResourceExt;

use super::GrantKeeper;
use crate::api::GmailServerProfile;
use crate::cluster::credentials::{self, CredentialsError};
use crate::domain::name::ObjectName;
use crate::domain::oauth_client::OAuthClient;
use crate::domain::profile::{BadProfile, ValidProfile};
use crate::google::Google;
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
