//! Whether people can sign in, and what became of those who tried.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use strum::{EnumIter, IntoEnumIterator};

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
#[derive(Clone, Copy, Debug, EncodeLabelValue, EnumIter, Eq, Hash, PartialEq)]
pub enum SignInResult {
    /// Whoever should has signed in.
    Ok,
    /// For good: by that person, by Google, or since the Mailbox or its profile takes nobody.
    Refused,
    /// Through none of them: the keys of the page, the API server or the OAuth server could not be
    /// asked, or not in time. Also where that keeps a sign-in from its beginning.
    Failed,
}

impl SignInPage {
    /// Says that one can sign in on the page of this process, until what is returned is dropped.
    pub fn opens(&self) -> Open {
        self.ready.set(1);
        Open(self.ready.clone())
    }

    /// Somebody is back from Google. It is counted when what is returned is dropped: as failed, unless it
    /// is told how it ended. So it is, too, where nobody waits for its end.
    pub fn came_back(&self) -> CameBack<'_> {
        CameBack {
            page: self,
            result: SignInResult::Failed,
        }
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
        for result in SignInResult::iter() {
            let labels = SignInLabels { result };
            self.sign_ins.get_or_create(&labels).inc_by(0);
        }
    }
}

/// A sign-in whose end is not known yet.
#[derive(Debug)]
pub struct CameBack<'a> {
    page: &'a SignInPage,
    result: SignInResult,
}

impl CameBack<'_> {
    /// It has ended so.
    pub fn ended(mut self, result: SignInResult) {
        self.result = result;
    }
}

impl Drop for CameBack<'_> {
    fn drop(&mut self) {
        self.page.ended(self.result);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_that_is_cut_off_has_failed() {
        let page = SignInPage::default();
        let count = |result| {
            let counter = page.sign_ins.get(&SignInLabels { result });
            counter.map_or(0, |counter| counter.get())
        };
        drop(page.came_back());
        page.came_back().ended(SignInResult::Ok);
        let counts = [SignInResult::Ok, SignInResult::Failed].map(count);
        assert_eq!(counts, [1, 1]);
    }
}
