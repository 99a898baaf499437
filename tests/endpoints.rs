//! Custom endpoints: each profile with its own trust, and secrets that go nowhere else.

use std::time::Duration;

use anyhow::{Context, Result};
use gmail_operator::api::GmailServerProfile;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use crate::lab::google::GoogleStandIn;
use crate::lab::mail_script::{Certificate, Entry, MailScript};
use crate::lab::operator::{CLIENT_SECRET, PATIENCE, Ports, Site, condition_of};
use crate::lab::tokens::Tokens;
use crate::lab::until;

fn message_of(profile: &GmailServerProfile, condition: &str) -> String {
    let conditions = profile.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.into_iter().find(|c| c.type_ == condition);
    found.map(|c| c.message.clone()).unwrap_or_default()
}

fn key(secret: &Secret, name: &str) -> Option<String> {
    let value = secret.data.as_ref()?.get(name)?;
    String::from_utf8(value.0.clone()).ok()
}

fn with_bundle(bundle: String) -> impl FnOnce(&mut Value) {
    move |profile| profile["spec"]["caBundle"] = bundle.into()
}

/// Two profiles with the same mail server. Only one of them trusts its authority, and what the one
/// may, the other may not: no connection and no TLS session is shared.
#[tokio::test]
async fn a_ca_bundle_is_for_one_profile_and_counts_at_once() -> Result<()> {
    let mut site = Site::new("trust").await?;
    let server = MailScript::start(site.lab).await?;
    let entry = Entry::Tls(Certificate::UnknownIssuer);
    server.imap.set_entry(entry).await?;
    let authority = server.unknown_authority();
    site.allow(server.imap.port);
    site.start().await?;
    let ports = Ports {
        imap: server.imap.port,
        ..site.ports()
    };
    let plain = site.lab.tls.ca_pem.clone();
    let both = format!("{plain}{authority}");
    site.profile(ports, with_bundle(both.clone())).await?;
    let mut without = site.profile_manifest("without", ports);
    without["spec"]["defaultForNewMailboxes"] = false.into();
    site.apply(&without).await?;
    for profile in ["google", "without"] {
        site.until_profile(profile, "Ready", "ProfileReady").await?;
    }
    let ann = Tokens::of(&site, "trust@example.com").await?;
    for (name, profile) in [("trusting", "google"), ("doubting", "without")] {
        let mut manifest = site.mailbox_manifest(name, &ann.email);
        manifest["spec"]["profileRef"] = json!({ "name": profile });
        manifest["spec"]["outgoing"] = json!({ "method": "None" });
        ann.connect(&site, manifest, profile).await?;
        let reason = match name {
            "trusting" => "Enabled",
            _ => "CertificateUnknownIssuer",
        };
        let mailbox = site.until_reason(name, "IncomingReady", reason).await?;
        let text = serde_json::to_string(&mailbox.status)?;
        assert_eq!(
            name == "doubting",
            text.contains("known authority"),
            "{text}"
        );
    }
    // The authority changes places, while the one has a session that it could resume.
    site.profile(ports, with_bundle(plain)).await?;
    without["spec"]["caBundle"] = both.into();
    site.apply(&without).await?;
    site.until_reason("trusting", "IncomingReady", "CertificateUnknownIssuer")
        .await?;
    site.until_reason("doubting", "Ready", "Enabled").await?;
    Ok(())
}

