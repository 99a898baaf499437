use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::grant::Grant;
use crate::domain::name::ObjectName;
use crate::domain::oauth_client::project;
use crate::domain::schedule::digest;

/// The one allocator of places: which Google accounts hold one in which Cloud project. A place is
/// recorded in its grant, so this is filled from the grants alone, before the first decision.
#[derive(Default)]
pub struct Places(Mutex<Books>);

#[derive(Default)]
struct Books {
    /// The grants of each account, by project.
    projects: HashMap<String, HashMap<String, HashSet<String>>>,
    /// The project and account of each grant that holds a place, by the uid of its Mailbox.
    held: HashMap<String, (String, String)>,
    /// Mailboxes that found no place.
    waiting: HashSet<ObjectName>,
}

/// How many places there are for a grant that asks for one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// So many.
    At(usize),
    /// One for this grant in any case: it was in service before there was a limit.
    Excepted,
}

impl Places {
    /// A grant as it is stored. Returns whether the places of its project have changed.
    pub fn seen(&self, grant: &Grant) -> bool {
        let mut books = self.lock();
        let (project, account) = keys(grant);
        let known = books.held.get(&grant.mailbox_uid);
        let same = known.is_some_and(|known| *known == (project.clone(), account.clone()));
        match grant.place_taken_at {
            // A place that was given a moment ago is not in the grant yet.
            None if same || known.is_none() => false,
            None => books.give_back(&grant.mailbox_uid),
            Some(_) if same => false,
            Some(_) => {
                books.give_back(&grant.mailbox_uid);
                books.hold(&grant.mailbox_uid, project, account);
                true
            }
        }
    }

    /// The grant of the Mailbox `uid` is gone, or could not be written with its place. Returns
    /// whether the places have changed.
    pub fn give_back(&self, uid: &str) -> bool {
        self.lock().give_back(uid)
    }

    /// Whether there is a place for the account of `grant`.
    pub fn is_free(&self, grant: &Grant, limit: Limit) -> bool {
        self.lock().is_free(grant, limit)
    }

    /// Gives the account of `grant` a place, if there is one.
    pub fn take(&self, grant: &Grant, limit: Limit) -> bool {
        let mut books = self.lock();
        let free = books.is_free(grant, limit);
        if free {
            let (project, account) = keys(grant);
            books.give_back(&grant.mailbox_uid);
            books.hold(&grant.mailbox_uid, project, account);
        }
        free
    }

    /// How many accounts hold a place in the project of `client_id`.
    pub fn taken(&self, client_id: &str) -> usize {
        let books = self.lock();
        books
            .projects
            .get(project(client_id))
            .map_or(0, HashMap::len)
    }

    /// `mailbox` found no place, and is to be woken when one is free.
    pub fn wait(&self, mailbox: &ObjectName) {
        self.lock().waiting.insert(mailbox.clone());
    }

    /// The Mailboxes that wait; they will say so again if they still do.
    pub fn waiting(&self) -> HashSet<ObjectName> {
        std::mem::take(&mut self.lock().waiting)
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The project and the account of a grant.
fn keys(grant: &Grant) -> (String, String) {
    let account = digest(&[&grant.account.issuer, &grant.account.subject]);
    (project(&grant.client_id).to_owned(), account)
}

impl Books {
    fn is_free(&self, grant: &Grant, limit: Limit) -> bool {
        let (project, account) = keys(grant);
        let accounts = self.projects.get(&project);
        match limit {
            Limit::Excepted => true,
            Limit::At(capacity) => accounts.map_or(capacity > 0, |accounts| {
                accounts.contains_key(&account) || accounts.len() < capacity
            }),
        }
    }

    fn hold(&mut self, uid: &str, project: String, account: String) {
        self.projects
            .entry(project.clone())
            .or_default()
            .entry(account.clone())
            .or_default()
            .insert(uid.to_owned());
        self.held.insert(uid.to_owned(), (project, account));
    }

    fn give_back(&mut self, uid: &str) -> bool {
        let Some((project, account)) = self.held.remove(uid) else {
            return false;
        };
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
        true
    }
}
