//! The operator's Pods from outside.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use kube::ResourceExt;

use super::release::{NAME, Release};
use crate::lab::operator::PATIENCE;
use crate::lab::until;

/// What the kernel says of a process that may do nothing; the last one is a filter of system calls.
const RESTRICTED: [&str; 6] = [
    "Uid:\t65532\t65532\t65532\t65532",
    "Gid:\t65532\t65532\t65532\t65532",
    "CapEff:\t0000000000000000",
    "CapBnd:\t0000000000000000",
    "NoNewPrivs:\t1",
    "Seccomp:\t2",
];

/// The rule is enforced, and the processes are as it wants them.
pub async fn are_restricted(release: &Release) -> Result<()> {
    let careless = format!("run careless --image=localhost/pause:1 --namespace {NAME}");
    let Err(refused) = release.kubectl(&careless).await else {
        bail!("a Pod that asks for nothing was let in");
    };
    let refused = refused.to_string();
    let rule = "violates PodSecurity \"restricted";
    ensure!(refused.contains(rule), "{refused}");
    for pod in release.pods().await? {
        let status = process(&pod.uid().context("no uid")?)?;
        for wanted in RESTRICTED {
            let is_there = status.lines().any(|line| line == wanted);
            ensure!(is_there, "{wanted}: {status}");
        }
    }
    Ok(())
}

/// What the kernel says of a Pod's process; its cgroup has the Pod's uid in its name.
fn process(pod: &str) -> Result<String> {
    for entry in fs::read_dir("/proc")? {
        let folder = entry?.path();
        // One that cannot be read has ended since it was listed.
        let read = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
        if read("cmdline").starts_with("/gmail-operator\0run\0") && read("cgroup").contains(pod) {
            return Ok(read("status"));
        }
    }
    bail!("the Pod {pod} has no process")
}

/// Each Pod is ready by its own word, and one of them leads.
pub async fn answer(release: &Release) -> Result<()> {
    let service = format!("/api/v1/namespaces/{NAME}/services/{NAME}-metrics:telemetry/proxy");
    get(release, &format!("{service}/readyz")).await?;
    for pod in release.pods().await? {
        let pod = pod.name_any();
        let path = format!("/api/v1/namespaces/{NAME}/pods/{pod}:8081/proxy/readyz");
        get(release, &path).await?;
    }
    let metrics = get(release, &format!("{service}/metrics")).await?;
    ensure!(metrics.contains("gmail_operator_leader "), "{metrics}");
    until_one_leads(release).await
}

/// Waits until exactly one Pod says of itself that it leads.
pub async fn until_one_leads(release: &Release) -> Result<()> {
    until("one leader", PATIENCE, async || {
        let mut leaders = 0;
        for pod in release.pods().await? {
            let pod = pod.name_any();
            let path = format!("/api/v1/namespaces/{NAME}/pods/{pod}:8081/proxy/metrics");
            let metrics = get(release, &path).await?;
            leaders += usize::from(metrics.contains("gmail_operator_leader 1\n"));
        }
        Ok(leaders == 1)
    })
    .await
}

async fn get(release: &Release, path: &str) -> Result<String> {
    release.kubectl(&format!("get --raw {path}")).await
}
