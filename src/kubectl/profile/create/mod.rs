//! `kubectl gmail profile create`: the console's file becomes a profile.

mod client_file;
mod consent;
mod manifest;
mod next;
mod store;
mod wait;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::domain::name::ObjectName;
use crate::kubectl::access::AccessFlags;
use crate::kubectl::error::CommandError;
use crate::kubectl::names::object_name;
use crate::kubectl::output::{self, Progress};
use crate::kubectl::time::duration;
use client_file::ClientFile;
use consent::{PublishingStatusFlag, UserTypeFlag};
use manifest::Manifest;
use next::Story;
pub use next::testing_in_words;
use wait::{Asked, Outcome};

/// How long to wait, unless the flag says otherwise.
const PATIENCE: Duration = Duration::from_secs(60);

/// Make a profile of the file from Google's console, and wait until Google accepts it
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
pub struct CreateArgs {
    /// The profile's name
    #[arg(value_parser = object_name)]
    name: String,

    /// The file that Google's console downloads for an OAuth client (client_secret….json); - is standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    credentials: PathBuf,

    /// What was chosen on the consent screen in Google's console under Audience
    #[arg(
        long,
        value_enum,
        required_unless_present = "base",
        help_heading = "Consent screen"
    )]
    user_type: Option<UserTypeFlag>,

    /// With external: whether the app is published
    #[arg(
        long,
        value_enum,
        requires = "user_type",
        help_heading = "Consent screen"
    )]
    publishing_status: Option<PublishingStatusFlag>,

    /// With in-production: Google has verified the app for the mail scope, so no limit of 100 accounts
    #[arg(long, requires = "user_type", help_heading = "Consent screen")]
    verified: bool,

    /// The app name that Google shows; the sign-in page shows it too
    #[arg(long, value_name = "TEXT", help_heading = "Consent screen")]
    app_name: Option<String>,

    /// Mailboxes that name no profile may get this one
    #[arg(long, help_heading = "Whom it serves")]
    default: bool,

    /// Whose Mailboxes may use it: those of its own namespace, or of all (which the cluster admin must
    /// allow with a label on the Namespace; the command says how)
    #[arg(
        long,
        value_enum,
        value_name = "WHICH",
        help_heading = "Whom it serves"
    )]
    allow_namespaces: Option<AllowNamespaces>,

    /// An address that may use it, such as '*@example.com'; may be given several times [default: any]
    #[arg(long = "allow-address", value_name = "PATTERN", value_parser = manifest::address_pattern, help_heading = "Whom it serves")]
    allow_addresses: Vec<String>,

    /// How many Google accounts may sign in [default: Google's own limit, if there is one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1_000_000), help_heading = "Whom it serves")]
    max_mailboxes: Option<i32>,

    /// Whom a mailbox's owner may ask; shown on the sign-in page
    #[arg(long, value_name = "TEXT", help_heading = "Whom it serves")]
    contact: Option<String>,

    /// The Secret for the file [default: NAME-oauth-client]
    #[arg(long, value_name = "NAME")]
    secret_name: Option<String>,

    /// A GmailServerProfile manifest (YAML or JSON) to start from, for what has no flag: processing,
    /// servers, a selector of namespaces, caBundle, … The flags that are given go before it; - is
    /// standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    base: Option<PathBuf>,

    /// Overwrite a profile or Secret of this name that is there already and says something else
    #[arg(long)]
    replace: bool,

    /// How long to wait for the operator and Google, such as 2m; 0s does not wait [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<Duration>,

    /// Only print the manifest: client asks nobody, server lets the API server check it and fill in
    /// its defaults. The Secret is never printed
    #[arg(long, value_enum, value_name = "HOW", default_value = "none")]
    dry_run: DryRun,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum AllowNamespaces {
    /// Its own namespace only
    Same,
    /// Every namespace
    All,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum DryRun {
    /// Do it
    None,
    /// Without asking anybody
    Client,
    /// Checked by the API server, which stores nothing
    Server,
}

const LONG: &str = "\
Make a profile of the file from Google's console, and wait until Google accepts it.

What happens, in this order:

  1. The file and the flags are checked here. What is wrong with them is said at once.
  2. The API server checks both objects, without storing them.
  3. The file becomes a Secret (key client_secret.json), and a GmailServerProfile refers to it.
  4. The operator asks Google whether it knows the client and accepts its secret; nobody has to sign
     in for that. The command waits and says what came of it.

If Google refuses the client, the objects stay as they are: the reason says what to correct and who
must do it. A profile or Secret that exists and says something else is never overwritten without
--replace. With --replace the profile's spec becomes what --base and the flags say and nothing else
(the command lists what changes), and of the Secret only the key is replaced. Who has signed in
stays signed in, unless the client's ID is another.

The client secret goes into the Secret and nowhere else. `kubectl gmail setup` tells how to get the
file.";

const EXAMPLES: &str = "\
Examples:
  # All mailboxes belong to your own Google Workspace
  kubectl gmail profile create google -n mail --credentials client_secret.json --user-type internal

  # A try with a personal account; Google ends each sign-in after 7 days
  kubectl gmail profile create try --credentials client_secret.json \\
    --user-type external --publishing-status testing

  # For the whole cluster, for one domain
  kubectl gmail profile create google -n mail --credentials client_secret.json --user-type internal \\
    --default --allow-namespaces all --allow-address '*@example.com' --contact it@example.com

  # A new secret for the same client, all else as it is: nobody has to sign in again
  kubectl get gmailserverprofile google -n mail --output yaml |
    kubectl gmail profile create google -n mail --base - --credentials new.json --replace

  # For GitOps: the manifest to commit; the Secret goes another way
  kubectl gmail profile create google -n mail --credentials client_secret.json \\
    --user-type internal --dry-run=client > profile.yaml

Exit codes: 0 Ready (or not waited for), 1 failed, not accepted or not in time, 2 wrong flags.";

/// Makes the Secret and the profile, and waits.
///
/// # Errors
/// What was wrong, with what to do about it.
pub async fn run(args: CreateArgs, access: &AccessFlags) -> Result<(), CommandError> {
    let screen = consent::check(args.user_type, args.publishing_status, args.verified)?;
    let file = ClientFile::read(&args.credentials)?;
    let base = args.base.as_deref().map(manifest::read_base).transpose()?;
    let namespace = match (
        access.namespace_flag(),
        manifest::namespace_of(base.as_ref()),
    ) {
        (Some(flag), _) => flag.to_owned(),
        (None, Some(base)) => base,
        (None, None) => access.namespace().await,
    };
    let name = ObjectName::new(namespace, args.name.clone());
    let manifest = Manifest::new(&name, base, &args, screen)?;
    if args.dry_run == DryRun::Client {
        return output::write(&manifest.printed(manifest.object(), &args.credentials)?);
    }

    let client = access.client().await?;
    let plan = store::plan(&client, &manifest, &file, args.replace).await?;
    let checked = plan.check(&client, &manifest, &file).await?;
    if args.dry_run == DryRun::Server {
        return output::write(&manifest.printed(&checked, &args.credentials)?);
    }
    let progress = Progress::start();
    let stored = plan.carry_out(&client, &manifest, &file, &progress).await?;
    let story = Story {
        name: &name,
        again: access.again(&name.namespace),
        addresses: &args.allow_addresses,
    };
    let asked = Asked::of(&stored);
    let timeout = args
        .timeout
        .unwrap_or_else(|| asked.usual_patience(PATIENCE));
    if timeout.is_zero() {
        drop(progress);
        return output::show(&story.not_waited());
    }
    let outcome = wait::until_decided(&client, &name, asked, timeout, &progress).await;
    drop(progress);
    match outcome? {
        Outcome::Accepted(profile) => output::show(&story.accepted(&profile)),
        Outcome::Refused(profile) => Err(CommandError::Failed(story.refused(&profile))),
        Outcome::Undecided { profile, last } => Err(CommandError::Failed(story.undecided(
            profile.as_deref(),
            &last,
            timeout,
        ))),
        Outcome::Gone => Err(CommandError::Failed(format!(
            "the GmailServerProfile {name} was deleted while it was waited for"
        ))),
    }
}
