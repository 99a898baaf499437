//! What wakes somebody, and what does not: the chart's alerts and dashboard, by the metrics that the
//! operator really has.

mod cases;
mod exposed;
mod on_the_lab;
mod scraped;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use gmail_operator::api::ProfileCondition;
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::lab::operator::{PATIENCE, Site};
use crate::lab::prometheus::promtool;
use crate::lab::until;
use crate::manifests::{by_name, helm_template};
use cases::{Case, cases};
use exposed::exposed;
use scraped::{Scrape, Seen};

const ALERTS: &str = "charts/gmail-operator/files/alerts.yaml";
const DASHBOARD: &str = "charts/gmail-operator/files/dashboard.json";

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn read(relative: &str) -> Result<String> {
    fs::read_to_string(path(relative)).context(relative.to_owned())
}

fn rules() -> Result<Vec<Value>> {
    let alerts: Value = serde_saphyr::from_str(&read(ALERTS)?)?;
    let rules = alerts["groups"][0]["rules"].as_array().cloned();
    rules.context("no rules")
}

#[test]
fn prometheus_takes_the_alerts_as_they_are() -> Result<()> {
    let told = promtool(&["check", "rules", &path(ALERTS).display().to_string()])?;
    ensure!(
        told.contains(&format!("{} rules found", rules()?.len())),
        "{told}"
    );
    Ok(())
}

#[test]
fn each_alert_comes_when_it_should_and_not_before() -> Result<()> {
    let tests: Vec<Value> = cases().map(Case::for_promtool).collect();
    test_rules(tests)?;
    let fired: BTreeSet<&str> = cases().flat_map(Case::fired).collect();
    for rule in rules()? {
        let name = rule["alert"].as_str().unwrap_or_default();
        ensure!(fired.contains(name), "no case has {name} come");
    }
    Ok(())
}

/// What promtool says of the alerts in `tests`.
fn test_rules(tests: Vec<Value>) -> Result<()> {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    let all = json!({ "rule_files": [path(ALERTS)], "evaluation_interval": "1m", "tests": tests });
    fs::write(file.path(), all.to_string())?;
    promtool(&["test", "rules", &file.path().display().to_string()]).map(drop)
}

#[test]
fn each_alert_says_who_must_act_and_where_to_read_on() -> Result<()> {
    let table = read("docs/monitoring.md")?;
    for rule in rules()? {
        let of = |field: &str| {
            let text = rule["annotations"][field].as_str();
            text.with_context(|| format!("{}: no {field}", rule["alert"]))
        };
        of("summary")?;
        let name = rule["alert"].as_str().unwrap_or_default();
        let description = of("description")?;
        let actors = ["Platform admin:", "Cluster admin:", "Mailbox users:"];
        ensure!(
            actors.iter().any(|actor| description.contains(actor)),
            "{name}: who must act?"
        );
        let (page, parts) = runbook(of("runbook_url")?)?;
        ensure!(
            page.starts_with("docs/"),
            "the chart puts their place before it"
        );
        let there = headings(page)?;
        for part in parts {
            ensure!(there.contains(&part), "{name}: no {part} in {page}");
        }
        ensure!(
            table.contains(&format!("| `{name}` |")),
            "docs/monitoring.md has no {name}"
        );
        let severity = rule["labels"]["severity"].as_str().unwrap_or_default();
        ensure!(["critical", "warning", "info"].contains(&severity));
    }
    Ok(())
}

/// The page that a link leads to, and its part; where that is a profile's reason, each that there may be.
fn runbook(link: &str) -> Result<(&str, Vec<String>)> {
    let (page, part) = link.split_once('#').context("a part of a page")?;
    let parts = match part {
        "{{ $labels.reason | toLower }}" => {
            let reasons = ProfileCondition::iter().flat_map(ProfileCondition::reasons);
            reasons.map(|reason| reason.name().to_lowercase()).collect()
        }
        part => vec![part.to_owned()],
    };
    Ok((page, parts))
}

