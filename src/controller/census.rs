use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use kube::ResourceExt;

use crate::api::{Mailbox, MailboxStatus};
use crate::domain::name::ObjectName;
use crate::domain::profile::{Choice, Counts, RequestKey, Standing, Tally};

/// Which Mailboxes use which profile, and how they stand: what would be a walk over all Mailboxes
/// for each question. Filled by the watch, so it is whole before the first decision.
#[derive(Default)]
pub struct Census(Mutex<Rolls>);

/// By a hash of each Mailbox's uid: there may be very many.
#[derive(Default)]
struct Rolls {
    profiles: HashMap<Arc<ObjectName>, HashMap<u64, Member>>,
    profile_of: HashMap<u64, Arc<ObjectName>>,
}

struct Member {
    /// The choice is not in status yet.
    unwritten: bool,
    standing: Standing,
}

impl Census {
    /// The watch has shown `mailbox`. A choice that its status does not have yet stays counted.
    /// Returns the profiles whose counts have changed.
    pub fn seen(&self, mailbox: &Mailbox) -> Vec<ObjectName> {
        let profile = mailbox.status.as_ref().and_then(profile_in);
        let mut rolls = self.lock();
        match profile.is_none() && rolls.has_unwritten(key(&mailbox.uid().unwrap_or_default())) {
            true => Vec::new(),
            false => rolls.enrol(mailbox, profile),
        }
    }

    /// We have written `mailbox`'s status. Returns the profiles whose counts have changed.
    pub fn written(&self, mailbox: &Mailbox) -> Vec<ObjectName> {
        let profile = mailbox.status.as_ref().and_then(profile_in);
        self.lock().enrol(mailbox, profile)
    }

    /// The Mailbox `uid` is gone. Returns the profile that it used.
    pub fn gone(&self, uid: &str) -> Option<ObjectName> {
        self.lock().strike(key(uid))
    }

    /// Chooses a profile for the Mailbox `uid` and counts it there at once, so that Mailboxes which
    /// choose at the same time see each other. `choose` is told how many each profile has. Returns
    /// the choice, and the profiles whose counts have changed.
    pub fn choose(
        &self,
        uid: &str,
        choose: impl FnOnce(&dyn Fn(&ObjectName) -> usize) -> Choice,
    ) -> (Choice, Vec<ObjectName>) {
        let uid = key(uid);
        let mut rolls = self.lock();
        let choice = choose(&|profile| rolls.profiles.get(profile).map_or(0, HashMap::len));
        let mut changed = Vec::new();
        let Choice::Use(profile) = &choice else {
            changed.extend(rolls.strike(uid));
            return (choice, changed);
        };
        if rolls.profile_of.get(&uid).map(Arc::as_ref) != Some(profile) {
            changed.extend(rolls.strike(uid));
            changed.push(profile.clone());
            let member = Member {
                unwritten: true,
                standing: Standing::default(),
            };
            rolls.add(uid, profile.clone(), member);
        }
        (choice, changed)
    }

    /// The counts of `profile`; what fails since `lately` or later counts as that.
    pub fn counts(&self, profile: &ObjectName, lately: Timestamp) -> Counts {
        let rolls = self.lock();
        let members = rolls.profiles.get(profile).into_iter().flatten();
        Counts::of(members.map(|(_, member)| member.standing), lately)
    }

    /// How far the mailboxes of `profile` have answered `request`.
    pub fn tally(&self, profile: &ObjectName, request: RequestKey) -> Tally {
        let rolls = self.lock();
        let members = rolls.profiles.get(profile).into_iter().flatten();
        Tally::of(members.map(|(_, member)| member.standing), request)
    }

    /// When the sign-ins of `profile`'s mailboxes are known to end.
    pub fn ends(&self, profile: &ObjectName) -> Vec<Timestamp> {
        let rolls = self.lock();
        let members = rolls.profiles.get(profile).into_iter().flatten();
        members
            .filter_map(|(_, member)| member.standing.ends)
            .collect()
    }

    /// The profile that the Mailbox `uid` uses.
    pub fn profile_of(&self, uid: &str) -> Option<Arc<ObjectName>> {
        self.lock().profile_of.get(&key(uid)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Rolls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn profile_in(status: &MailboxStatus) -> Option<ObjectName> {
    let profile = status.profile.as_ref()?;
    Some(ObjectName::new(&profile.namespace, &profile.name))
}

impl Rolls {
    fn has_unwritten(&self, uid: u64) -> bool {
        let member = self.profile_of.get(&uid);
        let member = member.and_then(|profile| self.profiles.get(profile)?.get(&uid));
        member.is_some_and(|member| member.unwritten)
    }

    fn enrol(&mut self, mailbox: &Mailbox, profile: Option<ObjectName>) -> Vec<ObjectName> {
        let uid = key(&mailbox.uid().unwrap_or_default());
        let standing = mailbox.status.as_ref().map(Standing::from);
        let member = Member {
            unwritten: false,
            standing: standing.unwrap_or_default(),
        };
        let known = self.profile_of.get(&uid);
        let same = known.map(Arc::as_ref) == profile.as_ref()
            && known
                .and_then(|profile| self.profiles.get(profile)?.get(&uid))
                .is_none_or(|known| known.standing == member.standing && !known.unwritten);
        if same {
            return Vec::new();
        }
        let mut changed = Vec::from_iter(self.strike(uid));
        if let Some(profile) = profile {
            if !changed.contains(&profile) {
                changed.push(profile.clone());
            }
            self.add(uid, profile, member);
        }
        changed
    }

    fn add(&mut self, uid: u64, profile: ObjectName, member: Member) {
        let known = self.profiles.get_key_value(&profile);
        let profile = known.map_or_else(|| Arc::new(profile), |(known, _)| known.clone());
        self.profile_of.insert(uid, profile.clone());
        let members = self.profiles.entry(profile).or_default();
        members.insert(uid, member);
    }

    fn strike(&mut self, uid: u64) -> Option<ObjectName> {
        let profile = self.profile_of.remove(&uid)?;
        if let Some(members) = self.profiles.get_mut(&profile) {
            members.remove(&uid);
            if members.is_empty() {
                self.profiles.remove(&profile);
            }
        }
        Some(profile.as_ref().clone())
    }
}

fn key(uid: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    uid.hash(&mut hash);
    hash.finish()
}
