//! What a mailbox's owner gave.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use strum::{Display, EnumString};
use url::Url;

use super::address::EmailAddress;
use super::endpoints::MAIL_SCOPE;
use super::name::ObjectName;
use super::oauth_client::Project;
use super::profile::Audience;
use super::schedule;
use super::secret::{AccessToken, RefreshToken};
use crate::api::{DeletionPolicy, Reason};

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
    pub ends: Option<KnownEnd>,
    /// Mail before this is left alone.
    pub start_from: Timestamp,
    /// Google has ended it.
    pub ended: Option<GrantEnd>,
    /// The test messages that may have been sent.
    pub messages: Messages,
    /// When its account took a place in the client's Google Cloud project, where places are limited.
    pub place_taken_at: Option<Timestamp>,
    /// The end that its owner may have been reminded of.
    pub reminded_for: Option<Timestamp>,
    /// When its owner last asked on the page for a test.
    pub test_requested_at: Option<Timestamp>,
    /// When its owner signed out on the page: from then on it is not used, and then it goes.
    pub signed_out_at: Option<Timestamp>,
    /// Since when its owner is asked whether the account may move here from the Mailbox that it
    /// serves: until they say so it is not used, and soon it goes.
    pub move_asked_at: Option<Timestamp>,
    /// The Secret for workloads that may be there, so that it goes when the spec names another.
    pub workload_secret: Option<String>,
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

impl Account {
    /// Whether it is the same account: its address may have changed since.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.issuer, &self.subject) == (&other.issuer, &other.subject)
    }
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

/// Which test messages may have been sent: noted before they are, so that a crash never leads to a
/// second one, and a lost status to no more of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Messages {
    /// The newest test that may have sent its message; none since the sign-in.
    pub newest: Option<String>,
    /// The test whose message was the receipt of this sign-in.
    pub receipt: Option<String>,
    /// When the newest of them were sent, oldest first; also those of earlier sign-ins.
    pub sent_at: Vec<Timestamp>,
}

/// How many test messages a Mailbox gets.
#[derive(Clone, Copy, Debug)]
pub struct MessageLimit {
    /// So many.
    pub at_most: usize,
    /// Within this time.
    pub within: Duration,
}

impl MessageLimit {
    /// For receipts, which a sign-in's owner should get: twice as many, so that only sign-ins that
    /// follow each other all day go without.
    pub fn of_receipts(self) -> Self {
        Self {
            at_most: self.at_most.saturating_mul(2),
            ..self
        }
    }
}

impl Messages {
    /// Whether the owner has had no receipt of this sign-in yet: its first message is that.
    pub fn lack_receipt(&self) -> bool {
        self.newest.is_none()
    }

    /// Whether the message of the test `id` is the receipt: it was, or would be if it were sent now.
    pub fn is_receipt(&self, id: &str) -> bool {
        self.lack_receipt() || self.receipt.as_deref() == Some(id)
    }

    /// Whether the test `id` may have sent its message.
    pub fn may_be_sent_by(&self, id: &str) -> bool {
        self.newest.as_deref() == Some(id)
    }

    /// Whether there may be another one at `now`.
    pub fn leave_room(&self, now: Timestamp, limit: MessageLimit) -> bool {
        let since = schedule::earlier(now, limit.within);
        let counted = self.sent_at.iter().filter(|at| **at > since).count();
        counted < limit.at_most
    }

    /// After the message of the test `id` may have been sent at `now`.
    pub fn with(&self, id: &str, now: Timestamp, limit: MessageLimit) -> Self {
        let since = schedule::earlier(now, limit.within);
        let counted = self.sent_at.iter().copied().filter(|at| *at > since);
        let mut sent_at: Vec<Timestamp> = counted.chain([now]).collect();
        let too_many = sent_at
            .len()
            .saturating_sub(limit.of_receipts().at_most.max(1));
        sent_at.drain(..too_many);
        let receipt = match self.lack_receipt() {
            true => Some(id.to_owned()),
            false => self.receipt.clone(),
        };
        Self {
            newest: Some(id.to_owned()),
            receipt,
            sent_at,
        }
    }
}

/// That Google has ended a grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GrantEnd {
    /// Why, as far as Google says.
    pub reason: Reason,
    /// When it was seen.
    pub at: Timestamp,
}

/// When a grant ends by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KnownEnd {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub cause: EndCause,
}

/// Why a grant ends by itself.
#[derive(Clone, Copy, Debug, Display, EnumString, Eq, PartialEq)]
pub enum EndCause {
    /// The profile said at the sign-in that the app is in Testing.
    Testing,
    /// Google said so at the sign-in: its owner gave access for a time.
    TimeLimit,
    /// Nothing uses it, as long as its Mailbox stands still.
    Idle,
}

/// How long a grant lives that is not used: Google says six months
/// (developers.google.com/identity/protocols/oauth2, "Refresh token expiration"), here the shortest
/// that may mean.
pub const IDLE_LIFE: Duration = Duration::from_secs(180 * 24 * 3600);

