//! How much each caller may have, told apart by what a trusted proxy says of them.

use anyhow::{Context, Result, ensure};

use super::raw::{Answer, Raw, get, send};
use super::{host, ready};
use crate::lab::operator::{PATIENCE, Site};
use crate::lab::until;

/// An operator behind a proxy on this machine.
async fn behind_a_proxy(name: &str) -> Result<Site> {
    let mut site = Site::new(name).await?;
    site.flag("--trusted-proxies=127.0.0.0/8");
    Ok(site)
}

/// Of the requests of `caller`, how many are answered before the first 429, and that one.
async fn flood(site: &Site, method: &str, path: &str, caller: &str) -> Result<(usize, Answer)> {
    let mut raw = Raw::connect(site.web_port()).await?;
    let host = host(site);
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nX-Forwarded-For: {caller}\r\n\r\n"
    );
    for answered in 0..2000 {
        raw.write(request.as_bytes()).await?;
        let answer = raw.read().await?.context("closed")?;
        if answer.status == 429 {
            return Ok((answered, answer));
        }
    }
    anyhow::bail!("2000 requests are answered")
}

#[tokio::test]
async fn one_caller_has_so_much_and_others_have_theirs() -> Result<()> {
    let mut site = behind_a_proxy("edge-limits").await?;
    ready(&mut site).await?;
    site.mailbox("ann", "ann@example.com", |_| ()).await?;
    let url: url::Url = site.sign_in_url("ann").await?.parse()?;
    let (port, host) = (site.web_port(), host(&site));

    // What the browser itself claims stands before what the proxy has added.
    let (answered, refusal) = flood(&site, "GET", "/", "8.8.8.8, 203.0.113.1").await?;
    ensure!((50..100).contains(&answered), "{answered}");
    let wait = "retry-after: 1";
    ensure!(refusal.head.contains(wait), "{refusal:?}");
    ensure!(
        refusal
            .head
            .contains("content-security-policy: default-src 'none'")
    );
    let page = async |caller: &str| -> Result<u16> {
        let more = format!("X-Forwarded-For: {caller}\r\n");
        Ok(get(port, &host, url.path(), &more).await?.status)
    };
    ensure!(
        page("203.0.113.2").await? == 200,
        "somebody else is held up"
    );
    ensure!(page("203.0.113.1, 203.0.113.3").await? == 200);
    until("the first to be answered again", PATIENCE, async || {
        Ok(page("203.0.113.1").await? == 200)
    })
    .await?;

    // Steps of a sign-in are fewer; looking on is still possible.
    let (answered, refusal) = flood(&site, "POST", url.path(), "203.0.113.4").await?;
    ensure!((20..25).contains(&answered), "{answered}");
    ensure!(refusal.head.contains("retry-after: "), "{refusal:?}");
    ensure!(page("203.0.113.4").await? == 200);
    let (answered, _) = flood(
        &site,
        "GET",
        "/oauth2/callback?state=s&code=c",
        "203.0.113.5",
    )
    .await?;
    ensure!((20..25).contains(&answered), "{answered}");
    // All addresses of a /64 are one caller's.
    let (answered, _) = flood(&site, "POST", url.path(), "2001:db8:0:1::1").await?;
    ensure!((20..25).contains(&answered), "{answered}");
    let more = "Content-Length: 0\r\nX-Forwarded-For: 2001:db8:0:1:ffff::2\r\n";
    ensure!(send(port, &host, "POST", url.path(), more).await?.status == 429);
    let more = "Content-Length: 0\r\nX-Forwarded-For: 2001:db8:0:2::1\r\n";
    ensure!(send(port, &host, "POST", url.path(), more).await?.status == 403);
    Ok(())
}

/// Without --trusted-proxies nobody is believed, and the one address that all come from is not shut
/// out by what one person may do.
#[tokio::test]
async fn a_proxy_that_is_not_named_is_one_caller_with_more() -> Result<()> {
    let mut site = Site::new("edge-crowd").await?;
    site.start().await?;
    for n in 0..3 {
        // Each says that it is somebody else.
        let (answered, _) = flood(&site, "POST", "/", &format!("203.0.113.{n}")).await?;
        match n {
            0 => ensure!((200..300).contains(&answered), "{answered}"),
            _ => ensure!(answered < 20, "a header made {answered} more"),
        }
    }
    let told = site
        .log()?
        .matches("--trusted-proxies does not name")
        .count();
    ensure!(told == 1, "told {told} times");
    Ok(())
}

/// Thirty thousand callers, three times as many as are remembered.
#[tokio::test]
async fn a_flood_of_callers_takes_little_memory() -> Result<()> {
    let mut site = behind_a_proxy("edge-memory").await?;
    site.log_level("info");
    site.start().await?;
    let mut raw = Raw::connect(site.web_port()).await?;
    let mut sizes = vec![site.process()?.memory()?];
    for round in 0..3_u32 {
        for batch in 0..200_u32 {
            let mut requests = String::new();
            for n in 0..50 {
                let address =
                    std::net::Ipv4Addr::from(0x0b00_0000 + round * 10_000 + batch * 50 + n);
                requests.push_str(&format!(
                    "GET / HTTP/1.1\r\nHost: {}\r\nX-Forwarded-For: {address}\r\n\r\n",
                    host(&site)
                ));
            }
            raw.write(requests.as_bytes()).await?;
            for _ in 0..50 {
                let answer = raw.read().await?.context("closed")?;
                ensure!(answer.status == 404, "{answer:?}");
            }
        }
        sizes.push(site.process()?.memory()?);
    }
    println!("resident before, and after each 10,000 callers: {sizes:?} KiB");
    let (first, last) = (sizes[1] - sizes[0], sizes[3].saturating_sub(sizes[1]));
    ensure!(
        first < 16 * 1024,
        "the first 10,000 take {first} KiB: {sizes:?}"
    );
    ensure!(last < 4 * 1024, "further ones take {last} KiB: {sizes:?}");
    Ok(())
}
