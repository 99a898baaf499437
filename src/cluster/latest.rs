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
    creates: bool,
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
            creates: false,
            written: Mutex::default(),
        }
    }

    /// Over `store`, for a kind of which we also create objects: one that the store does not have may
    /// be new.
    pub fn with_creations(store: Store<K>) -> Self {
        Self {
            creates: true,
            ..Self::new(store)
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
            // Deleted, maybe while we wrote.
            None if !self.creates => {
                written.remove(object);
                None
            }
            _ => Some(ours.clone()),
        }
    }

    /// Whether we have written a newer version of `object`.
    pub fn is_outdated(&self, object: &K) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = written.get(&ObjectRef::from_obj(object));
        ours.is_some_and(|ours| version(ours.as_ref()) > version(object))
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
