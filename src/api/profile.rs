use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{HostName, LabelValue, ResourceName};

/// A GmailServerProfile describes one Google OAuth client and how its mailboxes are reached: the
/// admin's half of connecting Gmail accounts by OAuth 2.0. Mailboxes use it by name, or because it
/// is the default.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "gmail-operator.dev",
    version = "v1alpha1",
    kind = "GmailServerProfile",
    plural = "gmailserverprofiles",
    shortname = "gsp",
    category = "gmail",
    namespaced,
    status = "GmailServerProfileStatus",
    derive = "PartialEq",
    doc = "A GmailServerProfile describes one Google OAuth client and how its mailboxes are reached: the admin's half of connecting Gmail accounts by OAuth 2.0. Mailboxes use it by name, or because it is the default.",
    printcolumn(name = "Client", type_ = "string", json_path = ".status.oauthClient.projectNumber", description = "Number of the Google Cloud project that the OAuth client belongs to"),
    printcolumn(name = "Default", type_ = "boolean", json_path = ".spec.defaultForNewMailboxes", description = "Whether Mailboxes that name no profile may get this one"),
    printcolumn(name = "Mailboxes", type_ = "string", json_path = ".status.mailboxes.summary", description = "Google accounts signed in, of those that may"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Status", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Message", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].message"#, priority = 1),
    validation = kube::core::Rule::new("self.metadata.name.size() <= 63").message("the name must have at most 63 characters")
)]
#[x_kube(
    validation = ("has(self.oauthClient)", "oauthClient is required: it names the Google OAuth client by credentialsSecretRef, or by clientId and clientSecretRef")
)]
#[serde(rename_all = "camelCase")]
pub struct GmailServerProfileSpec {
    /// Mailboxes that name no profile may get this one: those of this namespace, and those of the
    /// namespaces in allowedNamespaces. Several defaults are a pool.
    #[serde(default)]
    pub default_for_new_mailboxes: bool,

    /// The Google OAuth client with which the mailboxes' owners sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_client: Option<OAuthClientSpec>,

    /// The namespaces whose Mailboxes may use this profile. Others than its own need the label
    /// gmail-operator.dev/shares-profiles: "true" on this profile's Namespace.
    #[serde(default)]
    pub allowed_namespaces: AllowedNamespaces,

    /// The addresses that may use this profile, such as "*@example.com" ("*" stands for any local
    /// part, the domain is compared whole). Absent: any address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub allowed_email_addresses: Option<Vec<AddressPattern>>,

    /// How many Google accounts may sign in. Absent: 100 unless the consent screen is Internal or
    /// verified, which is Google's own limit for each Cloud project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_mailboxes: Option<i32>,

    /// Locations and ports of the mail servers: Gmail's, unless changed.
    #[serde(default)]
    pub servers: Servers,

    /// Certificates in PEM that are trusted beside the system's, for the connections of this
    /// profile only. For private stand-ins and inspecting proxies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65536))]
    #[x_kube(validation = ("self.contains('-----BEGIN CERTIFICATE-----')", "must be one or more certificates in PEM"))]
    pub ca_bundle: Option<String>,

    /// How mail is processed: the "Advanced" settings.
    #[serde(default)]
    pub processing: Processing,

    /// Whom a mailbox's owner may ask; shown on the sign-in page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    #[x_kube(validation = ("!self.matches('[\\\\x00-\\\\x1f\\\\x7f]')", "must be one line without control characters"))]
    pub contact: Option<String>,

    /// Stops every mailbox of this profile: no token is renewed and no server is connected to.
    /// Grants stay.
    #[serde(default)]
    pub suspend: bool,
}

/// The Google OAuth client: exactly one of credentialsSecretRef, or clientId with clientSecretRef.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    validation = ("has(self.credentialsSecretRef) != (has(self.clientId) || has(self.clientSecretRef))", "name the client in one way: credentialsSecretRef (the file that Google's console downloads), or clientId and clientSecretRef"),
    validation = ("has(self.clientId) == has(self.clientSecretRef)", "clientId and clientSecretRef belong together: give both or neither"),
)]
#[serde(rename_all = "camelCase")]
pub struct OAuthClientSpec {
    /// The Secret key that holds the client_secret….json that Google's console downloads for a
    /// client of the type "Web application".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<SecretKeyRef>,

    /// The client ID, where the console's file is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = ("self.matches('^[\\\\x21-\\\\x7e]+$')", "must be the client ID as Google's console shows it, without spaces"))]
    pub client_id: Option<String>,

    /// The Secret key that holds the client secret, where the console's file is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_ref: Option<SecretKeyRef>,

