//! The start of all parts, and their end.

mod clock;
mod web;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kube::Client;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::check::CheckFailed;
use crate::cluster::lease::{self, LeaseLost, LeaseTimes};
use crate::controller::{self, ControllerError, ControllerSettings};
use crate::domain::circuit::Waits;
use crate::domain::line::Rules;
use crate::grant::{GrantKeeper, TrafficRules};
use crate::net::network::Network;
use crate::settings::{BadPace, Component, Pace, Settings};
use crate::telemetry::health::Readiness;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::server::{self, Telemetry};

/// How long what is going on may take to come to its end at a shutdown. Less than the 30 s that
/// Kubernetes gives.
const DRAIN: Duration = Duration::from_secs(25);

/// How long the last writes of tokens that Google gave may take: all that is left of those 30 s.
const LAST_WRITES: Duration = Duration::from_secs(4);

/// The same where nobody asked the process to end: it lost the Lease, as it does when the API server
/// is away, and what it could not write then is what is left to write.
const LAST_WRITES_UNASKED: Duration = Duration::from_secs(60);

/// How many renewals of one OAuth client are under way at once. Google answers within a tenth of a
/// second, so that the gap between two of them decides; this bounds what waits for a server that is
/// slow.
const RENEWALS_AT_ONCE: usize = 16;

/// Why the operator cannot run, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The waits.
    #[error(transparent)]
    Pace(#[from] BadPace),
    /// TLS for browsers that are told to come without.
    #[error(
        "--tls-secret is for https, but --public-url begins with {0}: browsers would speak plain http to a port that speaks TLS. Give an https URL, or leave --tls-secret out"
    )]
    PlainWithTls(String),
    /// No cluster.
    #[error("no Kubernetes API server to talk to: {0}")]
    Client(Box<kube::Error>),
    /// No configuration of one.
    #[error("neither in a pod nor with a usable kubeconfig: {0}")]
    Config(#[from] kube::config::InferConfigError),
    /// A port that is taken.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// A file or the network.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The Lease.
    #[error(transparent)]
    Lease(#[from] LeaseLost),
    /// The controllers.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// The clock.
    #[error(transparent)]
    Clock(#[from] clock::ClockJumped),
    /// An installation that does not answer.
    #[error(transparent)]
    Check(#[from] CheckFailed),
}

/// Runs the operator until SIGTERM or SIGINT.
pub fn run(settings: Settings) -> Result<(), RunError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(settings))
}

async fn serve(settings: Settings) -> Result<(), RunError> {
    let config = kube::Config::infer().await?;
    let client = Client::try_from(config).map_err(|error| RunError::Client(Box::new(error)))?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone())?);

    let metrics = Metrics::default();
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let runs = |component| settings.components.contains(&component);
    let (controls, serves) = (runs(Component::Controller), runs(Component::Web));
    let readiness = Arc::new(Readiness::waiting_for(controls, serves));
    let telemetry = Telemetry {
        registry: Arc::new(registry),
        readiness: readiness.clone(),
    };
    let telemetry = server::serve(
        listen(settings.telemetry_listen).await?,
        telemetry,
        stop.clone(),
    );

    let network = Arc::new(Network::new(settings.egress.clone()));
    let keeper = GrantKeeper::new(
        client.clone(),
        &settings.namespace,
        network.clone(),
        traffic_rules(&settings.pace),
    );
    let web = web::serve(&settings, &client, &keeper, &network, &readiness, &stop);
    let control = async {
        match controls {
            true => {
                lead(
                    &settings, &client, &network, &keeper, &metrics, &readiness, &stop,
                )
                .await
            }
            false => {
                stop.cancelled().await;
                Ok(())
            }
        }
    };
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
        tracing::warn!(
            "what was going on did not come to its end in time and is left; it is done again after the start"
        );
    };
    let all = async {
        tokio::try_join!(async { Ok::<_, RunError>(telemetry.await?) }, web, control).map(drop)
    };
    let jumped = OnceLock::new();
    let clock = async {
        let jump = clock::jumps().await;
        stop.cancel();
        jumped.set(jump).ok();
        std::future::pending().await
    };
    let ended = tokio::select! {
        result = all => result,
        () = drained => Ok(()),
        () = clock => Ok(()),
    };
    keeper
        .store_rest(match &ended {
            Ok(()) => LAST_WRITES,
            Err(_) => LAST_WRITES_UNASKED,
        })
        .await;
    match jumped.into_inner() {
        Some(jump) => Err(jump.into()),
        None => ended,
    }
}

fn traffic_rules(pace: &Pace) -> TrafficRules {
    TrafficRules {
        line: Rules {
            gap: pace.renewal_gap.into(),
            at_once: RENEWALS_AT_ONCE,
        },
        waits: Waits {
            first: pace.backoff_first.into(),
            longest: pace.circuit_longest.into(),
        },
    }
}

/// Waits for the Lease, then runs the controllers for as long as it is held.
async fn lead(
    settings: &Settings,
    client: &Client,
    network: &Arc<Network>,
    keeper: &GrantKeeper,
    metrics: &Metrics,
    readiness: &Arc<Readiness>,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    let (tells, mut leads) = watch::channel(None);
    let pace = &settings.pace;
    let times = LeaseTimes {
        duration: pace.lease_duration.into(),
        deadline: pace.lease_deadline.into(),
        retry: pace.lease_retry.into(),
    };
    // The Lease is given back only when the controllers have come to their end.
    let released = CancellationToken::new();
    let lease = lease::run(
        client.clone(),
        &settings.namespace,
        &settings.identity,
        times,
        tells,
        released.clone(),
    );
    let controllers = async {
        // A replica that waits for the Lease is as ready as it can be.
        readiness.controller_is_ready();
        tokio::select! {
            won = leads.wait_for(Option::is_some) => if won.is_err() { return Ok(()) },
            () = stop.cancelled() => {
                released.cancel();
                return Ok(());
            }
        }
        tracing::info!(identity = settings.identity, "this replica leads");
        metrics.leader.set(1);
        let controllers = ControllerSettings {
            client: client.clone(),
            namespace: settings.namespace.clone(),
            reach: settings.reach.clone(),
            front_door: settings.front_door.clone(),
            cluster_name: settings.cluster_name.clone(),
            instance: settings.identity.clone(),
            pace: settings.pace,
            network: network.clone(),
            keeper: keeper.clone(),
            metrics: metrics.clone(),
            leads: leads.clone(),
        };
        let result = controller::run(controllers, readiness.clone(), stop.clone()).await;
        released.cancel();
        Ok::<_, RunError>(result?)
    };
    tokio::try_join!(async { Ok::<_, RunError>(lease.await?) }, controllers).map(drop)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| RunError::Listen(address, error))
}

fn stop_on_signal(stop: CancellationToken) -> Result<impl Future<Output = ()>, std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down: what is going on comes to its end first");
        stop.cancel();
    })
}
