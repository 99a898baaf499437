//! What to do about one GmailServerProfile, and which profile a Mailbox gets.

mod advice;
mod assign;
mod conditions;
mod credentials;
mod decide;
mod report;
mod spec;
mod view;

pub use advice::{Advice, advice};
pub use assign::{Choice, Offer, Seeker, choose};
pub use conditions::{Verdicts, verdicts};
pub use decide::{
    Checked, Credentials, Outcome, Plan, ProfileWorld, Step, Times, Trouble, decide, fold,
};
pub use report::{Counts, Known, judge, known_before, report};
pub use spec::{BadProfile, ValidProfile};
pub use view::view;

#[cfg(test)]
mod tests;
