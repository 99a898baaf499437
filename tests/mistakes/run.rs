//! Runs rows: each does what it says on a real API server with a real operator, and waits until the
//! status says what it should.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use futures::future::join_all;
use gmail_operator::api::GmailServerProfile;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams,
    ValidationDirective,
};
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::place::Place;
use super::{Draft, Registered, Row, Says, table};
use crate::lab::operator::{PATIENCE, Site};

/// Runs all rows of a place at once, and tells of all that went wrong.
pub async fn all_at(place: Place) -> Result<()> {
    let site = place.open().await?;
    let rows: Vec<Row> = table()
        .into_iter()
        .filter(|row| row.place == place)
        .collect();
    ensure!(!rows.is_empty(), "no row is at {place:?}");
    let ran = join_all(rows.iter().map(|row| run(&site, row))).await;
    let wrong: Vec<String> = rows
        .iter()
        .zip(ran)
        .filter_map(|(row, ran)| Some(format!("{}: {:#}", row.name, ran.err()?)))
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} of {} rows:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
    Ok(())
}

async fn run(site: &Site, row: &Row) -> Result<()> {
    let mut draft = right(site, row.name);
    for (at, (does, says)) in row.steps.iter().enumerate() {
        does(&mut draft);
        let applied = apply(site, &draft).await;
        let refused = says.iter().find_map(|says| match says {
            Says::Refused(words) => Some(words),
            Says::Condition { .. } => None,
        });
        match (applied, refused) {
            (Ok(()), None) => until(site, &draft, says)
                .await
                .with_context(|| format!("step {at}"))?,
            (Err(error), Some(words)) => {
                let said = format!("{error:#}");
                ensure!(said.contains(words), "refused with {said}");
            }
            (Ok(()), Some(_)) => bail!("the API server takes it"),
            (Err(error), None) => return Err(error),
        }
    }
    Ok(())
}

/// Everything as it should be.
fn right(site: &Site, name: &str) -> Draft {
    let project = site.client_id.split('-').next().unwrap_or_default();
    let mut profile = site.profile_manifest(name, site.ports());
    profile["spec"]["defaultForNewMailboxes"] = json!(false);
    profile["spec"]["oauthClient"]["credentialsSecretRef"]["name"] = json!(name);
    let uri = match site.public_url.as_str() {
        "" => String::new(),
        url => format!("{url}/oauth2/callback"),
    };
    let mut draft = Draft {
        profile,
        secret: None,
        client: Registered::Well,
        fault: None,
        beside: Vec::new(),
        name: name.to_owned(),
        namespace: site.tenant.clone(),
        id: format!("{project}-{name}.apps.googleusercontent.com"),
        client_secret: format!("GOCSPX-{name}-lab-secret"),
        uri,
        google: site.lab.google.issuer(),
    };
    draft.put(draft.file().to_string());
    draft
}

impl Draft {
    /// What Google's console downloads.
    pub fn file(&self) -> Value {
        json!({ "web": {
            "client_id": self.id,
            "project_id": "acme-mail",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "client_secret": self.client_secret,
            "redirect_uris": [self.uri],
        }})
    }

    /// The Secret has this under the key that the profile names.
    pub fn put(&mut self, value: impl Into<Vec<u8>>) {
        self.secret = Some(BTreeMap::from([(
            "client_secret.json".to_owned(),
            value.into(),
        )]));
    }

    /// The Secret has the downloaded file with a change.
    pub fn edit(&mut self, change: impl FnOnce(&mut Value)) {
        let mut file = self.file();
        change(&mut file);
        self.put(file.to_string());
    }

    /// The profile names `id`, and the Secret has `secret` alone.
    pub fn pair(&mut self, id: &str, secret: impl Into<Vec<u8>>) {
        let secret_ref = json!({ "name": self.name, "key": "client_secret.json" });
        let client = self.oauth();
        client["credentialsSecretRef"].take();
        client["clientId"] = json!(id);
        client["clientSecretRef"] = secret_ref;
        self.put(secret);
    }

    /// `spec` of the profile.
    pub fn spec(&mut self) -> &mut Value {
        &mut self.profile["spec"]
    }

    /// `spec.oauthClient` of the profile.
    pub fn oauth(&mut self) -> &mut Value {
        &mut self.profile["spec"]["oauthClient"]
    }

    /// The profile uses Google itself, and the operator has nothing yet to ask Google about.
    pub fn of_google(&mut self) {
        self.oauth()["endpoints"].take();
        self.spec()["servers"].take();
    }

    /// The token endpoint answers this to the client.
    pub fn answer(&mut self, status: u16, error: &str, description: &str) {
        let body = json!({ "error": error, "error_description": description });
        self.fault = Some((status, body));
    }

