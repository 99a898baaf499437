//! Where a row happens: an installation of the operator.

use anyhow::Result;
use serde_json::json;

use crate::lab::operator::Site;

/// An installation that its rows share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// All is as it should be.
    Usual,
    /// The public URL is a name that only the cluster knows.
    ClusterUrl,
    /// There is no public URL.
    NoUrl,
    /// The operator may not read Secrets.
    NoRights,
}

/// A host of the usual place that profiles may name and where nothing listens.
pub const NOTHING_LISTENS: &str = "nothing-listens.localhost";

impl Place {
    /// Starts it.
    pub async fn open(self) -> Result<Site> {
        let mut site = Site::new(match self {
            Place::Usual => "mistakes",
            Place::ClusterUrl => "cluster-url",
            Place::NoUrl => "no-url",
            Place::NoRights => "no-rights",
        })
        .await?;
        // A hundred profiles that are looked at twice a second would keep this machine from its work.
        for wait in [
            "look-at-secret",
            "recheck-refused-client",
            "backoff-longest",
        ] {
            site.pace(wait, 2.0);
        }
        match self {
            Place::Usual => {
                site.allow_host(NOTHING_LISTENS, 443);
                site.allow_host("10.1.2.3", 443);
                let others = format!("{}-others", site.tenant);
                site.watch(&others);
            }
            Place::ClusterUrl => {
                site.public_url = "https://gmail-operator.mail.svc.cluster.local".to_owned();
            }
            Place::NoUrl => site.public_url = String::new(),
            Place::NoRights => {
                let role = format!("gmail-operator-{}", site.namespace);
                let rules = site
                    .kubectl(&["get", "clusterrole", &role, "--output=json"])
                    .await?;
                let mut role: serde_json::Value = serde_json::from_str(&rules)?;
                let rules = role["rules"].as_array_mut().into_iter();
                rules
                    .for_each(|rules| rules.retain(|rule| rule["resources"] != json!(["secrets"])));
                site.apply(&role).await?;
            }
        }
        match self {
            // The keys of the cookies are in a Secret, too.
            Place::NoRights => site.launch()?,
            _ => site.start().await?,
        }
        Ok(site)
    }
}
