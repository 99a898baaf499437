use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kube::core::{Selector, SelectorExt};

use crate::api::{
    GmailServerProfileSpec, LabelOperator, NamespaceSelector, NamespacesFrom, ProfileRef,
};
use crate::domain::address::EmailAddress;
use crate::domain::name::ObjectName;

/// A profile, as far as it matters to whom it serves.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Its name.
    pub name: &'a ObjectName,
    /// Its spec.
    pub spec: &'a GmailServerProfileSpec,
    /// Whether its Namespace may share profiles.
    pub may_share: bool,
}

/// Which profile a Mailbox gets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Choice {
    /// None is named, and no default serves it.
    NoDefault,
    /// The one named is missing, not offered, or does not allow the address.
    NotAvailable,
    /// This one.
    Use(ObjectName),
}

/// What a Mailbox brings to the choice.
#[derive(Clone, Copy, Debug)]
pub struct Seeker<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// The labels of its namespace.
    pub labels: &'a BTreeMap<String, String>,
    /// Its address.
    pub address: &'a EmailAddress,
    /// The account that signs in.
    pub account: &'a EmailAddress,
    /// The profile by name.
    pub profile_ref: Option<&'a ProfileRef>,
    /// The profile that it uses now.
    pub current: Option<&'a ObjectName>,
}

impl Offer<'_> {
    /// Whether it serves this Mailbox.
    pub fn serves(&self, seeker: &Seeker<'_>) -> bool {
        self.serves_namespace(seeker.namespace, seeker.labels)
            && self.serves_address(seeker.address)
            && self.serves_address(seeker.account)
    }

    /// Whether it serves Mailboxes of a namespace with these labels at all.
    pub fn serves_namespace(&self, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
        if namespace == self.name.namespace {
            return true;
        }
        self.may_share
            && match self.spec.allowed_namespaces.from {
                NamespacesFrom::Same => false,
                NamespacesFrom::All => true,
                NamespacesFrom::Selector => self
                    .spec
                    .allowed_namespaces
                    .selector
                    .as_ref()
                    .is_some_and(|selector| matches(selector, labels)),
            }
    }

    fn serves_address(&self, address: &EmailAddress) -> bool {
        self.spec
            .allowed_email_addresses
            .as_ref()
            .is_none_or(|patterns| patterns.iter().any(|pattern| address.matches(&pattern.0)))
    }
}

/// The profile for `seeker`: by name; else the one it has; else a default of its own namespace, else
/// one that is offered.
pub fn choose<'a>(seeker: &Seeker<'_>, offers: impl Iterator<Item = Offer<'a>>) -> Choice {
    if let Some(named) = seeker.profile_ref {
        let namespace = named
            .namespace
            .as_ref()
            .map_or(seeker.namespace, |namespace| &namespace.0);
        let wanted = ObjectName::new(namespace, &named.name.0);
        let mut offers = offers.filter(|offer| *offer.name == wanted);
        return match offers.next() {
            Some(offer) if offer.serves(seeker) => Choice::Use(wanted),
            _ => Choice::NotAvailable,
        };
    }
    let best = offers
        .filter(|offer| offer.spec.default_for_new_mailboxes && offer.serves(seeker))
        .map(|offer| offer.name)
        .min_by_key(|name| {
            (
                Some(*name) != seeker.current,
                name.namespace != seeker.namespace,
                (*name).clone(),
            )
        });
    best.map_or(Choice::NoDefault, |name| Choice::Use(name.clone()))
}

/// As Kubernetes matches labels; a selector that cannot be read matches nothing.
fn matches(selector: &NamespaceSelector, labels: &BTreeMap<String, String>) -> bool {
    let requirements =
        selector
            .match_expressions
            .iter()
            .map(|requirement| LabelSelectorRequirement {
                key: requirement.key.clone(),
                operator: match requirement.operator {
                    LabelOperator::In => "In",
                    LabelOperator::NotIn => "NotIn",
                    LabelOperator::Exists => "Exists",
                    LabelOperator::DoesNotExist => "DoesNotExist",
                }
                .to_owned(),
                values: requirement
                    .values
                    .as_ref()
                    .map(|values| values.iter().map(|value| value.0.clone()).collect()),
            });
    let selector = LabelSelector {
        match_labels: Some(
            selector
                .match_labels
                .iter()
                .map(|(key, value)| (key.clone(), value.0.clone()))
                .collect(),
        ),
        match_expressions: Some(requirements.collect()),
    };
    Selector::try_from(selector).is_ok_and(|selector| selector.matches(labels))
}
