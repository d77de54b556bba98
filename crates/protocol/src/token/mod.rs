//! Access tokens: JSON Web Tokens signed with an access key by HMAC-SHA-256 (RFC 7519, RFC 7515).
//!
//! One kind lets a client connect, the other lets an application server call the REST data plane; they differ in
//! their audience. Expiry is judged against a time that the caller gives.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::connection_string::AccessKey;

pub mod audience;
pub mod entra;

/// How far the clocks of signer and checker may be apart, in seconds (the cloud service allows as much).
pub const CLOCK_SKEW_SECONDS: u64 = 300;
/// Longest token that is looked at, in bytes: far beyond any real one, and a bound on work before the signature is known.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// This time and `seconds`.
    #[must_use]
    pub const fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// What a token says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// What the token is for: URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "one_or_many", rename = "aud")]
    pub audiences: Vec<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "numeric_date", rename = "iat")]
    pub issued_at: Option<UnixTime>,
    /// From when on it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "numeric_date", rename = "exp")]
    pub expires_at: Option<UnixTime>,
    /// From when on it counts.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "numeric_date", rename = "nbf")]
    pub not_before: Option<UnixTime>,
    /// Who the client is; `None` for an anonymous one.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "sub")]
    pub user_id: Option<String>,
    /// What the client may do; see [`crate::role`].
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "one_or_many", rename = "role")]
    pub roles: Vec<String>,
    /// Groups that the client is put into when it connects.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "one_or_many",
        rename = "webpubsub.group"
    )]
    pub groups: Vec<String>,
    /// Whatever else the signer put in, for an application's own use.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

impl Claims {
    /// Claims for one audience, good for `lifetime_seconds` from `now`.
    #[must_use]
    pub fn new(audience: String, now: UnixTime, lifetime_seconds: u64) -> Self {
        Self {
            audiences: vec![audience],
            issued_at: Some(now),
            expires_at: Some(now.plus(lifetime_seconds)),
            ..Self::default()
        }
    }
}

/// Times in a token: JSON numbers of seconds, which may have a fraction (RFC 7519, section 2, NumericDate).
mod numeric_date {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::UnixTime;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<UnixTime>, D::Error> {
        // The cast saturates: what lies before 1970 counts as 1970, what lies beyond any clock as never.
        let whole_seconds = |seconds: f64| UnixTime(seconds as u64);
        Ok(Option::<f64>::deserialize(deserializer)?.map(whole_seconds))
    }

    pub(super) fn serialize<S: Serializer>(
        time: &Option<UnixTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| time.0).serialize(serializer)
    }
}

/// A claim that is one string, or an array of strings: signers differ.
mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values,
        })
    }

    pub(super) fn serialize<S: Serializer>(values: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        match values {
            [value] => value.serialize(serializer),
            values => values.serialize(serializer),
        }
    }
}

/// Why a token does not count. Never holds the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a signed token at all.
    #[error("the access token is no JSON Web Token signed with HS256")]
    Malformed,
    /// Signed by one of the keys, but a claim has another type than it must.
    #[error(
        "the access token has a claim of the wrong type: `sub` must be a string; `aud`, `role` and `webpubsub.group` strings or arrays of \
         strings; `exp` and `nbf` numbers"
    )]
    Claims,
    /// Signed with another key.
    #[error("the access token is not signed with this service's access key")]
    WrongSignature,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the access token is not valid yet; compare the clocks of signer and service")]
    NotYetValid,
    /// It never ends, which no token may.
    #[error("the access token has no expiry (`exp`)")]
    NoExpiry,
    /// The header has `crit`: extensions without which the token must not be accepted (RFC 7515, section 4.1.11).
    #[error(
        "the access token requires extensions (`crit`), and this service supports none; sign it without `crit`"
    )]
    CriticalExtensions,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Whether there is a `crit` member, whatever its value: without extensions, every value is invalid.
    #[serde(default, rename = "crit", deserialize_with = "is_present")]
    has_critical_extensions: bool,
}

