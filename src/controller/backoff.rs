use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::schedule::backoff;

/// How often each object failed in a row: kube's error policy never hears of a success.
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failed: Mutex<HashMap<String, u32>>,
}

impl Backoff {
    /// Waits from `first`, doubling, to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failed: Mutex::default(),
        }
    }

    /// The object failed once more; how long to wait.
    pub fn failed(&self, uid: &str) -> Duration {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let times = failed.entry(uid.to_owned()).or_default();
        *times = times.saturating_add(1);
        backoff(*times, self.first, self.longest, uid)
    }

    /// The object went well, or is gone.
    pub fn forget(&self, uid: &str) {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(uid);
    }
}
