//! Several replicas serve one page: no sign-in lives in the memory of one.

use anyhow::{Context, Result, ensure};
use k8s_openapi::ByteString;

use crate::lab::operator::Site;
use crate::lab::person::Person;
use crate::lab::ports::free_port;
use crate::lab::wire::Wire;

/// Either replica dies in the middle of a sign-in that it began; the other one ends it.
#[tokio::test]
async fn a_sign_in_outlives_the_replica_that_began_it() -> Result<()> {
    let mut site = Site::new("replicas").await?;
    let ingress = Wire::to(site.web_port())?;
    site.page_through(&ingress).await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let email = "flow.replicas@example.com";
    site.mailbox("box", email, |_| ()).await?;
    let link = site.sign_in_url("box").await?;
    let mut owner = Person::new(site.lab, email)?;
    let (first, second) = (site.web_port(), free_port()?);
    let other = site.replica_at(second).await?;

    let back = owner.until_callback(&link).await?;
    site.kill()?;
    ingress.lead_to(second);
    owner = owner.reconnected(site.lab)?;
    let page = owner.follow(back).await?;
    ensure!(page.words()?.contains("is connected"), "{}", page.text);
    site.until_reason("box", "Ready", "Enabled").await?;

    let back = owner.until_callback(&link).await?;
    site.start().await?;
    other.kill()?;
    ingress.lead_to(first);
    owner = owner.reconnected(site.lab)?;
    let page = owner.follow(back).await?;
    ensure!(page.words()?.contains("is connected"), "{}", page.text);
    site.until_reason("box", "Ready", "Enabled").await.map(drop)
}

/// The key is rotated while somebody is at Google: what the old one sealed still opens, on every replica.
#[tokio::test]
async fn a_sign_in_outlives_a_rotation_of_the_key() -> Result<()> {
    let mut site = Site::new("replicas").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let email = "rotated.replicas@example.com";
    site.mailbox("box", email, |_| ()).await?;
    let link = site.sign_in_url("box").await?;
    let mut owner = Person::new(site.lab, email)?;
    let back = owner.until_callback(&link).await?;
    rotate(&site).await?;
    // A replica that starts now seals with the new key and opens with the old one.
    site.stop()?;
    site.start().await?;
    owner = owner.reconnected(site.lab)?;
    let page = owner.follow(back).await?;
    ensure!(page.words()?.contains("is connected"), "{}", page.text);
    site.until_reason("box", "Ready", "Enabled").await.map(drop)
}

/// One replica has the new key already and the other still has the old one in memory: each opens what the
/// other sealed.
#[tokio::test]
async fn replicas_with_different_keys_understand_each_other() -> Result<()> {
    let mut site = Site::new("replicas").await?;
    let ingress = Wire::to(site.web_port())?;
    site.page_through(&ingress).await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let email = "keys.replicas@example.com";
    site.mailbox("box", email, |_| ()).await?;
    let link = site.sign_in_url("box").await?;
    let mut owner = Person::new(site.lab, email)?;
    // From now on this replica has the first key in its memory.
    let old = owner.until_callback(&link).await?;
    rotate(&site).await?;
    let newer = free_port()?;
    let _other = site.replica_at(newer).await?;
    ingress.lead_to(newer);
    owner = owner.reconnected(site.lab)?;
    let new = owner.until_callback(&link).await?;
    let page = owner.follow(old).await?;
    ensure!(page.words()?.contains("is connected"), "{}", page.text);
    ingress.lead_to(site.web_port());
    owner = owner.reconnected(site.lab)?;
    let page = owner.follow(new).await?;
    ensure!(page.words()?.contains("is connected"), "{}", page.text);
    Ok(())
}

/// As docs/concepts.md tells it.
async fn rotate(site: &Site) -> Result<()> {
    let secrets = site.own_secrets();
    let mut keys = secrets.get("gmail-operator-web-key").await?;
    let data = keys.data.as_mut().context("no keys")?;
    let old = data.get("current").context("no key")?.clone();
    data.insert("previous".into(), old);
    data.insert("current".into(), ByteString(vec![7; 64]));
    secrets
        .replace("gmail-operator-web-key", &Default::default(), &keys)
        .await?;
    Ok(())
}
