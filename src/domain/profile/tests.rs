use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::api::{GmailServerProfileSpec, GmailServerProfileStatus, Reason};
use crate::domain::console::PublicUrl;
use crate::domain::egress::EgressPolicy;
use crate::domain::mailbox::Retry;
use crate::domain::verdict::{Truth, Verdict};

const URL: &str = "https://gmail.example.com";
const URI: &str = "https://gmail.example.com/oauth2/callback";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

fn spec() -> GmailServerProfileSpec {
    serde_json::from_value(serde_json::json!({ "oauthClient": {} }))
        .unwrap_or_else(|e| panic!("{e}"))
}

fn client(fingerprint: &str, redirect_uris: Option<&[&str]>) -> Credentials {
    Credentials::Client {
        id: "1-a".into(),
        fingerprint: fingerprint.into(),
        redirect_uris: redirect_uris.map(|uris| uris.iter().map(|uri| (*uri).into()).collect()),
    }
}

fn world() -> ProfileWorld {
    ProfileWorld {
        now: at(1000),
        uid: "u".into(),
        spec: ValidProfile::new(&spec(), &EgressPolicy::default()),
        suspended: false,
        not_shared: None,
        advice: vec![],
        credentials: client("f", Some(&[URI])),
        server: "google".into(),
        checked: None,
        trouble: None,
        redirect_proved: false,
        mismatch_before: false,
        retry: Retry::default(),
        public_url: public_url(URL),
        counts: Counts::default(),
        places: Places::default(),
        test_request: None,
        tally: Tally::default(),
        failed_together: false,
        times: Times {
            recheck: Duration::from_secs(21_600),
            recheck_refused: Duration::from_secs(600),
            look: Duration::from_secs(50),
            backoff_first: Duration::from_secs(5),
            backoff_longest: Duration::from_secs(300),
        },
    }
}

