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

/// Whether and when the operator tries again by itself what failed for a reason.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Again {
    /// When what is wrong has changed: there is nothing to try before.
    OnChange,
    /// After seconds, then minutes; a direction is turned off after ten failures in a row, and then
    /// still tried.
    Soon,
    /// After minutes, then up to an hour: the server wants fewer tries.
    AfterPause,
    /// After some hours: a person has to act first. A direction is turned off at once.
    Slowly,
}

impl Again {
    /// In words, for documents.
    pub fn words(self) -> &'static str {
        match self {
            Again::OnChange => "when it changes",
            Again::Soon => "in seconds to minutes",
            Again::AfterPause => "in ten minutes to an hour",
            Again::Slowly => "in some hours, or when a test is asked for",
        }
    }

    /// Whether a direction that failed so waits for a person.
    pub fn is_permanent(self) -> bool {
        matches!(self, Again::OnChange | Again::Slowly)
    }
}

macro_rules! reasons {
    ($($name:ident, $who:ident, $again:ident, $meaning:literal, $cure:literal;)*) => {
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

            /// Whether and when the operator tries again by itself.
            pub fn again(self) -> Again {
                match self { $(Reason::$name => Again::$again,)* }
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
        matches!(
            self,
            Reason::CapacityLow | Reason::SignInEndsSoon | Reason::ArrivedInSpam
        )
    }

    /// Whether the server has not said a word yet over a connection that can be trusted.
    pub fn comes_before_first_word(self) -> bool {
        matches!(
            self,
            Reason::EndpointNotAllowed
                | Reason::NameNotResolved
                | Reason::NameServerSilent
                | Reason::ConnectionRefused
                | Reason::ConnectionFailed
                | Reason::ConnectionTimedOut
                | Reason::ProxyUnavailable
                | Reason::ProxyRefused
                | Reason::GreetingMissing
                | Reason::GreetingTimedOut
                | Reason::CertificateUnknownIssuer
                | Reason::CertificateWrongName
                | Reason::CertificateExpired
                | Reason::CertificateNotYetValid
                | Reason::TlsVerificationFailed
                | Reason::PlainTextOnTlsPort
                | Reason::TlsNotAgreed
                | Reason::TlsConnectionLost
                | Reason::TlsTimedOut
        )
    }

    /// As it stands in a condition.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

reasons! {
    // Right.
    Accepted, Nobody, OnChange, "The object and what it refers to are right", "";
    Enabled, Nobody, OnChange, "Tested and enabled", "";
    ProfileReady, Nobody, OnChange, "The profile is Ready and serves this Mailbox", "";
    ProfileReadyInTesting, PlatformAdmin, OnChange, "Mailboxes can sign in, but the app is in Testing: Google ends each sign-in after 7 days", "Publish the app or make it Internal in Google's console, say so in consentScreen, and let each owner sign in once more";
    SignedIn, Nobody, OnChange, "The owner has signed in and Google accepts the grant", "";
    SignInEndsSoon, MailboxUser, OnChange, "The sign-in works and will soon end by itself", "Sign in again before then";
    SignInOnceMore, MailboxUser, OnChange, "The sign-in was given while the app was in Testing, so it still ends although the app has left Testing", "Sign in once more and it lasts";
    CredentialsAccepted, Nobody, OnChange, "Google knows the client ID and accepts the secret", "";
    InDownloadedFile, Nobody, OnChange, "The redirect URI is in the file that Google's console downloaded", "";
    CapacityLeft, Nobody, OnChange, "Another Google account may sign in", "";
    MailboxesHealthy, Nobody, OnChange, "The signed-in mailboxes are healthy: no more than half of them fail", "";
    MailboxesTested, Nobody, OnChange, "Each signed-in mailbox of the profile was tested, as its annotation asked, and works", "";

    // Not yet.
    NotUsed, Nobody, OnChange, "The direction's method is None", "";
    NotTested, Nobody, OnChange, "Not tested yet: the test starts after the sign-in", "";
    Testing, Nobody, OnChange, "The test is running", "";
    NotChecked, Nobody, OnChange, "Not checked yet", "";
    Suspended, AppTeam, OnChange, "spec.suspend is true: nothing is sent to Google or a mail server", "Set spec.suspend to false";

    // The Mailbox and its profile.
    InvalidSpec, Author, OnChange, "A value in the spec is not usable", "Correct the value that the message names";
    NoDefaultProfile, AppTeam, OnChange, "The Mailbox names no profile and no default profile serves its namespace", "Name one in spec.profileRef, or ask the platform admin for a default profile";
    ProfileNotFound, AppTeam, OnChange, "The profile named in spec.profileRef does not exist", "Create it, or correct spec.profileRef";
    AddressNotAllowed, AppTeam, OnChange, "The profile named in spec.profileRef does not allow this address", "Use another address or profile, or ask the platform admin to add the address to the profile's allowedEmailAddresses";
    ProfileNotAvailable, AppTeam, OnChange, "The profile does not exist, is not offered to this namespace, or does not allow this address", "Check spec.profileRef, or ask the platform admin whether the profile serves this namespace and address";
    ProfileNotReady, PlatformAdmin, OnChange, "The profile is there but not Ready", "Look at the profile's own status";
    ProfileSuspended, PlatformAdmin, OnChange, "The profile is suspended: all of its mailboxes stand still", "Set the profile's spec.suspend to false";

    // The profile.
    SharingNotPermitted, PlatformAdmin, OnChange, "The profile offers itself to other namespaces but its Namespace may not share profiles", "Label the profile's Namespace gmail-operator.dev/shares-profiles=true, or set allowedNamespaces.from to Same";
    EndpointNotAllowed, PlatformAdmin, Slowly, "A server of the profile is not Google's and the operator's --allow-endpoint or --allow-cidr does not name it", "Remove the server from the profile, or start the operator with --allow-endpoint (and --allow-cidr for a private address)";
    CaBundleInvalid, PlatformAdmin, OnChange, "The profile's CA bundle cannot be used", "Put one or more whole certificates in PEM into spec.caBundle, or remove it";
    ClientSecretMissing, PlatformAdmin, Soon, "The Secret or key that should hold the OAuth client is missing or empty", "Create the Secret with the key that the profile names";
    SecretNotReadable, PlatformAdmin, Soon, "The operator is not allowed to read the Secret with the OAuth client", "Give the operator's ServiceAccount the verb get on Secrets in the profile's namespace: the rights that deploy/ and the chart install";
    ClientSecretInvalid, PlatformAdmin, Soon, "The Secret does not hold a usable OAuth client", "Put the client_secret.json of a client of the type Web application there, unchanged";
    ClientIdInvalid, PlatformAdmin, Soon, "The client ID is not one that Google gives", "Copy the client ID from Google's console: NUMBER-LETTERS.apps.googleusercontent.com";
    ClientOfAnotherServer, PlatformAdmin, Soon, "The file is of a client that another OAuth server knows than the one that the profile names", "Name the endpoints of the server that made the client in spec.oauthClient.endpoints (none at all for Google), or put that server's client into the Secret";
    ClientTypeWrong, PlatformAdmin, Soon, "The credentials are of another type than an OAuth client for web applications", "In Google's console, under Clients, make an OAuth client of the type Web application and put its downloaded JSON into the Secret";
    ClientIdNotFound, PlatformAdmin, AfterPause, "Google does not know this client ID", "Copy the client ID again from Google's console";
    ClientSecretRejected, PlatformAdmin, AfterPause, "Google refused the client secret", "Put the current client secret into the Secret";
    ClientDeleted, PlatformAdmin, AfterPause, "This OAuth client was deleted in Google Cloud", "Restore it within 30 days, or create a new client";
    ClientDisabled, PlatformAdmin, AfterPause, "Google has disabled this OAuth client or its project", "Check the client and its project in Google's console";
    ClientIncomplete, PlatformAdmin, AfterPause, "Google says that the client's ID or secret is missing from the request", "Compare the ID and the secret in the Secret with Google's console: one of them is not whole";
    ClientNotAuthorized, PlatformAdmin, AfterPause, "Google does not let this OAuth client sign people in with a code", "In Google's console, make an OAuth client of the type Web application and use that one";
    ClientRestricted, PlatformAdmin, AfterPause, "Google does not let this OAuth client ask for access to mail", "In Google's console, under Data access, add the scope https://mail.google.com/, and have the app verified where Google asks for it";
    MailScopeRefused, PlatformAdmin, AfterPause, "Google does not accept the mail scope from this OAuth client", "In Google's console, enable the Gmail API and add the scope https://mail.google.com/ under Data access";
    OutsideOrganization, PlatformAdmin, AfterPause, "The app is Internal: it is only for accounts of its own Google Workspace organisation", "Use it for that organisation's accounts only, or make the app External in Google's console, under Audience";
    GrantTypeRefused, PlatformAdmin, AfterPause, "The token endpoint does not know the authorisation code grant", "Correct spec.oauthClient.endpoints.token; with Google's own endpoints, report it";
    NotATokenEndpoint, PlatformAdmin, AfterPause, "What answers is not Google's token endpoint, nor any OAuth token endpoint", "Correct spec.oauthClient.endpoints.token, or remove endpoints to use Google's; if they are Google's, look for a proxy that answers instead. It is tried again";
    ClientRefused, PlatformAdmin, AfterPause, "Google refused the OAuth client for another reason", "Compare the message with Google's console";
    RedirectMismatch, PlatformAdmin, AfterPause, "The OAuth client is good, but the redirect URI is not registered with it", "Add the redirect URI to the client in Google's console, under Authorised redirect URIs; that takes from five minutes to some hours to work";
    RedirectHostRefused, PlatformAdmin, OnChange, "Google accepts no such redirect URI, so nobody can sign in", "Change the operator's --public-url to an https URL under a public domain, or to http://localhost with a port-forward";
    NotInDownloadedFile, PlatformAdmin, OnChange, "The redirect URI is not in the downloaded file; it may have been added since", "Add the redirect URI from the profile's status to the client in Google's console";
    NotVerifiable, PlatformAdmin, OnChange, "With ID and secret alone it cannot be seen which redirect URIs are registered; the first sign-in proves it", "Add the redirect URI from the profile's status to the client in Google's console";
    CapacityLow, PlatformAdmin, OnChange, "At least 80 % of the places for Google accounts are taken; Google never gives one back", "Have the app verified, make it Internal, or prepare another Google Cloud project with another profile";
    CapacityReached, PlatformAdmin, OnChange, "All places for Google accounts are taken; Google never gives one back, not even for a deleted Mailbox", "Have the app verified, make it Internal, raise maxMailboxes where that is what limits it, or use another Google Cloud project with another profile";
    MostMailboxesFailing, PlatformAdmin, OnChange, "More than half of the signed-in mailboxes began to fail within an hour", "Look for a common cause: the network, the OAuth client, a Workspace policy";
    MailboxesTestedSomeFail, PlatformAdmin, OnChange, "Each signed-in mailbox of the profile was tested, as its annotation asked, and some do not work", "Look at what is wrong with each of them: kubectl gmail status";

    // Sign-in.
    SignInRequired, MailboxUser, OnChange, "Nobody is signed in: the owner has not signed in yet, or has signed out", "Open the sign-in page and sign in to Google";
    ConsentExpired, MailboxUser, OnChange, "Google no longer accepts this mailbox's access: a changed password, removed access or long disuse", "Sign in again";
    ConsentExpiredTesting, PlatformAdmin, OnChange, "Access ended after about 7 days, as Google does while an app is in Testing", "Publish the app or make it Internal, then let the owner sign in again";
    ReauthenticationRequired, MailboxUser, OnChange, "The organisation requires a fresh sign-in", "Sign in again; a Workspace admin can exempt this app";
    AccountDeleted, WorkspaceAdmin, OnChange, "This Google account no longer exists", "Restore the account, or delete the Mailbox";
    ClientChanged, MailboxUser, OnChange, "The profile now uses another OAuth client or OAuth server, so the old access does not fit", "Sign in again";
    BlockedByWorkspacePolicy, WorkspaceAdmin, OnChange, "The organisation's policy blocks this app's access to Gmail", "Trust the app's client ID in the Workspace admin console";
    MovedElsewhere, MailboxUser, OnChange, "The Google account now serves another Mailbox: one account serves one", "Delete this Mailbox, or sign in here again to move the account back";
    SignOutUnreadable, AppTeam, OnChange, "The annotation gmail-operator.dev/sign-out-requested-at is not a time, so nobody is signed out", "Write a time such as 2026-11-26T10:00:00Z there, or use kubectl gmail sign-out";
    NotRevoked, MailboxUser, Soon, "The sign-in was deleted here, but Google could not be told to end it", "Remove the app in your Google account, at https://myaccount.google.com/connections";
    GrantUnreadable, MailboxUser, OnChange, "The stored grant cannot be read", "Sign in again";
    ConsentDeclined, MailboxUser, OnChange, "The owner declined access", "Start the sign-in again when ready";
    WrongAccount, MailboxUser, OnChange, "Another Google account signed in than the one this Mailbox is for", "Sign in with the right account";
    EmailNotVerified, MailboxUser, OnChange, "Google has not verified the address of the account that signed in", "Verify the address in the Google account, then sign in again";
    MailScopeNotGranted, MailboxUser, OnChange, "The owner signed in but did not allow access to mail", "Sign in again and tick the box for Gmail";
    NoRefreshToken, MailboxUser, OnChange, "Google gave no long-term access", "Sign in again";
    SignInTimedOut, MailboxUser, OnChange, "The sign-in took longer than 10 minutes", "Start again from the sign-in page";
    AnswerOfAnotherServer, PlatformAdmin, OnChange, "The answer to the sign-in is not from the OAuth server that was asked", "Start again from the sign-in page; if it stays, compare spec.oauthClient.endpoints.issuer with the server's own";
    ConsentLinkInvalid, MailboxUser, OnChange, "The sign-in was started elsewhere, or the answer does not belong to it", "Start again from the sign-in page";
    ConsentCodeRejected, MailboxUser, OnChange, "Google did not accept the sign-in code", "Sign in again";
    ConsentExchangeFailed, PlatformAdmin, OnChange, "The sign-in could not be completed because Google refused the client or its settings", "Look at the profile's status, then sign in again";
    IdentityNotProved, PlatformAdmin, OnChange, "The ID token did not prove who signed in", "Sign in again; if it stays, look at the operator's log";
    GrantNotProved, MailboxUser, OnChange, "The new access could not be renewed when it was tried at once", "Sign in again";

    // The Secret for workloads.
    SecretNotOwned, AppTeam, Soon, "The Secret named in spec.accessTokenSecret is there and is not this Mailbox's, so it is left as it is", "Delete that Secret, or name another in spec.accessTokenSecret";
    SecretNotWritten, PlatformAdmin, Soon, "The API server refuses a change of the Secret for workloads", "Give the operator the rights that deploy/ and the chart install, and the namespace room for the Secret in its quotas and admission policies; it is tried again";

    // Google.
    GoogleUnavailable, Nobody, Soon, "Google is not answering properly", "Nothing: it is tried again";

    // The network on the way to a server.
    NameNotResolved, PlatformAdmin, Soon, "The server's name could not be resolved", "Check the name in the profile, DNS and egress rules";
    NameServerSilent, PlatformAdmin, Soon, "The name server did not answer in time", "Check the cluster's DNS, and whether an egress rule lets the operator reach it (port 53)";
    ConnectionRefused, PlatformAdmin, Soon, "The server refused the connection", "Check host and port in the profile, egress rules and firewalls";
    ConnectionFailed, PlatformAdmin, Soon, "The server could not be reached", "Check routes, egress rules and firewalls";
    ConnectionTimedOut, PlatformAdmin, Soon, "The connection was not answered in time", "Check egress rules and firewalls: one that drops packets looks like this";
    ProxyUnavailable, PlatformAdmin, Soon, "The proxy on the way to the server cannot be reached, is silent, or is no HTTP proxy", "Check the operator's --mail-proxy (MAIL_PROXY) or --https-proxy (HTTPS_PROXY), the proxy itself, and egress rules to its port";
    ProxyRefused, PlatformAdmin, Soon, "The proxy on the way to the server does not connect to it", "Look into the proxy's log: it has to allow CONNECT to the server's port, and to accept the name and password in its URL";
    GreetingMissing, PlatformAdmin, Soon, "The server closed the connection before it said a word", "Check host and port in the profile, and whether a firewall or load balancer on the way takes the connection and drops it";
    GreetingTimedOut, PlatformAdmin, Soon, "The server took the connection and then said nothing", "Check host and port in the profile, whether the port wants TLS from the start, and firewalls on the way";
    ReplyTimedOut, Nobody, Soon, "The server did not answer a command in time", "Nothing: it is tried again; if it stays, the platform admin should raise processing.connectionTimeout in the profile";
    ReplyTooSlow, Nobody, Soon, "The server's answer came so slowly that it was not complete in time", "Nothing: it is tried again; if it stays, the platform admin should raise processing.connectionTimeout in the profile, or look for a slow proxy";
    ReplyTooLong, PlatformAdmin, Soon, "The server sent far more than an answer", "Check that host and port in the profile are a mail server's";
    ConnectionLost, Nobody, Soon, "The connection broke off in the middle", "Nothing: it is tried again";
    WrongProtocol, PlatformAdmin, Soon, "A server of another protocol answered", "Check the port in the profile: IMAP 993, POP3 995, SMTP 465 or 587";
    UnexpectedReply, PlatformAdmin, Soon, "The server's answer was not understood", "Check host and port in the profile, and look for a proxy that answers instead; if they are right, report the server's words";

    // Encryption.
    CertificateUnknownIssuer, PlatformAdmin, Soon, "The server's certificate is not from a known authority; something on the network may be replacing it", "Check for an inspecting proxy, or add its CA to the profile's caBundle";
    CertificateWrongName, PlatformAdmin, Soon, "The server's certificate is for another name", "Check the host in the profile, and where its name leads";
    CertificateExpired, PlatformAdmin, Soon, "The server's certificate has expired", "Renew it where it is yours; otherwise check the clocks of the cluster's nodes";
    CertificateNotYetValid, PlatformAdmin, Soon, "The server's certificate is not valid yet", "Check the clocks of the cluster's nodes";
    TlsVerificationFailed, PlatformAdmin, Soon, "The server's certificate could not be verified", "Check for an inspecting proxy and the host in the profile, or add its CA to the profile's spec.caBundle";
    PlainTextOnTlsPort, PlatformAdmin, Slowly, "The port should speak TLS from the start and answers without encryption", "Use TLS with port 465, 993 or 995, and STARTTLS with port 587";
    TlsOnPlainTextPort, PlatformAdmin, Slowly, "The port speaks TLS from the start, and the profile says STARTTLS", "Set servers.smtp.security to TLS, or use port 587";
    StartTlsNotOffered, PlatformAdmin, Slowly, "The server offers no STARTTLS, and nothing is sent without encryption", "Use TLS with port 465; if the server is Google's, look for a firewall that removes STARTTLS";
    StartTlsRefused, PlatformAdmin, Soon, "The server refused to begin encryption", "Use TLS with port 465; it is tried again";
    StartTlsInjected, PlatformAdmin, Soon, "Something was sent in the clear between STARTTLS and the encryption, as an attacker on the network would", "Look for whoever changes the traffic to this server, or use TLS with port 465";
    TlsNotAgreed, PlatformAdmin, Soon, "The server speaks TLS, but none that the operator accepts", "Let the server, or the proxy in front of it, offer TLS 1.2 or 1.3";
    TlsConnectionLost, PlatformAdmin, Soon, "The connection was closed in the TLS handshake", "Check for a firewall that looks into TLS, and the port in the profile";
    TlsTimedOut, PlatformAdmin, Soon, "The TLS handshake was not answered in time", "Check for a firewall that holds TLS back, and whether the port speaks TLS from the start";

    // The login at a mail server.
    LoginMethodMissing, PlatformAdmin, Slowly, "The server offers neither XOAUTH2 nor OAUTHBEARER", "Check host and port in the profile: Google's servers offer both";
    LoginRefused, WorkspaceAdmin, Slowly, "IMAP refused the login although the token is new and for this account and mail", "Check in the Workspace admin console (Apps, Gmail, End user access) whether IMAP is on and open to this OAuth client; for a personal account: sign in again, and check Gmail's settings";
    PopLoginRefused, WorkspaceAdmin, Slowly, "POP3 refused the login although the token is new and for this account and mail", "Check in the Workspace admin console (Apps, Gmail, End user access) whether POP is on; for a personal account: sign in again, and check Gmail's settings";
    SmtpLoginRefused, WorkspaceAdmin, Slowly, "SMTP refused the login although the token is new and for this account and mail", "Check in the Workspace admin console whether this account may send mail with other programs; for a personal account: sign in again, and check Gmail's settings";
    LoginMalformed, PlatformAdmin, Slowly, "The server could not read the login", "Report it with the server's words: it is a fault of the operator, or of a proxy on the way";
    GmailServiceOff, WorkspaceAdmin, Slowly, "Gmail is not turned on for this account", "Turn the service Gmail on for this user in the Workspace admin console; for a personal account: sign in again, and check Gmail's settings";
    ImapDisabledByDomain, WorkspaceAdmin, Slowly, "IMAP is turned off for the organisation", "Turn IMAP on in the Workspace admin console, under Apps, Gmail, End user access";
    ImapDisabledByUser, MailboxUser, Slowly, "IMAP is turned off for this mailbox", "Turn IMAP on in Gmail: Settings, Forwarding and POP/IMAP";
    PopDisabledByDomain, WorkspaceAdmin, Slowly, "POP is turned off for the organisation", "Turn POP on in the Workspace admin console, under Apps, Gmail, End user access";
    PopDisabledByUser, MailboxUser, Slowly, "POP is turned off for this mailbox", "Turn POP on in Gmail: Settings, Forwarding and POP/IMAP, Enable POP";
    WebLoginRequired, MailboxUser, Slowly, "Google wants the account's owner to sign in with a browser first", "Sign in to Gmail in a browser, answer what Google asks, then test again";
    UnexpectedPasswordLogin, PlatformAdmin, Slowly, "The server took the login for one with a password", "Report it: the operator never logs in with a password; look for a proxy that changes the login";
    AuthorizationFailed, WorkspaceAdmin, Slowly, "The server knows the account and does not let it use this mailbox", "Check in the Workspace admin console what this account may use";
    AdminContactRequired, WorkspaceAdmin, Slowly, "The server wants the mail administrator to act", "Read the server's words";
    EncryptionRequired, PlatformAdmin, Slowly, "The server says that the connection is not encrypted, though it is from here", "Look for a proxy that takes the encryption away on the way";
    TooManyConnections, Nobody, AfterPause, "Too many mail programs are connected to this mailbox: Gmail allows 15 at once over IMAP", "Nothing: it is tried again; if it stays, the mailbox user should close other mail programs";
    MailboxBusy, Nobody, Soon, "Another program holds this mailbox", "Nothing: it is tried again";
    LoginDelayed, Nobody, AfterPause, "The server wants more time between two logins to this mailbox", "Nothing: it is tried again";
    LoginRateLimited, Nobody, AfterPause, "The server asks for fewer logins", "Nothing: it is tried again, less often";
    BandwidthExceeded, Nobody, AfterPause, "The mailbox has used what it may transfer in a day", "Nothing: it is tried again; it clears within 24 hours";
    Throttled, Nobody, AfterPause, "The server slows this mailbox down", "Nothing: it is tried again, less often";
    SessionExpired, Nobody, Soon, "The server ended the session: its time was over", "Nothing: it is tried again with a new login";
    ServiceRefused, PlatformAdmin, Soon, "The server takes no mail connections from here", "Check host and port in the profile, and whether the cluster's outgoing address is blocked";
    MailServerUnavailable, Nobody, Soon, "The mail server is temporarily unavailable", "Nothing: it is tried again";

    // The mailbox.
    InboxMissing, MailboxUser, Slowly, "The mailbox has no INBOX that can be opened", "Open the mailbox in a browser and see whether it has an inbox, then test again; if it has one, report the server's words";
    InboxNotPermitted, WorkspaceAdmin, Slowly, "The account may not open the INBOX", "Check in the Workspace admin console what this account may use";
    InboxDamaged, PlatformAdmin, Slowly, "The server says that the INBOX is damaged", "Ask whoever runs the mail server; at Google, its support";
    InboxRefused, MailboxUser, Slowly, "The server does not open the INBOX", "Read the server's words, and open the mailbox in a browser";
    MailDropRefused, MailboxUser, Slowly, "POP3 let us log in and does not open the mailbox", "Read the server's words, and check in Gmail: Settings, Forwarding and POP/IMAP";
    StorageFull, MailboxUser, AfterPause, "The mailbox is full: Google's storage of this account is used up", "Delete mail or files, or get more storage for the account";

    // Sending.
    NotLoggedIn, Nobody, Soon, "The server does not remember the login when a message is sent", "Nothing: it is tried again; if it stays, the platform admin should look for a proxy on the way";
    SenderRefused, MailboxUser, Slowly, "The server does not let this account send as this address", "Sign in with the account that the address belongs to";
    RecipientRefused, AppTeam, Slowly, "The server takes no mail for this Mailbox's address", "Check spec.emailAddress";
    RecipientUnknown, AppTeam, Slowly, "The server knows no mailbox of this Mailbox's address", "Check spec.emailAddress; where it is an alias, whether it still exists";
    SendingLimitReached, Nobody, AfterPause, "The mailbox has sent as many messages as Gmail allows in a day; reading is not affected", "Nothing: it is tried again; it clears within 24 hours";
    SendingBlocked, PlatformAdmin, Slowly, "Google takes mail from this network address or account for spam", "Look for what sends much mail from the cluster's outgoing address or from this account";
    RelayDenied, WorkspaceAdmin, Slowly, "The organisation's policy denies this account to send mail", "Check in the Workspace admin console whether this account may send mail, and its routing rules";
    MessageTooLarge, PlatformAdmin, Slowly, "The server finds the test message too large", "Check the server's size limit: the message has a few kilobytes";
    MessageContentRefused, WorkspaceAdmin, Slowly, "A policy refused the content of the test message", "Check the organisation's compliance and content rules";
    MessageMalformed, PlatformAdmin, Slowly, "The server finds the test message malformed", "Report it with the server's words";
    TooManyRecipients, Nobody, AfterPause, "The account has sent to as many recipients as it may for now", "Nothing: it is tried again";
    MessageRefused, MailboxUser, Slowly, "The server refused to send the test message", "Read the server's words";
    MessageNotArrived, MailboxUser, Soon, "The test message was accepted but did not arrive in time", "Check in Gmail whether a filter or forwarding takes it elsewhere than to the inbox or Spam; it may also be late, and is looked for again";

    // What the server said is not in this table.
    RefusedForNow, Nobody, Soon, "The server says that it cannot now, in words that the operator does not know", "Nothing: it is tried again; if it stays, the platform admin should read the server's words";
    RefusedOtherwise, PlatformAdmin, Soon, "The server refused, in words that the operator does not know", "Read the server's words and report them; it is tried again";

    // What a test noticed that succeeded.
    ArrivedInSpam, MailboxUser, OnChange, "The test message arrived in Spam: sending and reading work, but Gmail distrusts the message", "Mark the message as not spam in Gmail, then test again";
    RoundTripUnproved, Nobody, OnChange, "Whether a test message arrives could not be seen, since the mailbox could not be read over IMAP; the server's word that it takes messages has to do", "";
    MessagesUsedUp, Nobody, OnChange, "The mailbox has had as many test messages as it gets in a day, so only the logins were tested", "Nothing: a test in some hours sends one again";
}
