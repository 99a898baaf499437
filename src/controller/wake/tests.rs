use url::Url;

use super::*;
use crate::probe::Claim;

fn name(name: &str) -> ObjectName {
    ObjectName::new("crm", name)
}

/// Thousands must not stand before whoever signs in meanwhile.
#[tokio::test]
async fn a_round_waits_while_places_are_taken_and_a_newer_one_replaces_it() {
    let (wake, mut woken) = Wake::new(Duration::ZERO);
    let (slots, profile) = (Slots::new(|_| ()), name("google"));
    let server: Url = "https://oauth2.googleapis.com/token".parse().unwrap();
    let (first, second) = (name("first"), name("second"));
    let claim = |mailbox| Claim {
        mailbox,
        profile: &profile,
        max: 1,
        token_endpoint: &server,
        account: &mailbox.name,
    };
    let taken = slots.take(&claim(&first)).unwrap();
    assert!(slots.take(&claim(&second)).is_err());

    wake.round(profile.clone(), vec![name("old")], slots.clone(), 1);
    tokio::task::yield_now().await;
    assert!(woken.mailboxes.try_recv().is_err(), "one waits already");
    let new = ["a", "b"].map(name);
    wake.round(profile.clone(), new.to_vec(), slots.clone(), 1);
    slots.forget(&second);
    drop(taken);
    for wanted in new {
        let next = woken.mailboxes.recv().await.unwrap();
        assert_eq!(next.name, wanted.name);
    }
    tokio::task::yield_now().await;
    assert!(woken.mailboxes.try_recv().is_err(), "the older one goes on");
}
