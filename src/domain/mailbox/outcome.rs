use jiff::Timestamp;

use super::world::{GrantView, Hold};
use crate::domain::failure::Failure;
use crate::domain::workload_secret::SecretView;

/// What came of a step. That a remote said no is an outcome; what could not be asked at all is
/// [`Outcome::Unavailable`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The grant is now as given: after a renewal, an adoption, or a reminder that it notes.
    Grant(Box<GrantView>),
    /// The grant could not be renewed or adopted, or the reminder not be sent, now.
    Unavailable,
    /// The access token could not be renewed, which is not the mailbox's fault: nothing that rests on
    /// a proved token goes on before.
    Held(Hold),
    /// The grant's OAuth server was not asked: its turn, or the server's, comes then.
    NotYet(Timestamp),
    /// The same, since the server fails or wants a pause.
    HeldUntil(Timestamp, Hold),
    /// All places were taken.
    NoPlace,
    /// A test has begun.
    Started,
    /// The direction that was tested works.
    Works,
    /// It does not.
    Fails(Failure),
    /// The message was found in the inbox.
    Arrived,
    /// The message was found in Spam.
    ArrivedInSpam,
    /// The message was sent, and there is no way to look for it: with what IMAP said, where it was asked
    /// for that.
    Unproved(Option<Failure>),
    /// The message was sent, but could not be looked for now.
    Unseen(Failure),
    /// The Secret for workloads is now so.
    Secret(SecretView),
    /// A former Secret for workloads is gone, or was never ours.
    SecretRemoved,
    /// The API server's answer says no: by rights, a quota, an admission policy.
    SecretRefused(String),
}
