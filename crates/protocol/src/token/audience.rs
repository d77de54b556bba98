//! Audiences of tokens.
//!
//! Client tokens name the client endpoint of their hub, REST tokens the URL of the request. Scheme and host have several
//! spellings: `ws` for `http`, upper and lower case. Names of hubs are not case-sensitive either, and signers differ in
//! the percent-encoding of the client endpoint. Names of groups, users and connections are case-sensitive, so a REST
//! request must have the same segments of the path as its token, byte by byte. They are compared
//! decoded, because some HTTP clients (yarl in Python, for one) encode a URL again after it was signed.

use percent_encoding::percent_decode_str;

use super::Claims;

/// Whether the token is for the client endpoint `path` on `host` (`host[:port]`), with any query.
///
/// `host` is `None` where the host cannot be known or does not matter: a service on the loopback interface has many
/// names.
#[must_use]
pub fn is_for_path(claims: &Claims, host: Option<&str>, path: &str) -> bool {
    claims.audiences.iter().filter_map(|audience| split(audience)).any(|parts| {
        is_same_host(&parts, host)
            && is_same_text(parts.path.trim_end_matches('/'), path.trim_end_matches('/'))
    })
}

/// Returns whether the token is for a request to `path` on `host`. The query does not count on either side, and the audience
/// may have further segments, as the cloud service has it (documentation of the vendor's emulator, "REST access-token
/// audiences").
#[must_use]
pub fn is_for_target(claims: &Claims, host: Option<&str>, path: &str) -> bool {
    claims.audiences.iter().filter_map(|audience| split(audience)).any(|parts| {
        let mut signed = segments(parts.path);
        is_same_host(&parts, host) && segments(path).all(|segment| signed.next().as_ref() == Some(&segment))
    })
}

/// Returns whether an audience is a URL with TLS.
#[must_use]
pub fn is_encrypted(claims: &Claims) -> bool {
    let schemes = claims.audiences.iter().filter_map(|audience| audience.split_once("://"));
    let mut schemes = schemes.map(|(scheme, _)| scheme);
    schemes.any(|scheme| scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss"))
}

struct Parts<'a> {
    host: &'a str,
    path: &'a str,
}

/// Splits `scheme://host/path?query`; `None` for a scheme of another protocol.
fn split(audience: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = audience.split_once("://")?;
    if !["http", "https", "ws", "wss"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let place = rest.split_once('?').map_or(rest, |(place, _)| place);
    let (host, path) = place.find('/').map_or((place, ""), |slash| place.split_at(slash));
    Some(Parts { host, path })
}

fn is_same_host(parts: &Parts<'_>, host: Option<&str>) -> bool {
    host.is_none_or(|host| host.eq_ignore_ascii_case(parts.host))
}

/// Returns the decoded segments of a path. It is split first, so an encoded `/` does not begin another segment.
fn segments(path: &str) -> impl Iterator<Item = Vec<u8>> {
    path.split('/').map(|segment| percent_decode_str(segment).collect())
}

fn is_same_text(signed: &str, sent: &str) -> bool {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().to_lowercase();
    decoded(signed) == decoded(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_for(audience: &str) -> Claims {
        Claims { audiences: vec![audience.to_owned()], ..Claims::default() }
    }

    #[test]
    fn another_hub_host_or_scheme_is_another_audience() {
        let path = "/client/hubs/chat";
        assert!(is_for_path(&token_for("ws://H:1/client/hubs/Chat/"), Some("h:1"), path));
        for audience in [
            "http://h:1/client/hubs/chat2",
            "http://h:2/client/hubs/chat",
            "ftp://h:1/client/hubs/chat",
            "http://h:1/client/hubs/chat/x",
            "/client/hubs/chat",
            "",
        ] {
            assert!(!is_for_path(&token_for(audience), Some("h:1"), path), "{audience}");
        }
    }

    #[test]
    fn the_query_and_further_segments_of_the_audience_do_not_count() {
        for audience in [
            "http://h/api/hubs/c/groups/g/connections?api-version=1&maxpagesize=1",
            "http://h/api/hubs/c/groups/g/connections?anything",
            "http://h/api/hubs/c/groups/g/connections",
            "http://h/api/hubs/c/groups/g/connections/",
            "https://h/api/hubs/c/groups/g/connections/child?api-version=1",
        ] {
            assert!(
                is_for_target(&token_for(audience), Some("h"), "/api/hubs/c/groups/g/connections"),
                "{audience}"
            );
        }
        for audience in
            ["http://h/api/hubs/c/groups/g", "http://h/api/hubs/c/groups/g/connectionsx", "http://h/?/api"]
        {
            assert!(
                !is_for_target(&token_for(audience), Some("h"), "/api/hubs/c/groups/g/connections"),
                "{audience}"
            );
        }
    }

    #[test]
    fn a_token_for_one_path_is_not_good_for_a_path_with_other_names() {
        let token = token_for("WSS://LOGS.example:8443/api/hubs/c/groups/g/:send");
        let host = Some("logs.Example:8443");
        for target in ["/api/hubs/c/groups/g/:send", "/api/hubs/c/groups/%67/%3Asend"] {
            assert!(is_for_target(&token, host, target), "{target}");
        }
        for target in [
            "/api/hubs/c/groups/G/:send",
            "/api/hubs/c/groups/%47/:send",
            "/api/hubs/C/groups/g/:send",
            "/api/hubs/c/groups/%2567/:send",
            "/api/hubs/c/groups/g%2F:send",
            "/api/hubs/c/groups/g/:send/",
            "/API/hubs/c/groups/g/:send",
        ] {
            assert!(!is_for_target(&token, host, target), "{target}");
        }
        let quoted = token_for("http://h/api/hubs/c/users/ada%40example.com/:send");
        assert!(is_for_target(&quoted, None, "/api/hubs/c/users/ada@example.com/:send"));
        // One segment that contains a slash is not two segments, and bytes that are not UTF-8 differ from each other.
        let encoded = token_for("http://h/api/hubs/c/groups/g%2F%FF/:send");
        assert!(is_for_target(&encoded, None, "/api/hubs/c/groups/g%2f%ff/:send"));
        for name in ["g/%FF", "g%2F%FE", "g%2F%EF%BF%BD"] {
            assert!(!is_for_target(&encoded, None, &format!("/api/hubs/c/groups/{name}/:send")), "{name}");
        }
    }
}
