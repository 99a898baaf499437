use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the collector does with what comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mood {
    Takes,
    /// It is overloaded.
    Refuses,
    /// It never answers.
    Hangs,
}

/// A collector of traces that speaks OTLP over HTTP. It ends when dropped.
pub struct Collector {
    port: u16,
    shared: Arc<Shared>,
    served: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    mood: Mutex<Option<Mood>>,
    got: Mutex<Vec<Got>>,
}

/// One request.
struct Got {
    headers: HeaderMap,
    body: Bytes,
}

/// One span, in words.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    pub trace: String,
    pub id: Vec<u8>,
    pub parent: Vec<u8>,
    pub attributes: BTreeMap<String, String>,
    /// Of the process that it is of.
    pub resource: BTreeMap<String, String>,
}

impl Span {
    pub fn has(&self, attribute: &str, value: &str) -> bool {
        self.attributes.get(attribute).map(String::as_str) == Some(value)
    }
}

impl Collector {
    pub async fn start(mood: Mood) -> Result<Collector> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(shared.clone());
        let served = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        let collector = Collector {
            port,
            shared,
            served,
        };
        collector.be(mood);
        Ok(collector)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn be(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = Some(mood);
    }

    /// How many requests came, whatever became of them.
    pub fn requests(&self) -> usize {
        self.shared.got.lock().unwrap().len()
    }

    /// All that came, as it came.
    pub fn raw(&self) -> Vec<u8> {
        let got = self.shared.got.lock().unwrap();
        got.iter().flat_map(|got| got.body.to_vec()).collect()
    }

    /// A header of the last request.
    pub fn header(&self, name: &str) -> Option<String> {
        let got = self.shared.got.lock().unwrap();
        let value = got.last()?.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    }

    /// Every span that came.
    pub fn spans(&self) -> Result<Vec<Span>> {
        let got = self.shared.got.lock().unwrap();
        let mut spans = Vec::new();
        for got in got.iter() {
            let request = ExportTraceServiceRequest::decode(got.body.clone()).context("no OTLP")?;
            for of_resource in request.resource_spans {
                let resource = of_resource.resource.unwrap_or_default();
                let resource = in_words(resource.attributes);
                let scopes = of_resource.scope_spans.into_iter();
                spans.extend(scopes.flat_map(|scope| scope.spans).map(|span| Span {
                    name: span.name,
                    trace: span.trace_id.iter().map(|b| format!("{b:02x}")).collect(),
                    id: span.span_id,
                    parent: span.parent_span_id,
                    attributes: in_words(span.attributes),
                    resource: resource.clone(),
                }));
            }
        }
        Ok(spans)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mood = *shared.mood.lock().unwrap();
    shared.got.lock().unwrap().push(Got { headers, body });
    match mood {
        Some(Mood::Refuses) => StatusCode::SERVICE_UNAVAILABLE,
        Some(Mood::Hangs) => pending().await,
        Some(Mood::Takes) | None => StatusCode::OK,
    }
}

fn in_words(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let words = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let attributes = attributes.into_iter();
    attributes
        .map(|attribute| (attribute.key, words(attribute.value)))
        .collect()
}
