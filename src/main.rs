//! The operator's binary.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    // One TLS stack, chosen before the first connection.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("gmail-operator: the TLS provider could not be set up");
        return ExitCode::FAILURE;
    }
    match gmail_operator::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gmail-operator: {error}");
            ExitCode::FAILURE
        }
    }
}
