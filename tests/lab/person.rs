//! A person with a browser that has no screen.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response};
use scraper::{ElementRef, Html, Selector};
use url::Url;

use super::Lab;

const MOST_REDIRECTS: usize = 20;

/// Somebody who owns a mailbox, and their browser with its cookies.
#[derive(Clone, Debug)]
pub struct Person {
    browser: Client,
    cookies: Arc<Jar>,
    google: Url,
    email: String,
    allows_mail: bool,
    consents: bool,
}

/// What the browser shows after one request.
#[derive(Clone, Debug)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Where it is.
    pub url: Url,
    /// Where it sends the browser, if it is a redirect.
    pub location: Option<Url>,
    /// The answer's headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its HTML.
    pub text: String,
}

impl Person {
    /// Somebody with this address and a fresh browser, who agrees to everything.
    pub fn new(lab: &Lab, email: &str) -> Result<Person> {
        let cookies = Arc::new(Jar::default());
        Ok(Person {
            browser: builder(lab, &cookies)?.build()?,
            cookies,
            google: Url::parse(&lab.google.authorization_url())?,
            email: email.to_owned(),
            allows_mail: true,
            consents: true,
        })
    }

    /// The same browser at an address of its own, as a proxy tells it that the operator trusts.
    pub fn at(mut self, lab: &Lab, address: &str) -> Result<Person> {
        let forwarded = HeaderMap::from_iter([(
            HeaderName::from_static("x-forwarded-for"),
            HeaderValue::from_str(address)?,
        )]);
        self.browser = builder(lab, &self.cookies)?
            .default_headers(forwarded)
            .build()?;
        Ok(self)
    }

    /// The same browser with new connections: those it kept may be to a replica that has ended.
    pub fn reconnected(mut self, lab: &Lab) -> Result<Person> {
        self.browser = builder(lab, &self.cookies)?.build()?;
        Ok(self)
    }

    /// The same browser, whose resolver has been told where `host` is.
    pub fn finding(mut self, lab: &Lab, host: &str, address: IpAddr) -> Result<Person> {
        let found = SocketAddr::new(address, 0);
        self.browser = builder(lab, &self.cookies)?.resolve(host, found).build()?;
        Ok(self)
    }

    /// They take the tick from the box that allows mail, and continue.
    pub fn unticks_mail(mut self) -> Person {
        self.allows_mail = false;
        self
    }

    /// They press *Cancel* on the consent page.
    pub fn declines(mut self) -> Person {
        self.consents = false;
        self
    }

    /// The same browser with another account picked at Google.
    pub fn picking(mut self, email: &str) -> Person {
        self.email = email.to_owned();
        self
    }

    /// Opens the operator's sign-in page, presses its button, answers Google, and returns where that ends.
    pub async fn sign_in(&self, url: &str) -> Result<Page> {
        let back = self.until_callback(url).await?;
        self.follow(back).await
    }

    /// The same up to the callback, which is the `location` of what comes out and not yet opened.
    pub async fn until_callback(&self, url: &str) -> Result<Page> {
        let page = self.open(url).await?;
        let page = self.press(&page, "Sign in with Google").await?;
        self.consent(page).await
    }

