use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::runtime::Handle;

use crate::cli::Logging;
use crate::domain::ca_bundle::CaBundle;
use crate::net::trust::{BadTrust, tls_config};
use crate::settings::Settings;
use crate::telemetry::log::{self, LogSwitch};
use crate::telemetry::traces::{BadTraces, Sender, Traces, are_asked_for};

/// The variables that name a file with the collector's certification authorities.
const CERTIFICATES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];

/// How long the collector may take, in all.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there are no traces, though they were asked for.
#[derive(Debug, thiserror::Error)]
enum NoTraces {
    #[error(transparent)]
    Bad(#[from] BadTraces),
    #[error("the file that {0} names cannot be read: {1}")]
    Unreadable(&'static str, std::io::Error),
    #[error("the file that {0} names cannot be used: {1}")]
    BadCertificates(&'static str, crate::domain::ca_bundle::BadCaBundle),
    #[error(transparent)]
    Trust(#[from] BadTrust),
    #[error("the HTTP client cannot be set up")]
    Http(#[from] reqwest::Error),
}

/// Starts logs and, where the environment asks for them, traces. The operator works without traces
/// that cannot be had.
pub(super) fn start(
    logging: Logging,
    settings: &Settings,
    runtime: Handle,
) -> (LogSwitch, Option<Traces>) {
    let traces = traces(settings, runtime);
    let (traces, trouble) = match traces {
        Ok(traces) => (traces, None),
        Err(error) => (None, Some(error)),
    };
    let switch = log::start(logging.format, logging.filter, traces.as_ref());
    if let Some(error) = trouble {
        tracing::error!(%error, "there are no traces");
    }
    (switch, traces)
}

fn traces(settings: &Settings, runtime: Handle) -> Result<Option<Traces>, NoTraces> {
    if !are_asked_for(|name| std::env::var(name).ok())? {
        return Ok(None);
    }
    let mut http = reqwest::Client::builder().no_proxy();
    if let Some(proxy) = &settings.proxies.https {
        let except = reqwest::NoProxy::from_string(&settings.proxies.except);
        http = http.proxy(reqwest::Proxy::https(proxy.expose_secret())?.no_proxy(except));
    }
    let http = http
        .use_preconfigured_tls(tls_config(authorities()?.as_ref())?)
        // The headers may hold a password.
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()?;
    let sender = Sender {
        namespace: settings.namespace.clone(),
        instance: settings.identity.clone(),
    };
    Ok(Some(Traces::of(sender, http, runtime)?))
}

fn authorities() -> Result<Option<CaBundle>, NoTraces> {
    let named = CERTIFICATES.into_iter().find_map(|name| {
        let file = std::env::var_os(name).filter(|file| !file.is_empty())?;
        Some((name, file))
    });
    let Some((name, file)) = named else {
        return Ok(None);
    };
    let pem = std::fs::read_to_string(file).map_err(|error| NoTraces::Unreadable(name, error))?;
    let bundle = CaBundle::parse(&pem).map_err(|error| NoTraces::BadCertificates(name, error))?;
    Ok(Some(bundle))
}
