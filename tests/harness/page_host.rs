//! Web server of a host page, on a separate origin, with the files of the custom element and pages of the test.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::environment;

/// Path of the element's files.
pub const PACKAGE: &str = "/tailcast/";

/// Response at a path.
#[derive(Debug, Clone)]
struct StoredResponse {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl IntoResponse for StoredResponse {
    fn into_response(self) -> Response {
        let mut response = self.body.into_response();
        for (name, value) in self.headers {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

type Responses = Arc<Mutex<HashMap<String, StoredResponse>>>;

/// Web server. Stops when dropped.
pub struct PageHost {
    address: String,
    responses: Responses,
    task: JoinHandle<()>,
}

impl PageHost {
    /// Starts a server with the element's files at [`PACKAGE`].
    ///
    /// # Errors
    /// Fails if no port is free, or the element is not built.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?.to_string();
        let responses = Responses::default();
        let router = Router::new().fallback(respond).with_state(Arc::clone(&responses));
        let task = tokio::spawn(async move {
            // Runs until the task is aborted.
            axum::serve(listener, router).await.unwrap_or_default();
        });
        let host = Self { address, responses, task };
        // Browsers always request it.
        host.put("/favicon.ico", "image/x-icon", "");
        let package = environment::element()?;
        for entry in package.read_dir().with_context(|| format!("no element at {}", package.display()))? {
            let file = entry?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            host.put(&format!("{PACKAGE}{name}"), content_type_of(&file), std::fs::read(&file)?);
        }
        Ok(host)
    }

    /// Returns the URL of `path`; the origin for an empty path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sets the response at `path`.
    pub fn put(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        self.put_with(path, &[("content-type", content_type)], body);
    }

    /// Sets the response at `path`, with the given headers.
    pub fn put_with(&self, path: &str, headers: &[(&'static str, &str)], body: impl Into<Vec<u8>>) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let response = StoredResponse { headers, body: body.into() };
        self.responses().insert(path.to_owned(), response);
    }

    /// Removes the response at `path`.
    pub fn remove(&self, path: &str) {
        self.responses().remove(path);
    }

    /// Returns the body at `path`.
    ///
    /// # Errors
    /// Fails if there is no response at `path`.
    pub fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let response =
            self.responses().get(path).cloned().with_context(|| format!("no response at {path}"))?;
        Ok(response.body)
    }

    /// Returns the body at `path` as text.
    ///
    /// # Errors
    /// Fails if there is no response at `path`, or its body is not UTF-8.
    pub fn text(&self, path: &str) -> anyhow::Result<String> {
        Ok(String::from_utf8(self.bytes(path)?)?)
    }

    fn responses(&self) -> MutexGuard<'_, HashMap<String, StoredResponse>> {
        self.responses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PageHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn respond(State(responses): State<Responses>, uri: Uri) -> Response {
    let response = responses.lock().unwrap_or_else(PoisonError::into_inner).get(uri.path()).cloned();
    response.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

/// Returns the usual content type of a file.
fn content_type_of(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
