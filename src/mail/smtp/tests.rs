//! What Gmail says, and what a hostile or broken server may say (gmail-protocol.md section e).

use super::*;
use crate::domain::secret::AccessToken;
use crate::mail::stage::Act::{Babble, Encrypt, Hear, Say, Send, Take, Wait};
use crate::mail::stage::{Act, Stage, TOKEN, account};

const GREETING: Act =
    Say("220 smtp.gmail.com ESMTP d9443c01a7336-29daeaab9e6sm1723845ad.71 - gsmtp\r\n");
const EHLO_IN_CLEAR: Act =
    Say("250-smtp.gmail.com at your service\r\n250-SIZE 35882577\r\n250 STARTTLS\r\n");
const EHLO_ENCRYPTED: Act =
    Say("250-smtp.gmail.com at your service\r\n250 AUTH LOGIN PLAIN XOAUTH2\r\n");
const AUTH: Act = Hear("AUTH XOAUTH2 dXNlcj1hbm5AZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIg");
const CHALLENGE: Act = Say("334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=\r\n");
const ACCEPTED: Act = Say("235 2.7.0 Accepted\r\n");
const GO_ON: Act = Say("250 2.1.0 OK d9443c01a7336-29daeaab9e6sm1723845ad.71 - gsmtp\r\n");

/// Up to the question whether the login is right.
fn before_auth(security: SmtpSecurity) -> Vec<Act> {
    match security {
        SmtpSecurity::Tls => vec![Encrypt, GREETING, Hear("EHLO"), EHLO_ENCRYPTED, AUTH],
        SmtpSecurity::StartTls => vec![
            GREETING,
            Hear("EHLO"),
            EHLO_IN_CLEAR,
            Hear("STARTTLS"),
            Say("220 2.0.0 Ready to start TLS\r\n"),
            Encrypt,
            Hear("EHLO"),
            EHLO_ENCRYPTED,
            AUTH,
        ],
    }
}

async fn open(stage: &Stage, security: SmtpSecurity) -> Result<SmtpSession, Failure> {
    let token = AccessToken::new(TOKEN);
    SmtpSession::open(&stage.dialer, &stage.endpoint, security, account(&token)).await
}

async fn failure(security: SmtpSecurity, script: Vec<Act>) -> Failure {
    let stage = Stage::new(script).await.impatient();
    open(&stage, security).await.err().unwrap()
}

fn leak(text: String) -> &'static str {
    text.leak()
}

/// What is said to a login, what it means, and what is kept of the words.
const REFUSALS: &[(&str, Reason, &str)] = &[
    (
        "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials 6a1803df08f44-6f8b3f29120sm90114696d6.89 - gsmtp\r\n",
        Reason::SmtpLoginRefused,
        "535 5.7.8 Username and Password not accepted. For more information, go to (URL)",
    ),
    (
        "534-5.7.9 Please log in with your web browser and then try again. For more\r\n534 5.7.9 information, go to https://support.google.com/mail/?p=WebLoginRequired d9 - gsmtp\r\n",
        Reason::WebLoginRequired,
        "534 5.7.9 Please log in with your web browser and then try again. For more information, go to (URL) d9",
    ),
    (
        "534-5.7.14 <https://accounts.google.com/signin/continue?x> Please log in\r\n534 5.7.14 through your web browser\r\n",
        Reason::WebLoginRequired,
        "534 5.7.14 <(URL)> Please log in through your web browser",
    ),
    (
        "534-5.7.14 <https://accounts.google.com/signin/continue?plt=AKgnsbt\r\n534-5.7.14 ZGVmZ2hpams> Please log in\r\n534 5.7.14 through your web browser\r\n",
        Reason::WebLoginRequired,
        "534 5.7.14 <(URL)> Please log in through your web browser",
    ),
    (
        "534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor d9 - gsmtp\r\n",
        Reason::UnexpectedPasswordLogin,
        "534 5.7.9 Application-specific password required. For more information, go to (URL) d9",
    ),
    (
        "454-4.7.0 Too many login attempts, please try again later. For more\r\n454 4.7.0 information, go to https://support.google.com/x\r\n",
        Reason::LoginRateLimited,
        "454 4.7.0 Too many login attempts, please try again later. For more information, go to (URL)",
    ),
    (
        "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later.\r\n",
        Reason::MailServerUnavailable,
        "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later.",
    ),
    (
        "421 4.7.0 Temporary System Problem. Try again later.\r\n",
        Reason::MailServerUnavailable,
        "421 4.7.0 Temporary System Problem. Try again later.",
    ),
    (
        "535 5.5.4 Optional Argument not permitted for that AUTH mode\r\n",
        Reason::LoginMalformed,
        "535 5.5.4 Optional Argument not permitted for that AUTH mode",
    ),
    (
        "501 5.5.2 Cannot Decode response\r\n",
        Reason::LoginMalformed,
        "501 5.5.2 Cannot Decode response",
    ),
    (
        "504 5.7.4 Unrecognized Authentication Type\r\n",
        Reason::LoginMethodMissing,
        "504 5.7.4 Unrecognized Authentication Type",
    ),
    ("354 yes?\r\n", Reason::UnexpectedReply, "354 yes?"),
    ("599 not you\r\n", Reason::RefusedOtherwise, "599 not you"),
];

