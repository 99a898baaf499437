//! Readiness.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process does its part: its controller takes part in the election, and its sign-in
/// page can be signed in on. That another replica leads does not make this one unready.
#[derive(Debug, Default)]
pub struct Readiness {
    controller: AtomicBool,
    web: AtomicBool,
    ends: AtomicBool,
}

impl Readiness {
    /// Ready but for the parts that are yet to say so.
    pub fn waiting_for(controller: bool, web: bool) -> Self {
        Self {
            controller: AtomicBool::new(!controller),
            web: AtomicBool::new(!web),
            ends: AtomicBool::new(false),
        }
    }

    /// The controller takes part in the election.
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
        let parts = self.controller.load(Ordering::Relaxed) && self.web.load(Ordering::Relaxed);
        parts && !self.ends.load(Ordering::Relaxed)
    }
}
