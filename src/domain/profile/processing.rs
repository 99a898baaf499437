use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::{IncomingProtocol, Processing};

/// How often and from when mail is processed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ValidProcessing {
    /// 0 s to 24 h, as the admin chose it; [`ValidProcessing::polling_interval`] is what counts.
    pub min_polling_interval: Duration,
    /// Mail before this is left alone.
    pub process_emails_from: Option<Timestamp>,
}

/// A duration that is none, or longer than 24 h.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("spec.processing.minPollingInterval must be from 0s to 24h")]
pub struct BadPollingInterval;

/// The longest that an admin may choose.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// No IMAP mailbox is looked at more often: a floor of ours, since Google limits what an account may
/// download each day (support.google.com/a/answer/1071518).
const SHORTEST_IMAP: Duration = Duration::from_secs(60);
/// No POP3 mailbox is looked at more often: a floor of ours, since each look is a login, and a server
/// may refuse one that comes too soon (RFC 2449 section 6.5, LOGIN-DELAY).
const SHORTEST_POP3: Duration = Duration::from_secs(300);

impl ValidProcessing {
    /// Checks `processing`.
    ///
    /// # Errors
    /// [`BadPollingInterval`].
    pub fn new(processing: &Processing) -> Result<Self, BadPollingInterval> {
        let parsed: SignedDuration = processing
            .min_polling_interval
            .parse()
            .map_err(|_| BadPollingInterval)?;
        let interval = Duration::try_from(parsed).map_err(|_| BadPollingInterval)?;
        if interval > LONGEST_INTERVAL {
            return Err(BadPollingInterval);
        }
        Ok(Self {
            min_polling_interval: interval,
            process_emails_from: processing.process_emails_from.as_ref().map(|time| time.0),
        })
    }

    /// How long to wait between two looks for mail: never under 60 s for IMAP and 300 s for POP3.
    pub fn polling_interval(&self, protocol: IncomingProtocol) -> Duration {
        self.min_polling_interval.max(match protocol {
            IncomingProtocol::Imap => SHORTEST_IMAP,
            IncomingProtocol::Pop3 => SHORTEST_POP3,
        })
    }

    /// Mail before this is left alone: the later of the profile's date and `mailbox`, the Mailbox's;
    /// one set: that one; none: the Mailbox's creation.
    pub fn start_from(&self, mailbox: Option<Timestamp>, created: Timestamp) -> Timestamp {
        self.process_emails_from.max(mailbox).unwrap_or(created)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    fn processing(
        interval: &str,
        from: Option<i64>,
    ) -> Result<ValidProcessing, BadPollingInterval> {
        ValidProcessing::new(&Processing {
            min_polling_interval: interval.into(),
            process_emails_from: from.map(|second| Time(time(second))),
            ..Processing::default()
        })
    }

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn intervals_have_a_floor_for_each_protocol() {
        for (text, imap, pop3) in [
            ("0s", 60, 300),
            ("500ms", 60, 300),
            ("59s", 60, 300),
            ("61s", 61, 300),
            ("5m", 300, 300),
            ("1h30m", 5400, 5400),
            ("24h", 86_400, 86_400),
        ] {
            let valid = processing(text, None).unwrap();
            let seconds = |protocol| valid.polling_interval(protocol).as_secs();
            assert_eq!(
                (
                    seconds(IncomingProtocol::Imap),
                    seconds(IncomingProtocol::Pop3)
                ),
                (imap, pop3),
                "{text}"
            );
        }
        for text in ["", "5", "-1s", "24h1s", "1441m", "soon"] {
            assert_eq!(processing(text, None), Err(BadPollingInterval), "{text:?}");
        }
    }

    #[test]
    fn the_later_date_counts_else_the_one_else_the_creation() {
        for (profile, mailbox, from) in [
            (None, None, 50),
            (Some(10), None, 10),
            (None, Some(10), 10),
            (Some(90), None, 90),
            (Some(10), Some(20), 20),
            (Some(30), Some(20), 30),
            (Some(90), Some(20), 90),
        ] {
            let valid = processing("5m", profile).unwrap();
            assert_eq!(
                valid.start_from(mailbox.map(time), time(50)),
                time(from),
                "{profile:?} {mailbox:?}"
            );
        }
    }
}
