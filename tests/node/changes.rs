//! What happens to a release while people use it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::TryStreamExt;
use gmail_operator::api::GmailServerProfile;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::ListParams;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};

use super::admin;
use super::pods::until_one_leads;
use super::release::{HELM_WAITS, LEFT, NAME, Release, SIGNED_IN, TOKEN_LIFE, chart};
use super::{LIMIT, workload};
use crate::lab::operator::{PATIENCE, condition_of, url_of};
use crate::lab::until;

/// From the end of a leader to the next one.
const TAKEOVER: Duration = Duration::from_secs(20);
/// In this time no missing image turns up.
const IN_VAIN: &str = "--timeout=10s";

/// The other replica leads in time, and a second one comes back.
pub async fn leader_goes(release: &Release) -> Result<()> {
    let first = holder(release).await?.context("nobody leads")?;
    let end = format!("delete pod {first} --namespace {NAME} --grace-period=0 --force");
    release.kubectl(&end).await?;
    until("the next leader", TAKEOVER, async || {
        let now = holder(release).await?;
        Ok(now.is_some_and(|now| now != first))
    })
    .await?;
    let whole = format!("rollout status deployment {NAME} --namespace {NAME} --timeout=60s");
    release.kubectl(&whole).await?;
    until_one_leads(release).await
}

async fn holder(release: &Release) -> Result<Option<String>> {
    let leases: Api<Lease> = Api::namespaced(release.client.clone(), NAME);
    let spec = leases.get(NAME).await?.spec;
    let holder = spec.and_then(|spec| spec.holder_identity);
    Ok(holder.filter(|holder| !holder.is_empty()))
}

/// A chart of a higher version with another value: every Pod is replaced, and nobody notices.
pub async fn upgrade(release: &Release) -> Result<()> {
    let before = names(release).await?;
    let next = next_chart(release).await?;
    let values = release.values()?;
    let args = [
        "upgrade",
        NAME,
        &next,
        "--values",
        &values,
        "--set=logFormat=json",
    ];
    let args = [&args[..], &["--wait", HELM_WAITS]].concat();
    while_people_work(release, release.helm(&args)).await?;
    let after = names(release).await?;
    ensure!(
        after.len() == 2 && after.is_disjoint(&before),
        "{before:?}, {after:?}"
    );
    Ok(())
}

async fn next_chart(release: &Release) -> Result<String> {
    const VERSION: &str = "99.0.0";
    let chart = chart()?;
    let folder = release.lab.dir().display().to_string();
    let package = [
        "package",
        &chart,
        "--version",
        VERSION,
        "--destination",
        &folder,
    ];
    release.helm(&package).await?;
    Ok(format!("{folder}/{NAME}-{VERSION}.tgz"))
}

/// An image that is nowhere: helm says so in time, and both replicas go on.
pub async fn upgrade_in_vain(release: &Release) -> Result<()> {
    let before = names(release).await?;
    let (chart, values) = (chart()?, release.values()?);
    let args = [
        "upgrade",
        NAME,
        &chart,
        "--values",
        &values,
        "--set=image.tag=missing",
    ];
    let args = [&args[..], &["--wait", IN_VAIN]].concat();
    let change = async {
        let told = release.helm(&args).await;
        ensure!(told.is_err(), "helm is content");
        Ok(())
    };
    while_people_work(release, change).await?;
    until("a Pod without its image", PATIENCE, async || {
        let pods = release.pods().await?;
        let left: BTreeSet<_> = pods.iter().map(ResourceExt::name_any).collect();
        ensure!(left.is_superset(&before), "{before:?}, {left:?}");
        Ok(pods.iter().any(has_no_image))
    })
    .await
}

fn has_no_image(pod: &Pod) -> bool {
    let statuses = pod
        .status
        .iter()
        .flat_map(|status| &status.container_statuses);
    let waiting = statuses
        .flatten()
        .filter_map(|c| c.state.as_ref()?.waiting.as_ref()?.reason.as_deref());
    waiting
        .into_iter()
        .any(|reason| ["ErrImagePull", "ImagePullBackOff"].contains(&reason))
}

/// What the chart before had is there again.
pub async fn roll_back(release: &Release) -> Result<()> {
    let args = ["rollback", NAME, "--wait", HELM_WAITS];
    while_people_work(release, release.helm(&args)).await?;
    until("the Pod without an image to go", PATIENCE, async || {
        Ok(release.pods().await?.len() == 2)
    })
    .await?;
    let pods = release.pods().await?;
    ensure!(!pods.iter().any(has_no_image));
    Ok(())
}

