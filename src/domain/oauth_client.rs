//! The OAuth client that Google's console gave.

use serde::Deserialize;

use super::secret::{ClientSecret, ExposeSecret};

/// The largest Secret value that is read as credentials, in bytes.
const MAX_CREDENTIALS: usize = 64 * 1024;

/// A Google OAuth client of the type "Web application".
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OAuthClient {
    /// The client ID: `<project number>-<random>.apps.googleusercontent.com`.
    pub id: String,
    /// Its secret.
    pub secret: ClientSecret,
    /// The redirect URIs in the file that the console downloaded; `None` for ID and secret alone.
    pub redirect_uris: Option<Vec<String>>,
}

/// Why a Secret does not hold a client. Says nothing of the value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadCredentials {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// Not what the console downloads.
    #[error("it is not the JSON that Google's console downloads")]
    NotJson,
    /// The client has another type.
    #[error(
        "it is a client of the type Desktop (\"installed\"); make one of the type \"Web application\""
    )]
    Installed,
    /// The JSON lacks what is needed.
    #[error("it has no client_id and client_secret under \"web\"")]
    Incomplete,
    /// The value has characters that no client ID or secret has.
    #[error(
        "it has white space or other characters that a client ID or secret never has; put the value there without a line end"
    )]
    StrayCharacters,
    /// The value is too large.
    #[error("it is larger than 64 KiB")]
    TooLarge,
}

#[derive(Deserialize)]
struct Downloaded {
    web: Option<Web>,
    installed: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Web {
    client_id: Option<String>,
    client_secret: Option<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
}

impl OAuthClient {
    /// From the `client_secret….json` that Google's console downloads.
    ///
    /// # Errors
    /// [`BadCredentials`] says what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, BadCredentials> {
        if json.iter().all(u8::is_ascii_whitespace) {
            return Err(BadCredentials::Empty);
        }
        if json.len() > MAX_CREDENTIALS {
            return Err(BadCredentials::TooLarge);
        }
        let file: Downloaded = serde_json::from_slice(json).map_err(|_| BadCredentials::NotJson)?;
        let web = match file {
            Downloaded { web: Some(web), .. } => web,
            Downloaded {
                installed: Some(_), ..
            } => return Err(BadCredentials::Installed),
            _ => return Err(BadCredentials::Incomplete),
        };
        let (Some(id), Some(secret)) = (web.client_id, web.client_secret) else {
            return Err(BadCredentials::Incomplete);
        };
        Self::checked(id, secret, Some(web.redirect_uris))
    }

    /// From an ID and the value of a Secret's key.
    ///
    /// # Errors
    /// [`BadCredentials`] says what is wrong with them.
    pub fn from_id_and_secret(id: &str, secret: &[u8]) -> Result<Self, BadCredentials> {
        if secret.len() > MAX_CREDENTIALS {
            return Err(BadCredentials::TooLarge);
        }
        let secret = std::str::from_utf8(secret).map_err(|_| BadCredentials::StrayCharacters)?;
        Self::checked(id.to_owned(), secret.to_owned(), None)
    }

    fn checked(
        id: String,
        secret: String,
        redirect_uris: Option<Vec<String>>,
    ) -> Result<Self, BadCredentials> {
        if id.is_empty() || secret.is_empty() {
            return Err(BadCredentials::Empty);
        }
        if !(id.bytes().chain(secret.bytes())).all(|b| b.is_ascii_graphic()) {
            return Err(BadCredentials::StrayCharacters);
        }
        Ok(Self {
            id,
            secret: ClientSecret::new(secret),
            redirect_uris,
        })
    }

    /// The number of the Google Cloud project: what stands before the first dash of the ID, where
    /// that is a number.
    pub fn project_number(&self) -> Option<&str> {
        project_number(&self.id)
    }

    /// Changes whenever the ID or the secret does; says nothing of them.
    pub fn fingerprint(&self) -> String {
        super::schedule::digest(&[&self.id, self.secret.expose_secret()])
    }
}

/// What is counted together: the Google Cloud project of a client ID, or the ID itself where it
/// tells no project.
pub fn project(client_id: &str) -> &str {
    project_number(client_id).unwrap_or(client_id)
}

/// The number of the Google Cloud project in a client ID.
pub fn project_number(client_id: &str) -> Option<&str> {
    let (number, _) = client_id.split_once('-')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_wrong_with_a_file() {
        for (json, wrong) in [
            ("", BadCredentials::Empty),
            (" \n", BadCredentials::Empty),
            ("not json", BadCredentials::NotJson),
            ("[]", BadCredentials::NotJson),
            ("{}", BadCredentials::Incomplete),
            (
                r#"{"installed":{"client_id":"1-a","client_secret":"s"}}"#,
                BadCredentials::Installed,
            ),
            (r#"{"web":{"client_id":"1-a"}}"#, BadCredentials::Incomplete),
            (
                r#"{"web":{"client_id":"1-a","client_secret":""}}"#,
                BadCredentials::Empty,
            ),
            (
                r#"{"web":{"client_id":"1-a","client_secret":"s\n"}}"#,
                BadCredentials::StrayCharacters,
            ),
        ] {
            assert_eq!(
                OAuthClient::from_json(json.as_bytes()),
                Err(wrong),
                "{json}"
            );
        }
    }

    #[test]
    fn reads_both_forms() {
        let client = OAuthClient::from_json(br#"{"web":{"client_id":"12-a.apps.googleusercontent.com","client_secret":"s","redirect_uris":["https://x/cb"],"auth_uri":"y"}}"#);
        assert_eq!(client.as_ref().map(|c| c.project_number()), Ok(Some("12")));
        assert_eq!(
            client.map(|c| c.redirect_uris),
            Ok(Some(vec!["https://x/cb".into()]))
        );
        assert!(
            OAuthClient::from_id_and_secret("id", b"s")
                .is_ok_and(|c| c.project_number().is_none() && !format!("{c:?}").contains("\"s\""))
        );
    }
}
