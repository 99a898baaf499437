use std::cell::RefCell;

use futures::executor::block_on;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ObjectMeta;
use kube::core::Status;
use kube::runtime::reflector::store;

use super::*;

fn object(namespace: &str, name: &str, uid: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            uid: Some(uid.into()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

fn init() -> Seen<ConfigMap> {
    Ok(Event::Init)
}

fn listed(namespace: &str, name: &str, uid: &str) -> Seen<ConfigMap> {
    Ok(Event::InitApply(object(namespace, name, uid)))
}

fn done() -> Seen<ConfigMap> {
    Ok(Event::InitDone)
}

fn failed(code: u16) -> Seen<ConfigMap> {
    let status = Status::failure("no", "No").with_code(code).boxed();
    Err(Error::InitialListFailed(kube::Error::Api(status)))
}

/// What comes of `events`, each of which the store has taken before the next one comes; and what the
/// store then holds.
fn told(events: Vec<(&str, Seen<ConfigMap>)>) -> (Vec<String>, Vec<String>) {
    let (reader, writer) = store::<ConfigMap>();
    let writer = RefCell::new(writer);
    let mut merge = Merge {
        store: reader.clone(),
        awaited: BTreeSet::from(["a".to_owned(), "b".to_owned()]),
        refused: HashMap::new(),
        first: HashMap::new(),
        lists: HashMap::new(),
    };
    let mut told = Vec::new();
    for (namespace, event) in events {
        for event in merge.pass_on(namespace, event) {
            if let Ok(event) = &event {
                writer.borrow_mut().apply_watcher_event(event);
            }
            told.push(words(&event));
        }
    }
    let mut held: Vec<String> = reader.state().iter().map(|o| name(o)).collect();
    held.sort();
    (told, held)
}

fn name(object: &ConfigMap) -> String {
    let meta = &object.metadata;
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    format!(
        "{}/{}:{}",
        part(&meta.namespace),
        part(&meta.name),
        part(&meta.uid)
    )
}

fn words(event: &Seen<ConfigMap>) -> String {
    match event {
        Ok(Event::Init) => "init".into(),
        Ok(Event::InitApply(object)) => format!("listed {}", name(object)),
        Ok(Event::InitDone) => "done".into(),
        Ok(Event::Apply(object)) => format!("apply {}", name(object)),
        Ok(Event::Delete(object)) => format!("delete {}", name(object)),
        Err(_) => "error".into(),
    }
}

fn first_lists() -> Vec<(&'static str, Seen<ConfigMap>)> {
    vec![
        ("a", init()),
        ("a", listed("a", "x", "1")),
        ("a", done()),
        ("b", init()),
        ("b", listed("b", "y", "2")),
        ("b", done()),
    ]
}

#[test]
fn there_is_one_first_list_and_all_is_in_it() {
    let mut events = first_lists();
    // While b is still being listed, a changes.
    events.insert(4, ("a", Ok(Event::Apply(object("a", "z", "3")))));
    events.insert(5, ("a", Ok(Event::Delete(object("a", "x", "1")))));
    let (told, held) = told(events);
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!((told[0].as_str(), told[3].as_str()), ("init", "done"));
    assert_eq!(held, ["a/z:3", "b/y:2"]);
}

#[test]
fn a_first_list_that_breaks_off_is_made_again() {
    let mut events = vec![
        ("a", init()),
        ("a", listed("a", "gone", "0")),
        ("a", failed(500)),
    ];
    events.extend(first_lists());
    let (told, held) = told(events);
    assert_eq!(told[0], "error");
    assert_eq!(held, ["a/x:1", "b/y:2"]);
}

#[test]
fn a_list_that_is_made_again_is_told_as_changes_of_its_own_namespace() {
    let mut events = first_lists();
    events.extend([
        ("a", failed(500)),
        ("a", init()),
        // Deleted and made anew under the same name while nobody watched.
        ("a", listed("a", "x", "4")),
        ("a", listed("a", "new", "5")),
        ("a", done()),
        ("b", Ok(Event::Delete(object("b", "y", "2")))),
    ]);
    let (told, held) = told(events);
    assert_eq!(
        told[4..],
        [
            "error",
            "delete a/x:1",
            "apply a/x:4",
            "apply a/new:5",
            "delete b/y:2"
        ]
    );
    assert_eq!(held, ["a/new:5", "a/x:4"]);
}

#[test]
fn a_namespace_without_rights_holds_up_nobody() {
    let refused = |code| {
        let mut events = first_lists();
        events.truncate(3);
        events.extend([("b", init()), ("b", failed(code))]);
        events
    };
    // The API server may be away: what is in b is not known.
    assert_eq!(told(refused(503)).0, ["error"]);
    let often = |times: usize| {
        let mut events = refused(403);
        for _ in 1..times {
            events.extend([("b", init()), ("b", failed(403))]);
        }
        events
    };
    // New rights may be a moment late.
    assert_eq!(told(often(2)).0, ["error", "error"]);
    let (told_then, held) = told(often(3));
    assert_eq!(told_then[2..], ["error", "init", "listed a/x:1", "done"]);
    assert_eq!(held, ["a/x:1"]);
    // The rights come.
    for times in [2, 3] {
        let mut events = often(times);
        events.extend([("b", init()), ("b", listed("b", "y", "2")), ("b", done())]);
        assert_eq!(told(events).1, ["a/x:1", "b/y:2"], "{times}");
    }
}

#[test]
fn the_watches_of_all_namespaces_are_begun() {
    let (reader, _writer) = store::<ConfigMap>();
    let names = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    let watch = |namespace: &str| {
        let events = vec![init(), listed(namespace, "x", namespace), done()];
        stream::iter(events)
    };
    let told: Vec<_> = block_on(merged(&names, reader, watch).collect());
    let mut told: Vec<_> = told.iter().map(words).collect();
    told.sort();
    assert_eq!(told, ["done", "init", "listed a/x:a", "listed b/x:b"]);
}
