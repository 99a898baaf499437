//! What GitOps tools make of the two kinds, by the rules in deploy/gitops.

use anyhow::{Context, Result, ensure};
use cel::Program;
use gmail_operator::api::Reason;
use mlua::{Lua, LuaSerdeExt};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

#[test]
fn argo_cd_tells_what_waits_for_a_person_from_what_is_broken() -> Result<()> {
    for reason in Reason::iter() {
        let health = match reason {
            Reason::SignInRequired | Reason::Suspended | Reason::ProfileSuspended => "Suspended",
            Reason::NotChecked | Reason::NotTested | Reason::Testing => "Progressing",
            _ => "Degraded",
        };
        ensure!(argo_cd(&mailbox("False", reason))? == health, "{reason}");
        ensure!(argo_cd(&mailbox("True", reason))? == "Healthy", "{reason}");
    }
    for (status, reason, health) in [
        ("True", Reason::ProfileReady, "Healthy"),
        ("False", Reason::ProfileSuspended, "Suspended"),
        ("False", Reason::ClientSecretRejected, "Degraded"),
        ("Unknown", Reason::NotChecked, "Progressing"),
    ] {
        let profile = object("GmailServerProfile", &[("Ready", status, reason)]);
        ensure!(argo_cd(&profile)? == health, "{reason}");
    }
    Ok(())
}

#[test]
fn flux_waits_for_the_object_and_not_for_its_owner() -> Result<()> {
    let mailbox = |accepted, ready| {
        let accepted = ("Accepted", accepted, Reason::Accepted);
        object(
            "Mailbox",
            &[accepted, ("Ready", ready, Reason::SignInRequired)],
        )
    };
    let profile = |accepted, credentials, ready| {
        object(
            "GmailServerProfile",
            &[
                ("Accepted", accepted, Reason::Accepted),
                ("CredentialsAccepted", credentials, Reason::NotChecked),
                ("Ready", ready, Reason::NotChecked),
            ],
        )
    };
    for (object, judgement) in [
        (mailbox("True", "False"), Some("current")),
        (mailbox("True", "True"), Some("current")),
        (mailbox("False", "False"), Some("failed")),
        (mailbox("Unknown", "False"), None),
        (profile("True", "True", "True"), Some("current")),
        (profile("True", "Unknown", "Unknown"), None),
        (profile("True", "False", "False"), Some("failed")),
        (profile("False", "Unknown", "False"), Some("failed")),
    ] {
        ensure!(flux(&object)? == judgement, "{object:#}");
    }
    Ok(())
}

/// What was found out about an older spec counts for nothing.
#[test]
fn an_object_that_was_changed_is_looked_at_first() -> Result<()> {
    for kind in ["Mailbox", "GmailServerProfile"] {
        let right = ["Accepted", "Ready"].map(|name| (name, "True", Reason::Accepted));
        let mut changed = object(kind, &right);
        changed["metadata"]["generation"] = 3.into();
        ensure!(argo_cd(&changed)? == "Progressing");
        ensure!(flux(&changed)? == Some("inProgress"));
        let mut new = object(kind, &[]);
        new["status"] = json!({});
        ensure!(argo_cd(&new)? == "Progressing");
        ensure!(flux(&new)? == Some("inProgress"));
    }
    Ok(())
}

fn mailbox(ready: &str, reason: Reason) -> Value {
    object("Mailbox", &[("Ready", ready, reason)])
}

fn object(kind: &str, conditions: &[(&str, &str, Reason)]) -> Value {
    let conditions = conditions.iter().map(|(name, status, reason)| {
        json!({ "type": name, "status": status, "reason": reason.name(), "message": "why" })
    });
    json!({
        "apiVersion": "gmail-operator.dev/v1alpha1",
        "kind": kind,
        "metadata": { "name": "it", "generation": 2 },
        "status": { "observedGeneration": 2, "conditions": conditions.collect::<Vec<_>>() },
    })
}

/// The health that Argo CD's script gives `object`.
fn argo_cd(object: &Value) -> Result<String> {
    let config: Value =
        serde_saphyr::from_str(include_str!("../deploy/gitops/argocd-health.yaml"))?;
    let kind = object["kind"].as_str().context("no kind")?;
    let key = format!("resource.customizations.health.gmail-operator.dev_{kind}");
    let script = config["data"][&key].as_str().context(key)?;
    let lua = Lua::new();
    lua.globals().set("obj", lua.to_value(object)?)?;
    let health: mlua::Table = lua.load(script).eval()?;
    Ok(health.get("status")?)
}

/// The first of Flux's expressions that holds for `object`, in the order in which Flux asks.
fn flux(object: &Value) -> Result<Option<&'static str>> {
    let example: Value =
        serde_saphyr::from_str(include_str!("../deploy/gitops/flux-kustomization.yaml"))?;
    let rules = example["spec"]["healthCheckExprs"]
        .as_array()
        .context("no rules")?;
    let of_kind = rules.iter().find(|rule| rule["kind"] == object["kind"]);
    let rule = of_kind.context("no rule for this kind")?;
    ensure!(rule["apiVersion"] == object["apiVersion"]);
    let mut context = cel::Context::default();
    for part in ["metadata", "status"] {
        context.add_variable(part, &object[part])?;
    }
    for judgement in ["inProgress", "failed", "current"] {
        let program = Program::compile(rule[judgement].as_str().context(judgement)?)?;
        if program.execute(&context)? == cel::Value::Bool(true) {
            return Ok(Some(judgement));
        }
    }
    Ok(None)
}
