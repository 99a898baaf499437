//! What to do about one GmailServerProfile, and which profile a Mailbox gets.

mod advice;
mod assign;
mod audience;
mod capacity;
mod conditions;
mod counts;
mod credentials;
mod decide;
mod endings;
mod processing;
mod report;
mod round;
mod spec;
mod view;

pub use advice::{Advice, advice};
pub use assign::{Choice, Offer, Room, Seeker, choose};
pub use audience::{Audience, Outsider};
pub use capacity::{Limits, Places, capacity_of, client_of, limits_of, project_of};
pub use conditions::{Verdicts, verdicts};
pub use counts::{Counts, Standing};
pub use decide::{
    Checked, Credentials, NotShared, Outcome, Plan, ProfileWorld, Step, Times, Trouble, decide,
    fold,
};
pub use endings::Endings;
pub use processing::{BadPollingInterval, ValidProcessing};
pub use report::{Known, judge, known_before, report};
pub use round::{Answer, RequestKey, Service, Tally, ending, follow};
pub use spec::{BadProfile, ValidProfile, max_connections};
pub use view::view;

#[cfg(test)]
mod tests;