    fn fill(&self, words: &str) -> String {
        words
            .replace("{name}", &self.name)
            .replace("{namespace}", &self.namespace)
            .replace("{id}", &self.id)
            .replace("{uri}", &self.uri)
            .replace("{google}", self.google.trim_start_matches("https://"))
    }
}

async fn apply(site: &Site, draft: &Draft) -> Result<()> {
    let google = &site.lab.google;
    if draft.client != Registered::Never {
        let uris: Vec<&str> = Some(draft.uri.as_str())
            .filter(|uri| !uri.is_empty())
            .into_iter()
            .collect();
        google
            .put_client(&draft.id, &draft.client_secret, &uris)
            .await?;
    }
    if draft.client == Registered::Deleted {
        google.delete_client(&draft.id).await?;
    }
    match &draft.fault {
        Some((status, body)) => google.set_fault(&draft.id, *status, body.clone()).await?,
        None => google.clear_fault(&draft.id).await?,
    }
    let secrets: Api<Secret> = Api::namespaced(site.client.clone(), &site.tenant);
    match &draft.secret {
        None => {
            let gone = secrets.delete(&draft.name, &DeleteParams::default()).await;
            ensure!(
                gone.is_ok()
                    || gone.is_err_and(
                        |error| matches!(error, kube::Error::Api(status) if status.code == 404)
                    ),
                "the Secret stays"
            );
        }
        Some(keys) => {
            let data: BTreeMap<_, _> = keys
                .iter()
                .map(|(key, value)| (key, ByteString(value.clone())))
                .collect();
            let secret = json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": { "name": draft.name }, "data": data,
            });
            secrets
                .patch(&draft.name, &as_admin(), &Patch::Apply(secret))
                .await?;
        }
    }
    for object in draft.beside.iter().chain([&draft.profile]) {
        put(site, object).await?;
    }
    Ok(())
}

fn as_admin() -> PatchParams {
    PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("admin").force()
    }
}

/// As `kubectl apply --server-side` does, without a process for each.
async fn put(site: &Site, manifest: &Value) -> Result<()> {
    let mut manifest = manifest.clone();
    drop_nulls(&mut manifest);
    let object: DynamicObject = serde_json::from_value(manifest.clone())?;
    let kind = GroupVersionKind::try_from(object.types.as_ref().context("no kind")?)?;
    let resource = match kind.kind.as_str() {
        "Mailbox" => ApiResource::from_gvk_with_plural(&kind, "mailboxes"),
        _ => ApiResource::from_gvk(&kind),
    };
    let api: Api<DynamicObject> = match object.namespace() {
        Some(namespace) => Api::namespaced_with(site.client.clone(), &namespace, &resource),
        None => Api::all_with(site.client.clone(), &resource),
    };
    let name = object.name_any();
    api.patch(&name, &as_admin(), &Patch::Apply(manifest))
        .await?;
    Ok(())
}

/// A field that a row took away is not there, rather than null.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

async fn until(site: &Site, draft: &Draft, says: &[Says]) -> Result<()> {
    let all = |profile: Option<&GmailServerProfile>| {
        profile.is_some_and(|profile| says.iter().all(|says| holds(profile, draft, says).is_ok()))
    };
    let waited = tokio::time::timeout(PATIENCE, await_condition(site.profiles(), &draft.name, all));
    let profile = match waited.await {
        Ok(found) => found?.context("there is no profile")?,
        Err(_) => {
            let profile = site.profiles().get(&draft.name).await?;
            for says in says {
                holds(&profile, draft, says)?;
            }
            bail!("it took too long");
        }
    };
    let status = serde_json::to_string(&profile.status)?;
    ensure!(
        !status.contains(&draft.client_secret["GOCSPX-".len()..]),
        "the secret is in {status}"
    );
    Ok(())
}

/// Whether the profile says so of its present generation; the error tells what it says.
fn holds(profile: &GmailServerProfile, draft: &Draft, says: &Says) -> Result<()> {
    let Says::Condition {
        condition,
        status,
        reason,
        words,
    } = says
    else {
        return Ok(());
    };
    let conditions = profile.status.iter().flat_map(|status| &status.conditions);
    let found = conditions.into_iter().find(|c| c.type_ == condition.name());
    let found = found.context("no such condition")?;
    let fits = found.observed_generation == profile.metadata.generation
        && found.status == *status
        && found.reason == reason.name();
    let said = format!(
        "{} is {}/{}: {}",
        found.type_, found.status, found.reason, found.message
    );
    ensure!(fits, "not {status}/{reason}: {said}");
    // A person who reads it must be told what to do, and who does it.
    let cure = Some(reason.cure().to_owned()).filter(|_| *status != "True");
    let expected = words.iter().map(|words| draft.fill(words)).chain(cure);
    for words in expected {
        ensure!(found.message.contains(&words), "not {words:?}: {said}");
    }
    Ok(())
}
