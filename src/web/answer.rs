//! What Google's answer says in the query of the redirect URI.

use crate::domain::secret::AuthorizationCode;

/// The query, with nothing in it twice (RFC 6749 section 3.1).
#[derive(Debug)]
pub(super) struct Answer {
    pub state: String,
    pub iss: Option<String>,
    pub outcome: Outcome,
}

/// A code, or an error in OAuth's words (RFC 6749 section 4.1.2).
#[derive(Debug)]
pub(super) enum Outcome {
    Code(AuthorizationCode),
    Error(String),
}

impl Answer {
    /// `None` for what no OAuth server sends. Parameters that are not known are passed over: Google
    /// adds some, and may add more.
    pub fn parse(query: &str) -> Option<Self> {
        let (mut state, mut iss, mut code, mut error) = (None, None, None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "state" => &mut state,
                "iss" => &mut iss,
                "code" => &mut code,
                "error" => &mut error,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        let outcome = match (code, error) {
            (Some(code), None) if !code.is_empty() => Outcome::Code(AuthorizationCode::new(code)),
            (None, Some(error)) => Outcome::Error(error),
            _ => return None,
        };
        Some(Self {
            state: state.filter(|state| !state.is_empty())?,
            iss,
            outcome,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::ExposeSecret;

    #[test]
    fn reads_what_google_sends() {
        let query = "state=s&iss=https://accounts.google.com&code=4%2F0Acode&scope=email%20openid&authuser=0&prompt=consent";
        let Some(answer) = Answer::parse(query) else {
            panic!("not read")
        };
        assert_eq!(
            (answer.state.as_str(), answer.iss.as_deref()),
            ("s", Some("https://accounts.google.com"))
        );
        assert!(
            matches!(&answer.outcome, Outcome::Code(code) if code.expose_secret() == "4/0Acode")
        );
        assert!(!format!("{answer:?}").contains("0Acode"));
        let declined = Answer::parse("error=access_denied&state=s");
        assert!(
            matches!(declined, Some(Answer { iss: None, outcome: Outcome::Error(error), .. }) if error == "access_denied")
        );
    }

    #[test]
    fn what_no_server_sends_is_not_an_answer() {
        for query in [
            "",
            "code=c",
            "state=s",
            "state=&code=c",
            "state=s&code=",
            "state=s&code=c&error=e",
            "state=s&state=t&code=c",
            "state=s&code=c&code=d",
            "state=s&code=c&iss=a&iss=b",
            "%ff",
        ] {
            assert!(Answer::parse(query).is_none(), "{query}");
        }
    }
}
