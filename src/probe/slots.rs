//! Who may have a connection to a mail server now. Nobody waits here: a mailbox for which there is
//! no place goes away, and is called when its turn has come, so that the mailboxes of a profile
//! whose servers are slow keep none of another profile from being worked on.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use url::Url;

use crate::domain::name::ObjectName;

/// How many connections of an account there are at once. Gmail allows 15 over IMAP
/// (support.google.com/mail/answer/7126229, "Too many simultaneous connections"), which the mail
/// programs of the mailbox's owner share with us.
pub const ACCOUNT_CONNECTIONS: usize = 2;

/// How many connections there are at once over all profiles: a profile alone gets the largest maximum
/// that it may have, 300.
pub const CONNECTIONS: u16 = 450;

/// A profile has at most so many times the connections that nobody has (the dynamic threshold of
/// Choudhury and Hahne, 1998, "Dynamic queue length thresholds for shared-memory packet switches"): however
/// many profiles have servers that hang, and however many connections each may have, there are some
/// left for one that comes later, and the busiest give way to it.
const SHARE: usize = 2;

/// How long a place is kept for a mailbox that was called.
const COMES_WITHIN: Duration = Duration::from_secs(10);

/// The places for connections: of each profile, of each account over all profiles, and of all.
#[derive(Clone)]
pub struct Slots {
    places: Arc<Mutex<Places>>,
    call: Arc<dyn Fn(&ObjectName) + Send + Sync>,
}

/// One connection that may be made; several, one after the other. It is given back when dropped,
/// which must be after the connection has ended.
pub struct Slot {
    slots: Slots,
    of: [Holder; 2],
}

/// Who wants a place.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The Mailbox, to be called.
    pub mailbox: &'a ObjectName,
    /// Its profile.
    pub profile: &'a ObjectName,
    /// How many connections the profile may have at once now: 1 to 300.
    pub max: usize,
    /// The OAuth server that knows the account: a stand-in's accounts are not Google's.
    pub token_endpoint: &'a Url,
    /// The account's address.
    pub account: &'a str,
}

/// There is no place; the Mailbox is called when there is one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Busy {
    /// How long it has been waiting.
    pub waited: Duration,
}

/// Whose places they are.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Holder {
    Account(Url, String),
    Profile(ObjectName),
}

#[derive(Default)]
struct Places {
    /// Connections over all profiles.
    used: usize,
    limits: HashMap<Holder, Limit>,
    waiting: HashMap<ObjectName, Waiting>,
}

/// A Mailbox waits at one place at most.
struct Waiting {
    at: Holder,
    since: Instant,
}

#[derive(Default)]
struct Limit {
    max: usize,
    used: usize,
    /// In the order in which they came. Those that were called are the first.
    queue: VecDeque<Queued>,
}

struct Queued {
    mailbox: ObjectName,
    called: Option<Instant>,
}

impl Slots {
    /// With `call` to tell a Mailbox that its turn has come.
    pub fn new(call: impl Fn(&ObjectName) + Send + Sync + 'static) -> Self {
        Self {
            places: Arc::default(),
            call: Arc::new(call),
        }
    }

    /// A place of the account and one of the profile: both or none. The profile's maximum counts
    /// for everybody from now on: where more are in use already, they come to their end first.
    ///
    /// # Errors
    /// [`Busy`] where there is none, or others came first.
    pub fn take(&self, claim: &Claim<'_>) -> Result<Slot, Busy> {
        self.take_at(claim, Instant::now())
    }

    fn take_at(&self, claim: &Claim<'_>, now: Instant) -> Result<Slot, Busy> {
        let account = claim.account.to_ascii_lowercase();
        let of = [
            Holder::Account(claim.token_endpoint.clone(), account),
            Holder::Profile(claim.profile.clone()),
        ];
        let mut places = self.lock();
        for (holder, max) in of.iter().zip([ACCOUNT_CONNECTIONS, claim.max]) {
            let limit = places.limits.entry(holder.clone()).or_default();
            limit.max = max;
            places.expire(holder, now);
        }
        let full = of.iter().find(|at| !places.admits(at, claim.mailbox));
        let taken = match full {
            Some(at) => Err(places.wait(claim.mailbox, at, now)),
            None => {
                places.leave(claim.mailbox);
                places.used += 1;
                for holder in &of {
                    places.limits.entry(holder.clone()).or_default().used += 1;
                }
                Ok(())
            }
        };
        self.settle(&mut places, &of, now);
        drop(places);
        taken.map(|()| Slot {
            slots: self.clone(),
            of,
        })
    }

    /// The profile's maximum is `max` from now on; those who wait and have a place by it are called.
    pub fn resize(&self, profile: &ObjectName, max: usize) {
        let of = Holder::Profile(profile.clone());
        let mut places = self.lock();
        if let Some(limit) = places.limits.get_mut(&of) {
            limit.max = max;
            self.settle(&mut places, &[of], Instant::now());
        }
    }

