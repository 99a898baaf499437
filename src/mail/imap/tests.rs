//! What Gmail says, and what a hostile or broken server may say (gmail-protocol.md section c).

mod broken;

use super::*;
use crate::domain::secret::AccessToken;
use crate::mail::sasl::{Login, Mechanism};
use crate::mail::stage::Act::{Encrypt, Hear, Say, Wait};
use crate::mail::stage::{Act, Stage, TOKEN, account};

const GREETING: Act = Say("* OK Gimap ready for requests from 203.0.113.7 a640c23a62f3amb\r\n");
const CAPABILITY: Act = Say(
    "* CAPABILITY IMAP4rev1 UNSELECT IDLE ID XYZZY SASL-IR AUTH=XOAUTH2 AUTH=PLAIN AUTH=OAUTHBEARER\r\na1 OK Thats all she wrote! a640c23a62f3amb123456ejc\r\n",
);
const PAYLOAD: Act = Hear("dXNlcj1hbm5AZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIg");
const BEARER: Act = Hear("bixhPWFubkBleGFtcGxlLmNvbSwBaG9zdD1sb2NhbGhvc3QBcG9ydD");
const CHALLENGE: Act = Say(
    "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==\r\n",
);
const BEARER_CHALLENGE: Act = Say(
    "+ eyJzdGF0dXMiOiJpbnZhbGlkX3JlcXVlc3QiLCJzY29wZSI6Imh0dHBzOi8vbWFpbC5nb29nbGUuY29tLyJ9\r\n",
);

/// Up to the question whether the login is right.
fn before_answer() -> Vec<Act> {
    vec![
        Encrypt,
        GREETING,
        Hear("a1 CAPABILITY"),
        CAPABILITY,
        Hear("a2 AUTHENTICATE XOAUTH2"),
        Say("+ \r\n"),
        PAYLOAD,
    ]
}

fn refusal(rest: Vec<Act>) -> Vec<Act> {
    let mut script = before_answer();
    script.extend(rest);
    script
}

fn login(rest: Vec<Act>) -> Vec<Act> {
    let accepted = "* CAPABILITY IMAP4rev1 MOVE\r\na2 OK ann@example.com authenticated\r\n";
    let mut script = refusal(vec![Say(accepted)]);
    script.extend(rest);
    script
}

fn leak(text: String) -> &'static str {
    text.leak()
}

async fn open(stage: &Stage) -> Result<ImapSession, Failure> {
    let token = AccessToken::new(TOKEN);
    ImapSession::open(&stage.dialer, &stage.endpoint, account(&token)).await
}

async fn failure(script: Vec<Act>) -> Failure {
    let stage = Stage::new(script).await.impatient();
    let failure = open(&stage).await.err().unwrap();
    assert!(
        failure.doing.ends_with(&stage.endpoint.to_string()),
        "{failure:?}"
    );
    failure
}

/// What is said to a login, what it means, and what is kept of the words.
const REFUSALS: &[(&str, Reason, &str)] = &[
    (
        "a2 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n",
        Reason::LoginRefused,
        "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
    ),
    (
        "a2 NO Lookup failed a640c23a62f3amb123456ejc\r\n",
        Reason::GmailServiceOff,
        "Lookup failed",
    ),
    (
        "a2 NO [ALERT] IMAP access is disabled for your domain. Please contact your domain administrator for questions about this feature. (Failure)\r\n",
        Reason::ImapDisabledByDomain,
        "[ALERT] IMAP access is disabled for your domain. Please contact your domain administrator for questions about this feature. (Failure)",
    ),
    (
        "a2 NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)\r\n",
        Reason::ImapDisabledByUser,
        "[ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and enable your account for IMAP access. (Failure)",
    ),
    (
        "* NO [WEBALERT https://accounts.google.com/signin/continue?x] Web login required.\r\na2 NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)\r\n",
        Reason::WebLoginRequired,
        "[ALERT] Please log in via your web browser: (URL) (Failure)",
    ),
    (
        "* NO [WEBALERT https://accounts.google.com/signin/x] Web login required.\r\na2 NO [ALERT]é (Failure)\r\n",
        Reason::WebLoginRequired,
        "[ALERT]é (Failure)",
    ),
    (
        "a2 NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)\r\n",
        Reason::UnexpectedPasswordLogin,
        "[ALERT] Application-specific password required: (URL) (Failure)",
    ),
    (
        "a2 NO [ALERT] Too many simultaneous connections. (Failure)\r\n",
        Reason::TooManyConnections,
        "[ALERT] Too many simultaneous connections. (Failure)",
    ),
    (
        "a2 NO [ALERT] Account exceeded command or bandwidth limits. (Failure)\r\n",
        Reason::BandwidthExceeded,
        "[ALERT] Account exceeded command or bandwidth limits. (Failure)",
    ),
    (
        "* BYE [OVERQUOTA] Account exceeded command or bandwidth limits.\r\n",
        Reason::BandwidthExceeded,
        "[OVERQUOTA] Account exceeded command or bandwidth limits.",
    ),
    (
        "* BYE Session expired, please login again.\r\n",
        Reason::SessionExpired,
        "Session expired, please login again.",
    ),
    (
        "* BYE System error\r\n",
        Reason::MailServerUnavailable,
        "System error",
    ),
    (
        "a2 BAD Invalid SASL argument. a640c23a62f3amb123456ejc\r\n",
        Reason::LoginMalformed,
        "Invalid SASL argument.",
    ),
    (
        "a2 NO Ask again tomorrow\r\n",
        Reason::RefusedOtherwise,
        "Ask again tomorrow",
    ),
];

