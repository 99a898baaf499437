//! Help in the width of whoever reads it.

use clap::Command;

/// `command` with its long descriptions in paragraphs of one line each: in the source they are broken
/// where an editor ends, and a terminal that is narrower would break them once more.
pub(super) fn unfolded(command: Command) -> Command {
    let long = command.get_long_about().map(ToString::to_string);
    let command = command.mut_subcommands(unfolded);
    match long {
        Some(long) => command.long_about(paragraphs(&long)),
        None => command,
    }
}

/// What is indented, as lists and samples are, keeps its lines.
fn paragraphs(text: &str) -> String {
    let mut joined = String::new();
    let mut before = "";
    for line in text.lines() {
        let goes_on = is_prose(before) && is_prose(line);
        match (joined.is_empty(), goes_on) {
            (true, _) => {}
            (false, true) => joined.push(' '),
            (false, false) => joined.push('\n'),
        }
        joined.push_str(line);
        before = line;
    }
    joined
}

fn is_prose(line: &str) -> bool {
    !line.is_empty() && !line.starts_with(' ') && !line.contains("    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_joined_and_lists_are_not() {
        let text = "What it does.\n\nThe first line\ngoes on here.\nThen:\n\n  1. one\n  2. two\n     more\n\nfish    a shell\nzsh     another\n\nThe end.";
        let joined = "What it does.\n\nThe first line goes on here. Then:\n\n  1. one\n  2. two\n     more\n\nfish    a shell\nzsh     another\n\nThe end.";
        assert_eq!(paragraphs(text), joined);
    }
}
