//! Where the sign-in page of a Mailbox is.

use kube::ResourceExt;
use url::Url;

use crate::api::Mailbox;
use crate::domain::console::PublicUrl;
use crate::domain::name::ObjectName;

/// Where it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// Where everybody's browser reaches it.
    Published(Url),
    /// On localhost, where somebody forwards the port: the operator has a public URL there.
    Local(Url),
    /// The operator has no public URL.
    None,
    /// What status has is no page of this Mailbox, so it is neither shown nor opened.
    Foreign,
}

/// What status says. Whoever may write a status could put anything there, and it would be opened in
/// a browser and mailed to people.
pub fn of(mailbox: &Mailbox) -> Address {
    let status = mailbox.status.as_ref();
    let said = status
        .and_then(|status| status.sign_in.as_ref())
        .and_then(|sign_in| sign_in.url.as_deref());
    let Some(said) = said else {
        return Address::None;
    };
    let Ok(url) = Url::parse(said) else {
        return Address::Foreign;
    };
    let end = format!("/signin/{}", place(mailbox));
    let plain = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let Some(root) = said.strip_suffix(&end).filter(|_| plain) else {
        return Address::Foreign;
    };
    match root.parse::<PublicUrl>() {
        Ok(root) if root.is_local() => Address::Local(url),
        Ok(_) => Address::Published(url),
        Err(_) => Address::Foreign,
    }
}

/// The page under `root`, where the port of localhost is forwarded.
pub fn forwarded(mailbox: &Mailbox, root: &PublicUrl) -> Url {
    let name = ObjectName::new(mailbox.namespace().unwrap_or_default(), mailbox.name_any());
    root.sign_in_page(
        &name.namespace,
        &name.name,
        &mailbox.uid().unwrap_or_default(),
    )
}

fn place(mailbox: &Mailbox) -> String {
    format!(
        "{}/{}/{}",
        mailbox.namespace().unwrap_or_default(),
        mailbox.name_any(),
        mailbox.uid().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mailbox(url: Option<&str>) -> Mailbox {
        serde_json::from_value(json!({
            "apiVersion": "gmail-operator.dev/v1alpha1", "kind": "Mailbox",
            "metadata": { "name": "support", "namespace": "crm", "uid": "u-1" },
            "spec": { "emailAddress": "support@example.com" },
            "status": { "signIn": { "url": url } },
        }))
        .unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn only_a_page_of_this_mailbox_is_opened() {
        let good = "https://gmail.example.com/mail/signin/crm/support/u-1";
        assert!(
            matches!(of(&mailbox(Some(good))), Address::Published(url) if url.as_str() == good)
        );
        let local = "http://localhost:8425/signin/crm/support/u-1";
        assert!(matches!(of(&mailbox(Some(local))), Address::Local(url) if url.as_str() == local));
        assert_eq!(of(&mailbox(None)), Address::None);
        for foreign in [
            "",
            "x",
            "file:///etc/passwd/signin/crm/support/u-1",
            "javascript:alert(1)//signin/crm/support/u-1",
            "https://evil.example/phish",
            "https://gmail.example.com@evil.example/signin/crm/support/u-1",
            "https://gmail.example.com/signin/crm/support/u-2",
            "https://gmail.example.com/signin/crm/other/u-1",
            "https://gmail.example.com/x?y=/signin/crm/support/u-1",
            "https://gmail.example.com/x#/signin/crm/support/u-1",
            "-oProxy=x /signin/crm/support/u-1",
        ] {
            assert_eq!(of(&mailbox(Some(foreign))), Address::Foreign, "{foreign}");
        }
    }

    #[test]
    fn the_page_behind_a_port_forward_is_made_of_the_uid() {
        let root = PublicUrl::forwarded("8425").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            forwarded(&mailbox(None), &root).as_str(),
            "http://localhost:8425/signin/crm/support/u-1"
        );
    }
}
