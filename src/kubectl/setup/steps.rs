//! The steps of "Connect Gmail accounts by using OAuth 2.0", with this installation's values.

use super::installation::{Installation, Source};
use crate::domain::console::PublicUrl;
use crate::kubectl::access::quoted;
use crate::kubectl::google_console as google;
use crate::kubectl::operator::OPERATOR_NAMESPACE;
use crate::kubectl::page::{Page, Row};

/// What is needed for the commands to run next.
pub struct Next {
    /// Namespace and cluster, as flags.
    pub again: String,
    /// Where the operator runs.
    pub operator_namespace: String,
}

/// All steps, in the order in which Google's console needs them.
pub fn page(installation: &Installation, next: &Next) -> Page {
    let url = &installation.url;
    let mut page = Page::new();
    origin(&mut page, installation, next);
    imap(&mut page);
    project(&mut page);
    branding(&mut page, url);
    audience(&mut page);
    data_access(&mut page);
    client(&mut page, url);
    profile(&mut page, next);
    afterwards(&mut page);
    page
}

fn origin(page: &mut Page, installation: &Installation, next: &Next) {
    let url = &installation.url;
    page.heading("Google's console, for this installation of gmail-operator")
        .text(&format!(
            "Browsers reach it at {url}, says {}.",
            match &installation.source {
                Source::Flag => "--public-url".to_owned(),
                Source::Profile(name) => format!("the status of the GmailServerProfile {name}"),
                Source::Deployment(name) | Source::NoFlag(name) => {
                    format!("the Deployment {name}")
                }
            }
        ));
    if installation.source == Source::Flag {
        page.text("The operator must be started with the same --public-url.");
    }
    if let Source::NoFlag(_) = installation.source {
        page.text("It has no --public-url, so only a port-forward leads to it.");
    }
    if !installation.others.is_empty() {
        page.text(&format!(
            "Other profiles are served elsewhere, by another operator: {}. Give --public-url if you mean theirs.",
            installation.others.join(", ")
        ));
    }
    if let Some(rule) = url.google_problem() {
        page.text(&format!(
            "Google does not take this address: {}. Start the operator with another --public-url before you go on.",
            rule.words()
        ));
    }
    if url.is_local() {
        page.text(
            "That is the machine of whoever sits before the browser. Google takes it, and people sign in on a machine with kubectl, one after the other, while this runs there:",
        )
        .copied(&format!("kubectl gmail link MAILBOX --port-forward{}", operator(next)))
        .text(
            "For people without kubectl: an https address of yours that leads to the Service, and the operator's --public-url set to it, before you go on.",
        );
    }
}

/// Where the operator runs, as a flag, if it is not where it usually does.
fn operator(next: &Next) -> String {
    match next.operator_namespace.as_str() {
        OPERATOR_NAMESPACE => String::new(),
        other => format!(" --operator-namespace {}", quoted(other)),
    }
}

fn imap(page: &mut Page) {
    page.heading("1. Enable IMAP (Google Workspace admin)")
        .text("A personal account (…@gmail.com) always has IMAP on: go on with step 2.")
        .text(&format!(
            "Google Workspace: {}, Apps > Google Workspace > Gmail > End User Access > POP and IMAP access: enable IMAP for everybody whose mailbox will be connected.",
            google::WORKSPACE
        ))
        .text("If only listed mail clients are allowed there, or if Security > API controls restricts Gmail: add and trust the client ID of step 6 there, once you have it.");
}

fn project(page: &mut Page) {
    page.heading("2. Create a project")
        .fields([
            ("Open", google::NEW_PROJECT),
            ("Then enable", google::GMAIL_API),
        ])
        .text("Any Google account can own it; for Internal (step 4) it must belong to your Workspace organisation. Google's limit of 100 accounts (step 4) is for each project, not for each client: a second client in it adds no places.");
}

fn branding(page: &mut Page, url: &PublicUrl) {
    page.heading("3. Consent screen: Branding")
        .fields([
            ("Open", google::BRANDING.to_owned()),
            (
                "App name",
                "what people shall read when they sign in, such as Acme CRM".to_owned(),
            ),
            ("User support email", "an address of your team".to_owned()),
            (
                "Authorised domains",
                url.authorized_domain()
                    .unwrap_or_else(|| "none: localhost needs none".to_owned()),
            ),
        ])
        .text("In a new project \"Get started\" asks for this and for step 4 at once.");
}

fn audience(page: &mut Page) {
    page.heading("4. Consent screen: Audience")
        .fields([("Open", google::AUDIENCE)])
        .text("Choose one. It decides who can sign in, how many, and for how long:")
        .rows(vec![
            Row::plain(&["CHOICE", "WHO", "ACCOUNTS", "A SIGN-IN LASTS"]),
            Row::plain(&["Internal", "accounts of your own Workspace", "no limit", "until it is taken back"]),
            Row::plain(&["External, Testing", "test users that you list (step 8)", "100", "7 days"]),
            Row::plain(&["External, In production", "anybody, after a warning page", "100, ever", "until it is taken back"]),
            Row::plain(&["  the same, verified by Google", "anybody", "no limit", "until it is taken back"]),
        ])
        .text("Internal is right if all mailboxes are of your own Workspace. Testing is for a try: after 7 days each owner has to sign in again. In production needs no review to begin with, but Google counts each new account against the 100 and never gives a place back; for more, Google verifies the app, with a security assessment since it reads mail.");
}

