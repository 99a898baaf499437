//! All that an IMAP server may say in a test with a round trip.
#![no_main]

use gmail_operator::mail::played::imap;
use gmail_operator_fuzz::played;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| played(data, imap));
