//! The rights of an account, verb by verb, beside what it has asked for.

use serde_json::Value;

use crate::lab::audit::AuditRequest;

/// One verb on one resource.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Rule {
    group: String,
    resource: String,
    verb: String,
    /// The namespace that it holds in; `None`: everywhere.
    namespace: Option<String>,
}

impl Rule {
    /// Everywhere.
    pub fn new(group: &str, resource: &str, verb: &str) -> Rule {
        Rule {
            group: group.to_owned(),
            resource: resource.to_owned(),
            verb: verb.to_owned(),
            namespace: None,
        }
    }

    /// The same in one namespace alone.
    pub fn within(mut self, namespace: &str) -> Rule {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Whether it holds everywhere.
    pub fn is_of_the_cluster(&self) -> bool {
        self.namespace.is_none()
    }

    /// Whether it is about `resource`.
    pub fn is_about(&self, resource: &str) -> bool {
        self.resource == resource
    }

    /// What is allowed everywhere is for elsewhere: in the operator's own namespace a Role could allow it.
    fn allows(&self, asked: &AuditRequest, own: &str) -> bool {
        let resource = match asked.subresource.as_str() {
            "" => asked.resource.clone(),
            subresource => format!("{}/{subresource}", asked.resource),
        };
        let place = match &self.namespace {
            Some(namespace) => asked.namespace == *namespace,
            None => asked.namespace != own,
        };
        place
            && self.group == asked.group
            && self.resource == resource
            && self.verb == asked.verb
            && asked.code != 403
    }
}

/// What `account` may do by the roles among `objects`.
pub fn rules_of(account: &str, objects: &[Value]) -> Vec<Rule> {
    let bound = objects.iter().filter(|object| {
        let subjects = object["subjects"].as_array().into_iter().flatten();
        subjects.into_iter().any(|one| one["name"] == account)
    });
    let roles = bound.flat_map(|binding| {
        objects.iter().filter(|role| {
            role["kind"] == binding["roleRef"]["kind"]
                && role["metadata"]["name"] == binding["roleRef"]["name"]
                && role["metadata"]["namespace"] == binding["metadata"]["namespace"]
        })
    });
    roles.flat_map(rules_of_role).collect()
}

fn rules_of_role(role: &Value) -> Vec<Rule> {
    let namespace = role["metadata"]["namespace"].as_str();
    let mut rules = Vec::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    rules.push(Rule {
                        namespace: namespace.map(str::to_owned),
                        ..Rule::new(group, resource, verb)
                    });
                }
            }
        }
    }
    rules
}

/// The rules by which nothing was done that was `asked` for, where `own` is the operator's namespace.
pub fn unused(rules: &[Rule], asked: &[AuditRequest], own: &str) -> Vec<Rule> {
    let unused = rules
        .iter()
        .filter(|rule| !asked.iter().any(|asked| rule.allows(asked, own)));
    unused.cloned().collect()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}
