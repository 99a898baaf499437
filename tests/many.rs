//! Two hundred mailboxes, and no secret where it does not belong.

use aho_corasick::AhoCorasick;
use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::lab::operator::{Site, condition_of};
use crate::lab::person::Person;

const COUNT: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_mailboxes_and_no_secret_leaks() -> Result<()> {
    let mut site = Site::new("many").await?;
    site.log_level("debug");
    // They come from two hundred places: from one, the limits would hold them up.
    site.flag("--trusted-proxies=127.0.0.0/8");
    site.start().await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["processing"]["maxConcurrentConnections"] = 30.into()
    })
    .await?;
    let mailboxes: Vec<_> = (0..COUNT).map(|n| manifest(&site, n)).collect();
    site.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": mailboxes }))
        .await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    stream::iter(0..COUNT)
        .map(|n| {
            let site = &site;
            async move {
                let person = Person::new(site.lab, &format!("many-{n}@example.com"))?;
                let person = person.at(site.lab, &format!("198.51.100.{n}"))?;
                let page = site.sign_in(&format!("box-{n}"), &person).await?;
                anyhow::ensure!(page.status == 200, "{n}: {}", page.text);
                Ok(())
            }
        })
        .buffer_unordered(8)
        .try_collect::<()>()
        .await?;
    site.until_mailboxes(COUNT, "those that are ready", |mailbox| {
        condition_of(mailbox, "Ready").0 == "True"
    })
    .await?;
    // Something that goes wrong, for the words of failures.
    site.lab.google.revoke("many-0@example.com").await?;
    site.kubectl(&[
        "annotate",
        "mailbox",
        "box-0",
        "gmail-operator.dev/test-requested-at=1",
    ])
    .await?;
    site.until_mailbox("box-0", "a failure", |mailbox| {
        condition_of(mailbox, "SignedIn").0 == "False"
    })
    .await?;
    let refused = site
        .sign_in("box-1", &Person::new(site.lab, "mallory@example.com")?)
        .await?;

    let events: Api<Event> = Api::namespaced(site.client.clone(), &site.tenant);
    let places = [
        ("the log", site.log()?),
        (
            "Events",
            serde_json::to_string(&events.list(&ListParams::default()).await?.items)?,
        ),
        (
            "Mailboxes",
            serde_json::to_string(&site.mailboxes().list(&ListParams::default()).await?.items)?,
        ),
        (
            "profiles",
            serde_json::to_string(&site.profiles().list(&ListParams::default()).await?.items)?,
        ),
        ("metrics", site.metrics().await?),
        ("a page", refused.text),
    ];
    let issued = site.lab.google.issued().await?;
    assert!(issued.len() > 3 * COUNT, "{} secrets", issued.len());
    // All of them at once: one by one, the thousands would take minutes over so much text.
    let secrets: Vec<String> = issued.iter().flat_map(|secret| forms(secret)).collect();
    let any = AhoCorasick::new(&secrets)?;
    for (place, text) in &places {
        assert!(text.len() > 100, "{place} is empty");
        if let Some(found) = any.find(text) {
            panic!(
                "{place} has a secret in it: {}…",
                &text[found.start()..found.start() + 6]
            );
        }
    }
    assert!(
        places[1].1.contains("SignInRequired") && places[1].1.contains("Enabled"),
        "Events tell the transitions"
    );
    Ok(())
}

/// One in ten is tested in full, with a message to itself; half of the others read only.
fn manifest(site: &Site, n: usize) -> Value {
    let email = format!("many-{n}@example.com");
    let mut mailbox = site.mailbox_manifest(&format!("box-{n}"), &email);
    if !n.is_multiple_of(10) {
        mailbox["spec"]["testMessage"] = "None".into();
    }
    if !n.is_multiple_of(2) {
        mailbox["spec"]["outgoing"] = json!({ "method": "None" });
    }
    mailbox
}

/// A secret as it is, and as it looks inside a base64 text, wherever it begins there.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for shift in 0..3 {
        let text = format!("{}{secret}", "x".repeat(shift));
        let encoded = base64(text.as_bytes());
        // The first and last characters depend on what stands beside the secret.
        let inner: String = encoded
            .chars()
            .skip(4)
            .take(encoded.trim_end_matches('=').len().saturating_sub(8))
            .collect();
        if inner.len() >= 16 {
            forms.push(inner);
        }
    }
    forms
}

fn base64(bytes: &[u8]) -> String {
    let value = k8s_openapi::ByteString(bytes.to_vec());
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
