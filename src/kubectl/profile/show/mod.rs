//! `kubectl gmail profile show`: one page about a profile.

mod mailboxes;
mod page;

use clap::Args;

use super::read;
use crate::domain::name::ObjectName;
use crate::kubectl::access::AccessFlags;
use crate::kubectl::error::CommandError;
use crate::kubectl::names::object_name;
use crate::kubectl::output;

/// One page about a profile: is it right, and if not, who must do what
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
pub struct ShowArgs {
    /// The profile's name
    #[arg(value_parser = object_name)]
    name: String,
}

const LONG: &str = "\
One page about a profile: is it right, and if not, who must do what.

It shows the OAuth client and its project, what has to stand in Google's console, every condition
with its reason, message and who must act, how many accounts have signed in of how many that may,
whom the profile serves, and the servers and settings that are in force. The client secret is
neither read nor shown.

For a program, or for all fields: kubectl get gmailserverprofile NAME --output yaml.";

const EXAMPLES: &str = "\
Examples:
  kubectl gmail profile show google -n mail

  # What are there?
  kubectl get gmailserverprofiles --all-namespaces

Exit codes: 0 shown, whatever it says, 1 not there or not readable, 2 wrong flags.";

/// Shows it.
///
/// # Errors
/// It is not there, or cannot be read.
pub async fn run(args: ShowArgs, access: &AccessFlags) -> Result<(), CommandError> {
    let name = ObjectName::new(access.namespace().await, args.name);
    let client = access.client().await?;
    match read(&client, &name).await? {
        Some(profile) => output::show(&page::page(&name, &profile)),
        None => Err(CommandError::Failed(format!(
            "there is no GmailServerProfile {} in the namespace {}: `kubectl get gmailserverprofiles --all-namespaces` lists what there is",
            name.name, name.namespace
        ))),
    }
}
