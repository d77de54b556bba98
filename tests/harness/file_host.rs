//! Static file server.

use std::{
    collections::HashMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Content types by file extension.
const TYPES: [(&str, &str); 8] = [
    ("html", "text/html; charset=utf-8"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("wasm", "application/wasm"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("webmanifest", "application/manifest+json"),
];

/// Configuration of the server.
#[derive(Debug)]
struct HostConfig {
    folder: PathBuf,
    types: HashMap<String, String>,
    headers: String,
}

/// Static file server on a free port of the loopback interface. Stops when dropped.
pub struct FileHost {
    address: String,
    path: String,
    config: Arc<Mutex<HostConfig>>,
    task: JoinHandle<()>,
}

impl FileHost {
    /// Starts a server with the files of `folder` at `path`, which starts and ends with `/`.
    ///
    /// # Errors
    /// Fails if no port is free.
    pub async fn start(path: &str, folder: &Path) -> anyhow::Result<Self> {
        let types = TYPES.iter().map(|(ending, name)| ((*ending).to_owned(), (*name).to_owned())).collect();
        let config = HostConfig { folder: folder.to_owned(), types, headers: String::new() };
        let config = Arc::new(Mutex::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?.to_string();
        let task = tokio::spawn({
            let (path, config) = (path.to_owned(), Arc::clone(&config));
            async move {
                while let Ok((socket, _)) = listener.accept().await {
                    let (path, config) = (path.clone(), Arc::clone(&config));
                    // The browser can disconnect before the response.
                    tokio::spawn(async move { respond(socket, &path, &config).await.ok() });
                }
            }
        });
        Ok(Self { address, path: path.to_owned(), config, task })
    }

    /// Replaces the folder.
    pub fn set_folder(&self, folder: &Path) {
        folder.clone_into(&mut lock(&self.config).folder);
    }

    /// Sets the content type of a file extension.
    pub fn set_content_type(&self, extension: &str, content_type: &str) {
        lock(&self.config).types.insert(extension.to_owned(), content_type.to_owned());
    }

    /// Adds a response header for all files.
    pub fn add_header(&self, name: &str, value: &str) {
        lock(&self.config).headers.push_str(&format!("{name}: {value}\r\n"));
    }

    /// Returns the origin: scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the URL of the file with this name.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("http://{}{}{name}", self.address, self.path)
    }
}

impl Drop for FileHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(config: &Mutex<HostConfig>) -> MutexGuard<'_, HostConfig> {
    config.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one request and sends the response.
async fn respond(mut socket: TcpStream, path: &str, config: &Mutex<HostConfig>) -> anyhow::Result<()> {
    let mut lines = BufReader::new(&mut socket).lines();
    let request = lines.next_line().await?.context("no request")?;
    while lines.next_line().await?.is_some_and(|header| !header.is_empty()) {}
    let target = request.split(' ').nth(1).context("no target")?;
    let requested = target.split(['?', '#']).next().unwrap_or_default();
    let (head, body) = file(requested, path, &lock(config));
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(&body).await?;
    Ok(socket.shutdown().await?)
}

/// Returns head and body of the response.
fn file(requested: &str, path: &str, config: &HostConfig) -> (String, Vec<u8>) {
    let name = requested.strip_prefix(path).filter(|name| !name.split('/').any(|part| part == ".."));
    let name = name.map(|name| if name.is_empty() { "index.html" } else { name });
    let found = name.and_then(|name| Some((name, std::fs::read(config.folder.join(name)).ok()?)));
    let (status, name, body) = match found {
        Some((name, body)) => ("200 OK", name, body),
        None => ("404 Not Found", "missing.txt", b"Not found.\n".to_vec()),
    };
    let ending = name.rsplit('.').next().unwrap_or_default();
    let content_type = config.types.get(ending).map_or("application/octet-stream", String::as_str);
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{}", config.headers);
    // Writing to a string cannot fail.
    let _written = write!(head, "Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    (head, body)
}
