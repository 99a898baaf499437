//! `kubectl gmail test`: Test & Enable, now.

mod chosen;
mod display;
mod everybody;
mod follow;
mod request;
mod story;
mod summary;
mod wrong;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{ArgGroup, Args};
use kube::{Client, ResourceExt};

use super::command;
use crate::api::Mailbox;
use crate::domain::name::ObjectName;
use crate::kubectl::access::{AccessFlags, quoted};
use crate::kubectl::error::CommandError;
use crate::kubectl::names::object_name;
use crate::kubectl::output;
use crate::kubectl::page::Page;
use crate::kubectl::time::duration;
use chosen::Chosen;
use display::Display;
use everybody::{Everybody, ProfileName};
use follow::Tests;
use request::{ask_all, new_value};
use story::Ended;
use summary::{Tested, all_work, explained, page};
use wrong::Wrong;

/// Test mailboxes now, and follow it: what works, and who must act where it does not
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
#[command(group = ArgGroup::new("which").required(true).args(["name", "profile", "selector", "all"]))]
pub struct TestArgs {
    /// The Mailboxes' names
    #[arg(value_parser = object_name)]
    name: Vec<String>,

    /// All Mailboxes that use this profile, in whatever namespace
    #[arg(long, value_name = "[NAMESPACE/]NAME", value_parser = ProfileName::parse)]
    profile: Option<ProfileName>,

    /// The Mailboxes of the namespace with these labels, such as team=sales
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    selector: Option<String>,

    /// All Mailboxes of the namespace
    #[arg(long)]
    all: bool,

    /// How long to wait until all are tested, such as 30m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    timeout: Duration,

    /// Only ask for it, and do not wait
    #[arg(long)]
    no_wait: bool,
}

const LONG: &str = "\
Test mailboxes now, and follow it: what works, and who must act where it does not.

The command sets the annotation gmail-operator.dev/test-requested-at on each Mailbox to the present
time and shows, step by step, what the operator finds: the permission from Google, receiving, sending,
and a message from the mailbox to itself, which is put into the Trash when it has arrived. A direction
that works again is enabled again. At the end each failure is told with its reason, who must act, what
they do, when it is tried again anyway, and the server's own words.

With --profile it sets the annotation on the profile: the operator then tests each signed-in Mailbox
that uses it, a few at a time, and the profile's status tells how far it is.

A Mailbox that cannot be tested (nobody is signed in, it is suspended, its profile is not Ready) is
told at once and counts as failed; with --profile it is left out. A mailbox is tested once a minute at
most, so that a test may have to wait, and gets six test messages a day; after them the logins alone
are tested. The steps go to standard error, the result to standard output.

What fails on the way is tried again before it counts as failed, which can take longer than the command
waits: ten tries about twenty minutes, or hours where a server wants to be left alone. The test goes on
after the command has ended; kubectl gmail status tells how it ends.

It needs the rights to get, list, watch and patch Mailboxes; with --profile to get, list, watch and
patch GmailServerProfiles.";

const EXAMPLES: &str = "\
Examples:
  # One, after something was put right
  kubectl gmail test support -n crm

  # A team's, as a check in a script
  kubectl gmail test -n crm --selector team=sales --timeout 2m || echo 'somebody has to act'

  # After a change at Google, or of a firewall: all that use a profile
  kubectl gmail test --profile mail/google

Exit codes: 0 all that were tested work (with --no-wait: it is asked for), 1 one does not, could not
be tested or was not in time (or it failed), 2 wrong flags.";

/// Asks for it, and follows it.
///
/// # Errors
/// It may not be asked for, or not all work.
pub async fn run(args: TestArgs, access: &AccessFlags) -> Result<(), CommandError> {
    let namespace = access.namespace().await;
    let client = access.client().await?;
    let request = new_value();
    let all_work = match &args.profile {
        Some(profile) => {
            let name = profile.within(&namespace);
            let everybody = Everybody::ask(&client, name.clone(), &request).await?;
            match args.no_wait {
                true => output::show(&how_far(&name, access)).map(|()| true)?,
                false => everybody.follow(args.timeout).await?,
            }
        }
        None => {
            let chosen = match (args.selector, args.all) {
                (Some(selector), _) => Chosen::Selected(selector),
                (None, true) => Chosen::All,
                (None, false) => Chosen::Named(args.name.into_iter().collect()),
            };
            let named = Named {
                client: &client,
                access,
                namespace: &namespace,
                chosen,
                request: &request,
            };
            named.test((!args.no_wait).then_some(args.timeout)).await?
        }
    };
    match all_work {
        true => Ok(()),
        false => Err(CommandError::Shown),
    }
}

