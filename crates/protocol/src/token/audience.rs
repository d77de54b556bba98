//! What a token is for.
//!
//! Client tokens name the client endpoint of their hub, REST tokens the URL of the request. Signers spell the same
//! URL differently: host or hub in another case, `ws` for `http`, parts percent-encoded or not, the query there or
//! not. All spellings count; another host, path or query does not.

use percent_encoding::percent_decode_str;

use super::Claims;

/// Whether the token is for `path` on `host` (`host[:port]`), whatever the query.
///
/// `host` is `None` where the host cannot be known or does not matter: a service on the loopback interface has many
/// names.
#[must_use]
pub fn is_for_path(claims: &Claims, host: Option<&str>, path: &str) -> bool {
    claims
        .audiences
        .iter()
        .any(|audience| split(audience).is_some_and(|parts| is_same_place(&parts, host, path)))
}

/// Whether the token is for the request target `path[?query]` on `host`.
#[must_use]
pub fn is_for_target(claims: &Claims, host: Option<&str>, target: &str) -> bool {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    claims.audiences.iter().any(|audience| {
        split(audience).is_some_and(|parts| {
            let query_fits =
                parts.query.is_none_or(|signed| query.is_some_and(|sent| is_same_text(signed, sent)));
            query_fits && is_same_place(&parts, host, path)
        })
    })
}

struct Parts<'a> {
    host: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

/// Takes `scheme://host/path?query` apart; `None` for a scheme of another protocol.
fn split(audience: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = audience.split_once("://")?;
    if !["http", "https", "ws", "wss"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (host, path) = place.find('/').map_or((place, ""), |slash| place.split_at(slash));
    Some(Parts { host, path, query })
}

fn is_same_place(parts: &Parts<'_>, host: Option<&str>, path: &str) -> bool {
    let host_fits = host.is_none_or(|host| host.eq_ignore_ascii_case(parts.host));
    host_fits && is_same_text(parts.path.trim_end_matches('/'), path.trim_end_matches('/'))
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
    fn a_token_signed_for_one_query_is_not_good_for_another() {
        let token = token_for("http://h/api/hubs/c/:send?api-version=1&excluded=a%20b");
        assert!(is_for_target(&token, None, "/api/hubs/c/%3Asend?api-version=1&excluded=a b"));
        assert!(!is_for_target(&token, None, "/api/hubs/c/:send?api-version=1"));
    }
}
