use super::observe::Observed;
use crate::controller::context::Context;
use crate::probe::{Busy, Claim, Slot};

/// A place for the connections of one visit, which follow each other.
///
/// # Errors
/// [`Busy`].
pub fn take(context: &Context, observed: &Observed) -> Result<Slot, Busy> {
    // Without a grant that can be used no step connects.
    let Some((held, profile, _)) = observed.world.usable_grant() else {
        return Err(Busy::default());
    };
    context.slots.take(&Claim {
        mailbox: &observed.name,
        profile: &profile.name,
        max: profile.max_connections,
        token_endpoint: &held.token_endpoint,
        account: held.account.as_str(),
    })
}
