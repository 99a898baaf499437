//! Cookies: what was not sealed by our key, or was changed since, never opens.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use gmail_operator::web::fuzzing::{Installation, Sealed};
use gmail_operator_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

static OURS: LazyLock<Installation> = LazyLock::new(|| Installation::new(&[7; 64]).unwrap());
static SEALED: LazyLock<[Sealed; 3]> = LazyLock::new(|| OURS.sealed().unwrap());
static FOREIGN: LazyLock<[Sealed; 3]> =
    LazyLock::new(|| Installation::new(&[8; 64]).unwrap().sealed().unwrap());

/// The most `Set-Cookie` headers of an answer: one that is kept, and those that are dropped for it.
const MOST: usize = 21;

/// What a browser, or somebody else, sends.
#[derive(Arbitrary, Debug)]
enum Sent<'a> {
    Raw(&'a [u8]),
    /// One of another installation, under the name of ours.
    Foreign(u8),
    /// One of ours under one of our names, changed.
    Changed {
        value: u8,
        name: u8,
        changes: Vec<Change<'a>>,
    },
}

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Replace(u16, u8),
    Cut(u16, u16),
    Insert(u16, &'a [u8]),
}

fuzz_target!(|sent: Sent<'_>| {
    let ours = &*OURS;
    let which = |n: u8| usize::from(n) % SEALED.len();
    let (header, own) = match &sent {
        Sent::Raw(raw) => (String::from_utf8_lossy(raw).into_owned(), None),
        Sent::Foreign(n) => (pair(which(*n), &FOREIGN[which(*n)].value), None),
        Sent::Changed {
            value,
            name,
            changes,
        } => {
            let (value, name) = (which(*value), which(*name));
            let text = changed(&SEALED[value].value, changes);
            (pair(name, &text), (value == name).then_some(value))
        }
    };
    // What was sealed by somebody else, or for another name, does not open; what does is as sealed.
    let opened = bounded(header.len(), || ours.opened(&header));
    if let (Some(own), Sent::Changed { changes, .. }) = (own, &sent) {
        assert!(!changes.is_empty() || opened[own].is_some(), "{header}");
    }
    for (n, inside) in opened.into_iter().enumerate() {
        if let Some(inside) = inside {
            assert_eq!(own, Some(n), "{header}");
            assert_eq!(inside, SEALED[n].inside, "{header}");
        }
    }
    let kept = bounded(header.len(), || ours.kept(&header));
    assert!(kept.len() <= MOST, "{} cookies are set", kept.len());
});

fn pair(name: usize, value: &str) -> String {
    format!("{}={value}", SEALED[name].name)
}

fn changed(text: &str, changes: &[Change<'_>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for change in changes {
        match change {
            Change::Replace(at, with) => {
                if let Some(byte) = bytes.get_mut(usize::from(*at)) {
                    *byte = *with;
                }
            }
            Change::Cut(from, length) => {
                let from = usize::from(*from).min(bytes.len());
                let to = from.saturating_add((*length).into()).min(bytes.len());
                bytes.drain(from..to);
            }
            Change::Insert(at, what) => {
                let at = usize::from(*at).min(bytes.len());
                bytes.splice(at..at, what.iter().copied());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
