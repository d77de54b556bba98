//! Page: embedded in the binary, or from a directory.
//!
//! Both are served with compression (from the `.br` and `.gz` files of the build), strong ETags, range requests, and the headers
//! of [`headers`].

mod built;
mod embedded;
mod folder;
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
use folder::Folder;
use headers::PageHeaders;

/// Location of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Site {
    /// Directory.
    Folder(PathBuf),
    /// Embedded in the binary.
    Embedded,
    /// No page was found.
    Missing,
}

impl Site {
    /// Returns the embedded page, if the binary has one.
    pub(crate) fn embedded() -> Option<Self> {
        Embedded::has_page().then_some(Self::Embedded)
    }

    /// Creates the router of the page; without a page, it responds with instructions. Pages of `frame_ancestors` can show the
    /// page in a frame.
    pub(super) fn service(&self, frame_ancestors: &[String]) -> Router {
        match self {
            Self::Folder(folder) => {
                let headers = PageHeaders::new(frame_ancestors, is_tailcast_page(folder));
                files(ServeDir::with_backend("", Folder::new(folder)), headers)
            }
            Self::Embedded => {
                files(ServeDir::with_backend("", Embedded), PageHeaders::new(frame_ancestors, true))
            }
            Self::Missing => Router::new().fallback(no_page),
        }
    }
}

/// Whether the directory contains the page of this project. Another page can have inline scripts, which the
/// Content-Security-Policy would block.
fn is_tailcast_page(folder: &Path) -> bool {
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
    let message = if uri.path() == "/" {
        "This binary contains no page; build it with `cargo xtask build`, or start it with `--site DIR`.\n"
    } else {
        "Not found.\n"
    };
    (StatusCode::NOT_FOUND, message)
}
