//! What is right as it stands and may still not be what the admin means.

use jiff::Timestamp;

use crate::api::{GmailServerProfileSpec, UserType};

/// How many names are given in one sentence.
const NAMED: usize = 3;

/// Something to know about an accepted profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Advice {
    /// Mail before this is left alone, and it is not yet.
    ProcessFrom(Timestamp),
    /// Internal apps have no accounts of this domain.
    InternalWithout(&'static str),
    /// Mailboxes of these namespaces name the profile and are not served.
    NotServed(Vec<String>),
}

/// The domains of personal Google accounts, which belong to no organisation.
const PERSONAL: [&str; 2] = ["gmail.com", "googlemail.com"];

/// What is to be known about the profile `name`. `waiting`: namespaces with Mailboxes that name it
/// and that it does not serve, in order.
pub fn advice(spec: &GmailServerProfileSpec, waiting: Vec<String>) -> Vec<Advice> {
    let mut advice = Vec::new();
    if let Some(from) = &spec.processing.process_emails_from {
        advice.push(Advice::ProcessFrom(from.0));
    }
    let screen = spec
        .oauth_client
        .as_ref()
        .and_then(|client| client.consent_screen.as_ref());
    if screen.is_some_and(|screen| screen.user_type == UserType::Internal) {
        let patterns = spec.allowed_email_addresses.iter().flatten();
        let named = PERSONAL.into_iter().find(|domain| {
            patterns.clone().any(|pattern| {
                pattern
                    .0
                    .rsplit_once('@')
                    .is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain))
            })
        });
        advice.extend(named.map(Advice::InternalWithout));
    }
    if !waiting.is_empty() {
        advice.push(Advice::NotServed(waiting));
    }
    advice
}

/// The message of a profile that is accepted.
pub(super) fn accepted(advice: &[Advice], now: Timestamp) -> String {
    let mut text = "The profile is right.".to_owned();
    for sentence in advice.iter().filter_map(|advice| sentence(advice, now)) {
        text.push_str(" Note: ");
        text.push_str(&sentence);
        text.push('.');
    }
    text
}

fn sentence(advice: &Advice, now: Timestamp) -> Option<String> {
    match advice {
        Advice::ProcessFrom(from) => (*from > now).then(|| {
            format!(
                "spec.processing.processEmailsFrom is {from}, which is to come: mail that arrives before is left alone"
            )
        }),
        Advice::InternalWithout(domain) => Some(format!(
            "spec.allowedEmailAddresses names {domain}, but consentScreen.userType is Internal, and no account of {domain} belongs to an organisation: nobody there can sign in"
        )),
        Advice::NotServed(namespaces) => {
            let named: Vec<&str> = namespaces.iter().take(NAMED).map(String::as_str).collect();
            let more = match namespaces.len() > NAMED {
                true => " and others",
                false => "",
            };
            Some(format!(
                "Mailboxes in {}{more} name this profile, which does not serve that namespace: to serve it, change spec.allowedNamespaces",
                named.join(", ")
            ))
        }
    }
}
