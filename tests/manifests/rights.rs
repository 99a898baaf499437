//! What people and the operator may do, by the rights that `deploy/` has.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::json;

use super::{NAME, kustomize, text};
use crate::lab::apply::apply;
use crate::lab::{Lab, installed, until};

#[tokio::test]
async fn people_write_mailboxes_and_admins_profiles() -> Result<()> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "people" } });
    let mut objects = vec![namespace];
    objects.extend(kustomize("deploy/base")?.into_iter().filter(|object| {
        text(&object["metadata"]["name"]).starts_with("gmail-operator-")
            && text(&object["kind"]) == "ClusterRole"
    }));
    ensure!(objects.len() == 4);
    for role in ["view", "edit", "admin"] {
        objects.push(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": { "name": role, "namespace": "people" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": format!("{role}er") }],
        }));
    }
    let admin = lab.control_plane.admin().await?;
    for object in &objects {
        apply(&admin, object).await?;
    }
    for (what, wanted) in [
        ("get mailboxes", [true, true, true]),
        ("list gmailserverprofiles", [true, true, true]),
        ("create mailboxes", [false, true, true]),
        ("patch mailboxes", [false, true, true]),
        ("create gmailserverprofiles", [false, false, true]),
        ("patch gmailserverprofiles", [false, false, true]),
        ("patch mailboxes --subresource=status", [false; 3]),
        ("patch gmailserverprofiles --subresource=status", [false; 3]),
    ] {
        for (role, wanted) in ["view", "edit", "admin"].into_iter().zip(wanted) {
            let may = format!("may {role} {what}: {wanted}");
            let user = format!("--as={role}er");
            // The controller manager takes a moment to add up the roles.
            until(&may, Duration::from_secs(30), async || {
                let mut args = vec!["auth", "can-i", "--namespace=people", &user];
                args.extend(what.split(' '));
                Ok(lab.control_plane.kubectl(args).await.is_ok() == wanted)
            })
            .await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_operator_writes_only_secrets_of_its_own_types() -> Result<()> {
    let lab = Lab::shared().await;
    let namespace = "op-own-types";
    installed::rights(lab, &lab.control_plane.admin().await?, namespace).await?;
    let operator = as_operator(namespace);
    let secret = |name: &str, of_type: &str| {
        let metadata = json!({ "name": name, "namespace": namespace });
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": of_type })
            .to_string()
    };
    let write = async |verb: &str, secret: &str| {
        let args = [verb, "--filename=-", &operator];
        lab.control_plane.kubectl_with_input(args, secret).await
    };
    let foreign = secret("foreign", "Opaque");
    let create = ["create", "--filename=-"];
    lab.control_plane
        .kubectl_with_input(create, &foreign)
        .await?;

    // The API server takes a moment to know a policy.
    let other = secret("other", "Opaque");
    until("the policy", Duration::from_secs(30), async || {
        let args = ["create", "--dry-run=server", "--filename=-", &operator];
        let tried = lab.control_plane.kubectl_with_input(args, &other).await;
        Ok(tried.is_err())
    })
    .await?;
    for (verb, object) in [
        ("create", &other),
        ("replace", &foreign),
        ("delete", &foreign),
    ] {
        match write(verb, object).await {
            Ok(_) => bail!("{verb} of a foreign Secret is allowed"),
            Err(error) => ensure!(
                error.to_string().contains("this one is of type Opaque"),
                "{verb}: {error}"
            ),
        }
    }
    for of_type in ["gmail-operator.dev/grant", "gmail-operator.dev/web-key"] {
        let own = secret("own", of_type);
        for verb in ["create", "replace", "delete"] {
            write(verb, &own).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_operator_writes_a_workloads_secret_only_where_it_belongs_to_a_mailbox() -> Result<()> {
    let lab = Lab::shared().await;
    installed::crds(lab).await?;
    let (namespace, tenant) = ("op-workload-type", "workload-type");
    let admin = lab.control_plane.admin().await?;
    installed::rights(lab, &admin, namespace).await?;
    let home = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": tenant } });
    // A real one: Kubernetes takes away what belongs to nobody.
    let mailbox = json!({
        "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
        "metadata": { "name": "box", "namespace": tenant }, "spec": { "emailAddress": "box@example.com" },
    });
    for object in [&home, &mailbox] {
        apply(&admin, object).await?;
    }
    let uid = [
        "get",
        "mailbox",
        "box",
        "--namespace",
        tenant,
        "--output=jsonpath={.metadata.uid}",
    ];
    let uid = lab.control_plane.kubectl(uid).await?;
    let operator = as_operator(namespace);
    let secret = |of_type: &str, label: &str, kind: &str| {
        let owner = json!({
            "apiVersion": if kind == "Mailbox" { "gmail-operator.dev/v1alpha1" } else { "v1" },
            "kind": kind, "name": "box", "uid": uid, "controller": true,
        });
        json!({ "apiVersion": "v1", "kind": "Secret", "type": of_type, "metadata": {
            "name": "token", "namespace": tenant,
            "labels": { "app.kubernetes.io/managed-by": label },
            "ownerReferences": if kind.is_empty() { json!([]) } else { json!([owner]) },
        }})
        .to_string()
    };
    let own = "servicebinding.io/gmail";
    let ours = secret(own, NAME, "Mailbox");
    let write = async |verb: &str, secret: &str| {
        let args = [verb, "--dry-run=server", "--filename=-", &operator];
        let args = args.into_iter().filter(|arg| {
            // kubectl reads what it deletes; that is no part of this.
            verb != "delete" || !arg.starts_with("--dry-run")
        });
        lab.control_plane
            .kubectl_with_input(args.collect::<Vec<_>>(), secret)
            .await
    };
    until("the policy", Duration::from_secs(30), async || {
        Ok(write("create", &secret("Opaque", NAME, "Mailbox"))
            .await
            .is_err())
    })
    .await?;
    write("create", &ours).await?;
    let others = [
        (secret(own, "Helm", "Mailbox"), "has the operator's label"),
        (secret(own, NAME, ""), "has the operator's label"),
        (
            secret("gmail-operator.dev/grant", NAME, "Mailbox"),
            "in its own namespace only",
        ),
    ];
    let refused = async |verb: &str, object: &str, why: &str| match write(verb, object).await {
        Ok(_) => bail!("{verb} of {object} is allowed"),
        Err(error) => {
            ensure!(error.to_string().contains(why), "{verb}: {error}");
            Ok(())
        }
    };
    let strange = secret(own, NAME, "ConfigMap");
    refused("create", &strange, "has the operator's label").await?;
    let force = ["replace", "--force", "--filename=-"];
    for (other, why) in &others {
        refused("create", other, why).await?;
        // One that is there, and is not the operator's, neither becomes its own nor goes.
        lab.control_plane.kubectl_with_input(force, other).await?;
        if why.contains("label") {
            refused("replace", &ours, why).await?;
        }
        refused("delete", other, why).await?;
    }
    lab.control_plane.kubectl_with_input(force, &ours).await?;
    refused("replace", &others[0].0, others[0].1).await?;
    write("replace", &ours).await?;
    write("delete", &ours).await.map(drop)
}

#[tokio::test]
async fn the_operator_lists_secrets_in_its_own_namespace_alone() -> Result<()> {
    let lab = Lab::shared().await;
    let namespace = "op-elsewhere";
    installed::rights(lab, &lab.control_plane.admin().await?, namespace).await?;
    let operator = as_operator(namespace);
    for (verb, what, place, allowed) in [
        ("get", "secrets", "default", true),
        ("list", "secrets", "default", false),
        ("watch", "secrets", "default", false),
        // Narrowed down by the admission policy.
        ("create", "secrets", "default", true),
        ("patch", "secrets", "default", false),
        ("deletecollection", "secrets", "default", false),
        ("list", "secrets", namespace, true),
        ("create", "serviceaccounts/token", namespace, false),
        ("create", "pods", namespace, false),
        ("update", "mailboxes", "default", false),
        ("delete", "mailboxes", "default", false),
        ("update", "leases/another", namespace, false),
    ] {
        // kubectl fails where the answer is no, and also where it could not ask.
        let args = ["auth", "can-i", verb, what, "--namespace", place, &operator];
        let answer = lab.control_plane.kubectl(args).await;
        let told = format!("{verb} {what} in {place}: {answer:?}");
        ensure!(answer.is_ok() == allowed, "{told}");
    }
    Ok(())
}

fn as_operator(namespace: &str) -> String {
    format!("--as=system:serviceaccount:{namespace}:{NAME}")
}
