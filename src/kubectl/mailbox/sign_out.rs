//! `kubectl gmail sign-out`: a mailbox's sign-in ends.

use std::io::{self, BufRead, IsTerminal};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::{command, condition, read};
use crate::api::{Mailbox, MailboxCondition, Reason, SIGN_OUT_REQUESTED_ANNOTATION};
use crate::cluster::call;
use crate::domain::name::ObjectName;
use crate::domain::schedule::later;
use crate::domain::verdict::seconds;
use crate::kubectl::access::AccessFlags;
use crate::kubectl::conditions::reason;
use crate::kubectl::error::CommandError;
use crate::kubectl::names::object_name;
use crate::kubectl::output::{self, Progress};
use crate::kubectl::page::{Page, safe};
use crate::kubectl::time::duration;
use crate::kubectl::watch::{Ended, Verdict, until_decided};

/// Who writes the annotation, in managedFields.
const MANAGER: &str = "kubectl-gmail";
/// So often another writer may be first.
const TRIES: usize = 5;

/// End a mailbox's sign-in: its grant is deleted, and its owner has to sign in again
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
pub struct SignOutArgs {
    /// The Mailbox's name
    #[arg(value_parser = object_name)]
    name: String,

    /// Do not ask whether it is meant
    #[arg(short, long)]
    yes: bool,

    /// How long to wait for the operator, such as 2m; 0s does not wait
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

const LONG: &str = "\
End a mailbox's sign-in: its grant is deleted, and its owner has to sign in again.

The command sets the annotation gmail-operator.dev/sign-out-requested-at on the Mailbox to the second
after the present sign-in. The operator then ends every sign-in that was given before that: it stops
using the mailbox, deletes the grant, and takes the permission back at Google, unless the same account
serves another Mailbox of the same Google Cloud project, which that would end as well. The Mailbox
itself stays. Mail is neither moved nor deleted.

It needs the right to patch the Mailbox. On a terminal it asks first; in a script give --yes.";

const EXAMPLES: &str = "\
Examples:
  # With a question
  kubectl gmail sign-out support -n crm

  # In a script
  kubectl gmail sign-out support -n crm --yes

