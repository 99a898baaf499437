//! Conditions, as a person reads them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::page::Tone;
use crate::api::{Actor, Again, Reason};

/// The condition's reason, if this version knows it.
pub fn reason(condition: &Condition) -> Option<Reason> {
    condition.reason.parse().ok()
}

/// One of them.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|c| c.type_ == type_)
}

/// Its colour.
pub fn tone(condition: &Condition) -> Tone {
    match condition.status.as_str() {
        "True" => Tone::Good,
        "False" => Tone::Bad,
        _ => Tone::Open,
    }
}

/// Whoever has to put it right, where it is not.
pub fn who(condition: &Condition) -> &'static str {
    if condition.status == "True" {
        return Actor::Nobody.words();
    }
    reason(condition).map_or("see the message", |reason| reason.who().words())
}

/// When what is not right is tried again without anybody's doing.
pub fn again(reason: Reason) -> Option<&'static str> {
    match reason.again() {
        Again::OnChange => None,
        again => Some(again.words()),
    }
}

/// The same, as a sentence after `text`.
pub fn with_again(text: &str, reason: Option<Reason>) -> String {
    match reason.and_then(again) {
        Some(again) => format!("{text} It is tried again {again}."),
        None => text.to_owned(),
    }
}
