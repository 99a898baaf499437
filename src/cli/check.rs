//! Whether an installation answers, asked from inside the cluster: the chart's `helm test` runs it.

use std::time::Duration;

use clap::Args;
use kube::Client;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::endpoint;
use crate::cluster::kinds::look_for_kinds;
use crate::cluster::with_causes;
use crate::domain::server::Endpoint;

/// The longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Between two looks at what does not answer yet.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// An address that must answer 200, such as
    /// http://gmail-operator-metrics.gmail-operator.svc:8081/readyz; may be given several times.
    #[arg(long, value_name = "URL")]
    ready: Vec<Url>,

    /// A server that must take connections, such as the Service of the sign-in page; may be given
    /// several times.
    #[arg(long, value_name = "HOST:PORT", value_parser = endpoint)]
    connects: Vec<Endpoint>,

    /// For how many seconds it is tried until all is well.
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    within: u32,
}

/// What does not answer as it should.
#[derive(Debug, thiserror::Error)]
#[error("the installation is not well: {}", .0.join("; "))]
pub struct CheckFailed(Vec<String>);

/// Looks until the kinds are there and all of `args` answers.
pub(super) fn check(args: &CheckArgs) -> Result<(), CheckFailed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CheckFailed(vec![error.to_string()]))?;
    runtime.block_on(until_well(args))
}

async fn until_well(args: &CheckArgs) -> Result<(), CheckFailed> {
    let deadline = Instant::now() + Duration::from_secs(args.within.into());
    loop {
        let wrong = look(args).await;
        if wrong.is_empty() {
            println!("the kinds are there, and all that was asked for answers");
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(CheckFailed(wrong));
        }
        sleep(PAUSE).await;
    }
}

/// Everything that is wrong now.
async fn look(args: &CheckArgs) -> Vec<String> {
    let mut wrong = Vec::new();
    wrong.extend(kinds().await.err());
    for url in &args.ready {
        wrong.extend(ready(url).await.err());
    }
    for server in &args.connects {
        wrong.extend(connects(server).await.err());
    }
    wrong
}

async fn kinds() -> Result<(), String> {
    let client = Client::try_default().await.map_err(|error| {
        format!(
            "no Kubernetes API server to talk to: {}",
            with_causes(&error)
        )
    })?;
    look_for_kinds(&client)
        .await
        .map_err(|error| error.to_string())
}

async fn ready(url: &Url) -> Result<(), String> {
    let wrong = |error: reqwest::Error| {
        format!(
            "{url} does not answer: {}",
            with_causes(&error.without_url())
        )
    };
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER)
        .build()
        .map_err(wrong)?;
    let answer = client.get(url.clone()).send().await.map_err(wrong)?;
    match answer.status() {
        reqwest::StatusCode::OK => Ok(()),
        status => Err(format!("{url} answers {status}")),
    }
}

async fn connects(server: &Endpoint) -> Result<(), String> {
    let address = server.to_string();
    match timeout(ANSWER, TcpStream::connect(&address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{address} takes no connection: {error}")),
        Err(_) => Err(format!("{address} takes no connection in time")),
    }
}
