//! The message of the round trip: the receipt after a sign-in, a short note otherwise.

use url::Url;

use super::address::EmailAddress;
use super::name::ObjectName;
use crate::api::TestRequestedBy;

/// What the words are made of.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// The Mailbox.
    pub mailbox: &'a ObjectName,
    /// Its address.
    pub address: &'a EmailAddress,
    /// What it is for.
    pub purpose: Option<&'a str>,
    /// Whom to ask.
    pub contact: Option<&'a str>,
    /// The app's name on Google's consent screen.
    pub app_name: Option<&'a str>,
    /// Where its owner sees how it is tested, and signs out; absent where only the plugin reaches it.
    pub page: Option<&'a Url>,
    /// Why the test is made.
    pub requested_by: TestRequestedBy,
}

/// The Message-ID (RFC 5322 section 3.6.4) of the test `id`: made from it alone, so that after a
/// crash the message can be looked for.
pub fn message_id(id: &str) -> String {
    format!("<test.{id}@gmail-operator.dev>")
}

/// Whether the message stays in the inbox: the owner's receipt does, a re-test's goes to Trash.
pub fn stays_in_inbox(requested_by: TestRequestedBy) -> bool {
    requested_by == TestRequestedBy::SignIn
}

impl Letter<'_> {
    /// One line.
    pub fn subject(&self) -> String {
        match self.requested_by {
            TestRequestedBy::SignIn => {
                format!("{} is now connected ({})", self.address, self.mailbox)
            }
            _ => format!("Test of {} ({})", self.address, self.mailbox),
        }
    }

    /// Plain text.
    pub fn body(&self) -> String {
        let app = self.app_name.unwrap_or("the app that asked for it");
        let mut text = match self.requested_by {
            TestRequestedBy::SignIn => format!(
                "You signed in to Google and allowed {app} to read, send and organise the mail of {}.\n\n\
                 This message is your receipt. It was sent from this mailbox to itself to prove that reading and sending work; you may delete it.\n",
                self.address
            ),
            _ => format!(
                "This message was sent from {} to itself to prove that reading and sending work. It goes to Trash by itself.\n",
                self.address
            ),
        };
        text.push_str(&format!(
            "\nConnected as: the Mailbox {} in the namespace {}.\n",
            self.mailbox.name, self.mailbox.namespace
        ));
        if let Some(purpose) = self.purpose {
            text.push_str(&format!("Used for: {purpose}\n"));
        }
        if let Some(contact) = self.contact {
            text.push_str(&format!("Questions: {contact}\n"));
        }
        if let Some(page) = self.page {
            text.push_str(&format!(
                "\nTo see how it is tested, to test it again or to sign out: {page}\n"
            ));
        }
        text.push_str(
            "\nTo end this access at any time, remove the app under \"Third-party apps and services\" in your Google account: \
             https://myaccount.google.com/connections\n",
        );
        text
    }
}
