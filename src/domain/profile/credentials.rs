//! What is said of the OAuth client: `CredentialsAccepted` and `RedirectRegistered`.

use super::decide::{Checked, Credentials, ProfileWorld, Trouble};
use crate::api::Reason;
use crate::domain::redirect::near_miss;
use crate::domain::verdict::Verdict;

/// The longest redirect URI of somebody else's that is repeated, in characters.
const MAX_URI: usize = 200;

impl ProfileWorld {
    /// Google's answer about the client that the Secret holds now.
    fn answer(&self) -> Option<&Checked> {
        let Credentials::Client { fingerprint, .. } = &self.credentials else {
            return None;
        };
        let checked = self.checked.as_ref();
        checked.filter(|checked| checked.fingerprint == *fingerprint)
    }

    /// Why the client that the Secret holds now could not be checked, when it was last tried.
    pub(super) fn trouble_now(&self) -> Option<&Trouble> {
        let Credentials::Client { fingerprint, .. } = &self.credentials else {
            return None;
        };
        let trouble = self.trouble.as_ref();
        trouble.filter(|trouble| trouble.fingerprint == *fingerprint)
    }

    /// Whether what was known of the client came from the server that is asked now.
    fn same_server(&self) -> bool {
        let checked = self.checked.as_ref();
        checked.is_none_or(|checked| checked.server == self.server)
    }
}

/// `before` is what Google was known to say of the same client ID: it stands until the same server
/// says otherwise, whatever keeps the check from being made.
pub(super) fn credentials(world: &ProfileWorld, before: Option<Verdict>) -> Verdict {
    match &world.credentials {
        Credentials::NotNamed => return Verdict::unknown(Reason::NotChecked, ""),
        Credentials::Unusable(reason, detail) => return Verdict::no(*reason, detail),
        Credentials::Client { .. } => {}
    }
    match world.answer() {
        Some(Checked { refused: None, .. }) => Verdict::yes(
            Reason::CredentialsAccepted,
            "Google knows the client ID and accepts the secret.",
        ),
        Some(Checked {
            refused: Some((reason, words)),
            ..
        }) => Verdict::no(*reason, words),
        None => match (before.filter(|_| world.same_server()), world.trouble_now()) {
            (Some(before), _) => before,
            (None, Some(trouble)) => Verdict::unknown(trouble.reason, &trouble.detail),
            (None, None) => Verdict::unknown(Reason::NotChecked, ""),
        },
    }
}

/// The newest evidence first: what Google said of the URI, a sign-in that came back to it, the
/// rules, the file.
pub(super) fn redirect(world: &ProfileWorld) -> Verdict {
    let url = &world.public_url;
    let uri = url.redirect_uri();
    let mismatch = world
        .answer()
        .map_or(world.mismatch_before, |checked| checked.redirect_mismatch);
    if mismatch {
        let detail = format!("add the line {uri}");
        return Verdict::no(Reason::RedirectMismatch, &detail);
    }
    if world.redirect_proved {
        return Verdict::yes(
            Reason::SignedIn,
            "A sign-in with this client has come back to the redirect URI.",
        );
    }
    let with_google = world
        .spec
        .as_ref()
        .map_or(true, |spec| spec.endpoints.is_google());
    if let Some(rule) = url.google_problem().filter(|_| with_google) {
        let detail = format!("{uri}: {}", rule.words());
        return Verdict::no(Reason::RedirectHostRefused, &detail);
    }
    match &world.credentials {
        Credentials::Client {
            redirect_uris: Some(listed),
            ..
        } if listed.iter().any(|known| known == uri.as_str()) => Verdict::yes(
            Reason::InDownloadedFile,
            "The redirect URI is in the downloaded file.",
        ),
        Credentials::Client {
            redirect_uris: Some(listed),
            ..
        } => {
            let mut detail = format!("add the line {uri}");
            if let Some((listed, miss)) = near_miss(listed, &uri) {
                detail.push_str(&format!(
                    "; the file has {}, which differs only {}",
                    safe(listed),
                    miss.words()
                ));
            }
            Verdict::unknown(Reason::NotInDownloadedFile, &detail)
        }
        Credentials::Client {
            redirect_uris: None,
            ..
        } => Verdict::unknown(Reason::NotVerifiable, &format!("add the line {uri}")),
        _ => Verdict::unknown(Reason::NotChecked, &format!("the line to add is {uri}")),
    }
}

/// Somebody else's text on one line, in bounds.
fn safe(uri: &str) -> String {
    uri.trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_URI)
        .collect()
}
