//! What GitOps tools make of the two kinds, by the rules in deploy/gitops.

use anyhow::{Context, Result, ensure};
use cel::Program;
use gmail_operator::api::{MailboxStatus, Reason};
use gmail_operator::domain::mailbox::{Health, HealthState};
use mlua::{Lua, LuaSerdeExt};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

#[test]
fn argo_cd_tells_what_waits_for_a_person_from_what_is_broken() -> Result<()> {
    for (reason, account) in Reason::iter().flat_map(|r| [(r, None), (r, Some("ann@example.com"))])
    {
        let ready = |status| mailbox(&[("Ready", status, reason)], account);
        let right = ready("False");
        // It is as the metrics and the plugin have it.
        let health = match state(&right)? {
            HealthState::Ready => "Healthy",
            HealthState::Failing => "Degraded",
            HealthState::Suspended => "Suspended",
            HealthState::Waiting if is_moving(reason) => "Progressing",
            HealthState::Waiting => "Suspended",
        };
        ensure!(argo_cd(&right)? == health, "{reason} {account:?}");
        ensure!(argo_cd(&ready("True"))? == "Healthy", "{reason}");
    }
    // What only a change in Git puts right.
    for reason in [
        Reason::InvalidSpec,
        Reason::NoDefaultProfile,
        Reason::ProfileNotFound,
    ] {
        let wrong = [("Accepted", "False", reason), ("Ready", "False", reason)];
        ensure!(argo_cd(&mailbox(&wrong, None))? == "Degraded", "{reason}");
    }
    for (status, reason, health) in [
        ("True", Reason::ProfileReady, "Healthy"),
        ("False", Reason::ProfileSuspended, "Suspended"),
        ("False", Reason::ClientSecretMissing, "Suspended"),
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
    let judged = |accepted, credentials, ready, why| {
        object(
            "GmailServerProfile",
            &[
                ("Accepted", accepted, Reason::Accepted),
                ("CredentialsAccepted", credentials, why),
                ("Ready", ready, why),
            ],
        )
    };
    let profile =
        |accepted, credentials, ready| judged(accepted, credentials, ready, Reason::NotChecked);
    let without_secret = |accepted| judged(accepted, "False", "False", Reason::ClientSecretMissing);
    for (object, judgement) in [
        (mailbox("True", "False"), Some("current")),
        (mailbox("True", "True"), Some("current")),
        (mailbox("False", "False"), Some("failed")),
        (mailbox("Unknown", "False"), None),
        (profile("True", "True", "True"), Some("current")),
        (profile("True", "Unknown", "Unknown"), None),
        (profile("True", "False", "False"), Some("failed")),
        (profile("False", "Unknown", "False"), Some("failed")),
        (without_secret("True"), Some("inProgress")),
        (without_secret("False"), Some("failed")),
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

fn is_moving(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::NotChecked | Reason::NotTested | Reason::Testing
    )
}

fn mailbox(conditions: &[(&str, &str, Reason)], account: Option<&str>) -> Value {
    let mut mailbox = object("Mailbox", conditions);
    mailbox["status"]["signIn"] = match account {
        Some(account) => json!({ "account": account }),
        None => json!({}),
    };
    mailbox
}

/// As the operator itself judges it.
fn state(mailbox: &Value) -> Result<HealthState> {
    let status: MailboxStatus = serde_json::from_value(mailbox["status"].clone())?;
    Ok(Health::from(&status).state)
}

fn object(kind: &str, conditions: &[(&str, &str, Reason)]) -> Value {
    let conditions = conditions.iter().map(|(name, status, reason)| {
        json!({ "type": name, "status": status, "reason": reason.name(), "message": "why",
            "lastTransitionTime": "2026-11-26T10:00:00Z" })
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