  # How its owner signs in again
  kubectl gmail link support -n crm

Exit codes: 0 signed out (or nobody was signed in, or not waited for), 1 failed, refused or not in
time, 2 wrong flags.";

/// Asks for it, and waits until it is done.
///
/// # Errors
/// It was not meant, not allowed, or not done in time.
pub async fn run(args: SignOutArgs, access: &AccessFlags) -> Result<(), CommandError> {
    let name = ObjectName::new(access.namespace().await, args.name.clone());
    let client = access.client().await?;
    let mailbox = read(&client, &name).await?;
    if is_signed_out(&mailbox) {
        return output::show(&story(
            &name,
            access,
            "Nobody is signed in to it, so nothing was changed.",
        ));
    }
    if !args.yes && !is_meant(&name, &mailbox)? {
        return Err(CommandError::Failed(
            "it was not confirmed, so nothing was changed".to_owned(),
        ));
    }
    request(&client, &name, &mailbox).await?;
    // The second that the annotation names is over then, also by the clock that notes the next sign-in.
    let is_over = Instant::now() + Duration::from_secs(1);
    if args.timeout.is_zero() {
        return output::show(&story(
            &name,
            access,
            "The sign-out is asked for; it was not waited for.",
        ));
    }
    let progress = Progress::start();
    let api: Api<Mailbox> = Api::namespaced(client, &name.namespace);
    let ended = until_decided(api, "Mailbox", &name, args.timeout, &progress, judge).await;
    if matches!(ended, Ok(Ended::Decided(()))) {
        sleep_until(is_over).await;
    }
    drop(progress);
    let account = account(&mailbox);
    match ended? {
        Ended::Decided(()) => output::show(&story(
            &name,
            access,
            &format!(
                "{account} is signed out. The operator has deleted the grant, and takes the permission back at Google unless that account serves another Mailbox of the same Google Cloud project. Its owner sees what is left at https://myaccount.google.com/connections."
            ),
        )),
        Ended::Gone => Err(CommandError::Failed(format!(
            "the Mailbox {name} was deleted while it was waited for; its deletionPolicy says what becomes of its grant"
        ))),
        Ended::Undecided(last) => Err(CommandError::Failed(format!(
            "the sign-out is asked for, but it was not done within {} s. It was waited for {}. It stays asked for. To see how it is:\n  {}",
            args.timeout.as_secs(),
            safe(&last),
            command("status", &name, access)
        ))),
    }
}

/// Whether nobody is signed in, and the operator says so.
fn is_signed_out(mailbox: &Mailbox) -> bool {
    condition(mailbox, MailboxCondition::SignedIn).is_some_and(|signed_in| {
        signed_in.status == "False" && reason(signed_in) == Some(Reason::SignInRequired)
    })
}

fn judge(mailbox: &Mailbox) -> Verdict<()> {
    if is_signed_out(mailbox) {
        return Verdict::Decided(());
    }
    let said = condition(mailbox, MailboxCondition::SignedIn);
    let said = said.map(|said| format!(" (SignedIn is {}: {})", said.status, said.reason));
    Verdict::Waiting(format!(
        "the operator to end the sign-in{}",
        said.unwrap_or_default()
    ))
}

fn account(mailbox: &Mailbox) -> String {
    let sign_in = mailbox.status.as_ref().and_then(|s| s.sign_in.as_ref());
    let account = sign_in.and_then(|sign_in| sign_in.account.clone());
    account.unwrap_or_else(|| mailbox.spec.email_address.clone())
}

/// Asks on the terminal.
fn is_meant(name: &ObjectName, mailbox: &Mailbox) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        return Err(CommandError::Usage(format!(
            "sign-out asks before it ends the sign-in of {name}, and there is no terminal to ask on: give --yes"
        )));
    }
    output::complain(&format!(
        "{} will be signed out of the Mailbox {name}, and has to sign in again before it works again.\nEnd the sign-in? [y/N]",
        safe(&account(mailbox))
    ));
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(CommandError::failed)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// Writes the annotation onto the Mailbox as it was last seen: one that was made anew meanwhile is
/// another.
async fn request(
    client: &Client,
    name: &ObjectName,
    mailbox: &Mailbox,
) -> Result<(), CommandError> {
    let api: Api<Mailbox> = Api::namespaced(client.clone(), &name.namespace);
    let params = PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let mut tried = 1;
    loop {
        let seen = read(client, name).await?;
        if seen.metadata.uid != mailbox.metadata.uid {
            return Err(CommandError::Failed(format!(
                "the Mailbox {name} was deleted and made anew meanwhile, so nothing was changed"
            )));
        }
        let patch = json!({ "metadata": {
            "resourceVersion": seen.metadata.resource_version,
            "annotations": { SIGN_OUT_REQUESTED_ANNOTATION: time_of_request(&seen).to_string() },
        } });
        let doing = || format!("asking for the sign-out of the Mailbox {name}");
        match call(doing, api.patch(&name.name, &params, &Patch::Merge(patch))).await {
            Err(error) if error.is_conflict() && tried < TRIES => tried += 1,
            done => return Ok(done.map(drop)?),
        }
    }
}

/// The second after the sign-in that is there, by the clock that has noted it: this machine's may be ahead, and would
/// end sign-ins that are yet to come. Where no time is known it is now.
fn time_of_request(mailbox: &Mailbox) -> Timestamp {
    let sign_in = mailbox.status.as_ref().and_then(|s| s.sign_in.as_ref());
    let signed_in_at = sign_in.and_then(|sign_in| sign_in.signed_in_at.as_ref());
    let after = signed_in_at.map(|at| later(at.0, Duration::from_secs(1)));
    after.unwrap_or_else(|| seconds(Timestamp::now()).0)
}

fn story(name: &ObjectName, access: &AccessFlags, what: &str) -> Page {
    let mut page = Page::new();
    page.heading(&format!("Mailbox {name}"))
        .text(what)
        .text("To let its owner sign in (again):")
        .copied(&command("link", name, access));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (answer, yes) in [
            ("y\n", true),
            (" YES \r\n", true),
            ("", false),
            ("\n", false),
            ("n\n", false),
            ("yo\n", false),
        ] {
            assert_eq!(is_yes(answer), yes, "{answer:?}");
        }
    }

    #[test]
    fn it_is_the_second_after_the_sign_in() {
        let signed_in_at = Timestamp::UNIX_EPOCH;
        let mailbox = serde_json::from_value(json!({
            "apiVersion": "gmail-operator.dev/v1alpha1",
            "kind": "Mailbox",
            "metadata": { "name": "support" },
            "spec": { "emailAddress": "support@example.com" },
            "status": { "signIn": { "signedInAt": signed_in_at.to_string() } },
        }));
        let mailbox: Mailbox = mailbox.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(time_of_request(&mailbox).as_second(), 1);
    }
}
