//! Who logs in: XOAUTH2 (developers.google.com/workspace/gmail/imap/xoauth2-protocol) and OAUTHBEARER (RFC 7628).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a server says of the ways to log in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Offers {
    /// As Gmail: both ways, with the login in the command or after it.
    #[default]
    Both,
    /// OAUTHBEARER alone.
    BearerOnly,
    /// XOAUTH2, and the login only after the command.
    NoInitialResponse,
    /// Neither.
    Passwords,
}

/// A way to log in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mechanism {
    /// Google's own.
    Xoauth2,
    /// The standard one.
    OAuthBearer,
}

/// A login that could be read.
pub struct Login {
    /// The account's address.
    pub user: String,
    /// The access token.
    pub token: String,
}

impl Offers {
    /// The names of the ways.
    pub fn mechanisms(self) -> &'static [&'static str] {
        match self {
            Offers::Both => &["PLAIN", "XOAUTH2", "PLAIN-CLIENTTOKEN", "OAUTHBEARER"],
            Offers::BearerOnly => &["PLAIN", "OAUTHBEARER"],
            Offers::NoInitialResponse => &["PLAIN", "XOAUTH2"],
            Offers::Passwords => &["PLAIN", "PLAIN-CLIENTTOKEN"],
        }
    }

    /// Whether the login may come with the command (RFC 4959).
    pub fn initial_response(self) -> bool {
        self != Offers::NoInitialResponse
    }

    /// The way of this name, where it is offered.
    pub fn mechanism(self, name: &str) -> Option<Mechanism> {
        let name = name.to_ascii_uppercase();
        let offered = self.mechanisms().contains(&name.as_str());
        match name.as_str() {
            "XOAUTH2" if offered => Some(Mechanism::Xoauth2),
            "OAUTHBEARER" if offered => Some(Mechanism::OAuthBearer),
            _ => None,
        }
    }
}

impl Mechanism {
    /// What Gmail sends before it refuses.
    pub fn challenge(self) -> &'static str {
        match self {
            Mechanism::Xoauth2 => {
                r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#
            }
            Mechanism::OAuthBearer => {
                r#"{"status":"invalid_request","scope":"https://mail.google.com/"}"#
            }
        }
    }

    /// What a client has to say to that.
    pub fn answer(self) -> &'static str {
        match self {
            Mechanism::Xoauth2 => "",
            Mechanism::OAuthBearer => "AQ==",
        }
    }

    /// What a client has said; none where it is not such a login.
    pub fn read(self, said: &str) -> Option<Login> {
        let said = String::from_utf8(STANDARD.decode(said).ok()?).ok()?;
        let mut parts = said.split('\u{1}');
        let user = match self {
            Mechanism::Xoauth2 => parts.next()?.strip_prefix("user=")?,
            Mechanism::OAuthBearer => parts.next()?.strip_prefix("n,a=")?.strip_suffix(',')?,
        };
        let token = parts.find_map(|part| part.strip_prefix("auth=Bearer "))?;
        said.ends_with("\u{1}\u{1}").then(|| Login {
            user: user.to_owned(),
            token: token.to_owned(),
        })
    }
}