#[tokio::test]
async fn a_refused_login_is_heard_to_the_end() {
    for (said, reason, reply) in REFUSALS.iter().copied() {
        let with_challenge = refusal(vec![CHALLENGE, Hear(""), Say(said)]);
        let stage = Stage::new(with_challenge).await;
        let with = open(&stage).await.err().unwrap();
        let expected = (reason, Some(reply));
        assert_eq!((with.reason, with.reply.as_deref()), expected);
        assert_eq!(stage.heard().await.last().map(String::as_str), Some(""));
        let without = failure(refusal(vec![Say(said)])).await;
        assert_eq!((without.reason, without.reply.as_deref()), expected);
        let challenge = "its challenge says status 400, scope https://mail.google.com/";
        if !said.starts_with("* BYE") {
            assert_eq!((&*with.detail, &*without.detail), (challenge, ""));
        }
    }
}

#[tokio::test]
async fn the_cause_may_come_before_any_answer_to_the_login() {
    let alert = Say(
        "* NO [WEBALERT https://accounts.google.com/signin/continue?x] Web login required.\r\n",
    );
    let answer = Say("a2 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n");
    let before_challenge = refusal(vec![alert.clone(), CHALLENGE, Hear(""), answer.clone()]);
    let mut before_payload = before_answer();
    before_payload.insert(5, alert);
    before_payload.push(answer);
    for script in [before_challenge, before_payload] {
        assert_eq!(failure(script).await.reason, Reason::WebLoginRequired);
    }
}

#[tokio::test]
async fn each_row_of_the_tables_is_met_on_the_wire() {
    for (step, text, reason) in refusal::tests::each_row() {
        let script = match step {
            Step::Login => refusal(vec![
                CHALLENGE,
                Hear(""),
                Say(leak(format!("a2 NO {text}\r\n"))),
            ]),
            Step::Noop => login(vec![
                Hear("a3 EXAMINE INBOX"),
                Say("a3 OK [READ-ONLY] INBOX selected. (Success)\r\n"),
                Hear("a4 NOOP"),
                Say(leak(format!("* BYE {text}\r\n"))),
            ]),
            _ => login(vec![Hear("a3"), Say(leak(format!("a3 NO {text}\r\n")))]),
        };
        let stage = Stage::new(script).await;
        let failed = match open(&stage).await {
            Err(failure) => failure,
            Ok(mut session) => match session.examine_inbox().await {
                Err(failure) => failure,
                Ok(()) => session.find("<t1@gmail-operator.dev>").await.unwrap_err(),
            },
        };
        assert_eq!(failed.reason, reason, "{step:?}: {text}");
        assert!(failed.doing.starts_with(step.doing()), "{failed:?}");
    }
}

