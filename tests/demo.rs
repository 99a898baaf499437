//! The whole product on this machine, to look at and to try: `make demo`.
//!
//! Real servers, the samples of `deploy/`, the operator as a process with the rights of `deploy/`, and two people who
//! have signed in. The third mailbox is left for whoever looks.

#[path = "demo/admin.rs"]
mod admin;
#[path = "demo/home.rs"]
mod home;
mod lab;
#[path = "demo/operator.rs"]
mod operator;
#[path = "demo/table.rs"]
mod table;
#[path = "demo/terminal.rs"]
mod terminal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use gmail_operator::api::{GmailServerProfile, Mailbox};
use kube::{Api, Client};
use tokio::signal::unix::{Signal, SignalKind, signal};

use home::Home;
use lab::operator::{PATIENCE, condition_of};
use lab::person::Person;
use lab::{Lab, until};
use operator::{FrontDoor, Operator};
use table::Table;
use terminal::{complain, in_shell, say, short, step};

const USAGE: &str = "\
Usage: demo [--node] [--once]

Starts Kubernetes, stand-ins for Google and the operator on this machine, and stays until Ctrl-C.
  --node   installs the chart on the node that runs: `make demo-node` starts one
  --once   ends when the mailboxes are as they should be: 0 if they are, 1 if not";

/// The mailboxes of `deploy/samples` whose owners sign in, and the one that is left to do.
const SIGNED_IN: [&str; 2] = ["support", "sales"];
const LEFT: &str = "info";

/// How long everything together may take to end.
const END: Duration = Duration::from_secs(30);

