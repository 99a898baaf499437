//! Writes to the API server: what they change, and how they end.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::calls::CallResult;

/// How an object is written.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum Verb {
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

/// What is written.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum Written {
    /// The status of a Mailbox.
    MailboxStatus,
    /// The status of a profile.
    ProfileStatus,
    /// A Secret in the operator's own namespace: all of them are grants but the one with the keys of
    /// the sign-in page's cookies, which is written once.
    Grant,
    /// A Secret in another namespace, from which workloads take an access token.
    WorkloadSecret,
    /// An Event.
    Event,
    /// The Lease.
    Lease,
    /// Anything else: the operator writes nothing else.
    Other,
}

/// The labels of a write.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct WriteLabels {
    /// How.
    pub verb: Verb,
    /// What.
    pub kind: Written,
    /// How it ended.
    pub result: CallResult,
}

/// Writes to the API server. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct ApiWrites(Family<WriteLabels, Counter>);

impl ApiWrites {
    /// One more.
    pub fn count(&self, verb: Verb, kind: Written, result: CallResult) {
        let labels = WriteLabels { verb, kind, result };
        self.0.get_or_create(&labels).inc();
    }

    pub(super) fn counters(&self) -> Family<WriteLabels, Counter> {
        self.0.clone()
    }
}
