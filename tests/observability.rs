//! What whoever runs the operator sees of it from outside: what is logged and how much, traces, and the
//! figures of what it does.

mod collector;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, ensure};
use gmail_operator::api::TEST_REQUESTED_ANNOTATION;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::Value;

use crate::lab::operator::{PATIENCE, Site};
use crate::lab::until;
use crate::lab::wire::Wire;
use collector::{Collector, Mood, Span};

const PASSWORD: &str = "lab-collector-password";

/// Asks for another log level, from an address of this machine.
async fn put_level(
    site: &Site,
    from: [u8; 4],
    host: Option<&str>,
    level: &str,
) -> Result<(StatusCode, String)> {
    let http = reqwest::Client::builder()
        .no_proxy()
        .local_address(IpAddr::from(from))
        .build()?;
    let mut request = http.put(site.telemetry_url("/log-level"));
    if let Some(host) = host {
        request = request.header("Host", host);
    }
    let answer = request.body(level.to_owned()).send().await?;
    Ok((answer.status(), answer.text().await?))
}

#[tokio::test]
async fn what_is_logged_changes_without_a_restart() -> Result<()> {
    const HERE: [u8; 4] = [127, 0, 0, 1];
    let mut site = Site::new("log-level").await?;
    site.log_level("error");
    site.start().await?;
    ensure!(!site.log()?.contains(" INFO "), "{}", site.log()?);
    let now = async || -> Result<String> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let answer = http.get(site.telemetry_url("/log-level")).send().await?;
        Ok(answer.text().await?)
    };
    for (from, host, level, status, says) in [
        (HERE, None, "debgu", 400, "its part 1 is neither a level"),
        (HERE, None, "info,a=[x]", 400, "its part 2"),
        (HERE, None, "", 400, "its part 1"),
        (HERE, None, &"info,".repeat(200), 413, "length limit"),
        (HERE, Some("evil.example"), "trace", 403, "port-forward"),
        ([127, 0, 0, 2], None, "trace", 403, "port-forward"),
    ] {
        let (answered, text) = put_level(&site, from, host, level).await?;
        ensure!(answered == status, "{level}: {answered} {text}");
        ensure!(text.contains(says), "{level}: {text}");
    }
    ensure!(now().await? == "error\n");

    let level = "info,gmail_operator::web=debug";
    let (status, text) = put_level(&site, HERE, None, level).await?;
    ensure!(status == 200 && text == format!("{level}\n"), "{text}");
    ensure!(now().await? == text);
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "log-level@example.com", |_| ()).await?;
    // The line says of what it is, and which look at it.
    site.until_logged("object=box trace_id=").await
}

#[tokio::test]
async fn a_trace_tells_each_step_and_no_secret() -> Result<()> {
    let collector = Collector::start(Mood::Refuses).await?;
    let mut site = traced("traces", &collector).await?;
    site.env("OTEL_SERVICE_NAME", "lab-mail");
    site.env(
        "OTEL_EXPORTER_OTLP_HEADERS",
        &format!("x-collector-key={PASSWORD}"),
    );
    // Each test that does not begin in the very second of a renewal has its token renewed.
    site.pace("proof-age", 0.0);
    // With all that every library says.
    site.log_level("trace");
    site.flag("--log-format=json");
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "traces@example.com", |_| ()).await?;
    site.until_logged("the collector does not take traces")
        .await?;
    collector.be(Mood::Takes);
    site.until_logged("the collector takes traces again")
        .await?;

    site.connect("box", "traces@example.com").await?;
    until("the spans of a test", PATIENCE, async || {
        let spans = collector.spans()?;
        Ok(["Imap", "Smtp"].iter().all(|service| {
            let called = |span: &&Span| span.name == "call" && span.has("service", service);
            spans.iter().any(|span| called(&span))
        }))
    })
    .await?;
    until("a renewal", PATIENCE, async || {
        let ask = format!("{TEST_REQUESTED_ANNOTATION}={}", Timestamp::now());
        site.kubectl(&["annotate", "--overwrite", "mailbox", "box", &ask])
            .await?;
        Ok(collector.spans()?.iter().any(is_renewal))
    })
    .await?;
    ends_well(&mut site)?;
    judge_spans(&collector.spans()?, &site)?;
    ensure!(collector.header("x-collector-key").as_deref() == Some(PASSWORD));

    let mut secrets = site.lab.google.issued().await?;
    ensure!(secrets.len() > 3, "{} secrets", secrets.len());
    let any = AhoCorasick::new(&secrets)?;
    let raw = collector.raw();
    ensure!(any.find(&raw).is_none(), "a secret is in the traces");
    secrets.push(PASSWORD.to_owned());
    let found = AhoCorasick::new(&secrets)?.find(&site.log()?).is_some();
    ensure!(!found, "a secret is in the log");
    Ok(())
}

