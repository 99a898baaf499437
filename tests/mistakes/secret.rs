//! The Secret.

use gmail_operator::api::ProfileCondition::CredentialsAccepted;
use gmail_operator::api::Reason::{
    ClientIdInvalid, ClientOfAnotherServer, ClientSecretInvalid, ClientSecretMissing,
    ClientTypeWrong, SecretNotReadable,
};
use k8s_openapi::ByteString;
use serde_json::json;

use super::place::Place;
use super::{Row, Says, no, row};

fn missing(words: &'static [&'static str]) -> [Says; 1] {
    [no(CredentialsAccepted, ClientSecretMissing, words)]
}

fn invalid(words: &'static [&'static str]) -> [Says; 1] {
    [no(CredentialsAccepted, ClientSecretInvalid, words)]
}

fn other_type(words: &'static [&'static str]) -> [Says; 1] {
    [no(CredentialsAccepted, ClientTypeWrong, words)]
}

fn id(words: &'static [&'static str]) -> [Says; 1] {
    [no(CredentialsAccepted, ClientIdInvalid, words)]
}

pub fn rows() -> Vec<Row> {
    let mut rows = not_there();
    rows.extend(of_another_kind());
    rows.extend(spoilt());
    rows.extend(wrong_ids());
    rows
}

fn not_there() -> Vec<Row> {
    vec![
        row(
            "no-secret",
            |draft| draft.secret = None,
            missing(&[
                "there is no Secret {namespace}/{name}",
                "kubectl -n {namespace} create secret generic {name} --from-file=client_secret.json=FILE",
            ]),
        ),
        row(
            "no-secret-for-id",
            |draft| {
                let id = draft.id.clone();
                draft.pair(&id, "");
                draft.secret = None;
            },
            missing(&["--from-literal=client_secret.json=SECRET"]),
        ),
        row(
            "another-key",
            |draft| {
                let file = draft.file().to_string().into_bytes();
                let name = "client_secret_1234.apps.googleusercontent.com.json".to_owned();
                draft.secret = Some([(name, file)].into());
            },
            missing(&[
                "the Secret {namespace}/{name} has no key client_secret.json",
                "it has client_secret_1234.apps.googleusercontent.com.json",
                "spec.oauthClient.credentialsSecretRef.key",
            ]),
        ),
        row(
            "client-of-google-for-a-stand-in",
            |draft| {
                let mut file = draft.file();
                file["web"]["token_uri"] = "https://oauth2.googleapis.com/token".into();
                draft.put(file.to_string());
            },
            [no(
                CredentialsAccepted,
                ClientOfAnotherServer,
                &["spec.oauthClient.endpoints.token", "not sent"],
            )],
        ),
        row(
            "no-keys",
            |draft| draft.secret = Some([].into()),
            missing(&["it has no keys at all"]),
        ),
        row(
            "empty-value",
            |draft| draft.put(""),
            missing(&[
                "the key client_secret.json of the Secret {namespace}/{name}",
                "it is empty",
            ]),
        ),
        row(
            "blank-value",
            |draft| draft.put(" \n"),
            missing(&["it is empty"]),
        ),
        row(
            "secret-not-readable",
            |_| (),
            [no(
                CredentialsAccepted,
                SecretNotReadable,
                &["reading the Secret {namespace}/{name}", "forbidden"],
            )],
        )
        .at(Place::NoRights),
    ]
}

