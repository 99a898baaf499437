//! A node with a kubelet, which `tests/lab/cluster` starts beside this process: `make test-node`.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::lab_folder;

/// The node of this checkout.
#[derive(Debug)]
pub struct Node {
    run: PathBuf,
    machine: Ipv4Addr,
}

impl Node {
    /// The one that runs; fails with advice when none does.
    pub fn running() -> Result<Node> {
        let run = lab_folder().join("cluster/run");
        let kubeconfig = fs::metadata(run.join("admin.conf"));
        kubeconfig.context("no node is running: `make test-node` starts one")?;
        let machine = fs::read_to_string(run.join("host-ip"))?.trim().parse()?;
        Ok(Node { run, machine })
    }

    /// Where its pods reach this machine.
    pub fn machine(&self) -> Ipv4Addr {
        self.machine
    }

    /// A kubeconfig that may do everything.
    pub fn kubeconfig(&self) -> PathBuf {
        self.run.join("admin.conf")
    }

    /// The authority of its API server.
    pub fn authority(&self) -> PathBuf {
        self.run.join("pki/ca.crt")
    }

    /// From now on its pods find a name.
    pub fn announce(&self, name: &str, address: Ipv4Addr) -> Result<()> {
        let file = self.run.join("hosts").join(name);
        let line = format!("{address} {name}\n");
        // Every writing is news to the server of names.
        if fs::read_to_string(&file).is_ok_and(|told| told == line) {
            return Ok(());
        }
        Ok(fs::write(file, line)?)
    }
}
