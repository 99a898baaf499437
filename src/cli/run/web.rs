use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio_util::sync::CancellationToken;

use super::retry::until_done;
use super::{RunError, listen};
use crate::domain::console::{FrontDoor, PublicUrl};
use crate::grant::GrantKeeper;
use crate::net::network::Network;
use crate::settings::{Component, Settings};
use crate::telemetry::health::Readiness;
use crate::telemetry::sign_ins::SignInPage;
use crate::web::{self, Certificates, Door, Source, Web, WebSettings};

/// The longest wait before the cookies' keys are read again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Serves the sign-in page until `stop`, where this process is to serve it.
pub(super) async fn serve(
    settings: &Settings,
    client: &Client,
    keeper: &GrantKeeper,
    network: &Arc<Network>,
    metrics: &SignInPage,
    readiness: &Readiness,
    stop: &CancellationToken,
) -> Result<(), RunError> {
    if !settings.components.contains(&Component::Web) {
        stop.cancelled().await;
        return Ok(());
    }
    let public_url = settings.front_door.url();
    let web_settings = WebSettings {
        public_url: public_url.clone(),
        namespace: settings.namespace.clone(),
        reach: settings.reach.clone(),
        cluster_name: settings.cluster_name.clone(),
        trusted_proxies: settings.trusted_proxies.clone(),
    };
    let web = Web::new(
        client.clone(),
        keeper.clone(),
        network.clone(),
        web_settings,
        metrics.clone(),
    );
    let web = Arc::new(web);
    let certificates = tokio::select! {
        certificates = certificates(settings, client, public_url) => certificates,
        () = stop.cancelled() => return Ok(()),
    };
    let door = Door {
        listener: listen(settings.listen).await?,
        certificates: certificates.clone(),
        patience: settings.pace.browser.into(),
    };
    let tls = certificates.is_some();
    tell_where(settings, tls);
    let beside = async {
        load_keys(&web).await;
        readiness.web_is_ready();
        let _open = metrics.opens();
        match &certificates {
            Some(certificates) => certificates.keep_fresh().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = web::serve(door, web.clone(), stop.clone()) => Ok(served?),
        () = beside => Ok(()),
    }
}

fn tell_where(settings: &Settings, tls: bool) {
    let (address, url) = (settings.listen, settings.front_door.url().origin());
    match settings.front_door {
        FrontDoor::Published(_) => {
            tracing::info!(%address, %url, tls, "the sign-in page is served");
        }
        FrontDoor::PortForward(_) => {
            tracing::info!(%address, %url, "the sign-in page is served for port-forwards, since there is no --public-url: `kubectl gmail link NAME --port-forward` opens one");
        }
    }
}

/// Waits for the certificate, where the operator ends TLS itself.
async fn certificates(
    settings: &Settings,
    client: &Client,
    public_url: &PublicUrl,
) -> Option<Arc<Certificates>> {
    let source = Source {
        client: client.clone(),
        namespace: settings.namespace.clone(),
        name: settings.tls_secret.clone()?,
        host: public_url.host().to_owned(),
        interval: settings.pace.look_at_certificate.into(),
    };
    Some(Certificates::first(source).await)
}

/// Reads the keys of the cookies, however long it takes: without them nobody can begin a sign-in
/// here, and another replica may have them.
async fn load_keys(web: &Web) {
    let words =
        "the sign-in page is not ready: the keys of its cookies cannot be read; it is tried again";
    until_done(words, LONGEST_WAIT, async || web.load_keys().await).await;
}
