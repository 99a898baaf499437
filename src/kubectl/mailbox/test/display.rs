//! How far the tests are: a live line for each Mailbox on a terminal, plain lines elsewhere; where
//! there are many, one line for all, or one for each that is over.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::story::{Doing, Ended};
use crate::kubectl::output::{self, is_terminal};
use crate::kubectl::page::safe;

/// So many Mailboxes have a line each.
const LINES: usize = 8;
/// Between two turns of what shows that something goes on.
const TURN: Duration = Duration::from_millis(120);

/// Standard error, so that standard output has the result alone.
pub enum Display {
    /// A live line for each.
    Lines(BTreeMap<String, ProgressBar>),
    /// A live line for all.
    Bar(ProgressBar),
    /// A line for each step.
    Steps,
    /// A line for each Mailbox that is over.
    Ends,
}

impl Display {
    /// For the Mailboxes `names`.
    pub fn of(names: &[String]) -> Self {
        match (is_terminal(), names.len() > LINES) {
            (false, false) => Display::Steps,
            (false, true) => Display::Ends,
            (true, false) => {
                let all = MultiProgress::new();
                let style = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg}");
                let line = |name: &String| {
                    let line = all.add(ProgressBar::new_spinner());
                    if let Ok(style) = &style {
                        line.set_style(style.clone());
                    }
                    line.set_prefix(safe(name));
                    line.enable_steady_tick(TURN);
                    (name.clone(), line)
                };
                Display::Lines(names.iter().map(line).collect())
            }
            (true, true) => {
                let bar = ProgressBar::new(names.len() as u64);
                let template = "{spinner} {pos} of {len} Mailboxes are tested {wide_bar} {elapsed}";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
                bar.enable_steady_tick(TURN);
                Display::Bar(bar)
            }
        }
    }

    /// A step of the Mailbox `name` has ended.
    pub fn step(&self, name: &str, text: &str) {
        if let Display::Steps = self {
            output::complain(&format!("{name}: {text}"));
        }
    }

    /// What goes on with it now.
    pub fn doing(&self, name: &str, doing: &Doing) {
        match (self, doing) {
            (Display::Lines(lines), doing) => {
                if let Some(line) = lines.get(name) {
                    line.set_message(safe(&doing.to_string()));
                }
            }
            (Display::Steps, Doing::Waits(why)) => self.step(name, why),
            // What a test does by itself is told when it is done.
            (Display::Steps, Doing::Tests(_)) | (Display::Bar(_) | Display::Ends, _) => {}
        }
    }

    /// Its test is over.
    pub fn ended(&self, name: &str, ended: &Ended) {
        let text = in_words(ended);
        match self {
            Display::Lines(lines) => {
                if let Some(line) = lines.get(name) {
                    line.finish_with_message(safe(&text));
                }
            }
            Display::Bar(bar) => bar.inc(1),
            Display::Steps | Display::Ends => output::complain(&format!("{name}: {text}")),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        match self {
            // How each ended stays to be read.
            Display::Lines(lines) => lines.values().for_each(ProgressBar::abandon),
            Display::Bar(bar) => bar.finish_and_clear(),
            Display::Steps | Display::Ends => {}
        }
    }
}

fn in_words(ended: &Ended) -> String {
    match ended {
        Ended::Works(None) => "works".to_owned(),
        Ended::Works(Some(remark)) => format!("works ({remark})"),
        Ended::Fails(wrong) => {
            let reasons: Vec<&str> = wrong.iter().map(|wrong| wrong.reason.as_str()).collect();
            format!("does not work ({})", reasons.join(", "))
        }
        Ended::NotTested(wrong) => format!("cannot be tested ({})", wrong.reason),
        Ended::Late(..) => "not tested to the end in time".to_owned(),
        Ended::Gone => "was deleted".to_owned(),
    }
}
