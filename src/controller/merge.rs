//! The watches of several namespaces, seen as one: the stores and the controllers know a single list.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::stream::{self, BoxStream, select_all};
use futures::{Stream, StreamExt};
use kube::Resource;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::{Error, Event};

/// So often a first list is refused before it is believed: new rights may take a moment to come to the API server.
const REFUSALS: u32 = 3;

/// What a watch yields.
type Seen<K> = Result<Event<K>, Error>;

/// The events of the watches of `namespaces`, each of which `watch` begins, as those of one watch. The
/// first list is told when every namespace has its own, since before that nothing can be decided; a
/// list that a single namespace makes again is told as its changes. `store` is what the events go to.
pub fn merged<K, S>(
    namespaces: &BTreeSet<String>,
    store: Store<K>,
    watch: impl Fn(&str) -> S,
) -> BoxStream<'static, Seen<K>>
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
    S: Stream<Item = Seen<K>> + Send + 'static,
{
    let mut merge = Merge {
        store,
        awaited: namespaces.clone(),
        refused: HashMap::new(),
        first: HashMap::new(),
        lists: HashMap::new(),
    };
    let each = namespaces.iter().map(|namespace| {
        let namespace = namespace.clone();
        let seen = watch(&namespace);
        seen.map(move |event| (namespace.clone(), event)).boxed()
    });
    select_all(each)
        .flat_map(move |(namespace, event)| stream::iter(merge.pass_on(&namespace, event)))
        .boxed()
}

struct Merge<K: Resource<DynamicType = ()> + 'static> {
    store: Store<K>,
    /// The namespaces whose first list is still to come.
    awaited: BTreeSet<String>,
    /// How often their first list was refused.
    refused: HashMap<String, u32>,
    /// What is in the other ones, as long as there are such.
    first: HashMap<ObjectRef<K>, K>,
    /// The lists that are being read.
    lists: HashMap<String, Vec<K>>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Merge<K> {
    fn pass_on(&mut self, namespace: &str, event: Seen<K>) -> Vec<Seen<K>> {
        match event {
            // One namespace in which the rights are missing does not hold up the others. That nothing
            // is seen there deletes nothing: a grant goes only after a live look at its Mailbox.
            Err(error) if self.awaited.contains(namespace) && is_forbidden(&error) => {
                let refused = self.refused.entry(namespace.to_owned()).or_default();
                *refused += 1;
                let believed = *refused >= REFUSALS;
                let mut events = vec![Err(error)];
                if believed {
                    events.extend(self.listed(namespace, Vec::new()));
                }
                events
            }
            Err(error) => vec![Err(error)],
            Ok(Event::Init) => {
                self.lists.insert(namespace.to_owned(), Vec::new());
                Vec::new()
            }
            Ok(Event::InitApply(object)) => {
                let list = self.lists.entry(namespace.to_owned()).or_default();
                list.push(object);
                Vec::new()
            }
            Ok(Event::InitDone) => {
                let list = self.lists.remove(namespace).unwrap_or_default();
                self.listed(namespace, list)
            }
            Ok(change) if self.awaited.is_empty() => vec![Ok(change)],
            Ok(Event::Apply(object)) => {
                self.first.insert(ObjectRef::from_obj(&object), object);
                Vec::new()
            }
            Ok(Event::Delete(object)) => {
                self.first.remove(&ObjectRef::from_obj(&object));
                Vec::new()
            }
        }
    }

    /// A namespace has its list.
    fn listed(&mut self, namespace: &str, list: Vec<K>) -> Vec<Seen<K>> {
        if self.awaited.is_empty() {
            return self.changes(namespace, list);
        }
        self.first
            .retain(|name, _| name.namespace.as_deref() != Some(namespace));
        let named = list.into_iter().map(|o| (ObjectRef::from_obj(&o), o));
        self.first.extend(named);
        self.awaited.remove(namespace);
        if !self.awaited.is_empty() {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.first).into_values();
        let mut events = vec![Ok(Event::Init)];
        events.extend(all.map(|object| Ok(Event::InitApply(object))));
        events.push(Ok(Event::InitDone));
        events
    }

    /// What a list says that was made again. Who is gone comes first: the name may be taken again.
    fn changes(&self, namespace: &str, list: Vec<K>) -> Vec<Seen<K>> {
        let there: HashSet<_> = list
            .iter()
            .map(|object| object.meta().uid.clone())
            .collect();
        let before = self.store.state().into_iter();
        let gone = before.filter(|object| {
            let meta = object.meta();
            meta.namespace.as_deref() == Some(namespace) && !there.contains(&meta.uid)
        });
        let gone = gone.map(|object| Ok(Event::Delete(object.as_ref().clone())));
        let there = list.into_iter().map(|object| Ok(Event::Apply(object)));
        gone.chain(there).collect()
    }
}

fn is_forbidden(error: &Error) -> bool {
    match error {
        Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 403,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
