//! Running `tailcast serve` or `tailcast hub`.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::watch,
};
use webpubsub_protocol::{
    connection_string::{AccessKey, ConnectionString},
    token::{Claims, UnixTime, sign},
};

use crate::{
    command::command,
    environment,
    socket::{JSON, Socket},
    with_timeout,
};

/// Request to the REST API.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestRequest<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path relative to the hub, with the query.
    pub target: &'a str,
    /// Additional headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body, empty by default.
    pub body: &'a str,
}

/// Server process on a free port of the loopback interface. Killed when dropped.
pub struct Server {
    child: Child,
    /// Kept open, because the server would fail to write to a closed pipe.
    _stdout: Lines<BufReader<ChildStdout>>,
    stderr: watch::Receiver<String>,
    scheme: String,
    address: String,
}

impl Server {
    /// Starts `tailcast serve --listen 127.0.0.1:0` with additional arguments, and waits until it is ready.
    ///
    /// # Errors
    /// Fails if the server does not become ready.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_on("127.0.0.1:0", arguments).await
    }

    /// Starts `tailcast serve` on the given address, and waits until it is ready.
    ///
    /// # Errors
    /// Fails if the server does not become ready.
    pub async fn start_on(listen: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::run(&[&["serve", "--listen", listen], arguments].concat(), "hub `").await
    }

    /// Starts `tailcast hub --listen 127.0.0.1:0` with additional arguments, and waits until it is ready.
    ///
    /// # Errors
    /// Fails if the server does not become ready.
    pub async fn start_hub(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::run(&[&["hub", "--listen", "127.0.0.1:0"], arguments].concat(), "Connection string: ").await
    }

    /// Starts `tailcast serve` with a soft limit of open files, and waits until it is ready.
    ///
    /// # Errors
    /// Fails if the server does not become ready.
    pub async fn start_with_open_files(limit: u32) -> anyhow::Result<Self> {
        let mut command = command(Path::new("sh"));
        let script = format!("ulimit -S -n {limit} && exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(environment::tailcast()?);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        Self::start_command(command, "hub `").await
    }

    async fn run(arguments: &[&str], last_output: &str) -> anyhow::Result<Self> {
        let mut command = command(&environment::tailcast()?);
        command.args(arguments);
        Self::start_command(command, last_output).await
    }

    /// Starts a server by a command, and waits until it is ready and has printed `last_output` to standard error.
    ///
    /// # Errors
    /// Fails if the server does not become ready.
    pub async fn start_command(mut command: Command, last_output: &str) -> anyhow::Result<Self> {
        // The most verbose logs, for the test that searches them for secrets.
        command.env("TAILCAST_LOG", "trace");
        with_timeout("start of the server", async {
            let mut child = command.spawn()?;
            let mut stdout = BufReader::new(child.stdout.take().context("no standard output")?).lines();
            let mut stderr = collect(child.stderr.take().context("no standard error")?);
            let ready = stdout.next_line().await?;
            let location = ready.as_deref().and_then(|line| line.strip_prefix("listening on "));
            let Some((scheme, address)) = location.and_then(|location| location.split_once("://")) else {
                child.wait().await?;
                stderr.wait_for(|_| false).await.ok();
                anyhow::bail!(
                    "the server printed {ready:?} instead of its readiness line: {}",
                    *stderr.borrow()
                );
            };
            let (scheme, address) = (scheme.to_owned(), address.to_owned());
            // Tests read standard error too, which is another pipe.
            stderr.wait_for(|text| text.contains(last_output) && text.ends_with('\n')).await?;
            Ok(Self { child, _stdout: stdout, stderr, scheme, address })
        })
        .await
    }

    /// Returns host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the URL of `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Returns the URL of the negotiate endpoint.
    #[must_use]
    pub fn negotiate_url(&self) -> String {
        self.url("/negotiate")
    }

    /// Returns the process id.
    ///
    /// # Errors
    /// Fails if the process has exited.
    pub fn process_id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server has exited")
    }

    /// Returns the output on standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.borrow().clone()
    }

    /// Waits until standard error contains `text`.
    ///
    /// # Errors
    /// Fails after the timeout.
    pub async fn wait_for_stderr(&self, text: &str) -> anyhow::Result<()> {
        let mut stderr = self.stderr.clone();
        with_timeout(text, async {
            stderr.wait_for(|output| output.contains(text)).await?;
            Ok(())
        })
        .await
    }

    /// Returns the connection string that the server printed.
    ///
    /// # Errors
    /// Fails if it printed none.
    pub fn connection_string(&self) -> anyhow::Result<ConnectionString> {
        let stderr = self.stderr();
        let printed = stderr.lines().find_map(|line| line.strip_prefix("Connection string: "));
        Ok(ConnectionString::parse(printed.context("no connection string")?)?)
    }

    /// Requests a client URL for `user` from the negotiate endpoint.
    ///
    /// # Errors
    /// Fails if the endpoint returns no URL.
    pub async fn negotiate(&self, user: &str) -> anyhow::Result<String> {
        negotiated_url(&self.url(&format!("/negotiate?id={user}"))).await
    }

    /// Returns a client URL of the hub `stream`, with modified claims, signed with `key`.
    ///
    /// # Errors
    /// Fails if the clock is before 1970, or the claims cannot be signed.
    pub fn client_url(&self, key: &AccessKey, change: impl FnOnce(&mut Claims)) -> anyhow::Result<String> {
        let now = UnixTime(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        let mut claims = Claims::new(self.url("/client/hubs/stream"), now, 60);
        change(&mut claims);
        let token = sign(&claims, key)?;
        Ok(format!("ws://{}/client/hubs/stream?access_token={token}", self.address))
    }

    /// Sends a request to the REST API of the hub `stream`, signed with the printed key.
    ///
    /// # Errors
    /// Fails if there is no response.
    pub async fn rest(&self, request: RestRequest<'_>) -> anyhow::Result<reqwest::Response> {
        let key = self.connection_string()?.access_key;
        let url = self.url(&format!("/api/hubs/stream{}", request.target));
        let now = UnixTime(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
        let token = sign(&Claims::new(url.clone(), now, 60), &key)?;
        let mut builder = http_client()?.request(request.method.parse()?, &url).bearer_auth(token);
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        with_timeout(&url, async { Ok(builder.body(request.body.to_owned()).send().await?) }).await
    }

    /// Connects a JSON client.
    ///
    /// # Errors
    /// Fails if the client cannot connect.
    pub async fn connect(&self, user: &str) -> anyhow::Result<Socket> {
        let mut socket = Socket::open(&self.negotiate(user).await?, &[JSON]).await?;
        let connected = socket.json().await?;
        anyhow::ensure!(connected["event"] == "connected", "{connected}");
        Ok(socket)
    }

    /// Connects a JSON client that joins the group `stream`.
    ///
    /// # Errors
    /// Fails if the client cannot connect or join.
    pub async fn subscribe(&self) -> anyhow::Result<Socket> {
        let mut socket = self.connect("subscriber").await?;
        socket.send(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
        let joined = socket.json().await?;
        anyhow::ensure!(joined["success"] == true, "{joined}");
        Ok(socket)
    }

    /// Sends a signal, by its name for `kill`.
    ///
    /// # Errors
    /// Fails if the signal cannot be sent.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        signal(self.process_id()?, name).await
    }

    /// Waits until the server exits. Returns its exit code.
    ///
    /// # Errors
    /// Fails after the timeout.
    pub async fn wait_for_exit(&mut self) -> anyhow::Result<Option<i32>> {
        with_timeout("exit of the server", async { Ok(self.child.wait().await?.code()) }).await
    }

    /// Kills the server, to simulate a crash.
    ///
    /// # Errors
    /// Fails if the process cannot be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        with_timeout("killing the server", async { Ok(self.child.kill().await?) }).await
    }
}

