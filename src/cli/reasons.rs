use strum::IntoEnumIterator;

use crate::api::Reason;

const HEAD: &str = "# Reasons

Each condition and each failed direction carries one of these. The same words are in the condition's message, on the
sign-in page and in `kubectl gmail status`. [What happens to a mailbox](concepts.md) has the rules behind them.
";

/// Every reason with its meaning, who must act and what to do: `docs/reasons.md`.
pub fn page() -> String {
    let mut text = HEAD.to_owned();
    for reason in Reason::iter() {
        let name = reason.name();
        let (meaning, who) = (reason.meaning(), reason.who().words());
        text.push_str(&format!("\n## {name}\n\n{meaning}.\n\n"));
        let cure = match reason.cure() {
            "" => String::new(),
            cure => format!(": {cure}"),
        };
        let again = reason.again().words();
        text.push_str(&format!(
            "* Who acts: {who}{cure}.\n* Tried again: {again}.\n"
        ));
    }
    text
}
