use crate::api::Reason;

/// Why a Secret does not hold a client. Says what it looks like and what to do, and nothing of the
/// value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadCredentials {
    /// Nothing there, or only white space.
    #[error("it is empty")]
    Empty,
    /// More than 64 KiB.
    #[error("it is larger than 64 KiB, which no OAuth client is")]
    TooLarge,
    /// Two bytes a character, as some editors and shells on Windows write.
    #[error("it is in UTF-16; save the file as UTF-8, without a byte order mark")]
    Utf16,
    /// UTF-8 with the three bytes before it that some editors add.
    #[error("it begins with a byte order mark; save the file as UTF-8 without one")]
    ByteOrderMark,
    /// Bytes that are no text.
    #[error("it is not text")]
    NotText,
    /// What was encoded for a Secret's `data` was put under `stringData`, or encoded twice.
    #[error(
        "it is encoded in base64 once too often; under data it is encoded once, under stringData not at all"
    )]
    Base64Twice,
    /// JSON that stops before its end.
    #[error("it is JSON that ends too early: the file was cut off")]
    CutOff,
    /// No JSON.
    #[error("it is not the JSON that Google's console downloads (line {line}, column {column})")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 0.
        column: usize,
    },
    /// The value belongs elsewhere.
    #[error("{0}")]
    Misplaced(Misplaced),
    /// Credentials, and no OAuth client for web applications.
    #[error("{0}")]
    Other(Other),
    /// ID and secret at the top of the JSON.
    #[error(
        "it has client_id and client_secret, but not under \"web\": put the file there as Google's console downloads it"
    )]
    NotUnderWeb,
    /// JSON of an unknown kind.
    #[error("it is JSON without the part \"web\" that the file from Google's console has")]
    NoWeb,
    /// The JSON lacks what is needed, or it is no text.
    #[error(
        "it has no {0} under \"web\": download the file again, or make a new secret, since Google's console shows a secret only once"
    )]
    Lacks(&'static str),
    /// The ID is not clean.
    #[error("the client ID {0}")]
    Id(Stray),
    /// The secret is not clean.
    #[error("the client secret {0}")]
    Secret(Stray),
    /// Its `token_uri` is not the profile's token endpoint.
    #[error(
        "its token_uri is another server's than spec.oauthClient.endpoints.token, to which it is therefore not sent"
    )]
    OfAnotherServer,
    /// The ID has not the form that Google's have.
    #[error("the client ID {0}; Google's look like 123456789012-abc123.apps.googleusercontent.com")]
    IdForm(NotAnId),
}

/// What stands where something else belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::Display)]
pub enum Misplaced {
    /// A secret where the JSON belongs.
    #[strum(
        to_string = "it is a client secret alone; put the whole JSON there, or name the secret by clientId and clientSecretRef"
    )]
    SecretForFile,
    /// An ID where the JSON belongs.
    #[strum(
        to_string = "it is a client ID alone; put the whole JSON there, or give clientId and clientSecretRef"
    )]
    IdForFile,
    /// The JSON where the secret belongs.
    #[strum(
        to_string = "it is a whole JSON file; name it by credentialsSecretRef in place of clientId and clientSecretRef, or put the client secret alone there"
    )]
    FileForSecret,
    /// Both in each other's place.
    #[strum(
        to_string = "the client ID and the client secret are swapped: an ID ends in .apps.googleusercontent.com, a secret begins with GOCSPX-"
    )]
    Swapped,
    /// An ID where the secret belongs.
    #[strum(
        to_string = "a client ID stands where the client secret belongs, which begins with GOCSPX-"
    )]
    IdForSecret,
    /// A secret where the ID belongs.
    #[strum(
        to_string = "a client secret stands where the client ID belongs, which ends in .apps.googleusercontent.com"
    )]
    SecretForId,
}

/// Credentials of Google's that are no OAuth client for web applications.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::Display)]
pub enum Other {
    /// `installed`.
    #[strum(
        to_string = "it is an OAuth client of the type Desktop (\"installed\"), which cannot have our redirect URI"
    )]
    Desktop,
    /// A key that signs JWTs.
    #[strum(to_string = "it is the key of a service account, with which no person signs in")]
    ServiceAccount,
    /// What `gcloud auth application-default login` writes.
    #[strum(
        to_string = "it is the sign-in of one person (\"authorized_user\"), as gcloud writes it, not an OAuth client"
    )]
    AuthorizedUser,
    /// Workload identity federation.
    #[strum(
        to_string = "it is a configuration for workload identity federation (\"external_account\"), not an OAuth client"
    )]
    ExternalAccount,
    /// `AIza…`.
    #[strum(to_string = "it is an API key, which names an app and signs nobody in")]
    ApiKey,
    /// A private key in PEM.
    #[strum(to_string = "it is a key or certificate in PEM, not an OAuth client")]
    Pem,
    /// A list, a number, a text.
    #[strum(
        to_string = "it is JSON, but not an object: put the file there as Google's console downloads it"
    )]
    NotAnObject,
}

/// Characters that no client ID or secret has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::Display)]
pub enum Stray {
    /// Nothing.
    #[strum(to_string = "is empty")]
    Empty,
    /// At its beginning or end, line breaks too.
    #[strum(
        to_string = "has white space or a line break around it; put it there without (echo adds one, printf does not)"
    )]
    WhiteSpace,
    /// Quotes around it.
    #[strum(to_string = "stands in quotes; put it there without")]
    Quotes,
    /// What the console shows of a secret that it shows no more.
    #[strum(
        to_string = "is masked, as Google's console shows it later (****): it is shown whole only once; make a new one"
    )]
    Masked,
    /// Within.
    #[strum(to_string = "has white space or other characters in it that it never has")]
    Within,
}

/// What a client ID looks like that is none of Google's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::Display)]
pub enum NotAnId {
    /// `…@…`.
    #[strum(to_string = "is an e-mail address")]
    Email,
    /// `https://…`, or with a path.
    #[strum(to_string = "is a URL, or has one's parts in it: give it without https:// and slashes")]
    Url,
    /// Digits alone.
    #[strum(to_string = "is a number alone, as a project or a service account has")]
    Number,
    /// `my-project-123`.
    #[strum(to_string = "looks like the ID or name of a project")]
    Project,
    /// It ends before `.apps.googleusercontent.com`, or in another domain.
    #[strum(
        to_string = "does not end in .apps.googleusercontent.com: it was not copied to its end"
    )]
    CutOff,
    /// It does not begin with the project's number.
    #[strum(
        to_string = "does not begin with the number of a project: it was not copied from its beginning"
    )]
    NoNumber,
}

impl BadCredentials {
    /// The reason of the condition.
    pub fn reason(self) -> Reason {
        match self {
            Self::Empty | Self::Secret(Stray::Empty) => Reason::ClientSecretMissing,
            Self::Other(_) => Reason::ClientTypeWrong,
            Self::OfAnotherServer => Reason::ClientOfAnotherServer,
            Self::Id(_) | Self::IdForm(_) => Reason::ClientIdInvalid,
            _ => Reason::ClientSecretInvalid,
        }
    }

    /// Whether the ID is what is wrong, wherever that stands.
    pub fn is_of_id(self) -> bool {
        matches!(self, Self::Id(_) | Self::IdForm(_))
    }
}
