//! Each alert comes of what a real operator exposes where things are as bad as the alert says.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::scraped::{Scrape, Seen};
use super::{rules, test_rules};
use crate::lab::installed;
use crate::lab::mail_script::{Act, At, MailScript, fault};
use crate::lab::operator::{PATIENCE, Ports, Site, condition_of};
use crate::lab::person::Person;
use crate::lab::until;

/// Those that a lab cannot make come, and why. They have written series alone.
const WRITTEN_ONLY: [(&str, &str); 2] = [
    (
        "GmailOperatorBug",
        "nothing is known that makes a reconcile panic",
    ),
    (
        "GmailOperatorCapacityLow",
        "eighty people would have to sign in",
    ),
];

/// Sign-ins end within 7 days while an app is in Testing: that is soon here.
const EIGHT_DAYS: f64 = 8.0 * 24.0 * 3600.0;

/// Access tokens live so long that each is renewed in a moment.
const TOKEN_LIFE: Duration = Duration::from_secs(8);

#[tokio::test]
async fn each_alert_comes_of_what_a_real_operator_tells() -> Result<()> {
    let mut site = Site::new("alarms").await?;
    let script = MailScript::start(site.lab).await?;
    site.allow(script.imap.port);
    site.pace("warn-before-end", EIGHT_DAYS);
    let google = &site.lab.google;
    google
        .set_access_token_life(&site.client_id, TOKEN_LIFE)
        .await?;

    let mut alarms = Alarms::default();
    before_it_works(&mut site, &mut alarms).await?;
    let trouble = [
        "GmailOperatorMailboxesFail",
        "GmailOperatorMostMailboxesFail",
        "GmailOperatorSignInsEnd",
        "GmailOperatorCapacityReached",
        "GmailOperatorProfileNotReady",
        "GmailOperatorUnknownAnswers",
    ];
    alarms.come(in_trouble(&site, &script).await?, &trouble, &[]);
    alarms.come(
        without_the_oauth_server(&site).await?,
        &[
            "GmailOperatorRenewalsFail",
            "GmailOperatorOAuthServerHeldBack",
            "GmailOperatorSignInsFail",
        ],
        &trouble,
    );
    nobody_misses_the_oauth_server(&site).await?;
    alarms.come(
        without_cluster_rights(&site).await?,
        &["GmailOperatorReconcilesFail"],
        &trouble,
    );
    alarms.judge()
}

/// What must come, and of what.
#[derive(Default)]
struct Alarms {
    expected: BTreeSet<&'static str>,
    tests: Vec<Value>,
}

impl Alarms {
    fn come(&mut self, seen: Seen, alerts: &[&'static str], still: &[&'static str]) {
        self.expected.extend(alerts);
        self.tests.push(seen.fires(alerts, still));
    }

    /// All of it comes, and that is all alerts that there are.
    fn judge(mut self) -> Result<()> {
        test_rules(self.tests)?;
        self.expected.extend(WRITTEN_ONLY.map(|(alert, _)| alert));
        for rule in rules()? {
            let alert = rule["alert"].as_str().unwrap_or_default();
            ensure!(
                self.expected.contains(alert),
                "{alert} does not come on the lab"
            );
        }
        Ok(())
    }
}

/// The operator starts without rights, gets those that it needs to lead, and then all.
async fn before_it_works(site: &mut Site, alarms: &mut Alarms) -> Result<()> {
    take_cluster_rights(site).await?;
    take_own_rights(site).await?;
    site.launch()?;
    site.until_logged("the Lease could not be read or written")
        .await?;
    alarms.come(
        seen(site, "an operator without rights", |_, _| true).await?,
        &["GmailOperatorNoLeader", "GmailOperatorSignInPageDown"],
        &[],
    );
    give_own_rights(site).await?;
    let leads = |_: &Scrape, now: &Scrape| now.sum("leader") == 1.0;
    alarms.come(
        seen(site, "a leader that may not list Mailboxes", leads).await?,
        &["GmailOperatorCachesEmpty"],
        &["GmailOperatorSignInPageDown"],
    );
    ensure!(site.readiness().await? == Some(503));
    installed::rights(site.lab, &site.client, &site.namespace).await?;
    site.until_ready().await
}

/// It may not write a status any more.
async fn without_cluster_rights(site: &Site) -> Result<Seen> {
    take_cluster_rights(site).await?;
    site.mailbox("last", &email("last"), |_| ()).await?;
    let errors = r#"reconciles_total{kind="Mailbox",result="Error"}"#;
    let fail = |before: &Scrape, now: &Scrape| now.sum(errors) > before.sum(errors) + 3.0;
    seen(site, "an operator that may not write a status", fail).await
}

/// What is seen from now until it is as bad as `is_so` wants.
async fn seen(
    site: &Site,
    name: &'static str,
    is_so: impl Fn(&Scrape, &Scrape) -> bool,
) -> Result<Seen> {
    Seen::until(site, name, Scrape::of(site).await?, is_so).await
}

async fn take_cluster_rights(site: &Site) -> Result<()> {
    let binding = format!("gmail-operator-{}", site.namespace);
    let delete = ["delete", "clusterrolebinding", &binding];
    site.lab.control_plane.kubectl(delete).await.map(drop)
}

