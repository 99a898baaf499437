//! The file that Google's console downloads.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::domain::oauth_client::{BadCredentials, OAuthClient, Other};
use crate::domain::secret::{ExposeSecret, SecretString};
use crate::kubectl::error::CommandError;
use crate::kubectl::google_console::CLIENTS;

/// Standard input, in the place of a file's name.
const STANDARD_INPUT: &str = "-";
/// More than any credentials may have, in bytes: [`OAuthClient::from_json`] refuses what is larger.
const MAX_CREDENTIALS: u64 = 64 * 1024;

/// The client, and the file as it was downloaded.
pub struct ClientFile {
    /// What it holds.
    pub client: OAuthClient,
    text: SecretString,
}

impl ClientFile {
    /// Reads and checks it.
    ///
    /// # Errors
    /// Which file, and what is wrong with it; nothing of its content.
    pub fn read(path: &Path) -> Result<Self, CommandError> {
        let content = read_bounded(path, MAX_CREDENTIALS)?;
        let client = OAuthClient::from_json(&content).map_err(|bad| refused(path, &bad))?;
        // JSON is UTF-8, so this fails for nothing that was read.
        let text = String::from_utf8(content)
            .map_err(|_| refused(path, &BadCredentials::NotText))?
            .into();
        Ok(Self { client, text })
    }

    /// For the Secret, unchanged.
    pub fn bytes(&self) -> &[u8] {
        self.text.expose_secret().as_bytes()
    }
}

fn refused(path: &Path, bad: &BadCredentials) -> CommandError {
    let cure = match bad {
        BadCredentials::Other(Other::Desktop) => format!(
            "Make a new client at {CLIENTS} with the application type \"Web application\" (`kubectl gmail setup` lists what to paste) and download its JSON."
        ),
        _ => format!(
            "Download the JSON again when you make the client or a new secret for it at {CLIENTS}: Google shows a secret only once."
        ),
    };
    CommandError::Failed(format!(
        "{} cannot be used: {bad}. {cure} Nothing was created.",
        called(path)
    ))
}

/// All of a file, or of standard input for "-", up to a little more than `max` bytes.
///
/// # Errors
/// Which file, and why it cannot be read.
pub fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, CommandError> {
    let mut content = Vec::new();
    let read = if path.as_os_str() == STANDARD_INPUT {
        io::stdin().take(max + 1).read_to_end(&mut content)
    } else {
        File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut content))
    };
    match read {
        Ok(_) => Ok(content),
        Err(error) => Err(CommandError::Failed(format!(
            "{} cannot be read: {error}",
            called(path)
        ))),
    }
}

/// How a file is called in sentences.
pub fn called(path: &Path) -> String {
    if path.as_os_str() == STANDARD_INPUT {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_of_which_file_and_without_its_content() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        for (content, said) in [
            (
                r#"{"installed":{"client_id":"1-a","client_secret":"GOCSPX-hidden"}}"#,
                "Web application",
            ),
            (
                r#"{"web":{"client_id":"1-a","client_secret":"GOCSPX-hidden\n"}}"#,
                "white space",
            ),
            ("GOCSPX-hidden", "a client secret alone"),
            ("hidden", "not the JSON"),
            ("", "it is empty"),
        ] {
            let path = folder.path().join("client_secret_1-a.json");
            assert!(std::fs::write(&path, content).is_ok());
            let error = match ClientFile::read(&path) {
                Err(error) => error.to_string(),
                Ok(_) => panic!("{content} was accepted"),
            };
            assert!(
                error.contains(said) && error.contains("client_secret_1-a.json"),
                "{error}"
            );
            assert!(!error.contains("hidden"), "{error}");
        }
        let missing = ClientFile::read(&folder.path().join("none.json"));
        assert!(missing.is_err_and(|error| error.to_string().contains("none.json cannot be read")));
    }
}
