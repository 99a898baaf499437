//! Requests that are too large, too slow or too many at once.

use anyhow::{Result, ensure};
use tokio::time::timeout;

use super::host;
use super::raw::{Raw, ask, get};
use crate::lab::operator::{PATIENCE, Site};

const MEGABYTE: usize = 1024 * 1024;

#[tokio::test]
async fn what_is_too_large_is_refused_and_forgotten() -> Result<()> {
    let mut site = Site::new("edge-junk").await?;
    site.start().await?;
    let (port, host) = (site.web_port(), host(&site));
    let start = |line: &str| format!("{line} HTTP/1.1\r\nHost: {host}\r\n");
    let junk = "%00%ff<x>".repeat(MEGABYTE / 9);
    let long_query = format!("GET /oauth2/callback?state={}", "c".repeat(9000));
    let long_header = format!("{}X-Junk: {}\r\n\r\n", start("GET /"), &junk[..40_000]);
    let many_headers = format!("{}{}\r\n", start("GET /"), "a: b\r\n".repeat(1000));
    for (request, status) in [
        (format!("{}\r\n", start(&long_query)), 414),
        (long_header, 431),
        (many_headers, 431),
        (
            format!("{}Content-Length: {MEGABYTE}\r\n\r\n", start("POST /")),
            413,
        ),
        (
            format!("{}Content-Length: {}0\r\n\r\n", start("POST /"), u64::MAX),
            400,
        ),
        ("\u{16}\u{3}\u{1}\r\n\r\n".to_owned(), 400),
    ] {
        let answer = ask(port, &request).await?;
        ensure!(answer.status == status, "{answer:?}, not {status}");
    }
    // A callback with 1 MB of junk, in its query, a header or its body: refused long before its end.
    let megabytes = [
        format!("{}\r\n", start(&format!("GET /oauth2/callback?{junk}"))),
        format!("{}Cookie: {junk}\r\n\r\n", start("GET /oauth2/callback")),
        format!(
            "{}Content-Length: {}\r\n\r\n{junk}",
            start("POST /oauth2/callback"),
            junk.len()
        ),
        format!(
            "{}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{junk}\r\n0\r\n\r\n",
            start("POST /oauth2/callback"),
            junk.len()
        ),
    ];
    let before = site.process()?.memory()?;
    for _ in 0..25 {
        for request in &megabytes {
            let mut raw = Raw::connect(port).await?;
            let _ = raw.write(request.as_bytes()).await;
            let answer = raw.read().await?;
            ensure!(
                answer
                    .as_ref()
                    .is_none_or(|a| (400..500).contains(&a.status)),
                "{answer:?}"
            );
        }
    }
    let grown = site.process()?.memory()?.saturating_sub(before);
    println!("resident after 100 MB of junk: {before} KiB and {grown} more");
    ensure!(grown < 16 * 1024, "{grown} KiB more than {before}");
    ensure!(get(port, &host, "/", "").await?.status == 404);
    Ok(())
}

#[tokio::test]
async fn who_sends_slowly_is_cut_off() -> Result<()> {
    let mut site = Site::new("edge-slow").await?;
    site.pace("browser", 0.5);
    site.start().await?;
    let host = host(&site);
    for sent in [
        String::new(),
        "GET / HT".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-Slow: "),
    ] {
        let mut raw = Raw::connect(site.web_port()).await?;
        raw.write(sent.as_bytes()).await?;
        ensure!(timeout(PATIENCE, raw.is_closed()).await??, "{sent:?}");
    }
    // Between two requests as well.
    let mut raw = Raw::connect(site.web_port()).await?;
    raw.keep_open(&host, "/").await?;
    raw.keep_open(&host, "/").await?;
    ensure!(timeout(PATIENCE, raw.is_closed()).await??);
    Ok(())
}

/// One address cannot take all connections. In the lab everybody has the same, which is nobody's own
/// as long as no proxy is named.
#[tokio::test]
async fn one_address_has_so_many_connections() -> Result<()> {
    const MOST: usize = 50;
    let mut site = Site::new("edge-connections").await?;
    site.flag("--trusted-proxies=10.255.0.0/16");
    site.pace("browser", 600.0);
    site.start().await?;
    let host = host(&site);
    let mut open = Vec::new();
    for _ in 0..MOST {
        let mut raw = Raw::connect(site.web_port()).await?;
        raw.keep_open(&host, "/").await?;
        open.push(raw);
    }
    let mut more = Raw::connect(site.web_port()).await?;
    ensure!(more.is_closed().await?, "one more is let in");
    // Those that are there are answered, and one that is closed makes room.
    ensure!(open[0].keep_open(&host, "/").await?.status != 0);
    drop(open.pop());
    crate::lab::until("room for one more", PATIENCE, async || {
        let mut raw = Raw::connect(site.web_port()).await?;
        Ok(raw.keep_open(&host, "/").await.is_ok())
    })
    .await
}
