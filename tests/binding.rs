//! The Secret from which workloads take a mailbox's access token.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::until;

const TOKEN_KEYS: [&str; 3] = ["access-token", "expires-at", "xoauth2"];

/// An installation that looks at Secrets often.
async fn site(name: &str) -> Result<Site> {
    let mut site = Site::new(name).await?;
    site.pace("look-at-foreign-secret", 0.5);
    site.pace("look-at-own-secret", 0.5);
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    Ok(site)
}

/// Asks for the token in the Secret `secret`, for a program that moves the mail itself.
fn external(secret: &str) -> impl FnOnce(&mut Value) {
    move |mailbox| {
        let spec = &mut mailbox["spec"];
        spec["incoming"] = json!({ "method": "External" });
        spec["outgoing"] = json!({ "method": "External" });
        spec["accessTokenSecret"] = json!({ "name": secret });
    }
}

/// A Mailbox `box` with a token in the Secret `token`.
async fn bound(name: &str) -> Result<Site> {
    let site = site(name).await?;
    let email = format!("{name}@example.com");
    site.mailbox("box", &email, external("token")).await?;
    site.connect("box", &email).await?;
    Ok(site)
}

fn secrets(site: &Site) -> Api<Secret> {
    Api::namespaced(site.client.clone(), &site.tenant)
}

/// What a Secret holds; nothing where there is none.
async fn keys(site: &Site, secret: &str) -> Result<BTreeMap<String, String>> {
    let found = secrets(site).get_opt(secret).await?;
    let data = found.and_then(|secret| secret.data).unwrap_or_default();
    data.into_iter()
        .map(|(key, value)| Ok((key, String::from_utf8(value.0)?)))
        .collect()
}

async fn has_token(site: &Site, secret: &str) -> Result<bool> {
    let keys = keys(site, secret).await?;
    Ok(TOKEN_KEYS.iter().all(|key| keys.contains_key(*key)))
}

async fn until_token(site: &Site, secret: &str, there: bool) -> Result<()> {
    let what = format!("the token in {secret}: {there}");
    until(&what, PATIENCE, async || {
        Ok(has_token(site, secret).await? == there)
    })
    .await
}

async fn until_gone(site: &Site, secret: &str) -> Result<()> {
    until(&format!("{secret} to go"), PATIENCE, async || {
        Ok(secrets(site).get_opt(secret).await?.is_none())
    })
    .await
}

async fn until_binding(site: &Site, mailbox: &str, wanted: Option<&str>) -> Result<()> {
    let what = format!("status.binding {wanted:?}");
    site.until_mailbox(mailbox, &what, |mailbox| {
        let binding = mailbox.status.as_ref().and_then(|s| s.binding.as_ref());
        binding.map(|binding| binding.name.0.as_str()) == wanted
    })
    .await
    .map(drop)
}

async fn patch(site: &Site, mailbox: &str, spec: Value) -> Result<()> {
    let patch = json!({ "spec": spec }).to_string();
    let args = ["patch", "mailbox", mailbox, "--type=merge", "-p", &patch];
    site.kubectl(&args).await.map(drop)
}

fn grants_key(grant: &Secret, key: &str) -> Result<String> {
    let data = grant.data.as_ref().context("no data")?;
    Ok(String::from_utf8(
        data.get(key).context("no key")?.0.clone(),
    )?)
}

