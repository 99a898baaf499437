use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::domain::schedule::later;

/// What a clock may be put on or back by without a word. Time servers correct most clocks by less, and so much longer
/// or shorter is then the longest wait.
const STEP: SignedDuration = SignedDuration::from_secs(60);

/// How often it is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// This machine's clock was put on or back, or stood still while the machine was suspended. All waits in memory are
/// for times of the old clock, some of them an hour too long now; what matters is in grants and status, so the process
/// ends, and begins again by the right one.
#[derive(Debug, thiserror::Error)]
#[error(
    "the clock of this machine was put {} by {by:#}: ending, to start again by the new time", if by.is_negative() { "back" } else { "on" }
)]
pub struct ClockJumped {
    by: SignedDuration,
}

/// Waits until the clock was put on or back by more than [`STEP`].
pub async fn jumps() -> ClockJumped {
    loop {
        let (began, at) = (Instant::now(), Timestamp::now());
        tokio::time::sleep(BETWEEN_LOOKS).await;
        let by = Timestamp::now().duration_since(later(at, began.elapsed()));
        if by.abs() > STEP {
            let by = SignedDuration::from_secs(by.as_secs());
            return ClockJumped { by };
        }
    }
}
