use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use kube::ResourceExt;

use super::context::object_name;
use crate::api::{Mailbox, MailboxStatus};
use crate::domain::name::ObjectName;
use crate::domain::profile::{Choice, Counts, Standing};

/// Which Mailboxes use which profile, and how they stand: what would be a walk over all Mailboxes
/// for each question. Filled by the watch, so it is whole before the first decision.
#[derive(Default)]
pub struct Census(Mutex<Rolls>);

#[derive(Default)]
struct Rolls {
    profiles: HashMap<ObjectName, HashMap<String, Member>>,
    profile_of: HashMap<String, ObjectName>,
}

struct Member {
    name: ObjectName,
    standing: Standing,
}

impl Census {
    /// The watch has shown `mailbox`. A choice that its status does not have yet stays counted.
    /// Returns the profiles whose counts have changed.
    pub fn seen(&self, mailbox: &Mailbox) -> Vec<ObjectName> {
        match mailbox.status.as_ref().and_then(profile_in) {
            Some(profile) => self.lock().enrol(mailbox, Some(profile)),
            None => Vec::new(),
        }
    }

    /// We have written `mailbox`'s status. Returns the profiles whose counts have changed.
    pub fn written(&self, mailbox: &Mailbox) -> Vec<ObjectName> {
        let profile = mailbox.status.as_ref().and_then(profile_in);
        self.lock().enrol(mailbox, profile)
    }

    /// The Mailbox `uid` is gone. Returns the profile that it used.
    pub fn gone(&self, uid: &str) -> Option<ObjectName> {
        self.lock().strike(uid)
    }

    /// Chooses a profile for the Mailbox `uid` and counts it there at once, so that Mailboxes which
    /// choose at the same time see each other. `choose` is told how many each profile has. Returns
    /// the choice, and the profiles whose counts have changed.
    pub fn choose(
        &self,
        uid: &str,
        mailbox: &ObjectName,
        choose: impl FnOnce(&dyn Fn(&ObjectName) -> usize) -> Choice,
    ) -> (Choice, Vec<ObjectName>) {
        let mut rolls = self.lock();
        let choice = choose(&|profile| rolls.profiles.get(profile).map_or(0, HashMap::len));
        let mut changed = Vec::new();
        if let Choice::Use(profile) = &choice
            && rolls.profile_of.get(uid) != Some(profile)
        {
            changed.extend(rolls.strike(uid));
            changed.push(profile.clone());
            let member = Member {
                name: mailbox.clone(),
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

    /// When the sign-ins of `profile`'s mailboxes are known to end.
    pub fn ends(&self, profile: &ObjectName) -> Vec<Timestamp> {
        let rolls = self.lock();
        let members = rolls.profiles.get(profile).into_iter().flatten();
        members
            .filter_map(|(_, member)| member.standing.ends)
            .collect()
    }

    /// The Mailboxes that use `profile`.
    pub fn members(&self, profile: &ObjectName) -> Vec<ObjectName> {
        let rolls = self.lock();
        let members = rolls.profiles.get(profile).into_iter().flatten();
        members.map(|(_, member)| member.name.clone()).collect()
    }

    /// Whether the Mailbox `uid` uses a profile.
    pub fn has(&self, uid: &str) -> bool {
        self.lock().profile_of.contains_key(uid)
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
    fn enrol(&mut self, mailbox: &Mailbox, profile: Option<ObjectName>) -> Vec<ObjectName> {
        let uid = mailbox.uid().unwrap_or_default();
        let standing = mailbox.status.as_ref().map(Standing::from);
        let member = Member {
            name: object_name(mailbox),
            standing: standing.unwrap_or_default(),
        };
        let known = self.profile_of.get(&uid);
        let same = known == profile.as_ref()
            && known
                .and_then(|profile| self.profiles.get(profile)?.get(&uid))
                .is_none_or(|known| known.standing == member.standing);
        if same {
            return Vec::new();
        }
        let mut changed = Vec::from_iter(self.strike(&uid));
        if let Some(profile) = profile {
            if !changed.contains(&profile) {
                changed.push(profile.clone());
            }
            self.add(&uid, profile, member);
        }
        changed
    }

    fn add(&mut self, uid: &str, profile: ObjectName, member: Member) {
        self.profile_of.insert(uid.to_owned(), profile.clone());
        self.profiles
            .entry(profile)
            .or_default()
            .insert(uid.to_owned(), member);
    }

    fn strike(&mut self, uid: &str) -> Option<ObjectName> {
        let profile = self.profile_of.remove(uid)?;
        if let Some(members) = self.profiles.get_mut(&profile) {
            members.remove(uid);
            if members.is_empty() {
                self.profiles.remove(&profile);
            }
        }
        Some(profile)
    }
}
