//! The plugin, as an admin uses it: the real binary, started by the real kubectl.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::lab::control_plane::program;
use crate::lab::operator::{CLIENT_SECRET, PATIENCE, Site, operator_binary};
use crate::lab::until;

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    #[track_caller]
    pub fn expect(&self, code: i32, said: &[&str]) {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{all}");
        for words in said {
            assert!(all.contains(words), "{words:?} is not in\n{all}");
        }
        assert!(!all.contains("GOCSPX"), "the client secret is in\n{all}");
        assert!(!all.contains('\u{1b}'), "a pipe got colours:\n{all}");
    }
}

/// `kubectl gmail …`, not yet started.
pub fn command_as(kubeconfig: &Path, args: &[&str]) -> Result<tokio::process::Command> {
    let plugin = operator_binary()?;
    let folder = plugin.parent().context("no folder")?.display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = tokio::process::Command::new(program("kubectl")?);
    command
        .arg("gmail")
        .args(args)
        .env("PATH", format!("{folder}:{path}"))
        .env("KUBECONFIG", kubeconfig)
        .env("HOME", kubeconfig.parent().context("no folder")?)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

/// `kubectl gmail …` to its end.
pub async fn gmail_as(kubeconfig: &Path, args: &[&str]) -> Result<Ran> {
    Ran::of(command_as(kubeconfig, args)?.output().await?)
}

impl Ran {
    /// What a process came to.
    pub fn of(output: std::process::Output) -> Result<Ran> {
        Ok(Ran {
            code: output.status.code().context("ended by a signal")?,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }
}

/// In the namespace of the profiles, as admin.
pub async fn gmail(site: &Site, args: &[&str]) -> Result<Ran> {
    let kubeconfig = site.lab.control_plane.admin_kubeconfig();
    let all: Vec<&str> = args.iter().copied().chain(["-n", &site.tenant]).collect();
    gmail_as(&kubeconfig, &all).await
}

/// A file of this installation.
fn file(site: &Site, name: &str, content: &str) -> Result<String> {
    let folder = site.lab.dir().join(&site.namespace);
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    std::fs::write(&path, content)?;
    Ok(path.display().to_string())
}

/// What Google's console downloads.
fn downloaded(site: &Site, secret: &str) -> Result<String> {
    let client = json!({ "web": {
        "client_id": site.client_id,
        "client_secret": secret,
        "redirect_uris": [format!("{}/oauth2/callback", site.public_url)],
    }});
    file(
        site,
        &format!("client_{}.json", secret.len()),
        &client.to_string(),
    )
}

/// The lab's servers in the place of Google's, for --base.
fn base(site: &Site) -> Result<String> {
    let mut profile = site.profile_manifest("google", site.ports());
    profile["spec"]
        .as_object_mut()
        .context("no spec")?
        .retain(|field, _| {
            ["caBundle", "oauthClient", "servers", "processing"].contains(&field.as_str())
        });
    let client = profile["spec"]["oauthClient"].as_object_mut();
    client
        .context("no client")?
        .retain(|field, _| field == "endpoints");
    file(site, "base.yaml", &serde_saphyr::to_string(&profile)?)
}

async fn create(site: &Site, name: &str, credentials: &str, more: &[&str]) -> Result<Ran> {
    let base = base(site)?;
    let mut args = vec![
        "profile",
        "create",
        name,
        "--credentials",
        credentials,
        "--base",
        &base,
    ];
    args.extend(more);
    gmail(site, &args).await
}

const INTERNAL: [&str; 2] = ["--user-type", "internal"];
const TESTING: [&str; 4] = ["--user-type", "external", "--publishing-status", "testing"];

#[tokio::test]
async fn a_profile_is_made_and_shown() -> Result<()> {
    let mut site = Site::new("plugin-create").await?;
    site.start().await?;
    let credentials = downloaded(&site, CLIENT_SECRET)?;
    let more = [
        "--default",
        "--allow-address",
        "*@example.org",
        "--contact",
        "it@example.org",
        "--app-name",
        "Acme CRM",
    ];
    let flags: Vec<&str> = TESTING.into_iter().chain(more).collect();
    let made = create(&site, "google", &credentials, &flags).await?;
    made.expect(
        0,
        &[
            &format!("Secret {}/google-oauth-client created", site.tenant),
            &format!("GmailServerProfile {}/google created", site.tenant),
            &format!("GmailServerProfile {}/google is Ready", site.tenant),
            &site.client_id,
            "The redirect URI is in the downloaded file.",
            "100 Google accounts, 0 signed in so far",
            "Google ends every sign-in after 7 days",
            "emailAddress: support@example.org",
        ],
    );
    assert!(made.err.contains("Waiting for "), "{}", made.err);

    let profile = site.profiles().get("google").await?;
    assert!(profile.spec.default_for_new_mailboxes);
    assert_eq!(profile.spec.contact.as_deref(), Some("it@example.org"));
    let managers: Vec<_> = profile.metadata.managed_fields.iter().flatten().collect();
    assert!(managers.iter().any(|entry| {
        entry.manager.as_deref() == Some("kubectl-gmail")
            && entry.operation.as_deref() == Some("Apply")
    }));
    // The command that it ends with is a Mailbox that works.
    let manifest: String = made
        .out
        .lines()
        .skip_while(|line| !line.contains("<<'END'"))
        .skip(1)
        .take_while(|line| line.trim() != "END")
        .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect();
    let mut mailbox: Value = serde_saphyr::from_str(&manifest)?;
    mailbox["metadata"]["namespace"] = json!(site.tenant);
    site.apply(&mailbox).await?;
    site.until_reason("support", "Ready", "SignInRequired")
        .await?;

    site.until_profile("google", "Ready", "ProfileReadyInTesting")
        .await?;
    gmail(&site, &["profile", "show", "google"]).await?.expect(
        0,
        &[
            "Ready: Mailboxes can sign in, but the app is in Testing",
            &site.client_id,
            &format!("{}/oauth2/callback", site.public_url),
            "External, Testing",
            "Acme CRM",
            "CredentialsAccepted",
            "*@example.org",
            "yes: a Mailbox that names no profile may get this one",
            "it@example.org",
            "localhost:",
            "after 5s without an answer",
        ],
    );
    gmail(&site, &["profile", "show", "nobody"])
        .await?
        .expect(1, &["there is no GmailServerProfile nobody"]);

    // Again the same: nothing is written. The operator has counted the new Mailbox by then.
    until("the Mailbox to be counted", PATIENCE, async || {
        let status = site.profiles().get("google").await?.status;
        let counts = status.and_then(|status| status.mailboxes);
        Ok(counts.is_some_and(|counts| counts.assigned == 1))
    })
    .await?;
    let before = site
        .profiles()
        .get("google")
        .await?
        .metadata
        .resource_version;
    let again = create(&site, "google", &credentials, &flags).await?;
    again.expect(
        0,
        &[
            "google-oauth-client unchanged",
            "google unchanged",
            "is Ready",
        ],
    );
    assert_eq!(
        site.profiles()
            .get("google")
            .await?
            .metadata
            .resource_version,
        before
    );
    Ok(())
}

#[tokio::test]
async fn a_wrong_secret_is_told_and_put_right() -> Result<()> {
    let mut site = Site::new("plugin-refused").await?;
    site.start().await?;
    let wrong = downloaded(&site, "GOCSPX-wrong")?;
    create(&site, "google", &wrong, &INTERNAL).await?.expect(
        1,
        &[
            &format!("{}/google is not Ready: ClientSecretRejected", site.tenant),
            "Google refused the client secret",
            "Who must act: platform admin.",
            "--replace",
            &format!(
                "kubectl gmail profile show google --namespace {}",
                site.tenant
            ),
        ],
    );
    gmail(&site, &["profile", "show", "google"])
        .await?
        .expect(0, &["Not Ready (ClientSecretRejected)", "platform admin"]);
    // It stays, and is not overwritten by the way.
    let right = downloaded(&site, CLIENT_SECRET)?;
    create(&site, "google", &right, &INTERNAL).await?.expect(
        1,
        &[
            "not overwritten",
            "another secret of the same client",
            "--replace",
        ],
    );
    // Only the Secret changes: what is still said of the old one does not count.
    let replace: Vec<&str> = INTERNAL.into_iter().chain(["--replace"]).collect();
    create(&site, "google", &right, &replace).await?.expect(
        0,
        &[
            "google-oauth-client replaced",
            "google unchanged",
            "is Ready",
        ],
    );
    Ok(())
}

#[tokio::test]
async fn another_profile_of_that_name_is_not_overwritten() -> Result<()> {
    let mut site = Site::new("plugin-replace").await?;
    site.start().await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["oauthClient"]["consentScreen"] =
            json!({ "userType": "External", "publishingStatus": "Testing", "appName": "Old" })
    })
    .await?;
    site.until_profile("google", "Ready", "ProfileReadyInTesting")
        .await?;
    let before = site.profiles().get("google").await?;
    let credentials = downloaded(&site, CLIENT_SECRET)?;
    let said = create(&site, "google", &credentials, &INTERNAL).await?;
    said.expect(
        1,
        &[
            "not overwritten",
            "spec.oauthClient.consentScreen.userType \"External\" (wanted: \"Internal\")",
            "spec.contact",
            "Nothing was changed",
        ],
    );
    assert_eq!(site.profiles().get("google").await?.spec, before.spec);
    // What nobody asks for any more goes: Testing belongs to External only.
    let replace = ["--replace", "--allow-namespaces", "all"];
    let replace: Vec<&str> = INTERNAL.into_iter().chain(replace).collect();
    create(&site, "google", &credentials, &replace)
        .await?
        .expect(
            1,
            &[
                "google replaced",
                "SharingNotPermitted",
                &format!(
                    "kubectl label namespace {} gmail-operator.dev/shares-profiles=true",
                    site.tenant
                ),
            ],
        );
    let after = site.profiles().get("google").await?;
    assert!(after.spec.contact.is_none() && after.metadata.uid == before.metadata.uid);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_here_reaches_no_cluster() -> Result<()> {
    let site = Site::new("plugin-local").await?;
    let good = downloaded(&site, CLIENT_SECRET)?;
    let installed =
        json!({ "installed": { "client_id": site.client_id, "client_secret": CLIENT_SECRET } });
    let installed = file(&site, "desktop.json", &installed.to_string())?;
    create(&site, "google", &installed, &INTERNAL)
        .await?
        .expect(
            1,
            &[
                "desktop.json cannot be used",
                "Desktop",
                "Web application",
                "Nothing was created",
            ],
        );
    create(&site, "google", "/nowhere/client.json", &INTERNAL)
        .await?
        .expect(1, &["/nowhere/client.json cannot be read"]);
    let misspelt = file(
        &site,
        "misspelt.yaml",
        "apiVersion: gmail-operator.dev/v1alpha1\nkind: GmailServerProfile\nspec: { proccessing: {} }\n",
    )?;
    let args = [
        "profile",
        "create",
        "google",
        "--credentials",
        &good,
        "--base",
        &misspelt,
        "--user-type",
        "internal",
    ];
    gmail(&site, &args).await?.expect(1, &["spec.proccessing"]);
    for (flags, said) in [
        (
            &["--user-type", "external"][..],
            "--publishing-status testing or in-production",
        ),
        (
            &["--user-type", "internal", "--publishing-status", "testing"],
            "belongs to --user-type external",
        ),
        (
            &["--user-type", "internal", "--verified"],
            "belongs to --user-type external",
        ),
        (
            &["--user-type", "sideways"],
            "possible values: internal, external",
        ),
        (&[], "--user-type is needed"),
        (
            &["--user-type", "internal", "--allow-address", "x"],
            "*@example.com",
        ),
    ] {
        create(&site, "google", &good, flags)
            .await?
            .expect(2, &[said]);
    }
    // The API server has a say before anything is stored.
    let spoilt = ["--contact", "two\nlines", "--user-type", "internal"];
    create(&site, "google", &good, &spoilt)
        .await?
        .expect(1, &["must be one line without control characters"]);
    assert_eq!(
        site.kubectl(&["get", "secrets,gmailserverprofiles", "-o", "name"])
            .await?,
        ""
    );
    Ok(())
}

#[tokio::test]
async fn a_dry_run_prints_a_manifest_and_stores_nothing() -> Result<()> {
    let site = Site::new("plugin-dry").await?;
    let credentials = downloaded(&site, CLIENT_SECRET)?;
    // Without any cluster.
    let base = base(&site)?;
    let args = [
        "profile",
        "create",
        "google",
        "--credentials",
        &credentials,
        "--base",
        &base,
        "--user-type",
        "internal",
        "--dry-run=client",
        "-n",
        &site.tenant,
    ];
    let nowhere = site.lab.dir().join("no.kubeconfig");
    let client = gmail_as(&nowhere, &args).await?;
    client.expect(
        0,
        &[
            "kind: GmailServerProfile",
            "# kubectl create secret generic google-oauth-client",
        ],
    );
    assert!(
        !client.out.contains("pop.gmail.com") && client.err.is_empty(),
        "{client:?}"
    );
    let server = create(
        &site,
        "google",
        &credentials,
        &["--user-type", "internal", "--dry-run=server"],
    )
    .await?;
    server.expect(0, &["minPollingInterval: 5m"]);
    assert!(
        !server.out.contains("managedFields") && !server.out.contains("uid:"),
        "{server:?}"
    );
    assert_eq!(
        site.kubectl(&["get", "secrets,gmailserverprofiles", "-o", "name"])
            .await?,
        ""
    );
    // What is printed is a manifest.
    for printed in [client.out, server.out] {
        site.apply(&serde_saphyr::from_str(&printed)?).await?;
    }
    Ok(())
}

#[tokio::test]
async fn without_an_operator_it_says_what_it_waited_for() -> Result<()> {
    let site = Site::new("plugin-alone").await?;
    let credentials = downloaded(&site, CLIENT_SECRET)?;
    let short: Vec<&str> = INTERNAL.into_iter().chain(["--timeout", "1s"]).collect();
    create(&site, "google", &credentials, &short).await?.expect(
        1,
        &[
            "nothing was decided within 1 s",
            "the operator to look at it",
            "Is the operator running",
            "app.kubernetes.io/name=gmail-operator",
        ],
    );
    let none: Vec<&str> = INTERNAL.into_iter().chain(["--timeout", "0s"]).collect();
    create(&site, "google", &credentials, &none)
        .await?
        .expect(0, &["was not waited for"]);
    gmail(&site, &["profile", "show", "google"])
        .await?
        .expect(0, &["Nothing is said of it yet"]);
    Ok(())
}

/// A person with rights in one namespace only, who may not list what the others have.
async fn tenant_admin(site: &Site) -> Result<PathBuf> {
    let role = |name: &str, namespace: &str, rules: Value| {
        json!([
            { "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": name, "namespace": namespace }, "rules": rules },
            { "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": { "name": name, "namespace": namespace },
              "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
              "subjects": [{ "kind": "ServiceAccount", "name": "pat", "namespace": site.tenant }] },
        ])
    };
    let reads = json!([{ "apiGroups": ["gmail-operator.dev"], "resources": ["gmailserverprofiles"], "verbs": ["get", "list"] }]);
    let deployments =
        json!([{ "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"] }]);
    let account = json!([{ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "pat", "namespace": site.tenant } }]);
    for list in [
        account,
        role("pat", &site.tenant, reads),
        role("pat", &site.namespace, deployments),
    ] {
        site.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": list }))
            .await?;
    }
    site.lab
        .control_plane
        .kubeconfig_for(&site.tenant, "pat")
        .await
}