/// Sends a signal to a process.
///
/// # Errors
/// Fails if the signal cannot be sent.
pub async fn signal(process_id: u32, name: &str) -> anyhow::Result<()> {
    let status = tokio::process::Command::new("kill")
        .args([format!("-{name}"), process_id.to_string()])
        .status()
        .await?;
    anyhow::ensure!(status.success(), "kill -{name} {process_id}: {status}");
    Ok(())
}

/// Sends a GET request. Returns status and body.
///
/// # Errors
/// Fails if there is no response.
pub async fn get(url: &str) -> anyhow::Result<(u16, String)> {
    let response = with_timeout(url, async { Ok(http_client()?.get(url).send().await?) }).await?;
    Ok((response.status().as_u16(), response.text().await?))
}

/// Requests a client URL from a negotiate endpoint.
///
/// # Errors
/// Fails if the endpoint returns no URL.
pub async fn negotiated_url(endpoint: &str) -> anyhow::Result<String> {
    let (_, answer) = get(endpoint).await?;
    let negotiated: Value = serde_json::from_str(&answer).with_context(|| answer.clone())?;
    Ok(negotiated["url"].as_str().context("no url in the response")?.to_owned())
}

/// Creates an HTTP client that uses no proxy.
///
/// # Errors
/// Fails if the client cannot be created.
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    // Fails if a provider is already installed.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// Collects the output of a process continuously.
fn collect(output: impl AsyncRead + Send + Unpin + 'static) -> watch::Receiver<String> {
    let (sender, receiver) = watch::channel(String::new());
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            sender.send_modify(|text| {
                text.push_str(&line);
                text.push('\n');
            });
        }
    });
    receiver
}
