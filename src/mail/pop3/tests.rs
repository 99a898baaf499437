//! What Gmail says, and what a hostile or broken server may say (gmail-protocol.md section d).

use super::*;
use crate::domain::secret::AccessToken;
use crate::mail::stage::Act::{Babble, Encrypt, Hear, Say, Wait};
use crate::mail::stage::{Act, Stage, TOKEN, account};

const GREETING: Act = Say("+OK Gpop ready for requests from 203.0.113.7 n6mb44155743ywl\r\n");
const CAPA: Act = Say(
    "+OK Capability list follows\r\nUSER\r\nRESP-CODES\r\nEXPIRE 0\r\nLOGIN-DELAY 300\r\nTOP\r\nUIDL\r\nX-GOOGLE-RICO\r\nSASL PLAIN XOAUTH2 OAUTHBEARER\r\n.\r\n",
);
const PAYLOAD: Act = Hear("dXNlcj1hbm5AZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIg");
const CHALLENGE: Act = Say(
    "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==\r\n",
);

/// Up to the question whether the login is right.
fn before_answer() -> Vec<Act> {
    vec![
        Encrypt,
        GREETING,
        Hear("CAPA"),
        CAPA,
        Hear("AUTH XOAUTH2"),
        Say("+ \r\n"),
        PAYLOAD,
    ]
}

fn refusal(rest: Vec<Act>) -> Vec<Act> {
    let mut script = before_answer();
    script.extend(rest);
    script
}

fn stat(said: &'static str) -> Vec<Act> {
    refusal(vec![Say("+OK Welcome.\r\n"), Hear("STAT"), Say(said)])
}

fn leak(text: String) -> &'static str {
    text.leak()
}

async fn open(stage: &Stage) -> Result<Pop3Session, Failure> {
    let token = AccessToken::new(TOKEN);
    Pop3Session::open(&stage.dialer, &stage.endpoint, account(&token)).await
}

async fn failure(script: Vec<Act>) -> Failure {
    let stage = Stage::new(script).await.impatient();
    let failure = match open(&stage).await {
        Err(failure) => failure,
        Ok(mut session) => session.stat().await.unwrap_err(),
    };
    assert!(
        failure.doing.ends_with(&stage.endpoint.to_string()),
        "{failure:?}"
    );
    failure
}

#[tokio::test]
async fn a_mailbox_is_opened_and_left_as_it_is() {
    let mut script = stat("+OK 3 221409\r\n");
    script.extend([Hear("QUIT"), Say("+OK Farewell.\r\n")]);
    let stage = Stage::new(script).await;
    let mut session = open(&stage).await.unwrap();
    session.stat().await.unwrap();
    session.quit().await;
    let heard = stage.heard().await;
    assert_eq!(heard.len(), 5);
    assert!(heard.iter().all(|line| line.len() <= 255), "{heard:?}");
}

#[tokio::test]
async fn a_refused_login_is_heard_to_the_end() {
    use Reason::*;
    for (said, reason, reply) in [
        (
            "-ERR [AUTH] Invalid credentials.\r\n",
            PopLoginRefused,
            "[AUTH] Invalid credentials.",
        ),
        (
            "-ERR [AUTH] Username and password not accepted.\r\n",
            PopLoginRefused,
            "[AUTH] Username and password not accepted.",
        ),
        (
            "-ERR [AUTH] Web login required: https://support.google.com/mail/answer/78754\r\n",
            WebLoginRequired,
            "[AUTH] Web login required: (URL)",
        ),
        (
            "-ERR [AUTH] Application-specific password required: https://support.google.com/x\r\n",
            UnexpectedPasswordLogin,
            "[AUTH] Application-specific password required: (URL)",
        ),
        (
            "-ERR [SYS/TEMP] Temporary system problem. Please try again later.\r\n",
            MailServerUnavailable,
            "[SYS/TEMP] Temporary system problem. Please try again later.",
        ),
        (
            "-ERR [LOGIN-DELAY] minimum time between mail checks\r\n",
            LoginDelayed,
            "[LOGIN-DELAY] minimum time between mail checks",
        ),
        (
            "-ERR [IN-USE] Do you have another POP session running?\r\n",
            MailboxBusy,
            "[IN-USE] Do you have another POP session running?",
        ),
        ("-ERR bad command\r\n", LoginMalformed, "bad command"),
        ("-ERR not you\r\n", RefusedOtherwise, "not you"),
    ] {
        let with_challenge = refusal(vec![CHALLENGE, Hear(""), Say(said)]);
        let stage = Stage::new(with_challenge).await;
        let with = open(&stage).await.err().unwrap();
        assert_eq!((with.reason, with.reply.as_deref()), (reason, Some(reply)));
        assert_eq!(
            with.detail,
            "its challenge says status 400, scope https://mail.google.com/"
        );
        assert_eq!(stage.heard().await.last().map(String::as_str), Some(""));
        let without = failure(refusal(vec![Say(said)])).await;
        assert_eq!(
            (without.reason, without.reply.as_deref()),
            (reason, Some(reply))
        );
    }
}