#[tokio::test]
async fn a_refused_login_is_heard_to_the_end() {
    for (said, reason, reply) in REFUSALS.iter().copied() {
        for security in [SmtpSecurity::Tls, SmtpSecurity::StartTls] {
            let mut script = before_auth(security);
            script.extend([CHALLENGE, Hear(""), Say(said)]);
            let refused = failure(security, script).await;
            let expected = (reason, Some(reply));
            assert_eq!((refused.reason, refused.reply.as_deref()), expected);
            assert_eq!(refused.detail, "its challenge says status 400");
        }
        let mut script = before_auth(SmtpSecurity::Tls);
        script.push(Say(said));
        let refused = failure(SmtpSecurity::Tls, script).await;
        assert_eq!(
            (refused.reason, refused.reply.as_deref()),
            (reason, Some(reply))
        );
    }
}

#[tokio::test]
async fn each_row_of_the_tables_is_met_on_the_wire() {
    for (step, line, reason) in refusal::tests::each_row() {
        let stage = Stage::new(up_to(step, leak(format!("{line}\r\n")))).await;
        let security = match step {
            Step::StartTls => SmtpSecurity::StartTls,
            _ => SmtpSecurity::Tls,
        };
        let failed = match open(&stage, security).await {
            Err(failure) => failure,
            Ok(session) => used(session, step).await,
        };
        assert_eq!(failed.reason, reason, "{step:?}: {line}");
        assert!(failed.doing.starts_with(step.doing()), "{failed:?}");
    }
}

/// A script in which `said` is the answer of `step`.
fn up_to(step: Step, said: &'static str) -> Vec<Act> {
    let mut logged_in = before_auth(SmtpSecurity::Tls);
    logged_in.push(ACCEPTED);
    let mut script = match step {
        Step::Greeting => vec![Encrypt],
        Step::Ehlo => vec![Encrypt, GREETING, Hear("EHLO")],
        Step::StartTls => vec![GREETING, Hear("EHLO"), EHLO_IN_CLEAR, Hear("STARTTLS")],
        Step::Auth => before_auth(SmtpSecurity::Tls),
        _ => logged_in,
    };
    let before: &[Act] = match step {
        Step::Noop => &[Hear("NOOP")],
        Step::Mail => &[Hear("MAIL")],
        Step::Rcpt => &[Hear("MAIL"), GO_ON, Hear("RCPT")],
        Step::Announce => &[Hear("MAIL"), GO_ON, Hear("RCPT"), GO_ON, Hear("DATA")],
        Step::Data => &[
            Hear("MAIL"),
            GO_ON,
            Hear("RCPT"),
            GO_ON,
            Hear("DATA"),
            Say("354 Go ahead\r\n"),
            Hear("x"),
            Hear("."),
        ],
        _ => &[],
    };
    script.extend_from_slice(before);
    script.push(Say(said));
    script
}

