//! The query with which anybody can come to the redirect URI.
#![no_main]

use gmail_operator::web::fuzzing::read;
use gmail_operator_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let query = String::from_utf8_lossy(data);
    let Some(read) = bounded(query.len(), || read(&query)) else {
        return;
    };
    let of = |name: &str| -> Vec<String> {
        let all = url::form_urlencoded::parse(query.as_bytes());
        let found = all.filter(|(found, _)| found == name);
        found.map(|(_, value)| value.into_owned()).collect()
    };
    assert!(!read.state.is_empty());
    assert!(read.code.is_some() != read.error.is_some());
    assert!(read.code.as_deref() != Some(""));
    // What is read stands there once.
    for (name, value) in [
        ("state", &Some(read.state.clone())),
        ("iss", &read.iss),
        ("code", &read.code),
        ("error", &read.error),
    ] {
        assert_eq!(of(name), Vec::from_iter(value.clone()), "{name}");
    }
    // The code is not told, unless it is a word that is told anyway.
    if let Some(code) = read.code.filter(|code| code.len() >= 16) {
        assert!(!read.told.contains(&code), "{}", read.told);
    }
    assert!(read.told.len() <= 200, "{}", read.told);
});
