//! The built page: carried in the program, or from a folder.
//!
//! Both are served the same way: compressed where the client takes it (the build wrote `.br` and `.gz` beside each file),
//! with strong ETags, ranges, and the headers of [`headers`].

mod embedded;
mod headers;

use std::path::{Path, PathBuf};

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
            Self::Folder(folder) => {
                let headers = PageHeaders::new(framers, is_our_page(folder));
                files(ServeDir::new(folder), headers)
            }
            Self::Embedded => files(ServeDir::with_backend("", Embedded), PageHeaders::new(framers, true)),
            Self::Missing => Router::new().fallback(no_page),
        }
    }
}

/// Whether the folder holds the page that this project builds, whose scripts are files of their own. Somebody else's page
/// may have its scripts inline, and knows best what it needs.
fn is_our_page(folder: &Path) -> bool {
    let names = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok());
    names.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().starts_with("start-"))
}

fn files<B>(files: ServeDir<DefaultServeDirFallback, B>, headers: PageHeaders) -> Router
where
    B: Backend + Send + Sync + 'static,
    B::OpenFuture: 'static,
    B::MetadataFuture: 'static,
{
    let files = files.precompressed_br().precompressed_gzip().ignore_multi_range_requests(true);
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
