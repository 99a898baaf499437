//! The sign-in page as the internet finds it: behind a proxy and without one, and what it does with
//! requests that no browser sends.

mod junk;
mod limits;
mod raw;
mod tls;

use std::process::Command;

use anyhow::{Result, ensure};

use self::raw::{Answer, ask, get};
use crate::lab::operator::{PATIENCE, Site, operator_binary};
use crate::lab::person::Person;
use crate::lab::until;

/// An operator with a profile that is Ready.
async fn ready(site: &mut Site) -> Result<()> {
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await
        .map(drop)
}

/// `Host` of the public URL.
fn host(site: &Site) -> String {
    format!("localhost:{}", site.web_port())
}

#[tokio::test]
async fn a_whole_sign_in_goes_on_under_a_path() -> Result<()> {
    let mut site = Site::new("edge-prefix").await?;
    site.serve_at("http", "/team/gmail").await?;
    ready(&mut site).await?;
    site.mailbox("ann", "ann@example.com", |_| ()).await?;
    let url = site.sign_in_url("ann").await?;
    ensure!(url.contains("/team/gmail/signin/"), "{url}");
    let person = Person::new(site.lab, "ann@example.com")?;
    let page = person.sign_in(&url).await?;
    ensure!(page.status == 200, "{} {}", page.status, page.text);
    ensure!(page.url.path().starts_with("/team/gmail/"), "{}", page.url);
    site.until_reason("ann", "Ready", "Enabled").await?;
    // Nothing is served beside the path.
    let outside = url.replace("/team/gmail/", "/");
    ensure!(person.open(&outside).await?.status == 404);
    Ok(())
}

#[tokio::test]
async fn another_host_is_not_served() -> Result<()> {
    let mut site = Site::new("edge-host").await?;
    site.start().await?;
    let (port, ours) = (site.web_port(), host(&site));
    let fenced = |answer: &Answer| {
        let headers = ["content-security-policy: default-src 'none'", "no-store"];
        headers.iter().all(|header| answer.head.contains(header))
    };
    for (line, hosts, status) in [
        ("GET / HTTP/1.1", vec![ours.as_str()], 404),
        ("GET / HTTP/1.1", vec!["evil.example"], 421),
        ("GET / HTTP/1.1", vec!["localhost"], 421),
        ("POST / HTTP/1.1", vec!["evil.example"], 421),
        ("GET http://evil.example/ HTTP/1.1", vec![&ours], 421),
        ("GET / HTTP/1.1", vec![], 400),
        ("GET / HTTP/1.0", vec![], 400),
        ("GET / HTTP/1.1", vec![&ours, &ours], 400),
        ("GET / HTTP/1.1", vec![&ours, "evil.example"], 400),
        ("GET / HTTP/1.1", vec!["a b"], 400),
    ] {
        let hosts: String = hosts
            .iter()
            .map(|host| format!("Host: {host}\r\n"))
            .collect();
        // Who says so beside the Host is not believed.
        let request = format!(
            "{line}\r\n{hosts}X-Forwarded-Host: {ours}\r\nForwarded: host=\"{ours}\"\r\nConnection: close\r\n\r\n"
        );
        let answer = ask(port, &request).await?;
        ensure!(answer.status == status, "{request} is {answer:?}");
        ensure!(fenced(&answer), "{answer:?}");
        ensure!(!answer.body.contains("evil"), "{answer:?}");
    }
    let told = site.log()?.matches("gets 421").count();
    ensure!(told == 1, "told {told} times");
    Ok(())
}

#[tokio::test]
async fn without_tls_it_is_for_localhost_alone() -> Result<()> {
    for (args, status, told) in [
        (
            vec!["--public-url=http://mail.example.com"],
            2,
            "plain http is for localhost only",
        ),
        (
            vec!["--public-url=http://localhost:8080", "--tls-secret=tls"],
            1,
            "--tls-secret is for https",
        ),
        (vec!["--tls-secret=tls"], 2, "--public-url"),
        (
            vec!["--trusted-proxies=0.0.0.0/0"],
            2,
            "contains every address",
        ),
        (vec!["--trusted-proxies=ingress"], 2, "ADDRESS/LENGTH"),
    ] {
        let mut command = Command::new(operator_binary()?);
        let output = command.arg("run").args(&args).output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(status), "{args:?}: {output:?}");
        ensure!(complaint.contains(told), "{args:?}: {complaint}");
    }
    Ok(())
}

