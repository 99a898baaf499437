use std::fmt::Write;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};

use crate::api::crds;

const HEAD: &str = "# Reference

Every field of both kinds, from their definitions in `crds/`; `kubectl explain mailbox.spec` has the same. Namespaced,
group `gmail-operator.dev`, version `v1alpha1`. Fields in bold must be given.
";

/// Every field of both kinds: `docs/reference.md`.
pub fn page() -> String {
    let mut text = HEAD.to_owned();
    for file in crds() {
        let names = file.crd.spec.names;
        let short = names.short_names.unwrap_or_default().join("`, `");
        let _ = writeln!(text, "\n## {}\n\nShort: `{short}`.", names.kind);
        let schemas = file.crd.spec.versions.into_iter();
        for schema in schemas.filter_map(|version| version.schema?.open_api_v3_schema) {
            for part in ["spec", "status"] {
                let Some(fields) = schema.properties.as_ref().and_then(|all| all.get(part)) else {
                    continue;
                };
                let _ = writeln!(text, "\n### {}: {part}\n", names.kind);
                for rule in rules(fields) {
                    let _ = writeln!(text, "* {}", cell(&rule));
                }
                text.push_str(
                    "\n| field | type | default | meaning |\n| --- | --- | --- | --- |\n",
                );
                rows(&mut text, "", fields);
            }
        }
    }
    text
}

/// One row for each field below `parent`.
fn rows(text: &mut String, path: &str, parent: &JSONSchemaProps) {
    for (name, field) in parent.properties.iter().flatten() {
        let path = format!("{path}{name}");
        let required = parent.required.iter().flatten().any(|one| one == name);
        let shown = match required {
            true => format!("**`{path}`**"),
            false => format!("`{path}`"),
        };
        let default = field.default.as_ref().map_or(String::new(), |default| {
            format!("`{}`", cell(&default.0.to_string()))
        });
        let description = field.description.clone().unwrap_or_default();
        let meaning = [description].into_iter().chain(rules(field));
        let meaning = meaning.collect::<Vec<_>>().join(" ");
        let kind = kind(field);
        let _ = writeln!(
            text,
            "| {shown} | {kind} | {default} | {} |",
            cell(&meaning)
        );
        rows(text, &format!("{path}."), field);
        if let Some(item) = item(field) {
            rows(text, &format!("{path}[]."), item);
        }
    }
}

/// What the API server says where a rule is broken.
fn rules(field: &JSONSchemaProps) -> Vec<String> {
    let rules = field.x_kubernetes_validations.iter().flatten();
    let said = rules.filter_map(|rule| rule.message.clone());
    said.map(|message| format!("Rule: {message}.")).collect()
}

/// The type, with its bounds.
fn kind(field: &JSONSchemaProps) -> String {
    let name = field.type_.as_deref().unwrap_or("any");
    let kind = match (item(field), &field.additional_properties) {
        (Some(item), _) => format!("list of {}", kind_of_item(item)),
        (None, Some(JSONSchemaPropsOrBool::Schema(value))) => {
            format!("map to {}", kind_of_item(value))
        }
        _ => kind_of_item(field),
    };
    let bounds = [
        ("at least ", field.minimum.map(|n| n.to_string()), ""),
        ("at most ", field.maximum.map(|n| n.to_string()), ""),
        (
            "at most ",
            field.max_length.map(|n| n.to_string()),
            " characters",
        ),
        ("at most ", field.max_items.map(|n| n.to_string()), ""),
    ];
    let bounds = bounds.into_iter();
    let bounds =
        bounds.filter_map(|(before, bound, after)| Some(format!(", {before}{}{after}", bound?)));
    match name {
        "object" if field.additional_properties.is_none() => name.to_owned(),
        _ => kind + &bounds.collect::<String>(),
    }
}

fn kind_of_item(field: &JSONSchemaProps) -> String {
    match (&field.enum_, field.format.as_deref()) {
        (Some(values), _) => {
            let values = values.iter().filter_map(|value| value.0.as_str());
            values
                .map(|value| format!("`{value}`"))
                .collect::<Vec<_>>()
                .join(", ")
        }
        (None, Some("date-time")) => "time (RFC 3339)".to_owned(),
        _ => field.type_.as_deref().unwrap_or("any").to_owned(),
    }
}

fn item(field: &JSONSchemaProps) -> Option<&JSONSchemaProps> {
    match field.items.as_ref()? {
        JSONSchemaPropsOrArray::Schema(item) => Some(item),
        JSONSchemaPropsOrArray::Schemas(_) => None,
    }
}

/// On one line, and with nothing that ends a cell.
fn cell(text: &str) -> String {
    text.replace("\n\n", " ")
        .replace('\n', " ")
        .replace('|', "\\|")
}
