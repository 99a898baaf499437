//! Metrics.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::calls::RemoteCalls;
use super::fleet::Fleet;
use super::histograms::{ReconcileDurations, RenewalMargin, StepDurations};
use super::sign_ins::SignInPage;
use super::writes::ApiWrites;
use crate::api::Reason;

/// What is counted. Labels come from closed sets, or name a profile that is there.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Reconciles by kind and result.
    pub reconciles: Family<ReconcileLabels, Counter>,
    /// How long they take by kind, in seconds.
    pub reconcile_durations: ReconcileDurations,
    /// Objects that changed or were woken and have not been looked at since, by kind.
    pub waiting: Family<KindLabels, Gauge>,
    /// Objects that are being looked at, by kind.
    pub in_work: Family<KindLabels, Gauge>,
    /// Places for connections to mail servers, and who waits for one.
    pub connections: Family<ConnectionLabels, Gauge>,
    /// Calls to Google, to mail servers and to the API server, in seconds.
    pub remote_calls: RemoteCalls,
    /// Writes to the API server.
    pub api_writes: ApiWrites,
    /// Status writes by kind.
    pub status_writes: Family<KindLabels, Counter>,
    /// Renewals of access tokens by result.
    pub renewals: Family<ResultLabels, Counter>,
    /// How much of the old token's life was left when the new one was stored, in seconds: less than
    /// zero where it had ended.
    pub renewal_margin: RenewalMargin,
    /// Renewals that were not sent yet, by why.
    pub held_back: Family<HeldBackLabels, Counter>,
    /// Tests of one direction by reason.
    pub tests: Family<TestLabels, Counter>,
    /// How long the steps of tests take, in seconds.
    pub step_durations: StepDurations,
    /// Answers of mail servers that the table of reasons does not know.
    pub unknown_answers: Family<ProtocolLabels, Counter>,
    /// When the first of a profile's sign-ins is known to end, in seconds since 1970.
    pub earliest_end: Family<ProfileLabels, Gauge>,
    /// How many of a profile's sign-ins end within the time of the warning: a day.
    pub ending_soon: Family<ProfileLabels, Gauge>,
    /// Profiles and Mailboxes as they are.
    pub fleet: Fleet,
    /// Whether this process leads.
    pub leader: Gauge,
    /// Whether it has read all that it looks after, where it leads.
    pub caches_filled: Gauge,
    /// The sign-in page.
    pub sign_in_page: SignInPage,
}

/// The labels of a profile. Its series go when it does.
#[derive(Clone, Debug, Default, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct ProfileLabels {
    /// The profile's namespace.
    pub namespace: String,
    /// The profile's name.
    pub profile: String,
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

/// The label of connections to mail servers.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct ConnectionLabels {
    /// Which of them.
    pub state: ConnectionState,
}

/// Whether somebody has a connection.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum ConnectionState {
    /// It may be open now.
    InUse,
    /// A Mailbox waits for it, since its account or its profile has as many as it may.
    Waiting,
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

/// The label of what was not sent yet.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct HeldBackLabels {
    /// Why.
    pub because: HeldBackLabel,
}

/// Why something is not sent yet.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum HeldBackLabel {
    /// Others come first.
    Line,
    /// The OAuth server fails.
    Circuit,
    /// The OAuth server asked for a pause.
    Pause,
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

/// The label of a step.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct StepLabels {
    /// Which.
    pub step: TestedStep,
}

/// A step of a test.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum TestedStep {
    /// The access token, also where it is renewed without a test.
    Token,
    /// Login over IMAP.
    Imap,
    /// Login over POP3.
    Pop3,
    /// Login over SMTP.
    Smtp,
    /// A message, from before it is sent, or looked for again, until that ends.
    RoundTrip,
}

/// The label of a protocol.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct ProtocolLabels {
    /// Which.
    pub protocol: Protocol,
}

/// A mail protocol.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum Protocol {
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
    /// SMTP.
    Smtp,
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
    /// Says when sign-ins of a profile end: the first, in seconds since 1970, and how many soon.
    pub fn endings(&self, labels: &ProfileLabels, earliest: Option<i64>, soon: i64) {
        match earliest {
            Some(second) => {
                self.earliest_end.get_or_create(labels).set(second);
            }
            None => {
                self.earliest_end.remove(labels);
            }
        }
        self.ending_soon.get_or_create(labels).set(soon);
    }

    /// One more reconcile of `kind` has ended, after so long.
    pub fn reconciled(&self, kind: Kind, result: ReconcileResult, time: Duration) {
        let labels = ReconcileLabels { kind, result };
        self.reconciles.get_or_create(&labels).inc();
        self.reconcile_durations.observe(kind, time);
    }

    /// One more test of a direction, which ended with `reason`.
    pub fn tested(&self, direction: Direction, reason: Reason) {
        let reason = ReasonLabel(reason);
        let labels = TestLabels { direction, reason };
        self.tests.get_or_create(&labels).inc();
    }

    /// One more step of a test, which took so long.
    pub fn step_took(&self, step: TestedStep, time: Duration) {
        self.step_durations.observe(step, time);
    }

    /// A mail server's answer means `reason`: counted where the table of reasons does not know it.
    pub fn heard(&self, protocol: Protocol, reason: Reason) {
        let unknown = matches!(
            reason,
            Reason::RefusedForNow | Reason::RefusedOtherwise | Reason::UnexpectedReply
        );
        if unknown {
            let labels = ProtocolLabels { protocol };
            self.unknown_answers.get_or_create(&labels).inc();
        }
    }

    /// Ends the series of a profile that is gone.
    pub fn forget_profile(&self, labels: &ProfileLabels) {
        self.earliest_end.remove(labels);
        self.ending_soon.remove(labels);
    }

    /// So many Mailboxes may have a connection to a mail server now, and so many wait for one.
    pub fn connections(&self, in_use: i64, waiting: i64) {
        for (state, count) in [
            (ConnectionState::InUse, in_use),
            (ConnectionState::Waiting, waiting),
        ] {
            let gauge = self.connections.get_or_create(&ConnectionLabels { state });
            gauge.set(count);
        }
    }
}
