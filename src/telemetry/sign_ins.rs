//! Whether people can sign in, and what became of those who tried.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The sign-in page. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct SignInPage {
    ready: Gauge,
    sign_ins: Family<SignInLabels, Counter>,
}

/// The label of a sign-in.
#[derive(Clone, Copy, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct SignInLabels {
    /// How it ended.
    pub result: SignInResult,
}

/// How a sign-in ended. What belongs to none that this page has begun is not counted: any stranger may
/// send it.
#[derive(Clone, Copy, Debug, EncodeLabelValue, Eq, Hash, PartialEq)]
pub enum SignInResult {
    /// Whoever should has signed in.
    Ok,
    /// For good: by that person, by Google, or since the Mailbox or its profile takes nobody.
    Refused,
    /// Through none of them: the keys of the page, the API server or the OAuth server could not be
    /// asked. Also where that keeps a sign-in from its beginning.
    Failed,
}

impl SignInPage {
    /// Says that one can sign in on the page of this process, until what is returned is dropped.
    pub fn opens(&self) -> Open {
        self.ready.set(1);
        Open(self.ready.clone())
    }

    /// One more sign-in has ended.
    pub fn ended(&self, result: SignInResult) {
        self.sign_ins.get_or_create(&SignInLabels { result }).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "sign_in_page_ready",
            "Whether one can sign in on the page of this process",
            self.ready.clone(),
        );
        registry.register("sign_ins", "Sign-ins by result", self.sign_ins.clone());
        // A counter that begins with 1 has not risen.
        for result in [
            SignInResult::Ok,
            SignInResult::Refused,
            SignInResult::Failed,
        ] {
            let labels = SignInLabels { result };
            self.sign_ins.get_or_create(&labels).inc_by(0);
        }
    }
}

/// One can sign in.
#[derive(Debug)]
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(0);
    }
}
