//! What metrics tell of profiles and of the Mailboxes that use them, all of one moment: a scrape never
//! sees half of it, and what is gone has no series.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use super::metrics::{ProfileLabels, ReasonLabel};
use crate::api::ProfileCondition;

/// The figures as they were last shown.
#[derive(Clone, Debug, Default)]
pub struct Fleet(Arc<Mutex<Figures>>);

/// The figures of one moment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// How many Mailboxes are how.
    pub mailboxes: Vec<(MailboxLabels, i64)>,
    /// How the conditions of each profile stand.
    pub conditions: Vec<ConditionLabels>,
    /// The Google accounts that hold a place in each profile's Cloud project.
    pub places_taken: Vec<(ProfileLabels, i64)>,
    /// How many may; a profile without a limit has none.
    pub capacity: Vec<(CapacityLabels, i64)>,
    /// Whether nothing is sent to the OAuth server of each profile that has renewals.
    pub held_back: Vec<(ProfileLabels, i64)>,
}

/// The labels of Mailboxes that are alike.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct MailboxLabels {
    /// The namespace of the profile that they use; empty: no profile that is there serves them.
    pub namespace: String,
    /// Its name.
    pub profile: String,
    /// Whether they work, and if not, whether they should.
    pub state: MailboxState,
    /// The reason of `Ready`.
    pub reason: ReasonLabel,
}

/// Whether Mailboxes work, and if not, whether they should.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum MailboxState {
    /// Ready.
    Ready,
    /// Nobody has signed in, or the first test is yet to come.
    Waiting,
    /// The Mailbox or its profile is suspended.
    Suspended,
    /// Signed in, and does not work.
    Failing,
}

/// The labels of a profile's limit.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct CapacityLabels {
    /// The profile's namespace.
    pub namespace: String,
    /// The profile's name.
    pub profile: String,
    /// Whose limit it is.
    pub set_by: LimitSetBy,
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum LimitSetBy {
    /// Google's, for an app that is in Testing or not verified.
    Google,
    /// The profile's own, its `maxMailboxes`.
    Profile,
}

/// The labels of a profile's condition.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct ConditionLabels {
    /// The profile's namespace.
    pub namespace: String,
    /// The profile's name.
    pub profile: String,
    /// Which condition.
    pub condition: ConditionLabel,
    /// How it stands.
    pub status: ConditionStatus,
    /// Why.
    pub reason: ReasonLabel,
}

/// A [`ProfileCondition`] as a label.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ConditionLabel(pub ProfileCondition);

impl EncodeLabelValue for ConditionLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.name().encode(encoder)
    }
}

/// How a condition stands.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It is not known yet.
    Unknown,
}

impl Fleet {
    /// These take the place of those before.
    pub fn show(&self, figures: Figures) {
        *self.lock() = figures;
    }

    /// This process does not lead: what it knows may be old.
    pub fn clear(&self) {
        self.show(Figures::default());
    }

    fn lock(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Fleet {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let figures = self.lock().clone();
        gauges(
            &mut encoder,
            "mailboxes",
            "Mailboxes by the profile that they use, whether they work, and the reason of Ready",
            &figures.mailboxes,
        )?;
        let conditions: Vec<_> = (figures.conditions.into_iter())
            .map(|labels| (labels, 1))
            .collect();
        gauges(
            &mut encoder,
            "profile_condition",
            "1 for how a profile's condition stands, and why",
            &conditions,
        )?;
        gauges(
            &mut encoder,
            "profile_places_taken",
            "Google accounts that hold a place in the Cloud project of a profile; profiles of one project share them",
            &figures.places_taken,
        )?;
        gauges(
            &mut encoder,
            "profile_capacity",
            "Google accounts that may hold a place in the Cloud project of a profile, by whose limit that is; the lower one counts",
            &figures.capacity,
        )?;
        gauges(
            &mut encoder,
            "oauth_server_held_back",
            "Whether nothing is sent to the OAuth server of a profile, since it fails or asked for a pause; none where nothing is renewed",
            &figures.held_back,
        )
    }
}

fn gauges<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: &[(L, i64)],
) -> Result<(), std::fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        ConstGauge::new(*value).encode(family.encode_family(labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::api::Reason;
    use crate::telemetry::metrics::Metrics;

    fn figures() -> Figures {
        let profile = ProfileLabels {
            namespace: "mail".into(),
            profile: "google".into(),
        };
        let mailboxes = |state, reason| MailboxLabels {
            namespace: "mail".into(),
            profile: "google".into(),
            state,
            reason: ReasonLabel(reason),
        };
        Figures {
            mailboxes: vec![
                (mailboxes(MailboxState::Ready, Reason::Enabled), 7),
                (mailboxes(MailboxState::Suspended, Reason::Suspended), 1),
            ],
            conditions: vec![ConditionLabels {
                namespace: "mail".into(),
                profile: "google".into(),
                condition: ConditionLabel(ProfileCondition::Ready),
                status: ConditionStatus::True,
                reason: ReasonLabel(Reason::ProfileReady),
            }],
            places_taken: vec![(profile.clone(), 7)],
            capacity: vec![(
                CapacityLabels {
                    namespace: "mail".into(),
                    profile: "google".into(),
                    set_by: LimitSetBy::Google,
                },
                100,
            )],
            held_back: vec![(profile, 1)],
        }
    }

    #[test]
    fn what_is_shown_takes_the_place_of_what_was() {
        let metrics = Metrics::default();
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let shown = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text
        };
        metrics.fleet.show(figures());
        for series in [
            r#"mailboxes{namespace="mail",profile="google",state="Ready",reason="Enabled"} 7"#,
            r#"mailboxes{namespace="mail",profile="google",state="Suspended",reason="Suspended"} 1"#,
            r#"profile_condition{namespace="mail",profile="google",condition="Ready",status="True",reason="ProfileReady"} 1"#,
            r#"profile_places_taken{namespace="mail",profile="google"} 7"#,
            r#"profile_capacity{namespace="mail",profile="google",set_by="Google"} 100"#,
            r#"oauth_server_held_back{namespace="mail",profile="google"} 1"#,
        ] {
            let line = format!("\ngmail_operator_{series}\n");
            assert!(shown().contains(&line), "no {series} in {}", shown());
        }
        let mut later = figures();
        later.mailboxes.pop();
        later.capacity.clear();
        metrics.fleet.show(later);
        assert!(shown().contains("state=\"Ready\""));
        assert!(!shown().contains("state=\"Suspended\""));
        assert!(!shown().contains("gmail_operator_profile_capacity{"));
        metrics.fleet.clear();
        assert!(!shown().contains("google"), "{}", shown());
    }
}
