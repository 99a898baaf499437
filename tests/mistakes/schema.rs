//! What the API server does not take at all: whoever applies it is told at once.

use serde_json::{Value, json};

use super::{Draft, Row, Says, row};

fn refused(words: &'static str) -> [Says; 1] {
    [Says::Refused(words)]
}

fn screen(draft: &mut Draft, screen: Value) {
    draft.oauth()["consentScreen"] = screen;
}

pub fn rows() -> Vec<Row> {
    vec![
        row(
            "no-client-at-all",
            |draft| drop(draft.oauth().take()),
            refused("oauthClient is required"),
        ),
        row(
            "two-ways-to-name-it",
            |draft| draft.oauth()["clientId"] = json!("1-a"),
            refused("name the client in one way"),
        ),
        row(
            "testing-not-said",
            |draft| screen(draft, json!({ "userType": "External" })),
            refused("publishingStatus is required when userType is External"),
        ),
        row(
            "internal-in-testing",
            |draft| {
                screen(
                    draft,
                    json!({ "userType": "Internal", "publishingStatus": "Testing" }),
                );
            },
            refused("cannot be given when it is Internal"),
        ),
        row(
            "verified-in-testing",
            |draft| {
                screen(
                    draft,
                    json!({ "userType": "External", "publishingStatus": "Testing", "verified": true }),
                );
            },
            refused("InProduction can be verified"),
        ),
        row(
            "starttls-on-465",
            |draft| {
                draft.spec()["servers"]["smtp"] = json!({ "port": 465, "security": "STARTTLS" });
            },
            refused("port 465 speaks TLS from the start"),
        ),
        row(
            "domain-without-dot",
            |draft| draft.spec()["allowedEmailAddresses"] = json!(["*@example"]),
            refused("matches no address: the domain is compared whole, so it needs a dot"),
        ),
        row(
            "domain-with-empty-part",
            |draft| draft.spec()["allowedEmailAddresses"] = json!(["*@example..com"]),
            refused("matches no address"),
        ),
        row(
            "quoted-address",
            |draft| draft.spec()["allowedEmailAddresses"] = json!(["\"ann\"@example.com"]),
            refused("in ASCII without quotes"),
        ),
        row(
            "star-in-domain",
            |draft| draft.spec()["allowedEmailAddresses"] = json!(["*@*.example.com"]),
            refused("'*' may stand before the '@' only"),
        ),
        row(
            "no-label-key",
            |draft| {
                draft.spec()["allowedNamespaces"] = json!({
                    "from": "Selector", "selector": { "matchLabels": { "team name": "crm" } },
                });
            },
            refused("each key must be a label's"),
        ),
        row(
            "no-label-value",
            |draft| {
                draft.spec()["allowedNamespaces"] = json!({
                    "from": "Selector", "selector": { "matchLabels": { "team": "crm-*" } },
                });
            },
            refused("each value must be a label's"),
        ),
        row(
            "no-label-in-expression",
            |draft| {
                draft.spec()["allowedNamespaces"] = json!({
                    "from": "Selector",
                    "selector": { "matchExpressions": [{ "key": "/team", "operator": "Exists" }] },
                });
            },
            refused("the key must be a label's"),
        ),
        row(
            "secret-of-another-namespace",
            |draft| draft.oauth()["credentialsSecretRef"]["namespace"] = json!("mail"),
            refused("credentialsSecretRef.namespace: field not declared in schema"),
        ),
        row(
            "polling-in-days",
            |draft| draft.spec()["processing"]["minPollingInterval"] = json!("1d"),
            refused("must be a duration from 0s to 24h"),
        ),
    ]
}
