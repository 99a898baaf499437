//! Histograms with their buckets, in seconds.

use std::time::Duration;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::metrics::{Kind, KindLabels, StepLabels, TestedStep};

/// How much of an old token's life was left.
#[derive(Clone, Debug)]
pub struct RenewalMargin(Histogram);

impl Default for RenewalMargin {
    fn default() -> Self {
        // Google's tokens live an hour, and a tenth to a quarter of that is left at a renewal.
        Self(Histogram::new([0.0, 60.0, 180.0, 360.0, 900.0]))
    }
}

impl RenewalMargin {
    /// One more renewal, with so many seconds left.
    pub fn observe(&self, seconds: f64) {
        self.0.observe(seconds);
    }

    pub(super) fn histogram(&self) -> Histogram {
        self.0.clone()
    }
}

/// How long the steps of tests take.
#[derive(Clone, Debug)]
pub struct StepDurations(Family<StepLabels, Histogram>);

impl Default for StepDurations {
    fn default() -> Self {
        // From a quick login to the longest that one may take, and a look for a message after it.
        Self(Family::new_with_constructor(|| {
            Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0])
        }))
    }
}

impl StepDurations {
    pub(super) fn observe(&self, step: TestedStep, time: Duration) {
        let histogram = self.0.get_or_create(&StepLabels { step });
        histogram.observe(time.as_secs_f64());
    }

    pub(super) fn histogram(&self) -> Family<StepLabels, Histogram> {
        self.0.clone()
    }
}

/// How long reconciles take.
#[derive(Clone, Debug)]
pub struct ReconcileDurations(Family<KindLabels, Histogram>);

impl Default for ReconcileDurations {
    fn default() -> Self {
        // From a look that finds nothing to do to one that waits for servers, step after step.
        Self(Family::new_with_constructor(|| {
            Histogram::new([0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0, 300.0])
        }))
    }
}

impl ReconcileDurations {
    pub(super) fn observe(&self, kind: Kind, time: Duration) {
        let histogram = self.0.get_or_create(&KindLabels { kind });
        histogram.observe(time.as_secs_f64());
    }

    pub(super) fn histogram(&self) -> Family<KindLabels, Histogram> {
        self.0.clone()
    }
}