#[tokio::test]
async fn the_mechanism_is_one_that_the_server_takes() {
    let bearer_only = "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=OAUTHBEARER\r\na1 OK done\r\n";
    let bearer = vec![
        Encrypt,
        GREETING,
        Hear("a1 CAPABILITY"),
        Say(bearer_only),
        Hear("a2 AUTHENTICATE OAUTHBEARER"),
        Say("+ \r\n"),
        BEARER,
        BEARER_CHALLENGE,
        Hear("AQ=="),
        Say("a2 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n"),
    ];
    let refused = failure(bearer).await;
    assert_eq!(refused.reason, Reason::LoginRefused);
    assert_eq!(
        refused.detail,
        "its challenge says status invalid_request, scope https://mail.google.com/"
    );

    let told_by_greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] Dovecot ready.\r\n";
    let missing = failure(vec![Encrypt, Say(told_by_greeting), Wait]).await;
    assert_eq!(missing.reason, Reason::LoginMethodMissing);

    for untold in [
        "a1 BAD what?\r\n",
        "a1 NO [UNAVAILABLE] not now\r\n",
        "* CAPABILITY IMAP4rev1\r\na1 OK done\r\n",
    ] {
        let script = vec![
            Encrypt,
            GREETING,
            Hear("a1 CAPABILITY"),
            Say(untold),
            Hear("a2 AUTHENTICATE XOAUTH2"),
            Say("+ \r\n"),
            PAYLOAD,
            Say("a2 OK in\r\n"),
        ];
        let stage = Stage::new(script).await;
        assert!(open(&stage).await.is_ok(), "{untold}");
    }
}

#[tokio::test]
async fn a_token_said_back_is_not_repeated() {
    let token = AccessToken::new(TOKEN);
    let login = Login::new(account(&token), &Endpoint::new("localhost", 993));
    let payload = login.response(Mechanism::Xoauth2);
    let said = leak(format!("a2 NO {TOKEN} {payload} no\r\n"));
    let refused = failure(refusal(vec![Say(said)])).await;
    assert_eq!(refused.reply.as_deref(), Some("… … no"));
    let said = leak(format!("{TOKEN} {payload}\r\n"));
    let refused = failure(refusal(vec![Say(said)])).await;
    assert_eq!(refused.reply.as_deref(), Some("… …"));
}

