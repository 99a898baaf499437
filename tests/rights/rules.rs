//! The rights of an account, verb by verb, beside what it has asked for.

use anyhow::Result;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::Value;

use crate::lab::audit::AuditRequest;
use crate::lab::operator::PATIENCE;
use crate::lab::until;

/// One verb on one resource.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Rule {
    group: String,
    resource: String,
    verb: String,
    /// The namespace that it holds in; `None`: everywhere.
    namespace: Option<String>,
    /// The only object that it is for, if there is such.
    object: Option<String>,
}

impl Rule {
    /// Everywhere.
    pub fn new(group: &str, resource: &str, verb: &str) -> Rule {
        Rule {
            group: group.to_owned(),
            resource: resource.to_owned(),
            verb: verb.to_owned(),
            namespace: None,
            object: None,
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

    fn of_user(&self, user: &str) -> SubjectAccessReview {
        let (resource, subresource) = match self.resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
            None => (self.resource.as_str(), None),
        };
        let attributes = ResourceAttributes {
            group: Some(self.group.clone()),
            resource: Some(resource.to_owned()),
            subresource,
            verb: Some(self.verb.clone()),
            namespace: self.namespace.clone(),
            name: self.object.clone(),
            ..ResourceAttributes::default()
        };
        SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(user.to_owned()),
                resource_attributes: Some(attributes),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        }
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
                        object: texts(&rule["resourceNames"]).next().map(str::to_owned),
                        ..Rule::new(group, resource, verb)
                    });
                }
            }
        }
    }
    rules
}

/// Waits until the API server knows that `account` of `namespace` has these `rights`, which takes it a moment.
pub async fn until_known(
    client: &Client,
    namespace: &str,
    account: &str,
    rights: &[Value],
) -> Result<()> {
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let user = format!("system:serviceaccount:{namespace}:{account}");
    for rule in rules_of(account, rights) {
        let review = rule.of_user(&user);
        until(&format!("{rule:?}"), PATIENCE, async || {
            let answer = reviews.create(&PostParams::default(), &review).await?;
            Ok(answer.status.is_some_and(|status| status.allowed))
        })
        .await?;
    }
    Ok(())
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