    /// The Mailbox is gone, or wants no connection any more.
    pub fn forget(&self, mailbox: &ObjectName) {
        let mut places = self.lock();
        if let Some(at) = places.leave(mailbox) {
            self.settle(&mut places, &[at], Instant::now());
        }
    }

    /// How many connections may be open now, and how many Mailboxes wait for one.
    pub fn load(&self) -> (usize, usize) {
        let places = self.lock();
        (places.used, places.waiting.len())
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls those whose turn has come, and keeps nothing of whom nobody uses or waits for.
    fn settle(&self, places: &mut Places, holders: &[Holder], now: Instant) {
        for holder in holders {
            places.expire(holder, now);
            let free = places.free(holder);
            let Some(limit) = places.limits.get_mut(holder) else {
                continue;
            };
            for next in limit.queue.iter_mut().take(free) {
                if next.called.is_none() {
                    next.called = Some(now);
                    (self.call)(&next.mailbox);
                }
            }
            if limit.used == 0 && limit.queue.is_empty() {
                places.limits.remove(holder);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut places = self.slots.lock();
        for holder in &self.of {
            if let Some(limit) = places.limits.get_mut(holder) {
                limit.used = limit.used.saturating_sub(1);
            }
        }
        places.used = places.used.saturating_sub(1);
        // It may be anybody's.
        let mut of = places.profiles_with_queue();
        of.extend_from_slice(&self.of);
        self.slots.settle(&mut places, &of, Instant::now());
    }
}

impl Places {
    /// How many may come now.
    fn free(&self, at: &Holder) -> usize {
        let Some(limit) = self.limits.get(at) else {
            return 0;
        };
        let free = limit.max.saturating_sub(limit.used);
        match at {
            Holder::Account(..) => free,
            Holder::Profile(_) => {
                let left = SHARE * usize::from(CONNECTIONS).saturating_sub(self.used);
                // Each that comes leaves one less.
                free.min(left.saturating_sub(limit.used).div_ceil(SHARE + 1))
            }
        }
    }

    fn profiles_with_queue(&self) -> Vec<Holder> {
        let waited_for = |(at, limit): &(&Holder, &Limit)| {
            matches!(at, Holder::Profile(_)) && !limit.queue.is_empty()
        };
        let found = self.limits.iter().filter(waited_for);
        found.map(|(at, _)| at.clone()).collect()
    }

    /// Whether there is a place for `mailbox` behind those that came before it.
    fn admits(&self, at: &Holder, mailbox: &ObjectName) -> bool {
        let Some(limit) = self.limits.get(at) else {
            return false;
        };
        let waits_here = self
            .waiting
            .get(mailbox)
            .is_some_and(|waiting| waiting.at == *at);
        match waits_here {
            true => (limit.queue.iter().take(self.free(at))).any(|next| next.mailbox == *mailbox),
            false => limit.queue.len() < self.free(at),
        }
    }

    fn wait(&mut self, mailbox: &ObjectName, at: &Holder, now: Instant) -> Busy {
        let before = self.waiting.get(mailbox);
        let since = before.map_or(now, |waiting| waiting.since);
        if before.is_some_and(|waiting| waiting.at == *at) {
            // It came, and found that there are fewer now: it is called again.
            let limit = self.limits.entry(at.clone()).or_default();
            let queued = limit.queue.iter_mut();
            for queued in queued.filter(|queued| queued.mailbox == *mailbox) {
                queued.called = None;
            }
        } else {
            self.leave(mailbox);
            let limit = self.limits.entry(at.clone()).or_default();
            limit.queue.push_back(Queued {
                mailbox: mailbox.clone(),
                called: None,
            });
            let at = at.clone();
            self.waiting.insert(mailbox.clone(), Waiting { at, since });
        }
        Busy {
            waited: now.duration_since(since),
        }
    }

    /// Where it waited.
    fn leave(&mut self, mailbox: &ObjectName) -> Option<Holder> {
        let waiting = self.waiting.remove(mailbox)?;
        if let Some(limit) = self.limits.get_mut(&waiting.at)
            && let Some(place) = limit.queue.iter().position(|q| q.mailbox == *mailbox)
        {
            limit.queue.remove(place);
        }
        Some(waiting.at)
    }

    /// Those that were called and did not come lose their turn.
    fn expire(&mut self, at: &Holder, now: Instant) {
        let Some(limit) = self.limits.get_mut(at) else {
            return;
        };
        let late = |next: &mut Queued| {
            let called = next.called;
            called.is_some_and(|called| now.duration_since(called) > COMES_WITHIN)
        };
        while let Some(gone) = limit.queue.pop_front_if(late) {
            self.waiting.remove(&gone.mailbox);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
