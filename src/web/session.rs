//! That a browser's user owns a Mailbox's account: they signed in with it here, in this hour.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cookies::{Kept, is_left};
use crate::domain::grant::Account;
use crate::google::Identity;

/// How long it lasts, in seconds.
const LIFE: i64 = 3600;

/// The proof. It counts for as long as the Mailbox's grant is of the same account.
#[derive(Deserialize, Serialize)]
pub(super) struct Session {
    uid: String,
    issuer: String,
    subject: String,
    expires_at: i64,
}

impl Session {
    /// Whoever has just signed in as `identity` for the Mailbox `uid`.
    pub fn new(uid: &str, identity: &Identity, now: Timestamp) -> Self {
        Self {
            uid: uid.to_owned(),
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            expires_at: now.as_millisecond().saturating_add(LIFE * 1000),
        }
    }

    /// Whether it is of the owner of `account`, at `now`.
    pub fn is_of(&self, account: &Account, now: Timestamp) -> bool {
        is_left(self.expires_at, LIFE, now)
            && self.issuer == account.issuer
            && self.subject == account.subject
    }
}

impl Kept for Session {
    const KIND: &'static str = "session";
    const MAX_AGE: i64 = LIFE;

    fn id(&self) -> &str {
        &self.uid
    }

    fn expires_at(&self) -> i64 {
        self.expires_at
    }
}
