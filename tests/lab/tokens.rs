//! Sign-ins that skip the operator: for its grants in numbers, and for programs that it is compared with.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use gmail_operator::api::Mailbox;
use gmail_operator::cluster::grant_secret;
use gmail_operator::domain::endpoints::MAIL_SCOPE;
use gmail_operator::domain::grant::{Access, Grant};
use gmail_operator::domain::name::ObjectName;
use gmail_operator::domain::schedule::later;
use gmail_operator::domain::secret::{AccessToken, RefreshToken};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::PostParams;
use reqwest::{Certificate, Client};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::grants;
use super::operator::{CLIENT_SECRET, Site};
use super::person::Person;

/// What an account's owner gave to a site's OAuth client.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Who signed in.
    pub email: String,
    /// For the mail servers; a plain text, since other programs get it too.
    pub access_token: String,
    refresh_token: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
    subject: String,
    scopes: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    refresh_token: String,
    expires_in: u64,
    scope: String,
}

#[derive(Deserialize)]
struct UserInfo {
    sub: String,
}

impl Tokens {
    /// The owner of `email` consents at Google, and the code is exchanged.
    pub async fn of(site: &Site, email: &str) -> Result<Tokens> {
        let google = &site.lab.google;
        let redirect_uri = format!("{}/oauth2/callback", site.public_url);
        let scopes = format!("openid email {MAIL_SCOPE}");
        let authorization = Url::parse_with_params(
            &google.authorization_url(),
            [
                ("client_id", site.client_id.as_str()),
                ("response_type", "code"),
                ("redirect_uri", &redirect_uri),
                ("scope", &scopes),
                ("state", "lab"),
                // Without these two there is no refresh token.
                ("access_type", "offline"),
                ("prompt", "consent"),
            ],
        )?;
        let owner = Person::new(site.lab, email)?;
        let page = owner.open(authorization.as_str()).await?;
        let page = owner.consent(page).await?;
        let Some(callback) = page.location else {
            bail!("no consent of {email}: {} {}", page.status, page.words()?);
        };
        let (_, code) = callback
            .query_pairs()
            .find(|(name, _)| name == "code")
            .context("no code in the callback")?;

        let http = http(google.ca_pem())?;
        let exchange = http.post(google.token_url()).form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &redirect_uri),
            ("client_id", &site.client_id),
            ("client_secret", CLIENT_SECRET),
        ]);
        let issued_at = Timestamp::now();
        let tokens: TokenAnswer = answer(exchange).await?;
        // Says the same as the ID token, and needs no signature checked.
        let whose = http
            .get(format!("{}/v1/userinfo", google.issuer()))
            .bearer_auth(&tokens.access_token);
        let UserInfo { sub } = answer(whose).await?;
        Ok(Tokens {
            email: email.to_owned(),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            issued_at,
            expires_at: later(issued_at, Duration::from_secs(tokens.expires_in)),
            subject: sub,
            scopes: tokens.scope,
        })
    }

    /// Makes a Mailbox from `manifest` and the grant of this account for it.
    pub async fn connect(&self, site: &Site, manifest: Value, profile: &str) -> Result<Mailbox> {
        let mailbox: Mailbox = serde_json::from_value(manifest)?;
        let mailboxes = site.mailboxes();
        let made = mailboxes.create(&PostParams::default(), &mailbox).await?;
        self.store(site, &made, profile).await?;
        Ok(made)
    }

    /// Stores the grant of `mailbox`, as the sign-in page would.
    pub async fn store(&self, site: &Site, mailbox: &Mailbox, profile: &str) -> Result<()> {
        let uid = mailbox.uid().context("no uid")?;
        let grant = self.grant(site, &mailbox.name_any(), &uid, profile)?;
        let secret = grant_secret::secret(&grant, &site.namespace, None);
        let secrets = site.own_secrets();
        secrets.create(&PostParams::default(), &secret).await?;
        Ok(())
    }

    /// The grant that the operator would have made of a sign-in to this Mailbox at this moment.
    pub fn grant(&self, site: &Site, mailbox: &str, uid: &str, profile: &str) -> Result<Grant> {
        let mut grant = grants::new(site, mailbox, uid, &self.email)?;
        grant.account.subject = self.subject.clone();
        grant.scopes = self.scopes.split(' ').map(str::to_owned).collect();
        grant.redirect_uri = Some(format!("{}/oauth2/callback", site.public_url));
        grant.profile = ObjectName::new(&site.tenant, profile);
        grant.refresh_token = RefreshToken::new(self.refresh_token.as_str());
        grant.access = Access {
            token: AccessToken::new(self.access_token.as_str()),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
        };
        Ok(grant)
    }
}

async fn answer<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T> {
    Ok(request.send().await?.error_for_status()?.json().await?)
}

fn http(ca_pem: &str) -> Result<Client> {
    Ok(Client::builder()
        .no_proxy()
        .tls_built_in_root_certs(false)
        .add_root_certificate(Certificate::from_pem(ca_pem.as_bytes())?)
        .build()?)
}
