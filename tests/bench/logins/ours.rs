//! The operator's own logins without the operator: its sessions, as a test of a mailbox uses them, in a process that
//! does nothing else. It takes the same orders as the peers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use gmail_operator::domain::ca_bundle::CaBundle;
use gmail_operator::domain::egress::EgressPolicy;
use gmail_operator::domain::failure::Failure;
use gmail_operator::domain::name::ObjectName;
use gmail_operator::domain::secret::AccessToken;
use gmail_operator::domain::server::{Endpoint, SmtpSecurity};
use gmail_operator::mail::{ImapSession, MailAccount, Pop3Session, SmtpSession};
use gmail_operator::net::connect::Dialer;
use gmail_operator::net::network::Network;
use gmail_operator::net::trust::tls_config;
use rustls::HandshakeKind;
use rustls::client::Resumption;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines, Stdin, stdin};

/// As the operator's profiles have it unless they say otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Handshakes that are looked at.
const LOOKS: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Setup {
    imap_port: u16,
    pop3_port: u16,
    smtp_port: u16,
    ca: String,
    logins: usize,
    connections: usize,
    accounts: Vec<(String, AccessTokenText)>,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct AccessTokenText(AccessToken);

impl From<String> for AccessTokenText {
    fn from(text: String) -> Self {
        Self(AccessToken::new(text))
    }
}

/// What a round logs in to.
#[derive(Clone, Copy)]
enum Protocol {
    Imap,
    Pop3,
    Smtp,
}

impl Protocol {
    fn named(name: &str) -> Option<Protocol> {
        match name {
            "imap" => Some(Protocol::Imap),
            "pop3" => Some(Protocol::Pop3),
            "smtp" => Some(Protocol::Smtp),
            _ => None,
        }
    }
}

struct Ours {
    imap: Endpoint,
    pop3: Endpoint,
    smtp: Endpoint,
    /// As the operator dials for a profile.
    dialer: Dialer,
    /// The same without a memory of TLS sessions.
    anew: Dialer,
    setup: Setup,
}

/// Does what standard input says until it ends.
pub async fn run() -> Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    let setup = next(&mut lines).await?.context("no setup")?;
    let ours = Ours::new(serde_json::from_str(&setup)?)?;
    println!("ready");
    while let Some(order) = next(&mut lines).await? {
        match ours.told(&order).await {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("{error:#}"),
        }
    }
    Ok(())
}

async fn next(lines: &mut Lines<BufReader<Stdin>>) -> Result<Option<String>> {
    Ok(lines.next_line().await?)
}

impl Ours {
    fn new(setup: Setup) -> Result<Ours> {
        let at = |port| Endpoint::new("localhost", port);
        let (imap, smtp) = (at(setup.imap_port), at(setup.smtp_port));
        let pop3 = at(setup.pop3_port);
        let egress = EgressPolicy::new(
            vec![imap.clone(), pop3.clone(), smtp.clone()],
            vec!["127.0.0.0/8".parse()?, "::1/128".parse()?],
        );
        let ca_bundle = CaBundle::parse(&setup.ca)?;
        let mut forgetful = tls_config(Some(&ca_bundle))?;
        forgetful.resumption = Resumption::disabled();
        let anew = Dialer::new(Arc::new(egress.clone()), Arc::new(forgetful), TIMEOUT);
        let profile = ObjectName::new("bench", "logins");
        let network = Network::new(egress).of(&profile, Some(&ca_bundle))?;
        Ok(Ours {
            imap,
            pop3,
            smtp,
            dialer: network.dialer(TIMEOUT),
            anew,
            setup,
        })
    }

    async fn told(&self, order: &str) -> Result<String> {
        let (what, how) = order.rsplit_once(' ').unwrap_or((order, ""));
        match (what, how, Protocol::named(what), Protocol::named(how)) {
            (_, "", Some(protocol), _) => self.round(protocol, &self.dialer).await,
            (_, "anew", Some(protocol), _) => self.round(protocol, &self.anew).await,
            ("sessions", _, _, Some(protocol)) => self.sessions(protocol).await,
            _ => bail!("{order:?} is not understood"),
        }
    }

    async fn round(&self, protocol: Protocol, dialer: &Dialer) -> Result<String> {
        let accounts = self.setup.accounts.iter().cycle().take(self.setup.logins);
        stream::iter(accounts)
            .map(async |(user, token)| {
                let account = MailAccount {
                    user,
                    token: &token.0,
                };
                let login = self.login(protocol, dialer, account).await;
                login.map_err(|failure| anyhow::anyhow!("{failure:?}"))
            })
            .buffer_unordered(self.setup.connections)
            .try_collect::<()>()
            .await?;
        Ok("done".to_owned())
    }

    async fn login(
        &self,
        protocol: Protocol,
        dialer: &Dialer,
        account: MailAccount<'_>,
    ) -> Result<(), Failure> {
        match protocol {
            Protocol::Imap => {
                let mut session = ImapSession::open(dialer, &self.imap, account).await?;
                session.examine_inbox().await?;
                session.logout().await;
            }
            Protocol::Pop3 => {
                let mut session = Pop3Session::open(dialer, &self.pop3, account).await?;
                session.stat().await?;
                session.quit().await;
            }
            Protocol::Smtp => {
                let security = SmtpSecurity::Tls;
                let mut session = SmtpSession::open(dialer, &self.smtp, security, account).await?;
                session.noop().await?;
                session.quit().await;
            }
        }
        Ok(())
    }

    /// How many of the next handshakes resume a session of the logins before.
    async fn sessions(&self, protocol: Protocol) -> Result<String> {
        let server = match protocol {
            Protocol::Imap => &self.imap,
            Protocol::Pop3 => &self.pop3,
            Protocol::Smtp => &self.smtp,
        };
        let mut resumed = 0;
        for _ in 0..LOOKS {
            let tcp = self.dialer.tcp(server).await?;
            let mut tls = self.dialer.tls(tcp, &server.host).await?;
            // What the next session is resumed with comes after the handshake.
            let _greeting = tls.read(&mut [0; 512]).await?;
            let kind = tls.get_ref().1.handshake_kind();
            resumed += usize::from(kind == Some(HandshakeKind::Resumed));
        }
        Ok(format!("{resumed} of {LOOKS}"))
    }
}