fn of_another_kind() -> Vec<Row> {
    vec![
        row(
            "desktop-client",
            |draft| {
                let client = draft.file()["web"].take();
                draft.put(json!({ "installed": client }).to_string());
            },
            other_type(&["of the type Desktop", "type Web application"]),
        ),
        row(
            "service-account",
            |draft| {
                let key = json!({ "type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----", "client_id": "1" });
                draft.put(key.to_string());
            },
            other_type(&["the key of a service account"]),
        ),
        row(
            "one-persons-sign-in",
            |draft| {
                let user = json!({ "type": "authorized_user", "refresh_token": "x", "client_id": draft.id, "client_secret": draft.client_secret });
                draft.put(user.to_string());
            },
            other_type(&["the sign-in of one person", "gcloud"]),
        ),
        row(
            "api-key",
            |draft| draft.put(format!("AIza{}", "SyA".repeat(12).split_at(35).0)),
            other_type(&["it is an API key"]),
        ),
        row(
            "json-array",
            |draft| draft.put(json!([draft.file()]).to_string()),
            other_type(&["it is JSON, but not an object"]),
        ),
        row(
            "unwrapped",
            |draft| draft.put(draft.file()["web"].to_string()),
            invalid(&["not under \"web\""]),
        ),
        row(
            "other-json",
            |draft| draft.put(r#"{"colour":"red"}"#),
            invalid(&["without the part \"web\""]),
        ),
        row(
            "secret-left-out",
            |draft| {
                draft.edit(|file| {
                    drop(
                        file["web"]
                            .as_object_mut()
                            .map(|web| web.remove("client_secret")),
                    )
                })
            },
            invalid(&["it has no client_secret under \"web\""]),
        ),
        row(
            "file-for-secret",
            |draft| {
                let (id, file) = (draft.id.clone(), draft.file().to_string());
                draft.pair(&id, file);
            },
            invalid(&["it is a whole JSON file", "credentialsSecretRef"]),
        ),
        row(
            "secret-for-file",
            |draft| draft.put(draft.client_secret.clone()),
            invalid(&["it is a client secret alone", "clientSecretRef"]),
        ),
    ]
}

fn spoilt() -> Vec<Row> {
    vec![
        row(
            "not-json",
            |draft| draft.put("client_id: 1\n"),
            invalid(&["it is not the JSON that Google's console downloads (line 1,"]),
        ),
        row(
            "cut-off",
            |draft| {
                let file = draft.file().to_string();
                draft.put(&file.as_bytes()[..file.len() / 2]);
            },
            invalid(&["the file was cut off"]),
        ),
        row(
            "base64-twice",
            |draft| {
                let value = json!(ByteString(draft.file().to_string().into_bytes()));
                draft.put(value.as_str().unwrap());
            },
            invalid(&["encoded in base64 once too often", "stringData"]),
        ),
        row(
            "utf-16",
            |draft| {
                let file = format!("\u{feff}{}", draft.file());
                draft.put(
                    file.encode_utf16()
                        .flat_map(u16::to_le_bytes)
                        .collect::<Vec<_>>(),
                );
            },
            invalid(&["it is in UTF-16"]),
        ),
        row(
            "byte-order-mark",
            |draft| draft.put(format!("\u{feff}{}", draft.file())),
            invalid(&["byte order mark"]),
        ),
        row(
            "too-large",
            |draft| draft.put(draft.file().to_string() + &" ".repeat(64 * 1024)),
            invalid(&["larger than 64 KiB"]),
        ),
        row(
            "line-break",
            |draft| {
                let (id, secret) = (draft.id.clone(), format!("{}\n", draft.client_secret));
                draft.pair(&id, secret);
            },
            invalid(&["the client secret has white space or a line break around it"]),
        ),
        row(
            "quoted-secret",
            |draft| {
                let (id, secret) = (draft.id.clone(), format!("'{}'", draft.client_secret));
                draft.pair(&id, secret);
            },
            invalid(&["the client secret stands in quotes"]),
        ),
        row(
            "masked-secret",
            |draft| draft.edit(|file| file["web"]["client_secret"] = json!("****k3fQ")),
            invalid(&["is masked", "make a new one"]),
        ),
        row(
            "swapped",
            |draft| {
                let (id, secret) = (draft.id.clone(), draft.client_secret.clone());
                draft.pair(&secret, id);
            },
            invalid(&["the client ID and the client secret are swapped"]),
        ),
    ]
}

fn wrong_ids() -> Vec<Row> {
    vec![
        row(
            "spaced-id",
            |draft| {
                let id = format!("{} ", draft.id);
                draft.edit(|file| file["web"]["client_id"] = json!(id));
            },
            id(&[
                "the key client_secret.json of the Secret {namespace}/{name}",
                "the client ID has white space",
            ]),
        ),
        row(
            "quoted-id",
            |draft| {
                let (id, secret) = (format!("\"{}\"", draft.id), draft.client_secret.clone());
                draft.pair(&id, secret);
            },
            id(&["spec.oauthClient.clientId: the client ID stands in quotes"]),
        ),
        row(
            "e-mail-for-id",
            |draft| {
                draft.pair("gmail@acme-mail.iam.gserviceaccount.com", "GOCSPX-x");
                draft.of_google();
            },
            id(&["spec.oauthClient.clientId: the client ID is an e-mail address"]),
        ),
        row(
            "url-for-id",
            |draft| {
                let id = format!("https://{}", draft.id);
                draft.pair(&id, "GOCSPX-x");
                draft.of_google();
            },
            id(&["the client ID is a URL"]),
        ),
        row(
            "project-for-id",
            |draft| {
                draft.edit(|file| file["web"]["client_id"] = json!("acme-mail-4711"));
                draft.of_google();
            },
            id(&["looks like the ID or name of a project"]),
        ),
        row(
            "half-an-id",
            |draft| {
                draft.edit(|file| file["web"]["client_id"] = json!("4711-abcdef"));
                draft.of_google();
            },
            id(&["does not end in .apps.googleusercontent.com"]),
        ),
    ]
}
