use std::time::Duration;

use jiff::Timestamp;

use crate::domain::schedule::until;

/// The longest pause that is kept to. A server that says more is asked again after it: what it said
/// may be wrong, and its mailboxes stand still meanwhile.
const LONGEST: Duration = Duration::from_secs(3600);

/// The pause that a `Retry-After` asks for (RFC 9110 section 10.2.3): seconds, or an HTTP date in
/// one of its three forms. A date counts from the server's own `Date`, where it sent one, since its
/// clock may differ from ours. At most an hour; `None` where it cannot be read.
pub(super) fn pause(retry_after: &str, date: Option<&str>, now: Timestamp) -> Option<Duration> {
    let text = retry_after.trim();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let pause = match digits {
        // More digits than fit are a very long time.
        true => Duration::from_secs(text.parse().unwrap_or(u64::MAX)),
        false => until(http_date(text)?, date.and_then(http_date).unwrap_or(now)),
    };
    Some(pause.min(LONGEST))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    // As late as there is, where it is later.
    Some(Timestamp::try_from(date).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_in_bounds() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        let ahead = Some("Sun, 06 Nov 1994 08:49:27 GMT");
        for (said, date, seconds) in [
            ("0", None, Some(0)),
            (" 120 ", None, Some(120)),
            ("3601", None, Some(3600)),
            ("99999999999999999999999", None, Some(3600)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None, Some(37)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None, Some(37)),
            ("Sun Nov  6 08:49:37 1994", None, Some(37)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", ahead, Some(10)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("soon"), Some(37)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", None, Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None, Some(3600)),
            ("", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("in a while", None, None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None, None),
        ] {
            let found = pause(said, date, now).map(|pause| pause.as_secs());
            assert_eq!(found, seconds, "{said:?} {date:?}");
        }
    }
}
