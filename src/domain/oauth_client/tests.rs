use super::*;
use crate::api::Reason;

const ID: &str = "123456789012-abc123.apps.googleusercontent.com";
const SECRET: &str = "GOCSPX-abcdefghijklmnopqrstuvwxyz12";

fn web(id: &str, secret: &str) -> String {
    serde_json::json!({ "web": { "client_id": id, "client_secret": secret } }).to_string()
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// What is wrong says nothing of the value.
fn tells_nothing(wrong: BadCredentials) {
    let shown = format!("{wrong} {wrong:?}");
    for part in ["abc123\"", "abcdefgh", "123456789012-abc123\"", "AIzaSy"] {
        assert!(!shown.contains(part), "{shown}");
    }
}

#[test]
fn tells_what_is_wrong_with_a_file() {
    let api_key = format!("AIza{}", "y".repeat(35));
    let line_break = web(ID, &format!("{SECRET}\n"));
    let quoted = web(&format!("\"{ID}\""), SECRET);
    let masked = web(ID, "GOCSPX-****wxyz");
    let marked = format!("\u{feff}{}", web(ID, SECRET));
    let big = " ".repeat(MAX_CREDENTIALS) + &web(ID, SECRET);
    let encoded = base64(&web(ID, SECRET));
    let wrapped = format!("{}\n{}", &encoded[..76], &encoded[76..]);
    let flat = serde_json::json!({ "client_id": ID, "client_secret": SECRET }).to_string();
    let whole = web(ID, SECRET);
    for (json, wrong) in [
        ("", BadCredentials::Empty),
        (" \n", BadCredentials::Empty),
        ("not json", BadCredentials::NotJson { line: 1, column: 2 }),
        (&whole[..whole.len() - 3], BadCredentials::CutOff),
        ("[]", Other::NotAnObject.into()),
        ("\"text\"", Other::NotAnObject.into()),
        ("{}", BadCredentials::NoWeb),
        (&flat, BadCredentials::NotUnderWeb),
        (SECRET, Misplaced::SecretForFile.into()),
        (&format!("\"{SECRET}\"\n"), Misplaced::SecretForFile.into()),
        (ID, Misplaced::IdForFile.into()),
        (&api_key, Other::ApiKey.into()),
        ("-----BEGIN PRIVATE KEY-----\nx", Other::Pem.into()),
        (
            r#"{"installed":{"client_id":"1-a","client_secret":"s"}}"#,
            Other::Desktop.into(),
        ),
        (
            r#"{"type":"service_account","private_key":"k","client_id":"1"}"#,
            Other::ServiceAccount.into(),
        ),
        (
            r#"{"type":"authorized_user","client_id":"1-a","client_secret":"s"}"#,
            Other::AuthorizedUser.into(),
        ),
        (
            r#"{"type":"external_account"}"#,
            Other::ExternalAccount.into(),
        ),
        (
            r#"{"web":{"client_id":"1-a"}}"#,
            BadCredentials::Lacks("client_secret"),
        ),
        (
            r#"{"web":{"client_secret":"s"}}"#,
            BadCredentials::Lacks("client_id"),
        ),
        (
            r#"{"web":{"client_id":1,"client_secret":"s"}}"#,
            BadCredentials::Lacks("client_id"),
        ),
        (
            r#"{"web":{"client_id":"1-a","client_secret":""}}"#,
            BadCredentials::Lacks("client_secret"),
        ),
        (&line_break, BadCredentials::Secret(Stray::WhiteSpace)),
        (&quoted, BadCredentials::Id(Stray::Quotes)),
        (&masked, BadCredentials::Secret(Stray::Masked)),
        (&web(SECRET, ID), Misplaced::Swapped.into()),
        (&web(ID, ID), Misplaced::IdForSecret.into()),
        (&web(SECRET, SECRET), Misplaced::SecretForId.into()),
        (&encoded, BadCredentials::Base64Twice),
        (&wrapped, BadCredentials::Base64Twice),
        (&marked, BadCredentials::ByteOrderMark),
        (&big, BadCredentials::TooLarge),
    ] {
        let read = OAuthClient::from_json(json.as_bytes());
        assert_eq!(read, Err(wrong), "{json}");
        tells_nothing(wrong);
    }
    let mut marked = vec![0xff, 0xfe];
    marked.extend(utf16(&whole));
    for bytes in [marked, utf16(&whole)] {
        assert_eq!(OAuthClient::from_json(&bytes), Err(BadCredentials::Utf16));
    }
    let bytes = [0x80, 0x81, 0x82, 0x83];
    assert_eq!(OAuthClient::from_json(&bytes), Err(BadCredentials::NotText));
}

#[test]
fn tells_what_is_wrong_with_an_id_and_a_secret() {
    let encoded = base64(SECRET);
    for (id, secret, wrong) in [
        (ID, "", BadCredentials::Empty),
        (ID, "\n", BadCredentials::Empty),
        (
            ID,
            &format!("{SECRET}\n"),
            BadCredentials::Secret(Stray::WhiteSpace),
        ),
        (
            ID,
            &format!("'{SECRET}'"),
            BadCredentials::Secret(Stray::Quotes),
        ),
        (ID, "****wxyz", BadCredentials::Secret(Stray::Masked)),
        (ID, "two words", BadCredentials::Secret(Stray::Within)),
        (ID, "geheimnö", BadCredentials::Secret(Stray::Within)),
        (" 1-a", SECRET, BadCredentials::Id(Stray::WhiteSpace)),
        (SECRET, ID, Misplaced::Swapped.into()),
        (SECRET, SECRET, Misplaced::SecretForId.into()),
        (ID, &format!("{ID}\n"), Misplaced::IdForSecret.into()),
        (ID, &web(ID, SECRET), Misplaced::FileForSecret.into()),
        (ID, &encoded, BadCredentials::Base64Twice),
        (
            ID,
            encoded.trim_end_matches('='),
            BadCredentials::Base64Twice,
        ),
    ] {
        let read = OAuthClient::from_id_and_secret(id, secret.as_bytes());
        assert_eq!(read, Err(wrong), "{id} {secret}");
        tells_nothing(wrong);
    }
}

#[test]
fn an_id_of_googles_has_its_form() {
    for (id, looks) in [
        (ID, None),
        ("407408718192.apps.googleusercontent.com", None),
        (
            "gmail@my-project.iam.gserviceaccount.com",
            Some(NotAnId::Email),
        ),
        (
            "https://123-a.apps.googleusercontent.com",
            Some(NotAnId::Url),
        ),
        ("123-a.apps.googleusercontent.com/", Some(NotAnId::Url)),
        ("123456789012", Some(NotAnId::Number)),
        ("my-project-123", Some(NotAnId::Project)),
        ("123456789012-abc123", Some(NotAnId::CutOff)),
        (
            "123456789012-abc123.apps.googleuserconten",
            Some(NotAnId::CutOff),
        ),
        ("abc123.apps.googleusercontent.com", Some(NotAnId::NoNumber)),
    ] {
        let client = OAuthClient::from_id_and_secret(id, SECRET.as_bytes());
        let read = client.and_then(OAuthClient::of_google).map(|c| c.id);
        let expected = looks.map_or(Ok(id.to_owned()), |looks| {
            Err(BadCredentials::IdForm(looks))
        });
        assert_eq!(read, expected);
    }
}

#[test]
fn reads_both_forms() {
    let client = OAuthClient::from_json(br#"{"web":{"client_id":"12-a.apps.googleusercontent.com","client_secret":"s","redirect_uris":["https://x/cb",7],"auth_uri":"y"}}"#);
    assert_eq!(client.as_ref().map(|c| c.project_number()), Ok(Some("12")));
    assert_eq!(
        client.map(|c| c.redirect_uris),
        Ok(Some(vec!["https://x/cb".into()]))
    );
    assert!(
        OAuthClient::from_id_and_secret("id", b"s")
            .is_ok_and(|c| c.project_number().is_none() && !format!("{c:?}").contains("\"s\""))
    );
}

#[test]
fn each_fault_has_its_reason() {
    for (fault, reason) in [
        (BadCredentials::Empty, Reason::ClientSecretMissing),
        (
            BadCredentials::Secret(Stray::Empty),
            Reason::ClientSecretMissing,
        ),
        (BadCredentials::Base64Twice, Reason::ClientSecretInvalid),
        (Misplaced::Swapped.into(), Reason::ClientSecretInvalid),
        (Other::Desktop.into(), Reason::ClientTypeWrong),
        (BadCredentials::Id(Stray::Quotes), Reason::ClientIdInvalid),
        (
            BadCredentials::IdForm(NotAnId::Email),
            Reason::ClientIdInvalid,
        ),
    ] {
        assert_eq!(fault.reason(), reason, "{fault}");
    }
}
