use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use kube::ResourceExt;

use crate::api::{Mailbox, MailboxStatus};
use crate::domain::mailbox::{Health, HealthState};
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
    /// Those that no profile serves.
    unserved: HashMap<u64, Health>,
}

struct Member {
    /// The choice is not in status yet.
    unwritten: bool,
    standing: Standing,
    /// For metrics alone: it changes far more often than what profiles count.
    health: Health,
}

/// How many Mailboxes are how.
pub type HealthCounts = HashMap<Health, i64>;

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
            changed.extend(rolls.dismiss(uid));
            return (choice, changed);
        };
        if rolls.profile_of.get(&uid).map(Arc::as_ref) != Some(profile) {
            changed.extend(rolls.strike(uid));
            changed.push(profile.clone());
            let member = Member {
                unwritten: true,
                standing: Standing::default(),
                health: Health::default(),
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

    /// Whether access tokens are renewed for any Mailbox of `profile`: one that is signed in, and that
    /// nobody has suspended.
    pub fn renews(&self, profile: &ObjectName) -> bool {
        let rolls = self.lock();
        let mut members = rolls.profiles.get(profile).into_iter().flatten();
        members.any(|(_, member)| {
            member.standing.signed_in && member.health.state != HealthState::Suspended
        })
    }

    /// When the sign-ins of `profile`'s mailboxes are known to end.
    pub fn ends(&self, profile: &ObjectName) -> Vec<Timestamp> {
        let rolls = self.lock();
        let members = rolls.profiles.get(profile).into_iter().flatten();
        members
            .filter_map(|(_, member)| member.standing.ends)
            .collect()
    }

    /// How the Mailboxes of each profile are, and last those that no profile serves.
    pub fn healths(&self) -> Vec<(Option<Arc<ObjectName>>, HealthCounts)> {
        let rolls = self.lock();
        let served = rolls.profiles.iter().map(|(profile, members)| {
            let healths = members.values().map(|member| member.health);
            (Some(profile.clone()), counted(healths))
        });
        let unserved = counted(rolls.unserved.values().copied());
        served.chain([(None, unserved)]).collect()
    }

    /// The profile that the Mailbox `uid` uses.
    pub fn profile_of(&self, uid: &str) -> Option<Arc<ObjectName>> {
        self.lock().profile_of.get(&key(uid)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Rolls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counted(healths: impl Iterator<Item = Health>) -> HealthCounts {
    let mut counts = HealthCounts::new();
    healths.for_each(|health| *counts.entry(health).or_default() += 1);
    counts
}

fn profile_in(status: &MailboxStatus) -> Option<ObjectName> {
    let profile = status.profile.as_ref()?;
    Some(ObjectName::new(&profile.namespace, &profile.name))
}

impl Rolls {
    fn has_unwritten(&mut self, uid: u64) -> bool {
        self.member(uid).is_some_and(|member| member.unwritten)
    }

    fn enrol(&mut self, mailbox: &Mailbox, profile: Option<ObjectName>) -> Vec<ObjectName> {
        let uid = key(&mailbox.uid().unwrap_or_default());
        let status = mailbox.status.as_ref();
        let member = Member {
            unwritten: false,
            standing: status.map(Standing::from).unwrap_or_default(),
            health: status.map(Health::from).unwrap_or_default(),
        };
        if self.profile_of.get(&uid).map(Arc::as_ref) == profile.as_ref()
            && let Some(known) = self.member(uid)
            && known.standing == member.standing
            && !known.unwritten
        {
            known.health = member.health;
            return Vec::new();
        }
        let mut changed = Vec::from_iter(self.strike(uid));
        let Some(profile) = profile else {
            self.unserved.insert(uid, member.health);
            return changed;
        };
        if !changed.contains(&profile) {
            changed.push(profile.clone());
        }
        self.add(uid, profile, member);
        changed
    }

    fn member(&mut self, uid: u64) -> Option<&mut Member> {
        let profile = self.profile_of.get(&uid)?;
        self.profiles.get_mut(profile)?.get_mut(&uid)
    }

    /// No profile serves it any more.
    fn dismiss(&mut self, uid: u64) -> Option<ObjectName> {
        let health = self.member(uid).map(|member| member.health)?;
        let profile = self.strike(uid);
        self.unserved.insert(uid, health);
        profile
    }

    fn add(&mut self, uid: u64, profile: ObjectName, member: Member) {
        let known = self.profiles.get_key_value(&profile);
        let profile = known.map_or_else(|| Arc::new(profile), |(known, _)| known.clone());
        self.profile_of.insert(uid, profile.clone());
        let members = self.profiles.entry(profile).or_default();
        members.insert(uid, member);
    }

    fn strike(&mut self, uid: u64) -> Option<ObjectName> {
        self.unserved.remove(&uid);
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Reason;

    /// The Mailbox `uid`, which uses `profile` and is not Ready for `reason`.
    fn mailbox(uid: &str, profile: Option<&str>, reason: Reason) -> Mailbox {
        let profile = profile.map(|name| json!({ "namespace": "mail", "name": name }));
        serde_json::from_value(json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
            "metadata": { "name": uid, "namespace": "crm", "uid": uid },
            "spec": { "emailAddress": "box@example.com" },
            "status": {
                "profile": profile,
                "conditions": [{
                    "type": "Ready", "status": "False", "reason": reason.name(), "message": "",
                    "lastTransitionTime": "2026-11-26T10:00:00Z",
                }],
            },
        }))
        .unwrap()
    }

    fn google() -> ObjectName {
        ObjectName::new("mail", "google")
    }

    /// Of the Mailboxes of the profile `google`, and of those that no profile serves.
    fn waiting(census: &Census) -> [Vec<(Reason, i64)>; 2] {
        let healths = census.healths();
        [Some(google()), None].map(|wanted| {
            let of = |of: &Option<Arc<ObjectName>>| of.as_deref() == wanted.as_ref();
            let counts = healths.iter().filter(|(profile, _)| of(profile));
            let counts = counts
                .flat_map(|(_, counts)| counts)
                .inspect(|(health, _)| {
                    assert_eq!(health.state, HealthState::Waiting);
                });
            let mut counts: Vec<_> = counts
                .map(|(health, count)| (health.reason, *count))
                .collect();
            counts.sort();
            counts
        })
    }

    #[test]
    fn each_mailbox_is_counted_once_and_how_it_is_wakes_no_profile() {
        let (census, uses) = (Census::default(), Some("google"));
        let (checked, asked) = (Reason::NotChecked, Reason::SignInRequired);
        assert_eq!(census.seen(&mailbox("a", uses, checked)), [google()]);
        census.seen(&mailbox("b", uses, asked));
        census.seen(&mailbox("c", None, Reason::NoDefaultProfile));
        let unserved = vec![(Reason::NoDefaultProfile, 1)];
        assert_eq!(
            waiting(&census),
            [vec![(checked, 1), (asked, 1)], unserved.clone()]
        );
        assert_eq!(census.seen(&mailbox("a", uses, asked)), []);
        assert_eq!(waiting(&census), [vec![(asked, 2)], unserved]);
        let (_, changed) = census.choose("b", |_| Choice::NoDefault);
        assert_eq!(changed, [google()]);
        let (_, changed) = census.choose("c", |_| Choice::Use(google()));
        assert_eq!(changed, [google()]);
        assert_eq!(
            waiting(&census),
            [vec![(checked, 1), (asked, 1)], vec![(asked, 1)]]
        );
        for uid in ["a", "b", "c"] {
            census.gone(uid);
        }
        assert_eq!(waiting(&census), [vec![], vec![]]);
    }

    #[test]
    fn nothing_is_renewed_for_who_is_suspended_or_signed_out() {
        for (ready, signed_in, renews) in [
            ("Enabled", "True", true),
            ("GoogleUnavailable", "True", true),
            ("Suspended", "True", false),
            ("ProfileSuspended", "True", false),
            ("SignInRequired", "False", false),
            ("ConsentExpired", "False", false),
        ] {
            let census = Census::default();
            let mut mailbox = mailbox("a", Some("google"), ready.parse().unwrap());
            let conditions = &mut mailbox.status.as_mut().unwrap().conditions;
            let mut more = conditions[0].clone();
            more.type_ = "SignedIn".into();
            more.status = signed_in.into();
            conditions.push(more);
            census.seen(&mailbox);
            assert_eq!(census.renews(&google()), renews, "{ready}");
            census.gone("a");
            assert!(!census.renews(&google()));
        }
    }
}
