//! What Gmail says, and what a hostile or broken server may say (gmail-protocol.md section e).

use super::*;
use crate::domain::secret::AccessToken;
use crate::mail::stage::Act::{Babble, Encrypt, Hear, Say, Wait};
use crate::mail::stage::{Act, Stage, TOKEN, account};

const GREETING: Act =
    Say("220 smtp.gmail.com ESMTP d9443c01a7336-29daeaab9e6sm1723845ad.71 - gsmtp\r\n");
const EHLO_IN_CLEAR: Act =
    Say("250-smtp.gmail.com at your service\r\n250-SIZE 35882577\r\n250 STARTTLS\r\n");
const EHLO_ENCRYPTED: Act =
    Say("250-smtp.gmail.com at your service\r\n250 AUTH LOGIN PLAIN XOAUTH2\r\n");
const AUTH: Act = Hear("AUTH XOAUTH2 dXNlcj1hbm5AZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIg");
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

async fn failure(security: SmtpSecurity, script: Vec<Act>) -> (Reason, String) {
    let stage = Stage::new(script).await.impatient();
    let failure = open(&stage, security).await.err().unwrap();
    (failure.reason, failure.reply.unwrap_or_default())
}

#[tokio::test]
async fn a_refused_login_is_heard_to_the_end() {
    let challenge = Say("334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=\r\n");
    for (said, reason, reply) in [
        (
            "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials 6a1803df08f44-6f8b3f29120sm90114696d6.89 - gsmtp\r\n",
            Reason::SmtpLoginRefused,
            "535 5.7.8 Username and Password not accepted. For more information, go to (URL)",
        ),
        (
            "454 4.7.0 Too many login attempts, please try again later.\r\n",
            Reason::MailServerUnavailable,
            "454 4.7.0 Too many login attempts, please try again later.",
        ),
        (
            "421 4.7.0 Temporary System Problem. Try again later.\r\n",
            Reason::MailServerUnavailable,
            "421 4.7.0 Temporary System Problem. Try again later.",
        ),
        ("354 yes?\r\n", Reason::UnexpectedReply, "354 yes?"),
    ] {
        for security in [SmtpSecurity::Tls, SmtpSecurity::StartTls] {
            let mut script = before_auth(security);
            script.extend([challenge.clone(), Hear(""), Say(said)]);
            assert_eq!(failure(security, script).await, (reason, reply.to_owned()));
        }
        let mut script = before_auth(SmtpSecurity::Tls);
        script.push(Say(said));
        assert_eq!(
            failure(SmtpSecurity::Tls, script).await,
            (reason, reply.to_owned())
        );
    }
}

#[tokio::test]
async fn a_token_said_back_is_not_repeated() {
    let said: &'static str = format!("535 {TOKEN} no\r\n").leak();
    let mut script = before_auth(SmtpSecurity::Tls);
    script.push(Say(said));
    assert_eq!(failure(SmtpSecurity::Tls, script).await.1, "535 … no");
}

#[tokio::test]
async fn servers_that_do_not_answer_well() {
    use Reason::*;
    use SmtpSecurity::{StartTls, Tls};
    let without_starttls = Say("250-smtp.gmail.com at your service\r\n250 SIZE 35882577\r\n");
    let injected = "220 2.0.0 Ready to start TLS\r\n250 AUTH XOAUTH2\r\n";
    for (security, script, reason) in [
        (Tls, vec![GREETING, Wait], PlainTextOnTlsPort),
        (Tls, vec![Wait], ReplyTimedOut),
        (Tls, vec![], ConnectionLost),
        (
            Tls,
            vec![Encrypt, Say("* OK IMAP ready\r\n"), Wait],
            UnexpectedReply,
        ),
        (
            Tls,
            vec![
                Encrypt,
                Say("421 4.7.0 Try again later, closing connection.\r\n"),
            ],
            MailServerUnavailable,
        ),
        (
            Tls,
            vec![Encrypt, GREETING, Hear("EHLO"), Say("250-half\r\n")],
            ConnectionLost,
        ),
        (StartTls, vec![Wait], ReplyTimedOut),
        (StartTls, vec![], ConnectionLost),
        (
            StartTls,
            vec![Say("* OK IMAP ready\r\n"), Wait],
            UnexpectedReply,
        ),
        (
            StartTls,
            vec![Say("\u{15}\u{3}\u{1}\0\u{2}\u{2}F"), Wait],
            PlainTextOnTlsPort,
        ),
        (
            StartTls,
            vec![GREETING, Hear("EHLO"), without_starttls, Wait],
            PlainTextOnTlsPort,
        ),
        (
            StartTls,
            vec![
                GREETING,
                Hear("EHLO"),
                EHLO_IN_CLEAR,
                Hear("STARTTLS"),
                Say("454 4.7.0 TLS not available\r\n"),
            ],
            MailServerUnavailable,
        ),
        (
            StartTls,
            vec![
                GREETING,
                Hear("EHLO"),
                EHLO_IN_CLEAR,
                Hear("STARTTLS"),
                Say(injected),
                Wait,
            ],
            UnexpectedReply,
        ),
        (
            StartTls,
            vec![
                GREETING,
                Hear("EHLO"),
                EHLO_IN_CLEAR,
                Hear("STARTTLS"),
                Say("220 Ready\r\n"),
            ],
            ConnectionLost,
        ),
    ] {
        assert_eq!(
            failure(security, script.clone()).await.0,
            reason,
            "{script:?}"
        );
    }
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    for babble in [
        "250-more\r\n",
        "250-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ] {
        let stage = Stage::new(vec![Encrypt, GREETING, Hear("EHLO"), Babble(babble)]).await;
        let failure = open(&stage, SmtpSecurity::Tls).await.err().unwrap();
        assert_eq!(failure.reason, Reason::UnexpectedReply);
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
async fn a_message_may_be_refused_at_each_step() {
    for (said, reason) in [
        (
            "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\r\n550-5.4.5 sending limits go to\r\n550 5.4.5  https://support.google.com/a/answer/166852\r\n",
            Reason::MessageRefused,
        ),
        ("452 4.5.3 Too many\r\n", Reason::MailServerUnavailable),
        ("334 yes\r\n", Reason::UnexpectedReply),
    ] {
        for accepted in 0..3 {
            if said.starts_with("334") && accepted > 1 {
                continue;
            }
            let mut script = before_auth(SmtpSecurity::Tls);
            script.push(ACCEPTED);
            for part in &["MAIL", "RCPT", "DATA"][..accepted] {
                script.extend([Hear(part), GO_ON]);
            }
            script.extend([Hear(""), Say(said)]);
            let stage = Stage::new(script).await;
            let mut session = open(&stage, SmtpSecurity::Tls).await.unwrap();
            let ann = "ann@example.com".parse().unwrap();
            let failure = match session.envelope(&ann, &ann).await {
                Err(failure) => failure,
                Ok(()) => match session.data(b"x").await.unwrap_err() {
                    NotTaken::Refused(failure) | NotTaken::Unknown(failure) => failure,
                },
            };
            assert_eq!(failure.reason, reason, "{failure:?}");
        }
    }
}
