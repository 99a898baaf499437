//! The same job by hand against real Gmail: `make test-gmail`. What it does with a mailbox is what Test & Enable does:
//! it logs in, sends one message to the mailbox itself, and moves that to Trash.
//!
//! The environment names a mailbox and what may log in to it: `GMAIL_ADDRESS`, and either `GMAIL_ACCESS_TOKEN_FILE` or
//! `GMAIL_REFRESH_TOKEN_FILE` with `GMAIL_CLIENT_FILE`, the file that Google's console downloads.

use std::env;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use gmail_operator::api::{GmailServerProfileSpec, Reason};
use gmail_operator::domain::address::EmailAddress;
use gmail_operator::domain::egress::EgressPolicy;
use gmail_operator::domain::endpoints::OAuthEndpoints;
use gmail_operator::domain::failure::Failure;
use gmail_operator::domain::message::message_id;
use gmail_operator::domain::oauth_client::OAuthClient;
use gmail_operator::domain::profile::ValidProfile;
use gmail_operator::domain::secret::{AccessToken, RefreshToken};
use gmail_operator::domain::server::{Endpoint, MailServers, SmtpSecurity};
use gmail_operator::google::Google;
use gmail_operator::mail::{
    Folder, ImapSession, MailAccount, NotTaken, Pop3Session, SmtpSession, compose,
};
use gmail_operator::net::connect::Dialer;
use gmail_operator::net::http::HttpClient;
use gmail_operator::net::trust::tls_config;
use jiff::Timestamp;
use serde_json::json;

use crate::lab::mail_script::{Act, At, MailScript, fault};
use crate::lab::{Lab, until};

/// How long a message may take.
const ARRIVAL: Duration = Duration::from_secs(120);
const TIMEOUT: Duration = Duration::from_secs(30);
const GARBAGE: &str = "not-a-token";

#[tokio::test]
#[ignore = "needs a Gmail mailbox: `make test-gmail`"]
async fn what_gmail_does_is_what_the_table_expects() -> Result<()> {
    match Bench::of_environment().await? {
        Ok(bench) => bench.all().await,
        Err(missing) => {
            println!("SKIPPED: everything, since {missing}");
            Ok(())
        }
    }
}

/// That it is right can be seen without a mailbox at Gmail.
#[tokio::test]
async fn what_the_script_does_is_what_gmail_does() -> Result<()> {
    let lab = Lab::shared().await;
    let script = MailScript::start(lab).await?;
    let user: EmailAddress = "ann@example.com".parse()?;
    let refused = "TAG NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)";
    let refusal = fault(At::Login, Act::Challenge(refused));
    script.post.set_fault(&somebody_else(&user), refusal);
    let at = |port| Endpoint::new("localhost", port);
    let bench = Bench {
        servers: MailServers {
            imap: at(script.imap.port),
            pop3: at(script.pop3.port),
            smtp: at(script.smtp.port),
            smtp_security: SmtpSecurity::Tls,
            timeout: TIMEOUT,
        },
        dialer: crate::failures::dialer(lab, &[&script.imap, &script.pop3, &script.smtp])?,
        user,
        token: AccessToken::new("ya29.of-ann"),
    };
    bench.all().await?;
    ensure!(script.post.sent("ann@example.com").len() == 1);
    Ok(())
}

/// One mailbox, and the way to its servers.
struct Bench {
    servers: MailServers,
    dialer: Dialer,
    user: EmailAddress,
    token: AccessToken,
}

/// An account whose token it is not.
fn somebody_else(user: &EmailAddress) -> String {
    format!("not-{user}")
}

impl Bench {
    /// Google's own servers, and what the environment names; or what it does not.
    async fn of_environment() -> Result<Result<Bench, String>> {
        let Ok(user) = env::var("GMAIL_ADDRESS") else {
            return Ok(Err("GMAIL_ADDRESS is not set".to_owned()));
        };
        let profile: GmailServerProfileSpec = serde_json::from_value(json!({ "oauthClient": {} }))?;
        let egress = EgressPolicy::new(Vec::new(), Vec::new());
        let servers = ValidProfile::new(&profile, &egress)?.servers;
        let (tls, egress) = (tls_config(None)?, Arc::new(egress));
        let http = HttpClient::new(tls.clone(), egress.clone(), TIMEOUT)?;
        let token = match token(http).await? {
            Ok(token) => token,
            Err(missing) => return Ok(Err(missing)),
        };
        Ok(Ok(Bench {
            servers,
            dialer: Dialer::new(egress, Arc::new(tls), TIMEOUT),
            user: user.parse()?,
            token,
        }))
    }

    async fn all(&self) -> Result<()> {
        self.logins().await?;
        self.pop3().await?;
        self.refusals().await?;
        self.round_trip().await
    }

    async fn logins(&self) -> Result<()> {
        let imap = self.imap(self.user.as_str(), &self.token).await;
        let mut imap = done("IMAP lets us in", imap)?;
        done("IMAP opens the inbox", imap.examine_inbox().await)?;
        imap.logout().await;
        let mut smtp = done("SMTP lets us in", self.smtp(&self.token).await)?;
        done("SMTP listens", smtp.noop().await)?;
        smtp.quit().await;
        Ok(())
    }

    async fn pop3(&self) -> Result<()> {
        let opened = Pop3Session::open(&self.dialer, &self.servers.pop3, self.account(&self.token));
        let mut pop3 = done("POP3 lets us in", opened.await)?;
        match pop3.stat().await {
            Err(failure) if is_off(failure.reason) => {
                println!("SKIPPED: counting messages over POP3, since it says {failure:?}");
            }
            counted => done("POP3 counts the messages", counted)?,
        }
        pop3.quit().await;
        Ok(())
    }

