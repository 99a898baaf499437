//! Where this installation is reached from a browser.

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};

use crate::api::GmailServerProfile;
use crate::cluster::{ClusterError, call};
use crate::domain::console::{FORWARDED_PORT, PublicUrl};
use crate::kubectl::access::AccessFlags;
use crate::kubectl::error::{CommandError, in_words};
use crate::kubectl::operator::OPERATOR_LABEL;

const FLAG: &str = "--public-url";
const PORT_FLAG: &str = "--forwarded-port";
/// At most so many profiles are looked at.
const PROFILES: u32 = 500;

/// Where it is reached, and who says so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Installation {
    /// Where browsers reach the operator.
    pub url: PublicUrl,
    /// Who says so.
    pub source: Source,
    /// Profiles that say otherwise, as they do where a cluster has several operators.
    pub others: Vec<String>,
}

/// Who says where the operator is reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// The flag --public-url.
    Flag,
    /// The status of this GmailServerProfile, as namespace/name.
    Profile(String),
    /// The arguments of this Deployment, as namespace/name.
    Deployment(String),
    /// This Deployment, which has no --public-url among its arguments.
    NoFlag(String),
}

/// Asks the cluster.
///
/// # Errors
/// What was tried and what to do, where nothing says it.
pub async fn found(
    access: &AccessFlags,
    namespace: &str,
    operator_namespace: &str,
) -> Result<Installation, CommandError> {
    let client = access.client().await?;
    let mut tried = Vec::new();
    match of_profiles(&client, namespace).await {
        Ok(profiles) => match from_profiles(&profiles, namespace) {
            Some(installation) => return Ok(installation),
            None => tried.push(without_address(profiles.len())),
        },
        Err(error) => tried.push(in_words(&error)),
    }
    match of_deployments(&client, operator_namespace).await {
        Ok(deployments) => match from_deployments(&deployments) {
            Ok(installation) => return Ok(installation),
            Err(why) => tried.push(format!(
                "Deployments with the label {OPERATOR_LABEL} in the namespace {operator_namespace}: {why}"
            )),
        },
        Err(error) => tried.push(in_words(&error)),
    }
    Err(CommandError::Failed(nothing_found(&tried)))
}

fn without_address(profiles: usize) -> String {
    match profiles {
        0 => "GmailServerProfiles: there is none yet".to_owned(),
        n => format!(
            "GmailServerProfiles: {n} found, none with a redirect URI in its status, so the operator does not run"
        ),
    }
}

fn nothing_found(tried: &[String]) -> String {
    let mut text =
        "it cannot be found out where browsers reach the operator of this cluster. Tried:"
            .to_owned();
    for line in tried {
        text.push_str(&format!("\n  - {line}"));
    }
    text.push_str(
        "\nGive the address yourself with --public-url https://…, and start the operator with the same. \
         If it runs in another namespace, give that with --operator-namespace.",
    );
    text
}

/// Those of all namespaces, or of one's own where that is all one may see.
async fn of_profiles(
    client: &Client,
    namespace: &str,
) -> Result<Vec<GmailServerProfile>, ClusterError> {
    let params = ListParams::default().limit(PROFILES);
    let all: Api<GmailServerProfile> = Api::all(client.clone());
    let listed = call(
        || "listing the GmailServerProfiles of all namespaces".to_owned(),
        all.list(&params),
    )
    .await;
    match listed {
        Ok(list) => Ok(list.items),
        Err(error) if error.is_forbidden() => {
            let own: Api<GmailServerProfile> = Api::namespaced(client.clone(), namespace);
            let list = call(
                || format!("listing the GmailServerProfiles of the namespace {namespace}"),
                own.list(&params),
            );
            Ok(list.await?.items)
        }
        Err(error) => Err(error),
    }
}

async fn of_deployments(client: &Client, namespace: &str) -> Result<Vec<Deployment>, ClusterError> {
    let api: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let params = ListParams::default().labels(OPERATOR_LABEL);
    let list = call(
        || format!("listing the Deployments of the namespace {namespace}"),
        api.list(&params),
    );
    Ok(list.await?.items)
}

/// What most of the profiles say, those of one's own namespace first.
fn from_profiles(profiles: &[GmailServerProfile], namespace: &str) -> Option<Installation> {
    let mut said: Vec<(bool, String, PublicUrl)> = profiles
        .iter()
        .filter_map(|profile| {
            let client = profile.status.as_ref()?.oauth_client.as_ref()?;
            let url = PublicUrl::of_redirect_uri(client.redirect_uris.first()?)?;
            let place = profile.namespace().unwrap_or_default();
            let name = format!("{place}/{}", profile.name_any());
            Some((place != namespace, name, url))
        })
        .collect();
    said.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let (_, name, url) = said.first().cloned()?;
    let others = said.iter().filter(|(_, _, other)| *other != url);
    Some(Installation {
        others: others
            .map(|(_, name, other)| format!("{name} ({other})"))
            .collect(),
        url,
        source: Source::Profile(name),
    })
}

