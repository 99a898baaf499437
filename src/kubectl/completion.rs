//! `kubectl gmail completion`, and what kubectl itself asks for completion.

mod candidates;

use std::ffi::OsString;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::error::CommandError;
use super::page::safe;
use super::{Cli, output};

/// Complete commands and flags by the Tab key
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
pub struct CompletionArgs {
    /// The shell to write a script for
    #[arg(value_enum)]
    shell: KnownShell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KnownShell {
    /// The Bourne Again Shell
    Bash,
    /// The Z shell
    Zsh,
    /// The Friendly Interactive Shell
    Fish,
}

/// The first word of kubectl's question; no command, so that no shell offers it.
pub const ASKED: &str = "__complete";

const LONG: &str = "\
Complete commands and flags by the Tab key.

There are two ways to type the plugin's name, and the shell completes them in two ways:

kubectl gmail …    kubectl (1.26 and later) completes its plugins itself, if its own completion is
                   set up and there is a program kubectl_complete-gmail on the PATH. The first
                   example makes one; it is the same for every shell.
kubectl-gmail …    the shell needs the script that this command writes to standard output.";

const EXAMPLES: &str = "\
Examples:
  # For `kubectl gmail`, in any shell: a program beside kubectl-gmail
  program=\"$(dirname \"$(command -v kubectl-gmail)\")/kubectl_complete-gmail\"
  printf '#!/bin/sh\\nexec kubectl-gmail __complete \"$@\"\\n' > \"$program\" && chmod +x \"$program\"

  # For `kubectl-gmail`: in ~/.bashrc
  source <(kubectl gmail completion bash)

  # in ~/.zshrc, after compinit
  source <(kubectl gmail completion zsh)

  # once, for fish
  kubectl gmail completion fish > ~/.config/fish/completions/kubectl-gmail.fish";

/// Writes a script.
///
/// # Errors
/// Standard output cannot be written.
pub fn write_script(args: &CompletionArgs) -> Result<(), CommandError> {
    let shell = match args.shell {
        KnownShell::Bash => Shell::Bash,
        KnownShell::Zsh => Shell::Zsh,
        KnownShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kubectl-gmail", &mut script);
    output::write(&String::from_utf8_lossy(&script))
}

/// Answers kubectl, which wants the last of `words` to be completed.
///
/// # Errors
/// Standard output cannot be written.
pub fn answer(words: Vec<OsString>) -> Result<(), CommandError> {
    output::write(&candidates(words))
}

/// In the protocol of kubectl's plugins, which is that of cobra: a line for each candidate with its
/// description after a tab, then what the shell shall do besides: `:4` is "no files", `:0` is what
/// it always does, which is files (cobra.dev, "Shell completion").
fn candidates(mut words: Vec<OsString>) -> String {
    if words.is_empty() {
        words.push(OsString::new());
    }
    let flags_wanted = words
        .last()
        .is_some_and(|word| word.to_string_lossy().starts_with('-'));
    let at = words.len();
    let program = [OsString::from("kubectl-gmail")];
    let all: Vec<OsString> = program.into_iter().chain(words).collect();
    let mut command = candidates::with_names(Cli::command(), &all[..at]);
    let found = clap_complete::engine::complete(&mut command, all, at, None);
    let mut text = String::new();
    for candidate in found.unwrap_or_default() {
        let value = candidate.get_value().to_string_lossy();
        // kubectl offers flags only once a dash is typed, and paths are the shell's own business:
        // it knows ~ and quotes.
        if candidate.is_hide_set()
            || value.contains('/')
            || (value.starts_with('-') && !flags_wanted)
        {
            continue;
        }
        text.push_str(&safe(&value));
        if let Some(help) = candidate.get_help() {
            text.push('\t');
            text.push_str(&safe(&help.to_string()));
        }
        text.push('\n');
    }
    let files = if text.is_empty() { ":0\n" } else { ":4\n" };
    text + files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[&str]) -> String {
        candidates(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn kubectl_gets_commands_flags_and_values() {
        let said = asked(&[""]);
        assert!(
            said.contains("setup\tWhat to click") && said.contains("profile\t"),
            "{said}"
        );
        assert!(!said.contains("--") && said.ends_with("\n:4\n"), "{said}");
        assert!(!said.contains("__complete"), "{said}");
        let said = asked(&["profile", "create", "google", "--user"]);
        assert!(
            said.starts_with("--user-type\t") && said.ends_with(":4\n"),
            "{said}"
        );
        let said = asked(&["profile", "create", "google", "--user-type", "e"]);
        assert!(said.starts_with("external\t"), "{said}");
        assert_eq!(
            asked(&["profile", "create", "google", "--credentials", ""]),
            ":0\n"
        );
    }
}
