//! A page of text for a person: headings, fields, tables, commands to copy.
//!
//! Whatever comes from the cluster goes through here, so that no control character of it reaches a
//! terminal.

use anstyle::{AnsiColor, Style};

/// How far everything under a heading stands from the edge.
const INDENT: &str = "  ";
/// Between two columns.
const GAP: usize = 3;

/// How a page is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// Colours and bold type.
    pub styled: bool,
    /// Columns to wrap running text at; `None`: not at all, as where a program reads it.
    pub width: Option<usize>,
}

/// What a word says of itself by its colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tone {
    /// Nothing.
    Plain,
    /// All is well.
    Good,
    /// Somebody has to act.
    Bad,
    /// Not known, or worth a look.
    Open,
}

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Heading(String),
    Text(String),
    /// One line that is copied: never wrapped.
    Copied(String),
    Fields(Vec<(String, String)>),
    Rows(Vec<Row>),
    Blank,
}

/// A line of a table, with a text under it.
#[derive(Clone, Debug)]
pub struct Row {
    cells: Vec<(String, Tone)>,
    below: Option<String>,
}

impl Row {
    /// Cells without a colour.
    pub fn plain(cells: &[&str]) -> Self {
        Self {
            cells: cells.iter().map(|cell| (safe(cell), Tone::Plain)).collect(),
            below: None,
        }
    }

    /// Cells with their colours.
    pub fn toned(cells: &[(&str, Tone)]) -> Self {
        Self {
            cells: cells
                .iter()
                .map(|(cell, tone)| (safe(cell), *tone))
                .collect(),
            below: None,
        }
    }

    /// With running text under it.
    pub fn with_text(mut self, text: &str) -> Self {
        self.below = Some(safe(text)).filter(|text| !text.is_empty());
        self
    }
}

impl Page {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line that stands out, with an empty one before it.
    pub fn heading(&mut self, text: &str) -> &mut Self {
        if !self.parts.is_empty() {
            self.parts.push(Part::Blank);
        }
        self.parts.push(Part::Heading(safe(text)));
        self
    }

    /// Running text: one paragraph.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.parts.push(Part::Text(safe(text)));
        self
    }

    /// Lines to copy, each by itself.
    pub fn copied(&mut self, lines: &str) -> &mut Self {
        self.parts
            .extend(lines.lines().map(|line| Part::Copied(safe(line))));
        self
    }

    /// Names and values, the values under each other.
    pub fn fields<N: AsRef<str>, V: AsRef<str>>(
        &mut self,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> &mut Self {
        let fields = fields.into_iter();
        self.parts.push(Part::Fields(
            fields
                .map(|(name, value)| (safe(name.as_ref()), safe(value.as_ref())))
                .collect(),
        ));
        self
    }

    /// A table.
    pub fn rows(&mut self, rows: Vec<Row>) -> &mut Self {
        self.parts.push(Part::Rows(rows));
        self
    }

    /// As text, with a line end at the end.
    pub fn render(&self, look: Look) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Heading(words) => {
                    text.push_str(&paint(words, Style::new().bold(), look));
                    text.push('\n');
                }
                Part::Text(words) => wrapped(&mut text, words, INDENT, INDENT, look),
                Part::Copied(line) => text.push_str(&format!("{INDENT}{INDENT}{line}\n")),
                Part::Fields(fields) => {
                    let widest = fields.iter().map(|(name, _)| width(name)).max();
                    for (name, value) in fields {
                        let first = format!("{INDENT}{}", padded(name, widest.unwrap_or(0) + GAP));
                        wrapped(&mut text, value, &first, &" ".repeat(width(&first)), look);
                    }
                }
                Part::Rows(rows) => table(&mut text, rows, look),
                Part::Blank => text.push('\n'),
            }
        }
        text
    }
}

fn table(text: &mut String, rows: &[Row], look: Look) {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.cells.get(column));
            cells.map(|(cell, _)| width(cell)).max().unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut line = INDENT.to_owned();
        for (column, (cell, tone)) in row.cells.iter().enumerate() {
            line.push_str(&paint(cell, style(*tone), look));
            if column + 1 < row.cells.len() {
                line.push_str(&" ".repeat(widths[column] - width(cell) + GAP));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
        if let Some(below) = &row.below {
            let indent = INDENT.repeat(3);
            wrapped(text, below, &indent, &indent, look);
        }
    }
}

fn wrapped(text: &mut String, words: &str, first: &str, rest: &str, look: Look) {
    let Some(columns) = look.width else {
        text.push_str(format!("{first}{words}").trim_end());
        text.push('\n');
        return;
    };
    // What is copied, such as a URL, must not be broken.
    let options = textwrap::Options::new(columns)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .initial_indent(first)
        .subsequent_indent(rest);
    for line in textwrap::wrap(words, options) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn style(tone: Tone) -> Style {
    let colour = match tone {
        Tone::Plain => return Style::new(),
        Tone::Good => AnsiColor::Green,
        Tone::Bad => AnsiColor::Red,
        Tone::Open => AnsiColor::Yellow,
    };
    Style::new().fg_color(Some(colour.into()))
}

fn paint(words: &str, style: Style, look: Look) -> String {
    if look.styled && !style.is_plain() {
        format!("{style}{words}{style:#}")
    } else {
        words.to_owned()
    }
}

fn width(text: &str) -> usize {
    textwrap::core::display_width(text)
}

fn padded(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// `text` as one line that a terminal only shows: no control characters, and none that turn the
/// direction of the text (Unicode Standard Annex 9), which could make it read otherwise.
pub fn safe(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\t' => Some(' '),
            '\u{200e}'
            | '\u{200f}'
            | '\u{061c}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{2028}'
            | '\u{2029}' => None,
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPE: Look = Look {
        styled: false,
        width: None,
    };

    #[test]
    fn nothing_reaches_a_terminal_but_text() {
        let mut page = Page::new();
        page.heading("a\u{1b}]0;title\u{7}b")
            .text("one\ntwo\r\u{9b}31m")
            .fields([("na\u{202e}me", "val\u{0}ue")])
            .rows(vec![Row::plain(&["c\u{1b}[2J"]).with_text("d\u{8}")])
            .copied("kubectl get x\n\u{1b}c");
        assert_eq!(
            page.render(PIPE),
            "a]0;titleb\n  one two31m\n  name   value\n  c[2J\n      d\n    kubectl get x\n    c\n"
        );
    }

    #[test]
    fn columns_stand_under_each_other_with_and_without_colours() {
        let rows = || {
            vec![
                Row::plain(&["TYPE", "STATUS"]),
                Row::toned(&[("Ready", Tone::Plain), ("False", Tone::Bad)]).with_text("why"),
            ]
        };
        let mut page = Page::new();
        page.rows(rows());
        assert_eq!(
            page.render(PIPE),
            "  TYPE    STATUS\n  Ready   False\n      why\n"
        );
        let styled = page.render(Look {
            styled: true,
            width: Some(80),
        });
        assert!(
            styled.contains("  Ready   \u{1b}[31mFalse\u{1b}[0m\n"),
            "{styled:?}"
        );
    }

    #[test]
    fn running_text_is_wrapped_and_a_url_never_broken() {
        let mut page = Page::new();
        page.fields([(
            "Redirect",
            "see https://gmail.example.com/oauth2/callback which is long",
        )]);
        let look = Look {
            styled: false,
            width: Some(30),
        };
        assert_eq!(
            page.render(look),
            "  Redirect   see\n             https://gmail.example.com/oauth2/callback\n             which is long\n"
        );
    }
}
