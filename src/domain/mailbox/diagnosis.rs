//! What a refused login means beside what else the test has found with the same token.

use super::test::DirectionView;
use super::world::{GrantView, World};
use crate::api::{DirectionState, Reason};

/// What was checked before a login is called refused, and what the other direction says. `None`
/// where `refused` is no refused login. It is the same for as long as the findings are.
pub(super) fn of(world: &World, refused: Reason) -> Option<String> {
    let (what, other) = match refused {
        Reason::LoginRefused => ("IMAP", &world.test.outgoing),
        Reason::PopLoginRefused => ("POP3", &world.test.outgoing),
        Reason::SmtpLoginRefused => ("sending over SMTP", &world.test.incoming),
        _ => return None,
    };
    let GrantView::Held(held) = &world.grant else {
        return None;
    };
    let mut text = format!(
        "Checked before: the token was renewed for this test, allows mail and is of {}.",
        held.account
    );
    let client = &held.client_id;
    match other_says(other) {
        Some(Says::Works) => text.push_str(&format!(
            " The same token works the other way, so for this account {what} is off, or only open to OAuth clients that do not include {client}."
        )),
        Some(Says::Refused) => text.push_str(&format!(
            " The same token is refused the other way, too, so mail programs are off for this account, or not open to the OAuth client {client}."
        )),
        None => {}
    }
    Some(text)
}

enum Says {
    Works,
    Refused,
}

fn other_says(other: &DirectionView) -> Option<Says> {
    let refused = other.last_error.as_ref().is_some_and(|error| {
        matches!(
            error.reason,
            Reason::LoginRefused | Reason::PopLoginRefused | Reason::SmtpLoginRefused
        )
    });
    match other.state {
        DirectionState::Success => Some(Says::Works),
        DirectionState::Failure if refused => Some(Says::Refused),
        _ => None,
    }
}
