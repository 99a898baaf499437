//! The OAuth client that Google's console gave.

mod fault;
mod file;
mod form;

use url::Url;

use super::secret::{ClientSecret, ExposeSecret};

pub use fault::{BadCredentials, Misplaced, NotAnId, Other, Stray};

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
    /// The token endpoint that the file names; `None` for ID and secret alone.
    pub token_uri: Option<String>,
}

impl OAuthClient {
    /// From the `client_secret….json` that Google's console downloads.
    ///
    /// # Errors
    /// [`BadCredentials`] says what is wrong with it.
    pub fn from_json(json: &[u8]) -> Result<Self, BadCredentials> {
        let downloaded = file::read(form::text(json)?)?;
        let client = Self::checked(downloaded.id, downloaded.secret)?;
        Ok(Self {
            redirect_uris: Some(downloaded.redirect_uris),
            token_uri: downloaded.token_uri,
            ..client
        })
    }

    /// From an ID and the value of a Secret's key.
    ///
    /// # Errors
    /// [`BadCredentials`] says what is wrong with them.
    pub fn from_id_and_secret(id: &str, secret: &[u8]) -> Result<Self, BadCredentials> {
        let secret = form::text(secret)?;
        form::not_something_else(secret)?;
        Self::checked(id.to_owned(), secret.to_owned())
    }

    fn checked(id: String, secret: String) -> Result<Self, BadCredentials> {
        form::in_their_places(&id, &secret)?;
        form::clean(&id).map_err(BadCredentials::Id)?;
        form::clean(&secret).map_err(BadCredentials::Secret)?;
        Ok(Self {
            id,
            secret: ClientSecret::new(secret),
            redirect_uris: None,
            token_uri: None,
        })
    }

    /// Checks that the file, where it names a token endpoint, names `token_endpoint`: a stand-in must
    /// not get the secret of a client that another server knows.
    ///
    /// # Errors
    /// [`BadCredentials::OfAnotherServer`].
    pub fn of_server(self, token_endpoint: &str) -> Result<Self, BadCredentials> {
        let named = self.token_uri.as_deref();
        match named.is_none_or(|named| named == token_endpoint) {
            true => Ok(self),
            false => Err(BadCredentials::OfAnotherServer),
        }
    }

    /// Checks the ID's form, which is Google's own: for where Google is what will be asked.
    ///
    /// # Errors
    /// [`BadCredentials::IdForm`] says what the ID looks like instead.
    pub fn of_google(self) -> Result<Self, BadCredentials> {
        match form::not_an_id(&self.id) {
            Some(looks) => Err(BadCredentials::IdForm(looks)),
            None => Ok(self),
        }
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

/// What is counted together: a Google Cloud project, as the server at one token endpoint has it. A
/// stand-in's projects are not Google's, whatever their numbers.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Project(String);

impl Project {
    /// The project of `client_id` at `token_endpoint`; the client ID itself where it tells none.
    pub fn of(client_id: &str, token_endpoint: &Url) -> Self {
        let number = project_number(client_id).unwrap_or(client_id);
        Self(format!("{number} at {token_endpoint}"))
    }
}

/// The number of the Google Cloud project in a client ID.
pub fn project_number(client_id: &str) -> Option<&str> {
    let (number, _) = client_id.split_once('-')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

#[cfg(test)]
mod tests;