#[tokio::test]
async fn the_secret_is_as_the_service_binding_specification_wants_it() -> Result<()> {
    let site = bound("binding").await?;
    until_binding(&site, "box", Some("token")).await?;
    let secret = secrets(&site).get("token").await?;
    assert_eq!(secret.type_.as_deref(), Some("servicebinding.io/gmail"));
    let mailbox = site.mailboxes().get("box").await?;
    let owner = secret.owner_references().first().context("no owner")?;
    assert_eq!(Some(&owner.uid), mailbox.metadata.uid.as_ref());

    let grant = site.grant("box").await?;
    let token = grants_key(&grant, "access-token")?;
    let expires: Timestamp = grants_key(&grant, "access-token-expires-at")?.parse()?;
    let mut keys = keys(&site, "token").await?;
    let login = keys.remove("xoauth2").context("no xoauth2")?;
    assert_eq!(
        String::from_utf8(BASE64_STANDARD.decode(login)?)?,
        format!("user=binding@example.com\x01auth=Bearer {token}\x01\x01")
    );
    let ports = site.ports();
    let expected = [
        ("type", "gmail".to_owned()),
        ("provider", "google".to_owned()),
        ("host", "localhost".to_owned()),
        ("port", ports.imap.to_string()),
        ("username", "binding@example.com".to_owned()),
        ("email-address", "binding@example.com".to_owned()),
        ("imap-host", "localhost".to_owned()),
        ("imap-port", ports.imap.to_string()),
        ("smtp-host", "localhost".to_owned()),
        ("smtp-port", ports.smtp.to_string()),
        ("smtp-security", "TLS".to_owned()),
        ("access-token", token.clone()),
        (
            "expires-at",
            Timestamp::from_second(expires.as_second())?.to_string(),
        ),
    ];
    let expected = expected.map(|(key, value)| (key.to_owned(), value));
    assert_eq!(keys, BTreeMap::from(expected));
    // Of all that Google gave out and of what the admin stored, it has the access token alone.
    let whole = serde_json::to_string(&keys)?;
    let refresh_token = grants_key(&grant, "refresh-token")?;
    ensure!(!whole.contains(&refresh_token));
    let issued = site.lab.google.issued().await?;
    for other in issued.iter().filter(|secret| **secret != token) {
        ensure!(!whole.contains(other.as_str()), "another secret is in it");
    }
    Ok(())
}

#[tokio::test]
async fn each_token_is_replaced_before_it_ends() -> Result<()> {
    let site = site("fresh").await?;
    let life = Duration::from_secs(16);
    site.lab
        .google
        .set_access_token_life(&site.client_id, life)
        .await?;
    site.mailbox("box", "fresh@example.com", external("token"))
        .await?;
    site.connect("box", "fresh@example.com").await?;
    until_binding(&site, "box", Some("token")).await?;
    let writes = |resource: &str| -> Result<usize> {
        let all = site.writes()?;
        Ok(all
            .iter()
            .filter(|write| write.resource == resource)
            .count())
    };
    let before = site.grant("box").await?;
    let (statuses, secrets) = (writes("mailboxes")?, writes("secrets")?);
    let old = grants_key(&before, "access-token")?;
    assert_eq!(keys(&site, "token").await?["access-token"], old);
    until("the next token", PATIENCE, async || {
        Ok(keys(&site, "token").await?["access-token"] != old)
    })
    .await?;
    let now = Timestamp::now();
    let ends: Timestamp = grants_key(&before, "access-token-expires-at")?.parse()?;
    ensure!(now < ends, "the old token had ended at {ends}");
    until("the audit log", PATIENCE, async || {
        Ok(writes("secrets")? >= secrets + 2)
    })
    .await?;
    let after = (writes("mailboxes")?, writes("secrets")?);
    assert_eq!(after, (statuses, secrets + 2), "the grant and its copy");
    Ok(())
}

#[tokio::test]
async fn a_secret_of_somebody_else_is_left_alone_and_named_until_it_goes() -> Result<()> {
    let site = site("foreign").await?;
    let theirs = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "servicebinding.io/gmail",
        "metadata": { "name": "token", "namespace": site.tenant },
        "stringData": { "access-token": "theirs" },
    });
    site.apply(&theirs).await?;
    let before = secrets(&site).get("token").await?;
    site.mailbox("box", "foreign@example.com", external("token"))
        .await?;
    // Said before anybody signs in: it is the gate for GitOps.
    let mailbox = site
        .until_reason("box", "Accepted", "SecretNotOwned")
        .await?;
    let conditions = &mailbox.status.context("no status")?.conditions;
    let accepted = conditions.iter().find(|c| c.type_ == "Accepted");
    let message = &accepted.context("no Accepted")?.message;
    ensure!(
        message.contains("token") && message.contains("App team"),
        "{message}"
    );
    let owner = crate::lab::person::Person::new(site.lab, "foreign@example.com")?;
    site.sign_in("box", &owner).await?;
    site.until_reason("box", "OutgoingReady", "Enabled").await?;
    let mailbox = site.mailboxes().get("box").await?;
    let ready = condition_of(&mailbox, "Ready");
    assert_eq!(ready, ("False".into(), "SecretNotOwned".into()));
    assert_eq!(mailbox.status.and_then(|status| status.binding), None);
    assert_eq!(secrets(&site).get("token").await?, before);

    site.kubectl(&["delete", "secret", "token"]).await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    until_token(&site, "token", true).await?;
    until_binding(&site, "box", Some("token")).await
}

