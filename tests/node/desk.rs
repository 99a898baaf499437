//! Where a reader of the documents works: a folder and a path of their own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gmail_operator::api::GmailServerProfile;
use kube::Resource;
use serde_json::{Value, json};

use super::admin;
use super::release::Release;
use crate::lab::control_plane::program;
use crate::lab::operator::operator_binary;

/// Where the sign-in page is while `kubectl gmail link --port-forward` runs.
pub const FORWARDED: &str = "http://localhost:8425";

/// What says that something is not well, where that is so in the story: page, words after `kubectl gmail`, why.
const ENDS_WITH_1: [(&str, &str, &str); 3] = [
    (
        "docs/connect.md",
        "link support -n crm",
        "the mailbox is connected: nobody has to sign in",
    ),
    (
        "docs/troubleshooting.md",
        "status -A",
        "its owner has signed out and must sign in",
    ),
    (
        "docs/troubleshooting.md",
        "status support -n crm",
        "its owner has signed out and must sign in",
    ),
];

/// A folder with the repository's `charts`, `crds`, `deploy` and the image, the file from Google's console, and the programs
/// that the documents ask for.
pub struct Desk {
    pub folder: PathBuf,
    bin: PathBuf,
}

impl Desk {
    pub async fn set(release: &Release) -> Result<Desk> {
        let folder = release.lab.dir().join("desk");
        let bin = folder.join("bin");
        fs::create_dir_all(&bin)?;
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(folder.join("target"))?;
        for shared in ["charts", "crds"] {
            symlink(repository.join(shared), folder.join(shared))?;
        }
        let image = std::env::var("IMAGE_FOLDER").context("make test-node runs this")?;
        symlink(image, folder.join("target/image"))?;
        // What is in it is changed.
        let deploy = [repository.join("deploy"), folder.clone()];
        let copied = Command::new("cp").arg("-r").args(deploy).status()?;
        ensure!(copied.success(), "deploy cannot be copied");
        symlink(program("kubectl")?, bin.join("kubectl"))?;
        let downloaded = admin::register_client(&release.lab, FORWARDED).await?;
        let desk = Desk { folder, bin };
        desk.write("client_secret.json", &downloaded)?;
        desk.write("values.yaml", &private_network(release))?;
        fs::create_dir(desk.folder.join("registry"))?;
        desk.write("profile.yaml", &stand_ins(release))?;
        desk.sample(release)?;
        desk.helm()?;
        Ok(desk)
    }

    /// The programs as they are to behave while a page is followed.
    pub fn at(&self, page: &str) -> Result<()> {
        let plugin = operator_binary()?.with_file_name("kubectl-gmail");
        let plugin = plugin.display();
        let base = self.folder.join("profile.yaml");
        let mut script = format!(
            "case \"$1 ${{2-}}\" in 'profile create') exec {plugin} \"$@\" --base {} ;; esac\ncase \"$*\" in\n",
            base.display()
        );
        for (_, words, why) in ENDS_WITH_1.iter().filter(|(at, _, _)| *at == page) {
            script += &format!(
                "'{words}') # {why}\n  code=0\n  {plugin} \"$@\" || code=$?\n  [ $code = 1 ]\n  exit ;;\n"
            );
        }
        script += &format!("esac\nexec {plugin} \"$@\"\n");
        self.program("kubectl-gmail", &script)
    }

    /// bash in this folder with these programs, for a block of a page; it ends within `seconds`, and all that it started.
    pub fn shell(&self, release: &Release, block: &str, seconds: u64) -> tokio::process::Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let block = format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{block}");
        let mut shell = tokio::process::Command::new("timeout");
        shell
            .args(["--kill-after=5", &seconds.to_string()])
            // -x says which command it was that failed.
            .args(["bash", "-eux", "-c", &block])
            .current_dir(&self.folder)
            .env("PATH", format!("{}:{path}", self.bin.display()))
            .env("HOME", &self.folder)
            // No registry is there.
            .env(
                "REGISTRY",
                format!("oci:{}", self.folder.join("registry").display()),
            )
            .env("KUBECONFIG", release.lab.control_plane.admin_kubeconfig())
            .kill_on_drop(true);
        shell
    }

    // The servers are in the place of Google's here, as in profile.yaml.
    fn sample(&self, release: &Release) -> Result<()> {
        let name = "deploy/samples/profile.yaml";
        let sample = fs::read_to_string(self.folder.join(name))?;
        let mut sample: Value = serde_saphyr::from_str(&sample)?;
        admin::point_at_stand_ins(&mut sample, &release.lab);
        self.write(name, &sample)
    }

    // The servers are in a private network here.
    fn helm(&self) -> Result<()> {
        let helm = program("helm")?;
        let values = self.folder.join("values.yaml");
        let (helm, values) = (helm.display(), values.display());
        let script = format!(
            "case $1 in install) exec {helm} \"$@\" --values {values} ;; esac\nexec {helm} \"$@\"\n"
        );
        self.program("helm", &script)
    }

    fn program(&self, name: &str, script: &str) -> Result<()> {
        let file = self.bin.join(name);
        fs::write(&file, format!("#!/bin/bash\nset -eu\n{script}"))?;
        Ok(fs::set_permissions(
            &file,
            fs::Permissions::from_mode(0o755),
        )?)
    }

    fn write(&self, name: &str, value: &Value) -> Result<()> {
        let file = self.folder.join(name);
        fs::write(&file, value.to_string()).with_context(|| name.to_owned())
    }
}

/// The operator may connect to the lab's servers.
fn private_network(release: &Release) -> Value {
    let lab = &release.lab;
    json!({
        "allowEndpoints": lab.endpoints(),
        "allowCidrs": [format!("{}/32", lab.place.address)],
    })
}

/// A profile of which nothing is said but that the lab's servers are in the place of Google's.
fn stand_ins(release: &Release) -> Value {
    let mut profile = json!({
        "apiVersion": GmailServerProfile::api_version(&()),
        "kind": GmailServerProfile::kind(&()),
        "spec": {},
    });
    admin::point_at_stand_ins(&mut profile, &release.lab);
    profile
}
