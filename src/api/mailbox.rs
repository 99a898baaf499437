use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use super::Reason;
use super::bounds::ResourceName;

/// A Mailbox is one Gmail account that its owner signs in to once: the mailbox user's half of
/// connecting Gmail accounts by OAuth 2.0.
#[derive(Clone, CustomResource, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "gmail-operator.dev",
    version = "v1alpha1",
    kind = "Mailbox",
    plural = "mailboxes",
    shortname = "mbx",
    category = "gmail",
    namespaced,
    status = "MailboxStatus",
    derive = "PartialEq",
    doc = "A Mailbox is one Gmail account that its owner signs in to once: the mailbox user's half of connecting Gmail accounts by OAuth 2.0. From then on it is kept authorised, tested and enabled; status says what is wrong, who must act and what to do.",
    printcolumn(name = "Email", type_ = "string", json_path = ".spec.emailAddress"),
    printcolumn(name = "Profile", type_ = "string", json_path = ".status.profileName"),
    printcolumn(name = "Incoming", type_ = "string", json_path = ".status.incoming.state"),
    printcolumn(name = "Outgoing", type_ = "string", json_path = ".status.outgoing.state"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Status", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Sign-In", type_ = "string", json_path = ".status.signIn.url", priority = 1),
    printcolumn(name = "Account", type_ = "string", json_path = ".status.signIn.account", priority = 1),
    printcolumn(name = "Since", type_ = "date", json_path = ".status.signIn.signedInAt", priority = 1),
    printcolumn(name = "Last-Test", type_ = "date", json_path = ".status.test.finishedAt", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].message"#, priority = 1),
    validation = kube::core::Rule::new("self.metadata.name.size() <= 63").message("the name must have at most 63 characters")
)]
#[x_kube(
    validation = ("!has(oldSelf.googleAccount) || (has(self.googleAccount) && self.googleAccount == oldSelf.googleAccount)", "googleAccount cannot be changed or removed once it is set: make a new Mailbox instead"),
    validation = ("self.incoming.method != 'None' || self.outgoing.method != 'None'", "incoming and outgoing cannot both be None: use at least one direction"),
    validation = ("has(self.accessTokenSecret) || (self.incoming.method != 'External' && self.outgoing.method != 'External')", "the method External needs accessTokenSecret: without it the other program has no token"),
)]
#[serde(rename_all = "camelCase")]
pub struct MailboxSpec {
    /// The mailbox's address. It cannot be changed.
    #[schemars(length(min = 3, max = 254))]
    #[x_kube(
        validation = ("self.matches(\"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$\")", "must be one e-mail address such as ann@example.com, in ASCII (an international domain as xn--)"),
        validation = ("self == oldSelf", "emailAddress cannot be changed: make a new Mailbox instead")
    )]
    pub email_address: String,

    /// The Google account that signs in, where emailAddress is an alias of it. It can be set once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 254))]
    #[x_kube(validation = ("self.matches(\"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$\")", "must be one e-mail address such as ann@example.com, in ASCII (an international domain as xn--)"))]
    pub google_account: Option<String>,

    /// The GmailServerProfile to use. Absent: the default profile of this namespace, else one that
    /// is offered to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_ref: Option<ProfileRef>,

    /// How mail is received.
    #[serde(default)]
    pub incoming: Incoming,

    /// How mail is sent.
    #[serde(default)]
    pub outgoing: Outgoing,

    /// A Secret in this namespace from which workloads take a fresh access token: made at the sign-in,
    /// with the keys of the Service Binding specification and `access-token`, `expires-at` and
    /// `xoauth2`, and updated at least five minutes before the token ends. It never has the refresh
    /// token. While the token may not be used, these three keys are gone from it. A Secret of that
    /// name that is not this Mailbox's is left alone. Required with the method External.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_secret: Option<SecretNameRef>,

    /// What the mailbox is for; its owner reads it on the sign-in page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    #[x_kube(validation = ("!self.matches('[\\\\x00-\\\\x1f\\\\x7f]')", "must be one line without control characters"))]
    pub purpose: Option<String>,

    /// Mail older than this is left alone. This and the profile's: the later counts; neither: this
    /// Mailbox's creation. Decided at the first sign-in of an account and kept from then on; no mail
    /// is moved yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = ("self >= timestamp('2004-04-01T00:00:00Z') && self < timestamp('2100-01-01T00:00:00Z')", "must be a time between 2004-04-01 and 2100-01-01"))]
    pub process_emails_from: Option<Time>,

    /// ToSelf: the first test after a sign-in sends the mailbox its owner's receipt and looks for it, and
    /// a test that a person asks for sends a message that goes to Trash: at most six a day. None: no
    /// message is ever sent.
    #[serde(default)]
    pub test_message: TestMessage,

    /// ToSelf: two days before a sign-in is known to end, as each does after 7 days while an app is in
    /// Testing, the mailbox gets one message with the sign-in page, also where mail is not sent
    /// otherwise. None: no message.
    #[serde(default)]
    pub reminders: Reminders,

    /// Nothing is sent to Google or a mail server while this is true. Secrets stay.
    #[serde(default)]
    pub suspend: bool,

    /// What becomes of the grant when this Mailbox is deleted. Delete: our copy goes. Retain: it
    /// waits for a Mailbox of the same namespace, name and address. Revoke: it is revoked at Google
    /// too, unless another Mailbox needs it: Google ends with it every access of that account to
    /// clients of the same Google Cloud project. A few tries are made, and then it is deleted anyway.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

/// Names a GmailServerProfile.
#[derive(
    Clone, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "camelCase")]
pub struct ProfileRef {
    /// The profile's name.
    pub name: ResourceName,
    /// The profile's namespace. Absent: the Mailbox's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<ResourceName>,
}

