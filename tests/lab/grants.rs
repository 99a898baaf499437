//! Grants as the operator keeps them, for Mailboxes that nobody signs in to with a browser.

use std::time::Duration;

use anyhow::Result;
use gmail_operator::domain::endpoints::MAIL_SCOPE;
use gmail_operator::domain::grant::{Access, Account, Grant};
use gmail_operator::domain::name::ObjectName;
use gmail_operator::domain::schedule::later;
use gmail_operator::domain::secret::{AccessToken, RefreshToken};
use jiff::Timestamp;

use super::operator::Site;

/// What a sign-in of `email` to a Mailbox would leave at this moment, with tokens that nobody gave: an hour to live, for
/// the profile `google` and the lab's own OAuth server.
pub fn new(site: &Site, mailbox: &str, uid: &str, email: &str) -> Result<Grant> {
    // Whole seconds, as the operator keeps them.
    let now = Timestamp::from_second(Timestamp::now().as_second())?;
    Ok(Grant {
        mailbox: ObjectName::new(&site.tenant, mailbox),
        mailbox_uid: uid.to_owned(),
        email_address: email.parse()?,
        account: Account {
            issuer: site.lab.google.issuer(),
            subject: email.to_owned(),
            email: email.parse()?,
        },
        scopes: [MAIL_SCOPE.to_owned()].into(),
        client_id: site.client_id.clone(),
        redirect_uri: None,
        token_endpoint: site.lab.google.token_url().parse()?,
        profile: ObjectName::new(&site.tenant, "google"),
        refresh_token: RefreshToken::new("1//0nobody-gave-this"),
        access: Access {
            token: AccessToken::new("ya29.nobody-gave-this"),
            issued_at: now,
            expires_at: later(now, Duration::from_secs(3600)),
        },
        signed_in_at: now,
        ends: None,
        start_from: now,
        ended: None,
        messages: Default::default(),
        place_taken_at: None,
        reminded_for: None,
        test_requested_at: None,
        signed_out_at: None,
        move_asked_at: None,
        workload_secret: None,
        deletion_policy: Default::default(),
        orphaned_at: None,
    })
}
