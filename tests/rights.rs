//! Under which rights the operator works: those that the chart gives each of its parts, all of which they need.

mod modes;
mod named_namespaces;
mod rules;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::lab::operator::{PATIENCE, Site};
use crate::lab::person::Person;
use crate::lab::{Lab, installed, until};
use rules::{Rule, rules_of, until_known, unused};

/// One life of mailboxes, with the controller and the sign-in page in processes of their own. What they ask for is
/// allowed, and there is no right that they do not use.
#[tokio::test]
async fn each_part_works_under_its_own_rights_and_needs_them_all() -> Result<()> {
    let lab = Lab::shared().await;
    // The audit policy has what this operator reads logged.
    let mut site = Site::in_lab(lab, "every-right").await?;
    let rights =
        installed::chart_rights(lab, &site.client, &site.namespace, "web.separate=true").await?;
    let account = |part: &str| format!("{}-gmail-operator-{part}", site.namespace);
    let (controller, web) = (account("controller"), account("web"));
    for account in [&controller, &web] {
        until_known(&site.client, &site.namespace, account, &rights).await?;
    }
    site.watch("every-right-mail");
    site.act_as(&controller, "--components=controller").await?;
    site.start().await?;
    site.act_as(&web, "--components=web").await?;
    let page = site.replica_at(site.web_port()).await?;

    profile_of_another_namespace(&mut site).await?;
    let owner = signed_in(&site).await?;
    refused(&site).await?;
    asked_to_move(&site, &owner).await?;
    tested_by_its_owner(&site, &owner).await?;
    suspended_again_and_again(&site).await?;
    without_a_secret_for_workloads(&site).await?;
    deleted_and_made_again(&site).await?;

    page.kill()?;
    site.stop()?;
    let log = site.log()?;
    ensure!(!log.contains("orbidden"), "{log}");
    for account in [&controller, &web] {
        let asked = lab
            .control_plane
            .audit()
            .requests_by(&site.namespace, account)?;
        let mut rules = rules_of(account, &rights);
        ensure!(rules.len() > 8, "{rules:#?}");
        let left = unused(&rules, &asked, &site.namespace);
        ensure!(left.is_empty(), "{account} never used {left:#?}");
        let refused: Vec<_> = asked.iter().filter(|asked| asked.code == 403).collect();
        ensure!(refused.is_empty(), "{account} may not {refused:#?}");
        // One that nobody uses is found.
        let more = Rule::new("", "configmaps", "get");
        rules.push(more.clone());
        ensure!(unused(&rules, &asked, &site.namespace) == [more]);
    }
    Ok(())
}

async fn profile_of_another_namespace(site: &mut Site) -> Result<()> {
    let home = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "every-right-mail", "labels": { "gmail-operator.dev/shares-profiles": "true" },
    }});
    site.apply(&home).await?;
    let tenant = std::mem::replace(&mut site.tenant, "every-right-mail".to_owned());
    let shared = |profile: &mut Value| {
        profile["spec"]["allowedNamespaces"] = json!({ "from": "All" });
    };
    site.profile(site.ports(), shared).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    site.tenant = tenant;
    Ok(())
}

const ADDRESS: &str = "every-right@example.com";

fn with_a_secret(mailbox: &mut Value) {
    mailbox["spec"]["accessTokenSecret"] = json!({ "name": "token" });
    mailbox["spec"]["deletionPolicy"] = json!("Retain");
}

async fn signed_in(site: &Site) -> Result<Person> {
    site.mailbox("box", ADDRESS, with_a_secret).await?;
    let owner = Person::new(site.lab, ADDRESS)?;
    site.sign_in("box", &owner).await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    Ok(owner)
}

async fn refused(site: &Site) -> Result<()> {
    site.mailbox("refused", "refused.every-right@example.com", |_| ())
        .await?;
    let stranger = Person::new(site.lab, "mallory@example.com")?;
    site.sign_in("refused", &stranger).await?;
    site.until_mailbox("refused", "the refusal in status", |mailbox| {
        let sign_in = mailbox.status.as_ref().and_then(|s| s.sign_in.as_ref());
        sign_in.is_some_and(|sign_in| sign_in.last_attempt.is_some())
    })
    .await
    .map(drop)
}

async fn asked_to_move(site: &Site, owner: &Person) -> Result<()> {
    site.mailbox("twin", ADDRESS, |_| ()).await?;
    let page = site.sign_in("twin", owner).await?;
    let page = owner.follow(owner.press(&page, "Cancel").await?).await?;
    let words = page.words()?;
    ensure!(words.contains("Nothing was changed"), "{words}");
    Ok(())
}

async fn tested_by_its_owner(site: &Site, owner: &Person) -> Result<()> {
    let page = owner.open(&site.sign_in_url("box").await?).await?;
    owner.press(&page, "Test again").await?;
    site.until_mailbox("box", "the test that its owner asked for", |mailbox| {
        let test = mailbox.status.as_ref().and_then(|s| s.test.as_ref());
        test.is_some_and(|test| {
            let by = json!(test.requested_by);
            by == "Page" && test.finished_at.is_some()
        })
    })
    .await
    .map(drop)
}

/// The second time its Event is the same as before, and is counted up.
async fn suspended_again_and_again(site: &Site) -> Result<()> {
    for _ in 0..2 {
        for (suspend, reason) in [("true", "Suspended"), ("false", "Enabled")] {
            let patch = format!(r#"{{"spec":{{"suspend":{suspend}}}}}"#);
            site.kubectl(&["patch", "mailbox", "box", "--type=merge", "--patch", &patch])
                .await?;
            site.until_reason("box", "Ready", reason).await?;
        }
    }
    Ok(())
}

async fn without_a_secret_for_workloads(site: &Site) -> Result<()> {
    let patch = r#"{"spec":{"accessTokenSecret":null}}"#;
    site.kubectl(&["patch", "mailbox", "box", "--type=merge", "--patch", patch])
        .await?;
    until("the Secret for workloads to go", PATIENCE, async || {
        Ok(site.kubectl(&["get", "secret", "token"]).await.is_err())
    })
    .await
}

async fn deleted_and_made_again(site: &Site) -> Result<()> {
    let old = site.grant("box").await?;
    let old = old.metadata.name.context("no name")?;
    site.kubectl(&["delete", "mailbox", "box"]).await?;
    site.mailbox("box", ADDRESS, |_| ()).await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    until("the old grant to go", PATIENCE, async || {
        Ok(site.own_secrets().get_opt(&old).await?.is_none())
    })
    .await
}