/// As a page's parts are linked to.
fn headings(page: &str) -> Result<BTreeSet<String>> {
    let page = read(page)?;
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let parts = headings.map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        words.replace(' ', "-")
    });
    Ok(parts.collect())
}

/// A metric that is renamed must not leave an alert behind that never comes.
#[test]
fn alerts_and_dashboard_ask_for_what_there_is() -> Result<()> {
    let exposed = exposed()?;
    let series: BTreeSet<&str> = exposed
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    for file in [ALERTS, DASHBOARD] {
        let text = read(file)?.replace("\\\"", "\"");
        let used = names(&text);
        ensure!(used.len() > 8, "{file}: {used:?}");
        for name in used {
            ensure!(series.contains(name), "{file}: there is no {name}");
        }
        let matched = matched(&text);
        ensure!(!matched.is_empty(), "{file} has no matchers");
        for value in matched {
            ensure!(exposed.contains(&value), "{file}: there is no {value}");
        }
    }
    Ok(())
}

#[test]
fn the_documents_have_each_metric() -> Result<()> {
    let page = read("docs/monitoring.md")?;
    let (exposed, mut count) = (exposed()?, 0);
    for family in exposed
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
    {
        let (name, kind) = family.split_once(' ').context("a type")?;
        let suffix = if kind == "counter" { "_total" } else { "" };
        let row = format!("| `{name}{suffix}` | {kind} |");
        ensure!(page.contains(&row), "docs/monitoring.md has no row {row}");
        count += 1;
    }
    ensure!(count > 15, "only {count} metrics");
    Ok(())
}

#[test]
fn the_chart_brings_them_where_it_is_asked_to() -> Result<()> {
    let monitoring = ["ServiceMonitor/", "PrometheusRule/", "ConfigMap/"];
    let off = by_name(helm_template(&[])?);
    for kind in monitoring {
        ensure!(!off.keys().any(|name| name.starts_with(kind)), "{kind}");
    }
    let chart = by_name(helm_template(&[
        "--set",
        "serviceMonitor.enabled=true,dashboard.enabled=true,prometheusRule.enabled=true",
        "--set",
        "prometheusRule.labels.release=main,prometheusRule.runbookUrl=https://wiki.example/mail",
        "--namespace",
        "mail-system",
    ])?);
    let rule = &chart["PrometheusRule/gmail-operator"];
    ensure!(rule["metadata"]["labels"]["release"] == "main", "{rule:#}");
    let own = read(ALERTS)?.replace(": docs/", ": https://wiki.example/mail/");
    let own = own.replace(r#"namespace=~".*""#, r#"namespace="mail-system""#);
    ensure!(rule["spec"] == serde_saphyr::from_str::<Value>(&own)?);
    let dashboard = &chart["ConfigMap/gmail-operator-dashboard"];
    let label = &dashboard["metadata"]["labels"]["grafana_dashboard"];
    ensure!(label == "1", "{label}");
    let shown = dashboard["data"]["gmail-operator.json"].as_str();
    let shown: Value = serde_json::from_str(shown.context("no dashboard")?)?;
    ensure!(shown == serde_json::from_str::<Value>(&read(DASHBOARD)?)?);
    let monitor = &chart["ServiceMonitor/gmail-operator"]["spec"]["endpoints"][0];
    // Else the alerts would name the operator's namespace as the profile's.
    ensure!(monitor["honorLabels"] == true, "{monitor}");
    Ok(())
}

/// A browser opens no path of this repository.
#[test]
fn alerts_have_links_where_it_is_known_where_the_documents_are() -> Result<()> {
    let enabled = ["--set", "prometheusRule.enabled=true"];
    let chart = by_name(helm_template(&enabled)?);
    let without = &chart["PrometheusRule/gmail-operator"]["spec"]["groups"][0]["rules"];
    let without = without.as_array().context("no rules")?;
    ensure!(without.len() == rules()?.len());
    for rule in without {
        let annotations = &rule["annotations"];
        ensure!(annotations["runbook_url"].is_null(), "{annotations}");
        ensure!(annotations["description"].is_string(), "{annotations}");
    }
    for bad in ["docs", "wiki.example/mail", "https://wiki.example/mail/"] {
        let value = format!("prometheusRule.runbookUrl={bad}");
        ensure!(helm_template(&["--set", &value]).is_err(), "{bad}");
    }
    Ok(())
}

/// The metrics that are named in `text`.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    words
        .filter(|word| word.starts_with("gmail_operator_"))
        .collect()
}

