//! Which profile a Mailbox gets, the places that Google gives, and what comes of a profile that is
//! withdrawn.

use anyhow::{Context, Result};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use gmail_operator::api::{GmailServerProfile, Mailbox};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde_json::{Value, json};

use crate::lab::operator::{PATIENCE, Site, condition_of};
use crate::lab::person::Person;
use crate::lab::tokens::Tokens;
use crate::lab::until;

fn at_most(places: i32) -> impl FnOnce(&mut Value) {
    move |profile| profile["spec"]["maxMailboxes"] = json!(places)
}

/// Mailboxes of these names whose owners have consented at Google, and come back all at once.
async fn sign_in_at_once(site: &Site, names: &[&str]) -> Result<()> {
    let mut mailboxes = Vec::new();
    for name in names {
        site.mailbox(name, &address(site, name), |_| ()).await?;
        let waits = site.until_reason(name, "Ready", "SignInRequired");
        mailboxes.push(waits.await?);
    }
    let accounts: Vec<String> = names.iter().map(|name| address(site, name)).collect();
    let consents = accounts.iter().map(|account| Tokens::of(site, account));
    let consents = try_join_all(consents).await?;
    let stored = consents
        .iter()
        .zip(&mailboxes)
        .map(|(tokens, mailbox)| tokens.store(site, mailbox, "google"));
    try_join_all(stored).await?;
    Ok(())
}

fn address(site: &Site, name: &str) -> String {
    format!("{name}@{}.example.com", site.tenant)
}

async fn reason(site: &Site, name: &str) -> Result<String> {
    let mailbox = site.mailboxes().get(name).await?;
    Ok(condition_of(&mailbox, "Ready").1)
}

async fn events(site: &Site, reason: &str) -> Result<Vec<Event>> {
    let events: Api<Event> = Api::namespaced(site.client.clone(), &site.tenant);
    let events = events.list(&ListParams::default()).await?;
    let about = events.items.into_iter().filter(|event| {
        let object = event
            .regarding
            .as_ref()
            .and_then(|object| object.kind.as_deref());
        object == Some("GmailServerProfile") && event.reason.as_deref() == Some(reason)
    });
    Ok(about.collect())
}

/// Waits for the Event of a profile, which is written after its status; there is one of it.
async fn until_told(site: &Site, reason: &str) -> Result<Event> {
    let mut told = Vec::new();
    until("the Event", PATIENCE, async || {
        told = events(site, reason).await?;
        Ok(!told.is_empty())
    })
    .await?;
    assert_eq!(told.len(), 1, "{told:?}");
    told.pop().context("no Event")
}

#[tokio::test]
async fn two_sign_ins_race_for_the_last_place() -> Result<()> {
    let mut site = Site::new("places").await?;
    site.start().await?;
    site.profile(site.ports(), at_most(2)).await?;
    sign_in_at_once(&site, &["first"]).await?;
    site.until_reason("first", "Ready", "Enabled").await?;
    site.until_profile("google", "CapacityAvailable", "CapacityLeft")
        .await?;
    sign_in_at_once(&site, &["left", "right"]).await?;
    let mut winner = None;
    until("one of two to get the place", PATIENCE, async || {
        let left = reason(&site, "left").await?;
        let right = reason(&site, "right").await?;
        winner = match (left.as_str(), right.as_str()) {
            ("Enabled", "CapacityReached") => Some(("left", "right")),
            ("CapacityReached", "Enabled") => Some(("right", "left")),
            ("Enabled", "Enabled") => anyhow::bail!("both got it"),
            _ => None,
        };
        Ok(winner.is_some())
    })
    .await?;
    let (winner, loser) = winner.unwrap();
    site.until_profile("google", "CapacityAvailable", "CapacityReached")
        .await?;
    until_told(&site, "CapacityReached").await?;

    // Nobody is sent to Google in vain.
    site.mailbox("late", &address(&site, "late"), |_| ())
        .await?;
    site.until_reason("late", "Ready", "CapacityReached")
        .await?;
    site.mailbox("named", &address(&site, "named"), |mailbox| {
        mailbox["spec"]["profileRef"] = json!({ "name": "google" });
    })
    .await?;
    let person = Person::new(site.lab, &address(&site, "named"))?;
    let page = person.open(&site.sign_in_url("named").await?).await?;
    let words = page.words()?;
    assert!(words.contains("no place for another account"), "{words}");

    // Who got it has it after a restart, too.
    until("all to be counted", PATIENCE, async || {
        let status = site.profiles().get("google").await?.status;
        Ok(status.is_some_and(|s| s.mailboxes.is_some_and(|m| m.assigned == 4)))
    })
    .await?;
    site.stop()?;
    let before = site.writes()?.len();
    site.start().await?;
    site.until_looked_at(5, 1).await?;
    assert_eq!(site.writes()?[before..], [], "the restart wrote something");
    site.until_reason(winner, "Ready", "Enabled").await?;

    // A place that is given back goes to the one who waits, without another sign-in.
    site.kubectl(&["delete", "mailbox", winner]).await?;
    site.until_reason(loser, "Ready", "Enabled").await?;
    site.profile(site.ports(), at_most(3)).await?;
    site.until_reason("late", "Ready", "SignInRequired").await?;
    Ok(())
}

