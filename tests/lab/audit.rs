//! What service accounts ask for, as the API server's audit log has it: tests count the operator's writes, and compare
//! what one operator asks for with its rights.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Result, anyhow};
use serde::Deserialize;

/// The audit log. It is read on from where it was read before: it grows with all of the tests, which ask often.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    read: Mutex<ReadSoFar>,
}

#[derive(Debug, Default)]
struct ReadSoFar {
    bytes: u64,
    by_user: HashMap<String, Vec<AuditRequest>>,
}

/// What a service account asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRequest {
    /// As in RBAC: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// Group of the resource; empty for Kubernetes' first one.
    pub group: String,
    /// Plural name of the resource, such as `secrets`.
    pub resource: String,
    /// `status`, or empty.
    pub subresource: String,
    /// Namespace of the object; empty for cluster-scoped ones.
    pub namespace: String,
    /// Name of the object; empty where the server gives it.
    pub name: String,
    /// HTTP status of the answer: 403 and 409 changed nothing.
    pub code: u16,
}

impl AuditLog {
    /// One that the API server writes to `path`, or will.
    pub fn at(path: PathBuf) -> AuditLog {
        AuditLog {
            path,
            read: Mutex::default(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything that a service account has tried to change so far, oldest first.
    pub fn writes_by(&self, namespace: &str, account: &str) -> Result<Vec<AuditRequest>> {
        let reads = ["get", "list", "watch"];
        let mut requests = self.requests_by(namespace, account)?;
        requests.retain(|request| !reads.contains(&request.verb.as_str()));
        Ok(requests)
    }

    /// Everything that it has asked for so far, oldest first; reads only where `audit-policy.yaml` has them logged.
    pub fn requests_by(&self, namespace: &str, account: &str) -> Result<Vec<AuditRequest>> {
        let mut read = self
            .read
            .lock()
            .map_err(|_| anyhow!("a reader of the audit log has panicked"))?;
        self.read_on(&mut read)?;
        let user = format!("system:serviceaccount:{namespace}:{account}");
        Ok(read.by_user.get(&user).cloned().unwrap_or_default())
    }

    fn read_on(&self, read: &mut ReadSoFar) -> Result<()> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        file.seek(SeekFrom::Start(read.bytes))?;
        let mut new = Vec::new();
        file.read_to_end(&mut new)?;
        let lines = new.split_inclusive(|byte| *byte == b'\n');
        for line in lines.filter(|line| line.ends_with(b"\n")) {
            let event: Event = serde_json::from_slice(line)?;
            let user = event.user.username.clone();
            read.by_user.entry(user).or_default().push(event.into());
            read.bytes += line.len() as u64;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    verb: String,
    user: User,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ObjectRef {
    #[serde(rename = "apiGroup")]
    group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

impl From<Event> for AuditRequest {
    fn from(event: Event) -> AuditRequest {
        AuditRequest {
            verb: event.verb,
            group: event.object_ref.group,
            resource: event.object_ref.resource,
            subresource: event.object_ref.subresource,
            namespace: event.object_ref.namespace,
            name: event.object_ref.name,
            code: event.response_status.code,
        }
    }
}
