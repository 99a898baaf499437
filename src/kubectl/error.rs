//! What ends a command, in sentences for whoever typed it.

use std::fmt::Display;

use crate::cluster::ClusterError;

/// Done.
pub const SUCCESS: u8 = 0;
/// Not done, or not accepted.
const FAILED: u8 = 1;
/// The flags do not fit together.
const USAGE: u8 = 2;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The flags do not fit together.
    #[error("{0}\n\nFor more, try the same command with --help.")]
    Usage(String),
    /// Anything else, in words.
    #[error("{0}")]
    Failed(String),
    /// What is not right has been shown on standard output.
    #[error("not all is right")]
    Shown,
    /// The API server.
    #[error("{}", in_words(.0))]
    Cluster(#[from] ClusterError),
}

impl CommandError {
    /// Anything that failed, in its own words.
    pub fn failed(error: impl Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            CommandError::Usage(_) => USAGE,
            CommandError::Failed(_) | CommandError::Shown | CommandError::Cluster(_) => FAILED,
        }
    }
}

/// What the API server said, and what to do about it.
pub fn in_words(error: &ClusterError) -> String {
    let ClusterError::Api { doing, source } = error else {
        return error.to_string();
    };
    match source.as_ref() {
        kube::Error::Api(status) => {
            let why = match status.code {
                401 => "the API server does not know who you are: log in again, or check the user of the kubeconfig's context".to_owned(),
                403 => forbidden(&status.message),
                404 if is_missing_kind(status) => "the CRDs are not installed in this cluster: install gmail-operator first (kubectl apply -k deploy, or the Helm chart), or choose another cluster with --context".to_owned(),
                _ => status.message.clone(),
            };
            format!("{doing}: {why}")
        }
        kube::Error::Auth(why) => {
            format!(
                "{doing}: the kubeconfig's user could not be authenticated: {}",
                chain(why)
            )
        }
        kube::Error::Service(why) => {
            format!(
                "{doing}: the API server cannot be reached: {}",
                chain(why.as_ref())
            )
        }
        kube::Error::HyperError(why) => {
            format!("{doing}: the API server cannot be reached: {}", chain(why))
        }
        kube::Error::SerdeError(why) => format!(
            "{doing}: the answer is not as this version of the plugin knows it ({why}): use the plugin of the same version as the operator"
        ),
        other => format!("{doing}: {other}"),
    }
}

/// The API server names user, verb and resource; the rest is how to get the right.
fn forbidden(message: &str) -> String {
    // Namespaces that go and admission policies answer 403 as well.
    if !message.contains(" cannot ") {
        return message.to_owned();
    }
    format!(
        "you lack a permission: {message}. Ask a cluster admin for it; `kubectl auth can-i --list` shows what you have"
    )
}

/// Whether it is the kind that is not there, rather than an object or its namespace.
fn is_missing_kind(status: &kube::core::Status) -> bool {
    status
        .details
        .as_ref()
        .is_none_or(|details| details.name.is_empty())
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let words = error.to_string();
        // Many errors repeat the one below.
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use kube::core::response::StatusDetails;

    use super::*;

    fn said(code: u16, message: &str, name: Option<&str>) -> String {
        let mut status = kube::core::Status::failure(message, "").with_code(code);
        status.details = name.map(|name| StatusDetails {
            name: name.to_owned(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: Vec::new(),
            retry_after_seconds: 0,
        });
        in_words(&ClusterError::Api {
            doing: "reading the GmailServerProfile mail/google".into(),
            source: Box::new(kube::Error::Api(status.boxed())),
        })
    }

    #[test]
    fn answers_of_the_api_server_become_sentences() {
        let text = said(404, "404 page not found", None);
        assert!(text.contains("the CRDs are not installed"), "{text}");
        let text = said(404, "namespaces \"mail\" not found", Some("mail"));
        assert!(text.ends_with("namespaces \"mail\" not found"), "{text}");
        let text = said(
            403,
            "x is forbidden: User \"ann\" cannot get resource \"gmailserverprofiles\" in API group \"gmail-operator.dev\" in the namespace \"mail\"",
            Some("google"),
        );
        assert!(
            text.contains("you lack a permission") && text.contains("User \"ann\" cannot get"),
            "{text}"
        );
        let text = said(
            403,
            "unable to create new content in namespace mail because it is being terminated",
            Some("google"),
        );
        assert!(!text.contains("permission"), "{text}");
        assert!(said(401, "Unauthorized", None).contains("log in again"));
    }

    #[test]
    fn wrong_flags_and_failures_end_differently() {
        assert_eq!(CommandError::Usage(String::new()).exit_code(), 2);
        assert_eq!(CommandError::failed("x").exit_code(), 1);
    }
}
