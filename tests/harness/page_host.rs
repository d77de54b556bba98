//! Somebody else's web server, on an origin of its own: it has the files of the custom element, and pages that tests write.

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

/// Below which path the element's files are.
pub const PACKAGE: &str = "/tailcast/";

/// What is answered at a path.
#[derive(Debug, Clone)]
struct Answer {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl IntoResponse for Answer {
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

type Answers = Arc<Mutex<HashMap<String, Answer>>>;

/// See the [module](self). Ends when dropped.
pub struct PageHost {
    address: String,
    answers: Answers,
    task: JoinHandle<()>,
}

impl PageHost {
    /// A server that has the element's files below [`PACKAGE`].
    ///
    /// # Errors
    /// When no port is free, or the element is not built.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?.to_string();
        let answers = Answers::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&answers));
        let task = tokio::spawn(async move {
            // Ends with the test.
            axum::serve(listener, router).await.unwrap_or_default();
        });
        let host = Self { address, answers, task };
        // Browsers ask for it whatever the page says.
        host.put("/favicon.ico", "image/x-icon", "");
        let package = environment::element()?;
        for entry in package.read_dir().with_context(|| format!("no element at {}", package.display()))? {
            let file = entry?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            host.put(&format!("{PACKAGE}{name}"), kind_of(&file), std::fs::read(&file)?);
        }
        Ok(host)
    }

    /// The URL of `path`. Of the empty one: the origin.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Has something at `path`, in place of what was there.
    pub fn put(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        self.put_with(path, &[("content-type", content_type)], body);
    }

    /// The same with other headers.
    pub fn put_with(&self, path: &str, headers: &[(&'static str, &str)], body: impl Into<Vec<u8>>) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let answer = Answer { headers, body: body.into() };
        self.answers().insert(path.to_owned(), answer);
    }

    /// Has nothing at `path` any more.
    pub fn take_away(&self, path: &str) {
        self.answers().remove(path);
    }

    /// What is at `path`.
    ///
    /// # Errors
    /// When nothing is there.
    pub fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.answers().get(path).cloned().with_context(|| format!("nothing is at {path}"))?;
        Ok(answer.body)
    }

    /// The same as text.
    ///
    /// # Errors
    /// When nothing is there, or no text.
    pub fn text(&self, path: &str) -> anyhow::Result<String> {
        Ok(String::from_utf8(self.bytes(path)?)?)
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<String, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PageHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(answers): State<Answers>, uri: Uri) -> Response {
    let answer = answers.lock().unwrap_or_else(PoisonError::into_inner).get(uri.path()).cloned();
    answer.map_or_else(|| StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

/// The media type that a usual server gives a file.
fn kind_of(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
