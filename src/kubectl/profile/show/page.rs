//! The page about a profile.

use std::time::Duration;

use jiff::SignedDuration;

use super::mailboxes;
use crate::api::{
    AllowedNamespaces, ConsentScreen, GmailServerProfile, GmailServerProfileSpec,
    GmailServerProfileStatus, LabelOperator, NamespacesFrom, OAuthClientSpec, ProfileCondition,
    PublishingStatus, SmtpSecurity, UserType,
};
use crate::domain::name::ObjectName;
use crate::kubectl::conditions::{tone, who};
use crate::kubectl::google_console as google;
use crate::kubectl::page::{Page, Row, Tone};
use crate::kubectl::profile::condition;
use crate::kubectl::profile::create::testing_in_words;

/// The shortest time between two looks for mail over IMAP, and over POP3, which Gmail locks out for
/// less.
const SHORTEST_POLL: Duration = Duration::from_secs(60);
const SHORTEST_POLL_POP3: Duration = Duration::from_secs(300);

/// Everything that an admin asks about a profile.
pub fn page(name: &ObjectName, profile: &GmailServerProfile) -> Page {
    let mut page = Page::new();
    let (spec, status) = (&profile.spec, profile.status.as_ref());
    summary(&mut page, name, profile);
    client(&mut page, spec.oauth_client.as_ref(), status);
    console(&mut page, status);
    conditions(&mut page, status);
    mailboxes::show(&mut page, status);
    served(&mut page, name, spec);
    servers(&mut page, spec);
    processing(&mut page, spec);
    page
}

fn summary(page: &mut Page, name: &ObjectName, profile: &GmailServerProfile) {
    let status = profile.status.as_ref();
    page.heading(&format!("GmailServerProfile {name}"));
    let said = match condition(status, ProfileCondition::Ready) {
        Some(ready) if ready.status == "True" => format!("Ready: {}", ready.message),
        Some(ready) => format!("Not Ready ({}): {}", ready.reason, ready.message),
        None => "Nothing is said of it yet: does the operator run, and does it look after this namespace?".to_owned(),
    };
    page.text(&said);
    let observed = status.and_then(|status| status.observed_generation);
    if observed.is_some() && observed < profile.metadata.generation {
        page.text("The spec has been changed since: the operator has not looked at it yet.");
    }
    if profile.spec.suspend {
        page.text("It is suspended: every mailbox of it stands still.");
    }
}

fn client(
    page: &mut Page,
    spec: Option<&OAuthClientSpec>,
    status: Option<&GmailServerProfileStatus>,
) {
    let found = status.and_then(|status| status.oauth_client.as_ref());
    let or_unknown =
        |value: Option<&String>| value.cloned().unwrap_or_else(|| "not known".to_owned());
    let mut fields = vec![
        (
            "Client ID",
            or_unknown(found.and_then(|client| client.client_id.as_ref())),
        ),
        (
            "Google Cloud project",
            or_unknown(found.and_then(|client| client.project_number.as_ref())),
        ),
    ];
    if let Some(spec) = spec {
        let from = spec
            .credentials_secret_ref
            .as_ref()
            .or(spec.client_secret_ref.as_ref());
        if let Some(from) = from {
            fields.push(("Secret", format!("{}, key {}", from.name, from.key)));
        }
        let screen = spec.consent_screen.as_ref();
        fields.push((
            "Consent screen",
            screen.map_or_else(
                || "not known: spec.oauthClient.consentScreen is absent".to_owned(),
                screen_in_words,
            ),
        ));
        if let Some(app) = screen.and_then(|screen| screen.app_name.clone()) {
            fields.push(("App name", app));
        }
        if let Some(endpoints) = &spec.endpoints {
            fields.push((
                "OAuth server",
                format!("{} (not Google's)", endpoints.issuer.0),
            ));
        }
    }
    page.heading("OAuth client").fields(fields);
    let screen = spec.and_then(|spec| spec.consent_screen.as_ref());
    if let Some(text) = screen.and_then(testing_in_words) {
        page.text(&text);
    }
}

fn screen_in_words(screen: &ConsentScreen) -> String {
    match (screen.user_type, screen.publishing_status, screen.verified) {
        (UserType::Internal, _, _) => "Internal: accounts of the Workspace organisation".to_owned(),
        (UserType::External, Some(PublishingStatus::Testing), _) => "External, Testing".to_owned(),
        (UserType::External, Some(PublishingStatus::InProduction), true) => {
            "External, In production, verified".to_owned()
        }
        (UserType::External, Some(PublishingStatus::InProduction), false) => {
            "External, In production, not verified".to_owned()
        }
        (UserType::External, None, _) => "External".to_owned(),
    }
}

