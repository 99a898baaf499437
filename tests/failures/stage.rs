//! Where the rows are played: one operator, one set of mail servers, a server of their own for those that need one, and
//! a token endpoint that knows all accounts.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use gmail_operator::api::{GmailServerProfile, Mailbox, Reason};
use gmail_operator::cluster::grant_secret;
use gmail_operator::domain::grant::Grant;
use gmail_operator::domain::name::ObjectName;
use gmail_operator::domain::schedule::{earlier, later};
use gmail_operator::domain::secret::{AccessToken, RefreshToken};
use kube::ResourceExt;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::board::Board;
use super::{Broken, Cure, Row, Way};
use crate::lab::grants;
use crate::lab::mail_script::{Act, At, Delivery, Door, Entry, Fault, MailScript, Protocol};
use crate::lab::operator::{CLIENT_SECRET, Ports, Site};
use crate::lab::token_mill::TokenMill;

/// The waits of this operator, in seconds: those before a new try are far enough apart to be told apart.
pub const LONGEST_BACKOFF: f64 = 1.0;
/// The first wait where a server wants fewer tries.
pub const FIRST_PAUSE: f64 = 2.0;
/// The longest of them.
pub const LONGEST_PAUSE: f64 = 3.0;
/// The wait for somebody to act: so long that on a busy machine, too, what is tried soon or after a pause comes before.
pub const RETEST_FAILED: f64 = 25.0;

/// The profile of rows without a server of their own.
const SHARED: &str = "google";
/// The same for rows in which somebody waits in vain.
const HASTY: &str = "hasty";
/// What waits in vain is given up after this.
const SHORT: &str = "2s";
/// No answer takes so long, however busy the machine is.
const LONG: &str = "20s";

/// All that rows share.
pub struct Stage {
    /// The operator.
    pub site: Site,
    /// The mail servers.
    pub script: MailScript,
    /// Every Mailbox.
    pub board: Board,
    mill: TokenMill,
    /// The server of each row that has its own.
    doors: Vec<Option<Door>>,
}

impl Stage {
    /// With all servers broken as the rows say, and the operator running.
    pub async fn set(rows: &[Row]) -> Result<Stage> {
        let mut site = Site::new("failures").await?;
        let script = MailScript::start(site.lab).await?;
        let mill = TokenMill::new(site.lab, rows.len(), Duration::from_secs(3600))?;
        let doors = try_join_all(rows.iter().map(|row| door(&script, row))).await?;
        let shared = [&script.imap, &script.pop3, &script.smtp];
        for door in doors.iter().flatten().chain(shared) {
            for host in ["localhost", "127.0.0.1"] {
                site.allow_host(host, door.port);
            }
        }
        site.allow(mill.port);
        for host in ["mail.invalid", "127.255.255.255"] {
            site.allow_host(host, script.imap.port);
        }
        for (wait, seconds) in [
            ("backoff-first", 0.2),
            ("backoff-longest", LONGEST_BACKOFF),
            ("pause-first", FIRST_PAUSE),
            ("pause-longest", LONGEST_PAUSE),
            ("retest-failed", RETEST_FAILED),
            ("tries", 3.0),
            ("arrival", 1.0),
            // What this is not about costs fifty profiles and their Mailboxes no time.
            ("look-at-secret", 60.0),
            ("counts", 10.0),
            ("progress", 5.0),
        ] {
            site.pace(wait, seconds);
        }
        site.log_level("info");
        site.start().await?;
        site.client_secret(CLIENT_SECRET).await?;
        let board = Board::of(site.mailboxes());
        let stage = Stage {
            site,
            script,
            board,
            mill,
            doors,
        };
        for (name, timeout) in [(SHARED, LONG), (HASTY, SHORT)] {
            stage.make_profile(stage.profile(name, timeout)).await?;
        }
        Ok(stage)
    }

