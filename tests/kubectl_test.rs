//! `kubectl gmail test`: the real binary, started by the real kubectl, on the real servers.

use std::process::Stdio;

use anyhow::{Context, Result};
use gmail_operator::api::{GmailServerProfile, Mailbox, ProfileTestStatus};
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::kubectl_gmail::{Ran, command_as, gmail, gmail_as};
use crate::lab::operator::{PATIENCE, Ports, Site};
use crate::lab::until;
use crate::lab::wire::Wire;

/// An installation whose profile `google` sends through a wire.
async fn wired(name: &str) -> Result<(Site, Wire)> {
    let mut site = Site::new(name).await?;
    let wire = Wire::to(site.lab.mail.smtps_port)?;
    site.allow(wire.port());
    site.pace("tries", 1.0);
    site.start().await?;
    let ports = Ports {
        smtp: wire.port(),
        ..site.ports()
    };
    site.profile(ports, |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    Ok((site, wire))
}

/// What went wrong is the mail client's to say; that it is said is ours.
fn without_details(out: &str) -> String {
    let line = |line: &str| match line.split_once("What happened") {
        Some((before, _)) => format!("{before}What happened …\n"),
        None => format!("{line}\n"),
    };
    out.lines().map(line).collect()
}

#[tokio::test]
async fn each_step_is_shown_and_each_failure_explained() -> Result<()> {
    let (site, wire) = wired("test-named").await?;
    let reads = |mailbox: &mut serde_json::Value| {
        mailbox["spec"]["outgoing"] = json!({ "method": "None" });
        mailbox["metadata"]["labels"] = json!({ "team": "reads" });
    };
    site.mailbox("idle", "idle-test@example.com", |_| ())
        .await?;
    site.mailbox("reads", "reads-test@example.com", reads)
        .await?;
    site.mailbox("sends", "sends-test@example.com", |_| ())
        .await?;
    site.connect("reads", "reads-test@example.com").await?;
    site.connect("sends", "sends-test@example.com").await?;
    wire.cut()?;

    let ran = gmail(&site, &["test", "sends", "reads", "idle", "reads"]).await?;
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(
        without_details(&ran.out),
        "\
idle (idle-test@example.com): cannot be tested
  Reason          SignInRequired
  What happened …
  Who must act    mailbox user
  What to do      Open the sign-in page and sign in to Google

sends (sends-test@example.com): does not work
  Reason          ConnectionRefused
  What happened …
  Who must act    platform admin
  What to do      Check host and port in the profile, egress rules and firewalls
  Tried again     in seconds to minutes

3 Mailboxes: 1 works, 1 does not, 1 cannot be tested.
"
    );
    assert_eq!(
        lines_of(&ran.err, "idle"),
        ["idle: cannot be tested (SignInRequired)"]
    );
    assert_eq!(
        steps_of(&ran.err, "reads"),
        [
            "reads: permission from Google: works",
            "reads: receiving (IMAP): works",
            "reads: works",
        ]
    );
    assert_eq!(
        steps_of(&ran.err, "sends"),
        [
            "sends: permission from Google: works",
            "sends: receiving (IMAP): works",
            "sends: sending (SMTP): does not work (ConnectionRefused)",
            "sends: a message to itself: not tried, since another step failed",
            "sends: does not work (ConnectionRefused)",
        ]
    );
    // It may have been tried again since.
    let status = gmail(&site, &["status", "sends"]).await?;
    status.expect(1, &["It is tried again in seconds to minutes."]);
    nobody_is_asked_in_vain(&site).await
}

/// What cannot be done is told at once, and without a request.
async fn nobody_is_asked_in_vain(site: &Site) -> Result<()> {
    gmail(site, &["test", "idle", "--no-wait"])
        .await?
        .expect(1, &["idle: cannot be tested\n", "No test was asked for."]);
    for (args, said) in [
        (&["test", "nobody"][..], "there is no Mailbox nobody"),
        (
            &["test", "-l", "team=nobody"],
            "has the labels team=nobody: `kubectl get mailboxes --show-labels`",
        ),
        (
            &["test", "--profile", "nobody"],
            "there is no GmailServerProfile nobody",
        ),
    ] {
        gmail(site, args).await?.expect(1, &[said]);
    }
    for args in [
        &["test"][..],
        &["test", "reads", "--all"],
        &["test", "--all", "--profile", "google"],
        &["test", "--profile", "a/b/c"],
    ] {
        gmail(site, args).await?.expect(2, &["--help"]);
    }
    let asked = |mailbox: &Mailbox| mailbox.annotations().contains_key(ASKED);
    assert!(!asked(&site.mailboxes().get("idle").await?));
    let lee = reader(site).await?;
    for (args, said) in [
        (
            ["test", "reads"],
            "asking for a test of the Mailbox test-named",
        ),
        (
            ["test", "--profile=google"],
            "asking for a test of the GmailServerProfile test-named",
        ),
    ] {
        let all = [args[0], args[1], "-n", &site.tenant];
        gmail_as(&lee, &all)
            .await?
            .expect(1, &[said, "you lack a permission", "cannot patch"]);
    }
    Ok(())
}

const ASKED: &str = "gmail-operator.dev/test-requested-at";

/// A kubeconfig of somebody who may look and change nothing.
async fn reader(site: &Site) -> Result<std::path::PathBuf> {
    let namespace = &site.tenant;
    site.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": [
        { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "lee", "namespace": namespace } },
        { "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "lee", "namespace": namespace },
          "rules": [{ "apiGroups": ["gmail-operator.dev"], "resources": ["*"], "verbs": ["get", "list", "watch"] }] },
        { "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": "lee", "namespace": namespace },
          "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lee" },
          "subjects": [{ "kind": "ServiceAccount", "name": "lee", "namespace": namespace }] },
    ] }))
    .await?;
    site.lab
        .control_plane
        .kubeconfig_for(namespace, "lee")
        .await
}