async fn used(mut session: SmtpSession, step: Step) -> Failure {
    if step == Step::Noop {
        return session.noop().await.unwrap_err();
    }
    let ann = "ann@example.com".parse().unwrap();
    match session.envelope(&ann, &ann).await {
        Err(failure) => failure,
        Ok(()) => match session.data(b"x").await.unwrap_err() {
            NotTaken::Refused(failure) | NotTaken::Unknown(failure) => failure,
        },
    }
}

#[tokio::test]
async fn the_mechanism_is_one_that_the_server_takes() {
    let script = vec![
        Encrypt,
        GREETING,
        Hear("EHLO"),
        Say("250-smtp.example.com\r\n250 AUTH PLAIN OAUTHBEARER\r\n"),
        Hear("AUTH OAUTHBEARER bixhPWFubkBleGFtcGxlLmNvbSwBaG9zdD1sb2NhbGhvc3QBcG9ydD"),
        Say("334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n"),
        Hear("AQ=="),
        Say("535 5.7.8 no\r\n"),
    ];
    let refused = failure(SmtpSecurity::Tls, script).await;
    assert_eq!(refused.reason, Reason::SmtpLoginRefused);
    assert_eq!(refused.detail, "its challenge says status invalid_token");
    for without in ["250-me\r\n250 AUTH PLAIN LOGIN\r\n", "250 me\r\n"] {
        let script = vec![Encrypt, GREETING, Hear("EHLO"), Say(without), Wait];
        let missing = failure(SmtpSecurity::Tls, script).await;
        assert_eq!(missing.reason, Reason::LoginMethodMissing);
    }
}

#[tokio::test]
async fn a_token_said_back_is_not_repeated() {
    let said = leak(format!("535 {TOKEN} no\r\n"));
    let mut script = before_auth(SmtpSecurity::Tls);
    script.push(Say(said));
    let refused = failure(SmtpSecurity::Tls, script).await;
    assert_eq!(refused.reply.as_deref(), Some("535 … no"));
}

#[tokio::test]
async fn servers_that_do_not_answer_well() {
    use Reason::*;
    for (script, reason) in [
        (vec![GREETING, Wait], PlainTextOnTlsPort),
        (vec![Wait], TlsTimedOut),
        (vec![], TlsConnectionLost),
        (vec![Encrypt], GreetingMissing),
        (vec![Encrypt, Wait], GreetingTimedOut),
        (vec![Encrypt, Say("220-half\r\n"), Wait], ReplyTooSlow),
        (
            vec![Encrypt, Say("* OK IMAP ready\r\n"), Wait],
            WrongProtocol,
        ),
        (vec![Encrypt, Say("+OK POP3\r\n"), Wait], WrongProtocol),
        (vec![Encrypt, Say("354 what\r\n"), Wait], UnexpectedReply),
        (
            vec![
                Encrypt,
                Say("421 4.7.0 Try again later, closing connection.\r\n"),
            ],
            MailServerUnavailable,
        ),
        (vec![Encrypt, Say("554 no SMTP here\r\n")], ServiceRefused),
        (
            vec![Encrypt, GREETING, Hear("EHLO"), Say("250-half\r\n")],
            ConnectionLost,
        ),
        (vec![Encrypt, GREETING, Hear("EHLO"), Wait], ReplyTimedOut),
    ] {
        let failed = failure(SmtpSecurity::Tls, script.clone()).await;
        assert_eq!(failed.reason, reason, "{script:?}");
    }
}

