//! What `kubectl get mailboxes` prints, read as a person reads it.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};

use crate::lab::Lab;

/// The table.
pub struct Table(String);

impl Table {
    /// Asks kubectl.
    pub async fn get(lab: &Lab) -> Result<Table> {
        let get = lab.control_plane.kubectl(["get", "mailboxes", "-A"]);
        Ok(Table(get.await?))
    }

    /// Fails unless all of `enabled` work, `left` waits for its owner, and there is nothing else.
    pub fn expect(&self, enabled: &[&str], left: &str) -> Result<()> {
        let rows = self.rows();
        for row in &rows {
            let name = row.get("NAME").copied().unwrap_or_default();
            let wanted = match name {
                name if name == left => waits(row),
                name => enabled.contains(&name) && works(row),
            };
            if !wanted {
                bail!("{name} is not as it should be");
            }
        }
        if rows.len() != enabled.len() + 1 {
            let wanted = enabled.len() + 1;
            bail!("there are {} mailboxes instead of {wanted}", rows.len());
        }
        Ok(())
    }

    /// Each row by the names of its columns. One with an empty cell lacks columns at its end.
    fn rows(&self) -> Vec<BTreeMap<&str, &str>> {
        let mut lines = self.0.lines().map(str::split_whitespace);
        let columns: Vec<&str> = lines.next().into_iter().flatten().collect();
        lines
            .map(|cells| columns.iter().copied().zip(cells).collect())
            .collect()
    }
}

fn works(row: &BTreeMap<&str, &str>) -> bool {
    // A direction that a Mailbox does not use is as good as one that was tested.
    let good = |column| {
        row.get(column)
            .is_some_and(|is| ["Success", "NotUsed"].contains(is))
    };
    let tested = ["INCOMING", "OUTGOING"]
        .iter()
        .any(|column| row.get(column) == Some(&"Success"));
    good("INCOMING") && good("OUTGOING") && tested && ready(row, "True", "Enabled")
}

fn waits(row: &BTreeMap<&str, &str>) -> bool {
    ready(row, "False", "SignInRequired")
}

fn ready(row: &BTreeMap<&str, &str>, ready: &str, status: &str) -> bool {
    row.get("READY") == Some(&ready) && row.get("STATUS") == Some(&status)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
