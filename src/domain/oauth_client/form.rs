//! What a value looks like.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::MAX_CREDENTIALS;
use super::fault::{BadCredentials, Misplaced, NotAnId, Other, Stray};

/// How Google's client secrets have begun since 2021.
const SECRET_BEGINS: &str = "GOCSPX-";
/// How Google's client IDs end.
const ID_ENDS: &str = ".apps.googleusercontent.com";
/// How Google's API keys begin, and how long they are.
const API_KEY: (&str, usize) = ("AIza", 39);
/// How many bytes are looked at to tell UTF-16 from bytes.
const SAMPLE: usize = 64;

/// With or without `=` at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A value as text.
pub(super) fn text(value: &[u8]) -> Result<&str, BadCredentials> {
    if value.len() > MAX_CREDENTIALS {
        return Err(BadCredentials::TooLarge);
    }
    if value.iter().all(u8::is_ascii_whitespace) {
        return Err(BadCredentials::Empty);
    }
    match value {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(BadCredentials::Utf16),
        [0xef, 0xbb, 0xbf, ..] => return Err(BadCredentials::ByteOrderMark),
        _ if is_utf16(value) => return Err(BadCredentials::Utf16),
        _ => {}
    }
    std::str::from_utf8(value).map_err(|_| BadCredentials::NotText)
}

/// ASCII text in UTF-16 has a zero in every second byte.
fn is_utf16(value: &[u8]) -> bool {
    let sample = &value[..value.len().min(SAMPLE) & !1];
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).all(|b| *b == 0);
    sample.len() >= 4 && (zeros(0) != zeros(1))
}

/// What a text is that is not JSON; `None` where it is nothing that is known.
pub(super) fn bare(text: &str) -> Option<BadCredentials> {
    let text = unquoted(text.trim());
    if is_secret(text) {
        return Some(Misplaced::SecretForFile.into());
    }
    if is_id(text) {
        return Some(Misplaced::IdForFile.into());
    }
    other(text)
}

/// Refuses a text that cannot be a client secret because it is something else.
pub(super) fn not_something_else(text: &str) -> Result<(), BadCredentials> {
    let text = unquoted(text.trim());
    if text.starts_with('{') {
        return Err(Misplaced::FileForSecret.into());
    }
    other(text).map_or(Ok(()), Err)
}

fn other(text: &str) -> Option<BadCredentials> {
    if text.starts_with(API_KEY.0) && text.len() == API_KEY.1 {
        return Some(Other::ApiKey.into());
    }
    if text.starts_with("-----BEGIN ") {
        return Some(Other::Pem.into());
    }
    let packed: String = text.split_ascii_whitespace().collect();
    let decoded = BASE64.decode(packed).ok()?;
    let inner = std::str::from_utf8(&decoded).ok()?.trim();
    (inner.starts_with('{') || is_secret(inner) || is_id(inner))
        .then_some(BadCredentials::Base64Twice)
}

/// Refuses an ID and a secret that stand in each other's place.
pub(super) fn in_their_places(id: &str, secret: &str) -> Result<(), BadCredentials> {
    let (id, secret) = (unquoted(id.trim()), unquoted(secret.trim()));
    match (is_secret(id), is_id(secret)) {
        (true, true) => Err(Misplaced::Swapped.into()),
        (true, false) => Err(Misplaced::SecretForId.into()),
        (false, true) => Err(Misplaced::IdForSecret.into()),
        (false, false) => Ok(()),
    }
}

fn is_secret(text: &str) -> bool {
    text.starts_with(SECRET_BEGINS)
}

fn is_id(text: &str) -> bool {
    text.ends_with(ID_ENDS) && !text.contains(char::is_whitespace)
}

fn unquoted(text: &str) -> &str {
    let stripped = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    stripped('"').or_else(|| stripped('\'')).unwrap_or(text)
}

/// Refuses characters that no client ID or secret has (RFC 6749 appendix A.1 and A.2 allow the space
/// as well, Google uses none).
pub(super) fn clean(text: &str) -> Result<(), Stray> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Stray::Empty);
    }
    if trimmed.len() < text.len() {
        return Err(Stray::WhiteSpace);
    }
    if trimmed.starts_with(['"', '\'']) || trimmed.ends_with(['"', '\'']) {
        return Err(Stray::Quotes);
    }
    if trimmed.contains("***") || trimmed.contains(['•', '…', '●']) {
        return Err(Stray::Masked);
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Stray::Within);
    }
    Ok(())
}

/// What `id` looks like, where it has not the form of Google's: the project's number, a dash and
/// letters (the oldest have none), and the ending.
pub(super) fn not_an_id(id: &str) -> Option<NotAnId> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if id.contains('@') {
        return Some(NotAnId::Email);
    }
    if id.contains('/') || id.contains(':') {
        return Some(NotAnId::Url);
    }
    if is_number(id) {
        return Some(NotAnId::Number);
    }
    let project = id.split(['-', '.']).next().unwrap_or_default();
    match id.strip_suffix(ID_ENDS) {
        None if is_number(project) => Some(NotAnId::CutOff),
        None => Some(NotAnId::Project),
        Some(_) if is_number(project) => None,
        Some(_) => Some(NotAnId::NoNumber),
    }
}
