//! What came of the tests: each failure with who must act, then the numbers.

use super::story::Ended;
use super::wrong::Wrong;
use crate::api::{Actor, Reason};
use crate::kubectl::page::Page;

/// So many failures are told one by one.
const TOLD: usize = 50;

/// A Mailbox, and how its test ended.
pub struct Tested {
    /// As it is named and addressed.
    pub name: String,
    /// How.
    pub ended: Ended,
}

/// Whether all of them were tested and work.
pub fn all_work(tested: &[Tested]) -> bool {
    let works = |tested: &Tested| matches!(tested.ended, Ended::Works(_));
    tested.iter().all(works)
}

/// The failures, what was noticed, and a line of numbers.
pub fn page(tested: &[Tested]) -> Page {
    let mut page = failures(tested);
    page.heading(&numbers(tested));
    page
}

/// Each that does not work, or at which something was noticed.
pub fn failures(tested: &[Tested]) -> Page {
    let mut page = Page::new();
    let worth_telling = tested
        .iter()
        .filter(|tested| tested.ended != Ended::Works(None));
    let untold = worth_telling.clone().skip(TOLD).count();
    for tested in worth_telling.take(TOLD) {
        tell(&mut page, tested);
    }
    if untold > 0 {
        page.heading(&format!(
            "{untold} more: `kubectl gmail status` shows them all"
        ));
    }
    page
}

fn tell(page: &mut Page, tested: &Tested) {
    let name = &tested.name;
    match &tested.ended {
        Ended::Works(None) => {}
        Ended::Works(Some(remark)) => {
            page.heading(&format!("{name}: works, and the test noticed something"));
            noticed(page, *remark);
        }
        Ended::Fails(wrong) => {
            page.heading(&format!("{name}: does not work"));
            wrong.iter().for_each(|wrong| explained(page, wrong));
        }
        Ended::NotTested(wrong) => {
            page.heading(&format!("{name}: cannot be tested"));
            explained(page, wrong);
        }
        Ended::Late(doing, wrong) => {
            page.heading(&format!("{name}: not tested to the end in time"));
            page.fields([("Goes on", doing)]);
            wrong.iter().for_each(|wrong| explained(page, wrong));
        }
        Ended::Gone => {
            page.heading(&format!("{name}: was deleted meanwhile"));
        }
    }
}

/// One thing that does not work.
pub fn explained(page: &mut Page, wrong: &Wrong) {
    let mut fields = vec![
        ("Reason", wrong.reason.clone()),
        ("What happened", wrong.what.clone()),
    ];
    if let Some((who, cure)) = wrong.cure {
        fields.push(("Who must act", who.words().to_owned()));
        fields.push(("What to do", cure.to_owned()));
    }
    if let Some(again) = wrong.again {
        fields.push(("Tried again", again.to_owned()));
    }
    if let Some(reply) = &wrong.reply {
        fields.push(("The server said", reply.clone()));
    }
    page.fields(fields);
}

fn noticed(page: &mut Page, remark: Reason) {
    let mut fields = vec![
        ("Noticed", remark.name()),
        ("What it means", remark.meaning()),
    ];
    if remark.who() != Actor::Nobody {
        fields.push(("Who can act", remark.who().words()));
    }
    if !remark.cure().is_empty() {
        fields.push(("What to do", remark.cure()));
    }
    page.fields(fields);
}

fn numbers(tested: &[Tested]) -> String {
    let count = |is: fn(&Ended) -> bool| tested.iter().filter(|tested| is(&tested.ended)).count();
    let counted = [
        ("works", "work", count(|e| matches!(e, Ended::Works(_)))),
        (
            "does not",
            "do not",
            count(|e| matches!(e, Ended::Fails(_))),
        ),
        (
            "cannot be tested",
            "cannot be tested",
            count(|e| matches!(e, Ended::NotTested(_))),
        ),
        (
            "was not tested to the end",
            "were not tested to the end",
            count(|e| matches!(e, Ended::Late(..))),
        ),
        ("is gone", "are gone", count(|e| matches!(e, Ended::Gone))),
    ];
    let told: Vec<String> = counted
        .iter()
        .filter(|(_, _, n)| *n > 0)
        .map(|(one, many, n)| format!("{n} {}", if *n == 1 { one } else { many }))
        .collect();
    let mailboxes = match tested.len() {
        1 => "1 Mailbox".to_owned(),
        n => format!("{n} Mailboxes"),
    };
    format!("{mailboxes}: {}.", told.join(", "))
}
