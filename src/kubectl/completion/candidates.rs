//! Names of objects, as candidates.

use std::ffi::OsString;
use std::fmt::Debug;
use std::time::Duration;

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use kube::api::ListParams;
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use crate::api::{GmailServerProfile, Mailbox};
use crate::kubectl::Cli;
use crate::kubectl::access::AccessFlags;

/// Whoever pressed the Tab key does not wait longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Nobody reads more.
const NAMES: u32 = 500;
/// The argument of every command that takes a name.
const ARGUMENT: &str = "name";

/// `command`, in which the names of Mailboxes and profiles are those of the namespace that `typed`, the
/// words before the one to complete, leads to.
pub fn with_names(command: Command, typed: &[OsString]) -> Command {
    let access = access(typed);
    let mailboxes = candidates(names::<Mailbox>, &access);
    let profiles = candidates(names::<GmailServerProfile>, &access);
    let named = |command: Command, names: &ArgValueCandidates| {
        let names = names.clone();
        command.mut_arg(ARGUMENT, |argument| argument.add(names))
    };
    command
        .mut_subcommand("link", |link| named(link, &mailboxes))
        .mut_subcommand("status", |status| named(status, &mailboxes))
        .mut_subcommand("test", |test| {
            let profiles = profiles.clone();
            named(test, &mailboxes).mut_arg("profile", |profile| profile.add(profiles))
        })
        .mut_subcommand("sign-out", |sign_out| named(sign_out, &mailboxes))
        .mut_subcommand("profile", |profile| {
            profile.mut_subcommand("show", |show| named(show, &profiles))
        })
}

/// The flags among the words that were typed, as far as they make sense yet.
fn access(typed: &[OsString]) -> AccessFlags {
    let matches = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(typed);
    let flags = |matches: &ArgMatches| AccessFlags::from_arg_matches(matches).ok();
    matches
        .ok()
        .and_then(|matches| flags(innermost(&matches)))
        .unwrap_or_default()
}

fn innermost(matches: &ArgMatches) -> &ArgMatches {
    match matches.subcommand() {
        Some((_, inner)) => innermost(inner),
        None => matches,
    }
}

fn candidates(
    names: impl AsyncFn(&AccessFlags) -> Option<Vec<String>> + Send + Sync + 'static,
    access: &AccessFlags,
) -> ArgValueCandidates {
    let access = access.clone();
    ArgValueCandidates::new(move || {
        // What goes wrong is told by the command itself, once it is run.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let found = runtime.ok().and_then(|runtime| {
            runtime.block_on(async { tokio::time::timeout(PATIENCE, names(&access)).await.ok()? })
        });
        let found = found.unwrap_or_default();
        found.into_iter().map(CompletionCandidate::new).collect()
    })
}

async fn names<K>(access: &AccessFlags) -> Option<Vec<String>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let client = access.client().await.ok()?;
    let api: Api<K> = Api::namespaced(client, &access.namespace().await);
    let params = ListParams::default().limit(NAMES);
    let listed = api.list_metadata(&params).await.ok()?;
    Some(
        listed
            .items
            .iter()
            .map(|object| object.name_any())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_that_were_typed_say_where_the_names_are() {
        let typed = |words: &[&str]| access(&words.iter().map(OsString::from).collect::<Vec<_>>());
        let flags = typed(&[
            "kubectl-gmail",
            "link",
            "--open",
            "-n",
            "crm",
            "--context=prod",
        ]);
        assert_eq!(flags.again("crm"), " --namespace crm --context prod");
        assert_eq!(flags.namespace_flag(), Some("crm"));
        let flags = typed(&["kubectl-gmail", "-n", "mail", "profile", "show"]);
        assert_eq!(flags.namespace_flag(), Some("mail"));
        // Half a word, and a flag that is none.
        let flags = typed(&["kubectl-gmail", "status", "--context"]);
        assert_eq!(flags.namespace_flag(), None);
    }
}
