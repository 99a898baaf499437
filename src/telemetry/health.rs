//! Readiness.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process can serve: the caches are filled and the web has its keys. That another
/// replica leads does not make this one unready.
#[derive(Debug, Default)]
pub struct Readiness {
    controller: AtomicBool,
    web: AtomicBool,
}

impl Readiness {
    /// Ready but for the parts that are yet to say so.
    pub fn waiting_for(controller: bool, web: bool) -> Self {
        Self {
            controller: AtomicBool::new(!controller),
            web: AtomicBool::new(!web),
        }
    }

    /// The controller's caches are filled, or it waits for the Lease.
    pub fn controller_is_ready(&self) {
        self.controller.store(true, Ordering::Relaxed);
    }

    /// The web can seal cookies.
    pub fn web_is_ready(&self) {
        self.web.store(true, Ordering::Relaxed);
    }

    /// All parts are.
    pub fn is_ready(&self) -> bool {
        self.controller.load(Ordering::Relaxed) && self.web.load(Ordering::Relaxed)
    }
}
