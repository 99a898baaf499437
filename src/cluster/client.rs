//! The client for the API server, which counts what goes through it: a write that is made anywhere
//! in the program is counted here.

use std::task::{Context, Poll};
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::{Method, Request, Response, StatusCode, Uri};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use tower::Service;
use tower::layer::layer_fn;

use crate::telemetry::calls::{self, CallResult, RemoteCalls};
use crate::telemetry::writes::{ApiWrites, Verb, Written};

/// Where calls to the API server are counted.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// How long they take.
    pub calls: RemoteCalls,
    /// Those that write.
    pub writes: ApiWrites,
}

/// A client that counts. `namespace` is the operator's own.
///
/// # Errors
/// Those of [`ClientBuilder`], where `config` is of no use.
pub fn client(config: Config, namespace: &str, counters: Counters) -> kube::Result<Client> {
    let namespace = namespace.to_owned();
    let layer = layer_fn(|inner| Counted {
        inner,
        namespace: namespace.clone(),
        counters: counters.clone(),
    });
    Ok(ClientBuilder::try_from(config)?.with_layer(&layer).build())
}

struct Counted<S> {
    inner: S,
    namespace: String,
    counters: Counters,
}

impl<S, B> Service<Request<Body>> for Counted<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Send,
    B: Send,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<B>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if watches(request.uri()) {
            return self.inner.call(request).boxed();
        }
        let written = verb(request.method())
            .map(|verb| (verb, written(request.uri().path(), &self.namespace)));
        let answer = self.inner.call(request);
        let counters = self.counters.clone();
        async move {
            let mut under_way = UnderWay {
                counters,
                written,
                begun: Instant::now(),
                result: CallResult::Abandoned,
            };
            let answer = answer.await;
            under_way.result = match &answer {
                Ok(answer) => result(answer.status()),
                Err(_) => CallResult::Unreachable,
            };
            answer
        }
        .boxed()
    }
}

/// A request, which is counted when it is dropped: one that hangs is given up by whoever waits for it.
struct UnderWay {
    counters: Counters,
    written: Option<(Verb, Written)>,
    begun: Instant,
    result: CallResult,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Counters { calls, writes } = &self.counters;
        let took = self.begun.elapsed();
        calls.observe(calls::Service::Kubernetes, self.result, took);
        if let Some((verb, kind)) = self.written {
            writes.count(verb, kind, self.result);
        }
    }
}

fn watches(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    query.split('&').any(|part| part.starts_with("watch="))
}

fn verb(method: &Method) -> Option<Verb> {
    match *method {
        Method::POST => Some(Verb::Create),
        Method::PUT => Some(Verb::Update),
        Method::PATCH => Some(Verb::Patch),
        Method::DELETE => Some(Verb::Delete),
        _ => None,
    }
}

/// What is there that the request does not find is an answer, too.
fn result(status: StatusCode) -> CallResult {
    match status {
        StatusCode::NOT_FOUND => CallResult::Ok,
        status if status.is_client_error() || status.is_server_error() => CallResult::Refused,
        _ => CallResult::Ok,
    }
}

/// What a path such as `/api/v1/namespaces/crm/secrets/support` is of
/// (kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris).
fn written(path: &str, own_namespace: &str) -> Written {
    let mut parts = path.split('/').skip_while(|part| *part != "namespaces");
    let (namespace, resource) = (parts.nth(1), parts.next());
    let part_of_it = parts.nth(1);
    match (resource, part_of_it) {
        (Some("mailboxes"), Some("status")) => Written::MailboxStatus,
        (Some("gmailserverprofiles"), Some("status")) => Written::ProfileStatus,
        (Some("secrets"), None) if namespace == Some(own_namespace) => Written::Grant,
        (Some("secrets"), None) => Written::WorkloadSecret,
        (Some("events"), None) => Written::Event,
        (Some("leases"), None) => Written::Lease,
        _ => Written::Other,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::coordination::v1::Lease;
    use kube::api::{Api, PostParams};
    use prometheus_client::encoding::text::encode;
    use tokio::net::TcpListener;

    use super::*;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn what_is_written_is_known_by_its_path() {
        const OWN: &str = "gmail-operator";
        for (path, kind) in [
            (
                "/apis/gmail-operator.dev/v1alpha1/namespaces/crm/mailboxes/secrets/status",
                Written::MailboxStatus,
            ),
            (
                "/apis/gmail-operator.dev/v1alpha1/namespaces/mail/gmailserverprofiles/google/status",
                Written::ProfileStatus,
            ),
            (
                "/apis/gmail-operator.dev/v1alpha1/namespaces/crm/mailboxes/support",
                Written::Other,
            ),
            ("/api/v1/namespaces/gmail-operator/secrets", Written::Grant),
            (
                "/api/v1/namespaces/gmail-operator/secrets/grant-1",
                Written::Grant,
            ),
            (
                "/api/v1/namespaces/crm/secrets/support",
                Written::WorkloadSecret,
            ),
            (
                "/apis/events.k8s.io/v1/namespaces/leases/events/support.1",
                Written::Event,
            ),
            (
                "/apis/coordination.k8s.io/v1/namespaces/gmail-operator/leases/gmail-operator",
                Written::Lease,
            ),
            ("/api/v1/namespaces/secrets", Written::Other),
            ("/", Written::Other),
        ] {
            assert_eq!(written(path, OWN), kind, "{path}");
        }
    }

    #[test]
    fn a_watch_is_no_call_that_ends() {
        for (uri, is) in [
            ("/api/v1/namespaces?limit=100&watch=true", true),
            ("/api/v1/namespaces?watch=1", true),
            ("/api/v1/namespaces?limit=100", false),
            ("/api/v1/namespaces/watch", false),
        ] {
            assert_eq!(watches(&Uri::from_static(uri)), is, "{uri}");
        }
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_is_counted() {
        let silent = TcpListener::bind("127.0.0.1:0").await;
        let silent = silent.unwrap_or_else(|error| panic!("{error}"));
        let address = silent.local_addr().map(|address| address.to_string());
        let address = address.unwrap_or_else(|error| panic!("{error}"));
        let metrics = Metrics::default();
        let counters = Counters {
            calls: metrics.remote_calls.clone(),
            writes: metrics.api_writes.clone(),
        };
        let uri = Uri::builder()
            .scheme("http")
            .authority(address)
            .path_and_query("/");
        let config = Config::new(uri.build().unwrap_or_else(|error| panic!("{error}")));
        let client = client(config, "own", counters).unwrap_or_else(|error| panic!("{error}"));
        let leases: Api<Lease> = Api::namespaced(client, "own");
        let (params, lease) = (PostParams::default(), Lease::default());
        tokio::select! {
            answer = leases.create(&params, &lease) => panic!("{answer:?}"),
            connected = silent.accept() => drop(connected),
        }
        let mut text = String::new();
        encode(&mut text, &metrics.registry()).unwrap_or_else(|error| panic!("{error}"));
        for line in [
            r#"gmail_operator_api_writes_total{verb="Create",kind="Lease",result="Abandoned"} 1"#,
            r#"gmail_operator_remote_call_duration_seconds_count{service="Kubernetes",result="Abandoned"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
