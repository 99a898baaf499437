use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::name::ObjectName;

/// The connections that each profile may have at once.
#[derive(Default)]
pub struct Slots {
    profiles: Mutex<HashMap<ObjectName, Profile>>,
}

struct Profile {
    max: usize,
    free: Arc<Semaphore>,
}

impl Slots {
    /// Waits for a connection's place. A changed maximum counts for those who come after it.
    pub async fn take(&self, profile: &ObjectName, max: usize) -> Option<OwnedSemaphorePermit> {
        let free = {
            let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
            let known = profiles
                .entry(profile.clone())
                .or_insert_with(|| Profile::new(max));
            if known.max != max {
                *known = Profile::new(max);
            }
            known.free.clone()
        };
        free.acquire_owned().await.ok()
    }

    /// For a profile that is gone.
    pub fn forget(&self, profile: &ObjectName) {
        self.profiles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(profile);
    }
}

impl Profile {
    fn new(max: usize) -> Self {
        Self {
            max,
            free: Arc::new(Semaphore::new(max)),
        }
    }
}