#[tokio::test]
async fn setup_finds_this_installations_values() -> Result<()> {
    let mut site = Site::new("plugin-setup").await?;
    let pat = tenant_admin(&site).await?;
    let namespace = site.namespace.clone();
    let args = ["setup", "--operator-namespace", &namespace];
    gmail_as(&pat, &args).await?.expect(
        1,
        &[
            "GmailServerProfiles: there is none yet",
            &format!("in the namespace {}: there is none", site.namespace),
            "--public-url https://",
        ],
    );
    gmail_as(&pat, &["setup", "--operator-namespace", "kube-system"])
        .await?
        .expect(
            1,
            &["listing the Deployments of the namespace kube-system: you lack a permission"],
        );
    gmail_as(&pat, &["setup", "--public-url", "http://gmail.example.com"])
        .await?
        .expect(2, &["plain http is for localhost only", "use https"]);
    gmail_as(&pat, &["setup", "--public-url", "https://gmail.internal"])
        .await?
        .expect(0, &["Google does not take this address", "public domain"]);
    gmail_as(&pat, &["setup", "--public-url", "gmail.example.com"])
        .await?
        .expect(2, &["it is not a URL"]);

    let labels = json!({ "app.kubernetes.io/name": "gmail-operator" });
    site.apply(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "mine", "namespace": site.namespace, "labels": labels },
        "spec": { "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels }, "spec": { "containers": [
            { "name": "gmail-operator", "image": "x", "args": ["run", "--public-url=https://gmail.example.co.uk/mail"] },
        ] } } },
    }))
    .await?;
    gmail_as(&pat, &args).await?.expect(
        0,
        &[
            &format!("says the Deployment {}/mine", site.namespace),
            "Authorised redirect URIs        https://gmail.example.co.uk/mail/oauth2/callback",
            "Authorised JavaScript origins   https://gmail.example.co.uk",
            "Authorised domains   example.co.uk",
            "https://mail.google.com/",
            // The context's own namespace.
            &format!(
                "kubectl gmail profile create google --namespace {} ",
                site.tenant
            ),
        ],
    );

    // What the operator itself says goes before how somebody meant to start it.
    site.start().await?;
    site.profile_only(site.ports(), |_| ()).await?;
    site.until_profile("google", "CredentialsAccepted", "ClientSecretMissing")
        .await?;
    gmail_as(&pat, &args).await?.expect(
        0,
        &[
            &format!(
                "says the status of the GmailServerProfile {}/google",
                site.tenant
            ),
            &format!("{}/oauth2/callback", site.public_url),
            "kubectl gmail link MAILBOX --port-forward --operator-namespace",
        ],
    );
    // Reading is not writing.
    let credentials = downloaded(&site, CLIENT_SECRET)?;
    gmail_as(
        &pat,
        &[
            "profile",
            "create",
            "google",
            "--credentials",
            &credentials,
            "--user-type",
            "internal",
        ],
    )
    .await?
    .expect(1, &["you lack a permission", "secrets"]);
    Ok(())
}

