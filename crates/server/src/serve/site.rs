//! The built page, from its folder.

use std::path::PathBuf;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, StatusCode, Uri, header},
};
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

/// Serves the files of `folder`; without one, says how to get one.
pub(super) fn service(folder: Option<PathBuf>) -> Router {
    let Some(folder) = folder else { return Router::new().fallback(no_page) };
    Router::new()
        .fallback_service(ServeDir::new(folder))
        // A file is what its name says, whatever its bytes look like.
        .layer(static_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // The page's address may name a user; other sites need not know it.
        .layer(static_header(header::REFERRER_POLICY, "no-referrer"))
}

fn static_header(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

async fn no_page(uri: Uri) -> (StatusCode, &'static str) {
    let words = if uri.path() == "/" {
        "No page is served here: build it with `cargo xtask build`, then start with `--site dist`.\n"
    } else {
        "Not found.\n"
    };
    (StatusCode::NOT_FOUND, words)
}
