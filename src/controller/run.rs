use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;

use futures::{FutureExt, Stream, StreamExt, TryStreamExt, future, stream};
use kube::runtime::controller::{self, Action, Config};
use kube::runtime::reflector::{Lookup, ObjectRef, Store};
use kube::runtime::{Controller, watcher};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::census::Census;
use super::context::{Context, Memories};
use super::places::Places;
use super::queue::Queue;
use super::rounds::Rounds;
use super::streams::{Readers, Watches, stores};
use super::wake::Wake;
use super::{figures, grant, mailbox, profile};
use crate::cluster::events::Events;
use crate::cluster::latest::Latest;
use crate::cluster::lease::Standing;
use crate::domain::console::FrontDoor;
use crate::domain::reach::Reach;
use crate::grant::GrantKeeper;
use crate::net::network::Network;
use crate::probe::{CONNECTIONS, ProbeWaits, Prober, Slots};
use crate::settings::Pace;
use crate::telemetry::health::Readiness;
use crate::telemetry::metrics::{Kind, Metrics};

/// Mailboxes that are worked on at once, without those that wait for a mail server or Google.
const DESKS: u16 = 32;
/// Mailboxes that wait for Google or the API server, each for one answer.
const OTHER_WAITS: u16 = 150;
/// Mailboxes that are worked on or wait for a server. However many mail servers do not answer, renewals
/// go on.
const MAILBOXES_AT_ONCE: u16 = CONNECTIONS + OTHER_WAITS + DESKS;
/// Profiles and grants that are worked on at once. A few whose OAuth server answers nothing must not
/// hold up the others.
const OTHERS_AT_ONCE: u16 = 16;

/// What the controllers are given.
pub struct ControllerSettings {
    /// The API server.
    pub client: Client,
    /// The operator's own namespace.
    pub namespace: String,
    /// The namespaces that are looked after.
    pub reach: Reach,
    /// Where the operator is reached from a browser.
    pub front_door: FrontDoor,
    /// How this cluster is called, if it has been told.
    pub cluster_name: Option<String>,
    /// This replica, in Events.
    pub instance: String,
    /// All waits.
    pub pace: Pace,
    /// Connections.
    pub network: Arc<Network>,
    /// Grants.
    pub keeper: GrantKeeper,
    /// Metrics.
    pub metrics: Metrics,
    /// How this process stands in the election.
    pub standing: watch::Receiver<Standing>,
}

/// The controllers ended though nobody asked them to.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// A watch's stream ended.
    #[error("the controller of {0} ended by itself")]
    Ended(&'static str),
}

/// Runs the controllers until `stop`, then lets what is going on come to its end.
///
/// # Errors
/// [`ControllerError`], after which the process must end.
pub async fn run(
    settings: ControllerSettings,
    readiness: Arc<Readiness>,
    stop: CancellationToken,
) -> Result<(), ControllerError> {
    let (wake, woken) = Wake::new(settings.pace.wake_gap.into());
    let (readers, writers) = stores();
    let (full, is_full) = watch::channel(false);
    let client = settings.client.clone();
    let context = Arc::new(context(settings, &readers, wake, is_full));
    let watches = Watches {
        client,
        context: context.clone(),
        readers,
    };
    let mailboxes = Driven {
        what: "Mailboxes",
        kind: Kind::Mailbox,
        objects: watches.mailboxes(writers.mailboxes),
        store: watches.readers.mailboxes.clone(),
        woken: woken.mailboxes,
        at_once: MAILBOXES_AT_ONCE,
    };
    let profiles = Driven {
        what: "GmailServerProfiles",
        kind: Kind::GmailServerProfile,
        objects: watches.profiles(writers.profiles),
        store: watches.readers.profiles.clone(),
        woken: woken.profiles,
        at_once: OTHERS_AT_ONCE,
    };
    let grants = Driven {
        what: "grants",
        kind: Kind::Grant,
        objects: watches.grants(writers.grants),
        store: watches.readers.grants.clone(),
        woken: woken.grants,
        at_once: OTHERS_AT_ONCE,
    };
    let ran = async {
        tokio::join!(
            mailboxes.run(mailbox::reconcile, &context, &stop),
            profiles.run(profile::reconcile, &context, &stop),
            grants.run(grant::reconcile, &context, &stop),
        )
    };
    tokio::select! {
        (a, b, c) = ran => a.and(b).and(c),
        () = tell_when_filled(&watches, full, &readiness, &stop) => Ok(()),
        () = look_in_turn(&context) => Ok(()),
        () = watches.follow_namespaces(writers.namespaces) => {
            Err(ControllerError::Ended("Namespaces"))
        }
    }
}

