//! The mail to a mailbox's owner.

use url::Url;

use crate::api::{ConsentScreen, GmailServerProfile, Mailbox, PublishingStatus, UserType};
use crate::domain::google_pages::google_pages;
use crate::domain::mail_use::uses;
use crate::domain::name::ObjectName;
use crate::kubectl::page::safe;

/// The widest line, in columns: mail programs keep it (RFC 5322 section 2.1.1).
const WIDTH: usize = 78;
/// Whom to ask where the profile names nobody.
const SENDER: &str = "whoever sent you this mail";
/// Where a Google account's owner sees and ends what apps may do.
const CONNECTIONS: &str = "https://myaccount.google.com/connections";

/// What the words are made of.
pub struct Letter<'a> {
    /// The Mailbox.
    pub name: &'a ObjectName,
    /// Its spec and status.
    pub mailbox: &'a Mailbox,
    /// Its profile, where whoever writes may read it.
    pub profile: Option<&'a GmailServerProfile>,
    /// The cluster, as the sender's kubeconfig names it.
    pub cluster: Option<&'a str>,
    /// The sign-in page.
    pub page: &'a Url,
}

impl Letter<'_> {
    /// A subject line and plain text.
    pub fn text(&self) -> String {
        let mut mail = Writing::default();
        let address = &self.mailbox.spec.email_address;
        mail.line(&format!(
            "Subject: Please connect {address}: one sign-in at Google"
        ))
        .gap()
        .line("Hello,")
        .gap()
        .text(&format!(
            "please connect the mailbox {address}. It takes two minutes in a browser, on this page:"
        ))
        .gap()
        .line(&format!("    {}", self.page))
        .gap();
        self.who_asks(&mut mail);
        self.steps(&mut mail);
        self.what_is_done(&mut mail);
        self.errors(&mut mail);
        self.genuine(&mut mail);
        mail.0
    }

    fn who_asks(&self, mail: &mut Writing) {
        let cluster = self.cluster.map(|name| format!(", cluster {name}"));
        let asks = format!(
            "the Mailbox {} in the namespace {}{}",
            self.name.name,
            self.name.namespace,
            cluster.unwrap_or_default()
        );
        let purpose = self.mailbox.spec.purpose.as_deref();
        mail.field("Who asks", &asks)
            .field("What for", purpose.unwrap_or("(ask the sender)"))
            .field("Name at Google", self.app_name().unwrap_or("(not known)"))
            .field("Questions", self.contact());
    }

    fn steps(&self, mail: &mut Writing) {
        let account = self.account();
        let app = self.app_name().unwrap_or("the app");
        mail.heading("What happens")
            .point("The page above says who asks, and opens Google when you press its button.")
            .point(&format!("Google asks which account: choose {account}."));
        if self.is_unverified() {
            mail.point(&format!(
                "Google warns that it has not verified the app. To go on: \"Advanced\", then \"Go to {app}\"; for an app in testing, \"Continue\"."
            ));
        }
        mail.point(&format!(
            "Google asks whether {app} may read, send and delete your mail. If there is a box for Gmail, tick it: without it nothing works. Then continue."
        ))
        .point("The page tests the mailbox and shows the result. Then you may close it.");
        if self.is_testing() {
            mail.point("Google ends this sign-in after 7 days, since the app is in testing: you will be asked again.");
        }
    }

    fn what_is_done(&self, mail: &mut Writing) {
        mail.heading("What is done with the mail");
        for use_ in uses(&self.mailbox.spec) {
            mail.point(&use_);
        }
        mail.point(&format!(
            "You can end it at any time: {CONNECTIONS}, or tell {}.",
            self.contact()
        ));
    }

    /// Google shows these on pages of its own, so the operator never hears of them.
    fn errors(&self, mail: &mut Writing) {
        mail.heading("If Google shows an error instead");
        for page in google_pages(self.account(), self.contact(), self.client_id()) {
            mail.point(&format!("{}. {}", page.says, page.means));
        }
    }

    fn genuine(&self, mail: &mut Writing) {
        let origin = self.page.origin().ascii_serialization();
        let mut text = format!(
            "Whoever has the link can send it on, also somebody who should not ask you. If you did not expect this mail, ask {} before you sign in, by a number or address that you know already. The page's address begins with {origin}/",
            self.contact()
        );
        text.push_str(match self.is_google() {
            true => ", and the page that asks for your password with https://accounts.google.com/. Your password is for that page alone.",
            false => ".",
        });
        mail.heading("Is this mail genuine?").text(&text);
    }

    fn account(&self) -> &str {
        let spec = &self.mailbox.spec;
        spec.google_account.as_ref().unwrap_or(&spec.email_address)
    }

    fn contact(&self) -> &str {
        let contact = self.profile.and_then(|p| p.spec.contact.as_deref());
        contact.unwrap_or(SENDER)
    }

    fn screen(&self) -> Option<&ConsentScreen> {
        let client = self.profile?.spec.oauth_client.as_ref()?;
        client.consent_screen.as_ref()
    }

    fn app_name(&self) -> Option<&str> {
        self.screen()?.app_name.as_deref()
    }

    fn client_id(&self) -> Option<&str> {
        let status = self.profile?.status.as_ref()?;
        status.oauth_client.as_ref()?.client_id.as_deref()
    }

    /// Where nothing is known of the profile it is taken to be as nearly all are.
    fn is_google(&self) -> bool {
        let client = self.profile.and_then(|p| p.spec.oauth_client.as_ref());
        client.is_none_or(|client| client.endpoints.is_none())
    }

    fn is_unverified(&self) -> bool {
        self.screen()
            .is_some_and(|screen| screen.user_type == UserType::External && !screen.verified)
    }

    fn is_testing(&self) -> bool {
        self.screen()
            .is_some_and(|screen| screen.publishing_status == Some(PublishingStatus::Testing))
    }
}

