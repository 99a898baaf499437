//! A [`Google`] for tests: the real endpoints, with nothing sent; or a scripted server.

use std::sync::Arc;
use std::time::Duration;

use super::Google;
use crate::domain::egress::EgressPolicy;
use crate::domain::endpoints::OAuthEndpoints;
use crate::domain::oauth_client::OAuthClient;
use crate::net::http::HttpClient;
use crate::net::http::scripted::{Script, Scripted};
use crate::net::trust::tls_config;

/// Google itself, for what needs no network.
pub(super) fn google() -> Google {
    let egress = Arc::new(EgressPolicy::default());
    let tls = tls_config(None).unwrap();
    let http = HttpClient::new(tls, egress, Duration::from_secs(1)).unwrap();
    Google::new(OAuthEndpoints::google(), http)
}

/// A server that answers every request in one way.
pub(super) async fn answering(script: Script) -> (Google, Scripted) {
    let server = Scripted::start(script).await;
    let base = format!("https://localhost:{}", server.port);
    let at = |path: &str| format!("{base}{path}").parse().unwrap();
    let endpoints = OAuthEndpoints {
        issuer: at(""),
        authorization: at("/auth"),
        token: at("/token"),
        revocation: at("/revoke"),
        jwks: at("/certs"),
    };
    (Google::new(endpoints, server.client()), server)
}

/// A client with a secret that can be looked for.
pub(super) fn client() -> OAuthClient {
    OAuthClient::from_id_and_secret("1-a", b"GOCSPX-client+secret").unwrap()
}
