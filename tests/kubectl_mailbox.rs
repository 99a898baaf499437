//! The plugin, as an app team uses it for mailboxes: the real binary, started by the real kubectl.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gmail_operator::api::{Mailbox, SIGN_OUT_REQUESTED_ANNOTATION};
use kube::ResourceExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Child;

use crate::kubectl_gmail::{Ran, command_as, gmail, gmail_as};
use crate::lab::kubelet::Kubelet;
use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::person::Person;
use crate::lab::until;

/// An installation with a profile that is Ready.
async fn site(name: &str, change: impl FnOnce(&mut Site)) -> Result<Site> {
    let mut site = Site::new(name).await?;
    change(&mut site);
    ready(site).await
}

/// The same without a public URL, and the port that is to be forwarded to it.
async fn local_site(name: &str) -> Result<(Site, u16)> {
    let mut site = Site::new(name).await?;
    let port = site.without_public_url().await?;
    Ok((ready(site).await?, port))
}

async fn ready(mut site: Site) -> Result<Site> {
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    Ok(site)
}

/// A command that is still running.
struct Running {
    child: Child,
    out: BufReader<tokio::process::ChildStdout>,
}

impl Running {
    fn start(site: &Site, args: &[&str]) -> Result<Running> {
        let kubeconfig = site.lab.control_plane.admin_kubeconfig();
        let all: Vec<&str> = args.iter().copied().chain(["-n", &site.tenant]).collect();
        let mut command = command_as(&kubeconfig, &all)?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let out = BufReader::new(child.stdout.take().context("no standard output")?);
        Ok(Running { child, out })
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, self.out.read_line(&mut line)).await??;
        Ok(line.trim_end().to_owned())
    }

    async fn end(mut self) -> Result<Ran> {
        let mut out = Vec::new();
        tokio::time::timeout(PATIENCE, self.out.read_to_end(&mut out)).await??;
        let mut output = self.child.wait_with_output().await?;
        output.stdout = out;
        Ran::of(output)
    }
}

/// The page, as status names it.
async fn page_of(site: &Site, name: &str) -> Result<String> {
    let mailbox = site
        .until_reason(name, "SignedIn", "SignInRequired")
        .await?;
    let sign_in = mailbox.status.and_then(|status| status.sign_in);
    sign_in.and_then(|sign_in| sign_in.url).context("no page")
}

#[tokio::test]
async fn the_mail_is_all_that_stands_on_standard_output() -> Result<()> {
    let site = site("link-mail", |site| {
        site.public_url = "https://gmail.example.com/mail".to_owned();
    })
    .await?;
    site.mailbox("support", "support@example.com", |_| ())
        .await?;
    let page = page_of(&site, "support").await?;
    let mail = gmail(&site, &["link", "support"]).await?;
    let wanted = include_str!("kubectl_mailbox/mail.txt")
        .replace("{page}", &page)
        .replace("{namespace}", &site.tenant)
        .replace("{client}", &site.client_id);
    mail.expect(0, &[]);
    // Where lines end depends on how long this installation's names are.
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!((words(&mail.out), mail.err.as_str()), (words(&wanted), ""));
    assert!(mail.out.contains(&format!("\n\n    {page}\n\n")));

    gmail(&site, &["link", "support", "--port-forward"])
        .await?
        .expect(
            1,
            &["no port-forward is needed: the page is https://gmail.example.com/mail/signin/"],
        );
    gmail(&site, &["link", "nobody"])
        .await?
        .expect(1, &["there is no Mailbox nobody in the namespace"]);
    gmail(&site, &["link", "No_Name"])
        .await?
        .expect(2, &["a name has at most 63 lower-case letters"]);
    Ok(())
}