    async fn refusals(&self) -> Result<()> {
        let garbage = AccessToken::new(GARBAGE);
        let imap = self.imap(self.user.as_str(), &garbage).await;
        refused("IMAP with a garbage token", imap, Reason::LoginRefused)?;
        let imap = self.imap(&somebody_else(&self.user), &self.token).await;
        refused("IMAP as somebody else", imap, Reason::LoginRefused)?;
        let pop3 = Pop3Session::open(&self.dialer, &self.servers.pop3, self.account(&garbage));
        refused(
            "POP3 with a garbage token",
            pop3.await,
            Reason::PopLoginRefused,
        )?;
        let smtp = self.smtp(&garbage).await;
        refused("SMTP with a garbage token", smtp, Reason::SmtpLoginRefused)
    }

    /// A message to the mailbox itself, which is then moved to Trash.
    async fn round_trip(&self) -> Result<()> {
        let id = message_id(&format!("by-hand-{}", Timestamp::now().as_millisecond()));
        let (subject, body) = ("Test by hand", "This goes to Trash by itself.");
        let message = compose(&self.user, &self.user, &id, subject, body, Timestamp::now())?;
        let mut smtp = done("SMTP lets us in once more", self.smtp(&self.token).await)?;
        let named = smtp.envelope(&self.user, &self.user).await;
        done("SMTP knows sender and recipient", named)?;
        let sent = smtp.data(&message).await;
        let sent =
            sent.map_err(|(NotTaken::Refused(failure) | NotTaken::Unknown(failure))| failure);
        done("SMTP takes the message", sent)?;
        smtp.quit().await;
        let imap = self.imap(self.user.as_str(), &self.token).await;
        let mut imap = imap.map_err(told)?;
        let mut found = None;
        until("the message", ARRIVAL, async || {
            for folder in [Folder::Inbox, Folder::Spam] {
                let opened = imap.open_folder(folder).await.map_err(told)?;
                if opened && imap.find(&id).await.map_err(told)?.is_some() {
                    found = Some(folder);
                }
            }
            Ok(found.is_some())
        })
        .await?;
        let folder = found.context("it was found")?;
        println!("ok: the message has arrived in {folder:?}");
        let moved = imap.move_to_trash(folder, &id).await;
        ensure!(moved.is_ok(), "IMAP does not move the message: {moved:?}");
        println!("ok: IMAP moves the message");
        imap.open_folder(folder).await.map_err(told)?;
        ensure!(
            imap.find(&id).await.map_err(told)?.is_none(),
            "it is still in {folder:?}"
        );
        imap.logout().await;
        Ok(())
    }

    fn account<'a>(&'a self, token: &'a AccessToken) -> MailAccount<'a> {
        let user = self.user.as_str();
        MailAccount { user, token }
    }

    async fn imap(&self, user: &str, token: &AccessToken) -> Result<ImapSession, Failure> {
        let account = MailAccount { user, token };
        ImapSession::open(&self.dialer, &self.servers.imap, account).await
    }

    async fn smtp(&self, token: &AccessToken) -> Result<SmtpSession, Failure> {
        let MailServers {
            smtp,
            smtp_security,
            ..
        } = &self.servers;
        SmtpSession::open(&self.dialer, smtp, *smtp_security, self.account(token)).await
    }
}

/// From a file, or for a refresh token in one.
async fn token(http: HttpClient) -> Result<Result<AccessToken, String>> {
    let read = |name: &str| {
        let path = env::var(name).ok()?;
        Some(fs::read_to_string(&path).with_context(|| format!("{name} is {path}")))
    };
    if let Some(token) = read("GMAIL_ACCESS_TOKEN_FILE").transpose()? {
        return Ok(Ok(AccessToken::new(token.trim())));
    }
    let files = ["GMAIL_REFRESH_TOKEN_FILE", "GMAIL_CLIENT_FILE"].map(read);
    let [Some(token), Some(client)] = files else {
        let missing = "neither GMAIL_ACCESS_TOKEN_FILE nor GMAIL_REFRESH_TOKEN_FILE and GMAIL_CLIENT_FILE are set";
        return Ok(Err(missing.to_owned()));
    };
    let client = OAuthClient::from_json(client?.as_bytes())?.of_google()?;
    let token = RefreshToken::new(token?.trim());
    let google = Google::new(OAuthEndpoints::google(), http);
    let refreshed = google.refresh(&client, &token).await?;
    println!("ok: Google renews the access token");
    Ok(Ok(refreshed.access_token))
}

fn is_off(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::PopDisabledByUser | Reason::PopDisabledByDomain
    )
}

fn told(failure: Failure) -> anyhow::Error {
    anyhow!("{failure:?}")
}

fn done<T>(what: &str, result: Result<T, Failure>) -> Result<T> {
    let value = result.map_err(told).with_context(|| what.to_owned())?;
    println!("ok: {what}");
    Ok(value)
}

fn refused<T>(what: &str, result: Result<T, Failure>, reason: Reason) -> Result<()> {
    match result {
        Ok(_) => bail!("{what} is let in"),
        Err(failure) => {
            ensure!(failure.reason == reason, "{what}: {failure:?}");
            println!(
                "ok: {what} is refused: {}",
                failure.reply.unwrap_or_default()
            );
            Ok(())
        }
    }
}
