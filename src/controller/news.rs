use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;

use futures::{Stream, TryStreamExt, future};
use kube::runtime::watcher::{self, Event};
use kube::{Resource, ResourceExt};

use super::context::{AnyMailbox, AnyProfile};
use crate::api::{SIGN_OUT_REQUESTED_ANNOTATION, TEST_REQUESTED_ANNOTATION};

/// Lets only those Mailboxes through that have to be looked at: a change of the spec, a deletion
/// that has begun, a request for a test or a sign-out, or a lost status. Our own writes of the status are no news,
/// the first one neither.
pub fn mailbox_news(
    events: impl Stream<Item = Result<Event<AnyMailbox>, watcher::Error>> + Send,
) -> impl Stream<Item = Result<Event<AnyMailbox>, watcher::Error>> + Send {
    let mut known = Known::default();
    events.try_filter(move |event| future::ready(known.is_news(event)))
}

/// Changes with the annotation that asks for a test of each Mailbox of a profile, which is news beside
/// a change of its spec.
pub fn profile_test_request(profile: &AnyProfile) -> Option<u64> {
    Some(hash(&profile.annotations().get(TEST_REQUESTED_ANNOTATION)))
}

/// What was last seen of each Mailbox, by a hash of its uid: there may be very many.
#[derive(Default)]
struct Known {
    seen: HashMap<u64, Seen>,
    listed: HashMap<u64, Seen>,
}

#[derive(Clone, Copy)]
struct Seen {
    matters: u64,
    has_status: bool,
}

impl Known {
    fn is_news(&mut self, event: &Event<AnyMailbox>) -> bool {
        match event {
            Event::Apply(mailbox) => {
                let now = Seen::of(mailbox);
                let before = self.seen.insert(key(mailbox), now);
                now.is_news_after(before)
            }
            Event::Delete(mailbox) => {
                self.seen.remove(&key(mailbox));
                true
            }
            Event::Init => {
                self.listed.clear();
                true
            }
            Event::InitApply(mailbox) => {
                let now = Seen::of(mailbox);
                self.listed.insert(key(mailbox), now);
                now.is_news_after(self.seen.get(&key(mailbox)).copied())
            }
            // Who is not in the list is gone.
            Event::InitDone => {
                self.seen = mem::take(&mut self.listed);
                true
            }
        }
    }
}

impl Seen {
    fn of(mailbox: &AnyMailbox) -> Self {
        let meta = mailbox.meta();
        let status = mailbox
            .0
            .as_ref()
            .ok()
            .and_then(|read| read.status.as_ref());
        Self {
            matters: hash(&(
                meta.generation,
                meta.deletion_timestamp.is_some(),
                mailbox.annotations().get(TEST_REQUESTED_ANNOTATION),
                mailbox.annotations().get(SIGN_OUT_REQUESTED_ANNOTATION),
            )),
            has_status: status.is_some_and(|status| !status.conditions.is_empty()),
        }
    }

    fn is_news_after(self, before: Option<Self>) -> bool {
        before.is_none_or(|before| {
            before.matters != self.matters || (before.has_status && !self.has_status)
        })
    }
}

fn key(mailbox: &AnyMailbox) -> u64 {
    hash(&mailbox.meta().uid)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hash = DefaultHasher::new();
    value.hash(&mut hash);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use serde_json::json;

    use super::*;
    use crate::api::{Mailbox, MailboxStatus};
    use crate::cluster::watched::Watched;

    fn mailbox(
        uid: &str,
        generation: i64,
        has_status: bool,
    ) -> Result<AnyMailbox, serde_json::Error> {
        let spec = serde_json::from_value(json!({ "emailAddress": "a@example.com" }))?;
        let mut mailbox = Mailbox::new("box", spec);
        mailbox.metadata.uid = Some(uid.to_owned());
        mailbox.metadata.generation = Some(generation);
        mailbox.status = has_status.then(|| MailboxStatus {
            conditions: vec![Condition {
                type_: "Ready".to_owned(),
                status: "False".to_owned(),
                reason: "SignInRequired".to_owned(),
                message: String::new(),
                last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
                observed_generation: None,
            }],
            ..MailboxStatus::default()
        });
        Ok(Watched(Ok(mailbox)))
    }

    #[test]
    fn a_status_is_no_news_unless_it_is_lost() -> Result<(), serde_json::Error> {
        let mut known = Known::default();
        let mut apply = |generation, has_status| {
            mailbox("u-1", generation, has_status)
                .map(|mailbox| known.is_news(&Event::Apply(mailbox)))
        };
        assert!(apply(1, false)?, "a new one");
        assert!(!apply(1, true)?, "its first status");
        assert!(!apply(1, true)?, "another status");
        assert!(apply(2, true)?, "another spec");
        assert!(apply(2, false)?, "a lost status");
        Ok(())
    }

    #[test]
    fn a_new_list_is_news_where_it_differs() -> Result<(), serde_json::Error> {
        let mut known = Known::default();
        for uid in ["u-1", "u-2"] {
            assert!(known.is_news(&Event::Apply(mailbox(uid, 1, true)?)));
        }
        known.is_news(&Event::Init);
        assert!(!known.is_news(&Event::InitApply(mailbox("u-1", 1, true)?)));
        assert!(known.is_news(&Event::InitApply(mailbox("u-3", 1, true)?)));
        known.is_news(&Event::InitDone);
        assert!(!known.is_news(&Event::Apply(mailbox("u-3", 1, true)?)));
        // It was gone meanwhile.
        assert!(known.is_news(&Event::Apply(mailbox("u-2", 1, true)?)));
        Ok(())
    }
}
