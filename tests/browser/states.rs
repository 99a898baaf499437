//! Every state of the page is good for everybody; with SCREENSHOTS set to a folder, a picture of each
//! is put there.

use std::path::Path;

use super::*;
use crate::lab::browser::audit::{Look, Scheme};
use crate::lab::ports::free_port;

const ANN: &str = "support@example.com";

/// A phone as many people have it.
const PICTURE: Look = Look {
    width: 390,
    height: 700,
    scheme: Scheme::Light,
};

struct Walk {
    site: Site,
    browser: Browser,
}

#[tokio::test]
async fn every_state_is_good_for_everybody() -> Result<()> {
    let mut site = Site::new("crm").await?;
    // A test of a message that is lost goes on until it has been looked at.
    site.pace("arrival", 120.0);
    let nobody = free_port()?;
    site.allow(nobody);
    site.start().await?;
    site.profile(site.ports(), |_| ()).await?;
    for name in ["later", "broken"] {
        let mut profile = site.profile_manifest(name, site.ports());
        profile["spec"]["defaultForNewMailboxes"] = json!(false);
        match name {
            "later" => {
                profile["spec"]["oauthClient"]["credentialsSecretRef"]["name"] = json!("later")
            }
            _ => profile["spec"]["servers"]["smtp"]["port"] = json!(nobody),
        }
        site.apply(&profile).await?;
    }
    let browser = Browser::start(site.lab, Scripts::On).await?;
    let walk = Walk { site, browser };
    walk.before_the_sign_in().await?;
    walk.refused().await?;
    walk.connected().await?;
    walk.tested().await?;
    walk.signed_out().await?;
    assert_at_peace(&walk.browser, &walk.site).await?;
    walk.browser.close().await
}

impl Walk {
    async fn before_the_sign_in(&self) -> Result<()> {
        let Walk { site, browser } = self;
        site.mailbox("support", ANN, |_| ()).await?;
        browser.open(&site.sign_in_url("support").await?).await?;
        self.is("open", "Connect support@example.com").await?;
        site.mailbox("closed", "closed@example.com", |mailbox| {
            mailbox["spec"]["profileRef"] = json!({ "name": "later" });
        })
        .await?;
        let closed = site
            .until_reason("closed", "Ready", "ProfileNotReady")
            .await?;
        browser.open(&page_of(site, &closed)?).await?;
        self.is("closed", "Signing in is not possible now").await?;
        browser
            .open(&format!("{}/nothing", site.public_url))
            .await?;
        self.is("nothing", "There is nothing here").await?;
        // A page that is not there is told to the console as well.
        browser.complaints().await.map(drop)
    }

    async fn refused(&self) -> Result<()> {
        let Walk { site, browser } = self;
        let url = site.sign_in_url("support").await?;
        let mallory = Person::new("mallory@example.com");
        for (state, person, reason) in [
            ("wrong-account", mallory, "WrongAccount"),
            (
                "unticked",
                Person::new(ANN).unticks_mail(),
                "MailScopeNotGranted",
            ),
        ] {
            browser.open(&url).await?;
            browser.sign_in(&person).await?;
            self.is(state, reason).await?;
        }
        Ok(())
    }

    async fn connected(&self) -> Result<()> {
        let Walk { site, browser } = self;
        browser.open(&site.sign_in_url("support").await?).await?;
        browser.sign_in(&Person::new(ANN)).await?;
        self.is("works", "Everything works").await?;
        connect(browser, site, "sales", ANN).await?;
        self.is("asked-to-move", "Move it here").await?;
        browser.press("Cancel").await?;
        browser.until_text("Nothing was changed").await
    }

    async fn tested(&self) -> Result<()> {
        let Walk { site, browser } = self;
        connect(browser, site, "info", "lost-info@example.com").await?;
        browser.until_text("to itself: running").await?;
        self.is("running", "The mailbox is being tested").await?;
        site.mailbox("orders", "orders@example.com", |mailbox| {
            mailbox["spec"]["profileRef"] = json!({ "name": "broken" });
        })
        .await?;
        browser.open(&site.sign_in_url("orders").await?).await?;
        browser.sign_in(&Person::new("orders@example.com")).await?;
        browser.until_text("Something does not work yet").await?;
        self.is("fails", "What they can do").await?;
        // Which is unfolded by now.
        browser
            .until_text("Check host and port in the profile")
            .await
    }

    async fn signed_out(&self) -> Result<()> {
        let Walk { site, browser } = self;
        browser.forget().await?;
        browser.open(&site.sign_in_url("support").await?).await?;
        self.is("stranger", "Prove it is you").await?;
        browser.press("Prove it is you").await?;
        browser.answer_google(&Person::new(ANN)).await?;
        browser.until_text("Everything works").await?;
        browser.unfold("Sign out").await?;
        browser.press("Sign out").await?;
        self.is("signed-out", "You have signed out").await
    }

    /// The page says this, and is good for everybody; it is pictured before all is unfolded.
    async fn is(&self, state: &str, text: &str) -> Result<()> {
        self.browser.until_text(text).await?;
        if let Some(folder) = std::env::var_os("SCREENSHOTS") {
            let file = Path::new(&folder).join(state).with_extension("webp");
            self.browser.look(PICTURE).await?;
            self.browser.picture(&file).await?;
        }
        self.browser.assert_good_for_everybody(state).await
    }
}
