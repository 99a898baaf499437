//! The tests that were asked for, until all of them are over.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures::stream::{BoxStream, select_all};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watch_object, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::time::{Instant, sleep_until};

use super::display::Display;
use super::story::{Ended, Story};
use crate::api::Mailbox;
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
    doing: String,
    seen: Option<Mailbox>,
}

/// A Mailbox of that name, or that it is gone.
type Seen = (String, Option<Mailbox>);

impl Tests {
    /// Of the Mailboxes `names`, whose annotations have the value `request`.
    pub fn new(namespace: &str, names: impl Iterator<Item = String>, request: &str) -> Self {
        let open = |name| {
            let open = Open {
                story: Story::new(request),
                doing: String::new(),
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
        let mut events = pin!(self.events(client, selector));
        let deadline = Instant::now() + timeout;
        while !self.open.is_empty() {
            let event = tokio::select! {
                event = events.next() => event,
                () = sleep_until(deadline) => break,
            };
            match event {
                Some(Ok((name, mailbox))) => self.see(&name, mailbox, display),
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
            let late = Story::late(&open.doing, open.seen.as_ref());
            display.ended(&name, &late);
            self.ended.insert(name, late);
        }
        Ok(self.ended)
    }

    /// What becomes of the Mailboxes that are followed, and perhaps of others.
    fn events(
        &self,
        client: &Client,
        selector: Option<&str>,
    ) -> BoxStream<'static, Result<Seen, watcher::Error>> {
        let api: Api<Mailbox> = Api::namespaced(client.clone(), &self.namespace);
        if self.open.len() <= ONE_BY_ONE {
            let each = self.open.keys().cloned().map(|name| {
                let one = watch_object(api.clone(), &name).default_backoff();
                one.map_ok(move |mailbox| (name.clone(), mailbox)).boxed()
            });
            return select_all(each).boxed();
        }
        let mut config = watcher::Config::default();
        if let Some(selector) = selector {
            config = config.labels(selector);
        }
        let all = watcher(api, config).default_backoff();
        all.try_filter_map(|event| async {
            Ok(match event {
                Event::Apply(mailbox) | Event::InitApply(mailbox) => {
                    Some((mailbox.name_any(), Some(mailbox)))
                }
                Event::Delete(mailbox) => Some((mailbox.name_any(), None)),
                Event::Init | Event::InitDone => None,
            })
        })
        .boxed()
    }

    fn see(&mut self, name: &str, mailbox: Option<Mailbox>, display: &Display) {
        let Some(open) = self.open.get_mut(name) else {
            return;
        };
        let ended = match mailbox {
            None => Some(Ended::Gone),
            Some(mailbox) => {
                let look = open.story.look(&mailbox, Timestamp::now());
                look.news.iter().for_each(|news| display.step(name, news));
                if look.ended.is_none() && look.doing != open.doing {
                    display.doing(name, &look.doing);
                }
                open.doing = look.doing;
                open.seen = Some(mailbox);
                look.ended
            }
        };
        if let Some(ended) = ended {
            self.open.remove(name);
            display.ended(name, &ended);
            self.ended.insert(name.to_owned(), ended);
        }
    }
}
