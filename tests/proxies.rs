//! A cluster whose only way out is the company's proxy.

use std::process::Command;

use anyhow::{Context, Result};
use gmail_operator::api::Mailbox;

use crate::lab::operator::{Ports, Site, condition_of, operator_binary};
use crate::lab::proxy::{CompanyProxy, SECRETS, USER};

/// The API server of the lab is at an address, and all other servers at a name.
const API_SERVER: &str = "127.0.0.1";

fn message_of(mailbox: &Mailbox, condition: &str) -> String {
    let conditions = mailbox.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.into_iter().find(|c| c.type_ == condition);
    found.map(|c| c.message.clone()).unwrap_or_default()
}

/// One to OAuth servers and one to mail servers, neither of which connects to the other's.
struct Proxies {
    https: CompanyProxy,
    mail: CompanyProxy,
    ports: Ports,
}

impl Proxies {
    async fn of(site: &mut Site) -> Result<Proxies> {
        let ports = site.ports();
        let name = |what: &str| format!("{}-{what}", site.namespace);
        let https = CompanyProxy::start(site.lab, &name("https-proxy"), &[ports.google]).await?;
        let to_mail = [ports.imap, ports.smtp];
        let mail = CompanyProxy::start(site.lab, &name("mail-proxy"), &to_mail).await?;
        site.env("HTTPS_PROXY", &https.url());
        site.env("MAIL_PROXY", &mail.url());
        site.env("NO_PROXY", API_SERVER);
        Ok(Proxies { https, mail, ports })
    }
}

/// Nowhere that a person looks is there a password.
async fn nothing_secret_is_shown(site: &Site) -> Result<()> {
    let objects = ["get", "events,mailboxes,gmailserverprofiles", "-o", "json"];
    for shown in [
        site.kubectl(&objects).await?,
        site.log()?,
        site.metrics().await?,
    ] {
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
    Ok(())
}

async fn ask_for_test(site: &Site, at: u32) -> Result<()> {
    let asked = format!("gmail-operator.dev/test-requested-at={at}");
    site.kubectl(&["annotate", "--overwrite", "mailbox", "box", &asked])
        .await
        .map(drop)
}

#[tokio::test]
async fn a_mailbox_works_wholly_through_proxies_and_tells_when_one_is_away() -> Result<()> {
    let mut site = Site::new("proxied").await?;
    let mut proxies = Proxies::of(&mut site).await?;
    site.start().await?;
    site.until_logged("mail servers are reached through a proxy")
        .await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "proxied@example.com", |_| ()).await?;
    site.connect("box", "proxied@example.com").await?;
    let Ports { imap, smtp, google } = proxies.ports;
    assert!(proxies.https.connected_to(google)? > 0);
    for port in [imap, smtp] {
        assert!(proxies.mail.connected_to(port)? > 0, "{port}");
        assert_eq!(proxies.https.connected_to(port)?, 0, "{port}");
    }
    assert_eq!(proxies.mail.connected_to(google)?, 0);

    proxies.mail.stop();
    ask_for_test(&site, 1).await?;
    let mailbox = site
        .until_reason("box", "IncomingReady", "ProxyUnavailable")
        .await?;
    let told = message_of(&mailbox, "IncomingReady");
    assert!(told.contains(&proxies.mail.place()), "{told}");
    assert!(told.contains("Platform admin"), "{told}");
    proxies.mail.start_again().await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    nothing_secret_is_shown(&site).await
}

#[tokio::test]
async fn a_proxy_that_says_no_is_named_and_no_proxy_goes_past_it() -> Result<()> {
    let mut site = Site::new("turned-away").await?;
    let proxies = Proxies::of(&mut site).await?;
    let wrong =
        |proxy: &CompanyProxy| format!("http://{USER}:not-{}@{}", SECRETS[0], proxy.place());
    site.env("HTTPS_PROXY", &wrong(&proxies.https));
    site.env("MAIL_PROXY", &wrong(&proxies.mail));
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    let profile = site
        .until_profile("google", "CredentialsAccepted", "ProxyRefused")
        .await?;
    let status = serde_json::to_string(&profile.status)?;
    assert!(status.contains(&proxies.https.place()), "{status}");

    site.stop()?;
    site.env("HTTPS_PROXY", &proxies.https.url());
    site.start_again().await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    site.mailbox("box", "turned-away@example.com", |_| ())
        .await?;
    let person = crate::lab::person::Person::new(site.lab, "turned-away@example.com")?;
    site.sign_in("box", &person).await?;
    for direction in ["IncomingReady", "OutgoingReady"] {
        let mailbox = site.until_reason("box", direction, "ProxyRefused").await?;
        let told = message_of(&mailbox, direction);
        assert!(told.contains("name and a password"), "{told}");
        assert!(told.contains(&proxies.mail.place()), "{told}");
    }
    nothing_secret_is_shown(&site).await?;

    site.stop()?;
    site.env("NO_PROXY", &format!("{API_SERVER},localhost"));
    site.start_again().await?;
    let before = proxies.https.connected_to(proxies.ports.google)?;
    let mailbox = site.until_reason("box", "Ready", "Enabled").await?;
    assert_eq!(condition_of(&mailbox, "SignedIn").0, "True");
    ask_for_test(&site, 2).await?;
    site.until_mailbox("box", "the test that was asked for", |mailbox| {
        let handled = mailbox.status.as_ref();
        let handled = handled.and_then(|status| status.last_handled_test_request.as_deref());
        handled == Some("2") && condition_of(mailbox, "Ready").1 == "Enabled"
    })
    .await?;
    assert_eq!(proxies.https.connected_to(proxies.ports.google)?, before);
    Ok(())
}

/// Neither the help nor an error repeats a variable that may hold a password.
#[test]
fn the_command_line_shows_no_password() -> Result<()> {
    let run = |args: &[&str], url: &str| -> Result<String> {
        let mut command = Command::new(operator_binary()?);
        command
            .args(args)
            .env("HTTPS_PROXY", url)
            .env("MAIL_PROXY", url);
        let output = command.output().context("gmail-operator")?;
        Ok(format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ))
    };
    let url = format!("socks5://ann:{}@proxy.example", SECRETS[0]);
    let (help, failed) = (run(&["run", "--help"], &url)?, run(&["run"], &url)?);
    assert!(help.contains("--mail-proxy"), "{help}");
    assert!(
        failed.contains("--https-proxy") && failed.contains("http://"),
        "{failed}"
    );
    assert!(
        !format!("{help}{failed}").contains(SECRETS[0]),
        "{help}{failed}"
    );
    Ok(())
}