#[tokio::test]
async fn a_selector_and_what_is_not_waited_for_long() -> Result<()> {
    let (site, wire) = wired("test-selected").await?;
    for name in ["ann", "bea"] {
        let email = format!("{name}-selected@example.com");
        let team = |mailbox: &mut serde_json::Value| {
            mailbox["metadata"]["labels"] = json!({ "team": name });
        };
        site.mailbox(name, &email, team).await?;
        site.connect(name, &email).await?;
    }
    let ran = gmail(&site, &["test", "-l", "team=ann"]).await?;
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "1 Mailbox: 1 works.\n"),
        "{}",
        ran.err
    );
    let message = "ann: a message to itself: works";
    assert!(ran.err.contains(message), "{}", ran.err);

    wire.hang()?;
    let ran = gmail(&site, &["test", "bea", "--timeout", "2s"]).await?;
    // How far it has come by then depends on how quick the operator is.
    ran.expect(
        1,
        &[
            "bea (bea-selected@example.com): not tested to the end in time\n  Goes on   ",
            "1 Mailbox: 1 was not tested to the end.\n",
        ],
    );
    Ok(())
}

/// The Mailboxes of a profile are tested once each, also through the end of the operator.
#[tokio::test]
async fn a_profile_tests_all_of_its_mailboxes_once() -> Result<()> {
    let (mut site, wire) = wired("test-profile").await?;
    site.mailbox("idle", "idle-profile@example.com", |_| ())
        .await?;
    site.mailbox("reads", "reads-profile@example.com", |mailbox| {
        mailbox["spec"]["outgoing"] = json!({ "method": "None" });
    })
    .await?;
    site.mailbox("sends", "sends-profile@example.com", |_| ())
        .await?;
    site.connect("reads", "reads-profile@example.com").await?;
    site.connect("sends", "sends-profile@example.com").await?;
    wire.hang()?;

    let followed = follow(&site)?;
    let half = until_progress(&site, |test| test.tested == 1).await?;
    assert_eq!((half.mailboxes, half.finished_at), (2, None));
    let first = test_of(&site, "reads").await?;
    let answered = async || {
        let sends = site.mailboxes().get("sends").await?;
        let status = sends.status.unwrap_or_default();
        Ok(status.last_handled_profile_test_request.as_ref() == Some(&half.request))
    };
    until("the test of the other", PATIENCE, answered).await?;
    let second = test_of(&site, "sends").await?;
    site.kill()?;
    wire.restore()?;
    site.start_again().await?;

    let ran = Ran::of(tokio::time::timeout(PATIENCE, followed.wait_with_output()).await??)?;
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let numbers = "2 of 2 are tested, none of them fails";
    assert_eq!(ran.out, format!("{}/google: {numbers}.\n", site.tenant));
    let waited = "Waiting for the test of its Mailboxes: 1 of 2 are tested, none of them fails\n";
    assert!(ran.err.contains(waited), "{}", ran.err);
    gmail(&site, &["profile", "show", "google"]).await?.expect(
        0,
        &[&format!("Newest test of all          {numbers}; ended 2")],
    );

    // Everything is looked at again, and nobody is tested or told again.
    let ended = until_progress(&site, |test| test.finished_at.is_some()).await?;
    until_told(&site).await?;
    site.kill()?;
    site.start_again().await?;
    site.until_looked_at(3, 1).await?;
    assert_eq!(test_of(&site, "reads").await?, first);
    assert_eq!(test_of(&site, "sends").await?, second);
    let now = until_progress(&site, |_| true).await?;
    assert_eq!(now, ended);
    assert_eq!(told(&site).await?, 1);
    Ok(())
}

