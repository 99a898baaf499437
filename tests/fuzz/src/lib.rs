//! What all targets share: memory that is counted.

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a reader may take beside a multiple of its input, in bytes.
const ROOM: usize = 256 * 1024;

/// Runs `work` on an input of so many bytes, and sees that its memory is bounded by the input.
pub fn bounded<T>(input: usize, work: impl FnOnce() -> T) -> T {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let done = work();
    let took = MEMORY.peak_usage().saturating_sub(before);
    assert!(took <= ROOM + 64 * input, "{took} bytes for {input}");
    done
}

/// A text that is safe to show: one short line, without what could steer a terminal.
pub fn assert_safe_to_show(text: &str) {
    assert!(text.len() <= 1000, "{} bytes are shown", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
