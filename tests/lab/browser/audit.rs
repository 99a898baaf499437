//! What is good for everybody: WCAG 2.1 AA by axe-core, and what it does not look at.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Browser;
use crate::lab::source_folder;

/// Light or dark, as the person has set up their system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    Light,
    Dark,
}

/// How a person looks at a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    pub scheme: Scheme,
}

impl Look {
    /// The narrowest phone that WCAG asks about (success criterion 1.4.10), by night.
    pub const PHONE: Look = Look {
        width: 320,
        height: 640,
        scheme: Scheme::Dark,
    };
    /// A desk, by day.
    pub const DESK: Look = Look {
        width: 1280,
        height: 800,
        scheme: Scheme::Light,
    };
}

/// Unfolds all there is, so that it is looked at too.
const UNFOLD: &str = "document.querySelectorAll('details').forEach((d) => { d.open = true; })";

/// What is smaller than WCAG 2.2 asks (success criterion 2.5.8). Links in a line of text may be.
const SMALL: &str = "return [...document.querySelectorAll('button, summary, input, a')]
    .filter((e) => !(e.localName === 'a' && e.closest('p, dd, li')))
    .filter((e) => { const r = e.getBoundingClientRect(); return r.width < 24 || r.height < 24; })
    .map((e) => `${e.localName} ${e.innerText}`)";

/// What stands out to the right.
const WIDE: &str = "const limit = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= limit) return [];
    return [...document.querySelectorAll('body *')]
        .filter((e) => e.getBoundingClientRect().right > limit)
        .map((e) => `${e.localName} ${e.innerText}`.slice(0, 80))";

/// axe's rules for WCAG 2.1 AA and below.
const RUN: &str = "const [done] = arguments;
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })
        .then((found) => done(found.violations.map((v) => ({ id: v.id, help: v.help,
            nodes: v.nodes.map((n) => n.failureSummary + ' ' + n.html) }))),
            (error) => done([String(error)]));";

impl Browser {
    /// Looks at the page another way.
    pub async fn look(&self, look: Look) -> Result<()> {
        let size = json!({
            "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await?;
        let value = match look.scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", scheme)
            .await
            .map(drop)
    }

    /// The page is good for everybody, on a phone by night and on a desk by day, by keyboard too.
    pub async fn assert_good_for_everybody(&self, state: &str) -> Result<()> {
        self.script(UNFOLD).await?;
        for look in [Look::PHONE, Look::DESK] {
            self.look(look).await?;
            let found = self.axe().await?;
            ensure!(found == json!([]), "{state}, {look:?}: {found:#}");
            for (what, script) in [("wide", WIDE), ("small", SMALL)] {
                let found = self.script(script).await?;
                ensure!(found == json!([]), "{state}, {look:?}, too {what}: {found}");
            }
        }
        self.assert_keyboard(state).await
    }

    /// The Tab key comes to every control, in the order in which they stand, and one sees where it is.
    async fn assert_keyboard(&self, state: &str) -> Result<()> {
        const CONTROLS: &str =
            "return [...document.querySelectorAll('button, summary, input, a[href]')]
            .map((e) => e.innerText.trim())";
        let controls = self.script(CONTROLS).await?;
        let stops = self.stops().await?;
        let reached: Vec<_> = stops.iter().map(|stop| stop.text.as_str()).collect();
        ensure!(
            json!(reached) == controls,
            "{state}: {reached:?}, {controls}"
        );
        let blind: Vec<_> = stops.iter().filter(|stop| !stop.shows).collect();
        ensure!(blind.is_empty(), "{state}: no focus to see on {blind:?}");
        Ok(())
    }

    async fn axe(&self) -> Result<Value> {
        // From outside the page, so that its policy holds for the page's own scripts alone.
        if self.script("return typeof axe").await? == "undefined" {
            self.script(&std::fs::read_to_string(axe_file())?).await?;
        }
        let found = self.client.execute_async(RUN, vec![]).await;
        found.context("axe did not end")
    }
}

fn axe_file() -> PathBuf {
    source_folder().join("node/node_modules/axe-core/axe.min.js")
}
