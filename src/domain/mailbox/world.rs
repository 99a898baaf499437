use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::binding::Binding;
use super::spec::{BadSpec, ValidSpec};
use super::test::{Retry, TestView};
use crate::api::Reason;
use crate::domain::address::EmailAddress;
use crate::domain::console::SignInPage;
use crate::domain::grant::{Grant, KnownEnd, MessageLimit, Messages};
use crate::domain::name::ObjectName;
use crate::domain::profile::Audience;
use crate::domain::server::MailServers;

/// All that a decision about one Mailbox rests on.
#[derive(Clone, Debug)]
pub struct World {
    /// Now.
    pub now: Timestamp,
    /// The Mailbox's uid.
    pub uid: String,
    /// The spec, or why it is not usable.
    pub spec: Result<ValidSpec, BadSpec>,
    /// The annotation that asks for a test.
    pub test_request: Option<String>,
    /// The newest value of it that was answered.
    pub answered_request: Option<String>,
    /// The annotation on the profile that asks for a test of each of its Mailboxes.
    pub profile_test_request: Option<String>,
    /// The newest value of it that was answered.
    pub answered_profile_request: Option<String>,
    /// The annotation that ends every sign-in that was given before this.
    pub sign_out_request: Option<Timestamp>,
    /// The profile.
    pub profile: ProfileView,
    /// The grant.
    pub grant: GrantView,
    /// Its account's place.
    pub place: Place,
    /// Where to sign in.
    pub sign_in_page: SignInPage,
    /// The newest test and what it found: from status, or from this process where it knows more.
    pub test: TestView,
    /// Tries of the renewal that could not be made.
    pub renewal: Retry,
    /// What keeps the running test from going on, though it is not the mailbox's fault.
    pub hold: Option<Hold>,
    /// A test is due and waits for a connection's place.
    pub waits: bool,
    /// Tries of the reminder that could not be sent.
    pub reminder: Retry,
    /// The Secret for workloads.
    pub binding: Binding,
    /// How long to wait for what.
    pub times: Times,
}

/// The waits that decisions need.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Between two tests of a mailbox that works.
    pub retest: Duration,
    /// Before a direction that failed for good is looked at again.
    pub retest_failed: Duration,
    /// Before the first new try of what could not be done.
    pub backoff_first: Duration,
    /// The longest wait between tries.
    pub backoff_longest: Duration,
    /// Before the first new try where the server wants fewer tries.
    pub pause_first: Duration,
    /// The longest wait between tries where the server wants fewer.
    pub pause_longest: Duration,
    /// Between two logins over POP3, unless a person asks for the second.
    pub pop3_gap: Duration,
    /// Between the beginnings of two tests that a person asks for.
    pub between_requested_tests: Duration,
    /// How many test messages a Mailbox gets.
    pub messages: MessageLimit,
    /// How many transient failures in a row turn a direction off.
    pub tries: u32,
    /// An access token older than this proves nothing about the grant.
    pub proof_age: Duration,
    /// How long before a sign-in ends its conditions warn.
    pub warn_before_end: Duration,
    /// The same for one that ends because nothing uses it: somebody else than its owner must act.
    pub warn_before_idle_end: Duration,
    /// How long before a sign-in ends its owner is reminded.
    pub remind_before_end: Duration,
    /// Before a Secret that stands where the one for workloads should is looked at again.
    pub look_at_foreign_secret: Duration,
    /// Between two looks at the Secret for workloads.
    pub look_at_own_secret: Duration,
}

/// Why a test is held: the access token cannot be proved, which is the profile's fault or Google's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hold {
    /// [`Reason::GoogleUnavailable`], or that for which the profile cannot renew tokens.
    pub reason: Reason,
    /// In words; empty where the Mailbox may not be told.
    pub detail: String,
}

/// A Mailbox's profile as it sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProfileView {
    /// None serves it.
    NotServed {
        /// [`Reason::NoDefaultProfile`], [`Reason::ProfileNotFound`],
        /// [`Reason::AddressNotAllowed`], [`Reason::ProfileNotAvailable`] or
        /// [`Reason::CapacityReached`].
        reason: Reason,
        /// The profile that does not, where the Mailbox may be told about it.
        about: Option<ObjectName>,
    },
    /// It is there and not Ready.
    NotReady {
        /// Which.
        name: ObjectName,
        /// [`Reason::ProfileSuspended`], [`Reason::ProfileNotReady`] or [`Reason::NotChecked`].
        reason: Reason,
        /// What it says itself; empty for a profile of another namespace.
        detail: String,
    },
    /// It may be used.
    Ready(Box<ProfileFacts>),
}

/// What a Mailbox needs of a profile that is Ready.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProfileFacts {
    /// Which.
    pub name: ObjectName,
    /// The OAuth client's ID.
    pub client_id: String,
    /// Where its OAuth server takes tokens.
    pub token_endpoint: Box<Url>,
    /// The mail servers.
    pub servers: MailServers,
    /// How many connections its mailboxes may have at once: 1 to 300.
    pub max_connections: usize,
    /// Who may sign in.
    pub audience: Audience,
    /// A digest of what else matters to a test: the CA bundle.
    pub trust: String,
    /// How many Google accounts its Google Cloud project may have; `None`: no limit.
    pub capacity: Option<usize>,
}

