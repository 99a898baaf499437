//! Commands of ChromeDriver that WebDriver itself does not have.

use fantoccini::wd::WebDriverCompatibleCommand;
use reqwest::Method;
use serde_json::Value;
use url::{ParseError, Url};

/// One of them.
#[derive(Debug)]
pub(super) struct Extra {
    method: Method,
    path: &'static str,
    body: Value,
}

impl Extra {
    pub(super) fn new(method: Method, path: &'static str, body: Value) -> Self {
        Self { method, path, body }
    }
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (self.method.clone(), Some(self.body.to_string()))
    }
}
