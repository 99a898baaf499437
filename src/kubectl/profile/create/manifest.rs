//! The profile that the flags and the base describe.

use std::path::Path;

use kube::core::ObjectMeta;
use serde_json::{Map, Value, json};

use super::client_file::{called, read_bounded};
use super::{AllowNamespaces, CreateArgs};
use crate::api::{GROUP, GmailServerProfile, GmailServerProfileSpec, VERSION};
use crate::domain::name::ObjectName;
use crate::kubectl::access::quoted;
use crate::kubectl::error::CommandError;
use crate::kubectl::page::safe;

const KIND: &str = "GmailServerProfile";
const KEY: &str = "client_secret.json";
/// The largest manifest to start from, in bytes: what etcd stores of one object.
const MAX_BASE: u64 = 1024 * 1024;

/// A manifest, its parts as others need them.
#[derive(Debug)]
pub struct Manifest {
    name: ObjectName,
    object: Value,
    spec: GmailServerProfileSpec,
    /// The Secret that it refers to.
    pub secret: String,
    /// The key in the Secret.
    pub key: String,
}

/// The manifest in `path`.
///
/// # Errors
/// Which file, and why it is none.
pub fn read_base(path: &Path) -> Result<Value, CommandError> {
    let wrong = |why: &str| CommandError::Failed(format!("--base: {} {why}", called(path)));
    let content = read_bounded(path, MAX_BASE)?;
    if content.len() as u64 > MAX_BASE {
        return Err(wrong("is larger than 1 MiB"));
    }
    let text = String::from_utf8(content).map_err(|_| wrong("is no text"))?;
    let mut documents: Vec<Value> = serde_saphyr::from_multiple(&text)
        .map_err(|error| wrong(&format!("is not YAML: {error}")))?;
    documents.retain(|document| !document.is_null());
    match documents.pop() {
        Some(document) if documents.is_empty() => {
            if document["kind"] != KIND || document["apiVersion"] != format!("{GROUP}/{VERSION}") {
                return Err(wrong(&format!("is not a {KIND} of {GROUP}/{VERSION}")));
            }
            Ok(document)
        }
        _ => Err(wrong(&format!("must have one document, a {KIND}"))),
    }
}

/// The namespace that the base names.
pub fn namespace_of(base: Option<&Value>) -> Option<String> {
    Some(base?["metadata"]["namespace"].as_str()?.to_owned())
}

impl Manifest {
    /// What `args` say, on top of `base`.
    ///
    /// # Errors
    /// Fields of the base that the kind does not have, or values that it cannot have.
    pub fn new(
        name: &ObjectName,
        base: Option<Value>,
        args: &CreateArgs,
        screen: Option<Value>,
    ) -> Result<Self, CommandError> {
        let mut object = cleaned(name, base.unwrap_or_default());
        let spec = &mut object["spec"];
        set_flags(spec, args);
        let client = &mut spec["oauthClient"];
        if !client.is_object() {
            *client = json!({});
        }
        set_consent_screen(client, args, screen)?;
        if let Some(client) = client.as_object_mut() {
            // One way to name the client: the file.
            client.remove("clientId");
            client.remove("clientSecretRef");
        }
        let named = &client["credentialsSecretRef"];
        let secret = args.secret_name.as_deref().or(named["name"].as_str());
        let secret = secret.map_or_else(|| format!("{}-oauth-client", name.name), str::to_owned);
        let key = named["key"].as_str().unwrap_or(KEY).to_owned();
        client["credentialsSecretRef"] = json!({ "name": secret, "key": key });
        Ok(Self {
            spec: typed(spec)?,
            name: name.clone(),
            object,
            secret,
            key,
        })
    }

    /// The profile's name.
    pub fn name(&self) -> &ObjectName {
        &self.name
    }

    /// As it is sent: with nothing that nobody asked for, so that it owns no defaults.
    pub fn object(&self) -> &Value {
        &self.object
    }

    /// With the defaults of the kind.
    pub fn spec(&self) -> &GmailServerProfileSpec {
        &self.spec
    }

    /// `existing` with this spec.
    pub fn over(&self, existing: &GmailServerProfile) -> GmailServerProfile {
        let mut metadata = existing.metadata.clone();
        metadata.managed_fields = None;
        let ours: ObjectMeta =
            serde_json::from_value(self.object["metadata"].clone()).unwrap_or_default();
        if let Some(labels) = ours.labels {
            metadata.labels.get_or_insert_default().extend(labels);
        }
        if let Some(annotations) = ours.annotations {
            let all = metadata.annotations.get_or_insert_default();
            all.extend(annotations);
        }
        GmailServerProfile {
            metadata,
            spec: self.spec.clone(),
            status: None,
        }
    }

