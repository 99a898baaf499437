use jiff::Timestamp;
use strum::IntoStaticStr;

use super::test::Test;
use crate::domain::grant::KnownEnd;

/// At most one step, and when to look again if nothing happens before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What to do now.
    pub step: Option<Step>,
    /// When to look again; never, where only a change can help.
    pub wake: Option<Timestamp>,
}

/// One thing to do that needs more than thought.
#[derive(Clone, Debug, Eq, IntoStaticStr, PartialEq)]
pub enum Step {
    /// Take over the grant that a Mailbox of the same name and address left.
    Adopt {
        /// That Mailbox's uid.
        from: String,
    },
    /// End the sign-in, as its annotation asks.
    SignOut,
    /// Take a place in the profile's Google Cloud project for the account that signed in.
    TakePlace,
    /// Get a new access token.
    Renew,
    /// Begin this test.
    StartTest(Test),
    /// Log in to the incoming server and open the mailbox.
    TestIncoming,
    /// Log in to the outgoing server.
    TestOutgoing,
    /// Send the test's message to the mailbox and look for it, as far as that is possible.
    SendMessage(Sight),
    /// Look for the test's message, which may have been sent before.
    FindMessage,
    /// Send the owner a reminder that the sign-in ends then.
    Remind(KnownEnd),
    /// Write the access token into the Secret for workloads.
    PublishToken,
    /// Take the access token out of it.
    WithdrawToken,
    /// Remove the Secret of this name, which was for workloads until the spec named another or none.
    RemoveSecret(String),
}

/// What is known of whether a message can be looked for over IMAP, before it is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sight {
    /// It can: this test has opened the inbox.
    Clear,
    /// It cannot: IMAP has refused this test for good.
    None,
    /// Not tried yet: IMAP is tried first, and what may pass is waited for before anything is sent.
    Untried,
    /// It was waited for in vain: IMAP is tried once more, and the message is sent all the same.
    Doubtful,
}

impl Step {
    /// Whether it, or what follows at once, connects to a mail server.
    pub fn connects(&self) -> bool {
        match self {
            Step::Adopt { .. }
            | Step::SignOut
            | Step::TakePlace
            | Step::Renew
            | Step::PublishToken
            | Step::WithdrawToken
            | Step::RemoveSecret(_) => false,
            Step::StartTest(_)
            | Step::Remind(_)
            | Step::TestIncoming
            | Step::TestOutgoing
            | Step::SendMessage(_)
            | Step::FindMessage => true,
        }
    }
}

impl Plan {
    pub(super) fn now(step: Step) -> Self {
        Self {
            step: Some(step),
            wake: None,
        }
    }

    pub(super) fn wait(wake: Option<Timestamp>) -> Self {
        Self { step: None, wake }
    }
}