    /// What was chosen on the OAuth consent screen in Google's console. Absent: not known; 100
    /// accounts may sign in, and no expiry is foretold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_screen: Option<ConsentScreen>,

    /// Where Google's OAuth endpoints are. Only for private stand-ins: hosts other than Google's are
    /// refused unless the operator's --allow-endpoint names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<OAuthEndpointsSpec>,
}

/// One key of a Secret in the same namespace. There is no namespace to give: a reference to another
/// namespace's Secret would hand it to whoever may write this object.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The Secret's name.
    pub name: ResourceName,
    /// The key in the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// What was chosen on the OAuth consent screen (Google Auth Platform: Branding and Audience).
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    validation = ("self.userType == 'External' ? has(self.publishingStatus) : !has(self.publishingStatus)", "publishingStatus is required when userType is External, and cannot be given when it is Internal"),
    validation = ("!has(self.verified) || !self.verified || (has(self.publishingStatus) && self.publishingStatus == 'InProduction')", "only an External app that is InProduction can be verified"),
    validation = ("!has(self.testUsers) || (has(self.publishingStatus) && self.publishingStatus == 'Testing')", "testUsers belong to an External app in Testing"),
)]
#[serde(rename_all = "camelCase")]
pub struct ConsentScreen {
    /// The application name that Google shows; the sign-in page shows it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 120))]
    #[x_kube(validation = ("!self.matches('[\\\\x00-\\\\x1f\\\\x7f]')", "must be one line without control characters"))]
    pub app_name: Option<String>,

    /// Internal: only accounts of the Google Workspace organisation. External: any Google account.
    pub user_type: UserType,

    /// Testing or InProduction, for an External app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishing_status: Option<PublishingStatus>,

    /// Google has verified the app for the mail scope: no limit of 100 accounts.
    #[serde(default)]
    pub verified: bool,

    /// The accounts listed as test users in the console. A Mailbox whose account is missing here says
    /// so while it waits for its sign-in; that is a warning only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100))]
    pub test_users: Option<Vec<EmailAddressText>>,
}

/// Who may use the app.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum UserType {
    /// Only accounts of the Google Workspace organisation.
    Internal,
    /// Any Google account.
    External,
}

/// Whether an External app is open to all.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PublishingStatus {
    /// Only listed test users; every sign-in ends after 7 days.
    Testing,
    /// Any account may sign in.
    InProduction,
}

/// The OAuth endpoints of a private stand-in for Google.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuthEndpointsSpec {
    /// The issuer, as in `iss`.
    pub issuer: EndpointUrl,
    /// Where a person consents.
    pub authorization: EndpointUrl,
    /// Where codes and refresh tokens are exchanged.
    pub token: EndpointUrl,
    /// Where tokens are revoked.
    pub revocation: EndpointUrl,
    /// Where the keys that sign ID tokens are published.
    pub jwks: EndpointUrl,
}

/// An https URL.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(
    extend("x-kubernetes-validations" = [{
        "rule": "isURL(self) && url(self).getScheme() == 'https'",
        "message": "must be an https URL"
    }])
)]
pub struct EndpointUrl(#[schemars(length(min = 1, max = 512))] pub String);

/// An e-mail address in a list.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(
    extend("x-kubernetes-validations" = [{
        "rule": "self.matches('^[^@\\\\s]+@[^@\\\\s]+$')",
        "message": "must be one e-mail address"
    }])
)]
pub struct EmailAddressText(#[schemars(length(min = 3, max = 254))] pub String);

/// An address, or "*@domain" for every address of a domain; "*" is allowed in the local part only.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(
    extend("x-kubernetes-validations" = [{
        "rule": "self.matches('^[^@\\\\s]+@[A-Za-z0-9.-]+$')",
        "message": "must be an address such as ann@example.com or *@example.com; '*' may stand before the '@' only"
    }, {
        "rule": "self.matches('^[A-Za-z0-9.!#$%&*+/=?^_`{|}~\\x27-]+@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?[.])+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$')",
        "message": "matches no address: the domain is compared whole, so it needs a dot and no empty part (example.com, not example), and what is before the '@' is in ASCII without quotes"
    }])
)]
pub struct AddressPattern(#[schemars(length(min = 3, max = 254))] pub String);

/// The namespaces whose Mailboxes may use a profile.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    validation = ("(self.from == 'Selector') == has(self.selector)", "selector belongs to from: Selector: give both or neither"),
)]
#[serde(rename_all = "camelCase")]
pub struct AllowedNamespaces {
    /// Same: only this profile's own. All: every namespace. Selector: those whose labels match.
    #[serde(default)]
    pub from: NamespacesFrom,
    /// Selects namespaces by their labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<NamespaceSelector>,
}

