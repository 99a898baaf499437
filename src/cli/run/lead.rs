use std::sync::Arc;

use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::RunError;
use crate::cluster::lease::{self, LeaseTimes, Standing};
use crate::controller::{self, ControllerSettings};
use crate::grant::GrantKeeper;
use crate::net::network::Network;
use crate::settings::{Component, Pace, Settings};
use crate::telemetry::health::Readiness;
use crate::telemetry::metrics::Metrics;

/// Waits for the Lease, then runs the controllers for as long as it is held; waits for `stop` where
/// this process is not to.
pub(super) async fn lead(
    settings: &Settings,
    client: &Client,
    network: &Arc<Network>,
    keeper: &GrantKeeper,
    metrics: &Metrics,
    readiness: &Arc<Readiness>,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    if !settings.components.contains(&Component::Controller) {
        stop.cancelled().await;
        return Ok(());
    }
    let (tells, mut standing) = watch::channel(Standing::Unknown);
    // The Lease is given back only when the controllers have come to their end.
    let released = CancellationToken::new();
    let lease = lease::run(
        client.clone(),
        &settings.namespace,
        &settings.identity,
        times(&settings.pace),
        tells,
        released.clone(),
    );
    let controllers = async {
        let won = async {
            let known = |standing: &Standing| !matches!(standing, Standing::Unknown);
            if let Standing::Waits = *standing.wait_for(known).await? {
                // A replica that waits for the Lease is as ready as it can be.
                readiness.controller_is_ready();
            }
            let leads = |standing: &Standing| matches!(standing, Standing::Leads(_));
            standing.wait_for(leads).await.map(drop)
        };
        tokio::select! {
            won = won => if won.is_err() { return Ok(()) },
            () = stop.cancelled() => {
                released.cancel();
                return Ok(());
            }
        }
        tracing::info!(identity = settings.identity, "this replica leads");
        readiness.controller_begins();
        let _shown = Shown::leading(metrics);
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
            standing: standing.clone(),
        };
        let result = controller::run(controllers, readiness.clone(), stop.clone()).await;
        released.cancel();
        Ok::<_, RunError>(result?)
    };
    tokio::try_join!(async { Ok::<_, RunError>(lease.await?) }, controllers).map(drop)
}

/// Metrics show that this replica leads, until it is dropped: the process may still be there for a minute.
struct Shown<'a>(&'a Metrics);

impl<'a> Shown<'a> {
    fn leading(metrics: &'a Metrics) -> Self {
        metrics.leader.set(1);
        Self(metrics)
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.0.leader.set(0);
        self.0.caches_filled.set(0);
        self.0.fleet.clear();
    }
}

fn times(pace: &Pace) -> LeaseTimes {
    LeaseTimes {
        duration: pace.lease_duration.into(),
        deadline: pace.lease_deadline.into(),
        retry: pace.lease_retry.into(),
    }
}
