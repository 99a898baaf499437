use std::sync::mpsc::{Receiver, channel};

use super::*;

/// Mailboxes of one profile each, by number, and who was called.
struct Office {
    slots: Slots,
    calls: Receiver<ObjectName>,
    server: Url,
}

fn office() -> Office {
    let (sender, calls) = channel();
    Office {
        slots: Slots::new(move |mailbox| sender.send(mailbox.clone()).unwrap()),
        calls,
        server: "https://oauth2.googleapis.com/token".parse().unwrap(),
    }
}

fn mailbox(number: usize) -> ObjectName {
    ObjectName::new("crm", format!("box-{number}"))
}

impl Office {
    fn take(&self, number: usize, profile: &str, max: usize) -> Result<Slot, Busy> {
        self.take_for(number, profile, max, &format!("{number}@example.com"))
    }

    fn take_for(
        &self,
        number: usize,
        profile: &str,
        max: usize,
        account: &str,
    ) -> Result<Slot, Busy> {
        self.take_at(number, profile, max, account, Instant::now())
    }

    fn take_at(
        &self,
        number: usize,
        profile: &str,
        max: usize,
        account: &str,
        now: Instant,
    ) -> Result<Slot, Busy> {
        let claim = Claim {
            mailbox: &mailbox(number),
            profile: &ObjectName::new("mail", profile),
            max,
            token_endpoint: &self.server,
            account,
        };
        self.slots.take_at(&claim, now)
    }

    fn called(&self) -> Vec<ObjectName> {
        self.calls.try_iter().collect()
    }

    fn is_empty(&self) -> bool {
        let places = self.slots.lock();
        places.limits.is_empty() && places.waiting.is_empty()
    }
}

#[test]
fn everybody_comes_in_turn_and_never_more_than_the_maximum() {
    const MAX: usize = 3;
    let office = office();
    let (mut open, mut waiting) = (Vec::new(), Vec::new());
    for number in 0..40 {
        match office.take(number, "google", MAX) {
            Ok(slot) => open.push(slot),
            Err(_) => waiting.push(mailbox(number)),
        }
    }
    assert_eq!((open.len(), waiting.len()), (MAX, 40 - MAX));
    let mut served = Vec::new();
    while !open.is_empty() {
        drop(open.remove(0));
        for name in office.called() {
            // Somebody who comes now does not get the place of who was called.
            assert!(office.take(1000, "google", MAX).is_err());
            office.slots.forget(&mailbox(1000));
            let number = name.name.trim_start_matches("box-").parse().unwrap();
            open.push(office.take(number, "google", MAX).unwrap());
            served.push(name);
        }
        assert!(open.len() <= MAX);
    }
    assert_eq!(served, waiting, "in the order in which they came");
    assert!(office.is_empty());
}

#[test]
fn an_account_has_its_own_limit_over_all_profiles() {
    let office = office();
    let (one, two) = (
        office.take_for(1, "a", 10, "Ann@example.com").unwrap(),
        office.take_for(2, "b", 10, "ann@example.com").unwrap(),
    );
    assert!(office.take_for(3, "a", 1, "ann@example.com").is_err());
    // Who waits for the account keeps no place of the profile from others.
    drop(two);
    drop(office.take_for(4, "c", 1, "bob@example.com").unwrap());
    assert_eq!(office.called(), [mailbox(3)]);
    drop(one);
    drop(office.take_for(3, "a", 1, "ann@example.com").unwrap());
    assert!(office.is_empty());
}

#[test]
fn who_waits_for_a_profile_keeps_no_place_of_the_account() {
    let office = office();
    let first = office.take(1, "slow", 1).unwrap();
    for number in 2..6 {
        assert!(
            office
                .take_for(number, "slow", 1, "ann@example.com")
                .is_err()
        );
    }
    let elsewhere = [7, 8].map(|number| office.take_for(number, "quick", 9, "ann@example.com"));
    assert!(elsewhere.iter().all(Result::is_ok));
    drop(first);
    assert_eq!(office.called(), [mailbox(2)]);
    // Its turn has come at the profile, but the account is full: the next one may come meanwhile.
    assert!(office.take_for(2, "slow", 1, "ann@example.com").is_err());
    assert_eq!(office.called(), [mailbox(3)]);
    drop(elsewhere);
    assert!(office.called().contains(&mailbox(2)));
    for number in 2..6 {
        office.slots.forget(&mailbox(number));
    }
    assert!(office.is_empty());
}