/// How namespaces are chosen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum NamespacesFrom {
    /// Only the profile's own namespace.
    #[default]
    Same,
    /// Every namespace.
    All,
    /// The namespaces whose labels match the selector.
    Selector,
}

/// A label selector; all of its requirements must hold.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels and the values they must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 20))]
    #[x_kube(
        validation = ("self.all(key, key.matches('^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$'))", "each key must be a label's, such as team or example.com/team: no Namespace can have another"),
        validation = ("self.all(key, self[key].matches('^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$'))", "each value must be a label's: letters, digits, '-', '_' and '.', at most 63, without '*'")
    )]
    pub match_labels: BTreeMap<String, LabelValue>,
    /// Requirements with an operator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub match_expressions: Vec<LabelRequirement>,
}

/// One requirement of a label selector.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    validation = ("(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)", "In and NotIn need values; Exists and DoesNotExist have none"),
    validation = ("self.key.matches('^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$')", "the key must be a label's, such as team or example.com/team: no Namespace can have another"),
    validation = ("!has(self.values) || self.values.all(value, value.matches('^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$'))", "each value must be a label's: letters, digits, '-', '_' and '.', at most 63, without '*'"),
)]
#[serde(rename_all = "camelCase")]
pub struct LabelRequirement {
    /// The label's key.
    #[schemars(length(min = 1, max = 317))]
    pub key: String,
    /// How the label is compared.
    pub operator: LabelOperator,
    /// The values for In and NotIn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub values: Option<Vec<LabelValue>>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum LabelOperator {
    /// The label has one of the values.
    In,
    /// The label has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
}

/// Locations and ports of the mail servers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Servers {
    /// Where mail is read over IMAP, with TLS from the start.
    #[serde(default)]
    pub imap: ImapServer,
    /// Where mail is read over POP3, with TLS from the start.
    #[serde(default)]
    pub pop3: Pop3Server,
    /// Where mail is sent.
    #[serde(default)]
    pub smtp: SmtpServer,
}

/// An IMAP server with TLS from the start.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImapServer {
    /// The server's name.
    #[serde(default = "default_imap_host")]
    pub host: HostName,
    /// The port: 1 to 65535.
    #[serde(default = "default_imap_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
}

/// A POP3 server with TLS from the start.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pop3Server {
    /// The server's name.
    #[serde(default = "default_pop3_host")]
    pub host: HostName,
    /// The port: 1 to 65535.
    #[serde(default = "default_pop3_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
}

/// An SMTP submission server.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[x_kube(
    validation = ("!(self.port == 465 && self.security == 'STARTTLS')", "port 465 speaks TLS from the start: use security: TLS, or port 587 with STARTTLS"),
    validation = ("!(self.port == 587 && self.security == 'TLS')", "port 587 starts in plain text: use security: STARTTLS, or port 465 with TLS"),
)]
#[serde(rename_all = "camelCase")]
pub struct SmtpServer {
    /// The server's name.
    #[serde(default = "default_smtp_host")]
    pub host: HostName,
    /// The port: 1 to 65535.
    #[serde(default = "default_smtp_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// TLS: encrypted from the start (465). STARTTLS: upgraded before anything is sent (587).
    #[serde(default)]
    pub security: SmtpSecurity,
}

/// How an SMTP connection is encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub enum SmtpSecurity {
    /// From the start.
    #[default]
    #[serde(rename = "TLS")]
    Tls,
    /// By the STARTTLS command, before anything else is sent.
    #[serde(rename = "STARTTLS")]
    StartTls,
}

// Google's names and ports: developers.google.com/workspace/gmail/imap/imap-smtp
fn default_imap_host() -> HostName {
    HostName("imap.gmail.com".into())
}
fn default_imap_port() -> i32 {
    993
}
fn default_pop3_host() -> HostName {
    HostName("pop.gmail.com".into())
}
fn default_pop3_port() -> i32 {
    995
}
fn default_smtp_host() -> HostName {
    HostName("smtp.gmail.com".into())
}
fn default_smtp_port() -> i32 {
    465
}

impl Default for ImapServer {
    fn default() -> Self {
        Self {
            host: default_imap_host(),
            port: default_imap_port(),
        }
    }
}

impl Default for Pop3Server {
    fn default() -> Self {
        Self {
            host: default_pop3_host(),
            port: default_pop3_port(),
        }
    }
}

impl Default for SmtpServer {
    fn default() -> Self {
        Self {
            host: default_smtp_host(),
            port: default_smtp_port(),
            security: SmtpSecurity::Tls,
        }
    }
}