async fn take_own_rights(site: &Site) -> Result<()> {
    let here = format!("--namespace={}", site.namespace);
    let delete = ["delete", "rolebinding", "gmail-operator", &here];
    site.lab.control_plane.kubectl(delete).await.map(drop)
}

async fn give_own_rights(site: &Site) -> Result<()> {
    let here = format!("--namespace={}", site.namespace);
    let account = format!("--serviceaccount={}:gmail-operator", site.namespace);
    let role = "--role=gmail-operator";
    let create = [
        "create",
        "rolebinding",
        "gmail-operator",
        role,
        &account,
        &here,
    ];
    site.lab.control_plane.kubectl(create).await.map(drop)
}

/// Two of three sign-ins are revoked, a server speaks in words of tomorrow, a profile has no Secret, and
/// the default profile has no place left.
async fn in_trouble(site: &Site, script: &MailScript) -> Result<Seen> {
    let first = Scrape::of(site).await?;
    let odd = email("odd");
    let words = Act::Say("TAG NO [ALERT] Your mailbox is entangled. (Failure)");
    script.post.set_fault(&odd, fault(At::Login, words));
    let in_testing = json!({ "userType": "External", "publishingStatus": "Testing" });
    site.profile(site.ports(), |profile| {
        profile["spec"]["oauthClient"]["consentScreen"] = in_testing;
        profile["spec"]["maxMailboxes"] = 3.into();
    })
    .await?;
    let scripted = Ports {
        imap: script.imap.port,
        ..site.ports()
    };
    for (name, secret) in [("scripted", "google-oauth-client"), ("broken", "nowhere")] {
        let mut profile = site.profile_manifest(name, scripted);
        profile["spec"]["defaultForNewMailboxes"] = false.into();
        profile["spec"]["oauthClient"]["credentialsSecretRef"]["name"] = secret.into();
        site.apply(&profile).await?;
    }
    for name in ["first", "second", "works"] {
        site.mailbox(name, &email(name), |_| ()).await?;
        signs_in(site, name).await?;
        site.until_mailbox(name, "Ready", |mailbox| {
            condition_of(mailbox, "Ready").0 == "True"
        })
        .await?;
    }
    let by_script = |mailbox: &mut Value| {
        mailbox["spec"]["profileRef"] = json!({ "name": "scripted" });
    };
    site.mailbox("odd", &odd, by_script).await?;
    signs_in(site, "odd").await?;
    site.mailbox("new", &email("new"), by_script).await?;
    site.mailbox("late", &email("late"), |_| ()).await?;
    for name in ["first", "second"] {
        site.lab.google.revoke(&email(name)).await?;
        let test = "gmail-operator.dev/test-requested-at=1";
        site.kubectl(&["annotate", "mailbox", name, test]).await?;
    }
    let is_so = |before: &Scrape, now: &Scrape| {
        let unknown = "unknown_answers_total";
        now.has("mailboxes", "Failing")
            && now.has("mailboxes", "CapacityReached")
            && ["Google", "Profile"]
                .iter()
                .all(|by| now.has("profile_capacity", by))
            && now.has("profile_condition", "MostMailboxesFailing")
            && now.has("profile_condition", "ClientSecretMissing")
            && now.sum("sign_ins_ending_soon") > 0.0
            && now.sum(unknown) > before.sum(unknown)
    };
    Seen::until(site, "mailboxes and profiles in trouble", first, is_so).await
}

async fn without_the_oauth_server(site: &Site) -> Result<Seen> {
    let google = &site.lab.google;
    google
        .set_fault(&site.client_id, 503, json!("down"))
        .await?;
    let first = Scrape::of(site).await?;
    let person = Person::new(site.lab, &email("new"))?;
    let page = site.sign_in("new", &person).await?;
    ensure!(page.status == 502, "{}", page.words()?);
    let is_so = |before: &Scrape, now: &Scrape| {
        let rose = |series| now.sum(series) > before.sum(series);
        rose(r#"token_renewals_total{result="Unavailable"}"#)
            && rose(r#"sign_ins_total{result="Failed"}"#)
            && now.sum("oauth_server_held_back") > 0.0
    };
    Seen::until(site, "an OAuth server that is away", first, is_so).await
}

/// Its server is still away, and nobody renews anything there any more.
async fn nobody_misses_the_oauth_server(site: &Site) -> Result<()> {
    let suspend = r#"--patch={"spec":{"suspend":true}}"#;
    for object in ["mailbox/works", "gmailserverprofile/scripted"] {
        site.kubectl(&["patch", object, "--type=merge", suspend])
            .await?;
    }
    until("no OAuth server to be told of", PATIENCE, async || {
        Ok(!Scrape::of(site).await?.has("oauth_server_held_back", ""))
    })
    .await
}

async fn signs_in(site: &Site, name: &str) -> Result<()> {
    let person = Person::new(site.lab, &email(name))?;
    let page = site.sign_in(name, &person).await?;
    ensure!(page.status == 200, "{}", page.words()?);
    Ok(())
}

fn email(name: &str) -> String {
    format!("alarms-{name}@example.com")
}
