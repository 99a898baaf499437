//! Where a report is written to.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::kubectl::error::CommandError;
use crate::kubectl::output;

/// Where it is written to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Destination {
    /// Standard output.
    Output,
    /// A file that is not there yet.
    New(PathBuf),
    /// A file, whatever is in it.
    Over(PathBuf),
}

impl Destination {
    /// What the flags say: `-` is standard output, and without a name one is made of the time, in the
    /// current directory.
    ///
    /// # Errors
    /// There is such a file.
    pub fn new(file: Option<PathBuf>, force: bool, now: Timestamp) -> Result<Self, CommandError> {
        let named = now.strftime("gmail-operator-report-%Y%m%dT%H%M%SZ.yaml");
        let file = file.unwrap_or_else(|| PathBuf::from(named.to_string()));
        if file == Path::new("-") {
            return Ok(Self::Output);
        }
        if force {
            return Ok(Self::Over(file));
        }
        // Told before all is read; the file system has the last word.
        match file.symlink_metadata().is_ok() {
            true => Err(is_there(&file)),
            false => Ok(Self::New(file)),
        }
    }

    /// The file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Destination::Output => None,
            Destination::New(file) | Destination::Over(file) => Some(file),
        }
    }

    /// Writes `text` there. A file is its owner's alone.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, text: &str) -> Result<(), CommandError> {
        let (file, mut options) = match self {
            Destination::Output => return output::write(text),
            Destination::New(file) => (file, OpenOptions::new().create_new(true).to_owned()),
            Destination::Over(file) => {
                let options = OpenOptions::new().create(true).truncate(true).to_owned();
                (file, options)
            }
        };
        owners_alone(&mut options);
        let written = options.write(true).open(file).and_then(|mut opened| {
            close_to_others(&opened)?;
            opened.write_all(text.as_bytes())
        });
        written.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => is_there(file),
            _ => CommandError::Failed(format!("{} cannot be written: {error}", file.display())),
        })
    }
}

fn is_there(file: &Path) -> CommandError {
    CommandError::Failed(format!(
        "{} is there already, and is not overwritten: give --force, or another name with --output",
        file.display()
    ))
}

#[cfg(unix)]
fn owners_alone(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Of one that was there before, the mode is as it was.
#[cfg(unix)]
fn close_to_others(file: &std::fs::File) -> std::io::Result<()> {
    let is_file = file.metadata()?.is_file();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    // A pipe or a device has rights of its own.
    match is_file {
        true => file.set_permissions(mode),
        false => Ok(()),
    }
}

/// There, a file has the rights of its folder.
#[cfg(not(unix))]
fn owners_alone(_: &mut OpenOptions) {}

#[cfg(not(unix))]
fn close_to_others(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_its_owners_alone_and_is_not_overwritten_by_the_way() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let file = folder.path().join("report.yaml");
        let now = Timestamp::UNIX_EPOCH;
        let mode = || std::fs::metadata(&file).map(|found| found.permissions().mode() & 0o777);
        let new = Destination::new(Some(file.clone()), false, now);
        assert!(new.as_ref().is_ok_and(|new| new.write("one").is_ok()));
        assert_eq!(mode().ok(), Some(0o600));

        // Both where it is there before and where it comes meanwhile.
        assert!(Destination::new(Some(file.clone()), false, now).is_err());
        assert!(new.is_ok_and(|new| new.write("two").is_err()));
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), Some("one"));

        let open = PermissionsExt::from_mode(0o644);
        assert!(std::fs::set_permissions(&file, open).is_ok());
        let over = Destination::new(Some(file.clone()), true, now);
        assert!(over.is_ok_and(|over| over.write("3").is_ok()));
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), Some("3"));
        assert_eq!(mode().ok(), Some(0o600));
    }

    #[test]
    fn without_a_name_it_is_called_after_the_time() {
        let new = Destination::new(None, false, Timestamp::UNIX_EPOCH);
        let named = new.ok().and_then(|new| new.file().map(Path::to_owned));
        let expected = Path::new("gmail-operator-report-19700101T000000Z.yaml");
        assert_eq!(named.as_deref(), Some(expected));
        let output = Destination::new(Some("-".into()), false, Timestamp::UNIX_EPOCH);
        assert_eq!(output.ok(), Some(Destination::Output));
    }
}