fn is_renewal(span: &Span) -> bool {
    span.name == "act" && span.has("step", "Renew")
}

/// Every step of a look at a Mailbox is below that look, and a line of the log leads to it.
fn judge_spans(spans: &[Span], site: &Site) -> Result<()> {
    let look = |span: &&Span| {
        let of_box = span.has("kind", "Mailbox") && span.has("object", "box");
        span.name == "reconcile" && of_box && span.has("namespace", &site.tenant)
    };
    let parent = |span: &Span| spans.iter().find(|other| other.id == span.parent);
    for (name, attribute, value) in [
        ("observe", "otel.name", ""),
        ("decide", "otel.name", ""),
        ("report", "otel.name", ""),
        ("act", "step", "TestIncoming"),
        ("act", "step", "TestOutgoing"),
    ] {
        let step = spans.iter().find(|span| {
            let is = span.name == name && (value.is_empty() || span.has(attribute, value));
            is && parent(span).as_ref().is_some_and(look)
        });
        ensure!(step.is_some(), "no look at the Mailbox has {name} {value}");
    }
    let login = |span: &&Span| span.name == "call" && span.has("service", "Imap");
    let login = spans.iter().find(login).context("no login")?;
    ensure!(login.has("result", "Ok") && login.has("server.address", "localhost"));
    let act = parent(login).context("a login belongs to a step")?;
    ensure!(act.has("step", "TestIncoming") || act.has("step", "SendMessage"));

    let request = spans.iter().find(|span| {
        let act = parent(span);
        span.has("service", "OAuthToken") && act.is_some_and(is_renewal)
    });
    ensure!(request.is_some(), "no renewal");

    let callback = spans
        .iter()
        .find(|span| span.name == "request" && span.has("http.route", "/oauth2/callback"));
    let callback = callback.context("no sign-in")?;
    ensure!(callback.has("http.response.status_code", "303"));
    let exchange = |span: &Span| span.trace == callback.trace && span.has("service", "OAuthToken");
    ensure!(spans.iter().any(exchange), "no exchange of the code");

    let looked = spans.iter().find(look).context("no look")?;
    ensure!(looked.resource["service.name"] == "lab-mail");
    let trigger = parent(looked).context("kube says why it is looked at")?;
    ensure!(trigger.attributes.contains_key("object.reason"));
    let joined = site.log()?.lines().any(|line| {
        let line: Option<Value> = serde_json::from_str(line).ok();
        line.is_some_and(|line| {
            let trace = line["span"]["trace_id"].as_str();
            line["span"]["object"] == "box" && spans.iter().any(|span| Some(&*span.trace) == trace)
        })
    });
    ensure!(joined, "no line of the log leads to a trace");
    Ok(())
}