#[tokio::test]
async fn the_page_is_opened_in_the_browser_without_a_shell() -> Result<()> {
    let site = site("link-open", |site| {
        site.public_url = "https://gmail.example.com".to_owned();
    })
    .await?;
    site.mailbox("support", "support@example.com", |_| ())
        .await?;
    let page = page_of(&site, "support").await?;
    let folder = site.lab.dir().join(&site.namespace);
    let (browser, opened) = (folder.join("browser"), folder.join("opened"));
    std::fs::write(
        &browser,
        format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {}\n", opened.display()),
    )?;
    std::fs::set_permissions(
        &browser,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    let kubeconfig = site.lab.control_plane.admin_kubeconfig();
    let args = ["link", "support", "--open", "-n", &site.tenant];
    let mut command = command_as(&kubeconfig, &args)?;
    let ran = Ran::of(command.env("BROWSER", &browser).output().await?)?;
    ran.expect(0, &[&page]);
    until("the browser to be opened", PATIENCE, async || {
        Ok(std::fs::read_to_string(&opened).is_ok_and(|said| said == format!("{page}\n")))
    })
    .await?;
    // What stands there is not the operator's: it is not opened, nor mailed.
    let mut site = site;
    site.stop()?;
    for foreign in ["https://evil.example/signin/x", "file:///etc/passwd", "-x"] {
        let patch = json!({ "status": { "signIn": { "url": foreign } } }).to_string();
        site.kubectl(&[
            "patch",
            "mailbox",
            "support",
            "--subresource=status",
            "--type=merge",
            "--patch",
            &patch,
        ])
        .await?;
        let ran = gmail(&site, &["link", "support"]).await?;
        ran.expect(1, &["is not one of its own"]);
        assert!(!ran.err.contains(foreign) && ran.out.is_empty(), "{ran:?}");
    }
    Ok(())
}

#[tokio::test]
async fn where_a_link_is_of_no_use_it_says_what_is_first() -> Result<()> {
    let site = site("link-vain", |_| ()).await?;
    site.mailbox("paused", "paused@example.com", |mailbox| {
        mailbox["spec"]["suspend"] = json!(true);
    })
    .await?;
    site.mailbox("lost", "lost@example.com", |mailbox| {
        mailbox["spec"]["profileRef"] = json!({ "name": "nowhere" });
    })
    .await?;
    site.mailbox("support", "support@example.com", |_| ())
        .await?;
    site.until_reason("paused", "Ready", "Suspended").await?;
    gmail(&site, &["link", "paused"]).await?.expect(
        1,
        &[
            "no link for the Mailbox",
            "it is suspended",
            "set spec.suspend to false",
            "kubectl gmail status paused --namespace",
        ],
    );
    site.until_reason("lost", "Ready", "ProfileNotFound")
        .await?;
    gmail(&site, &["link", "lost"]).await?.expect(
        1,
        &["ProfileNotFound: The profile named in spec.profileRef does not exist"],
    );
    site.connect("support", "support@example.com").await?;
    let ran = gmail(&site, &["link", "support"]).await?;
    ran.expect(
        1,
        &["it is connected, tested and enabled: nobody has to sign in"],
    );
    assert_eq!(ran.out, "");
    Ok(())
}

/// The operator's Pod, on a node that leads to the operator, which runs beside.
pub async fn pod(site: &Site) -> Result<Kubelet> {
    let node = format!("node-{}", site.namespace);
    let kubelet = Kubelet::start(site.lab, &node, site.web_port()).await?;
    let labels = json!({ "app.kubernetes.io/name": "gmail-operator" });
    site.apply(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "gmail-operator-0", "namespace": site.namespace, "labels": labels },
        // As the namespace's Pod Security wants it.
        "spec": {
            "nodeName": kubelet.node,
            "serviceAccountName": "gmail-operator",
            "securityContext": { "runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{
                "name": "gmail-operator", "image": "x", "ports": [{ "name": "http", "containerPort": 8080 }],
                "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
            }],
        },
    }))
    .await?;
    let ready = json!({ "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] } });
    let patch = ready.to_string();
    let args = [
        "patch",
        "pod",
        "gmail-operator-0",
        "-n",
        &site.namespace,
        "--subresource=status",
        "--type=merge",
        "--patch",
        &patch,
    ];
    site.lab.control_plane.kubectl(args).await?;
    Ok(kubelet)
}

/// The browser's requests go through the plugin, the API server's port-forward and a stand-in for a
/// node's kubelet.
#[tokio::test]
async fn without_a_public_host_people_sign_in_on_localhost() -> Result<()> {
    let (site, port) = local_site("link-local").await?;
    let profile = site
        .until_profile("google", "RedirectRegistered", "InDownloadedFile")
        .await?;
    let client = profile.status.and_then(|status| status.oauth_client);
    assert_eq!(
        client.context("no client")?.redirect_uris,
        [format!("http://localhost:{port}/oauth2/callback")]
    );
    site.mailbox("support", "support@example.com", |_| ())
        .await?;
    let mailbox = site
        .until_reason("support", "Ready", "SignInRequired")
        .await?;
    let sign_in = mailbox.status.clone().and_then(|status| status.sign_in);
    assert_eq!(sign_in.and_then(|sign_in| sign_in.url), None);
    let by = format!(
        "kubectl gmail link support -n {} --port-forward",
        site.tenant
    );
    let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
    let told = conditions.filter(|c| c.message.contains(&by)).count();
    assert_eq!(told, 2, "{:?}", mailbox.status);
    gmail(&site, &["link", "support"]).await?.expect(
        1,
        &[
            "has no --public-url",
            &format!("kubectl gmail link support --namespace {}", site.tenant),
            "--port-forward",
        ],
    );

    let local_port = format!("--local-port={port}");
    let args = [
        "link",
        "support",
        "--port-forward",
        &local_port,
        "--operator-namespace",
        &site.namespace,
    ];
    gmail(&site, &args).await?.expect(
        1,
        &["there is no Pod of the operator", "--operator-namespace"],
    );
    let kubelet = pod(&site).await?;
    let busy = TcpListener::bind(("127.0.0.1", port)).await?;
    gmail(&site, &args)
        .await?
        .expect(1, &[&format!("port {port} of this machine cannot be used")]);
    drop(busy);

    // Refused, ended by hand, and at last done.
    let uid = mailbox.uid().context("no uid")?;
    let page = format!(
        "http://localhost:{port}/signin/{}/support/{uid}",
        site.tenant
    );
    let person = Person::new(site.lab, "support@example.com")?;
    let mut first = Running::start(&site, &args)?;
    assert_eq!(first.line().await?, page);
    let ended = person.clone().declines().sign_in(&page).await?;
    ensure!(ended.words()?.contains("ConsentDeclined"), "{}", ended.text);
    first.end().await?.expect(
        1,
        &["the sign-in was refused. ConsentDeclined: The owner declined access. Mailbox user: Start"],
    );

    let mut second = Running::start(&site, &args)?;
    second.line().await?;
    let id = second.child.id().context("it has ended")?.to_string();
    let signalled = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status()?;
    ensure!(signalled.success());
    second
        .end()
        .await?
        .expect(1, &["ended before the Mailbox", "can be run again"]);

    let mut third = Running::start(&site, &args)?;
    third.line().await?;
    let ended = person.sign_in(&page).await?;
    assert_eq!(ended.status, 200, "{}", ended.text);
    third.end().await?.expect(
        0,
        &[
            "Waiting for support@example.com to sign in",
            "support@example.com is connected, tested and enabled",
        ],
    );
    site.until_profile("google", "RedirectRegistered", "SignedIn")
        .await?;

    // The node goes, and the way with it.
    site.mailbox("sales", "sales@example.com", |_| ()).await?;
    site.until_reason("sales", "Ready", "SignInRequired")
        .await?;
    drop(kubelet);
    let timeout = [&["link", "sales", "--timeout=5s"][..], &args[2..]].concat();
    let mut fourth = Running::start(&site, &timeout)?;
    let page = fourth.line().await?;
    assert!(person.open(&page).await.is_err());
    fourth.end().await?.expect(
        1,
        &[
            "The page could not be reached: forwarding a port to the Pod",
            "within 5 s the Mailbox",
        ],
    );
    Ok(())
}

/// An app team's member: Mailboxes of the tenant and nothing else.
async fn app_team(site: &Site) -> Result<PathBuf> {
    let rules = json!([{ "apiGroups": ["gmail-operator.dev"], "resources": ["mailboxes"], "verbs": ["get", "list", "watch"] }]);
    let pods = json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["list"] }]);
    let role = |namespace: &str, rules: &Value| {
        [
            json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "lee", "namespace": namespace }, "rules": rules }),
            json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": "lee", "namespace": namespace },
              "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "lee" },
              "subjects": [{ "kind": "ServiceAccount", "name": "lee", "namespace": site.tenant }] }),
        ]
    };
    let mut items = vec![
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "lee", "namespace": site.tenant } }),
    ];
    items.extend(role(&site.tenant, &rules));
    items.extend(role(&site.namespace, &pods));
    site.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": items }))
        .await?;
    site.lab
        .control_plane
        .kubeconfig_for(&site.tenant, "lee")
        .await
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_with_its_rule() -> Result<()> {
    let (site, _) = local_site("mailbox-rights").await?;
    site.mailbox("support", "support@example.com", |_| ())
        .await?;
    site.until_reason("support", "Ready", "SignInRequired")
        .await?;
    let _kubelet = pod(&site).await?;
    let lee = app_team(&site).await?;
    let as_lee = async |args: &[&str]| gmail_as(&lee, args).await;
    as_lee(&[
        "link",
        "support",
        "--port-forward",
        "--operator-namespace",
        &site.namespace,
    ])
    .await?
    .expect(
        1,
        &[
            "you may not get pods/portforward",
            &format!("a Role in the namespace {}", site.namespace),
            "resources: [pods/portforward], verbs: [get, create]",
        ],
    );
    as_lee(&[
        "link",
        "support",
        "--port-forward",
        "--operator-namespace",
        "kube-system",
    ])
    .await?
    .expect(
        1,
        &[
            "listing the Pods of the namespace kube-system",
            "resources: [pods], verbs: [list]",
        ],
    );
    // A profile that may not be read leaves its page out, and nothing else.
    as_lee(&["status", "support"])
        .await?
        .expect(1, &["you may not read it", "What to do next"]);
    as_lee(&["status"])
        .await?
        .expect(1, &["0 of 1 are enabled"]);
    as_lee(&["status", "--all-namespaces"]).await?.expect(
        1,
        &["listing the Mailboxes of all namespaces: you lack a permission"],
    );
    as_lee(&["sign-out", "support"])
        .await?
        .expect(0, &["Nobody is signed in to it"]);
    Ok(())
}

