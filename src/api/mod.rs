//! The resources of `gmail-operator.dev/v1alpha1`: types only.
//!
//! A value of these types has been through the API server's schema, no more: what the rest of the
//! program may rely on is in [`crate::domain`].

mod bounds;
mod condition;
mod crds;
mod mailbox;
mod profile;
mod reason;

pub use bounds::{HostName, LabelValue, ResourceName};
pub use condition::{MailboxCondition, ProfileCondition};
pub use crds::{CrdFile, crds};
pub use mailbox::*;
pub use profile::*;
pub use reason::{Actor, Again, Reason};

/// The API group of both kinds.
pub const GROUP: &str = "gmail-operator.dev";
/// The only version so far.
pub const VERSION: &str = "v1alpha1";

/// On a Namespace: its profiles may serve Mailboxes of other namespaces. Tenants cannot label
/// Namespaces, so this is the cluster admin's word.
pub const SHARES_PROFILES_LABEL: &str = "gmail-operator.dev/shares-profiles";
/// On a Mailbox: any new value asks for one test; the value is answered in
/// `status.lastHandledTestRequest`. On a GmailServerProfile: any new value asks for one test of each
/// Mailbox that uses it; how far that is, is in its `status.test`.
pub const TEST_REQUESTED_ANNOTATION: &str = "gmail-operator.dev/test-requested-at";
/// On a Mailbox: a time (RFC 3339). Every sign-in that was given before it is ended: it is not used
/// any more, is revoked at Google where no other Mailbox needs it, and is deleted. A sign-in after
/// it is another one.
pub const SIGN_OUT_REQUESTED_ANNOTATION: &str = "gmail-operator.dev/sign-out-requested-at";