fn is_present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// The header of every token we sign: `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// Signs claims.
///
/// # Errors
/// Only when `claims.other` cannot be written as JSON, which a map of JSON values always can.
pub fn sign(claims: &Claims, key: &AccessKey) -> Result<String, serde_json::Error> {
    let payload = BASE64_URL.encode(serde_json::to_vec(claims)?);
    let signed = format!("{HEADER}.{payload}");
    let signature = BASE64_URL.encode(signature(&signed, key));
    Ok(format!("{signed}.{signature}"))
}

/// Checks signature and times, and gives the claims. The audience is the caller's to judge; see [`audience`].
///
/// Any one of `keys` will do: while a key is being changed, the old and the new one both count.
///
/// # Errors
/// [`TokenError`].
pub fn verify(token: &str, keys: &[AccessKey], now: UnixTime) -> Result<Claims, TokenError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::Malformed);
    }
    let (signed, given_signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = decode_part(header)?;
    if header.alg != "HS256" {
        return Err(TokenError::Malformed);
    }
    if header.has_critical_extensions {
        return Err(TokenError::CriticalExtensions);
    }
    let given_signature = BASE64_URL.decode(given_signature).map_err(|_| TokenError::Malformed)?;
    let is_ours = |key: &AccessKey| bool::from(signature(signed, key).ct_eq(&given_signature));
    if !keys.iter().any(is_ours) {
        return Err(TokenError::WrongSignature);
    }
    let claims: Claims = decode_part(payload).map_err(|_| TokenError::Claims)?;
    match (claims.expires_at, claims.not_before) {
        (None, _) => Err(TokenError::NoExpiry),
        (Some(expires_at), _) if now >= expires_at.plus(CLOCK_SKEW_SECONDS) => Err(TokenError::Expired),
        (_, Some(not_before)) if now.plus(CLOCK_SKEW_SECONDS) < not_before => Err(TokenError::NotYetValid),
        _ => Ok(claims),
    }
}

fn decode_part<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let json = BASE64_URL.decode(part.trim_end_matches('=')).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
}

