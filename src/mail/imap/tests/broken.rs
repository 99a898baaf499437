//! What a broken or hostile server, or a network, may do.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, date_time_ymd};

use super::*;
use crate::mail::stage::Act::{Babble, Encrypt, Hear, Say, Send, Wait};
use crate::mail::stage::{Stage, dialer};
use crate::net::trust::tls_config;

#[tokio::test]
async fn greetings_that_are_none() {
    use Reason::*;
    for (script, reason) in [
        (
            vec![Encrypt, Say("* BYE System error\r\n")],
            MailServerUnavailable,
        ),
        (vec![Encrypt, Say("* BYE not you\r\n")], ServiceRefused),
        (
            vec![Encrypt, Say("220 smtp.example.com ESMTP\r\n"), Wait],
            WrongProtocol,
        ),
        (
            vec![Encrypt, Say("+OK POP3 ready\r\n"), Wait],
            WrongProtocol,
        ),
        (
            vec![Encrypt, Say("HTTP/1.1 408 Request Timeout\r\n"), Wait],
            WrongProtocol,
        ),
        (
            vec![Encrypt, Say("SSH-2.0-OpenSSH_9.6\r\n"), Wait],
            WrongProtocol,
        ),
        (vec![Encrypt, Say("hello\r\n"), Wait], UnexpectedReply),
        (
            vec![Encrypt, Send(b"\xff\xfe\0\x01\n"), Wait],
            UnexpectedReply,
        ),
        (
            vec![Encrypt, Say("* PREAUTH come in\r\n"), Wait],
            UnexpectedReply,
        ),
        (vec![Encrypt, Wait], GreetingTimedOut),
        (vec![Encrypt, Say("* OK ha"), Wait], ReplyTooSlow),
        (vec![Encrypt, Say("* OK half")], ConnectionLost),
        (vec![Encrypt], GreetingMissing),
    ] {
        assert_eq!(failure(script.clone()).await.reason, reason, "{script:?}");
    }
}

#[tokio::test]
async fn servers_that_do_not_speak_tls() {
    use Reason::*;
    for (script, reason) in [
        (vec![], TlsConnectionLost),
        (vec![Wait], TlsTimedOut),
        (vec![Say("* OK plain text\r\n"), Wait], PlainTextOnTlsPort),
        (
            vec![Say("HTTP/1.1 400 Bad Request\r\n"), Wait],
            PlainTextOnTlsPort,
        ),
        (vec![Send(b"J\0\0\0\n8.0.36\0\0\0"), Wait], UnexpectedReply),
        // TLS, and broken.
        (
            vec![Send(b"\x16\x03\x03\0\x04\x63\0\0\0"), Wait],
            UnexpectedReply,
        ),
        // The alert handshake_failure.
        (
            vec![Send(b"\x15\x03\x03\0\x02\x02\x28"), Wait],
            TlsNotAgreed,
        ),
    ] {
        assert_eq!(failure(script.clone()).await.reason, reason, "{script:?}");
    }
}

#[tokio::test]
async fn servers_that_do_not_answer_well() {
    use Reason::*;
    let after_greeting = |act| vec![Encrypt, GREETING, Hear("a1"), act, Wait];
    for (script, reason) in [
        (after_greeting(Say("")), ReplyTimedOut),
        (after_greeting(Say("* CAPABILITY IMAP")), ReplyTooSlow),
        (
            after_greeting(Say("* CAPABILITY IMAP4rev1\r\n")),
            ReplyTooSlow,
        ),
        (after_greeting(Say("a7 OK wrong tag\r\n")), UnexpectedReply),
        (after_greeting(Say("+ more\r\n")), UnexpectedReply),
        (
            refusal(vec![CHALLENGE, Hear(""), CHALLENGE, Wait]),
            UnexpectedReply,
        ),
        (
            vec![
                Encrypt,
                GREETING,
                Hear("a1"),
                CAPABILITY,
                Hear("a2"),
                Say("a2 OK already\r\n"),
            ],
            UnexpectedReply,
        ),
    ] {
        assert_eq!(failure(script.clone()).await.reason, reason, "{script:?}");
    }
}

#[tokio::test]
async fn certificates_are_looked_at() {
    use Reason::*;
    type Change = fn(&mut CertificateParams);
    let cases: [(&str, Change, Reason); 3] = [
        ("imap.example.com", |_| {}, CertificateWrongName),
        (
            "localhost",
            |params| params.not_after = date_time_ymd(2000, 1, 1),
            CertificateExpired,
        ),
        (
            "localhost",
            |params| params.not_before = date_time_ymd(3000, 1, 1),
            CertificateNotYetValid,
        ),
    ];
    for (name, changed, reason) in cases {
        let stage = Stage::of(name, changed, vec![Encrypt]).await;
        let failure = open(&stage).await.err().unwrap();
        assert_eq!(failure.reason, reason, "{failure:?}");
    }

    let mut stage = Stage::new(vec![Encrypt]).await;
    let other = Stage::new(vec![]).await;
    let foreign = other.dialer.clone();
    stage.dialer = dialer(
        &stage.endpoint,
        Arc::new(tls_config(None).unwrap()),
        Duration::from_secs(5),
    );
    let failure = open(&stage).await.err().unwrap();
    assert_eq!(failure.reason, CertificateUnknownIssuer);
    assert!(
        failure.detail.contains("not from a known authority"),
        "{failure:?}"
    );

    stage.dialer = foreign;
    assert_eq!(open(&stage).await.err().unwrap().reason, EndpointNotAllowed);
}

#[tokio::test]
async fn an_endless_answer_is_left() {
    for babble in [
        "* OK xxxxxxxxxxxxxxxxxxxxxxxxx",
        "* OK still here\r\n",
        "* LIST (\\Trash) \"/\" {9}\r\n",
    ] {
        let stage = Stage::new(vec![Encrypt, GREETING, Hear("a1"), Babble(babble)]).await;
        let failure = open(&stage).await.err().unwrap();
        assert_eq!(failure.reason, Reason::ReplyTooLong, "{babble}");
    }
}