/// How mail is processed.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Processing {
    /// Mail older than this is left alone. This and the Mailbox's own: the later counts; neither:
    /// the Mailbox's creation. Decided at the first sign-in of an account and kept from then on; no
    /// mail is moved yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = ("self >= timestamp('2004-04-01T00:00:00Z') && self < timestamp('2100-01-01T00:00:00Z')", "must be a time between 2004-04-01 and 2100-01-01"))]
    pub process_emails_from: Option<Time>,

    /// How long to wait between looking for mail: 0s (as often as allowed) to 24h; never under 60s
    /// with IMAP and 300s with POP3. Not yet acted on: the operator moves no mail yet.
    #[serde(default = "default_polling_interval")]
    #[schemars(length(min = 2, max = 32))]
    #[x_kube(validation = ("self.matches('^([0-9]{1,8}(ms|s|m|h)){1,4}$') && duration(self) <= duration('24h')", "must be a duration from 0s to 24h, such as 90s or 1h30m"))]
    pub min_polling_interval: String,

    /// How many connections of this profile may log in or transfer at once: 1 to 300. One Google
    /// account has at most 2 of them, over all profiles: Gmail allows 15 over IMAP, which its
    /// owner's own mail programs use too.
    #[serde(default = "default_connections")]
    #[schemars(range(min = 1, max = 300))]
    pub max_concurrent_connections: i32,

    /// How long a server may take to answer before the connection is given up: 1s to 100s.
    #[serde(default = "default_connection_timeout")]
    #[schemars(length(min = 2, max = 32))]
    #[x_kube(validation = ("self.matches('^([0-9]{1,8}(ms|s|m|h)){1,4}$') && duration(self) >= duration('1s') && duration(self) <= duration('100s')", "must be a duration from 1s to 100s, such as 30s"))]
    pub connection_timeout: String,
}

fn default_polling_interval() -> String {
    "5m".into()
}
fn default_connections() -> i32 {
    10
}
fn default_connection_timeout() -> String {
    "30s".into()
}

impl Default for Processing {
    fn default() -> Self {
        Self {
            process_emails_from: None,
            min_polling_interval: default_polling_interval(),
            max_concurrent_connections: default_connections(),
            connection_timeout: default_connection_timeout(),
        }
    }
}

/// What the operator found out about a profile.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GmailServerProfileStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What to paste into Google's console, and which client is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_client: Option<OAuthClientStatus>,
    /// How many mailboxes use this profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailboxes: Option<MailboxCounts>,
    /// The newest test of all of its Mailboxes, for which the annotation
    /// gmail-operator.dev/test-requested-at asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<ProfileTestStatus>,
    /// Ready, Accepted, CredentialsAccepted, RedirectRegistered, CapacityAvailable and
    /// MailboxesHealthy.
    #[serde(default)]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// What to paste into Google's console, and which client is used.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuthClientStatus {
    /// The client ID that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The number of the Google Cloud project that the client belongs to: what stands before the
    /// first dash of the client ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_number: Option<String>,
    /// For "Authorised redirect URIs", exactly as they stand here.
    #[serde(default, rename = "redirectURIs")]
    pub redirect_uris: Vec<String>,
    /// For "Authorised JavaScript origins"; Google does not need it for this flow.
    #[serde(
        default,
        rename = "javaScriptOrigin",
        skip_serializing_if = "Option::is_none"
    )]
    pub java_script_origin: Option<String>,
    /// For "Authorised domains" on the consent screen's Branding page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorized_domain: Option<String>,
}

/// How many mailboxes use a profile.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxCounts {
    /// Mailboxes that use this profile.
    pub assigned: i32,
    /// Of those: signed in.
    pub signed_in: i32,
    /// Of those: Ready.
    pub ready: i32,
    /// How many Google accounts may sign in. Absent: Google sets no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<i32>,
    /// Signed in, of those that may: "41/100", or "41" without a limit.
    pub summary: String,
}

/// A test of each Mailbox that uses a profile, and how far it is. What becomes of the Mailboxes after
/// its end is no part of it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileTestStatus {
    /// The annotation's value that is answered; of a long one, a digest.
    pub request: String,
    /// When the operator saw it.
    pub started_at: Time,
    /// Mailboxes that are tested: those that are signed in and not suspended.
    pub mailboxes: i32,
    /// Of those: tested to an end.
    pub tested: i32,
    /// Of those: a direction that is used does not work, or Google has ended the sign-in.
    pub failing: i32,
    /// When all of them were tested, or the profile stopped serving them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
}
