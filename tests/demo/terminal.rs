//! What whoever runs the demo reads.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

/// Prints a line. A reader that has gone away does not matter: the demo still has to end in order.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line for whoever has to put something right.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Does one step, in one line: what it is, and how long it took. An error says which step it was.
pub async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut stdout = std::io::stdout();
    let _ = write!(stdout, "{what} … ").and_then(|()| stdout.flush());
    let started = Instant::now();
    let result = work.await;
    match &result {
        Ok(_) => say(&format!("{:.1} s", started.elapsed().as_secs_f64())),
        Err(_) => say("failed"),
    }
    result.with_context(|| what.to_owned())
}

/// A path as short as it can be from here.
pub fn short(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// A path for a shell in this folder, which may then go elsewhere.
pub fn in_shell(path: &Path) -> String {
    let short = short(path);
    match Path::new(&short).is_relative() {
        true => format!("\"$PWD/{short}\""),
        false => format!("\"{short}\""),
    }
}

/// Whether a process that this one started still runs.
pub fn has_children() -> Result<bool> {
    let me = std::process::id().to_string();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let is_process = entry.file_name().to_string_lossy().parse::<u32>().is_ok();
        // One that cannot be read has ended since it was listed.
        let stat = fs::read_to_string(entry.path().join("stat"));
        if is_process && stat.is_ok_and(|stat| is_running_child(&stat, &me)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_running_child(stat: &str, me: &str) -> bool {
    // "pid (name) state parent …", and a name may hold anything.
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let mut fields = after_name.split(' ');
    let (state, parent) = (fields.next(), fields.next());
    // A zombie has ended; nobody has asked how.
    state != Some("Z") && parent == Some(me)
}