#[tokio::test]
async fn status_tells_who_must_act() -> Result<()> {
    let site = site("mailbox-status", |_| ()).await?;
    gmail(&site, &["status"])
        .await?
        .expect(0, &["There are no Mailboxes in the namespace"]);
    site.mailbox("works", "works@example.com", |_| ()).await?;
    site.connect("works", "works@example.com").await?;
    let all = gmail(&site, &["status"]).await?;
    assert_eq!(
        (all.code, all.out.as_str(), all.err.as_str()),
        (
            0,
            format!("1 of 1 are enabled in the namespace {}.\n", site.tenant).as_str(),
            ""
        )
    );
    let page = gmail(&site, &["status", "works"]).await?;
    page.expect(
        0,
        &[
            &format!("Mailbox {}/works (works@example.com)", site.tenant),
            "Ready: Tested and enabled.",
            "Account     works@example.com",
            "no end is known",
            "kept with the grant in the operator's namespace",
            &format!("Name      {}/google", site.tenant),
            "Contact   Platform team, it@example.com",
            "Incoming    ServerSideSync   Success   yes",
            "after the sign-in, ended ",
            "its last step was a message to itself",
            "What to do next\n  Nobody: nothing has to be done\n",
        ],
    );
    assert!(
        !page.out.contains("Conditions that are not right"),
        "{}",
        page.out
    );

    site.mailbox("waits", "waits@example.com", |_| ()).await?;
    site.mailbox("paused", "paused@example.com", |mailbox| {
        mailbox["spec"]["suspend"] = json!(true);
    })
    .await?;
    site.until_reason("paused", "Ready", "Suspended").await?;
    let url = page_of(&site, "waits").await?;
    gmail(&site, &["status"]).await?.expect(
        1,
        &[
            "App team: 1\n",
            "Mailbox user (`kubectl gmail link NAME` writes the mail to send): 1\n",
            "waits     waits@example.com   SignInRequired",
            &format!("the page is {url}"),
            "1 of 3 are enabled",
        ],
    );
    gmail(&site, &["status", "waits"]).await?.expect(
        1,
        &[
            "nobody is signed in",
            "Conditions that are not right",
            &format!(
                "Mailbox user: Open the sign-in page and sign in to Google. The page is {url}"
            ),
        ],
    );
    // The profile first: it explains the others.
    site.profile(site.ports(), |profile| {
        profile["spec"]["suspend"] = json!(true)
    })
    .await?;
    site.until_reason("works", "Ready", "ProfileSuspended")
        .await?;
    let kubeconfig = site.lab.control_plane.admin_kubeconfig();
    let everywhere = gmail_as(&kubeconfig, &["status", "-A"]).await?;
    everywhere.expect(
        1,
        &[
            "Profiles that are not Ready",
            &format!("{}/google   3 Mailboxes   ProfileSuspended", site.tenant),
            &format!("{}/works", site.tenant),
            "are enabled in the cluster.",
        ],
    );
    gmail(&site, &["status", "works"]).await?.expect(
        1,
        &[&format!(
            "Platform admin: Set the profile's spec.suspend to false: kubectl gmail profile show google --namespace {}",
            site.tenant
        )],
    );
    Ok(())
}

