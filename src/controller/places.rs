use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::grant::Grant;
use crate::domain::name::ObjectName;
use crate::domain::oauth_client::Project;
use crate::domain::schedule::digest;

/// The one allocator of places: which Google accounts hold one in which Cloud project. A place is
/// recorded in its grant, so this is filled from the grants alone, before the first decision.
#[derive(Default)]
pub struct Places(Mutex<Books>);

#[derive(Default)]
struct Books {
    /// The grants of each account, by project.
    projects: HashMap<Project, HashMap<String, HashSet<String>>>,
    /// The project and account of each grant that holds a place, by the uid of its Mailbox.
    held: HashMap<String, (Project, String)>,
    /// Mailboxes that found no place in a project, or in any that would serve them.
    waiting: HashMap<ObjectName, Option<Project>>,
}

/// How many places there are for a grant that asks for one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// So many.
    At(usize),
    /// One for this grant in any case: it was in service before there was a limit.
    Excepted,
}

/// What has happened to the places of a project.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// One was taken.
    Taken(Project),
    /// One may be free.
    GivenBack(Project),
}

impl Change {
    /// Whose places.
    pub fn project(&self) -> &Project {
        match self {
            Change::Taken(project) | Change::GivenBack(project) => project,
        }
    }
}

impl Places {
    /// A grant as it is stored.
    pub fn seen(&self, grant: &Grant) -> Option<Change> {
        let mut books = self.lock();
        let (project, account) = (grant.project(), account(grant));
        let known = books.held.get(&grant.mailbox_uid);
        let same = known.is_some_and(|known| *known == (project.clone(), account.clone()));
        match grant.place_taken_at {
            // A place that was given a moment ago is not in the grant yet.
            _ if same => None,
            None => books.give_back(&grant.mailbox_uid),
            Some(_) => {
                let before = books.give_back(&grant.mailbox_uid);
                books.hold(&grant.mailbox_uid, project.clone(), account);
                before
                    .filter(|before| *before.project() != project)
                    .or(Some(Change::Taken(project)))
            }
        }
    }

    /// The grant of the Mailbox `uid` is gone, or was not written with its place.
    pub fn give_back(&self, uid: &str) -> Option<Change> {
        self.lock().give_back(uid)
    }

    /// Whether there is a place for the account of `grant`; if not, `mailbox` waits for one.
    pub fn is_free(&self, grant: &Grant, limit: Limit, mailbox: &ObjectName) -> bool {
        let mut books = self.lock();
        let free = books.is_free(grant, limit);
        if !free {
            books.wait(mailbox, Some(grant.project()));
        }
        free
    }

    /// Gives the account of `grant` a place, if there is one; if not, `mailbox` waits for one.
    pub fn take(&self, grant: &Grant, limit: Limit, mailbox: &ObjectName) -> bool {
        let mut books = self.lock();
        let free = books.is_free(grant, limit);
        match free {
            true => {
                books.give_back(&grant.mailbox_uid);
                books.hold(&grant.mailbox_uid, grant.project(), account(grant));
                books.waiting.remove(mailbox);
            }
            false => books.wait(mailbox, Some(grant.project())),
        }
        free
    }

    /// How many accounts hold a place in `project`.
    pub fn taken(&self, project: &Project) -> usize {
        let books = self.lock();
        books.projects.get(project).map_or(0, HashMap::len)
    }

    /// `mailbox` is to be woken when there is a place in `project`, or in any.
    pub fn wait(&self, mailbox: &ObjectName, project: Option<Project>) {
        self.lock().wait(mailbox, project);
    }

    /// `mailbox` does not wait any more.
    pub fn leave(&self, mailbox: &ObjectName) {
        self.lock().waiting.remove(mailbox);
    }

