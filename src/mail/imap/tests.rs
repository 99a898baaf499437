//! What Gmail says, and what a hostile or broken server may say (gmail-protocol.md section c).

use std::time::Duration;

use super::*;
use crate::domain::secret::AccessToken;
use crate::mail::stage::Act::{Babble, Encrypt, Hear, Say, Wait};
use crate::mail::stage::{Act, Stage, TOKEN, account, dialer};

const GREETING: Act = Say("* OK Gimap ready for requests from 203.0.113.7 a640c23a62f3amb\r\n");
const PAYLOAD: Act = Hear("dXNlcj1hbm5AZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIg");
const CHALLENGE: Act = Say(
    "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==\r\n",
);

fn login() -> Vec<Act> {
    let accepted = "* CAPABILITY IMAP4rev1 MOVE\r\na1 OK ann@example.com authenticated\r\n";
    vec![
        Encrypt,
        GREETING,
        Hear("a1 AUTHENTICATE XOAUTH2"),
        Say("+ \r\n"),
        PAYLOAD,
        Say(accepted),
    ]
}

fn refusal(rest: Vec<Act>) -> Vec<Act> {
    let mut script = login();
    script.pop();
    script.extend(rest);
    script
}

async fn open(stage: &Stage) -> Result<ImapSession, Failure> {
    let token = AccessToken::new(TOKEN);
    ImapSession::open(&stage.dialer, &stage.endpoint, account(&token)).await
}

async fn failure(script: Vec<Act>) -> (Reason, String) {
    let stage = Stage::new(script).await.impatient();
    let failure = open(&stage).await.err().unwrap();
    assert!(
        failure.doing.ends_with(&stage.endpoint.to_string()),
        "{failure:?}"
    );
    (failure.reason, failure.reply.unwrap_or_default())
}

#[tokio::test]
async fn a_refused_login_is_heard_to_the_end() {
    for (said, reason, reply) in [
        (
            "a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n",
            Reason::LoginRefused,
            "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
        ),
        (
            "a1 NO Lookup failed a640c23a62f3amb123456ejc\r\n",
            Reason::LoginRefused,
            "Lookup failed",
        ),
        (
            "a1 BAD Invalid SASL argument.\r\n",
            Reason::LoginRefused,
            "Invalid SASL argument.",
        ),
        (
            "a1 NO [ALERT] Too many simultaneous connections. (Failure)\r\n",
            Reason::MailServerUnavailable,
            "[ALERT] Too many simultaneous connections. (Failure)",
        ),
        (
            "a1 NO [UNAVAILABLE] Temporary authentication failure.\r\n",
            Reason::MailServerUnavailable,
            "[UNAVAILABLE] Temporary authentication failure.",
        ),
        (
            "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits.\r\n",
            Reason::MailServerUnavailable,
            "[OVERQUOTA] Account exceeded command or bandwidth limits.",
        ),
        (
            "* NO [WEBALERT https://accounts.google.com/signin/x] Web login required.\r\na1 NO [ALERT]é (Failure)\r\n",
            Reason::LoginRefused,
            "[ALERT]é (Failure)",
        ),
    ] {
        let with_challenge = refusal(vec![CHALLENGE, Hear(""), Say(said)]);
        let stage = Stage::new(with_challenge).await;
        let failure = open(&stage).await.err().unwrap();
        assert_eq!(
            (failure.reason, failure.reply.as_deref()),
            (reason, Some(reply))
        );
        assert_eq!(stage.heard().await.last().map(String::as_str), Some(""));
        assert_eq!(
            super::tests::failure(refusal(vec![Say(said)])).await,
            (reason, reply.to_owned())
        );
    }
}

#[tokio::test]
async fn a_token_said_back_is_not_repeated() {
    let token = AccessToken::new(TOKEN);
    let payload = Xoauth2::new(account(&token)).expose_secret().to_owned();
    let said: &'static str = format!("a1 NO {TOKEN} {payload} no\r\n").leak();
    assert_eq!(failure(refusal(vec![Say(said)])).await.1, "… … no");
    let said: &'static str = format!("{TOKEN} {payload}\r\n").leak();
    assert_eq!(failure(refusal(vec![Say(said)])).await.1, "… …");
}

