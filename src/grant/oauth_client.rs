use jiff::Timestamp;
use kube::ResourceExt;
use url::Url;

use super::traffic::{LaneName, Traffic, Turn};
use super::{GrantKeeper, KeeperError};
use crate::api::{GmailServerProfile, Reason};
use crate::cluster::credentials::{self, CredentialsError};
use crate::domain::grant::Grant;
use crate::domain::name::ObjectName;
use crate::domain::oauth_client::OAuthClient;
use crate::domain::profile::{BadProfile, ValidProfile, client_of};
use crate::domain::schedule::digest;
use crate::domain::secret::{AuthorizationCode, CodeVerifier, RefreshToken};
use crate::google::{ClientAnswer, Exchanged, Google, OAuthError, Refreshed};
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
    lane: LaneName,
    traffic: Traffic,
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

impl ClientError {
    /// As the profile's condition says it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Credentials(CredentialsError::Unusable { reason, .. }) => *reason,
            Self::Credentials(CredentialsError::Cluster(_)) => Reason::NotChecked,
            Self::Credentials(CredentialsError::NotNamed) => Reason::ClientSecretMissing,
            Self::Profile(_) | Self::Network(_) => Reason::ProfileNotReady,
        }
    }
}

impl ProfileClient {
    /// Exchanges a code, for a person who waits: before all renewals, and only where the server is
    /// worth asking.
    ///
    /// # Errors
    /// [`OAuthError`]; in the words of the last failure where nothing was sent.
    pub async fn exchange(
        &self,
        redirect_uri: &Url,
        code: &AuthorizationCode,
        verifier: &CodeVerifier,
    ) -> Result<Exchanged, OAuthError> {
        let turn = self.turn("exchanging the code")?;
        let (google, client) = (&self.google, &self.client);
        let result = google.exchange(client, redirect_uri, code, verifier).await;
        heard(turn, result)
    }

    /// Proves a refresh token that was just given, for a person who waits.
    ///
    /// # Errors
    /// As [`ProfileClient::exchange`].
    pub async fn prove(&self, token: &RefreshToken) -> Result<Refreshed, OAuthError> {
        let turn = self.turn("renewing the access token")?;
        heard(turn, self.google.refresh(&self.client, token).await)
    }

    /// Whether the client is good. It is seldom asked, so it does not stand in line; it counts like
    /// any other request, and where the server fails it may be the one that finds it back.
    ///
    /// # Errors
    /// As [`ProfileClient::exchange`].
    pub async fn check(&self, redirect_uri: &Url) -> Result<ClientAnswer, OAuthError> {
        let turn = self.turn("checking the OAuth client")?;
        let google = &self.google;
        heard(turn, google.check_client(&self.client, redirect_uri).await)
    }

    /// Renews the access token of `grant`: the one place from which a stored refresh token is sent,
    /// and only to the server that gave it, by the client that it was given to. The Secret is read
    /// live, so its client may already be another than the one that was decided on.
    pub(super) async fn refresh(
        &self,
        grant: &Grant,
        turn: Turn,
    ) -> Result<Result<Refreshed, OAuthError>, KeeperError> {
        if self.client.id != grant.client_id
            || *self.google.token_endpoint() != grant.token_endpoint
        {
            return Err(KeeperError::ForeignGrant {
                client_id: grant.client_id.clone(),
                token_endpoint: grant.token_endpoint.clone(),
            });
        }
        let token = &grant.refresh_token;
        Ok(heard(turn, self.google.refresh(&self.client, token).await))
    }

    fn turn(&self, doing: &'static str) -> Result<Turn, OAuthError> {
        self.traffic.at_once(&self.lane, doing, Timestamp::now())
    }
}

fn heard<T>(turn: Turn, result: Result<T, OAuthError>) -> Result<T, OAuthError> {
    turn.ended(&result, Timestamp::now());
    result
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
        let google = Google::new(valid.endpoints, network.http());
        let endpoint = google.token_endpoint();
        Ok(ProfileClient {
            lane: lane(endpoint, &client.id, profile),
            traffic: self.traffic.clone(),
            client,
            google,
            profile: name,
        })
    }

    /// Where requests about `grant` go in line.
    pub(super) fn lane_of(&self, grant: &Grant, profile: &GmailServerProfile) -> LaneName {
        lane(&grant.token_endpoint, &grant.client_id, profile)
    }

    /// Whether nothing is sent to the OAuth server of `profile` now, since it fails or wants a pause.
    pub fn is_held_back(&self, profile: &GmailServerProfile) -> bool {
        let lane = lane_of_client(profile);
        lane.is_some_and(|lane| self.traffic.is_closed(&lane, Timestamp::now()))
    }
}

/// Where requests of the client that `profile` has now go in line, where that client is known.
fn lane_of_client(profile: &GmailServerProfile) -> Option<LaneName> {
    let (client_id, token_endpoint) = client_of(profile)?;
    Some(lane(&token_endpoint, client_id, profile))
}

fn lane(token_endpoint: &Url, client_id: &str, profile: &GmailServerProfile) -> LaneName {
    LaneName {
        token_endpoint: token_endpoint.clone(),
        client_id: client_id.to_owned(),
        trust: digest(&[profile.spec.ca_bundle.as_deref().unwrap_or_default()]),
    }
}
