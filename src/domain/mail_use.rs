//! What is done with the mail of a mailbox, for its owner to read before the sign-in.

use crate::api::{MailboxSpec, Method, Reminders, TestMessage};

/// In whole sentences.
pub fn uses(spec: &MailboxSpec) -> Vec<String> {
    let does = |method| match (
        spec.incoming.method == method,
        spec.outgoing.method == method,
    ) {
        (true, true) => Some("receive and send"),
        (true, false) => Some("receive"),
        (false, true) => Some("send"),
        (false, false) => None,
    };
    let mut uses = Vec::new();
    if let Some(does) = does(Method::ServerSideSync) {
        uses.push(format!(
            "gmail-operator, a program in that cluster, keeps the access in order to {does} mail for those who ask. \
             This version tests the access and moves no mail yet."
        ));
    }
    if let Some(does) = does(Method::External) {
        uses.push(format!(
            "Another program of those who ask may {does} mail with this access."
        ));
    }
    uses.push("The access is tested after the sign-in and once a day; nothing in the mailbox is changed by that.".to_owned());
    if spec.test_message == TestMessage::ToSelf && spec.outgoing.method != Method::None {
        uses.push("After the sign-in one message is sent from the mailbox to itself. It stays in the inbox: the receipt. Tests on request may send more, up to six messages a day in all, which are moved to Trash.".to_owned());
    }
    if spec.reminders == Reminders::ToSelf {
        uses.push("Before a sign-in ends the mailbox gets a reminder by mail.".to_owned());
    }
    uses.push("The permission is stored in the cluster, in the operator's own namespace. Nobody sees or keeps a password.".to_owned());
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_that_is_not_used_is_not_asked_for() {
        let spec = |json: &str| -> MailboxSpec {
            serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}"))
        };
        let both = uses(&spec(r#"{"emailAddress":"a@b.c"}"#)).join(" ");
        assert!(
            both.contains("receive and send")
                && both.contains("to itself")
                && both.contains("moved to Trash")
                && both.contains("reminder")
                && !both.contains("Another program")
        );
        let mixed = uses(&spec(
            r#"{"emailAddress":"a@b.c","incoming":{"method":"External"},"outgoing":{"method":"None"},"reminders":"None"}"#,
        ))
        .join(" ");
        assert!(
            mixed.contains("may receive mail")
                && !mixed.contains("send")
                && !mixed.contains("reminder"),
            "{mixed}"
        );
    }
}