#[tokio::test]
async fn servers_that_do_not_answer_well() {
    use Reason::*;
    for (script, reason) in [
        (
            vec![Encrypt, Say("* BYE System error\r\n")],
            MailServerUnavailable,
        ),
        (
            vec![Encrypt, Say("220 smtp.example.com ESMTP\r\n"), Wait],
            UnexpectedReply,
        ),
        (
            vec![Encrypt, Say("+OK POP3 ready\r\n"), Wait],
            UnexpectedReply,
        ),
        (
            vec![Encrypt, Say("* PREAUTH come in\r\n"), Wait],
            UnexpectedReply,
        ),
        (vec![Encrypt, Wait], ReplyTimedOut),
        (vec![Encrypt, Say("* OK half")], ConnectionLost),
        (vec![Encrypt], ConnectionLost),
        (vec![], ConnectionLost),
        (vec![Wait], ReplyTimedOut),
        (vec![Say("* OK plain text\r\n"), Wait], PlainTextOnTlsPort),
        (vec![Encrypt, GREETING, Wait], ReplyTimedOut),
        (
            vec![
                Encrypt,
                GREETING,
                Hear("a1"),
                Say("a7 OK wrong tag\r\n"),
                Wait,
            ],
            UnexpectedReply,
        ),
    ] {
        assert_eq!(failure(script.clone()).await.0, reason, "{script:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    for babble in [
        "* OK xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "+ more\r\n",
    ] {
        let script = vec![Encrypt, GREETING, Hear("a1"), Babble(babble)];
        let stage = Stage::new(script).await;
        assert_eq!(
            open(&stage).await.err().unwrap().reason,
            Reason::UnexpectedReply
        );
    }
}

#[tokio::test]
async fn certificates_are_looked_at() {
    let stage = Stage::of("imap.example.com", vec![Encrypt]).await;
    let failure = open(&stage).await.err().unwrap();
    assert_eq!(failure.reason, Reason::TlsVerificationFailed);
    assert!(
        failure.detail.ends_with("it is for another name"),
        "{failure:?}"
    );

    let mut stage = Stage::new(vec![Encrypt]).await;
    let other = Stage::new(vec![]).await;
    let foreign_ca = other.dialer.clone();
    stage.dialer = dialer(&stage.endpoint, None, Duration::from_secs(5));
    let failure = open(&stage).await.err().unwrap();
    assert_eq!(failure.reason, Reason::TlsVerificationFailed);
    assert!(
        failure.detail.contains("not from a known authority"),
        "{failure:?}"
    );

    stage.dialer = foreign_ca;
    assert_eq!(
        open(&stage).await.err().unwrap().reason,
        Reason::EndpointNotAllowed
    );
}

#[tokio::test]
async fn the_inbox_may_be_missing() {
    for (said, reason) in [
        (
            "a2 NO [NONEXISTENT] Unknown Mailbox: INBOX (Failure)\r\n",
            Reason::InboxMissing,
        ),
        ("a2 NO [SERVERBUG] oops\r\n", Reason::MailServerUnavailable),
        (
            "* BYE Session expired, please login again.\r\n",
            Reason::MailServerUnavailable,
        ),
    ] {
        let mut script = login();
        script.extend([Hear("a2 EXAMINE INBOX"), Say(said)]);
        let stage = Stage::new(script).await;
        let mut session = open(&stage).await.unwrap();
        assert_eq!(session.examine_inbox().await.unwrap_err().reason, reason);
    }
}

#[tokio::test]
async fn a_message_is_found_and_put_away() {
    let mut script = login();
    script.extend([
        Hear("a2 SELECT INBOX"),
        Say("* 3 EXISTS\r\na2 OK [READ-WRITE] INBOX selected. (Success)\r\n"),
        Hear("a3 NOOP"),
        Say("* 4 EXISTS\r\na3 OK Success\r\n"),
        Hear("a4 UID SEARCH HEADER Message-ID \"<t1@gmail-operator.dev>\""),
        Say("* SEARCH 17 4\r\na4 OK SEARCH completed (Success)\r\n"),
        Hear("a5 CAPABILITY"),
        Say("* CAPABILITY IMAP4rev1 MOVE SPECIAL-USE\r\na5 OK Thats all she wrote!\r\n"),
        Hear("a6 LIST \"\" \"*\""),
        Say("* LIST (\\HasNoChildren \\Trash) \"/\" {11}\r\n[Gmail]/Bin\r\na6 OK Success\r\n"),
        Hear("a7 UID MOVE 17 \"[Gmail]/Bin\""),
        Say("* 4 EXPUNGE\r\na7 OK [COPYUID 1 17 1] (Success)\r\n"),
        Hear("a8 LOGOUT"),
        Say("* BYE LOGOUT Requested\r\na8 OK 73 good day (Success)\r\n"),
    ]);
    let stage = Stage::new(script).await;
    let mut session = open(&stage).await.unwrap();
    assert_eq!(
        session.move_to_trash("<t1@gmail-operator.dev>").await,
        Ok(true)
    );
    session.logout().await;
    assert_eq!(stage.heard().await.len(), 9);
}
