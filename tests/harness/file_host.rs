//! A host of plain files: it sends what lies in a folder, and knows of nothing else.

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

/// What hosts call the kinds of files that a page has.
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

/// How the host is set now.
#[derive(Debug)]
struct Setting {
    folder: PathBuf,
    types: HashMap<String, String>,
    headers: String,
}

/// A host on a free port of the loopback interface. Ends when dropped.
pub struct FileHost {
    address: String,
    path: String,
    setting: Arc<Mutex<Setting>>,
    task: JoinHandle<()>,
}

impl FileHost {
    /// Sends the files of `folder` for what is asked under `path`, which begins and ends with `/`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(path: &str, folder: &Path) -> anyhow::Result<Self> {
        let types = TYPES.iter().map(|(ending, name)| ((*ending).to_owned(), (*name).to_owned())).collect();
        let setting = Setting { folder: folder.to_owned(), types, headers: String::new() };
        let setting = Arc::new(Mutex::new(setting));
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let address = listener.local_addr()?.to_string();
        let task = tokio::spawn({
            let (path, setting) = (path.to_owned(), Arc::clone(&setting));
            async move {
                while let Ok((socket, _)) = listener.accept().await {
                    let (path, setting) = (path.clone(), Arc::clone(&setting));
                    // A browser that goes away before its answer gets none.
                    tokio::spawn(async move { answer(socket, &path, &setting).await.ok() });
                }
            }
        });
        Ok(Self { address, path: path.to_owned(), setting, task })
    }

    /// From now on the files of another folder.
    pub fn show(&self, folder: &Path) {
        folder.clone_into(&mut lock(&self.setting).folder);
    }

    /// From now on files with this ending are called so.
    pub fn call(&self, ending: &str, content_type: &str) {
        lock(&self.setting).types.insert(ending.to_owned(), content_type.to_owned());
    }

    /// From now on this header goes along with each file.
    pub fn add_header(&self, name: &str, value: &str) {
        lock(&self.setting).headers.push_str(&format!("{name}: {value}\r\n"));
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL of what lies in the folder under `name`.
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

fn lock(setting: &Mutex<Setting>) -> MutexGuard<'_, Setting> {
    setting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one request and answers it.
async fn answer(mut socket: TcpStream, path: &str, setting: &Mutex<Setting>) -> anyhow::Result<()> {
    let mut lines = BufReader::new(&mut socket).lines();
    let request = lines.next_line().await?.context("no request")?;
    while lines.next_line().await?.is_some_and(|header| !header.is_empty()) {}
    let target = request.split(' ').nth(1).context("no target")?;
    let asked = target.split(['?', '#']).next().unwrap_or_default();
    let (head, body) = file(asked, path, &lock(setting));
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(&body).await?;
    Ok(socket.shutdown().await?)
}

/// Head and body of the answer.
fn file(asked: &str, path: &str, setting: &Setting) -> (String, Vec<u8>) {
    let name = asked.strip_prefix(path).filter(|name| !name.split('/').any(|part| part == ".."));
    let name = name.map(|name| if name.is_empty() { "index.html" } else { name });
    let found = name.and_then(|name| Some((name, std::fs::read(setting.folder.join(name)).ok()?)));
    let (status, name, body) = match found {
        Some((name, body)) => ("200 OK", name, body),
        None => ("404 Not Found", "missing.txt", b"There is no such file.\n".to_vec()),
    };
    let ending = name.rsplit('.').next().unwrap_or_default();
    let content_type = setting.types.get(ending).map_or("application/octet-stream", String::as_str);
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{}", setting.headers);
    // Writing to a string does not fail.
    let _written = write!(head, "Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    (head, body)
}
