//! The documents of a report: YAML, which a person can read through before it is sent.

use serde_json::Value;

use super::redact::Redactor;
use super::tidy::tidy;
use crate::kubectl::page::safe;

/// The most bytes that are kept of a log, of its end.
pub const MOST_OF_A_LOG: usize = 1 << 20;

/// One document.
#[derive(Clone, Debug)]
pub struct Document {
    title: String,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Fields(Value),
    Log(String),
}

impl Document {
    /// An object of the cluster.
    pub fn object(object: Value) -> Self {
        let part = |path| object.pointer(path).and_then(Value::as_str);
        let place = part("/metadata/namespace").map(|namespace| format!("{namespace}/"));
        let title = format!(
            "{} {}{}",
            part("/kind").unwrap_or_default(),
            place.unwrap_or_default(),
            part("/metadata/name").unwrap_or_default()
        );
        Self::new(&title, object)
    }

    /// Something else.
    pub fn new(title: &str, fields: Value) -> Self {
        Self {
            title: title.to_owned(),
            body: Body::Fields(fields),
        }
    }

    /// Lines.
    pub fn log(title: &str, text: &str) -> Self {
        Self {
            title: title.to_owned(),
            body: Body::Log(text.to_owned()),
        }
    }

    /// The kind of object that it is, if it is one.
    pub fn kind(&self) -> Option<&str> {
        match &self.body {
            Body::Fields(fields) => fields.get("kind")?.as_str(),
            Body::Log(_) => None,
        }
    }

    /// As YAML, without what must not be passed on.
    ///
    /// # Errors
    /// It is not expressible, which no JSON is.
    pub fn render(self, redactor: &mut Redactor) -> Result<String, serde_saphyr::ser::Error> {
        let title = safe(&redactor.text(&self.title));
        let body = match self.body {
            Body::Fields(mut fields) => {
                tidy(&mut fields);
                serde_saphyr::to_string(&redactor.value(fields))?
            }
            Body::Log(log) => block(&redactor.text(&log)),
        };
        Ok(format!("---\n# {title}\n{}\n", body.trim_end()))
    }
}

/// A literal block (YAML 1.2.2 section 8.1.2), whose indentation is told, since its first line may begin
/// with a space.
fn block(log: &str) -> String {
    let mut text = "log: |2\n".to_owned();
    for line in log.trim_end_matches('\n').split('\n') {
        // Not printable in YAML 1.2.2 (section 5.1), and no control characters.
        let printable = line
            .chars()
            .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'));
        text.push_str("  ");
        text.extend(printable);
        text.push('\n');
    }
    text
}

/// The last lines of `log` that fit.
pub fn end_of(log: &str) -> &str {
    let mut start = log.len().saturating_sub(MOST_OF_A_LOG);
    if start == 0 {
        return log;
    }
    while !log.is_char_boundary(start) {
        start += 1;
    }
    let end = log.get(start..).unwrap_or_default();
    end.split_once('\n').map_or(end, |(_, whole)| whole)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kubectl::report::redact::AddressPolicy;

    fn rendered(document: Document) -> String {
        let redactor = Redactor::new(AddressPolicy::Replace);
        let mut redactor = redactor.unwrap_or_else(|error| panic!("{error}"));
        let text = document.render(&mut redactor);
        text.unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn objects_are_read_back_as_they_were() {
        let object = json!({
            "kind": "Mailbox",
            "metadata": { "namespace": "crm", "name": "support" },
            "status": { "message": "one: line\n# two\n", "count": "007", "no": "no" },
        });
        let text = rendered(Document::object(object.clone()));
        assert!(text.starts_with("---\n# Mailbox crm/support\n"), "{text}");
        let read: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read, object);
    }

    #[test]
    fn logs_are_read_back_whatever_is_in_them() {
        let text = rendered(Document::log(
            "The log",
            "  first ann@example.com\n--- # x\n\u{1b}[2J\u{ffff}bad: [\n\nlast\n",
        ));
        let read: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        let log = "  first user-1@example.com\n--- # x\n[2Jbad: [\n\nlast\n";
        assert_eq!(read, json!({ "log": log }));
    }

    #[test]
    fn of_a_log_the_newest_lines_are_kept() {
        let line = format!("{}\n", "ä".repeat(50));
        let log = format!("oldest\n{}newest\n", line.repeat(MOST_OF_A_LOG / 100));
        let end = end_of(&log);
        assert!(end.len() <= MOST_OF_A_LOG && end.len() > MOST_OF_A_LOG - 200);
        assert!(end.starts_with('ä') && end.ends_with("newest\n"));
        assert_eq!(end_of("short\n"), "short\n");
    }
}
