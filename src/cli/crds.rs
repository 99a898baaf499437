use std::io::{Error, Write};
use std::path::Path;

use crate::api::crds;

/// Writes the definitions to the folder `out`, or to standard output.
pub fn write(out: Option<&Path>) -> Result<(), Error> {
    for file in crds() {
        let yaml = serde_saphyr::to_string(&file.crd).map_err(Error::other)?;
        match out {
            Some(folder) => std::fs::write(folder.join(&file.name), yaml)?,
            None => write!(std::io::stdout(), "---\n{yaml}")?,
        }
    }
    Ok(())
}