    /// Spoils what the row says, and makes its Mailbox, to which somebody has just signed in.
    pub async fn enter(&self, n: usize, row: &Row) -> Result<Mailbox> {
        let email = row.email();
        match row.broken {
            Broken::Account(fault) => self.script.post.set_fault(&email, fault),
            Broken::Delivery(delivery) => self.script.post.set_delivery(&email, delivery),
            Broken::Renewal(status, body) => self.mill.set_answer(n, status, body),
            Broken::Server(entry, offers, fault) => {
                let door = self.door(n)?;
                door.set_entry(entry).await?;
                door.set_offers(offers);
                if let Some(fault) = fault {
                    door.set_fault(fault);
                }
            }
            Broken::Host(_) => {}
        }
        if row.has_profile() {
            self.make_profile(self.profile_of(n, row)).await?;
        }
        let mut manifest = self.site.mailbox_manifest(row.name, &email);
        manifest["spec"]["profileRef"] = json!({ "name": row.profile() });
        row.shape(&mut manifest["spec"]);
        let mailbox: Mailbox = serde_json::from_value(manifest)?;
        let mailboxes = self.site.mailboxes();
        let made = mailboxes.create(&PostParams::default(), &mailbox).await?;
        let grant = self.grant(n, row, &made)?;
        let secret = grant_secret::secret(&grant, &self.site.namespace, None);
        let secrets = self.site.own_secrets();
        secrets.create(&PostParams::default(), &secret).await?;
        Ok(made)
    }

    /// The cause goes away.
    pub async fn mend(&self, n: usize, row: &Row, mailbox: &Mailbox) -> Result<()> {
        let email = row.email();
        match row.broken {
            Broken::Account(_) => self.script.post.clear_fault(&email),
            Broken::Delivery(_) => self.script.post.set_delivery(&email, Delivery::Inbox),
            Broken::Renewal(..) => self.mill.clear_answer(n),
            Broken::Server(..) => self.door(n)?.restore().await?,
            Broken::Host(_) => {}
        }
        match row.cure {
            Cure::Elsewhere => Ok(()),
            Cure::Profile => {
                let servers = json!({ "spec": { "servers": { "imap": { "host": "localhost" } } } });
                let profiles = self.site.profiles();
                let patch = Patch::Merge(servers);
                profiles
                    .patch(row.name, &PatchParams::default(), &patch)
                    .await?;
                Ok(())
            }
            Cure::SignIn => {
                let fresh = Row {
                    age_hours: 0,
                    way: Way::Imap,
                    ..*row
                };
                let grant = self.grant(n, &fresh, mailbox)?;
                let secret = grant_secret::secret(&grant, &self.site.namespace, None);
                let secrets = self.site.own_secrets();
                let name = secret.name_any();
                secrets
                    .replace(&name, &PostParams::default(), &secret)
                    .await?;
                Ok(())
            }
        }
    }

    /// When somebody tried to log in for the row, or to connect where it has its own server.
    pub fn tries(&self, n: usize, row: &Row) -> Vec<Instant> {
        match &self.doors[n] {
            Some(door) => door.connections(),
            None => self.script.post.logins(&row.email()),
        }
    }

    /// Whether all of [`Stage::tries`] are known: a server of its own does not see whom it does not let in.
    pub fn sees_tries(row: &Row) -> bool {
        match row.broken {
            Broken::Account(_) | Broken::Delivery(_) => true,
            Broken::Server(entry, ..) => !matches!(entry, Entry::Refused | Entry::Dropped),
            Broken::Host(_) | Broken::Renewal(..) => false,
        }
    }

    fn door(&self, n: usize) -> Result<&Door> {
        self.doors[n]
            .as_ref()
            .context("it has no server of its own")
    }

    async fn make_profile(&self, manifest: Value) -> Result<()> {
        let profile: GmailServerProfile = serde_json::from_value(manifest)?;
        let profiles = self.site.profiles();
        profiles.create(&PostParams::default(), &profile).await?;
        Ok(())
    }

    fn profile(&self, name: &str, timeout: &str) -> Value {
        let ports = Ports {
            imap: self.script.imap.port,
            smtp: self.script.smtp.port,
            google: self.mill.port,
        };
        let mut profile = self.site.profile_manifest(name, ports);
        let spec = &mut profile["spec"];
        spec["defaultForNewMailboxes"] = false.into();
        spec["servers"]["pop3"]["port"] = self.script.pop3.port.into();
        spec["processing"] =
            json!({ "connectionTimeout": timeout, "maxConcurrentConnections": 300 });
        profile
    }

