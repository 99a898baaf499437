//! Metrics.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::api::Reason;

/// What is counted. Labels come from closed sets only.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Reconciles by kind and result.
    pub reconciles: Family<ReconcileLabels, Counter>,
    /// Status writes by kind.
    pub status_writes: Family<KindLabels, Counter>,
    /// Renewals of access tokens by result.
    pub renewals: Family<ResultLabels, Counter>,
    /// Tests of one direction by reason.
    pub tests: Family<TestLabels, Counter>,
    /// Whether this process leads.
    pub leader: Gauge,
}

/// The labels of a reconcile.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct ReconcileLabels {
    /// Which controller.
    pub kind: Kind,
    /// How it ended.
    pub result: ReconcileResult,
}

/// The label of a kind.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct KindLabels {
    /// Which.
    pub kind: Kind,
}

/// Which controller.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Mailboxes.
    Mailbox,
    /// Profiles.
    GmailServerProfile,
    /// Grants.
    Grant,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum ReconcileResult {
    /// Well.
    Ok,
    /// Something could not be asked; tried again.
    Error,
    /// It panicked, which is a bug; tried again.
    Panic,
    /// It took too long; tried again.
    TimedOut,
    /// The object could not be read.
    Invalid,
}

/// The label of a result.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct ResultLabels {
    /// `ok`, `ended` or `unavailable`.
    pub result: RenewalResult,
}

/// How a renewal ended.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum RenewalResult {
    /// A new access token.
    Ok,
    /// Google has ended the grant.
    Ended,
    /// It could not be asked.
    Unavailable,
}

/// The labels of a test.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct TestLabels {
    /// Which direction.
    pub direction: Direction,
    /// The reason it failed for, or `Enabled`.
    pub reason: ReasonLabel,
}

/// Which direction.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum Direction {
    /// Receiving.
    Incoming,
    /// Sending.
    Outgoing,
}

/// A [`Reason`] as a label.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReasonLabel(pub Reason);

impl EncodeLabelValue for ReasonLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.name().encode(encoder)
    }
}

impl Metrics {
    /// Registers all of them under the prefix `gmail_operator`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("gmail_operator");
        registry.register(
            "reconciles",
            "Reconciles by kind and result",
            self.reconciles.clone(),
        );
        registry.register(
            "status_writes",
            "Writes of a status by kind",
            self.status_writes.clone(),
        );
        registry.register(
            "token_renewals",
            "Renewals of access tokens by result",
            self.renewals.clone(),
        );
        registry.register(
            "direction_tests",
            "Tests of one direction by reason",
            self.tests.clone(),
        );
        registry.register(
            "leader",
            "Whether this process is the leader",
            self.leader.clone(),
        );
    }
}
