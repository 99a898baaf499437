//! What to do about one Mailbox: [`decide`] looks at a [`World`], names at most one [`Step`] and
//! says every condition; [`fold`] puts the step's [`Outcome`] into the world.

mod binding;
#[cfg(test)]
mod binding_worlds;
mod conditions;
mod decide;
mod diagnosis;
mod direction;
mod ending;
#[cfg(test)]
mod ending_worlds;
mod fold;
mod health;
mod message_proof;
mod next_test;
mod outcome;
mod report;
mod running_test;
#[cfg(test)]
mod sample;
mod set_back;
mod sign_in;
mod spec;
mod step;
mod test;
mod transitions;
mod world;
#[cfg(test)]
mod worlds;

pub use binding::{Binding, connection, look_due};
pub use conditions::{Verdicts, verdicts};
pub use decide::decide;
pub use ending::known_end;
pub use fold::fold;
pub use health::{Health, HealthState};
pub use outcome::Outcome;
pub use report::report;
pub use spec::{BadSpec, ValidSpec};
pub use step::{Plan, Sight, Step};
pub use test::{DirectionView, LastError, Retry, Test, TestView};
pub use transitions::{Transition, transitions};
pub use world::{GrantView, Held, Hold, Place, ProfileFacts, ProfileView, Times, World};
