//! Response headers of the page's files.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// `Cache-Control` of files with a hash in their name, whose content never changes.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// `Cache-Control` of other files: revalidated on each use, mostly with a 304 response.
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
/// Number of hexadecimal digits of a hash in a file name.
const HASH_DIGITS: usize = 16;
/// Fewest of these digits: trunk omits leading zeros, of which there are rarely more than three. A date has fewer, and a file with fewer is
/// only revalidated.
const MIN_HASH_DIGITS: usize = 13;

/// Headers that are common to all files.
#[derive(Debug, Clone)]
pub(super) struct PageHeaders(Arc<HeaderMap>);

impl PageHeaders {
    /// Creates the headers. Pages of `frame_ancestors` can show the page in a frame. `has_policy` adds the
    /// Content-Security-Policy.
    pub(super) fn new(frame_ancestors: &[String], has_policy: bool) -> Self {
        // Validated origins contain only characters that are allowed in a header.
        let policy = HeaderValue::from_str(&content_security_policy(frame_ancestors));
        let policy = policy.unwrap_or(const { HeaderValue::from_static("default-src 'none'") });
        let all: [(HeaderName, HeaderValue); 3] = [
            (header::CONTENT_SECURITY_POLICY, policy),
            // The type depends on the name alone.
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            // The URL of the page can contain a user id, which other sites must not receive.
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        let is_included =
            |(name, _): &(HeaderName, HeaderValue)| has_policy || *name != header::CONTENT_SECURITY_POLICY;
        Self(Arc::new(all.into_iter().filter(is_included).collect()))
    }
}

/// Middleware that adds the headers to every response.
pub(super) async fn add(State(headers): State<PageHeaders>, request: Request, next: Next) -> Response {
    let cache_control = if has_hash(request.uri().path()) { IMMUTABLE } else { REVALIDATE };
    let mut response = next.run(request).await;
    let is_success = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let response_headers = response.headers_mut();
    response_headers.extend(headers.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    response_headers.insert(header::CACHE_CONTROL, if is_success { cache_control } else { REVALIDATE });
    if is_success {
        // Pages of other origins need none of the files: they embed the page in a frame, or serve the custom element
        // themselves. Errors stay readable as opaque responses, by which clients recognize that a server answered.
        response_headers
            .insert(CROSS_ORIGIN_RESOURCE_POLICY, const { HeaderValue::from_static("same-origin") });
        // Files without a compressed version too: the next build can have one.
        response_headers.insert(header::VARY, const { HeaderValue::from_static("accept-encoding") });
    }
    response
}

/// Returns the Content-Security-Policy: all files from the page's own origin, WebAssembly, no inline scripts. Connections to all
/// origins are allowed, because the URL of the page can contain a negotiate endpoint of another server.
fn content_security_policy(frame_ancestors: &[String]) -> String {
    let ancestors: String =
        frame_ancestors.iter().map(|origin| format!(" {}", origin.trim_end_matches('/'))).collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src *; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'{ancestors}"
    )
}

/// Whether a file's name ends in `-HASH.ext` or `-HASH_more.ext`. A date with a time has no letters.
pub(super) fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.rsplit_once('-').is_some_and(|(_, rest)| {
        let end = rest.as_bytes().iter().position(|byte| !is_digit(byte)).unwrap_or(rest.len());
        let (digits, behind) = rest.as_bytes().split_at(end);
        let has_letter = digits.iter().any(u8::is_ascii_alphabetic);
        (MIN_HASH_DIGITS..=HASH_DIGITS).contains(&end) && has_letter && matches!(behind, [b'.' | b'_', ..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        for name in
            ["/style-979af3e668ada859.css", "/x/page-dfbabe9bcee54733_bg.wasm", "/f-1f7100934784f.svg"]
        {
            assert!(has_hash(name), "{name}");
        }
        for name in [
            "/",
            "/index.html",
            "/style-dark.css",
            "/a-979af3e668ada859/index.html",
            "/style-979af3e668ada859",
            "/report-20261201.html",
            "/report-20261201120000.html",
        ] {
            assert!(!has_hash(name), "{name}");
        }
    }

    #[test]
    fn the_policy_blocks_inline_scripts_and_allows_the_frame_ancestors() {
        let policy = content_security_policy(&["https://friend.example/".into()]);
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        assert!(policy.ends_with("frame-ancestors 'self' https://friend.example"));
        assert!(HeaderValue::from_str(&policy).is_ok());
    }
}