    /// The Mailboxes that wait for a place in `project`; they will say so again if they still do.
    pub fn waiting_for(&self, project: &Project) -> Vec<ObjectName> {
        let mut books = self.lock();
        let waiting = books
            .waiting
            .extract_if(|_, wanted| wanted.as_ref().is_none_or(|wanted| wanted == project));
        waiting.map(|(mailbox, _)| mailbox).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name of the account that a grant is of.
fn account(grant: &Grant) -> String {
    digest(&[&grant.account.issuer, &grant.account.subject])
}

impl Books {
    fn is_free(&self, grant: &Grant, limit: Limit) -> bool {
        let accounts = self.projects.get(&grant.project());
        match limit {
            Limit::Excepted => true,
            Limit::At(capacity) => accounts.map_or(capacity > 0, |accounts| {
                accounts.contains_key(&account(grant)) || accounts.len() < capacity
            }),
        }
    }

    fn wait(&mut self, mailbox: &ObjectName, project: Option<Project>) {
        self.waiting.insert(mailbox.clone(), project);
    }

    fn hold(&mut self, uid: &str, project: Project, account: String) {
        self.projects
            .entry(project.clone())
            .or_default()
            .entry(account.clone())
            .or_default()
            .insert(uid.to_owned());
        self.held.insert(uid.to_owned(), (project, account));
    }

    fn give_back(&mut self, uid: &str) -> Option<Change> {
        let (project, account) = self.held.remove(uid)?;
        if let Some(accounts) = self.projects.get_mut(&project) {
            if let Some(grants) = accounts.get_mut(&account) {
                grants.remove(uid);
                if grants.is_empty() {
                    accounts.remove(&account);
                }
            }
            if accounts.is_empty() {
                self.projects.remove(&project);
            }
        }
        Some(Change::GivenBack(project))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use k8s_openapi::ByteString;
    use k8s_openapi::api::core::v1::Secret;
    use kube::api::ObjectMeta;

    use super::*;
    use crate::cluster::grant_secret::{self, NAME_LABEL, NAMESPACE_LABEL, UID_LABEL};

    /// The grant of the Mailbox `uid`, whose owner is `subject`, to a client of `project` at Google.
    fn grant(uid: &str, subject: &str, project: &str) -> Grant {
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let data = [
            ("refresh-token", "r"),
            ("access-token", "a"),
            ("access-token-issued-at", "2026-11-01T00:00:00Z"),
            ("access-token-expires-at", "2026-11-01T01:00:00Z"),
            ("iss", "https://accounts.google.com"),
            ("sub", subject),
            ("email", "ann@example.com"),
            ("email-address", "ann@example.com"),
            ("scopes", "openid"),
            ("client-id", &format!("{project}-x")),
            ("profile", "mail/google"),
            ("signed-in-at", "2026-11-01T00:00:00Z"),
            ("start-from", "2026-11-01T00:00:00Z"),
        ]
        .map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
        let secret = Secret {
            metadata: ObjectMeta {
                labels: Some(BTreeMap::from([
                    label(UID_LABEL, uid),
                    label(NAMESPACE_LABEL, "crm"),
                    label(NAME_LABEL, uid),
                ])),
                ..ObjectMeta::default()
            },
            data: Some(data.into()),
            ..Secret::default()
        };
        grant_secret::parse(&secret).unwrap()
    }

    fn mailbox(uid: &str) -> ObjectName {
        ObjectName::new("crm", uid)
    }

    #[test]
    fn an_account_takes_one_place_however_many_grants_it_has() {
        let places = Places::default();
        let limit = Limit::At(1);
        let (a, again, b) = (
            grant("a", "1", "7"),
            grant("c", "1", "7"),
            grant("b", "2", "7"),
        );
        assert!(places.take(&a, limit, &mailbox("a")));
        assert!(places.take(&again, limit, &mailbox("c")));
        assert!(!places.take(&b, limit, &mailbox("b")));
        assert_eq!(places.taken(&a.project()), 1);
        assert!(places.give_back("a").is_some());
        assert!(
            !places.is_free(&b, limit, &mailbox("b")),
            "the other grant has it"
        );
        assert_eq!(places.give_back("c"), Some(Change::GivenBack(a.project())));
        assert_eq!(places.give_back("c"), None, "it is given back once");
        assert!(places.take(&b, limit, &mailbox("b")));
        assert!(places.take(&a, Limit::Excepted, &mailbox("a")));
        assert_eq!(places.taken(&a.project()), 2);
    }

    #[test]
    fn another_server_has_places_of_its_own() {
        let places = Places::default();
        let google = grant("a", "1", "7");
        let mut stand_in = grant("b", "2", "7");
        stand_in.token_endpoint = "https://oauth.lab/token".parse().unwrap();
        assert!(places.take(&stand_in, Limit::At(1), &mailbox("b")));
        assert!(places.take(&google, Limit::At(1), &mailbox("a")));
    }

    #[test]
    fn what_is_stored_is_what_counts() {
        let places = Places::default();
        let mut stored = grant("a", "1", "7");
        assert_eq!(places.seen(&stored), None);
        assert!(places.take(&stored, Limit::At(1), &mailbox("a")));
        assert_eq!(places.seen(&stored), None, "the write is on its way");
        stored.place_taken_at = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(places.seen(&stored), None);
        let other = grant("a", "2", "7");
        assert_eq!(
            places.seen(&other),
            Some(Change::GivenBack(other.project())),
            "somebody else signed in, who has none yet"
        );
        assert_eq!(places.taken(&other.project()), 0);
    }

    #[test]
    fn only_those_who_wait_for_this_project_are_called() {
        let places = Places::default();
        let limit = Limit::At(0);
        let (here, there) = (grant("a", "1", "7"), grant("b", "2", "8"));
        assert!(!places.is_free(&here, limit, &mailbox("a")));
        assert!(!places.is_free(&there, limit, &mailbox("b")));
        places.wait(&mailbox("any"), None);
        places.wait(&mailbox("gone"), None);
        places.leave(&mailbox("gone"));
        let mut called = places.waiting_for(&here.project());
        called.sort();
        assert_eq!(called, [mailbox("a"), mailbox("any")]);
        assert_eq!(places.waiting_for(&there.project()), [mailbox("b")]);
    }
}