fn data_access(page: &mut Page) {
    page.heading("5. Consent screen: Data access")
        .fields([("Open", google::DATA_ACCESS)])
        .text("Add or remove scopes > Manually add scopes. Paste these three:")
        .copied("openid\nemail\nhttps://mail.google.com/")
        .text("The first two tell who signed in (the console may show email as …/auth/userinfo.email). The third is the only one that Google accepts for IMAP, POP and SMTP.");
}

fn client(page: &mut Page, url: &PublicUrl) {
    page.heading("6. OAuth client")
        .fields([("Open", google::CLIENTS)])
        .text("Create client, with exactly these values:")
        .fields([
            ("Application type", "Web application (a Desktop client is refused)".to_owned()),
            ("Name", "any, such as gmail-operator".to_owned()),
            ("Authorised JavaScript origins", url.origin()),
            ("Authorised redirect URIs", url.redirect_uri().to_string()),
        ])
        .text("Google compares the redirect URI letter by letter: no slash more, no other port. (The origin is not used by this flow; it does no harm.) A change there takes 5 minutes to a few hours to work.")
        .text("Create, then \"Download JSON\" in the same window: Google shows the secret this once only.");
}

fn profile(page: &mut Page, next: &Next) {
    page.heading("7. Server profile")
        .text("Give the downloaded file to the cluster. The command checks it, waits until Google has accepted the client, and says what is wrong if not:")
        .copied(&format!(
            "kubectl gmail profile create google{} --credentials client_secret.json --default --user-type internal",
            next.again
        ))
        .text("With what you chose in step 4 in the place of the last flag:")
        .rows(vec![
            Row::plain(&["Internal", "--user-type internal"]),
            Row::plain(&["External, Testing", "--user-type external --publishing-status testing"]),
            Row::plain(&["External, In production", "--user-type external --publishing-status in-production"]),
            Row::plain(&["  the same, verified by Google", "--user-type external --publishing-status in-production --verified"]),
        ]);
}

fn afterwards(page: &mut Page) {
    page.heading("8. Test users (External, Testing only)")
        .text(&format!(
            "{}, Test users: add each account that will sign in. Everybody else is turned away by Google.",
            google::AUDIENCE
        ))
        .heading("9. Mailboxes")
        .text("One Mailbox for each address; step 7 ends with an example. `kubectl gmail link` writes the mail with which its owner signs in. The tests run by themselves.");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::page::Look;

    fn text(url: &str, source: Source) -> String {
        let installation = Installation {
            url: url.parse().unwrap_or_else(|error| panic!("{error}")),
            source,
            others: Vec::new(),
        };
        let next = Next {
            again: " --namespace mail".to_owned(),
            operator_namespace: "gmail-operator".to_owned(),
        };
        page(&installation, &next).render(Look {
            styled: false,
            width: None,
        })
    }

    #[test]
    fn all_that_is_pasted_stands_there() {
        let said = text("https://mail.apps.example.co.uk/x", Source::Flag);
        for line in [
            "Authorised redirect URIs        https://mail.apps.example.co.uk/x/oauth2/callback",
            "Authorised JavaScript origins   https://mail.apps.example.co.uk",
            "Authorised domains   example.co.uk",
            "    openid\n    email\n    https://mail.google.com/\n",
            "kubectl gmail profile create google --namespace mail --credentials",
            "The operator must be started with the same --public-url.",
        ] {
            assert!(said.contains(line), "{line} is not in\n{said}");
        }
        assert!(!said.contains("port-forward"), "{said}");
    }

    #[test]
    fn an_address_that_google_refuses_is_told_first() {
        let said = text("https://gmail.mail.svc.cluster.local", Source::Flag);
        assert!(said.contains("Google does not take this address"), "{said}");
        let said = text("https://gmail.example.com", Source::Flag);
        assert!(!said.contains("does not take"), "{said}");
    }

    #[test]
    fn localhost_is_said_to_be_for_a_try() {
        let said = text(
            "http://localhost:8080",
            Source::Deployment("op/x".to_owned()),
        );
        assert!(
            said.contains("link MAILBOX --port-forward\n") && said.contains("localhost needs none")
        );
        assert!(said.contains("says the Deployment op/x"), "{said}");
        assert!(!said.contains("has no --public-url"), "{said}");
        let said = text("http://localhost:8425", Source::NoFlag("op/x".to_owned()));
        assert!(said.contains("has no --public-url"), "{said}");
    }

    /// What is copied stays whole; the rest fits a terminal of eighty columns but for what is pasted.
    #[test]
    fn a_narrow_terminal_breaks_no_value() {
        let installation = Installation {
            url: "https://gmail.example.com"
                .parse()
                .unwrap_or_else(|error| panic!("{error}")),
            source: Source::Flag,
            others: Vec::new(),
        };
        let next = Next {
            again: " --namespace mail".to_owned(),
            operator_namespace: "gmail-operator".to_owned(),
        };
        let said = page(&installation, &next).render(Look {
            styled: false,
            width: Some(60),
        });
        assert!(
            said.contains("https://gmail.example.com/oauth2/callback\n"),
            "{said}"
        );
    }
}
