//! When the conversations of a step with mail servers must end, and when they must not be ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::api::Reason;
use crate::domain::failure::Failure;
use crate::domain::server::Endpoint;
use crate::settings::Pace;

/// How long the conversations of one step may take together, beside the wait for a message. Each
/// answer may take the profile's time-out, up to 100 s, and there are a dozen in each conversation.
const TOGETHER: Duration = Duration::from_secs(300);

/// How long a visit may take beside its conversations: calls to the API server and to Google, each
/// with a time-out of its own.
const BESIDE: Duration = Duration::from_secs(300);

/// The longest that one visit of a Mailbox can take: two logins, one after the other, each a step.
pub fn longest_visit(pace: &Pace) -> Duration {
    2 * longest(pace) + BESIDE
}

fn longest(pace: &Pace) -> Duration {
    TOGETHER + Duration::from(pace.arrival)
}

/// When the conversations of one step must have ended.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    within: Duration,
}

impl Deadline {
    /// Of a step that begins now.
    pub fn begin(pace: &Pace) -> Self {
        let within = longest(pace);
        Self {
            at: Instant::now() + within,
            within,
        }
    }

    /// What comes of `conversation`, if it ends in time.
    ///
    /// # Errors
    /// Its own, and [`Reason::ReplyTooSlow`].
    pub async fn keep<T>(
        &self,
        doing: &str,
        server: &Endpoint,
        conversation: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match timeout_at(self.at, conversation).await {
            Ok(ended) => ended,
            Err(_) => Err(Failure {
                reason: Reason::ReplyTooSlow,
                doing: format!("{doing} {server}"),
                detail: format!("the conversation did not end within {:?}", self.within),
                reply: None,
            }),
        }
    }
}

/// Whether a message may be on its way: from its note in the grant to the server's last answer. Who
/// ended the conversation in between would leave the note of a message that was not sent.
#[derive(Debug, Default)]
pub struct OnItsWay(AtomicBool);

/// For as long as it is held a message may be on its way.
pub struct Sending<'a>(&'a AtomicBool);

impl OnItsWay {
    /// From now on.
    pub fn begin(&self) -> Sending<'_> {
        self.0.store(true, Ordering::Relaxed);
        Sending(&self.0)
    }

    /// Whether it may be now.
    pub fn may_be(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_conversation_without_end_is_a_failure() {
        let deadline = Deadline {
            at: Instant::now(),
            within: TOGETHER,
        };
        let server = Endpoint::new("imap.gmail.com", 993);
        let doing = "logging in at";
        let endless = std::future::pending::<Result<(), Failure>>();
        let ended = deadline.keep(doing, &server, endless).await;
        let failure = ended.unwrap_err();
        assert_eq!(failure.reason, Reason::ReplyTooSlow);
        assert_eq!(failure.doing, "logging in at imap.gmail.com:993");
        let quick = deadline.keep(doing, &server, async { Ok(7) }).await;
        assert_eq!(quick, Ok(7), "what has ended by then counts");
    }

    #[test]
    fn a_message_is_on_its_way_until_the_end_of_its_sending() {
        let way = OnItsWay::default();
        let sending = way.begin();
        assert!(way.may_be());
        drop(sending);
        assert!(!way.may_be());
    }
}
