//! A fault at any byte of what a server says: the session ends in a failure of its own, in time, and never in a login
//! that did not happen.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::join_all;
use gmail_operator::api::Reason as R;
use gmail_operator::domain::failure::Failure;
use gmail_operator::domain::secret::AccessToken;
use gmail_operator::domain::server::{Endpoint, SmtpSecurity};
use gmail_operator::mail::{ImapSession, MailAccount, Pop3Session, SmtpSession};
use gmail_operator::net::connect::Dialer;

use crate::lab::Lab;
use crate::lab::mail_script::{Act, At, Door, MailScript, Protocol, fault};

/// A server that goes silent is given up after this.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last byte at which a fault is tried: no conversation here says so much.
const END: usize = 4000;

/// What a fault may be taken for, and at every how many bytes it is tried.
const FAULTS: [(Act, &[R], usize); 4] = [
    (Act::Close, &[R::GreetingMissing, R::ConnectionLost], 11),
    (
        Act::Silence,
        // The first two are the busy machine's.
        &[
            R::ConnectionTimedOut,
            R::TlsTimedOut,
            R::GreetingTimedOut,
            R::ReplyTimedOut,
            R::ReplyTooSlow,
        ],
        97,
    ),
    (Act::Flood, &[R::ReplyTooLong], 23),
    // It may also stand where nobody reads: then all goes well, and somebody has logged in.
    (
        Act::Garbage,
        &[
            R::UnexpectedReply,
            R::LoginMethodMissing,
            R::RefusedOtherwise,
        ],
        7,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_at_any_byte_is_a_failure() -> Result<()> {
    let lab = Lab::shared().await;
    let script = MailScript::start(lab).await?;
    let mut plays = Vec::new();
    for protocol in [Protocol::Imap, Protocol::Pop3, Protocol::Smtp] {
        for (act, means, step) in FAULTS {
            plays.push(play(&script, lab, protocol, act, means, step));
        }
    }
    for played in join_all(plays).await {
        played?;
    }
    Ok(())
}

async fn play(
    script: &MailScript,
    lab: &Lab,
    protocol: Protocol,
    act: Act,
    means: &[R],
    step: usize,
) -> Result<()> {
    let door = script.door(protocol).await?;
    let dialer = super::dialer(lab, &[&door])?;
    let dialer = match act {
        Act::Silence => dialer.with_timeout(PATIENCE),
        _ => dialer,
    };
    let user = format!("{protocol:?}-{act:?}@bytes.example.com").to_ascii_lowercase();
    let mut met = BTreeSet::new();
    let mut tried = 0;
    for byte in (0..END).step_by(step) {
        door.set_fault(fault(At::Byte(byte), act));
        let logins = script.post.logins(&user).len();
        match converse(&dialer, protocol, &door, &user).await {
            Err(failure) => {
                let reason = failure.reason;
                ensure!(
                    means.contains(&reason),
                    "{protocol:?}, {act:?} at {byte}: {failure:?}"
                );
                met.insert(reason);
                tried += 1;
            }
            // Behind the last byte that is waited for.
            Ok(()) if act != Act::Garbage => break,
            Ok(()) => {
                let heard = script.post.logins(&user).len() - logins;
                ensure!(heard == 1, "{protocol:?} at {byte}: {heard} logins");
            }
        }
    }
    ensure!(tried >= 3, "{protocol:?}, {act:?}: {tried} failures");
    let greeted = [R::GreetingMissing, R::GreetingTimedOut];
    let early = means.iter().any(|reason| greeted.contains(reason));
    ensure!(
        met.len() > usize::from(early),
        "{protocol:?}, {act:?}: {met:?}"
    );
    Ok(())
}

/// The login and the first command behind it.
async fn converse(
    dialer: &Dialer,
    protocol: Protocol,
    door: &Door,
    user: &str,
) -> Result<(), Failure> {
    let token = AccessToken::new("ya29.bytes");
    let account = MailAccount {
        user,
        token: &token,
    };
    let server = Endpoint::new("localhost", door.port);
    match protocol {
        Protocol::Imap => {
            let mut session = ImapSession::open(dialer, &server, account).await?;
            session.examine_inbox().await
        }
        Protocol::Pop3 => {
            let mut session = Pop3Session::open(dialer, &server, account).await?;
            session.stat().await
        }
        Protocol::Smtp | Protocol::Submission => {
            let security = match protocol {
                Protocol::Submission => SmtpSecurity::StartTls,
                _ => SmtpSecurity::Tls,
            };
            let mut session = SmtpSession::open(dialer, &server, security, account).await?;
            session.noop().await
        }
    }
}