#[test]
fn a_changed_maximum_counts_for_everybody() {
    let office = office();
    let mut open: Vec<Slot> = (0..4)
        .map(|n| office.take(n, "google", 4).unwrap())
        .collect();
    assert!(office.take(4, "google", 4).is_err());
    // Lowered: who has a place keeps it, and nobody comes until fewer than the new maximum are left.
    assert!(office.take(5, "google", 2).is_err());
    for _ in 0..2 {
        drop(open.pop());
        assert!(office.called().is_empty());
        assert!(office.take(4, "google", 2).is_err());
    }
    drop(open.pop());
    assert_eq!(office.called(), [mailbox(4)]);
    // Raised: those who wait are called at once.
    assert!(office.take(6, "google", 2).is_err());
    assert!(office.take(7, "google", 2).is_err());
    open.push(office.take(4, "google", 9).unwrap());
    assert_eq!(office.called(), [mailbox(5), mailbox(6), mailbox(7)]);
    open.extend([5, 6, 7].map(|n| office.take(n, "google", 9).unwrap()));
    drop(open);
    assert!(office.is_empty());
}

#[test]
fn who_does_not_come_loses_the_turn() {
    let office = office();
    let first = office.take(1, "google", 1).unwrap();
    let start = Instant::now();
    for number in 2..5 {
        assert!(office.take(number, "google", 1).is_err());
    }
    drop(first);
    assert_eq!(office.called(), [mailbox(2)]);
    assert!(office.take(3, "google", 1).is_err());
    let late = start + COMES_WITHIN + Duration::from_secs(1);
    let third = office
        .take_at(3, "google", 1, "3@example.com", late)
        .unwrap();
    office.slots.forget(&mailbox(4));
    drop(third);
    assert!(office.called().is_empty() && office.is_empty());
}

#[test]
fn the_wait_is_counted_from_its_beginning() {
    let office = office();
    let start = Instant::now();
    let _first = office.take(1, "google", 1).unwrap();
    let wait = |after: u64| {
        let now = start + Duration::from_secs(after);
        let busy = office.take_at(2, "google", 1, "2@example.com", now).err();
        busy.unwrap().waited.as_secs()
    };
    assert_eq!((wait(0), wait(7), wait(70)), (0, 7, 70));
}

#[test]
fn profiles_whose_servers_hang_leave_room_for_others() {
    let office = office();
    let take_all = |profile: usize| {
        let each = |number| office.take(1000 * profile + number, &profile.to_string(), 300);
        (0..400).map_while(|number| each(number).ok()).collect()
    };
    let mut open: Vec<Vec<Slot>> = (0..5).map(take_all).collect();
    let counts: Vec<usize> = open.iter().map(Vec::len).collect();
    assert_eq!(counts[0], 300, "one alone has all that it may have");
    assert!(
        counts.is_sorted_by(|a, b| a > b) && counts[4] > 0,
        "{counts:?}"
    );
    assert!(counts.iter().sum::<usize>() < usize::from(CONNECTIONS));

    // What the first gives back is the others', as long as it has more than they may have.
    assert_eq!(office.called(), []);
    open[0].truncate(100);
    let profile_of = |name: &ObjectName| -> usize {
        let number: usize = name.name.trim_start_matches("box-").parse().unwrap();
        number / 1000
    };
    let called = office.called();
    let profiles: Vec<usize> = called.iter().map(profile_of).collect();
    assert_eq!(profiles, [4, 3, 2, 1, 0], "who has the least comes first");
    assert!(office.take(4000 + counts[4], "4", 300).is_ok());
}