/// What the operator repeats of servers and people cannot take over a terminal.
#[tokio::test]
async fn nothing_of_a_mailbox_moves_the_cursor() -> Result<()> {
    let site = Site::new("mailbox-safe").await?;
    site.mailbox("support", "support@example.com", |_| ())
        .await?;
    let evil = "look\u{1b}[2J\u{9b}31m here\u{202e}";
    let at = "2026-01-01T00:00:00Z";
    let direction = json!({ "state": "Failure", "enabled": false, "testedAt": at, "lastError": {
        "at": at, "reason": "LoginRefused", "message": evil, "serverReply": evil,
    } });
    let status = json!({ "status": {
        "observedGeneration": 1,
        "profileName": evil,
        "signIn": { "account": evil, "signedInAt": at, "url": evil, "lastAttempt": { "at": at, "reason": "WrongAccount" } },
        "incoming": direction, "outgoing": direction,
        "conditions": [{ "type": "Ready", "status": "False", "reason": "LoginRefused", "message": evil, "lastTransitionTime": at }],
    } });
    let patch = status.to_string();
    site.kubectl(&[
        "patch",
        "mailbox",
        "support",
        "--subresource=status",
        "--type=merge",
        "--patch",
        &patch,
    ])
    .await?;
    let one = gmail(&site, &["status", "support"]).await?;
    one.expect(
        1,
        &[
            "look[2J31m here",
            "The server said: look[2J31m here",
            "Another Google account signed in than the one this Mailbox is for (WrongAccount)",
            "Google Workspace admin: Check in the Workspace admin console",
        ],
    );
    let all = gmail(&site, &["status"]).await?;
    all.expect(1, &["Google Workspace admin: 1", "look[2J31m here"]);
    for said in [&one, &all] {
        assert!(!said.out.contains(['\u{9b}', '\u{202e}']), "{said:?}");
    }
    let link = gmail(&site, &["link", "support"]).await?;
    link.expect(1, &["no link for the Mailbox"]);
    Ok(())
}

