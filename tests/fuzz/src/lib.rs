//! What all targets share: memory that is counted, and mail servers that are played.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use gmail_operator::mail::played::{Outcome, Script, Then, is_harmless, secrets};
use peak_alloc::PeakAlloc;
use tokio::runtime::Builder;
use tokio::time::Instant;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a reader may take beside a multiple of its input, in bytes.
const ROOM: usize = 256 * 1024;

static SECRETS: LazyLock<[String; 3]> = LazyLock::new(secrets);

/// Runs `work` on an input of so many bytes, and sees that its memory is bounded by the input.
pub fn bounded<T>(input: usize, work: impl FnOnce() -> T) -> T {
    within(ROOM + 64 * input, work)
}

/// Runs `work`, and sees that it takes no more than so many bytes.
fn within<T>(limit: usize, work: impl FnOnce() -> T) -> T {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = work();
    let took = MEMORY.peak_usage().saturating_sub(before);
    assert!(took <= limit, "{took} bytes, and not {limit}");
    done
}

/// A text that is safe to show: one short line, without what could steer a terminal.
pub fn assert_safe_to_show(text: &str) {
    assert!(text.len() <= 1000, "{} bytes are shown", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

/// What the conversation with one mail server may take, in bytes.
const CONNECTION: usize = 1024 * 1024;

/// A session with a mail server that says what the fuzzer wants. The first byte says how it says it;
/// some others stand for what it was told, which a hostile server can repeat. Whatever happens, it
/// comes to an end, within its memory, tells nothing secret and changes nothing in the mailbox.
pub fn played<T: Debug>(data: &[u8], session: impl AsyncFnOnce(Script) -> Outcome<T>) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let mut words = Vec::new();
    for byte in rest {
        match byte {
            1..=3 => words.extend_from_slice(SECRETS[usize::from(*byte) - 1].as_bytes()),
            other => words.push(*other),
        }
    }
    let script = Script {
        words,
        at_once: if how & 1 == 0 { usize::MAX } else { 5 },
        then: match how >> 1 & 3 {
            0 => Then::IsSilent,
            // It takes a thousand times as long as the others.
            1 if how & 0xf8 == 0xf8 => Then::Repeats,
            _ => Then::Closes,
        },
    };
    // With its clock: it stands still while anything happens, and a time-out passes at once.
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let began = runtime.block_on(async { Instant::now() });
    let outcome = within(CONNECTION, || runtime.block_on(session(script)));
    let took = runtime.block_on(async { began.elapsed() });
    assert!(took <= Duration::from_secs(25 * 10), "{took:?}");

    let lines = outcome.heard.split(|byte| *byte == b'\n');
    for line in lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        assert!(is_harmless(line), "{}", String::from_utf8_lossy(line));
    }
    if let Err(failure) = &outcome.result {
        for text in [
            &failure.doing,
            &failure.detail,
            failure.reply.as_ref().unwrap_or(&String::new()),
        ] {
            assert_safe_to_show(text);
            for secret in SECRETS.iter() {
                let mut traces = secret.as_bytes().windows(16);
                assert!(
                    !traces.any(|trace| text.as_bytes().windows(16).any(|part| part == trace)),
                    "{text}"
                );
            }
        }
    }
}
