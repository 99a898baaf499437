//! Where the operator runs.

/// The namespace that `deploy/` and the chart's documents install it into.
pub const OPERATOR_NAMESPACE: &str = "gmail-operator";
/// How its Deployment and its Pods are found; `deploy/` and the chart both set it.
pub const OPERATOR_LABEL: &str = "app.kubernetes.io/name=gmail-operator";