fn asked(mailbox: &Mailbox) -> Option<&String> {
    mailbox.annotations().get(SIGN_OUT_REQUESTED_ANNOTATION)
}

/// The operator is not there: its part of the conversation is written by the test.
#[tokio::test]
async fn a_sign_out_is_asked_for_and_waited_for() -> Result<()> {
    let mut site = site("sign-out", |_| ()).await?;
    site.mailbox("support", "support@example.com", |_| ())
        .await?;
    site.until_reason("support", "Ready", "SignInRequired")
        .await?;
    gmail(&site, &["sign-out", "support"]).await?.expect(
        0,
        &[
            "Nobody is signed in to it, so nothing was changed",
            "kubectl gmail link support",
        ],
    );
    assert_eq!(asked(&site.mailboxes().get("support").await?), None);
    site.connect("support", "support@example.com").await?;
    site.stop()?;

    // Not without a word.
    gmail(&site, &["sign-out", "support"])
        .await?
        .expect(2, &["there is no terminal to ask on: give --yes"]);
    assert_eq!(asked(&site.mailboxes().get("support").await?), None);
    let short = ["sign-out", "support", "--yes", "--timeout=1s"];
    gmail(&site, &short).await?.expect(
        1,
        &[
            "it was not done within 1 s",
            "the operator to end the sign-in (SignedIn is True: SignedIn)",
            "kubectl gmail status support",
        ],
    );
    let first = site.mailboxes().get("support").await?;
    let first = asked(&first).context("it is not asked for")?.clone();
    let time: jiff::Timestamp = first.parse()?;
    let status = site.mailboxes().get("support").await?.status;
    let signed_in_at = status.and_then(|status| status.sign_in?.signed_in_at);
    let after = signed_in_at.map(|at| at.0 + Duration::from_secs(1));
    ensure!(first.ends_with('Z') && first.len() == 20 && Some(time) == after);

    site.kubectl(&[
        "annotate",
        "mailbox",
        "support",
        "gmail-operator.dev/sign-out-requested-at-",
    ])
    .await?;
    let running = Running::start(&site, &["sign-out", "support", "-y"])?;
    site.until_mailbox("support", "the same request", |mailbox| {
        asked(mailbox) == Some(&first)
    })
    .await?;
    let signed_out = json!({ "status": { "signIn": null, "conditions": [{
        "type": "SignedIn", "status": "False", "reason": "SignInRequired", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z",
    }] } });
    let patch = signed_out.to_string();
    site.kubectl(&[
        "patch",
        "mailbox",
        "support",
        "--subresource=status",
        "--type=merge",
        "--patch",
        &patch,
    ])
    .await?;
    running.end().await?.expect(
        0,
        &[
            "support@example.com is signed out",
            &format!("kubectl gmail link support --namespace {}", site.tenant),
        ],
    );
    gmail(&site, &["sign-out", "nobody", "--yes"])
        .await?
        .expect(1, &["there is no Mailbox nobody"]);
    Ok(())
}

