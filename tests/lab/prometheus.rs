//! Prometheus, as far as it judges rules.

use std::process::Command;

use anyhow::{Result, ensure};

use super::control_plane::program;

/// What promtool says; fails with its complaint.
pub fn promtool(args: &[&str]) -> Result<String> {
    let output = Command::new(program("promtool")?).args(args).output()?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "promtool: {told}{complaint}");
    Ok(told)
}
