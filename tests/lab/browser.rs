//! A real browser: headless Chromium, driven over WebDriver, with what a person does in it.

pub mod audit;
mod command;
mod driver;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;

use command::Extra;

use super::{Lab, until};

/// The longest that a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a page shows, and whether it is there whole: an answer is awaited, not the old page read.
const TEXT: &str = "return document.readyState === 'complete' ? document.body.innerText : ''";

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scripts {
    On,
    Off,
}

/// One Chromium with a profile of its own. It has to be closed: dropped, it stays until the lab ends.
#[derive(Debug)]
pub struct Browser {
    client: Client,
}

/// A thing on the page that the Tab key comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stop {
    /// `button`, `a`, `summary`.
    pub tag: String,
    /// What it says.
    pub text: String,
    /// Whether it is seen that the focus is here.
    pub shows: bool,
}

impl Browser {
    /// A browser that nobody has used.
    pub async fn start(lab: &'static Lab, scripts: Scripts) -> Result<Browser> {
        let client = driver::session(lab, scripts).await?;
        Ok(Browser { client })
    }

    /// Ends it.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) -> Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// Loads the page again, as the person may at any time.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// Goes back in the history.
    pub async fn back(&self) -> Result<()> {
        Ok(self.client.back().await?)
    }

    /// Where it is.
    pub async fn url(&self) -> Result<Url> {
        Ok(self.client.current_url().await?)
    }

    /// The page's title.
    pub async fn title(&self) -> Result<String> {
        Ok(self.client.title().await?)
    }

    /// Opens another tab and goes there; says how to come back to this one, and to that.
    pub async fn new_tab(&self) -> Result<[Tab; 2]> {
        let old = self.client.window().await?;
        let new = self.client.new_window(true).await?.handle;
        self.client.switch_to_window(new.clone()).await?;
        Ok([Tab(old), Tab(new)])
    }

    /// Goes to a tab.
    pub async fn go_to(&self, tab: &Tab) -> Result<()> {
        Ok(self.client.switch_to_window(tab.0.clone()).await?)
    }

    /// Forgets who it is: no cookie is left.
    pub async fn forget(&self) -> Result<()> {
        self.devtools("Network.clearBrowserCookies", json!({}))
            .await
            .map(drop)
    }

    /// Presses the button with this text.
    pub async fn press(&self, text: &str) -> Result<()> {
        self.click("button", text).await
    }

    /// Unfolds what is under this text.
    pub async fn unfold(&self, text: &str) -> Result<()> {
        self.click("summary", text).await
    }

    async fn click(&self, element: &str, text: &str) -> Result<()> {
        let path = format!("//{element}[normalize-space()={text:?}]");
        let found = self.client.find(Locator::XPath(&path)).await;
        let found = found.with_context(|| format!("no {element} {text:?}"))?;
        Ok(found.click().await?)
    }

