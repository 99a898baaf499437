//! Servers that never outlive the test process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const SCRIPT: &str = include_str!("keeper.sh");

/// A running server and the shell that ends it with us.
///
/// The operating system closes our end of the pipe however we end, so there is nothing to clean up by hand.
/// Dropping a `Kept` stops the server without waiting for it.
#[derive(Debug)]
pub struct Kept {
    name: String,
    log: PathBuf,
    keeper: Child,
    pid: u32,
}

impl Kept {
    /// Starts `command` (program, arguments, environment and folder are used), with its output appended to `log`.
    pub fn start(command: &Command, log: &Path) -> Result<Kept> {
        Kept::start_with_rubbish(command, log, None)
    }

    /// Like [`Kept::start`]; the folder `rubbish` is removed after the server has ended.
    pub fn start_with_rubbish(
        command: &Command,
        log: &Path,
        rubbish: Option<&Path>,
    ) -> Result<Kept> {
        let name = Path::new(command.get_program())
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(SCRIPT)
            .arg("keeper")
            .arg(log)
            .arg(rubbish.map_or(OsStr::new(""), Path::as_os_str))
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C is for the test process; the keeper follows when the pipe closes.
            .process_group(0);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        let mut keeper = shell
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = keeper.stdout.take().context("the keeper has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let pid = line
            .trim()
            .parse()
            .with_context(|| format!("{name} did not start"))?;
        Ok(Kept {
            name,
            log: log.to_owned(),
            keeper,
            pid,
        })
    }

    /// Process id of the server, which is its process group's as well.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the server still runs.
    pub fn is_running(&self) -> bool {
        Path::new("/proc").join(self.pid.to_string()).exists()
    }

    /// Fails when the server has ended, so that nobody waits for it.
    pub fn expect_running(&self) -> Result<()> {
        if !self.is_running() {
            bail!("{} has ended: see {}", self.name, self.log.display());
        }
        Ok(())
    }

    /// Sends a signal, such as `TERM`, `KILL` or `STOP`, to the server and all it has forked.
    pub fn signal(&self, signal: &str) -> Result<()> {
        let group = format!("-{}", self.pid);
        let status = Command::new("kill")
            .args(["-s", signal, "--", &group])
            .status()?;
        if !status.success() {
            bail!("cannot send {signal} to {}", self.name);
        }
        Ok(())
    }

    /// Waits until the server has ended by itself; 128 and more is the number of a signal.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.keeper.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("{} still runs after {limit:?}", self.name);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks the server to end, waits, and after five seconds no longer asks.
    pub fn stop(mut self) -> Result<ExitStatus> {
        drop(self.keeper.stdin.take());
        self.wait(Duration::from_secs(10))
    }

    /// Ends the server without warning, as a crash or a node failure would.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.signal("KILL")?;
        self.wait(Duration::from_secs(10))
    }
}
