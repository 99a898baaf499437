//! The JSON that Google's console downloads, and what people put in its place.

use serde_json::{Map, Value};

use super::fault::{BadCredentials, Misplaced, Other};
use super::form;

/// What is used of the file.
pub(super) struct Downloaded {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) redirect_uris: Vec<String>,
    pub(super) token_uri: Option<String>,
}

/// Reads the file of a client of the type "Web application".
pub(super) fn read(text: &str) -> Result<Downloaded, BadCredentials> {
    match serde_json::from_str(text) {
        Ok(Value::Object(file)) => web(file),
        Ok(Value::String(quoted)) => {
            Err(form::bare(&quoted).unwrap_or(BadCredentials::Other(Other::NotAnObject)))
        }
        Ok(_) => Err(BadCredentials::Other(Other::NotAnObject)),
        Err(_) if let Some(bare) = form::bare(text) => Err(bare),
        Err(error) if error.is_eof() => Err(BadCredentials::CutOff),
        Err(error) => Err(BadCredentials::NotJson {
            line: error.line(),
            column: error.column(),
        }),
    }
}

fn web(mut file: Map<String, Value>) -> Result<Downloaded, BadCredentials> {
    let Some(Value::Object(mut web)) = file.remove("web") else {
        return Err(other(&file));
    };
    let mut text = |key: &'static str| match web.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(BadCredentials::Lacks(key)),
    };
    let (id, secret) = (text("client_id")?, text("client_secret")?);
    let token_uri = text("token_uri").ok();
    let redirect_uris = match web.remove("redirect_uris") {
        Some(Value::Array(uris)) => uris,
        _ => Vec::new(),
    };
    let redirect_uris = redirect_uris.into_iter().filter_map(|uri| match uri {
        Value::String(uri) => Some(uri),
        _ => None,
    });
    Ok(Downloaded {
        id,
        secret,
        redirect_uris: redirect_uris.collect(),
        token_uri,
    })
}

/// What a JSON object without "web" is.
fn other(file: &Map<String, Value>) -> BadCredentials {
    let other = match file.get("type").and_then(Value::as_str) {
        _ if file.contains_key("installed") => Other::Desktop,
        Some("service_account") => Other::ServiceAccount,
        Some("authorized_user") => Other::AuthorizedUser,
        Some("external_account") => Other::ExternalAccount,
        _ if file.contains_key("private_key") => Other::ServiceAccount,
        _ if file.contains_key("client_id") && file.contains_key("client_secret") => {
            return BadCredentials::NotUnderWeb;
        }
        _ => return BadCredentials::NoWeb,
    };
    BadCredentials::Other(other)
}

impl From<Misplaced> for BadCredentials {
    fn from(misplaced: Misplaced) -> Self {
        Self::Misplaced(misplaced)
    }
}

impl From<Other> for BadCredentials {
    fn from(other: Other) -> Self {
        Self::Other(other)
    }
}
