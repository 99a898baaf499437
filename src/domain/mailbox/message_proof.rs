//! What the test's message proves of sending, and whether one is to be sent.

use jiff::Timestamp;

use super::direction::{detail, fail, outgoing_rules, succeed};
use super::running_test::reads_imap;
use super::spec::ValidSpec;
use super::step::Step;
use super::test::{DirectionView, LastError, Test};
use super::world::{GrantView, Held, World};
use crate::api::{DirectionState, Reason, TestMessage, TestRequestedBy};
use crate::domain::failure::Failure;
use crate::domain::schedule::later;
use crate::domain::test_request::is_asked_for;
use crate::domain::verdict::explain;

/// Whether a test's last step is a message to the mailbox itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Message {
    /// None is wanted.
    Unwanted,
    /// One is, or is on its way.
    Due,
    /// One was asked for, but the mailbox has had as many as it gets.
    UsedUp,
}

/// The first message of a sign-in is its receipt, whichever test sends it; it is held back only where
/// sign-ins follow each other all day. Beside it a message is sent where a person asks for a test, or
/// where one has turned sending off, so that only one can turn it on.
pub(super) fn message_of(world: &World, test: &Test, held: &Held, spec: &ValidSpec) -> Message {
    let (messages, limit) = (&held.messages, world.times.messages);
    let asked = is_asked_for(test.requested_by)
        || test.requested_by == TestRequestedBy::SignIn
        || world.test.outgoing.owes_message();
    let room = match messages.lack_receipt() {
        true => messages.leave_room(world.now, limit.of_receipts()),
        false => messages.leave_room(world.now, limit),
    };
    if spec.test_message == TestMessage::None || !spec.outgoing {
        Message::Unwanted
    } else if messages.may_be_sent_by(&test.id) {
        Message::Due
    } else if !asked && !messages.lack_receipt() {
        Message::Unwanted
    } else if room {
        Message::Due
    } else {
        Message::UsedUp
    }
}

/// The test whose message the next test, made by `by`, looks for, in place of sending one of its own:
/// one that has not arrived may still be on its way. It is given up when another may be sent.
pub(super) fn looked_for(world: &World, by: TestRequestedBy, held: &Held) -> Option<String> {
    let newest = world.test.newest.as_ref()?;
    let messages = &held.messages;
    let missing = world.test.outgoing.owes_message() && messages.may_be_sent_by(&newest.id);
    let room = messages.leave_room(world.now, world.times.messages);
    let young = (messages.sent_at.last())
        .is_some_and(|at| later(*at, world.times.retest_failed) > world.now);
    let looks = match by {
        TestRequestedBy::Schedule => young || !room,
        TestRequestedBy::Annotation | TestRequestedBy::Page => !room,
        // What was sent before proves nothing of other settings.
        TestRequestedBy::SignIn | TestRequestedBy::Change => false,
    };
    (missing && looks).then(|| newest.id.clone())
}

/// Where a message is still to prove the way, sending is not enabled by the login alone.
pub(super) fn logged_in(world: &mut World, at: Timestamp) {
    let message = match (&world.spec, &world.test.newest, &world.grant) {
        (Ok(spec), Some(test), GrantView::Held(held)) => message_of(world, test, held, spec),
        _ => Message::Unwanted,
    };
    let outgoing = &mut world.test.outgoing;
    match message {
        Message::Due => {
            outgoing.tested_at = Some(at);
            outgoing.retry = Default::default();
            outgoing.state = DirectionState::Running;
        }
        Message::Unwanted => succeed(outgoing, at),
        Message::UsedUp if outgoing.owes_message() => stay_off(outgoing, at),
        Message::UsedUp => {
            succeed(outgoing, at);
            outgoing.remark = Some(Reason::MessagesUsedUp);
            outgoing.remark_message = None;
        }
    }
}

/// It has arrived, and it is told where an earlier look was in vain.
pub(super) fn arrived(world: &mut World, step: &Step, at: Timestamp, remark: Option<Reason>) {
    let outgoing = &world.test.outgoing;
    let error = outgoing.last_error.as_ref();
    let missed = error.is_some_and(|error| error.reason == Reason::MessageNotArrived)
        && (outgoing.retry.failed > 0 || outgoing.owes_message());
    let late = (missed && *step == Step::FindMessage).then(|| LATE.to_owned());
    proved(&mut world.test.outgoing, at, remark, late);
}

