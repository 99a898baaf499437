//! `kubectl gmail status`: what is not right, and who must act.

mod next;
mod overview;
mod page;
mod seen;

use clap::Args;
use jiff::Timestamp;

use super::{profile_of, read};
use crate::domain::name::ObjectName;
use crate::kubectl::access::AccessFlags;
use crate::kubectl::error::CommandError;
use crate::kubectl::names::object_name;
use crate::kubectl::output;
use next::Next;
use overview::Overview;
use page::Shown;

/// What is not right, grouped by who must act; or one page about a mailbox
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
pub struct StatusArgs {
    /// A Mailbox's name; without it all that is not right is shown
    #[arg(value_parser = object_name)]
    name: Option<String>,

    /// The Mailboxes of all namespaces
    #[arg(short = 'A', long, conflicts_with = "name")]
    all_namespaces: bool,
}

const LONG: &str = "\
What is not right, grouped by who must act; or one page about a mailbox.

Without a name: every Mailbox of the namespace (or of all, with -A) that is not enabled, or that will
not stay so, under whoever has to act: platform admin, Google Workspace admin, app team, mailbox user;
then those that only wait. Each has its reason, since when, and what to do. Profiles that are not
Ready come first, as far as you may see them: one of them explains many Mailboxes.

With a name: who has signed in, when and until when, the profile, both directions, the newest test,
the last errors with the server's words, the last sign-in that was refused, the Secret for workloads,
and at the end what to do next: who, and the command or the link.

All of it is what the operator wrote into status. Grants and tokens are not read.";

const EXAMPLES: &str = "\
Examples:
  # What has to be done in this namespace?
  kubectl gmail status

  # In the whole cluster, as a check in a script
  kubectl gmail status --all-namespaces || echo 'somebody has to act'

  # Everything about one
  kubectl gmail status support -n crm

Exit codes: 0 nobody has to act, 1 somebody has to (or it failed), 2 wrong flags.";

/// Shows it.
///
/// # Errors
/// It cannot be read, or somebody has to act.
pub async fn run(args: StatusArgs, access: &AccessFlags) -> Result<(), CommandError> {
    let client = access.client().await?;
    let now = Timestamp::now();
    let waits = match args.name {
        Some(name) => {
            let name = ObjectName::new(access.namespace().await, name);
            let mailbox = read(&client, &name).await?;
            let profile = profile_of(&client, &mailbox).await?;
            let next = Next::of(&name, &mailbox, access);
            let shown = Shown {
                name: &name,
                mailbox: &mailbox,
                profile: profile.as_ref(),
                next: &next,
                now,
            };
            output::show(&shown.page())?;
            next.waits_for_somebody()
        }
        None => {
            let namespace = match args.all_namespaces {
                true => None,
                false => Some(access.namespace().await),
            };
            let seen = seen::look(&client, namespace.as_deref()).await?;
            let overview = Overview {
                seen: &seen,
                namespace: namespace.as_deref(),
                now,
            };
            output::show(&overview.page())?;
            overview.waits_for_somebody()
        }
    };
    match waits {
        true => Err(CommandError::Shown),
        false => Ok(()),
    }
}