/// With the operator's own part.
#[tokio::test]
async fn a_sign_out_ends_the_sign_in() -> Result<()> {
    let site = site("sign-out-whole", |_| ()).await?;
    site.mailbox("support", "support@example.com", |_| ())
        .await?;
    site.connect("support", "support@example.com").await?;
    gmail(&site, &["sign-out", "support", "--yes"])
        .await?
        .expect(0, &["support@example.com is signed out"]);
    let mailbox = site.mailboxes().get("support").await?;
    assert_eq!(condition_of(&mailbox, "SignedIn").1, "SignInRequired");
    until("the grant to go", PATIENCE, async || {
        Ok(site.grant("support").await.is_err())
    })
    .await?;
    site.connect("support", "support@example.com").await?;
    Ok(())
}

#[tokio::test]
async fn names_of_mailboxes_and_profiles_complete() -> Result<()> {
    let site = Site::new("mailbox-names").await?;
    site.profile(site.ports(), |_| ()).await?;
    for name in ["sales", "support"] {
        site.mailbox(name, &format!("{name}@example.com"), |_| ())
            .await?;
    }
    let kubeconfig = site.lab.control_plane.admin_kubeconfig();
    let asked = async |words: &[&str]| {
        let all = [&["__complete"], words].concat();
        Ok::<_, anyhow::Error>(gmail_as(&kubeconfig, &all).await?.out)
    };
    for command in ["link", "status", "sign-out"] {
        let said = asked(&[command, "-n", &site.tenant, ""]).await?;
        assert_eq!(said, "sales\nsupport\n:4\n", "{command}");
    }
    let said = asked(&["--namespace", &site.tenant, "link", "--open", "su"]).await?;
    assert_eq!(said, "support\n:4\n");
    let said = asked(&["profile", "show", "-n", &site.tenant, ""]).await?;
    assert_eq!(said, "google\n:4\n");
    Ok(())
}
