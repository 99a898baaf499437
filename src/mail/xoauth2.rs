use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::Auth;

use super::MailAccount;
use crate::domain::failure::server_reply;
use crate::domain::secret::{AccessToken, ExposeSecret, SecretString};

/// A login with XOAUTH2: `user=…\x01auth=Bearer …\x01\x01` in base64, as IMAP and SMTP both take it
/// (developers.google.com/workspace/gmail/imap/xoauth2-protocol). It is as good as the token, so
/// it cannot be printed either.
#[derive(Clone, Debug)]
pub struct Xoauth2 {
    initial_response: SecretString,
    token: AccessToken,
}

impl Xoauth2 {
    /// The login of `account`.
    pub fn new(account: MailAccount<'_>) -> Self {
        let token = account.token.expose_secret().to_owned();
        let credentials = Credentials::new(account.user.to_owned(), token);
        // lettre knows the mechanism; without a challenge there is nothing in it that can fail.
        let command = Auth::new(Mechanism::Xoauth2, credentials, None)
            .map(|command| command.to_string())
            .unwrap_or_default();
        let initial_response = command.trim_start_matches("AUTH XOAUTH2 ").trim_end();
        Self {
            initial_response: SecretString::from(initial_response),
            token: account.token.clone(),
        }
    }

    /// A server's words with neither the token nor this login in them: a hostile one may say back
    /// what it was told.
    pub(super) fn safe_reply(&self, raw: &str) -> Option<String> {
        server_reply(raw, &[self.expose_secret(), self.token.expose_secret()])
    }
}

impl ExposeSecret<str> for Xoauth2 {
    /// The base64 text that goes on the wire.
    fn expose_secret(&self) -> &str {
        self.initial_response.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_google_documents_and_cannot_be_printed() {
        let token = AccessToken::new("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
        let login = Xoauth2::new(MailAccount {
            user: "someuser@example.com",
            token: &token,
        });
        // The example of Google's page.
        let documented = "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==";
        assert_eq!(login.expose_secret(), documented);
        assert!(!format!("{login:?}").contains("dXNl") && !format!("{login:?}").contains("ya29"));
        let echoed = format!("{documented} and {}", token.expose_secret());
        assert_eq!(login.safe_reply(&echoed).as_deref(), Some("… and …"));
    }
}