/// The same for all that is not there, and for what is there under another uid: the same bytes, and
/// the same headers.
#[tokio::test]
async fn what_is_not_there_cannot_be_told_from_what_is() -> Result<()> {
    let mut site = Site::new("edge-enumeration").await?;
    ready(&mut site).await?;
    for name in ["ann", "gone"] {
        let address = format!("{name}@example.com");
        site.mailbox(name, &address, |_| ()).await?;
    }
    // It is there, and this installation does not look after its namespace.
    let elsewhere = format!("{}-elsewhere", site.tenant);
    let namespace = serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": elsewhere } });
    site.apply(&namespace).await?;
    let mut foreign = site.mailbox_manifest("eve", "eve@example.com");
    foreign["metadata"]["namespace"] = elsewhere.as_str().into();
    site.apply(&foreign).await?;
    let foreign: kube::Api<gmail_operator::api::Mailbox> =
        kube::Api::namespaced(site.client.clone(), &elsewhere);
    let foreign = foreign.get("eve").await?.metadata.uid.unwrap_or_default();

    let path = async |name: &str| -> Result<String> {
        let url: url::Url = site.sign_in_url(name).await?.parse()?;
        Ok(url.path().to_owned())
    };
    let (ann, gone) = (path("ann").await?, path("gone").await?);
    site.kubectl(&["delete", "mailbox", "gone"]).await?;
    let tenant = &site.tenant;
    let uid = ann.rsplit('/').next().unwrap_or_default().to_owned();
    let other_uid = "11111111-2222-3333-4444-555555555555";
    let paths = [
        format!("/signin/{tenant}/ann/{other_uid}"),
        format!("/signin/{tenant}/ann/{}", &uid[..uid.len() - 1]),
        format!("/signin/{tenant}/ann/{}", uid.to_uppercase()),
        format!("/signin/{tenant}/ann/-"),
        format!("/signin/{tenant}/ann/a_b"),
        format!("/signin/{tenant}/ann"),
        format!("/signin/{tenant}/ann/{uid}/more"),
        format!("/signin/{tenant}/ann/{uid}/test/more"),
        format!("/signin/{tenant}/ann/{other_uid}/test"),
        format!("/signin/{tenant}/nobody/{uid}/sign-out"),
        format!("/signin/{elsewhere}/eve/{foreign}/prove"),
        format!("/signin/{tenant}/nobody/{uid}"),
        format!("/signin/{tenant}/ANN/{uid}"),
        format!("/signin/{tenant}/{}/{uid}", "a".repeat(300)),
        format!("/signin/nowhere/ann/{uid}"),
        format!("/signin/kube-system/ann/{uid}"),
        format!("/signin/{elsewhere}/eve/{foreign}"),
        format!("/signin/{elsewhere}/eve/{other_uid}"),
        gone,
        "/".to_owned(),
        "/metrics".to_owned(),
        "/healthz".to_owned(),
    ];
    let origin = format!("Origin: {}\r\n", site.public_url);
    let ask = async |method: &str, path: &str| -> Result<Answer> {
        let more = format!("{origin}Content-Length: 0\r\n");
        raw::send(site.web_port(), &host(&site), method, path, &more).await
    };
    for method in ["GET", "POST"] {
        let nothing = ask(method, &paths[0]).await?;
        ensure!(nothing.status == 404, "{nothing:?}");
        for path in &paths {
            let answer = ask(method, path).await?;
            ensure!(
                answer == nothing,
                "{method} {path} is {answer:?}, not {nothing:?}"
            );
        }
        // What is there is not the same.
        let there = ask(method, &ann).await?;
        ensure!([200, 303].contains(&there.status), "{there:?}");
    }
    Ok(())
}

#[tokio::test]
async fn it_is_ready_when_it_has_read_the_keys_of_its_cookies() -> Result<()> {
    let mut site = Site::new("edge-keys").await?;
    let role = format!("gmail-operator-{}", site.namespace);
    let role_now = ["get", "clusterrole", &role, "--output=json"];
    let mut whole: serde_json::Value = serde_json::from_str(&site.kubectl(&role_now).await?)?;
    whole["metadata"] = serde_json::json!({ "name": role });
    let mut less = whole.clone();
    if let Some(rules) = less["rules"].as_array_mut() {
        rules.retain(|rule| rule["resources"] != serde_json::json!(["secrets"]));
    }
    site.apply(&less).await?;
    site.launch()?;
    site.until_logged("the keys of its cookies cannot be read")
        .await?;
    ensure!(site.readiness().await? == Some(503));
    // It is listened for, and says that it cannot help.
    ensure!(get(site.web_port(), &host(&site), "/", "").await?.status == 404);
    site.apply(&whole).await?;
    site.until_ready().await
}

/// Who is in the middle of a sign-in gets to its end; who only has a page open holds nothing up.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_waits_for_those_who_are_being_answered() -> Result<()> {
    let mut site = Site::new("edge-end").await?;
    ready(&mut site).await?;
    site.mailbox("ann", "ann@example.com", |_| ()).await?;
    let person = Person::new(site.lab, "ann@example.com")?;
    let page = person.open(&site.sign_in_url("ann").await?).await?;
    let back = person.consent(person.click(&page).await?).await?;
    let callback = back.location.clone().unwrap_or(back.url);
    let mut idle = raw::Raw::connect(site.web_port()).await?;
    idle.keep_open(&host(&site), "/").await?;

    let seen = site.token_requests().await?.len();
    let second = std::time::Duration::from_secs(1);
    site.lab.google.set_delay(&site.client_id, second).await?;
    let answered = tokio::spawn(async move { person.open(callback.as_str()).await });
    until("the code to be at Google", PATIENCE, async || {
        site.pending_token_requests(seen).await
    })
    .await?;
    let status = tokio::task::block_in_place(|| site.stop())?;
    site.lab.google.clear_fault(&site.client_id).await?;
    let page = answered.await??;
    ensure!(page.status == 303, "{} {}", page.status, page.text);
    ensure!(site.grant("ann").await.is_ok(), "the grant was stored");
    ensure!(status.success() && !site.log()?.contains("cut off"));
    ensure!(idle.is_closed().await?);
    Ok(())
}