#[tokio::test]
async fn the_first_of_two_mailboxes_has_the_secret() -> Result<()> {
    let site = bound("first").await?;
    let before = keys(&site, "token").await?;
    site.mailbox("other", "second@example.com", external("token"))
        .await?;
    let owner = crate::lab::person::Person::new(site.lab, "second@example.com")?;
    site.sign_in("other", &owner).await?;
    let told = site.until_mailbox("other", "whose it is", |mailbox| {
        let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
        conditions.into_iter().any(|c| {
            c.type_ == "Ready"
                && c.reason == "SecretNotOwned"
                && c.message.contains("token is the Mailbox box's")
        })
    });
    told.await?;
    assert_eq!(keys(&site, "token").await?, before);
    patch(
        &site,
        "other",
        json!({ "accessTokenSecret": { "name": "own" } }),
    )
    .await?;
    site.until_reason("other", "Ready", "Enabled").await?;
    let own = keys(&site, "own").await?;
    assert_eq!(own["username"], "second@example.com");
    assert_eq!(keys(&site, "token").await?, before);
    // Who gives it up leaves the name to the other.
    site.kubectl(&["delete", "mailbox", "box"]).await?;
    until_gone(&site, "token").await
}

#[tokio::test]
async fn a_secret_that_the_spec_does_not_name_any_more_goes() -> Result<()> {
    let mut site = bound("renamed").await?;
    let rename = |name: &str| json!({ "accessTokenSecret": { "name": name } });
    patch(&site, "box", rename("second")).await?;
    until_gone(&site, "token").await?;
    until_token(&site, "second", true).await?;
    until_binding(&site, "box", Some("second")).await?;

    // While nobody looks, and with a status that is lost: the grant knows it.
    site.kill()?;
    patch(&site, "box", rename("third")).await?;
    let wipe = r#"[{"op":"remove","path":"/status"}]"#;
    let args = [
        "patch",
        "mailbox",
        "box",
        "--subresource=status",
        "--type=json",
        "-p",
        wipe,
    ];
    site.kubectl(&args).await?;
    site.start().await?;
    until_gone(&site, "second").await?;
    until_binding(&site, "box", Some("third")).await?;

    let none = json!({
        "incoming": { "method": "ServerSideSync" }, "outgoing": { "method": "ServerSideSync" },
        "accessTokenSecret": null,
    });
    patch(&site, "box", none).await?;
    until_gone(&site, "third").await?;
    until_binding(&site, "box", None).await?;
    let grant = site.grant("box").await?;
    ensure!(grants_key(&grant, "workload-secret").is_err());
    site.until_reason("box", "Ready", "Enabled").await.map(drop)
}

