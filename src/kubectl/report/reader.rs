//! Reading what may be read: what may not, or does not answer, is noted, and the rest goes on.

use std::time::{Duration, Instant};

use kube::api::{DynamicObject, ListParams};
use kube::core::ApiResource;
use kube::{Api, Client, Resource};
use serde_json::Value;

use crate::cluster::{ClusterError, call};
use crate::kubectl::error::{CommandError, in_words};
use crate::kubectl::output::{Progress, is_terminal};

/// The longest that all requests together may take; each has the time-out of [`call`] besides.
const LONGEST: Duration = Duration::from_secs(180);
/// So many objects are asked for at once.
const CHUNK: u32 = 250;
/// The most objects of one kind and place that a report has.
const MOST: usize = 1000;

/// A kind, as requests and people name it.
pub struct Kind {
    resource: ApiResource,
    /// "Mailboxes".
    plural: &'static str,
}

impl Kind {
    /// The kind of `K`.
    pub fn of<K: Resource<DynamicType = ()>>(plural: &'static str) -> Self {
        Self {
            resource: ApiResource::erase::<K>(&()),
            plural,
        }
    }

    fn api(&self, client: &Client, namespace: Option<&str>) -> Api<DynamicObject> {
        match namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &self.resource),
            None => Api::all_with(client.clone(), &self.resource),
        }
    }

    /// `object` as it would be read alone: in a list, kind and version may be left out.
    fn whole(&self, object: DynamicObject) -> Option<Value> {
        let mut object = serde_json::to_value(object).ok()?;
        let fields = object.as_object_mut()?;
        let (version, kind) = (&self.resource.api_version, &self.resource.kind);
        fields.insert("apiVersion".to_owned(), version.clone().into());
        fields.insert("kind".to_owned(), kind.clone().into());
        Some(object)
    }
}

/// Reads, and remembers what could not be read.
pub struct Reader {
    /// With the rights of whoever runs the command.
    pub client: Client,
    progress: Option<Progress>,
    end: Instant,
    answers: usize,
    unread: Vec<String>,
}

impl Reader {
    /// Begins; the time that it may take runs from now on.
    pub fn start(client: Client) -> Self {
        Self {
            client,
            progress: is_terminal().then(Progress::start),
            end: Instant::now() + LONGEST,
            answers: 0,
            unread: Vec::new(),
        }
    }

    /// The version of the API server.
    ///
    /// # Errors
    /// There is no API server to ask.
    pub async fn version(&mut self) -> Result<Option<Value>, CommandError> {
        let client = self.client.clone();
        let doing = || "reading the version of the API server".to_owned();
        match call(doing, client.apiserver_version()).await {
            Ok(version) => Ok(serde_json::to_value(version).ok()),
            Err(error) if is_answer(&error) => {
                self.note(in_words(&error));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What `request` came to, if it was allowed and in time.
    pub async fn read<T>(
        &mut self,
        doing: String,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Option<T> {
        if Instant::now() >= self.end {
            let longest = LONGEST.as_secs();
            self.note(format!("{doing}: left out, for lack of time ({longest} s)"));
            return None;
        }
        if let Some(progress) = &self.progress {
            progress.waiting(&doing);
        }
        match call(|| doing, request).await {
            Ok(answer) => {
                self.answers += 1;
                Some(answer)
            }
            Err(error) => {
                self.note(in_words(&error));
                None
            }
        }
    }

    /// The objects of a kind in `namespace`, or in all of them.
    pub async fn list(
        &mut self,
        kind: &Kind,
        namespace: Option<&str>,
        params: ListParams,
    ) -> Vec<Value> {
        let place = match namespace {
            Some(namespace) => format!("the namespace {namespace}"),
            None => "all namespaces".to_owned(),
        };
        let doing = format!("listing the {} of {place}", kind.plural);
        let api = kind.api(&self.client, namespace);
        let mut params = params.limit(CHUNK);
        let mut all = Vec::new();
        while let Some(listed) = self.read(doing.clone(), api.list(&params)).await {
            let objects = listed.items.into_iter();
            all.extend(objects.filter_map(|object| kind.whole(object)));
            match listed.metadata.continue_.filter(|more| !more.is_empty()) {
                None => break,
                Some(_) if all.len() >= MOST => {
                    self.note(format!("{doing}: there are more than {MOST}"));
                    break;
                }
                Some(more) => params = params.continue_token(&more),
            }
        }
        all
    }

    /// One object.
    pub async fn get(&mut self, kind: &Kind, namespace: Option<&str>, name: &str) -> Option<Value> {
        let place = namespace.map(|namespace| format!("{namespace}/"));
        let place = place.unwrap_or_default();
        let doing = format!("reading the {} {place}{name}", kind.resource.kind);
        let api = kind.api(&self.client, namespace);
        let object = self.read(doing, api.get(name)).await?;
        kind.whole(object)
    }

    /// Something else that is missing from the report, in words.
    pub fn note(&mut self, what: String) {
        if !self.unread.contains(&what) {
            self.unread.push(what);
        }
    }

    /// What could not be read, and whether anything could.
    pub fn finish(self) -> (Vec<String>, bool) {
        (self.unread, self.answers > 0)
    }
}

/// Whether an API server said something.
fn is_answer(error: &ClusterError) -> bool {
    match error {
        ClusterError::Api { source, .. } => matches!(source.as_ref(), kube::Error::Api(_)),
        ClusterError::TimedOut(_) => false,
    }
}