fn public_url(text: &str) -> PublicUrl {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

fn down() -> Outcome {
    Outcome::Unavailable(Reason::GoogleUnavailable, "x:443 did not answer".into())
}

fn asks(world: &ProfileWorld) -> bool {
    decide(world).step.is_some()
}

fn said(world: &ProfileWorld, old: Option<&GmailServerProfileStatus>) -> (Truth, Reason) {
    let verdict = judge(world, old).credentials_accepted;
    (verdict.truth, verdict.reason)
}

fn redirect(world: &ProfileWorld) -> Verdict {
    judge(world, None).redirect_registered
}

#[test]
fn a_check_that_could_not_be_made_waits_but_not_for_another_client() {
    let world = fold(world(), down());
    assert!(!asks(&world) && world.retry.failed == 1);
    assert_eq!(
        said(&world, None),
        (Truth::Unknown, Reason::GoogleUnavailable)
    );
    assert!(
        judge(&world, None)
            .credentials_accepted
            .message
            .contains("x:443")
    );
    let mut later = world.clone();
    later.now = at(1005);
    assert!(asks(&later));
    let again = fold(later, down());
    assert_eq!(again.retry.failed, 2);
    // The Secret, or the endpoint, was put right.
    let mut other = again;
    other.credentials = client("g", None);
    assert!(asks(&other));
    assert_eq!(said(&other, None), (Truth::Unknown, Reason::NotChecked));
    assert_eq!(fold(other, down()).retry.failed, 1);
}

#[test]
fn what_was_known_stands_until_the_same_server_says_otherwise() {
    let accepted = fold(world(), Outcome::Accepted);
    let status = report(&accepted, None, Some(1));
    let known = (Truth::True, Reason::CredentialsAccepted);
    assert_eq!(said(&accepted, None), known);

    // After a restart, and with another secret, while the server is down.
    assert_eq!(said(&fold(world(), down()), Some(&status)), known);
    let mut rotated = accepted.clone();
    rotated.credentials = client("g", None);
    assert_eq!(said(&fold(rotated.clone(), down()), Some(&status)), known);

    // Another server knows nothing of it.
    rotated.server = "stand-in".into();
    assert_eq!(
        said(&fold(rotated, down()), Some(&status)),
        (Truth::Unknown, Reason::GoogleUnavailable)
    );

    // Another ID.
    let mut other = fold(world(), down());
    other.credentials = Credentials::Client {
        id: "1-b".into(),
        fingerprint: "f".into(),
        redirect_uris: None,
    };
    assert_eq!(said(&other, Some(&status)).0, Truth::Unknown);
}

#[test]
fn what_was_wrong_with_the_secret_is_not_googles_word() {
    let mut gone = fold(world(), Outcome::Accepted);
    let before = report(&gone, None, Some(1));
    gone.credentials = Credentials::Unusable(Reason::ClientSecretMissing, "no Secret".into());
    let without = report(&gone, Some(&before), Some(1));
    assert_eq!(
        said(&gone, Some(&before)),
        (Truth::False, Reason::ClientSecretMissing)
    );
    // It is back: at once as before, and after a restart not known.
    gone.credentials = client("f", Some(&[URI]));
    assert_eq!(said(&gone, Some(&without)).0, Truth::True);
    assert_eq!(
        said(&world(), Some(&without)),
        (Truth::Unknown, Reason::NotChecked)
    );
}

#[test]
fn the_newest_evidence_of_the_redirect_uri_counts() {
    type Change = fn(&mut ProfileWorld);
    let cases: [(Change, Truth, Reason, &str); 9] = [
        (|_| (), Truth::True, Reason::InDownloadedFile, ""),
        (
            |w| w.credentials = client("f", Some(&["https://gmail.example.com/oauth2/callback/"])),
            Truth::Unknown,
            Reason::NotInDownloadedFile,
            "differs only by a slash at its end",
        ),
        (
            |w| w.credentials = client("f", None),
            Truth::Unknown,
            Reason::NotVerifiable,
            URI,
        ),
        (
            |w| w.credentials = Credentials::NotNamed,
            Truth::Unknown,
            Reason::NotChecked,
            URI,
        ),
        (
            |w| w.public_url = public_url("https://gmail.internal"),
            Truth::False,
            Reason::RedirectHostRefused,
            "--public-url",
        ),
        (
            |w| {
                w.public_url = public_url("https://gmail.internal");
                w.redirect_proved = true;
            },
            Truth::True,
            Reason::SignedIn,
            "",
        ),
        (
            |w| w.mismatch_before = true,
            Truth::False,
            Reason::RedirectMismatch,
            URI,
        ),
        (
            |w| {
                w.redirect_proved = true;
                *w = fold(w.clone(), Outcome::RedirectMismatch);
            },
            Truth::False,
            Reason::RedirectMismatch,
            URI,
        ),
        (
            |w| {
                w.mismatch_before = true;
                *w = fold(w.clone(), Outcome::Accepted);
            },
            Truth::True,
            Reason::InDownloadedFile,
            "",
        ),
    ];
    for (at, (change, truth, reason, words)) in cases.into_iter().enumerate() {
        let mut world = world();
        change(&mut world);
        let verdict = redirect(&world);
        assert_eq!((verdict.truth, verdict.reason), (truth, reason), "{at}");
        assert!(verdict.message.contains(words), "{}", verdict.message);
    }
}

#[test]
fn a_mismatch_is_good_credentials_and_is_asked_again_soon() {
    let mut world = fold(world(), Outcome::RedirectMismatch);
    assert_eq!(
        said(&world, None),
        (Truth::True, Reason::CredentialsAccepted)
    );
    assert!(judge(&world, None).ready.holds());
    world.now = at(1000 + 600);
    assert!(asks(&world));
    let accepted = fold(world, Outcome::Accepted);
    let mut later = accepted;
    later.now = at(1600 + 600);
    assert!(!asks(&later));
}

#[test]
fn status_remembers_of_one_client_and_one_uri() {
    let mut proved = world();
    proved.redirect_proved = true;
    let status = report(&proved, None, Some(1));
    let known = |id, uri| known_before(Some(&status), id, uri);
    assert!(known("1-a", URI).proved && !known("1-a", URI).mismatch);
    assert_eq!(known("1-b", URI), Known::default());
    assert_eq!(known("1-a", "https://x/"), Known::default());
    assert_eq!(known_before(None, "1-a", URI), Known::default());
}

#[test]
fn every_condition_has_one_of_its_own_reasons() {
    let outcomes = [
        None,
        Some(Outcome::Accepted),
        Some(Outcome::RedirectMismatch),
        Some(Outcome::Refused(Reason::ClientDeleted, "x".into())),
        Some(down()),
    ];
    let credentials = [
        Credentials::NotNamed,
        Credentials::Unusable(Reason::ClientTypeWrong, "x".into()),
        client("f", None),
    ];
    for outcome in &outcomes {
        for credentials in &credentials {
            for suspended in [false, true] {
                let mut world = world();
                world.credentials = credentials.clone();
                world.suspended = suspended;
                let world = match outcome {
                    Some(outcome) => fold(world, outcome.clone()),
                    None => world,
                };
                let verdicts = judge(&world, None);
                for (name, verdict) in verdicts.all() {
                    let condition: crate::api::ProfileCondition =
                        name.parse().unwrap_or_else(|_| panic!("{name}"));
                    let of = match condition {
                        crate::api::ProfileCondition::Ready if !verdict.holds() && !suspended => {
                            crate::api::ProfileCondition::CredentialsAccepted
                        }
                        other => other,
                    };
                    assert!(
                        of.reasons().contains(&verdict.reason),
                        "{name} {}",
                        verdict.reason
                    );
                }
            }
        }
    }
}

#[test]
fn a_profile_that_is_not_shared_says_what_would_help() {
    let own = "platform".to_owned();
    for (why, helps) in [
        (NotShared::NotLabelled, "Label the profile's Namespace"),
        (
            NotShared::Unread { own },
            "Move the profile to the namespace platform",
        ),
    ] {
        let mut world = world();
        world.not_shared = Some(why);
        let verdicts = verdicts(&world, None);
        assert_eq!(verdicts.accepted.reason, Reason::SharingNotPermitted);
        let message = &verdicts.accepted.message;
        assert!(message.contains(helps), "{message}");
        assert!(message.contains("its own namespace"), "{message}");
        assert_eq!(verdicts.ready.message, *message);
    }
}

#[test]
fn advice_is_given_while_it_holds() {
    let spec: GmailServerProfileSpec = serde_json::from_value(serde_json::json!({
        "oauthClient": { "consentScreen": { "userType": "Internal" } },
        "allowedEmailAddresses": ["*@example.com", "ann@GMAIL.com"],
        "processing": { "processEmailsFrom": "1970-01-01T01:00:00Z" },
    }))
    .unwrap_or_else(|e| panic!("{e}"));
    let namespaces = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let mut world = world();
    world.advice = advice(&spec, namespaces);
    let says = |world: &ProfileWorld| judge(world, None).accepted.message;
    let early = says(&world);
    for words in ["which is to come", "names gmail.com", "a, b, c and others"] {
        assert!(early.contains(words), "{early}");
    }
    world.now = at(3600);
    assert!(!says(&world).contains("which is to come"));
    world.advice = advice(&self::spec(), vec![]);
    assert_eq!(says(&world), "The profile is right.");
}
