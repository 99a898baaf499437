//! The message of the round trip: the receipt after a sign-in, a short note otherwise.

use url::Url;

use super::address::EmailAddress;
use super::name::ObjectName;

/// What the words are made of.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// The Mailbox.
    pub mailbox: &'a ObjectName,
    /// How the operator's cluster is called, where it is.
    pub cluster: Option<&'a str>,
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
    /// Why it is sent.
    pub occasion: Occasion,
}

/// Why a test's message is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occasion {
    /// It is the first since the owner signed in: the receipt, which stays in the inbox.
    SignIn,
    /// Somebody asked for a test: it goes to Trash where the mailbox lets it.
    Retest,
}

/// The Message-ID (RFC 5322 section 3.6.4) of the test `id`: made from it alone, so that after a
/// crash the message can be looked for.
pub fn message_id(id: &str) -> String {
    format!("<test.{id}@gmail-operator.dev>")
}

impl Letter<'_> {
    /// One line: it names cluster and Mailbox, since one person may own several.
    pub fn subject(&self) -> String {
        let Self {
            address, mailbox, ..
        } = self;
        let place = match self.cluster {
            Some(cluster) => format!("{mailbox} in {cluster}"),
            None => mailbox.to_string(),
        };
        match self.occasion {
            Occasion::SignIn => format!("{address} is now connected ({place})"),
            Occasion::Retest => format!("Test of {address} ({place})"),
        }
    }

    /// Plain text: who may now use the mailbox, for what, and how to end it.
    pub fn body(&self) -> String {
        let (address, app) = (self.address, self.app());
        let mut text = match self.occasion {
            Occasion::SignIn => format!(
                "You signed in to Google and allowed {app} to read, send and organise the mail of {address}.\n\n\
                 This message is your receipt. It was sent from this mailbox to itself to prove that reading and sending work; you may delete it.\n"
            ),
            Occasion::Retest => format!(
                "This message was sent from {address} to itself to prove that reading and sending work. It goes to Trash by itself where the mailbox lets it.\n"
            ),
        };
        text.push_str(&format!("\nWho may use it: {}\n", self.user()));
        if let Some(purpose) = self.purpose {
            text.push_str(&format!("For what: {purpose}\n"));
        }
        if let Some(contact) = self.contact {
            text.push_str(&format!("Questions: {contact}\n"));
        }
        text.push_str(&self.end());
        text
    }

    fn app(&self) -> &str {
        self.app_name.unwrap_or("the app that asked for it")
    }

    fn user(&self) -> String {
        let ObjectName { namespace, name } = self.mailbox;
        let cluster = self
            .cluster
            .map(|cluster| format!(" of the cluster {cluster}"));
        let cluster = cluster.unwrap_or_default();
        format!(
            "{}, as the Mailbox {name} in the namespace {namespace}{cluster}",
            self.app()
        )
    }

    fn end(&self) -> String {
        let page = self
            .page
            .map(|page| format!("on its page, where you also see how it is tested: {page}\nOr "));
        let page = page.unwrap_or_default();
        format!(
            "\nHow to end this access at any time: {page}remove the app under \"Third-party apps and services\" in your Google account: \
             https://myaccount.google.com/connections\n"
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_receipt_says_who_may_use_it_for_what_and_how_to_end_it() {
        let mailbox = ObjectName::new("crm", "support");
        let page: Url = "https://mail.example.com/signin/crm/support/u"
            .parse()
            .unwrap();
        let letter = Letter {
            mailbox: &mailbox,
            cluster: Some("prod-eu"),
            address: &"ann@example.com".parse().unwrap(),
            purpose: Some("Customer mail"),
            contact: None,
            app_name: Some("Acme CRM"),
            page: Some(&page),
            occasion: Occasion::SignIn,
        };
        assert_eq!(
            letter.subject(),
            "ann@example.com is now connected (crm/support in prod-eu)"
        );
        let body = letter.body();
        for part in [
            "Who may use it: Acme CRM, as the Mailbox support in the namespace crm of the cluster prod-eu",
            "For what: Customer mail",
            "How to end this access",
            page.as_str(),
            "https://myaccount.google.com/connections",
        ] {
            assert!(body.contains(part), "{part} is not in {body}");
        }
        let bare = Letter {
            cluster: None,
            page: None,
            occasion: Occasion::Retest,
            ..letter
        };
        assert_eq!(bare.subject(), "Test of ann@example.com (crm/support)");
        assert!(!bare.body().contains("cluster") && !bare.body().contains("receipt"));
    }
}