fn from_deployments(deployments: &[Deployment]) -> Result<Installation, String> {
    let Some(first) = deployments.first() else {
        return Err("there is none".to_owned());
    };
    let name = |deployment: &Deployment| {
        let namespace = deployment.namespace().unwrap_or_default();
        format!("{namespace}/{}", deployment.name_any())
    };
    let with_flag = deployments
        .iter()
        .find_map(|deployment| Some((deployment, argument(deployment, FLAG)?)));
    let (deployment, url, source) = match with_flag {
        Some((deployment, text)) => {
            let url = text.parse().map_err(|bad| (FLAG, text, bad));
            (deployment, url, Source::Deployment(name(deployment)))
        }
        // Then a port-forward leads to it, and to nothing else.
        None => {
            let port = deployments.iter().find_map(|d| argument(d, PORT_FLAG));
            let port = port.unwrap_or(FORWARDED_PORT);
            let url = PublicUrl::forwarded(port).map_err(|bad| (PORT_FLAG, port, bad));
            (first, url, Source::NoFlag(name(first)))
        }
    };
    match url {
        Ok(url) => Ok(Installation {
            url,
            source,
            others: Vec::new(),
        }),
        Err((flag, text, bad)) => Err(format!("{} has {flag}={text}, but {bad}", name(deployment))),
    }
}

/// The value of `flag`, written as one argument or as two; the last one counts.
fn argument<'a>(deployment: &'a Deployment, flag: &str) -> Option<&'a str> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    pod.containers.iter().find_map(|container| {
        let words: Vec<&str> = container
            .command
            .iter()
            .chain(&container.args)
            .flatten()
            .map(String::as_str)
            .collect();
        let pairs = words
            .iter()
            .zip(words.iter().skip(1).map(Some).chain([None]));
        pairs
            .filter_map(|(word, next)| match word.strip_prefix(flag)? {
                "" => next.copied(),
                value => value.strip_prefix('='),
            })
            .last()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(args: serde_json::Value) -> Deployment {
        serde_json::from_value(json!({
            "metadata": { "name": "gmail-operator", "namespace": "op" },
            "spec": { "selector": {}, "template": { "spec": { "containers": [
                { "name": "sidecar", "args": ["--listen", "x"] },
                { "name": "gmail-operator", "command": ["/gmail-operator"], "args": args },
            ] } } },
        }))
        .unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_deployment_says_it_in_either_spelling() {
        for args in [
            json!([
                "run",
                "--public-url=https://gmail.example.com",
                "--log-level=info"
            ]),
            json!(["run", "--public-url", "https://gmail.example.com"]),
            json!([
                "run",
                "--public-url=https://old.example.com",
                "--public-url=https://gmail.example.com/"
            ]),
        ] {
            let found = from_deployments(&[deployment(args)]);
            let found = found.map(|found| (found.url.to_string(), found.source));
            let source = Source::Deployment("op/gmail-operator".to_owned());
            assert_eq!(found, Ok(("https://gmail.example.com/".to_owned(), source)));
        }
    }

    #[test]
    fn without_the_flag_a_port_forward_leads_to_it() {
        for (args, url) in [
            (json!(["run"]), "http://localhost:8425/"),
            (
                json!(["run", "--public-urls=https://a.b"]),
                "http://localhost:8425/",
            ),
            (
                json!(["run", "--forwarded-port", "9000"]),
                "http://localhost:9000/",
            ),
        ] {
            let found = from_deployments(&[deployment(args)]);
            let found = found.map(|found| (found.url.to_string(), found.source));
            let source = Source::NoFlag("op/gmail-operator".to_owned());
            assert_eq!(found, Ok((url.to_owned(), source)));
        }
    }

    #[test]
    fn what_the_deployment_lacks_is_told() {
        for (deployments, why) in [
            (vec![], "there is none"),
            (
                vec![deployment(json!(["run", "--forwarded-port=x"]))],
                "has --forwarded-port=x, but give a port",
            ),
            (
                vec![deployment(json!([
                    "run",
                    "--public-url=ftp://gmail.example.com"
                ]))],
                "it must begin with https",
            ),
        ] {
            let found = from_deployments(&deployments);
            assert!(
                found.as_ref().is_err_and(|said| said.contains(why)),
                "{found:?}"
            );
        }
    }

    #[test]
    fn profiles_of_the_own_namespace_come_first_and_others_are_named() {
        let profile = |namespace: &str, uris: serde_json::Value| -> GmailServerProfile {
            serde_json::from_value(json!({
                "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "GmailServerProfile",
                "metadata": { "name": "google", "namespace": namespace },
                "spec": {},
                "status": { "oauthClient": { "redirectURIs": uris } },
            }))
            .unwrap_or_else(|error| panic!("{error}"))
        };
        let profiles = [
            profile("a", json!([])),
            profile("b", json!(["https://b.example.com/oauth2/callback"])),
            profile(
                "mail",
                json!(["https://gmail.example.com/x/oauth2/callback"]),
            ),
        ];
        let found = from_profiles(&profiles, "mail");
        let found = found.map(|found| (found.url.to_string(), found.source, found.others));
        assert_eq!(
            found,
            Some((
                "https://gmail.example.com/x/".to_owned(),
                Source::Profile("mail/google".to_owned()),
                vec!["b/google (https://b.example.com/)".to_owned()]
            ))
        );
        assert_eq!(from_profiles(&profiles[..1], "mail"), None);
    }
}
