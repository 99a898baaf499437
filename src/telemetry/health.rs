//! Readiness.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process does its part: its kinds are there, its controller leads with full
/// caches or waits for the Lease, and its sign-in page can be signed in on. That another replica leads
/// does not make this one unready.
#[derive(Debug, Default)]
pub struct Readiness {
    kinds: AtomicBool,
    controller: AtomicBool,
    web: AtomicBool,
    ends: AtomicBool,
}

impl Readiness {
    /// Ready but for the kinds and for the parts that are yet to say so.
    pub fn waiting_for(controller: bool, web: bool) -> Self {
        Self {
            kinds: AtomicBool::new(false),
            controller: AtomicBool::new(!controller),
            web: AtomicBool::new(!web),
            ends: AtomicBool::new(false),
        }
    }

    /// The kinds are there.
    pub fn kinds_are_there(&self) {
        self.kinds.store(true, Ordering::Relaxed);
    }

    /// The controller begins to lead: its caches are empty.
    pub fn controller_begins(&self) {
        self.controller.store(false, Ordering::Relaxed);
    }

    /// The controller has filled its caches, or waits for the Lease.
    pub fn controller_is_ready(&self) {
        self.controller.store(true, Ordering::Relaxed);
    }

    /// The sign-in page is listened for, and the keys of its cookies are read.
    pub fn web_is_ready(&self) {
        self.web.store(true, Ordering::Relaxed);
    }

    /// The process comes to its end: nobody is to be sent to it.
    pub fn ends(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    /// All parts are, and will be.
    pub fn is_ready(&self) -> bool {
        let parts = [&self.kinds, &self.controller, &self.web];
        parts.iter().all(|part| part.load(Ordering::Relaxed)) && !self.ends.load(Ordering::Relaxed)
    }
}