/// Google counts by Cloud project, so a second profile of the same project has no places of its own.
#[tokio::test]
async fn profiles_of_one_project_share_its_places() -> Result<()> {
    let mut site = Site::new("project").await?;
    site.start().await?;
    site.profile(site.ports(), at_most(5)).await?;
    let mut other = site.profile_manifest("other", site.ports());
    other["spec"]["defaultForNewMailboxes"] = json!(false);
    other["spec"]["maxMailboxes"] = json!(4);
    site.apply(&other).await?;
    let names = ["a", "b", "c", "d"];
    sign_in_at_once(&site, &names).await?;
    for name in names {
        site.until_reason(name, "Ready", "Enabled").await?;
    }
    site.until_profile("google", "CapacityAvailable", "CapacityLow")
        .await?;
    let event = until_told(&site, "CapacityLow").await?;
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    let full = site
        .until_profile("other", "CapacityAvailable", "CapacityReached")
        .await?;
    let said = serde_json::to_string(&full.status)?;
    assert!(
        said.contains("4 places") && said.contains("never gives one back"),
        "{said}"
    );
    // It informs, and holds nobody who has signed in.
    site.until_profile("other", "Ready", "ProfileReady").await?;
    Ok(())
}

#[tokio::test]
async fn a_sign_in_stays_with_its_profile_until_that_comes_back() -> Result<()> {
    let mut site = Site::new("withdrawal").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    sign_in_at_once(&site, &["ann"]).await?;
    site.until_reason("ann", "Ready", "Enabled").await?;
    site.mailbox("bob", &address(&site, "bob"), |_| ()).await?;
    site.until_reason("bob", "Ready", "SignInRequired").await?;

    // Another default: for new Mailboxes, and for those that nobody signed in to.
    site.apply(&site.profile_manifest("another", site.ports()))
        .await?;
    site.until_profile("another", "Ready", "ProfileReady")
        .await?;
    site.profile(site.ports(), |profile| {
        profile["spec"]["defaultForNewMailboxes"] = json!(false)
    })
    .await?;
    site.until_mailbox("bob", "the other profile", |mailbox| {
        profile_of(mailbox) == Some("another".to_owned())
    })
    .await?;
    let ann = site.until_reason("ann", "Ready", "Enabled").await?;
    assert_eq!(profile_of(&ann), Some("google".to_owned()));

    site.kubectl(&["delete", "gmailserverprofile", "google"])
        .await?;
    let ann = site
        .until_reason("ann", "Ready", "ProfileNotAvailable")
        .await?;
    assert_eq!(condition_of(&ann, "SignedIn").0, "True", "the grant stays");
    let said = serde_json::to_string(&ann.status)?;
    assert!(said.contains(&format!("{}/google", site.tenant)), "{said}");
    // It is due all the time from now on, and not asked for.
    let asked = site.token_requests().await?.len();
    site.lab
        .google
        .set_access_token_life(&site.client_id, std::time::Duration::from_secs(1))
        .await?;
    site.kubectl(&[
        "annotate",
        "mailbox",
        "ann",
        "gmail-operator.dev/test-requested-at=1",
    ])
    .await?;
    site.mailbox("eve", &address(&site, "eve"), |_| ()).await?;
    site.until_reason("eve", "Ready", "SignInRequired").await?;
    let of_ann = |requests: Vec<(String, Option<String>)>| {
        let ann = Some(address(&site, "ann"));
        requests
            .into_iter()
            .skip(asked)
            .filter(|(_, who)| *who == ann)
            .count()
    };
    assert_eq!(of_ann(site.token_requests().await?), 0);

    site.profile(site.ports(), |profile| {
        profile["spec"]["defaultForNewMailboxes"] = json!(false)
    })
    .await?;
    let ann = site.until_reason("ann", "Ready", "Enabled").await?;
    assert_eq!(profile_of(&ann), Some("google".to_owned()));
    Ok(())
}