/// Mailboxes of one namespace.
struct Named<'a> {
    client: &'a Client,
    access: &'a AccessFlags,
    namespace: &'a str,
    chosen: Chosen,
    request: &'a str,
}

impl Named<'_> {
    /// Asks for the tests, and follows them for `timeout`, if at all. Whether all work.
    async fn test(&self, timeout: Option<Duration>) -> Result<bool, CommandError> {
        let mailboxes = self.chosen.read(self.client, self.namespace).await?;
        let (kept, names): (BTreeMap<_, _>, Vec<_>) = split(&mailboxes);
        let asked: Vec<ObjectName> = names
            .iter()
            .map(|name| ObjectName::new(self.namespace, name))
            .collect();
        ask_all(self.client, &asked, self.request).await?;
        let Some(timeout) = timeout else {
            output::show(&self.not_waited(&mailboxes, &kept, names.len()))?;
            return Ok(kept.is_empty());
        };
        let all: Vec<String> = mailboxes.iter().map(ResourceExt::name_any).collect();
        let display = Display::of(&all);
        for (name, ended) in &kept {
            display.ended(name, ended);
        }
        let tests = Tests::new(self.namespace, names.into_iter(), self.request);
        let selector = self.chosen.selector();
        let mut ended = tests
            .follow(self.client, selector, timeout, &display)
            .await?;
        drop(display);
        ended.extend(kept);
        let tested: Vec<Tested> = mailboxes
            .iter()
            .filter_map(|mailbox| tested(mailbox, &mut ended))
            .collect();
        output::show(&page(&tested))?;
        Ok(all_work(&tested))
    }

    fn not_waited(
        &self,
        mailboxes: &[Mailbox],
        kept: &BTreeMap<String, Ended>,
        asked: usize,
    ) -> Page {
        let mut page = Page::new();
        for (name, ended) in kept {
            if let Ended::NotTested(wrong) = ended {
                page.heading(&format!("{name}: cannot be tested"));
                explained(&mut page, wrong);
            }
        }
        page.heading(&match asked {
            0 => "No test was asked for.".to_owned(),
            1 => "A test of 1 Mailbox is asked for; it was not waited for.".to_owned(),
            n => format!("Tests of {n} Mailboxes are asked for; they were not waited for."),
        });
        if let ([mailbox], 1) = (mailboxes, asked) {
            let name = ObjectName::new(self.namespace, mailbox.name_any());
            page.text("To see what it found:")
                .copied(&command("status", &name, self.access));
        } else if asked > 0 {
            page.text("To see what they found:").copied(&format!(
                "kubectl gmail status{}",
                self.access.again(self.namespace)
            ));
        }
        page
    }
}

/// The Mailboxes that cannot be tested, and why; and the names of those that can.
fn split(mailboxes: &[Mailbox]) -> (BTreeMap<String, Ended>, Vec<String>) {
    let (mut kept, mut names) = (BTreeMap::new(), Vec::new());
    for mailbox in mailboxes {
        match Wrong::gate(mailbox) {
            Some(wrong) => {
                kept.insert(mailbox.name_any(), Ended::NotTested(wrong));
            }
            None => names.push(mailbox.name_any()),
        }
    }
    (kept, names)
}

/// How the test of `mailbox` ended, which is taken out of `ended`.
fn tested(mailbox: &Mailbox, ended: &mut BTreeMap<String, Ended>) -> Option<Tested> {
    let name = mailbox.name_any();
    Some(Tested {
        ended: ended.remove(&name)?,
        name: format!("{name} ({})", mailbox.spec.email_address),
    })
}

fn how_far(name: &ObjectName, access: &AccessFlags) -> Page {
    let mut page = Page::new();
    page.heading(&format!(
        "A test of each Mailbox that uses {name} is asked for; it was not waited for."
    ))
    .text("To see how far it is:")
    .copied(&format!(
        "kubectl gmail profile show {}{}",
        quoted(&name.name),
        access.again(&name.namespace)
    ));
    page
}
