//! What the API server makes of both kinds: defaults, columns, refusals.

use anyhow::{Context, Result};
use axum::http::Request;
use kube::api::{DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::lab::operator::PATIENCE;
use crate::lab::{Lab, installed, until};

fn mailbox(spec: Value) -> Value {
    json!({ "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox", "metadata": { "name": "m" }, "spec": spec })
}

fn profile(spec: Value) -> Value {
    json!({ "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "GmailServerProfile", "metadata": { "name": "p" }, "spec": spec })
}

/// A profile with a good client, and `more` in its spec.
fn with(more: Value) -> Value {
    let mut spec =
        json!({ "oauthClient": { "credentialsSecretRef": { "name": "s", "key": "k" } } });
    merge(&mut spec, more);
    profile(spec)
}

fn screen(screen: Value) -> Value {
    with(json!({ "oauthClient": { "consentScreen": screen } }))
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => more
            .into_iter()
            .for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value)),
        (into, more) => *into = more,
    }
}

fn api(client: &Client, object: &Value) -> Result<(Api<DynamicObject>, DynamicObject)> {
    let object: DynamicObject = serde_json::from_value(object.clone())?;
    let types = object.types.clone().context("no kind")?;
    let gvk = GroupVersionKind::try_from(&types)?;
    let plural = if gvk.kind == "Mailbox" {
        "mailboxes"
    } else {
        "gmailserverprofiles"
    };
    Ok((
        Api::namespaced_with(
            client.clone(),
            "default",
            &ApiResource::from_gvk_with_plural(&gvk, plural),
        ),
        object,
    ))
}

/// As kubectl does: nothing is stored, and a field that is not known is an error.
async fn create(client: &Client, object: &Value) -> Result<kube::Result<DynamicObject>> {
    let plural = if object["kind"] == "Mailbox" {
        "mailboxes"
    } else {
        "gmailserverprofiles"
    };
    let url = format!(
        "/apis/gmail-operator.dev/v1alpha1/namespaces/default/{plural}?dryRun=All&fieldValidation=Strict"
    );
    let request = Request::post(url)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(object)?)?;
    Ok(client.request(request).await)
}

async fn admin() -> Result<Client> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
    lab.control_plane.admin().await
}

