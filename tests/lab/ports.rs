//! Free ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// Below the ports that the kernel gives to outgoing connections: one of those could take a port between the moment
/// it is found free and the moment its server opens it, or while a test has its server stopped.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens on, and that this process has not been given before.
pub fn free_port() -> Result<u16> {
    // Processes start in different places, so that two labs do not go for the same ports.
    let start = (std::process::id() % 1000) as u16 * 22;
    for _ in 0..COUNT {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
}