/// What bash makes of `word` after the program's name.
async fn in_bash(script: &str, word: &str) -> Result<String> {
    let ask = "\nCOMP_WORDS=(kubectl-gmail $1); COMP_CWORD=1; _kubectl__gmail kubectl-gmail $1 kubectl-gmail; echo -n ${COMPREPLY[@]}";
    let answer = tokio::process::Command::new("bash")
        .args(["-c", &format!("{script}{ask}"), "bash", word])
        .output()
        .await?;
    assert!(
        answer.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    Ok(String::from_utf8(answer.stdout)?)
}

#[tokio::test]
async fn completion_is_there_for_every_shell() -> Result<()> {
    let nowhere = Path::new("/nowhere/kubeconfig");
    for (shell, word) in [
        ("bash", "complete -F _kubectl__gmail"),
        ("zsh", "#compdef kubectl-gmail"),
        ("fish", "complete -c kubectl-gmail"),
    ] {
        let script = gmail_as(nowhere, &["completion", shell]).await?;
        script.expect(0, &[word, "operator-namespace"]);
        assert!(!script.out.contains("__complete"), "{shell}");
        if shell == "bash" {
            assert_eq!(in_bash(&script.out, "pro").await?, "profile");
        }
    }
    gmail_as(nowhere, &["completion", "--help"])
        .await?
        .expect(0, &["kubectl_complete-gmail"]);
    gmail_as(nowhere, &["completion", "tcsh"])
        .await?
        .expect(2, &["bash, zsh, fish"]);
    gmail_as(nowhere, &["__complete", "profile", ""])
        .await?
        .expect(0, &["create\t", "show\t", "\n:4\n"]);
    Ok(())
}

/// What other tenants may write, such as names and messages, cannot take over a terminal.
#[tokio::test]
async fn nothing_of_the_cluster_moves_the_cursor() -> Result<()> {
    let site = Site::new("plugin-safe").await?;
    site.profile(site.ports(), |_| ()).await?;
    site.kubectl(&[
        "patch", "gmailserverprofile", "google", "--subresource=status", "--type=merge", "--patch",
        &json!({ "status": { "conditions": [{
            "type": "Ready", "status": "False", "reason": "InvalidSpec",
            "message": "look\u{1b}[2J\u{9b}31m here\u{202e}", "lastTransitionTime": "2026-01-01T00:00:00Z",
        }] } }).to_string(),
    ])
    .await?;
    let shown = gmail(&site, &["profile", "show", "google"]).await?;
    shown.expect(0, &["look[2J31m here"]);
    assert!(!shown.out.contains(['\u{9b}', '\u{202e}']));
    Ok(())
}