#[tokio::test]
async fn bad_specs_are_refused_in_words() -> Result<()> {
    let client = admin().await?;
    let address = |address: &str| mailbox(json!({ "emailAddress": address }));
    let good = |more: Value| {
        let mut spec = json!({ "emailAddress": "ann@example.com" });
        merge(&mut spec, more);
        mailbox(spec)
    };
    let long = format!("{}@example.com", "a".repeat(250));
    let an_address = "must be one e-mail address such as ann@example.com";
    let cases = [
        (address("ann"), an_address),
        (address("ann@bob@example.com"), an_address),
        (address("an n@example.com"), an_address),
        (address("ann@example.com\n"), an_address),
        (address("ann\u{7}@example.com"), an_address),
        (address("änn@example.com"), an_address),
        (address("ann@exämple.com"), an_address),
        (address("ann@example"), an_address),
        (address("<ann@example.com>"), an_address),
        (address(&long), "may not be more than 254 bytes"),
        (address(""), "should be at least 3 chars long"),
        (good(json!({ "googleAccount": "bob" })), an_address),
        (
            good(json!({ "incoming": { "method": "None" }, "outgoing": { "method": "None" } })),
            "cannot both be None",
        ),
        (
            good(json!({ "incoming": { "method": "External" } })),
            "needs accessTokenSecret",
        ),
        (
            good(json!({ "outgoing": { "method": "External" } })),
            "needs accessTokenSecret",
        ),
        (
            good(json!({ "incoming": { "method": "Push" } })),
            "supported values: \"ServerSideSync\", \"External\", \"None\"",
        ),
        (
            good(json!({ "incoming": { "protocol": "JMAP" } })),
            "supported values: \"IMAP\", \"POP3\"",
        ),
        (good(json!({ "testMessage": "Always" })), "supported values"),
        (good(json!({ "reminders": "Always" })), "supported values"),
        (
            good(json!({ "deletionPolicy": "Keep" })),
            "supported values",
        ),
        (
            good(json!({ "accessTokenSecret": { "name": "s", "namespace": "other" } })),
            "unknown field \"spec.accessTokenSecret.namespace\"",
        ),
        (
            good(json!({ "accessTokenSecret": { "name": "UPPER" } })),
            "must be the name of a Kubernetes object",
        ),
        (
            good(json!({ "profileRef": { "name": "" } })),
            "should be at least 1 chars long",
        ),
        (
            good(json!({ "processEmailsFrom": "yesterday" })),
            "must be of type date-time",
        ),
        (
            good(json!({ "processEmailsFrom": "1999-01-01T00:00:00Z" })),
            "between 2004-04-01 and 2100-01-01",
        ),
        (
            good(json!({ "processEmailsFrom": "2200-01-01T00:00:00Z" })),
            "between 2004-04-01 and 2100-01-01",
        ),
        (
            good(json!({ "purpose": "x".repeat(501) })),
            "may not be more than 500 bytes",
        ),
        (
            good(json!({ "purpose": "two\nlines" })),
            "one line without control characters",
        ),
        (
            good(json!({ "colour": "red" })),
            "unknown field \"spec.colour\"",
        ),
        (profile(json!({})), "oauthClient is required"),
        (
            profile(json!({ "oauthClient": {} })),
            "name the client in one way",
        ),
        (
            with(
                json!({ "oauthClient": { "clientId": "1-a", "clientSecretRef": { "name": "s", "key": "k" } } }),
            ),
            "name the client in one way",
        ),
        (
            profile(json!({ "oauthClient": { "clientId": "1-a" } })),
            "belong together",
        ),
        (
            profile(
                json!({ "oauthClient": { "clientId": "1 a", "clientSecretRef": { "name": "s", "key": "k" } } }),
            ),
            "without spaces",
        ),
        (
            with(json!({ "oauthClient": { "credentialsSecretRef": { "namespace": "other" } } })),
            "unknown field \"spec.oauthClient.credentialsSecretRef.namespace\"",
        ),
        (
            with(json!({ "oauthClient": { "credentialsSecretRef": { "key": "a b" } } })),
            "should match",
        ),
        (
            screen(json!({ "userType": "External" })),
            "publishingStatus is required when userType is External",
        ),
        (
            screen(json!({ "userType": "Internal", "publishingStatus": "Testing" })),
            "cannot be given when it is Internal",
        ),
        (
            screen(
                json!({ "userType": "External", "publishingStatus": "Testing", "verified": true }),
            ),
            "InProduction can be verified",
        ),
        (
            screen(json!({ "userType": "Internal", "verified": true })),
            "InProduction can be verified",
        ),
        (
            screen(
                json!({ "userType": "External", "publishingStatus": "InProduction", "testUsers": ["ann@gmail.com"] }),
            ),
            "testUsers belong to an External app in Testing",
        ),
        (
            screen(json!({ "publishingStatus": "Testing" })),
            "userType: Required value",
        ),
        (
            screen(json!({ "userType": "Everybody" })),
            "supported values",
        ),
        (
            with(json!({ "servers": { "imap": { "port": 0 } } })),
            "greater than or equal to 1",
        ),
        (
            with(json!({ "servers": { "imap": { "port": 65536 } } })),
            "less than or equal to 65535",
        ),
        (
            with(json!({ "servers": { "imap": { "host": "imaps://imap.gmail.com" } } })),
            "must be a host name such as imap.gmail.com",
        ),
        (
            with(json!({ "servers": { "smtp": { "host": "smtp.gmail.com:465" } } })),
            "must be a host name such as imap.gmail.com",
        ),
        (
            with(json!({ "servers": { "smtp": { "security": "STARTTLS" } } })),
            "port 465 speaks TLS from the start",
        ),
        (
            with(json!({ "servers": { "smtp": { "port": 587 } } })),
            "port 587 starts in plain text",
        ),
        (
            with(json!({ "servers": { "smtp": { "security": "None" } } })),
            "supported values: \"TLS\", \"STARTTLS\"",
        ),
        (
            with(json!({ "allowedNamespaces": { "from": "Selector" } })),
            "selector belongs to from: Selector",
        ),
        (
            with(
                json!({ "allowedNamespaces": { "from": "All", "selector": { "matchLabels": { "a": "b" } } } }),
            ),
            "selector belongs to from: Selector",
        ),
        (
            with(json!({ "allowedEmailAddresses": ["example.com"] })),
            "must be an address such as ann@example.com or *@example.com",
        ),
        (
            with(json!({ "allowedEmailAddresses": ["ann@*.com"] })),
            "'*' may stand before the '@' only",
        ),
        (
            with(json!({ "allowedEmailAddresses": [] })),
            "should have at least 1 items",
        ),
        (
            with(json!({ "allowedEmailAddresses": vec!["*@example.com"; 101] })),
            "must have at most 100 items",
        ),
        (
            with(json!({ "maxMailboxes": 0 })),
            "greater than or equal to 1",
        ),
        (
            with(json!({ "caBundle": "not a certificate" })),
            "one or more certificates in PEM",
        ),
        (
            with(json!({ "processing": { "minPollingInterval": "1d" } })),
            "must be a duration from 0s to 24h",
        ),
        (
            with(json!({ "processing": { "minPollingInterval": "25h" } })),
            "must be a duration from 0s to 24h",
        ),
        (
            with(json!({ "processing": { "minPollingInterval": "-5m" } })),
            "must be a duration from 0s to 24h",
        ),
        (
            with(json!({ "processing": { "connectionTimeout": "0s" } })),
            "must be a duration from 1s to 100s",
        ),
        (
            with(json!({ "processing": { "connectionTimeout": "2m" } })),
            "must be a duration from 1s to 100s",
        ),
        (
            with(json!({ "processing": { "maxConcurrentConnections": 301 } })),
            "less than or equal to 300",
        ),
        (
            with(json!({ "processing": { "processEmailsFrom": "1999-01-01T00:00:00Z" } })),
            "between 2004-04-01 and 2100-01-01",
        ),
        (
            with(
                json!({ "oauthClient": { "endpoints": { "issuer": "https://a", "authorization": "https://a", "token": "http://a", "revocation": "https://a", "jwks": "https://a" } } }),
            ),
            "must be an https URL",
        ),
        (
            with(json!({ "contact": "a\u{1b}[31mred" })),
            "one line without control characters",
        ),
    ];
    let mut wrong = Vec::new();
    for (object, words) in &cases {
        match create(&client, object).await? {
            Ok(_) => wrong.push(format!("accepted: {object}")),
            Err(error)
                if error
                    .to_string()
                    .to_lowercase()
                    .contains(&words.to_lowercase()) => {}
            Err(error) => wrong.push(format!("{object}\n  expected: {words}\n  got: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[tokio::test]
async fn what_is_set_once_stays() -> Result<()> {
    let client = admin().await?;
    let name = |name: &str, spec: Value| {
        let mut object = mailbox(spec);
        object["metadata"]["name"] = name.into();
        object
    };
    let set = json!({ "emailAddress": "ann@example.com", "googleAccount": "boss@example.com" });
    let (mailboxes, before) = api(&client, &name("set-once", set))?;
    mailboxes.create(&PostParams::default(), &before).await?;
    let (_, unset) = api(
        &client,
        &name("set-later", json!({ "emailAddress": "ann@example.com" })),
    )?;
    mailboxes.create(&PostParams::default(), &unset).await?;
    for (object, change, refused) in [
        (
            "set-once",
            json!({ "emailAddress": "bob@example.com" }),
            Some("emailAddress cannot be changed"),
        ),
        (
            "set-once",
            json!({ "googleAccount": "other@example.com" }),
            Some("googleAccount cannot be changed or removed"),
        ),
        (
            "set-once",
            json!({ "googleAccount": null }),
            Some("googleAccount cannot be changed or removed"),
        ),
        ("set-once", json!({ "suspend": true }), None),
        (
            "set-later",
            json!({ "googleAccount": "boss@example.com" }),
            None,
        ),
    ] {
        let patch = kube::api::Patch::Merge(json!({ "spec": change }));
        let result = mailboxes
            .patch(object, &kube::api::PatchParams::default(), &patch)
            .await;
        match (refused, result) {
            (None, Ok(_)) => {}
            (Some(words), Err(error)) => {
                assert!(error.to_string().contains(words), "{change}: {error}")
            }
            (_, result) => panic!("{change}: {result:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn defaults_are_visible() -> Result<()> {
    let client = admin().await?;
    let made = create(&client, &with(json!({}))).await??;
    let spec = &made.data["spec"];
    assert_eq!(
        spec["servers"],
        json!({
            "imap": { "host": "imap.gmail.com", "port": 993 },
            "pop3": { "host": "pop.gmail.com", "port": 995 },
            "smtp": { "host": "smtp.gmail.com", "port": 465, "security": "TLS" },
        })
    );
    assert_eq!(
        spec["processing"],
        json!({ "minPollingInterval": "5m", "maxConcurrentConnections": 10, "connectionTimeout": "30s" })
    );
    assert_eq!(spec["allowedNamespaces"], json!({ "from": "Same" }));
    let made = create(
        &client,
        &with(json!({ "servers": { "smtp": { "port": 587, "security": "STARTTLS" } } })),
    )
    .await??;
    assert_eq!(
        made.data["spec"]["servers"]["smtp"]["host"],
        "smtp.gmail.com"
    );
    let made = create(
        &client,
        &mailbox(json!({ "emailAddress": "ann@example.com" })),
    )
    .await??;
    let spec = &made.data["spec"];
    assert_eq!(
        spec["incoming"],
        json!({ "method": "ServerSideSync", "protocol": "IMAP" })
    );
    assert_eq!(
        (&spec["testMessage"], &spec["deletionPolicy"]),
        (&json!("ToSelf"), &json!("Delete"))
    );
    Ok(())
}

#[tokio::test]
async fn columns_short_names_and_explain() -> Result<()> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
    let resources = lab
        .control_plane
        .kubectl(["api-resources", "--categories=gmail", "--no-headers"])
        .await?;
    assert!(
        resources.contains("gsp") && resources.contains("mbx"),
        "{resources}"
    );
    for (name, columns, wide) in [
        (
            "mailboxes.gmail-operator.dev",
            vec![
                "Email", "Profile", "Incoming", "Outgoing", "Ready", "Status", "Age",
            ],
            vec!["Sign-In", "Account", "Since", "Last-Test", "Message"],
        ),
        (
            "gmailserverprofiles.gmail-operator.dev",
            vec!["Client", "Default", "Mailboxes", "Ready", "Status", "Age"],
            vec!["Message"],
        ),
    ] {
        let crd: Value = serde_json::from_str(
            &lab.control_plane
                .kubectl(["get", "crd", name, "-o", "json"])
                .await?,
        )?;
        let found = crd["spec"]["versions"][0]["additionalPrinterColumns"]
            .as_array()
            .context("no columns")?
            .clone();
        let names = |priority: u64| -> Vec<String> {
            let of = found
                .iter()
                .filter(|column| column["priority"].as_u64().unwrap_or(0) == priority);
            of.map(|column| column["name"].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        assert_eq!(
            (names(0), names(1)),
            (
                columns.into_iter().map(str::to_owned).collect(),
                wide.into_iter().map(str::to_owned).collect()
            )
        );
    }
    // The API server publishes what it explains a moment after the kind itself.
    until("kubectl explain to know the fields", PATIENCE, async || {
        let explained = lab.control_plane.kubectl(["explain", "mailbox.spec"]).await;
        Ok(explained
            .is_ok_and(|text| text.contains("The mailbox's address. It cannot be changed.")))
    })
    .await
}

/// Every property is described; every text, list and map of a spec has a bound; the formats are ones
/// that the API server knows.
#[test]
fn schemas_are_described_and_bounded() {
    fn visit(path: &str, node: &Value, wrong: &mut Vec<String>) {
        let spec = path.contains(".spec");
        let missing = |key: &str| node.get(key).is_none();
        match node["type"].as_str() {
            Some("string")
                if spec && missing("maxLength") && missing("enum") && missing("format") =>
            {
                wrong.push(format!("{path}: no maxLength"))
            }
            Some("array") if spec && missing("maxItems") => {
                wrong.push(format!("{path}: no maxItems"))
            }
            Some("object")
                if spec && !missing("additionalProperties") && missing("maxProperties") =>
            {
                wrong.push(format!("{path}: no maxProperties"))
            }
            _ => {}
        }
        if node["format"]
            .as_str()
            .is_some_and(|format| format.starts_with("uint"))
        {
            wrong.push(format!("{path}: a format the API server does not know"));
        }
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if property["description"]
                .as_str()
                .unwrap_or_default()
                .is_empty()
            {
                wrong.push(format!("{path}: no description"));
            }
            visit(&path, property, wrong);
        }
        for key in ["items", "additionalProperties"] {
            if node[key].is_object() {
                visit(&format!("{path}.{key}"), &node[key], wrong);
            }
        }
    }
    let mut wrong = Vec::new();
    for file in gmail_operator::api::crds() {
        let crd = serde_json::to_value(&file.crd).unwrap();
        visit(
            &file.name,
            &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            &mut wrong,
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