#[tokio::test]
async fn what_goes_wrong_before_the_encryption() {
    use Reason::*;
    let without_starttls = Say("250-smtp.gmail.com at your service\r\n250 SIZE 35882577\r\n");
    let asked = |said: &'static str, rest: Vec<Act>| {
        let mut script = vec![GREETING, Hear("EHLO"), EHLO_IN_CLEAR, Hear("STARTTLS")];
        script.push(Say(said));
        script.extend(rest);
        script
    };
    for (script, reason) in [
        (vec![Wait], GreetingTimedOut),
        (vec![], GreetingMissing),
        (vec![Say("* OK IMAP ready\r\n"), Wait], WrongProtocol),
        // It waits for TLS, and has it.
        (vec![Encrypt, GREETING, Wait], TlsOnPlainTextPort),
        (
            vec![Send(b"\x15\x03\x01\0\x02\x02F"), Wait],
            TlsOnPlainTextPort,
        ),
        (
            vec![GREETING, Hear("EHLO"), without_starttls, Wait],
            StartTlsNotOffered,
        ),
        (
            asked("454 4.7.0 TLS not available\r\n", vec![]),
            StartTlsRefused,
        ),
        (asked("501 5.5.4 no\r\n", vec![]), StartTlsRefused),
        (asked("421 4.7.0 later\r\n", vec![]), MailServerUnavailable),
        (
            asked("220 Ready\r\n250 AUTH XOAUTH2\r\n", vec![Wait]),
            StartTlsInjected,
        ),
        // A moment later, as an answer to the first bytes of TLS.
        (
            asked(
                "220 Ready\r\n",
                vec![Take(3), Say("250 AUTH XOAUTH2\r\n"), Wait],
            ),
            StartTlsInjected,
        ),
        (asked("220 Ready\r\n", vec![]), TlsConnectionLost),
        (asked("220 Ready\r\n", vec![Wait]), TlsTimedOut),
    ] {
        let failed = failure(SmtpSecurity::StartTls, script.clone()).await;
        assert_eq!(failed.reason, reason, "{script:?}");
    }
}

#[tokio::test]
async fn a_message_is_sent() {
    let mut script = before_auth(SmtpSecurity::StartTls);
    script.extend([
        ACCEPTED,
        Hear("NOOP"),
        GO_ON,
        Hear("MAIL FROM:<ann@example.com>"),
        GO_ON,
    ]);
    script.extend([
        Hear("RCPT TO:<bob@example.com>"),
        GO_ON,
        Hear("DATA"),
        Say("354 Go ahead\r\n"),
    ]);
    script.extend([Hear("Subject: x"), Hear(""), Hear("..hi"), Hear("."), GO_ON]);
    script.extend([Hear("QUIT"), Say("221 2.0.0 closing connection\r\n")]);
    let stage = Stage::new(script).await;
    let mut session = open(&stage, SmtpSecurity::StartTls).await.unwrap();
    session.noop().await.unwrap();
    let (ann, bob) = (
        "ann@example.com".parse().unwrap(),
        "bob@example.com".parse().unwrap(),
    );
    session.envelope(&ann, &bob).await.unwrap();
    session.data(b"Subject: x\r\n\r\n.hi\r\n").await.unwrap();
    session.quit().await;
    let heard = stage.heard().await;
    assert_eq!(heard.last().map(String::as_str), Some("QUIT"));
    assert!(
        heard[..2].iter().all(|line| !line.contains("AUTH")),
        "{heard:?}"
    );
}

#[tokio::test]
async fn only_a_no_means_that_a_message_was_not_taken() {
    for (said, is_known) in [
        ("451 4.3.0 later\r\n", true),
        ("550 5.7.1 no\r\n", true),
        ("354 more?\r\n", false),
        ("what?\r\n", false),
        ("", false),
    ] {
        let stage = Stage::new(up_to(Step::Data, said)).await;
        let mut session = open(&stage, SmtpSecurity::Tls).await.unwrap();
        let ann = "ann@example.com".parse().unwrap();
        session.envelope(&ann, &ann).await.unwrap();
        let not_taken = session.data(b"x").await.unwrap_err();
        assert_eq!(
            matches!(not_taken, NotTaken::Refused(_)),
            is_known,
            "{said}"
        );
    }
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    for babble in ["250-more\r\n", "250-xxxxxxxxxxxxx"] {
        let stage = Stage::new(vec![Encrypt, GREETING, Hear("EHLO"), Babble(babble)]).await;
        let failure = open(&stage, SmtpSecurity::Tls).await.err().unwrap();
        assert_eq!(failure.reason, Reason::ReplyTooLong, "{babble}");
    }
}