    fn profile_of(&self, n: usize, row: &Row) -> Value {
        let timeout = if row.waits_in_vain() { SHORT } else { LONG };
        let mut profile = self.profile(row.name, timeout);
        let servers = &mut profile["spec"]["servers"];
        if let Broken::Host(host) = row.broken {
            servers["imap"]["host"] = host.into();
        }
        if let Some(door) = &self.doors[n] {
            let (server, security) = match row.way {
                Way::Pop3 => ("pop3", None),
                Way::Smtp | Way::Message => ("smtp", Some("TLS")),
                Way::Submission => ("smtp", Some("STARTTLS")),
                Way::Imap | Way::Token => ("imap", None),
            };
            servers[server]["port"] = door.port.into();
            // One address: what is dropped on the way to it is refused at localhost's other one.
            if matches!(row.broken, Broken::Server(Entry::Dropped, ..)) {
                servers[server]["host"] = "127.0.0.1".into();
            }
            if let Some(security) = security {
                servers[server]["security"] = security.into();
            }
        }
        profile
    }

    fn grant(&self, n: usize, row: &Row, mailbox: &Mailbox) -> Result<Grant> {
        let uid = mailbox.uid().context("no uid")?;
        let mut grant = grants::new(&self.site, row.name, &uid, &row.email())?;
        grant.token_endpoint = format!("https://localhost:{}/token", self.mill.port).parse()?;
        grant.profile = ObjectName::new(&self.site.tenant, row.profile());
        grant.refresh_token = RefreshToken::new(TokenMill::refresh_token(n));
        grant.access.token = AccessToken::new(format!("ya29.of-{}", row.name));
        grant.signed_in_at = earlier(grant.signed_in_at, hours(row.age_hours));
        if row.way == Way::Token {
            // A token that is over is renewed before anything else; one of half an hour is proved by the test.
            let age = match row.reason {
                Reason::GoogleUnavailable => HALF_LIFE,
                _ => 2 * HALF_LIFE,
            };
            grant.access.issued_at = earlier(grant.access.issued_at, age);
            grant.access.expires_at = later(grant.access.issued_at, 2 * HALF_LIFE);
        }
        grant.start_from = later(grant.signed_in_at, Duration::ZERO);
        Ok(grant)
    }
}

/// Of an access token.
const HALF_LIFE: Duration = Duration::from_secs(1800);

fn hours(count: i64) -> Duration {
    Duration::from_secs(3600 * count.unsigned_abs())
}

async fn door(script: &MailScript, row: &Row) -> Result<Option<Door>> {
    if !matches!(row.broken, Broken::Server(..)) {
        return Ok(None);
    }
    let protocol = match row.way {
        Way::Pop3 => Protocol::Pop3,
        Way::Smtp | Way::Message => Protocol::Smtp,
        Way::Submission => Protocol::Submission,
        Way::Imap | Way::Token => Protocol::Imap,
    };
    script.door(protocol).await.map(Some)
}

impl Row {
    /// Of its account.
    pub fn email(&self) -> String {
        format!("{}@failures.example.com", self.name)
    }

    fn profile(&self) -> &'static str {
        match (self.has_profile(), self.waits_in_vain()) {
            (true, _) => self.name,
            (false, true) => HASTY,
            (false, false) => SHARED,
        }
    }

    fn has_profile(&self) -> bool {
        matches!(self.broken, Broken::Server(..) | Broken::Host(_))
    }

    fn waits_in_vain(&self) -> bool {
        let waits = |fault: &Fault| {
            matches!(fault.act, Act::Silence | Act::Drip(_)) && fault.at != At::Message
        };
        match &self.broken {
            Broken::Account(fault) => waits(fault),
            Broken::Server(entry, _, fault) => {
                matches!(entry, Entry::Silent | Entry::Dropped) || fault.as_ref().is_some_and(waits)
            }
            _ => false,
        }
    }

    /// The Mailbox uses no more than the row is about.
    fn shape(&self, spec: &mut Value) {
        let none = json!({ "method": "None" });
        match self.way {
            Way::Imap | Way::Token => spec["outgoing"] = none,
            Way::Pop3 => {
                spec["incoming"] = json!({ "protocol": "POP3" });
                spec["outgoing"] = none;
            }
            Way::Smtp | Way::Submission => {
                spec["incoming"] = none;
                spec["testMessage"] = "None".into();
            }
            Way::Message => spec["incoming"] = none,
        }
    }
}
