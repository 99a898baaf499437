//! The fields of an object that nobody needs for an answer, or that may have anything in them.

use serde_json::{Map, Value};

use super::redact::CUT;

/// The annotations that the operator and the cluster's own controllers read and write. Those of others
/// may have anything in them: kubectl's even has the whole object.
const KNOWN_ANNOTATIONS: [&str; 2] = ["gmail-operator.dev/", "deployment.kubernetes.io/"];

/// The variables that say how the operator reaches the world and what it logs.
const KNOWN_VARIABLES: [&str; 7] = [
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "SSL_CERT_FILE",
    "TZ",
];

/// Texts that people write for people, with names, telephone numbers and plans in them.
const FOR_PEOPLE: [&str; 2] = ["contact", "purpose"];

/// Takes them out of `object`, in place.
pub fn tidy(object: &mut Value) {
    match object {
        Value::Object(fields) => fields_of(fields),
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn fields_of(fields: &mut Map<String, Value>) {
    fields.remove("managedFields");
    fields.retain(|_, value| !value.is_null());
    for (name, value) in fields.iter_mut() {
        match (name.as_str(), value) {
            ("annotations", Value::Object(annotations)) => cut_annotations(annotations),
            ("env", Value::Array(variables)) => variables.iter_mut().for_each(cut_variable),
            ("caBundle", Value::String(pem)) => *pem = bundle(pem),
            (name, Value::String(text)) if FOR_PEOPLE.contains(&name) => {
                *text = format!("(cut: {} characters)", text.chars().count());
            }
            (_, value) => tidy(value),
        }
    }
}

fn cut_annotations(annotations: &mut Map<String, Value>) {
    for (name, value) in annotations.iter_mut() {
        if !KNOWN_ANNOTATIONS
            .iter()
            .any(|known| name.starts_with(known))
        {
            *value = CUT.into();
        }
    }
}

fn cut_variable(variable: &mut Value) {
    let name = variable.get("name").and_then(Value::as_str);
    let name = name.unwrap_or_default().to_uppercase();
    if let Some(value) = variable.get_mut("value")
        && !KNOWN_VARIABLES.contains(&name.as_str())
    {
        *value = CUT.into();
    }
}

fn bundle(pem: &str) -> String {
    let certificates = pem.matches("-----BEGIN CERTIFICATE-----").count();
    format!("(cut: {} bytes, certificates: {certificates})", pem.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_hold_anything_is_cut_and_the_rest_is_as_it_was() {
        let mut object = json!({
            "metadata": {
                "name": "support",
                "managedFields": [{ "manager": "x" }],
                "deletionTimestamp": null,
                "annotations": {
                    "gmail-operator.dev/test-requested-at": "1",
                    "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":1}",
                },
            },
            "spec": {
                "purpose": "Dismissals",
                "contact": "Ann, +43 1 234",
                "caBundle": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
                "containers": [{ "env": [
                    { "name": "RUST_LOG", "value": "debug" },
                    { "name": "DSN", "value": "hidden" },
                    { "name": "POD", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } },
                ] }],
            },
        });
        tidy(&mut object);
        assert_eq!(
            object,
            json!({
                "metadata": {
                    "name": "support",
                    "annotations": {
                        "gmail-operator.dev/test-requested-at": "1",
                        "kubectl.kubernetes.io/last-applied-configuration": "(cut)",
                    },
                },
                "spec": {
                    "purpose": "(cut: 10 characters)",
                    "contact": "(cut: 14 characters)",
                    "caBundle": "(cut: 59 bytes, certificates: 1)",
                    "containers": [{ "env": [
                        { "name": "RUST_LOG", "value": "debug" },
                        { "name": "DSN", "value": "(cut)" },
                        { "name": "POD", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } },
                    ] }],
                },
            })
        );
    }
}