/// A mail as it grows.
#[derive(Default)]
struct Writing(String);

impl Writing {
    /// A line as it is.
    fn line(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&safe(text));
        self.0.push('\n');
        self
    }

    fn gap(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    fn heading(&mut self, text: &str) -> &mut Self {
        self.gap().line(text).gap()
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.wrapped(text, "", "")
    }

    fn field(&mut self, name: &str, value: &str) -> &mut Self {
        let first = format!("{:<16}", format!("{name}:"));
        self.wrapped(value, &first, &" ".repeat(16))
    }

    fn point(&mut self, text: &str) -> &mut Self {
        self.wrapped(text, "- ", "  ")
    }

    fn wrapped(&mut self, text: &str, first: &str, rest: &str) -> &mut Self {
        // An address must not be broken.
        let options = textwrap::Options::new(WIDTH)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .initial_indent(first)
            .subsequent_indent(rest);
        for line in textwrap::wrap(&safe(text), options) {
            self.0.push_str(line.trim_end());
            self.0.push('\n');
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn mail(spec: Value, profile: Option<Value>) -> String {
        let mailbox: Mailbox = serde_json::from_value(json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
            "metadata": { "name": "support", "namespace": "crm" },
            "spec": spec,
        }))
        .unwrap_or_else(|error| panic!("{error}"));
        let profile = profile.map(|profile| {
            serde_json::from_value(profile).unwrap_or_else(|error| panic!("{error}"))
        });
        let page = Url::parse("https://gmail.example.com/signin/crm/support/u-1");
        Letter {
            name: &ObjectName::new("crm", "support"),
            mailbox: &mailbox,
            profile: profile.as_ref(),
            cluster: Some("prod"),
            page: &page.unwrap_or_else(|error| panic!("{error}")),
        }
        .text()
    }

    #[test]
    fn all_that_a_careful_person_asks() {
        let screen =
            json!({ "appName": "Acme CRM", "userType": "External", "publishingStatus": "Testing" });
        let said = mail(
            json!({
                "emailAddress": "support@example.com",
                "googleAccount": "ann@example.com",
                "purpose": "Customer mail into the CRM",
            }),
            Some(json!({
                "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "GmailServerProfile",
                "metadata": { "name": "google", "namespace": "mail" },
                "spec": { "contact": "Platform team, it@example.com", "oauthClient": { "consentScreen": screen } },
                "status": { "oauthClient": { "clientId": "1-a.apps.googleusercontent.com", "redirectURIs": [] } },
            })),
        );
        assert_eq!(said, include_str!("letter.txt"));
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let said = mail(
            json!({ "emailAddress": "support@example.com", "outgoing": { "method": "None" }, "incoming": { "method": "External" } }),
            None,
        );
        for line in [
            "What for:       (ask the sender)\n",
            "Name at Google: (not known)\n",
            "Questions:      whoever sent you this mail\n",
            "choose support@example.com.",
            "Another program of those who ask may receive mail with this access.",
            "Your\n  organisation has to allow the app. Ask",
        ] {
            assert!(said.contains(line), "{line} is not in\n{said}");
        }
        for word in [
            "7 days",
            "has not verified",
            "client ID",
            "receipt",
            "send mail with",
        ] {
            assert!(!said.contains(word), "{word} is in\n{said}");
        }
    }

    #[test]
    fn what_others_wrote_stays_on_its_line() {
        let said = mail(
            json!({ "emailAddress": "support@example.com", "purpose": "x\nQuestions: evil@example.com\u{1b}[2J\u{202e}" }),
            None,
        );
        assert!(
            said.contains("What for:       x Questions: evil@example.com[2J\n"),
            "{said}"
        );
    }
}
