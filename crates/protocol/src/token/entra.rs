//! Access tokens of Microsoft Entra ID, which application servers send to the REST data plane in place of tokens that are
//! signed with an access key.
//!
//! Their signatures can be verified only with keys that Microsoft publishes online. This module reads their claims and
//! checks the issuer, the audience and the times, but not the signature: enough for a service on the loopback interface.
//!
//! Source: "Authorize request to Web PubSub resources with Microsoft Entra ID"; README of the vendor's emulator, "Local
//! server SDK authentication".

use super::{CLOCK_SKEW_SECONDS, Claims, MAX_TOKEN_BYTES, UnixTime, decode_part};

/// Audience of tokens for any Web PubSub resource.
pub const AUDIENCE: &str = "https://webpubsub.azure.com";

/// Issuers, by cloud. Each is followed by the id of a tenant.
const ISSUERS: [&str; 6] = [
    "https://sts.windows.net/",
    "https://login.microsoftonline.com/",
    "https://login.microsoftonline.us/",
    "https://sts.chinacloudapi.cn/",
    "https://login.chinacloudapi.cn/",
    "https://login.partner.microsoftonline.cn/",
];

/// Reason for which a token of Microsoft Entra ID is rejected. Never contains the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntraError {
    /// Signatures cannot be verified here, and unverified tokens are not accepted.
    #[error(
        "the access token is from Microsoft Entra ID, whose signatures this service cannot verify; use the access key of \
         the connection string, or allow unverified Entra tokens on the loopback interface"
    )]
    NotAllowed,
    /// The issuer is no tenant of Microsoft Entra ID.
    #[error(
        "the Microsoft Entra token has the issuer `{0}`, which is no tenant of Microsoft Entra ID; request the token from a tenant"
    )]
    Issuer(String),
    /// The token is for another resource.
    #[error(
        "the Microsoft Entra token is for another resource; request it for the scope `https://webpubsub.azure.com/.default`"
    )]
    Audience,
    /// The token has no expiry.
    #[error("the Microsoft Entra token has no expiry (`exp`)")]
    NoExpiry,
    /// The token has expired.
    #[error("the Microsoft Entra token has expired; request a new one")]
    Expired,
    /// The token is not valid yet.
    #[error("the Microsoft Entra token is not valid yet; compare the clocks of signer and service")]
    NotYetValid,
}

/// Claims of a token of Microsoft Entra ID, whose signature has not been verified.
#[derive(Debug, Clone, PartialEq)]
pub struct EntraToken {
    issuer: Option<String>,
    claims: Claims,
}

impl EntraToken {
    /// Reads a token without verifying its signature; `None` if neither its issuer nor its audience belongs to Microsoft
    /// Entra ID.
    #[must_use]
    pub fn read(token: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let claims: Claims = decode_part(payload).ok()?;
        let issuer = claims.other.get("iss").and_then(|issuer| issuer.as_str()).map(str::to_owned);
        let token = Self { issuer, claims };
        (token.has_known_issuer() || token.has_audience()).then_some(token)
    }

    /// Checks everything but the signature: issuer, audience and times.
    ///
    /// # Errors
    /// [`EntraError`].
    pub fn check_unverified(&self, now: UnixTime) -> Result<(), EntraError> {
        if !self.has_known_issuer() {
            return Err(EntraError::Issuer(self.issuer.clone().unwrap_or_default()));
        }
        if !self.has_audience() {
            return Err(EntraError::Audience);
        }
        match (self.claims.expires_at, self.claims.not_before) {
            (None, _) => Err(EntraError::NoExpiry),
            (Some(expires_at), _) if now >= expires_at.plus(CLOCK_SKEW_SECONDS) => Err(EntraError::Expired),
            (_, Some(not_before)) if now.plus(CLOCK_SKEW_SECONDS) < not_before => {
                Err(EntraError::NotYetValid)
            }
            _ => Ok(()),
        }
    }