#[tokio::test]
async fn a_collector_that_hangs_holds_nothing_up() -> Result<()> {
    let collector = Collector::start(Mood::Hangs).await?;
    let mut site = traced("hung", &collector).await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "hung@example.com", |_| ()).await?;
    site.connect("box", "hung@example.com").await?;
    until("something to hang", PATIENCE, async || {
        Ok(collector.requests() > 0)
    })
    .await?;
    leads(&site, 1).await?;

    // At its end the process waits for the collector, and not for long. By then it does not lead.
    let asked = Instant::now();
    site.running()?.signal("TERM")?;
    until(
        "it to be unready and to lead no more",
        PATIENCE,
        async || {
            let metrics = site.metrics().await?;
            let is_unready = site.readiness().await? == Some(503);
            Ok(is_unready && metrics.contains("gmail_operator_leader 0\n"))
        },
    )
    .await?;
    ends_well(&mut site)?;
    ensure!(asked.elapsed() < Duration::from_secs(15));
    let log = site.log()?;
    ensure!(log.contains("the last traces could not be delivered"));
    let told = log.matches("the collector does not take traces").count();
    ensure!(told <= 1, "told {told} times");
    Ok(())
}

#[tokio::test]
async fn the_metrics_tell_what_is_called_and_written() -> Result<()> {
    let mut site = Site::new("calls").await?;
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    site.mailbox("box", "calls@example.com", |mailbox| {
        mailbox["spec"]["accessTokenSecret"]["name"] = "box-token".into();
    })
    .await?;
    site.connect("box", "calls@example.com").await?;
    let called = |service| {
        format!("remote_call_duration_seconds_count{{service=\"{service}\",result=\"Ok\"}} ")
    };
    let written =
        |verb, kind| format!("api_writes_total{{verb=\"{verb}\",kind=\"{kind}\",result=\"Ok\"}} ");
    let told = [
        called("OAuthClientCheck"),
        called("OAuthToken"),
        called("OAuthKeys"),
        called("Imap"),
        called("Smtp"),
        called("Kubernetes"),
        written("Patch", "MailboxStatus"),
        written("Patch", "ProfileStatus"),
        written("Create", "Grant"),
        written("Create", "WorkloadSecret"),
        written("Create", "Event"),
        written("Update", "Lease"),
        "reconciles_waiting{kind=\"Mailbox\"} 0".to_owned(),
        "reconciles_in_work{kind=\"Mailbox\"} 0".to_owned(),
        "mail_connections{state=\"InUse\"} 0".to_owned(),
    ];
    until("all of it in the metrics", PATIENCE, async || {
        let metrics = site.metrics().await?;
        let tells = |series: &String| metrics.contains(&format!("\ngmail_operator_{series}"));
        Ok(told.iter().all(tells))
    })
    .await?;
    // Nothing is written that nobody thought of.
    ensure!(!site.metrics().await?.contains("kind=\"Other\""));
    Ok(())
}

#[tokio::test]
async fn the_log_says_why_the_api_server_is_out_of_reach() -> Result<()> {
    let mut site = Site::new("no-api").await?;
    let wire = Wire::to(site.lab.control_plane.port()?)?;
    site.api_through(&wire)?;
    site.start().await?;
    wire.cut()?;
    site.until_logged("the Lease could not be read or written; trying again")
        .await?;
    site.until_logged("Connection refused").await?;
    let log = site.log()?;
    ensure!(
        !log.contains("failed with error"),
        "what says nothing is not logged"
    );
    Ok(())
}

async fn traced(name: &str, collector: &Collector) -> Result<Site> {
    let mut site = Site::new(name).await?;
    site.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url());
    site.env("OTEL_BSP_SCHEDULE_DELAY", "200");
    Ok(site)
}

async fn leads(site: &Site, is: u8) -> Result<()> {
    let line = format!("\ngmail_operator_leader {is}\n");
    until(line.trim(), PATIENCE, async || {
        Ok(site.metrics().await?.contains(&line))
    })
    .await
}

fn ends_well(site: &mut Site) -> Result<()> {
    let status = site.stop()?;
    ensure!(status.success(), "{status}");
    Ok(())
}
