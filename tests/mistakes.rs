//! The table of what an admin can get wrong in Google's console, in a Secret or in a manifest, and of
//! what happens to a profile later: each with the condition, the reason and the words that it gives.
//!
//! A new row is one [`row`] in one of the lists below. Every row has a profile, a Secret and an OAuth
//! client of its own, so that all of a [`Place`] run at once.

mod client;
mod later;
mod manifest;
mod place;
mod redirect;
mod run;
mod schema;
mod secret;
mod signed_in;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use gmail_operator::api::{ProfileCondition, Reason};
use serde_json::Value;
use strum::IntoEnumIterator;

use place::Place;

/// Reasons of a profile that the table does not show; other tests do.
const ELSEWHERE: [Reason; 6] = [
    Reason::CapacityLow,
    Reason::CapacityReached,
    Reason::MostMailboxesFailing,
    Reason::ProxyRefused,
    Reason::ProxyUnavailable,
    Reason::SignedIn,
];

/// One line of the table.
pub struct Row {
    /// A word for it; the names of its profile, Secret and OAuth client.
    name: &'static str,
    /// Where it happens.
    place: Place,
    /// What is done, and what is to be seen after it; one after the other.
    steps: Vec<(Does, Vec<Says>)>,
}

/// What is done to what would be right.
type Does = fn(&mut Draft);

/// What an admin has made, in the cluster and at Google; everything is right until a row spoils it.
pub struct Draft {
    /// The profile's manifest.
    pub profile: Value,
    /// The Secret's keys; none: there is no Secret.
    pub secret: Option<BTreeMap<String, Vec<u8>>>,
    /// What Google knows of the client.
    pub client: Registered,
    /// What the token endpoint answers to the client in place of what it thinks.
    pub fault: Option<(u16, Value)>,
    /// Other objects, whose namespace need not be there yet.
    pub beside: Vec<Value>,
    /// The row's name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// The client's ID.
    pub id: String,
    /// The client's secret.
    pub client_secret: String,
    /// The redirect URI; empty where there is no public URL.
    pub uri: String,
    /// The token endpoint's `scheme://host:port`.
    pub google: String,
}

/// What Google knows of a client.
#[derive(Clone, Copy, PartialEq)]
pub enum Registered {
    /// All that is to be known.
    Well,
    /// Nothing.
    Never,
    /// That it was deleted.
    Deleted,
}

/// What is to be seen.
pub enum Says {
    /// A condition of the profile.
    Condition {
        condition: ProfileCondition,
        status: &'static str,
        reason: Reason,
        words: &'static [&'static str],
    },
    /// The API server does not take it, in these words.
    Refused(&'static str),
}

/// A row at the usual place.
pub fn row(name: &'static str, does: Does, says: impl IntoIterator<Item = Says>) -> Row {
    Row {
        name,
        place: Place::Usual,
        steps: vec![(does, says.into_iter().collect())],
    }
}

impl Row {
    /// What is done after that, to what was made before.
    pub fn then(mut self, does: Does, says: impl IntoIterator<Item = Says>) -> Row {
        self.steps.push((does, says.into_iter().collect()));
        self
    }

    /// Elsewhere than at the usual place.
    pub fn at(mut self, place: Place) -> Row {
        self.place = place;
        self
    }
}

/// A condition holds.
pub fn yes(condition: ProfileCondition, reason: Reason) -> Says {
    says(condition, "True", reason, &[])
}

/// A condition does not hold, and the message has the words.
pub fn no(condition: ProfileCondition, reason: Reason, words: &'static [&'static str]) -> Says {
    says(condition, "False", reason, words)
}

/// It is not known whether a condition holds, and the message has the words.
pub fn unknown(
    condition: ProfileCondition,
    reason: Reason,
    words: &'static [&'static str],
) -> Says {
    says(condition, "Unknown", reason, words)
}

/// A condition. In the words, `{name}`, `{namespace}`, `{id}`, `{uri}` and `{google}` stand for the
/// row's own.
pub fn says(
    condition: ProfileCondition,
    status: &'static str,
    reason: Reason,
    words: &'static [&'static str],
) -> Says {
    Says::Condition {
        condition,
        status,
        reason,
        words,
    }
}

fn table() -> Vec<Row> {
    [
        secret::rows(),
        client::rows(),
        redirect::rows(),
        manifest::rows(),
        schema::rows(),
        later::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[tokio::test]
async fn each_mistake_is_named_in_the_profile() -> Result<()> {
    run::all_at(Place::Usual).await
}

#[tokio::test]
async fn each_public_url_that_google_refuses_is_named() -> Result<()> {
    run::all_at(Place::ClusterUrl).await
}

#[tokio::test]
async fn a_missing_public_url_is_named() -> Result<()> {
    run::all_at(Place::NoUrl).await
}

#[tokio::test]
async fn missing_rights_are_named() -> Result<()> {
    run::all_at(Place::NoRights).await
}

#[test]
fn the_table_shows_every_reason_of_a_profile() {
    let table = table();
    assert!(table.len() >= 50, "{} rows", table.len());
    let names: BTreeSet<_> = table.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), table.len(), "a name is there twice");
    let mut shown = BTreeSet::new();
    for row in &table {
        for says in row.steps.iter().flat_map(|(_, says)| says) {
            if let Says::Condition {
                condition, reason, ..
            } = says
            {
                let taken_over = [
                    ProfileCondition::Accepted,
                    ProfileCondition::CredentialsAccepted,
                ];
                let has = condition.reasons().contains(reason)
                    || (*condition == ProfileCondition::Ready
                        && taken_over.iter().any(|of| of.reasons().contains(reason)));
                assert!(has, "{condition:?} has no reason {reason}");
                shown.insert(*reason);
            }
        }
    }
    let all: BTreeSet<Reason> = ProfileCondition::iter()
        .flat_map(|condition| condition.reasons().iter().copied())
        .collect();
    let missing: BTreeSet<_> = all.difference(&shown).copied().collect();
    assert_eq!(missing, BTreeSet::from(ELSEWHERE), "not in the table");
}
