use super::GrantKeeper;
use crate::api::GmailServerProfile;
use crate::cluster::ClusterError;
use crate::cluster::grants::StoredGrant;
use crate::domain::endpoints::OAuthEndpoints;
use crate::domain::grant::Grant;
use crate::domain::profile::ValidProfile;
use crate::google::{Google, OAuthError};

/// Why a grant is not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// The server could not be asked now.
    #[error("{0}")]
    Unavailable(String),
    /// It says no, or there is nobody to ask: trying again is in vain.
    #[error("{0}")]
    Impossible(String),
}

impl GrantKeeper {
    /// Revokes `grant` at the server that gave it, by one request. `profile` is the one that it was
    /// given under, where that is still there: its trust is used.
    ///
    /// # Errors
    /// [`RevokeError`].
    pub async fn revoke(
        &self,
        grant: &Grant,
        profile: Option<&GmailServerProfile>,
    ) -> Result<(), RevokeError> {
        let google = self.revoker(grant, profile)?;
        // What the stored one was replaced by, where that could not be stored.
        let newer = self.unsaved.of(grant);
        let newer = newer.and_then(|given| given.refreshed.refresh_token);
        let token = newer.as_ref().unwrap_or(&grant.refresh_token);
        google.revoke(token).await.map_err(|error| match &error {
            OAuthError::Unavailable { .. } => RevokeError::Unavailable(error.to_string()),
            OAuthError::Refused(_) | OAuthError::NotAllowed(_) => {
                RevokeError::Impossible(error.to_string())
            }
        })
    }

    /// Google's own endpoint is known. Where a stand-in revokes only its profile says, and only while
    /// that still names the server that the token is of: the token goes nowhere else.
    fn revoker(
        &self,
        grant: &Grant,
        profile: Option<&GmailServerProfile>,
    ) -> Result<Google, RevokeError> {
        let egress = self.network.egress();
        let valid = profile.and_then(|profile| ValidProfile::new(&profile.spec, egress).ok());
        let google = OAuthEndpoints::google();
        let endpoints = match &valid {
            _ if grant.token_endpoint == google.token => google,
            Some(valid) if grant.token_endpoint == valid.endpoints.token => valid.endpoints.clone(),
            _ => {
                return Err(RevokeError::Impossible(format!(
                    "the profile {} is gone or names another OAuth server, so it is not known where {} revokes",
                    grant.profile, grant.token_endpoint
                )));
            }
        };
        let trust = valid.as_ref().and_then(|valid| valid.ca_bundle.as_ref());
        let network = self.network.of(&grant.profile, trust);
        if profile.is_none() {
            self.network.forget(&grant.profile);
        }
        let network = network.map_err(|error| RevokeError::Impossible(error.to_string()))?;
        Ok(Google::new(endpoints, network.http()))
    }

    /// All grants of the account of `grant`, as the API server has them now.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn of_account(&self, grant: &Grant) -> Result<Vec<Grant>, ClusterError> {
        let found = self.grants.of_account(&grant.account).await?;
        Ok(found.into_iter().map(|stored| stored.grant).collect())
    }

    /// Deletes a grant, and what was kept of it.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub async fn delete(&self, found: StoredGrant) -> Result<(), ClusterError> {
        let uid = &found.grant.mailbox_uid;
        self.grants.delete(uid, found.resource_version).await?;
        self.unsaved.forget(uid);
        Ok(())
    }
}
