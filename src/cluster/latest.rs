//! Watched objects with our own writes laid over them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use kube::Resource;
use kube::runtime::reflector::{Lookup, ObjectRef, Store};

/// A watched store with our own writes laid over it. The watch trails behind what we wrote a moment
/// ago; a decision on the older object would do the same thing twice.
pub struct Latest<K>
where
    K: Resource + Lookup + Clone + 'static,
    <K as Lookup>::DynamicType: Eq + Hash + Clone + Default,
{
    store: Store<K>,
    written: Mutex<HashMap<ObjectRef<K>, Arc<K>>>,
}

impl<K> Latest<K>
where
    K: Resource + Lookup + Clone + 'static,
    <K as Lookup>::DynamicType: Eq + Hash + Clone + Default,
{
    /// Over `store`.
    pub fn new(store: Store<K>) -> Self {
        Self {
            store,
            written: Mutex::default(),
        }
    }

    /// The store itself.
    pub fn store(&self) -> &Store<K> {
        &self.store
    }

    /// The newest that is known of an object.
    pub fn get(&self, object: &ObjectRef<K>) -> Option<Arc<K>> {
        let watched = self.store.get(object);
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ours) = written.get(object) else {
            return watched;
        };
        match &watched {
            Some(watched) if version(watched.as_ref()) >= version(ours.as_ref()) => {
                written.remove(object);
                Some(watched.clone())
            }
            _ => Some(ours.clone()),
        }
    }

    /// What the API server answered to a write of ours.
    pub fn wrote(&self, object: K) {
        let name = ObjectRef::from_obj(&object);
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, Arc::new(object));
    }

    /// The watch has shown an object: ours is dropped as soon as the store is as new.
    pub fn saw(&self, object: &K) {
        self.get(&ObjectRef::from_obj(object));
    }

    /// An object that is gone.
    pub fn forget(&self, object: &ObjectRef<K>) {
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(object);
    }
}

/// Resource versions of one kind can be compared as numbers: promised since Kubernetes 1.35
/// (KEP-5504) and true of every release before it.
fn version<K: Resource>(object: &K) -> u128 {
    object
        .meta()
        .resource_version
        .as_deref()
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}