    /// `object` as YAML, with the command that makes the Secret from `credentials` in the place of
    /// the Secret.
    ///
    /// # Errors
    /// None that is known: the object came from JSON.
    pub fn printed(&self, object: &Value, credentials: &Path) -> Result<String, CommandError> {
        let object = cleaned(&self.name, object.clone());
        let yaml = serde_saphyr::to_string(&object).map_err(CommandError::failed)?;
        let file = credentials.display().to_string();
        Ok(format!(
            "{}# Its Secret is not printed, since it is one. To make it:\n# kubectl create secret generic {} --namespace {} --from-file={}\n",
            yaml,
            quoted(&self.secret),
            quoted(&self.name.namespace),
            quoted(&format!("{}={}", self.key, safe(&file))),
        ))
    }
}

/// What an admin writes of an object: no status, and nothing that the API server says of it.
fn cleaned(name: &ObjectName, object: Value) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(name.name));
    metadata.insert("namespace".to_owned(), json!(name.namespace));
    for field in ["labels", "annotations"] {
        if let Some(map) = object["metadata"][field].as_object() {
            let mut map = map.clone();
            map.remove("kubectl.kubernetes.io/last-applied-configuration");
            if !map.is_empty() {
                metadata.insert(field.to_owned(), Value::Object(map));
            }
        }
    }
    let spec = Some(&object["spec"]).filter(|spec| spec.is_object());
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": KIND,
        "metadata": metadata,
        "spec": spec.cloned().unwrap_or_else(|| json!({})),
    })
}

fn set_flags(spec: &mut Value, args: &CreateArgs) {
    if args.default {
        spec["defaultForNewMailboxes"] = json!(true);
    }
    if let Some(which) = args.allow_namespaces {
        let from = match which {
            AllowNamespaces::Same => "Same",
            AllowNamespaces::All => "All",
        };
        spec["allowedNamespaces"] = json!({ "from": from });
    }
    if !args.allow_addresses.is_empty() {
        spec["allowedEmailAddresses"] = json!(args.allow_addresses);
    }
    if let Some(max) = args.max_mailboxes {
        spec["maxMailboxes"] = json!(max);
    }
    if let Some(contact) = &args.contact {
        spec["contact"] = json!(contact);
    }
}

fn set_consent_screen(
    client: &mut Value,
    args: &CreateArgs,
    screen: Option<Value>,
) -> Result<(), CommandError> {
    let base = client["consentScreen"].clone();
    match screen {
        Some(mut screen) => {
            if let Some(name) = base.get("appName") {
                screen["appName"] = name.clone();
            }
            // Test users belong to Testing; the base may have been written for it.
            if let Some(users) = base.get("testUsers")
                && screen["publishingStatus"] == "Testing"
            {
                screen["testUsers"] = users.clone();
            }
            client["consentScreen"] = screen;
        }
        None if base.is_null() => {
            return Err(CommandError::Usage(
                "--user-type is needed, since --base has no spec.oauthClient.consentScreen"
                    .to_owned(),
            ));
        }
        None => {}
    }
    if let Some(name) = &args.app_name {
        client["consentScreen"]["appName"] = json!(name);
    }
    Ok(())
}

fn typed(spec: &Value) -> Result<GmailServerProfileSpec, CommandError> {
    let mut unknown = Vec::new();
    let typed = serde_ignored::deserialize(spec.clone(), |path| unknown.push(path.to_string()));
    if !unknown.is_empty() {
        // The path of an optional field has a "?" for each of its options.
        let names = unknown
            .iter()
            .map(|path| format!("spec.{}", path.replace("?.", "").replace(".?", "")));
        return Err(CommandError::Failed(format!(
            "--base: a {KIND} has no {}: see `kubectl explain gmailserverprofile.spec`",
            names.collect::<Vec<_>>().join(" and no ")
        )));
    }
    typed.map_err(|error| {
        CommandError::Failed(format!("--base: its spec is not that of a {KIND}: {error}"))
    })
}

