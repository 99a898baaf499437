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
    /// How full it is.
    pub room: Room,
}

/// How full a profile is. The numbers are of its Google Cloud project, whose places its profiles
/// share.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Room {
    /// Mailboxes that use this profile.
    pub assigned: usize,
    /// Mailboxes that use a profile of its project.
    pub assigned_in_project: usize,
    /// Google accounts that hold a place in its project.
    pub taken: usize,
    /// How many may; `None`: no limit.
    pub capacity: Option<usize>,
}

/// Which profile a Mailbox gets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Choice {
    /// None is named, and no default serves it.
    NoDefault,
    /// None is named, and every default that serves it is full.
    Full,
    /// The one named is in the Mailbox's own namespace, and missing.
    NotFound(ObjectName),
    /// The one named is in the Mailbox's own namespace and does not allow its address.
    AddressNotAllowed(ObjectName),
    /// The one named is in another namespace and is missing, not offered, or does not allow the
    /// address: not told apart.
    NotAvailable,
    /// The one that the owner signed in with is missing, or does not serve this Mailbox any more.
    Withdrawn(ObjectName),
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
    /// The profile that it was given before.
    pub current: Option<&'a ObjectName>,
    /// The profile that its owner signed in with.
    pub signed_in: Option<&'a ObjectName>,
}

impl Room {
    /// Whether another Google account may sign in.
    fn has_place(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.taken < capacity)
    }

    /// Whether there is a place for every Mailbox that has it, and for one more.
    fn has_place_for_all(&self) -> bool {
        self.capacity
            .is_none_or(|capacity| self.assigned_in_project.max(self.taken) < capacity)
    }
}

impl Seeker<'_> {
    /// The one profile that can be chosen, where that is settled: by name, or by the sign-in.
    pub fn settled(&self) -> Option<ObjectName> {
        match self.profile_ref {
            Some(named) => {
                let namespace = named.namespace.as_ref();
                let namespace = namespace.map_or(self.namespace, |namespace| &namespace.0);
                Some(ObjectName::new(namespace, &named.name.0))
            }
            None => self.signed_in.cloned(),
        }
    }
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

/// The profile for `seeker`: by name; else the one that its owner signed in with; else the one it
/// was given before; else a default of its own namespace, else one that is offered to it. Of several
/// the one with the fewest Mailboxes, and none without a place as long as another has one.
pub fn choose<'a>(seeker: &Seeker<'_>, offers: impl Iterator<Item = Offer<'a>>) -> Choice {
    match seeker.settled() {
        Some(wanted) => settled(seeker, wanted, offers),
        None => by_default(seeker, offers),
    }
}

fn settled<'a>(
    seeker: &Seeker<'_>,
    wanted: ObjectName,
    mut offers: impl Iterator<Item = Offer<'a>>,
) -> Choice {
    let found = offers.find(|offer| *offer.name == wanted);
    match found {
        Some(offer) if offer.serves(seeker) => Choice::Use(wanted),
        _ if seeker.profile_ref.is_none() => Choice::Withdrawn(wanted),
        None if wanted.namespace == seeker.namespace => Choice::NotFound(wanted),
        Some(_) if wanted.namespace == seeker.namespace => Choice::AddressNotAllowed(wanted),
        _ => Choice::NotAvailable,
    }
}

