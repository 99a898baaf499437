//! The kubectl plugin's binary.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    // One TLS stack, chosen before the first connection.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("kubectl-gmail: the TLS provider could not be set up");
        return ExitCode::FAILURE;
    }
    gmail_operator::kubectl::main()
}