#[tokio::test]
async fn a_ca_bundle_that_is_none_is_named() -> Result<()> {
    let mut site = Site::new("no-bundle").await?;
    site.start().await?;
    let good = site.lab.tls.ca_pem.clone();
    site.profile(site.ports(), |_| ()).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    site.mailbox("box", "no-bundle@example.com", |_| ()).await?;
    let private_key = std::fs::read_to_string(&site.lab.tls.key)?;
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    for (bundle, wrong) in [
        (format!("{begin}\n%%%%\n{end}\n"), "part 1 has something"),
        (
            format!("{good}{begin}\nYWJj\n{end}\n"),
            "part 2 is not an X.509 certificate",
        ),
        (format!("{good}{private_key}"), "private key"),
        (format!("# {begin} goes here"), "no certificate"),
        (good.replace(end, ""), "no line -----END CERTIFICATE-----"),
    ] {
        site.profile(site.ports(), with_bundle(bundle)).await?;
        let mut seen = String::new();
        until(wrong, PATIENCE, async || {
            let profile = site
                .until_profile("google", "Accepted", "CaBundleInvalid")
                .await?;
            seen = message_of(&profile, "Accepted");
            Ok(seen.contains(wrong))
        })
        .await
        .with_context(|| format!("{wrong}: {seen}"))?;
        assert!(
            seen.contains("spec.caBundle") && seen.contains("Platform admin:"),
            "{seen}"
        );
        assert!(!seen.contains("YWJj") && !seen.contains("%%"), "{seen}");
        site.until_reason("box", "ProfileReady", "ProfileNotReady")
            .await?;
    }
    site.profile(site.ports(), with_bundle(good)).await?;
    site.until_profile("google", "Ready", "ProfileReady")
        .await?;
    site.until_reason("box", "Ready", "SignInRequired").await?;
    Ok(())
}

/// A stand-in that the cluster admin allows, in the hands of somebody who wants more.
struct Attacker {
    server: GoogleStandIn,
    client_id: String,
}

impl Attacker {
    /// Knows the client ID, which is no secret, and has a profile of that client with its own server.
    async fn new(site: &mut Site) -> Result<Attacker> {
        let folder = site.lab.dir().join(format!("{}-attacker", site.namespace));
        std::fs::create_dir_all(&folder)?;
        let server = GoogleStandIn::spawn(&folder, &site.lab.tls, &site.lab.place)?;
        server.ready().await?;
        let callback = format!("{}/oauth2/callback", site.public_url);
        server
            .put_client(&site.client_id, CLIENT_SECRET, &[&callback])
            .await?;
        site.allow(server.port());
        Ok(Attacker {
            server,
            client_id: site.client_id.clone(),
        })
    }

    /// It claims to be the other's issuer; only where tokens go is its own.
    fn profile(&self, site: &Site, issuer: &str) -> Value {
        let mut profile = site.profile_manifest("attacker", site.ports());
        profile["spec"]["defaultForNewMailboxes"] = false.into();
        let endpoints = &mut profile["spec"]["oauthClient"]["endpoints"];
        endpoints["issuer"] = issuer.into();
        endpoints["token"] = self.server.token_url().into();
        endpoints["revocation"] = self.server.revocation_url().into();
        profile
    }

    /// What came beside the checks of the profile's own client, which are of a made-up code.
    async fn loot(&self) -> Result<Vec<String>> {
        let requests = self.server.requests().await?;
        assert!(
            requests
                .iter()
                .any(|request| request.client_id.as_deref() == Some(&self.client_id)),
            "the profile's client was checked there"
        );
        Ok(requests
            .into_iter()
            .filter_map(|request| request.grant_type)
            .filter(|grant| grant != "authorization_code")
            .collect())
    }
}

async fn use_profile(site: &Site, mailbox: &str, profile: &str) -> Result<()> {
    let patch = json!({ "spec": { "profileRef": { "name": profile } } }).to_string();
    site.kubectl(&["patch", "mailbox", mailbox, "--type=merge", "-p", &patch])
        .await
        .map(drop)
}

async fn refreshes(site: &Site) -> Result<usize> {
    let requests = site.token_requests().await?;
    Ok(requests
        .iter()
        .filter(|(grant, _)| grant == "refresh_token")
        .count())
}

async fn until_expired(site: &Site, mailbox: &str) -> Result<()> {
    let expires: Timestamp = key(&site.grant(mailbox).await?, "access-token-expires-at")
        .context("no expiry")?
        .parse()?;
    until("the access token to expire", PATIENCE, async || {
        Ok(Timestamp::now() > expires)
    })
    .await
}

