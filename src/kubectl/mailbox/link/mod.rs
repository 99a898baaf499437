//! `kubectl gmail link`: the mailbox's owner gets a link.

mod address;
mod forward;
mod letter;
mod pod;
mod usefulness;
mod wait;

use std::pin::pin;
use std::time::Duration;

use clap::Args;
use kube::{Api, Client};
use url::Url;

use super::{command, profile_of, read};
use crate::api::Mailbox;
use crate::domain::console::{FORWARDED_PORT, PublicUrl};
use crate::domain::name::ObjectName;
use crate::kubectl::access::AccessFlags;
use crate::kubectl::error::CommandError;
use crate::kubectl::names::object_name;
use crate::kubectl::operator::OPERATOR_NAMESPACE;
use crate::kubectl::output::{self, Progress};
use crate::kubectl::page::safe;
use crate::kubectl::time::duration;
use crate::kubectl::watch::{Ended, until_decided};
use address::Address;
use forward::LocalPort;
use letter::Letter;
use pod::Operator;
use usefulness::Use;
use wait::{Before, Outcome};

/// How long the page stays reachable when all is decided: it looks at least so often, and shall show
/// its reader how it ended.
const LINGER: Duration = Duration::from_secs(6);

/// Write the mail with which a mailbox's owner signs in, or open the page
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
pub struct LinkArgs {
    /// The Mailbox's name
    #[arg(value_parser = object_name)]
    name: String,

    /// Open the page in this machine's browser as well
    #[arg(long)]
    open: bool,

    /// Reach the page through a port-forward, and wait until the mailbox is connected; for an operator
    /// without --public-url
    #[arg(long)]
    port_forward: bool,

    /// With --port-forward: the port on localhost; the operator's --forwarded-port, since Google sends
    /// the browser back there
    #[arg(long, value_name = "PORT", default_value = FORWARDED_PORT, value_parser = PublicUrl::forwarded)]
    local_port: PublicUrl,

    /// With --port-forward: the namespace in which the operator runs
    #[arg(long, value_name = "NAMESPACE", default_value = OPERATOR_NAMESPACE)]
    operator_namespace: String,

    /// With --port-forward: how long to wait for the sign-in and the test, such as 30m
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration)]
    timeout: Duration,
}

const LONG: &str = "\
Write the mail with which a mailbox's owner signs in, or open the page.

The owner of a mailbox signs in to Google once, in a browser, and needs no kubectl for it. This
command writes the mail to send them, to standard output: who asks and why, the link, what is done
with the mail, what Google will show, what to do where Google shows an error, and how to tell that
the mail is genuine. What is not known, such as a profile that you may not read, is left out.

An operator without --public-url has no page that others could open. With --port-forward the command
makes it reachable on this machine, at http://localhost:8425 (which has to be registered with the
OAuth client; `kubectl gmail setup` tells), prints the local link, and waits until somebody has
signed in on it and the mailbox is tested. It needs the right to forward ports to the operator's Pod.

Where a sign-in would change nothing it says why, and who must do what first.";

const EXAMPLES: &str = "\
Examples:
  # The mail to send
  kubectl gmail link support -n crm

  # Your own mailbox: straight to the page
  kubectl gmail link support -n crm --open

  # Without a public host: the owner sits at this machine
  kubectl gmail link support -n crm --port-forward --open

Exit codes: 0 written (with --port-forward: connected), 1 a link is of no use now, or the sign-in was
refused or did not come, 2 wrong flags.";

/// Writes the mail, or opens the way and waits.
///
/// # Errors
/// A sign-in would be in vain, there is no way to the page, or the sign-in was refused.
pub async fn run(args: LinkArgs, access: &AccessFlags) -> Result<(), CommandError> {
    let name = ObjectName::new(access.namespace().await, args.name.clone());
    let client = access.client().await?;
    let mailbox = read(&client, &name).await?;
    match usefulness::of(&mailbox) {
        Use::Helps(None) => {}
        Use::Helps(Some(remark)) => output::complain(&safe(&remark)),
        Use::InVain(why) => {
            return Err(CommandError::Failed(format!(
                "no link for the Mailbox {name}: {}\nTo see how it is:\n  {}",
                safe(&why),
                command("status", &name, access)
            )));
        }
    }
    let address = address::of(&mailbox);
    if address == Address::Foreign {
        return Err(CommandError::Failed(format!(
            "the sign-in page in the status of the Mailbox {name} is not one of its own, so it is not shown: somebody other than the operator may have written it there. Platform admin: look at who may write mailboxes/status"
        )));
    }
    let link = Link {
        name: &name,
        mailbox: &mailbox,
        client: &client,
        access,
        args: &args,
    };
    match args.port_forward {
        true => link.forward(address).await,
        false => link.write(address).await,
    }
}

/// What is needed for either way.
struct Link<'a> {
    name: &'a ObjectName,
    mailbox: &'a Mailbox,
    client: &'a Client,
    access: &'a AccessFlags,
    args: &'a LinkArgs,
}