/// Names a Secret in the same namespace.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretNameRef {
    /// The Secret's name.
    pub name: ResourceName,
}

/// How mail is received.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Incoming {
    /// ServerSideSync: the operator receives the mail (not yet: it tests and keeps access).
    /// External: another program does, with accessTokenSecret. None: mail is not received.
    #[serde(default)]
    pub method: Method,
    /// The protocol: IMAP or POP3. Over POP3 the test logs in and looks at nothing but the count of
    /// messages.
    #[serde(default)]
    pub protocol: IncomingProtocol,
}

/// How mail is sent.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outgoing {
    /// ServerSideSync: the operator sends the mail (not yet: it tests and keeps access). External:
    /// another program does, with accessTokenSecret. None: mail is not sent.
    #[serde(default)]
    pub method: Method,
}

/// Who moves the mail of a direction.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum Method {
    /// The operator.
    #[default]
    ServerSideSync,
    /// Another program, with the access-token Secret.
    External,
    /// Nobody.
    None,
}

/// The protocol with which mail is received.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum IncomingProtocol {
    /// IMAP4rev1.
    #[default]
    #[serde(rename = "IMAP")]
    Imap,
    /// POP3.
    #[serde(rename = "POP3")]
    Pop3,
}

/// Whether a test that a person asked for sends a message.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum TestMessage {
    /// To the mailbox itself.
    #[default]
    ToSelf,
    /// Never.
    None,
}

/// Whether the mailbox is told before its sign-in ends.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum Reminders {
    /// By a message to the mailbox itself.
    #[default]
    ToSelf,
    /// Never.
    None,
}

/// What becomes of the grant when the Mailbox is deleted.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Deserialize,
    Display,
    EnumString,
    Eq,
    Hash,
    JsonSchema,
    PartialEq,
    Serialize,
)]
pub enum DeletionPolicy {
    /// Our copy is deleted.
    #[default]
    Delete,
    /// It waits for a Mailbox that comes back.
    Retain,
    /// It is revoked at Google, then deleted.
    Revoke,
}

/// What the operator found out about a Mailbox.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The profile in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileInUse>,
    /// The profile in use, as "namespace/name".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_name: Option<String>,
    /// Where to sign in, and who did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignInStatus>,
    /// The newest test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestStatus>,
    /// The newest value of the annotation gmail-operator.dev/test-requested-at whose test has
    /// started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_test_request: Option<String>,
    /// The same of the annotation on the profile, which asks for a test of each of its Mailboxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_profile_test_request: Option<String>,
    /// The Secret for workloads, once it is there, as the Service Binding specification wants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<SecretNameRef>,
    /// Receiving mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<DirectionStatus>,
    /// Sending mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing: Option<DirectionStatus>,
    /// Ready, Accepted, ProfileReady, SignedIn, IncomingReady and OutgoingReady.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// The profile that a Mailbox uses.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileInUse {
    /// The profile's name.
    pub name: String,
    /// The profile's namespace.
    pub namespace: String,
}

/// Where to sign in, and who did.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInStatus {
    /// The page on which the mailbox's owner signs in. Absent where the operator has no public URL:
    /// then `kubectl gmail link NAME --port-forward` opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the owner signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_in_at: Option<Time>,
    /// The Google account that signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When the sign-in will end, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The newest sign-in that was refused. It stays beside a later one that was not: compare its
    /// time with signedInAt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<SignInAttempt>,
}

/// A sign-in that was refused.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInAttempt {
    /// When.
    pub at: Time,
    /// Why.
    pub reason: Reason,
}

/// One test: token, incoming, outgoing, round trip.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestStatus {
    /// Names the test; the Message-ID of its message is made from it.
    pub id: String,
    /// Why it was made.
    pub requested_by: TestRequestedBy,
    /// When it started.
    pub started_at: Time,
    /// The step that is running, or was the last.
    pub step: TestStep,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// A digest of the settings that were tested: when they change, so does the answer.
    pub settings: String,
}

/// Why a test is made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum TestRequestedBy {
    /// The owner signed in.
    SignIn,
    /// Something that matters changed.
    Change,
    /// The annotation gmail-operator.dev/test-requested-at.
    Annotation,
    /// The button on the sign-in page.
    Page,
    /// It was time: once a day, or to see whether a failure is over.
    Schedule,
}

/// A step of a test.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
pub enum TestStep {
    /// Is there an access token, for the right account, that may read and send mail?
    Token,
    /// Can mail be read?
    Incoming,
    /// Does the server let us send?
    Outgoing,
    /// Does a message that was sent arrive?
    RoundTrip,
}

/// One direction: receiving or sending.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectionStatus {
    /// The result of the newest test. Failure whenever the direction is turned off by one.
    pub state: DirectionState,
    /// Whether the direction may be used now.
    pub enabled: bool,
    /// When it was last tested to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested_at: Option<Time>,
    /// The newest failure; it stays beside a later success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<DirectionError>,
    /// What was noticed although the direction works: ArrivedInSpam or RoundTripUnproved by the newest
    /// test message, MessagesUsedUp by the newest test. While the direction is off: what the newest test
    /// message met, so that only a message turns it on again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Reason>,
    /// More of what was noticed, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark_message: Option<String>,
}

/// The result of a direction's newest test.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum DirectionState {
    /// Its method is None.
    NotUsed,
    /// It has not been tested.
    NotRun,
    /// It is being tested.
    Running,
    /// It works.
    Success,
    /// It does not work.
    Failure,
}

/// A failure of one direction.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectionError {
    /// When this reason was first seen.
    pub at: Time,
    /// Why, from the closed set of reasons.
    pub reason: Reason,
    /// What happened and what to do.
    pub message: String,
    /// The server's own words, bounded and without secrets or session ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_reply: Option<String>,
}
