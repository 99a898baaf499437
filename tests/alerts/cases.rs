mod fleet;
mod operator;
mod renewals;

use serde_json::{Value, json};

/// What Prometheus has seen, and what comes of it.
pub struct Case {
    name: &'static str,
    /// Series, without their prefix `gmail_operator_`, and a value for each minute in promtool's words.
    seen: &'static [(&'static str, &'static str)],
    /// At these times these alerts are there, with the labels that tell them apart.
    comes: &'static [(&'static str, &'static [&'static str])],
}

const LEADS: (&str, &str) = ("leader", "1x200");

/// All of them.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [operator::CASES, renewals::CASES, fleet::CASES]
        .into_iter()
        .flatten()
}

impl Case {
    /// As promtool reads it.
    pub fn for_promtool(&self) -> Value {
        let seen = self.seen.iter().map(
            |(series, values)| json!({ "series": format!("gmail_operator_{series}"), "values": values }),
        );
        let comes = self.comes.iter().map(|(time, alerts)| {
            let alerts = alerts.iter();
            let alerts = alerts.map(|labels| json!({ "labels": format!("{{{labels}}}"), "value": 1 }));
            json!({
                "eval_time": time,
                "expr": r#"max by (alertname, namespace, profile, kind, protocol) (ALERTS{alertstate="firing"})"#,
                "exp_samples": alerts.collect::<Vec<_>>(),
            })
        });
        json!({
            "name": self.name,
            "interval": "1m",
            "input_series": seen.collect::<Vec<_>>(),
            "promql_expr_test": comes.collect::<Vec<_>>(),
        })
    }

    /// The alerts that come.
    pub fn fired(&self) -> impl Iterator<Item = &'static str> {
        let alerts = self.comes.iter().flat_map(|(_, alerts)| *alerts);
        alerts.filter_map(|labels| labels.split('"').nth(1))
    }
}