    fn has_known_issuer(&self) -> bool {
        self.issuer.as_deref().is_some_and(is_tenant)
    }

    fn has_audience(&self) -> bool {
        self.claims
            .audiences
            .iter()
            .any(|audience| audience.strip_suffix('/').unwrap_or(audience) == AUDIENCE)
    }
}

/// Returns whether `issuer` is the URL of a tenant: `…/TENANT/` (version 1 of the tokens) or `…/TENANT/v2.0` (version 2).
fn is_tenant(issuer: &str) -> bool {
    let Some(rest) = ISSUERS.iter().find_map(|known| issuer.strip_prefix(known)) else { return false };
    let (tenant, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let lengths = tenant.split('-').map(str::len);
    let is_uuid =
        lengths.eq([8, 4, 4, 4, 12]) && tenant.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    is_uuid && matches!(rest, "" | "v2.0" | "v2.0/")
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL};
    use serde_json::{Value, json};

    use super::*;

    const NOW: UnixTime = UnixTime(1_795_457_426);
    const ISSUER: &str = "https://sts.windows.net/3f2b0c6d-9e1a-4f58-a7c2-d4e6f8091b23/";

    fn token(claims: &Value) -> String {
        let header = BASE64_URL.encode(r#"{"alg":"RS256","typ":"JWT","kid":"k"}"#);
        format!("{header}.{}.c2lnbmF0dXJl", BASE64_URL.encode(claims.to_string()))
    }

    fn check(claims: &Value) -> Result<(), EntraError> {
        EntraToken::read(&token(claims)).unwrap().check_unverified(NOW)
    }

    #[test]
    fn issuer_audience_and_times_are_checked_but_not_the_signature() {
        let exp = NOW.0 + 60;
        assert_eq!(check(&json!({"iss": ISSUER, "aud": AUDIENCE, "exp": exp, "nbf": NOW.0})), Ok(()));
        let second_version = "https://login.microsoftonline.com/3f2b0c6d-9e1a-4f58-a7c2-d4e6f8091b23/v2.0";
        assert_eq!(
            check(&json!({"iss": second_version, "aud": [format!("{AUDIENCE}/")], "exp": exp})),
            Ok(())
        );
        for issuer in [
            "https://sts.windows.net/",
            "https://sts.windows.net/common/",
            "https://evil.example/3f2b0c6d-9e1a-4f58-a7c2-d4e6f8091b23/",
            "https://sts.windows.net.evil.example/3f2b0c6d-9e1a-4f58-a7c2-d4e6f8091b23/",
        ] {
            let refused = check(&json!({"iss": issuer, "aud": AUDIENCE, "exp": exp}));
            assert_eq!(refused, Err(EntraError::Issuer(issuer.to_owned())));
        }
        let graph = json!({"iss": ISSUER, "aud": "https://graph.microsoft.com", "exp": exp});
        assert_eq!(check(&graph), Err(EntraError::Audience));
        assert_eq!(check(&json!({"iss": ISSUER, "aud": AUDIENCE})), Err(EntraError::NoExpiry));
        let past = NOW.0 - CLOCK_SKEW_SECONDS;
        assert_eq!(check(&json!({"iss": ISSUER, "aud": AUDIENCE, "exp": past})), Err(EntraError::Expired));
        let early =
            json!({"iss": ISSUER, "aud": AUDIENCE, "exp": exp, "nbf": NOW.0 + CLOCK_SKEW_SECONDS + 1});
        assert_eq!(check(&early), Err(EntraError::NotYetValid));
    }

    #[test]
    fn tokens_of_others_are_not_read() {
        let ours = token(&json!({"aud": "http://localhost/api/hubs/h/:send", "exp": NOW.0 + 60}));
        for token in ["", "a.b.c", "a.b", &ours, &format!("{ours}.more")] {
            assert_eq!(EntraToken::read(token), None, "{token}");
        }
    }
}