fn by_default<'a>(seeker: &Seeker<'_>, offers: impl Iterator<Item = Offer<'a>>) -> Choice {
    let serving: Vec<Offer<'_>> = offers
        .filter(|offer| offer.spec.default_for_new_mailboxes && offer.serves(seeker))
        .collect();
    let best = serving
        .iter()
        .filter(|offer| offer.room.has_place())
        .min_by_key(|offer| {
            (
                Some(offer.name) != seeker.current,
                offer.name.namespace != seeker.namespace,
                !offer.room.has_place_for_all(),
                offer.room.assigned,
                offer.name,
            )
        });
    match best {
        Some(offer) => Choice::Use(offer.name.clone()),
        None if serving.is_empty() => Choice::NoDefault,
        None => Choice::Full,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ResourceName;

    fn spec(default: bool, from: NamespacesFrom) -> GmailServerProfileSpec {
        let spec = serde_json::json!({
            "defaultForNewMailboxes": default,
            "allowedNamespaces": { "from": from },
        });
        serde_json::from_value(spec).unwrap_or_else(|e| panic!("{e}"))
    }

    fn room(assigned: usize, taken: usize, capacity: usize) -> Room {
        Room {
            assigned,
            assigned_in_project: assigned,
            taken,
            capacity: Some(capacity),
        }
    }

    fn ann() -> EmailAddress {
        "ann@example.com".parse().unwrap_or_else(|_| unreachable!())
    }

    /// The choice among the defaults `offered` to every namespace, for a Mailbox in `crm`.
    fn chosen(
        offered: &[(&str, Room)],
        current: Option<&ObjectName>,
        signed_in: Option<&ObjectName>,
    ) -> Choice {
        let spec = spec(true, NamespacesFrom::All);
        let names: Vec<ObjectName> = offered
            .iter()
            .filter_map(|(name, _)| name.split_once('/'))
            .map(|(namespace, name)| ObjectName::new(namespace, name))
            .collect();
        let (labels, address) = (BTreeMap::new(), ann());
        let seeker = Seeker {
            namespace: "crm",
            labels: &labels,
            address: &address,
            account: &address,
            profile_ref: None,
            current,
            signed_in,
        };
        let offers = names.iter().zip(offered).map(|(name, (_, room))| Offer {
            name,
            spec: &spec,
            may_share: name.namespace != "tenant",
            room: *room,
        });
        choose(&seeker, offers)
    }

    #[test]
    fn the_default_with_the_fewest_mailboxes_and_a_place() {
        let none = Room::default();
        for (offered, wanted) in [
            (vec![], None),
            (vec![("tenant/p", none)], None),
            (vec![("crm/p", none)], Some("crm/p")),
            (vec![("a/p", none), ("crm/q", none)], Some("crm/q")),
            (vec![("b/p", none), ("a/p", none)], Some("a/p")),
            (
                vec![("a/p", room(2, 0, 9)), ("b/p", room(1, 0, 9))],
                Some("b/p"),
            ),
            (
                vec![("a/p", room(5, 0, 9)), ("b/p", room(3, 0, 3))],
                Some("a/p"),
            ),
            (
                vec![("a/p", room(9, 5, 9)), ("b/p", room(3, 3, 3))],
                Some("a/p"),
            ),
            (
                vec![("a/p", room(4, 9, 9)), ("crm/q", room(1, 3, 3))],
                Some("full"),
            ),
        ] {
            let choice = match wanted {
                None => Choice::NoDefault,
                Some("full") => Choice::Full,
                Some(name) => {
                    let (namespace, name) = name.split_once('/').unwrap_or_default();
                    Choice::Use(ObjectName::new(namespace, name))
                }
            };
            assert_eq!(chosen(&offered, None, None), choice, "{offered:?}");
        }
    }

    #[test]
    fn a_choice_stays_and_a_sign_in_settles_it() {
        let name = |namespace| ObjectName::new(namespace, "p");
        let offered = [("a/p", room(8, 1, 9)), ("b/p", room(0, 0, 9))];
        let a = name("a");
        assert_eq!(chosen(&offered, Some(&a), None), Choice::Use(name("a")));
        let full = [("a/p", room(8, 9, 9)), ("b/p", room(0, 0, 9))];
        assert_eq!(chosen(&full, Some(&a), None), Choice::Use(name("b")));
        assert_eq!(chosen(&full, None, Some(&a)), Choice::Use(name("a")));
        assert_eq!(
            chosen(&[("b/p", Room::default())], Some(&a), Some(&a)),
            Choice::Withdrawn(name("a"))
        );
    }

    #[test]
    fn another_namespace_is_told_nothing() {
        let address = ann();
        let closed = {
            let mut spec = spec(false, NamespacesFrom::All);
            spec.allowed_email_addresses = Some(vec![]);
            spec
        };
        let same = spec(false, NamespacesFrom::Same);
        let labels = BTreeMap::new();
        let mail = ObjectName::new("mail", "p");
        for (namespace, offer, choice) in [
            ("crm", None, Choice::NotAvailable),
            ("crm", Some(&closed), Choice::NotAvailable),
            ("crm", Some(&same), Choice::NotAvailable),
            ("mail", None, Choice::NotFound(mail.clone())),
            (
                "mail",
                Some(&closed),
                Choice::AddressNotAllowed(mail.clone()),
            ),
            ("mail", Some(&same), Choice::Use(mail.clone())),
        ] {
            let named = ProfileRef {
                name: ResourceName("p".into()),
                namespace: Some(ResourceName("mail".into())),
            };
            let seeker = Seeker {
                namespace,
                labels: &labels,
                address: &address,
                account: &address,
                profile_ref: Some(&named),
                current: None,
                signed_in: None,
            };
            let offers = offer.map(|spec| Offer {
                name: &mail,
                spec,
                may_share: true,
                room: Room::default(),
            });
            assert_eq!(choose(&seeker, offers.into_iter()), choice, "{offer:?}");
        }
    }
}