/// How long a grant lives while an External app is in Testing
/// (developers.google.com/identity/protocols/oauth2, "Refresh token expiration").
pub const TESTING_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Shorter than [`TESTING_LIFE`] by more than this is another limit than that of Testing.
const TESTING_TOLERANCE: Duration = Duration::from_secs(12 * 3600);

impl Grant {
    /// When the access token is renewed.
    pub fn renew_at(&self) -> Timestamp {
        schedule::renew_at(
            self.access.issued_at,
            self.access.expires_at,
            &self.mailbox_uid,
        )
    }

    /// Whether it is its Mailbox's, which it is not once its owner has signed out, and not yet while
    /// they are asked whether the account may move here.
    pub fn is_in_use(&self) -> bool {
        self.signed_out_at.is_none() && self.move_asked_at.is_none()
    }

    /// Whether its account serves its Mailbox: it is in use and Google has not ended it.
    pub fn serves(&self) -> bool {
        self.is_in_use() && self.ended.is_none()
    }

    /// The Google Cloud project in which its account counts.
    pub fn project(&self) -> Project {
        Project::of(&self.client_id, &self.token_endpoint)
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

/// When a grant given at `signed_in_at` will end, as far as the profile and Google tell: `said` is
/// Google's `refresh_token_expires_in`.
pub fn known_end(
    audience: &Audience,
    signed_in_at: Timestamp,
    said: Option<Duration>,
) -> Option<KnownEnd> {
    let testing = audience.is_testing().then_some(TESTING_LIFE);
    let life = [said, testing].into_iter().flatten().min()?;
    let by_testing = testing.is_some() && life + TESTING_TOLERANCE >= TESTING_LIFE;
    Some(KnownEnd {
        at: schedule::later(signed_in_at, life),
        cause: match by_testing {
            true => EndCause::Testing,
            false => EndCause::TimeLimit,
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_for_a_day() {
        let limit = MessageLimit {
            at_most: 6,
            within: Duration::from_secs(24 * 3600),
        };
        let hour = |n: i64| Timestamp::from_second(1_800_000_000 + n * 3600).unwrap();
        let mut messages = Messages::default();
        for n in 0..6 {
            assert!(messages.leave_room(hour(n), limit));
            messages = messages.with(&n.to_string(), hour(n), limit);
        }
        assert!(messages.is_receipt("0") && !messages.is_receipt("5"));
        assert!(messages.may_be_sent_by("5") && !messages.may_be_sent_by("4"));
        assert!(!messages.leave_room(hour(23), limit));
        assert!(
            messages.leave_room(hour(24), limit),
            "the first is a day old"
        );
        // The receipt of a new sign-in is sent all the same; no more times are kept than count.
        let again = Messages {
            sent_at: messages.sent_at.clone(),
            ..Messages::default()
        };
        let more = again.with("again", hour(7), limit);
        assert!(more.is_receipt("again"));
        assert_eq!((more.sent_at.len(), more.sent_at[0]), (7, hour(0)));
        // Unless sign-ins follow each other all day.
        let mut sign_ins = more.clone();
        for n in 8..40 {
            let renewed = Messages {
                sent_at: sign_ins.sent_at,
                ..Messages::default()
            };
            assert_eq!(renewed.leave_room(hour(8), limit.of_receipts()), n < 13);
            sign_ins = renewed.with("again", hour(8), limit);
            assert!(sign_ins.sent_at.len() <= 12);
        }
        let later = more.with("later", hour(200), limit);
        assert_eq!(later.sent_at, [hour(200)]);
    }

    #[test]
    fn the_end_and_why() {
        const DAY: u64 = 24 * 3600;
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let testing = Audience::Testing { test_users: vec![] };
        for (audience, said, end) in [
            (Audience::Unknown, None, None),
            (Audience::Internal, None, None),
            (Audience::InProduction, None, None),
            (
                Audience::InProduction,
                Some(3600),
                Some((3600, EndCause::TimeLimit)),
            ),
            (
                Audience::Unknown,
                Some(7 * DAY),
                Some((7 * DAY, EndCause::TimeLimit)),
            ),
            (testing.clone(), None, Some((7 * DAY, EndCause::Testing))),
            (
                testing.clone(),
                Some(7 * DAY - 1),
                Some((7 * DAY - 1, EndCause::Testing)),
            ),
            (
                testing.clone(),
                Some(30 * DAY),
                Some((7 * DAY, EndCause::Testing)),
            ),
            (testing, Some(DAY), Some((DAY, EndCause::TimeLimit))),
        ] {
            let known = known_end(&audience, start, said.map(Duration::from_secs));
            let expected = end.map(|(life, cause)| KnownEnd {
                at: schedule::later(start, Duration::from_secs(life)),
                cause,
            });
            assert_eq!(known, expected, "{audience:?} {said:?}");
        }
    }
}
