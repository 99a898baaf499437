//! Calls to servers that are not ours: how long they take, and how they end.

use std::pin::Pin;
use std::time::{Duration, Instant};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use tracing::{Instrument, Span};

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
    /// Not at all: nobody waits for it any more, since the time for the whole of which it is a part is
    /// over, or what it was for has changed.
    Abandoned,
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
    /// it ended. One that is dropped meanwhile is counted as [`CallResult::Abandoned`]. It is
    /// pinned, since what is passed on by value is on the stack several times.
    pub async fn timed<T>(
        &self,
        service: Service,
        (host, port): (&str, u16),
        judge: impl FnOnce(&T) -> CallResult,
        call: Pin<Box<impl Future<Output = T>>>,
    ) -> T {
        let mut under_way = UnderWay {
            calls: self,
            service,
            begun: Instant::now(),
            span: spans::call(service, host, port),
            result: CallResult::Abandoned,
        };
        let ended = call.instrument(under_way.span.clone()).await;
        under_way.result = judge(&ended);
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

/// A call, which is counted when it is dropped, whoever does that.
struct UnderWay<'a> {
    calls: &'a RemoteCalls,
    service: Service,
    begun: Instant,
    span: Span,
    result: CallResult,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        spans::called(&self.span, self.result);
        self.calls
            .observe(self.service, self.result, self.begun.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_login_that_is_given_up_is_counted() {
        let calls = RemoteCalls::default();
        let call = Box::pin(std::future::pending::<()>());
        let ended = calls.timed(
            Service::Imap,
            ("imap.example.com", 993),
            |()| CallResult::Ok,
            call,
        );
        assert_eq!(ended.now_or_never(), None);
        let labels = CallLabels {
            service: Service::Imap,
            result: CallResult::Abandoned,
        };
        assert!(calls.histogram().get(&labels).is_some());
    }
}