const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (home, once) = match arguments[..] {
        [] => (Home::Machine, false),
        ["--once"] => (Home::Machine, true),
        ["--node"] => (Home::Node, false),
        ["--node", "--once"] => (Home::Node, true),
        ["--help" | "-h"] => {
            say(USAGE);
            return ExitCode::SUCCESS;
        }
        _ => {
            complain(USAGE);
            return ExitCode::from(2);
        }
    };
    match run(home, once).await {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("The demo failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Shows everything, until that is done or somebody ends it, and cleans up whatever happened.
async fn run(home: Home, once: bool) -> Result<ExitCode> {
    let mut interruption = Interruption::new()?;
    let mut demo = Demo::default();
    let shown = tokio::select! {
        // First: Ctrl-C also ends the kubectl of a step, which is then no failure.
        biased;
        () = interruption.comes() => None,
        result = demo.show(home) => Some(result),
    };
    let result = match shown {
        Some(Ok(third)) if !once => tokio::select! {
            result = demo.stay(third) => Some(result),
            // The usual end, and no failure of `make`.
            () = interruption.comes() => Some(Ok(())),
        },
        Some(result) => Some(result.map(drop)),
        None => None,
    };
    let logs = demo.logs();
    if let Some(Err(error)) = &result {
        explain(error, logs.as_deref());
    }
    tokio::select! {
        ended = demo.stop() => ended?,
        () = interruption.comes() => {
            complain("Not waited for the servers: they end by themselves within seconds.");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    Ok(match result {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(_)) => ExitCode::FAILURE,
        None => ExitCode::from(INTERRUPTED),
    })
}

/// What runs.
#[derive(Default)]
struct Demo {
    lab: Option<Lab>,
    operator: Option<Operator>,
}

/// The mailbox that nobody has signed in to, and what it takes to wait for that.
struct Third {
    mailboxes: Api<Mailbox>,
    email: String,
}

impl Demo {
    /// From nothing to the table, step by step.
    async fn show(&mut self, home: Home) -> Result<Third> {
        let lab = self.lab.insert(home.lab().await?);
        let door = FrontDoor::reserve()?;
        home.install(lab, &door).await?;
        let client_file = step(
            "Registering an OAuth client at the stand-in for Google",
            admin::register_client(lab, door.public_url()),
        )
        .await?;
        step(
            "Applying deploy/samples, with the client's file as a Secret",
            admin::apply_samples(lab, &client_file),
        )
        .await?;
        say(
            "  The only change: the profile names the stand-ins (endpoints, servers, caBundle), not Google.",
        );

        let operator = self.operator.insert(home.operator(lab, door).await?);
        let client = lab.control_plane.admin().await?;
        let mailboxes: Api<Mailbox> = Api::namespaced(client.clone(), admin::APP_NAMESPACE);
        step(
            "Waiting until the profile is Ready",
            profile_ready(&client, operator),
        )
        .await?;
        for name in SIGNED_IN {
            let email = mailboxes.get(name).await?.spec.email_address;
            let what = format!("Signing in {email}, as a browser does");
            step(&what, sign_in(lab, &mailboxes, name, &email)).await?;
        }
        step(
            "Waiting until both are tested and enabled",
            as_it_should_be(&mailboxes, operator),
        )
        .await?;

        let table = Table::get(lab).await?;
        say(&format!("\n{table}"));
        table
            .expect(&SIGNED_IN, LEFT)
            .context("Checking the table")?;
        Ok(Third {
            email: mailboxes.get(LEFT).await?.spec.email_address,
            mailboxes,
        })
    }

    /// Tells what there is to do, and waits for somebody to do it; returns only if something fails.
    async fn stay(&self, third: Third) -> Result<()> {
        let lab = self.lab.as_ref().context("the lab is not running")?;
        let operator = self
            .operator
            .as_ref()
            .context("the operator is not running")?;
        let left = third.mailboxes.get(LEFT).await?;
        say(&invitation(&third.email, &url_of(&left)?));
        say(&advice(lab, operator)?);
        let mut ready = false;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            operator.expect_running().context("While it was running")?;
            let now = third.mailboxes.get_opt(LEFT).await;
            // Whoever looks around may do anything to the Mailbox, and to the API server.
            let now = now.is_ok_and(|found| found.is_some_and(|found| is_ready(&found)));
            if now && !ready {
                say(&format!("{} is signed in:\n", third.email));
                say(&Table::get(lab).await?.to_string());
            }
            ready = now;
        }
    }

    /// Where the logs are, once there are any.
    fn logs(&self) -> Option<PathBuf> {
        self.lab.as_ref().map(|lab| lab.dir().to_owned())
    }

    /// Ends everything, and says so only when it has ended.
    async fn stop(&mut self) -> Result<()> {
        let logs = self.logs();
        let (lab, operator) = (self.lab.take(), self.operator.take());
        let ends = async {
            if let Some(operator) = operator {
                operator.stop().await?;
            }
            // Each server ends when its keeper is let go of, also those of a lab that did not get ready.
            drop(lab);
            until("the servers to end", END, async || {
                Ok(!terminal::has_children()?)
            })
            .await
        };
        step("Ending everything", ends).await?;
        say("Everything has ended.");
        if let Some(logs) = logs {
            say(&format!("The logs stay in {}.", short(&logs)));
        }
        Ok(())
    }
}

/// Ctrl-C, `kill`, and the terminal being closed.
struct Interruption([Signal; 3]);

impl Interruption {
    fn new() -> Result<Interruption> {
        Ok(Interruption([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        // The terminal has just printed ^C.
        say("");
    }
}

async fn profile_ready(client: &Client, operator: &Operator) -> Result<()> {
    let profiles: Api<GmailServerProfile> =
        Api::namespaced(client.clone(), admin::PLATFORM_NAMESPACE);
    let mut last = String::from("the operator has not looked at it");
    let waited = until("Ready", PATIENCE, async || {
        operator.expect_running()?;
        let status = profiles.get(admin::PROFILE).await?.status;
        let conditions = status.iter().flat_map(|status| &status.conditions);
        let Some(ready) = conditions.into_iter().find(|c| c.type_ == "Ready") else {
            return Ok(false);
        };
        last = format!("{}: {}", ready.reason, ready.message);
        Ok(ready.status == "True")
    });
    waited.await.with_context(|| last.clone())
}

async fn sign_in(lab: &Lab, mailboxes: &Api<Mailbox>, name: &str, email: &str) -> Result<()> {
    until("its sign-in page to be open", PATIENCE, async || {
        let mailbox = mailboxes.get(name).await?;
        Ok(url_of(&mailbox).is_ok() && condition_of(&mailbox, "ProfileReady").0 == "True")
    })
    .await?;
    let url = url_of(&mailboxes.get(name).await?)?;
    let page = Person::new(lab, email)?.sign_in(&url).await?;
    if page.status != 200 {
        bail!(
            "the page says {}: {}",
            page.status,
            page.words().unwrap_or_default()
        );
    }
    Ok(())
}

async fn as_it_should_be(mailboxes: &Api<Mailbox>, operator: &Operator) -> Result<()> {
    let mut open = Vec::new();
    let waited = until("these to be right:", PATIENCE, async || {
        operator.expect_running()?;
        open.clear();
        for name in SIGNED_IN {
            let mailbox = mailboxes.get(name).await?;
            if !is_ready(&mailbox) {
                open.push(ready_in_words(&mailbox));
            }
        }
        let left = mailboxes.get(LEFT).await?;
        if condition_of(&left, "Ready").1 != "SignInRequired" {
            open.push(ready_in_words(&left));
        }
        Ok(open.is_empty())
    })
    .await;
    waited.map_err(|error| anyhow!("{error}\n        {}", open.join("\n        ")))
}

fn is_ready(mailbox: &Mailbox) -> bool {
    condition_of(mailbox, "Ready").0 == "True"
}

fn ready_in_words(mailbox: &Mailbox) -> String {
    let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
    let ready = conditions.into_iter().find(|c| c.type_ == "Ready");
    let email = &mailbox.spec.email_address;
    match ready {
        Some(ready) => format!("{email} is {}: {}", ready.reason, ready.message),
        None => format!("{email} has no status"),
    }
}

fn url_of(mailbox: &Mailbox) -> Result<String> {
    let sign_in = mailbox.status.as_ref().and_then(|s| s.sign_in.as_ref());
    let url = sign_in.and_then(|sign_in| sign_in.url.clone());
    url.with_context(|| format!("{} has no sign-in page", mailbox.spec.email_address))
}

fn invitation(email: &str, url: &str) -> String {
    format!(
        "\
The third waits for its owner. Be that person: open this in a browser on this machine,

    {url}

and at the stand-in for Google type the address {email}
(self-signed certificate: the browser warns about the stand-in, not about the operator).
"
    )
}

fn advice(lab: &Lab, operator: &Operator) -> Result<String> {
    let kubeconfig = in_shell(&lab.control_plane.admin_kubeconfig());
    let kubectl = in_shell(&lab::control_plane::program("kubectl")?);
    let (app, platform) = (admin::APP_NAMESPACE, admin::PLATFORM_NAMESPACE);
    let profile = admin::PROFILE;
    Ok(format!(
        "\
To look around, in another terminal:

    export KUBECONFIG={kubeconfig}
    alias kubectl={kubectl}
    kubectl get mailboxes -A -o wide
    kubectl describe mailbox -n {app} {LEFT}
    kubectl get gmailserverprofile -n {platform} {profile} -o yaml
    kubectl explain mailbox.spec
    kubectl annotate mailbox -n {app} support --overwrite gmail-operator.dev/test-requested-at=\"$(date)\"

The operator's log: {}. The servers': {}.
Ctrl-C ends everything.
",
        operator.log(),
        short(lab.dir())
    ))
}

/// The step is the outermost context, the rest is why.
fn explain(error: &anyhow::Error, logs: Option<&Path>) {
    let why: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    complain(&format!(
        "\nThe demo failed.\n  Step: {error}\n  Why:  {}",
        why.join(": ")
    ));
    if let Some(logs) = logs {
        complain(&format!("  Logs: {}", short(logs)));
    }
}
