//! What waits to be looked at, and what is being looked at. kube's controller tells neither, so it is
//! counted at its two ends: what goes in, and what comes to work. What only comes because its time
//! has come is not seen before it is in work.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kube::runtime::reflector::{Lookup, ObjectRef};
use prometheus_client::metrics::gauge::Gauge;

use crate::telemetry::metrics::{Kind, KindLabels, Metrics};

/// One kind's queue, as far as it is seen.
pub struct Queue<K: Lookup<DynamicType = ()>> {
    waiting: Mutex<HashSet<ObjectRef<K>>>,
    count: Gauge,
    in_work: Gauge,
}

/// An object is being looked at for as long as this is held.
pub struct InWork(Gauge);

impl<K: Lookup<DynamicType = ()>> Queue<K> {
    /// The queue of `kind`.
    pub fn new(metrics: &Metrics, kind: Kind) -> Arc<Self> {
        let labels = KindLabels { kind };
        Arc::new(Self {
            waiting: Mutex::default(),
            count: metrics.waiting.get_or_create(&labels).clone(),
            in_work: metrics.in_work.get_or_create(&labels).clone(),
        })
    }

    /// `object` has to be looked at.
    pub fn wants(&self, object: ObjectRef<K>) {
        self.change(|waiting| waiting.insert(object));
    }

    /// `object` is looked at from now on.
    pub fn begins(&self, object: &ObjectRef<K>) -> InWork {
        self.gone(object);
        self.in_work.inc();
        InWork(self.in_work.clone())
    }

    /// `object` is not there to be looked at.
    pub fn gone(&self, object: &ObjectRef<K>) {
        self.change(|waiting| waiting.remove(object));
    }

    fn change(&self, change: impl FnOnce(&mut HashSet<ObjectRef<K>>) -> bool) {
        let mut waiting = self.lock();
        if change(&mut waiting) {
            self.count
                .set(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<ObjectRef<K>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;

    use super::*;

    #[test]
    fn an_object_waits_once_and_until_it_is_in_work_or_gone() {
        let metrics = Metrics::default();
        let queue = Queue::<Secret>::new(&metrics, Kind::Grant);
        let counts = || (queue.count.get(), queue.in_work.get());
        let object = |name: &str| ObjectRef::<Secret>::new(name).within("mail");
        for name in ["a", "a", "b", "c"] {
            queue.wants(object(name));
        }
        assert_eq!(counts(), (3, 0));
        let work = queue.begins(&object("a"));
        assert_eq!(counts(), (2, 1));
        queue.wants(object("a"));
        assert_eq!(counts(), (3, 1), "it has changed while it was looked at");
        queue.gone(&object("b"));
        queue.gone(&object("b"));
        drop(work);
        assert_eq!(counts(), (2, 0));
    }
}