fn console(page: &mut Page, status: Option<&GmailServerProfileStatus>) {
    page.heading(&format!("In Google's console ({})", google::CLIENTS));
    let client = status.and_then(|status| status.oauth_client.as_ref());
    let uris = client
        .map(|client| client.redirect_uris.as_slice())
        .unwrap_or_default();
    if uris.is_empty() {
        page.text("Not known: the operator has not looked at the profile yet.");
        return;
    }
    let mut fields: Vec<(&str, String)> = uris
        .iter()
        .map(|uri| ("Authorised redirect URI", uri.clone()))
        .collect();
    if let Some(origin) = client.and_then(|client| client.java_script_origin.clone()) {
        fields.push(("Authorised JavaScript origin", origin));
    }
    fields.push((
        "Authorised domain (Branding)",
        client
            .and_then(|client| client.authorized_domain.clone())
            .unwrap_or_else(|| "none: localhost needs none".to_owned()),
    ));
    page.fields(fields);
}

fn conditions(page: &mut Page, status: Option<&GmailServerProfileStatus>) {
    page.heading("Conditions");
    let all = status
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default();
    if all.is_empty() {
        page.text("None yet.");
        return;
    }
    let mut rows = vec![Row::plain(&["TYPE", "STATUS", "REASON", "WHO MUST ACT"])];
    rows.extend(all.iter().map(|condition| {
        Row::toned(&[
            (&condition.type_, Tone::Plain),
            (&condition.status, tone(condition)),
            (&condition.reason, Tone::Plain),
            (who(condition), Tone::Plain),
        ])
        .with_text(&condition.message)
    }));
    page.rows(rows);
}

fn served(page: &mut Page, name: &ObjectName, spec: &GmailServerProfileSpec) {
    let addresses = spec.allowed_email_addresses.as_ref().map(|patterns| {
        let patterns: Vec<&str> = patterns.iter().map(|pattern| pattern.0.as_str()).collect();
        patterns.join(", ")
    });
    let mut fields = vec![
        (
            "Mailboxes of",
            namespaces_in_words(name, &spec.allowed_namespaces),
        ),
        ("Addresses", addresses.unwrap_or_else(|| "any".to_owned())),
        (
            "Default",
            match spec.default_for_new_mailboxes {
                true => "yes: a Mailbox that names no profile may get this one",
                false => "no: a Mailbox has to name it",
            }
            .to_owned(),
        ),
    ];
    if let Some(contact) = &spec.contact {
        fields.push(("Contact", contact.clone()));
    }
    page.heading("Whom it serves").fields(fields);
}

fn namespaces_in_words(name: &ObjectName, allowed: &AllowedNamespaces) -> String {
    match allowed.from {
        NamespacesFrom::Same => format!("its own namespace, {}", name.namespace),
        NamespacesFrom::All => "every namespace".to_owned(),
        NamespacesFrom::Selector => {
            let selector = allowed.selector.clone().unwrap_or_default();
            let labels = selector
                .match_labels
                .iter()
                .map(|(key, value)| format!("{key}={}", value.0));
            let expressions = selector.match_expressions.iter().map(|rule| {
                let values: Vec<&str> =
                    rule.values.iter().flatten().map(|v| v.0.as_str()).collect();
                match rule.operator {
                    LabelOperator::In => format!("{} in ({})", rule.key, values.join(", ")),
                    LabelOperator::NotIn => format!("{} notin ({})", rule.key, values.join(", ")),
                    LabelOperator::Exists => rule.key.clone(),
                    LabelOperator::DoesNotExist => format!("!{}", rule.key),
                }
            });
            let all: Vec<String> = labels.chain(expressions).collect();
            if all.is_empty() {
                "every namespace (the selector is empty)".to_owned()
            } else {
                format!("namespaces with the labels {}", all.join(", "))
            }
        }
    }
}

fn servers(page: &mut Page, spec: &GmailServerProfileSpec) {
    let servers = &spec.servers;
    let mut fields = vec![
        (
            "IMAP",
            format!("{}:{}, TLS", servers.imap.host, servers.imap.port),
        ),
        (
            "POP3",
            format!("{}:{}, TLS", servers.pop3.host, servers.pop3.port),
        ),
        (
            "SMTP",
            format!(
                "{}:{}, {}",
                servers.smtp.host,
                servers.smtp.port,
                match servers.smtp.security {
                    SmtpSecurity::Tls => "TLS",
                    SmtpSecurity::StartTls => "STARTTLS",
                }
            ),
        ),
    ];
    if spec.ca_bundle.is_some() {
        fields.push((
            "Trusts",
            "the system's certificates, and those of spec.caBundle".to_owned(),
        ));
    }
    page.heading("Servers").fields(fields);
}

