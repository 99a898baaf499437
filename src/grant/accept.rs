use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::{GrantKeeper, KeeperError, ProfileClient};
use crate::api::{DeletionPolicy, Reason};
use crate::domain::address::EmailAddress;
use crate::domain::grant::{Access, Account, Grant, KnownEnd, Messages, may_use_mail};
use crate::domain::name::ObjectName;
use crate::domain::schedule::later;
use crate::domain::secret::{AccessToken, RefreshToken};
use crate::google::{Exchanged, Identity, OAuthError};

/// What a mailbox's owner consented to, and for which Mailbox.
#[derive(Debug)]
pub struct Consent<'a> {
    /// The Mailbox.
    pub mailbox: ObjectName,
    /// Its uid.
    pub mailbox_uid: String,
    /// Its address.
    pub email_address: EmailAddress,
    /// The account that it is for: the address, unless that is an alias.
    pub account: EmailAddress,
    /// What becomes of the grant when it is deleted.
    pub deletion_policy: DeletionPolicy,
    /// What the code was exchanged for.
    pub exchanged: &'a Exchanged,
    /// The redirect URI that the answer came back to.
    pub redirect_uri: &'a Url,
    /// Who consented.
    pub identity: &'a Identity,
    /// When Google will end it, where that is known.
    pub ends: Option<KnownEnd>,
    /// Mail before this is left alone; kept from the first sign-in of an account.
    pub start_from: Timestamp,
}

/// What became of a consent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Accepted {
    /// It is this Mailbox's grant.
    InUse,
    /// Its account serves another Mailbox: stored, and not used until its owner says that it moves.
    AsksToMove,
}

/// Why a consent does not become a grant. A grant that is there already stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// It is not what was asked for.
    #[error("{}", .0.meaning())]
    Refused(Reason),
    /// It could not be proved or stored now.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
}

/// What a new grant took the place of.
enum Before {
    /// One with which the same account served this Mailbox: it does not move.
    Served,
    /// None, or one of no more use.
    Other,
}

impl GrantKeeper {
    /// Checks a consent, proves it by a renewal, and stores it. One account serves one Mailbox: where
    /// it serves another one, its owner is asked first.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub async fn accept(
        &self,
        consent: Consent<'_>,
        client: &ProfileClient,
        now: Timestamp,
    ) -> Result<Accepted, AcceptError> {
        let fresh = fresh(&consent, client).await?;
        let mut grant = grant(consent, client, fresh, now);
        let elsewhere = !self.serving_elsewhere(&grant).await?.is_empty();
        grant.move_asked_at = elsewhere.then_some(grant.signed_in_at);
        let before = self.store(&mut grant).await?;
        match (before, grant.move_asked_at) {
            (Before::Served, _) => Ok(Accepted::InUse),
            (Before::Other, Some(_)) => Ok(Accepted::AsksToMove),
            (Before::Other, None) => Ok(self.ask_where_another_was_first(&grant).await?),
        }
    }

    /// Replaces what is there. The newest sign-in counts, so a conflict is tried again.
    async fn store(&self, grant: &mut Grant) -> Result<Before, KeeperError> {
        for _ in 0..4 {
            let mut before = Before::Other;
            let old = self.grants.get(&grant.mailbox_uid).await?;
            let version = match &old {
                // Where reading starts is never moved back or forth by a later sign-in.
                Some(Ok(old)) => {
                    if old.grant.account.is_same(&grant.account) {
                        grant.start_from = old.grant.start_from;
                        if old.grant.serves() {
                            before = Before::Served;
                            grant.move_asked_at = None;
                        }
                        if old.grant.project() == grant.project() {
                            grant.place_taken_at = old.grant.place_taken_at;
                        }
                    }
                    grant.workload_secret = old.grant.workload_secret.clone();
                    // The limit is the mailbox's: it does not begin anew with each sign-in.
                    grant.messages.sent_at = old.grant.messages.sent_at.clone();
                    old.resource_version.clone()
                }
                Some(Err(_)) => self.grants.version(&grant.mailbox_uid).await?,
                None => None,
            };
            match self.grants.put(grant, version).await {
                Ok(_) => return Ok(before),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(KeeperError::Google(
            "another sign-in for this mailbox was going on at the same time".to_owned(),
        ))
    }
}

/// What a consent gave, after a renewal that proves it.
struct Fresh {
    email: EmailAddress,
    scopes: BTreeSet<String>,
    refresh_token: RefreshToken,
    access_token: AccessToken,
    expires_in: Duration,
}

/// Checks a consent, and proves it.
async fn fresh(consent: &Consent<'_>, client: &ProfileClient) -> Result<Fresh, AcceptError> {
    let refused = |reason| Err(AcceptError::Refused(reason));
    let (exchanged, identity) = (consent.exchanged, consent.identity);
    let Ok(email) = identity.email.parse::<EmailAddress>() else {
        return refused(Reason::IdentityNotProved);
    };
    if !identity.email_verified {
        return refused(Reason::EmailNotVerified);
    }
    if !email.is_same_account(&consent.account) {
        return refused(Reason::WrongAccount);
    }
    if !may_use_mail(&exchanged.scopes) {
        return refused(Reason::MailScopeNotGranted);
    }
    let Some(refresh_token) = exchanged.refresh_token.clone() else {
        return refused(Reason::NoRefreshToken);
    };
    let proved = match client.prove(&refresh_token).await {
        Ok(proved) => proved,
        Err(OAuthError::Refused(refusal)) if refusal.of_client().is_some() => {
            return refused(Reason::ConsentExchangeFailed);
        }
        Err(OAuthError::Refused(_)) => return refused(Reason::GrantNotProved),
        Err(error) => return Err(KeeperError::Google(error.to_string()).into()),
    };
    let scopes = proved.scopes.unwrap_or_else(|| exchanged.scopes.clone());
    if !may_use_mail(&scopes) {
        return refused(Reason::MailScopeNotGranted);
    }
    Ok(Fresh {
        email,
        scopes,
        refresh_token: proved.refresh_token.unwrap_or(refresh_token),
        access_token: proved.access_token,
        expires_in: proved.expires_in,
    })
}

fn grant(consent: Consent<'_>, client: &ProfileClient, fresh: Fresh, now: Timestamp) -> Grant {
    Grant {
        mailbox: consent.mailbox,
        mailbox_uid: consent.mailbox_uid,
        email_address: consent.email_address,
        account: Account {
            issuer: consent.identity.issuer.clone(),
            subject: consent.identity.subject.clone(),
            email: fresh.email,
        },
        scopes: fresh.scopes,
        client_id: client.client.id.clone(),
        redirect_uri: Some(consent.redirect_uri.to_string()),
        token_endpoint: client.google.token_endpoint().clone(),
        profile: client.profile.clone(),
        refresh_token: fresh.refresh_token,
        access: Access {
            token: fresh.access_token,
            issued_at: now,
            expires_at: later(now, fresh.expires_in),
        },
        // Whole seconds, as status keeps them: a test that starts now is not before its sign-in.
        signed_in_at: Timestamp::from_second(now.as_second()).unwrap_or(now),
        ends: consent.ends,
        start_from: consent.start_from,
        ended: None,
        messages: Messages::default(),
        place_taken_at: None,
        reminded_for: None,
        test_requested_at: None,
        signed_out_at: None,
        move_asked_at: None,
        workload_secret: None,
        deletion_policy: consent.deletion_policy,
        orphaned_at: None,
    }
}
