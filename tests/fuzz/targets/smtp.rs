//! All that an SMTP server may say in a test with a message, or before the encryption.
#![no_main]

use gmail_operator::mail::played::{smtp, smtp_in_clear};
use gmail_operator_fuzz::played;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| match data.split_first() {
    Some((0, rest)) => played(rest, smtp_in_clear),
    Some((_, rest)) => played(rest, smtp),
    None => {}
});
