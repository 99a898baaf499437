//! Reasons, in words for the owner of a mailbox.

use crate::api::{Actor, Again, Reason};

/// A reason for people who do not know Kubernetes. Sentences without their end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Words {
    pub meaning: &'static str,
    /// Empty where there is nothing to do.
    pub cure: &'static str,
    pub who: &'static str,
    /// When it is tried again without anybody's doing, where it is.
    pub again: Option<&'static str>,
}

/// `reason` in words.
pub(super) fn of(reason: Reason) -> Words {
    let (meaning, cure) = match closed(reason) {
        Some(meaning) => (
            meaning,
            "Come back to the sign-in page when it is put right",
        ),
        None => (to_the_owner(reason), reason.cure()),
    };
    Words {
        meaning,
        cure,
        who: who(reason.who()),
        again: again(reason.again()),
    }
}

/// The reasons that keep the sign-in page closed: in status they speak to whoever writes the objects.
fn closed(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::Suspended => "The team that asks has suspended this Mailbox",
        Reason::InvalidSpec => {
            "The team that asks has written this Mailbox in a way that cannot be used"
        }
        Reason::NoDefaultProfile
        | Reason::ProfileNotAvailable
        | Reason::ProfileNotFound
        | Reason::AddressNotAllowed => {
            "This cluster has no connection to Google for this Mailbox, or not yet"
        }
        Reason::ProfileNotReady => {
            "The connection to Google that this Mailbox uses is not set up completely yet"
        }
        Reason::ProfileSuspended => "The connection to Google that this Mailbox uses is suspended",
        Reason::CapacityReached => {
            "The connection to Google that this Mailbox uses has no place for another account"
        }
        _ => return None,
    })
}

/// In status these speak of the owner, who reads them here.
fn to_the_owner(reason: Reason) -> &'static str {
    match reason {
        Reason::ConsentDeclined => "You did not allow the access",
        Reason::MailScopeNotGranted => "You signed in, but did not allow access to mail",
        Reason::SignInRequired => "You have not signed in yet, or have signed out",
        Reason::ClientChanged => {
            "This cluster signs in at Google in another way now, so the old permission does not fit"
        }
        Reason::EndpointNotAllowed => {
            "A server that is needed may not be reached from this cluster"
        }
        Reason::TlsOnPlainTextPort => {
            "The mail server wants encryption from the start, and is asked for it later"
        }
        Reason::TlsNotAgreed => "The mail server offers no encryption that is accepted here",
        Reason::LoginMethodMissing => {
            "The mail server does not offer the way to log in that Google's servers offer"
        }
        Reason::RefusedForNow => {
            "The mail server says that it cannot now, in words that are not known here"
        }
        Reason::RefusedOtherwise => "The mail server refused, in words that are not known here",
        other => other.meaning(),
    }
}

fn again(again: Again) -> Option<&'static str> {
    Some(match again {
        Again::OnChange => return None,
        Again::Soon => "It is tried again by itself, in seconds to minutes",
        Again::AfterPause => "It is tried again by itself, in ten minutes to an hour",
        Again::Slowly => {
            "It is tried again by itself in some hours, and at once when you press Test again"
        }
    })
}

fn who(actor: Actor) -> &'static str {
    match actor {
        Actor::PlatformAdmin => "the platform admin, who runs this cluster",
        Actor::WorkspaceAdmin => "the Google Workspace admin of your organisation",
        Actor::AppTeam | Actor::Author => "the team that wrote the Mailbox",
        Actor::MailboxUser => "you, with this browser",
        Actor::Nobody => "nobody: try again later",
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn sentences_end_once() {
        for reason in Reason::iter() {
            let words = of(reason);
            assert!(
                !words.meaning.is_empty() && !words.meaning.ends_with('.'),
                "{reason}"
            );
            assert!(!words.cure.ends_with('.'), "{reason}");
        }
    }

    /// What an owner may read of a test or a sign-in: the reasons for which they or their Workspace
    /// admin act, and all that a test can meet.
    #[test]
    fn an_owner_reads_no_words_of_the_platform() {
        let met_by_tests = Reason::iter().skip_while(|r| *r != Reason::GoogleUnavailable);
        let theirs = Reason::iter()
            .filter(|reason| matches!(reason.who(), Actor::MailboxUser | Actor::WorkspaceAdmin));
        for reason in theirs.chain(met_by_tests) {
            let words = of(reason);
            let read = match reason.who() {
                Actor::MailboxUser | Actor::WorkspaceAdmin => {
                    format!("{} {}", words.meaning, words.cure)
                }
                // What others can do is folded up, for them.
                _ => words.meaning.to_owned(),
            };
            for word in [
                "profile",
                "operator",
                "spec.",
                "kubectl",
                "egress",
                "Secret",
                "annotation",
            ] {
                assert!(!read.contains(word), "{reason} says {word}: {read}");
            }
        }
    }
}
