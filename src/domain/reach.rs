//! Which namespaces the operator looks after, and whether it may read what Namespaces are.

use std::collections::{BTreeMap, BTreeSet};

/// The label with a Namespace's own name, which the API server sets on each and lets nobody change
/// (kubernetes.io/docs/reference/labels-annotations-taints, "kubernetes.io/metadata.name").
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The namespaces that the operator looks after, and how far its rights go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reach {
    /// All of them, with rights in the whole cluster.
    Cluster,
    /// These, with rights in the whole cluster: the labels of Namespaces are read.
    Named(BTreeSet<String>),
    /// These, with rights in them and in the operator's own: Namespaces cannot be read.
    RolesOnly(BTreeSet<String>),
}

impl Reach {
    /// The namespaces that are looked after; `None`: all.
    pub fn named(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::Cluster => None,
            Self::Named(names) | Self::RolesOnly(names) => Some(names),
        }
    }

    /// Whether `namespace` is looked after.
    pub fn looks_after(&self, namespace: &str) -> bool {
        self.named().is_none_or(|names| names.contains(namespace))
    }

    /// Whether it can be known what is in `namespace`.
    pub fn may_look_into(&self, namespace: &str) -> bool {
        match self {
            Self::Cluster | Self::Named(_) => true,
            Self::RolesOnly(names) => names.contains(namespace),
        }
    }

    /// Whether Namespaces and their labels can be read.
    pub fn reads_namespaces(&self) -> bool {
        !matches!(self, Self::RolesOnly(_))
    }
}

/// What is known of the labels of a Namespace that cannot be read.
pub fn labels_of_unread(namespace: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(NAME_LABEL.to_owned(), namespace.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reach_knows_what_it_looks_after() {
        let names = || BTreeSet::from(["crm".to_owned()]);
        for (reach, elsewhere, reads) in [
            (Reach::Cluster, true, true),
            (Reach::Named(names()), false, true),
            (Reach::RolesOnly(names()), false, false),
        ] {
            assert!(reach.looks_after("crm"), "{reach:?}");
            assert_eq!(reach.looks_after("sales"), elsewhere, "{reach:?}");
            assert_eq!(reach.reads_namespaces(), reads, "{reach:?}");
            assert!(reach.may_look_into("crm"), "{reach:?}");
            assert_eq!(reach.may_look_into("sales"), reads, "{reach:?}");
        }
    }
}
