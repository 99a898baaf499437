//! The stand-in for Google's OAuth server, and what a test may do behind its back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::keeper::Kept;
use super::place::Place;
use super::ports::free_port;
use super::tls::Tls;
use super::{source_folder, until_open};

/// Google, as far as signing in goes.
#[derive(Debug)]
pub struct GoogleStandIn {
    name: String,
    port: u16,
    admin_port: u16,
    ca_pem: String,
    server: Kept,
}

/// One request that the token endpoint or the revocation endpoint has had.
#[derive(Clone, Debug, Deserialize)]
pub struct TokenRequest {
    /// When, in RFC 3339.
    pub at: String,
    /// `authorization_code`, `refresh_token`, or `revocation` for one that ended a grant.
    pub grant_type: Option<String>,
    /// Who asked.
    pub client_id: Option<String>,
    /// E-mail address of the account, where the request got that far.
    pub account: Option<String>,
    /// HTTP status of the answer; 0 where there is none yet.
    #[serde(default)]
    pub status: u16,
    /// OAuth's word for what was wrong.
    pub error: Option<String>,
}

impl GoogleStandIn {
    /// Starts the server; [`GoogleStandIn::ready`] waits for it.
    pub fn spawn(lab: &Path, tls: &Tls, place: &Place) -> Result<GoogleStandIn> {
        let (port, admin_port) = (free_port()?, free_port()?);
        let issuer = format!("https://{}:{port}", place.name);
        let server = Kept::start(
            Command::new("node")
                .arg("google.mjs")
                .current_dir(source_folder().join("node"))
                .env("ISSUER", issuer)
                .env("ADDRESSES", place.addresses().join(" "))
                .env("PORT", port.to_string())
                .env("ADMIN_PORT", admin_port.to_string())
                .env("TLS_CERT", &tls.cert)
                .env("TLS_KEY", &tls.key)
                .env("NODE_ENV", "production"),
            &lab.join("google.log"),
        )?;
        Ok(GoogleStandIn {
            name: place.name.clone(),
            port,
            admin_port,
            ca_pem: tls.ca_pem.clone(),
            server,
        })
    }

    /// Waits until it answers.
    pub async fn ready(&self) -> Result<()> {
        until_open(&self.server, self.admin_port).await
    }

    /// Port of the server, for a [`super::wire::Wire`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its name in `iss`.
    pub fn issuer(&self) -> String {
        format!("https://{}:{}", self.name, self.port)
    }

    /// Where a person is sent to consent: their browser is on this machine.
    pub fn authorization_url(&self) -> String {
        format!("https://localhost:{}/o/oauth2/v2/auth", self.port)
    }

    /// Where codes and refresh tokens are exchanged.
    pub fn token_url(&self) -> String {
        format!("{}/token", self.issuer())
    }

    /// Where a grant is given back.
    pub fn revocation_url(&self) -> String {
        format!("{}/revoke", self.issuer())
    }

    /// Where its public keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/oauth2/v3/certs", self.issuer())
    }

    /// Where the mail servers ask about a token.
    pub fn introspection_url(&self) -> String {
        format!(
            "https://mail-server:mail-server@localhost:{}/introspect",
            self.port
        )
    }

    /// The authority that vouches for its certificate.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Registers a client, or changes the secret or redirect URIs of one; its refresh tokens stay good.
    pub async fn put_client(&self, id: &str, secret: &str, redirect_uris: &[&str]) -> Result<()> {
        let client =
            json!({ "client_id": id, "client_secret": secret, "redirect_uris": redirect_uris });
        self.post("clients", &client).await
    }

    /// Sets how long access tokens of a client last, for tests that wait for one to expire.
    pub async fn set_access_token_life(&self, id: &str, life: Duration) -> Result<()> {
        self.post(
            "clients",
            &json!({ "client_id": id, "access_token_ttl": life.as_secs() }),
        )
        .await
    }

    /// Deletes a client.
    pub async fn delete_client(&self, id: &str) -> Result<()> {
        let url = self.admin_url(&format!("clients/{id}"));
        http()?.delete(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// Ends every grant of an account, as when its owner changes the password.
    pub async fn revoke(&self, account: &str) -> Result<()> {
        self.post("revoke", &json!({ "account": account })).await
    }

    /// From now on the token endpoint answers this to a client, and nothing else.
    pub async fn set_fault(&self, id: &str, status: u16, body: Value) -> Result<()> {
        self.post(
            "faults",
            &json!({ "client_id": id, "status": status, "body": body }),
        )
        .await
    }

    /// The same with a `Retry-After`.
    pub async fn set_busy(&self, id: &str, status: u16, retry_after: &str) -> Result<()> {
        self.post(
            "faults",
            &json!({ "client_id": id, "status": status, "retry_after": retry_after }),
        )
        .await
    }

    /// From now on each renewal for a client replaces the refresh token, and the old one is dead.
    pub async fn rotate_refresh_tokens(&self, id: &str) -> Result<()> {
        self.post(
            "clients",
            &json!({ "client_id": id, "rotate_refresh_token": true }),
        )
        .await
    }

    /// From now on the token endpoint takes its time over a client's requests, and then answers as usual.
    pub async fn set_delay(&self, id: &str, delay: Duration) -> Result<()> {
        self.post(
            "faults",
            &json!({ "client_id": id, "delay_ms": delay.as_millis() as u64 }),
        )
        .await
    }

    /// Ends what [`GoogleStandIn::set_fault`] and [`GoogleStandIn::set_delay`] began.
    pub async fn clear_fault(&self, id: &str) -> Result<()> {
        self.post("faults", &json!({ "client_id": id, "clear": true }))
            .await
    }

    /// Every secret that was ever given out or registered: none of them may turn up anywhere else.
    pub async fn issued(&self) -> Result<Vec<String>> {
        self.get("issued").await
    }

    /// Every request that the token endpoint has had, oldest first.
    pub async fn requests(&self) -> Result<Vec<TokenRequest>> {
        self.get("requests").await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<()> {
        let request = http()?.post(self.admin_url(path)).json(body);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        Ok(http()?
            .get(self.admin_url(path))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?)
    }

    fn admin_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.admin_port)
    }
}

// A client for each request: one that is kept would belong to the runtime of the test that used it first.
fn http() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        .tls_built_in_root_certs(false)
        .build()
        .context("cannot make an HTTP client")
}
