//! Calls to servers that are not ours: how long they take, and how they end.

use std::pin::Pin;
use std::time::{Duration, Instant};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use tracing::Instrument;

use super::spans;

/// What is called.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum Service {
    /// The token endpoint of an OAuth server, for a renewal or a sign-in.
    OAuthToken,
    /// The token endpoint with a made-up code, which is refused where all is well.
    OAuthClientCheck,
    /// The keys that ID tokens are signed with.
    OAuthKeys,
    /// The end of a grant.
    OAuthRevocation,
    /// A login over IMAP, with the connection and its encryption.
    Imap,
    /// A login over POP3.
    Pop3,
    /// A login over SMTP.
    Smtp,
    /// One request to the API server; watches, which have no end, are not counted.
    Kubernetes,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum CallResult {
    /// With the answer that was wanted.
    Ok,
    /// With another: no, or not now, or in words that are not the protocol's.
    Refused,
    /// Without a whole answer: no connection, no encryption, or not in time.
    Unreachable,
}

/// The labels of a call.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct CallLabels {
    /// What was called.
    pub service: Service,
    /// How it ended.
    pub result: CallResult,
}

/// How long calls take, by service and result, in seconds. Clones count together.
#[derive(Clone, Debug)]
pub struct RemoteCalls(Family<CallLabels, Histogram>);

impl Default for RemoteCalls {
    fn default() -> Self {
        // From the API server next door to a mail server that takes all the time that it may.
        Self(Family::new_with_constructor(|| {
            Histogram::new([
                0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 100.0,
            ])
        }))
    }
}

impl RemoteCalls {
    /// Waits for `call` to `service`, which the server at `host` and `port` gives; `judge` says how
    /// it ended. A call that is dropped meanwhile is not counted. It is pinned, since what is passed
    /// on by value is on the stack several times.
    pub async fn timed<T>(
        &self,
        service: Service,
        (host, port): (&str, u16),
        judge: impl FnOnce(&T) -> CallResult,
        call: Pin<Box<impl Future<Output = T>>>,
    ) -> T {
        let (begun, span) = (Instant::now(), spans::call(service, host, port));
        let ended = call.instrument(span.clone()).await;
        let result = judge(&ended);
        spans::called(&span, result);
        self.observe(service, result, begun.elapsed());
        ended
    }

    /// One more call, which took so long.
    pub fn observe(&self, service: Service, result: CallResult, time: Duration) {
        let histogram = self.0.get_or_create(&CallLabels { service, result });
        histogram.observe(time.as_secs_f64());
    }

    pub(super) fn histogram(&self) -> Family<CallLabels, Histogram> {
        self.0.clone()
    }
}