/// A Mailbox's place among the Google accounts that its profile's project may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The grant holds one, or none is needed.
    Held,
    /// There is one to be had.
    Free,
    /// All are taken.
    Full,
}

impl ProfileFacts {
    /// Whether a grant to `client_id` at `token_endpoint` is of this profile's client and server:
    /// with any other it is of no use, and its tokens must not get there.
    pub fn gave(&self, client_id: &str, token_endpoint: &Url) -> bool {
        self.client_id == client_id && *self.token_endpoint == *token_endpoint
    }
}

impl ProfileView {
    /// None serves it.
    pub fn not_served(reason: Reason, about: Option<ObjectName>) -> Self {
        ProfileView::NotServed { reason, about }
    }

    /// How many Google accounts its project may have, where it is Ready and there is a limit.
    pub fn capacity(&self) -> Option<usize> {
        match self {
            ProfileView::Ready(facts) => facts.capacity,
            _ => None,
        }
    }

    /// The profile's name, where one is in use.
    pub fn name(&self) -> Option<&ObjectName> {
        match self {
            ProfileView::NotServed { .. } => None,
            ProfileView::NotReady { name, .. } => Some(name),
            ProfileView::Ready(facts) => Some(&facts.name),
        }
    }
}

/// A Mailbox's grant as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GrantView {
    /// Nobody is signed in: there is none, its owner has signed out, or has not said yet that the
    /// account may move here from another Mailbox.
    Absent,
    /// A Mailbox of the same name and address, which is gone, left one.
    Adoptable {
        /// The uid of the Mailbox that left it.
        from: String,
        /// The client that it was granted to.
        client_id: String,
        /// The server that gave it.
        token_endpoint: Url,
    },
    /// There is something that is not a grant.
    Unreadable,
    /// Google has ended it.
    Ended {
        /// Why.
        reason: Reason,
        /// Who had signed in.
        account: EmailAddress,
        /// When.
        signed_in_at: Timestamp,
    },
    /// It is there.
    Held(Held),
}

/// A grant that Google has not ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Who signed in.
    pub account: EmailAddress,
    /// The client that it was granted to.
    pub client_id: String,
    /// The server that gave it.
    pub token_endpoint: Box<Url>,
    /// When.
    pub signed_in_at: Timestamp,
    /// When Google will end it, where that was known at the sign-in.
    pub ends: Option<KnownEnd>,
    /// When the access token was got.
    pub access_issued_at: Timestamp,
    /// When the access token ends.
    pub access_expires_at: Timestamp,
    /// When the access token is to be renewed.
    pub renew_at: Timestamp,
    /// The test messages that may have been sent.
    pub messages: Messages,
    /// The end that its owner may have been reminded of.
    pub reminded_for: Option<Timestamp>,
    /// When its owner last asked for a test.
    pub test_requested_at: Option<Timestamp>,
}

impl From<&Grant> for GrantView {
    fn from(grant: &Grant) -> Self {
        if !grant.is_in_use() {
            return GrantView::Absent;
        }
        let account = grant.account.email.clone();
        match grant.ended {
            Some(end) => GrantView::Ended {
                reason: end.reason,
                account,
                signed_in_at: grant.signed_in_at,
            },
            None => GrantView::Held(Held {
                account,
                client_id: grant.client_id.clone(),
                token_endpoint: Box::new(grant.token_endpoint.clone()),
                signed_in_at: grant.signed_in_at,
                ends: grant.ends,
                access_issued_at: grant.access.issued_at,
                access_expires_at: grant.access.expires_at,
                renew_at: grant.renew_at(),
                messages: grant.messages.clone(),
                reminded_for: grant.reminded_for,
                test_requested_at: grant.test_requested_at,
            }),
        }
    }
}

impl World {
    /// The same, later.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Whether the account that signed in needs a place that it does not hold yet.
    pub fn wants_place(&self) -> bool {
        self.place == Place::Free && self.fitting_grant().is_some()
    }

    /// The grant, where it can be used now: it fits, and its account holds a place.
    pub fn usable_grant(&self) -> Option<(&Held, &ProfileFacts, &ValidSpec)> {
        self.fitting_grant().filter(|_| self.place == Place::Held)
    }

    /// The grant, where the profile's client can use it and it is of the account that this Mailbox
    /// is for.
    fn fitting_grant(&self) -> Option<(&Held, &ProfileFacts, &ValidSpec)> {
        match (&self.grant, &self.profile, &self.spec) {
            (GrantView::Held(held), ProfileView::Ready(profile), Ok(spec))
                if profile.gave(&held.client_id, &held.token_endpoint)
                    && held.account.is_same_account(&spec.account)
                    && !spec.suspended =>
            {
                Some((held, profile, spec))
            }
            _ => None,
        }
    }
}
