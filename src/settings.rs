//! Flags, made into values that the rest may rely on.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::domain::caller::TrustedProxies;
use crate::domain::console::FrontDoor;
use crate::domain::egress::EgressPolicy;
use crate::domain::proxy::Proxies;
use crate::domain::reach::Reach;
use crate::domain::test_request::BETWEEN_REQUESTED_TESTS;

/// All that `gmail-operator run` needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The operator's own namespace: the grants, the web key and the Lease are there.
    pub namespace: String,
    /// This replica, in the Lease.
    pub identity: String,
    /// Which parts run in this process.
    pub components: Vec<Component>,
    /// The namespaces whose objects are looked after.
    pub reach: Reach,
    /// How the operator is reached from a browser.
    pub front_door: FrontDoor,
    /// How the sign-in page names this cluster.
    pub cluster_name: Option<String>,
    /// Where the sign-in page is served.
    pub listen: SocketAddr,
    /// Where health and metrics are served.
    pub telemetry_listen: SocketAddr,
    /// The Secret in the operator's own namespace with the certificate of the sign-in page; without
    /// it TLS ends in front.
    pub tls_secret: Option<String>,
    /// The proxies that may say for whom they ask.
    pub trusted_proxies: TrustedProxies,
    /// Where the operator may connect to beside Google.
    pub egress: EgressPolicy,
    /// What is on the way there.
    pub proxies: Proxies,
    /// All waits.
    pub pace: Pace,
}

/// A part of the operator that can run in a Deployment of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Component {
    /// Watches the objects and does the work; one replica at a time.
    Controller,
    /// Serves the sign-in page; every replica.
    Web,
}

/// All waits, in one place. The defaults are for production; tests shorten them by a file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pace {
    /// Between two tests of a mailbox that works, in seconds.
    pub retest: Secs,
    /// Before a direction that failed for good is looked at again, in seconds.
    pub retest_failed: Secs,
    /// Before the first new try of what failed.
    pub backoff_first: Secs,
    /// The longest wait between tries.
    pub backoff_longest: Secs,
    /// Before the first new try where the server wants fewer tries.
    pub pause_first: Secs,
    /// The longest wait between tries where the server wants fewer.
    pub pause_longest: Secs,
    /// How many transient failures in a row turn a direction off.
    pub tries: u32,
    /// An access token older than this proves nothing about the grant.
    pub proof_age: Secs,
    /// Between two logins over POP3 to one mailbox, unless a person asks for the second: Gmail locks out
    /// whoever logs in more often.
    pub pop3_gap: Secs,
    /// Between the beginnings of two tests of one Mailbox that a person asks for.
    pub between_requested_tests: Secs,
    /// How many test messages a Mailbox gets within [`Pace::messages_within`].
    pub messages_at_most: usize,
    /// The time that [`Pace::messages_at_most`] is about.
    pub messages_within: Secs,
    /// A step that takes longer than this shows in status while it runs.
    pub progress: Secs,
    /// A test that waits for a free connection longer than this says so in status.
    pub waiting: Secs,
    /// How long the test's message may take to arrive.
    pub arrival: Secs,
    /// Between two looks for it.
    pub look_for_message: Secs,
    /// Between two looks, while a step talks to a mail server, whether its result is still wanted.
    pub look_whether_wanted: Secs,
    /// Between two checks of an OAuth client that Google accepts.
    pub recheck_client: Secs,
    /// Before an OAuth client that was refused is checked again.
    pub recheck_refused_client: Secs,
    /// Between two looks at a profile's Secret.
    pub look_at_secret: Secs,
    /// Between two looks at the Secret with the sign-in page's certificate.
    pub look_at_certificate: Secs,
    /// How long a request's headers may take at the sign-in page, and how long a connection may wait
    /// for the next request.
    pub browser: Secs,
    /// Between two writes of a profile's counts.
    pub counts: Secs,
    /// Between two of the Mailboxes that one change wakes.
    pub wake_gap: Secs,
    /// Between two renewals for one OAuth client, where many are due.
    pub renewal_gap: Secs,
    /// The longest wait before an OAuth server that fails is tried again.
    pub circuit_longest: Secs,
    /// Mailboxes that begin to fail within this time may have one cause.
    pub together: Secs,
    /// How long before a sign-in is known to end its conditions warn.
    pub warn_before_end: Secs,
    /// How long before a sign-in ends that nothing uses its conditions warn.
    pub warn_before_idle_end: Secs,
    /// How long before a sign-in is known to end its owner is reminded.
    pub remind_before_end: Secs,
    /// Before a Secret that stands where the one for workloads should is looked at again.
    pub look_at_foreign_secret: Secs,
    /// Between two looks at a Secret for workloads, which somebody may have deleted.
    pub look_at_own_secret: Secs,
    /// How long the owner of an account may think about whether it moves to another Mailbox.
    pub move_answer: Secs,
    /// How long a grant without a Mailbox is kept, where nobody saw the deletion.
    pub orphan: Secs,
    /// The Lease's duration.
    pub lease_duration: Secs,
    /// How long the Lease is trusted without a renewal.
    pub lease_deadline: Secs,
    /// Between two renewals of the Lease.
    pub lease_retry: Secs,
}

/// Seconds, with fractions.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(try_from = "f64")]
pub struct Secs(Duration);

impl TryFrom<f64> for Secs {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        Duration::try_from_secs_f64(seconds)
            .map(Secs)
            .map_err(|_| "not a number of seconds")
    }
}

impl From<Secs> for Duration {
    fn from(seconds: Secs) -> Self {
        seconds.0
    }
}

const fn secs(seconds: u64) -> Secs {
    Secs(Duration::from_secs(seconds))
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            retest: secs(24 * 3600),
            retest_failed: secs(4 * 3600),
            backoff_first: secs(5),
            backoff_longest: secs(300),
            pause_first: secs(600),
            pause_longest: secs(3600),
            tries: 10,
            proof_age: secs(300),
            pop3_gap: secs(300),
            between_requested_tests: Secs(BETWEEN_REQUESTED_TESTS),
            messages_at_most: 6,
            messages_within: secs(24 * 3600),
            progress: secs(1),
            waiting: secs(10),
            arrival: secs(60),
            look_for_message: secs(1),
            look_whether_wanted: Secs(Duration::from_millis(500)),
            recheck_client: secs(6 * 3600),
            recheck_refused_client: secs(600),
            look_at_secret: secs(50),
            look_at_certificate: secs(50),
            browser: secs(10),
            counts: secs(10),
            wake_gap: Secs(Duration::from_millis(4)),
            renewal_gap: Secs(Duration::from_millis(50)),
            circuit_longest: secs(60),
            together: secs(3600),
            warn_before_end: secs(24 * 3600),
            warn_before_idle_end: secs(14 * 24 * 3600),
            remind_before_end: secs(48 * 3600),
            look_at_foreign_secret: secs(50),
            look_at_own_secret: secs(600),
            move_answer: secs(600),
            orphan: secs(24 * 3600),
            lease_duration: secs(15),
            lease_deadline: secs(10),
            lease_retry: secs(2),
        }
    }
}

/// Why a pace file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the pace file {path}: {why}")]
pub struct BadPace {
    path: String,
    why: String,
}

impl Pace {
    /// From a YAML file; what it leaves out is as in production.
    ///
    /// # Errors
    /// [`BadPace`].
    pub fn from_file(path: &Path) -> Result<Self, BadPace> {
        let bad = |why: String| BadPace {
            path: path.display().to_string(),
            why,
        };
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        serde_saphyr::from_str(&text).map_err(|error| bad(error.to_string()))
    }
}
