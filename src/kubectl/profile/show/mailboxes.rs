//! The Mailboxes of a profile: how many there are, and their newest test.

use crate::api::{GmailServerProfileStatus, ProfileTestStatus};
use crate::kubectl::page::Page;
use crate::kubectl::profile::test_in_numbers;
use crate::kubectl::time::date;

/// The counts, and the test of all of them, where one was asked for.
pub fn show(page: &mut Page, status: Option<&GmailServerProfileStatus>) {
    let Some(status) = status else { return };
    let Some(counts) = &status.mailboxes else {
        return;
    };
    let capacity = match counts.capacity {
        Some(capacity) => format!("{capacity}; Google never gives a place back"),
        None => "no limit".to_owned(),
    };
    let mut fields = vec![
        ("Use this profile", counts.assigned.to_string()),
        ("Signed in", counts.signed_in.to_string()),
        ("Ready", counts.ready.to_string()),
        ("Accounts that may sign in", capacity),
    ];
    if let Some(test) = &status.test {
        fields.push(("Newest test of all", tested(test)));
    }
    page.heading("Mailboxes").fields(fields);
}

fn tested(test: &ProfileTestStatus) -> String {
    let numbers = test_in_numbers(test);
    match &test.finished_at {
        Some(at) => format!("{numbers}; ended {}", date(at.0)),
        None => format!("{numbers}; running since {}", date(test.started_at.0)),
    }
}
