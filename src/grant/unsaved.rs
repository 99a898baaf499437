use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::cluster::grants::StoredGrant;
use crate::domain::grant::Grant;
use crate::google::Refreshed;

/// What Google gave and is not stored yet. Where the refresh token was replaced, the stored one is
/// of no use any more: until the new one is stored, it is all that there is of the grant.
#[derive(Clone, Default)]
pub(super) struct Unsaved {
    given: Arc<Mutex<HashMap<String, Given>>>,
    asking: Arc<AtomicUsize>,
}

/// Something is being asked whose answer may have to be stored.
pub(super) struct Asking(Arc<AtomicUsize>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An answer of Google's, for the sign-in that it is of.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) base: StoredGrant,
    pub(super) refreshed: Refreshed,
    pub(super) at: Timestamp,
}

impl Unsaved {
    /// What is to be stored for `grant` before anything is asked.
    pub(super) fn of(&self, grant: &Grant) -> Option<Given> {
        let mut given = self.lock();
        let known = given.get(&grant.mailbox_uid)?;
        if known.base.grant.signed_in_at == grant.signed_in_at {
            return Some(known.clone());
        }
        // Another sign-in has replaced the one that it was of.
        given.remove(&grant.mailbox_uid);
        None
    }

    pub(super) fn put(&self, given: Given) {
        let uid = given.base.grant.mailbox_uid.clone();
        self.lock().insert(uid, given);
    }

    /// It is stored, or the grant is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.lock().remove(uid);
    }

    /// Until it is dropped, there may be more to store soon.
    pub(super) fn asking(&self) -> Asking {
        self.asking.fetch_add(1, Ordering::SeqCst);
        Asking(self.asking.clone())
    }

    /// How much there is to store, or may be soon.
    pub(super) fn left(&self) -> usize {
        self.asking.load(Ordering::SeqCst) + self.lock().len()
    }

    pub(super) fn all(&self) -> Vec<Given> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
