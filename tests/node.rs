//! On a real node: a release of the chart with Pods under enforced `restricted`, which is installed, used, upgraded, rolled
//! back and removed; and the documents' commands, word for word. `make test-node` builds the image and starts the node.

#[allow(dead_code, reason = "the demo uses more of it")]
#[path = "demo/admin.rs"]
mod admin;
#[path = "node/changes.rs"]
mod changes;
#[path = "node/desk.rs"]
mod desk;
#[path = "node/evidence.rs"]
mod evidence;
#[path = "node/pages.rs"]
mod pages;
#[path = "node/pods.rs"]
mod pods;
#[path = "node/release.rs"]
mod release;
#[allow(dead_code, reason = "the demo uses more of it")]
#[path = "demo/terminal.rs"]
mod terminal;
#[path = "node/workload.rs"]
mod workload;

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::Mutex;

use crate::lab::Lab;
use crate::lab::cluster::Node;
use release::Release;

/// The longest that one step may take.
const LIMIT: Duration = Duration::from_secs(240);

/// The stories use the same names, so that one is told after the other.
static TURN: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "make test-node"]
async fn a_release_lives_on_a_real_node() -> Result<()> {
    tell(life).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "make test-node"]
async fn the_documents_lead_from_nothing_to_ready_and_back() -> Result<()> {
    tell(pages::are_followed).await
}

#[test]
fn every_page_with_commands_is_followed() -> Result<()> {
    pages::are_all_there()
}

async fn tell(story: impl AsyncFnOnce(&Release) -> Result<()>) -> Result<()> {
    let _turn = TURN.lock().await;
    let node = Node::running()?;
    let lab = Lab::beside(&node).await?;
    let release = Release::new(lab, node).await?;
    step("nothing is there", release.clear()).await?;
    let told = Box::pin(story(&release)).await;
    if told.is_err() {
        evidence::show(&release.lab).await;
    }
    told
}

async fn life(release: &Release) -> Result<()> {
    step("helm install --wait: two replicas", release.install()).await?;
    step(
        "Pods are as restricted as they say",
        pods::are_restricted(release),
    )
    .await?;
    step(
        "/readyz and metrics through their Service",
        pods::answer(release),
    )
    .await?;
    step("the samples, with the lab's servers", release.samples()).await?;
    step(
        "two owners sign in through the Service",
        release.owners_sign_in(),
    )
    .await?;
    step("a workload reads mail", workload::reads_mail(release)).await?;
    step(
        "it reads on with the next token",
        workload::reads_on(release),
    )
    .await?;
    step(
        "the leader's Pod is taken away",
        changes::leader_goes(release),
    )
    .await?;
    let before = release.renewals().await?.len();
    step("helm upgrade to the next chart", changes::upgrade(release)).await?;
    step(
        "an upgrade without an image",
        changes::upgrade_in_vain(release),
    )
    .await?;
    step("helm rollback", changes::roll_back(release)).await?;
    step(
        "each grant renewed, none twice",
        changes::renewed_once(release, before),
    )
    .await?;
    step("helm test", release.helm_test()).await?;
    step("helm uninstall", changes::uninstall(release)).await?;
    step(
        "helm install: all is as it was",
        changes::reinstall(release),
    )
    .await
}

/// One line for each, with its seconds.
async fn step(what: &str, work: impl Future<Output = Result<()>>) -> Result<()> {
    // Its state is large, and unoptimised code has a copy of it in the frame of each function that it goes through.
    let work = Box::pin(work);
    let bounded = async {
        tokio::time::timeout(LIMIT, work)
            .await
            .context("it does not end")?
    };
    terminal::step(what, bounded).await
}
