//! The accounts behind the doors: what is in their folders, what goes wrong for them, and what was asked of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::fault::Fault;
use super::login::{Login, Mechanism};
use super::rules;

/// A folder with mail in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Folder {
    /// `INBOX`.
    Inbox,
    /// `[Gmail]/Spam`.
    Spam,
    /// `[Gmail]/Trash`.
    Trash,
}

/// Where a message goes that was taken over.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Delivery {
    /// To the inbox.
    #[default]
    Inbox,
    /// To Spam.
    Spam,
    /// It is on its way until another delivery is set.
    Late,
}

/// A message in a folder.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its number in its folder.
    pub uid: u32,
    /// All of it.
    pub text: String,
}

/// Every account that somebody has logged in to, or that a test has set up.
#[derive(Default)]
pub struct Post {
    accounts: Mutex<HashMap<String, Account>>,
    broken_rules: Mutex<Vec<String>>,
    sessions: AtomicU32,
}

struct Account {
    fault: Option<Fault>,
    delivery: Delivery,
    /// By [`Folder`].
    folders: [Vec<Letter>; 3],
    next_uid: u32,
    on_its_way: Vec<String>,
    sent: Vec<String>,
    logins: Vec<Instant>,
}

/// Mail of others, which is there from the beginning and has to stay.
const OTHERS: [Folder; 3] = [Folder::Inbox, Folder::Spam, Folder::Trash];

impl Default for Account {
    fn default() -> Account {
        let letter = |folder: Folder| Letter {
            uid: 1,
            text: format!(
                "From: somebody@elsewhere.example\nMessage-ID: <{folder:?}@elsewhere.example>\n\nHello."
            ),
        };
        Account {
            fault: None,
            delivery: Delivery::Inbox,
            folders: OTHERS.map(|folder| vec![letter(folder)]),
            next_uid: 2,
            on_its_way: Vec::new(),
            sent: Vec::new(),
            logins: Vec::new(),
        }
    }
}

impl Post {
    /// From now on this goes wrong for an account.
    pub fn set_fault(&self, account: &str, fault: Fault) {
        self.with(account, |account| account.fault = Some(fault));
    }

    /// From now on nothing does.
    pub fn clear_fault(&self, account: &str) {
        self.with(account, |account| account.fault = None);
    }

    /// Where its messages go from now on, those that are late with them.
    pub fn set_delivery(&self, account: &str, delivery: Delivery) {
        self.with(account, |account| {
            account.delivery = delivery;
            for text in std::mem::take(&mut account.on_its_way) {
                account.deliver(text);
            }
        });
    }

    /// The messages that came in completely from an account, whatever became of them.
    pub fn sent(&self, account: &str) -> Vec<String> {
        self.with(account, |account| account.sent.clone())
    }

    /// When somebody tried to log in to an account, over any protocol.
    pub fn logins(&self, account: &str) -> Vec<Instant> {
        self.with(account, |account| account.logins.clone())
    }

    /// What is in a folder, oldest first.
    pub fn folder(&self, account: &str, folder: Folder) -> Vec<Letter> {
        self.with(account, |account| account.folders[folder as usize].clone())
    }

    /// Every change of mail that was asked for and may not be, and mail of others that is not where it was.
    pub fn broken_rules(&self) -> Vec<String> {
        let mut broken = lock(&self.broken_rules).clone();
        for (name, account) in lock(&self.accounts).iter() {
            for folder in OTHERS {
                let there = account.folders[folder as usize].iter();
                let others = there.filter(|letter| letter.text.contains("@elsewhere.example>"));
                if others.count() != 1 {
                    broken.push(format!("{name}: mail of others has left {folder:?}"));
                }
            }
        }
        broken
    }

    pub(super) fn fault(&self, account: &str) -> Option<Fault> {
        self.with(account, |account| account.fault)
    }

    pub(super) fn next_session(&self) -> u32 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether the token is of the kind that Google gives.
    pub(super) fn login(&self, login: &Login) -> bool {
        self.with(&login.user, |account| account.logins.push(Instant::now()));
        login.token.starts_with("ya29.")
    }

    /// What a client has said to a challenge.
    pub(super) fn heard_answer(&self, mechanism: Mechanism, answer: &str) {
        if answer != mechanism.answer() {
            self.breaks(format!("{answer:?} is no answer to {mechanism:?}"));
        }
    }

    pub(super) fn heard(&self, account: Option<&str>, command: &str) {
        if !rules::allows(command) {
            self.breaks(format!("{}: {command}", account.unwrap_or("nobody")));
        }
    }

    /// Somebody may send to nobody but themselves.
    pub(super) fn heard_recipient(&self, account: &str, recipient: &str) {
        if !recipient.eq_ignore_ascii_case(account) {
            self.breaks(format!("{account}: a message to {recipient}"));
        }
    }

    pub(super) fn came_in(&self, account: &str, text: &str) {
        self.with(account, |account| account.sent.push(text.to_owned()));
    }

    pub(super) fn deliver(&self, account: &str, text: &str) {
        self.with(account, |account| account.deliver(text.to_owned()));
    }

    /// Moves a message to Trash, where it is one that came in here; the number that it has there.
    pub(super) fn move_to_trash(&self, account: &str, from: Folder, uid: u32) -> Option<u32> {
        let moved = self.with(account, |account| {
            let letters = &mut account.folders[from as usize];
            let at = letters.iter().position(|letter| letter.uid == uid)?;
            if !account.sent.contains(&letters[at].text) {
                return Some(None);
            }
            let letter = letters.remove(at);
            Some(Some(account.put(Folder::Trash, letter.text)))
        });
        if moved == Some(None) {
            self.breaks(format!("{account}: moves the mail {uid} of others"));
        }
        moved.flatten()
    }

    fn breaks(&self, rule: String) {
        lock(&self.broken_rules).push(rule);
    }

    fn with<T>(&self, account: &str, work: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts = lock(&self.accounts);
        work(accounts.entry(account.to_ascii_lowercase()).or_default())
    }
}

impl Account {
    fn deliver(&mut self, text: String) {
        match self.delivery {
            Delivery::Inbox => {
                self.put(Folder::Inbox, text);
            }
            Delivery::Spam => {
                self.put(Folder::Spam, text);
            }
            Delivery::Late => self.on_its_way.push(text),
        }
    }

    fn put(&mut self, folder: Folder, text: String) -> u32 {
        let uid = self.next_uid;
        self.next_uid += 1;
        self.folders[folder as usize].push(Letter { uid, text });
        uid
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
