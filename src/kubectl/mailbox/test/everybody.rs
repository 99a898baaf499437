//! All Mailboxes that use a profile: its annotation, and the progress in its status.

use std::time::Duration;

use kube::{Api, Client, ResourceExt};

use super::request::ask;
use super::story::{Ended, Story};
use super::summary::{Tested, failures};
use super::wrong::Wrong;
use crate::api::{
    GmailServerProfile, Mailbox, MailboxCondition, ProfileCondition, ProfileTestStatus,
};
use crate::domain::name::ObjectName;
use crate::domain::test_request::is_answered;
use crate::kubectl::conditions::reason;
use crate::kubectl::error::CommandError;
use crate::kubectl::list::list;
use crate::kubectl::mailbox::holds;
use crate::kubectl::names::object_name;
use crate::kubectl::output::{self, Progress};
use crate::kubectl::page::safe;
use crate::kubectl::profile::{condition, read, test_in_numbers};
use crate::kubectl::watch::{self, until_decided};

/// A profile, in its namespace or in the one that the other flags lead to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProfileName {
    namespace: Option<String>,
    name: String,
}

impl ProfileName {
    /// `NAMESPACE/NAME`, or `NAME`.
    ///
    /// # Errors
    /// What a name is made of.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(object_name(namespace)?), name),
            None => (None, text),
        };
        Ok(Self {
            namespace,
            name: object_name(name)?,
        })
    }

    /// In full, where `namespace` is that of the other flags.
    pub fn within(&self, namespace: &str) -> ObjectName {
        ObjectName::new(
            self.namespace.as_deref().unwrap_or(namespace),
            self.name.as_str(),
        )
    }
}

/// A test of each Mailbox that uses a profile.
pub struct Everybody<'a> {
    client: &'a Client,
    profile: ObjectName,
    request: &'a str,
}

impl<'a> Everybody<'a> {
    /// Asks for it.
    ///
    /// # Errors
    /// The profile is not there, not Ready, or may not be changed.
    pub async fn ask(
        client: &'a Client,
        profile: ObjectName,
        request: &'a str,
    ) -> Result<Self, CommandError> {
        let Some(found) = read(client, &profile).await? else {
            return Err(CommandError::Failed(format!(
                "there is no GmailServerProfile {} in the namespace {}: `kubectl get gmailserverprofiles --all-namespaces` lists what there is",
                profile.name, profile.namespace
            )));
        };
        if let Some(why) = not_ready(&profile, &found) {
            return Err(CommandError::Failed(why));
        }
        ask::<GmailServerProfile>(client, "GmailServerProfile", &profile, request).await?;
        Ok(Self {
            client,
            profile,
            request,
        })
    }

    /// Follows it for at most `timeout`, and shows how it ended. Whether all that were tested work.
    ///
    /// # Errors
    /// It was not over in time, or cannot be followed.
    pub async fn follow(&self, timeout: Duration) -> Result<bool, CommandError> {
        let api: Api<GmailServerProfile> =
            Api::namespaced(self.client.clone(), &self.profile.namespace);
        let progress = Progress::start();
        let name = &self.profile;
        let judge = |profile: &GmailServerProfile| judge(profile, self.request);
        let ended =
            until_decided(api, "GmailServerProfile", name, timeout, &progress, judge).await?;
        drop(progress);
        match ended {
            watch::Ended::Decided(test) => self.tell(&test).await,
            watch::Ended::Gone => Err(CommandError::Failed(format!(
                "the GmailServerProfile {name} was deleted while it was waited for"
            ))),
            watch::Ended::Undecided(last) => Err(CommandError::Failed(format!(
                "the test of the Mailboxes of {name} was not over within {} s. It was waited for {}. It goes on: status.test of the profile tells how far it is",
                timeout.as_secs(),
                safe(&last)
            ))),
        }
    }

    async fn tell(&self, test: &ProfileTestStatus) -> Result<bool, CommandError> {
        let users = match test.failing {
            0 => Vec::new(),
            _ => self.mailboxes().await?,
        };
        let wrong: Vec<Tested> = users
            .iter()
            .filter_map(|mailbox| self.wrong(mailbox, &test.request))
            .collect();
        if let Some(why) = not_all(&self.profile, test) {
            return Err(CommandError::Failed(why));
        }
        let mut text = failures(&wrong);
        text.heading(&format!("{}: {}.", self.profile, test_in_numbers(test)));
        output::show(&text)?;
        Ok(test.failing == 0)
    }

