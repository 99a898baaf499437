//! What the chart refuses, and that it is no more and no less than what the operator would refuse when it starts.

use std::process::Command;

use anyhow::{Result, bail, ensure};
use gmail_operator::domain::proxy::ProxyUrl;
use serde_json::{Value, json};

use super::helm_template;
use crate::lab::operator::operator_binary;

/// Of each list: the operator's flag for an item, and items, right and wrong.
const ITEMS: [(&str, &str, &[&str]); 3] = [
    (
        "allowEndpoints",
        "--allow-endpoint",
        &[
            "mail.example.com:993",
            "Mail.example.com.:0993",
            "10.1.2.3:1",
            "[fd00::1]:65535",
            "mail.example.com",
            "mail.example.com:",
            "mail.example.com:0",
            "mail.example.com:65536",
            "mail.example.com:70000",
            ":993",
        ],
    ),
    (
        "allowCidrs",
        "--allow-cidr",
        &[
            "10.1.0.0/16",
            "10.1.2.3/0",
            "255.255.255.255/32",
            "fd00::/8",
            "::1/128",
            "::ffff:10.0.0.0/104",
            "10.1.0.0",
            "10.0.0.0/33",
            "10.0.0.0/99",
            "10.0.0.256/8",
            "10.0.0/8",
            "fd00::/129",
            "fd00::1",
        ],
    ),
    (
        "trustedProxies",
        "--trusted-proxies",
        &[
            "10.2.0.0/16",
            "fd00::/64",
            "0.0.0.0/0",
            "::/0",
            "10.2.0.0/33",
            "10.2.0.0",
        ],
    ),
];

const PUBLIC_URLS: [&str; 18] = [
    "https://gmail.example.com",
    "https://gmail.example.com:8443/",
    "https://gmail.example.com:65535/mail/@ann",
    "https://Gmail.example.com",
    "https://münchen.example",
    "https://10.1.2.3",
    "https://[fd00::1]:8443/mail",
    "http://localhost",
    "http://localhost:8080/mail",
    "http://127.1.2.3:8080",
    "http://[::1]:8080",
    "http://localhost.example.com",
    "http://gmail.example.com",
    "https://gmail.example.com:65536",
    "https://gmail.example.com:x",
    "https://gmail.example.com/?a=b",
    "https://",
    "gmail.example.com",
];

const PROXIES: [&str; 8] = [
    "http://proxy.example.com:3128",
    "http://Proxy.example.com:03128/",
    "http://[2001:db8::1]:65535",
    "http://proxy.example.com:65536",
    "http://proxy.example.com:99999",
    "http://proxy.example.com:3128/way",
    "https://proxy.example.com:3128",
    "socks5://proxy.example.com:1080",
];

#[test]
fn the_chart_refuses_what_the_operator_refuses_and_nothing_else() -> Result<()> {
    let mut differences = Vec::new();
    let mut compare = |text: &str, chart: bool, operator: bool| {
        if chart != operator {
            differences.push(format!(
                "{text}: the chart says {chart}, the operator {operator}"
            ));
        }
    };
    for (value, flag, items) in ITEMS {
        let told =
            with(value, json!(items)).map_or_else(|wrong| wrong.to_string(), |()| String::new());
        for (at, item) in items.iter().enumerate() {
            let chart = !told.contains(&format!("'/{value}/{at}'"));
            compare(item, chart, starts_with(flag, item)?);
        }
    }
    for url in PUBLIC_URLS {
        let chart = with("publicUrl", json!(url));
        compare(url, chart.is_ok(), starts_with("--public-url", url)?);
    }
    for url in PROXIES {
        let chart = with("proxy.mail", json!(url));
        compare(url, chart.is_ok(), url.parse::<ProxyUrl>().is_ok());
    }
    ensure!(differences.is_empty(), "{differences:#?}");
    Ok(())
}

/// The chart with a value, without the kinds, which are long.
fn with(value: &str, is: Value) -> Result<()> {
    let value = format!("{value}={is}");
    helm_template(&["--set", "crds.enabled=false", "--set-json", &value]).map(drop)
}

