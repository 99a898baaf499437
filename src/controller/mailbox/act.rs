use super::binding;
use super::conversation::Deadline;
use super::keep::{adopt, renew, sign_out, take_place};
use super::observe::Observed;
use super::remind::remind;
use super::test::Test;
use crate::cluster::ClusterError;
use crate::controller::context::Context;
use crate::domain::mailbox::{Outcome, Step};
use crate::probe::Slot;

/// Does one step. What cannot be asked is an outcome too; an error is ours or the API server's.
pub async fn act(
    context: &Context,
    observed: &Observed,
    step: &Step,
    slot: Option<&mut Slot>,
) -> Result<Outcome, ClusterError> {
    match (step, &observed.grant) {
        (Step::StartTest(_), _) => return Ok(Outcome::Started),
        // After a pause of this process another replica may lead; it would do the same step.
        _ if !context.may_act() => return Ok(Outcome::Unavailable),
        // Whatever has become of the profile.
        (Step::SignOut, Some(stored)) => return sign_out(context, observed, stored).await,
        // A token goes also where there is neither a profile nor a grant.
        (Step::PublishToken | Step::WithdrawToken | Step::RemoveSecret(_), _) => {
            return binding::act(context, observed, step).await;
        }
        _ => {}
    }
    let profile = observed
        .profile
        .as_deref()
        .and_then(|profile| profile.0.as_ref().ok());
    let (Some(profile), Some(stored), Ok(spec)) = (profile, &observed.grant, &observed.world.spec)
    else {
        return Ok(Outcome::Unavailable);
    };
    match (step, slot) {
        (Step::Adopt { .. }, _) => adopt(context, observed, profile, stored).await,
        (Step::TakePlace, _) => take_place(context, observed, stored).await,
        (Step::Renew, _) => renew(context, observed, profile, stored).await,
        (Step::Remind(end), Some(slot)) => {
            remind(context, observed, profile, spec, stored, end, slot).await
        }
        (_, Some(slot)) if step.connects() => {
            let test = Test {
                context,
                observed,
                profile,
                spec,
                step,
                deadline: Deadline::begin(&context.pace),
            };
            test.run(slot, stored).await
        }
        _ => Ok(Outcome::Unavailable),
    }
}
