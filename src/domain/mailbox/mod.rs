//! What to do about one Mailbox: [`decide`] looks at a [`World`], names at most one [`Step`] and
//! says every condition; [`fold`] puts the step's [`Outcome`] into the world.

mod binding;
#[cfg(test)]
mod binding_worlds;
mod conditions;
mod decide;
mod ending;
#[cfg(test)]
mod ending_worlds;
mod fold;
mod report;
mod sign_in;
mod spec;
mod test;
mod world;
#[cfg(test)]
mod worlds;

pub use binding::{Binding, connection, look_due};
pub use conditions::{Verdicts, verdicts};
pub use decide::{Plan, Step, decide};
pub use ending::known_end;
pub use fold::{Outcome, fold};
pub use report::report;
pub use spec::{BadSpec, ValidSpec};
pub use test::{DirectionView, LastError, Retry, Test, TestView};
pub use world::{GrantView, Held, Place, ProfileFacts, ProfileView, Times, World};
