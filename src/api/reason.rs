//! Why a condition is as it is: a closed set, each with its meaning, who must act, and what to do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// Who can put a reason right.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Actor {
    /// Whoever runs the cluster and the profile.
    PlatformAdmin,
    /// Whoever administers the Google Workspace organisation.
    WorkspaceAdmin,
    /// The team that wrote the Mailbox.
    AppTeam,
    /// Whoever wrote the object that the condition stands on: either kind has the reason.
    Author,
    /// The mailbox's owner, with a browser.
    MailboxUser,
    /// Nobody: it is right, or the operator goes on by itself.
    Nobody,
}

impl Actor {
    /// At the beginning of a sentence that tells what to do.
    pub fn title(self) -> &'static str {
        match self {
            Actor::PlatformAdmin => "Platform admin",
            Actor::WorkspaceAdmin => "Google Workspace admin",
            Actor::AppTeam => "App team",
            Actor::Author => "Whoever wrote this object",
            Actor::MailboxUser => "Mailbox user",
            Actor::Nobody => "Nobody",
        }
    }

    /// In words, for messages and documents.
    pub fn words(self) -> &'static str {
        match self {
            Actor::PlatformAdmin => "platform admin",
            Actor::WorkspaceAdmin => "Google Workspace admin",
            Actor::AppTeam => "app team that wrote the Mailbox",
            Actor::Author => "whoever wrote the object",
            Actor::MailboxUser => "mailbox user",
            Actor::Nobody => "nobody",
        }
    }
}

macro_rules! reasons {
    ($($name:ident, $who:ident, $meaning:literal, $cure:literal;)*) => {
        /// The reason of a condition, of an Event, or of a refused sign-in.
        #[derive(
            Clone, Copy, Debug, Deserialize, Display, EnumIter, EnumString, Eq, Hash, IntoStaticStr, JsonSchema,
            Ord, PartialEq, PartialOrd, Serialize,
        )]
        pub enum Reason {
            $(#[doc = $meaning] $name,)*
        }

        impl Reason {
            /// Who must act.
            pub fn who(self) -> Actor {
                match self { $(Reason::$name => Actor::$who,)* }
            }

            /// What it means, in a sentence without its end.
            pub fn meaning(self) -> &'static str {
                match self { $(Reason::$name => $meaning,)* }
            }

            /// What to do, in a sentence without its end; empty where there is nothing to do.
            pub fn cure(self) -> &'static str {
                match self { $(Reason::$name => $cure,)* }
            }
        }
    };
}

impl Reason {
    /// Whether it warns of what is still right.
    pub fn is_warning(self) -> bool {
        matches!(self, Reason::CapacityLow | Reason::SignInEndsSoon)
    }