#[tokio::test]
async fn that_pop_is_off_shows_at_stat() {
    use Reason::*;
    for (said, reason) in [
        (
            "-ERR [SYS/PERM] Your account is not enabled for POP access. Please visit your Gmail settings page and enable your account for POP access.\r\n",
            PopDisabledByUser,
        ),
        (
            "-ERR [SYS/PERM] POP access is disabled for your domain.\r\n",
            PopDisabledByDomain,
        ),
        ("-ERR [SYS/PERM] Ask somebody.\r\n", AdminContactRequired),
        ("-ERR no\r\n", MailDropRefused),
        ("+OK Welcome.\r\n", UnexpectedReply),
        ("+ 3 221409\r\n", UnexpectedReply),
    ] {
        assert_eq!(failure(stat(said)).await.reason, reason, "{said}");
    }
}

#[tokio::test]
async fn each_row_of_the_tables_is_met_on_the_wire() {
    for (step, text, reason) in refusal::tests::each_row() {
        let said = leak(format!("-ERR {text}\r\n"));
        let script = match step {
            Step::Auth => refusal(vec![CHALLENGE, Hear(""), Say(said)]),
            _ => stat(said),
        };
        let failed = failure(script).await;
        assert_eq!(failed.reason, reason, "{step:?}: {text}");
        assert!(failed.doing.starts_with(step.doing()), "{failed:?}");
    }
}

#[tokio::test]
async fn the_mechanism_is_one_that_the_server_takes() {
    let bearer = vec![
        Encrypt,
        GREETING,
        Hear("CAPA"),
        Say("+OK\r\nSASL PLAIN OAUTHBEARER\r\n.\r\n"),
        Hear("AUTH OAUTHBEARER"),
        Say("+\r\n"),
        Hear("bixhPWFubkBleGFtcGxlLmNvbSwBaG9zdD1sb2NhbGhvc3QBcG9ydD"),
        Say("+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n"),
        Hear("AQ=="),
        Say("-ERR [AUTH] Invalid credentials.\r\n"),
    ];
    let refused = failure(bearer).await;
    assert_eq!(refused.reason, Reason::PopLoginRefused);
    assert_eq!(refused.detail, "its challenge says status invalid_token");

    for offered in ["+OK\r\nSASL PLAIN\r\n.\r\n", "+OK\r\nSASL\r\n.\r\n"] {
        let script = vec![Encrypt, GREETING, Hear("CAPA"), Say(offered), Wait];
        assert_eq!(
            failure(script).await.reason,
            Reason::LoginMethodMissing,
            "{offered}"
        );
    }
    for untold in ["-ERR what?\r\n", "+OK\r\nUIDL\r\n.\r\n"] {
        let script = vec![
            Encrypt,
            GREETING,
            Hear("CAPA"),
            Say(untold),
            Hear("AUTH XOAUTH2"),
            Say("+ \r\n"),
            PAYLOAD,
            Say("+OK Welcome.\r\n"),
        ];
        assert!(open(&Stage::new(script).await).await.is_ok(), "{untold}");
    }
}

#[tokio::test]
async fn servers_that_do_not_answer_well() {
    use Reason::*;
    let after_greeting = |act| vec![Encrypt, GREETING, Hear("CAPA"), act, Wait];
    for (script, reason) in [
        (vec![Encrypt, Say("-ERR not you\r\n")], ServiceRefused),
        (
            vec![Encrypt, Say("-ERR [SYS/TEMP] later\r\n")],
            MailServerUnavailable,
        ),
        (
            vec![Encrypt, Say("220 smtp.example.com ESMTP\r\n"), Wait],
            WrongProtocol,
        ),
        (
            vec![Encrypt, Say("* OK IMAP ready\r\n"), Wait],
            WrongProtocol,
        ),
        (vec![Encrypt, Say("+ go on\r\n"), Wait], UnexpectedReply),
        (vec![Encrypt, Wait], GreetingTimedOut),
        (vec![Encrypt], GreetingMissing),
        (vec![Encrypt, Say("+OK half")], ConnectionLost),
        (vec![], TlsConnectionLost),
        (vec![Say("+OK plain\r\n"), Wait], PlainTextOnTlsPort),
        (after_greeting(Say("")), ReplyTimedOut),
        (after_greeting(Say("+OK\r\nUIDL\r\n")), ReplyTooSlow),
        (after_greeting(Say("+ what?\r\n")), UnexpectedReply),
        (
            refusal(vec![CHALLENGE, Hear(""), CHALLENGE, Wait]),
            UnexpectedReply,
        ),
        (
            vec![
                Encrypt,
                GREETING,
                Hear("CAPA"),
                CAPA,
                Hear("AUTH"),
                Say("+OK already\r\n"),
            ],
            UnexpectedReply,
        ),
    ] {
        assert_eq!(failure(script.clone()).await.reason, reason, "{script:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    for babble in ["+OK\r\n", "+OK xxxxxxxxxxxxxxxx"] {
        let stage = Stage::new(vec![Encrypt, GREETING, Hear("CAPA"), Babble(babble)]).await;
        let failure = open(&stage).await.err().unwrap();
        assert_eq!(failure.reason, Reason::ReplyTooLong, "{babble}");
    }
}
