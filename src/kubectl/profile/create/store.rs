//! What is there already, and what is written.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams, PostParams, ValidationDirective};
use kube::core::ObjectMeta;
use kube::{Api, Client};
use serde_json::Value;

use super::client_file::ClientFile;
use super::manifest::Manifest;
use crate::api::GmailServerProfile;
use crate::cluster::{ClusterError, call};
use crate::domain::name::ObjectName;
use crate::domain::oauth_client::OAuthClient;
use crate::kubectl::error::CommandError;
use crate::kubectl::output::Progress;
use crate::kubectl::profile::read;

/// The plugin's field manager.
const PLUGIN: &str = "kubectl-gmail";
/// How much of a value is shown, in characters.
const SHOWN: usize = 60;

/// What becomes of one object.
#[derive(Clone, Debug, PartialEq)]
enum Change<K> {
    /// It is not there.
    Create,
    /// It says the same.
    Keep,
    /// It says something else, and may be replaced.
    Replace(K),
}

impl<K> Change<K> {
    /// What is said of it when it is done.
    fn done(&self) -> &'static str {
        match self {
            Change::Create => "created",
            Change::Keep => "unchanged",
            Change::Replace(_) => "replaced",
        }
    }
}

/// What becomes of both.
#[derive(Debug)]
pub struct Plan {
    secret: Change<Secret>,
    profile: Change<GmailServerProfile>,
    differences: Vec<String>,
    conditions: Vec<Condition>,
}

/// What was done.
#[derive(Debug)]
pub struct Stored {
    /// The generation of the profile's spec.
    pub generation: i64,
    /// What is said of the profile's old credentials, where only they were changed: it stands in the
    /// status until the operator looks at the Secret again.
    pub stale: Option<Vec<Condition>>,
}

/// Compares with what is there.
///
/// # Errors
/// Something else is there, and may not be replaced; or the API server's answer.
pub async fn plan(
    client: &Client,
    manifest: &Manifest,
    file: &ClientFile,
    replace: bool,
) -> Result<Plan, CommandError> {
    let existing = read(client, manifest.name()).await?;
    let secret = read_secret(client, manifest).await?;
    let mut differences = Vec::new();
    if let Some(secret) = &secret
        && let Some(difference) = of_secret(secret, manifest, file)
    {
        differences.push(difference);
    }
    if let Some(existing) = &existing {
        differences.extend(of_profile(existing, manifest)?);
    }
    if !differences.is_empty() && !replace {
        return Err(CommandError::Failed(format!(
            "not overwritten, since it is there already and says something else:\n  - {}\nNothing was changed. Add --replace to overwrite it, or choose another name.",
            differences.join("\n  - ")
        )));
    }
    let conditions = existing
        .as_ref()
        .and_then(|profile| profile.status.as_ref());
    Ok(Plan {
        differences,
        conditions: conditions
            .map(|status| status.conditions.clone())
            .unwrap_or_default(),
        secret: match secret {
            None => Change::Create,
            Some(secret) if of_secret(&secret, manifest, file).is_none() => Change::Keep,
            Some(secret) => Change::Replace(secret),
        },
        profile: match existing {
            None => Change::Create,
            Some(profile) if profile.spec == *manifest.spec() => Change::Keep,
            Some(profile) => Change::Replace(profile),
        },
    })
}

impl Plan {
    /// Lets the API server check both objects, and returns the profile as it would be stored.
    ///
    /// # Errors
    /// What the API server has against them.
    pub async fn check(
        &self,
        client: &Client,
        manifest: &Manifest,
        file: &ClientFile,
    ) -> Result<Value, CommandError> {
        write_secret(client, manifest, file, &self.secret, true).await?;
        let checked = write_profile(client, manifest, &self.profile, true).await?;
        serde_json::to_value(checked).map_err(CommandError::failed)
    }

    /// Writes them, the Secret first: the operator then finds it at its first look at the profile.
    ///
    /// # Errors
    /// The API server's answer.
    pub async fn carry_out(
        self,
        client: &Client,
        manifest: &Manifest,
        file: &ClientFile,
        progress: &Progress,
    ) -> Result<Stored, CommandError> {
        let secret = ObjectName::new(&manifest.name().namespace, &manifest.secret);
        for difference in &self.differences {
            progress.done(&format!("Replacing: {difference}"));
        }
        write_secret(client, manifest, file, &self.secret, false).await?;
        progress.done(&format!("Secret {secret} {}", self.secret.done()));
        let profile = write_profile(client, manifest, &self.profile, false).await?;
        let name = manifest.name();
        progress.done(&format!(
            "GmailServerProfile {name} {}",
            self.profile.done()
        ));
        let only_secret = self.profile == Change::Keep && self.secret != Change::Keep;
        Ok(Stored {
            generation: profile.metadata.generation.unwrap_or_default(),
            stale: only_secret.then_some(self.conditions),
        })
    }
}

