//! What a running test does next.

use std::time::Duration;

use super::spec::ValidSpec;
use super::step::{Plan, Sight, Step};
use super::test::Test;
use super::world::{Held, World};
use crate::api::{IncomingProtocol, TestStep};
use crate::domain::schedule::later;

/// How often it is tried to open the inbox over IMAP before a message, where mail is not read over
/// IMAP and so nobody may have opened that way: then sending must not wait for it for long.
const LOOKS: u32 = 3;

pub(super) fn next_step(world: &World, test: &Test, held: &Held, spec: &ValidSpec) -> Plan {
    if world.hold.is_some() || needs_proof(world, test, held, spec) {
        return match world.renewal.is_due(world.now) {
            true => Plan::now(Step::Renew),
            false => Plan::wait(world.renewal.not_before),
        };
    }
    let incoming = spec.incoming.is_some() && !world.test.incoming.is_done(test.started_at);
    let outgoing = spec.outgoing
        && (test.step == TestStep::RoundTrip || !world.test.outgoing.is_done(test.started_at));
    if incoming && world.test.incoming.retry.is_due(world.now) {
        return Plan::now(Step::TestIncoming);
    }
    if outgoing && world.test.outgoing.retry.is_due(world.now) {
        // A message that was on its way when its answer was lost is looked for, never sent again.
        return Plan::now(match (test.step, sight(world, spec)) {
            (TestStep::RoundTrip, _) if held.messages.may_be_sent_by(&test.id) => Step::FindMessage,
            (TestStep::RoundTrip, sight) => Step::SendMessage(sight.unwrap_or(Sight::Untried)),
            _ => Step::TestOutgoing,
        });
    }
    let waits = [
        (incoming, &world.test.incoming),
        (outgoing, &world.test.outgoing),
    ];
    Plan::wait(
        waits
            .iter()
            .filter(|(open, _)| *open)
            .filter_map(|(_, direction)| direction.retry.not_before)
            .min(),
    )
}

/// Every test also proves that Google still renews the grant, unless that has just been proved, as by
/// the sign-in. Before a login over POP3 it is always proved: a second login, to tell a dead token
/// from a closed mailbox, may not follow at once.
pub(super) fn needs_proof(world: &World, test: &Test, held: &Held, spec: &ValidSpec) -> bool {
    let age = match is_pop3(spec) {
        true => Duration::ZERO,
        false => world.times.proof_age,
    };
    test.step == TestStep::Token && !test.is_proved_by(later(held.access_issued_at, age))
}

pub(super) fn is_pop3(spec: &ValidSpec) -> bool {
    spec.incoming == Some(IncomingProtocol::Pop3)
}

/// Whether mail is read over IMAP, which is how messages are looked for.
pub(super) fn reads_imap(spec: &ValidSpec) -> bool {
    spec.incoming == Some(IncomingProtocol::Imap)
}

/// Whether a message that is sent now can be looked for. `None`: IMAP fails in a way that may pass,
/// so no message is sent now.
pub(super) fn sight(world: &World, spec: &ValidSpec) -> Option<Sight> {
    let (incoming, outgoing) = (&world.test.incoming, &world.test.outgoing);
    let error = incoming.last_error.as_ref();
    match reads_imap(spec) {
        true if incoming.enabled => Some(Sight::Clear),
        true => error
            .is_some_and(|error| error.reason.again().is_permanent())
            .then_some(Sight::None),
        false if outgoing.retry.failed >= LOOKS => Some(Sight::Doubtful),
        false => Some(Sight::Untried),
    }
}
