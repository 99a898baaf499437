//! How many connections there may be, in all and for one caller.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::caller::Caller;

/// The most connections in all: each takes 20 KiB, or 24 with TLS, as measured. Further ones wait in the listener's queue.
pub(super) const MOST: u32 = 1000;
/// The most of one caller. A browser opens six (RFC 9112 section 9.4 lets it choose), and people
/// of an office may have one address.
pub(super) const MOST_OF_ONE: u32 = 50;

/// Counts the connections there are.
pub(super) struct Connections {
    places: Arc<Semaphore>,
    by_caller: Arc<ByCaller>,
}

/// How many each has: nobody is in it without a connection.
type ByCaller = Mutex<HashMap<Caller, u32>>;

/// A connection may be had, by whoever comes next.
pub(super) struct FreePlace {
    permit: OwnedSemaphorePermit,
    by_caller: Arc<ByCaller>,
}

/// A connection of one caller. Free again when it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    counted: Option<(Caller, Arc<ByCaller>)>,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST as usize)),
            by_caller: Arc::default(),
        }
    }
}

impl Connections {
    /// Waits until there may be one more.
    pub async fn place(&self) -> Option<FreePlace> {
        let permit = self.places.clone().acquire_owned().await.ok()?;
        Some(FreePlace {
            permit,
            by_caller: self.by_caller.clone(),
        })
    }

    /// Waits until there is none.
    pub async fn all_gone(&self) {
        let _ = self.places.acquire_many(MOST).await;
    }
}

impl FreePlace {
    /// For `caller`, unless it has too many. A crowd is bounded by the number of all.
    pub fn of(self, caller: Caller) -> Option<Place> {
        let counted = match caller {
            Caller::Crowd(_) => None,
            Caller::Single(_) => {
                let mut open = lock(&self.by_caller);
                let count = open.entry(caller).or_default();
                if *count >= MOST_OF_ONE {
                    return None;
                }
                *count += 1;
                drop(open);
                Some((caller, self.by_caller))
            }
        };
        Some(Place {
            _permit: self.permit,
            counted,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((caller, by_caller)) = &self.counted else {
            return;
        };
        if let Entry::Occupied(mut open) = lock(by_caller).entry(*caller) {
            match open.get() {
                0 | 1 => drop(open.remove()),
                more => *open.get_mut() = more - 1,
            }
        }
    }
}

fn lock(by_caller: &ByCaller) -> MutexGuard<'_, HashMap<Caller, u32>> {
    by_caller.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use futures::FutureExt;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap_or_else(|e| panic!("{e}"))
    }

    fn taken(connections: &Connections, caller: Caller) -> Option<Place> {
        connections.place().now_or_never()??.of(caller)
    }

    #[test]
    fn one_caller_has_so_many_and_others_have_theirs() {
        let connections = Connections::default();
        let ann = Caller::Single(ip("203.0.113.1"));
        let bob = Caller::Single(ip("203.0.113.2"));
        let mut places: Vec<_> = (0..MOST_OF_ONE)
            .map_while(|_| taken(&connections, ann))
            .collect();
        assert_eq!(places.len(), MOST_OF_ONE as usize);
        assert!(taken(&connections, ann).is_none());
        assert!(taken(&connections, bob).is_some());
        places.pop();
        assert!(taken(&connections, ann).is_some());
        places.clear();
        assert!(lock(&connections.by_caller).is_empty(), "nothing is kept");
    }

    #[test]
    fn there_are_so_many_in_all() {
        let connections = Connections::default();
        let crowd = Caller::Crowd(ip("10.1.2.3"));
        let mut places: Vec<_> = (0..MOST)
            .map_while(|_| taken(&connections, crowd))
            .collect();
        assert_eq!(places.len(), MOST as usize);
        assert!(taken(&connections, crowd).is_none());
        assert!(connections.all_gone().now_or_never().is_none());
        places.pop();
        assert!(taken(&connections, crowd).is_some());
        places.clear();
        assert!(connections.all_gone().now_or_never().is_some());
    }
}
