use jiff::Timestamp;

use crate::api::{
    DeletionPolicy, IncomingProtocol, MailboxSpec, Method, ProfileRef, Reminders, TestMessage,
};
use crate::domain::address::EmailAddress;

/// A Mailbox's spec with its rules checked again: an object may be older than the schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ValidSpec {
    /// The mailbox's address.
    pub address: EmailAddress,
    /// The account that signs in: the address, unless it is an alias.
    pub account: EmailAddress,
    /// The profile by name.
    pub profile_ref: Option<ProfileRef>,
    /// Receiving: the protocol, or not used.
    pub incoming: Option<IncomingProtocol>,
    /// Whether mail is sent.
    pub outgoing: bool,
    /// Whether the operator itself is to move mail in a direction.
    pub server_side_sync: bool,
    /// The Secret in which workloads are to find the access token.
    pub access_token_secret: Option<String>,
    /// Whether a test may send a message.
    pub test_message: TestMessage,
    /// Whether the owner is reminded of an end.
    pub reminders: Reminders,
    /// Mail before this is left alone.
    pub process_emails_from: Option<Timestamp>,
    /// Whether all stands still.
    pub suspended: bool,
    /// What becomes of the grant.
    pub deletion_policy: DeletionPolicy,
}

/// A value that the schema should have refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadSpec {
    /// An address that is none.
    #[error("spec.{field} is {reason}")]
    Address {
        /// Which.
        field: &'static str,
        /// Why.
        reason: crate::domain::address::NotAnAddress,
    },
    /// Nothing to do.
    #[error("spec.incoming.method and spec.outgoing.method are both None")]
    NoDirection,
}

impl TryFrom<&MailboxSpec> for ValidSpec {
    type Error = BadSpec;

    fn try_from(spec: &MailboxSpec) -> Result<Self, BadSpec> {
        let parse = |field, text: &str| {
            text.parse()
                .map_err(|reason| BadSpec::Address { field, reason })
        };
        let address: EmailAddress = parse("emailAddress", &spec.email_address)?;
        let account = match &spec.google_account {
            Some(account) => parse("googleAccount", account)?,
            None => address.clone(),
        };
        let incoming = (spec.incoming.method != Method::None).then_some(spec.incoming.protocol);
        let outgoing = spec.outgoing.method != Method::None;
        if incoming.is_none() && !outgoing {
            return Err(BadSpec::NoDirection);
        }
        Ok(Self {
            address,
            account,
            profile_ref: spec.profile_ref.clone(),
            incoming,
            outgoing,
            server_side_sync: [spec.incoming.method, spec.outgoing.method]
                .contains(&Method::ServerSideSync),
            access_token_secret: (spec.access_token_secret.as_ref())
                .map(|secret| secret.name.0.clone()),
            test_message: spec.test_message,
            reminders: spec.reminders,
            process_emails_from: spec.process_emails_from.as_ref().map(|time| time.0),
            suspended: spec.suspend,
            deletion_policy: spec.deletion_policy,
        })
    }
}
