//! What is said of a condition, and how it becomes one.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::{Actor, Reason};

/// A condition's status.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It is not known yet.
    Unknown,
}

/// What is to be said of one condition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Whether it holds.
    pub truth: Truth,
    /// Why.
    pub reason: Reason,
    /// In words. Without times and counts: they would make every write differ.
    pub message: String,
}

/// The longest message, in characters; the schema of `metav1.Condition` allows 32768.
const MAX_MESSAGE: usize = 1000;

impl Verdict {
    /// It holds.
    pub fn yes(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            truth: Truth::True,
            reason,
            message: message.into(),
        }
    }

    /// It does not, and `detail` says more than the reason.
    pub fn no(reason: Reason, detail: &str) -> Self {
        Self {
            truth: Truth::False,
            reason,
            message: explain(reason, detail),
        }
    }

    /// It is not known, and `detail` says more than the reason.
    pub fn unknown(reason: Reason, detail: &str) -> Self {
        Self {
            truth: Truth::Unknown,
            reason,
            message: explain(reason, detail),
        }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.truth == Truth::True
    }
}

/// What failed, why, what to do and who must do it, in sentences.
pub fn explain(reason: Reason, detail: &str) -> String {
    explain_with_cure(reason, detail, reason.who(), reason.cure())
}

/// The same, where another than the reason's own cure helps now.
pub fn explain_with_cure(reason: Reason, detail: &str, who: Actor, cure: &str) -> String {
    let mut text = reason.meaning().to_owned();
    if !detail.is_empty() {
        text.push_str(": ");
        text.push_str(detail.trim_end_matches('.'));
    }
    text.push('.');
    if !cure.is_empty() {
        text.push(' ');
        if who != Actor::Nobody {
            text.push_str(who.title());
            text.push_str(": ");
        }
        text.push_str(cure);
        text.push('.');
    }
    bounded(text)
}

/// `text`, which explains a reason, with one sentence more.
pub fn with_sentence(text: &str, sentence: &str) -> String {
    bounded(format!("{text} {sentence}"))
}

fn bounded(text: String) -> String {
    match text.chars().count() > MAX_MESSAGE {
        true => text.chars().take(MAX_MESSAGE - 1).chain(['…']).collect(),
        false => text,
    }
}

/// `verdicts` as conditions. The transition time of one whose status stays is kept.
pub fn conditions<'a>(
    verdicts: impl IntoIterator<Item = (&'static str, &'a Verdict)>,
    old: &[Condition],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    verdicts
        .into_iter()
        .map(|(type_, verdict)| {
            let status: &str = verdict.truth.into();
            let since = old
                .iter()
                .find(|c| c.type_ == type_ && c.status == status)
                .map(|c| c.last_transition_time.clone());
            Condition {
                type_: type_.to_owned(),
                status: status.to_owned(),
                reason: verdict.reason.name().to_owned(),
                message: verdict.message.clone(),
                last_transition_time: since.unwrap_or_else(|| seconds(now)),
                observed_generation: generation,
            }
        })
        .collect()
}

/// `time` to the second, as Kubernetes keeps it.
pub fn seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}