impl Link<'_> {
    async fn write(&self, address: Address) -> Result<(), CommandError> {
        let page = match address {
            Address::Published(page) => page,
            Address::Local(page) => {
                output::complain(&format!(
                    "This link works only on a machine where the port is forwarded, as --port-forward does: {page}"
                ));
                page
            }
            Address::None | Address::Foreign => {
                return Err(CommandError::Failed(format!(
                    "the operator has no --public-url, so there is no page that others could open. On the machine before which the owner of {} sits:\n  {} --port-forward",
                    self.mailbox.spec.email_address,
                    command("link", self.name, self.access)
                )));
            }
        };
        let profile = profile_of(self.client, self.mailbox).await?;
        let cluster = self.access.cluster();
        let letter = Letter {
            name: self.name,
            mailbox: self.mailbox,
            profile: profile.as_ref(),
            cluster: cluster.as_deref(),
            page: &page,
        };
        output::write(&letter.text())?;
        if self.args.open {
            open(page).await;
        }
        Ok(())
    }

    async fn forward(&self, address: Address) -> Result<(), CommandError> {
        let page = match address {
            Address::Published(page) => {
                return Err(CommandError::Failed(format!(
                    "no port-forward is needed: the page is {page}. Leave --port-forward out"
                )));
            }
            Address::Local(page) => page,
            Address::None | Address::Foreign => {
                address::forwarded(self.mailbox, &self.args.local_port)
            }
        };
        let operator = Operator::new(self.client.clone(), &self.args.operator_namespace);
        operator.check().await?;
        let port = page.port_or_known_default().unwrap_or_default();
        let local = LocalPort::take(port).await?;
        let ended = self.keep_open(local, &operator, page).await?;
        self.tell(ended)
    }

    /// Carries the browser's connections until somebody has signed in and the mailbox is tested.
    async fn keep_open(
        &self,
        local: LocalPort,
        operator: &Operator,
        page: Url,
    ) -> Result<Ended<Outcome>, CommandError> {
        let progress = Progress::start();
        let mut carried = pin!(local.carry(
            async || operator.dial().await,
            |error| progress.done(&format!("The page could not be reached: {error}")),
        ));
        let opened = async {
            output::write(&format!("{page}\n"))?;
            if self.args.open {
                open(page).await;
            }
            Ok(())
        };
        let ended = tokio::select! {
            // Ctrl-C is listened for before anybody reads the link.
            biased;
            _ = tokio::signal::ctrl_c() => return Err(CommandError::Failed(format!(
                "ended before the Mailbox {} was connected; it is as it was, and the command can be run again",
                self.name
            ))),
            () = &mut carried => Ended::Gone,
            both = async { tokio::try_join!(opened, self.wait(&progress)) } => both?.1,
        };
        if let Ended::Decided(_) = ended {
            progress.waiting("Waiting for the page to show it");
            tokio::select! {
                () = tokio::time::sleep(LINGER) => {}
                () = carried => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Ok(ended)
    }

    async fn wait(&self, progress: &Progress) -> Result<Ended<Outcome>, CommandError> {
        let api: Api<Mailbox> = Api::namespaced(self.client.clone(), &self.name.namespace);
        let before = Before::of(self.mailbox);
        let judge = |mailbox: &Mailbox| before.judge(mailbox);
        let timeout = self.args.timeout;
        until_decided(api, "Mailbox", self.name, timeout, progress, judge).await
    }

    fn tell(&self, ended: Ended<Outcome>) -> Result<(), CommandError> {
        match ended {
            Ended::Decided(Outcome::Connected(mailbox)) => {
                output::complain(&connected(&mailbox));
                Ok(())
            }
            Ended::Decided(Outcome::Refused(why)) => Err(CommandError::Failed(format!(
                "{}\nTo try again, run this command once more. To see how the Mailbox is:\n  {}",
                safe(&why),
                command("status", self.name, self.access)
            ))),
            Ended::Gone => Err(CommandError::Failed(format!(
                "the Mailbox {} was deleted while it was waited for",
                self.name
            ))),
            Ended::Undecided(last) => Err(CommandError::Failed(format!(
                "within {} s the Mailbox {} was not connected. It was waited for {}",
                self.args.timeout.as_secs(),
                self.name,
                safe(&last)
            ))),
        }
    }
}

fn connected(mailbox: &Mailbox) -> String {
    let sign_in = mailbox.status.as_ref().and_then(|s| s.sign_in.as_ref());
    let account = sign_in.and_then(|sign_in| sign_in.account.as_deref());
    format!(
        "{} is connected, tested and enabled; {} has signed in.",
        mailbox.spec.email_address,
        account.unwrap_or("its owner")
    )
}

/// Opens `page`, which is http or https, in the browser; never through a shell.
async fn open(page: Url) {
    let opened = tokio::task::spawn_blocking(move || webbrowser::open(page.as_str())).await;
    let failed = match opened {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    output::complain(&format!(
        "No browser could be opened ({failed}): open the link yourself."
    ));
}
