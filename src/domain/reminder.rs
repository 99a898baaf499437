//! The message to a mailbox before its sign-in ends.

use jiff::Timestamp;

use super::address::EmailAddress;
use super::console::SignInPage;
use super::grant::{EndCause, KnownEnd};
use super::name::ObjectName;
use super::schedule::digest;
use crate::api::{Actor, Again, Reason};

/// What the words are made of.
#[derive(Clone, Debug)]
pub struct Reminder<'a> {
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
    /// When the sign-in ends, and why.
    pub end: KnownEnd,
    /// A sign-in now would last: the app has left Testing.
    pub new_lasts: bool,
    /// Where to sign in again.
    pub page: &'a SignInPage,
}

/// The Message-ID (RFC 5322 section 3.6.4) of the reminder of `end` to the Mailbox `uid`: the same
/// for the same end.
pub fn message_id(uid: &str, end: Timestamp) -> String {
    let id = digest(&[uid, &end.to_string()]);
    format!("<reminder.{id}@gmail-operator.dev>")
}

/// Whether a reminder that failed so is given up: the server said no to this account or message. What
/// an admin or time may put right is tried again.
pub fn is_given_up(reason: Reason) -> bool {
    reason.again() == Again::Slowly && reason.who() != Actor::PlatformAdmin
}

impl Reminder<'_> {
    /// One line.
    pub fn subject(&self) -> String {
        format!(
            "Access to {} ends on {}",
            self.address,
            self.end.at.strftime("%-d %B %Y")
        )
    }

    /// Plain text.
    pub fn body(&self) -> String {
        let app = self.app_name.unwrap_or("The app that you allowed then");
        let mut text = format!(
            "You signed in to Google so that this mailbox, {}, can be used. {app} may read, send and organise its mail until\n\n    {}\n\n",
            self.address,
            self.end.at.strftime("%A, %-d %B %Y at %H:%M UTC"),
        );
        text.push_str(match (self.end.cause, self.new_lasts) {
            (EndCause::Testing, true) => {
                "Google set this end because the app was in testing when you signed in. It has left testing since: sign in once more, and access lasts.\n"
            }
            (EndCause::Testing, false) => {
                "Google set this end: while an app is in testing, each sign-in ends after 7 days.\n"
            }
            (EndCause::TimeLimit, _) => "This is the end of the time for which access was given.\n",
            (EndCause::Idle, _) => "Google ends access that is not used for six months.\n",
        });
        text.push_str(&format!(
            "\nUsed by: the Mailbox {} in the namespace {}.\n",
            self.mailbox.name, self.mailbox.namespace
        ));
        for (what, value) in [
            ("Used for", self.purpose),
            ("Name on Google's page", self.app_name),
            ("Questions", self.contact),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("{what}: {value}\n"));
            }
        }
        text.push_str(&format!(
            "\nFrom then on this use stops: no mail of this mailbox is read or sent by it any more. Nothing in the mailbox is changed.\n\n\
             To keep it going, sign in again before then:\n\n    {}\n\n\
             If access is no longer wanted, ignore this message: it ends by itself.\n",
            self.page_in_words()
        ));
        text
    }

    /// Its owner has no kubectl: without an address, somebody who has must open the page for them.
    fn page_in_words(&self) -> String {
        match self.page {
            SignInPage::Published(url) => url.to_string(),
            SignInPage::PortForward(mailbox) => format!(
                "{} opens the page for you with\n    {}",
                self.contact.unwrap_or("whoever asked you to sign in"),
                SignInPage::forwarding(mailbox)
            ),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn letter(cause: EndCause, new_lasts: bool, named: bool) -> (String, String) {
        let url = "https://gmail.example.com/signin/crm/support/u-1";
        letter_with(
            &SignInPage::Published(url.parse().unwrap()),
            cause,
            new_lasts,
            named,
        )
    }

    fn letter_with(
        page: &SignInPage,
        cause: EndCause,
        new_lasts: bool,
        named: bool,
    ) -> (String, String) {
        let reminder = Reminder {
            mailbox: &ObjectName::new("crm", "support"),
            address: &"support@example.com".parse().unwrap(),
            purpose: named.then_some("Customer mail into the CRM"),
            contact: named.then_some("Platform team, it@example.com"),
            app_name: named.then_some("Acme CRM"),
            end: KnownEnd {
                at: "2026-11-08T14:05:09Z".parse().unwrap(),
                cause,
            },
            new_lasts,
            page,
        };
        (reminder.subject(), reminder.body())
    }

    #[test]
    fn says_who_what_when_and_where() {
        let (subject, body) = letter(EndCause::Testing, false, true);
        assert_eq!(
            subject,
            "Access to support@example.com ends on 8 November 2026"
        );
        for part in [
            "support@example.com",
            "Acme CRM may read",
            "Sunday, 8 November 2026 at 14:05 UTC",
            "ends after 7 days",
            "the Mailbox support in the namespace crm",
            "Used for: Customer mail into the CRM\n",
            "Name on Google's page: Acme CRM\n",
            "Questions: Platform team, it@example.com\n",
            "https://gmail.example.com/signin/crm/support/u-1\n",
            "this use stops",
            "ignore this message",
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
    }

    #[test]
    fn why_it_ends_and_what_is_not_known() {
        let (_, published) = letter(EndCause::Testing, true, true);
        assert!(published.contains("sign in once more, and access lasts"));
        let (_, limited) = letter(EndCause::TimeLimit, true, false);
        assert!(limited.contains("the time for which access was given"));
        assert!(!limited.contains("testing") && !limited.contains("Used for"));
    }

    #[test]
    fn a_page_without_an_address_is_opened_by_somebody() {
        let page = SignInPage::PortForward(ObjectName::new("crm", "support"));
        for (named, who) in [
            (true, "Platform team, it@example.com"),
            (false, "whoever asked you to sign in"),
        ] {
            let (_, body) = letter_with(&page, EndCause::Testing, false, named);
            let said = format!(
                "    {who} opens the page for you with\n    kubectl gmail link support -n crm --port-forward\n"
            );
            assert!(body.contains(&said), "{body}");
            assert!(!body.contains("http://localhost"), "{body}");
        }
    }

    #[test]
    fn one_message_id_for_each_end() {
        let end = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(message_id("u-1", end(1)), message_id("u-1", end(1)));
        assert_ne!(message_id("u-1", end(1)), message_id("u-1", end(2)));
        assert_ne!(message_id("u-1", end(1)), message_id("u-2", end(1)));
    }
}
