//! Strings and numbers with a bound, so that no list, map or text of a spec is without one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a Kubernetes object in a reference: an RFC 1123 subdomain.
#[derive(
    Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[schemars(
    extend("x-kubernetes-validations" = [{
        "rule": "self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",
        "message": "must be the name of a Kubernetes object: lower-case letters, digits, '-' and '.'"
    }])
)]
pub struct ResourceName(#[schemars(length(min = 1, max = 253))] pub String);

/// The name of a mail server.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[schemars(
    extend("x-kubernetes-validations" = [{
        "rule": "self.matches('^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$')",
        "message": "must be a host name such as imap.gmail.com, without scheme, port or path"
    }])
)]
pub struct HostName(#[schemars(length(min = 1, max = 253))] pub String);

/// A label's value, or a value in a label selector: at most 63 characters.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LabelValue(#[schemars(length(max = 63))] pub String);

impl std::fmt::Display for ResourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for HostName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
