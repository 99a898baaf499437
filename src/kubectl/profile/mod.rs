//! `kubectl gmail profile`: the admin's half.

mod create;
mod show;

use clap::Subcommand;
use kube::{Api, Client};

use super::access::AccessFlags;
use super::error::CommandError;
use crate::api::{GmailServerProfile, GmailServerProfileStatus, ProfileCondition, Reason};
use crate::cluster::{ClusterError, call};
use crate::domain::name::ObjectName;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

#[derive(Debug, Subcommand)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one, and it lives as long as the process"
)]
pub enum ProfileCommand {
    Create(create::CreateArgs),
    Show(show::ShowArgs),
}

/// Does it.
///
/// # Errors
/// What failed, in words.
pub async fn run(command: ProfileCommand, access: &AccessFlags) -> Result<(), CommandError> {
    match command {
        ProfileCommand::Create(args) => create::run(args, access).await,
        ProfileCommand::Show(args) => show::run(args, access).await,
    }
}

/// The profile, if it is there.
async fn read(
    client: &Client,
    name: &ObjectName,
) -> Result<Option<GmailServerProfile>, ClusterError> {
    let api: Api<GmailServerProfile> = Api::namespaced(client.clone(), &name.namespace);
    let doing = || format!("reading the GmailServerProfile {name}");
    match call(doing, api.get(&name.name)).await {
        Ok(profile) => Ok(Some(profile)),
        Err(error) if error.names_missing_object() => Ok(None),
        Err(error) => Err(error),
    }
}

/// One condition of a profile.
fn condition(
    status: Option<&GmailServerProfileStatus>,
    which: ProfileCondition,
) -> Option<&Condition> {
    let conditions = &status?.conditions;
    conditions.iter().find(|c| c.type_ == which.name())
}

/// The condition's reason, if this version knows it.
fn reason(condition: &Condition) -> Option<Reason> {
    condition.reason.parse().ok()
}

/// A name that a GmailServerProfile can have: an RFC 1123 subdomain of at most 63 characters.
fn profile_name(text: &str) -> Result<String, String> {
    let good = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if text.len() <= 63 && text.split('.').all(good) {
        Ok(text.to_owned())
    } else {
        Err("a name has at most 63 lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_the_kind_allows_are_asked_for() {
        for (name, good) in [
            ("google", true),
            ("g.1-a", true),
            ("Google", false),
            ("", false),
            ("-a", false),
            ("a..b", false),
        ] {
            assert_eq!(profile_name(name).is_ok(), good, "{name}");
        }
        assert!(profile_name(&"a".repeat(64)).is_err());
    }
}