/// `kubectl gmail test --profile google`, which goes on.
fn follow(site: &Site) -> Result<tokio::process::Child> {
    let kubeconfig = site.lab.control_plane.admin_kubeconfig();
    let args = ["test", "--profile", "google", "-n", &site.tenant];
    let mut command = command_as(&kubeconfig, &args)?;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command.spawn()?)
}

async fn until_progress(
    site: &Site,
    reached: impl Fn(&ProfileTestStatus) -> bool,
) -> Result<ProfileTestStatus> {
    let mut seen = None;
    until("the profile's progress", PATIENCE, async || {
        let profile: GmailServerProfile = site.profiles().get("google").await?;
        seen = profile.status.and_then(|status| status.test);
        Ok(seen.as_ref().is_some_and(&reached))
    })
    .await?;
    seen.context("no progress")
}

async fn test_of(site: &Site, name: &str) -> Result<String> {
    let status = site.mailboxes().get(name).await?.status;
    let test = status.and_then(|status| status.test);
    Ok(test.context("no test")?.id)
}

/// How often the end was told.
async fn told(site: &Site) -> Result<i32> {
    let events: Api<Event> = Api::namespaced(site.client.clone(), &site.tenant);
    let all = events.list(&ListParams::default()).await?;
    let ours = all
        .into_iter()
        .filter(|event| event.reason.as_deref() == Some("MailboxesTested"));
    Ok(ours
        .map(|event| event.series.map_or(1, |series| series.count))
        .sum())
}

async fn until_told(site: &Site) -> Result<()> {
    until("the Event", PATIENCE, async || Ok(told(site).await? > 0)).await
}

/// The lines about one Mailbox.
fn lines_of<'a>(err: &'a str, name: &str) -> Vec<&'a str> {
    let begins = format!("{name}: ");
    err.lines()
        .filter(|line| line.starts_with(&begins))
        .collect()
}

/// The same, without what was waited for, which depends on how quick the operator is.
fn steps_of<'a>(err: &'a str, name: &str) -> Vec<&'a str> {
    let waits = format!("{name}: waits");
    let mut lines = lines_of(err, name);
    lines.retain(|line| !line.starts_with(&waits));
    lines
}
