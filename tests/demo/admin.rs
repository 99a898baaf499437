//! What the admins do: install `deploy/`, make the OAuth client, apply the samples.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::lab::operator::CLIENT_SECRET;

/// The namespaces and the profile of `deploy/samples`.
pub const PLATFORM_NAMESPACE: &str = "mail";
pub const APP_NAMESPACE: &str = "crm";
pub const PROFILE: &str = "google";

/// The OAuth client of that profile.
pub const CLIENT_ID: &str = "123456789012-demo.apps.googleusercontent.com";

/// Installs what `kubectl apply -k deploy` does, but for what makes pods: no node would run them.
pub async fn install(lab: &Lab) -> Result<()> {
    let kubectl = &lab.control_plane;
    let deploy = folder("deploy")?;
    let all = kubectl.kubectl(["kustomize", &deploy]);
    let mut objects = parse(&all.await?)?;
    objects.retain(|object| object["kind"] != "Deployment" && object["kind"] != "Service");
    apply(lab, &objects).await?;
    let kinds = ["wait", "--for=condition=Established", "--timeout=60s"];
    let kinds = kinds.into_iter().chain(["crd", "--all"]);
    kubectl.kubectl(kinds).await?;
    Ok(())
}

/// Does what an admin does in Google's console, and returns the file that the console then offers for download.
pub async fn register_client(lab: &Lab, public_url: &str) -> Result<Value> {
    let callback = format!("{public_url}/oauth2/callback");
    let google = &lab.google;
    google
        .put_client(CLIENT_ID, CLIENT_SECRET, &[&callback])
        .await?;
    Ok(json!({ "web": {
        "client_id": CLIENT_ID,
        "project_id": "demo",
        "auth_uri": google.authorization_url(),
        "token_uri": google.token_url(),
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [callback],
        "javascript_origins": [public_url],
    }}))
}

/// Applies `deploy/samples`, with the Secret that the profile asks for and the lab's servers in the place of Google's.
pub async fn apply_samples(lab: &Lab, client_file: &Value) -> Result<()> {
    let samples = folder("deploy/samples")?;
    let samples = lab.control_plane.kubectl(["kustomize", &samples]).await?;
    let mut samples = parse(&samples)?;
    let profile = samples
        .iter_mut()
        .find(|object| object["kind"] == "GmailServerProfile")
        .context("deploy/samples has no profile")?;
    let secret = client_secret(profile, client_file);
    point_at_stand_ins(profile, lab);
    let (mut objects, others): (Vec<_>, Vec<_>) = samples
        .into_iter()
        .partition(|object| object["kind"] == "Namespace");
    objects.push(secret);
    objects.extend(others);
    apply(lab, &objects).await
}

fn client_secret(profile: &Value, client_file: &Value) -> Value {
    let wanted = &profile["spec"]["oauthClient"]["credentialsSecretRef"];
    let key = wanted["key"].as_str().unwrap_or("client_secret.json");
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": wanted["name"], "namespace": profile["metadata"]["namespace"] },
        "stringData": { key: client_file.to_string() },
    })
}

/// The lab's servers in the place of Google's.
pub fn point_at_stand_ins(profile: &mut Value, lab: &Lab) {
    let (google, mail) = (&lab.google, &lab.mail);
    let spec = &mut profile["spec"];
    spec["caBundle"] = lab.tls.ca_pem.clone().into();
    spec["oauthClient"]["endpoints"] = json!({
        "issuer": google.issuer(),
        "authorization": google.authorization_url(),
        "token": google.token_url(),
        "revocation": google.revocation_url(),
        "jwks": google.jwks_url(),
    });
    spec["servers"] = json!({
        "imap": { "host": lab.place.name, "port": mail.imap_port },
        "pop3": { "host": lab.place.name, "port": mail.pop3_port },
        "smtp": { "host": lab.place.name, "port": mail.smtps_port, "security": "TLS" },
    });
}

async fn apply(lab: &Lab, objects: &[Value]) -> Result<()> {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let apply = ["apply", "--server-side", "-f", "-"];
    lab.control_plane
        .kubectl_with_input(apply, &list.to_string())
        .await
        .map(drop)
}

fn parse(manifests: &str) -> Result<Vec<Value>> {
    serde_saphyr::from_multiple(manifests).context("kustomize has written no YAML")
}

/// A folder of the repository; says so where it is missing, which kustomize does at length.
fn folder(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::metadata(&path).with_context(|| format!("there is no {name}"))?;
    Ok(path.display().to_string())
}
