//! The start of all parts, and their end.

mod clock;
mod kinds;
mod lead;
mod proxies;
mod retry;
mod telemetry;
mod web;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kube::Client;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::check::CheckFailed;
use crate::cli::Logging;
use crate::cli::proxies::BadProxyFlag;
use crate::cluster::client::{self, Counters};
use crate::cluster::lease::LeaseLost;
use crate::cluster::with_causes;
use crate::controller::ControllerError;
use crate::domain::circuit::Waits;
use crate::domain::line::Rules;
use crate::grant::{GrantKeeper, TrafficRules};
use crate::net::network::Network;
use crate::settings::{BadPace, Component, Pace, Settings};
use crate::telemetry::health::Readiness;
use crate::telemetry::log::LogSwitch;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::server::{self, Telemetry};
use crate::telemetry::traces::Traces;
use clock::ClockJumped;
use lead::lead;

/// How long what is going on may take to come to its end at a shutdown. Less than the 30 s that
/// Kubernetes gives.
const DRAIN: Duration = Duration::from_secs(25);

/// How long the last writes of tokens that Google gave may take: all that is left of those 30 s.
const LAST_WRITES: Duration = Duration::from_secs(4);

/// The same where nobody asked the process to end: it lost the Lease, as it does when the API server
/// is away, and what it could not write then is what is left to write.
const LAST_WRITES_UNASKED: Duration = Duration::from_secs(60);

/// How long the last traces may take: they go while the last writes do.
const LAST_TRACES: Duration = Duration::from_secs(3);

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
    /// A proxy.
    #[error(transparent)]
    Proxy(#[from] BadProxyFlag),
    /// TLS for browsers that are told to come without.
    #[error(
        "--tls-secret is for https, but --public-url begins with {0}: browsers would speak plain http to a port that speaks TLS. Give an https URL, or leave --tls-secret out"
    )]
    PlainWithTls(String),
    /// No cluster.
    #[error("no Kubernetes API server to talk to: {}", with_causes(.0))]
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
    Clock(#[from] ClockJumped),
    /// An installation that does not answer.
    #[error(transparent)]
    Check(#[from] CheckFailed),
}

/// Runs the operator until SIGTERM or SIGINT.
pub fn run(settings: Settings, logging: Logging) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let (log, traces) = telemetry::start(logging, &settings, runtime.handle().clone());
    runtime.block_on(serve(settings, log, traces))
}

async fn serve(settings: Settings, log: LogSwitch, traces: Option<Traces>) -> Result<(), RunError> {
    let config = proxies::without_ours(kube::Config::infer().await?, &settings.proxies);
    proxies::tell(&settings.proxies);
    let metrics = Metrics::default();
    let counters = Counters {
        calls: metrics.remote_calls.clone(),
        writes: metrics.api_writes.clone(),
    };
    let client = client::client(config, &settings.namespace, counters)
        .map_err(|error| RunError::Client(Box::new(error)))?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone())?);
    let runs = |component| settings.components.contains(&component);
    let readiness = Readiness::waiting_for(runs(Component::Controller), runs(Component::Web));
    let readiness = Arc::new(readiness);
    let telemetry = Telemetry {
        registry: Arc::new(metrics.registry()),
        readiness: readiness.clone(),
        log,
    };
    let telemetry = server::serve(listen(settings.telemetry_listen).await?, telemetry);
    // To the very end: what a process does at its end is seen, too.
    tokio::select! {
        served = telemetry => Ok(served?),
        ended = work(&settings, &client, &metrics, &readiness, &stop, traces) => ended,
    }
}

/// Runs all parts until `stop` or an error, and then does what must not be left.
async fn work(
    settings: &Settings,
    client: &Client,
    metrics: &Metrics,
    readiness: &Arc<Readiness>,
    stop: &CancellationToken,
    traces: Option<Traces>,
) -> Result<(), RunError> {
    let network = Network::new(settings.egress.clone())
        .through(&settings.proxies)
        .counted_in(metrics.remote_calls.clone());
    let network = Arc::new(network);
    let keeper = GrantKeeper::new(
        client.clone(),
        &settings.namespace,
        network.clone(),
        traffic_rules(&settings.pace),
    );
    let page = &metrics.sign_in_page;
    let web = web::serve(settings, client, &keeper, &network, page, readiness, stop);
    let control = lead(
        settings, client, &network, &keeper, metrics, readiness, stop,
    );
    let kinds = async {
        tokio::select! {
            () = kinds::wait(client, readiness) => {}
            () = stop.cancelled() => {}
        }
        Ok(())
    };
    let all = async { tokio::try_join!(web, control, kinds).map(drop) };
    let jumped = OnceLock::new();
    let ended = tokio::select! {
        result = all => result,
        () = drained(stop, readiness) => Ok(()),
        never = stop_at_jump(stop, &jumped) => match never {},
    };
    readiness.ends();
    let last_writes = keeper.store_rest(match &ended {
        Ok(()) => LAST_WRITES,
        Err(_) => LAST_WRITES_UNASKED,
    });
    let last_traces = async {
        if let Some(traces) = traces {
            traces.end(LAST_TRACES).await;
        }
    };
    tokio::join!(last_writes, last_traces);
    match jumped.into_inner() {
        Some(jump) => Err(jump.into()),
        None => ended,
    }
}

/// Begins an orderly end when the clock jumps, and keeps by how much. What ends the process is that
/// the parts have come to their end.
async fn stop_at_jump(stop: &CancellationToken, jumped: &OnceLock<ClockJumped>) -> Infallible {
    let jump = clock::jumps().await;
    stop.cancel();
    jumped.set(jump).ok();
    std::future::pending().await
}

/// Waits until what is going on has had its time to come to its end after `stop`.
async fn drained(stop: &CancellationToken, readiness: &Readiness) {
    stop.cancelled().await;
    readiness.ends();
    tokio::time::sleep(DRAIN).await;
    tracing::warn!(
        "what was going on did not come to its end in time and is left; it is done again after the start"
    );
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