    /// As it stands in a condition.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

reasons! {
    // Right.
    Accepted, Nobody, "The object and what it refers to are right", "";
    Enabled, Nobody, "Tested and enabled", "";
    ProfileReady, Nobody, "The profile is Ready and serves this Mailbox", "";
    ProfileReadyInTesting, PlatformAdmin, "Mailboxes can sign in, but the app is in Testing: Google ends each sign-in after 7 days", "Publish the app or make it Internal in Google's console, say so in consentScreen, and let each owner sign in once more";
    SignedIn, Nobody, "The owner has signed in and Google accepts the grant", "";
    SignInEndsSoon, MailboxUser, "The sign-in works and will soon end by itself", "Sign in again before then";
    SignInOnceMore, MailboxUser, "The sign-in was given while the app was in Testing, so it still ends although the app has left Testing", "Sign in once more and it lasts";
    CredentialsAccepted, Nobody, "Google knows the client ID and accepts the secret", "";
    InDownloadedFile, Nobody, "The redirect URI is in the file that Google's console downloaded", "";
    CapacityLeft, Nobody, "Another Google account may sign in", "";
    MailboxesHealthy, Nobody, "The signed-in mailboxes are healthy: no more than half of them fail", "";

    // Not yet.
    NotUsed, Nobody, "The direction's method is None", "";
    NotTested, Nobody, "Not tested yet: the test starts after the sign-in", "";
    Testing, Nobody, "The test is running", "";
    NotChecked, Nobody, "Not checked yet", "";
    Suspended, AppTeam, "spec.suspend is true: nothing is sent to Google or a mail server", "Set spec.suspend to false";
    ProtocolNotTested, AppTeam, "POP3 is not tested by this version", "Use the protocol IMAP, or wait for a version that tests POP3";

    // The Mailbox and its profile.
    InvalidSpec, Author, "A value in the spec is not usable", "Correct the value that the message names";
    NoDefaultProfile, AppTeam, "The Mailbox names no profile and no default profile serves its namespace", "Name one in spec.profileRef, or ask the platform admin for a default profile";
    ProfileNotFound, AppTeam, "The profile named in spec.profileRef does not exist", "Create it, or correct spec.profileRef";
    AddressNotAllowed, AppTeam, "The profile named in spec.profileRef does not allow this address", "Use another address or profile, or ask the platform admin to add the address to the profile's allowedEmailAddresses";
    ProfileNotAvailable, AppTeam, "The profile does not exist, is not offered to this namespace, or does not allow this address", "Check spec.profileRef, or ask the platform admin whether the profile serves this namespace and address";
    ProfileNotReady, PlatformAdmin, "The profile is there but not Ready", "Look at the profile's own status";
    ProfileSuspended, PlatformAdmin, "The profile is suspended: all of its mailboxes stand still", "Set the profile's spec.suspend to false";

    // The profile.
    SharingNotPermitted, PlatformAdmin, "The profile offers itself to other namespaces but its Namespace may not share profiles", "Label the profile's Namespace gmail-operator.dev/shares-profiles=true, or set allowedNamespaces.from to Same";
    EndpointNotAllowed, PlatformAdmin, "A server of the profile is not Google's and the operator's --allow-endpoint or --allow-cidr does not name it", "Remove the server from the profile, or start the operator with --allow-endpoint (and --allow-cidr for a private address)";
    CaBundleInvalid, PlatformAdmin, "The profile's CA bundle cannot be used", "Put one or more whole certificates in PEM into spec.caBundle, or remove it";
    ClientSecretMissing, PlatformAdmin, "The Secret or key that should hold the OAuth client is missing or empty", "Create the Secret with the key that the profile names";
    SecretNotReadable, PlatformAdmin, "The operator is not allowed to read the Secret with the OAuth client", "Give the operator's ServiceAccount the verb get on Secrets in the profile's namespace: the rights that deploy/ and the chart install";
    ClientSecretInvalid, PlatformAdmin, "The Secret does not hold a usable OAuth client", "Put the client_secret.json of a client of the type Web application there, unchanged";
    ClientIdInvalid, PlatformAdmin, "The client ID is not one that Google gives", "Copy the client ID from Google's console: NUMBER-LETTERS.apps.googleusercontent.com";
    ClientOfAnotherServer, PlatformAdmin, "The file is of a client that another OAuth server knows than the one that the profile names", "Name the endpoints of the server that made the client in spec.oauthClient.endpoints (none at all for Google), or put that server's client into the Secret";
    ClientTypeWrong, PlatformAdmin, "The credentials are of another type than an OAuth client for web applications", "In Google's console, under Clients, make an OAuth client of the type Web application and put its downloaded JSON into the Secret";
    ClientIdNotFound, PlatformAdmin, "Google does not know this client ID", "Copy the client ID again from Google's console";
    ClientSecretRejected, PlatformAdmin, "Google refused the client secret", "Put the current client secret into the Secret";
    ClientDeleted, PlatformAdmin, "This OAuth client was deleted in Google Cloud", "Restore it within 30 days, or create a new client";
    ClientDisabled, PlatformAdmin, "Google has disabled this OAuth client or its project", "Check the client and its project in Google's console";
    ClientIncomplete, PlatformAdmin, "Google says that the client's ID or secret is missing from the request", "Compare the ID and the secret in the Secret with Google's console: one of them is not whole";
    ClientNotAuthorized, PlatformAdmin, "Google does not let this OAuth client sign people in with a code", "In Google's console, make an OAuth client of the type Web application and use that one";
    ClientRestricted, PlatformAdmin, "Google does not let this OAuth client ask for access to mail", "In Google's console, under Data access, add the scope https://mail.google.com/, and have the app verified where Google asks for it";
    MailScopeRefused, PlatformAdmin, "Google does not accept the mail scope from this OAuth client", "In Google's console, enable the Gmail API and add the scope https://mail.google.com/ under Data access";
    OutsideOrganization, PlatformAdmin, "The app is Internal: it is only for accounts of its own Google Workspace organisation", "Use it for that organisation's accounts only, or make the app External in Google's console, under Audience";
    GrantTypeRefused, PlatformAdmin, "The token endpoint does not know the authorisation code grant", "Correct spec.oauthClient.endpoints.token; with Google's own endpoints, report it";
    NotATokenEndpoint, PlatformAdmin, "What answers is not Google's token endpoint, nor any OAuth token endpoint", "Correct spec.oauthClient.endpoints.token, or remove endpoints to use Google's; if they are Google's, look for a proxy that answers instead. It is tried again";
    ClientRefused, PlatformAdmin, "Google refused the OAuth client for another reason", "Compare the message with Google's console";
    RedirectMismatch, PlatformAdmin, "The OAuth client is good, but the redirect URI is not registered with it", "Add the redirect URI to the client in Google's console, under Authorised redirect URIs; that takes from five minutes to some hours to work";
    RedirectHostRefused, PlatformAdmin, "Google accepts no such redirect URI, so nobody can sign in", "Change the operator's --public-url to an https URL under a public domain, or to http://localhost with a port-forward";
    NotInDownloadedFile, PlatformAdmin, "The redirect URI is not in the downloaded file; it may have been added since", "Add the redirect URI from the profile's status to the client in Google's console";
    NotVerifiable, PlatformAdmin, "With ID and secret alone it cannot be seen which redirect URIs are registered; the first sign-in proves it", "Add the redirect URI from the profile's status to the client in Google's console";
    CapacityLow, PlatformAdmin, "At least 80 % of the places for Google accounts are taken; Google never gives one back", "Have the app verified, make it Internal, or prepare another Google Cloud project with another profile";
    CapacityReached, PlatformAdmin, "All places for Google accounts are taken; Google never gives one back, not even for a deleted Mailbox", "Have the app verified, make it Internal, raise maxMailboxes where that is what limits it, or use another Google Cloud project with another profile";
    MostMailboxesFailing, PlatformAdmin, "More than half of the signed-in mailboxes began to fail within an hour", "Look for a common cause: the network, the OAuth client, a Workspace policy";

    // Sign-in.
    SignInRequired, MailboxUser, "Nobody is signed in: the owner has not signed in yet, or has signed out", "Open the sign-in page and sign in to Google";
    ConsentExpired, MailboxUser, "Google no longer accepts this mailbox's access: a changed password, removed access or long disuse", "Sign in again";
    ConsentExpiredTesting, PlatformAdmin, "Access ended after about 7 days, as Google does while an app is in Testing", "Publish the app or make it Internal, then let the owner sign in again";
    ReauthenticationRequired, MailboxUser, "The organisation requires a fresh sign-in", "Sign in again; a Workspace admin can exempt this app";
    AccountDeleted, WorkspaceAdmin, "This Google account no longer exists", "Restore the account, or delete the Mailbox";
    ClientChanged, MailboxUser, "The profile now uses another OAuth client or OAuth server, so the old access does not fit", "Sign in again";
    BlockedByWorkspacePolicy, WorkspaceAdmin, "The organisation's policy blocks this app's access to Gmail", "Trust the app's client ID in the Workspace admin console";
    MovedElsewhere, MailboxUser, "The Google account now serves another Mailbox: one account serves one", "Delete this Mailbox, or sign in here again to move the account back";
    SignOutUnreadable, AppTeam, "The annotation gmail-operator.dev/sign-out-requested-at is not a time, so nobody is signed out", "Write a time such as 2026-11-26T10:00:00Z there, or use kubectl gmail sign-out";
    NotRevoked, MailboxUser, "The sign-in was deleted here, but Google could not be told to end it", "Remove the app in your Google account, at https://myaccount.google.com/connections";
    GrantUnreadable, MailboxUser, "The stored grant cannot be read", "Sign in again";
    ConsentDeclined, MailboxUser, "The owner declined access", "Start the sign-in again when ready";
    WrongAccount, MailboxUser, "Another Google account signed in than the one this Mailbox is for", "Sign in with the right account";
    EmailNotVerified, MailboxUser, "Google has not verified the address of the account that signed in", "Verify the address in the Google account, then sign in again";
    MailScopeNotGranted, MailboxUser, "The owner signed in but did not allow access to mail", "Sign in again and tick the box for Gmail";
    NoRefreshToken, MailboxUser, "Google gave no long-term access", "Sign in again";
    SignInTimedOut, MailboxUser, "The sign-in took longer than 10 minutes", "Start again from the sign-in page";
    AnswerOfAnotherServer, PlatformAdmin, "The answer to the sign-in is not from the OAuth server that was asked", "Start again from the sign-in page; if it stays, compare spec.oauthClient.endpoints.issuer with the server's own";
    ConsentLinkInvalid, MailboxUser, "The sign-in was started elsewhere, or the answer does not belong to it", "Start again from the sign-in page";
    ConsentCodeRejected, MailboxUser, "Google did not accept the sign-in code", "Sign in again";
    ConsentExchangeFailed, PlatformAdmin, "The sign-in could not be completed because Google refused the client or its settings", "Look at the profile's status, then sign in again";
    IdentityNotProved, PlatformAdmin, "The ID token did not prove who signed in", "Sign in again; if it stays, look at the operator's log";
    GrantNotProved, MailboxUser, "The new access could not be renewed when it was tried at once", "Sign in again";

    // The Secret for workloads.
    SecretNotOwned, AppTeam, "The Secret named in spec.accessTokenSecret is there and is not this Mailbox's, so it is left as it is", "Delete that Secret, or name another in spec.accessTokenSecret";
    SecretNotWritten, PlatformAdmin, "The API server refuses a change of the Secret for workloads", "Give the operator the rights that deploy/ and the chart install, and the namespace room for the Secret in its quotas and admission policies; it is tried again";

    // Google.
    GoogleUnavailable, Nobody, "Google is not answering properly", "Nothing: it is tried again";

    // The network and the mail servers.
    NameNotResolved, PlatformAdmin, "The server's name could not be resolved", "Check the name in the profile, DNS and egress rules";
    ConnectionRefused, PlatformAdmin, "The server refused the connection", "Check host and port in the profile, egress rules and firewalls";
    ConnectionFailed, PlatformAdmin, "The server could not be reached", "Check routes, egress rules and firewalls";
    ConnectionTimedOut, PlatformAdmin, "The server did not answer in time", "Check egress rules and firewalls, or raise processing.connectionTimeout";
    ConnectionLost, Nobody, "The connection broke off", "Nothing: it is tried again";
    TlsVerificationFailed, PlatformAdmin, "The server's certificate could not be verified; something on the network may be replacing it", "Check for an inspecting proxy, the host in the profile, or add its CA to the profile's caBundle";
    WrongSecurityMode, PlatformAdmin, "The port does not speak the encryption that the profile says", "Use TLS with port 465 and STARTTLS with port 587";
    UnexpectedReply, Nobody, "The server's answer was not understood", "Nothing: it is tried again; if it stays, look at the server's words";
    LoginRefused, WorkspaceAdmin, "Google refused the login although the permission is in place", "Check in the Workspace admin console whether IMAP is on and this client is allowed";
    SmtpLoginRefused, MailboxUser, "The server refused the login for sending", "Sign in again; if it stays, ask your Workspace admin";
    InboxMissing, MailboxUser, "The mailbox has no INBOX that can be opened", "Show the inbox in IMAP: Gmail settings, Labels";
    MailServerUnavailable, Nobody, "The mail server is temporarily unavailable", "Nothing: it is tried again";
    MessageRefused, MailboxUser, "The server refused to send the test message", "Read the server's words; sending limits clear within 24 hours";
    MessageNotArrived, Nobody, "The test message was accepted but did not arrive in time", "Nothing: it is tried again without a message; look in Spam and at delays, then request a test";
}