#[tokio::test]
async fn a_stand_in_with_the_same_client_id_gets_no_token() -> Result<()> {
    let mut site = Site::new("attacked").await?;
    let attacker = Attacker::new(&mut site).await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.apply(&attacker.profile(&site, &site.lab.google.issuer()))
        .await?;
    for profile in ["google", "attacker"] {
        site.until_profile(profile, "Ready", "ProfileReady").await?;
    }
    site.lab
        .google
        .set_access_token_life(&site.client_id, Duration::from_secs(6))
        .await?;
    let retained = |mailbox: &mut Value| mailbox["spec"]["deletionPolicy"] = "Retain".into();
    site.mailbox("box", "attacked@example.com", retained)
        .await?;
    site.connect("box", "attacked@example.com").await?;

    // The Mailbox is pointed at the attacker's profile when a renewal is due.
    use_profile(&site, "box", "attacker").await?;
    site.until_reason("box", "SignedIn", "ClientChanged")
        .await?;
    let before = site.grant("box").await?;
    assert_eq!(
        key(&before, "token-endpoint").as_deref(),
        Some(site.lab.google.token_url().as_str())
    );
    until_expired(&site, "box").await?;
    site.kubectl(&[
        "annotate",
        "mailbox",
        "box",
        "gmail-operator.dev/test-requested-at=1",
    ])
    .await?;

    // So is one that comes back after a deletion, for which the sign-in was retained.
    let uid = site.mailboxes().get("box").await?.metadata.uid;
    site.kubectl(&["delete", "mailbox", "box"]).await?;
    site.mailbox("box", "attacked@example.com", |mailbox| {
        retained(mailbox);
        mailbox["spec"]["profileRef"] = json!({ "name": "attacker" });
    })
    .await?;
    site.until_reason("box", "SignedIn", "ClientChanged")
        .await?;
    let uid = uid.context("no uid")?;
    let after = site.own_secrets().get(&format!("grant-{uid}")).await?;
    let untouched = [
        "refresh-token",
        "access-token",
        "signed-in-at",
        "ended-reason",
    ];
    for name in untouched {
        assert_eq!(key(&after, name), key(&before, name), "{name}");
    }
    assert_eq!(attacker.loot().await?, Vec::<String>::new());

    // Back at the server that it is of, it is as good as before, and nobody signs in again.
    use_profile(&site, "box", "google").await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    assert_eq!(attacker.loot().await?, Vec::<String>::new());
    Ok(())
}

/// The Secret gets another client, and the profile has not looked at it yet when a renewal is due.
#[tokio::test]
async fn another_client_in_the_secret_renews_nothing_and_ends_nothing() -> Result<()> {
    let mut site = Site::new("exchanged").await?;
    site.pace("look-at-secret", 3600.0);
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.lab
        .google
        .set_access_token_life(&site.client_id, Duration::from_secs(8))
        .await?;
    site.mailbox("box", "exchanged@example.com", |_| ()).await?;
    site.connect("box", "exchanged@example.com").await?;
    let first = site.client_id.clone();
    let next = format!("9{first}");
    let callback = format!("{}/oauth2/callback", site.public_url);
    site.lab
        .google
        .put_client(&next, CLIENT_SECRET, &[&callback])
        .await?;

    site.client_id.clone_from(&next);
    site.client_secret(CLIENT_SECRET).await?;
    // It is the renewal that finds out, and has the profile look.
    let mailbox = site
        .until_reason("box", "SignedIn", "ClientChanged")
        .await?;
    assert_eq!(condition_of(&mailbox, "Ready").0, "False");
    assert_eq!(
        refreshes(&site).await?,
        0,
        "a token went out with the new client"
    );
    let grant = site.grant("box").await?;
    assert_eq!(
        (key(&grant, "client-id"), key(&grant, "ended-reason")),
        (Some(first.clone()), None)
    );

    until_expired(&site, "box").await?;
    site.client_id = first;
    let exchanges = |requests: Vec<(String, Option<String>)>| {
        requests
            .iter()
            .filter(|(grant, account)| grant == "authorization_code" && account.is_some())
            .count()
    };
    let signed_in = exchanges(site.token_requests().await?);
    site.client_secret(CLIENT_SECRET).await?;
    // Within an hour, or at once for who touches the profile.
    site.profile_only(site.ports(), |profile| {
        profile["spec"]["contact"] = "The same team".into()
    })
    .await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    let renewed = site.grant("box").await?;
    assert_eq!(key(&renewed, "refresh-token"), key(&grant, "refresh-token"));
    until("a renewal", PATIENCE, async || {
        Ok(key(&site.grant("box").await?, "access-token") != key(&grant, "access-token"))
    })
    .await?;
    assert_eq!(exchanges(site.token_requests().await?), signed_in);
    Ok(())
}

