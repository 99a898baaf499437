//! ChromeDriver, one for all browsers of the process.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};

use super::Scripts;
use crate::lab::keeper::Kept;
use crate::lab::ports::free_port;
use crate::lab::{Lab, until_open};

struct Driver {
    port: u16,
    server: Kept,
}

/// A new browser.
pub(super) async fn session(lab: &'static Lab, scripts: Scripts) -> Result<Client> {
    static DRIVER: OnceLock<Result<Driver>> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let driver = DRIVER.get_or_init(|| start(lab)).as_ref();
    let driver = driver.map_err(|error| anyhow::anyhow!("{error:#}"))?;
    until_open(&driver.server, driver.port).await?;
    let folder = format!("chromium-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let capabilities = capabilities(&lab.dir().join(folder), scripts);
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{}", driver.port))
        .await
        .context("no browser: run tests/lab/install.sh")?;
    Ok(client)
}

fn start(lab: &Lab) -> Result<Driver> {
    let port = free_port()?;
    let server = Kept::start(
        Command::new("chromedriver").arg(format!("--port={port}")),
        &lab.dir().join("chromedriver.log"),
    )?;
    Ok(Driver { port, server })
}

/// The browser looks up nothing by itself; it trusts the lab's throw-away certificates.
fn capabilities(profile: &Path, scripts: Scripts) -> Map<String, Value> {
    let scripts = match scripts {
        Scripts::On => 1,
        Scripts::Off => 2,
    };
    let args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        "--hide-scrollbars",
        "--lang=en",
        &format!("--user-data-dir={}", profile.display()),
    ];
    let capabilities = json!({
        "acceptInsecureCerts": true,
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "goog:chromeOptions": {
            "args": args,
            "prefs": { "profile.managed_default_content_settings.javascript": scripts },
        },
    });
    capabilities.as_object().cloned().unwrap_or_default()
}
