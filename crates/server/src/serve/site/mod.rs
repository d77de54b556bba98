//! The built page: carried in the program, or from a folder.
//!
//! Both are served the same way: compressed where the client takes it (the build wrote `.br` and `.gz` beside each file),
//! with strong ETags, ranges, and the headers of [`headers`].

mod embedded;
mod headers;

use std::path::PathBuf;

use axum::{
    Router,
    http::{StatusCode, Uri},
    middleware,
};
use tower_http::services::{
    ServeDir,
    fs::{Backend, DefaultServeDirFallback},
};

use embedded::Embedded;
use headers::PageHeaders;

/// Where the page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Site {
    /// In a folder.
    Folder(PathBuf),
    /// In this program.
    Embedded,
    /// Nowhere.
    Missing,
}

impl Site {
    /// What this program carries.
    pub(crate) fn carried() -> Option<Self> {
        Embedded::has_page().then_some(Self::Embedded)
    }

    /// Serves it; where it is missing, says how to get it. `framers` are the origins whose pages may show it in a frame.
    pub(super) fn service(&self, framers: &[String]) -> Router {
        match self {
            Self::Folder(folder) => files(ServeDir::new(folder), framers),
            Self::Embedded => files(ServeDir::with_backend("", Embedded), framers),
            Self::Missing => Router::new().fallback(no_page),
        }
    }
}

fn files<B>(files: ServeDir<DefaultServeDirFallback, B>, framers: &[String]) -> Router
where
    B: Backend + Send + Sync + 'static,
    B::OpenFuture: 'static,
    B::MetadataFuture: 'static,
{
    let files = files.precompressed_br().precompressed_gzip().ignore_multi_range_requests(true);
    let headers = PageHeaders::new(framers);
    Router::new().fallback_service(files).layer(middleware::from_fn_with_state(headers, headers::add))
}

async fn no_page(uri: Uri) -> (StatusCode, &'static str) {
    let words = if uri.path() == "/" {
        "This program carries no page: build it with `cargo xtask build`, or start with `--site DIR`.\n"
    } else {
        "Not found.\n"
    };
    (StatusCode::NOT_FOUND, words)
}
