use jiff::Timestamp;
use kube::ResourceExt;

use crate::api::{Mailbox, Reason, SIGN_OUT_REQUESTED_ANNOTATION};
use crate::controller::context::Context;
use crate::domain::schedule::digest;
use crate::domain::verdict::Verdict;

/// The time that the annotation of `mailbox` names: sign-ins that were given before it are over. A
/// value that is not a time is told once, and signs nobody out.
pub async fn sign_out_request(context: &Context, mailbox: &Mailbox) -> Option<Timestamp> {
    let uid = mailbox.uid().unwrap_or_default();
    let value = mailbox.annotations().get(SIGN_OUT_REQUESTED_ANNOTATION);
    let Some(value) = value else {
        context.unreadable_sign_outs.forget(&uid);
        return None;
    };
    if let Ok(time) = value.parse() {
        context.unreadable_sign_outs.forget(&uid);
        return Some(time);
    }
    // It may be long.
    let told = digest(&[value]);
    if context.unreadable_sign_outs.get(&uid).as_ref() != Some(&told) {
        context.unreadable_sign_outs.put(&uid, told);
        let verdict = Verdict::no(Reason::SignOutUnreadable, "");
        context.events.transition(mailbox, None, &verdict).await;
    }
    None
}