fn profile_of(mailbox: &Mailbox) -> Option<String> {
    let status = mailbox.status.as_ref()?;
    Some(status.profile.as_ref()?.name.clone())
}

#[tokio::test]
async fn mailboxes_that_fail_together_are_told_once() -> Result<()> {
    let mut site = Site::new("together").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let names = ["a", "b", "c"];
    sign_in_at_once(&site, &names).await?;
    for name in names {
        site.until_reason(name, "Ready", "Enabled").await?;
    }
    site.until_profile("google", "MailboxesHealthy", "MailboxesHealthy")
        .await?;
    for name in ["a", "b"] {
        site.lab.google.revoke(&address(&site, name)).await?;
        site.kubectl(&[
            "annotate",
            "mailbox",
            name,
            "gmail-operator.dev/test-requested-at=1",
        ])
        .await?;
        site.until_reason(name, "Ready", "ConsentExpired").await?;
    }
    let profile = site
        .until_profile("google", "MailboxesHealthy", "MostMailboxesFailing")
        .await?;
    until_told(&site, "MostMailboxesFailing").await?;
    assert_eq!(
        truth(&profile, "Ready"),
        "True",
        "it informs and holds nobody"
    );
    for name in ["a", "b"] {
        site.connect(name, &address(&site, name)).await?;
    }
    site.until_profile("google", "MailboxesHealthy", "MailboxesHealthy")
        .await?;
    Ok(())
}

fn truth(profile: &GmailServerProfile, condition: &str) -> String {
    let conditions = profile.status.iter().flat_map(|status| &status.conditions);
    let mut found = conditions.filter(|c| c.type_ == condition);
    found.next().map(|c| c.status.clone()).unwrap_or_default()
}

