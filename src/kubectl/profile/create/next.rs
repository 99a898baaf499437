//! What is said at the end: what came of it, and what to do now.

use std::time::Duration;

use crate::api::{
    ConsentScreen, GmailServerProfile, GmailServerProfileStatus, ProfileCondition,
    PublishingStatus, Reason,
};
use crate::domain::name::ObjectName;
use crate::kubectl::conditions::reason;
use crate::kubectl::google_console as google;
use crate::kubectl::page::{Page, safe};
use crate::kubectl::profile::condition;

/// How an operator is found, wherever it is installed.
const FIND_OPERATOR: &str =
    "kubectl get pods --all-namespaces --selector app.kubernetes.io/name=gmail-operator";

/// What is needed to tell it.
pub struct Story<'a> {
    /// The profile.
    pub name: &'a ObjectName,
    /// Namespace and cluster, as flags.
    pub again: String,
    /// The addresses that may use it; empty: any.
    pub addresses: &'a [String],
}

impl Story<'_> {
    /// Ready: what is left before people sign in.
    pub fn accepted(&self, profile: &GmailServerProfile) -> Page {
        let mut page = Page::new();
        let status = profile.status.as_ref();
        page.heading(&format!("GmailServerProfile {} is Ready", self.name))
            .text(&format!(
                "Google knows {} and accepts its secret.",
                client_in_words(status)
            ));
        self.redirect(&mut page, status);
        accounts(&mut page, profile);
        self.mailbox(&mut page);
        self.look_again(&mut page);
        page
    }

    /// Stored and not waited for.
    pub fn not_waited(&self) -> Page {
        let mut page = Page::new();
        page.heading(&format!("GmailServerProfile {} is stored", self.name))
            .text("It was not waited for. Whether Google accepts the client:")
            .copied(&self.show());
        page
    }

    /// Not accepted: why, who must act, and how to go on.
    pub fn refused(&self, profile: &GmailServerProfile) -> String {
        let ready = condition(profile.status.as_ref(), ProfileCondition::Ready);
        let Some(ready) = ready else {
            return format!("the GmailServerProfile {} is not Ready", self.name);
        };
        let why = reason(ready);
        let mut text = format!(
            "the GmailServerProfile {} is not Ready: {}\n  {}",
            self.name,
            safe(&ready.reason),
            safe(&ready.message)
        );
        if let Some(reason) = why {
            text.push_str(&format!("\nWho must act: {}.", reason.who().words()));
        }
        if let Some(cure) = why.and_then(|reason| self.command_that_cures(reason)) {
            text.push_str(&format!("\n{cure}"));
        }
        text.push_str(&format!(
            "\nThe objects stay as they are; the operator looks again by itself. To see how it is:\n  {}",
            self.show()
        ));
        text
    }

    /// The time is over.
    pub fn undecided(
        &self,
        profile: Option<&GmailServerProfile>,
        last: &str,
        waited: Duration,
    ) -> String {
        let mut text = format!(
            "the GmailServerProfile {} is stored, but nothing was decided within {} s. It was waited for {}.",
            self.name,
            waited.as_secs(),
            safe(last)
        );
        let looked = profile.and_then(|profile| {
            let observed = profile.status.as_ref()?.observed_generation?;
            Some(observed >= profile.metadata.generation?)
        });
        if looked != Some(true) {
            text.push_str(&format!(
                "\nIs the operator running, and does it look after the namespace {}?\n  {FIND_OPERATOR}",
                self.name.namespace
            ));
        }
        text.push_str(&format!(
            "\nIt goes on without you. To see how it is:\n  {}",
            self.show()
        ));
        text
    }

    fn show(&self) -> String {
        format!(
            "kubectl gmail profile show {}{}",
            self.name.name, self.again
        )
    }

    fn look_again(&self, page: &mut Page) {
        page.heading("At any time").copied(&self.show());
    }

    fn command_that_cures(&self, reason: Reason) -> Option<String> {
        match reason {
            Reason::ClientSecretMissing
            | Reason::ClientSecretInvalid
            | Reason::ClientIdNotFound
            | Reason::ClientSecretRejected
            | Reason::ClientDeleted
            | Reason::ClientDisabled
            | Reason::ClientRefused => Some(format!(
                "Look at the client and its secrets in Google's console ({}), download its JSON again, and run this command again with that file and --replace.",
                google::CLIENTS
            )),
            Reason::SharingNotPermitted => Some(format!(
                "If mailboxes of other namespaces shall use it, a cluster admin runs:\n  kubectl label namespace {} {}=true\nElse run this command again with --allow-namespaces same --replace.",
                self.name.namespace,
                crate::api::SHARES_PROFILES_LABEL
            )),
            _ => None,
        }
    }

    fn redirect(&self, page: &mut Page, status: Option<&GmailServerProfileStatus>) {
        page.heading("Redirect URI");
        let registered = condition(status, ProfileCondition::RedirectRegistered);
        let uris = status
            .and_then(|status| status.oauth_client.as_ref())
            .map(|client| client.redirect_uris.join("\n"))
            .filter(|uris| !uris.is_empty());
        match (registered, uris) {
            (Some(registered), _) if registered.status == "True" => {
                page.text(&registered.message);
            }
            (registered, Some(uris)) => {
                if let Some(registered) = registered {
                    page.text(&registered.message);
                }
                page.text(&format!(
                    "If it is not there, add this line to the client ({}) under Authorised redirect URIs. Google refuses every sign-in until then, and needs 5 minutes to a few hours to notice:",
                    google::CLIENTS
                ))
                .copied(&uris);
            }
            (_, None) => {
                page.text("Not known yet: `kubectl gmail setup` tells what to register.");
            }
        }
    }

    fn mailbox(&self, page: &mut Page) {
        page.heading("Next: a Mailbox for each address")
            .copied(&format!(
                "\
kubectl apply --namespace {namespace} -f - <<'END'
apiVersion: gmail-operator.dev/v1alpha1
kind: Mailbox
metadata:
  name: support
spec:
  emailAddress: {address}
  purpose: Customer mail into the CRM
  profileRef:
    name: {name}
    namespace: {namespace}
END",
                namespace = self.name.namespace,
                address = self.sample_address(),
                name = self.name.name,
            ))
            .text("Its owner signs in once. The mail that asks them to, or how they do it without a public URL:")
            .copied(&format!("kubectl gmail link support{}", self.again));
    }

    fn sample_address(&self) -> String {
        let domain = self
            .addresses
            .iter()
            .find_map(|pattern| pattern.strip_prefix("*@"))
            .map(|domain| format!("support@{domain}"));
        domain
            .or_else(|| self.addresses.first().filter(|a| !a.contains('*')).cloned())
            .unwrap_or_else(|| "support@example.com".to_owned())
    }
}