/// What lets an event handler see that an event comes from this service: `sha256=…` for each key, of the connection's id
/// (service documentation, "CloudEvents extension", `ce-signature`).
#[must_use]
pub fn event_signature(connection_id: &str, keys: &[AccessKey]) -> String {
    let hex = |key: &AccessKey| {
        let digest = signature(connection_id, key);
        digest.iter().fold("sha256=".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
    };
    keys.iter().map(hex).collect::<Vec<_>>().join(",")
}

fn signature(signed: &str, key: &AccessKey) -> Vec<u8> {
    // HMAC takes keys of any length; an empty tag verifies against nothing.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()) else { return Vec::new() };
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vectors {
        now: u64,
        access_key: String,
        tokens: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        token: String,
        r#use: String,
        expect: String,
        url: Option<String>,
    }

    fn key() -> AccessKey {
        AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH").unwrap()
    }

    const NOW: UnixTime = UnixTime(1_795_457_426);

    #[test]
    fn every_recorded_token_is_judged_as_recorded() {
        let vectors: Vectors = serde_json::from_str(include_str!("../../tests/vectors/tokens.json")).unwrap();
        let key = AccessKey::new(&vectors.access_key).unwrap();
        for Vector { name, token, r#use, expect, url } in vectors.tokens {
            let claims = verify(&token, std::slice::from_ref(&key), UnixTime(vectors.now));
            let accepted = claims.is_ok_and(|claims| match r#use.as_str() {
                "client" => audience::is_for_path(&claims, Some("localhost:8080"), "/client/hubs/chat"),
                _ => {
                    let target = url.as_deref().unwrap().strip_prefix("http://localhost:8080").unwrap();
                    let path = target.split('?').next().unwrap_or_default();
                    audience::is_for_target(&claims, Some("localhost:8080"), path)
                }
            });
            assert_eq!(accepted, expect.starts_with("valid"), "{name}: {expect}");
        }
    }

    #[test]
    fn times_are_written_as_whole_seconds_and_read_with_a_fraction() {
        let claims = Claims::new("a".into(), NOW, 60);
        let json = serde_json::to_string(&claims).unwrap();
        assert_eq!(json, r#"{"aud":"a","iat":1795457426,"exp":1795457486}"#);
        let read: Claims = serde_json::from_str(r#"{"exp":1795457486.9}"#).unwrap();
        assert_eq!(read.expires_at, claims.expires_at);
    }

    #[test]
    fn either_key_counts_while_keys_change() {
        let other = AccessKey::new(&"k".repeat(40)).unwrap();
        let token = sign(&Claims::new("a".into(), NOW, 60), &key()).unwrap();
        assert!(verify(&token, &[other.clone(), key()], NOW).is_ok());
        assert_eq!(verify(&token, &[other], NOW), Err(TokenError::WrongSignature));
    }

    #[test]
    fn an_event_is_signed_with_every_key() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/tokens.json")).unwrap();
        let recorded = &vectors["ceSignature"];
        let text = |name: &str| recorded[name].as_str().unwrap();
        let keys = [text("primaryKey"), text("secondaryKey")].map(|key| AccessKey::new(key).unwrap());
        assert_eq!(event_signature(text("connectionId"), &keys[..1]), text("oneKey"));
        assert_eq!(event_signature(text("connectionId"), &keys), text("twoKeys"));
    }

    #[test]
    fn a_token_that_declares_no_signature_is_refused() {
        let payload = BASE64_URL.encode(r#"{"exp":9999999999}"#);
        let header = BASE64_URL.encode(r#"{"alg":"none"}"#);
        assert_eq!(verify(&format!("{header}.{payload}."), &[key()], NOW), Err(TokenError::Malformed));
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_named_as_the_reason() {
        for claims in
            [r#"{"exp":"soon"}"#, r#"{"exp":1,"sub":5}"#, r#"{"exp":1,"role":[5]}"#, r#"{"aud":{}}"#, "[]"]
        {
            let signed = format!("{HEADER}.{}", BASE64_URL.encode(claims));
            let token = format!("{signed}.{}", BASE64_URL.encode(signature(&signed, &key())));
            assert_eq!(verify(&token, &[key()], NOW), Err(TokenError::Claims), "{claims}");
            let other = AccessKey::new(&"k".repeat(40)).unwrap();
            assert_eq!(verify(&token, &[other], NOW), Err(TokenError::WrongSignature), "{claims}");
        }
    }

    #[test]
    fn a_token_with_critical_extensions_is_refused() {
        let payload = BASE64_URL.encode(r#"{"exp":9999999999}"#);
        let signed_with = |header: &str| {
            let signed = format!("{}.{payload}", BASE64_URL.encode(header));
            let signature = BASE64_URL.encode(signature(&signed, &key()));
            verify(&format!("{signed}.{signature}"), &[key()], NOW)
        };
        assert!(signed_with(r#"{"alg":"HS256","kid":"1"}"#).is_ok());
        for critical in [r#"["b64"]"#, r#"["exp"]"#, "[]", "null"] {
            let header = format!(r#"{{"alg":"HS256","b64":false,"crit":{critical}}}"#);
            assert_eq!(signed_with(&header), Err(TokenError::CriticalExtensions), "{critical}");
        }
    }

    #[test]
    fn times_are_judged_with_the_skew_and_not_beyond_it() {
        let token = sign(&Claims::new("a".into(), NOW, 60), &key()).unwrap();
        let last_moment = NOW.plus(60 + CLOCK_SKEW_SECONDS - 1);
        assert!(verify(&token, &[key()], last_moment).is_ok());
        assert_eq!(verify(&token, &[key()], last_moment.plus(1)), Err(TokenError::Expired));
    }

    proptest! {
        #[test]
        fn what_is_signed_is_verified(user in any::<Option<String>>(), roles in prop::collection::vec(any::<String>(), 0..4)) {
            let claims = Claims { user_id: user, roles, ..Claims::new("http://h/x".into(), NOW, 60) };
            let token = sign(&claims, &key()).unwrap();
            prop_assert_eq!(verify(&token, &[key()], NOW).unwrap(), claims);
        }

        #[test]
        fn no_text_makes_the_check_panic(token in any::<String>()) {
            prop_assert!(verify(&token, &[key()], NOW).is_err());
        }
    }
}
