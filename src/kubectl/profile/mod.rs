//! `kubectl gmail profile`: the admin's half.

mod create;
mod show;

use clap::Subcommand;
use kube::{Api, Client};

use super::access::AccessFlags;
use super::conditions::find;
use super::error::CommandError;
use crate::api::{
    GmailServerProfile, GmailServerProfileStatus, ProfileCondition, ProfileTestStatus,
};
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
pub async fn read(
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
pub fn condition(
    status: Option<&GmailServerProfileStatus>,
    which: ProfileCondition,
) -> Option<&Condition> {
    find(&status?.conditions, which.name())
}

/// How far a test of all Mailboxes of a profile is.
pub fn test_in_numbers(test: &ProfileTestStatus) -> String {
    let fail = match test.failing {
        0 => "none of them fails".to_owned(),
        1 => "1 fails".to_owned(),
        n => format!("{n} fail"),
    };
    match (test.mailboxes, test.tested) {
        (0, _) => "nobody is signed in to a Mailbox of it, so none is tested".to_owned(),
        (all, 0) => format!("none of {all} is tested yet"),
        (all, tested) => format!("{tested} of {all} are tested, {fail}"),
    }
}