/// A pool of defaults over many namespaces: spread evenly, never more than there are places, and
/// settled for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mailboxes_on_twelve_profiles() -> Result<()> {
    const NAMESPACES: usize = 10;
    const PROFILES: usize = 12;
    const EACH: usize = 100;
    let mut site = Site::new("pool").await?;
    let namespaces: Vec<String> = (0..NAMESPACES)
        .map(|n| format!("{}-{n}", site.tenant))
        .collect();
    let made: Vec<Value> = namespaces
        .iter()
        .map(
            |name| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }),
        )
        .collect();
    site.apply(&json!({ "apiVersion": "v1", "kind": "List", "items": made }))
        .await?;
    let tenant = site.tenant.clone();
    site.kubectl(&[
        "label",
        "namespace",
        &tenant,
        "gmail-operator.dev/shares-profiles=true",
    ])
    .await?;
    for namespace in &namespaces {
        site.watch(namespace);
    }
    site.start().await?;
    // Room for a thousand and a few more, not the same everywhere.
    let capacity = |n: usize| if n.is_multiple_of(2) { 70 } else { 100 };
    assert!((0..PROFILES).map(capacity).sum::<usize>() > NAMESPACES * EACH);
    for n in 0..PROFILES {
        site.apply(&pool_member(&site, n, capacity(n)).await?)
            .await?;
    }
    for n in 0..PROFILES {
        site.until_profile(&format!("pool-{n}"), "Ready", "ProfileReady")
            .await?;
    }
    let mut mailboxes = Vec::new();
    for namespace in &namespaces {
        for n in 0..EACH {
            let name = format!("box-{n}");
            let mailbox = site.mailbox_manifest(&name, &address(&site, &name));
            let mut mailbox: Mailbox = serde_json::from_value(mailbox)?;
            mailbox.metadata.namespace = Some(namespace.clone());
            mailboxes.push(mailbox);
        }
    }
    stream::iter(mailboxes)
        .map(|mailbox| create(&site, mailbox))
        .buffer_unordered(8)
        .try_collect::<()>()
        .await?;
    let assigned = async || {
        let profiles = site.profiles().list(&ListParams::default()).await?.items;
        let counts = profiles.iter().map(|profile| {
            let counts = profile
                .status
                .as_ref()
                .and_then(|status| status.mailboxes.clone());
            counts.map_or((0, 0), |counts| {
                (counts.assigned, counts.capacity.unwrap_or(0))
            })
        });
        anyhow::Ok(counts.collect::<Vec<_>>())
    };
    until("all mailboxes to be assigned", PATIENCE * 2, async || {
        Ok(assigned()
            .await?
            .iter()
            .map(|(assigned, _)| assigned)
            .sum::<i32>()
            == 1000)
    })
    .await?;
    let counts = assigned().await?;
    assert!(
        counts
            .iter()
            .all(|(assigned, capacity)| assigned <= capacity),
        "{counts:?}"
    );
    let even = |capacity: i32, least: i32| {
        counts
            .iter()
            .filter(|(_, c)| *c == capacity)
            .all(|(assigned, _)| *assigned >= least)
    };
    assert!(even(70, 70) && even(100, 96), "{counts:?}");

    site.stop()?;
    let before = site.writes()?.len();
    site.start().await?;
    site.until_looked_at(NAMESPACES * EACH, PROFILES).await?;
    let after = site.writes()?;
    assert_eq!(
        after.len(),
        before,
        "the restart wrote {:?}",
        &after[before..]
    );
    Ok(())
}

async fn create(site: &Site, mailbox: Mailbox) -> Result<()> {
    let namespace = mailbox.metadata.namespace.clone().unwrap_or_default();
    let mailboxes: Api<Mailbox> = Api::namespaced(site.client.clone(), &namespace);
    mailboxes.create(&PostParams::default(), &mailbox).await?;
    Ok(())
}

/// A default profile with an OAuth client in a project of its own.
async fn pool_member(site: &Site, n: usize, capacity: usize) -> Result<Value> {
    let id = format!("{}{}", 9000 + n, &site.client_id);
    let secret = crate::lab::operator::CLIENT_SECRET;
    site.lab.google.put_client(&id, secret, &[]).await?;
    let name = format!("pool-{n}");
    site.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": name, "namespace": site.tenant },
        "stringData": { "secret": secret },
    }))
    .await?;
    let mut profile = site.profile_manifest(&name, site.ports());
    profile["spec"]["allowedNamespaces"] = json!({ "from": "All" });
    profile["spec"]["maxMailboxes"] = json!(capacity);
    let client = &mut profile["spec"]["oauthClient"];
    client
        .as_object_mut()
        .unwrap()
        .remove("credentialsSecretRef");
    client["clientId"] = json!(id);
    client["clientSecretRef"] = json!({ "name": name, "key": "secret" });
    Ok(profile)
}