/// Between the change at Google and the change of the Secret the old secret is refused.
#[tokio::test]
async fn a_rotated_secret_signs_nobody_out_while_renewals_are_due() -> Result<()> {
    let mut site = Site::new("rotating").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.lab
        .google
        .set_access_token_life(&site.client_id, Duration::from_secs(6))
        .await?;
    site.mailbox("box", "rotating@example.com", |_| ()).await?;
    site.connect("box", "rotating@example.com").await?;
    let callback = format!("{}/oauth2/callback", site.public_url);
    site.lab
        .google
        .put_client(&site.client_id, "GOCSPX-rotated", &[&callback])
        .await?;
    site.until_profile("google", "CredentialsAccepted", "ClientSecretRejected")
        .await?;
    until_expired(&site, "box").await?;
    let refused = site.mailboxes().get("box").await?;
    assert_eq!(
        condition_of(&refused, "SignedIn"),
        ("True".into(), "SignedIn".into())
    );
    let stale = key(&site.grant("box").await?, "access-token");
    site.client_secret("GOCSPX-rotated").await?;
    site.until_reason("box", "Ready", "Enabled").await?;
    until("a renewal with the new secret", PATIENCE, async || {
        Ok(key(&site.grant("box").await?, "access-token") != stale)
    })
    .await?;
    let after = site.mailboxes().get("box").await?;
    assert_eq!(condition_of(&after, "SignedIn").0, "True");
    Ok(())
}

/// Google's hosts by another port, a name that is not allowed, and addresses in odd spellings.
#[tokio::test]
async fn a_server_that_is_not_allowed_is_named_and_not_connected_to() -> Result<()> {
    let mut site = Site::new("not-allowed").await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    site.start().await?;
    site.client_secret(CLIENT_SECRET).await?;
    for (host, port, named) in [
        (
            "imap.gmail.com.evil.example",
            993,
            "imap.gmail.com.evil.example:993",
        ),
        ("mail.invalid", 993, "mail.invalid:993"),
        ("127.0.0.1", port, "127.0.0.1"),
        ("2130706433", port, "2130706433"),
        ("0x7f.1", port, "0x7f.1"),
    ] {
        let applied = site
            .profile_only(site.ports(), |profile| {
                profile["spec"]["servers"]["imap"] = json!({ "host": host, "port": port })
            })
            .await;
        // The schema may refuse the spelling already.
        if let Err(refused) = applied {
            assert!(format!("{refused:#}").contains("host"), "{refused:#}");
            continue;
        }
        until(named, PATIENCE, async || {
            let profile = site
                .until_profile("google", "Accepted", "EndpointNotAllowed")
                .await?;
            Ok(message_of(&profile, "Accepted").contains(named))
        })
        .await?;
    }
    for token in [
        format!("https://169.254.169.254:{port}/token"),
        format!("https://[::ffff:169.254.169.254]:{port}/token"),
        format!("https://2852039166:{port}/token"),
        format!("https://0xa9.254.43518:{port}/token"),
    ] {
        site.profile_only(site.ports(), |profile| {
            profile["spec"]["oauthClient"]["endpoints"]["token"] = token.clone().into()
        })
        .await?;
        until(&token, PATIENCE, async || {
            let profile = site
                .until_profile("google", "Accepted", "EndpointNotAllowed")
                .await?;
            let message = message_of(&profile, "Accepted");
            // As what it means.
            Ok(message.contains("169.254.169.254") || message.contains("::ffff:a9fe:a9fe"))
        })
        .await?;
    }
    let probe = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let (_, first) = listener.accept().await?;
    assert_eq!(first, probe.local_addr()?, "nobody connected before");
    Ok(())
}