    /// All Mailboxes that may be listed: those of the cluster, else those beside the profile.
    async fn mailboxes(&self) -> Result<Vec<Mailbox>, CommandError> {
        let everywhere = Api::<Mailbox>::all(self.client.clone());
        match list(everywhere, "Mailboxes", None, None).await {
            Err(error) if error.is_forbidden() => {}
            listed => return Ok(listed?),
        }
        let namespace = &self.profile.namespace;
        let beside = Api::<Mailbox>::namespaced(self.client.clone(), namespace);
        match list(beside, "Mailboxes", Some(namespace), None).await {
            Err(error) if error.is_forbidden() => Ok(Vec::new()),
            listed => Ok(listed?),
        }
    }

    /// How the test of `mailbox` ended, where it is of this profile, was tested and does not work.
    fn wrong(&self, mailbox: &Mailbox, request: &str) -> Option<Tested> {
        let status = mailbox.status.as_ref()?;
        let used = status.profile.as_ref()?;
        let ours = used.name == self.profile.name
            && used.namespace == self.profile.namespace
            && status.last_handled_profile_test_request.as_deref() == Some(request);
        let ended = match (ours, holds(mailbox, MailboxCondition::Ready)) {
            (false, _) => None,
            (true, false) => Some(Ended::Fails(Wrong::of(mailbox))),
            // It was on before, and stays on until a failure has come again and again.
            (true, true) => match Story::late("is tried again after a pause", Some(mailbox)) {
                Ended::Late(_, None) => None,
                late => Some(late),
            },
        };
        let name = ObjectName::new(mailbox.namespace().unwrap_or_default(), mailbox.name_any());
        ended.map(|ended| Tested {
            name: format!("{name} ({})", mailbox.spec.email_address),
            ended,
        })
    }
}

/// Why `test` was not one of all Mailboxes.
fn not_all(name: &ObjectName, test: &ProfileTestStatus) -> Option<String> {
    match test.mailboxes {
        0 => Some(format!(
            "no Mailbox was tested: none that uses the GmailServerProfile {name} is signed in and not suspended. `kubectl gmail status -A` tells who must act"
        )),
        mailboxes if test.tested < mailboxes => Some(format!(
            "the GmailServerProfile {name} was suspended, or is not right any more, before all were tested: {}. `kubectl gmail profile show` tells why",
            test_in_numbers(test)
        )),
        _ => None,
    }
}

/// Why no Mailbox of it can be tested now.
fn not_ready(name: &ObjectName, profile: &GmailServerProfile) -> Option<String> {
    let ready = condition(profile.status.as_ref(), ProfileCondition::Ready);
    let Some(ready) = ready else {
        return Some(format!(
            "nothing is said of the GmailServerProfile {name} yet: does the operator run, and does it look after this namespace?"
        ));
    };
    if ready.status == "True" {
        return None;
    }
    let who = reason(ready).map(|reason| format!(" Who must act: {}.", reason.who().words()));
    Some(format!(
        "the GmailServerProfile {name} is not Ready, so none of its Mailboxes can be tested. {}: {}{}",
        safe(&ready.reason),
        safe(&ready.message),
        who.unwrap_or_default()
    ))
}

fn judge(profile: &GmailServerProfile, request: &str) -> watch::Verdict<ProfileTestStatus> {
    let test = profile.status.as_ref().and_then(|s| s.test.as_ref());
    let annotations = profile.annotations();
    match test.filter(|test| is_answered(request, &test.request, annotations)) {
        Some(test) if test.finished_at.is_some() => watch::Verdict::Decided(test.clone()),
        Some(test) => watch::Verdict::Waiting(format!(
            "the test of its Mailboxes: {}",
            test_in_numbers(test)
        )),
        None => watch::Verdict::Waiting("the operator to begin".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_named_with_or_without_its_namespace() {
        let within =
            |text: &str| ProfileName::parse(text).map(|name| name.within("crm").to_string());
        assert_eq!(within("google"), Ok("crm/google".to_owned()));
        assert_eq!(within("mail/google"), Ok("mail/google".to_owned()));
        for bad in ["", "/google", "mail/", "a/b/c", "Mail/google"] {
            assert!(within(bad).is_err(), "{bad}");
        }
    }
}
