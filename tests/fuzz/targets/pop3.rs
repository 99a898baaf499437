//! All that a POP3 server may say in a test.
#![no_main]

use gmail_operator::mail::played::pop3;
use gmail_operator_fuzz::played;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| played(data, pop3));