async fn read_secret(client: &Client, manifest: &Manifest) -> Result<Option<Secret>, ClusterError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), &manifest.name().namespace);
    let doing = || {
        format!(
            "reading the Secret {}/{}",
            manifest.name().namespace,
            manifest.secret
        )
    };
    match call(doing, api.get(&manifest.secret)).await {
        Ok(secret) => Ok(Some(secret)),
        Err(error) if error.names_missing_object() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn write_secret(
    client: &Client,
    manifest: &Manifest,
    file: &ClientFile,
    change: &Change<Secret>,
    dry_run: bool,
) -> Result<(), ClusterError> {
    let name = &manifest.secret;
    let namespace = &manifest.name().namespace;
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let value = ByteString(file.bytes().to_vec());
    let doing = || format!("writing the Secret {namespace}/{name}");
    match change {
        Change::Keep => Ok(()),
        Change::Create => {
            let secret = Secret {
                metadata: ObjectMeta {
                    name: Some(name.clone()),
                    namespace: Some(namespace.clone()),
                    ..ObjectMeta::default()
                },
                type_: Some("Opaque".to_owned()),
                data: Some(BTreeMap::from([(manifest.key.clone(), value)])),
                ..Secret::default()
            };
            let patch = Patch::Apply(&secret);
            call(doing, api.patch(name, &apply(dry_run), &patch))
                .await
                .map(drop)
        }
        Change::Replace(existing) => {
            let mut secret = existing.clone();
            secret.metadata.managed_fields = None;
            let data = secret.data.get_or_insert_default();
            data.insert(manifest.key.clone(), value);
            call(doing, api.replace(name, &put(dry_run), &secret))
                .await
                .map(drop)
        }
    }
}

async fn write_profile(
    client: &Client,
    manifest: &Manifest,
    change: &Change<GmailServerProfile>,
    dry_run: bool,
) -> Result<GmailServerProfile, ClusterError> {
    let name = manifest.name();
    let api: Api<GmailServerProfile> = Api::namespaced(client.clone(), &name.namespace);
    let doing = || format!("writing the GmailServerProfile {name}");
    match change {
        Change::Keep => call(doing, api.get(&name.name)).await,
        Change::Create => {
            let patch = Patch::Apply(manifest.object());
            call(doing, api.patch(&name.name, &apply(dry_run), &patch)).await
        }
        Change::Replace(existing) => {
            // The resourceVersion of what was compared goes with it.
            let profile = manifest.over(existing);
            call(doing, api.replace(&name.name, &put(dry_run), &profile)).await
        }
    }
}

/// Without force: what somebody else made in the meantime is a conflict, not ours to take.
fn apply(dry_run: bool) -> PatchParams {
    let params = PatchParams {
        dry_run,
        ..PatchParams::apply(PLUGIN)
    };
    PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..params
    }
}

fn put(dry_run: bool) -> PostParams {
    PostParams {
        dry_run,
        field_manager: Some(PLUGIN.to_owned()),
    }
}

/// How a Secret differs from the file, without either's secret.
fn of_secret(secret: &Secret, manifest: &Manifest, file: &ClientFile) -> Option<String> {
    let name = format!(
        "the Secret {}/{}",
        manifest.name().namespace,
        manifest.secret
    );
    let key = &manifest.key;
    let value = secret.data.as_ref().and_then(|data| data.get(key));
    let Some(ByteString(value)) = value else {
        return Some(format!("{name} has no key {key}"));
    };
    if value == file.bytes() {
        return None;
    }
    Some(match OAuthClient::from_json(value) {
        Ok(client) if client.id == file.client.id && client.secret == file.client.secret => {
            format!("{name} holds another download of the same client and secret")
        }
        Ok(client) if client.id == file.client.id => {
            format!(
                "{name} holds another secret of the same client {}",
                client.id
            )
        }
        Ok(client) => format!(
            "{name} holds the client {}, the file the client {}",
            client.id, file.client.id
        ),
        Err(bad) => format!("{name} holds something else under {key}: {bad}"),
    })
}

/// The fields of the spec that differ.
fn of_profile(
    existing: &GmailServerProfile,
    manifest: &Manifest,
) -> Result<Option<String>, CommandError> {
    if existing.spec == *manifest.spec() {
        return Ok(None);
    }
    let now = serde_json::to_value(&existing.spec).map_err(CommandError::failed)?;
    let wanted = serde_json::to_value(manifest.spec()).map_err(CommandError::failed)?;
    let mut fields = Vec::new();
    differing("spec", &now, &wanted, &mut fields);
    Ok(Some(format!(
        "the GmailServerProfile {} has {}",
        manifest.name(),
        fields.join(", ")
    )))
}

fn differing(path: &str, now: &Value, wanted: &Value, fields: &mut Vec<String>) {
    match (now, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let (a, b) = (a.get(key), b.get(key));
                let null = Value::Null;
                let path = format!("{path}.{key}");
                differing(&path, a.unwrap_or(&null), b.unwrap_or(&null), fields);
            }
        }
        (a, b) if a == b => {}
        (a, b) => fields.push(format!("{path} {} (wanted: {})", short(a), short(b))),
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => return "unset".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_named_and_shortly() {
        let mut fields = Vec::new();
        differing(
            "spec",
            &json!({ "a": { "b": 1, "c": "x" }, "ca": "p".repeat(500), "same": [1] }),
            &json!({ "a": { "b": 2 }, "same": [1], "new": true }),
            &mut fields,
        );
        assert_eq!(fields.len(), 4);
        assert_eq!(fields[0], "spec.a.b 1 (wanted: 2)");
        assert_eq!(fields[1], "spec.a.c \"x\" (wanted: unset)");
        assert!(
            fields[2].starts_with("spec.ca \"ppp") && fields[2].len() < 110,
            "{}",
            fields[2]
        );
        assert_eq!(fields[3], "spec.new unset (wanted: true)");
    }
}