#[tokio::test]
async fn the_inbox_may_be_missing() {
    use Reason::*;
    for (said, reason) in [
        (
            "a3 NO [NONEXISTENT] Unknown Mailbox: INBOX (Failure)\r\n",
            InboxMissing,
        ),
        ("a3 NO [SERVERBUG] oops\r\n", MailServerUnavailable),
        ("a3 NO somehow not\r\n", InboxRefused),
        (
            "* BYE Session expired, please login again.\r\n",
            SessionExpired,
        ),
        ("* BYE\r\n", MailServerUnavailable),
    ] {
        let stage = Stage::new(login(vec![Hear("a3 EXAMINE INBOX"), Say(said)])).await;
        let mut session = open(&stage).await.unwrap();
        assert_eq!(
            session.examine_inbox().await.unwrap_err().reason,
            reason,
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_message_is_found_and_put_away() {
    let script = login(vec![
        Hear("a3 SELECT INBOX"),
        Say("* 3 EXISTS\r\na3 OK [READ-WRITE] INBOX selected. (Success)\r\n"),
        Hear("a4 NOOP"),
        Say("* 4 EXISTS\r\na4 OK Success\r\n"),
        Hear("a5 UID SEARCH HEADER Message-ID \"<t1@gmail-operator.dev>\""),
        Say("* SEARCH 17 4\r\na5 OK SEARCH completed (Success)\r\n"),
        Hear("a6 CAPABILITY"),
        Say("* CAPABILITY IMAP4rev1 MOVE SPECIAL-USE\r\na6 OK Thats all she wrote!\r\n"),
        Hear("a7 LIST \"\" \"*\""),
        Say("* LIST (\\HasNoChildren \\Trash) \"/\" {11}\r\n[Gmail]/Bin\r\na7 OK Success\r\n"),
        Hear("a8 UID MOVE 17 \"[Gmail]/Bin\""),
        Say("* 4 EXPUNGE\r\na8 OK [COPYUID 1 17 1] (Success)\r\n"),
        Hear("a9 LOGOUT"),
        Say("* BYE LOGOUT Requested\r\na9 OK 73 good day (Success)\r\n"),
    ]);
    let stage = Stage::new(script).await;
    let mut session = open(&stage).await.unwrap();
    let moved = session
        .move_to_trash(Folder::Inbox, "<t1@gmail-operator.dev>")
        .await;
    assert_eq!(moved, Ok(()));
    session.logout().await;
    assert_eq!(stage.heard().await.len(), 10);
}

#[tokio::test]
async fn spam_is_looked_into() {
    let folders = "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n* LIST (\\HasNoChildren \\Junk) \"/\" \"[Gmail]/Ongewenst\"\r\n* LIST (\\Trash) \"/\" Bin\r\n";
    let script = login(vec![
        Hear("a3 LIST \"\" \"*\""),
        Say(leak(format!("{folders}a3 OK Success\r\n"))),
        Hear("a4 EXAMINE \"[Gmail]/Ongewenst\""),
        Say("a4 OK [READ-ONLY] selected. (Success)\r\n"),
        Hear("a5 NOOP"),
        Say("a5 OK\r\n"),
        Hear("a6 UID SEARCH"),
        Say("* SEARCH 9\r\na6 OK\r\n"),
        Hear("a7 SELECT \"[Gmail]/Ongewenst\""),
        Say("a7 OK [READ-WRITE] selected. (Success)\r\n"),
        Hear("a8 NOOP"),
        Say("a8 OK\r\n"),
        Hear("a9 UID SEARCH"),
        Say("* SEARCH 9\r\na9 OK\r\n"),
        Hear("a10 CAPABILITY"),
        Say("* CAPABILITY MOVE\r\na10 OK\r\n"),
        Hear("a11 UID MOVE 9 \"Bin\""),
        Say("a11 OK\r\n"),
    ]);
    let stage = Stage::new(script).await;
    let mut session = open(&stage).await.unwrap();
    assert_eq!(session.open_folder(Folder::Spam).await, Ok(true));
    assert_eq!(session.find("<t1@gmail-operator.dev>").await, Ok(Some(9)));
    let moved = session
        .move_to_trash(Folder::Spam, "<t1@gmail-operator.dev>")
        .await;
    assert_eq!(moved, Ok(()));
}

#[tokio::test]
async fn a_spam_that_cannot_be_opened_is_none() {
    let mut scripts = vec![login(vec![
        Hear("a3 LIST"),
        Say("* LIST () \"/\" Spam\r\na3 OK Success\r\n"),
    ])];
    for refused in ["[NONEXISTENT] Unknown Mailbox", "[NOPERM] not yours", "no"] {
        scripts.push(login(vec![
            Hear("a3 LIST"),
            Say("* LIST (\\Junk) \"/\" Spam\r\na3 OK Success\r\n"),
            Hear("a4 EXAMINE \"Spam\""),
            Say(leak(format!("a4 NO {refused} (Failure)\r\n"))),
        ]));
    }
    for script in scripts {
        let stage = Stage::new(script).await;
        let mut session = open(&stage).await.unwrap();
        assert_eq!(session.open_folder(Folder::Spam).await, Ok(false));
    }
}

#[tokio::test]
async fn why_a_message_is_not_moved_is_told() {
    let opened = [
        Hear("a3 SELECT INBOX"),
        Say("a3 OK [READ-WRITE] INBOX selected. (Success)\r\n"),
        Hear("a4 NOOP"),
        Say("a4 OK Success\r\n"),
        Hear("a5 UID SEARCH"),
    ];
    let up_to_move = [
        Say("* SEARCH 17\r\na5 OK\r\n"),
        Hear("a6 CAPABILITY"),
        Say("* CAPABILITY MOVE\r\na6 OK\r\n"),
        Hear("a7 LIST"),
    ];
    let without_move = [up_to_move[0].clone(), Hear("a6"), Say("a6 OK\r\n")];
    let refused = [
        Say("* LIST (\\Trash) \"/\" Bin\r\na7 OK\r\n"),
        Hear("a8 UID MOVE 17"),
        Say("a8 NO [OVERQUOTA] full\r\n"),
    ];
    for (rest, why) in [
        (vec![Say("* SEARCH\r\na5 OK\r\n")], "NotThere"),
        (without_move.to_vec(), "NoMove"),
        ([&up_to_move[..], &[Say("a7 OK\r\n")]].concat(), "NoTrash"),
        ([&up_to_move[..], &refused].concat(), "BandwidthExceeded"),
    ] {
        let stage = Stage::new(login([&opened[..], &rest].concat())).await;
        let mut session = open(&stage).await.unwrap();
        let moved = session.move_to_trash(Folder::Inbox, "<t1@gmail-operator.dev>");
        let told = format!("{:?}", moved.await.unwrap_err());
        assert!(told.contains(why), "{told}");
    }
}
