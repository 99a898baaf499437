//! The plugin `kubectl gmail`: one file for each command.
//!
//! It talks to the API server with the rights of whoever runs it, and to nobody else: what only
//! Google can tell is read from the status that the operator writes.

mod access;
mod completion;
mod conditions;
mod error;
mod google_console;
mod help;
mod list;
mod mailbox;
mod names;
mod operator;
mod output;
mod page;
mod profile;
mod report;
mod setup;
mod time;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use access::AccessFlags;
use error::{CommandError, SUCCESS};

/// Connect Gmail mailboxes to this cluster: from Google's console to a mailbox that works.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-gmail",
    bin_name = "kubectl gmail",
    version,
    propagate_version = false,
    max_term_width = 100,
    long_about = LONG_ABOUT,
    after_long_help = EXAMPLES,
)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    access: AccessFlags,
}

const LONG_ABOUT: &str = "\
Connect Gmail mailboxes to this cluster: from Google's console to a mailbox that works.

gmail-operator keeps mailboxes signed in, tested and enabled. An admin makes one OAuth client in
Google's console and one GmailServerProfile here; app teams make one Mailbox for each address; its
owner signs in once, in a browser. This plugin helps with the admin's half:

  1. setup            what to click and paste in Google's console, for this installation
  2. profile create   the file that the console downloads becomes a profile, checked with Google
  3. profile show     one page about a profile: is it right, and if not, who must do what

and with the mailbox's:

  4. link             the mail with which a mailbox's owner signs in; or opens the page
  5. status           what is not right, grouped by who must act; or one page about a mailbox
  6. test             test mailboxes now, and follow it
  7. sign-out         the sign-in ends, and its grant is deleted

and with a question to whoever can help:

  8. report           one file for a support ticket, without secrets and people's addresses

Everything that it makes is an ordinary object: kubectl get, edit and delete work on it as well.";

const EXAMPLES: &str = "\
Examples:
  # What to do in Google's console
  kubectl gmail setup

  # Make a profile of the file that was downloaded there, and wait until Google accepts it
  kubectl gmail profile create google -n mail --credentials client_secret.json --user-type internal

  # How is it?
  kubectl gmail profile show google -n mail

  # The mail to send to the owner of a mailbox
  kubectl gmail link support -n crm

  # What has to be done, and by whom?
  kubectl gmail status --all-namespaces

  # Does it work now?
  kubectl gmail test support -n crm

  # A file to attach to a question
  kubectl gmail report -n crm

Exit codes: 0 done, 1 failed, not accepted or not right, 2 wrong flags.";

#[derive(Debug, Subcommand)]
enum Command {
    Setup(setup::SetupArgs),
    /// Make and look at server profiles: a Google OAuth client, and whom it serves.
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    Link(mailbox::link::LinkArgs),
    Status(mailbox::status::StatusArgs),
    Test(mailbox::test::TestArgs),
    SignOut(mailbox::sign_out::SignOutArgs),
    Report(report::ReportArgs),
    Completion(completion::CompletionArgs),
}

/// Does what the command line says. 0: done; 1: failed or not accepted; 2: wrong flags.
pub fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let done = if words.next().is_some_and(|word| word == completion::ASKED) {
        completion::answer(words.collect())
    } else {
        // What is wrong with the command line itself ends here, with 2.
        let matches = help::unfolded(Cli::command()).get_matches();
        let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CommandError::failed)
            .and_then(|runtime| runtime.block_on(run(cli)))
    };
    match done {
        Ok(()) => ExitCode::from(SUCCESS),
        Err(error) => {
            if !matches!(error, CommandError::Shown) {
                output::complain(&format!("error: {error}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(cli: Cli) -> Result<(), CommandError> {
    match cli.command {
        Command::Setup(args) => setup::run(args, &cli.access).await,
        Command::Profile(command) => profile::run(command, &cli.access).await,
        Command::Link(args) => mailbox::link::run(args, &cli.access).await,
        Command::Status(args) => mailbox::status::run(args, &cli.access).await,
        Command::Test(args) => mailbox::test::run(args, &cli.access).await,
        Command::SignOut(args) => mailbox::sign_out::run(args, &cli.access).await,
        Command::Report(args) => report::run(args, &cli.access).await,
        Command::Completion(args) => completion::write_script(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// `--help` has to teach: every command says what happens and has an example.
    #[test]
    fn every_command_teaches() {
        fn check(command: &clap::Command) {
            if command.is_hide_set() {
                return;
            }
            for sub in command.get_subcommands() {
                check(sub);
            }
            if command.has_subcommands() {
                return;
            }
            let long = command.get_long_about().map(ToString::to_string);
            let after = command.get_after_long_help().map(ToString::to_string);
            let name = command.get_name();
            assert!(long.unwrap_or_default().len() > 300, "{name}");
            assert!(
                after.unwrap_or_default().contains("kubectl gmail"),
                "{name}"
            );
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name} {argument}");
            }
        }
        check(&Cli::command());
    }
}