const LATE: &str =
    "The newest test message arrived late: it was not there when it was first looked for.";

/// The server took the message, and nobody looks whether it arrived: its word is all the proof.
pub(super) fn unproved(world: &mut World, why: Option<&Failure>, at: Timestamp) {
    let why = why.map(|failure| explain(failure.reason, &detail(failure)));
    let said = why
        .or_else(|| cause(world))
        .map(|why| format!("{SENT}: {why}"));
    let remark = Some(Reason::RoundTripUnproved);
    proved(&mut world.test.outgoing, at, remark, said);
}

const SENT: &str = "The test message was sent; whether it arrived could not be seen";

/// The server took the message; whether it arrived is looked for again. Where that is refused, or is
/// given up, what the server said is all the proof there is: that IMAP fails is not held against
/// sending. One that is known not to have arrived is looked for by the next test.
pub(super) fn unseen(world: &mut World, step: &Step, failure: &Failure, at: Timestamp) {
    let rules = outgoing_rules(world, step);
    let outgoing = &mut world.test.outgoing;
    let refused = failure.reason.again().is_permanent();
    let last = outgoing.retry.failed.saturating_add(1) >= rules.tries;
    if !refused && !last {
        fail(outgoing, failure, &rules);
    } else if outgoing.owes_message() && outgoing.remark == Some(Reason::MessageNotArrived) {
        stay_off(outgoing, at);
    } else {
        let said = format!("{SENT}: {}", explain(failure.reason, &detail(failure)));
        proved(outgoing, at, Some(Reason::RoundTripUnproved), Some(said));
    }
}

/// No message is sent, since it could not be looked for and what keeps it from that may pass: the
/// login is all the proof there is.
pub(super) fn unsent(world: &mut World, at: Timestamp) {
    let said = without_message(world);
    let outgoing = &mut world.test.outgoing;
    match outgoing.owes_message() {
        true => stay_off(outgoing, at),
        false => proved(outgoing, at, Some(Reason::RoundTripUnproved), Some(said)),
    }
}

/// Sending does not wait for a server that wants to be left alone for an hour.
pub(super) fn send_meanwhile(world: &mut World) {
    let said = without_message(world);
    let outgoing = &mut world.test.outgoing;
    if !outgoing.owes_message() && !outgoing.enabled {
        outgoing.enabled = true;
        outgoing.remark = Some(Reason::RoundTripUnproved);
        outgoing.remark_message = Some(said);
    }
}

fn without_message(world: &World) -> String {
    let cause = cause(world).unwrap_or_else(|| "IMAP has not answered yet.".to_owned());
    format!("No test message was sent yet, since nobody could see it arrive: {cause}")
}

/// Why mail cannot be read over IMAP, where the test of the incoming direction has shown that.
fn cause(world: &World) -> Option<String> {
    let incoming = &world.test.incoming;
    let read = world.spec.as_ref().is_ok_and(reads_imap);
    let error = incoming.last_error.as_ref();
    let error = error.filter(|_| read && !incoming.enabled)?;
    Some(error.message.clone())
}

fn proved(
    outgoing: &mut DirectionView,
    at: Timestamp,
    remark: Option<Reason>,
    said: Option<String>,
) {
    succeed(outgoing, at);
    outgoing.remark = remark;
    outgoing.remark_message = said;
}

/// The login works, and what the message met is as it was.
fn stay_off(outgoing: &mut DirectionView, at: Timestamp) {
    outgoing.state = DirectionState::Failure;
    outgoing.tested_at = Some(at);
    outgoing.retry = Default::default();
    let Some(reason) = outgoing.remark else {
        return;
    };
    // It may be that of a login meanwhile.
    if (outgoing.last_error.as_ref()).is_none_or(|error| error.reason != reason) {
        outgoing.last_error = Some(LastError {
            at,
            reason,
            message: explain(reason, ""),
            server_reply: None,
        });
    }
}