    /// The cookies that this browser sends to `url`, as name and value.
    pub fn cookies(&self, url: &Url) -> Result<Vec<(String, String)>> {
        let Some(header) = self.cookies.cookies(url) else {
            return Ok(Vec::new());
        };
        let pairs = header.to_str()?.split("; ");
        Ok(pairs
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    /// Puts a cookie into this browser, as whoever holds it could.
    pub fn set_cookie(&self, url: &Url, name: &str, value: &str) {
        self.cookies
            .add_cookie_str(&format!("{name}={value}; Path=/"), url);
    }

    /// Opens an address; a redirect is shown, not followed.
    pub async fn open(&self, url: &str) -> Result<Page> {
        Page::read(self.browser.get(url).send().await?).await
    }

    /// Presses the button of the page's only form.
    pub async fn click(&self, page: &Page) -> Result<Page> {
        let mut forms = page.forms()?;
        if forms.len() != 1 {
            bail!("{} forms on {}: {}", forms.len(), page.url, page.text);
        }
        self.submit(page, forms.remove(0)).await
    }

    /// Presses the button with this text, where a page has several.
    pub async fn press(&self, page: &Page, button: &str) -> Result<Page> {
        for mut form in page.forms()? {
            let Some(pressed) = form.buttons.iter().find(|(text, _)| text == button) else {
                continue;
            };
            form.fields.extend(pressed.1.clone());
            return self.submit(page, form).await;
        }
        bail!("no button {button:?} on {}: {}", page.url, page.text)
    }

    /// Sends a form without fields that no page has, as if it were on `page`.
    pub async fn post(&self, url: &str, page: &str) -> Result<Page> {
        let origin = Url::parse(page)?.origin().ascii_serialization();
        let request = self.browser.post(url).header(ORIGIN, origin);
        Page::read(request.send().await?).await
    }

    /// Answers Google's pages until Google sends the browser back: the page that comes out has the callback as its
    /// `location`, not yet opened. Where Google shows an error instead, that is what comes out.
    pub async fn consent(&self, mut page: Page) -> Result<Page> {
        for _ in 0..MOST_REDIRECTS {
            if let Some(location) = &page.location {
                if self.is_google(&page.url) && !self.is_google(location) {
                    return Ok(page);
                }
                page = self.open(location.as_str()).await?;
                continue;
            }
            if !self.is_google(&page.url) {
                bail!(
                    "not at Google but {} ({}): {}",
                    page.url,
                    page.status,
                    page.text
                );
            }
            let Some(mut form) = page.forms()?.into_iter().next() else {
                return Ok(page);
            };
            if form.has("login") {
                form.set("login", &self.email);
            } else {
                if !self.allows_mail {
                    form.fields.retain(|(name, _)| name != "mail");
                }
                form.set("action", if self.consents { "allow" } else { "cancel" });
            }
            page = self.submit(&page, form).await?;
        }
        bail!("Google's pages do not end: {}", page.url)
    }

    /// Follows redirects to their end.
    pub async fn follow(&self, mut page: Page) -> Result<Page> {
        for _ in 0..MOST_REDIRECTS {
            let Some(location) = &page.location else {
                return Ok(page);
            };
            page = self.open(location.as_str()).await?;
        }
        bail!("too many redirects, last to {}", page.url)
    }

    async fn submit(&self, page: &Page, form: Form) -> Result<Page> {
        let request = self
            .browser
            .post(form.action)
            // A browser says where a form was, and the operator relies on it.
            .header(ORIGIN, page.url.origin().ascii_serialization())
            .form(&form.fields);
        Page::read(request.send().await?).await
    }

    fn is_google(&self, url: &Url) -> bool {
        url.origin() == self.google.origin()
    }
}

fn builder(lab: &Lab, cookies: &Arc<Jar>) -> Result<ClientBuilder> {
    let authority = Certificate::from_pem(lab.google.ca_pem().as_bytes())?;
    Ok(Client::builder()
        .no_proxy()
        .cookie_provider(cookies.clone())
        .redirect(Policy::none())
        .tls_built_in_root_certs(false)
        .add_root_certificate(authority))
}

impl Page {
    async fn read(response: Response) -> Result<Page> {
        let url = response.url().clone();
        let headers = response.headers().clone();
        let location = match headers.get(LOCATION) {
            Some(location) => Some(url.join(location.to_str()?)?),
            None => None,
        };
        Ok(Page {
            status: response.status().as_u16(),
            url,
            location,
            headers,
            text: response.text().await?,
        })
    }

    /// The text that a person sees, without tags, with single spaces.
    pub fn words(&self) -> Result<String> {
        let html = Html::parse_document(&self.text);
        let body = html
            .select(&selector("body")?)
            .next()
            .context("a page without a body")?;
        Ok(words(body))
    }

    /// The texts of all buttons.
    pub fn buttons(&self) -> Result<Vec<String>> {
        Ok(self
            .forms()?
            .into_iter()
            .flat_map(|form| form.buttons)
            .map(|(text, _)| text)
            .collect())
    }

    fn forms(&self) -> Result<Vec<Form>> {
        let html = Html::parse_document(&self.text);
        let (forms, inputs, buttons) = (
            selector("form[method=post i]")?,
            selector("input[name]")?,
            selector("button")?,
        );
        html.select(&forms)
            .map(|form| {
                Ok(Form {
                    // Without an action a form goes to the page that it is on.
                    action: self.url.join(form.attr("action").unwrap_or_default())?,
                    fields: form.select(&inputs).filter_map(field).collect(),
                    buttons: form
                        .select(&buttons)
                        .map(|button| (words(button), field(button)))
                        .collect(),
                })
            })
            .collect()
    }
}

#[derive(Debug)]
struct Form {
    action: Url,
    fields: Vec<(String, String)>,
    // Text on the button, and the field that it adds when pressed.
    buttons: Vec<(String, Option<(String, String)>)>,
}

impl Form {
    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }
}

// What a browser sends for an input, if anything.
fn field(input: ElementRef<'_>) -> Option<(String, String)> {
    let name = input.attr("name")?.to_owned();
    let value = input.attr("value");
    match input.attr("type") {
        Some("checkbox" | "radio") => {
            input.attr("checked")?;
            Some((name, value.unwrap_or("on").to_owned()))
        }
        Some("submit" | "image" | "reset" | "button") if input.value().name() == "input" => None,
        _ => Some((name, value.unwrap_or_default().to_owned())),
    }
}

fn words(element: ElementRef<'_>) -> String {
    element
        .text()
        .flat_map(str::split_whitespace)
        .collect::<Vec<_>>()
        .join(" ")
}

fn selector(text: &str) -> Result<Selector> {
    Selector::parse(text).map_err(|error| anyhow::anyhow!("{text}: {error}"))
}