#[tokio::test]
async fn a_token_that_may_not_be_used_leaves_the_secret_and_comes_back() -> Result<()> {
    let site = bound("withdrawn").await?;
    let whole = keys(&site, "token").await?;
    // Somebody's own remark on it.
    site.kubectl(&["annotate", "secret", "token", "team=crm"])
        .await?;
    let profile = async |spec: Value| {
        let patch = json!({ "spec": spec }).to_string();
        let args = [
            "patch",
            "gmailserverprofile",
            "google",
            "--type=merge",
            "-p",
            &patch,
        ];
        site.kubectl(&args).await.map(drop)
    };
    let suspend = |on: bool| json!({ "suspend": on });

    // Another program writes into it all the time.
    let (busy, others) = (secrets(&site), AtomicU32::new(0));
    let interfere = async {
        loop {
            let count = others.fetch_add(1, Ordering::Relaxed).to_string();
            let note = json!({ "metadata": { "annotations": { "count": count } } });
            busy.patch("token", &PatchParams::default(), &Patch::Merge(note))
                .await?;
        }
    };
    patch(&site, "box", suspend(true)).await?;
    tokio::select! {
        gone = until_token(&site, "token", false) => gone?,
        ended = interfere => return ended,
    }
    ensure!(others.load(Ordering::Relaxed) > 0);
    let rest = keys(&site, "token").await?;
    let expected = whole
        .iter()
        .filter(|(key, _)| !TOKEN_KEYS.contains(&key.as_str()));
    assert_eq!(
        rest,
        expected.map(|(k, v)| (k.clone(), v.clone())).collect()
    );
    patch(&site, "box", suspend(false)).await?;
    until_token(&site, "token", true).await?;

    profile(suspend(true)).await?;
    until_token(&site, "token", false).await?;
    profile(suspend(false)).await?;
    until_token(&site, "token", true).await?;

    // A client secret that is wrong stops no workload whose token still works.
    site.client_secret("GOCSPX-wrong").await?;
    site.until_reason("box", "ProfileReady", "ProfileNotReady")
        .await?;
    ensure!(has_token(&site, "token").await?);
    site.client_secret(crate::lab::operator::CLIENT_SECRET)
        .await?;
    site.until_reason("box", "Ready", "Enabled").await?;

    profile(json!({ "allowedEmailAddresses": ["*@elsewhere.example"] })).await?;
    until_token(&site, "token", false).await?;
    profile(json!({ "allowedEmailAddresses": null })).await?;
    until_token(&site, "token", true).await?;

    // As the sign-in page does it.
    let grant = site.grant("box").await?.name_any();
    let now = json!({ "data": { "signed-out-at": BASE64_STANDARD.encode(Timestamp::now().to_string()) } });
    site.own_secrets()
        .patch(&grant, &PatchParams::default(), &Patch::Merge(now))
        .await?;
    until_token(&site, "token", false).await?;
    site.connect("box", "withdrawn@example.com").await?;
    until_token(&site, "token", true).await?;

    site.lab.google.revoke("withdrawn@example.com").await?;
    let ask = "gmail-operator.dev/test-requested-at=1";
    site.kubectl(&["annotate", "mailbox", "box", ask]).await?;
    site.until_reason("box", "SignedIn", "ConsentExpired")
        .await?;
    until_token(&site, "token", false).await?;
    site.connect("box", "withdrawn@example.com").await?;
    until_token(&site, "token", true).await?;

    let secret = secrets(&site).get("token").await?;
    assert_eq!(
        secret.annotations().get("team").map(String::as_str),
        Some("crm")
    );
    assert_eq!(rest["username"], keys(&site, "token").await?["username"]);
    Ok(())
}

#[tokio::test]
async fn a_secret_goes_with_its_mailbox_and_a_new_one_gets_its_own() -> Result<()> {
    let site = site("leaves").await?;
    let retained = |mailbox: &mut Value| {
        external("token")(mailbox);
        mailbox["spec"]["deletionPolicy"] = "Retain".into();
    };
    site.mailbox("box", "leaves@example.com", retained).await?;
    site.connect("box", "leaves@example.com").await?;
    let first = secrets(&site).get("token").await?.uid();
    site.kubectl(&["delete", "mailbox", "box"]).await?;
    // At once, while the old Secret may still be there.
    site.mailbox("box", "leaves@example.com", retained).await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    // Kubernetes takes the old one away in its own time.
    let mut second = None;
    until("a Secret of its own", PATIENCE, async || {
        let found = secrets(&site).get_opt("token").await?;
        second = found.filter(|secret| secret.uid() != first);
        Ok(second.is_some())
    })
    .await?;
    let mailbox = site.mailboxes().get("box").await?;
    let owners = second.iter().flat_map(|secret| secret.owner_references());
    assert_eq!(
        owners.map(|o| Some(o.uid.clone())).collect::<Vec<_>>(),
        [mailbox.uid()]
    );
    site.kubectl(&["delete", "mailbox", "box"]).await?;
    until_gone(&site, "token").await
}

