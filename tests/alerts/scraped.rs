//! What a real operator exposes, as what Prometheus has seen.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{ALERTS, names, read};
use crate::lab::operator::{PATIENCE, Site};
use crate::lab::until;

/// Longer than any alert's `for` and window.
const MINUTES: usize = 120;

/// The samples of one moment, of what alerts ask for.
pub struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub async fn of(site: &Site) -> Result<Self> {
        let (alerts, metrics) = (read(ALERTS)?, site.metrics().await?);
        let asked_for = names(&alerts);
        let lines = metrics.lines().filter(|line| !line.starts_with('#'));
        let mut samples = BTreeMap::new();
        for line in lines {
            let (series, value) = line.rsplit_once(' ').context("no sample")?;
            let name = series.split('{').next().unwrap_or_default();
            if asked_for.contains(name) {
                samples.insert(series.to_owned(), value.parse()?);
            }
        }
        ensure!(!samples.is_empty(), "nothing that alerts ask for");
        Ok(Self(samples))
    }

    /// The sum of the series that begin so.
    pub fn sum(&self, series: &str) -> f64 {
        let series = format!("gmail_operator_{series}");
        let found = self.0.iter().filter(|(name, _)| name.starts_with(&series));
        found.map(|(_, value)| value).sum()
    }

    /// Whether there is a series of that name with this word in it.
    pub fn has(&self, name: &str, word: &str) -> bool {
        let name = format!("gmail_operator_{name}{{");
        let mut series = self.0.keys();
        series.any(|series| series.starts_with(&name) && series.contains(word))
    }
}

/// A site that stays as it was at the second of two scrapes, and whose counters rise each minute by as
/// much as they did between them.
pub struct Seen {
    name: &'static str,
    first: Scrape,
    second: Scrape,
}

impl Seen {
    /// Waits until it is as bad as `is_so` wants, of the scrape before and that of now.
    pub async fn until(
        site: &Site,
        name: &'static str,
        first: Scrape,
        is_so: impl Fn(&Scrape, &Scrape) -> bool,
    ) -> Result<Self> {
        let mut second = None;
        until(name, PATIENCE, async || {
            second = Some(Scrape::of(site).await?).filter(|now| is_so(&first, now));
            Ok(second.is_some())
        })
        .await?;
        Ok(Self {
            name,
            first,
            second: second.context("no scrape")?,
        })
    }

    /// That each of `alerts` comes, and no other one, but for those of what is `still` so.
    pub fn fires(&self, alerts: &[&'static str], still: &[&'static str]) -> Value {
        let still = still.join("|");
        let expected = alerts.iter().collect::<BTreeSet<_>>().into_iter();
        let expected = expected.map(|alert| {
            let labels = format!(r#"{{alertname="{alert}"}}"#);
            json!({ "labels": labels, "value": 1 })
        });
        json!({
            "name": self.name,
            "interval": "1m",
            "input_series": self.series(),
            "promql_expr_test": [{
                "eval_time": "1h",
                "expr": format!(r#"group by (alertname) (ALERTS{{alertstate="firing",alertname!~"{still}"}})"#),
                "exp_samples": expected.collect::<Vec<_>>(),
            }],
        })
    }

    fn series(&self) -> Vec<Value> {
        let series = self.second.0.iter().map(|(series, value)| {
            let is_counter = series
                .split('{')
                .next()
                .is_some_and(|name| name.ends_with("_total"));
            // A counter that was not there before has not risen.
            let before = self
                .first
                .0
                .get(series)
                .filter(|_| is_counter)
                .unwrap_or(value);
            let values = format!("{before}+{}x{MINUTES}", value - before);
            json!({ "series": series, "values": values })
        });
        series.collect()
    }
}
