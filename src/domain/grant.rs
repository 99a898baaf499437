//! What a mailbox's owner gave.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::address::EmailAddress;
use super::endpoints::MAIL_SCOPE;
use super::name::ObjectName;
use super::schedule;
use super::secret::{AccessToken, RefreshToken};
use crate::api::{ConsentScreen, DeletionPolicy, PublishingStatus, Reason};

/// What a mailbox's owner gave: kept in the Secret `grant-<Mailbox uid>`. All that must survive the
/// loss of a status is in here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// The Mailbox it is for.
    pub mailbox: ObjectName,
    /// The Mailbox's uid.
    pub mailbox_uid: String,
    /// The Mailbox's address: a Mailbox that comes back adopts the grant only with the same one.
    pub email_address: EmailAddress,
    /// Who signed in.
    pub account: Account,
    /// What was granted.
    pub scopes: BTreeSet<String>,
    /// The OAuth client that it was granted to.
    pub client_id: String,
    /// The redirect URI that the sign-in came back to. Older grants have none.
    pub redirect_uri: Option<String>,
    /// Where the OAuth server takes tokens: the refresh token is sent nowhere else, since another
    /// profile may have the same client ID and a server of its own.
    pub token_endpoint: Url,
    /// The profile in use at the sign-in.
    pub profile: ObjectName,
    /// Lives for months, or for 7 days while an External app is in Testing.
    pub refresh_token: RefreshToken,
    /// The newest access token.
    pub access: Access,
    /// When the owner signed in.
    pub signed_in_at: Timestamp,
    /// When Google will end it, where that is known.
    pub expires_at: Option<Timestamp>,
    /// Mail before this is left alone.
    pub start_from: Timestamp,
    /// Google has ended it.
    pub ended: Option<GrantEnd>,
    /// The newest test that may have sent its message.
    pub message_sent_by: Option<String>,
    /// When its account took a place in the client's Google Cloud project, where places are limited.
    pub place_taken_at: Option<Timestamp>,
    /// What becomes of it when the Mailbox is gone.
    pub deletion_policy: DeletionPolicy,
    /// Since when its Mailbox is known to be missing, though nobody saw its deletion.
    pub orphaned_at: Option<Timestamp>,
}

/// The identity of a grant: (`iss`, `sub`); the address is what SASL needs and people read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// The issuer.
    pub issuer: String,
    /// The issuer's stable name for the account.
    pub subject: String,
    /// The account's primary address: the SASL user.
    pub email: EmailAddress,
}

/// An access token and its life.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Access {
    /// The token.
    pub token: AccessToken,
    /// When it was got.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// That Google has ended a grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GrantEnd {
    /// Why, as far as Google says.
    pub reason: Reason,
    /// When it was seen.
    pub at: Timestamp,
}

/// How long a grant lives while an External app is in Testing
/// (developers.google.com/identity/protocols/oauth2, "Refresh token expiration").
const TESTING_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

impl Grant {
    /// When the access token is renewed.
    pub fn renew_at(&self) -> Timestamp {
        schedule::renew_at(
            self.access.issued_at,
            self.access.expires_at,
            &self.mailbox_uid,
        )
    }

    /// How old it is, in hours.
    pub fn age_hours(&self, now: Timestamp) -> i64 {
        now.duration_since(self.signed_in_at).as_hours()
    }
}

/// Whether `scopes` open the mailbox. The strings may differ from those asked for, so the one that
/// matters is looked for.
pub fn may_use_mail(scopes: &BTreeSet<String>) -> bool {
    scopes.contains(MAIL_SCOPE)
}

/// When a grant given at `signed_in_at` will end, as far as the consent screen tells.
pub fn known_end(
    screen: Option<&ConsentScreen>,
    signed_in_at: Timestamp,
    said: Option<Duration>,
) -> Option<Timestamp> {
    let testing =
        screen.is_some_and(|screen| screen.publishing_status == Some(PublishingStatus::Testing));
    let life = match (said, testing) {
        (Some(said), true) => Some(said.min(TESTING_LIFE)),
        (Some(said), false) => Some(said),
        (None, true) => Some(TESTING_LIFE),
        (None, false) => None,
    };
    life.map(|life| schedule::later(signed_in_at, life))
}