/// During a change the page is always there, and each connected Mailbox is Ready.
async fn while_people_work(
    release: &Release,
    change: impl Future<Output = Result<()>>,
) -> Result<()> {
    let url = url_of(&release.mailboxes().get(LEFT).await?).context("no page")?;
    let done = Cell::new(false);
    let changing = async {
        change.await?;
        done.set(true);
        Ok(())
    };
    let visiting = until("the change to end", LIMIT, async || {
        visit(release, &url).await?;
        Ok(done.get())
    });
    tokio::select! {
        failed = a_mailbox_fails(release) => failed.map(|never| match never {}),
        done = async { tokio::try_join!(changing, visiting).map(drop) } => done,
    }
}

async fn a_mailbox_fails(release: &Release) -> Result<Infallible> {
    let all = watcher(release.mailboxes(), watcher::Config::default());
    let mut states = pin!(all.default_backoff().applied_objects());
    while let Some(mailbox) = states.try_next().await? {
        let (name, ready) = (mailbox.name_any(), condition_of(&mailbox, "Ready"));
        ensure!(name == LEFT || ready.0 == "True", "{name}: {ready:?}");
    }
    bail!("the watch has ended")
}

/// Since `before` renewals each grant had at least one, and none a second in one life of its token.
pub async fn renewed_once(release: &Release, before: usize) -> Result<()> {
    until_renewed(release, before).await?;
    let mut last = BTreeMap::new();
    for (index, renewal) in release.renewals().await?.into_iter().enumerate() {
        let (at, account): (Timestamp, _) = (renewal.at.parse()?, renewal.account);
        let Some(earlier) = last.insert(account.clone(), at) else {
            continue;
        };
        let apart = at.duration_since(earlier).unsigned_abs();
        ensure!(
            index < before || apart > TOKEN_LIFE / 2,
            "{account:?} after {apart:?}"
        );
    }
    Ok(())
}

async fn until_renewed(release: &Release, before: usize) -> Result<()> {
    until("each grant to be renewed", 2 * TOKEN_LIFE, async || {
        let renewals = release.renewals().await?.into_iter().skip(before);
        let accounts: BTreeSet<_> = renewals.filter_map(|renewal| renewal.account).collect();
        Ok(accounts.len() == connected().count())
    })
    .await
}

fn connected() -> impl Iterator<Item = &'static str> {
    SIGNED_IN.into_iter().chain([workload::MAILBOX])
}

/// The Pods go; the kinds, what people made of them and what Google gave stay.
pub async fn uninstall(release: &Release) -> Result<()> {
    release
        .helm(&["uninstall", NAME, "--wait", HELM_WAITS])
        .await?;
    until("the Pods to end", PATIENCE, async || {
        Ok(release.pods().await?.is_empty())
    })
    .await?;
    let client = &release.client;
    let profiles: Api<GmailServerProfile> =
        Api::namespaced(client.clone(), admin::PLATFORM_NAMESPACE);
    profiles.get(admin::PROFILE).await?;
    for name in connected().chain([LEFT]) {
        release.mailboxes().get(name).await?;
    }
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAME);
    let grants = ListParams::default().fields("type=gmail-operator.dev/grant");
    let grants = secrets.list(&grants).await?.items.len();
    ensure!(grants == connected().count(), "{grants} grants");
    Ok(())
}

/// The same release anew: who had signed in still has, and the grants are renewed.
pub async fn reinstall(release: &Release) -> Result<()> {
    let (before, sign_ins) = (release.renewals().await?.len(), release.sign_ins().await?);
    release.helm_install().await?;
    tokio::select! {
        failed = a_mailbox_fails(release) => failed.map(|never| match never {}),
        renewed = until_renewed(release, before) => renewed,
    }?;
    ensure!(
        release.sign_ins().await? == sign_ins,
        "somebody had to sign in"
    );
    let url = url_of(&release.mailboxes().get(LEFT).await?).context("no page")?;
    visit(release, &url).await
}

/// Somebody opens the page, with a connection of their own.
async fn visit(release: &Release, url: &str) -> Result<()> {
    let somebody = release.person("somebody@example.com").await?;
    let page = somebody.open(url).await?;
    ensure!(page.status == 200, "the page says {}", page.status);
    Ok(())
}

async fn names(release: &Release) -> Result<BTreeSet<String>> {
    Ok(release
        .pods()
        .await?
        .iter()
        .map(ResourceExt::name_any)
        .collect())
}
