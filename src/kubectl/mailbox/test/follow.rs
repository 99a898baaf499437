//! The tests that were asked for, until all of them are over.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watch_object, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::time::{Instant, sleep_until};

use super::display::Display;
use super::story::{Doing, Ended, Story};
use crate::api::Mailbox;
use crate::cluster::call;
use crate::domain::name::ObjectName;
use crate::kubectl::error::CommandError;
use crate::kubectl::watch::for_good;

/// So many Mailboxes are watched one by one; for more the whole namespace is.
const ONE_BY_ONE: usize = 8;

/// Tests that were asked for in one namespace.
pub struct Tests {
    namespace: String,
    open: BTreeMap<String, Open>,
    ended: BTreeMap<String, Ended>,
}

/// One that is not over.
struct Open {
    story: Story,
    doing: Option<Doing>,
    seen: Option<Mailbox>,
}

/// What a watch tells.
enum Seen {
    /// A Mailbox, as it is now.
    There(Box<Mailbox>),
    /// This one was deleted.
    Gone(String),
    /// This one is no longer among those that are watched.
    Left(String),
    /// These are all that there are.
    All(BTreeSet<String>),
}

type Events = BoxStream<'static, Result<Seen, watcher::Error>>;

impl Tests {
    /// Of the Mailboxes `names`, whose annotations have the value `request`.
    pub fn new(namespace: &str, names: impl Iterator<Item = String>, request: &str) -> Self {
        let open = |name| {
            let open = Open {
                story: Story::new(request),
                doing: None,
                seen: None,
            };
            (name, open)
        };
        Self {
            namespace: namespace.to_owned(),
            open: names.map(open).collect(),
            ended: BTreeMap::new(),
        }
    }

    /// Follows them for at most `timeout`. How each ended, by its name.
    ///
    /// # Errors
    /// The API server refuses the watch. That it cannot be reached is waited out.
    pub async fn follow(
        mut self,
        client: &Client,
        selector: Option<&str>,
        timeout: Duration,
        display: &Display,
    ) -> Result<BTreeMap<String, Ended>, CommandError> {
        let api: Api<Mailbox> = Api::namespaced(client.clone(), &self.namespace);
        let mut events = SelectAll::new();
        match self.open.len() > ONE_BY_ONE {
            true => events.push(all(api.clone(), selector)),
            false => events.extend(self.open.keys().map(|name| one(api.clone(), name))),
        }
        let deadline = Instant::now() + timeout;
        while !self.open.is_empty() {
            let event = tokio::select! {
                event = events.next() => event,
                () = sleep_until(deadline) => break,
            };
            match event {
                Some(Ok(Seen::There(mailbox))) => self.see(*mailbox, display),
                Some(Ok(Seen::Gone(name))) => self.end(&name, Ended::Gone, display),
                Some(Ok(Seen::Left(name))) => {
                    let missed = self.look_for(&api, vec![name], display).await;
                    events.extend(missed.iter().map(|name| one(api.clone(), name)));
                }
                Some(Ok(Seen::All(there))) => {
                    let missing = self.open.keys().filter(|name| !there.contains(*name));
                    let missing = missing.cloned().collect();
                    let missed = self.look_for(&api, missing, display).await;
                    events.extend(missed.iter().map(|name| one(api.clone(), name)));
                }
                Some(Err(error)) => {
                    let place = ObjectName::new(&self.namespace, "*");
                    if let Some(error) = for_good(error, "Mailbox", &place) {
                        return Err(error.into());
                    }
                }
                None => break,
            }
        }
        for (name, open) in self.open {
            let doing = open
                .doing
                .map_or_else(String::new, |doing| doing.to_string());
            let late = Story::late(&doing, open.seen.as_ref());
            display.ended(&name, &late);
            self.ended.insert(name, late);
        }
        Ok(self.ended)
    }

    /// Asks for each of the Mailboxes `names` that a watch has lost: deleted, or without the labels that
    /// it goes by. Those that are still there, or of which nothing could be learnt.
    async fn look_for(
        &mut self,
        api: &Api<Mailbox>,
        names: Vec<String>,
        display: &Display,
    ) -> Vec<String> {
        let mut there = Vec::new();
        for name in names {
            if !self.open.contains_key(&name) {
                continue;
            }
            let doing = || format!("reading the Mailbox {}/{name}", self.namespace);
            match call(doing, api.get_opt(&name)).await {
                Ok(Some(mailbox)) => {
                    self.see(mailbox, display);
                    there.push(name);
                }
                Ok(None) => self.end(&name, Ended::Gone, display),
                // Its own watch waits the trouble out, or tells that it stays.
                Err(_) => there.push(name),
            }
        }
        there
    }

    fn see(&mut self, mailbox: Mailbox, display: &Display) {
        let name = mailbox.name_any();
        let Some(open) = self.open.get_mut(&name) else {
            return;
        };
        let look = open.story.look(&mailbox, Timestamp::now());
        look.news.iter().for_each(|news| display.step(&name, news));
        if look.ended.is_none() && open.doing.as_ref() != Some(&look.doing) {
            display.doing(&name, &look.doing);
        }
        open.doing = Some(look.doing);
        open.seen = Some(mailbox);
        if let Some(ended) = look.ended {
            self.end(&name, ended, display);
        }
    }

    fn end(&mut self, name: &str, ended: Ended, display: &Display) {
        if self.open.remove(name).is_some() {
            display.ended(name, &ended);
            self.ended.insert(name.to_owned(), ended);
        }
    }
}

/// What becomes of the Mailbox `name`.
fn one(api: Api<Mailbox>, name: &str) -> Events {
    let events = watch_object(api, name).default_backoff();
    let name = name.to_owned();
    let seen = events.map_ok(move |mailbox| match mailbox {
        Some(mailbox) => Seen::There(Box::new(mailbox)),
        None => Seen::Gone(name.clone()),
    });
    seen.boxed()
}

/// What becomes of all Mailboxes of a namespace, or of those with the labels `selector`.
fn all(api: Api<Mailbox>, selector: Option<&str>) -> Events {
    let mut config = watcher::Config::default();
    if let Some(selector) = selector {
        config = config.labels(selector);
    }
    let mut listed = BTreeSet::new();
    let seen = watcher(api, config)
        .default_backoff()
        .try_filter_map(move |event| {
            ready(Ok(match event {
                Event::Init => {
                    listed.clear();
                    None
                }
                Event::InitApply(mailbox) => {
                    listed.insert(mailbox.name_any());
                    Some(Seen::There(Box::new(mailbox)))
                }
                // What was deleted while the watch was broken has no event of its own.
                Event::InitDone => Some(Seen::All(std::mem::take(&mut listed))),
                Event::Apply(mailbox) => Some(Seen::There(Box::new(mailbox))),
                Event::Delete(mailbox) => Some(Seen::Left(mailbox.name_any())),
            }))
        });
    seen.boxed()
}
