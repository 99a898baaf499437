//! What somebody needs who looks for the cause of a failure: the node is gone when they look.

use std::time::Duration;

use super::terminal::complain;
use crate::lab::Lab;

const LIMIT: Duration = Duration::from_secs(20);

/// Prints how everything is.
pub async fn show(lab: &Lab) {
    let queries = [
        "get pods --all-namespaces --output=wide",
        "get events --all-namespaces --sort-by=.lastTimestamp",
        "get mailboxes,gmailserverprofiles --all-namespaces --output=wide",
        "get lease gmail-operator --namespace=gmail-operator --output=yaml",
        "logs --namespace=gmail-operator --selector=app.kubernetes.io/name=gmail-operator --tail=60 --prefix",
        "logs --namespace=gmail-operator gmail-operator-test",
        "logs --namespace=crm --selector=app=mail-router --tail=40",
    ];
    for query in queries {
        let asked = lab.control_plane.kubectl(query.split(' '));
        let told = match tokio::time::timeout(LIMIT, asked).await {
            Ok(Ok(told)) => told,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "no answer".to_owned(),
        };
        complain(&format!("\n$ kubectl {query}\n{told}"));
    }
}
