//! Traces for a collector that speaks OTLP over HTTP, where the environment names one
//! (opentelemetry.io/docs/specs/otel/protocol/exporter, and .../configuration/sdk-environment-variables
//! for the sampler and the bounds of the queue). Otherwise nothing of this is there.

mod collector;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use self::collector::Collector;
use super::spans::{STEP, WORK};

/// The name of the service where `OTEL_SERVICE_NAME` gives no other.
const SERVICE: &str = "gmail-operator";
/// kube's span around each look at an object says why it is looked at.
const OF_KUBE: (&str, &str) = ("kube_runtime::controller", "reconciling object");

const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];

/// Who sends traces.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The operator's own namespace.
    pub namespace: String,
    /// This replica.
    pub instance: String,
}

/// Why there are no traces, though they were asked for. The operator works without.
#[derive(Debug, thiserror::Error)]
pub enum BadTraces {
    /// Not an endpoint. It may hold a password, so it is not repeated.
    #[error("{0} is not an http or https URL")]
    Endpoint(&'static str),
    /// Another protocol.
    #[error("{0} names another protocol than http/protobuf, which is the only one that is spoken")]
    Protocol(&'static str),
    /// Another exporter.
    #[error("OTEL_TRACES_EXPORTER names another exporter than otlp or none")]
    Exporter,
    /// Another setting. The library repeats it, and an endpoint may hold a password.
    #[error("a variable OTEL_EXPORTER_OTLP_… has a value that cannot be used")]
    Build(#[from] ExporterBuildError),
}

/// Whether the environment, which `of` reads, asks for traces.
///
/// # Errors
/// [`BadTraces`] where it asks for what there is not.
pub fn are_asked_for(of: impl Fn(&str) -> Option<String>) -> Result<bool, BadTraces> {
    let set = |name: &&'static str| of(name).filter(|value| !value.is_empty());
    let off = set(&"OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let exporter = set(&"OTEL_TRACES_EXPORTER");
    let Some(name) = ENDPOINTS.into_iter().find(|name| set(name).is_some()) else {
        return Ok(false);
    };
    match exporter.as_deref() {
        _ if off => return Ok(false),
        Some("none") => return Ok(false),
        None | Some("otlp") => {}
        Some(_) => return Err(BadTraces::Exporter),
    }
    // The exporter reads it as a Uri, which is stricter.
    let endpoint = set(&name).filter(|value| value.parse::<hyper::Uri>().is_ok());
    let endpoint = endpoint.and_then(|value| value.parse::<Url>().ok());
    if !endpoint.is_some_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host()) {
        return Err(BadTraces::Endpoint(name));
    }
    let protocol = PROTOCOLS.into_iter().find(|name| set(name).is_some());
    match protocol.filter(|name| set(name).as_deref() != Some("http/protobuf")) {
        Some(name) => Err(BadTraces::Protocol(name)),
        None => Ok(true),
    }
}

/// Spans on their way to a collector. What waits for it is bounded: 2048 spans, if the environment
/// says nothing else. What comes while it is full is dropped.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// To the collector that the environment names, by `http`, on `runtime`.
    ///
    /// # Errors
    /// [`BadTraces`].
    pub fn of(sender: Sender, http: reqwest::Client, runtime: Handle) -> Result<Self, BadTraces> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(http, runtime))
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(sender))
            .with_batch_exporter(exporter)
            .build();
        Ok(Self(provider))
    }

    /// What gives them the spans.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        let ours = filter_fn(|metadata| {
            let (target, name) = (metadata.target(), metadata.name());
            metadata.is_span() && (target == WORK || target == STEP || (target, name) == OF_KUBE)
        });
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(ours.with_max_level_hint(LevelFilter::INFO))
    }

    /// Sends what is left, for at most as long as `within`.
    pub async fn end(self, within: Duration) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(within));
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be delivered and are lost");
        }
    }
}

fn resource(sender: Sender) -> Resource {
    let attributes = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", sender.instance),
        KeyValue::new("k8s.namespace.name", sender.namespace),
    ];
    let resource = Resource::builder_empty()
        .with_service_name(SERVICE)
        .with_attributes(attributes)
        .with_detector(Box::new(EnvResourceDetector::new()));
    let name = std::env::var("OTEL_SERVICE_NAME").ok();
    match name.filter(|name| !name.is_empty()) {
        Some(name) => resource.with_service_name(name).build(),
        None => resource.build(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(variables: &[(&str, &str)]) -> Result<bool, String> {
        let of = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        are_asked_for(of).map_err(|error| error.to_string())
    }

    #[test]
    fn traces_are_off_until_an_endpoint_is_named() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        for (variables, on) in [
            (&[] as &[_], false),
            (&[("OTEL_SERVICE_NAME", "mail")], false),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], false),
            (&[("OTEL_TRACES_EXPORTER", "jaeger")], false),
            (&[endpoint], true),
            (
                &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c/v1/traces")],
                true,
            ),
            (&[endpoint, ("OTEL_TRACES_EXPORTER", "otlp")], true),
            (&[endpoint, ("OTEL_TRACES_EXPORTER", "none")], false),
            (&[endpoint, ("OTEL_SDK_DISABLED", "True")], false),
            (
                &[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")],
                true,
            ),
        ] {
            assert_eq!(asked(variables), Ok(on), "{variables:?}");
        }
    }

    #[test]
    fn what_there_is_not_is_refused_without_repeating_it() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        for variables in [
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")] as &[_],
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "user:hunter2")],
            &[(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://ann:p{ss@collector:4318",
            )],
            &[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            &[
                endpoint,
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ],
            &[endpoint, ("OTEL_TRACES_EXPORTER", "zipkin")],
        ] {
            let error = asked(variables).unwrap_err();
            let (_, value) = variables.last().unwrap();
            assert!(!error.contains(value), "{error}");
        }
    }
}