fn processing(page: &mut Page, spec: &GmailServerProfileSpec) {
    let processing = &spec.processing;
    page.heading("Processing").fields([
        (
            "Mail from",
            match &processing.process_emails_from {
                Some(time) => format!("{}, or the Mailbox's own date if that is later", time.0),
                None => "the Mailbox's own date, or its creation".to_owned(),
            },
        ),
        (
            "Looks for mail",
            polling_in_words(&processing.min_polling_interval),
        ),
        (
            "Connections",
            format!(
                "at most {} at once that log in or transfer",
                processing.max_concurrent_connections
            ),
        ),
        (
            "Gives up a connection",
            format!("after {} without an answer", processing.connection_timeout),
        ),
    ]);
}

/// What is in force, which for a short interval is not what was written.
fn polling_in_words(interval: &str) -> String {
    let parsed = interval
        .parse::<SignedDuration>()
        .ok()
        .and_then(|parsed| Duration::try_from(parsed).ok());
    match parsed {
        Some(parsed) if parsed < SHORTEST_POLL => format!(
            "every {} s, over POP3 every {} s: as often as allowed (written: {interval})",
            SHORTEST_POLL.as_secs(),
            SHORTEST_POLL_POP3.as_secs()
        ),
        Some(parsed) if parsed < SHORTEST_POLL_POP3 => format!(
            "every {interval}, over POP3 every {} s",
            SHORTEST_POLL_POP3.as_secs()
        ),
        _ => format!("every {interval}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubectl::page::Look;

    fn text(spec: serde_json::Value, status: serde_json::Value) -> String {
        let profile: GmailServerProfile = serde_json::from_value(json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "GmailServerProfile",
            "metadata": { "name": "google", "namespace": "mail", "generation": 2 },
            "spec": spec, "status": status,
        }))
        .unwrap_or_else(|error| panic!("{error}"));
        page(&ObjectName::new("mail", "google"), &profile).render(Look {
            styled: false,
            width: None,
        })
    }

    #[test]
    fn each_condition_has_who_must_act() {
        let condition = |type_: &str, status: &str, reason: &str| json!({ "type": type_, "status": status, "reason": reason, "message": format!("About {type_}."), "lastTransitionTime": "2026-01-01T00:00:00Z" });
        let said = text(
            json!({ "oauthClient": { "consentScreen": { "userType": "External", "publishingStatus": "Testing" } } }),
            json!({ "observedGeneration": 1, "conditions": [
                condition("Ready", "False", "ClientSecretRejected"),
                condition("Accepted", "True", "Accepted"),
                condition("RedirectRegistered", "Unknown", "NotInDownloadedFile"),
                condition("Future", "False", "SomethingNew"),
            ] }),
        );
        for line in [
            "  Not Ready (ClientSecretRejected): About Ready.\n",
            "  Ready                False     ClientSecretRejected   platform admin\n      About Ready.\n",
            "  Accepted             True      Accepted               nobody\n",
            "  RedirectRegistered   Unknown   NotInDownloadedFile    platform admin\n",
            "  Future               False     SomethingNew           see the message\n",
            "has not looked at it yet",
            "Google ends every sign-in after 7 days",
            "  Consent screen         External, Testing\n",
        ] {
            assert!(said.contains(line), "{line} is not in\n{said}");
        }
    }

    #[test]
    fn what_is_in_force_is_shown() {
        let said = text(
            json!({
                "defaultForNewMailboxes": true,
                "allowedNamespaces": { "from": "Selector", "selector": {
                    "matchLabels": { "mail": "yes" },
                    "matchExpressions": [{ "key": "team", "operator": "NotIn", "values": ["a", "b"] }],
                } },
                "processing": { "minPollingInterval": "0s" },
            }),
            json!({
                "mailboxes": { "assigned": 3, "signedIn": 2, "ready": 1, "capacity": 100, "summary": "2/100" },
                "test": { "request": "now", "startedAt": "2026-11-26T14:00:00Z", "mailboxes": 2, "tested": 1, "failing": 1 },
            }),
        );
        for line in [
            "namespaces with the labels mail=yes, team notin (a, b)",
            "every 60 s, over POP3 every 300 s: as often as allowed (written: 0s)",
            "IMAP   imap.gmail.com:993, TLS",
            "100; Google never gives a place back",
            "1 of 2 are tested, 1 fails; running since 2026-11-26 14:00 UTC",
            "yes: a Mailbox that names no profile may get this one",
            "Nothing is said of it yet",
        ] {
            assert!(said.contains(line), "{line} is not in\n{said}");
        }
        assert_eq!(polling_in_words("2m"), "every 2m, over POP3 every 300 s");
        assert_eq!(polling_in_words("5m"), "every 5m");
    }
}
