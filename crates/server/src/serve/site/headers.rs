//! What is said along with each file of the page.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// How long a file may be kept whose name holds a hash of its content: for ever, as it never comes to mean another content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Others may: they are asked for again each time, and the answer is mostly 304.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// How many hexadecimal digits of a hash the build puts into names.
const HASH_DIGITS: usize = 16;

/// The headers that are the same for all files.
#[derive(Debug, Clone)]
pub(super) struct PageHeaders(Arc<HeaderMap>);

impl PageHeaders {
    /// `framers` are the origins whose pages may show the page in a frame. Only a page that is `ours` is under our policy.
    pub(super) fn new(framers: &[String], ours: bool) -> Self {
        // Origins were checked to hold nothing that a header cannot.
        let policy = HeaderValue::from_str(&content_security_policy(framers));
        let policy = policy.unwrap_or(const { HeaderValue::from_static("default-src 'none'") });
        let all: [(HeaderName, HeaderValue); 3] = [
            (header::CONTENT_SECURITY_POLICY, policy),
            // A file is what its name says, whatever its bytes look like.
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            // The page's address may name a user; other sites need not know it.
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        let is_meant =
            |(name, _): &(HeaderName, HeaderValue)| ours || *name != header::CONTENT_SECURITY_POLICY;
        Self(Arc::new(all.into_iter().filter(is_meant).collect()))
    }
}

/// Middleware that puts the headers on every answer.
pub(super) async fn add(State(headers): State<PageHeaders>, request: Request, next: Next) -> Response {
    let how_long = if has_hash(request.uri().path()) { FOR_EVER } else { ASK_AGAIN };
    let mut response = next.run(request).await;
    let is_good = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let said = response.headers_mut();
    said.extend(headers.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    said.insert(header::CACHE_CONTROL, if is_good { how_long } else { ASK_AGAIN });
    if is_good {
        // Of a file that is not packed too: it may be in the next build.
        said.insert(header::VARY, const { HeaderValue::from_static("accept-encoding") });
    }
    response
}

/// Everything comes from the page's own origin; only WebAssembly may be compiled, nothing inline runs. The page may connect
/// to anywhere, since its address may name a negotiate endpoint elsewhere, and that a service elsewhere again.
fn content_security_policy(framers: &[String]) -> String {
    let framers: String = framers.iter().map(|origin| format!(" {}", origin.trim_end_matches('/'))).collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src *; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'{framers}"
    )
}

/// Whether a file's name ends in `-HASH.ext` or `-HASH_more.ext`.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.rsplit_once('-').is_some_and(|(_, rest)| {
        let digits = rest.as_bytes().iter().take_while(|byte| is_digit(byte)).count();
        let ends_there = rest.as_bytes().get(digits).is_some_and(|byte| matches!(byte, b'.' | b'_'));
        (HASH_DIGITS - 1..=HASH_DIGITS).contains(&digits) && ends_there
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for name in
            ["/style-979af3e668ada859.css", "/x/page-dfbabe9bcee54733_bg.wasm", "/f-65493ee016028c3.svg"]
        {
            assert!(has_hash(name), "{name}");
        }
        for name in [
            "/",
            "/index.html",
            "/style-dark.css",
            "/a-979af3e668ada859/index.html",
            "/style-979af3e668ada859",
        ] {
            assert!(!has_hash(name), "{name}");
        }
    }

    #[test]
    fn the_policy_runs_nothing_inline_and_lets_allowed_pages_show_the_page() {
        let policy = content_security_policy(&["https://friend.example/".into()]);
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        assert!(policy.ends_with("frame-ancestors 'self' https://friend.example"));
        assert!(HeaderValue::from_str(&policy).is_ok());
    }
}