/// Whether the operator reads this flag, which it does before it tells its help.
fn starts_with(flag: &str, text: &str) -> Result<bool> {
    let flag = format!("{flag}={text}");
    let output = Command::new(operator_binary()?)
        .args(["run", &flag, "--help"])
        .output()?;
    Ok(output.status.success())
}

#[test]
fn the_chart_says_which_value_is_wrong() -> Result<()> {
    for (value, about) in [
        ("publicUrl=http://gmail.example.com", "publicUrl"),
        ("publicUrl=https://a.example:70000/x y", "publicUrl"),
        // The operator would do without these; a link that people see has neither.
        ("publicUrl=https://ann:word@a.example", "publicUrl"),
        ("publicUrl=https://a.example/#x", "publicUrl"),
        ("tlsSecret=tls", "begins with https://"),
        (
            "tlsSecret=tls,publicUrl=http://localhost:8080",
            "begins with https://",
        ),
        ("allowCidrs={10.1.0.0}", "allowCidrs"),
        ("allowCidrs={10.0.0.0/99}", "allowCidrs"),
        ("trustedProxies={0.0.0.0/0}", "trustedProxies"),
        ("tlsSecret=Not_A_Name", "tlsSecret"),
        ("allowEndpoints={mail.example.com}", "allowEndpoints"),
        ("allowEndpoints={mail.example:70000}", "allowEndpoints"),
        ("logFormat=xml", "logFormat"),
        ("replicaCount=2", "replicaCount"),
        ("ingress.enabled=true", "publicUrl"),
        ("httpRoute.enabled=true", "publicUrl"),
        ("certificate.enabled=true", "publicUrl"),
        ("proxy.secret=proxies", "proxy.https"),
        ("proxy.https=http://p:99999", "/proxy/https"),
        // The NetworkPolicy needs the port, and a password does not belong there.
        ("proxy.https=http://p", "/proxy/https"),
        ("proxy.mail=http://ann:word@p:3128", "/proxy/mail"),
        ("watchNamespaces={crm,crm}", "watchNamespaces"),
        ("serviceMonitor.interval=often", "interval"),
        (
            "prometheusRule.runbookUrl=docs/monitoring.md#alerts",
            "runbookUrl",
        ),
        ("rbac.clusterWide=false", "watchNamespaces"),
        ("web.replicas=many", "replicas"),
        (
            "podLabels.app\\.kubernetes\\.io/name=other",
            "app.kubernetes.io/name",
        ),
        ("extraArgs={run}", "extraArgs"),
        ("extraArgs={--log-level=debug}", "extraArgs"),
        ("extraEnv[0].name=POD_NAME", "extraEnv"),
        ("extraEnv[0].name=A,extraEnv[1].name=A", "A is set twice"),
        (
            "proxy.https=http://p:3128,extraEnv[0].name=HTTPS_PROXY",
            "HTTPS_PROXY is set twice",
        ),
        (
            "proxy.mail=http://p:3128,extraEnv[0].name=MAIL_PROXY,web.separate=true",
            "MAIL_PROXY is set twice",
        ),
        (
            "proxy.noProxy={10.0.0.0/8},extraEnv[0].name=NO_PROXY",
            "NO_PROXY is set twice",
        ),
        ("imagePullSecrets={registry}", "imagePullSecrets"),
        ("revisionHistoryLimit=-1", "revisionHistoryLimit"),
        (
            "ingress.enabled=true,publicUrl=https://a.example,tlsSecret=tls",
            "leave tlsSecret empty",
        ),
        (
            "httpRoute.enabled=true,httpRoute.parentRefs[0].name=a,publicUrl=https://a.example,tlsSecret=tls",
            "leave tlsSecret empty",
        ),
        (
            "certificate.enabled=true,certificate.issuerRef.name=a,publicUrl=https://a.example",
            "ingress.tlsSecret",
        ),
    ] {
        match helm_template(&["--set", value]) {
            Err(error) => ensure!(error.to_string().contains(about), "{value}: {error}"),
            Ok(_) => bail!("{value} is accepted"),
        }
    }
    Ok(())
}
