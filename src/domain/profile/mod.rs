//! What to do about one GmailServerProfile, and which profile a Mailbox gets.

mod assign;
mod audience;
mod conditions;
mod decide;
mod endings;
mod processing;
mod report;
mod spec;
mod view;

pub use assign::{Choice, Offer, Seeker, choose};
pub use audience::{Audience, Outsider};
pub use conditions::{Verdicts, verdicts};
pub use decide::{Checked, Credentials, Outcome, Plan, ProfileWorld, Step, Times, decide, fold};
pub use endings::Endings;
pub use processing::{BadPollingInterval, ValidProcessing};
pub use report::{Counts, report};
pub use spec::{BadProfile, ValidProfile};
pub use view::view;
