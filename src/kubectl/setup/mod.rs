//! `kubectl gmail setup`: Google's console, for this installation.

mod installation;
mod steps;

use clap::Args;

use super::access::AccessFlags;
use super::error::CommandError;
use super::operator::OPERATOR_NAMESPACE;
use super::output;
use crate::domain::console::PublicUrl;
use installation::{Source, found};
use steps::{Next, page};

/// What to click and paste in Google's console, for this installation
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
pub struct SetupArgs {
    /// Where people's browsers reach the operator; without it, what this installation says of itself
    ///
    /// Use it before the operator is installed, or where you may not read its Deployment. It must be
    /// the same as the operator's own --public-url: Google sends people back to this address only.
    #[arg(long, value_name = "URL")]
    public_url: Option<PublicUrl>,

    /// The namespace in which the operator runs
    #[arg(long, value_name = "NAMESPACE", default_value = OPERATOR_NAMESPACE)]
    operator_namespace: String,
}

const LONG: &str = "\
What to click and paste in Google's console, for this installation.

Google wants to know beforehand where its sign-in page may send people back to, which domain asks,
and for what. This command prints every step in Google's console with those values filled in, what
to choose on the consent screen and what each choice costs, and the command to run with the file
that the console then offers for download. It changes nothing, here or at Google.

The values follow from the operator's public URL. It is taken from --public-url; else from the
status of any GmailServerProfile that you may read; else from the arguments of the operator's
Deployment (label app.kubernetes.io/name=gmail-operator) in --operator-namespace. An operator without
one serves http://localhost, through a port-forward: then the values are those of that address.";

const EXAMPLES: &str = "\
Examples:
  # For the installation of the current context
  kubectl gmail setup

  # Before anything is installed
  kubectl gmail setup --public-url https://gmail.example.com

  # To read at leisure, or to send to whoever has the rights in Google's console
  kubectl gmail setup > google-console.txt";

/// Prints the steps.
///
/// # Errors
/// Nothing says where the operator is reached.
pub async fn run(args: SetupArgs, access: &AccessFlags) -> Result<(), CommandError> {
    let namespace = access.namespace().await;
    let installation = match args.public_url {
        Some(url) => installation::Installation {
            url,
            source: Source::Flag,
            others: Vec::new(),
        },
        None => found(access, &namespace, &args.operator_namespace).await?,
    };
    output::show(&page(
        &installation,
        &Next {
            again: access.again(&namespace),
            operator_namespace: args.operator_namespace,
        },
    ))
}