    /// Writes into the field with this label, in place of what is there.
    pub async fn fill(&self, label: &str, text: &str) -> Result<()> {
        let path = format!("//label[starts-with(normalize-space(),{label:?})]//input");
        let field = self.client.find(Locator::XPath(&path)).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Ticks the box on the page, or takes the tick away.
    pub async fn tick(&self) -> Result<()> {
        let tick = self.client.find(Locator::Css("input[type=checkbox]"));
        Ok(tick.await?.click().await?)
    }

    /// The text that a person sees.
    pub async fn text(&self) -> Result<String> {
        let text = self.client.execute(TEXT, vec![]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The text that is seen of another page in a frame of this one.
    pub async fn text_in_frame(&self, url: &str) -> Result<String> {
        const FRAME: &str = "const [url, done] = arguments;
            const frame = document.createElement('iframe');
            frame.addEventListener('load', () => done());
            frame.src = url;
            document.body.replaceChildren(frame);";
        self.client.execute_async(FRAME, vec![json!(url)]).await?;
        self.client.enter_frame(0).await?;
        let text = self.text().await;
        self.client.enter_parent_frame().await?;
        text
    }

    /// Waits until the page says this.
    pub async fn until_text(&self, wanted: &str) -> Result<()> {
        let mut last = String::new();
        let waited = until(wanted, PATIENCE, async || {
            // Between two pages there is none.
            last = self.text().await.unwrap_or_default();
            Ok(last.contains(wanted))
        });
        let waited = waited.await;
        let url = self.url().await;
        waited.with_context(|| format!("{url:?} says {last}"))
    }

    /// Presses the sign-in button and answers Google's pages, up to the way back.
    pub async fn sign_in(&self, google: &Person<'_>) -> Result<()> {
        self.press("Sign in with Google").await?;
        self.answer_google(google).await
    }

    /// Answers Google's pages.
    pub async fn answer_google(&self, person: &Person<'_>) -> Result<()> {
        self.until_text("E-mail address").await?;
        self.fill("E-mail address", person.email).await?;
        self.press("Next").await?;
        if !self.is_asked_for_consent().await? {
            return Ok(());
        }
        match person.answer {
            Answer::Allows => {}
            Answer::Unticks => self.tick().await?,
            Answer::Declines => return self.press("Cancel").await,
        }
        self.press("Continue").await
    }

    /// Who agreed before and is asked for no more is sent back at once.
    async fn is_asked_for_consent(&self) -> Result<bool> {
        let mut asked = false;
        until("Google's answer", PATIENCE, async || {
            let text = self.text().await.unwrap_or_default();
            asked = text.contains("An application wants access");
            Ok(asked || !(text.is_empty() || text.contains("E-mail address")))
        })
        .await?;
        Ok(asked)
    }

    /// What the Tab key comes to, from the top of the page to its end.
    pub async fn stops(&self) -> Result<Vec<Stop>> {
        const NOW: &str = "const e = document.activeElement;
            if (!e || e === document.body || e === document.documentElement) return null;
            const s = getComputedStyle(e);
            return { tag: e.localName, text: e.innerText.trim(),
                shows: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 };";
        self.script("document.activeElement?.blur(); window.scrollTo(0, 0); getSelection().collapse(document.body, 0)")
            .await?;
        let mut stops = Vec::new();
        while stops.len() < 50 {
            self.type_key(Key::Tab).await?;
            let now = self.script(NOW).await?;
            if now.is_null() {
                return Ok(stops);
            }
            let text = |name: &str| now[name].as_str().unwrap_or_default().to_owned();
            stops.push(Stop {
                tag: text("tag"),
                text: text("text"),
                shows: now["shows"] == true,
            });
        }
        bail!("the Tab key comes to no end: {stops:?}")
    }

    /// Presses a key, wherever the focus is.
    pub async fn type_key(&self, key: Key) -> Result<()> {
        self.devtools_key(key).await
    }

    /// Runs a script from outside the page, and returns what it returns.
    pub async fn script(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// The page as a picture in WebP, down to a height at which it can still be read beside others.
    pub async fn picture(&self, file: &Path) -> Result<()> {
        const SIZE: &str = "const root = document.documentElement;
            return { x: 0, y: 0, scale: 1, width: root.clientWidth, height: Math.min(1400, root.scrollHeight) }";
        let clip = self.script(SIZE).await?;
        let format = json!({
            "format": "webp", "quality": 60, "clip": clip, "captureBeyondViewport": true,
        });
        let shot = self.devtools("Page.captureScreenshot", format).await?;
        let data = shot["data"].as_str().context("no picture")?;
        Ok(std::fs::write(file, BASE64.decode(data)?)?)
    }

    async fn devtools_key(&self, key: Key) -> Result<()> {
        use fantoccini::actions::{InputSource, KeyAction, KeyActions};
        let value = char::from(key);
        let press = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        Ok(self.client.perform_actions(press).await?)
    }

    /// A command of the browser's own protocol (chromedevtools.github.io/devtools-protocol).
    async fn devtools(&self, command: &str, params: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": params });
        let extra = Extra::new(Method::POST, "goog/cdp/execute", body);
        Ok(self.client.issue_cmd(extra).await?)
    }

    /// What was logged of a kind since it was asked for last.
    async fn log(&self, kind: &str) -> Result<Vec<Value>> {
        let extra = Extra::new(Method::POST, "se/log", json!({ "type": kind }));
        let log = self.client.issue_cmd(extra).await?;
        Ok(log.as_array().cloned().unwrap_or_default())
    }

    /// What the browser complained of since this was asked for last, such as what CSP has blocked.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let log = self.log("browser").await?;
        let messages = log.iter().filter_map(|entry| entry["message"].as_str());
        Ok(messages.map(str::to_owned).collect())
    }

    /// The addresses that were asked for over the network since this was asked for last.
    pub async fn asked(&self) -> Result<Vec<Url>> {
        let mut asked = Vec::new();
        for entry in self.log("performance").await? {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap_or("{}"))?;
            let event = &event["message"];
            if event["method"] == "Network.requestWillBeSent" {
                let url = event["params"]["request"]["url"].as_str();
                asked.push(Url::parse(url.unwrap_or_default())?);
            }
        }
        // A new tab shows a page of the browser's own.
        asked.retain(|url| url.scheme().starts_with("http"));
        Ok(asked)
    }
}

/// A tab of a browser.
#[derive(Clone, Debug)]
pub struct Tab(fantoccini::wd::WindowHandle);

/// Who sits before it, and what they say at Google.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    email: &'a str,
    answer: Answer,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Allows,
    Unticks,
    Declines,
}

impl<'a> Person<'a> {
    /// Somebody who agrees to all.
    pub fn new(email: &'a str) -> Self {
        let answer = Answer::Allows;
        Self { email, answer }
    }

    /// They take the tick from the box that allows mail.
    pub fn unticks_mail(self) -> Self {
        let answer = Answer::Unticks;
        Self { answer, ..self }
    }

    /// They press *Cancel*.
    pub fn declines(self) -> Self {
        let answer = Answer::Declines;
        Self { answer, ..self }
    }
}