/// The labels and values that `text` has matchers for, as they would be exposed. Values that a
/// dashboard's reader chooses, or the chart, are left out.
fn matched(text: &str) -> BTreeSet<String> {
    let mut matched = BTreeSet::new();
    for selector in text.split("gmail_operator_").skip(1) {
        let Some((_, matchers)) = selector.split_once('{').filter(|(name, _)| {
            let mut letters = name.chars();
            letters.all(|c| c.is_ascii_lowercase() || c == '_')
        }) else {
            continue;
        };
        let matchers = matchers.split('}').next().unwrap_or_default();
        for matcher in matchers.split(',') {
            let (label, value) = matcher.split_once('=').unwrap_or_default();
            let label = label.trim_end_matches('!').trim();
            let value = value.trim_start_matches('~').trim_matches('"');
            let values = value.split('|');
            let values = values.filter(|value| !value.contains('$') && *value != ".*");
            matched.extend(values.map(|value| format!("{label}=\"{value}\"")));
        }
    }
    matched
}

#[tokio::test]
async fn the_metrics_say_how_each_mailbox_is() -> Result<()> {
    let mut site = Site::new("figures").await?;
    site.start().await?;
    let limit = |profile: &mut Value| profile["spec"]["maxMailboxes"] = 7.into();
    site.profile(site.ports(), limit).await?;
    site.mailbox("new", "figures-new@example.com", |_| ())
        .await?;
    let suspended = |mailbox: &mut Value| mailbox["spec"]["suspend"] = true.into();
    site.mailbox("still", "figures-still@example.com", suspended)
        .await?;
    let email = "figures@example.com";
    site.mailbox("box", email, |_| ()).await?;
    site.connect("box", email).await?;
    let of = format!("{{namespace=\"{}\",profile=\"google\"", site.tenant);
    let told = [
        format!("mailboxes{of},state=\"Ready\",reason=\"Enabled\"}} 1"),
        format!("mailboxes{of},state=\"Waiting\",reason=\"SignInRequired\"}} 1"),
        format!("mailboxes{of},state=\"Suspended\",reason=\"Suspended\"}} 1"),
        format!(
            "profile_condition{of},condition=\"CapacityAvailable\",status=\"True\",reason=\"CapacityLeft\"}} 1"
        ),
        format!("profile_places_taken{of}}} 1"),
        format!("profile_capacity{of},set_by=\"Profile\"}} 7"),
        format!("oauth_server_held_back{of}}} 0"),
        "caches_filled 1".to_owned(),
        "sign_in_page_ready 1".to_owned(),
        "sign_ins_total{result=\"Ok\"} 1".to_owned(),
    ];
    until("all of them in the metrics", PATIENCE, async || {
        let metrics = site.metrics().await?;
        let tells = |series| metrics.contains(&format!("\ngmail_operator_{series}\n"));
        Ok(told.iter().all(tells))
    })
    .await?;
    // One that is suspended and one that nobody has signed in to wake nobody.
    let first = Scrape::of(&site).await?;
    let seen = Seen::until(&site, "all is well", first, |_, _| true).await?;
    test_rules(vec![seen.fires(&[], &[])])?;
    // The profile's series go with it, and the one who was signed in needs somebody.
    site.kubectl(&["delete", "gmailserverprofile", "google"])
        .await?;
    let failing = "gmail_operator_mailboxes{namespace=\"\",profile=\"\",state=\"Failing\"";
    until("the profile to be gone", PATIENCE, async || {
        let metrics = site.metrics().await?;
        Ok(!metrics.contains(&of) && metrics.contains(failing))
    })
    .await
}