fn client_in_words(status: Option<&GmailServerProfileStatus>) -> String {
    let client = status.and_then(|status| status.oauth_client.as_ref());
    let id = client.and_then(|client| client.client_id.as_deref());
    let project = client.and_then(|client| client.project_number.as_deref());
    match (id, project) {
        (Some(id), Some(project)) => format!("the client {id} (project {project})"),
        (Some(id), None) => format!("the client {id}"),
        (None, _) => "the client".to_owned(),
    }
}

/// How many, and for how long.
fn accounts(page: &mut Page, profile: &GmailServerProfile) {
    page.heading("Who can sign in");
    let counts = profile
        .status
        .as_ref()
        .and_then(|status| status.mailboxes.as_ref());
    match counts.and_then(|counts| Some((counts.signed_in, counts.capacity?))) {
        Some((signed_in, capacity)) => page.text(&format!(
            "{capacity} Google accounts, {signed_in} signed in so far. Google counts for the whole Cloud project and never gives a place back."
        )),
        None => page.text("Any number of Google accounts: this app has no limit at Google."),
    };
    if let Some(text) = screen(profile).and_then(testing_in_words) {
        page.text(&text);
    }
}

/// The profile's consent screen.
fn screen(profile: &GmailServerProfile) -> Option<&ConsentScreen> {
    profile.spec.oauth_client.as_ref()?.consent_screen.as_ref()
}

/// What Testing costs, where the app is in Testing.
pub fn testing_in_words(screen: &ConsentScreen) -> Option<String> {
    (screen.publishing_status == Some(PublishingStatus::Testing)).then(|| {
        format!(
            "The app is in Testing: only the accounts listed under Test users ({}) can sign in, and Google ends every sign-in after 7 days. Publish the app there before anybody relies on it.",
            google::AUDIENCE
        )
    })
}
