//! `kubectl gmail report`: one file for whoever is asked for help.

mod destination;
mod document;
mod installation;
mod preface;
mod reader;
mod redact;
mod stand_ins;
mod tenants;
mod tidy;

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::access::AccessFlags;
use super::error::CommandError;
use super::operator::OPERATOR_NAMESPACE;
use super::output;
use super::page::Page;
use destination::Destination;
use document::Document;
use preface::Preface;
use reader::Reader;
use redact::{AddressPolicy, Redactor};

/// The most bytes of a report: what an issue accepts as an attachment is 25 MB
/// (docs.github.com, "Attaching files").
const MOST: usize = 20 << 20;

/// Write a file for a support ticket: what is there, what happened, and no secret
#[derive(Args, Debug)]
#[command(long_about = LONG, after_long_help = EXAMPLES)]
pub struct ReportArgs {
    /// The Mailboxes and profiles of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,

    /// The namespace in which the operator runs
    #[arg(long, value_name = "NAMESPACE", default_value = OPERATOR_NAMESPACE)]
    operator_namespace: String,

    /// The file to write; "-" is standard output; without it gmail-operator-report-TIME.yaml, here
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Overwrite the file if it is there
    #[arg(long)]
    force: bool,

    /// Keep e-mail addresses as they are
    #[arg(long)]
    with_addresses: bool,
}

const LONG: &str = "\
Write a file for a support ticket: what is there, what happened, and no secret.

The file is YAML that can be read through before it is sent, and begins with what is in it: the
versions of plugin, cluster and CRDs; profiles and Mailboxes with their status, and the Events about
them; the operator's Deployment, Pods, Lease, NetworkPolicies and Events; that Secrets are there;
and the end of the operator's logs, also of the run before a restart.

Nobody's secrets are in it:

  Secrets            their contents do not leave the API server
  e-mail addresses   ann@example.com is user-1@example.com, the same one everywhere
  sign-in links      their last part is replaced, so they lead nowhere
  tokens, passwords  whatever looks like one is cut, in every text

Names of namespaces, objects and hosts, domains and IP addresses are kept: without them nobody could
help. What you may not read is named in the file and is missing from it; nothing is changed.";

const EXAMPLES: &str = "\
Examples:
  # About the Mailboxes of one namespace
  kubectl gmail report -n crm

  # About all of them, into a file of that name
  kubectl gmail report --all-namespaces --output report.yaml

  # To look at it first
  kubectl gmail report -n crm --output - | less

Exit codes: 0 written, also where some of it could not be read; 1 nothing could be read, or it could
not be written; 2 wrong flags.";

/// Writes it.
///
/// # Errors
/// Nothing can be read, or the file cannot be written.
pub async fn run(args: ReportArgs, access: &AccessFlags) -> Result<(), CommandError> {
    let now = Timestamp::now();
    let destination = Destination::new(args.output, args.force, now)?;
    let namespace = match args.all_namespaces {
        true => None,
        false => Some(access.namespace().await),
    };
    let addresses = match args.with_addresses {
        true => AddressPolicy::Keep,
        false => AddressPolicy::Replace,
    };
    let mut redactor = Redactor::new(addresses).map_err(CommandError::failed)?;

    let mut reader = Reader::start(access.client().await?);
    let documents = read(&mut reader, namespace.as_deref(), &args.operator_namespace).await?;
    let (mut unread, any) = reader.finish();
    if !any {
        return Err(CommandError::Failed(nothing_read(&unread)));
    }
    let (kept, body) = bounded(documents, MOST, &mut redactor, &mut unread)?;
    let preface = Preface {
        now,
        namespace: namespace.as_deref(),
        operator_namespace: &args.operator_namespace,
        addresses,
        unread: &unread,
    };
    let preface = preface.render(&kept, &mut redactor);
    destination.write(&(preface + &body))?;
    if !unread.is_empty() {
        output::complain(&format!("warning: {}", not_all_read(&unread)));
    }
    match destination.file() {
        Some(file) => output::show(&written(&file.display().to_string(), kept.len())),
        None => Ok(()),
    }
}

/// Everything, as far as it can be read.
async fn read(
    reader: &mut Reader,
    namespace: Option<&str>,
    operator_namespace: &str,
) -> Result<Vec<Document>, CommandError> {
    let cluster = reader.version().await?;
    let plugin = env!("CARGO_PKG_VERSION");
    let mut documents = vec![Document::new(
        "Versions",
        json!({ "plugin": plugin, "cluster": cluster }),
    )];
    documents.extend(installation::crds(reader).await);
    documents.extend(tenants::documents(reader, namespace).await);
    documents.extend(installation::documents(reader, operator_namespace).await);
    Ok(documents)
}

/// The documents that fit into `most` bytes, and their text.
fn bounded(
    documents: Vec<Document>,
    most: usize,
    redactor: &mut Redactor,
    unread: &mut Vec<String>,
) -> Result<(Vec<Document>, String), CommandError> {
    let mut kept = Vec::new();
    let mut text = String::new();
    let all = documents.len();
    for document in documents {
        let rendered = document.clone().render(redactor);
        let rendered = rendered.map_err(CommandError::failed)?;
        if text.len() + rendered.len() <= most {
            text.push_str(&rendered);
            kept.push(document);
        }
    }
    if kept.len() < all {
        unread.push(format!(
            "documents for which there was no room in {most} bytes: {}",
            all - kept.len()
        ));
    }
    Ok((kept, text))
}

fn nothing_read(unread: &[String]) -> String {
    format!(
        "nothing could be read, so no report was written:\n  - {}",
        unread.join("\n  - ")
    )
}

fn not_all_read(unread: &[String]) -> String {
    format!(
        "not all could be read; the report says so too:\n  - {}",
        unread.join("\n  - ")
    )
}

fn written(file: &str, documents: usize) -> Page {
    let mut page = Page::new();
    page.heading(&format!("Report {file}")).text(&format!(
        "It is written, without secrets and with stand-ins for people's addresses unless you asked to keep them; documents in it: {documents}. Its first lines say what was cut and what is missing. Read it through before you send it."
    ));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_an_end() {
        let redactor = Redactor::new(AddressPolicy::Keep);
        let mut redactor = redactor.unwrap_or_else(|error| panic!("{error}"));
        let long = "word ".repeat(100);
        let documents = vec![
            Document::log("one", &long),
            Document::log("two", "short"),
            Document::log("three", &long),
        ];
        let mut unread = Vec::new();
        let bounded = bounded(documents, 1000, &mut redactor, &mut unread);
        let (kept, text) = bounded.unwrap_or_else(|error| panic!("{error}"));
        assert!(text.len() <= 1000 && kept.len() == 2, "{}", kept.len());
        assert!(text.contains("# two") && !text.contains("# three"));
        assert!(unread.iter().any(|line| line.ends_with("bytes: 1")));
    }
}