#[tokio::test]
async fn a_restart_writes_no_secret_and_whatever_others_do_to_it_is_put_right() -> Result<()> {
    let mut site = bound("steady").await?;
    let mine = |site: &Site| -> Result<usize> {
        Ok(site
            .writes()?
            .iter()
            .filter(|w| w.resource == "secrets")
            .count())
    };
    until_binding(&site, "box", Some("token")).await?;
    let (before, written) = (mine(&site)?, secrets(&site).get("token").await?);
    site.stop()?;
    site.start().await?;
    site.until_looked_at(2, 1).await?;
    assert_eq!(mine(&site)?, before);
    assert_eq!(secrets(&site).get("token").await?, written);

    // Deleted: it is not watched, and looked at now and then.
    site.kubectl(&["delete", "secret", "token"]).await?;
    until_token(&site, "token", true).await?;

    // Made immutable: the token must be able to leave it.
    let immutable = [
        "patch",
        "secret",
        "token",
        "--type=merge",
        "-p",
        r#"{"immutable":true}"#,
    ];
    site.kubectl(&immutable).await?;
    let old = secrets(&site).get("token").await?.uid();
    patch(&site, "box", json!({ "suspend": true })).await?;
    until_token(&site, "token", false).await?;
    patch(&site, "box", json!({ "suspend": false })).await?;
    until_token(&site, "token", true).await?;
    ensure!(secrets(&site).get("token").await?.uid() != old);

    // Taken over: from then on it is theirs.
    let theirs = r#"[{"op":"remove","path":"/metadata/ownerReferences"}]"#;
    site.kubectl(&["patch", "secret", "token", "--type=json", "-p", theirs])
        .await?;
    let before = secrets(&site).get("token").await?;
    site.until_reason("box", "Ready", "SecretNotOwned").await?;
    assert_eq!(secrets(&site).get("token").await?, before);
    Ok(())
}

#[tokio::test]
async fn a_quota_that_leaves_no_room_is_told_and_holds_up_no_test() -> Result<()> {
    let site = site("quota").await?;
    // There is no quota controller in the lab, so the webhook of an admission policy says no.
    let name = format!("no-tokens-in-{}", site.tenant);
    let policy = json!({ "apiVersion": "v1", "kind": "List", "items": [
        { "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
          "metadata": { "name": name },
          "spec": {
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "operations": ["CREATE"],
            }]},
            "matchConditions": [{ "name": "here", "expression": format!("request.namespace == '{}'", site.tenant) }],
            "validations": [{ "expression": "object.metadata.name != 'token'", "message": "no room for tokens" }],
        }},
        { "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
          "metadata": { "name": name },
          "spec": { "policyName": name, "validationActions": ["Deny"] },
        },
    ]});
    site.apply(&policy).await?;
    let trial = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "token", "namespace": site.tenant },
    });
    until("the policy", PATIENCE, async || {
        let dry = ["create", "--dry-run=server", "-f", "-"];
        let tried = site
            .lab
            .control_plane
            .kubectl_with_input(dry, &trial.to_string())
            .await;
        Ok(tried.is_err())
    })
    .await?;
    site.mailbox("box", "quota@example.com", external("token"))
        .await?;
    let owner = crate::lab::person::Person::new(site.lab, "quota@example.com")?;
    site.sign_in("box", &owner).await?;
    site.until_mailbox("box", "the refusal", |mailbox| {
        let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
        conditions.into_iter().any(|c| {
            c.type_ == "Ready"
                && c.reason == "SecretNotWritten"
                && c.message.contains("no room for tokens")
        })
    })
    .await?;
    site.until_reason("box", "OutgoingReady", "Enabled").await?;
    site.lab
        .control_plane
        .kubectl(["delete", "validatingadmissionpolicybinding", &name])
        .await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    until_token(&site, "token", true).await
}

