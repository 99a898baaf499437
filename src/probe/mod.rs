//! The steps of Test & Enable, each one conversation with a mail server.

mod deliver;
mod incoming;
mod login;
mod outgoing;
mod round_trip;
mod slots;

use std::sync::Arc;
use std::time::Duration;

use crate::api::Reason;
use crate::domain::ca_bundle::CaBundle;
use crate::domain::failure::Failure;
use crate::domain::name::ObjectName;
use crate::domain::secret::AccessToken;
use crate::domain::server::MailServers;
use crate::mail::MailAccount;
use crate::net::connect::Dialer;
use crate::net::network::Network;

pub use crate::mail::{Folder, NotMoved};
pub use deliver::{Delivery, Mail};
pub use round_trip::{Afterwards, Became, Search};
pub use slots::{Busy, CONNECTIONS, Claim, Slot, Slots};

/// Tests mailboxes. Each conversation is held by whoever has a [`Slot`], which is borrowed for as
/// long as the connection is open: so there are never more than the profile and the account allow.
pub struct Prober {
    network: Arc<Network>,
    waits: ProbeWaits,
}

/// The waits of the round trip.
#[derive(Clone, Copy, Debug)]
pub struct ProbeWaits {
    /// How long a message may take to arrive.
    pub arrival: Duration,
    /// Between two looks for it.
    pub look: Duration,
}

/// What a test needs to know of a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The profile that it uses.
    pub profile: &'a ObjectName,
    /// The profile's CA bundle.
    pub ca_bundle: Option<&'a CaBundle>,
    /// The servers.
    pub servers: &'a MailServers,
    /// The SASL user: the account that signed in.
    pub user: &'a str,
    /// A fresh access token.
    pub token: &'a AccessToken,
}

impl Subject<'_> {
    fn account(&self) -> MailAccount<'_> {
        MailAccount {
            user: self.user,
            token: self.token,
        }
    }
}

impl Prober {
    /// With connections from `network`.
    pub fn new(network: Arc<Network>, waits: ProbeWaits) -> Self {
        Self { network, waits }
    }

    fn dialer(&self, subject: &Subject<'_>) -> Result<Dialer, Failure> {
        match self.network.of(subject.profile, subject.ca_bundle) {
            Ok(network) => Ok(network.dialer(subject.servers.timeout)),
            Err(error) => Err(Failure {
                reason: Reason::CaBundleInvalid,
                doing: "preparing the connection".to_owned(),
                detail: error.to_string(),
                reply: None,
            }),
        }
    }
}
