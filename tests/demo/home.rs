//! Where the operator lives: as a process of this machine, or in Pods of a node.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;
use tokio::net::TcpStream;

use crate::admin;
use crate::lab::cluster::Node;
use crate::lab::control_plane::program;
use crate::lab::operator::PATIENCE;
use crate::lab::{Lab, until};
use crate::operator::{FrontDoor, Operator};
use crate::terminal::step;

/// Name and namespace of the release.
const NAME: &str = "gmail-operator";

/// Where the operator is.
#[derive(Clone, Copy, Debug)]
pub enum Home {
    /// A process of this machine, with an API server that has no nodes.
    Machine,
    /// Pods of the node that runs, by the chart.
    Node,
}

impl Home {
    /// The servers.
    pub async fn lab(self) -> Result<Lab> {
        match self {
            Home::Machine => {
                let what =
                    "Starting Kubernetes, and stand-ins for Google's sign-in and mail servers";
                step(what, Lab::start()).await
            }
            Home::Node => {
                let what =
                    "Starting stand-ins for Google's sign-in and mail servers beside the node";
                step(what, async { Lab::beside(&Node::running()?).await }).await
            }
        }
    }

    /// What an admin installs.
    pub async fn install(self, lab: &Lab, door: &FrontDoor) -> Result<()> {
        match self {
            Home::Machine => {
                let what = "Installing deploy/: kinds, rights, admission policy (the operator is a process here)";
                step(what, admin::install(lab)).await
            }
            Home::Node => {
                let what = "helm install charts/gmail-operator: kinds, rights, two replicas";
                step(what, helm_install(lab, door.public_url())).await
            }
        }
    }

    /// The operator as browsers reach it.
    pub async fn operator(self, lab: &Lab, door: FrontDoor) -> Result<Operator> {
        let url = door.public_url();
        match self {
            Home::Machine => {
                let what = format!("Starting the operator at {url}");
                step(&what, Operator::start(lab, door)).await
            }
            Home::Node => {
                let what = format!("kubectl port-forward from {url} to its Service");
                step(&what, forward(lab, door)).await
            }
        }
    }
}

async fn helm_install(lab: &Lab, public_url: &str) -> Result<()> {
    let values = json!({
        "replicas": 2,
        "publicUrl": public_url,
        "clusterName": "demo",
        "allowEndpoints": lab.endpoints(),
        "allowCidrs": [format!("{}/32", lab.place.address)],
    });
    let file = lab.dir().join("values.yaml");
    std::fs::write(&file, values.to_string())?;
    let file = file.to_str().context("the path is no text")?;
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/gmail-operator");
    let install = ["install", NAME, chart, "--namespace", NAME];
    let ready = [
        "--create-namespace",
        "--values",
        file,
        "--wait",
        "--timeout=120s",
    ];
    let install = install.iter().chain(&ready);
    lab.control_plane.helm(install).await.map(drop)
}

async fn forward(lab: &Lab, door: FrontDoor) -> Result<Operator> {
    let port = door.open();
    let mut command = Command::new(program("kubectl")?);
    command
        .env("KUBECONFIG", lab.control_plane.admin_kubeconfig())
        .args(["port-forward", "--namespace", NAME])
        .args(["service/gmail-operator", &format!("{port}:80")]);
    let log = format!("kubectl logs -n {NAME} deployment/{NAME}");
    let forwarding = Operator::run(&command, &lab.dir().join("port-forward.log"), log)?;
    until("the port-forward", PATIENCE, async || {
        forwarding.expect_running()?;
        Ok(TcpStream::connect(("127.0.0.1", port)).await.is_ok())
    })
    .await?;
    Ok(forwarding)
}
