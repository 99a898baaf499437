use strum::IntoEnumIterator;

use crate::api::Reason;

/// Every reason, as it stands in the README.
pub fn table() -> String {
    let mut text = String::from(
        "| reason | meaning | who acts | what to do | tried again |\n| --- | --- | --- | --- | --- |\n",
    );
    for reason in Reason::iter() {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            reason.name(),
            reason.meaning(),
            reason.who().words(),
            reason.cure(),
            reason.again().words()
        ));
    }
    text
}
