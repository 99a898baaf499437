use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response, ResponseBodyTooLarge};
use tokio::runtime::Handle;

/// The largest answer that is read, in bytes: it says how many spans were refused, and why.
const MAX_BODY: usize = 64 * 1024;

/// Carries spans to the collector. That it is away is told once, and that it is back.
#[derive(Debug)]
pub(super) struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    away: AtomicBool,
}

impl Collector {
    pub(super) fn new(http: reqwest::Client, runtime: Handle) -> Self {
        Self {
            http,
            runtime,
            away: AtomicBool::new(false),
        }
    }

    fn tell(&self, sent: &Result<Response<Bytes>, HttpError>) {
        let trouble = match sent {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answered HTTP {}", answer.status().as_u16())),
            Err(error) => Some(innermost(error.as_ref())),
        };
        let was_away = self.away.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(trouble) if !was_away => tracing::warn!(
                trouble,
                "the collector does not take traces: they are dropped until it does; nothing else depends on it"
            ),
            None if was_away => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The exporter has a thread of its own, and the HTTP library needs the runtime.
        let exchange = self.runtime.spawn(exchange(self.http.clone(), request));
        let sent = match exchange.await {
            Ok(sent) => sent,
            Err(ended) => return Err(ended.into()),
        };
        self.tell(&sent);
        sent
    }
}

async fn exchange(
    http: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let request = reqwest::Request::try_from(request)?;
    let mut answer = http.execute(request).await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(ResponseBodyTooLarge::new().into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(body.into());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

/// The outer words repeat the URL, which may hold a password.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&cause| cause.source());
    match causes.last() {
        Some(cause) if cause.is::<reqwest::Error>() => "the request could not be made".to_owned(),
        Some(cause) => cause.to_string(),
        None => String::new(),
    }
}