/// A folder as kubelet makes it of a mounted Secret: each key a link into a folder that is exchanged as a whole.
struct Mounted {
    root: tempfile::TempDir,
    version: u32,
}

impl Mounted {
    fn new() -> Result<Mounted> {
        let root = tempfile::tempdir()?;
        std::fs::create_dir(root.path().join("gmail"))?;
        Ok(Mounted { root, version: 0 })
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("gmail")
    }

    fn update(&mut self, keys: &BTreeMap<String, String>) -> Result<()> {
        self.version += 1;
        let (folder, data) = (self.folder(), format!("..{}", self.version));
        std::fs::create_dir(folder.join(&data))?;
        for (key, value) in keys {
            std::fs::write(folder.join(&data).join(key), value)?;
        }
        let new = folder.join("..data_tmp");
        symlink(&data, &new)?;
        std::fs::rename(new, folder.join("..data"))?;
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with("..") && !keys.contains_key(name.as_ref()) {
                std::fs::remove_file(&path)?;
            }
        }
        for key in keys.keys() {
            if !folder.join(key).exists() {
                symlink(Path::new("..data").join(key), folder.join(key))?;
            }
        }
        Ok(())
    }
}

/// Runs a sample as a workload would, but with the lab's authority.
async fn sample(site: &Site, mounted: &Mounted, args: &[&str]) -> Result<String> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/samples/workload");
    let (program, args) = args.split_first().context("no sample")?;
    let ca = &site.lab.tls.ca;
    let run = tokio::process::Command::new(samples.join(program))
        .args(args)
        .env("SERVICE_BINDING_ROOT", mounted.root.path())
        .env("SSL_CERT_FILE", ca)
        .env("CURL_CA_BUNDLE", ca)
        .env("HOME", mounted.root.path())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, run).await??;
    let told =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let [out, err] = told;
    if !output.status.success() {
        bail!("{program}: {} {out} {err}", output.status);
    }
    Ok(out)
}

#[tokio::test]
async fn the_samples_read_and_send_mail_with_the_secret() -> Result<()> {
    let site = bound("samples").await?;
    let email = "samples@example.com";
    let mut mounted = Mounted::new()?;
    let mut seen = 1;
    for _ in 0..2 {
        mounted.update(&keys(&site, "token").await?)?;
        // The receipt of the sign-in, at first.
        let told = sample(&site, &mounted, &["imap.sh"]).await?;
        ensure!(told.contains(&format!("MESSAGES {seen} ")), "{told}");
        let told = sample(&site, &mounted, &["mail.py", "count"]).await?;
        ensure!(told.trim() == format!("{seen} messages"), "{told}");
        sample(&site, &mounted, &["mail.py", "send", email]).await?;
        seen += 1;
        until("the message", PATIENCE, async || {
            Ok(site.lab.mail.messages_in(email, "INBOX")?.len() == seen)
        })
        .await?;
        let maildir = mounted.root.path().join("mail");
        let folder = maildir.display().to_string();
        sample(&site, &mounted, &["mbsync.sh", &folder]).await?;
        let copied = std::fs::read_dir(maildir.join("INBOX/new"))?.count()
            + std::fs::read_dir(maildir.join("INBOX/cur"))?.count();
        assert_eq!(copied, seen);
        let config = std::fs::read_to_string(maildir.join(".mbsyncrc"))?;
        let token = keys(&site, "token").await?["access-token"].clone();
        ensure!(!config.contains(&token), "the token is read, never kept");

        // The next token: the same commands read it from the same files.
        patch(&site, "box", json!({ "suspend": true })).await?;
        until_token(&site, "token", false).await?;
        mounted.update(&keys(&site, "token").await?)?;
        let withdrawn = sample(&site, &mounted, &["mail.py", "count"]).await;
        ensure!(withdrawn.is_err_and(|error| error.to_string().contains("FileNotFoundError")));
        patch(&site, "box", json!({ "suspend": false })).await?;
        until_token(&site, "token", true).await?;
    }
    Ok(())
}
