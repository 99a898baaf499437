//! The table of what can go wrong between a cluster and a Gmail mailbox: each cause on the wire, with the reason, the
//! server's words and the cure that it gives, and with the mailbox back in service by itself when the cause has gone.
//!
//! A new row is one line in one of the lists below. Every row has a Mailbox and an account of its own, and where a whole
//! server is at fault a server and a profile too, so that all run at once on one operator.

mod board;
mod bytes;
mod imap;
mod network;
mod noticed;
mod pop3;
mod run;
mod sending;
mod smtp;
mod stage;
mod tls;
mod token;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use gmail_operator::api::{Again, ProfileCondition, Reason};
use gmail_operator::domain::ca_bundle::CaBundle;
use gmail_operator::domain::egress::EgressPolicy;
use gmail_operator::domain::server::Endpoint;
use gmail_operator::net::connect::Dialer;
use gmail_operator::net::trust::tls_config;
use strum::IntoEnumIterator;

use crate::lab::Lab;
use crate::lab::mail_script::{Act, At, Certificate, Delivery, Door, Entry, Fault, Offers, fault};

/// Where it happens, which also says what is read in status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// Reading over IMAP.
    Imap,
    /// Reading over POP3.
    Pop3,
    /// The login for sending, with TLS from the start.
    Smtp,
    /// The same with STARTTLS.
    Submission,
    /// The test's message.
    Message,
    /// The renewal of the access token.
    Token,
}

/// What is at fault.
#[derive(Clone, Copy, Debug)]
pub enum Broken {
    /// The server, for this account.
    Account(Fault),
    /// What becomes of the account's messages.
    Delivery(Delivery),
    /// The whole server.
    Server(Entry, Offers, Option<Fault>),
    /// The host that the profile names.
    Host(&'static str),
    /// The OAuth server, which answers this to the account's renewals.
    Renewal(&'static str, &'static str),
}

/// How the cause goes away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cure {
    /// By itself, or by somebody elsewhere: nothing in the cluster changes.
    Elsewhere,
    /// The profile is corrected.
    Profile,
    /// The owner signs in again.
    SignIn,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// A word for it; the name of its Mailbox, and of its profile where it has one.
    pub name: &'static str,
    /// Where.
    pub way: Way,
    /// What is at fault.
    pub broken: Broken,
    /// What the operator has to say.
    pub reason: Reason,
    /// When it has to try again.
    pub again: Again,
    /// What has to be left of the server's words; none: there are no words of a server.
    pub says: Option<&'static str>,
    /// How the cause goes away.
    pub cure: Cure,
    /// How old the sign-in is, in hours.
    pub age_hours: i64,
}

impl Row {
    const fn new(
        name: &'static str,
        way: Way,
        broken: Broken,
        reason: Reason,
        again: Again,
    ) -> Row {
        Row {
            name,
            way,
            broken,
            reason,
            again,
            says: None,
            cure: Cure::Elsewhere,
            age_hours: 0,
        }
    }

    /// The server's words in status are these, or have these in them.
    const fn says(mut self, words: &'static str) -> Row {
        self.says = Some(words);
        self
    }

    const fn cured_by(mut self, cure: Cure) -> Row {
        self.cure = cure;
        self
    }
}

/// Something at a moment of an account's conversation.
const fn account(name: &'static str, way: Way, at: At, act: Act, means: (Reason, Again)) -> Row {
    let broken = Broken::Account(fault(at, act));
    Row::new(name, way, broken, means.0, means.1)
}

/// A server that receives everybody so.
const fn entry(name: &'static str, way: Way, entry: Entry, means: (Reason, Again)) -> Row {
    let broken = Broken::Server(entry, Offers::Both, None);
    Row::new(name, way, broken, means.0, means.1)
}

/// A server that does this to everybody.
const fn server(name: &'static str, way: Way, at: At, act: Act, means: (Reason, Again)) -> Row {
    let broken = Broken::Server(RIGHT, Offers::Both, Some(fault(at, act)));
    Row::new(name, way, broken, means.0, means.1)
}

/// A server that offers these ways to log in, and refuses so.
const fn refusing(
    name: &'static str,
    way: Way,
    offers: Offers,
    words: &'static str,
    reason: Reason,
) -> Row {
    let refusal = fault(At::Login, Act::Challenge(words));
    let broken = Broken::Server(RIGHT, offers, Some(refusal));
    Row::new(name, way, broken, reason, Again::Slowly)
}

const RIGHT: Entry = Entry::Tls(Certificate::Good);

fn table() -> Vec<Row> {
    [
        imap::ROWS,
        pop3::ROWS,
        smtp::ROWS,
        sending::ROWS,
        network::ROWS,
        tls::ROWS,
        token::ROWS,
    ]
    .concat()
}

/// Reasons that are tried again and that neither this table nor that of tests/mistakes shows: where they are shown.
const ELSEWHERE: &[(Reason, &str)] = &[
    // No test can silence the name server of the machine that it runs on.
    (Reason::NameServerSilent, "src/net/connect/tests.rs"),
    (Reason::NotRevoked, "tests/revocation.rs"),
    (Reason::SecretNotOwned, "tests/binding.rs"),
    (Reason::SecretNotWritten, "tests/binding.rs"),
];

/// What has to be told apart, as docs/concepts.md promises.
const DISTINCT: usize = 70;

/// For sessions without an operator: to these servers, and no others.
pub fn dialer(lab: &Lab, doors: &[&Door]) -> Result<Dialer> {
    let servers = doors
        .iter()
        .map(|door| Endpoint::new("localhost", door.port));
    let networks = ["127.0.0.0/8", "::1/128"].map(|net| net.parse());
    let networks = networks.into_iter().collect::<Result<_, _>>()?;
    let egress = EgressPolicy::new(servers.collect(), networks);
    let trust = CaBundle::parse(&lab.tls.ca_pem)?;
    let tls = tls_config(Some(&trust))?;
    Ok(Dialer::new(
        Arc::new(egress),
        Arc::new(tls),
        Duration::from_secs(20),
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_failure_is_named_and_passes() -> Result<()> {
    run::all(&table()).await
}

#[test]
fn the_table_has_every_reason_that_is_tried_again() {
    let table = table();
    let names: BTreeSet<_> = table.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), table.len(), "a name is there twice");
    let shown: BTreeSet<_> = table.iter().map(|row| row.reason).collect();
    assert!(table.len() >= DISTINCT && shown.len() >= DISTINCT);
    for row in &table {
        assert_eq!(row.again, row.reason.again(), "{}", row.name);
    }
    for (reason, place) in ELSEWHERE {
        let text = std::fs::read_to_string(place).unwrap();
        assert!(
            !shown.contains(reason) && text.contains(reason.name()),
            "{reason} in {place}"
        );
    }
    let elsewhere = ELSEWHERE.iter().map(|(reason, _)| *reason);
    // tests/mistakes has each reason of a profile.
    let of_profiles = ProfileCondition::iter().flat_map(|condition| condition.reasons());
    let known: BTreeSet<_> = elsewhere
        .chain(of_profiles.copied())
        .chain(shown.clone())
        .collect();
    let missing: Vec<_> = Reason::iter()
        .filter(|reason| reason.again() != Again::OnChange && !known.contains(reason))
        .collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
    println!("{} rows, {} reasons", table.len(), shown.len());
}
