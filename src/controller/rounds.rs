//! Tests of all Mailboxes of a profile: who of them has been let in.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::name::ObjectName;
use crate::domain::profile::RequestKey;

/// For each place for a connection so many are under way: one has it, one renews its token meanwhile.
const FOR_EACH_PLACE: usize = 2;

/// How long one that was let in keeps others waiting: what has not been heard of by then was lost.
const LONGEST: Duration = Duration::from_secs(1800);

/// The newest test of all Mailboxes of each profile that had one. Whoever signs in meanwhile comes
/// behind those that are under way, not behind thousands.
#[derive(Default)]
pub struct Rounds(Mutex<HashMap<ObjectName, Round>>);

struct Round {
    request: RequestKey,
    places: usize,
    /// In this order; those that are not in `outside` any more have gone meanwhile.
    line: VecDeque<ObjectName>,
    outside: HashSet<ObjectName>,
    /// Let in, at that time, and not yet tested.
    under_way: HashMap<ObjectName, Instant>,
}

impl Rounds {
    /// The annotation of `profile`, which has so many `places` for connections, asks for a test of
    /// `mailboxes`. It takes the place of an older one. Whom to wake.
    pub fn begin(
        &self,
        profile: ObjectName,
        request: RequestKey,
        mailboxes: Vec<ObjectName>,
        places: usize,
    ) -> Vec<ObjectName> {
        let mut round = Round {
            request,
            places,
            outside: mailboxes.iter().cloned().collect(),
            line: mailboxes.into(),
            under_way: HashMap::new(),
        };
        let woken = round.let_in(Instant::now());
        self.lock().insert(profile, round);
        woken
    }

    /// Whether `mailbox` need not wait for its turn in the round of `profile` for `request`: it has
    /// been let in, or came after the round had begun.
    pub fn lets_in(&self, profile: &ObjectName, request: RequestKey, mailbox: &ObjectName) -> bool {
        let rounds = self.lock();
        let round = rounds.get(profile);
        let round = round.filter(|round| round.request == request);
        round.is_some_and(|round| !round.outside.contains(mailbox))
    }

    /// `mailbox` is gone. Whom to wake.
    pub fn gone(&self, mailbox: &ObjectName) -> Vec<ObjectName> {
        for round in self.lock().values_mut() {
            round.outside.remove(mailbox);
        }
        self.leave(mailbox)
    }

    /// `mailbox` has been tested, or cannot be. Whom to wake.
    pub fn leave(&self, mailbox: &ObjectName) -> Vec<ObjectName> {
        let mut woken = Vec::new();
        for round in self.lock().values_mut() {
            if round.under_way.remove(mailbox).is_some() {
                woken.extend(round.let_in(Instant::now()));
            }
        }
        woken
    }

    /// Looks for those that were lost. Whom to wake.
    pub fn look(&self) -> Vec<ObjectName> {
        let now = Instant::now();
        let mut rounds = self.lock();
        rounds
            .values_mut()
            .flat_map(|round| round.let_in(now))
            .collect()
    }

    /// `profile` has so many places from now on. Whom to wake.
    pub fn resize(&self, profile: &ObjectName, places: usize) -> Vec<ObjectName> {
        let mut rounds = self.lock();
        let Some(round) = rounds.get_mut(profile) else {
            return Vec::new();
        };
        round.places = places;
        round.let_in(Instant::now())
    }

    /// `profile` is gone.
    pub fn forget(&self, profile: &ObjectName) {
        self.lock().remove(profile);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectName, Round>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Round {
    fn let_in(&mut self, now: Instant) -> Vec<ObjectName> {
        self.under_way
            .retain(|_, since| now.duration_since(*since) < LONGEST);
        let mut woken = Vec::new();
        while self.under_way.len() < FOR_EACH_PLACE * self.places
            && let Some(next) = self.line.pop_front()
        {
            if self.outside.remove(&next) {
                self.under_way.insert(next.clone(), now);
                woken.push(next);
            }
        }
        woken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ObjectName {
        ObjectName::new("crm", name)
    }

    fn of(profile: &str) -> ObjectName {
        ObjectName::new("mail", profile)
    }

    fn names(names: &[&str]) -> Vec<ObjectName> {
        names.iter().map(|next| name(next)).collect()
    }

    #[test]
    fn so_many_are_under_way_as_have_places() {
        let (rounds, request) = (Rounds::default(), RequestKey::of("now"));
        let lets_in = |mailbox| rounds.lets_in(&of("google"), request, &name(mailbox));
        assert!(!lets_in("a"), "the round has not begun");
        let all = names(&["a", "b", "c", "d", "e", "f"]);
        let woken = rounds.begin(of("google"), request, all, 1);
        assert_eq!(woken, names(&["a", "b"]));
        assert!(lets_in("a") && lets_in("b") && !lets_in("c"));
        assert!(lets_in("new"), "it came later");
        assert_eq!(rounds.leave(&name("c")), []);
        assert!(!lets_in("c"), "its turn has not come");
        assert_eq!(rounds.gone(&name("c")), []);
        assert_eq!(rounds.leave(&name("a")), names(&["d"]));
        assert_eq!(rounds.leave(&name("a")), [], "once");
        assert!(lets_in("a") && lets_in("d") && !lets_in("e"));
        assert_eq!(rounds.look(), []);
        assert_eq!(rounds.resize(&of("google"), 2), names(&["e", "f"]));
    }

    #[test]
    fn a_newer_one_takes_its_place_and_other_profiles_have_their_own() {
        let rounds = Rounds::default();
        let (old, new) = (RequestKey::of("old"), RequestKey::of("new"));
        rounds.begin(of("google"), old, names(&["a", "b", "c"]), 1);
        rounds.begin(of("other"), old, names(&["d", "e", "f"]), 1);
        assert_eq!(
            rounds.begin(of("google"), new, names(&["c", "b", "a"]), 1),
            names(&["c", "b"])
        );
        assert!(rounds.lets_in(&of("google"), new, &name("c")));
        assert!(!rounds.lets_in(&of("google"), old, &name("c")));
        assert!(rounds.lets_in(&of("other"), old, &name("d")));
        assert_eq!(rounds.leave(&name("b")), names(&["a"]));
        rounds.forget(&of("google"));
        assert!(!rounds.lets_in(&of("google"), new, &name("c")));
    }

    #[test]
    fn who_is_lost_keeps_nobody_waiting_for_ever() {
        let mut round = Round {
            request: RequestKey::of("now"),
            places: 1,
            line: names(&["a", "b", "c"]).into(),
            outside: names(&["a", "b", "c"]).into_iter().collect(),
            under_way: HashMap::new(),
        };
        let begun = Instant::now();
        assert_eq!(round.let_in(begun).len(), 2);
        assert_eq!(round.let_in(begun + LONGEST / 2), []);
        assert_eq!(round.let_in(begun + LONGEST), names(&["c"]));
    }
}