/// As the kind's own rule has it.
pub fn address_pattern(text: &str) -> Result<String, String> {
    let fits = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !local.contains(char::is_whitespace)
            && !domain.is_empty()
            && domain
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
    });
    if fits {
        Ok(text.to_owned())
    } else {
        Err("give an address such as ann@example.com, or *@example.com; '*' may stand before the '@' only".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::api::{NamespacesFrom, UserType};

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: CreateArgs,
    }

    fn args(flags: &[&str]) -> CreateArgs {
        let words = ["x", "google", "--credentials", "c.json"];
        let words = words.iter().chain(flags).map(ToString::to_string);
        Only::try_parse_from(words)
            .unwrap_or_else(|error| panic!("{error}"))
            .args
    }

    fn manifest(base: Option<Value>, flags: &[&str]) -> Result<Manifest, String> {
        let args = args(flags);
        let name = ObjectName::new("mail", "google");
        super::super::consent::check(args.user_type, args.publishing_status, args.verified)
            .and_then(|screen| Manifest::new(&name, base, &args, screen))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_flags_become_a_spec_and_nothing_else() {
        let made = manifest(
            None,
            &[
                "--user-type",
                "internal",
                "--default",
                "--allow-namespaces",
                "all",
                "--allow-address",
                "*@example.com",
                "--max-mailboxes",
                "5",
                "--contact",
                "it@example.com",
                "--app-name",
                "Acme",
            ],
        );
        let made = made.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            made.object()["spec"],
            json!({
                "defaultForNewMailboxes": true,
                "allowedNamespaces": { "from": "All" },
                "allowedEmailAddresses": ["*@example.com"],
                "maxMailboxes": 5,
                "contact": "it@example.com",
                "oauthClient": {
                    "consentScreen": { "userType": "Internal", "appName": "Acme" },
                    "credentialsSecretRef": { "name": "google-oauth-client", "key": "client_secret.json" },
                },
            })
        );
        assert_eq!(made.spec().servers.imap.host.0, "imap.gmail.com");
    }

    #[test]
    fn a_base_is_kept_where_no_flag_goes_before_it() {
        let base = json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "GmailServerProfile",
            "metadata": { "name": "other", "namespace": "other", "uid": "u", "labels": { "a": "b" }, "managedFields": [] },
            "spec": {
                "suspend": true,
                "allowedNamespaces": { "from": "Selector", "selector": { "matchLabels": { "mail": "yes" } } },
                "oauthClient": {
                    "clientId": "1-a", "clientSecretRef": { "name": "s", "key": "k" },
                    "consentScreen": { "userType": "External", "publishingStatus": "Testing", "appName": "Acme", "testUsers": ["ann@example.com"] },
                },
            },
            "status": { "conditions": [] },
        });
        assert_eq!(namespace_of(Some(&base)).as_deref(), Some("other"));
        let made = manifest(
            Some(base.clone()),
            &["--secret-name", "mine", "--base", "b.yaml"],
        );
        let made = made.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            made.object()["metadata"],
            json!({ "name": "google", "namespace": "mail", "labels": { "a": "b" } })
        );
        assert!(made.object().get("status").is_none() && made.spec().suspend);
        assert_eq!(
            made.spec().allowed_namespaces.from,
            NamespacesFrom::Selector
        );
        let client = made.spec().oauth_client.clone().unwrap_or_default();
        assert!(client.client_id.is_none() && client.client_secret_ref.is_none());
        assert!(
            client
                .consent_screen
                .is_some_and(|screen| screen.test_users.is_some())
        );
        // Now Internal: nothing of Testing stays.
        let made = manifest(Some(base), &["--user-type", "internal"]);
        let client = made
            .unwrap_or_else(|error| panic!("{error}"))
            .spec()
            .oauth_client
            .clone();
        let screen = client.and_then(|client| client.consent_screen);
        assert!(
            screen.is_some_and(|screen| screen.user_type == UserType::Internal
                && screen.test_users.is_none()
                && screen.app_name.as_deref() == Some("Acme"))
        );
    }

    #[test]
    fn a_misspelt_field_is_named() {
        let base = |spec: Value| Some(json!({ "spec": spec }));
        let said = manifest(
            base(json!({ "processing": { "minPollingIntervall": "1m" } })),
            &["--user-type", "internal"],
        );
        assert!(
            said.as_ref()
                .is_err_and(|said| said.contains("spec.processing.minPollingIntervall")),
            "{said:?}"
        );
        let said = manifest(
            base(json!({ "oauthClient": { "endpoint": {} } })),
            &["--user-type", "internal"],
        );
        assert!(
            said.as_ref()
                .is_err_and(|said| said.contains("spec.oauthClient.endpoint:")),
            "{said:?}"
        );
        let said = manifest(
            base(json!({ "suspend": "yes" })),
            &["--user-type", "internal"],
        );
        assert!(
            said.as_ref().is_err_and(|said| said.contains("boolean")),
            "{said:?}"
        );
    }

    #[test]
    fn what_is_printed_has_no_secret() {
        let made = manifest(None, &["--user-type", "internal"]);
        let made = made.unwrap_or_else(|error| panic!("{error}"));
        let text = made.printed(made.object(), Path::new("my file.json"));
        let text = text.unwrap_or_else(|error| panic!("{error}"));
        assert!(text.contains("userType: Internal"), "{text}");
        assert!(text.contains("# kubectl create secret generic google-oauth-client --namespace mail --from-file='client_secret.json=my file.json'\n"), "{text}");
    }

    #[test]
    fn patterns_are_checked_here() {
        for (pattern, good) in [
            ("*@example.com", true),
            ("ann@example.com", true),
            ("*", false),
            ("ann@*", false),
            ("@a.b", false),
        ] {
            assert_eq!(address_pattern(pattern).is_ok(), good, "{pattern}");
        }
    }
}