/// Tells, once, that every store has its first contents.
async fn tell_when_filled(
    Watches {
        context, readers, ..
    }: &Watches,
    full: watch::Sender<bool>,
    readiness: &Readiness,
    stop: &CancellationToken,
) {
    tokio::select! {
        () = readers.filled() => {
            tracing::info!("the caches are filled");
            readiness.controller_is_ready();
            context.metrics.caches_filled.set(1);
            full.send_replace(true);
        }
        // They never will be, and who waits for that must not hold up the end.
        () = stop.cancelled() => drop(full),
    }
    future::pending::<()>().await;
}

/// What is looked at now and then, for ever.
async fn look_in_turn(context: &Context) {
    let mut tick = tokio::time::interval(context.pace.counts.into());
    loop {
        tick.tick().await;
        context.wake.flush_counts();
        context.wake.let_in(&context.rounds.look());
        figures::tell(context);
    }
}

/// What the controllers share, with nothing remembered yet.
fn context(
    settings: ControllerSettings,
    readers: &Readers,
    wake: Wake,
    filled: watch::Receiver<bool>,
) -> Context {
    let pace = settings.pace;
    Context {
        front_door: settings.front_door,
        cluster_name: settings.cluster_name,
        pace,
        mailboxes: Latest::new(readers.mailboxes.clone()),
        profiles: Latest::new(readers.profiles.clone()),
        grants: Latest::with_creations(readers.grants.clone()),
        namespaces: readers.namespaces.clone(),
        prober: Prober::new(
            settings.network.clone(),
            ProbeWaits {
                arrival: pace.arrival.into(),
                look: pace.look_for_message.into(),
            },
        ),
        slots: Slots::new(wake.mailbox_caller()),
        desks: Semaphore::new(DESKS.into()),
        network: settings.network,
        keeper: settings.keeper,
        events: Events::new(settings.client.clone(), settings.instance),
        metrics: settings.metrics,
        backoff: Backoff::new(pace.backoff_first.into(), pace.backoff_longest.into()),
        wake,
        census: Census::default(),
        places: Places::default(),
        rounds: Rounds::default(),
        standing: settings.standing,
        filled,
        mailbox_memory: Memories::default(),
        profile_memory: Memories::default(),
        orphans: Memories::default(),
        seen_alive: Memories::default(),
        revocations: Memories::default(),
        unreadable_sign_outs: Memories::default(),
        namespace: settings.namespace,
        reach: settings.reach,
        client: settings.client,
    }
}

/// One kind's controller, before it runs.
struct Driven<K: Lookup<DynamicType = ()> + 'static, S> {
    what: &'static str,
    kind: Kind,
    objects: S,
    store: Store<K>,
    woken: UnboundedReceiver<ObjectRef<K>>,
    at_once: u16,
}

impl<K, S> Driven<K, S>
where
    K: Resource<DynamicType = ()>
        + Lookup<DynamicType = ()>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + Sync
        + 'static,
    S: Stream<Item = Result<K, watcher::Error>> + Send + 'static,
{
    /// Runs until `stop`; what is going on then comes to its end.
    async fn run<R, F>(
        self,
        mut reconcile: R,
        context: &Arc<Context>,
        stop: &CancellationToken,
    ) -> Result<(), ControllerError>
    where
        R: FnMut(Arc<K>, Arc<Context>) -> F,
        F: Future<Output = Result<Action, Infallible>> + Send + 'static,
    {
        let Self {
            what,
            kind,
            objects,
            store,
            mut woken,
            at_once,
        } = self;
        let queue = Queue::new(&context.metrics, kind);
        let changed = queue.clone();
        let objects = objects.inspect_ok(move |object| changed.wants(ObjectRef::from_obj(object)));
        let called = queue.clone();
        let woken = stream::poll_fn(move |cx| woken.poll_recv(cx))
            .inspect(move |object| called.wants(object.clone()));
        let begun = queue.clone();
        Controller::for_stream(objects, store)
            .with_config(Config::default().concurrency(at_once))
            .reconcile_on(woken)
            .graceful_shutdown_on(stop.clone().cancelled_owned())
            .run(
                move |object: Arc<K>, context| {
                    let in_work = begun.begins(&ObjectRef::from_obj(object.as_ref()));
                    let looked_at = reconcile(object, context);
                    looked_at.inspect(move |_| drop(in_work))
                },
                |_, never: &Infallible, _| match *never {},
                context.clone(),
            )
            .for_each(|result| {
                // What a reconcile does wrong has been told by then; this is the queue's own.
                if let Err(error) = result {
                    tracing::debug!(%error, "a wake-up came to nothing");
                    if let controller::Error::ObjectNotFound(object) = error {
                        queue.gone(
                            &ObjectRef::new(&object.name)
                                .within(&object.namespace.unwrap_or_default()),
                        );
                    }
                }
                future::ready(())
            })
            .await;
        if stop.is_cancelled() {
            Ok(())
        } else {
            Err(ControllerError::Ended(what))
        }
    }
}
